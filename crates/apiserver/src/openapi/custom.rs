//! Schemas of custom resources, from their definitions.
//!
//! Go counterpart: `k8s.io/apiextensions-apiserver/pkg/controller/openapi`. What the author of a
//! definition wrote stays, descriptions too; what OpenAPI v2 cannot say, or what kubectl would take
//! wrongly, is left out there.

use serde_json::{Map, Value, json};

use super::definitions::{META, Spec};
use crate::registry::Resource;

/// The parts of a schema that are published.
const KNOWN: &[&str] = &[
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "description",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "title",
    "type",
    "uniqueItems",
];

/// `com.example.v1.Widget`.
pub(super) fn definition_name(group: &str, version: &str, kind: &str) -> String {
    let group: Vec<&str> = group.rsplit('.').collect();
    format!("{}.{version}.{kind}", group.join("."))
}

/// The definitions of a custom resource and its list.
pub(super) fn add(resource: &Resource, spec: Spec, out: &mut Map<String, Value>) {
    let Resource { group, version, kind, list_kind, .. } = resource;
    let (own, list) =
        (definition_name(group, version, kind), definition_name(group, version, list_kind));
    let mut schema = object(resource, spec);
    let mut list_schema = json!({
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "items": {"type": "array", "items": spec.reference(&own)},
            "kind": {"type": "string"},
            "metadata": spec.reference(&format!("{META}ListMeta")),
        },
    });
    let version_of_definition = version_of(resource);
    for (kind, schema) in [(kind, &mut schema), (list_kind, &mut list_schema)] {
        schema["x-kubernetes-group-version-kind"] =
            json!([{"group": group, "kind": kind, "version": version}]);
        let fields = version_of_definition.and_then(|v| v.get("selectableFields"));
        let fields: Vec<Value> = fields
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|field| field.get("jsonPath")?.as_str())
            .map(|path| json!({"fieldPath": path.strip_prefix('.').unwrap_or(path)}))
            .collect();
        if !fields.is_empty() {
            schema["x-kubernetes-selectable-fields"] = fields.into();
        }
    }
    out.insert(own, schema);
    out.insert(list, list_schema);
}

fn version_of(resource: &Resource) -> Option<&Value> {
    let custom = resource.custom.as_ref()?;
    let versions = custom.definition.pointer("/spec/versions")?.as_array()?;
    versions.iter().find(|v| v["name"] == resource.version.as_str())
}

fn object(resource: &Resource, spec: Spec) -> Value {
    let written = version_of(resource).and_then(|v| v.pointer("/schema/openAPIV3Schema"));
    let preserve = resource.custom.as_ref().is_some_and(|custom| custom.preserve_unknown);
    let schema = match written {
        Some(schema)
            if spec == Spec::V3
                || !(preserve || schema["x-kubernetes-preserve-unknown-fields"] == true) =>
        {
            schema
        }
        _ => return json!({"type": "object"}),
    };
    let mut schema = published(schema, spec);
    let properties = &mut schema["properties"];
    if !properties.is_object() {
        *properties = json!({});
    }
    properties["apiVersion"] = json!({"type": "string"});
    properties["kind"] = json!({"type": "string"});
    properties["metadata"] = spec.reference(&format!("{META}ObjectMeta"));
    schema
}

