//! Connections to the server, which are made again when they break.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom_store::StoreError;
use tokio::runtime::Handle;
use tokio::sync::{Notify, OnceCell, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::config::PostgresConfig;
use crate::dial::{self, Abort, CONNECT_LIMIT};
use crate::fault;
use crate::params::Params;
use crate::schema::Schema;
use crate::verbs::Verb;

/// How long operators' verbs and opening a store take at most.
pub(crate) const LONG_LIMIT: Duration = Duration::from_secs(30);

/// How long a call waits for a connection when there is none. Longer than it takes to connect
/// again after a restart, and short enough that an outage does not pile up requests.
const LINE_WAIT: Duration = Duration::from_millis(500);

/// The pause after an attempt that failed, before and with all of its jitter: so one process
/// knocks a few times a second at a server that is away, and service is back within a second.
const PAUSE: Duration = Duration::from_millis(100);
const JITTER: u64 = 200;

/// How often a call is tried that the server undid for the sake of another one.
const TRIES: u32 = 5;

/// The connections of one store. They end when it is dropped and what was asked is done.
pub(crate) struct Lines {
    slots: Vec<Arc<Slot>>,
    /// The one for operators' verbs, so that requests never wait behind them.
    long: Arc<Slot>,
    shared: Arc<Shared>,
    call_limit: Duration,
    next: AtomicUsize,
    /// Its end, which is that of the lines at the latest, ends their keepers.
    stop: watch::Sender<bool>,
}

struct Shared {
    config: PostgresConfig,
    /// Whoever connects holds it, also through the pause after a failure: one process makes one
    /// connection at a time.
    door: tokio::sync::Mutex<()>,
    changed: watch::Sender<()>,
    last_error: Mutex<Option<StoreError>>,
}

#[derive(Default)]
struct Slot {
    line: Mutex<Option<Arc<Line>>>,
}

/// One connection with its statements.
struct Line {
    client: Client,
    schema: Schema,
    /// Each is prepared when it is first used, so that a new connection is ready at once.
    statements: [OnceCell<Statement>; Verb::COUNT],
    busy: AtomicUsize,
    retired: Notify,
}

impl Lines {
    /// Starts to connect, and goes on with it for as long as the lines are there.
    pub(crate) fn start(config: &PostgresConfig, runtime: &Handle) -> Self {
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            config: config.clone(),
            door: tokio::sync::Mutex::default(),
            changed: watch::Sender::new(()),
            last_error: Mutex::default(),
        });
        let keep = |is_long| {
            let slot = Arc::new(Slot::default());
            let keeper = (Arc::clone(&slot), Arc::clone(&shared), stopped.clone());
            runtime.spawn(keep(keeper.0, keeper.1, keeper.2, is_long));
            slot
        };
        Self {
            slots: (0..config.connections).map(|_| keep(false)).collect(),
            long: keep(true),
            call_limit: config.call_limit,
            next: AtomicUsize::new(0),
            shared,
            stop,
        }
    }

    /// What the server answers to a verb, within the limit of a call.
    pub(crate) async fn ask(&self, verb: Verb, params: Params) -> Result<Vec<Row>, Failure> {
        let limit = if verb.is_long() { LONG_LIMIT } else { self.call_limit };
        let mut used = None;
        let asked = timeout(limit, self.tries(verb, &params, &mut used)).await;
        asked.unwrap_or_else(|_| {
            if let Some(line) = used {
                line.retired.notify_one();
                self.probe();
            }
            Err(Failure::Told(StoreError::unavailable(format!(
                "PostgreSQL did not answer within {limit:?}; whether the call took effect is unknown"
            ))))
        })
    }

    /// Ends the connections in order, and waits until they are.
    pub(crate) async fn close(&self) {
        self.stop.send_replace(true);
        self.stop.closed().await;
    }

    /// Changes, or is gone, when the lines end.
    pub(crate) fn stopped(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Waits until there is a connection.
    pub(crate) async fn ready(&self) -> Result<(), StoreError> {
        self.line(Verb::Load, LONG_LIMIT).await.map(drop)
    }

    async fn tries(
        &self,
        verb: Verb,
        params: &Params,
        used: &mut Option<Arc<Line>>,
    ) -> Result<Vec<Row>, Failure> {
        let mut tries = 1;
        loop {
            let line = used.insert(self.line(verb, LINE_WAIT).await.map_err(Failure::Told)?);
            let error = match line.ask(verb, params).await {
                Ok(rows) => return Ok(rows),
                Err(error) => error,
            };
            let is_spoilt = fault::spoils_connection(&error);
            if is_spoilt {
                line.retired.notify_one();
            }
            let again = fault::may_run_again(&error) || (is_spoilt && verb.is_read());
            if !again || tries == TRIES {
                return Err(Failure::Engine(error));
            }
            tries += 1;
            sleep(jittered(Duration::from_millis(5), 20)).await;
        }
    }

    /// The connection with the least to do; waits for one if there is none.
    async fn line(&self, verb: Verb, patience: Duration) -> Result<Arc<Line>, StoreError> {
        let mut changed = self.shared.changed.subscribe();
        let found = timeout(patience, async {
            loop {
                changed.mark_unchanged();
                match self.free_line(verb) {
                    Some(line) => return line,
                    // The sender lives as long as these lines.
                    None => drop(changed.changed().await),
                }
            }
        });
        found.await.map_err(|_| self.shared.why_none())
    }

    fn free_line(&self, verb: Verb) -> Option<Arc<Line>> {
        if verb.is_long() {
            return self.long.usable();
        }
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len().max(1);
        let (before, after) = self.slots.split_at(first);
        let usable = after.iter().chain(before).filter_map(|slot| slot.usable());
        usable.min_by_key(|line| line.busy.load(Ordering::Relaxed))
    }

    /// Asks every connection whether it still works, so that those that broke in silence are
    /// found together and not each by a call that waits for it.
    fn probe(&self) {
        for line in self.slots.iter().filter_map(|slot| slot.usable()) {
            tokio::spawn(async move {
                if timeout(CONNECT_LIMIT, line.client.simple_query("")).await.is_err() {
                    line.retired.notify_one();
                }
            });
        }
    }
}

