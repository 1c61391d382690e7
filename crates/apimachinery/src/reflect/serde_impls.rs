//! serde over the reflective surface, so that custom resources may embed built-in types and
//! built-in types may be written in any format that serde knows.
use super::json::{is_empty, is_zero};
use super::{
    Decoder, Desc, Described, FieldMut, FieldRef, INLINE, Leaf, Message, NOJSON, OMITEMPTY,
    OMITZERO, Parser, Type, erase_mut, type_meta,
};
use crate::rep::{Bytes, Str};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// Serializes a message as its JSON form; a kind has kind and apiVersion first.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(m: &dyn Message, s: S) -> Result<S::Ok, S::Error> {
    message(m, true, s)
}

fn message<S: Serializer>(m: &dyn Message, root: bool, s: S) -> Result<S::Ok, S::Error> {
    let d = m.desc();
    if d.transparent {
        return Value(m.field(0)).serialize(s);
    }
    let mut map = s.serialize_map(None)?;
    if let (true, Some(k)) = (root, d.kind) {
        map.serialize_entry("kind", k.kind)?;
        if k.group.is_empty() {
            map.serialize_entry("apiVersion", k.version)?;
        } else {
            map.serialize_entry("apiVersion", &format_args!("{}/{}", k.group, k.version))?;
        }
    } else if !root {
        type_meta::members(m).try_for_each(|(name, said)| map.serialize_entry(name, said))?;
    }
    fields(m, &mut map)?;
    map.end()
}

fn fields<M: SerializeMap>(m: &dyn Message, map: &mut M) -> Result<(), M::Error> {
    let refs = m.fields();
    for (f, v) in refs.desc().fields.iter().zip(refs.iter()) {
        if f.flags & INLINE != 0 {
            if let FieldRef::Msg(s) | FieldRef::OptMsg(Some(s)) = v {
                fields(s, map)?;
            }
        } else if f.flags & NOJSON == 0
            && !(f.flags & OMITEMPTY != 0 && is_empty(v))
            && !(f.flags & OMITZERO != 0 && is_zero(v))
        {
            map.serialize_entry(f.name, &Value(v))?;
        }
    }
    Ok(())
}

struct Value<'a>(FieldRef<'a>);
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use FieldRef as F;
        match self.0 {
            F::Str(v) | F::OptStr(Some(v)) => s.serialize_str(v),
            F::I32(v) | F::OptI32(Some(v)) => s.serialize_i32(*v),
            F::I64(v) | F::OptI64(Some(v)) => s.serialize_i64(*v),
            F::Bool(v) | F::OptBool(Some(v)) => s.serialize_bool(*v),
            F::F64(v) | F::OptF64(Some(v)) => s.serialize_f64(*v),
            F::Bytes(v) if !v.is_nil() => s.serialize_str(&STANDARD.encode(v)),
            F::Msg(m) | F::OptMsg(Some(m)) => message(m, false, s),
            F::Leaf(l) | F::OptLeaf(Some(l)) => serialize_leaf(l, s),
            F::List(l) if !l.is_nil() => s.collect_seq((0..l.len()).map(|i| Value(l.at(i)))),
            F::Map(m) if !m.is_nil() => s.collect_map((0..m.len()).map(|i| {
                let (k, v) = m.at(i);
                (k, Value(v))
            })),
            _ => s.serialize_none(),
        }
    }
}

/// Serializes a leaf as its JSON form.
pub(crate) fn serialize_leaf<S: Serializer>(l: &dyn Leaf, s: S) -> Result<S::Ok, S::Error> {
    let mut text = Vec::new();
    l.json_put(&mut text);
    let value: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|e| serde::ser::Error::custom(format!("{}: {e}", l.leaf_desc().name)))?;
    value.serialize(s)
}

