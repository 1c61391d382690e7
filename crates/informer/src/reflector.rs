//! The reflector: decides how a cache is filled and kept up to date, and turns what the server
//! says into an ordered queue. Go: `cache.Reflector`.
//!
//! This is the pure half: it says what to do next ([`Reflector::step`]) and is told what came of
//! it, with the time; nothing here waits, and randomness is handed in. `engine` applies the queue,
//! `run` does the I/O.

use crate::backoff::Backoff;
use crate::queue::{Delta, EventQueue};
use crate::store::Store;
use crate::table::Table;
use pintle_apimachinery::version::compare_resource_versions;
use pintle_apimachinery::{
    Bookmark, Codec, Error, ListOptions, Object, ObjectList, ResourceVersionMatch, Status, Str,
    WatchEvent,
};
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

/// What the shell is to do, and to report.
#[derive(Debug)]
pub(crate) enum Step {
    /// List, then call [`Reflector::listed`].
    List(ListOptions),
    /// Open a watch, then call [`Reflector::opened`].
    Watch(ListOptions),
    /// Read the watch: [`Reflector::event`], [`Reflector::closed`]; closed too when this time
    /// passes.
    Read(Duration),
    /// Wait for this time, then call [`Reflector::woken`].
    Sleep(Duration),
}

pub(crate) struct ReflectorConfig {
    pub(crate) watch_list: bool,
    pub(crate) page_size: i64,
    pub(crate) min_watch_timeout: Duration,
}

/// Changes an object before it is stored.
pub(crate) type Transform<T> = Arc<dyn Fn(&mut T) + Send + Sync>;

pub(crate) struct Reflector<T> {
    config: ReflectorConfig,
    store: Store<T>,
    transform: Option<Transform<T>>,
    random: Box<dyn FnMut() -> f64 + Send>,
    backoff: Backoff,
    phase: Phase<T>,
    /// Where the next watch begins.
    last: Str,
    /// The server said that it cannot serve `last`.
    unavailable: bool,
    /// An event could not be decoded, so that the cache may show an object as it was before it, or
    /// one that is gone.
    tainted: bool,
    /// A list from "0" came in pages, so that the server has no watch cache to serve it from.
    paginated: bool,
    /// Watches in a row that ended within a second.
    short_watches: u32,
    /// Watch-lists in a row that ended before their bookmark.
    cut_watch_lists: u32,
}

enum Phase<T> {
    Listing(Listing<T>),
    Opening {
        options: ListOptions,
        initial: bool,
    },
    /// A watch-list before its bookmark.
    Filling {
        watch: Watch,
        objects: Table<T>,
    },
    Watching(Watch),
    Waiting {
        until: Duration,
        then: Next,
    },
}

struct Listing<T> {
    options: ListOptions,
    /// What was asked for on the first page.
    asked: Str,
    objects: Table<T>,
    resource_version: Str,
    pages: usize,
    /// The whole list was asked for at once because a page had expired.
    whole: bool,
}

struct Watch {
    started: Duration,
    deadline: Duration,
    events: u64,
    /// Watches from "" and "0" begin with objects in any order.
    unordered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    Relist,
    WatchList,
    Watch,
}

/// A watch that ends sooner is a short one.
const SHORT: Duration = Duration::from_secs(1);
/// So many short watches in a row may be opened again at once.
const SHORT_WATCHES: u32 = 3;
/// What a server gets beyond the time it was given to end a watch.
const GRACE: Duration = Duration::from_secs(30);

impl<T: Object + Codec> Reflector<T> {
    /// `random` gives numbers in 0..1.
    pub(crate) fn new(
        config: ReflectorConfig,
        store: Store<T>,
        transform: Option<Transform<T>>,
        random: Box<dyn FnMut() -> f64 + Send>,
    ) -> Self {
        let mut reflector = Reflector {
            config,
            store,
            transform,
            random,
            backoff: Backoff::default(),
            phase: Phase::Waiting { until: Duration::ZERO, then: Next::Relist },
            last: Str::default(),
            unavailable: false,
            tainted: false,
            paginated: false,
            short_watches: 0,
            cut_watch_lists: 0,
        };
        reflector.go(Next::Relist);
        reflector
    }

