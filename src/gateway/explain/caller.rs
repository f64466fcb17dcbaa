//! The caller of a request, in the terms of an explanation.

use super::explanation::{CallerKind, ExplainedCaller};
use crate::gateway::request::{IdentifiedRequest, RoutedRequest};

/// Returns the caller of a request. `verified` is whether its credentials were.
pub(super) fn caller_of(
    request: &RoutedRequest<'_>,
    identified: &IdentifiedRequest,
    verified: Option<bool>,
) -> ExplainedCaller {
    let kind = match (&identified.tenant, &identified.token_subject) {
        (Some(_), _) => CallerKind::Tenant,
        (None, Some(_)) => CallerKind::Token,
        (None, None) if identified.subject.is(&request.client()) => CallerKind::Address,
        (None, None) => CallerKind::Header,
    };
    let (subject, tenant) = (identified.subject.clone(), identified.tenant.clone());
    let plan = identified.charge.as_ref().map(|charge| charge.plan().to_owned());
    let verified = verified.filter(|_| matches!(kind, CallerKind::Tenant | CallerKind::Token));
    ExplainedCaller { kind, subject, tenant, plan, verified }
}
