//! The store in the small; prints `name nanoseconds` lines. Go: the benchmarks of
//! `tools/cache/thread_safe_store_test.go`.

use pintle_apimachinery::{Object, ObjectKey, PartialObjectMetadata};
use pintle_informer::Store;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

/// Objects in the store; every twenty share a node.
const OBJECTS: usize = 10_000;

fn pod(i: usize, version: usize) -> PartialObjectMetadata {
    let mut pod = PartialObjectMetadata::default();
    pod.metadata.namespace = format!("namespace-{}", i % 10).into();
    pod.metadata.name = format!("web-5d4b8c7f9d-{i:05}").into();
    pod.metadata.resource_version = version.to_string().into();
    pod.metadata.labels.insert("node".into(), format!("node-{}", i / 20).into());
    pod.metadata.labels.insert("app".into(), format!("app-{}", i % 100).into());
    pod
}

/// The best of several rounds, in nanoseconds an operation.
fn measure(name: &str, mut operation: impl FnMut(usize)) {
    let per_round = 200_000;
    let mut best = f64::MAX;
    for _ in 0..9 {
        let start = Instant::now();
        for i in 0..per_round {
            operation(i);
        }
        best = best.min(start.elapsed().as_nanos() as f64 / per_round as f64);
    }
    println!("{name} {best:.1}");
}

fn main() {
    let store = Store::new();
    let by_node =
        store.index("node", |p: &PartialObjectMetadata| p.metadata.labels.get("node").cloned());
    let by_node = by_node.expect("a new name");
    let by_app =
        store.index("app", |p: &PartialObjectMetadata| p.metadata.labels.get("app").cloned());
    by_app.expect("a new name");
    for i in 0..OBJECTS {
        store.insert(pod(i, 1));
    }

    let keys: Vec<ObjectKey> = (0..OBJECTS).map(|i| pod(i, 1).key()).collect();
    let versions: [Vec<_>; 2] = [2, 3].map(|v| (0..OBJECTS).map(|i| Arc::new(pod(i, v))).collect());
    let nodes: Vec<String> = (0..OBJECTS / 20).map(|i| format!("node-{i}")).collect();

    // One hot key, as Go's benchmarks have it, then spread over all objects.
    measure("store/get", |_| {
        black_box(store.get(black_box(&keys[77])));
    });
    measure("store/with", |_| {
        black_box(store.with(black_box(&keys[77]), |pod| pod.metadata.generation));
    });
    measure("store/get-spread", |i| {
        black_box(store.get(black_box(&keys[i % OBJECTS])));
    });
    measure("store/index-20-hits", |i| {
        black_box(by_node.get(black_box(nodes[i % 8].as_str())));
    });
    measure("store/index-20-hits-spread", |i| {
        black_box(by_node.get(black_box(nodes[i % nodes.len()].as_str())));
    });
    measure("store/update-2-indexes", |i| {
        let object = versions[i & 1][77].clone();
        black_box(store.transaction(|tx| tx.insert(object)));
    });
    measure("store/update-2-indexes-spread", |i| {
        let object = versions[(i / OBJECTS) & 1][i % OBJECTS].clone();
        black_box(store.transaction(|tx| tx.insert(object)));
    });
    measure("store/update-reusing-2-indexes", |i| {
        black_box(store.insert(versions[i & 1][77].as_ref().clone()));
    });
}
