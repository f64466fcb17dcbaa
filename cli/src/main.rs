//! `sluicegate`: validates a configuration, manages tenants, diagnoses a deployment.

use std::io::{self, Write};
use std::process::ExitCode;

use sluicegate_cli::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let output = sluicegate_cli::run(std::env::args_os()).await;
    match print(&output) {
        Ok(()) => ExitCode::from(output.code),
        // The reader of the output has closed the pipe: `sluicegate … | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(output.code),
        Err(_) => ExitCode::from(3),
    }
}

/// Prints the output; styles are removed where it does not go to a terminal.
fn print(output: &Output) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(output.stdout.as_bytes())?;
    stdout.flush()?;
    anstream::stderr().lock().write_all(output.stderr.as_bytes())
}
