//! What is remembered of ended sessions.

use cloakroom_store::{Ended, Key, Timestamp};

use crate::bounds::{SHARDS, TOMBSTONES_MAX};
use crate::shard::{HasKey, Keyed};

/// The endings that one shard remembers.
#[derive(Debug, Default)]
pub(crate) struct Tombs(Keyed<Tombstone>);

#[derive(Debug)]
struct Tombstone {
    key: Key,
    ended: Ended,
}

const _: () = assert!(size_of::<Tombstone>() <= 64, "a tombstone is at most 64 bytes");

/// Keys are spread evenly, so each shard holds its share.
const TOMBS_MAX: usize = TOMBSTONES_MAX / SHARDS;

impl HasKey for Tombstone {
    fn key(&self) -> &Key {
        &self.key
    }
}

impl Tombs {
    /// The ending of this key, while it is told.
    pub(crate) fn get(&self, key: &Key, now: Timestamp) -> Option<Ended> {
        self.0.get(key).map(|tomb| tomb.ended).filter(|ended| ended.is_kept(now))
    }

    /// Remembers an ending; the first of a key stays.
    pub(crate) fn insert(&mut self, key: Key, ended: Ended) {
        if self.0.get(&key).is_some() {
            return;
        }
        if self.0.len() >= TOMBS_MAX {
            self.drop_oldest();
        }
        self.0.insert(Tombstone { key, ended });
    }

    pub(crate) fn remove(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// Forgets at most `limit` endings that are told no longer, and says how many.
    pub(crate) fn forget(&mut self, now: Timestamp, limit: usize) -> usize {
        let mut forgotten = 0;
        self.0.retain(|tomb| {
            let keep = forgotten == limit || tomb.ended.is_kept(now);
            forgotten += usize::from(!keep);
            keep
        });
        self.0.shrink();
        forgotten
    }

    /// Whether an ending is there that is told no longer.
    pub(crate) fn any_forgotten(&self, now: Timestamp) -> bool {
        self.0.iter().any(|tomb| !tomb.ended.is_kept(now))
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// A shard holds few enough to look at them all.
    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.0.iter().min_by_key(|tomb| tomb.ended.at) {
            let key = oldest.key;
            self.0.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use cloakroom_store::Reason;

    use super::*;

    fn at(seconds: usize) -> Timestamp {
        Timestamp::from_millis(1_000 * u64::try_from(seconds).unwrap())
    }

    fn key(number: usize) -> Key {
        let mut bytes = [0; 32];
        bytes[2..10].copy_from_slice(&number.to_le_bytes());
        Key::from_bytes(bytes)
    }

    #[test]
    fn the_oldest_endings_are_dropped_first_beyond_the_bound() {
        let mut tombs = Tombs::default();
        for number in 0..3 * TOMBS_MAX {
            tombs.insert(key(number), Ended::timeout(Reason::Idle, at(number)));
        }

        let told = |number| tombs.get(&key(number), at(number)).is_some();

        assert_eq!(tombs.len(), TOMBS_MAX);
        assert!((0..2 * TOMBS_MAX).all(|number| !told(number)));
        assert!((2 * TOMBS_MAX..3 * TOMBS_MAX).all(told));
    }
}