/// Deserializes a leaf from its JSON form.
pub(crate) fn deserialize_leaf<'de, D: Deserializer<'de>>(
    l: &mut dyn Leaf,
    d: D,
) -> Result<(), D::Error> {
    use serde::Deserialize;
    let value = serde_json::Value::deserialize(d)?;
    let text = value.to_string();
    l.json_get(&mut Parser::new(&text), &mut Decoder::new(), 0).map_err(de::Error::custom)
}

/// [`deserialize`] to a value of a type.
///
/// # Errors
/// Those of [`deserialize`].
#[doc(hidden)]
pub fn deserialize_as<'de, T: Described, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    let mut m = T::default();
    deserialize(erase_mut(&mut m), d)?;
    Ok(m)
}

/// Deserializes a message from its JSON form. Unknown members are passed over.
///
/// # Errors
/// Those of the deserializer, and a value of the wrong type.
pub fn deserialize<'de, D: Deserializer<'de>>(m: &mut dyn Message, d: D) -> Result<(), D::Error> {
    d.deserialize_option(OptionalField(FieldMut::Msg(m), true))
}

/// Deserializes into a field; null leaves it as it is.
struct Into<'a>(FieldMut<'a>);
impl<'de> DeserializeSeed<'de> for Into<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        match self.0 {
            FieldMut::Leaf(l) => deserialize_leaf(l, d),
            other => d.deserialize_option(OptionalField(other, false)),
        }
    }
}

/// With whether it is inside nothing.
struct OptionalField<'a>(FieldMut<'a>, bool);
impl<'de> Visitor<'de> for OptionalField<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }
    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        use FieldMut as M;
        match self.0 {
            M::Msg(m) => {
                let desc = m.desc();
                if desc.transparent {
                    return Into(m.field_mut(0)).deserialize(d);
                }
                d.deserialize_map(Members(m, self.1))
            }
            M::OptMsg(o) => {
                let m = o.into_message();
                if m.desc().transparent {
                    return Into(m.field_mut(0)).deserialize(d);
                }
                d.deserialize_map(Members(m, false))
            }
            M::Leaf(l) => deserialize_leaf(l, d),
            M::OptLeaf(o) => deserialize_leaf(o.set(), d),
            M::List(_) => d.deserialize_seq(Scalar(self.0)),
            M::Map(_) => d.deserialize_map(Scalar(self.0)),
            M::Str(_) | M::OptStr(_) | M::Bytes(_) => d.deserialize_str(Scalar(self.0)),
            M::Bool(_) | M::OptBool(_) => d.deserialize_bool(Scalar(self.0)),
            M::F64(_) | M::OptF64(_) => d.deserialize_f64(Scalar(self.0)),
            M::I32(_) | M::OptI32(_) => d.deserialize_i32(Scalar(self.0)),
            M::I64(_) | M::OptI64(_) => d.deserialize_i64(Scalar(self.0)),
        }
    }
}

/// With whether it is inside nothing.
struct Members<'a>(&'a mut dyn Message, bool);
impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object ({})", self.0.desc().name)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut a: A) -> Result<(), A::Error> {
        while let Some(key) = a.next_key::<std::borrow::Cow<'de, str>>()? {
            if !self.1 && self.0.desc().kind.is_some() && type_meta::is_key(&key) {
                if let Some(said) = a.next_value::<Option<Str>>()? {
                    type_meta::set(self.0, &key, said);
                }
                continue;
            }
            match member(self.0, &key) {
                Some(f) => a.next_value_seed(Into(f))?,
                None => {
                    a.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The field with JSON name `key`, in `m` or in what is inlined there.
fn member<'a>(m: &'a mut dyn Message, key: &str) -> Option<FieldMut<'a>> {
    fn path(d: &'static Desc, key: &str, out: &mut Vec<usize>) -> bool {
        if let Some(i) = d.find(key, 0) {
            out.push(i);
            return true;
        }
        d.fields.iter().enumerate().any(|(i, f)| {
            let (INLINE, Type::Msg(sub) | Type::Emb(sub) | Type::OptMsg(sub)) =
                (f.flags & INLINE, f.ty)
            else {
                return false;
            };
            out.push(i);
            path(sub, key, out) || {
                out.pop();
                false
            }
        })
    }
    let mut steps = Vec::new();
    if !path(m.desc(), key, &mut steps) {
        return None;
    }
    let last = steps.pop()?;
    let mut at = m;
    for i in steps {
        at = match at.field_mut(i) {
            FieldMut::Msg(s) => s,
            FieldMut::OptMsg(s) => s.into_message(),
            _ => return None,
        };
    }
    Some(at.field_mut(last))
}

