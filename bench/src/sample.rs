//! A measurement as numbers per request, and medians of measurements.

use std::time::Duration;

use serde::Serialize;
use sluicegate_bench::{counters::Counts, load::Responses};

/// One measurement of a contender, or the medians of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Sample {
    /// Responses per second.
    pub(crate) requests_per_second: f64,
    /// The median latency, in milliseconds.
    pub(crate) p50_ms: f64,
    /// The 99th percentile of the latency, in milliseconds.
    pub(crate) p99_ms: f64,
    /// The median time of the limiter, in milliseconds, if the Worker reports it.
    pub(crate) limiter_ms: Option<f64>,
    /// CPU time of the workerd process per request, in microseconds.
    pub(crate) cpu_us: f64,
    /// Commands that Redis executed per request, including those inside the script.
    pub(crate) redis_commands: f64,
    /// HTTP requests to the bridge per request.
    pub(crate) http_calls: f64,
    /// Admitted requests as a share of the quota. Only in a flood.
    pub(crate) delivered: Option<f64>,
}

impl Sample {
    /// Computes the numbers of a load that ran between two readings of the counters. `quota` is the number of units that
    /// the limiter could have admitted.
    pub(crate) fn new(responses: Responses, before: Counts, after: Counts, quota: Option<u64>) -> Self {
        let Responses { elapsed, answers } = responses;
        let sorted = |mut durations: Vec<Duration>| {
            durations.sort_unstable();
            durations
        };
        let latencies = sorted(answers.iter().map(|answer| answer.latency).collect());
        let limiter = sorted(answers.iter().filter_map(|answer| answer.limiter).collect());
        let admitted = answers.iter().filter(|answer| answer.admitted).count();
        let requests = to_f64(answers.len() as u64);
        let grown = |before: u64, after: u64| to_f64(after.saturating_sub(before)) / requests;
        Self {
            requests_per_second: requests / elapsed.as_secs_f64(),
            p50_ms: to_ms(percentile(&latencies, 50)),
            p99_ms: to_ms(percentile(&latencies, 99)),
            limiter_ms: (!limiter.is_empty()).then(|| to_ms(percentile(&limiter, 50))),
            cpu_us: after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / requests,
            redis_commands: grown(before.redis_commands, after.redis_commands),
            http_calls: grown(before.http_calls, after.http_calls),
            delivered: quota.map(|quota| to_f64(admitted as u64) / to_f64(quota)),
        }
    }

    /// Returns the median of each number, and the mean of what was delivered: that is one count over all rounds.
    pub(crate) fn medians(samples: &[Self]) -> Self {
        let of = |number: fn(&Self) -> f64| median(samples.iter().map(number).collect());
        let known = |number: fn(&Self) -> Option<f64>| samples.iter().filter_map(number).collect::<Vec<_>>();
        let (limiter, delivered) = (known(|sample| sample.limiter_ms), known(|sample| sample.delivered));
        Self {
            requests_per_second: of(|sample| sample.requests_per_second),
            p50_ms: of(|sample| sample.p50_ms),
            p99_ms: of(|sample| sample.p99_ms),
            cpu_us: of(|sample| sample.cpu_us),
            redis_commands: of(|sample| sample.redis_commands),
            http_calls: of(|sample| sample.http_calls),
            delivered: (!delivered.is_empty()).then(|| delivered.iter().sum::<f64>() / to_f64(delivered.len() as u64)),
            limiter_ms: (!limiter.is_empty()).then(|| median(limiter)),
        }
    }
}

/// Returns the middle number, or the mean of the middle two; 0 if there is none.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match (numbers.get(middle.wrapping_sub(1)), numbers.get(middle)) {
        (Some(below), Some(above)) if numbers.len().is_multiple_of(2) => f64::midpoint(*below, *above),
        (_, Some(middle)) => *middle,
        (_, None) => 0.0,
    }
}

/// Returns a percentile by the nearest-rank method; 0 if there is no value.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn to_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run of minutes are far below 2^53")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use sluicegate_bench::load::Answer;

    use super::*;

    fn ms(numbers: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        numbers.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_measured_values() {
        let hundred = ms(1..=100);
        assert_eq!((percentile(&hundred, 50), percentile(&hundred, 99)), (hundred[49], hundred[98]));
        let three = ms([1, 2, 9]);
        assert_eq!((percentile(&three, 50), percentile(&three, 99)), (three[1], three[2]));
        assert_eq!(percentile(&ms([7]), 50), Duration::from_millis(7));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        for (numbers, expected) in
            [(vec![3.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0, 2.0, 3.0], 2.5), (vec![5.0], 5.0), (vec![], 0.0)]
        {
            assert!((median(numbers.clone()) - expected).abs() < f64::EPSILON, "{numbers:?}");
        }
    }

    #[test]
    fn numbers_are_per_request() {
        let counts =
            |cpu, redis_commands, http_calls| Counts { cpu: Duration::from_millis(cpu), redis_commands, http_calls };
        let answer = |latency| Answer { latency, admitted: latency.as_millis() < 4, limiter: Some(latency / 2) };
        let answers = ms([4, 1, 2, 3]).into_iter().map(answer).collect();
        let responses = Responses { elapsed: Duration::from_secs(2), answers };
        let sample = Sample::new(responses.clone(), counts(100, 10, 1), counts(104, 22, 5), Some(4));
        let expected = Sample {
            requests_per_second: 2.0,
            p50_ms: 2.0,
            p99_ms: 4.0,
            limiter_ms: Some(1.0),
            cpu_us: 1000.0,
            redis_commands: 3.0,
            http_calls: 1.0,
            delivered: Some(0.75),
        };
        assert_eq!(sample, expected);
        assert_eq!(Sample::medians(&[sample, sample]), expected);
        let unlimited = Sample::new(responses, counts(0, 0, 0), counts(0, 0, 0), None);
        assert_eq!(Sample::medians(&[unlimited]).delivered, None);
    }
}
