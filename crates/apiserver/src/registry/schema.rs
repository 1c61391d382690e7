//! Structural schemas of custom resources: pruning, defaulting and validation.
//!
//! Go counterpart: `k8s.io/apiextensions-apiserver/pkg/apiserver/schema`. How objects are checked
//! stands in `schema_check.rs`. Rules in CEL are not evaluated.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use pintle_apimachinery::ObjectMeta;
use pintle_apimachinery::reflect::Message;
use pintle_apimachinery::validation::{FieldError, FieldPath};
use serde_json::{Map, Value};

use super::schema_check;
use crate::go_json;

/// A schema as the CRD has it.
#[derive(Clone, Debug)]
pub(crate) struct Schema(Value, u64);

impl Schema {
    pub(crate) fn new(mut schema: Value) -> Self {
        prune_defaults(&mut schema);
        let mut hasher = DefaultHasher::new();
        schema.to_string().hash(&mut hasher);
        Schema(schema, hasher.finish())
    }

    /// Equal for equal schemas: what was stored under another one lacks defaults of this.
    pub(crate) fn id(&self) -> u64 {
        self.1
    }

    /// Calls `check` with path and value of the metadata of every embedded object.
    ///
    /// # Errors
    /// What `check` says.
    pub(crate) fn embedded(
        &self,
        object: &mut Map<String, Value>,
        check: &mut dyn FnMut(&str, &mut Value) -> Result<(), String>,
    ) -> Result<(), String> {
        embedded_in(&self.0, object, "", check)
    }

    /// Removes fields the schema does not know from an object, and names each.
    pub(crate) fn prune(&self, object: &mut Map<String, Value>) -> Vec<String> {
        let mut unknown = Vec::new();
        if flag(&self.0, PRESERVE) {
            keep_object(&self.0, object, "", true, &mut unknown);
        } else {
            prune_object(&self.0, object, "", true, &mut unknown);
        }
        unknown
    }

    /// Fills in default values, and removes nulls where none are allowed.
    pub(crate) fn default(&self, object: &mut Map<String, Value>) {
        without_nulls_in(Some(&self.0), object);
        default_object(&self.0, object);
    }

    /// Checks an object, of which nothing that is as in `old` is complained about.
    #[cfg(test)]
    pub(crate) fn validate(
        &self,
        object: &Map<String, Value>,
        old: Option<&Map<String, Value>>,
    ) -> Vec<FieldError> {
        let mut errors = self.values(object, old);
        errors.extend(self.embedded_heads(object));
        errors.extend(self.lists(object, old));
        errors
    }

    /// The values of an object alone.
    pub(crate) fn values(
        &self,
        object: &Map<String, Value>,
        old: Option<&Map<String, Value>>,
    ) -> Vec<FieldError> {
        schema_check::object(&self.0, object, old)
    }

    /// The values of an object's status alone.
    pub(crate) fn status(
        &self,
        object: &Map<String, Value>,
        old: &Map<String, Value>,
    ) -> Vec<FieldError> {
        schema_check::status(&self.0, object, old)
    }

    /// Kind, version and metadata of resources within an object.
    pub(crate) fn embedded_heads(&self, object: &Map<String, Value>) -> Vec<FieldError> {
        let object = Value::Object(object.clone());
        schema_check::embedded(&self.0, &object, &FieldPath::nil(), true)
    }

    /// Lists of an object that are sets and maps.
    pub(crate) fn lists(
        &self,
        object: &Map<String, Value>,
        old: Option<&Map<String, Value>>,
    ) -> Vec<FieldError> {
        schema_check::keyed_lists(&self.0, object, old)
    }
}

/// Removes from default values what their schemas do not know.
fn prune_defaults(schema: &mut Value) {
    if let Some(mut default) = schema.get("default").cloned() {
        prune(schema, &mut default);
        schema["default"] = default;
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(key).filter(|inner| inner.is_object()) {
            prune_defaults(inner);
        }
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(prune_defaults);
    }
}

const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";

fn flag(schema: &Value, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn is_head(key: &str) -> bool {
    matches!(key, "apiVersion" | "kind" | "metadata")
}

/// The schema of a field: `Some(None)` where the field may be and nothing is known of it.
fn field<'a>(schema: &'a Value, key: &str) -> Option<Option<&'a Value>> {
    match schema.get("properties").and_then(|known| known.get(key)) {
        Some(known) => Some(Some(known)),
        None => schema.get("additionalProperties").map(|of| Some(of).filter(|of| of.is_object())),
    }
}

fn items(schema: &Value) -> Option<&Value> {
    schema.get("items").filter(|items| items.is_object())
}

