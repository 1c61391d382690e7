//! The values that field errors show. Go: `field.Error.BadValue` and how `ErrorBody` prints it.

use std::fmt::Write;

use crate::Str;
use crate::parse_error::quote;

/// The value that a field error is about, as its message shows it: texts in quotes, numbers and booleans bare,
/// anything else as JSON.
///
/// Go tells its `string` from types that are made of it, such as `Protocol`: the first is quoted as `%q`
/// does, the second as JSON. `From<&str>` is the first, [`BadValue::named`] the second. They differ in
/// characters that JSON or HTML escape.
///
/// ```
/// use pintle_apimachinery::validation::{BadValue, FieldError};
///
/// let shown = |value: BadValue| FieldError::invalid("f", value, "").body();
/// assert_eq!(shown("a<b".into()), r#"Invalid value: "a<b""#);
/// assert_eq!(shown(BadValue::named("a<b")), r#"Invalid value: "a\u003cb""#);
/// assert_eq!(shown(BadValue::NULL), "Invalid value: null");
/// assert_eq!(shown(7.into()), "Invalid value: 7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BadValue(std::borrow::Cow<'static, str>);

impl BadValue {
    /// Go's nil.
    pub const NULL: BadValue = BadValue(std::borrow::Cow::Borrowed("null"));

    /// A value whose JSON is this.
    pub fn json(json: impl Into<String>) -> BadValue {
        BadValue(json.into().into())
    }

    /// The value of a type that is made of strings.
    pub fn named(text: &str) -> BadValue {
        BadValue::json(go_json_string(text))
    }

    /// A list of texts, as JSON.
    pub fn list<T: AsRef<str>>(texts: &[T]) -> BadValue {
        let texts: Vec<String> = texts.iter().map(|text| go_json_string(text.as_ref())).collect();
        BadValue::json(format!("[{}]", texts.join(",")))
    }

    /// How the message shows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for BadValue {
    fn from(text: &str) -> BadValue {
        BadValue::json(quote(text).to_string())
    }
}

impl From<&Str> for BadValue {
    fn from(text: &Str) -> BadValue {
        BadValue::from(text.as_str())
    }
}

impl From<&String> for BadValue {
    fn from(text: &String) -> BadValue {
        BadValue::from(text.as_str())
    }
}

macro_rules! bare_values {
    ($($type:ty)+) => {$(
        impl From<$type> for BadValue {
            fn from(value: $type) -> BadValue {
                BadValue::json(value.to_string())
            }
        }
    )+};
}
bare_values!(i32 i64 u32 u64 usize bool);

/// As Go's `%v` shows floats.
impl From<f64> for BadValue {
    fn from(value: f64) -> BadValue {
        BadValue::json(go_float(value))
    }
}

/// As the value of an unstructured object shows: strings quoted, the rest as JSON.
impl From<&serde_json::Value> for BadValue {
    fn from(value: &serde_json::Value) -> BadValue {
        match value {
            serde_json::Value::String(text) => text.into(),
            serde_json::Value::Number(number) if number.is_f64() => {
                number.as_f64().unwrap_or_default().into()
            }
            other => {
                let mut json = String::new();
                go_json(other, &mut json);
                BadValue::json(json)
            }
        }
    }
}

/// Go's shortest form of a float, with an exponent below 1e-4 and from 1e6 on.
fn go_float(value: f64) -> String {
    let shortest = format!("{value:e}");
    let Some((digits, power)) = shortest.split_once('e') else {
        return match value {
            f64::INFINITY => "+Inf".to_owned(),
            f64::NEG_INFINITY => "-Inf".to_owned(),
            _ => "NaN".to_owned(),
        };
    };
    match power.parse::<i32>() {
        Ok(power) if value != 0.0 && !(-4..6).contains(&power) => {
            let sign = if power < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", power.unsigned_abs())
        }
        _ => value.to_string(),
    }
}

/// Go's JSON of a value, whose members are in the order of their names.
fn go_json(value: &serde_json::Value, out: &mut String) {
    use serde_json::Value;
    match value {
        Value::String(text) => out.push_str(&go_json_string(text)),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                go_json(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            out.push('{');
            for (i, name) in names.into_iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                out.push_str(&go_json_string(name));
                out.push(':');
                go_json(&members[name], out);
            }
            out.push('}');
        }
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or_default();
            let scientific = float != 0.0 && !(1e-6..1e21).contains(&float.abs());
            let text = if scientific { format!("{float:e}") } else { float.to_string() };
            // Go writes e+21, but e-7 without the zero that %v has.
            out.push_str(&if text.contains("e-") { text } else { text.replace('e', "e+") });
        }
        other => {
            // Writing to a string does not fail.
            let _ = write!(out, "{other}");
        }
    }
}

/// Go's JSON of a text, which escapes what means something in HTML.
pub(crate) fn go_json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_go_shows_them() {
        #[track_caller]
        fn check(value: f64, expect: &str) {
            assert_eq!(BadValue::from(value).as_str(), expect);
        }
        check(0.0, "0");
        check(1.5, "1.5");
        check(100000.0, "100000");
        check(123456789.0, "1.23456789e+08");
        check(1e20, "1e+20");
        check(1e21, "1e+21");
        check(-2.5e-7, "-2.5e-07");
        check(0.0001, "0.0001");
        check(0.00001, "1e-05");
        check(f64::INFINITY, "+Inf");
    }

    #[test]
    fn json_as_go_marshals_it() {
        let value = serde_json::json!({"b": [1, "<", null], "a": {"x": 1.5, "y": 1e21, "z": 1e-7}});
        let expect = r#"{"a":{"x":1.5,"y":1e+21,"z":1e-7},"b":[1,"\u003c",null]}"#;
        assert_eq!(BadValue::from(&value).as_str(), expect);
    }
}
