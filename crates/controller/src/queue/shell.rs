//! The work queue that tasks share. Go counterpart: `workqueue.TypedRateLimitingInterface` and
//! controller-runtime's `priorityqueue.PriorityQueue`.
//!
//! One lock guards the state machine and the list of parked tasks. Every operation ends with
//! [`State::settle`], which upholds the one rule of the shell: when the lock is released, a key is
//! ready, and a task is parked, then a task has been taken out to be woken. Wakers run after the
//! lock is released.
//!
//! Delayed keys need no background task: one parked task, the *timekeeper*, sleeps until the next
//! delayed key comes due. When no task is parked, whoever looks next finds the due keys.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use pintle_client_traits::MetricsProvider;

use super::clock::{Clock, TokioClock};
use super::core::Core;
use super::get::{Drained, Get, Item};
use super::limiter::{RateLimiter, default_rate_limiter};
use super::metrics::QueueMetrics;
use super::ready::Turn;
use super::sync::{AtomicBool, Mutex, MutexGuard, Ordering, lock};
use super::waiters::{WaiterId, Waiters};

/// The priority of keys from the initial list and from events that changed nothing (-100), so that
/// a restart or a resync does not hold up what has just happened.
///
/// Go counterpart: controller-runtime's `handler.LowPriority`.
pub const LOW_PRIORITY: i32 = -100;

/// How a key is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddOptions {
    /// Higher is handed out first; 0 unless said otherwise.
    pub priority: i32,
    /// How long the key waits before it is queued.
    pub after: Duration,
    /// Whether the queue's rate limiter decides how long; with `after` too, the shorter counts.
    pub rate_limited: bool,
}

impl AddOptions {
    /// At once, at this priority.
    pub fn priority(priority: i32) -> Self {
        AddOptions { priority, ..Self::default() }
    }

    /// The same, after this delay.
    #[must_use]
    pub fn after(self, after: Duration) -> Self {
        AddOptions { after, ..self }
    }

    /// The same, after the delay that the rate limiter asks for.
    #[must_use]
    pub fn rate_limited(self) -> Self {
        AddOptions { rate_limited: true, ..self }
    }
}

/// What a queue is made of.
#[derive(Debug)]
#[non_exhaustive]
pub struct QueueOptions<K> {
    /// The `name` and `controller` labels of the metrics.
    pub name: String,
    /// Decides the delays of [`WorkQueue::add_rate_limited`].
    pub rate_limiter: Box<dyn RateLimiter<K>>,
    /// Where to count; nothing is counted, and no clock is read for it, without a provider.
    pub metrics: Option<Arc<dyn MetricsProvider>>,
}

/// No name, the controllers' rate limiter ([`default_rate_limiter`]), no metrics.
impl<K: Clone + Eq + Hash + fmt::Debug + Send + Sync + 'static> Default for QueueOptions<K> {
    fn default() -> Self {
        QueueOptions { name: String::new(), rate_limiter: default_rate_limiter(), metrics: None }
    }
}

impl<K> QueueOptions<K> {
    /// Options with this limiter, without name and metrics.
    pub fn rate_limited_by(rate_limiter: impl RateLimiter<K> + 'static) -> Self {
        QueueOptions { name: String::new(), rate_limiter: Box::new(rate_limiter), metrics: None }
    }

    /// Counts under this name.
    #[must_use]
    pub fn metrics(self, name: impl Into<String>, provider: Arc<dyn MetricsProvider>) -> Self {
        QueueOptions { name: name.into(), metrics: Some(provider), ..self }
    }
}

/// A queue of keys that need work.
///
/// - A key is held by one worker at most. Added many times while it is queued, it is handed out
///   once; added while a worker holds it, it is queued again once, when that worker is done.
/// - Keys come out by priority, then in the order in which they became ready.
/// - A key added with a delay waits beside the queue. Added again with a delay, it keeps the
///   earlier time. A key may wait and be queued at the same time, as in client-go: the wait is not
///   cancelled by a plain add.
/// - After shutdown adds are dropped, and delayed keys are; queued keys are still handed out.
///
/// Clones are handles of the same queue. Nothing here blocks; delays need a tokio runtime with
/// time where [`WorkQueue::get`] is awaited, the rest needs no runtime.
///
/// Go counterparts: `workqueue.TypedRateLimitingInterface`, and controller-runtime's
/// `priorityqueue.PriorityQueue` for priorities.
///
/// # Example: a worker
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use pintle_controller::WorkQueue;
///
/// let queue = WorkQueue::new();
/// queue.add("default/one");
/// queue.add("default/two");
/// queue.add("default/one"); // already queued
/// queue.shut_down();        // what is queued is still handed out
///
/// let mut seen = Vec::new();
/// while let Some(key) = queue.get().await {
///     seen.push(*key);
///     queue.forget(&key);   // it went well
/// }                         // dropping the item ends its turn
/// assert_eq!(seen, ["default/one", "default/two"]);
/// # }
/// ```
pub struct WorkQueue<K> {
    shared: Arc<Shared<K>>,
}

