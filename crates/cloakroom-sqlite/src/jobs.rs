//! What the writer does, in pieces that may run again when the transaction around them failed.

use cloakroom_store::{Commit, StoreError, Swept, Timestamp};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::fault::{Halt, explain};
use crate::verbs::{self, Asked, Step, Then};

/// Where the outcome of a job goes. Nobody may be waiting for it any more.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A piece of work inside a transaction of the writer.
pub(crate) trait Job: Send {
    /// Does the work and remembers the outcome, which may be a refusal. An error says that the
    /// transaction must not be committed; then the job may run again in another one.
    fn run(&mut self, db: &Connection, file: &str) -> Result<(), Halt>;

    /// Tells the outcome, once the transaction is committed or has failed. Gives back the job if
    /// there is more of it to do.
    fn settle(self: Box<Self>, fate: Result<(), StoreError>) -> Option<Box<dyn Job>>;

    /// Whether the transaction has to survive a loss of power.
    fn is_durable(&self) -> bool;
}

/// One verb.
pub(crate) struct Verb<T, W> {
    work: W,
    durable: bool,
    outcome: Option<Result<T, StoreError>>,
    reply: Reply<T>,
}

impl<T, W> Verb<T, W>
where
    T: Send + 'static,
    W: FnMut(&Connection) -> Result<T, Halt> + Send + 'static,
{
    pub(crate) fn boxed(work: W, durable: bool, reply: Reply<T>) -> Box<dyn Job> {
        Box::new(Self { work, durable, outcome: None, reply })
    }
}

impl<T, W> Job for Verb<T, W>
where
    T: Send + 'static,
    W: FnMut(&Connection) -> Result<T, Halt> + Send + 'static,
{
    fn run(&mut self, db: &Connection, file: &str) -> Result<(), Halt> {
        self.outcome = Some(judged(db, file, || (self.work)(db))?);
        Ok(())
    }

    fn settle(self: Box<Self>, fate: Result<(), StoreError>) -> Option<Box<dyn Job>> {
        let Self { outcome, reply, .. } = *self;
        // Whoever asked may have stopped waiting; the work is done all the same.
        let _ = reply.send(fate.and_then(|()| outcome.unwrap_or_else(never_ran)));
        None
    }

    fn is_durable(&self) -> bool {
        self.durable
    }
}

/// Touches that follow each other in the queue, done together.
#[derive(Default)]
pub(crate) struct Touches {
    asked: Vec<Asked>,
    replies: Vec<Reply<Commit>>,
    outcomes: Vec<Result<Commit, StoreError>>,
}

impl Touches {
    pub(crate) fn push(&mut self, asked: Asked, reply: Reply<Commit>) {
        self.asked.push(asked);
        self.replies.push(reply);
    }
}

impl Job for Touches {
    fn run(&mut self, db: &Connection, file: &str) -> Result<(), Halt> {
        self.outcomes = match judged(db, file, || verbs::touch_all(db, &self.asked))? {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(_) => {
                let alone = |asked| touch_alone(db, file, asked);
                self.asked.iter().map(alone).collect::<Result<_, _>>()?
            }
        };
        Ok(())
    }

    fn settle(self: Box<Self>, fate: Result<(), StoreError>) -> Option<Box<dyn Job>> {
        let Self { replies, mut outcomes, .. } = *self;
        outcomes.resize_with(replies.len(), never_ran);
        for (reply, outcome) in replies.into_iter().zip(outcomes) {
            let _ = reply.send(fate.clone().and(outcome));
        }
        None
    }

    fn is_durable(&self) -> bool {
        false
    }
}

/// A sweep, one step per transaction, so that other writes come between its steps.
pub(crate) struct Sweep {
    now: Timestamp,
    left: u32,
    step: Option<Result<Step, StoreError>>,
    swept: Swept,
    reply: Reply<Swept>,
}

impl Sweep {
    pub(crate) fn new(now: Timestamp, limit: u32, reply: Reply<Swept>) -> Self {
        Self { now, left: limit, step: None, swept: Swept::default(), reply }
    }
}

impl Job for Sweep {
    fn run(&mut self, db: &Connection, file: &str) -> Result<(), Halt> {
        self.step = Some(judged(db, file, || verbs::sweep(db, self.now, self.left))?);
        Ok(())
    }

    fn settle(mut self: Box<Self>, fate: Result<(), StoreError>) -> Option<Box<dyn Job>> {
        let step = match fate.and_then(|()| self.step.take().unwrap_or_else(never_ran)) {
            Ok(step) => step,
            Err(error) => {
                let _ = self.reply.send(Err(error));
                return None;
            }
        };
        self.left = self.left.saturating_sub(step.removed);
        self.swept.removed += u64::from(step.removed);
        self.swept.more = step.then != Then::Clean;
        if step.then == Then::Continue {
            return Some(self);
        }
        let _ = self.reply.send(Ok(self.swept));
        None
    }

    fn is_durable(&self) -> bool {
        false
    }
}

/// One touch of several, of which one was refused.
fn touch_alone(
    db: &Connection,
    file: &str,
    asked: &Asked,
) -> Result<Result<Commit, StoreError>, Halt> {
    let outcomes = judged(db, file, || verbs::touch_all(db, std::slice::from_ref(asked)))?;
    Ok(outcomes.and_then(|mut outcomes| outcomes.pop().map_or_else(never_ran, Ok)))
}

/// The outcome of `work`. A refusal before anything was written is one, and the transaction can go
/// on; after that it is an error like any other.
fn judged<T>(
    db: &Connection,
    file: &str,
    work: impl FnOnce() -> Result<T, Halt>,
) -> Result<Result<T, StoreError>, Halt> {
    let before = db.total_changes();
    match work() {
        Ok(value) => Ok(Ok(value)),
        Err(halt @ Halt::Told(_)) if before == db.total_changes() => Ok(Err(explain(file, halt))),
        Err(halt) => Err(halt),
    }
}

const NEVER_RAN: &str = "the writer ended before it came to this";

fn never_ran<T>() -> Result<T, StoreError> {
    Err(StoreError::unavailable(NEVER_RAN))
}
