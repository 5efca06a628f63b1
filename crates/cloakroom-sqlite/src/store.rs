use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use cloakroom_store::{
    Answer, Bulletin, Commit, Count, Create, Cursor, Draft, End, EndedAll, Ending, Expect, Fields,
    Keep, Key, LOOKUP_MAX, Limit, Listener, Loads, Ops, Page, Reach, Record, Registry, Resume,
    Rotate, Rotation, Route, SessionId, Store, StoreError, Survival, Survives, Swept, Target,
    Timestamp, Told, Touch, UserId,
};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::database::Database;
use crate::ears::Door;
use crate::fault::Halt;
use crate::jobs::{Sweep, Verb};
use crate::queue::{self, Message, QUEUE_MAX, Queue};
use crate::reader::Readers;
use crate::verbs::{self, Asked, Found};
use crate::writer::Writer;
use crate::{feed, library, places};

/// Sessions in one SQLite file.
///
/// A handle: clones share the file, its caches and its writer. When the last one is dropped, the
/// writer does what is waiting and ends; [`SqliteStore::close`] waits for that.
///
/// # Errors
///
/// Every error names the file. Verbs answer *unavailable* while the file is locked by another
/// process for longer than one and a half seconds, cannot be written, was removed or replaced, its disk is
/// full, or 10,000 writes are waiting; nothing half-written stays, and service resumes when the
/// cause is gone. They answer *corrupt* if what is stored cannot be read.
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    database: Arc<Database>,
    readers: Arc<Readers>,
    queue: Queue,
    door: Arc<Door>,
    relaxed: bool,
}

/// How a store is opened; made by [`SqliteStore::builder`].
#[derive(Clone, Debug)]
pub struct Builder {
    path: PathBuf,
    relaxed: bool,
}

impl Builder {
    /// Acknowledges a change when the operating system has it, and not when the disk has it.
    ///
    /// Faster on slow disks. A change still outlives the process, but when the machine loses power
    /// the last seconds may be missing: a session that was ended in them is back. Declared as
    /// [`Survives::ProcessCrash`].
    #[must_use]
    pub const fn dangerous_lose_recent_changes_on_power_loss(mut self) -> Self {
        self.relaxed = true;
        self
    }

    /// Opens the file, or makes it.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub async fn open(self) -> Result<SqliteStore, StoreError> {
        self.open_now()
    }

    fn open_now(self) -> Result<SqliteStore, StoreError> {
        library::check()?;
        let database = Arc::new(Database::open(&self.path)?);
        let readers = Arc::new(Readers::default());
        let (queue, intake) = queue::queue(QUEUE_MAX);
        let door = Arc::<Door>::default();
        let writer = Writer::open(Arc::clone(&database), Arc::clone(&door), self.relaxed)?;
        writer.start(Arc::clone(&readers), intake)?;
        let shared = Shared { database, readers, queue, door, relaxed: self.relaxed };
        Ok(SqliteStore { shared: Arc::new(shared) })
    }
}

impl SqliteStore {
    /// Opens the file at `path`, or makes it with access for its owner alone.
    ///
    /// It needs no runtime, and its short work is done by the first poll.
    ///
    /// # Errors
    ///
    /// Corrupt if the file is damaged or is not an SQLite database. Refused if it is one of another
    /// application, was written by a newer release, or if the SQLite library can lose commits
    /// (before 3.51.3). Unavailable if the folder is missing or the file cannot be read or written.
    /// The file is left as it was in each case.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::builder(path).open_now()
    }

    /// How to open the file at `path`.
    #[must_use]
    pub fn builder(path: impl AsRef<Path>) -> Builder {
        Builder { path: path.as_ref().to_owned(), relaxed: false }
    }

    /// Waits until everything that was asked is done and the file is closed and whole. Verbs of
    /// other handles are *unavailable* from then on.
    pub async fn close(self) {
        self.shared.queue.close().await;
    }

    /// A verb for the writer.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T, Halt> + Send + 'static,
    ) -> Answer<T> {
        self.shared.queue.ask(|reply| Message::Job(Verb::boxed(work, true, reply)))
    }

    /// Answers a load once it is noted that the renewed token has been seen. If it cannot be noted,
    /// the older token works up to its cap at most, and a later load notes it.
    fn confirm(&self, Found { loads, unseen }: Found, now: Timestamp) -> Answer<Loads> {
        let work =
            move |db: &Connection| unseen.iter().try_for_each(|key| places::confirm(db, key, now));
        let noted = self.shared.queue.ask(|reply| Message::Job(Verb::boxed(work, false, reply)));
        Answer::later(async {
            if let Err(error) = noted.await {
                tracing::warn!(%error, "the grace of a renewed ticket has not begun");
            }
            Ok(loads)
        })
    }

    /// A verb that reads on the caller's thread.
    fn read<T>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&Connection) -> Result<T, Halt>,
    ) -> Result<T, StoreError> {
        self.shared.read(now, work)
    }

    /// A verb that reads for so long that it gets a thread of its own.
    fn read_at_length<T: Send + 'static>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&Connection) -> Result<T, Halt> + Send + 'static,
    ) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let spawned = thread::Builder::new().name("cloakroom-sqlite-read".to_owned()).spawn(
            // Nobody may be waiting any more.
            move || drop(reply.send(shared.read(now, work))),
        );
        match spawned {
            Ok(_) => Answer::later(async { answer.await.unwrap_or_else(|_| Err(no_thread())) }),
            Err(error) => Answer::ready(Err(no_thread().because(error))),
        }
    }
}

