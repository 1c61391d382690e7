//! The users that every server knows.

/// Someone with credentials of one kind. Names and rights are the same on every server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// May do everything; client certificate in the kubeconfig.
    Admin,
    /// May do everything; client certificate in files.
    AdminFiles,
    /// `token-admin` may do everything; bearer token.
    AdminToken,
    /// `jane` may do nothing; client certificate.
    Jane,
    /// `token-joe` may do nothing; bearer token.
    JoeToken,
    /// Nobody.
    Anonymous,
}

impl Who {
    pub(super) const ALL: [Who; 6] =
        [Who::Admin, Who::AdminFiles, Who::AdminToken, Who::Jane, Who::JoeToken, Who::Anonymous];

    /// The name in `kubeconfigs` of control-plane.json.
    pub(super) fn key(self) -> &'static str {
        match self {
            Who::Admin => "admin",
            Who::AdminFiles => "admin-files",
            Who::AdminToken => "admin-token",
            Who::Jane => "jane",
            Who::JoeToken => "joe-token",
            Who::Anonymous => "anonymous",
        }
    }
}
