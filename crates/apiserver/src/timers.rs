//! Time that passes: waits, deadlines and intervals, on tokio's clock or on one that a test moves.
//!
//! Go counterpart: `k8s.io/utils/clock`, as far as the API server waits with it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::testing::{Clock, ClockTimer};

/// A point in time, from any fixed one on.
pub(crate) type Moment = Duration;

/// Where waiting comes from.
#[derive(Clone, Debug)]
pub(crate) enum Timers {
    /// Tokio's clock, from this instant on.
    Tokio(Instant),
    /// A clock that stands until it is moved.
    Manual(Clock),
}

impl Timers {
    pub(crate) fn tokio() -> Self {
        Timers::Tokio(Instant::now())
    }

    pub(crate) fn now(&self) -> Moment {
        match self {
            Timers::Tokio(base) => base.elapsed(),
            Timers::Manual(clock) => clock.elapsed(),
        }
    }

    /// A timer that goes off at `moment`.
    pub(crate) fn at(&self, moment: Moment) -> Timer {
        match self {
            // What is out of range never comes, as far as anybody will see.
            Timers::Tokio(base) => {
                let at = base.checked_add(moment);
                Timer::Tokio(Box::pin(sleep_until(
                    at.unwrap_or(*base + Duration::from_secs(1 << 30)),
                )))
            }
            Timers::Manual(clock) => Timer::Manual(clock.timer(moment)),
        }
    }

    /// A timer that goes off in a while.
    pub(crate) fn after(&self, while_: Duration) -> Timer {
        self.at(self.now().saturating_add(while_))
    }
}

/// A future that ends when its time has come, and stays ended.
#[derive(Debug)]
pub(crate) enum Timer {
    Tokio(Pin<Box<Sleep>>),
    Manual(ClockTimer),
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            Timer::Tokio(sleep) => sleep.as_mut().poll(cx),
            Timer::Manual(timer) => timer.poll(cx),
        }
    }
}