fn no_thread() -> StoreError {
    StoreError::unavailable("no thread to read in")
}

impl Shared {
    fn read<T>(
        &self,
        now: Timestamp,
        work: impl FnOnce(&Connection) -> Result<T, Halt>,
    ) -> Result<T, StoreError> {
        if self.queue.is_closed() {
            return Err(queue::closed());
        }
        self.database.still_there_at(now)?;
        self.readers.read(&self.database, work)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteStore({})", self.shared.database.shown())
    }
}

impl Store for SqliteStore {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn reach(&self) -> Reach {
        Reach::Host
    }

    fn survival(&self) -> Survival {
        let changes =
            if self.shared.relaxed { Survives::ProcessCrash } else { Survives::PowerLoss };
        Survival { identity: changes, data: changes, touch: Survives::ProcessCrash }
    }

    fn route(&self, _: Option<&UserId>) -> Route {
        Route::NONE
    }

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        if keys.len() > LOOKUP_MAX {
            let refused = StoreError::refused(format!("a load takes {LOOKUP_MAX} keys at most"));
            return Answer::ready(Err(refused));
        }
        match self.read(now, |db| verbs::load(db, keys, now)) {
            Ok(found) if found.unseen.is_empty() => Answer::ready(Ok(found.loads)),
            Ok(found) => self.confirm(found, now),
            Err(error) => Answer::ready(Err(error)),
        }
    }

    fn create(
        &self,
        key: &Key,
        draft: Draft,
        limit: Option<Limit>,
        now: Timestamp,
    ) -> Answer<Create> {
        let key = *key;
        match Record::new(draft, &Fields::default()) {
            Ok(record) => self.write(move |db| verbs::create(db, &key, &record, limit, now)),
            Err(refused) => Answer::ready(Err(refused)),
        }
    }

    fn commit(
        &self,
        key: &Key,
        expect: Expect,
        ops: &Ops,
        touch: Option<Touch>,
        now: Timestamp,
    ) -> Answer<Commit> {
        let key = *key;
        if ops.is_empty() && expect == Expect::Any {
            let asked = Asked { key, touch, now };
            return self.shared.queue.ask(|reply| Message::Touch(asked, reply));
        }
        let ops = ops.clone();
        let durable = !ops.is_empty();
        let work = move |db: &Connection| verbs::commit(db, &key, expect, &ops, touch, now);
        self.shared.queue.ask(|reply| Message::Job(Verb::boxed(work, durable, reply)))
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        let (old, new) = (*old, *new);
        self.write(move |db| verbs::rotate(db, &old, &new, &rotation, now))
    }

    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume> {
        let key = *key;
        self.write(move |db| verbs::resume(db, &key, &draft, &keep, now))
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        self.write(move |db| verbs::end(db, target, ending, now))
    }

    fn listen(&self, listener: Arc<dyn Listener>) -> Told {
        self.shared.door.enter(listener);
        self.shared.queue.wake();
        Told::Changes
    }

    fn close(&self) -> Answer<()> {
        let closed = self.shared.queue.close();
        Answer::later(async move {
            closed.await;
            Ok(())
        })
    }
}

impl Registry for SqliteStore {
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        Answer::ready(self.read(now, |db| verbs::list(db, user, page, now)))
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        let user = user.clone();
        self.write(move |db| verbs::end_all(db, &user, except, ending, now))
    }

    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64> {
        let (user, ops) = (user.clone(), ops.clone());
        self.write(move |db| verbs::amend(db, &user, &ops, now))
    }

    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        self.read_at_length(now, move |db| verbs::scan(db, page, now))
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        self.read_at_length(now, move |db| verbs::count(db, now))
    }

    fn watch(&self, from: Cursor, limit: u32, now: Timestamp) -> Answer<Bulletin> {
        Answer::ready(self.read(now, |db| feed::watch(db, from, limit)))
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        self.shared.queue.ask(|reply| Message::Job(Box::new(Sweep::new(now, limit, reply))))
    }
}

#[cfg(test)]
mod tests;
