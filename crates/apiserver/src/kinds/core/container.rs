//! Validation of containers.
//!
//! Go counterpart: `validateContainers` and what it calls in
//! `k8s.io/kubernetes/pkg/apis/core/validation`.

use std::collections::{BTreeMap, BTreeSet};

use pintle_apimachinery::validation::{
    FieldError, FieldErrors, dns1123_label, http_header_name, port_name, port_number,
};
use serde_json::Value;

use super::super::check::Node;
use super::env;
use super::resources::{Names, requirements};
use super::security::container_security;
use super::volume::{Volume, descending, no_backsteps};

/// What containers need to know of their Pod.
pub(super) struct Context<'a> {
    pub(super) volumes: &'a [Volume<'a>],
    /// Names of the Pod's resource claims.
    pub(super) claims: &'a BTreeSet<&'a str>,
    pub(super) grace: Option<i64>,
    pub(super) restart: &'a str,
    pub(super) os: Option<&'a str>,
    pub(super) host_users: bool,
}

pub(super) fn containers(list: &Node<'_>, context: &Context<'_>, e: &mut FieldErrors) {
    if list.is_empty() {
        e.push(list.required(""));
        return;
    }
    let mut names = BTreeSet::new();
    for container in list.items() {
        common(&container, context, e);
        if !names.insert(container.get("name").text()) {
            e.push(FieldError::duplicate(
                container.get("name").path(),
                container.get("name").text(),
            ));
        }
        running(&container, context, e);
        restart_policy(&container, e);
    }
    let mut ports = BTreeSet::new();
    for container in list.items() {
        host_ports(&container.get("ports"), &mut ports, e);
    }
}

pub(super) fn init_containers(
    list: &Node<'_>,
    regular: &Node<'_>,
    context: &Context<'_>,
    e: &mut FieldErrors,
) {
    const WITHOUT: &str = "may not be set for init containers without restartPolicy=Always";
    let mut names: BTreeSet<&str> = regular.items().map(|c| c.get("name").text()).collect();
    for container in list.items() {
        common(&container, context, e);
        let policy = container.get("restartPolicy");
        restart_policy(&container, e);
        let always = policy.text() == "Always";
        let name = container.get("name");
        if names.contains(name.text()) {
            e.push(FieldError::duplicate(name.path(), name.text()));
        } else if !name.is_empty() {
            names.insert(name.text());
        }
        let mut ports = BTreeSet::new();
        let at = list.path().index(0);
        host_ports(&container.get("ports").at(at.child("ports")), &mut ports, e);
        if always {
            running(&container, context, e);
        } else {
            for key in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                if container.get(key).is_set() {
                    e.push(container.get(key).forbidden(WITHOUT));
                }
            }
            for item in container.get("resizePolicy").items() {
                let policy = item.get("restartPolicy");
                if policy.text() == "RestartContainer" {
                    e.push(policy.invalid(
                        "must not be set to 'RestartContainer' for non-sidecar initContainers",
                    ));
                }
            }
        }
    }
}

/// What is in place while a container runs.
fn running(container: &Node<'_>, context: &Context<'_>, e: &mut FieldErrors) {
    let lifecycle = container.get("lifecycle");
    if lifecycle.is_set() {
        for key in ["postStart", "preStop"] {
            if lifecycle.get(key).is_set() {
                handler(&lifecycle.get(key), context.grace, e);
            }
        }
        let signal = lifecycle.get("stopSignal");
        if !signal.is_empty() {
            stop_signal(&signal, context.os, e);
        }
    }
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let probe = container.get(key);
        if !probe.is_set() {
            continue;
        }
        handler(&probe, context.grace, e);
        for key in [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ] {
            probe.get(key).nonnegative(e);
        }
        let grace = probe.get("terminationGracePeriodSeconds");
        if grace.some_int().is_some_and(|grace| grace <= 0) {
            e.push(grace.invalid("must be greater than 0"));
        }
        let success = probe.get("successThreshold");
        if key == "readinessProbe" {
            if grace.is_set() {
                e.push(grace.invalid("must not be set for readinessProbes"));
            }
        } else if success.int() != 1 {
            e.push(success.invalid_int("must be 1"));
        }
    }
}

