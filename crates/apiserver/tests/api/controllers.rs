//! Controllers: what becomes of dependents, namespaces and what every namespace is given. The
//! expected states are those seen on a real control plane.

use pintle_apiserver::{ApiServer, Controllers};
use serde_json::{Value, json};

use crate::client::{Client, start, start_with};

const MAPS: &str = "/api/v1/namespaces/a/configmaps";

async fn prepared() -> Client {
    let client = start().await;
    client.post("/api/v1/namespaces", json!({"metadata": {"name": "a"}})).await.expect(201);
    client
}

fn owner(name: &str, uid: &str, blocks: bool) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid,
        "blockOwnerDeletion": blocks})
}

impl Client {
    /// A ConfigMap with owners and, if it is to stay for a while, a finalizer; answers its UID.
    async fn map(&self, name: &str, owners: &[Value], stays: bool) -> String {
        let finalizers: &[&str] = if stays { &["example.com/f"] } else { &[] };
        let body = json!({"metadata":
            {"name": name, "ownerReferences": owners, "finalizers": finalizers}});
        let made = self.post(MAPS, body).await.expect(201);
        made["metadata"]["uid"].as_str().expect("a UID").to_owned()
    }

    async fn remove(&self, name: &str, policy: &str) {
        let path = format!("{MAPS}/{name}");
        let body = json!({"propagationPolicy": policy});
        self.call(http::Method::DELETE, &path, body).await.expect(200);
    }

    async fn release(&self, name: &str) {
        let free = json!({"metadata": {"finalizers": null}});
        self.patch(&format!("{MAPS}/{name}"), "merge-patch+json", free).await.expect(200);
    }

    /// What there is, once the controllers have nothing to do: names, with finalizers and owners.
    async fn state(&self) -> Vec<String> {
        self.server.settled().await;
        let list = self.get(MAPS).await.expect(200);
        let items = list["items"].as_array().expect("items");
        let told = items.iter().map(|item| {
            let meta = &item["metadata"];
            let mut text = meta["name"].as_str().unwrap_or_default().to_owned();
            if meta.get("deletionTimestamp").is_some() {
                text += " going";
            }
            for finalizer in meta["finalizers"].as_array().into_iter().flatten() {
                text += &format!(" {}", finalizer.as_str().unwrap_or_default());
            }
            for owner in meta["ownerReferences"].as_array().into_iter().flatten() {
                text += &format!(" <{}>", owner["name"].as_str().unwrap_or_default());
            }
            text
        });
        told.collect()
    }
}

#[tokio::test]
async fn foreground_deletion_waits_for_what_blocks() {
    let client = prepared().await;
    let top = client.map("top", &[], false).await;
    let solid = client.map("solid", &[], false).await;
    client.map("blocks", &[owner("top", &top, true)], true).await;
    client.map("free", &[owner("top", &top, false)], true).await;
    client.map("two", &[owner("top", &top, true), owner("solid", &solid, true)], false).await;
    let mid = client.map("mid", &[owner("top", &top, true)], false).await;
    client.map("leaf", &[owner("mid", &mid, true)], false).await;
    let other = client.map("other", &[owner("top", &top, false)], false).await;
    client.map("other-leaf", &[owner("other", &other, true)], true).await;
    client.remove("top", "Foreground").await;
    assert_eq!(
        client.state().await,
        [
            "blocks going example.com/f <top>",
            "free going example.com/f <top>",
            "other going foregroundDeletion <top>",
            "other-leaf going example.com/f <other>",
            "solid",
            "top going foregroundDeletion",
            "two <solid>",
        ]
    );
    client.release("blocks").await;
    assert_eq!(
        client.state().await,
        [
            "free going example.com/f <top>",
            "other going foregroundDeletion <top>",
            "other-leaf going example.com/f <other>",
            "solid",
            "two <solid>",
        ]
    );
    client.release("other-leaf").await;
    client.release("free").await;
    assert_eq!(client.state().await, ["solid", "two <solid>"]);
}

#[tokio::test]
async fn owners_that_wait_for_each_other_go() {
    let client = prepared().await;
    let one = client.map("one", &[], false).await;
    let two = client.map("two", &[owner("one", &one, true)], false).await;
    let owners = json!({"metadata": {"ownerReferences": [owner("two", &two, true)]}});
    client.patch(&format!("{MAPS}/one"), "merge-patch+json", owners).await.expect(200);
    assert_eq!(client.state().await, ["one <two>", "two <one>"]);
    client.remove("one", "Foreground").await;
    assert_eq!(client.state().await, [""; 0]);
}

