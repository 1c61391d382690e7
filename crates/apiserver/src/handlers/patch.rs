//! PATCH: JSON patch, merge patch and strategic merge patch.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/endpoints/handlers/patch.go`. Server-side apply is not
//! here yet and answers so.

use pintle_apimachinery::validation::FieldError;
use pintle_patch::{
    JsonPatch, MAX_OPERATIONS, Reason, TypeSchema, go_print, merge, reason, strategic,
};
use serde_json::{Map, Value};

use super::body::{strict, unknown};
use super::options::{FieldValidation, WriteOptions, finish, write_options};
use super::write::Part;
use super::{Answer, Reply, Request};
use crate::core::Core;
use crate::go_json;
use crate::object::{Object, metadata, text};
use crate::status::{ApiError, ApiResult, quote};
use crate::typed::unknown_fields;

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const APPLY_CBOR: &str = "application/apply-patch+cbor";

pub(crate) enum Patch {
    Json(JsonPatch),
    Merge(Map<String, Value>),
    Strategic(Map<String, Value>),
}

/// Whether a body of this type is a patch of any kind.
pub(crate) fn is_patch(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    [JSON_PATCH, MERGE_PATCH, STRATEGIC, APPLY, APPLY_CBOR].contains(&media)
}

/// The refusal of a patch of a type that custom resources do not take.
pub(crate) fn not_a_patch() -> ApiError {
    ApiError::unsupported_media_type(&[JSON_PATCH, MERGE_PATCH, APPLY])
}

