//! Who asks, and whether they may.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/authentication` and `authorization`. Users come from
//! client certificates, static bearer tokens, tokens of ServiceAccounts, and the process itself.

mod accounts;
mod keys;
mod rules;

use std::collections::{BTreeMap, HashMap};

use http::HeaderMap;
use http::header::AUTHORIZATION;

pub(crate) use accounts::{Accounts, Claims, EXTENDED, PROJECTED, Reference, account_groups};
pub(crate) use keys::{PrivateKey, public_keys, sha256};
pub(crate) use rules::{Mode, Wish};

use crate::core::Core;
use crate::request::RequestInfo;
use crate::status::{ApiError, ApiResult, Target, quote};

/// The group of everybody who is known.
const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The group whose members may do everything.
const MASTERS: &str = "system:masters";

/// Who a request is made as. Go: `user.Info`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The name, such as `system:admin`.
    pub name: String,
    /// The groups; `system:authenticated` is added by the server.
    pub groups: Vec<String>,
    /// What tells users of one name apart over time; empty when nothing does.
    pub uid: String,
    /// What else is known of the user.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user with a name and groups.
    pub fn new(
        name: impl Into<String>,
        groups: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        User {
            name: name.into(),
            groups: groups.into_iter().map(Into::into).collect(),
            ..User::default()
        }
    }

    /// The user who may do everything: `system:admin` in `system:masters`.
    pub fn admin() -> Self {
        User::new("system:admin", [MASTERS])
    }

    /// The user of requests without credentials.
    pub fn anonymous() -> Self {
        User::new("system:anonymous", [UNAUTHENTICATED])
    }

    pub(crate) fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }

    /// The user with the group of everybody who is known.
    pub(crate) fn known(mut self) -> Self {
        let said = |group: &String| group == AUTHENTICATED || group == UNAUTHENTICATED;
        if self.name != "system:anonymous" && !self.groups.iter().any(said) {
            self.groups.push(AUTHENTICATED.to_owned());
        }
        self
    }
}

/// Whom a connection comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Nobody the connection would know.
    Nobody,
    /// This process itself: a request's token goes first.
    Process(User),
    /// The user of a client certificate, which goes before a token.
    Certificate(User),
    /// Somebody with a client certificate that does not count.
    Refused,
}

/// What the server accepts.
#[derive(Clone, Debug)]
pub(crate) struct Auth {
    pub(crate) tokens: HashMap<String, User>,
    /// Requests without credentials are `system:anonymous` and not 401.
    pub(crate) anonymous: bool,
    pub(crate) mode: Mode,
    pub(crate) accounts: Accounts,
}

impl Default for Auth {
    fn default() -> Self {
        Auth {
            tokens: HashMap::new(),
            anonymous: true,
            mode: Mode::default(),
            accounts: Accounts::default(),
        }
    }
}

