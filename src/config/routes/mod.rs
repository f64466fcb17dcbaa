//! Routes

mod interpretations;
mod path;
mod pattern;
mod route;
mod statuses;
mod table;

pub use pattern::Pattern;
pub use route::Route;
pub use statuses::Statuses;
pub use table::{RouteMatch, Routes, Unreachable};
