//! Where the queue reads the time. Go counterpart: `k8s.io/utils/clock`.
//!
//! The state machine never reads a clock by itself: every operation is handed one, and asks it
//! only when time matters (a delayed key waits, or metrics are on). Tests pass an [`Instant`],
//! which is a clock that stands still; the shell passes tokio's clock, which a test may pause.

use std::time::{Duration, Instant};

/// A source of the current time.
pub(crate) trait Clock {
    /// The time now; never goes backwards.
    fn now(&self) -> Instant;
}

/// A clock that stands still at this instant.
impl Clock for Instant {
    fn now(&self) -> Instant {
        *self
    }
}

/// tokio's clock: the system's monotonic clock, or the paused one of a test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokioClock;

impl Clock for TokioClock {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// `start + delay`, held at about thirty years where the sum cannot be represented.
pub(crate) fn later(start: Instant, delay: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    start.checked_add(delay.min(FAR)).unwrap_or(start)
}
