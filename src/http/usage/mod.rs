//! The cost that a request or its response tells, read from bytes that come in pieces. The memory is bounded, whatever the
//! length of a body.
//!
//! - `json`: finds the values that pointers point to in a JSON document
//! - `nesting`: where a reader is in a document; `number`, `text`: the tokens of JSON
//! - `events`: finds numbers in the events of a stream
//! - `meter`: [`UsageMeter`], which reads one response
//! - `request`: the cost that a request tells, and whether it asks for a stream
//! - `body_memory`: bounds the memory for bodies of requests
//! - `unique`: refuses a document in which a key appears twice

mod body_memory;
mod events;
mod json;
mod meter;
mod nesting;
mod number;
mod request;
mod text;
mod unique;

pub use body_memory::BodyMemory;
pub use events::EventReader;
pub use json::{Hit, JsonReader, Kind};
pub use meter::{Reported, Usage, UsageMeter};
pub use request::{ReadRequest, body_to_read, read_request};
