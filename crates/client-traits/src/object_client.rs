//! Reading and writing objects of one kind by key, for code that must not know of HTTP (Go: the
//! typed clients' interfaces, `controller-runtime/pkg/client.Client`).

use futures_core::future::BoxFuture;
use pintle_apimachinery::{
    CreateOptions, DeleteOptions, Error, GetOptions, ListOptions, ObjectKey, ObjectList,
    PatchOptions, PatchType, UpdateOptions,
};
use std::sync::Arc;

/// The object verbs of one kind, in any namespace.
///
/// Keys of cluster-scoped objects have no namespace. Objects are written to the namespace in their
/// metadata. Every future may be dropped to give the request up; whether a write had been done by
/// then is not known.
///
/// # Errors
/// Every method fails with what the server answered, or why it could not be reached.
pub trait ObjectClient<T>: Send + Sync {
    /// Reads one object.
    fn get<'a>(
        &'a self,
        key: &'a ObjectKey,
        options: GetOptions,
    ) -> BoxFuture<'a, Result<T, Error>>;

    /// Lists the objects of a namespace; of all when it is empty.
    fn list<'a>(
        &'a self,
        namespace: &'a str,
        options: ListOptions,
    ) -> BoxFuture<'a, Result<ObjectList<T>, Error>>;

    /// Creates an object and returns it as stored.
    fn create<'a>(
        &'a self,
        object: &'a T,
        options: CreateOptions,
    ) -> BoxFuture<'a, Result<T, Error>>;

    /// Replaces an object and returns it as stored. Fails with a conflict when the object has
    /// another resource version by now.
    fn update<'a>(
        &'a self,
        object: &'a T,
        options: UpdateOptions,
    ) -> BoxFuture<'a, Result<T, Error>>;

    /// Replaces an object's status and returns the object as stored (Go: `UpdateStatus`).
    fn replace_status<'a>(
        &'a self,
        object: &'a T,
        options: UpdateOptions,
    ) -> BoxFuture<'a, Result<T, Error>>;

    /// Patches an object, or a subresource of it that answers with the object (`status`; empty for
    /// the object itself).
    fn patch<'a>(
        &'a self,
        key: &'a ObjectKey,
        subresource: &'a str,
        kind: PatchType,
        body: Vec<u8>,
        options: PatchOptions,
    ) -> BoxFuture<'a, Result<T, Error>>;

    /// Deletes an object. It may still be there afterwards, with a deletion timestamp.
    fn delete<'a>(
        &'a self,
        key: &'a ObjectKey,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<(), Error>>;
}

impl<T: 'static, C: ObjectClient<T> + ?Sized> ObjectClient<T> for Arc<C> {
    fn get<'a>(
        &'a self,
        key: &'a ObjectKey,
        options: GetOptions,
    ) -> BoxFuture<'a, Result<T, Error>> {
        (**self).get(key, options)
    }

    fn list<'a>(
        &'a self,
        namespace: &'a str,
        options: ListOptions,
    ) -> BoxFuture<'a, Result<ObjectList<T>, Error>> {
        (**self).list(namespace, options)
    }

    fn create<'a>(
        &'a self,
        object: &'a T,
        options: CreateOptions,
    ) -> BoxFuture<'a, Result<T, Error>> {
        (**self).create(object, options)
    }

    fn update<'a>(
        &'a self,
        object: &'a T,
        options: UpdateOptions,
    ) -> BoxFuture<'a, Result<T, Error>> {
        (**self).update(object, options)
    }

    fn replace_status<'a>(
        &'a self,
        object: &'a T,
        options: UpdateOptions,
    ) -> BoxFuture<'a, Result<T, Error>> {
        (**self).replace_status(object, options)
    }

    fn patch<'a>(
        &'a self,
        key: &'a ObjectKey,
        subresource: &'a str,
        kind: PatchType,
        body: Vec<u8>,
        options: PatchOptions,
    ) -> BoxFuture<'a, Result<T, Error>> {
        (**self).patch(key, subresource, kind, body, options)
    }

    fn delete<'a>(
        &'a self,
        key: &'a ObjectKey,
        options: DeleteOptions,
    ) -> BoxFuture<'a, Result<(), Error>> {
        (**self).delete(key, options)
    }
}
