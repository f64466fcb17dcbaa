//! A JSON Web Token and the keys for it: a line with the header, one with the claims, one with the signature, then the key
//! set. A header line that begins with `.` is a complete token, after the dot.
//!
//! No token is valid without a signature. One with a signature is valid only if its claims say so, and its subject then has a
//! key of its own in Redis.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sluicegate::config::jwt::{JwtRules, KeySet, KeysFrom, SignatureAlgorithm, VerificationKey};
use sluicegate::jwt::{Token, TokenVerifier, Verification, Verifier};
use sluicegate::limit::Subject;
use sluicegate::time::Millis;

use crate::fake_redis::run as ready;
use crate::input::Lines;

pub(super) fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let (header, claims, signature) = (lines.bytes(), lines.bytes(), lines.bytes());
    let text = match header.strip_prefix(b".") {
        Some(token) => String::from_utf8_lossy(token).into_owned(),
        None => [header, claims, signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join("."),
    };
    let rules = rules();
    let header = format!("Bearer {text}");
    let found = rules.token_in(&header);
    assert!(found.is_none_or(|found| found == text.trim()));
    let set = KeySet::parse(lines.rest());
    if let Ok(set) = &set {
        assert!((1..=64).contains(&set.len()));
        for name in ["RS256", "ES256", "EdDSA"] {
            let algorithm = SignatureAlgorithm::from_name(name).expect("it is known");
            assert!(set.candidates(algorithm, None).len() <= KeySet::MAX_CANDIDATES);
        }
    }
    let Some(Ok(token)) = Token::parse(&text) else { return };
    for signed in [false, true] {
        let verifier = TokenVerifier::new(rules.clone(), None);
        // Without keys, no token is valid.
        let without = ready(verifier.verify(&token, &Signed(signed), NOW));
        assert!(matches!(without, Err(_) | Ok(Verification::Wait { begin: true })), "{without:?}");
        let fetched = verifier.fetched(Ok(lines_of(input)), NOW);
        assert_eq!(fetched.is_ok(), set.is_ok());
        let result = ready(verifier.verify(&token, &Signed(signed), NOW));
        if let Ok(Verification::Valid { identity, .. }) = result {
            assert!(signed && set.is_ok());
            assert_claims(&text, &rules, &identity.subject);
            let key = Subject::token(&identity.subject).state_key();
            assert!(key.starts_with("sg:1:{jwt:") || key.starts_with("sg:1:{sha256:jwt:"), "{key}");
            assert!(key.len() < 300 && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
        }
    }
}

/// The key set of an input: everything after its third line.
fn lines_of(input: &[u8]) -> Vec<u8> {
    let mut lines = Lines::new(input);
    for _ in 0..3 {
        lines.bytes();
    }
    lines.rest().to_vec()
}

/// Asserts that the claims of an accepted token say what the rules ask for.
fn assert_claims(token: &str, rules: &JwtRules, subject: &str) {
    let claims = token.split('.').nth(1).and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
    let claims: Value = serde_json::from_slice(&claims.expect("base64url")).expect("JSON");
    assert_eq!(claims["iss"], rules.issuer.as_str());
    let audiences = claims["aud"].as_array().map_or(std::slice::from_ref(&claims["aud"]), Vec::as_slice);
    assert!(audiences.iter().any(|audience| *audience == rules.audience[0].as_str()));
    assert!(claims["exp"].as_f64().expect("a time") > 1_799_999_969.0, "{claims}");
    assert!(claims.get("nbf").is_none_or(|nbf| nbf.as_f64().expect("a time") < 1_800_000_031.0), "{claims}");
    assert_eq!(claims["sub"].as_str().map_or_else(|| claims["sub"].to_string(), str::to_owned), subject);
    assert!(!subject.is_empty());
}

/// Cryptography that accepts each signature, or none.
struct Signed(bool);

impl Verifier for Signed {
    async fn verifies(&self, _: &VerificationKey, _: &[u8], _: &[u8]) -> bool {
        self.0
    }
}

fn rules() -> JwtRules {
    JwtRules {
        keys: KeysFrom::Url("https://id.example/jwks".to_owned()),
        issuer: "i".to_owned(),
        audience: vec!["a".to_owned()],
        subject_claim: "sub".to_owned(),
        plan_claim: Some("plan".to_owned()),
        header: "authorization".to_owned(),
    }
}

const NOW: Millis = Millis::from_secs(1_800_000_000);
