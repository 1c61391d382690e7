//! Bodies of requests, decoded to objects.
//!
//! Go counterpart: the decoders of create and update handlers and `transformDecodeError`.

use pintle_apimachinery::reflect::{Desc, Type};
use pintle_apimachinery::validation::FieldError;
use serde_json::{Map, Value};

use super::Request;
use super::options::FieldValidation;
use crate::go_json;
use crate::object::{Object, text};
use crate::registry::{CustomResource, api_version};
use crate::status::{ApiError, ApiResult};
use crate::typed::{self, Typed};

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

/// A body that was parsed.
pub(crate) struct Parsed {
    pub(crate) object: Object,
    /// The body as JSON.
    text: String,
    /// Whether fields occur twice.
    twice: bool,
    /// What strict decoding of YAML says of that.
    yaml: Option<String>,
}

impl Parsed {
    /// What strict decoding objects to: fields twice, and those that the type does not have.
    fn complaints(&self, desc: Option<&'static Desc>) -> Vec<String> {
        let mut all: Vec<String> = self.yaml.iter().cloned().collect();
        let unknown =
            desc.is_some_and(|desc| !typed::unknown_fields(&self.object, desc).is_empty());
        if self.twice || unknown {
            all.extend(go_json::strict(&self.text, desc));
        }
        all
    }
}

