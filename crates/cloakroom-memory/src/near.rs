//! The near cache: live sessions of another store, kept in this process.

mod flight;
mod ids;
mod registry;
pub(crate) mod table;
mod verbs;
mod writing;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{
    Answer, Change, Key, Listener, Load, Loads, Record, Store, StoreError, Timestamp, Told,
};

use crate::near::flight::{Flight, flight};
use crate::near::table::{State, Table};
use crate::near::writing::Write;
use crate::sync::{AtomicU64, Ordering};

/// How long a session is kept near unless told otherwise: five seconds. That is how old an answer
/// can be where nobody tells of a change; where the store does, it is a limit that should never
/// matter.
pub const NEAR_AGE: Duration = Duration::from_secs(5);

/// The longest time that may be asked for: a minute. Whoever is signed out elsewhere must not be
/// served for longer, whatever became of the news.
pub const NEAR_AGE_MAX: Duration = Duration::from_secs(60);

/// Bytes of sessions that are kept near unless told otherwise: 64 MiB, about 90,000 of the usual
/// size, which is what visits a large site within a few minutes.
pub const NEAR_BYTES: u64 = 64 << 20;

/// Keeps live sessions of another store in this process, so that reading one again costs no call.
///
/// - What goes through this cache is seen at once, and whatever changes who is behind a key is
///   forgotten *before* the store is asked to do it.
/// - What other processes change is forgotten when the store tells of it ([`Store::listen`]).
///   While the store cannot tell, nothing is kept or served from here.
/// - An entry is never served beyond its age ([`NearBuilder::max_age`]), and a read that overlaps with
///   a change is never kept.
/// - Parallel reads of one key are one call.
/// - Only live sessions are kept: nothing that is unknown, over, dormant or only forwards.
///
/// So a read may be older than the newest change by the time the news takes; a *change* is never
/// computed from an old record unnoticed, because every write asks the store. Use
/// [`Store::load_fresh`] where a read must not be old either.
///
/// | the store tells | what a read can miss of what others did |
/// |---|---|
/// | all changes (Redis, SQLite) | the last moment, until the news is here |
/// | endings (PostgreSQL) | of endings and rights: the last moment; of data: up to the age |
/// | nothing | anything, up to the age |
///
/// ```
/// use cloakroom_memory::{MemoryStore, NearCache};
/// use cloakroom_store::{Key, Load, Store, Timestamp};
///
/// let store = NearCache::new(MemoryStore::new());
/// let loads = store.load(&[Key::from_bytes([7; 32])], Timestamp::from_millis(0));
/// assert_eq!(loads.now().unwrap().unwrap().iter().next(), Some(&Load::Gone(None)));
/// assert_eq!(store.figures().loads, 1);
/// ```
pub struct NearCache<S> {
    near: Arc<Near<S>>,
}

/// What the cache and its reads under way share.
struct Near<S> {
    store: S,
    table: Arc<Table>,
    ear: Arc<Ear>,
    told: Told,
    hits: AtomicU64,
    loads: AtomicU64,
    shared: AtomicU64,
}

/// What a [`NearCache`] did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearFigures {
    /// Reads that were answered from here.
    pub hits: u64,
    /// Reads that went to the store.
    pub loads: u64,
    /// Reads that waited for one that was under way.
    pub shared: u64,
    /// Changes by others that the store told of.
    pub heard: u64,
    /// About how many bytes are kept.
    pub bytes: u64,
}

/// Says how much a [`NearCache`] keeps, and how long.
#[derive(Clone, Copy, Debug)]
pub struct NearBuilder {
    max_age: Duration,
    max_bytes: u64,
}

impl NearBuilder {
    /// Entries older than `age` are read again; else [`NEAR_AGE`], at most [`NEAR_AGE_MAX`]. With
    /// zero, nothing is served from here.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// About at most `bytes` of sessions are kept; else [`NEAR_BYTES`]. What was not asked for
    /// lately makes room.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The cache in front of `store`, empty.
    ///
    /// # Errors
    ///
    /// Refused if the age is above [`NEAR_AGE_MAX`].
    ///
    /// ```
    /// use cloakroom_memory::{MemoryStore, NearCache};
    /// use std::time::Duration;
    ///
    /// let day = Duration::from_secs(24 * 60 * 60);
    /// assert!(NearCache::builder().max_age(day).build(MemoryStore::new()).is_err());
    /// ```
    pub fn build<S: Store>(self, store: S) -> Result<NearCache<S>, StoreError> {
        if self.max_age > NEAR_AGE_MAX {
            return Err(StoreError::refused(
                "a session is kept near for at most 60 s: whoever is signed out elsewhere must not \
                 be served for longer",
            ));
        }
        Ok(NearCache::with(store, self))
    }
}

