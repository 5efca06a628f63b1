//! What a memory store does when it is full.
#![allow(clippy::unwrap_used, reason = "in a test, also in the functions that its cases share")]

use std::time::Duration;

use cloakroom_memory::MemoryStore;
use cloakroom_store::{
    Answer, ClientInfo, Commit, Create, Draft, Ended, Ending, Expect, Factors, Field, Identity,
    Keep, Key, Load, Ops, Reason, Record, Registry, Rotate, Rotation, SessionId, Store, StoreError,
    StoreErrorKind, Target, Times, Timestamp, Touch, UserId,
};

const IDLE: u64 = 100;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn key(number: u8) -> Key {
    Key::from_bytes([number; 32])
}

fn guest(number: u8, seconds: u64) -> Draft {
    Draft {
        id: SessionId::from_bytes([number; 18]),
        identity: Identity::anonymous(),
        times: Times {
            created: at(seconds),
            seen: at(seconds),
            idle_deadline: at(seconds + IDLE),
            absolute_deadline: at(10_000),
        },
        client: ClientInfo::default(),
        ops: Ops::new(),
    }
}

fn member(number: u8, seconds: u64) -> Draft {
    let user = UserId::from(u32::from(number));
    let identity = Identity::signed_in(user, Factors::PASSWORD, at(seconds));
    Draft { identity, ..guest(number, seconds) }
}

fn now<T>(answer: Answer<T>) -> Result<T, StoreError> {
    answer.now().unwrap()
}

fn create(store: &MemoryStore, number: u8, draft: Draft) -> Result<Record, StoreError> {
    let seconds = draft.times.created;
    let created = now(store.create(&key(number), draft, None, seconds))?;
    let Create::Done { record, .. } = created else { panic!("{created:?}") };
    Ok(record)
}

fn load(store: &MemoryStore, number: u8, seconds: u64) -> Load {
    now(store.load(&[key(number)], at(seconds))).unwrap().into_iter().next().unwrap()
}

fn set(value: &str) -> Ops {
    let mut ops = Ops::new();
    ops.set(Field::from_static("a"), &value).unwrap();
    ops
}

fn commit(store: &MemoryStore, number: u8, ops: &Ops, seconds: u64) -> Result<Commit, StoreError> {
    now(store.commit(&key(number), Expect::Any, ops, None, at(seconds)))
}

#[test]
fn a_full_store_ends_the_anonymous_session_seen_longest_ago() {
    let store = MemoryStore::builder().max_sessions(3).build();
    create(&store, 1, guest(1, 0)).unwrap();
    create(&store, 2, guest(2, 1)).unwrap();
    create(&store, 3, member(3, 0)).unwrap();
    let touch = Touch { seen: at(5), idle_deadline: at(5 + IDLE) };
    now(store.commit(&key(1), Expect::Any, &Ops::new(), Some(touch), at(5))).unwrap();

    create(&store, 4, guest(4, 6)).unwrap();

    let evicted = load(&store, 2, 6);
    assert!(
        matches!(evicted, Load::Gone(Some(Ended { reason: Reason::Evicted, .. }))),
        "{evicted:?}"
    );
    for number in [1, 3, 4] {
        assert!(matches!(load(&store, number, 6), Load::Live(_)), "{number}");
    }
}

#[test]
fn a_full_store_frees_what_has_expired_first() {
    let store = MemoryStore::builder().max_sessions(2).build();
    create(&store, 1, member(1, 0)).unwrap();
    create(&store, 2, guest(2, 50)).unwrap();

    create(&store, 3, member(3, IDLE)).unwrap();

    assert!(matches!(load(&store, 2, IDLE), Load::Live(_)));
    assert_eq!(now(store.count(at(IDLE))).unwrap().sessions, 2);
}

#[test]
fn a_store_full_of_signed_in_sessions_refuses_creation_and_ends_none() {
    let store = MemoryStore::builder().max_sessions(2).build();
    create(&store, 1, member(1, 0)).unwrap();
    create(&store, 2, member(2, 0)).unwrap();

    let error = create(&store, 3, guest(3, 1)).unwrap_err();

    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("full"), "{error}");
    assert!(matches!(load(&store, 1, 1), Load::Live(_)));
    assert!(matches!(load(&store, 2, 1), Load::Live(_)));
    assert_eq!(load(&store, 3, 1), Load::Gone(None));
    create(&store, 3, guest(3, IDLE)).unwrap();
}

#[test]
fn a_login_in_a_full_store_needs_no_room() {
    let store = MemoryStore::builder().max_sessions(2).build();
    create(&store, 1, guest(1, 0)).unwrap();
    create(&store, 2, member(2, 0)).unwrap();
    let (draft, ending) = (member(3, 1), Ending::LOGOUT);
    let rotation = Rotation::Privilege { draft, keep: Keep::All, limit: None, ending };

    let rotate = now(store.rotate(&key(1), &key(3), rotation, at(1))).unwrap();

    assert!(matches!(rotate, Rotate::Done { .. }), "{rotate:?}");
    assert_eq!(now(store.count(at(1))).unwrap().signed_in, 2);
}

