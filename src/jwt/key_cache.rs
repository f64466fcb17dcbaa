//! The public keys of this isolate, and when to fetch them again.
//!
//! Keys are fresh for [`FRESH_FOR`]. After that, one request has them fetched again, while all others go on with what
//! is there. If that fails, the old keys are used for [`STALE_FOR`] more. A key id that the set does not have may be
//! newer than the set, so the set is fetched at once; but what clients send leads to no more than one fetch in
//! [`PAUSE`], whatever ids they make up. So no id needs to be remembered.

use std::sync::Arc;

use crate::config::jwt::{KeySet, SignatureAlgorithm, VerificationKey};
use crate::time::Millis;

/// The public keys of this isolate.
#[derive(Debug)]
pub struct KeyCache {
    keys: Option<Keys>,
    /// Whether the keys never change: they come from a variable.
    is_fixed: bool,
    /// When the fetch began that is under way, if one is.
    fetching_since: Option<Millis>,
    /// The end of the last fetch.
    last_fetch: Option<LastFetch>,
}

#[derive(Debug)]
struct Keys {
    set: KeySet,
    fetched_at: Millis,
}

#[derive(Debug)]
struct LastFetch {
    ended: Millis,
    /// Why it failed, if it did.
    error: Option<String>,
}

/// The keys that may have made a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyLookup {
    /// These may have. With `refresh`, the caller must fetch the keys again, after its request.
    Found {
        /// The keys.
        keys: Vec<Arc<VerificationKey>>,
        /// Whether the caller must begin a fetch.
        refresh: bool,
    },
    /// A fetch is under way, or must begin: ask again when it has ended.
    Wait {
        /// Whether the caller must begin the fetch. No other caller will, until [`KeyCache::fetched`].
        begin: bool,
    },
    /// No key may have: the set is current and does not have one.
    Unknown,
    /// The keys cannot be fetched. They are not fetched again within this time.
    Unavailable(Millis),
}

/// The state of the keys, for an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// The number of usable keys.
    pub keys: usize,
    /// The time since they were fetched; `None` if they come from a variable, or were not fetched yet.
    pub age: Option<Millis>,
    /// Why the last fetch failed, if it did.
    pub error: Option<String>,
}

impl KeyCache {
    /// Creates a cache whose keys must be fetched.
    #[must_use]
    pub fn empty() -> Self {
        KeyCache { keys: None, is_fixed: false, fetching_since: None, last_fetch: None }
    }

    /// Creates a cache of keys that never change.
    #[must_use]
    pub fn fixed(set: KeySet) -> Self {
        let keys = Some(Keys { set, fetched_at: Millis::ZERO });
        KeyCache { keys, is_fixed: true, fetching_since: None, last_fetch: None }
    }

    /// Looks up the keys that may have made a signature.
    pub fn lookup(&mut self, algorithm: SignatureAlgorithm, kid: Option<&str>, now: Millis) -> KeyLookup {
        let (is_fresh, keys) = match &self.keys {
            Some(keys) if self.is_fixed => (true, keys.set.candidates(algorithm, kid)),
            Some(keys) => match elapsed(keys.fetched_at, now) {
                age if age < FRESH_FOR => (true, keys.set.candidates(algorithm, kid)),
                age if age.get() < FRESH_FOR.get() + STALE_FOR.get() => (false, keys.set.candidates(algorithm, kid)),
                _ => (false, Vec::new()),
            },
            None => (false, Vec::new()),
        };
        if !keys.is_empty() {
            return KeyLookup::Found { keys, refresh: !is_fresh && self.begin(now) };
        }
        if self.is_fixed {
            return KeyLookup::Unknown;
        }
        if self.begin(now) {
            return KeyLookup::Wait { begin: true };
        }
        match &self.last_fetch {
            _ if self.is_fetching(now) => KeyLookup::Wait { begin: false },
            Some(LastFetch { ended, error: Some(_) }) => {
                KeyLookup::Unavailable(Millis::new(PAUSE.get().saturating_sub(elapsed(*ended, now).get())))
            }
            _ => KeyLookup::Unknown,
        }
    }

    /// Ends a fetch: with the keys, or the reason why there are none.
    pub fn fetched(&mut self, result: Result<KeySet, String>, now: Millis) {
        self.fetching_since = None;
        let error = match result {
            Ok(set) => {
                self.keys = Some(Keys { set, fetched_at: now });
                None
            }
            Err(error) => Some(error),
        };
        self.last_fetch = Some(LastFetch { ended: now, error });
    }

    /// Returns the state of the keys.
    #[must_use]
    pub fn status(&self, now: Millis) -> KeyStatus {
        KeyStatus {
            keys: self.keys.as_ref().map_or(0, |keys| keys.set.len()),
            age: self.keys.as_ref().filter(|_| !self.is_fixed).map(|keys| elapsed(keys.fetched_at, now)),
            error: self.last_fetch.as_ref().and_then(|last| last.error.clone()),
        }
    }

    /// Begins a fetch, unless one is under way or ended a moment ago.
    fn begin(&mut self, now: Millis) -> bool {
        let may =
            !self.is_fetching(now) && self.last_fetch.as_ref().is_none_or(|last| elapsed(last.ended, now) >= PAUSE);
        if may {
            self.fetching_since = Some(now);
        }
        may
    }

    /// Returns whether a fetch is under way. One whose request the runtime has ended never reports its end.
    pub(super) fn is_fetching(&self, now: Millis) -> bool {
        self.fetching_since.is_some_and(|since| elapsed(since, now) < GIVEN_UP_AFTER)
    }
}

/// Returns the time since `start`. A clock that was set back by more than a second ends every interval.
fn elapsed(start: Millis, now: Millis) -> Millis {
    match now.get().checked_sub(start.get()) {
        Some(elapsed) => Millis::new(elapsed),
        None if start.get() - now.get() <= 1000 => Millis::ZERO,
        None => Millis::new(u64::MAX),
    }
}

/// How long keys are used without asking for newer ones: a key that its issuer withdraws is refused after this time.
const FRESH_FOR: Millis = Millis::from_secs(600);

/// How much longer they are used while they cannot be fetched.
const STALE_FOR: Millis = Millis::from_secs(3600);

/// The least time between two fetches. A key that its issuer uses at once after publishing it may be refused for this long.
const PAUSE: Millis = Millis::from_secs(5);

/// The longest time that a fetch may take. Requests do not wait that long.
pub const FETCH_TIMEOUT: Millis = Millis::from_secs(5);

/// When a fetch that has not ended is taken for lost.
const GIVEN_UP_AFTER: Millis = Millis::from_secs(7);

#[cfg(test)]
mod tests;
