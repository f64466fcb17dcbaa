//! The caller of a request, in the terms of an explanation.

use std::sync::Arc;

use super::explanation::{CallerKind, ExplainedCaller};
use crate::config::Config;
use crate::config::routes::Route;
use crate::gateway::request::{IdentifiedRequest, RoutedRequest};
use crate::tenant::Caller;

/// Returns the name of the plan that applies: of the route, of the caller, or by default.
pub(super) fn plan_of(config: &Config, caller: &Caller, route: Option<&Arc<Route>>) -> String {
    let own = match caller {
        Caller::Tenant(_, tenant) => Some(tenant.plan()),
        Caller::Subject(identity) => identity.plan.as_deref(),
        Caller::UnknownKey | Caller::Anonymous => None,
    };
    let own = own.filter(|plan| config.plans.contains_key(*plan));
    let of_route = route.and_then(|route| route.plan.as_deref());
    of_route.or(own).unwrap_or(&config.default_plan_name).to_owned()
}

/// Returns the caller of a request. `verified` is whether its credentials were.
pub(super) fn caller_of(
    request: &RoutedRequest<'_>,
    identified: &IdentifiedRequest,
    plan: Option<String>,
    verified: Option<bool>,
) -> ExplainedCaller {
    let kind = match (&identified.tenant, &identified.token_subject) {
        (Some(_), _) => CallerKind::Tenant,
        (None, Some(_)) => CallerKind::Token,
        (None, None) if identified.subject.is(&request.client()) => CallerKind::Address,
        (None, None) => CallerKind::Header,
    };
    let (subject, tenant) = (identified.subject.clone(), identified.tenant.clone());
    let verified = verified.filter(|_| matches!(kind, CallerKind::Tenant | CallerKind::Token));
    ExplainedCaller { kind, subject, tenant, plan, verified }
}
