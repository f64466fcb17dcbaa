//! The table `jwt`, and the fields that need it.

use serde_json::{Value, json};

use crate::config::jwt::{JwtRules, KeysFrom};
use crate::config::{Config, Identify};

fn config(jwt: &Value) -> Value {
    json!({
        "identify": ["api_key", "jwt", "address"],
        "jwt": jwt,
        "default_plan": "p",
        "plans": { "p": { "limits": [{ "name": "l", "algorithm": "fixed_window", "limit": 1, "window": "1s" }] } },
    })
}

fn valid() -> Value {
    json!({ "jwks": "https://id.example/jwks", "issuer": "https://id.example/", "audience": "api" })
}

fn parse(config: &Value) -> Result<Config, String> {
    Config::from_json(&config.to_string()).map_err(|error| error.to_string())
}

#[test]
fn every_field_is_read() {
    let rules = |jwt: &Value| parse(&config(jwt)).unwrap().jwt.unwrap();
    let mut expected = JwtRules {
        keys: KeysFrom::Url("https://id.example/jwks".to_owned()),
        issuer: "https://id.example/".to_owned(),
        audience: vec!["api".to_owned()],
        subject_claim: "sub".to_owned(),
        plan_claim: None,
        header: "authorization".to_owned(),
    };
    assert_eq!(rules(&valid()), expected);
    let mut jwt = valid();
    jwt.as_object_mut().unwrap().extend([
        ("jwks".to_owned(), json!("variable:KEYS")),
        ("audience".to_owned(), json!(["a", "b"])),
        ("subject_claim".to_owned(), json!("https://id.example/org")),
        ("plan_claim".to_owned(), json!("plan")),
        ("header".to_owned(), json!("Cf-Access-Jwt-Assertion")),
    ]);
    expected.keys = KeysFrom::Variable("KEYS".to_owned());
    expected.audience = vec!["a".to_owned(), "b".to_owned()];
    expected.subject_claim = "https://id.example/org".to_owned();
    expected.plan_claim = Some("plan".to_owned());
    expected.header = "cf-access-jwt-assertion".to_owned();
    assert_eq!(rules(&jwt), expected);
    let identify = parse(&config(&valid())).unwrap().identify;
    assert_eq!(identify, [Identify::ApiKey, Identify::Jwt, Identify::Address]);
}

#[test]
fn messages_name_field_and_remedy() {
    let long = "x".repeat(1025);
    let scheme = "jwt.jwks: expected a URL like \"https://host/path\", or \"variable:NAME\"";
    for (field, value, message) in [
        ("jwks", json!("http://id.example/jwks"), "jwt.jwks: is not encrypted (use https: whoever changes the keys can be anybody)".to_owned()),
        ("jwks", json!("ftp://id.example/jwks"), format!("{scheme}, found the scheme \"ftp\"")),
        ("jwks", json!("id.example/jwks"), format!("{scheme}: relative URL without a base")),
        ("jwks", json!("https://u:p@id.example"), "jwt.jwks: has credentials in it (public keys need none)".to_owned()),
        ("jwks", json!("https://id.example/#a"), "jwt.jwks: has a fragment (#…)".to_owned()),
        ("jwks", json!("variable:a b"), "jwt.jwks: expected the name of a variable after \"variable:\", found \"a b\"".to_owned()),
        ("issuer", json!(""), "jwt.issuer: expected 1 to 1024 characters, found 0".to_owned()),
        ("audience", json!([]), "jwt.audience: expected 1 to 16 values, found 0".to_owned()),
        ("audience", json!(["a", long]), "jwt.audience[1]: expected 1 to 1024 characters, found 1025".to_owned()),
        ("audience", json!(["a", "a"]), "jwt.audience: \"a\" is listed twice".to_owned()),
        ("audience", json!(1), "jwt.audience: invalid type: integer `1`, expected a text or a list of texts".to_owned()),
        ("subject_claim", json!(""), "jwt.subject_claim: expected 1 to 256 characters, found 0".to_owned()),
        ("plan_claim", json!("sub"), "jwt.plan_claim: is the subject_claim, too (a plan is for many subjects)".to_owned()),
        ("header", json!("a b"), "jwt.header: expected the name of a header, found \"a b\"".to_owned()),
        ("isuer", json!("x"), "jwt.isuer: unknown field \"isuer\" (did you mean \"issuer\"? known: jwks, issuer, audience, subject_claim, plan_claim, header)".to_owned()),
    ] {
        let mut jwt = valid();
        jwt[field] = value;
        assert_eq!(parse(&config(&jwt)).map(|_| ()), Err(message), "{jwt}");
    }
    for url in ["http://127.0.0.1:1/jwks", "http://localhost/", "http://[::1]/jwks"] {
        let mut jwt = valid();
        jwt["jwks"] = json!(url);
        assert!(parse(&config(&jwt)).is_ok(), "{url}");
    }
}

#[test]
fn the_table_and_its_uses_need_each_other() {
    let mut unused = config(&valid());
    unused["identify"] = json!(["address"]);
    let problem = "jwt: is not used (add \"jwt\" to identify, or require = \"jwt\" to a route)";
    assert_eq!(parse(&unused).map(|_| ()), Err(problem.to_owned()));
    unused["routes"] = json!([{ "match": "* /v1/*", "require": "jwt" }]);
    assert!(parse(&unused).is_ok());
    unused.as_object_mut().unwrap().remove("jwt");
    let problem = "routes[0].require: needs the table jwt, which is missing (it says which tokens are valid)";
    assert_eq!(parse(&unused).map(|_| ()), Err(problem.to_owned()));
    unused["routes"] = json!([]);
    unused["identify"] = json!(["address", "jwt"]);
    let problem = "identify[1]: needs the table jwt, which is missing (it says which tokens are valid)";
    assert_eq!(parse(&unused).map(|_| ()), Err(problem.to_owned()));
}

#[test]
fn a_header_may_identify_unless_it_carries_secrets() {
    let identify = |ways: Value| {
        let mut config = config(&valid());
        config["identify"] = ways;
        parse(&config).map(|config| config.identify)
    };
    assert_eq!(
        identify(json!(["header:X-User", "jwt", "address"])),
        Ok(vec![Identify::Header("x-user".to_owned()), Identify::Jwt, Identify::Address])
    );
    for (way, message) in [
        ("header:", "identify[0]: expected the name of a header after \"header:\", found \"\""),
        ("header:a b", "identify[0]: expected the name of a header after \"header:\", found \"a b\""),
        (
            "header:Authorization",
            "identify[0]: \"authorization\" carries secrets, which must not become the name of a client",
        ),
    ] {
        assert_eq!(identify(json!([way, "jwt", "address"])), Err(message.to_owned()));
    }
    let mut config = config(&valid());
    config["jwt"]["header"] = json!("X-Token");
    config["identify"] = json!(["header:x-token", "jwt", "address"]);
    let problem = "identify[0]: is the header of the token, which must not become the name of a client (write \"jwt\")";
    assert_eq!(parse(&config).map(|_| ()), Err(problem.to_owned()));
    assert_eq!(
        identify(json!(["header:A", "header:a", "jwt", "address"])),
        Err("identify[1]: is listed twice".to_owned())
    );
}
