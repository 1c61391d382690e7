//! Objects of custom resources against the schema of their definition.
//!
//! Go counterpart: `k8s.io/kube-openapi/pkg/validation/validate` as
//! `k8s.io/apiextensions-apiserver/pkg/apiserver/validation` uses it: what an update leaves as it
//! was, and can be told apart from the rest, is not complained about. Values are looked at in
//! `schema_values.rs`, lists and resources within objects in `schema_lists.rs`.

use pintle_apimachinery::validation::{BadValue, FieldError, FieldPath};
use serde_json::{Map, Value};

pub(super) use super::schema_lists::embedded;
use super::schema_lists::lists;
use super::schema_values::{is_format, of_enum, of_format, of_number, of_text, of_type};

/// What a validation found, and how many rules were asked: of alternatives that all fail, the one
/// that got furthest is told.
#[derive(Default)]
pub(super) struct Found {
    pub(super) errors: Vec<FieldError>,
    pub(super) count: usize,
}

impl Found {
    pub(super) fn of(error: FieldError) -> Found {
        Found { errors: vec![error], count: 0 }
    }

    pub(super) fn push(&mut self, error: FieldError) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    pub(super) fn merge(&mut self, other: Found) {
        other.errors.into_iter().for_each(|error| self.push(error));
        self.count += other.count;
    }

    fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }
}

pub(super) fn flag(schema: &Value, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

pub(super) fn text<'a>(schema: &'a Value, name: &str) -> &'a str {
    schema.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn list<'a>(schema: &'a Value, name: &str) -> &'a [Value] {
    schema.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Checks a whole object against a schema. What is as in `old` is not complained about.
pub(super) fn object(
    schema: &Value,
    object: &Map<String, Value>,
    old: Option<&Map<String, Value>>,
) -> Vec<FieldError> {
    let value = Value::Object(object.clone());
    let old = old.map(|old| Value::Object(old.clone()));
    let found = match &old {
        Some(old) => ratcheted(Pair { schema, value: &value, old }, schema, ""),
        None => check(schema, &value, None, ""),
    };
    found.errors
}

/// Checks the status of an object alone.
pub(super) fn status(
    schema: &Value,
    object: &Map<String, Value>,
    old: &Map<String, Value>,
) -> Vec<FieldError> {
    let own = schema.get("properties").and_then(|known| known.get("status"));
    let (Some(own), Some(value)) = (own, object.get("status")) else { return Vec::new() };
    // One that was not there counts as null.
    let old = old.get("status").unwrap_or(&Value::Null);
    let found = ratcheted(Pair { schema: own, value, old }, own, "");
    under(found.errors, &FieldPath::new("status"))
}

/// What is wrong with lists that are sets and maps, unless it was before.
pub(super) fn keyed_lists(
    schema: &Value,
    object: &Map<String, Value>,
    old: Option<&Map<String, Value>>,
) -> Vec<FieldError> {
    let of = |object: &Map<String, Value>| {
        let mut errors = Vec::new();
        lists(schema, &Value::Object(object.clone()), &FieldPath::nil(), &mut errors);
        errors
    };
    match old {
        Some(old) if !of(old).is_empty() => Vec::new(),
        _ => of(object),
    }
}

/// Marks a schema that is read as Go reads it for defaults: the type of what may be a number or a
/// text is not looked at, and formats that nobody knows are.
pub(super) const RAW: &str = "\0raw";

/// Checks a default that stands at `path`.
pub(super) fn value(schema: &Value, value: &Value, path: &FieldPath) -> Vec<FieldError> {
    let mut schema = schema.clone();
    make_raw(&mut schema);
    under(check(&schema, value, None, "").errors, path)
}

fn make_raw(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.shift_remove("x-kubernetes-int-or-string");
            let inner =
                members.iter_mut().filter(|(key, _)| !matches!(key.as_str(), "default" | "enum"));
            inner.for_each(|(_, value)| make_raw(value));
            members.insert(RAW.to_owned(), true.into());
        }
        Value::Array(items) => items.iter_mut().for_each(make_raw),
        _ => {}
    }
}

/// Errors with their fields taken to be below a path.
fn under(errors: Vec<FieldError>, path: &FieldPath) -> Vec<FieldError> {
    let below = |mut error: FieldError| {
        error.field = match error.field.as_str() {
            "<nil>" => path.to_string(),
            inner => format!("{path}.{inner}"),
        };
        error
    };
    errors.into_iter().map(below).collect()
}

/// The field of an error: paths begin with a point where there is nothing before it.
pub(super) fn field(path: &str) -> FieldPath {
    match path {
        "" | "." => FieldPath::nil(),
        path => FieldPath::new(path.strip_prefix('.').unwrap_or(path)),
    }
}

