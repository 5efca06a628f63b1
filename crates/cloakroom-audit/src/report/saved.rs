//! A report of an earlier audit, read back.

use super::cleaning::Cleaning;
use super::{SCHEMA, Standing};
use crate::finding::Severity;
use serde::Deserialize;
use std::fmt;

/// The octets that a saved report may have: 32 MiB, ten times what a very large site comes to.
pub const SAVED_MAX: usize = 32 * 1024 * 1024;

/// What later audits need to know of an earlier one.
///
/// ```
/// use cloakroom_audit::{Facts, Report, Saved};
///
/// let report = Report::of_answers(Vec::new(), Facts::default());
/// let saved = Saved::read(&report.to_json())?;
/// assert!(saved.findings().is_empty());
/// # Ok::<(), cloakroom_audit::SavedError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Saved {
    target: String,
    host: String,
    ended: String,
    findings: Vec<SavedFinding>,
}

/// A finding of an earlier audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFinding {
    /// Its name in that report.
    pub id: String,
    /// Its name at any time.
    pub fingerprint: String,
    /// The id of the rule.
    pub rule: String,
    /// How severe it was.
    pub severity: Severity,
    /// What it was about.
    pub subject: String,
    /// What was seen.
    pub seen: String,
    /// Whether it was suppressed then: it was not accepted, but put off.
    pub was_suppressed: bool,
}

/// Why a text is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SavedError {
    /// It exceeds [`SAVED_MAX`].
    TooLarge {
        /// Its length in octets.
        length: usize,
    },
    /// It is no JSON.
    NoJson {
        /// The line, from 1 on.
        line: usize,
    },
    /// It is JSON, and no report in that form.
    NoReport {
        /// The line, from 1 on.
        line: usize,
    },
    /// It is a report in a form that this release does not know.
    OtherSchema {
        /// The number of the form.
        schema: u64,
    },
    /// A finding has a severity that does not exist.
    NoSeverity {
        /// The id of the finding.
        id: String,
    },
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { length } => {
                write!(f, "the report has {length} octets, and {SAVED_MAX} are read at most")
            }
            Self::NoJson { line } => write!(
                f,
                "line {line} is no JSON: give a report that was written with --format json"
            ),
            Self::NoReport { line } => write!(
                f,
                "line {line} does not fit a report: give one that was written with --format json"
            ),
            Self::OtherSchema { schema } => write!(
                f,
                "the report has schema {schema}, and this release reads {SCHEMA}: audit once more with this release"
            ),
            Self::NoSeverity { id } => {
                write!(f, "the finding {id} has a severity that does not exist")
            }
        }
    }
}

impl std::error::Error for SavedError {}

#[derive(Deserialize)]
struct Head {
    schema: u64,
}

#[derive(Deserialize)]
struct Document {
    target: String,
    host: String,
    ended: String,
    findings: Vec<OneFinding>,
}

#[derive(Deserialize)]
struct OneFinding {
    id: String,
    fingerprint: String,
    rule: String,
    severity: String,
    subject: String,
    seen: String,
    standing: String,
}

impl Saved {
    /// Reads what [`Report::to_json`](super::Report::to_json) wrote, of this release or another with the
    /// same schema.
    ///
    /// # Errors
    ///
    /// [`SavedError`], which quotes nothing of the text but an id.
    pub fn read(text: &str) -> Result<Self, SavedError> {
        if text.len() > SAVED_MAX {
            return Err(SavedError::TooLarge { length: text.len() });
        }
        let head: Head = serde_json::from_str(text).map_err(|error| misread(&error))?;
        if head.schema != SCHEMA {
            return Err(SavedError::OtherSchema { schema: head.schema });
        }
        let document: Document = serde_json::from_str(text).map_err(|error| misread(&error))?;
        let clean = Cleaning::default();
        let findings = document.findings.iter().map(|found| saved(found, &clean));
        Ok(Self {
            target: clean.clean(&document.target),
            host: clean.clean(&document.host),
            ended: clean.clean(&document.ended),
            findings: findings.collect::<Result<_, _>>()?,
        })
    }

    /// What was audited.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The host by which findings are named.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// When that audit ended, as RFC 3339 writes it.
    pub fn ended(&self) -> &str {
        &self.ended
    }

    /// What was found.
    pub fn findings(&self) -> &[SavedFinding] {
        &self.findings
    }

    pub(super) fn find(&self, fingerprint: &str) -> Option<&SavedFinding> {
        self.findings.iter().find(|found| found.fingerprint == fingerprint)
    }
}

fn misread(error: &serde_json::Error) -> SavedError {
    let line = error.line().max(1);
    match error.classify() {
        serde_json::error::Category::Data => SavedError::NoReport { line },
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => SavedError::NoJson { line },
    }
}

/// A file may have been written by anybody: its texts are cleaned like those of a server.
fn saved(found: &OneFinding, clean: &Cleaning) -> Result<SavedFinding, SavedError> {
    let id = clean.clean(&found.id);
    let Some(severity) = Severity::from_name(&found.severity) else {
        return Err(SavedError::NoSeverity { id });
    };
    let suppressed = [Standing::SUPPRESSED, Standing::EXPIRED];
    Ok(SavedFinding {
        id,
        severity,
        was_suppressed: suppressed.contains(&found.standing.as_str()),
        fingerprint: clean.clean(&found.fingerprint),
        rule: clean.clean(&found.rule),
        subject: clean.clean(&found.subject),
        seen: clean.clean(&found.seen),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_is_refused_with_its_line() {
        for (text, expected) in [
            ("", SavedError::NoJson { line: 1 }),
            ("{\n\"schema\": 1,\n", SavedError::NoJson { line: 3 }),
            ("[]", SavedError::NoReport { line: 1 }),
            ("{\"log\": {}}", SavedError::NoReport { line: 1 }),
            ("{\"schema\": 1}", SavedError::NoReport { line: 1 }),
            ("{\"schema\": 2}", SavedError::OtherSchema { schema: 2 }),
        ] {
            assert_eq!(Saved::read(text).err(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_report_of_any_size_is_not_read() {
        let text = " ".repeat(SAVED_MAX + 1);

        assert_eq!(Saved::read(&text).err(), Some(SavedError::TooLarge { length: SAVED_MAX + 1 }));
        assert_eq!(Saved::read(&text[1..]).err(), Some(SavedError::NoJson { line: 1 }));
    }
}
