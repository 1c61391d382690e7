//! Codecs: how objects become bytes. Go: `runtime.Codec` and `serializer/{json,yaml,protobuf}`.
use crate::reflect::{
    DecodeError, Decoder, Desc, Described, Message, Parser, Reader, Writer, json_merge,
    json_put_kind, pb_merge, pb_merge_over, pb_put,
};
use crate::{Error, GroupVersionKind};

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
}

impl Format {
    /// The media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Yaml => "application/yaml",
            Format::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }
    /// The format of a media type; parameters are passed over.
    pub fn from_content_type(t: &str) -> Option<Format> {
        match t.split(';').next().unwrap_or_default().trim() {
            "application/json" => Some(Format::Json),
            "application/yaml" => Some(Format::Yaml),
            "application/vnd.kubernetes.protobuf" => Some(Format::Protobuf),
            _ => None,
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
                            (_, w) => t.skip(w)?,
                        }
                    }
                }
                (2, 2) => e.raw = r.bytes()?,
                (3, 2) => e.content_encoding = r.str()?,
                (4, 2) => e.content_type = r.str()?,
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
        let mut w = Writer::new();
        w.bytes(4, self.content_type.as_bytes());
        w.bytes(3, self.content_encoding.as_bytes());
        w.bytes(2, self.raw);
        let mark = w.mark();
        w.bytes(2, self.kind.as_bytes());
        w.bytes(1, self.api_version.as_bytes());
        w.close(1, mark);
        out.extend_from_slice(&PROTOBUF_MAGIC);
        out.extend_from_slice(w.as_slice());
    }
}

/// Kind and apiVersion of a JSON object, whatever else it has.
///
/// # Errors
/// `text` is not a JSON object, or one of the two is not a string.
pub fn peek_json_kind(text: &str) -> Result<(String, String), Error> {
    fn peek(text: &str) -> Result<(String, String), Box<DecodeError>> {
        let mut p = Parser::new(text);
        let (mut api_version, mut kind) = (None, None);
        let mut more = p.open(b'{', b'}')?;
        while more && (api_version.is_none() || kind.is_none()) {
            let key = p.key()?;
            match &*key {
                "apiVersion" => api_version = Some(p.string()?.to_owned()),
                "kind" => kind = Some(p.string()?.to_owned()),
                _ => {
                    p.raw()?;
                }
            }
            more = p.next(b'}')?;
        }
        Ok((api_version.unwrap_or_default(), kind.unwrap_or_default()))
    }
    peek(text).map_err(|e| Error::decode(e.to_string()))
}

pub(crate) fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|e| Error::decode(format!("the body is not UTF-8: {e}")))
}

/// A YAML document as JSON text.
///
/// # Errors
/// It is not YAML, or holds what JSON cannot.
pub fn yaml_to_json(bytes: &[u8]) -> Result<String, Error> {
    let value: serde_json::Value = serde_yaml::from_slice(bytes)
        .map_err(|e| Error::decode(format!("error converting YAML to JSON: {e}")))?;
    Ok(value.to_string())
}

/// JSON text as a YAML document.
///
/// # Errors
/// It is not JSON.
pub fn json_to_yaml(text: &[u8]) -> Result<String, Error> {
    let value: serde_json::Value = serde_json::from_slice(text)
        .map_err(|e| Error::encode(format!("error converting JSON to YAML: {e}")))?;
    serde_yaml::to_string(&value)
        .map_err(|e| Error::encode(format!("error converting JSON to YAML: {e}")))
}

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
    decode_into(&mut m, bytes, format, cx)?;
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
            let (api_version, kind) = peek_json_kind(text(bytes)?)?;
            check_kind(desc, &api_version, &kind)?;
            decode_body(m, bytes, format, cx)
        }
        Format::Yaml => decode_into(m, yaml_to_json(bytes)?.as_bytes(), Format::Json, cx),
    }
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
    decode_body(&mut m, bytes, format, cx)?;
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
            let mut w = Writer::new();
            pb_put(m, &mut w);
            let gvk = m.desc().kind.map_or_else(GroupVersionKind::default, |k| {
                GroupVersionKind::from_static(k.group, k.version, k.kind)
            });
            let api_version = gvk.api_version();
            Envelope {
                api_version: &api_version,
                kind: &gvk.kind,
                raw: w.as_slice(),
                ..Default::default()
            }
            .write(out);
        }
    }
    Ok(())
}

/// Decodes a custom resource: any serde type, in JSON or YAML.
///
/// # Errors
/// As [`Codec::decode`].
pub fn decode_serde<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    format: Format,
    gvk: &GroupVersionKind,
) -> Result<T, Error> {
    let wrong = |e: &dyn std::fmt::Display| Error::decode(format!("{}: {e}", gvk.kind));
    match format {
        Format::Json => serde_json::from_slice(bytes).map_err(|e| wrong(&e)),
        Format::Yaml => serde_yaml::from_slice(bytes).map_err(|e| wrong(&e)),
        Format::Protobuf => Err(Error::decode(format!(
            "{} is a custom resource, which has no protobuf form; ask for application/json",
            gvk.kind
        ))),
    }
}

/// Encodes a custom resource: any serde type, in JSON or YAML.
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
    let wrong = |e: &dyn std::fmt::Display| Error::encode(format!("{}: {e}", gvk.kind));
    match format {
        Format::Json => serde_json::to_writer(out, value).map_err(|e| wrong(&e)),
        Format::Yaml => serde_yaml::to_writer(out, value).map_err(|e| wrong(&e)),
        Format::Protobuf => Err(Error::encode(format!(
            "{} is a custom resource, which has no protobuf form",
            gvk.kind
        ))),
    }
}