    pub(crate) fn step(&self) -> Step {
        match &self.phase {
            Phase::Listing(listing) => Step::List(listing.options.clone()),
            Phase::Opening { options, .. } => Step::Watch(options.clone()),
            Phase::Filling { watch, .. } | Phase::Watching(watch) => Step::Read(watch.deadline),
            Phase::Waiting { until, .. } => Step::Sleep(*until),
        }
    }

    /// Whether the next step is to read on.
    pub(crate) fn is_reading(&self) -> bool {
        matches!(self.phase, Phase::Filling { .. } | Phase::Watching(_))
    }

    #[cfg(test)]
    pub(crate) fn is_tainted(&self) -> bool {
        self.tainted
    }

    /// The resource version that the next watch begins at. Go: `LastSyncResourceVersion`.
    #[cfg(test)]
    pub(crate) fn last_resource_version(&self) -> &Str {
        &self.last
    }

    fn go(&mut self, next: Next) {
        match next {
            Next::Relist if self.config.watch_list => self.go(Next::WatchList),
            Next::Relist => self.list(),
            Next::WatchList => {
                let mut options = self.watch_options();
                if self.unavailable {
                    options.resource_version = Str::default();
                }
                options.send_initial_events = Some(true);
                options.resource_version_match = ResourceVersionMatch::NotOlderThan.into();
                self.phase = Phase::Opening { options, initial: true };
            }
            Next::Watch => {
                self.phase = Phase::Opening { options: self.watch_options(), initial: false };
            }
        }
    }

    fn watch_options(&mut self) -> ListOptions {
        let timeout = self.config.min_watch_timeout.mul_f64(1.0 + (self.random)());
        ListOptions {
            resource_version: self.last.clone(),
            allow_watch_bookmarks: true,
            timeout_seconds: Some(timeout.as_secs().max(1) as i64),
            ..ListOptions::default()
        }
    }

    fn list(&mut self) {
        let asked = match (self.unavailable, self.last.as_str()) {
            (true, _) => Str::default(),
            (false, "") => "0".into(),
            (false, _) => self.last.clone(),
        };
        // With a limit a list at an exact version would go past the watch cache to etcd.
        let paged = self.paginated || matches!(asked.as_str(), "" | "0");
        self.phase = Phase::Listing(Listing {
            options: ListOptions {
                resource_version: asked.clone(),
                limit: if paged { self.config.page_size } else { 0 },
                ..ListOptions::default()
            },
            asked,
            objects: Table::default(),
            resource_version: Str::default(),
            pages: 0,
            whole: false,
        });
    }

    /// After a delay; after the server's own if that is longer.
    fn later(&mut self, now: Duration, then: Next, error: Option<&Error>) {
        let asked = error.and_then(Error::retry_after_seconds).map_or(0, u64::from);
        let random = (self.random)();
        let delay = self.backoff.next(now, random).max(Duration::from_secs(asked));
        self.phase = Phase::Waiting { until: now + delay, then };
    }

    /// The time that [`Step::Sleep`] asked for has come.
    pub(crate) fn woken(&mut self, now: Duration) {
        if let Phase::Waiting { until, then } = self.phase
            && now >= until
        {
            self.go(then);
        }
    }

    /// What came of [`Step::List`].
    pub(crate) fn listed(
        &mut self,
        now: Duration,
        result: Result<ObjectList<T>, &Error>,
        out: &mut EventQueue<T>,
    ) {
        let phase = Phase::Waiting { until: now, then: Next::Relist };
        let Phase::Listing(mut listing) = std::mem::replace(&mut self.phase, phase) else {
            return;
        };
        let list = match result {
            Ok(list) => list,
            Err(error) => return self.list_failed(now, listing, error),
        };
        if listing.pages == 0 {
            listing.resource_version = list.metadata.resource_version;
        }
        listing.pages += 1;
        for object in list.items {
            listing.objects.insert(self.take(object, true));
        }
        if !list.metadata.continue_.is_empty() {
            // The token holds the version; servers refuse both.
            listing.options.resource_version = Str::default();
            listing.options.continue_token = list.metadata.continue_;
            self.phase = Phase::Listing(listing);
            return;
        }
        if listing.asked == "0" && listing.pages > 1 {
            self.paginated = true;
        }
        self.replace(listing.objects, listing.resource_version, out);
        self.go(Next::Watch);
    }

