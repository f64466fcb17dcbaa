//! Limits, as written.

use serde::Deserialize;
use serde::de::Deserializer;

use super::duration::{duration, text};
use crate::limit::{By, InvalidLimit, Limit, LimitName, Window};
use crate::time::{InvalidDuration, Millis};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimit {
    name: String,
    algorithm: RawAlgorithm,
    limit: u64,
    #[serde(default, deserialize_with = "duration_text")]
    window: Option<String>,
    burst: Option<u64>,
    #[serde(default, deserialize_with = "lease")]
    lease: Option<Millis>,
    #[serde(default)]
    counts: Counts,
    by: Option<String>,
}

/// The unit that a limit counts.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename = "unit", rename_all = "snake_case")]
enum Counts {
    /// The cost of each request.
    #[default]
    Cost,
    /// Requests, at any cost.
    Requests,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename = "algorithm", rename_all = "snake_case")]
enum RawAlgorithm {
    SlidingLog,
    SlidingWindow,
    FixedWindow,
    TokenBucket,
    Concurrency,
}

impl RawLimit {
    /// Validates the fields and builds the limit.
    pub(super) fn validate(self) -> Result<Limit, InvalidLimit> {
        let name = LimitName::new(&self.name)?;
        if self.name.starts_with('_') {
            return Err(InvalidLimit {
                field: "name",
                problem: "a name that begins with \"_\" is reserved".to_owned(),
            });
        }
        self.check_fields()?;
        let limit = self.limit(name)?;
        let limit = if self.counts == Counts::Requests { limit.counting_requests() } else { limit };
        let by = self.by.as_deref().map(By::parse).transpose();
        let by = by.map_err(|problem| InvalidLimit { field: "by", problem })?;
        Ok(by.map_or(limit.clone(), |by| limit.counting_by(by)))
    }

    fn limit(&self, name: LimitName) -> Result<Limit, InvalidLimit> {
        match self.algorithm {
            RawAlgorithm::SlidingLog => Limit::sliding_log(name, self.limit, self.span()?),
            RawAlgorithm::SlidingWindow => Limit::sliding_window(name, self.limit, self.span()?),
            RawAlgorithm::FixedWindow => Limit::fixed_window(name, self.limit, self.window()?),
            RawAlgorithm::TokenBucket => Limit::token_bucket(name, self.limit, self.span()?, self.burst),
            RawAlgorithm::Concurrency => {
                let lease = self.lease.ok_or_else(|| self.missing("lease"))?;
                Limit::concurrency(name, self.limit, lease)
            }
        }
    }

    /// Fails if a field does not belong to the algorithm.
    fn check_fields(&self) -> Result<(), InvalidLimit> {
        let concurrency = self.algorithm == RawAlgorithm::Concurrency;
        for (field, misplaced, owner) in [
            ("burst", self.burst.is_some() && self.algorithm != RawAlgorithm::TokenBucket, "a token_bucket has"),
            ("window", self.window.is_some() && concurrency, "it has a lease"),
            ("lease", self.lease.is_some() && !concurrency, "a concurrency limit has"),
            ("counts", self.counts != Counts::Cost && concurrency, "it always counts requests"),
        ] {
            if misplaced {
                let problem = format!("a {} has none ({owner})", self.algorithm.noun());
                return Err(InvalidLimit { field, problem });
            }
        }
        Ok(())
    }

    fn missing(&self, field: &'static str) -> InvalidLimit {
        InvalidLimit { field, problem: format!("is missing (a {} needs one)", self.algorithm.noun()) }
    }

    /// Parses the window as a duration.
    fn span(&self) -> Result<Millis, InvalidLimit> {
        let text = self.window.as_deref().ok_or_else(|| self.missing("window"))?;
        text.parse().map_err(|error: InvalidDuration| {
            let problem = if CALENDAR.contains(&text) {
                format!("{error} (only a fixed_window follows the calendar)")
            } else {
                error.to_string()
            };
            InvalidLimit { field: "window", problem }
        })
    }

    /// Parses the window as a duration or a calendar period.
    fn window(&self) -> Result<Window, InvalidLimit> {
        let text = self.window.as_deref().ok_or_else(|| self.missing("window"))?;
        Ok(match text {
            "minute" => Window::Span(Millis::from_secs(60)),
            "hour" => Window::Span(Millis::from_secs(3600)),
            "day" => Window::Span(Millis::from_secs(86_400)),
            "month" => Window::Month,
            _ => Window::Span(text.parse().map_err(|error: InvalidDuration| {
                let problem = format!("{error} (or one of {})", CALENDAR.join(", "));
                InvalidLimit { field: "window", problem }
            })?),
        })
    }
}

impl RawAlgorithm {
    /// Returns the algorithm's name in messages.
    fn noun(self) -> &'static str {
        match self {
            RawAlgorithm::SlidingLog => "sliding_log",
            RawAlgorithm::SlidingWindow => "sliding_window",
            RawAlgorithm::FixedWindow => "fixed_window",
            RawAlgorithm::TokenBucket => "token_bucket",
            RawAlgorithm::Concurrency => "concurrency limit",
        }
    }
}

fn lease<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Millis>, D::Error> {
    duration(deserializer).map(Some)
}

/// Reads the window as text: its syntax depends on the algorithm.
fn duration_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(deserializer).map(Some)
}

/// The calendar periods, in UTC.
const CALENDAR: [&str; 4] = ["minute", "hour", "day", "month"];

#[cfg(test)]
mod tests;
