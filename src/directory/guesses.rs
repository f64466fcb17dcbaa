//! Who tries API keys that nobody has: a client may ask for so many unknown ones, then it has to wait.
//!
//! What is asked costs a round trip to Redis each time, so this counts in memory, before Redis is asked. Questions
//! that are under way count like wrong ones until they are answered: many at once are no way around.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::subject::Subject;
use crate::time::Millis;

/// The wrong keys of each client, lately.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    clients: RefCell<HashMap<Subject, Client>>,
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

/// A question under way.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    guesses: &'a Guesses,
    client: &'a Subject,
}

impl Guesses {
    /// Lets a client ask, or tells how long it has to wait.
    pub(super) fn ask<'a>(&'a self, client: &'a Subject, now: Millis) -> Result<Asking<'a>, Millis> {
        let mut clients = self.clients.borrow_mut();
        if clients.len() >= MOST_CLIENTS && !clients.contains_key(client) {
            clients.retain(|_, client| client.asking > 0 || client.debt_at(now) > 0);
            if clients.len() >= MOST_CLIENTS {
                return Err(FORGIVEN_EVERY);
            }
        }
        let found = clients.entry(client.clone()).or_default();
        let debt = found.debt_at(now) + (found.asking + 1) * FORGIVEN_EVERY.get();
        let most = AT_ONCE * FORGIVEN_EVERY.get();
        if debt > most {
            return Err(Millis::new(debt - most));
        }
        found.asking += 1;
        Ok(Asking { guesses: self, client })
    }
}

impl Asking<'_> {
    /// The key was wrong: this counts until time forgives it.
    pub(super) fn was_wrong(self, now: Millis) {
        if let Some(client) = self.guesses.clients.borrow_mut().get_mut(self.client) {
            client.debt = client.debt_at(now) + FORGIVEN_EVERY.get();
            client.at = client.at.max(now);
        }
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

/// A client takes about a hundred bytes.
const MOST_CLIENTS: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client(name: &str) -> Subject {
        Subject::named(name)
    }

    #[test]
    fn wrong_keys_run_out_and_come_back() {
        let (guesses, mallory, bob) = (Guesses::default(), client("mallory"), client("bob"));
        let now = Millis::new(1_000_000);
        for _ in 0..AT_ONCE {
            guesses.ask(&mallory, now).unwrap().was_wrong(now);
        }
        assert_eq!(guesses.ask(&mallory, now).unwrap_err(), FORGIVEN_EVERY);
        assert!(guesses.ask(&bob, now).is_ok(), "another client is not held up");
        let later = Millis::new(now.get() + FORGIVEN_EVERY.get());
        assert!(guesses.ask(&mallory, Millis::new(later.get() - 1)).is_err());
        guesses.ask(&mallory, later).unwrap().was_wrong(later);
        assert!(guesses.ask(&mallory, later).is_err());
    }

    #[test]
    fn right_keys_cost_nothing() {
        let (guesses, client) = (Guesses::default(), client("proxy"));
        for ms in 1..10 * AT_ONCE {
            drop(guesses.ask(&client, Millis::new(ms)).unwrap());
        }
    }

    #[test]
    fn questions_under_way_count() {
        let (guesses, client, now) = (Guesses::default(), client("mallory"), Millis::new(1));
        let mut asking: Vec<_> = (0..AT_ONCE).map(|_| guesses.ask(&client, now).unwrap()).collect();
        assert!(guesses.ask(&client, now).is_err());
        asking.pop();
        assert!(guesses.ask(&client, now).is_ok(), "one was right");
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_no_clock_makes_it_panic(times in prop::collection::vec(any::<u64>(), 0..40)) {
            let (guesses, client) = (Guesses::default(), client("x"));
            for now in times {
                if let Ok(asking) = guesses.ask(&client, Millis::new(now)) {
                    asking.was_wrong(Millis::new(now));
                }
            }
            prop_assert!(guesses.clients.borrow().len() <= 1);
        }
    }
}
