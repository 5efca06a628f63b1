//! Who listens hears of everything, or is told that something may be missing.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what a test relies on fails the test"
)]
#![allow(clippy::disallowed_methods, reason = "how late news is heard is what is measured")]

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cloakroom_journeys::proxy::{Network, Proxy};
use cloakroom_redis::RedisStore;
use cloakroom_store::{Change, Ending, Expect, Key, Load, Store as _, Target, UserId};
use support::desk::{NOW, done, has, load, set};
use support::ear::Ear;
use support::groups::{Cluster, Sentinels};
use support::server::{Server, poll};
use support::{config, connect};

fn user(number: u32) -> UserId {
    UserId::from(number)
}

fn end(store: &RedisStore, key: &Key) {
    done(store.end(Target::Key(*key), Ending::LOGOUT, NOW));
}

#[test]
fn a_change_is_heard_before_any_answer_that_comes_after_it() {
    let server = Server::start(&["--save", ""]);
    let [here, there] = [1, 2].map(|_| connect(config(&server.url())).unwrap());
    let ear = Ear::at(&here);
    ear.hears(Change::Hearing);

    for number in 0..500 {
        let session = has(&there, Some(&user(number)), number);
        end(&there, &session);
        assert!(matches!(load(&here, &session), Load::Gone(_)));
        assert!(ear.has_heard(Change::Key(session)), "round {number}");
    }
}

#[test]
fn a_listener_is_deaf_while_its_server_is_gone_and_hears_when_it_is_back() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let [here, there] = [1, 2].map(|_| connect(config(&server.url())).unwrap());
    let session = has(&there, None, 1);
    let ear = Ear::at(&here);
    ear.hears(Change::Hearing);

    server.kill();
    ear.hears(Change::Deaf);
    server.start_again();
    let back = Instant::now();
    let heard = ear.hears(Change::Hearing);
    poll("the other process", || {
        let changed = there.commit(&session, Expect::Any, &set("a", "1"), None, NOW);
        cloakroom_conformance::executor::block_on(changed).ok()
    });

    assert!(heard - back < Duration::from_secs(1), "{:?}", heard - back);
    ear.hears(Change::Key(session));
}

#[test]
fn a_connection_on_which_nothing_arrives_is_noticed() {
    let server = Server::start(&["--save", ""]);
    let proxy = Proxy::start(SocketAddr::from(([127, 0, 0, 1], server.port))).unwrap();
    let here = connect(config(&format!("redis://{}", proxy.address()))).unwrap();
    let there = connect(config(&server.url())).unwrap();
    let session = has(&there, None, 1);
    let ear = Ear::at(&here);
    ear.hears(Change::Hearing);

    proxy.set(Network::HalfOpen);
    let begun = Instant::now();
    end(&there, &session);
    let deaf = ear.hears(Change::Deaf);
    proxy.set(Network::Healthy);

    assert!(deaf - begun < Duration::from_secs(4), "{:?}", deaf - begun);
    ear.hears(Change::Hearing);
    assert!(matches!(load(&here, &session), Load::Gone(_)));
}

#[test]
fn a_listener_is_deaf_while_another_server_takes_over() {
    let group = Sentinels::start();
    let here = connect(config(&group.url())).unwrap();
    let ear = Ear::at(&here);
    ear.hears(Change::Hearing);

    group.sentinels.first().unwrap().cli(&["SENTINEL", "FAILOVER", "main"]);
    ear.hears(Change::Deaf);
    ear.hears(Change::Hearing);

    assert!(group.replica.cli(&["ROLE"]).starts_with("master"));
    let there = connect(config(&group.url())).unwrap();
    let session = has(&there, None, 1);
    ear.hears(Change::Key(session));
}

#[test]
fn a_listener_hears_of_every_server_of_a_cluster_or_is_deaf() {
    let mut cluster = Cluster::start();
    let [here, there] = [1, 2].map(|_| connect(config(&cluster.url())).unwrap());
    let sessions: Vec<Key> = (0..30).map(|n| has(&there, Some(&user(n)), n)).collect();
    let ear = Ear::at(&here);
    ear.hears(Change::Hearing);

    sessions.iter().for_each(|session| end(&there, session));
    for session in &sessions {
        ear.hears(Change::Key(*session));
    }
    for primary in cluster.primaries() {
        primary.cli(&["WAIT", "1", "1000"]);
    }
    cluster.nodes.first_mut().unwrap().kill();

    ear.hears(Change::Deaf);
    ear.hears(Change::Hearing);
}

#[test]
fn an_emptied_server_says_so() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let ear = Ear::at(&store);
    ear.hears(Change::Hearing);

    server.cli(&["FLUSHALL"]);

    ear.hears(Change::Everything);
}

/// From the answer to whoever ended a session until another process hears of it.
#[test]
fn news_takes_milliseconds() {
    const ROUNDS: u32 = 1_000;
    let server = Server::start(&["--save", ""]);
    let [here, there] = [1, 2].map(|_| connect(config(&server.url())).unwrap());
    let ear = Ear::at(&here);
    ear.hears(Change::Hearing);

    let mut late = Vec::new();
    for number in 0..ROUNDS {
        let session = has(&there, Some(&user(number)), number);
        ear.hears(Change::Key(session));
        end(&there, &session);
        let ended = Instant::now();
        late.push(ear.hears(Change::Key(session)).saturating_duration_since(ended));
    }

    late.sort_unstable();
    let [middle, most, worst] = [ROUNDS / 2, ROUNDS * 99 / 100, ROUNDS - 1]
        .map(|at| late.get(usize::try_from(at).unwrap()).copied().unwrap());
    println!("heard after {middle:?} (p50), {most:?} (p99), {worst:?} (worst of {ROUNDS})");
    assert!(worst < Duration::from_secs(1), "{worst:?}");
}
