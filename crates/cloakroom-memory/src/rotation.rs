//! New tokens for sessions that live.

use std::time::Duration;

use cloakroom_store::{
    By, Draft, Ended, Ending, Identity, Keep, Key, Limit, Reason, Record, Rotate, Rotation,
    StoreError, Times, Timestamp,
};

use crate::bounds::{FORWARD_BYTES, FORWARDS_MAX, cost};
use crate::house::{House, Located};
use crate::identity::admit;
use crate::index::Index;
use crate::room::Need;
use crate::shard::{Forward, Slot, is_anonymous};

/// The two keys of a rotation and its time.
#[derive(Clone, Copy)]
struct Move<'a> {
    old: &'a Key,
    new: &'a Key,
    now: Timestamp,
}

/// The parts of a privilege change.
struct Privilege<'a> {
    draft: &'a Draft,
    keep: &'a Keep,
    limit: Option<Limit>,
    ending: Ending,
}

impl House {
    pub(crate) fn rotate(
        &self,
        old: &Key,
        new: &Key,
        rotation: &Rotation,
        now: Timestamp,
    ) -> Result<Rotate, StoreError> {
        let mut index = self.index();
        let record = match self.locate(&index, old, now) {
            Located::Live(record) => record,
            Located::Forwarded { .. } => return Ok(Rotate::Stale),
            Located::Dormant(_, ended) | Located::Gone(ended) => return Ok(Rotate::Gone(ended)),
        };
        if self.is_key_taken(new, now) {
            return Ok(Rotate::KeyTaken);
        }
        let keys = Move { old, new, now };
        match rotation {
            Rotation::Privilege { draft, keep, limit, ending } => {
                if index.key(&draft.id).is_some() {
                    return Ok(Rotate::KeyTaken);
                }
                let (limit, ending) = (*limit, *ending);
                self.replace(&mut index, &record, keys, &Privilege { draft, keep, limit, ending })
            }
            Rotation::Renewal { identity, times, grace, cap } => {
                if identity.as_ref().is_some_and(|new| new.user != record.identity().user) {
                    return Err(StoreError::refused("a renewal is of the same user"));
                }
                let (identity, times) = (identity.as_ref(), (*times, *grace, *cap));
                self.with_room(&mut index, Some(record.id()), now, |index| {
                    Ok(self.renew(index, keys, identity, times)?)
                })
            }
        }
    }

    fn replace(
        &self,
        index: &mut Index,
        record: &Record,
        Move { old, new, now }: Move<'_>,
        privilege: &Privilege<'_>,
    ) -> Result<Rotate, StoreError> {
        let &Privilege { draft, keep, limit, ending: Ending { reason, by } } = privilege;
        let id = record.id();
        // Declared before the locks, so that what was replaced is freed after them.
        let mut freed = Vec::new();
        self.with_room(index, Some(id), now, |index| {
            let user = draft.identity.user.as_ref();
            let mut keys = index.keys_of(index.of_user(user));
            keys.extend(index.keys_of(&[id]).into_iter().chain([*new]));
            let mut held = self.hold(index, keys);
            let leaving = match admit(index, &mut held, user, Some(id), limit, now) {
                Ok(leaving) => leaving,
                Err(existing) => return Ok(Rotate::LimitReached(existing)),
            };
            let Some(slot) = held.of(old).slot_mut(old) else {
                return Ok(Rotate::Gone(None));
            };
            let newest = slot.record.clone();
            let kept = newest.fields().retain(|name| keep.keeps(name));
            let record = Record::new(draft.clone(), &kept)?;
            let gain = Need { sessions: 1, bytes: cost(&record) };
            self.book(index, &mut held, gain, leaving.iter().chain([&newest]))?;
            self.remove(index, &mut held, old, Ended { reason, by, at: now }, now);
            let evicted = self.evict(index, &mut held, &leaving, now);
            freed = leaving;
            self.insert(index, &mut held, *new, record.clone());
            Ok(Rotate::Done { record, evicted })
        })
    }

    fn renew(
        &self,
        index: &mut Index,
        Move { old, new, now }: Move<'_>,
        identity: Option<&Identity>,
        (times, grace, cap): (Option<Times>, Duration, Duration),
    ) -> Result<Rotate, Need> {
        let Located::Live(record) = self.locate(index, old, now) else { return Ok(Rotate::Stale) };
        let id = record.id();
        let keys = index.keys_of(&[id]);
        let mut held = self.hold(index, keys.into_iter().chain([*new]));
        let Some(slot) = held.of(old).slot_mut(old) else { return Ok(Rotate::Stale) };
        let record = slot.record.clone();
        let before = record.identity().clone();
        let renewed = record.renewed(identity.cloned(), times);
        let gain = Need { sessions: 0, bytes: cost(&renewed) + FORWARD_BYTES };
        self.book(index, &mut held, gain, [&record])?;
        held.of(old).take(old);
        held.of(old).forward(Forward {
            key: *old,
            session: id,
            identity: before,
            until: now.plus(cap),
            grace: Some(grace),
        });
        held.of(new).insert(Slot { key: *new, record: renewed.clone(), renewed: true });
        held.more += gain.bytes;
        held.less += cost(&record);
        index.renew(id, *old, *new);
        index.due = index.due.min(renewed.sweepable_at());
        debug_assert_eq!(is_anonymous(&record), is_anonymous(&renewed));
        if let [oldest, rest @ ..] = index.forwards(&id)
            && rest.len() >= FORWARDS_MAX
        {
            let oldest = *oldest;
            let ended = Ended { reason: Reason::Replaced, by: By::SYSTEM, at: now };
            index.remove_forward(&id, &oldest);
            held.of(&oldest).take_forward(&oldest);
            held.of(&oldest).bury(oldest, ended, now);
            held.less += FORWARD_BYTES;
        }
        Ok(Rotate::Done { record: renewed, evicted: Vec::new() })
    }
}
