//! The shards and the index, and the one order in which their locks are taken.
//!
//! 1. A verb that only reads or changes the data of a session takes the lock of its shard.
//! 2. A verb that changes who is behind a key takes the index first, then all the shards it will
//!    touch, in ascending order ([`House::hold`]), and changes all of them before it lets go.
//! 3. Nobody who holds a shard asks for the index, and nobody asks for a lower shard.
//!
//! So nothing waits in a circle, and a load, which takes the shards of all its keys at once and in
//! ascending order, sees a rotation done or not begun.
//!
//! Bytes are booked before they are taken ([`House::try_grow`]), and a verb gives what it freed back
//! once it is done ([`Held`]): no other verb takes in between what this one still needs.

use cloakroom_store::{Ended, Identity, Key, Record, SessionId, Timestamp};

use crate::bounds::{Bounds, FORWARD_BYTES, SHARDS, cost};
use crate::index::Index;
use crate::shard::{Found, Shard, Slot, Status};
use crate::sync::{
    AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError, RwLock, RwLockReadGuard,
    RwLockWriteGuard,
};

/// All that the store holds.
#[derive(Debug)]
pub(crate) struct House {
    shards: Box<[RwLock<Shard>]>,
    index: Mutex<Index>,
    /// About how many bytes the sessions take.
    bytes: AtomicUsize,
    pub(crate) bounds: Bounds,
}

/// Who is behind a key, as far as the verbs that change it care.
pub(crate) enum Located {
    Live(Record),
    Dormant(Record, Option<Ended>),
    /// A key from before a renewal of a live session.
    Forwarded {
        target: Key,
        record: Record,
        identity: Identity,
    },
    Gone(Option<Ended>),
}

