//! Somebody who listens.
#![allow(clippy::disallowed_methods, reason = "when something is heard is what is measured")]

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use cloakroom_redis::RedisStore;
use cloakroom_store::{Change, Listener, Store as _};

/// Writes down what it hears, and when.
#[derive(Debug, Default)]
pub(crate) struct Ear(Mutex<Vec<(Change, Instant)>>, Condvar);

impl Listener for Ear {
    fn hear(&self, change: Change) {
        self.0.lock().unwrap().push((change, Instant::now()));
        self.1.notify_all();
    }
}

impl Ear {
    pub(crate) fn at(store: &RedisStore) -> Arc<Self> {
        let ear = Arc::new(Self::default());
        let listener: Arc<dyn Listener> = Arc::<Self>::clone(&ear);
        store.listen(listener);
        ear
    }

    /// Waits for this, and forgets it and what came before.
    #[track_caller]
    pub(crate) fn hears(&self, what: Change) -> Instant {
        let heard = self.0.lock().unwrap();
        let find = |heard: &[(Change, Instant)]| heard.iter().position(|(one, _)| *one == what);
        let (mut heard, waited) = self
            .1
            .wait_timeout_while(heard, Duration::from_secs(20), |heard| find(heard).is_none())
            .unwrap();
        assert!(!waited.timed_out(), "{what:?} was not heard, but {heard:?}");
        let at = find(&heard).unwrap();
        heard.drain(..=at).next_back().unwrap().1
    }

    pub(crate) fn has_heard(&self, what: Change) -> bool {
        self.0.lock().unwrap().iter().any(|(one, _)| *one == what)
    }
}
