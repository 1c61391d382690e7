//! How built-in kinds behave: what a server fills in, computes, and refuses.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis` (defaults, validation) and `pkg/registry/*/*/
//! strategy.go`. A module is a group; in it are data and small pure functions.
//!
//! Which kinds have rules of their own says [`RULED`]; of the others, metadata and types are checked.
//! Defaults are those of every kind.
//!
//! All of it works on the JSON tree that the server's write path has in its hands, after the tree
//! has passed through the kind's Rust type once and so has exactly the fields and forms of that
//! type. The other choice was the types themselves: each write would be decoded and encoded twice
//! more, and rules that kinds and versions share (a Pod's template, labels, ports) would need a
//! function per Rust type. On the tree the schema (`reflect::Desc`) tells what a rule cannot: which
//! type a value has, its defaults, enums and required fields.

pub(crate) mod addresses;
mod admissionregistration;
mod apiextensions;
mod apps;
mod apps_rules;
mod autoscaling;
mod autoscaling_rules;
pub(crate) mod autoscaling_v1;
mod batch;
mod batch_rules;
pub(crate) mod check;
mod coordination;
mod core;
mod cron;
mod defaults;
mod discovery;
mod flowcontrol;
mod image;
mod job_status;
mod networking;
mod networking_rules;
mod policy;
mod rbac;
mod resource;
pub(crate) mod scheduling;
mod storage;
mod storage_rules;
pub(crate) mod tree;
pub(crate) mod webhook_rules;
mod workload_status;

use pintle_apimachinery::reflect::Desc;

use pintle_apimachinery::validation::FieldErrors;

use crate::object::{Object, metadata_mut};
use crate::registry::Resource;

/// Fills in the defaults of an object of a built-in kind, which has the form its type has.
pub(crate) fn default(object: &mut Object, desc: &'static Desc, api_version: &str, now: &str) {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    defaults::apply(object, desc, group, version, now);
}

/// Resets and computes what a create does, on an object with its defaults.
pub(crate) fn prepare_create(resource: &Resource, object: &mut Object) {
    let behaviour = &resource.behaviour;
    if resource.has_status() && !behaviour.status_on_create {
        object.remove("status");
    }
    if let Some(prepare) = behaviour.prepare_create {
        prepare(object);
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("batch", "jobs") => batch_rules::generate_selector(object),
        ("apps", "daemonsets") => apps_rules::count_template(object, None),
        ("", "pods") => core::status::gated(object),
        ("", "persistentvolumeclaims") => core::storage::data_sources(object),
        ("", "persistentvolumes") => {
            let now = metadata_mut(object).get("creationTimestamp").cloned();
            if let Some(now) = now {
                let status = tree::child(object, "status");
                status.insert("lastPhaseTransitionTime".to_owned(), now);
            }
        }
        _ => {}
    }
    reset(resource, object, None);
    if behaviour.generation {
        metadata_mut(object).insert("generation".to_owned(), 1.into());
    }
}

/// Resets and computes what an update does that is not one of a subresource.
pub(crate) fn prepare_update(resource: &Resource, object: &mut Object, old: &Object) {
    if resource.has_status() {
        match old.get("status") {
            Some(status) => object.insert("status".to_owned(), status.clone()),
            None => object.remove("status"),
        };
    }
    if let Some(prepare) = resource.behaviour.prepare_update {
        prepare(object, old);
    }
    count(resource, object, old);
}

/// Counts what an update changes, beside the generation, and takes off what may not be set.
pub(crate) fn count(resource: &Resource, object: &mut Object, old: &Object) {
    if (resource.group.as_str(), resource.plural.as_str()) == ("apps", "daemonsets") {
        apps_rules::count_template(object, Some(old));
    }
    reset(resource, object, Some(old));
}

/// What is taken off an object that is created, or updated over an old one.
fn reset(resource: &Resource, object: &mut Object, old: Option<&Object>) {
    let pods: &[&str] = match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => &["spec"],
        ("", "podtemplates") => &["template", "spec"],
        ("", "replicationcontrollers") | ("apps", _) | ("batch", "jobs") => {
            &["spec", "template", "spec"]
        }
        ("batch", "cronjobs") => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => &[],
    };
    if !pods.is_empty() {
        core::status::drop_gated(object, old, pods);
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "nodes") => core::node::prepare(object, old),
        ("", "serviceaccounts") => core::config::clean_references(object),
        // Behind a gate that is off.
        ("batch", "jobs") => {
            tree::child(object, "spec").remove("scheduling");
        }
        ("batch", "cronjobs") => {
            let template = tree::child(tree::child(object, "spec"), "jobTemplate");
            tree::child(template, "spec").remove("scheduling");
        }
        ("coordination.k8s.io", "leases") => coordination::prepare(object, old),
        ("discovery.k8s.io", "endpointslices") => discovery::drop_topology(object, old),
        ("policy", "poddisruptionbudgets") => policy::strip(object, old),
        ("storage.k8s.io", "csinodes") => storage_rules::prepare_node(object, old),
        _ => {}
    }
}

