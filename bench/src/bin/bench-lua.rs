//! `make bench-lua`: the cost of our scripts inside Redis, compared with the classic scripts they replace.
//!
//! The microseconds per call come from `INFO commandstats` of one server. In each of many short rounds every script takes
//! its turn, so that load on the machine affects all of them. The keys are in their steady state. The ratios matter, not
//! the times; each is the median of the ratios within the rounds.

use std::process::ExitCode;

use redis::{Connection, Value};
use sluicegate::redis::script::{self, Dialect};
use sluicegate_bridge::RedisServer;

type Error = Box<dyn std::error::Error>;

/// Returns KEYS and ARGV of the i-th call.
type Call = Box<dyn Fn(u64) -> (Vec<String>, Vec<String>)>;

/// A script and its calls.
struct Job {
    name: &'static str,
    source: &'static str,
    call: Call,
    /// The number of calls before the first round, which fill a window.
    before: u64,
    /// The number of calls per round.
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
    print_sizes()?;
    println!("microseconds per call, median of {ROUNDS} rounds");
    for job in &jobs {
        println!("  {:34} {:8.2}", job.name, rounds.median(|of| of(job.name)));
    }
    println!("ratios, median of {ROUNDS} rounds (goal)");
    for (what, ratio, goal) in [
        ("1 packed limit / classic log", rounds.median(|of| of(ONE) / of(CLASSIC)), "at most 1.0"),
        ("3 packed limits / 3 x two counters", rounds.median(|of| of(THREE) / (3.0 * of(COUNTERS))), "at most 1.0"),
        ("3 states / 1 state, 3 packed limits", rounds.median(|of| of(THREE_STATES) / of(THREE)), "no goal"),
        ("batch of 32 / 32 x 1 packed limit", rounds.median(|of| of(BATCH) / (32.0 * of(ONE))), "at most 0.25"),
        ("sliding_log of 10,000 / of 100", rounds.median(|of| of(LOG_10_000) / of(LOG_100)), "at most 2.0 (log n)"),
    ] {
        println!("  {what:34} {ratio:8.2}   {goal}");
    }
    Ok(())
}

/// Prints what an `EVAL` of each script sends, in each dialect, and the size of its file.
fn print_sizes() -> Result<(), Error> {
    println!("bytes of each script, in EVAL to Redis and to Upstash, and in its file with comments and indentation");
    for script in script::ALL {
        let [plain, key_locking] =
            [Dialect::Plain, Dialect::KeyLocking].map(|dialect| script.in_dialect(dialect).source.len());
        let file = format!("{}/../lua/{}.lua", env!("CARGO_MANIFEST_DIR"), script.name);
        let file = std::fs::metadata(file)?.len();
        println!("  {:34} {plain:8} {key_locking:8} {file:8}", script.name);
    }
    Ok(())
}

/// The measurements: for each round, the microseconds per call of each job.
struct Rounds<'a> {
    jobs: &'a [Job],
    micros: Vec<Vec<f64>>,
}

impl Rounds<'_> {
    /// Returns the median over the rounds of `value`, which gets a function from a job's name to its microseconds.
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

/// Loads a script, makes the calls before the first round, and returns its SHA-1.
fn prepare(redis: &mut Connection, job: &Job) -> Result<String, Error> {
    let sha: String = redis::cmd("SCRIPT").arg("LOAD").arg(job.source).query(redis)?;
    for i in 0..job.before {
        call(redis, job, &sha, i)?;
    }
    Ok(sha)
}

/// Returns the microseconds per call of a job in one round.
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
        source: script::CHECK.source,
        call: Box::new(move |i| {
            let costs = vec!["1"; usize::try_from(requests).unwrap_or(1)].join(" ");
            let arguments = format!("{} {limits} {} {requests} {costs}", now(i, 20), buckets(limits));
            (vec![format!("sg:1:{{{limits}-{requests}-{}}}", i % SUBJECTS)], text(&arguments))
        }),
        before: SUBJECTS * A_MINUTE,
        calls,
    };
    let three_states = Job {
        name: THREE_STATES,
        source: script::CHECK.source,
        call: Box::new(move |i| {
            let arguments = format!("{} 1,1,1 {} 1 1", now(i, 20), buckets(3));
            let caller = format!("sg:1:{{states-{}}}", i % SUBJECTS);
            (vec![caller.clone(), caller + ":by:header:x-user:ada", "sg:1:{everyone}".to_owned()], text(&arguments))
        }),
        before: SUBJECTS * A_MINUTE,
        calls: CALLS,
    };
    let alternating = Job {
        name: ALTERNATING,
        source: script::CHECK.source,
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
        source: script::CHECK.source,
        call: Box::new(move |i| {
            // The windows are longer than a minute, so no log expires between two rounds.
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
        three_states,
        alternating,
        check(BATCH, 1, 32, CALLS / 5),
        log(LOG_100, 100, CALLS),
        log(LOG_10_000, 10_000, CALLS),
    ]
}

/// Returns the time of the i-th call, in milliseconds.
fn now(i: u64, step: u64) -> u64 {
    1_800_000_000_000 + i * step
}

const CLASSIC: &str = "classic sliding-window log";
const COUNTERS: &str = "classic two counters";
const ONE: &str = "check.lua, 1 packed limit";
const THREE: &str = "check.lua, 3 packed limits";
/// One limit of the caller, one of its user, one of everyone.
const THREE_STATES: &str = "check.lua, 3 packed in 3 states";
/// The limits of a plan, and in turn those with one more limit of a route. Without a goal, because most subjects have
/// the same limits in each call.
const ALTERNATING: &str = "check.lua, 3 and 4 packed in turn";
const BATCH: &str = "check.lua, a batch of 32";
const LOG_100: &str = "check.lua, sliding_log of 100";
const LOG_10_000: &str = "check.lua, sliding_log of 10,000";

/// The usual sliding-window log, with floats in ARGV and a random member.
const CLASSIC_LOG: &str = "
local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - window)
if redis.call('ZCARD', KEYS[1]) < limit then
  redis.call('ZADD', KEYS[1], now, now .. '-' .. math.random(1000000))
  redis.call('PEXPIRE', KEYS[1], window)
  return 1
end
return 0";

/// The usual sliding window of two counters.
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
/// The number of calls per subject in a minute of their clock.
const A_MINUTE: u64 = 60;
