//! Operations as OpenAPI v2 and v3 write them.
//!
//! Go counterpart: `k8s.io/kube-openapi/pkg/builder` and `builder3`.

use serde_json::{Map, Value, json};

use super::definitions::{META, Spec};
use super::paths::{Answer, Body, Operation, Paths, parameter};

/// All paths.
pub(super) fn paths(paths: &Paths, spec: Spec) -> Value {
    let items = paths.iter().map(|(path, operations)| (path.clone(), item(operations, spec)));
    Value::Object(items.collect())
}

/// The operations of one path. Parameters that all of them take are told once.
fn item(operations: &[Operation], spec: Spec) -> Value {
    let mut out = Map::new();
    let shared: Vec<&'static str> = match operations.split_first() {
        Some((first, rest)) => {
            let all = |name: &&&'static str| rest.iter().all(|o| o.parameters.contains(*name));
            first.parameters.iter().filter(all).copied().collect()
        }
        None => Vec::new(),
    };
    for operation in operations {
        out.insert(operation.method.to_owned(), self::operation(operation, &shared, spec));
    }
    if !shared.is_empty() {
        let shared = shared.iter().map(|name| self::parameter_value(name, spec));
        out.insert("parameters".to_owned(), shared.collect());
    }
    Value::Object(out)
}

fn operation(operation: &Operation, shared: &[&str], spec: Spec) -> Value {
    let mut out = Map::new();
    let mut set = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    if spec == Spec::V2 {
        if !operation.consumes.is_empty() {
            set("consumes", operation.consumes.into());
        }
        set("produces", operation.produces.into());
        set("schemes", json!(["https"]));
    }
    set("tags", json!([operation.tag]));
    set("operationId", operation.id.as_str().into());
    let mut parameters = Vec::new();
    match (&operation.body, spec) {
        (Body::None, _) => {}
        (body, Spec::V2) => parameters.push(match body {
            Body::Patch => json!({"$ref": "#/parameters/body-patch"}),
            Body::Options => json!({"$ref": "#/parameters/body-options"}),
            _ => body_parameter(body, spec),
        }),
        (body, Spec::V3) => set("requestBody", request_body(operation, body)),
    }
    let own = operation.parameters.iter().filter(|name| !shared.contains(name));
    parameters.extend(own.map(|name| parameter_value(name, spec)));
    if !parameters.is_empty() {
        set("parameters", parameters.into());
    }
    let mut responses = Map::new();
    for code in operation.codes {
        let description = match code {
            201 => "Created",
            202 => "Accepted",
            _ => "OK",
        };
        let schema = match &operation.answer {
            Answer::Text => json!({"type": "string"}),
            Answer::Definition(name) => spec.reference(name),
        };
        let response = match spec {
            Spec::V2 => json!({"description": description, "schema": schema}),
            Spec::V3 => {
                let content = content(operation.produces, &schema);
                json!({"description": description, "content": content})
            }
        };
        responses.insert(code.to_string(), response);
    }
    responses.insert("401".to_owned(), json!({"description": "Unauthorized"}));
    set("responses", responses.into());
    if !operation.action.is_empty() {
        set("x-kubernetes-action", operation.action.into());
        let [group, version, kind] = &operation.kind;
        let kind = json!({"group": group, "kind": kind, "version": version});
        set("x-kubernetes-group-version-kind", kind);
    }
    Value::Object(out)
}

fn content(media: &[&str], schema: &Value) -> Value {
    let sorted: std::collections::BTreeSet<&str> = media.iter().copied().collect();
    let entries = sorted.into_iter().map(|media| (media.to_owned(), json!({ "schema": schema })));
    Value::Object(entries.collect())
}

fn request_body(operation: &Operation, body: &Body) -> Value {
    let schema = body_schema(body, Spec::V3);
    let content = content(operation.consumes, &schema);
    match body {
        Body::Options => json!({"content": content}),
        _ => json!({"content": content, "required": true}),
    }
}

fn body_schema(body: &Body, spec: Spec) -> Value {
    match body {
        Body::Object(name) => spec.reference(name),
        Body::Patch => spec.reference(&format!("{META}Patch")),
        _ => spec.reference(&format!("{META}DeleteOptions")),
    }
}

fn body_parameter(body: &Body, spec: Spec) -> Value {
    let schema = body_schema(body, spec);
    match body {
        Body::Options => json!({"name": "body", "in": "body", "schema": schema}),
        _ => json!({"name": "body", "in": "body", "required": true, "schema": schema}),
    }
}

/// Parameters that OpenAPI v2 writes where they are used, although many use them.
const IN_PLACE: [&str; 3] = ["dryRun", "fieldValidation", "name"];

fn parameter_value(name: &str, spec: Spec) -> Value {
    match spec {
        Spec::V2 if !IN_PLACE.contains(&name) => {
            json!({ "$ref": format!("#/parameters/{}", shared_name(name)) })
        }
        spec => whole_parameter(name, spec),
    }
}

/// `{path}` is the parameter of that name that is in the path.
fn shared_name(name: &str) -> String {
    match name.strip_prefix('{') {
        Some(name) => format!("{}-in-path", name.trim_end_matches('}')),
        None => name.to_owned(),
    }
}

fn whole_parameter(name: &str, spec: Spec) -> Value {
    let (place, kind) = parameter(name);
    let name = name.trim_matches(['{', '}']);
    let mut out =
        Map::from_iter([("name".to_owned(), name.into()), ("in".to_owned(), place.into())]);
    if place == "path" {
        out.insert("required".to_owned(), true.into());
    }
    match spec {
        Spec::V2 => {
            out.insert("type".to_owned(), kind.into());
            out.insert("uniqueItems".to_owned(), true.into());
        }
        Spec::V3 => {
            out.insert("schema".to_owned(), json!({"type": kind, "uniqueItems": true}));
        }
    }
    Value::Object(out)
}

/// The `parameters` of an OpenAPI v2 document: what these paths refer to.
pub(super) fn shared_parameters(paths: &Paths) -> Value {
    let mut out = std::collections::BTreeMap::new();
    for operation in paths.values().flatten() {
        match &operation.body {
            Body::Patch => {
                out.insert("body-patch".to_owned(), body_parameter(&Body::Patch, Spec::V2));
            }
            Body::Options => {
                out.insert("body-options".to_owned(), body_parameter(&Body::Options, Spec::V2));
            }
            _ => {}
        }
        for name in operation.parameters.iter().filter(|name| !IN_PLACE.contains(name)) {
            out.entry(shared_name(name)).or_insert_with(|| whole_parameter(name, Spec::V2));
        }
    }
    Value::Object(out.into_iter().collect())
}
