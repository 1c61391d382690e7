//! How built-in kinds behave: what a server fills in, computes, and refuses.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis` (defaults, validation) and `pkg/registry/*/*/
//! strategy.go`. A module is a group; in it are data and small pure functions.
//!
//! Full rules are those of Pod, PodTemplate, ReplicationController, Deployment, ReplicaSet,
//! StatefulSet, DaemonSet, ControllerRevision, Job, CronJob, Service, Endpoints, ConfigMap, Secret,
//! Namespace, PersistentVolume, PersistentVolumeClaim, ResourceQuota, Role, ClusterRole,
//! RoleBinding, ClusterRoleBinding (and, in `registry`, CustomResourceDefinition); the remaining
//! kinds get the checks of their metadata and of their types. Defaults are those of every kind.
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
mod batch;
mod batch_rules;
mod check;
mod core;
mod cron;
mod defaults;
mod discovery;
mod flowcontrol;
mod image;
mod networking;
mod rbac;
mod resource;
mod scheduling;
mod storage;
pub(crate) mod tree;

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
        ("batch", "jobs") => {
            // Behind a gate that is off.
            tree::child(object, "spec").remove("scheduling");
            batch_rules::generate_selector(object);
        }
        ("batch", "cronjobs") => {
            let template = tree::child(tree::child(object, "spec"), "jobTemplate");
            tree::child(template, "spec").remove("scheduling");
        }
        ("apps", "daemonsets") => apps_rules::count_template(object, None),
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

/// Counts what an update changes, beside the generation.
pub(crate) fn count(resource: &Resource, object: &mut Object, old: &Object) {
    if (resource.group.as_str(), resource.plural.as_str()) == ("apps", "daemonsets") {
        apps_rules::count_template(object, Some(old));
    }
}

/// Checks an object, against the stored one in an update.
type Rules = fn(&Object, Option<&Object>) -> FieldErrors;

/// The rules of each kind that has rules of its own.
fn rules(group: &str, plural: &str) -> Option<Rules> {
    Some(match (group, plural) {
        ("", "pods") => core::pod::pod,
        ("", "podtemplates") => core::pod::pod_template,
        ("", "configmaps") => core::config::config_map,
        ("", "secrets") => core::config::secret,
        ("", "namespaces") => core::config::namespace,
        ("", "resourcequotas") => core::config::quota,
        ("", "services") => core::service::service,
        ("", "endpoints") => core::service::endpoints,
        ("", "replicationcontrollers") => apps_rules::replication_controller,
        ("apps", "deployments") => apps_rules::deployment,
        ("apps", "replicasets") => apps_rules::replica_set,
        ("apps", "statefulsets") => apps_rules::stateful_set,
        ("apps", "daemonsets") => apps_rules::daemon_set,
        ("apps", "controllerrevisions") => apps_rules::controller_revision,
        ("batch", "jobs") => batch_rules::job,
        ("batch", "cronjobs") => batch_rules::cron_job,
        ("rbac.authorization.k8s.io", "roles") => rbac::role,
        ("rbac.authorization.k8s.io", "clusterroles") => rbac::cluster_role,
        ("rbac.authorization.k8s.io", "rolebindings") => rbac::role_binding,
        ("rbac.authorization.k8s.io", "clusterrolebindings") => rbac::cluster_role_binding,
        ("", "persistentvolumes") => core::storage::volume,
        ("", "persistentvolumeclaims") => core::storage::claim,
        _ => return None,
    })
}

/// What is wrong with an object beyond its metadata.
pub(crate) fn validate(resource: &Resource, object: &Object, old: Option<&Object>) -> FieldErrors {
    match rules(&resource.group, &resource.plural) {
        Some(rules) if resource.custom.is_none() => rules(object, old),
        _ => FieldErrors::default(),
    }
}
