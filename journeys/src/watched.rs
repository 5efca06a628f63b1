use crate::deadline::Deadline;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// State that one thread changes and another waits on.
#[derive(Debug, Default)]
pub(crate) struct Watched<S> {
    state: Mutex<S>,
    changed: Condvar,
}

impl<S> Watched<S> {
    pub(crate) fn change<T>(&self, edit: impl FnOnce(&mut S) -> T) -> T {
        let result = edit(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Looks now and after every change until `look` gives a value; `None` after `limit`.
    pub(crate) fn wait<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&mut S) -> Option<T>,
    ) -> Option<T> {
        let deadline = Deadline::after(limit);
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&mut state) {
                return Some(found);
            }
            let left = deadline.remaining()?;
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, S> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
