//! The program `sluicegate-bridge` with variables of OpenTelemetry.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

use reqwest::{Client, Method, RequestBuilder};

/// The token of the bridge; it looks like nothing else here.
pub(crate) const TOKEN: &str = "zq-bridge-token";

/// A running bridge with its own Redis. It is killed when the test ends.
pub(crate) struct Program {
    child: Child,
    pub(crate) url: String,
}

impl Program {
    /// Starts the program with these variables and no other variable of OpenTelemetry.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = command(variables).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("ready ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, url }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        Client::new().request(method, format!("{}{path}", self.url)).bearer_auth(TOKEN)
    }

    /// Sends a command and returns the status.
    pub(crate) async fn run(&self, command: &str) -> u16 {
        self.request(Method::POST, "/").body(command.to_owned()).send().await.unwrap().status().as_u16()
    }

    /// Returns the id of the embedded Redis.
    pub(crate) async fn redis(&self) -> String {
        let info = self.request(Method::GET, "/info/server").send().await.unwrap().text().await.unwrap();
        info.split("process_id:").nth(1).unwrap().split('\\').next().unwrap().to_owned()
    }

    /// Returns the names of the program's threads.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        // A thread may end meanwhile.
        tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok()).collect()
    }

    /// Stops it with `SIGTERM`, and returns what it has written on standard error.
    pub(crate) fn stop(mut self) -> String {
        signal("TERM", &self.child.id().to_string());
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert!(self.child.wait().unwrap().success(), "{errors}");
        errors
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both calls fail only if the program has exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the program, which fails with these variables, and returns its message.
pub(crate) fn failure(variables: &[(&str, &str)]) -> String {
    let output = command(variables).output().unwrap();
    assert!(!output.status.success(), "{variables:?}");
    String::from_utf8(output.stderr).unwrap().trim().to_owned()
}

/// Sends a signal to a process.
pub(crate) fn signal(name: &str, process: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), process]).status().unwrap().success());
}

fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluicegate-bridge"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command.args(["--embedded", "--listen", "127.0.0.1:0"]);
    command.env("SLUICEGATE_BRIDGE_TOKEN", TOKEN).envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
