//! Who decides about the traffic.

use sluicegate::limit::{InvalidLimit, Limit, LimitName, Window};

use super::setting::Setting;

/// A limiter with the numbers of a setting: one of the five algorithms, or a model of another limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    SlidingLog,
    SlidingWindow,
    FixedWindow,
    TokenBucket,
    Concurrency,
    /// See [`TwoCounters`](super::two_counters::TwoCounters).
    TwoCounters,
}

impl Model {
    pub(super) const ALL: [Model; 6] = [
        Model::SlidingLog,
        Model::SlidingWindow,
        Model::FixedWindow,
        Model::TokenBucket,
        Model::Concurrency,
        Model::TwoCounters,
    ];

    /// Returns the name; for an algorithm, that of the configuration.
    pub(super) fn name(self) -> &'static str {
        match self {
            Model::SlidingLog => "sliding_log",
            Model::SlidingWindow => "sliding_window",
            Model::FixedWindow => "fixed_window",
            Model::TokenBucket => "token_bucket",
            Model::Concurrency => "concurrency",
            Model::TwoCounters => "two_counters",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Model::ALL.into_iter().find(|model| model.name() == name)
    }

    /// Returns the limit as the core knows it; `None` for a model of another limiter.
    ///
    /// # Errors
    /// None for the numbers of a setting.
    pub(super) fn limit(self, setting: &Setting) -> Result<Option<Limit>, InvalidLimit> {
        let (name, quota, window) = (LimitName::new(LIMIT_NAME)?, setting.limit, setting.window);
        Ok(Some(match self {
            Model::SlidingLog => Limit::sliding_log(name, quota, window)?,
            Model::SlidingWindow => Limit::sliding_window(name, quota, window)?,
            Model::FixedWindow => Limit::fixed_window(name, quota, Window::Span(window))?,
            Model::TokenBucket => Limit::token_bucket(name, quota, window, Some(setting.burst))?,
            Model::Concurrency => Limit::concurrency(name, setting.places(), setting.hold)?,
            Model::TwoCounters => return Ok(None),
        }))
    }

    /// Returns the same limit as the JSON of a configuration; `None` for a model of another limiter.
    pub(super) fn json(self, setting: &Setting) -> Option<String> {
        let Setting { limit, window, burst, hold, .. } = setting;
        let numbers = match self {
            Model::TwoCounters => return None,
            Model::TokenBucket => format!(r#""limit":{limit},"window":"{window}","burst":{burst}"#),
            Model::Concurrency => format!(r#""limit":{},"lease":"{hold}""#, setting.places()),
            _ => format!(r#""limit":{limit},"window":"{window}""#),
        };
        Some(format!(r#"{{"name":"{LIMIT_NAME}","algorithm":"{}",{numbers}}}"#, self.name()))
    }

    /// Returns the most units that this limiter may admit in any window, whatever the traffic.
    pub(super) fn bound(self, setting: &Setting) -> u64 {
        match self {
            Model::SlidingLog => setting.limit,
            // A window overlaps two windows of the limiter, and each admits at most the limit.
            Model::SlidingWindow | Model::FixedWindow | Model::TwoCounters => 2 * setting.limit,
            Model::TokenBucket => setting.burst + setting.limit,
            // Each place admits again as soon as it is free.
            Model::Concurrency => setting.places() * setting.window.get().div_ceil(setting.hold.get()),
        }
    }
}

const LIMIT_NAME: &str = "compare";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sluicegate::config::Config;

    use super::super::setting::tests::settings;
    use super::*;

    proptest! {
        #[test]
        fn the_json_of_a_limit_is_the_same_limit(setting in settings(10_000)) {
            for model in Model::ALL {
                let limit = model.limit(&setting).unwrap();
                let parsed = model.json(&setting).map(|json| {
                    let config = format!(r#"{{"default_plan":"p","plans":{{"p":{{"limits":[{json}]}}}}}}"#);
                    Config::from_json(&config).unwrap().plans["p"].limits()[0].clone()
                });
                prop_assert_eq!(limit, parsed);
            }
        }
    }

    #[test]
    fn every_model_is_found_by_its_name() {
        for model in Model::ALL {
            assert_eq!(Model::named(model.name()), Some(model));
        }
        assert_eq!(Model::named("sliding log"), None);
    }
}
