//! Work queues, the controller runner and the event recorder.

mod queue;

pub use queue::{
    AddOptions, AtMost, Drained, ExponentialBackoff, FastSlow, Get, Item, LOW_PRIORITY, MaxOf,
    QueueOptions, RateLimiter, TokenBucket, WorkQueue, default_rate_limiter,
};
