//! Verbs of several services that meet in one moment.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod server;

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use cloakroom_journeys::deadline::poll;
use cloakroom_journeys::postgres::Postgres;
use cloakroom_postgres::{PostgresConfig, PostgresStore};
use cloakroom_store::{
    Commit, Ending, Expect, Keep, Limit, Ops, Page, Registry as _, Rotate, Rotation, Store as _,
    Target, UserId,
};
use server::people::{NOW, count, create, draft_of, is_live, key, later, touched};
use server::{config, new_schema, open, wait};

fn patient(config: PostgresConfig) -> PostgresConfig {
    // A machine that is busy is no failure here; one circle of waiting takes the server a second.
    config.call_limit(Duration::from_secs(20)).unwrap()
}

fn login(user: &UserId, number: u32, limit: Option<Limit>) -> Rotation {
    let (keep, ending) = (Keep::All, Ending::LOGOUT);
    Rotation::Privilege { draft: draft_of(user, number), keep, limit, ending }
}

#[test]
fn no_session_slips_through_an_end_of_all_by_a_login() {
    let schema = new_schema();
    let stores = [open(patient(config(&schema))).unwrap(), open(patient(config(&schema))).unwrap()];
    let [first, second] = &stores;
    for round in 0..150 {
        let (user, old, new) = (UserId::from(round), 2 * round, 2 * round + 1);
        wait(first.create(&key(old), draft_of(&user, old), None, NOW)).unwrap();
        let together = Barrier::new(2);

        let rotated = thread::scope(|scope| {
            let rotating = scope.spawn(|| {
                together.wait();
                wait(first.rotate(&key(old), &key(new), login(&user, new, None), NOW)).unwrap()
            });
            together.wait();
            wait(second.end_all(&user, None, Ending::LOGOUT, NOW)).unwrap();
            rotating.join().unwrap()
        });

        let left = wait(first.list(&user, Page::first(10), NOW)).unwrap();
        assert_eq!(left, [], "round {round}: {rotated:?}");
        assert!(matches!(rotated, Rotate::Done { .. } | Rotate::Gone(Some(_))), "{rotated:?}");
    }
}

#[test]
fn verbs_never_wait_for_each_other_in_a_circle() {
    let postgres = Postgres::start(&["deadlock_timeout=10ms"]).unwrap();
    let config: PostgresConfig = postgres.url().parse().unwrap();
    let stores = [open(patient(config.clone())).unwrap(), open(patient(config)).unwrap()];
    let users = [1, 2, 3].map(UserId::from);

    thread::scope(|scope| {
        for thread in 0..6 {
            let (stores, users) = (&stores, &users);
            scope.spawn(move || {
                let store = stores.get(thread as usize % 2).unwrap();
                (0..60)
                    .for_each(|step| meet(store, users, thread * 1_000 + step * 10, thread + step));
            });
        }
    });

    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'";
    assert_eq!(postgres.sql(deadlocks).unwrap(), "0");
}

/// What several requests do at once to the sessions of three users.
fn meet(store: &PostgresStore, users: &[UserId; 3], number: u32, dice: u32) {
    let [user, other] = [dice, dice + 1].map(|at| users.get(at as usize % 3).unwrap());
    let limit = Some(Limit::keep_newest(3));
    wait(store.create(&key(number), draft_of(user, number), limit, NOW)).unwrap();
    let rotation = login(other, number + 1, limit);
    wait(store.rotate(&key(number), &key(number + 1), rotation, NOW)).unwrap();
    let touches: Vec<_> = (0..number)
        .step_by(7)
        .take(60)
        .map(|number| store.commit(&key(number), Expect::Any, &Ops::new(), touched(1), NOW))
        .collect();
    match dice % 5 {
        0 => drop(wait(store.end_all(user, None, Ending::LOGOUT, NOW)).unwrap()),
        1 => drop(wait(store.amend(other, &count(dice), NOW)).unwrap()),
        2 => drop(wait(store.end(Target::Key(key(number + 1)), Ending::LOGOUT, NOW)).unwrap()),
        3 => drop(wait(store.sweep(later(100_000), 5)).unwrap()),
        _ => drop(wait(store.commit(&key(number + 1), Expect::Any, &count(1), None, NOW)).unwrap()),
    }
    touches.into_iter().for_each(|touch| drop(wait(touch).unwrap()));
}

#[test]
fn touches_of_many_sessions_are_few_statements() {
    const SESSIONS: u32 = 1_000;
    let postgres = Postgres::start(&["track_functions=pl"]).unwrap();
    let store = open(patient(postgres.url().parse().unwrap())).unwrap();
    let creates: Vec<_> =
        (0..SESSIONS).map(|n| store.create(&key(n), server::people::draft(n), None, NOW)).collect();
    creates.into_iter().for_each(|create| drop(wait(create).unwrap()));

    // The second touch of each is asked for before the first is answered, and moves nothing back.
    let touches: Vec<_> = [5, 4]
        .into_iter()
        .flat_map(|seconds| (0..SESSIONS).map(move |number| (seconds, number)))
        .map(|(seconds, number)| {
            store.commit(&key(number), Expect::Any, &Ops::new(), touched(seconds), NOW)
        })
        .collect();
    for touch in touches {
        let Commit::Done(record) = wait(touch).unwrap() else { panic!("the session is there") };
        assert_eq!(record.times().seen, later(5));
    }

    let calls = "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname = 'touch_sessions'";
    let calls = poll("the server's figures", Duration::from_secs(15), || {
        postgres.sql(calls).ok()?.parse::<u32>().ok().filter(|calls| *calls > 0)
    });
    assert!((1..=SESSIONS / 10).contains(&calls.unwrap()), "{SESSIONS} touches twice");
}

#[test]
fn what_one_service_ended_is_gone_in_the_other() {
    let schema = new_schema();
    let [first, second] = [open(config(&schema)).unwrap(), open(config(&schema)).unwrap()];
    create(&first, 1).unwrap();
    assert!(is_live(&second, 1));

    wait(first.end(Target::Key(key(1)), Ending::LOGOUT, NOW)).unwrap();

    assert!(!is_live(&second, 1));
    let late = wait(second.commit(&key(1), Expect::Any, &count(1), None, NOW)).unwrap();
    assert!(matches!(late, Commit::Gone(Some(_))));
    let late = wait(second.commit(&key(1), Expect::Any, &Ops::new(), touched(1), NOW)).unwrap();
    assert!(matches!(late, Commit::Gone(Some(_))));
}
