//! get and list.

use super::exchange::{Wanted, decode, decode_list, send};
use super::{Api, Call};
use crate::{Error, Request};
use pintle_apimachinery::{Codec, Decoder, GetOptions, ListOptions, Object, ObjectList};
use std::sync::Mutex;

impl<T: Object + Codec> Api<T> {
    /// Reads an object.
    pub fn get<'a>(&'a self, name: &'a str) -> Call<'a, GetOptions, T> {
        Call::new(move |options| self.get_in(&self.namespace, name, options))
    }

    pub(super) async fn get_in(
        &self,
        namespace: &str,
        name: &str,
        options: GetOptions,
    ) -> Result<T, Error> {
        let mut request = Request::get(self.endpoint.object(namespace, name, "")?);
        options.to_query(&mut request.query);
        decode(send(&self.client, &self.endpoint, request, Wanted::of::<T>()).await?).await
    }

    /// Lists objects: those that match, or one page of them when the options have a limit (the next
    /// begins at its [`continue_token`](ObjectList::continue_token); see also
    /// [`pages`](Self::pages)). The answer is decoded as it arrives.
    ///
    /// # Errors
    /// See [`Api`].
    pub async fn list(&self, options: &ListOptions) -> Result<ObjectList<T>, Error> {
        self.list_in(&self.namespace, options, None).await
    }

    pub(super) async fn list_in(
        &self,
        namespace: &str,
        options: &ListOptions,
        tables: Option<&Mutex<Decoder>>,
    ) -> Result<ObjectList<T>, Error> {
        let mut request = Request::get(self.endpoint.collection(namespace)?);
        ListOptions { watch: false, ..options.clone() }.to_query(&mut request.query);
        let response = send(&self.client, &self.endpoint, request, Wanted::of::<T>()).await?;
        decode_list(response, &self.endpoint, tables).await
    }
}
