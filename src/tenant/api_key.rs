//! An API key, as a client sends it.

use std::fmt;

use super::id::TenantId;
use super::key_digest::{KeyDigest, sha256};
use crate::config::KEY_PREFIX;

/// An API key, `sgk_TENANT_SECRET`, hidden from `Debug`.
///
/// The secret has 33 base62 digits (`0-9 A-Z a-z`): 27 for 160 random bits, then 6 for a checksum, which is the
/// first 32 bits of the SHA-256 of everything before it. So mistyped and made-up keys are found without calling
/// Redis, and a scanner for leaked secrets needs only one pattern:
/// `sgk_[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?_[0-9A-Za-z]{33}`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    tenant: TenantId,
    text: String,
}

impl ApiKey {
    /// Creates a key of `tenant` from random bytes.
    #[must_use]
    pub fn generate(tenant: &TenantId, random: [u8; 20]) -> Self {
        let mut text = format!("{KEY_PREFIX}{tenant}_");
        push_base62(&mut text, random, RANDOM_DIGITS);
        push_checksum(&mut text);
        ApiKey { tenant: tenant.clone(), text }
    }

    /// Parses a key and verifies its checksum. [`Tenant::key_status`](super::Tenant::key_status) checks whether
    /// the tenant has it.
    ///
    /// # Errors
    /// Fails if the text is not a key. The error never contains the text.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let (tenant, secret) =
            text.strip_prefix(KEY_PREFIX).and_then(|rest| rest.split_once('_')).ok_or(InvalidKey::Shape)?;
        let tenant = TenantId::new(tenant).map_err(|_| InvalidKey::Tenant)?;
        if secret.len() != RANDOM_DIGITS + CHECKSUM_DIGITS || !secret.bytes().all(|byte| BASE62.contains(&byte)) {
            return Err(InvalidKey::Secret);
        }
        let mut checked = text.get(..text.len() - CHECKSUM_DIGITS).unwrap_or_default().to_owned();
        push_checksum(&mut checked);
        if checked != text {
            return Err(InvalidKey::Checksum);
        }
        Ok(ApiKey { tenant, text: checked })
    }

    /// Returns the tenant named in the key.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Returns the digest of the key, which is all that is stored of it.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(&self.text)
    }

    /// Returns the key's text, which is secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({KEY_PREFIX}{}_…)", self.tenant)
    }
}

/// Why a text is not an API key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// The text does not have the parts of a key.
    #[error("expected an API key like sgk_TENANT_SECRET")]
    Shape,
    /// The tenant part is not a tenant id.
    #[error("the tenant in the API key is not a tenant id (expected sgk_TENANT_SECRET)")]
    Tenant,
    /// The secret is too short, too long, or contains another character.
    #[error("the API key's secret is not 33 letters and digits")]
    Secret,
    /// The checksum does not match.
    #[error("the API key's checksum is wrong (mistyped, or not a key of this service)")]
    Checksum,
}

/// Appends the checksum of the text.
fn push_checksum(text: &mut String) {
    let [a, b, c, d, ..] = sha256(text);
    push_base62(text, [a, b, c, d], CHECKSUM_DIGITS);
}

