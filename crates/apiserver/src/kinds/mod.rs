//! How built-in kinds behave: what a server fills in, computes, and refuses.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis` (defaults, validation) and `pkg/registry/*/*/
//! strategy.go`. A module is a group; in it are data and small pure functions.
//!
//! All of it works on the JSON tree that the server's write path has in its hands, after the tree
//! has passed through the kind's Rust type once and so has exactly the fields and forms of that
//! type. The other choice was the types themselves: each write would be decoded and encoded twice
//! more, and rules that kinds and versions share (a Pod's template, labels, ports) would need a
//! function per Rust type. On the tree the schema (`reflect::Desc`) tells what a rule cannot: which
//! type a value has, its defaults, enums and required fields.

mod admissionregistration;
mod apiextensions;
mod apps;
mod autoscaling;
mod batch;
mod core;
mod defaults;
mod discovery;
mod flowcontrol;
mod image;
mod networking;
mod rbac;
mod resource;
mod scheduling;
mod storage;
mod tree;

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
    let meta = metadata_mut(object);
    meta.remove("generation");
    if behaviour.generation {
        meta.insert("generation".to_owned(), 1.into());
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
}

/// What is wrong with an object beyond its metadata.
pub(crate) fn validate(resource: &Resource, object: &Object, old: Option<&Object>) -> FieldErrors {
    match resource.behaviour.validate {
        Some(validate) => validate(object, old).into_iter().collect(),
        None => FieldErrors::default(),
    }
}
