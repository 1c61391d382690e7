//! The events of a watch: lines of JSON, or frames of protobuf.

use std::collections::BTreeMap;
use std::sync::Arc;

use pintle_apimachinery::{Format, Scheme};
use serde_json::{Value, json};

/// Takes a stream apart as it comes.
pub(crate) struct Lines {
    scheme: Arc<Scheme>,
    protobuf: bool,
    buffer: Vec<u8>,
}

impl Lines {
    /// For an answer with these headers.
    pub(crate) fn new(scheme: Arc<Scheme>, headers: &BTreeMap<String, String>) -> Self {
        let content_type = headers.get("content-type").map_or("", String::as_str);
        let protobuf = content_type.starts_with("application/vnd.kubernetes.protobuf");
        Lines { scheme, protobuf, buffer: Vec::new() }
    }

    /// The events that are whole after these bytes.
    pub(crate) fn feed(&mut self, data: &[u8]) -> Vec<Value> {
        self.buffer.extend_from_slice(data);
        let mut events = Vec::new();
        while let Some(event) = self.next() {
            events.push(event);
        }
        events
    }

    fn next(&mut self) -> Option<Value> {
        if !self.protobuf {
            let end = self.buffer.iter().position(|byte| *byte == b'\n')?;
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let text = || Value::String(String::from_utf8_lossy(&line).into_owned());
            return Some(serde_json::from_slice(&line).unwrap_or_else(|_| text()));
        }
        let (length, _) = self.buffer.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        if self.buffer.len() < 4 + length {
            return None;
        }
        let frame: Vec<u8> = self.buffer.drain(..4 + length).skip(4).collect();
        Some(event(&self.scheme, &frame))
    }
}

/// An object in protobuf, as JSON.
pub(crate) fn object(scheme: &Scheme, bytes: &[u8]) -> Value {
    let mut json = Vec::new();
    let decoded = scheme
        .decode(bytes, Format::Protobuf)
        .and_then(|object| object.encode_any(Format::Json, &mut json));
    match decoded {
        Ok(()) => serde_json::from_slice(&json).unwrap_or_default(),
        Err(error) => Value::String(format!("not decoded: {error}")),
    }
}

/// A `WatchEvent`: its type, and the raw bytes of an extension.
fn event(scheme: &Scheme, frame: &[u8]) -> Value {
    let field = |message: &[u8], wanted: u8| -> Option<Vec<u8>> {
        let mut rest = message;
        while let Some((&tag, tail)) = rest.split_first() {
            let (length, tail) = varint(tail)?;
            let value = tail.get(..length)?;
            if tag == wanted << 3 | 2 {
                return Some(value.to_vec());
            }
            rest = &tail[length..];
        }
        None
    };
    let kind = field(frame, 1).unwrap_or_default();
    let raw = field(frame, 2).and_then(|extension| field(&extension, 1)).unwrap_or_default();
    json!({"type": String::from_utf8_lossy(&kind), "object": object(scheme, &raw)})
}

fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

/// The events of a stream that ended; `None` when this is none.
pub(crate) fn events_of(bytes: &[u8]) -> Option<Value> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let events: Vec<Value> =
        lines.map(|line| serde_json::from_slice(line).ok()).collect::<Option<_>>()?;
    let whole = events.iter().all(|event| event.get("type").is_some());
    (whole && !events.is_empty()).then_some(Value::Array(events))
}

/// A bookmark that a server sends when it likes: not the one that ends initial events.
pub(crate) fn is_bookmark(event: &Value) -> bool {
    if event["type"] != "BOOKMARK" {
        return false;
    }
    let mark = "k8s.io~1initial-events-end";
    let ends = |path: &str| {
        event.pointer(&format!("{path}/metadata/annotations/{mark}")).is_some_and(|v| v == "true")
    };
    !ends("/object") && !ends("/object/rows/0/object")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(content_type: &str) -> Lines {
        let headers = BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]);
        let mut scheme = Scheme::new();
        scheme.register_meta();
        pintle_api::add_to_scheme(&mut scheme);
        Lines::new(Arc::new(scheme), &headers)
    }

    #[test]
    fn lines_come_in_pieces() {
        let mut lines = lines("application/json");
        assert!(lines.feed(b"{\"type\":").is_empty());
        let events = lines.feed(b"\"ADDED\"}\n{\"type\":\"X\"}\n{");
        assert_eq!(events, [json!({"type": "ADDED"}), json!({"type": "X"})]);
    }

    #[test]
    fn frames_are_decoded() {
        let mut lines = lines("application/vnd.kubernetes.protobuf;stream=watch");
        // A ConfigMap without anything in it.
        let object = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x00";
        let mut event = b"\x0a\x05ADDED\x12".to_vec();
        event.push(object.len() as u8 + 2);
        event.extend([0x0a, object.len() as u8]);
        event.extend_from_slice(object);
        let mut frame = (event.len() as u32).to_be_bytes().to_vec();
        frame.extend(event);
        let (one, two) = frame.split_at(9);
        assert!(lines.feed(one).is_empty());
        let events = lines.feed(two);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["type"], "ADDED");
        assert_eq!(events[0]["object"]["kind"], "ConfigMap");
    }

    #[test]
    fn bookmarks_of_the_end_stay() {
        let mark = |annotations: Value| json!({"type": "BOOKMARK", "object": {"metadata": {"annotations": annotations}}});
        assert!(is_bookmark(&mark(json!({}))));
        assert!(!is_bookmark(&mark(json!({"k8s.io/initial-events-end": "true"}))));
        assert!(!is_bookmark(&json!({"type": "ADDED", "object": {}})));
    }

    #[test]
    fn streams_that_ended() {
        assert!(events_of(b"{\"type\":\"A\"}\n{\"type\":\"B\"}\n").is_some());
        assert!(events_of(b"{\"a\":1}\n{\"b\":2}").is_none());
        assert!(events_of(b"text").is_none());
    }
}
