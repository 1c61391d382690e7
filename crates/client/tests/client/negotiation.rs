//! Falling back from protobuf to JSON.

use crate::fake::{Fake, Reply};
use pintle_api::apps_v1::Deployment;
use pintle_api::core_v1::Pod;
use pintle_apimachinery::{Codec, Format, ListOptions, Object, ObjectList};
use serde_json::json;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

fn named(name: &str) -> Pod {
    let mut pod = Pod::default();
    pod.metadata.name = name.into();
    pod
}

#[tokio::test]
async fn a_server_that_refuses_protobuf_gets_json_from_then_on() {
    let fake = Fake::new(|seen| {
        Ok(if seen.header("content-type") == PROTOBUF {
            Reply::status(415, "UnsupportedMediaType", "no protobuf here")
        } else {
            Reply::json(json!({"metadata": {"name": "x"}}))
        })
    });
    let client = fake.client();
    let pods = client.namespaced::<Pod>("a");
    assert_eq!(pods.create(&named("x")).await.unwrap().name(), "x");
    assert_eq!(pods.update(&named("x")).await.unwrap().name(), "x");
    client.all::<Pod>().in_namespace("a").get("x").await.unwrap();
    let deployment = Deployment { metadata: named("d").metadata, ..Default::default() };
    client.namespaced::<Deployment>("a").create(&deployment).await.unwrap();
    let seen: Vec<_> = fake.seen();
    let types: Vec<_> = seen.iter().map(|s| s.header("content-type")).collect();
    let json = "application/json";
    // Another group version is asked on its own.
    assert_eq!(types, [PROTOBUF, json, json, "", PROTOBUF, json]);
    assert_eq!(seen[1].json()["metadata"]["name"], "x");
    assert_eq!(seen[3].header("accept"), json);
}

#[tokio::test]
async fn a_server_that_cannot_answer_in_protobuf_is_asked_for_json() {
    let fake = Fake::new(|seen| {
        Ok(if seen.header("accept").contains(PROTOBUF) {
            Reply::status(406, "NotAcceptable", "only JSON")
        } else {
            Reply::json(json!({"metadata": {"name": "x"}}))
        })
    });
    let pods = fake.client().namespaced::<Pod>("a");
    for _ in 0..2 {
        assert_eq!(pods.get("x").await.unwrap().name(), "x");
    }
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test]
async fn other_refusals_are_not_taken_for_that() {
    let fake = Fake::always(|| Reply::status(400, "BadRequest", "no"));
    let pods = fake.client().namespaced::<Pod>("a");
    assert!(pods.create(&named("x")).await.unwrap_err().is_bad_request());
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn answers_in_either_format_and_in_none() {
    let list = ObjectList::<Pod> { items: vec![named("a"), named("b")], ..Default::default() };
    for format in [Format::Protobuf, Format::Json] {
        for size in [1, 7, 100_000] {
            let mut body = Vec::new();
            list.encode(format, &mut body).unwrap();
            let fake = Fake::always(move || {
                Reply::new(200, format.content_type(), body.clone()).cut(size)
            });
            let found = fake.client().all::<Pod>().list(&ListOptions::default()).await.unwrap();
            assert_eq!(found, list, "{format:?} in pieces of {size}");
        }
    }
    let mut body = Vec::new();
    named("x").encode(Format::Protobuf, &mut body).unwrap();
    let fake = Fake::always(move || Reply::new(200, PROTOBUF, body.clone()));
    assert_eq!(fake.client().namespaced::<Pod>("a").get("x").await.unwrap(), named("x"));

    let fake = Fake::always(|| Reply::new(200, "text/html", "<html>"));
    let error = fake.client().namespaced::<Pod>("a").get("x").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer has text/html, not JSON or protobuf (GET /api/v1/namespaces/a/pods/x)"
    );
    let fake = Fake::always(|| Reply::json(json!({"kind": "Node", "apiVersion": "v1"})));
    let error = fake.client().namespaced::<Pod>("a").get("x").await.unwrap_err();
    assert!(error.is_decode(), "{error}");
    assert!(error.to_string().ends_with("(GET /api/v1/namespaces/a/pods/x)"), "{error}");
}
