//! Columns of built-in kinds in tables: what `kubectl get` shows of each.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/printers/internalversion`, and the table convertors of
//! apiextensions-apiserver and kube-aggregator. The columns of a kind are data (`columns.rs`); a
//! cell that is more than a field is a small function beside others of its group. Columns have no
//! descriptions.

mod apps;
mod cells;
mod columns;
mod core;
mod events;
mod others;
mod pods;
mod volumes;

use pintle_apimachinery::util::human_duration;
use pintle_apimachinery::{Duration, Time};
use serde_json::Value;

use crate::object::{Object, metadata, text};

/// A column of a built-in kind.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) format: &'static str,
    pub(crate) priority: i64,
    cell: Cell,
}

/// Where a cell's value comes from.
enum Cell {
    /// A text, and what stands for none.
    Text(&'static str, &'static str),
    /// A number; 0 when there is none.
    Int(&'static str),
    /// A flag, and what holds when it is not given.
    Flag(&'static str, bool),
    /// How many entries a field has.
    Count(&'static str),
    /// The time since creation.
    Age,
    /// The time of creation.
    Created,
    /// Anything else.
    By(fn(&Object, &Clock) -> Value),
}

impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Text(path, _) | Cell::Int(path) | Cell::Flag(path, _) | Cell::Count(path) => {
                f.write_str(path)
            }
            Cell::Age | Cell::Created => f.write_str("creation"),
            Cell::By(_) => f.write_str("a function"),
        }
    }
}

/// The time that ages are counted to.
pub(crate) struct Clock {
    pub(crate) now: Time,
}

impl Clock {
    /// The time since then, as people say it. Go: `translateTimestampSince`.
    pub(crate) fn since(&self, then: &str) -> String {
        match Time::parse(then) {
            Ok(then) => {
                human_duration(Duration::from_secs(self.now.unix().saturating_sub(then.unix())))
            }
            Err(_) => "<unknown>".to_owned(),
        }
    }
}

/// The columns of a kind, in the order of their cells.
pub(crate) fn columns(group: &str, plural: &str) -> &'static [Column] {
    let found = columns::KINDS.iter().find(|(g, p, _)| (*g, *p) == (group, plural));
    found.map_or(columns::PLAIN, |(.., columns)| columns)
}

/// The columns of a Scale.
pub(crate) fn scale_columns() -> &'static [Column] {
    columns::SCALE
}

/// The cells of an object.
pub(crate) fn cells(
    (group, plural): (&str, &str),
    columns: &[Column],
    object: &Object,
    clock: &Clock,
) -> Vec<Value> {
    let mut cells: Vec<Value> = columns.iter().map(|column| cell(column, object, clock)).collect();
    if (group, plural) == ("networking.k8s.io", "ipaddresses") {
        // Its rows have one more than there are columns.
        cells.push(clock.since(text(metadata(object), "creationTimestamp")).into());
    }
    cells
}

fn cell(column: &Column, object: &Object, clock: &Clock) -> Value {
    let created = || text(metadata(object), "creationTimestamp");
    match &column.cell {
        Cell::Text(path, none) => match cells::get(object, path) {
            Some(Value::String(text)) => text.as_str().into(),
            Some(Value::Null) | None => (*none).into(),
            Some(other) => other.to_string().into(),
        },
        Cell::Int(path) => cells::int(object, path).into(),
        Cell::Flag(path, none) => {
            cells::get(object, path).and_then(Value::as_bool).unwrap_or(*none).into()
        }
        Cell::Count(path) => cells::count(object, path).into(),
        Cell::Age => clock.since(created()).into(),
        Cell::Created => created().into(),
        Cell::By(make) => make(object, clock),
    }
}

/// Why a row is over, when it is: Go's `TableRowCondition`s.
pub(crate) fn conditions((group, plural): (&str, &str), object: &Object) -> Option<Value> {
    if (group, plural) != ("", "pods") {
        return None;
    }
    pods::conditions(object)
}

/// Brings the rows of a list into the order its kind is shown in, and marks the one in use.
pub(crate) fn arrange((group, plural): (&str, &str), rows: &mut [(Object, Vec<Value>)]) {
    match (group, plural) {
        ("storage.k8s.io", "storageclasses") => volumes::mark_default(rows),
        ("flowcontrol.apiserver.k8s.io", "flowschemas") => rows.sort_by_key(|(object, _)| {
            let precedence = cells::int(object, "spec.matchingPrecedence");
            (precedence, text(metadata(object), "name").to_owned())
        }),
        _ => {}
    }
}
