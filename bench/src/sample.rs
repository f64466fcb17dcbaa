//! A measurement as numbers per request, and medians of measurements.

use std::time::Duration;

use serde::Serialize;

use crate::{counters::Counts, load::Responses};

/// One measurement of a contender, or the medians of several.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Sample {
    /// Responses per second.
    pub(crate) requests_per_second: f64,
    /// The median latency, in milliseconds.
    pub(crate) p50_ms: f64,
    /// The 99th percentile of the latency, in milliseconds.
    pub(crate) p99_ms: f64,
    /// CPU time of the workerd process per request, in microseconds.
    pub(crate) cpu_us: f64,
    /// Commands that Redis executed per request, including those inside the script.
    pub(crate) redis_commands: f64,
    /// HTTP requests to the bridge per request.
    pub(crate) http_calls: f64,
}

impl Sample {
    /// Computes the numbers of a load that ran between two readings of the counters.
    pub(crate) fn new(responses: Responses, before: Counts, after: Counts) -> Self {
        let Responses { elapsed, mut latencies } = responses;
        latencies.sort_unstable();
        let requests = to_f64(latencies.len() as u64);
        let grown = |before: u64, after: u64| to_f64(after.saturating_sub(before)) / requests;
        Self {
            requests_per_second: requests / elapsed.as_secs_f64(),
            p50_ms: percentile(&latencies, 50).as_secs_f64() * 1e3,
            p99_ms: percentile(&latencies, 99).as_secs_f64() * 1e3,
            cpu_us: after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / requests,
            redis_commands: grown(before.redis_commands, after.redis_commands),
            http_calls: grown(before.http_calls, after.http_calls),
        }
    }

    /// Returns the median of each number.
    pub(crate) fn medians(samples: &[Self]) -> Self {
        let of = |number: fn(&Self) -> f64| median(samples.iter().map(number).collect());
        Self {
            requests_per_second: of(|sample| sample.requests_per_second),
            p50_ms: of(|sample| sample.p50_ms),
            p99_ms: of(|sample| sample.p99_ms),
            cpu_us: of(|sample| sample.cpu_us),
            redis_commands: of(|sample| sample.redis_commands),
            http_calls: of(|sample| sample.http_calls),
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

#[expect(clippy::cast_precision_loss, reason = "counts of a run of minutes are far below 2^53")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
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
        let responses = Responses { elapsed: Duration::from_secs(2), latencies: ms([4, 1, 2, 3]) };
        let sample = Sample::new(responses, counts(100, 10, 1), counts(104, 22, 5));
        let expected = Sample {
            requests_per_second: 2.0,
            p50_ms: 2.0,
            p99_ms: 4.0,
            cpu_us: 1000.0,
            redis_commands: 3.0,
            http_calls: 1.0,
        };
        assert_eq!(sample, expected);
        assert_eq!(Sample::medians(&[sample, sample]), expected);
    }
}
