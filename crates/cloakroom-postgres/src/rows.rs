//! Between a row and a record.

use cloakroom_store::{
    By, ClientInfo, Ended, Factors, Fields, Identity, Op, Ops, Reason, Record, SessionId,
    StoreError, Times, Timestamp, UserId,
};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

/// Where the columns of the type `answer` begin.
const SESSION: usize = 1;
const FORWARDER: usize = 14;
const TOMBSTONE: usize = 19;

/// Where the column stands that comes after those of a session, if there is one.
pub(crate) const AFTER_SESSION: usize = FORWARDER;
/// Where the column stands that comes after all others, if there is one.
pub(crate) const AFTER_ALL: usize = 22;

/// What a verb came to, in a word.
pub(crate) fn outcome(row: &Row) -> Result<&str, StoreError> {
    column(row, 0)
}

/// The session of a row, if it has one, and whether its token was renewed and not seen since.
pub(crate) fn session(row: &Row) -> Result<Option<(Record, bool)>, StoreError> {
    let Some(id) = column::<Option<&[u8]>>(row, SESSION)? else { return Ok(None) };
    let id = session_id(id)?;
    let read = record(id, row).and_then(|record| Ok((record, column(row, 11)?)));
    read.map(Some).map_err(|error| StoreError::corrupt(format!("session {id}")).because(error))
}

/// The session that a row must have.
pub(crate) fn record_of(row: &Row) -> Result<Record, StoreError> {
    session(row)?
        .map(|(record, _)| record)
        .ok_or_else(|| StoreError::corrupt("a stored session is missing"))
}

/// What can still be read of the session of a row, so that damage keeps no session alive and no
/// ending untold: what cannot be read is as if it were not there.
pub(crate) fn remains_of(row: &Row) -> Result<Option<Record>, StoreError> {
    let error = match session(row) {
        Ok(session) => return Ok(session.map(|(record, _)| record)),
        Err(error) => error,
    };
    tracing::warn!(%error, "a session that is over could not be read whole");
    let mut client = ClientInfo::default();
    client.user_agent = column::<Option<&str>>(row, 12)?.map(Into::into);
    let id = column::<Option<&[u8]>>(row, SESSION)?.unwrap_or_default();
    Ok(Some(Record::restored(
        legible_id(id),
        u64::try_from(column::<i64>(row, 2)?).unwrap_or_default(),
        legible_identity(row, 3)?,
        Times {
            created: legible_time(row, 7)?.unwrap_or_default(),
            seen: legible_time(row, 8)?.unwrap_or_default(),
            idle_deadline: legible_time(row, 9)?.unwrap_or_default(),
            absolute_deadline: legible_time(row, 10)?.unwrap_or_default(),
        },
        client,
        legible_fields(row)?,
    )))
}

/// When the older key that led to the session stops working, and the identity that it shows.
pub(crate) fn forwarder(row: &Row) -> Result<Option<(Timestamp, Identity)>, StoreError> {
    let Some(until) = maybe_time(row, FORWARDER)? else { return Ok(None) };
    Ok(Some((until, identity(row, FORWARDER + 1)?)))
}

/// When it did.
pub(crate) fn forwarded_until(row: &Row) -> Result<Option<Timestamp>, StoreError> {
    legible_time(row, FORWARDER)
}

/// What is remembered of a session that is no longer there. A memory that cannot be read, such as
/// a reason that only a newer release knows, is none.
pub(crate) fn tombstone(row: &Row) -> Result<Option<Ended>, StoreError> {
    let Some(at) = legible_time(row, TOMBSTONE)? else { return Ok(None) };
    let reason = Reason::from_code(column(row, TOMBSTONE + 1)?);
    let by = By::new(column(row, TOMBSTONE + 2)?).ok();
    Ok(reason.zip(by).map(|(reason, by)| Ended { reason, by, at }))
}

/// The ids of sessions that were ended.
pub(crate) fn ids(row: &Row, at: usize) -> Result<Vec<SessionId>, StoreError> {
    let ids: Option<Vec<&[u8]>> = column(row, at)?;
    Ok(ids.unwrap_or_default().into_iter().map(legible_id).collect())
}

/// The value in a column.
pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Result<T, StoreError> {
    row.try_get(at).map_err(|_| StoreError::corrupt("a stored value has another type"))
}

/// As a column keeps it; an instant is below 2^53.
pub(crate) fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}

/// Fields as a column keeps them.
pub(crate) fn members(fields: &Fields) -> Vec<String> {
    fields.iter().map(|(name, value)| member(name, value)).collect()
}

