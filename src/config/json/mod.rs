//! JSON from outside: text without duplicate keys, and objects read field by field with all their problems.
//!
//! - `unique_keys`: `parse`, from text to a value
//! - `object`: `Object` and `Problems`, from a value to fields
//!
//! The API and the documents of tenants are read with it, too. It may use [`crate::limit`] and [`crate::time`].

mod object;
mod unique_keys;

pub use object::{FieldProblem, InvalidInput};
pub(crate) use object::{Object, Problems, expected, integer, join, members, text, timestamp};
pub(crate) use unique_keys::parse;
