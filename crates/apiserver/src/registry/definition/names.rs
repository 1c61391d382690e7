//! Names, conversions, stored versions and the approval of a definition.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, FieldPath, dns1035_label,
};
use serde_json::{Map, Value};

use super::{list, one_of, text};
use crate::kinds::check::Node;
use crate::kinds::webhook_rules::{webhook_service, webhook_url};
use crate::object::{Object, at, metadata};
use crate::registry::go_url::request_uri;
use crate::status::quote;

/// Groups of these are given out by Kubernetes.
const PROTECTED: [&str; 2] = ["k8s.io", "kubernetes.io"];
const APPROVED: &str = "api-approved.kubernetes.io";
const REVIEWS: [&str; 2] = ["v1", "v1beta1"];

pub(super) fn names(names: &Value, path: &FieldPath, errors: &mut Vec<FieldError>) {
    for key in ["plural", "singular", "kind", "listKind"] {
        let name = text(names, key);
        let mixed = matches!(key, "kind" | "listKind");
        let checked = if mixed { name.to_lowercase() } else { name.to_owned() };
        let problems = dns1035_label(&checked);
        if name.is_empty() || problems.is_empty() {
            continue;
        }
        let problem = problems.join(",");
        let problem = match mixed {
            true => format!("may have mixed case, but should otherwise match: {problem}"),
            false => problem,
        };
        errors.push(FieldError::invalid(path.child(key), name, problem));
    }
    let each = |key: &str, errors: &mut Vec<FieldError>| {
        for (index, name) in list(names, key).iter().enumerate() {
            let name = name.as_str().unwrap_or_default();
            let problems = dns1035_label(name);
            if !problems.is_empty() {
                let path = path.child(key).index(index);
                errors.push(FieldError::invalid(path, name, problems.join(",")));
            }
        }
    };
    each("shortNames", errors);
    let (kind, list_kind) = (text(names, "kind"), text(names, "listKind"));
    if !kind.is_empty() && kind == list_kind {
        let detail = "kind and listKind may not be the same";
        errors.push(FieldError::invalid(path.child("listKind"), list_kind, detail));
    }
    each("categories", errors);
}

/// How objects are converted between versions. `established` is the stored definition, once it is.
pub(super) fn conversion(
    spec: &Value,
    established: Option<&Object>,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let Some(conversion) = spec.get("conversion").filter(|conversion| !conversion.is_null()) else {
        return;
    };
    let strategy = text(conversion, "strategy");
    one_of(&path.child("strategy"), strategy, &["None", "Webhook"], errors);
    let webhook = conversion.get("webhook").unwrap_or(&Value::Null);
    let client = webhook.get("clientConfig").filter(|client| !client.is_null());
    let versions = list(webhook, "conversionReviewVersions");
    let (client_path, versions_path) =
        (path.child("webhookClientConfig"), path.child("conversionReviewVersions"));
    if strategy != "Webhook" {
        let detail = "should not be set when strategy is not set to Webhook";
        if client.is_some() {
            errors.push(FieldError::forbidden(client_path, detail));
        }
        if !versions.is_empty() {
            errors.push(FieldError::forbidden(versions_path, detail));
        }
        return;
    }
    match client {
        None => {
            let detail = "required when strategy is set to Webhook";
            errors.push(FieldError::required(client_path, detail));
        }
        Some(client) => {
            let node = Node::new(client, client_path.clone());
            let (url, service) = (node.get("url"), node.get("service"));
            let mut found = FieldErrors::default();
            match (url.is_set(), service.is_set()) {
                (true, false) => webhook_url(&url, &mut found),
                (false, true) => webhook_service(&service, &mut found),
                _ => {
                    let detail = "exactly one of url or service is required";
                    found.push(FieldError::required(client_path.clone(), detail));
                }
            }
            errors.extend(found);
            let bundle = text(client, "caBundle");
            if established.is_some_and(|old| !had_wrong_bundle(old))
                && let Some(detail) = wrong_bundle(bundle)
            {
                let path = client_path.child("caBundle");
                errors.push(FieldError::invalid(path, BadValue::named(bundle), detail));
            }
        }
    }
    review_versions(versions, &versions_path, errors);
}

fn had_wrong_bundle(old: &Object) -> bool {
    let bundle = at(old, "spec.conversion.webhook.clientConfig.caBundle").and_then(Value::as_str);
    bundle.is_some_and(|bundle| wrong_bundle(bundle).is_some())
}

