//! What a key leads to: a session, through a forwarder to one, or only to its grave.

use cloakroom_store::{Ended, Identity, Load, Reason, Record, StoreError, Times, Timestamp};
use tokio_postgres::Row;

use crate::rows;

/// What is behind a key at one instant.
#[derive(Debug)]
pub(crate) enum Place {
    /// A live session; whether its token was renewed and not seen since.
    Live(Record, bool),
    /// A live session whose token was renewed, as the older ticket shows it.
    Forwarded(Record),
    /// A session whose clocks ran out while its user is remembered.
    Dormant(Record),
    /// Nothing.
    Gone(Option<Ended>),
}

impl Place {
    /// What a row of the type `answer` says at `now`.
    pub(crate) fn read(row: &Row, now: Timestamp) -> Result<Self, StoreError> {
        let Some((record, unseen)) = rows::session(row)? else {
            return Ok(Self::Gone(ending(row, now)?));
        };
        match rows::forwarder(row)? {
            Some((until, before)) => Ok(forwarded(&record, until, before, now)),
            None => Ok(judge(record, unseen, now)),
        }
    }

    /// What a load says.
    pub(crate) fn load(self) -> Load {
        match self {
            Self::Live(record, _) => Load::Live(record),
            Self::Forwarded(record) => Load::Forwarded(record),
            Self::Dormant(record) => Load::Dormant(record),
            Self::Gone(ended) => Load::Gone(ended),
        }
    }
}

/// How what a row is about has ended, if it has at `now`, however damaged it is.
pub(crate) fn ending(row: &Row, now: Timestamp) -> Result<Option<Ended>, StoreError> {
    let ended = match (rows::remains_of(row)?, rows::forwarded_until(row)?) {
        (None, _) => rows::tombstone(row)?,
        (Some(record), Some(until)) => over(until, record.times(), now),
        (Some(record), None) => record.ended(now),
    };
    Ok(ended.and_then(|ended| kept(ended, now)))
}

/// The record as whoever came with the key may see it.
pub(crate) fn view(row: &Row) -> Result<Record, StoreError> {
    let record = rows::record_of(row)?;
    Ok(match rows::forwarder(row)? {
        Some((_, before)) => record.seen_as(before),
        None => record,
    })
}

fn judge(record: Record, unseen: bool, now: Timestamp) -> Place {
    match record.ended(now) {
        None => Place::Live(record, unseen),
        Some(_) if record.is_dormant(now) => Place::Dormant(record),
        Some(ended) => Place::Gone(kept(ended, now)),
    }
}

fn forwarded(record: &Record, until: Timestamp, before: Identity, now: Timestamp) -> Place {
    match over(until, record.times(), now) {
        None => Place::Forwarded(record.seen_as(before)),
        Some(ended) => Place::Gone(kept(ended, now)),
    }
}

/// How an older ticket ended, if it has at `now`: by its own time or by that of its session,
/// whichever came first.
fn over(until: Timestamp, times: &Times, now: Timestamp) -> Option<Ended> {
    let timeout = times.expired(now);
    match timeout {
        Some(ended) if ended.at < until => timeout,
        Some(_) | None => (until <= now).then(|| Ended::timeout(Reason::Replaced, until)),
    }
}

/// What is still told of an ending at `now`.
fn kept(ended: Ended, now: Timestamp) -> Option<Ended> {
    ended.is_kept(now).then_some(ended)
}
