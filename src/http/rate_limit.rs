//! A verdict as header fields: `RateLimit-Policy` and `RateLimit` of
//! draft-ietf-httpapi-ratelimit-headers-11 (Structured Fields, RFC 9651), `Retry-After` (RFC 9110) and `Retry-After-Ms`.
//!
//! The Worker formats these fields, and the demo page parses them.

use sfv::{
    BareItem, Item, KeyRef, List, ListEntry, ListSerializer, Parameters, Parser, RefBareItem, StringRef, key_ref,
};

use crate::limit::{Algorithm, Budget, Limit, Retry, Verdict};
use crate::time::Millis;

/// The field for the policies: their quotas and windows.
pub const RATE_LIMIT_POLICY: &str = "RateLimit-Policy";
/// The field for the client's remaining budget.
pub const RATE_LIMIT: &str = "RateLimit";
/// The field for the wait after a refusal, in seconds.
pub const RETRY_AFTER: &str = "Retry-After";
/// The field for the same wait in milliseconds, which clients of LLM APIs prefer.
pub const RETRY_AFTER_MS: &str = "Retry-After-Ms";

/// One item of `RateLimit-Policy`, for example `"burst";q=50;w=1;burst=100`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyItem {
    /// The limit's name.
    pub name: String,
    /// `q`: units per window.
    pub quota: u64,
    /// `qu`: the unit, if it is not requests.
    pub unit: Option<String>,
    /// `w`: the window in seconds, rounded up. `None` for concurrency, and for a month, which has no fixed number of
    /// seconds.
    pub window: Option<u64>,
    /// `burst`: the most units at once, if that is not the quota. Our own parameter.
    pub burst: Option<u64>,
    /// `shadow`: the limit is checked, but never refuses. Our own parameter.
    pub shadow: bool,
}

/// One item of `RateLimit`, for example `"burst";r=12;t=3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitItem {
    /// The limit's name.
    pub name: String,
    /// `r`: the largest cost of a next request that would be allowed now, in units.
    pub remaining: u64,
    /// `t`: seconds, rounded up. On an allowed response, until the full quota is back. On a refusal, until the limit
    /// allows the request; absent for limits that did not deny it.
    pub reset: Option<u64>,
}

/// An error in a field that does not follow the draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct HeaderError {
    field: &'static str,
    problem: String,
}

/// Returns the header fields for a verdict, on allowed responses and on refusals. With `shadow`, each policy is marked
/// and there is no `Retry-After` or `Retry-After-Ms`.
#[must_use]
pub fn fields(verdict: &Verdict, shadow: bool) -> Vec<(&'static str, String)> {
    let budgets = verdict.budgets();
    let policies: Vec<_> = budgets.iter().map(|budget| PolicyItem { shadow, ..policy_item(&budget.limit) }).collect();
    let limits: Vec<_> = budgets.iter().map(|budget| limit_item(verdict, budget)).collect();
    let mut fields = vec![(RATE_LIMIT_POLICY, format_policy(&policies)), (RATE_LIMIT, format_limits(&limits))];
    if let Retry::After(wait) = verdict.retry()
        && !shadow
    {
        fields.extend(retry_fields(wait));
    }
    fields
}

