//! Custom resources: the life of a CRD, and objects of it.

use serde_json::{Value, json};

use crate::client::{Client, eventually, start};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const FOOS: &str = "/apis/ex.io/v1/namespaces/default/foos";

fn crd() -> Value {
    json!({
        "metadata": {"name": "foos.ex.io"},
        "spec": {
            "group": "ex.io",
            "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo", "shortNames": ["fo"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}},
                "selectableFields": [{"jsonPath": ".spec.mode"}],
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": {"type": "object", "properties": {
                            "a": {"type": "integer"},
                            "mode": {"type": "string", "default": "x"},
                        }},
                        "status": {
                            "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                        },
                    },
                }},
            }],
        },
    })
}

fn foo(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "ex.io/v1", "kind": "Foo", "metadata": {"name": name}, "spec": spec})
}

async fn installed() -> Client {
    let client = start().await;
    client.post(CRDS, crd()).await.expect(201);
    client
}

#[tokio::test]
async fn a_crd_is_established_in_steps_that_can_be_watched() {
    let client = start().await;
    let now = client.server.resource_version();
    let mut watch = client.watch(&format!("{CRDS}?watch=1&resourceVersion={now}")).await;
    let created = client.post(CRDS, crd()).await.expect(201);
    assert_eq!(created["spec"]["names"]["singular"], "foo");
    assert_eq!(created["spec"]["names"]["listKind"], "FooList");
    assert_eq!(created["spec"]["conversion"], json!({"strategy": "None"}));
    assert_eq!(created["metadata"]["generation"], 1);
    assert_eq!(
        created["status"],
        json!({
            "conditions": null, "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": ["v1"],
        })
    );
    let conditions = |event: &Value| {
        let conditions = event["object"]["status"]["conditions"].as_array().cloned();
        let show = |c: &Value| format!("{}={} {}", c["type"], c["status"], c["reason"]);
        conditions.unwrap_or_default().iter().map(show).collect::<Vec<_>>()
    };
    let added = watch.next().await.expect("an event");
    assert_eq!(added["object"], created);
    let accepted = watch.next().await.expect("an event");
    assert_eq!(
        conditions(&accepted),
        ["\"NamesAccepted\"=\"True\" \"NoConflicts\"", "\"Established\"=\"False\" \"Installing\""]
    );
    let established = watch.next().await.expect("an event");
    assert_eq!(
        conditions(&established),
        [
            "\"NamesAccepted\"=\"True\" \"NoConflicts\"",
            "\"Established\"=\"True\" \"InitialNamesAccepted\""
        ]
    );
    let accepted = &established["object"]["status"]["acceptedNames"];
    assert_eq!(accepted["kind"], "Foo");
    assert_eq!(established["object"]["metadata"]["generation"], 1);
}

#[tokio::test]
async fn discovery_shows_custom_resources() {
    let client = start().await;
    client.get("/apis/ex.io/v1").await.expect(404);
    client.post(CRDS, crd()).await.expect(201);
    let resources = client.get("/apis/ex.io/v1").await.expect(200);
    assert_eq!(resources["groupVersion"], "ex.io/v1");
    assert_eq!(
        resources["resources"],
        json!([
            {
                "name": "foos", "singularName": "foo", "namespaced": true, "kind": "Foo",
                "verbs": ["delete", "deletecollection", "get", "list", "patch", "create",
                          "update", "watch"],
                "shortNames": ["fo"], "storageVersionHash": "Ic0/Fpq4BGQ=",
            },
            {
                "name": "foos/status", "singularName": "", "namespaced": true, "kind": "Foo",
                "verbs": ["get", "patch", "update"],
            },
        ])
    );
    let group = client.get("/apis/ex.io").await.expect(200);
    assert_eq!(group["preferredVersion"]["groupVersion"], "ex.io/v1");
    let groups = client.get("/apis").await.expect(200);
    let groups = groups["groups"].as_array().expect("groups");
    assert!(groups.iter().any(|group| group["name"] == "ex.io"));
}

