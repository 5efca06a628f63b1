//! Notices what others change, for those who listen.
//!
//! SQLite calls nobody. It counts for each connection the commits of all others
//! (`PRAGMA data_version`), and every write of this process goes through the one connection of the
//! writer, so that a count that moved there is another's change. Checkpoints move what was committed
//! before and leave the count alone, except one that empties the log, as a process makes that ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom_store::{Change, Listener};
use rusqlite::Connection;

/// How often the writer looks while it has nothing to do: a fiftieth of the second within which an
/// ending has to be known everywhere, for less than a hundredth of one core.
const LOOK: Duration = Duration::from_millis(20);

/// Where new listeners wait for the writer.
#[derive(Default)]
pub(crate) struct Door(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    listeners: Vec<Arc<dyn Listener>>,
    closed: bool,
}

impl Door {
    /// Lets a listener in, unless nothing will be told any more.
    pub(crate) fn enter(&self, listener: Arc<dyn Listener>) {
        let mut waiting = self.lock();
        if !waiting.closed {
            waiting.listeners.push(listener);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer's end. Whoever listens is deaf from the moment it is dropped.
pub(crate) struct Ears {
    door: Arc<Door>,
    listeners: Vec<Arc<dyn Listener>>,
    /// The count at the last look; none while changes may be missed.
    seen: Option<i64>,
}

impl Ears {
    pub(crate) const fn new(door: Arc<Door>) -> Self {
        Self { door, listeners: Vec::new(), seen: None }
    }

    /// How long the writer may wait without a look; for ever if nobody listens.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.are_used().then_some(LOOK)
    }

    /// Whether a look is worth its time.
    pub(crate) fn are_used(&self) -> bool {
        !self.listeners.is_empty() || !self.door.lock().listeners.is_empty()
    }

    /// Tells what others changed on the file of `db`. It must be the connection of the look before,
    /// or [`Ears::miss`] have come between.
    ///
    /// # Errors
    ///
    /// The engine's, if the count cannot be read; then everybody is deaf.
    pub(crate) fn look(&mut self, db: &Connection) -> Result<(), rusqlite::Error> {
        let new = std::mem::take(&mut self.door.lock().listeners);
        // Read before anybody is told that it hears: what comes later is seen by a later look.
        let version = data_version(db);
        match (self.seen, &version) {
            (Some(seen), Ok(version)) if seen == *version => {}
            (Some(_), Ok(_)) => self.tell(Change::Everything),
            (None, Ok(_)) => {
                self.tell(Change::Everything);
                self.tell(Change::Hearing);
            }
            (_, Err(_)) => self.miss(),
        }
        self.listeners.extend(new.into_iter().filter(|listener| {
            // One that is deaf from the beginning hears so at the first look that succeeds.
            version.is_err() || told(listener.as_ref(), Change::Hearing)
        }));
        self.seen = version.as_ref().ok().copied();
        version.map(drop)
    }

    /// From now on changes may be missed.
    pub(crate) fn miss(&mut self) {
        if self.seen.take().is_some() {
            self.tell(Change::Deaf);
        }
    }

    fn tell(&mut self, change: Change) {
        self.listeners.retain(|listener| told(listener.as_ref(), change));
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        let left = {
            let mut waiting = self.door.lock();
            waiting.closed = true;
            std::mem::take(&mut waiting.listeners)
        };
        drop(left);
        self.miss();
    }
}

/// Whether the listener took it. One that panics is told nothing more: it must not end the writer.
fn told(listener: &dyn Listener, change: Change) -> bool {
    let heard = catch_unwind(AssertUnwindSafe(|| listener.hear(change)));
    if heard.is_err() {
        tracing::error!("a listener panicked and is told of no more changes");
    }
    heard.is_ok()
}

/// A number that moves with the commits of other connections.
fn data_version(db: &Connection) -> Result<i64, rusqlite::Error> {
    db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}
