//! Validation of Pods and of their templates.
//!
//! Go counterpart: `ValidatePodSpec`, `ValidatePodCreate`, `ValidatePodUpdate` and
//! `ValidatePodTemplateSpec` in `k8s.io/kubernetes/pkg/apis/core/validation`.

use std::collections::BTreeSet;

use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, dns1123_label, dns1123_subdomain,
    dns1123_subdomain_with_underscore, label_key, name_is_dns_subdomain, valid_ip_for_legacy_field,
    validate_annotations,
};
use serde_json::Value;

use super::super::check::{Node, range, same};
use super::super::tree::Fields;
use super::container::{Context, containers, ephemeral_containers, init_containers, only_for_pod};
use super::resources::{Names, requirements};
use super::scheduling::{affinity, spreading, tolerations};
use super::security::pod_security;
use super::volume::{descending, volumes};

const MIRROR: &str = "kubernetes.io/config.mirror";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";

/// The rules of a Pod.
pub(crate) fn pod(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let (meta, spec) = (Node::of(new, "metadata"), Node::of(new, "spec"));
    annotations(&meta.get("annotations"), &spec, &mut e);
    pod_spec(&spec, meta.get("name").text(), true, &mut e);
    if spec.get("serviceAccountName").is_empty() {
        for volume in spec.get("volumes").items() {
            for source in volume.get("projected").get("sources").items() {
                let token = source.get("serviceAccountToken");
                if token.is_set() {
                    let detail = "must not be specified when serviceAccountName is not set";
                    e.push(token.forbidden(detail));
                }
            }
        }
    }
    if spec.get("terminationGracePeriodSeconds").is_set() {
        spec.get("terminationGracePeriodSeconds").nonnegative(&mut e);
    }
    only_for_pod(&spec.get("containers"), &mut e);
    only_for_pod(&spec.get("initContainers"), &mut e);
    match old {
        None => {
            if !spec.get("ephemeralContainers").is_empty() {
                e.push(spec.get("ephemeralContainers").forbidden("cannot be set on create"));
            }
            if !spec.get("nodeName").is_empty() && !spec.get("schedulingGates").is_empty() {
                let detail = "cannot be set until all schedulingGates have been cleared";
                e.push(spec.get("nodeName").forbidden(detail));
            }
        }
        Some(old) => update(&meta, &spec, old, &mut e),
    }
    e
}

/// What may change in a Pod.
fn update(meta: &Node<'_>, spec: &Node<'_>, old: &Fields, e: &mut FieldErrors) {
    let (old_meta, old_spec) = (Node::of(old, "metadata"), Node::of(old, "spec"));
    let (new, old) = (meta.get("annotations"), old_meta.get("annotations"));
    if new.get(MIRROR).value() != old.get(MIRROR).value() {
        let verb = if old.get(MIRROR).is_set() { "remove or update" } else { "add" };
        let detail = format!("may not {verb} mirror pod annotation");
        e.push(FieldError::forbidden(new.path().key(MIRROR), detail));
    }
    annotations(&new, spec, e);
    for key in ["containers", "initContainers"] {
        let (new, old) = (spec.get(key), old_spec.get(key));
        if new.len() != old.len() {
            e.push(new.forbidden("pod updates may not add or remove containers"));
            return;
        }
        for container in new.items() {
            container.get("image").given(e);
        }
        only_for_pod(&new, e);
    }
    let (deadline, before) =
        (spec.get("activeDeadlineSeconds"), old_spec.get("activeDeadlineSeconds"));
    match (deadline.some_int(), before.some_int()) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            e.push(deadline.invalid(range(0, i64::from(i32::MAX))));
            return;
        }
        (Some(new), Some(old)) if old < new => {
            e.push(deadline.invalid("must be less than or equal to previous value"));
            return;
        }
        (None, Some(_)) => {
            let detail = "must not update from a positive integer to nil value";
            e.push(FieldError::invalid(deadline.path(), BadValue::NULL, detail));
        }
        _ => {}
    }
    let list = spec.get("tolerations");
    let without = |value: &Value| {
        let mut value = value.clone();
        if let Some(members) = value.as_object_mut() {
            members.remove("tolerationSeconds");
        }
        value
    };
    let kept = old_spec.get("tolerations").items().all(|old| {
        let old = without(old.value());
        list.items().any(|new| without(new.value()) == old)
    });
    if kept {
        tolerations(&list, e);
    } else {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        e.push(list.forbidden(detail));
    }
    let gates: BTreeSet<&str> =
        old_spec.get("schedulingGates").items().map(|gate| gate.get("name").text()).collect();
    for gate in spec.get("schedulingGates").items() {
        let name = gate.get("name");
        if !gates.contains(name.text()) {
            let text = name.text();
            e.push(name.forbidden(format!(
                "only deletion is allowed, but found new scheduling gate '{text}'"
            )));
        }
    }
    let mut changed = spec.value().clone();
    let gated = !gates.is_empty();
    keep(&mut changed, old_spec.value(), gated);
    if !same(&changed, old_spec.value()) {
        e.push(spec.forbidden(
            "pod updates may not change fields other than `spec.containers[*].image`,\
             `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
             additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to \
             be set to 1 if it was previously negative)\n",
        ));
    }
}

