//! [`Unstructured`]: an object of any kind, by its JSON form. Go: `unstructured.Unstructured`.
use crate::{AnyKind, Codec, Decoder, Error, Format, GroupVersionKind, Object, ObjectMeta, Str};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An object whose type is not known when the program is compiled: kind, apiVersion and metadata
/// are typed, the rest is JSON.
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Unstructured {
    /// `apiVersion`.
    #[serde(rename = "apiVersion", default, skip_serializing_if = "no_text")]
    pub api_version: Str,
    /// `kind`.
    #[serde(default, skip_serializing_if = "no_text")]
    pub kind: Str,
    /// `metadata`.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// Every other member.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

fn no_text(s: &Str) -> bool {
    s.is_empty()
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
    /// The value at a path of member names with dots between them. For names with dots in them,
    /// and for lists, use [`Unstructured::fields`].
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
        let (above, last) = match path.rsplit_once('.') {
            Some((above, last)) => (above.split('.').collect(), last),
            None => (Vec::new(), path),
        };
        if last.is_empty() {
            return Err(Error::invalid(format!("path {path:?} names no field")));
        }
        let mut at = &mut self.fields;
        for step in above {
            at = at
                .entry(step)
                .or_insert_with(|| Value::Object(Map::new()))
                .as_object_mut()
                .ok_or_else(|| Error::invalid(format!("path {path:?}: {step} is not an object")))?;
        }
        at.insert(last.to_owned(), value.into());
        Ok(())
    }
    /// The object as a typed kind.
    ///
    /// # Errors
    /// It is of another kind, or a field has another type.
    pub fn to_typed<T: Codec>(&self) -> Result<T, Error> {
        let mut json = Vec::new();
        Codec::encode(self, Format::Json, &mut json)?;
        T::decode(&json, Format::Json, &mut Decoder::new())
    }
    /// Any object, by its JSON form.
    ///
    /// # Errors
    /// The object cannot be written as JSON.
    pub fn from_typed(object: &dyn AnyKind) -> Result<Self, Error> {
        let mut json = Vec::new();
        object.encode_any(Format::Json, &mut json)?;
        Codec::decode(&json, Format::Json, &mut Decoder::new())
    }
}

impl Codec for Unstructured {
    const PROTOBUF: bool = false;
    fn decode(bytes: &[u8], format: Format, _: &mut Decoder) -> Result<Self, Error> {
        crate::codec::decode_serde(bytes, format, &UNKNOWN)
    }
    fn encode(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
        crate::codec::encode_serde(self, format, &self.gvk(), out)
    }
    fn reuse(&mut self, old: &Self) {
        crate::reflect::reuse(&mut self.metadata, &old.metadata);
    }
}

/// Only for messages.
const UNKNOWN: GroupVersionKind = GroupVersionKind::from_static("", "", "object");

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