/// Resets what an update of the status does.
pub(crate) fn prepare_status(resource: &Resource, object: &mut Object, old: &Object, now: &str) {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "nodes") => core::node::prepare_status(object, old),
        ("", "pods") => core::status::prepare_pod(object, old),
        ("apps", "daemonsets") => apps_rules::keep_count(object, old),
        ("", "persistentvolumes") => core::status::prepare_volume(object, old, now),
        ("storage.k8s.io", "csinodes") => storage_rules::prepare_node(object, Some(old)),
        _ => {}
    }
}

/// Whether an update counts up the generation.
pub(crate) fn counts(resource: &Resource, new: &Object, old: &Object) -> bool {
    let same = |key: &str| {
        check::same(check::Node::of(new, key).value(), check::Node::of(old, key).value())
    };
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("storage.k8s.io", "csidrivers") => !same("spec"),
        ("discovery.k8s.io", "endpointslices") => {
            let labels = |object| check::Node::of(object, "metadata").get("labels");
            let labels = check::same(labels(new).value(), labels(old).value());
            !(labels && same("endpoints") && same("ports") && same("addressType"))
        }
        _ => {
            let status = resource.has_status();
            let behaviour = &resource.behaviour;
            behaviour.generation
                && behaviour.counts_updates
                && crate::registry::spec_changed(new, old, status)
        }
    }
}

/// Checks an object, against the stored one in an update.
type Rules = fn(&Object, Option<&Object>) -> FieldErrors;

/// Checks an update of the status.
type StatusRules = fn(&Object, &Object) -> FieldErrors;

/// A kind that has rules of its own.
pub(crate) struct Ruled {
    group: &'static str,
    plural: &'static str,
    /// What documentation calls it.
    #[cfg_attr(not(test), expect(dead_code, reason = "documentation is tested with it"))]
    kind: &'static str,
    rules: Rules,
    /// What an update is asked before the new object as a whole.
    first: Option<StatusRules>,
    status: Option<StatusRules>,
}

const fn ruled(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    rules: Rules,
) -> Ruled {
    Ruled { group, plural, kind, rules, first: None, status: None }
}

impl Ruled {
    const fn first(mut self, rules: StatusRules) -> Ruled {
        self.first = Some(rules);
        self
    }

