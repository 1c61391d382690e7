//! All objects as text, to start another server with.
//!
//! Go counterpart: etcd's `snapshot`, of which only what is there at the newest revision is kept.
//! The first line is the revision; every other one is an object, with its key and revisions.

use std::sync::Arc;

use pintle_apimachinery::Error;
use serde_json::{Value, json};

use crate::core::Core;
use crate::object::{Object, Stored};
use crate::storage::{KeyValue, Range, Revision, Storage};

const DEFINITIONS: &str = "/registry/customresourcedefinitions/";

/// Every object there is.
pub(crate) fn write(core: &Core) -> Vec<u8> {
    let found = core.store.range(&Range::all(), None, 0);
    // The newest revision is never forgotten.
    let Ok(found) = found else { return Vec::new() };
    let mut out = json!({ "revision": found.revision }).to_string().into_bytes();
    for entry in &found.kvs {
        let line = json!({
            "key": &*entry.key,
            "create": entry.create_revision,
            "mod": entry.mod_revision,
            "version": entry.version,
            "object": entry.value.object(None),
        });
        out.push(b'\n');
        out.extend_from_slice(line.to_string().as_bytes());
    }
    out
}

/// Takes over what was written, definitions before what they define.
///
/// # Errors
/// It is nothing that [`write`] wrote ([`Error::is_invalid_argument`]).
pub(crate) fn read(core: &Core, snapshot: &[u8]) -> Result<(), Error> {
    let wrong = |why: &dyn std::fmt::Display| Error::invalid(format!("no snapshot: {why}"));
    let mut lines = serde_json::Deserializer::from_slice(snapshot).into_iter::<Value>();
    let head = lines.next().ok_or_else(|| wrong(&"it is empty"))?.map_err(|e| wrong(&e))?;
    let revision = head.get("revision").and_then(Value::as_u64);
    let revision: Revision = revision.ok_or_else(|| wrong(&"it has no revision"))?;
    let mut objects = Vec::new();
    for line in lines {
        let line = line.map_err(|error| wrong(&error))?;
        objects.push(line);
    }
    let is_definition =
        |line: &Value| line["key"].as_str().is_some_and(|key| key.starts_with(DEFINITIONS));
    let (definitions, others): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_definition);
    for (lines, first) in [(definitions, true), (others, false)] {
        let entries = lines.into_iter().filter_map(|line| entry(core, line)).collect();
        core.store.restore(entries, revision);
        if first {
            crate::crds::sync(core);
        }
    }
    Ok(())
}

/// An object as it is stored; `None` for those of kinds that are not served any more.
fn entry(core: &Core, mut line: Value) -> Option<KeyValue<Arc<Stored>>> {
    let key = line["key"].as_str()?.to_owned();
    let resource = core.registry.table().by_key(&key)?;
    let Value::Object(object) = line["object"].take() else { return None };
    let object: Object = object;
    let fields = resource.field_values(&object);
    let value = match resource.custom {
        // Of no schema that there is: what it has as defaults is filled in on reading.
        Some(_) => Stored::custom(&object, fields, 0),
        None => Stored::new(&object, fields),
    };
    Some(KeyValue {
        key: key.into(),
        create_revision: line["create"].as_u64()?,
        mod_revision: line["mod"].as_u64()?,
        version: line["version"].as_u64()?,
        value,
    })
}
