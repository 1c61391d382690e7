//! Objects as rows of a table. Go: `Table` of `k8s.io/apimachinery/pkg/apis/meta/v1`,
//! `k8s.io/apimachinery/pkg/api/meta/table`, and `tableconvertor` of apiextensions, which has it from
//! the columns of a CustomResourceDefinition.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::meta_v1::{Table, TableColumnDefinition, TableRow};
use crate::parse_error::quote;
use crate::util::{JsonPath, human_duration};
use crate::{
    AnyKind, Duration, Error, Json, List, ListMeta, Object, PartialObjectMetadata, RawExtension,
    Str, Time,
};

/// One column beside the name. Go: `CustomResourceColumnDefinition`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrinterColumn {
    /// What stands above it.
    pub name: Str,
    /// `integer`, `number`, `boolean`, `string` or `date`.
    pub type_: Str,
    /// More about the type; may be empty.
    pub format: Str,
    /// What it means; may be empty.
    pub description: Str,
    /// 0 if it is always shown, more if only where there is room.
    pub priority: i32,
    /// Where the cell comes from, such as `.spec.replicas`.
    pub json_path: Str,
}

/// Makes tables of objects: their names, and a column for each JSON path.
/// Go: `tableconvertor.New`.
///
/// ```
/// use pintle_apimachinery::meta::{PrinterColumn, TableColumns};
/// use pintle_apimachinery::{Time, Unstructured};
///
/// let columns = TableColumns::new([
///     PrinterColumn { name: "Replicas".into(), type_: "integer".into(), json_path: ".spec.replicas".into(), ..Default::default() },
///     PrinterColumn { name: "Age".into(), type_: "date".into(), json_path: ".metadata.creationTimestamp".into(), ..Default::default() },
/// ])?;
/// let foo: Unstructured = serde_json::from_str(
///     r#"{"apiVersion":"example.com/v1","kind":"Foo","metadata":{"name":"one","creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"replicas":2}}"#)?;
/// let mut table = columns.table();
/// table.rows.push(columns.row(&foo, Time::parse("2026-01-03T00:00:00Z")?)?);
/// assert_eq!(table.cell::<i64>(0, "Replicas")?, Some(2));
/// assert_eq!(table.cell::<String>(0, "Age")?.as_deref(), Some("2d"));
/// assert_eq!(table.rows[0].metadata()?.metadata.name, "one");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TableColumns {
    definitions: List<TableColumnDefinition>,
    paths: Vec<JsonPath>,
}

impl TableColumns {
    /// The name and these columns.
    ///
    /// # Errors
    /// `unrecognized column definition ...` if a JSON path cannot be read.
    pub fn new(columns: impl IntoIterator<Item = PrinterColumn>) -> Result<Self, Error> {
        let name = TableColumnDefinition {
            name: "Name".into(),
            type_: "string".into(),
            format: "name".into(),
            description: "The name of the object, unique within a namespace.".into(),
            priority: 0,
        };
        let (mut definitions, mut paths) = (vec![name], Vec::new());
        for column in columns {
            let path = JsonPath::parse(&column.json_path).map_err(|error| {
                let path = quote(&column.json_path);
                Error::invalid(format!("unrecognized column definition {path}")).with_source(error)
            })?;
            paths.push(path);
            let description = if column.description.is_empty() {
                let path = &column.json_path;
                format!("Custom resource definition column (in JSONPath format): {path}").into()
            } else {
                column.description
            };
            definitions.push(TableColumnDefinition {
                name: column.name,
                type_: column.type_,
                format: column.format,
                description,
                priority: column.priority,
            });
        }
        Ok(TableColumns { definitions: definitions.into(), paths })
    }

    /// The columns as a table has them, the name first.
    pub fn definitions(&self) -> &List<TableColumnDefinition> {
        &self.definitions
    }

    /// A table with these columns and no rows.
    pub fn table(&self) -> Table {
        Table { column_definitions: self.definitions.clone(), ..Table::default() }
    }

    /// The row of an object, with the object. What a path does not find, or what is not of the
    /// column's type, is an empty cell.
    /// Go: `ConvertToTable`.
    ///
    /// # Errors
    /// The object cannot be written as JSON.
    pub fn row(&self, object: &dyn Object, now: Time) -> Result<TableRow, Error> {
        let object = to_json(object)?;
        Ok(TableRow {
            cells: self.cells(&object, now)?,
            object: RawExtension::of(&object)?,
            ..TableRow::default()
        })
    }

