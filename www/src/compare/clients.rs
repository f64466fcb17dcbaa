//! What clients send, and what they do with the answers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use sluicegate::limit::Retry;

use super::preset::Preset;
use super::random::Random;
use super::setting::Setting;

/// The clients of a run: they say which request is due next, and are told how it was decided.
///
/// The traffic of a run with requests that are not repeated does not depend on the answers. Otherwise a fixed number of
/// clients send one request after the other, each until it is admitted:
///
/// - A patient client repeats a refused request exactly when the limiter says so.
/// - An impatient client repeats it at its own pace: after half an interval to one and a half.
///
/// Either sends its next request one interval after the last one was admitted, an impatient one at its own pace.
/// Requests of the same millisecond arrive in a random order. No request begins after the end of the run, but those
/// that were refused are still repeated.
#[derive(Debug)]
pub(super) enum Clients {
    Once { arrivals: Rc<[u64]>, sent: usize },
    Retrying(Retrying),
}

#[derive(Debug)]
pub(super) struct Retrying {
    /// Who sends when, the earliest first. The number in the middle makes the order of one millisecond random.
    due: BinaryHeap<Reverse<(u64, u64, usize)>>,
    clients: Vec<Client>,
    random: Random,
    /// Between two requests of a client, in microseconds.
    interval: u64,
    patient: bool,
    end: u64,
}

#[derive(Debug, Clone)]
struct Client {
    /// When the next request is due, in microseconds, not rounded.
    next: u64,
    /// When the request that waits for its admission was sent first.
    first_sent: Option<u64>,
}

/// A request that a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    client: usize,
}

impl Clients {
    pub(super) fn new(setting: &Setting, arrivals: &Rc<[u64]>) -> Self {
        if setting.preset.retries() {
            Clients::Retrying(Retrying::new(setting))
        } else {
            Clients::Once { arrivals: Rc::clone(arrivals), sent: 0 }
        }
    }

    /// Returns when the next request is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        match self {
            Clients::Once { arrivals, sent } => arrivals.get(*sent).copied(),
            Clients::Retrying(retrying) => retrying.due.peek().map(|Reverse((due, ..))| *due),
        }
    }

    /// Takes the next request.
    pub(super) fn send(&mut self) -> Option<Sent> {
        match self {
            Clients::Once { arrivals, sent } => {
                let client = *sent;
                *sent += 1;
                (client < arrivals.len()).then_some(Sent { client })
            }
            Clients::Retrying(retrying) => retrying.due.pop().map(|Reverse((.., client))| Sent { client }),
        }
    }

    /// Tells a client how its request was decided at `now`. Returns how long an admitted request has waited.
    pub(super) fn answer(&mut self, sent: Sent, now: u64, answer: Retry) -> Option<u64> {
        match self {
            Clients::Once { .. } => (answer == Retry::Now).then_some(0),
            Clients::Retrying(retrying) => retrying.answer(sent.client, now, answer),
        }
    }
}

impl Retrying {
    fn new(setting: &Setting) -> Self {
        let count = (setting.limit / 2).clamp(1, MOST_CLIENTS);
        let interval = (setting.duration() * MICROS * count / setting.requests()).max(1);
        let mut random = Random::new(setting.seed);
        let clients = (0..count).map(|_| Client { next: random.below(interval), first_sent: None }).collect();
        let mut retrying = Retrying {
            due: BinaryHeap::new(),
            clients,
            random,
            interval,
            patient: setting.preset == Preset::Patient,
            end: setting.duration(),
        };
        for client in 0..retrying.clients.len() {
            retrying.begin(client);
        }
        retrying
    }

    fn answer(&mut self, client: usize, now: u64, answer: Retry) -> Option<u64> {
        // Without variation, the same clients would always find the quota used up by the others.
        let pace = if self.patient { self.interval } else { self.interval / 2 + self.random.below(self.interval) };
        let state = self.clients.get_mut(client)?;
        let first_sent = *state.first_sent.get_or_insert(now);
        // A live answer comes late. Then the pace is that of the answers.
        let next = (state.next + pace).max(now * MICROS);
        match answer {
            Retry::Now => {
                *state = Client { next, first_sent: None };
                self.begin(client);
                Some(now.saturating_sub(first_sent))
            }
            Retry::After(wait) => {
                state.next = if self.patient { (now + wait.get()) * MICROS } else { next.max((now + 1) * MICROS) };
                self.schedule(client);
                None
            }
            Retry::Never => None,
        }
    }

