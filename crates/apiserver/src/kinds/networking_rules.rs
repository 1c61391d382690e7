//! Validation of the kinds of `networking.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/networking/validation`.

use std::net::IpAddr;

use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, dns1123_subdomain, domain_prefixed_path, name_is_dns_label,
    name_is_dns_subdomain, path_segment_name, port_name, port_number, valid_cidr_for_legacy_field,
    valid_ip_for_legacy_field, wildcard_dns1123_subdomain,
};

use super::check::Node;
use super::tree::Fields;

const PATH_TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];
const CLASS: &str = "kubernetes.io/ingress.class";
const CONTROLLER: usize = 250;
const NOT_IP: &str = "must be a DNS name, not an IP address";

/// The rules of a NetworkPolicy.
pub(super) fn network_policy(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let (mut e, mut last) = (FieldErrors::default(), FieldErrors::default());
    let spec = Node::of(new, "spec");
    let before = old.map(|old| Node::of(old, "spec"));
    let known = before.as_ref().map(ranges).unwrap_or_default();
    let old_selector = before.as_ref().map(|spec| spec.get("podSelector"));
    spec.get("podSelector").selector_over(&mut e, old_selector.as_ref());
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.get(rules).items() {
            rule.get("ports").items().for_each(|port| policy_port(&port, &mut e));
            for peer in rule.get(peers).items() {
                policy_peer(&peer, old_selector.as_ref(), &known, &mut e, &mut last);
            }
        }
    }
    let types = spec.get("policyTypes");
    if types.len() > 2 {
        e.push(types.invalid("may not specify more than two policyTypes"));
    } else {
        for kind in types.items() {
            kind.supported(&mut e, &["Ingress", "Egress"]);
        }
    }
    e.extend(last);
    e
}

/// The ranges of addresses that a policy has.
fn ranges<'a>(spec: &Node<'a>) -> Vec<&'a str> {
    let mut all = Vec::new();
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for peer in spec.get(rules).items().flat_map(|rule| rule.get(peers).items()) {
            let block = peer.get("ipBlock");
            if block.is_set() {
                all.push(block.get("cidr").text());
                all.extend(block.get("except").texts());
            }
        }
    }
    all
}

fn policy_port(port: &Node<'_>, e: &mut FieldErrors) {
    let (protocol, number, end) = (port.get("protocol"), port.get("port"), port.get("endPort"));
    if protocol.is_set() {
        // Go names them in this order here.
        if !["TCP", "UDP", "SCTP"].contains(&protocol.text()) {
            e.push(protocol.unsupported(&["TCP", "UDP", "SCTP"]));
        }
    }
    match number.some_int() {
        Some(first) => {
            number.number(e, port_number);
            if end.is_set() {
                if end.int() < first {
                    e.push(end.invalid_int("must be greater than or equal to `port`"));
                }
                end.number(e, port_number);
            }
        }
        None if number.is_set() => {
            if end.is_set() {
                e.push(end.invalid_int("may not be specified when `port` is non-numeric"));
            }
            number.rule(e, port_name);
        }
        None if end.is_set() => {
            e.push(end.invalid_int("may not be specified when `port` is not specified"));
        }
        None => {}
    }
}

fn policy_peer(
    peer: &Node<'_>,
    lenient: Option<&Node<'_>>,
    known: &[&str],
    e: &mut FieldErrors,
    last: &mut FieldErrors,
) {
    let (pods, namespaces, block) =
        (peer.get("podSelector"), peer.get("namespaceSelector"), peer.get("ipBlock"));
    let count = [&pods, &namespaces, &block].iter().filter(|part| part.is_set()).count();
    pods.selector_over(e, lenient);
    namespaces.selector_over(e, lenient);
    if block.is_set() {
        ip_block(&block, known, e, last);
    }
    if count == 0 {
        e.push(peer.required("must specify a peer"));
    } else if count > 1 && block.is_set() {
        e.push(peer.forbidden("may not specify both ipBlock and another peer"));
    }
}

fn ip_block(block: &Node<'_>, known: &[&str], e: &mut FieldErrors, last: &mut FieldErrors) {
    let cidr = block.get("cidr");
    if cidr.is_empty() {
        last.push(cidr.required(""));
        return;
    }
    e.extend(valid_cidr_for_legacy_field(cidr.path(), cidr.text(), true, known));
    let Some((network, bits)) = range(cidr.text()) else { return };
    for except in block.get("except").items() {
        e.extend(valid_cidr_for_legacy_field(except.path(), except.text(), true, known));
        let Some((inner, inner_bits)) = range(except.text()) else { continue };
        let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
        let inside = network.is_ipv4() == inner.is_ipv4()
            && (number(network) ^ number(inner)) & mask_of(network, bits, mask) == 0;
        if !inside || bits >= inner_bits {
            e.push(except.invalid("must be a strict subset of `cidr`"));
        }
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn mask_of(ip: IpAddr, bits: u8, mask: u128) -> u128 {
    match ip {
        IpAddr::V4(_) => u128::from(u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)),
        IpAddr::V6(_) => mask,
    }
}

/// A range, of which numbers may begin with zeros.
pub(super) fn range(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, bits) = text.split_once('/')?;
    let bits: u8 = bits.parse().ok()?;
    let ip = parse_ip(ip)?;
    (bits <= if ip.is_ipv4() { 32 } else { 128 }).then_some((ip, bits))
}

