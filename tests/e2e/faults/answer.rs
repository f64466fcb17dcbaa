//! What a client is told.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::time::Instant;

use super::site::Site;
use crate::support::{ADDRESS, client, header};

/// A response of the Worker, as far as the limiter is concerned.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) elapsed: Duration,
    /// The header `RateLimit`, or an empty string.
    budget: String,
    timing: String,
    retry_after: String,
    content_type: String,
    /// The type of the problem, or an empty string.
    problem: String,
}

impl Answer {
    /// Sends a request of the caller at this address.
    pub(super) async fn to(site: &Site, address: &str) -> Self {
        Answer::of(client().get(site.bare.url() + PATH).header(ADDRESS, address)).await
    }

    /// Sends a request.
    pub(super) async fn of(request: RequestBuilder) -> Self {
        let start = Instant::now();
        let response = request.send().await.unwrap();
        let [budget, timing, retry_after, content_type] =
            ["ratelimit", "server-timing", "retry-after", "content-type"].map(|name| header(&response, name));
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        let elapsed = start.elapsed();
        let problem =
            serde_json::from_slice::<Value>(&body).ok().and_then(|body| Some(body["type"].as_str()?.to_owned()));
        Answer { status, elapsed, budget, timing, retry_after, content_type, problem: problem.unwrap_or_default() }
    }

    /// Returns whether the request was forwarded with the verdict of a limiter.
    pub(super) fn is_admitted(&self) -> bool {
        self.status == 200 && !self.budget.is_empty()
    }

    /// Returns whether the request was forwarded without a verdict, and says so.
    pub(super) fn is_unjudged(&self) -> bool {
        self.status == 200 && self.budget.is_empty() && self.timing.ends_with("desc=\"unjudged\"")
    }

    /// Returns whether a limiter refused the request.
    pub(super) fn is_refused(&self) -> bool {
        self.is_problem(429, "quota-exceeded") && !self.budget.is_empty()
    }

    /// Returns whether the request was refused because nobody could decide it.
    pub(super) fn is_unavailable(&self) -> bool {
        self.is_problem(503, "temporary-reduced-capacity") && self.budget.is_empty()
    }

    fn is_problem(&self, status: u16, problem: &str) -> bool {
        self.status == status
            && self.content_type == "application/problem+json"
            && self.problem.ends_with(problem)
            && self.retry_after.parse::<u64>().is_ok_and(|seconds| seconds >= 1)
    }
}

/// The path of all requests.
pub(super) const PATH: &str = "/hello";
