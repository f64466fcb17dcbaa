//! What an isolate has seen of its tenants, and what of it is new.

use super::readings::Reading;
use super::report::{Report, ReportedTenant};
use crate::limit::usage::Usage;
use crate::limit::{Algorithm, Budget, Verdict};
use crate::limiter::Decider;
use crate::tenant::history::Day;
use crate::tenant::id::TenantId;
use crate::time::Millis;

/// The tenants that an isolate has seen today. Bounded: a tenant too many is seen again later.
#[derive(Debug, Clone)]
pub struct Sightings {
    day: Day,
    /// In the order of the ids. A map would take more room in the Worker than this.
    tenants: Vec<(TenantId, Sighting)>,
    /// The units above which a tenant gets a place in the shortlist, and when this was learned.
    threshold: (u64, Millis),
    /// Whether something is to be reported.
    is_due: bool,
    /// When the report under way began.
    reporting_since: Option<Millis>,
}

/// What is known of a tenant, and what of it was reported.
#[derive(Debug, Clone, Default)]
struct Sighting {
    seen: Seen,
    told: Seen,
    readings: Vec<Reading>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// The units used today.
    units: u64,
    /// The requests refused today.
    refused: u64,
    /// Percent used of the fullest limit.
    share: u64,
    /// When the limits near their end are full again.
    until: Millis,
}

impl Default for Sightings {
    fn default() -> Self {
        Sightings {
            day: Day::of(Millis::ZERO),
            tenants: Vec::new(),
            threshold: (0, Millis::ZERO),
            is_due: false,
            reporting_since: None,
        }
    }
}

impl Sightings {
    /// Notes the verdict on a request of a tenant at `now`, and the usage that came with it. Of a refusal that Redis was not
    /// asked about, only that counts.
    pub fn note(&mut self, tenant: &TenantId, verdict: &Verdict, usage: Usage, decider: Decider, now: Millis) {
        let threshold = self.threshold_at(now);
        let Some(sighting) = self.sighting(tenant, now) else { return };
        sighting.seen.refused += u64::from(!verdict.is_allow());
        if decider != Decider::Refusal {
            sighting.seen.units = usage.day;
            sighting.see(verdict.budgets(), now);
        }
        self.is_due |= sighting.is_news(threshold, now);
    }

    /// Returns whether a report is due at `now`, and begins it. It should be taken after [`REPORT_AFTER`], so that it has
    /// what other requests bring until then.
    pub fn begin_report(&mut self, now: Millis) -> bool {
        let is_under_way = self.reporting_since.is_some_and(|since| now < since.saturating_add(REPORT_LASTS));
        if !self.is_due || is_under_way {
            return false;
        }
        self.reporting_since = Some(now);
        true
    }

    /// Takes what is new, and counts it as reported.
    pub fn take_report(&mut self, now: Millis) -> Report {
        let threshold = self.threshold_at(now);
        self.begin_day(now);
        let mut tenants = Vec::new();
        self.is_due = false;
        for (id, sighting) in &mut self.tenants {
            if !sighting.is_news(threshold, now) {
                continue;
            }
            if tenants.len() >= MAX_REPORTED {
                self.is_due = true;
                break;
            }
            let Sighting { seen, told, readings } = sighting;
            tenants.push(ReportedTenant {
                id: id.clone(),
                units: seen.units,
                refused: seen.refused - told.refused,
                share: seen.share,
                until: seen.until,
                readings: readings.clone(),
            });
            *told = *seen;
        }
        Report { day: self.day, tenants }
    }

    /// Ends a report. `threshold` is the reply to it; `None` if it failed. Then its tenants are reported again, but not
    /// their refusals: they may have been counted.
    pub fn end_report(&mut self, report: &Report, threshold: Option<u64>, now: Millis) {
        self.reporting_since = None;
        if let Some(units) = threshold {
            self.threshold = (units, now);
            return;
        }
        for ReportedTenant { id, .. } in &report.tenants {
            for (_, sighting) in self.tenants.iter_mut().filter(|(other, _)| other == id) {
                sighting.told = Seen { refused: sighting.told.refused, ..Seen::default() };
                self.is_due = true;
            }
        }
    }

