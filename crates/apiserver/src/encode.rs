//! Answers as bytes: JSON, YAML and protobuf, of objects, lists and watch events.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/endpoints/handlers/responsewriters` and the serializers.

use bytes::Bytes;
use pintle_apimachinery::reflect::Writer;
use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::handlers::Item;
use crate::handlers::list::Page;
use crate::object::{Head, Object, Stored};
use crate::registry::Resource;
use crate::storage::Revision;
use crate::typed::write_envelope;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Yaml,
    Protobuf,
}

impl Format {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Yaml => "application/yaml",
            Format::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }
}

/// The type of a watch event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventType {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

impl EventType {
    fn name(self) -> &'static str {
        match self {
            EventType::Added => "ADDED",
            EventType::Modified => "MODIFIED",
            EventType::Deleted => "DELETED",
            EventType::Bookmark => "BOOKMARK",
            EventType::Error => "ERROR",
        }
    }
}

/// Why an answer could not be written in the form asked for.
pub(crate) type EncodeResult<T> = Result<T, String>;

/// Writes answers of one resource in one form.
pub(crate) struct Encoder<'a> {
    pub(crate) core: &'a Core,
    pub(crate) resource: &'a Resource,
    pub(crate) format: Format,
}

impl Encoder<'_> {
    /// One object.
    pub(crate) fn object(&self, item: &Item) -> EncodeResult<Vec<u8>> {
        let mut out = Vec::new();
        match self.format {
            Format::Json => self.json(&mut out, &item.stored, item.version, &self.resource.head()),
            Format::Yaml => {
                self.json(&mut out, &item.stored, item.version, &self.resource.head());
                out = yaml(&out)?;
            }
            Format::Protobuf => {
                let raw = self.message(&item.stored, item.version, true)?;
                self.envelope(&mut out, &self.resource.kind, &raw);
            }
        }
        Ok(out)
    }

    /// A list.
    pub(crate) fn list(&self, page: &Page) -> EncodeResult<Vec<u8>> {
        match self.format {
            Format::Json => Ok(self.json_list(page)),
            Format::Yaml => yaml(&self.json_list(page)),
            Format::Protobuf => {
                let mut raw = Writer::new();
                // Written from the end, as the project's protobuf writer does.
                for item in page.items.iter().rev() {
                    raw.bytes(2, &self.message(&item.stored, item.version, true)?);
                }
                let mark = raw.mark();
                if let Some(remaining) = page.remaining {
                    raw.int(4, remaining as u64);
                }
                raw.bytes(3, page.continue_token.as_bytes());
                raw.bytes(2, page.revision.to_string().as_bytes());
                raw.bytes(1, b"");
                raw.close(1, mark);
                let mut out = Vec::new();
                self.envelope(&mut out, &self.resource.list_kind, raw.as_slice());
                Ok(out)
            }
        }
    }

    fn json_list(&self, page: &Page) -> Vec<u8> {
        let resource = self.resource;
        let custom = resource.custom.is_some();
        let weight: usize = page.items.iter().map(|item| item.stored.weight() + 64).sum();
        let mut out = Vec::with_capacity(weight + 256);
        let mut meta = Map::new();
        if custom {
            meta.insert("continue".to_owned(), page.continue_token.as_str().into());
        }
        meta.insert("resourceVersion".to_owned(), page.revision.to_string().into());
        if !custom && !page.continue_token.is_empty() {
            meta.insert("continue".to_owned(), page.continue_token.as_str().into());
        }
        if let Some(remaining) = page.remaining {
            meta.insert("remainingItemCount".to_owned(), remaining.into());
        }
        let (kind, api_version) = (&resource.list_kind, resource.api_version());
        let meta = Value::Object(meta);
        let (head, tail) = if custom {
            // In the order of the alphabet, as Go writes what has no type of its own.
            (
                format!("{{\"apiVersion\":\"{api_version}\",\"items\":["),
                format!("],\"kind\":\"{kind}\",\"metadata\":{meta}}}"),
            )
        } else {
            let head = format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{api_version}\",");
            (format!("{head}\"metadata\":{meta},\"items\":["), "]}".to_owned())
        };
        out.extend_from_slice(head.as_bytes());
        let item_head = resource.item_head();
        for (index, item) in page.items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            self.json(&mut out, &item.stored, item.version, &item_head);
        }
        out.extend_from_slice(tail.as_bytes());
        out
    }

    /// One watch event, framed.
    pub(crate) fn event(
        &self,
        out: &mut Vec<u8>,
        kind: EventType,
        stored: &Stored,
        version: Revision,
    ) -> EncodeResult<()> {
        match self.format {
            // Watches know no YAML; negotiation does not offer it.
            Format::Json | Format::Yaml => {
                out.extend_from_slice(b"{\"type\":\"");
                out.extend_from_slice(kind.name().as_bytes());
                out.extend_from_slice(b"\",\"object\":");
                self.json(out, stored, Some(version), &self.resource.head());
                out.extend_from_slice(b"}\n");
            }
            Format::Protobuf => {
                // What was deleted carries another version than the cached message.
                let cached = kind != EventType::Deleted;
                let raw = self.message(stored, Some(version), cached)?;
                let mut object = Vec::with_capacity(raw.len() + 64);
                self.envelope(&mut object, &self.resource.kind, &raw);
                frame(out, kind, &object);
            }
        }
        Ok(())
    }

    /// A bookmark event, framed.
    pub(crate) fn bookmark(
        &self,
        out: &mut Vec<u8>,
        version: Revision,
        initial_events_end: bool,
    ) -> EncodeResult<()> {
        let resource = self.resource;
        let mut object = Object::new();
        object.insert("kind".to_owned(), resource.kind.as_str().into());
        object.insert("apiVersion".to_owned(), resource.api_version().into());
        object.insert("metadata".to_owned(), bookmark_metadata(version, initial_events_end));
        if resource.custom.is_none() {
            object = self.core.typed.normalize(object, &resource.api_version(), &resource.kind)?;
        }
        self.value_event(out, EventType::Bookmark, &Value::Object(object))
    }

    /// An event with an object that is not the resource's: a Status, a bookmark.
    pub(crate) fn value_event(
        &self,
        out: &mut Vec<u8>,
        kind: EventType,
        value: &Value,
    ) -> EncodeResult<()> {
        match self.format {
            Format::Json | Format::Yaml => {
                let event = json!({"type": kind.name(), "object": value});
                out.extend_from_slice(event.to_string().as_bytes());
                out.push(b'\n');
            }
            Format::Protobuf => {
                let object = protobuf_value(self.core, value)?;
                frame(out, kind, &object);
            }
        }
        Ok(())
    }

    /// JSON of an object in this resource's version.
    fn json(&self, out: &mut Vec<u8>, stored: &Stored, version: Option<Revision>, head: &Head) {
        let resource = self.resource;
        if let Some(custom) = &resource.custom
            && !custom.reads_plainly(stored.schema)
        {
            // Written under another schema, or read in another version.
            let object = resource.object(stored, version);
            Stored::custom(&object, Vec::new(), stored.schema).write_json(out, head, version);
            return;
        }
        if !resource.converts() {
            stored.write_json(out, head, version);
            return;
        }
        let mut object = stored.object(version);
        resource.convert_from_storage(&mut object);
        let typed = &self.core.typed;
        if let Ok(normal) = typed.normalize(object.clone(), &resource.api_version(), &resource.kind)
        {
            object = normal;
        }
        object.retain(|key, _| !matches!(key.as_str(), "kind" | "apiVersion"));
        let body = Value::Object(object).to_string();
        out.push(b'{');
        out.extend_from_slice(head.first.as_bytes());
        out.extend_from_slice(&body.as_bytes()[1..]);
    }

    fn message(
        &self,
        stored: &Stored,
        version: Option<Revision>,
        cached: bool,
    ) -> EncodeResult<Bytes> {
        let make = || {
            let mut json = Vec::new();
            self.json(&mut json, stored, version, &self.resource.head());
            self.core.typed.to_protobuf(&json)
        };
        match version {
            Some(version) if cached && !self.resource.converts() => stored.protobuf(version, make),
            _ => make().map(Bytes::from),
        }
    }

    fn envelope(&self, out: &mut Vec<u8>, kind: &str, raw: &[u8]) {
        write_envelope(out, &self.resource.api_version(), kind, raw);
    }
}

