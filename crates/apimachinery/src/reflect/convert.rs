//! Typed values to and from JSON values, without text between.
//! Go: `runtime.DefaultUnstructuredConverter`.
use super::error::{DecodeError, R, Seg};
use super::json::{BASE64, is_empty, is_zero, json_into};
use super::{
    ANY, Desc, FieldMut, FieldRef, INLINE, Message, NOJSON, OMITEMPTY, OMITZERO, Parser, Type,
    json_value, put_value, type_meta,
};
use crate::rep::{Bytes, Str};
use crate::{Error, StrictError, StrictErrors};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// A typed value as a JSON object, with kind and apiVersion when it is a kind.
/// Go: `DefaultUnstructuredConverter.ToUnstructured`.
///
/// # Errors
/// Raw JSON inside is malformed, a number has no JSON form, or nesting is too deep.
///
/// ```
/// use pintle_apimachinery::{ObjectMeta, reflect};
/// let mut meta = ObjectMeta::default();
/// meta.name = "a".into();
/// meta.generation = 3;
/// let object = reflect::to_unstructured(&meta)?;
/// assert_eq!(serde_json::Value::from(object).to_string(), r#"{"name":"a","generation":3}"#);
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn to_unstructured(m: &dyn Message) -> Result<Map<String, Value>, Error> {
    let mut o = Map::new();
    if let Some(k) = m.desc().kind {
        o.insert("kind".into(), k.kind.into());
        let gv = if k.group.is_empty() {
            k.version.to_owned()
        } else {
            format!("{}/{}", k.group, k.version)
        };
        o.insert("apiVersion".into(), gv.into());
    }
    if m.desc().transparent {
        return Err(Error::invalid(format!("{} is no object", m.desc().name)));
    }
    members(m, &mut o, 0).map_err(Error::from)?;
    Ok(o)
}

fn too_deep(depth: u32) -> R<()> {
    let most = super::parser::MAX_DEPTH;
    if depth > most {
        return Err(DecodeError::new(format!("nested more than {most} levels deep")));
    }
    Ok(())
}

fn members(m: &dyn Message, o: &mut Map<String, Value>, depth: u32) -> R<()> {
    too_deep(depth)?;
    for (f, v) in m.desc().fields.iter().zip(m.fields().iter()) {
        if f.flags & INLINE != 0 {
            if let FieldRef::Msg(s) | FieldRef::OptMsg(Some(s)) = v {
                members(s, o, depth + 1)?;
            }
        } else if f.flags & NOJSON == 0
            && !(f.flags & OMITEMPTY != 0 && is_empty(v))
            && !(f.flags & OMITZERO != 0 && is_zero(v))
        {
            o.insert(f.name.to_owned(), out_of(v, depth + 1)?);
        }
    }
    Ok(())
}

fn out_of(v: FieldRef<'_>, depth: u32) -> R<Value> {
    use FieldRef as F;
    too_deep(depth)?;
    Ok(match v {
        F::Str(v) | F::OptStr(Some(v)) => v.as_str().into(),
        F::I32(v) | F::OptI32(Some(v)) => (*v).into(),
        F::I64(v) | F::OptI64(Some(v)) => (*v).into(),
        F::Bool(v) | F::OptBool(Some(v)) => (*v).into(),
        F::F64(v) | F::OptF64(Some(v)) => serde_json::Number::from_f64(*v)
            .ok_or_else(|| DecodeError::new("a number that is not finite has no JSON form"))?
            .into(),
        F::Bytes(v) if !v.is_nil() => STANDARD.encode(v).into(),
        F::Msg(m) | F::OptMsg(Some(m)) => {
            if m.desc().transparent {
                return out_of(m.field(0), depth + 1);
            }
            let mut o = Map::new();
            for (name, said) in type_meta::members(m) {
                o.insert(name.to_owned(), said.into());
            }
            members(m, &mut o, depth)?;
            o.into()
        }
        F::Leaf(l) | F::OptLeaf(Some(l)) => {
            let mut text = Vec::new();
            l.json_put(&mut text);
            let text = std::str::from_utf8(&text)
                .map_err(|e| DecodeError::new(format!("{}: {e}", l.leaf_desc().name)))?;
            let mut p = Parser::new(text);
            let v = json_value(&mut p)?;
            p.finish()?;
            v
        }
        F::List(l) if !l.is_nil() => {
            (0..l.len()).map(|i| out_of(l.at(i), depth + 1)).collect::<R<Vec<_>>>()?.into()
        }
        F::Map(m) if !m.is_nil() => {
            let mut o = Map::new();
            for i in 0..m.len() {
                let (key, v) = m.at(i);
                o.insert(key.to_string(), out_of(v, depth + 1)?);
            }
            o.into()
        }
        _ => Value::Null,
    })
}

