//! What a request costs, as the server counts it.
#![allow(clippy::unwrap_used, reason = "what a test relies on fails the test")]

mod support;

use std::collections::BTreeMap;

use cloakroom_redis::RedisStore;
use cloakroom_store::{Expect, Ops, Store as _, Touch};
use support::desk::{NOW, ada, done, has, key, load, login, set};
use support::groups::Cluster;
use support::server::Server;
use support::{config, connect};

/// How often each command was called by clients while `work` ran; what scripts call is not counted.
fn counted(servers: &[&Server], work: impl FnOnce()) -> BTreeMap<String, u64> {
    for server in servers {
        server.cli(&["CONFIG", "RESETSTAT"]);
    }
    work();
    let mut counts = BTreeMap::new();
    for server in servers {
        for line in server.cli(&["INFO", "commandstats"]).lines() {
            let Some((name, rest)) = line.split_once(':') else { continue };
            let calls = rest.trim_start_matches("calls=").split(',').next().unwrap();
            let name = name.trim_start_matches("cmdstat_").to_owned();
            *counts.entry(name).or_default() += calls.parse::<u64>().unwrap();
        }
    }
    counts
}

fn calls(counts: &BTreeMap<String, u64>, name: &str) -> u64 {
    counts.get(name).copied().unwrap_or_default()
}

#[test]
fn a_load_is_one_get_and_a_change_is_one_script() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let session = has(&store, None, 1);

    let loads = counted(&[&server], || drop(load(&store, &session)));
    let changes = counted(&[&server], || {
        drop(done(store.commit(&session, Expect::Any, &set("a", "1"), None, NOW)));
    });
    let touch = Touch { seen: NOW, idle_deadline: NOW };
    let touches = counted(&[&server], || {
        drop(done(store.commit(&session, Expect::Any, &Ops::new(), Some(touch), NOW)));
    });

    assert_eq!((calls(&loads, "get"), calls(&loads, "evalsha")), (1, 0), "{loads:?}");
    assert_eq!((calls(&changes, "evalsha"), calls(&changes, "set")), (1, 1), "{changes:?}");
    assert_eq!(calls(&touches, "evalsha"), 1, "{touches:?}");
}

/// Both routes have been used before: the first use of a route costs a command more.
fn sign_in_twice(store: &RedisStore) -> impl FnOnce() + use<> {
    let (first, guest) = (has(store, None, 1), has(store, None, 2));
    let route = store.route(Some(&ada()));
    done(store.rotate(&first, &key(route, 11), login(store, 11, None), NOW));
    let (store, rotation) = (store.clone(), login(store, 12, None));
    move || drop(done(store.rotate(&guest, &key(route, 12), rotation, NOW)))
}

#[test]
fn a_login_is_one_script_on_one_server() {
    let server = Server::start(&["--save", ""]);
    let store = connect(config(&server.url())).unwrap();
    let work = sign_in_twice(&store);

    let counts = counted(&[&server], work);

    assert_eq!((calls(&counts, "evalsha"), calls(&counts, "setbit")), (1, 0), "{counts:?}");
}

#[test]
fn a_login_into_another_slot_of_a_cluster_is_two_scripts() {
    let cluster = Cluster::start();
    let store = connect(config(&cluster.url())).unwrap();
    let work = sign_in_twice(&store);
    let primaries: Vec<&Server> = cluster.primaries().collect();

    let counts = counted(&primaries, work);

    assert_eq!((calls(&counts, "evalsha"), calls(&counts, "setbit")), (2, 0), "{counts:?}");
}
