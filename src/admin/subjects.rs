//! The values by which the limits of a call count.

use std::net::IpAddr;

use serde_json::Value;

use super::input;
use super::query::Query;
use crate::config::json::{self, InvalidInput, Object, Problems, join, members};
use crate::limit::{By, Limit, Subject};

/// The values by which limits count: `{ "header:x-user": "ada", "address": "203.0.113.7" }`.
#[derive(Debug, Default)]
pub struct Values(Vec<(By, String)>);

impl Values {
    /// Reads the field `subjects` of a body.
    pub(super) fn of_body(object: &Object<'_>, ipv6_prefix: u8, problems: &mut Problems) -> Self {
        object.get(FIELD).map_or_else(Values::default, |value| Values::read(value, ipv6_prefix, problems))
    }

    /// Reads the parameter `subjects` of a query: a JSON object.
    pub(super) fn of_query(query: &Query, ipv6_prefix: u8, problems: &mut Problems) -> Self {
        let Some(text) = query.get(FIELD) else { return Values::default() };
        if let Ok(value) = json::parse(text.as_bytes()) {
            return Values::read(&value, ipv6_prefix, problems);
        }
        problems.push(FIELD, "expected a JSON object");
        Values::default()
    }

    fn read(value: &Value, ipv6_prefix: u8, problems: &mut Problems) -> Self {
        let mut values = Vec::new();
        for (name, value) in members(value, FIELD, problems).into_iter().flatten() {
            let read = By::parse(name).and_then(|by| {
                if by == By::Everyone {
                    return Err("everyone has no value (leave it out)".to_owned());
                }
                let text = input::small_text(value)?;
                let text = if by == By::Address { network(text, ipv6_prefix)? } else { text.to_owned() };
                Ok((by, text))
            });
            match read {
                Ok(read) => values.push(read),
                Err(problem) => problems.push(join(FIELD, name), problem),
            }
        }
        Values(values)
    }

    /// Adds these values to a subject with these limits. The limits need not have all of them.
    ///
    /// # Errors
    /// Fails if no limit counts by one of the values.
    pub(super) fn add_known(&self, subject: &mut Subject, limits: &[Limit]) -> Result<(), InvalidInput> {
        let mut problems = Problems::default();
        for (by, value) in &self.0 {
            if limits.iter().any(|limit| limit.by() == Some(by)) {
                subject.add(by, value.as_bytes());
            } else {
                problems.push(join(FIELD, &by.to_string()), "no limit counts by this");
            }
        }
        problems.finish(Some(()))
    }

    /// Same as [`Values::add_known`], and adds everyone, so that all limits can be checked.
    ///
    /// # Errors
    /// Fails also if a limit counts by something that has no value here.
    pub fn add_all(&self, subject: &mut Subject, limits: &[Limit]) -> Result<(), InvalidInput> {
        self.add_known(subject, limits)?;
        let mut problems = Problems::default();
        for limit in limits {
            match limit.by() {
                Some(By::Everyone) => subject.add(&By::Everyone, b""),
                Some(by) if subject.owner(limit).is_none() => {
                    let problem = format!("is missing (the limit {:?} counts by it)", limit.name().as_str());
                    problems.push(join(FIELD, &by.to_string()), problem);
                }
                _ => {}
            }
        }
        problems.finish(Some(()))
    }
}

/// Returns what the edge counts for a client with this address; an unknown address is empty.
fn network(text: &str, ipv6_prefix: u8) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let address: IpAddr = text.parse().map_err(|_| format!("expected an address, found {text:?}"))?;
    Ok(Subject::network(address, ipv6_prefix))
}

/// The name of the field and of the parameter.
pub(super) const FIELD: &str = "subjects";
