//! What ended and whose rights changed, for those who read on from a place.
//!
//! A notice is written in the transaction that it tells of. Places have no gaps and their order is
//! that of the commits, also among processes: SQLite has one writer at a time. The front row may be
//! one that tells nothing any more: it remembers the last place that was forgotten, so that the feed
//! is never without its end.

use cloakroom_store::{
    BULLETIN_MAX, Bulletin, Cursor, Ended, FEED_KEPT, FEED_MAX, News, Notice, Reason, SessionId,
    StoreError, Timestamp, UserId,
};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use crate::fault::Halt;
use crate::rows::{self, millis, signed};

/// The first number of every place.
const MAJOR: u64 = 1;

/// How many notices are forgotten at once when there are more than [`FEED_MAX`]: a write rarely
/// changes the oldest page along with the newest.
const TRIM: i64 = 256;

/// How many notices one step of a sweep looks at.
const LOOK: u32 = 500;

/// A session is over. That its clocks ran out is no news.
pub(crate) fn ended(db: &Connection, id: SessionId, ended: &Ended) -> Result<(), Halt> {
    if ended.reason.is_timeout() {
        return Ok(());
    }
    db.prepare_cached("INSERT INTO feed (at, session, reason) VALUES (?1, ?2, ?3)")?
        .execute(params![millis(ended.at), id.as_bytes().as_slice(), ended.reason.code()])?;
    trim(db)
}

/// The rights of a user changed.
pub(crate) fn epoch(db: &Connection, user: &UserId, now: Timestamp) -> Result<(), Halt> {
    db.prepare_cached("INSERT INTO feed (at, user) VALUES (?1, ?2)")?
        .execute(params![millis(now), user.as_str()])?;
    trim(db)
}

/// Forgets what is beyond the bound, after an insertion.
fn trim(db: &Connection) -> Result<(), Halt> {
    let newest = db.last_insert_rowid();
    if newest % TRIM == 0 {
        let bound = newest.saturating_sub(i64::try_from(FEED_MAX).unwrap_or(i64::MAX));
        db.prepare_cached("DELETE FROM feed WHERE place <= ?1")?.execute([bound])?;
    }
    Ok(())
}

/// Forgets notices that are a day old, and says whether there may be more of them.
pub(crate) fn forget(db: &Connection, now: Timestamp) -> Result<bool, Halt> {
    let Some(last) = now.as_millis().checked_sub(FEED_KEPT.as_secs() * 1_000) else {
        return Ok(false);
    };
    let (mut looked, mut old) = (0, None);
    {
        let mut statement = db.prepare_cached(
            "SELECT place, at <= ?1 FROM feed WHERE at IS NOT NULL ORDER BY place LIMIT ?2",
        )?;
        let mut rows = statement.query(params![signed(last), LOOK])?;
        while let Some(row) = rows.next()? {
            if !row.get::<_, bool>(1)? {
                break;
            }
            looked += 1;
            old = Some(row.get::<_, i64>(0)?);
        }
    }
    let Some(old) = old else { return Ok(false) };
    db.prepare_cached("DELETE FROM feed WHERE place < ?1")?.execute([old])?;
    db.prepare_cached(
        "UPDATE feed SET at = NULL, session = NULL, reason = NULL, user = NULL WHERE place = ?1",
    )?
    .execute([old])?;
    Ok(looked == LOOK)
}

/// At most `limit` notices after `from`. A place that this feed never gave, or has forgotten, is
/// before everything.
pub(crate) fn watch(db: &Connection, from: Cursor, limit: u32) -> Result<Bulletin, Halt> {
    let snapshot = Transaction::new_unchecked(db, TransactionBehavior::Deferred)?;
    let (forgotten, end) = bounds(&snapshot)?;
    if from == Cursor::NEWEST {
        return Ok(Bulletin { notices: Vec::new(), next: place(end), lost: false, more: false });
    }
    let known = from >= place(forgotten) && from <= place(end);
    let start = if known { signed(from.minor()) } else { forgotten };
    let limit = limit.clamp(1, BULLETIN_MAX);
    let statement = snapshot.prepare_cached(
        "SELECT place, at, session, reason, user FROM feed WHERE place > ?1 ORDER BY place LIMIT ?2",
    )?;
    let notices = rows::all(statement, params![start, limit], notice)?;
    let next = notices.last().map_or_else(|| place(end), |last| last.place);
    Ok(Bulletin { notices, next, lost: !known && from != Cursor::OLDEST, more: next < place(end) })
}

/// The last place that was forgotten, and the last of all.
fn bounds(db: &Connection) -> Result<(i64, i64), Halt> {
    let mut statement = db.prepare_cached(
        "SELECT place - (at IS NOT NULL), (SELECT max(place) FROM feed) \
         FROM feed ORDER BY place LIMIT 1",
    )?;
    let mut rows = statement.query([])?;
    let row = rows.next()?.ok_or_else(|| StoreError::corrupt("the feed has lost its end"))?;
    Ok((row.get(0)?, row.get(1)?))
}

fn place(number: i64) -> Cursor {
    Cursor::new(MAJOR, u64::try_from(number).unwrap_or(0))
}

fn notice(row: &Row<'_>) -> Result<Notice, Halt> {
    let news = match row.get::<_, Option<String>>(4)? {
        None => News::Ended {
            id: SessionId::from_bytes(rows::bytes(row, 2)?),
            reason: Reason::from_code(rows::text(row, 3)?)
                .ok_or_else(|| StoreError::corrupt("a stored reason is none that is known"))?,
        },
        Some(user) => News::Epoch {
            user: UserId::try_from(user)
                .map_err(|error| StoreError::corrupt("a stored user id is none").because(error))?,
        },
    };
    Ok(Notice { place: place(row.get(0)?), at: rows::time(row, 1)?, news })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_notices_make_room_beyond_the_bound_and_are_lost() {
        let mut db = Connection::open_in_memory().unwrap();
        crate::schema::migrate(&mut db).unwrap();
        let start = watch(&db, Cursor::NEWEST, 1).unwrap().next;
        let (now, kept) = (Timestamp::from_millis(7), u32::try_from(FEED_MAX).unwrap());
        let tell = |count| (0..count).for_each(|_| epoch(&db, &UserId::from(7), now).unwrap());
        tell(kept);
        assert!(!watch(&db, start, 1).unwrap().lost);

        tell(u32::try_from(TRIM).unwrap());

        assert!(watch(&db, start, 1).unwrap().lost);
        let rows = "SELECT count(*) FROM feed";
        let rows: u32 = db.query_row(rows, [], |row| row.get(0)).unwrap();
        assert!((kept..kept + 256).contains(&rows), "{rows}");
    }
}
