//! Validation of the configurations of admission webhooks.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/admissionregistration/validation` and
//! `k8s.io/apiserver/pkg/util/webhook`. Expressions of match conditions are not compiled.

use std::collections::BTreeSet;

use pintle_apimachinery::validation::{
    FieldError, FieldErrors, FieldPath, SelectorLeniency, dns1035_label, dns1123_subdomain,
    fully_qualified_name, label_key, port_number, validate_label_selector,
};

use super::check::{Node, same};
use super::tree::Fields;

const VERSIONS: [&str; 2] = ["v1", "v1beta1"];
const SIDE_EFFECTS: [&str; 4] = ["None", "NoneOnDryRun", "Some", "Unknown"];
const NO_SIDE_EFFECTS: [&str; 2] = ["None", "NoneOnDryRun"];
const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const STATIC: &str = ".static.k8s.io";
const CONDITIONS: usize = 64;

/// What an update may leave as wrong as it was.
struct Asked {
    conditions: bool,
    no_side_effects: bool,
    known_version: bool,
    unique_names: bool,
    selectors: SelectorLeniency,
}

/// The rules of a configuration of validating or mutating webhooks.
pub(super) fn configuration(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let hooks = Node::of(new, "webhooks");
    let asked = asked(&hooks, old.map(|old| Node::of(old, "webhooks")).as_ref());
    let mut names = BTreeSet::new();
    for hook in hooks.items() {
        webhook(&hook, &asked, &mut e);
        review_versions(&hook.get("admissionReviewVersions"), asked.known_version, &mut e);
        let name = hook.get("name");
        if asked.unique_names && !name.is_empty() && !names.insert(name.text()) {
            e.push(FieldError::duplicate(name.path(), name.text()));
        }
    }
    let name = Node::of(new, "metadata").get("name");
    if old.is_none() && name.text().ends_with(STATIC) {
        e.push(name.invalid(format!(
            "names ending with \"{STATIC}\" are reserved for static manifest-based configurations \
             and cannot be managed via the API"
        )));
    }
    e
}

fn asked(hooks: &Node<'_>, old: Option<&Node<'_>>) -> Asked {
    let Some(old) = old else {
        return Asked {
            conditions: true,
            no_side_effects: true,
            known_version: true,
            unique_names: true,
            selectors: SelectorLeniency::default(),
        };
    };
    let conditions = |list: &Node<'_>| -> Vec<_> {
        list.items().map(|hook| hook.get("matchConditions").value().clone()).collect()
    };
    let (new_conditions, old_conditions) = (conditions(hooks), conditions(old));
    let unchanged = new_conditions.len() == old_conditions.len()
        && new_conditions.iter().zip(&old_conditions).all(|(a, b)| same(a, b));
    let mut names = BTreeSet::new();
    let strict = SelectorLeniency::default();
    let bad_selector = old.items().any(|hook| {
        ["namespaceSelector", "objectSelector"].iter().any(|field| {
            let selector = hook.get(field).label_selector();
            selector.is_some_and(|selector| {
                !validate_label_selector(&FieldPath::nil(), &selector, strict).is_empty()
            })
        })
    });
    Asked {
        conditions: !unchanged,
        no_side_effects: old
            .items()
            .all(|hook| NO_SIDE_EFFECTS.contains(&hook.get("sideEffects").text())),
        known_version: old.items().all(|hook| {
            let versions = hook.get("admissionReviewVersions").texts();
            versions.is_empty() || versions.iter().any(|version| VERSIONS.contains(version))
        }),
        unique_names: old.items().all(|hook| names.insert(hook.get("name").text())),
        selectors: SelectorLeniency { invalid_values: bad_selector, ..strict },
    }
}

fn webhook(hook: &Node<'_>, asked: &Asked, e: &mut FieldErrors) {
    let name = hook.get("name");
    e.extend(fully_qualified_name(name.path(), name.text()));
    hook.get("rules").items().for_each(|one| rule(&one, e));
    for (field, known) in
        [("failurePolicy", ["Fail", "Ignore"]), ("matchPolicy", ["Equivalent", "Exact"])]
    {
        if hook.get(field).is_set() {
            hook.get(field).supported(e, &known);
        }
    }
    let effects = hook.get("sideEffects");
    let known = if asked.no_side_effects { &NO_SIDE_EFFECTS[..] } else { &SIDE_EFFECTS[..] };
    if effects.is_set() {
        effects.supported(e, known);
    } else {
        e.push(effects.required(&format!("must specify one of {}", known.join(", "))));
    }
    let timeout = hook.get("timeoutSeconds");
    if timeout.some_int().is_some_and(|seconds| !(1..=30).contains(&seconds)) {
        e.push(timeout.invalid_int("the timeout value must be between 1 and 30 seconds"));
    }
    for field in ["namespaceSelector", "objectSelector"] {
        let node = hook.get(field);
        if let Some(selector) = node.label_selector() {
            e.extend(validate_label_selector(node.path(), &selector, asked.selectors));
        }
    }
    let again = hook.get("reinvocationPolicy");
    if again.is_set() {
        again.supported(e, &["IfNeeded", "Never"]);
    }
    let client = hook.get("clientConfig");
    let (url, service) = (client.get("url"), client.get("service"));
    match (url.is_set(), service.is_set()) {
        (true, false) => webhook_url(&url, e),
        (false, true) => webhook_service(&service, e),
        _ => e.push(client.required("exactly one of url or service is required")),
    }
    if asked.conditions {
        conditions(&hook.get("matchConditions"), e);
    }
}