/// Returns the header fields for a wait: in seconds, rounded up, and in milliseconds.
#[must_use]
pub fn retry_fields(wait: Millis) -> [(&'static str, String); 2] {
    [(RETRY_AFTER, wait.ceil_secs().to_string()), (RETRY_AFTER_MS, wait.get().to_string())]
}

fn policy_item(limit: &Limit) -> PolicyItem {
    let (unit, burst) = match limit.algorithm() {
        Algorithm::TokenBucket { burst, .. } if burst != limit.quota() => (None, Some(burst)),
        Algorithm::Concurrency { .. } => (Some(CONCURRENT_REQUESTS.to_owned()), None),
        _ => (None, None),
    };
    let window = limit.window().map(Millis::ceil_secs);
    PolicyItem { name: limit.name().to_string(), quota: limit.quota(), unit, window, burst, shadow: false }
}

fn limit_item(verdict: &Verdict, budget: &Budget) -> LimitItem {
    let reset = match (verdict, budget.retry) {
        (Verdict::Allow(_), _) => Some(budget.reset.ceil_secs()),
        (Verdict::Deny(_), Retry::After(wait)) => Some(wait.ceil_secs()),
        // `Retry-After` must not be earlier than any `t`: a limit that does not deny has none.
        (Verdict::Deny(_), Retry::Now | Retry::Never) => None,
    };
    LimitItem { name: budget.limit.name().to_string(), remaining: budget.remaining, reset }
}

/// Formats a `RateLimit-Policy` value. Numbers above 999,999,999,999,999, the largest of
/// RFC 9651, are capped.
#[must_use]
pub fn format_policy(items: &[PolicyItem]) -> String {
    format(items, |item| {
        let unit = item.unit.as_deref().and_then(|unit| StringRef::from_str(unit).ok());
        let parameters = [
            (Q, Some(integer(item.quota))),
            (QU, unit.map(RefBareItem::String)),
            (W, item.window.map(integer)),
            (BURST, item.burst.map(integer)),
            (SHADOW, item.shadow.then_some(RefBareItem::Boolean(true))),
        ];
        (item.name.as_str(), parameters)
    })
}

/// Formats a `RateLimit` value. Numbers above 999,999,999,999,999, the largest of
/// RFC 9651, are capped.
#[must_use]
pub fn format_limits(items: &[LimitItem]) -> String {
    format(items, |item| (item.name.as_str(), [(R, Some(integer(item.remaining))), (T, item.reset.map(integer))]))
}

/// Parses a `RateLimit-Policy` value. Unknown parameters are ignored, as the draft requires.
///
/// # Errors
/// Returns [`HeaderError`] if it is not a list of strings, an item has no `q`, `qu` is not a string, or another parameter
/// is not a non-negative integer.
pub fn parse_policy(value: &str) -> Result<Vec<PolicyItem>, HeaderError> {
    parse(RATE_LIMIT_POLICY, value, |item| {
        Ok(PolicyItem {
            name: item.name.to_owned(),
            quota: item.number(Q)?.ok_or_else(|| "an item has no q".to_owned())?,
            unit: item.text(QU)?,
            window: item.number(W)?,
            burst: item.number(BURST)?,
            shadow: item.flag(SHADOW),
        })
    })
}

/// Parses a `RateLimit` value. Unknown parameters are ignored, as the draft requires.
///
/// # Errors
/// Returns [`HeaderError`] if it is not a list of strings, an item has no `r`, or a parameter is not a non-negative
/// integer.
pub fn parse_limits(value: &str) -> Result<Vec<LimitItem>, HeaderError> {
    parse(RATE_LIMIT, value, |item| {
        let remaining = item.number(R)?.ok_or_else(|| "an item has no r".to_owned())?;
        Ok(LimitItem { name: item.name.to_owned(), remaining, reset: item.number(T)? })
    })
}

fn format<'a, T, const N: usize>(
    items: &'a [T],
    parts: impl Fn(&'a T) -> (&'a str, [(&'static KeyRef, Option<RefBareItem<'a>>); N]),
) -> String {
    let mut list = ListSerializer::new();
    for item in items {
        let (name, parameters) = parts(item);
        // Names of limits are ASCII. Any other name is not valid in a structured field and is left out.
        let Ok(name) = StringRef::from_str(name) else { continue };
        let mut written = list.bare_item(name);
        for (key, value) in parameters {
            if let Some(value) = value {
                written = written.parameter(key, value);
            }
        }
    }
    list.finish().unwrap_or_default()
}

fn integer(number: u64) -> RefBareItem<'static> {
    RefBareItem::Integer(sfv::Integer::try_from(number).unwrap_or(sfv::Integer::MAX))
}

/// An item of a field: a string with parameters.
struct Parsed<'a> {
    name: &'a str,
    parameters: &'a Parameters,
}

impl Parsed<'_> {
    fn number(&self, key: &KeyRef) -> Result<Option<u64>, String> {
        match self.parameters.get(key) {
            None => Ok(None),
            Some(BareItem::Integer(number)) => {
                u64::try_from(*number).map(Some).map_err(|_| format!("{key} of {:?} is below 0", self.name))
            }
            Some(_) => Err(format!("{key} of {:?} is not an integer", self.name)),
        }
    }

    fn flag(&self, key: &KeyRef) -> bool {
        self.parameters.get(key) == Some(&BareItem::Boolean(true))
    }

    fn text(&self, key: &KeyRef) -> Result<Option<String>, String> {
        match self.parameters.get(key) {
            None => Ok(None),
            Some(BareItem::String(text)) => Ok(Some(text.as_str().to_owned())),
            Some(_) => Err(format!("{key} of {:?} is not a string", self.name)),
        }
    }
}

fn parse<T>(
    field: &'static str,
    value: &str,
    build: impl Fn(Parsed<'_>) -> Result<T, String>,
) -> Result<Vec<T>, HeaderError> {
    let error = |problem| HeaderError { field, problem };
    let list: List = Parser::new(value).parse().map_err(|problem| error(problem.to_string()))?;
    list.into_iter()
        .map(|entry| match entry {
            ListEntry::Item(Item { bare_item: BareItem::String(name), params }) => {
                build(Parsed { name: name.as_str(), parameters: &params }).map_err(error)
            }
            _ => Err(error("an item is not a string".to_owned())),
        })
        .collect()
}

const Q: &KeyRef = key_ref("q");
const QU: &KeyRef = key_ref("qu");
const W: &KeyRef = key_ref("w");
const R: &KeyRef = key_ref("r");
const T: &KeyRef = key_ref("t");
const BURST: &KeyRef = key_ref("burst");
const SHADOW: &KeyRef = key_ref("shadow");

/// The draft's unit for requests in flight.
const CONCURRENT_REQUESTS: &str = "concurrent-requests";

#[cfg(test)]
mod tests;
