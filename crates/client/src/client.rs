//! The client: sends requests with credentials, retries, warnings and errors handled (Go:
//! `rest.RESTClient`).

use crate::Error;
use crate::auth::Authenticator;
use crate::config::{Config, LoadOptions};
use crate::log;
use crate::request::{Asked, Request, Response, Timeout};
use crate::retry::{Outcome, Repeat, wait_before_next};
use crate::transport::{Body, BoxError, Exchange, Failure, Plugged, Transport};
use crate::warning::{self, LogOnce, WarningHandler};
use futures_util::FutureExt;
use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{StatusCode, Uri};
use pintle_apimachinery::Str;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tower_service::Service;

/// The most of an error's body that is read.
const ERROR_BODY: usize = 1 << 20;
/// How long the body of an error may take.
const ERROR_PATIENCE: Duration = Duration::from_secs(30);
/// What is sent to a server that is not on the network; never resolved.
const IN_PROCESS: &str = "http://in-process";

/// A connection to a cluster; the start of everything.
///
/// Clones share connections and are cheap. Requests need a tokio runtime.
///
/// # Example: against a service in process
/// ```
/// use pintle_client::{Body, Client, Request};
///
/// #[derive(Clone)]
/// struct Hello;
/// impl tower_service::Service<http::Request<Body>> for Hello {
///     type Response = http::Response<Body>;
///     type Error = std::convert::Infallible;
///     type Future = std::future::Ready<Result<Self::Response, Self::Error>>;
///     fn poll_ready(
///         &mut self,
///         _: &mut std::task::Context<'_>,
///     ) -> std::task::Poll<Result<(), Self::Error>> {
///         std::task::Poll::Ready(Ok(()))
///     }
///     fn call(&mut self, request: http::Request<Body>) -> Self::Future {
///         let text = format!("hello {}", request.uri().path());
///         std::future::ready(Ok(http::Response::new(Body::from(text))))
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let client = Client::from_service(Hello, "default");
/// assert_eq!(client.request(Request::get("/x")).await?.text().await?, "hello /x");
/// # Ok::<(), pintle_client::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    exchange: Arc<dyn Exchange>,
    facts: Facts,
}

#[derive(Clone)]
struct Facts {
    /// What comes before every path: `https://host:port/base`, or nothing for a service in
    /// process.
    base: String,
    in_process: bool,
    default_namespace: Str,
    user_agent: HeaderValue,
    field_manager: Str,
    timeout: Option<Duration>,
    auth: Arc<Authenticator>,
    warnings: Arc<dyn WarningHandler>,
    /// The group versions that have refused protobuf.
    json_only: Arc<Mutex<BTreeSet<String>>>,
}

