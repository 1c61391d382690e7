//! Every verb: method, path, query, media types, body.

use crate::fake::{Fake, Reply};
use pintle_api::apps_v1::Deployment;
use pintle_api::autoscaling_v1::Scale;
use pintle_api::core_v1::{Node, Pod};
use pintle_api::policy_v1::Eviction;
use pintle_apimachinery::meta_v1::Status;
use pintle_apimachinery::{
    AnyKind, Codec, CreateOptions, Decoder, DeleteOptions, DeletionPropagation, Format, GetOptions,
    GroupVersionKind, ListOptions, Object, PatchOptions, UpdateOptions,
};
use pintle_client::{Api, ApiResource, Client, Deletion, LogOptions, Patch};
use serde_json::{Value, json};

const BOTH: &str = "application/vnd.kubernetes.protobuf, application/json";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

fn pod(name: &str) -> Value {
    json!({"kind": "Pod", "apiVersion": "v1",
           "metadata": {"name": name, "namespace": "team-a", "resourceVersion": "7"}})
}

fn typed(name: &str) -> Pod {
    Pod::decode(pod(name).to_string().as_bytes(), Format::Json, &mut Decoder::new()).unwrap()
}

fn answering(body: Value) -> (Fake, Client) {
    let fake = Fake::always(move || Reply::json(body.clone()));
    let client = fake.client();
    (fake, client)
}

#[tokio::test]
async fn get() {
    let (fake, client) = answering(pod("x"));
    let pods: Api<Pod> = client.namespaced("team-a");
    let found = pods.get("x").await.unwrap();
    assert_eq!((found.name(), found.resource_version()), ("x", "7"));
    assert_eq!(fake.last().line(), "GET /api/v1/namespaces/team-a/pods/x");
    assert_eq!(fake.last().header("accept"), BOTH);
    assert!(fake.last().header("user-agent").starts_with("pintle/"));
    pods.get("x").options(GetOptions::default().resource_version("0")).await.unwrap();
    assert_eq!(fake.last().line(), "GET /api/v1/namespaces/team-a/pods/x?resourceVersion=0");
}

