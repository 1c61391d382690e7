//! [`UnstructuredList`]: a list of objects of any kind. Go: `unstructured.UnstructuredList`.
use super::kept::Kept;
use super::{Unstructured, encode_object, missing_kind, missing_version, no_protobuf, take_text};
use crate::reflect::{Parser, json_value, put_object, put_str};
use crate::{
    AnyKind, Codec, Decoder, Error, Format, GroupVersion, GroupVersionKind, ListMeta, Str,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A list whose type is not known when the program is compiled.
///
/// An item that says neither kind nor apiVersion has those of the list, without `List` at the end
/// of the kind.
///
/// ```
/// use pintle_apimachinery::{Codec, Decoder, Format, UnstructuredList};
/// let text = br#"{"apiVersion":"v1","kind":"PodList","metadata":{"resourceVersion":"7"},
///                "items":[{"metadata":{"name":"a"}}]}"#;
/// let list = UnstructuredList::decode(text, Format::Json, &mut Decoder::new())?;
/// assert_eq!(list.metadata.resource_version, "7");
/// assert_eq!(list.items[0].kind, "Pod");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnstructuredList {
    /// `apiVersion`.
    pub api_version: Str,
    /// `kind`.
    pub kind: Str,
    /// `metadata`.
    pub metadata: ListMeta,
    /// The objects.
    pub items: Vec<Unstructured>,
    /// Every other member.
    pub fields: Map<String, Value>,
    kept: Kept,
}

impl UnstructuredList {
    /// From a JSON object.
    ///
    /// # Errors
    /// The list does not say its kind, or `items` is not a list of objects.
    pub fn from_object(object: Map<String, Value>) -> Result<Self, Error> {
        Self::read(object, false)
    }
    /// With `strict`, each item must say, or take from the list, what it is.
    fn read(mut object: Map<String, Value>, strict: bool) -> Result<Self, Error> {
        let mut list = UnstructuredList {
            api_version: take_text(&mut object, "apiVersion"),
            kind: take_text(&mut object, "kind"),
            ..Default::default()
        };
        if list.kind.is_empty() {
            return Err(missing_kind());
        }
        if let Some(Value::Object(m)) = object.get("metadata") {
            let mut text = Vec::new();
            put_object(m, &mut text);
            let text = String::from_utf8_lossy(&text);
            if list.kept.read(&mut list.metadata, &mut Parser::new(&text)).is_ok() {
                list.kept.take_values(&list.metadata, m);
                object.shift_remove("metadata");
            }
        }
        match object.shift_remove("items") {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                list.items.reserve(items.len());
                for item in items {
                    let item = match item {
                        Value::Object(item) => item,
                        Value::Null if !strict => Map::new(),
                        _ => {
                            return Err(Error::decode(
                                "elements of the items field of UnstructuredList must be encoded as a map",
                            ));
                        }
                    };
                    let mut item = Unstructured::from_object(item);
                    if item.kind.is_empty() && item.api_version.is_empty() {
                        let kind = list.kind.as_str();
                        item.kind = Str::new(kind.strip_suffix("List").unwrap_or(kind));
                        item.api_version = list.api_version.clone();
                        for (key, text) in [("kind", &item.kind), ("apiVersion", &item.api_version)]
                        {
                            item.fields.shift_remove(key);
                            if text.is_empty() {
                                item.fields.insert(key.into(), "".into());
                            }
                        }
                    }
                    if strict && item.kind.is_empty() {
                        return Err(missing_kind());
                    }
                    if strict && item.api_version.is_empty() {
                        return Err(missing_version());
                    }
                    list.items.push(item);
                }
            }
            Some(_) => {
                return Err(Error::decode(ITEMS));
            }
        }
        list.fields = object;
        Ok(list)
    }
    /// The whole as a JSON object. Go: `UnstructuredContent`.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut o = self.head();
        let items = self.items.iter().map(|i| Value::Object(i.to_object())).collect();
        o.insert("items".into(), Value::Array(items));
        o
    }
    /// Everything but the items.
    fn head(&self) -> Map<String, Value> {
        let mut o = Map::new();
        if !self.api_version.is_empty() {
            o.insert("apiVersion".into(), self.api_version.as_str().into());
        }
        o.insert("kind".into(), self.kind.as_str().into());
        if let Some(m) = self.kept.write(&self.metadata) {
            o.insert("metadata".into(), m.into());
        }
        for (key, v) in &self.fields {
            o.entry(key.as_str()).or_insert_with(|| v.clone());
        }
        o
    }
}

