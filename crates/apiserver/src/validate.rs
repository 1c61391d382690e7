//! Names and metadata, checked as Kubernetes checks them.
//!
//! Go counterpart: `k8s.io/apimachinery/pkg/api/validation` and `pkg/util/validation`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::object::{strings, text};
use crate::registry::NameRule;
use crate::status::FieldError;

const IMMUTABLE: &str = "field is immutable";

/// What is wrong with a name under a rule; with `prefix` it is what a generated name begins with.
pub(crate) fn name(rule: NameRule, name: &str, prefix: bool) -> Vec<String> {
    let name = if prefix { mask_trailing_dash(name) } else { name.to_owned() };
    match rule {
        NameRule::Subdomain => subdomain(&name),
        NameRule::Label => label(&name),
        NameRule::Label1035 => label1035(&name),
        NameRule::PathSegment => path_segment(&name, prefix),
    }
}

fn mask_trailing_dash(name: &str) -> String {
    match name.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => format!("{rest}a"),
        _ => name.to_owned(),
    }
}

fn too_long(max: usize) -> String {
    format!("must be no more than {max} bytes")
}

fn is_label(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    !bytes.is_empty()
        && bytes.iter().all(|b| alphanumeric(*b) || *b == b'-')
        && alphanumeric(bytes[0])
        && alphanumeric(bytes[bytes.len() - 1])
}

pub(crate) fn subdomain(name: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if name.len() > 253 {
        errors.push(too_long(253));
    }
    if !name.split('.').all(is_label) {
        errors.push(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
             '-' or '.', and must start and end with an alphanumeric character (e.g. \
             'example.com', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
                .to_owned(),
        );
    }
    errors
}

fn label(name: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if name.len() > 63 {
        errors.push(too_long(63));
    }
    if !is_label(name) {
        errors.push(if !name.is_empty() && name.split('.').all(is_label) {
            "must not contain dots".to_owned()
        } else {
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
             '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or \
             '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
                .to_owned()
        });
    }
    errors
}

fn label1035(name: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if name.len() > 63 {
        errors.push(too_long(63));
    }
    if !is_label(name) || !name.as_bytes()[0].is_ascii_lowercase() {
        errors.push(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start \
             with an alphabetic character, and end with an alphanumeric character (e.g. \
             'my-name',  or 'abc-123', regex used for validation is \
             '[a-z]([-a-z0-9]*[a-z0-9])?')"
                .to_owned(),
        );
    }
    errors
}

fn path_segment(name: &str, prefix: bool) -> Vec<String> {
    let mut errors = Vec::new();
    if !prefix && matches!(name, "." | "..") {
        errors.push(format!("may not be '{name}'"));
    }
    for illegal in ["/", "%"] {
        if name.contains(illegal) {
            errors.push(format!("may not contain '{illegal}'"));
        }
    }
    errors
}

fn is_qualified_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !bytes.is_empty()
        && bytes.iter().all(|b| inner(*b))
        && bytes[0].is_ascii_alphanumeric()
        && bytes[bytes.len() - 1].is_ascii_alphanumeric()
}

/// What is wrong with the key of a label or annotation.
pub(crate) fn qualified_name(key: &str) -> Vec<String> {
    let form = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end \
                with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', \
                regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let mut errors = Vec::new();
    let name = match key.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                errors.push("prefix part must be non-empty".to_owned());
            } else {
                errors.extend(subdomain(prefix).into_iter().map(|e| format!("prefix part {e}")));
            }
            *name
        }
        _ => {
            return vec![format!(
                "a qualified name {form} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        errors.push(format!("name part {}", too_long(63)));
    }
    if !is_qualified_part(name) {
        errors.push(format!("name part {form}"));
    }
    errors
}

/// What is wrong with the value of a label.
pub(crate) fn label_value(value: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > 63 {
        errors.push(too_long(63));
    }
    if !value.is_empty() && !is_qualified_part(value) {
        errors.push(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', \
             '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  \
             or 'my_value',  or '12345', regex used for validation is \
             '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
                .to_owned(),
        );
    }
    errors
}

/// Checks the metadata of a new or changed object.
pub(crate) fn metadata(meta: &Map<String, Value>, rule: NameRule) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let generate = text(meta, "generateName");
    for problem in if generate.is_empty() { vec![] } else { name(rule, generate, true) } {
        errors.push(FieldError::invalid("metadata.generateName", &generate.into(), &problem));
    }
    let own = text(meta, "name");
    if own.is_empty() {
        errors.push(FieldError::required("metadata.name", "name or generateName is required"));
    } else {
        for problem in name(rule, own, false) {
            errors.push(FieldError::invalid("metadata.name", &own.into(), &problem));
        }
    }
    if let Some(Value::Object(labels)) = meta.get("labels") {
        for (key, value) in labels {
            let field = "metadata.labels";
            for problem in qualified_name(key) {
                errors.push(FieldError::invalid(field, &key.as_str().into(), &problem));
            }
            for problem in label_value(value.as_str().unwrap_or_default()) {
                errors.push(FieldError::invalid(field, value, &problem));
            }
        }
    }
    if let Some(Value::Object(annotations)) = meta.get("annotations") {
        let mut size = 0;
        for (key, value) in annotations {
            size += key.len() + value.as_str().map_or(0, str::len);
            for problem in qualified_name(&key.to_lowercase()) {
                errors.push(FieldError::invalid(
                    "metadata.annotations",
                    &key.as_str().into(),
                    &problem,
                ));
            }
        }
        if size > 256 << 10 {
            errors.push(FieldError::too_long("metadata.annotations", 256 << 10));
        }
    }
    errors.extend(owner_references(meta));
    for (index, finalizer) in strings(meta, "finalizers").into_iter().enumerate() {
        let field = format!("metadata.finalizers[{index}]");
        let shown = Value::from(finalizer);
        for problem in qualified_name(finalizer) {
            errors.push(FieldError::invalid(&field, &shown, &problem));
        }
        let standard = ["kubernetes", "orphan", "foregroundDeletion"];
        if !finalizer.contains('/') && !finalizer.contains('.') && !standard.contains(&finalizer) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(&field, &shown, detail));
        }
    }
    errors
}

