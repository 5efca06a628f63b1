//! Which session is asked when, and what for.

use crate::script::Policy;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Why a session is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Purpose {
    /// It was left alone since it was opened.
    Idle,
    /// It is asked so that it is not idle, and for how long that helps.
    Absolute,
    /// Its cookies have run out in the browser, and are sent all the same.
    Client,
}

impl Purpose {
    /// A word for reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Absolute => "absolute",
            Self::Client => "client",
        }
    }
}

/// One visit: which session, when, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// Which of the sessions, from 0.
    pub session: usize,
    /// In seconds since the Unix epoch.
    pub at: u64,
    /// Seconds since the sessions were opened.
    pub after: u64,
    /// Why.
    pub purpose: Purpose,
}

/// Every visit, in order.
///
/// ```
/// use cloakroom_audit::{Policy, Purpose, Schedule};
/// use std::time::Duration;
///
/// let policy = Policy { idle: Some(Duration::from_secs(600)), ..Policy::default() };
/// let schedule = Schedule::new(policy, None, Duration::from_secs(700), 1_000);
/// let rows: Vec<_> = schedule.rows().iter().map(|row| (row.session, row.at)).collect();
/// assert_eq!(rows, [(0, 1_150), (1, 1_300), (2, 1_450), (3, 1_660)]);
/// assert_eq!(schedule.lacking(Purpose::Idle), None);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    clocks: Clocks,
    wait: u64,
    sessions: usize,
    rows: Vec<Appointment>,
}

/// The timeouts that are probed, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clocks {
    pub(crate) idle: Option<u64>,
    pub(crate) absolute: Option<u64>,
    /// What the session's cookies ask the browser for.
    pub(crate) lifetime: Option<u64>,
    /// How many sessions a user may have at once.
    pub(crate) sessions: Option<u32>,
}

/// A session may be active this many times at most: every few seconds for a day is no probe any more.
const VISITS_MOST: u64 = 500;
/// The longest time between two visits of the session that is kept active, where the site says nothing: 5 min.
const ACTIVE_EVERY: u64 = 300;

impl Schedule {
    /// What can be seen in the time `wait` from `start` on, in seconds since the Unix epoch. `lifetime` is what
    /// the session's cookies ask the browser for.
    pub fn new(policy: Policy, lifetime: Option<Duration>, wait: Duration, start: u64) -> Self {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
        let clocks = Clocks {
            idle: seconds(policy.idle),
            absolute: seconds(policy.absolute),
            lifetime: seconds(lifetime),
            sessions: policy.sessions,
        };
        Self::of(clocks, wait.as_secs(), start)
    }

    pub(crate) fn of(clocks: Clocks, wait: u64, start: u64) -> Self {
        let mut schedule = Self { clocks, wait, sessions: 0, rows: Vec::new() };
        // What decides a rule comes first: a site may let a user have few sessions.
        let decisive = [
            (Purpose::Idle, clocks.idle.map(beyond)),
            (Purpose::Client, clocks.lifetime.map(beyond)),
        ];
        for (purpose, after) in decisive {
            schedule.once(purpose, after.filter(|after| *after <= wait), start);
        }
        schedule.active(start);
        for after in rungs(clocks.idle, wait) {
            schedule.once(Purpose::Idle, Some(after), start);
        }
        schedule.in_order();
        schedule
    }

    fn has_room(&self) -> bool {
        self.clocks
            .sessions
            .and_then(|most| usize::try_from(most).ok())
            .is_none_or(|most| self.sessions < most)
    }

    /// A session of its own, and one visit.
    fn once(&mut self, purpose: Purpose, after: Option<u64>, start: u64) {
        let Some(after) = after.filter(|_| self.has_room()) else { return };
        let session = self.sessions;
        self.sessions += 1;
        self.rows.push(Appointment { session, at: start.saturating_add(after), after, purpose });
    }

    /// One session that is visited all the time, and once more when it has to be over.
    fn active(&mut self, start: u64) {
        let Some(absolute) = self.clocks.absolute.filter(|_| self.has_room()) else { return };
        let session = self.sessions;
        self.sessions += 1;
        let end = beyond(absolute).min(self.wait);
        let every = self.every();
        let mut visits: Vec<u64> =
            (1..).map(|visit| visit * every).take_while(|after| *after < end).collect();
        visits.push(end);
        let row = |after: u64| Appointment {
            session,
            at: start.saturating_add(after),
            after,
            purpose: Purpose::Absolute,
        };
        self.rows.extend(visits.into_iter().map(row));
    }

