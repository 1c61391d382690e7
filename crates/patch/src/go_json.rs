//! JSON text as Go's `encoding/json` writes and compacts it: what JSON patch compares.

use pintle_apimachinery::reflect::{put_bool, put_f64, put_i64, put_str};
use serde_json::Value;

/// Writes a value as Go's `json.Marshal` writes what it decoded from it: members sorted, floats
/// that are whole without a point, `<`, `>` and `&` escaped.
pub(crate) fn put(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(value) => put_bool(out, *value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => put_i64(out, integer),
            (None, Some(integer)) => out.extend_from_slice(integer.to_string().as_bytes()),
            (None, None) => put_f64(out, number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => put_str(out, text),
        Value::Array(items) => {
            list(out, items, put);
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            object(out, members, put);
        }
    }
}

/// Writes a list, each element by `write`.
pub(crate) fn list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Writes an object, each member's value by `write`.
pub(crate) fn object<'k, T>(
    out: &mut Vec<u8>,
    members: impl IntoIterator<Item = (&'k String, T)>,
    write: impl Fn(&mut Vec<u8>, T),
) {
    out.push(b'{');
    for (i, (key, value)) in members.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        put_str(out, key);
        out.push(b':');
        write(out, value);
    }
    out.push(b'}');
}

/// Writes JSON text without the white space between its parts; if `html`, with `<`, `>`, `&` and
/// the two separators of lines that JavaScript knows escaped. Go: `json.Compact`, and what
/// `json.Marshal` does to a `RawMessage`.
pub(crate) fn compact(out: &mut Vec<u8>, text: &str, html: bool) {
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' if !quoted => continue,
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
    }
}

/// How deep JSON text is nested: 0 for a scalar.
pub(crate) fn depth(text: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' if !quoted => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        quoted ^= byte == b'"' && !escaped;
        escaped = quoted && byte == b'\\' && !escaped;
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(value: &Value) -> String {
        let mut out = Vec::new();
        put(&mut out, value);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn values() {
        let value =
            json!({"b": [1.0, -0.5, 1e21, 1e-7, u64::MAX, i64::MIN], "a": ["<é>", null, true]});
        assert_eq!(
            written(&value),
            "{\"a\":[\"\\u003cé\\u003e\",null,true],\
             \"b\":[1,-0.5,1e+21,1e-7,18446744073709551615,-9223372036854775808]}"
        );
        assert_eq!(written(&json!([{}, [], ""])), "[{},[],\"\"]");
    }

    #[test]
    fn compacting() {
        let text = " { \"a \\\" < \" : [ 1 , 1.0 ,\t\"\u{2028}\\\\\" , \"b\" ] }\n";
        let of = |html| {
            let mut out = Vec::new();
            compact(&mut out, text, html);
            String::from_utf8(out).expect("text")
        };
        assert_eq!(of(false), "{\"a \\\" < \":[1,1.0,\"\u{2028}\\\\\",\"b\"]}");
        assert_eq!(of(true), "{\"a \\\" \\u003c \":[1,1.0,\"\\u2028\\\\\",\"b\"]}");
    }

    #[test]
    fn depths() {
        for (text, levels) in [
            ("1", 0),
            ("[]", 1),
            ("{\"[[\\\"[\":[{},[]]}", 3),
            ("\"\\\\\"", 0),
            ("[\"\\\\\",[]]", 2),
        ] {
            assert_eq!(depth(text), levels, "{text}");
        }
    }
}
