//! Built-in kinds through their Rust types: protobuf, unknown fields, and one form for all.
//!
//! Go counterpart: the scheme and serializers of `k8s.io/kubernetes/pkg/api/legacyscheme`. The
//! server works on JSON trees; what a client sends for a built-in kind passes through the kind's
//! type once, so that what is stored has exactly the fields and the form the type has.

use pintle_apimachinery::codec::PROTOBUF_MAGIC;
use pintle_apimachinery::reflect::{self, Desc, Field, INLINE, NOJSON, Type};
use pintle_apimachinery::{AnyKind, Envelope, Format, GroupVersionKind, Scheme};
use serde_json::{Map, Value};

use crate::object::Object;

pub(crate) struct Typed {
    scheme: Scheme,
}

impl Typed {
    pub(crate) fn new() -> Self {
        let mut scheme = Scheme::new();
        scheme.register_meta();
        pintle_api::add_to_scheme(&mut scheme);
        Typed { scheme }
    }

    fn decode(&self, bytes: &[u8], format: Format) -> Result<Box<dyn AnyKind>, String> {
        self.scheme.decode(bytes, format).map_err(|error| error.to_string())
    }

    /// The fields of a kind; `None` for a kind without a type.
    pub(crate) fn desc(&self, api_version: &str, kind: &str) -> Option<&'static Desc> {
        let empty = format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{api_version}\"}}");
        let value = self.decode(empty.as_bytes(), Format::Json).ok()?;
        Some(value.as_message()?.desc())
    }

    /// The object as its type has it. The head is set from `api_version` and `kind`.
    ///
    /// # Errors
    /// A field does not fit the type.
    pub(crate) fn normalize(
        &self,
        mut object: Object,
        api_version: &str,
        kind: &str,
    ) -> Result<Object, String> {
        object.insert("apiVersion".to_owned(), api_version.into());
        object.insert("kind".to_owned(), kind.into());
        let json = serde_json::to_vec(&object).map_err(|error| error.to_string())?;
        let value = self.decode(&json, Format::Json)?;
        to_object(&*value)
    }

    /// As [`Typed::normalize`], through the form Kubernetes stores: in protobuf, where a list that
    /// is empty is none. Definitions of APIs are stored in JSON there.
    ///
    /// # Errors
    /// A field does not fit the type.
    pub(crate) fn normalize_stored(
        &self,
        object: Object,
        api_version: &str,
        kind: &str,
    ) -> Result<Object, String> {
        if api_version.starts_with("apiextensions.k8s.io/")
            || api_version.starts_with("apiregistration.k8s.io/")
        {
            return self.normalize(object, api_version, kind);
        }
        let mut object = object;
        object.insert("apiVersion".to_owned(), api_version.into());
        object.insert("kind".to_owned(), kind.into());
        let json = serde_json::to_vec(&object).map_err(|error| error.to_string())?;
        let value = self.decode(&json, Format::Json)?;
        let mut bytes = Vec::with_capacity(json.len());
        value.encode_any(Format::Protobuf, &mut bytes).map_err(|error| error.to_string())?;
        self.decode_protobuf(&bytes)
    }

    /// A protobuf body as an object.
    ///
    /// # Errors
    /// The body is no protobuf of a kind that has a type.
    pub(crate) fn decode_protobuf(&self, body: &[u8]) -> Result<Object, String> {
        to_object(&*self.decode(body, Format::Protobuf)?)
    }

    /// Options of a delete, which clients send under the version of whatever they delete.
    ///
    /// # Errors
    /// The body is no protobuf of `DeleteOptions`.
    pub(crate) fn delete_options(&self, body: &[u8]) -> Result<Object, String> {
        let envelope = Envelope::parse(body).map_err(|error| error.to_string())?;
        if envelope.kind != "DeleteOptions" {
            return Err(format!("expected DeleteOptions, got {}", envelope.kind));
        }
        let mut plain = Vec::with_capacity(body.len());
        Envelope { api_version: "v1", ..envelope }.write(&mut plain);
        self.decode_protobuf(&plain)
    }

    /// Why an object cannot be converted to its type, in the words of Go's converter of
    /// unstructured objects.
    pub(crate) fn conversion_error(
        &self,
        object: &Object,
        api_version: &str,
        kind: &str,
    ) -> Option<String> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let gvk = GroupVersionKind::new(group.to_owned(), version.to_owned(), kind.to_owned());
        let mut typed = self.scheme.new_object(&gvk).ok()?;
        let error = reflect::from_unstructured(object, typed.as_message_mut()?).err()?.to_string();
        // Go does not say where.
        let at = error.find("cannot ").or_else(|| error.find("unable "))?;
        Some(error[at..].to_owned())
    }

    /// The message of an object given as JSON with its head, without the envelope.
    ///
    /// # Errors
    /// The kind has no type, or no protobuf form.
    pub(crate) fn to_protobuf(&self, json: &[u8]) -> Result<Vec<u8>, String> {
        let value = self.decode(json, Format::Json)?;
        let mut bytes = Vec::new();
        value.encode_any(Format::Protobuf, &mut bytes).map_err(|error| error.to_string())?;
        let raw = Envelope::parse(&bytes).map_err(|error| error.to_string())?.raw;
        Ok(raw.to_vec())
    }
}

