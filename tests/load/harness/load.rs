//! The clients.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sluicegate::limit::CheckRequest;
use sluicegate::limiter::{CheckError, Limiter, Now};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{HttpTransport, Token};
use sluicegate::time::Millis;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::plans::{SHORTEST_MS, SUBJECTS, plan, subject};
use super::record::{Record, numbers};
use super::traffic::{Clock, Traffic};

/// The token of every bridge here.
pub(crate) const TOKEN: &str = "token";

/// The number of clients; each has its own connection to the bridge.
const CLIENTS: usize = 64;

/// The number of checks of a run, from `CHECKS`.
pub(crate) fn checks(usual: u64) -> u64 {
    std::env::var("CHECKS").map_or(usual, |checks| checks.parse().expect("CHECKS is a number"))
}

/// A running load.
pub(crate) struct Load {
    /// Reports progress: the number of checks begun, once per part.
    pub(crate) marks: UnboundedReceiver<u64>,
    /// While set, clients continue beyond their share.
    pub(crate) held: Arc<AtomicBool>,
    running: JoinHandle<Run>,
}

/// All recorded calls.
pub(crate) struct Run {
    /// The calls of each subject, in no order.
    pub(crate) records: Vec<Vec<Record>>,
    /// A peek at each subject after all of its calls.
    pub(crate) last: Vec<Record>,
    pub(crate) elapsed: Duration,
}

impl Load {
    /// Starts `checks` checks on the bridge at `url`, reported in `parts` parts. An error that `tolerated` rejects fails
    /// the test.
    pub(crate) fn start(url: &str, checks: u64, parts: u64, tolerated: fn(&CheckError) -> bool) -> Self {
        let (sender, marks) = mpsc::unbounded_channel();
        let held = Arc::new(AtomicBool::new(false));
        let shared = Arc::new(Shared {
            url: url.to_owned(),
            checks,
            part: (checks / parts).max(1),
            tolerated,
            held: Arc::clone(&held),
            begun: AtomicU64::new(0),
            events: AtomicU64::new(0),
            clock: Clock::new(),
        });
        Load { marks, held, running: tokio::spawn(run(shared, sender)) }
    }

    /// Waits for all clients and returns all recorded calls.
    pub(crate) async fn end(self) -> Run {
        let run = ended(self.running.await);
        let elapsed = u64::try_from(run.elapsed.as_millis()).unwrap();
        assert!(elapsed < SHORTEST_MS, "redis has begun to forget by its own clock (run fewer checks, or in release)");
        run
    }
}

/// What the clients share.
struct Shared {
    url: String,
    checks: u64,
    part: u64,
    tolerated: fn(&CheckError) -> bool,
    held: Arc<AtomicBool>,
    begun: AtomicU64,
    /// Numbers of what happens: a call sent, an answer received.
    events: AtomicU64,
    clock: Clock,
}

async fn run(shared: Arc<Shared>, marks: UnboundedSender<u64>) -> Run {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(Client::new(number, &shared).run(marks.clone()));
    }
    drop(marks);
    let mut records = vec![Vec::new(); SUBJECTS];
    while let Some(client) = clients.join_next().await {
        for record in ended(client) {
            records[record.subject].push(record);
        }
    }
    let elapsed = start.elapsed();
    let observer = Client::new(CLIENTS, &shared);
    let mut last = Vec::with_capacity(SUBJECTS);
    for subject in 0..SUBJECTS {
        let requests = vec![(0, None)];
        let mut look = Record { subject, now: shared.clock.end(), requests, answer: None, sent: 0, done: 0 };
        observer.ask(&mut look).await.unwrap();
        last.push(look);
    }
    Run { records, last, elapsed }
}

struct Client {
    limiter: Limiter<HttpTransport>,
    traffic: Traffic,
    shared: Arc<Shared>,
}

impl Client {
    /// One with a connection pool, and so a connection, of its own. Of two clients one writes scripts as for Upstash.
    fn new(number: usize, shared: &Arc<Shared>) -> Self {
        let transport =
            HttpTransport::new(shared.url.parse().unwrap(), &Token::new(TOKEN).unwrap(), Millis::from_secs(60));
        let dialect = if number.is_multiple_of(2) { Dialect::Plain } else { Dialect::KeyLocking };
        let limiter = Limiter::new(transport, dialect);
        Client { limiter, traffic: Traffic::new(number), shared: Arc::clone(shared) }
    }

    /// Asks until there is nothing left to ask; returns what it asked.
    async fn run(mut self, marks: UnboundedSender<u64>) -> Vec<Record> {
        let mut records = Vec::new();
        loop {
            let mut record = self.traffic.next(&self.shared.clock);
            let size = record.requests.len() as u64;
            let begun = self.shared.begun.fetch_add(size, Ordering::Relaxed);
            if begun >= self.shared.checks && !self.shared.held.load(Ordering::Relaxed) {
                return records;
            }
            if begun / self.shared.part < (begun + size) / self.shared.part {
                // Nobody listens where nothing is to be done about it.
                let _ = marks.send(begun + size);
            }
            if let Err(error) = self.ask(&mut record).await {
                assert!((self.shared.tolerated)(&error), "{error:?} as the answer to {record:?}");
                records.push(self.wait_until_well(&record).await);
            }
            records.push(record);
        }
    }

    /// Looks at the subject of a call that failed until it gets an answer.
    async fn wait_until_well(&self, record: &Record) -> Record {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut look = self.traffic.look(record, &self.shared.clock);
            match self.ask(&mut look).await {
                Ok(()) => return look,
                Err(error) => assert!(Instant::now() < deadline, "{error} for {PATIENCE:?}"),
            }
            sleep(PAUSE).await;
        }
    }

    /// Asks, and writes down when and what came back.
    async fn ask(&self, record: &mut Record) -> Result<(), CheckError> {
        let (limits, now) = (&plan(record.subject).limits, Now::At(Millis::new(record.now)));
        let subject = subject(record.subject);
        record.sent = self.event();
        let requests: Vec<CheckRequest<'_>> = record.requests().collect();
        let verdicts = match *requests.as_slice() {
            [CheckRequest { cost: 0, lease: None }] => {
                self.limiter.peek(&subject, limits, now).await.map(|it| vec![it])
            }
            [request] => self.limiter.check(&subject, limits, request, now).await.map(|it| vec![it]),
            _ => self.limiter.check_batch(&subject, limits, requests, now).await,
        };
        record.done = self.event();
        record.answer = Some(numbers(&verdicts?));
        Ok(())
    }

    fn event(&self) -> u64 {
        self.shared.events.fetch_add(1, Ordering::SeqCst)
    }
}

/// What a task returned; it panics as the task did.
fn ended<T>(outcome: Result<T, JoinError>) -> T {
    outcome.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);
