use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cloakroom_store::{
    Answer, Bulletin, Commit, Count, Create, Cursor, Draft, End, EndedAll, Ending, Expect, Fields,
    Keep, Key, LOOKUP_MAX, Limit, Listener, Loads, Ops, Page, Reach, Record, Registry, Resume,
    Rotate, Rotation, Route, SessionId, Store, StoreError, Survival, Survives, Swept, Target,
    Timestamp, Told, Touch, UserId,
};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::calls::Calls;
use crate::config::PostgresConfig;
use crate::dial;
use crate::ears::{self, Ears};
use crate::fault;
use crate::feed;
use crate::lines::{LONG_LIMIT, Lines};
use crate::schema;
use crate::touches::{self, Asked, QUEUE_MAX};

/// How many calls are under way at most. Beyond it a verb is refused at once: whoever waits longer
/// has given up before its turn.
const CALLS_MAX: usize = 10_000;

/// Sessions in a PostgreSQL database.
///
/// A handle: clones share the connections. When the last one is dropped, what was asked is still
/// done.
#[derive(Clone)]
pub struct PostgresStore {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Handle,
    calls: Calls,
    touches: mpsc::Sender<Asked>,
    room: Arc<Semaphore>,
    is_closing: AtomicBool,
    ears: Arc<Ears>,
    config: PostgresConfig,
    shown: String,
    survival: Survival,
}

impl PostgresStore {
    /// Connects, and makes the tables or brings them to this version.
    ///
    /// It has to be called in a Tokio runtime with its timers and sockets enabled, which carries
    /// the store's work from then on; verbs may be called from any thread.
    ///
    /// # Errors
    ///
    /// Refused if there is no runtime, the server does not let the role in, the database is not
    /// there or not in UTF-8, the schema is of something else or of a newer release, or the role
    /// lacks a right; the message says which. Unavailable if the server cannot be reached.
    pub async fn connect(config: PostgresConfig) -> Result<Self, StoreError> {
        let runtime = Handle::try_current().map_err(|error| {
            StoreError::refused("a PostgreSQL store is opened in a Tokio runtime").because(error)
        })?;
        let shown = config.shown();
        let opened = timeout(LONG_LIMIT, open(&config, &runtime));
        let late = || StoreError::unavailable("PostgreSQL did not answer in time");
        let (lines, is_synced) = match opened.await.unwrap_or_else(|_| Err(late())) {
            Ok(opened) => opened,
            Err(error) => return Err(named(&shown, error)),
        };
        let lines = Arc::new(lines);
        let (touches, intake) = mpsc::channel(QUEUE_MAX);
        runtime.spawn(touches::run(Arc::clone(&lines), intake));
        let shared = Shared {
            runtime,
            calls: Calls(lines),
            touches,
            room: Arc::new(Semaphore::new(CALLS_MAX)),
            is_closing: AtomicBool::new(false),
            ears: Arc::default(),
            shown,
            survival: survival(is_synced, config.relaxed_data),
            config,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Begins a call, which runs to its end whether the answer is waited for or not.
    fn begin<T, F>(&self, call: impl FnOnce(Calls) -> F) -> Answer<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let room = match self.enter() {
            Ok(room) => room,
            Err(error) => return Answer::ready(Err(error)),
        };
        let call = call(self.shared.calls.clone());
        let task = self.shared.runtime.spawn(async move {
            let outcome = call.await;
            drop(room);
            outcome
        });
        Answer::later(async { task.await.unwrap_or_else(|_| Err(stopped())) })
    }

    /// A touch, which is done together with those beside it.
    fn touch(&self, key: Key, touch: Touch, now: Timestamp) -> Answer<Commit> {
        let room = match self.enter() {
            Ok(room) => room,
            Err(error) => return Answer::ready(Err(error)),
        };
        let (reply, answer) = oneshot::channel();
        match self.shared.touches.try_send(Asked { key, touch, now, reply, room }) {
            Ok(()) => Answer::later(async { answer.await.unwrap_or_else(|_| Err(stopped())) }),
            Err(_) => Answer::ready(Err(no_room())),
        }
    }

    /// Room for one call, which is given back with its outcome.
    fn enter(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let room = Arc::clone(&self.shared.room).try_acquire_owned();
        if self.shared.is_closing.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the store was closed"));
        }
        room.map_err(|_| no_room())
    }

    fn is_data_durable(&self) -> bool {
        self.shared.survival.data == self.shared.survival.identity
    }
}

fn no_room() -> StoreError {
    StoreError::unavailable(format!("{CALLS_MAX} calls are under way already"))
}

fn stopped() -> StoreError {
    StoreError::unavailable("the runtime stopped during a call; whether it took effect is unknown")
}

/// What the server is, the tables, and the first connection for requests.
async fn open(config: &PostgresConfig, runtime: &Handle) -> Result<(Lines, bool), StoreError> {
    let (client, driver) = dial::open(config).await?;
    let driver = runtime.spawn(driver);
    let is_synced = judge_server(&client).await?;
    schema::migrate(&client, &config.schema).await?;
    drop(client);
    let lines = Lines::start(config, runtime);
    lines.ready().await?;
    // It has ended by itself, or will.
    drop(driver);
    Ok((lines, is_synced))
}

