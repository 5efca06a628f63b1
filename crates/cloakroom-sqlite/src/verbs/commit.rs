use std::collections::HashMap;
use std::collections::hash_map::Entry;

use cloakroom_store::{Commit, Ended, Expect, Identity, Key, Ops, Record, Timestamp, Touch};
use rusqlite::Connection;

use crate::fault::Halt;
use crate::places::{self, Place};
use crate::rows::{self, Stored};

/// Changes fields and moves the idle deadline of a live session.
pub(crate) fn commit(
    db: &Connection,
    key: &Key,
    expect: Expect,
    ops: &Ops,
    touch: Option<Touch>,
    now: Timestamp,
) -> Result<Commit, Halt> {
    let open = match Open::find(db, key, now)? {
        Ok(open) => open,
        Err(ended) => return Ok(Commit::Gone(ended)),
    };
    if expect != Expect::Any && expect != Expect::Version(open.stored.record.version()) {
        return Ok(Commit::Conflict(open.view(open.stored.record.clone())));
    }
    let changed = open.stored.record.changed(ops, touch)?;
    if !ops.is_empty() {
        rows::update_data(db, open.stored.row, &changed)?;
    } else if changed.times() != open.stored.record.times() {
        rows::update_times(db, open.stored.row, changed.times())?;
    }
    Ok(Commit::Done(open.view(changed)))
}

/// One touch among others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) key: Key,
    pub(crate) touch: Option<Touch>,
    pub(crate) now: Timestamp,
}

/// Many touches in their order; those of one key read and write their row once.
pub(crate) fn touch_all(db: &Connection, touches: &[Asked]) -> Result<Vec<Commit>, Halt> {
    let mut opened: HashMap<Key, Open> = HashMap::with_capacity(touches.len());
    let mut answers = Vec::with_capacity(touches.len());
    for Asked { key, touch, now } in touches {
        let open = match opened.entry(*key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => match Open::find(db, key, *now) {
                Ok(Ok(open)) => entry.insert(open),
                Ok(Err(ended)) => {
                    answers.push(Commit::Gone(ended));
                    continue;
                }
                Err(halt) => return Err(halt),
            },
        };
        answers.push(open.touch(*touch, *now)?);
    }
    for open in opened.values().filter(|open| open.moved) {
        rows::update_times(db, open.stored.row, open.stored.record.times())?;
    }
    Ok(answers)
}

/// A live session that a commit found, and how its caller may see it.
struct Open {
    stored: Stored,
    /// The identity before the renewal, and when the older key stops working.
    through: Option<(Identity, Timestamp)>,
    moved: bool,
}

impl Open {
    fn find(
        db: &Connection,
        key: &Key,
        now: Timestamp,
    ) -> Result<Result<Self, Option<Ended>>, Halt> {
        Ok(match places::find(db, key, now)? {
            Place::Live(stored) => Ok(Self { stored, through: None, moved: false }),
            Place::Forwarded(found) => Ok(Self {
                stored: found.stored,
                through: Some((found.before, found.until)),
                moved: false,
            }),
            Place::Dormant(_, ended) => Err(ended),
            Place::Gone(ended) => Err(ended),
        })
    }

    fn touch(&mut self, touch: Option<Touch>, now: Timestamp) -> Result<Commit, Halt> {
        if let Some(ended) = self.ended(now) {
            return Ok(Commit::Gone(Some(ended)));
        }
        let touched = self.stored.record.changed(&Ops::new(), touch)?;
        self.moved |= touched.times() != self.stored.record.times();
        self.stored.record = touched;
        Ok(Commit::Done(self.view(self.stored.record.clone())))
    }

    /// The ending of what was live a moment ago.
    fn ended(&self, now: Timestamp) -> Option<Ended> {
        let until = self.through.as_ref().map(|(_, until)| *until);
        let closed = until.filter(|until| *until <= now).map(places::replaced);
        closed.or_else(|| self.stored.record.ended(now))
    }

    fn view(&self, record: Record) -> Record {
        match &self.through {
            Some((before, _)) => record.seen_as(before.clone()),
            None => record,
        }
    }
}
