//! Durations for people.

/// Formats `ms` milliseconds in at most two units, rounded up: a client that waits this long never retries too early.
pub(crate) fn span(ms: u64) -> String {
    if ms < 1000 {
        return format!("{ms}ms");
    }
    let seconds = ms.div_ceil(1000);
    let Some((i, (unit, size))) = UNITS.into_iter().enumerate().find(|(_, (_, size))| seconds >= *size) else {
        return format!("{seconds}s");
    };
    let Some((small_unit, small)) = UNITS.get(i + 1).copied() else { return format!("{seconds}{unit}") };
    let smalls = seconds.div_ceil(small);
    let per_unit = size / small;
    match (smalls / per_unit, smalls % per_unit) {
        (whole, 0) => format!("{whole}{unit}"),
        (whole, rest) => format!("{whole}{unit} {rest}{small_unit}"),
    }
}

/// The names of the units and their lengths in seconds.
const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_up() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (1000, "1s"),
            (1001, "2s"),
            (60_000, "1m"),
            (61_500, "1m 2s"),
            (3_600_000, "1h"),
            (3_600_001, "1h 1m"),
            (86_399_999, "1d"),
            (90_000_000, "1d 1h"),
            (2_592_000_000, "30d"),
        ] {
            assert_eq!(span(ms), text, "{ms}");
        }
    }
}
