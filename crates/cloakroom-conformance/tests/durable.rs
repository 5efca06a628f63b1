//! The clauses of durability can be kept, by a store that forgets nothing, and can fail, by one
//! that forgets everything.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cloakroom_conformance::{Durable, Fixture, durability};
use cloakroom_memory::MemoryStore;

struct Keeping;

impl Fixture for Keeping {
    type Store = MemoryStore;

    fn open(&self) -> MemoryStore {
        MemoryStore::new()
    }
}

impl Durable for Keeping {
    fn reopen(&self, store: MemoryStore) -> MemoryStore {
        store
    }
}

struct Forgetting;

impl Fixture for Forgetting {
    type Store = MemoryStore;

    fn open(&self) -> MemoryStore {
        MemoryStore::new()
    }
}

impl Durable for Forgetting {
    fn reopen(&self, _: MemoryStore) -> MemoryStore {
        MemoryStore::new()
    }
}

macro_rules! both {
    ($($clause:ident),* $(,)?) => {$(
        mod $clause {
            use super::*;

            #[test]
            fn is_kept_by_a_store_that_forgets_nothing() {
                durability::$clause(&Keeping);
            }

            #[test]
            fn is_broken_by_a_store_that_forgets() {
                let broken = catch_unwind(AssertUnwindSafe(|| durability::$clause(&Forgetting)));

                assert!(broken.is_err());
            }
        }
    )*};
}

both![
    records_survive,
    the_index_survives,
    endings_survive,
    forwarders_survive,
    a_grace_survives,
    versions_survive,
    dormant_sessions_survive,
    logins_survive,
];

#[test]
fn a_store_that_survives_nothing_is_not_durable() {
    let broken = catch_unwind(AssertUnwindSafe(|| durability::a_durable_store_says_so(&Keeping)));

    assert!(broken.is_err());
}
