//! A rate limiter for the edge: one atomic Lua script per request, over Upstash's REST protocol.
//!
//! Without a network, [`MemoryLimiter`](limit::memory::MemoryLimiter) checks requests in memory:
//!
//! ```
//! use sluicegate::limit::memory::{Capacity, MemoryLimiter};
//! use sluicegate::limit::{Limit, LimitName, Plan, Retry, Subject};
//! use sluicegate::time::Millis;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // 3 requests in any 10 seconds.
//! let plan = Plan::new(vec![Limit::sliding_log(LimitName::new("burst")?, 3, Millis::from_secs(10))?])?;
//! let subject = Subject::named("alice");
//! let mut limiter = MemoryLimiter::new(Capacity::default());
//!
//! // One request per second, each at a cost of 1. The caller reads the clock.
//! let start = Millis::new(1_800_000_000_000);
//! for (second, remaining) in [(0, 2), (1, 1), (2, 0)] {
//!     let now = Millis::new(start.get() + second * 1000);
//!     let verdict = limiter.check(&subject, plan.limits(), 1, now)?;
//!     assert!(verdict.is_allow());
//!     assert_eq!(verdict.budgets()[0].remaining, remaining);
//! }
//!
//! // The fourth request is denied. The first one leaves the window in 7 seconds.
//! let verdict = limiter.check(&subject, plan.limits(), 1, Millis::new(start.get() + 3000))?;
//! assert!(!verdict.is_allow());
//! assert_eq!(verdict.retry(), Retry::After(Millis::from_secs(7)));
//! # Ok(())
//! # }
//! ```
//!
//! [`Limiter`](limiter::Limiter) keeps the state in Redis, so that all isolates share it:
//!
//! ```no_run
//! use sluicegate::limit::{Limit, LimitName, Subject};
//! use sluicegate::limiter::{Limiter, Now};
//! use sluicegate::redis::{HttpTransport, Token, script::Dialect};
//! use sluicegate::time::Millis;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let url = url::Url::parse("https://example.upstash.io")?;
//! let dialect = Dialect::for_host("example.upstash.io");
//! let token = Token::new(&std::env::var("UPSTASH_REDIS_REST_TOKEN")?).ok_or("the token is empty or not ASCII")?;
//! let limiter = Limiter::new(HttpTransport::new(url, &token, Millis::new(250)), dialect);
//!
//! let limits = [Limit::token_bucket(LimitName::new("burst")?, 20, Millis::from_secs(10), None)?];
//! // `Now::Redis` reads the clock of Redis, `Now::At` takes the caller's time.
//! let verdict = limiter.check(&Subject::named("alice"), &limits, 1, Now::Redis).await?;
//! println!("allowed: {}, remaining: {}", verdict.is_allow(), verdict.budgets()[0].remaining);
//! # Ok(())
//! # }
//! ```
//!
//! # Rooms
//!
//! The crate has eleven rooms. Each uses only those above it; `tests/architecture` enforces this.
//!
//! 1. [`time`]: milliseconds and timestamps. No clock: `now` is always a parameter.
//! 2. [`limit`]: what a limit is and how it decides. No I/O.
//! 3. [`redis`]: the REST protocol, the scripts of `lua/`, compare-and-swap, locks.
//! 4. [`limiter`]: limits decided by Redis.
//! 5. [`config`]: the operator's configuration, parsed into types that cannot be invalid.
//! 6. [`jwt`]: JSON Web Tokens, their claims and their keys. No I/O.
//! 7. [`tenant`]: a customer's document, API keys and usage history.
//! 8. [`http`]: HTTP terms as plain data.
//! 9. [`gateway`]: what to do with one request. No I/O.
//! 10. [`admin`]: the admin and check API as plain data.
//! 11. `edge`: the Worker, and the only room that knows the Workers runtime. It exists on `wasm32` with the feature
//!     `edge`.
//!
//! The core takes `now` and bytes and returns values and bytes; `edge` moves the bytes.

pub mod admin;
pub mod config;
pub mod gateway;
pub mod http;
pub mod jwt;
pub mod limit;
pub mod limiter;
pub mod redis;
pub mod tenant;
pub mod time;

#[cfg(all(target_arch = "wasm32", feature = "edge"))]
mod edge;
