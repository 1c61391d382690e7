//! Leaves: values with a JSON form of their own (times, quantities, raw JSON).
use super::error::{DecodeError, R};
use super::wire::{self, Reader, Writer, expect_wire};
use super::writer::{put_i64, put_raw, put_serde, put_str};
use super::{Decoder, LeafOps, Parser};
use crate::fields_v1::FieldsV1;
use crate::rep::{Bytes, Str};
use crate::{Duration, IntOrString, MicroTime, Quantity, Time};
use std::any::Any;
use std::fmt;

/// A value that codes itself.
pub trait Leaf: Any + Send + Sync + fmt::Debug {
    /// Name and schema.
    fn leaf_desc(&self) -> &'static LeafDesc;
    /// Decodes from the body of its protobuf message.
    ///
    /// # Errors
    /// The body is not one of this type.
    fn pb_merge(
        &mut self,
        body: &[u8],
        cx: &mut Decoder,
        site: u32,
    ) -> Result<(), Box<DecodeError>>;
    /// Writes the body of its protobuf message.
    fn pb_put(&self, w: &mut Writer);
    /// Whether `body` is what [`Leaf::pb_put`] would write.
    fn pb_same(&self, body: &[u8]) -> bool {
        let mut w = Writer::new();
        self.pb_put(&mut w);
        w.as_slice() == body
    }
    /// Decodes from JSON; `null` makes it zero.
    ///
    /// # Errors
    /// The value is of another type.
    fn json_get(
        &mut self,
        p: &mut Parser<'_>,
        cx: &mut Decoder,
        site: u32,
    ) -> Result<(), Box<DecodeError>>;
    /// Writes JSON.
    fn json_put(&self, out: &mut Vec<u8>);
    /// Go's `IsZero`.
    fn is_zero(&self) -> bool;
    /// Whether `other` is of the same type and equal.
    fn leaf_eq(&self, other: &dyn Leaf) -> bool;
    /// Whether `other` is of the same type and would be written the same.
    fn leaf_same(&self, other: &dyn Leaf) -> bool {
        self.leaf_eq(other)
    }
    /// Shares what equals `old`.
    fn leaf_reuse(&mut self, _old: &dyn Leaf) {}
}

/// What a leaf type tells about itself.
pub struct LeafDesc {
    /// Go's name of the type.
    pub name: &'static str,
    /// Its JSON schema, as JSON text.
    pub schema: &'static str,
    /// How values of the type are made, cloned and dropped: [`LeafOps::of`] the very type.
    pub(crate) ops: LeafOps,
}

impl LeafDesc {
    /// The description of `T`.
    pub const fn of<T: Leaf + Default + Clone>(
        name: &'static str,
        schema: &'static str,
    ) -> LeafDesc {
        LeafDesc { name, schema, ops: LeafOps::of::<T>() }
    }
    /// The description of `T`, which owns nothing.
    pub const fn plain<T: Leaf + Default + Copy>(
        name: &'static str,
        schema: &'static str,
    ) -> LeafDesc {
        LeafDesc { name, schema, ops: LeafOps::plain::<T>() }
    }
}

impl fmt::Debug for LeafDesc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeafDesc({})", self.name)
    }
}

/// An optional leaf for writing.
pub trait OptLeafSlot {
    /// The leaf, made by default when absent.
    fn set(&mut self) -> &mut dyn Leaf;
    /// The leaf when present.
    fn get(&self) -> Option<&dyn Leaf>;
    /// The leaf for writing when present.
    fn get_mut(&mut self) -> Option<&mut dyn Leaf>;
    /// Makes it absent.
    fn clear(&mut self);
}
impl<T: Leaf + Default> OptLeafSlot for Option<T> {
    fn set(&mut self) -> &mut dyn Leaf {
        self.get_or_insert_default()
    }
    fn get(&self) -> Option<&dyn Leaf> {
        self.as_ref().map(|l| l as &dyn Leaf)
    }
    fn get_mut(&mut self) -> Option<&mut dyn Leaf> {
        self.as_mut().map(|l| l as &mut dyn Leaf)
    }
    fn clear(&mut self) {
        *self = None;
    }
}

