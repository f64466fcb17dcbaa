//! When keys are fetched, and for how long they are used.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const START: u64 = 1_800_000_000_000;
const MINUTE: u64 = 60_000;

fn at(ms: u64) -> Millis {
    Millis::new(START + ms)
}

fn set(kids: &[&str]) -> KeySet {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let keys: Vec<_> = kids.iter().map(|kid| json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid })).collect();
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn lookup(cache: &mut KeyCache, kid: &str, ms: u64) -> KeyLookup {
    cache.lookup(SignatureAlgorithm::EdDsa, Some(kid), at(ms))
}

/// Whether the key is found, and whether the caller must fetch the keys again.
fn found(cache: &mut KeyCache, kid: &str, ms: u64) -> Option<bool> {
    match lookup(cache, kid, ms) {
        KeyLookup::Found { keys, refresh } => {
            assert!(keys.iter().all(|key| key.kid.as_deref() == Some(kid)));
            Some(refresh)
        }
        _ => None,
    }
}

#[test]
fn one_caller_fetches_and_the_others_wait() {
    let mut cache = KeyCache::empty();
    assert_eq!(lookup(&mut cache, "a", 0), KeyLookup::Wait { begin: true });
    assert_eq!(lookup(&mut cache, "a", 1), KeyLookup::Wait { begin: false });
    assert_eq!(lookup(&mut cache, "b", 2), KeyLookup::Wait { begin: false });
    cache.fetched(Ok(set(&["a"])), at(100));
    assert_eq!(found(&mut cache, "a", 100), Some(false));
    assert_eq!(lookup(&mut cache, "b", 100), KeyLookup::Unknown);
}

#[test]
fn a_fetch_that_never_ends_is_replaced() {
    let mut cache = KeyCache::empty();
    assert_eq!(lookup(&mut cache, "a", 0), KeyLookup::Wait { begin: true });
    assert_eq!(lookup(&mut cache, "a", GIVEN_UP_AFTER.get() - 1), KeyLookup::Wait { begin: false });
    assert_eq!(lookup(&mut cache, "a", GIVEN_UP_AFTER.get()), KeyLookup::Wait { begin: true });
}

#[test]
fn stale_keys_are_used_while_one_request_has_them_fetched() {
    let mut cache = KeyCache::empty();
    cache.fetched(Ok(set(&["a"])), at(0));
    assert_eq!(found(&mut cache, "a", 10 * MINUTE - 1), Some(false));
    assert_eq!(found(&mut cache, "a", 10 * MINUTE), Some(true));
    assert_eq!(found(&mut cache, "a", 10 * MINUTE), Some(false));
    cache.fetched(Ok(set(&["a"])), at(10 * MINUTE + 1));
    assert_eq!(found(&mut cache, "a", 20 * MINUTE), Some(false));
}

#[test]
fn stale_keys_serve_for_an_hour_while_the_keys_cannot_be_fetched() {
    let mut cache = KeyCache::empty();
    cache.fetched(Ok(set(&["a"])), at(0));
    let mut fetches = 0;
    for second in 600..70 * 60 {
        let refresh = found(&mut cache, "a", second * 1000).expect("the stale key is used");
        if refresh {
            cache.fetched(Err("down".to_owned()), at(second * 1000));
            fetches += 1;
        }
    }
    assert_eq!(fetches, 3600 / 5, "one in {PAUSE}");
    assert_eq!(lookup(&mut cache, "a", 70 * MINUTE), KeyLookup::Wait { begin: true });
    cache.fetched(Err("down".to_owned()), at(70 * MINUTE));
    assert_eq!(lookup(&mut cache, "a", 70 * MINUTE + 1000), KeyLookup::Unavailable(Millis::from_secs(4)));
    assert_eq!(lookup(&mut cache, "a", 70 * MINUTE + 5000), KeyLookup::Wait { begin: true });
    cache.fetched(Ok(set(&["a"])), at(70 * MINUTE + 5001));
    assert_eq!(found(&mut cache, "a", 70 * MINUTE + 5001), Some(false));
}

#[test]
fn a_new_key_is_fetched_and_a_withdrawn_one_refused() {
    let mut cache = KeyCache::empty();
    cache.fetched(Ok(set(&["a"])), at(0));
    assert_eq!(lookup(&mut cache, "b", MINUTE), KeyLookup::Wait { begin: true });
    assert_eq!(found(&mut cache, "a", MINUTE), Some(false), "known keys do not wait");
    cache.fetched(Ok(set(&["b"])), at(MINUTE + 50));
    assert_eq!(found(&mut cache, "b", MINUTE + 50), Some(false));
    assert_eq!(lookup(&mut cache, "a", MINUTE + 50), KeyLookup::Unknown);
}

#[test]
fn keys_of_a_variable_are_never_fetched() {
    let mut cache = KeyCache::fixed(set(&["a"]));
    assert_eq!(found(&mut cache, "a", 100 * 365 * 24 * 60 * MINUTE), Some(false));
    assert_eq!(lookup(&mut cache, "b", 0), KeyLookup::Unknown);
    assert_eq!(cache.lookup(SignatureAlgorithm::Rs256, Some("a"), at(0)), KeyLookup::Unknown);
    assert_eq!(cache.status(at(0)), KeyStatus { keys: 1, age: None, error: None });
}

#[test]
fn the_status_has_age_and_last_error() {
    let mut cache = KeyCache::empty();
    assert_eq!(cache.status(at(0)), KeyStatus { keys: 0, age: None, error: None });
    cache.fetched(Ok(set(&["a", "b"])), at(0));
    cache.fetched(Err("down".to_owned()), at(7));
    let status = KeyStatus { keys: 2, age: Some(Millis::new(9)), error: Some("down".to_owned()) };
    assert_eq!(cache.status(at(9)), status);
}

#[test]
fn a_clock_set_back_does_not_keep_keys_for_ever() {
    let mut cache = KeyCache::empty();
    cache.fetched(Ok(set(&["a"])), at(1000));
    assert_eq!(found(&mut cache, "a", 0), Some(false), "a little");
    cache.fetched(Ok(set(&["a"])), at(1001));
    assert_eq!(lookup(&mut cache, "a", 0), KeyLookup::Wait { begin: true });
}

proptest! {
    /// Whatever key ids clients make up, there is at most one fetch at a time and one in a pause.
    #[test]
    fn made_up_key_ids_lead_to_few_fetches(
        requests in prop::collection::vec((0_u64..500, "[a-f]", any::<bool>()), 1..300),
        takes in 0_u64..3000,
    ) {
        let mut cache = KeyCache::empty();
        let (mut now, mut fetches, mut under_way) = (0, Vec::new(), None);
        for (wait, kid, is_up) in requests {
            now += wait;
            if let Some(began) = under_way
                && began + takes <= now
            {
                cache.fetched(if is_up { Ok(set(&["a"])) } else { Err("down".to_owned()) }, at(now));
                under_way = None;
            }
            let begins = matches!(
                lookup(&mut cache, &kid, now),
                KeyLookup::Wait { begin: true } | KeyLookup::Found { refresh: true, .. }
            );
            if begins {
                prop_assert!(under_way.is_none(), "two at a time");
                under_way = Some(now);
                fetches.push(now);
            }
        }
        prop_assert!(fetches.windows(2).all(|pair| pair[1] - pair[0] >= PAUSE.get()));
    }
}