/// An address, of which numbers may begin with zeros.
pub(super) fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| {
        let plain: Vec<&str> = text
            .split('.')
            .map(|part| match part.trim_start_matches('0') {
                "" if !part.is_empty() => "0",
                rest => rest,
            })
            .collect();
        plain.join(".").parse().ok().filter(IpAddr::is_ipv4)
    })
}

/// What an update of an Ingress may leave as wrong as it was.
#[derive(Clone, Copy, Default)]
struct Kept {
    secret_names: bool,
    wildcard_rules: bool,
}

/// The rules of an Ingress.
pub(super) fn ingress(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    let kept = old.map(|old| kept(&Node::of(old, "spec"))).unwrap_or_default();
    let (backend, rules, tls) = (spec.get("defaultBackend"), spec.get("rules"), spec.get("tls"));
    if rules.is_empty() && !backend.is_set() {
        let shown = if rules.is_set() { rules.bad() } else { BadValue::NULL };
        let detail = "either `defaultBackend` or `rules` must be specified";
        e.push(FieldError::invalid(spec.path(), shown, detail));
    }
    if backend.is_set() {
        ingress_backend(&backend, &mut e);
    }
    rules.items().for_each(|rule| ingress_rule(&rule, kept, &mut e));
    for entry in tls.items() {
        for host in entry.get("hosts").items() {
            if host.text().contains('*') {
                host.rule(&mut e, wildcard_dns1123_subdomain);
            } else {
                host.rule(&mut e, dns1123_subdomain);
            }
        }
        let secret = entry.get("secretName");
        if !kept.secret_names && !secret.is_empty() {
            secret.name(&mut e, name_is_dns_subdomain);
        }
    }
    let class = spec.get("ingressClassName");
    if class.is_set() {
        class.name(&mut e, name_is_dns_subdomain);
    }
    if old.is_none() {
        let annotations = Node::of(new, "metadata").get("annotations");
        let annotated = annotations.get(CLASS);
        if annotated.is_set() && class.is_set() && annotated.text() != class.text() {
            let path = format!("annotations.{CLASS}");
            let detail = "must match `ingressClassName` when both are specified";
            e.push(FieldError::invalid(path, annotated.text(), detail));
        }
    }
    e
}

fn kept(old: &Node<'_>) -> Kept {
    let bad_secret = |entry: Node<'_>| {
        let name = entry.get("secretName").text();
        !name.is_empty() && !name_is_dns_subdomain(name, false).is_empty()
    };
    let bad_rule = |rule: Node<'_>| {
        let mut e = FieldErrors::default();
        rule_value(&rule, &mut e);
        rule.get("host").text().contains('*') && !e.is_empty()
    };
    Kept {
        secret_names: old.get("tls").items().any(bad_secret),
        wildcard_rules: old.get("rules").items().any(bad_rule),
    }
}

fn ingress_rule(rule: &Node<'_>, kept: Kept, e: &mut FieldErrors) {
    let host = rule.get("host");
    let wildcard = host.text().contains('*');
    if !host.is_empty() {
        if parse_ip(host.text()).is_some() {
            e.push(host.invalid(NOT_IP));
        }
        if wildcard {
            host.rule(e, wildcard_dns1123_subdomain);
        } else {
            host.rule(e, dns1123_subdomain);
        }
    }
    if !wildcard || !kept.wildcard_rules {
        rule_value(rule, e);
    }
}

fn rule_value(rule: &Node<'_>, e: &mut FieldErrors) {
    let http = rule.get("http");
    if !http.is_set() {
        return;
    }
    let paths = http.get("paths");
    paths.given(e);
    paths.items().for_each(|path| ingress_path(&path, e));
}

