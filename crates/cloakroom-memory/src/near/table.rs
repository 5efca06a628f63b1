//! What the near cache holds, and what must not get into it.
//!
//! A read of the store takes a while. If the session changes in between, what the read brings is
//! old when it arrives, and would stay. So whoever reads notes the *state* of the key first
//! ([`Table::begin_read`]), and the result is kept only if that state is still the same
//! ([`Table::fill`]): a change moves the generation of the key's stripe, or of the whole table, and
//! a write of our own that is under way keeps the stripe shut until its answer is here.

use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_store::{Key, Record, SessionId, Timestamp, UserId};
use quick_cache::{Lifecycle, OptionsBuilder, Weighter, sync::Cache};

use crate::bounds::cost;
use crate::near::flight::{Flight, Flights};
use crate::near::ids::Ids;
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering, PoisonError};

/// Parts of the table that are marked on their own. A change of one key costs the reads under way
/// of a 64th of the others their place in the cache, and nothing else.
const STRIPES: usize = 64;

/// The sessions kept near, and the marks that keep old ones out.
pub(crate) struct Table {
    entries: Cache<Key, Entry, Cost, RandomState, Forgetting>,
    ids: Arc<Ids>,
    stripes: Box<[Mutex<Stripe>]>,
    /// Moves when any key at all may have changed.
    epoch: AtomicU64,
    /// Writes of our own under way that may concern any key.
    wide: AtomicU32,
    /// Nothing is kept or served before this instant: a wide write may still land.
    barred: AtomicU64,
    /// Whether changes may be missed: then nothing is kept or served.
    deaf: AtomicBool,
    max_age: Duration,
}

#[derive(Clone)]
struct Entry {
    record: Record,
    filled: Timestamp,
}

#[derive(Default)]
struct Stripe {
    generation: u64,
    /// Writes of our own under way.
    writing: u32,
    /// Nothing is kept before this instant: a write may still land.
    barred: Timestamp,
    flights: Flights,
}

/// What was known of a key when a read of it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    generation: u64,
    epoch: u64,
}

impl Table {
    pub(crate) fn new(max_age: Duration, max_bytes: u64, deaf: bool) -> Self {
        let ids = Arc::<Ids>::default();
        let options = OptionsBuilder::new()
            .estimated_items_capacity(usize::try_from(max_bytes / USUAL).unwrap_or(usize::MAX))
            .weight_capacity(max_bytes)
            .build();
        let entries = match options {
            Ok(options) => {
                Cache::with_options(options, Cost, RandomState::new(), Forgetting(Arc::clone(&ids)))
            }
            // Both numbers were given, and nothing else is asked for.
            Err(_) => Cache::with(0, 0, Cost, RandomState::new(), Forgetting(Arc::clone(&ids))),
        };
        Self {
            entries,
            ids,
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            epoch: AtomicU64::new(0),
            wide: AtomicU32::new(0),
            barred: AtomicU64::new(0),
            deaf: AtomicBool::new(deaf),
            max_age,
        }
    }

    /// The live session behind `key`, if it is kept and may be served at `now`.
    pub(crate) fn get(&self, key: &Key, now: Timestamp) -> Option<Record> {
        if self.is_shut(now) {
            return None;
        }
        let Entry { record, filled } = self.entries.get(key)?;
        // The clocks of two requests need not be in order, so that an entry may be of the future.
        let age = now.as_millis().abs_diff(filled.as_millis());
        let fresh = u128::from(age) < self.max_age.as_millis();
        (fresh && record.ended(now).is_none()).then_some(record)
    }

    fn is_shut(&self, now: Timestamp) -> bool {
        self.deaf.load(Ordering::Acquire) || now.as_millis() < self.barred.load(Ordering::Acquire)
    }

    /// The state of a key, to be taken before it is read.
    pub(crate) fn begin_read(&self, key: &Key) -> State {
        self.state(&self.stripe(key))
    }

