//! Who the API key or the token of a request names.

use std::sync::Arc;

use crate::http::problem::Problem;
use crate::jwt::{Identity, InvalidToken};
use crate::tenant::{ApiKey, Caller, KeyStatus, Settings, Tenant};
use crate::time::Millis;

/// Who sent a request, and how that is known.
#[derive(Debug)]
pub struct Credentials {
    /// The caller, or the refusal of its token.
    pub(super) caller: Result<Caller, Problem>,
    /// Whether the key or the token was verified; `None` if there is none that counts.
    pub(super) verified: Option<bool>,
    /// What was found, in sentences.
    pub(super) steps: Vec<String>,
}

impl Credentials {
    /// The credentials of a request without any that count.
    pub const NONE: Credentials = Credentials { caller: Ok(Caller::Anonymous), verified: None, steps: Vec::new() };

    /// Returns those of a request with this API key, by the document of the tenant that the key names, as
    /// [`Authenticator`](crate::tenant::authenticator::Authenticator) decides without its cache.
    #[must_use]
    pub fn of_key(key: &ApiKey, tenant: Option<Tenant>, now: Millis) -> Self {
        let (id, tenant) = (key.tenant(), tenant.map(Arc::new));
        let status = tenant.as_deref().map(|tenant| tenant.key_status(key, now));
        let step = match status {
            None => format!("The API key names the tenant {id}, which does not exist."),
            Some(KeyStatus::Unknown) => format!("The tenant {id} does not have this API key."),
            Some(KeyStatus::Expired) => format!("The API key of the tenant {id} has expired."),
            Some(KeyStatus::Valid(record)) => format!("The API key {} belongs to the tenant {id}.", record.id),
        };
        let is_valid = matches!(status, Some(KeyStatus::Valid(_)));
        let caller = match tenant {
            Some(tenant) if is_valid => Caller::Tenant(id.clone(), tenant),
            _ => Caller::UnknownKey,
        };
        Credentials { caller: Ok(caller), verified: is_valid.then_some(true), steps: vec![step] }
    }

    /// Returns those of a request with this API key if nothing is known of its tenant: as if the key were valid, and
    /// its tenant had this plan.
    #[must_use]
    pub fn of_assumed_key(key: &ApiKey, plan: &str) -> Self {
        let id = key.tenant();
        let step = format!(
            "The API key was not looked up: this assumes that it is valid, and that the tenant {id} has the plan {plan}."
        );
        match Tenant::new(Settings::new(plan)) {
            Ok(tenant) => Credentials {
                caller: Ok(Caller::Tenant(id.clone(), Arc::new(tenant))),
                verified: Some(false),
                steps: vec![step],
            },
            Err(_) => Credentials::NONE,
        }
    }

    /// Sets who a token names, or the refusal if it is not valid. `verified` is whether its signature was.
    pub(super) fn with_identity(self, named: Result<Identity, InvalidToken>, verified: bool, step: &str) -> Self {
        match named {
            Ok(identity) => {
                Credentials { caller: Ok(Caller::Subject(identity)), verified: Some(verified), ..self }.with_step(step)
            }
            Err(reason) => Credentials { caller: Err(Problem::invalid_token(reason)), ..self },
        }
    }

    pub(super) fn with_step(mut self, step: &str) -> Self {
        self.steps.push(step.to_owned());
        self
    }
}
