//! How a command ends.

use std::process::ExitCode;

/// What the exit codes mean, for `--help`.
pub(crate) const CODES: &str = "Exit codes:\n  \
    0    done; an audit found nothing at or above --fail-on\n  \
    1    an audit found something at or above --fail-on\n  \
    2    the arguments or a file cannot be used; nothing was asked\n  \
    3    the site could not be audited, or not to the end: it gave no answer, or the time was up\n  \
    130  interrupted; the report tells what was seen until then";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what was asked.
    Done,
    /// Something is wrong with the site.
    Findings,
    /// What was given cannot be used.
    BadInput,
    /// The site did not answer, or not to the end.
    Unfinished,
    /// A person ended it.
    Interrupted,
}

impl Outcome {
    /// The code that the process ends with.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::BadInput => 2,
            Self::Unfinished => 3,
            Self::Interrupted => 130,
        })
    }
}
