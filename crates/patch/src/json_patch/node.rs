//! The document while a JSON patch is applied. Go: `lazyNode`, `partialDoc` and `partialArray` of
//! the JSON patch library.
//!
//! Only what paths lead through is taken apart. The rest stays what it was: a value, which stands
//! for the text that Go would have written for it, or text, whose spelling counts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{depth, go_json};

/// A value of the document.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A null that the document had. Go: a nil `lazyNode`.
    Nil,
    /// A null that an operation put there. Go: a `lazyNode` without text.
    Null,
    /// A copy of such a null, which Go takes for an object without members where that will do.
    /// Go: a `lazyNode` with the text `null`.
    NullText,
    /// A value that is not null.
    Value(Value),
    /// The JSON text of one.
    Text(Box<str>),
    /// An object that was taken apart.
    Object(Members),
    /// A list that was taken apart.
    List(Vec<Node>),
}

/// The members of an object, which know the order they came in.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    by_key: BTreeMap<String, (usize, Node)>,
    next: usize,
}

impl Members {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.by_key.get(key).map(|(_, node)| node)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.by_key.get_mut(key).map(|(_, node)| node)
    }

    pub(super) fn insert(&mut self, key: String, node: Node) {
        let next = self.next;
        let slot = self.by_key.entry(key).or_insert_with(|| (next, Node::Nil));
        if slot.0 == next {
            self.next += 1;
        }
        slot.1 = node;
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Node> {
        self.by_key.remove(key).map(|(_, node)| node)
    }
}

impl FromIterator<(String, Node)> for Members {
    fn from_iter<I: IntoIterator<Item = (String, Node)>>(pairs: I) -> Self {
        let mut members = Members::default();
        pairs.into_iter().for_each(|(key, node)| members.insert(key, node));
        members
    }
}

/// What a path can lead into.
pub(super) enum Container<'d> {
    Object(&'d mut Members),
    List(&'d mut Vec<Node>),
    /// See [`Node::NullText`]: an object without members, to which none can be added.
    Nothing,
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        if value.is_null() { Node::Nil } else { Node::Value(value) }
    }
}

impl Node {
    /// The node of JSON text.
    pub(super) fn text(text: &str) -> Node {
        let text = text.trim_ascii();
        if text == "null" { Node::Nil } else { Node::Text(text.into()) }
    }

