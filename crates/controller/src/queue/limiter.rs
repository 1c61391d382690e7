//! How long a key waits before it is tried again. Go counterpart:
//! `util/workqueue/default_rate_limiters.go`.
//!
//! Limiters are plain state with injected time; the queue keeps one behind a lock of its own.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::{Duration, Instant};

use rapidhash::fast::RandomState;

/// Decides how long a key waits before it is queued again.
///
/// Go counterpart: `workqueue.TypedRateLimiter`; `when` takes the time as an argument.
pub trait RateLimiter<K>: Debug + Send + Sync {
    /// Counts one more failure of the key and says how long to wait from `now`.
    fn when(&mut self, key: &K, now: Instant) -> Duration;

    /// Forgets the key's failures.
    fn forget(&mut self, key: &K);

    /// How often the key has failed since it was last forgotten.
    fn num_requeues(&self, key: &K) -> u32;

    /// Whether there is nothing to forget for any key. A queue whose limiter says so skips the
    /// limiter's lock in [`WorkQueue::forget`](crate::WorkQueue::forget). A limiter that cannot
    /// tell keeps the default, `false`.
    fn is_idle(&self) -> bool {
        false
    }
}

/// The limiter controllers use unless told otherwise: the longer of an exponential back-off for
/// each key (5 ms doubling up to 1,000 s) and a token bucket for all keys (10 a second, burst 100).
///
/// Go counterpart: `DefaultTypedControllerRateLimiter`.
pub fn default_rate_limiter<K: Clone + Eq + Hash + Debug + Send + Sync + 'static>()
-> Box<dyn RateLimiter<K>> {
    Box::new(MaxOf::new([
        Box::new(ExponentialBackoff::default()) as Box<dyn RateLimiter<K>>,
        Box::new(TokenBucket::new(10.0, 100)),
    ]))
}

/// Waits `base` times two to the power of the key's failures, up to `max`.
///
/// Go counterpart: `TypedItemExponentialFailureRateLimiter`.
///
/// # Example: the waits of a key that keeps failing
/// ```
/// use std::time::{Duration, Instant};
/// use pintle_controller::{ExponentialBackoff, RateLimiter};
///
/// let mut limiter = ExponentialBackoff::new(Duration::from_millis(5), Duration::from_secs(1000));
/// let now = Instant::now();
/// let waits = [(); 4].map(|()| limiter.when(&"default/one", now).as_millis());
/// assert_eq!(waits, [5, 10, 20, 40]);
/// limiter.forget(&"default/one");
/// assert_eq!(limiter.when(&"default/one", now).as_millis(), 5);
/// ```
#[derive(Clone, Debug)]
pub struct ExponentialBackoff<K> {
    base: Duration,
    max: Duration,
    failures: HashMap<K, u32, RandomState>,
}

impl<K> ExponentialBackoff<K> {
    /// Starts at `base`, never waits longer than `max`.
    pub fn new(base: Duration, max: Duration) -> Self {
        ExponentialBackoff { base, max, failures: HashMap::default() }
    }
}

/// 5 ms doubling up to 1,000 s.
impl<K> Default for ExponentialBackoff<K> {
    fn default() -> Self {
        Self::new(Duration::from_millis(5), Duration::from_secs(1000))
    }
}

impl<K: Clone + Eq + Hash + Debug + Send + Sync> RateLimiter<K> for ExponentialBackoff<K> {
    fn when(&mut self, key: &K, _now: Instant) -> Duration {
        let failures = count(&mut self.failures, key);
        let factor = 1u128 << (failures - 1).min(63);
        let wait = self.base.as_nanos().saturating_mul(factor).min(self.max.as_nanos());
        Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }

    fn num_requeues(&self, key: &K) -> u32 {
        self.failures.get(key).copied().unwrap_or(0)
    }

