//! Between a row and a record.

use cloakroom_store::{
    ClientInfo, Factors, Fields, Identity, Key, Record, SessionId, StoreError, Target, Times,
    Timestamp, UserId,
};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Params, Row, params};

use crate::fault::Halt;

/// A query for whole sessions: what follows `FROM sessions`.
macro_rules! select_sessions {
    ($rest:literal) => {
        concat!(
            "SELECT row, key, id, version, user, factors, authenticated_at, remembered_until, \
             created_at, seen_at, idle_deadline, absolute_deadline, unseen, user_agent, data \
             FROM sessions ",
            $rest
        )
    };
}
pub(crate) use select_sessions;

/// A query for outlines: what follows `FROM sessions`.
macro_rules! select_outlines {
    ($rest:literal) => {
        concat!(
            "SELECT row, key, id, created_at, seen_at, idle_deadline, absolute_deadline, \
             iif(user IS NULL, 0, ifnull(remembered_until, 0)) FROM sessions ",
            $rest
        )
    };
}
pub(crate) use select_outlines;

/// What it takes to end a session: not its data, so that damaged data cannot keep it alive.
#[derive(Debug)]
pub(crate) struct Outline {
    pub(crate) row: i64,
    pub(crate) key: Key,
    pub(crate) id: SessionId,
    pub(crate) times: Times,
    /// As [`Record::sweepable_at`].
    pub(crate) sweepable_at: Timestamp,
}

impl Outline {
    /// From a row of [`select_outlines`].
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, Halt> {
        let times = read_times(row, 3)?;
        Ok(Self {
            row: row.get(0)?,
            key: Key::from_bytes(bytes(row, 1)?),
            id: SessionId::from_bytes(bytes(row, 2)?),
            times,
            sweepable_at: times.deadline().max(time(row, 7)?),
        })
    }
}

/// A session as its row says.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) row: i64,
    pub(crate) key: Key,
    pub(crate) record: Record,
    /// Renewed, and not yet loaded through the new key.
    pub(crate) unseen: bool,
}

impl Stored {
    /// From a row of [`select_sessions`].
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, Halt> {
        let id = SessionId::from_bytes(bytes(row, 2)?);
        Self::read_as(id, row).map_err(|halt| match halt {
            Halt::Told(error) => {
                Halt::Told(StoreError::corrupt(format!("session {id}")).because(error))
            }
            Halt::Engine(error) => Halt::Engine(error),
        })
    }

    fn read_as(id: SessionId, row: &Row<'_>) -> Result<Self, Halt> {
        let record = Record::restored(
            id,
            u64::try_from(row.get::<_, i64>(3)?).map_err(|_| out_of_range())?,
            identity(row, 4)?,
            read_times(row, 8)?,
            client(row, 13)?,
            Fields::from_json(text(row, 14)?)?,
        );
        let key = Key::from_bytes(bytes(row, 1)?);
        Ok(Self { row: row.get(0)?, key, record, unseen: row.get(12)? })
    }

    /// What can still be read of a session: what cannot is as if it were not there.
    fn remains(row: &Row<'_>) -> Result<Self, Halt> {
        let instant = |at| maybe_time(row, at).ok().flatten();
        let mut identity = Identity::anonymous();
        let user = maybe_text(row, 4).ok().flatten();
        identity.user = user.and_then(|user| UserId::try_from(user).ok());
        identity.factors = Factors::from_bits(row.get(5).unwrap_or_default());
        identity.authenticated_at = instant(6);
        identity.remembered_until = instant(7);
        let times = Times {
            created: instant(8).unwrap_or_default(),
            seen: instant(9).unwrap_or_default(),
            idle_deadline: instant(10).unwrap_or_default(),
            absolute_deadline: instant(11).unwrap_or_default(),
        };
        let id = row.get_ref(2)?.as_blob().unwrap_or_default();
        let version = row.get::<_, i64>(3).ok().and_then(|number| u64::try_from(number).ok());
        let fields = text(row, 14).ok().and_then(|data| Fields::from_json(data).ok());
        let record = Record::restored(
            legible_id(id),
            version.unwrap_or_default(),
            identity,
            times,
            client(row, 13).unwrap_or_default(),
            fields.unwrap_or_default(),
        );
        let key = Key::from_bytes(bytes(row, 1)?);
        Ok(Self { row: row.get(0)?, key, record, unseen: row.get(12).unwrap_or_default() })
    }
}

