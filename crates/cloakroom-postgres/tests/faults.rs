//! Servers that end and networks that break: *unavailable* within the limit of a call, and service
//! again within a second of their return.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod server;

use std::fmt::Debug;
use std::time::Duration;

use cloakroom_journeys::deadline::Deadline;
use cloakroom_journeys::postgres::Postgres;
use cloakroom_journeys::proxy::{Network, Proxy};
use cloakroom_postgres::{PostgresConfig, PostgresStore};
use cloakroom_store::{Load, StoreError, StoreErrorKind};
use server::people::{change, counted, create, is_live, load};
use server::{open, wait};

/// How long a call may take here.
const LIMIT: Duration = Duration::from_millis(1_000);
/// What a machine that is busy with other tests may add.
const SLACK: Duration = Duration::from_millis(1_500);
/// How soon service is back.
const BACK: Duration = Duration::from_secs(1);

fn config(url: &str) -> PostgresConfig {
    let config: PostgresConfig = url.parse().unwrap();
    config.call_limit(LIMIT).unwrap()
}

/// A server behind a network that can be broken, and a store that reaches it through that.
fn behind_a_proxy() -> (Postgres, Proxy, PostgresStore) {
    let postgres = Postgres::start(&[]).unwrap();
    let proxy = Proxy::start(postgres.address()).unwrap();
    let store = open(config(&postgres.url_at(proxy.address()))).unwrap();
    create(&store, 1).unwrap();
    (postgres, proxy, store)
}

/// The call says within its limit that the store is away.
#[track_caller]
fn is_unavailable<T: Debug>(call: impl FnOnce() -> Result<T, StoreError>) {
    let bound = Deadline::after(LIMIT + SLACK);
    let error = call().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(bound.remaining().is_some(), "it took too long to say: {error}");
}

/// Service is back within a second, without a restart of anything; calls before may fail, but only
/// as *unavailable*.
#[track_caller]
fn comes_back(store: &PostgresStore) {
    let bound = Deadline::after(BACK + SLACK);
    loop {
        match load(store, 1) {
            Ok(load) => {
                assert!(matches!(load, Load::Live(_)), "{load:?}");
                break;
            }
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}"),
        }
        assert!(bound.remaining().is_some(), "service is not back");
    }
    for number in 100..110 {
        create(store, number).unwrap();
    }
}

#[test]
fn a_killed_server_is_unavailable_until_it_is_back_with_everything() {
    let mut postgres = Postgres::start(&[]).unwrap();
    let store = open(config(&postgres.url())).unwrap();
    create(&store, 1).unwrap();
    postgres.kill_hard().unwrap();

    is_unavailable(|| load(&store, 1));
    is_unavailable(|| create(&store, 2));
    is_unavailable(|| change(&store, 1, 2));

    postgres.run().unwrap();
    comes_back(&store);
    assert!(is_live(&store, 1) && !is_live(&store, 2));
}

#[test]
fn a_server_that_restarts_is_found_again() {
    let mut postgres = Postgres::start(&[]).unwrap();
    let store = open(config(&postgres.url())).unwrap();
    create(&store, 1).unwrap();

    for _ in 0..3 {
        postgres.stop().unwrap();
        is_unavailable(|| load(&store, 1));
        postgres.run().unwrap();
        comes_back_once(&store);
    }
}

#[track_caller]
fn comes_back_once(store: &PostgresStore) {
    let bound = Deadline::after(BACK + SLACK);
    while load(store, 1).is_err() {
        assert!(bound.remaining().is_some(), "service is not back");
    }
}

#[test]
fn a_network_that_is_cut_is_knocked_at_by_one_at_a_time() {
    let (_postgres, proxy, store) = behind_a_proxy();
    let before = proxy.accepted();
    proxy.set(Network::Cut);

    let calls = 5;
    (0..calls).for_each(|_| is_unavailable(|| load(&store, 1)));

    // Each of these calls waited for half a second, in which five attempts fit at most.
    let attempts = proxy.accepted() - before;
    assert!(attempts > 0 && attempts <= 5 * (calls + 1) * 2, "{attempts} connections");
    proxy.set(Network::Healthy);
    comes_back(&store);
}

