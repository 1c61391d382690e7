//! A handler's task and the handle to it. Go: `cache.processorListener`,
//! `cache.ResourceEventHandlerRegistration`.

use crate::handler::Handler;
use crate::hub::{Event, Hub, Inbox, Message, Sync};
use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use pintle_apimachinery::{Codec, Error, Object};
use pintle_client_traits::Subscription;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

/// A handler that was added to a [`SharedInformer`](crate::SharedInformer). Dropping it removes the
/// handler: no call begins any more; one that runs goes on to its end.
#[must_use = "dropping it removes the handler; keep it, or call `detach`"]
pub struct Registration {
    remove: Option<Box<dyn FnOnce() + Send + std::marker::Sync>>,
    synced: watch::Receiver<Sync>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("is_synced", &self.is_synced()).finish()
    }
}

impl Registration {
    /// Whether the handler's calls for everything in the initial list have returned. Go:
    /// `HasSynced`.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow() == Sync::Done
    }

    /// Waits until [`is_synced`](Self::is_synced).
    ///
    /// # Errors
    /// The handler or the informer was stopped before.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub fn synced(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        synced(self.synced.clone(), "the handler was removed before it had synced")
    }

    /// Leaves the handler in place for as long as the informer runs.
    pub fn detach(mut self) {
        self.remove = None;
    }

    /// Removes the handler and waits until a call that runs has returned.
    ///
    /// # Cancel safety
    /// The handler is removed even if the future is dropped; only the waiting ends.
    pub fn remove(mut self) -> impl Future<Output = ()> + Send {
        if let Some(remove) = self.remove.take() {
            remove();
        }
        let mut synced = self.synced.clone();
        async move { while synced.changed().await.is_ok() {} }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(remove) = self.remove.take() {
            remove();
        }
    }
}

impl Subscription for Registration {
    fn is_synced(&self) -> bool {
        self.is_synced()
    }

    fn synced(&self) -> BoxFuture<'static, ()> {
        let synced = self.synced();
        Box::pin(async {
            if synced.await.is_err() {
                std::future::pending().await
            }
        })
    }
}

/// Waits for [`Sync::Done`].
pub(crate) async fn synced(
    mut receiver: watch::Receiver<Sync>,
    otherwise: &'static str,
) -> Result<(), Error> {
    match receiver.wait_for(|sync| *sync != Sync::Pending).await {
        Ok(sync) if *sync == Sync::Done => Ok(()),
        _ => Err(Error::other(otherwise)),
    }
}

/// Resyncs come no faster.
const MIN_RESYNC: Duration = Duration::from_secs(1);

/// Starts a handler's task. `alive` lives as long as the task.
pub(crate) fn spawn<T: Object + Codec, H: Handler<T>>(
    hub: &Arc<Hub<T>>,
    handler: H,
    alive: watch::Receiver<bool>,
) -> Result<Registration, Error> {
    let inbox = hub.add()?;
    let id = inbox.id;
    let (done, synced) = watch::channel(Sync::Pending);
    let weak = Arc::downgrade(hub);
    let resync = weak.clone();
    let handling = async move {
        let resync = move |id| {
            if let Some(hub) = resync.upgrade() {
                hub.resync(id);
            }
        };
        handle(handler, inbox, resync, &done).await;
        drop((done, alive));
    };
    tokio::spawn(handling.boxed());
    let remove = move || {
        if let Some(hub) = weak.upgrade() {
            hub.remove(id);
        }
    };
    Ok(Registration { remove: Some(Box::new(remove)), synced })
}

async fn handle<T: Object + Codec, H: Handler<T>>(
    mut handler: H,
    mut inbox: Inbox<T>,
    resync: impl Fn(u64),
    done: &watch::Sender<Sync>,
) {
    let period = handler.resync_period().map(|period| period.max(MIN_RESYNC));
    let mut timer = period.map(|period| Box::pin(sleep_until(Instant::now() + period)));
    while let Some(message) = next(&mut inbox, &mut timer, period, &resync).await {
        let events = match message {
            Message::Events(events) => events,
            Message::Synced => {
                done.send_replace(Sync::Done);
                continue;
            }
        };
        for event in events.iter() {
            if inbox.cancelled.load(Ordering::Acquire) {
                return;
            }
            let call = async {
                match event {
                    Event::Add(object, initial) => handler.on_add(object.clone(), *initial).await,
                    Event::Update(old, new) => handler.on_update(old.clone(), new.clone()).await,
                    Event::Delete(tombstone) => handler.on_delete(tombstone.clone()).await,
                }
            };
            if AssertUnwindSafe(call).catch_unwind().await.is_err() {
                let key = match event {
                    Event::Add(object, _) | Event::Update(_, object) => object.key(),
                    Event::Delete(tombstone) => tombstone.key(),
                };
                tracing::error!(%key, "an informer's event handler panicked; its event is lost");
            }
        }
    }
}

/// The next message; asks for a resync when one is due meanwhile.
async fn next<T>(
    inbox: &mut Inbox<T>,
    timer: &mut Option<std::pin::Pin<Box<Sleep>>>,
    period: Option<Duration>,
    resync: &impl Fn(u64),
) -> Option<Message<T>> {
    std::future::poll_fn(|cx| {
        loop {
            if inbox.cancelled.load(Ordering::Acquire) {
                return Poll::Ready(None);
            }
            if let Poll::Ready(message) = inbox.messages.poll_recv(cx) {
                return Poll::Ready(message);
            }
            let (Some(sleep), Some(period)) = (timer.as_mut(), period) else {
                return Poll::Pending;
            };
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            sleep.as_mut().reset(Instant::now() + period);
            resync(inbox.id);
        }
    })
    .await
}
