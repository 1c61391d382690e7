//! Objects in another form: their metadata alone, or as rows of a table.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/endpoints/handlers/response.go`, the printers of
//! `k8s.io/kubernetes/pkg/printers/internalversion` and the table convertor of
//! apiextensions-apiserver. Columns of custom resources are those of their definitions; those of
//! built-in kinds are in `printers`.

use std::sync::Arc;

use pintle_apimachinery::Time;
use serde_json::{Map, Value, json};

use crate::core::{Clock, Core};
use crate::handlers::Item;
use crate::handlers::list::Page;
use crate::negotiate::Form;
use crate::object::{Object, Stored, in_order, metadata, text};
use crate::printers;
use crate::registry::Resource;
use crate::request::Query;
use crate::status::{ApiError, ApiResult};
use crate::storage::Revision;

/// Where a cell's value is.
#[derive(Clone, Debug)]
enum Source {
    /// At a JSON path.
    Path(String),
    /// The time since creation.
    Age,
}

/// A column of a custom resource.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: String,
    format: String,
    description: String,
    priority: i64,
    source: Source,
}

/// What rows are made of.
#[derive(Clone, Debug)]
enum Columns {
    Builtin(&'static [printers::Column]),
    Custom(Vec<Column>),
}

/// What answers of one request are turned into.
#[derive(Clone)]
pub(crate) struct Transform {
    form: Form,
    /// `includeObject` of the query.
    include: String,
    columns: Columns,
    clock: Clock,
    resource: Arc<Resource>,
    /// Group and resource.
    place: (String, String),
    /// Kind and group for messages, in Go's words.
    go_kind: String,
    api_version: String,
    kind: String,
}

impl Transform {
    pub(crate) fn new(core: &Core, resource: &Arc<Resource>, form: Form, query: &Query) -> Self {
        let columns = match (form, &resource.custom) {
            (Form::Table { .. }, None) => {
                Columns::Builtin(printers::columns(&resource.group, &resource.plural))
            }
            (Form::Table { .. }, Some(custom)) => {
                Columns::Custom(columns(&custom.definition, &resource.version))
            }
            _ => Columns::Custom(Vec::new()),
        };
        let place = (resource.group.clone(), resource.plural.clone());
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
        let clock = Arc::clone(&core.clock);
        let resource = Arc::clone(resource);
        Transform { form, include, columns, clock, resource, place, go_kind, api_version, kind }
    }

