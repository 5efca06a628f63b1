//! Making room: sweeping what has expired, and what happens when the store is full.

use cloakroom_store::{Ended, Key, Record, SessionId, StoreError, Swept, Timestamp};

use crate::bounds::{FORWARD_BYTES, SHARDS, cost};
use crate::house::{Held, House};
use crate::identity::evicted;
use crate::index::Index;
use crate::shard::{Forward, Shard, Status, is_anonymous};

/// How many anonymous sessions are looked at to find one that was seen long ago. With fewer in the
/// store it is the one seen longest ago.
const SAMPLE: usize = 64;

/// How many sessions a sweep takes before it lets the readers of their shard in between.
const GULP: usize = 8;

/// How often room is made for one verb while others fill it again.
const ATTEMPTS: usize = 8;

/// What a verb adds to the store.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    pub(crate) sessions: usize,
    pub(crate) bytes: usize,
}

/// Why an attempt did not come to its end.
pub(crate) enum Short {
    Need(Need),
    Failed(StoreError),
}

impl From<Need> for Short {
    fn from(need: Need) -> Self {
        Self::Need(need)
    }
}

impl From<StoreError> for Short {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// What a sweep of one shard came to.
struct Freed {
    removed: usize,
    more: bool,
    /// Handed out so that the caller drops it when nobody waits.
    records: Vec<Record>,
}

impl House {
    /// Frees at most `limit` entries whose time has come, shard by shard.
    pub(crate) fn sweep(&self, now: Timestamp, limit: u32) -> Swept {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut removed = 0;
        self.index().feed.forget(now);
        for place in 0..SHARDS {
            if !may_have_due(&self.read(place), now) {
                continue;
            }
            let freed = self.sweep_shard(&mut self.index(), place, now, limit - removed);
            removed += freed.removed;
            drop(freed.records);
            if freed.more {
                return Swept { removed: as_u64(removed), more: true };
            }
        }
        Swept { removed: as_u64(removed), more: false }
    }

    fn sweep_shard(&self, index: &mut Index, place: usize, now: Timestamp, limit: usize) -> Freed {
        let due: Vec<SessionId> = {
            let shard = self.read(place);
            let due = shard.slots().filter(|slot| slot.record.sweepable_at() <= now);
            due.map(|slot| slot.record.id()).take(limit).collect()
        };
        let mut records = Vec::new();
        for ids in due.chunks(GULP) {
            records.extend(self.take_away(index, ids, now, |record| {
                (record.sweepable_at() <= now).then(|| record.ended(now)).flatten()
            }));
        }
        let mut removed = records.len();
        let expired: Vec<Forward> = {
            let shard = self.read(place);
            let expired = shard.forwards().filter(|forward| forward.until <= now);
            expired.take(limit - removed).cloned().collect()
        };
        let endings: Vec<(Key, Option<Ended>)> = expired
            .iter()
            .map(|forward| {
                let record = self.record(index, &forward.session).map(|(_, record)| record);
                (forward.key, forward.over(record.as_ref(), now))
            })
            .collect();
        let mut shard = self.write(place);
        for (key, ended) in &endings {
            self.forget_forward(index, &mut shard, key, *ended, now);
        }
        removed += expired.len();
        removed += shard.tombs_mut().forget(now, limit - removed);
        shard.settle();
        Freed { removed, more: has_due(&shard, now), records }
    }

    /// The index is held, so what was found out about the forward still holds.
    fn forget_forward(
        &self,
        index: &mut Index,
        shard: &mut Shard,
        key: &Key,
        ended: Option<Ended>,
        now: Timestamp,
    ) {
        let Some(Forward { session, .. }) = shard.take_forward(key) else { return };
        index.remove_forward(&session, key);
        self.grow(0, FORWARD_BYTES);
        if let Some(ended) = ended {
            shard.bury(*key, ended, now);
        }
    }

    /// Ends those of the sessions for which `judge` says how, all in one step.
    pub(crate) fn take_away(
        &self,
        index: &mut Index,
        ids: &[SessionId],
        now: Timestamp,
        judge: impl Fn(&Record) -> Option<Ended>,
    ) -> Vec<Record> {
        let mut held = self.hold(index, index.keys_of(ids));
        let mut taken = Vec::new();
        for id in ids {
            let Some(key) = index.key(id) else { continue };
            let ended = held.of(&key).slot_mut(&key).and_then(|slot| judge(&slot.record));
            if let Some(ended) = ended {
                taken.extend(self.remove(index, &mut held, &key, ended, now));
            }
        }
        taken
    }

