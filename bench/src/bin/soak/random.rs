//! Random numbers that are the same in every run.

/// A generator of random numbers (Marsaglia, "Xorshift RNGs", 2003).
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Creates a generator; each seed gives other numbers.
    pub(crate) fn new(seed: u64) -> Self {
        // The generator stays at 0 if it starts there.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Returns a number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_below_the_bound() {
        let mut random = Random::new(0);
        let numbers: Vec<_> = (0..1000).map(|_| random.below(10)).collect();
        assert!((0..10).all(|number| numbers.contains(&number)) && numbers.iter().all(|number| *number < 10));
    }
}
