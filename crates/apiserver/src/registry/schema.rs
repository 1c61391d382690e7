//! Structural schemas of custom resources: pruning, defaulting and validation.
//!
//! Go counterpart: `k8s.io/apiextensions-apiserver/pkg/apiserver/schema`. This covers types,
//! required fields, enums, bounds, patterns, formats, `allOf`/`anyOf`/`oneOf`/`not`, nested lists
//! and maps, `nullable`, `x-kubernetes-int-or-string`, `x-kubernetes-preserve-unknown-fields`,
//! embedded resources, lists that are sets or maps. Not looked at: CEL rules.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use pintle_apimachinery::validation::FieldError;
use serde_json::{Map, Value};

use super::schema_formats::{fits_format, matches_pattern};
use crate::status::quote;

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

    /// Checks an object; `skip` names a top-level field that is not looked at.
    pub(crate) fn validate(&self, object: &Map<String, Value>, skip: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        validate_object(&self.0, object, "", skip, &mut errors);
        errors
    }
}

impl Schema {
    /// Checks the default value of this schema, which stands at `path` of a definition.
    pub(crate) fn validate_default(&self, value: &Value, path: &str, out: &mut Vec<FieldError>) {
        let mut errors = Vec::new();
        validate_value(&self.0, value, "", &mut errors);
        out.extend(errors.into_iter().map(|mut error| {
            // What is about the whole value has no name of its own.
            let inner = match error.field.trim_start_matches('.') {
                "" | "[]" => String::new(),
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

fn validate_object(
    schema: &Value,
    object: &Map<String, Value>,
    path: &str,
    skip: &str,
    errors: &mut Vec<FieldError>,
) {
    if flag(schema, "x-kubernetes-embedded-resource") {
        for name in ["apiVersion", "kind"] {
            if object.get(name).and_then(Value::as_str).unwrap_or_default().is_empty() {
                errors.push(FieldError::required(join(path, name), ""));
            }
        }
    }
    if let Some(Value::Array(required)) = schema.get("required") {
        for name in required.iter().filter_map(Value::as_str) {
            if !object.contains_key(name) && name != skip {
                errors.push(FieldError::required(join(path, name), ""));
            }
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let additional = schema.get("additionalProperties").filter(|schema| schema.is_object());
    for (key, value) in object {
        let top = path.is_empty() && matches!(key.as_str(), "apiVersion" | "kind" | "metadata");
        if top || key == skip {
            continue;
        }
        if let Some(schema) = properties.and_then(|all| all.get(key)).or(additional) {
            validate_value(schema, value, &join(path, key), errors);
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn validate_value(schema: &Value, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let actual = kind_of(value);
    if value.is_null() && flag(schema, "nullable") {
        return;
    }
    let expected = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    let fits = match expected {
        "" => true,
        "number" => matches!(actual, "number" | "integer"),
        // A whole number may be written with a fraction of zero.
        "integer" => {
            actual == "integer" || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        expected => expected == actual,
    };
    let int_or_string = flag(schema, "x-kubernetes-int-or-string");
    if !fits || (int_or_string && !matches!(actual, "integer" | "string")) {
        let expected = if int_or_string { "integer,string" } else { expected };
        let detail = format!("{path} in body must be of type {expected}: {}", quote(actual));
        errors.push(FieldError::type_invalid(path, actual, detail));
        if !value.is_number() || !matches!(expected, "integer" | "number") {
            return;
        }
        errors.push(nameless(format!(
            "Checked value must be of type integer (default format) in {path}"
        )));
    }
    combinations(schema, value, path, errors);
    if let Some(Value::Array(allowed)) = schema.get("enum")
        && !allowed.contains(value)
    {
        let allowed: Vec<String> = allowed
            .iter()
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect();
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        errors.push(FieldError::not_supported(path, value, &allowed));
    }
    match value {
        Value::Object(object) => {
            let skip = "";
            validate_object(schema, object, path, skip, errors);
            bound(schema, "minProperties", path, value, object.len(), "properties", errors);
            bound(schema, "maxProperties", path, value, object.len(), "properties", errors);
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    validate_value(schema, item, &format!("{path}[{index}]"), errors);
                }
            }
            duplicates(schema, items, path, errors);
            bound(schema, "minItems", path, value, items.len(), "items", errors);
            bound(schema, "maxItems", path, value, items.len(), "items", errors);
        }
        Value::String(text) => {
            let (length, before) = (text.chars().count(), errors.len());
            bound(schema, "minLength", path, value, length, "chars long", errors);
            bound(schema, "maxLength", path, value, length, "chars long", errors);
            // Go stops at the first of these.
            if before == errors.len()
                && let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
                && !matches_pattern(pattern, text)
            {
                let detail = format!("{path} in body should match '{pattern}'");
                errors.push(FieldError::invalid(path, value, &detail));
            }
            if let Some(format) = schema.get("format").and_then(Value::as_str)
                && !fits_format(format, text)
            {
                let shown = quote(text);
                let detail = format!("{path} in body must be of type {format}: {shown}");
                errors.push(FieldError::type_invalid(path, text.as_str(), detail));
            }
        }
        Value::Number(number) => {
            if schema.get("format").is_some_and(|format| format == "int32")
                && number.as_i64().is_some_and(|number| i32::try_from(number).is_err())
            {
                errors.push(nameless(format!(
                    "Checked value must be of type integer with format int32 in {path}"
                )));
            }
            let number = number.as_f64().unwrap_or_default();
            let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
            if let Some(factor) = limit("multipleOf").filter(|factor| *factor != 0.0)
                && (number / factor).fract() != 0.0
            {
                let detail = format!("{path} in body should be a multiple of {factor}");
                errors.push(FieldError::invalid(path, value, &detail));
            }
            if let Some(minimum) = limit("minimum") {
                let exclusive = flag(schema, "exclusiveMinimum");
                if number < minimum || (exclusive && number == minimum) {
                    let word = if exclusive { "greater than" } else { "greater than or equal to" };
                    let detail = format!("{path} in body should be {word} {minimum}");
                    errors.push(FieldError::invalid(path, value, &detail));
                }
            }
            if let Some(maximum) = limit("maximum") {
                let exclusive = flag(schema, "exclusiveMaximum");
                if number > maximum || (exclusive && number == maximum) {
                    let word = if exclusive { "less than" } else { "less than or equal to" };
                    let detail = format!("{path} in body should be {word} {maximum}");
                    errors.push(FieldError::invalid(path, value, &detail));
                }
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// An error that Go gives no field.
fn nameless(detail: String) -> FieldError {
    FieldError::invalid("<nil>", "", detail)
}

/// `allOf`, `anyOf`, `oneOf` and `not`. Of alternatives that all fail the first tells why.
fn combinations(schema: &Value, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let results = |name: &str| -> Option<Vec<Vec<FieldError>>> {
        let schemas = schema.get(name)?.as_array()?;
        let check = |schema: &Value| {
            let mut errors = Vec::new();
            validate_value(schema, value, path, &mut errors);
            errors
        };
        Some(schemas.iter().map(check).collect())
    };
    let shown = quote(path);
    if let Some(all) = results("anyOf")
        && !all.iter().any(Vec::is_empty)
    {
        errors.push(nameless(format!("{shown} must validate at least one schema (anyOf)")));
        errors.extend(all.into_iter().next().unwrap_or_default());
    }
    if let Some(all) = results("oneOf") {
        let valid = all.iter().filter(|errors| errors.is_empty()).count();
        if valid != 1 {
            let found = match valid {
                0 => "Found none valid".to_owned(),
                valid => format!("Found {valid} valid alternatives"),
            };
            errors.push(nameless(format!(
                "{shown} must validate one and only one schema (oneOf). {found}"
            )));
        }
        if valid == 0 {
            errors.extend(all.into_iter().next().unwrap_or_default());
        }
    }
    if let Some(all) = results("allOf") {
        let count = all.len();
        let broken: Vec<Vec<FieldError>> = all.into_iter().filter(|e| !e.is_empty()).collect();
        if !broken.is_empty() {
            let none = if broken.len() == count { ". None validated" } else { "" };
            errors.extend(broken.into_iter().flatten());
            errors.push(nameless(format!("{shown} must validate all the schemas (allOf){none}")));
        }
    }
    if let Some(not) = schema.get("not") {
        let mut wrong = Vec::new();
        validate_value(not, value, path, &mut wrong);
        if wrong.is_empty() {
            errors.push(nameless(format!("{shown} must not validate the schema (not)")));
        }
    }
}

fn bound(
    schema: &Value,
    rule: &str,
    path: &str,
    value: &Value,
    length: usize,
    unit: &str,
    errors: &mut Vec<FieldError>,
) {
    let Some(limit) = schema.get(rule).and_then(Value::as_u64) else { return };
    let (broken, word) = if rule.starts_with("min") {
        ((length as u64) < limit, "at least")
    } else {
        (length as u64 > limit, "at most")
    };
    let limit_of = usize::try_from(limit).unwrap_or(usize::MAX);
    if broken && rule == "maxLength" {
        errors.push(FieldError::too_long(path, limit_of));
    } else if broken && matches!(rule, "maxItems" | "maxProperties") {
        errors.push(FieldError::too_many(path, length, limit_of));
    } else if broken {
        let detail = format!("{path} in body should have {word} {limit} {unit}");
        let detail = match unit {
            "chars long" => format!("{path} in body should be {word} {limit} {unit}"),
            _ => detail,
        };
        let shown = match value {
            Value::String(_) => value.clone(),
            // Of what can be counted the number is told.
            _ => length.into(),
        };
        errors.push(FieldError::invalid(path, &shown, &detail));
    }
}

/// Elements that a set or a map has twice.
fn duplicates(schema: &Value, items: &[Value], path: &str, errors: &mut Vec<FieldError>) {
    let kind = schema.get("x-kubernetes-list-type").and_then(Value::as_str).unwrap_or_default();
    let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
    let identity = |item: &Value| -> Option<Value> {
        match kind {
            "set" => Some(item.clone()),
            "map" => {
                let item = item.as_object()?;
                let keys = keys.into_iter().flatten().filter_map(Value::as_str);
                let own = keys.filter_map(|key| Some((key.to_owned(), item.get(key)?.clone())));
                Some(Value::Object(own.collect()))
            }
            _ => None,
        }
    };
    let mut seen: Vec<(Value, bool)> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(identity) = identity(item) else { continue };
        match seen.iter_mut().find(|(other, _)| *other == identity) {
            // Each is told once.
            Some((_, told)) if *told => {}
            Some((_, told)) => {
                *told = true;
                errors.push(FieldError::duplicate(format!("{path}[{index}]"), &identity));
            }
            None => seen.push((identity, false)),
        }
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
        let errors = schema().validate(&object(json!({"spec": spec})), "");
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
        let missing = schema().validate(&Map::new(), "");
        assert_eq!(missing.len(), 1);
    }
}
