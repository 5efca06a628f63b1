//! Orders of the store's own steps, thousands of them: each lock and each number that threads share
//! lets the scheduler choose who goes on. A deadlock is found as such.
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo test -p cloakroom-memory --lib schedules
//! ```
//!
//! Half of the orders are drawn evenly, half by priorities that change a few times, which finds what
//! needs one thread to wait long. `CLOAKROOM_SEED` repeats a run; a failure prints its schedule too.
#![allow(clippy::print_stdout, reason = "the seed that repeats a failure")]
#![allow(clippy::unwrap_used, reason = "in tests, also in the functions that they share")]
#![allow(clippy::indexing_slicing, reason = "the bound is the argument of the random choice")]

mod agreement;
mod anything;
mod names;
mod near;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cloakroom_conformance::history::{Call, Event, State, Told, explain};
use cloakroom_conformance::model;
use cloakroom_store::{
    Commit, Create, End, Ending, Expect, Key, Limit, Load, Ops, Page, Resume, Rotate, Target,
};
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};

use crate::commits::Change;
use crate::house::House;
use agreement::agrees;
use names::*;

/// How many orders of one test.
const ORDERS: usize = 3_000;
/// How many orders when there is time.
const ORDERS_LONG: usize = 20_000;
/// How often priorities change in one order.
const DEPTH: usize = 3;

fn in_every_order(test: fn()) {
    let (seed, long) = (model::seed(), std::env::var_os("CLOAKROOM_LONG").is_some());
    println!("CLOAKROOM_SEED={seed}");
    let half = if long { ORDERS_LONG } else { ORDERS } / 2;
    Runner::new(RandomScheduler::new_from_seed(seed, half), Config::new()).run(test);
    Runner::new(PctScheduler::new_from_seed(seed, DEPTH, half), Config::new()).run(test);
}

fn changed(house: &House, key: &Key, ops: &Ops, seconds: u64) -> Option<cloakroom_store::Record> {
    let change = Change { expect: Expect::Any, ops, touch: None, now: at(seconds) };
    match house.commit(key, change).unwrap() {
        Commit::Done(record) => Some(record),
        Commit::Gone(_) => None,
        Commit::Conflict(record) => panic!("any version was expected, not {record:?}"),
    }
}

/// Two threads set fields of their own through `key`, while `meanwhile` runs. What was acknowledged.
fn changing(house: &Arc<House>, key: Key, meanwhile: impl FnOnce()) -> Vec<(&'static str, u8)> {
    let threads: Vec<_> = ["a", "b"]
        .into_iter()
        .map(|name| {
            let house = Arc::clone(house);
            thread::spawn(move || {
                let mut acknowledged = None;
                for value in 1..=2 {
                    if changed(&house, &key, &set(name, value), 1).is_some() {
                        acknowledged = Some((name, value));
                    }
                }
                acknowledged
            })
        })
        .collect();
    meanwhile();
    threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
}

fn holds(record: &cloakroom_store::Record, acknowledged: &[(&str, u8)]) {
    for (name, value) in acknowledged {
        assert_eq!(record.fields().get(name), Some(value.to_string().as_str()), "{name} is lost");
    }
}

fn load(house: &House, keys: &[Key], seconds: u64) -> Vec<Load> {
    house.load(keys, at(seconds)).unwrap().into_iter().collect()
}

fn live(house: &House, key: &Key, seconds: u64) -> cloakroom_store::Record {
    match load(house, &[*key], seconds).pop() {
        Some(Load::Live(record)) => record,
        other => panic!("it does not live: {other:?}"),
    }
}

fn state_of(record: &cloakroom_store::Record) -> State {
    let value = |name| record.fields().get(name).and_then(|text| text.parse().ok());
    let fields = ["a", "b", "c"].map(|name| value(name).unwrap_or_default());
    State { live: true, version: record.version(), fields }
}

/// One call of one client, and what it is told.
fn ask(house: &House, key: &Key, newest: State) -> (Call, Told) {
    let field = thread_rng().gen_range(0..3usize);
    let value = thread_rng().gen_range(1..100u8);
    let name = ["a", "b", "c"][field];
    match thread_rng().gen_range(0..8u8) {
        0 => {
            let told = match house.end(Target::Key(*key), Ending::LOGOUT, at(1)) {
                End::Ended(record) => Told::Ended(state_of(&record)),
                End::Stale | End::Gone(_) => Told::Gone,
            };
            (Call::End, told)
        }
        1 | 2 => {
            let told = match load(house, &[*key], 1).pop() {
                Some(Load::Live(record)) => Told::Live(state_of(&record)),
                _ => Told::Gone,
            };
            (Call::Load, told)
        }
        kind => {
            let version = (kind < 5).then_some(newest.version);
            let expect = version.map_or(Expect::Any, Expect::Version);
            let ops = set(name, value);
            let told = match house
                .commit(key, Change { expect, ops: &ops, touch: None, now: at(1) })
                .unwrap()
            {
                Commit::Done(record) => Told::Done(state_of(&record)),
                Commit::Conflict(record) => Told::Conflict(state_of(&record)),
                Commit::Gone(_) => Told::Gone,
            };
            (Call::Commit { expect: version, field, value: value.into() }, told)
        }
    }
}

