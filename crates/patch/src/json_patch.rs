//! JSON patch (RFC 6902) as kube-apiserver applies it. Go: `gopkg.in/evanphx/json-patch.v4`.
//!
//! Beyond the RFC, as there: a negative index counts from the end; `replace` of a member that is
//! not there adds it; `copy` of a member that is not there copies null; a missing `value` is null;
//! a missing member passes a test for null; what is before the first slash of a path is passed
//! over.

use pintle_apimachinery::{Codec, Error};
use serde_json::{Map, Value};

use crate::depth::{MAX_DEPTH, depth, too_deep};
use crate::error::{Reason, fail};
use crate::go::{json_kind, json_len, quote};
use crate::typed;

/// kube-apiserver refuses a patch with more operations than this, with status 413.
/// [`JsonPatch::len`] says how many there are; nothing is refused here.
pub const MAX_OPERATIONS: usize = 10_000;

/// How many bytes the `copy` operations of one patch may add, unless
/// [`JsonPatch::copy_limit`] says otherwise: 3 MiB, as in kube-apiserver.
pub const DEFAULT_COPY_LIMIT: u64 = 3 * 1024 * 1024;

/// A JSON patch. Go: `jsonpatch.Patch`.
///
/// ```
/// use pintle_patch::JsonPatch;
/// use serde_json::json;
///
/// let patch = JsonPatch::new()
///     .test("/spec/replicas", 1)
///     .replace("/spec/replicas", 3)
///     .add("/spec/args/-", "--verbose")
///     .remove("/spec/paused");
/// let mut object = json!({"spec": {"replicas": 1, "args": [], "paused": true}});
/// patch.apply(&mut object)?;
/// assert_eq!(object, json!({"spec": {"replicas": 3, "args": ["--verbose"]}}));
///
/// let error = patch.apply(&mut object).unwrap_err();
/// assert_eq!(error.to_string(), "testing value /spec/replicas failed: test failed");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPatch {
    operations: Vec<Map<String, Value>>,
    copy_limit: Option<u64>,
}

impl Default for JsonPatch {
    fn default() -> Self {
        JsonPatch { operations: Vec::new(), copy_limit: Some(DEFAULT_COPY_LIMIT) }
    }
}

impl JsonPatch {
    /// A patch without operations.
    pub fn new() -> Self {
        JsonPatch::default()
    }

    /// The patch that a JSON document is. What an operation lacks is found out when it is
    /// applied. Go: `jsonpatch.DecodePatch`.
    ///
    /// # Errors
    /// [`Reason::Malformed`]: it is not a list of objects.
    pub fn from_value(value: Value) -> Result<Self, Error> {
        let wrong = |value: &Value, wanted: &str| {
            fail(
                Reason::Malformed,
                format!(
                    "json: cannot unmarshal {} into Go value of type jsonpatch.{wanted}",
                    json_kind(value)
                ),
            )
        };
        let operation = |value| match value {
            Value::Object(operation) => Ok(operation),
            Value::Null => Ok(Map::new()),
            other => Err(wrong(&other, "Operation")),
        };
        let operations = match value {
            Value::Array(items) => items.into_iter().map(operation).collect::<Result<_, _>>()?,
            Value::Null => Vec::new(),
            other => return Err(wrong(&other, "Patch")),
        };
        Ok(JsonPatch { operations, ..JsonPatch::default() })
    }

    /// As [`JsonPatch::from_value`], from JSON text.
    ///
    /// # Errors
    /// [`Reason::Malformed`]: the text is not JSON, or not a list of objects.
    pub fn from_slice(text: &[u8]) -> Result<Self, Error> {
        let value = serde_json::from_slice(text)
            .map_err(|e| fail(Reason::Malformed, format!("the JSON patch is not JSON: {e}")))?;
        JsonPatch::from_value(value)
    }

