//! What a definition of an API must say, and what of it may not change.
//!
//! Go counterpart: `k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation`. What all
//! versions say alike is checked once and named without a version, as there. Not looked at: rules
//! in CEL, the combinations that a structural schema may not have, conversion webhooks, which are
//! refused.

use pintle_apimachinery::validation::{FieldError, FieldErrors, dns1035_label, dns1123_subdomain};
use serde_json::{Map, Value, json};

use super::crd::condition;
use crate::object::{Object, at, metadata, strings, text};

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
/// Groups of these are given out by Kubernetes.
const PROTECTED: [&str; 2] = ["k8s.io", "kubernetes.io"];
const APPROVED: &str = "api-approved.kubernetes.io";

/// What may not change in a definition: what names its objects never, and how they are stored not
/// once it is established.
fn validate_update(crd: &Object, old: &Object) -> Vec<FieldError> {
    let established = condition(old, "Established") == Some("True");
    let fields = [
        ("spec.scope", established),
        ("spec.names.kind", established),
        ("spec.group", true),
        ("spec.names.plural", true),
    ];
    let null = Value::Null;
    fields
        .into_iter()
        .filter(|(path, fixed)| *fixed && at(crd, path) != at(old, path))
        .map(|(path, _)| {
            FieldError::invalid(path, at(crd, path).unwrap_or(&null), "field is immutable")
        })
        .collect()
}

/// The rules of a definition, against the stored one in an update.
pub(crate) fn validate_definition(crd: &Object, old: Option<&Object>) -> FieldErrors {
    let mut errors = validate(crd, old.is_some());
    errors.extend(old.into_iter().flat_map(|old| validate_update(crd, old)));
    errors.into_iter().collect()
}

/// What a definition must have before it can be served.
fn validate(crd: &Object, update: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    names_of_definition(crd, update, &mut errors);
    let empty = Vec::new();
    let versions = at(crd, "spec.versions").and_then(Value::as_array).unwrap_or(&empty);
    let same = |key: &str| versions.windows(2).all(|pair| pair[0].get(key) == pair[1].get(key));
    versions_of(versions, &mut errors);
    if at(crd, "spec.preserveUnknownFields") == Some(&Value::Bool(true)) {
        errors.push(FieldError::invalid(
            "spec.preserveUnknownFields",
            true,
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in \
             spec.versions[*].schema instead",
        ));
    }
    names(crd, &mut errors);
    // What every version has alike is told without a version.
    for (key, alike) in [
        ("additionalPrinterColumns", "spec.additionalPrinterColumns"),
        ("schema", "spec.validation.openAPIV3Schema"),
        ("subresources", "spec.subresources"),
    ] {
        let count = if same(key) { versions.len().min(1) } else { versions.len() };
        for (index, version) in versions.iter().enumerate().take(count) {
            let path = match same(key) {
                true => alike.to_owned(),
                false if key == "schema" => {
                    format!("spec.versions[{index}].schema.openAPIV3Schema")
                }
                false => format!("spec.versions[{index}].{key}"),
            };
            match key {
                "additionalPrinterColumns" => columns(version, &path, &mut errors),
                "subresources" => subresources(version, &path, &mut errors),
                _ => {
                    if let Some(schema) = version.pointer("/schema/openAPIV3Schema") {
                        root(schema, &path, &mut errors);
                    }
                }
            }
        }
    }
    match at(crd, "spec.conversion.strategy").and_then(Value::as_str) {
        None | Some("None") => {}
        Some("Webhook") => errors.push(FieldError::forbidden(
            "spec.conversion.strategy",
            "conversion webhooks are not implemented by the embedded API server",
        )),
        Some(other) => errors.push(FieldError::not_supported(
            "spec.conversion.strategy",
            other,
            &["None", "Webhook"],
        )),
    }
    stored_versions(crd, versions, &mut errors);
    approval(crd, &mut errors);
    errors
}

fn get<'a>(crd: &'a Object, path: &str) -> &'a str {
    at(crd, path).and_then(Value::as_str).unwrap_or_default()
}

fn names_of_definition(crd: &Object, update: bool, errors: &mut Vec<FieldError>) {
    let name = text(metadata(crd), "name");
    let (group, plural) = (get(crd, "spec.group"), get(crd, "spec.names.plural"));
    if !update && name != format!("{plural}.{group}") {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid("metadata.name", name, detail));
    }
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else {
        for problem in dns1123_subdomain(group) {
            errors.push(FieldError::invalid("spec.group", group, problem));
        }
        if !group.contains('.') {
            let detail = "should be a domain with at least one dot";
            errors.push(FieldError::invalid("spec.group", group, detail));
        }
    }
    match get(crd, "spec.scope") {
        "" => errors.push(FieldError::required("spec.scope", "")),
        "Cluster" | "Namespaced" => {}
        other => {
            errors.push(FieldError::not_supported("spec.scope", other, &["Cluster", "Namespaced"]))
        }
    }
}

