//! The versions of a definition: schemas, subresources, columns, fields that can be selected.

use pintle_apimachinery::validation::{BadValue, FieldError, FieldPath, dns1035_label};
use serde_json::Value;

use super::names::names;
use super::paths::find;
use super::{Spec, defaults, flag, list, members, openapi, shown, structural, text};

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
/// So many fields may be selected by.
const MOST_FIELDS: usize = 8;
/// What the root of a schema may say where the status is checked by itself, as Go names it.
const AT_ROOT: &str = "[Description Type Format Title Maximum ExclusiveMaximum Minimum \
                       ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems \
                       MultipleOf Required Items Properties ExternalDocs Example \
                       XPreserveUnknownFields XValidations]";
/// The keys of what it may not say.
const NOT_AT_ROOT: [&str; 22] = [
    "id",
    "$schema",
    "$ref",
    "nullable",
    "default",
    "enum",
    "maxProperties",
    "minProperties",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "additionalProperties",
    "patternProperties",
    "dependencies",
    "additionalItems",
    "definitions",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

impl Spec<'_> {
    /// What each version says for itself.
    pub(super) fn versions(&self, path: &FieldPath, errors: &mut Vec<FieldError>) {
        let all = path.child("versions");
        let mut seen: Vec<&str> = Vec::new();
        let mut unique = true;
        for (index, version) in self.versions.iter().enumerate() {
            let path = all.index(index);
            let name = text(version, "name");
            unique &= !seen.contains(&name);
            seen.push(name);
            let problems = dns1035_label(name);
            if !problems.is_empty() {
                errors.push(FieldError::invalid(path.child("name"), name, problems.join(",")));
            }
            self.version(version, &path, errors);
        }
        let stored = self.versions.iter().filter(|version| flag(version, "storage")).count();
        for (wrong, detail) in [
            (!unique, "must contain unique version names"),
            (stored != 1, "must have exactly one version marked as storage version"),
        ] {
            if wrong {
                let shown = match self.versions {
                    [] if self.spec.get("versions").is_some_and(Value::is_array) => {
                        BadValue::json("[]")
                    }
                    [] => BadValue::NULL,
                    versions => shown::versions(versions, &self.alike),
                };
                errors.push(FieldError::invalid(&all, shown, detail));
            }
        }
        if let Some(first) = self.versions.first() {
            let name = text(first, "name");
            let problems = dns1035_label(name);
            if !name.is_empty() && !problems.is_empty() {
                errors.push(FieldError::invalid(path.child("version"), name, problems.join(",")));
            }
        }
    }

    fn version(&self, version: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
        warning(version, path, errors);
        let own = |key: &str| version.get(key).filter(|_| !self.alike.contains(&key));
        // The subresources of all, or of the first version of this name.
        let named = self.versions.iter().find(|other| other.get("name") == version.get("name"));
        let has_status = named.is_some_and(|named| named.pointer("/subresources/status").is_some());
        if let Some(schema) = own("schema") {
            validation(schema, has_status, &path.child("schema"), errors);
        }
        if let Some(subresources) = own("subresources") {
            scale(subresources, &path.child("subresources"), errors);
        }
        let columns = path.child("additionalPrinterColumns");
        if let Some(Value::Array(list)) = own("additionalPrinterColumns") {
            for (index, one) in list.iter().enumerate() {
                column(one, &columns.index(index), errors);
            }
        }
        if let Some(Value::Array(fields)) = own("selectableFields")
            && !fields.is_empty()
        {
            let path = path.child("selectableFields");
            match own("schema").and_then(|schema| schema.get("openAPIV3Schema")) {
                Some(schema) => selectable(fields, schema, &path, errors),
                None => {
                    let detail = "may only be set when `version.schema.openAPIV3Schema` is not \
                                  included";
                    errors.push(FieldError::invalid(path, "", detail));
                }
            }
        }
    }

    /// What all versions say alike, and the names.
    pub(super) fn shared_parts(&self, path: &FieldPath, errors: &mut Vec<FieldError>) {
        let own = self.spec.get("names").unwrap_or(&Value::Null);
        let names_path = path.child("names");
        for key in ["plural", "singular", "kind", "listKind"] {
            if text(own, key).is_empty() {
                errors.push(FieldError::required(names_path.child(key), ""));
            }
        }
        names(own, &names_path, errors);
        let has_status =
            self.versions.iter().any(|version| version.pointer("/subresources/status").is_some());
        if let Some(schema) = self.shared("schema") {
            validation(schema, has_status, &path.child("validation"), errors);
        }
        if let Some(subresources) = self.shared("subresources") {
            scale(subresources, &path.child("subresources"), errors);
        }
        let columns = path.child("additionalPrinterColumns");
        if let Some(Value::Array(list)) = self.shared("additionalPrinterColumns") {
            for (index, one) in list.iter().enumerate() {
                column(one, &columns.index(index), errors);
            }
        }
        if let Some(Value::Array(fields)) = self.shared("selectableFields")
            && !fields.is_empty()
        {
            let path = path.child("selectableFields");
            match self.shared("schema").map(|schema| schema.get("openAPIV3Schema")) {
                Some(Some(schema)) => selectable(fields, schema, &path, errors),
                Some(None) => selectable(fields, &Value::Null, &path, errors),
                None => {
                    let detail = "may only be set when validations.schema is included";
                    errors.push(FieldError::invalid(path, "", detail));
                }
            }
        }
    }
}

