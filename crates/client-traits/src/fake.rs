//! A source whose answers a test writes (Go: `framework.FakeControllerSource`, `watch.FakeWatcher`).

use crate::{ListerWatcher, WatchStream};
use futures_core::Stream;
use futures_core::future::BoxFuture;
use pintle_apimachinery::{Error, ListOptions, ObjectList, WatchEvent};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// One call a [`FakeSource`] got.
#[derive(Clone, Debug, PartialEq)]
pub enum FakeRequest {
    /// `list` was called.
    List(ListOptions),
    /// `watch` was called.
    Watch(ListOptions),
}

/// A [`ListerWatcher`] that answers with what a test has put in, in order; clones are one source.
///
/// A call for which nothing is there yet waits, so that a test decides when each answer comes, and
/// no test needs to sleep: wait for [`next_request`](Self::next_request), then answer.
///
/// # Example: a list, then a watch with one event
/// ```
/// # fn main() { futures_util::FutureExt::now_or_never(async {
/// use futures_util::StreamExt;
/// use pintle_apimachinery::{ListOptions, ObjectList, WatchEvent};
/// use pintle_client_traits::{FakeSource, ListerWatcher};
///
/// let source = FakeSource::<u8>::new();
/// source.push_list(Ok(ObjectList { items: vec![1, 2], ..Default::default() }));
/// let watch = source.push_watch();
/// watch.send(WatchEvent::Added(3));
/// watch.close();
///
/// assert_eq!(source.list(ListOptions::default()).await?.items, [1, 2]);
/// let events: Vec<_> = source.watch(ListOptions::default()).await?.collect().await;
/// assert!(matches!(events[..], [Ok(WatchEvent::Added(3))]));
/// # Ok::<(), pintle_apimachinery::Error>(()) }).unwrap().unwrap() }
/// ```
pub struct FakeSource<T>(Arc<Mutex<Script<T>>>);

struct Script<T> {
    lists: VecDeque<Result<ObjectList<T>, Error>>,
    watches: VecDeque<Result<Arc<Mutex<Channel<T>>>, Error>>,
    /// Calls not yet returned by `next_request`.
    fresh: VecDeque<FakeRequest>,
    all: Vec<FakeRequest>,
    wakers: Vec<Waker>,
}

/// The test's end of one watch of a [`FakeSource`].
pub struct FakeWatch<T>(Arc<Mutex<Channel<T>>>);

struct Channel<T> {
    events: VecDeque<Result<WatchEvent<T>, Error>>,
    closed: bool,
    abandoned: bool,
    wakers: Vec<Waker>,
}

fn lock<S>(mutex: &Mutex<S>) -> MutexGuard<'_, S> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(wakers: &mut Vec<Waker>) {
    for waker in wakers.drain(..) {
        waker.wake();
    }
}

impl<T> Clone for FakeSource<T> {
    fn clone(&self) -> Self {
        FakeSource(self.0.clone())
    }
}

impl<T> Default for FakeSource<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> FakeSource<T> {
    /// A source with an empty script.
    #[must_use]
    pub fn new() -> Self {
        FakeSource(Arc::new(Mutex::new(Script {
            lists: VecDeque::new(),
            watches: VecDeque::new(),
            fresh: VecDeque::new(),
            all: Vec::new(),
            wakers: Vec::new(),
        })))
    }

    fn change<R>(&self, f: impl FnOnce(&mut Script<T>) -> R) -> R {
        let mut script = lock(&self.0);
        let result = f(&mut script);
        wake(&mut script.wakers);
        result
    }

    /// Appends the answer to a list.
    pub fn push_list(&self, answer: Result<ObjectList<T>, Error>) {
        self.change(|script| script.lists.push_back(answer));
    }

    /// Appends a watch that opens; its events are sent through what this returns, before it is
    /// opened or after.
    #[must_use]
    pub fn push_watch(&self) -> FakeWatch<T> {
        let channel = Arc::new(Mutex::new(Channel {
            events: VecDeque::new(),
            closed: false,
            abandoned: false,
            wakers: Vec::new(),
        }));
        self.change(|script| script.watches.push_back(Ok(channel.clone())));
        FakeWatch(channel)
    }

    /// Appends a watch that does not open.
    pub fn push_watch_error(&self, error: Error) {
        self.change(|script| script.watches.push_back(Err(error)));
    }

    /// Every call so far.
    #[must_use]
    pub fn requests(&self) -> Vec<FakeRequest> {
        lock(&self.0).all.clone()
    }

    /// The next call, waiting for it if need be. Each is returned once.
    ///
    /// # Cancel safety
    /// Cancel safe: no call is lost when the future is dropped.
    pub async fn next_request(&self) -> FakeRequest {
        self.wait(|script| script.fresh.pop_front()).await
    }

