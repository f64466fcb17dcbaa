//! One rule.

use std::net::IpAddr;

use ipnet::IpNet;

use super::pattern::Pattern;
use super::statuses::Statuses;
use crate::config::outage::OnOutage;
use crate::limit::Limit;

/// What holds for the requests that a pattern matches, beside the plan of the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The requests.
    pub pattern: Pattern,
    /// What a request costs, in units: at the route's own limits, or if it has none, at those of the plan.
    pub cost: u64,
    /// Limits that hold here only, together with those of the plan.
    pub limits: Vec<Limit>,
    /// The name of the plan that holds here, whoever asks.
    pub plan: Option<String>,
    /// Not limited at all.
    pub exempt: bool,
    /// Only with an API key.
    pub require_key: bool,
    /// What a failure of Redis means here, if not what it means elsewhere.
    pub on_outage: Option<OnOutage>,
    /// BatchVerdict and charged, but never refused.
    pub shadow: bool,
    /// Networks whose requests are not limited.
    pub allow: Vec<IpNet>,
    /// Networks whose requests are refused. They win over `allow`.
    pub deny: Vec<IpNet>,
    /// The header of the origin's answer that carries the real cost, in lower case.
    pub settle: Option<String>,
    /// Answers that cost nothing.
    pub refund_on: Statuses,
    /// The only answers that cost something, if there are any.
    pub count_on: Statuses,
}

impl Route {
    /// A route that changes nothing.
    #[must_use]
    pub fn new(pattern: Pattern) -> Self {
        Route {
            pattern,
            cost: 1,
            limits: Vec::new(),
            plan: None,
            exempt: false,
            require_key: false,
            on_outage: None,
            shadow: false,
            allow: Vec::new(),
            deny: Vec::new(),
            settle: None,
            refund_on: Statuses::default(),
            count_on: Statuses::default(),
        }
    }

    /// Whether requests of this address are refused.
    #[must_use]
    pub fn denies(&self, address: Option<IpAddr>) -> bool {
        contains(&self.deny, address)
    }

    /// Whether requests of this address are not limited.
    #[must_use]
    pub fn allows(&self, address: Option<IpAddr>) -> bool {
        contains(&self.allow, address) && !self.denies(address)
    }

    /// Whether an answer can change what its request cost.
    #[must_use]
    pub fn may_correct(&self) -> bool {
        self.settle.is_some() || !self.refund_on.is_empty() || !self.count_on.is_empty()
    }

    /// What a request costs after all, when the origin has answered with `status` and perhaps with a real cost.
    #[must_use]
    pub fn real_cost(&self, status: u16, told: Option<u64>) -> u64 {
        if self.is_free(status) { 0 } else { told.unwrap_or(self.cost) }
    }

    /// Whether a request costs nothing that the origin has answered with `status`.
    #[must_use]
    pub fn is_free(&self, status: u16) -> bool {
        self.refund_on.contains(status) || !(self.count_on.is_empty() || self.count_on.contains(status))
    }
}

/// IPv4 in IPv6's clothes (`::ffff:a.b.c.d`) is IPv4.
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
    fn the_answer_decides_the_real_cost() {
        let mut route = Route::new(Pattern::new("* /").unwrap());
        route.cost = 10;
        assert_eq!((route.real_cost(500, None), route.real_cost(200, Some(3))), (10, 3));
        route.refund_on.add("5xx").unwrap();
        assert_eq!((route.real_cost(503, Some(3)), route.real_cost(200, None)), (0, 10));
        route.refund_on = Statuses::default();
        route.count_on.add("401").unwrap();
        assert_eq!((route.real_cost(200, None), route.real_cost(401, None)), (0, 10));
    }
}
