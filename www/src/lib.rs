//! What the demo page needs of the core: the `RateLimit` headers read, and their items spelled, by the
//! very code that wrote them in the Worker, so that page and Worker cannot disagree.
//!
//! Nothing is decided here. Every export is the core's function with JavaScript's types.

use sluicegate::http::rate_limit::{self, LimitItem, PolicyItem};
use wasm_bindgen::prelude::*;

/// Reads the value of a `RateLimit-Policy` header, one item a limit.
///
/// # Errors
///
/// Throws an `Error` that says what is wrong where the value is not a list of quota policies.
#[wasm_bindgen(js_name = parsePolicy)]
pub fn parse_policy(value: &str) -> Result<Vec<Policy>, JsError> {
    let items = rate_limit::parse_policy(value)?;
    Ok(items.into_iter().map(Policy).collect())
}

/// Reads the value of a `RateLimit` header, one item a limit.
///
/// # Errors
///
/// Throws an `Error` that says what is wrong where the value is not a list of service limits.
#[wasm_bindgen(js_name = parseLimits)]
pub fn parse_limits(value: &str) -> Result<Vec<Limit>, JsError> {
    let items = rate_limit::parse_limits(value)?;
    Ok(items.into_iter().map(Limit).collect())
}

/// One item of `RateLimit-Policy`: what a limit promises.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Policy(PolicyItem);

#[wasm_bindgen]
impl Policy {
    /// The name by which `RateLimit` refers to this policy.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn name(&self) -> String {
        self.0.name.clone()
    }

    /// How many units the policy grants a window.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn quota(&self) -> f64 {
        number(self.0.quota)
    }

    /// The window in seconds, where the policy has one.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn window(&self) -> Option<f64> {
        self.0.window.map(number)
    }

    /// How many units can come at once, where that differs from the quota.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn burst(&self) -> Option<f64> {
        self.0.burst.map(number)
    }

    /// What is counted, where it is not requests: `concurrent-requests`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn unit(&self) -> Option<String> {
        self.0.unit.clone()
    }

    /// Whether the limit judges but refuses nobody.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn shadow(&self) -> bool {
        self.0.shadow
    }

    /// The item as the core writes it in a header.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn text(&self) -> String {
        rate_limit::format_policy(std::slice::from_ref(&self.0))
    }
}

/// One item of `RateLimit`: what is left of a limit.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Limit(LimitItem);

#[wasm_bindgen]
impl Limit {
    /// The name of the policy that this item is about.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn name(&self) -> String {
        self.0.name.clone()
    }

    /// How many units are left.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn remaining(&self) -> f64 {
        number(self.0.remaining)
    }

    /// Seconds until there is more, where the header says so.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn reset(&self) -> Option<f64> {
        self.0.reset.map(number)
    }

    /// The item as the core writes it in a header.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn text(&self) -> String {
        rate_limit::format_limits(std::slice::from_ref(&self.0))
    }
}

/// A JavaScript number. Exact: an integer in a structured field has at most fifteen digits.
#[expect(clippy::cast_precision_loss, reason = "below 2^53, see above")]
fn number(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_and_spelled_by_the_core() {
        let [policy] = parse_policy(r#"  "burst"; q=20;w=10 "#).ok().unwrap().try_into().unwrap();
        assert_eq!(policy.name(), "burst");
        assert_eq!(policy.quota().to_bits(), 20_f64.to_bits());
        assert_eq!(policy.window(), Some(10.0));
        assert_eq!(policy.burst(), None);
        assert_eq!(policy.text(), r#""burst";q=20;w=10"#);
    }

    #[test]
    fn a_policy_tells_what_it_counts_and_whether_it_refuses() {
        let [shadow, inflight] =
            parse_policy(r#""a";q=1;shadow, "b";q=5;qu="concurrent-requests""#).ok().unwrap().try_into().unwrap();
        assert_eq!((shadow.shadow(), shadow.unit()), (true, None));
        assert_eq!((inflight.shadow(), inflight.unit().as_deref()), (false, Some("concurrent-requests")));
        assert_eq!(shadow.text(), r#""a";q=1;shadow"#);
    }

    #[test]
    fn a_limit_is_read_and_spelled_by_the_core() {
        let [limit] = parse_limits(r#""burst"; r=3;t=2"#).ok().unwrap().try_into().unwrap();
        assert_eq!(limit.name(), "burst");
        assert_eq!(limit.remaining().to_bits(), 3_f64.to_bits());
        assert_eq!(limit.reset(), Some(2.0));
        assert_eq!(limit.text(), r#""burst";r=3;t=2"#);
    }

    #[test]
    fn the_largest_integer_of_a_structured_field_stays_exact() {
        let largest = 999_999_999_999_999_u64;
        assert_eq!(format!("{:.0}", number(largest)), largest.to_string());
    }
}
