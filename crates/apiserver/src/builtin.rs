//! What the server does with objects of built-in kinds, without a server: to look at an object as
//! it would read back, or at what is wrong with it, with nothing started.

use std::sync::Arc;

use pintle_apimachinery::validation::FieldError;
use pintle_apimachinery::{Error, Status};
use serde_json::Value;

use crate::generated::resources::RESOURCES;
use crate::object::{Object, metadata, metadata_mut, set_text, text};
use crate::registry::{Registry, Resource};
use crate::status::{ApiError, quote};
use crate::typed::Typed;
use crate::{kinds, validate};

/// What the server knows about built-in kinds.
///
/// ```
/// use pintle_apiserver::BuiltinKinds;
/// use serde_json::json;
///
/// let kinds = BuiltinKinds::new();
/// let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}});
/// assert_eq!(kinds.default(&secret)?["type"], "Opaque");
///
/// let wrong = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "b"},
///     "data": {"no/key": "eA=="}});
/// assert!(kinds.create(&wrong).unwrap_err().to_string().contains("data[no/key]: Invalid value"));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub struct BuiltinKinds {
    typed: Typed,
    registry: Registry,
}

impl std::fmt::Debug for BuiltinKinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BuiltinKinds")
    }
}

impl std::default::Default for BuiltinKinds {
    fn default() -> Self {
        BuiltinKinds::new()
    }
}

impl BuiltinKinds {
    /// The kinds of the release that this server is of.
    pub fn new() -> Self {
        BuiltinKinds { typed: Typed::new(), registry: Registry::new() }
    }

    /// API version and kind of every resource that is served and can be created.
    pub fn kinds() -> impl Iterator<Item = (String, &'static str)> {
        let created = |verbs: &[&str]| verbs.contains(&"create") && verbs.contains(&"list");
        RESOURCES
            .iter()
            .filter(move |resource| created(resource.verbs))
            .map(|r| (crate::registry::api_version(r.group, r.version), r.kind))
    }

    /// The object with what the server fills in when it reads it.
    ///
    /// # Errors
    /// The object is of no built-in kind, or a field does not fit its type.
    pub fn default(&self, object: &Value) -> Result<Value, Error> {
        self.read(object).map(Value::Object)
    }

    /// The object as its creation would store it, but for the name, the times and the addresses
    /// that the server gives.
    ///
    /// # Errors
    /// As of [`default`](Self::default); or the object is not valid.
    pub fn create(&self, object: &Value) -> Result<Value, Error> {
        let (resource, mut object) = (self.resource(object)?, self.read(object)?);
        set_text(metadata_mut(&mut object), "uid", "00000000-0000-4000-8000-000000000000");
        resource.convert_to_storage(&mut object);
        kinds::prepare_create(&resource, &mut object);
        let errors = validate::object(&resource, &object, None, false);
        self.finish(&resource, object, errors)
    }

    /// The object as its update would store it over `old`, which is stored.
    ///
    /// # Errors
    /// As of [`create`](Self::create).
    pub fn update(&self, old: &Value, new: &Value) -> Result<Value, Error> {
        self.change(old, new, false)
    }

    /// The object as an update of its status would store it over `old`, which is stored.
    ///
    /// # Errors
    /// As of [`create`](Self::create).
    pub fn update_status(&self, old: &Value, new: &Value) -> Result<Value, Error> {
        self.change(old, new, true)
    }

    fn change(&self, old: &Value, new: &Value, status: bool) -> Result<Value, Error> {
        let mut old = self.read(&self.create(old)?)?;
        let (resource, mut object) = (self.resource(new)?, self.read(new)?);
        for object in [&mut old, &mut object] {
            resource.convert_to_storage(object);
            set_text(metadata_mut(object), "resourceVersion", "1");
            metadata_mut(object)
                .insert("creationTimestamp".to_owned(), "2020-09-13T12:26:40Z".into());
        }
        if text(metadata(&object), "namespace").is_empty() && resource.namespaced {
            let namespace = text(metadata(&old), "namespace").to_owned();
            set_text(metadata_mut(&mut object), "namespace", &namespace);
        }
        if text(metadata(&object), "uid").is_empty() {
            let uid = text(metadata(&old), "uid").to_owned();
            set_text(metadata_mut(&mut object), "uid", &uid);
        }
        let generation = metadata(&old).get("generation").and_then(Value::as_i64).unwrap_or(0);
        if status {
            let mut kept = old.clone();
            for key in ["status", "metadata"] {
                match object.shift_remove(key) {
                    Some(value) => kept.insert(key.to_owned(), value),
                    None => kept.shift_remove(key),
                };
            }
            for key in resource.behaviour.status_keeps {
                match metadata(&old).get(*key) {
                    Some(value) => metadata_mut(&mut kept).insert((*key).to_owned(), value.clone()),
                    None => metadata_mut(&mut kept).shift_remove(*key),
                };
            }
            object = kept;
            kinds::prepare_status(&resource, &mut object, &old, "1970-01-01T00:00:00Z");
        } else {
            kinds::prepare_update(&resource, &mut object, &old);
        }
        let annotated = resource.behaviour.counts_annotations
            && metadata(&object).get("annotations") != metadata(&old).get("annotations");
        let changed = !status && (annotated || kinds::counts(&resource, &object, &old));
        match generation + i64::from(changed) {
            0 => metadata_mut(&mut object).shift_remove("generation"),
            generation => {
                metadata_mut(&mut object).insert("generation".to_owned(), generation.into())
            }
        };
        let errors = validate::object(&resource, &object, Some(&old), status);
        self.finish(&resource, object, errors)
    }

    fn finish(
        &self,
        resource: &Resource,
        mut object: Object,
        errors: Vec<FieldError>,
    ) -> Result<Value, Error> {
        if !errors.is_empty() {
            let name = text(metadata(&object), "name");
            let error = ApiError::invalid(&resource.group, &resource.kind, name, &errors);
            let status = Status {
                code: 422,
                reason: "Invalid".into(),
                message: error.message().into(),
                ..Status::default()
            };
            return Err(Error::from_status(status));
        }
        resource.convert_from_storage(&mut object);
        let object = self.typed.normalize(object, &resource.api_version(), &resource.kind);
        object.map(Value::Object).map_err(Error::decode)
    }

    /// The resource whose objects are of this kind.
    fn resource(&self, object: &Value) -> Result<Arc<Resource>, Error> {
        let (api_version, kind) = head(object);
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        RESOURCES
            .iter()
            .find(|r| (r.group, r.version, r.kind) == (group, version, kind))
            .and_then(|r| self.registry.table().find(r.group, r.version, r.plural).cloned())
            .ok_or_else(|| unknown(api_version, kind))
    }

    /// The object in the form its type has, with its defaults.
    fn read(&self, object: &Value) -> Result<Object, Error> {
        let (api_version, kind) = head(object);
        let (Value::Object(object), Some(desc)) = (object, self.typed.desc(api_version, kind))
        else {
            return Err(unknown(api_version, kind));
        };
        let mut object =
            self.typed.normalize(object.clone(), api_version, kind).map_err(Error::decode)?;
        kinds::default(&mut object, desc, api_version, "1970-01-01T00:00:00Z");
        // What was filled in takes its place among the fields.
        self.typed.normalize(object, api_version, kind).map_err(Error::decode)
    }
}

fn head(object: &Value) -> (&str, &str) {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    (text("apiVersion"), text("kind"))
}

fn unknown(api_version: &str, kind: &str) -> Error {
    let (kind, api_version) = (quote(kind), quote(api_version));
    Error::not_registered(format!("{kind} of {api_version} is not a kind that is served"))
}
