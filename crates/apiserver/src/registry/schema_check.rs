//! Objects of custom resources against the schema of their definition.
//!
//! Go counterpart: `k8s.io/kube-openapi/pkg/validation/validate` with what
//! `k8s.io/apiextensions-apiserver/pkg/apiserver/{validation,schema}` adds: lists that are sets or
//! maps, embedded resources, and that what an update leaves alone is not complained about. Of formats
//! those that Kubernetes knows by rule are looked at; `isbn`, `creditcard`, `ssn` and colours are not.

use pintle_apimachinery::validation::{BadValue, FieldError, FieldPath, dns1035_label};
use serde_json::{Map, Value};

use super::schema_formats::{fits_format, matches_pattern};
use crate::status::quote;

/// What a validation found, and how many rules were asked: of alternatives that all fail, the one
/// that got furthest is told.
#[derive(Default)]
struct Found {
    errors: Vec<FieldError>,
    count: usize,
}

impl Found {
    fn of(error: FieldError) -> Found {
        Found { errors: vec![error], count: 0 }
    }

    fn push(&mut self, error: FieldError) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    fn merge(&mut self, other: Found) {
        other.errors.into_iter().for_each(|error| self.push(error));
        self.count += other.count;
    }

    fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }
}

fn flag(schema: &Value, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

fn text<'a>(schema: &'a Value, name: &str) -> &'a str {
    schema.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn schemas<'a>(schema: &'a Value, name: &str) -> &'a [Value] {
    schema.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Checks a whole object against a schema. What is as in `old` is not looked at again; `skip` names
/// a field of the object that is not looked at either.
pub(super) fn object(
    schema: &Value,
    object: &Map<String, Value>,
    old: Option<&Map<String, Value>>,
    skip: &str,
) -> Vec<FieldError> {
    let value = Value::Object(object.clone());
    let old = old.map(|old| Value::Object(old.clone()));
    let mut found = check(schema, &value, old.as_ref(), "", skip);
    found.errors.extend(embedded(schema, &value, &FieldPath::nil(), true));
    let mut before = Vec::new();
    if let Some(old) = &old {
        lists(schema, old, &FieldPath::nil(), &mut before);
    }
    if before.is_empty() {
        lists(schema, &value, &FieldPath::nil(), &mut found.errors);
    }
    found.errors
}

/// Checks any value, such as a default.
pub(super) fn value(schema: &Value, value: &Value) -> Vec<FieldError> {
    check(schema, value, None, "", "").errors
}

/// The field of an error: paths begin with a point where there is nothing before it.
fn field(path: &str) -> FieldPath {
    match path.trim_start_matches('.') {
        "" => FieldPath::nil(),
        path => FieldPath::new(path),
    }
}

fn invalid(path: &str, value: impl Into<BadValue>, detail: String) -> Found {
    Found::of(FieldError::invalid(field(path), value, detail))
}

fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn check(schema: &Value, value: &Value, old: Option<&Value>, path: &str, skip: &str) -> Found {
    let mut found = Found::default();
    if value.is_null() {
        found.merge(of_type(schema, value, path));
        found.merge(of_enum(schema, value, path));
        return found;
    }
    let mut rule = |other: Found| {
        found.merge(other);
        found.count += 1;
    };
    if !text(schema, "type").is_empty()
        || flag(schema, "x-kubernetes-int-or-string")
        || is_format(text(schema, "format"))
    {
        rule(of_type(schema, value, path));
    }
    rule(junctors(schema, value, path));
    match value {
        Value::String(own) => {
            rule(of_text(schema, own, path));
            let format = text(schema, "format");
            if is_format(format) {
                rule(match fits_format(format, own) {
                    true => Found::default(),
                    false => {
                        let detail =
                            format!("{path} in body must be of type {format}: {}", quote(own));
                        Found::of(FieldError::type_invalid(field(path), own.as_str(), detail))
                    }
                });
            }
        }
        Value::Number(_) => rule(of_number(schema, value, path)),
        Value::Array(items) => rule(of_list(schema, items, old, path)),
        _ => {}
    }
    rule(of_enum(schema, value, path));
    if let Value::Object(members) = value {
        rule(of_object(schema, members, old, path, skip));
    }
    found.count += 1;
    found
}