struct Scalar<'a>(FieldMut<'a>);

impl Scalar<'_> {
    fn put_i64<E: de::Error>(self, v: i64) -> Result<(), E> {
        let narrow = || {
            i32::try_from(v).map_err(|_| E::custom(format!("number {v} is not a 32-bit integer")))
        };
        match self.0 {
            FieldMut::I32(x) => *x = narrow()?,
            FieldMut::OptI32(x) => *x = Some(narrow()?),
            FieldMut::I64(x) => *x = v,
            FieldMut::OptI64(x) => *x = Some(v),
            FieldMut::F64(x) => *x = v as f64,
            FieldMut::OptF64(x) => *x = Some(v as f64),
            _ => return Err(E::invalid_type(de::Unexpected::Signed(v), &self)),
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            FieldMut::Str(_) | FieldMut::OptStr(_) => "a string",
            FieldMut::Bytes(_) => "a base64 string",
            FieldMut::Bool(_) | FieldMut::OptBool(_) => "a boolean",
            FieldMut::List(_) => "a list",
            FieldMut::Map(_) => "an object",
            _ => "a number",
        })
    }
    fn visit_bool<E: de::Error>(self, v: bool) -> Result<(), E> {
        match self.0 {
            FieldMut::Bool(x) => *x = v,
            FieldMut::OptBool(x) => *x = Some(v),
            _ => return Err(E::invalid_type(de::Unexpected::Bool(v), &self)),
        }
        Ok(())
    }
    fn visit_i64<E: de::Error>(self, v: i64) -> Result<(), E> {
        self.put_i64(v)
    }
    fn visit_u64<E: de::Error>(self, v: u64) -> Result<(), E> {
        let v = i64::try_from(v)
            .map_err(|_| E::custom(format!("number {v} is not a 64-bit integer")))?;
        self.put_i64(v)
    }
    fn visit_f64<E: de::Error>(self, v: f64) -> Result<(), E> {
        match self.0 {
            FieldMut::F64(x) => *x = v,
            FieldMut::OptF64(x) => *x = Some(v),
            _ => return Err(E::invalid_type(de::Unexpected::Float(v), &self)),
        }
        Ok(())
    }
    fn visit_str<E: de::Error>(self, v: &str) -> Result<(), E> {
        match self.0 {
            FieldMut::Str(x) => *x = Str::new(v),
            FieldMut::OptStr(x) => *x = Some(Str::new(v)),
            FieldMut::Bytes(x) => {
                *x = Bytes::from(STANDARD.decode(v).map_err(E::custom)?);
            }
            _ => return Err(E::invalid_type(de::Unexpected::Str(v), &self)),
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut a: A) -> Result<(), A::Error> {
        let FieldMut::List(mut l) = self.0 else {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        };
        l.slot().set_empty();
        while a.next_element_seed(Element(&mut l))?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut a: A) -> Result<(), A::Error> {
        let FieldMut::Map(mut m) = self.0 else {
            return Err(de::Error::invalid_type(de::Unexpected::Map, &self));
        };
        m.slot().set_empty();
        while let Some(key) = a.next_key::<Str>()? {
            a.next_value_seed(Into(m.entry(key)))?;
        }
        Ok(())
    }
}

/// One more element of a list; pushed only when there is one.
struct Element<'a, 'b>(&'a mut super::ListMut<'b>);
impl<'de> DeserializeSeed<'de> for Element<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        Into(self.0.push()).deserialize(d)
    }
}