fn owner_references(meta: &Map<String, Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let Some(Value::Array(owners)) = meta.get("ownerReferences") else { return errors };
    let mut controller: Option<String> = None;
    for (index, owner) in owners.iter().filter_map(Value::as_object).enumerate() {
        let field = |name: &str| format!("metadata.ownerReferences[{index}].{name}");
        for key in ["apiVersion", "kind", "name", "uid"] {
            if text(owner, key).is_empty() {
                errors.push(FieldError::required(field(key), "must not be empty"));
            }
        }
        if owner.get("controller") == Some(&Value::Bool(true)) {
            let this = format!("{}/{}", text(owner, "kind"), text(owner, "name"));
            match &controller {
                None => controller = Some(this),
                Some(first) => errors.push(FieldError::invalid(
                    "metadata.ownerReferences",
                    &Value::Array(owners.clone()),
                    &format!(
                        "Only one reference can have Controller set to true. Found \"true\" in \
                         references for {first} and {this}"
                    ),
                )),
            }
        }
    }
    errors
}

/// Checks that an update leaves alone what it must.
pub(crate) fn metadata_update(
    new: &Map<String, Value>,
    old: &Map<String, Value>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if old.contains_key("deletionTimestamp") {
        let before = strings(old, "finalizers");
        let added: BTreeSet<&str> = strings(new, "finalizers")
            .into_iter()
            .filter(|finalizer| !before.contains(finalizer))
            .collect();
        if !added.is_empty() {
            let list: Vec<String> = added.into_iter().map(crate::status::quote).collect();
            errors.push(FieldError::forbidden(
                "metadata.finalizers",
                &format!(
                    "no new finalizers can be added if the object is being deleted, found new \
                     finalizers []string{{{}}}",
                    list.join(", ")
                ),
            ));
        }
    }
    for key in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        let null = Value::Null;
        let value = new.get(key).unwrap_or(&null);
        if value != old.get(key).unwrap_or(&null) {
            errors.push(FieldError::invalid(format!("metadata.{key}"), value, IMMUTABLE));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: NameRule, text: &str, valid: bool) {
        assert_eq!(name(rule, text, false).is_empty(), valid, "{rule:?} {text}");
    }

    #[test]
    fn names() {
        for (text, subdomain, label, label1035) in [
            ("a", true, true, true),
            ("a-b.c", true, false, false),
            ("0a", true, true, false),
            ("A", false, false, false),
            ("-a", false, false, false),
            ("a..b", false, false, false),
            ("", false, false, false),
            ("a_b", false, false, false),
        ] {
            check(NameRule::Subdomain, text, subdomain);
            check(NameRule::Label, text, label);
            check(NameRule::Label1035, text, label1035);
        }
        check(NameRule::PathSegment, "system:node", true);
        check(NameRule::PathSegment, "..", false);
        check(NameRule::PathSegment, "a/b", false);
        assert!(name(NameRule::Subdomain, "web-", true).is_empty());
    }

    #[test]
    fn qualified_names() {
        for (key, valid) in [
            ("app", true),
            ("a.b/C_d", true),
            ("/x", false),
            ("a/b/c", false),
            ("a b", false),
            ("A.b/c", false),
        ] {
            assert_eq!(qualified_name(key).is_empty(), valid, "{key}");
        }
    }
}
