//! What ours says of the rules of declarative validation to the questions of `internal/answer/validation.go`, in
//! the shape of Go's answers.

use super::Answer;
use super::validation::{found, sorted};
use pintle_apimachinery::validation::declarative::{
    self as d, EnumExclusion, Operation, UnionMember, UnionMembership, UpdateConstraint,
};
use pintle_apimachinery::validation::{BadValue, FieldError, FieldErrors, FieldPath, Stability};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Our answer to a question; `None` if it is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    function.starts_with("declarative.").then(|| of_rules(function, input))
}

pub(crate) const CONSTRAINTS: &[(&str, UpdateConstraint)] = &[
    ("NoSet", UpdateConstraint::NoSet),
    ("NoUnset", UpdateConstraint::NoUnset),
    ("NoModify", UpdateConstraint::NoModify),
    ("NoAddItem", UpdateConstraint::NoAddItem),
    ("NoRemoveItem", UpdateConstraint::NoRemoveItem),
];

#[derive(Clone, PartialEq)]
struct Keyed {
    key: String,
    value: i64,
}

fn read_operation(input: &Value) -> Operation {
    let base = if input["update"] == true { Operation::update() } else { Operation::create() };
    let options = input["options"].as_object().into_iter().flatten();
    options.fold(base, |op, (name, on)| op.with_option(name, on == true))
}

fn text<'a>(v: &'a Value, name: &str) -> &'a str {
    v[name].as_str().unwrap_or_default()
}