/// Equality of two leaves of type `T`.
pub fn leaf_eq_as<T: Leaf + PartialEq>(a: &T, b: &dyn Leaf) -> bool {
    (b as &dyn Any).downcast_ref::<T>().is_some_and(|b| a == b)
}

crate::leaf_desc!(
    /// `metav1.Time`.
    pub TIME Time plain r#"{"type":"string","format":"date-time"}"#
);
crate::leaf_desc!(
    /// `metav1.MicroTime`.
    pub MICRO_TIME MicroTime plain r#"{"type":"string","format":"date-time"}"#
);
crate::leaf_desc!(
    /// `metav1.Duration`.
    pub DURATION Duration plain r#"{"type":"string"}"#
);
crate::leaf_desc!(
    /// `resource.Quantity`.
    pub QUANTITY Quantity of r#"{
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "x-kubernetes-int-or-string": true,
        "pattern": "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$"
    }"#
);
crate::leaf_desc!(
    /// `intstr.IntOrString`.
    pub INT_OR_STRING IntOrString of r#"{
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "x-kubernetes-int-or-string": true
    }"#
);
crate::leaf_desc!(
    /// `runtime.RawExtension`.
    pub RAW_EXTENSION RawExtension of
    r#"{"type":"object","x-kubernetes-preserve-unknown-fields":true}"#
);
crate::leaf_desc!(
    /// `metav1.FieldsV1`.
    pub FIELDS_V1 FieldsV1 of r#"{"type":"object","x-kubernetes-preserve-unknown-fields":true}"#
);
crate::leaf_desc!(
    /// Any JSON value.
    pub JSON Json of r#"{"x-kubernetes-preserve-unknown-fields":true}"#
);

macro_rules! leaf_serde {
    ($($type:ty),*) => { $(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                super::serde_impls::serialize_leaf(self, s)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let mut v = <$type>::default();
                super::serde_impls::deserialize_leaf(&mut v, d)?;
                Ok(v)
            }
        }
    )* };
}
leaf_serde!(Time, MicroTime, Duration, Quantity, IntOrString, RawExtension, FieldsV1, Json);