impl Client {
    /// A client for a configuration. Connections are opened when needed.
    ///
    /// # Errors
    /// The certificates, credentials or proxy of the configuration cannot be used; the message says
    /// which.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let facts = Facts::new(config).map_err(crate::error::config)?;
        Ok(Client(Arc::new(Inner { exchange: Arc::new(Transport::new(config)?), facts })))
    }

    /// A client for the configuration that kubectl would use: `$KUBECONFIG`, `~/.kube/config`, or
    /// that of the pod; see [`Config::from_environment`].
    ///
    /// # Errors
    /// As [`Config::from_environment`] and [`Client::new`].
    pub async fn from_environment() -> Result<Self, Error> {
        Self::load(&LoadOptions::default()).await
    }

    /// As [`from_environment`](Self::from_environment) with choices of the caller's.
    ///
    /// # Errors
    /// As [`Config::load`] and [`Client::new`].
    pub async fn load(options: &LoadOptions) -> Result<Self, Error> {
        // Asynchronous so that finding a configuration may come to wait for something.
        Self::new(&Config::load(options)?)
    }

    /// A client whose server is a `tower` service: an API server in this process, or a test's.
    pub fn from_service<S, B>(service: S, default_namespace: &str) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let facts = Facts::in_process(default_namespace);
        Client(Arc::new(Inner { exchange: Arc::new(Plugged::new(service)), facts }))
    }

    /// A client for a configuration whose requests go through `service`, which was made of
    /// [`Transport::new`] and whatever layers are wanted around it. URLs, credentials, retries and
    /// warnings are handled outside of it.
    ///
    /// # Errors
    /// The credentials of the configuration cannot be used.
    pub fn with_service<S, B>(config: &Config, service: S) -> Result<Self, Error>
    where
        S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let facts = Facts::new(config).map_err(crate::error::config)?;
        Ok(Client(Arc::new(Inner { exchange: Arc::new(Plugged::new(service)), facts })))
    }

    fn with_facts(self, change: impl FnOnce(&mut Facts)) -> Self {
        let mut facts = self.0.facts.clone();
        change(&mut facts);
        Client(Arc::new(Inner { exchange: self.0.exchange.clone(), facts }))
    }

    /// This client with another handler of the server's warnings; the default logs each text once.
    #[must_use]
    pub fn with_warnings(self, handler: impl WarningHandler) -> Self {
        self.with_facts(|facts| facts.warnings = Arc::new(handler))
    }

    /// This client with another limit on the time a request other than a watch may take.
    #[must_use]
    pub fn with_timeout(self, timeout: Option<Duration>) -> Self {
        self.with_facts(|facts| facts.timeout = timeout)
    }

    /// This client with another name for the fields it writes.
    #[must_use]
    pub fn with_field_manager(self, manager: impl Into<Str>) -> Self {
        self.with_facts(|facts| facts.field_manager = manager.into())
    }

    /// The namespace of the context or pod, for programs that work in one.
    #[must_use]
    pub fn default_namespace(&self) -> &str {
        &self.0.facts.default_namespace
    }

    /// The field manager of writes that name none.
    #[must_use]
    pub fn field_manager(&self) -> &str {
        &self.0.facts.field_manager
    }

    /// Sends a request. The response is a success; everything else is an error.
    ///
    /// Requests turned away by a busy server, and reads on a connection that was lost, are sent
    /// again, at most ten times; see [`Repeat`](crate::Repeat). Redirects are not followed.
    ///
    /// # Errors
    /// The server's answer where it is not a success, with its Status; or why there was none.
    ///
    /// # Cancel safety
    /// Dropping the future ends the request; whether a write had been done by then is not known.
    pub async fn request(&self, request: Request) -> Result<Response, Error> {
        let facts = &self.0.facts;
        let limit = match request.timeout {
            Timeout::Client => facts.timeout,
            Timeout::After(limit) => Some(limit),
            Timeout::Never => None,
        };
        let Some(limit) = limit else { return self.attempts(&request, None).boxed().await };
        let deadline = (tokio::time::Instant::now() + limit, limit);
        let attempts = self.attempts(&request, Some(deadline)).boxed();
        match tokio::time::timeout_at(deadline.0, attempts).await {
            Ok(result) => result,
            Err(_) => {
                let url = format!("{}{}", facts.base, request.path);
                Err(crate::error::timeout(&Asked { method: request.method, url }, limit))
            }
        }
    }

    async fn attempts(
        &self,
        request: &Request,
        deadline: Option<(tokio::time::Instant, Duration)>,
    ) -> Result<Response, Error> {
        let facts = &self.0.facts;
        let asked = Arc::new(Asked {
            method: request.method.clone(),
            url: format!("{}{}", facts.base, request.path),
        });
        let (uri, shown) = facts.uri(request, deadline.map(|(_, limit)| limit))?;
        let mut sent = 0;
        let mut refused_credentials = false;
        loop {
            sent += 1;
            let headers = facts.headers(request).await?;
            let started = Instant::now();
            log::request(&asked.method, &shown, &headers, &request.body);
            let mut message = http::Request::new(Body::from(request.body.clone()));
            *message.method_mut() = request.method.clone();
            *message.uri_mut() = uri.clone();
            *message.headers_mut() = headers;
            let outcome = match self.0.exchange.exchange(message).await {
                Ok(response) => {
                    let (parts, body) = response.into_parts();
                    let (status, headers) = (parts.status, parts.headers);
                    log::response(&asked.method, &shown, status, &headers, started.elapsed());
                    if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
                        warning::handle(&headers, &*facts.warnings);
                        let extensions = parts.extensions;
                        return Ok(Response { asked, status, headers, body, deadline, extensions });
                    }
                    if status == StatusCode::UNAUTHORIZED
                        && !std::mem::replace(&mut refused_credentials, true)
                        && facts.auth.unauthorized(started)
                    {
                        continue;
                    }
                    Answered::Badly(status, headers, body)
                }
                Err(failure) => {
                    log::failure(&asked.method, &shown, &failure, started.elapsed());
                    Answered::Not(failure)
                }
            };
            match wait_before_next(request.repeat, sent, outcome.as_outcome()) {
                Some(wait) => {
                    tracing::debug!("{} {shown} again in {wait:?}", asked.method);
                    drop(outcome);
                    tokio::time::sleep(wait).await;
                }
                None => return Err(outcome.into_error(&asked).await),
            }
        }
    }

    /// Whether requests of this group version go out as JSON, because it has refused protobuf.
    pub(crate) fn is_json_only(&self, group_version: &str) -> bool {
        let refused = self.0.facts.json_only.lock().unwrap_or_else(PoisonError::into_inner);
        refused.contains(group_version)
    }

    /// Remembers that a group version refuses protobuf.
    pub(crate) fn set_json_only(&self, group_version: &str) {
        tracing::debug!("{group_version} refuses protobuf, using JSON from now on");
        let mut refused = self.0.facts.json_only.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert(group_version.to_owned());
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("server", &self.0.facts.base)
            .field("default_namespace", &self.0.facts.default_namespace)
            .finish_non_exhaustive()
    }
}