#[tokio::test]
async fn orphans_lose_one_owner_and_keep_the_others() {
    let client = prepared().await;
    let top = client.map("top", &[], false).await;
    let solid = client.map("solid", &[], false).await;
    client.map("one", &[owner("top", &top, false)], false).await;
    client.map("two", &[owner("top", &top, true), owner("solid", &solid, false)], false).await;
    client.remove("top", "Orphan").await;
    assert_eq!(client.state().await, ["one", "solid", "two <solid>"]);
}

#[tokio::test]
async fn dependents_go_in_the_background_with_the_policy_they_chose() {
    let client = prepared().await;
    let top = client.map("top", &[], false).await;
    let body = json!({"metadata": {"name": "chose", "ownerReferences": [owner("top", &top, true)],
        "finalizers": ["foregroundDeletion", "example.com/f"]}});
    let chose = client.post(MAPS, body).await.expect(201);
    let uid = chose["metadata"]["uid"].as_str().expect("a UID").to_owned();
    client.map("below", &[owner("chose", &uid, true)], true).await;
    client.map("plain", &[owner("top", &top, true)], false).await;
    client.remove("top", "Background").await;
    assert_eq!(
        client.state().await,
        ["below going example.com/f <chose>", "chose going example.com/f foregroundDeletion <top>",]
    );
    client.release("below").await;
    assert_eq!(client.state().await, ["chose going example.com/f <top>"]);
}

#[tokio::test]
async fn owners_that_are_not_there() {
    let client = prepared().await;
    client.post("/api/v1/namespaces", json!({"metadata": {"name": "b"}})).await.expect(201);
    let solid = client.map("solid", &[], false).await;
    let elsewhere = client
        .post("/api/v1/namespaces/b/configmaps", json!({"metadata": {"name": "elsewhere"}}))
        .await
        .expect(201);
    let elsewhere = elsewhere["metadata"]["uid"].as_str().expect("a UID");
    let space = client.get("/api/v1/namespaces/b").await.expect(200);
    let space = space["metadata"]["uid"].as_str().expect("a UID");
    let of = |kind: &str, version: &str, name: &str, uid: &str| json!({"apiVersion": version, "kind": kind, "name": name, "uid": uid});
    // In another namespace, of another name, of another kind, of another UID: not there.
    client.map("cross", &[owner("elsewhere", elsewhere, false)], false).await;
    client.map("name", &[owner("other", &solid, false)], false).await;
    client.map("kind", &[of("Secret", "v1", "solid", &solid)], false).await;
    client
        .map("uid", &[owner("solid", "aaaaaaaa-0000-0000-0000-000000000000", false)], false)
        .await;
    // Of a kind or version that nobody serves: nobody can say.
    client.map("unknown-kind", &[of("Foo", "ex.io/v1", "x", &solid)], false).await;
    client.map("unknown-version", &[of("ConfigMap", "v9", "solid", &solid)], false).await;
    // In no namespace: fine.
    client.map("of-namespace", &[of("Namespace", "v1", "b", space)], false).await;
    assert_eq!(
        client.state().await,
        ["of-namespace <b>", "solid", "unknown-kind <x>", "unknown-version <solid>"]
    );
    // What is in no namespace cannot be owned by what is in one, but by what is in none.
    let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    for (name, owner) in [
        ("by-namespaced", of("ConfigMap", "v1", "gone", "aaaaaaaa-0000-0000-0000-000000000000")),
        ("by-cluster", of("Namespace", "v1", "b", space)),
        ("by-nobody", of("Namespace", "v1", "gone", "aaaaaaaa-0000-0000-0000-000000000000")),
    ] {
        let role = json!({"metadata": {"name": name, "ownerReferences": [owner]}});
        client.post(roles, role).await.expect(201);
    }
    client.server.settled().await;
    for (name, code) in [("by-namespaced", 200), ("by-cluster", 200), ("by-nobody", 404)] {
        assert_eq!(client.get(&format!("{roles}/{name}")).await.code, code, "{name}");
    }
}