/// Takes over what an update may change.
fn keep(new: &mut Value, old: &Value, gated: bool) {
    let mut fields = vec!["activeDeadlineSeconds", "schedulingGates", "tolerations"];
    if gated {
        fields.push("nodeSelector");
        if let (Some(_), Some(node)) =
            (new.get("affinity"), old.pointer("/affinity/nodeAffinity").cloned())
        {
            new["affinity"]["nodeAffinity"] = node;
        }
    }
    for key in fields {
        new[key] = old.get(key).cloned().unwrap_or(Value::Null);
    }
    for key in ["containers", "initContainers"] {
        let olds = old.get(key).and_then(Value::as_array);
        let news = new.get_mut(key).and_then(Value::as_array_mut);
        for (new, old) in news.into_iter().flatten().zip(olds.into_iter().flatten()) {
            new["image"] = old.get("image").cloned().unwrap_or(Value::Null);
        }
    }
}

fn annotations(list: &Node<'_>, spec: &Node<'_>, e: &mut FieldErrors) {
    if list.get(MIRROR).is_set() && spec.get("nodeName").is_empty() {
        let detail = "must set spec.nodeName if mirror pod annotation is set";
        let value = list.get(MIRROR).at(list.path().key(MIRROR));
        e.push(value.invalid(detail));
    }
    const COST: &str = "controller.kubernetes.io/pod-deletion-cost";
    let cost = list.get(COST).at(list.path().key(COST));
    if cost.is_set() {
        let text = cost.text();
        let plain = !text.starts_with('+')
            && (text == "0" || !text.trim_start_matches('-').starts_with('0'));
        if text.parse::<i32>().is_err() || !plain {
            e.push(cost.invalid("must be a 32bit integer"));
        }
    }
    for (key, value) in list.entries() {
        if key == SECCOMP_POD || key.starts_with(SECCOMP_CONTAINER) {
            let text = value.text();
            match text.strip_prefix("localhost/") {
                _ if matches!(text, "runtime/default" | "docker/default" | "unconfined") => {}
                Some(path) => {
                    let path = Value::from(path);
                    let mut own = FieldErrors::default();
                    descending(&Node::new(&path, value.path().clone()), &mut own);
                    e.extend(own);
                }
                None => e.push(value.invalid("must be a valid seccomp profile")),
            }
        }
    }
}

