//! Reads the packed state of a subject as `check.lua` has written it, without a script.
//!
//! With it, one `MGET` reads the states of many subjects. The numbers are those of a check that charges nothing: the
//! state machines of [`algorithm`](crate::limit::algorithm) agree with the script.

use crate::limit::algorithm::{FixedWindow, SlidingWindow, State, TokenBucket};
use crate::limit::memory::budget;
use crate::limit::{Algorithm, Budget, Limit, Rate, Window};
use crate::time::Millis;

/// The packed limits of a subject, as of their last charge.
#[derive(Debug, Clone, Default)]
pub struct PackedState {
    /// The time of the last charge, in milliseconds since the Unix epoch.
    at: u64,
    entries: Vec<Entry>,
}

/// A limit in a state.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    algorithm: String,
    /// The window as the script has it: milliseconds, or `month`.
    window: String,
    state: State,
}

impl PackedState {
    /// Parses the value of a state's key; `None` if it has another form. Without a value, nothing is used.
    #[must_use]
    pub fn parse(text: Option<&str>) -> Option<Self> {
        let Some(text) = text else { return Some(PackedState::default()) };
        let (limits, numbers) = text.split_once('|')?;
        let mut numbers = numbers.split(' ').map(|number| number.parse().ok());
        let at = numbers.next()??;
        let mut number = || numbers.next().flatten();
        let mut words = limits.split(' ');
        let mut entries = Vec::new();
        while let Some(name) = words.next() {
            let (algorithm, window) = (words.next()?, words.next()?);
            let quota = words.next()?.parse().ok()?;
            let state = match algorithm {
                "token_bucket" => {
                    let rate = Rate { refill: words.next()?.parse().ok()?, fractions: words.next()?.parse().ok()? };
                    State::TokenBucket(TokenBucket::with_debt(quota, rate, number()?))
                }
                "fixed_window" => {
                    let window = if window == MONTH { Window::Month } else { Window::Span(millis(window)?) };
                    let mut fixed = FixedWindow::new(quota, window);
                    fixed.charge(number()?);
                    State::FixedWindow(fixed)
                }
                "sliding_window" => {
                    let (current, previous) = (number()?, number()?);
                    State::SlidingWindow(SlidingWindow::with_units(quota, millis(window)?.get(), current, previous))
                }
                // They have a key of their own.
                "sliding_log" | "concurrency" => continue,
                _ => return None,
            };
            let entry =
                Entry { name: name.to_owned(), algorithm: algorithm.to_owned(), window: window.to_owned(), state };
            entries.push(entry);
        }
        Some(PackedState { at, entries })
    }

    /// Returns the budget of a limit at `now`, as a check without a charge would; `None` if the state of the limit is in a
    /// sorted set.
    #[must_use]
    pub fn budget(&self, limit: &Limit, now: Millis) -> Option<Budget> {
        let mut state = match self.entries.iter().find(|entry| entry.belongs_to(limit)) {
            Some(entry) => entry.state.clone(),
            None => State::new(limit),
        };
        if !state.is_packed() {
            return None;
        }
        // The time of a state never goes backwards.
        let (now, then) = (now.get(), self.at.max(now.get()));
        state.change(limit);
        state.advance(self.at, then);
        Some(budget(limit, &state, state.wait(0, None, then), then, then - now))
    }
}

impl Entry {
    /// Returns whether this is the state of a limit: name, algorithm and window are the same.
    fn belongs_to(&self, limit: &Limit) -> bool {
        let window = match limit.algorithm() {
            Algorithm::FixedWindow { window: Window::Month } => None,
            _ => limit.window().map(Millis::get),
        };
        self.name == limit.name().as_str()
            && self.algorithm == limit.algorithm().name()
            && window.map_or(self.window == MONTH, |window| self.window == window.to_string())
    }
}

fn millis(text: &str) -> Option<Millis> {
    text.parse().ok().map(Millis::new)
}

/// The window of a calendar month.
const MONTH: &str = "month";
