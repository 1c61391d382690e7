//! Lists: revisions, pages, selectors.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, quiet, start, start_with};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name")).collect()
}

fn version(value: &Value) -> u64 {
    let text = value["metadata"]["resourceVersion"].as_str().expect("a version");
    text.parse().expect("a number")
}

async fn list(client: &Client, query: &str) -> Value {
    client.get(&format!("{MAPS}?{query}")).await.expect(200)
}

#[tokio::test]
async fn items_of_typed_lists_have_no_kind() {
    let client = start().await;
    client.config_maps("default", &["b", "a"]).await;
    client.config_maps("kube-system", &["c"]).await;
    let list = list(&client, "").await;
    assert_eq!(list["kind"], "ConfigMapList");
    assert_eq!(list["apiVersion"], "v1");
    assert_eq!(names(&list), ["a", "b"]);
    assert!(list["items"][0].get("kind").is_none());
    assert_eq!(version(&list), client.server.resource_version());
    let all = client.get("/api/v1/configmaps").await.expect(200);
    assert_eq!(names(&all), ["a", "b", "c"]);
    let none = client.get("/api/v1/namespaces/nope/configmaps").await.expect(200);
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn selectors_select() {
    let client = start().await;
    client.config_maps("default", &["a", "b", "c"]).await;
    for (query, expect) in [
        ("labelSelector=app%3Da", vec!["a"]),
        ("labelSelector=app%20in%20(a,c)", vec!["a", "c"]),
        ("labelSelector=app!%3Da", vec!["b", "c"]),
        ("labelSelector=!app", vec![]),
        ("fieldSelector=metadata.name%3Db", vec!["b"]),
        ("fieldSelector=metadata.name!%3Db", vec!["a", "c"]),
        ("fieldSelector=metadata.namespace%3Dother", vec![]),
        ("labelSelector=app%3Da&fieldSelector=metadata.name%3Db", vec![]),
    ] {
        assert_eq!(names(&list(&client, query).await), expect, "{query}");
    }
    let pod = |name: &str, node: &str| {
        json!({"metadata": {"name": name}, "spec": {
            "nodeName": node, "containers": [{"name": "c", "image": "i"}]}})
    };
    let pods = "/api/v1/namespaces/default/pods";
    client.post(pods, pod("p", "n1")).await.expect(201);
    client.post(pods, pod("q", "n2")).await.expect(201);
    let path = format!("{pods}?fieldSelector=spec.nodeName%3Dn2,status.phase%3DPending");
    assert_eq!(names(&client.get(&path).await.expect(200)), ["q"]);
}

#[tokio::test]
async fn pages_are_of_one_revision() {
    let client = start().await;
    client.config_maps("default", &["a", "b", "c", "d", "e"]).await;
    let first = list(&client, "limit=2").await;
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    // What is written meanwhile is not in the list that was begun.
    client.delete(&format!("{MAPS}/c")).await.expect(200);
    client.config_maps("default", &["bb"]).await;
    let token = first["metadata"]["continue"].as_str().expect("a token");
    let second = list(&client, &format!("limit=2&continue={token}")).await;
    assert_eq!(names(&second), ["c", "d"]);
    assert_eq!(version(&second), version(&first));
    let token = second["metadata"]["continue"].as_str().expect("a token");
    let third = list(&client, &format!("limit=2&continue={token}")).await;
    assert_eq!(names(&third), ["e"]);
    assert!(third["metadata"].get("continue").is_none());
    assert!(third["metadata"].get("remainingItemCount").is_none());
}

#[tokio::test]
async fn pages_of_a_selection_are_full_and_uncounted() {
    let client = start().await;
    client.config_maps("default", &["a", "b", "c", "d", "e"]).await;
    let query = "limit=2&labelSelector=app%20in%20(b,d,e)";
    let first = list(&client, query).await;
    assert_eq!(names(&first), ["b", "d"]);
    assert!(first["metadata"].get("remainingItemCount").is_none());
    let token = first["metadata"]["continue"].as_str().expect("a token");
    let rest = list(&client, &format!("{query}&continue={token}")).await;
    assert_eq!(names(&rest), ["e"]);
}

#[tokio::test]
async fn continue_tokens_expire_and_are_checked() {
    let client = start().await;
    client.config_maps("default", &["a", "b", "c"]).await;
    let first = list(&client, "limit=1").await;
    let token = first["metadata"]["continue"].as_str().expect("a token").to_owned();
    client.config_maps("default", &["bb"]).await;
    client.server.faults().compact().expect("compacted");
    let expired = client.get(&format!("{MAPS}?limit=1&continue={token}")).await.expect(410);
    assert_eq!(expired["reason"], "Expired");
    let fresh = expired["metadata"]["continue"].as_str().expect("a fresh token");
    let rest = list(&client, &format!("continue={fresh}")).await;
    assert_eq!(names(&rest), ["b", "bb", "c"], "as things are now");
    client.get(&format!("{MAPS}?continue=!")).await.expect(400);
    for token in [
        // {"v":"other"}, {"v":"meta.k8s.io/v1","start":"/a"}, and a way out of the prefix.
        "eyJ2Ijoib3RoZXIifQ",
        "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJzdGFydCI6Ii9hIn0",
        "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIvLi4vYSJ9",
    ] {
        let answer = client.get(&format!("{MAPS}?continue={token}")).await.expect(400);
        let message = answer["message"].as_str().expect("a message");
        assert!(message.starts_with("invalid continue token: continue key is not valid: "));
    }
}

#[tokio::test]
async fn the_matrix_of_resource_versions() {
    let wait = Duration::from_millis(20);
    let client = start_with(quiet().future_version_wait(wait)).await;
    client.config_maps("default", &["a"]).await;
    let old = client.server.resource_version();
    client.config_maps("default", &["b"]).await;
    let now = client.server.resource_version();
    for (query, expect) in [
        (String::new(), vec!["a", "b"]),
        ("resourceVersion=0".to_owned(), vec!["a", "b"]),
        ("resourceVersion=0&limit=1".to_owned(), vec!["a", "b"]),
        (format!("resourceVersion={old}"), vec!["a", "b"]),
        (format!("resourceVersion={old}&resourceVersionMatch=NotOlderThan"), vec!["a", "b"]),
        (format!("resourceVersion={old}&resourceVersionMatch=Exact"), vec!["a"]),
        (format!("resourceVersion={old}&limit=5"), vec!["a"]),
        (format!("resourceVersion={now}&resourceVersionMatch=Exact"), vec!["a", "b"]),
    ] {
        let list = list(&client, &query).await;
        assert_eq!(names(&list), expect, "{query}");
    }
    let future = now + 50;
    for query in ["", "&resourceVersionMatch=Exact", "&resourceVersionMatch=NotOlderThan"] {
        let answer = client.get(&format!("{MAPS}?resourceVersion={future}{query}")).await;
        assert_eq!(answer.headers["retry-after"], "1");
        let status = answer.fails(
            504,
            "Timeout",
            &format!("Timeout: Too large resource version: {future}, current: {now}"),
        );
        assert_eq!(
            status["details"],
            json!({
                "causes": [{
                    "reason": "ResourceVersionTooLarge",
                    "message": "Too large resource version",
                }],
                "retryAfterSeconds": 1,
            })
        );
    }
    client.server.faults().compact().expect("compacted");
    let answer =
        client.get(&format!("{MAPS}?resourceVersion={old}&resourceVersionMatch=Exact")).await;
    answer.fails(410, "Expired", "The resourceVersion for the provided list is too old.");
    assert_eq!(names(&list(&client, &format!("resourceVersion={old}")).await), ["a", "b"]);
}

#[tokio::test]
async fn a_read_waits_for_the_version_it_names() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let next = client.server.resource_version() + 1;
    let query = format!("resourceVersion={next}");
    let (list, ()) = tokio::join!(list(&client, &query), client.config_maps("default", &["b"]));
    assert_eq!(names(&list), ["a", "b"]);
}

