//! API keys.

use std::rc::Rc;

use serde_json::{Value, json};
use sluicegate::config::json::InvalidInput;
use sluicegate::limit::Subject;
use sluicegate::tenant::authenticator::AuthenticationError;
use sluicegate::tenant::store::TenantStore;
use sluicegate::tenant::{ApiKey, Caller, TenantId};

use super::background;
use super::js::now;
use super::state::State;

/// Resolves an API key that `address` has sent. Returns the tenant as JSON, or null for a key that is not valid.
///
/// # Errors
/// Fails if the address is none, if it has tried too many unknown keys, or if the tenant cannot be read.
pub(super) async fn authenticate(state: &Rc<State>, key: &str, address: Option<&str>) -> Result<Value, Failure> {
    let address = address.map(|text| text.parse().map_err(|_| not_an_address(text))).transpose()?;
    let client = Subject::client(address, state.config.ipv6_prefix);
    let Ok(key) = ApiKey::parse(key) else { return Ok(Value::Null) };
    let deadline = state.deadline();
    let limiter = state.limiter(&deadline);
    let found = state.authenticator.authenticate(TenantStore::of(&limiter), &key, &client, now()).await?;
    if found.refresh {
        refresh_later(state, key.tenant());
    }
    Ok(match found.caller {
        Caller::Tenant(id, tenant) => json!({ "tenant": id, "plan": tenant.plan(), "status": tenant.status() }),
        Caller::Subject(_) | Caller::UnknownKey | Caller::Anonymous => Value::Null,
    })
}

/// Why a key was not resolved.
pub(super) enum Failure {
    Invalid(InvalidInput),
    Unresolved(AuthenticationError),
}

impl From<InvalidInput> for Failure {
    fn from(invalid: InvalidInput) -> Self {
        Failure::Invalid(invalid)
    }
}

impl From<AuthenticationError> for Failure {
    fn from(error: AuthenticationError) -> Self {
        Failure::Unresolved(error)
    }
}

/// Reads a tenant again whose document is stale.
pub(super) fn refresh_later(state: &Rc<State>, id: &TenantId) {
    let (state, id) = (Rc::clone(state), id.clone());
    background::run(async move {
        let deadline = state.deadline();
        let limiter = state.limiter(&deadline);
        if let Err(error) = state.authenticator.refresh(TenantStore::of(&limiter), &id, now()).await {
            state.log.failure("tenant", &format!("{id} is not read again: {error}"));
        }
    });
}

fn not_an_address(text: &str) -> InvalidInput {
    InvalidInput::new("address", format!("expected an address, found {text:?}"))
}