#[tokio::test]
async fn objects_live_as_built_in_ones_do() {
    let client = installed().await;
    let created = client.post(FOOS, foo("x", json!({"a": 1}))).await.expect(201);
    assert_eq!(created["apiVersion"], "ex.io/v1");
    assert_eq!(created["kind"], "Foo");
    assert_eq!(created["spec"], json!({"a": 1, "mode": "x"}), "defaulted");
    assert_eq!(created["metadata"]["generation"], 1);
    let path = format!("{FOOS}/x");

    let mut changed = created.clone();
    changed["spec"]["a"] = 2.into();
    changed["status"] = json!({"q": 1});
    let main = client.put(&path, changed.clone()).await.expect(200);
    assert_eq!(main["metadata"]["generation"], 2);
    assert!(main.get("status").is_none(), "status has its own endpoint");
    client.put(&path, changed).await.expect(409);

    let patch = json!({"status": {"q": 7}, "spec": {"a": 99}, "metadata": {"labels": {"x": "y"}}});
    let status = client.patch(&format!("{path}/status"), "merge-patch+json", patch).await;
    let status = status.expect(200);
    assert_eq!(status["spec"]["a"], 2);
    assert_eq!(status["status"], json!({"q": 7}));
    assert!(status["metadata"].get("labels").is_none(), "nothing but the status changes");
    assert_eq!(status["metadata"]["generation"], 2);

    let list = client.get("/apis/ex.io/v1/foos").await.expect(200);
    assert_eq!(list["kind"], "FooList");
    assert_eq!(list["items"], json!([status]), "items carry their kind");
    let selected = client.get(&format!("{FOOS}?fieldSelector=spec.mode%3Dx")).await.expect(200);
    assert_eq!(selected["items"].as_array().map(Vec::len), Some(1));
    let none = client.get(&format!("{FOOS}?fieldSelector=spec.mode%3Dy")).await.expect(200);
    assert_eq!(none["items"], json!([]));

    let mut watch = client.watch(&format!("{FOOS}?watch=1")).await;
    assert_eq!(watch.event().await, "ADDED x");
    let deleted = client.delete(&path).await.expect(200);
    assert_eq!(deleted["details"]["kind"], "foos");
    assert_eq!(deleted["details"]["group"], "ex.io");
    let event = watch.next().await.expect("an event");
    assert_eq!(event["type"], "DELETED");
    assert_eq!(event["object"]["kind"], "Foo");
}

#[tokio::test]
async fn unknown_fields_are_dropped_with_a_warning() {
    let client = installed().await;
    let mut foo = foo("x", json!({"a": 1, "b": 2}));
    foo["zzz"] = 1.into();
    foo["metadata"]["bogus"] = 1.into();
    let strict = client.post(&format!("{FOOS}?fieldValidation=Strict"), foo.clone()).await;
    strict.fails(
        400,
        "BadRequest",
        "Foo in version \"v1\" cannot be handled as a Foo: strict decoding error: unknown field \
         \"metadata.bogus\", unknown field \"spec.b\", unknown field \"zzz\"",
    );
    let answer = client.post(FOOS, foo).await;
    let warnings: Vec<_> = answer.headers.get_all("warning").iter().cloned().collect();
    assert_eq!(
        warnings,
        [
            "299 - \"unknown field \\\"metadata.bogus\\\"\"",
            "299 - \"unknown field \\\"spec.b\\\"\"",
            "299 - \"unknown field \\\"zzz\\\"\"",
        ]
    );
    let created = answer.expect(201);
    assert_eq!(created["spec"], json!({"a": 1, "mode": "x"}));
    assert!(created.get("zzz").is_none());
    assert!(created["metadata"].get("bogus").is_none());
}

#[tokio::test]
async fn what_is_wrong_is_said_as_kubernetes_says_it() {
    let client = installed().await;
    client.post(FOOS, foo("y", json!({"a": "s"}))).await.fails(
        422,
        "Invalid",
        "Foo.ex.io \"y\" is invalid: spec.a: Invalid value: \"string\": spec.a in body must be of \
         type integer: \"string\"",
    );
    let mut other = foo("y", json!({}));
    other["apiVersion"] = "ex.io/v2".into();
    client.post(FOOS, other).await.fails(
        400,
        "BadRequest",
        "the API version in the data (ex.io/v2) does not match the expected API version (ex.io/v1)",
    );
    let mut other = foo("y", json!({}));
    other["kind"] = "Bar".into();
    client.post(FOOS, other).await.fails(
        422,
        "Invalid",
        "Bar.ex.io \"y\" is invalid: kind: Invalid value: \"Bar\": must be Foo",
    );
    client.post(FOOS, json!({"metadata": {"name": "y"}})).await.fails(
        400,
        "BadRequest",
        "the object provided is unrecognized (must be of type Foo): Object 'Kind' is missing in \
         '{\"metadata\":{\"name\":\"y\"}}' ({\"metadata\":{\"name\":\"y\"}})",
    );
    client.post(FOOS, foo("y", json!({}))).await.expect(201);
    client.put(&format!("{FOOS}/y"), foo("y", json!({}))).await.fails(
        422,
        "Invalid",
        "foos.ex.io \"y\" is invalid: metadata.resourceVersion: Invalid value: 0: must be \
         specified for an update",
    );
    let answer = client.patch(&format!("{FOOS}/y"), "strategic-merge-patch+json", json!({})).await;
    answer.fails(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: \
         application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    );
    let page = client.get("/apis/ex.io/v1/namespaces/default/bars").await;
    assert_eq!((page.code, &*page.bytes), (404, b"404 page not found\n".as_slice()));
}