/// The metadata of a bookmark.
pub(crate) fn bookmark_metadata(version: Revision, initial_events_end: bool) -> Value {
    let mut meta = Map::new();
    meta.insert("resourceVersion".to_owned(), version.to_string().into());
    if initial_events_end {
        meta.insert("annotations".to_owned(), json!({"k8s.io/initial-events-end": "true"}));
    }
    Value::Object(meta)
}

/// A value with its kind in it.
pub(crate) fn value(core: &Core, format: Format, value: &Value) -> EncodeResult<Vec<u8>> {
    match format {
        Format::Json => Ok(value.to_string().into_bytes()),
        Format::Yaml => yaml(value.to_string().as_bytes()),
        Format::Protobuf => protobuf_value(core, value),
    }
}

fn protobuf_value(core: &Core, value: &Value) -> EncodeResult<Vec<u8>> {
    let raw = match value.get("apiVersion") {
        // The same messages under an older name.
        Some(version) if version == "meta.k8s.io/v1beta1" => {
            let mut newer = value.clone();
            newer["apiVersion"] = "meta.k8s.io/v1".into();
            core.typed.to_protobuf(newer.to_string().as_bytes())?
        }
        _ => core.typed.to_protobuf(value.to_string().as_bytes())?,
    };
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut out = Vec::with_capacity(raw.len() + 64);
    write_envelope(&mut out, text("apiVersion"), text("kind"), &raw);
    Ok(out)
}

/// A length and a `WatchEvent` message around an enveloped object.
fn frame(out: &mut Vec<u8>, kind: EventType, object: &[u8]) {
    let mut event = Writer::new();
    let mark = event.mark();
    event.bytes(1, object);
    event.close(2, mark);
    event.bytes(1, kind.name().as_bytes());
    let event = event.as_slice();
    let length = u32::try_from(event.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(event);
}

fn yaml(json: &[u8]) -> EncodeResult<Vec<u8>> {
    let value: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    Ok(pintle_apimachinery::yaml::to_string(&value).into_bytes())
}

/// JSON with indentation, for people.
pub(crate) fn pretty(json: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(json).ok()?;
    serde_json::to_vec_pretty(&value).ok()
}