    const fn status(mut self, rules: StatusRules) -> Ruled {
        self.status = Some(rules);
        self
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const STORAGE: &str = "storage.k8s.io";

/// The kinds that have rules of their own. Of the others, metadata and types are checked.
pub(crate) static RULED: &[Ruled] = &[
    ruled("", "configmaps", "ConfigMap", core::config::config_map)
        .first(core::config::config_map_update),
    ruled("", "endpoints", "Endpoints", core::service::endpoints),
    ruled("", "events", "Event", core::event::event),
    ruled("", "limitranges", "LimitRange", core::limits::limit_range),
    ruled("", "namespaces", "Namespace", core::config::namespace).status(core::status::namespace),
    ruled("", "nodes", "Node", core::node::node).status(core::node::update),
    ruled("", "persistentvolumeclaims", "PersistentVolumeClaim", core::storage::claim)
        .status(core::status::claim),
    ruled("", "persistentvolumes", "PersistentVolume", core::storage::volume),
    ruled("", "pods", "Pod", core::pod::pod).status(core::status::pod),
    ruled("", "podtemplates", "PodTemplate", core::pod::pod_template),
    ruled(
        "",
        "replicationcontrollers",
        "ReplicationController",
        apps_rules::replication_controller,
    )
    .status(workload_status::replica_set),
    ruled("", "resourcequotas", "ResourceQuota", core::config::quota).status(core::status::quota),
    ruled("", "secrets", "Secret", core::config::secret).first(core::config::secret_update),
    ruled("", "serviceaccounts", "ServiceAccount", core::config::service_account),
    ruled("", "services", "Service", core::service::service).status(core::status::service),
    ruled(
        ADMISSION,
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        webhook_rules::configuration,
    ),
    ruled(
        ADMISSION,
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        webhook_rules::configuration,
    ),
    ruled(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        crate::registry::validate_definition,
    )
    .status(crate::registry::validate_definition_status),
    ruled("apps", "controllerrevisions", "ControllerRevision", apps_rules::controller_revision),
    ruled("apps", "daemonsets", "DaemonSet", apps_rules::daemon_set)
        .status(workload_status::daemon_set),
    ruled("apps", "deployments", "Deployment", apps_rules::deployment)
        .status(workload_status::deployment),
    ruled("apps", "replicasets", "ReplicaSet", apps_rules::replica_set)
        .status(workload_status::replica_set),
    ruled("apps", "statefulsets", "StatefulSet", apps_rules::stateful_set)
        .status(workload_status::stateful_set),
    ruled(
        "autoscaling",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        autoscaling_rules::autoscaler,
    )
    .status(autoscaling_rules::autoscaler_status),
    ruled("batch", "cronjobs", "CronJob", batch_rules::cron_job),
    ruled("batch", "jobs", "Job", batch_rules::job).status(job_status::job),
    ruled("coordination.k8s.io", "leases", "Lease", coordination::lease),
    ruled("discovery.k8s.io", "endpointslices", "EndpointSlice", discovery::endpoint_slice),
    ruled("events.k8s.io", "events", "Event", core::event::new_event),
    ruled(NETWORKING, "ingressclasses", "IngressClass", networking_rules::ingress_class),
    ruled(NETWORKING, "ingresses", "Ingress", networking_rules::ingress)
        .status(networking_rules::ingress_status),
    ruled(NETWORKING, "networkpolicies", "NetworkPolicy", networking_rules::network_policy),
    ruled("policy", "poddisruptionbudgets", "PodDisruptionBudget", policy::budget)
        .status(policy::budget_status),
    ruled(RBAC, "clusterrolebindings", "ClusterRoleBinding", rbac::cluster_role_binding),
    ruled(RBAC, "clusterroles", "ClusterRole", rbac::cluster_role),
    ruled(RBAC, "rolebindings", "RoleBinding", rbac::role_binding),
    ruled(RBAC, "roles", "Role", rbac::role),
    ruled("scheduling.k8s.io", "priorityclasses", "PriorityClass", scheduling::priority_class),
    ruled(STORAGE, "csidrivers", "CSIDriver", storage_rules::driver),
    ruled(STORAGE, "csinodes", "CSINode", storage_rules::node),
    ruled(STORAGE, "csistoragecapacities", "CSIStorageCapacity", storage_rules::capacity),
    ruled(STORAGE, "storageclasses", "StorageClass", storage_rules::class),
    ruled(STORAGE, "volumeattachments", "VolumeAttachment", storage_rules::attachment)
        .status(storage_rules::attachment_status_update),
    ruled(
        STORAGE,
        "volumeattributesclasses",
        "VolumeAttributesClass",
        storage_rules::attributes_class,
    ),
];

fn ruled_of(resource: &Resource) -> Option<&'static Ruled> {
    let own = (resource.group.as_str(), resource.plural.as_str());
    RULED.iter().filter(|_| resource.custom.is_none()).find(|r| (r.group, r.plural) == own)
}

/// What is wrong with an object beyond its metadata.
pub(crate) fn validate(resource: &Resource, object: &Object, old: Option<&Object>) -> FieldErrors {
    ruled_of(resource).map(|kind| (kind.rules)(object, old)).unwrap_or_default()
}

/// What an update is asked before the new object as a whole.
pub(crate) fn validate_first(resource: &Resource, object: &Object, old: &Object) -> FieldErrors {
    let rules = ruled_of(resource).and_then(|kind| kind.first);
    rules.map(|rules| rules(object, old)).unwrap_or_default()
}

/// What is wrong with an update of a status beyond the metadata.
pub(crate) fn validate_status(resource: &Resource, object: &Object, old: &Object) -> FieldErrors {
    let rules = ruled_of(resource).and_then(|kind| kind.status);
    rules.map(|rules| rules(object, old)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::RULED;
    use crate::builtin::BuiltinKinds;

    /// What the crate's documentation says of the kinds, in the order of their names.
    fn listed() -> (String, String) {
        let ruled: BTreeSet<&str> = RULED.iter().map(|kind| kind.kind).collect();
        let others: BTreeSet<&str> = BuiltinKinds::kinds()
            .map(|(_, kind)| kind)
            .filter(|kind| !ruled.contains(kind))
            .collect();
        let join = |kinds: BTreeSet<&str>| kinds.into_iter().collect::<Vec<_>>().join(", ");
        (join(ruled), join(others))
    }

    #[test]
    fn the_documentation_lists_the_kinds_as_the_table_does() {
        let text: String = include_str!("../lib.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! "))
            .collect::<Vec<_>>()
            .join(" ");
        let (ruled, others) = listed();
        assert!(text.contains(&format!("Validated by rules of their own are {ruled}.")), "{ruled}");
        assert!(text.contains(&format!("metadata and types are checked: {others}.")), "{others}");
    }

    #[test]
    fn every_kind_of_the_table_is_served() {
        let served: BTreeSet<&str> = BuiltinKinds::kinds().map(|(_, kind)| kind).collect();
        for kind in RULED {
            assert!(served.contains(kind.kind), "{}", kind.kind);
        }
    }
}
