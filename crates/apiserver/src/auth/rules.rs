//! What a user may do.
//!
//! Go counterpart: the authorizers of `k8s.io/apiserver/pkg/authorization` and
//! `plugin/pkg/auth/authorizer/rbac`, with the part of the bootstrap policy that gives rights to
//! everybody. Roles that are stored are not read yet; [`Mode::decide`] is their place.

use serde_json::{Value, json};

use super::User;

/// Who may do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Members of `system:masters` everything, others what every cluster allows everybody.
    #[default]
    Rbac,
    /// Everybody everything.
    AlwaysAllow,
    /// Members of `system:masters` everything, others nothing.
    AlwaysDeny,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish<'a> {
    Resource { verb: &'a str, group: &'a str, resource: &'a str, subresource: &'a str },
    Path { verb: &'a str, path: &'a str },
}

/// Whether it may be done, and which rule says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    pub(crate) reason: String,
}

/// A role of every cluster that is bound to groups.
struct Role {
    name: &'static str,
    groups: &'static [&'static str],
    resources: &'static [(&'static str, &'static str, &'static [&'static str])],
    paths: &'static [(&'static str, &'static [&'static str])],
}

const AUTHENTICATED: &str = "system:authenticated";

const ROLES: &[Role] = &[
    Role {
        name: "cluster-admin",
        groups: &["system:masters"],
        resources: &[("*", "*", &["*"])],
        paths: &[("*", &["*"])],
    },
    Role {
        name: "system:discovery",
        groups: &[AUTHENTICATED],
        resources: &[],
        paths: &[(
            "get",
            &[
                "/api",
                "/api/*",
                "/apis",
                "/apis/*",
                "/healthz",
                "/livez",
                "/openapi",
                "/openapi/*",
                "/readyz",
                "/version",
                "/version/",
            ],
        )],
    },
    Role {
        name: "system:public-info-viewer",
        groups: &[AUTHENTICATED, "system:unauthenticated"],
        resources: &[],
        paths: &[("get", &["/healthz", "/livez", "/readyz", "/version", "/version/"])],
    },
    Role {
        name: "system:basic-user",
        groups: &[AUTHENTICATED],
        resources: &[
            (
                "create",
                "authorization.k8s.io",
                &["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            ),
            ("create", "authentication.k8s.io", &["selfsubjectreviews"]),
        ],
        paths: &[],
    },
    Role {
        name: "system:service-account-issuer-discovery",
        groups: &["system:serviceaccounts"],
        resources: &[],
        paths: &[(
            "get",
            &[
                "/.well-known/openid-configuration",
                "/.well-known/openid-configuration/",
                "/openid/v1/jwks",
                "/openid/v1/jwks/",
            ],
        )],
    },
];

impl Role {
    /// The group through which a user has this role.
    fn group_of(&self, user: &User) -> Option<&'static str> {
        self.groups.iter().copied().find(|group| user.groups.iter().any(|of| of == group))
    }

    fn allows(&self, wish: &Wish<'_>) -> bool {
        let one = |rule: &str, wanted: &str| rule == "*" || rule == wanted;
        match wish {
            Wish::Resource { verb, group, resource, subresource } => {
                let full = match *subresource {
                    "" => (*resource).to_owned(),
                    sub => format!("{resource}/{sub}"),
                };
                self.resources.iter().any(|(v, g, names)| {
                    one(v, verb) && one(g, group) && names.iter().any(|name| one(name, &full))
                })
            }
            Wish::Path { verb, path } => self.paths.iter().any(|(v, paths)| {
                one(v, verb)
                    && paths.iter().any(|rule| match rule.strip_suffix('*') {
                        Some(prefix) => path.starts_with(prefix),
                        None => rule == path,
                    })
            }),
        }
    }
}

impl Mode {
    /// Whether a user may do something.
    pub(crate) fn decide(self, user: &User, wish: &Wish<'_>) -> Decision {
        let decision = |allowed| Decision { allowed, reason: String::new() };
        if self == Mode::AlwaysAllow || user.is_master() {
            return decision(true);
        }
        if self == Mode::AlwaysDeny {
            let reason = "Everything is forbidden.".to_owned();
            return Decision { allowed: false, reason };
        }
        let found = ROLES
            .iter()
            .filter(|role| role.allows(wish))
            .find_map(|role| Some((role.name, role.group_of(user)?)));
        match found {
            Some((role, group)) => Decision {
                allowed: true,
                reason: format!(
                    "RBAC: allowed by ClusterRoleBinding \"{role}\" of ClusterRole \"{role}\" to \
                     Group \"{group}\""
                ),
            },
            None => decision(false),
        }
    }

    /// Every rule a user has, as the status of a SelfSubjectRulesReview.
    pub(crate) fn rules(self, user: &User) -> Value {
        let (mut resources, mut paths) = (Vec::new(), Vec::new());
        let everything = &ROLES[..1];
        let roles: Vec<&Role> = match self {
            Mode::AlwaysAllow => everything.iter().collect(),
            Mode::AlwaysDeny => Vec::new(),
            Mode::Rbac => ROLES.iter().filter(|role| role.group_of(user).is_some()).collect(),
        };
        for role in roles {
            for (verb, group, names) in role.resources {
                let rule = json!({"verbs": [verb], "apiGroups": [group], "resources": names});
                resources.push(rule);
            }
            for (verb, of) in role.paths {
                paths.push(json!({"verbs": [verb], "nonResourceURLs": of}));
            }
        }
        json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: &str = "system:unauthenticated";

    #[track_caller]
    fn path(group: &str, verb: &str, path: &str, by: Option<&str>) {
        let decision = Mode::Rbac.decide(&User::new("x", [group]), &Wish::Path { verb, path });
        assert_eq!(decision.allowed, by.is_some(), "{group} {verb} {path}");
        assert!(decision.reason.contains(by.unwrap_or_default()), "{}", decision.reason);
    }

    #[test]
    fn everybody_may_what_the_bootstrap_policy_says() {
        path(AUTHENTICATED, "get", "/apis/apps/v1", Some("\"system:discovery\" of ClusterRole"));
        path(AUTHENTICATED, "get", "/apisx", None);
        path(AUTHENTICATED, "head", "/apis", None);
        path(AUTHENTICATED, "get", "/metrics", None);
        path(NOBODY, "get", "/healthz", Some("system:public-info-viewer"));
        path(NOBODY, "get", "/healthz/ping", None);
        path(NOBODY, "get", "/apis", None);
        path("system:serviceaccounts", "get", "/openid/v1/jwks", Some("issuer-discovery"));
        path("system:masters", "post", "/anything", Some(""));
    }

    #[test]
    fn wildcards_are_only_allowed_by_wildcards() {
        let wish = Wish::Resource { verb: "*", group: "*", resource: "*", subresource: "" };
        let user = |group: &str| User::new("x", [group]);
        assert!(!Mode::Rbac.decide(&user(AUTHENTICATED), &wish).allowed);
        assert!(Mode::Rbac.decide(&user("system:masters"), &wish).allowed);
        assert!(Mode::AlwaysAllow.decide(&user(NOBODY), &wish).allowed);
        assert!(Mode::AlwaysDeny.decide(&user("system:masters"), &wish).allowed);
        let review = Wish::Resource {
            verb: "create",
            group: "authentication.k8s.io",
            resource: "selfsubjectreviews",
            subresource: "",
        };
        assert!(Mode::Rbac.decide(&user(AUTHENTICATED), &review).allowed);
        assert!(!Mode::AlwaysDeny.decide(&user(AUTHENTICATED), &review).allowed);
        assert!(!Mode::Rbac.decide(&user(NOBODY), &review).allowed);
    }
}
