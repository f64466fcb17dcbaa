//! A rate limiter for the edge: one atomic Lua script a request, over Upstash's REST protocol.
//!
//! The modules stand in the order in which a request meets them, and each uses only those above it:
//!
//! 1. [`time`] is the only notion of time; nothing in the core reads a clock, `now` is a parameter.
//! 2. [`facts`] is what the edge saw of a request, as plain data.
//! 3. [`policy`] is what may be configured: limits and plans, valid by construction.
//! 4. [`config`] turns the operator's JSON into a [`config::Config`], or says what is wrong and where.
//! 5. [`subject`] answers who is asking.
//! 6. [`script`] holds the Lua scripts, their two spellings and their SHA-1s.
//! 7. [`redis`] speaks the REST protocol: commands, replies, errors, the client on `reqwest`.
//! 8. [`deployment`] reads the variables of a Worker: the origin, Redis, the secrets, the configuration.
//! 9. [`verdict`] is the answer: allow or deny, with a budget for each limit.
//! 10. [`limiter`] asks the question, in one call.
//! 11. [`headers`] and [`problem`] say the verdict in HTTP's terms.
//! 12. [`forwarding`] is what the proxy must not carry on, and what it must say.
//!
//! The core takes `now` and bytes and returns values and bytes. The Worker around it is the module
//! `edge`, which exists only on `wasm32` with the feature `edge`.

pub mod config;
pub mod deployment;
pub mod facts;
pub mod forwarding;
pub mod headers;
pub mod limiter;
pub mod policy;
pub mod problem;
pub mod redis;
pub mod script;
pub mod subject;
pub mod time;
pub mod verdict;

#[cfg(all(target_arch = "wasm32", feature = "edge"))]
mod edge;