#[tokio::test]
async fn names_that_would_leave_the_path_are_not_sent() {
    let (fake, client) = answering(pod("x"));
    let pods: Api<Pod> = client.namespaced("team-a");
    for name in ["", ".", "..", "a/b", "a%2fb"] {
        assert!(pods.get(name).await.unwrap_err().is_invalid_argument(), "{name}");
        assert!(pods.delete(name).await.unwrap_err().is_invalid_argument(), "{name}");
        let other: Api<Pod> = client.all();
        let other = other.in_namespace(name);
        // An empty namespace means all of them.
        if !name.is_empty() {
            let error = other.list(&ListOptions::default()).await.unwrap_err();
            assert!(error.is_invalid_argument(), "{name}");
        }
    }
    let all: Api<Pod> = client.all();
    let error = all.get("x").await.unwrap_err();
    assert!(error.to_string().starts_with("Pod is namespaced: name the namespace"), "{error}");
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn list_in_a_namespace_in_all_and_of_the_cluster() {
    let list = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"},
                      "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]});
    let (fake, client) = answering(list);
    let options = ListOptions::labels("app in (a,b)").fields("status.phase=Running").limit(5);
    let found = client.namespaced::<Pod>("team-a").list(&options).await.unwrap();
    assert_eq!(found.iter().map(Object::name).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(found.resource_version(), "9");
    assert_eq!(
        fake.last().line(),
        "GET /api/v1/namespaces/team-a/pods?fieldSelector=status.phase%3DRunning\
         &labelSelector=app+in+%28a%2Cb%29&limit=5"
    );
    client.all::<Pod>().list(&ListOptions::default()).await.unwrap();
    assert_eq!(fake.last().line(), "GET /api/v1/pods");
    client.all::<Node>().list(&ListOptions::default()).await.unwrap_or_default();
    assert_eq!(fake.last().line(), "GET /api/v1/nodes");
    client.in_default_namespace::<Deployment>().list(&ListOptions::default()).await.unwrap();
    assert_eq!(fake.last().line(), "GET /apis/apps/v1/namespaces/default/deployments");
}

#[tokio::test]
async fn create_and_update_send_protobuf_and_name_the_manager() {
    let (fake, client) = answering(pod("x"));
    let client = client.with_field_manager("me");
    let pods: Api<Pod> = client.namespaced("team-a");
    pods.create(&typed("x")).await.unwrap();
    let seen = fake.last();
    assert_eq!(seen.line(), "POST /api/v1/namespaces/team-a/pods?fieldManager=me");
    assert_eq!((seen.header("content-type"), seen.header("accept")), (PROTOBUF, BOTH));
    let sent = Pod::decode(&seen.body, Format::Protobuf, &mut Decoder::new()).unwrap();
    assert_eq!(sent, typed("x"));

    let options = CreateOptions::default().dry_run().field_manager("other");
    pods.create(&typed("x")).options(options).await.unwrap();
    assert_eq!(
        fake.last().line(),
        "POST /api/v1/namespaces/team-a/pods?dryRun=All&fieldManager=other"
    );
    pods.update(&typed("x")).await.unwrap();
    assert_eq!(fake.last().line(), "PUT /api/v1/namespaces/team-a/pods/x?fieldManager=me");
    let strict = UpdateOptions::default().field_validation("Strict");
    pods.replace_status(&typed("x")).options(strict).await.unwrap();
    assert_eq!(
        fake.last().line(),
        "PUT /api/v1/namespaces/team-a/pods/x/status?fieldManager=me&fieldValidation=Strict"
    );
    // Without a namespace of its own, the client takes the object's.
    client.all::<Pod>().update(&typed("x")).await.unwrap();
    assert_eq!(fake.last().line(), "PUT /api/v1/namespaces/team-a/pods/x?fieldManager=me");
    let error = client.all::<Pod>().create(&Pod::default()).await.unwrap_err();
    assert!(error.is_invalid_argument(), "{error}");
}

#[tokio::test]
async fn update_status_reads_again_after_a_conflict() {
    let conflict = || Reply::status(409, "Conflict", "the object has been modified");
    let fake = Fake::script(vec![
        Reply::json(pod("x")),
        conflict(),
        Reply::json(pod("x")),
        Reply::json(pod("x")),
    ]);
    let mut changes = 0;
    let pods: Api<Pod> = fake.client().namespaced("team-a");
    pods.update_status("x", |pod| {
        changes += 1;
        pod.status.phase = "Running".into();
    })
    .await
    .unwrap();
    assert_eq!(changes, 2);
    let lines: Vec<_> = fake.seen().iter().map(|s| s.method.clone() + " " + &s.path).collect();
    let (get, put) =
        ("GET /api/v1/namespaces/team-a/pods/x", "PUT /api/v1/namespaces/team-a/pods/x/status");
    assert_eq!(lines, [get, put, get, put]);
    let sent = Pod::decode(&fake.last().body, Format::Protobuf, &mut Decoder::new()).unwrap();
    assert_eq!(sent.status.phase, "Running");
}

#[tokio::test(start_paused = true)]
async fn modify_gives_up_after_five_conflicts() {
    let fake = Fake::new(|seen| {
        Ok(match &*seen.method {
            "GET" => Reply::json(pod("x")),
            _ => Reply::status(409, "Conflict", "the object has been modified"),
        })
    });
    let pods: Api<Pod> = fake.client().namespaced("team-a");
    assert!(pods.modify("x", |_| {}).await.unwrap_err().is_conflict());
    assert_eq!(fake.seen().iter().filter(|s| s.method == "PUT").count(), 5);
}

#[tokio::test]
async fn patches_of_each_kind() {
    let (fake, client) = answering(pod("x"));
    let pods: Api<Pod> = client.namespaced("team-a");
    let body = json!({"metadata": {"labels": {"a": null}}});
    for (patch, media_type) in [
        (Patch::json([json!({"op": "remove", "path": "/a"})]), "application/json-patch+json"),
        (Patch::merge(&body), "application/merge-patch+json"),
        (Patch::strategic(&body), "application/strategic-merge-patch+json"),
        (Patch::apply(&body), "application/apply-patch+yaml"),
    ] {
        pods.patch("x", &patch).await.unwrap();
        let seen = fake.last();
        assert_eq!(seen.line(), "PATCH /api/v1/namespaces/team-a/pods/x?fieldManager=pintle");
        assert_eq!(seen.header("content-type"), media_type);
        assert_eq!(seen.header("accept"), BOTH);
    }
    assert_eq!(fake.last().json(), body);
    let apply = Patch::apply_object(&typed("x"));
    pods.patch_status("x", &apply).options(PatchOptions::apply("ctl").force()).await.unwrap();
    let seen = fake.last();
    assert_eq!(
        seen.line(),
        "PATCH /api/v1/namespaces/team-a/pods/x/status?fieldManager=ctl&force=true"
    );
    assert_eq!(seen.json()["kind"], "Pod");

    // What cannot be written is told when it is sent.
    let keys_are_not_text = std::collections::BTreeMap::from([(vec![1], 2)]);
    let error = pods.patch("x", &Patch::merge(keys_are_not_text)).await.unwrap_err();
    assert!(error.is_encode(), "{error}");
}

#[tokio::test]
async fn delete_one_and_many() {
    let done = json!({"kind": "Status", "apiVersion": "v1", "status": "Success",
                      "details": {"name": "x", "kind": "pods"}});
    let (fake, client) = answering(done);
    let pods: Api<Pod> = client.namespaced("team-a");
    let deletion = pods.delete("x").await.unwrap();
    assert!(matches!(deletion, Deletion::Done(status) if status.is_success()));
    let seen = fake.last();
    assert_eq!(seen.line(), "DELETE /api/v1/namespaces/team-a/pods/x");
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.json(), json!({"kind": "DeleteOptions", "apiVersion": "v1"}));
    // An old server's answer to a delete of many.
    let matching = ListOptions::labels("a=b");
    assert!(pods.delete_collection(&matching).await.unwrap().items.is_empty());
    assert_eq!(fake.last().line(), "DELETE /api/v1/namespaces/team-a/pods?labelSelector=a%3Db");
    assert!(client.all::<Pod>().delete_collection(&matching).await.is_err());

    let (fake, client) = answering(pod("x"));
    let foreground = DeleteOptions {
        propagation_policy: Some(DeletionPropagation::Foreground.into()),
        grace_period_seconds: Some(0),
        ..Default::default()
    };
    let deletion =
        client.namespaced::<Pod>("team-a").delete("x").options(foreground).await.unwrap();
    assert!(matches!(deletion, Deletion::Object(pod) if pod.name() == "x"));
    assert_eq!(fake.last().json()["propagationPolicy"], "Foreground");

    let list = json!({"kind": "PodList", "apiVersion": "v1", "items": [pod("a"), pod("b")]});
    let (_, client) = answering(list);
    let gone = client.namespaced::<Pod>("team-a").delete_collection(&matching).await.unwrap();
    assert_eq!(gone.items.len(), 2);
}

#[tokio::test]
async fn subresources() {
    let (fake, client) =
        answering(json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}));
    let pods: Api<Pod> = client.namespaced("team-a");
    let mut eviction = Eviction::default();
    eviction.metadata.name = "x".into();
    let done: Status = pods.create_subresource("x", "eviction", &eviction).await.unwrap();
    assert!(done.is_success());
    assert_eq!(fake.last().line(), "POST /api/v1/namespaces/team-a/pods/x/eviction");
    assert_eq!(fake.last().header("content-type"), PROTOBUF);

    let scale = json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
                       "metadata": {"name": "web"}, "spec": {"replicas": 3}});
    let (fake, client) = answering(scale);
    let deployments: Api<Deployment> = client.namespaced("team-a");
    assert_eq!(deployments.replicas("web").await.unwrap(), 3);
    assert_eq!(fake.last().line(), "GET /apis/apps/v1/namespaces/team-a/deployments/web/scale");
    assert_eq!(deployments.set_replicas("web", 4).await.unwrap(), 3);
    assert_eq!(fake.last().json(), json!({"spec": {"replicas": 4}}));
    let scale: Scale = deployments.get_subresource("web", "scale").await.unwrap();
    assert_eq!(scale.spec.replicas, 3);
    let scale: Scale = deployments.update_subresource("web", "scale", &scale).await.unwrap();
    assert_eq!(fake.last().method, "PUT");
    assert_eq!(scale.name(), "web");
}

