//! Validation of a container's environment, and of what the Pod tells of itself.
//!
//! Go counterpart: `ValidateEnv` and `ValidateEnvFrom` in
//! `k8s.io/kubernetes/pkg/apis/core/validation`.

use pintle_apimachinery::validation::{
    FieldError, FieldErrors, config_map_key, dns1123_label, label_key, name_is_dns_subdomain,
    relaxed_env_var_name,
};

use super::super::check::Node;
use super::volume::no_backsteps;

/// Fields of the Pod for variables.
const DOWNWARD_ENV: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields of the Pod for files.
pub(super) const DOWNWARD_VOLUME: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

pub(super) fn variables(list: &Node<'_>, e: &mut FieldErrors) {
    for variable in list.items() {
        variable.get("name").required_rule(e, relaxed_env_var_name);
        let from = variable.get("valueFrom");
        if from.is_set() {
            value_from(&variable, &from, e);
        }
    }
}

fn value_from(variable: &Node<'_>, from: &Node<'_>, e: &mut FieldErrors) {
    let mut count = 0;
    for key in ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"] {
        let source = from.get(key);
        if !source.is_set() {
            continue;
        }
        count += 1;
        match key {
            "fieldRef" => field_selector(&source, DOWNWARD_ENV, e),
            "resourceFieldRef" => resource_field_selector(&source, false, e),
            "fileKeyRef" => {
                source.get("key").required_rule(e, relaxed_env_var_name);
                source.get("volumeName").required_rule(e, dns1123_label);
                let path = source.get("path");
                if path.is_empty() {
                    e.push(path.required(""));
                } else {
                    no_backsteps(&path, e);
                }
            }
            _ => {
                source.get("name").name(e, name_is_dns_subdomain);
                source.get("key").required_rule(e, config_map_key);
            }
        }
    }
    let problem = if count == 0 {
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or \
         `fileKeyRef`"
    } else if !variable.get("value").is_empty() {
        "may not be specified when `value` is not empty"
    } else if count > 1 {
        "may not have more than one field specified at a time"
    } else {
        return;
    };
    e.push(FieldError::invalid(from.path(), "", problem));
}

pub(super) fn sources(list: &Node<'_>, e: &mut FieldErrors) {
    for source in list.items() {
        let prefix = source.get("prefix");
        if !prefix.is_empty() {
            prefix.rule(e, relaxed_env_var_name);
        }
        let mut count = 0;
        for key in ["configMapRef", "secretRef"] {
            let reference = source.get(key);
            if !reference.is_set() {
                continue;
            }
            count += 1;
            let name = reference.get("name");
            if name.is_empty() {
                e.push(name.required(""));
            } else {
                let problems = name_is_dns_subdomain(name.text(), true);
                e.extend(problems.into_iter().map(|problem| name.invalid(problem)));
            }
        }
        let problem = match count {
            0 => "must specify one of: `configMapRef` or `secretRef`",
            1 => continue,
            _ => "may not have more than one field specified at a time",
        };
        e.push(FieldError::invalid(list.path(), "", problem));
    }
}

/// A field of the Pod, among these.
pub(super) fn field_selector(selector: &Node<'_>, fields: &[&str], e: &mut FieldErrors) {
    let (version, path) = (selector.get("apiVersion"), selector.get("fieldPath"));
    if version.is_empty() {
        e.push(version.required(""));
        return;
    }
    if path.is_empty() {
        e.push(path.required(""));
        return;
    }
    let text = path.text();
    if version.text() != "v1" {
        let version = version.text();
        let detail = format!("error converting fieldPath: unsupported pod version: {version}");
        e.push(path.invalid(detail));
        return;
    }
    let split = text.strip_suffix("']").and_then(|rest| rest.split_once("['"));
    if let Some((field, key)) = split {
        match field {
            "metadata.annotations" | "metadata.labels" => {
                let lower = key.to_lowercase();
                let key = if field == "metadata.annotations" { &lower } else { key };
                let problems = label_key(key).into_iter();
                e.extend(problems.map(|text| FieldError::invalid(selector.path(), key, text)));
            }
            _ => e.push(path.invalid(format!(
                "error converting fieldPath: field label does not support subscript: {text}"
            ))),
        }
    } else if !is_convertible(text) {
        unconvertible(&path, e);
    } else if !fields.contains(&text) {
        e.push(FieldError::not_supported(path.path(), text, fields));
    }
}

fn unconvertible(path: &Node<'_>, e: &mut FieldErrors) {
    let text = path.text();
    e.push(path.invalid(format!("error converting fieldPath: field label not supported: {text}")));
}

fn is_convertible(field: &str) -> bool {
    matches!(
        field,
        "metadata.annotations"
            | "metadata.labels"
            | "metadata.name"
            | "metadata.namespace"
            | "metadata.uid"
            | "spec.nodeName"
            | "spec.restartPolicy"
            | "spec.serviceAccountName"
            | "spec.schedulerName"
            | "status.phase"
            | "status.hostIP"
            | "status.hostIPs"
            | "status.podIP"
            | "status.podIPs"
            | "spec.host"
    )
}

/// A resource of a container.
pub(super) fn resource_field_selector(selector: &Node<'_>, volume: bool, e: &mut FieldErrors) {
    const SIZES: [&str; 13] =
        ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let (container, resource) = (selector.get("containerName"), selector.get("resource"));
    let huge = ["requests.hugepages-", "limits.hugepages-"]
        .iter()
        .any(|prefix| resource.text().starts_with(prefix));
    if volume && container.is_empty() {
        e.push(container.required(""));
    } else if resource.is_empty() {
        e.push(resource.required(""));
    } else if !huge && !RESOURCES.contains(&resource.text()) {
        e.push(FieldError::not_supported(resource.path(), resource.text(), RESOURCES));
    }
    let divisor = selector.get("divisor");
    let value = divisor.quantity();
    if value.is_zero() {
        return;
    }
    let what = match resource.text() {
        "limits.cpu" | "requests.cpu" if !["1m", "1"].contains(&value.as_str()) => {
            let detail = "only divisor's values 1m and 1 are supported with the cpu resource";
            e.push(FieldError::invalid(divisor.path(), resource.text(), detail));
            return;
        }
        "limits.memory" | "requests.memory" => "memory",
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => "local ephemeral storage",
        _ if huge => "hugepages",
        _ => return,
    };
    if !SIZES.contains(&value.as_str()) {
        let detail = format!(
            "only divisor's values {} are supported with the {what} resource",
            SIZES.join(", ")
        );
        e.push(FieldError::invalid(divisor.path(), resource.text(), detail));
    }
}
