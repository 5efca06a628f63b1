//! Finding sessions. Most loads take the lock of their shards for reading and nothing else.

use cloakroom_store::{Key, LOOKUP_MAX, Load, Loads, SessionId, StoreError, Timestamp};

use crate::house::{Held, House, Located, place};
use crate::index::Index;
use crate::shard::{Found, Shard, Status};

impl House {
    pub(crate) fn load(&self, keys: &[Key], now: Timestamp) -> Result<Loads, StoreError> {
        if keys.len() > LOOKUP_MAX {
            return Err(StoreError::refused(format!(
                "a load is of at most {LOOKUP_MAX} keys, not of {}",
                keys.len()
            )));
        }
        if let Some(loads) = self.glance(keys, now) {
            return Ok(loads);
        }
        let index = self.index();
        Ok(keys.iter().map(|key| self.load_renewed(&index, key, now)).collect())
    }

    /// What the shards of the keys say by themselves: nothing if a renewal is involved.
    fn glance(&self, keys: &[Key], now: Timestamp) -> Option<Loads> {
        if let [key] = keys {
            return seen(&self.read(place(key)), key, now).map(|load| [load].into_iter().collect());
        }
        let mut places: Vec<_> = keys.iter().map(place).collect();
        places.sort_unstable();
        places.dedup();
        let held: Vec<_> = places.iter().map(|place| (*place, self.read(*place))).collect();
        let shard = |key| held.iter().find(|(at, _)| *at == place(key)).map(|(_, shard)| shard);
        keys.iter().map(|key| seen(shard(key)?, key, now)).collect()
    }

    /// The same for a key of a session that was renewed.
    fn load_renewed(&self, index: &Index, key: &Key, now: Timestamp) -> Load {
        match self.locate(index, key, now) {
            Located::Live(record) => {
                self.start_grace(index, key, record.id(), now);
                Load::Live(record)
            }
            Located::Forwarded { record, identity, .. } => {
                Load::Forwarded(record.seen_as(identity))
            }
            Located::Dormant(record, _) => Load::Dormant(record),
            Located::Gone(ended) => Load::Gone(ended),
        }
    }

    /// The browser has shown the newest ticket: the older ones have their grace left.
    fn start_grace(&self, index: &Index, key: &Key, id: SessionId, now: Timestamp) {
        let forwards = index.forwards(&id);
        let mut held: Held<'_> = self.hold(index, forwards.iter().chain([key]).copied());
        if let Some(slot) = held.of(key).slot_mut(key) {
            slot.renewed = false;
        }
        for old in forwards {
            if let Some(forward) = held.of(old).forward_mut(old)
                && let Some(grace) = forward.grace.take()
            {
                forward.until = forward.until.min(now.plus(grace));
            }
        }
    }
}

fn seen(shard: &Shard, key: &Key, now: Timestamp) -> Option<Load> {
    match shard.find(key, now) {
        Found::Gone(ended) => Some(Load::Gone(ended)),
        Found::Forward(_) => None,
        Found::Session(slot) => match Status::of(&slot.record, now) {
            Status::Live if slot.renewed => None,
            Status::Live => Some(Load::Live(slot.record.clone())),
            Status::Dormant(_) => Some(Load::Dormant(slot.record.clone())),
            Status::Over(ended) => Some(Load::Gone(ended)),
        },
    }
}
