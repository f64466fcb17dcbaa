//! Tokens with real signatures, verified natively. `tests/e2e/jwt.rs` verifies the same ones in workerd.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../support/tokens.rs"]
mod tokens;
mod verifier;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::config::jwt::{JwtRules, KeySet, KeysFrom, SignatureAlgorithm};
use sluicegate::jwt::{Identity, InvalidToken, Token, TokenVerifier, Verification, Verifier};
use sluicegate::time::Millis;

use tokens::{SigningKey, encode, key_set};
use verifier::{Native, ready};

const NOW: Millis = Millis::from_secs(1_800_000_000);

fn rules() -> JwtRules {
    JwtRules {
        keys: KeysFrom::Url("https://id.example/jwks".to_owned()),
        issuer: "https://id.example/".to_owned(),
        audience: vec!["api".to_owned()],
        subject_claim: "sub".to_owned(),
        plan_claim: Some("plan".to_owned()),
        header: "authorization".to_owned(),
    }
}

fn later(seconds: u64) -> Millis {
    Millis::new(NOW.get() + seconds * 1000)
}

fn claims(subject: &str) -> Value {
    json!({ "iss": "https://id.example/", "aud": "api", "exp": 9_999_999_999_u64, "sub": subject })
}

/// Verifies a token with keys that are there, or must be fetched.
fn verify(verifier: &TokenVerifier, native: &Native, token: &str, now: Millis) -> Result<Verification, InvalidToken> {
    let token = Token::parse(token).expect("it has the header of a token")?;
    ready(verifier.verify(&token, native, now))
}

fn valid(subject: &str, refresh: bool) -> Verification {
    Verification::Valid { identity: Identity { subject: subject.to_owned(), plan: None }, refresh }
}

#[test]
fn golden_tokens_are_accepted_or_refused() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/tokens.json")).unwrap();
    let keys = KeySet::parse(json!({ "keys": vectors["keys"] }).to_string().as_bytes()).unwrap();
    let verifier = TokenVerifier::new(rules(), Some(keys));
    for case in vectors["cases"].as_array().unwrap() {
        let found = match verify(&verifier, &Native::default(), case["token"].as_str().unwrap(), NOW) {
            Ok(Verification::Valid { identity, refresh: false }) => (json!(identity.subject), Value::Null),
            Ok(other) => panic!("{}: {other:?}", case["name"]),
            Err(reason) => (Value::Null, json!(reason.to_string())),
        };
        assert_eq!(found, (case["subject"].clone(), case["error"].clone()), "{}", case["name"]);
    }
}

/// The examples of the RFCs have no audience, and one no claims, so they prove only the keys and the signatures.
#[test]
fn signatures_of_the_rfcs_are_verified() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../vectors/signatures.json")).unwrap();
    for case in &cases {
        let keys = KeySet::parse(json!({ "keys": [case["key"]] }).to_string().as_bytes()).unwrap();
        let (signed, signature) = case["token"].as_str().unwrap().rsplit_once('.').unwrap();
        let header = URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        let algorithm = SignatureAlgorithm::from_name(header["alg"].as_str().unwrap()).unwrap();
        let key = &keys.candidates(algorithm, None)[0];
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let verifies = |signature: &[u8]| ready(Native::default().verifies(key, signed.as_bytes(), signature));
        assert!(verifies(&signature), "{}", case["name"]);
        signature[20] ^= 1;
        assert!(!verifies(&signature), "{}", case["name"]);
    }
    assert_eq!(cases.len(), 3);
}

#[test]
fn keys_are_fetched_once_rotated_and_used_for_an_hour_without_their_server() {
    let (old, new) = (SigningKey::ed25519("old"), SigningKey::es256("new"));
    let (verifier, native) = (TokenVerifier::new(rules(), None), Native::default());
    let set = |keys: &[&SigningKey]| Ok(key_set(keys).to_string().into_bytes());
    let (by_old, by_new) = (old.token(&claims("alice")), new.token(&claims("bob")));
    assert_eq!(verify(&verifier, &native, &by_old, NOW), Ok(Verification::Wait { begin: true }));
    assert_eq!(verify(&verifier, &native, &by_new, NOW), Ok(Verification::Wait { begin: false }));
    assert_eq!(verifier.fetched(set(&[&old]), NOW), Ok(()));
    assert_eq!(verify(&verifier, &native, &by_old, NOW), Ok(valid("alice", false)));
    assert_eq!(verify(&verifier, &native, &by_new, NOW), Err(InvalidToken::UnknownKey));
    // The issuer rotates its keys.
    assert_eq!(verify(&verifier, &native, &by_new, later(60)), Ok(Verification::Wait { begin: true }));
    assert_eq!(verifier.fetched(set(&[&new]), later(60)), Ok(()));
    assert_eq!(verify(&verifier, &native, &by_new, later(60)), Ok(valid("bob", false)));
    assert_eq!(
        verify(&verifier, &native, &by_old, later(60)),
        Err(InvalidToken::UnknownKey),
        "although it was verified"
    );
    // Its server is down from now on.
    let minutes = |minutes: u64| later(60 + 60 * minutes);
    for minute in 10..70 {
        assert_eq!(verify(&verifier, &native, &by_new, minutes(minute)), Ok(valid("bob", true)), "{minute}");
        assert!(verifier.fetched(Err("down".to_owned()), minutes(minute)).is_err());
        assert_eq!(verify(&verifier, &native, &by_new, minutes(minute)), Ok(valid("bob", false)), "{minute}");
    }
    assert_eq!(verify(&verifier, &native, &by_new, minutes(70)), Ok(Verification::Wait { begin: true }));
    let problem = verifier.fetched(Ok(b"<html>".to_vec()), minutes(70)).unwrap_err();
    assert!(problem.starts_with("is not JSON"), "{problem}");
    assert_eq!(verify(&verifier, &native, &by_new, minutes(70)), Ok(Verification::Unavailable(Millis::from_secs(5))));
    // A token that no key could save is refused at once.
    let mut expired = claims("bob");
    expired["exp"] = json!(1);
    assert_eq!(verify(&verifier, &native, &new.token(&expired), minutes(70)), Err(InvalidToken::Expired));
}

