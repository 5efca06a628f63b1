//! Changing the data of a session.

use std::sync::Barrier;
use std::thread;

use cloakroom_store::{Commit, Expect, Load, Ops, Record, Registry, Store};

use crate::Fixture;
use crate::desk::{Desk, IDLE, Success, at, set, touch, unset};

/// A change is in the record that commit returns and in the next load, at the next version.
pub fn a_change_is_there_once_acknowledged(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    let changed = desk.change(&key, &set("theme", r#""dark""#), at(1)).done();

    assert_eq!(changed.fields().get("theme"), Some(r#""dark""#));
    assert_eq!(changed.version(), 2);
    assert_eq!(desk.load(&key, at(2)), Load::Live(changed));
}

/// Setting one field leaves the others as they were.
pub fn a_change_leaves_other_fields_alone(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    desk.change(&key, &set("a", "1"), at(1)).done();

    desk.change(&key, &set("b", "2"), at(2)).done();
    let changed = desk.change(&key, &set("a", "3"), at(3)).done();

    assert_eq!(changed.fields().as_json(), r#"{"a":3,"b":2}"#);
}

/// An unset field is no longer there; unsetting one that is not there is no error.
pub fn an_unset_field_is_gone(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    desk.change(&key, &set("a", "1"), at(1)).done();

    desk.change(&key, &unset("a"), at(2)).done();
    desk.change(&key, &unset("a"), at(3)).done();

    assert_eq!(desk.load(&key, at(4)).done().fields().as_json(), "{}");
}

/// Operations of one commit take effect in their order.
pub fn operations_happen_in_order(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let mut ops = set("a", "1");
    ops.append(&unset("a"));
    ops.append(&set("a", "2"));
    ops.append(&set("b", "1"));
    ops.append(&unset("b"));

    let changed = desk.change(&key, &ops, at(1)).done();

    assert_eq!(changed.fields().as_json(), r#"{"a":2}"#);
    assert_eq!(changed.version(), 2, "one commit, one version");
}

/// The version grows by one with each change and not at all with a touch.
pub fn the_version_counts_changes_and_not_touches(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let versions = [
        desk.change(&key, &set("a", "1"), at(1)),
        desk.touch(&key, touch(2), at(2)),
        desk.change(&key, &set("a", "1"), at(3)),
        desk.touch(&key, touch(4), at(4)),
    ]
    .map(|commit| commit.done().version());

    assert_eq!(versions, [2, 2, 3, 3]);
}

/// A commit that names the newest version lands.
pub fn an_expected_version_lands(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    let first = desk.commit(&key, Expect::Version(1), &set("a", "1"), None, at(1));
    let second = desk.commit(&key, Expect::Version(2), &set("a", "2"), None, at(2));

    assert_eq!(first.done().version(), 2);
    assert_eq!(second.done().version(), 3);
}

/// A commit that names another version is a conflict, brings the newest record and writes nothing,
/// not even its touch. The version is judged even if there are no operations.
pub fn a_conflict_brings_the_newest_record_and_writes_nothing(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let newest = desk.change(&key, &set("a", "1"), at(1)).done();
    let stale = |version, ops: &Ops| {
        desk.commit(&key, Expect::Version(version), ops, Some(touch(50)), at(50))
    };

    let behind = stale(1, &set("a", "2"));
    let ahead = stale(3, &set("a", "3"));
    let touched = stale(1, &Ops::new());

    let conflict = Commit::Conflict(newest.clone());
    assert_eq!([behind, ahead, touched], [conflict.clone(), conflict.clone(), conflict]);
    assert_eq!(desk.load(&key, at(51)), Load::Live(newest));
}

/// [`Expect::Any`] lands on whatever there is.
pub fn any_version_never_conflicts(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    let commits =
        ["1", "2", "3"].map(|value| desk.change(&key, &set("a", value), at(1)).done().version());

    assert_eq!(commits, [2, 3, 4]);
}

/// One commit changes fields and moves the idle deadline together.
pub fn a_change_and_a_touch_land_together(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    let both = desk.commit(&key, Expect::Any, &set("a", "1"), Some(touch(60)), at(60)).done();

    assert_eq!(both.fields().get("a"), Some("1"));
    assert_eq!(both.times().idle_deadline, at(60 + IDLE));
    assert_eq!(both.times().seen, at(60));
    assert_eq!(desk.load(&key, at(60 + IDLE - 1)), Load::Live(both));
}

/// Neither a change nor a touch alters whose session it is, its id or its client.
pub fn a_change_leaves_the_identity_alone(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_remembered("ada", 1);
    let before = desk.load(&key, at(1)).done();

    let after = desk.commit(&key, Expect::Any, &set("a", "1"), Some(touch(2)), at(2)).done();

    assert_eq!(after.identity(), before.identity());
    assert_eq!((after.id(), after.client()), (before.id(), before.client()));
    assert_eq!(after.times().absolute_deadline, before.times().absolute_deadline);
    assert_eq!(after.times().created, before.times().created);
}

/// Eight threads set eight different fields at once: all are there, and the version counted them.
///
/// The values are large, so that a store that builds a record from what it read a moment ago takes
/// long enough to be overtaken, and the threads begin together.
pub fn parallel_changes_of_different_fields_all_survive(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);
    let padding = "x".repeat(6_000);
    let (rounds, together) = (100, Barrier::new(8));

    thread::scope(|scope| {
        for thread in 0..8 {
            let (desk, padding, together) = (&desk, &padding, &together);
            scope.spawn(move || {
                together.wait();
                for round in 0..rounds {
                    let ops = set(&format!("field{thread}"), &format!("\"{round} {padding}\""));
                    desk.change(&key, &ops, at(1)).done();
                }
            });
        }
    });

    let record = desk.load(&key, at(2)).done();
    let last = format!("\"{} {padding}\"", rounds - 1);
    assert_eq!((record.fields().len(), record.version()), (8, 1 + 8 * rounds));
    assert!(record.fields().iter().all(|(_, value)| value == last), "an older value is back");
}

/// Eight threads make 100 increments, each computed from the version it names and computed again
/// from the record that a conflict brings: the sum is 100.
pub fn a_hundred_parallel_increments_make_a_hundred(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    thread::scope(|scope| {
        for thread in 0..8 {
            let (desk, share) = (&desk, if thread < 4 { 13 } else { 12 });
            scope.spawn(move || (0..share).for_each(|_| increment(desk, &key)));
        }
    });

    let record = desk.load(&key, at(2)).done();
    assert_eq!((number(&record), record.version()), (100, 101));
}

/// A change that is not waited for happens all the same.
pub fn a_dropped_answer_does_not_stop_a_change(fixture: &impl Fixture) {
    let desk = Desk::open(fixture);
    let key = desk.has_guest(1);

    drop(desk.store.commit(&key, Expect::Any, &set("a", "1"), None, at(1)));

    desk.eventually(|| desk.load(&key, at(2)).done().fields().get("a") == Some("1"));
}

fn increment<S: Registry>(desk: &Desk<S>, key: &cloakroom_store::Key) {
    let mut newest = desk.load(key, at(1)).done();
    for _ in 0..100_000 {
        let ops = set("n", &(number(&newest) + 1).to_string());
        match desk.commit(key, Expect::Version(newest.version()), &ops, None, at(1)) {
            Commit::Done(_) => return,
            Commit::Conflict(record) => newest = record,
            Commit::Gone(ended) => panic!("the session is gone: {ended:?}"),
        }
    }
    panic!("a conflict never ends")
}

fn number(record: &Record) -> u32 {
    record.fields().get("n").and_then(|text| text.parse().ok()).unwrap_or(0)
}
