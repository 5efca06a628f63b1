use std::time::Duration;

use cloakroom_store::{Ended, Key, LOOKUP_MAX, Load, Loads, Record, StoreError, Timestamp};
use redis::Value;
use tokio::time::sleep;

use super::run;
use crate::arguments::Arguments;
use crate::call::Call;
use crate::config::Mode;
use crate::hub::Hub;
use crate::keys;
use crate::reply::Reply;
use crate::scripts::Script;
use crate::values::{self, Stored};

/// How long a load waits for a login that is half done, and how often it looks.
const HALF: (Duration, u32) = (Duration::from_millis(5), 200);

/// What one key leads to.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    key: Key,
    load: Load,
    /// This load is the first one through a renewed key.
    unseen: bool,
    /// The key that takes over, if the session was parted with.
    mark: Option<String>,
}

/// What is behind each of `keys`.
pub(crate) async fn load(hub: &Hub, keys: &[Key], now: Timestamp) -> Result<Loads, StoreError> {
    if keys.len() > LOOKUP_MAX {
        return Err(StoreError::refused(format!("a load takes {LOOKUP_MAX} keys at most")));
    }
    let mut found = all(hub, keys, now).await?;
    if found.len() > 1 && is_cluster(hub) {
        found = settled(hub, keys, found, now).await?;
    }
    for Found { key, .. } in found.iter().filter(|found| found.unseen) {
        confirm(hub, key, now).await;
    }
    Ok(found.into_iter().map(|found| found.load).collect())
}

/// The first load through a renewed key starts the grace of the older ones. If it cannot be noted,
/// they work up to their cap at most, and a later load notes it.
async fn confirm(hub: &Hub, key: &Key, now: Timestamp) {
    let arguments = Arguments::at(hub, now).with(keys::digest(key));
    if let Err(error) = run(hub, key, Script::Confirm, arguments).await {
        tracing::warn!(%error, "the grace of a renewed ticket has not begun");
    }
}

fn is_cluster(hub: &Hub) -> bool {
    matches!(hub.dial.config().mode, Mode::Cluster(_))
}

/// In a cluster a login into another slot happens in two steps. A load of both keys that meets one
/// in between looks again until it is done, so that it is never seen half done.
async fn settled(
    hub: &Hub,
    keys: &[Key],
    mut found: Vec<Found>,
    now: Timestamp,
) -> Result<Vec<Found>, StoreError> {
    if is_twice_live(&found) {
        // The older one was read first, before it was ended; or both are there.
        found = all(hub, keys, now).await?;
    }
    let (pause, times) = HALF;
    for _ in 0..times {
        if !is_half_done(&found) {
            break;
        }
        sleep(pause).await;
        found = all(hub, keys, now).await?;
    }
    Ok(found)
}

fn is_twice_live(found: &[Found]) -> bool {
    found.iter().filter(|found| matches!(found.load, Load::Live(_))).count() > 1
}

/// Whether a session was parted with for a key that is asked for too and not there yet.
fn is_half_done(found: &[Found]) -> bool {
    let marks: Vec<&String> = found.iter().filter_map(|found| found.mark.as_ref()).collect();
    found.iter().any(|found| {
        matches!(found.load, Load::Gone(None)) && marks.contains(&&keys::mark(&found.key))
    })
}

/// One command for each slot.
async fn all(hub: &Hub, keys: &[Key], now: Timestamp) -> Result<Vec<Found>, StoreError> {
    if !is_cluster(hub) {
        return some(hub, keys, now).await;
    }
    let mut found: Vec<Option<Found>> = vec![None; keys.len()];
    for (at, key) in keys.iter().enumerate() {
        let slot = keys::slot(key.route());
        let is_first = keys.iter().take(at).all(|before| keys::slot(before.route()) != slot);
        if !is_first {
            continue;
        }
        let same: Vec<usize> = (at..keys.len())
            .filter(|at| keys.get(*at).is_some_and(|key| keys::slot(key.route()) == slot))
            .collect();
        let group: Vec<Key> = same.iter().filter_map(|at| keys.get(*at).copied()).collect();
        for (place, one) in same.into_iter().zip(some(hub, &group, now).await?) {
            if let Some(place) = found.get_mut(place) {
                *place = Some(one);
            }
        }
    }
    Ok(found.into_iter().flatten().collect())
}