impl<S: Store> NearCache<S> {
    /// A cache with the usual limits in front of `store`.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self::with(store, NearCache::builder())
    }

    fn with(store: S, NearBuilder { max_age, max_bytes }: NearBuilder) -> Self {
        // Deaf until the store has said that it tells, or that there is nobody to tell of.
        let table = Arc::new(Table::new(max_age, max_bytes, true));
        let ear = Arc::new(Ear { table: Arc::clone(&table), heard: AtomicU64::new(0) });
        let listener: Arc<dyn Listener> = Arc::<Ear>::clone(&ear);
        let told = store.listen(listener);
        if told == Told::Nothing {
            table.hearken();
        }
        let count = || AtomicU64::new(0);
        let (hits, loads, shared) = (count(), count(), count());
        Self { near: Arc::new(Near { store, table, ear, told, hits, loads, shared }) }
    }

    /// What is behind the cache.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.near.store
    }

    /// Which changes by others the store tells of.
    #[must_use]
    pub fn told(&self) -> Told {
        self.near.told
    }

    /// What the cache did so far.
    #[must_use]
    pub fn figures(&self) -> NearFigures {
        let Near { table, ear, hits, loads, shared, .. } = &*self.near;
        let [hits, loads, shared, heard] =
            [hits, loads, shared, &ear.heard].map(|count| count.load(Ordering::Relaxed));
        NearFigures { hits, loads, shared, heard, bytes: table.bytes() }
    }
}

impl NearCache<()> {
    /// A cache with other limits.
    #[must_use]
    pub const fn builder() -> NearBuilder {
        NearBuilder { max_age: NEAR_AGE, max_bytes: NEAR_BYTES }
    }
}

impl<S> Clone for NearCache<S> {
    fn clone(&self) -> Self {
        Self { near: Arc::clone(&self.near) }
    }
}

impl<S: fmt::Debug> fmt::Debug for NearCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Near { store, table, .. } = &*self.near;
        f.debug_struct("NearCache").field("store", store).field("table", table).finish()
    }
}

/// Hears what others change.
#[derive(Debug)]
struct Ear {
    table: Arc<Table>,
    heard: AtomicU64,
}

impl Listener for Ear {
    fn hear(&self, change: Change) {
        match change {
            Change::Key(key) => self.table.forget(&key),
            Change::Everything => self.table.forget_all(),
            Change::Deaf => return self.table.deafen(),
            Change::Hearing => return self.table.hearken(),
        }
        self.heard.fetch_add(1, Ordering::Relaxed);
    }
}

impl<S: Store> Near<S> {
    /// Reads one key of the store, or joins who reads it already.
    fn read(self: Arc<Self>, key: Key, now: Timestamp) -> Answer<Loads> {
        if let Some(flight) = self.table.join(&key, now) {
            self.shared.fetch_add(1, Ordering::Relaxed);
            return Answer::later(self.join(flight, key, now));
        }
        let began = self.table.begin_read(&key);
        match self.ask(&key, now).now() {
            Ok(result) => {
                self.landed(&key, &result, now, began);
                Answer::ready(result)
            }
            Err(later) => {
                let near = Arc::clone(&self);
                let read = flight(async move {
                    let result = later.await;
                    near.landed(&key, &result, now, began);
                    result
                });
                self.table.share(key, began, &read);
                Answer::later(read)
            }
        }
    }

    fn ask(&self, key: &Key, now: Timestamp) -> Answer<Loads> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.store.load(&[*key], now)
    }

    /// What a read that began earlier brings, if it holds at `now` too.
    async fn join(
        self: Arc<Self>,
        flight: Flight,
        key: Key,
        now: Timestamp,
    ) -> Result<Loads, StoreError> {
        let result = flight.await;
        match &result {
            Ok(loads) if live(loads).is_none_or(|record| record.ended(now).is_some()) => {
                self.ask(&key, now).await
            }
            Ok(_) | Err(_) => result,
        }
    }

    fn landed(&self, key: &Key, result: &Result<Loads, StoreError>, now: Timestamp, began: State) {
        self.table.unshare(key, began);
        if let Ok(loads) = result
            && let Some(record) = live(loads)
        {
            self.table.fill(key, record, now, began);
        }
    }

    fn write(&self, keys: &[Key], now: Timestamp) -> Write {
        Write::begin(&self.table, keys, now)
    }
}

/// The one live session that was loaded.
fn live(loads: &Loads) -> Option<&Record> {
    match loads.iter().next() {
        Some(Load::Live(record)) => Some(record),
        Some(Load::Forwarded(_) | Load::Dormant(_) | Load::Gone(_)) | None => None,
    }
}
