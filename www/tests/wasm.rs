//! The exports as JavaScript sees them. The tests run in Node or, with `WASM_BINDGEN_USE_BROWSER=1`, in a headless
//! browser.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests, which clippy sees only in #[test]")]

use js_sys::{JsString, Reflect};
use sluicegate_www::headers::{parse_limits, parse_policy};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn policy_items_become_objects() {
    let items = parse_policy(r#""burst";q=50;w=1;burst=100, "day";q=1000;w=86400"#);
    let items: Vec<JsValue> = items.ok().unwrap().into_iter().map(JsValue::from).collect();
    assert_eq!(items.len(), 2);
    assert_eq!(get(&items[0], "name"), "burst");
    assert_eq!(get(&items[0], "quota"), 50);
    assert_eq!(get(&items[0], "window"), 1);
    assert_eq!(get(&items[0], "burst"), 100);
    assert_eq!(get(&items[1], "quota"), 1000);
    assert_eq!(get(&items[1], "window"), 86_400);
    assert!(get(&items[1], "burst").is_undefined());
    assert_eq!(get(&items[1], "text"), r#""day";q=1000;w=86400"#);
}

#[wasm_bindgen_test]
fn policy_has_its_unit_and_shadow_mode() {
    let items = parse_policy(r#""watch";q=5;w=10;shadow, "inflight";q=5;qu="concurrent-requests""#);
    let items: Vec<JsValue> = items.ok().unwrap().into_iter().map(JsValue::from).collect();
    assert_eq!(get(&items[0], "shadow"), true);
    assert!(get(&items[0], "unit").is_undefined());
    assert_eq!(get(&items[1], "shadow"), false);
    assert_eq!(get(&items[1], "unit"), "concurrent-requests");
}

#[wasm_bindgen_test]
fn limit_items_become_objects() {
    let items = parse_limits(r#""burst";r=0;t=3, "day";r=999999999999999"#);
    let items: Vec<JsValue> = items.ok().unwrap().into_iter().map(JsValue::from).collect();
    assert_eq!(items.len(), 2);
    assert_eq!(get(&items[0], "remaining"), 0);
    assert_eq!(get(&items[0], "reset"), 3);
    assert_eq!(get(&items[1], "remaining"), 999_999_999_999_999_f64);
    assert!(get(&items[1], "reset").is_undefined());
    assert_eq!(get(&items[0], "text"), r#""burst";r=0;t=3"#);
}

#[wasm_bindgen_test]
fn invalid_value_throws_an_error_with_a_message() {
    for broken in [r#""burst";q=-1;w=10"#, r#""burst";q"#, "\"burst", "burst, , "] {
        let error = JsValue::from(parse_policy(broken).err().unwrap());
        let message = get(&error, "message").dyn_into::<JsString>().unwrap();
        assert!(message.length() > 0, "no message for {broken}");
    }
    assert!(parse_limits(r#""burst";r=-1"#).is_err());
}

#[wasm_bindgen_test]
fn empty_value_has_no_items() {
    assert!(parse_policy("").ok().unwrap().is_empty());
    assert!(parse_limits("").ok().unwrap().is_empty());
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}
