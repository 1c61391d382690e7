//! The generic typed client: every verb for every kind (Go: `gentype.Client`, `dynamic`).

mod call;
mod dynamic;
mod endpoint;
mod exchange;
mod logs;
mod pages;
mod patch;
mod read;
mod seam;
mod subresource;
mod watch;
mod write;

pub use call::Call;
pub use endpoint::ApiResource;
pub use logs::LogOptions;
pub use patch::Patch;
pub use seam::ApiListerWatcher;
pub use watch::Watch;
pub use write::{Deletion, retry_on_conflict};

use crate::Client;
use endpoint::Endpoint;
use pintle_apimachinery::{Codec, Namespaced, Object, Resource, Str};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The verbs of one kind: in one namespace, in all, or of the cluster (Go: `PodInterface` and its
/// like).
///
/// Made by [`Client::namespaced`], [`Client::all`] and [`Client::dynamic`]; cheap to make and to
/// clone. Methods that write return the object as the server stored it.
///
/// Built-in kinds travel as protobuf, others as JSON; a server that refuses protobuf gets JSON from
/// then on.
///
/// # Errors
/// Every method fails with what the server answered
/// ([`is_not_found`](crate::Error::is_not_found), [`is_conflict`](crate::Error::is_conflict), ...), or why it
/// could not be asked. Names and namespaces that are empty, `.`, `..`, or hold `/` or `%` are never
/// sent.
///
/// # Cancel safety
/// Dropping a call gives the request up; whether a write had been done by then is not known.
///
/// # Example: read, change, write
/// ```no_run
/// # use pintle_apimachinery::{ListOptions, Object, Unstructured};
/// # async fn f<Deployment: pintle_apimachinery::Resource<Scope = pintle_apimachinery::Namespaced>>(
/// #     client: pintle_client::Client) -> Result<(), pintle_client::Error> {
/// let deployments = client.namespaced::<Deployment>("team-a");
/// for deployment in deployments.list(&ListOptions::labels("app=web")).await? {
///     println!("{}", deployment.name());
/// }
/// match deployments.get("web").await {
///     Err(e) if e.is_not_found() => println!("there is none"),
///     other => println!("{:?}", other?.metadata().generation),
/// }
/// deployments.modify("web", |d| { d.metadata_mut().labels.insert("tier".into(), "front".into()); }).await?;
/// # Ok(()) }
/// ```
pub struct Api<T> {
    client: Client,
    endpoint: Arc<Endpoint>,
    /// Empty: all namespaces, or none.
    namespace: Str,
    of: PhantomData<fn() -> T>,
}

impl Client {
    /// The objects of a kind in one namespace. Kinds that are not namespaced do not compile.
    ///
    /// ```compile_fail,E0271
    /// use pintle_apimachinery::{ClusterScoped, Resource};
    /// fn f<Node: Resource<Scope = ClusterScoped>>(client: pintle_client::Client) {
    ///     client.namespaced::<Node>("team-a");
    /// }
    /// ```
    #[must_use]
    pub fn namespaced<T: Resource<Scope = Namespaced>>(&self, namespace: &str) -> Api<T> {
        Api { namespace: namespace.into(), ..self.all() }
    }

    /// The objects of a kind in the namespace of the configuration.
    #[must_use]
    pub fn in_default_namespace<T: Resource<Scope = Namespaced>>(&self) -> Api<T> {
        self.namespaced(self.default_namespace())
    }

    /// The objects of a kind: those of the cluster if it is cluster-scoped, those of all namespaces
    /// if it is namespaced. Of the latter, single objects are reached through
    /// [`Api::in_namespace`], and written to the namespace in their metadata.
    #[must_use]
    pub fn all<T: Resource>(&self) -> Api<T> {
        let endpoint = Arc::new(Endpoint::of::<T>());
        Api { client: self.clone(), endpoint, namespace: Str::default(), of: PhantomData }
    }
}

impl<T> Api<T> {
    /// The client behind it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What is served, and where.
    #[must_use]
    pub fn resource(&self) -> &ApiResource {
        &self.endpoint.resource
    }

    /// The namespace it is limited to; empty for none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The same kind in one namespace; in all when it is empty.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Self {
        Api { namespace: namespace.into(), ..self.clone() }
    }
}

impl<T: Object + Codec> Api<T> {
    /// The namespace an object is written to: this client's, or else its own.
    fn namespace_of<'a>(&'a self, object: &'a T) -> &'a str {
        if self.namespace.is_empty() { object.namespace() } else { &self.namespace }
    }
}

impl<T> Clone for Api<T> {
    fn clone(&self) -> Self {
        Api {
            client: self.client.clone(),
            endpoint: self.endpoint.clone(),
            namespace: self.namespace.clone(),
            of: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Api<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ApiResource { plural, .. } = &self.endpoint.resource;
        write!(f, "Api({plural} of {}", self.endpoint.group_version)?;
        if self.namespace.is_empty() {
            f.write_str(")")
        } else {
            write!(f, " in {})", self.namespace)
        }
    }
}
