//! The sessions that were opened and what came of their visits, as it is kept between two runs.

use super::plan::{Appointment, Clocks, Schedule};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;

/// The octets of a kept timeline that are read: 4 MiB, some hundred sessions with full jars.
pub const TIMELINE_MAX: usize = 4 * 1024 * 1024;

/// Grows when a field changes its meaning.
const FORMAT: &str = "cloakroom-timeline 1";

/// What an answer came to, and its exchange as far as evidence needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Noted {
    /// The index of the appointment.
    pub(crate) row: usize,
    pub(crate) at: u64,
    pub(crate) status: u16,
    pub(crate) came_to: CameTo,
    /// Whether a browser without cookies was seen to be signed out then.
    pub(crate) stranger_is_out: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CameTo {
    SignedIn,
    SignedOut,
    Unclear(String),
}

/// A session that was opened.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// The `Cookie` field that opens it, in base64.
    cookie: String,
    /// Its jar, for the session that is kept active.
    pub(crate) jar: String,
    /// When it was asked last before it was left alone.
    pub(crate) opened: u64,
    /// Whether it was signed in then.
    pub(crate) is_in: bool,
}

impl Held {
    pub(crate) fn new(cookie: &[u8], jar: String, opened: u64, is_in: bool) -> Self {
        Self { cookie: STANDARD.encode(cookie), jar, opened, is_in }
    }

    pub(crate) fn cookie(&self) -> Vec<u8> {
        STANDARD.decode(&self.cookie).unwrap_or_default()
    }
}

/// Sessions that wait for their appointments, and what came of those that were kept.
///
/// It holds what opens the sessions: `Debug` leaves it out, [`save`](Self::save) does not.
#[derive(Clone, Serialize, Deserialize)]
pub struct Timeline {
    format: String,
    origin: String,
    /// The probe, for evidence.
    pub(crate) whoami: String,
    start: u64,
    wait: u64,
    clocks: Clocks,
    pub(crate) held: Vec<Held>,
    pub(crate) noted: Vec<Noted>,
}

impl Timeline {
    pub(crate) fn new(
        origin: &str,
        whoami: &str,
        schedule: &Schedule,
        wait: u64,
        start: u64,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            origin: origin.to_owned(),
            whoami: whoami.to_owned(),
            start,
            wait,
            clocks: *schedule.clocks(),
            held: Vec::new(),
            noted: Vec::new(),
        }
    }

    /// The plan.
    pub fn schedule(&self) -> Schedule {
        Schedule::of(self.clocks, self.wait, self.start)
    }

    /// The origin of the site.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The visits whose time has come and that were not made, with their numbers in the plan.
    pub fn due(&self, now: u64) -> Vec<(usize, Appointment)> {
        let rows = self.schedule();
        let rows = rows.rows().iter().copied().enumerate();
        rows.filter(|(index, row)| row.at <= now && !self.is_noted(*index)).collect()
    }

    /// When the next visit is; `None` if all were made.
    pub fn next(&self) -> Option<u64> {
        let schedule = self.schedule();
        let mut left =
            schedule.rows().iter().enumerate().filter(|(index, _)| !self.is_noted(*index));
        left.next().map(|(_, row)| row.at)
    }

    fn is_noted(&self, row: usize) -> bool {
        self.noted.iter().any(|noted| noted.row == row)
    }

    /// As text, with what opens the sessions: for a file that nobody else may read.
    pub fn save(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// What was saved.
    ///
    /// # Errors
    ///
    /// [`TimelineError`] if the text is too long, of another format or no timeline. It quotes nothing.
    pub fn load(text: &str) -> Result<Self, TimelineError> {
        if text.len() > TIMELINE_MAX {
            return Err(TimelineError(format!(
                "it has {} octets, and {TIMELINE_MAX} are read",
                text.len()
            )));
        }
        let broken = |error: serde_json::Error| {
            TimelineError(format!(
                "it is broken in line {}, column {}",
                error.line(),
                error.column()
            ))
        };
        let timeline: Self = serde_json::from_str(text).map_err(broken)?;
        if timeline.format != FORMAT {
            return Err(TimelineError(format!("it is no `{FORMAT}`")));
        }
        let schedule = timeline.schedule();
        let is_whole = timeline.held.len() == schedule.sessions()
            && timeline.noted.iter().all(|noted| noted.row < schedule.rows().len());
        if is_whole {
            Ok(timeline)
        } else {
            Err(TimelineError("its sessions do not fit its plan".to_owned()))
        }
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline")
            .field("origin", &self.origin)
            .field("start", &self.start)
            .field("sessions", &self.held.len())
            .field("noted", &self.noted)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("opened", &self.opened).finish_non_exhaustive()
    }
}

/// Why a text is no timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineError(String);

impl fmt::Display for TimelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no timeline: {}", self.0)
    }
}

impl Error for TimelineError {}
