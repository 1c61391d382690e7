//! A client over TLS: HTTP/2 with many requests on one connection, or bytes on the wire.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pintle_apiserver::ApiServer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Long enough that only a hang takes as long.
pub(crate) const HANG: Duration = Duration::from_secs(120);

pub(crate) const PODS: &str = "/api/v1/namespaces/default/pods";

/// Where a server is, and who asks.
#[derive(Clone)]
pub(crate) struct Place {
    address: String,
    tls: Arc<rustls::ClientConfig>,
}

fn line(config: &str, key: &str) -> Vec<u8> {
    let prefix = format!("{key}: ");
    let value = config.lines().find_map(|line| line.trim().strip_prefix(&prefix)).expect(key);
    base64::engine::general_purpose::STANDARD.decode(value).expect("base64")
}

impl Place {
    pub(crate) fn of(server: &ApiServer) -> Place {
        let config = server.kubeconfig().expect("a kubeconfig");
        let url = server.url().expect("a URL");
        let mut roots = rustls::RootCertStore::empty();
        let ca = line(&config, "certificate-authority-data");
        roots.add(CertificateDer::from_pem_slice(&ca).expect("a certificate")).expect("added");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = line(&config, "client-certificate-data");
        let key = line(&config, "client-key-data");
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(&certificate).expect("a certificate")],
                PrivateKeyDer::from_pem_slice(&key).expect("a key"),
            )
            .expect("an identity");
        let address = url.strip_prefix("https://").expect("https").to_owned();
        Place { address, tls: Arc::new(tls) }
    }

    /// A connection that speaks `protocol`.
    pub(crate) async fn open(&self, protocol: &str) -> TlsStream<TcpStream> {
        let mut tls = (*self.tls).clone();
        tls.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(&self.address).await.expect("connects");
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(tls)).connect(name, stream).await.expect("TLS")
    }

    pub(crate) async fn connect(&self) -> Http {
        let stream = TokioIo::new(self.open("h2").await);
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(16 << 20)
            .handshake(stream)
            .await
            .expect("HTTP/2");
        tokio::spawn(connection);
        Http { sender, base: format!("https://{}", self.address) }
    }
}

/// One connection.
#[derive(Clone)]
pub(crate) struct Http {
    sender: http2::SendRequest<Full<Bytes>>,
    base: String,
}

impl Http {
    pub(crate) async fn open(&self, method: Method, path: &str, body: Bytes) -> Response<Incoming> {
        let content_type = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("content-type", content_type)
            .body(Full::new(body))
            .expect("a request");
        let mut sender = self.sender.clone();
        sender.ready().await.expect("a connection");
        sender.send_request(request).await.expect("an answer")
    }

    /// The code and the body of an answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> (u16, Bytes) {
        let response = self.open(method, path, body.into()).await;
        let code = response.status().as_u16();
        (code, response.into_body().collect().await.expect("a body").to_bytes())
    }

    pub(crate) async fn watch(&self, path: &str) -> Watch {
        let response = self.open(Method::GET, path, Bytes::new()).await;
        assert_eq!(response.status(), 200);
        Watch { body: response.into_body(), rest: String::new(), at: 0 }
    }
}

/// A watch being read.
pub(crate) struct Watch {
    body: Incoming,
    rest: String,
    at: usize,
}

/// What a test looks at of an event.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) version: u64,
}

fn after<'a>(text: &'a str, key: &str) -> &'a str {
    let start = text.find(key).map(|at| &text[at + key.len()..]).unwrap_or_default();
    &start[..start.find('"').unwrap_or(0)]
}

impl Watch {
    /// The next event, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.rest[self.at..].find('\n') {
                let text = &self.rest[self.at..self.at + end];
                self.at += end + 1;
                return Some(Event {
                    kind: after(text, "{\"type\":\"").to_owned(),
                    name: after(text, "\"name\":\"").to_owned(),
                    version: after(text, "\"resourceVersion\":\"").parse().unwrap_or(0),
                });
            }
            let frame = tokio::time::timeout(HANG, self.body.frame()).await.expect("no hang")?;
            let data = frame.ok()?.into_data().expect("data");
            self.rest.drain(..self.at);
            self.at = 0;
            self.rest.push_str(std::str::from_utf8(&data).expect("ASCII"));
        }
    }
}
