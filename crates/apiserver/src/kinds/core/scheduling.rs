//! Validation of what decides where a Pod runs: affinity, tolerations, spreading.
//!
//! Go counterpart: `validateAffinity`, `ValidateTolerations` and
//! `validateTopologySpreadConstraints` in `k8s.io/kubernetes/pkg/apis/core/validation`.

use std::collections::BTreeSet;

use pintle_apimachinery::validation::{
    FieldError, FieldErrors, label_value, name_is_dns_label, name_is_dns_subdomain,
    validate_label_name,
};

use super::super::check::Node;

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn affinity(affinity: &Node<'_>, e: &mut FieldErrors) {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    let node = affinity.get("nodeAffinity");
    if node.get(REQUIRED).is_set() {
        node_selector(&node.get(REQUIRED), e);
    }
    for term in node.get(PREFERRED).items() {
        weight(&term.get("weight"), e);
        node_term(&term.get("preference"), false, e);
    }
    for key in ["podAffinity", "podAntiAffinity"] {
        let pod = affinity.get(key);
        pod.get(REQUIRED).items().for_each(|term| pod_term(&term, e));
        for term in pod.get(PREFERRED).items() {
            weight(&term.get("weight"), e);
            pod_term(&term.get("podAffinityTerm"), e);
        }
    }
}

fn weight(weight: &Node<'_>, e: &mut FieldErrors) {
    if !(1..=100).contains(&weight.int()) {
        e.push(weight.invalid_int("must be in the range 1-100"));
    }
}

/// A selector of nodes.
pub(crate) fn node_selector(selector: &Node<'_>, e: &mut FieldErrors) {
    let terms = selector.get("nodeSelectorTerms");
    if terms.is_empty() {
        e.push(terms.required("must have at least one node selector term"));
    }
    terms.items().for_each(|term| node_term(&term, true, e));
}

fn node_term(term: &Node<'_>, strict: bool, e: &mut FieldErrors) {
    const INVALID: &str = "not a valid selector operator";
    for requirement in term.get("matchExpressions").items() {
        let (operator, values) = (requirement.get("operator"), requirement.get("values"));
        match operator.text() {
            "In" | "NotIn" => {
                if values.is_empty() {
                    e.push(values.required("must be specified when `operator` is 'In' or 'NotIn'"));
                }
            }
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    e.push(values.forbidden(
                        "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                    ));
                }
            }
            "Gt" | "Lt" => {
                if values.len() != 1 {
                    e.push(values.required(
                        "must be specified single value when `operator` is 'Lt' or 'Gt'",
                    ));
                }
            }
            _ => e.push(operator.invalid(INVALID)),
        }
        let key = requirement.get("key");
        e.extend(validate_label_name(key.path(), key.text()));
        if strict {
            values.items().for_each(|value| value.rule(e, label_value));
        }
    }
    for requirement in term.get("matchFields").items() {
        let (operator, values) = (requirement.get("operator"), requirement.get("values"));
        if matches!(operator.text(), "In" | "NotIn") {
            if values.len() != 1 {
                e.push(values.required(
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field \
                     selector",
                ));
            }
        } else {
            e.push(operator.invalid(INVALID));
        }
        let key = requirement.get("key");
        if key.text() == "metadata.name" {
            values.items().for_each(|value| value.name(e, name_is_dns_subdomain));
        } else {
            e.push(key.invalid("not a valid field selector key"));
        }
    }
}

fn pod_term(term: &Node<'_>, e: &mut FieldErrors) {
    term.get("labelSelector").selector(e);
    term.get("namespaceSelector").selector(e);
    for name in term.get("namespaces").texts() {
        for problem in name_is_dns_label(name, false) {
            e.push(FieldError::invalid(term.path().child("namespace"), name, problem));
        }
    }
    label_keys_both(term, e);
    let key = term.get("topologyKey");
    if key.is_empty() {
        e.push(key.required("can not be empty"));
    }
    e.extend(validate_label_name(key.path(), key.text()));
}

fn label_keys(keys: &Node<'_>, selector: &Node<'_>, e: &mut FieldErrors) {
    if keys.is_empty() {
        return;
    }
    if !selector.is_set() {
        e.push(keys.forbidden("must not be specified when labelSelector is not set"));
        return;
    }
    for key in keys.items() {
        e.extend(validate_label_name(key.path(), key.text()));
    }
}

