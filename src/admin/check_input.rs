//! The input of a check: the body of `POST /check`, and what the library for JavaScript is given.

use serde_json::{Value, json};

use super::input;
use super::subjects::Values;
use crate::config::json::{InvalidInput, Object, Problems, text};
use crate::config::{self, Config};
use crate::limit::{EVERYONE, InvalidCheck, LeaseId, Plan, Subject};
use crate::tenant::TenantId;

/// What to check: who is charged, by which limits, and how much.
#[derive(Debug)]
pub struct CheckInput {
    /// Who is charged.
    pub target: Target,
    /// The plan, or the limits of its own; `None` for the plan of the tenant.
    pub plan: Option<Plan>,
    /// What the limits count by.
    pub values: Values,
    /// The cost in units; 0 if the check only looks.
    pub cost: u64,
    /// The lease, if it has one.
    pub lease: Option<LeaseId>,
}

/// Who is charged.
#[derive(Debug)]
pub enum Target {
    /// The subject of this name.
    Subject(Subject),
    /// A tenant.
    Tenant(TenantId),
}

impl CheckInput {
    /// Reads a check. `default` is the plan of a subject if the check names none; without it, it must.
    ///
    /// # Errors
    /// Returns all problems, each with the path of its field.
    pub fn read(body: &Value, config: &Config, default: Option<&Plan>) -> Result<Self, InvalidInput> {
        input::read(body, &FIELDS, Problems::default(), |object, problems| {
            input::refuse_null(body, &FIELDS, problems);
            let target = target(object, problems);
            let plan = plan(object, config, default, problems);
            let peek = object.optional("peek", input::boolean, problems).unwrap_or_default();
            let cost = object.optional("cost", input::count, problems).unwrap_or(1);
            let lease = |value: &Value| LeaseId::new(&text(value)?).map_err(|error| error.to_string());
            let lease = object.optional("lease", lease, problems);
            let values = Values::of_body(object, config.ipv6_prefix, problems);
            Some(CheckInput { target: target?, plan, values, cost: if peek { 0 } else { cost }, lease })
        })
    }
}

impl From<InvalidCheck> for InvalidInput {
    /// Names the field that the check has its mistake from.
    fn from(error: InvalidCheck) -> Self {
        let path = match error {
            InvalidCheck::NoValue { .. } => "subjects",
            InvalidCheck::NoLease { .. } => "lease",
            InvalidCheck::Cost { .. } => "cost",
            InvalidCheck::NoLimits
            | InvalidCheck::SameName { .. }
            | InvalidCheck::Slots { .. }
            | InvalidCheck::NoRequests => "limits",
        };
        InvalidInput::new(path, error.to_string())
    }
}

fn target(object: &Object<'_>, problems: &mut Problems) -> Option<Target> {
    match (object.get("subject"), object.get("tenant")) {
        (Some(_), None) => object.required("subject", subject, problems).map(Target::Subject),
        (None, Some(_)) => {
            let id = |value: &Value| TenantId::new(&text(value)?).map_err(|error| error.to_string());
            object.required("tenant", id, problems).map(Target::Tenant)
        }
        (None, None) => {
            problems.push("subject", "is missing (or give a tenant)");
            None
        }
        (Some(_), Some(_)) => {
            problems.push("tenant", "cannot be given together with subject");
            None
        }
    }
}

fn plan(object: &Object<'_>, config: &Config, default: Option<&Plan>, problems: &mut Problems) -> Option<Plan> {
    match (object.get("plan"), object.get("limits")) {
        (Some(_), Some(_)) => {
            problems.push("limits", "cannot be given together with plan");
            None
        }
        (Some(_), None) => object.required("plan", |name| Ok(input::plan(name, config)?.1.clone()), problems),
        (None, Some(limits)) => {
            let plan = config::plan_from_value(&json!({ "limits": limits }), "");
            plan.map_err(|error| problems.push(error.path, error.problem)).ok()
        }
        (None, None) if object.get("tenant").is_some() => None,
        (None, None) => {
            if default.is_none() {
                problems.push("plan", "is missing (or give limits)");
            }
            default.cloned()
        }
    }
}

