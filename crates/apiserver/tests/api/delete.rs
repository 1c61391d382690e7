//! Deletes: finalizers, preconditions, propagation, collections, namespaces.

use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, eventually, start};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn owned(client: &Client, name: &str, owners: &[(&Value, bool)]) -> Value {
    let owners: Vec<Value> = owners
        .iter()
        .map(|(owner, blocks)| {
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
                "blockOwnerDeletion": blocks,
            })
        })
        .collect();
    let body = json!({"metadata": {"name": name, "ownerReferences": owners}});
    client.post(MAPS, body).await.expect(201)
}

async fn is_gone(client: &Client, name: &str) -> bool {
    client.get(&format!("{MAPS}/{name}")).await.code == 404
}

async fn finalize(client: &Client, name: &str, finalizers: Value) -> Value {
    let change = json!({"metadata": {"finalizers": finalizers}});
    client.patch(&format!("{MAPS}/{name}"), "merge-patch+json", change).await.body
}

#[tokio::test]
async fn what_a_delete_answers_differs_by_kind() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let uid = client.get(&format!("{MAPS}/a")).await.body["metadata"]["uid"].clone();
    assert_eq!(
        client.delete(&format!("{MAPS}/a")).await.expect(200),
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": {"name": "a", "kind": "configmaps", "uid": uid},
        })
    );
    client.delete(&format!("{MAPS}/a")).await.fails(404, "NotFound", "configmaps \"a\" not found");
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    client.post(accounts, json!({"metadata": {"name": "s"}})).await.expect(201);
    let deleted = client.delete(&format!("{accounts}/s")).await.expect(200);
    assert_eq!(deleted["kind"], "ServiceAccount");
}

#[tokio::test]
async fn finalizers_hold_an_object() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    finalize(&client, "a", json!(["x.y/z"])).await;
    let path = format!("{MAPS}/a");
    let deleting = client.delete(&path).await.expect(200);
    assert_eq!(deleting["kind"], "ConfigMap");
    assert_eq!(deleting["metadata"]["deletionGracePeriodSeconds"], 0);
    let since = deleting["metadata"]["deletionTimestamp"].clone();
    assert!(since.is_string());
    let before = client.server.resource_version();
    assert_eq!(client.delete(&path).await.expect(200), deleting, "again changes nothing");
    assert_eq!(client.server.resource_version(), before);
    let change = json!({"metadata": {"finalizers": ["x.y/z", "a.b/c"]}});
    client.patch(&path, "merge-patch+json", change).await.fails(
        422,
        "Invalid",
        "ConfigMap \"a\" is invalid: metadata.finalizers: Forbidden: no new finalizers can be \
         added if the object is being deleted, found new finalizers []string{\"a.b/c\"}",
    );
    let last = finalize(&client, "a", Value::Null).await;
    assert_eq!(last["metadata"]["deletionTimestamp"], since);
    assert!(is_gone(&client, "a").await);
}

#[tokio::test]
async fn preconditions_name_the_kind() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let path = format!("{MAPS}/a");
    let map = client.get(&path).await.expect(200);
    let (uid, version) = (&map["metadata"]["uid"], &map["metadata"]["resourceVersion"]);
    let delete = |preconditions: Value| {
        client.call(Method::DELETE, &path, json!({ "preconditions": preconditions }))
    };
    delete(json!({"uid": "x"})).await.fails(
        409,
        "Conflict",
        &format!(
            "Operation cannot be fulfilled on ConfigMap \"a\": the UID in the precondition (x) \
             does not match the UID in record ({}). The object might have been deleted and then \
             recreated",
            uid.as_str().expect("a UID")
        ),
    );
    delete(json!({"resourceVersion": "1"})).await.fails(
        409,
        "Conflict",
        &format!(
            "Operation cannot be fulfilled on ConfigMap \"a\": the ResourceVersion in the \
             precondition (1) does not match the ResourceVersion in record ({}). The object might \
             have been modified",
            version.as_str().expect("a version")
        ),
    );
    delete(json!({"uid": uid, "resourceVersion": version})).await.expect(200);
}

#[tokio::test]
async fn dependents_go_when_their_last_owner_goes() {
    let client = start().await;
    client.config_maps("default", &["one", "two"]).await;
    let one = client.get(&format!("{MAPS}/one")).await.body;
    let two = client.get(&format!("{MAPS}/two")).await.body;
    owned(&client, "of-one", &[(&one, false)]).await;
    owned(&client, "of-both", &[(&one, false), (&two, false)]).await;
    client.delete(&format!("{MAPS}/one")).await.expect(200);
    eventually(async || is_gone(&client, "of-one").await).await;
    eventually(async || {
        let map = client.get(&format!("{MAPS}/of-both")).await.body;
        map["metadata"]["ownerReferences"].as_array().is_some_and(|owners| owners.len() == 1)
    })
    .await;
    client.delete(&format!("{MAPS}/two")).await.expect(200);
    eventually(async || is_gone(&client, "of-both").await).await;
    // An owner that never was does not keep anything either.
    let ghost = json!({"metadata": {"name": "ghost", "uid": "no-such-uid"}});
    owned(&client, "of-ghost", &[(&ghost, false)]).await;
    eventually(async || is_gone(&client, "of-ghost").await).await;
}

