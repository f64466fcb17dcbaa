//! What each tenant used, day by day (UTC), for the last 90 days.
//!
//! The [meters](crate::limit::usage) of a tenant know two numbers: what it used today and what it used ever. Their
//! difference is what it used until the last midnight, at whatever time one looks. A [`Recorder`] looks once a day
//! and writes what the difference has grown by into the tenant's ledger; [`read`] does the same sum without writing,
//! so the history is right also where the recorder has not come by yet.
//!
//! # Which day gets what
//!
//! - A request counts on the day that judged it, by the clock that judged it.
//! - A correction of its cost counts on the same day as long as that one is not closed, which it is some
//!   minutes after its end. Later, units that are charged count on the day on which the correction came;
//!   units that are given back come off that day too, and where it has used less, off the newest days before.
//! - If no recorder came by for some days, what was used on them counts on the newest of them.
//! - A [`reset`] keeps the days that are recorded, and forgets what was used, and what was given back, since.
//! - A tenant that nobody recorded for 91 days has lost its ledger; what it used in the meantime is left out.
//!
//! So the units of all days and of today are always what was used, less what was given back and what a reset
//! forgot. No day has less than 0, and a day on which nothing was used is absent.
//!
//! # How it is written
//!
//! One lock, `usage:history`, guards all ledgers; no name of a lock that comes over HTTP has a `:`. A ledger is one
//! value, written by one fenced write, and says both how far the meters are counted and the units of each
//! day. So it does not matter where a recorder dies: either all of a tenant is recorded or nothing, and the next
//! one sees which. A recorder that wakes up when another has taken over is refused by the fence.
//!
//! All ledgers are in the Redis Cluster slot of their lock: some 2 KB a tenant. With very many tenants this slot
//! is the heavy one. An eviction policy that removes keys breaks the history as it breaks the limits: meters
//! that are lost without a reset look like units given back.

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
