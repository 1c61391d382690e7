//! Protobuf requests, answers and watches of built-in kinds.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use pintle_api::core_v1::{ConfigMap, ConfigMapList, Pod};
use pintle_apimachinery::{Codec, Decoder, Format, Status, WatchDecoder, WatchEvent};
use serde_json::json;

use crate::client::{Client, start};

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn decode<T: Codec>(bytes: &[u8]) -> T {
    T::decode(bytes, Format::Protobuf, &mut Decoder::new()).expect("decodes")
}

async fn send(client: &Client, method: &str, path: &str, body: Vec<u8>) -> crate::client::Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", PROTOBUF)
        .header("accept", PROTOBUF)
        .body(Full::from(body))
        .expect("a request");
    client.send(request).await
}

fn encode(object: &impl Codec) -> Vec<u8> {
    let mut bytes = Vec::new();
    object.encode(Format::Protobuf, &mut bytes).expect("encodes");
    bytes
}

fn config_map(name: &str) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.name = name.into();
    map.data.insert("k".into(), "v".into());
    map
}

#[tokio::test]
async fn objects_go_there_and_back() {
    let client = start().await;
    let answer = send(&client, "POST", MAPS, encode(&config_map("a"))).await;
    assert_eq!(answer.code, 201);
    assert_eq!(answer.headers["content-type"], PROTOBUF);
    let mut created: ConfigMap = decode(&answer.bytes);
    assert_eq!(created.data.get("k").map(|v| v.as_str()), Some("v"));
    assert_eq!(created.metadata.namespace, "default");
    let json = client.get(&format!("{MAPS}/a")).await.expect(200);
    assert_eq!(json["metadata"]["uid"], created.metadata.uid.as_str());
    assert_eq!(json["metadata"]["resourceVersion"], created.metadata.resource_version.as_str());

    created.data.insert("m".into(), "w".into());
    let answer = send(&client, "PUT", &format!("{MAPS}/a"), encode(&created)).await;
    let updated: ConfigMap = decode(&answer.bytes);
    assert_eq!(updated.data, created.data);
    assert_ne!(updated.metadata.resource_version, created.metadata.resource_version);
    let got: ConfigMap = decode(&send(&client, "GET", &format!("{MAPS}/a"), vec![]).await.bytes);
    assert_eq!(got, updated);
}

#[tokio::test]
async fn lists_and_pages() {
    let client = start().await;
    client.config_maps("default", &["a", "b", "c"]).await;
    let list: ConfigMapList =
        decode(&send(&client, "GET", &format!("{MAPS}?limit=2"), vec![]).await.bytes);
    let names: Vec<&str> = list.items.iter().map(|map| map.metadata.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(list.metadata.remaining_item_count, Some(1));
    assert!(!list.metadata.continue_.is_empty());
    assert_eq!(
        list.metadata.resource_version,
        client.server.resource_version().to_string().as_str()
    );
}

#[tokio::test]
async fn failures_are_protobuf_too() {
    let client = start().await;
    let answer = send(&client, "GET", &format!("{MAPS}/nope"), vec![]).await;
    assert_eq!(
        (answer.code, &answer.headers["content-type"]),
        (404, &PROTOBUF.parse().expect("a value"))
    );
    let status: Status = decode(&answer.bytes);
    assert_eq!(status.message, "configmaps \"nope\" not found");
    for body in [b"k8s\0\xFF".to_vec(), b"nonsense".to_vec(), b"k8s\0".to_vec()] {
        assert_eq!(send(&client, "POST", MAPS, body).await.code, 400);
    }
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(send(&client, "GET", crds, vec![]).await.code, 200);
}

#[tokio::test]
async fn watches_in_frames() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let path = format!(
        "{MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan\
         &allowWatchBookmarks=true"
    );
    let request = Request::get(path)
        .header("accept", format!("{PROTOBUF};stream=watch"))
        .body(Full::<Bytes>::default())
        .expect("a request");
    let response = client.open(request).await;
    assert_eq!(response.headers()["content-type"], format!("{PROTOBUF};stream=watch"));
    let mut body = response.into_body();
    let mut watch = WatchDecoder::<ConfigMap>::new(Format::Protobuf);
    let mut cx = Decoder::new();
    let mut events = Vec::new();
    let mut written = false;
    while events.len() < 5 {
        let frame = body.frame().await.expect("a frame").expect("no error");
        watch.feed(&frame.into_data().expect("data"));
        while let Some(event) = watch.next(&mut cx).expect("decodes") {
            events.push(event);
        }
        if events.len() >= 2 && !written {
            written = true;
            client.config_maps("default", &["b"]).await;
            let change = json!({"data": {"k": "v"}});
            client.patch(&format!("{MAPS}/b"), "merge-patch+json", change).await.expect(200);
            client.delete(&format!("{MAPS}/b")).await.expect(200);
        }
    }
    let shown: Vec<String> = events
        .iter()
        .map(|event| match event {
            WatchEvent::Added(map) => format!("added {}", map.metadata.name),
            WatchEvent::Modified(map) => format!("modified {}", map.metadata.name),
            WatchEvent::Deleted(map) => {
                let version = client.server.resource_version().to_string();
                assert_eq!(map.metadata.resource_version, version.as_str());
                format!("deleted {}", map.metadata.name)
            }
            WatchEvent::Bookmark(_) => "bookmark".to_owned(),
            WatchEvent::Error(status) => format!("error {}", status.message),
        })
        .collect();
    assert_eq!(shown, ["added a", "bookmark", "added b", "modified b", "deleted b"]);
}

#[tokio::test]
async fn delete_options_come_under_any_version() {
    let client = start().await;
    client.config_maps("default", &["a"]).await;
    let mut body = Vec::new();
    // DeleteOptions{preconditions: {uid: "x"}} as clients of a group's version send it.
    let raw = [0x12, 0x03, 0x0A, 0x01, b'x'];
    pintle_apimachinery::Envelope {
        api_version: "apps/v1",
        kind: "DeleteOptions",
        raw: &raw,
        ..Default::default()
    }
    .write(&mut body);
    assert_eq!(send(&client, "DELETE", &format!("{MAPS}/a"), body).await.code, 409);
}

#[tokio::test]
async fn both_forms_say_the_same() {
    let client = start().await;
    let pod = json!({
        "metadata": {"name": "p", "labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]},
    });
    client.post("/api/v1/namespaces/default/pods", pod).await.expect(201);
    let path = "/api/v1/namespaces/default/pods/p";
    let binary: Pod = decode(&send(&client, "GET", path, vec![]).await.bytes);
    let text = client.get(path).await.bytes;
    let json = Pod::decode(&text, Format::Json, &mut Decoder::new()).expect("decodes");
    assert_eq!(binary, json);
}
