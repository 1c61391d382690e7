//! Over real sockets: TLS, HTTP/2, connections, proxies, credentials.

use crate::server::{Authority, ClientCertificate, Server, proxy};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join_all;
use http::header::{AUTHORIZATION, CONNECTION, HOST, UPGRADE};
use http::{HeaderValue, Request as Message, Response, StatusCode};
use http_body_util::StreamBody;
use pintle_client::{
    Body, BoxError, Client, Config, Error, Identity, Pem, Proxy, Repeat, Request, Secret,
};
use rcgen::KeyPair;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const H2: [&str; 2] = ["h2", "http/1.1"];
const NAMES: [&str; 2] = ["127.0.0.1", "kubernetes"];

fn data(pem: &str) -> Pem {
    Pem::Data(Secret::new(pem.as_bytes().to_vec()))
}

fn text(text: impl Into<String>) -> Response<Body> {
    Response::new(Body::from(text.into()))
}

/// Answers with version, path, host and credentials of the request.
async fn echo(request: Message<Bytes>) -> Response<Body> {
    let host = request.headers().get(HOST).map_or("-", |h| h.to_str().unwrap());
    let who = request.headers().get(AUTHORIZATION).map_or("-", |h| h.to_str().unwrap());
    text(format!("{:?} {} {host} {who}", request.version(), request.uri().path()))
}

async fn get(client: &Client, path: &str) -> Result<String, Error> {
    client.request(Request::get(path)).await?.text().await
}

#[track_caller]
fn fails(result: Result<String, Error>, expect: &str) {
    let error = result.expect_err("went through");
    assert!(error.is_transport(), "{error:?}");
    assert!(error.to_string().contains(expect), "{error}");
}

#[tokio::test]
async fn http2_shares_one_connection() {
    let ca = Authority::new();
    let server = Server::start(Some(ca.tls(&NAMES, &H2, false)), echo).await;
    let mut config = server.config();
    config.tls.authorities = Some(data(&ca.pem));
    config.credentials.token = Some("t".into());
    let client = Client::new(&config).unwrap();
    let answers = join_all((0..50).map(|_| get(&client, "/x"))).await;
    for answer in answers {
        assert_eq!(answer.unwrap(), "HTTP/2.0 /x - Bearer t");
    }
    assert_eq!(server.connections(), 1);
    // Unless it may not be used.
    config.http2 = false;
    let client = Client::new(&config).unwrap();
    let host = server.address;
    assert_eq!(get(&client, "/x").await.unwrap(), format!("HTTP/1.1 /x {host} Bearer t"));
}

#[tokio::test]
async fn http1_connections_are_used_again() {
    let ca = Authority::new();
    for tls in [Some(ca.tls(&NAMES, &["http/1.1"], false)), None] {
        let server = Server::start(tls, echo).await;
        let mut config = server.config();
        config.tls.authorities = Some(data(&ca.pem));
        config.server = format!("{}base/", config.server).parse().unwrap();
        let client = Client::new(&config).unwrap();
        let expect = format!("HTTP/1.1 /base/x {} -", server.address);
        for _ in 0..20 {
            assert_eq!(get(&client, "/x").await.unwrap(), expect);
            // The connection comes back in a task of its own.
            tokio::task::yield_now().await;
        }
        assert!(server.connections() < 5, "{} connections", server.connections());
        // Ten at a time need several.
        let answers = join_all((0..10).map(|_| get(&client, "/x"))).await;
        assert!(answers.iter().all(Result::is_ok));
    }
}

/// A response that goes on for ever.
fn endless() -> Response<Body> {
    let first = futures_util::stream::iter([Ok::<_, BoxError>(http_body::Frame::data(
        Bytes::from_static(b"first"),
    ))]);
    let stream = futures_util::StreamExt::chain(first, futures_util::stream::pending());
    Response::new(Body::new(StreamBody::new(stream)))
}

#[tokio::test]
async fn many_watches_do_not_wait_for_each_other() {
    let ca = Authority::new();
    let server = Server::start(Some(ca.tls(&NAMES, &H2, false)), |_| async { endless() }).await;
    let mut config = server.config();
    config.tls.authorities = Some(data(&ca.pem));
    let client = Client::new(&config).unwrap();
    let open = || async {
        let mut response = client.request(Request::get("/watch").endless()).await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "first");
        response
    };
    let watches = join_all((0..250).map(|_| open())).await;
    assert_eq!(server.connections(), 3);
    assert_eq!(*server.open.borrow(), 250);
    // Dropping them ends them at the server, and makes room.
    drop(watches);
    server.open.subscribe().wait_for(|open| *open == 0).await.unwrap();
    open().await;
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_call_that_is_given_up_does_not_take_others_along() {
    let ca = Authority::new();
    let server = Server::start(Some(ca.tls(&NAMES, &H2, false)), echo).await;
    let mut config = server.config();
    config.tls.authorities = Some(data(&ca.pem));
    let client = Client::new(&config).unwrap();
    // The first starts to connect; the second waits for that connection.
    let mut first = Box::pin(get(&client, "/x"));
    assert!((&mut first).now_or_never().is_none());
    let second = get(&client, "/y");
    drop(first);
    assert!(second.await.unwrap().contains("/y"));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn upgrades_go_over_http1() {
    let ca = Authority::new();
    let server = Server::start(Some(ca.tls(&NAMES, &H2, false)), |request| async move {
        assert_eq!(request.version(), http::Version::HTTP_11);
        let mut response = text("");
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("echo"));
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        response
    })
    .await;
    let mut config = server.config();
    config.tls.authorities = Some(data(&ca.pem));
    let client = Client::new(&config).unwrap();
    let request = Request::get("/exec")
        .header(UPGRADE, HeaderValue::from_static("echo"))
        .header(CONNECTION, HeaderValue::from_static("upgrade"));
    let response = client.request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let io = hyper::upgrade::on(response.into_http()).await.unwrap();
    let mut io = hyper_util::rt::TokioIo::new(io);
    io.write_all(b"hello").await.unwrap();
    let mut back = [0; 5];
    io.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"hello");
}

