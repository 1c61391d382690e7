//! Codec and serde of custom resources: typed metadata by the reflective surface (interned, with
//! compact managed fields, as for built-in kinds), spec and status by serde.
use super::path::path_at;
use super::{CustomResource, CustomResourcePart};
use crate::codec::{any_to_json, json_to_any, text};
use crate::reflect::{DecodeError, Parser, json_merge, json_put, put_serde, put_str};
use crate::{Decoder, Error, Format, ObjectMeta};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserializer, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// Decodes an object. Kind and apiVersion, when given, must be right; unknown members are passed
/// over.
///
/// # Errors
/// The bytes are not such an object; the message has the path of the field.
pub fn decode<T: CustomResource>(
    bytes: &[u8],
    format: Format,
    cx: &mut Decoder,
) -> Result<T, Error> {
    decode_json(text(&any_to_json(bytes, format, T::KIND)?)?, cx)
}

fn decode_json<T: CustomResource>(text: &str, cx: &mut Decoder) -> Result<T, Error> {
    let wrong = |e: Box<DecodeError>| Error::decode(format!("{}: {e}", T::KIND));
    let (mut api_version, mut kind) = (String::new(), String::new());
    let (mut metadata, mut spec, mut status) = (ObjectMeta::default(), None, None);
    let mut p = Parser::new(text);
    let mut more = p.open(b'{', b'}').map_err(wrong)?;
    while more {
        let key = p.key().map_err(wrong)?;
        match &*key {
            "apiVersion" | "kind" => {
                let value = if p.null().map_err(wrong)? {
                    String::new()
                } else {
                    p.string()
                        .map_err(|e| Error::decode(format!("{}: {key}: {e}", T::KIND)))?
                        .to_owned()
                };
                if key == "kind" { kind = value } else { api_version = value }
            }
            "metadata" => {
                if !p.null().map_err(wrong)? {
                    json_merge(&mut metadata, &mut p, cx)
                        .map_err(|e| Error::decode(format!("{}: metadata: {e}", T::KIND)))?;
                }
            }
            "spec" => spec = part::<T, _>("spec", text, p.raw().map_err(wrong)?)?,
            "status" if T::DEFINITION.status => {
                status = part::<T, _>("status", text, p.raw().map_err(wrong)?)?;
            }
            _ => p.skip().map_err(wrong)?,
        }
        more = p.next(b'}').map_err(wrong)?;
    }
    p.finish().map_err(wrong)?;
    check_kind::<T>(&api_version, &kind).map_err(Error::decode)?;
    Ok(T::from_parts(metadata, spec.unwrap_or_default(), status.unwrap_or_default()))
}

/// A part, in `raw`, which lies in `text`; null is the default.
fn part<T: CustomResource, P: CustomResourcePart>(
    name: &str,
    text: &str,
    raw: &str,
) -> Result<Option<P>, Error> {
    if raw == "null" {
        return Ok(None);
    }
    serde_json::from_str(raw).map(Some).map_err(|e| {
        let line: usize = raw.split_inclusive('\n').take(e.line().max(1) - 1).map(str::len).sum();
        let end = line + e.column();
        let path = path_at(name, raw, end);
        let mut what = e.to_string();
        if let Some(at) = what.rfind(" at line ") {
            what.truncate(at);
        }
        let start = raw.as_ptr() as usize - text.as_ptr() as usize;
        Error::decode(format!("{}: {path}: {what} (at byte {})", T::KIND, start + end))
    })
}

fn check_kind<T: CustomResource>(api_version: &str, kind: &str) -> Result<(), String> {
    let right = (kind.is_empty() || kind == T::KIND)
        && (api_version.is_empty() || api_version.split_once('/') == Some((T::GROUP, T::VERSION)));
    if right {
        return Ok(());
    }
    let wanted = T::gvk_of();
    Err(format!(
        "the body is a {kind} of {api_version}, not a {} of {}",
        wanted.kind,
        wanted.api_version()
    ))
}

/// Encodes an object.
///
/// # Errors
/// The spec or status cannot be written as JSON (a map with keys that are not strings, say), or
/// protobuf is asked for.
pub fn encode<T: CustomResource>(
    object: &T,
    format: Format,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if format == Format::Json {
        let start = out.len();
        return encode_json(object, out).inspect_err(|_| out.truncate(start));
    }
    let mut json = Vec::new();
    encode_json(object, &mut json)?;
    json_to_any(&json, format, T::KIND, out)
}

fn encode_json<T: CustomResource>(object: &T, out: &mut Vec<u8>) -> Result<(), Error> {
    let (metadata, spec, status) = object.parts();
    let wrong =
        |part: &str, e: serde_json::Error| Error::encode(format!("{}: {part}: {e}", T::KIND));
    out.extend_from_slice(b"{\"kind\":");
    put_str(out, T::KIND);
    out.extend_from_slice(b",\"apiVersion\":");
    put_str(out, &T::gvk_of().api_version());
    out.extend_from_slice(b",\"metadata\":");
    json_put(metadata, out);
    out.extend_from_slice(b",\"spec\":");
    put_serde(out, spec).map_err(|e| wrong("spec", e))?;
    if T::DEFINITION.status && *status != T::Status::default() {
        out.extend_from_slice(b",\"status\":");
        put_serde(out, status).map_err(|e| wrong("status", e))?;
    }
    out.push(b'}');
    Ok(())
}