#[test]
fn a_signature_is_verified_once_a_minute_and_claims_each_time() {
    let key = SigningKey::rs256("r");
    let keys = KeySet::parse(key_set(&[&key]).to_string().as_bytes()).unwrap();
    let (verifier, native) = (TokenVerifier::new(rules(), Some(keys)), Native::default());
    let mut ends = claims("alice");
    ends["exp"] = json!(NOW.get() / 1000 + 90);
    let token = key.token(&ends);
    for (second, verified) in [(0, 1), (30, 1), (59, 1), (60, 2), (119, 2)] {
        assert_eq!(verify(&verifier, &native, &token, later(second)), Ok(valid("alice", false)));
        assert_eq!(native.calls(), verified, "{second}");
    }
    assert_eq!(verify(&verifier, &native, &token, later(120)), Err(InvalidToken::Expired));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let other = format!("{signed}.{first}{}", &signature[1..]);
    for _ in 0..3 {
        assert_eq!(verify(&verifier, &native, &other, later(60)), Err(InvalidToken::Signature));
    }
    assert_eq!(native.calls(), 5, "a wrong signature is not remembered");
}

#[test]
fn a_token_without_an_id_is_tried_with_few_keys() {
    let keys: Vec<SigningKey> = (0..6).map(|_| SigningKey::ed25519("d")).collect();
    let set = KeySet::parse(key_set(&keys.iter().collect::<Vec<_>>()).to_string().as_bytes()).unwrap();
    let (verifier, native) = (TokenVerifier::new(rules(), Some(set)), Native::default());
    let token = |key: &SigningKey| key.sign(r#"{"alg":"EdDSA"}"#, &claims("alice").to_string());
    assert_eq!(verify(&verifier, &native, &token(&keys[3]), NOW), Ok(valid("alice", false)));
    assert_eq!(native.calls(), 4);
    assert_eq!(verify(&verifier, &native, &token(&keys[4]), NOW), Err(InvalidToken::Signature));
    assert_eq!(native.calls(), 8);
}

proptest! {
    /// No change of a valid token is accepted: neither of a character, nor of a part for that of another token.
    #[test]
    fn no_changed_token_is_valid(place in 0_usize..400, letter in "[A-Za-z0-9_.-]", part in 0_usize..3) {
        use std::sync::LazyLock;
        static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::es256("e"));
        static TOKENS: LazyLock<[String; 2]> = LazyLock::new(|| ["alice", "root"].map(|name| KEY.token(&claims(name))));
        let keys = KeySet::parse(key_set(&[&KEY]).to_string().as_bytes()).unwrap();
        let (verifier, native) = (TokenVerifier::new(rules(), Some(keys)), Native::default());
        let [token, other] = &*TOKENS;
        let mut changed = token.clone();
        let place = place % token.len();
        changed.replace_range(place..=place, &letter);
        let mut parts: Vec<&str> = token.split('.').collect();
        parts[part] = other.split('.').nth(part).unwrap();
        for changed in [changed, parts.join("."), format!("{token}{letter}"), format!("{letter}{token}")] {
            if changed != *token && changed != *other {
                let result = Token::parse(&changed).map(|token| ready(verifier.verify(&token?, &native, NOW)));
                prop_assert!(result.is_none_or(|result| result.is_err()), "{changed}");
            }
        }
    }
}

#[test]
fn the_header_of_a_token_is_json_in_base64url() {
    let header = encode(br#" {"alg":"RS256"}"#);
    assert!(Token::parse(&format!("{header}.e30.YQ")).is_some_and(|token| token.is_ok()));
}
