//! Whom a check concerns, and by which limits.

use std::rc::Rc;
use std::sync::Arc;

use sluicegate::admin::{CheckInput, Target};
use sluicegate::config::json::InvalidInput;
use sluicegate::http::problem::Problem;
use sluicegate::limit::{LeaseId, Limit, Plan, PrefetchRule, Subject, usage};
use sluicegate::limiter::Limiter;
use sluicegate::redis::{RedisError, Transport};
use sluicegate::tenant::store::{StoreError, TenantStore};
use sluicegate::tenant::{Status, Tenant, TenantId};

use super::js::now;
use super::state::State;
use super::tenants;

/// A subject and its limits, with the cost of a request.
pub(super) struct Charge {
    pub(super) subject: Subject,
    pub(super) limits: Vec<Limit>,
    pub(super) prefetch: Option<PrefetchRule>,
    pub(super) cost: u64,
    /// The lease that the caller has chosen.
    pub(super) lease: Option<LeaseId>,
    /// Why a check is refused: the tenant is suspended.
    pub(super) refusal: Option<Problem>,
    /// Why the tenant could not be read. The limits are then those of the default plan that count for the caller.
    pub(super) unread: Option<RedisError>,
}

/// Why there is nothing to charge.
pub(super) enum Uncharged {
    /// The input does not fit the limits.
    Invalid(InvalidInput),
    /// There is no such tenant, or its document cannot be read.
    Refused(Problem),
}

impl From<InvalidInput> for Uncharged {
    fn from(invalid: InvalidInput) -> Self {
        Uncharged::Invalid(invalid)
    }
}

impl Charge {
    /// Finds the subject and the limits of a check.
    ///
    /// # Errors
    /// Fails if nothing can be charged.
    pub(super) async fn find<T: Transport>(
        state: &Rc<State>,
        limiter: &Limiter<T>,
        input: CheckInput,
    ) -> Result<Self, Uncharged> {
        let CheckInput { target, plan, values, cost, lease } = input;
        let config = &state.config;
        let mut charge = Charge {
            subject: Subject::named(""),
            prefetch: plan.as_ref().and_then(Plan::prefetch),
            limits: plan.as_ref().map_or_else(Vec::new, |plan| plan.limits().to_vec()),
            cost,
            lease,
            refusal: None,
            unread: None,
        };
        match target {
            Target::Subject(subject) => charge.subject = subject,
            Target::Tenant(id) => {
                charge.subject = id.subject();
                match read(state, limiter, &id).await {
                    Ok(tenant) => {
                        charge.refusal = (tenant.status() == Status::Suspended).then(Problem::suspended);
                        if plan.is_none() {
                            charge.take_limits(state, &id, &tenant);
                        }
                    }
                    Err(Unread::Refused(problem)) => return Err(Uncharged::Refused(problem)),
                    Err(Unread::Redis(error)) => {
                        let plan = plan.as_ref().unwrap_or(&config.default_plan);
                        charge.limits = plan.limits().iter().filter(|limit| limit.by().is_none()).cloned().collect();
                        charge.unread = Some(error);
                        // The values belong to limits that are not known.
                        return Ok(charge);
                    }
                }
                if config.usage {
                    charge.limits = usage::with_meters(&charge.limits);
                }
            }
        }
        values.add_all(&mut charge.subject, &charge.limits)?;
        Ok(charge)
    }

    /// Takes the limits of a tenant, or those of the default plan if the configuration does not have its plan.
    fn take_limits(&mut self, state: &State, id: &TenantId, tenant: &Tenant) {
        match tenant.limits(&state.config, now()) {
            Ok(limits) => {
                self.limits = limits;
                self.prefetch = tenant.prefetch(&state.config);
            }
            Err(unknown) => {
                state.log.failure(&format!("tenant {id}"), &format!("{unknown}; the default plan applies"));
                self.limits = state.config.default_plan.limits().to_vec();
                self.prefetch = state.config.default_plan.prefetch();
            }
        }
    }

    /// Returns whether the request holds a lease while it is in flight. A request that only looks holds none.
    pub(super) fn needs_lease(&self) -> bool {
        self.cost > 0 && self.limits.iter().any(Limit::needs_lease)
    }

    /// Returns the lease that the request holds while it is in flight.
    pub(super) fn held_lease(&self) -> Option<&LeaseId> {
        self.lease.as_ref().filter(|_| self.needs_lease())
    }
}

/// Why a tenant is not known.
enum Unread {
    Refused(Problem),
    Redis(RedisError),
}

/// Reads a tenant, from memory or else from Redis.
async fn read<T: Transport>(state: &Rc<State>, limiter: &Limiter<T>, id: &TenantId) -> Result<Arc<Tenant>, Unread> {
    let error = match state.authenticator.tenant(TenantStore::of(limiter), id, now()).await {
        Ok((tenant, refresh)) => {
            if refresh {
                tenants::refresh_later(state, id);
            }
            return tenant.ok_or_else(|| Unread::Refused(Problem::unknown_key()));
        }
        Err(error) => error,
    };
    match error {
        StoreError::Redis(error) => Err(Unread::Redis(error)),
        error @ (StoreError::Unreadable(_) | StoreError::Index { .. }) => {
            state.log.failure(&format!("tenant {id}"), &error);
            Err(Unread::Refused(Problem::misconfigured()))
        }
    }
}