#[tokio::test]
async fn orphans_stay_and_foreground_waits() {
    let client = start().await;
    client.config_maps("default", &["one", "two"]).await;
    let one = client.get(&format!("{MAPS}/one")).await.body;
    let two = client.get(&format!("{MAPS}/two")).await.body;
    owned(&client, "orphan", &[(&one, true)]).await;
    owned(&client, "blocker", &[(&two, true)]).await;
    finalize(&client, "blocker", json!(["x.y/z"])).await;
    let policy = |policy: &str| json!({ "propagationPolicy": policy });
    let deleting = client.call(Method::DELETE, &format!("{MAPS}/one"), policy("Orphan")).await;
    assert_eq!(deleting.expect(200)["metadata"]["finalizers"], json!(["orphan"]));
    eventually(async || is_gone(&client, "one").await).await;
    let orphan = client.get(&format!("{MAPS}/orphan")).await.expect(200);
    assert!(orphan["metadata"].get("ownerReferences").is_none());

    client.call(Method::DELETE, &format!("{MAPS}/two"), policy("Foreground")).await.expect(200);
    eventually(async || {
        let map = client.get(&format!("{MAPS}/blocker")).await.body;
        map["metadata"].get("deletionTimestamp").is_some()
    })
    .await;
    client.get(&format!("{MAPS}/two")).await.expect(200);
    finalize(&client, "blocker", Value::Null).await;
    eventually(async || is_gone(&client, "two").await).await;
    assert!(is_gone(&client, "blocker").await);

    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    let job = json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {
        "containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}}}});
    client.post(jobs, job).await.expect(201);
    let deleting = client.delete(&format!("{jobs}/j")).await.expect(200);
    assert_eq!(deleting["metadata"]["finalizers"], json!(["orphan"]), "Jobs orphan by default");
}

#[tokio::test]
async fn collections_are_deleted_by_selection() {
    let client = start().await;
    client.config_maps("default", &["a", "b"]).await;
    client.config_maps("kube-system", &["a"]).await;
    let list = client.delete(&format!("{MAPS}?labelSelector=app%3Da")).await.expect(200);
    assert_eq!(list["kind"], "ConfigMapList");
    assert_eq!(list["items"][0]["metadata"]["name"], "a");
    assert!(is_gone(&client, "a").await);
    assert!(!is_gone(&client, "b").await);
    client.get("/api/v1/namespaces/kube-system/configmaps/a").await.expect(200);
}

#[tokio::test]
async fn pods_on_a_node_have_a_grace_period() {
    let client = start().await;
    let pods = "/api/v1/namespaces/default/pods";
    let pod = |name: &str, spec: Value| json!({"metadata": {"name": name}, "spec": spec});
    let containers = json!([{"name": "c", "image": "i"}]);
    let spec =
        json!({"containers": containers, "nodeName": "n", "terminationGracePeriodSeconds": 7});
    client.post(pods, pod("on", spec)).await.expect(201);
    client.post(pods, pod("off", json!({"containers": containers}))).await.expect(201);
    client.delete(&format!("{pods}/off")).await.expect(200);
    client.get(&format!("{pods}/off")).await.expect(404);
    let path = format!("{pods}/on");
    let deleting = client.delete(&path).await.expect(200);
    assert_eq!(deleting["metadata"]["deletionGracePeriodSeconds"], 7);
    assert_eq!(deleting["metadata"]["generation"], 2);
    let same = client.delete(&path).await.expect(200);
    assert_eq!(same, deleting);
    client.call(Method::DELETE, &path, json!({"gracePeriodSeconds": 0})).await.expect(200);
    client.get(&path).await.expect(404);
}

#[tokio::test]
async fn namespaces_end_with_their_content() {
    let client = start().await;
    client.post("/api/v1/namespaces", json!({"metadata": {"name": "n"}})).await.expect(201);
    client.config_maps("n", &["a", "b"]).await;
    let hold = json!({"metadata": {"finalizers": ["x.y/z"]}});
    let held = "/api/v1/namespaces/n/configmaps/b";
    client.patch(held, "merge-patch+json", hold).await.expect(200);
    let deleting = client.delete("/api/v1/namespaces/n").await.expect(200);
    assert_eq!(deleting["status"]["phase"], "Terminating");
    let body = json!({"metadata": {"name": "c"}});
    let refused = client.post("/api/v1/namespaces/n/configmaps", body);
    let status = refused.await.fails(
        403,
        "Forbidden",
        "configmaps \"c\" is forbidden: unable to create new content in namespace n because it is \
         being terminated",
    );
    assert_eq!(status["details"]["causes"][0]["reason"], "NamespaceTerminating");
    eventually(async || client.get("/api/v1/namespaces/n/configmaps/a").await.code == 404).await;
    client.get("/api/v1/namespaces/n").await.expect(200);
    let free = json!({"metadata": {"finalizers": null}});
    client.patch(held, "merge-patch+json", free).await.expect(200);
    eventually(async || client.get("/api/v1/namespaces/n").await.code == 404).await;
    for name in ["default", "kube-system", "kube-public"] {
        client.delete(&format!("/api/v1/namespaces/{name}")).await.fails(
            403,
            "Forbidden",
            &format!("namespaces \"{name}\" is forbidden: this namespace may not be deleted"),
        );
    }
}

#[tokio::test]
async fn options_are_checked() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let path = format!("{MAPS}/a");
    let body = json!({"propagationPolicy": "x"});
    client.call(Method::DELETE, &path, body).await.fails(
        422,
        "Invalid",
        "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"x\": \
         supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
    );
    client.delete(&format!("{path}?propagationPolicy=Orphan&dryRun=All")).await.expect(200);
    assert!(!is_gone(&client, "a").await);
}