#[test]
fn a_change_that_finds_no_room_ends_anonymous_sessions_and_never_its_own() {
    let store = MemoryStore::builder().max_bytes(4_000).build();
    create(&store, 1, guest(1, 0)).unwrap();
    create(&store, 2, guest(2, 1)).unwrap();

    let done = commit(&store, 1, &set(&"x".repeat(3_300)), 2).unwrap();

    assert!(matches!(done, Commit::Done(_)), "{done:?}");
    assert!(matches!(load(&store, 2, 2), Load::Gone(Some(_))));
    assert!(store.bytes() <= 4_000);
}

#[test]
fn a_change_that_finds_no_room_at_all_is_refused_and_writes_nothing() {
    let store = MemoryStore::builder().max_bytes(4_000).build();
    create(&store, 1, member(1, 0)).unwrap();
    create(&store, 2, member(2, 0)).unwrap();
    let before = load(&store, 1, 2);

    let error = commit(&store, 1, &set(&"x".repeat(3_300)), 2).unwrap_err();
    let smaller = commit(&store, 1, &set("x"), 2).unwrap();

    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let Load::Live(before) = before else { panic!("{before:?}") };
    let Commit::Done(after) = smaller else { panic!("{smaller:?}") };
    assert_eq!(after.version(), before.version() + 1);
    assert!(matches!(load(&store, 2, 2), Load::Live(_)));
}

#[test]
fn a_stores_bytes_come_back_when_its_sessions_end() {
    let store = MemoryStore::new();
    create(&store, 1, member(1, 0)).unwrap();
    create(&store, 2, guest(2, 0)).unwrap();
    commit(&store, 1, &set("some text"), 1).unwrap();
    let (grace, cap) = (Duration::from_secs(20), Duration::from_secs(60));
    for number in 10..30u8 {
        let old = if number == 10 { 1 } else { number - 1 };
        let renewal = Rotation::Renewal { identity: None, times: None, grace, cap };
        let rotate = now(store.rotate(&key(old), &key(number), renewal, at(2))).unwrap();
        assert!(matches!(rotate, Rotate::Done { .. }), "{rotate:?}");
    }
    let full = store.bytes();

    now(store.end(Target::Key(key(29)), Ending::LOGOUT, at(3))).unwrap();
    now(store.sweep(at(IDLE), 100)).unwrap();

    assert!(full > 400);
    assert_eq!(store.bytes(), 0);
}

#[test]
fn the_keys_that_forward_to_one_session_are_few() {
    let store = MemoryStore::new();
    create(&store, 0, member(0, 0)).unwrap();
    let (grace, cap) = (Duration::from_secs(20), Duration::from_secs(60));
    for number in 1..=20 {
        let renewal = Rotation::Renewal { identity: None, times: None, grace, cap };
        now(store.rotate(&key(number - 1), &key(number), renewal, at(1))).unwrap();
    }

    let loads: Vec<_> = (0..=20).map(|number| load(&store, number, 1)).collect();

    let forwarding = loads.iter().filter(|load| matches!(load, Load::Forwarded(_))).count();
    let replaced =
        |load: &&Load| matches!(load, Load::Gone(Some(Ended { reason: Reason::Replaced, .. })));
    assert_eq!((forwarding, loads.iter().filter(replaced).count()), (8, 12));
}

#[test]
fn a_load_of_too_many_keys_is_refused() {
    let store = MemoryStore::new();

    let error = now(store.load(&[key(1); 5], at(0))).unwrap_err();

    assert_eq!(error.kind(), StoreErrorKind::Refused);
}

/// A session at its first key, and a renewal of it to the second.
fn renew(store: &MemoryStore) -> Result<Rotate, StoreError> {
    let (grace, cap) = (Duration::from_secs(20), Duration::from_secs(60));
    let rotation = Rotation::Renewal { identity: None, times: None, grace, cap };
    now(store.rotate(&key(1), &key(2), rotation, at(1)))
}

/// What one session of a user takes.
fn bytes_of_a_member() -> usize {
    let store = MemoryStore::new();
    create(&store, 1, member(1, 0)).unwrap();
    store.bytes()
}

#[test]
fn a_renewal_that_the_store_has_no_room_for_changes_nothing() {
    let store = MemoryStore::builder().max_bytes(bytes_of_a_member()).build();
    create(&store, 1, member(1, 0)).unwrap();

    let error = renew(&store).unwrap_err();

    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(matches!(load(&store, 1, 1), Load::Live(_)));
    assert_eq!(store.bytes(), bytes_of_a_member());
}

#[test]
fn a_renewal_in_a_full_store_ends_an_anonymous_session() {
    let store = MemoryStore::builder().max_bytes(2 * bytes_of_a_member()).build();
    create(&store, 1, member(1, 0)).unwrap();
    create(&store, 3, guest(3, 0)).unwrap();

    let renewed = renew(&store).unwrap();

    assert!(matches!(renewed, Rotate::Done { .. }), "{renewed:?}");
    assert!(matches!(load(&store, 3, 1), Load::Gone(Some(_))));
    assert!(store.bytes() <= 2 * bytes_of_a_member());
}
