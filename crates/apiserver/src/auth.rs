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

    /// Who a request is made as when its headers name somebody else. Go: `WithImpersonation`.
    pub(crate) fn impersonate(
        &self,
        user: User,
        headers: &HeaderMap,
        info: &RequestInfo,
    ) -> ApiResult<User> {
        let all = |name: &str| -> Vec<String> {
            let values = headers.get_all(name).iter();
            values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
        };
        let name = all("impersonate-user").into_iter().next().unwrap_or_default();
        let mut groups = all("impersonate-group");
        if name.is_empty() {
            return match groups.first() {
                None => Ok(user),
                Some(_) => {
                    let groups: Vec<String> = groups.iter().map(|group| quote(group)).collect();
                    let message = format!(
                        "requested &user.DefaultInfo{{Name:\"\", UID:\"\", Groups:[]string{{{}}}, \
                         Extra:map[string][]string(nil)}} without impersonating a user name",
                        groups.join(", ")
                    );
                    Err(ApiError::bad_request(message).sniff_proof())
                }
            };
        }
        let account = name.strip_prefix("system:serviceaccount:").and_then(|n| n.split_once(':'));
        if !self.may_all(&user) {
            let kind = match account {
                Some(_) => "serviceaccount",
                None if name.starts_with("system:node:") => "arbitrary-node",
                None => "user-info",
            };
            let verb = format!("impersonate-on:{kind}:{}", info.verb);
            return Err(forbidden(&user, &verb, info));
        }
        if groups.is_empty() {
            if let Some((namespace, _)) = account {
                groups = vec![
                    "system:serviceaccounts".to_owned(),
                    format!("system:serviceaccounts:{namespace}"),
                ];
            } else if name == User::anonymous().name {
                groups = User::anonymous().groups;
            }
        }
        Ok(User { name, groups })
    }

    fn may_all(&self, user: &User) -> bool {
        self.allow_all || user.groups.iter().any(|group| group == "system:masters")
    }

    /// Refuses what the user may not do, with Kubernetes' text.
    pub(crate) fn authorize(&self, user: &User, info: &RequestInfo) -> ApiResult<()> {
        let anonymous = user.groups.iter().any(|group| group == "system:unauthenticated");
        let RequestInfo { verb, group, resource, path, .. } = info;
        let allowed = if info.is_resource {
            !anonymous && *verb == "create" && is_about_oneself(group, resource)
        } else {
            let public = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
            let discovery = ["/api", "/apis", "/openapi"];
            let under = |prefix: &str| {
                path.strip_prefix(prefix)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            matches!(*verb, "get" | "head")
                && (public.contains(&path.as_str())
                    || (!anonymous && discovery.iter().any(|prefix| under(prefix))))
        };
        if allowed || self.may_all(user) {
            return Ok(());
        }
        let verb = if !info.is_resource && *verb == "head" { "get" } else { verb };
        Err(forbidden(user, verb, info))
    }
}

/// The refusal of a request.
fn forbidden(user: &User, verb: &str, info: &RequestInfo) -> ApiError {
    let RequestInfo { group, resource, subresource, namespace, name, path, .. } = info;
    let user = quote(&user.name);
    if !info.is_resource {
        let why = format!("User {user} cannot {verb} path {}", quote(path));
        return ApiError::forbidden(Target { group: "", resource: "", name: "" }, &why)
            .sniff_proof();
    }
    let full = match subresource.as_str() {
        "" => resource.clone(),
        sub => format!("{resource}/{sub}"),
    };
    let place = match namespace.as_str() {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {}", quote(namespace)),
    };
    let (full, api) = (quote(&full), quote(group));
    let why = format!("User {user} cannot {verb} resource {full} in API group {api} {place}");
    ApiError::forbidden(Target { group, resource, name }, &why).sniff_proof()
}

/// Whether a resource tells the users who ask what they themselves are and may: everybody who is
/// known may ask. Go: the role `system:basic-user`.
fn is_about_oneself(group: &str, resource: &str) -> bool {
    match group {
        "authentication.k8s.io" => resource == "selfsubjectreviews",
        "authorization.k8s.io" => {
            matches!(resource, "selfsubjectaccessreviews" | "selfsubjectrulesreviews")
        }
        _ => false,
    }
}
