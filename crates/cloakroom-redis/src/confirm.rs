//! Changes that count once replicas or a disk have them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cloakroom_store::StoreError;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::sync::oneshot;

use crate::config::RedisConfig;
use crate::fault::Fault;
use crate::link::send_all;

/// A connection of its own, since a server that waits for a confirmation reads nothing else from it.
///
/// Changes that come while one batch is confirmed are the next one: they wait for one confirmation
/// together, and a slow disk bounds how long each takes, not how many there are.
pub(crate) struct Confirming {
    connection: MultiplexedConnection,
    wanted: Wanted,
    next: Mutex<Vec<Change>>,
    turn: tokio::sync::Mutex<()>,
}

/// What confirms a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    replicas: u32,
    on_disk: bool,
    /// How long the server waits for it.
    patience: Duration,
}

struct Change {
    command: Cmd,
    told: oneshot::Sender<Result<Value, Fault>>,
}

impl Wanted {
    /// `None` if a change counts as soon as the server has done it.
    pub(crate) fn by(config: &RedisConfig) -> Option<Self> {
        let (replicas, on_disk) = (config.replicas, config.on_disk);
        // A fifth is left for the way there and back, so that the server gives up first and says so.
        let patience = config.answer_timeout * 4 / 5;
        (replicas > 0 || on_disk).then_some(Self { replicas, on_disk, patience })
    }

    /// The command that waits for everything that was sent through its connection before.
    pub(crate) fn command(self) -> Cmd {
        let patience = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
        let mut wait = redis::cmd(if self.on_disk { "WAITAOF" } else { "WAIT" });
        if self.on_disk {
            wait.arg(1);
        }
        wait.arg(self.replicas).arg(patience);
        wait
    }

    /// Judges the answer of the command.
    pub(crate) fn judge(self, answer: Result<Value, Fault>) -> Result<(), Fault> {
        let answer = answer?;
        let (disks, replicas) = match (&answer, answer.as_sequence()) {
            (Value::Int(replicas), _) => (0, *replicas),
            (_, Some([Value::Int(disks), Value::Int(replicas)])) => (*disks, *replicas),
            (_, _) => (0, 0),
        };
        let missing = match (self.on_disk && disks < 1, replicas < i64::from(self.replicas)) {
            (false, false) => return Ok(()),
            (true, _) => {
                "the disk of Redis did not confirm the change: a crash may undo it".to_owned()
            }
            (false, true) => format!(
                "fewer than {} replicas of Redis confirmed the change: it may be lost in a failover",
                self.replicas
            ),
        };
        Err(Fault::Final(StoreError::unavailable(missing)))
    }
}

impl Confirming {
    pub(crate) fn new(connection: MultiplexedConnection, wanted: Wanted) -> Self {
        Self { connection, wanted, next: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// The answer to a change, once it is confirmed.
    pub(crate) async fn send(&self, command: Cmd) -> Result<Value, Fault> {
        let (told, mut answer) = oneshot::channel();
        self.next.lock().unwrap_or_else(PoisonError::into_inner).push(Change { command, told });
        let _turn = self.turn.lock().await;
        if let Ok(answer) = answer.try_recv() {
            return answer;
        }
        let batch = std::mem::take(&mut *self.next.lock().unwrap_or_else(PoisonError::into_inner));
        self.confirm(batch).await;
        // Whoever's turn it was may have been cut short, with this change in hand.
        answer.try_recv().unwrap_or_else(|_| Err(Fault::Broken(cut_short())))
    }

    async fn confirm(&self, batch: Vec<Change>) {
        let (commands, told): (Vec<Cmd>, Vec<_>) =
            batch.into_iter().map(|Change { command, told }| (command, told)).unzip();
        let commands = commands.into_iter().chain([self.wanted.command()]);
        let mut answers = match send_all(&self.connection, commands).await {
            Ok(answers) => answers,
            Err(fault) => {
                let error = fault.told();
                told.into_iter()
                    .for_each(|told| drop(told.send(Err(Fault::Broken(error.clone())))));
                return;
            }
        };
        let confirmed = self.wanted.judge(answers.pop().unwrap_or(Err(Fault::Moved)));
        let confirmed = confirmed.map_err(Fault::told);
        for (told, answer) in told.into_iter().zip(answers) {
            let answer = answer.and_then(|value| match &confirmed {
                Ok(()) => Ok(value),
                Err(error) => Err(Fault::Final(error.clone())),
            });
            // Who does not wait any more has been told that nobody knows.
            drop(told.send(answer));
        }
    }
}

fn cut_short() -> StoreError {
    StoreError::unavailable("a confirmation of Redis was not waited for")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(replicas: u32, on_disk: bool) -> Wanted {
        Wanted { replicas, on_disk, patience: Duration::from_millis(800) }
    }

    fn text(wanted: Wanted) -> String {
        String::from_utf8(wanted.command().get_packed_command()).unwrap().replace("\r\n", " ")
    }

    #[test]
    fn nothing_is_waited_for_unless_it_is_asked_for() {
        let config: RedisConfig = "redis://h".parse().unwrap();

        assert_eq!(Wanted::by(&config), None);
        assert_eq!(Wanted::by(&config.clone().confirmed_by_replicas(0)), None);
        assert!(Wanted::by(&config.confirmed_by_replicas(1)).is_some());
    }

    #[test]
    fn a_server_is_asked_for_replicas_or_for_disks() {
        assert_eq!(text(wanted(2, false)), "*3 $4 WAIT $1 2 $3 800 ");
        assert_eq!(text(wanted(1, true)), "*4 $7 WAITAOF $1 1 $1 1 $3 800 ");
    }

    #[test]
    fn less_than_what_was_asked_for_is_no_confirmation() {
        let judged =
            |replicas, on_disk, answer| wanted(replicas, on_disk).judge(Ok(answer)).is_ok();
        let counts = |disk, replicas| Value::Array(vec![Value::Int(disk), Value::Int(replicas)]);

        assert!(judged(1, false, Value::Int(1)) && judged(1, false, Value::Int(2)));
        assert!(!judged(2, false, Value::Int(1)));
        assert!(judged(0, true, counts(1, 0)) && judged(1, true, counts(1, 1)));
        assert!(!judged(0, true, counts(0, 0)) && !judged(1, true, counts(1, 0)));
        assert!(!judged(1, true, Value::Nil));
    }
}
