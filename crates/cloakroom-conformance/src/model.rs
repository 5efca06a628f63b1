//! Random scripts of verbs, carried out by a store and by a plain model of the contract side by
//! side. Behind the feature `model`.
//!
//! Every outcome is compared when it comes; at the end all keys, lists, scans and counts are. A
//! script that fails is made as short as it can be and printed one verb per line, with the seed
//! that repeats the run:
//!
//! ```
//! use cloakroom_conformance::model;
//! use cloakroom_memory::MemoryStore;
//!
//! let figures = model::check(&MemoryStore::new, 20, model::seed());
//! assert!(figures.verbs >= figures.scripts);
//! ```
//!
//! The clock of a script goes forward, to deadlines and a millisecond beside them, over the day for
//! which endings are told, and backwards. It does not go back to where an ending was told that may
//! be forgotten by now: that answer is the store's to choose.

mod compare;
mod handles;
mod identity;
mod names;
mod plain;
mod run;
mod script;
mod session;

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::Fixture;

pub use handles::{Handles, handles};

/// How many verbs a script has at most.
const LONGEST: usize = 60;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// How many scripts were carried out.
    pub scripts: u64,
    /// How many verbs they had.
    pub verbs: u64,
}

/// Carries `scripts` random scripts out, each on a store of its own.
///
/// # Panics
///
/// If the store and the model differ: with the shortest script that shows it, and the seed.
pub fn check(fixture: &impl Fixture, scripts: u32, seed: u64) -> Figures {
    let config = Config {
        cases: scripts,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *place = byte;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let (run, verbs) = (Cell::new(0), Cell::new(0));
    let tried = TestRunner::new_with_rng(config, rng).run(&script::scripts(LONGEST), |script| {
        run.set(run.get() + 1);
        verbs.set(verbs.get() + script.0.len() as u64);
        run::run(&fixture.open(), &script).map_err(TestCaseError::fail)
    });
    match tried {
        Ok(()) => Figures { scripts: run.get(), verbs: verbs.get() },
        Err(TestError::Fail(why, script)) => {
            panic!("the store leaves the model (CLOAKROOM_SEED={seed}):{script:?}\n{why}")
        }
        Err(TestError::Abort(why)) => panic!("no scripts (CLOAKROOM_SEED={seed}): {why}"),
    }
}

/// The seed in the environment variable `CLOAKROOM_SEED`, or a fresh one.
#[must_use]
pub fn seed() -> u64 {
    let given = std::env::var("CLOAKROOM_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one(0))
}
