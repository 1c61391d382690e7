//! How long to wait after failures. Go: `wait.NewExponentialBackoffManager` as
//! `cache.NewReflectorWithOptions` sets it up.

use std::time::Duration;

use pintle_apimachinery::util::{self, BackoffManager};

/// Delays that double, begin anew after a quiet time, and are lengthened by up to their own length
/// so that many clients do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff(BackoffManager);

impl Default for Backoff {
    fn default() -> Self {
        let delays = util::Backoff {
            duration: Duration::from_millis(800),
            factor: 2.0,
            jitter: 1.0,
            steps: u32::MAX,
            cap: Duration::from_secs(30),
        };
        Backoff(BackoffManager::after_quiet(delays, Duration::from_secs(120), Duration::ZERO))
    }
}

impl Backoff {
    /// The next delay. `now` is any clock that only goes forward; `random` is in 0..1.
    pub(crate) fn next(&mut self, now: Duration, random: f64) -> Duration {
        self.0.next(now, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_and_start_again_when_it_was_quiet() {
        let mut backoff = Backoff::default();
        let mut now = Duration::ZERO;
        let mut next = |pause: u64, random| {
            now += Duration::from_secs(pause);
            backoff.next(now, random).as_millis()
        };
        let delays: Vec<_> = (0..8).map(|_| next(1, 0.0)).collect();
        assert_eq!(delays, [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
        assert_eq!(next(120, 0.0), 30_000, "exactly two minutes are not yet quiet");
        assert_eq!(next(121, 0.0), 800);
        assert_eq!(next(1, 1.0), 3200, "jitter at most doubles");
        assert_eq!(next(1, 0.5), 4800, "jitter is not carried on");
    }
}
