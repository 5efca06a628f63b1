//! Beginning and ending sessions.

use cloakroom_store::{
    By, Create, Draft, End, Ended, Ending, Fields, Keep, Key, Limit, LimitPolicy, Reason, Record,
    Resume, SessionId, StoreError, Target, Timestamp, UserId,
};

use crate::bounds::cost;
use crate::house::{Held, House, Located};
use crate::index::Index;
use crate::room::Need;
use crate::shard::Status;

/// The ending of a session that made room for a newer one.
pub(crate) const fn evicted(now: Timestamp) -> Ended {
    Ended { reason: Reason::Evicted, by: By::SYSTEM, at: now }
}

impl House {
    pub(crate) fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Result<Create, StoreError> {
        let record = Record::new(draft, &Fields::default())?;
        // Declared before the locks, so that what was replaced is freed after them.
        let mut freed = Vec::new();
        let mut index = self.index();
        if self.is_taken(&index, key, &record.id(), now) {
            return Ok(Create::KeyTaken);
        }
        self.with_room(&mut index, None, now, |index| {
            let user = record.identity().user.as_ref();
            let mut keys = index.keys_of(index.of_user(user));
            keys.push(*key);
            let mut held = self.hold(index, keys);
            let leaving = match admit(index, &mut held, user, None, limit, now) {
                Ok(leaving) => leaving,
                Err(existing) => return Ok(Create::LimitReached(existing)),
            };
            let gain = Need { sessions: 1, bytes: cost(&record) };
            self.book(index, &mut held, gain, &leaving)?;
            let evicted = self.evict(index, &mut held, &leaving, now);
            freed = leaving;
            self.insert(index, &mut held, *key, record.clone());
            Ok(Create::Done { record: record.clone(), evicted })
        })
    }

    pub(crate) fn resume(
        &self,
        key: &Key,
        draft: &Draft,
        keep: &Keep,
        now: Timestamp,
    ) -> Result<Resume, StoreError> {
        let mut index = self.index();
        let dormant = match self.locate(&index, key, now) {
            Located::Dormant(record, _) => record,
            Located::Live(record) => return Ok(Resume::Live(record)),
            Located::Forwarded { record, identity, .. } => {
                return Ok(Resume::Live(record.seen_as(identity)));
            }
            Located::Gone(ended) => return Ok(Resume::Gone(ended)),
        };
        if draft.identity.user != dormant.identity().user {
            return Err(StoreError::refused("a resumed session is of the same user"));
        }
        if index.key(&draft.id).is_some() {
            return Err(StoreError::refused("the id of the resumed session is in use"));
        }
        let id = dormant.id();
        self.with_room(&mut index, Some(id), now, |index| {
            let mut held = self.hold(index, index.keys_of(&[id]));
            // A change or a touch whose clock is behind ours may have landed until we held it.
            let Some(slot) = held.of(key).slot_mut(key) else { return Ok(Resume::Gone(None)) };
            let newest = slot.record.clone();
            let ended = match Status::of(&newest, now) {
                Status::Live => return Ok(Resume::Live(newest)),
                Status::Dormant(told) | Status::Over(told) => told.or_else(|| newest.ended(now)),
            };
            let kept = newest.fields().retain(|name| keep.keeps(name));
            let record = Record::new(draft.clone(), &kept)?;
            let gain = Need { sessions: 1, bytes: cost(&record) };
            self.book(index, &mut held, gain, [&newest])?;
            let ended = ended.unwrap_or_else(|| evicted(now));
            self.remove(index, &mut held, key, ended, now);
            self.insert(index, &mut held, *key, record.clone());
            Ok(Resume::Done(record.clone()))
        })
    }

    pub(crate) fn end(&self, target: Target, ending: Ending, now: Timestamp) -> End {
        let mut index = self.index();
        let key = match target {
            Target::Key(key) => Some(key),
            Target::Id(id) => index.key(&id),
        };
        let Some(key) = key else { return End::Gone(None) };
        let record = match self.locate(&index, &key, now) {
            Located::Live(record) | Located::Dormant(record, _) => record,
            Located::Forwarded { .. } => return End::Stale,
            Located::Gone(ended) => return End::Gone(ended),
        };
        let mut held = self.hold(&index, index.keys_of(&[record.id()]));
        let Ending { reason, by } = ending;
        match self.remove(&mut index, &mut held, &key, Ended { reason, by, at: now }, now) {
            Some(record) => End::Ended(record),
            None => End::Gone(None),
        }
    }

    /// Ends sessions whose shards are held, and says which.
    pub(crate) fn evict(
        &self,
        index: &mut Index,
        held: &mut Held<'_>,
        leaving: &[Record],
        now: Timestamp,
    ) -> Vec<SessionId> {
        for record in leaving {
            if let Some(key) = index.key(&record.id()) {
                self.remove(index, held, &key, evicted(now), now);
            }
        }
        leaving.iter().map(Record::id).collect()
    }
}

/// Which sessions of `user` leave so that one more is within the limit, those seen longest ago
/// first; or all that exist, if the limit refuses one more. `replaced` does not count.
pub(crate) fn admit(
    index: &Index,
    held: &mut Held<'_>,
    user: Option<&UserId>,
    replaced: Option<SessionId>,
    limit: Option<Limit>,
    now: Timestamp,
) -> Result<Vec<Record>, Vec<Record>> {
    let Some(Limit { max, policy }) = limit else { return Ok(Vec::new()) };
    let others = index.of_user(user).iter().filter(|id| Some(**id) != replaced);
    let mut existing: Vec<_> = others.filter_map(|id| present(index, held, id, now)).collect();
    let max = usize::try_from(max.max(1)).unwrap_or(usize::MAX);
    let beyond = (existing.len() + 1).saturating_sub(max);
    match policy {
        LimitPolicy::Refuse if beyond > 0 => Err(existing),
        LimitPolicy::Refuse => Ok(Vec::new()),
        LimitPolicy::KeepNewest => {
            existing.sort_by_key(|record| (record.times().seen, record.id()));
            existing.truncate(beyond);
            Ok(existing)
        }
    }
}

/// The session of this id if it is live or dormant. Its shard is held.
pub(crate) fn present(
    index: &Index,
    held: &mut Held<'_>,
    id: &SessionId,
    now: Timestamp,
) -> Option<Record> {
    let key = index.key(id)?;
    let record = &held.of(&key).slot_mut(&key)?.record;
    match Status::of(record, now) {
        Status::Live | Status::Dormant(_) => Some(record.clone()),
        Status::Over(_) => None,
    }
}
