//! Work queues, the controller runner and the event recorder.

mod queue;
mod runner;

pub use queue::{
    AddOptions, AtMost, Drained, ExponentialBackoff, FastSlow, Get, Item, LOW_PRIORITY, MaxOf,
    QueueOptions, RateLimiter, TokenBucket, WorkQueue, default_rate_limiter,
};
#[cfg(feature = "signal")]
pub use runner::shutdown_signal;
pub use runner::{Action, BoxError, Controller, ManualSource, Run, TerminalError, terminal};
