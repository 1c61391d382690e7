//! Create, get, update and status of built-in objects.

use serde_json::json;

use crate::client::start;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

fn deployment(replicas: i32) -> serde_json::Value {
    json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
        "status": {"replicas": 7},
    })
}

#[tokio::test]
async fn what_the_server_sets_is_the_servers() {
    let client = start().await;
    let sent = json!({
        "metadata": {
            "name": "a", "uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z",
            "deletionTimestamp": "2001-01-01T00:00:00Z", "generation": 7,
        },
        "data": {"k": "v"},
    });
    let created = client.post(MAPS, sent).await.expect(201);
    assert_eq!(created["kind"], "ConfigMap");
    assert_eq!(created["apiVersion"], "v1");
    assert_eq!(created["data"], json!({"k": "v"}));
    let meta = &created["metadata"];
    assert_eq!(meta["namespace"], "default");
    assert_ne!(meta["uid"], "mine");
    assert_ne!(meta["creationTimestamp"], "2001-01-01T00:00:00Z");
    assert!(meta.get("deletionTimestamp").is_none());
    assert_eq!(meta["generation"], 7, "a kind without generations does not look at it");
    let version: u64 = meta["resourceVersion"].as_str().expect("a version").parse().expect("u64");
    assert_eq!(version, client.server.resource_version());
    assert_eq!(client.get(&format!("{MAPS}/a")).await.expect(200), created);
}

#[tokio::test]
async fn names_are_generated() {
    let client = start().await;
    let base = "x".repeat(70);
    let body = json!({"metadata": {"generateName": base}});
    let created = client.post(MAPS, body).await.expect(201);
    let name = created["metadata"]["name"].as_str().expect("a name");
    assert_eq!(name.len(), 63);
    assert!(name.starts_with(&"x".repeat(58)));
    let again = client.post(MAPS, json!({"metadata": {"generateName": "x"}})).await.expect(201);
    assert_ne!(again["metadata"]["name"], created["metadata"]["name"]);
}

#[tokio::test]
async fn updates_are_checked_against_the_version() {
    let client = start().await;
    let mut map = client.post(MAPS, json!({"metadata": {"name": "a"}})).await.expect(201);
    let first = map["metadata"]["resourceVersion"].clone();
    map["data"] = json!({"k": "v"});
    let updated = client.put(&format!("{MAPS}/a"), map.clone()).await.expect(200);
    assert_ne!(updated["metadata"]["resourceVersion"], first);
    assert_eq!(updated["metadata"]["uid"], map["metadata"]["uid"]);
    let stale = client.put(&format!("{MAPS}/a"), map).await;
    let status = stale.fails(
        409,
        "Conflict",
        "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please \
         apply your changes to the latest version and try again",
    );
    assert_eq!(status["details"], json!({"name": "a", "kind": "configmaps"}));
    // Without a version the last word counts.
    let body = json!({"metadata": {"name": "a"}, "data": {"k": "w"}});
    let forced = client.put(&format!("{MAPS}/a"), body).await.expect(200);
    assert_eq!(forced["data"]["k"], "w");
    assert_eq!(forced["metadata"]["creationTimestamp"], updated["metadata"]["creationTimestamp"]);
}

#[tokio::test]
async fn an_update_without_a_change_is_none() {
    let client = start().await;
    let map = client.post(MAPS, json!({"metadata": {"name": "a"}})).await.expect(201);
    let before = client.server.resource_version();
    let same = client.put(&format!("{MAPS}/a"), map.clone()).await.expect(200);
    assert_eq!(same, map);
    let patched = client.patch(&format!("{MAPS}/a"), "merge-patch+json", json!({})).await;
    assert_eq!(patched.expect(200), map);
    assert_eq!(client.server.resource_version(), before);
}

#[tokio::test]
async fn some_kinds_are_created_by_put() {
    let client = start().await;
    let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l";
    let lease = json!({"metadata": {"name": "l"}, "spec": {}});
    client.put(path, lease.clone()).await.expect(201);
    client.put(path, lease).await.fails(
        422,
        "Invalid",
        "leases.coordination.k8s.io \"l\" is invalid: metadata.resourceVersion: Invalid value: 0: \
         must be specified for an update",
    );
    let missing = json!({"metadata": {"name": "nope"}});
    let answer = client.put(&format!("{MAPS}/nope"), missing).await;
    answer.fails(404, "NotFound", "configmaps \"nope\" not found");
}

#[tokio::test]
async fn status_and_spec_are_written_apart() {
    let client = start().await;
    let created = client.post(DEPLOYMENTS, deployment(1)).await.expect(201);
    assert_eq!(created["status"], json!({}), "create drops the status");
    assert_eq!(created["metadata"]["generation"], 1);

    let mut changed = created.clone();
    changed["spec"]["replicas"] = 5.into();
    changed["metadata"]["labels"] = json!({"a": "b"});
    changed["status"] = json!({"replicas": 3});
    let path = format!("{DEPLOYMENTS}/web");
    let status = client.put(&format!("{path}/status"), changed.clone()).await.expect(200);
    assert_eq!(status["spec"]["replicas"], 1);
    assert_eq!(status["status"]["replicas"], 3);
    assert_eq!(status["metadata"]["generation"], 1);
    assert!(status["metadata"].get("labels").is_none(), "labels stay, of Deployments");
    let note = json!({"metadata": {"annotations": {"a": "b"}}});
    let status = client.patch(&format!("{path}/status"), "merge-patch+json", note).await;
    let status = status.expect(200);
    assert_eq!(status["metadata"]["annotations"], json!({"a": "b"}));

    changed["metadata"]["resourceVersion"] = status["metadata"]["resourceVersion"].clone();
    changed["status"] = json!({"replicas": 9});
    let main = client.put(&path, changed).await.expect(200);
    assert_eq!(main["spec"]["replicas"], 5);
    assert_eq!(main["status"]["replicas"], 3);
    assert_eq!(main["metadata"]["generation"], 2);
    assert_eq!(client.get(&format!("{path}/status")).await.expect(200), main);
}

