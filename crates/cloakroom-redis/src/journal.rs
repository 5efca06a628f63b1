//! What this process ended and rotated lately, to be said again to a server that may have missed it.
//!
//! Replication is asynchronous: a replica that is promoted may lack the last writes, and a server
//! that crashed may have lost them. Before such a server answers anything, it is told again. What
//! other processes ended they tell themselves; between their word and ours it can come back, and so
//! can what a process ended that died in the failover.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::call::Call;

/// How long a write is told again: longer than a replica lags and a failover takes.
const KEPT: Duration = Duration::from_secs(60);

/// How many writes are kept at most, the newest ones: about ten megabytes.
const ENTRIES_MAX: usize = 10_000;

/// Slots that a server answers for.
pub(crate) type Duty = Vec<RangeInclusive<u16>>;

#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Mutex<VecDeque<Entry>>,
    /// Writes that were told again to another run of a server.
    repeated: AtomicU64,
    /// Writes that would have been told again but were too many to keep.
    dropped: AtomicU64,
}

#[derive(Clone, Debug)]
struct Entry {
    call: Call,
    at: Instant,
    /// The run of the server that acknowledged it last.
    run: Arc<str>,
}

impl Journal {
    /// Keeps what the server of this run acknowledged.
    pub(crate) fn note(&self, call: Call, run: &Arc<str>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while entries.front().is_some_and(|entry| now - entry.at > KEPT) {
            entries.pop_front();
        }
        if entries.len() == ENTRIES_MAX {
            entries.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        entries.push_back(Entry { call, at: now, run: Arc::clone(run) });
    }

    /// What the server of this run has to be told again, oldest first.
    pub(crate) fn missing(&self, run: &str, duty: &Duty) -> Vec<Call> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let missing = entries.iter().filter(|entry| {
            *entry.run != *run
                && now - entry.at <= KEPT
                && duty.iter().any(|slots| slots.contains(&entry.call.slot))
        });
        missing.map(|entry| entry.call.clone()).collect()
    }

    /// It was told.
    pub(crate) fn told(&self, run: &Arc<str>, duty: &Duty, count: usize) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries.iter_mut() {
            if duty.iter().any(|slots| slots.contains(&entry.call.slot)) {
                entry.run = Arc::clone(run);
            }
        }
        self.repeated.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn repeated(&self) -> u64 {
        self.repeated.load(Ordering::Relaxed)
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
