//! A Worker run by `wrangler dev`.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{fs, time::Duration};

use common::{eventually, in_group, root, tiny, tiny_in};
use serde_json::{Value, json};
use sluicegate_devstack::worker::{Worker, WorkerDeath, WorkerError, WorkerOptions};
use tempfile::TempDir;
use tokio::time::timeout;

fn options(folder: &TempDir) -> WorkerOptions {
    WorkerOptions::new(root(), tiny_in(folder.path()))
}

async fn body(url: String) -> String {
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_worker_has_its_variables_and_restarts_at_its_port() {
    let folder = tempfile::tempdir().unwrap();
    let env_file = folder.path().join("secrets");
    fs::write(&env_file, "TOKEN=from-the-file\nORIGIN=from-the-file\n").unwrap();
    let vars = vec![("ORIGIN".to_owned(), "http://127.0.0.1:2/a=b:c".to_owned())];
    let mut worker = Worker::start(WorkerOptions { vars, env_file: Some(env_file), ..options(&folder) }).await.unwrap();

    let health = body(worker.url() + "/_sluicegate/health").await;
    let expected = json!({
        "ORIGIN": "http://127.0.0.1:2/a=b:c",
        "SLUICEGATE": { "from": "the file" },
        "TOKEN": "from-the-file",
    });
    assert_eq!(serde_json::from_str::<Value>(&health).unwrap(), expected);

    body(worker.url() + "/logged").await;
    assert!(worker.log().wait_for("forwarding /logged", PATIENCE).await.is_some(), "{}", worker.log().text());

    let (address, group) = (worker.address(), worker.process_group().unwrap());
    worker.restart().await.unwrap();
    assert_eq!((worker.address(), in_group(group).len()), (address, 0));
    assert!(body(worker.url() + "/_sluicegate/health").await.contains("from-the-file"));
}

#[tokio::test]
async fn stop_ends_all_processes() {
    let folder = tempfile::tempdir().unwrap();
    let mut worker = Worker::start(options(&folder)).await.unwrap();
    let group = worker.process_group().unwrap();
    let names: Vec<_> = in_group(group).into_iter().map(|process| process.name).collect();
    assert!(names.iter().any(|name| name == "workerd"), "{names:?}");
    worker.stop().await;
    assert!(in_group(group).is_empty(), "{:?}", in_group(group));
    assert!(reqwest::get(worker.url()).await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_panicking_test_ends_all_processes() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Worker::start(options(&folder)).await.unwrap();
    let group = worker.process_group().unwrap();
    let test = tokio::spawn(async move {
        let _worker = worker;
        panic!("as a failed assertion would");
    });
    assert!(test.await.unwrap_err().is_panic());
    assert!(in_group(group).is_empty(), "{:?}", in_group(group));
}

#[tokio::test]
async fn killing_the_group_leader_ends_all_processes() {
    let folder = tempfile::tempdir().unwrap();
    let mut worker = Worker::start(options(&folder)).await.unwrap();
    let group = worker.process_group().unwrap();
    let leader = rustix::process::Pid::from_raw(group.try_into().unwrap()).unwrap();
    rustix::process::kill_process(leader, rustix::process::Signal::KILL).unwrap();
    let death = worker.wait().await;
    assert!(matches!(death, WorkerDeath::Ended(_)), "{death}");
    eventually("the whole group ends", || in_group(group).is_empty()).await;
}

#[tokio::test]
async fn a_worker_can_be_restarted_after_workerd_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut worker = Worker::start(options(&folder)).await.unwrap();
    let group = worker.process_group().unwrap();
    let workerd = in_group(group).into_iter().find(|process| process.name == "workerd").unwrap();
    let workerd = rustix::process::Pid::from_raw(workerd.id.try_into().unwrap()).unwrap();
    rustix::process::kill_process(workerd, rustix::process::Signal::KILL).unwrap();
    let death = timeout(PATIENCE, worker.wait()).await.unwrap();
    assert!(matches!(death, WorkerDeath::Crashed), "{death}");
    worker.restart().await.unwrap();
    assert_eq!(reqwest::get(worker.url() + "/_sluicegate/health").await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_error_quotes_the_output_of_wrangler() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wrangler.toml");
    fs::write(&config, "name = 'broken'\nmain = 'missing.js'\ncompatibility_date = '2025-11-01'\n").unwrap();
    let error = Worker::start(WorkerOptions::new(root(), config)).await.unwrap_err();
    let WorkerError::Ended { status, log } = error else { panic!("{error}") };
    assert!(!status.success());
    assert!(log.contains("missing.js"), "{log}");
}

#[tokio::test]
async fn an_error_names_missing_tools() {
    let folder = tempfile::tempdir().unwrap();
    let error = Worker::start(WorkerOptions::new(folder.path(), tiny())).await.unwrap_err().to_string();
    assert!(error.ends_with("wrangler: not found (run `npm install` first)"), "{error}");
}

#[tokio::test]
async fn a_worker_that_is_not_ready_in_time_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let error = Worker::start(WorkerOptions { patience: Duration::ZERO, ..options(&folder) }).await.unwrap_err();
    assert!(matches!(error, WorkerError::Silent { .. }), "{error}");
}

const PATIENCE: Duration = Duration::from_secs(30);
