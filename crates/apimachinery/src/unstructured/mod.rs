//! [`Unstructured`]: an object of any kind, by its JSON form. Go: `unstructured.Unstructured`.
mod kept;
mod list;
mod nested;

pub use list::{AnyUnstructured, UnstructuredList};
pub use nested::*;

use crate::reflect::{Parser, json_value, put_object};
use crate::{
    AnyKind, Codec, Decoder, Error, Format, GroupVersion, GroupVersionKind, Object, ObjectMeta, Str,
};
use kept::Kept;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// An object whose type is not known when the program is compiled: kind, apiVersion and metadata
/// are typed, the rest is JSON.
///
/// What the server sent comes back as it was: members of the metadata that [`ObjectMeta`] does not
/// have, or that it would write in another way, are kept beside it until their field changes.
/// Whole numbers are `i64` as long as they fit, other numbers `f64`; it is written with its
/// members sorted, as Go does.
///
/// ```
/// use pintle_apimachinery::{AnyKind, Object, Unstructured};
/// let mut u: Unstructured = serde_json::from_str(
///     r#"{"apiVersion":"example.com/v1","kind":"Foo","metadata":{"name":"one"},"spec":{"replicas":2}}"#)?;
/// assert_eq!(u.gvk().to_string(), "example.com/v1, Kind=Foo");
/// assert_eq!(u.name(), "one");
/// assert_eq!(u.get("spec.replicas").and_then(|v| v.as_i64()), Some(2));
/// u.set("spec.replicas", 3)?;
/// assert_eq!(u.fields["spec"]["replicas"], 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unstructured {
    /// `apiVersion`.
    pub api_version: Str,
    /// `kind`.
    pub kind: Str,
    /// `metadata`.
    pub metadata: ObjectMeta,
    /// Every other member.
    pub fields: Map<String, Value>,
    /// Of the metadata, what its type does not hold.
    kept: Kept,
}

/// Kind and apiVersion of an object; values that are no strings stay where they are.
fn take_text(o: &mut Map<String, Value>, key: &str) -> Str {
    match o.get(key) {
        Some(Value::String(s)) if !s.is_empty() => {
            let s = Str::new(s);
            o.shift_remove(key);
            s
        }
        _ => Str::empty(),
    }
}

impl Unstructured {
    /// An empty object of kind `gvk`.
    pub fn new(gvk: &GroupVersionKind) -> Self {
        Unstructured {
            api_version: Str::from(gvk.api_version()),
            kind: Str::new(&gvk.kind),
            ..Default::default()
        }
    }
    /// From a JSON object. Go: `SetUnstructuredContent`.
    pub fn from_object(mut object: Map<String, Value>) -> Self {
        let mut u = Unstructured {
            api_version: take_text(&mut object, "apiVersion"),
            kind: take_text(&mut object, "kind"),
            ..Default::default()
        };
        if let Some(Value::Object(m)) = object.get("metadata") {
            let mut text = Vec::new();
            put_object(m, &mut text);
            // The text was just written, and no deeper than what was read.
            let text = String::from_utf8_lossy(&text);
            if u.kept.read(&mut u.metadata, &mut Parser::new(&text)).is_ok() {
                u.kept.take_values(&u.metadata, m);
                object.shift_remove("metadata");
            }
        }
        u.fields = object;
        u
    }
    /// The whole as a JSON object. Go: `UnstructuredContent`.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut o = Map::with_capacity(self.fields.len() + 3);
        if !self.api_version.is_empty() {
            o.insert("apiVersion".into(), self.api_version.as_str().into());
        }
        if !self.kind.is_empty() {
            o.insert("kind".into(), self.kind.as_str().into());
        }
        if let Some(metadata) = self.kept.write(&self.metadata) {
            o.insert("metadata".into(), metadata.into());
        }
        for (key, v) in &self.fields {
            o.entry(key.as_str()).or_insert_with(|| v.clone());
        }
        o
    }
    /// Whether the object has `items`, which makes it a list. Go: `IsList`.
    pub fn is_list(&self) -> bool {
        self.fields.get("items").is_some_and(Value::is_array)
    }
    /// The value at a path of member names with dots between them. For names with dots in them,
    /// and for lists, use [`nested_field`] or [`Unstructured::fields`].
    pub fn get(&self, path: &str) -> Option<&Value> {
        let mut steps = path.split('.');
        let first = self.fields.get(steps.next()?)?;
        steps.try_fold(first, |v, s| v.get(s))
    }
    /// Sets the value at a path of member names with dots between them, making objects on the
    /// way.
    ///
    /// # Errors
    /// Something on the way is not an object, or the path is empty.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) -> Result<(), Error> {
        if path.is_empty() || path.ends_with('.') {
            return Err(Error::invalid(format!("path {path:?} names no field")));
        }
        let steps: Vec<&str> = path.split('.').collect();
        set_nested_field(&mut self.fields, value, &steps)
    }
    /// The object as a typed kind. Booleans, numbers and strings never become each other; a whole
    /// number may be written with a fraction of zero.
    /// Go: `DefaultUnstructuredConverter.FromUnstructured`.
    ///
    /// # Errors
    /// It is of another kind, or a field has another type.
    pub fn to_typed<T: Codec>(&self) -> Result<T, Error> {
        let mut json = Vec::new();
        Codec::encode(self, Format::Json, &mut json)?;
        T::decode(&json, Format::Json, &mut Decoder::new())
    }
    /// Any object, by its JSON form.
    /// Go: `DefaultUnstructuredConverter.ToUnstructured`.
    ///
    /// # Errors
    /// The object cannot be written as JSON.
    pub fn from_typed(object: &dyn AnyKind) -> Result<Self, Error> {
        if let Some(m) = object.as_message() {
            return Ok(Self::from_object(crate::reflect::to_unstructured(m)?));
        }
        let mut json = Vec::new();
        object.encode_any(Format::Json, &mut json)?;
        Codec::decode(&json, Format::Json, &mut Decoder::new())
    }
    fn read(text: &str) -> Result<Self, Error> {
        let mut u = Unstructured::default();
        let mut p = Parser::new(text);
        if p.null()? {
            p.finish()?;
            return Ok(u);
        }
        let mut more = p.open(b'{', b'}')?;
        while more {
            let key = p.key()?;
            match (&*key, p.peek()?) {
                ("metadata", b'{') => {
                    u.fields.shift_remove("metadata");
                    u.metadata = ObjectMeta::default();
                    u.kept = Kept::default();
                    u.kept.read(&mut u.metadata, &mut p)?;
                }
                ("apiVersion" | "kind", b'"') => {
                    let text = Str::new(p.string()?);
                    u.fields.shift_remove(&*key);
                    if text.is_empty() {
                        u.fields.insert(key.to_string(), "".into());
                    }
                    if key == "kind" { u.kind = text } else { u.api_version = text }
                }
                _ => {
                    let v = json_value(&mut p)?;
                    match &*key {
                        "metadata" => {
                            u.metadata = ObjectMeta::default();
                            u.kept = Kept::default();
                        }
                        "apiVersion" => u.api_version = Str::empty(),
                        "kind" => u.kind = Str::empty(),
                        _ => {}
                    }
                    u.fields.insert(key.into_owned(), v);
                }
            }
            more = p.next(b'}')?;
        }
        p.finish()?;
        Ok(u)
    }
}

