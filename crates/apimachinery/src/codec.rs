//! Codecs: how objects become bytes. Go: `runtime.Codec` and `serializer/{json,yaml,protobuf}`.
use crate::reflect::{
    DecodeError, Decoder, Desc, Described, Message, Parser, Reader, Writer, erase_mut, json_merge,
    json_put_kind, json_value, json_value_exact, kind_mismatch, pb_merge, pb_merge_over, pb_put,
    put_object,
};
use crate::{Error, GroupVersionKind};
use std::borrow::Cow;

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `application/json`.
    Json,
    /// `application/yaml`.
    Yaml,
    /// `application/vnd.kubernetes.protobuf`: the envelope (`k8s\0` and `runtime.Unknown`)
    /// around the message.
    Protobuf,
    /// `application/cbor`. Only with the cargo feature `cbor`; without it, coding is an error.
    Cbor,
}

impl Format {
    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Yaml => "application/yaml",
            Format::Protobuf => "application/vnd.kubernetes.protobuf",
            Format::Cbor => "application/cbor",
        }
    }
    /// The format of a media type; parameters are passed over.
    /// Go: `runtime.SerializerInfoForMediaType`.
    pub fn from_content_type(t: &str) -> Option<Format> {
        match t.split(';').next().unwrap_or_default().trim() {
            "application/json" => Some(Format::Json),
            "application/yaml" => Some(Format::Yaml),
            "application/vnd.kubernetes.protobuf" => Some(Format::Protobuf),
            "application/cbor" | "application/cbor-seq" => Some(Format::Cbor),
            _ => None,
        }
    }
    /// The format that the first bytes of a body show: protobuf and CBOR begin with bytes of their
    /// own, JSON objects with a brace, and everything else may be YAML. Go: the recognizing
    /// decoder of `runtime/serializer/recognizer`.
    ///
    /// ```
    /// use pintle_apimachinery::Format;
    /// assert_eq!(Format::recognize(b" \n{\"kind\":\"Pod\"}"), Format::Json);
    /// assert_eq!(Format::recognize(b"kind: Pod"), Format::Yaml);
    /// assert_eq!(Format::recognize(b"k8s\0\x0a"), Format::Protobuf);
    /// assert_eq!(Format::recognize(b"\xd9\xd9\xf7\xa0"), Format::Cbor);
    /// ```
    pub fn recognize(bytes: &[u8]) -> Format {
        if bytes.starts_with(&PROTOBUF_MAGIC) {
            Format::Protobuf
        } else if bytes.starts_with(&[0xd9, 0xd9, 0xf7]) {
            Format::Cbor
        } else if String::from_utf8_lossy(&bytes[..bytes.len().min(4096)])
            .trim_start()
            .starts_with('{')
        {
            Format::Json
        } else {
            Format::Yaml
        }
    }
}

/// A type that can be decoded and encoded.
pub trait Codec: Sized + Send + Sync + 'static {
    /// Whether [`Format::Protobuf`] is supported.
    const PROTOBUF: bool;
    /// Decodes the whole of `bytes`. Kind and apiVersion, when given, must be right.
    ///
    /// # Errors
    /// `bytes` are not this type in `format`; the message says what is wrong and where.
    fn decode(bytes: &[u8], format: Format, cx: &mut Decoder) -> Result<Self, Error>;
    /// Decodes an item of a list, which has no envelope and needs no kind.
    ///
    /// # Errors
    /// As [`Codec::decode`].
    fn decode_item(bytes: &[u8], format: Format, cx: &mut Decoder) -> Result<Self, Error> {
        Self::decode(bytes, format, cx)
    }
    /// Appends the encoded value to `out`, kind and apiVersion included.
    ///
    /// # Errors
    /// The type has no such format, or the value cannot be written in it.
    fn encode(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error>;
    /// Shares whatever equals the same part of `old`, the version before.
    fn reuse(&mut self, _old: &Self) {}
}

/// First bytes of a protobuf body.
/// Go: `protoEncodingPrefix` of `runtime/serializer/protobuf`.
pub const PROTOBUF_MAGIC: [u8; 4] = *b"k8s\0";

/// The envelope of a protobuf body. Go: `runtime.Unknown`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// `apiVersion`.
    pub api_version: &'a str,
    /// `kind`.
    pub kind: &'a str,
    /// The message.
    pub raw: &'a [u8],
    /// Encoding of `raw`; empty for none.
    pub content_encoding: &'a str,
    /// Media type of `raw`; empty for protobuf.
    pub content_type: &'a str,
}

fn wrong_wire(w: u32) -> Box<DecodeError> {
    DecodeError::new(format!("protobuf wire type {w} where 2 is expected"))
}