    /// The way into this, if there is one.
    pub(super) fn container(&mut self) -> Option<Container<'_>> {
        self.take_apart();
        match self {
            Node::Object(members) => Some(Container::Object(members)),
            Node::List(items) => Some(Container::List(items)),
            Node::NullText => Some(Container::Nothing),
            _ => None,
        }
    }

    fn take_apart(&mut self) {
        let apart = match self {
            Node::Value(Value::Object(map)) => {
                let pairs = std::mem::take(map).into_iter();
                Node::Object(pairs.map(|(key, value)| (key, value.into())).collect())
            }
            Node::Value(Value::Array(items)) => {
                Node::List(std::mem::take(items).into_iter().map(Node::from).collect())
            }
            Node::Text(text) => match parts(text) {
                Some(Parts::Object(pairs)) => {
                    let node = |(key, text): (String, &RawValue)| (key, Node::text(text.get()));
                    Node::Object(pairs.into_iter().map(node).collect())
                }
                Some(Parts::List(items)) => {
                    Node::List(items.into_iter().map(|text| Node::text(text.get())).collect())
                }
                None => return,
            },
            _ => return,
        };
        *self = apart;
    }

    /// Takes this apart all the way down, as Go does while it compares.
    fn take_all_apart(&mut self) {
        self.take_apart();
        match self {
            Node::Object(Members { by_key, .. }) => {
                by_key.values_mut().for_each(|(_, node)| node.take_all_apart());
            }
            Node::List(items) => items.iter_mut().for_each(Node::take_all_apart),
            _ => {}
        }
    }

    /// A copy as Go makes it, by way of text, and how long that text is.
    pub(super) fn copied(&self) -> (Node, u64) {
        let mut text = Vec::new();
        self.put(&mut text);
        let size = text.len() as u64;
        match self {
            Node::Nil => (Node::Nil, 0),
            Node::Null | Node::NullText => (Node::NullText, size),
            other => (other.respelled(), size),
        }
    }

    /// The same as Go reads it back after it wrote it.
    fn respelled(&self) -> Node {
        match self {
            Node::Nil | Node::Null | Node::NullText => Node::Nil,
            Node::Value(value) => Node::Value(value.clone()),
            Node::Text(text) => {
                let mut out = Vec::with_capacity(text.len());
                go_json::compact(&mut out, text, true);
                Node::text(&String::from_utf8_lossy(&out))
            }
            Node::Object(Members { by_key, next }) => {
                let pair = |(key, (place, node)): (&String, &(usize, Node))| {
                    (key.clone(), (*place, node.respelled()))
                };
                Node::Object(Members { by_key: by_key.iter().map(pair).collect(), next: *next })
            }
            Node::List(items) => Node::List(items.iter().map(Node::respelled).collect()),
        }
    }

    /// The value.
    pub(super) fn into_value(self) -> Value {
        match self {
            Node::Nil | Node::Null | Node::NullText => Value::Null,
            Node::Value(value) => value,
            // A patch of which a text could not be read is refused before.
            Node::Text(text) => serde_json::from_str(&text).unwrap_or_default(),
            Node::Object(Members { by_key, .. }) => {
                let mut members: Vec<_> = by_key.into_iter().collect();
                members.sort_unstable_by_key(|(_, (place, _))| *place);
                let pair = |(key, (_, node)): (String, (usize, Node))| (key, node.into_value());
                Value::Object(members.into_iter().map(pair).collect::<Map<_, _>>())
            }
            Node::List(items) => items.into_iter().map(Node::into_value).collect(),
        }
    }

    /// Writes the text. Go: `lazyNode.MarshalJSON`.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Node::Nil | Node::Null | Node::NullText => out.extend_from_slice(b"null"),
            Node::Value(value) => go_json::put(out, value),
            Node::Text(text) => go_json::compact(out, text, true),
            Node::Object(Members { by_key, .. }) => {
                let members = by_key.iter().map(|(key, (_, node))| (key, node));
                go_json::object(out, members, |out, node| node.put(out));
            }
            Node::List(items) => go_json::list(out, items, |out, node| node.put(out)),
        }
    }

    /// How deep this is nested: 0 for a scalar.
    pub(super) fn depth(&self) -> usize {
        match self {
            Node::Nil | Node::Null | Node::NullText => 0,
            Node::Value(value) => depth::depth(value),
            Node::Text(text) => go_json::depth(text),
            Node::Object(Members { by_key, .. }) => {
                1 + by_key.values().map(|(_, node)| node.depth()).max().unwrap_or(0)
            }
            Node::List(items) => 1 + items.iter().map(Node::depth).max().unwrap_or(0),
        }
    }

    /// [`equals`](Self::equals), and if so a copy of this is written from its parts from there on.
    pub(super) fn found_equal(&mut self, wanted: &Node) -> bool {
        let equal = self.equals(wanted);
        if equal {
            self.take_all_apart();
        }
        equal
    }

    /// Whether Go takes this for what an operation wants. Scalars are compared by their spelling.
    /// Go: `lazyNode.equal`.
    pub(super) fn equals(&self, wanted: &Node) -> bool {
        equal(Ref::Node(self), Ref::Node(wanted))
    }
}

enum Parts<'t> {
    Object(BTreeMap<String, &'t RawValue>),
    List(Vec<&'t RawValue>),
}

/// The parts of an object or a list; of members of one name the last.
fn parts(text: &str) -> Option<Parts<'_>> {
    match text.as_bytes().first()? {
        b'{' => serde_json::from_str(text).ok().map(Parts::Object),
        b'[' => serde_json::from_str(text).ok().map(Parts::List),
        _ => None,
    }
}

