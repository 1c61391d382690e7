//! Kinds of `rbac.authorization.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/rbac`.

use super::defaults::Default;
use super::tree::{child, fill_zero, text};

const GROUP: &str = "rbac.authorization.k8s.io";

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    Some(match name {
        "ClusterRoleBinding" | "RoleBinding" => {
            |binding| fill_zero(child(binding, "roleRef"), "apiGroup", GROUP)
        }
        "Subject" => |subject| {
            if matches!(text(subject, "kind"), "User" | "Group") {
                fill_zero(subject, "apiGroup", GROUP);
            }
        },
        _ => return None,
    })
}