#[test]
fn what_clients_are_told_fits_into_one_order() {
    in_every_order(|| {
        let house = Arc::new(House::new(roomy()));
        let key = has_guest(&house, 1);
        let clock = Arc::new(AtomicU64::new(0));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (house, clock) = (Arc::clone(&house), Arc::clone(&clock));
                thread::spawn(move || {
                    let mut newest = State::default();
                    let mut events = Vec::new();
                    for _ in 0..3 {
                        let began = clock.fetch_add(1, Ordering::Relaxed);
                        let (call, told) = ask(&house, &key, newest);
                        let ended = clock.fetch_add(1, Ordering::Relaxed);
                        if let Told::Live(state) | Told::Done(state) | Told::Conflict(state) = told
                        {
                            newest = state;
                        }
                        events.push(Event { key: 0, call, told: Some(told), began, ended });
                    }
                    events
                })
            })
            .collect();

        let events: Vec<Event> =
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();

        assert!(explain(&events).is_some(), "no order explains this: {events:#?}");
        agrees(&house);
    });
}

#[test]
fn a_renewal_among_changes_loses_none() {
    in_every_order(|| {
        let house = Arc::new(House::new(roomy()));
        let old = has_member(&house, "ada", 1);
        let mut newest = old;

        let acknowledged = changing(&house, old, || {
            for number in 2..=3 {
                let new = key(number);
                let answer = house.rotate(&newest, &new, &renewal(), at(1)).unwrap();
                assert!(matches!(answer, Rotate::Done { .. }), "{answer:?}");
                newest = new;
                load(&house, &[new, old], 1);
            }
        });

        let record = live(&house, &newest, 2);
        holds(&record, &acknowledged);
        assert_eq!((acknowledged.len(), record.version()), (2, 1 + 4 + 2));
        agrees(&house);
    });
}

#[test]
fn a_login_among_changes_takes_along_what_was_acknowledged() {
    in_every_order(|| {
        let house = Arc::new(House::new(roomy()));
        let (old, new) = (has_guest(&house, 1), key(2));

        let acknowledged = changing(&house, old, || {
            let answer = house.rotate(&old, &new, &login("ada", 2, None), at(1)).unwrap();
            assert!(matches!(answer, Rotate::Done { .. }), "{answer:?}");
        });

        holds(&live(&house, &new, 2), &acknowledged);
        assert!(changed(&house, &old, &set("a", 9), 2).is_none(), "the old key still opens");
        agrees(&house);
    });
}

#[test]
fn a_login_is_done_or_not_begun_for_whoever_looks() {
    in_every_order(|| {
        let house = Arc::new(House::new(roomy()));
        let (old, new) = (has_guest(&house, 1), key(2));
        let looker = {
            let house = Arc::clone(&house);
            thread::spawn(move || [load(&house, &[old, new], 1), load(&house, &[new, old], 1)])
        };

        let answer = house.rotate(&old, &new, &login("ada", 2, None), at(1)).unwrap();

        assert!(matches!(answer, Rotate::Done { .. }), "{answer:?}");
        for loads in looker.join().unwrap() {
            let live = loads.iter().filter(|load| matches!(load, Load::Live(_))).count();
            assert_eq!(live, 1, "{loads:?}");
        }
        agrees(&house);
    });
}

#[test]
fn nothing_lands_in_a_session_that_has_ended() {
    in_every_order(|| {
        let house = Arc::new(House::new(roomy()));
        let old = has_member(&house, "ada", 1);
        house.rotate(&old, &key(2), &renewal(), at(1)).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let late = {
            let (house, over) = (Arc::clone(&house), Arc::clone(&over));
            thread::spawn(move || {
                for value in 1..4 {
                    let was_over = over.load(Ordering::Relaxed);
                    let landed = changed(&house, &old, &set("a", value), 1);
                    assert!(!was_over || landed.is_none(), "a late change landed: {landed:?}");
                }
            })
        };

        let id = id(1);
        let ended = house.end(Target::Id(id), Ending::LOGOUT, at(1));
        over.store(true, Ordering::Relaxed);

        assert!(matches!(ended, End::Ended(_)), "{ended:?}");
        late.join().unwrap();
        for key in [old, key(2)] {
            assert!(matches!(load(&house, &[key], 1).as_slice(), [Load::Gone(Some(_))]));
        }
        agrees(&house);
    });
}

