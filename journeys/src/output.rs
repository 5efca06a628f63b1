use crate::watched::Watched;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

/// Everything a child process has printed so far.
///
/// A stream counts as open until every process that inherited it has gone, so that an output with
/// no open stream means that a whole family of processes has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Arc<Watched<Printed>>);

#[derive(Debug, Default)]
struct Printed {
    text: String,
    open: usize,
}

impl Output {
    /// Collects the lines of `stream` in a thread of its own until the stream ends.
    pub(crate) fn collect(&self, stream: Option<impl Read + Send + 'static>) {
        let Some(stream) = stream else { return };
        let printed = Arc::clone(&self.0);
        printed.change(|state| state.open += 1);
        std::thread::spawn(move || {
            copy_lines(BufReader::new(stream), &printed);
            printed.change(|state| state.open -= 1);
        });
    }

    pub(crate) fn text(&self) -> String {
        self.0.change(|state| state.text.clone())
    }

    /// Waits until `look` finds something in the text; `None` after `limit` or at the end of it.
    pub(crate) fn find<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&str) -> Option<T>,
    ) -> Option<T> {
        self.0.wait(limit, |state| match look(&state.text) {
            Some(found) => Some(Some(found)),
            None => (state.open == 0).then_some(None),
        })?
    }

    /// Waits until nobody can print any more; false after `limit`.
    pub(crate) fn ended(&self, limit: Duration) -> bool {
        self.0.wait(limit, |state| (state.open == 0).then_some(())).is_some()
    }
}

fn copy_lines(mut stream: impl BufRead, printed: &Watched<Printed>) {
    let mut line = Vec::new();
    while matches!(stream.read_until(b'\n', &mut line), Ok(1..)) {
        printed.change(|state| state.text.push_str(&String::from_utf8_lossy(&line)));
        line.clear();
    }
}
