//! `metadata.managedFields`: who wrote which field, kept with every create and update.
//!
//! Go counterpart: `handlers/fieldmanager` in `k8s.io/apiserver`, with the reset fields of the
//! registry's strategies. The engine is `pintle-structured-merge`; here is what it must be told
//! about a resource.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use pintle_apimachinery::reflect::Desc;
use pintle_apimachinery::{Error, GroupVersion, GroupVersionKind};
use pintle_structured_merge::{
    DeducedTypes, FieldManager, Filter, ObjectConverter, Path, Set, SetMatcher, TypeConverter,
    TypeTable,
};
use serde_json::{Map, Value};

use crate::handlers::Request;
use crate::object::{Object, metadata, metadata_mut, text};
use crate::registry::{Behaviour, Resource};

/// Field managers are named with at most so many bytes.
const MAX_NAME: usize = 128;

/// The field managers of a resource, by subresource; made when first needed.
#[derive(Default)]
pub(crate) struct Managers(Mutex<BTreeMap<String, Arc<FieldManager>>>);

impl fmt::Debug for Managers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Managers")
    }
}

impl Request<'_> {
    /// Adds to `new`, which is to take the place of `old`, who manages its fields after this
    /// request. Both are in the storage version; `new` is as the client wants it.
    pub(crate) fn manage(&self, old: Option<&Object>, new: &mut Object) {
        let mut live = old.map_or_else(|| self.nothing(), |old| self.versioned(old.clone()));
        let mut wanted = new.clone();
        if self.resource.group.is_empty() && self.resource.plural == "secrets" {
            // Whoever writes `stringData` manages `data`.
            crate::registry::merge_string_data(&mut wanted);
        }
        let mut wanted = self.versioned(wanted);
        if self.info.subresource == "scale" {
            self.without_zero(&mut live);
            self.without_zero(&mut wanted);
        }
        let now = (self.core.clock)();
        let done = self.field_manager().update_no_errors(&live, wanted, &self.manager_name(), now);
        let managed = done.pointer("/metadata/managedFields").cloned();
        set_managed(new, managed);
    }

    /// What is there before an object: of a built-in kind its fields that are never absent.
    fn nothing(&self) -> Value {
        let resource = self.resource;
        if resource.custom.is_some() {
            return Value::Null;
        }
        let empty = self.core.typed.normalize(Map::new(), &resource.api_version(), &resource.kind);
        empty.map_or(Value::Null, Value::Object)
    }

    /// Adds to an object of the subresource's own kind, which is answered and not kept, who manages
    /// its fields.
    pub(crate) fn manage_posted(&self, new: &mut Object) {
        let expect = self.expect();
        let (group, version) =
            expect.api_version.split_once('/').unwrap_or(("", &expect.api_version));
        let gvk =
            GroupVersionKind::new(group.to_owned(), version.to_owned(), expect.kind.to_owned());
        let heads = Versions(vec![(expect.api_version.clone(), self.resource.behaviour)]);
        // As in Kubernetes, where the types of such objects are not looked up.
        let types: Arc<dyn TypeConverter> = Arc::new(DeducedTypes);
        let manager = FieldManager::with_converter(types, heads, gvk)
            .subresource(self.info.subresource.as_str());
        let mut wanted = new.clone();
        wanted.remove("status");
        if let Some(Value::Object(spec)) = wanted.get_mut("spec") {
            spec.retain(|_, value| !value.is_null());
        }
        wanted.insert("apiVersion".to_owned(), expect.api_version.as_str().into());
        wanted.insert("kind".to_owned(), expect.kind.into());
        let (wanted, now) = (Value::Object(wanted), (self.core.clock)());
        let done = manager.update_no_errors(&Value::Null, wanted, &self.manager_name(), now);
        let mut managed = done.pointer("/metadata/managedFields").cloned();
        if let Some(spec) = managed.as_mut().and_then(|m| m.pointer_mut("/0/fieldsV1/f:spec")) {
            without_selves(spec);
        }
        set_managed(new, managed);
    }

    /// Who does this: the manager it names, or the first word of the client's name.
    fn manager_name(&self) -> String {
        let named = self.query.get("fieldManager");
        if !named.is_empty() {
            return named.to_owned();
        }
        let mut name = String::new();
        for c in self.agent.split('/').next().unwrap_or_default().chars() {
            if name.len() + c.len_utf8() > MAX_NAME {
                break;
            }
            if !c.is_control() {
                name.push(c);
            }
        }
        name
    }

    /// The object as this request's version has it.
    fn versioned(&self, mut object: Object) -> Value {
        let resource = self.resource;
        resource.convert_from_storage(&mut object);
        object.insert("apiVersion".to_owned(), resource.api_version().into());
        object.insert("kind".to_owned(), resource.kind.as_str().into());
        Value::Object(object)
    }

    fn field_manager(&self) -> Arc<FieldManager> {
        let subresource = self.info.subresource.as_str();
        let mut managers = self.resource.managers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(manager) = managers.get(subresource) {
            return Arc::clone(manager);
        }
        let manager = Arc::new(self.make(subresource));
        managers.insert(subresource.to_owned(), Arc::clone(&manager));
        manager
    }

    fn make(&self, subresource: &str) -> FieldManager {
        let resource = self.resource;
        let table = self.core.registry.table();
        let versions: Vec<Arc<Resource>> = table
            .all()
            .filter(|other| other.group == resource.group && other.kind == resource.kind)
            .cloned()
            .collect();
        let gvk = GroupVersionKind::new(
            resource.group.clone(),
            resource.version.clone(),
            resource.kind.clone(),
        );
        let reset: Vec<String> = versions.iter().map(|v| v.api_version()).collect();
        let heads = Versions(versions.iter().map(|v| (v.api_version(), v.behaviour)).collect());
        let mut manager = FieldManager::with_converter(self.types(&versions), heads, gvk)
            .subresource(subresource);
        if let Some(filter) = reset_fields(resource, subresource) {
            for api_version in reset {
                manager = manager.reset_fields(api_version, filter.clone());
            }
        }
        manager
    }

    fn types(&self, versions: &[Arc<Resource>]) -> Arc<dyn TypeConverter> {
        match &self.resource.custom {
            Some(custom) => match TypeTable::from_crd(&custom.definition) {
                Ok(types) => Arc::new(types),
                // Whatever the schema lacks, the objects show.
                Err(_) => Arc::new(DeducedTypes),
            },
            None => {
                let desc = |version: &Arc<Resource>| -> Option<&'static Desc> {
                    self.core.typed.desc(&version.api_version(), &version.kind)
                };
                Arc::new(TypeTable::of(versions.iter().filter_map(desc)))
            }
        }
    }
}

