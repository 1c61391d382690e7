//! Watches: a snapshot, the log, and what a selector makes of both.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/endpoints/handlers/watch.go` and the cacher's watchers.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use super::list::wait_for;
use super::options::{list_options, resource_version};
use super::{Answer, Item, Reply, Request};
use crate::core::Core;
use crate::encode::{EncodeResult, Encoder, EventType, Format, bookmark_metadata};
use crate::negotiate::Form;
use crate::object::Stored;
use crate::registry::Resource;
use crate::selector::Selector;
use crate::status::{ApiError, ApiResult};
use crate::storage::{
    Batch, Event, Range, RangeResponse, Revision, Storage, StorageError, Watcher,
};
use crate::timers::{Moment, Timer, Timers};
use crate::transform::Transform;

/// Events taken from the log at once.
const BATCH: usize = 256;
/// Initial objects read from the store at once: a client that does not read holds no more.
const PAGE: usize = 500;
/// Bytes of initial objects in one chunk.
const CHUNK: usize = 64 << 10;
/// A last bookmark comes this long before the end.
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);

/// A watch that has been accepted: a stream of frames.
pub(crate) struct Watch {
    core: Arc<Core>,
    resource: Arc<Resource>,
    selector: Selector,
    format: Format,
    /// Set for another form than whole objects, with whether its columns were told.
    transform: Option<(Transform, bool)>,
    /// Objects there were at the start, each delivered as ADDED.
    initial: VecDeque<Item>,
    /// What of them was not read from the store yet, and at which revision it is to be read.
    rest: Option<(Range, Revision)>,
    /// Send the bookmark that ends the initial events once this revision is reached.
    initial_end: Option<Revision>,
    /// Delivered as an ERROR event that ends the stream.
    error: Option<ApiError>,
    watcher: Option<Watcher<Arc<Stored>>>,
    bookmarks: bool,
    timeout: Duration,
    clocks: Option<Clocks>,
    done: bool,
}

struct Clocks {
    deadline: Moment,
    end: Timer,
    bookmark: Option<Timer>,
}

impl Request<'_> {
    /// Starts a watch.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub(crate) async fn watch(&self, core: &Arc<Core>) -> ApiResult<Answer> {
        let selector = self.selector()?;
        let options = list_options(self.query, true)?;
        let version = resource_version(&options.version).map_err(ApiError::unknown)?;
        let timeout = match options.timeout_seconds {
            0 => core.watch_timeout(),
            seconds => Duration::from_secs(seconds),
        };
        let mut watch = Watch {
            bookmarks: options.bookmarks,
            timeout,
            ..Watch::new(core, self.resource, selector)
        };
        let range = self.range();
        match (options.send_initial_events, version) {
            (Some(true), _) | (None, None | Some(0)) => {
                if options.send_initial_events.is_some()
                    && let Err(error) = wait_for(core, version).await
                {
                    // The watch is open by then.
                    watch.error = Some(error);
                    return Ok(Reply::Watch(watch).into());
                }
                let (page, watcher) = core.store.range_and_watch(range.clone(), PAGE);
                watch.take(&page, range);
                let snapshot = page;
                // A watch that begins with a state and takes bookmarks is told where that state
                // ends, whether or not it asked in so many words.
                if watch.bookmarks {
                    watch.initial_end = Some(snapshot.revision);
                }
                watch.watcher = Some(watcher);
            }
            (Some(false), None | Some(0)) => {
                watch.watcher = Some(core.store.range_and_watch(range, 1).1);
            }
            (_, Some(version)) => match core.store.watch(range, version.saturating_add(1)) {
                Ok(watcher) => watch.watcher = Some(watcher),
                Err(error) => watch.error = Some(expired(version, error)),
            },
        }
        Ok(Reply::Watch(watch).into())
    }
}

fn expired(version: Revision, error: StorageError) -> ApiError {
    match error {
        StorageError::Compacted { oldest } => {
            ApiError::expired(format!("too old resource version: {version} ({oldest})"))
        }
        other => ApiError::unavailable(other.to_string()),
    }
}

