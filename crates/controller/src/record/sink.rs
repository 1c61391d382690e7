//! Where events are written to. Go counterpart: `record.EventSink`.

use futures_core::future::BoxFuture;
use pintle_api::core_v1::Event;
use pintle_apimachinery::{CreateOptions, Error, ObjectKey, PatchOptions, PatchType};
use pintle_client_traits::ObjectClient;

/// Writes events. Every typed client of events is one.
///
/// # Errors
/// Both methods fail with what the server answered, or why it could not be reached.
pub trait EventSink: Send + Sync {
    /// Creates the event in the namespace of its metadata; the answer is the event as stored.
    fn create<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<Event, Error>>;

    /// Applies a strategic merge patch to the event of the same name; the answer is the event as
    /// stored.
    fn patch<'a>(&'a self, event: &'a Event, patch: Vec<u8>)
    -> BoxFuture<'a, Result<Event, Error>>;
}

impl<C: ObjectClient<Event>> EventSink for C {
    fn create<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<Event, Error>> {
        ObjectClient::create(self, event, CreateOptions::default())
    }

    fn patch<'a>(
        &'a self,
        event: &'a Event,
        patch: Vec<u8>,
    ) -> BoxFuture<'a, Result<Event, Error>> {
        Box::pin(async move {
            let m = &event.metadata;
            let key = ObjectKey::new(m.namespace.clone(), m.name.clone());
            let kind = PatchType::Strategic;
            ObjectClient::patch(self, &key, "", kind, patch, PatchOptions::default()).await
        })
    }
}
