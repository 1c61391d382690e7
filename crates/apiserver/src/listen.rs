//! The server on a socket: TLS, HTTP/2 and HTTP/1.1.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/server/secure_serving.go`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use pintle_apimachinery::Error;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::auth::{Peer, User};
use crate::pki::{Authority, Identity, certificates, serving, user_of, verifier};
use crate::service::Service;

/// A client that does not finish its handshake in this time is left.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// So long a client may take for the head of a request, and an idle connection is kept.
const HEAD: Duration = Duration::from_secs(90);
/// Clients that say nothing for so long are asked whether they are there.
const PING_AFTER: Duration = Duration::from_secs(30);
/// They have so long to answer.
const PONG: Duration = Duration::from_secs(20);
/// Open requests get this time to end when the server stops.
const DRAIN: Duration = Duration::from_secs(2);
/// Requests at a time on one HTTP/2 connection: clients hold many watches on one.
const STREAMS: u32 = 1_000;

/// How to serve on a socket.
#[derive(Clone, Debug)]
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    /// The certificate chain and key to serve with, in PEM; without, the server signs its own.
    pub(crate) identity: Option<(String, String)>,
    /// Authorities whose client certificates count, beside the server's own, in PEM.
    pub(crate) client_ca: Option<String>,
}

/// Whose certificates count.
struct Trust {
    /// The server's own authority, made when something is to be signed.
    own: OnceLock<(Authority, Arc<dyn ClientCertVerifier>)>,
    given: Option<Arc<dyn ClientCertVerifier>>,
}

impl Trust {
    fn own(&self) -> Result<&Authority, Error> {
        if self.own.get().is_none() {
            let authority = Authority::new()?;
            let verifier = verifier(&certificates(&authority.pem())?)?;
            // Whoever is first keeps its own.
            let _ = self.own.set((authority, verifier));
        }
        let own = self.own.get().map(|(authority, _)| authority);
        own.ok_or_else(|| Error::other("the server has no authority"))
    }

    /// Whom a chain of certificates names.
    fn peer(&self, chain: &[CertificateDer<'_>]) -> Peer {
        let Some((certificate, others)) = chain.split_first() else { return Peer::Nobody };
        let now = UnixTime::now();
        let own = self.own.get().map(|(_, verifier)| verifier);
        let trusted = self
            .given
            .iter()
            .chain(own)
            .any(|verifier| verifier.verify_client_cert(certificate, others, now).is_ok());
        match user_of(certificate) {
            Some(user) if trusted => Peer::Certificate(user),
            None if trusted => Peer::Nobody,
            _ => Peer::Refused,
        }
    }
}

/// A socket that is served.
pub(crate) struct Listener {
    address: SocketAddr,
    trust: Arc<Trust>,
    /// What clients trust: the server's authority, or the certificate it was given.
    ca: String,
    identity: Identity,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Listener {
    /// Opens a socket and serves it.
    ///
    /// # Errors
    /// The address is not free ([`Error::is_transport`]), a certificate cannot be read
    /// ([`Error::is_config`]), or none can be made.
    ///
    /// # Cancel safety
    /// A socket that was not handed out is closed.
    pub(crate) async fn open(how: Serving, service: Service) -> Result<Self, Error> {
        let given = match &how.client_ca {
            Some(pem) => Some(verifier(&certificates(pem)?)?),
            None => None,
        };
        let trust = Arc::new(Trust { own: OnceLock::new(), given });
        let address = how.address;
        let (identity, ca) = match how.identity {
            Some((certificate, key)) => {
                (Identity { certificate: certificate.clone(), key }, certificate)
            }
            None => {
                let authority = trust.own()?;
                let mut identity = authority.server(address.ip())?;
                // As kube-apiserver writes it: whoever trusts the file trusts the authority.
                identity.certificate += &authority.pem();
                (identity, authority.pem())
            }
        };
        let acceptor = TlsAcceptor::from(Arc::new(serving(&identity)?));
        let socket = TcpListener::bind(address)
            .await
            .map_err(|error| Error::transport(format!("cannot listen on {address}: {error}")))?;
        let address = socket
            .local_addr()
            .map_err(|error| Error::transport(format!("the socket has no address: {error}")))?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve(socket, acceptor, service, Arc::clone(&trust), stopped));
        Ok(Listener { address, trust, ca, identity, stop, task })
    }

    /// Where clients of this machine reach the server.
    pub(crate) fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            let loopback: IpAddr = match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            };
            address.set_ip(loopback);
        }
        format!("https://{address}")
    }

    pub(crate) fn ca(&self) -> String {
        self.ca.clone()
    }

    /// Where the server listens.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What is served with: the chain, and its key.
    pub(crate) fn identity(&self) -> (String, String) {
        (self.identity.certificate.clone(), self.identity.key.clone())
    }

    /// A kubeconfig for a user, with a client certificate.
    pub(crate) fn kubeconfig(&self, user: &User) -> Result<String, Error> {
        let identity = self.trust.own()?.user(user)?;
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
    trust: Arc<Trust>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    let (acceptor, service) = (acceptor.clone(), service.clone());
                    let (trust, stopped) = (Arc::clone(&trust), stopped.clone());
                    connections.spawn(connection(stream, acceptor, service, trust, stopped));
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
    trust: Arc<Trust>,
    mut stopped: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else {
        return;
    };
    let (_, session) = stream.get_ref();
    let peer = trust.peer(session.peer_certificates().unwrap_or_default());
    let http2 = session.alpn_protocol() == Some(b"h2");
    let service = service.with_peer(peer);
    let handler = service_fn(move |request: Request<Incoming>| service.clone().call(request));
    let stream = TokioIo::new(stream);
    // A failed connection is the client's to notice.
    if http2 {
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .keep_alive_interval(Some(PING_AFTER))
            .keep_alive_timeout(PONG)
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
            .header_read_timeout(HEAD)
            .title_case_headers(true)
            .serve_connection(stream, handler);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}
