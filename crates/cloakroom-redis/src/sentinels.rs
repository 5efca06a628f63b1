//! What sentinels say of the primary.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloakroom_store::StoreError;
use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::config::Address;
use crate::dial::Dial;
use crate::reply::text;

/// How long the other sentinels may take once one has answered: those that are in reach need a
/// thousandth of it, and a failover must not wait for one that is gone.
const OTHERS: Duration = Duration::from_millis(200);

/// The sentinels, and the connections to them, which are kept: they are asked many times a second.
#[derive(Default)]
pub(crate) struct Sentinels(Arc<Mutex<HashMap<Address, MultiplexedConnection>>>);

impl std::fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sentinels")
    }
}

/// What one sentinel says.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    epoch: u64,
    primary: Address,
    /// It puts another server in its place at this moment.
    is_changing: bool,
}

/// What all of them say together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) primary: Address,
    /// Whether another server is put in its place. `None` if nobody says so and not all answered: the
    /// one that does it writes to its disk meanwhile, and may be late.
    pub(crate) is_changing: Option<bool>,
}

impl Sentinels {
    /// Asks all of them at once. They learn of a failover one after the other, so that the newest
    /// epoch is believed; the server itself is asked when it is connected to.
    pub(crate) async fn ask(
        &self,
        dial: &Arc<Dial>,
        sentinels: &[Address],
        name: &str,
    ) -> Result<Word, StoreError> {
        let mut asked = JoinSet::new();
        for sentinel in sentinels {
            let (known, dial) = (Self(Arc::clone(&self.0)), Arc::clone(dial));
            let (sentinel, name) = (sentinel.clone(), name.to_owned());
            asked.spawn(async move { known.ask_one(&dial, &sentinel, &name).await });
        }
        let mut failed = StoreError::refused("no sentinel is named");
        let mut told = Vec::new();
        let mut until = Instant::now() + dial.patience();
        while let Ok(Some(answer)) = timeout_at(until, asked.join_next()).await {
            match answer {
                Ok(Ok(answer)) => {
                    told.push(answer);
                    until = until.min(Instant::now() + OTHERS);
                }
                Ok(Err(error)) => failed = error,
                Err(error) => failed = StoreError::unavailable("a sentinel fails").because(error),
            }
        }
        word(told, sentinels.len()).ok_or(failed)
    }

    async fn ask_one(&self, dial: &Dial, at: &Address, name: &str) -> Result<Told, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(at).cloned();
        let mut connection = match known {
            Some(connection) => connection,
            None => {
                let connection = dial.connect(at, Dial::sentinel).await?;
                let kept = connection.clone();
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(at.clone(), kept);
                connection
            }
        };
        let mut command = redis::cmd("SENTINEL");
        command.arg("MASTER").arg(name);
        let answer = connection.send_packed_command(&command).await.map_err(|error| {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(at);
            StoreError::unavailable("a sentinel fails").because(error)
        })?;
        read(&answer)
            .ok_or_else(|| StoreError::unavailable(format!("no sentinel knows a primary `{name}`")))
    }
}

/// Of those who know the newest primary, the one that leads the failover knows of it first.
fn word(told: Vec<Told>, sentinels: usize) -> Option<Word> {
    let have_all_answered = told.len() == sentinels;
    let newest = told.into_iter().max_by_key(|told| (told.epoch, told.is_changing))?;
    let is_changing = (newest.is_changing || have_all_answered).then_some(newest.is_changing);
    Some(Word { primary: newest.primary, is_changing })
}

/// Names and values in turn.
fn read(answer: &Value) -> Option<Told> {
    let Value::Array(words) = answer else { return None };
    let value = |name: &str| {
        let pair = words.chunks(2).find(|pair| pair.first().and_then(text) == Some(name))?;
        pair.get(1).and_then(text)
    };
    let primary = Address { host: value("ip")?.to_owned(), port: value("port")?.parse().ok()? };
    let is_changing = value("flags")?.split(',').any(|flag| flag == "failover_in_progress");
    Some(Told { epoch: value("config-epoch")?.parse().ok()?, primary, is_changing })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(port: &str, epoch: &str, flags: &str) -> Value {
        let words = ["ip", "10.0.0.1", "port", port, "flags", flags, "config-epoch", epoch];
        Value::Array(words.map(|word| Value::BulkString(word.into())).to_vec())
    }

    fn told(port: u16, epoch: u64, is_changing: bool) -> Told {
        Told { epoch, primary: Address { host: "10.0.0.1".to_owned(), port }, is_changing }
    }

    #[test]
    fn a_failover_is_seen_while_it_runs() {
        assert_eq!(read(&answer("1", "7", "master")), Some(told(1, 7, false)));
        let changing = answer("1", "7", "master,failover_in_progress,force_failover");
        assert_eq!(read(&changing), Some(told(1, 7, true)));
        assert_eq!(read(&Value::Nil), None);
    }

    fn heard(told: Vec<Told>, sentinels: usize) -> Option<(u16, Option<bool>)> {
        word(told, sentinels).map(|word| (word.primary.port, word.is_changing))
    }

    #[test]
    fn the_newest_epoch_is_believed_and_in_it_who_leads_the_failover() {
        let (old, new) = (told(1, 7, true), told(2, 8, false));
        assert_eq!(heard(vec![old, new], 2), Some((2, Some(false))));
        let (aside, leading) = (told(1, 7, false), told(1, 7, true));
        assert_eq!(heard(vec![leading, aside], 2), Some((1, Some(true))));
        assert_eq!(heard(Vec::new(), 2), None);
    }

    #[test]
    fn that_no_failover_runs_is_known_when_all_have_said_so() {
        assert_eq!(heard(vec![told(1, 7, false)], 2), Some((1, None)));
        assert_eq!(heard(vec![told(1, 7, true)], 2), Some((1, Some(true))));
    }
}
