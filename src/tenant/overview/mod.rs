//! All tenants at a glance: which used most today, and which are near a limit. However many tenants there are, an overview
//! takes two commands.
//!
//! Each isolate knows what the replies to its checks say of its tenants ([`Sightings`]). What is new it reports to the
//! shortlist, a value in Redis with a bounded number of tenants. [`read`] reads the shortlist, then with one `MGET` the
//! documents and the packed states of these tenants. So the shortlist only says which tenants to look at; the numbers are
//! those of the limits themselves.
//!
//! - `sightings`: [`Sightings`], what an isolate has seen and not reported. `report`: [`Report`], and how it is sent.
//! - `shortlist`: the tenants in the shortlist. `readings`: what was seen of sliding logs, which are not packed.
//! - `overview`: [`Overview`] and [`read`].
//!
//! # Which tenants are in it
//!
//! A tenant is reported when an isolate first sees it on a day, when it has used an eighth more than at its last report,
//! and when a limit gets to 80 %, or 5 % further. 64 tenants have a place for their units. So the list of 20 is exact,
//! unless more than 44 tenants are within an eighth of its end; a tenant that is missing then has used at most an eighth
//! more than the last one. What is settled after a request, or given back, an isolate sees with the next request. A report
//! is lost if its isolate dies within the five seconds before it is sent.

mod overview;
mod readings;
mod report;
mod shortlist;
mod sightings;

pub use overview::{NearLimit, NearTenant, Overview, TopTenant, read};
pub use readings::Reading;
pub use report::Report;
pub use sightings::{REPORT_AFTER, Sightings};
