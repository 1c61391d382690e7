//! [`Error`]: the one error type of the project. Go: `k8s.io/apimachinery/pkg/api/errors`.
use crate::{Status, StatusCause};
use std::fmt;

/// Something did not work. Opaque: ask with the predicates, or look at [`Error::status`].
///
/// `Display` prints one line that says what happened and, where it helps, what to do; the cause
/// is behind [`source`](std::error::Error::source).
///
/// ```
/// use pintle_apimachinery::{Error, GroupResource};
/// let e = Error::not_found(&GroupResource::from_static("apps", "deployments"), "web");
/// assert!(e.is_not_found() && !e.is_conflict());
/// assert_eq!(e.to_string(), "deployments.apps \"web\" not found (404)");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    what: What,
    message: String,
    /// Method and URL of the request, without credentials.
    request: Option<String>,
    status: Option<Status>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Status,
    Decode,
    Encode,
    Transport,
    Timeout,
    Config,
    Invalid,
    NotRegistered,
    StrictDecoding,
    NoMatch,
    Ambiguous,
    AlreadyOwned,
    Other,
}

impl Error {
    fn new(what: What, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            what,
            message: message.into(),
            request: None,
            status: None,
            source: None,
        }))
    }
    /// Bytes could not be decoded.
    pub fn decode(message: impl Into<String>) -> Self {
        Self::new(What::Decode, message)
    }
    /// A value could not be encoded.
    pub fn encode(message: impl Into<String>) -> Self {
        Self::new(What::Encode, message)
    }
    /// The connection failed before an answer was complete.
    pub fn transport(message: impl Into<String>) -> Self {
        Self::new(What::Transport, message)
    }
    /// No answer within the time that was given.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(What::Timeout, message)
    }
    /// The configuration cannot be used.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(What::Config, message)
    }
    /// An argument cannot be used.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(What::Invalid, message)
    }
    /// Strict decoding objects to something ([`StrictErrors`](crate::StrictErrors)).
    /// Go: `runtime.NewStrictDecodingError`.
    pub fn strict_decoding(message: impl Into<String>) -> Self {
        Self::new(What::StrictDecoding, message)
    }
    /// A kind is not in the scheme.
    /// Go: `runtime.NewNotRegisteredErrForKind`.
    pub fn not_registered(message: impl Into<String>) -> Self {
        Self::new(What::NotRegistered, message)
    }
    /// A mapper knows no such kind or resource.
    pub(crate) fn no_match(message: impl Into<String>) -> Self {
        Self::new(What::NoMatch, message)
    }
    /// An object has another controller.
    pub(crate) fn already_owned(message: impl Into<String>) -> Self {
        Self::new(What::AlreadyOwned, message)
    }
    /// A mapper knows several such kinds or resources.
    pub(crate) fn ambiguous(message: impl Into<String>) -> Self {
        Self::new(What::Ambiguous, message)
    }
    /// Anything else.
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(What::Other, message)
    }
    /// The server answered with a failure.
    /// Go: `apierrors.FromObject`.
    pub fn from_status(status: Status) -> Self {
        let message = if status.message.is_empty() {
            match status.reason.as_str() {
                "" => format!("the server answered with status code {}", status.code),
                reason => format!("the server answered {reason}"),
            }
        } else {
            status.message.to_string()
        };
        let mut e = Self::new(What::Status, message);
        e.0.status = Some(status);
        e
    }
    /// Adds the cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }
    /// Adds the request that failed: method and URL, without credentials.
    #[must_use]
    pub fn with_request(mut self, method: &str, url: &str) -> Self {
        self.0.request = Some(format!("{method} {url}"));
        self
    }
    /// Puts `context` and a colon before the message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }
    /// The server's Status, when there is one.
    pub fn status(&self) -> Option<&Status> {
        self.0.status.as_ref()
    }
    /// HTTP status code of the answer.
    pub fn code(&self) -> Option<u16> {
        self.status().and_then(|s| u16::try_from(s.code).ok())
    }
    /// The causes of the server's Status.
    pub fn causes(&self) -> &[StatusCause] {
        self.status().and_then(|s| s.details.as_ref()).map_or(&[], |d| &d.causes[..])
    }
    /// The reason of the server's Status; empty when there is none. Go: `ReasonForError`.
    pub fn reason(&self) -> &str {
        self.status().map_or("", |s| s.reason.as_str())
    }
    /// How long the server asks to wait before the next try, in seconds; a time in the past is 0.
    /// Go: `SuggestsClientDelay`.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        let seconds = self.status()?.suggested_delay()?;
        Some(u32::try_from(seconds).unwrap_or(0))
    }
    /// Whether the bytes could not be decoded.
    pub fn is_decode(&self) -> bool {
        self.0.what == What::Decode
    }
    /// Whether the value could not be encoded.
    pub fn is_encode(&self) -> bool {
        self.0.what == What::Encode
    }
    /// Whether the connection failed before an answer was complete.
    pub fn is_transport(&self) -> bool {
        self.0.what == What::Transport
    }
    /// Whether the configuration cannot be used.
    pub fn is_config(&self) -> bool {
        self.0.what == What::Config
    }
    /// Whether an argument cannot be used (not an answer of the server; see [`Error::is_invalid`]).
    pub fn is_invalid_argument(&self) -> bool {
        self.0.what == What::Invalid
    }
    /// Whether strict decoding objected to something, and nothing else was wrong.
    /// Go: `runtime.IsStrictDecodingError`.
    pub fn is_strict_decoding(&self) -> bool {
        self.0.what == What::StrictDecoding
    }
    /// Whether a kind is not in the scheme. Go: `runtime.IsNotRegisteredError`.
    pub fn is_not_registered(&self) -> bool {
        self.0.what == What::NotRegistered
    }
    /// Whether a [`RestMapper`](crate::meta::RestMapper) knows no such kind or resource.
    /// Go: `meta.IsNoMatchError`.
    pub fn is_no_match(&self) -> bool {
        self.any(What::NoMatch)
    }
    /// Whether a [`RestMapper`](crate::meta::RestMapper) knows several such kinds or resources.
    /// Go: `meta.IsAmbiguousError`.
    pub fn is_ambiguous(&self) -> bool {
        self.any(What::Ambiguous)
    }
    /// Whether this is it or, as in Go, one of several errors that this stands for.
    fn any(&self, what: What) -> bool {
        let several = || self.0.source.as_ref()?.downcast_ref::<crate::util::Aggregate<Error>>();
        self.0.what == what || several().is_some_and(|e| e.errors().iter().any(|e| e.any(what)))
    }
    /// Whether an object could not be taken because it has another controller.
    /// Go: controller-runtime's `AlreadyOwnedError`.
    pub fn is_already_owned(&self) -> bool {
        self.0.what == What::AlreadyOwned
    }
    fn has_reason(&self, reason: &str, code: i32) -> bool {
        self.status().is_some_and(|s| {
            s.reason == reason || (!is_known_reason(&s.reason) && code != 0 && s.code == code)
        })
    }
}