    /// The patch as a JSON document: the body of a PATCH request.
    pub fn to_value(&self) -> Value {
        self.operations.iter().cloned().map(Value::Object).collect()
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there are no operations.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Sets how many bytes of JSON the `copy` operations may add together; `None` for no limit.
    /// Go: `jsonpatch.AccumulatedCopySizeLimit`, of the whole process, where 0 is no limit.
    #[must_use]
    pub fn copy_limit(mut self, bytes: Option<u64>) -> Self {
        self.copy_limit = bytes;
        self
    }

    /// Appends an operation that adds a member, or inserts an element (`-`: at the end).
    #[must_use]
    pub fn add(self, path: &str, value: impl Into<Value>) -> Self {
        self.push("add", path, [("value", value.into())])
    }

    /// Appends an operation that removes a member or an element.
    #[must_use]
    pub fn remove(self, path: &str) -> Self {
        self.push("remove", path, [])
    }

    /// Appends an operation that replaces a value.
    #[must_use]
    pub fn replace(self, path: &str, value: impl Into<Value>) -> Self {
        self.push("replace", path, [("value", value.into())])
    }

    /// Appends an operation that takes a value away and adds it elsewhere. Go: `move`.
    #[must_use]
    pub fn move_from(self, from: &str, path: &str) -> Self {
        self.push("move", path, [("from", from.into())])
    }

    /// Appends an operation that adds the value of another place. Go: `copy`.
    #[must_use]
    pub fn copy_from(self, from: &str, path: &str) -> Self {
        self.push("copy", path, [("from", from.into())])
    }

    /// Appends an operation that fails unless the value is the given one.
    #[must_use]
    pub fn test(self, path: &str, value: impl Into<Value>) -> Self {
        self.push("test", path, [("value", value.into())])
    }

    fn push<const N: usize>(mut self, op: &str, path: &str, more: [(&str, Value); N]) -> Self {
        let head = [("op", Value::from(op)), ("path", Value::from(path))];
        let members = head.into_iter().chain(more).map(|(key, value)| (key.to_owned(), value));
        self.operations.push(members.collect());
        self
    }

    /// Applies the operations in order. Go: `Patch.Apply`.
    ///
    /// # Errors
    /// [`Reason::NotApplicable`]: an operation does not apply; those before it have been applied.
    /// [`Reason::Malformed`]: `document` is neither an object nor a list, or gets nested deeper
    /// than [`MAX_DEPTH`](crate::MAX_DEPTH).
    pub fn apply(&self, document: &mut Value) -> Result<(), Error> {
        if !matches!(document, Value::Object(_) | Value::Array(_)) {
            let message = format!(
                "json: cannot unmarshal {} into Go value of type jsonpatch.partialDoc",
                json_kind(document)
            );
            return Err(fail(Reason::Malformed, message));
        }
        crate::depth::check(document)?;
        let mut run = Run { document, copied: 0, copy_limit: self.copy_limit };
        self.operations.iter().try_for_each(|operation| run.step(operation))
    }

    /// The patched form of a typed object, or of an [`Unstructured`](pintle_apimachinery::Unstructured)
    /// one.
    ///
    /// ```
    /// use pintle_api::core_v1::Pod;
    /// use pintle_patch::JsonPatch;
    ///
    /// let mut pod = Pod::default();
    /// pod.spec.node_name = "one".into();
    /// let moved = JsonPatch::new().replace("/spec/nodeName", "two").apply_to(&pod)?;
    /// assert_eq!(moved.spec.node_name, "two");
    /// # Ok::<(), pintle_apimachinery::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`JsonPatch::apply`], or the result is not of the type.
    pub fn apply_to<T: Codec>(&self, object: &T) -> Result<T, Error> {
        let mut value = typed::to_value(object)?;
        self.apply(&mut value)?;
        typed::from_value(&value)
    }
}

/// An error of an operation, in Go's words.
type Step<T> = Result<T, String>;

const MISSING: &str = "missing value";

struct Run<'d> {
    document: &'d mut Value,
    copied: u64,
    copy_limit: Option<u64>,
}