/// Formats that Kubernetes knows; others are taken as if they were not there.
fn is_format(format: &str) -> bool {
    const KNOWN: &[&str] = &[
        "bsonobjectid",
        "byte",
        "cidr",
        "creditcard",
        "date",
        "datetime",
        "double",
        "duration",
        "email",
        "float",
        "hexcolor",
        "hostname",
        "int32",
        "int64",
        "ipv4",
        "ipv6",
        "isbn",
        "isbn10",
        "isbn13",
        "k8slongname",
        "k8sshortname",
        "mac",
        "password",
        "rgbcolor",
        "ssn",
        "uri",
        "uuid",
        "uuid3",
        "uuid4",
        "uuid5",
    ];
    !format.is_empty() && KNOWN.contains(&format.replace('-', "").as_str())
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

fn of_type(schema: &Value, value: &Value, path: &str) -> Found {
    let own = text(schema, "type");
    let expected: &[&str] = match own {
        _ if flag(schema, "x-kubernetes-int-or-string") => &["integer", "string"],
        "" => &[],
        _ => &[own],
    };
    let actual = kind_of(value);
    let wrong = || {
        let detail =
            format!("{path} in body must be of type {}: {}", expected.join(","), quote(actual));
        Found::of(FieldError::type_invalid(field(path), actual, detail))
    };
    if value.is_null() {
        let fits = expected.is_empty() || flag(schema, "nullable");
        return if fits { Found { count: 1, ..Found::default() } } else { wrong() };
    }
    let format = text(schema, "format");
    if is_format(format)
        && !matches!(value, Value::String(_) | Value::Array(_))
        && !expected.contains(&actual)
    {
        // What Go takes the value for, by its own formats of numbers.
        let own = match actual {
            "integer" => "int64",
            "number" => "double",
            _ => "",
        };
        let detail = format!("{path} in body must be of type {format}: {}", quote(own));
        return Found::of(FieldError::type_invalid(field(path), own, detail));
    }
    let numeric = expected.contains(&"number") || expected.contains(&"integer");
    // A text or a list with a format is left to the format.
    if !numeric
        && is_format(text(schema, "format"))
        && matches!(value, Value::String(_) | Value::Array(_))
    {
        return Found { count: 1, ..Found::default() };
    }
    let whole = actual == "number"
        && expected.contains(&"integer")
        && value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let widened = actual == "integer" && expected.contains(&"number");
    if expected.contains(&actual) || whole || widened {
        return Found { count: 1, ..Found::default() };
    }
    wrong()
}

/// `anyOf`, `oneOf`, `allOf` and `not`, in this order.
fn junctors(schema: &Value, value: &Value, path: &str) -> Found {
    let mut found = Found { count: 1, ..Found::default() };
    let plain = |text: String| FieldError::invalid(FieldPath::nil(), "", text);
    let shown = quote(path);
    let any = schemas(schema, "anyOf");
    let mut best: Option<Found> = None;
    let mut first = None;
    for one in any {
        let result = check(one, value, None, path, "");
        if result.is_valid() {
            first = Some(result);
            break;
        }
        if best.as_ref().is_none_or(|best| result.count > best.count) {
            best = Some(result);
        }
    }
    match (first, best) {
        (Some(first), _) => found.merge(first),
        (None, Some(best)) => {
            found.push(plain(format!("{shown} must validate at least one schema (anyOf)")));
            found.merge(best);
        }
        (None, None) => {}
    }
    let one_of = schemas(schema, "oneOf");
    let (mut best, mut first, mut valid): (Option<Found>, Option<Found>, usize) = (None, None, 0);
    for one in one_of {
        let result = check(one, value, None, path, "");
        if result.is_valid() {
            valid += 1;
            best = None;
            first.get_or_insert(result);
        } else if valid == 0 && best.as_ref().is_none_or(|best| result.count > best.count) {
            best = Some(result);
        }
    }
    if !one_of.is_empty() && valid != 1 {
        let more = match valid {
            0 => "Found none valid".to_owned(),
            valid => format!("Found {valid} valid alternatives"),
        };
        found.push(plain(format!("{shown} must validate one and only one schema (oneOf). {more}")));
        if let Some(best) = best {
            found.merge(best);
        }
    } else if let Some(first) = first {
        found.merge(first);
    }
    let all = schemas(schema, "allOf");
    let mut valid = 0;
    for one in all {
        let result = check(one, value, None, path, "");
        valid += usize::from(result.is_valid());
        found.merge(result);
    }
    if valid != all.len() {
        let more = if valid == 0 { ". None validated" } else { "" };
        found.push(plain(format!("{shown} must validate all the schemas (allOf){more}")));
    }
    if let Some(not) = schema.get("not").filter(|not| !not.is_null())
        && check(not, value, None, path, "").is_valid()
    {
        found.push(plain(format!("{shown} must not validate the schema (not)")));
    }
    found
}

/// Only the first rule that is broken is told.
fn of_text(schema: &Value, own: &str, path: &str) -> Found {
    let length = own.chars().count() as u64;
    let limit = |name: &str| schema.get(name).and_then(Value::as_u64);
    if let Some(most) = limit("maxLength").filter(|most| length > *most) {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        return Found::of(FieldError::too_long(field(path), most));
    }
    if let Some(least) = limit("minLength").filter(|least| length < *least) {
        let detail = format!("{path} in body should be at least {least} chars long");
        return invalid(path, own, detail);
    }
    let pattern = text(schema, "pattern");
    if !pattern.is_empty() && !matches_pattern(pattern, own) {
        return invalid(path, own, format!("{path} in body should match '{pattern}'"));
    }
    Found::default()
}

fn of_number(schema: &Value, value: &Value, path: &str) -> Found {
    let mut found = Found { count: 1, ..Found::default() };
    let number = value.as_f64().unwrap_or_default();
    if text(schema, "type") == "integer" && value.is_f64() && number.fract() != 0.0 {
        let detail = format!("Checked value must be of type integer (default format) in {path}");
        found.push(FieldError::invalid(FieldPath::nil(), "", detail));
    }
    if text(schema, "format") == "int32"
        && value.as_i64().is_some_and(|number| i32::try_from(number).is_err())
    {
        let detail = format!("Checked value must be of type integer with format int32 in {path}");
        found.push(FieldError::invalid(FieldPath::nil(), "", detail));
    }
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    let shown = |limit: f64| BadValue::from(limit).as_str().to_owned();
    if let Some(factor) = limit("multipleOf").filter(|factor| *factor != 0.0)
        && (number / factor).fract() != 0.0
    {
        let detail = format!("{path} in body should be a multiple of {}", shown(factor));
        found.merge(invalid(path, value, detail));
    }
    for (name, exclusive, more) in
        [("minimum", "exclusiveMinimum", true), ("maximum", "exclusiveMaximum", false)]
    {
        let Some(bound) = limit(name) else { continue };
        let beyond = if more { number < bound } else { number > bound };
        let exclusive = flag(schema, exclusive);
        if beyond || (exclusive && number == bound) {
            let than = if more { "greater than" } else { "less than" };
            let or = if exclusive { "" } else { " or equal to" };
            let detail = format!("{path} in body should be {than}{or} {}", shown(bound));
            found.merge(invalid(path, value, detail));
        }
    }
    found
}

fn limit(schema: &Value, name: &str) -> Option<usize> {
    usize::try_from(schema.get(name)?.as_u64()?).ok()
}

fn of_list(schema: &Value, items: &[Value], old: Option<&Value>, path: &str) -> Found {
    let mut found = Found { count: 1, ..Found::default() };
    if let Some(of) = schema.get("items").filter(|of| of.is_object()) {
        for (i, item) in items.iter().enumerate() {
            let before = old.and_then(|old| corresponding(schema, old, item));
            if before != Some(item) {
                found.merge(check(of, item, before, &format!("{path}[{i}]"), ""));
            }
        }
    }
    let length = items.len();
    if let Some(least) = limit(schema, "minItems").filter(|least| length < *least) {
        let detail = format!("{path} in body should have at least {least} items");
        found.merge(invalid(path, length, detail));
    }
    if let Some(most) = limit(schema, "maxItems").filter(|most| length > *most) {
        found.push(FieldError::too_many(field(path), length, most));
    }
    if flag(schema, "uniqueItems")
        && items.iter().enumerate().any(|(i, item)| items[..i].contains(item))
    {
        found.merge(invalid(path, "", format!("{path} in body shouldn't contain duplicates")));
    }
    found
}

/// The element of an old list that has the keys of this one, where lists are maps.
fn corresponding<'a>(schema: &Value, old: &'a Value, item: &Value) -> Option<&'a Value> {
    if text(schema, "x-kubernetes-list-type") != "map" {
        return None;
    }
    let keys = schemas(schema, "x-kubernetes-list-map-keys");
    old.as_array()?
        .iter()
        .find(|old| keys.iter().filter_map(Value::as_str).all(|key| old.get(key) == item.get(key)))
}

