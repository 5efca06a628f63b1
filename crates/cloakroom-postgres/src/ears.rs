//! Who is told at once what others end, and how that is known to be all of it.
//!
//! Verbs after which a session is over or another one send its keys with `NOTIFY`, which the server
//! hands out when they are committed. One connection of the store's own listens. A connection on which
//! nothing arrives looks like one on which nothing happens, so the server is asked every second.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloakroom_store::{Change, Key, Listener, StoreError};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use crate::config::PostgresConfig;
use crate::dial::{self, Abort, CONNECT_LIMIT};
use crate::fault;
use crate::lines::pause;

/// How often the server is asked whether it is still there, and how long it may take to say so.
const ATTEND: Duration = Duration::from_secs(1);

/// The listeners of one store, and whether they miss anything.
#[derive(Default)]
pub(crate) struct Ears(Mutex<Room>);

#[derive(Default)]
struct Room {
    listeners: Vec<Arc<dyn Listener>>,
    hears: bool,
    is_attended: bool,
}

impl fmt::Debug for Ears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ears")
    }
}

impl Ears {
    /// Takes a listener in. `true` for the first one, since nobody looks after them yet.
    pub(crate) fn add(&self, listener: Arc<dyn Listener>) -> bool {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if room.hears {
            listener.hear(Change::Hearing);
        }
        room.listeners.push(listener);
        !std::mem::replace(&mut room.is_attended, true)
    }

    /// What one notification says: keys in hexadecimal, one after another. One that cannot be read
    /// is of somebody else, or of a newer release.
    pub(crate) fn told(&self, payload: &str) {
        match keys(payload) {
            Some(keys) => keys.into_iter().for_each(|key| self.tell(Change::Key(key))),
            None => self.tell(Change::Everything),
        }
    }

    /// Whether everything is heard from now on.
    fn set(&self, hears: bool) {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut room.hears, hears) != hears {
            let change = if hears { Change::Hearing } else { Change::Deaf };
            room.listeners.iter().for_each(|listener| listener.hear(change));
        }
    }

    fn tell(&self, change: Change) {
        let room = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        room.listeners.iter().for_each(|listener| listener.hear(change));
    }
}

/// Listens until the store is closed or dropped.
pub(crate) async fn attend(
    ears: Arc<Ears>,
    config: PostgresConfig,
    mut stopped: watch::Receiver<bool>,
) {
    if *stopped.borrow() {
        return;
    }
    tokio::select! {
        () = listen(&ears, &config) => {}
        _ = stopped.changed() => {}
    }
    ears.set(false);
}

async fn listen(ears: &Arc<Ears>, config: &PostgresConfig) {
    let mut is_told = false;
    loop {
        let error = match open(ears, config).await {
            Ok((client, mut driver)) => {
                ears.set(true);
                is_told = false;
                tokio::select! {
                    _ = driver.ended() => {}
                    () = fall_silent(&client) => {}
                }
                StoreError::unavailable("the connection broke")
            }
            Err(error) => error,
        };
        ears.set(false);
        if !std::mem::replace(&mut is_told, true) {
            tracing::warn!(%error, "endings of other processes are not heard");
        }
        sleep(pause()).await;
    }
}

/// A connection that listens already.
async fn open(ears: &Arc<Ears>, config: &PostgresConfig) -> Result<(Client, Abort), StoreError> {
    let opened = timeout(CONNECT_LIMIT, async {
        let hearer = Arc::clone(ears);
        let heard = move |payload: &str| hearer.told(payload);
        let (client, driver) = dial::open_hearing(config, heard).await?;
        let driver = Abort::spawn(driver);
        let listen = config.schema.sql("LISTEN @channel@");
        client.batch_execute(&listen).await.map_err(fault::connecting)?;
        Ok((client, driver))
    });
    let late = || StoreError::unavailable("PostgreSQL did not let us in in time");
    opened.await.unwrap_or_else(|_| Err(late()))
}

/// Returns when the server does not answer any more.
async fn fall_silent(client: &Client) {
    loop {
        sleep(ATTEND).await;
        if !matches!(timeout(ATTEND, client.simple_query("")).await, Ok(Ok(_))) {
            return;
        }
    }
}

fn keys(payload: &str) -> Option<Vec<Key>> {
    let (keys, []) = payload.as_bytes().as_chunks::<64>() else { return None };
    keys.iter().map(key).collect()
}

fn key(digits: &[u8; 64]) -> Option<Key> {
    let mut bytes = [0; 32];
    let (pairs, _) = digits.as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(Key::from_bytes(bytes))
}

fn digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_row_of_keys_is_none() {
        let two = format!("{}{}", "0a".repeat(32), "ff".repeat(32));
        assert_eq!(keys(&two).unwrap(), [[10; 32], [255; 32]].map(Key::from_bytes));

        for bad in ["0", &"0a".repeat(31), &"0g".repeat(32), &"\u{e4}".repeat(32)] {
            assert!(keys(bad).is_none(), "{bad}");
        }
    }
}