impl Request<'_> {
    pub(crate) fn patch(&self, body: &[u8], content_type: &str, part: Part) -> ApiResult<Answer> {
        let resource = self.resource;
        let read = self.read_patch(body, content_type);
        if let Err(error) = &read
            && error.message().contains("cannot unmarshal")
        {
            // What is patched is looked for before the patch is looked into.
            self.read(&self.info.name)?;
        }
        let (patch, complaints) = read?;
        let options = write_options(self.query, "PatchOptions")?;
        let mut warnings = Vec::new();
        let name = self.info.name.as_str();
        let updated = self.update(name, part, options, false, &mut |old| {
            let Some(old) = old else { return Err(ApiError::not_found(resource.target(name))) };
            let (new, found) = self.apply_patch(&patch, &complaints, old, options)?;
            warnings = found;
            self.check_name(&new)?;
            Ok(new)
        });
        let (item, _) = updated.map_err(|error| error.warned(&warnings))?;
        warnings.extend(item.warnings.iter().cloned());
        Ok(Answer { reply: Reply::Object(200, item), warnings })
    }

    /// Reads a patch of a kind that this resource takes, and what strict decoding says of it.
    pub(crate) fn read_patch(
        &self,
        body: &[u8],
        content_type: &str,
    ) -> ApiResult<(Patch, Vec<String>)> {
        let media = content_type.split(';').next().unwrap_or_default().trim();
        let accepted: &[&str] = if self.resource.custom.is_some() {
            &[JSON_PATCH, MERGE_PATCH, APPLY]
        } else {
            &[JSON_PATCH, MERGE_PATCH, STRATEGIC, APPLY]
        };
        if media == APPLY || media == APPLY_CBOR {
            return Err(self.apply());
        }
        if !accepted.contains(&media) {
            return Err(ApiError::unsupported_media_type(accepted));
        }
        let options = write_options(self.query, "PatchOptions")?;
        let patch = read(body, media)?;
        let text = std::str::from_utf8(body).unwrap_or_default();
        let complaints = match (&patch, options.validation) {
            (_, FieldValidation::Ignore) => Vec::new(),
            (Patch::Json(_), _) => go_json::strict_json_patch(text),
            _ => go_json::strict(text, None),
        };
        Ok((patch, complaints))
    }

    /// Server-side apply is not there; what can be said about the request is said first.
    fn apply(&self) -> ApiError {
        if self.query.get("fieldManager").is_empty() {
            let required = FieldError::required("fieldManager", "is required for apply patch");
            if let Err(error) = finish("PatchOptions", &[required]) {
                return error;
            }
        }
        ApiError::not_implemented("server-side apply")
    }

    /// The name in an object is the name in the path.
    pub(crate) fn check_name(&self, object: &Object) -> ApiResult<()> {
        let (given, wanted) = (text(metadata(object), "name"), self.info.name.as_str());
        if given.is_empty() {
            return Err(ApiError::bad_request(format!(
                "the name of the object ({wanted} based on URL) was undeterminable: name must be \
                 provided"
            )));
        }
        if given != wanted {
            return Err(ApiError::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({wanted})"
            )));
        }
        Ok(())
    }

    /// Custom resources keep their kind and version, in words of their own.
    fn wrong_head(&self, patched: &Object) -> Option<ApiError> {
        let resource = self.resource;
        resource.custom.as_ref()?;
        let (api_version, kind) = (resource.api_version(), text(patched, "kind"));
        let given = text(patched, "apiVersion");
        let error = if given != api_version {
            FieldError::invalid("apiVersion", given, format!("must be {api_version}"))
        } else if kind != resource.kind {
            FieldError::invalid("kind", kind, format!("must be {}", resource.kind))
        } else {
            return None;
        };
        let name = text(metadata(patched), "name");
        Some(ApiError::invalid(&resource.group, kind, name, &[error]))
    }

    /// The patched object in the storage version, and warnings.
    fn apply_patch(
        &self,
        patch: &Patch,
        complaints: &[String],
        old: &Object,
        options: WriteOptions,
    ) -> ApiResult<(Object, Vec<String>)> {
        let resource = self.resource;
        let (api_version, kind) = (resource.api_version(), &resource.kind);
        let mut base = old.clone();
        base.insert("apiVersion".to_owned(), api_version.clone().into());
        base.insert("kind".to_owned(), kind.as_str().into());
        let desc = self.core.typed.desc(&api_version, kind);
        let patched = patch.apply_plain(base, self.core)?;
        let invalid = |problem: &str| {
            // Complaints about a strategic merge patch show the patch and not its result.
            let value = Value::String(match patch {
                Patch::Strategic(patch) => go_print(&Value::Object(patch.clone())),
                _ => Value::Object(patched.clone()).to_string(),
            });
            ApiError::invalid("", "", "", &[FieldError::invalid("patch", &value, problem)])
        };
        if let Some(error) = self.wrong_head(&patched) {
            return Err(error);
        }
        let fits = |key: &str, wanted: &str| {
            matches!(text(&patched, key), "" if resource.custom.is_none())
                || text(&patched, key) == wanted
        };
        if !fits("apiVersion", &api_version) || !fits("kind", kind) {
            let (version, other) = (text(&patched, "apiVersion"), text(&patched, "kind"));
            let version = if version.is_empty() { api_version.as_str() } else { version };
            if other != kind && self.core.typed.desc(version, other).is_some() {
                let package = match resource.group.split('.').next().unwrap_or_default() {
                    "" => "core",
                    first => first,
                };
                let short = version.rsplit('/').next().unwrap_or_default();
                return Err(invalid(&format!(
                    "converting ({short}.{other}) to ({package}.{kind}): unknown conversion"
                )));
            }
            return Err(invalid(&format!(
                "no kind {} is registered for version {} in scheme \"pkg/api/legacyscheme/scheme.go:30\"",
                quote(text(&patched, "kind")),
                quote(text(&patched, "apiVersion"))
            )));
        }
        if resource.custom.is_some() {
            let mut object = patched.clone();
            let mut texts = complaints.to_vec();
            texts.extend(unknown(self.prune(&mut object).map_err(|e| invalid(&e))?));
            let warnings = strict(texts, options.validation).map_err(|e| invalid(&e))?;
            return Ok((object, warnings));
        }
        // Without a version it is read as the kind the server has inside, which has no such fields.
        let internal =
            text(&patched, "apiVersion").is_empty() && !matches!(patch, Patch::Strategic(_));
        let fields = match desc {
            _ if options.validation == FieldValidation::Ignore => Vec::new(),
            _ if internal => {
                let head = |key: &&String| !matches!(key.as_str(), "kind" | "apiVersion");
                patched.keys().filter(head).cloned().collect()
            }
            Some(desc) => unknown_fields(&patched, desc),
            None => Vec::new(),
        };
        let mut texts = complaints.to_vec();
        texts.extend(unknown(fields));
        let warnings = strict(texts, options.validation).map_err(|e| invalid(&e))?;
        if internal {
            return Ok((Object::new(), warnings));
        }
        let normal = self.core.typed.normalize(patched.clone(), &api_version, kind);
        let mut object = normal.map_err(|error| {
            let go = match patch {
                Patch::Strategic(_) => {
                    self.core.typed.conversion_error(&patched, &api_version, kind)
                }
                _ => desc.and_then(|desc| {
                    let text = Value::Object(patched.clone()).to_string();
                    go_json::misfit(&text, desc)
                }),
            };
            invalid(&go.unwrap_or(error))
        })?;
        if let Some(desc) = desc {
            crate::kinds::default(&mut object, desc, &api_version, &self.core.now());
        }
        resource.convert_to_storage(&mut object);
        Ok((object, warnings))
    }
}