#[tokio::test]
async fn a_crd_goes_with_its_objects() {
    let client = installed().await;
    client.post(FOOS, foo("x", json!({}))).await.expect(201);
    let mut held = foo("y", json!({}));
    held["metadata"]["finalizers"] = json!(["x.y/z"]);
    client.post(FOOS, held).await.expect(201);
    let path = format!("{CRDS}/foos.ex.io");
    let deleting = client.delete(&path).await.expect(200);
    assert_eq!(
        deleting["metadata"]["finalizers"],
        json!(["customresourcecleanup.apiextensions.k8s.io"])
    );
    eventually(async || client.get(&format!("{FOOS}/x")).await.code == 404).await;
    let refused = client.post(FOOS, foo("z", json!({}))).await.expect(403);
    assert_eq!(refused["reason"], "Forbidden");
    let free = json!({"metadata": {"finalizers": null}});
    client.patch(&format!("{FOOS}/y"), "merge-patch+json", free).await.expect(200);
    eventually(async || client.get(&path).await.code == 404).await;
    assert_eq!(&*client.get(FOOS).await.bytes, b"404 page not found\n");
    // And may come again, empty.
    client.post(CRDS, crd()).await.expect(201);
    assert_eq!(client.get(FOOS).await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn names_that_are_taken_are_not_accepted() {
    let client = installed().await;
    let mut other = crd();
    other["metadata"]["name"] = "others.ex.io".into();
    other["spec"]["names"] = json!({"plural": "others", "kind": "Foo"});
    client.post(CRDS, other).await.expect(201);
    let other = client.get(&format!("{CRDS}/others.ex.io")).await.expect(200);
    let condition = &other["status"]["conditions"][0];
    assert_eq!(condition["type"], "NamesAccepted");
    assert_eq!(condition["status"], "False");
    assert_eq!(condition["reason"], "ListKindConflict");
    client.get("/apis/ex.io/v1/namespaces/default/others").await.expect(404);
    // When the name is free again it is accepted.
    client.delete(&format!("{CRDS}/foos.ex.io")).await.expect(200);
    let path = "/apis/ex.io/v1/namespaces/default/others";
    eventually(async || client.get(path).await.code == 200).await;
}

#[tokio::test]
async fn several_versions_serve_the_same_objects() {
    let client = start().await;
    let mut crd = crd();
    let mut second = crd["spec"]["versions"][0].clone();
    second["name"] = "v2".into();
    second["storage"] = false.into();
    crd["spec"]["versions"].as_array_mut().expect("versions").push(second);
    client.post(CRDS, crd).await.expect(201);
    client.post(FOOS, foo("x", json!({"a": 1}))).await.expect(201);
    let other = client.get("/apis/ex.io/v2/namespaces/default/foos/x").await.expect(200);
    assert_eq!(other["apiVersion"], "ex.io/v2");
    assert_eq!(other["spec"]["a"], 1);
    let group = client.get("/apis/ex.io").await.expect(200);
    assert_eq!(group["preferredVersion"]["version"], "v2");
}

#[tokio::test]
async fn malformed_definitions_are_refused() {
    let client = start().await;
    client.post(CRDS, json!({"metadata": {"name": "x"}, "spec": {}})).await.expect(422);
    let mut webhook = crd();
    webhook["spec"]["conversion"] = json!({"strategy": "Webhook"});
    let refused = client.post(CRDS, webhook).await.expect(422);
    let message = refused["message"].as_str().expect("a message");
    assert!(
        message.contains("spec.conversion.webhookClientConfig: Required value: required when"),
        "{message}"
    );
}

fn condition(crd: &Value, kind: &str) -> Value {
    let conditions = crd["status"]["conditions"].as_array();
    let found = conditions.into_iter().flatten().find(|condition| condition["type"] == kind);
    found.cloned().unwrap_or_default()
}

#[tokio::test]
async fn protected_groups_are_told_to_be_approved_or_not() {
    let client = start().await;
    let mut definition = crd();
    definition["metadata"]["name"] = "foos.ex.k8s.io".into();
    definition["spec"]["group"] = "ex.k8s.io".into();
    let refused = client.post(CRDS, definition.clone()).await.expect(422);
    let field = &refused["details"]["causes"][0]["field"];
    assert_eq!(field, "metadata.annotations[api-approved.kubernetes.io]");
    let annotation = json!({"api-approved.kubernetes.io": "unapproved, a test"});
    definition["metadata"]["annotations"] = annotation;
    client.post(CRDS, definition).await.expect(201);
    let path = format!("{CRDS}/foos.ex.k8s.io");
    let told = client.get(&path).await.expect(200);
    let told = condition(&told, "KubernetesAPIApprovalPolicyConformant");
    assert_eq!(
        (&told["status"], &told["reason"], &told["message"]),
        (
            &"False".into(),
            &"UnapprovedAnnotation".into(),
            &"not approved: \"unapproved, a test\"".into()
        )
    );
    let url = json!({"metadata": {"annotations": {"api-approved.kubernetes.io": "https://a.b/1"}}});
    client.patch(&path, "merge-patch+json", url).await.expect(200);
    let told = client.get(&path).await.expect(200);
    let told = condition(&told, "KubernetesAPIApprovalPolicyConformant");
    assert_eq!(
        (&told["status"], &told["reason"], &told["message"]),
        (&"True".into(), &"ApprovedAnnotation".into(), &"approved in https://a.b/1".into())
    );
}

#[tokio::test]
async fn what_a_webhook_would_convert_is_refused() {
    let client = start().await;
    let mut definition = crd();
    definition["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": {
        "conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://a.example/convert"}}});
    let mut other = definition["spec"]["versions"][0].clone();
    other["name"] = "v2".into();
    other["storage"] = false.into();
    definition["spec"]["versions"].as_array_mut().expect("versions").push(other);
    let created = client.post(CRDS, definition).await.expect(201);
    assert_eq!(created["spec"]["conversion"]["strategy"], "Webhook");
    client.post(FOOS, foo("a", json!({}))).await.expect(201);
    client.get(&format!("{FOOS}/a")).await.expect(200);
    let refused = client.get("/apis/ex.io/v2/namespaces/default/foos/a").await.expect(501);
    let message = refused["message"].as_str().unwrap_or_default();
    assert!(message.contains("the conversion of objects by a webhook"), "{message}");
}