/// Serializes an object as a map, kind and apiVersion first.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<T: CustomResource, S: Serializer>(object: &T, s: S) -> Result<S::Ok, S::Error> {
    let (metadata, spec, status) = object.parts();
    let with_status = T::DEFINITION.status && *status != T::Status::default();
    let mut map = s.serialize_map(Some(if with_status { 5 } else { 4 }))?;
    map.serialize_entry("kind", T::KIND)?;
    map.serialize_entry("apiVersion", &*T::gvk_of().api_version())?;
    map.serialize_entry("metadata", metadata)?;
    map.serialize_entry("spec", spec)?;
    if with_status {
        map.serialize_entry("status", status)?;
    }
    map.end()
}

/// Deserializes an object, as [`decode`] does, from anything that serde reads.
///
/// # Errors
/// Those of the deserializer, and another kind or apiVersion.
pub fn deserialize<'de, T: CustomResource, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
    d.deserialize_map(Members(PhantomData))
}

struct Members<T>(PhantomData<T>);
impl<'de, T: CustomResource> Visitor<'de> for Members<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object ({})", T::KIND)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut a: A) -> Result<T, A::Error> {
        let (mut api_version, mut kind) = (None::<String>, None::<String>);
        let (mut metadata, mut spec, mut status) = (None, None, None);
        while let Some(key) = a.next_key::<std::borrow::Cow<'de, str>>()? {
            match &*key {
                "apiVersion" => api_version = a.next_value()?,
                "kind" => kind = a.next_value()?,
                "metadata" => metadata = a.next_value::<Option<ObjectMeta>>()?,
                "spec" => spec = a.next_value::<Option<T::Spec>>()?,
                "status" if T::DEFINITION.status => {
                    status = a.next_value::<Option<T::Status>>()?;
                }
                _ => {
                    a.next_value::<IgnoredAny>()?;
                }
            }
        }
        check_kind::<T>(&api_version.unwrap_or_default(), &kind.unwrap_or_default())
            .map_err(A::Error::custom)?;
        Ok(T::from_parts(
            metadata.unwrap_or_default(),
            spec.unwrap_or_default(),
            status.unwrap_or_default(),
        ))
    }
}

/// The traits of a custom resource, by `CustomResource` (which the derive implements itself).
#[doc(hidden)]
#[macro_export]
macro_rules! custom_resource {
    ($type:ident, $group:literal, $version:literal, $kind:literal, $plural:literal, $scope:ident) => {
        impl $crate::Kind for $type {
            const GROUP: &'static str = $group;
            const VERSION: &'static str = $version;
            const KIND: &'static str = $kind;
        }
        impl $crate::AnyKind for $type {
            fn gvk(&self) -> $crate::GroupVersionKind {
                <$type as $crate::Kind>::gvk_of()
            }
            fn as_any(&self) -> &dyn ::std::any::Any {
                self
            }
            fn into_any(self: ::std::boxed::Box<Self>) -> ::std::boxed::Box<dyn ::std::any::Any> {
                self
            }
            fn encode_any(
                &self,
                format: $crate::Format,
                out: &mut ::std::vec::Vec<u8>,
            ) -> ::std::result::Result<(), $crate::Error> {
                $crate::__derive::encode(self, format, out)
            }
        }
        impl $crate::Codec for $type {
            const PROTOBUF: bool = false;
            fn decode(
                bytes: &[u8],
                format: $crate::Format,
                cx: &mut $crate::Decoder,
            ) -> ::std::result::Result<Self, $crate::Error> {
                $crate::__derive::decode(bytes, format, cx)
            }
            fn encode(
                &self,
                format: $crate::Format,
                out: &mut ::std::vec::Vec<u8>,
            ) -> ::std::result::Result<(), $crate::Error> {
                $crate::__derive::encode(self, format, out)
            }
            fn reuse(&mut self, old: &Self) {
                $crate::reflect::reuse(&mut self.metadata, &old.metadata)
            }
        }
        impl $crate::DeepCopy for $type {
            fn deep_copy(&self) -> Self {
                ::std::clone::Clone::clone(self)
            }
        }
        impl $crate::__private::Serialize for $type {
            fn serialize<S: $crate::__private::Serializer>(
                &self,
                s: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::__derive::serialize(self, s)
            }
        }
        impl<'de> $crate::__private::Deserialize<'de> for $type {
            fn deserialize<D: $crate::__private::Deserializer<'de>>(
                d: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::__derive::deserialize(d)
            }
        }
        $crate::object!($type);
        $crate::resource!($type, $plural, $scope);
    };
}
