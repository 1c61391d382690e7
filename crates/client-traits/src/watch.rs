//! What is done with watches on the way (Go: `Filter` and `Recorder` of
//! `k8s.io/apimachinery/pkg/watch`). An empty watch is `futures_util::stream::empty()`.

use crate::WatchStream;
use futures_util::StreamExt;
use pintle_apimachinery::WatchEvent;
use std::sync::{Arc, Mutex, PoisonError};

/// A watch whose events go through `keep`, which may change them or leave them out. Errors go
/// through as they are (Go: `watch.Filter`).
///
/// As in Go, an object that begins to pass is not turned into an added one.
///
/// # Example: only objects above three
/// ```
/// use futures_util::{FutureExt, StreamExt};
/// use pintle_apimachinery::WatchEvent;
/// use pintle_client_traits::{FakeWatch, filter_watch};
///
/// let (fake, watch) = FakeWatch::open();
/// let mut watch = filter_watch(watch, |event| event.object().is_none_or(|n| *n > 3).then_some(event));
/// fake.send(WatchEvent::Added(1));
/// fake.send(WatchEvent::Added(5));
/// assert!(matches!(watch.next().now_or_never(), Some(Some(Ok(WatchEvent::Added(5))))));
/// ```
pub fn filter_watch<T: Send + 'static>(
    watch: WatchStream<T>,
    mut keep: impl FnMut(WatchEvent<T>) -> Option<WatchEvent<T>> + Send + 'static,
) -> WatchStream<T> {
    let keep = move |item| {
        std::future::ready(match item {
            Ok(event) => keep(event).map(Ok),
            Err(error) => Some(Err(error)),
        })
    };
    watch.filter_map(keep).boxed()
}

/// The events that went through a watch so far (Go: `watch.Recorder`); see [`record_watch`].
#[derive(Debug)]
pub struct RecordedEvents<T>(Arc<Mutex<Vec<WatchEvent<T>>>>);

impl<T: Clone> RecordedEvents<T> {
    /// A copy of them.
    #[must_use]
    pub fn events(&self) -> Vec<WatchEvent<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The same watch, and what goes through it: for tests (Go: `watch.NewRecorder`).
pub fn record_watch<T: Clone + Send + 'static>(
    watch: WatchStream<T>,
) -> (RecordedEvents<T>, WatchStream<T>) {
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let record = recorded.clone();
    let watch = filter_watch(watch, move |event| {
        record.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        Some(event)
    });
    (RecordedEvents(recorded), watch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FakeWatch;
    use futures_util::FutureExt;
    use pintle_apimachinery::{Bookmark, Error};

    // Go: TestFilter, TestFilterStop, TestRecorder
    #[test]
    fn events_are_changed_left_out_and_recorded() {
        let (fake, watch) = FakeWatch::open();
        let (all, watch) = record_watch(watch);
        let watch = filter_watch(watch, |event| match event {
            WatchEvent::Added(n) if n % 2 == 0 => Some(WatchEvent::Modified(n * 10)),
            WatchEvent::Added(_) => None,
            other => Some(other),
        });
        let (kept, mut watch) = record_watch(watch);
        let bookmark = || WatchEvent::Bookmark(Bookmark::default());
        for n in 0..4 {
            fake.send(WatchEvent::Added(n));
        }
        fake.send(bookmark());
        fake.fail(Error::other("broken"));
        let mut seen = Vec::new();
        while let Some(item) = watch.next().now_or_never().expect("all is there") {
            seen.push(item);
        }
        assert!(matches!(seen.last(), Some(Err(_))) && seen.len() == 4);
        assert_eq!(kept.events(), [WatchEvent::Modified(0), WatchEvent::Modified(20), bookmark()]);
        assert_eq!(all.events().len(), 5, "errors of the connection are no events");
        drop(watch);
        assert!(fake.is_abandoned());
    }
}
