//! A bounded in-process table of cloakroom sessions: a store, and a cache in front of another one.
//!
//! [`MemoryStore`] is for one process that may forget its sessions when it ends: development, tests,
//! small services. Every answer is ready at once. [`NearCache`] keeps sessions of a shared store near.
//!
//! ```
//! use cloakroom_memory::MemoryStore;
//! use cloakroom_store::{Key, Load, Store, Timestamp};
//!
//! let store = MemoryStore::new();
//! let loads = store.load(&[Key::from_bytes([7; 32])], Timestamp::from_millis(0));
//! let loads = loads.now().unwrap().unwrap();
//! assert_eq!(loads.iter().collect::<Vec<_>>(), [&Load::Gone(None)]);
//! ```
//!
//! The store is bounded ([`Builder`]). When it is full it frees what has expired, then ends
//! anonymous sessions that were seen long ago, and then refuses what needs more room. It never ends
//! a session that is signed in to make room.

mod bounds;
mod commits;
mod feed;
mod house;
mod identity;
mod index;
mod loading;
mod near;
mod registry;
mod room;
mod rotation;
mod shard;
mod store;
mod sync;
mod tombs;

#[cfg(all(test, shuttle))]
mod schedules;

pub use bounds::{BYTES_MAX, SESSIONS_MAX, TOMBSTONES_MAX};
pub use near::{NEAR_AGE, NEAR_AGE_MAX, NEAR_BYTES, NearBuilder, NearCache, NearFigures};
pub use store::{Builder, MemoryStore};
