//! The memory store keeps every clause of the contract.

use cloakroom_memory::{MemoryStore, NearCache};

cloakroom_conformance::suite!(MemoryStore::new);
cloakroom_conformance::feed_suite!(MemoryStore::new);

mod behind_the_near_cache {
    use super::*;

    cloakroom_conformance::suite!(|| NearCache::new(MemoryStore::new()));
    cloakroom_conformance::feed_suite!(|| NearCache::new(MemoryStore::new()));
}
