//! What the server does with definitions and with custom resources, without a server: to look at
//! an object as it would be stored, or at what is wrong with it, with nothing started.

use std::collections::BTreeSet;

use pintle_apimachinery::Error;
use pintle_apimachinery::validation::FieldError;
use serde_json::{Value, json};

use crate::handlers::body::prune;
use crate::object::{Object, metadata_mut};
use crate::registry::{
    CustomResource, Registry, Resource, custom_resources, definition_warnings, spec_changed,
};
use crate::typed::Typed;
use crate::{kinds, validate};

/// What was found about an object that is written.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// The object as it would be stored, but for what the server gives; null where it is not valid.
    pub object: Value,
    /// What is wrong with it, each once, in the order of the texts.
    pub errors: Vec<String>,
    /// Fields that are dropped because the schema does not have them.
    pub unknown: Vec<String>,
    /// What is told of it beside that.
    pub warnings: Vec<String>,
}

impl Verdict {
    fn new(errors: &[FieldError]) -> Self {
        let errors: BTreeSet<String> = errors.iter().map(ToString::to_string).collect();
        Verdict { errors: errors.into_iter().collect(), ..Verdict::default() }
    }
}

/// A kind of custom resources in one version.
///
/// ```
/// use pintle_apiserver::CustomKind;
/// use serde_json::json;
///
/// let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
///     "metadata": {"name": "foos.example.com"},
///     "spec": {"group": "example.com", "scope": "Cluster", "names": {"plural": "foos", "kind": "Foo"},
///         "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
///             "type": "object", "properties": {"size": {"type": "integer", "minimum": 1, "default": 1}}}}}]}});
/// assert!(CustomKind::check(&definition, None)?.errors.is_empty());
///
/// let foo = |size: i64| json!({"apiVersion": "example.com/v1", "kind": "Foo",
///     "metadata": {"name": "a"}, "size": size});
/// let kind = CustomKind::new(&definition, "v1")?;
/// assert!(kind.write(&foo(1), None)?.errors.is_empty());
/// assert_eq!(kind.write(&foo(0), None)?.errors, [
///     "size: Invalid value: 0: size in body should be greater than or equal to 1"]);
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub struct CustomKind {
    resource: Resource,
    typed: Typed,
}

impl std::fmt::Debug for CustomKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CustomKind").field("kind", &self.resource.kind).finish_non_exhaustive()
    }
}

impl CustomKind {
    /// The kind of a definition in a version.
    ///
    /// # Errors
    /// The definition does not serve this version.
    pub fn new(definition: &Value, version: &str) -> Result<Self, Error> {
        let mut definition = object_of(definition)?;
        let names = definition.get("spec").and_then(|spec| spec.get("names")).cloned();
        definition.insert(
            "status".to_owned(),
            json!({
                "acceptedNames": names,
                "conditions": [{"type": "Established", "status": "True"}],
            }),
        );
        let mut served = custom_resources(&definition).into_iter();
        let resource = served.find(|resource| resource.version == version).ok_or_else(|| {
            Error::invalid(format!("the definition serves no version {version:?}"))
        })?;
        Ok(CustomKind { resource, typed: Typed::new() })
    }

    /// What is made of an object that is created, or written over `old`.
    ///
    /// # Errors
    /// The object is none, or metadata in it has not the type of metadata.
    pub fn write(&self, object: &Value, old: Option<&Value>) -> Result<Verdict, Error> {
        self.verdict(object, old, false)
    }

    /// What is made of an object whose status is written over that of `old`.
    ///
    /// # Errors
    /// As of [`write`](Self::write).
    pub fn write_status(&self, object: &Value, old: &Value) -> Result<Verdict, Error> {
        self.verdict(object, Some(old), true)
    }

    fn verdict(&self, object: &Value, old: Option<&Value>, status: bool) -> Result<Verdict, Error> {
        let read = |object: &Value| -> Result<(Object, Vec<String>), Error> {
            let mut object = object_of(object)?;
            let unknown = self.custom().map(|custom| prune(&self.typed, custom, &mut object));
            let mut unknown = unknown.transpose().map_err(Error::invalid)?.unwrap_or_default();
            unknown.dedup();
            Ok((object, unknown))
        };
        let (mut object, unknown) = read(object)?;
        let has_status = self.resource.has_status();
        let mut generation = 1;
        let old = match old {
            None => {
                if has_status {
                    object.shift_remove("status");
                }
                None
            }
            Some(old) => {
                let (mut old, _) = read(old)?;
                if has_status {
                    old.shift_remove("status");
                }
                metadata_mut(&mut old).insert("generation".to_owned(), 1.into());
                let mut kept = if status { old.clone() } else { object.clone() };
                let source = if status { &object } else { &old };
                if status || has_status {
                    match source.get("status") {
                        Some(status) => kept.insert("status".to_owned(), status.clone()),
                        None => kept.shift_remove("status"),
                    };
                }
                object = kept;
                generation += i64::from(!status && spec_changed(&object, &old, false));
                Some(old)
            }
        };
        metadata_mut(&mut object).insert("generation".to_owned(), generation.into());
        let errors = validate::object(&self.resource, &object, old.as_ref(), status);
        if !errors.is_empty() {
            return Ok(Verdict::new(&errors));
        }
        Ok(Verdict { object: Value::Object(object), unknown, ..Verdict::default() })
    }

    fn custom(&self) -> Option<&CustomResource> {
        self.resource.custom.as_ref()
    }

    /// What is said of a definition that is created, or written over `old`, which is established.
    ///
    /// # Errors
    /// It is no definition, or a field does not fit its type.
    pub fn check(definition: &Value, old: Option<&Value>) -> Result<Verdict, Error> {
        const VERSION: &str = "apiextensions.k8s.io/v1";
        const KIND: &str = "CustomResourceDefinition";
        let (typed, registry) = (Typed::new(), Registry::new());
        let read = |object: &Value| -> Result<Object, Error> {
            let object = object_of(object)?;
            let mut object = typed.normalize(object, VERSION, KIND).map_err(Error::decode)?;
            if let Some(desc) = typed.desc(VERSION, KIND) {
                kinds::default(&mut object, desc, VERSION, "1970-01-01T00:00:00Z");
            }
            Ok(object)
        };
        let table = registry.table();
        let resource = table
            .find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
            .ok_or_else(|| Error::not_registered("definitions are not served"))?;
        let mut object = read(definition)?;
        let old = match old {
            None => {
                kinds::prepare_create(resource, &mut object);
                None
            }
            Some(old) => {
                let mut old = read(old)?;
                kinds::prepare_create(resource, &mut old);
                let conditions = json!([{"type": "Established", "status": "True"}]);
                if let Some(status) = old.get_mut("status") {
                    status["conditions"] = conditions;
                }
                for object in [&mut old, &mut object] {
                    metadata_mut(object).insert("resourceVersion".to_owned(), "1".into());
                }
                kinds::prepare_update(resource, &mut object, &old);
                metadata_mut(&mut object).insert("generation".to_owned(), 1.into());
                Some(old)
            }
        };
        let errors = validate::object(resource, &object, old.as_ref(), false);
        if !errors.is_empty() {
            return Ok(Verdict::new(&errors));
        }
        let warnings = definition_warnings(&object, old.as_ref());
        Ok(Verdict { object: Value::Object(object), warnings, ..Verdict::default() })
    }
}

fn object_of(value: &Value) -> Result<Object, Error> {
    match value {
        Value::Object(object) => Ok(object.clone()),
        _ => Err(Error::invalid("not an object")),
    }
}
