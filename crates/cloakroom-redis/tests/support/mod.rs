//! Real servers on free loopback ports, each in a folder of its own, ended with the test.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "each test uses its part, and fails with it"
)]

pub(crate) mod desk;
pub(crate) mod ear;
pub(crate) mod groups;
pub(crate) mod server;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use cloakroom_conformance::executor::block_on;
use cloakroom_conformance::{Fixture, Shared};
use cloakroom_redis::{RedisConfig, RedisStore};
use cloakroom_store::StoreError;
use tokio::runtime::{Builder, Runtime};

/// The runtime on which all stores of a test binary work.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

/// Connects on the runtime of the tests.
pub(crate) fn connect(config: RedisConfig) -> Result<RedisStore, StoreError> {
    block_on(runtime().spawn(RedisStore::connect(config))).unwrap()
}

pub(crate) fn config(address: &str) -> RedisConfig {
    address.parse().unwrap()
}

/// A name that nothing on the shared servers has yet.
pub(crate) fn prefix() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Stores that share servers and nothing else: each has another prefix.
#[derive(Debug)]
pub(crate) struct Prefixed(pub(crate) &'static str);

impl Fixture for Prefixed {
    type Store = RedisStore;

    fn open(&self) -> RedisStore {
        let config = config(&format!("{}?prefix={}", self.0, prefix()));
        // What counts here is what is answered, and a machine that is busy is no failure.
        connect(config.answer_timeout(Duration::from_secs(20))).unwrap()
    }
}

/// The same, and the store that was opened last can be opened by others too.
#[derive(Debug)]
pub(crate) struct Paired(&'static str, Mutex<String>);

impl Paired {
    pub(crate) const fn at(url: &'static str) -> Self {
        Self(url, Mutex::new(String::new()))
    }

    fn connect(url: &str) -> RedisStore {
        connect(config(url).answer_timeout(Duration::from_secs(20))).unwrap()
    }
}

impl Fixture for Paired {
    type Store = RedisStore;

    fn open(&self) -> RedisStore {
        let url = format!("{}?prefix={}", self.0, prefix());
        let store = Self::connect(&url);
        *self.1.lock().unwrap() = url;
        store
    }
}

impl Shared for Paired {
    fn another(&self, _: &RedisStore) -> RedisStore {
        Self::connect(&self.1.lock().unwrap())
    }
}
