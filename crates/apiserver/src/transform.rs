//! Objects in another form: their metadata alone, or as rows of a table.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/endpoints/handlers/response.go`, the printers of
//! `k8s.io/kubernetes/pkg/printers/internalversion` and the table convertor of
//! apiextensions-apiserver. Columns of custom resources are those of their definitions; of
//! built-in kinds the name and the age, and a few more where they are plain fields.

use pintle_apimachinery::Time;
use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::handlers::Item;
use crate::handlers::list::Page;
use crate::negotiate::Form;
use crate::object::{Object, Stored, at, in_order, metadata, text};
use crate::registry::Resource;
use crate::request::Query;
use crate::status::{ApiError, ApiResult};
use crate::storage::Revision;

/// Where a cell's value is.
#[derive(Clone, Debug)]
enum Source {
    /// At a JSON path.
    Path(String),
    /// As many as this field has entries.
    Count(&'static str),
    /// The time since creation.
    Age,
    /// The time of creation itself.
    Created,
}

/// A column of a table.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: String,
    format: String,
    description: String,
    priority: i64,
    source: Source,
}

/// Names of columns and where their cells are.
type Cells = &'static [(&'static str, &'static str)];

/// Columns of built-in kinds whose cells are plain fields.
const COLUMNS: &[(&str, &str, Cells)] = &[
    ("", "configmaps", &[("Data", "#data")]),
    ("", "namespaces", &[("Status", ".status.phase")]),
    ("", "secrets", &[("Type", ".type"), ("Data", "#data")]),
    ("coordination.k8s.io", "leases", &[("Holder", ".spec.holderIdentity")]),
];

