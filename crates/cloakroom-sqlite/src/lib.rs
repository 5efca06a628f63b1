//! Durable cloakroom sessions in one SQLite file.
//!
//! ```
//! # fn main() -> Result<(), cloakroom_store::StoreError> {
//! # let mut running = std::pin::pin!(async {
//! # let folder = std::env::temp_dir().join(format!("cloakroom-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let path = folder.join("sessions.db");
//! use cloakroom_sqlite::SqliteStore;
//!
//! let store = SqliteStore::open(&path).await?;
//! // ... and when the service ends:
//! store.close().await;
//! assert!(path.exists());
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<_, cloakroom_store::StoreError>(())
//! # });
//! # let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! # loop {
//! #     if let std::task::Poll::Ready(done) = running.as_mut().poll(&mut context) { break done; }
//! # }
//! # }
//! ```
//!
//! What is acknowledged has been written and synced: it outlives the process and a loss of power.
//! Touches, which only move an idle deadline, outlive the process. Several processes of one machine
//! may share the file; a network file system will not do.
//!
//! # For the operator
//!
//! The file is an ordinary database that the `sqlite3` shell opens; `sessions_readable` is a view
//! for people:
//!
//! ```sql
//! SELECT id, user, seen_at, json_extract(data, '$.cart') FROM sessions_readable;
//! ```
//!
//! Beside it stand `-wal` and `-shm`, which belong to it: copy a running store with
//! `VACUUM INTO` or the shell's `.backup`, never with a copy of the one file. All of them are
//! readable by their owner alone. Times are milliseconds since 1970 UTC.
//!
//! One process uses up to 128 MiB for caches, one thread that writes and one that makes checkpoints,
//! and none that reads: loads run on the thread that asks and take microseconds.
//!
//! # What others change
//!
//! `watch` reads a feed of endings and of users whose rights changed, written in the transaction
//! that it tells of; what is a day old, or beyond its bound, is forgotten and said to be lost.
//! `listen` tells that *something* was changed by another process or another handle, never what: it
//! says `Everything`. While somebody listens the writer looks every 20 ms, for 4 ms of processor time in
//! each second; of 200 endings half were heard within 10 ms of their answer, and the last within
//! 24 ms, on a busy machine. A batch of its own writes delays it by as long as that takes.
//!
//! The feed came with schema 2. A file of schema 1 gains an empty one when it is opened, and older
//! releases refuse to open it from then on. One that has it open already goes on and ends sessions
//! without a notice: stop all older processes before the first newer one starts. A file that was
//! restored from a backup has the feed of then: readers whose place it never gave are told of a
//! loss, but a place that is given a second time is not noticed. Start those who read it anew.

mod checkpoint;
mod database;
mod ears;
mod fault;
mod feed;
mod graves;
mod header;
mod jobs;
mod library;
mod places;
mod queue;
mod reader;
mod rows;
mod schema;
mod store;
mod verbs;
mod watch;
mod writer;

pub use store::{Builder, SqliteStore};
