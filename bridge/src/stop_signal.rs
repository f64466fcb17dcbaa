//! The signals that stop a program.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Returns a future that resolves at Ctrl-C, at `SIGTERM`, or when the terminal closes. From the call on,
/// none of these signals ends the program by itself.
///
/// # Errors
///
/// Fails if the signal handlers cannot be installed.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
