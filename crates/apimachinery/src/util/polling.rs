//! When to look again. Go: `PollUntilContextCancel`, `PollUntilContextTimeout`, `Until`,
//! `NonSlidingUntil`, `JitterUntil` and `BackoffUntil` of `k8s.io/apimachinery/pkg/util/wait`.

use super::wait::{Backoff, BackoffManager, jitter};
use std::time::Duration;

/// What to do next; see [`Polling`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollStep {
    /// Look. If it is not time to stop, ask again.
    Run,
    /// Nothing to do until the clock says so (a point in time, not a span), then ask again.
    WaitUntil(Duration),
    /// The time is up.
    TimedOut,
}

/// Where delays come from.
#[derive(Clone, Debug)]
enum Delays {
    /// A grid of points in time that does not shift; points that were missed are left out.
    Ticks(Duration),
    /// A delay that is the same each time but for jitter.
    Period(Duration, f64),
    Backoff(Backoff),
    Managed(BackoffManager),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    New,
    Running,
    Waiting,
}

/// Says when to look whether something has happened, as a state machine: ask [`next`](Self::next),
/// do what it says, and ask again.
/// Go: `wait.PollUntilContextTimeout` and its like.
///
/// # Example: every second, at once for the first time, for at most 2.5 seconds
/// ```
/// use pintle_apimachinery::util::{PollStep, Polling};
/// use std::time::Duration;
///
/// let ms = Duration::from_millis;
/// let mut polling = Polling::every(ms(1_000)).immediate().timeout(ms(2_500));
/// let mut now = ms(0); // a clock that a test sets
/// let mut looked_at = Vec::new();
/// loop {
///     match polling.next(now, 0.0) {
///         PollStep::Run => looked_at.push(now.as_millis()),
///         PollStep::WaitUntil(then) => now = then, // sleep
///         PollStep::TimedOut => break,
///     }
/// }
/// assert_eq!((looked_at, now), (vec![0, 1_000, 2_000], ms(2_500)));
/// ```
#[derive(Clone, Debug)]
pub struct Polling {
    delays: Delays,
    immediate: bool,
    sliding: bool,
    timeout: Option<Duration>,
    state: State,
    started: Duration,
    /// When to look next, once a delay runs.
    at: Option<Duration>,
}

impl Polling {
    const fn new(delays: Delays) -> Self {
        let (immediate, sliding, timeout) = (false, false, None);
        let (state, started, at) = (State::New, Duration::ZERO, None);
        Polling { delays, immediate, sliding, timeout, state, started, at }
    }

    /// Looks at every multiple of `interval` from the start; if looking takes longer than that, at
    /// once, and then again at a multiple. An interval of zero does not wait.
    /// Go: `PollUntilContextCancel`.
    pub const fn every(interval: Duration) -> Self {
        Self::new(Delays::Ticks(interval))
    }

    /// Looks at once and then after each `period`, lengthened at random by up to `jitter` of it if
    /// that is above zero. The period begins when looking does; see [`sliding`](Self::sliding).
    /// Go: `JitterUntil`, `NonSlidingUntil`, and with `sliding` `Until`.
    pub const fn until(period: Duration, jitter: f64) -> Self {
        Self::new(Delays::Period(period, jitter)).immediate()
    }

    /// Looks after each delay of a back-off, which need not end. Go: `Backoff.Timer`.
    pub fn with_backoff(backoff: Backoff) -> Self {
        if backoff.steps > 1 || backoff.jitter != 0.0 {
            Self::new(Delays::Backoff(backoff))
        } else {
            Self::every(backoff.duration)
        }
    }

    /// Looks at once and then after each delay of a back-off that begins anew after a time.
    /// Go: `BackoffUntil`.
    pub const fn managed(delays: BackoffManager) -> Self {
        Self::new(Delays::Managed(delays)).immediate()
    }

    /// Look at once for the first time, even if there is no time at all. Go: the parameter
    /// `immediate`.
    #[must_use]
    pub const fn immediate(mut self) -> Self {
        self.immediate = true;
        self
    }

    /// Delays begin when looking is done, not when it begins. Go: the parameter `sliding` of
    /// `wait.JitterUntil`.
    #[must_use]
    pub const fn sliding(mut self) -> Self {
        self.sliding = true;
        self
    }

    /// Stop when so much time has passed since the first [`next`](Self::next).
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// A delay begins now.
    fn arm(&mut self, now: Duration, random: f64) {
        let delay = match &mut self.delays {
            Delays::Ticks(interval) => {
                let passed = now.saturating_sub(self.started).as_nanos();
                let interval = interval.as_nanos();
                let into = passed.checked_rem(interval).unwrap_or(0);
                let left = u64::try_from(interval - into.min(interval)).unwrap_or(u64::MAX);
                Duration::from_nanos(left)
            }
            Delays::Period(period, share) if *share > 0.0 => jitter(*period, *share, random),
            Delays::Period(period, _) => *period,
            Delays::Backoff(backoff) => backoff.step(random),
            Delays::Managed(manager) => manager.next(now, random),
        };
        self.at = Some(now.saturating_add(delay));
    }

    /// What to do now. After [`PollStep::Run`], asking again says that it is not over yet.
    #[allow(clippy::should_implement_trait)] // needs the time
    pub fn next(&mut self, now: Duration, random: f64) -> PollStep {
        match self.state {
            State::New => {
                self.started = now;
                if !self.sliding {
                    self.arm(now, random);
                }
                if self.immediate {
                    self.state = State::Running;
                    return PollStep::Run;
                }
                if self.sliding {
                    self.start_ticks(now, random);
                }
            }
            // Ticks come whether somebody waits for them or not, once they have begun.
            State::Running if self.sliding => self.start_ticks(now, random),
            State::Running | State::Waiting => {}
        }
        self.state = State::Waiting;
        let deadline = self.timeout.map(|timeout| self.started.saturating_add(timeout));
        if deadline.is_some_and(|deadline| deadline <= now) {
            return PollStep::TimedOut;
        }
        let at = self.at.unwrap_or(now);
        if at > now {
            return PollStep::WaitUntil(deadline.map_or(at, |deadline| deadline.min(at)));
        }
        self.state = State::Running;
        if !self.sliding || matches!(self.delays, Delays::Ticks(_)) {
            self.arm(now, random);
        }
        PollStep::Run
    }

    /// A delay begins now that looking is done, unless it is of ticks, which began before.
    fn start_ticks(&mut self, now: Duration, random: f64) {
        if !matches!(self.delays, Delays::Ticks(_)) {
            self.arm(now, random);
        } else if self.at.is_none() {
            // The grid begins here.
            let started = std::mem::replace(&mut self.started, now);
            self.arm(now, random);
            if let Some(timeout) = &mut self.timeout {
                *timeout = timeout.saturating_sub(now.saturating_sub(started));
            }
        }
    }
}
