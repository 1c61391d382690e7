//! Validation of ConfigMaps, Secrets, namespaces and quotas.
//!
//! Go counterpart: `ValidateConfigMap`, `ValidateSecret`, `ValidateNamespace`,
//! `ValidateResourceQuota` in `k8s.io/kubernetes/pkg/apis/core/validation`.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, FieldPath, config_map_key, label_key,
};
use serde_json::Value;

use super::super::check::{Node, same, struct_shown};
use super::super::tree::Fields;
use super::resources::{amount, is_standard_quota, resource_name};

/// Bytes of all values together.
const MOST: usize = 1 << 20;
const LOCKED: &str = "field is immutable when `immutable` is set";

fn keys(map: &Node<'_>, base64: bool, e: &mut FieldErrors) -> usize {
    let mut size = 0;
    for (key, value) in map.entries() {
        let problems = config_map_key(key).into_iter();
        e.extend(problems.map(|text| FieldError::invalid(value.path(), key, text)));
        let text = value.text();
        let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
        size += if base64 { (text.len() / 4 * 3).saturating_sub(padding) } else { text.len() };
    }
    size
}

fn locked(new: &Fields, old: &Fields, fields: &[&str], e: &mut FieldErrors) {
    if !Node::of(old, "immutable").flag() {
        return;
    }
    if !Node::of(new, "immutable").flag() {
        e.push(Node::of(new, "immutable").forbidden(LOCKED));
    }
    for field in fields {
        // Go tells an empty map from none.
        let empty = |object| Node::of(object, field).is_set() && Node::of(object, field).is_empty();
        let (new_value, old_value) = (Node::of(new, field), Node::of(old, field));
        if !same(new_value.value(), old_value.value()) || empty(new) != empty(old) {
            e.push(Node::of(new, field).forbidden(LOCKED));
        }
    }
}

/// The rules of a ConfigMap.
pub(crate) fn config_map(new: &Fields, _: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let (data, binary) = (Node::of(new, "data"), Node::of(new, "binaryData"));
    let mut size = keys(&data, false, &mut e);
    for (key, value) in data.entries() {
        if binary.get(key).is_set() {
            let problem = "duplicate of key present in binaryData";
            e.push(FieldError::invalid(value.path(), key, problem));
        }
    }
    size += keys(&binary, true, &mut e);
    if size > MOST {
        e.push(FieldError::too_long(FieldPath::new(""), MOST));
    }
    e
}

/// What an update of a ConfigMap leaves alone.
pub(crate) fn config_map_update(new: &Fields, old: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    locked(new, old, &["data", "binaryData"], &mut e);
    e
}

/// What an update of a Secret leaves alone.
pub(crate) fn secret_update(new: &Fields, old: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let kind = Node::of(new, "type");
    if kind.text() != Node::of(old, "type").text() {
        let shown = BadValue::named(kind.text());
        e.push(FieldError::invalid(kind.path(), shown, "field is immutable"));
    }
    locked(new, old, &["data"], &mut e);
    e
}

/// The rules of a Secret.
pub(crate) fn secret(new: &Fields, _: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let kind = Node::of(new, "type");
    let data = Node::of(new, "data");
    if keys(&data, true, &mut e) > MOST {
        e.push(data.too_long(MOST));
    }
    let required = |key: &str| FieldError::required(data.path().key(key), "");
    match kind.text() {
        "kubernetes.io/service-account-token" => {
            const ACCOUNT: &str = "kubernetes.io/service-account.name";
            let annotations = Node::of(new, "metadata").get("annotations");
            if annotations.get(ACCOUNT).is_empty() {
                e.push(FieldError::required(annotations.path().key(ACCOUNT), ""));
            }
        }
        "kubernetes.io/dockercfg" => docker(&data, ".dockercfg", &mut e),
        "kubernetes.io/dockerconfigjson" => docker(&data, ".dockerconfigjson", &mut e),
        "kubernetes.io/basic-auth"
            if !data.get("username").is_set() && !data.get("password").is_set() =>
        {
            e.push(required("username"));
            e.push(required("password"));
        }
        "kubernetes.io/ssh-auth" if data.get("ssh-privatekey").is_empty() => {
            e.push(required("ssh-privatekey"));
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"] {
                if !data.get(key).is_set() {
                    e.push(required(key));
                }
            }
        }
        _ => {}
    }
    e
}