/// Sets `m`, which is at its default, from a JSON object. Booleans, numbers and strings never
/// become each other; a whole number may be one with a fraction of zero, and the other way round.
/// What comes back are the members that no field takes, sorted.
/// Go: `DefaultUnstructuredConverter.FromUnstructuredWithValidation`.
///
/// Where Go drops the upper bits of a number that a field has no room for, this is an error.
///
/// # Errors
/// A value is of the wrong type.
///
/// ```
/// use pintle_apimachinery::{ObjectMeta, reflect};
/// let object = serde_json::json!({"name": "a", "generation": 3.0, "nmae": "b"});
/// let mut meta = ObjectMeta::default();
/// let unknown = reflect::from_unstructured(object.as_object().unwrap(), &mut meta)?;
/// assert_eq!((meta.name.as_str(), meta.generation), ("a", 3));
/// assert_eq!(unknown.to_string(), r#"strict decoding error: unknown field "nmae""#);
///
/// let wrong = serde_json::json!({"name": 5});
/// let e = reflect::from_unstructured(wrong.as_object().unwrap(), &mut meta).unwrap_err();
/// assert_eq!(e.to_string(), "ObjectMeta: name: cannot convert int64 to string");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn from_unstructured(
    object: &Map<String, Value>,
    m: &mut dyn Message,
) -> Result<StrictErrors, Error> {
    let d = m.desc();
    let mut unknown = Unknown { path: String::new(), found: Vec::new(), exact: false };
    into_message(object, m, &mut unknown, 0)
        .map_err(|e| Error::decode(format!("{}: {e}", d.name)))?;
    let mut found = unknown.found;
    found.sort();
    Ok(StrictErrors::from(found.into_iter().map(StrictError::unknown_raw).collect::<Vec<_>>()))
}

/// As [`from_unstructured`], but a number with a fraction of zero is not a whole one, and unknown
/// members are passed over. For CBOR, which tells the two apart.
#[cfg(feature = "cbor")]
pub(crate) fn from_unstructured_exact(
    object: &Map<String, Value>,
    m: &mut dyn Message,
) -> Result<(), Error> {
    let d = m.desc();
    let mut unknown = Unknown { path: String::new(), found: Vec::new(), exact: true };
    into_message(object, m, &mut unknown, 0).map_err(|e| Error::decode(format!("{}: {e}", d.name)))
}

/// What is wrong with managed fields that are no object.
pub(crate) const NO_FIELDS: &str = "FieldsV1 is not an object, as CBOR has it";

struct Unknown {
    path: String,
    found: Vec<String>,
    /// Whether whole numbers must be written as such.
    exact: bool,
}

fn has(d: &Desc, key: &str) -> bool {
    d.find(key, 0).is_some()
        || (d.kind.is_some() && matches!(key, "kind" | "apiVersion"))
        || d.fields.iter().any(|f| match f.ty {
            Type::Msg(s) | Type::Emb(s) | Type::OptMsg(s) => f.flags & INLINE != 0 && has(s, key),
            _ => false,
        })
}