/// Removes from a value what a schema does not know.
pub(super) fn prune(schema: &Value, value: &mut Value) {
    prune_value(Some(schema), value, "", &mut Vec::new());
}

fn prune_object(
    schema: &Value,
    object: &mut Map<String, Value>,
    path: &str,
    resource: bool,
    unknown: &mut Vec<String>,
) {
    let mut remove = Vec::new();
    for (key, value) in object.iter_mut() {
        if resource && is_head(key) {
            continue;
        }
        let here = join(path, key);
        match field(schema, key) {
            Some(of) => prune_value(of, value, &here, unknown),
            None => {
                if !is_head(key) || !path.is_empty() {
                    unknown.push(here);
                }
                remove.push(key.clone());
            }
        }
    }
    object.retain(|key, _| !remove.contains(key));
}

fn prune_value(schema: Option<&Value>, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
    if let Some(schema) = schema.filter(|schema| flag(schema, PRESERVE)) {
        keep_value(Some(schema), value, path, unknown);
        return;
    }
    match (value, schema) {
        (Value::Object(object), Some(schema)) => {
            prune_object(schema, object, path, flag(schema, EMBEDDED), unknown);
        }
        (Value::Object(object), None) => {
            unknown.extend(object.keys().map(|key| join(path, key)));
            object.clear();
        }
        (Value::Array(list), schema) => {
            let of = schema.and_then(items);
            for (index, item) in list.iter_mut().enumerate() {
                prune_value(of, item, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// Where unknown fields are kept, those that are known are looked at all the same.
fn keep_object(
    schema: &Value,
    object: &mut Map<String, Value>,
    path: &str,
    resource: bool,
    unknown: &mut Vec<String>,
) {
    for (key, value) in object.iter_mut().filter(|(key, _)| !(resource && is_head(key))) {
        if let Some(of) = field(schema, key) {
            prune_value(of, value, &join(path, key), unknown);
        }
    }
}

fn keep_value(schema: Option<&Value>, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
    let Some(schema) = schema else { return };
    match value {
        Value::Object(object) => {
            keep_object(schema, object, path, flag(schema, EMBEDDED), unknown);
        }
        Value::Array(list) => {
            for (index, item) in list.iter_mut().enumerate() {
                keep_value(items(schema), item, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// What is wrong with the type of a field of metadata, in Go's words.
pub(super) fn metadata_misfit(metadata: &Value) -> Option<String> {
    go_json::misfit(&metadata.to_string(), ObjectMeta::default().desc())
}

/// Brings the metadata of embedded resources into the form of its type.
///
/// # Errors
/// The first kind, version or metadata that has not the type of one.
pub(super) fn coerce(
    schema: &Value,
    value: &mut Value,
    path: &FieldPath,
) -> Result<(), FieldError> {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                let here = path.child(key);
                match key.as_str() {
                    "apiVersion" | "kind" if flag(schema, EMBEDDED) && !value.is_string() => {
                        return Err(FieldError::invalid(here, &*value, "must be a string"));
                    }
                    "metadata" if flag(schema, EMBEDDED) && !value.is_null() => {
                        let meta = serde_json::from_value::<ObjectMeta>(value.clone());
                        let meta = meta.and_then(serde_json::to_value).map_err(|error| {
                            let detail =
                                metadata_misfit(value).unwrap_or_else(|| error.to_string());
                            FieldError::invalid(&here, &*value, detail)
                        })?;
                        *value = meta;
                    }
                    _ => {}
                }
                if let Some(Some(of)) = field(schema, key) {
                    let known = schema.get("properties").is_some_and(|all| all.get(key).is_some());
                    let here = if known { here } else { path.key(key) };
                    coerce(of, value, &here)?;
                }
            }
        }
        Value::Array(list) => {
            let Some(of) = items(schema) else { return Ok(()) };
            for (index, item) in list.iter_mut().enumerate() {
                coerce(of, item, &path.index(index))?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn embedded_in(
    schema: &Value,
    object: &mut Map<String, Value>,
    path: &str,
    check: &mut dyn FnMut(&str, &mut Value) -> Result<(), String>,
) -> Result<(), String> {
    if flag(schema, EMBEDDED)
        && let Some(meta) = object.get_mut("metadata").filter(|meta| !meta.is_null())
    {
        check(&join(path, "metadata"), meta)?;
    }
    for (key, value) in object.iter_mut() {
        let Some(Some(of)) = field(schema, key) else { continue };
        embedded_value(of, value, &join(path, key), check)?;
    }
    Ok(())
}

fn embedded_value(
    schema: &Value,
    value: &mut Value,
    path: &str,
    check: &mut dyn FnMut(&str, &mut Value) -> Result<(), String>,
) -> Result<(), String> {
    match value {
        Value::Object(object) => embedded_in(schema, object, path, check),
        Value::Array(list) => {
            let Some(of) = items(schema) else { return Ok(()) };
            for (index, item) in list.iter_mut().enumerate() {
                embedded_value(of, item, &format!("{path}[{index}]"), check)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn default_of(schema: &Value) -> Option<&Value> {
    schema.get("default").filter(|default| !default.is_null())
}

/// Whether this is a null where none is allowed.
fn is_absent(schema: Option<&Value>, value: &Value) -> bool {
    value.is_null() && schema.is_some_and(|schema| !flag(schema, "nullable"))
}

fn without_nulls_in(schema: Option<&Value>, object: &mut Map<String, Value>) {
    object.retain(|key, value| {
        let of = schema.and_then(|schema| field(schema, key)).flatten();
        let dropped = is_absent(of, value) && of.and_then(default_of).is_none();
        if !dropped {
            without_nulls(of, value);
        }
        !dropped
    });
}

fn without_nulls(schema: Option<&Value>, value: &mut Value) {
    match value {
        Value::Object(object) => without_nulls_in(schema, object),
        Value::Array(list) => {
            let of = schema.and_then(items);
            list.iter_mut().for_each(|item| without_nulls(of, item));
        }
        _ => {}
    }
}

fn default_object(schema: &Value, object: &mut Map<String, Value>) {
    if let Some(Value::Object(properties)) = schema.get("properties") {
        for (key, of) in properties {
            if let Some(default) = default_of(of)
                && object.get(key).is_none_or(|value| is_absent(Some(of), value))
            {
                object.insert(key.clone(), default.clone());
            }
        }
    }
    for (key, value) in object.iter_mut() {
        let Some(of) = field(schema, key).flatten() else { continue };
        if is_absent(Some(of), value)
            && let Some(default) = default_of(of)
        {
            *value = default.clone();
        }
        default_value(of, value);
    }
}

fn default_value(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(object) => default_object(schema, object),
        Value::Array(list) => {
            let Some(of) = items(schema) else { return };
            for item in list {
                if is_absent(Some(of), item)
                    && let Some(default) = default_of(of)
                {
                    *item = default.clone();
                }
                default_value(of, item);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Schema {
        Schema::new(json!({
            "type": "object",
            "required": ["spec"],
            "properties": {
                "spec": {
                    "type": "object",
                    "properties": {
                        "replicas": {"type": "integer", "default": 1, "minimum": 0},
                        "mode": {"type": "string", "enum": ["a", "b"]},
                        "port": {"x-kubernetes-int-or-string": true},
                        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                        "list": {"type": "array", "items": {
                            "type": "object", "properties": {"x": {"type": "string", "default": "d"}}}},
                        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
                    },
                },
            },
        }))
    }

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }

    #[test]
    fn prunes_and_defaults_at_every_level() {
        let mut foo = object(json!({
            "kind": "Foo", "metadata": {"name": "n"}, "zzz": 1,
            "spec": {"free": {"q": {"r": 1}}, "list": [{"y": 1}], "map": {"k": 1}, "b": 2},
        }));
        let unknown = schema().prune(&mut foo);
        assert_eq!(unknown, ["zzz", "spec.list[0].y", "spec.b"]);
        schema().default(&mut foo);
        assert_eq!(
            Value::Object(foo),
            json!({
                "kind": "Foo", "metadata": {"name": "n"},
                "spec": {
                    "free": {"q": {"r": 1}}, "list": [{"x": "d"}], "map": {"k": 1}, "replicas": 1,
                },
            })
        );
    }

    #[track_caller]
    fn check(spec: Value, expect: &str) {
        let errors = schema().validate(&object(json!({"spec": spec})), None);
        let error = crate::status::ApiError::invalid("g", "Foo", "n", &errors);
        let message = error.message();
        assert_eq!(message.strip_prefix("Foo.g \"n\" is invalid: "), Some(expect));
    }

    #[test]
    fn complains_as_kubernetes_does() {
        check(
            json!({"replicas": "s"}),
            "spec.replicas: Invalid value: \"string\": spec.replicas in body must be of type \
             integer: \"string\"",
        );
        check(
            json!({"replicas": -1}),
            "spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or \
             equal to 0",
        );
        check(
            json!({"mode": "c"}),
            "spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\"",
        );
        check(
            json!({"port": true}),
            "spec.port: Invalid value: \"boolean\": spec.port in body must be of type \
             integer,string: \"boolean\"",
        );
        let missing = schema().validate(&Map::new(), None);
        assert_eq!(missing.len(), 1);
    }
}