/// Parses JSON or YAML to an object; the error is Go's.
pub(crate) fn parse(body: &[u8], media: Media) -> Result<Parsed, String> {
    let (value, text, twice, yaml) = match media {
        Media::Yaml => {
            let parsed = pintle_apimachinery::yaml::parse_strict(body);
            let (value, twice) = parsed.map_err(|error| error.to_string())?;
            let text = value.to_string();
            (value, text, false, twice)
        }
        _ => {
            let parsed = crate::tree::parse(body);
            let (value, twice) = parsed.map_err(|_| json_error(body))?;
            let text = String::from_utf8_lossy(body).into_owned();
            (value, text, !twice.is_empty(), None)
        }
    };
    match value {
        Value::Object(object) => Ok(Parsed { object, text, twice, yaml }),
        Value::Null => Ok(Parsed { object: Map::new(), text: "{}".to_owned(), twice, yaml }),
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

fn json_error(body: &[u8]) -> String {
    // What Go takes and this server does not is nested deeper than it looks.
    let deep = || "invalid character '[' exceeded max depth".to_owned();
    let detail = go_json::syntax(body).unwrap_or_else(deep);
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
        let parsed = if !is_protobuf {
            parse(body, media).map_err(unrecognized)?
        } else if typed::is_protobuf(body) {
            let object = self.core.typed.decode_protobuf(body).map_err(unrecognized)?;
            Parsed { object, text: String::new(), twice: false, yaml: None }
        } else {
            return Err(unrecognized(
                "provided data does not appear to be a protobuf message, expected prefix \
                 [107 56 115 0]"
                    .to_owned(),
            ));
        };
        let mut object = parsed.object.clone();
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
            return self.decode_custom(&parsed, given, body, validation);
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
        if foreign && self.resource.custom.is_some() {
            return Err(ApiError::bad_request(
                "no kind is registered for the type v1.Scale in scheme \
                 \"pkg/apiserver/customresource_handler.go:781\"",
            ));
        }
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
            let desc = self.core.typed.desc(&expect.api_version, expect.kind);
            let complaints = match desc {
                Some(desc) if validation != FieldValidation::Ignore => {
                    parsed.complaints(Some(desc))
                }
                _ => Vec::new(),
            };
            object = self.core.typed.normalize(object, &expect.api_version, expect.kind).map_err(
                |error| {
                    let go = desc.and_then(|desc| go_json::misfit(&parsed.text, desc));
                    cannot(&go.unwrap_or(error))
                },
            )?;
            warnings = strict(complaints, validation).map_err(|error| cannot(&error))?;
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
        parsed: &Parsed,
        (given_version, given_kind): (&str, &str),
        body: &[u8],
        validation: FieldValidation,
    ) -> ApiResult<(Object, Vec<String>)> {
        let resource = self.resource;
        let mut object = parsed.object.clone();
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
        let cannot = |error: String| {
            ApiError::bad_request(format!(
                "{given_kind} in version {} cannot be handled as a {}: {error}",
                crate::status::quote(&resource.version),
                resource.kind
            ))
        };
        let mut complaints = parsed.complaints(None);
        complaints.extend(unknown(self.prune(&mut object).map_err(cannot)?));
        let warnings = strict(complaints, validation).map_err(cannot)?;
        Ok((object, warnings))
    }

    /// Drops what a custom resource's schema and `metadata` do not know, and names each field.
    ///
    /// # Errors
    /// Metadata does not fit its type, in Go's words.
    pub(crate) fn prune(&self, object: &mut Object) -> Result<Vec<String>, String> {
        let mut unknown = Vec::new();
        if let Some(meta) = object.shift_remove("metadata").filter(|meta| !meta.is_null()) {
            let (meta, fields) = metadata_of(&self.core.typed, meta)?;
            unknown = fields;
            // Kind, version and metadata stand first.
            let rest = std::mem::take(object);
            object.insert("metadata".to_owned(), meta);
            object.extend(rest);
        }
        if let Some(custom) = &self.resource.custom {
            unknown.extend(prune(&self.core.typed, custom, object)?);
        }
        Ok(unknown)
    }
}

/// Drops what the schema of a custom resource does not know, names each field, and fills in what
/// the schema has as defaults. The object's own metadata is not looked at.
///
/// # Errors
/// Metadata within the object does not fit its type, in Go's words.
pub(crate) fn prune(
    typed: &Typed,
    custom: &CustomResource,
    object: &mut Object,
) -> Result<Vec<String>, String> {
    let mut unknown = Vec::new();
    let Some(schema) = &custom.schema else { return Ok(unknown) };
    if !custom.preserve_unknown {
        let mut pruned = schema.prune(object);
        pruned.sort();
        unknown.extend(pruned);
        let mut inner = Vec::new();
        schema.embedded(object, &mut |path, value| {
            let (meta, fields) = metadata_of(typed, value.clone()).map_err(|error| {
                format!("{path}: Invalid value: {}: {error}", sorted_text(value))
            })?;
            let inside = fields.iter().map(|field| field.trim_start_matches("metadata."));
            inner.extend(inside.map(|field| format!("{path}.{field}")));
            *value = meta;
            Ok(())
        })?;
        inner.sort();
        unknown.extend(inner);
    }
    schema.default(object);
    Ok(unknown)
}

/// Metadata as its type has it, and the fields that the type does not have.
fn metadata_of(typed: &Typed, meta: Value) -> Result<(Value, Vec<String>), String> {
    let partial = Map::from_iter([("metadata".to_owned(), meta)]);
    let desc = typed.desc("meta.k8s.io/v1", "PartialObjectMetadata");
    let unknown = desc.map(|desc| typed::unknown_fields(&partial, desc)).unwrap_or_default();
    let text = partial["metadata"].to_string();
    let normal = typed.normalize(partial, "meta.k8s.io/v1", "PartialObjectMetadata");
    let mut normal = normal.map_err(|error| {
        let field = desc.and_then(|desc| typed::field(desc, "metadata")).map(|f| f.ty);
        let inner = match field {
            Some(Type::Msg(inner) | Type::Emb(inner) | Type::OptMsg(inner)) => Some(inner),
            _ => None,
        };
        let go = inner.and_then(|desc| go_json::misfit(&text, desc));
        go.unwrap_or(error)
    })?;
    Ok((normal.remove("metadata").unwrap_or_default(), unknown))
}

/// JSON with the keys in order.
fn sorted_text(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}

/// What strict decoding says of fields that are not known.
pub(crate) fn unknown(fields: Vec<String>) -> Vec<String> {
    let tell = |field: &String| format!("unknown field {}", crate::status::quote(field));
    fields.iter().map(tell).collect()
}

/// What strict decoding objects to as warnings, or as Go's strict decoding error.
pub(crate) fn strict(
    texts: Vec<String>,
    validation: FieldValidation,
) -> Result<Vec<String>, String> {
    match validation {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Warn => Ok(texts),
        FieldValidation::Strict if texts.is_empty() => Ok(texts),
        FieldValidation::Strict => Err(format!("strict decoding error: {}", texts.join(", "))),
    }
}
