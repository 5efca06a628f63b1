use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use cloakroom_store::{
    Answer, Key, Load, Loads, Reason, Registry, Store, StoreError, Timestamp, Told,
};

use super::Home;
use crate::executor::block_on;
use crate::turns::Turns;

/// Two caches on the same data that look like one store, for scripts: each verb goes through one of
/// them, drawn from a seed. Every load is made twice, the second time past the cache
/// ([`Store::load_fresh`]), and the two are compared:
///
/// - What went through a cache itself is seen there at once.
/// - What the other one changed may be missing until the store has told of it. So a load that is
///   older waits for the next news and is made again, and fails if there is none.
/// - Of a store that tells of endings alone ([`Told::Endings`]), a live session may have older data
///   as well: the same session of the same user. Nobody is told that it was swept by a process whose
///   clock is ahead.
///
/// A load that may be told is answered as it was past the cache, so that nobody who compares need know
/// of the cache; one that may not be is answered as the cache did.
pub struct Neighbours<N> {
    processes: [Process<N>; 2],
    turns: Turns,
}

struct Process<N> {
    home: Home<N>,
    told: Told,
    /// How often something was changed here.
    writes: AtomicU64,
    /// How often something had been changed there when the cache and the store agreed on a key.
    agreed: Mutex<BTreeMap<Key, u64>>,
}

/// What a cache said beside what the store says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Agreement {
    Same,
    /// As much as anybody is told of.
    Older,
    /// It must be told.
    Late,
    /// There was nothing to be told.
    Wrong,
}

impl<N: Registry> Neighbours<N> {
    pub(super) fn new(homes: [Home<N>; 2], seed: u64) -> Self {
        let processes = homes.map(|home| {
            let told = home.ear.lock().told.unwrap_or(Told::Nothing);
            assert!(told > Told::Nothing, "a store that tells nothing is of one process");
            Process { home, told, writes: AtomicU64::new(0), agreed: Mutex::default() }
        });
        Self { processes, turns: Turns::new(seed) }
    }

    /// The cache of each process.
    pub(crate) fn caches(&self) -> [&N; 2] {
        self.processes.each_ref().map(|process| &process.home.cache)
    }

    /// Waits until both know what is behind `key`, whoever changed it.
    #[track_caller]
    pub(crate) fn settle(&self, key: &Key, now: Timestamp) {
        for process in &self.processes {
            let loaded = process.load(&[*key], now, u64::MAX).ok();
            let fresh = block_on(process.home.cache.load_fresh(&[*key], now)).ok();
            assert_eq!(loaded, fresh, "the news of {key:?} never came");
        }
    }

    /// Whose turn it is, and the other.
    fn turn(&self) -> (&Process<N>, &Process<N>) {
        let [one, other] = &self.processes;
        if self.turns.heads() { (one, other) } else { (other, one) }
    }

    fn reader(&self) -> &N {
        &self.turn().0.home.cache
    }

    fn writer(&self) -> &N {
        let process = self.turn().0;
        process.writes.fetch_add(1, Ordering::SeqCst);
        &process.home.cache
    }
}

impl<N: Registry> Process<N> {
    /// Loads as a whole, when so much was changed elsewhere.
    fn load(&self, keys: &[Key], now: Timestamp, elsewhere: u64) -> Result<Loads, StoreError> {
        let Home { cache, ear } = &self.home;
        loop {
            let heard = ear.changes();
            let near = block_on(cache.load(keys, now))?;
            let fresh = block_on(cache.load_fresh(keys, now))?;
            let loads = keys.iter().zip(near.iter().zip(fresh.iter()));
            let agreed = loads.map(|(key, (near, fresh))| self.judge(key, near, fresh, elsewhere));
            match agreed.max().unwrap_or(Agreement::Same) {
                Agreement::Same | Agreement::Older => return Ok(fresh),
                Agreement::Late if ear.waits_while(|now| now.changes == heard) => {}
                Agreement::Late | Agreement::Wrong => return Ok(near),
            }
        }
    }

    fn judge(&self, key: &Key, near: &Load, fresh: &Load, elsewhere: u64) -> Agreement {
        let mut agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        if near == fresh {
            agreed.insert(*key, elsewhere);
            return Agreement::Same;
        }
        if agreed.get(key).copied().unwrap_or(0) == elsewhere {
            return Agreement::Wrong;
        }
        match self.told {
            Told::Endings if is_older(near, fresh) => Agreement::Older,
            Told::Nothing | Told::Endings | Told::Changes => Agreement::Late,
        }
    }
}

/// Whether nobody is told of what lies between the two, by a store that tells of endings alone.
fn is_older(near: &Load, fresh: &Load) -> bool {
    match (near, fresh) {
        (Load::Live(near), Load::Live(fresh)) => {
            let who = near.id() == fresh.id() && near.identity() == fresh.identity();
            who && near.version() <= fresh.version()
        }
        (Load::Live(_), Load::Gone(Some(ended))) => {
            matches!(ended.reason, Reason::Idle | Reason::Absolute)
        }
        _ => false,
    }
}

impl<N: Registry> Store for Neighbours<N> {
    crate::hand_on!(self => self.reader(); name reach survival route guest_route);
    crate::hand_on!(self => self.writer(); create commit rotate resume end);

    fn load(&self, keys: &[Key], now: Timestamp) -> Answer<Loads> {
        let (here, there) = self.turn();
        Answer::ready(here.load(keys, now, there.writes.load(Ordering::SeqCst)))
    }
}

impl<N: Registry> Registry for Neighbours<N> {
    crate::hand_on!(self => self.reader(); list scan count watch);
    crate::hand_on!(self => self.writer(); end_all amend sweep);
}

impl<N> fmt::Debug for Neighbours<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Neighbours").finish_non_exhaustive()
    }
}
