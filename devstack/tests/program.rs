//! The program that `make dev` runs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::{
    fs,
    net::TcpListener,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use common::{eventually, in_group, processes, tiny_in};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// The running program, with a root of its own, so that it does not change the repository's `.dev.vars`.
struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    ports: [u16; 3],
    root: TempDir,
}

impl Program {
    fn start(ports: [u16; 3]) -> Self {
        let root = tempfile::tempdir().unwrap();
        // In the root, so that it is removed even if the program is killed.
        let temporary = root.path().join("tmp");
        let elsewhere = root.path().join("elsewhere");
        for folder in [&temporary, &elsewhere] {
            fs::create_dir(folder).unwrap();
        }
        std::os::unix::fs::symlink(common::root().join("node_modules"), root.path().join("node_modules")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sluicegate-devstack"))
            .env("PORT", ports[0].to_string())
            .env("REST_PORT", ports[1].to_string())
            .env("ORIGIN_PORT", ports[2].to_string())
            .env("CONFIG", tiny_in(&elsewhere))
            .env("TMPDIR", temporary)
            .arg("--root")
            .arg(root.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, ports, root }
    }

    /// Starts it on ports that were free a moment ago; returns it with the lines it printed until it was ready.
    async fn ready() -> (Self, Vec<String>) {
        let mut program = Self::start(free_ports());
        let mut printed = Vec::new();
        let ready = format!("ready http://127.0.0.1:{}", program.ports[0]);
        while printed.last() != Some(&ready) {
            match timeout(PATIENCE, program.lines.next_line()).await.unwrap().unwrap() {
                Some(line) => printed.push(line),
                None => panic!("ended before it was ready: {printed:?}: {}", program.end().await.1),
            }
        }
        (program, printed)
    }

    fn signal(&self, signal: Signal) {
        kill(self.child.id().unwrap(), signal);
    }

    /// Returns the processes it has started, with their process groups.
    fn parts(&self) -> Vec<common::Process> {
        let id = self.child.id().unwrap();
        let groups: Vec<_> = processes().iter().filter(|process| process.parent == id).map(|part| part.group).collect();
        processes().into_iter().filter(|process| groups.contains(&process.group)).collect()
    }

    /// Waits until it ends; returns the status and what it wrote to standard error.
    async fn end(&mut self) -> (ExitStatus, String) {
        let mut error = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        timeout(PATIENCE, stderr.read_to_string(&mut error)).await.unwrap().unwrap();
        (timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap(), error)
    }
}

impl Drop for Program {
    /// Lets the program stop its parts if the test fails.
    fn drop(&mut self) {
        if let Some(id) = self.child.id() {
            kill(id, Signal::TERM);
            while matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

#[tokio::test]
async fn it_prints_the_addresses_and_stops_on_ctrl_c_or_sigterm() {
    for signal in [Signal::INT, Signal::TERM] {
        let (mut program, printed) = Program::ready().await;
        let [port, rest, origin] = program.ports;
        let expected = [
            format!("bridge  http://127.0.0.1:{rest}"),
            format!("origin  http://127.0.0.1:{origin}"),
            format!("worker  http://127.0.0.1:{port}"),
        ];
        assert!(printed[0].starts_with("redis   redis+unix:///"), "{printed:?}");
        let addresses: Vec<_> = printed[1..].iter().filter(|line| !line.starts_with("worker| ")).collect();
        assert_eq!(addresses[..3], expected.each_ref());
        let echo = reqwest::get(format!("http://127.0.0.1:{port}/hello")).await.unwrap().text().await.unwrap();
        assert!(echo.contains(r#""target":"/hello""#), "{echo}");
        let pong = reqwest::get(format!("http://127.0.0.1:{port}/redis/ping")).await.unwrap().text().await.unwrap();
        assert_eq!(pong, r#"{"result":"PONG"}"#);
        let dev_vars = fs::read_to_string(program.root.path().join(".dev.vars")).unwrap();
        assert_eq!(dev_vars.lines().count(), 2);

        let parts = program.parts();
        assert!(parts.iter().any(|part| part.name == "workerd"), "{parts:?}");
        program.signal(signal);
        let (status, error) = program.end().await;
        assert_eq!((status.code(), error.as_str()), (Some(0), ""));
        for part in parts {
            assert!(in_group(part.group).is_empty(), "{part:?}");
        }
    }
}

#[tokio::test]
async fn a_taken_port_is_an_error_before_anything_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let number = taken.local_addr().unwrap().port();
    for (index, setting) in ["PORT", "REST_PORT", "ORIGIN_PORT"].into_iter().enumerate() {
        let mut ports = free_ports();
        ports[index] = number;
        let mut program = Program::start(ports);
        let (status, error) = program.end().await;
        assert!(!status.success());
        assert_eq!(error, format!("port {number} is taken (set {setting}= to another one)\n"));
        assert_eq!(program.lines.next_line().await.unwrap(), None);
    }
}

#[tokio::test]
async fn all_parts_end_when_one_dies_and_the_error_names_it() {
    let victims = [
        ("redis-server", "redis-server died: "),
        ("wrangler", "worker died: wrangler ended, "),
        // wrangler reports that it restarts workerd, but serves nothing from then on.
        ("workerd", "worker died: workerd crashed"),
    ];
    for (victim, message) in victims {
        let (mut program, _) = Program::ready().await;
        let parts = program.parts();
        let id = match victim {
            // The child of the shell that guards the group.
            "wrangler" => {
                let shells: Vec<_> = parts.iter().filter(|part| part.name == "sh").map(|part| part.id).collect();
                parts.iter().find(|part| part.name != "sh" && shells.contains(&part.parent)).unwrap().id
            }
            name => parts.iter().find(|part| part.name == name).unwrap().id,
        };
        kill(id, Signal::KILL);
        let (status, error) = program.end().await;
        assert_eq!(status.code(), Some(1));
        assert!(error.starts_with(message), "{error}");
        for part in parts {
            eventually("every part has ended", || in_group(part.group).is_empty()).await;
        }
    }
}

#[tokio::test]
async fn all_parts_end_even_if_the_program_is_killed() {
    let (mut program, _) = Program::ready().await;
    let parts = program.parts();
    for name in ["redis-server", "workerd"] {
        assert!(parts.iter().any(|part| part.name == name), "{parts:?}");
    }
    program.signal(Signal::KILL);
    program.child.wait().await.unwrap();
    for part in parts {
        eventually("redis-server, wrangler and workerd have ended", || in_group(part.group).is_empty()).await;
    }
    let temporary = program.root.path().join("tmp");
    eventually("their folders are gone", || fs::read_dir(&temporary).unwrap().next().is_none()).await;
}

fn kill(id: u32, signal: Signal) {
    kill_process(Pid::from_raw(id.try_into().unwrap()).unwrap(), signal).unwrap();
}

fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

const PATIENCE: Duration = Duration::from_mins(1);
