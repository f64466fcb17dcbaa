//! What is kept of an API key.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The SHA-256 of an API key's whole text.
///
/// A key has 160 random bits, so neither salt nor a slow hash would add anything: there is nothing to guess.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The digest of a key's text.
    pub(super) fn of(text: &str) -> Self {
        KeyDigest(sha256(text))
    }

    /// Reads 64 lower-case hexadecimal digits.
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

    /// Whether both are of the same key, in a time that does not depend on where they differ.
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

/// The SHA-256 of a text.
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
    fn hex_is_exact() {
        assert_eq!(KeyDigest::of("abc").to_string(), ABC);
        assert_eq!(KeyDigest::from_hex(ABC), Some(KeyDigest::of("abc")));
        for bad in ["", "ba", &ABC.to_uppercase(), &ABC[1..], &format!("{ABC}00"), &ABC.replace('b', "g")] {
            assert_eq!(KeyDigest::from_hex(bad), None, "{bad}");
        }
        // Two bytes a character: no character is cut.
        assert_eq!(KeyDigest::from_hex(&"é".repeat(32)), None);
    }

    proptest! {
        #[test]
        fn only_the_same_bytes_match(bytes: [u8; 32], place in 0_usize..32, flip in 1_u8..) {
            let mut other = bytes;
            other[place] ^= flip;
            prop_assert!(KeyDigest(bytes).matches(&KeyDigest(bytes)));
            prop_assert!(!KeyDigest(bytes).matches(&KeyDigest(other)));
        }

        #[test]
        fn hex_reads_back(bytes: [u8; 32]) {
            prop_assert_eq!(KeyDigest::from_hex(&KeyDigest(bytes).to_string()), Some(KeyDigest(bytes)));
        }
    }
}