fn texts<'a>(v: &'a Value, name: &str) -> Vec<&'a str> {
    v[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn read_keyed(v: &Value) -> Vec<Keyed> {
    let read =
        |v: &Value| Keyed { key: text(v, "key").into(), value: v["value"].as_i64().unwrap_or(0) };
    v.as_array().into_iter().flatten().map(read).collect()
}

fn read_marked(v: &Value) -> FieldErrors {
    let read = |v: &Value| {
        let path = FieldPath::new(text(v, "field"));
        let mut error = match text(v, "kind") {
            "Required" => FieldError::required(path, ""),
            "Internal" => FieldError::internal(path, "x"),
            _ => FieldError::invalid(path, "v", ""),
        };
        error.origin = ["", "format=x", "maxLength"]
            .into_iter()
            .find(|o| *o == text(v, "origin"))
            .unwrap_or_default();
        error.covered_by_declarative = v["covered"] == true;
        error.stability = match text(v, "stability") {
            "alpha" => Stability::Alpha,
            "beta" => Stability::Beta,
            _ => Stability::Standard,
        };
        error
    };
    v.as_array().into_iter().flatten().map(read).collect()
}

fn values(op: &Operation, path: &FieldPath, input: &Value) -> Value {
    let (value, other) = (text(input, "text"), text(input, "other"));
    let number = input["number"].as_i64().unwrap_or(0);
    let limit = input["bound"].as_i64().unwrap_or(0);
    let bound = limit as usize;
    let items = (number % 8).max(0) as usize;
    let (now, before) =
        ([!value.is_empty(), !other.is_empty()], [!other.is_empty(), !value.is_empty()]);
    let names = ["a", "b"];
    json!({
        "required": found(d::required(path, !value.is_empty())),
        "forbidden": found(d::forbidden(path, !value.is_empty())),
        "optional": found(d::optional(path, !value.is_empty())),
        "immutable": found(d::immutable(op, path)),
        "maxLength": found(d::max_length(path, value, bound)),
        "maxBytes": found(d::max_bytes(path, value, bound)),
        "minLength": found(d::min_length(path, value, bound)),
        "maxItems": found(d::max_items(path, items, bound)),
        "minItems": found(d::min_items(path, items, bound)),
        "maxProperties": found(d::max_properties(path, items, bound)),
        "minProperties": found(d::min_properties(path, items, bound)),
        "minimum": found(d::minimum(path, number, limit)),
        "maximum": found(d::maximum(path, number, limit)),
        "monotonic": found(d::monotonic(op, path, number, input["old"].as_i64())),
        "neq": found(d::not_equal(path, number, limit)),
        "neqText": found(d::not_equal_text(path, value, other)),
        "ifOption": found(d::if_option(op, path, text(input, "option"), input["wanted"] == true, || {
            d::forbidden(path, true)
        })),
        "dependentRequired": found(d::dependent_required(op, path, names, now, Some(before))),
        "dependentForbidden": found(d::dependent_forbidden(op, path, names, now, Some(before))),
        "dependentNew": found(d::dependent_required(op, path, names, now, None)),
    })
}

fn formats(path: &FieldPath, value: &str) -> Value {
    json!({
        "shortName": found(d::short_name(path, value)),
        "longName": found(d::long_name(path, value)),
        "longNameCaseless": found(d::long_name_caseless(path, value)),
        "labelKey": found(d::label_key(path, value)),
        "prefixedLabelKey": found(d::prefixed_label_key(path, value)),
        "labelValue": found(d::label_value(path, value)),
        "pathSegmentName": found(d::path_segment_name(path, value)),
        "uuid": found(d::uuid(path, value)),
        "resourcePoolName": found(d::resource_pool_name(path, value)),
        "extendedResourceName": found(d::extended_resource_name(path, value)),
        "resourceFullyQualifiedName": found(d::resource_fully_qualified_name(path, value)),
    })
}

fn unions(op: &Operation, path: &FieldPath, input: &Value) -> Value {
    let names = texts(input, "members");
    let plain: Vec<UnionMember<'_>> = names.iter().map(|n| UnionMember::new(n)).collect();
    let discriminated: Vec<UnionMember<'_>> = names
        .iter()
        .zip(["A", "B", "C", "D"])
        .map(|(name, value)| UnionMember::discriminated(name, value))
        .collect();
    let plain = UnionMembership::new(&plain);
    let discriminated = UnionMembership::discriminated("type", &discriminated);
    let read = |v: &Value| -> Option<(String, Vec<bool>)> {
        let set = v["set"].as_array()?.iter().map(|b| *b == true).collect();
        Some((text(v, "value").to_owned(), set))
    };
    let (value, set) = read(&input["new"]).unwrap_or_default();
    let old = read(&input["old"]);
    let old_set = old.as_ref().map(|(_, set)| &set[..]);
    let rule = |name: &'static str| {
        move |path: &FieldPath, v: &bool, old: Option<&bool>| -> FieldErrors {
            FieldError::invalid(path, *v, format!("{name} {}", old == Some(&true))).into()
        }
    };
    let (a, b, otherwise) = (rule("a"), rule("b"), rule("otherwise"));
    let rules = [
        d::DiscriminatedRule { value: "A".to_owned(), rule: &a },
        d::DiscriminatedRule { value: "B".to_owned(), rule: &b },
    ];
    let old_rule = old.as_ref().map(|(value, set)| (value, &set[0]));
    let equal = |a: &bool, b: &bool| a == b;
    let child = path.child("m");
    json!({
        "union": found(d::union(op, path, &plain, &set, old_set)),
        "zeroOrOneOf": found(d::zero_or_one_of(op, path, &plain, &set, old_set)),
        "discriminated": found(d::discriminated_union(
            op, path, &discriminated, (&value, &set), old.as_ref().map(|(v, s)| (v.as_str(), &s[..])),
        )),
        "rules": found(d::discriminated(
            op, &child, (&value, &set[0]), old_rule, equal, &rules, Some(&otherwise),
        )),
    })
}

