//! One request, and the response to it (Go: `rest.Request`, `rest.Result`).

use crate::Error;
use crate::log;
use crate::retry::Repeat;
use crate::transport::Body;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use pintle_apimachinery::QueryPairs;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A request for [`Client::request`](crate::Client::request): what the typed methods are made of,
/// and the way to everything they do not cover.
///
/// ```no_run
/// use pintle_client::{Client, Request};
///
/// # async fn f(client: Client) -> Result<(), pintle_client::Error> {
/// let ready = client.request(Request::get("/readyz").query("verbose", "true")).await?;
/// println!("{}", ready.text().await?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: QueryPairs,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) repeat: Repeat,
    pub(crate) timeout: Timeout,
}

/// How long a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// As long as the client says.
    Client,
    /// This long.
    After(Duration),
    /// As long as the response goes on.
    Never,
}

impl Request {
    /// A request with this method and path; the path begins with `/` and is percent-encoded.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        let repeat = match method {
            Method::GET | Method::HEAD | Method::OPTIONS => Repeat::Reads,
            Method::PUT | Method::DELETE => Repeat::Idempotent,
            _ => Repeat::Never,
        };
        Request {
            method,
            path: path.into(),
            query: QueryPairs::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            repeat,
            timeout: Timeout::Client,
        }
    }

    /// A `GET`.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A `POST`.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// A `PUT`.
    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// A `PATCH`.
    pub fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    /// A `DELETE`.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Adds a query parameter; it is encoded here.
    #[must_use]
    pub fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push(key, value);
        self
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the media types to answer in.
    #[must_use]
    pub fn accept(mut self, media_types: &'static str) -> Self {
        self.headers.insert(ACCEPT, HeaderValue::from_static(media_types));
        self
    }

    /// Sets the body and its media type.
    #[must_use]
    pub fn body(mut self, media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.body = bytes.into();
        self
    }

    /// Says what sending it twice would mean; the default goes by the method, and is never to do so
    /// for `POST` and `PATCH`.
    #[must_use]
    pub fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// Limits the time from sending it to the end of the response, in place of the client's limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Timeout::After(timeout);
        self
    }

    /// Sets no limit of time: the response goes on until somebody ends it.
    #[must_use]
    pub fn endless(mut self) -> Self {
        self.timeout = Timeout::Never;
        self
    }
}

impl fmt::Debug for Request {
    /// Without headers and body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {})", self.method, self.path)
    }
}

/// What was asked, for messages.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// Without the query.
    pub(crate) url: String,
}

impl Asked {
    /// Says of an error that it is about the answer to this.
    pub(crate) fn blame(&self, error: Error) -> Error {
        error.with_request(self.method.as_str(), &self.url)
    }
}

/// A successful response, its body not read yet.
///
/// Dropping it ends the request: on HTTP/2 the server is told, on HTTP/1.1 the connection closes.
pub struct Response {
    pub(crate) asked: Arc<Asked>,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) deadline: Option<(Instant, Duration)>,
    /// An upgraded connection, where one was asked for.
    pub(crate) extensions: http::Extensions,
}

impl Response {
    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The media type of the body, without parameters; empty when the server did not say.
    #[must_use]
    pub fn media_type(&self) -> &str {
        media_type(&self.headers)
    }

    /// The next piece of the body as it arrives; `None` at the end.
    ///
    /// # Errors
    /// The connection broke, or the time is up.
    ///
    /// # Cancel safety
    /// Cancel safe: no piece is lost.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let next = self.body.chunk();
        let next = match self.deadline {
            Some((at, limit)) => match tokio::time::timeout_at(at, next).await {
                Ok(next) => next,
                Err(_) => return Err(crate::error::timeout(&self.asked, limit)),
            },
            None => next.await,
        };
        next.transpose().map_err(|e| crate::error::body(&self.asked, e))
    }

    /// The whole body.
    ///
    /// # Errors
    /// The connection broke before the end, or the time is up.
    pub async fn bytes(mut self) -> Result<Bytes, Error> {
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let whole = match self.chunk().await? {
            None => first,
            Some(second) => {
                let expected = usize::try_from(http_body::Body::size_hint(&self.body).lower())
                    .unwrap_or(0)
                    .min(16 << 20);
                let mut whole = BytesMut::with_capacity(first.len() + second.len() + expected);
                whole.extend_from_slice(&first);
                whole.extend_from_slice(&second);
                while let Some(more) = self.chunk().await? {
                    whole.extend_from_slice(&more);
                }
                whole.freeze()
            }
        };
        log::response_body(&self.asked.url, &whole);
        Ok(whole)
    }

    /// The whole body as text; what is not UTF-8 is replaced.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub async fn text(self) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(&self.bytes().await?).into_owned())
    }

    /// The whole body as JSON.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), or the body is not JSON.
    pub async fn json(self) -> Result<serde_json::Value, Error> {
        let asked = self.asked.clone();
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|e| crate::error::answer(&asked, &e))
    }

    /// The body as a stream of pieces, for logs that are followed.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
        futures_util::stream::unfold(Some(self), |response| async {
            let mut response = response?;
            match response.chunk().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(response))),
                Ok(None) => None,
                Err(e) => Some((Err(e), None)),
            }
        })
    }

    /// The response as the `http` crate has it; the way to an upgraded connection.
    #[must_use]
    pub fn into_http(self) -> http::Response<Body> {
        let mut response = http::Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        *response.extensions_mut() = self.extensions;
        response
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} to {} {})", self.status, self.asked.method, self.asked.url)
    }
}

pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim)
        .unwrap_or_default()
}
