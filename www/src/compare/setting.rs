//! What is compared: one kind of traffic and the numbers of the limits. A link carries all of it.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use sluicegate::time::Millis;

use super::preset::Preset;

/// The setting of a comparison. Every value is valid.
///
/// As text it is what follows `#compare?` in a link: `preset=steady&limit=100&window=10s&…`, each field once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) preset: Preset,
    /// The units of a window.
    pub(super) limit: u64,
    pub(super) window: Millis,
    /// The most units of the token bucket.
    pub(super) burst: u64,
    /// The requests that clients want to send, in percent of the limit.
    pub(super) demand: u64,
    /// How long a request is in flight.
    pub(super) hold: Millis,
    pub(super) seed: u32,
    /// How many windows the traffic lasts. Not part of a link.
    pub(super) windows: u64,
}

impl Setting {
    /// Returns the milliseconds that the traffic lasts.
    pub(super) fn duration(&self) -> u64 {
        self.windows * self.window.get()
    }

    /// Returns the number of requests that the clients want to send, at least 1.
    pub(super) fn requests(&self) -> u64 {
        (self.windows * self.limit * self.demand / 100).max(1)
    }

    /// Returns how many requests may be in flight so that they can use up the limit, and no more: the limit times the
    /// share of a window that a request takes (Little's law).
    pub(super) fn places(&self) -> u64 {
        (self.limit * self.hold.get() / self.window.get()).max(1)
    }

    /// Returns the same traffic on a scale at which a Worker decides it in [`LIVE_WINDOWS`] windows of
    /// [`LIVE_WINDOW`], at most [`MAX_LIVE_LIMIT`] units each.
    pub(super) fn scaled_to_live(&self) -> Self {
        let limit = self.limit.min(MAX_LIVE_LIMIT);
        let hold = self.hold.get() * LIVE_WINDOW.get() / self.window.get();
        Setting {
            limit,
            window: LIVE_WINDOW,
            burst: (self.burst * limit / self.limit).clamp(1, MAX_LIVE_BURST),
            demand: self.demand.min(MAX_LIVE_DEMAND),
            hold: Millis::new(hold.max(1)),
            windows: LIVE_WINDOWS,
            ..*self
        }
    }

    fn checked(self) -> Result<Self, InvalidSetting> {
        within("limit", self.limit, 1..=MAX_LIMIT)?;
        within("window", self.window, SHORTEST_WINDOW..=LONGEST_WINDOW)?;
        within("burst", self.burst, 1..=MAX_LIMIT)?;
        within("demand", self.demand, MIN_DEMAND..=MAX_DEMAND)?;
        within("hold", self.hold, Millis::new(1)..=self.window)?;
        if self.requests() > MAX_REQUESTS {
            let problem = format!(
                "{} % of {} in {} windows are {} requests, more than {MAX_REQUESTS} (lower the demand or the limit)",
                self.demand,
                self.limit,
                self.windows,
                self.requests()
            );
            return Err(InvalidSetting::new("demand", problem));
        }
        Ok(self)
    }
}

impl FromStr for Setting {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let mut given: Vec<(&str, &str)> = Vec::with_capacity(FIELDS.len());
        for pair in text.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !FIELDS.contains(&name) {
                return Err(InvalidSetting::new(name, format!("unknown (fields: {})", FIELDS.join(", "))));
            }
            if given.iter().any(|(known, _)| *known == name) {
                return Err(InvalidSetting::new(name, "is given twice"));
            }
            given.push((name, value));
        }
        let field = |name: &'static str| {
            given
                .iter()
                .copied()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| InvalidSetting::new(name, "is missing"))
        };
        let setting = Setting {
            preset: preset(field("preset")?)?,
            limit: number(field("limit")?)?,
            window: duration(field("window")?)?,
            burst: number(field("burst")?)?,
            demand: number(field("demand")?)?,
            hold: duration(field("hold")?)?,
            seed: seed(field("seed")?)?,
            windows: WINDOWS,
        };
        setting.checked()
    }
}

fn within<T: Copy + PartialOrd + fmt::Display>(
    field: &str,
    found: T,
    bounds: RangeInclusive<T>,
) -> Result<(), InvalidSetting> {
    if bounds.contains(&found) {
        return Ok(());
    }
    let (least, most) = bounds.into_inner();
    Err(InvalidSetting::new(field, format!("expected {least} to {most}, found {found}")))
}

fn preset((field, value): (&str, &str)) -> Result<Preset, InvalidSetting> {
    Preset::ALL.into_iter().find(|preset| preset.name() == value).ok_or_else(|| {
        let names: Vec<_> = Preset::ALL.iter().map(|preset| preset.name()).collect();
        InvalidSetting::new(field, format!("expected {}, found {value:?}", names.join(", ")))
    })
}

/// Parses a number without a sign and without leading zeros.
fn number((field, value): (&str, &str)) -> Result<u64, InvalidSetting> {
    let number = value.parse().ok().filter(|number: &u64| number.to_string() == value);
    number.ok_or_else(|| InvalidSetting::new(field, format!("expected a whole number, found {value:?}")))
}

fn seed((field, value): (&str, &str)) -> Result<u32, InvalidSetting> {
    let seed = number((field, value))?;
    u32::try_from(seed).map_err(|_| InvalidSetting::new(field, format!("expected 0 to {}, found {seed}", u32::MAX)))
}

fn duration((field, value): (&str, &str)) -> Result<Millis, InvalidSetting> {
    Millis::from_str(value).map_err(|error| InvalidSetting::new(field, error))
}

/// Prints the setting as a link carries it. Parses back to the same value.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { preset, limit, window, burst, demand, hold, seed, .. } = self;
        let preset = preset.name();
        write!(f, "preset={preset}&limit={limit}&window={window}&burst={burst}&demand={demand}&hold={hold}&seed={seed}")
    }
}

/// The error of a text that is not a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub(super) struct InvalidSetting {
    field: String,
    problem: String,
}

impl InvalidSetting {
    fn new(field: &str, problem: impl fmt::Display) -> Self {
        InvalidSetting { field: field.to_owned(), problem: problem.to_string() }
    }
}

const FIELDS: [&str; 7] = ["preset", "limit", "window", "burst", "demand", "hold", "seed"];
/// Enough to see what repeats, and few enough to see each.
const WINDOWS: u64 = 10;
const MAX_LIMIT: u64 = 100_000;
const SHORTEST_WINDOW: Millis = Millis::from_secs(1);
const LONGEST_WINDOW: Millis = Millis::from_secs(3600);
const MIN_DEMAND: u64 = 10;
const MAX_DEMAND: u64 = 1000;
/// Some seconds of calculation on a slow machine.
const MAX_REQUESTS: u64 = 2_000_000;
const LIVE_WINDOWS: u64 = 4;
/// Long enough that the time of a round trip changes little, short enough to watch.
const LIVE_WINDOW: Millis = Millis::from_secs(3);
/// A browser sends the requests of one algorithm one after the other.
const MAX_LIVE_LIMIT: u64 = 20;
const MAX_LIVE_BURST: u64 = 60;
const MAX_LIVE_DEMAND: u64 = 200;

#[cfg(test)]
pub(super) mod tests;
