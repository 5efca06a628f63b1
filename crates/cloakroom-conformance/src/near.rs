//! A cache in front of a store, and two of them on one store, as two processes have them.
//!
//! A cache keeps nothing until the store tells it what others change ([`Store::listen`]). What is
//! made here waits for that, so that whatever is tried afterwards is tried on a cache that keeps
//! sessions:
//!
//! ```
//! use cloakroom_conformance::{Fixture, near};
//! use cloakroom_memory::{MemoryStore, NearCache};
//! use cloakroom_store::Store as _;
//!
//! let fixture = near::behind(MemoryStore::new, NearCache::new);
//! assert_eq!(fixture.open().name(), "memory");
//! ```
//!
//! [`neighbours`] says what a cache may miss of what another process does.

mod neighbours;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom_store::{Change, Listener, Registry, Store, Told};

pub use neighbours::Neighbours;

use crate::{Fixture, Shared};

/// Every store of `fixture`, behind a cache of its own.
pub fn behind<F: Fixture, N: Registry>(
    fixture: F,
    cache: impl Fn(Overheard<F::Store>) -> N + Sync,
) -> impl Fixture<Store = N> {
    move || in_front(fixture.open(), &cache)
}

/// A cache in front of `store` that hears what others change, if anybody tells of it.
#[track_caller]
pub fn in_front<S: Registry, N: Registry>(store: S, cache: impl Fn(Overheard<S>) -> N) -> N {
    Home::new(store, cache, &Patience::new(PATIENCE)).cache
}

/// Every store of `fixture` with two handles, each behind a cache of its own; `seed` says whose turn it
/// is.
pub fn neighbours<F: Shared, N: Registry>(
    fixture: F,
    cache: impl Fn(Overheard<F::Store>) -> N + Sync,
    seed: u64,
) -> impl Fixture<Store = Neighbours<N>> {
    patient_neighbours(fixture, cache, seed, Patience::new(PATIENCE))
}

fn patient_neighbours<F: Shared, N: Registry>(
    fixture: F,
    cache: impl Fn(Overheard<F::Store>) -> N + Sync,
    seed: u64,
    patience: Patience,
) -> impl Fixture<Store = Neighbours<N>> {
    move || {
        let one = fixture.open();
        let other = fixture.another(&one);
        let homes = [one, other].map(|store| Home::new(store, &cache, &patience));
        Neighbours::new(homes, seed)
    }
}

/// How long it may take until something is heard: long enough for the slowest machine, since nothing
/// waits for it to pass where all is well.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long once that was too long: what failed is made smaller then, which takes many tries.
const RUN_OUT: Duration = Duration::from_millis(100);

/// How long something is waited for, by all that share it.
#[derive(Clone, Debug)]
struct Patience(Arc<(Duration, AtomicBool)>);

impl Patience {
    fn new(long: Duration) -> Self {
        Self(Arc::new((long, AtomicBool::new(false))))
    }

    fn get(&self) -> Duration {
        let (long, has_run_out) = &*self.0;
        if has_run_out.load(Ordering::Relaxed) { RUN_OUT.min(*long) } else { *long }
    }

    fn runs_out(&self) {
        self.0.1.store(true, Ordering::Relaxed);
    }
}

/// A store in front of which a cache stands, with an ear at the door between them.
#[derive(Debug)]
pub struct Overheard<S> {
    store: S,
    ear: Ear,
}

impl<S: Store> Store for Overheard<S> {
    crate::hand_on!(self => self.store; name reach survival route guest_route load load_fresh
        create commit rotate resume end close);

    fn listen(&self, listener: Arc<dyn Listener>) -> Told {
        let told = self.store.listen(Arc::new(Door { to: listener, ear: self.ear.clone() }));
        self.ear.lock().told = Some(told);
        told
    }
}

impl<S: Registry> Registry for Overheard<S> {
    crate::hand_on!(self => self.store; list end_all amend scan count sweep watch);
}

/// What the cache has been told, for those who wait for it.
#[derive(Clone, Debug)]
struct Ear {
    heard: Arc<(Mutex<Heard>, Condvar)>,
    patience: Patience,
}

#[derive(Debug, Default)]
struct Heard {
    told: Option<Told>,
    hears: bool,
    changes: u64,
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often something was told.
    fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// Waits as long as `is_so`. Whether that came to its end.
    fn waits_while(&self, is_so: impl Fn(&Heard) -> bool) -> bool {
        let (news, patience) = (&self.heard.1, self.patience.get());
        let waited = news.wait_timeout_while(self.lock(), patience, |heard| is_so(heard));
        let timed_out = waited.unwrap_or_else(PoisonError::into_inner).1.timed_out();
        if timed_out {
            self.patience.runs_out();
        }
        !timed_out
    }
}

/// Hands on what is told, and writes down that it was: whoever has waited for it finds a cache that
/// knows it.
struct Door {
    to: Arc<dyn Listener>,
    ear: Ear,
}

impl Listener for Door {
    fn hear(&self, change: Change) {
        self.to.hear(change);
        let mut heard = self.ear.lock();
        heard.changes += 1;
        match change {
            Change::Hearing => heard.hears = true,
            Change::Deaf => heard.hears = false,
            Change::Key(_) | Change::Everything => {}
        }
        drop(heard);
        self.ear.heard.1.notify_all();
    }
}

/// One process: its cache, and what that was told.
#[derive(Debug)]
struct Home<N> {
    cache: N,
    ear: Ear,
}

impl<N: Registry> Home<N> {
    /// Waits until the cache hears what others change.
    #[track_caller]
    fn new<S: Registry>(store: S, cache: impl Fn(Overheard<S>) -> N, patience: &Patience) -> Self {
        let ear = Ear { heard: Arc::default(), patience: patience.clone() };
        let cache = cache(Overheard { store, ear: ear.clone() });
        let tells = |heard: &Heard| heard.told.is_some_and(|told| told > Told::Nothing);
        assert!(
            ear.waits_while(|heard| tells(heard) && !heard.hears),
            "nobody tells the cache that it hears"
        );
        Self { cache, ear }
    }
}

#[cfg(all(test, feature = "model"))]
mod tests;
