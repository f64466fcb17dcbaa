//! The Worker, in workerd, run by `wrangler dev`.

mod command;
mod error;
mod group;
mod log;
mod members;
mod options;
mod running;
mod starting;
mod wrangler_lines;

pub use error::{WorkerDeath, WorkerError};
pub use log::{Follow, Line, Log, Output};
pub use options::WorkerOptions;
pub use running::Worker;
