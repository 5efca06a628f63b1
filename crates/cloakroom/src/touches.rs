//! Parallel requests of one session record their activity once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::store::{SessionId, Timestamp};

/// The most sessions whose last touch is remembered here, at 40 bytes each. Forgetting one costs a
/// write that was not needed, no more.
const SESSIONS_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Touches {
    last: Mutex<HashMap<SessionId, Timestamp>>,
}

impl Touches {
    /// Whether the caller is the one who records the activity at `now`.
    pub(crate) fn claim(&self, session: SessionId, now: Timestamp, every: Duration) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &Timestamp| *at <= now && now.since(*at) < every;
        if last.get(&session).is_some_and(recent) {
            return false;
        }
        if last.len() >= SESSIONS_MAX {
            last.retain(|_, at| recent(at));
        }
        if last.len() >= SESSIONS_MAX {
            last.clear();
        }
        last.insert(session, now);
        true
    }

    /// Takes a claim back whose write failed.
    pub(crate) fn release(&self, session: SessionId) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).remove(&session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_per_window_records_the_activity() {
        let touches = Touches::default();
        let id = SessionId::from_bytes([1; 18]);
        let claim = |secs: u64| {
            touches.claim(id, Timestamp::from_millis(secs * 1000), Duration::from_secs(60))
        };

        assert!(claim(100));
        assert!(!claim(100) && !claim(159));
        assert!(claim(160));
        assert!(claim(90), "after a step back the clock counts anew");
        touches.release(id);
        assert!(claim(90));
    }
}
