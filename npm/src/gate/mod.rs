//! The limiter as a library for JavaScript.
//!
//! - `gate`: [`Gate`], what JavaScript calls. Texts of JSON go in and out: one crossing each.
//! - `state`: what a gate keeps between checks.
//! - `check`: decides about a request; `judged`: the decision as JSON; `subject`: whom and what it concerns.
//! - `settle`: settlements; `lease`: releases; `tenants`: API keys.
//! - `fetch`, `timer`, `background`, `log`, `js`: the runtime around it.

mod background;
mod check;
mod fetch;
mod gate;
mod js;
mod judged;
mod lease;
mod log;
mod settle;
mod state;
mod subject;
mod tenants;
mod timer;

pub use gate::Gate;
