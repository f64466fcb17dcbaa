//! Decides about a request: finds its route, authenticates its caller, and has its charge checked.

use std::rc::Rc;

use worker::Context;

use super::check::check;
use super::decision::{Decision, Outcome};
use super::facts::ClientRequest;
use super::isolate::{EdgeTransport, Isolate};
use super::js::now;
use super::{bodies, glue, jwt, log};
use crate::config::OnOutage;
use crate::gateway::{IdentifiedRequest, Place, RequestValues, RoutedRequest, check_base_path, find_route, origin_of};
use crate::http::problem::Problem;
use crate::limiter::Limiter;
use crate::redis::Deadline;
use crate::tenant::Caller;
use crate::tenant::authenticator::AuthenticationError;
use crate::tenant::store::{StoreError, TenantStore};

/// Decides about a request for the origin.
pub(super) async fn decide(isolate: &Rc<Isolate>, context: &Context, client: &ClientRequest<'_>) -> Decision {
    let mut decision = Decision::new();
    let deadline = isolate.deadline();
    let redis = isolate.limiter_until(&deadline);
    if let Err(problem) = run(isolate, context, &deadline, &redis, client, &mut decision).await {
        decision.outcome = Outcome::Refuse(problem);
    }
    decision
}

/// Runs the steps of a decision and records in `decision` what each has established.
///
/// # Errors
/// Returns the refusal if a step before the check refuses the request.
async fn run(
    isolate: &Rc<Isolate>,
    context: &Context,
    deadline: &Deadline,
    redis: &Limiter<EdgeTransport<'_>>,
    client: &ClientRequest<'_>,
    decision: &mut Decision,
) -> Result<(), Problem> {
    let facts = &client.facts;
    let route = find_route(facts, &isolate.config)?;
    decision.route = route.cloned();
    check_base_path(facts, origin_of(route, &isolate.origin), route)?;
    let request = RoutedRequest::new(facts, &isolate.config, route)?;
    let caller = authenticate(isolate, context, redis, &request).await?;
    let caller = match (request.token(&caller)?, &isolate.jwt) {
        // In a box: most requests have no token, and their futures stay small.
        (Some(token), Some(jwt)) => Box::pin(jwt::identify(jwt, context, deadline, &request, token)).await?,
        _ => caller,
    };
    let policy = request.on_outage(matches!(caller, Caller::Tenant(..)));
    let mut identified = request.identify(caller, now())?;
    if identified.needs_values() {
        partition(client, &request, &mut identified)?;
    }
    if let Some(unknown) = &identified.unknown_plan {
        let error = format!("{unknown}; the default plan applies");
        match &identified.tenant {
            Some(tenant) => log::failure(&format!("tenant {tenant}"), &error),
            None => log::failure("jwt plan", &error),
        }
    }
    if let Some(reading) = request.reading() {
        // The caller is known: nothing is read of one who is refused.
        let told = bodies::read(reading, client).await?;
        // A client may send its body slowly.
        isolate.restart(deadline);
        decision.request = told.request;
        if let (Some(charge), Some(cost)) = (&mut identified.charge, told.cost) {
            charge.set_cost(cost);
        }
    }
    if let Some(charge) = &identified.charge {
        let checked = check(isolate, context, redis, &identified, charge, policy).await;
        decision.verdict = checked.verdict;
        decision.source = checked.source;
        decision.charged = checked.charged;
        decision.outcome = checked.outcome;
    }
    decision.identified = Some(identified);
    Ok(())
}

/// Adds to the subject the values by which the limits count.
///
/// # Errors
/// Same as [`RoutedRequest::partition`].
fn partition(
    client: &ClientRequest<'_>,
    request: &RoutedRequest<'_>,
    identified: &mut IdentifiedRequest,
) -> Result<(), Problem> {
    let place = if identified.needs_place() { glue::read_place(client.request) } else { String::new() };
    let (country, asn) = place.split_once('\n').unwrap_or_default();
    let values = RequestValues { fields: client.fields, query: client.url.query(), place: Place { country, asn } };
    request.partition(identified, &values)
}

/// Resolves the API key of a request to its tenant, if the route or the configuration needs it.
///
/// # Errors
/// Returns the refusal if the client has sent too many unknown keys, or if the key cannot be looked up and the
/// request must not pass without.
async fn authenticate(
    isolate: &Rc<Isolate>,
    context: &Context,
    redis: &Limiter<EdgeTransport<'_>>,
    request: &RoutedRequest<'_>,
) -> Result<Caller, Problem> {
    let Some(key) = request.key() else { return Ok(Caller::Anonymous) };
    let tenants = TenantStore::of(redis);
    let error = match isolate.authenticator.authenticate(tenants, key, &request.client(), now()).await {
        Ok(authentication) => {
            if authentication.refresh {
                let (isolate, id) = (Rc::clone(isolate), key.tenant().clone());
                context.wait_until(async move {
                    let redis = isolate.limiter();
                    if let Err(error) = isolate.authenticator.refresh(TenantStore::of(&redis), &id, now()).await {
                        log::redis_failure("tenant", &format!("{id} is not read again: {error}"));
                    }
                });
            }
            return Ok(authentication.caller);
        }
        Err(error) => error,
    };
    match error {
        AuthenticationError::TooManyGuesses(wait) => Err(Problem::too_many_unknown_keys(wait)),
        AuthenticationError::Store(error @ (StoreError::Unreadable(_) | StoreError::Index { .. })) => {
            log::failure(&format!("tenant {}", key.tenant()), &error);
            Err(Problem::misconfigured())
        }
        error => match request.on_outage(false) {
            policy @ OnOutage::Closed => {
                log::outage(&error, policy, "refused the request");
                Err(Problem::limiter_unavailable(error.retry()))
            }
            policy @ (OnOutage::Open | OnOutage::Local) => {
                log::outage(&error, policy, "could not look up the API key, and limited the client address instead");
                Ok(Caller::Anonymous)
            }
        },
    }
}