fn into_message(
    o: &Map<String, Value>,
    m: &mut dyn Message,
    unknown: &mut Unknown,
    depth: u32,
) -> R<()> {
    too_deep(depth)?;
    let d = m.desc();
    if d.kind.is_some() {
        for key in ["kind", "apiVersion"] {
            match o.get(key) {
                None | Some(Value::Null) => {}
                Some(Value::String(said)) => {
                    if depth > 0 && !said.is_empty() {
                        type_meta::set(m, key, Str::new(said));
                    }
                }
                Some(other) => {
                    let text = type_name(other);
                    return Err(DecodeError::new(format!("cannot convert {text} to string"))
                        .inside(Seg::Key(key.into())));
                }
            }
        }
    }
    into_fields(o, m, unknown, depth)?;
    for key in o.keys() {
        if !has(d, key) {
            let dot = if unknown.path.is_empty() { "" } else { "." };
            let at = format!("{}{dot}{key}", unknown.path);
            unknown.found.push(at);
        }
    }
    Ok(())
}

fn into_fields(
    o: &Map<String, Value>,
    m: &mut dyn Message,
    unknown: &mut Unknown,
    depth: u32,
) -> R<()> {
    let d = m.desc();
    for (i, f) in d.fields.iter().enumerate() {
        if f.flags & INLINE != 0 {
            let (Type::Msg(sd) | Type::Emb(sd) | Type::OptMsg(sd)) = f.ty else { continue };
            match m.field_mut(i) {
                FieldMut::Msg(s) => into_fields(o, s, unknown, depth + 1)?,
                FieldMut::OptMsg(mut s) if o.keys().any(|k| has(sd, k)) => {
                    into_fields(o, s.set(), unknown, depth + 1)?;
                }
                _ => {}
            }
            continue;
        }
        if f.flags & NOJSON != 0 {
            continue;
        }
        let Some(v) = o.get(f.name) else { continue };
        let mark = unknown.path.len();
        if mark > 0 {
            unknown.path.push('.');
        }
        unknown.path.push_str(f.name);
        let read = match (f.flags & ANY, m.field_mut(i), v) {
            (1.., FieldMut::List(mut list), Value::Array(items)) => {
                list.slot().set_empty();
                items.iter().try_for_each(|v| any(v, list.push()))
            }
            (_, field, v) => into(v, field, unknown, depth + 1),
        };
        read.map_err(|e| e.inside(Seg::Field(f.name)))?;
        unknown.path.truncate(mark);
    }
    Ok(())
}

/// A value of Go's `any`.
fn any(v: &Value, f: FieldMut<'_>) -> R<()> {
    let mut text = Vec::new();
    super::put_any(v, &mut text);
    json_into(f, &mut Parser::new(&String::from_utf8_lossy(&text)))
}

/// Go's name of a value's type.
fn type_name(v: &Value) -> &'static str {
    match v {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

fn integer(v: &Value, to: &str) -> R<i64> {
    let out_of_range = || DecodeError::new(format!("number {v} is not in the range of {to}"));
    match v {
        Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => Ok(i),
            (None, Some(f)) if f.trunc() != f => Err(cannot(v, to)),
            (None, Some(f)) if f.abs() < 9_223_372_036_854_775_808.0 => Ok(f as i64),
            _ => Err(out_of_range()),
        },
        _ => Err(unrecognized(to)),
    }
}

fn cannot(v: &Value, to: &str) -> Box<DecodeError> {
    DecodeError::new(format!("cannot convert {} to {to}", type_name(v)))
}
fn unrecognized(to: &str) -> Box<DecodeError> {
    DecodeError::new(format!("unrecognized type: {to}"))
}

fn narrow(v: &Value) -> R<i32> {
    i32::try_from(integer(v, "int32")?)
        .map_err(|_| DecodeError::new(format!("number {v} is not in the range of int32")))
}

fn string(v: &Value) -> R<Str> {
    match v {
        Value::String(s) => Ok(Str::new(s)),
        Value::Number(n) if !n.is_f64() => Err(cannot(v, "string")),
        _ => Err(unrecognized("string")),
    }
}
fn boolean(v: &Value) -> R<bool> {
    v.as_bool().ok_or_else(|| unrecognized("bool"))
}
fn double(v: &Value) -> R<f64> {
    v.as_f64().ok_or_else(|| unrecognized("float64"))
}