/// As much of the id as there is.
fn legible_id(bytes: &[u8]) -> SessionId {
    let mut whole = [0; 18];
    for (place, byte) in whole.iter_mut().zip(bytes) {
        *place = *byte;
    }
    SessionId::from_bytes(whole)
}

/// The session behind `key`, whatever its clocks say.
pub(crate) fn by_key(db: &Connection, key: &Key) -> Result<Option<Stored>, Halt> {
    first(db.prepare_cached(select_sessions!("WHERE key = ?1"))?, [key.as_bytes().as_slice()])
}

/// The session of this id, whatever its clocks say.
pub(crate) fn by_id(db: &Connection, id: SessionId) -> Result<Option<Stored>, Halt> {
    first(db.prepare_cached(select_sessions!("WHERE id = ?1"))?, [id.as_bytes().as_slice()])
}

/// What can still be read of the session that is to end, so that damage keeps no session alive and no
/// ending untold.
pub(crate) fn remains(db: &Connection, target: &Target) -> Result<Option<Stored>, Halt> {
    let (mut statement, name) = match target {
        Target::Key(key) => {
            (db.prepare_cached(select_sessions!("WHERE key = ?1"))?, key.as_bytes().as_slice())
        }
        Target::Id(id) => {
            (db.prepare_cached(select_sessions!("WHERE id = ?1"))?, id.as_bytes().as_slice())
        }
    };
    let mut rows = statement.query([name])?;
    rows.next()?.map(Stored::remains).transpose()
}

/// Whether a session has this id.
pub(crate) fn has_id(db: &Connection, id: SessionId) -> Result<bool, Halt> {
    let mut statement = db.prepare_cached("SELECT 1 FROM sessions WHERE id = ?1")?;
    Ok(statement.exists([id.as_bytes().as_slice()])?)
}

/// The session in this row, whatever its clocks say.
pub(crate) fn by_row(db: &Connection, row: i64) -> Result<Option<Stored>, Halt> {
    first(db.prepare_cached(select_sessions!("WHERE row = ?1"))?, [row])
}

/// The outline of the session in this row.
pub(crate) fn outline(db: &Connection, row: i64) -> Result<Option<Outline>, Halt> {
    let mut statement = db.prepare_cached(select_outlines!("WHERE row = ?1"))?;
    let mut rows = statement.query([row])?;
    rows.next()?.map(Outline::read).transpose()
}

/// What the first row of the answer says.
fn first(mut statement: CachedStatement<'_>, params: impl Params) -> Result<Option<Stored>, Halt> {
    let mut rows = statement.query(params)?;
    rows.next()?.map(Stored::read).transpose()
}

/// What every row of the answer says.
pub(crate) fn all<T>(
    mut statement: CachedStatement<'_>,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Halt>,
) -> Result<Vec<T>, Halt> {
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Writes a new session.
pub(crate) fn insert(db: &Connection, key: &Key, record: &Record) -> Result<(), Halt> {
    let Times { created, seen, idle_deadline, absolute_deadline } = *record.times();
    let Identity { user, factors, authenticated_at, remembered_until, .. } = record.identity();
    db.prepare_cached(
        "INSERT INTO sessions (key, id, version, user, factors, authenticated_at, \
         remembered_until, created_at, seen_at, idle_deadline, absolute_deadline, sweep_at, \
         user_agent, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        key.as_bytes().as_slice(),
        record.id().as_bytes().as_slice(),
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
        record.client().user_agent.as_deref(),
        record.fields().as_json(),
    ])?;
    Ok(())
}

