//! A server that is killed under load, again and again, on one database.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod server;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use cloakroom_journeys::deadline::{Deadline, poll};
use cloakroom_journeys::postgres::Postgres;
use cloakroom_postgres::{PostgresConfig, PostgresStore};
use cloakroom_store::{
    Commit, Create, End, Ending, Load, Registry as _, Store as _, Target, UserId,
};
use server::people::{NOW, change, counted, draft_of, key, load};
use server::{open, wait};

const ROUNDS: u32 = 5;
const THREADS: u32 = 4;
const ACKNOWLEDGED: u32 = 300;

/// What was acknowledged before a kill.
#[derive(Default)]
struct Said {
    created: Mutex<Vec<u32>>,
    changed: Mutex<Vec<(u32, u32)>>,
    ended: Mutex<Vec<u32>>,
    count: AtomicU32,
}

impl Said {
    fn note<T>(&self, list: &Mutex<Vec<T>>, what: T) {
        list.lock().unwrap().push(what);
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Creates sessions, changes each, and ends every third, until the store says that it is away.
fn work(store: &PostgresStore, numbers: impl Iterator<Item = u32>, said: &Said, stop: &AtomicBool) {
    let user = UserId::from(7);
    for number in numbers {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(created) = wait(store.create(&key(number), draft_of(&user, number), None, NOW))
        else {
            return;
        };
        assert!(matches!(created, Create::Done { .. }));
        said.note(&said.created, number);
        let Ok(changed) = change(store, number, number + 1) else { return };
        assert!(matches!(changed, Commit::Done(_)));
        said.note(&said.changed, (number, number + 1));
        if number % 3 == 0 {
            let end = store.end(Target::Key(key(number)), Ending::LOGOUT, NOW);
            let Ok(ended) = wait(end) else { return };
            assert!(matches!(ended, End::Ended(_)));
            said.note(&said.ended, number);
        }
    }
}

/// Kills the server under load, starts it again, and gives what was acknowledged before.
fn crash(postgres: &mut Postgres, store: &PostgresStore, round: u32) -> Said {
    let (said, stop) = (Said::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (said, stop) = (&said, &stop);
            let first = round * 1_000_000 + thread;
            let numbers = (first..first + 900_000).step_by(THREADS as usize);
            scope.spawn(move || work(store, numbers, said, stop));
        }
        poll("some work", Duration::from_secs(60), || {
            (said.count.load(Ordering::Relaxed) >= ACKNOWLEDGED).then_some(())
        })
        .unwrap();
        postgres.kill_hard().unwrap();
        stop.store(true, Ordering::Relaxed);
    });
    postgres.run().unwrap();
    let bound = Deadline::after(Duration::from_secs(10));
    while load(store, 0).is_err() {
        assert!(bound.remaining().is_some(), "service is not back");
    }
    said
}

/// Sessions that were ended are over, and all others that were created are there.
fn identity_holds(store: &PostgresStore, said: &Said, round: u32) {
    let ended = said.ended.lock().unwrap();
    for number in said.created.lock().unwrap().iter() {
        let load = load(store, *number).unwrap();
        if ended.contains(number) {
            assert!(
                matches!(load, Load::Gone(Some(_))),
                "round {round}: {number} is back: {load:?}"
            );
        } else if number % 3 != 0 {
            assert!(matches!(load, Load::Live(_)), "round {round}: {number} is lost: {load:?}");
        }
    }
}

#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let mut postgres = Postgres::start(&[]).unwrap();
    let store = open(postgres.url().parse().unwrap()).unwrap();
    for round in 0..ROUNDS {
        let said = crash(&mut postgres, &store, round);

        identity_holds(&store, &said, round);
        for (number, value) in said.changed.lock().unwrap().iter().filter(|it| it.0 % 3 != 0) {
            let Load::Live(record) = load(&store, *number).unwrap() else { panic!("{number}") };
            assert_eq!(counted(&record), *value, "round {round}: a change of {number} is lost");
        }
        index_agrees(&store);
    }
}

/// The list of the user holds what keys lead to.
fn index_agrees(store: &PostgresStore) {
    let user = UserId::from(7);
    let page = cloakroom_store::Page::first(1_000_000);
    let listed = wait(store.list(&user, page, NOW)).unwrap();
    let count = wait(store.count(NOW)).unwrap();
    assert_eq!((count.sessions, count.signed_in), (listed.len() as u64, listed.len() as u64));
}

#[test]
fn relaxed_data_may_lose_its_last_moments_and_nothing_else() {
    // The writer would take 10 s, so that what nothing else flushes is lost.
    let mut postgres =
        Postgres::start(&["wal_writer_delay=10s", "synchronous_commit=off"]).unwrap();
    let config: PostgresConfig = postgres.url().parse().unwrap();
    let store = open(config.lose_recent_data_on_server_crash()).unwrap();
    for round in 0..ROUNDS {
        let said = crash(&mut postgres, &store, round);

        identity_holds(&store, &said, round);
        for (number, value) in said.changed.lock().unwrap().iter().filter(|it| it.0 % 3 != 0) {
            let Load::Live(record) = load(&store, *number).unwrap() else { panic!("{number}") };
            assert!([0, *value].contains(&counted(&record)), "half a change of {number}");
        }
        index_agrees(&store);
    }
}

#[test]
fn relaxed_data_that_reached_the_disk_stays_there() {
    let mut postgres = Postgres::start(&[]).unwrap();
    let config: PostgresConfig = postgres.url().parse().unwrap();
    let store = open(config.lose_recent_data_on_server_crash()).unwrap();
    let user = UserId::from(7);
    wait(store.create(&key(1), draft_of(&user, 1), None, NOW)).unwrap();
    change(&store, 1, 5).unwrap();
    let flushed = "SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()";
    poll("the flush", Duration::from_secs(5), || {
        postgres.sql(flushed).is_ok_and(|is| is == "t").then_some(())
    })
    .unwrap();

    postgres.kill_hard().unwrap();
    postgres.run().unwrap();

    let bound = Deadline::after(Duration::from_secs(10));
    let found = loop {
        match load(&store, 1) {
            Ok(load) => break load,
            Err(error) => assert!(bound.remaining().is_some(), "{error}"),
        }
    };
    let Load::Live(record) = found else { panic!("the session is there") };
    assert_eq!(counted(&record), 5);
}
