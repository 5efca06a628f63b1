//! A few of many, drawn anew each time and again from the same seed.

use std::hash::{BuildHasher, RandomState};

/// Another seed at each call.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(0_u8)
}

/// `number` of `all`, or all if they are fewer, in their order.
pub(crate) fn draw<T>(all: Vec<T>, number: usize, seed: u64) -> Vec<T> {
    let mut state = seed;
    let mut needed = number.min(all.len()) as u64;
    let mut left = all.len() as u64;
    let mut drawn = Vec::new();
    for one in all {
        if next(&mut state) % left < needed {
            drawn.push(one);
            needed -= 1;
        }
        left -= 1;
    }
    drawn
}

/// SplitMix64: good enough to choose, and a line of arithmetic.
const fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_its_size_keeps_the_order_and_comes_again_from_its_seed() {
        let all: Vec<u32> = (0..60).collect();
        for seed in 0..100 {
            let drawn = draw(all.clone(), 6, seed);

            assert_eq!(drawn.len(), 6);
            assert!(drawn.is_sorted());
            assert_eq!(drawn, draw(all.clone(), 6, seed));
        }
    }

    #[test]
    fn everybody_is_drawn_sooner_or_later() {
        let all: Vec<u32> = (0..60).collect();

        let ever: std::collections::BTreeSet<u32> =
            (0..300).flat_map(|seed| draw(all.clone(), 6, seed)).collect();

        assert_eq!(ever.len(), 60);
    }

    #[test]
    fn of_few_all_are_drawn() {
        assert_eq!(draw(vec![1, 2], 6, 7), [1, 2]);
        assert!(draw(Vec::<u32>::new(), 6, 7).is_empty());
    }
}
