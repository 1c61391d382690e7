//! Paths that are not there, users who may not, bodies that are wrong, discovery and health.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use pintle_apiserver::User;
use serde_json::{Value, json};

use crate::client::{Client, quiet, start, start_with};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn as_user(client: &Client, method: &str, path: &str, token: &str) -> crate::client::Answer {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    client.send(request.body(Full::<Bytes>::default()).expect("a request")).await
}

#[tokio::test]
async fn unknown_paths_and_methods() {
    let client = start().await;
    for path in ["/nope", "/apis/nope/v1/foos", "/apis/nope"] {
        let answer = client.get(path).await;
        assert_eq!((answer.code, &*answer.bytes), (404, b"404 page not found\n".as_slice()));
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    }
    for path in ["/api/v2", "/api/v1/foo", "/apis/apps/v1/foo", "/apis/apps/v2/deployments"] {
        let message = "the server could not find the requested resource";
        let status = client.get(path).await.fails(404, "NotFound", message);
        assert_eq!(status["details"], json!({}));
    }
    let message = "the server does not allow this method on the requested resource";
    for (method, path) in [
        ("PUT", "/api/v1/configmaps"),
        ("POST", "/api/v1/configmaps"),
        ("POST", "/api/v1/namespaces/default/configmaps/a"),
        ("PUT", MAPS),
        ("DELETE", "/api/v1/namespaces/default/pods/p/log"),
        ("DELETE", "/api/v1/componentstatuses"),
    ] {
        let method = http::Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = client.call(method, path, json!({})).await;
        answer.fails(405, "MethodNotAllowed", message);
    }
    client.get("/apis/apps/v1/namespaces/default/deployments/a").await.fails(
        404,
        "NotFound",
        "deployments.apps \"a\" not found",
    );
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let client = start().await;
    let containers = json!([{"name": "c", "image": "a"}]);
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": containers}});
    client.post("/api/v1/namespaces/default/pods", pod).await.expect(201);
    for (method, path, what) in [
        ("GET", "/api/v1/namespaces/default/pods/p/log", "the subresource pods/log"),
        ("GET", "/api/v1/namespaces/default/pods/p/exec", "the subresource pods/exec"),
    ] {
        let method = http::Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = client.call(method, path, json!({})).await;
        let message = format!("{what} is not implemented by the embedded API server");
        answer.fails(501, "NotImplemented", &message);
    }
}

#[tokio::test]
async fn only_masters_may() {
    let builder = quiet()
        .token("joe-token", User::new("joe", Vec::<String>::new()))
        .token("root-token", User::new("root", ["system:masters"]));
    let mut client = start_with(builder).await;
    client.service = client.service.with_user(None);
    for (method, path, message) in [
        (
            "GET",
            "/api/v1/namespaces",
            "namespaces is forbidden: User \"joe\" cannot list resource \"namespaces\" in API \
             group \"\" at the cluster scope",
        ),
        (
            "GET",
            "/api/v1/namespaces/x/pods/p/log",
            "pods \"p\" is forbidden: User \"joe\" cannot get resource \"pods/log\" in API group \
             \"\" in the namespace \"x\"",
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/x/deployments/d",
            "deployments.apps \"d\" is forbidden: User \"joe\" cannot delete resource \
             \"deployments\" in API group \"apps\" in the namespace \"x\"",
        ),
        ("GET", "/metrics", "forbidden: User \"joe\" cannot get path \"/metrics\""),
    ] {
        let answer = as_user(&client, method, path, "joe-token").await;
        answer.fails(403, "Forbidden", message);
    }
    let answer = as_user(&client, "GET", "/api/v1/namespaces", "").await;
    let status = answer.fails(
        403,
        "Forbidden",
        "namespaces is forbidden: User \"system:anonymous\" cannot list resource \"namespaces\" \
         in API group \"\" at the cluster scope",
    );
    assert_eq!(status["details"], json!({"kind": "namespaces"}));
    as_user(&client, "GET", "/version", "").await.expect(200);
    as_user(&client, "GET", "/apis", "").await.expect(403);
    as_user(&client, "GET", "/apis", "joe-token").await.expect(200);
    as_user(&client, "GET", "/api/v1/namespaces", "root-token").await.expect(200);
    let answer = as_user(&client, "GET", "/api", "wrong").await;
    let status = answer.fails(401, "Unauthorized", "Unauthorized");
    assert!(status.get("details").is_none());
}

#[tokio::test]
async fn switches_of_authorization() {
    let mut client = start_with(quiet().anonymous(false)).await;
    client.service = client.service.with_user(None);
    as_user(&client, "GET", "/version", "").await.fails(401, "Unauthorized", "Unauthorized");
    let mut client = start_with(quiet().allow_all(true)).await;
    client.service = client.service.with_user(None);
    as_user(&client, "GET", "/api/v1/namespaces", "").await.expect(200);
}

