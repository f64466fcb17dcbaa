//! How a lock's keys are spelled.
//!
//! All carry one Redis Cluster hash tag, so that every key of one call is in one slot:
//! `sg:1:{lock:NAME}`, and with a suffix `:fence`, `:value:VALUE`, `:newest:VALUE`. Names are
//! percent-encoded as subjects are, so no name can reach into another's keys.

use crate::limit::Subject;

/// The keys of one lock.
#[derive(Debug)]
pub(super) struct Keys {
    lock: String,
}

impl Keys {
    pub(super) fn of(name: &str) -> Self {
        Keys { lock: Subject::named(&format!("lock:{name}")).state_key() }
    }

    /// Who holds the lock.
    pub(super) fn lock(&self) -> String {
        self.lock.clone()
    }

    /// The newest token that was handed out.
    pub(super) fn fence(&self) -> String {
        format!("{}:fence", self.lock)
    }

    /// A value that the lock guards.
    pub(super) fn value(&self, name: &str) -> String {
        format!("{}:value:{}", self.lock, Subject::named(name).as_str())
    }

    /// The newest token that wrote this value.
    pub(super) fn newest(&self, name: &str) -> String {
        format!("{}:newest:{}", self.lock, Subject::named(name).as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_spelling_is_kept() {
        let keys = Keys::of("nightly report");
        assert_eq!(
            [keys.lock(), keys.fence(), keys.value("a{b}"), keys.newest("a:b")],
            [
                "sg:1:{lock:nightly%20report}",
                "sg:1:{lock:nightly%20report}:fence",
                "sg:1:{lock:nightly%20report}:value:a%7Bb%7D",
                "sg:1:{lock:nightly%20report}:newest:a:b",
            ]
        );
    }

    proptest! {
        #[test]
        fn no_two_keys_are_one(names in prop::collection::hash_set("[a-c:{}]{0,4}|fence|newest:a|\\PC", 1..8)) {
            let mut all = Vec::new();
            for name in &names {
                let keys = Keys::of(name);
                all.extend([keys.lock(), keys.fence()]);
                for value in &names {
                    all.extend([keys.value(value), keys.newest(value)]);
                }
            }
            let count = all.len();
            all.sort();
            all.dedup();
            prop_assert_eq!(all.len(), count);
            let one_tag = all.iter().all(|key| key.matches(['{', '}']).count() == 2);
            prop_assert!(one_tag);
        }
    }
}