fn flag(schema: &Map<String, Value>, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

/// A schema as it is told.
fn published(schema: &Value, spec: Spec) -> Value {
    let Value::Object(schema) = schema else { return json!({}) };
    let known = |key: &str| KNOWN.contains(&key) || key.starts_with("x-kubernetes-");
    // A value of false or nothing is the same as none.
    let empty = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
    let mut out: Map<String, Value> = schema
        .iter()
        .filter(|(key, value)| known(key) && (!empty(value) || key.as_str() == "default"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if flag(&out, "x-kubernetes-int-or-string") && !out.contains_key("anyOf") {
        out.insert("anyOf".to_owned(), json!([{"type": "integer"}, {"type": "string"}]));
    }
    if spec == Spec::V2 {
        simplify(&mut out);
    }
    if let Some(Value::Object(properties)) = out.get_mut("properties") {
        for value in properties.values_mut() {
            *value = published(value, spec);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(value @ Value::Object(_)) = out.get_mut(key) {
            *value = published(value, spec);
        }
    }
    let open = flag(&out, "x-kubernetes-preserve-unknown-fields") && spec == Spec::V2;
    if flag(&out, "x-kubernetes-embedded-resource") && !open {
        let mut properties = match out.remove("properties") {
            Some(Value::Object(properties)) => properties,
            _ => Map::new(),
        };
        properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
        properties.insert("kind".to_owned(), json!({"type": "string"}));
        let metadata = spec.reference(&format!("{META}ObjectMeta"));
        properties.insert("metadata".to_owned(), metadata);
        out.insert("properties".to_owned(), properties.into());
        let mut required = match out.remove("required") {
            Some(Value::Array(required)) => required,
            _ => Vec::new(),
        };
        for name in ["kind", "apiVersion"] {
            if !required.iter().any(|other| other == name) {
                required.push(name.into());
            }
        }
        out.insert("required".to_owned(), required.into());
    }
    Value::Object(out)
}

/// Leaves out what OpenAPI v2 does not have, and what kubectl reads as more than is meant.
fn simplify(schema: &mut Map<String, Value>) {
    for key in ["allOf", "anyOf", "oneOf", "not", "default"] {
        schema.remove(key);
    }
    let nullable = schema.remove("nullable").is_some();
    let open = flag(schema, "x-kubernetes-preserve-unknown-fields");
    if nullable {
        schema.remove("type");
    }
    if nullable || open {
        schema.remove("items");
        schema.remove("properties");
    }
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    if (kind == "array" && !schema.contains_key("items")) || (kind == "object" && open) {
        schema.remove("type");
    }
    let is_nullable = |schema: &Value| schema["nullable"] == true;
    let loose: Vec<String> = match schema.get("properties") {
        Some(Value::Object(map)) => {
            map.iter().filter(|(_, v)| is_nullable(v)).map(|(key, _)| key.clone()).collect()
        }
        _ => Vec::new(),
    };
    if schema.get("additionalProperties").is_some_and(is_nullable) {
        schema.remove("required");
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| !loose.iter().any(|loose| name == loose));
        if required.is_empty() {
            schema.remove("required");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: Value, v2: Value, v3: Value) {
        assert_eq!(published(&written, Spec::V2), v2);
        assert_eq!(published(&written, Spec::V3), v3);
    }

    #[test]
    fn what_version_2_cannot_say_is_left_out() {
        check(
            json!({"type": "string", "nullable": true, "maxLength": 5}),
            json!({"maxLength": 5}),
            json!({"type": "string", "nullable": true, "maxLength": 5}),
        );
        check(
            json!({"x-kubernetes-int-or-string": true}),
            json!({"x-kubernetes-int-or-string": true}),
            json!({
                "x-kubernetes-int-or-string": true,
                "anyOf": [{"type": "integer"}, {"type": "string"}],
            }),
        );
        check(
            json!({"type": "object", "required": ["a", "b"], "properties": {
                "a": {"type": "string", "nullable": true}, "b": {"type": "integer", "default": 1}}}),
            json!({"type": "object", "required": ["b"], "properties": {
                "a": {}, "b": {"type": "integer"}}}),
            json!({"type": "object", "required": ["a", "b"], "properties": {
                "a": {"type": "string", "nullable": true}, "b": {"type": "integer", "default": 1}}}),
        );
        check(
            json!({"type": "array", "x-kubernetes-preserve-unknown-fields": true,
                "items": {"type": "string"}, "example": 1}),
            json!({"x-kubernetes-preserve-unknown-fields": true}),
            json!({"type": "array", "x-kubernetes-preserve-unknown-fields": true,
                "items": {"type": "string"}}),
        );
    }

    #[test]
    fn embedded_objects_have_a_kind() {
        let published =
            published(&json!({"type": "object", "x-kubernetes-embedded-resource": true}), Spec::V3);
        assert_eq!(published["required"], json!(["kind", "apiVersion"]));
        assert_eq!(published["properties"]["kind"], json!({"type": "string"}));
    }

    #[test]
    fn names() {
        assert_eq!(definition_name("stable.example.com", "v1", "A"), "com.example.stable.v1.A");
    }
}
