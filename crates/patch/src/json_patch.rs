//! JSON patch (RFC 6902) as kube-apiserver applies it. Go: `gopkg.in/evanphx/json-patch.v4`.
//!
//! Beyond the RFC, as there: a negative index counts from the end; `replace` of a member that is
//! not there adds it; `copy` of a member that is not there copies null; a missing `value` is null;
//! a missing member passes a test for null; what is before the first slash of a path is passed
//! over.
//!
//! `test` compares scalars by how they are spelled: `1.0` is not `1`, nor is `"\u0041"` `"A"`.
//! What the document has is spelled as Go spells it, with `<`, `>` and `&` as `\u003c`, `\u003e`
//! and `\u0026`. Objects are compared member by member, whatever their order.

mod node;
mod run;

use pintle_apimachinery::{Codec, Error};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::depth::{MAX_DEPTH, too_deep};
use crate::error::{Reason, fail};
use crate::go::json_kind;
use crate::{go_json, typed};
use node::Node;
use run::Run;

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
    operations: Vec<Operation>,
    copy_limit: Option<u64>,
}

/// A step of a patch. Go: `jsonpatch.Operation`.
#[derive(Clone, Debug, Default, PartialEq)]
struct Operation {
    members: Map<String, Value>,
    /// The text of the member `value`, where it is not what Go would write for it.
    text: Option<Box<str>>,
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
    /// applied. Its values count as spelled as Go spells them; see [`JsonPatch::from_slice`].
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
            Value::Object(members) => Ok(Operation { members, text: None }),
            Value::Null => Ok(Operation::default()),
            other => Err(wrong(&other, "Operation")),
        };
        let operations = match value {
            Value::Array(items) => items.into_iter().map(operation).collect::<Result<_, _>>()?,
            Value::Null => Vec::new(),
            other => return Err(wrong(&other, "Patch")),
        };
        Ok(JsonPatch { operations, ..JsonPatch::default() })
    }

    /// The patch that JSON text is, with its values spelled as they are there. Go:
    /// `jsonpatch.DecodePatch`.
    ///
    /// ```
    /// use pintle_patch::JsonPatch;
    /// use serde_json::json;
    ///
    /// let is_one = |text: &[u8]| JsonPatch::from_slice(text)?.apply(&mut json!({"n": 1}));
    /// assert!(is_one(br#"[{"op": "test", "path": "/n", "value": 1}]"#).is_ok());
    /// assert!(is_one(br#"[{"op": "test", "path": "/n", "value": 1.0}]"#).is_err());
    /// # Ok::<(), pintle_apimachinery::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Reason::Malformed`]: the text is not JSON, or not a list of objects.
    pub fn from_slice(text: &[u8]) -> Result<Self, Error> {
        let wrong = |e| fail(Reason::Malformed, format!("the JSON patch is not JSON: {e}"));
        let mut patch = JsonPatch::from_value(serde_json::from_slice(text).map_err(wrong)?)?;
        type Texts<'t> = Option<Vec<Option<BTreeMap<String, &'t RawValue>>>>;
        let texts: Texts<'_> = serde_json::from_slice(text).map_err(wrong)?;
        for (operation, texts) in patch.operations.iter_mut().zip(texts.into_iter().flatten()) {
            let Some(text) = texts.as_ref().and_then(|texts| texts.get("value")) else { continue };
            let (plain, given) =
                (Node::Value(operation.members["value"].clone()), Node::text(text.get()));
            // Names of members are equal in whatever spelling, but count in the size of a copy.
            if text.get() != "null"
                && (!given.equals(&plain) || given.copied().1 != plain.copied().1)
            {
                operation.text = Some(text.get().into());
            }
        }
        Ok(patch)
    }

    /// The patch as a JSON document.
    pub fn to_value(&self) -> Value {
        self.operations.iter().map(|operation| Value::Object(operation.members.clone())).collect()
    }

    /// The patch as JSON text, the body of a PATCH request. Values are spelled as they were given,
    /// and otherwise as Go spells them, so that a server finds `test` to hold where
    /// [`JsonPatch::apply`] does.
    ///
    /// ```
    /// use pintle_patch::JsonPatch;
    ///
    /// let body = JsonPatch::new().test("/metadata/annotations/greeting", "<hello>").to_vec();
    /// assert_eq!(
    ///     body,
    ///     br#"[{"op":"test","path":"/metadata/annotations/greeting","value":"\u003chello\u003e"}]"#,
    /// );
    /// ```
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        go_json::list(&mut out, &self.operations, |out, Operation { members, text }| {
            let members = members.iter().map(|(key, value)| (key, (key == "value", value)));
            go_json::object(out, members, |out, (is_value, value)| match text {
                Some(text) if is_value => go_json::compact(out, text, false),
                _ => go_json::put(out, value),
            });
        });
        out
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
        self.operations.push(Operation { members: members.collect(), text: None });
        self
    }

    /// Applies the operations in order, to a document that counts as spelled as Go spells it. Go:
    /// `Patch.Apply` of an object that was encoded.
    ///
    /// # Errors
    /// [`Reason::NotApplicable`]: an operation does not apply; those before it have been applied.
    /// [`Reason::Malformed`]: `document` is a scalar other than null (which is an object to which
    /// nothing can be added), or gets nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH).
    pub fn apply(&self, document: &mut Value) -> Result<(), Error> {
        let mut node = match document {
            Value::Object(_) | Value::Array(_) => {
                crate::depth::check(document)?;
                Node::Value(std::mem::take(document))
            }
            Value::Null => Node::NullText,
            other => return Err(no_document(json_kind(other))),
        };
        let done = self.run(&mut node);
        *document = node.into_value();
        done
    }

    /// Applies the operations in order to JSON text, of which what they do not touch stays as it
    /// is: numbers keep all their digits. White space goes, and `<`, `>` and `&` are escaped. Go:
    /// `Patch.Apply`.
    ///
    /// ```
    /// use pintle_patch::JsonPatch;
    ///
    /// let patch = JsonPatch::new().test("/b", 1).add("/a", "<");
    /// let patched = patch.apply_to_text(br#"{"n": 123456789012345678901234567890, "b": 1}"#)?;
    /// assert_eq!(patched, br#"{"a":"\u003c","b":1,"n":123456789012345678901234567890}"#);
    /// // The text says `1.0`, which is another spelling.
    /// assert!(patch.apply_to_text(br#"{"b": 1.0}"#).is_err());
    /// # Ok::<(), pintle_apimachinery::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`JsonPatch::apply`], or `document` is not JSON.
    pub fn apply_to_text(&self, document: &[u8]) -> Result<Vec<u8>, Error> {
        let text: &RawValue = serde_json::from_slice(document)
            .map_err(|e| fail(Reason::Malformed, format!("the document is not JSON: {e}")))?;
        let mut node = match text.get().as_bytes().first() {
            Some(b'{' | b'[') => Node::text(text.get()),
            Some(b'n') => Node::NullText,
            Some(b't' | b'f') => return Err(no_document("bool")),
            Some(b'"') => return Err(no_document("string")),
            _ => return Err(no_document("number")),
        };
        if node.depth() > MAX_DEPTH {
            return Err(too_deep());
        }
        self.run(&mut node)?;
        let mut out = Vec::with_capacity(document.len());
        node.put(&mut out);
        Ok(out)
    }

    fn run(&self, document: &mut Node) -> Result<(), Error> {
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

fn no_document(kind: &str) -> Error {
    let message =
        format!("json: cannot unmarshal {kind} into Go value of type jsonpatch.partialDoc");
    fail(Reason::Malformed, message)
}
