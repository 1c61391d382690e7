//! [`CodecFactory`]: decoding and encoding by what a scheme knows.
//! Go: `serializer.CodecFactory`, `versioning`, `recognizer`.
use crate::scheme::{complete, untyped};
use crate::strict::strict_errors;
use crate::{AnyKind, Error, Format, GroupVersion, GroupVersionKind, Scheme, StrictErrors};
use std::sync::Arc;

/// What came of decoding.
/// Go: what `runtime.Decoder.Decode` returns, and `runtime.AsStrictDecodingError` of its error.
#[derive(Debug)]
pub struct Decoded {
    /// The object.
    pub object: Box<dyn AnyKind>,
    /// The kind that the bytes were of, before any conversion.
    pub kind: GroupVersionKind,
    /// What strictness objects to; empty when it was not asked for.
    pub strict: StrictErrors,
}

/// Codecs for the kinds of a scheme: they recognize the format of a body, decode it to its type,
/// give it its defaults and convert it to the version that is wanted.
///
/// ```
/// use pintle_apimachinery::{CodecFactory, Format, Scheme, meta_v1::DeleteOptions};
/// let mut scheme = Scheme::new();
/// scheme.register_meta();
/// let codecs = CodecFactory::new(scheme).strict();
/// let decoded = codecs.deserialize(b"kind: DeleteOptions\napiVersion: v1\ndryRum: [All]\n")?;
/// assert_eq!(decoded.kind.kind, "DeleteOptions");
/// assert_eq!(decoded.strict.to_string(), r#"strict decoding error: unknown field "dryRum""#);
/// let mut out = Vec::new();
/// codecs.encode(&*decoded.object, Format::Json, &mut out)?;
/// assert_eq!(out, br#"{"kind":"DeleteOptions","apiVersion":"v1"}"#);
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CodecFactory {
    scheme: Arc<Scheme>,
    strict: bool,
    unstructured: bool,
}

impl CodecFactory {
    /// For the kinds of a scheme.
    pub fn new(scheme: impl Into<Arc<Scheme>>) -> Self {
        CodecFactory { scheme: scheme.into(), strict: false, unstructured: false }
    }
    /// Say what of a body is unknown or there twice. Go: `serializer.EnableStrict`.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }
    /// Decode kinds that the scheme does not know as objects without a type.
    #[must_use]
    pub fn with_unstructured(mut self) -> Self {
        self.unstructured = true;
        self
    }
    /// The scheme.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }
    /// Decodes a body in whatever format it is, to the type it says. No defaults, no conversion.
    /// Go: `UniversalDeserializer`.
    ///
    /// # Errors
    /// The body is malformed, does not say what it is, or is of an unknown kind.
    pub fn deserialize(&self, bytes: &[u8]) -> Result<Decoded, Error> {
        self.deserialize_as(bytes, Format::recognize(bytes), None)
    }
    /// Decodes a body in `format`. What the body does not say of its kind is that of `default`.
    /// Go: `Serializer.Decode`.
    ///
    /// # Errors
    /// As [`CodecFactory::deserialize`].
    pub fn deserialize_as(
        &self,
        bytes: &[u8],
        format: Format,
        default: Option<&GroupVersionKind>,
    ) -> Result<Decoded, Error> {
        let mut kind = Scheme::partial_kind_of_bytes(bytes, format)?;
        if let Some(default) = default {
            kind = with_defaults(kind, default);
        }
        let kind = complete(kind, bytes, format)?;
        let object = match self.scheme.decode_as(&kind, bytes, format) {
            Err(e) if e.is_not_registered() && self.unstructured => {
                self.scheme.decode_or_unstructured(bytes, format)?
            }
            other => other.map_err(|e| self.in_words_of_go(e, &kind, bytes, format))?,
        };
        let strict = if self.strict {
            strict_errors(&*object, bytes, format)?
        } else {
            StrictErrors::default()
        };
        Ok(Decoded { object, kind, strict })
    }
    /// A value of the wrong type, as Go's serializer reports it.
    fn in_words_of_go(
        &self,
        e: Error,
        kind: &GroupVersionKind,
        bytes: &[u8],
        format: Format,
    ) -> Error {
        let text = match format {
            Format::Json => crate::codec::text(bytes).map(str::to_owned),
            Format::Yaml => crate::codec::yaml_to_json(bytes),
            _ => return e,
        };
        let empty = self.scheme.new_object(kind).ok();
        let desc = empty.as_ref().and_then(|o| o.as_message()).map(|m| m.desc());
        match (text, desc) {
            (Ok(text), Some(desc)) if e.is_decode() => {
                crate::reflect::mismatch(&text, desc).map_or(e, Error::decode)
            }
            _ => e,
        }
    }
    /// Decodes a body in whatever format it is, sets defaults and converts the object to the first
    /// of `versions` that has its kind; none of them leaves it as it is. Go: `UniversalDecoder`.
    ///
    /// # Errors
    /// As [`CodecFactory::deserialize`] and [`Scheme::convert_to_version`].
    pub fn decode_for(&self, bytes: &[u8], versions: &[GroupVersion]) -> Result<Decoded, Error> {
        let mut decoded = self.deserialize(bytes)?;
        self.scheme.set_defaults(&mut *decoded.object);
        if !versions.is_empty() && untyped(&*decoded.object).is_none() {
            decoded.object = self.scheme.convert_to_version(decoded.object, versions)?;
        }
        Ok(decoded)
    }
    /// Appends an object as it is.
    ///
    /// # Errors
    /// The object has no such format.
    pub fn encode(
        &self,
        object: &dyn AnyKind,
        format: Format,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        object.encode_any(format, out)
    }
    /// Converts an object to the first of `versions` that has its kind, and appends it.
    /// Go: `EncoderForVersion`, `LegacyCodec`.
    ///
    /// # Errors
    /// As [`Scheme::convert_to_version`]; or the object has no such format.
    pub fn encode_for(
        &self,
        object: Box<dyn AnyKind>,
        versions: &[GroupVersion],
        format: Format,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let object = match untyped(&*object) {
            // Nothing is known that could be converted.
            Some(kind) if !self.scheme.recognizes(&kind) => object,
            _ => self.scheme.convert_to_version(object, versions)?,
        };
        object.encode_any(format, out)
    }
}

/// What `actual` does not say is that of `default`.
fn with_defaults(mut actual: GroupVersionKind, default: &GroupVersionKind) -> GroupVersionKind {
    if actual.kind.is_empty() {
        actual.kind = default.kind.clone();
    }
    if actual.version.is_empty() && actual.group.is_empty() {
        actual.group = default.group.clone();
        actual.version = default.version.clone();
    }
    if actual.version.is_empty() && actual.group == default.group {
        actual.version = default.version.clone();
    }
    actual
}
