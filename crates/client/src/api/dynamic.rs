//! Objects whose type is not known at compile time (Go: `dynamic.Interface`).

use super::endpoint::Endpoint;
use super::{Api, ApiResource};
use crate::{Client, Error};
use pintle_apimachinery::{Str, Unstructured};
use std::marker::PhantomData;
use std::sync::Arc;

impl Client {
    /// The objects of a kind as JSON; all of them, or with [`Api::in_namespace`] those of one
    /// namespace. [`Client::find`] makes an [`ApiResource`] of a kind's name.
    ///
    /// # Errors
    /// A part of the resource cannot be part of a path.
    ///
    /// # Example
    /// ```no_run
    /// use pintle_apimachinery::{ListOptions, Object};
    /// use pintle_client::{ApiResource, Client};
    ///
    /// # async fn f(client: Client) -> Result<(), pintle_client::Error> {
    /// let foos = ApiResource::namespaced("samplecontroller.k8s.io", "v1alpha1", "Foo", "foos");
    /// for foo in client.dynamic(&foos)?.list(&ListOptions::default()).await? {
    ///     println!("{}: {:?}", foo.name(), foo.get("spec.replicas"));
    /// }
    /// # Ok(()) }
    /// ```
    pub fn dynamic(&self, resource: &ApiResource) -> Result<Api<Unstructured>, Error> {
        let endpoint = Arc::new(Endpoint::new::<Unstructured>(resource.clone())?);
        Ok(Api { client: self.clone(), endpoint, namespace: Str::default(), of: PhantomData })
    }
}
