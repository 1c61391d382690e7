//! CBOR, behind the cargo feature `cbor`: servers have it as an alpha, off by default.
//! Go: `runtime/serializer/cbor`.
//!
//! Strings are byte strings, `[]byte` is a byte string in tag 22, keys are sorted by their encoded
//! bytes, and a body begins with the tag of self-described CBOR. Reading takes text strings, tags
//! and items of indefinite length as well; it refuses what JSON cannot hold (NaN, infinities,
//! integers beyond 64 bits) and keys that are there twice.
mod read;
mod write;

use crate::reflect::{Desc, INLINE, Message, NOJSON, Type, from_unstructured_exact};
use crate::{Error, StrictError};

use read::{Fault, Reader};
use serde_json::{Map, Value};

/// What every body begins with: the tag of self-described CBOR.
pub(crate) const PREFIX: [u8; 3] = [0xd9, 0xd9, 0xf7];

fn error(f: Fault) -> Error {
    match f {
        Fault::Short => Error::decode("cbor: unexpected end of the data"),
        Fault::Wrong(what) => Error::decode(format!("cbor: {what}")),
    }
}

/// The value of the whole of `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Result<Value, Error> {
    let mut r = Reader::new(bytes);
    let v = r.value(0).map_err(error)?;
    if r.at < bytes.len() {
        let left = bytes.len() - r.at;
        return Err(Error::decode(format!("cbor: {left} bytes of extraneous data")));
    }
    Ok(v)
}

/// The object that `bytes` are.
pub(crate) fn decode_object(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    match decode(bytes)? {
        Value::Object(o) => Ok(o),
        _ => Err(Error::decode("cbor: the body is not a map")),
    }
}

/// The object that `bytes` are, as far as a `desc` has fields for it.
pub(crate) fn decode_typed(bytes: &[u8], desc: &'static Desc) -> Result<Map<String, Value>, Error> {
    let mut r = Reader::new(bytes);
    let v = r.message(desc, 0).map_err(error)?;
    if r.at < bytes.len() {
        let left = bytes.len() - r.at;
        return Err(Error::decode(format!("cbor: {left} bytes of extraneous data")));
    }
    match v {
        Value::Object(o) => Ok(o),
        _ => Err(Error::decode("cbor: the body is not a map")),
    }
}

/// Appends a value, prefix included.
pub(crate) fn encode(v: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(&PREFIX);
    write::value(v, out)
}

/// Appends an object, prefix included.
pub(crate) fn encode_object(o: &Map<String, Value>, out: &mut Vec<u8>) -> Result<(), Error> {
    encode(&Value::Object(o.clone()), out)
}

/// Appends a typed value, prefix included.
pub(crate) fn encode_message(m: &dyn Message, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(&PREFIX);
    write::message(m, true, out)
}

/// Sets `m`, which is at its default.
pub(crate) fn decode_message(o: &Map<String, Value>, m: &mut dyn Message) -> Result<(), Error> {
    from_unstructured_exact(o, m)
}

/// The head of a list with its kind and metadata, up to its items, which the caller appends; map
/// keys come in the right order.
pub(crate) fn put_list_start(kind: &str, items: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&PREFIX);
    write::head(5, 4, out);
    write::string("kind", out);
    write::string(kind, out);
    write::string("items", out);
    write::head(4, items as u64, out);
}

/// What is behind the items of a list.
pub(crate) fn put_list_end(
    metadata: &dyn Message,
    api_version: &str,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    write::string("metadata", out);
    write::message(metadata, false, out)?;
    write::string("apiVersion", out);
    write::string(api_version, out);
    Ok(())
}

/// A watch event around an encoded object.
pub(crate) fn put_event(type_name: &str, object: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&PREFIX);
    write::head(5, 2, out);
    write::string("type", out);
    write::string(type_name, out);
    write::string("object", out);
    out.extend_from_slice(object);
}

/// How long the data item at the start of `bytes` is, when it is there as a whole.
pub(crate) fn item_len(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let mut r = Reader::new(bytes);
    match r.skip(0) {
        Ok(()) => Ok(Some(r.at)),
        Err(Fault::Short) => Ok(None),
        Err(f) => Err(error(f)),
    }
}

/// Where a collection starts, and how many it has; none for an unknown number.
pub(crate) enum Opened {
    /// More bytes are needed.
    Short,
    /// Another kind of item.
    Other,
    /// So many bytes of head, so many entries.
    At(usize, Option<u64>),
}

/// Enters the map (`major` 5) or array (4) at the start of `bytes`, tags passed over.
pub(crate) fn open(bytes: &[u8], major: u8) -> Result<Opened, Error> {
    let mut r = Reader::new(bytes);
    loop {
        match r.head() {
            Ok(h) if h.major == 6 => {}
            Ok(h) if h.major == major => {
                return Ok(Opened::At(r.at, (!h.is_indefinite()).then_some(h.argument)));
            }
            Ok(_) => return Ok(Opened::Other),
            Err(Fault::Short) => return Ok(Opened::Short),
            Err(f) => return Err(error(f)),
        }
    }
}

/// The map key at the start of `bytes`, which are one data item.
pub(crate) fn key(bytes: &[u8]) -> Result<String, Error> {
    Reader::new(bytes).key().map(|k| k.to_string()).map_err(error)
}

/// Type and object of a watch event.
pub(crate) fn event(bytes: &[u8]) -> Result<(String, &[u8]), Error> {
    let Opened::At(mut at, mut left) = open(bytes, 5)? else {
        return Err(Error::decode("a watch event is not a CBOR map"));
    };
    let part = |from: usize| -> Result<&[u8], Error> {
        let rest = bytes.get(from..).unwrap_or_default();
        let n = item_len(rest)?.ok_or_else(|| error(Fault::Short))?;
        Ok(&rest[..n])
    };
    let (mut name, mut object) = (String::new(), &b""[..]);
    while left != Some(0) && bytes.get(at) != Some(&0xff) {
        left = left.map(|n| n - 1);
        let key = part(at)?;
        at += key.len();
        let value = part(at)?;
        at += value.len();
        match self::key(key)?.as_str() {
            "type" => name = self::key(value)?,
            "object" => object = value,
            _ => {}
        }
    }
    if object.is_empty() {
        return Err(Error::decode(format!("a watch event of type {name:?} has no object")));
    }
    Ok((name, object))
}

/// The first member that no field takes, in Go's words: CBOR says where in its map it is, and not
/// which map that is.
pub(crate) fn unknown_field(
    bytes: &[u8],
    desc: Option<&'static Desc>,
) -> Result<Option<StrictError>, Error> {
    let Some(desc) = desc else { return Ok(None) };
    let mut r = Reader::new(bytes);
    r.message(desc, 0).map_err(error)?;
    Ok(r.unknown
        .map(|i| StrictError::text(format!("cbor: found unknown field at map element index {i}"))))
}

fn field(d: &'static Desc, key: &str) -> Option<&'static Type> {
    d.fields.iter().find_map(|f| match f.ty {
        Type::Msg(s) | Type::Emb(s) | Type::OptMsg(s) if f.flags & INLINE != 0 => field(s, key),
        _ => (f.name == key && f.flags & NOJSON == 0).then_some(&f.ty),
    })
}

#[cfg(test)]
mod tests;