fn of_enum(schema: &Value, value: &Value, path: &str) -> Found {
    let allowed = schemas(schema, "enum");
    let same = |other: &Value| match (other, value) {
        (Value::Null, _) => false,
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    };
    if allowed.is_empty() || allowed.iter().any(same) {
        return Found::default();
    }
    let allowed: Vec<String> = allowed
        .iter()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect();
    let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
    Found::of(FieldError::not_supported(field(path), value, &allowed))
}

fn of_object(
    schema: &Value,
    members: &Map<String, Value>,
    old: Option<&Value>,
    path: &str,
    skip: &str,
) -> Found {
    let mut found = Found::default();
    let count = members.len();
    if let Some(least) = limit(schema, "minProperties").filter(|least| count < *least) {
        let detail = format!("{path} in body should have at least {least} properties");
        found.merge(invalid(path, count, detail));
    }
    if let Some(most) = limit(schema, "maxProperties").filter(|most| count > *most) {
        found.push(FieldError::too_many(field(path), count, most));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let known = |key: &str| properties.and_then(|all| all.get(key));
    let additional = schema.get("additionalProperties");
    let before = |key: &str| old.and_then(|old| old.get(key));
    for (key, value) in members.iter().filter(|(key, _)| known(key).is_none()) {
        match additional {
            Some(Value::Bool(false)) => {
                let shown = if path.is_empty() { "" } else { path };
                let detail = format!("{shown}.{key} in body is a forbidden property");
                found.merge(invalid(path, key.as_str(), detail));
            }
            Some(of @ Value::Object(_)) if before(key) != Some(value) => {
                found.merge(check(of, value, before(key), &format!("{path}.{key}"), ""));
            }
            _ => {}
        }
    }
    for (key, of) in properties.into_iter().flatten().filter(|(key, _)| *key != skip) {
        if let Some(value) = members.get(key)
            && before(key) != Some(value)
        {
            found.merge(check(of, value, before(key), &child(path, key), ""));
        }
    }
    for key in schemas(schema, "required").iter().filter_map(Value::as_str) {
        if !members.contains_key(key) && key != skip {
            found.push(FieldError::required(field(&format!("{path}.{key}")), ""));
        }
    }
    found
}

fn below(path: &FieldPath, name: &str) -> FieldPath {
    if path.is_nil() { FieldPath::new(name) } else { path.child(name) }
}

/// Elements that sets and maps have twice.
fn lists(schema: &Value, value: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(members) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (key, value) in members {
                if let Some(of @ Value::Object(_)) = schema.get("additionalProperties") {
                    lists(of, value, &path.key(key), errors);
                }
                if let Some(of) = properties.and_then(|all| all.get(key)) {
                    lists(of, value, &below(path, key), errors);
                }
            }
        }
        Value::Array(items) => {
            twice(schema, items, path, errors);
            if let Some(of) = schema.get("items") {
                for (i, item) in items.iter().enumerate() {
                    lists(of, item, &path.index(i), errors);
                }
            }
        }
        _ => {}
    }
}