macro_rules! predicates {
    ($($(#[$doc:meta])* $name:ident $reason:literal $code:literal;)*) => {
        impl Error { $(
            $(#[$doc])*
            pub fn $name(&self) -> bool { self.has_reason($reason, $code) }
        )* }
        /// Whether Go's apimachinery knows the reason: only then is the code not looked at.
        fn is_known_reason(reason: &str) -> bool {
            matches!(reason, $($reason)|*)
        }
    };
}
predicates! {
    /// The object, or the resource, does not exist.
    is_not_found "NotFound" 404;
    /// An object of that name exists.
    is_already_exists "AlreadyExists" 0;
    /// The object was changed by somebody else in the meantime: get it again.
    is_conflict "Conflict" 409;
    /// The object failed validation.
    is_invalid "Invalid" 422;
    /// The resource version, or the continue token, is too old: list again.
    is_resource_expired "Expired" 0;
    /// The resource version is gone.
    is_gone "Gone" 410;
    /// The caller may not do that.
    is_forbidden "Forbidden" 403;
    /// The caller is not known.
    is_unauthorized "Unauthorized" 401;
    /// The server could not answer in time, and the request had no effect that is known.
    is_server_timeout "ServerTimeout" 0;
    /// The request did not finish in time.
    is_timeout_status "Timeout" 504;
    /// The server is too busy for this caller.
    is_too_many_requests_reason "TooManyRequests" 429;
    /// The request cannot be understood.
    is_bad_request "BadRequest" 400;
    /// The resource has no such verb.
    is_method_not_supported "MethodNotAllowed" 405;
    /// The server cannot answer in a format the caller accepts.
    is_not_acceptable "NotAcceptable" 406;
    /// The server does not take bodies in that format.
    is_unsupported_media_type "UnsupportedMediaType" 415;
    /// The body is too large.
    is_request_entity_too_large_reason "RequestEntityTooLarge" 413;
    /// The server met an error it did not expect.
    is_internal_error "InternalError" 500;
    /// The server cannot answer now.
    is_service_unavailable "ServiceUnavailable" 503;
    /// The store behind the server cannot be read.
    is_store_read_error "StorageReadError" 0;
}

impl Error {
    /// Whether the resource version is too old or gone: list again.
    pub fn is_expired(&self) -> bool {
        self.is_gone() || self.is_resource_expired()
    }
    /// Whether time ran out, here or in the server.
    pub fn is_timeout(&self) -> bool {
        self.0.what == What::Timeout || self.is_timeout_status()
    }
    /// Whether the server is too busy for this caller: reason or code.
    pub fn is_too_many_requests(&self) -> bool {
        self.is_too_many_requests_reason() || self.code() == Some(429)
    }
    /// Whether the body is too large: reason or code.
    pub fn is_request_entity_too_large(&self) -> bool {
        self.is_request_entity_too_large_reason() || self.code() == Some(413)
    }
    /// Whether the resource version asked for lies ahead of the server.
    /// Go: `storage.IsTooLargeResourceVersion`.
    pub fn is_too_large_resource_version(&self) -> bool {
        self.is_timeout_status()
            && self.causes().iter().any(|c| c.reason == "ResourceVersionTooLarge")
    }
    /// Whether a cause of the Status is of type `reason`. Go: `HasStatusCause`.
    pub fn has_cause(&self, reason: &str) -> bool {
        self.cause(reason).is_some()
    }
    /// The first cause of the Status that is of type `reason`. Go: `StatusCause`.
    pub fn cause(&self, reason: &str) -> Option<&StatusCause> {
        self.causes().iter().find(|c| c.reason == reason)
    }
    /// Whether the answer did not come from Kubernetes, as far as one can tell: a proxy may stand
    /// in between. Go: `IsUnexpectedServerError`.
    pub fn is_unexpected_server_error(&self) -> bool {
        self.has_cause("UnexpectedServerResponse")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match (self.code(), &self.0.request) {
            (Some(code), Some(r)) if code != 0 => write!(f, " ({code}; {r})"),
            (Some(code), None) if code != 0 => write!(f, " ({code})"),
            (_, Some(r)) => write!(f, " ({r})"),
            _ => Ok(()),
        }
    }
}
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self}", self.0.what)?;
        if let Some(s) = &self.0.source {
            write!(f, "; caused by {s:?}")?;
        }
        f.write_str(")")
    }
}
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}
impl From<Box<crate::reflect::DecodeError>> for Error {
    fn from(e: Box<crate::reflect::DecodeError>) -> Self {
        Error::decode(e.to_string())
    }
}
impl From<crate::ParseError> for Error {
    fn from(e: crate::ParseError) -> Self {
        Error::invalid(e.to_string())
    }
}
