//! Chance for pauses and the one secret, from the seed that the operating system gives the process.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

/// Numbers that other processes do not draw.
#[derive(Debug, Default)]
pub(crate) struct Dice {
    state: RandomState,
    drawn: AtomicU64,
}

impl Dice {
    /// Another number in each call.
    pub(crate) fn number(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::Relaxed)
    }

    /// Some part of a pause.
    pub(crate) fn share_of(&self, pause: Duration) -> Duration {
        let share = u32::try_from(self.state.hash_one(self.number()) >> 56).unwrap_or_default();
        pause * share / 256
    }

    /// A secret that hides which user lives on which route: 128 random bits at the least.
    pub(crate) fn secret(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for _ in 0..4 {
            hash.update(self.state.hash_one(self.number()).to_be_bytes());
        }
        hash.finalize().into()
    }
}
