//! Subjects that are named by something else than an address or a tenant id: the subject of a token, the value of a header.
//!
//! Each kind has names of its own, so no value equals a tenant id, which has no `:`, or an address (`ip:…`). A long value is
//! replaced by its SHA-256, under names that no short value has.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::subject::Subject;

impl Subject {
    /// Returns the subject that a token names: `jwt:alice`.
    #[must_use]
    pub fn token(name: &str) -> Self {
        Subject::of_value("jwt", name)
    }

    /// Returns the subject that a header names, whose name is in lower case: `header:x-user:alice`.
    #[must_use]
    pub fn header(header: &str, value: &str) -> Self {
        Subject::of_value(&format!("header:{header}"), value)
    }

    fn of_value(kind: &str, value: &str) -> Self {
        let short = Subject::named(&format!("{kind}:{value}"));
        if short.as_str().len() <= MAX_BYTES {
            return short;
        }
        let mut name = format!("sha256:{kind}:");
        for byte in Sha256::digest(value.as_bytes()) {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        Subject::named(&name)
    }
}

/// The longest subject, in bytes, encoded. An email address has up to 254 characters, most far fewer.
const MAX_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_has_names_of_its_own() {
        for (subject, expected) in [
            (Subject::token("alice"), "jwt:alice"),
            (Subject::token("auth0|é{x}"), "jwt:auth0%7C%C3%A9%7Bx%7D"),
            (Subject::header("x-user", "alice"), "header:x-user:alice"),
            (Subject::header("x_user", "a:b"), "header:x_user:a:b"),
        ] {
            assert_eq!(subject.as_str(), expected);
        }
        assert_eq!(Subject::token("auth0|é{x}"), Subject::named("jwt:auth0|é{x}"), "as the API names it");
        let long = Subject::token(&"x".repeat(300));
        assert!(long.as_str().starts_with("sha256:jwt:") && long.as_str().len() == 75, "{}", long.as_str());
        let (a, b) = ("x".repeat(9000), format!("{}y", "x".repeat(8999)));
        assert_ne!(Subject::token(&a), Subject::token(&b));
        assert_ne!(Subject::token(&a), Subject::header("x", &a));
    }

    proptest! {
        #[test]
        fn different_values_are_different_subjects(a in "\\PC{0,300}", b in "\\PC{0,300}") {
            prop_assert_eq!(a == b, Subject::token(&a) == Subject::token(&b));
            prop_assert!(Subject::token(&a) != Subject::header("h", &b));
            prop_assert!(Subject::token(&a).as_str().len() <= MAX_BYTES);
            prop_assert!(Subject::token(&a).as_str().contains(':') && !Subject::token(&a).as_str().starts_with("ip:"));
        }
    }
}
