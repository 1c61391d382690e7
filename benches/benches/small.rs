//! `small`: what a controller lives on, with the shapes and names of `client-go-bench
//! bench-micro`: `cargo bench -p pintle-benches --bench small`, or `cargo xtask bench small` for
//! the table beside Go's figures.
use criterion::Criterion;
use pintle_api::core_v1::{
    Container, ContainerPort, ContainerState, ContainerStateRunning, ContainerStatus, EnvVar,
    EnvVarSource, ObjectFieldSelector, Pod, PodCondition, PodSpec, PodStatus,
    ProjectedVolumeSource, ResourceRequirements, ServiceAccountTokenProjection, Toleration, Volume,
    VolumeMount, VolumeProjection, VolumeSource,
};
use pintle_apimachinery::{
    DeepCopy, List, Map, ObjectKey, ObjectMeta, OwnerReference, Quantity, Shared, Str, Time, labels,
};
use pintle_controller::WorkQueue;
use pintle_informer::Store;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() {
    let mut c = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    queue(&mut c);
    store(&mut c);
    values(&mut c);
    c.final_summary();
}

fn keys() -> Vec<ObjectKey> {
    (0..1024).map(|i| ObjectKey::new(format!("namespace-{}", i % 16), format!("pod-{i}"))).collect()
}

fn queue(c: &mut Criterion) {
    let keys = keys();
    c.bench_function("queue_cycle", |b| {
        let queue = WorkQueue::<ObjectKey>::new();
        let mut i = 0;
        b.iter(|| {
            queue.add(keys[i % keys.len()].clone());
            i += 1;
            let item = queue.try_get().expect("just added");
            queue.forget(&item);
            item.done();
        });
    });
    c.bench_function("queue_two_producers_two_workers", |b| {
        b.iter_custom(|n| contended(n as usize));
    });
}

/// Two threads add `n` keys in all, no two the same, and two take them.
fn contended(n: usize) -> Duration {
    let of = |p: usize| -> Vec<ObjectKey> {
        let own = (p..n).step_by(2);
        own.map(|i| ObjectKey::new("namespace", format!("pod-{i}"))).collect()
    };
    let names = [of(0), of(1)];
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    let runtime = runtime.expect("a runtime");
    let queue = WorkQueue::<ObjectKey>::new();
    let began = Instant::now();
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let queue = queue.clone();
            runtime.spawn(async move {
                while let Some(item) = queue.get().await {
                    queue.forget(&item);
                    item.done();
                }
            })
        })
        .collect();
    std::thread::scope(|scope| {
        for names in names {
            scope.spawn(|| names.into_iter().for_each(|name| queue.add(name)));
        }
    });
    queue.shut_down();
    for worker in workers {
        runtime.block_on(worker).expect("no panic");
    }
    began.elapsed()
}

const PODS: usize = 1000;
const PER_OWNER: usize = 20;

/// One of a thousand Pods in ten namespaces, twenty to an owner.
fn pod_number(i: usize) -> Pod {
    let mut pod = two_containers();
    pod.metadata.name = format!("pod-{i}").into();
    pod.metadata.namespace = format!("namespace-{}", i / 100).into();
    pod.metadata.owner_references = [OwnerReference {
        api_version: "apps/v1".into(),
        kind: "ReplicaSet".into(),
        name: "owner".into(),
        uid: format!("uid-{}", i / PER_OWNER).into(),
        ..Default::default()
    }]
    .into();
    pod
}

fn store(c: &mut Criterion) {
    let store = Store::<Pod>::new();
    // The namespace index is always there.
    let by_owner = store
        .index("owner", |pod: &Pod| pod.metadata.owner_references.first().map(|o| o.uid.clone()))
        .expect("a new name");
    (0..PODS).for_each(|i| drop(store.insert(pod_number(i))));
    let owners: Vec<String> = (0..PODS / PER_OWNER).map(|i| format!("uid-{i}")).collect();
    let mut i = 0;
    c.bench_function("index_lookup_20_hits", |b| {
        b.iter(|| {
            i += 1;
            let found = by_owner.get(owners[i % owners.len()].as_str());
            assert_eq!(found.len(), PER_OWNER);
            found
        });
    });
    let again: Vec<Arc<Pod>> = (0..PODS).map(|i| Arc::new(pod_number(i))).collect();
    c.bench_function("store_update_two_indexes", |b| {
        b.iter(|| {
            i += 1;
            let pod = again[i % PODS].clone();
            store.transaction(|tx| tx.insert(pod))
        });
    });
    let keys: Vec<ObjectKey> =
        again.iter().map(|p| ObjectKey::new(&*p.metadata.namespace, &*p.metadata.name)).collect();
    c.bench_function("get_by_key", |b| {
        b.iter(|| {
            i += 1;
            store.get(&keys[i % PODS]).expect("it is there")
        });
    });
    // Without counting a reference to the object, which Go has no need to do either.
    c.bench_function("get_by_key_in_place", |b| {
        b.iter(|| {
            i += 1;
            let generation = store.with(&keys[i % PODS], |pod| pod.metadata.generation);
            generation.expect("it is there")
        });
    });
}

