//! What a definition of an API must say, and what of it may not change.
//!
//! Go counterpart: `k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation`. What all
//! versions say alike is checked once and named without a version, as there. Rules in CEL are
//! looked at for their form, stored, and not evaluated; webhooks that convert are stored and not
//! called.

mod defaults;
mod names;
mod openapi;
mod paths;
mod shown;
mod structural;
mod versions;

use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, FieldPath, dns1123_subdomain,
};
use serde_json::{Map, Value};

use self::names::{approval, names, stored_versions};
pub(super) use self::names::{approval_of, is_protected};
use super::crd::condition;
use crate::object::{Object, at, metadata, text as text_of};

static NULL: Value = Value::Null;

fn flag(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The members of an object in the order of their names.
fn members<'a>(value: &'a Value, key: &str) -> Vec<(&'a str, &'a Value)> {
    let members = value.get(key).and_then(Value::as_object).into_iter().flatten();
    let mut members: Vec<_> = members.map(|(name, value)| (name.as_str(), value)).collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

/// What keeps the schemas of a definition from being structural. Go: the condition
/// `NonStructuralSchema`.
pub(super) fn structural_violations(schema: &Value, path: &FieldPath) -> Vec<FieldError> {
    match structural::representable(schema) {
        Ok(()) => structural::violations(schema, path),
        Err(_) => Vec::new(),
    }
}

/// The rules of a definition, against the stored one in an update.
pub(crate) fn validate_definition(crd: &Object, old: Option<&Object>) -> FieldErrors {
    let mut errors = Vec::new();
    if old.is_none() {
        let spec = |path: &str| at(crd, path).and_then(Value::as_str).unwrap_or_default();
        let (group, plural) = (spec("spec.group"), spec("spec.names.plural"));
        let name = text_of(metadata(crd), "name");
        if name != format!("{plural}.{group}") && !name.is_empty() {
            let detail = "must be spec.names.plural+\".\"+spec.group";
            errors.push(FieldError::invalid("metadata.name", name, detail));
        }
    }
    let null = Value::Null;
    let spec = crd.get("spec").unwrap_or(&null);
    let established = old.is_some_and(|old| condition(old, "Established") == Some("True"));
    Spec::of(spec).check(&mut errors, established.then_some(old).flatten());
    if let Some(old) = old {
        immutable(crd, old, established, &mut errors);
    }
    let empty = Map::new();
    let status = crd.get("status").and_then(Value::as_object).unwrap_or(&empty);
    status_names(status, &mut errors);
    let stored = status.get("storedVersions").and_then(Value::as_array);
    let stored = stored.map(Vec::as_slice).unwrap_or_default();
    stored_versions(stored, list(spec, "versions"), &mut errors);
    approval(crd, old, &mut errors);
    if flag(spec, "preserveUnknownFields")
        && !old.is_some_and(|old| at(old, "spec.preserveUnknownFields") == Some(&true.into()))
    {
        errors.push(FieldError::invalid(
            "spec.preserveUnknownFields",
            true,
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in \
             spec.versions[*].schema instead",
        ));
    }
    errors.into_iter().collect()
}

/// The rules of a definition's status.
pub(crate) fn validate_definition_status(crd: &Object, _: &Object) -> FieldErrors {
    let mut errors = Vec::new();
    if let Some(status) = crd.get("status").and_then(Value::as_object) {
        status_names(status, &mut errors);
    }
    errors.into_iter().collect()
}

fn status_names(status: &Map<String, Value>, errors: &mut Vec<FieldError>) {
    let accepted = status.get("acceptedNames").unwrap_or(&Value::Null);
    names(accepted, &FieldPath::new("status").child("acceptedNames"), errors);
}

/// What may not change: what names the objects never, and how they are stored not once the
/// definition is established.
fn immutable(crd: &Object, old: &Object, established: bool, errors: &mut Vec<FieldError>) {
    for (path, fixed) in [
        ("spec.scope", established),
        ("spec.names.kind", established),
        ("spec.group", true),
        ("spec.names.plural", true),
    ] {
        let of = |object| at(object, path).and_then(Value::as_str).unwrap_or_default();
        if fixed && of(crd) != of(old) {
            errors.push(FieldError::invalid(path, of(crd), "field is immutable"));
        }
    }
}

/// A definition's spec as Go has it: what all versions say alike stands once.
struct Spec<'a> {
    spec: &'a Value,
    versions: &'a [Value],
    /// Of what versions have, the parts that all of them say alike.
    alike: Vec<&'static str>,
}