struct Shared<K> {
    state: Mutex<State<K>>,
    limiter: Mutex<Box<dyn RateLimiter<K>>>,
    /// Set while the limiter may have something to forget. Written under the limiter's lock. A
    /// worker that reads it late would have to hold a key that was limited but not yet handed to
    /// it, and the hand-over goes through the state's lock.
    limited: AtomicBool,
}

pub(super) struct State<K> {
    pub(super) core: Core<K>,
    pub(super) getters: Waiters,
    pub(super) drainers: Waiters,
    /// The parked task that sleeps until a delayed key comes due, and until when.
    pub(super) timekeeper: Option<(WaiterId, Instant)>,
    /// Set by the plain shutdown: nobody waits for the drain any longer.
    pub(super) drain_given_up: bool,
    next_waiter: WaiterId,
}

impl<K> Clone for WorkQueue<K> {
    fn clone(&self) -> Self {
        WorkQueue { shared: Arc::clone(&self.shared) }
    }
}

impl<K: Clone + Eq + Hash> fmt::Debug for WorkQueue<K> {
    /// Counts, no keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("WorkQueue")
            .field("len", &state.core.len())
            .field("processing", &state.core.processing())
            .field("shutting_down", &state.core.is_shutting_down())
            .finish_non_exhaustive()
    }
}

impl<K: Clone + Eq + Hash + fmt::Debug + Send + Sync + 'static> Default for WorkQueue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Clone + Eq + Hash + fmt::Debug + Send + Sync + 'static> WorkQueue<K> {
    /// An empty queue with the controllers' rate limiter and without metrics.
    pub fn new() -> Self {
        Self::with_options(QueueOptions::default())
    }
}