impl Watch {
    fn new(core: &Arc<Core>, resource: &Arc<Resource>, selector: Selector) -> Self {
        Watch {
            core: Arc::clone(core),
            resource: Arc::clone(resource),
            selector,
            format: Format::Json,
            transform: None,
            initial: VecDeque::new(),
            rest: None,
            initial_end: None,
            error: None,
            watcher: None,
            bookmarks: false,
            timeout: Duration::MAX,
            clocks: None,
            done: false,
        }
    }

    /// Takes a page of initial objects; what follows it in `range` is for later.
    fn take(&mut self, page: &RangeResponse<Arc<Stored>>, range: Range) {
        let matching = page.kvs.iter().filter(|entry| self.selector.matches(&entry.value.summary));
        self.initial.extend(matching.map(Item::of));
        let last = page.kvs.last().filter(|_| page.more);
        let rest = last.map(|last| Range { start: format!("{}\0", last.key), end: range.end });
        self.rest = rest.map(|rest| (rest, page.revision));
    }

    /// A watch that says why it ends, and ends.
    pub(crate) fn failed(core: &Arc<Core>, resource: &Arc<Resource>, error: ApiError) -> Self {
        let mut watch = Watch::new(core, resource, Selector::all());
        watch.error = Some(error);
        watch
    }

    pub(crate) fn set_format(&mut self, format: Format, transform: Transform) {
        self.format = format;
        if transform.form() != Form::Whole {
            self.transform = Some((transform, false));
        }
    }

    /// Writes one event in the form that was asked for.
    fn event(
        &mut self,
        out: &mut Vec<u8>,
        kind: EventType,
        stored: &Stored,
        version: Revision,
    ) -> EncodeResult<()> {
        let Some((transform, told)) = &mut self.transform else {
            return self.encoder().event(out, kind, stored, version);
        };
        let value = transform.event(stored, version, !*told);
        *told = true;
        self.encoder().value_event(out, kind, &value)
    }

    fn bookmark(&mut self, out: &mut Vec<u8>, version: Revision, end: bool) -> EncodeResult<()> {
        let Some((transform, told)) = &mut self.transform else {
            return self.encoder().bookmark(out, version, end);
        };
        let value = transform.bookmark(&bookmark_metadata(version, end), !*told);
        *told = true;
        self.encoder().value_event(out, EventType::Bookmark, &value)
    }