/// The rules of a template.
pub(crate) fn template(template: &Node<'_>, e: &mut FieldErrors) {
    let meta = template.get("metadata");
    meta.get("labels").at(template.path().child("labels")).labels(e);
    let path = template.path().child("annotations");
    let entries = meta.get("annotations").entries();
    e.extend(validate_annotations(&path, entries.iter().map(|(key, v)| (*key, v.text()))));
    let spec = template.get("spec");
    annotations(&meta.get("annotations").at(path), &spec, e);
    pod_spec(&spec, "", false, e);
    if !spec.get("ephemeralContainers").is_empty() {
        let detail = "ephemeral containers not allowed in pod template";
        e.push(spec.get("ephemeralContainers").forbidden(detail));
    }
}

/// The rules of a Pod's specification; `pod` is the Pod's name where it is known.
pub(crate) fn pod_spec(spec: &Node<'_>, pod: &str, is_pod: bool, e: &mut FieldErrors) {
    let grace = spec.get("terminationGracePeriodSeconds");
    if !grace.is_set() {
        e.push(grace.required(""));
    }
    let found = volumes(&spec.get("volumes"), pod, e);
    let claims: BTreeSet<&str> = spec
        .get("resourceClaims")
        .items()
        .map(|claim| claim.get("name").text())
        .filter(|name| !name.is_empty())
        .collect();
    resource_claims(&spec.get("resourceClaims"), e);
    let os = spec.get("os");
    let context = Context {
        volumes: &found,
        claims: &claims,
        grace: grace.some_int(),
        restart: spec.get("restartPolicy").text(),
        os: os.is_set().then(|| os.get("name").text()),
        host_users: spec.get("hostUsers").value() != &Value::Bool(false),
    };
    let (regular, init) = (spec.get("containers"), spec.get("initContainers"));
    containers(&regular, &context, e);
    init_containers(&init, &regular, &context, e);
    let ephemeral = spec.get("ephemeralContainers");
    ephemeral_containers(&ephemeral, [&regular, &init], &context, e);
    if spec.get("resources").is_set() {
        pod_resources(spec, &claims, e);
    }
    if spec.get("hostNetwork").flag() {
        for port in regular.items().flat_map(|c| c.get("ports").items().collect::<Vec<_>>()) {
            let (host, own) = (port.get("hostPort"), port.get("containerPort"));
            if (is_pod || host.int() != 0) && host.int() != own.int() {
                let detail = "must match `containerPort` when `hostNetwork` is true";
                e.push(host.invalid_int(detail));
            }
        }
    }
    spec.get("restartPolicy").one_of(e, &["Always", "OnFailure", "Never"]);
    spec.get("dnsPolicy")
        .one_of(e, &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]);
    spec.get("nodeSelector").labels(e);
    pod_security(spec, e);
    let share = spec.get("shareProcessNamespace");
    if share.flag() && spec.get("hostPID").flag() {
        e.push(share.invalid("ShareProcessNamespace and HostPID cannot both be enabled"));
    }
    affinity(&spec.get("affinity"), e);
    dns_config(spec, e);
    for gate in spec.get("readinessGates").items() {
        gate.get("conditionType").rule(e, label_key);
    }
    let mut seen = BTreeSet::new();
    for gate in spec.get("schedulingGates").items() {
        let name = gate.get("name").at(gate.path().clone());
        name.rule(e, label_key);
        if !seen.insert(name.text()) {
            e.push(FieldError::duplicate(name.path(), name.text()));
        }
    }
    spreading(&spec.get("topologySpreadConstraints"), e);
    host_users(spec, e);
    names(spec, e);
    if os.is_set() {
        operating_system(spec, &os, e);
    }
    file_keys(spec, e);
}

