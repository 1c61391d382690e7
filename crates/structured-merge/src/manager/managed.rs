//! The entries of `managedFields`, read and written. Go: `managedfields/internal/managedfields.go`.
use super::object;
use crate::json::standard_string;
use crate::{ManagedFields, Set, VersionedSet};
use pintle_apimachinery::{Error, FieldsV1, ManagedFieldsEntry, Str, Time};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who owns what, and when each wrote last. Go: `Managed`.
#[derive(Clone, Debug, Default)]
pub(super) struct Managed {
    pub(super) fields: ManagedFields,
    pub(super) times: BTreeMap<String, Option<Time>>,
}

/// Where the fields of an entry are.
pub(super) enum Fields {
    None,
    Value(Value),
    Raw(FieldsV1),
}

/// An entry as it is read.
pub(super) struct Entry {
    pub(super) id: Id,
    pub(super) fields_type: Str,
    pub(super) time: Option<Time>,
    pub(super) fields: Fields,
}

/// What tells entries apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) manager: String,
    pub(super) operation: String,
    pub(super) api_version: String,
    pub(super) subresource: String,
}

pub(super) const APPLY: &str = "Apply";
pub(super) const UPDATE: &str = "Update";

impl Id {
    /// The text by which managers are told apart and ordered: JSON of what is not empty; of
    /// appliers without the version. Go: `BuildManagerIdentifier`.
    pub(super) fn text(&self) -> String {
        let version = if self.operation == APPLY { "" } else { self.api_version.as_str() };
        let mut out = String::from("{");
        for (key, value) in [
            ("manager", self.manager.as_str()),
            ("operation", &self.operation),
            ("apiVersion", version),
            ("subresource", &self.subresource),
        ] {
            if !value.is_empty() {
                if out.len() > 1 {
                    out.push(',');
                }
                standard_string(key, &mut out);
                out.push(':');
                standard_string(value, &mut out);
            }
        }
        out.push('}');
        out
    }

    /// From the text; `None` when it is another text.
    pub(super) fn from_text(text: &str) -> Option<Id> {
        let o: Map<String, Value> = serde_json::from_str(text).ok()?;
        let get = |key: &str| o.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Id {
            manager: get("manager"),
            operation: get("operation"),
            api_version: get("apiVersion"),
            subresource: get("subresource"),
        })
    }
}

impl Entry {
    fn of_value(v: &Value) -> Option<Entry> {
        let o = v.as_object()?;
        let text = |key: &str| match o.get(key) {
            None | Some(Value::Null) => Some(String::new()),
            Some(Value::String(s)) => Some(s.clone()),
            Some(_) => None,
        };
        let time = match o.get("time") {
            None | Some(Value::Null) => None,
            Some(Value::String(s)) => Some(Time::parse(s).ok()?),
            Some(_) => return None,
        };
        let fields = match o.get("fieldsV1") {
            None | Some(Value::Null) => Fields::None,
            Some(v) => Fields::Value(v.clone()),
        };
        Some(Entry {
            id: Id {
                manager: text("manager")?,
                operation: text("operation")?,
                api_version: text("apiVersion")?,
                subresource: text("subresource")?,
            },
            fields_type: text("fieldsType")?.into(),
            time,
            fields,
        })
    }

    fn is_zero(&self) -> bool {
        self.id == Id::default()
            && self.fields_type.is_empty()
            && self.time.is_none()
            && matches!(self.fields, Fields::None)
    }

    /// The fields as a set.
    pub(super) fn set(&self) -> Result<Set, String> {
        match &self.fields {
            Fields::None => Ok(Set::new()),
            Fields::Value(v) => Set::read_value(v),
            Fields::Raw(f) => Set::read_json(&f.raw()),
        }
    }
}

impl From<&ManagedFieldsEntry> for Entry {
    fn from(e: &ManagedFieldsEntry) -> Self {
        Entry {
            id: Id {
                manager: e.manager.to_string(),
                operation: e.operation.to_string(),
                api_version: e.api_version.to_string(),
                subresource: e.subresource.to_string(),
            },
            fields_type: e.fields_type.clone(),
            time: e.time,
            fields: e.fields_v1.clone().map_or(Fields::None, Fields::Raw),
        }
    }
}

/// The entries of an object; `None` when it has none, or something that cannot be read.
pub(super) fn entries(object: &Value) -> Option<Vec<Entry>> {
    let all = object.get("metadata")?.as_object()?.get("managedFields")?.as_array()?;
    all.iter().map(Entry::of_value).collect()
}

/// Whether somebody wants to start afresh: an empty list, or a list of an empty entry.
pub(super) fn is_reset(entries: Option<&[Entry]>) -> bool {
    match entries {
        Some([]) => true,
        Some([only]) => only.is_zero(),
        _ => false,
    }
}