pub(super) fn invalid(path: &str, value: impl Into<BadValue>, detail: String) -> Found {
    Found::of(FieldError::invalid(field(path), value, detail))
}

/// An error of no field.
pub(super) fn plain(detail: String) -> FieldError {
    FieldError::invalid(FieldPath::nil(), "", detail)
}

/// A value beside what was there before it. Go: `CorrelatedObject`.
#[derive(Clone, Copy)]
struct Pair<'a> {
    schema: &'a Value,
    value: &'a Value,
    old: &'a Value,
}

impl<'a> Pair<'a> {
    /// A field, where both have it.
    fn key(self, name: &str) -> Option<Pair<'a>> {
        let (value, old) = (self.value.as_object()?.get(name)?, self.old.as_object()?.get(name)?);
        let known = self.schema.get("properties").and_then(|known| known.get(name));
        let additional = self.schema.get("additionalProperties").filter(|of| of.is_object());
        Some(Pair { schema: known.or(additional)?, value, old })
    }

    /// An element, where lists are maps and the old one has the same keys.
    fn index(self, index: usize) -> Option<Pair<'a>> {
        let (value, old) = (self.value.as_array()?.get(index)?, self.old.as_array()?);
        let schema = self.schema;
        if text(schema, "x-kubernetes-list-type") != "map" || text(schema, "type") != "array" {
            return None;
        }
        let keys = list(schema, "x-kubernetes-list-map-keys");
        let identity = |item: &'a Value| -> Option<Vec<&'a Value>> {
            let of = |key: &Value| {
                let value = item.as_object()?.get(key.as_str()?)?;
                (value.is_boolean() || value.is_number() || value.is_string()).then_some(value)
            };
            keys.iter().map(of).collect()
        };
        let own = identity(value).filter(|own| !own.is_empty())?;
        let old = old.iter().find(|old| identity(old).as_ref() == Some(&own))?;
        Some(Pair { schema: schema.get("items")?, value, old })
    }

    /// Whether nothing changed, as far as that can be told: fields that the schema does not have
    /// count as changed.
    fn same(self) -> bool {
        match (self.value, self.old) {
            (Value::Array(new), Value::Array(old)) if new.len() == old.len() => {
                let map = text(self.schema, "x-kubernetes-list-type") == "map";
                for index in 0..new.len() {
                    match self.index(index) {
                        Some(item) if item.same() => {}
                        None if !map => return new == old,
                        _ => return false,
                    }
                }
                true
            }
            (Value::Object(new), Value::Object(old)) => {
                new.len() == old.len()
                    && new.keys().all(|name| self.key(name).is_some_and(Pair::same))
            }
            (new, old) => new == old,
        }
    }
}

/// Checks a value that is not complained about where it is as it was.
fn ratcheted(pair: Pair<'_>, schema: &Value, path: &str) -> Found {
    let mut found = check(schema, pair.value, Some((pair, path)), path);
    if !found.is_valid() && pair.same() {
        found.errors.clear();
    }
    found
}

/// What was before, and the path of the value that it is compared with.
type Before<'a> = Option<(Pair<'a>, &'a str)>;

/// Checks a field of a value.
fn member(schema: &Value, name: &str, value: &Value, before: Before<'_>, path: &str) -> Found {
    let inner = before.and_then(|(pair, at)| {
        // A kind is converted, and so not seen to change.
        let head = at.is_empty() && matches!(name, "kind" | "apiVersion");
        pair.key(name).filter(|_| !head)
    });
    match inner {
        Some(inner) => ratcheted(inner, schema, path),
        None => check(schema, value, None, path),
    }
}

fn check(schema: &Value, value: &Value, before: Before<'_>, path: &str) -> Found {
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
        || is_format(schema)
    {
        rule(of_type(schema, value, path));
    }
    rule(junctors(schema, value, path));
    match value {
        Value::String(own) => {
            rule(of_text(schema, own, path));
            if let Some(found) = of_format(schema, own, path) {
                rule(found);
            }
        }
        Value::Number(number) => rule(of_number(schema, number, path)),
        Value::Array(items) => rule(of_list(schema, items, before, path)),
        _ => {}
    }
    rule(of_enum(schema, value, path));
    if let Value::Object(members) = value {
        rule(of_object(schema, members, before, path));
    }
    found.count += 1;
    found
}

