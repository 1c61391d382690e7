//! Carrying requests to a server: over sockets ([`Transport`]) or to any `tower` service.

mod body;
mod connect;
mod pool;
mod tls;

pub use body::{Body, BoxError};

use crate::config::Config;
use futures_core::future::BoxFuture;
use http::{Request, Response};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tower_service::Service;

/// Why a request got no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection could be made: the server has seen nothing.
    Connect(BoxError),
    /// The connection was lost: whether the server has acted is not known.
    Lost(BoxError),
    /// Something else, of a service that is not ours.
    Other(BoxError),
}

/// What a client sends requests through.
pub(crate) trait Exchange: Send + Sync {
    fn exchange(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'static, Result<Response<Body>, Failure>>;
}

/// Connections to one server, as a `tower` service.
///
/// HTTP/2 where the server offers it, HTTP/1.1 otherwise and for requests that ask for an upgrade.
/// Connections are opened when needed, shared by clones, and checked with pings; a connection that
/// carries 100 requests or watches is joined by another. Certificate files are read again when
/// connections open, and every five minutes: when they have changed, new requests go over new
/// connections.
///
/// Needed only to put layers between a client and its server; see
/// [`Client::with_service`](crate::Client::with_service). It must be used within a tokio runtime.
#[derive(Clone)]
pub struct Transport(Arc<pool::Pool>);

impl Transport {
    /// Prepares connections; opens none.
    ///
    /// # Errors
    /// The certificates or the proxy of the configuration cannot be used; the message says which.
    pub fn new(config: &Config) -> Result<Self, crate::Error> {
        let connector = connect::Connector::new(config).map_err(crate::error::config)?;
        Ok(Transport(Arc::new(pool::Pool::new(connector))))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl Exchange for Transport {
    fn exchange(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'static, Result<Response<Body>, Failure>> {
        Box::pin(pool::send(self.0.clone(), request))
    }
}

impl Service<Request<Body>> for Transport {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = self.exchange(request);
        Box::pin(async { answer.await.map_err(|failure| Box::new(failure) as BoxError) })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Connect(_) => f.write_str("no connection"),
            Failure::Lost(_) => f.write_str("the connection was lost"),
            Failure::Other(_) => f.write_str("the request failed"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let (Failure::Connect(e) | Failure::Lost(e) | Failure::Other(e)) = self;
        Some(&**e)
    }
}

/// Any `tower` service as an exchange.
pub(crate) struct Plugged<S>(Mutex<S>);

impl<S> Plugged<S> {
    pub(crate) fn new(service: S) -> Self {
        Plugged(Mutex::new(service))
    }
}

impl<S, B> Exchange for Plugged<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn exchange(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'static, Result<Response<Body>, Failure>> {
        let mut service = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            let failed = |error: S::Error| match error.into().downcast::<Failure>() {
                Ok(failure) => *failure,
                Err(other) => Failure::Other(other),
            };
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(failed)?;
            let response = service.call(request).await.map_err(failed)?;
            Ok(response.map(Body::new))
        })
    }
}

#[cfg(test)]
mod tests;
