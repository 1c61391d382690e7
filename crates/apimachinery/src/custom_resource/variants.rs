//! Alternatives (`oneOf`, `anyOf`), which is how schemars writes Rust's enums: their structure is
//! merged into the one node that a structural schema may have, and what tells them apart stays
//! behind as validation.
use super::structural::{INT_OR_STRING, Node, PRESERVE, refuse, structural};
use crate::Error;
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Choice {
    Any,
    One,
}

/// Keywords that only say which values are allowed.
const RULES: &[&str] = &[
    "enum",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
];
const NESTED: &[&str] = &["oneOf", "anyOf", "allOf", "not"];

/// Merges the alternatives into `out`. Whether null is one of them.
pub(super) fn apply(
    out: &mut Node,
    choice: Choice,
    alternatives: &[Value],
    path: &str,
) -> Result<bool, Error> {
    let (mut nullable, mut anything) = (false, false);
    let mut nodes = Vec::new();
    for schema in alternatives {
        if is_null(schema) {
            nullable = true;
        } else if *schema == json!({}) || *schema == true {
            anything = true; // an optional flattened enum
        } else {
            nodes.push(variant(schema, path)?);
        }
    }
    if let ([one], false) = (&nodes[..], anything) {
        overlay(out, one, path)?;
        return Ok(nullable);
    }
    let Some(mut merged) = merge(&nodes.iter().collect::<Vec<_>>(), path)? else {
        return Ok(nullable);
    };
    list_values(&mut merged, &nodes);
    let mut rest = Vec::new();
    if !anything {
        let mut base = merged.clone();
        base.extend(
            out.iter()
                .filter(|(k, _)| RULES.contains(&k.as_str()))
                .map(|(k, v)| (k.clone(), v.clone())),
        );
        rest.extend(nodes.iter().map(|n| rules(n, &base)));
    } else {
        for key in NESTED.iter().chain(&["required"]) {
            merged.remove(*key);
        }
    }
    overlay(out, &merged, path)?;
    // An alternative without rules of its own allows everything that the node allows.
    if rest.is_empty() || rest.iter().any(Node::is_empty) || only_values(out, &rest) {
        return Ok(nullable);
    }
    let key = if choice == Choice::One { "oneOf" } else { "anyOf" };
    let rest: Vec<Value> = rest.into_iter().map(Value::Object).collect();
    if out.contains_key(key) {
        let all = out.entry("allOf").or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.push(json!({ key: rest }));
        }
    } else {
        out.insert(key.into(), rest.into());
    }
    Ok(nullable)
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null"
        || schema.get("const").is_some_and(Value::is_null)
        || schema["enum"].as_array().is_some_and(|a| a.iter().all(Value::is_null) && !a.is_empty())
}

/// An alternative; the description of an externally tagged variant goes to its field.
fn variant(schema: &Value, path: &str) -> Result<Node, Error> {
    let mut node = structural(schema, path)?;
    let of_one_field = node
        .get("properties")
        .and_then(Value::as_object)
        .is_some_and(|p| p.len() == 1 && p.values().all(|v| v.get("enum").is_none()));
    if of_one_field && let Some(text) = node.remove("description") {
        let field = node.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(Value::Object(field)) = field.and_then(|p| p.values_mut().next()) {
            field.entry("description").or_insert(text);
        }
    }
    Ok(node)
}

/// For an enum of plain names, their descriptions as a list.
fn list_values(merged: &mut Node, nodes: &[Node]) {
    if merged.get("enum").is_none() {
        return;
    }
    let lines: Vec<String> = nodes
        .iter()
        .filter_map(|n| {
            let text = n.get("description")?.as_str()?;
            let names = n.get("enum")?.as_array()?.iter().filter_map(Value::as_str);
            Some(format!("- {}: {text}", names.collect::<Vec<_>>().join(", ")))
        })
        .collect();
    if !lines.is_empty() {
        merged.insert("description".into(), lines.join("\n").into());
    }
}

/// Whether all that tells the alternatives apart is the values they list, which the node lists too.
fn only_values(out: &Node, rest: &[Node]) -> bool {
    out.contains_key("enum") && rest.iter().all(|r| r.keys().all(|k| k == "enum"))
}

