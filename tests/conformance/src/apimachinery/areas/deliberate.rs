//! Which differences in decoding and encoding objects are meant, each told from others as narrowly
//! as the two answers allow.
use super::super::area::{Answer, Case, differences, same};
use super::random_object::SCHEME;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pintle_apimachinery::reflect::{Desc, Parser, Type};
use pintle_apimachinery::{Codec, Decoder, Envelope, Format, Unstructured};
use serde_json::Value;
use std::collections::HashMap;

fn text<'a>(v: &'a Value, key: &str) -> &'a str {
    v.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The reason, of all that decodes objects.
pub(super) fn deliberate(case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
    match (ours, go) {
        (Err(e), Ok(_)) => only_ours(case, e),
        (Ok(_), Err(e)) => only_go(e),
        (Ok(a), Ok(b)) => outputs(case, a, b),
        _ => None,
    }
}

/// Only ours is an error.
fn only_ours(case: &Case, e: &str) -> Option<&'static str> {
    let both_protobuf =
        text(&case.input, "format") == "protobuf" && text(&case.input, "to") == "protobuf";
    if e.contains("levels deep") {
        return Some("nesting is bounded at 200, not at 10,000");
    }
    if e.contains("UTF-8") {
        return Some("a string that is not UTF-8 is an error, not repaired");
    }
    if e.contains("a map key is not a string") || e.contains("overflows a signed") {
        return Some(
            "CBOR that JSON cannot hold is refused, in members that no field takes as well",
        );
    }
    if e.contains("impossible IntOrString type") && both_protobuf {
        return Some(
            "an IntOrString that is neither is an error when it is read; Go's is when it is printed",
        );
    }
    if e.contains("FieldsV1 is not an object") {
        return Some("fieldsV1 that is no object is an error in CBOR; Go takes its bytes for CBOR");
    }
    if e.contains(" of v1") && e.contains("the body is a") {
        return Some("kinds that Go takes in every version (APIGroupList, ...) are only of v1");
    }
    None
}

/// Only Go's is an error.
fn only_go(e: &str) -> Option<&'static str> {
    if e.contains("cannot unmarshal tag") {
        return Some(
            "the name of a member may be in a tag, for a field as for a value without type",
        );
    }
    if e.starts_with("cbor: found unknown field") {
        return Some(
            "unknown members of a schema inside a union are passed over in CBOR, as everywhere",
        );
    }
    if e == "yaml: control characters are not allowed" {
        return Some("control characters are escaped in YAML; Go cannot read what it wrote");
    }
    if e.contains("error calling MarshalJSON for type") {
        return Some("raw JSON that came in protobuf is written as it is, not checked");
    }
    if e.contains("does not implement the protobuf marshalling interface") {
        return Some("Table has a protobuf form here, as its description has field numbers");
    }
    None
}

/// Both have an output.
fn outputs(case: &Case, ours: &Value, go: &Value) -> Option<&'static str> {
    let (from, to) = (text(&case.input, "format"), text(&case.input, "to"));
    let (a, b) = (text(ours, "data"), text(go, "data"));
    if to == "protobuf" && halves_dropped(b).is_some_and(|b| STANDARD.encode(b) == a) {
        return Some("of an IntOrString only the half is kept that its type names");
    }
    if from == "cbor" && to == "cbor" && differ_in_managed_fields(a, b) == Some(true) {
        return Some("fieldsV1 in CBOR is kept as what it means; Go carries its bytes along");
    }
    if from == "cbor" && texts_before(to, a, b) == Some(true) {
        return Some(
            "null in a map of texts is the empty text in CBOR; Go has the value before it",
        );
    }
    if from == "json" && revives(text(&case.input, "data")) {
        return Some(
            "a list that became shorter and longer again has new elements; Go shows those cut off",
        );
    }
    None
}

/// The encoded object in base64, with the half of each IntOrString empty that its type does not
/// name; none when it is no such thing.
fn halves_dropped(data: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(data).ok()?;
    let envelope = Envelope::parse(&bytes).ok()?;
    let object = SCHEME.decode(&bytes, Format::Protobuf).ok()?;
    let mut raw = Vec::new();
    without_halves(object.as_message()?.desc(), envelope.raw, &mut raw)?;
    let mut out = Vec::new();
    Envelope { raw: &raw, ..envelope }.write(&mut out);
    Some(out)
}