#[tokio::test]
async fn wrong_objects_are_refused() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
        characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
        'example.com', regex used for validation is \
        '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    for (body, code, reason, message) in [
        (
            json!({"metadata": {"name": "a"}}),
            409,
            "AlreadyExists",
            "configmaps \"a\" already exists".to_owned(),
        ),
        (
            json!({"metadata": {"name": "A_"}}),
            422,
            "Invalid",
            format!(
                "ConfigMap \"A_\" is invalid: metadata.name: Invalid value: \"A_\": {subdomain}"
            ),
        ),
        (
            json!({"metadata": {}}),
            422,
            "Invalid",
            "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is \
             required"
                .to_owned(),
        ),
        (
            json!({"metadata": {"name": "b", "namespace": "x"}}),
            400,
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request"
                .to_owned(),
        ),
        (
            json!({"kind": "Nope", "apiVersion": "v9", "metadata": {"name": "b"}}),
            400,
            "BadRequest",
            "Nope in version \"v9\" cannot be handled as a ConfigMap: no kind \"Nope\" is \
             registered for version \"v9\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""
                .to_owned(),
        ),
        (
            json!({"metadata": {"name": "b", "finalizers": ["bad"]}}),
            422,
            "Invalid",
            "ConfigMap \"b\" is invalid: metadata.finalizers[0]: Invalid value: \"bad\": name is \
             neither a standard finalizer name nor is it fully qualified"
                .to_owned(),
        ),
    ] {
        client.post(MAPS, body).await.fails(code, reason, &message);
    }
    let body = json!({"metadata": {"name": "b"}});
    client.post("/api/v1/namespaces/nope/configmaps", body.clone()).await.fails(
        404,
        "NotFound",
        "namespaces \"nope\" not found",
    );
    let mut with_version = body.clone();
    with_version["metadata"]["resourceVersion"] = "5".into();
    client.post(MAPS, with_version).await.expect(500);
    client.put(&format!("{MAPS}/a"), body).await.fails(
        400,
        "BadRequest",
        "the name of the object (b) does not match the name on the URL (a)",
    );
    let uid = client.get(&format!("{MAPS}/a")).await.body["metadata"]["uid"].clone();
    let body = json!({"metadata": {"name": "a", "uid": "q"}});
    client.put(&format!("{MAPS}/a"), body).await.fails(
        409,
        "Conflict",
        &format!(
            "Operation cannot be fulfilled on configmaps \"a\": StorageError: invalid object, \
             Code: 4, Key: /registry/configmaps/default/a, ResourceVersion: 0, \
             AdditionalErrorMsg: Precondition failed: UID in precondition: q, UID in object meta: \
             {}",
            uid.as_str().expect("a UID")
        ),
    );
    for (name, value) in [("dryRun", "x"), ("fieldValidation", "Nope")] {
        let path = format!("{MAPS}?{name}={value}");
        let status = client.post(&path, json!({"metadata": {"name": "c"}})).await.expect(422);
        assert_eq!(status["details"]["causes"][0]["field"], name);
    }
}

#[tokio::test]
async fn unknown_fields_of_built_in_kinds() {
    let client = start().await;
    let body = json!({"metadata": {"name": "b"}, "foo": 1, "bar": {"x": 1}});
    client.post(&format!("{MAPS}?fieldValidation=Strict"), body.clone()).await.fails(
        400,
        "BadRequest",
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: \
         unknown field \"foo\", unknown field \"bar\"",
    );
    let answer = client.post(MAPS, body).await;
    assert_eq!(answer.headers["warning"], "299 - \"unknown field \\\"foo\\\"\"");
    assert!(answer.expect(201).get("foo").is_none());
    let text = r#"{"metadata":{"name":"d"},"data":{"a":"1","a":"2"},"data":{"b":"3","b":"4"}}"#;
    let send =
        |path: String| client.send(Request::post(path).body(Full::from(text)).expect("a request"));
    send(format!("{MAPS}?fieldValidation=Strict")).await.fails(
        400,
        "BadRequest",
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: \
         duplicate field \"data.a\", duplicate field \"data\", duplicate field \"data.b\"",
    );
    assert_eq!(send(MAPS.to_owned()).await.expect(201)["data"], json!({"b": "4"}));
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [
        {"name": "c", "image": "i", "nope": 1, "env": [{"name": "A", "valeu": "b"}]}]}});
    let path = "/api/v1/namespaces/default/pods?fieldValidation=Strict";
    let status = client.post(path, pod).await.expect(400);
    let message = status["message"].as_str().expect("a message");
    assert!(message.ends_with(
        "unknown field \"spec.containers[0].nope\", unknown field \
         \"spec.containers[0].env[0].valeu\""
    ));
}

