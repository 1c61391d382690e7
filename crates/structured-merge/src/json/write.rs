//! JSON as Go writes it: field sets with jsoniter, everything else with `encoding/json`.
use super::{Num, num, text};
use serde_json::Value;
use std::fmt::Write;

/// Appends a float as jsoniter does: an exponent below 1e-6 and from 1e21 on.
fn put_float(f: f64, out: &mut String) {
    let (sign, digits, exponent) = text::shortest(f);
    let plain = f == 0.0 || (1e-6..1e21).contains(&f.abs());
    out.push_str(&if plain {
        text::plain(sign, &digits, exponent)
    } else {
        text::with_exponent(sign, &digits, exponent)
    });
}

/// Appends a string with quotes as jsoniter does: no HTML escapes.
pub(crate) fn put_string(s: &str, out: &mut String) {
    put_escaped(s, Html::No, out);
}

#[derive(Clone, Copy, PartialEq)]
enum Html {
    No,
    /// jsoniter's: also `<>&` and the line separators.
    Yes,
    /// The standard library's: short escapes for backspace and form feed besides.
    Standard,
}

fn put_escaped(s: &str, html: Html, out: &mut String) {
    out.push('"');
    for c in s.chars() {
        // Writing to a string does not fail.
        let _ = match c {
            '"' => out.write_str("\\\""),
            '\\' => out.write_str("\\\\"),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            '\x08' if html == Html::Standard => out.write_str("\\b"),
            '\x0c' if html == Html::Standard => out.write_str("\\f"),
            '\0'..='\x1f' => write!(out, "\\u{:04x}", u32::from(c)),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html != Html::No => {
                write!(out, "\\u{:04x}", u32::from(c))
            }
            c => out.write_char(c),
        };
    }
    out.push('"');
}

/// Appends a value as jsoniter does for structured-merge-diff: members sorted, HTML escaped.
pub(crate) fn put_json(v: &Value, out: &mut String) {
    put(v, Html::Yes, out);
}

/// The text of a value as `encoding/json` writes unstructured values: members sorted, HTML escaped.
pub(crate) fn standard_json(v: &Value) -> String {
    let mut out = String::new();
    put(v, Html::Standard, &mut out);
    out
}

/// A string with quotes as `encoding/json` writes it.
pub(crate) fn standard_string(s: &str, out: &mut String) {
    put_escaped(s, Html::Standard, out);
}

fn put(v: &Value, html: Html, out: &mut String) {
    match v {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => match num(n) {
            Num::Int(i) => {
                let _ = write!(out, "{i}");
            }
            Num::Float(f) => put_number(f, html, out),
        },
        Value::String(s) => put_escaped(s, html, out),
        Value::Array(a) => {
            out.push('[');
            for (i, v) in a.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                put(v, html, out);
            }
            out.push(']');
        }
        Value::Object(o) => {
            let mut members: Vec<_> = o.iter().collect();
            members.sort_unstable_by_key(|m| m.0);
            out.push('{');
            for (i, (k, v)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                put_escaped(k, html, out);
                out.push(':');
                put(v, html, out);
            }
            out.push('}');
        }
    }
}

fn put_number(f: f64, html: Html, out: &mut String) {
    let from = out.len();
    put_float(f, out);
    // The standard library writes 1e-7, not 1e-07.
    if html == Html::Standard
        && let Some(at) = out[from..].find("e-0").map(|at| from + at)
        && at + 4 == out.len()
    {
        out.remove(at + 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms() {
        let v = json!({"b": "a\u{8}\n<>&\u{2028}\u{7f}\u{1}", "a": [1, 1.0, 1e21, 1e-7, 0.000001, null, true]});
        let mut out = String::new();
        put_json(&v, &mut out);
        let numbers = "[1,1,1e+21,1e-07,0.000001,null,true]";
        let text = "a\\u0008\\n\\u003c\\u003e\\u0026\\u2028\u{7f}\\u0001";
        assert_eq!(out, format!("{{\"a\":{numbers},\"b\":\"{text}\"}}"));
        assert_eq!(
            standard_json(&v),
            format!(
                "{{\"a\":{},\"b\":\"{}\"}}",
                numbers.replace("e-07", "e-7"),
                text.replace("\\u0008", "\\b")
            )
        );
        out.clear();
        put_string("<a\u{8}>", &mut out);
        assert_eq!(out, "\"<a\\u0008>\"");
    }
}
