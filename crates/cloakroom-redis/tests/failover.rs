//! Replicas that take over, and slots that move.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]
#![allow(clippy::disallowed_methods, reason = "how long somebody waits is what is measured")]

mod support;

use std::time::{Duration, Instant};

use cloakroom_conformance::executor::block_on;
use cloakroom_redis::RedisStore;
use cloakroom_store::{
    Ending, Expect, Key, Load, Registry as _, Store as _, StoreErrorKind, Target, UserId,
};
use support::desk::{NOW, done, has, key, load, login, set};
use support::groups::{Cluster, Sentinels};
use support::server::{Server, poll};
use support::{config, connect};

fn user(number: u32) -> UserId {
    UserId::from(number)
}

fn load_soon(store: &RedisStore, key: &Key) -> Load {
    let loads = poll("the store to be back", || block_on(store.load(&[*key], NOW)).ok());
    loads.into_iter().next().unwrap()
}

/// From here on the replica receives nothing any more, and the primary does not know it.
fn cut_off(primary: &Server) {
    primary.cli(&["ACL", "SETUSER", "default", "-psync", "-replconf"]);
    primary.cli(&["CLIENT", "KILL", "TYPE", "replica"]);
}

#[test]
fn an_ending_that_the_promoted_replica_missed_is_repeated_before_it_serves() {
    let mut group = Sentinels::start();
    let store = connect(config(&group.url())).unwrap();
    let (ended, live) = (has(&store, Some(&user(1)), 1), has(&store, Some(&user(2)), 2));
    poll("the replica to have both", || {
        (group.replica.cli(&["DBSIZE"]) == group.primary.cli(&["DBSIZE"])).then_some(())
    });
    cut_off(&group.primary);
    done(store.end(Target::Key(ended), Ending::LOGOUT, NOW));

    group.primary.kill();
    let (first, other) = (load_soon(&store, &ended), load_soon(&store, &live));

    assert!(matches!(first, Load::Gone(Some(_))), "an ended session is back: {first:?}");
    assert!(matches!(other, Load::Live(_)), "{other:?}");
    assert!(group.replica.cli(&["INFO", "replication"]).contains("role:master"));
    assert!(store.failovers().repeated >= 1, "{:?}", store.failovers());
}

#[test]
fn while_sentinels_promote_a_replica_nobody_asks_the_primary_of_before() {
    let group = Sentinels::start();
    let patient = config(&group.url()).answer_timeout(Duration::from_millis(600));
    let store = connect(patient).unwrap();
    let session = has(&store, Some(&user(1)), 1);
    assert_eq!(group.primary.cli(&["WAIT", "1", "5000"]).trim(), "1");

    // It cannot take over, so that the failover lasts as long as we like.
    group.replica.pause();
    group.sentinels.first().unwrap().cli(&["SENTINEL", "FAILOVER", "main"]);
    let held = poll("a load to wait", || block_on(store.load(&[session], NOW)).err());
    let changed = block_on(store.commit(&session, Expect::Any, &set("a", "1"), None, NOW));
    group.replica.go_on();

    assert_eq!(held.kind(), StoreErrorKind::Unavailable);
    assert!(changed.is_err(), "the primary of before still answers: {changed:?}");
    assert!(matches!(load_soon(&store, &session), Load::Live(_)));
}

#[test]
fn an_identity_write_is_acknowledged_once_a_replica_has_it() {
    let primary = Server::start(&["--save", "", "--repl-diskless-sync-delay", "0"]);
    let of = format!("127.0.0.1 {}", primary.port);
    let replica = Server::start(&["--save", "", "--replicaof", &of]);
    poll("the replica", || {
        replica.cli(&["INFO", "replication"]).contains("master_link_status:up").then_some(())
    });
    let confirmed = config(&primary.url()).confirmed_by_replicas(1);
    let store = connect(confirmed.answer_timeout(Duration::from_secs(4))).unwrap();

    let session = has(&store, None, 1);
    cut_off(&primary);
    let error = block_on(store.end(Target::Key(session), Ending::LOGOUT, NOW)).unwrap_err();

    assert!(error.to_string().contains("replicas"), "{error}");
}

