//! When somebody wants a program to end.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Resolves at Ctrl-C, at `SIGTERM`, or when the terminal is closed; from the call on, none of them ends the program.
///
/// # Errors
///
/// The operating system refuses to hand the signals over.
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
