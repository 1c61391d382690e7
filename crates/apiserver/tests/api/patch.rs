//! Patches of every kind, and what is wrong with them.

use serde_json::{Value, json};

use crate::client::{Client, start};

const MAP: &str = "/api/v1/namespaces/default/configmaps/a";
const JSON: &str = "json-patch+json";
const MERGE: &str = "merge-patch+json";
const STRATEGIC: &str = "strategic-merge-patch+json";

async fn with_map() -> Client {
    let client = start().await;
    let body = json!({"metadata": {"name": "a"}, "data": {"k": "v"}});
    client.post("/api/v1/namespaces/default/configmaps", body).await.expect(201);
    client
}

#[tokio::test]
async fn three_kinds_do_the_same() {
    let client = with_map().await;
    for (kind, patch, expect) in [
        (MERGE, json!({"data": {"k": null, "m": "1"}}), json!({"m": "1"})),
        (
            JSON,
            json!([
                {"op": "test", "path": "/data/m", "value": "1"},
                {"op": "replace", "path": "/data/m", "value": "2"},
                {"op": "add", "path": "/data/n", "value": "3"},
            ]),
            json!({"m": "2", "n": "3"}),
        ),
        (STRATEGIC, json!({"data": {"n": null}}), json!({"m": "2"})),
    ] {
        let patched = client.patch(MAP, kind, patch).await.expect(200);
        assert_eq!(patched["data"], expect, "{kind}");
        assert_eq!(client.get(MAP).await.expect(200), patched);
    }
}

#[tokio::test]
async fn strategic_merge_knows_the_keys_of_lists() {
    let client = start().await;
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let body = json!({
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
                {"name": "a", "image": "1"}, {"name": "b", "image": "1"},
            ]}},
        },
    });
    client.post(deployments, body).await.expect(201);
    let patch = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "b", "image": "2"}]}}}});
    let path = format!("{deployments}/web");
    let patched = client.patch(&path, STRATEGIC, patch).await.expect(200);
    let containers = patched["spec"]["template"]["spec"]["containers"].as_array().expect("a list");
    let image =
        |name: &str| containers.iter().find(|c| c["name"] == name).map(|c| c["image"].clone());
    assert_eq!((image("a"), image("b")), (Some("1".into()), Some("2".into())));
    assert_eq!(patched["metadata"]["generation"], 2);
}

#[tokio::test]
async fn what_patches_may_not_touch() {
    let client = with_map().await;
    let patch = |metadata: Value| client.patch(MAP, MERGE, json!({ "metadata": metadata }));
    patch(json!({"uid": "x"})).await.fails(
        422,
        "Invalid",
        "ConfigMap \"a\" is invalid: metadata.uid: Invalid value: \"x\": field is immutable",
    );
    patch(json!({"name": "x"})).await.fails(
        400,
        "BadRequest",
        "the name of the object (x) does not match the name on the URL (a)",
    );
    patch(json!({"namespace": "x"})).await.fails(
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    );
    patch(json!({"resourceVersion": "1"})).await.fails(
        409,
        "Conflict",
        "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please \
         apply your changes to the latest version and try again",
    );
    patch(json!({"deletionTimestamp": "2020-01-01T00:00:00Z"})).await.fails(
        422,
        "Invalid",
        "ConfigMap \"a\" is invalid: metadata.deletionTimestamp: Invalid value: \
         \"2020-01-01T00:00:00Z\": field is immutable",
    );
    let before = client.get(MAP).await.expect(200);
    let same = patch(json!({"creationTimestamp": null, "generation": 5})).await.expect(200);
    assert_eq!(same, before, "these are the server's, silently");
}

#[tokio::test]
async fn malformed_patches() {
    let client = with_map().await;
    let rejected = "the server rejected our request due to an error in our request";
    for (kind, patch, code, reason, message) in [
        (MERGE, "{bad", 400, "BadRequest", "invalid JSON patch"),
        (JSON, "{bad", 400, "BadRequest", "invalid JSON patch"),
        (STRATEGIC, "{bad", 400, "BadRequest", "invalid JSON patch"),
        (
            MERGE,
            "[]",
            400,
            "BadRequest",
            "error decoding patch: json: cannot unmarshal array into Go value of type \
             map[string]interface {}",
        ),
        (
            STRATEGIC,
            "[]",
            400,
            "BadRequest",
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (
            JSON,
            "{}",
            400,
            "BadRequest",
            "error decoding patch: json: cannot unmarshal object into Go value of type \
             []handlers.jsonPatchOp",
        ),
        (JSON, r#"[{"op":"test","path":"/data/k","value":"z"}]"#, 422, "Invalid", rejected),
        (JSON, r#"[{"op":"remove","path":"/data/z"}]"#, 422, "Invalid", rejected),
        (JSON, r#"[{"op":"nope","path":"/data/z"}]"#, 422, "Invalid", rejected),
    ] {
        client.patch_text(MAP, kind, patch).await.fails(code, reason, message);
    }
    let many: Vec<Value> =
        (0..10_001).map(|_| json!({"op": "test", "path": "/data/k", "value": "v"})).collect();
    client.patch(MAP, JSON, many.into()).await.fails(
        413,
        "RequestEntityTooLarge",
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got \
         10001",
    );
    let wrong = client.patch(MAP, MERGE, json!({"data": {"k": 1}})).await.expect(422);
    assert_eq!(wrong["details"]["causes"][0]["field"], "patch");
    client.patch(MAP, "plain", json!({})).await.fails(
        415,
        "UnsupportedMediaType",
        "415: Unsupported Media Type",
    );
    client.patch(&format!("{MAP}?force=true"), MERGE, json!({})).await.fails(
        422,
        "Invalid",
        "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for \
         non-apply patch",
    );
}

#[tokio::test]
async fn apply_says_that_it_is_not_there() {
    let client = with_map().await;
    client.patch(MAP, "apply-patch+yaml", json!({})).await.fails(
        422,
        "Invalid",
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for \
         apply patch",
    );
    client.patch(&format!("{MAP}?fieldManager=m"), "apply-patch+yaml", json!({})).await.fails(
        501,
        "NotImplemented",
        "server-side apply is not implemented by the embedded API server",
    );
}

#[tokio::test]
async fn concurrent_patches_all_count() {
    let client = with_map().await;
    let patches = (0..20).map(|i| {
        let mut data = serde_json::Map::new();
        data.insert(format!("k{i}"), "v".into());
        let client = &client;
        async move { client.patch(MAP, MERGE, json!({ "data": data })).await.expect(200) }
    });
    for patch in patches {
        patch.await;
    }
    let map = client.get(MAP).await.expect(200);
    assert_eq!(map["data"].as_object().map(serde_json::Map::len), Some(21));
}