impl Managed {
    /// Go: `DecodeManagedFields`.
    pub(super) fn decode(entries: &[Entry]) -> Result<Managed, String> {
        let mut out = Managed::default();
        for (i, e) in entries.iter().enumerate() {
            if e.id.operation != APPLY && e.id.operation != UPDATE {
                return Err("operation must be `Apply` or `Update`".into());
            }
            if e.id.api_version.is_empty() {
                return Err("apiVersion must not be empty".into());
            }
            match e.fields_type.as_str() {
                "FieldsV1" => {}
                "" => return Err(format!("missing fieldsType in managed fields entry {i}")),
                other => {
                    let ty = crate::json::quote(other);
                    return Err(format!("invalid fieldsType {ty} in managed fields entry {i}"));
                }
            }
            let id = e.id.text();
            let set = e.set().map_err(|m| {
                format!("error decoding versioned set from {id}: error decoding set: {m}")
            })?;
            let applied = e.id.operation == APPLY;
            let fields = VersionedSet::new(set, e.id.api_version.clone(), applied);
            out.fields.0.insert(id.clone(), fields);
            out.times.insert(id, e.time);
        }
        Ok(out)
    }

    /// Of an object; nothing when that cannot be read.
    pub(super) fn of(object: &Value) -> Managed {
        Managed::decode(&entries(object).unwrap_or_default()).unwrap_or_default()
    }

    fn time(&self, id: &str) -> Option<Time> {
        self.times.get(id).copied().flatten()
    }

    /// The seconds to order by.
    pub(super) fn seconds(&self, id: &str) -> i64 {
        self.time(id).map_or(0, Time::unix)
    }

    /// The entries in their order: by operation, time, manager, version, subresource.
    pub(super) fn sorted(&self) -> Vec<(Id, Option<Time>, &Arc<Set>)> {
        let mut out: Vec<(Id, Option<Time>, &Arc<Set>)> = Vec::new();
        for (id, owned) in &self.fields.0 {
            let Some(mut entry) = Id::from_text(id) else { continue };
            entry.api_version.clone_from(&owned.api_version);
            if owned.applied {
                entry.operation = APPLY.into();
            }
            out.push((entry, self.time(id), &owned.set));
        }
        out.sort_by(|(a, at, _), (b, bt, _)| {
            let seconds = |t: &Option<Time>| t.map_or(0, Time::unix);
            a.operation
                .cmp(&b.operation)
                .then_with(|| seconds(at).cmp(&seconds(bt)))
                .then_with(|| a.manager.cmp(&b.manager))
                .then_with(|| a.api_version.cmp(&b.api_version))
                .then_with(|| a.subresource.cmp(&b.subresource))
        });
        out
    }

    /// Writes the entries into an object. Go: `EncodeObjectManagedFields`.
    pub(super) fn encode_into(&self, object: &mut Value) {
        if self.fields.0.is_empty() {
            return object::set_meta(object, "managedFields", None);
        }
        let all = self.sorted().into_iter().map(|(id, time, set)| {
            let mut o = Map::new();
            let mut put = |key: &str, value: String| {
                if !value.is_empty() {
                    o.insert(key.to_owned(), Value::String(value));
                }
            };
            put("manager", id.manager);
            put("operation", id.operation);
            put("apiVersion", id.api_version);
            if let Some(time) = time {
                // Go writes its zero time as null.
                let text = if time.is_zero() { Value::Null } else { time.to_string().into() };
                o.insert("time".into(), text);
            }
            o.insert("fieldsType".into(), "FieldsV1".into());
            o.insert("fieldsV1".into(), set.to_value());
            if !id.subresource.is_empty() {
                o.insert("subresource".into(), id.subresource.into());
            }
            Value::Object(o)
        });
        let all = all.collect();
        object::set_meta(object, "managedFields", Some(Value::Array(all)));
    }

    /// The entries as of a typed object.
    pub(super) fn encode(&self) -> Vec<ManagedFieldsEntry> {
        let all = self.sorted().into_iter().map(|(id, time, set)| ManagedFieldsEntry {
            manager: id.manager.into(),
            operation: id.operation.into(),
            api_version: id.api_version.into(),
            time,
            fields_type: "FieldsV1".into(),
            // In the order of an unstructured object.
            fields_v1: Some(FieldsV1::new(&crate::json::standard_json(&set.to_value()))),
            subresource: id.subresource.into(),
        });
        all.collect()
    }
}

/// Checks the entries of an object. Go: `ValidateManagedFields`.
///
/// # Errors
/// An entry has no version, an unknown operation or type of fields, or fields that cannot be read.
///
/// ```
/// use pintle_apimachinery::ManagedFieldsEntry;
/// let e = pintle_structured_merge::validate_managed_fields(&[ManagedFieldsEntry::default()]);
/// assert_eq!(e.unwrap_err().to_string(), "operation must be `Apply` or `Update`");
/// ```
pub fn validate_managed_fields(entries: &[ManagedFieldsEntry]) -> Result<(), Error> {
    let entries: Vec<Entry> = entries.iter().map(Entry::from).collect();
    Managed::decode(&entries).map(|_| ()).map_err(Error::invalid)
}
