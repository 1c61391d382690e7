//! watch: the events of a kind as a stream (Go: `watch.Interface`, `StreamWatcher`).

use super::Api;
use super::exchange::{Wanted, format_of, send};
use crate::request::Response;
use crate::{Error, Request};
use futures_core::Stream;
use pintle_apimachinery::{Codec, Decoder, Known, ListOptions, Object, WatchDecoder, WatchEvent};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

/// The events of one watch, in the server's order; see [`Api::watch`].
///
/// It ends when the server closes the watch, as it does after some minutes. An error for which
/// [`is_decode`](Error::is_decode) holds may be about one event only, which is then left out; any
/// other ends the stream.
///
/// Dropping it ends the watch.
#[derive(Debug)]
pub struct Watch<T> {
    response: Response,
    decoder: WatchDecoder<T>,
    tables: Arc<Mutex<Decoder>>,
    ended: bool,
}

impl<T: Object + Codec> Api<T> {
    /// Follows the changes of the objects that match, from `options.resource_version` on (a list
    /// gives one). Resolves when the server has accepted the watch. Nothing limits its time except
    /// `options.timeout_seconds` and the server.
    ///
    /// The server says in an event, [`WatchEvent::Error`], that the resource version is too old.
    /// Nothing is restarted here; informers do that.
    ///
    /// # Errors
    /// See [`Api`].
    ///
    /// # Example
    /// ```no_run
    /// # use pintle_apimachinery::{ListOptions, Object, Resource, WatchEvent};
    /// # async fn f<Pod: Resource>(client: pintle_client::Client) -> Result<(), pintle_client::Error> {
    /// let pods = client.all::<Pod>();
    /// let now = pods.list(&ListOptions::default().limit(1)).await?;
    /// let from = ListOptions::default().resource_version(now.resource_version());
    /// let mut watch = pods.watch(&from).await?;
    /// while let Some(event) = watch.next().await {
    ///     if let WatchEvent::Deleted(pod) = event? {
    ///         println!("{} is gone", pod.name());
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn watch(&self, options: &ListOptions) -> Result<Watch<T>, Error> {
        self.watch_with(options, Arc::new(Mutex::new(Decoder::new())), None).await
    }

    pub(super) async fn watch_with(
        &self,
        options: &ListOptions,
        tables: Arc<Mutex<Decoder>>,
        known: Option<Known<T>>,
    ) -> Result<Watch<T>, Error> {
        let mut request = Request::get(self.endpoint.collection(&self.namespace)?).endless();
        let mut options = options.clone();
        options.watch = true;
        options.to_query(&mut request.query);
        let response = send(&self.client, &self.endpoint, request, Wanted::of::<T>()).await?;
        let mut decoder = WatchDecoder::new(format_of(&response)?);
        if let Some(known) = known {
            decoder = decoder.knowing(known);
        }
        Ok(Watch { response, decoder, tables, ended: false })
    }
}

impl<T: Object + Codec> Watch<T> {
    /// The next event that is here already.
    fn next_here(&mut self) -> Result<Option<WatchEvent<T>>, Error> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        self.decoder.next(&mut tables).map_err(|e| {
            // The decoder has passed over a bad event; out of step with the stream, it has not.
            self.ended = self.decoder.is_broken();
            self.response.asked.blame(e)
        })
    }
}

impl<T: Object + Codec> Watch<T> {
    /// The next event; `None` when the watch has ended.
    ///
    /// # Errors
    /// See [`Watch`].
    ///
    /// # Cancel safety
    /// May be dropped and called again: no event is lost.
    pub async fn next(&mut self) -> Option<Result<WatchEvent<T>, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T: Object + Codec> Stream for Watch<T> {
    type Item = Result<WatchEvent<T>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        loop {
            if let Some(event) = self.next_here().transpose() {
                return Poll::Ready(Some(event));
            }
            let chunk = ready!(self.response.body.poll_chunk(cx));
            let end = match chunk {
                Some(Ok(chunk)) => {
                    self.decoder.feed(&chunk);
                    continue;
                }
                Some(Err(e)) => Some(Err(crate::error::body(&self.response.asked, e))),
                None if self.decoder.is_inside_event() => {
                    Some(Err(crate::error::cut(&self.response.asked, "a watch event")))
                }
                None => None,
            };
            self.ended = true;
            return Poll::Ready(end);
        }
    }
}

impl<T> Unpin for Watch<T> {}
