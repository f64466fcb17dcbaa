//! The digest of an API key: all that is stored of it.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of the complete text of an API key.
///
/// A key has 160 random bits and cannot be guessed, so neither a salt nor a slow hash would add security.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Returns the digest of a key's text.
    pub(super) fn of(text: &str) -> Self {
        KeyDigest(sha256(text))
    }

    /// Parses 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = digits else { return None };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(KeyDigest(bytes))
    }

    /// Returns whether both digests are equal, in constant time.
    #[must_use]
    pub fn matches(&self, other: &KeyDigest) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Display for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyDigest({self})")
    }
}

impl Serialize for KeyDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns the SHA-256 of a text.
pub(super) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Writes bytes as lower-case hexadecimal digits.
pub(super) fn write_hex(out: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn only_64_lower_case_hex_digits_are_a_digest() {
        assert_eq!(KeyDigest::of("abc").to_string(), ABC);
        assert_eq!(KeyDigest::from_hex(ABC), Some(KeyDigest::of("abc")));
        for bad in ["", "ba", &ABC.to_uppercase(), &ABC[1..], &format!("{ABC}00"), &ABC.replace('b', "g")] {
            assert_eq!(KeyDigest::from_hex(bad), None, "{bad}");
        }
        // Each character has two bytes: none is split.
        assert_eq!(KeyDigest::from_hex(&"é".repeat(32)), None);
    }

    proptest! {
        #[test]
        fn only_equal_digests_match(bytes: [u8; 32], place in 0_usize..32, flip in 1_u8..) {
            let mut other = bytes;
            other[place] ^= flip;
            prop_assert!(KeyDigest(bytes).matches(&KeyDigest(bytes)));
            prop_assert!(!KeyDigest(bytes).matches(&KeyDigest(other)));
        }

        #[test]
        fn hex_round_trips(bytes: [u8; 32]) {
            prop_assert_eq!(KeyDigest::from_hex(&KeyDigest(bytes).to_string()), Some(KeyDigest(bytes)));
        }
    }
}