    /// Keeps what a read brought, unless something may have changed since it began.
    pub(crate) fn fill(&self, key: &Key, record: &Record, now: Timestamp, began: State) -> bool {
        let stripe = self.stripe(key);
        let kept = stripe.writing == 0 && self.may_keep(&stripe, began, now);
        if kept {
            self.keep(key, record, now);
        }
        kept
    }

    /// A read of `key` under way that brings what a read that begins now would bring. While changes
    /// may be missed there is none: what was under way may be older than an ending nobody told of.
    pub(crate) fn join(&self, key: &Key, now: Timestamp) -> Option<Flight> {
        let stripe = self.stripe(key);
        let state = self.state(&stripe);
        let open = stripe.barred <= now && !self.is_shut(now);
        open.then(|| stripe.flights.join(key, state)).flatten()
    }

    /// Others may join this read, which began in that state.
    pub(crate) fn share(&self, key: Key, began: State, flight: &Flight) {
        self.stripe(&key).flights.begin(key, began, flight);
    }

    /// Nobody need join it any more.
    pub(crate) fn unshare(&self, key: &Key, began: State) {
        self.stripe(key).flights.end(key, began);
    }

    fn state(&self, stripe: &Stripe) -> State {
        State { generation: stripe.generation, epoch: self.epoch.load(Ordering::Acquire) }
    }

    /// Somebody may have changed what is behind `key`.
    pub(crate) fn forget(&self, key: &Key) {
        let mut stripe = self.stripe(key);
        stripe.generation += 1;
        self.drop_entry(key);
    }

    /// The same for all keys.
    pub(crate) fn forget_all(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        // With all stripes in hand nobody is about to keep anything.
        let _all: Vec<_> = self.stripes.iter().map(lock).collect();
        self.entries.clear();
        self.ids.clear();
    }

    /// Sessions that are over or have other data, behind whatever keys.
    pub(crate) fn forget_ids(&self, ids: impl IntoIterator<Item = SessionId>) {
        let mut ids = ids.into_iter().peekable();
        if ids.peek().is_none() {
            return;
        }
        // Reads under way may bring them under keys that nobody has heard of.
        self.move_epoch();
        for id in ids {
            if let Some(key) = self.ids.get(&id) {
                self.forget(&key);
            }
        }
    }

    /// All sessions of a user.
    pub(crate) fn forget_user(&self, user: &UserId) {
        self.move_epoch();
        let theirs = |entry: &Entry| entry.record.identity().user.as_ref() == Some(user);
        let keys = self.entries.iter().filter(|(_, entry)| theirs(entry));
        let keys: Vec<_> = keys.map(|(key, _)| key).collect();
        keys.iter().for_each(|key| self.forget(key));
    }

    /// All sessions that are over at `now`.
    pub(crate) fn forget_over(&self, now: Timestamp) {
        self.move_epoch();
        let over = self.entries.iter().filter(|(_, entry)| entry.record.ended(now).is_some());
        let keys: Vec<_> = over.map(|(key, _)| key).collect();
        keys.iter().for_each(|key| self.forget(key));
    }

