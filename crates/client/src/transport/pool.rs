//! The connections to one server, and choosing one for each request (Go: `http.Transport`,
//! `http2.Transport`).

use super::body::{Body, Guarded};
use super::connect::{Connection, Connector, SharedConnector};
use super::{BoxError, Failure};
use crate::log::chain;
use futures_util::FutureExt;
use futures_util::future::Shared;
use http::{Request, Response, Uri, header};
use hyper::client::conn::{http1, http2};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The most requests and watches on one HTTP/2 connection. Servers allow 100 to 250; beyond that
/// they would wait for each other without end.
const STREAMS: usize = 100;
/// How long an unused HTTP/1.1 connection is kept.
const IDLE: Duration = Duration::from_secs(90);
/// How often certificate files are looked at while connections are open.
const REFRESH: Duration = Duration::from_secs(300);
/// How often a request that no connection has taken is given to another.
const TRIES: u32 = 4;

pub(crate) struct Pool {
    connector: SharedConnector,
    state: Arc<Mutex<State>>,
}

struct State {
    http2: Vec<Http2>,
    idle: Vec<(http1::SendRequest<Body>, Instant)>,
    /// The last handshake chose HTTP/1.1: connections are not shared, so neither is opening them.
    http1: bool,
    opening: Option<Opening>,
    refreshed: Instant,
}

struct Http2 {
    sender: http2::SendRequest<Body>,
    /// One more reference for each request or response under way.
    streams: Arc<()>,
}

/// One attempt to connect, awaited by everybody who needs a connection.
type Opening = Shared<oneshot::Receiver<Result<(), SharedError>>>;

/// A connection to send one request over.
enum Lease {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>, Arc<()>),
}

impl Pool {
    pub(crate) fn new(connector: Connector) -> Self {
        let http1 = !connector.may_be_http2();
        Pool {
            connector: Arc::new(connector),
            state: Arc::new(Mutex::new(State {
                http2: Vec::new(),
                idle: Vec::new(),
                http1,
                opening: None,
                refreshed: Instant::now(),
            })),
        }
    }

    async fn lease(&self) -> Result<Lease, Failure> {
        self.refresh();
        let mut stillborn = 0;
        loop {
            let opening = {
                let mut state = lock(&self.state);
                if let Some(lease) = state.take() {
                    return Ok(lease);
                }
                (!state.http1).then(|| self.opening(&mut state))
            };
            match opening {
                None => match self.connector.connect(false).await.map_err(Failure::Connect)? {
                    Connection::Http1(sender) => return Ok(Lease::Http1(sender)),
                    connection => lock(&self.state).put(connection),
                },
                Some(opening) => {
                    let opened = opening.await.unwrap_or_else(|_| {
                        Err(SharedError(Arc::new("the runtime is shutting down".into())))
                    });
                    opened.map_err(|e| Failure::Connect(Box::new(e)))?;
                    // A server that accepts connections only to close them must not keep us busy.
                    stillborn += u32::from(lock(&self.state).is_empty());
                    if stillborn > TRIES {
                        let why = "the server closes every connection as soon as it is open";
                        return Err(Failure::Connect(why.into()));
                    }
                }
            }
        }
    }

    /// The attempt to connect that is under way, or a new one. It runs in a task, so that it serves
    /// the others when the caller is dropped.
    fn opening(&self, state: &mut State) -> Opening {
        if let Some(opening) = &state.opening {
            return opening.clone();
        }
        let (done, wait) = oneshot::channel();
        let opening = wait.shared();
        state.opening = Some(opening.clone());
        let (connector, shared) = (self.connector.clone(), self.state.clone());
        let connecting = async move {
            let connected = connector.connect(false).await;
            let mut state = lock(&shared);
            state.opening = None;
            let result = connected
                .map(|connection| state.put(connection))
                .map_err(|e| SharedError(Arc::new(e)));
            drop(state);
            let _ = done.send(result);
        };
        tokio::spawn(connecting.boxed());
        opening
    }

    /// From time to time, certificate files are read again; when they changed, open connections
    /// get no new requests, and close when the last response on them ends.
    fn refresh(&self) {
        {
            let mut state = lock(&self.state);
            if state.refreshed.elapsed() < REFRESH {
                return;
            }
            state.refreshed = Instant::now();
        }
        if self.connector.refresh() {
            tracing::info!("certificates have changed: connections are opened anew");
            let mut state = lock(&self.state);
            state.http2.clear();
            state.idle.clear();
        }
    }
}

