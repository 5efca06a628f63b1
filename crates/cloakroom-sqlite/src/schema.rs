//! The tables, and how a file from an older version becomes one of this version.

use rusqlite::{Connection, TransactionBehavior};

use crate::fault::Halt;
use cloakroom_store::StoreError;

/// Marks a file as ours: `cloa` in ASCII, at offset 68 of its header.
pub(crate) const APPLICATION_ID: i32 = 0x636c_6f61;

/// One step per schema version; step `n` makes version `n + 1` out of version `n` and keeps every
/// session. A released step never changes: a new version is a new step at the end.
const STEPS: &[&str] = &[VERSION_1, VERSION_2];

/// Times are integers, milliseconds since 1970 UTC. `sweep_at` is lazy: a touch leaves it alone,
/// so that it dirties no index, and the sweep files the row again under its true deadline.
const VERSION_1: &str = "
CREATE TABLE sessions (
    row INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    user TEXT,
    factors INTEGER NOT NULL,
    authenticated_at INTEGER,
    remembered_until INTEGER,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    idle_deadline INTEGER NOT NULL,
    absolute_deadline INTEGER NOT NULL,
    sweep_at INTEGER NOT NULL,
    unseen INTEGER NOT NULL DEFAULT 0,
    user_agent TEXT,
    data TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_by_key ON sessions (key);
CREATE UNIQUE INDEX sessions_by_id ON sessions (id);
CREATE INDEX sessions_by_user ON sessions (user, id) WHERE user IS NOT NULL;
CREATE INDEX sessions_by_sweep_at ON sessions (sweep_at, (user IS NOT NULL));

CREATE TABLE forwarders (
    key BLOB NOT NULL,
    session INTEGER NOT NULL,
    user TEXT,
    factors INTEGER NOT NULL,
    authenticated_at INTEGER,
    remembered_until INTEGER,
    until INTEGER NOT NULL,
    grace INTEGER
) STRICT;
CREATE UNIQUE INDEX forwarders_by_key ON forwarders (key);
CREATE INDEX forwarders_by_session ON forwarders (session);
CREATE INDEX forwarders_by_until ON forwarders (until);

CREATE TABLE tombstones (
    row INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    by TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX tombstones_by_key ON tombstones (key);
CREATE INDEX tombstones_by_at ON tombstones (at);

CREATE VIEW sessions_readable AS SELECT
    lower(hex(id)) AS id,
    user,
    version,
    factors,
    datetime(created_at / 1000, 'unixepoch') AS created_at,
    datetime(seen_at / 1000, 'unixepoch') AS seen_at,
    datetime(authenticated_at / 1000, 'unixepoch') AS authenticated_at,
    datetime(min(idle_deadline, absolute_deadline) / 1000, 'unixepoch') AS ends_at,
    datetime(remembered_until / 1000, 'unixepoch') AS remembered_until,
    user_agent,
    data
FROM sessions;
";

/// The feed begins at a random place, so that a place of another file is not taken for one of this.
const VERSION_2: &str = "
CREATE TABLE feed (
    place INTEGER PRIMARY KEY,
    at INTEGER,
    session BLOB,
    reason TEXT,
    user TEXT
) STRICT;
INSERT INTO feed (place) VALUES (abs(random() % 1000000000000));
";

/// Refuses a file whose tables cannot be read, or whose version only a newer release knows.
pub(crate) fn check(db: &Connection) -> Result<(), Halt> {
    known_version(db)?;
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(())
}

fn known_version(db: &Connection) -> Result<usize, Halt> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match usize::try_from(version) {
        Ok(version) if version <= STEPS.len() => Ok(version),
        Ok(_) | Err(_) => Err(Halt::Told(StoreError::refused(format!(
            "its schema has version {version} and this release knows {} at most: use the release \
             that wrote it, or a newer one",
            STEPS.len()
        )))),
    }
}

/// As the file's header keeps it.
fn newest() -> i32 {
    i32::try_from(STEPS.len()).unwrap_or(i32::MAX)
}

/// Brings the file to the newest version, in one transaction.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), Halt> {
    if known_version(db)? == STEPS.len() {
        return Ok(());
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = known_version(&transaction)?;
    for step in STEPS.iter().skip(version) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", newest())?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()?;
    Ok(())
}