    async fn wait<R>(&self, mut take: impl FnMut(&mut Script<T>) -> Option<R>) -> R {
        std::future::poll_fn(|cx| {
            let mut script = lock(&self.0);
            match take(&mut script) {
                Some(result) => Poll::Ready(result),
                None => {
                    script.wakers.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn record(&self, request: FakeRequest) {
        self.change(|script| {
            script.fresh.push_back(request.clone());
            script.all.push(request);
        });
    }
}

impl<T: Send + 'static> ListerWatcher<T> for FakeSource<T> {
    fn list(&self, options: ListOptions) -> BoxFuture<'_, Result<ObjectList<T>, Error>> {
        self.record(FakeRequest::List(options));
        Box::pin(self.wait(|script| script.lists.pop_front()))
    }

    fn watch(&self, options: ListOptions) -> BoxFuture<'_, Result<WatchStream<T>, Error>> {
        self.record(FakeRequest::Watch(options));
        Box::pin(async {
            let channel = self.wait(|script| script.watches.pop_front()).await?;
            Ok(Box::pin(Events(channel)) as WatchStream<T>)
        })
    }
}

impl<T: Send + 'static> FakeWatch<T> {
    /// A watch without a source, and what whoever watches gets (Go: `watch.NewFake`).
    #[must_use]
    pub fn open() -> (FakeWatch<T>, WatchStream<T>) {
        let channel = Arc::new(Mutex::new(Channel {
            events: VecDeque::new(),
            closed: false,
            abandoned: false,
            wakers: Vec::new(),
        }));
        (FakeWatch(channel.clone()), Box::pin(Events(channel)))
    }
}

impl<T> FakeWatch<T> {
    /// Sends an event.
    pub fn send(&self, event: WatchEvent<T>) {
        self.push(Ok(event));
    }

    /// Breaks the watch with an error, after the events sent before.
    pub fn fail(&self, error: Error) {
        self.push(Err(error));
        self.close();
    }

    /// Ends the watch as a server does at its deadline, after the events sent before.
    pub fn close(&self) {
        let mut channel = lock(&self.0);
        channel.closed = true;
        wake(&mut channel.wakers);
    }

    /// Whether every event sent has been taken.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        lock(&self.0).events.is_empty()
    }

    /// Whether whoever watched has dropped the stream.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        lock(&self.0).abandoned
    }

    /// Waits until whoever watched has dropped the stream.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn abandoned(&self) {
        std::future::poll_fn(|cx| {
            let mut channel = lock(&self.0);
            if channel.abandoned {
                return Poll::Ready(());
            }
            channel.wakers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn push(&self, item: Result<WatchEvent<T>, Error>) {
        let mut channel = lock(&self.0);
        channel.events.push_back(item);
        wake(&mut channel.wakers);
    }
}

/// The watcher's end.
struct Events<T>(Arc<Mutex<Channel<T>>>);

impl<T> Stream for Events<T> {
    type Item = Result<WatchEvent<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut channel = lock(&self.0);
        if let Some(item) = channel.events.pop_front() {
            return Poll::Ready(Some(item));
        }
        if channel.closed {
            return Poll::Ready(None);
        }
        channel.wakers.push(cx.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Events<T> {
    fn drop(&mut self) {
        let mut channel = lock(&self.0);
        channel.abandoned = true;
        wake(&mut channel.wakers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt};

    #[test]
    fn a_call_waits_for_its_answer() {
        let source = FakeSource::<u8>::new();
        let mut list = source.list(ListOptions::default().limit(5));
        assert!((&mut list).now_or_never().is_none());
        assert_eq!(
            source.next_request().now_or_never(),
            Some(FakeRequest::List(ListOptions::default().limit(5)))
        );
        assert!(source.next_request().now_or_never().is_none());
        source.push_list(Ok(ObjectList { items: vec![7], ..Default::default() }));
        assert_eq!(list.now_or_never().unwrap().unwrap().items, [7]);
    }

    #[test]
    fn a_watch_tells_of_its_end_on_both_sides() {
        let source = FakeSource::<u8>::new();
        let watch = source.push_watch();
        let mut events = source.watch(ListOptions::default()).now_or_never().unwrap().unwrap();
        assert!(events.next().now_or_never().is_none());
        watch.send(WatchEvent::Deleted(1));
        assert!(!watch.is_drained());
        assert!(matches!(events.next().now_or_never(), Some(Some(Ok(WatchEvent::Deleted(1))))));
        watch.close();
        assert!(matches!(events.next().now_or_never(), Some(None)));
        assert!(!watch.is_abandoned());
        drop(events);
        assert!(watch.abandoned().now_or_never().is_some());
    }
}