/// The versions as messages show them.
fn shown(versions: &[Value]) -> Value {
    let same = |key: &str| versions.windows(2).all(|pair| pair[0].get(key) == pair[1].get(key));
    let one = |version: &Value| {
        let flag = |key: &str| version.get(key) == Some(&Value::Bool(true));
        let mut map = Map::new();
        map.insert("Name".to_owned(), version.get("name").cloned().unwrap_or_default());
        map.insert("Served".to_owned(), flag("served").into());
        map.insert("Storage".to_owned(), flag("storage").into());
        map.insert("Deprecated".to_owned(), flag("deprecated").into());
        for (shown, key) in [
            ("DeprecationWarning", "deprecationWarning"),
            ("Schema", "schema"),
            ("Subresources", "subresources"),
            ("AdditionalPrinterColumns", "additionalPrinterColumns"),
            ("SelectableFields", "selectableFields"),
        ] {
            let own = version.get(key).filter(|_| key == "deprecationWarning" || !same(key));
            map.insert(shown.to_owned(), own.cloned().unwrap_or_default());
        }
        Value::Object(map)
    };
    Value::Array(versions.iter().map(one).collect())
}

fn versions_of(versions: &[Value], errors: &mut Vec<FieldError>) {
    let name = |version: &Value| text_of(version, "name").to_owned();
    for (index, version) in versions.iter().enumerate() {
        let own = name(version);
        for problem in dns1035_label(&own) {
            let path = format!("spec.versions[{index}].name");
            errors.push(FieldError::invalid(path, own.as_str(), problem));
        }
    }
    for (index, version) in versions.iter().enumerate() {
        if version.pointer("/schema/openAPIV3Schema").is_none() {
            let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
            errors.push(FieldError::required(path, ""));
        }
    }
    let storage = versions.iter().filter(|v| v.get("storage") == Some(&true.into())).count();
    let unique = versions
        .iter()
        .enumerate()
        .all(|(index, version)| versions[..index].iter().all(|other| name(other) != name(version)));
    if !unique {
        let detail = "must contain unique version names";
        errors.push(FieldError::invalid("spec.versions", &shown(versions), detail));
    }
    if storage != 1 {
        let detail = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid("spec.versions", &shown(versions), detail));
    }
    if let Some(first) = versions.first() {
        let own = name(first);
        for problem in dns1035_label(&own) {
            errors.push(FieldError::invalid("spec.version", own.as_str(), problem));
        }
    }
}

fn names(crd: &Object, errors: &mut Vec<FieldError>) {
    for key in ["plural", "singular", "kind", "listKind"] {
        let path = format!("spec.names.{key}");
        let name = get(crd, &path);
        let mixed = matches!(key, "kind" | "listKind");
        if name.is_empty() {
            errors.push(FieldError::required(path, ""));
            continue;
        }
        let checked = if mixed { name.to_lowercase() } else { name.to_owned() };
        for problem in dns1035_label(&checked) {
            let problem = match mixed {
                true => format!("may have mixed case, but should otherwise match: {problem}"),
                false => problem,
            };
            errors.push(FieldError::invalid(path.as_str(), name, problem));
        }
    }
    for key in ["shortNames", "categories"] {
        let empty = Map::new();
        let names = at(crd, "spec.names").and_then(Value::as_object).unwrap_or(&empty);
        for (index, name) in strings(names, key).into_iter().enumerate() {
            for problem in dns1035_label(name) {
                let path = format!("spec.names.{key}[{index}]");
                errors.push(FieldError::invalid(path, name, problem));
            }
        }
    }
    let (kind, list_kind) = (get(crd, "spec.names.kind"), get(crd, "spec.names.listKind"));
    if !kind.is_empty() && kind == list_kind {
        let detail = "kind and listKind may not be the same";
        errors.push(FieldError::invalid("spec.names.listKind", list_kind, detail));
    }
}

fn columns(version: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let columns = version.get("additionalPrinterColumns").and_then(Value::as_array);
    for (index, column) in columns.into_iter().flatten().enumerate() {
        let field = |name: &str| format!("{path}[{index}].{name}");
        if text_of(column, "name").is_empty() {
            errors.push(FieldError::required(field("name"), ""));
        }
        match text_of(column, "type") {
            "" => {
                let detail = format!("must be one of {}", COLUMN_TYPES.join(","));
                errors.push(FieldError::required(field("type"), detail));
            }
            known if COLUMN_TYPES.contains(&known) => {}
            other => {
                let detail = format!("must be one of {}", COLUMN_TYPES.join(","));
                errors.push(FieldError::invalid(field("type"), other, detail));
            }
        }
        if text_of(column, "jsonPath").is_empty() {
            errors.push(FieldError::required(field("JSONPath"), ""));
        }
    }
}

