//! One sender, many watchers (Go: `Broadcaster` of `k8s.io/apimachinery/pkg/watch`, in `mux.go`).

use futures_core::Stream;
use pintle_apimachinery::Error;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What a [`Broadcaster`] does about a watcher whose queue is full (Go: `FullChannelBehavior`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Wait for it, and let all others wait too (Go: `WaitIfChannelFull`).
    Wait,
    /// Leave out the event for it (Go: `DropIfChannelFull`).
    Drop,
}

/// Sends every event to every watcher, in order. Clones are one broadcaster; when the last is
/// dropped, watches end as with [`shutdown`](Self::shutdown).
///
/// Go has a queue of 25 events in front of it; here an event is in the watchers' queues, or left
/// out, when [`send`](Self::send) returns. No lock is held across an await, and no runtime is
/// needed. A channel of a runtime (tokio's `broadcast`) would let the oldest event go instead of
/// the newest, and cannot wait.
///
/// # Example: two watchers
/// ```
/// # fn main() { futures_util::FutureExt::now_or_never(async {
/// use futures_util::StreamExt;
/// use pintle_apimachinery::WatchEvent;
/// use pintle_client_traits::{Broadcaster, WhenFull};
///
/// let broadcaster = Broadcaster::new(10, WhenFull::Wait);
/// let (first, second) = (broadcaster.watch()?, broadcaster.watch()?);
/// broadcaster.send(WatchEvent::Added("web")).await?;
/// broadcaster.shutdown();
/// assert_eq!(first.collect::<Vec<_>>().await, [WatchEvent::Added("web")]);
/// assert_eq!(second.count().await, 1);
/// # Ok::<(), pintle_apimachinery::Error>(()) }).unwrap().unwrap() }
/// ```
pub struct Broadcaster<E> {
    shared: Arc<Mutex<Shared<E>>>,
    /// Shared by the clones, and not by the watches.
    _ends: Arc<EndsWatches<E>>,
}

struct EndsWatches<E>(Arc<Mutex<Shared<E>>>);

struct Shared<E> {
    watchers: BTreeMap<u64, Watcher<E>>,
    /// The next watcher, or place in the line of senders.
    next: u64,
    stopped: bool,
    length: usize,
    when_full: WhenFull,
    /// Senders that wait, in the order they came.
    line: VecDeque<(u64, Waker)>,
}

struct Watcher<E> {
    events: VecDeque<E>,
    length: usize,
    waker: Option<Waker>,
}

/// The events for one watcher of a [`Broadcaster`], as a stream. Dropping it ends the watch.
pub struct BroadcastWatch<E> {
    shared: Arc<Mutex<Shared<E>>>,
    id: u64,
}

fn lock<S>(mutex: &Mutex<S>) -> MutexGuard<'_, S> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stopped() -> Error {
    Error::other("broadcaster already stopped")
}

impl<E> Shared<E> {
    fn has_room(&self) -> bool {
        self.when_full == WhenFull::Drop
            || self.watchers.values().all(|w| w.events.len() < w.length)
    }

    /// The sender whose turn it is, if there may be room for its event.
    fn wake_sender(&self) {
        if self.stopped {
            self.line.iter().for_each(|(_, waker)| waker.wake_by_ref());
        } else if let Some((_, waker)) = self.line.front() {
            waker.wake_by_ref();
        }
    }

    fn leave_line(&mut self, place: u64) {
        self.line.retain(|(other, _)| *other != place);
        self.wake_sender();
    }

    fn stop(&mut self) {
        self.stopped = true;
        self.wake_sender();
        for watcher in self.watchers.values_mut() {
            watcher.waker.take().into_iter().for_each(Waker::wake);
        }
    }
}

impl<E: Clone> Shared<E> {
    fn push(&mut self, event: &E) {
        for watcher in self.watchers.values_mut() {
            if watcher.events.len() < watcher.length {
                watcher.events.push_back(event.clone());
                watcher.waker.take().into_iter().for_each(Waker::wake);
            }
        }
    }
}

impl<E> Broadcaster<E> {
    /// A broadcaster that keeps up to `queue_length` events, and at least one, for each watcher.
    #[must_use]
    pub fn new(queue_length: usize, when_full: WhenFull) -> Self {
        let shared = Arc::new(Mutex::new(Shared {
            watchers: BTreeMap::new(),
            next: 0,
            stopped: false,
            length: queue_length.max(1),
            when_full,
            line: VecDeque::new(),
        }));
        Broadcaster { _ends: Arc::new(EndsWatches(shared.clone())), shared }
    }

    /// A watch of all events from now on.
    ///
    /// # Errors
    /// The broadcaster was shut down.
    pub fn watch(&self) -> Result<BroadcastWatch<E>, Error> {
        self.watch_with_prefix([])
    }

