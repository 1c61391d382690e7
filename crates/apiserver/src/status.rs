//! Errors as the API phrases them: a `Status` object with Kubernetes' own texts.
//!
//! Go counterpart: `k8s.io/apimachinery/pkg/api/errors`.

use std::borrow::Cow;

use pintle_apimachinery::validation::{BadValue, FieldError, FieldErrors};
use serde_json::{Map, Value, json};

/// The result of handling a request.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// A failure that is answered as a `Status` object.
#[derive(Clone, Debug)]
pub(crate) struct ApiError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    code: u16,
    reason: &'static str,
    message: String,
    details: Option<Details>,
    /// A fresh token in `metadata.continue` (expired paging).
    continue_token: Option<String>,
    /// Answered as this plain text instead of a `Status`.
    plain: bool,
    /// Answered with `X-Content-Type-Options: nosniff`.
    nosniff: bool,
    /// Told beside the failure.
    warnings: Vec<String>,
}

/// What the failure is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) uid: String,
    pub(crate) causes: Vec<Cause>,
    pub(crate) retry_after_seconds: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) field: String,
}

/// A Go `%q` of a string.
pub(crate) fn quote(text: &str) -> String {
    BadValue::from(text).as_str().to_owned()
}

/// `plural` or `plural.group`.
pub(crate) fn qualified(group: &str, resource: &str) -> String {
    if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") }
}