    fn list_failed(&mut self, now: Duration, mut listing: Listing<T>, error: &Error) {
        let is_later_page = !listing.options.continue_token.is_empty();
        if is_later_page && error.is_resource_expired() && !listing.whole {
            listing.options.continue_token = Str::default();
            listing.options.resource_version = listing.asked.clone();
            listing.options.limit = 0;
            listing.objects = Table::default();
            listing.pages = 0;
            listing.whole = true;
            self.phase = Phase::Listing(listing);
        } else if (error.is_expired() || error.is_too_large_resource_version())
            && !listing.asked.is_empty()
        {
            self.unavailable = true;
            self.list();
        } else if self.tainted && error.is_decode() && !self.unavailable {
            // Still there. Following the other objects is better than following none.
            self.later(now, Next::Watch, Some(error));
        } else {
            self.later(now, Next::Relist, Some(error));
        }
    }

    fn replace(&mut self, objects: Table<T>, resource_version: Str, out: &mut EventQueue<T>) {
        self.unavailable = false;
        self.tainted = false;
        self.cut_watch_lists = 0;
        self.last = resource_version.clone();
        out.push(Delta::Replace { objects, resource_version });
    }

    /// What came of [`Step::Watch`].
    pub(crate) fn opened(&mut self, now: Duration, result: Result<(), &Error>) {
        let Phase::Opening { options, initial } = &self.phase else { return };
        let timeout = Duration::from_secs(options.timeout_seconds.unwrap_or(0).unsigned_abs());
        let unordered = matches!(options.resource_version.as_str(), "" | "0");
        match (result, *initial) {
            (Ok(()), initial) => {
                let deadline = now + timeout + GRACE;
                let watch = Watch { started: now, deadline, events: 0, unordered };
                self.phase = if initial {
                    Phase::Filling { watch, objects: Table::default() }
                } else {
                    Phase::Watching(watch)
                };
            }
            (Err(error), true) => self.watch_list_failed(now, unordered, error),
            (Err(error), false) if can_watch_again(error) => {
                self.later(now, Next::Watch, Some(error));
            }
            (Err(error), false) => self.later(now, Next::Relist, Some(error)),
        }
    }

    /// `from_empty`: the watch-list asked for no resource version.
    fn watch_list_failed(&mut self, now: Duration, from_empty: bool, error: &Error) {
        if error.is_too_many_requests() || is_refused(error) {
            self.later(now, Next::WatchList, Some(error));
        } else if (error.is_expired() || error.is_too_large_resource_version()) && !from_empty {
            self.unavailable = true;
            self.go(Next::WatchList);
        } else {
            self.list();
        }
    }

    /// An event of the watch.
    pub(crate) fn event(&mut self, now: Duration, event: WatchEvent<T>, out: &mut EventQueue<T>) {
        match &mut self.phase {
            Phase::Filling { watch, .. } | Phase::Watching(watch) => watch.events += 1,
            _ => return,
        }
        if let WatchEvent::Error(status) = event {
            self.failed(now, status);
        } else if matches!(self.phase, Phase::Filling { .. }) {
            self.fill(now, event, out);
        } else {
            self.follow(event, out);
        }
    }

