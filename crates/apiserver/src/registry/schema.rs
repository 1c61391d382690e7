//! Structural schemas of custom resources: pruning, defaulting and validation.
//!
//! Go counterpart: `k8s.io/apiextensions-apiserver/pkg/apiserver/schema`. This covers types,
//! required fields, enums, bounds, patterns, formats, `allOf`/`anyOf`/`oneOf`/`not`, nested lists
//! and maps, `nullable`, `x-kubernetes-int-or-string`, `x-kubernetes-preserve-unknown-fields`,
//! embedded resources, lists that are sets or maps. How objects are checked stands in
//! `schema_check.rs`. Not looked at: CEL rules.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use pintle_apimachinery::validation::FieldError;
use serde_json::{Map, Value};

use super::schema_check;

/// A schema as the CRD has it.
#[derive(Clone, Debug)]
pub(crate) struct Schema(Value, u64);

impl Schema {
    pub(crate) fn new(schema: Value) -> Self {
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
        prune_object(&self.0, object, "", true, &mut unknown);
        unknown
    }

    /// Fills in default values, and removes nulls where none are allowed.
    pub(crate) fn default(&self, object: &mut Map<String, Value>) {
        default_object(&self.0, object);
    }

    /// Checks an object, of which nothing that is as in `old` is complained about; `skip` names a
    /// top-level field that is not looked at.
    pub(crate) fn validate(
        &self,
        object: &Map<String, Value>,
        old: Option<&Map<String, Value>>,
        skip: &str,
    ) -> Vec<FieldError> {
        schema_check::object(&self.0, object, old, skip)
    }
}

impl Schema {
    /// Checks the default value of this schema, which stands at `path` of a definition.
    pub(crate) fn validate_default(&self, value: &Value, path: &str, out: &mut Vec<FieldError>) {
        let errors = schema_check::value(&self.0, value);
        out.extend(errors.into_iter().map(|mut error| {
            // What is about the whole value has no name of its own.
            let inner = match error.field.trim_start_matches('.') {
                "" | "[]" | "<nil>" => String::new(),
                inner => format!(".{inner}"),
            };
            error.field = format!("{path}.default{inner}");
            error
        }));
    }
}

fn flag(schema: &Value, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn prune_object(
    schema: &Value,
    object: &mut Map<String, Value>,
    path: &str,
    resource: bool,
    unknown: &mut Vec<String>,
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let additional = schema.get("additionalProperties");
    let keep = flag(schema, "x-kubernetes-preserve-unknown-fields")
        || matches!(additional, Some(Value::Bool(true)));
    let mut remove = Vec::new();
    for (key, value) in object.iter_mut() {
        if resource && matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
            continue;
        }
        let field = join(path, key);
        let known = properties.and_then(|properties| properties.get(key));
        match known.or(additional.filter(|additional| additional.is_object())) {
            Some(schema) => prune_value(schema, value, &field, unknown),
            None if keep => {}
            None => {
                unknown.push(field);
                remove.push(key.clone());
            }
        }
    }
    object.retain(|key, _| !remove.contains(key));
}

fn prune_value(schema: &Value, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let embedded = flag(schema, "x-kubernetes-embedded-resource");
            prune_object(schema, object, path, embedded, unknown);
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter_mut().enumerate() {
                    prune_value(schema, item, &format!("{path}[{index}]"), unknown);
                }
            }
        }
        _ => {}
    }
}

fn embedded_in(
    schema: &Value,
    object: &mut Map<String, Value>,
    path: &str,
    check: &mut dyn FnMut(&str, &mut Value) -> Result<(), String>,
) -> Result<(), String> {
    if flag(schema, "x-kubernetes-embedded-resource")
        && let Some(meta) = object.get_mut("metadata").filter(|meta| !meta.is_null())
    {
        check(&join(path, "metadata"), meta)?;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let additional = schema.get("additionalProperties").filter(|schema| schema.is_object());
    for (key, value) in object.iter_mut() {
        let Some(schema) = properties.and_then(|all| all.get(key)).or(additional) else { continue };
        let path = join(path, key);
        match value {
            Value::Object(inner) => embedded_in(schema, inner, &path, check)?,
            Value::Array(items) => {
                let Some(schema) = schema.get("items") else { continue };
                for (index, item) in items.iter_mut().enumerate() {
                    if let Value::Object(inner) = item {
                        embedded_in(schema, inner, &format!("{path}[{index}]"), check)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether this is a null where none is allowed: it counts as absent.
fn is_absent(schema: &Value, value: &Value) -> bool {
    value.is_null() && !flag(schema, "nullable")
}

fn default_object(schema: &Value, object: &mut Map<String, Value>) {
    if let Some(Value::Object(properties)) = schema.get("properties") {
        for (key, schema) in properties {
            if object.get(key).is_some_and(|value| is_absent(schema, value)) {
                object.shift_remove(key);
            }
            if !object.contains_key(key)
                && let Some(default) = schema.get("default")
            {
                object.insert(key.clone(), default.clone());
            }
            if let Some(value) = object.get_mut(key) {
                default_value(schema, value);
            }
        }
    }
    if let Some(schema @ Value::Object(_)) = schema.get("additionalProperties") {
        if let Some(default) = schema.get("default") {
            for value in object.values_mut().filter(|value| is_absent(schema, value)) {
                *value = default.clone();
            }
        }
        object.retain(|_, value| !is_absent(schema, value));
        for value in object.values_mut() {
            default_value(schema, value);
        }
    }
}

fn default_value(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(object) => default_object(schema, object),
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for item in items {
                    if let Some(default) = schema.get("default")
                        && is_absent(schema, item)
                    {
                        *item = default.clone();
                    }
                    default_value(schema, item);
                }
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
        let errors = schema().validate(&object(json!({"spec": spec})), None, "");
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
        let missing = schema().validate(&Map::new(), None, "");
        assert_eq!(missing.len(), 1);
    }
}
