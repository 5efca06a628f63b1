//! The tables and functions, and how a schema from an older version becomes one of this version.

use cloakroom_store::{Ended, FEED_KEPT, FEED_MAX, FIELD_MAX, FIELDS_MAX, SESSION_MAX, StoreError};
use tokio_postgres::Client;

use crate::fault;

/// One step per schema version; step `n` makes version `n + 1` out of version `n` and keeps every
/// session. A released step never changes: a new version is a new step at the end.
const STEPS: &[&str] = &[VERSION_1, VERSION_2, VERSION_3];

const VERSION_1: &str = concat!(
    include_str!("schema/version_1_tables.sql"),
    include_str!("schema/version_1_functions.sql")
);

const VERSION_2: &str = include_str!("schema/version_2_functions.sql");

const VERSION_3: &str = include_str!("schema/version_3_feed.sql");

/// How many endings are remembered at most: about 40 MB. The oldest are forgotten first.
const TOMBSTONES_MAX: u32 = 250_000;

/// The columns of a session `s`, in the order of the type `answer`.
const SESSION: &str = "s.id, s.version, s.user_id, s.factors, s.authenticated_at, \
    s.remembered_until, s.created_at, s.seen_at, s.idle_deadline, s.absolute_deadline, s.unseen, \
    s.user_agent, s.data";

const SESSION_TYPES: &str = "id bytea, version bigint, user_id text, factors integer, \
    authenticated_at bigint, remembered_until bigint, created_at bigint, seen_at bigint, \
    idle_deadline bigint, absolute_deadline bigint, unseen boolean, user_agent text, data text[]";

/// The columns of a forwarder `f` that follow.
const FORWARDER: &str = "f.until, f.user_id, f.factors, f.authenticated_at, f.remembered_until";

const NOTHING_ELSE: &str = "NULL::bigint, NULL::text, NULL::integer, NULL::bigint, NULL::bigint, \
    NULL::bigint, NULL::text, NULL::text";

/// The instant from which on nothing can be done with a session, as `Record::sweepable_at`.
const STAYS: &str = "GREATEST(LEAST(idle_deadline, absolute_deadline), \
    CASE WHEN user_id IS NOT NULL THEN remembered_until END)";

/// A number of 1 and above, drawn anew for each row.
const STAMP: &str = "(1 + floor(random() * 9007199254740991))::bigint";

/// The name of a schema: what needs no quotes, so that operators can write it anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schema(String);

impl Schema {
    /// The longest name that PostgreSQL keeps whole.
    const NAME_MAX: usize = 63;

    /// The schema of this name.
    pub(crate) fn new(name: &str) -> Result<Self, StoreError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if begins && name.len() <= Self::NAME_MAX && name.chars().all(plain) && !is_reserved(name) {
            return Ok(Self(name.to_owned()));
        }
        Err(StoreError::refused(
            "a schema name is 1 to 63 lower-case ASCII letters, digits and `_`, does not begin \
             with a digit or `pg_`, and is not `information_schema`",
        ))
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// SQL that was written for the schema `cloakroom`, for this one.
    pub(crate) fn sql(&self, text: &str) -> String {
        let max = |number: usize| number.to_string();
        text.replace("@session@", SESSION)
            .replace("@session_types@", SESSION_TYPES)
            .replace("@forwarder@", FORWARDER)
            .replace("@nothing_else@", NOTHING_ELSE)
            .replace("@stays@", STAYS)
            .replace("@kept@", &Ended::KEPT.as_millis().to_string())
            .replace("@fields_max@", &max(FIELDS_MAX))
            .replace("@field_max@", &max(FIELD_MAX))
            .replace("@session_max@", &max(SESSION_MAX))
            .replace("@tombstones_max@", &TOMBSTONES_MAX.to_string())
            .replace("@feed_kept@", &FEED_KEPT.as_millis().to_string())
            .replace("@feed_max@", &max(FEED_MAX))
            .replace("@stamp@", STAMP)
            .replace("@feed_lock@", &self.lock(1))
            .replace("@trim_lock@", &self.lock(2))
            .replace("@channel@", &self.channel())
            .replace("@seed@", &self.seed().to_string())
            .replace("cloakroom.", &format!("\"{}\".", self.0))
    }