fn handler(handler: &Node<'_>, grace: Option<i64>, e: &mut FieldErrors) {
    let mut any = false;
    for key in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        let action = handler.get(key);
        if !action.is_set() {
            continue;
        }
        if any {
            e.push(action.forbidden("may not specify more than 1 handler type"));
            continue;
        }
        any = true;
        match key {
            "exec" => action.get("command").given(e),
            "httpGet" => http_get(&action, e),
            "tcpSocket" => action.get("port").port(e),
            "grpc" => {
                action.get("port").number(e, port_number);
                if action.get("mode").is_set() {
                    action.get("mode").supported(e, &["Plaintext", "TLS"]);
                }
            }
            _ => {
                let seconds = action.get("seconds").int();
                if let Some(grace) = grace
                    && !(0..=grace).contains(&seconds)
                {
                    let detail = format!(
                        "must be non-negative and less than terminationGracePeriodSeconds ({grace})"
                    );
                    e.push(FieldError::invalid(action.path(), seconds, detail));
                }
            }
        }
    }
    if !any {
        e.push(handler.required("must specify a handler type"));
    }
}

fn http_get(get: &Node<'_>, e: &mut FieldErrors) {
    get.get("path").given(e);
    get.get("port").port(e);
    get.get("scheme").supported(e, &["HTTP", "HTTPS"]);
    let headers = get.get("httpHeaders");
    for header in headers.items() {
        header.get("name").at(headers.path().clone()).rule(e, http_header_name);
    }
    let protocol = get.get("protocol");
    if protocol.is_set() {
        if !["HTTP1", "HTTP2"].contains(&protocol.text()) {
            e.push(protocol.unsupported(&["HTTP1", "HTTP2"]));
        } else if protocol.text() == "HTTP2" && get.get("scheme").text() != "HTTP" {
            e.push(protocol.invalid("is only supported with HTTP (H2C)"));
        } else if protocol.text() == "HTTP2" && !get.get("host").is_empty() {
            e.push(get.get("host").invalid("must be empty when `protocol` is \"HTTP2\""));
        }
    }
}

fn stop_signal(signal: &Node<'_>, os: Option<&str>, e: &mut FieldErrors) {
    match os {
        None => e.push(signal.forbidden("may not be set for containers with empty `spec.os.name`")),
        Some("windows") => signal.supported(e, &["SIGKILL", "SIGTERM"]),
        Some("linux") => {
            const NAMES: &str = "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE \
                POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 \
                VTALRM WINCH XCPU XFSZ RTMIN RTMAX";
            let mut all: Vec<String> =
                NAMES.split_whitespace().map(|name| format!("SIG{name}")).collect();
            all.extend((1..=15).map(|n| format!("SIGRTMIN+{n}")));
            all.extend((1..=14).map(|n| format!("SIGRTMAX-{n}")));
            all.sort_unstable();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            signal.supported(e, &all);
        }
        Some(_) => {}
    }
}

fn restart_policy(container: &Node<'_>, e: &mut FieldErrors) {
    let (policy, rules) = (container.get("restartPolicy"), container.get("restartPolicyRules"));
    if !policy.is_set() {
        if !rules.is_empty() {
            e.push(policy.required("must specify restartPolicy when restart rules are used"));
        }
        if rules.is_empty() {
            return;
        }
    } else {
        policy.supported(e, &["Always", "Never", "OnFailure"]);
    }
    if rules.len() > 20 {
        e.push(FieldError::too_many(rules.path(), rules.len(), 20));
    }
    for rule in rules.items() {
        rule.get("action").supported(e, &["Restart", "RestartAllContainers"]);
        let codes = rule.get("exitCodes");
        if codes.is_set() {
            codes.get("operator").supported(e, &["In", "NotIn"]);
            if codes.get("values").len() > 255 {
                let values = codes.get("values");
                e.push(FieldError::too_many(values.path(), values.len(), 255));
            }
        } else {
            e.push(codes.required("must be specified"));
        }
    }
}

fn host_ports(ports: &Node<'_>, taken: &mut BTreeSet<String>, e: &mut FieldErrors) {
    for port in ports.items() {
        let host = port.get("hostPort");
        if host.int() == 0 {
            continue;
        }
        let (protocol, ip) = (port.get("protocol").text(), port.get("hostIP").text());
        let text = format!("{protocol}/{ip}/{}", host.int());
        if taken.contains(&text) {
            e.push(FieldError::duplicate(host.path(), &text));
        } else {
            taken.insert(text);
        }
    }
}

