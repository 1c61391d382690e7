//! Following a path. Go: `jsonpath.go`, and the comparisons of `text/template`.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::Node;
use crate::ParseError;

type Found<'a> = Vec<Cow<'a, Value>>;
/// What went wrong, and what was found until then: Go looks at it where it asks whether something
/// exists.
type Failed<'a> = (Found<'a>, ParseError);

fn fail<T>(message: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError::new(message.into()))
}

/// What the nodes lead to, one after the other.
pub(super) fn walk<'a>(mut values: Found<'a>, nodes: &'a [Node]) -> Result<Found<'a>, Failed<'a>> {
    for node in nodes {
        values = step(values, node)?;
    }
    Ok(values)
}

fn step<'a>(values: Found<'a>, node: &'a Node) -> Result<Found<'a>, Failed<'a>> {
    let mut out = Vec::new();
    match node {
        Node::Literal(value) => out.extend(values.iter().map(|_| Cow::Borrowed(value))),
        Node::Identifier(name) => {
            return Err((values, ParseError::new(format!("unrecognized identifier {name}"))));
        }
        Node::Field(name) => {
            out.extend(values.into_iter().filter_map(|v| child(v, |v| v.get(name.as_str()))));
        }
        Node::Wildcard => values.iter().for_each(|value| out.extend(children(value))),
        Node::Recursive => {
            let mut rest = values;
            rest.reverse();
            // Depth first, as Go recurses: each value that has something below it, then that.
            while let Some(value) = rest.pop() {
                let below = children(&value);
                if !below.is_empty() {
                    rest.extend(below.into_iter().rev());
                    out.push(value);
                }
            }
        }
        Node::Union(parts) => {
            for part in parts {
                match walk(values.clone(), part) {
                    Ok(found) => out.extend(found),
                    Err((_, error)) => return Err((values, error)),
                }
            }
        }
        Node::Slice(bounds, derived) => match slices(&values, *bounds, *derived) {
            Ok(found) => out = found,
            Err(error) => return Err((values, error)),
        },
        Node::Exists(path) => match items(&values) {
            Ok(items) => out.extend(items.into_iter().filter(|item| {
                let (Ok(found) | Err((found, _))) = walk(vec![item.clone()], path);
                !found.is_empty()
            })),
            Err(error) => return Err((values, error)),
        },
        Node::Filter(left, operator, right) => {
            let side = |item: &Cow<'a, Value>, path: &'a [Node]| {
                walk(vec![item.clone()], path).map_err(|(_, error)| error).and_then(one)
            };
            let all = match items(&values) {
                Ok(items) => items,
                Err(error) => return Err((values, error)),
            };
            for item in all {
                // Without a left side the right one is not looked at.
                let sides = match side(&item, left) {
                    Ok(Some(left)) => side(&item, right).map(|right| right.map(|r| (left, r))),
                    other => other.map(|_| None),
                };
                match sides {
                    Ok(None) => {}
                    Ok(Some((left, right))) => match compare(&left, operator, &right) {
                        Ok(true) => out.push(item),
                        Ok(false) => {}
                        Err(error) => return Err((out, error)),
                    },
                    Err(error) => return Err((values, error)),
                }
            }
        }
    }
    Ok(out)
}

fn slices<'a>(
    values: &Found<'a>,
    bounds: [Option<i64>; 3],
    derived: bool,
) -> Result<Found<'a>, ParseError> {
    let mut out = Vec::new();
    for value in values.iter().filter(|value| !value.is_null()) {
        let Some(length) = value.as_array().map(Vec::len) else {
            return fail(format!("{} is not array or slice", type_name(value)));
        };
        for i in indices(bounds, derived, length as i64)? {
            out.extend(child(value.clone(), |v| v.get(i)));
        }
    }
    Ok(out)
}

/// A part of a value, borrowed if the value is.
fn child<'a>(
    value: Cow<'a, Value>,
    get: impl Fn(&Value) -> Option<&Value>,
) -> Option<Cow<'a, Value>> {
    match value {
        Cow::Borrowed(value) => get(value).map(Cow::Borrowed),
        Cow::Owned(value) => get(&value).cloned().map(Cow::Owned),
    }
}

/// Everything in an object, a list or (as numbers) the bytes of a text.
fn children<'a>(value: &Cow<'a, Value>) -> Found<'a> {
    match value {
        Cow::Borrowed(Value::Object(map)) => map.values().map(Cow::Borrowed).collect(),
        Cow::Borrowed(Value::Array(list)) => list.iter().map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Object(map)) => map.values().cloned().map(Cow::Owned).collect(),
        Cow::Owned(Value::Array(list)) => list.iter().cloned().map(Cow::Owned).collect(),
        other => match &**other {
            Value::String(text) => text.bytes().map(|b| Cow::Owned(Value::from(b))).collect(),
            _ => Vec::new(),
        },
    }
}