#[tokio::test]
async fn trust() {
    let ca = Authority::new();
    let server = Server::start(Some(ca.tls(&NAMES, &H2, false)), echo).await;
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = server.config();
        config.tls.authorities = Some(data(&ca.pem));
        change(&mut config);
        Client::new(&config).unwrap()
    };
    get(&with(&|_| {}), "/").await.unwrap();
    get(&with(&|c| c.tls.server_name = Some("kubernetes".into())), "/").await.unwrap();
    let wrong_name = with(&|c| c.tls.server_name = Some("other".into()));
    fails(get(&wrong_name, "/").await, "not valid for name \"other\"");
    let stranger = Authority::new();
    let wrong_ca = with(&|c| c.tls.authorities = Some(data(&stranger.pem)));
    fails(get(&wrong_ca, "/").await, "invalid peer certificate: ");
    let both = with(&|c| c.tls.authorities = Some(data(&format!("{}{}", stranger.pem, ca.pem))));
    get(&both, "/").await.unwrap();
    let insecure = with(&|c| {
        c.tls.authorities = None;
        c.tls.insecure = true;
        c.tls.server_name = Some("other".into());
    });
    get(&insecure, "/").await.unwrap();
}

#[tokio::test]
async fn client_certificates_in_every_encoding() {
    let ca = Authority::new();
    let server = Server::start(Some(ca.tls(&NAMES, &H2, true)), |request| async move {
        let seen = request.extensions().get::<ClientCertificate>().unwrap().0.clone();
        Response::new(Body::from(seen))
    })
    .await;
    let mut config = server.config();
    config.tls.authorities = Some(data(&ca.pem));
    for (pkcs8, key) in [
        (include_str!("../data/ec-pkcs8.pem"), include_str!("../data/ec-pkcs8.pem")),
        (include_str!("../data/ec-pkcs8.pem"), include_str!("../data/ec-sec1.pem")),
        (include_str!("../data/rsa-pkcs8.pem"), include_str!("../data/rsa-pkcs8.pem")),
        (include_str!("../data/rsa-pkcs8.pem"), include_str!("../data/rsa-pkcs1.pem")),
    ] {
        let certificate = ca.sign(&["jane"], &KeyPair::from_pem(pkcs8).unwrap());
        config.tls.identity =
            Some(Identity { certificate: data(&certificate.pem()), key: data(key) });
        let client = Client::new(&config).unwrap();
        let seen = client.request(Request::get("/")).await.unwrap().bytes().await.unwrap();
        assert_eq!(seen, certificate.der().as_ref());
    }
    config.tls.identity = None;
    let client = Client::new(&config).unwrap();
    fails(get(&client, "/").await, "received fatal alert: CertificateRequired");
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_named() {
    let ca = Authority::new();
    let key = KeyPair::generate().unwrap();
    let certificate = ca.sign(&["jane"], &key).pem();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let empty = std::env::temp_dir().join(format!("pintle-empty-{}", std::process::id()));
    std::fs::write(&empty, "").unwrap();
    #[track_caller]
    fn check(change: impl FnOnce(&mut Config), expect: &str) {
        let mut config = Config::new("https://127.0.0.1").unwrap();
        change(&mut config);
        let error = Client::new(&config).expect_err("was accepted");
        assert!(error.is_config());
        assert!(error.to_string().starts_with(expect), "{error}");
    }
    let identity = |certificate: &str, key: &str| {
        Some(Identity { certificate: data(certificate), key: data(key) })
    };
    check(
        |c| c.tls.authorities = Some(data("nonsense")),
        "certificate authorities (inline data): holds no certificate in PEM",
    );
    check(
        |c| c.tls.authorities = Some(Pem::File(empty.clone())),
        &format!("certificate authorities {}: holds no certificate in PEM", empty.display()),
    );
    check(
        |c| c.tls.authorities = Some(Pem::File("/no/such".into())),
        "certificate authorities /no/such: ",
    );
    check(
        |c| {
            c.tls.authorities =
                Some(data("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
        },
        "certificate authorities (inline data): certificate 1: ",
    );
    check(
        |c| c.tls.identity = identity(&certificate, "nonsense"),
        "client key (inline data): no private key in PEM: ",
    );
    check(
        |c| c.tls.identity = identity(&certificate, &other),
        "client certificate (inline data) and client key (inline data): ",
    );
    check(|c| c.tls.server_name = Some("a b".into()), "tls-server-name \"a b\" is neither a DNS");
    std::fs::remove_file(&empty).unwrap();
}

#[tokio::test]
async fn a_lost_connection_is_no_reason_to_write_twice() {
    // The first request of every pair finds its connection broken.
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    let server = Server::start(None, move |_| {
        let n = seen.fetch_add(1, Ordering::SeqCst);
        async move {
            let mut response = text("ok");
            if n.is_multiple_of(2) {
                *response.status_mut() = StatusCode::from_u16(599).unwrap();
            }
            response
        }
    })
    .await;
    let client = Client::new(&server.config()).unwrap();
    assert_eq!(get(&client, "/").await.unwrap(), "ok");
    assert_eq!(count.load(Ordering::SeqCst), 2);
    for request in [
        Request::post("/"),
        Request::put("/"),
        Request::delete("/"),
        Request::get("/").repeat(Repeat::Never),
    ] {
        let before = count.load(Ordering::SeqCst);
        let error = client.request(request).await.unwrap_err();
        assert!(error.is_transport(), "{error}");
        assert!(error.to_string().starts_with("the connection was lost: "), "{error}");
        assert_eq!(count.load(Ordering::SeqCst), before + 1);
        get(&client, "/").await.unwrap();
    }
}

#[tokio::test]
async fn nobody_there() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut config = Config::new(format!("http://{address}")).unwrap();
    config.proxy = Proxy::never();
    let error = get(&Client::new(&config).unwrap(), "/x").await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("no connection: {address}: ")), "{error}");
    assert!(error.ends_with(&format!("(GET http://{address}/x)")), "{error}");
    // Somebody who accepts and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    config.server = format!("https://{address}").parse().unwrap();
    config.tls.insecure = true;
    config.connect_timeout = std::time::Duration::from_millis(50);
    fails(get(&Client::new(&config).unwrap(), "/x").await, "no connection within 50ms");
}