impl Patch {
    /// Applies the patch to a value of its own kind, such as a Scale.
    pub(crate) fn apply_plain(&self, object: Object, core: &Core) -> ApiResult<Object> {
        let patched = match self {
            Patch::Json(patch) => {
                let mut value = Value::Object(object);
                patch.apply(&mut value).map(|()| value)
            }
            Patch::Merge(patch) => merge::apply(object.into(), patch.clone().into()),
            Patch::Strategic(patch) => {
                let desc = core.typed.desc(text(&object, "apiVersion"), text(&object, "kind"));
                let Some(desc) = desc else {
                    let message = "strategic merge patch format is not supported";
                    return Err(ApiError::bad_request(message));
                };
                let schema = TypeSchema::from_desc(desc);
                strategic::apply(object, patch.clone(), schema).map(Value::Object)
            }
        };
        match patched {
            Ok(Value::Object(object)) => Ok(object),
            // The document became a list.
            Ok(_) => Err(ApiError::rejected()),
            Err(error) => Err(match reason(&error) {
                Some(Reason::Malformed) => ApiError::bad_request(error.to_string()),
                Some(Reason::NotApplicable) => ApiError::rejected(),
                _ => ApiError::unknown(error.to_string()),
            }),
        }
    }
}

fn read(body: &[u8], media: &str) -> ApiResult<Patch> {
    let value: Value =
        serde_json::from_slice(body).map_err(|_| ApiError::bad_request("invalid JSON patch"))?;
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match (media, value) {
        (JSON_PATCH, Value::Array(operations)) => {
            if operations.len() > MAX_OPERATIONS {
                return Err(ApiError::too_large(&format!(
                    "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
                    operations.len()
                )));
            }
            let wrong = operations.iter().find(|op| !op.is_object() && !op.is_null()).map(kind);
            match JsonPatch::from_value(Value::Array(operations)) {
                Ok(patch) => Ok(Patch::Json(patch)),
                Err(_) => Err(ApiError::bad_request(format!(
                    "error decoding patch: json: cannot unmarshal {} into Go value of type \
                     handlers.jsonPatchOp",
                    wrong.unwrap_or("object")
                ))),
            }
        }
        (JSON_PATCH, other) => Err(ApiError::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {} into Go value of type \
             []handlers.jsonPatchOp",
            kind(&other)
        ))),
        (MERGE_PATCH, Value::Object(patch)) => Ok(Patch::Merge(patch)),
        (STRATEGIC, Value::Object(patch)) => Ok(Patch::Strategic(patch)),
        (MERGE_PATCH, other) => Err(ApiError::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {} into Go value of type \
             map[string]interface {{}}",
            kind(&other)
        ))),
        (_, other) => Err(ApiError::bad_request(format!(
            "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            kind(&other)
        ))),
    }
}