/// The bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl Auth {
    /// The user of a request.
    pub(crate) fn authenticate(
        &self,
        core: &Core,
        headers: &HeaderMap,
        peer: &Peer,
    ) -> ApiResult<User> {
        if let Peer::Certificate(user) = peer {
            return Ok(user.clone().known());
        }
        if let Some(token) = bearer(headers) {
            let wanted = self.accounts.own_audiences();
            let known = self.token(core, token, &wanted);
            return known.map(|(user, _)| user).map_err(|_| ApiError::unauthorized());
        }
        match peer {
            Peer::Process(user) => Ok(user.clone().known()),
            Peer::Nobody if self.anonymous => Ok(User::anonymous()),
            _ => Err(ApiError::unauthorized()),
        }
    }

    /// The user of a token, and for which of `wanted` audiences it is.
    ///
    /// # Errors
    /// What is wrong with it, in Kubernetes' words.
    pub(crate) fn token(
        &self,
        core: &Core,
        token: &str,
        wanted: &[String],
    ) -> Result<(User, Vec<String>), String> {
        const INVALID: &str = "invalid bearer token";
        let own = self.accounts.own_audiences();
        if let Some(user) = self.tokens.get(token) {
            let shared: Vec<String> =
                own.into_iter().filter(|audience| wanted.contains(audience)).collect();
            if !shared.is_empty() {
                return Ok((user.clone().known(), shared));
            }
        }
        match self.accounts.check(core, token, wanted) {
            Ok(Some((user, shared))) => Ok((user.known(), shared)),
            Ok(None) => Err(INVALID.to_owned()),
            Err(error) => Err(format!("[{INVALID}, {error}]")),
        }
    }

    /// Who a request is made as when its headers name somebody else. Go: `WithImpersonation`.
    pub(crate) fn impersonate(
        &self,
        user: User,
        headers: &HeaderMap,
        info: &RequestInfo,
    ) -> ApiResult<User> {
        let wanted = Impersonated::of(headers);
        let name = wanted.name.clone();
        if name.is_empty() {
            return if wanted == Impersonated::default() {
                Ok(user)
            } else {
                let message =
                    format!("requested {} without impersonating a user name", wanted.in_go());
                Err(ApiError::bad_request(message).sniff_proof())
            };
        }
        let account = name.strip_prefix("system:serviceaccount:").and_then(|n| n.split_once(':'));
        if self.mode != Mode::AlwaysAllow && !user.is_master() {
            let kind = match account {
                Some(_) => "serviceaccount",
                None if name.starts_with("system:node:") => "arbitrary-node",
                None => "user-info",
            };
            let verb = format!("impersonate-on:{kind}:{}", info.verb);
            return Err(forbidden(&user, &verb, info));
        }
        let Impersonated { mut groups, uid, extra, .. } = wanted;
        if groups.is_empty() {
            if let Some((namespace, _)) = account {
                groups = account_groups(namespace);
            } else if name == User::anonymous().name {
                groups = User::anonymous().groups;
            }
        }
        Ok(User { name, groups, uid, extra }.known())
    }

    /// Refuses what the user may not do, with Kubernetes' text.
    pub(crate) fn authorize(&self, user: &User, info: &RequestInfo) -> ApiResult<()> {
        let RequestInfo { verb, group, resource, subresource, path, .. } = info;
        // Reading the head of a path is reading it.
        let verb = if !info.is_resource && *verb == "head" { "get" } else { verb };
        let wish = if info.is_resource {
            Wish::Resource { verb, group, resource, subresource }
        } else {
            Wish::Path { verb, path }
        };
        if self.mode.decide(user, &wish).allowed {
            return Ok(());
        }
        Err(forbidden(user, verb, info))
    }
}

/// Whom headers name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Impersonated {
    name: String,
    groups: Vec<String>,
    uid: String,
    extra: BTreeMap<String, Vec<String>>,
}

impl Impersonated {
    fn of(headers: &HeaderMap) -> Self {
        let mut wanted = Impersonated::default();
        for (key, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            match key.as_str() {
                "impersonate-user" if wanted.name.is_empty() => wanted.name = value,
                "impersonate-uid" if wanted.uid.is_empty() => wanted.uid = value,
                "impersonate-group" => wanted.groups.push(value),
                other => {
                    if let Some(key) = other.strip_prefix("impersonate-extra-") {
                        let key = crate::request::decode(key, false);
                        wanted.extra.entry(key).or_default().push(value);
                    }
                }
            }
        }
        wanted
    }

    /// As Go prints the user with `%#v`.
    fn in_go(&self) -> String {
        let list = |texts: &[String]| {
            let texts: Vec<String> = texts.iter().map(|text| quote(text)).collect();
            format!("{{{}}}", texts.join(", "))
        };
        let groups = match self.groups.as_slice() {
            [] => "(nil)".to_owned(),
            groups => list(groups),
        };
        let extra = if self.extra.is_empty() {
            "(nil)".to_owned()
        } else {
            let entry = |(key, values): (&String, &Vec<String>)| {
                format!("{}:[]string{}", quote(key), list(values))
            };
            format!("{{{}}}", self.extra.iter().map(entry).collect::<Vec<_>>().join(", "))
        };
        format!(
            "&user.DefaultInfo{{Name:\"\", UID:{}, Groups:[]string{groups}, \
             Extra:map[string][]string{extra}}}",
            quote(&self.uid)
        )
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
