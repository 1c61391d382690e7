//! Making and reading [`Status`], the server's answer when there is no object to give.
//! Go: the constructors of `k8s.io/apimachinery/pkg/api/errors`, whose messages these have.
//!
//! A constructor is named after its reason: `NewNotFound` is [`Status::not_found`]. Each gives a
//! [`Status`], which a server sends; [`Error::from`] makes the error of it that a client would see.
use crate::parse_error::quote;
use crate::validation::FieldErrors;
use crate::{
    AnyKind, Error, GroupKind, GroupResource, Shared, Status, StatusCause, StatusDetails, Str,
};
use std::fmt::Display;

impl Status {
    /// A failure with a code, a reason and a message.
    pub fn failure(code: u16, reason: &str, message: impl Into<Str>) -> Status {
        Status {
            status: "Failure".into(),
            code: i32::from(code),
            reason: reason.into(),
            message: message.into(),
            ..Default::default()
        }
    }
    /// Whether this says that the request succeeded.
    pub fn is_success(&self) -> bool {
        self.status == "Success"
    }
    fn details_mut(&mut self) -> &mut StatusDetails {
        self.details.get_or_insert_with(Shared::default)
    }
    /// The same with details about the object.
    #[must_use]
    pub fn about(mut self, resource: &GroupResource, name: &str) -> Status {
        let d = self.details_mut();
        d.group = Str::new(&resource.group);
        d.kind = Str::new(&resource.resource);
        d.name = name.into();
        self
    }
    /// The same with one more cause.
    #[must_use]
    pub fn with_cause(mut self, reason: &str, message: impl Into<Str>, field: &str) -> Status {
        self.details_mut().causes.push(StatusCause {
            reason: reason.into(),
            message: message.into(),
            field: field.into(),
        });
        self
    }
    /// The same with a wish that the client wait.
    #[must_use]
    pub fn retry_after(mut self, seconds: i32) -> Status {
        self.details_mut().retry_after_seconds = seconds;
        self
    }
    /// The causes; none if there are no details.
    pub fn causes(&self) -> &[StatusCause] {
        self.details.as_ref().map_or(&[], |d| &d.causes[..])
    }
    /// The first cause of this type. Go: `StatusCause`.
    pub fn cause(&self, reason: &str) -> Option<&StatusCause> {
        self.causes().iter().find(|c| c.reason == reason)
    }
    /// How many seconds the client is asked to wait before it tries again, if it is asked to: a
    /// `ServerTimeout` always asks, if only for 0. Go: `SuggestsClientDelay`.
    pub fn suggested_delay(&self) -> Option<i32> {
        let seconds = self.details.as_ref()?.retry_after_seconds;
        (self.reason == "ServerTimeout" || seconds > 0).then_some(seconds)
    }
}