fn ingress_path(entry: &Node<'_>, e: &mut FieldErrors) {
    const ABSOLUTE: &str = "must be an absolute path";
    let (kind, path) = (entry.get("pathType"), entry.get("path"));
    if !kind.is_set() {
        e.push(kind.required("pathType must be specified"));
        return;
    }
    let absolute = path.text().starts_with('/');
    match kind.text() {
        "Exact" | "Prefix" => {
            if !absolute {
                e.push(path.invalid(ABSOLUTE));
            }
            for inside in ["//", "/./", "/../", "%2f", "%2F"] {
                if path.text().contains(inside) {
                    e.push(path.invalid(format!("must not contain '{inside}'")));
                }
            }
            for end in ["/..", "/."] {
                if path.text().ends_with(end) {
                    e.push(path.invalid(format!("cannot end with '{end}'")));
                }
            }
        }
        "ImplementationSpecific" => {
            if !path.is_empty() && !absolute {
                e.push(path.invalid(ABSOLUTE));
            }
        }
        _ => e.push(kind.unsupported(&PATH_TYPES)),
    }
    ingress_backend(&entry.get("backend"), e);
}

fn ingress_backend(backend: &Node<'_>, e: &mut FieldErrors) {
    let wrong = |detail: &str| FieldError::invalid(backend.path(), "", detail);
    let (resource, service) = (backend.get("resource"), backend.get("service"));
    match (resource.is_set(), service.is_set()) {
        (true, true) => e.push(wrong("cannot set both resource and service backends")),
        (true, false) => {
            if resource.get("apiGroup").is_set() {
                resource.get("apiGroup").rule(e, dns1123_subdomain);
            }
            resource.get("kind").required_rule(e, path_segment_name);
            resource.get("name").required_rule(e, path_segment_name);
        }
        (false, true) => {
            let name = service.get("name");
            if name.is_empty() {
                e.push(name.required(""));
            } else {
                name.name(e, name_is_dns_label);
            }
            let port = service.get("port");
            let (name, number) = (port.get("name"), port.get("number"));
            match (name.is_empty(), number.int() == 0) {
                (false, false) => e.push(wrong("cannot set both port name & port number")),
                (false, true) => name.rule(e, port_name),
                (true, false) => number.number(e, port_number),
                (true, true) => e.push(backend.required("port name or number is required")),
            }
        }
        (false, false) => e.push(wrong("resource or service backend is required")),
    }
}

/// The rules of an update of an Ingress's status.
pub(super) fn ingress_status(new: &Fields, old: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let list = |object| Node::of(object, "status").get("loadBalancer").get("ingress");
    let known: Vec<&str> = list(old).items().map(|point| point.get("ip").text()).collect();
    for point in list(new).items() {
        let (ip, host) = (point.get("ip"), point.get("hostname"));
        if !ip.is_empty() {
            e.extend(valid_ip_for_legacy_field(ip.path(), ip.text(), true, &known));
        }
        if !host.is_empty() {
            host.rule(&mut e, dns1123_subdomain);
            if parse_ip(host.text()).is_some() {
                e.push(host.invalid(NOT_IP));
            }
        }
    }
    e
}

/// The rules of an IngressClass.
pub(super) fn ingress_class(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let (mut e, mut last) = (FieldErrors::default(), FieldErrors::default());
    let spec = Node::of(new, "spec");
    let controller = spec.get("controller");
    if let Some(old) = old {
        let before = Node::of(old, "spec").get("controller");
        if before.text() != controller.text() {
            e.push(controller.invalid("field is immutable"));
        }
    }
    if controller.len() > CONTROLLER {
        e.push(controller.too_long(CONTROLLER));
    }
    e.extend(domain_prefixed_path(controller.path(), controller.text()));
    let parameters = spec.get("parameters");
    if parameters.is_set() {
        class_parameters(&parameters, &mut e, &mut last);
    }
    e.extend(last);
    e
}

fn class_parameters(parameters: &Node<'_>, e: &mut FieldErrors, last: &mut FieldErrors) {
    if parameters.get("apiGroup").is_set() {
        parameters.get("apiGroup").rule(e, dns1123_subdomain);
    }
    for field in ["kind", "name"] {
        let node = parameters.get(field);
        if node.is_empty() {
            last.push(node.required(""));
        } else {
            node.rule(e, path_segment_name);
        }
    }
    let (scope, namespace) = (parameters.get("scope"), parameters.get("namespace"));
    match scope.text() {
        _ if !scope.is_set() => e.push(scope.required("")),
        "Namespace" if !namespace.is_set() => {
            e.push(namespace.required("`parameters.scope` is set to 'Namespace'"));
        }
        "Namespace" => namespace.name(e, name_is_dns_label),
        "Cluster" if namespace.is_set() => {
            e.push(namespace.forbidden("`parameters.scope` is set to 'Cluster'"));
        }
        "Cluster" => {}
        _ => {
            e.push(FieldError::not_supported(scope.path(), scope.text(), &["Cluster", "Namespace"]))
        }
    }
}
