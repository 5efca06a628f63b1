//! The requests of `requests/` on a Redis server: the same scenarios, judged in the same way.
#![cfg(all(feature = "redis", feature = "memory", feature = "derive"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "tests, which print what they tried and the seed that repeats it"
)]

#[path = "requests/composing.rs"]
mod composing;
#[path = "requests/endings.rs"]
mod endings;
#[path = "requests/limits.rs"]
mod limits;
#[path = "requests/newest.rs"]
mod newest;
#[path = "requests/privilege.rs"]
mod privilege;
#[path = "requests/random/mod.rs"]
mod random;
#[path = "requests/support.rs"]
mod support;

/// One Redis server for the tests that run at the same time; what they keep there shares no name.
mod place {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, Weak};
    use std::time::Duration;

    use cloakroom::store::Registry;
    use cloakroom::{RedisConfig, RedisStore};
    use cloakroom_conformance::executor::block_on;
    use cloakroom_journeys::redis::Redis;
    use tokio::runtime::{Builder, Runtime};

    /// How many orders of a scenario are tried, beside the same number that is drawn from all of
    /// them. All orders of two requests are fewer, and of most three.
    pub const ORDERS_MAX: u64 = 110;

    /// How many orders are drawn behind the near cache. The store tells of changes, also of its own, when it
    /// comes to it: what was kept in one run may have to be read in the next, and no order can be tried
    /// again.
    pub const NEAR_DRAWN: Option<u64> = Some(40);

    /// How many orders a login beside a read and a write has at least.
    pub const ORDERS_LEAST: u64 = 20;

    /// How many random scripts are tried.
    pub const SCRIPTS: u32 = 150;

    /// Where the stores are, as long as a test is there.
    pub struct Place(Arc<Servers>);

    struct Servers {
        // Before the server: its connections end first.
        runtime: Runtime,
        redis: Redis,
    }

    impl Place {
        pub fn enter() -> Self {
            static SHARED: Mutex<Weak<Servers>> = Mutex::new(Weak::new());
            let mut shared = SHARED.lock().unwrap();
            let servers = shared.upgrade().unwrap_or_else(|| {
                let mut threads = Builder::new_multi_thread();
                let runtime = threads.worker_threads(1).enable_all().build().unwrap();
                Arc::new(Servers { runtime, redis: Redis::start(&[]).unwrap() })
            });
            *shared = Arc::downgrade(&servers);
            Self(servers)
        }

        /// A store with nothing in it.
        pub fn open(&self) -> Arc<dyn Registry> {
            static NUMBER: AtomicU64 = AtomicU64::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let url = format!("{}?prefix=w{number}", self.0.redis.url());
            let config: RedisConfig = url.parse().unwrap();
            // What counts here is what is answered, and a machine that is busy is no failure.
            let config = config.answer_timeout(Duration::from_secs(20));
            let connecting = self.0.runtime.spawn(RedisStore::connect(config));
            Arc::new(block_on(connecting).unwrap().unwrap())
        }
    }
}
