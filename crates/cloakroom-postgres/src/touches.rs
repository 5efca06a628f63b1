//! Touches of many sessions become one statement. The one under way is the time in which the next
//! gathers, so that a lone touch waits for nobody.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use cloakroom_store::{Commit, Key, StoreError, Timestamp, Touch};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_postgres::Row;

use crate::lines::Lines;
use crate::params::Params;
use crate::places;
use crate::rows::{self, millis};
use crate::verbs::Verb;

/// How many touches wait at most. Beyond it a touch is refused at once: whoever waits longer has
/// given up before its turn.
pub(crate) const QUEUE_MAX: usize = 10_000;

/// How many touches become one statement at most.
const BATCH_MAX: usize = 1_024;

/// One touch, and where its outcome goes.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) key: Key,
    pub(crate) touch: Touch,
    pub(crate) now: Timestamp,
    pub(crate) reply: oneshot::Sender<Result<Commit, StoreError>>,
    /// Given back with the outcome.
    pub(crate) room: OwnedSemaphorePermit,
}

/// Carries touches out until nobody can send any more.
pub(crate) async fn run(lines: Arc<Lines>, mut intake: mpsc::Receiver<Asked>) {
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            match intake.recv().await {
                Some(asked) => waiting.push_back(asked),
                None => return,
            }
        }
        while waiting.len() < BATCH_MAX
            && let Ok(asked) = intake.try_recv()
        {
            waiting.push_back(asked);
        }
        touch(&lines, next_batch(&mut waiting)).await;
    }
}

/// The first touch of each key; the others wait for their turn.
fn next_batch(waiting: &mut VecDeque<Asked>) -> Vec<Asked> {
    let mut keys = HashSet::with_capacity(waiting.len());
    let (batch, rest) = waiting.drain(..).partition(|asked: &Asked| keys.insert(asked.key));
    *waiting = rest;
    batch.into()
}

async fn touch(lines: &Arc<Lines>, batch: Vec<Asked>) {
    let rows = lines.ask(Verb::Touch, params(&batch)).await.map_err(StoreError::from);
    let mut outcomes: Vec<Option<Result<Commit, StoreError>>> = Vec::new();
    outcomes.resize_with(batch.len(), || None);
    match rows {
        Ok(rows) => rows.iter().for_each(|row| place(row, &mut outcomes)),
        Err(error) => outcomes.fill_with(|| Some(Err(error.clone()))),
    }
    for (asked, outcome) in batch.into_iter().zip(outcomes) {
        match outcome {
            // Nobody may be waiting any more.
            Some(outcome) => drop(asked.reply.send(outcome)),
            None => drop(tokio::spawn(touch_alone(Arc::clone(lines), asked))),
        }
    }
}

fn place(row: &Row, outcomes: &mut [Option<Result<Commit, StoreError>>]) {
    // Numbered from 1.
    let number = rows::column::<i64>(row, rows::AFTER_SESSION).ok();
    let at = number.and_then(|number| usize::try_from(number - 1).ok());
    if let Some(outcome) = at.and_then(|at| outcomes.get_mut(at)) {
        *outcome = Some(rows::record_of(row).map(Commit::Done));
    }
}

/// What a batch left out: somebody is writing to it, the key is an older one, or it is over.
async fn touch_alone(lines: Arc<Lines>, asked: Asked) {
    let Asked { key, touch, now, reply, room } = asked;
    let params: Params = vec![
        Box::new(key.as_bytes().to_vec()),
        Box::new(None::<i64>),
        Box::new(Vec::<String>::new()),
        Box::new(Vec::<Option<String>>::new()),
        Box::new(Some(millis(touch.seen))),
        Box::new(Some(millis(touch.idle_deadline))),
        Box::new(false),
        Box::new(millis(now)),
    ];
    let rows = lines.ask(Verb::Commit, params).await.map_err(StoreError::from);
    drop(reply.send(rows.and_then(|rows| committed(&rows, now))));
    drop(room);
}

/// What came of a commit.
pub(crate) fn committed(rows: &[Row], now: Timestamp) -> Result<Commit, StoreError> {
    let row = rows.first().ok_or_else(|| StoreError::corrupt("a commit has no outcome"))?;
    match rows::outcome(row)? {
        "done" => Ok(Commit::Done(places::view(row)?)),
        "conflict" => Ok(Commit::Conflict(places::view(row)?)),
        _ => Ok(Commit::Gone(places::ending(row, now)?)),
    }
}

fn params(batch: &[Asked]) -> Params {
    let numbers = |number: fn(&Asked) -> Timestamp| -> Vec<i64> {
        batch.iter().map(|asked| millis(number(asked))).collect()
    };
    vec![
        Box::new(batch.iter().map(|asked| asked.key.as_bytes().to_vec()).collect::<Vec<_>>()),
        Box::new(numbers(|asked| asked.touch.seen)),
        Box::new(numbers(|asked| asked.touch.idle_deadline)),
        Box::new(numbers(|asked| asked.now)),
    ]
}
