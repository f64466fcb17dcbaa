//! `make bench-lua`: what a script costs inside Redis, beside the classic scripts it replaces.
//!
//! Microseconds a call come from `INFO commandstats` of one server in one run. Short rounds in which every script has its
//! turn, in the steady state of its keys: whatever else the machine does meets all of them. Ratios are what counts, and
//! each is the median of those of the rounds.

use std::process::ExitCode;

use redis::{Connection, Value};
use sluicegate_bridge::RedisServer;

type Error = Box<dyn std::error::Error>;

/// KEYS and ARGV of the i-th call.
type Call = Box<dyn Fn(u64) -> (Vec<String>, Vec<String>)>;

/// A script and how it is called.
struct Job {
    name: &'static str,
    source: &'static str,
    call: Call,
    /// Calls before the first round: fills a window.
    before: u64,
    /// Calls a round.
    calls: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-lua: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let mut server = RedisServer::start().await?;
    let mut redis = redis::Client::open(server.url())?.get_connection()?;
    let jobs = jobs();
    let shas = jobs.iter().map(|job| prepare(&mut redis, job)).collect::<Result<Vec<_>, _>>()?;
    let mut rounds = Rounds { jobs: &jobs, micros: Vec::new() };
    for round in 0..ROUNDS {
        let measured = jobs.iter().zip(&shas).map(|(job, sha)| measure(&mut redis, job, sha, round));
        rounds.micros.push(measured.collect::<Result<_, _>>()?);
    }
    server.stop().await;
    println!("microseconds a call, the median of {ROUNDS} rounds");
    for job in &jobs {
        println!("  {:34} {:8.2}", job.name, rounds.median(|of| of(job.name)));
    }
    println!("ratios, the median of {ROUNDS} rounds (goal)");
    for (what, ratio, goal) in [
        ("1 packed limit / classic log", rounds.median(|of| of(ONE) / of(CLASSIC)), "at most 1.0"),
        ("3 packed limits / 3 x two counters", rounds.median(|of| of(THREE) / (3.0 * of(COUNTERS))), "at most 1.0"),
        ("batch of 32 / 32 x 1 packed limit", rounds.median(|of| of(BATCH) / (32.0 * of(ONE))), "at most 0.25"),
        ("sliding_log of 10,000 / of 100", rounds.median(|of| of(LOG_10_000) / of(LOG_100)), "at most 2.0 (log n)"),
    ] {
        println!("  {what:34} {ratio:8.2}   {goal}");
    }
    Ok(())
}

/// What was measured: for each round, microseconds a call of each job.
struct Rounds<'a> {
    jobs: &'a [Job],
    micros: Vec<Vec<f64>>,
}

