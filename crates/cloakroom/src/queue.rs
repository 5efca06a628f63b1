//! Changes of one session queue here and reach the store together.
//!
//! Each request computes its change on what those before it left, and the last one in line commits
//! for all: a hundred parallel increments in one process are a handful of commits and no conflict.
//! When another process was faster, the store hands the newest record back and every change of the
//! batch is computed again from it.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OwnedMutexGuard};

use crate::circuit::Circuit;
use crate::entropy;
use crate::error::{Error, ErrorKind, Result};
use crate::running::Running;
use crate::store::{
    Commit, Ended, Expect, Fields, Key, Ops, Record, SessionId, Store, StoreError, Timestamp, Touch,
};

/// How often a change is computed again because another process was faster.
const REPLAYS: u32 = 32;
/// How many changes are in the queues of this process at most.
const QUEUED_MAX: usize = 10_000;
/// Below this many queues nobody counts what is in them.
const QUEUES_MAX: usize = 1_000;
/// How many changes one commit carries at most.
const BATCH_MAX: usize = 256;
/// The longest pause before a replay.
const PAUSE_MAX: Duration = Duration::from_millis(64);

/// Operations, and whether they depend on the fields they were computed from.
pub(crate) struct Change {
    pub(crate) ops: Ops,
    pub(crate) versioned: bool,
}

/// Computes a change from the newest fields; called again after a conflict.
pub(crate) type Compute<'a> = dyn FnMut(&Fields) -> Result<Change> + Send + 'a;

/// Who asks for a change.
pub(crate) struct Caller<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) key: Key,
    pub(crate) record: &'a Record,
    pub(crate) touch: Option<Touch>,
    pub(crate) now: Timestamp,
    pub(crate) running: &'a Arc<Running>,
    pub(crate) circuit: &'a Arc<Circuit>,
    /// How long the store may take.
    pub(crate) wait: Duration,
}

/// The queues of all sessions that are being changed.
#[derive(Default)]
pub(crate) struct Queues {
    by_session: Mutex<HashMap<SessionId, Weak<Queue>>>,
}

#[derive(Default)]
struct Queue {
    /// Changes that are on their way to their turn.
    waiting: AtomicUsize,
    /// Told when a batch is settled, or when nobody is left to settle it.
    moved: Notify,
    batch: Arc<tokio::sync::Mutex<Batch>>,
}

#[derive(Default)]
struct Batch {
    newest: Option<Record>,
    /// `newest` after the changes that joined.
    working: Option<Fields>,
    base: u64,
    ops: Ops,
    versioned: bool,
    touch: Option<Touch>,
    members: usize,
    /// From now on each change is committed by itself, so that one that does not fit takes no
    /// other with it.
    alone: bool,
    round: Arc<OnceLock<Outcome>>,
}

/// What a commit means for those whose change was in it.
#[derive(Clone)]
enum Outcome {
    Landed(Record),
    /// Compute the change again.
    Again,
    Gone(Option<Ended>),
    Failed(Error),
}

impl Queues {
    /// Lands one change and gives the record it made, as `caller.key` sees it or as another member
    /// of its batch does. A change without operations lands at once, with no record.
    pub(crate) async fn change(
        &self,
        caller: &Caller<'_>,
        compute: &mut Compute<'_>,
    ) -> Result<Option<Record>> {
        let _running = caller.running.enter();
        let entry = self.enter(caller.record.id())?;
        for replay in 0..=REPLAYS {
            pause(replay).await;
            match entry.queue.once(caller, compute).await? {
                None => return Ok(None),
                Some(Outcome::Landed(record)) => return Ok(Some(record)),
                Some(Outcome::Again) => {}
                Some(Outcome::Gone(ended)) => return Err(Error::gone(ended)),
                Some(Outcome::Failed(error)) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::Contended, "other processes kept changing the session first"))
    }

