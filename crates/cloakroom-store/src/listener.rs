//! Who wants to know at once what others change in a store.

use crate::names::Key;

/// Hears of changes in a store, as a cache in front of it has to.
///
/// A listener is *deaf* until it hears [`Change::Hearing`]: before that, changes may have been made
/// that nobody told it of. The store calls it from threads and tasks of its own; it answers quickly
/// and never waits for the store.
pub trait Listener: Send + Sync + 'static {
    /// Something changed, or may have.
    fn hear(&self, change: Change);
}

/// What a [`Listener`] hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// What is behind this key may be another thing than it was.
    Key(Key),
    /// So may what is behind any key.
    Everything,
    /// From now on changes may be missed; some may have been.
    Deaf,
    /// From now on none is missed.
    Hearing,
}

/// Which changes that others make a store tells a [`Listener`] of. What went through the same
/// handle of the store may be told too, and need not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// None: the store has no way to know, or nobody else can change anything.
    Nothing,
    /// Those after which a session is over or has other rights, a new token or a new user: endings,
    /// rotations, resumptions and amendments. Changes of other data and of deadlines are not told.
    Endings,
    /// All.
    Changes,
}