/// Kinds that have no printer: their tables tell the time of creation and not the age.
const PLAIN: &[(&str, &str)] = &[
    ("", "limitranges"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "roles"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
];

/// What answers of one request are turned into.
#[derive(Clone, Debug)]
pub(crate) struct Transform {
    form: Form,
    /// `includeObject` of the query.
    include: String,
    columns: Vec<Column>,
    now: Time,
    /// Kind and group for messages, in Go's words.
    go_kind: String,
    api_version: String,
    kind: String,
}

impl Transform {
    pub(crate) fn new(core: &Core, resource: &Resource, form: Form, query: &Query) -> Self {
        let columns = match form {
            Form::Table { .. } => columns(resource),
            _ => Vec::new(),
        };
        let include = query.get("includeObject").to_owned();
        let go_kind = match resource.custom {
            Some(_) => "unstructured.Unstructured".to_owned(),
            None => {
                let package = match resource.group.split('.').next().unwrap_or_default() {
                    "" => "core",
                    first => first,
                };
                format!("{package}.{}", resource.kind)
            }
        };
        let (api_version, kind) = (resource.api_version(), resource.kind.clone());
        Transform { form, include, columns, now: (core.clock)(), go_kind, api_version, kind }
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// One object.
    ///
    /// # Errors
    /// A list was asked for, or objects in a table in a way that there is not.
    pub(crate) fn object(&self, item: &Item) -> ApiResult<Value> {
        match self.form {
            Form::Metadata { list: true, .. } => Err(ApiError::wrong_form(format!(
                "you requested PartialObjectMetadataList, but the requested object is not a list \
                 (*{})",
                self.go_kind
            ))),
            Form::Table { version } => {
                let mut meta = Map::new();
                if let Some(revision) = item.version {
                    meta.insert("resourceVersion".to_owned(), revision.to_string().into());
                }
                let rows = vec![self.row(&item.stored, item.version)?];
                Ok(self.table(version, meta, rows, true))
            }
            _ => Ok(self.partial(&item.stored, item.version)),
        }
    }

    /// A list.
    ///
    /// # Errors
    /// One object was asked for, or objects in a table in a way that there is not.
    pub(crate) fn list(&self, page: &Page) -> ApiResult<Value> {
        let mut meta = Map::new();
        meta.insert("resourceVersion".to_owned(), page.revision.to_string().into());
        if !page.continue_token.is_empty() {
            meta.insert("continue".to_owned(), page.continue_token.as_str().into());
        }
        if let Some(remaining) = page.remaining {
            meta.insert("remainingItemCount".to_owned(), remaining.into());
        }
        match self.form {
            Form::Metadata { list: false, .. } => Err(ApiError::wrong_form(format!(
                "you requested PartialObjectMetadata, but the requested object is a list (*{}List)",
                self.go_kind
            ))),
            Form::Table { version } => {
                let rows = page.items.iter().map(|item| self.row(&item.stored, item.version));
                let rows = rows.collect::<ApiResult<Vec<Value>>>()?;
                Ok(self.table(version, meta, rows, true))
            }
            Form::Metadata { version, .. } => {
                let items = page.items.iter().map(|item| self.partial(&item.stored, item.version));
                let items = match page.items.as_slice() {
                    [] => Value::Null,
                    _ => Value::Array(items.collect()),
                };
                Ok(json!({
                    "kind": "PartialObjectMetadataList",
                    "apiVersion": version,
                    "metadata": meta,
                    "items": items,
                }))
            }
            Form::Whole => Err(ApiError::internal("nothing to transform")),
        }
    }

    /// The object of a watch event; `first` tells whether columns are told again.
    pub(crate) fn event(&self, stored: &Stored, revision: Revision, first: bool) -> Value {
        match self.form {
            Form::Table { version } => {
                let mut meta = Map::new();
                meta.insert("resourceVersion".to_owned(), revision.to_string().into());
                let rows = self.row(stored, Some(revision)).into_iter().collect();
                self.table(version, meta, rows, first)
            }
            _ => self.partial(stored, Some(revision)),
        }
    }

    /// The object of a bookmark with this metadata.
    pub(crate) fn bookmark(&self, meta: &Value, first: bool) -> Value {
        let Form::Table { version } = self.form else {
            return partial(self.version(), meta.clone());
        };
        let object = Map::from_iter([("metadata".to_owned(), meta.clone())]);
        let row = json!({
            "cells": self.cells(&object),
            "object": partial("meta.k8s.io/v1", meta.clone()),
        });
        let revision = meta.get("resourceVersion").cloned().unwrap_or_default();
        let meta = Map::from_iter([("resourceVersion".to_owned(), revision)]);
        self.table(version, meta, vec![row], first)
    }

    fn version(&self) -> &'static str {
        match self.form {
            Form::Metadata { version, .. } | Form::Table { version } => version,
            Form::Whole => "meta.k8s.io/v1",
        }
    }

    fn partial(&self, stored: &Stored, revision: Option<Revision>) -> Value {
        let object = stored.object(revision);
        partial(self.version(), Value::Object(in_order(metadata(&object))))
    }

    fn table(
        &self,
        version: &str,
        meta: Map<String, Value>,
        rows: Vec<Value>,
        with_columns: bool,
    ) -> Value {
        let columns = self.columns.iter().map(|column| {
            json!({
                "name": column.name,
                "type": column.kind,
                "format": column.format,
                "description": column.description,
                "priority": column.priority,
            })
        });
        let columns = match with_columns {
            true => Value::Array(columns.collect()),
            false => Value::Null,
        };
        json!({
            "kind": "Table",
            "apiVersion": version,
            "metadata": meta,
            "columnDefinitions": columns,
            "rows": rows,
        })
    }

    fn row(&self, stored: &Stored, revision: Option<Revision>) -> ApiResult<Value> {
        let object = stored.object(revision);
        let mut row = Map::new();
        row.insert("cells".to_owned(), self.cells(&object));
        match self.include.as_str() {
            "" | "Metadata" => {
                let meta = Value::Object(in_order(metadata(&object)));
                row.insert("object".to_owned(), partial(self.version(), meta));
            }
            "Object" => {
                let mut whole = Map::new();
                whole.insert("kind".to_owned(), self.kind.clone().into());
                whole.insert("apiVersion".to_owned(), self.api_version.clone().into());
                whole.extend(object);
                row.insert("object".to_owned(), Value::Object(whole));
            }
            "None" => {
                row.insert("object".to_owned(), Value::Null);
            }
            other => {
                return Err(ApiError::bad_request(format!(
                    "Unable to convert to Table as requested: includeObject: Invalid value: {}: \
                     must be 'Metadata', 'Object', 'None', or empty",
                    crate::status::quote(other)
                )));
            }
        }
        Ok(Value::Object(row))
    }

    fn cells(&self, object: &Object) -> Value {
        Value::Array(self.columns.iter().map(|column| self.cell(column, object)).collect())
    }

    fn cell(&self, column: &Column, object: &Object) -> Value {
        let created = text(metadata(object), "creationTimestamp");
        match &column.source {
            Source::Age => self.age(created).into(),
            Source::Created => created.into(),
            Source::Count(field) => {
                let count = at(object, field).map_or(0, |value| match value {
                    Value::Object(map) => map.len(),
                    Value::Array(items) => items.len(),
                    _ => 0,
                });
                count.into()
            }
            Source::Path(path) => {
                let found = first(object, path);
                match (column.kind.as_str(), found) {
                    ("string", None) if !column.description.is_empty() => Value::Null,
                    ("string", None) if column.name == "Name" => "".into(),
                    (_, None) => Value::Null,
                    ("integer", Some(Value::Number(number))) => {
                        number.as_i64().map_or(Value::Null, Value::from)
                    }
                    ("number" | "boolean", Some(value)) => value.clone(),
                    ("date", Some(Value::String(time))) => self.age(time).into(),
                    ("string", Some(Value::String(text))) => text.as_str().into(),
                    ("string", Some(other)) => other.to_string().into(),
                    _ => Value::Null,
                }
            }
        }
    }

    /// The time since then, as people say it.
    fn age(&self, then: &str) -> String {
        match Time::parse(then) {
            Ok(then) => duration(self.now.unix().saturating_sub(then.unix())),
            Err(_) => "<unknown>".to_owned(),
        }
    }
}

fn partial(version: &str, meta: Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": meta})
}

fn columns(resource: &Resource) -> Vec<Column> {
    let column = |name: &str, kind: &str, source: Source| Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        format: if name == "Name" { "name".to_owned() } else { String::new() },
        description: String::new(),
        priority: 0,
        source,
    };
    let mut columns = vec![column("Name", "string", Source::Path(".metadata.name".to_owned()))];
    if let Some(custom) = &resource.custom {
        let own = custom_columns(&custom.definition, &resource.version);
        if own.is_empty() {
            columns.push(column("Age", "date", Source::Age));
        }
        columns.extend(own);
        return columns;
    }
    let here = (resource.group.as_str(), resource.plural.as_str());
    if PLAIN.contains(&here) {
        columns.push(column("Created At", "date", Source::Created));
        return columns;
    }
    let own = COLUMNS.iter().find(|(group, plural, _)| (*group, *plural) == here);
    for (name, path) in own.map_or(&[][..], |(.., own)| own) {
        let source = match path.strip_prefix('#') {
            Some(field) => Source::Count(field),
            None => Source::Path((*path).to_owned()),
        };
        columns.push(column(name, "string", source));
    }
    columns.push(column("Age", "string", Source::Age));
    columns
}

