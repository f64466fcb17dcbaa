//! The requests of one connection and what their responses say.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Request, StatusCode, header::AUTHORIZATION};

use crate::{
    contender::Contender,
    http::HttpError,
    scenario::{Caller, Measure, Scenario},
};

/// What the clients of one contender send in a scenario, and which responses are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    caller: Caller,
    /// The API key of the tenant, if there is one.
    key: Option<String>,
    /// Whether every response must be that of a limiter.
    limited: bool,
    /// Whether a limiter may refuse.
    refusable: bool,
    /// The number of the contender, which has a client address of its own.
    contender: u8,
}

impl Traffic {
    /// Creates the traffic to a contender; `key` is the API key of the tenant.
    #[must_use]
    pub fn new(scenario: &Scenario, contender: Contender, key: Option<String>) -> Self {
        Self {
            caller: scenario.caller,
            key,
            limited: contender.limits(),
            refusable: scenario.measure == Measure::Flood,
            contender: contender as u8,
        }
    }

    /// Returns a request of the client whose turn it is.
    ///
    /// # Errors
    ///
    /// Fails if the API key is not the value of a header.
    pub fn request(&self, turn: usize) -> Result<Request<Full<Bytes>>, HttpError> {
        let address = match self.caller {
            Caller::Addresses => client(turn),
            Caller::OneAddress | Caller::Tenant => IpAddr::V4(Ipv4Addr::new(198, 19, 0, self.contender)),
        };
        let mut request = Request::get(PATH).header("cf-connecting-ip", address.to_string());
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        Ok(request.body(Full::default())?)
    }

    /// Returns whether the request was admitted; `None` if the response is wrong.
    pub(crate) fn admitted(&self, status: StatusCode) -> Option<bool> {
        match status {
            StatusCode::OK => Some(true),
            StatusCode::TOO_MANY_REQUESTS if self.refusable && self.limited => Some(false),
            _ => None,
        }
    }

    /// Returns whether an admitted request has passed the limiter, if there is one.
    pub(crate) fn is_checked(&self, headers: &HeaderMap) -> bool {
        !self.limited || headers.contains_key("ratelimit")
    }
}

/// Returns the time of the limiter in `Server-Timing`, if the Worker reports it.
pub(crate) fn limiter_time(headers: &HeaderMap) -> Option<Duration> {
    let mut values = headers.get_all("server-timing").iter().filter_map(|value| value.to_str().ok());
    let duration = |value: &str| value.strip_prefix("limiter;dur=")?.split(';').next()?.parse().ok();
    values.find_map(duration).map(Duration::from_millis)
}

/// Returns a client address, one of [`CLIENTS`] in the network for benchmarks (RFC 2544, appendix C.2.2).
fn client(turn: usize) -> IpAddr {
    let [.., high, low] = (turn % CLIENTS).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(198, 18, high, low))
}

/// The number of client addresses that take turns.
pub const CLIENTS: usize = 1000;

/// The path of the demo origin's shortest response.
pub const PATH: &str = "/status/200";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use hyper::header::HeaderValue;

    use super::*;
    use crate::scenario::ALL;

    #[test]
    fn clients_take_turns() {
        let clients: HashSet<_> = (0..3 * CLIENTS).map(client).collect();
        assert_eq!(clients.len(), CLIENTS);
        assert_eq!(client(CLIENTS + 258), IpAddr::from([198, 18, 1, 2]));
    }

    #[test]
    fn only_a_flood_may_be_refused() {
        for scenario in ALL {
            let admitted = |contender, status| Traffic::new(&scenario, contender, None).admitted(status);
            let refused = (scenario.measure == Measure::Flood).then_some(false);
            assert_eq!(admitted(Contender::Upstash, StatusCode::TOO_MANY_REQUESTS), refused);
            assert_eq!(admitted(Contender::Forward, StatusCode::TOO_MANY_REQUESTS), None);
            assert_eq!(admitted(Contender::Upstash, StatusCode::OK), Some(true));
            assert_eq!(admitted(Contender::Upstash, StatusCode::SERVICE_UNAVAILABLE), None);
        }
    }

    #[test]
    fn the_time_of_the_limiter_is_read() {
        let headers = |values: &[&'static str]| {
            values
                .iter()
                .map(|value| (hyper::http::HeaderName::from_static("server-timing"), HeaderValue::from_static(value)))
                .fold(HeaderMap::new(), |mut map, (name, value)| {
                    map.append(name, value);
                    map
                })
        };
        assert_eq!(limiter_time(&headers(&["limiter;dur=7"])), Some(Duration::from_millis(7)));
        assert_eq!(limiter_time(&headers(&["db;dur=3", "limiter;dur=0;desc=\"refused\""])), Some(Duration::ZERO));
        assert_eq!(limiter_time(&headers(&["db;dur=3"])), None);
    }
}
