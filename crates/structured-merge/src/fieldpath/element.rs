//! [`PathElement`]: one step from a container to a child.
use crate::json::{Iter, put_json, put_string, quote, value_text};
use crate::{MAX_DEPTH, value_compare, value_equals};
use pintle_apimachinery::{Error, Str};
use serde_json::Value;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// How a child is selected within a map, a struct or a list.
///
/// Elements have a total order: field names, keys, values, indexes. Numbers are compared as
/// numbers, so the key `1` is the key `1.0`.
///
/// ```
/// use pintle_structured_merge::PathElement;
/// use serde_json::json;
/// let port = PathElement::key([("protocol", json!("TCP")), ("containerPort", json!(80))]);
/// assert_eq!(port.to_string(), r#"[containerPort=80,protocol="TCP"]"#);
/// assert_eq!(port.serialize(), r#"k:{"containerPort":80,"protocol":"TCP"}"#);
/// assert_eq!(PathElement::parse(&port.serialize())?, Some(port));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum PathElement {
    /// A member of a map or a field of a struct: `f:name`.
    Field(Str),
    /// The element of an associative list that has these fields, sorted by name: `k:{...}`.
    Key(Arc<[KeyField]>),
    /// The element of a set of scalars that equals this: `v:value`.
    Value(Arc<Value>),
    /// The element of a list at this place: `i:0`.
    Index(i64),
}

/// A field of the key of a list element. Go: `value.Field`.
#[derive(Clone, Debug)]
pub struct KeyField {
    /// The field's name.
    pub name: Str,
    /// Its value.
    pub value: Value,
}

impl PathElement {
    /// A field by name. Go: `FieldNameElement`.
    pub fn field(name: impl Into<Str>) -> Self {
        PathElement::Field(name.into())
    }
    /// An element by its key fields, in any order. Go: `KeyElementByFields`.
    pub fn key<N: Into<Str>>(fields: impl IntoIterator<Item = (N, Value)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| KeyField { name: name.into(), value });
        Self::from_key_fields(fields.collect())
    }
    pub(crate) fn from_key_fields(mut fields: Vec<KeyField>) -> Self {
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        PathElement::Key(fields.into())
    }
    /// An element of a set. Go: `ValueElement`.
    pub fn value(value: impl Into<Value>) -> Self {
        PathElement::Value(Arc::new(value.into()))
    }
    /// An element by place. Go: `IndexElement`.
    pub fn index(index: i64) -> Self {
        PathElement::Index(index)
    }

    /// The form in which managed fields hold it. Go: `SerializePathElement`.
    pub fn serialize(&self) -> String {
        let mut out = String::new();
        self.serialize_to(&mut out);
        out
    }

    pub(crate) fn serialize_to(&self, out: &mut String) {
        match self {
            PathElement::Field(name) => {
                out.push_str("f:");
                out.push_str(name);
            }
            PathElement::Key(fields) => {
                out.push_str("k:{");
                for (i, f) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    put_string(&f.name, out);
                    out.push(':');
                    put_json(&f.value, out);
                }
                out.push('}');
            }
            PathElement::Value(v) => {
                out.push_str("v:");
                put_json(v, out);
            }
            PathElement::Index(i) => {
                out.push_str("i:");
                out.push_str(&i.to_string());
            }
        }
    }

    /// Reads the form in which managed fields hold it; `None` for a kind of element that is not
    /// known, which a later version may have written. Go: `DeserializePathElement`.
    ///
    /// # Errors
    /// The text is not that of an element.
    pub fn parse(text: &str) -> Result<Option<PathElement>, Error> {
        Self::read(text).map_err(Error::decode)
    }

    pub(super) fn read(text: &str) -> Result<Option<PathElement>, String> {
        let bytes = text.as_bytes();
        let [kind, colon, rest @ ..] = bytes else {
            return Err("key must be 2 characters long:".into());
        };
        if *colon != b':' {
            return Err(format!("missing colon: {text}"));
        }
        Ok(Some(match kind {
            // A colon is one byte, so this is a boundary of characters.
            b'f' => PathElement::Field(Str::from(&text[2..])),
            b'v' => {
                let mut iter = Iter::of_bytes(rest, MAX_DEPTH);
                let v = iter.read();
                check(&mut iter)?;
                PathElement::Value(Arc::new(v))
            }
            b'k' => {
                let mut iter = Iter::of_bytes(rest, MAX_DEPTH);
                let mut fields = Vec::new();
                iter.read_object(&mut |iter, name| {
                    let value = iter.read();
                    if iter.failed().is_none() {
                        fields.push(KeyField { name: name.into(), value });
                    }
                });
                check(&mut iter)?;
                Self::from_key_fields(fields)
            }
            b'i' => PathElement::Index(atoi(&text[2..])?),
            _ => return Ok(None),
        }))
    }
}

