//! The futures of the work queue and the guard of a key. Go counterparts: `Get`, `Done` and
//! `ShutDownWithDrain` of `util/workqueue/queue.go`.

use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

use super::clock::TokioClock;
use super::core::Popped;
use super::ready::Turn;
use super::shell::WorkQueue;
use super::waiters::WaiterId;

/// A key that a worker holds. While it lives no other worker gets the key; dropping it ends the
/// turn, also when the worker panics.
///
/// Go counterpart: the key between `Get` and `Done`.
#[must_use = "dropping the item ends the key's turn"]
pub struct Item<'q, K: Clone + Eq + Hash> {
    queue: &'q WorkQueue<K>,
    key: K,
    turn: Option<Turn>,
    priority: i32,
}

impl<'q, K: Clone + Eq + Hash> Item<'q, K> {
    pub(super) fn new(queue: &'q WorkQueue<K>, popped: Popped<K>) -> Self {
        Item { queue, key: popped.key, turn: Some(popped.turn), priority: popped.priority }
    }

    /// The key.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// The priority at which the key was queued.
    pub fn priority(&self) -> i32 {
        self.priority
    }

    /// Ends the turn; the same as dropping the item, and easier to see.
    pub fn done(self) {}

    /// Gives up the guard and leaves the key held, for work that outlives the borrow of the queue.
    /// Whoever gets the key must call [`WorkQueue::done`], or it is never handed out again.
    pub fn detach(mut self) -> K {
        self.turn = None;
        self.key.clone()
    }
}

impl<K: Clone + Eq + Hash> Deref for Item<'_, K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.key
    }
}

impl<K: Clone + Eq + Hash + fmt::Debug> fmt::Debug for Item<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("key", &self.key)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

impl<K: Clone + Eq + Hash> Drop for Item<'_, K> {
    fn drop(&mut self) {
        if let Some(turn) = self.turn.take() {
            self.queue.done_turn(turn);
        }
    }
}

/// The future of [`WorkQueue::get`].
#[must_use = "futures do nothing unless polled"]
pub struct Get<'q, K: Clone + Eq + Hash> {
    queue: &'q WorkQueue<K>,
    /// Given when it first parks.
    id: Option<WaiterId>,
    /// Present while this future keeps the time.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<'q, K: Clone + Eq + Hash> Get<'q, K> {
    pub(super) fn new(queue: &'q WorkQueue<K>) -> Self {
        Get { queue, id: None, sleep: None }
    }
}

impl<K: Clone + Eq + Hash> fmt::Debug for Get<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("parked", &self.id.is_some()).finish_non_exhaustive()
    }
}

impl<'q, K: Clone + Eq + Hash> Future for Get<'q, K> {
    type Output = Option<Item<'q, K>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            let mut state = this.queue.state();
            if let Some(id) = this.id {
                leave(&mut state, id);
            }
            if let Some(popped) = state.core.pop(&TokioClock) {
                this.queue.settle(state);
                this.id = None;
                return Poll::Ready(Some(Item::new(this.queue, popped)));
            }
            if state.core.is_shutting_down() {
                this.id = None;
                return Poll::Ready(None);
            }
            let id = *this.id.get_or_insert_with(|| state.new_waiter());
            state.getters.park(id, cx.waker());
            let due = match (state.timekeeper, state.core.next_due()) {
                (None, Some(due)) => {
                    state.timekeeper = Some((id, due));
                    due
                }
                _ => {
                    drop(state);
                    this.sleep = None;
                    return Poll::Pending;
                }
            };
            drop(state);
            let due = Instant::from_std(due);
            let sleep = match &mut this.sleep {
                Some(sleep) => {
                    sleep.as_mut().reset(due);
                    sleep
                }
                none => none.insert(Box::pin(sleep_until(due))),
            };
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl<K: Clone + Eq + Hash> Drop for Get<'_, K> {
    /// Hands on what it may have been woken for: a ready key, or keeping the time.
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let mut state = self.queue.state();
            leave(&mut state, id);
            self.queue.settle(state);
        }
    }
}

fn leave<K>(state: &mut super::shell::State<K>, id: WaiterId) {
    state.getters.take(id);
    if state.timekeeper.is_some_and(|(keeper, _)| keeper == id) {
        state.timekeeper = None;
    }
}

/// The future of [`WorkQueue::shut_down_with_drain`].
#[must_use = "futures do nothing unless polled"]
pub struct Drained<'q, K: Clone + Eq + Hash> {
    queue: &'q WorkQueue<K>,
    id: Option<WaiterId>,
}

impl<'q, K: Clone + Eq + Hash> Drained<'q, K> {
    pub(super) fn new(queue: &'q WorkQueue<K>) -> Self {
        Drained { queue, id: None }
    }
}

impl<K: Clone + Eq + Hash> fmt::Debug for Drained<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drained").finish_non_exhaustive()
    }
}

impl<K: Clone + Eq + Hash> Future for Drained<'_, K> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut state = this.queue.state();
        if let Some(id) = this.id.take() {
            state.drainers.take(id);
        }
        if state.core.is_drained() || state.drain_given_up {
            return Poll::Ready(());
        }
        let id = state.new_waiter();
        state.drainers.park(id, cx.waker());
        this.id = Some(id);
        Poll::Pending
    }
}

impl<K: Clone + Eq + Hash> Drop for Drained<'_, K> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.queue.state().drainers.take(id);
        }
    }
}