/// Runs `each` on every record of a protobuf body.
fn records(body: &[u8], mut each: impl FnMut(u32, u32, &mut Reader<'_>) -> R<bool>) -> R<()> {
    let mut r = Reader::new(body);
    while r.more() {
        let (num, wire) = r.tag()?;
        if !each(num, wire, &mut r)? {
            r.skip(wire)?;
        }
    }
    Ok(())
}

/// Seconds and nanoseconds of a timestamp's body.
fn timestamp(body: &[u8]) -> R<(i64, i32)> {
    let (mut seconds, mut nanos) = (0, 0);
    records(body, |num, wire, r| {
        match num {
            1 => {
                expect_wire(wire, wire::VARINT)?;
                seconds = r.varint()? as i64;
            }
            2 => {
                expect_wire(wire, wire::VARINT)?;
                nanos = r.varint()? as i32;
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok((seconds, nanos))
}

macro_rules! leaf_common {
    ($desc:ident) => {
        fn leaf_desc(&self) -> &'static LeafDesc {
            &$desc
        }
        fn leaf_eq(&self, other: &dyn Leaf) -> bool {
            leaf_eq_as(self, other)
        }
    };
}

impl Leaf for Time {
    leaf_common!(TIME);
    fn pb_merge(&mut self, body: &[u8], _: &mut Decoder, _: u32) -> R<()> {
        *self = if body.is_empty() { Time::default() } else { Time::from_unix(timestamp(body)?.0) };
        Ok(())
    }
    fn pb_put(&self, w: &mut Writer) {
        if !self.is_zero() {
            w.int(2, 0);
            w.int(1, self.unix() as u64);
        }
    }
    fn json_get(&mut self, p: &mut Parser<'_>, _: &mut Decoder, _: u32) -> R<()> {
        *self = if p.null()? {
            Time::default()
        } else {
            let at = p.position();
            Time::parse(p.string()?).map_err(|e| DecodeError::at(e.to_string(), at))?
        };
        Ok(())
    }
    fn json_put(&self, out: &mut Vec<u8>) {
        if self.is_zero() {
            out.extend_from_slice(b"null");
        } else {
            out.push(b'"');
            self.write_to(out);
            out.push(b'"');
        }
    }
    fn is_zero(&self) -> bool {
        Time::is_zero(*self)
    }
}

fn quoted(out: &mut Vec<u8>, v: &dyn fmt::Display) {
    use std::io::Write;
    let written = write!(out, "\"{v}\"");
    debug_assert!(written.is_ok(), "writing to memory does not fail");
}

impl Leaf for MicroTime {
    leaf_common!(MICRO_TIME);
    fn pb_merge(&mut self, body: &[u8], _: &mut Decoder, _: u32) -> R<()> {
        *self = if body.is_empty() {
            MicroTime::default()
        } else {
            let (seconds, nanos) = timestamp(body)?;
            MicroTime::from_unix(seconds, i64::from(nanos))
        };
        Ok(())
    }
    fn pb_put(&self, w: &mut Writer) {
        if !self.is_zero() {
            w.int(2, self.nanos() as u64);
            w.int(1, self.unix() as u64);
        }
    }
    fn json_get(&mut self, p: &mut Parser<'_>, _: &mut Decoder, _: u32) -> R<()> {
        *self = if p.null()? {
            MicroTime::default()
        } else {
            let at = p.position();
            MicroTime::parse(p.string()?).map_err(|e| DecodeError::at(e.to_string(), at))?
        };
        Ok(())
    }
    fn json_put(&self, out: &mut Vec<u8>) {
        if self.is_zero() {
            out.extend_from_slice(b"null");
        } else {
            out.push(b'"');
            self.write_to(out);
            out.push(b'"');
        }
    }
    fn is_zero(&self) -> bool {
        MicroTime::is_zero(*self)
    }
}

impl Leaf for Duration {
    leaf_common!(DURATION);
    fn pb_merge(&mut self, body: &[u8], _: &mut Decoder, _: u32) -> R<()> {
        records(body, |num, wire, r| {
            if num == 1 {
                expect_wire(wire, wire::VARINT)?;
                *self = Duration::from_nanos(r.varint()? as i64);
            }
            Ok(num == 1)
        })
    }
    fn pb_put(&self, w: &mut Writer) {
        w.int(1, self.as_nanos() as u64);
    }
    fn json_get(&mut self, p: &mut Parser<'_>, _: &mut Decoder, _: u32) -> R<()> {
        // As in Go, null is the empty text, which is no duration; behind a pointer it is nil.
        let at = p.position();
        let text = if p.null()? { "" } else { p.string()? };
        *self = Duration::parse(text).map_err(|e| DecodeError::at(e.to_string(), at))?;
        Ok(())
    }
    fn json_put(&self, out: &mut Vec<u8>) {
        quoted(out, self);
    }
    fn is_zero(&self) -> bool {
        self.as_nanos() == 0
    }
}

impl Leaf for Quantity {
    leaf_common!(QUANTITY);
    fn pb_merge(&mut self, body: &[u8], cx: &mut Decoder, site: u32) -> R<()> {
        records(body, |num, wire, r| {
            if num == 1 {
                expect_wire(wire, wire::BYTES)?;
                let text = cx.text(site, r.bytes()?)?;
                *self =
                    Quantity::parse_shared(&text).map_err(|e| DecodeError::new(e.to_string()))?;
            }
            Ok(num == 1)
        })
    }
    fn pb_put(&self, w: &mut Writer) {
        w.bytes(1, self.as_str().as_bytes());
    }
    fn json_get(&mut self, p: &mut Parser<'_>, cx: &mut Decoder, site: u32) -> R<()> {
        if p.null()? {
            *self = Quantity::default();
            return Ok(());
        }
        let quoted = p.peek()? == b'"';
        let at = p.position();
        // As in Go, escapes stay what they are, and so are none of a quantity.
        let text = if quoted {
            cx.str(site, p.raw()?.trim_matches('"').trim())
        } else {
            Str::new(p.number()?)
        };
        *self = Quantity::parse_shared(&text).map_err(|e| DecodeError::at(e.to_string(), at))?;
        Ok(())
    }
    fn json_put(&self, out: &mut Vec<u8>) {
        put_str(out, self.as_str());
    }
    fn is_zero(&self) -> bool {
        Quantity::is_zero(self)
    }
    fn leaf_same(&self, other: &dyn Leaf) -> bool {
        (other as &dyn Any).downcast_ref::<Quantity>().is_some_and(|o| self.same_text(o))
    }
    fn leaf_reuse(&mut self, old: &dyn Leaf) {
        if let Some(old) = (old as &dyn Any).downcast_ref::<Quantity>()
            && self.same_text(old)
        {
            *self = old.clone();
        }
    }
}

impl Leaf for IntOrString {
    leaf_common!(INT_OR_STRING);
    fn pb_merge(&mut self, body: &[u8], cx: &mut Decoder, site: u32) -> R<()> {
        let (mut kind, mut int, mut text) = (0, 0, Str::empty());
        records(body, |num, wire, r| {
            match num {
                1 => {
                    expect_wire(wire, wire::VARINT)?;
                    kind = r.varint()?;
                }
                2 => {
                    expect_wire(wire, wire::VARINT)?;
                    int = r.varint()? as i32;
                }
                3 => {
                    expect_wire(wire, wire::BYTES)?;
                    text = cx.text(site, r.bytes()?)?;
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        *self = match kind {
            0 => IntOrString::Int(int),
            1 => IntOrString::String(text),
            _ => return Err(DecodeError::new(format!("impossible IntOrString type {kind}"))),
        };
        Ok(())
    }
    fn pb_put(&self, w: &mut Writer) {
        let (kind, int, text) = match self {
            IntOrString::Int(i) => (0, *i, ""),
            IntOrString::String(s) => (1, 0, s.as_str()),
        };
        w.bytes(3, text.as_bytes());
        w.int(2, i64::from(int) as u64);
        w.int(1, kind);
    }
    fn json_get(&mut self, p: &mut Parser<'_>, cx: &mut Decoder, site: u32) -> R<()> {
        if p.null()? {
            // As in Go, a text gives way to a number, and a number stays.
            if let IntOrString::String(_) = self {
                *self = IntOrString::default();
            }
            return Ok(());
        }
        *self = if p.peek()? == b'"' {
            IntOrString::String(cx.str(site, p.string()?))
        } else {
            IntOrString::Int(p.int32()?)
        };
        Ok(())
    }
    fn json_put(&self, out: &mut Vec<u8>) {
        match self {
            IntOrString::Int(i) => put_i64(out, i64::from(*i)),
            IntOrString::String(s) => put_str(out, s),
        }
    }
    fn is_zero(&self) -> bool {
        *self == IntOrString::Int(0)
    }
    fn leaf_reuse(&mut self, old: &dyn Leaf) {
        if let Some(old) = (old as &dyn Any).downcast_ref::<IntOrString>()
            && self == old
        {
            *self = old.clone();
        }
    }
}

/// Raw JSON in the place of an object whose type is not known here: `runtime.RawExtension`.
///
/// Nil by default, which is `null` in JSON.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct RawExtension {
    /// The JSON text, not checked beyond its brackets.
    pub raw: Bytes,
}

/// Any JSON value, kept as text: apiextensions' `JSON`, cells of a `Table`.
///
/// Nil by default, which is `null` in JSON.
///
/// ```
/// use pintle_apimachinery::Json;
/// let cell = Json::of(&1e21)?;
/// assert_eq!(&*cell.raw, b"1e+21");
/// assert_eq!(cell.get::<f64>()?, 1e21);
/// assert_eq!(Json::default().get::<Option<String>>()?, None);
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Json {
    /// The JSON text.
    pub raw: Bytes,
}

macro_rules! raw_json {
    ($type:ident, $desc:ident) => {
        impl $type {
            /// The JSON text of `value`.
            ///
            /// # Errors
            /// `value` cannot be written as JSON.
            pub fn of(value: &impl serde::Serialize) -> Result<Self, crate::Error> {
                let mut text = Vec::new();
                put_serde(&mut text, value).map_err(|e| {
                    crate::Error::encode(format!("value cannot be written as JSON: {e}"))
                })?;
                Ok($type { raw: text.into() })
            }
            /// The value as `T`; `null` when nil.
            ///
            /// # Errors
            /// The text is not JSON of a `T`.
            pub fn get<T: serde::de::DeserializeOwned>(&self) -> Result<T, crate::Error> {
                let text: &[u8] = if self.raw.is_nil() { b"null" } else { &self.raw };
                serde_json::from_slice(text)
                    .map_err(|e| crate::Error::decode(format!("raw JSON: {e}")))
            }
        }
        impl Leaf for $type {
            leaf_common!($desc);
            fn pb_merge(&mut self, body: &[u8], _: &mut Decoder, _: u32) -> R<()> {
                records(body, |num, wire, r| {
                    if num == 1 {
                        expect_wire(wire, wire::BYTES)?;
                        self.raw = r.bytes()?.into();
                    }
                    Ok(num == 1)
                })
            }
            fn pb_put(&self, w: &mut Writer) {
                if !self.raw.is_nil() {
                    w.bytes(1, &self.raw);
                }
            }
            fn json_get(&mut self, p: &mut Parser<'_>, _: &mut Decoder, _: u32) -> R<()> {
                if p.null()? {
                    return Ok(());
                }
                p.peek()?;
                let from = p.position();
                p.skip()?;
                self.raw = p.text()[from..p.position()].into();
                Ok(())
            }
            fn json_put(&self, out: &mut Vec<u8>) {
                put_raw(out, if self.raw.is_empty() { b"null" } else { &self.raw });
            }
            fn is_zero(&self) -> bool {
                self.raw.is_nil()
            }
        }
    };
}
raw_json!(RawExtension, RAW_EXTENSION);
raw_json!(Json, JSON);

impl Leaf for FieldsV1 {
    leaf_common!(FIELDS_V1);
    fn pb_merge(&mut self, body: &[u8], cx: &mut Decoder, _: u32) -> R<()> {
        records(body, |num, wire, r| {
            if num == 1 {
                expect_wire(wire, wire::BYTES)?;
                *self = FieldsV1::from_raw(r.bytes()?, cx.fields_cache());
            }
            Ok(num == 1)
        })
    }
    fn pb_put(&self, w: &mut Writer) {
        if !self.is_nil() {
            w.bytes(1, &self.raw());
        }
    }
    fn pb_same(&self, body: &[u8]) -> bool {
        let mut r = Reader::new(body);
        if !r.more() {
            return self.is_nil();
        }
        matches!(r.tag(), Ok((1, wire::BYTES)))
            && r.bytes().is_ok_and(|raw| !r.more() && !self.is_nil() && self.is(raw))
    }
    fn json_get(&mut self, p: &mut Parser<'_>, cx: &mut Decoder, _: u32) -> R<()> {
        if p.null()? {
            *self = FieldsV1::default();
            return Ok(());
        }
        p.peek()?;
        let from = p.position();
        p.skip()?;
        *self = FieldsV1::from_raw(&p.text().as_bytes()[from..p.position()], cx.fields_cache());
        Ok(())
    }
    fn json_put(&self, out: &mut Vec<u8>) {
        if self.is_nil() {
            out.extend_from_slice(b"null");
        } else {
            put_raw(out, &self.raw());
        }
    }
    fn is_zero(&self) -> bool {
        self.is_nil()
    }
    fn leaf_reuse(&mut self, old: &dyn Leaf) {
        if let Some(old) = (old as &dyn Any).downcast_ref::<FieldsV1>()
            && self == old
        {
            *self = old.clone();
        }
    }
}