fn conditions(list: &Node<'_>, e: &mut FieldErrors) {
    if list.len() > CONDITIONS {
        e.push(FieldError::too_many(list.path(), list.len(), CONDITIONS));
    }
    let mut names = BTreeSet::new();
    for condition in list.items() {
        let (name, expression) = (condition.get("name"), condition.get("expression"));
        if expression.text().trim().is_empty() {
            e.push(expression.required(""));
        }
        name.required_rule(e, label_key);
        if !name.is_empty() && !names.insert(name.text()) {
            e.push(FieldError::duplicate(name.path(), name.text()));
        }
    }
}

fn rule(rule: &Node<'_>, e: &mut FieldErrors) {
    let star = |list: &Node<'_>| list.len() > 1 && list.texts().contains(&"*");
    let operations = rule.get("operations");
    operations.given(e);
    if star(&operations) {
        e.push(operations.invalid("if '*' is present, must not specify other operations"));
    }
    for operation in operations.items() {
        operation.supported(e, &OPERATIONS);
    }
    let (groups, versions) = (rule.get("apiGroups"), rule.get("apiVersions"));
    groups.given(e);
    if star(&groups) {
        e.push(groups.invalid("if '*' is present, must not specify other API groups"));
    }
    versions.given(e);
    if star(&versions) {
        e.push(versions.invalid("if '*' is present, must not specify other API versions"));
    }
    versions.items().for_each(|version| version.given(e));
    resources(&rule.get("resources"), e);
    let scope = rule.get("scope");
    if scope.is_set() {
        scope.supported(e, &["*", "Cluster", "Namespaced"]);
    }
}

fn resources(list: &Node<'_>, e: &mut FieldErrors) {
    list.given(e);
    let (mut all_subresources, mut all_resources) = (BTreeSet::new(), BTreeSet::new());
    let (mut every, mut single, mut plain) = (false, false, false);
    for item in list.items() {
        let text = item.text();
        if text.is_empty() {
            e.push(item.required(""));
            continue;
        }
        every |= text == "*/*";
        single |= text == "*";
        let Some((resource, subresource)) = text.split_once('/') else {
            plain = text != "*";
            continue;
        };
        if all_subresources.contains(resource) {
            e.push(item.invalid(format!("if '{resource}/*' is present, must not specify {text}")));
        }
        if all_resources.contains(subresource) {
            e.push(
                item.invalid(format!("if '*/{subresource}' is present, must not specify {text}")),
            );
        }
        if subresource == "*" {
            all_subresources.insert(resource);
        }
        if resource == "*" {
            all_resources.insert(subresource);
        }
    }
    if list.len() > 1 && every {
        e.push(list.invalid("if '*/*' is present, must not specify other resources"));
    }
    if single && plain {
        let detail = "if '*' is present, must not specify other resources without subresources";
        e.push(list.invalid(detail));
    }
}

fn review_versions(versions: &Node<'_>, known_only: bool, e: &mut FieldErrors) {
    if versions.is_empty() {
        e.push(versions.required(&format!("must specify one of {}", VERSIONS.join(", "))));
        return;
    }
    let mut seen = BTreeSet::new();
    for version in versions.items() {
        if seen.insert(version.text()) {
            version.rule(e, dns1035_label);
        } else {
            e.push(version.invalid("duplicate version"));
        }
    }
    if known_only && !VERSIONS.iter().any(|known| seen.contains(known)) {
        let detail = format!("must include at least one of {}", VERSIONS.join(", "));
        e.push(versions.invalid(detail));
    }
}