impl<'a> Envelope<'a> {
    /// Reads an envelope.
    ///
    /// # Errors
    /// The magic is missing or the envelope is malformed.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let body = bytes.strip_prefix(&PROTOBUF_MAGIC).ok_or_else(|| {
            Error::decode("not Kubernetes protobuf: the body does not begin with \"k8s\\0\"")
        })?;
        Self::parse_body(body).map_err(|e| Error::decode(format!("protobuf envelope: {e}")))
    }
    fn parse_body(body: &'a [u8]) -> Result<Self, Box<DecodeError>> {
        let mut e = Envelope::default();
        let mut r = Reader::new(body);
        while r.more() {
            match r.tag()? {
                (1, 2) => {
                    let mut t = Reader::new(r.bytes()?);
                    while t.more() {
                        match t.tag()? {
                            (1, 2) => e.api_version = t.str()?,
                            (2, 2) => e.kind = t.str()?,
                            (1 | 2, w) => return Err(wrong_wire(w)),
                            (_, w) => t.skip(w)?,
                        }
                    }
                }
                (2, 2) => e.raw = r.bytes()?,
                (3, 2) => e.content_encoding = r.str()?,
                (4, 2) => e.content_type = r.str()?,
                (1..=4, w) => return Err(wrong_wire(w)),
                (_, w) => r.skip(w)?,
            }
        }
        Ok(e)
    }
    /// The kind that the envelope names.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::from_api_version_and_kind(self.api_version, self.kind.to_owned())
    }
    /// Appends the envelope, magic included.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut w = Writer::after(std::mem::take(out));
        w.bytes(4, self.content_type.as_bytes());
        w.bytes(3, self.content_encoding.as_bytes());
        w.bytes(2, self.raw);
        let mark = w.mark();
        w.bytes(2, self.kind.as_bytes());
        w.bytes(1, self.api_version.as_bytes());
        w.close(1, mark);
        w.raw(&PROTOBUF_MAGIC);
        *out = w.finish();
    }
}

/// Kind and apiVersion of a JSON object, whatever else it has. As Go does it, upper and lower case
/// are the same here, and of members that are there twice, the last one counts.
///
/// # Errors
/// `text` is not a JSON object, or one of the two is neither a string nor null; in Go's words.
pub fn peek_json_kind(text: &str) -> Result<(String, String), Error> {
    json_kind(text, true).map_err(|e| kind_mismatch(text).map_or(e, Error::decode))
}

/// [`peek_json_kind`]; when not `all` is read, the first member counts.
fn json_kind(text: &str, all: bool) -> Result<(String, String), Error> {
    fn string(p: &mut Parser<'_>, old: Option<String>) -> Result<String, Box<DecodeError>> {
        // As in Go, null says nothing.
        if p.null()? { Ok(old.unwrap_or_default()) } else { p.string().map(str::to_owned) }
    }
    fn peek(text: &str, all: bool) -> Result<(String, String), Box<DecodeError>> {
        let mut p = Parser::new(text);
        let (mut api_version, mut kind) = (None, None);
        if p.null()? {
            return Ok(Default::default());
        }
        let mut more = p.open(b'{', b'}')?;
        while more && (all || api_version.is_none() || kind.is_none()) {
            let key = p.key()?;
            if key.eq_ignore_ascii_case("apiVersion") {
                api_version = Some(string(&mut p, api_version)?);
            } else if key.eq_ignore_ascii_case("kind") {
                kind = Some(string(&mut p, kind)?);
            } else {
                p.raw()?;
            }
            more = p.next(b'}')?;
        }
        Ok((api_version.unwrap_or_default(), kind.unwrap_or_default()))
    }
    peek(text, all).map_err(|e| Error::decode(e.to_string()))
}

pub(crate) fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|e| Error::decode(format!("the body is not UTF-8: {e}")))
}