impl Run<'_> {
    fn step(&mut self, operation: &Map<String, Value>) -> Result<(), Error> {
        let done = match operation.get("op") {
            Some(Value::String(op)) => match op.as_str() {
                "add" => self.add(operation),
                "remove" => self.remove(operation),
                "replace" => self.replace(operation),
                "move" => self.shift(operation),
                "test" => self.test(operation),
                "copy" => self.copy(operation),
                other => Err(format!("Unexpected kind: {other}")),
            },
            _ => Err("Unexpected kind: unknown".to_owned()),
        };
        done.map_err(|message| match message.as_str() {
            TOO_DEEP => too_deep(),
            _ => fail(Reason::NotApplicable, message),
        })
    }

    fn add(&mut self, operation: &Map<String, Value>) -> Step<()> {
        let path = path(operation)
            .map_err(|_| format!("add operation failed to decode path: {MISSING}"))?;
        let Some((container, key)) = find(self.document, path) else {
            return Err(format!(
                "add operation does not apply: doc is missing path: \"{path}\": {MISSING}"
            ));
        };
        let value = operation.get("value").cloned().unwrap_or_default();
        insert(container, key, value, path)
            .map_err(in_words(|e| format!("error in add for path: '{path}': {e}")))
    }

    fn remove(&mut self, operation: &Map<String, Value>) -> Step<()> {
        let path = path(operation)
            .map_err(|_| format!("remove operation failed to decode path: {MISSING}"))?;
        let Some((container, key)) = find(self.document, path) else {
            return Err(format!(
                "remove operation does not apply: doc is missing path: \"{path}\": {MISSING}"
            ));
        };
        take(container, &key).map_err(|e| format!("error in remove for path: '{path}': {e}"))?;
        Ok(())
    }

    fn replace(&mut self, operation: &Map<String, Value>) -> Step<()> {
        let path =
            path(operation).map_err(|e| format!("replace operation failed to decode path: {e}"))?;
        let value = operation.get("value").cloned().unwrap_or_default();
        if path.is_empty() {
            if !matches!(value, Value::Object(_) | Value::Array(_)) {
                return Err("replace operation value must be object or array: %!w(<nil>)".into());
            }
            fits("", &value)?;
            *self.document = value;
            return Ok(());
        }
        let Some((container, key)) = find(self.document, path) else {
            return Err(format!(
                "replace operation does not apply: doc is missing path: {path}: {MISSING}"
            ));
        };
        fits(path, &value)?;
        match container {
            Container::Object(map) => {
                map.insert(key, value);
            }
            Container::List(items) => {
                let missing = |_| {
                    format!(
                        "replace operation does not apply: doc is missing key: {path}: {MISSING}"
                    )
                };
                let at = index(&key, items.len()).map_err(missing)?;
                items[at] = value;
            }
        }
        Ok(())
    }

    fn shift(&mut self, operation: &Map<String, Value>) -> Step<()> {
        let from =
            from(operation).map_err(|e| format!("move operation failed to decode from: {e}"))?;
        let Some((container, key)) = find(self.document, from) else {
            return Err(format!(
                "move operation does not apply: doc is missing from path: {from}: {MISSING}"
            ));
        };
        let value =
            take(container, &key).map_err(|e| format!("error in move for path: '{key}': {e}"))?;
        let path =
            path(operation).map_err(|e| format!("move operation failed to decode path: {e}"))?;
        let Some((container, key)) = find(self.document, path) else {
            return Err(format!(
                "move operation does not apply: doc is missing destination path: {path}: {MISSING}"
            ));
        };
        insert(container, key, value, path)
            .map_err(in_words(|e| format!("error in move for path: '{path}': {e}")))
    }

    fn copy(&mut self, operation: &Map<String, Value>) -> Step<()> {
        let from =
            from(operation).map_err(|e| format!("copy operation failed to decode from: {e}"))?;
        let Some((container, key)) = find(self.document, from) else {
            return Err(format!(
                "copy operation does not apply: doc is missing from path: {from}: {MISSING}"
            ));
        };
        let value = container
            .get(&key)
            .map_err(|e| format!("error in copy for from: '{from}': {e}"))?
            .cloned();
        let path = path(operation)
            .map_err(|_| format!("copy operation failed to decode path: {MISSING}"))?;
        let Some((container, key)) = find(self.document, path) else {
            return Err(format!(
                "copy operation does not apply: doc is missing destination path: {path}: {MISSING}"
            ));
        };
        // What is null has no size in Go, for it is not there.
        self.copied += value.as_ref().filter(|value| !value.is_null()).map_or(0, json_len);
        if let Some(limit) = self.copy_limit
            && self.copied > limit
        {
            return Err(format!(
                "Unable to complete the copy, the accumulated size increase of copy is {}, \
                 exceeding the limit {limit}",
                self.copied
            ));
        }
        insert(container, key, value.unwrap_or_default(), path)
            .map_err(in_words(|e| format!("error while adding value during copy: {e}")))
    }

    fn test(&mut self, operation: &Map<String, Value>) -> Step<()> {
        let path =
            path(operation).map_err(|e| format!("test operation failed to decode path: {e}"))?;
        let wanted = operation.get("value").unwrap_or(&Value::Null);
        let holds = if path.is_empty() {
            self.document == wanted
        } else {
            let Some((container, key)) = find(self.document, path) else {
                return Err(format!(
                    "test operation does not apply: is missing path: {path}: {MISSING}"
                ));
            };
            let value = container
                .get(&key)
                .map_err(|e| format!("error in test for path: '{path}': {e}"))?;
            value.unwrap_or(&Value::Null) == wanted
        };
        if holds { Ok(()) } else { Err(format!("testing value {path} failed: test failed")) }
    }
}