#[tokio::test]
async fn combinations_of_options_that_are_refused() {
    let client = start().await;
    let invalid = "ListOptions.meta.k8s.io \"\" is invalid: ";
    for (query, message) in [
        (
            "resourceVersionMatch=Exact",
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless \
             resourceVersion is provided",
        ),
        (
            "resourceVersionMatch=Exact&resourceVersion=0",
            "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for \
             resourceVersion \"0\"",
        ),
        (
            "resourceVersionMatch=Nope&resourceVersion=1",
            "resourceVersionMatch: Unsupported value: \"Nope\": supported values: \"Exact\", \
             \"NotOlderThan\", \"\"",
        ),
        (
            "sendInitialEvents=true",
            "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
        ),
        (
            "watch=1&sendInitialEvents=true",
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting \
             resourceVersionMatch to NotOlderThan",
        ),
    ] {
        let answer = client.get(&format!("{MAPS}?{query}")).await;
        answer.fails(422, "Invalid", &format!("{invalid}{message}"));
    }
    for (query, message) in [
        (
            "resourceVersion=x",
            "invalid resource version: resourceVersion: Invalid value: \"x\": strconv.ParseUint: \
             parsing \"x\": invalid syntax",
        ),
        ("limit=x", "strconv.ParseInt: parsing \"x\": invalid syntax"),
        ("labelSelector=a,,", "found ',', expected: identifier after ','"),
        (
            "fieldSelector=x%3D1",
            "\"x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        ),
        ("fieldSelector=x", "invalid selector: 'x'; can't understand 'x'"),
    ] {
        client.get(&format!("{MAPS}?{query}")).await.fails(400, "BadRequest", message);
    }
    let pods = client.get("/api/v1/pods?fieldSelector=x%3D1").await;
    pods.fails(400, "BadRequest", "field label not supported: x");
}
