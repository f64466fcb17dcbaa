//! The last events of an isolate, for an operator who watches.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use crate::config::routes::Route;
use crate::time::Millis;

/// A ring of the last [`EventRing::CAPACITY`] events. A new event takes the place of the oldest one and reuses its memory, so
/// that a flood of refusals allocates nothing.
#[derive(Debug, Clone)]
pub struct EventRing {
    id: String,
    events: VecDeque<Event>,
    /// The number of events recorded so far, which is the number of the last one.
    recorded: u64,
}

/// Something that an operator may want to see. It contains no more than the log does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// When it happened.
    pub at: Millis,
    /// What happened.
    pub kind: EventKind,
    /// The status of a refusal.
    pub status: Option<u16>,
    /// The name of the problem of a refusal.
    pub problem: &'static str,
    /// The caller; empty if it is unknown.
    pub subject: String,
    /// Whether the caller is a tenant. Its subject is its id.
    pub is_tenant: bool,
    /// The client address, if the caller is unknown.
    pub address: Option<IpAddr>,
    /// The route.
    pub route: Option<Arc<Route>>,
    /// The first limit that refused; empty if none did.
    pub limit: String,
    /// The limiter that decided; empty if none did.
    pub by: &'static str,
    /// The cost of the request, in units.
    pub cost: Option<u64>,
    /// The time until the request can pass, or until Redis is asked once more.
    pub retry: Option<Millis>,
    /// Why the circuit breaker opened.
    pub error: String,
}

/// The kind of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventKind {
    /// A request was refused.
    #[default]
    Refused,
    /// A limit refused a request of a shadow route, which was forwarded.
    Passed,
    /// A request was forwarded without a verdict.
    Unjudged,
    /// The isolate has stopped asking Redis.
    BreakerOpened,
    /// The isolate asks Redis again.
    BreakerClosed,
}

impl EventKind {
    /// Returns the name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Refused => "refused",
            EventKind::Passed => "passed",
            EventKind::Unjudged => "unjudged",
            EventKind::BreakerOpened => "breaker_opened",
            EventKind::BreakerClosed => "breaker_closed",
        }
    }
}

/// The events after a number.
#[derive(Debug)]
pub struct NewEvents<'a, I> {
    /// The id of the ring.
    pub ring: &'a str,
    /// The number of the last event.
    pub last: u64,
    /// How many of the events are no longer in the ring.
    pub dropped: u64,
    /// The others with their numbers, the oldest first.
    pub events: I,
}

impl EventRing {
    /// The most events in a ring.
    pub const CAPACITY: usize = 256;

    /// Creates an empty ring. `random` makes its id.
    #[must_use]
    pub fn new(random: u64) -> Self {
        EventRing { id: format!("{random:016x}"), events: VecDeque::new(), recorded: 0 }
    }

    /// Records an event at `now`; `complete` adds what is known of it.
    pub fn record(&mut self, kind: EventKind, now: Millis, complete: impl FnOnce(&mut Event)) {
        let is_full = self.events.len() >= EventRing::CAPACITY;
        let mut oldest = if is_full { self.events.pop_front() } else { None }.unwrap_or_default();
        let texts = [&mut oldest.subject, &mut oldest.limit, &mut oldest.error];
        let [subject, limit, error] = texts.map(cleared);
        let mut event = Event { at: now, kind, subject, limit, error, ..Event::default() };
        complete(&mut event);
        self.events.push_back(event);
        self.recorded += 1;
    }

    /// Returns the events after the one with this number; 0 is before the first. A number that the ring has not reached
    /// comes from another one, and counts as 0.
    #[must_use]
    pub fn after(&self, number: u64) -> NewEvents<'_, impl Iterator<Item = (u64, &Event)>> {
        let known = if number > self.recorded { 0 } else { number };
        let before = self.recorded - self.events.len() as u64;
        let dropped = before.saturating_sub(known);
        let events = (before + 1..).zip(&self.events).skip_while(move |(number, _)| *number <= known);
        NewEvents { ring: &self.id, last: self.recorded, dropped, events }
    }
}

/// Takes a text out and clears it, with its memory.
fn cleared(text: &mut String) -> String {
    text.clear();
    std::mem::take(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn record(ring: &mut EventRing, number: u64) {
        ring.record(EventKind::Refused, Millis::new(number), |event| {
            assert_eq!(
                *event,
                Event { at: Millis::new(number), ..Event::default() },
                "nothing of an older one is left"
            );
            event.subject.push_str(&number.to_string());
            event.status = Some(429);
            event.cost = Some(number);
            event.limit.push_str("burst");
        });
    }

    proptest! {
        /// A client that polls gets each event once and in order, and knows how many it has missed.
        #[test]
        fn a_client_that_polls_misses_nothing_unnoticed(bursts in prop::collection::vec(0_u64..600, 1..12)) {
            let (mut ring, mut recorded, mut known) = (EventRing::new(7), 0, 0);
            for burst in bursts {
                for _ in 0..burst {
                    recorded += 1;
                    record(&mut ring, recorded);
                }
                let new = ring.after(known);
                prop_assert_eq!((new.ring, new.last), ("0000000000000007", recorded));
                prop_assert_eq!(new.dropped, burst.saturating_sub(256));
                let mut expected = known + new.dropped;
                for (number, event) in new.events {
                    expected += 1;
                    prop_assert_eq!((number, &event.subject), (expected, &expected.to_string()));
                }
                prop_assert_eq!(expected, recorded);
                known = new.last;
            }
            prop_assert_eq!(ring.after(0).events.count() as u64, recorded.min(256));
            prop_assert_eq!(ring.after(recorded + 1).dropped, recorded.saturating_sub(256), "of another isolate");
        }
    }

    #[test]
    fn a_full_ring_reuses_its_memory() {
        let mut ring = EventRing::new(0);
        for number in 1..=256 {
            record(&mut ring, number);
        }
        let texts = |ring: &EventRing| ring.events.iter().map(|event| event.limit.as_ptr()).collect::<BTreeSet<_>>();
        let before = texts(&ring);
        for number in 257..=1000 {
            record(&mut ring, number);
        }
        assert_eq!((before.len(), texts(&ring)), (256, before));
    }
}