/// Stands for [`too_deep`], which has a reason of its own.
const TOO_DEEP: &str = "too deep";

/// Wraps an error in the operation's words.
fn in_words(words: impl Fn(String) -> String) -> impl Fn(String) -> String {
    move |e| if e == TOO_DEEP { e } else { words(e) }
}

/// # Errors
/// [`TOO_DEEP`].
fn fits(path: &str, value: &Value) -> Step<()> {
    let above = path.bytes().filter(|&byte| byte == b'/').count();
    if above.saturating_add(depth(value)) > MAX_DEPTH { Err(TOO_DEEP.to_owned()) } else { Ok(()) }
}

fn path(operation: &Map<String, Value>) -> Step<&str> {
    string(operation, "path")
        .unwrap_or_else(|| Err(format!("operation missing path field: {MISSING}")))
}

fn from(operation: &Map<String, Value>) -> Step<&str> {
    string(operation, "from")
        .unwrap_or_else(|| Err(format!("operation, missing from field: {MISSING}")))
}

fn string<'o>(operation: &'o Map<String, Value>, key: &str) -> Option<Step<&'o str>> {
    match operation.get(key)? {
        Value::Null => None,
        Value::String(text) => Some(Ok(text)),
        other => Some(Err(format!(
            "json: cannot unmarshal {} into Go value of type string",
            json_kind(other)
        ))),
    }
}

enum Container<'d> {
    Object(&'d mut Map<String, Value>),
    List(&'d mut Vec<Value>),
}

impl<'d> Container<'d> {
    fn of(value: &'d mut Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Container::Object(map)),
            Value::Array(items) => Some(Container::List(items)),
            _ => None,
        }
    }

    fn get(&self, key: &str) -> Step<Option<&Value>> {
        match self {
            Container::Object(map) => Ok(map.get(key)),
            Container::List(items) => Ok(items.get(index(key, items.len())?)),
        }
    }
}

/// The container that a path leads into, and the last step.
fn find<'d>(document: &'d mut Value, path: &str) -> Option<(Container<'d>, String)> {
    let (_, rest) = path.split_once('/')?;
    let (parents, last) = rest.rsplit_once('/').map_or((None, rest), |(p, last)| (Some(p), last));
    let mut at = document;
    for step in parents.into_iter().flat_map(|parents| parents.split('/')) {
        let step = unescape(step);
        at = match at {
            Value::Object(map) => map.get_mut(&step)?,
            Value::Array(items) => {
                let index = index(&step, items.len()).ok()?;
                items.get_mut(index)?
            }
            _ => return None,
        };
    }
    Some((Container::of(at)?, unescape(last)))
}

fn unescape(step: &str) -> String {
    // `~01` is `~1`: slashes first.
    if step.contains('~') { step.replace("~1", "/").replace("~0", "~") } else { step.to_owned() }
}

/// A number as Go's `strconv.Atoi` reads it.
fn number(text: &str) -> Step<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("strconv.Atoi: parsing {}: invalid syntax", quote(text)));
    }
    text.parse().map_err(|_| format!("strconv.Atoi: parsing {}: value out of range", quote(text)))
}

fn no_index(index: i64) -> String {
    format!("Unable to access invalid index: {index}: invalid index referenced")
}

/// An index into a list; a negative one counts from the end.
fn index(text: &str, length: usize) -> Step<usize> {
    let given = number(text)?;
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let index = if given < 0 { given + length } else { given };
    if (0..length).contains(&index) { Ok(index as usize) } else { Err(no_index(given)) }
}

fn insert(container: Container<'_>, key: String, value: Value, path: &str) -> Step<()> {
    fits(path, &value)?;
    match container {
        Container::Object(map) => {
            map.insert(key, value);
        }
        Container::List(items) => {
            let at = match key.as_str() {
                "-" => items.len(),
                key => {
                    number(key)
                        .map_err(|e| format!("value was not a proper array index: '{key}': {e}"))?;
                    // One past the end is a place to add at.
                    index(key, items.len() + 1)?
                }
            };
            items.insert(at, value);
        }
    }
    Ok(())
}

fn take(container: Container<'_>, key: &str) -> Step<Value> {
    match container {
        Container::Object(map) => map
            .shift_remove(key)
            .ok_or_else(|| format!("Unable to remove nonexistent key: {key}: {MISSING}")),
        Container::List(items) => {
            let at = index(key, items.len())?;
            Ok(items.remove(at))
        }
    }
}
