//! Compares the OpenAPI documents of two servers: everything but descriptions.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

/// What was found.
pub(crate) struct Found {
    pub(crate) documents: usize,
    pub(crate) differences: Vec<String>,
}

fn get(program: &Path, kubeconfig: &Path, path: &str) -> Result<Value, String> {
    let output = Command::new(program)
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(["get", "--raw", path])
        .output()
        .map_err(|e| format!("kubectl: {e}"))?;
    if !output.status.success() {
        return Err(format!("{path}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("{path}: {e}"))
}

/// Asks both for all documents.
pub(crate) fn compare(program: &Path, ours: &Path, real: &Path) -> Result<Found, String> {
    let mut found = Found { documents: 1, differences: Vec::new() };
    let both = |path: &str| Ok::<_, String>((get(program, ours, path)?, get(program, real, path)?));
    let (mut ours_v2, mut real_v2) = both("/openapi/v2")?;
    resolve(&mut ours_v2);
    resolve(&mut real_v2);
    differences(&plain(&ours_v2), &plain(&real_v2), "v2", &mut found.differences);
    let (ours_index, real_index) = both("/openapi/v3")?;
    let names = |index: &Value| -> BTreeSet<String> {
        let paths = index["paths"].as_object();
        paths.into_iter().flatten().map(|(path, _)| path.clone()).collect()
    };
    let (ours_names, real_names) = (names(&ours_index), names(&real_index));
    for name in ours_names.symmetric_difference(&real_names) {
        found.differences.push(format!("v3 has {name} on one server only"));
    }
    for name in ours_names.intersection(&real_names) {
        found.documents += 1;
        let (ours, real) = both(&format!("/openapi/v3/{name}"))?;
        differences(&plain(&ours), &plain(&real), &format!("v3 {name}"), &mut found.differences);
    }
    Ok(found)
}

/// Puts the parameters that paths of a v2 document refer to where they are used.
fn resolve(document: &mut Value) {
    let parameters = document["parameters"].take();
    if let Some(map) = document.as_object_mut() {
        map.shift_remove("parameters");
    }
    put_in(&mut document["paths"], &parameters);
}

fn put_in(value: &mut Value, parameters: &Value) {
    let name = value["$ref"].as_str().and_then(|r| r.strip_prefix("#/parameters/"));
    if let Some(parameter) = name.and_then(|name| parameters.get(name)) {
        *value = parameter.clone();
        return;
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| put_in(value, parameters)),
        Value::Array(items) => items.iter_mut().for_each(|value| put_in(value, parameters)),
        _ => {}
    }
}

/// Without descriptions; a reference with facts beside it in one form, lists without an order sorted.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut out = Map::new();
            for (key, value) in map {
                if key == "description" && value.is_string() {
                    continue;
                }
                let mut value = plain(value);
                let sorted = matches!(key.as_str(), "parameters" | "consumes" | "produces");
                if let (true, Value::Array(items)) = (sorted, &mut value) {
                    items.sort_by_key(|item| (item["name"].to_string(), item.to_string()));
                }
                out.insert(key.clone(), value);
            }
            let one = match out.get("allOf") {
                Some(Value::Array(all)) if all.len() == 1 => all[0].get("$ref").cloned(),
                _ => None,
            };
            if let Some(reference) = one {
                out.shift_remove("allOf");
                out.insert("$ref".to_owned(), reference);
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

fn differences(ours: &Value, real: &Value, at: &str, out: &mut Vec<String>) {
    match (ours, real) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let at = format!("{at} {key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => differences(a, b, &at, out),
                    (None, _) => out.push(format!("{at} is missing")),
                    (_, None) => out.push(format!("{at} is too much")),
                }
            }
        }
        (a, b) if a == b => {}
        (a, b) => {
            let short = |value: &Value| value.to_string().chars().take(160).collect::<String>();
            out.push(format!("{at} is {} and not {}", short(a), short(b)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn descriptions_do_not_count() {
        let a = json!({"p": {"$ref": "x", "default": {}}, "description": "a", "q": 1});
        let b = json!({"p": {"allOf": [{"$ref": "x"}], "default": {}, "description": "c"}, "q": 2});
        let mut out = Vec::new();
        differences(&plain(&a), &plain(&b), "v2", &mut out);
        assert_eq!(out, ["v2 q is 1 and not 2"]);
    }

    #[test]
    fn parameters_are_put_in() {
        let mut document = json!({
            "paths": {"/a": {"parameters": [{"$ref": "#/parameters/x"}]}},
            "parameters": {"x": {"name": "x"}},
        });
        resolve(&mut document);
        assert_eq!(document, json!({"paths": {"/a": {"parameters": [{"name": "x"}]}}}));
    }
}
