//! An informer under observation.
use crate::harness::{Tap, Test, eventually, within};
use pintle::{
    Api, Error, HandlerFuncs, InformerFactory, InformerScope, ListOptions, Object, Registration,
    Resource, SharedInformer,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// An informer on the objects labelled `run` in a namespace, and all its handler was told.
pub(crate) struct Followed<T: Resource> {
    pub(crate) informer: SharedInformer<T>,
    pub(crate) told: Arc<Mutex<Vec<String>>>,
    pub(crate) tap: Tap,
    _handler: Registration,
}

impl<T: Resource> Followed<T> {
    pub(crate) async fn start(t: &Test, ns: &str) -> Result<Self, Error> {
        let (client, tap) = t.tapped()?;
        let informers = InformerFactory::new(client);
        let scope = InformerScope::namespace(ns).labels("run=watches");
        let informer = informers.informer::<T>(scope, Default::default());
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = |what: &'static str| {
            let told = told.clone();
            move |object: &T| told.lock().unwrap().push(format!("{what} {}", object.name()))
        };
        let (add, update, delete) = (tell("add"), tell("update"), tell("delete"));
        let unknown = tell("missed");
        let handler = HandlerFuncs::new()
            .on_add(move |object, _| add(&object))
            .on_update(move |_, object| update(&object))
            .on_delete(move |gone: pintle::Tombstone<T>| {
                if gone.final_state_unknown { unknown(&gone.object) } else { delete(&gone.object) }
            });
        let handler = informer.add_handler(handler)?;
        informer.start();
        within("the informer has synced", informer.synced()).await??;
        within("the handler has synced", handler.synced()).await??;
        Ok(Followed { informer, told, tap, _handler: handler })
    }

    /// What the handler was told since the last time this was called.
    pub(crate) fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// Waits until the cache holds these objects, by name and version.
    pub(crate) async fn holds(&self, expect: &BTreeMap<String, String>) -> Result<(), Error> {
        eventually("the cache is up to date", async || Ok(self.cached() == *expect)).await
    }

    fn cached(&self) -> BTreeMap<String, String> {
        versions(self.informer.lister().list().iter().map(|object| &**object))
    }
}

fn versions<'a, T: Object>(objects: impl Iterator<Item = &'a T>) -> BTreeMap<String, String> {
    objects.map(|o| (o.name().to_owned(), o.resource_version().to_owned())).collect()
}

/// What the server holds.
pub(crate) async fn held<T: Resource>(api: &Api<T>) -> Result<BTreeMap<String, String>, Error> {
    Ok(versions(api.list(&ours()).await?.iter()))
}

pub(crate) fn ours() -> ListOptions {
    ListOptions::labels("run=watches")
}

pub(crate) fn labelled<T: Object>(mut object: T) -> T {
    object.metadata_mut().labels.insert("run".into(), "watches".into());
    object
}

pub(crate) fn touch<T: Object>(object: &mut T) {
    object.metadata_mut().annotations.insert("touched".into(), "yes".into());
}