#[tokio::test]
async fn what_the_stored_version_does_not_know_is_not_kept() {
    let client = start().await;
    let mut definition = crd();
    let mut other = definition["spec"]["versions"][0].clone();
    other["name"] = "v2".into();
    other["storage"] = false.into();
    other.as_object_mut().expect("a version").remove("selectableFields");
    other["schema"]["openAPIV3Schema"]["properties"]["spec"] = json!({"type": "object",
        "properties": {"a": {"type": "integer"}, "more": {"type": "string", "default": "d"}}});
    definition["spec"]["versions"].as_array_mut().expect("versions").push(other);
    client.post(CRDS, definition).await.expect(201);
    let foos = "/apis/ex.io/v2/namespaces/default/foos";
    let mut sent = foo("a", json!({"a": 1, "more": "x", "mode": "y"}));
    sent["apiVersion"] = "ex.io/v2".into();
    let created = client.post(foos, sent).await.expect(201);
    assert_eq!(created["spec"], json!({"a": 1}));
    let read = client.get(&format!("{FOOS}/a")).await.expect(200);
    assert_eq!(read["spec"], json!({"a": 1, "mode": "x"}));
    let list = client.get(&format!("{foos}?limit=1")).await.expect(200);
    assert_eq!(list["items"][0]["spec"], json!({"a": 1}));
}