/// Credentials of registries are a JSON object.
fn docker(data: &Node<'_>, key: &str, e: &mut FieldErrors) {
    let value = data.get(key);
    let path = data.path().key(key);
    if !value.is_set() {
        e.push(FieldError::required(path, ""));
        return;
    }
    let bytes = STANDARD.decode(value.text()).unwrap_or_default();
    let problem = match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(_) | Value::Null) => return,
        Ok(other) => {
            let kind = match other {
                Value::Array(_) => "array",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
        }
        Err(error) if error.is_eof() => "unexpected end of JSON input".to_owned(),
        Err(_) => {
            match std::str::from_utf8(&bytes).ok().and_then(|text| text.trim_start().chars().next())
            {
                Some(c) => format!("invalid character '{c}' looking for beginning of value"),
                None => "invalid character".to_owned(),
            }
        }
    };
    e.push(FieldError::invalid(path, "<secret contents redacted>", problem));
}

/// The rules of a ServiceAccount: none beyond its metadata.
pub(crate) fn service_account(_: &Fields, _: Option<&Fields>) -> FieldErrors {
    FieldErrors::default()
}

/// Of the Secrets that a ServiceAccount names, only the names are kept.
pub(crate) fn clean_references(account: &mut Fields) {
    for secret in super::super::tree::items(account, "secrets") {
        secret.retain(|key, _| key == "name");
    }
}

/// The rules of a namespace.
pub(crate) fn namespace(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    if old.is_some() {
        // They are the stored ones, or those of an update of the finalizers, which has rules itself.
        return e;
    }
    let finalizers = Node::of(new, "spec").get("finalizers");
    for finalizer in finalizers.items() {
        let finalizer = finalizer.at(finalizers.path().clone());
        finalizer.rule(&mut e, label_key);
        let standard = ["kubernetes", "orphan", "foregroundDeletion"];
        if !finalizer.text().contains('/') && !standard.contains(&finalizer.text()) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            e.push(finalizer.invalid(detail));
        }
    }
    e
}

const SCOPES: &[&str] = &[
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

fn scope_fits(scope: &str, resource: &str) -> bool {
    let pod_objects = resource == "pods";
    let compute = matches!(
        resource,
        "cpu" | "memory" | "limits.cpu" | "limits.memory" | "requests.cpu" | "requests.memory"
    );
    match scope {
        "Terminating"
        | "NotTerminating"
        | "NotBestEffort"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => pod_objects || compute,
        "BestEffort" => pod_objects,
        "VolumeAttributesClass" => {
            matches!(resource, "requests.storage" | "persistentvolumeclaims")
        }
        _ => true,
    }
}

/// The rules of a quota.
pub(crate) fn quota(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    let hard = spec.get("hard");
    for (name, value) in hard.entries() {
        quota_resource(name, &value, &mut e);
        amount(name, &value, &mut e);
    }
    let scopes = spec.get("scopes");
    let names: Vec<&str> = hard.entries().into_iter().map(|(name, _)| name).collect();
    for scope in scopes.texts() {
        if !SCOPES.contains(&scope) {
            e.push(scopes.invalid("unsupported scope"));
        }
        for name in &names {
            if is_standard_quota(name) && !scope_fits(scope, name) {
                e.push(scopes.invalid("unsupported scope applied to resource"));
            }
        }
    }
    conflicting(&scopes, &scopes.texts().into_iter().collect(), &mut e);
    scope_selector(&spec, &names, &mut e);
    if let Some(old) = old {
        let before = Node::of(old, "spec").get("scopes");
        let set = |node: &Node<'_>| -> BTreeSet<String> {
            node.texts().into_iter().map(str::to_owned).collect()
        };
        if set(&before) != set(&scopes) {
            let bad = if scopes.is_set() { scopes.bad() } else { BadValue::NULL };
            e.push(FieldError::invalid(scopes.path(), bad, "field is immutable"));
        }
    }
    e
}

