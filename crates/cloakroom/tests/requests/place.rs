//! The store in the process.

use std::sync::Arc;

use cloakroom::MemoryStore;
use cloakroom::store::Registry;

/// How many orders of a scenario are tried, beside the same number that is drawn from all of them.
/// Here every one is.
pub const ORDERS_MAX: u64 = u64::MAX;

/// How many orders are drawn behind the near cache. Here every one is tried.
pub const NEAR_DRAWN: Option<u64> = None;

/// How many orders a login beside a read and a write has at least.
pub const ORDERS_LEAST: u64 = 20;

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
}
