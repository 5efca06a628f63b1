//! The requests of `requests/` with the near cache before the store: the same scenarios, judged in the same way.
#![cfg(all(feature = "memory", feature = "derive"))]
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

/// The store in the process, behind a cache.
mod place {
    use std::sync::Arc;

    use cloakroom::store::Registry;
    use cloakroom::{MemoryStore, NearCache};
    use cloakroom_conformance::interleaving::Paced;

    /// How many orders of a scenario are tried, beside the same number that is drawn from all of them.
    /// Here every one is.
    pub const ORDERS_MAX: u64 = u64::MAX;

    /// How many orders a login beside a read and a write has at least: what is kept near is read
    /// without a call.
    pub const ORDERS_LEAST: u64 = 3;

    /// How many random scripts are tried.
    pub const SCRIPTS: u32 = 1_000;

    /// Where the stores are, as long as a test is there.
    pub struct Place;

    impl Place {
        pub fn enter() -> Self {
            Self
        }

        /// A store with nothing in it.
        pub fn open(&self) -> Arc<dyn Registry> {
            Arc::new(MemoryStore::new())
        }

        /// What the service is given: one cache, as in one process.
        pub fn in_front(&self, store: Paced<Arc<dyn Registry>>) -> Arc<dyn Registry> {
            Arc::new(NearCache::new(store))
        }
    }
}