    fn is_idle(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Waits `fast` for the first attempts of a key and `slow` for all later ones.
///
/// Go counterpart: `TypedItemFastSlowRateLimiter`.
#[derive(Clone, Debug)]
pub struct FastSlow<K> {
    fast: Duration,
    slow: Duration,
    fast_attempts: u32,
    failures: HashMap<K, u32, RandomState>,
}

impl<K> FastSlow<K> {
    /// `fast` for the first `fast_attempts` failures, then `slow`.
    pub fn new(fast: Duration, slow: Duration, fast_attempts: u32) -> Self {
        FastSlow { fast, slow, fast_attempts, failures: HashMap::default() }
    }
}

impl<K: Clone + Eq + Hash + Debug + Send + Sync> RateLimiter<K> for FastSlow<K> {
    fn when(&mut self, key: &K, _now: Instant) -> Duration {
        if count(&mut self.failures, key) <= self.fast_attempts { self.fast } else { self.slow }
    }

    fn forget(&mut self, key: &K) {
        self.failures.remove(key);
    }

    fn num_requeues(&self, key: &K) -> u32 {
        self.failures.get(key).copied().unwrap_or(0)
    }

    fn is_idle(&self) -> bool {
        self.failures.is_empty()
    }
}

/// One bucket of tokens for all keys: each retry takes a token, and waits for it if there is none.
///
/// Go counterpart: `TypedBucketRateLimiter` over `golang.org/x/time/rate`.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    per_second: f64,
    burst: f64,
    /// Below zero when tokens that are yet to come have been promised.
    tokens: f64,
    filled: Option<Instant>,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens that fills at `per_second`. A rate that is not above zero
    /// never fills: once the burst is spent, waits are as long as a [`Duration`] of thirty years.
    pub fn new(per_second: f64, burst: u32) -> Self {
        let per_second = if per_second > 0.0 { per_second } else { 0.0 };
        TokenBucket { per_second, burst: burst.into(), tokens: burst.into(), filled: None }
    }

    /// Takes a token and says how long from `now` until it is there.
    pub fn reserve(&mut self, now: Instant) -> Duration {
        const FAR: f64 = 30.0 * 365.0 * 24.0 * 3600.0;
        self.fill(now);
        self.tokens -= 1.0;
        if self.tokens >= 0.0 {
            return Duration::ZERO;
        }
        let wait = -self.tokens / self.per_second; // infinite for a rate of zero
        Duration::from_secs_f64(wait.min(FAR))
    }

    /// Takes a token if there is one now.
    pub fn try_take(&mut self, now: Instant) -> bool {
        self.fill(now);
        let there = self.tokens >= 1.0;
        if there {
            self.tokens -= 1.0;
        }
        there
    }

    fn fill(&mut self, now: Instant) {
        let since = self.filled.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.filled = Some(self.filled.map_or(now, |last| last.max(now)));
        self.tokens = (self.tokens + since.as_secs_f64() * self.per_second).min(self.burst);
    }
}

impl<K> RateLimiter<K> for TokenBucket {
    fn when(&mut self, _key: &K, now: Instant) -> Duration {
        self.reserve(now)
    }

    fn forget(&mut self, _key: &K) {}

    fn num_requeues(&self, _key: &K) -> u32 {
        0
    }

    fn is_idle(&self) -> bool {
        true
    }
}

/// The longest wait that any of several limiters asks for.
///
/// Go counterpart: `TypedMaxOfRateLimiter`.
#[derive(Debug)]
pub struct MaxOf<K> {
    limiters: Vec<Box<dyn RateLimiter<K>>>,
}

impl<K> MaxOf<K> {
    /// The longest of these; no limiters never wait.
    pub fn new(limiters: impl IntoIterator<Item = Box<dyn RateLimiter<K>>>) -> Self {
        MaxOf { limiters: limiters.into_iter().collect() }
    }
}

impl<K: Debug> RateLimiter<K> for MaxOf<K> {
    fn when(&mut self, key: &K, now: Instant) -> Duration {
        self.limiters.iter_mut().map(|l| l.when(key, now)).max().unwrap_or_default()
    }

    fn forget(&mut self, key: &K) {
        self.limiters.iter_mut().for_each(|l| l.forget(key));
    }

    fn num_requeues(&self, key: &K) -> u32 {
        self.limiters.iter().map(|l| l.num_requeues(key)).max().unwrap_or(0)
    }

    fn is_idle(&self) -> bool {
        self.limiters.iter().all(|l| l.is_idle())
    }
}

/// What another limiter asks for, but never more than a limit.
///
/// Go counterpart: `TypedWithMaxWaitRateLimiter`.
#[derive(Debug)]
pub struct AtMost<L> {
    limiter: L,
    max: Duration,
}

impl<L> AtMost<L> {
    /// `limiter`, cut at `max`.
    pub fn new(limiter: L, max: Duration) -> Self {
        AtMost { limiter, max }
    }
}

impl<K, L: RateLimiter<K>> RateLimiter<K> for AtMost<L> {
    fn when(&mut self, key: &K, now: Instant) -> Duration {
        self.limiter.when(key, now).min(self.max)
    }

    fn forget(&mut self, key: &K) {
        self.limiter.forget(key);
    }

    fn num_requeues(&self, key: &K) -> u32 {
        self.limiter.num_requeues(key)
    }

