//! Two handles of one store that look like one.

use cloakroom_store::{Registry, Store};

use crate::turns::Turns;
use crate::{Fixture, Shared};

/// Two handles on the same data, as two processes have them: each verb goes to one of them, drawn from
/// a seed, so that a script comes out the same each time it is shrunk.
///
/// ```
/// use cloakroom_conformance::model::Handles;
/// use cloakroom_memory::MemoryStore;
/// use cloakroom_store::Store as _;
/// use std::sync::Arc;
///
/// let store = Arc::new(MemoryStore::new());
/// let both = Handles::new([Arc::clone(&store), store], 7);
/// assert_eq!(both.name(), "memory");
/// ```
#[derive(Debug)]
pub struct Handles<S> {
    stores: [S; 2],
    turns: Turns,
}

impl<S> Handles<S> {
    /// Two handles, and what their turns are drawn from.
    pub const fn new(stores: [S; 2], seed: u64) -> Self {
        Self { stores, turns: Turns::new(seed) }
    }

    fn either(&self) -> &S {
        let [one, other] = &self.stores;
        if self.turns.heads() { one } else { other }
    }
}

/// Every store of `fixture` with two handles; `seed` says whose turn it is.
pub fn handles<F: Shared>(fixture: F, seed: u64) -> impl Fixture<Store = Handles<F::Store>> {
    move || {
        let one = fixture.open();
        let other = fixture.another(&one);
        Handles::new([one, other], seed)
    }
}

impl<S: Registry> Store for Handles<S> {
    crate::hand_on!(self => self.either(); name reach survival route guest_route load create
        commit rotate resume end);
}

impl<S: Registry> Registry for Handles<S> {
    crate::hand_on!(self => self.either(); list end_all amend scan count sweep watch);
}