/// Reads the name of a subject. The keys of locks and values have the same form, and a check must not touch them.
fn subject(value: &Value) -> Result<Subject, String> {
    let name = text(value)?;
    if !(1..=MAX_SUBJECT).contains(&name.chars().count()) {
        return Err(format!("expected 1 to {MAX_SUBJECT} characters"));
    }
    if name == EVERYONE {
        return Err(format!("is {EVERYONE:?} (the subject of limits that count by everyone)"));
    }
    match RESERVED.into_iter().find(|reserved| name.starts_with(reserved)) {
        Some(reserved) => Err(format!("begins with {reserved:?} (a reserved prefix)")),
        None => Ok(Subject::named(&name)),
    }
}

const FIELDS: [&str; 8] = ["subject", "tenant", "plan", "limits", "subjects", "cost", "peek", "lease"];
const RESERVED: [&str; 2] = ["lock:", "value:"];
const MAX_SUBJECT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(body: &Value) -> String {
        let config = r#"{"default_plan":"p","plans":{"p":{"limits":[
            {"name":"l","algorithm":"sliding_log","limit":1,"window":"1s"}]}}}"#;
        CheckInput::read(body, &Config::from_json(config).unwrap(), None).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn invalid_checks_name_field_and_problem() {
        let limit = json!({ "name": "l", "algorithm": "sliding_log", "limit": 0, "window": "1s" });
        for (body, expected) in [
            (json!({}), "subject: is missing (or give a tenant); plan: is missing (or give limits)"),
            (json!({ "subject": "a", "tenant": "b" }), "tenant: cannot be given together with subject"),
            (
                json!({ "tenant": "B" }),
                "tenant: expected 1 to 64 of a-z 0-9 - . , the first and the last a letter or a digit, found \"B\"",
            ),
            (json!({ "subject": "a", "plan": "q" }), "plan: no plan is named \"q\" (plans: p)"),
            (json!({ "tenant": "a", "plan": "p", "limits": [] }), "limits: cannot be given together with plan"),
            (json!({ "subject": "a", "limits": [limit] }), "limits[0].limit: expected 1 to 9007199254740991, found 0"),
            (json!({ "subject": "a", "limits": [] }), "limits: expected 1 to 16 limits, found 0"),
            (json!({ "subject": "", "plan": "p" }), "subject: expected 1 to 200 characters"),
            (json!({ "subject": "lock:usage", "plan": "p" }), "subject: begins with \"lock:\" (a reserved prefix)"),
            (
                json!({ "subject": "everyone", "plan": "p" }),
                "subject: is \"everyone\" (the subject of limits that count by everyone)",
            ),
            (
                json!({ "tenant": "a", "subjects": { "user": "x" } }),
                "subjects.user: expected \"address\", \"header:NAME\", \"query:NAME\", \"cookie:NAME\", \"path:NAME\", \"country\", \"asn\", \"route\" or \"everyone\", found \"user\"",
            ),
            (
                json!({ "tenant": "a", "subjects": { "everyone": "" } }),
                "subjects.everyone: everyone has no value (leave it out)",
            ),
            (
                json!({ "tenant": "a", "subjects": { "address": "x" } }),
                "subjects.address: expected an address, found \"x\"",
            ),
            (json!({ "tenant": "a", "subjects": [] }), "subjects: expected an object, found a list"),
            (json!({ "tenant": "a", "cost": null }), "cost: is null (leave it out)"),
            (
                json!({ "tenant": "a", "cost": -1 }),
                "cost: expected a whole number from 0 to 9007199254740991, found -1",
            ),
        ] {
            assert_eq!(problem(&body), expected, "{body}");
        }
    }

    #[test]
    fn a_plan_may_have_a_default() {
        let config = r#"{"default_plan":"p","plans":{"p":{"limits":[
            {"name":"l","algorithm":"sliding_log","limit":1,"window":"1s"}]}}}"#;
        let config = Config::from_json(config).unwrap();
        let read = |body: Value| CheckInput::read(&body, &config, Some(&config.default_plan)).unwrap().plan;
        assert_eq!(read(json!({ "subject": "a" })).as_ref(), Some(&config.default_plan));
        assert_eq!(read(json!({ "tenant": "a" })), None, "a tenant has a plan of its own");
    }
}