    /// The cells of an object that is JSON already.
    ///
    /// # Errors
    /// None to be expected: a cell can always be written as JSON.
    pub fn cells(&self, object: &Value, now: Time) -> Result<List<Json>, Error> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let mut cells = vec![Json::of(&name)?];
        for (definition, path) in self.definitions[1..].iter().zip(&self.paths) {
            let cell = path.first(object).map_or(Value::Null, |found| {
                if definition.type_ == "string" {
                    Value::String(crate::util::json_path_text(&found))
                } else if found.is_i64() && (path.is_literal() || matches!(found, Cow::Owned(_))) {
                    // A number of the path itself, or a byte of a text: neither is of the type that
                    // Go takes for a number of an object.
                    Value::Null
                } else {
                    cell(&definition.type_, &found, now)
                }
            });
            cells.push(Json::of(&cell)?);
        }
        Ok(cells.into())
    }
}

fn to_json(object: &dyn Object) -> Result<Value, Error> {
    let mut json = Vec::new();
    (object as &dyn AnyKind).encode_any(crate::Format::Json, &mut json)?;
    serde_json::from_slice(&json).map_err(|e| Error::encode(format!("object of a table row: {e}")))
}

/// A value as a column of this type shows it; null if it cannot.
fn cell(type_: &str, value: &Value, now: Time) -> Value {
    const LIMIT: f64 = (1_u64 << 63) as f64;
    match (type_, value) {
        ("integer", Value::Number(n)) => match n.as_i64() {
            Some(n) => n.into(),
            // As Go converts on the processors that servers run on: what does not fit is the least.
            None => match n.as_f64() {
                Some(f) if (-LIMIT..LIMIT).contains(&f) => (f as i64).into(),
                _ => i64::MIN.into(),
            },
        },
        ("number", Value::Number(n)) => n.as_f64().map_or(Value::Null, Value::from),
        ("boolean", Value::Bool(_)) => value.clone(),
        ("date", Value::String(text)) => match &**text {
            "" | "null" => human_age(Time::ZERO, now).into(),
            text => Time::parse(text).map_or("<invalid>".to_owned(), |t| human_age(t, now)).into(),
        },
        _ => Value::Null,
    }
}

/// How long ago a time was, for people; `<unknown>` for the zero time.
/// Go: `ConvertToHumanReadableDateType`.
pub fn human_age(time: Time, now: Time) -> String {
    if time.is_zero() {
        return "<unknown>".to_owned();
    }
    human_duration(Duration::from_secs(now.seconds_since(time)))
}

impl Table {
    /// The same about this part of a list: its resource version, where it goes on, and how much is
    /// left.
    #[must_use]
    pub fn of_list(mut self, list: &ListMeta) -> Table {
        self.metadata.resource_version = list.resource_version.clone();
        self.metadata.continue_ = list.continue_.clone();
        self.metadata.remaining_item_count = list.remaining_item_count;
        self
    }

    /// The place of a column, by its name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.column_definitions.iter().position(|column| column.name == name)
    }

    /// A cell, by its row and the name of its column; `None` if there is no such row or column, or
    /// the cell is empty.
    ///
    /// # Errors
    /// The cell is of another type.
    pub fn cell<T: DeserializeOwned>(&self, row: usize, column: &str) -> Result<Option<T>, Error> {
        let Some(at) = self.column(column) else { return Ok(None) };
        match self.rows.get(row).and_then(|row| row.cells.get(at)) {
            Some(cell) => cell.get().map_err(|e| e.context(format!("row {row}, column {column}"))),
            None => Ok(None),
        }
    }
}

impl TableRow {
    /// The object of the row, as much of it as was asked for (`includeObject`).
    ///
    /// # Errors
    /// There is none, or it is of another type.
    pub fn object<T: crate::Codec>(&self) -> Result<T, Error> {
        if self.object.raw.is_empty() {
            return Err(Error::decode(
                "the row of the table has no object; ask for it with includeObject",
            ));
        }
        T::decode(&self.object.raw, crate::Format::Json, &mut crate::Decoder::new())
    }

    /// The metadata of the row's object: all of it that a server gives unless asked for more or
    /// less.
    ///
    /// # Errors
    /// There is no object, or it has no metadata.
    pub fn metadata(&self) -> Result<PartialObjectMetadata, Error> {
        if self.object.raw.is_empty() {
            return self.object();
        }
        let object: Value = self.object.get()?;
        let metadata = object.get("metadata").cloned().unwrap_or_default();
        let metadata = serde_json::from_value(metadata)
            .map_err(|e| Error::decode(format!("metadata of the row's object: {e}")))?;
        Ok(PartialObjectMetadata { metadata })
    }
}