#[test]
fn a_resumption_takes_along_what_was_acknowledged() {
    in_every_order(|| {
        let house = Arc::new(House::new(roomy()));
        let key = has_remembered(&house, "ada", 1);
        let late = {
            let house = Arc::clone(&house);
            thread::spawn(move || changed(&house, &key, &set("a", 7), IDLE - 1).is_some())
        };

        let resumed = house.resume(&key, &member("ada", 2), &all(), at(IDLE)).unwrap();

        let landed = late.join().unwrap();
        let Resume::Done(record) = resumed else { panic!("not resumed: {resumed:?}") };
        let newest = live(&house, &key, IDLE);
        assert_eq!(newest.id(), record.id());
        assert_eq!(newest.fields().get("a").is_some(), landed, "what was acknowledged is lost");
        agrees(&house);
    });
}

#[test]
fn a_resumption_never_replaces_a_session_that_a_touch_kept_alive() {
    in_every_order(|| {
        let house = Arc::new(House::new(roomy()));
        let key = has_remembered(&house, "ada", 1);
        let late = {
            let house = Arc::clone(&house);
            thread::spawn(move || {
                let (ops, now) = (Ops::new(), at(IDLE - 1));
                let touch = Some(touch(IDLE - 1));
                let change = Change { expect: Expect::Any, ops: &ops, touch, now };
                match house.commit(&key, change).unwrap() {
                    Commit::Done(record) => Some(record.id()),
                    Commit::Conflict(_) | Commit::Gone(_) => None,
                }
            })
        };

        let resumed = house.resume(&key, &member("ada", 2), &all(), at(IDLE)).unwrap();

        let touched = late.join().unwrap();
        let (Resume::Done(record) | Resume::Live(record)) = resumed else {
            panic!("it is there: {resumed:?}")
        };
        assert_eq!(live(&house, &key, IDLE).id(), record.id());
        assert!(
            touched.is_none_or(|id| id == record.id()),
            "a session that was kept alive is gone"
        );
        agrees(&house);
    });
}

#[test]
fn a_touch_that_lands_while_a_change_is_built_is_kept() {
    in_every_order(|| {
        let house = Arc::new(House::new(roomy()));
        let key = has_guest(&house, 1);
        let touching = {
            let house = Arc::clone(&house);
            thread::spawn(move || {
                let (ops, now) = (Ops::new(), at(50));
                let change = Change { expect: Expect::Any, ops: &ops, touch: Some(touch(50)), now };
                assert!(matches!(house.commit(&key, change).unwrap(), Commit::Done(_)));
            })
        };

        assert!(changed(&house, &key, &set("a", 1), 50).is_some());
        touching.join().unwrap();

        let record = live(&house, &key, 50);
        assert_eq!(record.fields().get("a"), Some("1"), "the change is lost");
        assert_eq!(record.times().idle_deadline, at(50 + IDLE), "the touch is lost");
        agrees(&house);
    });
}

#[test]
fn a_limit_holds_among_parallel_logins() {
    in_every_order(|| {
        let house = Arc::new(House::new(roomy()));
        let keeps = thread_rng().gen_range(0..2u8) == 0;
        let limit = Some(if keeps { Limit::keep_newest(2) } else { Limit::refuse_beyond(2) });
        let threads: Vec<_> = (1..=3u8)
            .map(|number| {
                let house = Arc::clone(&house);
                thread::spawn(move || {
                    let made = house.create(&key(number), member("ada", number), limit, at(1));
                    let there = house.list(&user("ada"), Page::first(9), at(1)).len();
                    assert!(there <= 2, "{there} sessions at once");
                    matches!(made.unwrap(), Create::Done { .. })
                })
            })
            .collect();

        let made = threads.into_iter().filter_map(|thread| thread.join().unwrap().then_some(()));

        assert_eq!(made.count(), if keeps { 3 } else { 2 });
        assert_eq!(house.list(&user("ada"), Page::first(9), at(1)).len(), 2);
        agrees(&house);
    });
}

#[test]
fn the_bounds_hold_among_parallel_changes() {
    in_every_order(|| {
        let house = Arc::new(House::new(tight()));
        let keys = [has_member(&house, "ada", 1), has_member(&house, "bob", 2)];
        let threads: Vec<_> = keys
            .into_iter()
            .map(|key| {
                let house = Arc::clone(&house);
                thread::spawn(move || {
                    let change =
                        Change { expect: Expect::Any, ops: &long("a"), touch: None, now: at(1) };
                    let grown = house.commit(&key, change).is_ok();
                    assert!(house.bytes() <= house.bounds.bytes, "beyond the bound");
                    grown
                })
            })
            .collect();

        let grown = threads.into_iter().filter_map(|thread| thread.join().unwrap().then_some(()));

        assert_eq!(grown.count(), 1, "there is room for one of two");
        agrees(&house);
    });
}