/// Go's error for an object that does not say what it is; the object itself is not in it.
pub(crate) fn missing_kind() -> Error {
    Error::decode("Object 'Kind' is missing")
}
pub(crate) fn missing_version() -> Error {
    Error::decode("Object 'apiVersion' is missing")
}
fn no_protobuf(kind: &str) -> String {
    format!("{kind} has no type here, and so no protobuf form; ask for application/json")
}

impl Serialize for Unstructured {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(s)
    }
}
impl<'de> Deserialize<'de> for Unstructured {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Map::deserialize(d).map(Self::from_object)
    }
}

impl Codec for Unstructured {
    const PROTOBUF: bool = false;
    fn decode(bytes: &[u8], format: Format, cx: &mut Decoder) -> Result<Self, Error> {
        let u = Self::decode_item(bytes, format, cx)?;
        // As in Go, an apiVersion that is none takes the kind with it.
        if u.kind.is_empty() || GroupVersion::parse(&u.api_version).is_err() {
            return Err(missing_kind());
        }
        Ok(u)
    }
    fn decode_item(bytes: &[u8], format: Format, _: &mut Decoder) -> Result<Self, Error> {
        match format {
            Format::Json => Self::read(crate::codec::text(bytes)?).map_err(|e| e.context("object")),
            Format::Yaml => Self::read(&crate::codec::yaml_to_json(bytes)?),
            Format::Protobuf => Err(Error::decode(no_protobuf("the object"))),
            Format::Cbor => crate::codec::cbor_object(bytes).map(Self::from_object),
        }
    }
    fn encode(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
        encode_object(&self.to_object(), &self.kind, format, out)
    }
    fn reuse(&mut self, old: &Self) {
        crate::reflect::reuse(&mut self.metadata, &old.metadata);
    }
}

fn encode_object(
    o: &Map<String, Value>,
    kind: &str,
    format: Format,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    match format {
        Format::Json => put_object(o, out),
        Format::Yaml => {
            out.extend_from_slice(crate::yaml::to_string(&Value::Object(o.clone())).as_bytes());
        }
        Format::Protobuf => return Err(Error::encode(no_protobuf(kind))),
        Format::Cbor => crate::codec::cbor_put_object(o, out)?,
    }
    Ok(())
}

impl AnyKind for Unstructured {
    fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::from_api_version_and_kind(&self.api_version, self.kind.to_string())
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
    fn encode_any(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
        Codec::encode(self, format, out)
    }
}
impl Object for Unstructured {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
    fn clone_object(&self) -> Box<dyn Object> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