/// The URL of a webhook.
pub(crate) fn webhook_url(url: &Node<'_>, e: &mut FieldErrors) {
    const FORM: &str = "; desired format: https://host[/path]";
    let parts = match Url::parse(url.text()) {
        Ok(parts) => parts,
        Err(problem) => {
            e.push(url.required(&format!("url must be a valid URL: {problem}{FORM}")));
            return;
        }
    };
    let mut wrong = |shown: &str, detail: String| {
        e.push(FieldError::invalid(url.path(), shown, detail));
    };
    if parts.scheme != "https" {
        wrong(&parts.scheme, format!("'https' is the only allowed URL scheme{FORM}"));
    }
    if parts.host.is_empty() {
        wrong("", format!("host must be specified{FORM}"));
    }
    if let Some(user) = parts.user {
        wrong(user, "user information is not permitted in the URL".to_owned());
    }
    if !parts.fragment.is_empty() {
        wrong(parts.fragment, "fragments are not permitted in the URL".to_owned());
    }
    if !parts.query.is_empty() {
        wrong(parts.query, "query parameters are not permitted in the URL".to_owned());
    }
}

/// The parts of a URL that matter here, as Go's `url.Parse` finds them.
struct Url<'a> {
    scheme: String,
    user: Option<&'a str>,
    host: &'a str,
    query: &'a str,
    fragment: &'a str,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Result<Url<'a>, String> {
        let failed = |why: &str| format!("parse {}: {why}", crate::status::quote(text));
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        if rest.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err(failed("net/url: invalid control character in URL"));
        }
        let mut scheme = String::new();
        let mut after = rest;
        for (i, c) in rest.char_indices() {
            match c {
                'a'..='z' | 'A'..='Z' => {}
                '0'..='9' | '+' | '-' | '.' if i > 0 => {}
                ':' if i == 0 => return Err(failed("missing protocol scheme")),
                ':' => {
                    scheme = rest[..i].to_ascii_lowercase();
                    after = &rest[i + 1..];
                    break;
                }
                _ => break,
            }
        }
        let (path, query) = after.split_once('?').unwrap_or((after, ""));
        let bytes = path.as_bytes();
        for i in bytes.iter().enumerate().filter(|(_, b)| **b == b'%').map(|(i, _)| i) {
            let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
            if !hex(i + 1) || !hex(i + 2) {
                let shown: String = path.chars().skip(path[..i].chars().count()).take(3).collect();
                return Err(failed(&format!(
                    "invalid URL escape {}",
                    crate::status::quote(&shown)
                )));
            }
        }
        if !path.starts_with('/') {
            if scheme.is_empty() {
                let first = path.split('/').next().unwrap_or_default();
                if first.contains(':') {
                    return Err(failed("first path segment in URL cannot contain colon"));
                }
            }
            return Ok(Url { scheme, user: None, host: "", query, fragment });
        }
        let Some(authority) =
            path.strip_prefix("//").filter(|_| !scheme.is_empty() || !path.starts_with("///"))
        else {
            return Ok(Url { scheme, user: None, host: "", query, fragment });
        };
        let authority = authority.split('/').next().unwrap_or_default();
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        if let Some(bad) =
            host.chars().find(|c| matches!(c, ' ' | '^' | '`' | '{' | '}' | '|' | '\\'))
        {
            return Err(failed(&format!(
                "invalid character {} in host name",
                crate::status::quote(&bad.to_string())
            )));
        }
        Ok(Url { scheme, user, host, query, fragment })
    }
}

/// The service of a webhook. Go calls the check with name and namespace exchanged.
pub(crate) fn webhook_service(service: &Node<'_>, e: &mut FieldErrors) {
    let (name, namespace) = (service.get("name"), service.get("namespace"));
    if namespace.is_empty() {
        e.push(name.required(""));
    }
    if name.is_empty() {
        e.push(namespace.required(""));
    }
    service_path(service, e);
}

/// The port and the path of a webhook's service.
pub(crate) fn service_path(service: &Node<'_>, e: &mut FieldErrors) {
    let (port, path) = (service.get("port"), service.get("path"));
    let problems = port_number(port.int());
    if !problems.is_empty() {
        e.push(port.invalid_int(format!("port is not valid: {}", problems.join(", "))));
    }
    let text = path.text();
    if matches!(text, "" | "/") {
        return;
    }
    if text == "//" {
        e.push(path.invalid("segment[0] may not be empty"));
        return;
    }
    if !text.starts_with('/') {
        e.push(path.invalid("must start with a '/'"));
    }
    // Go cuts off the first byte, whatever character it is part of.
    let steps = match text.get(1..) {
        Some(rest) => rest.to_owned(),
        None => format!("\u{fffd}{}", text.chars().skip(1).collect::<String>()),
    };
    let steps = steps.strip_suffix('/').unwrap_or(&steps);
    for (i, step) in steps.split('/').enumerate() {
        if step.is_empty() {
            e.push(path.invalid(format!("segment[{i}] may not be empty")));
        }
        if !step.is_empty() {
            for problem in dns1123_subdomain(step) {
                e.push(path.invalid(format!("segment[{i}]: {problem}")));
            }
        }
    }
}
