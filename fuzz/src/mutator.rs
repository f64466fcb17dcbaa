//! Changes inputs at random, always in the same way: for runs that can be repeated.

/// A mutator with a state of its own. Equal seeds give equal mutations.
#[derive(Debug)]
pub struct Mutator(u64);

impl Mutator {
    /// Creates a mutator from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Mutator(seed)
    }

    /// Returns a number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        // SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or_default()
    }

    /// Returns `input` with one to four changes. Some insert a part of `other` or one of `words`.
    #[must_use]
    pub fn mutate(&mut self, input: &[u8], other: &[u8], words: &[Vec<u8>]) -> Vec<u8> {
        let mut output = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(output.len() + 1);
            let end = (at + 1 + self.below(8)).min(output.len());
            match self.below(7) {
                0 if at < output.len() => output[at] ^= 1 << self.below(8),
                1 if at < output.len() => output[at] = INTERESTING[self.below(INTERESTING.len())],
                2 => drop(output.drain(at..end)),
                3 => {
                    let part = output[at..end].to_vec();
                    output.splice(at..at, part);
                }
                4 => {
                    let (from, length) = (self.below(other.len() + 1), self.below(40));
                    let part = other.iter().skip(from).take(length).copied();
                    output.splice(at..at, part.collect::<Vec<_>>());
                }
                _ if !words.is_empty() => {
                    let word = words[self.below(words.len())].clone();
                    // Insert it, or replace what is there.
                    let end = if self.below(2) == 0 { at } else { (at + word.len()).min(output.len()) };
                    output.splice(at..end, word);
                }
                _ => output.truncate(at),
            }
        }
        output
    }
}

/// Bytes that end or begin something in JSON, paths, headers or lines.
const INTERESTING: &[u8] = b"\0\t\n \"#%*,-./0123456789:;?[\\]_aeZ{}\x7f\xc3\xff";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_mutations() {
        let run = |seed| {
            let mut mutator = Mutator::new(seed);
            (0..100).map(|_| mutator.mutate(b"hello", b"world", &[b"word".to_vec()])).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!(run(1).iter().filter(|output| output.as_slice() != b"hello").count() > 90);
    }

    #[test]
    fn empty_inputs_can_be_mutated() {
        let mut mutator = Mutator::new(0);
        assert!(
            (0..100).any(|_| !mutator.mutate(b"", b"", &[]).is_empty() || !mutator.mutate(b"", b"a", &[]).is_empty())
        );
    }
}