impl Serialize for UnstructuredList {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(s)
    }
}
impl<'de> Deserialize<'de> for UnstructuredList {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::from_object(Map::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// The JSON object in bytes of any format that has one.
fn object(bytes: &[u8], format: Format) -> Result<Map<String, Value>, Error> {
    let of_text = |text: &str| -> Result<Value, Error> {
        let mut p = Parser::new(text);
        let v = json_value(&mut p)?;
        p.finish()?;
        Ok(v)
    };
    let v = match format {
        Format::Json => of_text(crate::codec::text(bytes)?)?,
        Format::Yaml => of_text(&crate::codec::yaml_to_json(bytes)?)?,
        Format::Protobuf => return Err(Error::decode(no_protobuf("the list"))),
        Format::Cbor => return crate::codec::cbor_object(bytes),
    };
    match v {
        Value::Object(o) => Ok(o),
        _ => Err(Error::decode("the body is not an object")),
    }
}

impl Codec for UnstructuredList {
    const PROTOBUF: bool = false;
    fn decode(bytes: &[u8], format: Format, _: &mut Decoder) -> Result<Self, Error> {
        Self::read(object(bytes, format)?, format == Format::Cbor)
    }
    /// JSON is written item by item.
    fn encode(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
        if format != Format::Json {
            return encode_object(&self.to_object(), &self.kind, format, out);
        }
        let mut head = self.head();
        head.insert("items".into(), Value::Null);
        let mut members: Vec<_> = head.into_iter().collect();
        members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut before = b'{';
        for (key, v) in members {
            out.push(std::mem::replace(&mut before, b','));
            put_str(out, &key);
            out.push(b':');
            if key != "items" {
                crate::reflect::put_value(&v, out);
                continue;
            }
            out.push(b'[');
            for (i, item) in self.items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                item.encode(Format::Json, out)?;
            }
            out.push(b']');
        }
        out.push(b'}');
        Ok(())
    }
}

impl AnyKind for UnstructuredList {
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

/// As in Go, items that are there twice must be a list each time.
fn only_lists_of_items(text: &str) -> Result<(), Error> {
    let mut p = Parser::new(text);
    let mut more = p.open(b'{', b'}')?;
    while more {
        if p.key()? == "items" && !matches!(p.peek()?, b'[' | b'n') {
            return Err(Error::decode(ITEMS));
        }
        p.raw()?;
        more = p.next(b'}')?;
    }
    Ok(())
}

const ITEMS: &str =
    "items field of UnstructuredList must be encoded as an array or null if present";

/// An object or a list, whichever the bytes are. Go: what `UnstructuredJSONScheme` decodes to.
///
/// ```
/// use pintle_apimachinery::{AnyUnstructured, Format};
/// let text = b"kind: List\napiVersion: v1\nitems: []\n";
/// assert!(matches!(AnyUnstructured::decode(text, Format::Yaml)?, AnyUnstructured::List(_)));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum AnyUnstructured {
    /// An object without `items`.
    Object(Unstructured),
    /// An object with `items`.
    List(UnstructuredList),
}

impl AnyUnstructured {
    /// Decodes an object, or a list when there are `items`.
    ///
    /// # Errors
    /// The bytes are not an object, do not say what they are, or have items that are no objects.
    pub fn decode(bytes: &[u8], format: Format) -> Result<Self, Error> {
        let o = object(bytes, format)?;
        let (read, api_version) = if o.contains_key("items") {
            if format == Format::Json {
                only_lists_of_items(crate::codec::text(bytes)?)?;
            }
            let list = UnstructuredList::from_object(o)?;
            let api_version = list.api_version.clone();
            (AnyUnstructured::List(list), api_version)
        } else {
            let u = Unstructured::from_object(o);
            if u.kind.is_empty() {
                return Err(missing_kind());
            }
            let api_version = u.api_version.clone();
            (AnyUnstructured::Object(u), api_version)
        };
        // As in Go, an apiVersion that is none takes the kind with it.
        GroupVersion::parse(&api_version).map_err(|_| missing_kind())?;
        Ok(read)
    }
    /// The value behind the trait.
    pub fn into_any_kind(self) -> Box<dyn AnyKind> {
        match self {
            AnyUnstructured::Object(u) => Box::new(u),
            AnyUnstructured::List(l) => Box::new(l),
        }
    }
}
