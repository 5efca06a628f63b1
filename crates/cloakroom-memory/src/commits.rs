//! Changing the data of a session, under the lock of its shard alone.

use std::mem;

use cloakroom_store::{Commit, Ended, Expect, Key, Ops, Record, StoreError, Timestamp, Touch};

use crate::bounds::cost;
use crate::house::{House, Located, place};
use crate::room::Need;
use crate::shard::{Found, Slot, Status};

/// What a commit is made of.
#[derive(Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) expect: Expect,
    pub(crate) ops: &'a Ops,
    pub(crate) touch: Option<Touch>,
    pub(crate) now: Timestamp,
}

/// How far a commit came with the lock of one shard.
enum Tried {
    Answered(Commit),
    /// The key forwards: only the index knows where to.
    Forwards,
    /// The session would grow beyond the store's bound.
    Short(Need),
}

impl House {
    pub(crate) fn commit(&self, key: &Key, change: Change<'_>) -> Result<Commit, StoreError> {
        match self.try_commit(key, change)? {
            Tried::Answered(commit) => Ok(commit),
            Tried::Forwards | Tried::Short(_) => self.commit_slowly(key, change),
        }
    }

    /// The same with the index held, so that a key forwards to the same session all along and
    /// others can make room.
    fn commit_slowly(&self, key: &Key, change: Change<'_>) -> Result<Commit, StoreError> {
        let mut index = self.index();
        let (target, before, id) = match self.locate(&index, key, change.now) {
            Located::Live(record) => (*key, None, record.id()),
            Located::Forwarded { target, record, identity } => {
                (target, Some(identity), record.id())
            }
            Located::Dormant(_, ended) | Located::Gone(ended) => return Ok(Commit::Gone(ended)),
        };
        let commit = self.with_room(&mut index, Some(id), change.now, |_| {
            match self.try_commit(&target, change)? {
                Tried::Answered(commit) => Ok(commit),
                Tried::Forwards => Ok(Commit::Gone(None)),
                Tried::Short(need) => Err(need.into()),
            }
        })?;
        Ok(match before {
            Some(identity) => seen_as(commit, &identity),
            None => commit,
        })
    }

    fn try_commit(&self, key: &Key, change: Change<'_>) -> Result<Tried, StoreError> {
        // The new record is built while nobody waits, unless there is nothing to build.
        let early = if change.ops.is_empty() {
            None
        } else {
            let seen = match self.read(place(key)).find(key, change.now) {
                Found::Session(slot) => match judged(slot, change) {
                    Ok(()) => slot.record.clone(),
                    Err(commit) => return Ok(Tried::Answered(commit)),
                },
                Found::Forward(_) => return Ok(Tried::Forwards),
                Found::Gone(ended) => return Ok(Tried::Answered(Commit::Gone(ended))),
            };
            let built = seen.changed(change.ops, change.touch)?;
            Some((seen, built))
        };
        self.swap(key, change, early)
    }

    /// Puts the new record in its place, if what it was built from is still the newest.
    fn swap(
        &self,
        key: &Key,
        change: Change<'_>,
        early: Option<(Record, Record)>,
    ) -> Result<Tried, StoreError> {
        let mut shard = self.write(place(key));
        match shard.find(key, change.now) {
            Found::Session(_) => {}
            Found::Forward(_) => return Ok(Tried::Forwards),
            Found::Gone(ended) => return Ok(Tried::Answered(Commit::Gone(ended))),
        }
        let Some(slot) = shard.slot_mut(key) else {
            return Ok(Tried::Answered(Commit::Gone(None)));
        };
        if let Err(commit) = judged(slot, change) {
            return Ok(Tried::Answered(commit));
        }
        let next = match early {
            Some((seen, built)) if is_same(&seen, &slot.record) => caught_up(&built, &slot.record)?,
            Some(_) | None => slot.record.changed(change.ops, change.touch)?,
        };
        let (more, less) = (cost(&next), cost(&slot.record));
        if !self.try_grow(more, less) {
            return Ok(Tried::Short(Need { sessions: 0, bytes: more - less }));
        }
        let replaced = mem::replace(&mut slot.record, next.clone());
        // What was replaced is freed when nobody waits.
        drop(shard);
        drop(replaced);
        Ok(Tried::Answered(Commit::Done(next)))
    }
}

/// Whether the change may be made to what is in the slot.
fn judged(slot: &Slot, change: Change<'_>) -> Result<(), Commit> {
    match Status::of(&slot.record, change.now) {
        Status::Live => {}
        Status::Dormant(ended) | Status::Over(ended) => return Err(gone(ended)),
    }
    match change.expect {
        Expect::Version(version) if version != slot.record.version() => {
            Err(Commit::Conflict(slot.record.clone()))
        }
        Expect::Version(_) | Expect::Any => Ok(()),
    }
}

const fn gone(ended: Option<Ended>) -> Commit {
    Commit::Gone(ended)
}

/// Whether nothing but a touch happened between the two.
fn is_same(seen: &Record, newest: &Record) -> bool {
    seen.id() == newest.id() && seen.version() == newest.version()
}

/// The record that was built early, with the touches that came in between.
fn caught_up(built: &Record, newest: &Record) -> Result<Record, StoreError> {
    let times = newest.times();
    let touch = Touch { seen: times.seen, idle_deadline: times.idle_deadline };
    built.changed(&Ops::new(), Some(touch))
}

fn seen_as(commit: Commit, identity: &cloakroom_store::Identity) -> Commit {
    match commit {
        Commit::Done(record) => Commit::Done(record.seen_as(identity.clone())),
        Commit::Conflict(record) => Commit::Conflict(record.seen_as(identity.clone())),
        Commit::Gone(ended) => Commit::Gone(ended),
    }
}
