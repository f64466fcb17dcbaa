//! The Redis keys of a lock.
//!
//! The keys are `sg:1:{lock:NAME}`, alone and with the suffix `:fence`, `:value:VALUE` or `:newest:VALUE`. They
//! share one Redis Cluster hash tag, so that all keys of a call are in one slot. Names are percent-encoded like
//! subjects, so no name can collide with another lock's keys.

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

    /// Returns the key of the current holder.
    pub(super) fn lock(&self) -> String {
        self.lock.clone()
    }

    /// Returns the key of the newest issued token.
    pub(super) fn fence(&self) -> String {
        format!("{}:fence", self.lock)
    }

    /// Returns the key of a value guarded by the lock.
    pub(super) fn value(&self, name: &str) -> String {
        format!("{}:value:{}", self.lock, Subject::named(name).as_str())
    }

    /// Returns the key of the newest token that wrote this value.
    pub(super) fn newest(&self, name: &str) -> String {
        format!("{}:newest:{}", self.lock, Subject::named(name).as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_keep_their_format() {
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
        fn keys_are_distinct_and_share_one_hash_tag(names in prop::collection::hash_set("[a-c:{}]{0,4}|fence|newest:a|\\PC", 1..8)) {
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
