//! A clock that a test moves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pintle_apimachinery::Time;

/// A clock that stands until a test moves it. Clones are the same clock. Go:
/// `k8s.io/utils/clock/testing.FakeClock`.
///
/// A server with such a clock ([`Builder::manual_clock`](crate::Builder::manual_clock)) takes from
/// it the times it writes into objects (`creationTimestamp`, `deletionTimestamp`, those of
/// conditions and managed fields) and of tokens, and waits by it: for bookmarks, the ends of
/// watches, versions that have not happened, Events that are too old, and delays of
/// [`Fault`](super::Fault).
///
/// # Example: objects of different ages
/// ```
/// use std::time::Duration;
/// use pintle_apimachinery::{Object, Time};
/// use pintle_apiserver::ApiServer;
/// use pintle_apiserver::testing::Clock;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let clock = Clock::at(Time::parse("2030-01-01T00:00:00Z")?);
/// let server = ApiServer::builder().manual_clock(&clock).start().await?;
/// server.load("{apiVersion: v1, kind: ConfigMap, metadata: {name: old}}").await?;
/// clock.advance(Duration::from_secs(3_600));
/// let young = server.load("{apiVersion: v1, kind: ConfigMap, metadata: {name: young}}").await?;
/// let born = young[0].metadata().creation_timestamp;
/// assert_eq!(born, Time::parse("2030-01-01T01:00:00Z")?);
/// # Ok::<(), pintle_apimachinery::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    shared: Arc<Mutex<State>>,
    start: Time,
}

#[derive(Debug, Default)]
struct State {
    elapsed: Duration,
    /// Tasks that wait for a moment.
    waiting: BTreeMap<(Duration, u64), Waker>,
    next: u64,
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new()
    }
}

impl Clock {
    /// A clock that shows the present time.
    pub fn new() -> Self {
        Clock::at(Time::now())
    }

    /// A clock that shows `time`.
    pub fn at(time: Time) -> Self {
        Clock { shared: Arc::default(), start: time }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the clock shows.
    pub fn now(&self) -> Time {
        let seconds = i64::try_from(self.elapsed().as_secs()).unwrap_or(i64::MAX);
        Time::from_unix(self.start.unix().saturating_add(seconds))
    }

    /// How far the clock was moved.
    pub(crate) fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    /// Moves the clock. Whatever waits for a time up to then goes on.
    pub fn advance(&self, by: Duration) {
        let due = {
            let mut state = self.lock();
            state.elapsed = state.elapsed.saturating_add(by);
            let after = (state.elapsed.saturating_add(Duration::from_nanos(1)), 0);
            let later = state.waiting.split_off(&after);
            std::mem::replace(&mut state.waiting, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    pub(crate) fn timer(&self, moment: Duration) -> ClockTimer {
        let mut state = self.lock();
        state.next += 1;
        ClockTimer { clock: self.clone(), key: (moment, state.next) }
    }
}

/// Goes off when the clock shows its moment.
#[derive(Debug)]
pub(crate) struct ClockTimer {
    clock: Clock,
    key: (Duration, u64),
}

impl ClockTimer {
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if state.elapsed >= self.key.0 {
            return Poll::Ready(());
        }
        let old = state.waiting.insert(self.key, cx.waker().clone());
        // After the lock: it may be the last owner of a task that has timers.
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl Drop for ClockTimer {
    fn drop(&mut self) {
        let old = self.clock.lock().waiting.remove(&self.key);
        drop(old);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Context;

    use super::*;

    #[test]
    fn timers_go_off_when_their_time_has_come() {
        let clock = Clock::at(Time::from_unix(100));
        let cx = Context::from_waker(Waker::noop());
        let mut early = clock.timer(Duration::from_secs(1));
        let mut late = clock.timer(Duration::from_secs(3));
        assert!(early.poll(&cx).is_pending() && late.poll(&cx).is_pending());
        clock.advance(Duration::from_millis(999));
        assert!(early.poll(&cx).is_pending());
        assert_eq!(clock.now(), Time::from_unix(100));
        clock.advance(Duration::from_millis(1));
        assert!(early.poll(&cx).is_ready() && late.poll(&cx).is_pending());
        assert_eq!(clock.now(), Time::from_unix(101));
        assert_eq!(clock.lock().waiting.len(), 1);
        drop(late);
        assert_eq!(clock.lock().waiting.len(), 0);
    }
}
