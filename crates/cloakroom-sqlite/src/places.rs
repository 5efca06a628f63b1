//! What a key leads to: a session, through a forwarder to one, or only to its grave.

use std::time::Duration;

use cloakroom_store::{Ended, Identity, Key, Reason, Record, Times, Timestamp, UserId};
use rusqlite::{Connection, params};

use crate::fault::Halt;
use crate::graves;
use crate::rows::{self, Stored, millis};

/// What is behind a key at one instant.
#[derive(Debug)]
pub(crate) enum Place {
    /// A live session.
    Live(Stored),
    /// A live session whose token was renewed.
    Forwarded(Forwarded),
    /// A session whose clocks ran out while its user is remembered.
    Dormant(Stored, Option<Ended>),
    /// Nothing.
    Gone(Option<Ended>),
}

/// A live session as the holder of an older ticket meets it.
#[derive(Debug)]
pub(crate) struct Forwarded {
    pub(crate) stored: Stored,
    /// The identity before the renewal.
    pub(crate) before: Identity,
    /// When the older ticket stops working.
    pub(crate) until: Timestamp,
}

impl Forwarded {
    /// The record as the older ticket shows it.
    pub(crate) fn view(&self) -> Record {
        self.stored.record.seen_as(self.before.clone())
    }
}

/// What is behind `key` at `now`.
pub(crate) fn find(db: &Connection, key: &Key, now: Timestamp) -> Result<Place, Halt> {
    match rows::by_key(db, key)? {
        Some(stored) => Ok(judge(stored, now)),
        None => beyond_sessions(db, key, now),
    }
}

/// What a session that was found is at `now`.
pub(crate) fn judge(stored: Stored, now: Timestamp) -> Place {
    match stored.record.ended(now) {
        None => Place::Live(stored),
        Some(ended) if stored.record.is_dormant(now) => Place::Dormant(stored, kept(ended, now)),
        Some(ended) => Place::Gone(kept(ended, now)),
    }
}

/// What is behind a key that no session has.
pub(crate) fn beyond_sessions(db: &Connection, key: &Key, now: Timestamp) -> Result<Place, Halt> {
    let Some(forwarded) = forwarded(db, key)? else {
        return Ok(Place::Gone(graves::epitaph(db, key)?.and_then(|ended| kept(ended, now))));
    };
    Ok(match over(forwarded.until, forwarded.stored.record.times(), now) {
        None => Place::Forwarded(forwarded),
        Some(ended) => Place::Gone(kept(ended, now)),
    })
}

/// How an older ticket ended, if it has at `now`: by its own time or by that of its session,
/// whichever came first.
pub(crate) fn over(until: Timestamp, times: &Times, now: Timestamp) -> Option<Ended> {
    let timeout = times.expired(now);
    match timeout {
        Some(ended) if ended.at < until => timeout,
        Some(_) | None => (until <= now).then(|| replaced(until)),
    }
}

/// How an older ticket ends when its time is over.
pub(crate) const fn replaced(until: Timestamp) -> Ended {
    Ended::timeout(Reason::Replaced, until)
}

/// Whether a key means anything to this store, be it only as a memory.
pub(crate) fn key_taken(db: &Connection, key: &Key) -> Result<bool, Halt> {
    let taken = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM sessions WHERE key = ?1) \
             OR EXISTS (SELECT 1 FROM forwarders WHERE key = ?1) \
             OR EXISTS (SELECT 1 FROM tombstones WHERE key = ?1)",
        )?
        .query_row([key.as_bytes().as_slice()], |row| row.get(0))?;
    Ok(taken)
}

/// Lets the key of a session that is being renewed lead to it for at most until `until`; once the
/// new key has been seen, for `grace`.
pub(crate) fn forward(
    db: &Connection,
    old: &Stored,
    until: Timestamp,
    grace: Duration,
) -> Result<(), Halt> {
    let Identity { user, factors, authenticated_at, remembered_until, .. } = old.record.identity();
    db.prepare_cached(
        "INSERT INTO forwarders (key, session, user, factors, authenticated_at, \
         remembered_until, until, grace) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        old.key.as_bytes().as_slice(),
        old.row,
        user.as_ref().map(UserId::as_str),
        factors.bits(),
        authenticated_at.map(millis),
        remembered_until.map(millis),
        millis(until),
        millis(Timestamp::default().plus(grace)),
    ])?;
    Ok(())
}

/// The newest key was loaded at `now`: the grace of the older ones begins, if it has not.
pub(crate) fn confirm(db: &Connection, key: &Key, now: Timestamp) -> Result<(), Halt> {
    let unseen: Option<i64> = {
        let mut statement =
            db.prepare_cached("SELECT row FROM sessions WHERE key = ?1 AND unseen")?;
        let mut rows = statement.query([key.as_bytes().as_slice()])?;
        rows.next()?.map(|row| row.get(0)).transpose()?
    };
    let Some(session) = unseen else { return Ok(()) };
    db.prepare_cached("UPDATE sessions SET unseen = 0 WHERE row = ?1")?.execute([session])?;
    db.prepare_cached(
        "UPDATE forwarders SET until = min(until, ?2 + grace), grace = NULL \
         WHERE session = ?1 AND grace IS NOT NULL",
    )?
    .execute(params![session, millis(now)])?;
    Ok(())
}

/// What is still told of an ending at `now`.
fn kept(ended: Ended, now: Timestamp) -> Option<Ended> {
    ended.is_kept(now).then_some(ended)
}

/// The session that an older key leads to, whatever the clocks say.
fn forwarded(db: &Connection, key: &Key) -> Result<Option<Forwarded>, Halt> {
    let mut statement = db.prepare_cached(
        "SELECT session, until, user, factors, authenticated_at, remembered_until \
         FROM forwarders WHERE key = ?1",
    )?;
    let mut rows = statement.query([key.as_bytes().as_slice()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (until, before) = (rows::time(row, 1)?, rows::identity(row, 2)?);
    let stored = rows::by_row(db, row.get(0)?)?;
    Ok(stored.map(|stored| Forwarded { stored, before, until }))
}