    /// Lets a client send a new request, unless the run ends before.
    fn begin(&mut self, client: usize) {
        if self.clients.get(client).is_some_and(|state| state.next / MICROS < self.end) {
            self.schedule(client);
        }
    }

    fn schedule(&mut self, client: usize) {
        let tie = self.random.next();
        if let Some(state) = self.clients.get(client) {
            self.due.push(Reverse((state.next / MICROS, tie, client)));
        }
    }
}

/// Enough for a crowd, few enough that all of them may ask at the same time.
const MOST_CLIENTS: u64 = 50;
const MICROS: u64 = 1000;

#[cfg(test)]
mod tests {
    use sluicegate::time::Millis;

    use super::*;

    /// 10 requests a second are wanted, so each of 5 clients sends one every 500 ms.
    fn clients(preset: &str) -> Clients {
        let text = format!("preset={preset}&limit=10&window=1s&burst=1&demand=100&hold=1s&seed=1");
        Clients::new(&text.parse().unwrap(), &Rc::from([]))
    }

    /// Lets all requests of a run be decided, and returns when each client sent one.
    fn sent(clients: &mut Clients, mut decide: impl FnMut(u64) -> Retry) -> Vec<Vec<u64>> {
        let mut times = vec![Vec::new(); 5];
        while let Some(now) = clients.next_due() {
            let sent = clients.send().unwrap();
            times[sent.client].push(now);
            clients.answer(sent, now, decide(now));
        }
        times
    }

    fn gaps(times: &[u64]) -> Vec<u64> {
        times.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn admitted_patient_clients_send_one_request_per_interval() {
        for times in sent(&mut clients("patient"), |_| Retry::Now) {
            assert_eq!(gaps(&times), vec![500; 19]);
            assert!(times[0] < 500);
        }
    }

    #[test]
    fn patient_clients_retry_exactly_as_told() {
        let decide = |now| if now >= 5000 { Retry::Now } else { Retry::After(Millis::new(5000 - now)) };
        for times in sent(&mut clients("patient"), decide) {
            assert_eq!(times[1], 5000);
            assert_eq!(gaps(&times[1..]), vec![500; 9]);
        }
    }

    #[test]
    fn impatient_clients_retry_at_their_own_pace() {
        let decide = |now| if now >= 5000 { Retry::Now } else { Retry::After(Millis::new(5000 - now)) };
        for times in sent(&mut clients("impatient"), decide) {
            assert!(gaps(&times).iter().all(|gap| (249..=751).contains(gap)), "{times:?}");
            assert!((15..=27).contains(&times.len()), "{times:?}");
        }
    }

    #[test]
    fn the_wait_of_a_request_begins_when_it_is_sent_first() {
        let mut clients = clients("patient");
        let now = clients.next_due().unwrap();
        let first = clients.send().unwrap();
        assert_eq!(clients.answer(first, now, Retry::After(Millis::new(70))), None);
        assert_eq!(clients.answer(first, now + 70, Retry::After(Millis::new(5))), None);
        assert_eq!(clients.answer(first, now + 75, Retry::Now), Some(75));
        assert_eq!(clients.answer(first, now + 575, Retry::Now), Some(0));
    }

    #[test]
    fn refused_requests_are_repeated_after_the_end() {
        let decide = |now| if now >= 12_000 { Retry::Now } else { Retry::After(Millis::new(1000)) };
        for times in sent(&mut clients("patient"), decide) {
            assert_eq!(times.iter().filter(|time| **time >= 12_000).count(), 1, "{times:?}");
        }
    }

    #[test]
    fn a_request_that_never_fits_is_given_up() {
        assert!(sent(&mut clients("patient"), |_| Retry::Never).iter().all(|times| times.len() == 1));
    }
}
