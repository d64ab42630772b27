//! A small random number generator, so that a seed means the same world on every machine and in every release.
//!
//! xoshiro256** 1.0, its state filled by SplitMix64, as its authors advise (Blackman and Vigna, <https://prng.di.unimi.it>).
//! Integers only: floating point would let a mathematics library decide. Not for secrets.

/// One stream of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Rng {
    state: [u64; 4],
}

/// One million: chances and shares are parts per million.
pub(super) const MILLION: u32 = 1_000_000;

impl Rng {
    /// The stream with this number under this seed. Every customer draws from a stream of their own, so that more
    /// customers or another habit of one leave all others as they are.
    pub(super) fn stream(seed: u64, stream: u64) -> Self {
        let mut mixer = SplitMix64(seed);
        let mut mixer = SplitMix64(mixer.next() ^ stream.wrapping_mul(GOLDEN));
        Self { state: [mixer.next(), mixer.next(), mixer.next(), mixer.next()] }
    }

    fn next(&mut self) -> u64 {
        let [mut a, mut b, mut c, mut d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = b << 17;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= shifted;
        d = d.rotate_left(45);
        self.state = [a, b, c, d];
        result
    }

    /// A number below `limit`; 0 when the limit is 0. The bias of multiply-and-shift is below `limit / 2^64`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(limit);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included; `low` when they are the wrong way round.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        let width = u64::from(high.saturating_sub(low)) + 1;
        low.saturating_add(u32::try_from(self.below(width)).unwrap_or(0))
    }

    /// True in `ppm` of a million cases.
    pub(super) fn chance(&mut self, ppm: u32) -> bool {
        self.below(u64::from(MILLION)) < u64::from(ppm)
    }

    /// One of these, all alike.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(u64::try_from(items.len()).unwrap_or(0));
        items.get(usize::try_from(index).unwrap_or(0))
    }

    /// One of these by weight; `None` when nothing has any.
    pub(super) fn weighted<T: Copy>(&mut self, items: &[(T, u64)]) -> Option<T> {
        let total = items.iter().map(|(_, weight)| *weight).fold(0, u64::saturating_add);
        let mut left = self.below(total);
        for (item, weight) in items {
            if left < *weight {
                return Some(*item);
            }
            left -= weight;
        }
        None
    }
}

/// The golden ratio in 64 bits: SplitMix64's step.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_the_published_numbers() {
        // The reference implementation, seeded with 1234567.
        let mut mixer = SplitMix64(1_234_567);
        assert_eq!([mixer.next(), mixer.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn xoshiro_gives_the_published_numbers() {
        // The reference implementation with the state 1, 2, 3, 4.
        let mut rng = Rng { state: [1, 2, 3, 4] };
        assert_eq!([rng.next(), rng.next(), rng.next()], [11_520, 0, 1_509_978_240]);
    }

    #[test]
    fn streams_differ_and_bounds_hold() {
        let draw = |seed, stream| Rng::stream(seed, stream).next();
        assert_eq!(draw(1, 1), draw(1, 1));
        assert!(draw(1, 1) != draw(1, 2) && draw(1, 1) != draw(2, 1) && draw(1, 2) != draw(2, 1));
        let mut rng = Rng::stream(7, 7);
        assert!((0..1000).all(|_| (3..=5).contains(&rng.between(3, 5))));
        let heads = (0..10_000).filter(|_| rng.chance(250_000)).count();
        assert!((2_300..2_700).contains(&heads), "{heads}");
        assert_eq!(rng.weighted::<u8>(&[]), None);
        assert_eq!(rng.weighted(&[(1, 0), (2, 9), (3, 0)]), Some(2));
        assert_eq!(rng.pick::<u8>(&[]), None);
    }
}
