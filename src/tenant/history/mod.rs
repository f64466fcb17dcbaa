//! The usage of each tenant, day by day (UTC), for the last 90 days.
//!
//! A tenant's [usage meters](crate::limit::usage) hold two numbers: the units used today and the units used in
//! total. Their difference is the usage up to the last midnight. Once a day, a [`Recorder`] adds the growth of
//! this difference to the tenant's ledger. [`read`] computes the same without writing, so the history is
//! correct even if the recorder has not run yet.
//!
//! - `history`: [`read`] and [`reset`] the [`History`] of a tenant.
//! - `day`: [`Day`], a day in UTC. `reading`: the usage meters, read in one call. `ledger`: the recorded days
//!   of one tenant.
//! - `recorder`: [`Recorder`], the scheduled job; `recording` its work while it holds the lock, `progress` how
//!   far it has come, `budget` its limit of requests, `report` its result.
//!
//! # Which day a unit counts on
//!
//! - A request counts on the day of its check, by the clock that decided it.
//! - A settlement counts on the same day until that day is closed, some minutes after its end. Later, charged
//!   units count on the day of the settlement. Refunded units come off that day too, and if it has used fewer,
//!   off the newest days before.
//! - If no recorder ran for some days, their usage counts on the newest of them.
//! - A [`reset`] keeps the recorded days, and discards what was used and refunded since.
//! - A ledger expires if it is not written for 91 days. What the tenant used in the meantime is left out.
//!
//! So the units of all days, including today, add up to what was used, less what was refunded and what a reset
//! discarded. No day is below 0, and a day without usage is absent.
//!
//! # Consistency
//!
//! One lock, `usage:history`, guards all ledgers; lock names from HTTP clients cannot contain `:`. A ledger is
//! one value, replaced by one fenced write. It holds both the units of each day and how far the meters are
//! counted. So if a recorder dies, a tenant is recorded completely or not at all, and the next recorder sees
//! which. A recorder that resumes after another has taken over is refused by its fencing token.
//!
//! All ledgers are in the Redis Cluster slot of the lock, at about 2 KB a tenant: with very many tenants this
//! slot is heavily loaded. An eviction policy that removes keys breaks the history as it breaks the limits:
//! usage meters that are lost without a reset look like refunds.

mod budget;
mod day;
mod history;
mod ledger;
mod progress;
mod reading;
mod recorder;
mod recording;
mod report;

pub use day::{Day, NotADay};
pub use history::{DayUsage, History, HistoryError, read, reset};
pub use recorder::Recorder;
pub use report::{End, RecordError, Report};
