//! What the programs of this package share: the scenarios, their processes and their load.

pub mod contender;
pub mod counters;
pub mod http;
pub mod limit;
pub mod load;
pub mod scenario;
pub mod stage;
pub mod tenant;
pub mod tools;
pub mod traffic;
pub mod variables;