#[tokio::test]
async fn an_owner_of_a_kind_that_comes_later_is_looked_for_then() {
    let client = prepared().await;
    let owner = json!({"apiVersion": "ex.io/v1", "kind": "Foo", "name": "x",
        "uid": "aaaaaaaa-0000-0000-0000-000000000000"});
    client.map("early", &[owner], false).await;
    assert_eq!(client.state().await, ["early <x>"]);
    let schema = json!({"type": "object"});
    let crd = json!({
        "metadata": {"name": "foos.ex.io"},
        "spec": {"group": "ex.io", "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}}]},
    });
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    client.post(path, crd).await.expect(201);
    assert_eq!(client.state().await, [""; 0]);
}

#[tokio::test]
async fn what_hangs_on_custom_resources_goes_with_their_definition() {
    let client = prepared().await;
    let crd = json!({
        "metadata": {"name": "foos.ex.io"},
        "spec": {"group": "ex.io", "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}]},
    });
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    client.post(path, crd).await.expect(201);
    let foo = json!({"apiVersion": "ex.io/v1", "kind": "Foo", "metadata": {"name": "x"}});
    let foo = client.post("/apis/ex.io/v1/namespaces/a/foos", foo).await.expect(201);
    let owner = json!({"apiVersion": "ex.io/v1", "kind": "Foo", "name": "x",
        "uid": foo["metadata"]["uid"]});
    client.map("child", &[owner], false).await;
    let path = format!("{path}/foos.ex.io");
    let mut watch = client
        .watch(&format!(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?watch=true&resourceVersion={}",
            client.server.resource_version()
        ))
        .await;
    client.delete(&path).await.expect(200);
    assert_eq!(client.state().await, [""; 0]);
    let mut told = Vec::new();
    for _ in 0..3 {
        let event = watch.next().await.expect("an event");
        let conditions = event["object"]["status"]["conditions"].as_array().expect("conditions");
        let ending = conditions.iter().find(|c| c["type"] == "Terminating").expect("Terminating");
        told.push(format!("{} {} {}", event["type"], ending["reason"], ending["message"]));
    }
    assert_eq!(
        told,
        [
            "\"MODIFIED\" \"InstanceDeletionPending\" \"CustomResourceDefinition marked for \
             deletion; CustomResource deletion will begin soon\"",
            "\"MODIFIED\" \"InstanceDeletionInProgress\" \"CustomResource deletion is in progress\"",
            "\"DELETED\" \"InstanceDeletionInProgress\" \"CustomResource deletion is in progress\"",
        ]
    );
}

/// The conditions of a namespace that are not as they are when nothing remains.
async fn remaining(client: &Client, name: &str) -> Vec<String> {
    client.server.settled().await;
    let namespace = client.get(&format!("/api/v1/namespaces/{name}")).await.expect(200);
    assert_eq!(namespace["status"]["phase"], "Terminating");
    let conditions = namespace["status"]["conditions"].as_array().expect("conditions");
    let kinds: Vec<_> = conditions.iter().map(|c| c["type"].as_str().unwrap_or_default()).collect();
    assert_eq!(
        kinds,
        [
            "NamespaceDeletionDiscoveryFailure",
            "NamespaceDeletionGroupVersionParsingFailure",
            "NamespaceDeletionContentFailure",
            "NamespaceContentRemaining",
            "NamespaceFinalizersRemaining",
        ]
    );
    let told = conditions.iter().filter(|c| c["status"] == "True");
    told.map(|c| format!("{}: {}", c["reason"], c["message"])).collect()
}

#[tokio::test]
async fn a_namespace_tells_what_remains_in_it() {
    let client = prepared().await;
    client.map("keeper", &[], true).await;
    client.map("plain", &[], false).await;
    let more =
        json!({"metadata": {"name": "k2", "finalizers": ["example.com/f", "example.com/e"]}});
    client.post(MAPS, more.clone()).await.expect(201);
    client.post("/api/v1/namespaces/a/secrets", more).await.expect(201);
    client.delete("/api/v1/namespaces/a").await.expect(200);
    assert_eq!(
        remaining(&client, "a").await,
        [
            "\"SomeResourcesRemain\": \"Some resources are remaining: configmaps. has 2 resource \
             instances, secrets. has 1 resource instances\"",
            "\"SomeFinalizersRemain\": \"Some content in the namespace has finalizers remaining: \
             example.com/e in 2 resource instances, example.com/f in 3 resource instances\"",
        ]
    );
    client.release("keeper").await;
    client.release("k2").await;
    let told = remaining(&client, "a").await;
    assert!(told[0].ends_with("remaining: secrets. has 1 resource instances\""), "{told:?}");
    let free = json!({"metadata": {"finalizers": null}});
    client.patch("/api/v1/namespaces/a/secrets/k2", "merge-patch+json", free).await.expect(200);
    client.server.settled().await;
    client.get("/api/v1/namespaces/a").await.expect(404);
}

#[tokio::test]
async fn pods_go_before_everything_else() {
    let client = prepared().await;
    client.map("plain", &[], false).await;
    let pod = json!({"metadata": {"name": "p", "finalizers": ["example.com/f"]},
        "spec": {"containers": [{"name": "a", "image": "i"}]}});
    client.post("/api/v1/namespaces/a/pods", pod).await.expect(201);
    client.delete("/api/v1/namespaces/a").await.expect(200);
    assert_eq!(remaining(&client, "a").await, [""; 0]);
    assert_eq!(client.state().await, ["plain"]);
    let free = json!({"metadata": {"finalizers": null}});
    client.patch("/api/v1/namespaces/a/pods/p", "merge-patch+json", free).await.expect(200);
    client.server.settled().await;
    client.get("/api/v1/namespaces/a").await.expect(404);
}

#[tokio::test]
async fn finalizers_of_others_keep_a_namespace() {
    let client = start().await;
    let namespace = json!({"metadata": {"name": "a"}, "spec": {"finalizers": ["example.com/f"]}});
    client.post("/api/v1/namespaces", namespace).await.expect(201);
    client.map("plain", &[], false).await;
    client.delete("/api/v1/namespaces/a").await.expect(200);
    assert_eq!(client.state().await, [""; 0]);
    let left = client.get("/api/v1/namespaces/a").await.expect(200);
    assert_eq!(left["spec"]["finalizers"], json!(["example.com/f"]));
    let done = json!({"metadata": {"name": "a"}, "spec": {"finalizers": []}});
    client.put("/api/v1/namespaces/a/finalize", done).await.expect(200);
    client.get("/api/v1/namespaces/a").await.expect(404);
}

#[tokio::test]
async fn every_namespace_has_its_account_and_the_certificate() {
    let client = start_with(ApiServer::builder()).await;
    client.post("/api/v1/namespaces", json!({"metadata": {"name": "a"}})).await.expect(201);
    client.server.settled().await;
    for namespace in ["default", "kube-system", "kube-public", "kube-node-lease", "a"] {
        let account = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
        let account = client.get(&account).await.expect(200);
        assert_eq!(account["metadata"].get("managedFields"), None);
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt");
        let map = client.get(&path).await.expect(200);
        assert_eq!(map["metadata"]["managedFields"][0]["manager"], "kube-controller-manager");
        let text = map["metadata"]["annotations"]["kubernetes.io/description"].as_str();
        assert!(text.expect("an annotation").starts_with("Contains a CA bundle that can be used"));
        let certificate = map["data"]["ca.crt"].as_str().expect("a certificate");
        assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
    }
    // They come back when deleted, and the certificate is put right when changed.
    let path = format!("{MAPS}/kube-root-ca.crt");
    let was = client.get(&path).await.expect(200);
    client.delete("/api/v1/namespaces/a/serviceaccounts/default").await.expect(200);
    client.delete(&path).await.expect(200);
    client.server.settled().await;
    client.get("/api/v1/namespaces/a/serviceaccounts/default").await.expect(200);
    let spoil = json!({"data": {"x": "y", "ca.crt": "z"},
        "metadata": {"annotations": null, "labels": {"a": "b"}}});
    client.patch(&path, "merge-patch+json", spoil).await.expect(200);
    client.server.settled().await;
    let is = client.get(&path).await.expect(200);
    assert_eq!(is["data"], was["data"]);
    assert_eq!(is["metadata"]["annotations"], was["metadata"]["annotations"]);
    assert_eq!(is["metadata"]["labels"], json!({"a": "b"}));
    assert_ne!(is["metadata"]["uid"], was["metadata"]["uid"]);
    // A namespace that ends gets none.
    client.map("keeper", &[], true).await;
    client.delete("/api/v1/namespaces/a").await.expect(200);
    assert_eq!(client.state().await, ["keeper going example.com/f"]);
    client.get("/api/v1/namespaces/a/serviceaccounts/default").await.expect(404);
    // And idle they are: nothing is written any more.
    let revision = client.server.resource_version();
    client.server.settled().await;
    assert_eq!(client.server.resource_version(), revision);
}

#[tokio::test]
async fn controllers_that_are_off_do_nothing() {
    let client = start_with(ApiServer::builder().controllers(Controllers::none())).await;
    client.post("/api/v1/namespaces", json!({"metadata": {"name": "a"}})).await.expect(201);
    let top = client.map("top", &[], false).await;
    client.map("child", &[owner("top", &top, true)], false).await;
    client.remove("top", "Background").await;
    assert_eq!(client.state().await, ["child <top>"]);
    client.delete("/api/v1/namespaces/a").await.expect(200);
    client.server.settled().await;
    client.get("/api/v1/namespaces/a").await.expect(200);
    client.get("/api/v1/namespaces/a/serviceaccounts/default").await.expect(404);
}

#[tokio::test]
async fn a_namespace_of_many_ends() {
    let client = prepared().await;
    let top = client.map("top", &[], false).await;
    for index in 0..500 {
        let owners = [owner("top", &top, true)];
        client.map(&format!("m{index:03}"), &owners[..index % 2], false).await;
    }
    client.delete("/api/v1/namespaces/a").await.expect(200);
    client.server.settled().await;
    client.get("/api/v1/namespaces/a").await.expect(404);
    assert_eq!(client.state().await, [""; 0]);
}
