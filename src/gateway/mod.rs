//! What to do with a request.

mod admission;
mod charge;

pub use admission::{Admission, Look, look, route};
pub use charge::{Charge, Correction};
