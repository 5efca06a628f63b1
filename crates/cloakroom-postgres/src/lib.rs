//! Cloakroom sessions in PostgreSQL, for services of several machines.
//!
//! ```no_run
//! # async fn open() -> Result<(), cloakroom_store::StoreError> {
//! use cloakroom_postgres::{PostgresConfig, PostgresStore};
//! use cloakroom_store::Store as _;
//!
//! let config: PostgresConfig = "postgres://shop:secret@db.internal/shop".parse()?;
//! let store = PostgresStore::connect(config).await?;
//! // ... and when the service ends:
//! store.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Each verb is one statement, and so one round trip and one transaction; touches of many sessions
//! are gathered into one. Only the first load through a renewed ticket is followed by a second
//! statement, which starts the grace of the older one.
//!
//! # What is survived
//!
//! | class | as it comes | with [`lose_recent_data_on_server_crash`] |
//! |---|---|---|
//! | creations, rotations, resumptions, endings | power loss | power loss |
//! | changes of fields | power loss | process crash: a crash of the server loses the last moments |
//! | touches | process crash | process crash |
//!
//! *Process crash* is here the end of any process of the service. The last moments are three times
//! the server's `wal_writer_delay` at most, which is 0.6 s as it comes. A server with `fsync = off`
//! is declared as surviving process crashes only. A standby that is promoted has what was replicated
//! to it: with asynchronous replication, what was acknowledged last may be missing, and a session
//! that was ended in these moments is back. With synchronous replication it is not; nothing is
//! declared of it, since it is the server's setting and can change at any time.
//!
//! [`lose_recent_data_on_server_crash`]: PostgresConfig::lose_recent_data_on_server_crash
//!
//! # For the operator
//!
//! Tested with PostgreSQL 15; 13, 14 and 16 to 18 are expected to work and are not tested. The
//! database is in UTF-8.
//!
//! `sessions_readable` is a view for people:
//!
//! ```sql
//! SELECT id, user_id, seen_at, data->'cart' FROM cloakroom.sessions_readable;
//! ```
//!
//! In the tables times are milliseconds since 1970 UTC, and each field is one text `"name":value`
//! with its value to the letter. The first start makes the schema, later ones bring it to their
//! version, one process at a time. A role that may not create can use what another has made:
//! see [`GRANTS`].
//!
//! **Poolers.** The store keeps few connections and pipelines on them, so it needs no pooler. One that
//! gives each client a server connection of its own for as long as it stays (session mode) works.
//! One that hands them out per transaction does not: it loses prepared statements, the limits of
//! the session, and the lock under which the tables are made.
//!
//! **Limits.** Every call is bounded: see [`PostgresConfig::call_limit`]. The server gives statements
//! and waits for locks up after three quarters of it, so that in most cases it is known that nothing
//! was changed; where it is not, the error says that the outcome is unknown.
//!
//! **The feed.** Endings and amendments are written into it under one lock per schema, which is held
//! from the last thing that such a verb does until its commit is seen by all. So places have the order
//! of the commits, a reader has the news as soon as the verb is answered, and the transactions of
//! others, however long, hold nothing back. The price: endings of one schema are committed one after
//! another (some hundreds a second), and with a synchronous standby each waits for the one before to be confirmed there. A
//! place of commits that the server has lost (a standby took over, a backup was restored) is known by
//! its stamp, and the reader is told that something is lost. Sweeps trim the feed.
//!
//! **Listening.** Where a cache stands in front of the store, one connection more listens (`LISTEN`).
//! Endings, rotations, resumptions and amendments send the keys that they change (`NOTIFY`), data and
//! touches send nothing. The server is asked every second, so that a silent connection is noticed
//! within two. Whoever may connect to the database can hear the keys, which open nothing, and can send
//! some, which empties caches. A listener of somebody else that stays in a transaction fills the
//! server's queue of notifications; when that is full, endings fail until it goes on.
//!
//! **Room.** About 850 bytes a session with 300 bytes of data, indexes and the room for changes included; `docs/decisions` and
//! `bench` have the figures.

mod calls;
mod config;
mod dial;
mod ears;
mod fault;
mod feed;
mod lines;
mod params;
mod places;
mod rows;
mod schema;
mod store;
#[cfg(feature = "tls")]
mod tls;
mod touches;
mod verbs;

pub use config::PostgresConfig;
pub use store::PostgresStore;

/// What a role `shop` needs for a store in the schema `cloakroom` whose tables another role has
/// made. To make them, on the first start and after an upgrade that changes them, a role needs
/// CREATE on the database; an upgrade lets those in to a new table who were let in to the older ones.
pub const GRANTS: &str = "\
GRANT USAGE ON SCHEMA cloakroom TO shop;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cloakroom TO shop;
";
