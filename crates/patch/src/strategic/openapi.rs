//! Patch metadata from a server's OpenAPI v3 documents. Go: `strategicpatch.PatchMetaFromOpenAPIV3`.

use std::borrow::Cow;

use pintle_apimachinery::{Error, GroupVersionKind};
use serde_json::{Map, Value};

use super::schema::{FieldMeta, PatchSchema};
use crate::error::{Reason, fail};

/// A schema of an OpenAPI v3 document (`/openapi/v3/apis/apps/v1`), or a part of one. How lists
/// merge is in its `x-kubernetes-patch-strategy` and `x-kubernetes-patch-merge-key`.
///
/// ```
/// use pintle_apimachinery::GroupVersionKind;
/// use pintle_patch::{OpenApiSchema, strategic};
/// use serde_json::{Map, Value, json};
///
/// let document = json!({"components": {"schemas": {"io.example.Team": {
///     "x-kubernetes-group-version-kind": [{"group": "example.io", "version": "v1", "kind": "Team"}],
///     "properties": {"members": {
///         "type": "array",
///         "items": {"properties": {"name": {"type": "string"}}},
///         "x-kubernetes-patch-strategy": "merge",
///         "x-kubernetes-patch-merge-key": "name",
///     }},
/// }}}});
/// let team = GroupVersionKind::from_static("example.io", "v1", "Team");
/// let schema = OpenApiSchema::of_kind(&document, &team)?;
/// let object = |value: Value| value.as_object().cloned().unwrap_or_default();
/// let patched = strategic::apply(
///     object(json!({"members": [{"name": "ada"}, {"name": "bob"}]})),
///     object(json!({"members": [{"name": "bob", "role": "lead"}]})),
///     schema,
/// )?;
/// assert_eq!(
///     patched["members"],
///     json!([{"name": "ada"}, {"name": "bob", "role": "lead"}]),
/// );
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OpenApiSchema<'d> {
    schemas: Option<&'d Map<String, Value>>,
    schema: &'d Value,
}

/// The members of schemas that are about patches, and about which kinds they are of.
pub(super) const STRATEGY: &str = "x-kubernetes-patch-strategy";
pub(super) const MERGE_KEY: &str = "x-kubernetes-patch-merge-key";
pub(super) const KINDS: &str = "x-kubernetes-group-version-kind";

/// Whether a member of [`KINDS`] is this kind.
pub(super) fn is_of_kind(kind: &Value, gvk: &GroupVersionKind) -> bool {
    let text = |key: &str| kind.get(key).and_then(Value::as_str).unwrap_or_default();
    text("group") == gvk.group && text("version") == gvk.version && text("kind") == gvk.kind
}

const REFERENCE: &str = "#/components/schemas/";

impl<'d> OpenApiSchema<'d> {
    /// The schema `name` of a document, as in `io.k8s.api.apps.v1.Deployment`.
    ///
    /// # Errors
    /// The document has no such schema.
    pub fn new(document: &'d Value, name: &str) -> Result<Self, Error> {
        let schemas = schemas(document);
        let schema = schemas.and_then(|schemas| schemas.get(name)).ok_or_else(|| {
            fail(Reason::Unsuitable, format!("unable to resolve {REFERENCE}{name} in OpenAPI V3"))
        })?;
        Ok(OpenApiSchema { schemas, schema })
    }

    /// The schema of a kind, by the document's `x-kubernetes-group-version-kind`.
    ///
    /// # Errors
    /// No schema of the document says that it is of this kind.
    pub fn of_kind(document: &'d Value, gvk: &GroupVersionKind) -> Result<Self, Error> {
        let schemas = schemas(document);
        let kinds = |schema: &'d Value| schema.get(KINDS).and_then(Value::as_array);
        let all = || schemas.into_iter().flat_map(|schemas| schemas.values());
        let only = |schema: &&'d Value| {
            kinds(schema).is_some_and(|kinds| matches!(&kinds[..], [only] if is_of_kind(only, gvk)))
        };
        // Types such as DeleteOptions are of many kinds.
        let among = |schema: &&'d Value| {
            kinds(schema).is_some_and(|kinds| kinds.iter().any(|kind| is_of_kind(kind, gvk)))
        };
        let found = all().find(only).or_else(|| all().find(among));
        let schema = found.ok_or_else(|| {
            fail(Reason::Unsuitable, format!("the OpenAPI document has no schema of kind {gvk}"))
        })?;
        Ok(OpenApiSchema { schemas, schema })
    }

    fn property(self, key: &str) -> Result<&'d Value, Error> {
        let found = self.schema.get("properties").and_then(|properties| properties.get(key));
        found.ok_or_else(|| fail(Reason::Unsuitable, format!("unable to find api field \"{key}\"")))
    }

    /// The schema that `schema` stands for: the first of `allOf`, and what a reference names.
    fn resolve(self, mut schema: &'d Value) -> Result<Self, Error> {
        if let Some(first) = schema.get("allOf").and_then(|all| all.get(0)) {
            schema = first;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.strip_prefix(REFERENCE).unwrap_or(reference);
            schema = self.schemas.and_then(|schemas| schemas.get(name)).ok_or_else(|| {
                let message = format!("unable to resolve {reference} in OpenAPI V3");
                fail(Reason::Unsuitable, message)
            })?;
        }
        Ok(OpenApiSchema { schema, ..self })
    }
}

fn schemas(document: &Value) -> Option<&Map<String, Value>> {
    document.get("components")?.get("schemas")?.as_object()
}

fn meta(property: &Value) -> FieldMeta {
    let text = |key: &str| match property.get(key).and_then(Value::as_str) {
        // Nearly all of them.
        Some("merge") => Cow::Borrowed("merge"),
        Some("name") => Cow::Borrowed("name"),
        Some(other) => Cow::Owned(other.to_owned()),
        None => Cow::Borrowed(""),
    };
    FieldMeta { strategy: text(STRATEGY), merge_key: text(MERGE_KEY) }
}

impl PatchSchema for OpenApiSchema<'_> {
    fn object(self, key: &str) -> Result<(Self, FieldMeta), Error> {
        let property = self.property(key)?;
        Ok((self.resolve(property)?, meta(property)))
    }

    fn list(self, key: &str) -> Result<(Self, FieldMeta), Error> {
        let property = self.property(key)?;
        let element = property.get("items").unwrap_or(property);
        Ok((self.resolve(element)?, meta(property)))
    }

    fn name(self) -> Cow<'static, str> {
        match self.schema.get("type") {
            Some(Value::String(name)) => Cow::Owned(name.clone()),
            Some(Value::Array(names)) if !names.is_empty() => {
                Cow::Owned(names.iter().filter_map(Value::as_str).collect())
            }
            _ => Cow::Borrowed("Struct"),
        }
    }
}
