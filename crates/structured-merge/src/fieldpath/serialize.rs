//! Sets as the JSON of managed fields: `FieldsV1`.
use super::{PathElement, Set};
use crate::MAX_DEPTH;
use crate::json::{Iter, put_string, standard_json};
use pintle_apimachinery::{Error, FieldsV1};
use serde_json::{Map, Value};
use std::cmp::Ordering;

impl Set {
    /// The JSON text, byte for byte as Go writes it. Go: `ToJSON`.
    ///
    /// A field that is a member and has members below it has a member `"."`.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        self.emit(&mut |event| match event {
            Event::Open(key, first) => {
                if !first {
                    out.push(',');
                }
                put_string(key, &mut out);
                out.push_str(":{");
            }
            Event::Close => out.push('}'),
        });
        out.push('}');
        out
    }

    /// The same as a JSON value.
    pub fn to_value(&self) -> Value {
        let mut stack: Vec<(String, Map<String, Value>)> = vec![(String::new(), Map::new())];
        self.emit(&mut |event| match event {
            Event::Open(key, _) => stack.push((key.to_owned(), Map::new())),
            Event::Close => {
                if let Some((key, map)) = stack.pop()
                    && let Some(above) = stack.last_mut()
                {
                    above.1.insert(key, Value::Object(map));
                }
            }
        });
        Value::Object(stack.pop().map(|s| s.1).unwrap_or_default())
    }

    /// As a field of managed fields. Go: `SetToFields`.
    pub fn to_fields_v1(&self) -> FieldsV1 {
        FieldsV1::new(&self.to_json())
    }

    fn emit(&self, sink: &mut dyn FnMut(Event<'_>)) {
        self.emit_below(false, &mut String::new(), sink);
    }

    fn emit_below(&self, itself: bool, key: &mut String, sink: &mut dyn FnMut(Event<'_>)) {
        let (mut m, mut c, mut first) = (0, 0, true);
        if itself && !(self.members.is_empty() && self.children.is_empty()) {
            sink(Event::Open(".", true));
            sink(Event::Close);
            first = false;
        }
        while m < self.members.len() || c < self.children.len() {
            let which = match (self.members.get(m), self.children.get(c)) {
                (Some(m), Some(c)) => m.cmp(&c.0),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            };
            let element = if which.is_lt() { &self.members[m] } else { &self.children[c].0 };
            key.clear();
            element.serialize_to(key);
            sink(Event::Open(key, first));
            first = false;
            if which.is_ge() {
                self.children[c].1.emit_below(which.is_eq(), key, sink);
            }
            sink(Event::Close);
            m += usize::from(which.is_le());
            c += usize::from(which.is_ge());
        }
    }

    /// Reads the JSON text. Elements of unknown kinds are left out. Go: `FromJSON`.
    ///
    /// # Errors
    /// The text is not that of a set; Go's message.
    pub fn from_json(text: &[u8]) -> Result<Set, Error> {
        Self::read_json(text).map_err(Error::decode)
    }

    pub(crate) fn read_json(text: &[u8]) -> Result<Set, String> {
        let mut iter = Iter::of_reader(text, MAX_DEPTH);
        let (set, _) = read_set(&mut iter);
        match iter.failed() {
            Some(e) => Err(e.to_owned()),
            None => iter.finish().map(|()| set.unwrap_or_default()),
        }
    }

    /// Reads a JSON value.
    ///
    /// # Errors
    /// The value is not that of a set; Go's message.
    pub fn from_value(value: &Value) -> Result<Set, Error> {
        Self::read_value(value).map_err(Error::decode)
    }

    pub(crate) fn read_value(value: &Value) -> Result<Set, String> {
        match value_set(value, 0) {
            Some((set, _)) => Ok(set.unwrap_or_default()),
            // The message is about a text.
            None => Self::read_json(standard_json(value).as_bytes()),
        }
    }

    /// Reads a field of managed fields. Go: `FieldsToSet`.
    ///
    /// # Errors
    /// It is not a set; Go's message.
    pub fn from_fields_v1(fields: &FieldsV1) -> Result<Set, Error> {
        Self::from_json(&fields.raw())
    }

    /// Takes what was read under a key; `is_member` and `below` are what its value says.
    fn take(&mut self, element: PathElement, below: Option<Set>, is_member: bool) {
        if is_member {
            self.insert_member(element.clone());
        }
        if let Some(below) = below {
            self.put_child(element, below);
        }
    }
}

enum Event<'a> {
    /// A member with this name, and whether it is the first.
    Open(&'a str, bool),
    Close,
}

/// What is below, if anything, and whether the element itself is a member.
fn read_set(iter: &mut Iter<'_>) -> (Option<Set>, bool) {
    let (mut below, mut is_member) = (None, false);
    iter.read_map(&mut |iter, key| {
        if key == "." {
            is_member = true;
            iter.skip();
            return;
        }
        match PathElement::read(&key) {
            Ok(Some(element)) => {
                let (set, member) = read_set(iter);
                if member || set.is_some() {
                    below.get_or_insert_with(Set::new).take(element, set, member);
                }
            }
            Ok(None) => iter.skip(),
            Err(message) => {
                iter.report("parsing key as path element", &message);
                iter.skip();
            }
        }
    });
    let nothing = below.is_none();
    (below, is_member || nothing)
}

/// The same from a value; `None` when something is wrong.
fn value_set(value: &Value, depth: usize) -> Option<(Option<Set>, bool)> {
    let (mut below, mut is_member) = (None, false);
    match value {
        Value::Null => {}
        Value::Object(o) if depth < MAX_DEPTH => {
            // In the order of a text that Go would have written.
            let mut members: Vec<_> = o.iter().collect();
            if !members.is_sorted_by_key(|m| m.0) {
                members.sort_unstable_by_key(|m| m.0);
            }
            for (key, v) in members {
                if key == "." {
                    is_member = true;
                } else if let Some(element) = PathElement::read(key).ok()? {
                    let (set, member) = value_set(v, depth + 1)?;
                    if member || set.is_some() {
                        below.get_or_insert_with(Set::new).take(element, set, member);
                    }
                }
            }
        }
        _ => return None,
    }
    let nothing = below.is_none();
    Some((below, is_member || nothing))
}
