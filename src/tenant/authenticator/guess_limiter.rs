//! Limits how many unknown API keys a client may try.
//!
//! The first use of an unknown key costs a round trip to Redis, so the limit is in memory and applies before
//! that. Valid keys cost nothing, however often they are used.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::limit::Subject;
use crate::tenant::key_digest::KeyDigest;
use crate::time::Millis;

/// A token bucket of failed attempts for each client, and the keys that were recently unknown.
#[derive(Debug, Default)]
pub(super) struct GuessLimiter {
    clients: RefCell<HashMap<Subject, Client>>,
    /// The unknown keys, and until when each is remembered.
    unknown: RefCell<HashMap<KeyDigest, Millis>>,
}

/// The token bucket and the lookups of one client.
#[derive(Debug, Clone, Copy, Default)]
struct Client {
    /// The tokens missing from the full bucket, as the time in milliseconds that it takes to refill them.
    debt: u64,
    /// The time at which `debt` was computed.
    at: Millis,
    /// The lookups that wait for Redis.
    in_flight: u64,
}

/// Why a client may not look up a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denial {
    /// The client has tried too many unknown keys, and may retry after this time.
    TooManyGuesses(Millis),
    /// Too many lookups of the client are waiting for Redis.
    TooManyLookups,
}

/// A lookup in flight. Dropping it ends the lookup.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    limiter: &'a GuessLimiter,
    client: &'a Subject,
}

impl GuessLimiter {
    /// Returns whether this key was recently unknown.
    pub(super) fn is_known_wrong(&self, key: &KeyDigest, now: Millis) -> bool {
        self.unknown.borrow().get(key).is_some_and(|until| now < *until)
    }

    /// Begins a lookup by `client`, unless it is over its limits.
    pub(super) fn begin<'a>(&'a self, client: &'a Subject, now: Millis) -> Result<Attempt<'a>, Denial> {
        let mut clients = self.clients.borrow_mut();
        if clients.len() >= MAX_CLIENTS && !clients.contains_key(client) {
            // An attacker with this many addresses is not stopped by a limit on each.
            clients.retain(|_, client| client.in_flight > 0);
        }
        let state = clients.entry(client.clone()).or_default();
        let (debt, max_debt) = (state.debt_at(now), BURST * REFILL_EVERY.get());
        if debt + REFILL_EVERY.get() > max_debt {
            return Err(Denial::TooManyGuesses(Millis::new(debt + REFILL_EVERY.get() - max_debt)));
        }
        if state.in_flight >= MAX_IN_FLIGHT {
            return Err(Denial::TooManyLookups);
        }
        state.in_flight += 1;
        Ok(Attempt { limiter: self, client })
    }
}

impl Attempt<'_> {
    /// Charges the client for an unknown key, and remembers the key as unknown for `remember_for`.
    pub(super) fn failed(self, key: KeyDigest, now: Millis, remember_for: Millis) {
        if let Some(client) = self.limiter.clients.borrow_mut().get_mut(self.client) {
            client.debt = client.debt_at(now).saturating_add(REFILL_EVERY.get());
            client.at = client.at.max(now);
        }
        let mut unknown = self.limiter.unknown.borrow_mut();
        if unknown.len() >= MAX_KEYS {
            unknown.retain(|_, until| now < *until);
            if unknown.len() >= MAX_KEYS {
                unknown.clear();
            }
        }
        unknown.insert(key, now.saturating_add(remember_for));
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.limiter.clients.borrow_mut().get_mut(self.client) {
            client.in_flight = client.in_flight.saturating_sub(1);
        }
    }
}

impl Client {
    fn debt_at(self, now: Millis) -> u64 {
        self.debt.saturating_sub(now.get().saturating_sub(self.at.get()))
    }
}

/// Unknown keys that a client may try at once: enough for an office behind one address right after a key
/// rotation.
const BURST: u64 = 30;

/// The time after which a client may try one more unknown key.
const REFILL_EVERY: Millis = Millis::from_secs(2);

