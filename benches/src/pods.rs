//! Pods as a busy cluster has them: ReplicaSets of ten, every status its own.
use pintle_api::core_v1 as core;
use pintle_apimachinery::{
    FieldsV1, ListMeta, ManagedFieldsEntry, Map, ObjectMeta, OwnerReference, Quantity, Shared, Str,
    Time,
};

/// How much Pods differ from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// ReplicaSets of ten: the template is shared; names, IDs, addresses and times are not.
    Realistic,
    /// Labels, environment and arguments differ in every Pod as well.
    Distinct,
}

/// A number that looks random but is the same for the same `n`.
fn scramble(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn hex(n: u64, digits: usize) -> String {
    let mut s = String::new();
    let mut i = 0;
    while s.len() < digits {
        s.push_str(&format!("{:016x}", scramble(n.wrapping_mul(31) + i)));
        i += 1;
    }
    s.truncate(digits);
    s
}

fn uid(n: u64) -> String {
    let h = hex(n, 32);
    format!("{}-{}-4{}-a{}-{}", &h[..8], &h[8..12], &h[13..16], &h[17..20], &h[20..32])
}

fn time(n: u64) -> Time {
    Time::from_unix(1_790_000_000 + (scramble(n) % 5_000_000) as i64)
}

/// Name of the ReplicaSet of Pod `i`.
fn replica_set(i: usize) -> String {
    format!("app-{:04}-{}", i / 10, hex(i as u64 / 10, 10))
}

/// The name of Pod `i`.
pub fn name(i: usize) -> String {
    format!("{}-{}", replica_set(i), hex(7_000_000 + i as u64, 5))
}

/// What a user would send to create Pod `i`: metadata and spec, without status.
pub fn pod(i: usize, mix: Mix) -> core::Pod {
    let (n, rs) = (i as u64, i as u64 / 10);
    let distinct = mix == Mix::Distinct;
    let mut labels: Map<Str> = [
        ("app.kubernetes.io/name".to_owned(), format!("app-{rs:04}")),
        ("app.kubernetes.io/part-of".to_owned(), format!("suite-{}", rs % 20)),
        ("app.kubernetes.io/version".to_owned(), format!("1.{}.{}", rs % 30, rs % 7)),
        ("pod-template-hash".to_owned(), hex(rs, 10)),
    ]
    .into();
    if distinct {
        labels.insert("instance-id".into(), hex(n + 11, 24).into());
        labels.insert("statefulset.kubernetes.io/pod-name".into(), name(i).into());
    }
    let token_volume = token_volume(n);
    core::Pod {
        metadata: ObjectMeta {
            name: name(i).into(),
            generate_name: format!("{}-", replica_set(i)).into(),
            namespace: format!("team-{}", rs % 10).into(),
            labels,
            annotations: [
                ("prometheus.io/scrape", "true"),
                ("prometheus.io/port", "8080"),
                ("checksum/config", &*hex(rs + 99, 64)),
            ]
            .into(),
            owner_references: [OwnerReference {
                api_version: "apps/v1".into(),
                kind: "ReplicaSet".into(),
                name: replica_set(i).into(),
                uid: uid(rs).into(),
                controller: Some(true),
                block_owner_deletion: Some(true),
            }]
            .into(),
            ..Default::default()
        },
        spec: core::PodSpec {
            containers: (0..2).map(|c| container(i, c, distinct, &token_volume)).collect(),
            node_name: format!("node-{}", scramble(n) % 200).into(),
            service_account_name: "default".into(),
            termination_grace_period_seconds: Some(30),
            restart_policy: "Always".into(),
            dns_policy: "ClusterFirst".into(),
            scheduler_name: "default-scheduler".into(),
            enable_service_links: Some(true),
            priority: Some(0),
            preemption_policy: Some("PreemptLowerPriority".into()),
            tolerations: ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
                .map(|key| core::Toleration {
                    key: key.into(),
                    operator: "Exists".into(),
                    effect: "NoExecute".into(),
                    toleration_seconds: Some(300),
                    ..Default::default()
                })
                .into(),
            volumes: [
                core::Volume {
                    name: "config".into(),
                    volume_source: core::VolumeSource {
                        config_map: Some(Shared::new(core::ConfigMapVolumeSource {
                            local_object_reference: core::LocalObjectReference {
                                name: format!("app-{rs:04}-config").into(),
                            },
                            default_mode: Some(420),
                            ..Default::default()
                        })),
                        ..Default::default()
                    }
                    .into(),
                },
                core::Volume {
                    name: token_volume.into(),
                    volume_source: core::VolumeSource {
                        projected: Some(Shared::new(token_projection())),
                        ..Default::default()
                    }
                    .into(),
                },
            ]
            .into(),
            ..Default::default()
        },
        ..Default::default()
    }
}

fn token_projection() -> core::ProjectedVolumeSource {
    let source = core::VolumeProjection::default();
    core::ProjectedVolumeSource {
        sources: [
            core::VolumeProjection {
                service_account_token: Some(Shared::new(core::ServiceAccountTokenProjection {
                    expiration_seconds: Some(3607),
                    path: "token".into(),
                    ..Default::default()
                })),
                ..source.clone()
            },
            core::VolumeProjection {
                config_map: Some(Shared::new(core::ConfigMapProjection {
                    local_object_reference: core::LocalObjectReference {
                        name: "kube-root-ca.crt".into(),
                    },
                    items: [core::KeyToPath {
                        key: "ca.crt".into(),
                        path: "ca.crt".into(),
                        ..Default::default()
                    }]
                    .into(),
                    ..Default::default()
                })),
                ..source.clone()
            },
            core::VolumeProjection {
                downward_api: Some(Shared::new(core::DownwardAPIProjection {
                    items: [core::DownwardAPIVolumeFile {
                        path: "namespace".into(),
                        field_ref: Some(Shared::new(core::ObjectFieldSelector {
                            api_version: "v1".into(),
                            field_path: "metadata.namespace".into(),
                        })),
                        ..Default::default()
                    }]
                    .into(),
                })),
                ..source
            },
        ]
        .into(),
        default_mode: Some(420),
        ..Default::default()
    }
}

fn container(i: usize, c: u64, distinct: bool, token_volume: &str) -> core::Container {
    let rs = i as u64 / 10;
    let role = ["server", "proxy"][c as usize];
    let own = |s: &str| {
        if distinct { format!("{s}-{}", hex(i as u64 * 2 + c, 12)) } else { s.to_owned() }
    };
    let mut env: Vec<core::EnvVar> = (0..8)
        .map(|e| core::EnvVar {
            name: format!("SETTING_{e}").into(),
            value: own(&format!("value-of-{rs}-{e}")).into(),
            ..Default::default()
        })
        .collect();
    env.push(core::EnvVar {
        name: "POD_IP".into(),
        value_from: Some(Shared::new(core::EnvVarSource {
            field_ref: Some(Shared::new(core::ObjectFieldSelector {
                api_version: "v1".into(),
                field_path: "status.podIP".into(),
            })),
            ..Default::default()
        })),
        ..Default::default()
    });
    let probe = core::Probe {
        probe_handler: core::ProbeHandler {
            http_get: Some(Shared::new(core::HTTPGetAction {
                path: "/healthz".into(),
                port: pintle_apimachinery::IntOrString::Int(8080),
                scheme: "HTTP".into(),
                ..Default::default()
            })),
            ..Default::default()
        },
        timeout_seconds: 1,
        period_seconds: 10,
        success_threshold: 1,
        failure_threshold: 3,
        ..Default::default()
    };
    core::Container {
        name: role.into(),
        image: format!("registry.example.com/suite-{}/{role}:1.{}.{}", rs % 20, rs % 30, rs % 7)
            .into(),
        args: [
            own("--config=/etc/app/config.yaml"),
            own("--listen=:8080"),
            "--log-level=info".into(),
        ]
        .map(Str::from)
        .into(),
        ports: [core::ContainerPort {
            name: "http".into(),
            container_port: 8080 + c as i32,
            protocol: "TCP".into(),
            ..Default::default()
        }]
        .into(),
        env: env.into(),
        resources: resources(),
        volume_mounts: [("config", "/etc/app"), (token_volume, TOKEN)]
            .map(|(name, path)| core::VolumeMount {
                name: name.into(),
                read_only: true,
                mount_path: path.into(),
                ..Default::default()
            })
            .into(),
        liveness_probe: Some(Shared::new(probe.clone())),
        readiness_probe: Some(Shared::new(probe)),
        security_context: Some(Shared::new(core::SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            run_as_non_root: Some(true),
            run_as_user: Some(10_001),
            capabilities: Some(Shared::new(core::Capabilities {
                drop: [Str::from("ALL")].into(),
                ..Default::default()
            })),
            seccomp_profile: Some(Shared::new(core::SeccompProfile {
                type_: "RuntimeDefault".into(),
                ..Default::default()
            })),
            ..Default::default()
        })),
        termination_message_path: "/dev/termination-log".into(),
        termination_message_policy: "File".into(),
        image_pull_policy: "IfNotPresent".into(),
        ..Default::default()
    }
}