impl<K: Clone + Eq + Hash> WorkQueue<K> {
    /// An empty queue.
    pub fn with_options(options: QueueOptions<K>) -> Self {
        let metrics = options.metrics.map(|m| QueueMetrics::new(m.as_ref(), &options.name));
        let state = State {
            core: Core::new(metrics),
            getters: Waiters::default(),
            drainers: Waiters::default(),
            timekeeper: None,
            drain_given_up: false,
            next_waiter: 0,
        };
        WorkQueue {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                limiter: Mutex::new(options.rate_limiter),
                limited: AtomicBool::new(false),
            }),
        }
    }

    /// Queues the key at priority 0. If it is queued already nothing changes; if a worker holds it,
    /// it is queued once more when that worker is done.
    pub fn add(&self, key: K) {
        let mut state = self.state();
        state.core.add(key, 0, &TokioClock);
        self.settle(state);
    }

    /// Queues the key once `delay` has passed. If it waits already, the earlier time counts.
    pub fn add_after(&self, key: K, delay: Duration) {
        self.enter(key, delay, 0, true);
    }

    /// Queues the key once the rate limiter's delay has passed, and counts a failure of the key.
    pub fn add_rate_limited(&self, key: K) {
        self.add_with(key, AddOptions::default().rate_limited());
    }

    /// Adds the key with a priority, a delay, or both. A key that is queued or waits already keeps
    /// the higher priority and the earlier time.
    ///
    /// Go counterpart: `AddWithOpts`.
    pub fn add_with(&self, key: K, options: AddOptions) {
        let mut delay = options.after;
        if options.rate_limited {
            let limit = self.limit(&key);
            delay = if delay.is_zero() { limit } else { delay.min(limit) };
        }
        let retry = options.rate_limited || !options.after.is_zero();
        self.enter(key, delay, options.priority, retry);
    }

    fn enter(&self, key: K, delay: Duration, priority: i32, retry: bool) {
        let mut state = self.state();
        if retry && !state.core.is_shutting_down() {
            state.core.count_retry();
        }
        state.core.add_after(key, delay, priority, &TokioClock);
        self.settle(state);
    }

    /// Forgets the key's failures, so that its next rate-limited add is quick again. The key stays
    /// in the queue, and a delayed add stays where it is.
    pub fn forget(&self, key: &K) {
        if !self.shared.limited.load(Ordering::Acquire) {
            return;
        }
        let mut limiter = lock(&self.shared.limiter);
        limiter.forget(key);
        if limiter.is_idle() {
            self.shared.limited.store(false, Ordering::Release);
        }
    }

    /// How often the key was added rate-limited since it was last forgotten.
    pub fn num_requeues(&self, key: &K) -> u32 {
        lock(&self.shared.limiter).num_requeues(key)
    }

    /// Waits for the next key; `None` once the queue is shut down and nothing is queued.
    ///
    /// # Cancel safety
    /// Dropping the future before it completes loses no key: it takes one only as it completes.
    pub fn get(&self) -> Get<'_, K> {
        Get::new(self)
    }

    /// The next key, if one is ready now.
    pub fn try_get(&self) -> Option<Item<'_, K>> {
        let mut state = self.state();
        let popped = state.core.pop(&TokioClock);
        self.settle(state);
        popped.map(|popped| Item::new(self, popped))
    }

    /// Ends a key's turn, for workers that do not keep the [`Item`] (see [`Item::detach`]). A key
    /// that nobody holds is ignored.
    pub fn done(&self, key: &K) {
        let mut state = self.state();
        state.core.done_key(key, &TokioClock);
        self.settle_done(state);
    }

    pub(super) fn done_turn(&self, turn: Turn) {
        let mut state = self.state();
        state.core.done(turn, &TokioClock);
        self.settle_done(state);
    }

    /// Keys that are ready to be handed out. For information: it may have changed when you look.
    pub fn len(&self) -> usize {
        let mut state = self.state();
        state.core.promote(&TokioClock);
        let len = state.core.len();
        self.settle(state);
        len
    }

    /// Whether no key is ready to be handed out.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops later adds and all delayed keys. Queued keys are still handed out; once there is none
    /// left, [`WorkQueue::get`] gives `None`. Ends the wait of [`WorkQueue::shut_down_with_drain`].
    pub fn shut_down(&self) {
        let mut state = self.state();
        state.core.shut_down();
        state.drain_given_up = true;
        let mut wakers = state.getters.take_all();
        wakers.extend(state.drainers.take_all());
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Shuts down at once, and waits until every queued key has been handed out and every worker
    /// is done. Keys added again while they are processed are handed out once more.
    ///
    /// It waits for as long as a worker takes, or for ever if there is no worker: give it a time
    /// limit, or end the wait with [`WorkQueue::shut_down`]. (client-go does not wait for queued
    /// keys if no worker holds one at that moment.)
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait; the queue stays shut down.
    pub fn shut_down_with_drain(&self) -> Drained<'_, K> {
        let mut state = self.state();
        state.core.shut_down();
        state.drain_given_up = false;
        let wakers = state.getters.take_all();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        Drained::new(self)
    }

    /// Whether the queue has been shut down.
    pub fn is_shutting_down(&self) -> bool {
        self.state().core.is_shutting_down()
    }

    /// Sets the gauges `workqueue_unfinished_work_seconds` and
    /// `workqueue_longest_running_processor_seconds`. The controller runner calls it every half
    /// second; a program with a queue of its own and metrics does the same.
    pub fn report_unfinished_work(&self) {
        self.state().core.report_unfinished(&TokioClock);
    }

    /// Counts a failure of the key; how long it has to wait.
    fn limit(&self, key: &K) -> Duration {
        let mut limiter = lock(&self.shared.limiter);
        self.shared.limited.store(true, Ordering::Release);
        limiter.when(key, TokioClock.now())
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<K>> {
        lock(&self.shared.state)
    }

    /// Releases the lock; wakes whom the change concerns.
    #[inline]
    pub(super) fn settle(&self, mut state: MutexGuard<'_, State<K>>) {
        let waker = state.settle();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn settle_done(&self, mut state: MutexGuard<'_, State<K>>) {
        if state.core.is_shutting_down() && state.core.is_drained() {
            let wakers = state.drainers.take_all();
            drop(state);
            wakers.into_iter().for_each(Waker::wake);
        } else {
            self.settle(state);
        }
    }
}

impl<K: Clone + Eq + Hash> State<K> {
    /// Chooses the parked task that has to look again, if one has: any task when a key is ready;
    /// when the next due time is earlier than what the timekeeper sleeps for, the timekeeper; any
    /// task when a key waits and nobody keeps the time.
    #[inline]
    pub(super) fn settle(&mut self) -> Option<Waker> {
        if self.getters.is_empty() { None } else { self.choose() }
    }

    #[cold]
    fn choose(&mut self) -> Option<Waker> {
        if self.core.len() > 0 {
            return self.getters.next();
        }
        let due = self.core.next_due()?;
        match self.timekeeper {
            None => self.getters.next(),
            Some((id, until)) if due < until => self.getters.take(id),
            Some(_) => None,
        }
    }

    pub(super) fn new_waiter(&mut self) -> WaiterId {
        self.next_waiter += 1;
        self.next_waiter
    }
}
