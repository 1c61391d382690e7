//! How Go's `fmt` prints JSON values: `%v`, `%#v` and `%q`. Users see these texts in messages of
//! the API server.
use super::{Num, num};
use serde_json::{Map, Value};
use std::fmt::Write;

/// Go's `%v` of a float: the shortest digits, with an exponent below 1e-4 and from 1e6 on.
pub(super) fn float_g(f: f64) -> String {
    let (sign, digits, exponent) = shortest(f);
    if (-4..6).contains(&exponent) {
        plain(sign, &digits, exponent)
    } else {
        with_exponent(sign, &digits, exponent)
    }
}

/// Sign, significant digits and decimal exponent of the shortest text that reads back the same.
pub(super) fn shortest(f: f64) -> (&'static str, String, i32) {
    let sign = if f.is_sign_negative() { "-" } else { "" };
    let text = format!("{:e}", f.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (sign, mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

/// `1.5e+21`.
pub(super) fn with_exponent(sign: &str, digits: &str, exponent: i32) -> String {
    let (first, rest) = digits.split_at(1);
    let dot = if rest.is_empty() { "" } else { "." };
    let e_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{dot}{rest}e{e_sign}{:02}", exponent.unsigned_abs())
}

/// `1500` or `0.0015`.
pub(super) fn plain(sign: &str, digits: &str, exponent: i32) -> String {
    let mut out = String::from(sign);
    let point = exponent + 1;
    if point <= 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
        out.push_str(digits);
    } else {
        let point = point as usize;
        out.push_str(&digits[..point.min(digits.len())]);
        if point >= digits.len() {
            out.extend(std::iter::repeat_n('0', point - digits.len()));
        } else {
            out.push('.');
            out.push_str(&digits[point..]);
        }
    }
    out
}

/// Go's `%q`: `strconv.Quote`.
pub(crate) fn quote(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    out.push('"');
    for c in s.chars() {
        // Writing to a string does not fail.
        let _ = match c {
            '"' => out.write_str("\\\""),
            '\\' => out.write_str("\\\\"),
            '\x07' => out.write_str("\\a"),
            '\x08' => out.write_str("\\b"),
            '\x0c' => out.write_str("\\f"),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            '\x0b' => out.write_str("\\v"),
            ' '..='~' => out.write_char(c),
            c if c < '\u{80}' => write!(out, "\\x{:02x}", u32::from(c)),
            c if printable(c) => out.write_char(c),
            c if c <= '\u{ffff}' => write!(out, "\\u{:04x}", u32::from(c)),
            c => write!(out, "\\U{:08x}", u32::from(c)),
        };
    }
    out.push('"');
    out
}

/// Whether Go's `unicode.IsPrint` holds, of a character beyond ASCII: no control, format,
/// private or unassigned character and no space.
fn printable(c: char) -> bool {
    // After another character the standard library escapes only what cannot be printed.
    let mut text = [0; 5];
    text[0] = b'a';
    let n = c.encode_utf8(&mut text[1..]).len();
    let text = std::str::from_utf8(&text[..=n]).unwrap_or("a");
    !text.escape_debug().any(|e| e == '\\')
}

/// Go's `%v` of a value of structured-merge-diff, which is a pointer to a struct around the
/// unstructured value: `&{map[a:1]}`.
pub(crate) fn go_value(v: &Value) -> String {
    let mut out = String::from("&{");
    put_value(v, &mut out);
    out.push('}');
    out
}

/// Go's `%v` of an unstructured value: `map[a:1]`.
pub(crate) fn go_plain(v: &Value) -> String {
    let mut out = String::new();
    put_value(v, &mut out);
    out
}

/// Go's `%#v` of an unstructured value: `map[string]interface {}{"a":1}`.
pub(crate) fn go_syntax_bare(v: &Value) -> String {
    if v.is_null() {
        return "<nil>".into();
    }
    let mut out = String::new();
    put_syntax(v, &mut out);
    out
}

fn put_value(v: &Value, out: &mut String) {
    match v {
        Value::Null => out.push_str("<nil>"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => match num(n) {
            Num::Int(i) => out.push_str(&i.to_string()),
            Num::Float(f) => out.push_str(&float_g(f)),
        },
        Value::String(s) => out.push_str(s),
        Value::Array(a) => {
            out.push('[');
            for (i, v) in a.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                put_value(v, out);
            }
            out.push(']');
        }
        Value::Object(o) => {
            out.push_str("map[");
            for (i, (k, v)) in sorted(o).into_iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                out.push_str(k);
                out.push(':');
                put_value(v, out);
            }
            out.push(']');
        }
    }
}

fn sorted(o: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = o.iter().collect();
    members.sort_unstable_by_key(|m| m.0);
    members
}

/// Go's `%#v` of a value of structured-merge-diff: `&value.valueUnstructured{Value:1}`.
pub(crate) fn go_syntax(v: &Value) -> String {
    let mut out = String::from("&value.valueUnstructured{Value:");
    put_syntax(v, &mut out);
    out.push('}');
    out
}

fn put_syntax(v: &Value, out: &mut String) {
    match v {
        Value::Null => out.push_str("interface {}(nil)"),
        Value::String(s) => out.push_str(&quote(s)),
        Value::Array(a) => {
            out.push_str("[]interface {}{");
            for (i, v) in a.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                put_syntax(v, out);
            }
            out.push('}');
        }
        Value::Object(o) => {
            out.push_str("map[string]interface {}{");
            for (i, (k, v)) in sorted(o).into_iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                out.push_str(&quote(k));
                out.push(':');
                put_syntax(v, out);
            }
            out.push('}');
        }
        scalar => put_value(scalar, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn as_go_prints_them() {
        let v = json!({"b": [1, "x", null, true, 1.5], "a": {}});
        assert_eq!(go_value(&v), "&{map[a:map[] b:[1 x <nil> true 1.5]]}");
        assert_eq!(
            go_syntax(&v),
            "&value.valueUnstructured{Value:map[string]interface {}{\"a\":map[string]interface {}{}, \
             \"b\":[]interface {}{1, \"x\", interface {}(nil), true, 1.5}}}"
        );
    }

    #[test]
    fn quoted() {
        for (s, text) in [
            (
                "a\u{200b}b\x7f\u{ad}\u{301}é😀\x08\x0b\\\"\u{2028}",
                "\"a\\u200bb\\x7f\\u00ad\u{301}é😀\\b\\v\\\\\\\"\\u2028\"",
            ),
            ("\u{10ffff}\u{a0}", "\"\\U0010ffff\\u00a0\""),
        ] {
            assert_eq!(quote(s), text);
        }
    }

    #[test]
    fn floats() {
        for (f, text) in [
            (1e6, "1e+06"),
            (1e5, "100000"),
            (1e20, "1e+20"),
            (0.0001, "0.0001"),
            (1e-5, "1e-05"),
            (1.5, "1.5"),
            (0.0, "0"),
            (1e-7, "1e-07"),
            (12_345_678_901_234_567_890.0, "1.2345678901234567e+19"),
            (1234.5, "1234.5"),
            (1e100, "1e+100"),
        ] {
            assert_eq!(float_g(f), text);
        }
    }
}