#[test]
fn a_confirmation_that_does_not_come_is_in_no_readers_way() {
    let primary = Server::start(&["--save", ""]);
    let store = connect(config(&primary.url())).unwrap();
    let (ended, read) = (has(&store, None, 1), has(&store, None, 2));
    let patience = Duration::from_secs(20);
    let confirmed = config(&primary.url()).confirmed_by_replicas(1).answer_timeout(patience);
    let confirmed = connect(confirmed).unwrap();

    let _waiting = confirmed.end(Target::Key(ended), Ending::LOGOUT, NOW);
    poll("the end to be done, and not confirmed", || {
        matches!(load(&store, &ended), Load::Gone(_)).then_some(())
    });
    let begun = Instant::now();
    let other = load(&confirmed, &read);
    let took = begun.elapsed();

    assert!(matches!(other, Load::Live(_)), "{other:?}");
    assert!(took < patience / 4, "it took {took:?}");
}

#[test]
fn a_cluster_whose_primary_dies_serves_from_its_replica() {
    let mut cluster = Cluster::start();
    let store = connect(config(&cluster.url())).unwrap();
    let sessions: Vec<Key> = (0..60).map(|n| has(&store, Some(&user(n)), n)).collect();
    for session in sessions.iter().take(30) {
        done(store.end(Target::Key(*session), Ending::LOGOUT, NOW));
    }
    for primary in cluster.primaries() {
        primary.cli(&["WAIT", "1", "1000"]);
    }

    cluster.nodes.first_mut().unwrap().kill();
    let loads: Vec<Load> = sessions.iter().map(|session| load_soon(&store, session)).collect();

    let (ended, live) = loads.split_at(30);
    assert!(ended.iter().all(|load| matches!(load, Load::Gone(Some(_)))), "{ended:?}");
    assert!(live.iter().all(|load| matches!(load, Load::Live(_))), "{live:?}");
}

#[test]
fn nothing_is_lost_and_nobody_is_refused_while_slots_move() {
    let cluster = Cluster::start();
    let store = connect(config(&cluster.url())).unwrap();
    let sessions: Vec<Key> = (0..200).map(|n| has(&store, Some(&user(n)), n)).collect();
    let ids: Vec<String> =
        cluster.primaries().map(|node| node.cli(&["CLUSTER", "MYID"]).trim().to_owned()).collect();
    let [from, to, ..] = ids.as_slice() else { panic!("three primaries") };

    std::thread::scope(|scope| {
        let moving = scope.spawn(|| {
            let first = cluster.nodes.first().unwrap();
            first.cli(&[
                "--cluster",
                "reshard",
                &format!("127.0.0.1:{}", first.port),
                "--cluster-from",
                from,
                "--cluster-to",
                to,
                "--cluster-slots",
                "2000",
                "--cluster-yes",
            ])
        });
        let mut round = 0;
        while !moving.is_finished() {
            round += 1;
            for session in &sessions {
                assert!(matches!(load(&store, session), Load::Live(_)), "round {round}");
                let ops = set("round", &round.to_string());
                let changed = done(store.commit(session, Expect::Any, &ops, None, NOW));
                assert!(matches!(changed, cloakroom_store::Commit::Done(_)), "{changed:?}");
            }
        }
        let said = moving.join().unwrap();
        assert!(said.contains("Moving slot"), "{said}");
    });

    assert_eq!(done(store.count(NOW)).sessions, 200);
    for (number, session) in (0..).zip(&sessions) {
        let ended = done(store.end_all(&user(number), None, Ending::LOGOUT, NOW));
        assert_eq!(ended.ended.len(), 1, "the index moved with its session");
        assert!(matches!(load(&store, session), Load::Gone(Some(_))));
    }
    let guest = has(&store, None, 900);
    let new = key(store.route(Some(&support::desk::ada())), 901);
    done(store.rotate(&guest, &new, login(&store, 901, None), NOW));
    assert!(matches!(load(&store, &new), Load::Live(_)));
}
