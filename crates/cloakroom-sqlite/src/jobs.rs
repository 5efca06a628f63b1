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
    /// Does the work and remembers the outcome. An error says that the transaction must not be
    /// committed; then the job may run again in another one.
    fn run(&mut self, db: &Connection, file: &str) -> Result<(), rusqlite::Error>;

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
    fn run(&mut self, db: &Connection, file: &str) -> Result<(), rusqlite::Error> {
        let before = db.total_changes();
        self.outcome = Some(match (self.work)(db) {
            Ok(value) => Ok(value),
            Err(Halt::Engine(error)) => return Err(error),
            Err(halt @ Halt::Told(_)) => {
                debug_assert_eq!(before, db.total_changes(), "judged before anything is written");
                Err(explain(file, halt))
            }
        });
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
    fn run(&mut self, db: &Connection, file: &str) -> Result<(), rusqlite::Error> {
        self.outcomes = match verbs::touch_all(db, &self.asked) {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(Halt::Engine(error)) => return Err(error),
            Err(Halt::Told(_)) => {
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
    fn run(&mut self, db: &Connection, file: &str) -> Result<(), rusqlite::Error> {
        self.step = Some(match verbs::sweep(db, self.now, self.left) {
            Ok(step) => Ok(step),
            Err(Halt::Engine(error)) => return Err(error),
            Err(halt @ Halt::Told(_)) => Err(explain(file, halt)),
        });
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

/// The outer error is the engine's, the inner one the verdict on this touch.
fn touch_alone(
    db: &Connection,
    file: &str,
    asked: &Asked,
) -> Result<Result<Commit, StoreError>, rusqlite::Error> {
    match verbs::touch_all(db, std::slice::from_ref(asked)) {
        Ok(mut outcomes) => Ok(outcomes.pop().ok_or_else(|| StoreError::unavailable(NEVER_RAN))),
        Err(Halt::Engine(error)) => Err(error),
        Err(halt @ Halt::Told(_)) => Ok(Err(explain(file, halt))),
    }
}

const NEVER_RAN: &str = "the writer ended before it came to this";

fn never_ran<T>() -> Result<T, StoreError> {
    Err(StoreError::unavailable(NEVER_RAN))
}