    /// A watch that begins with these events (Go: `WatchWithPrefix`).
    ///
    /// # Errors
    /// The broadcaster was shut down.
    pub fn watch_with_prefix(
        &self,
        events: impl IntoIterator<Item = E>,
    ) -> Result<BroadcastWatch<E>, Error> {
        let events: VecDeque<E> = events.into_iter().collect();
        let mut shared = lock(&self.shared);
        if shared.stopped {
            return Err(stopped());
        }
        let id = shared.next;
        shared.next += 1;
        let length = shared.length.max(events.len() + 1);
        shared.watchers.insert(id, Watcher { events, length, waker: None });
        Ok(BroadcastWatch { shared: self.shared.clone(), id })
    }

    /// How many watch.
    #[must_use]
    pub fn watchers(&self) -> usize {
        lock(&self.shared).watchers.len()
    }

    /// Takes no more events and no more watchers. Watches end with what is in their queues.
    pub fn shutdown(&self) {
        lock(&self.shared).stop();
    }
}

impl<E: Clone> Broadcaster<E> {
    /// Sends an event to all that watch now; may wait, if so asked, until all have room. Senders
    /// that wait take turns (Go: `Action`).
    ///
    /// # Errors
    /// The broadcaster was shut down.
    ///
    /// # Cancel safety
    /// Cancel safe: an event is sent to all, or, if the future is dropped, to none.
    pub async fn send(&self, event: E) -> Result<(), Error> {
        let mut place = Place { shared: &self.shared, place: None };
        std::future::poll_fn(|cx| {
            let mut shared = lock(&self.shared);
            if shared.stopped {
                return Poll::Ready(Err(stopped()));
            }
            let first = shared.line.front().map(|(place, _)| *place);
            if shared.has_room() && (first.is_none() || first == place.place) {
                shared.push(&event);
                return Poll::Ready(Ok(()));
            }
            let id = *place.place.get_or_insert_with(|| {
                shared.next += 1;
                shared.next - 1
            });
            match shared.line.iter_mut().find(|(other, _)| *other == id) {
                Some((_, waker)) => waker.clone_from(cx.waker()),
                None => shared.line.push_back((id, cx.waker().clone())),
            }
            Poll::Pending
        })
        .await
    }

    /// Sends an event if that need not wait, and says whether it did (Go: `ActionOrDrop`).
    ///
    /// # Errors
    /// The broadcaster was shut down.
    pub fn try_send(&self, event: E) -> Result<bool, Error> {
        let mut shared = lock(&self.shared);
        if shared.stopped {
            return Err(stopped());
        }
        let now = shared.has_room() && shared.line.is_empty();
        if now {
            shared.push(&event);
        }
        Ok(now)
    }
}

/// A place in the line of senders, given up when the sender is done or dropped.
struct Place<'a, E> {
    shared: &'a Mutex<Shared<E>>,
    place: Option<u64>,
}

impl<E> Drop for Place<'_, E> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            lock(self.shared).leave_line(place);
        }
    }
}

impl<E> Clone for Broadcaster<E> {
    fn clone(&self) -> Self {
        Broadcaster { shared: self.shared.clone(), _ends: self._ends.clone() }
    }
}

impl<E> Drop for EndsWatches<E> {
    fn drop(&mut self) {
        lock(&self.0).stop();
    }
}

impl<E> Stream for BroadcastWatch<E> {
    type Item = E;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<E>> {
        let mut shared = lock(&self.shared);
        let stopped = shared.stopped;
        let Some(watcher) = shared.watchers.get_mut(&self.id) else { return Poll::Ready(None) };
        match watcher.events.pop_front() {
            Some(event) => {
                shared.wake_sender();
                Poll::Ready(Some(event))
            }
            None if stopped => Poll::Ready(None),
            None => {
                watcher.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<E> Drop for BroadcastWatch<E> {
    fn drop(&mut self) {
        let gone = {
            let mut shared = lock(&self.shared);
            let gone = shared.watchers.remove(&self.id);
            shared.wake_sender();
            gone
        };
        drop(gone); // events may be of a type whose drop does much: not under the lock
    }
}

impl<E> fmt::Debug for Broadcaster<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcaster").field("watchers", &self.watchers()).finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for BroadcastWatch<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastWatch").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt};

    fn take<E>(watch: &mut BroadcastWatch<E>) -> Option<Option<E>> {
        watch.next().now_or_never()
    }

    // Go: TestBroadcaster, TestBroadcasterWatcherClose, TestBroadcasterWatcherStopDeadlock
    #[test]
    fn all_watchers_get_everything_in_order() {
        let broadcaster = Broadcaster::new(4, WhenFull::Wait);
        let mut watches: Vec<_> = (0..3).map(|_| broadcaster.watch().unwrap()).collect();
        for event in 0..4 {
            broadcaster.send(event).now_or_never().unwrap().unwrap();
        }
        let mut late = broadcaster.watch_with_prefix([10, 11]).unwrap();
        drop(watches.pop());
        assert_eq!(broadcaster.watchers(), 3);
        for watch in &mut watches {
            assert_eq!([(); 4].map(|()| take(watch)), [0, 1, 2, 3].map(|e| Some(Some(e))));
            assert_eq!(take(watch), None, "no more yet");
        }
        broadcaster.send(4).now_or_never().unwrap().unwrap();
        assert_eq!([(); 3].map(|()| take(&mut late)), [10, 11, 4].map(|e| Some(Some(e))));
        broadcaster.clone().shutdown();
        assert_eq!((take(&mut watches[0]), take(&mut watches[0])), (Some(Some(4)), Some(None)));
        let error = broadcaster.send(5).now_or_never().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "broadcaster already stopped");
        assert!(broadcaster.watch().is_err() && broadcaster.try_send(5).is_err());
    }

