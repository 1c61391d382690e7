//! Validation of resources: names, amounts, requests and limits.
//!
//! Go counterpart: `validateResourceRequirements` and the names in
//! `k8s.io/kubernetes/pkg/apis/core/{helper,validation}`.

use std::collections::BTreeSet;

use pintle_apimachinery::Quantity;
use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, dns1123_label, label_key,
};

use super::super::check::Node;

/// Resources without a domain.
const STANDARD: &[&str] = &[
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
];

/// Those that are counted.
const INTEGERS: &[&str] = &[
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// Whose resources they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Container,
    Pod,
}

pub(crate) fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_quota_huge_page(name: &str) -> bool {
    is_huge_page(name) || name.starts_with("requests.hugepages-")
}

/// Whether a name is one of Kubernetes' own without a domain.
pub(crate) fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name) || is_quota_huge_page(name)
}

/// Whether a quota may be about a name without a domain.
pub(crate) fn is_standard_quota(name: &str) -> bool {
    (STANDARD.contains(&name) && name != "storage") || is_quota_huge_page(name)
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && label_key(&format!("requests.{name}")).is_empty()
}

/// Whether more of a resource may be promised than there is.
pub(crate) fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// The name of any resource.
pub(crate) fn resource_name(name: &Node<'_>, text: &str, e: &mut FieldErrors) -> bool {
    let problems = label_key(text);
    if !problems.is_empty() {
        e.extend(
            problems
                .into_iter()
                .map(|p| FieldError::invalid(name.path(), BadValue::named(text), p)),
        );
        return false;
    }
    if !text.contains('/') && !is_standard(text) {
        let detail = "must be a standard resource type or fully qualified";
        e.push(FieldError::invalid(name.path(), BadValue::named(text), detail));
        return false;
    }
    true
}

/// The name of a resource of containers.
pub(crate) fn container_name(name: &Node<'_>, text: &str, e: &mut FieldErrors) {
    resource_name(name, text, e);
    let slashes = text.matches('/').count();
    let detail = if slashes == 0 {
        if matches!(text, "cpu" | "memory" | "ephemeral-storage") || is_huge_page(text) {
            return;
        }
        "must be a standard resource for containers"
    } else if !is_native(text) && !is_extended(text) {
        "doesn't follow extended resource name standard"
    } else {
        return;
    };
    e.push(FieldError::invalid(name.path(), BadValue::named(text), detail));
}

fn pod_name(name: &Node<'_>, text: &str, e: &mut FieldErrors) {
    if resource_name(name, text, e) && !matches!(text, "cpu" | "memory") && !is_huge_page(text) {
        let supported = ["cpu", "hugepages-", "memory"];
        e.push(FieldError::not_supported(name.path(), BadValue::named(text), &supported));
    }
}

/// An amount of a resource: not negative, and a whole number where it is counted.
pub(crate) fn amount(name: &str, value: &Node<'_>, e: &mut FieldErrors) {
    let quantity = value.quantity();
    if quantity.sign() < 0 {
        let detail = "must be greater than or equal to 0";
        e.push(FieldError::invalid(value.path(), quantity.as_str(), detail));
    }
    if (INTEGERS.contains(&name) || is_extended(name)) && quantity.milli_value() % 1000 != 0 {
        e.push(FieldError::invalid(value.path(), quantity.as_str(), "must be an integer"));
    }
}

fn huge_page(name: &str, value: &Node<'_>, e: &mut FieldErrors) {
    let size = Quantity::parse(name.strip_prefix("hugepages-").unwrap_or_default());
    let size = size.ok().filter(|size| size.sign() > 0 && size.milli_value() % 1000 == 0);
    let quantity = value.quantity();
    if size.is_none_or(|size| quantity.value() % size.value() != 0) {
        let detail = format!("{} is not positive integer multiple of {name}", quantity.as_str());
        e.push(FieldError::invalid(value.path(), quantity.as_str(), detail));
    }
}

/// The resources of a container or of a Pod.
pub(crate) fn requirements(
    resources: &Node<'_>,
    names: Names,
    claims: &BTreeSet<&str>,
    e: &mut FieldErrors,
) {
    let (limits, requests) = (resources.get("limits"), resources.get("requests"));
    let (mut compute, mut huge) = (false, false);
    let one = |name: &str, value: &Node<'_>, e: &mut FieldErrors| {
        match names {
            Names::Container => container_name(value, name, e),
            Names::Pod => pod_name(value, name, e),
        }
        amount(name, value, e);
    };
    for (name, value) in limits.entries() {
        one(name, &value, e);
        if is_huge_page(name) {
            huge = true;
            huge_page(name, &value, e);
        }
        compute |= matches!(name, "cpu" | "memory");
    }
    for (name, value) in requests.entries() {
        one(name, &value, e);
        let (limit, quantity) = (limits.get(name), value.quantity());
        if limit.is_set() {
            let most = limit.quantity();
            let detail = if quantity != most && !may_overcommit(name) {
                format!("must be equal to {name} limit of {}", most.as_str())
            } else if quantity > most {
                format!("must be less than or equal to {name} limit of {}", most.as_str())
            } else {
                String::new()
            };
            if !detail.is_empty() {
                e.push(FieldError::invalid(requests.path(), quantity.as_str(), detail));
            }
        } else if !may_overcommit(name) {
            e.push(limits.required("Limit must be set for non overcommitable resources"));
        }
        if is_huge_page(name) {
            huge = true;
            huge_page(name, &value, e);
        }
        compute |= matches!(name, "cpu" | "memory");
    }
    if huge && !compute {
        e.push(resources.forbidden("HugePages require cpu or memory"));
    }
    claim_names(&resources.get("claims"), claims, e);
}

fn claim_names(list: &Node<'_>, claims: &BTreeSet<&str>, e: &mut FieldErrors) {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for claim in list.items() {
        let name = claim.get("name").text();
        if name.is_empty() {
            e.push(claim.required(""));
            continue;
        }
        if names.contains(name) {
            e.push(FieldError::duplicate(claim.path(), name));
        } else {
            let request = claim.get("request");
            let mut key = name.to_owned();
            if !request.is_empty() {
                request.rule(e, dns1123_label);
                key = format!("{name}/{}", request.text());
            }
            if names.contains(&key) {
                e.push(FieldError::duplicate(claim.path(), &key));
            } else if request.is_empty() {
                let prefix = format!("{name}/");
                for _ in names.iter().filter(|other| other.starts_with(&prefix)) {
                    e.push(FieldError::duplicate(claim.path(), name));
                }
            }
            names.insert(key);
        }
        if !claims.contains(name) {
            let mut error = FieldError::not_found(claim.path(), name);
            error.detail = "must be one of the names in pod.spec.resourceClaims".to_owned();
            if claims.is_empty() {
                error.detail += " which is empty";
            } else {
                let all: Vec<&str> = claims.iter().copied().collect();
                error.detail += &format!(": {}", all.join(", "));
            }
            e.push(error);
        }
    }
}
