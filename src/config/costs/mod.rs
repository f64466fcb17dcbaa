//! Where the cost of a request stands: in its own body and headers before it is forwarded, in the response afterwards.
//!
//! - `amount`: decimal numbers, exact
//! - `pointer`: JSON pointers (RFC 6901), and sets of them
//! - `sum`: weighted sums of what pointers point to
//! - `dialect`: names for the pointers of well-known APIs
//! - `settle`: where a response tells the real cost
//! - `reading`: what a route reads of a request
//! - `size`: sizes like `256KiB`

mod amount;
mod dialect;
mod pointer;
mod reading;
mod settle;
mod size;
mod sum;

pub use amount::{Amount, Weight};
pub use dialect::Dialect;
pub use pointer::{MAX_STEPS, Pointer, Pointers};
pub use reading::{CostSource, RequestReading};
pub use settle::{Alternative, Settle, SettleRule};
pub use size::parse_size;
pub use sum::{BodyFormat, Sum, Term};
