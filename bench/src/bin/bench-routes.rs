//! `make bench-routes`: what a large table of routes costs, in workerd.
//!
//! The configuration is bundled with the Worker. The first request of a process parses it, so the difference between two
//! tables is the time to parse the larger one. Each further request finds its route, the last of the table. No request asks
//! Redis. CPU time is that of the thread that runs the Worker, from the scheduler's statistics, in nanoseconds.

use std::{fs, io, path::Path, process::ExitCode, time::Duration};

use serde_json::{Value, json};
use sluicegate_bench::http::{self, Connection};
use sluicegate_devstack::{
    Origin,
    workerd::{Binding, CONFIGURATION, Code, Compatibility, Config, Module, Workerd, built_worker},
};
use tokio::time::Instant;

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-routes: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let mut origin = Origin::start(0).await?;
    // The tables take turns, so that load on the machine affects all of them.
    let mut rounds: Vec<Vec<Sample>> = Vec::new();
    for _ in 0..ROUNDS {
        let mut round = Vec::new();
        for routes in TABLES {
            round.push(measure(&origin, routes).await?);
        }
        rounds.push(round);
    }
    origin.stop().await;
    println!("median of {ROUNDS} rounds; {REQUESTS} requests each");
    println!(
        "{:>7} {:>9} {:>12} {:>11} {:>14} {:>13}",
        "routes", "bytes", "first, ms", "parse, ms", "parse CPU, ms", "CPU, us/req"
    );
    for (i, routes) in TABLES.into_iter().enumerate() {
        let of = |value: fn(&Sample, &Sample) -> f64| {
            let mut values: Vec<f64> =
                rounds.iter().filter_map(|round| Some(value(round.get(i)?, round.first()?))).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        };
        println!(
            "{routes:>7} {:>9} {:>12.1} {:>11.1} {:>14.1} {:>13.1}",
            configuration(routes).to_string().len(),
            of(|sample, _| ms(sample.first)),
            of(|sample, base| ms(sample.first) - ms(base.first)),
            of(|sample, base| ms(sample.first_cpu) - ms(base.first_cpu)),
            of(|sample, _| ms(sample.rest_cpu) * 1000.0 / f64::from(REQUESTS)),
        );
    }
    Ok(())
}

/// One process of the Worker.
struct Sample {
    /// From the first request to the end of its response.
    first: Duration,
    /// The CPU time of the Worker's thread meanwhile.
    first_cpu: Duration,
    /// The CPU time of all further requests.
    rest_cpu: Duration,
}

async fn measure(origin: &Origin, routes: usize) -> Result<Sample, Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let mut modules = built_worker(root)?;
    modules.retain(|module| module.name != CONFIGURATION);
    let file = json!({ "name": "sluicegate.toml", "text": configuration(routes).to_string() });
    modules.push(Module { name: CONFIGURATION, code: Code::Script(format!("export default {file};").into()) });
    let bindings = [
        ("ORIGIN", origin.url()),
        ("UPSTASH_REDIS_REST_URL", "http://127.0.0.1:1".to_owned()),
        ("UPSTASH_REDIS_REST_TOKEN", "unused".to_owned()),
        ("SLUICEGATE_FILE", "sluicegate.toml".to_owned()),
    ];
    let config = Config {
        modules,
        bindings: bindings.map(|(name, value)| Binding { name, value: json!(value) }).into(),
        compatibility: Compatibility::read(&root.join("wrangler.toml"))?,
        zone: None,
        inspector: false,
    };
    let worker = Workerd::start(&root.join("node_modules/.bin/workerd"), &config).await?;
    let mut connection = Connection::open(worker.address()).await?;
    let (started, before) = (Instant::now(), cpu_time(worker.process())?);
    // Sluicegate itself answers this path.
    let status = get(&mut connection, "/_sluicegate/none").await?;
    let (first, first_cpu) = (started.elapsed(), cpu_time(worker.process())?.saturating_sub(before));
    if status != 404 {
        return Err(format!("the Worker does not work, status {status}: {}", worker.log_tail()).into());
    }
    let path = format!("/v1/resource-{routes}/x");
    get(&mut connection, &path).await?;
    let before = cpu_time(worker.process())?;
    for _ in 0..REQUESTS {
        let status = get(&mut connection, &path).await?;
        if status != 200 {
            return Err(format!("status {status}: {}", worker.log_tail()).into());
        }
    }
    let rest_cpu = cpu_time(worker.process())?.saturating_sub(before);
    worker.stop().await;
    Ok(Sample { first, first_cpu, rest_cpu })
}

/// Returns a configuration with this number of routes. The last one is exempt, so that Redis is not asked.
fn configuration(routes: usize) -> Value {
    let route = |i: usize| {
        let pattern = format!("GET /v1/resource-{i}/:id");
        let limit =
            || json!([{ "name": format!("limit-{i}"), "algorithm": "token_bucket", "limit": 100, "window": "1m" }]);
        match i {
            _ if i == routes => json!({ "match": pattern, "exempt": true }),
            _ if i.is_multiple_of(4) => json!({ "match": pattern, "cost": 2, "limits": limit() }),
            _ => json!({ "match": pattern, "cost": 2, "refund_on": ["5xx"] }),
        }
    };
    json!({
        "default_plan": "free",
        "plans": { "free": { "limits": [{ "name": "minute", "algorithm": "token_bucket", "limit": 1000, "window": "1m" }] } },
        "routes": (1..=routes).map(route).collect::<Vec<_>>(),
    })
}

async fn get(connection: &mut Connection, path: &str) -> Result<u16, Error> {
    let response = connection.get(path, None).await?;
    let status = response.status().as_u16();
    http::text(response.into_body()).await?;
    Ok(status)
}

/// Returns the CPU time of the main thread, which runs the Worker (`/proc/PID/schedstat`, first number, in nanoseconds). The
/// other threads compile in the background.
fn cpu_time(process: u32) -> io::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/schedstat"))?;
    let time = text.split(' ').next().and_then(|time| time.parse().ok());
    time.map(Duration::from_nanos).ok_or_else(|| io::Error::other(format!("unexpected: {text}")))
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The tables, by their number of routes; the first is the base of the differences.
const TABLES: [usize; 4] = [1, 100, 1000, 2000];

const ROUNDS: usize = 9;

const REQUESTS: u32 = 2000;
