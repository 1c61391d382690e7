//! Delays that grow. Go: `Backoff`, `BackoffManager` and `ExponentialBackoff` of
//! `k8s.io/apimachinery/pkg/util/wait`.

use std::time::Duration;

/// How long to wait after each of several failures. Go: `wait.Backoff`.
///
/// Go's durations are signed and its product of a long delay and a factor may wrap to a negative
/// one, which does not wait at all; here it stays at the longest that Go can hold, 292 years.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backoff {
    /// The next delay, before jitter.
    pub duration: Duration,
    /// What the delay is multiplied by at each step; 0 keeps it as it is.
    pub factor: f64,
    /// Up to this share of a delay is added to it at random; 0 adds nothing. What was added is not
    /// carried on to the next delay.
    pub jitter: f64,
    /// How often the delay may still change; also how many attempts [`Attempts`] makes.
    pub steps: u32,
    /// The longest delay before jitter; zero for no limit. When a product is beyond it, the steps
    /// become 0.
    pub cap: Duration,
}

/// The longest delay of Go.
const LONGEST: u64 = i64::MAX as u64;

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(LONGEST).min(LONGEST)
}

/// Rounded toward zero and kept within what Go can hold.
fn from_nanos(nanos: f64) -> Duration {
    Duration::from_nanos((nanos as u64).min(LONGEST))
}

/// A delay and up to `share` of it more, all of it if `share` is not above zero; `random` says how
/// much. Go: `wait.Jitter`.
pub fn jitter(delay: Duration, share: f64, random: f64) -> Duration {
    let share = if share <= 0.0 { 1.0 } else { share };
    delay.saturating_add(from_nanos(random.clamp(0.0, 1.0) * share * nanos(delay) as f64))
}

impl Backoff {
    /// The delay now; the next one will be longer. Go: `Step`.
    pub fn step(&mut self, random: f64) -> Duration {
        let delay = self.duration;
        match self.steps.checked_sub(1) {
            None => {}
            Some(left) => {
                self.steps = left;
                if self.factor != 0.0 {
                    self.duration = from_nanos(nanos(delay) as f64 * self.factor);
                    if !self.cap.is_zero() && self.duration > self.cap {
                        (self.duration, self.steps) = (self.cap, 0);
                    }
                }
            }
        }
        if self.jitter > 0.0 { jitter(delay, self.jitter, random) } else { delay }
    }
}

/// When a [`BackoffManager`] begins anew.
#[derive(Clone, Copy, Debug)]
enum Anew {
    /// When it has not been asked for so long.
    Quiet(Duration),
    /// When it last began so long ago.
    Period(Duration),
}

/// A [`Backoff`] that begins anew after a time.
///
/// ```
/// use pintle_apimachinery::util::{Backoff, BackoffManager};
/// use std::time::Duration;
///
/// let ms = Duration::from_millis;
/// let backoff = Backoff { duration: ms(800), factor: 2.0, steps: u32::MAX, cap: ms(30_000), ..Backoff::default() };
/// let mut delays = BackoffManager::after_quiet(backoff, ms(120_000), Duration::ZERO);
/// assert_eq!(delays.next(ms(1_000), 0.0), ms(800));
/// assert_eq!(delays.next(ms(2_000), 0.0), ms(1_600));
/// assert_eq!(delays.next(ms(130_000), 0.0), ms(800));
/// ```
#[derive(Clone, Debug)]
pub struct BackoffManager {
    first: Backoff,
    current: Backoff,
    anew: Anew,
    since: Duration,
}

impl BackoffManager {
    /// Begins anew when no delay was asked for in longer than `quiet`.
    /// Go: `NewExponentialBackoffManager`, for which `steps` is as good as infinite.
    pub const fn after_quiet(backoff: Backoff, quiet: Duration, now: Duration) -> Self {
        BackoffManager { first: backoff, current: backoff, anew: Anew::Quiet(quiet), since: now }
    }

    /// Begins anew when it last did so longer than `period` ago. A period of zero, as in Go, never
    /// lets the delay grow. Go: `Backoff.DelayWithReset`.
    pub fn every(mut backoff: Backoff, period: Duration, now: Duration) -> Self {
        if backoff.factor > 0.0 && period.is_zero() {
            (backoff.steps, backoff.factor) = (0, 0.0);
        }
        BackoffManager { first: backoff, current: backoff, anew: Anew::Period(period), since: now }
    }

    /// The next delay.
    #[allow(clippy::should_implement_trait)] // needs the time
    pub fn next(&mut self, now: Duration, random: f64) -> Duration {
        let passed = now.saturating_sub(self.since);
        match self.anew {
            Anew::Quiet(quiet) => {
                if passed > quiet {
                    self.current = self.first;
                }
                self.since = now;
            }
            // Without growth there is nothing to begin anew, and Go then leaves the steps alone.
            Anew::Period(period) if passed > period && self.first.factor > 0.0 => {
                (self.current, self.since) = (self.first, now);
            }
            Anew::Period(_) => {}
        }
        self.current.step(random)
    }
}

/// What to do next; see [`Attempts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Try. If that fails, ask again.
    Try,
    /// Wait so long, then ask again.
    Wait(Duration),
    /// It was tried often enough.
    GiveUp,
}

/// Tries up to [`Backoff::steps`] times, with a delay in between. A delay that was cut at the cap is
/// the last, and nothing is tried after it. Go: `ExponentialBackoff`.
///
/// # Example: three attempts
/// ```
/// use pintle_apimachinery::util::{Attempt, Attempts, Backoff};
/// use std::time::Duration;
///
/// let mut attempts =
///     Attempts::new(Backoff { duration: Duration::from_millis(10), steps: 3, ..Backoff::default() });
/// let mut tried = 0;
/// loop {
///     match attempts.next(0.0) {
///         Attempt::Try => tried += 1, // and leave the loop if it works
///         Attempt::Wait(delay) => assert_eq!(delay.as_millis(), 10), // sleep
///         Attempt::GiveUp => break,
///     }
/// }
/// assert_eq!(tried, 3);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Attempts {
    backoff: Backoff,
    tried: bool,
}

impl Attempts {
    /// Nothing was tried yet.
    pub const fn new(backoff: Backoff) -> Self {
        Attempts { backoff, tried: false }
    }

    /// What to do next, given that the last attempt, if there was one, failed.
    #[allow(clippy::should_implement_trait)] // needs a random number
    pub fn next(&mut self, random: f64) -> Attempt {
        let left = self.backoff.steps;
        if left == 0 || (self.tried && left == 1) {
            return Attempt::GiveUp;
        }
        self.tried = !self.tried;
        if self.tried { Attempt::Try } else { Attempt::Wait(self.backoff.step(random)) }
    }
}
