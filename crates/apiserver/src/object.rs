//! Objects as the server holds them: a JSON tree while they are worked on, bytes once stored.
//!
//! A stored object is kept encoded, in its storage version and without `kind`, `apiVersion` and
//! `metadata.resourceVersion`, which the answer adds: lists and watches then copy bytes, however
//! many clients read them. What selectors, the garbage collector and the writers need of it is
//! kept beside the bytes.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::storage::Revision;

/// An object being worked on.
pub(crate) type Object = Map<String, Value>;

/// The order in which Go writes the fields of `metadata`.
const METADATA: [&str; 13] = [
    "name",
    "generateName",
    "namespace",
    "uid",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];

/// The object's metadata; an absent one reads as empty.
pub(crate) fn metadata(object: &Object) -> &Map<String, Value> {
    static EMPTY: OnceLock<Map<String, Value>> = OnceLock::new();
    match object.get("metadata") {
        Some(Value::Object(metadata)) => metadata,
        _ => EMPTY.get_or_init(Map::new),
    }
}

/// Metadata in the order in which Go writes its fields.
pub(crate) fn in_order(metadata: &Map<String, Value>) -> Map<String, Value> {
    let mut ordered = Map::new();
    for key in METADATA.iter().flat_map(|key| match *key {
        "uid" => ["uid", "resourceVersion"].as_slice(),
        _ => std::slice::from_ref(key),
    }) {
        if let Some(value) = metadata.get(*key) {
            ordered.insert((*key).to_owned(), value.clone());
        }
    }
    for (key, value) in metadata {
        if !ordered.contains_key(key) {
            ordered.insert(key.clone(), value.clone());
        }
    }
    ordered
}

pub(crate) fn metadata_mut(object: &mut Object) -> &mut Map<String, Value> {
    let value = object.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(metadata) => metadata,
        _ => unreachable!("made an object above"),
    }
}

/// A string field; anything else reads as empty.
pub(crate) fn text<'a>(map: &'a Map<String, Value>, key: &str) -> &'a str {
    map.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Sets a string field, or removes it when empty.
pub(crate) fn set_text(map: &mut Map<String, Value>, key: &str, value: &str) {
    if value.is_empty() {
        map.remove(key);
    } else {
        map.insert(key.to_owned(), value.into());
    }
}

/// The elements of a list of strings.
pub(crate) fn strings<'a>(map: &'a Map<String, Value>, key: &str) -> Vec<&'a str> {
    let list = map.get(key).and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// The value at a dotted path of plain field names.
pub(crate) fn at<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let mut value = object.get(parts.next()?)?;
    for part in parts {
        value = value.as_object()?.get(part)?;
    }
    Some(value)
}

/// One owner of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) blocks: bool,
}

/// What of an object is looked at without decoding it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) labels: Vec<(String, String)>,
    /// Values of the fields that selectors may name, beside `metadata.name` and
    /// `metadata.namespace`, in the order of the resource's table.
    pub(crate) fields: Vec<String>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) finalizers: Vec<String>,
    pub(crate) deleting: bool,
}

/// What an answer adds to a stored body: kind and version. They stand first, but for custom
/// resources, whose keys are in the order of the alphabet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// In front of all, or of what comes after `apiVersion` in the alphabet.
    pub(crate) first: String,
    /// In front of what comes after `kind` in the alphabet; nothing for built-in kinds.
    pub(crate) second: String,
}

/// An object as stored. See the module's documentation for its form.
#[derive(Debug)]
pub(crate) struct Stored {
    body: Bytes,
    /// Where the first part of the head belongs in `body`.
    head_at: usize,
    /// Where the second part of the head belongs in `body`.
    kind_at: usize,
    /// The schema that a custom resource was written under.
    pub(crate) schema: u64,
    /// Where `,"resourceVersion":"N"` belongs in `body`.
    version_at: usize,
    pub(crate) summary: Summary,
    /// The protobuf message with the resource version of the write that stored this.
    protobuf: OnceLock<(Revision, Result<Bytes, String>)>,
}

impl Stored {
    /// Encodes an object that has a UID.
    pub(crate) fn new(object: &Object, fields: Vec<String>) -> Arc<Stored> {
        let metadata = metadata(object);
        let mut body = Vec::with_capacity(512);
        let mut version_at = 0;
        body.extend_from_slice(b"{\"metadata\":{");
        let mut first = true;
        let known = METADATA.iter().filter_map(|key| metadata.get(*key).map(|v| (*key, v)));
        let others = metadata
            .iter()
            .map(|(key, value)| (key.as_str(), value))
            .filter(|(key, _)| !METADATA.contains(key) && *key != "resourceVersion");
        for (key, value) in known.chain(others) {
            if !first {
                body.push(b',');
            }
            first = false;
            write_entry(&mut body, key, value);
            if key == "uid" {
                version_at = body.len();
            }
        }
        body.push(b'}');
        for (key, value) in object {
            if !matches!(key.as_str(), "metadata" | "kind" | "apiVersion") {
                body.push(b',');
                write_entry(&mut body, key, value);
            }
        }
        body.push(b'}');
        body.shrink_to_fit();
        let summary = Summary::new(metadata, fields);
        let (head_at, kind_at, schema, protobuf) = (1, 0, 0, OnceLock::new());
        Arc::new(Stored {
            body: body.into(),
            head_at,
            kind_at,
            schema,
            version_at,
            summary,
            protobuf,
        })
    }