fn resource_claims(list: &Node<'_>, e: &mut FieldErrors) {
    let mut names = BTreeSet::new();
    for claim in list.items() {
        let name = claim.get("name");
        if name.is_empty() {
            e.push(name.required(""));
        } else if names.contains(name.text()) {
            e.push(name.duplicate());
        } else {
            name.rule(e, dns1123_label);
            names.insert(name.text());
        }
        let (own, template) =
            (claim.get("resourceClaimName"), claim.get("resourceClaimTemplateName"));
        // As Go shows its internal type, whose fields have no JSON names.
        let shown = BadValue::json(format!(
            "{{\"Name\":{},\"ResourceClaimName\":{},\"ResourceClaimTemplateName\":{}}}",
            BadValue::named(name.text()).as_str(),
            own.bad().as_str(),
            template.bad().as_str(),
        ));
        if own.is_set() && template.is_set() {
            let detail = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be \
                          specified";
            e.push(FieldError::invalid(claim.path(), shown, detail));
        } else if !own.is_set() && !template.is_set() {
            let detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
            e.push(FieldError::invalid(claim.path(), shown, detail));
        }
        for name in [own, template] {
            if name.is_set() {
                name.name(e, name_is_dns_subdomain);
            }
        }
    }
}

fn pod_resources(spec: &Node<'_>, claims: &BTreeSet<&str>, e: &mut FieldErrors) {
    let resources = spec.get("resources");
    if spec.get("os").get("name").text() == "windows" {
        e.push(resources.forbidden("may not be set for a windows pod"));
        return;
    }
    if resources.get("claims").is_set() {
        let detail = "claims may not be set for Resources at pod-level";
        e.push(resources.get("claims").forbidden(detail));
    }
    requirements(&resources, Names::Pod, claims, e);
}

fn dns_config(spec: &Node<'_>, e: &mut FieldErrors) {
    let config = spec.get("dnsConfig");
    let (servers, searches) = (config.get("nameservers"), config.get("searches"));
    if spec.get("dnsPolicy").text() == "None" {
        if !config.is_set() {
            e.push(config.required("must provide `dnsConfig` when `dnsPolicy` is None"));
            return;
        }
        if servers.is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            e.push(servers.required(detail));
            return;
        }
    }
    if servers.len() > 3 {
        e.push(servers.invalid("must not have more than 3 nameservers"));
    }
    for server in servers.items() {
        e.extend(valid_ip_for_legacy_field(server.path(), server.text(), true, &[] as &[&str]));
    }
    if searches.len() > 32 {
        e.push(searches.invalid("must not have more than 32 search paths"));
    }
    if searches.texts().join(" ").len() > 2048 {
        let detail =
            "must not have more than 2048 characters (including spaces) in the search list";
        e.push(searches.invalid(detail));
    }
    for search in searches.items().filter(|search| search.text() != ".") {
        let text = search.text().strip_suffix('.').unwrap_or(search.text());
        let problems = dns1123_subdomain_with_underscore(text).into_iter();
        e.extend(problems.map(|problem| FieldError::invalid(search.path(), text, problem)));
    }
    for option in config.get("options").items() {
        if option.get("name").is_empty() {
            e.push(option.required("must not be empty"));
        }
    }
}

fn host_users(spec: &Node<'_>, e: &mut FieldErrors) {
    const WHEN: &str = "when `hostUsers` is false";
    if spec.get("hostUsers").value() != &Value::Bool(false) {
        return;
    }
    for (key, shown) in
        [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")]
    {
        if spec.get(key).flag() {
            e.push(spec.shown(key, shown).forbidden(WHEN));
        }
    }
    for key in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec.get(key).items() {
            if !container.get("volumeDevices").is_empty() {
                e.push(container.get("volumeDevices").forbidden(WHEN));
            }
        }
    }
}