    // Go: TestBroadcasterDropIfChannelFull
    #[test]
    fn a_full_watcher_misses_events() {
        let broadcaster = Broadcaster::new(1, WhenFull::Drop);
        let (mut slow, mut quick) = (broadcaster.watch().unwrap(), broadcaster.watch().unwrap());
        for event in 0..3 {
            assert!(broadcaster.try_send(event).unwrap());
            assert_eq!(take(&mut quick), Some(Some(event)));
        }
        assert_eq!((take(&mut slow), take(&mut slow)), (Some(Some(0)), None));
    }

    // Go: TestBroadcasterSendEventAfterShutdown, TestBroadcasterShutdownRace
    #[test]
    fn a_full_watcher_is_waited_for_by_turns() {
        let broadcaster = Broadcaster::new(1, WhenFull::Wait);
        let (mut slow, mut quick) = (broadcaster.watch().unwrap(), broadcaster.watch().unwrap());
        assert!(broadcaster.try_send(0).unwrap());
        let mut first = Box::pin(broadcaster.send(1));
        let mut given_up = Box::pin(broadcaster.send(99));
        let mut second = Box::pin(broadcaster.send(2));
        assert!(first.as_mut().now_or_never().is_none());
        assert!(given_up.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        assert!(!broadcaster.try_send(3).unwrap());
        assert_eq!(
            (take(&mut quick), take(&mut quick)),
            (Some(Some(0)), None),
            "nobody gets a part"
        );
        assert_eq!(take(&mut slow), Some(Some(0)));
        assert!(second.as_mut().now_or_never().is_none(), "it is not its turn");
        drop(given_up);
        assert!(first.as_mut().now_or_never().unwrap().is_ok());
        drop(first);
        assert_eq!(take(&mut quick), Some(Some(1)));
        assert!(second.as_mut().now_or_never().is_none());
        drop(slow); // whoever is waited for may go
        assert!(second.as_mut().now_or_never().unwrap().is_ok());
        drop(second);
        assert_eq!(take(&mut quick), Some(Some(2)));

        broadcaster.send(3).now_or_never().unwrap().unwrap();
        let mut waiting = Box::pin(broadcaster.send(4));
        assert!(waiting.as_mut().now_or_never().is_none());
        broadcaster.shutdown();
        assert!(waiting.as_mut().now_or_never().unwrap().is_err());
    }

    #[test]
    fn watches_end_with_the_last_broadcaster() {
        let broadcaster = Broadcaster::<u8>::new(0, WhenFull::Wait);
        let mut watch = broadcaster.watch().unwrap();
        let other = broadcaster.clone();
        drop(broadcaster);
        assert_eq!(take(&mut watch), None);
        drop(other);
        assert_eq!(take(&mut watch), Some(None));
    }

    #[test]
    fn whoever_waits_is_woken() {
        use futures_util::task::{ArcWake, waker};
        use std::sync::atomic::{AtomicUsize, Ordering};
        #[derive(Default)]
        struct Count(AtomicUsize);
        impl ArcWake for Count {
            fn wake_by_ref(this: &Arc<Self>) {
                this.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let count = Arc::new(Count::default());
        let waker = waker(count.clone());
        let mut cx = Context::from_waker(&waker);
        let woken = || count.0.swap(0, Ordering::SeqCst);

        let broadcaster = Broadcaster::new(1, WhenFull::Wait);
        let mut watch = broadcaster.watch().unwrap();
        assert!(watch.poll_next_unpin(&mut cx).is_pending());
        broadcaster.try_send(1).unwrap();
        assert_eq!(woken(), 1, "a watcher, by an event");
        let mut send = Box::pin(broadcaster.send(2));
        assert!(send.as_mut().poll_unpin(&mut cx).is_pending());
        assert!(watch.poll_next_unpin(&mut cx).is_ready());
        assert!(woken() > 0, "a sender, by room");
        assert!(send.as_mut().poll_unpin(&mut cx).is_ready());
        drop(send);
        woken();
        assert!(watch.poll_next_unpin(&mut cx).is_ready());
        assert!(watch.poll_next_unpin(&mut cx).is_pending());
        broadcaster.shutdown();
        assert_eq!(woken(), 1, "a watcher, by the end");
    }
}
