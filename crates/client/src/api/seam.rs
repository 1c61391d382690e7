//! The client behind the traits that informers and controllers use.

use super::{Api, Patch};
use crate::Error;
use futures_core::future::BoxFuture;
use pintle_apimachinery::{
    Codec, CreateOptions, Decoder, DeleteOptions, GetOptions, Known, ListOptions, Object,
    ObjectKey, ObjectList, PatchOptions, PatchType, Resource, Str, UpdateOptions,
};
use pintle_client_traits::{InformerScope, ListerWatcher, ObjectClient, Sources, WatchStream};
use std::sync::{Arc, Mutex};

/// Lists and watches the objects of an [`Api`] for a cache; see [`Api::lister_watcher`].
///
/// Equal parts of the objects it returns are shared, within a list and with what was listed and
/// watched before: memory for 10,000 similar Pods is a small part of what they would take alone.
#[derive(Debug)]
pub struct ApiListerWatcher<T> {
    api: Api<T>,
    label_selector: Str,
    field_selector: Str,
    tables: Arc<Mutex<Decoder>>,
}

impl<T: Object + Codec> Api<T> {
    /// A source for an informer. Each has tables of its own for what its objects have in common.
    #[must_use]
    pub fn lister_watcher(&self) -> ApiListerWatcher<T> {
        ApiListerWatcher {
            api: self.clone(),
            label_selector: Str::default(),
            field_selector: Str::default(),
            tables: Arc::new(Mutex::new(Decoder::interning())),
        }
    }
}

impl<T> ApiListerWatcher<T> {
    /// Only objects whose labels match.
    #[must_use]
    pub fn labels(mut self, selector: impl Into<Str>) -> Self {
        self.label_selector = selector.into();
        self
    }

    /// Only objects whose fields match.
    #[must_use]
    pub fn fields(mut self, selector: impl Into<Str>) -> Self {
        self.field_selector = selector.into();
        self
    }

    fn narrow(&self, mut options: ListOptions) -> ListOptions {
        if !self.label_selector.is_empty() {
            options.label_selector = self.label_selector.clone();
        }
        if !self.field_selector.is_empty() {
            options.field_selector = self.field_selector.clone();
        }
        options
    }
}

impl Sources for crate::Client {
    fn lister_watcher<T: Resource>(&self, scope: &InformerScope) -> Arc<dyn ListerWatcher<T>> {
        let api = self.all::<T>().in_namespace(&scope.namespace);
        let source = api.lister_watcher();
        Arc::new(source.labels(scope.label_selector.clone()).fields(scope.field_selector.clone()))
    }
}

impl<T: Object + Codec> ListerWatcher<T> for ApiListerWatcher<T> {
    fn list(&self, options: ListOptions) -> BoxFuture<'_, Result<ObjectList<T>, Error>> {
        let options = self.narrow(options);
        Box::pin(async move {
            self.api.list_in(&self.api.namespace, &options, Some(&self.tables)).await
        })
    }

    fn watch(&self, options: ListOptions) -> BoxFuture<'_, Result<WatchStream<T>, Error>> {
        let options = self.narrow(options);
        Box::pin(async move {
            let watch = self.api.watch_with(&options, self.tables.clone(), None).await?;
            Ok(Box::pin(watch) as WatchStream<T>)
        })
    }

    fn watch_known(
        &self,
        options: ListOptions,
        known: Known<T>,
    ) -> BoxFuture<'_, Result<WatchStream<T>, Error>> {
        let options = self.narrow(options);
        Box::pin(async move {
            let watch = self.api.watch_with(&options, self.tables.clone(), Some(known)).await?;
            Ok(Box::pin(watch) as WatchStream<T>)
        })
    }
}

impl<T: Object + Codec> ObjectClient<T> for Api<T> {
    fn get<'a>(
        &'a self,
        key: &'a ObjectKey,
        options: GetOptions,
    ) -> BoxFuture<'a, Result<T, Error>> {
        Box::pin(self.get_in(&key.namespace, &key.name, options))
    }

    fn list<'a>(
        &'a self,
        namespace: &'a str,
        options: ListOptions,
    ) -> BoxFuture<'a, Result<ObjectList<T>, Error>> {
        let namespace = if namespace.is_empty() { &*self.namespace } else { namespace };
        Box::pin(async move { self.list_in(namespace, &options, None).await })
    }

    fn create<'a>(
        &'a self,
        object: &'a T,
        options: CreateOptions,
    ) -> BoxFuture<'a, Result<T, Error>> {
        Box::pin(self.create_with(object, options))
    }

    fn update<'a>(
        &'a self,
        object: &'a T,
        options: UpdateOptions,
    ) -> BoxFuture<'a, Result<T, Error>> {
        Box::pin(self.put(object, "", options))
    }

    fn replace_status<'a>(
        &'a self,
        object: &'a T,
        options: UpdateOptions,
    ) -> BoxFuture<'a, Result<T, Error>> {
        Box::pin(self.put(object, "status", options))
    }

    fn patch<'a>(
        &'a self,
        key: &'a ObjectKey,
        subresource: &'a str,
        kind: PatchType,
        body: Vec<u8>,
        options: PatchOptions,
    ) -> BoxFuture<'a, Result<T, Error>> {
        let patch = Patch::raw(kind, body);
        Box::pin(async move {
            self.patch_part(&key.namespace, &key.name, subresource, &patch, options).await
        })
    }

    fn delete<'a>(
        &'a self,
        key: &'a ObjectKey,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { self.delete_in(&key.namespace, &key.name, options).await.map(drop) })
    }
}
