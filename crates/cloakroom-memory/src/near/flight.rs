//! Reads of the store that are under way, so that a hundred requests of one page read once.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use cloakroom_store::{Key, Loads, StoreError};
use futures_util::FutureExt as _;
use futures_util::future::{Shared, WeakShared};

use crate::near::table::State;

type Read = Pin<Box<dyn Future<Output = Result<Loads, StoreError>> + Send>>;

/// A read that any number of requests wait for.
pub(crate) type Flight = Shared<Read>;

/// A read to share.
pub(crate) fn flight(
    read: impl Future<Output = Result<Loads, StoreError>> + Send + 'static,
) -> Flight {
    let read: Read = Box::pin(read);
    read.shared()
}

/// The reads under way of one stripe, each with the state in which it began. A read that nobody
/// waits for any more is not held by its place here, so that nobody joins it later.
#[derive(Default)]
pub(crate) struct Flights(HashMap<Key, (State, WeakShared<Read>)>);

/// Abandoned reads that are let lie before somebody clears up.
const LITTER: usize = 64;

impl Flights {
    /// The read of `key` under way, if nothing changed since it began.
    pub(crate) fn join(&self, key: &Key, state: State) -> Option<Flight> {
        let (began, flight) = self.0.get(key)?;
        flight.upgrade().filter(|_| *began == state)
    }

    /// A read has begun.
    pub(crate) fn begin(&mut self, key: Key, state: State, flight: &Flight) {
        if self.0.len() >= LITTER {
            self.0.retain(|_, (_, flight)| flight.upgrade().is_some());
        }
        if let Some(flight) = flight.downgrade() {
            self.0.insert(key, (state, flight));
        }
    }

    /// The read that began in this state is done.
    pub(crate) fn end(&mut self, key: &Key, began: State) {
        if self.0.get(key).is_some_and(|(state, _)| *state == began) {
            self.0.remove(key);
        }
    }
}
