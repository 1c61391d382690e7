//! JSON text and `serde_json::Value`, with numbers as Go's Kubernetes has them: whole numbers are
//! `i64` as long as they fit, everything else is `f64`.
use super::Parser;
use super::error::{DecodeError, R};
use super::writer::{put_bool, put_f64, put_i64, put_str};
use serde_json::{Map, Number, Value};

/// Reads one value. Of members that are there twice, the last one counts.
pub(crate) fn json_value(p: &mut Parser<'_>) -> R<Value> {
    value(p, false)
}

/// As [`json_value`], but whole numbers stay whole as long as 64 bits without a sign hold them:
/// on the way to another text.
pub(crate) fn json_value_exact(p: &mut Parser<'_>) -> R<Value> {
    value(p, true)
}

fn value(p: &mut Parser<'_>, exact: bool) -> R<Value> {
    Ok(match p.peek()? {
        b'{' => {
            let mut o = Map::new();
            let mut more = p.open(b'{', b'}')?;
            while more {
                let key = p.key()?.into_owned();
                let v = value(p, exact)?;
                o.insert(key, v);
                more = p.next(b'}')?;
            }
            Value::Object(o)
        }
        b'[' => {
            let mut a = Vec::new();
            let mut more = p.open(b'[', b']')?;
            while more {
                a.push(value(p, exact)?);
                more = p.next(b']')?;
            }
            Value::Array(a)
        }
        b'"' => p.string()?.into(),
        b't' | b'f' => p.bool()?.into(),
        b'n' => {
            p.null()?;
            Value::Null
        }
        _ => {
            let at = p.position();
            let text = p.number()?;
            let whole = if exact { text.parse::<u64>().ok().map(Value::from) } else { None };
            whole
                .or_else(|| number(text))
                .ok_or_else(|| DecodeError::at("number out of range", at))?
        }
    })
}

/// A number by its text.
fn number(text: &str) -> Option<Value> {
    if !text.contains('.')
        && let Ok(i) = text.parse::<i64>()
    {
        return Some(i.into());
    }
    text.parse().ok().and_then(Number::from_f64).map(Value::Number)
}

/// Writes a value as Go does: members sorted, numbers in Go's form.
pub(crate) fn put_value(v: &Value, out: &mut Vec<u8>) {
    put(v, out, false);
}

/// As [`put_value`], but a number that is not whole by its type does not look whole: for text that
/// stands for the value.
pub(crate) fn put_any(v: &Value, out: &mut Vec<u8>) {
    put(v, out, true);
}

fn put(v: &Value, out: &mut Vec<u8>, exact: bool) {
    match v {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(b) => put_bool(out, *b),
        Value::Number(n) => match n.as_i64() {
            Some(i) => put_i64(out, i),
            None => match n.as_u64() {
                Some(u) => out.extend_from_slice(u.to_string().as_bytes()),
                None => {
                    let from = out.len();
                    put_f64(out, n.as_f64().unwrap_or(0.0));
                    if exact && !out[from..].iter().any(|b| matches!(b, b'.' | b'e')) {
                        out.extend_from_slice(b".0");
                    }
                }
            },
        },
        Value::String(s) => put_str(out, s),
        Value::Array(a) => {
            out.push(b'[');
            for (i, v) in a.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                put(v, out, exact);
            }
            out.push(b']');
        }
        Value::Object(o) => members(o, out, exact),
    }
}

/// Writes an object, members sorted.
pub(crate) fn put_object(o: &Map<String, Value>, out: &mut Vec<u8>) {
    members(o, out, false);
}

fn members(o: &Map<String, Value>, out: &mut Vec<u8>, exact: bool) {
    let mut members: Vec<_> = o.iter().collect();
    members.sort_unstable_by(|a, b| a.0.cmp(b.0));
    out.push(b'{');
    for (i, (key, v)) in members.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        put_str(out, key);
        out.push(b':');
        put(v, out, exact);
    }
    out.push(b'}');
}