fn twice(schema: &Value, items: &[Value], path: &FieldPath, errors: &mut Vec<FieldError>) {
    let map = match text(schema, "x-kubernetes-list-type") {
        "set" => false,
        "map" => true,
        _ => return,
    };
    if map && let Some(i) = items.iter().position(|item| !item.is_object() && !item.is_null()) {
        let detail = "must be an object for an array of list-type map";
        errors.push(FieldError::invalid(path.index(i), &items[i], detail));
        return;
    }
    let keys = schemas(schema, "x-kubernetes-list-map-keys");
    let identity = |item: &Value| match map {
        false => item.clone(),
        true => {
            let keys = keys.iter().filter_map(Value::as_str);
            Value::Object(
                keys.filter_map(|key| Some((key.to_owned(), item.get(key)?.clone()))).collect(),
            )
        }
    };
    let mut seen: Vec<(Value, bool)> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let identity = identity(item);
        match seen.iter_mut().find(|(other, _)| *other == identity) {
            // Each is told once.
            Some((_, true)) => {}
            Some((_, told)) => {
                *told = true;
                errors.push(FieldError::duplicate(path.index(i), &identity));
            }
            None => seen.push((identity, false)),
        }
    }
}

/// Resources within the object have a kind and a version.
fn embedded(schema: &Value, value: &Value, path: &FieldPath, root: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match value {
        Value::Object(members) => {
            if !root && flag(schema, "x-kubernetes-embedded-resource") {
                embedded_head(members, path, &mut errors);
            }
            let properties = schema.get("properties").and_then(Value::as_object);
            for (key, value) in members {
                if let Some(of) = properties.and_then(|all| all.get(key)) {
                    errors.extend(embedded(of, value, &below(path, key), false));
                } else if let Some(of @ Value::Object(_)) = schema.get("additionalProperties") {
                    errors.extend(embedded(of, value, &path.key(key), false));
                }
            }
        }
        Value::Array(items) => {
            if let Some(of) = schema.get("items") {
                for (i, item) in items.iter().enumerate() {
                    errors.extend(embedded(of, item, &path.index(i), false));
                }
            }
        }
        _ => {}
    }
    errors
}

