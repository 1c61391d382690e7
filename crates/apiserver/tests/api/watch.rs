//! Watches: resuming, selector transitions, watch-list, bookmarks, expiry.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{quiet, start, start_with};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn label(client: &crate::client::Client, name: &str, value: &str) {
    let change = json!({"metadata": {"labels": {"app": value}}});
    client.patch(&format!("{MAPS}/{name}"), "merge-patch+json", change).await.expect(200);
}

#[tokio::test]
async fn a_watch_follows_a_list_without_a_gap() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let list = client.get(MAPS).await.expect(200);
    let version = list["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
    // Written between list and watch, and elsewhere.
    client.config_maps("default", &["b"]).await;
    client.config_maps("kube-system", &["other"]).await;
    let mut watch = client.watch(&format!("{MAPS}?watch=1&resourceVersion={version}")).await;
    assert_eq!(watch.event().await, "ADDED b");
    label(&client, "a", "x").await;
    client.delete(&format!("{MAPS}/b")).await.expect(200);
    let modified = watch.next().await.expect("an event");
    assert_eq!(modified["type"], "MODIFIED");
    assert_eq!(modified["object"]["kind"], "ConfigMap");
    assert_eq!(modified["object"]["metadata"]["labels"], json!({"app": "x"}));
    let deleted = watch.next().await.expect("an event");
    assert_eq!(deleted["type"], "DELETED");
    let last = client.server.resource_version().to_string();
    assert_eq!(deleted["object"]["metadata"]["resourceVersion"], last.as_str());
}

#[tokio::test]
async fn a_watch_of_the_newest_state_begins_with_it() {
    let client = start().await;
    client.config_maps("default", &["b", "a"]).await;
    for query in ["watch=1", "watch=1&resourceVersion=0", "watch=true&labelSelector=app"] {
        let mut watch = client.watch(&format!("{MAPS}?{query}")).await;
        assert_eq!(watch.event().await, "ADDED a", "{query}");
        assert_eq!(watch.event().await, "ADDED b", "{query}");
    }
    let mut one = client.watch(&format!("{MAPS}?watch=1&fieldSelector=metadata.name%3Db")).await;
    assert_eq!(one.event().await, "ADDED b");
    let mut prefix = client.watch("/api/v1/watch/namespaces/default/configmaps/b").await;
    assert_eq!(prefix.event().await, "ADDED b");
}

#[tokio::test]
async fn objects_enter_and_leave_a_selection() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let now = client.server.resource_version();
    let path = format!("{MAPS}?watch=1&labelSelector=app%3Din&resourceVersion={now}");
    let mut watch = client.watch(&path).await;
    label(&client, "a", "out").await;
    label(&client, "a", "in").await;
    assert_eq!(watch.event().await, "ADDED a");
    client.patch(&format!("{MAPS}/a"), "merge-patch+json", json!({"data": {"k": "v"}})).await;
    assert_eq!(watch.event().await, "MODIFIED a");
    label(&client, "a", "out").await;
    let left = watch.next().await.expect("an event");
    assert_eq!(left["type"], "DELETED");
    // What it was when it was still selected, at the version of the change.
    assert_eq!(left["object"]["metadata"]["labels"]["app"], "in");
    let version = client.server.resource_version().to_string();
    assert_eq!(left["object"]["metadata"]["resourceVersion"], version.as_str());
    label(&client, "a", "in").await;
    assert_eq!(watch.event().await, "ADDED a");
    client.delete(&format!("{MAPS}/a")).await.expect(200);
    assert_eq!(watch.event().await, "DELETED a");
}

#[tokio::test]
async fn watch_list_ends_the_initial_events_with_a_bookmark() {
    let client = start().await;
    client.config_maps("default", &["b", "a"]).await;
    let version = client.server.resource_version().to_string();
    let path = format!(
        "{MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan\
         &allowWatchBookmarks=true"
    );
    let mut watch = client.watch(&path).await;
    assert_eq!(watch.event().await, "ADDED a");
    assert_eq!(watch.event().await, "ADDED b");
    assert_eq!(
        watch.next().await.expect("a bookmark"),
        json!({"type": "BOOKMARK", "object": {
            "kind": "ConfigMap", "apiVersion": "v1",
            "metadata": {
                "resourceVersion": version,
                "annotations": {"k8s.io/initial-events-end": "true"},
            },
        }})
    );
    client.config_maps("default", &["c"]).await;
    assert_eq!(watch.event().await, "ADDED c");

    let pods = path.replace("configmaps", "pods");
    let bookmark = client.watch(&pods).await.next().await.expect("a bookmark");
    assert_eq!(bookmark["object"]["spec"], json!({"containers": null}));
    assert_eq!(bookmark["object"]["kind"], "Pod");
}

