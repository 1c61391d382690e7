//! What concerns requests and answers, whatever they are about: time, size, compression; and what
//! servers are told of at their start.

use std::convert::Infallible;
use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use pintle_apiserver::ApiServer;
use pintle_apiserver::testing::Clock;
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::client::{Client, quiet, start, start_with};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// The beginning of a body, and never its end.
struct Stalled(Option<Bytes>);

impl http_body::Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }
}

/// Posts a body that does not end, and moves the clock until the answer comes: how far that was.
async fn stalled(client: &Client, clock: &Clock, query: &str) -> (u64, Value) {
    let request = Request::post(format!("{MAPS}{query}"))
        .header("content-type", "application/json")
        .body(Stalled(Some(Bytes::from_static(b"{\"meta"))))
        .expect("a request");
    let mut answer = client.service.clone().call(request);
    let mut seconds = 0;
    let response = loop {
        tokio::select! {
            biased;
            response = &mut answer => break response,
            () = tokio::task::yield_now() => {
                clock.advance(Duration::from_secs(1));
                seconds += 1;
                assert!(seconds < 1_000, "no answer");
            }
        }
    };
    let Ok(response) = response;
    assert_eq!(response.status(), 504);
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (seconds, serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test]
async fn who_stops_in_the_middle_is_answered() {
    let clock = Clock::new();
    let client = start_with(quiet().manual_clock(&clock)).await;
    let (seconds, status) = stalled(&client, &clock, "").await;
    assert_eq!(seconds, 60);
    let message = "Timeout: request did not complete within the allotted timeout";
    assert_eq!((&status["reason"], &status["message"]), (&json!("Timeout"), &json!(message)));
    assert_eq!(stalled(&client, &clock, "?timeout=5s").await.0, 5);
    // Longer than everybody nobody gets.
    assert_eq!(stalled(&client, &clock, "?timeout=5h").await.0, 60);
    let short = quiet().manual_clock(&clock).request_timeout(Duration::from_secs(7));
    let client = start_with(short).await;
    assert_eq!(stalled(&client, &clock, "").await.0, 7);
}

#[tokio::test]
async fn watches_last_as_long_as_servers_are_told() {
    let clock = Clock::new();
    let builder = quiet().manual_clock(&clock).min_request_timeout(Duration::from_secs(10));
    let client = start_with(builder).await;
    let request = Request::get(format!("{MAPS}?watch=true")).body(Full::default());
    let mut watch = client.open(request.expect("a request")).await.into_body();
    let mut frames = std::pin::pin!(watch.frame());
    let mut seconds = 0;
    loop {
        tokio::select! {
            biased;
            end = &mut frames => break assert!(end.is_none(), "{end:?}"),
            () = tokio::task::yield_now() => {
                clock.advance(Duration::from_secs(1));
                seconds += 1;
                assert!(seconds <= 21, "it goes on");
            }
        }
    }
    assert!(seconds >= 10, "{seconds}");
}

async fn with_encoding(client: &Client, path: &str, accepted: &str) -> (http::HeaderMap, Bytes) {
    let request = Request::get(path).header("accept-encoding", accepted).body(Full::default());
    let response = client.open(request.expect("a request")).await;
    let (parts, body) = response.into_parts();
    (parts.headers, body.collect().await.expect("a body").to_bytes())
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_take_it() {
    let client = start().await;
    for name in ["a", "b"] {
        let map = json!({"metadata": {"name": name}, "data": {"k": "x".repeat(70 << 10)}});
        client.post(MAPS, map).await.expect(201);
    }
    let plain = client.get(MAPS).await;
    assert!(!plain.headers.contains_key("content-encoding"));
    for (accepted, compressed) in
        [("gzip", true), ("br, gzip", true), ("identity", false), ("gzip;q=0", false), ("*", false)]
    {
        let (headers, bytes) = with_encoding(&client, MAPS, accepted).await;
        let is = |name: &str, value: &str| headers.get(name).is_some_and(|got| got == value);
        assert_eq!(is("content-encoding", "gzip"), compressed, "{accepted}");
        assert_eq!(is("vary", "Accept-Encoding"), compressed, "{accepted}");
        let mut text = Vec::new();
        match compressed {
            true => flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).map(drop),
            false => std::io::Cursor::new(&bytes).read_to_end(&mut text).map(drop),
        }
        .expect("bytes");
        assert!(text == plain.bytes, "{accepted}");
    }
    // One alone is not large.
    let (headers, _) = with_encoding(&client, &format!("{MAPS}/a"), "gzip").await;
    assert!(!headers.contains_key("content-encoding"));
}

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.ex.io"},
        "spec": {
            "group": "ex.io", "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }},
            }],
        },
    })
}

const FOOS: &str = "/apis/ex.io/v1/namespaces/default/foos";

fn foo(name: &str, data: &str) -> Value {
    json!({"apiVersion": "ex.io/v1", "kind": "Foo", "metadata": {"name": name}, "data": data})
}

#[tokio::test]
async fn objects_are_as_large_as_etcd_takes() {
    let client = start().await;
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    client.post(definitions, definition()).await.expect(201);
    let before = client.server.resource_version();
    let answer = client.post(FOOS, foo("a", &"x".repeat(1600 << 10))).await;
    assert_eq!(answer.body["message"], "etcdserver: request is too large");
    assert_eq!((answer.code, answer.body["code"].as_u64()), (500, Some(500)));
    assert_eq!(client.server.resource_version(), before);
    client.post(FOOS, foo("a", &"x".repeat(1500 << 10))).await.expect(201);
}