#[tokio::test]
async fn logs_are_bytes() {
    let fake = Fake::always(|| Reply::new(200, "text/plain", &b"line\n\xff"[..]));
    let pods: Api<Pod> = fake.client().namespaced("team-a");
    let options = LogOptions {
        container: "main".into(),
        follow: true,
        tail_lines: Some(10),
        ..Default::default()
    };
    let bytes = pods.logs("x", &options).await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes, &b"line\n\xff"[..]);
    assert_eq!(
        fake.last().line(),
        "GET /api/v1/namespaces/team-a/pods/x/log?container=main&follow=true&tailLines=10"
    );
    assert_eq!(fake.last().header("accept"), "*/*");
}

#[tokio::test]
async fn discovery_and_dynamic() {
    let fake = Fake::new(|seen| {
        Ok(match &*seen.path {
            "/version" => {
                Reply::json(json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2"}))
            }
            "/api" => Reply::json(json!({"kind": "APIVersions", "versions": ["v1"]})),
            "/apis" => Reply::json(json!({"kind": "APIGroupList", "apiVersion": "v1",
                "groups": [{"name": "apps", "versions": [], "preferredVersion": {}}]})),
            "/apis/example.com/v1" => Reply::json(json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "example.com/v1",
            "resources": [
                {"name": "foos/status", "kind": "Foo", "namespaced": true, "verbs": ["get"]},
                {"name": "foos", "kind": "Foo", "namespaced": true, "verbs": ["get"]},
            ]})),
            "/apis/example.com/v1/namespaces/a/foos" => Reply::json(json!({
                "kind": "FooList", "apiVersion": "example.com/v1",
                "items": [{"metadata": {"name": "one"}, "spec": {"x": [1]}}]})),
            "/apis/example.com/v1/namespaces/a/foos/one" => Reply::json(json!({
                "kind": "Foo", "apiVersion": "example.com/v1", "metadata": {"name": "one"}})),
            _ => Reply::status(404, "NotFound", "no"),
        })
    });
    let client = fake.client();
    assert_eq!(client.server_version().await.unwrap().git_version, "v1.37.2");
    let groups = client.api_groups().await.unwrap();
    assert_eq!(groups.iter().map(|g| &*g.name).collect::<Vec<_>>(), ["", "apps"]);
    let foo = client.find(&GroupVersionKind::new("example.com", "v1", "Foo")).await.unwrap();
    assert_eq!(foo, ApiResource::namespaced("example.com", "v1", "Foo", "foos"));
    let missing = client.find(&GroupVersionKind::new("example.com", "v1", "Bar")).await;
    assert!(missing.unwrap_err().is_not_found());

    let foos = client.dynamic(&foo).unwrap().in_namespace("a");
    let list = foos.list(&ListOptions::default()).await.unwrap();
    assert_eq!(list.items[0].gvk(), foo.gvk(), "items of a list are told their kind");
    assert_eq!(list.items[0].get("spec.x"), Some(&json!([1])));
    let one = foos.get("one").await.unwrap();
    assert_eq!(fake.last().header("accept"), "application/json");
    foos.update(&one).await.unwrap();
    assert_eq!(fake.last().header("content-type"), "application/json");
    assert_eq!(fake.last().json()["kind"], "Foo");
}

