//! Paths that lead to a field of a schema.
//!
//! Go counterpart: `ValidFieldPath` of `k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel`.

use pintle_apimachinery::validation::FieldPath;
use serde_json::Value;

/// A field that a path leads to.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) path: FieldPath,
    /// The first name on the way.
    pub(super) root: String,
    /// What the schema says of it; none where any value may be.
    pub(super) schema: Option<&'a Value>,
}

/// Follows a path like `.spec.mode`, and `.a['b']` where brackets are allowed.
///
/// # Errors
/// The path is malformed, or leads to no field.
pub(super) fn find<'a>(text: &str, schema: &'a Value, brackets: bool) -> Result<Found<'a>, String> {
    const END: &str = "unexpected end of JSON path";
    const NO_FIELD: &str = "does not refer to a valid field";
    let mut found = Found { path: FieldPath::nil(), root: String::new(), schema: Some(schema) };
    let mut rest = text;
    let mut next = move || token(&mut rest);
    while let Some(token) = next() {
        let name = match token {
            "[" if !brackets => return Err("array notation is not allowed".to_owned()),
            "[" => {
                let quoted = next().ok_or(END)?;
                let inner = quoted.strip_prefix('\'').and_then(|q| q.strip_suffix('\''));
                let inner = inner.filter(|_| quoted.len() >= 2);
                unescape(
                    inner
                        .ok_or_else(|| format!("expected single quoted string but got {quoted}"))?,
                )?
            }
            "." => next().ok_or(END)?.to_owned(),
            other => return Err(format!("expected [ or . but got: {other}")),
        };
        let here = found.schema.ok_or(NO_FIELD)?;
        if found.path.is_nil() {
            found.root.clone_from(&name);
        }
        match (here.get("properties"), here.get("additionalProperties")) {
            (Some(known), _) => {
                found.path = found.path.child(&name);
                found.schema = Some(known.get(&name).ok_or(NO_FIELD)?);
            }
            (None, Some(any)) => {
                found.path = found.path.key(&name);
                found.schema = Some(any).filter(|any| any.is_object());
            }
            (None, None) => return Err(NO_FIELD.to_owned()),
        }
        if token == "[" {
            match next().ok_or(END)? {
                "]" => {}
                other => return Err(format!("expected ] but got {other}")),
            }
        }
    }
    Ok(found)
}

/// The next word: a delimiter, a text in quotes, or what stands before the next delimiter.
fn token<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let bytes = rest.as_bytes();
    let first = bytes.first()?;
    let end = match first {
        b'.' | b'[' | b']' => 1,
        b'\'' => (1..bytes.len())
            .find(|i| bytes[*i] == b'\'' && bytes[i - 1] != b'\\')
            .map_or(bytes.len(), |i| i + 1),
        _ => bytes.iter().position(|b| matches!(b, b'.' | b'[' | b']')).unwrap_or(bytes.len()),
    };
    let (token, after) = rest.split_at(end);
    *rest = after;
    Some(token)
}

/// The text between single quotes.
fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('a') => '\u{7}',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('v') => '\u{b}',
                Some(c @ ('\\' | '\'' | '"')) => c,
                _ => return Err("invalid string literal: invalid syntax".to_owned()),
            },
            c => c,
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, brackets: bool, expect: Result<(&str, &str), &str>) {
        let schema = json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "mode": {"type": "string"},
                "map": {"type": "object", "additionalProperties": {"type": "integer"}},
                "list": {"type": "array", "items": {"type": "string"}},
            }},
        }});
        let found = find(text, &schema, brackets);
        let found = found.map(|found| {
            let kind = found.schema.and_then(|s| s["type"].as_str()).unwrap_or_default();
            (found.path.to_string(), kind.to_owned())
        });
        let expect = expect.map(|(path, kind)| (path.to_owned(), kind.to_owned()));
        assert_eq!(found, expect.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn paths_lead_to_fields() {
        check(".spec.mode", false, Ok(("spec.mode", "string")));
        check(".spec.map.x", false, Ok(("spec.map[x]", "integer")));
        check(".spec['mode']", true, Ok(("spec.mode", "string")));
        check("", false, Ok(("<nil>", "object")));
        check("spec", false, Err("expected [ or . but got: spec"));
        check(".spec['mode']", false, Err("array notation is not allowed"));
        check(".spec.", false, Err("unexpected end of JSON path"));
        check(".spec.nope", false, Err("does not refer to a valid field"));
        check(".spec.list.x", false, Err("does not refer to a valid field"));
        check(".spec[mode]", true, Err("expected single quoted string but got mode"));
    }
}