    /// What was read before is not kept any more. Who was about to keep it when the epoch moved had a
    /// stripe in hand, and has kept it when this returns, so that it is found and forgotten.
    fn move_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        for stripe in &self.stripes {
            drop(lock(stripe));
        }
    }

    /// From now on changes may be missed.
    pub(crate) fn deafen(&self) {
        self.deaf.store(true, Ordering::Release);
        self.forget_all();
    }

    /// From now on none is missed.
    pub(crate) fn hearken(&self) {
        self.forget_all();
        self.deaf.store(false, Ordering::Release);
    }

    /// About how many bytes are kept.
    pub(crate) fn bytes(&self) -> u64 {
        self.entries.weight()
    }

    /// A write of ours to `key` begins: until it ends, nothing is kept of it. Says whether
    /// something was.
    pub(crate) fn begin_write(&self, key: &Key) -> (bool, State) {
        let mut stripe = self.stripe(key);
        stripe.generation += 1;
        stripe.writing += 1;
        let had = self.drop_entry(key);
        (had, self.state(&stripe))
    }

    /// A write of ours to `key` is over and was answered; `result` is what is there now, if that is
    /// known and may be kept.
    pub(crate) fn end_write(
        &self,
        key: &Key,
        began: State,
        result: Option<&Record>,
        now: Timestamp,
    ) {
        let mut stripe = self.stripe(key);
        if let Some(record) = result
            && stripe.writing == 1
            && self.may_keep(&stripe, began, now)
        {
            self.keep(key, record, now);
        }
        stripe.writing -= 1;
        stripe.generation += 1;
    }

    /// Nobody knows whether a write of ours to `key` happened, or will.
    pub(crate) fn lose_write(&self, key: &Key, now: Timestamp) {
        let mut stripe = self.stripe(key);
        stripe.writing -= 1;
        stripe.generation += 1;
        stripe.barred = stripe.barred.max(now.plus(self.max_age));
    }

    /// A write of ours begins that may concern any key.
    pub(crate) fn begin_wide(&self) {
        self.wide.fetch_add(1, Ordering::AcqRel);
    }

    /// It is over and was answered, and what it changed was forgotten.
    pub(crate) fn end_wide(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.wide.fetch_sub(1, Ordering::AcqRel);
    }

    /// Nobody knows whether it happened, or will.
    pub(crate) fn lose_wide(&self, now: Timestamp) {
        let until = now.plus(self.max_age).as_millis();
        self.barred.fetch_max(until, Ordering::AcqRel);
        self.forget_all();
        self.end_wide();
    }

    fn may_keep(&self, stripe: &Stripe, began: State, now: Timestamp) -> bool {
        stripe.generation == began.generation
            && self.epoch.load(Ordering::Acquire) == began.epoch
            && self.wide.load(Ordering::Acquire) == 0
            && stripe.barred <= now
            && !self.is_shut(now)
    }

    /// The stripe of the key is held.
    fn keep(&self, key: &Key, record: &Record, now: Timestamp) {
        // What is replaced would count as evicted, and take the id along.
        self.drop_entry(key);
        let entry = Entry { record: record.clone(), filled: now };
        self.ids.put(record.id(), *key);
        self.entries.insert(*key, entry);
    }

    /// The stripe of the key is held.
    fn drop_entry(&self, key: &Key) -> bool {
        let dropped = self.entries.remove(key);
        if let Some((key, entry)) = &dropped {
            self.ids.remove(&entry.record.id(), key);
        }
        dropped.is_some()
    }

    #[allow(clippy::indexing_slicing, reason = "there are STRIPES stripes, and the place is below")]
    fn stripe(&self, key: &Key) -> MutexGuard<'_, Stripe> {
        // The last byte of a digest.
        let [.., last] = *key.as_bytes();
        lock(&self.stripes[usize::from(last) % STRIPES])
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

/// A lock that a panic poisoned is used on: no change leaves a stripe half-done.
fn lock(stripe: &Mutex<Stripe>) -> MutexGuard<'_, Stripe> {
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a session with 300 bytes of data takes.
const USUAL: u64 = 700;

/// Counts bytes as the store does.
#[derive(Clone)]
struct Cost;

impl Weighter<Key, Entry> for Cost {
    fn weight(&self, _: &Key, entry: &Entry) -> u64 {
        u64::try_from(cost(&entry.record)).unwrap_or(u64::MAX)
    }
}

/// Forgets the id of a session that made room for another.
#[derive(Clone)]
struct Forgetting(Arc<Ids>);

impl Lifecycle<Key, Entry> for Forgetting {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), key: Key, entry: Entry) {
        self.0.remove(&entry.record.id(), &key);
    }
}
