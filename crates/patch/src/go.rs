//! Values as Go's `fmt` prints them, and the names of their Go types: parts of error messages.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// A value as Go's `%v` prints it: `map[a:1 b:[x y]]`.
///
/// ```
/// use serde_json::json;
/// let value = json!({"b": ["x", null], "a": 1e6});
/// assert_eq!(pintle_patch::go_print(&value), "map[a:1e+06 b:[x <nil>]]");
/// ```
pub fn go_print(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, Verb::V);
    out
}

/// `%v` of a scalar that is mostly a string.
pub(crate) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(go_print(other)),
    }
}

/// `%s` of a value: strings as they are, other scalars with Go's complaint.
pub(crate) fn print_s(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed("%!s(<nil>)"),
        other => {
            let mut out = String::new();
            write(&mut out, other, Verb::S);
            Cow::Owned(out)
        }
    }
}

/// `%v` of an object.
pub(crate) fn print_object(object: &Map<String, Value>) -> String {
    let mut out = String::new();
    write_object(&mut out, object, Verb::V);
    out
}

/// `%v` of a list.
pub(crate) fn print_list(items: &[Value]) -> String {
    let mut out = String::new();
    write_list(&mut out, items, Verb::V);
    out
}

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    V,
    S,
}

fn write(out: &mut String, value: &Value, verb: Verb) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::String(text) => out.push_str(text),
        Value::Array(items) => write_list(out, items, verb),
        Value::Object(map) => write_object(out, map, verb),
        Value::Bool(_) | Value::Number(_) if verb == Verb::S => {
            let _ = write!(out, "%!s({}=", Kind::of(value).scalar());
            write(out, value, Verb::V);
            out.push(')');
        }
        Value::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Number(number) => match number.as_i64() {
            Some(integer) => {
                let _ = write!(out, "{integer}");
            }
            None => write_float(out, number.as_f64().unwrap_or_default()),
        },
    }
}

fn write_list(out: &mut String, items: &[Value], verb: Verb) {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        write(out, item, verb);
    }
    out.push(']');
}

fn write_object(out: &mut String, map: &Map<String, Value>, verb: Verb) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    out.push_str("map[");
    for (i, (key, value)) in entries.into_iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        let _ = write!(out, "{key}:");
        write(out, value, verb);
    }
    out.push(']');
}

/// Go's `%v` of a float64: the shortest digits, with an exponent when it is below -4 or above
/// 5.
fn write_float(out: &mut String, value: f64) {
    let shortest = format!("{value:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        let _ = write!(out, "{value}");
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{digits}e{sign}{:02}", exponent.abs());
    }
}

/// A string as Go's `%q` prints it.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            ' '..='~' => out.push(c),
            '\0'..='\x7f' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if is_print(c) => out.push(c),
            c if u32::from(c) < 0x10000 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// Go's `strconv.IsPrint` for what is not ASCII, by way of Rust's table of the same property.
fn is_print(c: char) -> bool {
    // A letter before it keeps combining marks from being escaped for their own sake.
    let text: String = ['a', c].into_iter().collect();
    text.escape_debug().eq(text.chars())
}

/// Which Go type a JSON value is decoded to; Go compares these before it compares values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Int,
    Float,
    String,
    List,
    Object,
}

impl Kind {
    pub(crate) fn of(value: &Value) -> Kind {
        match value {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Number(number) if number.is_i64() => Kind::Int,
            Value::Number(_) => Kind::Float,
            Value::String(_) => Kind::String,
            Value::Array(_) => Kind::List,
            Value::Object(_) => Kind::Object,
        }
    }

    /// Go's name of the type, as `%s` prints it.
    pub(crate) fn go_type(self) -> &'static str {
        match self {
            Kind::Null => "%!s(<nil>)",
            Kind::List => "[]interface {}",
            Kind::Object => "map[string]interface {}",
            scalar => scalar.scalar(),
        }
    }

    fn scalar(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "int64",
            Kind::Float => "float64",
            _ => "string",
        }
    }
}

/// What Go's JSON decoder calls a value in its complaints.
pub(crate) fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn printing() {
        for (value, v, s) in [
            (json!(null), "<nil>", "%!s(<nil>)"),
            (json!("a b"), "a b", "a b"),
            (json!(-3), "-3", "%!s(int64=-3)"),
            (json!(true), "true", "%!s(bool=true)"),
            (json!([1, "x", null]), "[1 x <nil>]", "[%!s(int64=1) x <nil>]"),
            (json!({"b": 1.5, "a": {}}), "map[a:map[] b:1.5]", "map[a:map[] b:%!s(float64=1.5)]"),
            (json!(1e21), "1e+21", "%!s(float64=1e+21)"),
            (json!(0.00001), "1e-05", "%!s(float64=1e-05)"),
            (json!(123456789.5), "1.234567895e+08", "%!s(float64=1.234567895e+08)"),
        ] {
            assert_eq!(go_print(&value), v);
            assert_eq!(print_s(&value), s);
        }
    }

    #[test]
    fn quoting() {
        assert_eq!(quote("a\"b\\\n\x01\u{7f}é\u{a0}\u{301}"), r#""a\"b\\\n\x01\x7fé\u00a0́""#);
    }
}