    /// The next frames, several at once when several are there.
    pub(crate) fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.done {
            self.let_go();
            return Poll::Ready(None);
        }
        let mut out = Vec::new();
        match self.fill(cx, &mut out) {
            Ok(()) => {}
            Err(problem) => {
                self.done = true;
                let status = ApiError::internal(problem).status();
                let encoder = self.encoder();
                let mut event = Vec::new();
                // An answer that cannot be written in protobuf ends without a reason.
                if encoder.value_event(&mut event, EventType::Error, &status).is_ok() {
                    out.extend_from_slice(&event);
                }
            }
        }
        match (out.is_empty(), self.done) {
            (false, _) => Poll::Ready(Some(out.into())),
            (true, true) => {
                self.let_go();
                Poll::Ready(None)
            }
            (true, false) => Poll::Pending,
        }
    }

    /// A watch that has ended holds nothing, however long its body is kept.
    fn let_go(&mut self) {
        self.watcher = None;
        self.clocks = None;
        self.initial = VecDeque::new();
        self.rest = None;
    }

    fn encoder(&self) -> Encoder<'_> {
        Encoder { core: &self.core, resource: &self.resource, format: self.format }
    }

    fn fill(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> EncodeResult<()> {
        self.start_timers();
        if let Some(error) = self.error.take() {
            self.done = true;
            return self.encoder().value_event(out, EventType::Error, &error.status());
        }
        loop {
            while let Some(item) = self.initial.pop_front() {
                let version = item.version.unwrap_or_default();
                self.event(out, EventType::Added, &item.stored, version)?;
                if out.len() > CHUNK {
                    return Ok(());
                }
            }
            let Some((range, revision)) = self.rest.take() else { break };
            match self.core.store.page(&range, revision, PAGE) {
                Ok(page) => self.take(&page, range),
                Err(error) => {
                    self.done = true;
                    let status = expired(revision, error).status();
                    return self.encoder().value_event(out, EventType::Error, &status);
                }
            }
        }
        if let Some(version) = self.initial_end.take() {
            self.bookmark(out, version, true)?;
        }
        if !out.is_empty() {
            return Ok(());
        }
        let now = self.core.timers.now();
        if self.clocks.as_ref().is_some_and(|clocks| now >= clocks.deadline) {
            self.done = true;
            return Ok(());
        }
        // Events that do not match leave nothing to send: look again until there is something.
        while out.is_empty() && !self.done {
            let Some(watcher) = &mut self.watcher else { break };
            match watcher.poll_events(cx, BATCH) {
                Poll::Ready(Ok(batch)) => self.events(out, &batch)?,
                Poll::Ready(Err(StorageError::Cancelled)) => self.done = true,
                Poll::Ready(Err(error)) => {
                    self.done = true;
                    let seen = watcher.revision();
                    let status = expired(seen, error).status();
                    self.encoder().value_event(out, EventType::Error, &status)?;
                }
                Poll::Pending => return self.tick(cx, out),
            }
        }
        Ok(())
    }

    fn events(&mut self, out: &mut Vec<u8>, batch: &Batch<Arc<Stored>>) -> EncodeResult<()> {
        for event in &batch.events {
            if let Some((kind, stored)) = self.transition(event) {
                self.event(out, kind, stored, event.revision)?;
            }
        }
        Ok(())
    }

    /// What a change is for this watch: objects that enter the selection are added, objects that
    /// leave it deleted.
    fn transition<'a>(&self, event: &'a Event<Arc<Stored>>) -> Option<(EventType, &'a Stored)> {
        let matching = |stored: &&'a Arc<Stored>| self.selector.matches(&stored.summary);
        let new = event.kv.as_ref().map(|kv| &kv.value).filter(matching);
        let old = event.prev.as_ref().map(|kv| &kv.value).filter(matching);
        match (old, new) {
            (None, Some(new)) => Some((EventType::Added, new)),
            (Some(_), Some(new)) => Some((EventType::Modified, new)),
            (Some(old), None) => Some((EventType::Deleted, old)),
            (None, None) => None,
        }
    }

    /// The time of a watch runs from its first poll.
    fn start_timers(&mut self) {
        let timers = &self.core.timers;
        let (pause, bookmarks) = (self.core.settings.bookmarks, self.bookmarks);
        let timeout = self.timeout;
        self.clocks.get_or_insert_with(|| {
            let deadline = timers.now().saturating_add(timeout);
            Clocks {
                deadline,
                end: timers.at(deadline),
                bookmark: if bookmarks { next_bookmark(timers, deadline, pause) } else { None },
            }
        });
    }

    /// Bookmarks and the end, while nothing happens.
    fn tick(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> EncodeResult<()> {
        let pause = self.core.settings.bookmarks;
        let Some(clocks) = &mut self.clocks else { return Ok(()) };
        if let Some(timer) = &mut clocks.bookmark
            && Pin::new(timer).poll(cx).is_ready()
        {
            clocks.bookmark = next_bookmark(&self.core.timers, clocks.deadline, pause);
            if let Some(timer) = &mut clocks.bookmark {
                // Registers the task; a timer that is already due is seen at the next poll.
                let _ = Pin::new(timer).poll(cx);
            }
            if let Some(watcher) = &self.watcher {
                let version = watcher.revision();
                self.bookmark(out, version, false)?;
            }
            return Ok(());
        }
        if Pin::new(&mut clocks.end).poll(cx).is_ready() {
            self.done = true;
        }
        Ok(())
    }
}

fn next_bookmark(timers: &Timers, deadline: Moment, pause: Duration) -> Option<Timer> {
    let now = timers.now();
    let last = deadline.checked_sub(BOOKMARK_BEFORE_END).filter(|last| *last > now)?;
    Some(timers.at(now.saturating_add(pause).min(last)))
}
