//! Who manages which field, after every way to write.

use serde_json::{Value, json};

use crate::client::{Client, start};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

/// Manager, operation, subresource and fields of each entry; every entry has a time.
fn entries(object: &Value) -> Vec<(String, String, String, Value)> {
    let list = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    list.iter()
        .map(|entry| {
            assert!(entry["time"].is_string(), "{entry}");
            assert_eq!(entry["fieldsType"], "FieldsV1");
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            let fields = entry["fieldsV1"].clone();
            (text("manager"), text("operation"), text("subresource"), fields)
        })
        .collect()
}

fn update(manager: &str, fields: Value) -> (String, String, String, Value) {
    (manager.to_owned(), "Update".to_owned(), String::new(), fields)
}

async fn config_map(client: &Client) -> Value {
    let body = json!({"metadata": {"name": "a", "labels": {"app": "x"}}, "data": {"k": "v"}});
    client.post(&format!("{MAPS}?fieldManager=first"), body).await.expect(201)
}

#[tokio::test]
async fn each_manager_has_what_it_wrote_last() {
    let client = start().await;
    let created = config_map(&client).await;
    let all = json!({
        "f:data": {".": {}, "f:k": {}},
        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
    });
    assert_eq!(entries(&created), [update("first", all)]);
    assert_eq!(created["metadata"]["managedFields"][0]["apiVersion"], "v1");

    let patch = json!({"data": {"k": "w", "l": "1"}});
    let path = format!("{MAPS}/a?fieldManager=second");
    let patched = client.patch(&path, "merge-patch+json", patch).await.expect(200);
    let first = json!({
        "f:data": {},
        "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
    });
    let second = json!({"f:data": {"f:k": {}, "f:l": {}}});
    assert_eq!(entries(&patched), [update("first", first.clone()), update("second", second)]);

    let mut wanted = patched.clone();
    wanted["metadata"]["managedFields"].take();
    wanted["data"] = json!({"l": "1"});
    let put = client.put(&format!("{MAPS}/a?fieldManager=third"), wanted).await.expect(200);
    let second = json!({"f:data": {"f:l": {}}});
    assert_eq!(
        entries(&put),
        [update("first", first), update("second", second)],
        "a field that is gone has no manager, and who wrote nothing is none"
    );
}

#[tokio::test]
async fn the_client_names_itself_and_an_empty_list_resets() {
    let client = start().await;
    let request = http::Request::post(MAPS)
        .header("content-type", "application/json")
        .header("user-agent", "kubectl/v1.37 (linux/amd64)")
        .body(http_body_util::Full::from(r#"{"metadata":{"name":"b"},"data":{"k":"v"}}"#))
        .expect("a request");
    let created = client.send(request).await.expect(201);
    assert_eq!(entries(&created)[0].0, "kubectl");

    let reset = json!({"metadata": {"managedFields": [{}]}});
    let path = format!("{MAPS}/b?fieldManager=x");
    let reset = client.patch(&path, "merge-patch+json", reset).await.expect(200);
    assert_eq!(entries(&reset), [], "nobody is asked who owned what nobody tracks");
}

#[tokio::test]
async fn the_status_is_written_apart() {
    let client = start().await;
    let deployment = json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
        "status": {"replicas": 9},
    });
    let created = client.post(&format!("{DEPLOYMENTS}?fieldManager=me"), deployment).await;
    let created = created.expect(201);
    assert!(entries(&created)[0].3.get("f:status").is_none());
    let containers = &entries(&created)[0].3["f:spec"]["f:template"]["f:spec"]["f:containers"];
    assert!(containers.get("k:{\"name\":\"c\"}").is_some(), "{containers}");

    let status = json!({"status": {"replicas": 3}, "spec": {"replicas": 5}});
    let path = format!("{DEPLOYMENTS}/web/status?fieldManager=you");
    let patched = client.patch(&path, "merge-patch+json", status).await.expect(200);
    let last = entries(&patched).pop().expect("an entry");
    assert_eq!((last.0.as_str(), last.2.as_str()), ("you", "status"));
    assert_eq!(last.3, json!({"f:status": {"f:replicas": {}}}));

    let scale = json!({"spec": {"replicas": 4}});
    let path = format!("{DEPLOYMENTS}/web/scale?fieldManager=scaler");
    client.patch(&path, "merge-patch+json", scale).await.expect(200);
    let read = client.get(&format!("{DEPLOYMENTS}/web")).await.expect(200);
    let scaler = entries(&read).into_iter().find(|e| e.0 == "scaler").expect("the scaler");
    assert_eq!((scaler.2.as_str(), scaler.3), ("scale", json!({"f:spec": {"f:replicas": {}}})));
}

#[tokio::test]
async fn a_write_that_changes_nothing_writes_nothing() {
    let client = start().await;
    let created = config_map(&client).await;
    for manager in ["first", "other"] {
        let path = format!("{MAPS}/a?fieldManager={manager}");
        let again = client.put(&path, created.clone()).await.expect(200);
        assert_eq!(again["metadata"]["resourceVersion"], created["metadata"]["resourceVersion"]);
        assert_eq!(entries(&again), entries(&created));
    }
}

#[tokio::test]
async fn managers_of_updates_are_at_most_ten() {
    let client = start().await;
    config_map(&client).await;
    for i in 0..14 {
        let patch = json!({"data": {format!("k{i}"): "v"}});
        let path = format!("{MAPS}/a?fieldManager=m{i}");
        client.patch(&path, "merge-patch+json", patch).await.expect(200);
    }
    let read = client.get(&format!("{MAPS}/a")).await.expect(200);
    let names: Vec<String> = entries(&read).into_iter().map(|e| e.0).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    assert!(names.contains(&"ancient-changes".to_owned()), "{names:?}");
}
