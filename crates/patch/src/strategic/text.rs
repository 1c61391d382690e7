//! Applying a patch to the text of an object. Go: `StrategicMergePatch`.
//!
//! Only what the patch speaks of is read into values; the rest is checked and copied.

use std::borrow::Cow;

use pintle_apimachinery::Error;
use pintle_apimachinery::reflect::{DecodeError, Parser, put_str};
use serde_json::Value;

use super::apply::{Target, merge_object};
use super::list::Object;
use super::schema::PatchSchema;
use super::{DELETE_PREFIX, ORDER_PREFIX, PATCH, RETAIN_KEYS};
use crate::error::{Reason, fail};

/// An object in the text.
struct Node<'t> {
    text: &'t str,
    /// By name; of equal names, the last.
    members: Vec<(Cow<'t, str>, Item<'t>)>,
}

/// A value in the text.
enum Item<'t> {
    /// Checked: the patch does not speak of it.
    Checked(&'t str),
    /// Not checked yet.
    Raw(&'t str),
    /// An object that merges with one in the patch.
    Node(Node<'t>),
}

/// A member of the merged object.
enum Piece<'t> {
    Text(&'t str),
    Merge(Node<'t>, Object),
    Value(Value),
}

fn malformed() -> Error {
    fail(Reason::Malformed, "invalid JSON document")
}

fn object_of(text: &str) -> Result<Object, Error> {
    serde_json::from_str(text).map_err(|_| malformed())
}

/// Applies `patch` to the text of an object and appends the text of the result to `out`.
pub(super) fn apply<S: PatchSchema>(
    original: &str,
    patch: &str,
    schema: S,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let or_empty = |text| if str::trim_ascii(text) == "null" { "{}" } else { text };
    let (original, patch) = (or_empty(original), object_of(or_empty(patch))?);
    let mut p = Parser::new(original);
    let node = node(&mut p, &patch, schema)?;
    p.finish().map_err(|_| malformed())?;
    merge(node, patch, schema, out)
}

/// Reads an object as far as `patch` speaks of it.
fn node<'t, S: PatchSchema>(
    p: &mut Parser<'t>,
    patch: &Object,
    schema: S,
) -> Result<Node<'t>, Error> {
    let bad = |_: Box<DecodeError>| malformed();
    let from = p.rest().map_err(bad)?;
    let mut members = Vec::with_capacity(16);
    let mut more = p.open(b'{', b'}').map_err(bad)?;
    while more {
        let key = p.key().map_err(bad)?;
        let named = || patch.keys().any(|k| list_named(k) == Some(&*key));
        let item = match patch.get(&*key) {
            None if !named() => Item::Checked(p.checked().map_err(bad)?),
            Some(Value::Object(inner))
                if p.peek().map_err(bad)? == b'{'
                    && !speaks_of_all(inner)
                    && !named()
                    && !schema.object(&key)?.1.strategy()?.replace =>
            {
                Item::Node(node(p, inner, schema.object(&key)?.0)?)
            }
            _ => Item::Raw(p.raw().map_err(bad)?),
        };
        members.push((key, item));
        more = p.next(b'}').map_err(bad)?;
    }
    members.sort_by(|a, b| a.0.cmp(&b.0));
    let mut is_json = true;
    members.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            std::mem::swap(&mut earlier.1, &mut later.1);
            if let Item::Raw(text) = later.1 {
                is_json &= Parser::new(text).skip().is_ok();
            }
        }
        same
    });
    if !is_json {
        return Err(malformed());
    }
    let text = &from[..from.len() - p.rest().map_or(0, str::len)];
    Ok(Node { text, members })
}

/// Whether an object of the patch says something of all members.
fn speaks_of_all(patch: &Object) -> bool {
    patch.contains_key(PATCH) || patch.contains_key(RETAIN_KEYS)
}

fn merge<S: PatchSchema>(
    node: Node<'_>,
    mut patch: Object,
    schema: S,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if speaks_of_all(&patch) {
        let mut whole = object_of(node.text)?;
        merge_object(&mut whole, patch, schema, Target::Object)?;
        return put(&Value::Object(whole), out);
    }
    let mut pieces = Vec::with_capacity(node.members.len() + patch.len());
    // What is merged as values.
    let mut read = Object::new();
    for (key, item) in node.members {
        match item {
            Item::Checked(text) => pieces.push((key, Piece::Text(text))),
            Item::Raw(text) => {
                let value = serde_json::from_str(text).map_err(|_| malformed())?;
                read.insert(key.into_owned(), value);
            }
            Item::Node(node) => {
                if let Some(Value::Object(inner)) = patch.shift_remove(&*key) {
                    pieces.push((key, Piece::Merge(node, inner)));
                }
            }
        }
    }
    merge_object(&mut read, patch, schema, Target::Object)?;
    pieces.extend(read.into_iter().map(|(key, value)| (key.into(), Piece::Value(value))));
    pieces.sort_by(|a, b| a.0.cmp(&b.0));
    out.push(b'{');
    for (i, (key, piece)) in pieces.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        put_str(out, &key);
        out.push(b':');
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Value(value) => put(&value, out)?,
            Piece::Merge(node, patch) => merge(node, patch, schema.object(&key)?.0, out)?,
        }
    }
    out.push(b'}');
    Ok(())
}

/// The list that a directive is for.
fn list_named(key: &str) -> Option<&str> {
    let rest = key.strip_prefix(DELETE_PREFIX).or_else(|| key.strip_prefix(ORDER_PREFIX))?;
    Some(rest.strip_prefix('/').unwrap_or(rest))
}

fn put(value: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
    serde_json::to_writer(out, value).map_err(|e| Error::encode(format!("not JSON: {e}")))
}