/// Adds to `out` what `more` says and `out` does not.
pub(super) fn overlay(out: &mut Node, more: &Node, path: &str) -> Result<(), Error> {
    if let (Some(a), Some(b)) = (out.get("type"), more.get("type"))
        && a != b
    {
        return Err(two_types(path, a, b));
    }
    for (key, value) in more {
        match (key.as_str(), out.get_mut(key)) {
            (_, None) => {
                out.insert(key.clone(), value.clone());
            }
            ("properties", Some(Value::Object(present))) => {
                for (name, new) in value.as_object().into_iter().flatten() {
                    let path = format!("{path}.{name}");
                    match (present.get(name).and_then(Value::as_object), new.as_object()) {
                        (Some(old), Some(new)) => {
                            if let Some(both) = merge(&[old, new], &path)? {
                                present.insert(name.clone(), both.into());
                            }
                        }
                        _ => {
                            present.insert(name.clone(), new.clone());
                        }
                    }
                }
            }
            ("required", Some(Value::Array(present))) => {
                for name in value.as_array().into_iter().flatten() {
                    if !present.contains(name) {
                        present.push(name.clone());
                    }
                }
            }
            ("description", Some(Value::String(present))) => {
                if let Some(list) = value.as_str().filter(|s| s.starts_with("- ")) {
                    *present = format!("{present}\n\n{list}");
                }
            }
            ("oneOf" | "anyOf", Some(_)) => {
                let all = out.entry("allOf").or_insert_with(|| json!([]));
                if let Value::Array(all) = all {
                    all.push(json!({ key: value }));
                }
            }
            ("allOf", Some(Value::Array(present))) => {
                present.extend(value.as_array().into_iter().flatten().cloned());
            }
            _ => {}
        }
    }
    Ok(())
}

fn two_types(path: &str, a: &Value, b: &Value) -> Error {
    let name = |v: &Value| v.as_str().unwrap_or("of no type").to_owned();
    let (a, b) = (name(a), name(b));
    let what =
        format!("it is {a} in one variant and {b} in another, and a CRD has one type per field");
    let todo = if [&*a, &*b].contains(&"string") && [&*a, &*b].contains(&"object") {
        "write unit variants as `Variant {}`, which is an object too, or write \
         #[schemars(schema_with = \"preserve_unknown_fields\")] on the field to leave it unchecked"
    } else {
        "give the variants' fields different names, or write \
         #[schemars(schema_with = \"preserve_unknown_fields\")] on the field to leave it unchecked"
    };
    refuse(path, &what, todo)
}

/// One node with the structure of all; what only some say about values is left out.
fn merge(nodes: &[&Node], path: &str) -> Result<Option<Node>, Error> {
    let Some((first, others)) = nodes.split_first() else { return Ok(None) };
    if others.iter().all(|n| n == first) {
        return Ok(Some((*first).clone()));
    }
    let mut out = Node::new();
    let untyped = |n: &&&Node| n.get("type").is_none() && n.get(INT_OR_STRING).is_none();
    if nodes.iter().any(|n| untyped(&n)) {
        out.insert(PRESERVE.into(), true.into());
        return Ok(Some(out));
    }
    types(&mut out, nodes, path)?;
    if nodes.iter().any(|n| n.get("nullable").is_some()) {
        out.insert("nullable".into(), true.into());
    }
    for key in RULES.iter().chain(NESTED).chain(&["title", "description", "default"]) {
        if let Some(v) = first.get(*key)
            && others.iter().all(|n| n.get(*key) == Some(v))
        {
            out.insert((*key).into(), v.clone());
        }
    }
    if let Some(values) = union(nodes, "enum") {
        out.insert("enum".into(), values.into());
    }
    extensions(&mut out, nodes, path)?;
    members(&mut out, nodes, path)?;
    let items: Vec<&Node> = nodes.iter().filter_map(|n| n.get("items")?.as_object()).collect();
    if let Some(items) = merge(&items, &format!("{path}[]"))? {
        out.insert("items".into(), items.into());
    }
    Ok(Some(out))
}