fn items<'a>(values: &Found<'a>) -> Result<Found<'a>, ParseError> {
    let mut out = Vec::new();
    for value in values {
        if !value.is_array() {
            return fail(format!(
                "{} is not array or slice and cannot be filtered",
                json_path_text(value)
            ));
        }
        out.extend(children(value));
    }
    Ok(out)
}

fn one(mut found: Found<'_>) -> Result<Option<Cow<'_, Value>>, ParseError> {
    if found.len() > 1 {
        return fail("can only compare one element at a time");
    }
    Ok(found.pop())
}

/// The elements that `begin:end:step` means in a list.
fn indices(
    [begin, end, step]: [Option<i64>; 3],
    derived: bool,
    length: i64,
) -> Result<impl Iterator<Item = usize>, ParseError> {
    let mut begin = begin.unwrap_or(0);
    if begin < 0 {
        begin = begin.saturating_add(length);
    }
    let mut end = end.unwrap_or(length);
    if end < 0 || (end == 0 && derived) {
        end = end.saturating_add(length);
    }
    if begin != end {
        let out_of_bounds =
            |index: i64| fail(format!("array index out of bounds: index {index}, length {length}"));
        if begin >= length || begin < 0 {
            return out_of_bounds(begin);
        }
        if end > length || end < 0 {
            return out_of_bounds(end.saturating_sub(1));
        }
        if begin > end {
            return fail(format!("starting index {begin} is greater than ending index {end}"));
        }
    }
    let step = match step {
        Some(step) if step <= 0 && begin != end => return fail("step must be > 0"),
        step => step.unwrap_or(1).max(1),
    };
    let indices = begin.max(0) as usize..end.max(0) as usize;
    Ok(indices.step_by(usize::try_from(step).unwrap_or(usize::MAX)))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn compare(left: &Value, operator: &str, right: &Value) -> Result<bool, ParseError> {
    // `None` where the two can only be equal or not.
    let order: Option<Ordering> = match (left, right) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            (None, None) => a.as_f64().partial_cmp(&b.as_f64()),
            _ => return fail("incompatible types for comparison"),
        },
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) if matches!(operator, "==" | "!=") => Some(a.cmp(b)),
        (Value::Bool(_), Value::Bool(_)) => return fail("invalid type for comparison"),
        (Value::Null | Value::Array(_) | Value::Object(_), _)
        | (_, Value::Null | Value::Array(_) | Value::Object(_)) => {
            return fail("invalid type for comparison");
        }
        _ => return fail("incompatible types for comparison"),
    };
    let order = order.unwrap_or(Ordering::Equal);
    Ok(match operator {
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<=" => order.is_le(),
        ">=" => order.is_ge(),
        _ => return fail(format!("unrecognized filter operator {operator}")),
    })
}

/// A value as Go's templates print it: texts bare, lists and objects as JSON.
pub(crate) fn json_path_text(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number_text(number, -4, 6),
        Value::Array(_) | Value::Object(_) => {
            let mut out = String::new();
            go_json(value, &mut out);
            out
        }
    }
}

/// A text as Go writes it in JSON, with what means something in HTML escaped.
fn go_json_string(text: &str) -> String {
    let json = Value::from(text).to_string();
    if !json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}

/// JSON as Go writes it: members sorted, `<`, `>` and `&` escaped.
fn go_json(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (i, (key, value)) in members.into_iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                out.push_str(&go_json_string(key));
                out.push(':');
                go_json(value, out);
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (i, value) in list.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                go_json(value, out);
            }
            out.push(']');
        }
        Value::String(text) => out.push_str(&go_json_string(text)),
        Value::Number(number) => {
            let text = number_text(number, -6, 21);
            // JSON has no zero before a small negative exponent.
            match text.split_once("e-0") {
                Some((mantissa, digit)) => {
                    out.push_str(mantissa);
                    out.push_str("e-");
                    out.push_str(digit);
                }
                None => out.push_str(&text),
            }
        }
        Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
    }
}

/// A number in Go's shortest form: with an exponent if that is less than `least` or at least `most`.
fn number_text(number: &Number, least: i32, most: i32) -> String {
    if let Some(whole) = number.as_i64() {
        return whole.to_string();
    }
    let scientific = format!("{:e}", number.as_f64().unwrap_or(0.0));
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (least..most).contains(&exponent) {
        return number.as_f64().unwrap_or(0.0).to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