#[tokio::test]
async fn versions_that_are_turned_off_are_not_there() {
    let builder = quiet().without_api("batch", "v1", "").without_api("apps", "v1", "daemonsets");
    let client = start_with(builder).await;
    client.get("/apis/batch/v1").await.expect(404);
    client.get("/apis/batch/v1/namespaces/default/jobs").await.expect(404);
    let groups = client.get("/apis").await.expect(200);
    let names: Vec<_> = groups["groups"].as_array().expect("groups").iter().collect();
    assert!(names.iter().all(|group| group["name"] != "batch"));
    client.get("/apis/apps/v1/namespaces/default/daemonsets").await.expect(404);
    client.get("/apis/apps/v1/namespaces/default/deployments").await.expect(200);
    assert!(pintle_apiserver::Builder::serves("batch", "v1"));
    assert!(!pintle_apiserver::Builder::serves("batch", "v1beta1"));
}

#[tokio::test]
async fn services_have_addresses_of_the_range() {
    let builder = quiet().service_cluster_ip_range("10.96.0.0/28").expect("a range");
    let builder = builder.service_node_port_range(31_000, 31_000).expect("a range");
    let client = start_with(builder).await;
    let services = "/api/v1/namespaces/default/services";
    let own = client.get(&format!("{services}/kubernetes")).await.expect(200);
    assert_eq!(own["spec"]["clusterIP"], "10.96.0.1");
    let service = json!({
        "metadata": {"name": "a"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]},
    });
    let made = client.post(services, service).await.expect(201);
    assert!(made["spec"]["clusterIP"].as_str().is_some_and(|ip| ip.starts_with("10.96.0.")));
    assert_eq!(made["spec"]["ports"][0]["nodePort"], 31_000);
    assert!(quiet().service_cluster_ip_range("fd00::/108").is_err());
}

#[tokio::test]
async fn what_a_server_had_another_has() {
    let client = start_with(ApiServer::builder()).await;
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    client.post(definitions, definition()).await.expect(201);
    client.post(FOOS, foo("a", "x")).await.expect(201);
    client.post(MAPS, json!({"metadata": {"name": "m"}, "data": {"k": "v"}})).await.expect(201);
    client.post(MAPS, json!({"metadata": {"name": "gone"}})).await.expect(201);
    client.delete(&format!("{MAPS}/gone")).await.expect(200);
    client.server.settled().await;
    let before = (
        client.get(&format!("{FOOS}/a")).await.expect(200),
        client.get(&format!("{MAPS}/m")).await.expect(200),
        client.get("/api/v1/namespaces/default").await.expect(200),
        client.get("/api/v1/namespaces/default/services/kubernetes").await.expect(200),
    );
    let revision = client.server.resource_version();
    let snapshot = client.server.into_snapshot().await;

    let client = start_with(ApiServer::builder().snapshot(snapshot)).await;
    let after = (
        client.get(&format!("{FOOS}/a")).await.expect(200),
        client.get(&format!("{MAPS}/m")).await.expect(200),
        client.get("/api/v1/namespaces/default").await.expect(200),
        client.get("/api/v1/namespaces/default/services/kubernetes").await.expect(200),
    );
    assert_eq!(before, after);
    client.get(&format!("{MAPS}/gone")).await.expect(404);
    // Old versions are forgotten, new ones come after those there were.
    let old = client.get(&format!("{MAPS}?watch=true&resourceVersion=2&timeoutSeconds=1")).await;
    assert!(String::from_utf8_lossy(&old.bytes).contains("too old resource version: 2"));
    let made = client.post(FOOS, foo("b", "y")).await.expect(201);
    let version: u64 =
        made["metadata"]["resourceVersion"].as_str().unwrap_or("0").parse().expect("a number");
    assert!(version > revision, "{version} after {revision}");
    for nonsense in ["", "{}", "{\"revision\":7}\n{"] {
        let failed = ApiServer::builder().snapshot(nonsense).start().await;
        assert!(failed.is_err_and(|error| error.is_invalid_argument()), "{nonsense}");
    }
}

#[tokio::test]
async fn pods_wait_for_their_account() {
    let client = start_with(ApiServer::builder()).await;
    let pod =
        json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    for round in 0..20 {
        let name = format!("n{round}");
        client.post("/api/v1/namespaces", json!({"metadata": {"name": name}})).await.expect(201);
        let made = client.post(&format!("/api/v1/namespaces/{name}/pods"), pod.clone()).await;
        assert_eq!(made.expect(201)["spec"]["serviceAccountName"], "default");
    }
    // Without a controller to make accounts, Pods need none, unless somebody says so.
    let client = start().await;
    let made = client.post("/api/v1/namespaces/default/pods", pod.clone()).await.expect(201);
    assert!(made["spec"].get("serviceAccountName").is_none());
    let strict = quiet().admission_plugin("ServiceAccount", true).expect("a plugin");
    let refused = start_with(strict).await.post("/api/v1/namespaces/default/pods", pod).await;
    let message = "pods \"p\" is forbidden: error looking up service account default/default: \
                   serviceaccount \"default\" not found";
    assert_eq!(refused.expect(403)["message"], message);
}