/// Names that a specification holds, in the order of Go.
fn names(spec: &Node<'_>, e: &mut FieldErrors) {
    let given = |key: &str| Some(spec.get(key)).filter(|name| !name.is_empty());
    let over = spec.get("hostnameOverride");
    if over.is_set() {
        if spec.get("setHostnameAsFQDN").flag() {
            e.push(over.forbidden("may not be specified when setHostnameAsFQDN is true"));
        }
        if spec.get("hostNetwork").flag() {
            e.push(over.forbidden("may not be specified when hostNetwork is true"));
        }
        if over.len() > 64 {
            e.push(over.too_long(64));
        }
        over.rule(e, dns1123_subdomain);
    }
    for key in ["serviceAccountName", "nodeName"] {
        if let Some(name) = given(key) {
            name.name(e, name_is_dns_subdomain);
        }
        let (old, name) = (spec.peek("serviceAccount"), spec.get("serviceAccountName"));
        if key == "serviceAccountName" && old.as_str().unwrap_or_default() != name.text() {
            let path = spec.path().child("deprecatedServiceAccount");
            let detail = format!("must be the same as serviceAccountName: {:?}", name.text());
            e.push(FieldError::invalid(path, old.as_str().unwrap_or_default(), detail));
        }
    }
    let deadline = spec.get("activeDeadlineSeconds");
    if deadline.is_set() {
        deadline.within(e, 1, i64::from(i32::MAX));
    }
    for key in ["hostname", "subdomain"] {
        if let Some(name) = given(key) {
            name.rule(e, dns1123_label);
        }
    }
    tolerations(&spec.get("tolerations"), e);
    for alias in spec.get("hostAliases").items() {
        let ip = alias.get("ip");
        e.extend(valid_ip_for_legacy_field(ip.path(), ip.text(), true, &[] as &[&str]));
        alias.get("hostnames").items().for_each(|name| name.rule(e, dns1123_subdomain));
    }
    if let Some(class) = given("priorityClassName") {
        class.name(e, name_is_dns_subdomain);
    }
    let class = spec.get("runtimeClassName");
    if class.is_set() {
        class.name(e, name_is_dns_subdomain);
    }
    if spec.get("preemptionPolicy").is_set() {
        spec.get("preemptionPolicy").one_of(e, &["PreemptLowerPriority", "Never"]);
    }
    let overhead = spec.get("overhead");
    if overhead.is_set() {
        let limits =
            Value::Object([("limits".to_owned(), overhead.value().clone())].into_iter().collect());
        let node = Node::new(&limits, overhead.path().clone());
        requirements(&node, Names::Container, &BTreeSet::new(), e);
    }
}

fn operating_system(spec: &Node<'_>, os: &Node<'_>, e: &mut FieldErrors) {
    let name = os.get("name");
    match name.text() {
        "" => e.push(name.required("")),
        "linux" => {
            const NOT: &str = "windows options cannot be set for a linux pod";
            let mut contexts = vec![spec.get("securityContext")];
            for key in ["initContainers", "containers", "ephemeralContainers"] {
                contexts.extend(spec.get(key).items().map(|c| c.get("securityContext")));
            }
            for context in contexts {
                if context.get("windowsOptions").is_set() {
                    e.push(context.get("windowsOptions").forbidden(NOT));
                }
            }
        }
        "windows" => {}
        _ => e.push(name.at(os.path().clone()).unsupported(&["linux", "windows"])),
    }
}

/// Variables from files are in volumes that are directories of the Pod.
fn file_keys(spec: &Node<'_>, e: &mut FieldErrors) {
    for key in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec.get(key).items() {
            for variable in container.get("env").items() {
                let file = variable.get("valueFrom").get("fileKeyRef");
                if !file.is_set() {
                    continue;
                }
                let name = file.get("volumeName");
                let volume = spec
                    .get("volumes")
                    .items()
                    .filter(|volume| volume.get("name").text() == name.text())
                    .last();
                match volume {
                    None => e.push(FieldError::not_found(name.path(), name.text())),
                    Some(volume) if !volume.get("emptyDir").is_set() => {
                        e.push(name.invalid("referenced volume must be of type emptyDir"));
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

/// The rules of a PodTemplate.
pub(crate) fn pod_template(new: &Fields, _: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    template(&Node::of(new, "template"), &mut e);
    e
}
