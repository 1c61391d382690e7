//! Who asks, and whether they may.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/authentication` and `authorization`. Users come from
//! bearer tokens, client certificates of the server's own CA, and the process itself; members of
//! `system:masters` may do everything and others nothing beyond discovery, unless everything is
//! allowed. RBAC is not here yet; [`Auth::authorize`] is its place.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::request::RequestInfo;
use crate::status::{ApiError, ApiResult, Target, quote};

/// Who a request is made as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name, such as `system:admin`.
    pub name: String,
    /// The groups; `system:authenticated` is added by the server.
    pub groups: Vec<String>,
}

impl User {
    /// A user with a name and groups.
    pub fn new(
        name: impl Into<String>,
        groups: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        User { name: name.into(), groups: groups.into_iter().map(Into::into).collect() }
    }

    /// The user who may do everything: `system:admin` in `system:masters`.
    pub fn admin() -> Self {
        User::new("system:admin", ["system:masters"])
    }

    /// The user of requests without credentials.
    pub fn anonymous() -> Self {
        User::new("system:anonymous", ["system:unauthenticated"])
    }
}

/// What the server accepts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Auth {
    pub(crate) tokens: HashMap<String, User>,
    /// Requests without credentials are `system:anonymous` and not 401.
    pub(crate) anonymous: bool,
    /// Everybody may do everything.
    pub(crate) allow_all: bool,
}

impl Auth {
    /// The user of a request; `connection` is who its certificate or the process says.
    pub(crate) fn authenticate(
        &self,
        headers: &HeaderMap,
        connection: Option<&User>,
    ) -> ApiResult<User> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let token = value
                .to_str()
                .ok()
                .and_then(|value| value.split_once(' '))
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, token)| token.trim());
            if let Some(token) = token.filter(|token| !token.is_empty()) {
                return match (self.tokens.get(token), connection) {
                    (Some(user), _) => Ok(user.clone()),
                    // A certificate that is right counts, whatever the token.
                    (None, Some(user)) => Ok(user.clone()),
                    (None, None) => Err(ApiError::unauthorized()),
                };
            }
        }
        match connection {
            Some(user) => Ok(user.clone()),
            None if self.anonymous => Ok(User::anonymous()),
            None => Err(ApiError::unauthorized()),
        }
    }

    /// Refuses what the user may not do, with Kubernetes' text.
    pub(crate) fn authorize(&self, user: &User, info: &RequestInfo) -> ApiResult<()> {
        if self.allow_all || user.groups.iter().any(|group| group == "system:masters") {
            return Ok(());
        }
        let RequestInfo { verb, group, resource, subresource, namespace, name, path, .. } = info;
        if !info.is_resource {
            let verb = if matches!(*verb, "get" | "head") { "get" } else { verb };
            let public = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
            let discovery = ["/api", "/apis", "/openapi"];
            let anonymous = user.groups.iter().any(|group| group == "system:unauthenticated");
            let under = |prefix: &str| {
                path.strip_prefix(prefix)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if verb == "get"
                && (public.contains(&path.as_str())
                    || (!anonymous && discovery.iter().any(|prefix| under(prefix))))
            {
                return Ok(());
            }
            let why = format!("User {} cannot {verb} path {}", quote(&user.name), quote(path));
            return Err(ApiError::forbidden(Target { group: "", resource: "", name: "" }, &why));
        }
        let full = match subresource.as_str() {
            "" => resource.clone(),
            sub => format!("{resource}/{sub}"),
        };
        let place = match namespace.as_str() {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace {}", quote(namespace)),
        };
        let why = format!(
            "User {} cannot {verb} resource {} in API group {} {place}",
            quote(&user.name),
            quote(&full),
            quote(group)
        );
        Err(ApiError::forbidden(Target { group, resource, name }, &why))
    }
}