pub(super) fn quota_resource(name: &str, value: &Node<'_>, e: &mut FieldErrors) {
    resource_name(value, name, e);
    if !name.contains('/') && !is_standard_quota(name) {
        let detail = "must be a standard resource for quota";
        e.push(FieldError::invalid(value.path(), BadValue::named(name), detail));
    }
}

fn conflicting(scopes: &Node<'_>, set: &BTreeSet<&str>, e: &mut FieldErrors) {
    for (a, b) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if set.contains(a) && set.contains(b) {
            let bad = if scopes.is_set() { scopes.bad() } else { BadValue::NULL };
            e.push(FieldError::invalid(scopes.path(), bad, "conflicting scopes"));
        }
    }
}

fn scope_selector(spec: &Node<'_>, names: &[&str], e: &mut FieldErrors) {
    let selector = spec.get("scopeSelector");
    let list = selector.get("matchExpressions");
    let at = |node: &Node<'_>, name: &str| {
        let shown = match node.value() {
            Value::Array(_) => node.bad(),
            _ => BadValue::named(node.text()),
        };
        FieldError::invalid(list.path().child(name), shown, "")
    };
    // As Go shows its internal type.
    let whole = || {
        let requirements: Vec<String> = list
            .items()
            .map(|one| {
                let values = one.get("values");
                let shown = struct_shown(&[
                    ("ScopeName", BadValue::named(one.get("scopeName").text())),
                    ("Operator", BadValue::named(one.get("operator").text())),
                    ("Values", if values.is_set() { values.bad() } else { BadValue::NULL }),
                ]);
                shown.as_str().to_owned()
            })
            .collect();
        let list = BadValue::json(format!("[{}]", requirements.join(",")));
        struct_shown(&[("MatchExpressions", list)])
    };
    let mut set = BTreeSet::new();
    for requirement in list.items() {
        let (scope, operator) = (requirement.get("scopeName"), requirement.get("operator"));
        let values = requirement.get("values");
        let detailed =
            |error: FieldError, detail: &str| FieldError { detail: detail.to_owned(), ..error };
        if !SCOPES.contains(&scope.text()) {
            e.push(detailed(at(&scope, "scopeName"), "unsupported scope"));
        }
        for name in names {
            if is_standard_quota(name) && !scope_fits(scope.text(), name) {
                let detail = "unsupported scope applied to resource";
                e.push(FieldError::invalid(list.path(), whole(), detail));
            }
        }
        let exists = matches!(
            scope.text(),
            "BestEffort"
                | "NotBestEffort"
                | "Terminating"
                | "NotTerminating"
                | "CrossNamespacePodAffinity"
        );
        if exists && operator.text() != "Exists" {
            e.push(detailed(
                at(&operator, "operator"),
                "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                 ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, \
                 ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
            ));
        }
        match operator.text() {
            "In" | "NotIn" => {
                if values.is_empty() {
                    e.push(FieldError::required(
                        list.path().child("values"),
                        "must be at least one value when `operator` is 'In' or 'NotIn' for scope \
                         selector",
                    ));
                }
            }
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    e.push(detailed(
                        at(&values, "values"),
                        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope \
                         selector",
                    ));
                }
            }
            _ => e.push(detailed(at(&operator, "operator"), "not a valid selector operator")),
        }
        set.insert(scope.text());
    }
    if selector.is_set() {
        conflicting(&spec.get("scopes"), &set, e);
    }
}
