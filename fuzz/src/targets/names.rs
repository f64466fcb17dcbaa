//! API keys, ids, times, and other short texts from outside: the input is one of them.
//!
//! What is accepted is printed as it was, or in a form that is read as the same. It fits where it is used.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use sluicegate::config::KeySource;
use sluicegate::config::routes::Statuses;
use sluicegate::http::forwarding::{hop_by_hop, is_forwarding_header};
use sluicegate::http::{Destination, RequestFacts};
use sluicegate::limit::{LeaseId, LimitName, Subject};
use sluicegate::limiter::RequestId;
use sluicegate::redis::Token;
use sluicegate::redis::script::Dialect;
use sluicegate::tenant::history::Day;
use sluicegate::tenant::{ApiKey, KeyDigest, KeyId, TenantId};
use sluicegate::time::{Millis, Timestamp};

pub(super) fn run(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    assert_api_key(text);
    assert_ids(text);
    assert_round_trips::<Millis>(text);
    assert_round_trips::<Timestamp>(text);
    assert_round_trips::<Day>(text);
    assert_http(text);
    if let Some(digest) = KeyDigest::from_hex(text) {
        assert_eq!(digest.to_string(), text);
    }
    if Statuses::default().add(text).is_ok() {
        assert!(text.len() == 3, "{text}");
    }
    let key = Subject::named(text).state_key();
    assert!(key.matches(['{', '}']).count() == 2 && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
}

fn assert_api_key(text: &str) {
    match ApiKey::parse(text) {
        Ok(key) => {
            assert_eq!(key.reveal(), text);
            let secret = text.rsplit('_').next().expect("a key has a secret");
            assert!(!format!("{key:?}").contains(secret), "the secret is printed");
        }
        // An error must not repeat what may be a mistyped key.
        Err(error) => assert!(text.len() < 50 || !format!("{error} {error:?}").contains(text)),
    }
    for source in [KeySource::Authorization, KeySource::XApiKey] {
        if let Some(key) = source.key_in(text) {
            assert!(text.contains(&key) && key.starts_with("sgk_"), "{key}");
        }
    }
}

fn assert_ids(text: &str) {
    let graphic = || text.bytes().all(|byte| byte.is_ascii_graphic());
    if let Ok(id) = TenantId::new(text) {
        assert_eq!((id.as_str(), id.subject().as_str()), (text, text));
        let random = std::array::from_fn(|i| text.as_bytes()[i % text.len()]);
        let key = ApiKey::generate(&id, random);
        assert_eq!(ApiKey::parse(key.reveal()).as_ref().map(ApiKey::tenant), Ok(&id));
    }
    if let Ok(id) = LeaseId::new(text) {
        assert!(id.as_str() == text && text.len() <= 200 && text != "?" && graphic(), "{id}");
    }
    if let Ok(id) = RequestId::new(text) {
        assert!(id.as_str() == text && text.len() <= 200 && graphic(), "{id}");
    }
    if let Ok(id) = KeyId::new(text) {
        assert!(id.as_str() == text && text.len() <= 64 && graphic(), "{id}");
    }
    if let Ok(name) = LimitName::new(text) {
        assert!(name.as_str() == text && text.len() <= 64 && graphic(), "{name}");
    }
    if let Some(token) = Token::new(text) {
        assert!(token.reveal() == text && !text.is_empty() && text.is_ascii());
        assert!(text.len() < 20 || !format!("{token:?}").contains(text), "the token is printed");
    }
    // A host name is any text.
    let _ = Dialect::for_host(text);
}

fn assert_round_trips<T: Copy + Debug + Display + FromStr + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert!(value.to_string().parse::<T>().ok() == Some(value), "{text}: {value:?} is printed as {value}");
    }
}

fn assert_http(text: &str) {
    for name in hop_by_hop(Some(text)) {
        let is_token = name.bytes().all(|byte| byte.is_ascii_graphic() && !br#"(),/:;<=>?@[\]{}""#.contains(&byte));
        assert!(!name.is_empty() && is_token, "{name:?} is not the name of a header");
    }
    assert_eq!(is_forwarding_header(text), is_forwarding_header(&text.replace('_', "-")));
    let facts = RequestFacts { method: "GET".to_owned(), path: text.to_owned(), ..RequestFacts::default() };
    if let Destination::Api(path) = facts.destination() {
        assert!(path.starts_with('/'), "{path}");
    }
    assert_eq!(facts.destination() == Destination::Origin, !text.starts_with("/_sluicegate/"));
}
