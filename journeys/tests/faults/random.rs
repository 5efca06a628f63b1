use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Small numbers from a seed (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The low bits of neighbouring seeds resemble each other.
        usize::try_from((self.0 >> 16) % limit as u64).unwrap()
    }
}

/// Another one each time, unless `CLOAKROOM_SEED` names one.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("CLOAKROOM_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one(0) | 1)
}
