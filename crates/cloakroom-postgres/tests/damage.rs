//! Sessions that somebody damaged by hand.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod server;

use cloakroom_postgres::PostgresStore;
use cloakroom_store::{
    By, Create, Draft, End, Ending, Keep, Limit, Load, Ops, Reason, Registry as _, Resume, Rotate,
    Rotation, Store as _, StoreError, StoreErrorKind, Target, Timestamp, UserId,
};
use server::people::{NOW, count, draft, draft_of, id, is_live, key, later, load};
use server::{config, new_schema, open, server, wait};

/// What an update of a row can do to it that no release does.
const DAMAGES: [&str; 9] = [
    "data = '{\"\\\"a\\\":{\"}'",
    "data = '{no name}'",
    "data = '{NULL}'",
    "data = '{\"\\\"a b\\\":1\"}'",
    "factors = -1",
    "factors = 65536",
    "version = -5",
    "user_id = E'a\\x01'",
    "seen_at = -1",
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn damage(schema: &str, number: u32, what: &str) {
    let key = hex(key(number).as_bytes());
    server().sql(&format!("UPDATE {schema}.sessions SET {what} WHERE key = '\\x{key}'")).unwrap();
}

#[track_caller]
fn is_corrupt<T>(result: Result<T, StoreError>) {
    let error = result.err().unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
}

/// A store with one session of `user` for each damage, numbered from 1.
fn damaged(schema: &str, user: &UserId) -> PostgresStore {
    let store = open(config(schema)).unwrap();
    for (number, what) in (1..).zip(DAMAGES) {
        wait(store.create(&key(number), draft_of(user, number), None, NOW)).unwrap();
        damage(schema, number, what);
        is_corrupt(load(&store, number));
    }
    store
}

fn is_ended(store: &PostgresStore, number: u32, reason: Reason) -> bool {
    matches!(load(store, number), Ok(Load::Gone(Some(ended))) if ended.reason == reason)
}

#[test]
fn a_damaged_session_is_ended_and_told_with_what_can_be_read_of_it() {
    let store = damaged(&new_schema(), &UserId::from(7));
    for number in (1..).take(DAMAGES.len()) {
        let target =
            if number % 2 == 0 { Target::Key(key(number)) } else { Target::Id(id(number)) };

        let ended = wait(store.end(target, Ending::revoked(By::SYSTEM), NOW)).unwrap();

        let End::Ended(record) = ended else { panic!("{ended:?}") };
        assert_eq!(record.id(), id(number));
        assert_eq!(record.times().absolute_deadline, later(86_400));
        assert!(is_ended(&store, number, Reason::Revoked));
        assert_eq!(
            wait(store.end(Target::Id(id(number)), Ending::LOGOUT, NOW)).unwrap(),
            End::Gone(None)
        );
    }
}

#[test]
fn what_is_left_of_a_damaged_session_keeps_its_sound_parts() {
    let (schema, user) = (new_schema(), UserId::from(7));
    let store = open(config(&schema)).unwrap();
    wait(store.create(&key(1), draft_of(&user, 1), None, NOW)).unwrap();
    damage(&schema, 1, "data = array_append(data, 'broken'), factors = -1, id = '\\x0102'");

    let ended = wait(store.end(Target::Key(key(1)), Ending::LOGOUT, NOW)).unwrap();

    let End::Ended(record) = ended else { panic!("{ended:?}") };
    assert_eq!(record.identity().user, Some(user));
    assert_eq!(record.fields().iter().collect::<Vec<_>>(), [("count", "0")]);
    assert_eq!(record.id().as_bytes().get(..3), Some(&[1, 2, 0][..]));
}

#[test]
fn an_end_of_all_and_an_eviction_spare_no_damaged_session() {
    let (schema, user) = (new_schema(), UserId::from(7));
    let store = damaged(&schema, &user);
    damage(&schema, 5, "id = '\\x05'");

    let limit = Some(Limit::keep_newest(4));
    let created = wait(store.create(&key(50), draft_of(&user, 50), limit, NOW)).unwrap();
    let ended = wait(store.end_all(&user, None, Ending::LOGOUT, NOW)).unwrap().ended;

    let Create::Done { evicted, .. } = created else { panic!("{created:?}") };
    // One session has a user who is somebody else by its damage.
    assert_eq!(evicted.len(), DAMAGES.len() - 1 - 3);
    assert_eq!(ended.len(), 4);
    let gone = (1..)
        .take(DAMAGES.len())
        .filter(|number| matches!(load(&store, *number), Ok(Load::Gone(Some(_)))));
    assert_eq!(gone.count(), DAMAGES.len() - 1);
}

#[test]
fn who_has_too_many_sessions_is_shown_the_damaged_ones_too() {
    let user = UserId::from(7);
    let store = damaged(&new_schema(), &user);

    let limit = Some(Limit::refuse_beyond(1));
    let refused = wait(store.create(&key(50), draft_of(&user, 50), limit, NOW)).unwrap();

    let Create::LimitReached(held) = refused else { panic!("{refused:?}") };
    assert_eq!(held.len(), DAMAGES.len() - 1);
}

#[test]
fn a_sweep_frees_damaged_sessions() {
    let store = damaged(&new_schema(), &UserId::from(7));
    let over = later(86_400);

    let swept = wait(store.sweep(over, 100)).unwrap();

    assert_eq!(swept.removed, DAMAGES.len() as u64);
    assert_eq!(wait(store.count(over)).unwrap().sessions, 0);
}

#[test]
fn a_rotation_that_would_carry_damage_along_changes_nothing() {
    let (schema, user) = (new_schema(), UserId::from(7));
    let store = damaged(&schema, &user);
    let before = rows(&schema);
    for (number, what) in (1..).zip(DAMAGES) {
        let old = key(number);
        is_corrupt(wait(store.rotate(&old, &key(100 + number), renewal(), NOW)));
        if what.starts_with("data") {
            let login = Rotation::Privilege {
                draft: Draft { ops: Ops::new(), ..draft_of(&user, 100 + number) },
                keep: Keep::All,
                limit: Some(Limit::keep_newest(1)),
                ending: Ending::LOGOUT,
            };
            is_corrupt(wait(store.rotate(&old, &key(100 + number), login, NOW)));
        }
    }

    assert_eq!(rows(&schema), before);
}

#[test]
fn a_login_that_leaves_the_damage_behind_succeeds() {
    let user = UserId::from(7);
    let store = damaged(&new_schema(), &user);
    for number in (1..).take(DAMAGES.len()) {
        let (draft, limit, ending) = (draft_of(&user, 100 + number), None, Ending::LOGOUT);
        let login = Rotation::Privilege { draft, keep: Keep::nothing(), limit, ending };

        let rotated = wait(store.rotate(&key(number), &key(100 + number), login, NOW)).unwrap();

        assert!(matches!(rotated, Rotate::Done { .. }), "{rotated:?}");
        assert!(is_ended(&store, number, Reason::Logout) && is_live(&store, 100 + number));
    }
}

#[test]
fn a_resumption_that_would_carry_damage_along_changes_nothing() {
    let (schema, user) = (new_schema(), UserId::from(7));
    let store = open(config(&schema)).unwrap();
    let until = later(200_000);
    let remembered = |number, at: Timestamp| {
        let mut draft = draft_of(&user, number);
        draft.identity = draft.identity.remembered_until(until);
        draft.times.absolute_deadline = at.plus(std::time::Duration::from_secs(60));
        draft.times.idle_deadline = draft.times.absolute_deadline;
        draft
    };
    wait(store.create(&key(1), remembered(1, NOW), None, NOW)).unwrap();
    damage(&schema, 1, "data = '{\"\\\"a\\\":{\"}'");
    let (before, at) = (rows(&schema), later(100));

    is_corrupt(wait(store.resume(&key(1), remembered(2, at), Keep::All, at)));
    assert_eq!(rows(&schema), before);

    let resumed = wait(store.resume(&key(1), remembered(2, at), Keep::nothing(), at)).unwrap();
    assert!(matches!(resumed, Resume::Done(_)), "{resumed:?}");
}

#[test]
fn a_reason_that_only_a_newer_release_knows_is_no_reason() {
    let schema = new_schema();
    let store = open(config(&schema)).unwrap();
    wait(store.create(&key(1), draft(1), None, NOW)).unwrap();
    wait(store.end(Target::Key(key(1)), Ending::LOGOUT, NOW)).unwrap();
    server().sql(&format!("UPDATE {schema}.tombstones SET reason = 'of-tomorrow'")).unwrap();

    let loaded = load(&store, 1).unwrap();
    let late = wait(store.commit(&key(1), cloakroom_store::Expect::Any, &count(1), None, NOW));

    assert_eq!(loaded, Load::Gone(None));
    assert_eq!(late.unwrap(), cloakroom_store::Commit::Gone(None));
}

fn renewal() -> Rotation {
    let (grace, cap) = (std::time::Duration::from_secs(20), std::time::Duration::from_secs(600));
    Rotation::Renewal { identity: None, times: None, grace, cap }
}

/// All sessions as they are stored.
fn rows(schema: &str) -> String {
    server().sql(&format!("SELECT * FROM {schema}.sessions ORDER BY key")).unwrap()
}
