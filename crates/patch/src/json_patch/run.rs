//! The operations of a JSON patch, applied one after the other. Go: `Patch.add`, `remove` and the
//! others of the JSON patch library.

use pintle_apimachinery::Error;
use serde_json::{Map, Value};

use super::Operation;
use super::node::{Container, Node};
use crate::depth::{MAX_DEPTH, too_deep};
use crate::error::{Reason, fail};
use crate::go::{json_kind, quote};

/// An error of an operation, in Go's words.
type Step<T> = Result<T, String>;

const MISSING: &str = "missing value";

pub(super) struct Run<'d> {
    pub(super) document: &'d mut Node,
    pub(super) copied: u64,
    pub(super) copy_limit: Option<u64>,
}

impl Operation {
    /// The value, if there is one; it may be null.
    fn value(&self) -> Option<Node> {
        match (self.members.get("value")?, &self.text) {
            (Value::Null, _) => Some(Node::Null),
            (_, Some(text)) => Some(Node::Text(text.clone())),
            (value, None) => Some(Node::Value(value.clone())),
        }
    }
}

impl Run<'_> {
    pub(super) fn step(&mut self, operation: &Operation) -> Result<(), Error> {
        let members = &operation.members;
        let done = match members.get("op") {
            Some(Value::String(op)) => match op.as_str() {
                "add" => self.add(operation),
                "remove" => self.remove(members),
                "replace" => self.replace(operation),
                "move" => self.shift(members),
                "test" => self.test(operation),
                "copy" => self.copy(members),
                other => Err(format!("Unexpected kind: {other}")),
            },
            _ => Err("Unexpected kind: unknown".to_owned()),
        };
        done.map_err(|message| match message.as_str() {
            TOO_DEEP => too_deep(),
            _ => fail(Reason::NotApplicable, message),
        })
    }

    fn add(&mut self, operation: &Operation) -> Step<()> {
        let path = path(&operation.members)
            .map_err(|_| format!("add operation failed to decode path: {MISSING}"))?;
        let Some((container, key)) = find(self.document, path) else {
            return Err(format!(
                "add operation does not apply: doc is missing path: \"{path}\": {MISSING}"
            ));
        };
        let value = operation.value().unwrap_or(Node::Nil);
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

    fn replace(&mut self, operation: &Operation) -> Step<()> {
        let path = path(&operation.members)
            .map_err(|e| format!("replace operation failed to decode path: {e}"))?;
        let value = operation.value().unwrap_or(Node::Nil);
        if path.is_empty() {
            let mut value = value;
            fits("", &value)?;
            if !matches!(value.container(), Some(Container::Object(_) | Container::List(_))) {
                return Err("replace operation value must be object or array: %!w(<nil>)".into());
            }
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
            Container::Object(members) => members.insert(key, value),
            Container::List(items) => {
                let missing = |_| {
                    format!(
                        "replace operation does not apply: doc is missing key: {path}: {MISSING}"
                    )
                };
                let at = index(&key, items.len()).map_err(missing)?;
                items[at] = value;
            }
            Container::Nothing => {
                return Err(format!("error in replace for path: '{path}': {NULL}"));
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
        get(&container, &key).map_err(|e| format!("error in copy for from: '{from}': {e}"))?;
        let path = path(operation)
            .map_err(|_| format!("copy operation failed to decode path: {MISSING}"))?;
        let missing = || {
            format!(
                "copy operation does not apply: doc is missing destination path: {path}: {MISSING}"
            )
        };
        find(self.document, path).ok_or_else(missing)?;
        // The way to the destination may lead through the value, whose members are read then: its
        // size is that of its text as it is written from there on.
        let (value, size) = find(self.document, from)
            .and_then(|(container, key)| get(&container, &key).ok()?.map(Node::copied))
            .unwrap_or((Node::Nil, 0));
        self.copied += size;
        if let Some(limit) = self.copy_limit
            && self.copied > limit
        {
            return Err(format!(
                "Unable to complete the copy, the accumulated size increase of copy is {}, \
                 exceeding the limit {limit}",
                self.copied
            ));
        }
        let (container, key) = find(self.document, path).ok_or_else(missing)?;
        insert(container, key, value, path)
            .map_err(in_words(|e| format!("error while adding value during copy: {e}")))
    }

    fn test(&mut self, operation: &Operation) -> Step<()> {
        let path = path(&operation.members)
            .map_err(|e| format!("test operation failed to decode path: {e}"))?;
        let wanted = operation.value();
        let holds = if path.is_empty() {
            // Without a value Go panics.
            wanted.is_some_and(|wanted| self.document.found_equal(&wanted))
        } else {
            let Some((mut container, key)) = find(self.document, path) else {
                return Err(format!(
                    "test operation does not apply: is missing path: {path}: {MISSING}"
                ));
            };
            let value = get_mut(&mut container, &key)
                .map_err(|e| format!("error in test for path: '{path}': {e}"))?;
            match (value, wanted) {
                (None | Some(Node::Nil), wanted) => matches!(wanted, None | Some(Node::Null)),
                (Some(_), None) => false,
                (Some(value), Some(wanted)) => value.found_equal(&wanted),
            }
        };
        if holds { Ok(()) } else { Err(format!("testing value {path} failed: test failed")) }
    }
}

/// Stands for [`too_deep`], which has a reason of its own.
const TOO_DEEP: &str = "too deep";

/// Where Go panics: a copy of a null that was added is an object, but one without room.
const NULL: &str = "unable to add to null";

/// Wraps an error in the operation's words.
fn in_words(words: impl Fn(String) -> String) -> impl Fn(String) -> String {
    move |e| if e == TOO_DEEP { e } else { words(e) }
}

/// # Errors
/// [`TOO_DEEP`].
fn fits(path: &str, value: &Node) -> Step<()> {
    let above = path.bytes().filter(|&byte| byte == b'/').count();
    if above.saturating_add(value.depth()) > MAX_DEPTH { Err(TOO_DEEP.to_owned()) } else { Ok(()) }
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

fn get<'c>(container: &'c Container<'_>, key: &str) -> Step<Option<&'c Node>> {
    match container {
        Container::Object(members) => Ok(members.get(key)),
        Container::List(items) => Ok(items.get(index(key, items.len())?)),
        Container::Nothing => Ok(None),
    }
}

fn get_mut<'c>(container: &'c mut Container<'_>, key: &str) -> Step<Option<&'c mut Node>> {
    match container {
        Container::Object(members) => Ok(members.get_mut(key)),
        Container::List(items) => {
            let at = index(key, items.len())?;
            Ok(items.get_mut(at))
        }
        Container::Nothing => Ok(None),
    }
}

/// The container that a path leads into, and the last step.
fn find<'d>(document: &'d mut Node, path: &str) -> Option<(Container<'d>, String)> {
    let (_, rest) = path.split_once('/')?;
    let (parents, last) = rest.rsplit_once('/').map_or((None, rest), |(p, last)| (Some(p), last));
    let mut at = document.container()?;
    for step in parents.into_iter().flat_map(|parents| parents.split('/')) {
        let step = unescape(step);
        let next = match at {
            Container::Object(members) => members.get_mut(&step)?,
            Container::List(items) => {
                let index = index(&step, items.len()).ok()?;
                items.get_mut(index)?
            }
            Container::Nothing => return None,
        };
        at = next.container()?;
    }
    Some((at, unescape(last)))
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

fn insert(container: Container<'_>, key: String, value: Node, path: &str) -> Step<()> {
    fits(path, &value)?;
    match container {
        Container::Object(members) => members.insert(key, value),
        Container::Nothing => return Err(NULL.to_owned()),
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

fn take(container: Container<'_>, key: &str) -> Step<Node> {
    let missing = || format!("Unable to remove nonexistent key: {key}: {MISSING}");
    match container {
        Container::Object(members) => members.remove(key).ok_or_else(missing),
        Container::Nothing => Err(missing()),
        Container::List(items) => {
            let at = index(key, items.len())?;
            Ok(items.remove(at))
        }
    }
}