// One constructor for each reason.
impl Status {
    /// `pods "web" not found`. Go: `NewNotFound`.
    pub fn not_found(resource: &GroupResource, name: &str) -> Status {
        let message = format!("{resource} {} not found", quote(name));
        Status::failure(404, "NotFound", message).about(resource, name)
    }
    /// `pods "web" already exists`. Go: `NewAlreadyExists`.
    pub fn already_exists(resource: &GroupResource, name: &str) -> Status {
        let message = format!("{resource} {} already exists", quote(name));
        Status::failure(409, "AlreadyExists", message).about(resource, name)
    }
    /// A name made from `generateName` was taken; the client may try again.
    /// Go: `NewGenerateNameConflict`.
    pub fn generate_name_conflict(
        resource: &GroupResource,
        name: &str,
        retry_after_seconds: i32,
    ) -> Status {
        let message = format!(
            "{resource} {} already exists, the server was not able to generate a unique name for the object",
            quote(name)
        );
        Status::failure(409, "AlreadyExists", message)
            .about(resource, name)
            .retry_after(retry_after_seconds)
    }
    /// The caller is not known; an empty reason says `not authorized`. Go: `NewUnauthorized`.
    pub fn unauthorized(reason: &str) -> Status {
        let message = if reason.is_empty() { "not authorized" } else { reason };
        Status::failure(401, "Unauthorized", message)
    }
    /// `pods "web" is forbidden: why`. Without a name it is about the resource, and without either
    /// about the request. Go: `NewForbidden`.
    pub fn forbidden(resource: &GroupResource, name: &str, why: impl Display) -> Status {
        let message = if resource.is_empty() {
            format!("forbidden: {why}")
        } else if name.is_empty() {
            format!("{resource} is forbidden: {why}")
        } else {
            format!("{resource} {} is forbidden: {why}", quote(name))
        };
        Status::failure(403, "Forbidden", message).about(resource, name)
    }
    /// The object was changed in the meantime, or something else stands against the change.
    /// Go: `NewConflict`.
    pub fn conflict(resource: &GroupResource, name: &str, why: impl Display) -> Status {
        let message = format!("Operation cannot be fulfilled on {resource} {}: {why}", quote(name));
        Status::failure(409, "Conflict", message).about(resource, name)
    }
    /// A server-side apply met fields that others manage. Go: `NewApplyConflict`.
    pub fn apply_conflict(
        causes: impl IntoIterator<Item = StatusCause>,
        message: impl Into<Str>,
    ) -> Status {
        let mut status = Status::failure(409, "Conflict", message);
        status.details_mut().causes = causes.into_iter().collect();
        status
    }
    /// What was asked for is no longer there. Go: `NewGone`.
    pub fn gone(message: impl Into<Str>) -> Status {
        Status::failure(410, "Gone", message)
    }
    /// The resource version, or the continue token, is too old. Go: `NewResourceExpired`.
    pub fn resource_expired(message: impl Into<Str>) -> Status {
        Status::failure(410, "Expired", message)
    }
    /// The object failed validation; each error becomes a cause. Go: `NewInvalid`.
    pub fn invalid(kind: &GroupKind, name: &str, errors: &FieldErrors) -> Status {
        let colon = if errors.is_empty() { "" } else { ": " };
        let message = format!("{kind} {} is invalid{colon}{errors}", quote(name));
        let mut status = Status::failure(422, "Invalid", message);
        let d = status.details_mut();
        (d.group, d.kind, d.name) = (Str::new(&kind.group), Str::new(&kind.kind), name.into());
        let cause = |e: &crate::validation::FieldError| StatusCause {
            reason: e.kind.cause_type().into(),
            message: e.body().into(),
            field: Str::new(&e.field),
        };
        d.causes = errors.iter().map(cause).collect();
        status
    }
    /// The request cannot be understood. Go: `NewBadRequest`.
    pub fn bad_request(reason: impl Into<Str>) -> Status {
        Status::failure(400, "BadRequest", reason)
    }
    /// The server is too busy for this caller. Go: `NewTooManyRequests`; `NewTooManyRequestsError`
    /// is [`too_many_requests_error`](Self::too_many_requests_error).
    pub fn too_many_requests(message: impl Into<Str>, retry_after_seconds: i32) -> Status {
        Status::failure(429, "TooManyRequests", message).retry_after(retry_after_seconds)
    }
    /// `Too many requests: message`, without details. Go: `NewTooManyRequestsError`.
    pub fn too_many_requests_error(message: impl Display) -> Status {
        Status::failure(429, "TooManyRequests", format!("Too many requests: {message}"))
    }
    /// The server cannot answer now. Go: `NewServiceUnavailable`.
    pub fn service_unavailable(reason: impl Into<Str>) -> Status {
        Status::failure(503, "ServiceUnavailable", reason)
    }
    /// The resource has no such verb. Go: `NewMethodNotSupported`.
    pub fn method_not_supported(resource: &GroupResource, action: &str) -> Status {
        let message = format!(
            "{action} is not supported on resources of kind {}",
            quote(&resource.to_string())
        );
        Status::failure(405, "MethodNotAllowed", message).about(resource, "")
    }
    /// The server could not finish in time, and the client may try again. Go: `NewServerTimeout`,
    /// and `NewServerTimeoutForKind` with the kind as the resource.
    pub fn server_timeout(
        resource: &GroupResource,
        operation: &str,
        retry_after_seconds: i32,
    ) -> Status {
        let message = format!(
            "The {operation} operation against {resource} could not be completed at this time, please try again."
        );
        Status::failure(500, "ServerTimeout", message)
            .about(resource, operation)
            .retry_after(retry_after_seconds)
    }
    /// The server met an error it did not expect. Go: `NewInternalError`.
    pub fn internal_error(error: impl Display) -> Status {
        let message = format!("Internal error occurred: {error}");
        Status::failure(500, "InternalError", message).with_cause("", error.to_string(), "")
    }
    /// `Timeout: message`: the request did not finish in time. Go: `NewTimeoutError`.
    pub fn timeout(message: impl Display, retry_after_seconds: i32) -> Status {
        Status::failure(504, "Timeout", format!("Timeout: {message}"))
            .retry_after(retry_after_seconds)
    }
    /// The body is too large. Go: `NewRequestEntityTooLargeError`.
    pub fn request_entity_too_large(message: impl Display) -> Status {
        let message = format!("Request entity too large: {message}");
        Status::failure(413, "RequestEntityTooLarge", message)
    }
    /// What a client makes of an answer that says only its HTTP code. Go: `NewGenericServerResponse`.
    pub fn from_response(response: &BareResponse<'_>) -> Status {
        let BareResponse { code, verb, resource, name, server_message, .. } = *response;
        let (reason, message) = match code {
            409 if verb == "POST" => ("AlreadyExists", "the server reported a conflict"),
            409 => ("Conflict", "the server reported a conflict"),
            404 => ("NotFound", "the server could not find the requested resource"),
            400 => ("BadRequest", "the server rejected our request for an unknown reason"),
            401 => ("Unauthorized", "the server has asked for the client to provide credentials"),
            403 => ("Forbidden", server_message),
            406 if matches!(server_message, "" | "unknown") => (
                "NotAcceptable",
                "the server was unable to respond with a content type that the client supports",
            ),
            406 => ("NotAcceptable", server_message),
            415 => ("UnsupportedMediaType", server_message),
            405 => (
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            ),
            422 => ("Invalid", "the server rejected our request due to an error in our request"),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => (
                "Timeout",
                "the server was unable to return a response in the time allotted, but may still be processing the request",
            ),
            429 => (
                "TooManyRequests",
                "the server has received too many requests and has asked us to try again later",
            ),
            500.. => ("InternalError", ""),
            _ => ("", ""),
        };
        let mut message = match reason {
            "InternalError" => format!(
                "an error on the server ({}) has prevented the request from succeeding",
                quote(server_message)
            ),
            "" => format!(
                "the server responded with the status code {code} but did not return more information"
            ),
            _ => message.to_owned(),
        };
        if !resource.is_empty() {
            let space = if name.is_empty() { "" } else { " " };
            let verb = verb.to_lowercase();
            message = format!("{message} ({verb} {resource}{space}{name})");
        }
        let mut status = Status::failure(code, reason, message)
            .about(resource, name)
            .retry_after(response.retry_after_seconds);
        if response.is_unexpected {
            status = status.with_cause("UnexpectedServerResponse", server_message, "");
        }
        status
    }
    /// What a client tells of an error of its own as if a server had: a watch that cannot be
    /// decoded. An empty cause is `ClientError`. Go: `ErrorReporter.AsObject`.
    pub fn client_error(code: u16, verb: &str, cause: &str, error: impl Display) -> Status {
        let text = error.to_string();
        let cause = if cause.is_empty() { "ClientError" } else { cause };
        let response = BareResponse { is_unexpected: true, ..BareResponse::new(code, verb, &text) };
        Status::from_response(&response).with_cause(cause, text.as_str(), "")
    }
}