impl<'a> Spec<'a> {
    fn of(spec: &'a Value) -> Spec<'a> {
        let versions = list(spec, "versions");
        let same =
            |key: &&str| versions.windows(2).all(|pair| pair[0].get(key) == pair[1].get(key));
        let alike = ["subresources", "schema", "additionalPrinterColumns", "selectableFields"];
        let alike = alike.into_iter().filter(|key| !versions.is_empty() && same(key)).collect();
        Spec { spec, versions, alike }
    }

    /// What all versions say alike.
    fn shared(&self, key: &str) -> Option<&'a Value> {
        if !self.alike.contains(&key) {
            return None;
        }
        self.versions.first()?.get(key).filter(|value| !value.is_null())
    }

    fn check(&self, errors: &mut Vec<FieldError>, established: Option<&Object>) {
        let path = FieldPath::new("spec");
        let group = text(self.spec, "group");
        let group_path = path.child("group");
        if group.is_empty() {
            errors.push(FieldError::required(group_path, ""));
        } else {
            let problems = dns1123_subdomain(group);
            if !problems.is_empty() {
                errors.push(FieldError::invalid(group_path, group, problems.join(",")));
            } else if !group.contains('.') {
                let detail = "should be a domain with at least one dot";
                errors.push(FieldError::invalid(group_path, group, detail));
            }
        }
        one_of(&path.child("scope"), text(self.spec, "scope"), &["Cluster", "Namespaced"], errors);
        let schema = |version: &Value| version.pointer("/schema/openAPIV3Schema").is_some();
        for (index, version) in self.versions.iter().enumerate() {
            if !schema(version) {
                let path = path.child("versions").index(index);
                let path = path.child("schema").child("openAPIV3Schema");
                errors.push(FieldError::required(path, ""));
            }
        }
        let preserve = flag(self.spec, "preserveUnknownFields");
        let schemas = || self.versions.iter().filter_map(|v| v.pointer("/schema/openAPIV3Schema"));
        if preserve && schemas().any(versions::has_default) {
            let detail = "must be false in order to use defaults in the schema";
            errors.push(FieldError::invalid(path.child("preserveUnknownFields"), true, detail));
        }
        self.versions(&path, errors);
        self.shared_parts(&path, errors);
        if let Some(conversion) = self.spec.get("conversion").filter(|_| preserve) {
            let strategy = text(conversion, "strategy");
            if strategy != "None" {
                let detail = "must be None if spec.preserveUnknownFields is true";
                let path = path.child("conversion").child("strategy");
                errors.push(FieldError::invalid(path, BadValue::named(strategy), detail));
            }
        }
        names::conversion(self.spec, established, &path.child("conversion"), errors);
    }
}

fn one_of(path: &FieldPath, value: &str, known: &[&str], errors: &mut Vec<FieldError>) {
    if value.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if !known.contains(&value) {
        errors.push(FieldError::not_supported(path, value, known));
    }
}

/// What is told, and not refused, of a definition that is written: what it says newly.
pub(crate) fn definition_warnings(crd: &Object, old: Option<&Object>) -> Vec<String> {
    let of = |crd: &Object| {
        let (mut formats, mut sets) = (Vec::new(), std::collections::BTreeSet::new());
        let spec = Spec::of(crd.get("spec").unwrap_or(&NULL));
        let shared = spec.shared("schema").into_iter();
        let own = spec.versions.iter().filter_map(|version| version.get("schema"));
        for schema in shared.chain(own.filter(|_| !spec.alike.contains(&"schema"))) {
            let Some(schema) = schema.get("openAPIV3Schema") else { continue };
            versions::unknown_formats(schema, &mut formats);
            versions::odd_sets(schema, &mut sets);
        }
        (formats, sets)
    };
    let (formats, sets) = of(crd);
    let before = old.map(of).unwrap_or_default();
    let formats = formats.into_iter().filter(|format| !before.0.contains(format));
    let formats =
        formats.map(|format| format!("unrecognized format {}", crate::status::quote(&format)));
    formats.chain(sets.into_iter().filter(|set| !before.1.contains(set))).collect()
}