/// The names of the fields that change, and what they are after it.
pub(crate) fn changes(ops: &Ops) -> (Vec<String>, Vec<Option<String>>) {
    let mut last = std::collections::BTreeMap::new();
    for op in ops.iter() {
        let after = match op {
            Op::Set(name, value) => Some(member(name, value)),
            Op::Unset(_) => None,
        };
        last.insert(op.name(), after);
    }
    last.into_iter().map(|(name, after)| (quoted(name), after)).unzip()
}

/// A name as a column keeps it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn member(name: &str, value: &str) -> String {
    format!("\"{name}\":{value}")
}

fn record(id: SessionId, row: &Row) -> Result<Record, StoreError> {
    let version = column::<i64>(row, 2)?;
    let members: Vec<&str> = column(row, 13)?;
    let mut client = ClientInfo::default();
    client.user_agent = column::<Option<&str>>(row, 12)?.map(Into::into);
    Ok(Record::restored(
        id,
        u64::try_from(version).map_err(|_| out_of_range())?,
        identity(row, 3)?,
        Times {
            created: time(row, 7)?,
            seen: time(row, 8)?,
            idle_deadline: time(row, 9)?,
            absolute_deadline: time(row, 10)?,
        },
        client,
        Fields::from_json(object(&members))?,
    ))
}

/// The identity that stands in four columns from `at` on.
fn identity(row: &Row, at: usize) -> Result<Identity, StoreError> {
    let mut identity = Identity::anonymous();
    identity.user = column::<Option<&str>>(row, at)?
        .map(UserId::try_from)
        .transpose()
        .map_err(|error| StoreError::corrupt("a stored user id is none").because(error))?;
    let bits = u16::try_from(column::<i32>(row, at + 1)?).map_err(|_| out_of_range())?;
    identity.factors = Factors::from_bits(bits);
    identity.authenticated_at = maybe_time(row, at + 2)?;
    identity.remembered_until = maybe_time(row, at + 3)?;
    Ok(identity)
}

fn time(row: &Row, at: usize) -> Result<Timestamp, StoreError> {
    maybe_time(row, at)?.ok_or_else(out_of_range)
}

fn maybe_time(row: &Row, at: usize) -> Result<Option<Timestamp>, StoreError> {
    let millis: Option<i64> = column(row, at)?;
    let unsigned = |millis| u64::try_from(millis).map_err(|_| out_of_range());
    Ok(millis.map(unsigned).transpose()?.map(Timestamp::from_millis))
}

fn session_id(bytes: &[u8]) -> Result<SessionId, StoreError> {
    let bytes = bytes.try_into();
    let bytes = bytes.map_err(|_| StoreError::corrupt("a stored id has another length"))?;
    Ok(SessionId::from_bytes(bytes))
}

/// As much of the id as there is.
pub(crate) fn legible_id(bytes: &[u8]) -> SessionId {
    let mut whole = [0; 18];
    for (place, byte) in whole.iter_mut().zip(bytes) {
        *place = *byte;
    }
    SessionId::from_bytes(whole)
}

fn legible_identity(row: &Row, at: usize) -> Result<Identity, StoreError> {
    let mut identity = Identity::anonymous();
    let user = column::<Option<&str>>(row, at)?;
    identity.user = user.and_then(|user| UserId::try_from(user).ok());
    let bits = u16::try_from(column::<i32>(row, at + 1)?).unwrap_or_default();
    identity.factors = Factors::from_bits(bits);
    identity.authenticated_at = legible_time(row, at + 2)?;
    identity.remembered_until = legible_time(row, at + 3)?;
    Ok(identity)
}

fn legible_time(row: &Row, at: usize) -> Result<Option<Timestamp>, StoreError> {
    let millis = column::<Option<i64>>(row, at)?;
    Ok(millis.and_then(|millis| u64::try_from(millis).ok()).map(Timestamp::from_millis))
}

fn legible_fields(row: &Row) -> Result<Fields, StoreError> {
    let mut members: Vec<&str> =
        column::<Vec<Option<&str>>>(row, 13)?.into_iter().flatten().collect();
    members.retain(|member| Fields::from_json(object(&[member])).is_ok());
    Ok(Fields::from_json(object(&members)).unwrap_or_default())
}

fn object(members: &[&str]) -> String {
    format!("{{{}}}", members.join(","))
}

fn out_of_range() -> StoreError {
    StoreError::corrupt("a stored number is out of range")
}