impl House {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self { shards, index: Mutex::new(Index::new()), bytes: AtomicUsize::new(0), bounds }
    }

    /// A lock that a panic poisoned is used on: no change leaves a shard half-done.
    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read(&self, place: usize) -> RwLockReadGuard<'_, Shard> {
        self.shard(place).read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self, place: usize) -> RwLockWriteGuard<'_, Shard> {
        self.shard(place).write().unwrap_or_else(PoisonError::into_inner)
    }

    #[allow(clippy::indexing_slicing, reason = "there are SHARDS shards and the place is below it")]
    fn shard(&self, place: usize) -> &RwLock<Shard> {
        &self.shards[place % SHARDS]
    }

    /// Locks the shards of all these keys, in ascending order. Whoever has the index may.
    pub(crate) fn hold(&self, _: &Index, keys: impl IntoIterator<Item = Key>) -> Held<'_> {
        let mut places: Vec<_> = keys.into_iter().map(|key| place(&key)).collect();
        places.sort_unstable();
        places.dedup();
        let shards = places.into_iter().map(|place| (place, self.write(place))).collect();
        Held { house: self, more: 0, less: 0, shards }
    }

    /// Who is behind `key`. While the caller has the index, this stays so but for the clocks.
    pub(crate) fn locate(&self, index: &Index, key: &Key, now: Timestamp) -> Located {
        let (session, identity, forward) = match self.read(place(key)).find(key, now) {
            Found::Session(slot) => return Located::of(&slot.record, now),
            Found::Gone(told) => return Located::Gone(told),
            Found::Forward(forward) => (forward.session, forward.identity.clone(), forward.clone()),
        };
        let found = self.record(index, &session);
        if let Some(ended) = forward.over(found.as_ref().map(|(_, record)| record), now) {
            return Located::Gone(ended.is_kept(now).then_some(ended));
        }
        let Some((target, record)) = found else { return Located::Gone(None) };
        match Status::of(&record, now) {
            Status::Live => Located::Forwarded { target, record, identity },
            Status::Dormant(told) | Status::Over(told) => Located::Gone(told),
        }
    }

    /// The session of this id and its key, live or not.
    pub(crate) fn record(&self, index: &Index, id: &SessionId) -> Option<(Key, Record)> {
        let key = index.key(id)?;
        match self.read(place(&key)).find(&key, Timestamp::MAX) {
            Found::Session(slot) => Some((key, slot.record.clone())),
            Found::Forward(_) | Found::Gone(_) => None,
        }
    }

    /// Whether a session can begin behind `key` with this id.
    pub(crate) fn is_taken(
        &self,
        index: &Index,
        key: &Key,
        id: &SessionId,
        now: Timestamp,
    ) -> bool {
        index.key(id).is_some() || self.is_key_taken(key, now)
    }

    pub(crate) fn is_key_taken(&self, key: &Key, now: Timestamp) -> bool {
        match self.read(place(key)).find(key, now) {
            Found::Session(_) | Found::Forward(_) => true,
            Found::Gone(told) => told.is_some(),
        }
    }

    /// Puts a session behind a key that is not taken.
    pub(crate) fn insert(&self, index: &mut Index, held: &mut Held<'_>, key: Key, record: Record) {
        held.more += cost(&record);
        index.insert(&record, key);
        held.of(&key).insert(Slot { key, record, renewed: false });
    }

    /// Takes a session away for good, with the keys that forward to it.
    pub(crate) fn remove(
        &self,
        index: &mut Index,
        held: &mut Held<'_>,
        key: &Key,
        ended: Ended,
        now: Timestamp,
    ) -> Option<Record> {
        let Slot { record, .. } = held.of(key).take(key)?;
        held.of(key).bury(*key, ended, now);
        index.feed.ended(record.id(), ended);
        let forwards = index.remove(&record);
        held.less += cost(&record) + forwards.len() * FORWARD_BYTES;
        for old in forwards {
            let shard = held.of(&old);
            if let Some(forward) = shard.take_forward(&old) {
                shard.bury(old, forward.ending(ended), now);
            }
        }
        Some(record)
    }

    /// About how many bytes the sessions take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts bytes that come and bytes that go, unless more come than there is room for.
    pub(crate) fn try_grow(&self, more: usize, less: usize) -> bool {
        if more <= less {
            self.grow(more, less);
            return true;
        }
        let grown = |bytes: usize| {
            bytes.checked_add(more - less).filter(|bytes| *bytes <= self.bounds.bytes)
        };
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok()
    }

    /// Counts bytes that came and bytes that went.
    pub(crate) fn grow(&self, more: usize, less: usize) {
        if more >= less {
            self.bytes.fetch_add(more - less, Ordering::Relaxed);
        } else {
            self.bytes.fetch_sub(less - more, Ordering::Relaxed);
        }
    }
}

impl Located {
    fn of(record: &Record, now: Timestamp) -> Self {
        match Status::of(record, now) {
            Status::Live => Self::Live(record.clone()),
            Status::Dormant(told) => Self::Dormant(record.clone(), told),
            Status::Over(told) => Self::Gone(told),
        }
    }
}

/// The shards that a verb holds, all of them until it is done, and the bytes that it brings and
/// takes. They are counted when it is done.
pub(crate) struct Held<'a> {
    house: &'a House,
    pub(crate) more: usize,
    /// What is freed, and what was booked beforehand.
    pub(crate) less: usize,
    shards: Vec<(usize, RwLockWriteGuard<'a, Shard>)>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.house.grow(self.more, self.less);
    }
}

impl Held<'_> {
    /// The shard of a key that was given to [`House::hold`].
    #[allow(clippy::indexing_slicing, reason = "the search found the place")]
    pub(crate) fn of(&mut self, key: &Key) -> &mut Shard {
        let place = place(key);
        match self.shards.binary_search_by_key(&place, |(place, _)| *place) {
            Ok(at) => &mut self.shards[at].1,
            Err(_) => unreachable!("a key was used whose shard was not held"),
        }
    }
}

/// The shard of a key: two bytes of its digest that its hash does not use.
pub(crate) fn place(key: &Key) -> usize {
    let bytes = key.as_bytes();
    let [.., a, b] = *bytes;
    usize::from(u16::from_le_bytes([a, b])) % SHARDS
}
