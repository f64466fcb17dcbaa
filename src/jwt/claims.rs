//! The claims of a token, checked against the rules (RFC 7519, section 4.1).

use serde_json::Value;

use super::invalid::InvalidToken;
use super::token::Token;
use crate::config::jwt::JwtRules;
use crate::time::Millis;

/// Who a valid token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The value of the subject claim.
    pub subject: String,
    /// The value of the plan claim, if the rules name one and the token has it.
    pub plan: Option<String>,
}

impl Identity {
    /// Reads who a token claims to name, and checks its other claims at `now`. Clocks may differ by [`LEEWAY`]. Only a valid
    /// signature proves it: without one it is good for an explanation alone.
    pub(crate) fn claimed(token: &Token, rules: &JwtRules, now: Millis) -> Result<Self, InvalidToken> {
        let claim = |name: &str| token.claims.get(name);
        if claim("iss").and_then(Value::as_str) != Some(rules.issuer.as_str()) {
            return Err(InvalidToken::Issuer);
        }
        let is_accepted =
            |value: &Value| value.as_str().is_some_and(|name| rules.audience.iter().any(|own| own == name));
        let for_us = match claim("aud") {
            Some(Value::Array(list)) => list.iter().any(is_accepted),
            Some(value) => is_accepted(value),
            None => false,
        };
        if !for_us {
            return Err(InvalidToken::Audience);
        }
        let exp = date(claim("exp").ok_or(InvalidToken::NoExpiry)?, "its exp is not a time")?;
        if now >= exp.saturating_add(LEEWAY) {
            return Err(InvalidToken::Expired);
        }
        if let Some(nbf) = claim("nbf")
            && now.saturating_add(LEEWAY) < date(nbf, "its nbf is not a time")?
        {
            return Err(InvalidToken::NotYetValid);
        }
        let subject = match claim(&rules.subject_claim) {
            Some(Value::String(name)) => name.clone(),
            // Some issuers number their users.
            Some(Value::Number(number)) if number.is_u64() || number.is_i64() => number.to_string(),
            _ => String::new(),
        };
        if !(1..=MAX_SUBJECT).contains(&subject.len()) {
            return Err(InvalidToken::Subject);
        }
        let plan = rules.plan_claim.as_deref().and_then(claim).filter(|plan| !plan.is_null());
        // Of any other type, it names no plan of the configuration, and its JSON goes to the log.
        let plan = plan.map(|plan| plan.as_str().map_or_else(|| plan.to_string(), str::to_owned));
        Ok(Identity { subject, plan })
    }
}

/// Reads a time: seconds since the epoch, perhaps with a fraction.
fn date(value: &Value, problem: &'static str) -> Result<Millis, InvalidToken> {
    if let Some(seconds) = value.as_u64() {
        return Ok(Millis::new(seconds.saturating_mul(1000)));
    }
    match value.as_f64() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast saturates, and drops fractions"
        )]
        Some(seconds) => Ok(Millis::new((seconds * 1000.0) as u64)),
        None => Err(InvalidToken::Malformed(problem)),
    }
}

/// The longest subject, in bytes: it must fit into a header of the origin. RFC 7519 has no bound; `OpenID` Connect has 255.
const MAX_SUBJECT: usize = 1024;

/// How far the clocks of the issuer and the edge may differ.
pub(super) const LEEWAY: Millis = Millis::from_secs(30);

#[cfg(test)]
mod tests;