#[test]
fn a_network_that_swallows_everything_is_given_up_in_time() {
    let (_postgres, proxy, store) = behind_a_proxy();
    proxy.set(Network::HalfOpen);

    is_unavailable(|| load(&store, 1));
    is_unavailable(|| change(&store, 1, 2));
    is_unavailable(|| create(&store, 2));

    proxy.set(Network::Healthy);
    comes_back(&store);
    // Nobody knows whether the change arrived; it was one or the other.
    let Load::Live(record) = load(&store, 1).unwrap() else { panic!("the session is there") };
    assert!([0, 2].contains(&counted(&record)));
}

#[test]
fn an_answer_that_is_noise_is_an_error_and_never_an_outcome() {
    let (_postgres, proxy, store) = behind_a_proxy();
    for seed in [3, 5, 8, 13, 21] {
        proxy.set(Network::Garbage(seed));

        let error = load(&store, 1).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
        is_unavailable(|| create(&store, 2));

        proxy.set(Network::Healthy);
        comes_back_once(&store);
    }
    assert!(is_live(&store, 1));
}

#[test]
fn a_network_that_is_too_slow_is_unavailable_and_one_that_is_slow_is_not() {
    let (_postgres, proxy, store) = behind_a_proxy();

    proxy.set(Network::Slow(Duration::from_millis(20)));
    assert!(is_live(&store, 1));
    proxy.set(Network::Slow(LIMIT));
    is_unavailable(|| load(&store, 1));

    proxy.set(Network::Healthy);
    comes_back_once(&store);
}

#[test]
fn a_server_without_a_free_connection_is_unavailable_until_it_has_one() {
    // Three of them are reserved for superusers, as this user is.
    let postgres = Postgres::start(&["max_connections=8"]).unwrap();
    let config = config(&postgres.url()).connections(6).unwrap();
    let first = open(config.clone()).unwrap();
    create(&first, 1).unwrap();
    let reached = |wanted: u32| {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cloakroom'";
        let bound = Deadline::after(LIMIT * 5);
        while postgres.sql(sql).is_ok_and(|count| count.parse::<u32>().unwrap() < wanted) {
            assert!(bound.remaining().is_some(), "the connections are not there");
        }
    };
    reached(6);

    let refused = open(config.clone()).and_then(|_| open(config.clone()));
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(is_live(&first, 1), "who is connected is served");

    drop(first);
    let bound = Deadline::after(LIMIT * 5);
    let second = loop {
        match open(config.clone()) {
            Ok(store) => break store,
            Err(error) => assert!(bound.remaining().is_some(), "{error}"),
        }
    };
    assert!(is_live(&second, 1));
}

#[test]
fn a_lock_that_somebody_holds_is_waited_for_within_the_limit() {
    let (postgres, _proxy, store) = behind_a_proxy();
    let (client, connection) = wait(raw(&postgres));
    let driver = server::runtime().spawn(connection);
    wait(client.batch_execute("BEGIN; LOCK TABLE cloakroom.sessions")).unwrap();

    is_unavailable(|| load(&store, 1));
    is_unavailable(|| create(&store, 2));

    wait(client.batch_execute("ROLLBACK")).unwrap();
    comes_back(&store);
    assert!(!is_live(&store, 2), "the server gave the call up too");
    drop((client, driver));
}

async fn raw(
    postgres: &Postgres,
) -> (tokio_postgres::Client, impl Future<Output = Result<(), tokio_postgres::Error>> + use<>) {
    tokio_postgres::connect(&postgres.url(), tokio_postgres::NoTls).await.unwrap()
}
