//! How a command ends.

use std::process::ExitCode;

/// What the exit codes mean, for `--help`.
pub(crate) const CODES: &str = "Exit codes:\n  \
    0  done\n  \
    2  the arguments or a file cannot be used; nothing was done";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what was asked.
    Done,
    /// What was given cannot be used.
    BadInput,
}

impl Outcome {
    /// The code that the process ends with.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::BadInput => 2,
        })
    }
}
