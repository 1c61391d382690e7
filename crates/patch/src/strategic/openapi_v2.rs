//! Patch metadata from a server's OpenAPI v2 document. Go: `strategicpatch.PatchMetaFromOpenAPI`,
//! made by `NewPatchMetaFromOpenAPI`, over the models of `k8s.io/kube-openapi/pkg/util/proto`.

use std::borrow::Cow;

use pintle_apimachinery::{Error, GroupVersionKind};
use serde_json::{Map, Value};

use super::openapi::{KINDS, MERGE_KEY, STRATEGY, is_of_kind};
use super::schema::{FieldMeta, PatchSchema};
use crate::error::{Reason, fail};
use crate::go::quote;

/// A model of an OpenAPI v2 document (`/openapi/v2`), or a part of one. How lists merge is in its
/// `x-kubernetes-patch-strategy` and `x-kubernetes-patch-merge-key`. Where a server has version 3,
/// [`OpenApiSchema`](crate::OpenApiSchema) is the better choice: its documents are smaller.
///
/// Go checks a whole document when it reads it; here what is wrong with a model is said when a
/// patch gets there.
///
/// ```
/// use pintle_apimachinery::GroupVersionKind;
/// use pintle_patch::{OpenApiV2Schema, strategic};
/// use serde_json::{Value, json};
///
/// let document = json!({"swagger": "2.0", "definitions": {
///     "io.example.Member": {"type": "object", "properties": {"name": {"type": "string"}}},
///     "io.example.Team": {
///         "type": "object",
///         "x-kubernetes-group-version-kind":
///             [{"group": "example.io", "version": "v1", "kind": "Team"}],
///         "properties": {"members": {
///             "type": "array",
///             "items": {"$ref": "#/definitions/io.example.Member"},
///             "x-kubernetes-patch-strategy": "merge",
///             "x-kubernetes-patch-merge-key": "name",
///         }},
///     },
/// }});
/// let team = GroupVersionKind::from_static("example.io", "v1", "Team");
/// let schema = OpenApiV2Schema::of_kind(&document, &team)?;
/// let object = |value: Value| value.as_object().cloned().unwrap_or_default();
/// let last_applied = object(json!({"members": [{"name": "ada"}, {"name": "bob"}]}));
/// let modified = object(json!({"members": [{"name": "bob", "role": "lead"}]}));
/// let live = object(json!({"members": [{"name": "ada"}, {"name": "bob"}, {"name": "eve"}]}));
/// let patch = strategic::three_way(&last_applied, &modified, &live, schema, true, &[])?;
/// assert_eq!(
///     strategic::apply(live, patch, schema)?["members"],
///     json!([{"name": "bob", "role": "lead"}, {"name": "eve"}]),
/// );
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OpenApiV2Schema<'d> {
    models: Option<&'d Map<String, Value>>,
    /// Of which model this is a part.
    model: &'d str,
    /// Below a value of any type there is none, and nothing is said about its members.
    schema: Option<&'d Value>,
}

const REFERENCE: &str = "#/definitions/";

/// More references to references than this are taken for a circle.
const MOST_REFERENCES: usize = 64;

