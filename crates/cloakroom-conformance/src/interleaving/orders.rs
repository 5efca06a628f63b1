/// Schedules, one after the other, until there is none that was not tried.
#[derive(Debug, Default)]
pub struct Orders {
    /// Which way was taken, and how many there were.
    path: Vec<(usize, usize)>,
    at: usize,
    tried: u64,
    sample: Option<Sample>,
}

/// Schedules by chance.
#[derive(Debug)]
struct Sample {
    count: u64,
    random: u64,
}

impl Orders {
    /// Nothing tried yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { path: Vec::new(), at: 0, tried: 0, sample: None }
    }

    /// `count` schedules that are drawn, the same ones for the same seed, where all would be too
    /// many.
    ///
    /// ```
    /// use cloakroom_conformance::interleaving::Orders;
    ///
    /// let (mut drawn, mut orders) = (Vec::new(), Orders::drawn(2, 7));
    /// while orders.begin() {
    ///     drawn.push([orders.choose(1_000), orders.choose(1_000)]);
    /// }
    /// assert_eq!(drawn.len(), 2);
    /// assert_ne!(drawn[0], drawn[1]);
    /// ```
    #[must_use]
    pub const fn drawn(count: u64, seed: u64) -> Self {
        let sample = Some(Sample { count, random: seed });
        Self { path: Vec::new(), at: 0, tried: 0, sample }
    }

    /// Begins the next schedule. `false` once all were tried, or as many as were to be drawn.
    pub fn begin(&mut self) -> bool {
        self.at = 0;
        if let Some(sample) = &self.sample {
            self.path.clear();
            if self.tried == sample.count {
                return false;
            }
        } else if self.tried > 0 {
            while self.path.pop_if(|(way, ways)| *way + 1 >= *ways).is_some() {}
            match self.path.last_mut() {
                Some((way, _)) => *way += 1,
                None => return false,
            }
        }
        self.tried += 1;
        true
    }

    /// One of `ways`, which must be as many as the last time the same choices led here.
    ///
    /// # Panics
    ///
    /// If they are not: then what is tried depends on something other than these choices.
    pub fn choose(&mut self, ways: usize) -> usize {
        if self.at == self.path.len() {
            let first = self.sample.as_mut().map_or(0, |sample| sample.way(ways));
            self.path.push((first, ways));
        }
        let chosen = self.path.get(self.at).copied();
        self.at += 1;
        match chosen {
            Some((way, known)) if known == ways => way,
            other => panic!("{ways} ways where there were {other:?}: not the same run twice"),
        }
    }

    /// How many schedules have begun.
    #[must_use]
    pub const fn tried(&self) -> u64 {
        self.tried
    }

    /// The choices of this schedule.
    #[must_use]
    pub fn choices(&self) -> Vec<usize> {
        self.path.iter().take(self.at).map(|(way, _)| *way).collect()
    }
}

impl Sample {
    /// Any of `ways`, by the generator `SplitMix64`.
    fn way(&mut self, ways: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let way = (mixed ^ (mixed >> 31)).checked_rem(ways as u64).unwrap_or(0);
        usize::try_from(way).unwrap_or(0)
    }
}