/// Why a verb was not carried out.
pub(crate) enum Failure {
    Engine(tokio_postgres::Error),
    Told(StoreError),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Engine(error) => fault::verb(&error),
            Failure::Told(error) => error,
        }
    }
}

impl Shared {
    fn why_none(&self) -> StoreError {
        let told =
            StoreError::unavailable("there is no connection to PostgreSQL; nothing was sent");
        match lock(&self.last_error).clone() {
            Some(error) => told.because(error),
            None => told,
        }
    }

    /// A new connection, however many attempts it takes.
    async fn connect(&self, is_long: bool) -> (Arc<Line>, JoinHandle<()>) {
        let _door = self.door.lock().await;
        loop {
            let opened = timeout(CONNECT_LIMIT, open_line(&self.config, is_long)).await;
            let failed = StoreError::unavailable("PostgreSQL did not let us in in time");
            match opened.unwrap_or(Err(failed)) {
                Ok(opened) => {
                    *lock(&self.last_error) = None;
                    return opened;
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection to PostgreSQL");
                    *lock(&self.last_error) = Some(error);
                }
            }
            sleep(pause()).await;
        }
    }
}

impl Slot {
    fn usable(&self) -> Option<Arc<Line>> {
        lock(&self.line).clone().filter(|line| !line.client.is_closed())
    }
}

impl Line {
    async fn ask(&self, verb: Verb, params: &Params) -> Result<Vec<Row>, tokio_postgres::Error> {
        let _busy = Busy::new(&self.busy);
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
        // There is one for each verb.
        let Some(cell) = self.statements.get(verb as usize) else { return Ok(Vec::new()) };
        let prepare = || async { self.client.prepare(&self.schema.sql(verb.sql())).await };
        self.client.query(cell.get_or_try_init(prepare).await?, &params).await
    }
}

struct Busy<'a>(&'a AtomicUsize);

impl<'a> Busy<'a> {
    fn new(calls: &'a AtomicUsize) -> Self {
        calls.fetch_add(1, Ordering::Relaxed);
        Self(calls)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sees to it that there is a connection in a slot, until the lines are dropped.
async fn keep(
    slot: Arc<Slot>,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
    is_long: bool,
) {
    loop {
        let (line, mut driver) = tokio::select! {
            opened = shared.connect(is_long) => opened,
            _ = stopped.changed() => return,
        };
        *lock(&slot.line) = Some(Arc::clone(&line));
        shared.changed.send_replace(());
        let goes_on = tokio::select! {
            _ = &mut driver => true,
            () = line.retired.notified() => {
                driver.abort();
                true
            }
            _ = stopped.changed() => false,
        };
        *lock(&slot.line) = None;
        if !goes_on {
            // The connection ends in order when the last call on it is answered.
            drop(line);
            if timeout(CONNECT_LIMIT, &mut driver).await.is_err() {
                driver.abort();
            }
            return;
        }
    }
}

async fn open_line(
    config: &PostgresConfig,
    is_long: bool,
) -> Result<(Arc<Line>, JoinHandle<()>), StoreError> {
    let (client, driver) = dial::open(config).await?;
    let driver = Abort::spawn(driver);
    client.batch_execute(&settings(config, is_long)).await.map_err(fault::connecting)?;
    let line = Line {
        client,
        schema: config.schema.clone(),
        statements: Default::default(),
        busy: AtomicUsize::new(0),
        retired: Notify::new(),
    };
    Ok((Arc::new(line), driver.keep()))
}

/// What a connection is set to. The plans are made once and use the indexes, also while the tables
/// are still small; what waits for a lock does not outlast the call.
fn settings(config: &PostgresConfig, is_long: bool) -> String {
    let limit = if is_long { LONG_LIMIT } else { config.call_limit };
    let millis = limit.as_millis() * 3 / 4;
    let planner = match is_long {
        true => "",
        false => "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;",
    };
    format!(
        "SET statement_timeout = {millis}; SET lock_timeout = {millis}; {planner} SET jit = off; \
         SET default_transaction_isolation = \
         'read committed'; SET client_min_messages = warning"
    )
}

/// After an attempt to connect that failed.
pub(crate) fn pause() -> Duration {
    jittered(PAUSE, JITTER)
}

/// `least` and up to `jitter` milliseconds more.
fn jittered(least: Duration, jitter: u64) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    least + Duration::from_millis(random % jitter)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
