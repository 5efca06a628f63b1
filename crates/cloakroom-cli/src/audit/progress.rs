//! The line that says what is being done, where somebody watches.

use std::io::{IsTerminal as _, Write as _};

/// Columns of a terminal that nobody asked for its width.
const COLUMNS: usize = 79;
/// Goes back to the first column and clears the line.
const AGAIN: &str = "\r\x1b[2K";

/// A line on standard error, which is written over and gone at the end.
pub(super) struct Progress {
    is_on: bool,
    is_quiet: bool,
}

impl Progress {
    /// Silent unless standard error is a terminal.
    pub(super) fn new(quiet: bool) -> Self {
        Self { is_on: !quiet && std::io::stderr().is_terminal(), is_quiet: quiet }
    }

    pub(super) fn says(&self, doing: &str) {
        if self.is_on {
            let line: String = doing.chars().take(COLUMNS).collect();
            self.write(&format!("{AGAIN}{line}"));
        }
    }

    /// A line that stays, also where nobody watches.
    pub(super) fn tells(&self, line: &str) {
        if !self.is_quiet {
            self.write(&format!("{}{line}\n", if self.is_on { AGAIN } else { "" }));
        }
    }

    fn write(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        // Nobody can be told that nobody can be told.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_on {
            self.write(AGAIN);
        }
    }
}
