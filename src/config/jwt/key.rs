//! One public key of a JSON Web Key Set (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// An algorithm of signatures that is accepted: asymmetric ones only (RFC 7518, section 3.1, and RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on the curve P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// A public key, with the algorithm that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationKey {
    /// The id of the key.
    pub kid: Option<String>,
    /// The key itself.
    pub material: KeyMaterial,
}

/// The parameters of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// An RSA key: modulus and exponent, big-endian without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// A point of P-256.
    P256 {
        /// The first coordinate.
        x: [u8; 32],
        /// The second coordinate.
        y: [u8; 32],
    },
    /// A point of Ed25519.
    Ed25519 {
        /// The encoded point.
        x: [u8; 32],
    },
}

/// Why a key of a set is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoKey {
    /// It is for something else, as is usual in a set.
    Ignored(String),
    /// It must not be in a set.
    Private,
}

impl SignatureAlgorithm {
    /// Returns the algorithm of this name in the header `alg` of a token. `none` and HMAC have none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        SignatureAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns the name in `alg`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SignatureAlgorithm::Rs256 => "RS256",
            SignatureAlgorithm::Es256 => "ES256",
            SignatureAlgorithm::EdDsa => "EdDSA",
        }
    }

    const ALL: [Self; 3] = [SignatureAlgorithm::Rs256, SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa];
}

impl VerificationKey {
    /// Returns the algorithm of the signatures that this key verifies.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        match self.material {
            KeyMaterial::Rsa { .. } => SignatureAlgorithm::Rs256,
            KeyMaterial::P256 { .. } => SignatureAlgorithm::Es256,
            KeyMaterial::Ed25519 { .. } => SignatureAlgorithm::EdDsa,
        }
    }

    /// Reads a member of a set.
    pub(super) fn read(value: &Value) -> Result<Self, NoKey> {
        let ignored = |reason: &str| NoKey::Ignored(reason.to_owned());
        let members = value.as_object().ok_or_else(|| ignored("is not an object"))?;
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let kty = text("kty").ok_or_else(|| ignored("has no kty"))?;
        if kty != "oct" && PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err(NoKey::Private);
        }
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return Err(ignored("is not for signatures (use)"));
        }
        if members.get("key_ops").is_some_and(|ops| !lists(ops, "verify")) {
            return Err(ignored("is not for verifying signatures (key_ops)"));
        }
        let material = match (kty, text("crv")) {
            ("RSA", _) => rsa(members)?,
            ("EC", Some("P-256")) => KeyMaterial::P256 { x: point(members, "x")?, y: point(members, "y")? },
            ("OKP", Some("Ed25519")) => KeyMaterial::Ed25519 { x: point(members, "x")? },
            ("oct", _) => return Err(ignored("is symmetric (HMAC is not accepted)")),
            _ => return Err(ignored("is for another algorithm than RS256, ES256 and EdDSA")),
        };
        let key = VerificationKey { kid: text("kid").map(str::to_owned), material };
        match text("alg") {
            // RFC 9864 gives the algorithm of the curve a name of its own.
            Some("Ed25519") if key.algorithm() == SignatureAlgorithm::EdDsa => Ok(key),
            Some(name) if name != key.algorithm().name() => Err(ignored("is for another algorithm (alg)")),
            _ => Ok(key),
        }
    }
}

fn rsa(members: &Map<String, Value>) -> Result<KeyMaterial, NoKey> {
    let (n, e) = (bytes(members, "n")?, bytes(members, "e")?);
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        let reason = format!("is an RSA key of {bits} bits ({MIN_RSA_BITS} to {MAX_RSA_BITS} are accepted)");
        return Err(NoKey::Ignored(reason));
    }
    // An even exponent is none, and with 1 a signature is the text itself.
    let is_valid = e.len() <= MAX_EXPONENT && e.last().is_some_and(|last| last % 2 == 1) && e != [1];
    if is_valid { Ok(KeyMaterial::Rsa { n, e }) } else { Err(NoKey::Ignored("has an invalid exponent".to_owned())) }
}

/// Reads a number, without leading zeros.
fn bytes(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, NoKey> {
    let text = members.get(name).and_then(Value::as_str).filter(|text| text.len() <= MAX_NUMBER);
    let mut bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or_else(|| unreadable(name))?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    if bytes.is_empty() { Err(unreadable(name)) } else { Ok(bytes) }
}

/// Reads a coordinate, which keeps its leading zeros.
fn point(members: &Map<String, Value>, name: &str) -> Result<[u8; 32], NoKey> {
    let text = members.get(name).and_then(Value::as_str).filter(|text| text.len() <= MAX_NUMBER);
    let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| unreadable(name))
}

fn unreadable(name: &str) -> NoKey {
    NoKey::Ignored(format!("has no valid {name}"))
}

fn lists(value: &Value, text: &str) -> bool {
    value.as_array().is_some_and(|list| list.iter().any(|item| item == text))
}

/// The members of private keys (RFC 7518, sections 6.2.2 and 6.3.2, and RFC 8037, section 2).
const PRIVATE: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

/// RFC 7518, section 3.3.
const MIN_RSA_BITS: usize = 2048;

/// Verifying takes time proportional to the square of the length, and nobody issues longer ones.
const MAX_RSA_BITS: usize = 8192;

/// The longest exponent, in bytes. Usual are three, and a long one is slow.
const MAX_EXPONENT: usize = 4;

/// The longest number in base64url: a modulus of [`MAX_RSA_BITS`] with some zeros.
const MAX_NUMBER: usize = 1400;
