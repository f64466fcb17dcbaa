//! A JSON Web Key Set (RFC 7517, section 5): the keys that are usable.

use std::sync::Arc;

use serde_json::Value;

use super::key::{NoKey, SignatureAlgorithm, VerificationKey};
use crate::config::json;

/// The usable keys of a JSON Web Key Set. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Arc<VerificationKey>>,
}

impl KeySet {
    /// Parses a key set. Keys for other purposes and algorithms are ignored, as RFC 7517 requires.
    ///
    /// # Errors
    /// Returns the problem if the text is not a key set, has a private key in it, or has no usable key or too many.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        if text.len() > KeySet::MAX_BYTES {
            return Err(format!("is longer than {} bytes", KeySet::MAX_BYTES));
        }
        let value = json::parse(text).map_err(|error| error.to_string())?;
        let list = value.get("keys").and_then(Value::as_array);
        let list = list.ok_or("is not a JSON Web Key Set (an object with a list named keys)")?;
        let (mut keys, mut first) = (Vec::new(), None);
        for (i, value) in list.iter().enumerate() {
            match VerificationKey::read(value) {
                Ok(key) => keys.push(Arc::new(key)),
                Err(NoKey::Private) => {
                    return Err(format!("keys[{i}] is a private key (publish the public part only)"));
                }
                Err(NoKey::Ignored(reason)) => first = first.or_else(|| Some(format!("keys[{i}] {reason}"))),
            }
        }
        if keys.len() > MAX_KEYS {
            return Err(format!("has {} usable keys (at most {MAX_KEYS} are accepted)", keys.len()));
        }
        match first {
            Some(reason) if keys.is_empty() => Err(format!("has no usable key: {reason}")),
            None if keys.is_empty() => Err("has no key".to_owned()),
            _ => Ok(KeySet { keys }),
        }
    }

    /// Returns the keys that may have made a signature with `algorithm` and the key id `kid`, at most
    /// [`KeySet::MAX_CANDIDATES`]. A token or a key without an id matches any.
    #[must_use]
    pub fn candidates(&self, algorithm: SignatureAlgorithm, kid: Option<&str>) -> Vec<Arc<VerificationKey>> {
        let matches = |key: &&Arc<VerificationKey>| {
            let same_id = key.kid.as_deref().zip(kid).is_none_or(|(key, token)| key == token);
            key.algorithm() == algorithm && same_id
        };
        self.keys.iter().filter(matches).take(KeySet::MAX_CANDIDATES).cloned().collect()
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns false: a set has at least one key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The longest text, in bytes. Large providers publish about 20 kB, with certificates.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// The most keys that are tried for one token. Without ids, a rotation has two or three keys at a time.
    pub const MAX_CANDIDATES: usize = 4;
}

