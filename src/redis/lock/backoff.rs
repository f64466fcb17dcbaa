//! The pause between two attempts to acquire a lock.

use crate::time::Millis;

/// Returns the pause after attempt number `attempt` (from 0): 1 ms up to a ceiling, chosen by `random`.
///
/// The ceiling doubles with each attempt, up to one second ("full jitter": Marc Brooker, "Exponential Backoff
/// And Jitter", AWS Architecture Blog, 2015). It does not go far beyond the end of the current lease, when the
/// lock becomes free.
pub(super) fn pause(attempt: u32, free_in: Option<Millis>, random: u64) -> Millis {
    let doubled = FIRST.checked_shl(attempt).filter(|ceiling| *ceiling >= FIRST).unwrap_or(LONGEST);
    let free_in = free_in.map_or(LONGEST, |free_in| free_in.get().saturating_add(FIRST));
    let ceiling = doubled.min(free_in).min(LONGEST);
    // The upper 64 bits of the product scale `random` down to 0 .. ceiling.
    let scaled = (u128::from(random) * u128::from(ceiling)) >> 64;
    Millis::new(1 + u64::try_from(scaled).unwrap_or(0))
}

/// The first ceiling, in milliseconds: a few round trips.
const FIRST: u64 = 16;

/// The highest ceiling, in milliseconds: the longest time for which a free lock may go unnoticed.
const LONGEST: u64 = 1000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ceiling_doubles_up_to_a_second() {
        let ceilings = [0, 1, 2, 5, 6, 60, 64, u32::MAX].map(|attempt| pause(attempt, None, u64::MAX).get());
        assert_eq!(ceilings, [16, 32, 64, 512, 1000, 1000, 1000, 1000]);
    }

    #[test]
    fn ceiling_follows_the_end_of_the_current_lease() {
        let at_most = |free_in| pause(9, Some(Millis::new(free_in)), u64::MAX).get();
        assert_eq!([0, 100, 5000, u64::MAX].map(at_most), [16, 116, 1000, 1000]);
    }

    proptest! {
        #[test]
        fn pauses_are_spread_evenly_up_to_the_ceiling(
            attempt in 0_u32..200,
            free_in in prop::option::of(any::<u64>()),
            random in any::<u64>(),
        ) {
            let free_in = free_in.map(Millis::new);
            let [least, chosen, most] = [0, random, u64::MAX].map(|random| pause(attempt, free_in, random).get());
            prop_assert_eq!(least, 1);
            prop_assert!(chosen <= most && (FIRST..=LONGEST).contains(&most));
            let (half, below) = (1_u64 << 63, (most - 1) / 2);
            prop_assert!((below..=below + 2).contains(&pause(attempt, free_in, half).get()), "even");
        }
    }
}