/// Refuses a server that would not keep what it is given; says whether it syncs what it commits.
async fn judge_server(client: &tokio_postgres::Client) -> Result<bool, StoreError> {
    let asked = "SELECT current_setting('server_version_num')::integer, \
        current_setting('server_encoding'), current_setting('fsync') = 'on'";
    let row = client.query_one(asked, &[]).await.map_err(fault::connecting)?;
    let version: i32 = row.try_get(0).map_err(fault::connecting)?;
    let encoding: &str = row.try_get(1).map_err(fault::connecting)?;
    if version < OLDEST {
        return Err(StoreError::refused("PostgreSQL is older than version 13"));
    } else if encoding != "UTF8" {
        return Err(StoreError::refused(format!(
            "the database is in {encoding} and cannot keep every text: make one in UTF8"
        )));
    }
    row.try_get(2).map_err(fault::connecting)
}

/// The oldest server that has everything that the tables use and that its makers still knew when
/// this was written.
const OLDEST: i32 = 130_000;

fn survival(is_synced: bool, relaxed_data: bool) -> Survival {
    let durable = if is_synced { Survives::PowerLoss } else { Survives::ProcessCrash };
    let data = if relaxed_data { Survives::ProcessCrash } else { durable };
    Survival { identity: durable, data, touch: Survives::ProcessCrash }
}

/// The same error with the place that it is about.
fn named(shown: &str, error: StoreError) -> StoreError {
    use cloakroom_store::StoreErrorKind;
    let message = format!("`{shown}` cannot be opened");
    if error.kind() == StoreErrorKind::Corrupt {
        StoreError::corrupt(message).because(error)
    } else if error.kind() == StoreErrorKind::Refused {
        StoreError::refused(message).because(error)
    } else {
        StoreError::unavailable(message).because(error)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.shared.shown)
    }
}

impl Store for PostgresStore {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn reach(&self) -> Reach {
        Reach::Network
    }

    fn survival(&self) -> Survival {
        self.shared.survival
    }

    fn route(&self, _: Option<&UserId>) -> Route {
        Route::NONE
    }

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        if keys.len() > LOOKUP_MAX {
            let refused = StoreError::refused(format!("a load takes {LOOKUP_MAX} keys at most"));
            return Answer::ready(Err(refused));
        }
        let keys = keys.to_vec();
        self.begin(|calls| calls.load(keys, now))
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
            Ok(record) => self.begin(|calls| calls.create(key, record, limit, now)),
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
        if let (true, Expect::Any, Some(touch)) = (ops.is_empty(), expect, touch) {
            return self.touch(key, touch, now);
        }
        let ops = ops.clone();
        let durably = self.is_data_durable() && !ops.is_empty();
        self.begin(|calls| calls.commit((key, expect), ops, touch, durably, now))
    }

    fn rotate(&self, old: &Key, new: &Key, rotation: Rotation, now: Timestamp) -> Answer<Rotate> {
        let (old, new) = (*old, *new);
        self.begin(|calls| calls.rotate(old, new, rotation, now))
    }

    fn resume(&self, key: &Key, draft: Draft, keep: Keep, now: Timestamp) -> Answer<Resume> {
        let key = *key;
        self.begin(|calls| calls.resume(key, draft, keep, now))
    }

    fn end(&self, target: Target, ending: Ending, now: Timestamp) -> Answer<End> {
        self.begin(|calls| calls.end(target, ending, now))
    }

    fn listen(&self, listener: Arc<dyn Listener>) -> Told {
        let Shared { ears, config, calls, runtime, .. } = &*self.shared;
        if ears.add(listener) {
            runtime.spawn(ears::attend(Arc::clone(ears), config.clone(), calls.0.stopped()));
        }
        Told::Endings
    }

    fn close(&self) -> Answer<()> {
        self.shared.is_closing.store(true, Ordering::SeqCst);
        let room = Arc::clone(&self.shared.room);
        let lines = Arc::clone(&self.shared.calls.0);
        let task = self.shared.runtime.spawn(async move {
            let everything = u32::try_from(CALLS_MAX).unwrap_or(u32::MAX);
            // All room is free when nothing is under way; an error says that it was closed before.
            let done = room.acquire_many(everything).await;
            room.close();
            drop(done);
            lines.close().await;
        });
        // A runtime that stopped has closed everything.
        Answer::later(async {
            drop(task.await);
            Ok(())
        })
    }
}

impl Registry for PostgresStore {
    fn list(&self, user: &UserId, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        let user = user.clone();
        self.begin(|calls| calls.list(user, page, now))
    }

    fn end_all(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        ending: Ending,
        now: Timestamp,
    ) -> Answer<EndedAll> {
        let user = user.clone();
        self.begin(|calls| calls.end_all(user, except, ending, now))
    }

    fn amend(&self, user: &UserId, ops: &Ops, now: Timestamp) -> Answer<u64> {
        let (user, ops, durably) = (user.clone(), ops.clone(), self.is_data_durable());
        self.begin(move |calls| calls.amend(user, ops, durably, now))
    }

    fn scan(&self, page: Page, now: Timestamp) -> Answer<Vec<Record>> {
        self.begin(|calls| calls.scan(page, now))
    }

    fn count(&self, now: Timestamp) -> Answer<Count> {
        self.begin(|calls| calls.count(now))
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> Answer<Swept> {
        self.begin(|calls| calls.sweep(now, limit))
    }

    fn watch(&self, from: Cursor, limit: u32, _: Timestamp) -> Answer<Bulletin> {
        self.begin(move |calls| feed::watch(calls.0, from, limit))
    }
}
