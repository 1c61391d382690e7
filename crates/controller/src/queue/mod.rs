//! The work queue: a pure state machine (`core`, `ready`, `limiter`) in a thin async shell
//! (`shell`, `get`, `waiters`). Go counterparts: `util/workqueue` and controller-runtime's
//! `pkg/controller/priorityqueue`.

mod clock;
mod core;
mod get;
mod limiter;
mod metrics;
mod ready;
mod shell;
mod sync;
mod waiters;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod model_tests;

pub use get::{Drained, Get, Item};
pub use limiter::{
    AtMost, ExponentialBackoff, FastSlow, MaxOf, RateLimiter, TokenBucket, default_rate_limiter,
};
pub use shell::{AddOptions, LOW_PRIORITY, QueueOptions, WorkQueue};
