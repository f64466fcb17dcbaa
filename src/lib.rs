//! A rate limiter for the edge: one atomic Lua script per request, over Upstash's REST protocol.
//!
//! # Rooms
//!
//! The crate has ten rooms. Each uses only those above it; `tests/architecture` enforces this.
//!
//! 1. [`time`]: milliseconds and timestamps. No clock: `now` is always a parameter.
//! 2. [`limit`]: what a limit is and how it decides. No I/O.
//! 3. [`redis`]: the REST protocol, the scripts of `lua/`, compare-and-swap, locks.
//! 4. [`limiter`]: limits decided by Redis.
//! 5. [`config`]: the operator's configuration, parsed into types that cannot be invalid.
//! 6. [`tenant`]: a customer's document, API keys and usage history.
//! 7. [`http`]: HTTP terms as plain data.
//! 8. [`gateway`]: what to do with one request. No I/O.
//! 9. [`admin`]: the admin and check API as plain data.
//! 10. `edge`: the Worker, and the only room that knows the Workers runtime. It exists on `wasm32` with the feature
//!     `edge`.
//!
//! The core takes `now` and bytes and returns values and bytes; `edge` moves the bytes.

pub mod admin;
pub mod config;
pub mod gateway;
pub mod http;
pub mod limit;
pub mod limiter;
pub mod redis;
pub mod tenant;
pub mod time;

#[cfg(all(target_arch = "wasm32", feature = "edge"))]
mod edge;
