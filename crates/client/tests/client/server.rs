//! A real server on the loopback: TLS as each test wants it, HTTP/1.1 and HTTP/2.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pintle_client::{Body, Config};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// A certificate authority.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "test authority");
        let certificate = params.self_signed(&key).unwrap();
        Authority { pem: certificate.pem(), issuer: Issuer::new(params, key), certificate }
    }

    /// A certificate for a key, with these names (the first is also the common name).
    pub(crate) fn sign(&self, names: &[&str], key: &KeyPair) -> rcgen::Certificate {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, names[0].clone());
        params.signed_by(key, &self.issuer).unwrap()
    }

    pub(crate) fn tls(&self, names: &[&str], alpn: &[&str], wants_client: bool) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let chain = vec![self.sign(names, &key).der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let builder = if wants_client {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = alpn.iter().map(|a| a.as_bytes().to_vec()).collect();
        config
    }
}

type Handled = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;
type Handler = dyn Fn(Request<Bytes>) -> Handled + Send + Sync;

/// A running server; ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
    pub(crate) connections: Arc<AtomicUsize>,
    /// Responses under way.
    pub(crate) open: watch::Sender<usize>,
}

/// Counts itself as under way.
struct Open(watch::Sender<usize>);

impl Open {
    fn new(open: &watch::Sender<usize>) -> Self {
        open.send_modify(|n| *n += 1);
        Open(open.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}

impl Server {
    pub(crate) async fn start<F, Fut>(tls: Option<ServerConfig>, handler: F) -> Self
    where
        F: Fn(Request<Bytes>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            tls: tls.is_some(),
            connections: Arc::default(),
            open: watch::Sender::new(0),
        };
        let handler: Arc<Handler> = Arc::new(move |request| Box::pin(handler(request)));
        let acceptor = tls.map(|tls| TlsAcceptor::from(Arc::new(tls)));
        let (connections, open) = (server.connections.clone(), server.open.clone());
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(tcp, acceptor.clone(), handler.clone(), open.clone()));
            }
        });
        server
    }

    pub(crate) fn config(&self) -> Config {
        let scheme = if self.tls { "https" } else { "http" };
        let mut config = Config::new(format!("{scheme}://{}", self.address)).unwrap();
        config.proxy = pintle_client::Proxy::never();
        config
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(
    tcp: TcpStream,
    acceptor: Option<TlsAcceptor>,
    handler: Arc<Handler>,
    open: watch::Sender<usize>,
) {
    let Some(acceptor) = acceptor else {
        let service = service_fn(move |request| handle(request, handler.clone(), open.clone()));
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(tcp), service)
            .with_upgrades()
            .await;
        return;
    };
    let Ok(stream) = acceptor.accept(tcp).await else { return };
    let (_, session) = stream.get_ref();
    let is_http2 = session.alpn_protocol() == Some(b"h2");
    // Which certificate the client has shown, for the handler.
    let client: Option<Vec<u8>> =
        session.peer_certificates().map(|chain| chain[0].as_ref().to_vec());
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(client) = &client {
            request.extensions_mut().insert(ClientCertificate(client.clone()));
        }
        handle(request, handler.clone(), open.clone())
    });
    if is_http2 {
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .max_concurrent_streams(250)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await;
    }
}

/// The certificate a client has shown, in a request's extensions.
#[derive(Clone)]
pub(crate) struct ClientCertificate(pub(crate) Vec<u8>);

async fn handle(
    mut request: Request<Incoming>,
    handler: Arc<Handler>,
    open: watch::Sender<usize>,
) -> Result<Response<Body>, pintle_client::BoxError> {
    let guard = Open::new(&open);
    let upgrade = request
        .headers()
        .contains_key(http::header::UPGRADE)
        .then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let response = handler(Request::from_parts(parts, body)).await;
    if response.status() == 599 {
        return Err("the test wants the connection broken".into());
    }
    if let Some(upgrade) = upgrade {
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            let (mut r, mut w) = tokio::io::split(&mut io);
            let _ = tokio::io::copy(&mut r, &mut w).await;
        });
    }
    Ok(response.map(move |body| {
        Body::new(body.map_frame(move |frame| {
            let _ = &guard;
            frame
        }))
    }))
}

/// A proxy that understands CONNECT; counts tunnels and wants these credentials.
pub(crate) async fn proxy(authorization: Option<&'static str>) -> (SocketAddr, Arc<AtomicUsize>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tunnels = Arc::new(AtomicUsize::new(0));
    let count = tunnels.clone();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let count = count.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(tcp.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let allowed = authorization.is_none_or(|wanted| {
                    head.contains(&format!("Proxy-Authorization: Basic {wanted}\r\n"))
                });
                if !allowed {
                    let no = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
                    tcp.write_all(no).await.unwrap();
                    return;
                }
                let target = head.split(' ').nth(1).unwrap().to_owned();
                assert!(head.starts_with(&format!("CONNECT {target} HTTP/1.1\r\n")));
                match TcpStream::connect(&target).await {
                    Ok(mut server) => {
                        count.fetch_add(1, Ordering::SeqCst);
                        tcp.write_all(b"HTTP/1.1 200 Fine\r\nX: y\r\n\r\n").await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut tcp, &mut server).await;
                    }
                    Err(_) => {
                        tcp.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await.unwrap();
                    }
                }
            });
        }
    });
    (address, tunnels)
}
