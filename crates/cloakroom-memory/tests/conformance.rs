//! The memory store keeps every clause of the contract.

use cloakroom_memory::MemoryStore;

cloakroom_conformance::suite!(MemoryStore::new);
cloakroom_conformance::feed_suite!(MemoryStore::new);
