//! Controllers that tests lean on, within the server: garbage collection by owner references, the
//! end of namespaces and of CRDs.
//!
//! Go counterpart: the garbage collector and namespace controllers of kube-controller-manager, and
//! the finalizing controller of apiextensions-apiserver. One task watches the whole store; its
//! picture of owners and dependents is in memory only.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::{Arc, Weak};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::core::Core;
use crate::handlers::delete::DeleteOptions;
use crate::handlers::options::WriteOptions;
use crate::handlers::write::Part;
use crate::handlers::{self};
use crate::object::{Object, Stored, metadata_mut};
use crate::registry::{CLEANUP_FINALIZER, Resource};
use crate::request::{Query, RequestInfo};
use crate::status::ApiResult;
use crate::storage::{Range, Storage, StorageError, Watcher};

/// Who manages the fields that controllers write.
const AGENT: &str = "kube-controller-manager";

const CRDS: &str = "/registry/customresourcedefinitions/";
const NAMESPACES: &str = "/registry/namespaces/";

/// The running controllers.
pub(crate) struct Controllers(JoinHandle<()>);

impl Controllers {
    /// # Cancel safety
    /// The task is told to stop at once.
    pub(crate) async fn stop(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl Drop for Controllers {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts the controllers.
pub(crate) fn spawn(core: &Arc<Core>) -> Controllers {
    Controllers(tokio::spawn(run(Arc::downgrade(core))))
}

async fn run(core: Weak<Core>) {
    // Every turn starts from a snapshot: after a fault the picture is made anew.
    loop {
        let (mut picture, mut watcher) = {
            let Some(core) = core.upgrade() else { return };
            let (snapshot, watcher) = core.store.range_and_watch(Range::all());
            let mut picture = Picture::default();
            for entry in &snapshot.kvs {
                picture.set(&entry.key, Some(&entry.value));
            }
            picture.review_all();
            picture.work(&core);
            (picture, watcher)
        };
        while let Ok(changes) = next(&mut watcher).await {
            let Some(core) = core.upgrade() else { return };
            for (key, stored) in changes {
                picture.set(&key, stored.as_ref());
            }
            picture.work(&core);
        }
        tokio::task::yield_now().await;
    }
}

type Change = (Arc<str>, Option<Arc<Stored>>);

async fn next(watcher: &mut Watcher<Arc<Stored>>) -> Result<Vec<Change>, StorageError> {
    let batch = poll_fn(|cx| watcher.poll_events(cx, 1_024)).await?;
    let change = |event: &Arc<crate::storage::Event<Arc<Stored>>>| {
        (Arc::clone(&event.key), event.kv.as_ref().map(|kv| Arc::clone(&kv.value)))
    };
    Ok(batch.events.iter().map(change).collect())
}

/// Who owns whom.
#[derive(Default)]
struct Picture {
    objects: HashMap<Arc<str>, Node>,
    /// Keys of objects by UID.
    uids: HashMap<String, Arc<str>>,
    /// Keys of the objects that name a UID as owner.
    dependents: HashMap<String, HashSet<Arc<str>>>,
    /// Namespaces and CRDs being deleted.
    waiting: HashSet<Arc<str>>,
    /// Keys to look at.
    queue: Vec<Arc<str>>,
}

struct Node {
    stored: Arc<Stored>,
}

impl Picture {
    fn set(&mut self, key: &Arc<str>, stored: Option<&Arc<Stored>>) {
        if let Some(old) = self.objects.remove(key) {
            let summary = &old.stored.summary;
            for owner in &summary.owners {
                if let Some(keys) = self.dependents.get_mut(&owner.uid) {
                    keys.remove(key);
                    if keys.is_empty() {
                        self.dependents.remove(&owner.uid);
                    }
                }
                // A foreground deletion may wait for this one.
                self.queue.extend(self.uids.get(&owner.uid).cloned());
            }
            let still = stored.is_some_and(|stored| stored.summary.uid == summary.uid);
            if !still && self.uids.get(&summary.uid) == Some(key) {
                self.uids.remove(&summary.uid);
                self.queue.extend(self.dependents.get(&summary.uid).into_iter().flatten().cloned());
            }
            self.waiting.remove(key);
            // They may have waited for this object to go.
            self.queue.extend(self.waiting.iter().cloned());
        }
        if let Some(stored) = stored {
            let summary = &stored.summary;
            for owner in &summary.owners {
                self.dependents.entry(owner.uid.clone()).or_default().insert(Arc::clone(key));
            }
            self.uids.insert(summary.uid.clone(), Arc::clone(key));
            self.objects.insert(Arc::clone(key), Node { stored: Arc::clone(stored) });
            if !summary.owners.is_empty() || summary.deleting {
                self.queue.push(Arc::clone(key));
            }
            if summary.deleting && (key.starts_with(CRDS) || key.starts_with(NAMESPACES)) {
                self.waiting.insert(Arc::clone(key));
            }
        }
    }

    fn review_all(&mut self) {
        self.queue = self.objects.keys().cloned().collect();
    }

    /// Does what there is to do. What it changes comes back as events.
    fn work(&mut self, core: &Core) {
        let mut queue = std::mem::take(&mut self.queue);
        queue.sort();
        queue.dedup();
        for key in queue {
            let Some(node) = self.objects.get(&key) else { continue };
            // Refusals are expected: somebody else may have been faster.
            let _ = self.review(core, &key, &node.stored);
        }
    }

    fn review(&self, core: &Core, key: &str, stored: &Arc<Stored>) -> ApiResult<()> {
        let summary = &stored.summary;
        let Some(resource) = owner_of(core, key) else { return Ok(()) };
        let target = Target { core, resource: &resource, stored };
        if summary.deleting {
            if resource.behaviour.spec_finalizers {
                return self.end_namespace(&target);
            }
            if key.starts_with(CRDS) && summary.finalizers.iter().any(|f| f == CLEANUP_FINALIZER) {
                return self.end_crd(&target);
            }
            if summary.finalizers.iter().any(|f| f == "orphan") {
                return self.orphan(&target);
            }
            if summary.finalizers.iter().any(|f| f == "foregroundDeletion") {
                return self.foreground(&target);
            }
            return Ok(());
        }
        if summary.owners.is_empty() {
            return Ok(());
        }
        let there = |uid: &str| self.uids.contains_key(uid);
        if summary.owners.iter().all(|owner| !there(&owner.uid)) {
            return target.delete();
        }
        let deleting_foreground = summary.owners.iter().all(|owner| {
            let node = self.uids.get(&owner.uid).and_then(|key| self.objects.get(key));
            node.is_none_or(|node| is_foreground(&node.stored))
        });
        if deleting_foreground {
            return target.delete();
        }
        let gone: Vec<&str> = summary
            .owners
            .iter()
            .map(|owner| owner.uid.as_str())
            .filter(|uid| !there(uid))
            .collect();
        if gone.is_empty() { Ok(()) } else { target.drop_owners(&gone) }
    }

    /// Dependents lose this owner, then the finalizer goes.
    fn orphan(&self, owner: &Target<'_>) -> ApiResult<()> {
        let uid = owner.stored.summary.uid.as_str();
        for key in self.dependents.get(uid).into_iter().flatten() {
            let (Some(node), Some(resource)) = (self.objects.get(key), owner_of(owner.core, key))
            else {
                continue;
            };
            let stored = &node.stored;
            Target { core: owner.core, resource: &resource, stored }.drop_owners(&[uid])?;
        }
        owner.drop_finalizer("orphan")
    }

    /// Dependents are deleted; when those that block are gone, the finalizer goes.
    fn foreground(&self, owner: &Target<'_>) -> ApiResult<()> {
        let uid = owner.stored.summary.uid.as_str();
        let mut blocked = false;
        for key in self.dependents.get(uid).into_iter().flatten() {
            let (Some(node), Some(resource)) = (self.objects.get(key), owner_of(owner.core, key))
            else {
                continue;
            };
            let summary = &node.stored.summary;
            blocked |= summary.owners.iter().any(|owner| owner.uid == uid && owner.blocks);
            let others = summary.owners.iter().any(|other| {
                let node = self.uids.get(&other.uid).and_then(|key| self.objects.get(key));
                node.is_some_and(|node| !is_foreground(&node.stored))
            });
            let stored = &node.stored;
            let dependent = Target { core: owner.core, resource: &resource, stored };
            if others {
                dependent.drop_owners(&[uid])?;
            } else if !summary.deleting {
                dependent.delete()?;
            }
        }
        if blocked { Ok(()) } else { owner.drop_finalizer("foregroundDeletion") }
    }

    /// Deletes what is in a namespace, then the namespace.
    fn end_namespace(&self, namespace: &Target<'_>) -> ApiResult<()> {
        let name = namespace.stored.summary.name.as_str();
        let mut empty = true;
        for (key, node) in &self.objects {
            let summary = &node.stored.summary;
            if summary.namespace != name {
                continue;
            }
            empty = false;
            if !summary.deleting
                && let Some(resource) = owner_of(namespace.core, key)
            {
                let stored = &node.stored;
                Target { core: namespace.core, resource: &resource, stored }.delete()?;
            }
        }
        if !empty {
            return Ok(());
        }
        namespace.update(Part::Finalize, &|object| {
            object.insert("spec".to_owned(), json!({}));
        })
    }

    /// Deletes the objects of a CRD, then the CRD.
    fn end_crd(&self, crd: &Target<'_>) -> ApiResult<()> {
        let name = crd.stored.summary.name.as_str();
        let Some((plural, group)) = name.split_once('.') else {
            return crd.drop_finalizer(CLEANUP_FINALIZER);
        };
        let prefix = format!("/registry/{group}/{plural}/");
        let mut empty = true;
        for (key, node) in self.objects.iter().filter(|(key, _)| key.starts_with(&prefix)) {
            empty = false;
            if !node.stored.summary.deleting
                && let Some(resource) = owner_of(crd.core, key)
            {
                let stored = &node.stored;
                Target { core: crd.core, resource: &resource, stored }.delete()?;
            }
        }
        if empty { crd.drop_finalizer(CLEANUP_FINALIZER) } else { Ok(()) }
    }
}

fn is_foreground(stored: &Stored) -> bool {
    stored.summary.deleting && stored.summary.finalizers.iter().any(|f| f == "foregroundDeletion")
}

/// The resource whose objects have keys like this one.
fn owner_of(core: &Core, key: &str) -> Option<Arc<Resource>> {
    core.registry.table().by_key(key)
}

/// One object to act on, through the same paths that requests take.
struct Target<'a> {
    core: &'a Core,
    resource: &'a Arc<Resource>,
    stored: &'a Arc<Stored>,
}

impl Target<'_> {
    fn with<T>(&self, act: impl FnOnce(&handlers::Request<'_>) -> ApiResult<T>) -> ApiResult<T> {
        let summary = &self.stored.summary;
        let info = RequestInfo {
            is_resource: true,
            group: self.resource.group.clone(),
            version: self.resource.version.clone(),
            namespace: summary.namespace.clone(),
            resource: self.resource.plural.clone(),
            name: summary.name.clone(),
            ..RequestInfo::default()
        };
        let query = Query::default();
        let (core, resource) = (self.core, self.resource);
        act(&handlers::Request { core, resource, info: &info, query: &query, agent: AGENT })
    }

    fn delete(&self) -> ApiResult<()> {
        let summary = &self.stored.summary;
        let options = DeleteOptions { uid: Some(summary.uid.clone()), ..DeleteOptions::default() };
        self.with(|request| request.delete_named(&summary.name, &options).map(drop))
    }

    fn update(&self, part: Part, change: &dyn Fn(&mut Object)) -> ApiResult<()> {
        let summary = &self.stored.summary;
        self.with(|request| {
            let options = WriteOptions::default();
            let written = request.update(&summary.name, part, options, false, &mut |old| {
                let mut object = old.cloned().unwrap_or_default();
                change(&mut object);
                self.resource.convert_to_storage(&mut object);
                Ok(object)
            });
            written.map(drop)
        })
    }

    fn drop_owners(&self, uids: &[&str]) -> ApiResult<()> {
        self.update(Part::Main, &|object| {
            retain(object, "ownerReferences", |owner| {
                let uid = owner.get("uid").and_then(Value::as_str).unwrap_or_default();
                !uids.contains(&uid)
            });
        })
    }

    fn drop_finalizer(&self, name: &str) -> ApiResult<()> {
        self.update(Part::Main, &|object| retain(object, "finalizers", |other| other != name))
    }
}

fn retain(object: &mut Object, key: &str, keep: impl Fn(&Value) -> bool) {
    let meta = metadata_mut(object);
    if let Some(Value::Array(items)) = meta.get_mut(key) {
        items.retain(keep);
        if items.is_empty() {
            meta.remove(key);
        }
    }
}