/// Writes changed fields and a moved idle deadline. No index has to change.
pub(crate) fn update_data(db: &Connection, row: i64, record: &Record) -> Result<(), Halt> {
    db.prepare_cached(
        "UPDATE sessions SET version = ?2, seen_at = ?3, idle_deadline = ?4, data = ?5 \
         WHERE row = ?1",
    )?
    .execute(params![
        row,
        signed(record.version()),
        millis(record.times().seen),
        millis(record.times().idle_deadline),
        record.fields().as_json(),
    ])?;
    Ok(())
}

/// Writes a moved idle deadline, never backwards.
pub(crate) fn update_times(db: &Connection, row: i64, times: &Times) -> Result<(), Halt> {
    db.prepare_cached(
        "UPDATE sessions SET seen_at = max(seen_at, ?2), idle_deadline = max(idle_deadline, ?3) \
         WHERE row = ?1",
    )?
    .execute(params![row, millis(times.seen), millis(times.idle_deadline)])?;
    Ok(())
}

/// The identity that stands in four columns from `at` on.
pub(crate) fn identity(row: &Row<'_>, at: usize) -> Result<Identity, Halt> {
    let mut identity = Identity::anonymous();
    identity.user = maybe_text(row, at)?
        .map(UserId::try_from)
        .transpose()
        .map_err(|error| StoreError::corrupt("a stored user id is none").because(error))?;
    identity.factors = Factors::from_bits(row.get(at + 1)?);
    identity.authenticated_at = maybe_time(row, at + 2)?;
    identity.remembered_until = maybe_time(row, at + 3)?;
    Ok(identity)
}

/// The clocks that stand in four columns from `at` on.
fn read_times(row: &Row<'_>, at: usize) -> Result<Times, Halt> {
    Ok(Times {
        created: time(row, at)?,
        seen: time(row, at + 1)?,
        idle_deadline: time(row, at + 2)?,
        absolute_deadline: time(row, at + 3)?,
    })
}

/// The instant in a column that is never null.
pub(crate) fn time(row: &Row<'_>, at: usize) -> Result<Timestamp, Halt> {
    maybe_time(row, at)?.ok_or_else(|| out_of_range().into())
}

/// The bytes in a column, which are exactly as many.
pub(crate) fn bytes<const N: usize>(row: &Row<'_>, at: usize) -> Result<[u8; N], Halt> {
    let bytes = row.get_ref(at)?.as_blob().ok().and_then(|blob| blob.try_into().ok());
    bytes.ok_or_else(|| StoreError::corrupt("a stored name has another length").into())
}

/// The text in a column that is never null.
pub(crate) fn text<'a>(row: &'a Row<'_>, at: usize) -> Result<&'a str, Halt> {
    maybe_text(row, at)?.ok_or_else(|| StoreError::corrupt("a stored text is missing").into())
}

/// As a column keeps it; an instant is below 2^53.
pub(crate) fn millis(at: Timestamp) -> i64 {
    signed(at.as_millis())
}

/// As a column keeps it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn maybe_time(row: &Row<'_>, at: usize) -> Result<Option<Timestamp>, Halt> {
    let millis: Option<i64> = row.get(at)?;
    let unsigned = |millis| u64::try_from(millis).map_err(|_| Halt::Told(out_of_range()));
    Ok(millis.map(unsigned).transpose()?.map(Timestamp::from_millis))
}

fn maybe_text<'a>(row: &'a Row<'_>, at: usize) -> Result<Option<&'a str>, Halt> {
    match row.get_ref(at)? {
        ValueRef::Null => Ok(None),
        value @ (ValueRef::Text(_)
        | ValueRef::Integer(_)
        | ValueRef::Real(_)
        | ValueRef::Blob(_)) => Ok(Some(
            value
                .as_str()
                .map_err(|error| StoreError::corrupt("a stored text is none").because(error))?,
        )),
    }
}

fn client(row: &Row<'_>, at: usize) -> Result<ClientInfo, Halt> {
    let mut client = ClientInfo::default();
    client.user_agent = maybe_text(row, at)?.map(Into::into);
    Ok(client)
}

fn out_of_range() -> StoreError {
    StoreError::corrupt("a stored number is out of range")
}
