//! Moves what the log holds into the file, beside the writer and not in its way.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use cloakroom_store::StoreError;
use rusqlite::{Connection, Row};

use crate::database::Database;

/// How many pages the log may hold that are not in the file yet: 64 MiB. More makes checkpoints
/// rarer, longer, and cheaper for each change.
const WAITING: i64 = 16_384;

/// How long the log may become: 256 MiB. It begins anew only when all of it is in the file, which
/// a busy writer prevents; then the writer sees to it itself.
const LENGTH: i64 = 4 * WAITING;

/// A thread that makes checkpoints when it is asked to.
pub(crate) struct Checkpoints {
    database: Arc<Database>,
    ask: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    pub(crate) fn start(database: Arc<Database>) -> Result<Self, StoreError> {
        let (ask, asked) = mpsc::sync_channel(1);
        let shared = Arc::clone(&database);
        let thread = thread::Builder::new()
            .name("cloakroom-sqlite-checkpoint".to_owned())
            .spawn(move || make_when_asked(&shared, &asked))
            .map_err(|error| StoreError::unavailable("no thread for checkpoints").because(error))?;
        Ok(Self { database, ask, thread })
    }

    /// Sees to the log after a transaction on `db`.
    pub(crate) fn look(&self, db: &Connection) {
        let read = |row: &Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let log = db
            .prepare_cached("PRAGMA wal_checkpoint(NOOP)")
            .and_then(|mut statement| statement.query_row([], read));
        let Ok((length, moved)) = log else { return };
        if length >= LENGTH {
            make(&self.database, db, "PRAGMA wal_checkpoint(PASSIVE)");
        } else if length - moved >= WAITING {
            // It may have been asked before.
            let _ = self.ask.try_send(());
        }
    }

    /// Ends the thread, and leaves one whole file behind if no other process has it open.
    pub(crate) fn finish(self, db: &Connection) {
        drop(self.ask);
        // It ends by itself; there is nothing to learn from how.
        let _ = self.thread.join();
        if self.database.still_there().is_ok() {
            make(&self.database, db, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }
}

fn make_when_asked(database: &Database, asked: &Receiver<()>) {
    let mut open = None;
    while asked.recv().is_ok() {
        if open.is_none() {
            open = database.writer().ok();
        }
        if let Some(db) = &open
            && !make(database, db, "PRAGMA wal_checkpoint(PASSIVE)")
        {
            open = None;
        }
    }
}

/// A checkpoint that fails loses nothing: the log keeps what it has.
fn make(database: &Database, db: &Connection, how: &str) -> bool {
    let made = db.query_row(how, [], |_| Ok(()));
    if let Err(error) = &made {
        tracing::warn!(file = database.shown(), %error, "a checkpoint failed");
    }
    made.is_ok()
}