impl State {
    fn take(&mut self) -> Option<Lease> {
        self.http2.retain(|c| !c.sender.is_closed());
        if let Some(c) = self.http2.iter().find(|c| Arc::strong_count(&c.streams) <= STREAMS) {
            return Some(Lease::Http2(c.sender.clone(), c.streams.clone()));
        }
        while let Some((sender, since)) = self.idle.pop() {
            if sender.is_ready() && since.elapsed() < IDLE {
                return Some(Lease::Http1(sender));
            }
        }
        None
    }

    fn put(&mut self, connection: Connection) {
        match connection {
            Connection::Http1(sender) => {
                self.http1 = true;
                self.idle.push((sender, Instant::now()));
            }
            Connection::Http2(sender) => {
                self.http1 = false;
                self.http2.push(Http2 { sender, streams: Arc::new(()) });
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.idle.is_empty() && self.http2.iter().all(|c| c.sender.is_closed())
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a request over some connection. One that a dying connection never took is sent over
/// another; one that it may have taken is not.
pub(crate) async fn send(
    pool: Arc<Pool>,
    mut request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    if request.headers().contains_key(header::UPGRADE) {
        return upgrade(&pool, request).await;
    }
    let uri = request.uri().clone();
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match pool.lease().await? {
            Lease::Http2(mut sender, stream) => {
                *request.uri_mut() = uri.clone();
                request.headers_mut().remove(header::HOST);
                match sender.try_send_request(request).await {
                    Ok(response) => {
                        return Ok(response.map(|body| Body::new(Guarded { body, _guard: stream })));
                    }
                    Err(e) => e,
                }
            }
            Lease::Http1(mut sender) => {
                origin_form(&mut request, &uri);
                match sender.try_send_request(request).await {
                    Ok(response) => {
                        park(&pool, sender);
                        return Ok(response.map(Body::new));
                    }
                    Err(e) => e,
                }
            }
        };
        let mut error = error;
        match error.take_message() {
            Some(unsent) if tries < TRIES => request = unsent,
            _ => return Err(lost(error.into_error())),
        }
    }
}

/// With TLS 1.3, a server's refusal of the client's certificate arrives only after the handshake. It
/// is no loss that a second attempt could make good. The types in between do not say so; the text
/// does, and it is rustls' own.
fn lost(error: hyper::Error) -> Failure {
    if chain(&error).contains("received fatal alert") {
        Failure::Connect(error.into())
    } else {
        Failure::Lost(error.into())
    }
}

/// Takes an HTTP/1.1 connection back when its response has been read to the end.
fn park(pool: &Pool, mut sender: http1::SendRequest<Body>) {
    let state = Arc::downgrade(&pool.state);
    let parking = async move {
        if sender.ready().await.is_ok()
            && let Some(state) = state.upgrade()
        {
            lock(&state).idle.push((sender, Instant::now()));
        }
    };
    tokio::spawn(parking.boxed());
}

/// A request that turns its connection into something else has one of its own.
async fn upgrade(pool: &Pool, mut request: Request<Body>) -> Result<Response<Body>, Failure> {
    let uri = request.uri().clone();
    match pool.connector.connect(true).await.map_err(Failure::Connect)? {
        Connection::Http1(mut sender) => {
            origin_form(&mut request, &uri);
            let response = sender.send_request(request).await.map_err(lost)?;
            Ok(response.map(Body::new))
        }
        Connection::Http2(_) => {
            Err(Failure::Connect("the server insists on HTTP/2, which knows no upgrades".into()))
        }
    }
}

/// HTTP/1.1 has the path in its first line and the host in a header.
fn origin_form(request: &mut Request<Body>, uri: &Uri) {
    if let Some(authority) = uri.authority()
        && let Ok(host) = authority.as_str().parse()
    {
        request.headers_mut().insert(header::HOST, host);
    }
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = uri.path_and_query().cloned();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

/// Why connecting failed, for everybody who waited.
#[derive(Clone, Debug)]
struct SharedError(Arc<BoxError>);

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for SharedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
