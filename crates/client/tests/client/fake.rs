//! A server that records requests and answers from a closure.

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use pintle_client::{Body, BoxError, Client};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Still encoded.
    pub(crate) query: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn line(&self) -> String {
        let q = if self.query.is_empty() { "" } else { "?" };
        format!("{} {}{q}{}", self.method, self.path, self.query)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What to answer.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    chunks: Vec<Result<Bytes, BoxError>>,
    /// The body goes on without a further piece.
    hangs: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Reply {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            chunks: vec![Ok(body.into())],
            hangs: false,
        }
    }

    pub(crate) fn json(body: Value) -> Self {
        Self::new(200, "application/json", body.to_string())
    }

    /// A failure as the server words it.
    pub(crate) fn status(code: u16, reason: &str, message: &str) -> Self {
        let body = serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure",
            "code": code, "reason": reason, "message": message,
        });
        Self::new(code, "application/json", body.to_string())
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The body in pieces of `size` bytes.
    pub(crate) fn cut(mut self, size: usize) -> Self {
        let whole: Vec<u8> = self.chunks.drain(..).flat_map(|c| c.unwrap().to_vec()).collect();
        self.chunks = whole.chunks(size).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        self
    }

    /// The connection breaks after the body so far.
    pub(crate) fn broken(mut self) -> Self {
        self.chunks.push(Err("reset by peer".into()));
        self
    }

    pub(crate) fn hanging(mut self) -> Self {
        self.hangs = true;
        self
    }
}

type Answer = dyn FnMut(&Seen) -> Result<Reply, BoxError> + Send;

#[derive(Clone)]
pub(crate) struct Fake {
    answer: Arc<Mutex<Box<Answer>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    pub(crate) fn new(
        answer: impl FnMut(&Seen) -> Result<Reply, BoxError> + Send + 'static,
    ) -> Self {
        Fake { answer: Arc::new(Mutex::new(Box::new(answer))), seen: Arc::default() }
    }

    /// Answers everything alike.
    pub(crate) fn always(reply: impl Fn() -> Reply + Send + 'static) -> Self {
        Self::new(move |_| Ok(reply()))
    }

    /// Answers one after the other; the last one is for all that follow.
    pub(crate) fn script(replies: Vec<Reply>) -> Self {
        let mut replies = replies.into_iter();
        Self::new(move |seen| {
            Ok(replies.next().unwrap_or_else(|| panic!("no answer left for {}", seen.line())))
        })
    }

    pub(crate) fn client(&self) -> Client {
        Client::from_service(self.clone(), "default")
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("no request was sent")
    }
}

impl tower_service::Service<Request<Body>> for Fake {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let seen = Seen {
                method: parts.method.to_string(),
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: parts.headers,
                body: body.collect().await?.to_bytes(),
            };
            this.seen.lock().unwrap().push(seen.clone());
            let reply = (this.answer.lock().unwrap())(&seen)?;
            let frames = futures_util::stream::iter(reply.chunks).map(|c| c.map(Frame::data));
            use futures_util::StreamExt;
            let body = if reply.hangs {
                Body::new(StreamBody::new(frames.chain(futures_util::stream::pending())))
            } else {
                Body::new(StreamBody::new(frames))
            };
            let mut response = Response::builder().status(reply.status);
            for (name, value) in reply.headers {
                response = response.header(name, value);
            }
            Ok(response.body(body)?)
        })
    }
}
