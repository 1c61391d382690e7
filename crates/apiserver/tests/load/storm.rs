//! Ten thousand Pods created and fifty watchers: no event is lost, none comes twice, and of each object
//! they come in order.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use pintle_apiserver::ApiServer;

use crate::http_client::{Event, Http, PODS, Place, Watch};

/// Few, for the patience of who runs all tests; `cargo xtask conformance clients` asks for all of
/// them.
static OBJECTS: LazyLock<usize> = LazyLock::new(|| {
    let asked = std::env::var("PINTLE_LOAD_OBJECTS").ok();
    asked.map_or(2_000, |asked| asked.parse().expect("PINTLE_LOAD_OBJECTS is a number"))
});
const WRITERS: usize = 16;
/// On each of these connections so many watches.
const CONNECTIONS: usize = 5;
const WATCHES: usize = 10;

fn name(index: usize) -> String {
    format!("pod-{index:05}")
}

fn pod(index: usize) -> Bytes {
    Bytes::from(format!(
        "{{\"metadata\":{{\"name\":\"{}\",\"labels\":{{\"parity\":\"{}\"}}}},\"spec\":{{\
         \"containers\":[{{\"name\":\"c\",\"image\":\"i\"}}]}}}}",
        name(index),
        ["even", "odd"][index % 2],
    ))
}

fn is_changed(index: usize) -> bool {
    index.is_multiple_of(5)
}

fn is_deleted(index: usize) -> bool {
    index.is_multiple_of(20)
}

/// What happens to an object, in order.
fn life(index: usize) -> Vec<&'static str> {
    let mut life = vec!["ADDED"];
    if is_changed(index) {
        life.push("MODIFIED");
    }
    if is_deleted(index) {
        life.push("DELETED");
    }
    life
}

/// One of several writers: creates its objects, changes and deletes some.
async fn write(http: Http, own: usize) {
    for index in (own..*OBJECTS).step_by(WRITERS) {
        let (code, body) = http.send(Method::POST, PODS, pod(index)).await;
        assert_eq!(code, 201, "{}", String::from_utf8_lossy(&body));
        let path = format!("{PODS}/{}", name(index));
        if is_changed(index) {
            let change = "{\"metadata\":{\"labels\":{\"changed\":\"yes\"}}}";
            assert_eq!(http.send(Method::PATCH, &path, change).await.0, 200);
        }
        if is_deleted(index) {
            assert_eq!(http.send(Method::DELETE, &path, "").await.0, 200);
        }
    }
}

/// The index of a Pod, by its name.
fn index(event: &Event) -> usize {
    event.name.strip_prefix("pod-").expect("a Pod").parse().expect("a number")
}

/// Reads a watch from the beginning until it has seen what is to happen to objects that it is
/// about; every event has a higher version than the one before.
async fn follow(mut watch: Watch, about: fn(usize) -> bool) -> usize {
    let wanted: usize = (0..*OBJECTS).filter(|index| about(*index)).map(|i| life(i).len()).sum();
    let mut seen: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut last = 0;
    for _ in 0..wanted {
        let event = watch.next().await.expect("an event");
        assert!(event.version > last, "{event:?} after {last}");
        last = event.version;
        seen.entry(index(&event)).or_default().push(event.kind);
    }
    let expect: BTreeMap<usize, Vec<String>> = (0..*OBJECTS)
        .filter(|index| about(*index))
        .map(|index| (index, life(index).into_iter().map(str::to_owned).collect()))
        .collect();
    assert!(seen == expect, "events were lost or came twice");
    wanted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_pods_and_fifty_watchers() {
    let server = Arc::new(ApiServer::builder().listen().start().await.expect("starts"));
    let place = Place::of(&server);
    let watch = format!("{PODS}?watch=true&allowWatchBookmarks=false&resourceVersion=");
    let start = server.resource_version();
    let mut watchers = Vec::new();
    for _ in 0..CONNECTIONS {
        let http = place.connect().await;
        for index in 0..WATCHES {
            watchers.push(match index {
                // One of each ten is about half of the Pods.
                0 => {
                    let path = format!("{watch}{start}&labelSelector=parity%3Dodd");
                    let watch = http.watch(&path).await;
                    tokio::spawn(follow(watch, |index| index % 2 == 1))
                }
                _ => {
                    let watch = http.watch(&format!("{watch}{start}")).await;
                    tokio::spawn(follow(watch, |_| true))
                }
            });
        }
    }
    assert_eq!(server.faults().watches(), CONNECTIONS * WATCHES);

    let began = Instant::now();
    let mut writers = Vec::new();
    for own in 0..WRITERS {
        writers.push(tokio::spawn(write(place.connect().await, own)));
    }
    for writer in writers {
        writer.await.expect("written");
    }
    let wrote = began.elapsed();
    let mut events = 0;
    for watcher in watchers {
        events += watcher.await.expect("followed");
    }
    eprintln!("{} Pods in {wrote:?}, {events} events in {:?}", *OBJECTS, began.elapsed());

    // What is watched from the start afterwards is the same again, from the log;
    let http = place.connect().await;
    let again = http.watch(&format!("{watch}{start}")).await;
    follow(again, |_| true).await;
    // and what begins with a state is that state.
    let mut state = http
        .watch(&format!(
            "{PODS}?watch=true&sendInitialEvents=true&\
        resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        ))
        .await;
    let mut names = Vec::new();
    loop {
        let event = state.next().await.expect("an event");
        match event.kind.as_str() {
            "ADDED" => names.push(index(&event)),
            "BOOKMARK" => break,
            other => panic!("{other} among the initial events"),
        }
    }
    assert!(names.iter().copied().eq((0..*OBJECTS).filter(|index| !is_deleted(*index))));

    // Who leaves is forgotten.
    drop((state, http));
    let left = async {
        while server.faults().watches() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::http_client::HANG, left).await.expect("watchers are freed");
}