/// Appends a big-endian number as `digits` base-62 digits.
fn push_base62<const N: usize>(text: &mut String, mut number: [u8; N], digits: usize) {
    let mut reversed = Vec::with_capacity(digits);
    for _ in 0..digits {
        let mut remainder = 0;
        for byte in &mut number {
            let dividend = remainder << 8 | u32::from(*byte);
            // The quotient fits into a byte: the previous remainder is below 62.
            [*byte, ..] = (dividend / 62).to_le_bytes();
            remainder = dividend % 62;
        }
        reversed.push(BASE62.get(remainder as usize).copied().map_or('0', char::from));
    }
    text.extend(reversed.into_iter().rev());
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 62^27 is more than 2^160, and 62^26 is less.
const RANDOM_DIGITS: usize = 27;

/// 62^6 is more than 2^32, and 62^5 is less.
const CHECKSUM_DIGITS: usize = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id() -> impl Strategy<Value = TenantId> {
        "[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?".prop_map(|id| TenantId::new(&id).unwrap())
    }

    fn key() -> impl Strategy<Value = ApiKey> {
        (id(), any::<[u8; 20]>()).prop_map(|(id, random)| ApiKey::generate(&id, random))
    }

    #[test]
    fn keys_keep_their_format() {
        let acme = TenantId::new("acme").unwrap();
        for (random, digits) in [([0; 20], "000000000000000000000000000"), ([255; 20], "aWgEPTl1tmebfsQzFP4bxwgy80V")] {
            let key = ApiKey::generate(&acme, random);
            assert!(key.reveal().starts_with(&format!("sgk_acme_{digits}")), "{}", key.reveal());
            assert_eq!(key.reveal().len(), "sgk_acme_".len() + 33);
        }
    }

    #[test]
    fn invalid_keys_are_refused_with_the_reason() {
        let good = ApiKey::generate(&TenantId::new("acme").unwrap(), [7; 20]).reveal().to_owned();
        let secret = &good["sgk_acme_".len()..];
        for (text, error) in [
            ("", InvalidKey::Shape),
            ("sgk_", InvalidKey::Shape),
            ("SGK_acme_x", InvalidKey::Shape),
            ("sgk_acme", InvalidKey::Shape),
            ("sgk__x", InvalidKey::Tenant),
            ("sgk_ACME_x", InvalidKey::Tenant),
            ("sgk_acme_", InvalidKey::Secret),
            (&good[..good.len() - 1], InvalidKey::Secret),
            (&format!("{good}0"), InvalidKey::Secret),
            (&format!("{good} "), InvalidKey::Secret),
            (&format!("sgk_acme_{}é", &secret[..31]), InvalidKey::Secret),
            (&format!("sgk_acme_{}-", &secret[..32]), InvalidKey::Secret),
            (&format!("sgk_acme_{}", "0".repeat(33)), InvalidKey::Checksum),
            (&format!("sgk_acne_{secret}"), InvalidKey::Checksum),
        ] {
            let found = ApiKey::parse(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains(secret));
        }
    }

    proptest! {
        #[test]
        fn keys_round_trip(key in key()) {
            let read = ApiKey::parse(key.reveal()).unwrap();
            prop_assert!(read == key);
            prop_assert!(read.tenant() == key.tenant() && read.digest().matches(&key.digest()));
            let secret = key.reveal().strip_prefix(&format!("sgk_{}_", key.tenant())).unwrap();
            prop_assert!(secret.len() == 33 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }

        #[test]
        fn different_bytes_make_different_keys(id in id(), a: [u8; 20], place in 0_usize..20, flip in 1_u8..) {
            let mut b = a;
            b[place] ^= flip;
            let digits = |random| ApiKey::generate(&id, random).reveal()[..id.as_str().len() + 5 + 27].to_owned();
            prop_assert_ne!(digits(a), digits(b));
        }

        #[test]
        fn one_wrong_character_is_refused(key in key(), place: prop::sample::Index, other in "[!-~é]") {
            let place = place.index(key.reveal().len());
            let mut text = key.reveal().to_owned();
            text.replace_range(place..=place, &other);
            prop_assume!(text != key.reveal());
            prop_assert!(ApiKey::parse(&text).is_err(), "{text}");
        }

        #[test]
        fn swapped_neighbors_are_refused(key in key(), place: prop::sample::Index) {
            let mut text = key.reveal().as_bytes().to_vec();
            let place = place.index(text.len() - 1);
            text.swap(place, place + 1);
            let text = String::from_utf8(text).unwrap();
            prop_assume!(text != key.reveal());
            prop_assert!(ApiKey::parse(&text).is_err(), "{text}");
        }

        #[test]
        fn one_character_more_or_less_is_refused(key in key(), place: prop::sample::Index, more in "[0-9A-Za-z_-]") {
            let place = place.index(key.reveal().len());
            let mut text = key.reveal().to_owned();
            text.remove(place);
            prop_assert!(ApiKey::parse(&text).is_err(), "{text}");
            let mut text = key.reveal().to_owned();
            text.insert_str(place, &more);
            prop_assert!(ApiKey::parse(&text).is_err(), "{text}");
        }

        #[test]
        fn debug_hides_the_secret(key in key()) {
            let shown = format!("{key:?}{:#?}{:?}", key, Some(&key));
            let secret = &key.reveal()[key.reveal().len() - 33..];
            for part in secret.as_bytes().windows(8) {
                prop_assert!(!shown.replace(key.tenant().as_str(), "").contains(std::str::from_utf8(part).unwrap()));
            }
        }

        #[test]
        fn arbitrary_text_is_refused_without_panic(text in "\\PC*|sgk_\\PC*_\\PC{33}|sgk_[a-z]_[0-9a-zA-Z]{33}") {
            prop_assert!(ApiKey::parse(&text).is_err());
        }
    }
}
