//! The controller runner: sources feed keys to a work queue, workers hand them to one function.
//! Go counterpart: controller-runtime's `pkg/builder` and `pkg/internal/controller`.

mod action;
mod builder;
mod enqueue;
mod manual;
mod metrics;
mod run;
#[cfg(feature = "signal")]
mod signal;
mod worker;

pub use action::{Action, BoxError, TerminalError, terminal};
pub use builder::Controller;
pub use manual::ManualSource;
pub use run::Run;
#[cfg(feature = "signal")]
pub use signal::shutdown_signal;