#[tokio::test]
async fn through_a_proxy() {
    let ca = Authority::new();
    let server = Server::start(Some(ca.tls(&NAMES, &H2, false)), echo).await;
    let mut config = server.config();
    config.tls.authorities = Some(data(&ca.pem));
    let (address, tunnels) = proxy(Some("bWU6cEBzcw==")).await;
    let client = |url: String| {
        let mut config = config.clone();
        config.proxy = Proxy::always(&url).unwrap();
        Client::new(&config).unwrap()
    };
    let good = client(format!("http://me:p%40ss@{address}"));
    assert!(get(&good, "/x").await.unwrap().starts_with("HTTP/2.0 /x"));
    assert_eq!(tunnels.load(Ordering::SeqCst), 1);
    let refused = get(&client(format!("http://{address}")), "/x").await;
    fails(refused, &format!("proxy http://{address}/: wants a user name and password (407)"));
    // A proxy that cannot reach the server.
    let (address, _) = proxy(None).await;
    config.server = "https://127.0.0.1:1".parse().unwrap();
    config.proxy = Proxy::always(&format!("http://{address}")).unwrap();
    let refused = get(&Client::new(&config).unwrap(), "/x").await;
    fails(refused, "refused CONNECT 127.0.0.1:1: HTTP/1.1 502 Bad Gateway");
}

#[tokio::test]
async fn a_new_token_is_tried_once_after_a_401() {
    let ca = Authority::new();
    let accepts = Arc::new(Mutex::new("old"));
    let count = Arc::new(AtomicUsize::new(0));
    let (accepted, counted) = (accepts.clone(), count.clone());
    let server = Server::start(Some(ca.tls(&NAMES, &H2, false)), move |request| {
        counted.fetch_add(1, Ordering::SeqCst);
        let good = format!("Bearer {}", *accepted.lock().unwrap());
        async move {
            let mut response = text("ok");
            if request.headers()[AUTHORIZATION] != good.as_str() {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
            response
        }
    })
    .await;
    let file = std::env::temp_dir().join(format!("pintle-token-{}", std::process::id()));
    std::fs::write(&file, "old").unwrap();
    let mut config = server.config();
    config.tls.authorities = Some(data(&ca.pem));
    config.credentials.token_file = Some(file.clone());
    let client = Client::new(&config).unwrap();
    get(&client, "/").await.unwrap();
    // Renewed: even a write is sent again, for the server has not acted on it.
    std::fs::write(&file, "new").unwrap();
    *accepts.lock().unwrap() = "new";
    client.request(Request::post("/")).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 3);
    // Not renewed: once is enough.
    *accepts.lock().unwrap() = "newer";
    assert!(get(&client, "/").await.unwrap_err().is_unauthorized());
    assert_eq!(count.load(Ordering::SeqCst), 4);
    std::fs::remove_file(&file).unwrap();
}
