//! The server on a socket: TLS, HTTP/2 and HTTP/1.1.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/server/secure_serving.go`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pintle_apimachinery::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::auth::User;
use crate::pki::{Authority, user_of};
use crate::service::Service;

/// A client that does not finish its handshake in this time is left.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Open requests get this time to end when the server stops.
const DRAIN: Duration = Duration::from_secs(2);
/// Requests at a time on one HTTP/2 connection: clients hold many watches on one.
const STREAMS: u32 = 1_000;

/// A socket that is served.
pub(crate) struct Listener {
    address: SocketAddr,
    authority: Authority,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Listener {
    /// Opens a socket and serves it.
    ///
    /// # Errors
    /// The address is not free, or no certificate can be made.
    ///
    /// # Cancel safety
    /// A socket that was not handed out is closed.
    pub(crate) async fn open(address: SocketAddr, service: Service) -> Result<Self, Error> {
        let socket = TcpListener::bind(address)
            .await
            .map_err(|error| Error::transport(format!("cannot listen on {address}: {error}")))?;
        let address = socket
            .local_addr()
            .map_err(|error| Error::transport(format!("the socket has no address: {error}")))?;
        let authority = Authority::new()?;
        let acceptor = TlsAcceptor::from(Arc::new(authority.serving(address.ip())?));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve(socket, acceptor, service, stopped));
        Ok(Listener { address, authority, stop, task })
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(crate) fn ca(&self) -> String {
        self.authority.pem()
    }

    /// A kubeconfig for a user, with a client certificate.
    pub(crate) fn kubeconfig(&self, user: &User) -> Result<String, Error> {
        let identity = self.authority.user(user)?;
        let encode = |text: &str| STANDARD.encode(text);
        let credentials = format!(
            "    client-certificate-data: {}\n    client-key-data: {}\n",
            encode(&identity.certificate),
            encode(&identity.key)
        );
        Ok(self.config(&credentials))
    }

    /// A kubeconfig with a bearer token.
    pub(crate) fn kubeconfig_with_token(&self, token: &str) -> String {
        self.config(&format!("    token: {}\n", serde_json::Value::from(token)))
    }

    fn config(&self, credentials: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: pintle\nclusters:\n- name: pintle\n  \
             cluster:\n    server: {}\n    certificate-authority-data: {}\ncontexts:\n- name: \
             pintle\n  context:\n    cluster: pintle\n    user: pintle\nusers:\n- name: pintle\n  \
             user:\n{credentials}",
            self.url(),
            STANDARD.encode(self.ca())
        )
    }

    /// # Cancel safety
    /// The socket is told to close at once.
    pub(crate) async fn close(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    socket: TcpListener,
    acceptor: TlsAcceptor,
    service: Service,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    let connection =
                        connection(stream, acceptor.clone(), service.clone(), stopped.clone());
                    connections.spawn(connection);
                }
                // Out of file descriptors, or a client that left: others may still come.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stopped.changed() => break,
        }
    }
    drop(socket);
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN, drained).await;
}

/// Serves one connection until the client leaves or the server stops.
async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    service: Service,
    mut stopped: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else {
        return;
    };
    let (_, session) = stream.get_ref();
    let user = session.peer_certificates().and_then(|chain| user_of(chain.first()?));
    let http2 = session.alpn_protocol() == Some(b"h2");
    let service = service.with_user(user);
    let handler = service_fn(move |request: Request<Incoming>| service.clone().call(request));
    let stream = TokioIo::new(stream);
    // A failed connection is the client's to notice.
    if http2 {
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .serve_connection(stream, handler);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    } else {
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HANDSHAKE)
            .serve_connection(stream, handler);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}