/// What is said of a version that is deprecated.
fn warning(version: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let Some(warning) = version.get("deprecationWarning").and_then(Value::as_str) else { return };
    let mut problems = Vec::new();
    if flag(version, "deprecated") {
        if warning.len() > 256 {
            problems.push("must be <= 256 characters long".to_owned());
        }
        if warning.is_empty() {
            problems.push("must not be an empty string".to_owned());
        }
        if let Some((at, _)) = warning.char_indices().find(|(_, c)| !is_print(*c)) {
            problems.push(format!(
                "must only contain printable UTF-8 characters; non-printable character found at \
                 index {at}"
            ));
        }
    } else {
        problems.push("can only be set for deprecated versions".to_owned());
    }
    for problem in problems {
        let path = path.child("deprecationWarning");
        errors.push(FieldError::invalid(path, BadValue::named(warning), problem));
    }
}

/// Letters, marks, numbers, signs and the space of ASCII.
fn is_print(c: char) -> bool {
    match c {
        ' ' => true,
        c if c.is_ascii() => c.is_ascii_graphic(),
        c => {
            !c.is_control()
                && !c.is_whitespace()
                && !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}')
        }
    }
}

/// A schema with all it says.
fn validation(schema: &Value, has_status: bool, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let Some(schema) = schema.get("openAPIV3Schema").filter(|schema| !schema.is_null()) else {
        return;
    };
    let path = path.child("openAPIV3Schema");
    let mut found = Vec::new();
    if has_status {
        root_of_status(schema, &path, &mut found);
    }
    if flag(schema, "nullable") {
        let path = path.child("nullable");
        found.push(FieldError::forbidden(path, "nullable cannot be true at the root"));
    }
    let representable = structural::representable(schema);
    if representable.is_ok() {
        let violations = structural::violations(schema, &path);
        let structural = violations.is_empty();
        found.extend(violations);
        if structural {
            found.extend(defaults::check(schema, &path));
        }
    }
    found.extend(openapi::check(schema, &path));
    if let Err(error) = representable
        && found.is_empty()
    {
        found.push(FieldError::invalid(&path, "", error));
    }
    errors.extend(found);
}

/// Where the status is checked by itself, nothing about it may be said elsewhere.
fn root_of_status(schema: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    // In the order of Go's fields, of which the first that is wrong ends it: these come before the
    // type.
    let set = |key: &str| match schema.get(key) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(false)) => key.starts_with("additional"),
        Some(Value::String(text)) => !text.is_empty() || key.starts_with("x-") || key == "$ref",
        Some(_) => true,
    };
    let other = |errors: &mut Vec<FieldError>| {
        let detail = format!(
            "only {AT_ROOT} fields are allowed at the root of the schema if the status subresource \
             is enabled"
        );
        errors.push(FieldError::invalid(path, shown::schema(schema), detail));
    };
    if ["id", "$schema", "$ref"].into_iter().any(set) {
        other(errors);
        return;
    }
    let kind = text(schema, "type");
    if !kind.is_empty() && kind != "object" {
        let detail = "only \"object\" is allowed as the type at the root of the schema if the \
                      status subresource is enabled";
        errors.push(FieldError::invalid(path.child("type"), kind, detail));
        return;
    }
    if NOT_AT_ROOT.into_iter().any(set) {
        other(errors);
    }
}

/// A path of names with dots before each.
fn simple_path(given: &str, path: &FieldPath) -> Option<FieldError> {
    let detail = "must be a simple json path starting with .";
    (!given.starts_with('.')).then(|| FieldError::invalid(path, given, detail))
}

fn scale(subresources: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let Some(scale) = subresources.get("scale").filter(|scale| !scale.is_null()) else { return };
    for (key, root) in [("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")] {
        let path = path.child("scale").child(key);
        let given = text(scale, key);
        if given.is_empty() {
            errors.push(FieldError::required(path, ""));
        } else if let Some(error) = simple_path(given, &path) {
            errors.push(error);
        } else if !given.starts_with(&format!("{root}.")) {
            let detail = format!("should be a json path under {root}");
            errors.push(FieldError::invalid(path, given, detail));
        }
    }
    let given = text(scale, "labelSelectorPath");
    let path = path.child("scale").child("labelSelectorPath");
    if given.is_empty() {
        return;
    }
    if let Some(error) = simple_path(given, &path) {
        errors.push(error);
    } else if !given.starts_with(".spec.") && !given.starts_with(".status.") {
        let detail = "should be a json path under either .spec or .status";
        errors.push(FieldError::invalid(path, BadValue::named(given), detail));
    }
}

