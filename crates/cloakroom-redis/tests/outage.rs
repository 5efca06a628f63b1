//! Servers that die, stand still and come back.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]
#![allow(clippy::disallowed_methods, reason = "how long an outage lasts is what is measured")]

mod support;

use std::time::{Duration, Instant};

use cloakroom_conformance::executor::block_on;
use cloakroom_store::{
    Cursor, End, Ending, Expect, Load, Registry as _, Store as _, StoreErrorKind, Target,
};
use support::desk::{NOW, ada, done, has, load, set};
use support::groups::Cluster;
use support::server::{Server, poll};
use support::{config, connect};

const PATIENCE: Duration = Duration::from_millis(500);

#[test]
fn a_dead_server_is_unavailable_at_once_and_served_within_a_second_of_its_return() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = connect(config(&server.url())).unwrap();
    let session = has(&store, None, 1);

    server.kill();
    let begun = Instant::now();
    let errors = [0; 50].map(|_| block_on(store.load(&[session], NOW)).unwrap_err().kind());
    let took = begun.elapsed();
    server.start_again();
    let back = Instant::now();
    let found = poll("the store to be back", || block_on(store.load(&[session], NOW)).ok());

    assert!(errors.iter().all(|kind| *kind == StoreErrorKind::Unavailable), "{errors:?}");
    assert!(took < Duration::from_secs(1), "fifty loads waited for {took:?}");
    assert!(back.elapsed() < Duration::from_secs(1), "it took {:?}", back.elapsed());
    assert!(matches!(found.into_iter().next(), Some(Load::Live(_))));
}

#[test]
fn a_server_that_stands_still_is_waited_for_no_longer_than_said() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url()).answer_timeout(PATIENCE)).unwrap();
    let session = has(&store, None, 1);

    server.pause();
    let begun = Instant::now();
    let loaded = block_on(store.load(&[session], NOW)).unwrap_err();
    let changed = block_on(store.commit(&session, Expect::Any, &set("a", "1"), None, NOW));
    let took = begun.elapsed();
    server.go_on();

    assert_eq!(loaded.kind(), StoreErrorKind::Unavailable);
    assert_eq!(changed.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert!(took < 4 * PATIENCE, "{took:?}");
    let back = poll("the store to be back", || block_on(store.load(&[session], NOW)).ok());
    assert!(matches!(back.into_iter().next(), Some(Load::Live(_))));
}

#[test]
fn a_change_that_was_on_its_way_says_that_it_may_have_happened() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url()).answer_timeout(PATIENCE)).unwrap();
    let session = has(&store, None, 1);

    server.pause();
    let error = block_on(store.end(Target::Key(session), Ending::LOGOUT, NOW)).unwrap_err();
    server.go_on();

    assert!(error.to_string().contains("may have happened or not"), "{error}");
    poll("the end to arrive", || match block_on(store.load(&[session], NOW)) {
        Ok(loads) => matches!(loads.into_iter().next(), Some(Load::Gone(Some(_)))).then_some(()),
        Err(_) => None,
    });
}

#[test]
fn a_server_that_forgot_its_scripts_is_told_them_again() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let session = has(&store, None, 1);

    server.cli(&["SCRIPT", "FLUSH"]);
    let changed = block_on(store.commit(&session, Expect::Any, &set("a", "1"), None, NOW));

    assert!(changed.is_ok(), "{changed:?}");
}

#[test]
fn a_full_server_still_ends_sessions() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let session = has(&store, Some(&ada()), 1);
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);

    let created = block_on(store.commit(&session, Expect::Any, &set("a", "1"), None, NOW));
    let ended = block_on(store.end(Target::Key(session), Ending::LOGOUT, NOW));

    let error = created.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("maxmemory"), "{error}");
    assert!(ended.is_ok(), "{ended:?}");
    assert!(matches!(load(&store, &session), Load::Gone(Some(_))));
}

#[test]
fn a_full_cluster_still_ends_sessions() {
    let cluster = Cluster::start();
    let store = connect(config(&cluster.url())).unwrap();
    let [first, second] = [1, 2].map(|number| has(&store, Some(&ada()), number));
    for node in &cluster.nodes {
        node.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    }

    let ended = done(store.end(Target::Key(first), Ending::LOGOUT, NOW));
    let all = done(store.end_all(&ada(), None, Ending::LOGOUT, NOW));

    assert!(matches!(ended, End::Ended(_)), "{ended:?}");
    assert_eq!(all.ended.len(), 1);
    assert!(matches!(load(&store, &second), Load::Gone(Some(_))));
    let told = done(store.watch(Cursor::OLDEST, 10, NOW));
    assert_eq!(told.notices.len(), 2, "{told:?}");
}

#[test]
fn what_a_crash_undid_is_done_again_before_anybody_is_served() {
    let mut server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let (ended, kept) = (has(&store, Some(&ada()), 1), has(&store, Some(&ada()), 2));
    let renewed = support::desk::key(kept.route(), 3);
    server.cli(&["SAVE"]);
    done(store.end(Target::Key(ended), Ending::LOGOUT, NOW));
    done(store.rotate(&kept, &renewed, support::desk::renewal(), NOW));

    server.kill();
    server.start_again();
    let first = poll("the store to be back", || block_on(store.load(&[ended, renewed], NOW)).ok());

    let first: Vec<Load> = first.into_iter().collect();
    assert!(matches!(first.as_slice(), [Load::Gone(Some(_)), Load::Live(_)]), "{first:?}");
    assert!(store.failovers().repeated >= 2, "{:?}", store.failovers());
}
