//! JSON values as structured-merge-diff sees them: their order, equality and texts.
//! Go: `sigs.k8s.io/structured-merge-diff/value` over unstructured values.
//!
//! An integer is a number that fits 64 bits with sign; every other number is a float. The two are
//! compared as numbers.
mod iter;
mod text;
mod write;

pub(crate) use iter::Iter;
pub(crate) use text::{go_plain, go_syntax, go_syntax_bare, go_value, quote};
pub(crate) use write::{put_json, put_string, standard_json, standard_string};

use serde_json::{Map, Number, Value};
use std::cmp::Ordering;

/// A number as Go holds it.
#[derive(Clone, Copy)]
enum Num {
    Int(i64),
    Float(f64),
}

fn num(n: &Number) -> Num {
    match n.as_i64() {
        Some(i) => Num::Int(i),
        None => Num::Float(n.as_f64().unwrap_or(0.0)),
    }
}

impl Num {
    fn float(self) -> f64 {
        match self {
            Num::Int(i) => i as f64,
            Num::Float(f) => f,
        }
    }
}

/// Whether two values are the same to structured merge: `1` equals `1.0`, the order of members
/// does not matter. Go: `value.Equals`.
///
/// ```
/// use pintle_structured_merge::value_equals;
/// use serde_json::json;
/// assert!(value_equals(&json!({"a": 1, "b": [true]}), &json!({"b": [true], "a": 1.0})));
/// assert!(!value_equals(&json!({"a": null}), &json!({})));
/// ```
pub fn value_equals(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (num(a), num(b)) {
            (Num::Int(a), Num::Int(b)) => a == b,
            (a, b) => a.float() == b.float(),
        },
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| value_equals(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(k, v)| b.get(k).is_some_and(|other| value_equals(v, other)))
        }
        (Value::Null, Value::Null) => true,
        _ => false,
    }
}

/// Numbers first, then strings, booleans, lists, maps, null.
fn rank(v: &Value) -> u8 {
    match v {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}

/// The order of values: numbers, strings, booleans, lists, maps, null; within a kind as one would
/// expect. Go: `value.Compare`.
///
/// ```
/// use pintle_structured_merge::value_compare;
/// use serde_json::json;
/// use std::cmp::Ordering;
/// assert_eq!(value_compare(&json!(2), &json!("1")), Ordering::Less);
/// assert_eq!(value_compare(&json!([1, 2]), &json!([1])), Ordering::Greater);
/// ```
pub fn value_compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (num(a), num(b)) {
            (Num::Int(a), Num::Int(b)) => a.cmp(&b),
            // JSON has no NaN.
            (a, b) => a.float().partial_cmp(&b.float()).unwrap_or(Ordering::Equal),
        },
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let first = a.iter().zip(b).map(|(a, b)| value_compare(a, b)).find(|o| o.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => compare_maps(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// Both maps are walked together in the order of all their keys.
fn compare_maps(a: &Map<String, Value>, b: &Map<String, Value>) -> Ordering {
    let mut keys: Vec<&String> = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))).collect();
    keys.sort_unstable();
    for (i, key) in keys.into_iter().enumerate() {
        let order = if i == a.len() {
            Ordering::Less
        } else if i == b.len() {
            Ordering::Greater
        } else {
            match (a.get(key), b.get(key)) {
                (None, _) => Ordering::Greater,
                (_, None) => Ordering::Less,
                (Some(a), Some(b)) => value_compare(a, b),
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// The text of a value in a path such as `[name="web"]`. Go: `value.ToString`.
pub(crate) fn value_text(v: &Value) -> String {
    match v {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => number_text(n),
        Value::String(s) => quote(s),
        Value::Array(a) => {
            let items: Vec<String> = a.iter().map(value_text).collect();
            format!("[{}]", items.join(","))
        }
        // Go writes members without anything between, in no order.
        Value::Object(o) => {
            let mut members: Vec<(&String, &Value)> = o.iter().collect();
            members.sort_unstable_by_key(|m| m.0);
            members.into_iter().map(|(k, v)| format!("{k}={}", value_text(v))).collect()
        }
    }
}

/// Go's `%v` of a number.
fn number_text(n: &Number) -> String {
    match num(n) {
        Num::Int(i) => i.to_string(),
        Num::Float(f) => text::float_g(f),
    }
}

/// Whether a value nests deeper than `limit`.
pub(crate) fn deeper_than(v: &Value, limit: usize) -> bool {
    match v {
        Value::Array(a) => limit == 0 || a.iter().any(|v| deeper_than(v, limit - 1)),
        Value::Object(o) => limit == 0 || o.values().any(|v| deeper_than(v, limit - 1)),
        _ => false,
    }
}

/// Go's name of the type behind an unstructured value: `%T`.
pub(crate) fn go_type(v: &Value) -> &'static str {
    match v {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(n) => match num(n) {
            Num::Int(_) => "int64",
            Num::Float(_) => "float64",
        },
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn order_is_that_of_kinds_then_values() {
        let ordered = [
            json!(-1.5),
            json!(1),
            json!(1.5),
            json!(u64::MAX),
            json!(""),
            json!("a"),
            json!(false),
            json!(true),
            json!([]),
            json!([1]),
            json!([1, 0]),
            json!({}),
            json!({"a": 2}),
            json!({"a": 2, "b": 1}),
            json!(null),
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(value_compare(a, b), i.cmp(&j), "{a} {b}");
                assert_eq!(value_equals(a, b), i == j, "{a} {b}");
            }
        }
    }

    #[test]
    fn integers_and_floats_are_numbers() {
        assert!(value_equals(&json!(1), &json!(1.0)));
        assert_eq!(value_compare(&json!(2), &json!(2.0)), Ordering::Equal);
        assert!(!value_equals(&json!(1), &json!("1")));
    }

    #[test]
    fn texts() {
        for (v, text) in [
            (json!(1_000_000), "1000000"),
            (json!(1_000_000.0), "1e+06"),
            (json!(0.00001), "1e-05"),
            (json!(123_456_789.0), "1.23456789e+08"),
            (json!(-0.0), "-0"),
            (json!("a\"\u{200b}\u{7f}é"), "\"a\\\"\\u200b\\x7fé\""),
            (json!([1, null, true]), "[1,null,true]"),
            (json!({"b": 1, "a": "x"}), "a=\"x\"b=1"),
        ] {
            assert_eq!(value_text(&v), text);
        }
    }

    #[test]
    fn depth() {
        let mut v = json!(1);
        for _ in 0..5 {
            v = json!([v]);
        }
        assert!(!deeper_than(&v, 5));
        assert!(deeper_than(&v, 4));
    }
}
