//! The usual reason to stop. Go counterpart: controller-runtime's `signals.SetupSignalHandler`.

use std::future::Future;

/// Completes on the first SIGTERM or SIGINT (Ctrl-C) that arrives after the call; on other systems
/// than Unix, on Ctrl-C.
///
/// From this call on, these signals no longer end the process by themselves. The call registers
/// the handlers, not the first poll, so no signal is missed in between. Several futures may wait;
/// all complete.
///
/// # Panics
/// Outside a tokio runtime with I/O enabled, as tokio's signals do.
///
/// # Cancel safety
/// May be dropped and called again; a signal that came in between is missed.
///
/// # Example: until Ctrl-C
/// ```no_run
/// # async fn f() {
/// let stop = pintle_controller::shutdown_signal();
/// println!("running; press Ctrl-C to stop");
/// stop.await;
/// # }
/// ```
#[cfg(unix)]
pub fn shutdown_signal() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};

    let register = |kind, name| match signal(kind) {
        Ok(signals) => Some(signals),
        Err(error) => {
            tracing::error!(%error, signal = name, "cannot listen for the signal");
            None
        }
    };
    let mut terminate = register(SignalKind::terminate(), "SIGTERM");
    let mut interrupt = register(SignalKind::interrupt(), "SIGINT");
    async move {
        let name = tokio::select! {
            () = first(&mut terminate) => "SIGTERM",
            () = first(&mut interrupt) => "SIGINT",
        };
        tracing::info!(signal = name, "asked to stop");
    }
}

/// The next signal; never, if it could not be registered.
#[cfg(unix)]
async fn first(signals: &mut Option<tokio::signal::unix::Signal>) {
    if let Some(signals) = signals
        && signals.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}

/// Completes on the first Ctrl-C.
#[cfg(not(unix))]
pub fn shutdown_signal() -> impl Future<Output = ()> + Send + 'static {
    async {
        match tokio::signal::ctrl_c().await {
            Ok(()) => tracing::info!(signal = "Ctrl-C", "asked to stop"),
            Err(error) => {
                tracing::error!(%error, "cannot listen for Ctrl-C");
                std::future::pending().await
            }
        }
    }
}