#[tokio::test]
async fn bookmarks_carry_the_progress_of_others() {
    let builder = quiet().bookmark_interval(Duration::from_millis(5));
    let client = start_with(builder).await;
    let now = client.server.resource_version();
    let query = format!("watch=1&allowWatchBookmarks=true&resourceVersion={now}");
    let mut watch = client.watch(&format!("{MAPS}?{query}")).await;
    client.config_maps("kube-system", &["a", "b"]).await;
    let version = client.server.resource_version().to_string();
    loop {
        let event = watch.next().await.expect("a bookmark");
        assert_eq!(event["type"], "BOOKMARK");
        assert!(event["object"]["metadata"].get("annotations").is_none());
        if event["object"]["metadata"]["resourceVersion"] == version.as_str() {
            break;
        }
    }
}

#[tokio::test]
async fn a_watch_ends_at_its_time() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let mut watch = client.watch(&format!("{MAPS}?watch=1&timeoutSeconds=1")).await;
    assert_eq!(watch.event().await, "ADDED a");
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn compacted_versions_are_an_error_event() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let old = client.server.resource_version();
    client.config_maps("default", &["b"]).await;
    let compacted = client.server.faults().compact().expect("compacted");
    let mut watch = client.watch(&format!("{MAPS}?watch=1&resourceVersion={old}")).await;
    assert_eq!(
        watch.next().await.expect("an event"),
        json!({"type": "ERROR", "object": {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": format!("too old resource version: {old} ({compacted})"),
            "reason": "Expired", "code": 410,
        }})
    );
    assert_eq!(watch.next().await, None);
    // From the compacted version itself on, everything is still there.
    let mut watch = client.watch(&format!("{MAPS}?watch=1&resourceVersion={compacted}")).await;
    client.config_maps("default", &["c"]).await;
    assert_eq!(watch.event().await, "ADDED c");
}

#[tokio::test]
async fn history_is_bounded() {
    let client = start_with(quiet().history(50, 1 << 20)).await;
    client.config_maps("default", &["a"]).await;
    let old = client.server.resource_version();
    for value in 0..100 {
        label(&client, "a", &format!("v{value}")).await;
    }
    let mut watch = client.watch(&format!("{MAPS}?watch=1&resourceVersion={old}")).await;
    assert_eq!(watch.next().await.expect("an event")["object"]["code"], 410);
    let recent = client.server.resource_version() - 10;
    let mut watch = client.watch(&format!("{MAPS}?watch=1&resourceVersion={recent}")).await;
    assert_eq!(watch.event().await, "MODIFIED a");
}

#[tokio::test]
async fn watches_can_be_dropped() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let now = client.server.resource_version();
    let mut watch = client.watch(&format!("{MAPS}?watch=1&resourceVersion={now}")).await;
    client.config_maps("default", &["b"]).await;
    client.server.faults().drop_watches();
    assert_eq!(watch.event().await, "ADDED b", "what happened before is delivered");
    assert_eq!(watch.next().await, None);
    let mut again = client.watch(&format!("{MAPS}?watch=1&resourceVersion={now}")).await;
    assert_eq!(again.event().await, "ADDED b");
}

#[tokio::test]
async fn every_watcher_sees_every_event_once() {
    let client = start().await;
    let start = client.server.resource_version();
    let mut watches = Vec::new();
    for _ in 0..20 {
        watches.push(client.watch(&format!("{MAPS}?watch=1&resourceVersion={start}")).await);
    }
    let names: Vec<String> = (0..100).map(|i| format!("m{i}")).collect();
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    client.config_maps("default", &refs).await;
    for watch in &mut watches {
        let mut last = start;
        for name in &names {
            let event = watch.next().await.expect("an event");
            assert_eq!(event["object"]["metadata"]["name"], name.as_str());
            let version = event["object"]["metadata"]["resourceVersion"].as_str().expect("one");
            let version: u64 = version.parse().expect("a number");
            assert!(version > last);
            last = version;
        }
    }
}

#[tokio::test]
async fn shutdown_ends_watches() {
    let client = start().await;
    let mut watch = client.watch(&format!("{MAPS}?watch=1")).await;
    let service = client.service.clone();
    client.server.shutdown().await;
    assert_eq!(watch.next().await, Option::<Value>::None);
    drop(service);
}

#[tokio::test]
async fn watch_versions_are_checked() {
    let client = start().await;
    client.get(&format!("{MAPS}?watch=1&resourceVersion=x")).await.fails(
        500,
        "",
        "resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid syntax",
    );
}
