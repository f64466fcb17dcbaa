//! Runs the program.

use std::process::Stdio;

use tokio::process::Command;

/// The output and the exit code of the program.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Returns the command, without the environment variables that it reads.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluicegate"));
    command.args(arguments).env_remove("SLUICEGATE_URL").env_remove("SLUICEGATE_ADMIN_TOKEN");
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

pub(crate) async fn end(mut command: Command) -> Ended {
    let output = command.output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

pub(crate) async fn run(arguments: &[&str]) -> Ended {
    end(program(arguments)).await
}
