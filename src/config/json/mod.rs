//! JSON

pub(crate) use object::{Object, Problems, expected, integer, join, members, text, timestamp};
mod object;

pub use object::{FieldProblem, InvalidInput};
