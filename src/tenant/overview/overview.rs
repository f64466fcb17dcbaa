//! Reads the overview.

use super::readings::Reading;
use super::shortlist::{KEY, Listed, PLACES, Shortlist};
use super::sightings::{NEAR, percent};
use crate::config::Config;
use crate::limit::{Algorithm, Budget, Limit, Retry, usage};
use crate::limiter::{Limiter, PackedState};
use crate::redis::{self, Command, RedisError, Transport};
use crate::tenant::history::Day;
use crate::tenant::id::TenantId;
use crate::tenant::settings::Status;
use crate::tenant::store::{Stored, TenantStore};
use crate::time::Millis;

/// All tenants at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The time of the newest report of an isolate, by its clock.
    pub reported_at: Option<Millis>,
    /// The day, in UTC.
    pub day: Day,
    /// The tenants that used most on this day, in descending order.
    pub top: Vec<TopTenant>,
    /// The tenants near a limit, the fullest limit first.
    pub near: Vec<NearTenant>,
    /// Whether the shortlist had no place for more tenants near a limit.
    pub more: bool,
    /// Why the documents of some tenants are left out.
    pub unreadable: Option<String>,
}

/// A tenant that used much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopTenant {
    /// The tenant.
    pub id: TenantId,
    /// Its plan.
    pub plan: String,
    /// Whether it is active.
    pub status: Status,
    /// The units used on this day.
    pub units: u64,
    /// The requests refused on this day, as far as isolates have reported them.
    pub refused: u64,
}

/// A tenant near at least one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearTenant {
    /// The tenant.
    pub id: TenantId,
    /// Its plan.
    pub plan: String,
    /// Whether it is active.
    pub status: Status,
    /// The limits that it is near, the fullest first.
    pub limits: Vec<NearLimit>,
}

/// A limit of which at least 80 % is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearLimit {
    /// Its budget.
    pub budget: Budget,
    /// The pattern of its route, if it is not a limit of the plan.
    pub route: Option<String>,
    /// When an isolate saw this, if it was not read just now.
    pub seen_at: Option<Millis>,
}

impl NearTenant {
    /// Returns the percentage of its fullest limit that is used.
    fn share(&self) -> u64 {
        self.limits.first().map_or(0, NearLimit::share)
    }
}

impl NearLimit {
    fn share(&self) -> u64 {
        let capacity = self.budget.limit.capacity();
        percent(capacity.saturating_sub(self.budget.remaining), capacity)
    }
}

/// Reads the overview at `now`, in two commands; in one if no tenant is in the shortlist.
///
/// # Errors
/// Fails if Redis fails.
pub async fn read<T: Transport>(limiter: &Limiter<T>, config: &Config, now: Millis) -> Result<Overview, RedisError> {
    let text: Option<String> = redis::run(limiter.transport(), Command::new("GET").text(KEY)).await?;
    let shortlist = Shortlist::parse(&text.unwrap_or_default());
    let ids: Vec<TenantId> = shortlist.tenants.iter().map(|listed| listed.id.clone()).collect();
    let day = Day::of(now);
    let mut overview =
        Overview { reported_at: shortlist.reported_at, day, top: vec![], near: vec![], more: false, unreadable: None };
    let near_places = shortlist.tenants.iter().filter(|listed| listed.until > now).count();
    overview.more = near_places as u64 >= PLACES;
    let route_limits = route_limits(config);
    let found = TenantStore::of(limiter).get_many_with_states(&ids).await?;
    for (listed, (stored, state)) in shortlist.tenants.iter().zip(found) {
        match stored {
            Ok(Some(stored)) => overview.add(listed, &stored, state.as_deref(), config, &route_limits, now),
            // Deleted meanwhile.
            Ok(None) => {}
            Err(error) => overview.unreadable = Some(error.to_string()),
        }
    }
    overview.top.truncate(TOP);
    Ok(overview)
}

impl Overview {
    /// Adds a tenant where it belongs.
    fn add(
        &mut self,
        listed: &Listed,
        stored: &Stored,
        state: Option<&str>,
        config: &Config,
        route_limits: &[(&Limit, String)],
        now: Millis,
    ) {
        let (id, tenant) = (stored.id.clone(), &stored.tenant);
        let (plan, status) = (tenant.plan().to_owned(), tenant.status());
        let state = PackedState::parse(state).unwrap_or_default();
        let [day, _total] = usage::meters();
        let units = state.budget(&day, now).map_or(0, |budget| day.quota() - budget.remaining);
        if units > 0 {
            let refused = listed.refused_on(self.day);
            let tenant = TopTenant { id: id.clone(), plan: plan.clone(), status, units, refused };
            insert(&mut self.top, tenant, |a, b| (a.units, &b.id) > (b.units, &a.id));
        }
        // A tenant whose plan no longer exists has none.
        let own = tenant.limits(config, now).unwrap_or_default();
        let of_plan = own.iter().map(|limit| (limit, None));
        let of_routes = route_limits.iter().filter(|(limit, _)| !own.iter().any(|own| own.keeps_state_of(limit)));
        let all = of_plan.chain(of_routes.map(|(limit, route)| (*limit, Some(route.clone()))));
        let mut limits = Vec::new();
        for (limit, route) in all.filter(|(limit, _)| limit.by().is_none()) {
            let read = state.budget(limit, now).map(|budget| (budget, None));
            let Some((budget, seen_at)) = read.or_else(|| seen(limit, &listed.readings, now)) else { continue };
            let near = NearLimit { budget, route, seen_at };
            if near.share() >= NEAR {
                insert(&mut limits, near, |a, b| a.share() >= b.share());
            }
        }
        if !limits.is_empty() {
            let tenant = NearTenant { id, plan, status, limits };
            insert(&mut self.near, tenant, |a, b| (a.share(), &b.id) > (b.share(), &a.id));
        }
    }
}

/// Inserts an item behind those that come before it. Both lists are short.
fn insert<T>(list: &mut Vec<T>, item: T, comes_before: impl Fn(&T, &T) -> bool) {
    let place = list.partition_point(|other| comes_before(other, &item));
    list.insert(place, item);
}

/// Returns the budget of a sliding log as an isolate has seen it, and when, unless it is full again.
fn seen(limit: &Limit, readings: &[Reading], now: Millis) -> Option<(Budget, Option<Millis>)> {
    let Algorithm::SlidingLog { .. } = limit.algorithm() else { return None };
    let seen = readings.iter().find(|seen| seen.name == limit.name().as_str() && seen.until > now)?;
    let remaining = limit.quota().saturating_sub(seen.used);
    let reset = Millis::new(seen.until.get() - now.get());
    Some((Budget { limit: limit.clone(), remaining, retry: Retry::Now, reset }, Some(seen.at)))
}

/// Returns the limits of routes that count by the caller alone, each once, with the pattern of the first route that has it.
fn route_limits(config: &Config) -> Vec<(&Limit, String)> {
    let mut limits: Vec<(&Limit, String)> = Vec::new();
    for route in config.routes.all() {
        for limit in &route.limits {
            if !limits.iter().any(|(known, _)| known.keeps_state_of(limit)) {
                limits.push((limit, route.pattern.to_string()));
            }
        }
    }
    limits
}

/// The length of the list of tenants that used most.
const TOP: usize = 20;
