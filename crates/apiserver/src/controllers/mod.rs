//! Controllers that tests lean on, within the server: garbage collection by owner references, the
//! end of namespaces and of definitions, and what every namespace is given.
//!
//! Go counterpart: four controllers of kube-controller-manager, and the finalizing controller of
//! apiextensions-apiserver. One task watches the whole store: no polling, and nothing to do while
//! nothing is written. What it decides depends on the order of the log alone.

mod act;
mod definitions;
mod expiry;
mod garbage;
mod names;
mod namespaces;
mod provision;

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::{Arc, Weak};

use tokio::task::JoinHandle;

pub use self::names::Controllers;
use self::names::Name;
use crate::core::Core;
use crate::object::Stored;
use crate::storage::{Event, Range, Storage, StorageError, Watcher};
use crate::timers::Timer;

/// Who manages the fields that controllers write.
const AGENT: &str = "kube-controller-manager";

const NAMESPACES: &str = "/registry/namespaces/";
const DEFINITIONS: &str = "/registry/customresourcedefinitions/";

/// Events taken from the log at once.
const BATCH: usize = 1_024;
/// After so many steps other tasks get a turn.
const STEPS: usize = 32;

/// The running controllers.
pub(crate) struct Running(JoinHandle<()>);

impl Running {
    /// # Cancel safety
    /// The task is told to stop at once.
    pub(crate) async fn stop(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Does what there is to do at the start, and goes on in a task.
///
/// # Cancel safety
/// What was written stays; no task runs.
pub(crate) async fn start(core: &Arc<Core>, enabled: Controllers) -> Running {
    let begun = Picture::begin(core, enabled.clone()).await;
    core.controllers.send_replace(begun.1.revision());
    Running(tokio::spawn(run(Arc::downgrade(core), enabled, begun)))
}

async fn run(core: Weak<Core>, enabled: Controllers, begun: (Picture, Watcher<Arc<Stored>>)) {
    let (mut picture, mut watcher) = begun;
    loop {
        let timer = {
            let Some(core) = core.upgrade() else { return };
            picture.expiry.next().map(|moment| core.timers.at(moment))
        };
        let events = tokio::select! {
            events = poll_fn(|cx| watcher.poll_events(cx, BATCH)) => Some(events),
            () = due(timer) => None,
        };
        let Some(core) = core.upgrade() else { return };
        match events {
            None => picture.expiry.expire(&core),
            Some(Ok(batch)) => {
                let now = core.timers.now();
                for event in &batch.events {
                    picture.observe(event);
                    if event.kv.is_some() {
                        let ttl = core.settings.event_ttl;
                        picture.expiry.written(&event.key, event.revision, now, ttl);
                    }
                }
                picture.work(&core).await;
                core.controllers.send_replace(watcher.revision());
            }
            Some(Err(StorageError::Cancelled | StorageError::Compacted { .. }))
            | Some(Err(StorageError::Future { .. })) => {
                // The picture is made anew from a snapshot.
                (picture, watcher) = Picture::begin(&core, enabled.clone()).await;
                core.controllers.send_replace(watcher.revision());
            }
        }
    }
}

/// Waits for a timer; without one, for ever.
async fn due(timer: Option<Timer>) {
    match timer {
        Some(timer) => timer.await,
        None => std::future::pending().await,
    }
}

/// Waits until the controllers have acted on everything written so far, and on what they wrote
/// themselves.
///
/// # Cancel safety
/// Nothing is changed.
pub(crate) async fn settled(core: &Core) {
    let mut seen = core.controllers.subscribe();
    loop {
        let wanted = core.store.revision();
        if seen.wait_for(|done| *done >= wanted).await.is_err() || core.store.revision() == wanted {
            return;
        }
    }
}

/// What there may be to do. The order is that in which it is done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    /// A namespace is given its ServiceAccount.
    ServiceAccount(String),
    /// A namespace is given the certificate of the server's authority.
    RootCertificate(String),
    /// An object has owners, or dependents to wait for.
    Garbage(Arc<str>),
    /// A definition goes after its objects.
    Definition(Arc<str>),
    /// A namespace goes after its content.
    Namespace(String),
}

/// What the controllers know beside the store itself.
struct Picture {
    enabled: Controllers,
    garbage: garbage::Graph,
    /// Namespaces being deleted.
    ending: BTreeSet<String>,
    /// Keys of definitions being deleted.
    definitions: BTreeSet<Arc<str>>,
    expiry: expiry::Expiry,
    queue: BTreeSet<Task>,
}

impl Picture {
    /// Reads the store, does what there is to do, and watches from where it read.
    async fn begin(core: &Core, enabled: Controllers) -> (Picture, Watcher<Arc<Stored>>) {
        let (snapshot, watcher) = core.store.range_and_watch(Range::all(), 0);
        let mut picture = Picture {
            enabled,
            garbage: garbage::Graph::default(),
            ending: BTreeSet::new(),
            definitions: BTreeSet::new(),
            expiry: expiry::Expiry::default(),
            queue: BTreeSet::new(),
        };
        for entry in &snapshot.kvs {
            picture.change(&entry.key, None, Some(&entry.value));
            let (now, ttl) = (core.timers.now(), core.settings.event_ttl);
            picture.expiry.written(&entry.key, entry.mod_revision, now, ttl);
        }
        picture.work(core).await;
        (picture, watcher.own())
    }