fn bytes(v: &Value) -> R<Bytes> {
    match v {
        Value::String(s) => BASE64
            .decode(s.replace(['\n', '\r'], ""))
            .map(Bytes::from)
            .map_err(|e| DecodeError::new(format!("error decoding from json: {e}"))),
        Value::Array(a) => {
            let byte = |v: &Value| {
                let n = integer(v, "uint8")?;
                u8::try_from(n).map_err(|_| {
                    DecodeError::new(format!("number {n} is not in the range of uint8"))
                })
            };
            Ok(Bytes::from(a.iter().map(byte).collect::<R<Vec<u8>>>()?))
        }
        _ => Err(DecodeError::new(format!("cannot restore slice from {}", type_name(v)))),
    }
}

fn struct_from(v: &Value) -> R<&Map<String, Value>> {
    v.as_object()
        .ok_or_else(|| DecodeError::new(format!("cannot restore struct from: {}", type_name(v))))
}

fn message(v: &Value, m: &mut dyn Message, unknown: &mut Unknown, depth: u32) -> R<()> {
    if m.desc().transparent {
        return into(v, m.field_mut(0), unknown, depth);
    }
    into_message(struct_from(v)?, m, unknown, depth)
}

fn into(v: &Value, mut f: FieldMut<'_>, unknown: &mut Unknown, depth: u32) -> R<()> {
    use FieldMut as F;
    too_deep(depth)?;
    if v.is_null() {
        // Everything was at its default before.
        return Ok(());
    }
    let leaf = |f: FieldMut<'_>| {
        let mut text = Vec::new();
        put_value(v, &mut text);
        json_into(f, &mut Parser::new(&String::from_utf8_lossy(&text)))
    };
    if unknown.exact
        && matches!(v, Value::Number(n) if n.is_f64())
        && matches!(f, F::I32(_) | F::OptI32(_) | F::I64(_) | F::OptI64(_))
    {
        return Err(cannot(v, "integer"));
    }
    if unknown.exact && !v.is_object() {
        let name = match &mut f {
            F::Leaf(l) => l.leaf_desc().name,
            F::OptLeaf(o) => o.set().leaf_desc().name,
            _ => "",
        };
        if name == "IntOrString" && matches!(v, Value::Number(n) if n.is_f64()) {
            return Err(cannot(v, "integer or string"));
        }
        if name == "Quantity" && v.is_number() {
            return Err(cannot(v, "string"));
        }
        if name == "FieldsV1" {
            return Err(DecodeError::new(NO_FIELDS));
        }
    }
    match f {
        F::Str(x) => *x = string(v)?,
        F::OptStr(x) => *x = Some(string(v)?),
        F::I32(x) => *x = narrow(v)?,
        F::OptI32(x) => *x = Some(narrow(v)?),
        F::I64(x) => *x = integer(v, "int64")?,
        F::OptI64(x) => *x = Some(integer(v, "int64")?),
        F::Bool(x) => *x = boolean(v)?,
        F::OptBool(x) => *x = Some(boolean(v)?),
        F::F64(x) => *x = double(v)?,
        F::OptF64(x) => *x = Some(double(v)?),
        F::Bytes(x) => *x = bytes(v)?,
        F::Leaf(_) | F::OptLeaf(_) => leaf(f)?,
        F::Msg(m) => message(v, m, unknown, depth)?,
        F::OptMsg(mut o) => message(v, o.set(), unknown, depth)?,
        F::List(mut l) => {
            let Value::Array(a) = v else {
                let what = format!("cannot restore slice from {}", type_name(v));
                return Err(DecodeError::new(what));
            };
            l.slot().set_empty();
            let mark = unknown.path.len();
            for (i, v) in a.iter().enumerate() {
                unknown.path.push_str(&format!("[{i}]"));
                into(v, l.push(), unknown, depth + 1).map_err(|e| e.inside(Seg::Index(i)))?;
                unknown.path.truncate(mark);
            }
        }
        F::Map(mut m) => {
            let Value::Object(o) = v else {
                let what = format!("cannot restore map from {}", type_name(v));
                return Err(DecodeError::new(what));
            };
            m.slot().set_empty();
            for (key, v) in o {
                // As in Go, the key is no part of the path of unknown members.
                into(v, m.entry(Str::new(key)), unknown, depth + 1)
                    .map_err(|e| e.inside(Seg::Key(key.clone())))?;
            }
        }
    }
    Ok(())
}