    fn is_idle(&self) -> bool {
        self.limiter.is_idle()
    }
}

/// Counts one more failure and returns how many there are, at least one.
fn count<K: Clone + Eq + Hash>(failures: &mut HashMap<K, u32, RandomState>, key: &K) -> u32 {
    if let Some(n) = failures.get_mut(key) {
        *n = n.saturating_add(1);
        return *n;
    }
    failures.insert(key.clone(), 1);
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[track_caller]
    fn check(limiter: &mut dyn RateLimiter<&'static str>, key: &'static str, waits: &[u64]) {
        let now = Instant::now();
        let got: Vec<_> = waits.iter().map(|_| limiter.when(&key, now)).collect();
        let expect: Vec<_> = waits.iter().copied().map(ms).collect();
        assert_eq!(got, expect);
    }

    // Ported from default_rate_limiters_test.go: TestItemExponentialFailureRateLimiter.
    #[test]
    fn exponential_table() {
        let mut limiter = ExponentialBackoff::new(ms(1), Duration::from_secs(1));
        check(&mut limiter, "one", &[1, 2, 4, 8, 16]);
        assert_eq!(limiter.num_requeues(&"one"), 5);
        check(&mut limiter, "two", &[1, 2]);
        assert_eq!(limiter.num_requeues(&"two"), 2);
        limiter.forget(&"one");
        assert_eq!(limiter.num_requeues(&"one"), 0);
        check(&mut limiter, "one", &[1]);
        limiter.forget(&"one");
        assert!(!RateLimiter::is_idle(&limiter));
        limiter.forget(&"two");
        assert!(RateLimiter::is_idle(&limiter));
    }

    // Ported from TestItemExponentialFailureRateLimiterOverFlow.
    #[test]
    fn exponential_stays_at_its_limit() {
        let mut limiter = ExponentialBackoff::new(ms(1), Duration::from_secs(1000));
        for _ in 0..5 {
            limiter.when(&"one", Instant::now());
        }
        check(&mut limiter, "one", &[32]);
        for _ in 0..1000 {
            limiter.when(&"overflow", Instant::now());
        }
        check(&mut limiter, "overflow", &[1_000_000]);

        let mut minutes = ExponentialBackoff::new(ms(60_000), Duration::from_secs(3600));
        check(&mut minutes, "two", &[60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000]);
        check(&mut minutes, "two", &[3_600_000, 3_600_000]);

        let mut none = ExponentialBackoff::new(ms(0), ms(9));
        for _ in 0..70 {
            check(&mut none, "zero", &[0]);
        }
    }

    // Ported from TestItemFastSlowRateLimiter.
    #[test]
    fn fast_slow_table() {
        let mut limiter = FastSlow::new(ms(5), ms(10_000), 3);
        check(&mut limiter, "one", &[5, 5, 5, 10_000, 10_000]);
        assert_eq!(limiter.num_requeues(&"one"), 5);
        check(&mut limiter, "two", &[5, 5]);
        limiter.forget(&"one");
        check(&mut limiter, "one", &[5]);
    }

    // Ported from TestMaxOfRateLimiter and TestWithMaxWaitRateLimiter.
    #[test]
    fn max_of_and_at_most() {
        let mut limiter = MaxOf::new([
            Box::new(FastSlow::new(ms(5), ms(3000), 3)) as Box<dyn RateLimiter<&'static str>>,
            Box::new(ExponentialBackoff::new(ms(1), ms(1000))),
        ]);
        check(&mut limiter, "one", &[5, 5, 5, 3000, 3000]);
        assert_eq!(limiter.num_requeues(&"one"), 5);
        limiter.forget(&"one");
        check(&mut limiter, "one", &[5]);

        let mut limiter = AtMost::new(FastSlow::new(ms(5), ms(3000), 3), ms(500));
        check(&mut limiter, "one", &[5, 5, 5, 500, 500]);
        let mut none = MaxOf::new([]);
        check(&mut none, "one", &[0]);
    }

    #[test]
    fn bucket_spends_its_burst_then_waits_for_each_token() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(10.0, 3);
        let waits: Vec<_> = (0..5).map(|_| bucket.reserve(start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
        // 300 ms later the two promised tokens are paid and one more has come.
        assert_eq!(bucket.reserve(start + ms(300)).as_millis(), 0);
        assert_eq!(bucket.reserve(start + ms(300)).as_millis(), 100);
        // A clock that stands still or steps back fills nothing.
        assert_eq!(bucket.reserve(start).as_millis(), 200);
        // A long rest fills it to the burst and no further.
        let late = start + Duration::from_secs(3600);
        assert_eq!((0..4).filter(|_| bucket.try_take(late)).count(), 3);
    }

    #[test]
    fn bucket_without_a_rate_never_panics() {
        for rate in [0.0, -1.0, f64::NAN] {
            let mut bucket = TokenBucket::new(rate, 1);
            let now = Instant::now();
            assert_eq!(bucket.reserve(now), Duration::ZERO);
            assert!(bucket.reserve(now) > Duration::from_secs(1_000_000));
        }
        assert!(TokenBucket::new(f64::INFINITY, 1).reserve(Instant::now()).is_zero());
    }

    #[test]
    fn the_default_bounds_all_keys_together() {
        let mut limiter = default_rate_limiter::<u32>();
        let now = Instant::now();
        for key in 0..100 {
            assert_eq!(limiter.when(&key, now), ms(5));
        }
        assert_eq!(limiter.when(&100, now), ms(100));
        assert_eq!(limiter.when(&101, now), ms(200));
    }
}
