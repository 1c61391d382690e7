//! The kit for tests: manifests, faults, time.

use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Full};
use pintle_apimachinery::{Object, Time};
use pintle_apiserver::ApiServer;
use pintle_apiserver::testing::{Clock, Fault};
use serde_json::{Value, json};

use crate::client::{Client, quiet, start, start_with};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test]
async fn manifests_come_in_the_order_they_need() {
    let client = start().await;
    let made = client
        .server
        .load(
            "
# Nothing but a comment.
---
apiVersion: ex.io/v1
kind: Foo
metadata: {name: x, namespace: salon}
spec: {size: 1}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: salon}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.ex.io}
spec:
  group: ex.io
  scope: Namespaced
  names: {plural: foos, kind: Foo}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    subresources: {status: {}}
",
        )
        .await
        .expect("loaded");
    let names: Vec<_> = made.iter().map(Object::name).collect();
    assert_eq!(names, ["foos.ex.io", "salon", "x", "a"]);
    client.get("/apis/ex.io/v1/namespaces/salon/foos/x").await.expect(200);
    assert_eq!(client.get(&format!("{MAPS}/a")).await.expect(200)["data"], json!({"k": "v"}));
    // Again: everything is replaced, the status too.
    let again = "
apiVersion: ex.io/v1
kind: Foo
metadata: {name: x, namespace: salon}
spec: {size: 2}
status: {ready: true}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
";
    client.server.load(again).await.expect("loaded");
    let foo = client.get("/apis/ex.io/v1/namespaces/salon/foos/x").await.expect(200);
    assert_eq!((&foo["spec"], &foo["status"]), (&json!({"size": 2}), &json!({"ready": true})));
    assert_eq!(client.get(&format!("{MAPS}/a")).await.expect(200).get("data"), None);
}

#[tokio::test]
async fn manifests_that_do_not_fit_say_where() {
    let client = start().await;
    for (manifest, expect) in [
        ("a: [", "document 1: "),
        ("just words", "document 1 is no object"),
        (
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\n{apiVersion: v1, kind: Pud, metadata: {name: p}}",
            "document 2, v1 Pud p: v1 Pud is not served",
        ),
        (
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: A_}}",
            "document 1, v1 ConfigMap A_: ",
        ),
        (
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: nowhere}}",
            "namespaces \"nowhere\" not found",
        ),
        // The plural is taken, so it is not served.
        (
            "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: one.ex.io}, spec: {group: ex.io, scope: Cluster, names: {plural: one, kind: One}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}\n---\n{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: two.ex.io}, spec: {group: ex.io, scope: Cluster, names: {plural: two, kind: One}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}",
            "the definition is not served: ",
        ),
    ] {
        let error = client.server.load(manifest).await.expect_err(manifest).to_string();
        assert!(error.contains(expect), "{error}");
    }
}

#[tokio::test]
async fn refusals_are_told_as_kubernetes_tells_them() {
    let client = start().await;
    for (code, reason) in [
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
        (504, "Timeout"),
        (429, "TooManyRequests"),
        (410, "Expired"),
        (409, "Conflict"),
    ] {
        let fault = client.server.faults().inject(Fault::status(code).verb("list").times(1));
        let refused = client.get(MAPS).await.expect(code);
        assert_eq!((&refused["reason"], &refused["code"]), (&reason.into(), &code.into()));
        client.get(MAPS).await.expect(200);
        assert_eq!(fault.hits(), 1);
    }
    client.server.faults().inject(Fault::retry_after(503, 7).times(1));
    let refused = client.get(MAPS).await;
    assert_eq!(
        (refused.code, &refused.headers["retry-after"]),
        (503, &"7".parse().expect("a value"))
    );
}