/// What a schema is. Go: the types of `proto.Schema`.
enum Shape<'d> {
    /// With the schemas of its members.
    Kind(&'d Map<String, Value>),
    /// With the schema of its values, if there is one.
    Map(Option<&'d Value>),
    /// With the schema of its elements.
    Array(&'d Value),
    Primitive(&'d str),
    Arbitrary,
    /// With the name of the model.
    Reference(&'d str),
}

impl<'d> OpenApiV2Schema<'d> {
    /// The model `name` of a document, as in `io.k8s.api.apps.v1.Deployment`.
    ///
    /// # Errors
    /// The document has no such model.
    pub fn new(document: &'d Value, name: &str) -> Result<Self, Error> {
        let models = models(document);
        let found = models.and_then(|models| models.get_key_value(name));
        let (model, schema) = found.ok_or_else(|| unknown(name))?;
        Ok(OpenApiV2Schema { models, model, schema: Some(schema) })
    }

    /// The model of a kind, by the document's `x-kubernetes-group-version-kind`; of several the
    /// last by name. Go: kubectl's `openapi.Resources.LookupResource`.
    ///
    /// # Errors
    /// No model of the document says that it is of this kind.
    pub fn of_kind(document: &'d Value, gvk: &GroupVersionKind) -> Result<Self, Error> {
        let models = models(document);
        let of_kind = |schema: &Value| {
            let kinds = schema.get(KINDS).and_then(Value::as_array);
            kinds.into_iter().flatten().any(|kind| is_of_kind(kind, gvk))
        };
        let found = models.into_iter().flatten().filter(|(_, schema)| of_kind(schema));
        let (model, schema) = found.max_by_key(|(name, _)| *name).ok_or_else(|| {
            fail(Reason::Unsuitable, format!("the OpenAPI document has no schema of kind {gvk}"))
        })?;
        Ok(OpenApiV2Schema { models, model, schema: Some(schema) })
    }

    fn at(self, schema: &'d Value) -> Self {
        OpenApiV2Schema { schema: Some(schema), ..self }
    }

    /// Below a value of any type.
    fn nowhere(self) -> Self {
        OpenApiV2Schema { schema: None, ..self }
    }

    /// The model that a reference is to.
    fn refer(self, name: &str) -> Result<Self, Error> {
        let found = self.models.and_then(|models| models.get_key_value(name));
        let (model, schema) = found.ok_or_else(|| unknown(name))?;
        Ok(OpenApiV2Schema { model, schema: Some(schema), ..self })
    }

    /// What this is, references followed.
    fn resolved(mut self) -> Result<(Self, Shape<'d>), Error> {
        for _ in 0..MOST_REFERENCES {
            let Some(schema) = self.schema else { return Ok((self, Shape::Arbitrary)) };
            match self.shape(schema)? {
                Shape::Reference(name) => self = self.refer(name)?,
                shape => return Ok((self, shape)),
            }
        }
        let message = format!("the model {:?} is a reference to itself", self.model);
        Err(fail(Reason::Unsuitable, message))
    }

    /// Go: `Definitions.ParseSchema`.
    fn shape(self, schema: &'d Value) -> Result<Shape<'d>, Error> {
        let wrong = |what: String| {
            let path = path_in(self.models.and_then(|models| models.get(self.model)), schema);
            let path = path.unwrap_or_default();
            fail(Reason::Unsuitable, format!("SchemaError({}{path}): {what}", self.model))
        };
        let types = match schema.get("type") {
            Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one.as_str()],
            _ => Vec::new(),
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && !reference.is_empty()
        {
            if properties.is_some_and(|properties| !properties.is_empty()) {
                return Err(wrong("unallowed embedded type definition".into()));
            }
            if !types.is_empty() {
                return Err(wrong("definition reference can't have a type".into()));
            }
            let Some(name) = reference.strip_prefix(REFERENCE) else {
                let reference = quote(reference);
                return Err(wrong(format!("unallowed reference to non-definition {reference}")));
            };
            if self.models.is_none_or(|models| !models.contains_key(name)) {
                return Err(wrong(format!("unknown model in reference: {}", quote(name))));
            }
            return Ok(Shape::Reference(name));
        }
        Ok(match (&types[..], properties) {
            ([] | ["object"], Some(properties)) => Shape::Kind(properties),
            ([], None) => Shape::Arbitrary,
            (["object"], None) => {
                let of = schema.get("additionalProperties").filter(|of| of.is_object());
                Shape::Map(of)
            }
            (["array"], _) => match schema.get("items") {
                Some(items @ Value::Object(_)) => Shape::Array(items),
                Some(Value::Array(items)) if items.len() == 1 => Shape::Array(&items[0]),
                _ => return Err(wrong("array should have exactly one sub-item".into())),
            },
            ([name @ ("string" | "number" | "integer" | "boolean")], _) => Shape::Primitive(name),
            ([other], _) => {
                return Err(wrong(format!("Unknown primitive type: {}", quote(other))));
            }
            _ => return Err(wrong("definitions with multiple types aren't supported".into())),
        })
    }

    /// The member `key` of a kind, and how it merges.
    fn member(
        self,
        members: &'d Map<String, Value>,
        key: &str,
    ) -> Result<(&'d Value, FieldMeta), Error> {
        let Some(member) = members.get(key) else {
            let model = self.models.and_then(|models| models.get(self.model));
            let path = self.schema.and_then(|schema| path_in(model, schema)).unwrap_or_default();
            let (key, model) = (quote(key), self.model);
            let message = format!("unable to find api field {key} in {model}{path}");
            return Err(fail(Reason::Unsuitable, message));
        };
        let meta = FieldMeta {
            strategy: extension(member, STRATEGY)?,
            merge_key: extension(member, MERGE_KEY)?,
        };
        Ok((member, meta))
    }
}

fn models(document: &Value) -> Option<&Map<String, Value>> {
    document.get("definitions")?.as_object()
}

fn unknown(name: &str) -> Error {
    fail(Reason::Unsuitable, format!("the OpenAPI document has no model {}", quote(name)))
}

/// A text among the extensions of a schema. Go: `parsePatchMetadata`.
fn extension(schema: &Value, key: &str) -> Result<Cow<'static, str>, Error> {
    let received = match schema.get(key) {
        None => return Ok(Cow::Borrowed("")),
        Some(Value::String(text)) => {
            return Ok(match text.as_str() {
                // Nearly all of them.
                "merge" => Cow::Borrowed("merge"),
                "name" => Cow::Borrowed("name"),
                other => Cow::Owned(other.to_owned()),
            });
        }
        Some(Value::Null) => "%!s(<nil>)",
        Some(Value::Bool(_)) => "bool",
        Some(Value::Number(number)) if number.is_f64() => "float64",
        Some(Value::Number(_)) => "int",
        Some(Value::Array(_)) => "[]interface {}",
        Some(Value::Object(_)) => "map[interface {}]interface {}",
    };
    let message = format!("expected a string, but received a {received}");
    Err(fail(Reason::Unsuitable, message))
}

/// The way from a model to a schema within it, by which errors name it. Go: `proto.Path`, which
/// counts members alone.
fn path_in(model: Option<&Value>, schema: &Value) -> Option<String> {
    let model = model?;
    if std::ptr::eq(model, schema) {
        return Some(String::new());
    }
    for key in ["items", "additionalProperties"] {
        let inner = match model.get(key) {
            Some(Value::Array(items)) if items.len() == 1 => items.first(),
            other => other,
        };
        if let Some(path) = path_in(inner.filter(|inner| inner.is_object()), schema) {
            return Some(path);
        }
    }
    let members = model.get("properties").and_then(Value::as_object);
    members
        .into_iter()
        .flatten()
        .find_map(|(key, member)| path_in(Some(member), schema).map(|path| format!(".{key}{path}")))
}

fn not(wanted: &str, shape: &Shape<'_>) -> Error {
    let got = match shape {
        Shape::Primitive(_) => "primitive",
        Shape::Array(_) => "slice",
        _ => "map",
    };
    fail(Reason::Unsuitable, format!("expected {wanted}, but got {got}"))
}

impl PatchSchema for OpenApiV2Schema<'_> {
    fn object(self, key: &str) -> Result<(Self, FieldMeta), Error> {
        let (this, shape) = self.resolved()?;
        match shape {
            Shape::Kind(members) => {
                let (member, meta) = this.member(members, key)?;
                Ok((this.at(member), meta))
            }
            Shape::Arbitrary => Ok((this.nowhere(), FieldMeta::default())),
            other => Err(not("kind", &other)),
        }
    }

    fn list(self, key: &str) -> Result<(Self, FieldMeta), Error> {
        let (mut this, mut shape) = self.resolved()?;
        let mut meta = FieldMeta::default();
        let mut is_member = false;
        loop {
            match shape {
                Shape::Kind(members) => {
                    // An object where a list should be is searched for the member once more.
                    let member;
                    (member, meta) = this.member(members, key)?;
                    this = this.at(member);
                    shape = this.shape(member)?;
                    is_member = true;
                }
                Shape::Array(_) if !is_member => {
                    let message = "expected visit kind first, then visit array";
                    return Err(fail(Reason::Unsuitable, message));
                }
                Shape::Array(element) => return Ok((this.at(element), meta)),
                // What the reference is to is not looked at.
                Shape::Reference(name) => return Ok((this.refer(name)?, meta)),
                Shape::Arbitrary => return Ok((this.nowhere(), meta)),
                other => return Err(not("slice", &other)),
            }
        }
    }

    fn name(self) -> Cow<'static, str> {
        let Some(schema) = self.schema else { return Cow::Borrowed("") };
        Cow::Owned(match self.shape(schema) {
            Ok(Shape::Kind(members)) => {
                // Sorted, where Go has them in no order.
                let mut names: Vec<&str> = members.keys().map(String::as_str).collect();
                names.sort_unstable();
                format!("Kind([{}])", names.join(" "))
            }
            Ok(Shape::Array(element)) => format!("Array of {}", self.at(element).name()),
            Ok(Shape::Map(None)) => format!("Map of {ARBITRARY}"),
            Ok(Shape::Map(Some(value))) => format!("Map of {}", self.at(value).name()),
            Ok(Shape::Primitive(name)) => {
                match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
                    "" => name.to_owned(),
                    format => format!("{name} ({format})"),
                }
            }
            Ok(Shape::Arbitrary) | Err(_) => ARBITRARY.to_owned(),
            Ok(Shape::Reference(name)) => format!("Reference to {}", quote(name)),
        })
    }
}

const ARBITRARY: &str = "Arbitrary value (primitive, object or array)";
