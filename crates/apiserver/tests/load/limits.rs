//! Limits: bodies that are too large or too deep, clients that are slow or leave in the middle.
//! Each gets a clear error, and nothing is kept for it.

use bytes::Bytes;
use http::Method;
use pintle_apiserver::ApiServer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::http_client::{HANG, Http, Place};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn start() -> (ApiServer, Place, Http) {
    let server = ApiServer::builder().listen().start().await.expect("starts");
    let place = Place::of(&server);
    let http = place.connect().await;
    (server, place, http)
}

#[track_caller]
fn check(answer: (u16, Bytes), code: u16, reason: &str, message: &str) {
    let text = String::from_utf8_lossy(&answer.1);
    let status: Value = serde_json::from_slice(&answer.1).unwrap_or_default();
    assert_eq!(answer.0, code, "{text}");
    assert_eq!((&status["reason"], &status["message"]), (&reason.into(), &message.into()));
}

#[tokio::test]
async fn bodies_over_the_limit() {
    let (server, _, http) = start().await;
    let before = server.resource_version();
    let large = json!({"metadata": {"name": "a"}, "data": {"k": "x".repeat(3 << 20)}}).to_string();
    let text = "Request entity too large: limit is 3145728";
    for (method, path) in [
        (Method::POST, MAPS.to_owned()),
        (Method::PUT, format!("{MAPS}/a")),
        (Method::PATCH, format!("{MAPS}/kube-root-ca.crt")),
        (Method::DELETE, format!("{MAPS}/kube-root-ca.crt")),
    ] {
        let answer = http.send(method, &path, large.clone()).await;
        check(answer, 413, "RequestEntityTooLarge", text);
    }
    assert_eq!(server.resource_version(), before);
    // Just below it is fine, as far as the object itself may be so large.
    let most = json!({"metadata": {"name": "a"}, "data": {"k": "x".repeat(1 << 20)}}).to_string();
    assert_eq!(http.send(Method::POST, MAPS, most).await.0, 201);
}

#[tokio::test]
async fn bodies_that_are_too_deep() {
    let (server, _, http) = start().await;
    let before = server.resource_version();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let (open_many, close_many) = (open.repeat(100_000), close.repeat(100_000));
        let inner = if open == "[" { "" } else { "1" };
        let body =
            format!("{{\"metadata\":{{\"name\":\"deep\"}},\"x\":{open_many}{inner}{close_many}}}");
        let first = &open[..1];
        let text = format!(
            "the object provided is unrecognized (must be of type ConfigMap): couldn't get \
             version/kind; json parse error: invalid character '{first}' exceeded max depth \
             ({{\"metadata\":{{\"name\":\"deep\"}},\"x ...)"
        );
        check(http.send(Method::POST, MAPS, body).await, 400, "BadRequest", &text);
    }
    let path = format!("{MAPS}/kube-root-ca.crt");
    let deep = format!("{{\"data\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(http.send(Method::PATCH, &path, deep).await.0, 400);
    // The server is as it was.
    assert_eq!(server.resource_version(), before);
    assert_eq!(http.send(Method::GET, MAPS, "").await.0, 200);
}

/// Waits until so many watches are open.
async fn watches(server: &ApiServer, wanted: usize) {
    let reached = async {
        while server.faults().watches() != wanted {
            tokio::task::yield_now().await;
        }
    };
    let many = || format!("{} watches, not {wanted}", server.faults().watches());
    tokio::time::timeout(HANG, reached).await.unwrap_or_else(|_| panic!("{}", many()));
}

async fn request(
    place: &Place,
    head: &str,
) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
    let mut stream = place.open("http/1.1").await;
    stream.write_all(head.as_bytes()).await.expect("written");
    stream.flush().await.expect("written");
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_costs_no_more_than_history() {
    let builder = ApiServer::builder().history(200, 1 << 30);
    let server = builder.listen().start().await.expect("starts");
    let (place, text) = (Place::of(&server), "x".repeat(64 << 10));
    let (slow, http) = (place.connect().await, place.connect().await);
    let start = server.resource_version();
    // A stream whose window is never given back: what the server may send is soon used up.
    let path = format!("{MAPS}?watch=true&resourceVersion={start}");
    let mut watch = slow.watch(&path).await;
    for index in 0..500 {
        let body = json!({"metadata": {"name": format!("m{index}")}, "data": {"k": &text}});
        assert_eq!(http.send(Method::POST, MAPS, body.to_string()).await.0, 201);
    }
    // It reads at last what had been sent, and then that it was too slow.
    let mut seen = 0;
    loop {
        let event = watch.next().await.expect("an event");
        match event.kind.as_str() {
            "ADDED" => {
                assert_eq!(event.name, format!("m{seen}"), "in order, without a gap");
                seen += 1;
            }
            "ERROR" => break,
            other => panic!("{other}"),
        }
    }
    assert!(seen < 400, "{seen} events were kept for it");
    assert!(watch.next().await.is_none());
    watches(&server, 0).await;
    // From where it was it cannot go on, and a new list it can have.
    let mut again = http.watch(&path).await;
    assert_eq!(again.next().await.expect("an event").kind, "ERROR");
    assert_eq!(http.send(Method::GET, &format!("{MAPS}?limit=1"), "").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_half_closed() {
    let (server, place, http) = start().await;
    let revision = server.resource_version();
    // A client that will send nothing more, in the middle of a watch: it is gone.
    let path = format!("{MAPS}?watch=true&resourceVersion={revision}");
    let mut stream = request(&place, &format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
    watches(&server, 1).await;
    stream.shutdown().await.expect("half closed");
    watches(&server, 0).await;
    drop(stream);
    // One that leaves without a word.
    let stream = request(&place, &format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
    watches(&server, 1).await;
    drop(stream);
    watches(&server, 0).await;
    // One that leaves in the middle of a body: nothing is written.
    let post = format!(
        "POST {MAPS} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: \
         100\r\n\r\n{{\"metadata\":{{\"name\":\"half\"}}"
    );
    let mut stream = request(&place, &post).await;
    stream.shutdown().await.expect("half closed");
    let mut answer = Vec::new();
    // Whatever it is told, the connection ends.
    let read = tokio::time::timeout(HANG, stream.read_to_end(&mut answer)).await;
    let _ = read.expect("no hang");
    let told = String::from_utf8_lossy(&answer);
    let expected = told.starts_with("HTTP/1.1 500 ") && told.contains("unexpected EOF");
    assert!(told.is_empty() || expected, "{told}");
    assert_eq!(http.send(Method::GET, &format!("{MAPS}/half"), "").await.0, 404);
    assert_eq!(server.resource_version(), revision);
    // One of many streams of a connection is reset, the others go on.
    let mut one = http.watch(&path).await;
    let other = http.watch(&path).await;
    watches(&server, 2).await;
    drop(other);
    watches(&server, 1).await;
    let body = json!({"metadata": {"name": "a"}}).to_string();
    assert_eq!(http.send(Method::POST, MAPS, body).await.0, 201);
    assert_eq!(one.next().await.expect("an event").name, "a");
}