/// A node, or a part of one that was not taken apart.
#[derive(Clone, Copy)]
enum Ref<'a> {
    Node(&'a Node),
    Value(&'a Value),
    Text(&'a str),
}

/// What [`Ref`] has in it, one level deep.
enum View<'a> {
    Nil,
    Null,
    NullText,
    Scalar(Cow<'a, [u8]>),
    Object(BTreeMap<Cow<'a, str>, Ref<'a>>),
    List(Vec<Ref<'a>>),
}

impl<'a> Ref<'a> {
    fn view(self) -> View<'a> {
        match self {
            Ref::Node(Node::Nil) | Ref::Value(Value::Null) | Ref::Text("null") => View::Nil,
            Ref::Node(Node::Null) => View::Null,
            Ref::Node(Node::NullText) => View::NullText,
            Ref::Node(Node::Value(value)) => Ref::Value(value).view(),
            Ref::Node(Node::Text(text)) => Ref::Text(text).view(),
            Ref::Node(Node::Object(Members { by_key, .. })) => {
                let pair = |(key, (_, node)): (&'a String, &'a (usize, Node))| {
                    (Cow::Borrowed(&**key), Ref::Node(node))
                };
                View::Object(by_key.iter().map(pair).collect())
            }
            Ref::Node(Node::List(items)) => View::List(items.iter().map(Ref::Node).collect()),
            Ref::Value(Value::Object(map)) => {
                let pair = |(key, value): (&'a String, &'a Value)| {
                    (Cow::Borrowed(&**key), Ref::Value(value))
                };
                View::Object(map.iter().map(pair).collect())
            }
            Ref::Value(Value::Array(items)) => View::List(items.iter().map(Ref::Value).collect()),
            Ref::Value(scalar) => {
                let mut text = Vec::new();
                go_json::put(&mut text, scalar);
                View::Scalar(Cow::Owned(text))
            }
            Ref::Text(text) => match parts(text) {
                Some(Parts::Object(pairs)) => {
                    let pair = |(key, text): (String, &'a RawValue)| {
                        (Cow::Owned(key), Ref::Text(text.get()))
                    };
                    View::Object(pairs.into_iter().map(pair).collect())
                }
                Some(Parts::List(items)) => {
                    View::List(items.into_iter().map(|text| Ref::Text(text.get())).collect())
                }
                None => View::Scalar(Cow::Borrowed(text.as_bytes())),
            },
        }
    }
}

fn equal(node: Ref<'_>, wanted: Ref<'_>) -> bool {
    match (node.view(), wanted.view()) {
        // In a list, where Go panics. Members that are null do not get here.
        (View::Nil, View::Nil | View::Null) | (View::Null, View::Nil | View::Null) => true,
        (View::NullText, View::Object(wanted)) => wanted.is_empty(),
        (View::Scalar(node), View::Scalar(wanted)) => node == wanted,
        (View::Object(node), View::Object(wanted)) => {
            let same = |node: &Ref<'_>, wanted: &Ref<'_>| match (node, wanted) {
                (node, wanted) if node.is_nil() || wanted.is_nil() => {
                    node.is_nil() && wanted.is_nil()
                }
                (node, wanted) => equal(*node, *wanted),
            };
            node.len() == wanted.len()
                && node
                    .iter()
                    .all(|(key, node)| wanted.get(key).is_some_and(|wanted| same(node, wanted)))
        }
        (View::List(node), View::List(wanted)) => {
            node.len() == wanted.len()
                && node.iter().zip(&wanted).all(|(node, wanted)| equal(*node, *wanted))
        }
        _ => false,
    }
}

impl Ref<'_> {
    fn is_nil(self) -> bool {
        matches!(self, Ref::Node(Node::Nil) | Ref::Value(Value::Null) | Ref::Text("null"))
    }
}