    /// Before a watch-list's bookmark nothing leaves the reflector.
    fn fill(&mut self, now: Duration, event: WatchEvent<T>, out: &mut EventQueue<T>) {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                let object = self.take(object, true);
                if let Phase::Filling { objects, .. } = &mut self.phase {
                    objects.insert(object);
                }
            }
            WatchEvent::Deleted(object) => {
                let object = self.take(object, true);
                if let Phase::Filling { objects, .. } = &mut self.phase {
                    objects.remove(object.namespace(), object.name());
                }
            }
            WatchEvent::Bookmark(Bookmark { resource_version, initial_events_end: true }) => {
                let phase = Phase::Waiting { until: now, then: Next::Relist };
                if let Phase::Filling { mut watch, objects } =
                    std::mem::replace(&mut self.phase, phase)
                {
                    watch.unordered = false;
                    self.replace(objects, resource_version, out);
                    self.phase = Phase::Watching(watch);
                }
            }
            WatchEvent::Bookmark(_) | WatchEvent::Error(_) => {}
        }
    }

    fn follow(&mut self, event: WatchEvent<T>, out: &mut EventQueue<T>) {
        if let Phase::Watching(watch) = &mut self.phase
            && !matches!(event, WatchEvent::Added(_))
        {
            watch.unordered = false;
        }
        let delta = match event {
            WatchEvent::Added(object) => {
                let reached = object.metadata().resource_version.clone();
                let object = self.take(object, true);
                Delta::Upsert { object, resource_version: self.reach(reached) }
            }
            WatchEvent::Modified(object) => {
                let reached = object.metadata().resource_version.clone();
                let object = self.take(object, false);
                Delta::Upsert { object, resource_version: self.reach(reached) }
            }
            WatchEvent::Deleted(object) => {
                let reached = object.metadata().resource_version.clone();
                let object = self.take(object, false);
                Delta::Delete { object, resource_version: self.reach(reached) }
            }
            WatchEvent::Bookmark(bookmark) => {
                Delta::Bookmark { resource_version: self.reach(bookmark.resource_version) }
            }
            WatchEvent::Error(_) => return,
        };
        out.push(delta);
    }

    /// Moves to a resource version that an ordered event has; never back.
    fn reach(&mut self, resource_version: Str) -> Option<Str> {
        if matches!(&self.phase, Phase::Watching(watch) if watch.unordered)
            || resource_version.is_empty()
            || compare_resource_versions(&resource_version, &self.last) == Ok(Ordering::Less)
        {
            return None;
        }
        self.last = resource_version.clone();
        Some(resource_version)
    }

    /// The server said in the watch that it gives up.
    fn failed(&mut self, now: Duration, status: Status) {
        let error = Error::from_status(status);
        match &self.phase {
            Phase::Filling { watch, .. } => {
                let from_empty = watch.unordered;
                self.watch_list_failed(now, from_empty, &error);
            }
            _ if error.is_too_many_requests() => self.later(now, Next::Watch, Some(&error)),
            // After 410 too: a list at the last version gives what is at least as new.
            _ => self.later(now, Next::Relist, Some(&error)),
        }
    }

    /// An event of the watch could not be decoded and was left out. The watch goes on, for the
    /// sake of all other objects; when it ends, a list puts right what was missed. Go lists at once,
    /// and is stuck for as long as the list cannot be decoded either.
    pub(crate) fn undecodable(&mut self) {
        match &mut self.phase {
            Phase::Filling { .. } => self.list(),
            Phase::Watching(watch) => {
                watch.events += 1;
                self.tainted = true;
            }
            _ => {}
        }
    }

    /// The watch ended: as a server ends it, or because the connection broke, which is as ordinary.
    pub(crate) fn closed(&mut self, now: Duration, error: Option<&Error>) {
        let (short, empty, filling) = match &self.phase {
            Phase::Filling { watch, .. } => (now < watch.started + SHORT, watch.events == 0, true),
            Phase::Watching(watch) => (now < watch.started + SHORT, watch.events == 0, false),
            _ => return,
        };
        if filling {
            self.cut_watch_lists += 1;
            if (short && empty) || self.cut_watch_lists > 2 {
                self.cut_watch_lists = 0;
                self.list();
            } else {
                self.later(now, Next::WatchList, error);
            }
            return;
        }
        self.short_watches = if short { self.short_watches + 1 } else { 0 };
        if self.tainted || (short && empty) {
            self.later(now, Next::Relist, error);
        } else if self.short_watches > SHORT_WATCHES {
            self.later(now, Next::Watch, error);
        } else {
            self.go(Next::Watch);
        }
    }

    /// Makes an object what is stored: transformed, and sharing with the version in the store. One
    /// of the same version is not taken at all where `or_stored`.
    fn take(&self, mut object: T, or_stored: bool) -> Arc<T> {
        let meta = object.metadata();
        let old = self.store.get_named(&meta.namespace, &meta.name);
        if or_stored
            && let Some(old) = &old
            && is_same_version(old.as_ref(), &object)
        {
            return old.clone();
        }
        if let Some(transform) = &self.transform {
            transform(&mut object);
        }
        if let Some(old) = old {
            object.reuse(&old);
        }
        Arc::new(object)
    }
}

/// Whether both are one state of one object, as far as the server tells.
fn is_same_version(a: &dyn Object, b: &dyn Object) -> bool {
    let version = a.resource_version();
    !matches!(version, "" | "0") && version == b.resource_version() && a.uid() == b.uid()
}

fn is_refused(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return true;
        }
        source = error.source();
    }
    false
}

/// Go lists again unless the connection was refused; here no failure to connect does, because it
/// says nothing about the resource version.
fn can_watch_again(error: &Error) -> bool {
    error.is_too_many_requests() || error.is_transport() || is_refused(error)
}