fn types(out: &mut Node, nodes: &[&Node], path: &str) -> Result<(), Error> {
    let mut kinds: Vec<&str> = Vec::new();
    for n in nodes {
        let kind = n.get("type").and_then(Value::as_str).unwrap_or(INT_OR_STRING);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.sort_unstable();
    match kinds[..] {
        [INT_OR_STRING]
        | ["integer", "string"]
        | [_, INT_OR_STRING]
        | ["integer", "string", INT_OR_STRING]
            if kinds.iter().all(|k| ["integer", "string", INT_OR_STRING].contains(k)) =>
        {
            out.insert(INT_OR_STRING.into(), true.into());
        }
        [one] => {
            out.insert("type".into(), one.into());
        }
        ["integer", "number"] => {
            out.insert("type".into(), "number".into());
        }
        _ => return Err(two_types(path, &kinds[0].into(), &kinds[1].into())),
    }
    Ok(())
}

/// The values of lists under `key`, when every node has one.
fn union(nodes: &[&Node], key: &str) -> Option<Vec<Value>> {
    let mut all: Vec<Value> = Vec::new();
    for n in nodes {
        for v in n.get(key)?.as_array()? {
            if !all.contains(v) {
                all.push(v.clone());
            }
        }
    }
    Some(all)
}

fn extensions(out: &mut Node, nodes: &[&Node], path: &str) -> Result<(), Error> {
    for n in nodes {
        for (key, value) in n.iter().filter(|(k, _)| k.starts_with("x-kubernetes-")) {
            if key == INT_OR_STRING {
                continue;
            }
            let everywhere = nodes.iter().all(|n| n.get(key) == Some(value));
            if !everywhere && key == "x-kubernetes-validations" {
                return Err(refuse(
                    path,
                    "a variant has CEL rules, which a CRD cannot limit to it",
                    "put the rule on the enum and guard it with the variant's field",
                ));
            }
            out.entry(key).or_insert_with(|| value.clone());
        }
    }
    Ok(())
}

fn members(out: &mut Node, nodes: &[&Node], path: &str) -> Result<(), Error> {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in nodes.iter().filter_map(|n| n.get("properties")?.as_object()).flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut properties = Node::new();
    for name in names {
        let all: Vec<&Node> =
            nodes.iter().filter_map(|n| n.get("properties")?.get(name)?.as_object()).collect();
        if let Some(node) = merge(&all, &format!("{path}.{name}"))? {
            properties.insert(name.clone(), node.into());
        }
    }
    let others: Vec<&Node> =
        nodes.iter().filter_map(|n| n.get("additionalProperties")?.as_object()).collect();
    match merge(&others, &format!("{path}.*"))? {
        Some(_) if !properties.is_empty() => {
            out.insert(PRESERVE.into(), true.into());
        }
        Some(node) => {
            out.insert("additionalProperties".into(), node.into());
        }
        None => {}
    }
    if !properties.is_empty() {
        out.insert("properties".into(), properties.into());
    }
    let required: Vec<Value> = nodes[0]
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|name| nodes.iter().all(|n| lists(n, "required", name)))
        .cloned()
        .collect();
    if !required.is_empty() {
        out.insert("required".into(), required.into());
    }
    Ok(())
}

fn lists(n: &Node, key: &str, value: &Value) -> bool {
    n.get(key).and_then(Value::as_array).is_some_and(|a| a.contains(value))
}

/// What `node` asks for beyond `base`, as a nested value validation: no types, no annotations.
pub(super) fn rules(node: &Node, base: &Node) -> Node {
    let mut out = Node::new();
    for key in RULES.iter().chain(NESTED) {
        if let Some(v) = node.get(*key)
            && base.get(*key) != Some(v)
        {
            out.insert((*key).into(), v.clone());
        }
    }
    let required: Vec<Value> = node
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|name| !lists(base, "required", name))
        .cloned()
        .collect();
    if !required.is_empty() {
        out.insert("required".into(), required.into());
    }
    let empty = Node::new();
    let mut properties = Node::new();
    for (name, schema) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let Some(schema) = schema.as_object() else { continue };
        let above = base.get("properties").and_then(|p| p.get(name)).and_then(Value::as_object);
        let inner = rules(schema, above.unwrap_or(&empty));
        if !inner.is_empty() {
            properties.insert(name.clone(), inner.into());
        }
    }
    if !properties.is_empty() {
        out.insert("properties".into(), properties.into());
    }
    if let Some(items) = node.get("items").and_then(Value::as_object) {
        let above = base.get("items").and_then(Value::as_object).unwrap_or(&empty);
        let inner = rules(items, above);
        if !inner.is_empty() {
            out.insert("items".into(), inner.into());
        }
    }
    out
}