#[tokio::test]
async fn kinds_that_come_later_are_found() {
    let served = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let later = served.clone();
    let fake = Fake::new(move |seen| {
        let version = |group: &str| json!({"groupVersion": format!("{group}/v1"), "version": "v1"});
        let group = |name: &str| json!({"name": name, "versions": [version(name)], "preferredVersion": version(name)});
        let resources = |all: serde_json::Value| {
            Reply::json(json!({"kind": "APIResourceList", "apiVersion": "v1", "resources": all}))
        };
        Ok(match &*seen.path {
            "/api" => Reply::json(json!({"kind": "APIVersions", "versions": ["v1"]})),
            "/apis" => Reply::json(json!({"kind": "APIGroupList", "apiVersion": "v1",
                "groups": [group("down.example.com"), group("example.com")]})),
            "/api/v1" => resources(json!([
                {"name": "nodes", "singularName": "node", "kind": "Node", "namespaced": false, "verbs": []},
            ])),
            "/apis/example.com/v1" if later.load(std::sync::atomic::Ordering::SeqCst) => {
                resources(json!([
                    {"name": "foos", "singularName": "foo", "kind": "Foo", "namespaced": true, "verbs": []},
                    {"name": "foos/status", "singularName": "", "kind": "Foo", "namespaced": true, "verbs": []},
                ]))
            }
            "/apis/example.com/v1" => resources(json!([])),
            _ => Reply::status(503, "ServiceUnavailable", "down"),
        })
    });
    let mapper = fake.client().rest_mapper();
    let node = mapper.find(&GroupVersionKind::new("", "v1", "Node")).await.unwrap();
    assert_eq!(node, ApiResource::cluster_scoped("", "v1", "Node", "nodes"));
    let asked = fake.seen().len();
    mapper.find(&GroupVersionKind::new("", "v1", "Node")).await.unwrap();
    assert_eq!(fake.seen().len(), asked, "what is known is not asked");

    let foo = GroupVersionKind::new("example.com", "v1", "Foo");
    let missing = mapper.clone().find(&foo).await.unwrap_err();
    assert!(missing.is_no_match());
    assert_eq!(missing.to_string(), "no matches for kind \"Foo\" in version \"example.com/v1\"");
    assert_eq!(fake.seen().len(), 2 * asked, "what is not known is asked once more");
    served.store(true, std::sync::atomic::Ordering::SeqCst);
    let found = mapper.find(&foo).await.unwrap();
    assert_eq!(found, ApiResource::namespaced("example.com", "v1", "Foo", "foos"));
    let foos = pintle_apimachinery::GroupVersionResource::new("", "", "foo");
    assert_eq!(mapper.kind_for(&foos).await.unwrap(), foo);
    assert_eq!(mapper.resource_for(&foos).await.unwrap().resource, "foos");

    let asked = fake.seen().len();
    mapper.reset();
    mapper.mapper().await.unwrap();
    assert!(fake.seen().len() > asked);

    let down = Fake::new(|_| Ok(Reply::status(503, "ServiceUnavailable", "down")));
    let error = down.client().rest_mapper().mapper().await.unwrap_err();
    assert!(error.is_service_unavailable());
}
