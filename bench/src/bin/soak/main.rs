//! `make soak`: mixed traffic with faults for half an hour. Fails if a status has no explanation, a lease is left, or the
//! memory of workerd grows.
//!
//! - `configuration`, `site`: the limits, and the parts that run
//! - `kinds`, `client`, `leave`, `api`: the requests
//! - `faults`, `machine`, `timeline`: what fails, and when
//! - `exchange`, `record`: explains and counts the statuses
//! - `summary`: the results

mod api;
mod client;
mod configuration;
mod exchange;
mod faults;
mod kinds;
mod leave;
mod machine;
mod random;
mod record;
mod site;
mod summary;
mod timeline;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use sluicegate_bridge::stop_signal;
use sluicegate_devstack::workerd::resident_memory;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use crate::{
    client::Client,
    configuration::LEASE,
    faults::Pace,
    random::Random,
    record::Record,
    site::{Site, SiteError},
    summary::{Memory, Rest, Summary},
    timeline::Cause,
};

/// Sends mixed traffic with faults, and checks every status and the memory of workerd
#[derive(Debug, Parser)]
#[command(name = "soak", version)]
struct Options {
    /// Duration of the traffic, in minutes
    #[arg(long, env = "MINUTES", default_value_t = 30.0, value_parser = minutes)]
    minutes: f64,
    /// The repository, after `make build`
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    root: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = async {
        let stopped = stop_signal().map_err(|error| SiteError::io("signals", error))?;
        tokio::select! {
            () = stopped => Ok(vec!["interrupted"]),
            wrong = soak(&options) => wrong,
        }
    };
    let wrong = match outcome.await {
        Ok(wrong) => wrong.join(", "),
        Err(error) => error.to_string(),
    };
    if wrong.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("soak: {wrong}");
    ExitCode::FAILURE
}

/// Runs the traffic and prints the results; returns what is wrong. Everything it starts ends when the future is dropped.
async fn soak(options: &Options) -> Result<Vec<&'static str>, SiteError> {
    let mut site = Site::start(&options.root).await?;
    let record = Arc::new(Record::default());
    let run = Duration::from_secs_f64(options.minutes * 60.0);
    let end = Instant::now() + run;
    let (workerd, network, token) = (site.workerd.process(), site.network.address(), site.rest_token.clone());
    let worker = site.workerd.address();

    let (stop, stopped) = watch::channel(false);
    let mut clients: JoinSet<()> =
        (0..CLIENTS).map(|number| client(&site, &record, number).run(PACE, stopped.clone())).collect();
    let watched = machine::watch(&record.timeline, worker, network, &token);
    let traffic =
        async { tokio::join!(faults::run(&mut site, &record, Pace::of(run), end), report(&record, workerd, run)) };
    let (faults, memory) = tokio::select! {
        results = traffic => results,
        never = watched => match never {},
    };
    stop.send_replace(true);
    while clients.join_next().await.is_some() {}
    record.settle(Duration::ZERO);

    let rest = rest(&site).await?;
    let slow = record.timeline.total(Cause::Machine, Instant::now());
    let summary = Summary { counts: record.take(), faults: faults?, slow, rest, memory: memory? };
    println!("{summary}");
    let wrong = summary.faults();
    if !wrong.is_empty() {
        println!("log        {}", site.workerd.log_tail());
    }
    site.stop().await;
    Ok(wrong)
}

fn client(site: &Site, record: &Arc<Record>, number: u64) -> Client {
    let (target, record) = (Arc::clone(&site.target), Arc::clone(record));
    Client { target, record, random: Random::new(number), connection: None }
}

/// Prints a line each minute until the end of the run, and returns the memory after the first minutes and at the end.
async fn report(record: &Record, workerd: u32, run: Duration) -> Result<Memory, SiteError> {
    println!("{}", summary::HEADER);
    let early_at = EARLY.min(run / 3);
    let start = Instant::now();
    let mut every = interval(SAMPLE_INTERVAL);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut samples, mut early, mut minute) = (Vec::new(), None, 1);
    loop {
        every.tick().await;
        let resident = resident_memory(workerd).map_err(|error| SiteError::io("memory of workerd", error))?;
        samples.push(resident);
        let elapsed = start.elapsed();
        if early.is_none() && elapsed >= early_at {
            early = Some(recent(&samples));
        }
        let over = elapsed >= run;
        if over || elapsed >= MINUTE * minute {
            record.settle(NOTICED);
            println!("{}", summary::line(minute.into(), &record.take_minute(), resident));
            minute += 1;
        }
        if over {
            let end = recent(&samples);
            return Ok(Memory { early_at, early: early.unwrap_or(end), end });
        }
    }
}

/// Returns the median of the last samples: a single one depends on when V8 last collected its garbage.
fn recent(samples: &[u64]) -> u64 {
    let mut recent: Vec<u64> = samples.iter().rev().take(RECENT).copied().collect();
    recent.sort_unstable();
    recent.get(recent.len() / 2).copied().unwrap_or_default()
}

/// Waits until no lease counts and no stream is open, at most until every lease has expired.
async fn rest(site: &Site) -> Result<Rest, SiteError> {
    let start = Instant::now();
    loop {
        let (leases, streams, after) = (site.leases()?, site.origin.open_streams(), start.elapsed());
        if leases == 0 && streams == 0 || after > LEASE {
            return Ok(Rest { leases, streams, after });
        }
        sleep(SAMPLE_INTERVAL / 10).await;
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(minutes) if (0.1..=1440.0).contains(&minutes) => Ok(minutes),
        _ => Err("expected 0.1 to 1440".to_owned()),
    }
}

const CLIENTS: u64 = 16;

/// The shortest time between two requests of a client: all together send some hundred requests per second.
const PACE: Duration = Duration::from_millis(40);

const MINUTE: Duration = Duration::from_mins(1);

/// The memory may grow for this time, or for a third of a short run.
const EARLY: Duration = Duration::from_mins(5);

const SAMPLE_INTERVAL: Duration = Duration::from_secs(2);

/// The samples of half a minute.
const RECENT: usize = 15;

/// After this time it is known whether the machine was slow.
const NOTICED: Duration = Duration::from_secs(6);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sample_decides_nothing() {
        assert_eq!(recent(&[9, 1, 8, 100, 7]), 8);
        assert_eq!((recent(&[]), recent(&(0..100).collect::<Vec<_>>())), (0, 92));
    }
}
