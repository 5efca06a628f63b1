//! What happens on a new connection before anything else is sent through it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use cloakroom_store::{StoreError, Timestamp};
use redis::Value;

use crate::fault::Fault;
use crate::greeting::{Server, compare_clocks};
use crate::hub::Hub;
use crate::journal::Duty;
use crate::keys;
use crate::link::Open;
use crate::reply;
use crate::scripts::Script;

/// How many calls are told again in one piece.
const PIECE: usize = 500;

impl Hub {
    /// Checks the server, loads the scripts, agrees with it on what belongs to the whole store, and
    /// tells it what it may have missed.
    pub(crate) async fn greet(&self, open: &mut Open, duty: &Duty) -> Result<(), StoreError> {
        // First something small: who is not let in is cut off if they send as much as the scripts.
        let server = self.ask_server(open).await?;
        if !server.is_primary() {
            return Err(StoreError::unavailable("this Redis server is a replica, not a primary"));
        }
        open.run = Arc::from(server.run());
        self.judge(&server)?;
        self.load_scripts(open).await.map_err(Fault::told)?;
        if duty.iter().any(|slots| slots.contains(&keys::meta_slot())) {
            self.house.agree(self, open).await?;
        }
        self.repeat(open, duty).await
    }

    /// Loads all scripts into a server, which tells their names.
    pub(crate) async fn load_scripts(&self, open: &Open) -> Result<(), Fault> {
        let load = |script: Script| {
            let mut command = redis::cmd("SCRIPT");
            command.arg("LOAD").arg(script.text());
            command
        };
        let mut names = Vec::new();
        for answer in open.send_all(Script::ALL.map(load)).await? {
            let Value::BulkString(name) = answer? else { return Err(Fault::NoScript) };
            names.push(String::from_utf8_lossy(&name).into_owned());
        }
        self.loaded.learn(names);
        Ok(())
    }

    /// Tells a server again what it may have missed, before it answers anybody.
    pub(crate) async fn repeat(&self, open: &Open, duty: &Duty) -> Result<(), StoreError> {
        let missing = self.journal.missing(&open.run, duty);
        let mut fell = 0;
        for piece in missing.chunks(PIECE) {
            let commands = piece.iter().filter_map(|call| call.command(&self.loaded));
            let answers = open.send_all(commands).await.map_err(Fault::told)?;
            for answer in answers {
                match answer {
                    Ok(Value::Array(parts)) if !is_gone(&parts) => fell += 1,
                    Ok(_) => {}
                    Err(fault) => return Err(fault.told()),
                }
            }
        }
        if !missing.is_empty() {
            let told = missing.len();
            tracing::warn!(
                told,
                fell,
                "another run of Redis took over and was told what it missed"
            );
        }
        self.journal.told(&open.run, duty, fell);
        Ok(())
    }

    async fn ask_server(&self, open: &Open) -> Result<Server, StoreError> {
        let (info, time) = (redis::cmd("INFO"), redis::cmd("TIME"));
        let mut fsync = redis::cmd("CONFIG");
        fsync.arg("GET").arg("appendfsync");
        let answers = open.send_all([info, time, fsync]).await.map_err(Fault::told)?;
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or(Err(Fault::Moved));
        let info = next().map_err(Fault::told)?;
        let info = reply::text(&info)
            .ok_or_else(|| StoreError::unavailable("Redis answers INFO with something else"))?;
        let time = next().map_err(Fault::told)?;
        if !self.is_started()
            && let Some(theirs) = time_of(&time)
            && let Some(warning) = compare_clocks(our_time(), theirs)?
        {
            tracing::warn!("{warning}");
        }
        // Where the ACL or the provider forbids to read it, the weaker setting is assumed.
        let fsync = next().ok().and_then(|answer| second(&answer));
        Ok(Server::new(info, fsync))
    }

    fn judge(&self, server: &Server) -> Result<(), StoreError> {
        match server.check(self.dial.config()) {
            Err(refused) if !self.is_started() => return Err(refused),
            Err(refused) => tracing::warn!(%refused, "a server that would be refused at the start"),
            Ok(()) if !self.is_started() => {
                server.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
            }
            Ok(()) => {
                self.failovers.fetch_add(1, Ordering::Relaxed);
            }
        }
        let mut survival = self.survival.write().unwrap_or_else(PoisonError::into_inner);
        *survival = (*survival).min(server.survival());
        Ok(())
    }
}

fn is_gone(parts: &[Value]) -> bool {
    let changed_nothing = [b"gone".as_slice(), b"stale".as_slice(), b"taken".as_slice()];
    matches!(parts.first(), Some(Value::BulkString(word)) if changed_nothing.contains(&word.as_slice()))
}

/// Seconds and microseconds.
fn time_of(answer: &Value) -> Option<Timestamp> {
    let Value::Array(parts) = answer else { return None };
    let [seconds, micros] = parts.as_slice() else { return None };
    let number = |value: &Value| {
        let Value::BulkString(digits) = value else { return None };
        std::str::from_utf8(digits).ok()?.parse::<u64>().ok()
    };
    Some(Timestamp::from_millis(number(seconds)? * 1_000 + number(micros)? / 1_000))
}

/// The value of a setting that was asked for by name.
fn second(answer: &Value) -> Option<String> {
    let value = match (answer, answer.as_sequence()) {
        (Value::Map(settings), _) => settings.first().map(|(_, value)| value),
        (_, Some([_, value])) => Some(value),
        (_, _) => None,
    };
    value.and_then(reply::text).map(str::to_owned)
}

#[allow(
    clippy::disallowed_methods,
    reason = "no verb uses it: two clocks are compared at the start"
)]
fn our_time() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::default().plus(since.unwrap_or_default())
}