#[tokio::test]
async fn faults_meet_whom_they_name_and_nobody_else() {
    let client = start().await;
    client.config_maps("default", &["a", "b"]).await;
    let all = [
        ("GET", format!("{MAPS}/a")),
        ("GET", format!("{MAPS}/b")),
        ("GET", MAPS.to_owned()),
        ("GET", "/api/v1/namespaces/kube-system/configmaps".to_owned()),
        ("GET", "/apis/apps/v1/deployments".to_owned()),
        ("GET", "/healthz".to_owned()),
    ];
    let faults = client.server.faults();
    let check = async |fault: Fault, expect: [bool; 6]| {
        let injected = faults.inject(fault);
        let mut met = Vec::new();
        for (method, path) in &all {
            let request = Request::builder().method(*method).uri(path);
            let answer = client.send(request.body(Full::default()).expect("a request")).await;
            met.push(answer.code == 500);
        }
        assert_eq!(met, expect, "{injected:?}");
        assert_eq!(injected.hits(), expect.iter().filter(|met| **met).count() as u64);
        injected.remove();
        client.get(MAPS).await.expect(200);
    };
    let fault = || Fault::status(500);
    check(fault(), [true; 6]).await;
    check(fault().method("POST"), [false; 6]).await;
    check(fault().path("/healthz"), [false, false, false, false, false, true]).await;
    check(fault().verb("list"), [false, false, true, true, true, false]).await;
    check(fault().group("apps"), [false, false, false, false, true, false]).await;
    check(fault().group(""), [true, true, true, true, false, false]).await;
    check(fault().resource("configmaps"), [true, true, true, true, false, false]).await;
    check(fault().namespace("default"), [true, true, true, false, false, false]).await;
    check(fault().name("b"), [false, true, false, false, false, false]).await;
    check(fault().subresource("status"), [false; 6]).await;
    faults.inject(fault());
    faults.inject(fault());
    faults.clear();
    client.get(MAPS).await.expect(200);
}

#[tokio::test]
async fn delays_are_of_the_servers_time() {
    let clock = Clock::new();
    let client = start_with(quiet().manual_clock(&clock)).await;
    let fault = client.server.faults().inject(Fault::delay(Duration::from_secs(5)).times(1));
    let waiting = client.get(MAPS);
    tokio::pin!(waiting);
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("it waits"),
        () = fault.met(1) => {}
    }
    clock.advance(Duration::from_millis(4_999));
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("it still waits"),
        () = std::future::ready(()) => {}
    }
    clock.advance(Duration::from_millis(1));
    waiting.await.expect(200);
}

#[tokio::test]
async fn answers_break_off_in_the_middle() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let whole = client.get(MAPS).await.bytes;
    client.server.faults().inject(Fault::break_off().verb("list").times(1));
    let request = Request::get(MAPS).body(Full::default()).expect("a request");
    let mut body = client.open(request).await.into_body();
    let half = body.frame().await.expect("a frame").expect("data").into_data().expect("data");
    assert!(whole.starts_with(&half) && half.len() == whole.len() / 2);
    body.frame().await.expect("an error").expect_err("broken off");

    client.server.faults().inject(Fault::break_off().verb("watch").times(1));
    let path = format!("{MAPS}?watch=true&resourceVersion=0");
    let request = Request::get(path).body(Full::default()).expect("a request");
    let mut body = client.open(request).await.into_body();
    let half = body.frame().await.expect("a frame").expect("data").into_data().expect("data");
    assert!(half.starts_with(b"{\"type\":\"ADDED\"") && !half.ends_with(b"\n"));
    body.frame().await.expect("an error").expect_err("broken off");
}

#[tokio::test]
async fn watches_expire() {
    let client = start().await;
    // When they are opened,
    client.server.faults().inject(Fault::expired().verb("watch").times(1));
    let mut watch = client.watch(&format!("{MAPS}?watch=true")).await;
    let event = watch.next().await.expect("an event");
    assert_eq!((&event["type"], &event["object"]["code"]), (&"ERROR".into(), &410.into()));
    assert_eq!(watch.next().await, None);
    // and while they are open.
    let mut watch = client.watch(&format!("{MAPS}?watch=true&resourceVersion=1")).await;
    assert_eq!(client.server.faults().watches(), 1);
    client.server.faults().expire_watches();
    let event = watch.next().await.expect("an event");
    assert_eq!((&event["type"], &event["object"]["reason"]), (&"ERROR".into(), &"Expired".into()));
    assert_eq!(watch.next().await, None);
    assert_eq!(client.server.faults().watches(), 0);
}