/// The columns that a definition gives to one version.
fn custom_columns(definition: &Value, version: &str) -> Vec<Column> {
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
    let version = versions.into_iter().flatten().find(|v| v["name"] == version);
    let columns = version.and_then(|v| v.get("additionalPrinterColumns")).and_then(Value::as_array);
    let own = columns.into_iter().flatten().filter_map(Value::as_object).map(|column| {
        let path = text(column, "jsonPath").to_owned();
        let description = match text(column, "description") {
            "" => format!("Custom resource definition column (in JSONPath format): {path}"),
            given => given.to_owned(),
        };
        Column {
            name: text(column, "name").to_owned(),
            kind: text(column, "type").to_owned(),
            format: text(column, "format").to_owned(),
            description,
            priority: column.get("priority").and_then(Value::as_i64).unwrap_or(0),
            source: Source::Path(path),
        }
    });
    own.collect()
}

/// The first value at a JSON path of names, indexes and `[*]`.
fn first<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (part, tail) = inner.split_once(']')?;
            parts.push(part.trim_matches(['\'', '"']));
            rest = tail;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let mut end = 0;
            let bytes = name.as_bytes();
            while end < bytes.len() && !matches!(bytes[end], b'.' | b'[') {
                // A dot that belongs to the name stands behind a backslash.
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            let end = end.min(name.len());
            parts.push(name.get(..end)?);
            rest = name.get(end..)?;
        }
    }
    let mut parts = parts.into_iter().filter(|part| !part.is_empty());
    let mut value = object.get(parts.next()?.replace('\\', "").as_str())?;
    for part in parts {
        value = match value {
            Value::Array(items) if part == "*" => items.first()?,
            Value::Object(map) if part == "*" => map.values().next()?,
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            Value::Object(map) => map.get(part.replace('\\', "").as_str())?,
            _ => return None,
        };
    }
    Some(value)
}

/// A duration in seconds, with no more exactness than people want. Go: `duration.HumanDuration`.
fn duration(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    let two = |value: i64, unit: &str, rest: i64, small: &str| match rest {
        0 => format!("{value}{unit}"),
        rest => format!("{value}{unit}{rest}{small}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..=0 => "0s".to_owned(),
        s if s < 2 * MINUTE => format!("{s}s"),
        s if s < 10 * MINUTE => two(s / MINUTE, "m", s % MINUTE, "s"),
        s if s < 3 * HOUR => format!("{}m", s / MINUTE),
        s if s < 8 * HOUR => two(s / HOUR, "h", s % HOUR / MINUTE, "m"),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s if s < 8 * DAY => two(s / DAY, "d", s % DAY / HOUR, "h"),
        s if s < 2 * YEAR => format!("{}d", s / DAY),
        s if s < 8 * YEAR => two(s / YEAR, "y", s % YEAR / DAY, "d"),
        s => format!("{}y", s / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (seconds, expect) in [
            (-5, "<invalid>"),
            (0, "0s"),
            (119, "119s"),
            (121, "2m1s"),
            (600, "10m"),
            (3 * 3_600, "3h"),
            (3 * 3_600 + 60, "3h1m"),
            (30 * 3_600, "30h"),
            (49 * 3_600, "2d1h"),
            (100 * 86_400, "100d"),
            (800 * 86_400, "2y70d"),
        ] {
            assert_eq!(duration(seconds), expect);
        }
    }

    #[test]
    fn paths() {
        let object = json!({"spec": {"a": [{"b": 1}, {"b": 2}], "x.y": "z"}});
        let object = object.as_object().expect("an object");
        assert_eq!(first(object, ".spec.a[1].b"), Some(&json!(2)));
        assert_eq!(first(object, ".spec.a[*].b"), Some(&json!(1)));
        assert_eq!(first(object, ".spec.x\\.y"), Some(&json!("z")));
        assert_eq!(first(object, ".spec['x.y']"), Some(&json!("z")));
        assert_eq!(first(object, ".nope.a"), None);
    }
}
