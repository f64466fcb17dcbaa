//! Which claims are accepted, and when.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::config::jwt::KeysFrom;

/// In seconds.
const NOW: u64 = 1_800_000_000;

fn rules() -> JwtRules {
    JwtRules {
        keys: KeysFrom::Variable("KEYS".to_owned()),
        issuer: "https://id.example/".to_owned(),
        audience: vec!["api".to_owned(), "other".to_owned()],
        subject_claim: "sub".to_owned(),
        plan_claim: Some("plan".to_owned()),
        header: "authorization".to_owned(),
    }
}

/// Checks a valid set of claims with some changed, those that are null removed.
fn check(changes: &Value, now_ms: u64) -> Result<Identity, InvalidToken> {
    let mut claims = json!({ "iss": "https://id.example/", "aud": "api", "exp": NOW + 600, "sub": "alice" });
    let claims = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    let claims = URL_SAFE_NO_PAD.encode(Value::Object(claims.clone()).to_string());
    let text = format!("{}.{claims}.YQ", URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#));
    Identity::claimed(&Token::parse(&text).unwrap().unwrap(), &rules(), Millis::new(now_ms))
}

fn refusal(changes: &Value) -> InvalidToken {
    check(changes, NOW * 1000).unwrap_err()
}

#[test]
fn issuer_and_audience_must_be_equal() {
    for changes in [
        json!({ "iss": null }),
        json!({ "iss": "https://id.example" }),
        json!({ "iss": "https://ID.example/" }),
        json!({ "iss": ["https://id.example/"] }),
    ] {
        assert_eq!(refusal(&changes), InvalidToken::Issuer, "{changes}");
    }
    for changes in [
        json!({ "aud": null }),
        json!({ "aud": "API" }),
        json!({ "aud": [] }),
        json!({ "aud": ["x", ["api"]] }),
        json!({ "aud": { "api": true } }),
    ] {
        assert_eq!(refusal(&changes), InvalidToken::Audience, "{changes}");
    }
    for changes in [json!({ "aud": "other" }), json!({ "aud": ["x", "api"] })] {
        assert!(check(&changes, NOW * 1000).is_ok(), "{changes}");
    }
}

#[test]
fn clocks_may_differ_by_thirty_seconds() {
    let (start, end) = ((NOW - 30) * 1000, (NOW + 30) * 1000);
    let at_exp = |now| check(&json!({ "exp": NOW }), now).map(|_| ());
    assert_eq!(at_exp(end - 1), Ok(()));
    assert_eq!(at_exp(end), Err(InvalidToken::Expired));
    let at_nbf = |now| check(&json!({ "nbf": NOW }), now).map(|_| ());
    assert_eq!(at_nbf(start - 1), Err(InvalidToken::NotYetValid));
    assert_eq!(at_nbf(start), Ok(()));
}

#[test]
fn times_may_have_fractions_and_no_other_form() {
    let valid_at = |exp: Value, now| check(&json!({ "exp": exp }), now).map(|_| ());
    assert_eq!(valid_at(json!(1_800_000_000.5), 1_800_000_030_499), Ok(()));
    assert_eq!(valid_at(json!(1_800_000_000.5), 1_800_000_030_500), Err(InvalidToken::Expired));
    for exp in [json!(1e300), json!(u64::MAX)] {
        assert_eq!(valid_at(exp, u64::MAX - 1), Ok(()));
    }
    for exp in [json!(-1), json!(0), json!(-1e300)] {
        assert_eq!(valid_at(exp, NOW * 1000), Err(InvalidToken::Expired));
    }
    for exp in [json!("1800000600"), json!(true), json!([NOW])] {
        assert_eq!(valid_at(exp, NOW * 1000), Err(InvalidToken::Malformed("its exp is not a time")));
    }
    assert_eq!(refusal(&json!({ "exp": null })), InvalidToken::NoExpiry);
    assert_eq!(refusal(&json!({ "nbf": "soon" })), InvalidToken::Malformed("its nbf is not a time"));
    assert_eq!(refusal(&json!({ "nbf": 1e300 })), InvalidToken::NotYetValid);
}

#[test]
fn claims_name_the_subject_and_the_plan() {
    let identity = |changes: &Value| check(changes, NOW * 1000);
    let named =
        |subject: &str, plan: Option<&str>| Ok(Identity { subject: subject.to_owned(), plan: plan.map(str::to_owned) });
    assert_eq!(identity(&json!({})), named("alice", None));
    assert_eq!(identity(&json!({ "sub": "auth0|é {x}\n", "plan": "pro" })), named("auth0|é {x}\n", Some("pro")));
    assert_eq!(identity(&json!({ "sub": 42, "plan": ["pro"] })), named("42", Some("[\"pro\"]")));
    let longest = "x".repeat(1024);
    assert_eq!(identity(&json!({ "sub": longest })), named(&longest, None));
    for sub in [json!(format!("{longest}x")), json!(null), json!(""), json!(4.5), json!(["alice"]), json!(true)] {
        assert_eq!(identity(&json!({ "sub": sub })), Err(InvalidToken::Subject), "{sub}");
    }
}
