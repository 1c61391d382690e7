//! Where informers get their lister-watchers from, and for which objects.

use crate::ListerWatcher;
use pintle_apimachinery::{ListOptions, Resource, Str};
use std::sync::Arc;

/// Which objects of a kind are meant: all, those of a namespace, those that match selectors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[must_use]
pub struct InformerScope {
    /// Empty for all namespaces.
    pub namespace: Str,
    /// Empty for any labels.
    pub label_selector: Str,
    /// Empty for any fields.
    pub field_selector: Str,
}

impl InformerScope {
    /// Every object.
    pub fn all() -> Self {
        Self::default()
    }

    /// The objects of a namespace; all if it is empty.
    pub fn namespace(namespace: impl Into<Str>) -> Self {
        InformerScope { namespace: namespace.into(), ..Self::default() }
    }

    /// Only those whose labels match.
    pub fn labels(mut self, selector: impl Into<Str>) -> Self {
        self.label_selector = selector.into();
        self
    }

    /// Only those whose fields match.
    pub fn fields(mut self, selector: impl Into<Str>) -> Self {
        self.field_selector = selector.into();
        self
    }

    /// The selectors in the options of a list or watch.
    #[must_use]
    pub fn apply(&self, mut options: ListOptions) -> ListOptions {
        options.label_selector = self.label_selector.clone();
        options.field_selector = self.field_selector.clone();
        options
    }
}

/// Gives a lister-watcher for any kind: a client, seen by a factory.
pub trait Sources: Send + Sync + 'static {
    /// Lists and watches the objects of a kind in a scope.
    fn lister_watcher<T: Resource>(&self, scope: &InformerScope) -> Arc<dyn ListerWatcher<T>>;
}

impl<S: Sources> Sources for Arc<S> {
    fn lister_watcher<T: Resource>(&self, scope: &InformerScope) -> Arc<dyn ListerWatcher<T>> {
        (**self).lister_watcher(scope)
    }
}