/// Where service account tokens are mounted.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The name of the volume with the token, made up by the server for each Pod.
fn token_volume(n: u64) -> String {
    format!("kube-api-access-{}", hex(n + 13, 5))
}

fn resources() -> core::ResourceRequirements {
    core::ResourceRequirements {
        limits: quantities("1", "512Mi"),
        requests: quantities("250m", "256Mi"),
        ..Default::default()
    }
}

fn quantities(cpu: &str, memory: &str) -> Map<Quantity> {
    let pairs = [("cpu", cpu), ("memory", memory)].into_iter();
    pairs.map(|(k, v)| (k, v.parse().expect("a quantity"))).collect()
}

/// What a kubelet would report for Pod `i`.
pub fn status(i: usize) -> core::PodStatus {
    let n = i as u64;
    let ip = Str::from(format!("10.{}.{}.{}", n / 65_000, n / 250 % 250, n % 250 + 1));
    let started = time(n);
    let condition = |kind: &str, k: u64| core::PodCondition {
        type_: kind.into(),
        status: "True".into(),
        last_transition_time: time(n + k),
        observed_generation: 1,
        ..Default::default()
    };
    core::PodStatus {
        observed_generation: 1,
        phase: "Running".into(),
        conditions: [
            condition("PodReadyToStartContainers", 0),
            condition("Initialized", 0),
            condition("Ready", 1),
            condition("ContainersReady", 1),
            condition("PodScheduled", 2),
        ]
        .into(),
        host_ip: format!("192.168.{}.{}", scramble(n) % 200 / 250, scramble(n) % 200 + 1).into(),
        pod_ip: ip.clone(),
        pod_ips: [core::PodIP { ip }].into(),
        start_time: Some(started),
        container_statuses: (0..2)
            .map(|c| {
                let role = ["server", "proxy"][c as usize];
                let rs = n / 10;
                core::ContainerStatus {
                    name: role.into(),
                    state: core::ContainerState {
                        running: Some(Shared::new(core::ContainerStateRunning {
                            started_at: started,
                        })),
                        ..Default::default()
                    },
                    ready: true,
                    started: Some(true),
                    image: format!(
                        "registry.example.com/suite-{}/{role}:1.{}.{}",
                        rs % 20,
                        rs % 30,
                        rs % 7
                    )
                    .into(),
                    image_id: format!(
                        "registry.example.com/suite-{}/{role}@sha256:{}",
                        rs % 20,
                        hex(rs * 2 + c, 64)
                    )
                    .into(),
                    allocated_resources: quantities("250m", "256Mi"),
                    resources: Some(Shared::new(resources())),
                    volume_mounts: [("config", "/etc/app"), (&*token_volume(n), TOKEN)]
                        .map(|(name, path)| core::VolumeMountStatus {
                            name: name.into(),
                            mount_path: path.into(),
                            read_only: true,
                            recursive_read_only: Some("Disabled".into()),
                            ..Default::default()
                        })
                        .into(),
                    container_id: format!("containerd://{}", hex(n * 2 + c + 77, 64)).into(),
                    ..Default::default()
                }
            })
            .collect(),
        qos_class: "Burstable".into(),
        ..Default::default()
    }
}

