//! Between a client and its server: counts what is asked, cuts watches, holds requests back.
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use pintle::client::{Body, BoxError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::sync::watch;
use tower_service::Service;

type Answer = BoxFuture<'static, Result<Response<Body>, BoxError>>;
type Exchange = Box<dyn Fn(Request<Body>) -> Answer + Send + Sync>;

/// A request that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Media type of the request's body; empty without one.
    pub(crate) sent: String,
    pub(crate) code: u16,
    /// Media type of the answer.
    pub(crate) got: String,
}

impl Seen {
    pub(crate) fn is_watch(&self) -> bool {
        self.query.split('&').any(|part| part == "watch=true")
    }

    /// A parameter of the query, as it was sent.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        let mut parts = self.query.split('&').filter_map(|part| part.split_once('='));
        parts.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }
}

/// A service around another; clones are handles to one.
#[derive(Clone)]
pub(crate) struct Tap(Arc<Inner>);

struct Inner {
    exchange: Exchange,
    seen: Mutex<Vec<Seen>>,
    /// Bodies of watches end when it changes; `true`: as if the connection were lost.
    cuts: watch::Sender<bool>,
    /// Requests with this in their query wait.
    held: watch::Sender<Option<&'static str>>,
    waiting: watch::Sender<usize>,
    refuse_protobuf: AtomicBool,
}

impl Tap {
    pub(crate) fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let exchange: Exchange = Box::new(move |request| {
            let answer = service.clone().call(request);
            Box::pin(async move { answer.await.map(|r| r.map(Body::new)).map_err(Into::into) })
        });
        Tap(Arc::new(Inner {
            exchange,
            seen: Mutex::default(),
            cuts: watch::Sender::new(false),
            held: watch::Sender::new(None),
            waiting: watch::Sender::new(0),
            refuse_protobuf: AtomicBool::new(false),
        }))
    }

    /// What was asked since the last time this was called.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.0.seen.lock().unwrap())
    }

    /// How many watches were answered since then.
    pub(crate) fn watches(&self) -> usize {
        self.0.seen.lock().unwrap().iter().filter(|seen| seen.is_watch()).count()
    }

    /// Ends every open watch, as a server that restarts does.
    pub(crate) fn cut_watches(&self) {
        self.0.cuts.send_replace(false);
    }

    /// Ends every open watch as a connection that is lost does.
    pub(crate) fn break_watches(&self) {
        self.0.cuts.send_replace(true);
    }

    /// Lets requests with this in their query wait from now on; those that wait already stay.
    pub(crate) fn hold(&self, part: &'static str) {
        self.0.held.send_replace(Some(part));
    }

    /// Lets all go on.
    pub(crate) fn release(&self) {
        self.0.held.send_replace(None);
    }

    /// Waits until a request waits.
    pub(crate) async fn holds_one(&self) {
        let _ = self.0.waiting.subscribe().wait_for(|waiting| *waiting > 0).await;
    }

    /// Answers requests for protobuf as a server without it does.
    pub(crate) fn refuse_protobuf(&self) {
        self.0.refuse_protobuf.store(true, Ordering::Relaxed);
    }
}

/// Counts a request for as long as it waits.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|n| *n += 1);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.to_owned()
}

impl Service<Request<Body>> for Tap {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let tap = self.0.clone();
        Box::pin(async move {
            let mut held = tap.held.subscribe();
            let query = request.uri().query().unwrap_or_default();
            let holds = held.borrow().is_some_and(|part| query.contains(part));
            if holds {
                let _waiting = Waiting::new(&tap.waiting);
                let _ = held.wait_for(Option::is_none).await;
            }
            let mut seen = Seen {
                method: request.method().clone(),
                path: request.uri().path().to_owned(),
                query: request.uri().query().unwrap_or_default().to_owned(),
                sent: media_type(request.headers()),
                code: 0,
                got: String::new(),
            };
            if tap.refuse_protobuf.load(Ordering::Relaxed) {
                let asks = |name| {
                    let value = request.headers().get(name).and_then(|v| v.to_str().ok());
                    value.is_some_and(|v| v.contains("protobuf"))
                };
                if asks(CONTENT_TYPE) || asks(ACCEPT) {
                    let code = if asks(CONTENT_TYPE) { 415 } else { 406 };
                    return Ok(Response::builder().status(code).body(Body::empty())?);
                }
            }
            let mut cuts = tap.cuts.subscribe();
            let response = (tap.exchange)(request).await?;
            seen.code = response.status().as_u16();
            seen.got = media_type(response.headers());
            let is_watch = seen.is_watch();
            tap.seen.lock().unwrap().push(seen);
            if !is_watch {
                return Ok(response);
            }
            Ok(response.map(|body| {
                let lost = Arc::new(AtomicBool::new(false));
                let was_lost = lost.clone();
                let cut = async move {
                    let _ = cuts.changed().await;
                    lost.store(*cuts.borrow(), Ordering::Relaxed);
                };
                let end = futures_util::stream::once(async move {
                    let lost = was_lost.load(Ordering::Relaxed);
                    lost.then(|| Err(BoxError::from("the test broke the connection")))
                });
                let data = body
                    .into_data_stream()
                    .take_until(Box::pin(cut))
                    .chain(end.filter_map(|end| async move { end }));
                Body::new(StreamBody::new(data.map_ok(http_body::Frame::data)))
            }))
        })
    }
}