/// A YAML document as JSON text.
///
/// # Errors
/// It is not YAML, or holds what JSON cannot.
pub fn yaml_to_json(bytes: &[u8]) -> Result<String, Error> {
    let value =
        crate::yaml::parse(bytes).map_err(|e| e.context("error converting YAML to JSON"))?;
    let mut out = Vec::new();
    crate::reflect::put_value(&value, &mut out);
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// JSON text as a YAML document.
///
/// # Errors
/// It is not JSON.
pub fn json_to_yaml(text: &[u8]) -> Result<String, Error> {
    let wrong =
        |e: &dyn std::fmt::Display| Error::encode(format!("error converting JSON to YAML: {e}"));
    let text = std::str::from_utf8(text).map_err(|e| wrong(&e))?;
    let mut p = Parser::new(text);
    let value =
        json_value_exact(&mut p).and_then(|v| p.finish().map(|()| v)).map_err(|e| wrong(&e))?;
    Ok(crate::yaml::to_string(&value))
}

#[cfg(feature = "cbor")]
pub(crate) use crate::cbor::{
    decode_object as cbor_object, decode_typed as cbor_typed, encode_object as cbor_put_object,
};
#[cfg(not(feature = "cbor"))]
pub(crate) use no_cbor::*;

/// What stands for CBOR when it is off.
#[cfg(not(feature = "cbor"))]
mod no_cbor {
    use crate::Error;
    use serde_json::{Map, Value};

    pub(crate) fn cbor_object(_: &[u8]) -> Result<Map<String, Value>, Error> {
        Err(Error::decode(super::NO_CBOR))
    }
    pub(crate) fn cbor_typed(
        _: &[u8],
        _: &'static crate::reflect::Desc,
    ) -> Result<Map<String, Value>, Error> {
        Err(Error::decode(super::NO_CBOR))
    }
    pub(crate) fn cbor_put_object(_: &Map<String, Value>, _: &mut Vec<u8>) -> Result<(), Error> {
        Err(Error::encode(super::NO_CBOR))
    }
}

/// Why CBOR is not coded.
#[cfg(not(feature = "cbor"))]
pub(crate) const NO_CBOR: &str =
    "CBOR is off: enable the feature `cbor` of pintle-apimachinery, or ask for application/json";

fn check_kind(desc: &Desc, api_version: &str, kind: &str) -> Result<(), Error> {
    let Some(k) = desc.kind else { return Ok(()) };
    // Request options are known in every group version.
    let right_version = api_version.is_empty()
        || (k.group.is_empty() && k.kind.ends_with("Options"))
        || match api_version.split_once('/') {
            Some((g, v)) => g == k.group && v == k.version,
            None => k.group.is_empty() && api_version == k.version,
        };
    if right_version && (kind.is_empty() || kind == k.kind) {
        return Ok(());
    }
    let wanted = GroupVersionKind::from_static(k.group, k.version, k.kind);
    Err(Error::decode(format!(
        "the body is a {kind} of {api_version}, not a {} of {}",
        wanted.kind,
        wanted.api_version()
    )))
}

/// Decodes a built-in kind.
///
/// # Errors
/// As [`Codec::decode`].
pub fn decode_message<T: Described>(
    bytes: &[u8],
    format: Format,
    cx: &mut Decoder,
) -> Result<T, Error> {
    let mut m = T::default();
    decode_into(erase_mut(&mut m), bytes, format, cx)?;
    Ok(m)
}

/// [`decode_message`] compiled once for all kinds.
fn decode_into(
    m: &mut dyn Message,
    bytes: &[u8],
    format: Format,
    cx: &mut Decoder,
) -> Result<(), Error> {
    let desc = m.desc();
    match format {
        Format::Protobuf => {
            let e = Envelope::parse(bytes)?;
            check_kind(desc, e.api_version, e.kind)?;
            decode_body(m, e.raw, format, cx)
        }
        Format::Json => {
            let text = text(bytes)?;
            let (api_version, kind) = json_kind(text, false)?;
            let first = check_kind(desc, &api_version, &kind);
            cx.take_said();
            decode_body(m, bytes, format, cx)?;
            if first.is_ok() && cx.take_said() <= 2 {
                return Ok(());
            }
            // It is said again, behind what was read of it.
            let (api_version, kind) = json_kind(text, true)?;
            check_kind(desc, &api_version, &kind)
        }
        Format::Yaml => decode_into(m, yaml_to_json(bytes)?.as_bytes(), Format::Json, cx),
        Format::Cbor => {
            let o = cbor_typed(bytes, desc)?;
            let text = |key: &str| o.get(key).and_then(|v| v.as_str()).unwrap_or("");
            check_kind(desc, text("apiVersion"), text("kind"))?;
            cbor_into(&o, m)
        }
    }
}

#[cfg(feature = "cbor")]
use crate::cbor::decode_message as cbor_into;
#[cfg(not(feature = "cbor"))]
fn cbor_into(
    _: &serde_json::Map<String, serde_json::Value>,
    _: &mut dyn Message,
) -> Result<(), Error> {
    Err(Error::decode(NO_CBOR))
}

/// [`decode_message_item`] compiled once for all kinds.
fn decode_body(
    m: &mut dyn Message,
    bytes: &[u8],
    format: Format,
    cx: &mut Decoder,
) -> Result<(), Error> {
    let desc = m.desc();
    let in_type = |e: Box<DecodeError>| Error::decode(format!("{}: {e}", desc.name));
    match format {
        Format::Protobuf => {
            let old = cx.take_old();
            match old.as_deref().and_then(|old| old.as_message()) {
                Some(old) => pb_merge_over(m, old, bytes, cx),
                None => pb_merge(m, bytes, cx),
            }
            .map_err(in_type)
        }
        Format::Json => {
            let mut p = Parser::new(text(bytes)?);
            json_merge(m, &mut p, cx).and_then(|()| p.finish()).map_err(in_type)
        }
        Format::Yaml => decode_body(m, yaml_to_json(bytes)?.as_bytes(), Format::Json, cx),
        Format::Cbor => cbor_into(&cbor_typed(bytes, desc)?, m),
    }
}

/// Decodes a built-in type without envelope and without looking at its kind.
///
/// # Errors
/// As [`Codec::decode`].
pub fn decode_message_item<T: Described>(
    bytes: &[u8],
    format: Format,
    cx: &mut Decoder,
) -> Result<T, Error> {
    let mut m = T::default();
    decode_body(erase_mut(&mut m), bytes, format, cx)?;
    Ok(m)
}

/// Encodes a built-in kind.
///
/// # Errors
/// YAML text that cannot be made; JSON and protobuf always can.
pub fn encode_message(m: &dyn Message, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
    match format {
        Format::Json => json_put_kind(m, out),
        Format::Yaml => {
            let mut json = Vec::new();
            json_put_kind(m, &mut json);
            out.extend_from_slice(json_to_yaml(&json)?.as_bytes());
        }
        Format::Protobuf => {
            let mut w = Writer::after(std::mem::take(out));
            // The envelope is written around the message, from its end, as Envelope::write does.
            w.bytes(4, b"");
            w.bytes(3, b"");
            let mark = w.mark();
            pb_put(m, &mut w);
            w.close(2, mark);
            let mark = w.mark();
            let (group, version, kind) =
                m.desc().kind.map_or(("", "", ""), |k| (k.group, k.version, k.kind));
            w.bytes(2, kind.as_bytes());
            let inner = w.mark();
            w.raw(version.as_bytes());
            if !group.is_empty() {
                w.raw(b"/");
                w.raw(group.as_bytes());
            }
            w.close(1, inner);
            w.close(1, mark);
            w.raw(&PROTOBUF_MAGIC);
            *out = w.finish();
        }
        #[cfg(feature = "cbor")]
        Format::Cbor => crate::cbor::encode_message(m, out)?,
        #[cfg(not(feature = "cbor"))]
        Format::Cbor => return Err(Error::encode(NO_CBOR)),
    }
    Ok(())
}

/// A body without protobuf form as JSON text.
pub(crate) fn any_to_json<'a>(
    bytes: &'a [u8],
    format: Format,
    kind: &str,
) -> Result<Cow<'a, [u8]>, Error> {
    Ok(match format {
        Format::Json => Cow::Borrowed(bytes),
        Format::Yaml => Cow::Owned(yaml_to_json(bytes)?.into_bytes()),
        Format::Cbor => {
            let mut json = Vec::new();
            put_object(&cbor_object(bytes)?, &mut json);
            Cow::Owned(json)
        }
        Format::Protobuf => {
            return Err(Error::decode(format!(
                "{kind} is a custom resource, which has no protobuf form; ask for application/json"
            )));
        }
    })
}