fn version(event: &Value) -> &str {
    event["object"]["metadata"]["resourceVersion"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn time_is_in_the_hands_of_the_test() {
    let start = Time::parse("2030-01-01T00:00:00Z").expect("a time");
    let clock = Clock::at(start);
    let client: Client = start_with(quiet().manual_clock(&clock)).await;
    let seconds = Duration::from_secs;
    let map = client.post(MAPS, json!({"metadata": {"name": "a"}})).await.expect(201);
    assert_eq!(map["metadata"]["creationTimestamp"], "2030-01-01T00:00:00Z");
    // Bookmarks come each minute and before the end, and the watch ends at its time.
    let path =
        format!("{MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=100&resourceVersion=");
    let revision = client.server.resource_version();
    let mut watch = client.watch(&format!("{path}{revision}")).await;
    client.post(MAPS, json!({"metadata": {"name": "b"}})).await.expect(201);
    assert_eq!(watch.event().await, "ADDED b");
    client.post("/api/v1/namespaces", json!({"metadata": {"name": "n"}})).await.expect(201);
    let now = client.server.resource_version().to_string();
    clock.advance(seconds(60));
    let bookmark = watch.next().await.expect("a bookmark");
    assert_eq!((&bookmark["type"], version(&bookmark)), (&"BOOKMARK".into(), now.as_str()));
    clock.advance(seconds(38));
    assert_eq!(watch.next().await.expect("a bookmark")["type"], "BOOKMARK");
    clock.advance(seconds(2));
    assert_eq!(watch.next().await, None);
    // A version of the future is given up.
    let future = format!("{MAPS}?resourceVersion=1000000");
    let early = client.get(&future);
    tokio::pin!(early);
    tokio::select! {
        biased;
        _ = &mut early => panic!("it waits"),
        () = std::future::ready(()) => {}
    }
    clock.advance(seconds(3));
    early.await.expect(504);
    assert_eq!(clock.now(), Time::parse("2030-01-01T00:01:43Z").expect("a time"));
}

#[tokio::test]
async fn events_go_an_hour_after_they_were_written() {
    let clock = Clock::new();
    let client = start_with(quiet().manual_clock(&clock)).await;
    let events = "/api/v1/namespaces/default/events";
    let event = |name: &str| {
        json!({"metadata": {"name": name}, "reason": "R", "type": "Normal",
            "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}})
    };
    let names = async || {
        client.server.settled().await;
        let list = client.get(events).await.expect(200);
        let items = list["items"].as_array().expect("items").clone();
        items.iter().map(|e| e["metadata"]["name"].clone()).collect::<Vec<_>>()
    };
    client.post(events, event("once")).await.expect(201);
    client.post(events, event("twice")).await.expect(201);
    client.server.settled().await;
    let mut watch = client
        .watch(&format!(
            "{events}?watch=true&timeoutSeconds=100000&resourceVersion={}",
            client.server.resource_version()
        ))
        .await;
    clock.advance(Duration::from_secs(1_800));
    let again = json!({"count": 2});
    client.patch(&format!("{events}/twice"), "merge-patch+json", again).await.expect(200);
    assert_eq!(watch.event().await, "MODIFIED twice");
    assert_eq!(names().await, ["once", "twice"]);
    clock.advance(Duration::from_secs(1_800));
    assert_eq!(watch.event().await, "DELETED once");
    assert_eq!(names().await, ["twice"]);
    clock.advance(Duration::from_secs(1_799));
    assert_eq!(names().await, ["twice"]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(watch.event().await, "DELETED twice");
}

/// A whole server with everything the kit has, started and stopped: nothing hangs.
#[tokio::test]
async fn a_server_with_a_clock_that_stands_stops() {
    let server =
        ApiServer::builder().manual_clock(&Clock::new()).listen().start().await.expect("starts");
    server.shutdown().await;
}
