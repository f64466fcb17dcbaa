//! The targets, by what they read.
//!
//! - `config`: the variable `SLUICEGATE`; `routes`: patterns of routes, and the paths that they match
//! - `names`: API keys, ids, times and the other short texts
//! - `redis_reply`: replies of the REST server; `limiter`: those to checks and settlements
//! - `tenant`: documents of tenants; `history`: ledgers of usage; `recorder`: replies to the scheduled job
//! - `api`: calls of the admin API; `token`: JSON Web Tokens, and the keys for them
//! - `fields`: verdicts as `RateLimit` headers; `field_text`: these headers as the demo page reads them
//! - `usage`: costs that a request or a response tells

mod api;
mod config;
mod field_text;
mod fields;
mod history;
mod limiter;
mod names;
mod recorder;
mod redis_reply;
mod routes;
mod tenant;
mod token;
mod usage;

/// A fuzz target: what one kind of input must never do.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name: that of its file, and of its folder below `corpus/` and `crashes/`.
    pub name: &'static str,
    run: fn(&[u8]),
}

impl Target {
    /// Returns the target with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.into_iter().find(|target| target.name == name)
    }

    /// Runs the target. Panics if a property does not hold.
    pub fn run(&self, input: &[u8]) {
        (self.run)(input);
    }
}

/// All targets.
pub const TARGETS: [Target; 13] = [
    Target { name: "api", run: api::run },
    Target { name: "config", run: config::run },
    Target { name: "field_text", run: field_text::run },
    Target { name: "fields", run: fields::run },
    Target { name: "history", run: history::run },
    Target { name: "limiter", run: limiter::run },
    Target { name: "names", run: names::run },
    Target { name: "recorder", run: recorder::run },
    Target { name: "redis_reply", run: redis_reply::run },
    Target { name: "routes", run: routes::run },
    Target { name: "tenant", run: tenant::run },
    Target { name: "token", run: token::run },
    Target { name: "usage", run: usage::run },
];
