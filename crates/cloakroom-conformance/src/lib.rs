//! Every clause of the cloakroom store contract as a named test.
//!
//! A store is held to the contract with one line in its tests. Each clause becomes a test of its
//! own, in a module named after the law it belongs to, so that a failing store names what it
//! breaks:
//!
//! ```
//! use cloakroom_memory::MemoryStore;
//!
//! cloakroom_conformance::suite!(MemoryStore::new);
//! # fn main() {}
//! ```
//!
//! A store that outlives its process also passes the clauses of [`durability`], through
//! [`durable_suite!`].
//!
//! Two parts of the contract are for those who have them: [`feed`] ([`feed_suite!`],
//! [`durable_feed_suite!`]) and [`listening`] ([`listening_suite!`]).
//!
//! Where the documentation of `cloakroom-store` leaves a choice, the clause makes it, and its
//! documentation says so. The clauses know nothing of threads inside a store or of a runtime: they
//! wait with [`executor::block_on`]. Time is an argument everywhere, so nothing waits for a clock.
#![allow(
    clippy::missing_panics_doc,
    reason = "a clause speaks by panicking: that is all it is documented to do"
)]

mod clauses;
mod desk;
pub mod executor;
pub mod history;
pub mod interleaving;
#[cfg(feature = "model")]
pub mod model;
mod suites;
mod turns;
mod verbs;

pub mod clocks;
pub mod commits;
pub mod creation;
pub mod durability;
pub mod endings;
pub mod feed;
pub mod limits;
pub mod listening;
pub mod loading;
pub mod near;
pub mod privilege;
pub mod registry;
pub mod remembered;
pub mod renewal;
pub mod sweeping;
pub mod users;
pub mod values;

#[doc(hidden)]
pub use cloakroom_store as contract;

pub use clauses::{
    CLAUSES, Clause, DURABLE_CLAUSES, DURABLE_FEED_CLAUSES, FEED_CLAUSES, LISTENING_CLAUSES,
};

use cloakroom_store::Registry;

/// Makes the stores that the clauses are tried on. Any closure that returns a store is one.
///
/// The expression given to [`suite!`] is evaluated once for each clause.
pub trait Fixture: Sync {
    /// The store under test.
    type Store: Registry;

    /// A store that holds nothing and shares nothing with the ones opened before.
    fn open(&self) -> Self::Store;
}

impl<S: Registry, F: Fn() -> S + Sync> Fixture for F {
    type Store = S;

    fn open(&self) -> S {
        self()
    }
}

/// Makes stores whose data outlives them.
pub trait Durable: Fixture {
    /// Closes `store` and opens the same data again.
    fn reopen(&self, store: Self::Store) -> Self::Store;
}

/// Makes handles of one store, as several processes have them. A pair of closures that return a
/// store and another handle of it is one.
pub trait Shared: Fixture {
    /// Another handle of the same data, that shares no connection with `store`.
    fn another(&self, store: &Self::Store) -> Self::Store;
}

impl<S: Registry, F: Fn() -> S + Sync, A: Fn(&S) -> S + Sync> Fixture for (F, A) {
    type Store = S;

    fn open(&self) -> S {
        self.0()
    }
}

impl<S: Registry, F: Fn() -> S + Sync, A: Fn(&S) -> S + Sync> Shared for (F, A) {
    fn another(&self, store: &S) -> S {
        self.1(store)
    }
}
