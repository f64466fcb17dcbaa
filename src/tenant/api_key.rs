//! An API key as a client shows it.

use std::fmt;

use super::id::TenantId;
use super::key_digest::{KeyDigest, sha256};
use crate::config::KEY_PREFIX;

/// An API key: `sgk_TENANT_SECRET`, never shown by `Debug`.
///
/// The secret has 33 base62 digits (`0-9 A-Z a-z`): 27 for 160 random bits, then 6 for a checksum, the first
/// 32 bits of the SHA-256 of everything before it. So a typing error and what only looks like a key are found
/// without asking Redis, and a scanner for leaked secrets needs one pattern and no guess:
/// `sgk_[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?_[0-9A-Za-z]{33}`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    tenant: TenantId,
    text: String,
}

impl ApiKey {
    /// The key of `tenant` that these random bytes make.
    #[must_use]
    pub fn generate(tenant: &TenantId, random: [u8; 20]) -> Self {
        let mut text = format!("{KEY_PREFIX}{tenant}_");
        push_base62(&mut text, random, RANDOM_DIGITS);
        push_checksum(&mut text);
        ApiKey { tenant: tenant.clone(), text }
    }

    /// Reads a key and checks its checksum. Whether the key is known is [`Tenant::key`](super::Tenant::key)'s to say.
    ///
    /// # Errors
    /// When the text is no key; the error never repeats it.
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

    /// The tenant that the key says it belongs to.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// What is kept of the key.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(&self.text)
    }

    /// The key itself.
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

/// Why a text is no API key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// It has other parts than a key.
    #[error("expected an API key like sgk_TENANT_SECRET")]
    Shape,
    /// What stands in the tenant's place is no tenant's id.
    #[error("the API key names no tenant (sgk_TENANT_SECRET)")]
    Tenant,
    /// The secret is too short, too long, or has another character.
    #[error("the API key's secret is not 33 letters and digits")]
    Secret,
    /// The checksum is not that of the rest.
    #[error("the API key's checksum is wrong (a typing error, or not a key of this service)")]
    Checksum,
}

/// Adds the checksum of what is there.
fn push_checksum(text: &mut String) {
    let [a, b, c, d, ..] = sha256(text);
    push_base62(text, [a, b, c, d], CHECKSUM_DIGITS);
}

/// Adds a number, given with its most significant byte first, in so many digits of base 62.
fn push_base62<const N: usize>(text: &mut String, mut number: [u8; N], digits: usize) {
    let mut reversed = Vec::with_capacity(digits);
    for _ in 0..digits {
        let mut remainder = 0;
        for byte in &mut number {
            let dividend = remainder << 8 | u32::from(*byte);
            // The quotient fits into a byte: the remainder of the byte before is below 62.
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
    fn the_spelling_is_kept() {
        let acme = TenantId::new("acme").unwrap();
        for (random, digits) in [([0; 20], "000000000000000000000000000"), ([255; 20], "aWgEPTl1tmebfsQzFP4bxwgy80V")] {
            let key = ApiKey::generate(&acme, random);
            assert!(key.reveal().starts_with(&format!("sgk_acme_{digits}")), "{}", key.reveal());
            assert_eq!(key.reveal().len(), "sgk_acme_".len() + 33);
        }
    }

    #[test]
    fn what_is_no_key_is_told() {
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
        fn keys_read_back(key in key()) {
            let read = ApiKey::parse(key.reveal()).unwrap();
            prop_assert!(read == key);
            prop_assert!(read.tenant() == key.tenant() && read.digest().matches(&key.digest()));
            let secret = key.reveal().strip_prefix(&format!("sgk_{}_", key.tenant())).unwrap();
            prop_assert!(secret.len() == 33 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }

        #[test]
        fn other_bytes_are_another_key(id in id(), a: [u8; 20], place in 0_usize..20, flip in 1_u8..) {
            let mut b = a;
            b[place] ^= flip;
            let digits = |random| ApiKey::generate(&id, random).reveal()[..id.as_str().len() + 5 + 27].to_owned();
            prop_assert_ne!(digits(a), digits(b));
        }

        #[test]
        fn no_single_typing_error_passes(key in key(), place: prop::sample::Index, other in "[!-~é]") {
            let place = place.index(key.reveal().len());
            let mut text = key.reveal().to_owned();
            text.replace_range(place..=place, &other);
            prop_assume!(text != key.reveal());
            prop_assert!(ApiKey::parse(&text).is_err(), "{text}");
        }

        #[test]
        fn no_exchange_of_neighbours_passes(key in key(), place: prop::sample::Index) {
            let mut text = key.reveal().as_bytes().to_vec();
            let place = place.index(text.len() - 1);
            text.swap(place, place + 1);
            let text = String::from_utf8(text).unwrap();
            prop_assume!(text != key.reveal());
            prop_assert!(ApiKey::parse(&text).is_err(), "{text}");
        }

        #[test]
        fn no_character_too_many_or_too_few_passes(key in key(), place: prop::sample::Index, more in "[0-9A-Za-z_-]") {
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
        fn no_text_is_too_much(text in "\\PC*|sgk_\\PC*_\\PC{33}|sgk_[a-z]_[0-9a-zA-Z]{33}") {
            prop_assert!(ApiKey::parse(&text).is_err());
        }
    }
}
