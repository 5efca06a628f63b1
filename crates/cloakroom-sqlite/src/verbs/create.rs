use cloakroom_store::{
    By, Create, Ended, Key, Limit, LimitPolicy, Reason, Record, SessionId, Timestamp, UserId,
};
use rusqlite::Connection;

use super::registry;
use crate::fault::Halt;
use crate::places;
use crate::rows::{self, Outline};

/// Makes a session out of nothing.
pub(crate) fn create(
    db: &Connection,
    key: &Key,
    record: &Record,
    limit: Option<Limit>,
    now: Timestamp,
) -> Result<Create, Halt> {
    if is_taken(db, key, record.id())? {
        return Ok(Create::KeyTaken);
    }
    match room_for(db, record.identity().user.as_ref(), limit, None, now)? {
        Room::Full(records) => Ok(Create::LimitReached(records)),
        Room::After(leaving) => {
            let evicted = evict(db, &leaving, now)?;
            rows::insert(db, key, record)?;
            Ok(Create::Done { record: record.clone(), evicted })
        }
    }
}

/// Whether a new session cannot have this key and this id.
pub(super) fn is_taken(db: &Connection, key: &Key, id: SessionId) -> Result<bool, Halt> {
    Ok(places::key_taken(db, key)? || rows::has_id(db, id)?)
}

/// Whether a user may have one more session.
pub(super) enum Room {
    /// No: these are there.
    Full(Vec<Record>),
    /// Yes, once these are gone.
    After(Vec<Outline>),
}

/// Judges `limit` for one more session of `user`, which replaces the one in the row `replaced`.
pub(super) fn room_for(
    db: &Connection,
    user: Option<&UserId>,
    limit: Option<Limit>,
    replaced: Option<i64>,
    now: Timestamp,
) -> Result<Room, Halt> {
    let (Some(user), Some(limit)) = (user, limit) else { return Ok(Room::After(Vec::new())) };
    let mut others = registry::there(db, user, now)?;
    others.retain(|other| Some(other.row) != replaced);
    let surplus = (others.len() + 1).saturating_sub(limit.max.max(1) as usize);
    match limit.policy {
        LimitPolicy::Refuse if surplus > 0 => {
            let mut held = registry::held(db, user, registry::EVERYTHING, now)?;
            held.retain(|stored| Some(stored.row) != replaced);
            Ok(Room::Full(registry::records(held)))
        }
        LimitPolicy::Refuse | LimitPolicy::KeepNewest => {
            others.sort_by_key(|other| (other.times.seen, other.id));
            others.truncate(surplus);
            Ok(Room::After(others))
        }
    }
}

/// Ends sessions to make room for a newer one.
pub(super) fn evict(
    db: &Connection,
    leaving: &[Outline],
    now: Timestamp,
) -> Result<Vec<SessionId>, Halt> {
    registry::end_each(db, leaving, &Ended { reason: Reason::Evicted, by: By::SYSTEM, at: now })
}