fn embedded_head(members: &Map<String, Value>, path: &FieldPath, errors: &mut Vec<FieldError>) {
    const EMPTY: &str = "must not be empty";
    for key in ["apiVersion", "kind"] {
        let path = below(path, key);
        match members.get(key) {
            None => errors.push(FieldError::required(path, "")),
            Some(Value::String(text)) if text.is_empty() => {
                errors.push(FieldError::invalid(path, "", EMPTY));
            }
            Some(Value::String(text)) if key == "apiVersion" => {
                if text.matches('/').count() > 1 {
                    let detail = format!("unexpected GroupVersion string: {text}");
                    errors.push(FieldError::invalid(path, text, detail));
                }
            }
            Some(Value::String(text)) => {
                let problems = dns1035_label(&text.to_lowercase());
                if !problems.is_empty() {
                    let detail = format!(
                        "may have mixed case, but should otherwise match: {}",
                        problems.join(",")
                    );
                    errors.push(FieldError::invalid(path, text, detail));
                }
            }
            Some(other) => errors.push(FieldError::invalid(path, other, "must be a string")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::registry::Schema;
    use crate::status::ApiError;

    /// What a real server says of objects, recorded: `cargo xtask control-plane`, `custom.write`.
    #[test]
    fn objects_are_checked_as_kubernetes_does() {
        let mut lines = include_str!("../../testdata/schema/custom.jsonl").lines();
        let head: Value = serde_json::from_str(lines.next().expect("a schema")).expect("JSON");
        let schema = Schema::new(head["schema"].clone());
        for line in lines {
            let row: Value = serde_json::from_str(line).expect("JSON");
            let Value::Object(mut object) = json!({
                "apiVersion": "example.com/v1", "kind": "Foo", "metadata": {"name": "n"},
                "spec": row["spec"],
            }) else {
                unreachable!("an object was written")
            };
            schema.prune(&mut object);
            schema.default(&mut object);
            let errors = schema.validate(&object, None, "");
            let ours = (!errors.is_empty()).then(|| {
                let error = ApiError::invalid("example.com", "Foo", "n", &errors);
                let text = error.message().to_owned();
                text.split_once(" is invalid: ").map(|(_, list)| list.to_owned()).expect("a list")
            });
            assert_eq!(ours.as_deref(), row["error"].as_str(), "{line}");
        }
    }

    #[test]
    fn what_an_update_leaves_alone_is_kept() {
        let schema = Schema::new(json!({"type": "object", "properties": {
            "a": {"type": "string", "maxLength": 1}, "b": {"type": "string", "maxLength": 1}}}));
        let object = |a: &str, b: &str| match json!({"a": a, "b": b}) {
            Value::Object(object) => object,
            _ => unreachable!("an object was written"),
        };
        let old = object("long", "x");
        assert!(schema.validate(&object("long", "y"), Some(&old), "").is_empty());
        assert_eq!(schema.validate(&object("long", "long"), Some(&old), "").len(), 1);
        assert_eq!(schema.validate(&object("longer", "y"), Some(&old), "").len(), 1);
    }
}
