//! The store behind the near cache, told of changes by the server.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what a test relies on fails the test"
)]
#![allow(clippy::disallowed_methods, reason = "how old an answer may be is what is measured")]

mod support;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use cloakroom_conformance::executor::block_on;
use cloakroom_conformance::near;
use cloakroom_memory::NearCache;
use cloakroom_redis::RedisStore;
use cloakroom_store::{Ending, Key, Load, Store, Target, UserId};
use support::desk::{NOW, done, has};
use support::server::{Server, poll};
use support::{Prefixed, config, connect};

fn shared() -> &'static str {
    static SERVER: OnceLock<(Server, String)> = OnceLock::new();
    let start = || {
        let server = Server::start(&["--save", ""]);
        let url = server.url();
        (server, url)
    };
    &SERVER.get_or_init(start).1
}

cloakroom_conformance::suite!(near::behind(Prefixed(shared()), NearCache::new));

fn one(store: &impl Store, key: &Key) -> Load {
    block_on(store.load(&[*key], NOW)).unwrap().into_iter().next().unwrap()
}

/// A cache that keeps what it has read.
fn warm(store: RedisStore, key: &Key) -> NearCache<RedisStore> {
    let near = NearCache::new(store);
    poll("the cache to keep something", || {
        one(&near, key);
        (near.figures().hits > 0).then_some(())
    });
    near
}

/// The read is under way while another connection ends the session; what it brings is never kept.
#[test]
fn a_read_that_overlaps_with_an_end_is_never_kept() {
    const ROUNDS: u32 = 3_000;
    let server = Server::start(&["--save", ""]);
    let [here, there] = [1, 2].map(|_| connect(config(&server.url())).unwrap());
    let first = has(&there, None, 0);
    let near = warm(here, &first);

    let mut stale = 0;
    for number in 1..=ROUNDS {
        let session = has(&there, Some(&UserId::from(number)), number);
        let reading = near.load(&[session], NOW);
        done(there.end(Target::Key(session), Ending::LOGOUT, NOW));
        block_on(reading).unwrap();
        // A load that the server answers after the end: the news is here before its answer.
        block_on(near.store().load(&[first], NOW)).unwrap();
        stale += u32::from(matches!(one(&near, &session), Load::Live(_)));
    }

    println!("{stale} stale of {ROUNDS}; {:?}", near.figures());
    assert_eq!(stale, 0);
}

/// From the answer to whoever ended a session until another process refuses it, which has it near.
#[test]
fn an_ended_session_is_refused_elsewhere_within_a_second() {
    const ROUNDS: u32 = 1_000;
    let server = Server::start(&["--save", ""]);
    let [here, there] = [1, 2].map(|_| connect(config(&server.url())).unwrap());
    let near = warm(here, &has(&there, None, 0));

    let mut late = Vec::new();
    for number in 1..=ROUNDS {
        let session = has(&there, Some(&UserId::from(number)), number);
        assert!(matches!(one(&near, &session), Load::Live(_)));
        done(there.end(Target::Key(session), Ending::LOGOUT, NOW));
        let ended = Instant::now();
        while matches!(one(&near, &session), Load::Live(_)) {
            assert!(ended.elapsed() < Duration::from_secs(1), "round {number}");
        }
        late.push(ended.elapsed());
    }

    late.sort_unstable();
    let [middle, most, worst] = [ROUNDS / 2, ROUNDS * 99 / 100, ROUNDS - 1]
        .map(|at| late.get(usize::try_from(at).unwrap()).copied().unwrap());
    println!("refused after {middle:?} (p50), {most:?} (p99), {worst:?} (worst of {ROUNDS})");
}