    fn enter(&self, session: SessionId) -> Result<Entry<'_>> {
        let mut queues = self.lock();
        if queues.len() >= QUEUES_MAX {
            queues.retain(|_, queue| queue.strong_count() > 0);
        }
        let queued: usize = match queues.len() {
            0..QUEUES_MAX => 0,
            _ => queues.values().map(Weak::strong_count).sum(),
        };
        if queued >= QUEUED_MAX {
            return Err(Error::unavailable("too many changes are queued in this process"));
        }
        let queue = match queues.get(&session).and_then(Weak::upgrade) {
            Some(queue) => queue,
            None => {
                let queue = Arc::new(Queue::default());
                queues.insert(session, Arc::downgrade(&queue));
                queue
            }
        };
        if queue.waiting.load(Ordering::SeqCst) >= QUEUED_MAX {
            return Err(Error::unavailable("too many changes of this session are queued"));
        }
        Ok(Entry { queues: self, session, queue })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, Weak<Queue>>> {
        self.by_session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change that is in a queue; the last one out takes the queue away. A commit that runs on without
/// its request keeps its queue until the next clearance.
struct Entry<'a> {
    queues: &'a Queues,
    session: SessionId,
    queue: Arc<Queue>,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let mut queues = self.queues.lock();
        if Arc::strong_count(&self.queue) == 1 {
            queues.remove(&self.session);
        }
    }
}

impl Queue {
    /// One try: joins the batch, and commits it if nobody comes after.
    async fn once(
        self: &Arc<Self>,
        caller: &Caller<'_>,
        compute: &mut Compute<'_>,
    ) -> Result<Option<Outcome>> {
        let mut turn = Arc::clone(self).turn().await;
        if !turn.batch.join(caller, compute)? {
            return Ok(None);
        }
        let round = Arc::clone(&turn.batch.round);
        let comes_after = self.waiting.load(Ordering::SeqCst) > 0;
        let has_room = turn.batch.members < BATCH_MAX && !turn.batch.alone;
        if comes_after && has_room {
            drop(turn);
            return Ok(Some(self.outcome_of(&round, caller).await));
        }
        Ok(Some(turn.commit(caller).await))
    }

    async fn turn(self: Arc<Self>) -> Turn {
        let waiting = Waiting::new(&self);
        let batch = Arc::clone(&self.batch).lock_owned().await;
        drop(waiting);
        Turn { queue: self, batch }
    }

    /// Waits until somebody has settled the round, and settles it if nobody is left who would.
    async fn outcome_of(
        self: &Arc<Self>,
        round: &OnceLock<Outcome>,
        caller: &Caller<'_>,
    ) -> Outcome {
        loop {
            let moved = self.moved.notified();
            if let Some(outcome) = round.get() {
                return outcome.clone();
            }
            if self.waiting.load(Ordering::SeqCst) == 0 {
                let batch = Arc::clone(&self.batch).lock_owned().await;
                let turn = Turn { queue: Arc::clone(self), batch };
                return match round.get() {
                    Some(outcome) => outcome.clone(),
                    None => turn.commit(caller).await,
                };
            }
            moved.await;
        }
    }
}

/// Somebody on the way to a turn. Members of the batch that wait for them are told when they come
/// no more.
struct Waiting<'a>(&'a Queue);

impl<'a> Waiting<'a> {
    fn new(queue: &'a Queue) -> Self {
        queue.waiting.fetch_add(1, Ordering::SeqCst);
        Self(queue)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.moved.notify_waiters();
        }
    }
}

/// The right to change the batch. Whoever gives it up without committing, by an error or a panic in
/// its computation, wakes the members, so that one of them commits.
struct Turn {
    queue: Arc<Queue>,
    batch: OwnedMutexGuard<Batch>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.batch.members > 0 {
            self.queue.moved.notify_waiters();
        }
    }
}