    /// Where this schema's changes are told: its name may be too long to be part of another.
    fn channel(&self) -> String {
        format!("cloakroom_{:016x}", self.seed())
    }

    /// A lock of this schema that is none of a user's: those have one number and this has two.
    fn lock(&self, which: u8) -> String {
        // Without the sign, since a minus in SQL is an operator and the least number has no opposite.
        let [a, b, c, d, ..] = self.seed().to_be_bytes();
        format!("{}, {which}", i32::from_be_bytes([a & 0x7f, b, c, d]))
    }

    /// Keeps the locks of different schemas in one database apart (FNV-1a).
    fn seed(&self) -> i64 {
        let hash = self.0.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        i64::from_ne_bytes(hash.to_ne_bytes())
    }
}

fn is_reserved(name: &str) -> bool {
    name.starts_with("pg_") || name == "information_schema"
}

/// Brings the schema to the newest version, in one transaction, and beside others that do the same.
///
/// Nothing is written, and no right to create is needed, if it has that version.
pub(crate) async fn migrate(client: &Client, schema: &Schema) -> Result<(), StoreError> {
    if version(client, schema).await? == STEPS.len() {
        return Ok(());
    }
    // Held until the connection ends. The transaction begins after it, so that it sees the tables
    // that whoever held it before has made.
    let lock = format!("SELECT pg_advisory_lock(hashtextextended('', {}))", schema.seed());
    client.batch_execute(&lock).await.map_err(fault::connecting)?;
    let version = version(client, schema).await?;
    let steps = steps(version, STEPS.len(), schema);
    client.batch_execute(&steps).await.map_err(|error| not_made(schema, error))
}

/// What makes the version `to` out of the version `from`.
fn steps(from: usize, to: usize, schema: &Schema) -> String {
    let mut all = "BEGIN;".to_owned();
    if from == 0 {
        let name = schema.name();
        all.push_str(&format!(
            "DO $$ BEGIN IF to_regnamespace('\"{name}\"') IS NULL THEN CREATE SCHEMA \"{name}\"; \
             END IF; END $$; \
             CREATE TABLE \"{name}\".schema_version (version integer NOT NULL); \
             INSERT INTO \"{name}\".schema_version VALUES (0);"
        ));
    }
    STEPS.iter().take(to).skip(from).for_each(|step| all.push_str(&schema.sql(step)));
    all.push_str(&schema.sql("UPDATE cloakroom.schema_version SET version = "));
    all.push_str(&format!("{to}; COMMIT"));
    all
}

/// The version of the schema; 0 if it is not there.
async fn version(client: &Client, schema: &Schema) -> Result<usize, StoreError> {
    let name = schema.name();
    let there = format!("SELECT to_regclass('\"{name}\".schema_version') IS NOT NULL");
    let there = client.query_one(&there, &[]).await.and_then(|row| row.try_get(0));
    if !there.map_err(fault::connecting)? {
        return Ok(0);
    }
    let sql = schema.sql("SELECT version FROM cloakroom.schema_version");
    let found = client.query_one(&sql, &[]).await.and_then(|row| row.try_get::<_, i32>(0));
    let found = found.map_err(fault::connecting)?;
    match usize::try_from(found) {
        Ok(version) if version <= STEPS.len() => Ok(version),
        Ok(_) | Err(_) => Err(StoreError::refused(format!(
            "the schema `{name}` has version {found} and this release knows {} at most: use the \
             release that wrote it, or a newer one",
            STEPS.len()
        ))),
    }
}

fn not_made(schema: &Schema, error: tokio_postgres::Error) -> StoreError {
    use tokio_postgres::error::SqlState;
    let name = schema.name();
    match error.code() {
        Some(code) if *code == SqlState::DUPLICATE_TABLE || *code == SqlState::DUPLICATE_OBJECT => {
            StoreError::refused(format!(
                "the schema `{name}` holds tables of something else: choose another name"
            ))
            .because(fault::Said::of(&error))
        }
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => StoreError::refused(format!(
            "the role may not make the schema `{name}`: grant it CREATE on the database for the \
             first start, or let another role make the tables"
        ))
        .because(fault::Said::of(&error)),
        Some(_) | None => fault::connecting(error),
    }
}

#[cfg(test)]
mod tests;
