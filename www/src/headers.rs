//! The parsers of the `RateLimit` headers. Every export converts a type of the core to a type of JavaScript.
//!
//! The page and the Worker use the same code, so they cannot disagree.

use sluicegate::http::rate_limit::{self, LimitItem, PolicyItem};
use wasm_bindgen::prelude::*;

/// Parses the value of a `RateLimit-Policy` header.
///
/// # Errors
///
/// Throws an `Error` with the reason if the value is not a list of quota policies.
#[wasm_bindgen(js_name = parsePolicy)]
pub fn parse_policy(value: &str) -> Result<Vec<Policy>, JsError> {
    let items = rate_limit::parse_policy(value)?;
    Ok(items.into_iter().map(Policy::from).collect())
}

/// Parses the value of a `RateLimit` header.
///
/// # Errors
///
/// Throws an `Error` with the reason if the value is not a list of service limits.
#[wasm_bindgen(js_name = parseLimits)]
pub fn parse_limits(value: &str) -> Result<Vec<Limit>, JsError> {
    let items = rate_limit::parse_limits(value)?;
    Ok(items.into_iter().map(Limit::from).collect())
}

/// An item of `RateLimit-Policy`: the policy of one limit.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Policy {
    /// The name of the policy. `RateLimit` refers to it.
    #[wasm_bindgen(readonly)]
    pub name: String,
    /// The units that the policy grants per window.
    #[wasm_bindgen(readonly)]
    pub quota: f64,
    /// The window in seconds, if the policy has one.
    #[wasm_bindgen(readonly)]
    pub window: Option<f64>,
    /// The units that can be used at once, if that differs from the quota.
    #[wasm_bindgen(readonly)]
    pub burst: Option<f64>,
    /// The quota unit, if it is not requests: `concurrent-requests`.
    #[wasm_bindgen(readonly)]
    pub unit: Option<String>,
    /// Whether the limit runs in shadow mode: it decides, but refuses nothing.
    #[wasm_bindgen(readonly)]
    pub shadow: bool,
    /// The item as the core formats it in a header.
    #[wasm_bindgen(readonly)]
    pub text: String,
}

impl From<PolicyItem> for Policy {
    fn from(item: PolicyItem) -> Policy {
        Policy {
            text: rate_limit::format_policy(std::slice::from_ref(&item)),
            quota: number(item.quota),
            window: item.window.map(number),
            burst: item.burst.map(number),
            name: item.name,
            unit: item.unit,
            shadow: item.shadow,
        }
    }
}

/// An item of `RateLimit`: the remaining quota of one limit.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Limit {
    /// The name of the policy that this item refers to.
    #[wasm_bindgen(readonly)]
    pub name: String,
    /// The remaining units.
    #[wasm_bindgen(readonly)]
    pub remaining: f64,
    /// The seconds until the quota is full or, after a refusal, until a retry can succeed; if the header has them.
    #[wasm_bindgen(readonly)]
    pub reset: Option<f64>,
    /// The item as the core formats it in a header.
    #[wasm_bindgen(readonly)]
    pub text: String,
}

impl From<LimitItem> for Limit {
    fn from(item: LimitItem) -> Limit {
        Limit {
            text: rate_limit::format_limits(std::slice::from_ref(&item)),
            remaining: number(item.remaining),
            reset: item.reset.map(number),
            name: item.name,
        }
    }
}

/// Converts to a JavaScript number. Exact: an integer in a structured field has at most fifteen digits.
#[expect(clippy::cast_precision_loss, reason = "below 2^53, see above")]
fn number(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_is_parsed_and_formatted_by_the_core() {
        let [policy] = parse_policy(r#"  "burst"; q=20;w=10 "#).ok().unwrap().try_into().unwrap();
        assert_eq!(policy.name, "burst");
        assert_eq!(policy.quota.to_bits(), 20_f64.to_bits());
        assert_eq!(policy.window, Some(10.0));
        assert_eq!(policy.burst, None);
        assert_eq!(policy.text, r#""burst";q=20;w=10"#);
    }

    #[test]
    fn policy_has_its_unit_and_shadow_mode() {
        let [shadow, inflight] =
            parse_policy(r#""a";q=1;shadow, "b";q=5;qu="concurrent-requests""#).ok().unwrap().try_into().unwrap();
        assert_eq!((shadow.shadow, shadow.unit), (true, None));
        assert_eq!((inflight.shadow, inflight.unit.as_deref()), (false, Some("concurrent-requests")));
        assert_eq!(shadow.text, r#""a";q=1;shadow"#);
    }

    #[test]
    fn limit_is_parsed_and_formatted_by_the_core() {
        let [limit] = parse_limits(r#""burst"; r=3;t=2"#).ok().unwrap().try_into().unwrap();
        assert_eq!(limit.name, "burst");
        assert_eq!(limit.remaining.to_bits(), 3_f64.to_bits());
        assert_eq!(limit.reset, Some(2.0));
        assert_eq!(limit.text, r#""burst";r=3;t=2"#);
    }

    #[test]
    fn largest_integer_of_a_structured_field_is_exact() {
        let largest = 999_999_999_999_999_u64;
        assert_eq!(format!("{:.0}", number(largest)), largest.to_string());
    }
}
