//! Every clause of the contract on one server.
#![allow(clippy::unwrap_used, reason = "in a test, also in what its fixture does")]

mod support;

use std::sync::{Mutex, OnceLock};

use cloakroom_conformance::{Durable, Fixture};
use cloakroom_redis::RedisStore;
use support::server::Server;
use support::{Paired, Prefixed, config, connect};

fn shared() -> &'static str {
    static SERVER: OnceLock<(Server, String)> = OnceLock::new();
    let start = || {
        let server = Server::start(&["--save", ""]);
        let url = server.url();
        (server, url)
    };
    &SERVER.get_or_init(start).1
}

cloakroom_conformance::suite!(Prefixed(shared()));
cloakroom_conformance::feed_suite!(Prefixed(shared()));
cloakroom_conformance::listening_suite!(Paired::at(shared()));

mod kept {
    use super::Synced;

    cloakroom_conformance::durable_suite!(Synced::default());
    cloakroom_conformance::durable_feed_suite!(Synced::default());
}

/// A server of its own for every store, which is killed and started again before the store is
/// opened again.
#[derive(Default)]
struct Synced(Mutex<Vec<Server>>);

impl Fixture for Synced {
    type Store = RedisStore;

    fn open(&self) -> RedisStore {
        let options = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
        let server = Server::start(&options);
        let store = connect(config(&server.url())).unwrap();
        self.0.lock().unwrap().push(server);
        store
    }
}

impl Durable for Synced {
    fn reopen(&self, store: RedisStore) -> RedisStore {
        drop(store);
        let mut servers = self.0.lock().unwrap();
        let server = servers.last_mut().unwrap();
        server.kill();
        server.start_again();
        connect(config(&server.url())).unwrap()
    }
}