    /// Books room for `gain` once `leaving` have left, if there is as much; else says what is
    /// missing.
    pub(crate) fn book<'a>(
        &self,
        index: &Index,
        held: &mut Held<'_>,
        gain: Need,
        leaving: impl IntoIterator<Item = &'a Record>,
    ) -> Result<(), Need> {
        let need = leaving.into_iter().fold(gain, |need, record| Need {
            sessions: need.sessions.saturating_sub(1),
            bytes: need.bytes.saturating_sub(cost(record)),
        });
        if !self.has_room(index, need) || !self.try_grow(need.bytes, 0) {
            return Err(need);
        }
        held.less += need.bytes;
        Ok(())
    }

    fn has_room(&self, index: &Index, need: Need) -> bool {
        (need.sessions == 0 || index.len() + need.sessions <= self.bounds.sessions)
            && (need.bytes == 0 || self.bytes() + need.bytes <= self.bounds.bytes)
    }

    /// Attempts a change, and makes room for it while it finds too little.
    pub(crate) fn with_room<T>(
        &self,
        index: &mut Index,
        spare: Option<SessionId>,
        now: Timestamp,
        mut attempt: impl FnMut(&mut Index) -> Result<T, Short>,
    ) -> Result<T, StoreError> {
        for _ in 0..ATTEMPTS {
            match attempt(index) {
                Ok(done) => return Ok(done),
                Err(Short::Failed(error)) => return Err(error),
                Err(Short::Need(need)) => self.make_room(index, need, spare, now)?,
            }
        }
        Err(full())
    }

    /// Frees what has expired, then anonymous sessions that were seen long ago, then gives up.
    fn make_room(
        &self,
        index: &mut Index,
        need: Need,
        spare: Option<SessionId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.free_expired(index, now);
        while !self.has_room(index, need) {
            let mut sample = self.sample(index, spare, now);
            if sample.is_empty() {
                return Err(full());
            }
            sample.sort_unstable();
            for (_, id) in sample {
                if self.has_room(index, need) {
                    break;
                }
                self.take_away(index, &[id], now, |record| {
                    is_anonymous(record).then_some(evicted(now))
                });
            }
        }
        Ok(())
    }

    fn free_expired(&self, index: &mut Index, now: Timestamp) {
        if now < index.due {
            return;
        }
        index.due = Timestamp::MAX;
        for place in 0..SHARDS {
            if self.read(place).may_be_due(now) {
                self.sweep_shard(index, place, now, usize::MAX);
            }
            index.due = index.due.min(self.read(place).due());
        }
    }

    /// Some anonymous sessions with the time they were last seen, from the next shards in turn.
    fn sample(
        &self,
        index: &mut Index,
        spare: Option<SessionId>,
        now: Timestamp,
    ) -> Vec<(Timestamp, SessionId)> {
        let mut sample = Vec::new();
        for _ in 0..SHARDS {
            let shard = self.read(index.hand);
            index.hand = (index.hand + 1) % SHARDS;
            if shard.anonymous() == 0 {
                continue;
            }
            let guests = shard.slots().map(|slot| &slot.record).filter(|record| {
                is_anonymous(record)
                    && Some(record.id()) != spare
                    && matches!(Status::of(record, now), Status::Live)
            });
            sample.extend(guests.map(|record| (record.times().seen, record.id())));
            if sample.len() >= SAMPLE {
                break;
            }
        }
        sample
    }
}

/// Whether it is worth a closer look: no for a shard where nothing can be due.
fn may_have_due(shard: &Shard, now: Timestamp) -> bool {
    shard.may_be_due(now) || leftovers_due(shard, now)
}

fn has_due(shard: &Shard, now: Timestamp) -> bool {
    shard.may_be_due(now) && shard.slots().any(|slot| slot.record.sweepable_at() <= now)
        || leftovers_due(shard, now)
}

fn leftovers_due(shard: &Shard, now: Timestamp) -> bool {
    shard.forwards().any(|forward| forward.until <= now) || shard.tombs().any_forgotten(now)
}

fn full() -> StoreError {
    StoreError::unavailable(
        "the memory store is full of sessions that are signed in: raise its bounds or end some",
    )
}

pub(crate) fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
