//! The file: what must be true of it, and how connections to it are made.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cloakroom_store::{StoreError, StoreErrorKind, Timestamp};
use rusqlite::{Connection, OpenFlags, ffi};

use crate::fault::{self, Halt, is_busy};
use crate::header::{self, Found};
use crate::schema;
use crate::watch::Watch;

/// How long the writer waits for the writer of another process. Less than the two seconds after which
/// a service gives up on any store: a change that did not get its turn is told to have failed, where
/// otherwise nobody would know, and it might happen after all.
pub(crate) const WRITER_PATIENCE: Duration = Duration::from_millis(1_500);

/// How long a load waits, on the caller's thread, for the rare locks that stop readers.
const READER_PATIENCE: Duration = Duration::from_millis(250);

/// Statements that each connection keeps prepared; more than there are.
const STATEMENTS: usize = 64;

/// What both roles set. Memory maps stay off: each commit makes SQLite map the file anew for the
/// next load, which costs more than the map saves, and a file that is cut short under a map would
/// end the process.
const EVERY_CONNECTION: &str = "
PRAGMA temp_store = MEMORY;
PRAGMA trusted_schema = OFF;
PRAGMA foreign_keys = OFF;
PRAGMA mmap_size = 0;
";

/// `secure_delete = FAST` overwrites what is deleted with zeros where that costs no extra I/O, so
/// that ended sessions do not linger between the others. Checkpoints are the writer's own business:
/// it makes them after it has answered.
const WRITER: &str = "
PRAGMA synchronous = FULL;
PRAGMA secure_delete = FAST;
PRAGMA cache_size = -65536;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 67108864;
";

const READER: &str = "
PRAGMA cache_size = -16384;
";

/// One file of sessions.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    shown: String,
    watch: Watch,
}

impl Database {
    /// Judges the file, makes it if it is not there, and brings it to the newest schema. A file
    /// that is refused is left as it is.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let shown = path.display().to_string();
        prepared(path).map_err(|halt| not_opened(&shown, halt)).map(|(path, watch)| Self {
            path,
            shown,
            watch,
        })
    }

    /// The file as the user named it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// A connection that may write.
    pub(crate) fn writer(&self) -> Result<Connection, StoreError> {
        open_writer(&self.path).map_err(|halt| self.explain(halt))
    }

    /// A connection that only reads.
    pub(crate) fn reader(&self) -> Result<Connection, StoreError> {
        open_reader(&self.path).map_err(|halt| self.explain(halt))
    }

    /// What went wrong, for the caller.
    pub(crate) fn explain(&self, halt: Halt) -> StoreError {
        fault::explain(&self.shown, halt)
    }

    /// Refuses to go on with a file that is no longer where it was.
    pub(crate) fn still_there(&self) -> Result<(), StoreError> {
        self.watch.look(&self.path, &self.shown)
    }

    /// The same, looking once a second of `now` while all is well.
    pub(crate) fn still_there_at(&self, now: Timestamp) -> Result<(), StoreError> {
        self.watch.look_at(&self.path, &self.shown, now)
    }
}

/// Tries again while others open the same new file: where waiting could be a deadlock, as in the
/// change to the write-ahead log, SQLite answers *busy* at once in spite of its timeout.
fn patiently(mut work: impl FnMut() -> Result<(), Halt>) -> Result<(), Halt> {
    const TRIES: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(20);
    for _ in 1..TRIES {
        match work() {
            Err(halt) if is_busy(&halt) => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
    work()
}

/// The whole path, and a watch on the file there, which is ours and of the newest schema.
fn prepared(path: &Path) -> Result<(PathBuf, Watch), Halt> {
    let path = header::whole_path(path)?;
    match header::look(&path)? {
        Found::Ours => schema::check(&open_reader(&path)?)?,
        Found::Empty => {}
        Found::Nothing => header::make_private_file(&path)?,
    }
    patiently(|| {
        let mut db = open_writer(&path)?;
        schema::migrate(&mut db)?;
        write_ahead(&db)
    })?;
    let watch = Watch::new(&path)?;
    Ok((path, watch))
}

/// Readers and the writer do not wait for each other in a write-ahead log. The file remembers the
/// mode, so that later connections need not set it.
fn write_ahead(db: &Connection) -> Result<(), Halt> {
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(Halt::Told(StoreError::refused(format!(
        "its journal mode is `{mode}` and cannot be changed to `wal`: put it on a local disk"
    ))))
}

fn open_writer(path: &Path) -> Result<Connection, Halt> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, WRITER_PATIENCE, WRITER)?;
    // What may only be read is opened all the same.
    if db.is_readonly("main")? {
        return Err(
            rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY), None).into()
        );
    }
    Ok(db)
}

fn open_reader(path: &Path) -> Result<Connection, Halt> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_PATIENCE, READER)
}

/// Neither role creates a file: one that was removed must not come back empty. No mutex: each
/// connection is used by one thread at a time.
fn connect(
    path: &Path,
    role: OpenFlags,
    patience: Duration,
    pragmas: &str,
) -> Result<Connection, Halt> {
    let db = Connection::open_with_flags(path, role | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(patience)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.execute_batch(EVERY_CONNECTION)?;
    db.execute_batch(pragmas)?;
    Ok(db)
}

/// Names the file, and keeps what the caller can do about it.
fn not_opened(shown: &str, halt: Halt) -> StoreError {
    let error = match halt {
        Halt::Told(error) => error,
        Halt::Engine(_) => return fault::explain(shown, halt),
    };
    let message = format!("`{shown}` cannot be opened");
    if error.kind() == StoreErrorKind::Corrupt {
        StoreError::corrupt(message).because(error)
    } else if error.kind() == StoreErrorKind::Refused {
        StoreError::refused(message).because(error)
    } else {
        StoreError::unavailable(message).because(error)
    }
}
