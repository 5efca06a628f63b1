//! A listener that writes down what it hears.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and fails with it")]

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use cloakroom_store::{Change, Listener};

/// How long a test waits for what it should hear: long enough for the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
pub(crate) struct Ear {
    heard: Mutex<Vec<Change>>,
    news: Condvar,
}

impl Listener for Ear {
    fn hear(&self, change: Change) {
        self.heard.lock().unwrap().push(change);
        self.news.notify_all();
    }
}

impl Ear {
    pub(crate) fn heard(&self) -> Vec<Change> {
        self.heard.lock().unwrap().clone()
    }

    /// All that was heard, as soon as that is `count` changes.
    #[track_caller]
    pub(crate) fn waits_for(&self, count: usize) -> Vec<Change> {
        let heard = self.heard.lock().unwrap();
        let (heard, waited) =
            self.news.wait_timeout_while(heard, PATIENCE, |heard| heard.len() < count).unwrap();
        assert!(!waited.timed_out(), "{count} changes were not heard; heard was {heard:?}");
        heard.clone()
    }
}
