//! create, update, patch, delete, and read-change-write (Go: `util/retry`).

use super::exchange::{Wanted, decode, decode_list, format_of, send, send_value};
use super::{Api, Call, Patch};
use crate::client::repeat_of_create;
use crate::request::Response;
use crate::retry::Repeat;
use crate::{Error, Request};
use pintle_apimachinery::{
    Codec, CreateOptions, Decoder, DeleteOptions, ListOptions, Object, ObjectList, PatchOptions,
    PatchType, Status, Str, UpdateOptions,
};
use std::time::Duration;

/// How often a conflict is answered by reading again (Go: `retry.DefaultRetry`).
const CONFLICT_TRIES: u32 = 5;
/// How long to wait before that, with up to a tenth more.
const CONFLICT_WAIT: Duration = Duration::from_millis(10);

/// What a delete came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Deletion<T> {
    /// The object as it was, or as it is if it has to wait for finalizers or a grace period; then
    /// it has a deletion timestamp.
    Object(Box<T>),
    /// The server said only that it was done.
    Done(Box<Status>),
}

impl<T: Object + Codec> Api<T> {
    fn manager(&self, named: &mut Str) {
        if named.is_empty() {
            *named = self.client.field_manager().into();
        }
    }

    /// Creates an object. With `metadata.generate_name` in place of a name, the server makes one
    /// up.
    pub fn create<'a>(&'a self, object: &'a T) -> Call<'a, CreateOptions, T> {
        Call::new(move |options| self.create_with(object, options))
    }

    pub(super) async fn create_with(
        &self,
        object: &T,
        mut options: CreateOptions,
    ) -> Result<T, Error> {
        self.manager(&mut options.field_manager);
        let path = self.endpoint.home(self.namespace_of(object))?;
        let mut request = Request::post(path).repeat(repeat_of_create(!object.name().is_empty()));
        options.to_query(&mut request.query);
        self.written(request, object).await
    }

    /// Replaces an object. With a resource version in its metadata, fails with a conflict when the
    /// stored object has another by now. Its status is left as it is where that is a subresource.
    pub fn update<'a>(&'a self, object: &'a T) -> Call<'a, UpdateOptions, T> {
        Call::new(move |options| self.put(object, "", options))
    }

    /// Replaces an object's status and leaves the rest as it is (Go: `UpdateStatus`). See also
    /// [`update_status`](Self::update_status).
    pub fn replace_status<'a>(&'a self, object: &'a T) -> Call<'a, UpdateOptions, T> {
        Call::new(move |options| self.put(object, "status", options))
    }

    pub(super) async fn put(
        &self,
        object: &T,
        subresource: &str,
        mut options: UpdateOptions,
    ) -> Result<T, Error> {
        self.manager(&mut options.field_manager);
        let namespace = self.namespace_of(object);
        let path = self.endpoint.object(namespace, object.name(), subresource)?;
        let mut request = Request::put(path);
        options.to_query(&mut request.query);
        self.written(request, object).await
    }

    async fn written(&self, request: Request, object: &T) -> Result<T, Error> {
        let wanted = Wanted::of::<T>();
        decode(send_value(&self.client, &self.endpoint, request, object, wanted).await?).await
    }

    /// Reads an object, lets `change` change it, and replaces it; starts over, a few times, when
    /// somebody else was faster.
    ///
    /// # Errors
    /// See [`Api`]; the conflict, when there is one every time.
    pub async fn modify(&self, name: &str, change: impl FnMut(&mut T) + Send) -> Result<T, Error> {
        self.modify_part(name, "", change).await
    }

    /// Reads an object, lets `change` change its status, and replaces that; starts over, a few
    /// times, when somebody else was faster. What `change` does to the rest has no effect.
    ///
    /// # Errors
    /// See [`Api`]; the conflict, when there is one every time.
    pub async fn update_status(
        &self,
        name: &str,
        change: impl FnMut(&mut T) + Send,
    ) -> Result<T, Error> {
        self.modify_part(name, "status", change).await
    }

    async fn modify_part(
        &self,
        name: &str,
        subresource: &str,
        mut change: impl FnMut(&mut T) + Send,
    ) -> Result<T, Error> {
        let mut tries = 0;
        loop {
            let mut object = self.get(name).await?;
            change(&mut object);
            tries += 1;
            match self.put(&object, subresource, UpdateOptions::default()).await {
                Err(e) if e.is_conflict() && tries < CONFLICT_TRIES => {
                    tokio::time::sleep(conflict_wait(random())).await;
                }
                other => return other,
            }
        }
    }

