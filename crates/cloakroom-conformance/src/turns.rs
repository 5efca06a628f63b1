//! Whose turn it is, drawn from a seed.

use std::sync::atomic::{AtomicU64, Ordering};

/// Coins that fall the same way each time a script is tried (splitmix64).
#[derive(Debug)]
pub(crate) struct Turns(AtomicU64);

impl Turns {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(crate) fn heads(&self) -> bool {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed >> 63 == 0
    }
}