#[tokio::test]
async fn bodies_that_are_no_objects() {
    let client = start().await;
    for (body, part) in [
        ("{bad", "couldn't get version/kind; json parse error: "),
        ("", "json parse error: unexpected end of JSON input (<empty>)"),
        ("[]", "json: cannot unmarshal array into Go value of type struct"),
    ] {
        let request = Request::post(MAPS).body(Full::from(body.to_owned())).expect("a request");
        let status = client.send(request).await.expect(400);
        let message = status["message"].as_str().expect("a message");
        assert!(
            message.starts_with(
                "the object provided is unrecognized (must be of type ConfigMap): couldn't get \
                 version/kind; "
            ) && message.contains(part),
            "{message}"
        );
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let body = format!("{{\"metadata\":{{\"name\":\"d\"}},\"data\":{deep}}}");
    let request = Request::post(MAPS).body(Full::from(body)).expect("a request");
    client.send(request).await.expect(400);
    let yaml = "metadata:\n  name: in-yaml\ndata:\n  k: v\n";
    let request = Request::post(MAPS)
        .header("content-type", "application/yaml")
        .body(Full::from(yaml))
        .expect("a request");
    assert_eq!(client.send(request).await.expect(201)["data"], json!({"k": "v"}));
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let client = start_with(quiet().max_body_bytes(1_000)).await;
    let body = json!({"metadata": {"name": "a"}, "data": {"k": "x".repeat(2_000)}});
    client.post(MAPS, body).await.fails(
        413,
        "RequestEntityTooLarge",
        "Request entity too large: limit is 1000",
    );
}

#[tokio::test]
async fn discovery_in_both_forms() {
    let client = start().await;
    let api = client.get("/api").await.expect(200);
    assert_eq!(api["versions"], json!(["v1"]));
    let core = client.get("/api/v1").await.expect(200);
    let resources = core["resources"].as_array().expect("resources");
    let named = |name: &str| resources.iter().find(|r| r["name"] == name).cloned();
    let pods = named("pods").expect("pods");
    assert_eq!(pods["shortNames"], json!(["po"]));
    assert_eq!(pods["categories"], json!(["all"]));
    assert!(named("pods/status").is_some());
    let groups = client.get("/apis").await.expect(200);
    let names: Vec<&Value> =
        groups["groups"].as_array().expect("groups").iter().map(|g| &g["name"]).collect();
    assert!(names.contains(&&json!("apps")) && !names.contains(&&json!("")));

    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
        application/json";
    let request = |path: &str, tag: &str| {
        Request::get(path)
            .header("accept", accept)
            .header("if-none-match", tag)
            .body(Full::<Bytes>::default())
            .expect("a request")
    };
    let answer = client.send(request("/apis", "")).await;
    assert_eq!(
        answer.headers["content-type"],
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    );
    let tag = answer.headers["etag"].to_str().expect("a tag").to_owned();
    assert_eq!(client.send(request("/apis", &tag)).await.code, 304);
    let list = answer.expect(200);
    assert_eq!(list["kind"], "APIGroupDiscoveryList");
    let apps =
        list["items"].as_array().expect("items").iter().find(|g| g["metadata"]["name"] == "apps");
    let deployments = &apps.expect("apps")["versions"][0]["resources"][2];
    assert_eq!(deployments["resource"], "deployments");
    assert_eq!(
        deployments["responseKind"],
        json!({"group": "", "version": "", "kind": "Deployment"})
    );
    let core = client.send(request("/api", "")).await.expect(200);
    assert_eq!(core["items"][0]["versions"][0]["version"], "v1");
    // Every resource that is offered with `list` can be listed.
    for group in list["items"].as_array().expect("items") {
        for version in group["versions"].as_array().expect("versions") {
            for resource in version["resources"].as_array().expect("resources") {
                if resource["verbs"].as_array().expect("verbs").contains(&json!("list")) {
                    let path = format!(
                        "/apis/{}/{}/{}",
                        group["metadata"]["name"].as_str().expect("a name"),
                        version["version"].as_str().expect("a version"),
                        resource["resource"].as_str().expect("a resource"),
                    );
                    client.get(&path).await.expect(200);
                }
            }
        }
    }
}

#[tokio::test]
async fn health_and_version() {
    let client = start().await;
    for path in ["/healthz", "/livez", "/readyz", "/livez/ping"] {
        let answer = client.get(path).await;
        assert_eq!((answer.code, &*answer.bytes), (200, b"ok".as_slice()), "{path}");
    }
    let verbose = client.get("/readyz?verbose").await;
    assert!(String::from_utf8_lossy(&verbose.bytes).ends_with("readyz check passed\n"));
    let version = client.get("/version").await.expect(200);
    assert_eq!((&version["major"], &version["minor"]), (&json!("1"), &json!("37")));
    assert_eq!(version["emulationMinor"], "37");
    let answer = client.get("/version").await;
    assert_eq!(answer.headers["cache-control"], "no-cache, private");
    assert_eq!(answer.headers["audit-id"].len(), 36);
}

#[tokio::test]
async fn forms_that_are_not_offered() {
    let client = start().await;
    let request = Request::get(MAPS)
        .header("accept", "application/json;as=Table;v=v9;g=meta.k8s.io")
        .body(Full::<Bytes>::default())
        .expect("a request");
    client.send(request).await.fails(
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json, application/yaml, \
         application/vnd.kubernetes.protobuf",
    );
}
