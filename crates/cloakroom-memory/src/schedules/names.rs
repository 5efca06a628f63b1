//! Names, times and drafts of the schedules.

use std::time::Duration;

use cloakroom_store::{
    ClientInfo, Create, Draft, Ending, Factors, Field, Identity, Keep, Key, Limit, Ops, Rotation,
    SessionId, Times, Timestamp, Touch, UserId,
};

use crate::bounds::{Bounds, SHARDS, cost};
use crate::house::House;

/// The idle timeout in seconds.
pub(super) const IDLE: u64 = 100;

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_000 * seconds)
}

pub(super) fn touch(seconds: u64) -> Touch {
    Touch { seen: at(seconds), idle_deadline: at(seconds + IDLE) }
}

/// Neighbours in number are in neighbouring shards.
pub(super) fn key(number: u8) -> Key {
    let mut bytes = [number; 32];
    bytes[30] = number % u8::try_from(SHARDS).unwrap();
    bytes[31] = 0;
    Key::from_bytes(bytes)
}

pub(super) fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 18])
}

pub(super) fn user(name: &str) -> UserId {
    UserId::try_from(name).unwrap()
}

pub(super) fn set(name: &'static str, value: u8) -> Ops {
    let mut ops = Ops::new();
    ops.set(Field::from_static(name), &value).unwrap();
    ops
}

/// A value of a thousand bytes.
pub(super) fn long(name: &'static str) -> Ops {
    let mut ops = Ops::new();
    ops.set(Field::from_static(name), &"x".repeat(1_000)).unwrap();
    ops
}

pub(super) const fn all() -> Keep {
    Keep::All
}

pub(super) fn guest(number: u8) -> Draft {
    let times = Times {
        created: at(0),
        seen: at(0),
        idle_deadline: at(IDLE),
        absolute_deadline: at(10 * IDLE),
    };
    let (identity, client) = (Identity::anonymous(), ClientInfo::default());
    Draft { id: id(number), identity, times, client, ops: Ops::new() }
}

pub(super) fn member(name: &str, number: u8) -> Draft {
    let identity = Identity::signed_in(user(name), Factors::PASSWORD, at(0));
    let draft = guest(number);
    let times = Times { idle_deadline: at(5 * IDLE), ..draft.times };
    Draft { identity, times, ..draft }
}

fn has(house: &House, number: u8, draft: Draft) -> Key {
    let created = house.create(&key(number), draft, None, at(0)).unwrap();
    assert!(matches!(created, Create::Done { .. }), "{created:?}");
    key(number)
}

pub(super) fn has_guest(house: &House, number: u8) -> Key {
    has(house, number, guest(number))
}

pub(super) fn has_member(house: &House, name: &str, number: u8) -> Key {
    has(house, number, member(name, number))
}

/// A session that is dormant from [`IDLE`] on.
pub(super) fn has_remembered(house: &House, name: &str, number: u8) -> Key {
    let Draft { identity, .. } = member(name, number);
    let identity = identity.remembered_until(at(50 * IDLE));
    has(house, number, Draft { identity, ..guest(number) })
}

pub(super) fn renewal() -> Rotation {
    let (grace, cap) = (Duration::from_secs(20), Duration::from_secs(60));
    Rotation::Renewal { identity: None, times: None, grace, cap }
}

pub(super) fn login(name: &str, number: u8, limit: Option<Limit>) -> Rotation {
    let draft = member(name, number);
    Rotation::Privilege { draft, keep: all(), limit, ending: Ending::LOGOUT }
}

pub(super) fn roomy() -> Bounds {
    Bounds { sessions: 100, bytes: 1 << 20 }
}

/// Room for two sessions, one of which may hold a long value.
pub(super) fn tight() -> Bounds {
    let record = |name, number| {
        cloakroom_store::Record::new(member(name, number), &Default::default()).unwrap()
    };
    let two = cost(&record("ada", 1)) + cost(&record("bob", 2));
    Bounds { sessions: 2, bytes: two + 1_500 }
}