fn to_object(value: &dyn AnyKind) -> Result<Object, String> {
    let mut json = Vec::new();
    value.encode_any(Format::Json, &mut json).map_err(|error| error.to_string())?;
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

/// Appends the envelope around a message.
pub(crate) fn write_envelope(out: &mut Vec<u8>, api_version: &str, kind: &str, raw: &[u8]) {
    Envelope { api_version, kind, raw, ..Envelope::default() }.write(out);
}

/// Whether a body is protobuf, whatever its content type says.
pub(crate) fn is_protobuf(body: &[u8]) -> bool {
    body.starts_with(&PROTOBUF_MAGIC)
}

/// The field of a message by its JSON name; embedded structs without a name of their own are
/// looked into.
pub(crate) fn field(desc: &'static Desc, name: &str) -> Option<&'static Field> {
    for field in desc.fields {
        if field.flags & INLINE != 0 {
            if let Type::Msg(inner) | Type::Emb(inner) | Type::OptMsg(inner) = field.ty
                && let Some(found) = self::field(inner, name)
            {
                return Some(found);
            }
        } else if field.flags & NOJSON == 0 && field.name == name {
            return Some(field);
        }
    }
    None
}

/// Fields that the type does not have, as Go names them in strict decoding errors.
pub(crate) fn unknown_fields(object: &Map<String, Value>, desc: &'static Desc) -> Vec<String> {
    let mut unknown = Vec::new();
    collect_unknown(object, desc, "", &mut unknown);
    unknown
}

fn collect_unknown(
    object: &Map<String, Value>,
    desc: &'static Desc,
    path: &str,
    unknown: &mut Vec<String>,
) {
    for (key, value) in object {
        let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match field(desc, key) {
            Some(field) => unknown_in(value, &field.ty, &here, unknown),
            None if path.is_empty() && matches!(key.as_str(), "kind" | "apiVersion") => {}
            None => unknown.push(here),
        }
    }
}

fn unknown_in(value: &Value, ty: &'static Type, path: &str, unknown: &mut Vec<String>) {
    match (ty, value) {
        (Type::List(inner), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                unknown_in(item, inner, &format!("{path}[{index}]"), unknown);
            }
        }
        (Type::Map(inner), Value::Object(entries)) => {
            for (key, value) in entries {
                unknown_in(value, inner, &format!("{path}.{key}"), unknown);
            }
        }
        (Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc), value) => {
            if desc.transparent {
                if let Some(field) = desc.fields.first() {
                    unknown_in(value, &field.ty, path, unknown);
                }
            } else if let Value::Object(object) = value
                && !desc.fields.is_empty()
            {
                collect_unknown(object, desc, path, unknown);
            }
        }
        _ => {}
    }
}