    /// How often the active session is visited, in seconds: four times within its idle timeout.
    pub(crate) fn every(&self) -> u64 {
        let least = (self.wait / VISITS_MOST).max(1);
        let often = match (self.clocks.idle, self.clocks.absolute) {
            (Some(idle), _) => idle / 4,
            (None, Some(absolute)) => (absolute / 4).min(ACTIVE_EVERY),
            (None, None) => ACTIVE_EVERY,
        };
        often.max(least)
    }

    /// Sessions count in the order of their first visits.
    fn in_order(&mut self) {
        self.rows.sort_by_key(|row| (row.after, row.session));
        let mut order: Vec<usize> = Vec::new();
        for row in &mut self.rows {
            let known = order.iter().position(|session| *session == row.session);
            row.session = known.unwrap_or_else(|| {
                order.push(row.session);
                order.len() - 1
            });
        }
    }

    /// Every visit, in order.
    pub fn rows(&self) -> &[Appointment] {
        &self.rows
    }

    /// How many sessions are opened.
    pub const fn sessions(&self) -> usize {
        self.sessions
    }

    /// Why a clock cannot be judged, in a sentence without a full stop; `None` if it can.
    pub fn lacking(&self, purpose: Purpose) -> Option<String> {
        let declared = match purpose {
            Purpose::Idle => self.clocks.idle.ok_or("the script declares no idle timeout: `idle` in [policy]"),
            Purpose::Absolute => {
                self.clocks.absolute.ok_or("the script declares no absolute timeout: `absolute` in [policy]")
            }
            Purpose::Client => self.clocks.lifetime.ok_or(
                "the session's cookies have no lifetime of their own, so that no browser ends it before it is closed",
            ),
        };
        let declared = match declared {
            Ok(declared) => declared,
            Err(why) => return Some(why.to_owned()),
        };
        let needed = beyond(declared);
        if needed > self.wait {
            let (wait, needed, declared) = (span(self.wait), span(needed), span(declared));
            return Some(format!(
                "{wait} is too short to see the end after {declared}: `--wait {needed}` is needed"
            ));
        }
        let has_row = |row: &Appointment| row.purpose == purpose && row.after >= needed;
        let most = self.clocks.sessions.unwrap_or_default();
        let few =
            || format!("a user may have {most} sessions at once, which are taken by other probes");
        (!self.rows.iter().any(has_row)).then(few)
    }

    /// Whether a session of this age has to be over, by the clock that this purpose reads.
    pub(crate) fn is_beyond(&self, purpose: Purpose, age: u64) -> bool {
        let declared = match purpose {
            Purpose::Idle => self.clocks.idle,
            Purpose::Absolute => self.clocks.absolute,
            Purpose::Client => self.clocks.lifetime,
        };
        declared.is_some_and(|declared| age >= beyond(declared))
    }

    pub(crate) const fn clocks(&self) -> &Clocks {
        &self.clocks
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// The age at which nobody can say that the server was only about to look: a tenth more, a minute at most.
pub(crate) fn beyond(timeout: u64) -> u64 {
    timeout.saturating_add((timeout / 10).clamp(1, 60))
}

/// Times at which it is looked how long sessions live that nobody touches.
fn rungs(idle: Option<u64>, wait: u64) -> Vec<u64> {
    let of = |whole: u64, parts: &[u64]| {
        parts.iter().map(|quarters| whole * quarters / 4).collect::<Vec<_>>()
    };
    let mut rungs = match idle {
        Some(idle) => of(idle, &[1, 2, 3]),
        None => of(wait, &[1, 2, 3, 4]),
    };
    rungs.retain(|rung| *rung > 0 && *rung <= wait);
    rungs.dedup();
    rungs
}

/// A time as a script writes it: in the largest unit that it is a whole number of.
pub(crate) fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let found = units.iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    found.map_or_else(
        || format!("{seconds}s"),
        |(unit, letter)| format!("{}{letter}", seconds / unit),
    )
}
