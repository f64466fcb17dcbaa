//! Who tries API keys that nobody has: a client may show so many wrong ones, then it has to wait.
//!
//! A wrong key costs a round trip to Redis when it is seen for the first time, so this counts in memory, before Redis
//! is asked. A key that is right costs nothing, however often it is shown.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::limit::Subject;
use crate::tenant::key_digest::KeyDigest;
use crate::time::Millis;

/// The wrong keys of each client, lately, and the keys themselves.
#[derive(Debug, Default)]
pub(super) struct GuessLimiter {
    clients: RefCell<HashMap<Subject, Client>>,
    wrong: RefCell<HashMap<KeyDigest, Millis>>,
}

/// A token bucket, counted from the other side, and the questions under way.
#[derive(Debug, Clone, Copy, Default)]
struct Client {
    /// Wrong keys, less those that time has forgiven, in milliseconds of forgiving.
    debt: u64,
    /// When that was so.
    at: Millis,
    asking: u64,
}

/// Why a client may not ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// It has shown too many wrong keys. It may ask again after this time.
    Guessing(Millis),
    /// So many of its questions wait for Redis that one more would not be answered either.
    TooManyLookups,
}

/// A question under way.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    guesses: &'a GuessLimiter,
    client: &'a Subject,
}

impl GuessLimiter {
    /// Whether this key was found wrong lately.
    pub(super) fn is_wrong(&self, key: &KeyDigest, now: Millis) -> bool {
        self.wrong.borrow().get(key).is_some_and(|until| now < *until)
    }

    /// Lets a client ask, or says why not.
    pub(super) fn ask<'a>(&'a self, client: &'a Subject, now: Millis) -> Result<Asking<'a>, Held> {
        let mut clients = self.clients.borrow_mut();
        if clients.len() >= MOST_CLIENTS && !clients.contains_key(client) {
            // Whoever comes from so many addresses is not held up by any one of them.
            clients.retain(|_, client| client.asking > 0);
        }
        let found = clients.entry(client.clone()).or_default();
        let (debt, most) = (found.debt_at(now), AT_ONCE * FORGIVEN_EVERY.get());
        if debt + FORGIVEN_EVERY.get() > most {
            return Err(Held::Guessing(Millis::new(debt + FORGIVEN_EVERY.get() - most)));
        }
        if found.asking >= UNDER_WAY {
            return Err(Held::TooManyLookups);
        }
        found.asking += 1;
        Ok(Asking { guesses: self, client })
    }
}

impl Asking<'_> {
    /// The key was wrong: this counts until time forgives it, and the key is remembered for `memory`.
    pub(super) fn was_wrong(self, key: KeyDigest, now: Millis, memory: Millis) {
        if let Some(client) = self.guesses.clients.borrow_mut().get_mut(self.client) {
            client.debt = client.debt_at(now).saturating_add(FORGIVEN_EVERY.get());
            client.at = client.at.max(now);
        }
        let mut wrong = self.guesses.wrong.borrow_mut();
        if wrong.len() >= MOST_KEYS {
            wrong.retain(|_, until| now < *until);
            if wrong.len() >= MOST_KEYS {
                wrong.clear();
            }
        }
        wrong.insert(key, Millis::new(now.get().saturating_add(memory.get())));
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.guesses.clients.borrow_mut().get_mut(self.client) {
            client.asking = client.asking.saturating_sub(1);
        }
    }
}

impl Client {
    fn debt_at(self, now: Millis) -> u64 {
        self.debt.saturating_sub(now.get().saturating_sub(self.at.get()))
    }
}

/// Wrong keys that a client may show at once: enough for a whole office behind one address that has just been given
/// new keys.
const AT_ONCE: u64 = 30;

/// One wrong key is forgiven so often.
const FORGIVEN_EVERY: Millis = Millis::from_secs(2);

/// Questions of one client that may wait for Redis at the same time: more than a busy server sends to a new isolate.
const UNDER_WAY: u64 = 200;

/// A client takes about a hundred bytes.
const MOST_CLIENTS: usize = 20_000;

/// A key takes about a hundred bytes.
const MOST_KEYS: usize = 10_000;

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

    const MEMORY: Millis = Millis::from_secs(30);

    #[test]
    fn wrong_keys_run_out_and_come_back() {
        let (guesses, mallory, bob) = (GuessLimiter::default(), client("mallory"), client("bob"));
        let now = Millis::new(1_000_000);
        for number in 0..AT_ONCE {
            guesses.ask(&mallory, now).unwrap().was_wrong(key(number), now, MEMORY);
        }
        assert_eq!(guesses.ask(&mallory, now).unwrap_err(), Held::Guessing(FORGIVEN_EVERY));
        assert!(guesses.ask(&bob, now).is_ok(), "another client is not held up");
        let later = Millis::new(now.get() + FORGIVEN_EVERY.get());
        assert!(guesses.ask(&mallory, Millis::new(later.get() - 1)).is_err());
        guesses.ask(&mallory, later).unwrap().was_wrong(key(0), later, MEMORY);
        assert!(guesses.ask(&mallory, later).is_err());
    }

    #[test]
    fn a_wrong_key_is_remembered_for_a_while() {
        let (guesses, mallory, now) = (GuessLimiter::default(), client("mallory"), Millis::new(5));
        assert!(!guesses.is_wrong(&key(1), now));
        guesses.ask(&mallory, now).unwrap().was_wrong(key(1), now, MEMORY);
        assert!(guesses.is_wrong(&key(1), Millis::new(now.get() + MEMORY.get() - 1)));
        assert!(!guesses.is_wrong(&key(1), Millis::new(now.get() + MEMORY.get())));
        assert!(!guesses.is_wrong(&key(2), now));
    }

    #[test]
    fn right_keys_cost_nothing() {
        let (guesses, client) = (GuessLimiter::default(), client("proxy"));
        for ms in 1..10 * AT_ONCE {
            drop(guesses.ask(&client, Millis::new(ms)).unwrap());
        }
        let asking: Vec<_> = (0..UNDER_WAY).map(|_| guesses.ask(&client, Millis::new(1)).unwrap()).collect();
        assert_eq!(guesses.ask(&client, Millis::new(1)).unwrap_err(), Held::TooManyLookups);
        drop(asking);
        assert!(guesses.ask(&client, Millis::new(1)).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let (guesses, now) = (GuessLimiter::default(), Millis::new(1));
        for number in 0..30_000 {
            let client = client(&number.to_string());
            guesses.ask(&client, now).unwrap().was_wrong(key(number), now, MEMORY);
        }
        assert!(guesses.clients.borrow().len() <= MOST_CLIENTS && guesses.wrong.borrow().len() <= MOST_KEYS);
    }

    proptest! {
        #[test]
        fn no_clock_makes_it_panic(times in prop::collection::vec(any::<u64>(), 0..40)) {
            let (guesses, client) = (GuessLimiter::default(), client("x"));
            for now in times {
                if let Ok(asking) = guesses.ask(&client, Millis::new(now)) {
                    asking.was_wrong(key(now), Millis::new(now), MEMORY);
                }
            }
            prop_assert!(guesses.clients.borrow().len() <= 1);
        }
    }
}
