//! Ends sessions, and remembers for a while how they ended.

use cloakroom_store::{By, Ended, Key, Reason, SessionId, StoreError, Timestamp};
use rusqlite::{Connection, params};

use crate::fault::Halt;
use crate::feed;
use crate::places::{self, replaced};
use crate::rows::{self, millis, signed};

/// How many endings are remembered at most: about 40 MB. The oldest are forgotten first.
const TOMBSTONES_MAX: i64 = 250_000;

/// [`Ended::KEPT`] as timestamps count.
const KEPT_MILLIS: u64 = Ended::KEPT.as_secs() * 1_000;

/// Removes a session and every older key that leads to it, tells of it and remembers why.
pub(crate) fn bury(
    db: &Connection,
    (row, id): (i64, SessionId),
    key: &Key,
    ended: &Ended,
) -> Result<(), Halt> {
    feed::ended(db, id, ended)?;
    remove(db, row, ended)?;
    remember(db, key, ended, TOMBSTONES_MAX)
}

/// Removes a session and every older key that leads to it; its own key leaves no trace.
pub(crate) fn remove(db: &Connection, row: i64, ended: &Ended) -> Result<(), Halt> {
    bury_forwarders(db, row, ended)?;
    db.prepare_cached("DELETE FROM sessions WHERE row = ?1")?.execute([row])?;
    Ok(())
}

/// Removes every older key that leads to a session. What ran out before the session tells so.
fn bury_forwarders(db: &Connection, session: i64, ended: &Ended) -> Result<(), Halt> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO tombstones (key, at, reason, by) SELECT key, min(until, ?2), \
         iif(until <= ?2, 'replaced', ?3), iif(until <= ?2, 'system', ?4) \
         FROM forwarders WHERE session = ?1",
    )?
    .execute(params![session, millis(ended.at), ended.reason.code(), ended.by.as_str()])?;
    db.prepare_cached("DELETE FROM forwarders WHERE session = ?1")?.execute([session])?;
    Ok(())
}

/// Removes at most `limit` older keys whose time is over at `now`, and says how many.
pub(crate) fn bury_expired_forwarders(
    db: &Connection,
    now: Timestamp,
    limit: u32,
) -> Result<u32, Halt> {
    let mut statement = db.prepare_cached(
        "DELETE FROM forwarders WHERE rowid IN \
         (SELECT rowid FROM forwarders WHERE until <= ?1 ORDER BY until LIMIT ?2) \
         RETURNING key, until, session",
    )?;
    let mut buried = Vec::new();
    let mut rows = statement.query(params![millis(now), limit])?;
    while let Some(row) = rows.next()? {
        let session: i64 = row.get(2)?;
        buried.push((Key::from_bytes(rows::bytes(row, 0)?), rows::time(row, 1)?, session));
    }
    for (key, until, session) in &buried {
        let session = rows::outline(db, *session)?;
        let ended = session.and_then(|session| places::over(*until, &session.times, now));
        let ended = ended.unwrap_or_else(|| replaced(*until));
        if ended.is_kept(now) {
            remember(db, key, &ended, TOMBSTONES_MAX)?;
        }
    }
    Ok(u32::try_from(buried.len()).unwrap_or(u32::MAX))
}

/// Forgets at most `limit` endings whose day is over at `now`, and says how many.
pub(crate) fn forget(db: &Connection, now: Timestamp, limit: u32) -> Result<u32, Halt> {
    let Some(last) = now.as_millis().checked_sub(KEPT_MILLIS) else { return Ok(0) };
    let forgotten = db
        .prepare_cached(
            "DELETE FROM tombstones WHERE row IN \
             (SELECT row FROM tombstones WHERE at <= ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute(params![signed(last), limit])?;
    Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
}

/// Whether [`bury_expired_forwarders`] or [`forget`] has more to do at `now`.
pub(crate) fn has_more(db: &Connection, now: Timestamp) -> Result<bool, Halt> {
    let last = now.as_millis().checked_sub(KEPT_MILLIS).map_or(-1, signed);
    let more = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM forwarders WHERE until <= ?1) \
             OR EXISTS (SELECT 1 FROM tombstones WHERE at <= ?2)",
        )?
        .query_row(params![millis(now), last], |row| row.get(0))?;
    Ok(more)
}

/// What is remembered of the session that had `key`.
pub(crate) fn epitaph(db: &Connection, key: &Key) -> Result<Option<Ended>, Halt> {
    let mut statement =
        db.prepare_cached("SELECT at, reason, by FROM tombstones WHERE key = ?1")?;
    let mut rows = statement.query([key.as_bytes().as_slice()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let reason = Reason::from_code(rows::text(row, 1)?)
        .ok_or_else(|| StoreError::corrupt("a stored reason is none that is known"))?;
    let by = By::new(rows::text(row, 2)?)
        .map_err(|error| StoreError::corrupt("a stored name is none").because(error))?;
    Ok(Some(Ended { reason, by, at: rows::time(row, 0)? }))
}

/// Remembers an ending; one that was remembered before for this key is written over.
fn remember(db: &Connection, key: &Key, ended: &Ended, at_most: i64) -> Result<(), Halt> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO tombstones (key, at, reason, by) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        key.as_bytes().as_slice(),
        millis(ended.at),
        ended.reason.code(),
        ended.by.as_str(),
    ])?;
    // Rows are numbered in the order of their insertion, so this leaves `at_most` at the most.
    db.prepare_cached("DELETE FROM tombstones WHERE row <= ?1")?
        .execute([db.last_insert_rowid() - at_most])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tombstones() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        crate::schema::migrate(&mut db).unwrap();
        db
    }

    fn ended(millis: u64) -> Ended {
        Ended::timeout(Reason::Idle, Timestamp::from_millis(millis))
    }

    #[test]
    fn the_oldest_endings_are_forgotten_beyond_the_bound() {
        let db = tombstones();
        let key = |n: u8| Key::from_bytes([n; 32]);

        for n in 0..10 {
            remember(&db, &key(n), &ended(5), 4).unwrap();
        }

        let known = |n: u8| epitaph(&db, &key(n)).unwrap().is_some();
        assert_eq!((0..10).filter(|n| known(*n)).collect::<Vec<_>>(), [6, 7, 8, 9]);
    }

    #[test]
    fn an_ending_is_forgotten_a_day_after_and_not_a_millisecond_before() {
        let db = tombstones();
        let key = Key::from_bytes([1; 32]);
        remember(&db, &key, &ended(7), 10).unwrap();
        let at = |millis| Timestamp::from_millis(millis);

        assert!(!has_more(&db, at(KEPT_MILLIS + 6)).unwrap());
        assert_eq!(forget(&db, at(KEPT_MILLIS + 6), 10).unwrap(), 0);
        assert!(has_more(&db, at(KEPT_MILLIS + 7)).unwrap());
        assert_eq!(forget(&db, at(KEPT_MILLIS + 7), 10).unwrap(), 1);
        assert_eq!(epitaph(&db, &key).unwrap(), None);
    }
}