/// Lookups of one client that may wait for Redis at once: more than a busy server sends to a new isolate.
const MAX_IN_FLIGHT: u64 = 200;

/// Clients in memory, at about 100 bytes each.
const MAX_CLIENTS: usize = 20_000;

/// Unknown keys in memory, at about 100 bytes each.
const MAX_KEYS: usize = 10_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tenant::api_key::ApiKey;
    use crate::tenant::id::TenantId;

    fn client(name: &str) -> Subject {
        Subject::named(name)
    }

    fn key(number: u64) -> KeyDigest {
        let mut random = [0; 20];
        random[..8].copy_from_slice(&number.to_be_bytes());
        ApiKey::generate(&TenantId::new("acme").unwrap(), random).digest()
    }

    const REMEMBER_FOR: Millis = Millis::from_secs(30);

    #[test]
    fn guesses_are_limited_and_refill() {
        let (limiter, mallory, bob) = (GuessLimiter::default(), client("mallory"), client("bob"));
        let now = Millis::new(1_000_000);
        for number in 0..BURST {
            limiter.begin(&mallory, now).unwrap().failed(key(number), now, REMEMBER_FOR);
        }
        assert_eq!(limiter.begin(&mallory, now).unwrap_err(), Denial::TooManyGuesses(REFILL_EVERY));
        assert!(limiter.begin(&bob, now).is_ok(), "another client is not limited");
        let later = Millis::new(now.get() + REFILL_EVERY.get());
        assert!(limiter.begin(&mallory, Millis::new(later.get() - 1)).is_err());
        limiter.begin(&mallory, later).unwrap().failed(key(0), later, REMEMBER_FOR);
        assert!(limiter.begin(&mallory, later).is_err());
    }

    #[test]
    fn unknown_keys_are_remembered_for_a_while() {
        let (limiter, mallory, now) = (GuessLimiter::default(), client("mallory"), Millis::new(5));
        assert!(!limiter.is_known_wrong(&key(1), now));
        limiter.begin(&mallory, now).unwrap().failed(key(1), now, REMEMBER_FOR);
        assert!(limiter.is_known_wrong(&key(1), Millis::new(now.get() + REMEMBER_FOR.get() - 1)));
        assert!(!limiter.is_known_wrong(&key(1), Millis::new(now.get() + REMEMBER_FOR.get())));
        assert!(!limiter.is_known_wrong(&key(2), now));
    }

    #[test]
    fn valid_keys_cost_nothing() {
        let (limiter, client) = (GuessLimiter::default(), client("proxy"));
        for ms in 1..10 * BURST {
            drop(limiter.begin(&client, Millis::new(ms)).unwrap());
        }
        let in_flight: Vec<_> = (0..MAX_IN_FLIGHT).map(|_| limiter.begin(&client, Millis::new(1)).unwrap()).collect();
        assert_eq!(limiter.begin(&client, Millis::new(1)).unwrap_err(), Denial::TooManyLookups);
        drop(in_flight);
        assert!(limiter.begin(&client, Millis::new(1)).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let (limiter, now) = (GuessLimiter::default(), Millis::new(1));
        for number in 0..30_000 {
            let client = client(&number.to_string());
            limiter.begin(&client, now).unwrap().failed(key(number), now, REMEMBER_FOR);
        }
        assert!(limiter.clients.borrow().len() <= MAX_CLIENTS && limiter.unknown.borrow().len() <= MAX_KEYS);
    }

    proptest! {
        #[test]
        fn no_clock_causes_a_panic(times in prop::collection::vec(any::<u64>(), 0..40)) {
            let (limiter, client) = (GuessLimiter::default(), client("x"));
            for now in times {
                if let Ok(in_flight) = limiter.begin(&client, Millis::new(now)) {
                    in_flight.failed(key(now), Millis::new(now), REMEMBER_FOR);
                }
            }
            prop_assert!(limiter.clients.borrow().len() <= 1);
        }
    }
}