fn subresources(version: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let Some(scale) = version.pointer("/subresources/scale") else { return };
    for (key, root) in [("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")] {
        let field = format!("{path}.scale.{key}");
        match text_of(scale, key) {
            "" => errors.push(FieldError::required(field, "")),
            given if !given.starts_with('.') => {
                let detail = "must be a simple json path starting with .";
                errors.push(FieldError::invalid(field, given, detail));
            }
            given if !given.starts_with(root) => {
                let detail = format!("should be a json path under {}", root.trim_end_matches('.'));
                errors.push(FieldError::invalid(field, given, detail));
            }
            _ => {}
        }
    }
}

fn root(schema: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => structural(schema, path, errors),
        None => errors
            .push(FieldError::required(format!("{path}.type"), "must not be empty at the root")),
        Some(other) => errors.push(FieldError::invalid(
            format!("{path}.type"),
            other,
            "must be object at the root",
        )),
    }
}

/// What a schema below the root must say for every field to have one type.
fn structural(schema: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let child = |schema: &Value, path: String, what: &str, errors: &mut Vec<FieldError>| {
        let flag = |name: &str| schema.get(name) == Some(&Value::Bool(true));
        let free =
            flag("x-kubernetes-int-or-string") || flag("x-kubernetes-preserve-unknown-fields");
        match text_of(schema, "type") {
            "" if free => {}
            "" => errors.push(FieldError::required(
                format!("{path}.type"),
                format!("must not be empty for specified {what}"),
            )),
            known if TYPES.contains(&known) => {}
            other => {
                errors.push(FieldError::not_supported(format!("{path}.type"), other, &TYPES));
                return;
            }
        }
        structural(schema, &path, errors);
    };
    if let Some(Value::Object(properties)) = schema.get("properties") {
        let mut properties: Vec<_> = properties.iter().collect();
        properties.sort_by_key(|(name, _)| *name);
        for (name, schema) in properties {
            child(schema, format!("{path}.properties[{name}]"), "object fields", errors);
        }
    }
    if let Some(schema @ Value::Object(_)) = schema.get("additionalProperties") {
        child(schema, format!("{path}.additionalProperties"), "object fields", errors);
    }
    match schema.get("items") {
        Some(items) => child(items, format!("{path}.items"), "array items", errors),
        None if text_of(schema, "type") == "array" => {
            errors.push(FieldError::required(format!("{path}.items"), "must be specified"));
        }
        None => {}
    }
    let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
    if text_of(schema, "x-kubernetes-list-type") == "map" && keys.is_none_or(Vec::is_empty) {
        errors.push(FieldError::required(
            format!("{path}.x-kubernetes-list-map-keys"),
            "must not be empty if x-kubernetes-list-type is map",
        ));
    }
    if let Some(default) = schema.get("default") {
        super::Schema::new(schema.clone()).validate_default(default, path, errors);
    }
}

fn stored_versions(crd: &Object, versions: &[Value], errors: &mut Vec<FieldError>) {
    let field = "status.storedVersions";
    let stored = at(crd, field).and_then(Value::as_array).cloned().unwrap_or_default();
    if stored.is_empty() {
        let detail = "must have at least one stored version";
        errors.push(FieldError::invalid(field, &Value::Null, detail));
        return;
    }
    for (index, version) in stored.iter().enumerate() {
        if !versions.iter().any(|v| v.get("name") == Some(version)) {
            let detail = "missing from spec.versions; v1 was previously a storage version, and must \
                          remain in spec.versions until a storage migration ensures no data \
                          remains persisted in v1 and removes v1 from status.storedVersions";
            let detail = detail.replace("v1", version.as_str().unwrap_or_default());
            errors.push(FieldError::invalid(format!("{field}[{index}]"), version, detail));
        }
    }
    for version in versions.iter().filter(|v| v.get("storage") == Some(&true.into())) {
        let name = version.get("name").cloned().unwrap_or_default();
        if !stored.contains(&name) {
            let detail =
                format!("must have the storage version {}", name.as_str().unwrap_or_default());
            errors.push(FieldError::invalid(field, &json!(stored), detail));
        }
    }
}

fn approval(crd: &Object, errors: &mut Vec<FieldError>) {
    let group = get(crd, "spec.group");
    let protected = PROTECTED.iter().any(|suffix| {
        group == *suffix || group.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'))
    });
    let empty = Map::new();
    let annotations = metadata(crd).get("annotations").and_then(Value::as_object);
    let annotations = annotations.unwrap_or(&empty);
    if protected && text(annotations, APPROVED).is_empty() {
        let detail = format!(
            "protected groups must have approval annotation {}, see \
             https://github.com/kubernetes/enhancements/pull/1111",
            crate::status::quote(APPROVED)
        );
        errors.push(FieldError::required(format!("metadata.annotations[{APPROVED}]"), detail));
    }
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