/// The most usable keys of a set. Large providers publish about ten.
const MAX_KEYS: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::jwt::KeyMaterial;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn parse(keys: &Value) -> Result<KeySet, String> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    fn ed25519(kid: &str) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": kid })
    }

    fn rsa(bytes: usize, e: &str) -> Value {
        // Each A is six zero bits; the first character makes the first bit a one.
        json!({ "kty": "RSA", "n": format!("g{}", "A".repeat((bytes * 8).div_ceil(6) - 1)), "e": e })
    }

    #[test]
    fn usable_keys_are_read_and_others_ignored() {
        let set = parse(&json!([
            ed25519("a"),
            { "kty": "EC", "crv": "P-256", "x": X, "y": X, "use": "sig", "alg": "ES256", "kid": "b" },
            { "kty": "EC", "crv": "P-384", "x": X, "y": X },
            { "kty": "oct", "k": "c2VjcmV0", "d": "no private key" },
            { "kty": "AKP", "alg": "ML-DSA-44", "pub": X },
            rsa(256, "AQAB"),
        ]))
        .unwrap();
        assert_eq!(set.len(), 3);
        let algorithms = [SignatureAlgorithm::EdDsa, SignatureAlgorithm::Es256, SignatureAlgorithm::Rs256];
        assert_eq!(algorithms.map(|algorithm| set.candidates(algorithm, None).len()), [1; 3]);
        let KeyMaterial::Rsa { n, e } = &set.candidates(SignatureAlgorithm::Rs256, None)[0].material else {
            panic!("an RSA key")
        };
        assert_eq!((n.len(), n[0], &e[..]), (256, 0x80, &[1, 0, 1][..]));
    }

    #[test]
    fn a_key_id_selects_among_keys_that_have_one() {
        let mut unnamed = ed25519("");
        unnamed.as_object_mut().unwrap().remove("kid");
        let set = parse(&json!([ed25519("a"), ed25519("b"), unnamed])).unwrap();
        let count = |kid| set.candidates(SignatureAlgorithm::EdDsa, kid).len();
        assert_eq!((count(Some("a")), count(Some("c")), count(None)), (2, 1, 3));
        let many: Vec<_> = (0..10).map(|_| ed25519("a")).collect();
        let set = parse(&json!(many)).unwrap();
        assert_eq!(set.candidates(SignatureAlgorithm::EdDsa, Some("a")).len(), KeySet::MAX_CANDIDATES);
    }

    #[test]
    fn sets_without_a_usable_key_say_why() {
        let with = |name: &str, value: Value| {
            let mut key = ed25519("a");
            key[name] = value;
            json!([key])
        };
        for (keys, problem) in [
            (json!([]), "has no key"),
            (json!([1]), "has no usable key: keys[0] is not an object"),
            (json!([{}]), "has no usable key: keys[0] has no kty"),
            (with("use", json!("enc")), "has no usable key: keys[0] is not for signatures (use)"),
            (with("alg", json!("HS256")), "has no usable key: keys[0] is for another algorithm (alg)"),
            (with("key_ops", json!(["sign"])), "has no usable key: keys[0] is not for verifying signatures (key_ops)"),
            (with("x", json!("AA")), "has no usable key: keys[0] has no valid x"),
            (with("x", json!(format!("{X}="))), "has no usable key: keys[0] has no valid x"),
            (with("d", json!(X)), "keys[0] is a private key (publish the public part only)"),
            (with("kty", json!("oct")), "has no usable key: keys[0] is symmetric (HMAC is not accepted)"),
            (
                json!([rsa(128, "AQAB")]),
                "has no usable key: keys[0] is an RSA key of 1024 bits (2048 to 8192 are accepted)",
            ),
            (
                json!([rsa(1032, "AQAB")]),
                "has no usable key: keys[0] is an RSA key of 8256 bits (2048 to 8192 are accepted)",
            ),
            (json!([rsa(256, "AQ")]), "has no usable key: keys[0] has an invalid exponent"),
            (json!([rsa(256, "Ag")]), "has no usable key: keys[0] has an invalid exponent"),
            (json!([rsa(256, "AA")]), "has no usable key: keys[0] has no valid e"),
        ] {
            assert_eq!(parse(&keys), Err(problem.to_owned()), "{keys}");
        }
        assert!(parse(&with("alg", json!("EdDSA"))).is_ok() && parse(&with("alg", json!("Ed25519"))).is_ok());
    }

    #[test]
    fn texts_that_are_not_a_key_set_are_refused() {
        let message = |text: &str| KeySet::parse(text.as_bytes()).unwrap_err();
        assert!(message("<html>").starts_with("is not JSON"));
        assert!(message("[]").starts_with("is not a JSON Web Key Set"));
        assert_eq!(message(r#"{"keys":[],"keys":[]}"#), "the key \"keys\" appears twice");
        assert_eq!(message(&" ".repeat(KeySet::MAX_BYTES + 1)), "is longer than 262144 bytes");
        let many: Vec<_> = (0..65).map(|i| ed25519(&i.to_string())).collect();
        assert_eq!(parse(&json!(many)), Err("has 65 usable keys (at most 64 are accepted)".to_owned()));
    }
}
