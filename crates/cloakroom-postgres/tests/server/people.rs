//! Sessions by number, and short ways to ask a store about them.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and fails with it")]

use std::time::Duration;

use cloakroom_postgres::PostgresStore;
use cloakroom_store::{
    ClientInfo, Commit, Create, Draft, Expect, Factors, Field, Identity, Key, Load, Ops, Record,
    SessionId, Store as _, StoreError, Times, Timestamp, Touch, UserId,
};

use super::wait;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(crate) fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

pub(crate) fn key(number: u32) -> Key {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Key::from_bytes(bytes)
}

pub(crate) fn id(number: u32) -> SessionId {
    let mut bytes = [9; 18];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(bytes)
}

/// Of nobody; for a day.
pub(crate) fn draft(number: u32) -> Draft {
    Draft {
        id: id(number),
        identity: Identity::anonymous(),
        times: Times {
            created: NOW,
            seen: NOW,
            idle_deadline: later(86_400),
            absolute_deadline: later(86_400),
        },
        client: ClientInfo::default(),
        ops: count(0),
    }
}

pub(crate) fn draft_of(user: &UserId, number: u32) -> Draft {
    let identity = Identity::signed_in(user.clone(), Factors::PASSWORD, NOW);
    Draft { identity, ..draft(number) }
}

pub(crate) fn count(value: u32) -> Ops {
    let mut ops = Ops::new();
    ops.set(Field::from_static("count"), &value).unwrap();
    ops
}

pub(crate) fn counted(record: &Record) -> u32 {
    record.fields().get("count").unwrap().parse().unwrap()
}

pub(crate) fn touched(seconds: u64) -> Option<Touch> {
    Some(Touch { seen: later(seconds), idle_deadline: later(seconds + 600) })
}

pub(crate) fn create(store: &PostgresStore, number: u32) -> Result<Create, StoreError> {
    wait(store.create(&key(number), draft(number), None, NOW))
}

pub(crate) fn change(store: &PostgresStore, number: u32, value: u32) -> Result<Commit, StoreError> {
    wait(store.commit(&key(number), Expect::Any, &count(value), None, NOW))
}

pub(crate) fn load(store: &PostgresStore, number: u32) -> Result<Load, StoreError> {
    wait(store.load(&[key(number)], NOW)).map(|loads| loads.into_iter().next().unwrap())
}

pub(crate) fn is_live(store: &PostgresStore, number: u32) -> bool {
    matches!(load(store, number).unwrap(), Load::Live(_))
}