#[tokio::test]
async fn dry_run_changes_nothing() {
    let client = start().await;
    let before = client.server.resource_version();
    let body = json!({"metadata": {"name": "a"}});
    let created = client.post(&format!("{MAPS}?dryRun=All"), body.clone()).await.expect(201);
    assert!(created["metadata"].get("resourceVersion").is_none());
    assert!(created["metadata"].get("uid").is_some());
    assert_eq!(client.server.resource_version(), before);
    client.get(&format!("{MAPS}/a")).await.fails(404, "NotFound", "configmaps \"a\" not found");
    client.post(MAPS, body).await.expect(201);
    let change = json!({"data": {"k": "v"}});
    let path = format!("{MAPS}/a?dryRun=All");
    let patched = client.patch(&path, "merge-patch+json", change).await.expect(200);
    assert_eq!(patched["data"]["k"], "v");
    client.delete(&path).await.expect(200);
    let kept = client.get(&format!("{MAPS}/a")).await.expect(200);
    assert!(kept.get("data").is_none());
}

#[tokio::test]
async fn pods_secrets_and_namespaces_have_their_ways() {
    let client = start().await;
    let pod = json!({
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running"},
    });
    let pod = client.post("/api/v1/namespaces/default/pods", pod).await.expect(201);
    assert_eq!(pod["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
    let secret = json!({"metadata": {"name": "s"}, "stringData": {"a": "b"}});
    let secret = client.post("/api/v1/namespaces/default/secrets", secret).await.expect(201);
    assert_eq!(secret["data"], json!({"a": "Yg=="}));
    assert_eq!(secret["type"], "Opaque");
    assert!(secret.get("stringData").is_none());
    let namespace = json!({"metadata": {"name": "n"}});
    let namespace = client.post("/api/v1/namespaces", namespace).await.expect(201);
    assert_eq!(namespace["spec"], json!({"finalizers": ["kubernetes"]}));
    assert_eq!(namespace["status"], json!({"phase": "Active"}));
    assert_eq!(namespace["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "n"}));
}

#[tokio::test]
async fn events_are_one_in_both_groups() {
    let client = start().await;
    let event = json!({
        "metadata": {"name": "e"}, "reason": "Tested", "message": "m", "type": "Normal",
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
    });
    let created = client.post("/api/v1/namespaces/default/events", event).await.expect(201);
    let path = "/apis/events.k8s.io/v1/namespaces/default/events";
    let other = client.get(&format!("{path}/e")).await.expect(200);
    assert_eq!(other["apiVersion"], "events.k8s.io/v1");
    assert_eq!(other["regarding"]["name"], "p");
    assert_eq!(other["note"], "m");
    assert_eq!(other["metadata"]["uid"], created["metadata"]["uid"]);
    let list = client.get(&format!("{path}?fieldSelector=regarding.name%3Dp")).await.expect(200);
    assert_eq!(list["items"][0]["note"], "m");
    let new = json!({
        "metadata": {"name": "f"}, "reason": "r", "note": "n", "action": "a", "type": "Normal",
        "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "c",
        "reportingInstance": "i", "regarding": {"kind": "Pod", "name": "q"},
    });
    client.post(path, new).await.expect(201);
    let old = client.get("/api/v1/namespaces/default/events/f").await.expect(200);
    assert_eq!(old["involvedObject"]["name"], "q");
    assert_eq!(old["reportingComponent"], "c");
}

#[tokio::test]
async fn scales_change_replicas_only() {
    let client = start().await;
    client.post(DEPLOYMENTS, deployment(2)).await.expect(201);
    let path = format!("{DEPLOYMENTS}/web/scale");
    let mut scale = client.get(&path).await.expect(200);
    assert_eq!(scale["kind"], "Scale");
    assert_eq!(scale["apiVersion"], "autoscaling/v1");
    assert_eq!(scale["spec"], json!({"replicas": 2}));
    assert_eq!(scale["status"], json!({"replicas": 0, "selector": "app=web"}));
    scale["spec"]["replicas"] = 4.into();
    let written = client.put(&path, scale.clone()).await.expect(200);
    assert_eq!(written["spec"]["replicas"], 4);
    client.put(&path, scale).await.expect(409);
    let patch = json!({"spec": {"replicas": 5}});
    let written = client.patch(&path, "merge-patch+json", patch).await.expect(200);
    assert_eq!(written["spec"]["replicas"], 5);
    let web = client.get(&format!("{DEPLOYMENTS}/web")).await.expect(200);
    assert_eq!(web["spec"]["replicas"], 5);
    assert_eq!(web["metadata"]["generation"], 3);
    let patch = json!({"spec": {"replicas": -1}});
    client.patch(&path, "merge-patch+json", patch).await.expect(422);
}