    /// Returns the units above which a tenant may get a place.
    fn threshold_at(&self, now: Millis) -> u64 {
        let (units, learned) = self.threshold;
        if Day::of(learned) == Day::of(now) && now < learned.saturating_add(THRESHOLD_LASTS) { units } else { 0 }
    }

    /// Returns the sighting of a tenant; `None` if there is no room for it.
    fn sighting(&mut self, tenant: &TenantId, now: Millis) -> Option<&mut Sighting> {
        self.begin_day(now);
        if self.find(tenant).is_err() && self.tenants.len() >= MAX_TENANTS {
            let threshold = self.threshold_at(now);
            self.tenants.retain(|(_, sighting)| sighting.is_news(threshold, now));
        }
        let place = match self.find(tenant) {
            Ok(place) => place,
            Err(_) if self.tenants.len() >= MAX_TENANTS => return None,
            Err(place) => {
                self.tenants.insert(place, (tenant.clone(), Sighting::default()));
                place
            }
        };
        self.tenants.get_mut(place).map(|(_, sighting)| sighting)
    }

    /// Returns the place of a tenant, or where it would be.
    fn find(&self, tenant: &TenantId) -> Result<usize, usize> {
        self.tenants.binary_search_by(|(other, _)| other.cmp(tenant))
    }

    /// Forgets what was seen on another day.
    fn begin_day(&mut self, now: Millis) {
        let today = Day::of(now);
        if today != self.day {
            self.tenants.clear();
            self.day = today;
        }
    }
}

impl Sighting {
    /// Takes over which limits are near their end.
    fn see(&mut self, budgets: &[Budget], now: Millis) {
        if self.seen.until <= now {
            (self.seen.share, self.seen.until) = (0, Millis::ZERO);
            self.readings.clear();
        }
        for budget in budgets {
            let share = share(budget);
            if share < NEAR {
                continue;
            }
            self.seen.share = self.seen.share.max(share);
            self.seen.until = self.seen.until.max(now.saturating_add(budget.reset));
            if let Some(reading) = Reading::of(budget, now) {
                self.readings.retain(|other| other.name != reading.name);
                self.readings.push(reading);
            }
        }
    }

    /// Returns whether this should be reported: there is much more than at the last report, and the tenant may get a place.
    fn is_news(&self, threshold: u64, now: Millis) -> bool {
        let Sighting { seen, told, .. } = self;
        let is_near = seen.until > now;
        let is_nearer = is_near && (told.until <= now || seen.share >= told.share + FURTHER);
        let is_more = grew(told.units, seen.units) || grew(told.refused, seen.refused);
        is_nearer || (is_more && (is_near || seen.units > threshold))
    }
}

/// Returns whether `now` is more than an eighth above `before`.
fn grew(before: u64, now: u64) -> bool {
    now > before.saturating_add(before / 8)
}

/// Returns the percentage of a limit that is used; 0 for a limit that an overview does not have.
fn share(budget: &Budget) -> u64 {
    let Budget { limit, remaining, .. } = budget;
    if limit.by().is_some() || matches!(limit.algorithm(), Algorithm::Concurrency { .. }) {
        return 0;
    }
    percent(limit.capacity().saturating_sub(*remaining), limit.capacity())
}

/// Returns the percentage that `used` is of `all`, rounded down.
pub(super) fn percent(used: u64, all: u64) -> u64 {
    u64::try_from(u128::from(used) * 100 / u128::from(all.max(1))).unwrap_or(u64::MAX)
}

/// The percentage of a limit from which on a tenant is near it.
pub(super) const NEAR: u64 = 80;

/// How many percent further a tenant near a limit is reported again.
const FURTHER: u64 = 5;

/// How long an isolate waits with a report, so that it has many tenants.
pub const REPORT_AFTER: Millis = Millis::from_secs(5);

/// After this time, a report that has not ended is lost with its request.
const REPORT_LASTS: Millis = Millis::from_secs(30);

/// How long a threshold is believed: places become free when tenants are reset or deleted.
const THRESHOLD_LASTS: Millis = Millis::from_secs(600);

/// The most tenants in a report.
const MAX_REPORTED: usize = 64;

/// The most tenants that an isolate has in memory, at some 200 bytes each.
const MAX_TENANTS: usize = 1024;

#[cfg(test)]
mod tests;
