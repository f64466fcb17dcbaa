//! A rate limiter for the edge: one atomic Lua script a request, over Upstash's REST protocol.
//!
//! The modules stand in the order in which a request meets them, and each uses only those above it:
//!
//! 1. [`time`] is the only notion of time; nothing in the core reads a clock, `now` is a parameter.
//! 2. [`facts`] is what the edge saw of a request, as plain data.
//! 3. [`policy`] is what may be configured: limits and plans, valid by construction.
//! 4. [`config`] turns the operator's JSON into a [`config::Config`], or says what is wrong and where.
//! 5. [`subject`] answers who is asking.
//! 6. [`verdict`] is the answer: allow or deny, with a budget for each limit.
//! 7. [`question`] is what is asked: requests with a cost and a lease.
//! 8. [`algorithm`] holds the algorithms as state machines, the twins of `lua/check.lua`.
//! 9. [`local`] judges by them, in memory.
//! 10. [`script`] holds the Lua scripts, their two spellings and their SHA-1s.
//! 11. [`redis`] speaks the REST protocol: commands, replies, errors, the client on `reqwest`.
//! 12. [`cas`] changes a value only if it is what the caller believes it to be.
//! 13. [`lock`] is a lock with a fencing token, and the writes that the token guards.
//! 14. [`deployment`] reads the variables of a Worker: the origin, Redis, the secrets, the configuration.
//! 15. [`limiter`] asks Redis the question, in one call.
//! 16. [`settle`] is what comes after: the real cost, the end of a lease, a fresh start.
//! 17. [`headers`] and [`problem`] say the verdict in HTTP's terms.
//! 18. [`forwarding`] is what the proxy must not carry on, and what it must say.
//!
//! The core takes `now` and bytes and returns values and bytes. The Worker around it is the module
//! `edge`, which exists only on `wasm32` with the feature `edge`.

pub mod algorithm;
pub mod cas;
pub mod config;
pub mod deployment;
pub mod facts;
pub mod forwarding;
pub mod headers;
pub mod limiter;
pub mod local;
pub mod lock;
pub mod policy;
pub mod problem;
pub mod question;
pub mod redis;
pub mod script;
pub mod settle;
pub mod subject;
pub mod time;
pub mod verdict;

#[cfg(all(target_arch = "wasm32", feature = "edge"))]
mod edge;
