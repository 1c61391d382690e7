//! Making and reading [`Status`], the server's answer when there is no object to give.
//! Go: the constructors of `k8s.io/apimachinery/pkg/api/errors`.
use crate::{Error, GroupResource, Shared, Status, StatusCause, StatusDetails, Str};

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
    /// The same with details about the object.
    #[must_use]
    pub fn about(mut self, resource: &GroupResource, name: &str) -> Status {
        let d = self.details.get_or_insert_with(Shared::default);
        d.group = Str::new(&resource.group);
        d.kind = Str::new(&resource.resource);
        d.name = name.into();
        self
    }
    /// The same with one more cause.
    #[must_use]
    pub fn with_cause(mut self, reason: &str, message: impl Into<Str>, field: &str) -> Status {
        let d: &mut StatusDetails = self.details.get_or_insert_with(Shared::default);
        d.causes.push(StatusCause {
            reason: reason.into(),
            message: message.into(),
            field: field.into(),
        });
        self
    }
    /// The same with a wish that the client wait.
    #[must_use]
    pub fn retry_after(mut self, seconds: i32) -> Status {
        self.details.get_or_insert_with(Shared::default).retry_after_seconds = seconds;
        self
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
        let s = Status::failure(404, "NotFound", format!("{resource} {name:?} not found"));
        s.about(resource, name).into()
    }
    /// `pods "web" already exists`. Go: `NewAlreadyExists`.
    pub fn already_exists(resource: &GroupResource, name: &str) -> Error {
        let message = format!("{resource} {name:?} already exists");
        Status::failure(409, "AlreadyExists", message).about(resource, name).into()
    }
    /// The optimistic lock failed. Go: `NewConflict`.
    pub fn conflict(resource: &GroupResource, name: &str, why: &str) -> Error {
        let message = format!("Operation cannot be fulfilled on {resource} {name:?}: {why}");
        Status::failure(409, "Conflict", message).about(resource, name).into()
    }
    /// The resource version is too old. Go: `NewResourceExpired`.
    pub fn resource_expired(message: &str) -> Error {
        Status::failure(410, "Expired", message).into()
    }
}