/// Keys that one server answers for, at one moment.
async fn some(hub: &Hub, keys: &[Key], now: Timestamp) -> Result<Vec<Found>, StoreError> {
    let Some(first) = keys.first() else { return Ok(Vec::new()) };
    let answer = hub.ask(&fetch(hub, first, keys)).await?;
    let values = if let Value::Array(values) = answer { values } else { vec![answer] };
    let mut found = Vec::with_capacity(keys.len());
    for (key, value) in keys.iter().zip(values) {
        match read(*key, value, now)? {
            Some(one) => found.push(one),
            // Where an older key leads to has to be seen in the same moment.
            None => return scripted(hub, keys, now).await,
        }
    }
    Ok(found)
}

fn fetch(hub: &Hub, first: &Key, keys: &[Key]) -> Call {
    let name = if keys.len() == 1 { "GET" } else { "MGET" };
    let names = keys.iter().map(|key| hub.names.session(key));
    Call::read(keys::slot(first.route()), name, names)
}

/// What a value says at `now`; nothing if it leads to another one.
fn read(key: Key, value: Value, now: Timestamp) -> Result<Option<Found>, StoreError> {
    if value == Value::Nil {
        return Ok(Some(gone(key, None)));
    }
    let Value::BulkString(value) = value else {
        return Err(StoreError::corrupt("a stored value is no text"));
    };
    Ok(match values::read(&value)? {
        Stored::Session(session) => {
            let load = judged(session.record, now);
            let unseen = session.unseen && matches!(load, Load::Live(_));
            Some(Found { unseen, load, ..gone(key, None) })
        }
        Stored::Ended(tomb) => {
            let mark = (tomb.mark != "-").then_some(tomb.mark);
            Some(Found { mark, ..gone(key, kept(tomb.ended, now)) })
        }
        Stored::Forward => None,
    })
}

fn judged(record: Record, now: Timestamp) -> Load {
    match record.ended(now) {
        None => Load::Live(record),
        Some(_) if record.is_dormant(now) => Load::Dormant(record),
        Some(ended) => Load::Gone(kept(ended, now)),
    }
}

const fn gone(key: Key, ended: Option<Ended>) -> Found {
    Found { key, load: Load::Gone(ended), unseen: false, mark: None }
}

fn kept(ended: Ended, now: Timestamp) -> Option<Ended> {
    ended.is_kept(now).then_some(ended)
}

/// The same by a script, which follows an older key to its session.
async fn scripted(hub: &Hub, keys: &[Key], now: Timestamp) -> Result<Vec<Found>, StoreError> {
    let Some(first) = keys.first() else { return Ok(Vec::new()) };
    let mut names: Vec<String> = keys.iter().map(|key| hub.names.ids(key.route())).collect();
    names.extend(keys.iter().map(|key| hub.names.session(key)));
    let mut arguments = Arguments::at(hub, now);
    keys.iter().for_each(|key| arguments.push(keys::digest(key)));
    let slot = keys::slot(first.route());
    let call = Call::script(slot, Script::Load, names, arguments.into_inner());
    let Value::Array(answers) = hub.ask(&call).await? else {
        return Err(StoreError::corrupt("a load was answered with something else"));
    };
    let each = |(key, answer): (&Key, Value)| {
        let reply = Reply::of(answer)?;
        Ok(match reply.word() {
            b"live" => {
                let mut reply = reply;
                let session = values::session(&reply.next()?)?;
                Found {
                    load: Load::Live(session.record),
                    unseen: session.unseen,
                    ..gone(*key, None)
                }
            }
            b"forwarded" => Found { load: Load::Forwarded(reply.record()?), ..gone(*key, None) },
            b"dormant" => Found { load: Load::Dormant(reply.record()?), ..gone(*key, None) },
            _ => gone(*key, reply.told()?),
        })
    };
    keys.iter().zip(answers).map(each).collect()
}