/// What every container is checked for.
pub(super) fn common(container: &Node<'_>, context: &Context<'_>, e: &mut FieldErrors) {
    container.get("name").required_rule(e, dns1123_label);
    container.get("image").given(e);
    container.get("terminationMessagePolicy").one_of(e, &["File", "FallbackToLogsOnError"]);
    ports(&container.get("ports"), e);
    env::variables(&container.get("env"), e);
    env::sources(&container.get("envFrom"), e);
    mounts(container, context, e);
    devices(container, context, e);
    container.get("imagePullPolicy").one_of(e, &["Always", "IfNotPresent", "Never"]);
    requirements(&container.get("resources"), Names::Container, context.claims, e);
    resize(&container.get("resizePolicy"), context.restart, e);
    container_security(&container.get("securityContext"), context.host_users, e);
}

fn ports(ports: &Node<'_>, e: &mut FieldErrors) {
    let mut names = BTreeSet::new();
    for port in ports.items() {
        let name = port.get("name");
        if !name.is_empty() {
            let problems = port_name(name.text());
            if !problems.is_empty() {
                e.extend(problems.into_iter().map(|problem| name.invalid(problem)));
            } else if !names.insert(name.text()) {
                e.push(name.duplicate());
            }
        }
        let number = port.get("containerPort");
        if number.int() == 0 {
            e.push(number.required(""));
        } else {
            number.number(e, port_number);
        }
        if port.get("hostPort").int() != 0 {
            port.get("hostPort").number(e, port_number);
        }
        port.get("protocol").one_of(e, &["SCTP", "TCP", "UDP"]);
    }
}

/// The last path under each name.
fn by_name<'a>(list: &Node<'a>, path: &str) -> BTreeMap<&'a str, &'a str> {
    list.items().map(|item| (item.get("name").text(), item.get(path).text())).collect()
}

fn mounts(container: &Node<'_>, context: &Context<'_>, e: &mut FieldErrors) {
    let list = container.get("volumeMounts");
    let devices = by_name(&container.get("volumeDevices"), "devicePath");
    let mut points = BTreeSet::new();
    for mount in list.items() {
        let (name, path) = (mount.get("name"), mount.get("mountPath"));
        name.given(e);
        let volume = context.volumes.iter().find(|volume| volume.name == name.text());
        if volume.is_none() {
            e.push(name.not_found());
        }
        path.given(e);
        if !points.insert(path.text()) {
            e.push(path.invalid("must be unique"));
        }
        if devices.contains_key(name.text()) {
            e.push(name.invalid("must not already exist in volumeDevices"));
        }
        if devices.values().any(|device| *device == path.text()) {
            e.push(path.invalid("must not already exist as a path in volumeDevices"));
        }
        let (sub, expression) = (mount.get("subPath"), mount.get("subPathExpr"));
        if !sub.is_empty() {
            descending(&sub.at(list.path().child("subPath")), e);
        }
        if !expression.is_empty() {
            if !sub.is_empty() {
                e.push(expression.invalid("subPathExpr and subPath are mutually exclusive"));
            }
            descending(&expression.at(list.path().child("subPathExpr")), e);
        }
        let propagation = mount.get("mountPropagation").at(list.path().child("mountPropagation"));
        if propagation.is_set() {
            propagation.supported(e, &["Bidirectional", "HostToContainer", "None"]);
            if propagation.text() == "Bidirectional"
                && !container.get("securityContext").get("privileged").flag()
            {
                e.push(propagation.forbidden(
                    "Bidirectional mount propagation is available only to privileged containers",
                ));
            }
        }
        recursive(&mount, &list, e);
        bind_options(&mount.get("bindMountOptions"), e);
        if !mount.get("bindMountOptions").is_empty() && volume.is_some_and(|v| v.image) {
            let detail = "bindMountOptions may not be used with image volumes";
            e.push(mount.get("bindMountOptions").invalid(detail));
        }
    }
}

fn recursive(mount: &Node<'_>, list: &Node<'_>, e: &mut FieldErrors) {
    let recursive = mount.get("recursiveReadOnly").at(list.path().child("recursiveReadOnly"));
    match recursive.text() {
        _ if !recursive.is_set() => {}
        "Disabled" => {}
        "Enabled" | "IfPossible" => {
            if !mount.get("readOnly").flag() {
                e.push(recursive.forbidden("may only be specified when readOnly is true"));
            }
            let propagation = mount.get("mountPropagation");
            if propagation.is_set() && propagation.text() != "None" {
                e.push(recursive.forbidden(
                    "may only be specified when mountPropagation is None or not specified",
                ));
            }
        }
        _ => e.push(recursive.unsupported(&["Disabled", "Enabled", "IfPossible"])),
    }
}