    fn observe(&mut self, event: &Event<Arc<Stored>>) {
        let old = event.prev.as_ref().map(|kv| &kv.value);
        let new = event.kv.as_ref().map(|kv| &kv.value);
        self.change(&event.key, old, new);
    }

    /// Notes what a change gives to do.
    fn change(&mut self, key: &Arc<str>, old: Option<&Arc<Stored>>, new: Option<&Arc<Stored>>) {
        let Some(summary) = new.or(old).map(|stored| &stored.summary) else { return };
        let deleting = new.is_some_and(|new| new.summary.deleting);
        if let Some(name) = key.strip_prefix(NAMESPACES) {
            match new {
                Some(_) if deleting => {
                    self.ending.insert(name.to_owned());
                    self.add(Task::Namespace(name.to_owned()));
                }
                Some(_) if old.is_none() => {
                    self.add(Task::ServiceAccount(name.to_owned()));
                    self.add(Task::RootCertificate(name.to_owned()));
                }
                Some(_) => {}
                None => drop(self.ending.remove(name)),
            }
        }
        if key.starts_with(DEFINITIONS) {
            if deleting {
                self.definitions.insert(Arc::clone(key));
                self.add(Task::Definition(Arc::clone(key)));
            } else {
                self.definitions.remove(key);
            }
            // Owners of kinds that were not known may be known now.
            let again = self.garbage.take_unresolved();
            again.into_iter().for_each(|key| self.add(Task::Garbage(key)));
        }
        let namespace = summary.namespace.as_str();
        if !namespace.is_empty() {
            let fewer = new.is_none_or(|new| {
                old.is_none_or(|old| old.summary.finalizers != new.summary.finalizers)
            });
            if fewer && self.ending.contains(namespace) {
                self.add(Task::Namespace(namespace.to_owned()));
            }
            if provision::is_service_account(key) && new.is_none() {
                self.add(Task::ServiceAccount(namespace.to_owned()));
            }
            if provision::is_root_certificate(key) {
                self.add(Task::RootCertificate(namespace.to_owned()));
            }
        }
        if new.is_none() {
            let waiting: Vec<_> = self.definitions.iter().cloned().collect();
            waiting.into_iter().for_each(|key| self.add(Task::Definition(key)));
        }
        if self.enabled.has(Name::GarbageCollector) {
            let mut keys = BTreeSet::new();
            self.garbage.change(key, old, new, &mut keys);
            self.queue.extend(keys.into_iter().map(Task::Garbage));
        }
    }

    fn add(&mut self, task: Task) {
        let wanted = match task {
            Task::ServiceAccount(_) => self.enabled.has(Name::ServiceAccount),
            Task::RootCertificate(_) => self.enabled.has(Name::RootCertificate),
            Task::Garbage(_) => self.enabled.has(Name::GarbageCollector),
            Task::Namespace(_) => self.enabled.has(Name::Namespace),
            // Part of the API server, not of the controller manager.
            Task::Definition(_) => true,
        };
        if wanted {
            self.queue.insert(task);
        }
    }

    /// Does what there is to do. What it changes comes back as events.
    ///
    /// # Cancel safety
    /// What is left is done by whoever begins anew.
    async fn work(&mut self, core: &Core) {
        let mut steps = Steps::default();
        while let Some(task) = self.queue.pop_first() {
            steps.step().await;
            // Refusals are expected: somebody else may have been faster, and then there is an
            // event of it.
            let _ = match &task {
                Task::ServiceAccount(namespace) => provision::service_account(core, namespace),
                Task::RootCertificate(namespace) => provision::root_certificate(core, namespace),
                Task::Garbage(key) => self.garbage.review(core, key),
                Task::Definition(key) => definitions::end(core, key, &mut steps).await,
                Task::Namespace(name) => namespaces::end(core, name, &mut steps).await,
            };
        }
    }
}

/// Lets other tasks have a turn now and then.
#[derive(Default)]
struct Steps(usize);

impl Steps {
    /// # Cancel safety
    /// Nothing is changed.
    async fn step(&mut self) {
        self.0 += 1;
        if self.0.is_multiple_of(STEPS) {
            tokio::task::yield_now().await;
        }
    }
}
