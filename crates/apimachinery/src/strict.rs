//! Strict decoding: the object, and what of the text no field took or was there twice.
//! Go: the strict serializers of `runtime/serializer/json` and `runtime.NewStrictDecodingError`.
use crate::parse_error::quote;
use crate::reflect::{Checker, Decoder, Desc};
use crate::{AnyKind, Codec, Error, Format, Unstructured};
use serde_json::Value;
use std::fmt;

/// One thing that strict decoding objects to.
/// Go: an error among those of `runtime.NewStrictDecodingError`.
///
/// ```
/// use pintle_apimachinery::StrictError;
/// let e = StrictError::unknown("spec.replica");
/// assert_eq!(e.to_string(), r#"unknown field "spec.replica""#);
/// assert_eq!(e.path(), Some("spec.replica"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrictError(What);

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Unknown(String),
    /// Printed as it is, as Go's converter does it.
    UnknownRaw(String),
    Duplicate(String),
    Text(String),
}

impl StrictError {
    /// No field takes the member at `path`.
    pub fn unknown(path: impl Into<String>) -> Self {
        StrictError(What::Unknown(path.into()))
    }
    /// The member at `path` is there more than once; the last one counts.
    pub fn duplicate(path: impl Into<String>) -> Self {
        StrictError(What::Duplicate(path.into()))
    }
    /// As [`StrictError::unknown`], found by a converter.
    pub(crate) fn unknown_raw(path: String) -> Self {
        StrictError(What::UnknownRaw(path))
    }
    /// Something else, in words.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        StrictError(What::Text(text.into()))
    }
    /// Where, such as `spec.containers[0].image`; not known of keys that a YAML document has
    /// twice, whose line is in the text.
    pub fn path(&self) -> Option<&str> {
        match &self.0 {
            What::Unknown(path) | What::UnknownRaw(path) | What::Duplicate(path) => Some(path),
            What::Text(_) => None,
        }
    }
    /// Whether no field takes the member.
    pub fn is_unknown(&self) -> bool {
        matches!(self.0, What::Unknown(_) | What::UnknownRaw(_))
    }
    /// Whether the member is there more than once.
    pub fn is_duplicate(&self) -> bool {
        !self.is_unknown()
    }
}

impl fmt::Display for StrictError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            What::Unknown(path) => write!(f, "unknown field {}", quote(path)),
            What::UnknownRaw(path) => write!(f, "unknown field \"{path}\""),
            What::Duplicate(path) => write!(f, "duplicate field {}", quote(path)),
            What::Text(text) => f.write_str(text),
        }
    }
}
impl std::error::Error for StrictError {}

/// Everything that strict decoding objects to, in the order of the text; at most 100. Prints as
/// Go's `strictDecodingError` does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StrictErrors(Vec<StrictError>);

impl StrictErrors {
    /// Whether there is nothing to object to.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The errors, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, StrictError> {
        self.0.iter()
    }
    /// An error ([`Error::is_strict_decoding`]) when there is something to object to.
    ///
    /// # Errors
    /// There is.
    pub fn into_result(self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(Error::strict_decoding(self.to_string())) }
    }
}
impl From<Vec<StrictError>> for StrictErrors {
    fn from(errors: Vec<StrictError>) -> Self {
        StrictErrors(errors)
    }
}
impl IntoIterator for StrictErrors {
    type Item = StrictError;
    type IntoIter = std::vec::IntoIter<StrictError>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
impl<'a> IntoIterator for &'a StrictErrors {
    type Item = &'a StrictError;
    type IntoIter = std::slice::Iter<'a, StrictError>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
impl fmt::Display for StrictErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict decoding error: ")?;
        for (i, e) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{e}")?;
        }
        Ok(())
    }
}

/// Decodes an object and says what of the text no field took or was there twice.
/// Go: `json.NewSerializerWithOptions` with `Strict`.
///
/// Unknown members are found for built-in kinds. An [`Unstructured`] has none; a custom
/// resource's are those its schema does not have: [`unknown_fields`].
///
/// # Errors
/// As [`Codec::decode`]: what strictness objects to is no error here.
///
/// ```
/// use pintle_apimachinery::{Decoder, Format, PartialObjectMetadata, decode_strict};
/// let text = br#"{"metadata":{"name":"a","name":"b","nmae":"c"},"spec":{}}"#;
/// let (object, problems) =
///     decode_strict::<PartialObjectMetadata>(text, Format::Json, &mut Decoder::new())?;
/// assert_eq!(object.metadata.name, "b");
/// assert_eq!(
///     problems.to_string(),
///     r#"strict decoding error: duplicate field "metadata.name", unknown field "metadata.nmae", unknown field "spec""#
/// );
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn decode_strict<T: AnyKind + Codec>(
    bytes: &[u8],
    format: Format,
    cx: &mut Decoder,
) -> Result<(T, StrictErrors), Error> {
    let object = T::decode(bytes, format, cx)?;
    let problems = strict_errors(&object, bytes, format)?;
    Ok((object, problems))
}

