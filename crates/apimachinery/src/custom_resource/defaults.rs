//! Defaults must fit their own schema, or a server refuses the definition.
use super::structural::{INT_OR_STRING, Node, PRESERVE, refuse, type_of};
use crate::Error;
use serde_json::Value;

/// Looks at the default of `node`: a scalar that does not fit is the user's to mend; an object or
/// list that does not fit (embedded built-in types have required fields) is left out.
pub(super) fn check(node: &mut Node, path: &str) -> Result<(), Error> {
    let Some(mut default) = node.remove("default") else { return Ok(()) };
    prune(&mut default, node);
    match fits(&default, node) {
        Ok(()) => {
            node.insert("default".into(), default);
            Ok(())
        }
        Err(_) if default.is_object() || default.is_array() => Ok(()),
        Err(why) => Err(refuse(
            path,
            &format!("its default {default} {why}"),
            "give a default that is allowed, #[serde(default = \"...\")], or take #[serde(default)] off",
        )),
    }
}

/// Takes out what a server would: nulls where null is not allowed, and unknown members.
fn prune(value: &mut Value, node: &Node) {
    match value {
        Value::Object(o) if !node.contains_key(PRESERVE) => {
            let properties = node.get("properties").and_then(Value::as_object);
            let other = node.get("additionalProperties").and_then(Value::as_object);
            o.retain(|name, v| {
                let Some(schema) =
                    properties.and_then(|p| p.get(name)).and_then(Value::as_object).or(other)
                else {
                    return false;
                };
                prune(v, schema);
                !v.is_null() || schema.get("nullable") == Some(&Value::Bool(true))
            });
        }
        Value::Array(a) => {
            if let Some(items) = node.get("items").and_then(Value::as_object) {
                a.iter_mut().for_each(|v| prune(v, items));
            }
        }
        _ => {}
    }
}

/// Whether a value is allowed; else what is wrong with it.
fn fits(value: &Value, node: &Node) -> Result<(), String> {
    if value.is_null() {
        return match node.get("nullable") {
            Some(Value::Bool(true)) => Ok(()),
            _ => Err("is not allowed to be null".into()),
        };
    }
    if let Some(t) = node.get("type").and_then(Value::as_str) {
        let is = type_of(value);
        // Whole numbers come as 1.0 from floats and count as integers.
        let whole = value.as_f64().is_some_and(|f| f.fract() == 0.0);
        if is != t && !(t == "number" && is == "integer") && !(t == "integer" && whole) {
            return Err(format!("is of type {is}, not {t}"));
        }
    } else if node.contains_key(INT_OR_STRING) && !(value.is_i64() || value.is_string()) {
        return Err("is neither integer nor string".into());
    }
    if let Some(allowed) = node.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        return Err(format!("is none of {}", Value::from(allowed.clone())));
    }
    let number = |key: &str| node.get(key).and_then(Value::as_f64);
    let exclusive = |key: &str| node.get(key) == Some(&Value::Bool(true));
    if let Some(v) = value.as_f64() {
        if let Some(min) = number("minimum")
            && (v < min || (v == min && exclusive("exclusiveMinimum")))
        {
            return Err(format!("is below the minimum {min}"));
        }
        if let Some(max) = number("maximum")
            && (v > max || (v == max && exclusive("exclusiveMaximum")))
        {
            return Err(format!("is above the maximum {max}"));
        }
    }
    let size = match value {
        Value::String(s) => Some((s.chars().count(), "minLength", "maxLength")),
        Value::Array(a) => Some((a.len(), "minItems", "maxItems")),
        Value::Object(o) => Some((o.len(), "minProperties", "maxProperties")),
        _ => None,
    };
    if let Some((n, min, max)) = size {
        let limit = |key| node.get(key).and_then(Value::as_u64);
        if limit(min).is_some_and(|m| (n as u64) < m) {
            return Err(format!("is smaller than {min} allows"));
        }
        if limit(max).is_some_and(|m| n as u64 > m) {
            return Err(format!("is larger than {max} allows"));
        }
    }
    match value {
        Value::Object(o) => {
            for name in node.get("required").and_then(Value::as_array).into_iter().flatten() {
                if name.as_str().is_some_and(|n| !o.contains_key(n)) {
                    return Err(format!("lacks the required field {name}"));
                }
            }
            let properties = node.get("properties").and_then(Value::as_object);
            let other = node.get("additionalProperties").and_then(Value::as_object);
            for (name, v) in o {
                let schema = properties.and_then(|p| p.get(name)).and_then(Value::as_object);
                if let Some(schema) = schema.or(other) {
                    fits(v, schema)?;
                }
            }
        }
        Value::Array(a) => {
            if let Some(items) = node.get("items").and_then(Value::as_object) {
                a.iter().try_for_each(|v| fits(v, items))?;
            }
        }
        _ => {}
    }
    Ok(())
}