fn column(column: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if text(column, "name").is_empty() {
        errors.push(FieldError::required(path.child("name"), ""));
    }
    let types = format!("must be one of {}", COLUMN_TYPES.join(","));
    match text(column, "type") {
        "" => errors.push(FieldError::required(path.child("type"), types)),
        known if COLUMN_TYPES.contains(&known) => {}
        other => errors.push(FieldError::invalid(path.child("type"), other, types)),
    }
    let format = text(column, "format");
    if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
        let detail = format!("must be one of {}", COLUMN_FORMATS.join(","));
        errors.push(FieldError::invalid(path.child("format"), format, detail));
    }
    let path = path.child("JSONPath");
    match text(column, "jsonPath") {
        "" => errors.push(FieldError::required(path, "")),
        given => errors.extend(simple_path(given, &path)),
    }
}

fn selectable(fields: &[Value], schema: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if let Err(error) = structural::representable(schema) {
        let schema = path.to_string().replace("selectableFields", "schema.openAPIV3Schema");
        errors.push(FieldError::invalid(schema, "", error));
        for (index, field) in fields.iter().enumerate() {
            let path = path.index(index).child("jsonPath");
            let given = text(field, "jsonPath");
            if given.is_empty() {
                errors.push(FieldError::required(path, ""));
            } else if let Err(error) = find(given, &Value::Null, false)
                && !given.starts_with('.')
            {
                let detail = format!("is an invalid path: {error}");
                errors.push(FieldError::invalid(path, given, detail));
            }
        }
        return;
    }
    let mut unique: Vec<String> = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let path = path.index(index).child("jsonPath");
        let given = text(field, "jsonPath");
        if given.is_empty() {
            errors.push(FieldError::required(path, ""));
            continue;
        }
        let found = match find(given, schema, false) {
            Ok(found) => found,
            Err(error) => {
                let detail = format!("is an invalid path: {error}");
                errors.push(FieldError::invalid(path, given, detail));
                continue;
            }
        };
        if found.root == "metadata" {
            let detail = "must not point to fields in metadata";
            errors.push(FieldError::invalid(&path, given, detail));
        }
        let kind = found.schema.map(|schema| text(schema, "type")).unwrap_or_default();
        if !matches!(kind, "string" | "boolean" | "integer") {
            let detail = "must point to a field of type string, boolean or integer. Enum string \
                          fields and strings with formats are allowed.";
            errors.push(FieldError::invalid(&path, given, detail));
        }
        let found = found.path.to_string();
        if unique.contains(&found) {
            errors.push(FieldError::duplicate(&path, given));
        } else {
            unique.push(found);
        }
    }
    if unique.len() > MOST_FIELDS {
        errors.push(FieldError::too_many(path, unique.len(), MOST_FIELDS));
    }
}

/// Formats that are not known, in the order in which Go meets them.
pub(super) fn unknown_formats(schema: &Value, out: &mut Vec<String>) {
    let format = text(schema, "format");
    if !format.is_empty() {
        let known = match text(schema, "type") {
            "" | "string" => crate::registry::schema_formats::is_text_format(format),
            "integer" => matches!(format, "int32" | "int64"),
            "number" => matches!(format, "float" | "double"),
            _ => false,
        };
        if !known {
            out.push(format.to_owned());
        }
    }
    each(schema, &mut |inner| unknown_formats(inner, out));
}

/// Kinds of sets that other parts of Kubernetes do not know.
pub(super) fn odd_sets(schema: &Value, out: &mut std::collections::BTreeSet<String>) {
    if text(schema, "x-kubernetes-list-type") == "set"
        && let Some(items) = schema.get("items")
        && let kind @ ("object" | "array") = text(items, "type")
    {
        out.insert(format!(
            "x-kubernetes-list-type: set for items of type \"{kind}\" is not supported by \
             server-side apply or CEL validation rules"
        ));
    }
    each(schema, &mut |inner| odd_sets(inner, out));
}

/// Whether a schema has a default anywhere.
pub(super) fn has_default(schema: &Value) -> bool {
    let mut found = schema.get("default").is_some_and(|default| !default.is_null());
    each(schema, &mut |inner| found |= has_default(inner));
    found
}

/// Every schema within a schema.
fn each(schema: &Value, visit: &mut dyn FnMut(&Value)) {
    match schema.get("items") {
        Some(Value::Array(items)) => items.iter().for_each(&mut *visit),
        Some(items) => visit(items),
        None => {}
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        list(schema, key).iter().for_each(&mut *visit);
    }
    if let Some(not) = schema.get("not") {
        visit(not);
    }
    members(schema, "properties").into_iter().for_each(|(_, schema)| visit(schema));
    if let Some(additional @ Value::Object(_)) = schema.get("additionalProperties") {
        visit(additional);
    }
}