fn lists(op: &Operation, path: &FieldPath, input: &Value) -> Value {
    let (new, old) = (read_keyed(&input["new"]), read_keyed(&input["old"]));
    let by_key = |a: &Keyed, b: &Keyed| a.key == b.key;
    let equal = |a: &Keyed, b: &Keyed| a == b;
    let number = |path: &FieldPath, v: &i64, old: Option<&i64>| -> FieldErrors {
        let was = old.map_or("new".to_owned(), i64::to_string);
        FieldError::invalid(path, *v, was).into()
    };
    let rule = |path: &FieldPath, v: &Keyed, old: Option<&Keyed>| {
        number(path, &v.value, old.map(|old| &old.value))
    };
    let show = |v: &Keyed| BadValue::json(format!("{{\"key\":{:?},\"value\":{}}}", v.key, v.value));
    let map = |items: &[Keyed]| -> BTreeMap<String, Keyed> {
        items.iter().map(|v| (v.key.clone(), v.clone())).collect()
    };
    let (new_map, old_map) = (map(&new), map(&old));
    let pairs = || new_map.iter().map(|(k, v)| (k.as_str(), v));
    let key_rule = |path: &FieldPath, key: &str| FieldError::invalid(path, key, "key").into();
    let mut out = json!({
        "byKey": found(d::each_value(op, path, &new, &old, Some(&by_key), Some(&equal), rule)),
        "byValue": found(d::each_value(op, path, &new, &old, Some(&equal), None, rule)),
        "each": found(d::each_value(op, path, &new, &old, None, None, rule)),
        "unique": found(d::unique(path, &new, by_key, show)),
        "item": found(d::item(op, path, &new, &old, |v| v.key == "a", equal, rule)),
        "mapValue": sorted(d::each_map_value(op, path, pairs(), |k| old_map.get(k), Some(&equal), rule)),
        "mapAll": sorted(d::each_map_value(op, path, pairs(), |k| old_map.get(k), None, rule)),
        "mapKey": sorted(d::each_map_key(
            op, path, new_map.keys().map(String::as_str), |k| old_map.contains_key(k), key_rule,
        )),
    });
    if let Some(first) = new.first() {
        out["subfield"] = found(d::subfield(
            op,
            path,
            (first, old.first()),
            "value",
            |v: &Keyed| &v.value,
            |a, b| a == b,
            number,
        ));
    }
    out
}

fn updates(op: &Operation, path: &FieldPath, input: &Value) -> Value {
    let (new, old) = (texts(input, "new"), texts(input, "old"));
    let constraints: Vec<UpdateConstraint> = texts(input, "constraints")
        .into_iter()
        .filter_map(|name| CONSTRAINTS.iter().find(|(n, _)| *n == name).map(|(_, c)| *c))
        .collect();
    let set = !text(input, "value").is_empty();
    let before = input["before"].as_str();
    let was_set = before.map(|b| !b.is_empty());
    let distinct = |all: &[&str]| -> Vec<String> {
        all.iter().map(|s| (*s).to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let (new_keys, old_keys) = (distinct(&new), distinct(&old));
    let new_keys: Vec<&str> = new_keys.iter().map(String::as_str).collect();
    let old_keys: Vec<&str> = old_keys.iter().map(String::as_str).collect();
    let c = &constraints;
    json!({
        "value": found(d::update_value(op, path, set, was_set, c)),
        "reflect": found(d::update_value(op, path, set, was_set, c)),
        "pointer": found(d::update_value(op, path, set, Some(before.is_some()), c)),
        "struct": found(d::update_struct(op, path, before.is_some(), c)),
        "list": found(d::update_list(op, path, &new, &old, |a, b| a == b, c)),
        "map": sorted(d::update_map(op, path, &new_keys, &old_keys, c)),
    })
}

fn of_rules(function: &str, input: &Value) -> Answer {
    let path = &FieldPath::new("f");
    let op = &read_operation(input);
    Ok(match function {
        "declarative.value" => values(op, path, input),
        "declarative.format" => formats(path, input.as_str().unwrap_or_default()),
        "declarative.enum" => {
            let exclusions: Vec<EnumExclusion<'_>> = input["exclusions"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|e| EnumExclusion {
                    value: text(e, "value"),
                    when: e["excludeWhen"] == true,
                    option: text(e, "option"),
                })
                .collect();
            let valid = texts(input, "valid");
            found(d::enum_value(op, path, text(input, "value"), &valid, &exclusions))
        }
        "declarative.union" => unions(op, path, input),
        "declarative.list" => lists(op, path, input),
        "declarative.update" => updates(op, path, input),
        "declarative.filter" => {
            let beta = input["beta"] == true;
            let enforced = d::enforced(read_marked(&input["declarative"]), beta);
            let kept = d::without_covered(read_marked(&input["handwritten"]), &enforced);
            json!({"enforced": found(enforced), "kept": found(kept)})
        }
        _ => return Err(format!("no function {function}")),
    })
}