    /// Patches an object.
    pub fn patch<'a>(&'a self, name: &'a str, patch: &'a Patch) -> Call<'a, PatchOptions, T> {
        Call::new(move |options| self.patch_part(&self.namespace, name, "", patch, options))
    }

    /// Patches an object's status.
    pub fn patch_status<'a>(
        &'a self,
        name: &'a str,
        patch: &'a Patch,
    ) -> Call<'a, PatchOptions, T> {
        Call::new(move |options| self.patch_part(&self.namespace, name, "status", patch, options))
    }

    pub(super) async fn patch_part<R: Codec>(
        &self,
        namespace: &str,
        name: &str,
        subresource: &str,
        patch: &Patch,
        mut options: PatchOptions,
    ) -> Result<R, Error> {
        self.manager(&mut options.field_manager);
        let path = self.endpoint.object(namespace, name, subresource)?;
        let mut request = Request::patch(path).repeat(repeat_of_patch(patch.kind));
        options.to_query(&mut request.query);
        let request = request.body(patch.kind.content_type(), patch.bytes()?);
        decode(send(&self.client, &self.endpoint, request, Wanted::of::<R>()).await?).await
    }

    /// Deletes an object. It may be there for a while yet; see [`Deletion`].
    pub fn delete<'a>(&'a self, name: &'a str) -> Call<'a, DeleteOptions, Deletion<T>> {
        Call::new(move |options| self.delete_in(&self.namespace, name, options))
    }

    pub(super) async fn delete_in(
        &self,
        namespace: &str,
        name: &str,
        options: DeleteOptions,
    ) -> Result<Deletion<T>, Error> {
        let request = Request::delete(self.endpoint.object(namespace, name, "")?)
            .body("application/json", options.to_json());
        let response = send(&self.client, &self.endpoint, request, Wanted::of::<T>()).await?;
        let format = format_of(&response)?;
        let asked = response.asked.clone();
        let bytes = response.bytes().await?;
        if let Some(status) = Status::decode_if(&bytes, format) {
            return Ok(Deletion::Done(Box::new(status)));
        }
        let object = T::decode(&bytes, format, &mut Decoder::new()).map_err(|e| asked.blame(e))?;
        Ok(Deletion::Object(Box::new(object)))
    }

    /// Deletes the objects that match, one after the other, and returns them. When it fails, some
    /// may have been deleted.
    pub fn delete_collection<'a>(
        &'a self,
        matching: &'a ListOptions,
    ) -> Call<'a, DeleteOptions, ObjectList<T>> {
        Call::new(move |options: DeleteOptions| async move {
            // Collections of namespaced kinds are deleted in one namespace at a time.
            let mut request = Request::delete(self.endpoint.home(&self.namespace)?)
                .body("application/json", options.to_json());
            ListOptions { watch: false, ..matching.clone() }.to_query(&mut request.query);
            let response = send(&self.client, &self.endpoint, request, Wanted::of::<T>()).await?;
            decode_deleted(response, self).await
        })
    }
}

/// Old servers answer with a Status where new ones answer with the list.
async fn decode_deleted<T: Object + Codec>(
    response: Response,
    api: &Api<T>,
) -> Result<ObjectList<T>, Error> {
    match decode_list(response, &api.endpoint, None).await {
        Err(e) if e.is_decode() && e.to_string().contains("is a Status, not a list") => {
            Ok(ObjectList::default())
        }
        other => other,
    }
}

/// A JSON patch may append to a list; the others say how things shall be.
fn repeat_of_patch(kind: PatchType) -> Repeat {
    if kind == PatchType::Json { Repeat::Never } else { Repeat::Idempotent }
}

/// Does `work` again, a few times, while it fails with a conflict (Go: `retry.RetryOnConflict`).
/// `work` must read the object anew each time.
///
/// # Errors
/// What `work` failed with in the end.
pub async fn retry_on_conflict<R, F, Fut>(mut work: F) -> Result<R, Error>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<R, Error>>,
{
    let mut tries = 0;
    loop {
        tries += 1;
        match work().await {
            Err(e) if e.is_conflict() && tries < CONFLICT_TRIES => {
                tokio::time::sleep(conflict_wait(random())).await;
            }
            other => return other,
        }
    }
}

/// `random` spreads those who lost the same race.
fn conflict_wait(random: u64) -> Duration {
    CONFLICT_WAIT + Duration::from_micros(random % 1000)
}

/// A number that differs from call to call; not for secrets.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_and_repeats() {
        assert_eq!(conflict_wait(0), Duration::from_millis(10));
        assert!(conflict_wait(u64::MAX) < Duration::from_millis(11));
        assert_eq!(repeat_of_patch(PatchType::Json), Repeat::Never);
        assert_eq!(repeat_of_patch(PatchType::Apply), Repeat::Idempotent);
        assert_eq!(repeat_of_create(true), Repeat::Idempotent);
        assert_eq!(repeat_of_create(false), Repeat::Never);
    }
}
