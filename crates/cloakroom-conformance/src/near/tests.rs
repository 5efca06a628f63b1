#![allow(clippy::unwrap_used, reason = "in a test, also in what its stores do")]
#![allow(clippy::print_stdout, reason = "the seed that repeats a failure")]

use std::collections::HashMap;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cloakroom_memory::{MemoryStore, NearCache};
use cloakroom_store::{Answer, Key, Load, Loads, Timestamp};

use super::*;
use crate::executor::block_on;
use crate::history::{self, Volume};
use crate::model;

/// Nothing comes where this is all that is waited.
const SHORT: Duration = Duration::from_millis(1);

const VOLUME: Volume = Volume { sessions: 100, threads: 4, calls: 12 };

/// What a store says of telling, and does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    All,
    /// Endings, and says that these are all.
    Endings,
    /// Endings, and says that it tells all.
    TooLittle,
    Nothing,
}

/// Handles of one memory store that tell each other.
#[derive(Clone)]
struct Telling {
    store: MemoryStore,
    listeners: Arc<Mutex<Vec<Arc<dyn Listener>>>>,
    tells: Tells,
}

/// Tells what was done with it once it was.
struct Teller<'a>(&'a Telling, bool);

impl Deref for Teller<'_> {
    type Target = MemoryStore;

    fn deref(&self) -> &MemoryStore {
        &self.0.store
    }
}

impl Drop for Teller<'_> {
    fn drop(&mut self) {
        if self.1 {
            let listeners = self.0.listeners.lock().unwrap();
            listeners.iter().for_each(|listener| listener.hear(Change::Everything));
        }
    }
}

impl Telling {
    fn ending(&self) -> Teller<'_> {
        Teller(self, self.tells != Tells::Nothing)
    }

    fn changing(&self) -> Teller<'_> {
        Teller(self, self.tells == Tells::All)
    }
}

impl Store for Telling {
    crate::hand_on!(self => self.store; name reach survival route load);
    crate::hand_on!(self => self.changing(); commit);
    crate::hand_on!(self => self.ending(); create rotate resume end);

    fn listen(&self, listener: Arc<dyn Listener>) -> Told {
        listener.hear(Change::Hearing);
        self.listeners.lock().unwrap().push(listener);
        if self.tells == Tells::Endings { Told::Endings } else { Told::Changes }
    }
}

impl Registry for Telling {
    crate::hand_on!(self => self.store; list scan count watch);
    crate::hand_on!(self => self.ending(); end_all amend sweep);
}

fn shared(tells: Tells) -> impl Shared<Store = Telling> {
    let open = move || Telling { store: MemoryStore::new(), listeners: Arc::default(), tells };
    (open, Telling::clone)
}

/// A cache that answers what it answered first, whatever it is told.
struct Stubborn<S> {
    store: S,
    first: Mutex<HashMap<Key, Load>>,
}

struct Nobody;

impl Listener for Nobody {
    fn hear(&self, _: Change) {}
}

impl<S: Store> Stubborn<S> {
    fn new(store: S) -> Self {
        store.listen(Arc::new(Nobody));
        Self { store, first: Mutex::default() }
    }
}

impl<S: Store> Store for Stubborn<S> {
    crate::hand_on!(self => self.store; name reach survival route load_fresh
        create commit rotate resume end);

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        let loads = block_on(self.store.load(keys, now)).unwrap();
        let mut first = self.first.lock().unwrap();
        let known = keys.iter().zip(loads);
        let known = known.map(|(key, load)| first.entry(*key).or_insert(load).clone());
        Answer::ready(Ok(known.collect()))
    }
}

impl<S: Registry> Registry for Stubborn<S> {
    crate::hand_on!(self => self.store; list end_all amend scan count sweep watch);
}

/// Two near caches, and a short patience where nothing is told.
fn near(tells: Tells) -> impl Fixture<Store = Neighbours<NearCache<Overheard<Telling>>>> {
    let patience = if matches!(tells, Tells::All | Tells::Endings) { PATIENCE } else { SHORT };
    patient_neighbours(shared(tells), NearCache::new, 7, Patience::new(patience))
}

fn why<T>(check: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(check()))).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn two_caches_that_are_told_look_like_one_store() {
    let seed = model::seed();
    println!("CLOAKROOM_SEED={seed}");

    for tells in [Tells::All, Tells::Endings] {
        let scripts = model::check(&near(tells), 200, seed);
        let histories = history::check_neighbours(&near(tells), VOLUME, seed);

        assert!(scripts.verbs > scripts.scripts);
        assert!(histories.overlapping > 0 && histories.forwarded > 0, "{histories:?}");
    }
}

#[test]
fn a_cache_that_nobody_tells_leaves_the_model_in_a_short_script() {
    for tells in [Tells::Nothing, Tells::TooLittle] {
        let told = why(|| model::check(&near(tells), 500, 7));

        let verbs = told.lines().filter(|line| line.starts_with("   ")).count();
        assert!(
            (1..=12).contains(&verbs) && told.contains("CLOAKROOM_SEED=7"),
            "{tells:?}: {told}"
        );
    }
}

#[test]
fn a_cache_that_nobody_tells_of_what_threads_did_is_found_out() {
    let told = why(|| history::check_neighbours(&near(Tells::Nothing), VOLUME, 7));

    assert!(told.contains("never came"), "{told}");
}

#[test]
fn a_cache_that_does_not_see_its_own_changes_is_found_out() {
    let stubborn = || {
        let patience = Patience::new(SHORT);
        patient_neighbours(shared(Tells::Endings), Stubborn::new, 7, patience)
    };

    let scripts = why(|| model::check(&stubborn(), 500, 7));

    assert!(scripts.contains("the store leaves the model"), "{scripts}");
}

#[test]
fn a_load_that_misses_a_change_of_its_own_process_is_never_explained() {
    use crate::history::{Call, Event, State, Told, explain, explain_near};
    let after = State { version: 2, fields: [7, 0, 0], ..State::default() };
    let call = Call::Commit { expect: None, field: 0, value: 7 };
    let set = Event { key: 0, call, told: Some(Told::Done(after)), began: 0, ended: 1 };
    let told = Some(Told::Live(State::default()));
    let stale = Event { key: 0, call: Call::Load, told, began: 2, ended: 3 };
    let events = [set, stale];

    assert_eq!(explain(&events), None);
    assert_eq!(explain_near(&events, &[0, 1]), Some(vec![1, 0]), "of another process it may");
    assert_eq!(explain_near(&events, &[0, 0]), None);
}