    /// Encodes a custom resource, with its keys in order as Go writes what has no type of its own.
    /// `schema` is that it was defaulted by.
    pub(crate) fn custom(object: &Object, fields: Vec<String>, schema: u64) -> Arc<Stored> {
        let mut object = Value::Object(object.clone());
        object.sort_all_objects();
        whole_numbers(&mut object);
        let Value::Object(object) = object else { unreachable!("made of an object") };
        let mut body = Vec::with_capacity(512);
        body.push(b'{');
        let (mut head_at, mut kind_at, mut version_at) = (0, 0, 0);
        for (key, value) in &object {
            if matches!(key.as_str(), "kind" | "apiVersion") {
                continue;
            }
            if body.len() > 1 {
                body.push(b',');
            }
            if head_at == 0 && key.as_str() > "apiVersion" {
                head_at = body.len();
            }
            if kind_at == 0 && key.as_str() > "kind" {
                kind_at = body.len();
            }
            match value {
                Value::Object(metadata) if key == "metadata" => {
                    body.extend_from_slice(b"\"metadata\":{");
                    let start = body.len();
                    for (key, value) in metadata.iter().filter(|(key, _)| *key != "resourceVersion")
                    {
                        if key == "uid" {
                            version_at = body.len();
                        }
                        if body.len() > start {
                            body.push(b',');
                        }
                        write_entry(&mut body, key, value);
                    }
                    body.push(b'}');
                }
                value => write_entry(&mut body, key, value),
            }
        }
        body.push(b'}');
        let summary = Summary::new(metadata(&object), fields);
        let (head_at, protobuf) = (head_at.max(1), OnceLock::new());
        Arc::new(Stored {
            body: body.into(),
            head_at,
            kind_at,
            schema,
            version_at,
            summary,
            protobuf,
        })
    }

    /// Bytes this version holds.
    pub(crate) fn weight(&self) -> usize {
        self.body.len() + self.protobuf.get().map_or(0, |(_, p)| p.as_ref().map_or(0, Bytes::len))
    }

    /// Whether two versions are equal but for their resource versions.
    pub(crate) fn same(&self, other: &Stored) -> bool {
        self.body == other.body
    }

    /// Writes the object with its head and version.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>, head: &Head, version: Option<Revision>) {
        out.reserve(self.body.len() + head.first.len() + head.second.len() + 40);
        out.extend_from_slice(&self.body[..self.head_at]);
        out.extend_from_slice(head.first.as_bytes());
        let mut at = self.head_at;
        if self.kind_at > 0 {
            out.extend_from_slice(&self.body[at..self.kind_at]);
            out.extend_from_slice(head.second.as_bytes());
            at = self.kind_at;
        }
        if let Some(version) = version
            && self.version_at > 0
        {
            out.extend_from_slice(&self.body[at..self.version_at]);
            out.extend_from_slice(format!(",\"resourceVersion\":\"{version}\"").as_bytes());
            at = self.version_at;
        }
        out.extend_from_slice(&self.body[at..]);
    }

    /// The object again, with its resource version.
    pub(crate) fn object(&self, version: Option<Revision>) -> Object {
        let mut json = Vec::new();
        self.write_json(&mut json, &Head::default(), version);
        // What was encoded from a tree decodes to one.
        serde_json::from_slice(&json).unwrap_or_default()
    }

    /// The protobuf message with a version; that of the first who asked is kept.
    pub(crate) fn protobuf(
        &self,
        version: Revision,
        make: impl Fn() -> Result<Vec<u8>, String>,
    ) -> Result<Bytes, String> {
        let make = || make().map(Bytes::from);
        let (kept, message) = self.protobuf.get_or_init(|| (version, make()));
        // What was deleted has another version than when it was stored.
        if *kept == version { message.clone() } else { make() }
    }
}

/// Numbers without a fraction are written without one, as Go does it.
fn whole_numbers(value: &mut Value) {
    /// Up to here every whole number is exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or_default();
            if float.fract() == 0.0 && float.abs() <= EXACT {
                *value = (float as i64).into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(map) => map.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

fn write_entry(out: &mut Vec<u8>, key: &str, value: &Value) {
    // Writing to a vector cannot fail, and keys are strings.
    let _ = serde_json::to_writer(&mut *out, key);
    out.push(b':');
    let _ = serde_json::to_writer(&mut *out, value);
}

impl Summary {
    fn new(metadata: &Map<String, Value>, fields: Vec<String>) -> Self {
        let pairs = |key| match metadata.get(key) {
            Some(Value::Object(map)) => map
                .iter()
                .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            _ => Vec::new(),
        };
        let owners = match metadata.get("ownerReferences") {
            Some(Value::Array(owners)) => owners
                .iter()
                .filter_map(Value::as_object)
                .map(|owner| Owner {
                    api_version: text(owner, "apiVersion").to_owned(),
                    kind: text(owner, "kind").to_owned(),
                    name: text(owner, "name").to_owned(),
                    uid: text(owner, "uid").to_owned(),
                    blocks: owner.get("blockOwnerDeletion") == Some(&Value::Bool(true)),
                })
                .collect(),
            _ => Vec::new(),
        };
        Summary {
            name: text(metadata, "name").to_owned(),
            namespace: text(metadata, "namespace").to_owned(),
            uid: text(metadata, "uid").to_owned(),
            labels: pairs("labels"),
            fields,
            owners,
            finalizers: strings(metadata, "finalizers").into_iter().map(str::to_owned).collect(),
            deleting: metadata.contains_key("deletionTimestamp"),
        }
    }
}
