//! Small valid objects.
use pintle::api::apps_v1::{Deployment, DeploymentSpec};
use pintle::api::core_v1::{ConfigMap, Container, Namespace, Pod, PodSpec, PodTemplateSpec};
use pintle::{LabelSelector, Map, ObjectMeta, Str};

pub(crate) fn meta(name: &str) -> ObjectMeta {
    ObjectMeta { name: name.into(), ..Default::default() }
}

pub(crate) fn namespace(name: &str) -> Namespace {
    Namespace { metadata: meta(name), ..Default::default() }
}

/// A ConfigMap with one entry, `k`.
pub(crate) fn config_map(name: &str, value: &str) -> ConfigMap {
    ConfigMap { metadata: meta(name), data: [("k", value)].into(), ..Default::default() }
}

fn pod_spec() -> PodSpec {
    let main = Container {
        name: "main".into(),
        image: "registry.k8s.io/pause:3.10".into(),
        ..Default::default()
    };
    PodSpec { containers: [main].into(), ..Default::default() }
}

pub(crate) fn pod(name: &str) -> Pod {
    Pod { metadata: meta(name), spec: pod_spec(), ..Default::default() }
}

/// A Deployment that asks for no Pods, so that nothing happens to it by itself.
pub(crate) fn deployment(name: &str) -> Deployment {
    let labels: Map<Str> = [("app", name)].into();
    let selector = LabelSelector { match_labels: labels.clone(), ..Default::default() };
    Deployment {
        metadata: meta(name),
        spec: DeploymentSpec {
            replicas: Some(0),
            selector: Some(selector.into()),
            template: PodTemplateSpec {
                metadata: ObjectMeta { labels, ..Default::default() },
                spec: pod_spec(),
            },
            ..Default::default()
        },
        ..Default::default()
    }
}
