//! What earlier reports say about findings: the baseline, and what changed since last time.

use super::{Report, Saved, SavedFinding, Standing};
use crate::finding::{Answer, Severity};
use std::fmt;

/// How a finding compares with the last audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// It was not there.
    New,
    /// It was there, as severe as now.
    Still,
    /// It was there with another severity.
    Severity {
        /// How severe it was.
        was: Severity,
    },
}

impl Trend {
    /// A word for reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Still => "still there",
            Self::Severity { .. } => "changed",
        }
    }
}

impl fmt::Display for Trend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New | Self::Still => f.write_str(self.as_str()),
            Self::Severity { was } => write!(f, "it was {was} before"),
        }
    }
}

/// What became of the findings of the last audit.
#[derive(Clone, Debug)]
pub struct Since {
    /// When the last audit ended, as RFC 3339 writes it.
    pub ended: String,
    /// What it audited, if that is not what is audited now.
    pub other_target: Option<String>,
    /// The rule decides, and this is no longer found.
    pub gone: Vec<SavedFinding>,
    /// The rule does not decide this time, or is not there any more: nobody knows.
    pub unknown: Vec<SavedFinding>,
}

impl Report {
    /// Takes the findings of an earlier report as known: they are shown, and do not count.
    ///
    /// A finding that has become more severe counts again, and so does one that was only suppressed in
    /// the earlier report: it was put off, not accepted.
    #[must_use]
    pub fn with_baseline(mut self, baseline: &Saved) -> Self {
        for found in &mut self.findings {
            let Some(known) = baseline.find(&found.fingerprint) else { continue };
            let is_open = matches!(found.standing, Standing::Open);
            if !is_open || known.was_suppressed {
                continue;
            }
            found.standing = match found.finding.severity > known.severity {
                true => Standing::Worse { was: known.severity },
                false => Standing::Known,
            };
        }
        self
    }

    /// Says of each finding whether it was there in the last report, and what is gone.
    #[must_use]
    pub fn since(mut self, last: &Saved) -> Self {
        for found in &mut self.findings {
            found.change = Some(match last.find(&found.fingerprint) {
                None => Trend::New,
                Some(old) if old.severity == found.finding.severity => Trend::Still,
                Some(old) => Trend::Severity { was: old.severity },
            });
        }
        let absent = last
            .findings()
            .iter()
            .filter(|old| self.findings.iter().all(|found| found.fingerprint != old.fingerprint));
        let (gone, unknown) = absent.cloned().partition(|old| self.decides(&old.rule));
        self.since = Some(Since {
            ended: last.ended().to_owned(),
            other_target: (last.host() != self.host).then(|| last.target().to_owned()),
            gone,
            unknown,
        });
        self
    }

    /// Whether a rule came to a verdict.
    pub(super) fn decides(&self, rule: &str) -> bool {
        let judged = self.judged.iter().find(|judged| judged.rule.id == rule);
        judged.is_some_and(|judged| !matches!(judged.answer, Answer::NotDecided { .. }))
    }
}