/// Why a bundle holds no certificate of an authority.
fn wrong_bundle(bundle: &str) -> Option<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    if bundle.is_empty() {
        return None;
    }
    let bytes = STANDARD.decode(bundle).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let told = |why: &str| Some(format!("unable to load root certificates: {why}"));
    let Some((_, rest)) = text.split_once(BEGIN) else {
        return told("unable to parse bytes as PEM block");
    };
    let body = rest.split_once(END).map(|(body, _)| body.split_whitespace().collect::<String>());
    match body.and_then(|body| STANDARD.decode(body).ok()) {
        None => told("unable to parse bytes as PEM block"),
        Some(der) if der.first() != Some(&0x30) => {
            told("failed to parse certificate: x509: malformed certificate")
        }
        Some(_) => None,
    }
}

fn review_versions(versions: &[Value], path: &FieldPath, errors: &mut Vec<FieldError>) {
    if versions.is_empty() {
        errors.push(FieldError::required(path, ""));
        return;
    }
    let texts: Vec<&str> = versions.iter().filter_map(Value::as_str).collect();
    for (index, version) in texts.iter().enumerate() {
        let path = path.index(index);
        if texts[..index].contains(version) {
            errors.push(FieldError::invalid(path, *version, "duplicate version"));
            continue;
        }
        for problem in dns1035_label(version) {
            errors.push(FieldError::invalid(&path, *version, problem));
        }
    }
    if !texts.iter().any(|version| REVIEWS.contains(version)) {
        let detail = format!("must include at least one of {}", REVIEWS.join(", "));
        errors.push(FieldError::invalid(path, BadValue::list(&texts), detail));
    }
}

pub(super) fn stored_versions(stored: &[Value], versions: &[Value], errors: &mut Vec<FieldError>) {
    let path = FieldPath::new("status").child("storedVersions");
    let texts: Vec<&str> = stored.iter().filter_map(Value::as_str).collect();
    if texts.is_empty() {
        let detail = "must have at least one stored version";
        errors.push(FieldError::invalid(path, BadValue::NULL, detail));
        return;
    }
    for (index, version) in versions.iter().enumerate() {
        let name = text(version, "name");
        // A name is found once: a second version of it is none that is stored.
        let again = versions[..index].iter().any(|before| text(before, "name") == name);
        if super::flag(version, "storage") && (again || !texts.contains(&name)) {
            let detail = format!("must have the storage version {name}");
            errors.push(FieldError::invalid(&path, BadValue::list(&texts), detail));
        }
    }
    for (index, name) in texts.iter().enumerate() {
        if texts[index + 1..].contains(name) || versions.iter().any(|v| text(v, "name") == *name) {
            continue;
        }
        let detail = format!(
            "missing from spec.versions; {name} was previously a storage version, and must remain \
             in spec.versions until a storage migration ensures no data remains persisted in \
             {name} and removes {name} from status.storedVersions"
        );
        errors.push(FieldError::invalid(path.index(index), *name, detail));
    }
}

/// Whether a group is one of those that Kubernetes gives out.
pub(in crate::registry) fn is_protected(group: &str) -> bool {
    PROTECTED.iter().any(|suffix| {
        group == *suffix || group.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'))
    })
}

/// How an API of a protected group stands to its approval: the status and the reason of a
/// condition, and why.
pub(in crate::registry) fn approval_of(crd: &Object) -> (&'static str, &'static str, String) {
    let empty = Map::new();
    let annotations = metadata(crd).get("annotations").and_then(Value::as_object);
    let given = crate::object::text(annotations.unwrap_or(&empty), APPROVED);
    let url =
        request_uri(given).is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty());
    let must = format!("protected groups must have approval annotation {}", quote(APPROVED));
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    match given {
        "" => ("False", "MissingAnnotation", format!("{must}, {see}")),
        given if given.starts_with("unapproved") => {
            ("False", "UnapprovedAnnotation", format!("not approved: {}", quote(given)))
        }
        given if url => ("True", "ApprovedAnnotation", format!("approved in {given}")),
        _ => (
            "False",
            "InvalidAnnotation",
            format!("{must} with either a URL or a reason starting with \"unapproved\", {see}"),
        ),
    }
}

pub(super) fn approval(crd: &Object, old: Option<&Object>, errors: &mut Vec<FieldError>) {
    let group = at(crd, "spec.group").and_then(Value::as_str).unwrap_or_default();
    let (_, state, why) = approval_of(crd);
    if !is_protected(group) || old.is_some_and(|old| approval_of(old).1 == state) {
        return;
    }
    let path = FieldPath::new("metadata").child("annotations").key(APPROVED);
    let given = metadata(crd).get("annotations").and_then(|all| all.get(APPROVED));
    match state {
        "MissingAnnotation" => errors.push(FieldError::required(path, why)),
        "InvalidAnnotation" => {
            errors.push(FieldError::invalid(path, given.unwrap_or(&Value::Null), why));
        }
        _ => {}
    }
}
