//! Validation of security contexts.
//!
//! Go counterpart: `ValidateSecurityContext` and `validatePodSpecSecurityContext` in
//! `k8s.io/kubernetes/pkg/apis/core/validation`.

use std::collections::BTreeSet;

use pintle_apimachinery::validation::{FieldError, FieldErrors, group_id, user_id};
use serde_json::Value;

use super::super::check::Node;
use super::volume::descending;

fn ids(context: &Node<'_>, e: &mut FieldErrors) {
    if context.get("runAsUser").is_set() {
        context.get("runAsUser").number(e, user_id);
    }
    if context.get("runAsGroup").is_set() {
        context.get("runAsGroup").number(e, group_id);
    }
}

pub(super) fn container_security(context: &Node<'_>, host_users: bool, e: &mut FieldErrors) {
    if !context.is_set() {
        return;
    }
    ids(context, e);
    let mount = context.get("procMount");
    if mount.is_set() {
        mount.supported(e, &["Default", "Unmasked"]);
        if host_users && mount.text() == "Unmasked" {
            e.push(mount.invalid("`hostUsers` must be false to use `Unmasked`"));
        }
    }
    seccomp(&context.get("seccompProfile"), e);
    if context.get("allowPrivilegeEscalation").value() == &Value::Bool(false) {
        if context.get("privileged").flag() {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            e.push(context.invalid(detail));
        }
        for capability in context.get("capabilities").get("add").texts() {
            if capability == "CAP_SYS_ADMIN" {
                e.push(context.invalid(
                    "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` \
                     CAP_SYS_ADMIN",
                ));
            }
        }
    }
    windows(&context.get("windowsOptions"), e);
    app_armor(&context.get("appArmorProfile"), e);
}

pub(super) fn pod_security(spec: &Node<'_>, e: &mut FieldErrors) {
    let context = spec.get("securityContext");
    if !context.is_set() {
        return;
    }
    if context.get("fsGroup").is_set() {
        context.get("fsGroup").number(e, group_id);
    }
    ids(&context, e);
    for group in context.get("supplementalGroups").items() {
        group.number(e, group_id);
    }
    sysctls(spec, &context.get("sysctls"), e);
    let policy = context.get("fsGroupChangePolicy");
    if policy.is_set() {
        policy.supported(e, &["Always", "OnRootMismatch"]);
    }
    seccomp(&context.get("seccompProfile"), e);
    windows(&context.get("windowsOptions"), e);
    app_armor(&context.get("appArmorProfile"), e);
    let policy = context.get("supplementalGroupsPolicy");
    if policy.is_set() {
        policy.supported(e, &["Merge", "Strict"]);
    }
    let policy = context.get("seLinuxChangePolicy");
    if policy.is_set() {
        policy.supported(e, &["MountOption", "Recursive"]);
    }
}

fn sysctls(spec: &Node<'_>, list: &Node<'_>, e: &mut FieldErrors) {
    let mut names = BTreeSet::new();
    for sysctl in list.items() {
        let name = sysctl.get("name");
        if name.is_empty() {
            e.push(name.required(""));
        } else if !is_sysctl(name.text()) {
            e.push(name.invalid(
                "must have at most 253 characters and match regex \
                 ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
            ));
        } else if names.contains(name.text()) {
            e.push(name.duplicate());
        }
        let dotted = sysctl_dots(name.text());
        let net = dotted.starts_with("net.");
        let ipc = ["kernel.shm", "kernel.msg", "fs.mqueue."].iter().any(|p| dotted.starts_with(p))
            || dotted == "kernel.sem";
        if spec.get("hostNetwork").flag() && net {
            e.push(name.invalid("may not be specified when 'hostNetwork' is true"));
        } else if spec.get("hostIPC").flag() && ipc {
            e.push(name.invalid("may not be specified when 'hostIPC' is true"));
        }
        names.insert(name.text());
    }
}

/// With dots between the parts, whichever separator the name begins with.
fn sysctl_dots(name: &str) -> String {
    match name.find(['.', '/']) {
        Some(at) if name.as_bytes()[at] == b'/' => name
            .chars()
            .map(|c| {
                if c == '/' {
                    '.'
                } else if c == '.' {
                    '/'
                } else {
                    c
                }
            })
            .collect(),
        _ => name.to_owned(),
    }
}