fn check(iter: &mut Iter<'_>) -> Result<(), String> {
    match iter.failed() {
        Some(e) => Err(e.to_owned()),
        None => iter.finish(),
    }
}

/// Go's `strconv.Atoi`. What follows the digit with which a number leaves 64 bits without a sign is
/// not looked at.
fn atoi(text: &str) -> Result<i64, String> {
    let wrong = |what: &str| format!("strconv.Atoi: parsing {}: {what}", quote(text));
    let out_of_range = || wrong("value out of range");
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() {
        return Err(wrong("invalid syntax"));
    }
    let mut magnitude = 0_u64;
    for b in digits.bytes() {
        if !b.is_ascii_digit() {
            return Err(wrong("invalid syntax"));
        }
        let next = magnitude.checked_mul(10).and_then(|m| m.checked_add(u64::from(b - b'0')));
        magnitude = next.ok_or_else(out_of_range)?;
    }
    let signed = if text.starts_with('-') {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    };
    signed.ok_or_else(out_of_range)
}

fn rank(e: &PathElement) -> u8 {
    match e {
        PathElement::Field(_) => 0,
        PathElement::Key(_) => 1,
        PathElement::Value(_) => 2,
        PathElement::Index(_) => 3,
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (PathElement::Field(a), PathElement::Field(b)) => a.cmp(b),
            (PathElement::Key(a), PathElement::Key(b)) => {
                let fields = a.iter().zip(b.iter()).map(|(a, b)| {
                    a.name.cmp(&b.name).then_with(|| value_compare(&a.value, &b.value))
                });
                fields.into_iter().find(|o| o.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (PathElement::Value(a), PathElement::Value(b)) => value_compare(a, b),
            (PathElement::Index(a), PathElement::Index(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}
impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (PathElement::Field(a), PathElement::Field(b)) => a == b,
            (PathElement::Key(a), PathElement::Key(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(b.iter())
                        .all(|(a, b)| a.name == b.name && value_equals(&a.value, &b.value))
            }
            (PathElement::Value(a), PathElement::Value(b)) => value_equals(a, b),
            (PathElement::Index(a), PathElement::Index(b)) => a == b,
            _ => false,
        }
    }
}
impl Eq for PathElement {}

impl fmt::Display for PathElement {
    /// As messages show it: `.name`, `[name="web"]`, `[="a"]`, `[3]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathElement::Field(name) => write!(f, ".{name}"),
            PathElement::Key(fields) => {
                f.write_str("[")?;
                for (i, field) in fields.iter().enumerate() {
                    let comma = if i > 0 { "," } else { "" };
                    write!(f, "{comma}{}={}", field.name, value_text(&field.value))?;
                }
                f.write_str("]")
            }
            PathElement::Value(v) => write!(f, "[={}]", value_text(v)),
            PathElement::Index(i) => write!(f, "[{i}]"),
        }
    }
}

impl From<&str> for PathElement {
    fn from(name: &str) -> Self {
        PathElement::Field(name.into())
    }
}
impl From<Str> for PathElement {
    fn from(name: Str) -> Self {
        PathElement::Field(name)
    }
}
impl From<i64> for PathElement {
    fn from(index: i64) -> Self {
        PathElement::Index(index)
    }
}