/// JSON text, which has no protobuf form, in another format.
pub(crate) fn json_to_any(
    json: &[u8],
    format: Format,
    kind: &str,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    match format {
        Format::Json => out.extend_from_slice(json),
        Format::Yaml => out.extend_from_slice(json_to_yaml(json)?.as_bytes()),
        Format::Cbor => {
            let mut p = Parser::new(text(json)?);
            match json_value(&mut p)? {
                serde_json::Value::Object(o) => cbor_put_object(&o, out)?,
                _ => return Err(Error::encode(format!("{kind} is written as no object"))),
            }
        }
        Format::Protobuf => {
            return Err(Error::encode(format!(
                "{kind} is a custom resource, which has no protobuf form"
            )));
        }
    }
    Ok(())
}

/// Decodes a custom resource: any serde type, in JSON, YAML or CBOR.
///
/// # Errors
/// As [`Codec::decode`].
pub fn decode_serde<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    format: Format,
    gvk: &GroupVersionKind,
) -> Result<T, Error> {
    serde_json::from_slice(&any_to_json(bytes, format, &gvk.kind)?)
        .map_err(|e| Error::decode(format!("{}: {e}", gvk.kind)))
}

/// Encodes a custom resource: any serde type, in JSON, YAML or CBOR.
///
/// # Errors
/// The value cannot be written (a map with keys that are not strings, say), or protobuf is asked
/// for.
pub fn encode_serde<T: serde::Serialize>(
    value: &T,
    format: Format,
    gvk: &GroupVersionKind,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut json = Vec::new();
    crate::reflect::put_serde(&mut json, value)
        .map_err(|e| Error::encode(format!("{}: {e}", gvk.kind)))?;
    json_to_any(&json, format, &gvk.kind, out)
}
