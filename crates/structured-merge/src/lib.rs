//! Structured merge and managed fields: the engine of server-side apply.
//!
//! It has field sets and their algebra ([`Set`], [`PathElement`]), schemas of what is merged how
//! ([`Schema`], made of built-in types, OpenAPI or a CRD), typed values that can be validated,
//! compared, merged and taken apart ([`TypedValue`]), the rules of ownership ([`Updater`]), and on
//! top of these [`FieldManager`], which does to an object and its `managedFields` what the API
//! server does for an apply or an update, and [`extract`], which gives a manager back what it
//! applied. All of it works on `serde_json::Value`.
//!
//! It does no input or output, knows no client and no server, reads no clock (times are given),
//! and does not default or convert objects: what needs that gives an [`ObjectConverter`]. It is
//! the counterpart of `sigs.k8s.io/structured-merge-diff`,
//! `k8s.io/apimachinery/pkg/util/managedfields` and `k8s.io/client-go/util/csaupgrade`; order,
//! bytes and messages are theirs.
//!
//! Values and sets may nest 200 levels; what is deeper is refused with an error.
//!
//! # Example: two appliers
//! ```
//! use pintle_api::apps_v1::Deployment;
//! use pintle_apimachinery::{GroupVersionKind, Time};
//! use pintle_apimachinery::reflect::Described;
//! use pintle_structured_merge::{FieldManager, TypeTable};
//! use serde_json::{Value, json};
//!
//! let types = TypeTable::of([Deployment::described()]);
//! let kind = GroupVersionKind::from_static("apps", "v1", "Deployment");
//! let manager = FieldManager::new(types, kind);
//! let deployment = |replicas: i32| json!({
//!     "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
//!     "spec": {"replicas": replicas},
//! });
//! let now = Time::from_unix(1_700_000_000);
//!
//! let live = manager.apply(&Value::Null, &deployment(1), "alice", false, now)?;
//! assert_eq!(live["metadata"]["managedFields"][0]["fieldsV1"], json!({"f:spec": {"f:replicas": {}}}));
//!
//! let conflict = manager.apply(&live, &deployment(2), "bob", false, now).unwrap_err();
//! assert!(conflict.is_conflict());
//! assert_eq!(
//!     conflict.status().unwrap().message,
//!     r#"Apply failed with 1 conflict: conflict with "alice": .spec.replicas"#,
//! );
//! let live = manager.apply(&live, &deployment(2), "bob", true, now)?;
//! assert_eq!(live["spec"]["replicas"], 2);
//! # Ok::<(), pintle_apimachinery::Error>(())
//! ```

mod fieldpath;
mod json;
mod manager;
mod merge;
mod schema;
mod typed;

pub use fieldpath::{
    Filter, KeyField, ManagedFields, Path, PathElement, PathMatcher, Set, SetMatcher, VersionedSet,
    set_from_value,
};
pub use json::{value_compare, value_equals};
pub use manager::{
    DeducedTypes, FieldManager, LAST_APPLIED, NoConversion, ObjectConverter, ScaleHandler,
    TypeConverter, TypeTable, extract, extract_apply_configuration, find_fields_owners, from_value,
    to_value, upgrade_managed_fields, upgrade_managed_fields_patch, validate_managed_fields,
};
pub use merge::{ApplyError, Conflict, Conflicts, Converter, Updater};
pub use schema::{
    Atom, List, Map, Relationship, Resolved, Scalar, Schema, StructField, TypeDef, TypeRef, Union,
};
pub use typed::{Comparison, ParseableType, TypedValue};

use pintle_apimachinery::Error;

/// How deep values, sets and schemas may nest.
pub(crate) const MAX_DEPTH: usize = 200;

pub(crate) const TOO_DEEP: &str = "exceeded max depth of 200";

#[cold]
pub(crate) fn too_deep() -> Error {
    Error::invalid(TOO_DEEP)
}
