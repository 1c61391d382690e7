//! Bodies of requests, decoded to objects.
//!
//! Go counterpart: the decoders of create and update handlers and `transformDecodeError`.

use pintle_apimachinery::validation::FieldError;
use serde_json::{Map, Value};

use super::Request;
use super::options::FieldValidation;
use crate::object::{Object, text};
use crate::registry::api_version;
use crate::status::{ApiError, ApiResult};
use crate::typed;

/// The media type of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Yaml,
    Protobuf,
}

impl Media {
    /// The media type of a `Content-Type`; JSON when there is none.
    pub(crate) fn of(content_type: &str) -> Option<Media> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "" | "application/json" => Some(Media::Json),
            "application/yaml" => Some(Media::Yaml),
            "application/vnd.kubernetes.protobuf" => Some(Media::Protobuf),
            _ => None,
        }
    }
}

/// The kind a subresource of objects takes and gives, where it is not the resource's own.
pub(crate) struct Expect<'a> {
    pub(crate) api_version: String,
    pub(crate) kind: &'a str,
}

/// Parses JSON or YAML to an object; the error is Go's, as far as its texts are known. Answers the
/// fields that occur twice, too.
pub(crate) fn parse(body: &[u8], media: Media) -> Result<(Object, Vec<String>), String> {
    let (value, twice) = match media {
        Media::Yaml => {
            let value = serde_yaml::from_slice::<Value>(body);
            (value.map_err(|error| yaml_error(&error.to_string()))?, Vec::new())
        }
        _ => crate::tree::parse(body).map_err(|error| json_error(&error, body))?,
    };
    match value {
        Value::Object(object) => Ok((object, twice)),
        Value::Null => Ok((Map::new(), twice)),
        other => {
            let kind = kind_of(&other);
            Err(format!(
                "couldn't get version/kind; json parse error: json: cannot unmarshal {kind} into \
                 Go value of type struct {{ APIVersion string \
                 \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
                 \"json:\\\"kind,omitempty\\\"\" }}"
            ))
        }
    }
}

/// What Go's decoder calls a value.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        _ => "number",
    }
}

fn yaml_error(error: &str) -> String {
    if error.starts_with("recursion limit exceeded") {
        return "yaml: exceeded max depth of 10000".to_owned();
    }
    if error.starts_with("repetition limit exceeded") {
        return "yaml: document contains excessive aliasing".to_owned();
    }
    format!("yaml: {error}")
}

fn json_error(error: &serde_json::Error, body: &[u8]) -> String {
    let detail = if error.is_eof() {
        "unexpected end of JSON input".to_owned()
    } else if error.to_string().starts_with("recursion limit exceeded") {
        // Go says so at ten thousand levels.
        let line = body.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1));
        let at = line.and_then(|line| line.get(error.column().checked_sub(1)?));
        let open = at.copied().filter(|byte| *byte == b'{').map_or('[', char::from);
        format!("invalid character '{open}' exceeded max depth")
    } else {
        error.to_string()
    };
    format!("couldn't get version/kind; json parse error: {detail}")
}

/// The beginning of a body for a message: text as it is, other bytes in hexadecimal.
fn summary(body: &[u8]) -> String {
    const MAX: usize = 30;
    if body.is_empty() {
        return "<empty>".to_owned();
    }
    match std::str::from_utf8(body) {
        Ok(text) if text.starts_with('{') => {
            let mut end = text.len().min(MAX);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            if end < text.len() { format!("{} ...", &text[..end]) } else { text.to_owned() }
        }
        _ => {
            let hex: String = body.iter().take(MAX).map(|byte| format!("{byte:02x}")).collect();
            if body.len() > MAX { format!("{hex} ...") } else { hex }
        }
    }
}

/// The refusal of a body in a form that is not read.
pub(crate) fn unknown_media() -> ApiError {
    ApiError::unsupported_media_type(&[
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
    ])
}

