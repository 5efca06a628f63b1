use std::time::Duration;

use cloakroom_store::{
    Draft, Ending, Identity, Keep, Key, Limit, Record, Rotate, Rotation, StoreError, Times,
    Timestamp, UserId,
};
use rusqlite::{Connection, params};

use super::create::{Room, evict, is_taken, room_for};
use super::end::ended;
use crate::fault::Halt;
use crate::graves;
use crate::places::{self, Place};
use crate::rows::{self, Stored, millis, signed};

/// Puts the live session of `old` behind the key `new`.
pub(crate) fn rotate(
    db: &Connection,
    old: &Key,
    new: &Key,
    rotation: &Rotation,
    now: Timestamp,
) -> Result<Rotate, Halt> {
    let stored = match places::find(db, old, now)? {
        Place::Live(stored) => stored,
        Place::Forwarded(_) => return Ok(Rotate::Stale),
        Place::Dormant(_, ended) => return Ok(Rotate::Gone(ended)),
        Place::Gone(ended) => return Ok(Rotate::Gone(ended)),
    };
    match rotation {
        Rotation::Privilege { draft, keep, limit, ending } => {
            let record = successor(&stored, draft, keep)?;
            replace(db, &stored, (new, record), *limit, (*ending, now))
        }
        Rotation::Renewal { identity, times, grace, cap } => {
            let record = renewed(&stored, identity.as_ref(), *times)?;
            renew(db, &stored, (new, record), *grace, now.plus(*cap))
        }
    }
}

/// The new session of a privilege change.
fn successor(stored: &Stored, draft: &Draft, keep: &Keep) -> Result<Record, StoreError> {
    let kept = stored.record.fields().retain(|name| keep.keeps(name));
    Record::new(draft.clone(), &kept)
}

/// The same session with another proof of the same user.
fn renewed(
    stored: &Stored,
    identity: Option<&Identity>,
    times: Option<Times>,
) -> Result<Record, StoreError> {
    if identity.is_some_and(|new| new.user != stored.record.identity().user) {
        return Err(StoreError::refused(
            "a renewal keeps the user; another one is a privilege change",
        ));
    }
    Ok(stored.record.renewed(identity.cloned(), times))
}

/// The old session and its keys end, and the new one takes its place.
fn replace(
    db: &Connection,
    old: &Stored,
    (key, record): (&Key, Record),
    limit: Option<Limit>,
    (ending, now): (Ending, Timestamp),
) -> Result<Rotate, Halt> {
    if is_taken(db, key, record.id())? {
        return Ok(Rotate::KeyTaken);
    }
    let user = record.identity().user.as_ref();
    match room_for(db, user, limit, Some(old.row), now)? {
        Room::Full(records) => Ok(Rotate::LimitReached(records)),
        Room::After(leaving) => {
            let evicted = evict(db, &leaving, now)?;
            graves::bury(db, (old.row, old.record.id()), &old.key, &ended(ending, now))?;
            rows::insert(db, key, &record)?;
            Ok(Rotate::Done { record, evicted })
        }
    }
}

/// The session moves behind the new key, and the old key forwards to it until `until`.
fn renew(
    db: &Connection,
    old: &Stored,
    (key, record): (&Key, Record),
    grace: Duration,
    until: Timestamp,
) -> Result<Rotate, Halt> {
    if places::key_taken(db, key)? {
        return Ok(Rotate::KeyTaken);
    }
    places::forward(db, old, until, grace)?;
    let Times { created, seen, idle_deadline, absolute_deadline } = *record.times();
    let Identity { user, factors, authenticated_at, remembered_until, .. } = record.identity();
    db.prepare_cached(
        "UPDATE sessions SET key = ?2, version = ?3, user = ?4, factors = ?5, \
         authenticated_at = ?6, remembered_until = ?7, created_at = ?8, seen_at = ?9, \
         idle_deadline = ?10, absolute_deadline = ?11, sweep_at = ?12, unseen = 1 WHERE row = ?1",
    )?
    .execute(params![
        old.row,
        key.as_bytes().as_slice(),
        signed(record.version()),
        user.as_ref().map(UserId::as_str),
        factors.bits(),
        authenticated_at.map(millis),
        remembered_until.map(millis),
        millis(created),
        millis(seen),
        millis(idle_deadline),
        millis(absolute_deadline),
        millis(record.sweepable_at()),
    ])?;
    Ok(Rotate::Done { record, evicted: Vec::new() })
}
