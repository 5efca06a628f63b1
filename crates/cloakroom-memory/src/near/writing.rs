//! Writes of our own: what they change is forgotten before they begin and when they are answered.

use std::sync::Arc;

use cloakroom_store::{Answer, Key, Record, SessionId, StoreError, StoreErrorKind, Timestamp};

use crate::near::table::{State, Table};

/// A write to some keys, from before it begins until its answer is here. If the answer is never
/// seen, nobody knows what is behind the keys, and nothing of them is kept for a while.
pub(crate) struct Write {
    table: Arc<Table>,
    keys: Vec<(Key, bool, State)>,
    now: Timestamp,
    settled: bool,
}

/// What became of a write that was answered.
#[derive(Default)]
pub(crate) struct Outcome<'a> {
    /// What is behind the first key now, if it may be kept.
    pub(crate) keep: Option<&'a Record>,
    /// Sessions that are over or have other data, behind whatever keys.
    pub(crate) ids: Vec<SessionId>,
}

impl Write {
    pub(crate) fn begin(table: &Arc<Table>, keys: &[Key], now: Timestamp) -> Self {
        let keys = keys.iter().map(|key| {
            let (had, state) = table.begin_write(key);
            (*key, had, state)
        });
        Self { table: Arc::clone(table), keys: keys.collect(), now, settled: false }
    }

    /// Whether the first key was kept when the write began: then it was read through this cache,
    /// and does not forward.
    pub(crate) fn had(&self) -> bool {
        self.keys.first().is_some_and(|(_, had, _)| *had)
    }

    /// Waits for `answer` and settles by it.
    pub(crate) fn until<T: Send + 'static>(
        self,
        answer: Answer<T>,
        outcome: impl for<'a> FnOnce(&Self, &'a T) -> Outcome<'a> + Send + 'static,
    ) -> Answer<T> {
        match answer.now() {
            Ok(result) => {
                self.settle(&result, outcome);
                Answer::ready(result)
            }
            Err(later) => Answer::later(async move {
                let result = later.await;
                self.settle(&result, outcome);
                result
            }),
        }
    }

    fn settle<T>(
        mut self,
        result: &Result<T, StoreError>,
        outcome: impl for<'a> FnOnce(&Self, &'a T) -> Outcome<'a>,
    ) {
        let outcome = match result {
            Ok(done) => outcome(&self, done),
            Err(error) if is_certain(error) => Outcome::default(),
            Err(_) => return,
        };
        self.settled = true;
        let Outcome { keep, ids } = outcome;
        let mut keep = keep;
        for (key, _, state) in &self.keys {
            self.table.end_write(key, *state, keep.take(), self.now);
        }
        self.table.forget_ids(ids);
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        if !self.settled {
            self.keys.iter().for_each(|(key, ..)| self.table.lose_write(key, self.now));
        }
    }
}

/// A write whose keys nobody knows beforehand.
pub(crate) struct WideWrite {
    table: Arc<Table>,
    now: Timestamp,
    settled: bool,
}

impl WideWrite {
    pub(crate) fn begin(table: &Arc<Table>, now: Timestamp) -> Self {
        table.begin_wide();
        Self { table: Arc::clone(table), now, settled: false }
    }

    /// Waits for `answer`, and forgets what it changed.
    pub(crate) fn until<T: Send + 'static>(
        self,
        answer: Answer<T>,
        forget: impl FnOnce(&Table, &T) + Send + 'static,
    ) -> Answer<T> {
        match answer.now() {
            Ok(result) => {
                self.settle(&result, forget);
                Answer::ready(result)
            }
            Err(later) => Answer::later(async move {
                let result = later.await;
                self.settle(&result, forget);
                result
            }),
        }
    }

    fn settle<T>(mut self, result: &Result<T, StoreError>, forget: impl FnOnce(&Table, &T)) {
        match result {
            Ok(done) => forget(&self.table, done),
            Err(error) if is_certain(error) => {}
            Err(_) => return,
        }
        self.settled = true;
        self.table.end_wide();
    }
}

impl Drop for WideWrite {
    fn drop(&mut self) {
        if !self.settled {
            self.table.lose_wide(self.now);
        }
    }
}

/// A sweep. What it frees is over for every clock from then on, also for one that is behind, whatever
/// becomes of its answer.
pub(crate) struct Sweep {
    table: Arc<Table>,
    now: Timestamp,
}

impl Sweep {
    pub(crate) fn of(table: &Arc<Table>, now: Timestamp) -> Self {
        Self { table: Arc::clone(table), now }
    }

    /// Waits for `answer`, and forgets what is over.
    pub(crate) fn until<T: Send + 'static>(self, answer: Answer<T>) -> Answer<T> {
        match answer.now() {
            Ok(result) => Answer::ready(result),
            Err(later) => Answer::later(async move {
                let result = later.await;
                drop(self);
                result
            }),
        }
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        self.table.forget_over(self.now);
    }
}

/// Whether the error says that nothing happened, and nothing will.
fn is_certain(error: &StoreError) -> bool {
    error.kind() == StoreErrorKind::Refused
}
