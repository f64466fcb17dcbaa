//! One cell of the matrix: a failure, a policy, and an isolate that has served requests before or has not.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::answer::{Answer, PATH};
use super::site::{LIMIT, Site, configuration};
use super::table::{Breaker, Charge, Decides, Limits, ROWS, Row};

#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    row: &'static Row,
    policy: &'static str,
    isolate: Isolate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isolate {
    /// Its first request meets the failure.
    Cold,
    /// It has had decisions of Redis, and keeps a connection alive.
    Warm,
}

impl Cell {
    /// Returns all cells of the matrix.
    pub(super) fn all() -> impl Iterator<Item = Cell> {
        let kinds = ["open", "closed", "local"].map(|policy| [(policy, Isolate::Cold), (policy, Isolate::Warm)]);
        let kinds = kinds.into_iter().flatten();
        ROWS.iter().flat_map(move |row| kinds.clone().map(move |(policy, isolate)| Cell { row, policy, isolate }))
    }

    /// Returns what the cell is called in a failed test.
    pub(super) fn name(&self) -> String {
        format!("{:?}, {}, {:?}", self.row.failure, self.policy, self.isolate)
    }

    /// Runs the cell; panics if anything is not as the matrix says.
    pub(super) async fn run(self) {
        let timeout = match self.row.decides {
            // A slow machine must not look like a failure.
            Decides::Redis(_) => Duration::from_secs(30),
            Decides::Policy(..) => TIMEOUT,
        };
        let mut site = Site::start(configuration(self.policy, timeout)).await;
        let before = if self.isolate == Isolate::Warm { warm_up(&site).await } else { 0 };
        site.fail(self.row.failure).await;
        match self.row.decides {
            Decides::Redis(limits) => redis_decides(&site, before, limits).await,
            Decides::Policy(error, charge, breaker) => {
                self.policy_decides(&site, error, breaker).await;
                site.mend(self.row.failure).await;
                recovers(&site, before, charge).await;
            }
        }
    }

    /// Expects what the policy promises, first of requests at the same time, then of one after another.
    async fn policy_decides(self, site: &Site, error: &str, breaker: Breaker) {
        let reached = site.bare.origin.requests_to(PATH);
        let mut answers = join_all((0..TO_OPEN).map(|_| Answer::to(site, CALLER))).await;
        let asked = site.bare.network.requests();
        for _ in 0..LATER {
            answers.push(Answer::to(site, CALLER).await);
        }
        let asked = site.bare.network.requests() - asked;
        match breaker {
            Breaker::Opens => assert!(asked <= PROBES, "{asked} calls for {LATER} requests, but the breaker is open"),
            Breaker::StaysClosed => assert!(asked >= LATER, "{asked} calls for {LATER} requests"),
        }
        for answer in &answers {
            let promised = match self.policy {
                "open" => answer.is_unjudged(),
                "closed" => answer.is_unavailable(),
                _ => answer.is_admitted() || answer.is_refused(),
            };
            assert!(promised && answer.elapsed < TIMEOUT + MARGIN, "{answer:?}");
        }
        let forwarded = answers.iter().filter(|answer| answer.status == 200).count() as u64;
        let expected = [("open", TO_OPEN + LATER), ("closed", 0), ("local", LIMIT)];
        assert!(expected.contains(&(self.policy, forwarded)), "{forwarded} forwarded");
        assert_eq!(site.bare.origin.requests_to(PATH) - reached, forwarded, "others do not reach the origin");
        assert_eq!(site.breaker().await == "closed", breaker == Breaker::StaysClosed);
        assert!(site.bare.log().contains(error), "no line of the log contains {error:?}");
    }
}

/// Sends some requests that Redis admits; returns how many it has charged.
async fn warm_up(site: &Site) -> u64 {
    for _ in 0..BEFORE {
        let answer = Answer::to(site, CALLER).await;
        assert!(answer.is_admitted(), "{answer:?}");
    }
    assert_eq!(site.charged(CALLER), BEFORE);
    BEFORE
}

/// Expects verdicts of Redis, at the price of one more round trip.
async fn redis_decides(site: &Site, before: u64, limits: Limits) {
    let left = if limits == Limits::Continue { LIMIT - before } else { LIMIT };
    let asked = site.bare.network.requests();
    for number in 0..left {
        let answer = Answer::to(site, CALLER).await;
        assert!(answer.is_admitted(), "request {number}: {answer:?}");
    }
    let answer = Answer::to(site, CALLER).await;
    assert!(answer.is_refused(), "{answer:?}");
    assert_eq!(site.charged(CALLER), LIMIT);
    let asked = site.bare.network.requests() - asked;
    assert!(asked <= left + 2, "{asked} round trips for {} requests", left + 1);
}

/// Expects that Redis decides again, and that it admits no more than the limit.
async fn recovers(site: &Site, before: u64, charge: Charge) {
    let deadline = Instant::now() + RECOVERY;
    // What Redis knows of this caller it has learned after the failure.
    while site.charged(OTHER_CALLER) == 0 || site.breaker().await != "closed" {
        assert!(Instant::now() < deadline, "Redis does not decide again within {RECOVERY:?}");
        sleep(POLL_INTERVAL).await;
        Answer::to(site, OTHER_CALLER).await;
    }
    let (mut admitted, mut sent) = (before, 0);
    while site.charged(CALLER) < LIMIT {
        assert!(sent < 5 * LIMIT, "Redis decides: {} of {LIMIT} charged", site.charged(CALLER));
        sent += 1;
        admitted += u64::from(Answer::to(site, CALLER).await.is_admitted());
    }
    let after = sent;
    // On a busy machine a call can take longer than the timeout.
    while !Answer::to(site, CALLER).await.is_refused() {
        assert!(sent < 5 * LIMIT, "Redis refuses what is over the limit");
        sent += 1;
    }
    assert_eq!(site.charged(CALLER), LIMIT);
    assert!(admitted <= LIMIT, "{admitted} admitted");
    if charge == Charge::Never {
        assert!(before + after >= LIMIT, "nothing was charged during the failure: {before} before, {after} after");
    }
}

/// The `timeout` of the rows in which it matters.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How much later an answer may arrive on a busy machine.
const MARGIN: Duration = Duration::from_secs(2);

/// How long an open breaker may last after the failure: its longest pause, and a margin.
const RECOVERY: Duration = Duration::from_secs(15);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Requests that Redis admits before the failure.
const BEFORE: u64 = 2;

/// Failures that open the breaker.
const TO_OPEN: u64 = 5;

/// Requests after these.
const LATER: u64 = 7;

/// Probes that an open breaker may send during [`LATER`] requests on a busy machine.
const PROBES: u64 = 2;

const CALLER: &str = "192.0.2.1";
const OTHER_CALLER: &str = "192.0.2.2";
