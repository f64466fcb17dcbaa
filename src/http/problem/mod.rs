//! Problem details

mod api;
mod client;
mod problem;

pub use problem::{CONTENT_TYPE, Problem};
