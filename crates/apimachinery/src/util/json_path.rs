//! JSON paths as `kubectl -o jsonpath` and printer columns have them. Go:
//! `k8s.io/client-go/util/jsonpath`, without templates (text around paths, `range` and `end`).

mod eval;
mod parse;

pub(crate) use self::eval::json_path_text;

use std::borrow::Cow;

use serde_json::Value;

use crate::ParseError;

/// A path into JSON: fields (`.spec.containers`, `['a.b']`, `.a\.b`), elements and slices (`[0]`,
/// `[-1:]`), all of them (`*`, `[*]`), what is anywhere below (`..image`), several at once
/// (`['name','image']`) and filters (`[?(@.type=="Ready")]`).
///
/// ```
/// use pintle_apimachinery::util::JsonPath;
/// let pod = serde_json::json!({"status": {"conditions": [
///     {"type": "Ready", "status": "True"}, {"type": "Initialized", "status": "False"},
/// ]}});
/// let path = JsonPath::parse(r#".status.conditions[?(@.type=="Ready")].status"#)?;
/// assert_eq!(path.find(&pod)?[0].as_str(), Some("True"));
/// assert!(JsonPath::parse(".a")?.find(&pod)?.is_empty());
/// # Ok::<(), pintle_apimachinery::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath(Vec<Node>);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Field(String),
    /// Begin, end and step; the last says that the end follows from the beginning.
    Slice([Option<i64>; 3], bool),
    Wildcard,
    Recursive,
    Union(Vec<Vec<Node>>),
    Filter(Vec<Node>, String, Vec<Node>),
    Exists(Vec<Node>),
    Literal(Value),
    Identifier(String),
}

impl JsonPath {
    /// Reads a path, without braces around it.
    ///
    /// # Errors
    /// If it is not one.
    pub fn parse(text: &str) -> Result<JsonPath, ParseError> {
        parse::parse(text, 0).map(JsonPath)
    }

    /// Everything that the path leads to in a value. A field that is missing leads nowhere, and is
    /// no error.
    ///
    /// # Errors
    /// An index is out of bounds, a list is wanted where there is none, or a filter compares what
    /// cannot be compared.
    pub fn find<'a>(&'a self, value: &'a Value) -> Result<Vec<Cow<'a, Value>>, ParseError> {
        eval::walk(vec![Cow::Borrowed(value)], &self.0).map_err(|(_, error)| error)
    }

    /// Whether what is found comes from the path and not from the value.
    pub(crate) fn is_literal(&self) -> bool {
        matches!(self.0.last(), Some(Node::Literal(_)))
    }

    /// The first that the path leads to; `None` also for an error.
    pub(crate) fn first<'a>(&'a self, value: &'a Value) -> Option<Cow<'a, Value>> {
        self.find(value).ok()?.into_iter().next()
    }
}