impl Turn {
    /// Sends the batch to the store. The call runs to its end, and its members learn of it, even if
    /// this future is dropped.
    async fn commit(mut self, caller: &Caller<'_>) -> Outcome {
        let pass = match caller.circuit.admit() {
            Ok(pass) => pass,
            Err(away) => return self.settle(Err(away)),
        };
        let batch = &self.batch;
        let expect = if batch.versioned { Expect::Version(batch.base) } else { Expect::Any };
        let Caller { store, key, now, .. } = caller;
        match store.commit(key, expect, &batch.ops, batch.touch, *now).now() {
            Ok(result) => {
                let result = caller.circuit.note_at_once(pass, result.map_err(Error::from));
                self.settle(result)
            }
            Err(later) => {
                let (running, wait) = (caller.running.enter(), caller.wait);
                let circuit = Arc::clone(caller.circuit);
                let settled = tokio::spawn(async move {
                    let answered = tokio::time::timeout(wait, later).await;
                    let answered = answered.unwrap_or_else(|_| Err(no_answer(wait)));
                    let outcome = self.settle(circuit.note(pass, answered.map_err(Error::from)));
                    drop(running);
                    outcome
                });
                settled.await.unwrap_or_else(|_| {
                    Outcome::Failed(Error::unavailable("the runtime stopped during a commit"))
                })
            }
        }
    }

    /// Tells every member what became of the batch, and begins a new one.
    fn settle(&mut self, result: Result<Commit>) -> Outcome {
        let (newest, mine, others) = match result {
            Ok(Commit::Done(record)) => {
                (Some(record.clone()), Outcome::Landed(record.clone()), Outcome::Landed(record))
            }
            Ok(Commit::Conflict(record)) => (Some(record), Outcome::Again, Outcome::Again),
            // Another member may hold a newer key than the one that was used.
            Ok(Commit::Gone(ended)) => (None, Outcome::Gone(ended), Outcome::Again),
            Err(error) if self.batch.members > 1 && *error.kind() == ErrorKind::Refused => {
                self.batch.alone = true;
                (None, Outcome::Again, Outcome::Again)
            }
            Err(error) => {
                let failed = Outcome::Failed(error);
                (None, failed.clone(), failed)
            }
        };
        let settled = std::mem::take(&mut *self.batch);
        self.batch.newest = newest;
        self.batch.alone = settled.alone;
        drop(settled.round.set(others));
        self.queue.moved.notify_waiters();
        mine
    }
}

impl Batch {
    /// Computes the caller's change on what the batch has so far. Says whether there is anything
    /// to wait for.
    fn join(&mut self, caller: &Caller<'_>, compute: &mut Compute<'_>) -> Result<bool> {
        let working = match &self.working {
            Some(working) => working.clone(),
            None => self.begin(caller.record),
        };
        let Change { ops, versioned } = compute(&working)?;
        if ops.is_empty() && self.members == 0 {
            return Ok(false);
        }
        self.working = Some(working.apply(&ops)?);
        self.ops.append(&ops);
        self.versioned |= versioned;
        self.touch = match (self.touch, caller.touch) {
            (Some(a), Some(b)) => Some(if a.seen < b.seen { b } else { a }),
            (one, other) => one.or(other),
        };
        self.members += 1;
        Ok(true)
    }

    fn begin(&mut self, record: &Record) -> Fields {
        let newest = match &self.newest {
            Some(newest) if newest.version() > record.version() => newest,
            Some(_) | None => record,
        };
        self.base = newest.version();
        newest.fields().clone()
    }
}

fn no_answer(wait: Duration) -> StoreError {
    StoreError::unavailable(format!("the store did not answer a commit within {wait:?}"))
}

/// Lets whoever was faster finish, a little longer each time and never in step with others.
async fn pause(replay: u32) {
    if replay < 2 {
        return;
    }
    let most = Duration::from_millis(1).saturating_mul(1 << replay.min(6)).min(PAUSE_MAX);
    let [random] = entropy::bytes::<1>().unwrap_or([128]);
    tokio::time::sleep(most.mul_f64(f64::from(random) / 255.0)).await;
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Queues({} sessions)", self.lock().len())
    }
}
