//! The server on a socket: certificates, tokens, HTTP/2 and HTTP/1.1.

use std::sync::Arc;

use base64::Engine;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pintle_apiserver::{ApiServer, User};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The value of a line of a kubeconfig, decoded when it is data.
fn line(config: &str, key: &str) -> Option<Vec<u8>> {
    let prefix = format!("{key}: ");
    let value = config.lines().find_map(|line| line.trim().strip_prefix(&prefix))?;
    Some(match key.ends_with("-data") {
        true => base64::engine::general_purpose::STANDARD.decode(value).expect("base64"),
        false => value.trim_matches('"').as_bytes().to_vec(),
    })
}

/// One GET as a kubeconfig says: the code, the body and whether it was HTTP/2.
async fn get(config: &str, path: &str, http2: bool) -> (u16, Value, bool) {
    let server = String::from_utf8(line(config, "server").expect("a server")).expect("UTF-8");
    let address = server.strip_prefix("https://").expect("https").to_owned();
    let mut roots = rustls::RootCertStore::empty();
    let ca = line(config, "certificate-authority-data").expect("a CA");
    roots.add(CertificateDer::from_pem_slice(&ca).expect("a certificate")).expect("added");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut tls = match line(config, "client-certificate-data") {
        Some(certificate) => {
            let key = line(config, "client-key-data").expect("a key");
            builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(&certificate).expect("a certificate")],
                    PrivateKeyDer::from_pem_slice(&key).expect("a key"),
                )
                .expect("an identity")
        }
        None => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    let stream = TcpStream::connect(&address).await.expect("connects");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await.expect("TLS");
    let negotiated = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let mut request = Request::get(format!("https://{address}{path}"));
    if let Some(token) = line(config, "token") {
        let token = String::from_utf8(token).expect("UTF-8");
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Full::<Bytes>::default()).expect("a request");
    let response = if http2 {
        let io = TokioIo::new(stream);
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await;
        let (mut sender, connection) = handshake.expect("HTTP/2");
        tokio::spawn(connection);
        sender.send_request(request).await.expect("an answer")
    } else {
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.expect("HTTP/1.1");
        tokio::spawn(connection);
        sender.send_request(request).await.expect("an answer")
    };
    let code = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (code, serde_json::from_slice(&body).unwrap_or_default(), negotiated)
}

#[tokio::test]
async fn kubeconfigs_of_each_kind() {
    let server = ApiServer::builder()
        .listen()
        .token("secret", User::new("robot", ["system:masters", "robots"]))
        .start()
        .await
        .expect("starts");
    let path = "/api/v1/namespaces";
    let admin = server.kubeconfig().expect("a kubeconfig");
    for http2 in [true, false] {
        let (code, body, negotiated) = get(&admin, path, http2).await;
        assert_eq!((code, negotiated), (200, http2));
        assert_eq!(body["items"].as_array().map(Vec::len), Some(4));
    }
    let jane = User::new("jane", Vec::<String>::new());
    let jane = server.kubeconfig_for(&jane).expect("a kubeconfig");
    let (code, body, _) = get(&jane, path, true).await;
    assert_eq!(code, 403);
    let message = body["message"].as_str().expect("a message");
    assert!(message.starts_with("namespaces is forbidden: User \"jane\" cannot list"), "{message}");
    let token = server.kubeconfig_with_token("secret").expect("a kubeconfig");
    assert_eq!(get(&token, path, true).await.0, 200);
    let wrong = server.kubeconfig_with_token("wrong").expect("a kubeconfig");
    assert_eq!(get(&wrong, path, true).await.0, 401);
    assert!(server.kubeconfig_for(&User::new("x", ["a", "b"])).is_err());

    let url = server.url().expect("a URL");
    server.shutdown().await;
    let address = url.strip_prefix("https://").expect("https");
    assert!(TcpStream::connect(address).await.is_err(), "the socket is closed");
}

#[tokio::test]
async fn a_server_without_a_socket_says_so() {
    let server = ApiServer::builder().start().await.expect("starts");
    let error = server.kubeconfig().expect_err("no socket");
    assert!(error.is_config());
    assert!(error.to_string().contains("Builder::listen"), "{error}");
}

/// An authority of somebody else's, and a certificate it signed for a user.
fn foreign(user: &str, group: &str) -> (String, String, String) {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "somebody's authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("names");
    params.distinguished_name.push(DnType::CommonName, user);
    params.distinguished_name.push(DnType::OrganizationName, group);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    (authority.pem(), certificate.pem(), key.serialize_pem())
}

/// A kubeconfig with another certificate for the client.
fn with_certificate(config: &str, certificate: &str, key: &str) -> String {
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let replaced = config.lines().map(|line| match line.trim().split(':').next() {
        Some("client-certificate-data") => {
            format!("    client-certificate-data: {}", encode(certificate))
        }
        Some("client-key-data") => format!("    client-key-data: {}", encode(key)),
        _ => line.to_owned(),
    });
    replaced.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn certificates_of_other_authorities() {
    let (authority, certificate, key) = foreign("boss", "system:masters");
    let path = "/api/v1/namespaces";
    let server = ApiServer::builder().listen().client_ca(&authority).start().await;
    let server = server.expect("starts");
    let own = server.kubeconfig().expect("a kubeconfig");
    let theirs = with_certificate(&own, &certificate, &key);
    assert_eq!(get(&own, path, true).await.0, 200);
    assert_eq!(get(&theirs, path, true).await.0, 200);
    // One that nobody signed whom the server knows is 401, and not anonymous.
    let (_, certificate, key) = foreign("boss", "system:masters");
    let stranger = with_certificate(&own, &certificate, &key);
    let (code, body, _) = get(&stranger, "/version", true).await;
    assert_eq!((code, body["message"].as_str()), (401, Some("Unauthorized")));
    server.shutdown().await;
}

#[tokio::test]
async fn a_certificate_that_is_given() {
    let (authority, certificate, key) = foreign("server", "servers");
    let chain = format!("{certificate}{authority}");
    let builder = ApiServer::builder().listen().tls_identity(&chain, &key);
    let server = builder.start().await.expect("starts");
    assert_eq!(server.ca_certificate().expect("a certificate"), chain);
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let config = server.kubeconfig().expect("a kubeconfig");
    let config = config.replace(&encode(&chain), &encode(&authority));
    assert_eq!(get(&config, "/api/v1/namespaces", false).await.0, 200);
    server.shutdown().await;
    let other = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    let builder = ApiServer::builder().listen().tls_identity(&chain, &other);
    assert!(builder.start().await.is_err_and(|error| error.is_config()));
    let builder = ApiServer::builder().listen().client_ca("nothing");
    assert!(builder.start().await.is_err_and(|error| error.is_config()));
}
