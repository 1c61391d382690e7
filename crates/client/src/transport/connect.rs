//! Opening one connection: resolve, connect, through a proxy if need be, TLS, HTTP handshake.

use super::BoxError;
use super::body::Body;
use super::tls::{TlsSource, server_name};
use crate::config::Config;
use crate::proxy::ProxyServer;
use base64::Engine;
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::Uri;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How much may be under way before the reader has taken it, per stream and per connection. Room
/// for a large list at 100 ms round trips; nothing is allocated ahead.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// What is read from a socket at a time, where the connection uses TLS.
const READ_AHEAD: usize = 64 << 10;
/// A silent HTTP/2 connection is asked for a sign of life after this long, and given up after that
/// much longer (Go: `ReadIdleTimeout`, `PingTimeout`).
const PING_AFTER: Duration = Duration::from_secs(30);
const PING_PATIENCE: Duration = Duration::from_secs(15);
/// How long one address is tried alone before the next one is tried too (RFC 8305).
const NEXT_ADDRESS: Duration = Duration::from_millis(300);
/// The most a proxy may say in answer to CONNECT.
const PROXY_ANSWER: usize = 8 << 10;

/// Opens connections to one server.
pub(crate) struct Connector {
    server: Uri,
    tls: Option<(TlsSource, ServerName<'static>)>,
    proxy: Option<(ProxyServer, Option<(TlsSource, ServerName<'static>)>)>,
    timeout: Duration,
}

/// What can be sent over a new connection.
pub(crate) enum Connection {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Connector {
    pub(crate) fn new(config: &Config) -> Result<Self, String> {
        let server = config.server.clone();
        let tls = if config.uses_tls() {
            let name = match &config.tls.server_name {
                Some(name) => server_name(name).map_err(|c| format!("tls-server-name {c}"))?,
                None => server_name(server.host().unwrap_or_default())
                    .map_err(|c| format!("server {server}: {c}"))?,
            };
            Some((TlsSource::new(&config.tls, config.http2)?, name))
        } else {
            None
        };
        let proxy = match config.proxy.for_server(&server)? {
            None => None,
            Some(proxy) => {
                let tls = if proxy.uri.scheme_str() == Some("https") {
                    let name = server_name(proxy.uri.host().unwrap_or_default())
                        .map_err(|c| format!("proxy {}: {c}", proxy.uri))?;
                    Some((TlsSource::new(&Default::default(), false)?, name))
                } else {
                    None
                };
                Some((proxy, tls))
            }
        };
        Ok(Connector { server, tls, proxy, timeout: config.connect_timeout })
    }

    /// Reads certificate files again. Whether they had changed.
    pub(crate) fn refresh(&self) -> bool {
        self.tls.as_ref().is_some_and(|(tls, _)| tls.refresh())
    }

    /// Whether connections may turn out to be HTTP/2.
    pub(crate) fn may_be_http2(&self) -> bool {
        self.tls.is_some()
    }

    /// Opens a connection; only for HTTP/1.1 if asked. Its driver runs in a task of its own and
    /// ends with it.
    pub(crate) async fn connect(&self, only_http1: bool) -> Result<Connection, BoxError> {
        match tokio::time::timeout(self.timeout, self.open(only_http1).boxed()).await {
            Ok(result) => result,
            Err(_) => Err(format!("no connection within {:?}", self.timeout).into()),
        }
    }

    async fn open(&self, only_http1: bool) -> Result<Connection, BoxError> {
        let io: Box<dyn Io> = match &self.proxy {
            None => Box::new(dial(&self.server).await?),
            Some((proxy, tls)) => {
                let tcp = dial(&proxy.uri).await.map_err(|e| format!("proxy {e}"))?;
                let mut io: Box<dyn Io> = match tls {
                    None => Box::new(tcp),
                    Some((tls, name)) => Box::new(
                        TlsConnector::from(tls.current().http1)
                            .connect(name.clone(), tcp)
                            .await
                            .map_err(|e| format!("proxy {}: {e}", proxy.uri))?,
                    ),
                };
                tunnel(&mut io, &self.server, proxy)
                    .await
                    .map_err(|e| format!("proxy {}: {e}", proxy.uri))?;
                io
            }
        };
        let Some((tls, name)) = &self.tls else { return http1_over(io).await };
        let configs = tls.current();
        let config = if only_http1 { configs.http1 } else { configs.any };
        // rustls asks for 4 KiB at a time, which would be four system calls for each record.
        let io = BufReader::with_capacity(READ_AHEAD, io);
        let io = TlsConnector::from(config).connect(name.clone(), io).await?;
        if io.get_ref().1.alpn_protocol() == Some(b"h2") {
            http2_over(io).await
        } else {
            http1_over(io).await
        }
    }
}

async fn http1_over(io: impl Io + 'static) -> Result<Connection, BoxError> {
    let (sender, driver) = http1::handshake(TokioIo::new(io)).await?;
    drive("HTTP/1.1", driver.with_upgrades());
    Ok(Connection::Http1(sender))
}

async fn http2_over(io: impl Io + 'static) -> Result<Connection, BoxError> {
    let (sender, driver) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PING_PATIENCE)
        .keep_alive_while_idle(true)
        .handshake(TokioIo::new(io))
        .await?;
    drive("HTTP/2", driver);
    Ok(Connection::Http2(sender))
}

/// Runs a connection in a task. Futures are boxed here and at the other tasks of these crates:
/// tokio's part of a task is then compiled once, and not for each type of future.
fn drive(what: &'static str, driver: impl Future<Output = hyper::Result<()>> + Send + 'static) {
    let driver = async move {
        if let Err(e) = driver.await {
            tracing::debug!("{what} connection ended: {e}");
        }
    };
    tokio::spawn(driver.boxed());
}

fn host_and_port(uri: &Uri) -> (&str, u16) {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    (host, uri.port_u16().unwrap_or(default))
}

/// Connects to the first address that answers; each is given a head start over the next.
async fn dial(uri: &Uri) -> Result<TcpStream, BoxError> {
    let (host, port) = host_and_port(uri);
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|e| format!("{host}: the name cannot be resolved: {e}"))?
        .collect();
    let mut waiting = addresses.iter();
    let mut racing = FuturesUnordered::new();
    let mut last = None;
    loop {
        let more = match waiting.next() {
            Some(address) => {
                racing.push(async move { (address, TcpStream::connect(address).await) });
                !waiting.as_slice().is_empty()
            }
            None => false,
        };
        let done = if more {
            tokio::time::timeout(NEXT_ADDRESS, racing.next()).await.unwrap_or(None)
        } else {
            racing.next().await
        };
        match done {
            Some((_, Ok(tcp))) => {
                tune(&tcp);
                return Ok(tcp);
            }
            Some((address, Err(e))) => last = Some(format!("{address}: {e}")),
            None if more => {}
            None => {
                let why = last.unwrap_or_else(|| "the name has no address".into());
                return Err(
                    if why.starts_with(host) { why } else { format!("{host}: {why}") }.into()
                );
            }
        }
    }
}

fn tune(tcp: &TcpStream) {
    let alive = socket2::TcpKeepalive::new().with_time(PING_AFTER).with_interval(PING_AFTER);
    let done =
        tcp.set_nodelay(true).and_then(|()| socket2::SockRef::from(tcp).set_tcp_keepalive(&alive));
    if let Err(e) = done {
        tracing::debug!("socket options: {e}");
    }
}

/// Asks a proxy to connect us to the server.
async fn tunnel<I>(io: &mut I, server: &Uri, proxy: &ProxyServer) -> Result<(), BoxError>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let (host, port) = host_and_port(server);
    let target =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut ask = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(userinfo) = &proxy.userinfo {
        let pair = base64::engine::general_purpose::STANDARD.encode(userinfo.expose());
        ask.push_str(&format!("Proxy-Authorization: Basic {pair}\r\n"));
    }
    ask.push_str("\r\n");
    io.write_all(ask.as_bytes()).await?;
    io.flush().await?;
    let mut answer = Vec::with_capacity(256);
    while !answer.ends_with(b"\r\n\r\n") {
        // Byte by byte: what follows the answer belongs to the tunnel.
        let mut byte = [0];
        if answer.len() == PROXY_ANSWER || io.read(&mut byte).await? == 0 {
            return Err("ended its answer to CONNECT too early".into());
        }
        answer.push(byte[0]);
    }
    let line = answer.split(|b| *b == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    match line.split(' ').nth(1) {
        Some(code) if code.len() == 3 && code.starts_with('2') => Ok(()),
        Some("407") => Err("wants a user name and password (407)".into()),
        _ => Err(format!("refused CONNECT {target}: {line}").into()),
    }
}

/// Shared so that the pool can open connections in tasks.
pub(crate) type SharedConnector = Arc<Connector>;