    fn read(&self, stored: &Stored, version: Option<Revision>) -> Object {
        self.resource.object(stored, version)
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
                let rows = self.rows(vec![self.read(&item.stored, item.version)], false)?;
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
                let objects = page.items.iter().map(|item| self.read(&item.stored, item.version));
                let rows = self.rows(objects.collect(), true)?;
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

    /// A value of another kind than the resource's: a Scale has columns of its own.
    pub(crate) fn value(&self, value: Value) -> ApiResult<Value> {
        match (self.form, value) {
            (Form::Table { version }, Value::Object(scale)) if text(&scale, "kind") == "Scale" => {
                let columns = match self.resource.custom {
                    Some(_) => Columns::Custom(columns(&scale_columns(), "v1")),
                    None => Columns::Builtin(printers::scale_columns()),
                };
                let kind = "Scale".to_owned();
                let api_version = text(&scale, "apiVersion").to_owned();
                let of_scale = Transform { columns, kind, api_version, ..self.clone() };
                let mut meta = Map::new();
                let revision = text(metadata(&scale), "resourceVersion");
                meta.insert("resourceVersion".to_owned(), revision.into());
                let rows = of_scale.rows(vec![scale], false)?;
                Ok(of_scale.table(version, meta, rows, true))
            }
            (_, value) => Ok(value),
        }
    }

    /// The object of a watch event; `first` tells whether columns are told again.
    pub(crate) fn event(&self, stored: &Stored, revision: Revision, first: bool) -> Value {
        match self.form {
            Form::Table { version } => {
                let mut meta = Map::new();
                meta.insert("resourceVersion".to_owned(), revision.to_string().into());
                let object = self.read(stored, Some(revision));
                let rows = self.rows(vec![object], false).unwrap_or_default();
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
            "cells": self.cells(&object, (self.clock)()),
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
        let object = self.read(stored, revision);
        partial(self.version(), Value::Object(in_order(metadata(&object))))
    }

    fn table(
        &self,
        version: &str,
        meta: Map<String, Value>,
        rows: Vec<Value>,
        with_columns: bool,
    ) -> Value {
        let told = |name: &str, kind: &str, format: &str, description: &str, priority: i64| {
            json!({
                "name": name,
                "type": kind,
                "format": format,
                "description": description,
                "priority": priority,
            })
        };
        let columns: Vec<Value> = match &self.columns {
            Columns::Builtin(columns) => {
                columns.iter().map(|c| told(c.name, c.kind, c.format, "", c.priority)).collect()
            }
            Columns::Custom(columns) => columns
                .iter()
                .map(|c| told(&c.name, &c.kind, &c.format, &c.description, c.priority))
                .collect(),
        };
        let columns = match with_columns {
            true => Value::Array(columns),
            false => Value::Null,
        };
        // Printers of built-in kinds print no row as none, and not as an empty list.
        let rows = match &self.columns {
            Columns::Builtin(_) if rows.is_empty() => Value::Null,
            _ => Value::Array(rows),
        };
        json!({
            "kind": "Table",
            "apiVersion": version,
            "metadata": meta,
            "columnDefinitions": columns,
            "rows": rows,
        })
    }

    /// The rows of these objects; of a `list` they may come in an order of their own.
    fn rows(&self, objects: Vec<Object>, list: bool) -> ApiResult<Vec<Value>> {
        let now = (self.clock)();
        let rows = objects.into_iter().map(|object| {
            let cells = self.cells(&object, now);
            (object, cells)
        });
        let mut rows: Vec<(Object, Vec<Value>)> = rows.collect();
        if list && matches!(self.columns, Columns::Builtin(_)) {
            printers::arrange(self.place(), &mut rows);
        }
        rows.into_iter().map(|(object, cells)| self.row(object, cells)).collect()
    }

    fn place(&self) -> (&str, &str) {
        (&self.place.0, &self.place.1)
    }

    fn row(&self, object: Object, cells: Vec<Value>) -> ApiResult<Value> {
        let mut row = Map::new();
        row.insert("cells".to_owned(), cells.into());
        if matches!(self.columns, Columns::Builtin(_))
            && let Some(conditions) = printers::conditions(self.place(), &object)
        {
            row.insert("conditions".to_owned(), conditions);
        }
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

    fn cells(&self, object: &Object, now: Time) -> Vec<Value> {
        match &self.columns {
            Columns::Builtin(columns) => {
                printers::cells(self.place(), columns, object, &printers::Clock { now })
            }
            Columns::Custom(columns) => {
                columns.iter().map(|column| cell(column, object, now)).collect()
            }
        }
    }
}

fn cell(column: &Column, object: &Object, now: Time) -> Value {
    let clock = printers::Clock { now };
    match &column.source {
        Source::Age => clock.since(text(metadata(object), "creationTimestamp")).into(),
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
                ("date", Some(Value::String(time))) => clock.since(time).into(),
                ("string", Some(Value::String(text))) => text.as_str().into(),
                ("string", Some(other)) => other.to_string().into(),
                _ => Value::Null,
            }
        }
    }
}

fn partial(version: &str, meta: Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": meta})
}

/// The columns of a custom resource's scale, as a definition has them.
fn scale_columns() -> Value {
    let column = |name: &str, kind: &str, path: &str, description: &str| json!({"name": name, "type": kind, "jsonPath": path, "description": description});
    let of_spec = "Number of desired replicas";
    let of_status = "Number of created replicas";
    let columns = json!([
        column("Desired", "integer", ".spec.replicas", of_spec),
        column("Available", "integer", ".status.replicas", of_status),
        column("Age", "date", ".metadata.creationTimestamp", "The time since it was created"),
    ]);
    json!({"spec": {"versions": [{"name": "v1", "additionalPrinterColumns": columns}]}})
}

fn columns(definition: &Value, version: &str) -> Vec<Column> {
    let column = |name: &str, kind: &str, source: Source| Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        format: if name == "Name" { "name".to_owned() } else { String::new() },
        description: String::new(),
        priority: 0,
        source,
    };
    let mut columns = vec![column("Name", "string", Source::Path(".metadata.name".to_owned()))];
    let own = custom_columns(definition, version);
    if own.is_empty() {
        columns.push(column("Age", "date", Source::Age));
    }
    columns.extend(own);
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

#[cfg(test)]
mod tests {
    use super::*;

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