impl Request<'_> {
    /// What bodies of this request are: the resource's kind, or that of its subresource.
    pub(crate) fn expect(&self) -> Expect<'_> {
        let resource = self.resource;
        match resource.subresource(&self.info.subresource) {
            Some(sub) => {
                let (group, version) = if sub.version.is_empty() {
                    (resource.group.as_str(), resource.version.as_str())
                } else {
                    (sub.group.as_str(), sub.version.as_str())
                };
                Expect { api_version: api_version(group, version), kind: &sub.kind }
            }
            None => Expect { api_version: resource.api_version(), kind: &resource.kind },
        }
    }

    /// Decodes the body of a create or update, and checks its kind and fields. Answers warnings.
    pub(crate) fn decode(
        &self,
        body: &[u8],
        content_type: &str,
        validation: FieldValidation,
    ) -> ApiResult<(Object, Vec<String>)> {
        let media = Media::of(content_type).ok_or_else(unknown_media)?;
        let expect = self.expect();
        let custom = self.resource.custom.is_some() && expect.kind == self.resource.kind;
        let unrecognized = |error: String| {
            ApiError::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): {error} ({})",
                expect.kind,
                summary(body)
            ))
        };
        let is_protobuf = media == Media::Protobuf || typed::is_protobuf(body);
        if is_protobuf && custom {
            return Err(ApiError::unsupported_media_type(&[
                "application/json",
                "application/yaml",
            ]));
        }
        let (mut object, twice) = if is_protobuf {
            (self.core.typed.decode_protobuf(body).map_err(unrecognized)?, Vec::new())
        } else {
            parse(body, media).map_err(unrecognized)?
        };
        for key in ["apiVersion", "kind"] {
            if let Some(value) =
                object.get(key).filter(|value| !value.is_string() && !value.is_null())
            {
                return Err(unrecognized(format!(
                    "couldn't get version/kind; json parse error: json: cannot unmarshal {} into \
                     Go struct field .{key} of type string",
                    kind_of(value)
                )));
            }
        }
        let (given_version, given_kind) =
            (text(&object, "apiVersion").to_owned(), text(&object, "kind").to_owned());
        if custom {
            let given = (given_version.as_str(), given_kind.as_str());
            return self.decode_custom(object, twice, given, body, validation);
        }
        let cannot = |error: &str| {
            let version = given_version.rsplit('/').next().unwrap_or_default();
            let version = match version {
                "" => expect.api_version.rsplit('/').next().unwrap_or_default(),
                version => version,
            };
            let (kind, version) = match given_kind.as_str() {
                "" => (expect.kind, expect.api_version.rsplit('/').next().unwrap_or_default()),
                kind => (kind, version),
            };
            ApiError::bad_request(format!(
                "{kind} in version {} cannot be handled as a {}: {error}",
                crate::status::quote(version),
                expect.kind
            ))
        };
        let foreign = (!given_kind.is_empty() && given_kind != expect.kind)
            || (!given_version.is_empty() && given_version != expect.api_version);
        if foreign {
            let kind = if given_kind.is_empty() { expect.kind } else { &given_kind };
            let version =
                if given_version.is_empty() { &expect.api_version } else { &given_version };
            if self.core.typed.desc(version, kind).is_none() {
                return Err(cannot(&format!(
                    "no kind {} is registered for version {} in scheme \
                     \"pkg/api/legacyscheme/scheme.go:30\"",
                    crate::status::quote(kind),
                    crate::status::quote(version)
                )));
            }
            if kind == expect.kind {
                return Err(ApiError::bad_request(format!(
                    "the API version in the data ({version}) does not match the expected API \
                     version ({})",
                    expect.api_version
                )));
            }
            let group = match expect.api_version.split_once('/') {
                Some((group, _)) => group,
                None => "",
            };
            let package = match group.split('.').next().unwrap_or_default() {
                "" => "core",
                first => first,
            };
            let short = version.rsplit('/').next().unwrap_or_default();
            return Err(cannot(&format!(
                "converting ({short}.{kind}) to ({package}.{}): unknown conversion",
                expect.kind
            )));
        }
        let mut warnings = Vec::new();
        if !is_protobuf {
            let unknown = match self.core.typed.desc(&expect.api_version, expect.kind) {
                Some(desc) if validation != FieldValidation::Ignore => {
                    typed::unknown_fields(&object, desc)
                }
                _ => Vec::new(),
            };
            object = self
                .core
                .typed
                .normalize(object, &expect.api_version, expect.kind)
                .map_err(|error| cannot(&error))?;
            warnings = strict(unknown, twice, validation).map_err(|error| cannot(&error))?;
        }
        if let Some(desc) = self.core.typed.desc(&expect.api_version, expect.kind) {
            crate::kinds::default(&mut object, desc, &expect.api_version, &self.core.now());
        }
        if expect.kind == self.resource.kind {
            self.resource.convert_to_storage(&mut object);
        }
        Ok((object, warnings))
    }

    fn decode_custom(
        &self,
        mut object: Object,
        twice: Vec<String>,
        (given_version, given_kind): (&str, &str),
        body: &[u8],
        validation: FieldValidation,
    ) -> ApiResult<(Object, Vec<String>)> {
        let resource = self.resource;
        let shown = String::from_utf8_lossy(body);
        if given_kind.is_empty() {
            return Err(ApiError::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): Object 'Kind' is \
                 missing in '{}' ({})",
                resource.kind,
                shown.trim_end(),
                summary(body)
            )));
        }
        let expected = resource.api_version();
        if given_version != expected {
            return Err(ApiError::bad_request(format!(
                "the API version in the data ({given_version}) does not match the expected API \
                 version ({expected})"
            )));
        }
        if given_kind != resource.kind {
            let detail = format!("must be {}", resource.kind);
            let error = FieldError::invalid("kind", given_kind, detail);
            let name = crate::registry::name_of(&object);
            return Err(ApiError::invalid(&resource.group, given_kind, name, &[error]));
        }
        let unknown = self.prune(&mut object)?;
        let warnings = strict(unknown, twice, validation).map_err(|error| {
            ApiError::bad_request(format!(
                "{given_kind} in version {} cannot be handled as a {}: {error}",
                crate::status::quote(&resource.version),
                resource.kind
            ))
        })?;
        Ok((object, warnings))
    }

    /// Drops what a custom resource's schema and `metadata` do not know, and names each field.
    pub(crate) fn prune(&self, object: &mut Object) -> ApiResult<Vec<String>> {
        let mut unknown = Vec::new();
        if let Some(meta) = object.shift_remove("metadata").filter(|meta| !meta.is_null()) {
            let mut partial = Map::new();
            partial.insert("metadata".to_owned(), meta);
            if let Some(desc) = self.core.typed.desc("meta.k8s.io/v1", "PartialObjectMetadata") {
                unknown = typed::unknown_fields(&partial, desc);
            }
            let partial = self
                .core
                .typed
                .normalize(partial, "meta.k8s.io/v1", "PartialObjectMetadata")
                .map_err(|error| {
                    ApiError::bad_request(format!(
                        "{} in version {} cannot be handled as a {}: {}",
                        self.resource.kind,
                        crate::status::quote(&self.resource.version),
                        self.resource.kind,
                        error.trim_start_matches("PartialObjectMetadata: ")
                    ))
                })?;
            if let Some(meta) = partial.get("metadata") {
                // Kind, version and metadata stand first.
                let rest = std::mem::take(object);
                object.insert("metadata".to_owned(), meta.clone());
                object.extend(rest);
            }
        }
        if let Some(custom) = &self.resource.custom
            && !custom.preserve_unknown
            && let Some(schema) = &custom.schema
        {
            let mut pruned = schema.prune(object);
            pruned.sort();
            unknown.extend(pruned);
        }
        Ok(unknown)
    }
}

/// Unknown fields and fields given twice as warnings, or as Go's strict decoding error.
pub(crate) fn strict(
    unknown: Vec<String>,
    twice: Vec<String>,
    validation: FieldValidation,
) -> Result<Vec<String>, String> {
    let tell = |what: &str, fields: Vec<String>| {
        let tell = |field: String| format!("{what} field {}", crate::status::quote(&field));
        fields.into_iter().map(tell).collect::<Vec<_>>()
    };
    let mut texts = tell("unknown", unknown);
    texts.extend(tell("duplicate", twice));
    match validation {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Warn => Ok(texts),
        FieldValidation::Strict if texts.is_empty() => Ok(texts),
        FieldValidation::Strict => Err(format!("strict decoding error: {}", texts.join(", "))),
    }
}
