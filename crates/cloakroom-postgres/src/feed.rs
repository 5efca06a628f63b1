//! What ended and whose rights changed, for those who read on from a place.
//!
//! A notice is written in the transaction that it tells of, as the last thing that is done there:
//! under a lock that is held until the commit, so that places have no gaps and their order is that of
//! the commits. Whoever sees one sees all before it, and a notice can be read as soon as its verb is
//! answered, whatever other transactions are under way on the server.

use std::sync::Arc;

use cloakroom_store::{
    BULLETIN_MAX, Bulletin, Cursor, News, Notice, Reason, StoreError, Timestamp, UserId,
};
use tokio_postgres::Row;

use crate::lines::Lines;
use crate::params::params;
use crate::rows::{self, column};
use crate::verbs::Verb;

/// Where the columns of a notice begin.
const NOTICE: usize = 3;

/// At most `limit` notices after `from`.
pub(crate) async fn watch(
    lines: Arc<Lines>,
    from: Cursor,
    limit: u32,
) -> Result<Bulletin, StoreError> {
    let is_end = from == Cursor::NEWEST;
    let limit = if is_end { 0 } else { limit.clamp(1, BULLETIN_MAX) };
    let asked = params![number(from.major()), number(from.minor()), i64::from(limit)];
    let rows = lines.ask(Verb::Watch, asked).await?;
    // Without a row somebody has emptied the table: whatever was known is lost, and what comes next
    // is the first there is.
    let (known, end) = match rows.first() {
        Some(end) => (column::<bool>(end, 2)?, place(end, 0)?),
        None => (false, Cursor::OLDEST),
    };
    let notices = rows.iter().filter_map(|row| notice(row).transpose());
    let notices = notices.collect::<Result<Vec<_>, _>>()?;
    let next = notices.last().map_or(end, |last| last.place);
    let lost = !known && from != Cursor::OLDEST && !is_end;
    Ok(Bulletin { notices, next, lost, more: next < end })
}

/// No place has a number beyond what a column can keep.
fn number(part: u64) -> i64 {
    i64::try_from(part).unwrap_or(-1)
}

/// A place is its number in the feed, and the stamp that says which feed.
fn place(row: &Row, at: usize) -> Result<Cursor, StoreError> {
    let part = |at| {
        let number = column::<i64>(row, at)?;
        u64::try_from(number)
            .map_err(|_| StoreError::corrupt("a place in the feed is below nothing"))
    };
    Ok(Cursor::new(part(at)?, part(at + 1)?))
}

fn notice(row: &Row) -> Result<Option<Notice>, StoreError> {
    let Some(at) = column::<Option<i64>>(row, NOTICE + 2)? else { return Ok(None) };
    let at = Timestamp::from_millis(u64::try_from(at).unwrap_or_default());
    let news = match column::<Option<&str>>(row, NOTICE + 5)? {
        None => News::Ended {
            id: rows::legible_id(column::<Option<&[u8]>>(row, NOTICE + 3)?.unwrap_or_default()),
            reason: reason(column::<Option<&str>>(row, NOTICE + 4)?.unwrap_or_default()),
        },
        Some(user) => News::Epoch {
            user: UserId::try_from(user)
                .map_err(|error| StoreError::corrupt("a stored user id is none").because(error))?,
        },
    };
    Ok(Some(Notice { place: place(row, NOTICE)?, at, news }))
}

/// One that only a newer release knows keeps no reader from hearing that the session is over.
fn reason(code: &str) -> Reason {
    Reason::from_code(code).unwrap_or(Reason::Revoked)
}
