//! A rate limiter for the edge: one atomic Lua script a request, over Upstash's REST protocol.
//!
//! The modules stand in the order in which a request meets them, and each uses only those above it:
//!
//! 1. [`time`] is the only notion of time; nothing in the core reads a clock, `now` is a parameter.
//! 2. [`facts`] is what the edge saw of a request, as plain data.
//! 3. [`policy`] is what may be configured: limits and plans, valid by construction.
//! 4. [`routes`] finds the rule for a request's method and path.
//! 5. [`config`] turns the operator's JSON into a [`config::Config`], or says what is wrong and where.
//! 6. [`tenant`] is a customer: plan, API keys, overrides.
//! 7. [`subject`] answers who is asking.
//! 8. [`verdict`] is the answer: allow or deny, with a budget for each limit.
//! 9. [`meter`] counts what tenants use, by two limits that never refuse.
//! 10. [`question`] is what is asked: requests with a cost and a lease.
//! 11. [`algorithm`] holds the algorithms as state machines, the twins of `lua/check.lua`.
//! 12. [`local`] judges by them, in memory.
//! 13. [`script`] holds the Lua scripts, their two spellings and their SHA-1s.
//! 14. [`redis`] speaks the REST protocol: commands, replies, errors, the client on `reqwest`.
//! 15. [`cas`] changes a value only if it is what the caller believes it to be.
//! 16. [`lock`] is a lock with a fencing token, and the writes that the token guards.
//! 17. [`tenants`] keeps the tenants in Redis, and those in use in memory.
//! 18. [`deployment`] reads the variables of a Worker: the origin, Redis, the secrets, the configuration.
//! 19. [`limiter`] asks Redis the question, in one call.
//! 20. [`settle`] is what comes after: the real cost, the end of a lease, a fresh start.
//! 21. [`history`] keeps what each tenant used, day by day.
//! 22. [`headers`] and [`problem`] say the verdict in HTTP's terms.
//! 23. [`admission`] brings it together: what shall become of a request, and what it will be charged.
//! 24. [`directory`] tells whose an API key is, and lets nobody guess.
//! 25. [`forwarding`] is what the proxy must not carry on, and what it must say.
//! 26. [`admin`] is the API that manages tenants and asks for verdicts.
//!
//! The core takes `now` and bytes and returns values and bytes. The Worker around it is the module
//! `edge`, which exists only on `wasm32` with the feature `edge`.

pub mod admin;
pub mod admission;
pub mod algorithm;
pub mod cas;
pub mod config;
pub mod deployment;
pub mod directory;
pub mod facts;
pub mod forwarding;
pub mod headers;
pub mod history;
pub mod limiter;
pub mod local;
pub mod lock;
pub mod meter;
pub mod policy;
pub mod problem;
pub mod question;
pub mod redis;
pub mod routes;
pub mod script;
pub mod settle;
pub mod subject;
pub mod tenant;
pub mod tenants;
pub mod time;
pub mod verdict;

#[cfg(all(target_arch = "wasm32", feature = "edge"))]
mod edge;
