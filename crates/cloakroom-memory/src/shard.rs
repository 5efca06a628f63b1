//! One part of the table: all that is known of the keys that fall into it, behind one lock.

use std::time::Duration;

use cloakroom_store::{Ended, Identity, Key, Reason, Record, SessionId, Timestamp};
use hashbrown::HashTable;

use crate::tombs::Tombs;

/// What stands behind one key in a shard.
pub(crate) enum Found<'a> {
    Session(&'a Slot),
    Forward(&'a Forward),
    Gone(Option<Ended>),
}

/// Where a session is on its clocks; with the timeout, as far as it is still told.
pub(crate) enum Status {
    Live,
    Dormant(Option<Ended>),
    Over(Option<Ended>),
}

impl Status {
    pub(crate) fn of(record: &Record, now: Timestamp) -> Self {
        let Some(ended) = record.ended(now) else { return Self::Live };
        let told = ended.is_kept(now).then_some(ended);
        if record.is_dormant(now) { Self::Dormant(told) } else { Self::Over(told) }
    }
}

/// A session, live or dormant or not yet swept.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) key: Key,
    pub(crate) record: Record,
    /// Whether the next load has to start the grace of a forwarder.
    pub(crate) renewed: bool,
}

/// The key of a session before a renewal.
#[derive(Clone, Debug)]
pub(crate) struct Forward {
    pub(crate) key: Key,
    pub(crate) session: SessionId,
    /// Whose session it was before the renewal.
    pub(crate) identity: Identity,
    pub(crate) until: Timestamp,
    /// The grace that the first load through the newest key starts.
    pub(crate) grace: Option<Duration>,
}

impl Forward {
    /// How the forwarding ended, if it has at `now`.
    pub(crate) fn expired(&self, now: Timestamp) -> Option<Ended> {
        (self.until <= now).then(|| Ended::timeout(Reason::Replaced, self.until))
    }

    /// How this key ended, if it has at `now`: by its own time or by that of its session, whichever
    /// came first.
    pub(crate) fn over(&self, record: Option<&Record>, now: Timestamp) -> Option<Ended> {
        match record.and_then(|record| record.ended(now)) {
            Some(ended) => Some(self.ending(ended)),
            None => self.expired(now),
        }
    }

    /// The ending of this key when its session ended like `ended`: whichever came first.
    pub(crate) fn ending(&self, ended: Ended) -> Ended {
        self.expired(ended.at).unwrap_or(ended)
    }
}

/// One part of the table.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    sessions: Keyed<Slot>,
    forwards: Keyed<Forward>,
    tombs: Tombs,
    /// How many of the sessions have no user.
    anonymous: usize,
    /// No session here can be swept before this instant. A lower bound: activity moves deadlines.
    due: Timestamp,
}

impl Shard {
    pub(crate) fn find(&self, key: &Key, now: Timestamp) -> Found<'_> {
        if let Some(slot) = self.sessions.get(key) {
            return Found::Session(slot);
        }
        match self.forwards.get(key) {
            Some(forward) => Found::Forward(forward),
            None => Found::Gone(self.tombs.get(key, now)),
        }
    }

    pub(crate) fn slot_mut(&mut self, key: &Key) -> Option<&mut Slot> {
        self.sessions.get_mut(key)
    }

    pub(crate) fn forward_mut(&mut self, key: &Key) -> Option<&mut Forward> {
        self.forwards.get_mut(key)
    }

    /// Puts a session behind a key that nothing living is behind.
    pub(crate) fn insert(&mut self, slot: Slot) {
        self.tombs.remove(&slot.key);
        let due = slot.record.sweepable_at();
        self.due = if self.sessions.is_empty() { due } else { self.due.min(due) };
        self.anonymous += usize::from(is_anonymous(&slot.record));
        self.sessions.insert(slot);
    }

    pub(crate) fn take(&mut self, key: &Key) -> Option<Slot> {
        let slot = self.sessions.remove(key)?;
        self.anonymous -= usize::from(is_anonymous(&slot.record));
        Some(slot)
    }

    pub(crate) fn forward(&mut self, forward: Forward) {
        self.forwards.insert(forward);
    }

    pub(crate) fn take_forward(&mut self, key: &Key) -> Option<Forward> {
        self.forwards.remove(key)
    }

    /// Remembers how the session behind `key` ended, if that is still to be told.
    pub(crate) fn bury(&mut self, key: Key, ended: Ended, now: Timestamp) {
        if ended.is_kept(now) {
            self.tombs.insert(key, ended);
        }
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.sessions.iter()
    }

    pub(crate) fn forwards(&self) -> impl Iterator<Item = &Forward> {
        self.forwards.iter()
    }

    pub(crate) fn tombs_mut(&mut self) -> &mut Tombs {
        &mut self.tombs
    }

    pub(crate) const fn tombs(&self) -> &Tombs {
        &self.tombs
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(crate) const fn anonymous(&self) -> usize {
        self.anonymous
    }

    /// Whether a session here may be swept at `now`.
    pub(crate) fn may_be_due(&self, now: Timestamp) -> bool {
        !self.sessions.is_empty() && self.due <= now
    }

    /// No session here can be swept before this instant.
    pub(crate) fn due(&self) -> Timestamp {
        if self.sessions.is_empty() { Timestamp::MAX } else { self.due }
    }

    /// Looks again when the next session can be swept, and gives room back after many have gone.
    pub(crate) fn settle(&mut self) {
        let due = self.sessions.iter().map(|slot| slot.record.sweepable_at()).min();
        self.due = due.unwrap_or(Timestamp::MAX);
        self.sessions.shrink();
        self.forwards.shrink();
    }
}

pub(crate) fn is_anonymous(record: &Record) -> bool {
    record.identity().user.is_none()
}

/// What has a key of its own.
pub(crate) trait HasKey {
    fn key(&self) -> &Key;
}

impl HasKey for Slot {
    fn key(&self) -> &Key {
        &self.key
    }
}

impl HasKey for Forward {
    fn key(&self) -> &Key {
        &self.key
    }
}

/// A table of things that hold their key, hashed by eight of its bytes.
#[derive(Debug)]
pub(crate) struct Keyed<T>(HashTable<T>);

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self(HashTable::new())
    }
}

impl<T: HasKey> Keyed<T> {
    pub(crate) fn get(&self, key: &Key) -> Option<&T> {
        self.0.find(hash(key), |entry| entry.key() == key)
    }

    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut T> {
        self.0.find_mut(hash(key), |entry| entry.key() == key)
    }

    /// Adds an entry whose key is not there.
    pub(crate) fn insert(&mut self, entry: T) {
        self.0.insert_unique(hash(entry.key()), entry, |entry| hash(entry.key()));
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<T> {
        let entry = self.0.find_entry(hash(key), |entry| entry.key() == key).ok()?;
        Some(entry.remove().0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&mut T) -> bool) {
        self.0.retain(keep);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives room back once seven eighths of it are empty.
    pub(crate) fn shrink(&mut self) {
        if self.0.capacity() > 8 * self.0.len().max(8) {
            self.0.shrink_to(2 * self.0.len(), |entry| hash(entry.key()));
        }
    }
}

/// The eight bytes after the route. They come from a digest of what the server minted: nobody
/// outside chooses where a key falls.
fn hash(key: &Key) -> u64 {
    let [_, _, a, b, c, d, e, f, g, h, ..] = *key.as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