/// What strictness objects to in `bytes`, from which `object` was decoded.
pub(crate) fn strict_errors(
    object: &dyn AnyKind,
    bytes: &[u8],
    format: Format,
) -> Result<StrictErrors, Error> {
    errors_in(object.as_message().map(|m| m.desc()), bytes, format)
}

fn errors_in(
    desc: Option<&'static Desc>,
    bytes: &[u8],
    format: Format,
) -> Result<StrictErrors, Error> {
    let check = |text: &str| Checker::check(text, desc).map_err(Error::from);
    Ok(StrictErrors(match format {
        Format::Json => check(crate::codec::text(bytes)?)?,
        Format::Yaml => {
            let (value, twice) = crate::yaml::parse_strict(bytes)?;
            let mut found: Vec<StrictError> = twice.map(StrictError::text).into_iter().collect();
            found.extend(check(&value.to_string())?);
            found
        }
        // Unknown records are what a newer server sends.
        Format::Protobuf => Vec::new(),
        #[cfg(feature = "cbor")]
        Format::Cbor => crate::cbor::unknown_field(bytes, desc)?.into_iter().collect(),
        #[cfg(not(feature = "cbor"))]
        Format::Cbor => Vec::new(),
    }))
}

/// What strictness objects to in the text of an object whose type has no table, by its schema:
/// members twice, then members that the schema does not have, sorted.
/// Go: the API server's decoder of custom resources.
///
/// `schema` is structural, as a CustomResourceDefinition has it.
///
/// # Errors
/// The bytes are not an object.
///
/// ```
/// use pintle_apimachinery::{Format, unknown_fields};
/// let schema = serde_json::json!({"type": "object", "properties": {
///     "spec": {"type": "object", "properties": {"size": {"type": "integer"}}},
/// }});
/// let text = b"apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: a}\nspec: {sise: 3}\n";
/// let problems = unknown_fields(text, Format::Yaml, &schema)?;
/// assert_eq!(problems.iter().next().unwrap().path(), Some("spec.sise"));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn unknown_fields(bytes: &[u8], format: Format, schema: &Value) -> Result<StrictErrors, Error> {
    let u = Unstructured::decode(bytes, format, &mut Decoder::new())?;
    let mut found = errors_in(None, bytes, format)?.0;
    let mut paths = Vec::new();
    for (name, value) in &u.to_object() {
        match name.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                let text = serde_json::json!({ "metadata": value }).to_string();
                let of = crate::PartialObjectMetadata::default();
                let unknown = strict_errors(&of, text.as_bytes(), Format::Json)?;
                found.extend(unknown);
            }
            _ => prune(
                value,
                schema.pointer("/properties").and_then(|p| p.get(name)),
                name,
                &mut paths,
            ),
        }
    }
    paths.sort();
    found.extend(paths.into_iter().take(100).map(StrictError::unknown));
    Ok(StrictErrors(found))
}

/// Paths in `value` that `schema` does not have.
fn prune(value: &Value, schema: Option<&Value>, path: &str, out: &mut Vec<String>) {
    let Some(schema) = schema else {
        out.push(path.to_owned());
        return;
    };
    let keeps = schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    match value {
        Value::Object(o) => {
            let embedded = schema.get("x-kubernetes-embedded-resource") == Some(&Value::Bool(true));
            let additional =
                schema.get("additionalProperties").filter(|a| **a != Value::Bool(false));
            for (name, v) in o {
                let at = format!("{path}.{name}");
                if embedded && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
                    continue;
                }
                match (schema.get("properties").and_then(|p| p.get(name)), additional) {
                    (Some(s), _) => prune(v, Some(s), &at, out),
                    (None, Some(Value::Bool(_))) => {}
                    (None, Some(s)) => prune(v, Some(s), &at, out),
                    (None, None) if keeps => {}
                    (None, None) => out.push(at),
                }
            }
        }
        Value::Array(a) => {
            if let Some(items) = schema.get("items") {
                for (i, v) in a.iter().enumerate() {
                    prune(v, Some(items), &format!("{path}[{i}]"), out);
                }
            }
        }
        _ => {}
    }
}
