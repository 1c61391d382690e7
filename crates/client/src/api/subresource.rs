//! Subresources: any by name, scale in particular.

use super::exchange::{Wanted, decode, send, send_value};
use super::{Api, Call, Patch};
use crate::Error;
use crate::request::{Request, Response};
use crate::retry::Repeat;
use pintle_apimachinery::{
    Codec, CreateOptions, GetOptions, Object, PatchOptions, Unstructured, UpdateOptions,
};

impl<T: Object + Codec> Api<T> {
    /// Reads a subresource: `scale`, `ephemeralcontainers`.
    pub fn get_subresource<'a, R: Codec>(
        &'a self,
        name: &'a str,
        subresource: &'a str,
    ) -> Call<'a, GetOptions, R> {
        Call::new(move |options: GetOptions| async move {
            let path = self.endpoint.object(&self.namespace, name, subresource)?;
            let mut request = Request::get(path);
            options.to_query(&mut request.query);
            decode(send(&self.client, &self.endpoint, request, Wanted::of::<R>()).await?).await
        })
    }

    /// Posts to a subresource: `eviction`, `token`, `binding`. Never repeated: the answer to an
    /// eviction that is not allowed now says when to try again.
    pub fn create_subresource<'a, B: Codec, R: Codec>(
        &'a self,
        name: &'a str,
        subresource: &'a str,
        body: &'a B,
    ) -> Call<'a, CreateOptions, R> {
        Call::new(move |options: CreateOptions| async move {
            let path = self.endpoint.object(&self.namespace, name, subresource)?;
            let mut request = Request::post(path).repeat(Repeat::Never);
            options.to_query(&mut request.query);
            self.subresource_written(request, body).await
        })
    }

    /// Replaces a subresource.
    pub fn update_subresource<'a, B: Codec, R: Codec>(
        &'a self,
        name: &'a str,
        subresource: &'a str,
        body: &'a B,
    ) -> Call<'a, UpdateOptions, R> {
        Call::new(move |options: UpdateOptions| async move {
            let path = self.endpoint.object(&self.namespace, name, subresource)?;
            let mut request = Request::put(path);
            options.to_query(&mut request.query);
            self.subresource_written(request, body).await
        })
    }

    /// Patches a subresource.
    pub fn patch_subresource<'a, R: Codec>(
        &'a self,
        name: &'a str,
        subresource: &'a str,
        patch: &'a Patch,
    ) -> Call<'a, PatchOptions, R> {
        Call::new(move |options| {
            self.patch_part(&self.namespace, name, subresource, patch, options)
        })
    }

    async fn subresource_written<B: Codec, R: Codec>(
        &self,
        request: Request,
        body: &B,
    ) -> Result<R, Error> {
        let wanted = Wanted::of::<R>();
        decode(send_value(&self.client, &self.endpoint, request, body, wanted).await?).await
    }

    /// Reads a subresource that is not an object, as it arrives: `proxy/metrics`, `log`. The parts
    /// after the first are a path of the subresource's own.
    ///
    /// # Errors
    /// See [`Api`].
    pub async fn get_raw(
        &self,
        name: &str,
        subresource: &str,
        query: &[(&'static str, &str)],
    ) -> Result<Response, Error> {
        let path = self.endpoint.object(&self.namespace, name, subresource)?;
        let mut request = Request::get(path).accept("*/*").endless();
        for (key, value) in query {
            request.query.push(*key, *value);
        }
        self.client.request(request).await
    }

    /// How many replicas the `scale` subresource asks for.
    ///
    /// # Errors
    /// See [`Api`].
    pub async fn replicas(&self, name: &str) -> Result<i32, Error> {
        let scale: Unstructured = self.get_subresource(name, "scale").await?;
        Ok(desired(&scale))
    }

    /// Sets how many replicas the `scale` subresource asks for; returns what it asks for then.
    ///
    /// # Errors
    /// See [`Api`].
    pub async fn set_replicas(&self, name: &str, replicas: i32) -> Result<i32, Error> {
        let patch = Patch::merge(serde_json::json!({"spec": {"replicas": replicas}}));
        let scale: Unstructured = self.patch_subresource(name, "scale", &patch).await?;
        Ok(desired(&scale))
    }
}

/// A scale to zero leaves the field out.
fn desired(scale: &Unstructured) -> i32 {
    scale
        .get("spec.replicas")
        .and_then(serde_json::Value::as_i64)
        .and_then(|n| i32::try_from(n).ok())
        .unwrap_or(0)
}