/// `matchLabelKeys` and `mismatchLabelKeys`.
fn label_keys_both(term: &Node<'_>, e: &mut FieldErrors) {
    let (matching, mismatching) = (term.get("matchLabelKeys"), term.get("mismatchLabelKeys"));
    let selector = term.get("labelSelector");
    label_keys(&matching, &selector, e);
    label_keys(&mismatching, &selector, e);
    if selector.is_set() {
        let labels = selector.get("matchLabels").entries();
        let mut known: BTreeSet<&str> = labels.into_iter().map(|(key, _)| key).collect();
        let keys = matching.texts();
        for expression in selector.get("matchExpressions").items() {
            let key = expression.get("key").text();
            if let Some(at) = keys.iter().rposition(|k| *k == key)
                && known.contains(key)
            {
                let detail = "exists in both matchLabelKeys and labelSelector";
                e.push(FieldError::invalid(term.path().index(at), key, detail));
            }
            known.insert(key);
        }
    }
    let others = mismatching.texts();
    for key in matching.items().filter(|key| others.contains(&key.text())) {
        e.push(key.invalid("exists in both matchLabelKeys and mismatchLabelKeys"));
    }
}

pub(crate) fn tolerations(list: &Node<'_>, e: &mut FieldErrors) {
    for toleration in list.items() {
        let (key, operator) = (toleration.get("key"), toleration.get("operator"));
        let (value, effect) = (toleration.get("value"), toleration.get("effect"));
        if !key.is_empty() {
            e.extend(validate_label_name(key.path(), key.text()));
        }
        if key.is_empty() && operator.text() != "Exists" {
            e.push(operator.invalid(
                "operator must be Exists when `key` is empty, which means \"match all values and \
                 all keys\"",
            ));
        }
        if toleration.get("tolerationSeconds").is_set() && effect.text() != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            e.push(effect.invalid(detail));
        }
        let shown = |detail: &str| FieldError::invalid(operator.path(), value.text(), detail);
        match operator.text() {
            "Equal" | "" => {
                let problems = label_value(value.text());
                if !problems.is_empty() {
                    e.push(shown(&problems.join(";")));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    e.push(shown("value must be empty when `operator` is 'Exists'"));
                }
            }
            "Lt" | "Gt" => {
                e.push(operator.unsupported(&["Equal", "Exists", "Lt", "Gt"]));
            }
            _ => e.push(operator.unsupported(&["Equal", "Exists"])),
        }
        if !effect.is_empty() {
            effect.supported(e, &EFFECTS);
        }
    }
}

/// A number above 0.
pub(crate) fn positive(number: &Node<'_>, e: &mut FieldErrors) {
    if number.int() <= 0 {
        e.push(number.invalid_int("must be greater than zero"));
    }
}

pub(super) fn spreading(list: &Node<'_>, e: &mut FieldErrors) {
    let all: Vec<Node<'_>> = list.items().collect();
    for (at, constraint) in all.iter().enumerate() {
        positive(&constraint.get("maxSkew"), e);
        let (key, action) = (constraint.get("topologyKey"), constraint.get("whenUnsatisfiable"));
        if key.is_empty() {
            e.push(key.required("can not be empty"));
        }
        action.supported(e, &["DoNotSchedule", "ScheduleAnyway"]);
        let again = all[at + 1..].iter().any(|other| {
            other.get("topologyKey").text() == key.text()
                && other.get("whenUnsatisfiable").text() == action.text()
        });
        if again {
            let path = constraint.path().child("{topologyKey, whenUnsatisfiable}");
            let shown = format!("{{{}, {}}}", key.text(), action.text());
            e.push(FieldError::duplicate(path, &shown));
        }
        let domains = constraint.get("minDomains");
        if domains.is_set() {
            positive(&domains, e);
            if action.text() != "DoNotSchedule" {
                e.push(domains.invalid(format!(
                    "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {}",
                    action.text()
                )));
            }
        }
        for policy in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            if constraint.get(policy).is_set() {
                constraint.get(policy).supported(e, &["Honor", "Ignore"]);
            }
        }
        label_keys_both(constraint, e);
        constraint.get("labelSelector").selector(e);
    }
}