/// What a request to a resource or its subresource cannot set, and so never manages.
fn reset_fields(resource: &Resource, subresource: &str) -> Option<Filter> {
    let without = |fields: &[Path]| Some(Filter::exclude(fields.iter().cloned().collect::<Set>()));
    match subresource {
        "" if resource.has_status() && !resource.behaviour.status_on_create => {
            without(&[Path::fields(["status"])])
        }
        "status" if resource.custom.is_some() => {
            Some(Filter::include([SetMatcher::prefix(["status".into()])]))
        }
        "status" => {
            let mut fields = vec![Path::fields(["spec"])];
            let kept = resource.behaviour.status_keeps.iter();
            fields.extend(kept.map(|key| Path::fields(["metadata", *key])));
            without(&fields)
        }
        "finalize" => without(&[Path::fields(["status"])]),
        "approval" => without(&[Path::fields(["spec"]), Path::fields(["status", "certificate"])]),
        _ => None,
    }
}

/// Takes out of a set of fields those that stand for a whole object.
fn without_selves(fields: &mut Value) {
    if let Value::Object(fields) = fields {
        fields.shift_remove(".");
        fields.values_mut().for_each(without_selves);
    }
}

fn set_managed(object: &mut Object, managed: Option<Value>) {
    let meta = metadata_mut(object);
    match managed {
        Some(Value::Array(entries)) if !entries.is_empty() => {
            meta.insert("managedFields".to_owned(), entries.into());
        }
        _ => {
            meta.remove("managedFields");
        }
    }
}

/// An update that changes nothing but the times of `managedFields` changes nothing: it keeps the
/// times there were. Go: `IgnoreManagedFieldsTimestampsTransformer`.
pub(crate) fn keep_times(new: &mut Object, old: &Object) {
    let (managed, was) = (metadata(new).get("managedFields"), metadata(old).get("managedFields"));
    if managed == was || !same_but_times(managed, was) {
        return;
    }
    let was = was.cloned();
    let mut probe = new.clone();
    set_managed(&mut probe, was.clone());
    let version = |object: &Object| {
        let mut object = object.clone();
        metadata_mut(&mut object).remove("resourceVersion");
        for key in ["apiVersion", "kind"] {
            object.remove(key);
        }
        object
    };
    if version(&probe) == version(old) {
        set_managed(new, was);
    }
}

fn same_but_times(a: Option<&Value>, b: Option<&Value>) -> bool {
    let (Some(Value::Array(a)), Some(Value::Array(b))) = (a, b) else { return false };
    let timeless = |entry: &Value| -> Map<String, Value> {
        let mut entry = entry.as_object().cloned().unwrap_or_default();
        entry.remove("time");
        entry
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| timeless(a) == timeless(b))
}

/// The versions of a kind: of most, they differ by their head only.
struct Versions(Vec<(String, Behaviour)>);

impl ObjectConverter for Versions {
    fn convert(&self, object: &Value, to: &GroupVersion) -> Result<Value, Error> {
        let to = to.to_string();
        let of = |version: &str| self.0.iter().find(|(own, _)| own == version);
        let Some((_, wanted)) = of(&to) else {
            return Err(Error::not_registered(format!("no version {to} of this kind")));
        };
        let mut object = object.clone();
        if let Value::Object(object) = &mut object {
            let from = text(object, "apiVersion").to_owned();
            if from != to {
                if let Some(convert) = of(&from).and_then(|(_, behaviour)| behaviour.to_storage) {
                    convert(object);
                }
                if let Some(convert) = wanted.from_storage {
                    convert(object);
                }
            }
            object.insert("apiVersion".to_owned(), to.into());
        }
        Ok(object)
    }
}