fn is_sysctl(name: &str) -> bool {
    let word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.split(['.', '/']).all(|part| {
            let bytes = part.as_bytes();
            bytes.first().is_some_and(|c| word(*c))
                && bytes.last().is_some_and(|c| word(*c))
                && bytes.iter().all(|c| word(*c) || matches!(c, b'-' | b'_'))
        })
}

fn seccomp(profile: &Node<'_>, e: &mut FieldErrors) {
    if !profile.is_set() {
        return;
    }
    let (kind, local) = (profile.get("type"), profile.get("localhostProfile"));
    if kind.is_empty() {
        e.push(kind.required("type is required when seccompProfile is set"));
    } else {
        kind.supported(e, &["Localhost", "RuntimeDefault", "Unconfined"]);
    }
    if kind.text() == "Localhost" {
        if local.is_set() {
            descending(&local, e);
        } else {
            e.push(local.required("must be set when seccomp type is Localhost"));
        }
    } else if local.is_set() {
        let detail = "can only be set when seccomp type is Localhost";
        e.push(profile.at(local.path().clone()).invalid(detail));
    }
}

fn app_armor(profile: &Node<'_>, e: &mut FieldErrors) {
    if !profile.is_set() {
        return;
    }
    const MUST: &str = "must be set when AppArmor type is Localhost";
    let (kind, local) = (profile.get("type"), profile.get("localhostProfile"));
    match kind.text() {
        "Localhost" => {
            if !local.is_set() {
                e.push(local.required(MUST));
                return;
            }
            if local.text().trim() != local.text() {
                e.push(local.invalid("must not be padded with whitespace"));
            } else if local.is_empty() {
                e.push(local.required(MUST));
            }
            if local.len() > 4095 {
                e.push(local.too_long(4095));
            }
        }
        "RuntimeDefault" | "Unconfined" => {
            if local.is_set() {
                e.push(local.invalid("can only be set when AppArmor type is Localhost"));
            }
        }
        "" => e.push(kind.required("type is required when appArmorProfile is set")),
        _ => e.push(kind.unsupported(&["Localhost", "RuntimeDefault", "Unconfined"])),
    }
}

fn windows(options: &Node<'_>, e: &mut FieldErrors) {
    if !options.is_set() {
        return;
    }
    let name = options.get("gmsaCredentialSpecName");
    if name.is_set() {
        e.extend(
            pintle_apimachinery::validation::name_is_dns_subdomain(name.text(), false)
                .into_iter()
                .map(|problem| name.invalid(problem)),
        );
    }
    let spec = options.get("gmsaCredentialSpec");
    if spec.is_set() {
        if spec.is_empty() {
            e.push(spec.invalid("gmsaCredentialSpec cannot be an empty string"));
        } else if spec.len() > 64 * 1024 {
            e.push(spec.invalid("gmsaCredentialSpec size must be under 64 KiB"));
        }
    }
    let user = options.get("runAsUserName");
    if user.is_set() {
        windows_user(&user, e);
    }
}

fn windows_user(user: &Node<'_>, e: &mut FieldErrors) {
    let text = user.text();
    if text.is_empty() {
        e.push(user.invalid("runAsUserName cannot be an empty string"));
        return;
    }
    if text.chars().any(char::is_control) {
        e.push(user.invalid("runAsUserName cannot contain control characters"));
    }
    let parts: Vec<&str> = text.split('\\').collect();
    if parts.len() > 2 {
        e.push(user.invalid("runAsUserName cannot contain more than one backslash"));
        return;
    }
    let name = parts.last().copied().unwrap_or_default();
    if name.is_empty() {
        e.push(user.invalid("runAsUserName's User cannot be empty"));
    } else if name.len() > 104 {
        let detail = "runAsUserName's User length must not be longer than 104 characters";
        e.push(user.invalid(detail));
    }
    if !name.is_empty() && name.chars().all(|c| matches!(c, '.' | ' ')) {
        e.push(user.invalid("runAsUserName's User cannot contain only periods or spaces"));
    }
    if name
        .contains(['"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']'])
    {
        e.push(FieldError::invalid(
            user.path(),
            text,
            r#"runAsUserName's User cannot contain the following characters: "/\:;|=,+*?<>@[]"#,
        ));
    }
}