/// `anyOf`, `oneOf`, `allOf` and `not`, in this order. What was before does not matter in them.
fn junctors(schema: &Value, value: &Value, path: &str) -> Found {
    let mut found = Found { count: 1, ..Found::default() };
    let shown = crate::status::quote(path);
    let further = |result: &Found, best: &Option<Found>| {
        best.as_ref().is_none_or(|best| result.count > best.count)
    };
    let (mut best, mut first): (Option<Found>, Option<Found>) = (None, None);
    for one in list(schema, "anyOf") {
        let result = check(one, value, None, path);
        if result.is_valid() {
            first = Some(result);
            break;
        }
        if further(&result, &best) {
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
    let one_of = list(schema, "oneOf");
    let (mut best, mut first, mut valid): (Option<Found>, Option<Found>, usize) = (None, None, 0);
    for one in one_of {
        let result = check(one, value, None, path);
        if result.is_valid() {
            valid += 1;
            best = None;
            first.get_or_insert(result);
        } else if valid == 0 && further(&result, &best) {
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
    let all = list(schema, "allOf");
    let mut valid = 0;
    for one in all {
        let result = check(one, value, None, path);
        valid += usize::from(result.is_valid());
        found.merge(result);
    }
    if valid != all.len() {
        let more = if valid == 0 { ". None validated" } else { "" };
        found.push(plain(format!("{shown} must validate all the schemas (allOf){more}")));
    }
    if let Some(not) = schema.get("not").filter(|not| !not.is_null())
        && check(not, value, None, path).is_valid()
    {
        found.push(plain(format!("{shown} must not validate the schema (not)")));
    }
    found
}

/// A bound of a length: none of those that are negative can be kept or broken by a length.
fn limit(schema: &Value, name: &str) -> Option<i64> {
    schema.get(name)?.as_i64()
}

fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn too_many(path: &str, count: usize, most: i64) -> FieldError {
    FieldError::too_many(field(path), count, usize::try_from(most).ok())
}

fn of_list(schema: &Value, items: &[Value], before: Before<'_>, path: &str) -> Found {
    let mut found = Found { count: 1, ..Found::default() };
    if let Some(of) = schema.get("items").filter(|of| of.is_object()) {
        for (i, item) in items.iter().enumerate() {
            let path = format!("{path}[{i}]");
            found.merge(match before.and_then(|(pair, _)| pair.index(i)) {
                Some(inner) => ratcheted(inner, of, &path),
                None => check(of, item, None, &path),
            });
        }
    }
    let count = length(items.len());
    if let Some(least) = limit(schema, "minItems").filter(|least| count < *least) {
        let detail = format!("{path} in body should have at least {least} items");
        found.merge(invalid(path, count, detail));
    }
    if let Some(most) = limit(schema, "maxItems").filter(|most| count > *most) {
        found.push(too_many(path, items.len(), most));
    }
    if flag(schema, "uniqueItems")
        && items.iter().enumerate().any(|(i, item)| items[..i].contains(item))
    {
        found.merge(invalid(path, "", format!("{path} in body shouldn't contain duplicates")));
    }
    found
}

fn of_object(
    schema: &Value,
    members: &Map<String, Value>,
    before: Before<'_>,
    path: &str,
) -> Found {
    let mut found = Found::default();
    let count = length(members.len());
    if let Some(least) = limit(schema, "minProperties").filter(|least| count < *least) {
        let detail = format!("{path} in body should have at least {least} properties");
        found.merge(invalid(path, count, detail));
    }
    if let Some(most) = limit(schema, "maxProperties").filter(|most| count > *most) {
        found.push(too_many(path, members.len(), most));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let known = |key: &str| properties.and_then(|all| all.get(key));
    let additional = schema.get("additionalProperties");
    for (key, value) in members.iter().filter(|(key, _)| known(key).is_none()) {
        let inner = format!("{path}.{key}");
        match additional {
            Some(Value::Bool(false)) => {
                let detail = format!("{inner} in body is a forbidden property");
                found.merge(invalid(path, key.as_str(), detail));
            }
            Some(of @ Value::Object(_)) => found.merge(member(of, key, value, before, &inner)),
            _ => {}
        }
    }
    for (key, of) in properties.into_iter().flatten().filter(|(key, _)| *key != RAW) {
        if let Some(value) = members.get(key) {
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            found.merge(member(of, key, value, before, &inner));
        }
    }
    for key in list(schema, "required").iter().filter_map(Value::as_str) {
        if !members.contains_key(key) {
            found.push(FieldError::required(field(&format!("{path}.{key}")), ""));
        }
    }
    found
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
            let errors = schema.validate(&object, None);
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
        assert!(schema.validate(&object("long", "y"), Some(&old)).is_empty());
        assert_eq!(schema.validate(&object("long", "long"), Some(&old)).len(), 1);
        assert_eq!(schema.validate(&object("longer", "y"), Some(&old)).len(), 1);
    }
}
