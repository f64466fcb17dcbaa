//! Tenants as JSON, and settings from JSON.

use serde_json::{Value, json};

use super::response::{Failure, Response};
use crate::config::Config;
use crate::config::json::{InvalidInput, Object, Problems, join, text};
use crate::tenant::store::Stored;
use crate::tenant::{KeyRecord, Settings, TenantId};

/// Returns a tenant as JSON. Its keys are without their hashes.
pub(super) fn tenant(stored: &Stored) -> Value {
    let keys: Vec<_> = stored.tenant.keys().iter().map(key).collect();
    let Settings { plan, status, overrides, metadata } = stored.tenant.settings();
    json!({
        "id": stored.id,
        "plan": plan,
        "status": status,
        "overrides": overrides,
        "metadata": metadata,
        "keys": keys,
    })
}

/// Returns a key as JSON.
pub(super) fn key(record: &KeyRecord) -> Value {
    json!({ "id": record.id, "created": record.created, "expires": record.expires })
}

/// Returns a response with a tenant and its entity tag.
pub(super) fn response(status: u16, stored: &Stored) -> Response {
    Response::json(status, &tenant(stored)).with("etag", stored.etag())
}

/// Parses the tenant id in a path.
pub(super) fn id(text: &str) -> Result<TenantId, Failure> {
    TenantId::new(text).map_err(|error| InvalidInput::new("id", error.to_string()).into())
}

/// Reads settings, and checks them against the configuration.
pub(super) fn settings(body: &Value, config: &Config) -> Result<Settings, InvalidInput> {
    let settings = Settings::read(body)?;
    settings.check(config)?;
    Ok(settings)
}

/// Reads the id and the settings of a new tenant.
pub(super) fn new_tenant(mut body: Value, config: &Config) -> Result<(TenantId, Settings), InvalidInput> {
    let mut problems = Problems::default();
    let id = body.as_object_mut().and_then(|fields| fields.remove("id")).unwrap_or(Value::Null);
    let id = match &id {
        Value::Null => Err("is missing".to_owned()),
        id => text(id).and_then(|id| TenantId::new(&id).map_err(|error| error.to_string())),
    };
    let id = id.map_err(|problem| problems.push("id", problem)).ok();
    let settings = settings(&body, config);
    let settings = settings
        .map_err(|invalid| invalid.problems().iter().for_each(|field| problems.push(&field.path, &field.problem)))
        .ok();
    problems.finish(id.zip(settings))
}

/// Checks that a merge patch has only known fields. Null removes a field, so a misspelled name would not show in the
/// result.
pub(super) fn check_patch(patch: &Value) -> Result<(), InvalidInput> {
    let mut problems = Problems::default();
    let fields = Object::open(patch, "", &["plan", "status", "overrides", "metadata"], &mut problems);
    let overrides = fields.and_then(|fields| fields.get("overrides")).and_then(|value| value.as_object());
    for (name, change) in overrides.into_iter().flatten().filter(|(_, change)| change.is_object()) {
        let place = join("overrides", name);
        Object::open(change, &place, &["limit", "burst", "until"], &mut problems);
    }
    problems.finish(Some(()))
}
