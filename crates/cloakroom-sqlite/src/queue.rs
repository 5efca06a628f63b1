//! The way to the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::Duration;

use cloakroom_store::{Answer, Commit, StoreError};
use tokio::sync::{oneshot, watch};

use crate::jobs::{Job, Reply, Touches};
use crate::verbs::Asked;

/// How many writes wait at most. Beyond it a verb is refused at once: whoever waits longer has
/// given up before its turn.
pub(crate) const QUEUE_MAX: usize = 10_000;

/// How many waiting writes become one transaction at most.
const BATCH_MAX: usize = 1_024;

/// What is sent to the writer.
pub(crate) enum Message {
    /// Work to do.
    Job(Box<dyn Job>),
    /// A touch, which is done together with the touches around it.
    Touch(Asked, Reply<Commit>),
    /// Nothing to do: the writer looks whether it is to end, and whether somebody new listens.
    Wake,
}

/// The senders' end.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: SyncSender<Message>,
    closing: Arc<AtomicBool>,
    finished: watch::Receiver<()>,
}

/// The writer's end. The writer keeps `finished` until it has ended.
pub(crate) struct Intake {
    receiver: Receiver<Message>,
    closing: Arc<AtomicBool>,
    again: Vec<Box<dyn Job>>,
    finished: watch::Sender<()>,
}

/// Both ends of a queue of at most `room` messages.
pub(crate) fn queue(room: usize) -> (Queue, Intake) {
    let (sender, receiver) = mpsc::sync_channel(room);
    let (finish, finished) = watch::channel(());
    let closing = Arc::new(AtomicBool::new(false));
    let queue = Queue { sender, closing: Arc::clone(&closing), finished };
    (queue, Intake { receiver, closing, again: Vec::new(), finished: finish })
}

impl Queue {
    /// Sends a message that is answered over a channel of its own.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        message: impl FnOnce(Reply<T>) -> Message,
    ) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        match self.send(message(reply)) {
            Ok(()) => Answer::later(async { answer.await.unwrap_or_else(|_| Err(ended())) }),
            Err(error) => Answer::ready(Err(error)),
        }
    }

    /// Whether the store was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Lets the writer end when it has done what is waiting; what it gives waits for that.
    pub(crate) fn close(&self) -> impl Future<Output = ()> + Send + 'static {
        self.closing.store(true, Ordering::Release);
        self.wake();
        let mut finished = self.finished.clone();
        async move { while finished.changed().await.is_ok() {} }
    }

    /// Lets the writer look around.
    pub(crate) fn wake(&self) {
        // A full queue wakes the writer as well.
        let _ = self.sender.try_send(Message::Wake);
    }

    fn send(&self, message: Message) -> Result<(), StoreError> {
        if self.is_closed() {
            return Err(closed());
        }
        self.sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => {
                StoreError::unavailable(format!("{QUEUE_MAX} writes are waiting already"))
            }
            TrySendError::Disconnected(_) => ended(),
        })
    }
}

impl Intake {
    /// What is to be done next, in order; waits until there is something, or for `patience`. `None`
    /// if nothing will come any more.
    pub(crate) fn next_batch(&mut self, patience: Option<Duration>) -> Option<Vec<Box<dyn Job>>> {
        let mut batch = Batch { jobs: std::mem::take(&mut self.again), touches: None };
        if batch.jobs.is_empty() {
            batch.push(self.wait(patience)?);
        }
        let waiting = std::iter::from_fn(|| self.receiver.try_recv().ok());
        waiting.take(BATCH_MAX - 1).for_each(|message| batch.push(message));
        Some(batch.finish())
    }

    /// Puts the rest of a job before what is waiting.
    pub(crate) fn push_again(&mut self, job: Box<dyn Job>) {
        self.again.push(job);
    }

    fn wait(&self, patience: Option<Duration>) -> Option<Message> {
        if self.closing.load(Ordering::Acquire) {
            return self.receiver.try_recv().ok();
        }
        let Some(patience) = patience else { return self.receiver.recv().ok() };
        match self.receiver.recv_timeout(patience) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => Some(Message::Wake),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Tells those who wait for the writer that it has ended.
    pub(crate) fn finish(self) {
        drop(self.receiver);
        drop(self.finished);
    }
}

/// Jobs in order; touches that follow each other are one job.
struct Batch {
    jobs: Vec<Box<dyn Job>>,
    touches: Option<Box<Touches>>,
}

impl Batch {
    fn push(&mut self, message: Message) {
        match message {
            Message::Touch(asked, reply) => {
                self.touches.get_or_insert_default().push(asked, reply);
            }
            Message::Job(job) => {
                self.end_touches();
                self.jobs.push(job);
            }
            Message::Wake => {}
        }
    }

    fn end_touches(&mut self) {
        if let Some(touches) = self.touches.take() {
            self.jobs.push(touches);
        }
    }

    fn finish(mut self) -> Vec<Box<dyn Job>> {
        self.end_touches();
        self.jobs
    }
}

/// The answer of a store that was closed.
pub(crate) fn closed() -> StoreError {
    StoreError::unavailable("the store was closed")
}

fn ended() -> StoreError {
    StoreError::unavailable("the store was closed before it came to this")
}