/// An answer of a server that is no Status; see [`Status::from_response`].
/// Go: the parameters of `apierrors.NewGenericServerResponse`.
#[derive(Clone, Copy, Debug)]
pub struct BareResponse<'a> {
    /// The HTTP status code.
    pub code: u16,
    /// The HTTP method in capitals: a conflict of a `POST` says that the object exists.
    pub verb: &'a str,
    /// What was asked about; empty if not known.
    pub resource: &'a GroupResource,
    /// The object that was asked about; empty if not known.
    pub name: &'a str,
    /// The body, or as much of it as can be shown.
    pub server_message: &'a str,
    /// The header `Retry-After`; 0 if there was none.
    pub retry_after_seconds: i32,
    /// Whether the answer did not come from Kubernetes, as far as one can tell.
    pub is_unexpected: bool,
}

impl<'a> BareResponse<'a> {
    /// An answer to a request that is not about a resource.
    pub fn new(code: u16, verb: &'a str, server_message: &'a str) -> Self {
        static NO_RESOURCE: GroupResource = GroupResource::from_static("", "");
        BareResponse {
            code,
            verb,
            resource: &NO_RESOURCE,
            name: "",
            server_message,
            retry_after_seconds: 0,
            is_unexpected: false,
        }
    }
}

impl From<Status> for Error {
    fn from(s: Status) -> Error {
        Error::from_status(s)
    }
}

impl Error {
    /// `pods "web" not found`. Go: `NewNotFound`.
    pub fn not_found(resource: &GroupResource, name: &str) -> Error {
        Status::not_found(resource, name).into()
    }
    /// `pods "web" already exists`. Go: `NewAlreadyExists`.
    pub fn already_exists(resource: &GroupResource, name: &str) -> Error {
        Status::already_exists(resource, name).into()
    }
    /// The optimistic lock failed. Go: `NewConflict`.
    pub fn conflict(resource: &GroupResource, name: &str, why: &str) -> Error {
        Status::conflict(resource, name, why).into()
    }
    /// The resource version is too old. Go: `NewResourceExpired`.
    pub fn resource_expired(message: &str) -> Error {
        Status::resource_expired(message).into()
    }
    /// The error that an object of a watch's `ERROR` event stands for: a Status is itself, typed or
    /// not; anything else was not to be expected. Go: `FromObject`.
    ///
    /// ```
    /// use pintle_apimachinery::{Error, ObjectMeta, PartialObjectMetadata, Status};
    /// assert!(Error::from_object(&Status::gone("too old")).is_gone());
    /// let error = Error::from_object(&PartialObjectMetadata::default());
    /// assert!(error.to_string().starts_with("unexpected object: "));
    /// ```
    pub fn from_object(object: &dyn AnyKind) -> Error {
        let status = match object.as_any().downcast_ref::<crate::Unstructured>() {
            None => object.as_any().downcast_ref::<Status>().cloned(),
            Some(u) if u.kind == "Status" => {
                let known = matches!(u.api_version.as_str(), "v1" | "meta.k8s.io/v1");
                match serde_json::to_value(u).and_then(serde_json::from_value) {
                    Ok(status) if known => Some(status),
                    Ok(_) => None,
                    Err(e) => return Error::decode(format!("Status of a watch: {e}")),
                }
            }
            Some(_) => None,
        };
        status.map_or_else(
            // The object itself is not shown: it may be a Secret.
            || Error::other(format!("unexpected object: {}", object.gvk())),
            Error::from_status,
        )
    }
}

#[cfg(test)]
mod tests;