fn bind_options(options: &Node<'_>, e: &mut FieldErrors) {
    let mut seen = BTreeSet::new();
    for option in options.items() {
        option.supported(e, &["nodev", "noexec", "nosuid"]);
        if !seen.insert(option.text()) {
            e.push(option.duplicate());
        }
    }
}

fn devices(container: &Node<'_>, context: &Context<'_>, e: &mut FieldErrors) {
    let list = container.get("volumeDevices");
    let mounts = by_name(&container.get("volumeMounts"), "mountPath");
    let (mut paths, mut names) = (BTreeSet::new(), BTreeSet::new());
    for device in list.items() {
        let (name, path) = (device.get("name"), device.get("devicePath"));
        let volume = context.volumes.iter().find(|volume| volume.name == name.text());
        name.given(e);
        if names.contains(name.text()) {
            e.push(name.invalid("must be unique"));
        }
        match volume {
            Some(volume) if !volume.claim => e.push(name.invalid(
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block \
                 mode",
            )),
            None => e.push(name.not_found()),
            Some(_) => {}
        }
        path.given(e);
        if paths.contains(path.text()) {
            e.push(path.invalid("must be unique"));
        }
        let mut steps = FieldErrors::default();
        no_backsteps(&path, &mut steps);
        if !path.is_empty() && !steps.is_empty() {
            e.push(path.invalid("can not contain backsteps ('..')"));
        } else {
            paths.insert(path.text());
        }
        if mounts.contains_key(name.text()) {
            e.push(name.invalid("must not already exist in volumeMounts"));
        }
        if mounts.values().any(|mount| *mount == path.text()) {
            e.push(path.invalid("must not already exist as a path in volumeMounts"));
        }
        if !name.is_empty() {
            names.insert(name.text());
        }
    }
}

fn resize(list: &Node<'_>, restart: &str, e: &mut FieldErrors) {
    let mut seen = BTreeSet::new();
    for item in list.items() {
        let (resource, policy) = (item.get("resourceName"), item.get("restartPolicy"));
        if !seen.insert(resource.text()) {
            e.push(FieldError::duplicate(item.path(), resource.text()));
        }
        resource.at(list.path().clone()).one_of(e, &["cpu", "memory"]);
        let policy = policy.at(list.path().clone());
        policy.one_of(e, &["NotRequired", "RestartContainer"]);
        if restart == "Never" && policy.text() != "NotRequired" {
            e.push(policy.invalid("must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
        }
    }
}

/// What only Pods, and not templates, are checked for.
pub(super) fn only_for_pod(list: &Node<'_>, e: &mut FieldErrors) {
    for container in list.items() {
        let image = container.get("image");
        if image.text().trim().len() != image.len() {
            e.push(image.invalid("must not have leading or trailing whitespace"));
        }
    }
}

pub(super) fn ephemeral_containers(
    list: &Node<'_>,
    others: [&Node<'_>; 2],
    context: &Context<'_>,
    e: &mut FieldErrors,
) {
    const FORBIDDEN: [&str; 7] = [
        "ports",
        "resources",
        "resizePolicy",
        "restartPolicy",
        "livenessProbe",
        "readinessProbe",
        "lifecycle",
    ];
    const CANNOT: &str = "cannot be set for an Ephemeral Container";
    let other: BTreeSet<&str> =
        others.iter().flat_map(|l| l.items()).map(|c| c.get("name").text()).collect();
    let mut names = other.clone();
    for container in list.items() {
        common(&container, context, e);
        let name = container.get("name");
        if !names.insert(name.text()) {
            e.push(FieldError::duplicate(name.path(), name.text()));
        }
        let target = container.get("targetContainerName");
        if !target.is_empty() && !other.contains(target.text()) {
            e.push(target.not_found());
        }
        for key in FORBIDDEN.into_iter().chain(["startupProbe", "restartPolicyRules"]) {
            let value = container.get(key);
            if value.is_set() && !matches!(value.value(), Value::Object(o) if o.is_empty()) {
                e.push(value.forbidden(CANNOT));
            }
        }
        for mount in container.get("volumeMounts").items() {
            for key in ["subPath", "subPathExpr"] {
                if !mount.get(key).is_empty() {
                    e.push(mount.get(key).forbidden(CANNOT));
                }
            }
        }
    }
}