impl Rounds<'_> {
    /// The median over the rounds of something that is calculated from the microseconds of the jobs by their names.
    fn median(&self, value: impl Fn(&dyn Fn(&str) -> f64) -> f64) -> f64 {
        let of = |round: &[f64], name: &str| {
            let mut jobs = self.jobs.iter().zip(round);
            jobs.find(|(job, _)| job.name == name).map_or(f64::NAN, |(_, micros)| *micros)
        };
        let mut values: Vec<f64> = self.micros.iter().map(|round| value(&|name| of(round, name))).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// Loads a script, makes its first calls, and returns its SHA-1.
fn prepare(redis: &mut Connection, job: &Job) -> Result<String, Error> {
    let sha: String = redis::cmd("SCRIPT").arg("LOAD").arg(job.source).query(redis)?;
    for i in 0..job.before {
        call(redis, job, &sha, i)?;
    }
    Ok(sha)
}

fn measure(redis: &mut Connection, job: &Job, sha: &str, round: u64) -> Result<f64, Error> {
    redis::cmd("CONFIG").arg("RESETSTAT").exec(redis)?;
    let first = job.before + round * job.calls;
    for i in first..first + job.calls {
        call(redis, job, sha, i)?;
    }
    let statistics: String = redis::cmd("INFO").arg("commandstats").query(redis)?;
    let line =
        statistics.lines().find(|line| line.starts_with("cmdstat_evalsha:")).ok_or("no statistics of EVALSHA")?;
    let (_, rest) = line.split_once("usec_per_call=").ok_or("no usec_per_call")?;
    Ok(rest.split(',').next().unwrap_or_default().parse()?)
}

fn call(redis: &mut Connection, job: &Job, sha: &str, i: u64) -> Result<(), Error> {
    let (keys, arguments) = (job.call)(i);
    redis::cmd("EVALSHA").arg(sha).arg(keys.len()).arg(keys).arg(arguments).query::<Value>(redis)?;
    Ok(())
}

fn jobs() -> Vec<Job> {
    let text = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let buckets = |count: u64| {
        (0..count).map(|i| format!("n{i} token_bucket 60000 1000000 1 60000")).collect::<Vec<_>>().join(" ")
    };
    let check = |name, limits: u64, requests: u64, calls| Job {
        name,
        source: CHECK,
        call: Box::new(move |i| {
            let costs = vec!["1"; usize::try_from(requests).unwrap_or(1)].join(" ");
            let arguments = format!("{} {limits} {} {requests} {costs}", now(i, 20), buckets(limits));
            (vec![format!("sg:1:{{{limits}-{requests}-{}}}", i % SUBJECTS)], text(&arguments))
        }),
        before: SUBJECTS * A_MINUTE,
        calls,
    };
    let by_turns = Job {
        name: BY_TURNS,
        source: CHECK,
        call: Box::new(move |i| {
            let limits = 3 + i / SUBJECTS % 2;
            let arguments = format!("{} {limits} {} 1 1", now(i, 20), buckets(limits));
            (vec![format!("sg:1:{{turns-{}}}", i % SUBJECTS)], text(&arguments))
        }),
        before: SUBJECTS * A_MINUTE,
        calls: CALLS,
    };
    let log = |name, entries: u64, calls| Job {
        name,
        source: CHECK,
        call: Box::new(move |i| {
            // With windows of more than a minute no log expires between two rounds.
            let arguments = format!("{} 1 n sliding_log {} 1000000 1 1", now(i, 1000), entries * 1000);
            let subject = format!("sg:1:{{log-{entries}}}");
            (vec![subject.clone(), subject + ":log:n"], text(&arguments))
        }),
        before: entries + entries / 10,
        calls,
    };
    vec![
        Job {
            name: CLASSIC,
            source: CLASSIC_LOG,
            call: Box::new(move |i| {
                (vec![format!("log:{}", i % SUBJECTS)], text(&format!("{} 60000 100", now(i, 20))))
            }),
            before: SUBJECTS * A_MINUTE,
            calls: CALLS,
        },
        Job {
            name: COUNTERS,
            source: TWO_COUNTERS,
            call: Box::new(move |i| {
                let keys = vec![format!("a:{}", i % SUBJECTS), format!("b:{}", i % SUBJECTS)];
                (keys, text(&format!("1000000 {} 60000", now(i, 20))))
            }),
            before: SUBJECTS * A_MINUTE,
            calls: CALLS,
        },
        check(ONE, 1, 1, CALLS),
        check(THREE, 3, 1, CALLS),
        by_turns,
        check(BATCH, 1, 32, CALLS / 5),
        log(LOG_100, 100, CALLS),
        log(LOG_10_000, 10_000, CALLS),
    ]
}

/// The time of the i-th call, in milliseconds.
fn now(i: u64, step: u64) -> u64 {
    1_800_000_000_000 + i * step
}

const CLASSIC: &str = "classic sliding-window log";
const COUNTERS: &str = "classic two counters";
const ONE: &str = "check.lua, 1 packed limit";
const THREE: &str = "check.lua, 3 packed limits";
/// As of a plan, and of a route that has one limit more. No goal: most subjects meet the same limits at each call.
const BY_TURNS: &str = "check.lua, 3 and 4 packed by turns";
const BATCH: &str = "check.lua, a batch of 32";
const LOG_100: &str = "check.lua, sliding_log of 100";
const LOG_10_000: &str = "check.lua, sliding_log of 10,000";

const CHECK: &str = include_str!("../../../lua/check.lua");

/// The sliding-window log as it is usually written: floats in ARGV, a random member.
const CLASSIC_LOG: &str = "
local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - window)
if redis.call('ZCARD', KEYS[1]) < limit then
  redis.call('ZADD', KEYS[1], now, now .. '-' .. math.random(1000000))
  redis.call('PEXPIRE', KEYS[1], window)
  return 1
end
return 0";

/// The sliding window of two counters as it is usually written.
const TWO_COUNTERS: &str = "
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
local previous = tonumber(redis.call('GET', KEYS[2]) or '0')
local limit, now, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local weighted = math.floor((1 - (now % window) / window) * previous)
if weighted + current >= limit then return -1 end
local used = redis.call('INCRBY', KEYS[1], 1)
if used == 1 then redis.call('PEXPIRE', KEYS[1], window * 2 + 1000) end
return limit - used - weighted";

const ROUNDS: u64 = 101;
const CALLS: u64 = 250;
const SUBJECTS: u64 = 50;
/// So many calls of each subject come in a minute of their clock.
const A_MINUTE: u64 = 60;
