use cloakroom_store::{
    Count, Ended, EndedAll, Ending, Ops, Page, Record, SessionId, Timestamp, UserId,
};
use rusqlite::{Connection, params};

use super::end::ended;
use crate::fault::Halt;
use crate::feed;
use crate::graves;
use crate::rows::{self, Outline, Stored, millis, select_outlines, select_sessions};

/// The sessions of one user, live or dormant, ordered by id.
pub(crate) fn list(
    db: &Connection,
    user: &UserId,
    page: Page,
    now: Timestamp,
) -> Result<Vec<Record>, Halt> {
    Ok(records(held(db, user, page, now)?))
}

/// The same with their rows.
pub(super) fn held(
    db: &Connection,
    user: &UserId,
    page: Page,
    now: Timestamp,
) -> Result<Vec<Stored>, Halt> {
    let statement = db.prepare_cached(select_sessions!(
        "WHERE user = ?1 AND id > ?2 AND (min(idle_deadline, absolute_deadline) > ?3 \
         OR ifnull(remembered_until, 0) > ?3) ORDER BY id LIMIT ?4"
    ))?;
    let params = params![user.as_str(), after(&page), millis(now), page.limit];
    rows::all(statement, params, Stored::read)
}

/// All sessions, live or dormant, ordered by id.
pub(crate) fn scan(db: &Connection, page: Page, now: Timestamp) -> Result<Vec<Record>, Halt> {
    let statement = db.prepare_cached(select_sessions!(
        "WHERE id > ?1 AND (min(idle_deadline, absolute_deadline) > ?2 \
         OR user IS NOT NULL AND ifnull(remembered_until, 0) > ?2) ORDER BY id LIMIT ?3"
    ))?;
    let params = params![after(&page), millis(now), page.limit];
    Ok(records(rows::all(statement, params, Stored::read)?))
}

/// How many sessions are live or dormant. A row whose `sweep_at` lies ahead is one of them, which
/// the index alone tells; the others are looked at.
pub(crate) fn count(db: &Connection, now: Timestamp) -> Result<Count, Halt> {
    let mut statement = db.prepare_cached(
        "SELECT count(*), ifnull(sum(user IS NOT NULL), 0) FROM sessions WHERE sweep_at > ?1 \
         UNION ALL \
         SELECT count(*), count(user) FROM sessions WHERE sweep_at <= ?1 \
         AND (min(idle_deadline, absolute_deadline) > ?1 \
         OR user IS NOT NULL AND ifnull(remembered_until, 0) > ?1)",
    )?;
    let mut total = Count::default();
    let mut rows = statement.query([millis(now)])?;
    while let Some(row) = rows.next()? {
        total.sessions += u64::from(row.get::<_, u32>(0)?);
        total.signed_in += u64::from(row.get::<_, u32>(1)?);
    }
    Ok(total)
}

/// Ends every session of one user but `except`.
pub(crate) fn end_all(
    db: &Connection,
    user: &UserId,
    except: Option<SessionId>,
    ending: Ending,
    now: Timestamp,
) -> Result<EndedAll, Halt> {
    let mut leaving = there(db, user, now)?;
    leaving.retain(|outline| Some(outline.id) != except);
    Ok(EndedAll { ended: end_each(db, &leaving, &ended(ending, now))? })
}

/// Changes the same fields in every session of one user.
pub(crate) fn amend(
    db: &Connection,
    user: &UserId,
    ops: &Ops,
    now: Timestamp,
) -> Result<u64, Halt> {
    let held = held(db, user, EVERYTHING, now)?;
    let changed: Vec<(i64, Record)> = held
        .iter()
        .map(|stored| Ok((stored.row, stored.record.changed(ops, None)?)))
        .collect::<Result<_, Halt>>()?;
    feed::epoch(db, user, now)?;
    if !ops.is_empty() {
        changed.iter().try_for_each(|(row, record)| rows::update_data(db, *row, record))?;
    }
    Ok(changed.len() as u64)
}

/// A page that holds everything.
pub(super) const EVERYTHING: Page = Page { after: None, limit: u32::MAX };

/// The records of sessions.
pub(super) fn records(found: Vec<Stored>) -> Vec<Record> {
    found.into_iter().map(|stored| stored.record).collect()
}

/// Every session of a user, live or dormant, ordered by id.
pub(super) fn there(db: &Connection, user: &UserId, now: Timestamp) -> Result<Vec<Outline>, Halt> {
    let statement = db.prepare_cached(select_outlines!("WHERE user = ?1 ORDER BY id"))?;
    let mut found = rows::all(statement, [user.as_str()], Outline::read)?;
    found.retain(|outline| now < outline.sweepable_at);
    Ok(found)
}

/// Ends sessions, and says which.
pub(super) fn end_each(
    db: &Connection,
    leaving: &[Outline],
    ended: &Ended,
) -> Result<Vec<SessionId>, Halt> {
    let end = |outline: &Outline| {
        graves::bury(db, (outline.row, outline.id), &outline.key, ended).map(|()| outline.id)
    };
    leaving.iter().map(end).collect()
}

/// Every id is greater than no bytes.
fn after(page: &Page) -> &[u8] {
    page.after.as_ref().map_or(&[], |id| id.as_bytes().as_slice())
}
