//! A route: the rules for the requests that a pattern matches.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use super::statuses::Statuses;
use crate::config::costs::{RequestReading, Settle};
use crate::config::onward::Onward;
use crate::config::outage::OnOutage;
use crate::limit::Limit;

/// The rules for the requests that a pattern matches, in addition to the subject's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The requests that the route applies to.
    pub pattern: Pattern,
    /// The cost of a request that tells none itself, in units. The route's own limits are charged, or those of the plan if
    /// it has none.
    pub cost: u64,
    /// What is read of a request before it is checked, if anything is.
    pub reading: Option<RequestReading>,
    /// Limits of this route, in addition to those of the plan.
    pub limits: Vec<Limit>,
    /// The name of the plan that replaces the subject's plan.
    pub plan: Option<String>,
    /// Whether requests are not limited at all.
    pub exempt: bool,
    /// Whether requests need an API key.
    pub require_key: bool,
    /// What requests must be identified by, other than an API key.
    pub require: Option<Requirement>,
    /// The outage policy of this route, if it has its own.
    pub on_outage: Option<OnOutage>,
    /// Whether requests are checked and charged, but never refused.
    pub shadow: bool,
    /// Networks whose requests are not limited.
    pub allow: Vec<IpNet>,
    /// Networks whose requests are refused. They win over `allow`.
    pub deny: Vec<IpNet>,
    /// Where the origin's response tells the real cost.
    pub settle: Option<Arc<Settle>>,
    /// The statuses of responses that cost nothing.
    pub refund_on: Statuses,
    /// The only statuses of responses that cost something, unless empty.
    pub count_on: Statuses,
    /// How requests are sent to the origin.
    pub onward: Onward,
}

/// What requests of a route must be identified by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename = "requirement", rename_all = "snake_case")]
pub enum Requirement {
    /// A valid JSON Web Token.
    Jwt,
}

impl Route {
    /// Creates a route with default rules.
    #[must_use]
    pub fn new(pattern: Pattern) -> Self {
        Route {
            pattern,
            cost: 1,
            reading: None,
            limits: Vec::new(),
            plan: None,
            exempt: false,
            require_key: false,
            require: None,
            on_outage: None,
            shadow: false,
            allow: Vec::new(),
            deny: Vec::new(),
            settle: None,
            refund_on: Statuses::default(),
            count_on: Statuses::default(),
            onward: Onward::default(),
        }
    }

    /// Returns whether requests from this address are refused.
    #[must_use]
    pub fn denies(&self, address: Option<IpAddr>) -> bool {
        contains(&self.deny, address)
    }

    /// Returns whether requests from this address are not limited.
    #[must_use]
    pub fn allows(&self, address: Option<IpAddr>) -> bool {
        contains(&self.allow, address) && !self.denies(address)
    }

    /// Returns whether the response can change the cost of its request.
    #[must_use]
    pub fn may_correct(&self) -> bool {
        self.settle.is_some() || !self.refund_on.is_empty() || !self.count_on.is_empty()
    }

    /// Returns whether a request costs nothing because of the response's status.
    #[must_use]
    pub fn is_free(&self, status: u16) -> bool {
        self.refund_on.contains(status) || !(self.count_on.is_empty() || self.count_on.contains(status))
    }
}

/// Treats an IPv4-mapped address (`::ffff:a.b.c.d`) as IPv4.
fn contains(networks: &[IpNet], address: Option<IpAddr>) -> bool {
    address.is_some_and(|address| networks.iter().any(|network| network.contains(&address.to_canonical())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_allow_and_deny() {
        let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let mut route = Route::new(Pattern::new("* /").unwrap());
        route.allow = networks(&["10.0.0.0/8", "2001:db8::/32"]);
        route.deny = networks(&["10.1.0.0/16"]);
        let address = |text: &str| Some(text.parse().unwrap());
        assert!(route.allows(address("10.2.0.1")) && route.allows(address("::ffff:10.2.0.1")));
        assert!(route.allows(address("2001:db8:1::1")));
        assert!(!route.allows(address("10.1.0.1")) && route.denies(address("::ffff:10.1.0.1")));
        assert!(!route.allows(address("11.0.0.1")) && !route.denies(address("11.0.0.1")));
        assert!(!route.allows(None) && !route.denies(None));
    }

    #[test]
    fn some_statuses_are_free() {
        let mut route = Route::new(Pattern::new("* /").unwrap());
        assert!(!route.is_free(500) && !route.is_free(200));
        route.refund_on.add("5xx").unwrap();
        assert!(route.is_free(503) && !route.is_free(200));
        route.refund_on = Statuses::default();
        route.count_on.add("401").unwrap();
        assert!(route.is_free(200) && !route.is_free(401));
    }
}
