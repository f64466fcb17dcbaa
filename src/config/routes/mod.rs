//! Routes: which rules apply to which requests.
//!
//! - `pattern`: the pattern of a route, `METHOD /path`
//! - `statuses`: sets of HTTP statuses
//! - `route`: the rules of one route
//! - `path`: normalizes a path for comparison
//! - `interpretations`: what servers may make of a path that is not plain
//! - `segment`: a segment of a path, as a value to count by
//! - `tree`: the index of the patterns
//! - `table`: finds the route of a request

mod interpretations;
mod path;
mod pattern;
mod route;
mod segment;
mod statuses;
mod table;
mod tree;

pub use interpretations::stays_below_base;
pub use pattern::Pattern;
pub use route::{Requirement, Route};
pub use segment::segment;
pub use statuses::Statuses;
pub use table::{RouteMatch, Routes, Unreachable};