fn varint(b: &mut &[u8]) -> Option<u64> {
    let mut v = 0;
    for shift in (0..70).step_by(7) {
        let (first, rest) = b.split_first()?;
        *b = rest;
        v |= u64::from(first & 127).checked_shl(shift)?;
        if *first < 128 {
            return Some(v);
        }
    }
    None
}

fn put_varint(mut v: u64, out: &mut Vec<u8>) {
    while v >= 128 {
        out.push(v as u8 | 128);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Tag and body of the first record, which is taken off; a number is its own bytes.
fn record<'a>(b: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let tag = varint(b)?;
    let n = match tag & 7 {
        0 => {
            let mut rest = *b;
            varint(&mut rest)?;
            b.len() - rest.len()
        }
        1 => 8,
        2 => usize::try_from(varint(b)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (body, rest) = b.split_at_checked(n)?;
    *b = rest;
    Some((tag, body))
}

fn put_record(tag: u64, body: &[u8], out: &mut Vec<u8>) {
    put_varint(tag, out);
    if tag & 7 == 2 {
        put_varint(body.len() as u64, out);
    }
    out.extend_from_slice(body);
}

fn without_halves(desc: &'static Desc, mut b: &[u8], out: &mut Vec<u8>) -> Option<()> {
    while !b.is_empty() {
        let (tag, body) = record(&mut b)?;
        let index = desc.by_num.get(usize::try_from(tag >> 3).ok()?);
        let field = index.and_then(|i| desc.fields.get(usize::from(*i)));
        let mut inner = Vec::new();
        match field.map(|f| &f.ty) {
            Some(Type::Msg(d) | Type::Emb(d) | Type::OptMsg(d) | Type::List(Type::Msg(d))) => {
                without_halves(d, body, &mut inner)?;
            }
            Some(Type::Leaf(l) | Type::OptLeaf(l)) if l.name == "IntOrString" => {
                let (mut kind, mut rest) = (0, body);
                while !rest.is_empty() {
                    let (tag, mut value) = record(&mut rest)?;
                    if tag == 1 << 3 {
                        kind = varint(&mut value)?;
                    }
                }
                rest = body;
                while !rest.is_empty() {
                    let (tag, value) = record(&mut rest)?;
                    let empty: &[u8] = if tag & 7 == 0 { &[0] } else { &[] };
                    let named = !matches!((tag >> 3, kind), (2, 1) | (3, 0));
                    put_record(tag, if named { value } else { empty }, &mut inner);
                }
            }
            _ => inner.extend_from_slice(body),
        }
        put_record(tag, &inner, out);
    }
    Some(())
}

/// Whether two objects in CBOR, in base64, mean the same, and differ at most in how the numbers of
/// fieldsV1 are written.
fn differ_in_managed_fields(a: &str, b: &str) -> Option<bool> {
    fn take(v: &mut Value, out: &mut Vec<Value>) {
        match v {
            Value::Object(o) => {
                out.extend(o.shift_remove("fieldsV1"));
                o.values_mut().for_each(|v| take(v, out));
            }
            Value::Array(a) => a.iter_mut().for_each(|v| take(v, out)),
            _ => {}
        }
    }
    let read = |data: &str| {
        let bytes = STANDARD.decode(data).ok()?;
        let u = Unstructured::decode(&bytes, Format::Cbor, &mut Decoder::new()).ok()?;
        let (mut v, mut fields) = (Value::Object(u.to_object()), Vec::new());
        take(&mut v, &mut fields);
        Some((v, fields))
    };
    let ((a, fields), (b, others)) = (read(a)?, read(b)?);
    Some(a == b && !fields.is_empty() && same(&fields.into(), &others.into()))
}

/// Whether two encoded objects differ in texts alone that are empty here.
fn texts_before(to: &str, a: &str, b: &str) -> Option<bool> {
    let read = |data: &str| -> Option<Value> {
        let (format, bytes) = match to {
            "protobuf" => (Format::Protobuf, STANDARD.decode(data).ok()?),
            "cbor" => (Format::Cbor, STANDARD.decode(data).ok()?),
            _ => (Format::Json, data.as_bytes().to_vec()),
        };
        let object = SCHEME.decode(&bytes, format).ok()?;
        let mut json = Vec::new();
        object.encode_any(Format::Json, &mut json).ok()?;
        serde_json::from_slice(&json).ok()
    };
    let (a, b) = (read(a)?, read(b)?);
    let differences = differences(&a, &b);
    let before = |a: &Value, b: &Value| a == "" && b.as_str().is_some_and(|b| !b.is_empty());
    Some(!differences.is_empty() && differences.iter().all(|(_, a, b)| before(a, b)))
}

/// Whether a list in JSON text is there three times or more, and became shorter and longer again:
/// Go's decoder then shows the elements that were cut off (golang/go issue 21092).
fn revives(data: &str) -> bool {
    /// How long the list at a path is, and was at most.
    type Lists = HashMap<String, (usize, usize)>;
    fn forget(path: &str, lists: &mut Lists) {
        lists.retain(|known, _| !known.starts_with(path));
    }
    fn walk(p: &mut Parser<'_>, path: &mut String, lists: &mut Lists, found: &mut bool) -> bool {
        let mark = path.len();
        match p.peek() {
            Ok(b'{') => {
                let mut more = p.open(b'{', b'}').unwrap_or(false);
                while more {
                    let Ok(key) = p.key() else { return false };
                    path.push('.');
                    path.push_str(&key);
                    let whole = walk(p, path, lists, found);
                    path.truncate(mark);
                    more = match p.next(b'}') {
                        Ok(more) if whole => more,
                        _ => return false,
                    };
                }
                true
            }
            Ok(b'[') => {
                let mut more = p.open(b'[', b']').unwrap_or(false);
                let (len, most) = lists.get(path.as_str()).copied().unwrap_or_default();
                let mut n = 0;
                while more {
                    *found |= n >= len && n < most;
                    path.push_str(&format!("[{n}]"));
                    let whole = walk(p, path, lists, found);
                    path.truncate(mark);
                    n += 1;
                    more = match p.next(b']') {
                        Ok(more) if whole => more,
                        _ => return false,
                    };
                }
                if n == 0 {
                    forget(path, lists);
                } else {
                    lists.insert(path.clone(), (n, most.max(n)));
                }
                true
            }
            Ok(b'n') => {
                forget(path, lists);
                p.null().is_ok()
            }
            Ok(_) => p.raw().is_ok(),
            Err(_) => false,
        }
    }
    let mut found = false;
    walk(&mut Parser::new(data), &mut String::new(), &mut Lists::new(), &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_grow_again_are_found() {
        assert!(revives(r#"{"a":[1,2],"a":[3],"a":[4,5]}"#));
        assert!(revives(r#"{"a":[{"b":[1,2]}],"a":[{"b":[3]}],"a":[{"b":[4,5]}]}"#));
        assert!(!revives(r#"{"a":[1,2],"a":[3],"a":[4]}"#));
        assert!(!revives(r#"{"a":[1,2],"a":[],"a":[4,5]}"#));
        assert!(!revives(r#"{"a":[1,2],"a":null,"a":[4,5]}"#));
        assert!(!revives(r#"{"a":[1],"a":[4,5]}"#));
        assert!(!revives(r#"{"a":[1,2],"b":[3],"a":[4,5]"#));
    }

    #[test]
    fn only_halves_that_are_not_named_are_dropped() {
        let service = |port: &[u8]| {
            // A Service whose port has a target: spec (2), ports (1), targetPort (4).
            let mut target = Vec::new();
            put_record(4 << 3 | 2, port, &mut target);
            let mut ports = Vec::new();
            put_record(1 << 3 | 2, &target, &mut ports);
            let mut raw = Vec::new();
            put_record(2 << 3 | 2, &ports, &mut raw);
            let mut out = Vec::new();
            let envelope =
                Envelope { api_version: "v1", kind: "Service", raw: &raw, ..Envelope::default() };
            envelope.write(&mut out);
            out
        };
        let dropped = |b: &[u8]| halves_dropped(&STANDARD.encode(b)).unwrap();
        let (both, number) =
            (service(b"\x08\0\x10\x05\x1a\x01x"), service(b"\x08\0\x10\x05\x1a\0"));
        assert_eq!(dropped(&both), number);
        assert_eq!(dropped(&number), number);
        let (both, name) =
            (service(b"\x08\x01\x10\x05\x1a\x01x"), service(b"\x08\x01\x10\0\x1a\x01x"));
        assert_eq!(dropped(&both), name);
    }
}
