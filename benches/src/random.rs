//! Seeded random numbers, so that every run measures the same data.

/// `SplitMix64` (Steele, Lea and Flood 2014): small, fast, good enough for test data.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `bound`, or 0 when the bound is 0. The bias of the remainder is far below what a
    /// benchmark could notice.
    pub fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.bits() % u64::from(bound.max(1))).unwrap_or(0)
    }

    /// A number from 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        // 53 bits: as many as the mantissa holds, so the conversion is exact.
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Ranks by Zipf's law: rank `r` (from 0) is drawn in proportion to `(r + 1)^-exponent`.
#[derive(Debug, Clone)]
pub struct Zipf {
    /// The probability of each rank and all before it.
    cumulated: Vec<f64>,
}

impl Zipf {
    /// A law over this many ranks.
    pub fn new(ranks: u32, exponent: f64) -> Self {
        let weights = (1..=ranks).map(|rank| f64::from(rank).powf(-exponent));
        let sums = weights.scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        let mut cumulated: Vec<f64> = sums.collect();
        let total = cumulated.last().copied().unwrap_or(1.0);
        cumulated.iter_mut().for_each(|sum| *sum /= total);
        Self { cumulated }
    }

    /// Draws a rank.
    pub fn draw(&self, random: &mut Random) -> u32 {
        let dart = random.unit();
        let last = self.cumulated.len().saturating_sub(1);
        let rank = self.cumulated.partition_point(|sum| *sum < dart).min(last);
        u32::try_from(rank).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;

    #[test]
    fn numbers_repeat_and_stay_in_their_bounds() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..1000).map(|_| (random.below(7), random.unit())).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(3).iter().all(|(n, unit)| *n < 7 && (0.0..1.0).contains(unit)));
        assert_eq!(Random::new(1).below(0), 0);
    }

    #[test]
    fn zipf_favours_low_ranks_as_the_law_says() {
        let (law, mut random) = (Zipf::new(1000, 1.0), Random::new(7));
        let mut counts = [0_u32; 1000];
        for _ in 0..100_000 {
            counts[law.draw(&mut random) as usize] += 1;
        }
        // The harmonic number H(1000) is 7.485: rank 0 has 13.4 %, rank 9 a tenth of that.
        assert!((13_000..13_700).contains(&counts[0]), "{}", counts[0]);
        assert!((1_150..1_530).contains(&counts[9]), "{}", counts[9]);
    }
}