fn values(c: &mut Criterion) {
    let pod = two_containers();
    c.bench_function("deep_copy_pod_two_containers", |b| b.iter(|| black_box(&pod).deep_copy()));

    let selector = labels::Selector::parse("app=web,tier in (front,middle),!canary");
    let selector = selector.expect("a selector");
    let set = &pod.metadata.labels;
    c.bench_function("label_selector_match_three_requirements", |b| {
        b.iter(|| assert!(black_box(&selector).matches(black_box(set))));
    });

    let texts = ["100m", "128Mi", "2", "1500m", "4Gi", "500M", "1k", "250u"];
    let mut i = 0;
    c.bench_function("quantity_parse", |b| {
        b.iter(|| {
            i += 1;
            black_box(texts[i % texts.len()]).parse::<Quantity>().expect("a quantity")
        });
    });
}

fn created() -> Time {
    Time::from_unix(1_700_000_000)
}

/// A Pod as a Deployment makes it, scheduled and running; the same as Go's benchmark has.
fn two_containers() -> Pod {
    let names = ["web", "proxy"];
    Pod {
        metadata: ObjectMeta {
            name: "web-6d4cf56db6-abcde".into(),
            namespace: "default".into(),
            generate_name: "web-6d4cf56db6-".into(),
            uid: "2b7ee5f4-0b0e-4d7d-9d3c-9b0d6b7c5a11".into(),
            resource_version: "12345".into(),
            creation_timestamp: created(),
            labels: [("app", "web"), ("tier", "front"), ("pod-template-hash", "6d4cf56db6")].into(),
            annotations: [("example.com/revision", "3")].into(),
            owner_references: [OwnerReference {
                api_version: "apps/v1".into(),
                kind: "ReplicaSet".into(),
                name: "web-6d4cf56db6".into(),
                uid: "f2b9d9a0-6f43-4a43-9a32-0e5a9e1f7c22".into(),
                controller: Some(true),
                ..Default::default()
            }]
            .into(),
            ..Default::default()
        },
        spec: PodSpec {
            containers: names.map(container).into(),
            restart_policy: "Always".into(),
            dns_policy: "ClusterFirst".into(),
            service_account_name: "default".into(),
            node_name: "node-1".into(),
            volumes: token_volume(),
            tolerations: [Toleration {
                key: "node.kubernetes.io/not-ready".into(),
                operator: "Exists".into(),
                effect: "NoExecute".into(),
                ..Default::default()
            }]
            .into(),
            ..Default::default()
        },
        status: PodStatus {
            phase: "Running".into(),
            pod_ip: "10.1.2.3".into(),
            host_ip: "192.168.1.2".into(),
            conditions: ["PodScheduled", "Ready"]
                .map(|kind| PodCondition {
                    type_: kind.into(),
                    status: "True".into(),
                    last_transition_time: created(),
                    ..Default::default()
                })
                .into(),
            container_statuses: names.map(status).into(),
            ..Default::default()
        },
    }
}

fn token_volume() -> List<Volume> {
    let projected = ProjectedVolumeSource {
        sources: [VolumeProjection {
            service_account_token: Some(Shared::new(ServiceAccountTokenProjection {
                path: "token".into(),
                ..Default::default()
            })),
            ..Default::default()
        }]
        .into(),
        ..Default::default()
    };
    let source = VolumeSource { projected: Some(Shared::new(projected)), ..Default::default() };
    [Volume { name: "token".into(), volume_source: source.into() }].into()
}

fn container(name: &str) -> Container {
    let quantities = |pairs: &[(&str, &str)]| -> Map<Quantity> {
        pairs.iter().map(|(k, v)| (*k, v.parse().expect("a quantity"))).collect()
    };
    Container {
        name: name.into(),
        image: format!("registry.example.com/team/{name}:1.2.3").into(),
        args: ["--listen=:8080", "--verbose"].map(Str::from).into(),
        ports: [ContainerPort {
            name: "http".into(),
            container_port: 8080,
            protocol: "TCP".into(),
            ..Default::default()
        }]
        .into(),
        env: [
            EnvVar { name: "MODE".into(), value: "production".into(), ..Default::default() },
            EnvVar {
                name: "POD_NAME".into(),
                value_from: Some(Shared::new(EnvVarSource {
                    field_ref: Some(Shared::new(ObjectFieldSelector {
                        api_version: "v1".into(),
                        field_path: "metadata.name".into(),
                    })),
                    ..Default::default()
                })),
                ..Default::default()
            },
        ]
        .into(),
        resources: ResourceRequirements {
            requests: quantities(&[("cpu", "100m"), ("memory", "128Mi")]),
            limits: quantities(&[("memory", "256Mi")]),
            ..Default::default()
        },
        volume_mounts: [VolumeMount {
            name: "token".into(),
            mount_path: "/var/run/secrets/kubernetes.io/serviceaccount".into(),
            read_only: true,
            ..Default::default()
        }]
        .into(),
        termination_message_path: "/dev/termination-log".into(),
        termination_message_policy: "File".into(),
        image_pull_policy: "IfNotPresent".into(),
        ..Default::default()
    }
}

fn status(name: &str) -> ContainerStatus {
    let running = ContainerStateRunning { started_at: created() };
    ContainerStatus {
        name: name.into(),
        ready: true,
        started: Some(true),
        image: format!("registry.example.com/team/{name}:1.2.3").into(),
        state: ContainerState { running: Some(Shared::new(running)), ..Default::default() },
        ..Default::default()
    }
}