/// Pod `i` as a server would give it, managed fields included, for benchmarks without a server.
pub fn served(i: usize, mix: Mix) -> core::Pod {
    let n = i as u64;
    let mut pod = pod(i, mix);
    pod.status = status(i);
    let m = &mut pod.metadata;
    m.uid = uid(n + 1_000_000).into();
    m.resource_version = (500_000 + n).to_string().into();
    m.generation = 1;
    m.creation_timestamp = time(n);
    let entry = |manager: &str, subresource: &str, fields: String| ManagedFieldsEntry {
        manager: manager.into(),
        operation: "Update".into(),
        api_version: "v1".into(),
        time: Some(time(n)),
        fields_type: "FieldsV1".into(),
        fields_v1: Some(FieldsV1::new(&fields)),
        subresource: subresource.into(),
    };
    m.managed_fields = [
        entry("kube-controller-manager", "", spec_fields(n / 10)),
        entry("kubelet", "status", status_fields(&pod.status.pod_ip)),
    ]
    .into();
    pod
}

fn spec_fields(rs: u64) -> String {
    let mounts = r#"{".":{},"k:{\"mountPath\":\"/etc/app\"}":{".":{},"f:mountPath":{},"f:name":{},"f:readOnly":{}}}"#;
    let env: Vec<String> = (0..8)
        .map(|e| {
            format!(r#""k:{{\"name\":\"SETTING_{e}\"}}":{{".":{{}},"f:name":{{}},"f:value":{{}}}}"#)
        })
        .collect();
    let probe = r#"{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}},"f:periodSeconds":{},"f:successThreshold":{},"f:timeoutSeconds":{}}"#;
    let containers: Vec<String> = ["proxy", "server"]
        .iter()
        .map(|c| format!(
            r#""k:{{\"name\":\"{c}\"}}":{{".":{{}},"f:args":{{}},"f:env":{{".":{{}},{}}},"f:image":{{}},"f:imagePullPolicy":{{}},"f:livenessProbe":{probe},"f:name":{{}},"f:ports":{{".":{{}},"k:{{\"containerPort\":8080,\"protocol\":\"TCP\"}}":{{".":{{}},"f:containerPort":{{}},"f:name":{{}},"f:protocol":{{}}}}}},"f:readinessProbe":{probe},"f:resources":{{".":{{}},"f:limits":{{".":{{}},"f:cpu":{{}},"f:memory":{{}}}},"f:requests":{{".":{{}},"f:cpu":{{}},"f:memory":{{}}}}}},"f:terminationMessagePath":{{}},"f:terminationMessagePolicy":{{}},"f:volumeMounts":{mounts}}}"#,
            env.join(",")
        ))
        .collect();
    format!(
        r#"{{"f:metadata":{{"f:annotations":{{".":{{}},"f:checksum/config":{{}},"f:prometheus.io/port":{{}},"f:prometheus.io/scrape":{{}}}},"f:generateName":{{}},"f:labels":{{".":{{}},"f:app.kubernetes.io/name":{{}},"f:app.kubernetes.io/part-of":{{}},"f:pod-template-hash":{{}}}},"f:ownerReferences":{{".":{{}},"k:{{\"uid\":\"{}\"}}":{{}}}}}},"f:spec":{{"f:containers":{{{}}},"f:dnsPolicy":{{}},"f:enableServiceLinks":{{}},"f:restartPolicy":{{}},"f:schedulerName":{{}},"f:securityContext":{{}},"f:terminationGracePeriodSeconds":{{}},"f:volumes":{{".":{{}},"k:{{\"name\":\"config\"}}":{{".":{{}},"f:configMap":{{".":{{}},"f:defaultMode":{{}},"f:name":{{}}}},"f:name":{{}}}}}}}}}}"#,
        uid(rs),
        containers.join(",")
    )
}

fn status_fields(ip: &str) -> String {
    let conditions: Vec<String> = ["ContainersReady", "Initialized", "PodReadyToStartContainers", "Ready"]
        .iter()
        .map(|c| format!(r#""k:{{\"type\":\"{c}\"}}":{{".":{{}},"f:lastProbeTime":{{}},"f:lastTransitionTime":{{}},"f:observedGeneration":{{}},"f:status":{{}},"f:type":{{}}}}"#))
        .collect();
    format!(
        r#"{{"f:status":{{"f:conditions":{{{}}},"f:containerStatuses":{{}},"f:hostIP":{{}},"f:hostIPs":{{}},"f:observedGeneration":{{}},"f:phase":{{}},"f:podIP":{{}},"f:podIPs":{{".":{{}},"k:{{\"ip\":\"{ip}\"}}":{{".":{{}},"f:ip":{{}}}}}},"f:startTime":{{}}}}}}"#,
        conditions.join(",")
    )
}

/// Metadata of a list of such Pods.
pub fn list_meta() -> ListMeta {
    ListMeta { resource_version: "600000".into(), ..Default::default() }
}

/// One of `of` Pods, for the `n`th change.
pub fn random(n: usize, of: usize) -> usize {
    (scramble(n as u64 + 17) % of.max(1) as u64) as usize
}
