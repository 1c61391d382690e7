//! Kinds of `rbac.authorization.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/rbac`.

use pintle_apimachinery::labels::Selector;
use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, name_is_dns_subdomain, name_is_path_segment,
};

use super::check::{Node, same};
use super::defaults::Default;
use super::tree::{Fields, child, fill_zero, text};

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

/// The rules of a Role.
pub(super) fn role(new: &Fields, _: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    policy_rules(new, true, &mut e);
    e
}

/// The rules of a ClusterRole.
pub(super) fn cluster_role(new: &Fields, _: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let mut verbs = FieldErrors::default();
    let aggregation = Node::of(new, "aggregationRule");
    let last = policy_rules_but_verbs(new, false, &mut e);
    verbs.extend(last);
    if aggregation.is_set() {
        let selectors = aggregation.get("clusterRoleSelectors");
        if selectors.is_empty() {
            let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
            e.push(selectors.required(detail));
        }
        for selector in selectors.items() {
            selector.selector(&mut e);
            let own = selector.label_selector();
            if Selector::from_label_selector(own.as_ref()).is_err() {
                let detail = "invalid label selector.";
                e.push(FieldError::invalid(selector.path(), BadValue::NULL, detail));
            }
        }
    }
    e.extend(verbs);
    e
}

fn policy_rules(new: &Fields, namespaced: bool, e: &mut FieldErrors) {
    let verbs = policy_rules_but_verbs(new, namespaced, e);
    e.extend(verbs);
}

/// What is missing is told at the end: the schema says it.
fn policy_rules_but_verbs(new: &Fields, namespaced: bool, e: &mut FieldErrors) -> FieldErrors {
    let mut verbs = FieldErrors::default();
    for rule in Node::of(new, "rules").items() {
        rule.get("verbs").given(&mut verbs);
        let urls = rule.get("nonResourceURLs");
        let (groups, resources) = (rule.get("apiGroups"), rule.get("resources"));
        if !urls.is_empty() {
            if namespaced {
                e.push(urls.invalid("namespaced rules cannot apply to non-resource URLs"));
            }
            if [&groups, &resources, &rule.get("resourceNames")].iter().any(|l| !l.is_empty()) {
                let detail = "rules cannot apply to both regular resources and non-resource URLs";
                e.push(urls.invalid(detail));
            }
            continue;
        }
        if groups.is_empty() {
            e.push(groups.required("resource rules must supply at least one api group"));
        }
        if resources.is_empty() {
            e.push(resources.required("resource rules must supply at least one resource"));
        }
    }
    verbs
}

/// The rules of a RoleBinding.
pub(super) fn role_binding(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    binding(new, old, &["Role", "ClusterRole"])
}

/// The rules of a ClusterRoleBinding.
pub(super) fn cluster_role_binding(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    binding(new, old, &["ClusterRole"])
}

fn binding(new: &Fields, old: Option<&Fields>, kinds: &[&str]) -> FieldErrors {
    let (mut e, mut last) = (FieldErrors::default(), FieldErrors::default());
    let namespaced = kinds.len() > 1;
    let reference = Node::of(new, "roleRef");
    let plain = |node: &Node<'_>, supported: &[&str]| {
        FieldError::not_supported(node.path(), node.text(), supported)
    };
    let (group, kind, name) =
        (reference.get("apiGroup"), reference.get("kind"), reference.get("name"));
    if group.text() != GROUP {
        e.push(plain(&group, &[GROUP]));
    }
    if !kinds.contains(&kind.text()) {
        e.push(plain(&kind, kinds));
    }
    if !name.is_empty() {
        name.name(&mut e, name_is_path_segment);
    }
    for subject in Node::of(new, "subjects").items() {
        let (group, name) = (subject.get("apiGroup"), subject.get("name"));
        name.given(&mut last);
        match subject.get("kind").text() {
            "ServiceAccount" => {
                if !name.is_empty() {
                    name.name(&mut e, name_is_dns_subdomain);
                }
                if !group.is_empty() {
                    e.push(plain(&group, &[""]));
                }
                if !namespaced {
                    subject.get("namespace").given(&mut e);
                }
            }
            "User" | "Group" => {
                if group.text() != GROUP {
                    e.push(plain(&group, &[GROUP]));
                }
            }
            _ => e.push(plain(&subject.get("kind"), &["ServiceAccount", "User", "Group"])),
        }
    }
    // The schema's, in the order of the type's fields.
    name.given(&mut last);
    e.extend(last);
    if let Some(old) = old
        && !same(reference.value(), Node::of(old, "roleRef").value())
    {
        // As Go shows its internal type, whose fields have no JSON names.
        let shown = BadValue::json(format!(
            "{{\"APIGroup\":{},\"Kind\":{},\"Name\":{}}}",
            BadValue::named(group.text()).as_str(),
            BadValue::named(kind.text()).as_str(),
            BadValue::named(name.text()).as_str(),
        ));
        e.push(FieldError::invalid(reference.path(), shown, "field is immutable"));
    }
    e
}