impl ApiError {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        ApiError(Box::new(Inner {
            code,
            reason,
            message: message.into(),
            details: None,
            continue_token: None,
            plain: false,
            nosniff: false,
            warnings: Vec::new(),
        }))
    }

    pub(crate) fn with(mut self, details: Details) -> Self {
        self.0.details = Some(details);
        self
    }

    /// The same failure with warnings beside it.
    pub(crate) fn warned(mut self, warnings: &[String]) -> Self {
        self.0.warnings = warnings.to_vec();
        self
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    pub(crate) fn code(&self) -> u16 {
        self.0.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<u32> {
        self.0.details.as_ref().map(|details| details.retry_after_seconds).filter(|s| *s > 0)
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.0.reason == "NotFound"
    }

    pub(crate) fn is_already_exists(&self) -> bool {
        self.0.reason == "AlreadyExists"
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.0.plain
    }

    fn about(code: u16, reason: &'static str, message: String, target: Target<'_>) -> Self {
        ApiError::new(code, reason, message).with(Details {
            name: target.name.to_owned(),
            group: target.group.to_owned(),
            kind: target.resource.to_owned(),
            ..Details::default()
        })
    }

    pub(crate) fn not_found(target: Target<'_>) -> Self {
        let message = format!("{target} not found");
        ApiError::about(404, "NotFound", message, target)
    }

    pub(crate) fn already_exists(target: Target<'_>) -> Self {
        let message = format!("{target} already exists");
        ApiError::about(409, "AlreadyExists", message, target)
    }

    pub(crate) fn generate_name_conflict(target: Target<'_>) -> Self {
        let message = format!(
            "{target} already exists, the server was not able to generate a unique name for the \
             object"
        );
        let mut error = ApiError::about(409, "AlreadyExists", message, target);
        if let Some(details) = &mut error.0.details {
            details.retry_after_seconds = 1;
        }
        error
    }

    pub(crate) fn conflict(target: Target<'_>, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {target}: {why}");
        ApiError::about(409, "Conflict", message, target)
    }

    pub(crate) fn modified(target: Target<'_>) -> Self {
        ApiError::conflict(
            target,
            "the object has been modified; please apply your changes to the latest version and \
             try again",
        )
    }

    pub(crate) fn forbidden(target: Target<'_>, why: &str) -> Self {
        let message = if target.resource.is_empty() && target.group.is_empty() {
            format!("forbidden: {why}")
        } else if target.name.is_empty() {
            format!("{} is forbidden: {why}", qualified(target.group, target.resource))
        } else {
            format!("{target} is forbidden: {why}")
        };
        ApiError::about(403, "Forbidden", message, target)
    }

    pub(crate) fn namespace_terminating(target: Target<'_>, namespace: &str) -> Self {
        let mut error = ApiError::forbidden(
            target,
            &format!(
                "unable to create new content in namespace {namespace} because it is being \
                 terminated"
            ),
        );
        if let Some(details) = &mut error.0.details {
            details.causes.push(Cause {
                reason: "NamespaceTerminating",
                message: format!("namespace {namespace} is being terminated"),
                field: "metadata.namespace".to_owned(),
            });
        }
        error
    }

    pub(crate) fn unauthorized() -> Self {
        ApiError::new(401, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        ApiError::new(400, "BadRequest", message)
    }

    /// `kind` may be a resource's name, as the storage layer has it.
    pub(crate) fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Self {
        let texts: FieldErrors = errors.iter().cloned().collect();
        let message = format!("{} {} is invalid: {texts}", qualified(group, kind), quote(name));
        let causes = errors
            .iter()
            .map(|error| Cause {
                reason: error.kind.cause_type(),
                message: error.body(),
                field: error.field.clone(),
            })
            .collect();
        let (name, group, kind) = (name.to_owned(), group.to_owned(), kind.to_owned());
        ApiError::new(422, "Invalid", message).with(Details {
            name,
            group,
            kind,
            causes,
            ..Details::default()
        })
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        ApiError::new(410, "Expired", message)
    }

    pub(crate) fn with_continue(mut self, token: String) -> Self {
        self.0.continue_token = Some(token);
        self
    }

    pub(crate) fn too_large_resource_version(wanted: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {wanted}, current: {current}");
        ApiError::new(504, "Timeout", message).with(Details {
            causes: vec![Cause {
                reason: "ResourceVersionTooLarge",
                message: "Too large resource version".to_owned(),
                field: String::new(),
            }],
            retry_after_seconds: 1,
            ..Details::default()
        })
    }

    pub(crate) fn unsupported_media_type(accepted: &[&str]) -> Self {
        ApiError::new(
            415,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format - accepted media types \
                 include: {}",
                accepted.join(", ")
            ),
        )
    }

    pub(crate) fn not_acceptable(accepted: &[&str]) -> Self {
        ApiError::new(
            406,
            "NotAcceptable",
            format!("only the following media types are accepted: {}", accepted.join(", ")),
        )
    }

    /// What the router of built-in resources says of an answer nobody takes.
    pub(crate) fn not_acceptable_route(offered: &[&str]) -> Self {
        let message =
            format!("406: Not Acceptable\n\nAvailable representations: {}", offered.join(", "));
        ApiError::new(406, "NotAcceptable", message).with(Details::default())
    }

    /// One object was asked for in a form of lists, or the other way round.
    pub(crate) fn wrong_form(message: impl Into<String>) -> Self {
        ApiError::new(406, "NotAcceptable", message)
    }

    /// What the router of built-in resources says of a patch it does not know.
    pub(crate) fn unsupported_route() -> Self {
        ApiError::new(415, "UnsupportedMediaType", "415: Unsupported Media Type")
            .with(Details::default())
    }

    /// Says that the answer's type is not to be guessed, as refusals before the handlers do.
    pub(crate) fn sniff_proof(mut self) -> Self {
        self.0.nosniff = true;
        self
    }

    pub(crate) fn is_sniff_proof(&self) -> bool {
        self.0.nosniff || self.0.plain
    }

    /// Puts words in front of the message.
    pub(crate) fn prefixed(mut self, words: &str) -> Self {
        self.0.message.insert_str(0, words);
        self
    }

    /// What a path with a known group and version answers when nothing is served there.
    pub(crate) fn no_such_resource() -> Self {
        ApiError::new(404, "NotFound", "the server could not find the requested resource")
            .with(Details::default())
    }

    pub(crate) fn method_not_allowed() -> Self {
        ApiError::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
        .with(Details::default())
    }

    pub(crate) fn method_not_supported(group: &str, resource: &str, action: &str) -> Self {
        let qualified = qualified(group, resource);
        ApiError::about(
            405,
            "MethodNotAllowed",
            format!("{action} is not supported on resources of kind {}", quote(&qualified)),
            Target { group, resource, name: "" },
        )
    }

    /// What a failed JSON patch answers.
    pub(crate) fn rejected() -> Self {
        ApiError::new(
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        )
        .with(Details::default())
    }

    pub(crate) fn too_large(message: &str) -> Self {
        ApiError::new(413, "RequestEntityTooLarge", format!("Request entity too large: {message}"))
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        let message = message.into();
        ApiError::new(500, "InternalError", format!("Internal error occurred: {message}")).with(
            Details {
                causes: vec![Cause { reason: "", message, field: String::new() }],
                ..Details::default()
            },
        )
    }

    /// A failure without reason and details, as an error that is not a `Status` becomes in Go.
    pub(crate) fn unknown(message: impl Into<String>) -> Self {
        ApiError::new(500, "", message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        ApiError::new(503, "ServiceUnavailable", message)
    }

    /// Something a real server does and this one does not do yet.
    pub(crate) fn not_implemented(what: &str) -> Self {
        ApiError::new(
            501,
            "NotImplemented",
            format!("{what} is not implemented by the embedded API server"),
        )
    }

    /// What a server in trouble answers with a code, in Kubernetes' words.
    pub(crate) fn of_code(code: u16, retry_after_seconds: u32) -> Self {
        let (reason, message) = match code {
            400 => ("BadRequest", "the request was refused by an injected fault"),
            401 => ("Unauthorized", "Unauthorized"),
            403 => ("Forbidden", "forbidden: refused by an injected fault"),
            404 => ("NotFound", "the server could not find the requested resource"),
            408 => ("Timeout", "request timed out"),
            409 => (
                "Conflict",
                "the object has been modified; please apply your changes to the \
                 latest version and try again",
            ),
            410 => ("Expired", "The resourceVersion for the provided watch is too old."),
            413 => ("RequestEntityTooLarge", "Request entity too large: injected"),
            422 => ("Invalid", "the server rejected our request due to an error in our request"),
            429 => ("TooManyRequests", "Too many requests, please try again later."),
            500 => ("InternalError", "Internal error occurred: injected fault"),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => ("Timeout", "Timeout: request did not complete within the allotted timeout"),
            _ => ("", "refused by an injected fault"),
        };
        let details = Details { retry_after_seconds, ..Details::default() };
        ApiError::new(code, reason, message).with(details)
    }

    /// Something that may be tried again, after some seconds if they are known.
    pub(crate) fn too_many_requests(message: &str, seconds: u32, cause: Cause) -> Self {
        ApiError::new(429, "TooManyRequests", message)
            .with(Details { retry_after_seconds: seconds, ..Details::default() })
            .caused_by(cause)
    }

    /// Tells a cause, too.
    pub(crate) fn caused_by(mut self, cause: Cause) -> Self {
        self.0.details.get_or_insert_default().causes.push(cause);
        self
    }

    /// A path nobody serves.
    pub(crate) fn page_not_found() -> Self {
        let mut error = ApiError::new(404, "NotFound", "404 page not found\n");
        error.0.plain = true;
        error
    }

    /// A path that cannot be taken apart.
    pub(crate) fn no_request_info(path: &str) -> Self {
        let mut error = ApiError::new(
            500,
            "InternalError",
            format!(
                "Internal Server Error: {}: failed to create RequestInfo: unable to determine \
                 kind and namespace from url, {path}\n",
                quote(path)
            ),
        );
        error.0.plain = true;
        error
    }

    /// The `Status` object.
    pub(crate) fn status(&self) -> Value {
        let inner = &self.0;
        let mut metadata = Map::new();
        if let Some(token) = &inner.continue_token {
            metadata.insert("continue".to_owned(), token.as_str().into());
        }
        let mut status = Map::new();
        status.insert("kind".to_owned(), "Status".into());
        status.insert("apiVersion".to_owned(), "v1".into());
        status.insert("metadata".to_owned(), Value::Object(metadata));
        status.insert("status".to_owned(), "Failure".into());
        status.insert("message".to_owned(), inner.message.as_str().into());
        if !inner.reason.is_empty() {
            status.insert("reason".to_owned(), inner.reason.into());
        }
        if let Some(details) = &inner.details {
            status.insert("details".to_owned(), details.to_value());
        }
        status.insert("code".to_owned(), inner.code.into());
        Value::Object(status)
    }
}

impl Details {
    pub(crate) fn to_value(&self) -> Value {
        let mut map = Map::new();
        for (key, value) in
            [("name", &self.name), ("group", &self.group), ("kind", &self.kind), ("uid", &self.uid)]
        {
            if !value.is_empty() {
                map.insert(key.to_owned(), value.as_str().into());
            }
        }
        if !self.causes.is_empty() {
            let causes = self.causes.iter().map(|cause| {
                let mut map = Map::new();
                for (key, value) in [
                    ("reason", Cow::Borrowed(cause.reason)),
                    ("message", Cow::Borrowed(cause.message.as_str())),
                    ("field", Cow::Borrowed(cause.field.as_str())),
                ] {
                    if !value.is_empty() {
                        map.insert(key.to_owned(), Value::String(value.into_owned()));
                    }
                }
                Value::Object(map)
            });
            map.insert("causes".to_owned(), causes.collect());
        }
        if self.retry_after_seconds > 0 {
            map.insert("retryAfterSeconds".to_owned(), self.retry_after_seconds.into());
        }
        Value::Object(map)
    }
}

/// The `Status` of a finished deletion.
pub(crate) fn deleted(details: &Details) -> Value {
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details.to_value(),
    })
}

/// The object or resource an error names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) name: &'a str,
}

impl std::fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", qualified(self.group, self.resource), quote(self.name))
    }
}