impl Facts {
    fn new(config: &Config) -> Result<Self, String> {
        let user_agent = HeaderValue::from_str(&config.user_agent_header())
            .map_err(|_| format!("user agent {:?} cannot be a header", config.user_agent))?;
        let base = config.server.to_string().trim_end_matches('/').to_owned();
        Ok(Facts {
            base,
            default_namespace: (&*config.default_namespace).into(),
            user_agent,
            field_manager: (&*config.field_manager_name()).into(),
            timeout: config.timeout,
            auth: Arc::new(Authenticator::new(config)?),
            ..Self::in_process("")
        }
        .over_network())
    }

    fn over_network(mut self) -> Self {
        self.in_process = false;
        self
    }

    fn in_process(default_namespace: &str) -> Self {
        Facts {
            base: String::new(),
            in_process: true,
            default_namespace: default_namespace.into(),
            user_agent: HeaderValue::from_static(concat!("pintle/", env!("CARGO_PKG_VERSION"))),
            field_manager: "pintle".into(),
            timeout: None,
            auth: Arc::new(Authenticator::none()),
            warnings: Arc::new(LogOnce::default()),
            json_only: Arc::default(),
        }
    }

    /// The URI to send, and the URL to log.
    fn uri(&self, request: &Request, limit: Option<Duration>) -> Result<(Uri, String), Error> {
        let mut query = request.query.clone();
        if let Some(limit) = limit
            && query.get("timeout").is_none()
        {
            query.push("timeout", go_duration(limit));
        }
        let mut tail = request.path.clone();
        if !query.is_empty() {
            tail.push(if tail.contains('?') { '&' } else { '?' });
            tail.push_str(&query.encode());
        }
        let sent = if self.in_process {
            format!("{IN_PROCESS}{tail}")
        } else {
            format!("{}{tail}", self.base)
        };
        if !request.path.starts_with('/') {
            return Err(crate::error::invalid(format!(
                "path {:?} must begin with a slash",
                request.path
            )));
        }
        let uri = sent.parse().map_err(|e| {
            crate::error::invalid(format!("path {:?} cannot be part of a URL: {e}", request.path))
        })?;
        Ok((uri, format!("{}{tail}", self.base)))
    }

    async fn headers(&self, request: &Request) -> Result<HeaderMap, Error> {
        let mut headers = request.headers.clone();
        let mut default = |name: HeaderName, value: HeaderValue| {
            headers.entry(name).or_insert(value);
        };
        default(USER_AGENT, self.user_agent.clone());
        default(ACCEPT, HeaderValue::from_static("application/json, */*"));
        self.auth.apply(&mut headers, Instant::now()).await.map_err(crate::error::config)?;
        Ok(headers)
    }
}

/// A duration as Go's parser reads it.
fn go_duration(d: Duration) -> String {
    if d.subsec_nanos() == 0 {
        format!("{}s", d.as_secs())
    } else {
        format!("{}ms", d.as_millis().max(1))
    }
}

/// Anything but a success.
enum Answered {
    Badly(StatusCode, HeaderMap, Body),
    Not(Failure),
}

impl Answered {
    fn as_outcome(&self) -> Outcome {
        match self {
            Answered::Badly(status, headers, _) => Outcome::Answer {
                status: status.as_u16(),
                retry_after: headers
                    .get(RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()?.trim().parse().ok()),
            },
            Answered::Not(Failure::Lost(_)) => Outcome::Lost,
            Answered::Not(_) => Outcome::NotConnected,
        }
    }

    async fn into_error(self, asked: &Asked) -> Error {
        match self {
            Answered::Badly(status, headers, mut body) => {
                let mut bytes = Vec::new();
                let reading = async {
                    while let Some(Ok(chunk)) = body.chunk().await {
                        let room = ERROR_BODY - bytes.len();
                        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
                        if chunk.len() >= room {
                            break;
                        }
                    }
                };
                // What has been read by then has to do.
                let _ = tokio::time::timeout(ERROR_PATIENCE, reading).await;
                log::response_body(&asked.url, &bytes);
                crate::error::status(asked, status, &headers, &bytes)
            }
            Answered::Not(failure) => crate::error::failure(asked, failure),
        }
    }
}

/// What sending a request of this kind twice would mean, for requests that are not plain.
pub(crate) fn repeat_of_create(has_name: bool) -> Repeat {
    // A second create of a name is refused; one of a generated name makes a second object.
    if has_name { Repeat::Idempotent } else { Repeat::Never }
}
