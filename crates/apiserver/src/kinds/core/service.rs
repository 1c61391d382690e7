//! Validation of Services and Endpoints.
//!
//! Go counterpart: `validateService` and `ValidateEndpoints` in
//! `k8s.io/kubernetes/pkg/apis/core/validation`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, FieldPath, dns1123_label, dns1123_subdomain, label_key,
    name_is_dns_subdomain, port_number, valid_cidr_for_legacy_field, valid_ip_for_legacy_field,
};

use super::super::check::{Node, same};
use super::super::tree::Fields;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

/// The rules of a Service.
pub(crate) fn service(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    if let Some(old) = old {
        update(&spec, &Node::of(old, "spec"), &mut e);
    }
    let kind = spec.get("type");
    let ips = spec.get("clusterIPs");
    let headless = ips.texts().first() == Some(&"None");
    let ports = spec.get("ports");
    if ports.is_empty() && !headless && kind.text() != "ExternalName" {
        e.push(ports.required(""));
    }
    match kind.text() {
        "LoadBalancer" | "NodePort" if headless => {
            let detail = format!("may not be set to 'None' for {} services", kind.text());
            e.push(FieldError::invalid(ips.path().index(0), "None", detail));
        }
        "ExternalName" => {
            for key in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if !spec.get(key).is_empty() {
                    let detail = "may not be set for ExternalName services";
                    e.push(spec.get(key).forbidden(detail));
                }
            }
            let name = spec.get("externalName");
            let text = name.text().strip_suffix('.').unwrap_or(name.text());
            if text.is_empty() {
                e.push(name.required(""));
            } else {
                let problems = dns1123_subdomain(text).into_iter();
                e.extend(problems.map(|p| FieldError::invalid(name.path(), text, p)));
            }
        }
        _ => {}
    }
    service_ports(&ports, &mut e);
    spec.get("selector").labels(&mut e);
    let affinity = spec.get("sessionAffinity");
    affinity.one_of(&mut e, &["ClientIP", "None"]);
    session_affinity(&spec, &mut e);
    cluster_ips(&spec, old.is_some(), &mut e);
    for ip in spec.get("externalIPs").items() {
        let problems = valid_ip_for_legacy_field(ip.path(), ip.text(), true, &[] as &[&str]);
        if problems.is_empty() {
            endpoint_ip(&ip, &mut e);
        }
        e.extend(problems);
    }
    kind.one_of(&mut e, &TYPES);
    if kind.text() == "ClusterIP" {
        for port in ports.items().filter(|port| port.get("nodePort").int() != 0) {
            let detail = "may not be used when `type` is 'ClusterIP'";
            e.push(port.get("nodePort").forbidden(detail));
        }
    }
    twice(&ports, &mut e);
    load_balancer(new, &spec, &mut e);
    traffic(&spec, &mut e);
    e
}

fn service_ports(ports: &Node<'_>, e: &mut FieldErrors) {
    let mut names = BTreeSet::new();
    for port in ports.items() {
        let name = port.get("name");
        if name.is_empty() {
            if ports.len() > 1 {
                e.push(name.required(""));
            }
        } else {
            name.rule(e, dns1123_label);
            if !names.insert(name.text()) {
                e.push(name.duplicate());
            }
        }
        port.get("port").number(e, port_number);
        port.get("protocol").one_of(e, &PROTOCOLS);
        port.get("targetPort").port(e);
        if port.get("appProtocol").is_set() {
            port.get("appProtocol").rule(e, label_key);
        }
    }
}

/// Ports that are there twice.
fn twice(ports: &Node<'_>, e: &mut FieldErrors) {
    let mut nodes = BTreeSet::new();
    for port in ports.items() {
        let node = port.get("nodePort");
        if node.int() != 0 && !nodes.insert((port.get("protocol").text(), node.int())) {
            e.push(FieldError::duplicate(node.path(), node.int()));
        }
    }
    let mut seen = BTreeSet::new();
    for port in ports.items() {
        let (protocol, number) = (port.get("protocol").text(), port.get("port").int());
        if !seen.insert((protocol, number)) {
            let shown = BadValue::json(format!(
                "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{number},\
                 \"TargetPort\":0,\"NodePort\":0}}",
                BadValue::named(protocol).as_str()
            ));
            e.push(FieldError::duplicate(port.path(), shown));
        }
    }
}

fn session_affinity(spec: &Node<'_>, e: &mut FieldErrors) {
    const WHEN: &str = "when session affinity type is ClientIP";
    let config = spec.get("sessionAffinityConfig");
    let (client, timeout) = (config.get("clientIP"), config.get("clientIP").get("timeoutSeconds"));
    match spec.get("sessionAffinity").text() {
        "ClientIP" => {
            for part in [&config, &client, &timeout] {
                if !part.is_set() {
                    e.push(part.required(WHEN));
                    return;
                }
            }
            if !(1..=86_400).contains(&timeout.int()) {
                e.push(timeout.invalid("must be greater than 0 and less than 86400"));
            }
        }
        "None" if config.is_set() => {
            e.push(config.forbidden("must not be set when session affinity is None"));
        }
        _ => {}
    }
}

fn cluster_ips(spec: &Node<'_>, update: bool, e: &mut FieldErrors) {
    if spec.get("type").text() == "ExternalName" {
        return;
    }
    let (ip, ips) = (spec.get("clusterIP"), spec.get("clusterIPs"));
    let (families, policy) = (spec.get("ipFamilies"), spec.get("ipFamilyPolicy"));
    let list = ips.texts();
    if list.is_empty() {
        if !ip.is_empty() {
            e.push(ips.required(""));
        }
    } else if !ip.text().is_empty() || list[0].is_empty() {
        if list[0] != ip.text() {
            e.push(ips.invalid("first value must match `clusterIP`"));
        }
    } else {
        e.push(ips.forbidden("must be empty when `clusterIP` is not specified"));
    }
    let mut seen = BTreeSet::new();
    for family in families.items() {
        family.supported(e, &["IPv4", "IPv6"]);
        if !seen.insert(family.text()) {
            e.push(FieldError::duplicate(family.path(), BadValue::named(family.text())));
        }
    }
    if policy.is_set() {
        policy.supported(e, &["PreferDualStack", "RequireDualStack", "SingleStack"]);
    }
    let mut bad = false;
    for item in ips.items() {
        if item.text() == "None" {
            if list.len() > 1 {
                bad = true;
                e.push(item.invalid("can be set to 'None' only at index 0"));
                let _ = &mut bad;
            }
            continue;
        }
        let problems = valid_ip_for_legacy_field(item.path(), item.text(), true, &[] as &[&str]);
        bad |= !problems.is_empty();
        e.extend(problems);
    }
    if list.len() > 2 {
        e.push(ips.invalid("may only hold up to 2 values"));
    }
    if bad || update {
        return;
    }
    for (at, text) in list.iter().enumerate() {
        let (Some(family), Ok(ip)) = (families.texts().get(at).copied(), text.parse::<IpAddr>())
        else {
            continue;
        };
        if family == "IPv4" && ip.is_ipv6() || family == "IPv6" && ip.is_ipv4() {
            let detail = format!("expected an {family} value as indicated by `ipFamilies[{at}]`");
            e.push(FieldError::invalid(ips.path().index(at), *text, detail));
        }
    }
}

fn load_balancer(new: &Fields, spec: &Node<'_>, e: &mut FieldErrors) {
    const ONLY: &str = "may only be used when `type` is 'LoadBalancer'";
    let balanced = spec.get("type").text() == "LoadBalancer";
    let ranges = spec.shown("loadBalancerSourceRanges", "LoadBalancerSourceRanges");
    let annotations = Node::of(new, "metadata").get("annotations");
    let annotated = annotations.get(RANGES).at(annotations.path().key(RANGES));
    let cidr = |path: &FieldPath, text: &str, e: &mut FieldErrors| {
        e.extend(valid_cidr_for_legacy_field(path, text.trim(), true, &[] as &[&str]));
    };
    if !ranges.is_empty() {
        if !balanced {
            e.push(ranges.forbidden(ONLY));
        }
        ranges.items().for_each(|range| cidr(range.path(), range.text(), e));
    } else if annotated.is_set() {
        if !balanced {
            e.push(annotated.forbidden(ONLY));
        }
        let text = annotated.text().trim();
        if !text.is_empty() {
            text.split(',').for_each(|part| cidr(annotated.path(), part, e));
        }
    }
    let allocate = spec.get("allocateLoadBalancerNodePorts");
    if allocate.is_set() && !balanced {
        e.push(allocate.forbidden(ONLY));
    }
    let class = spec.get("loadBalancerClass");
    if class.is_set() {
        if balanced {
            class.rule(e, label_key);
        } else {
            e.push(class.forbidden(ONLY));
        }
    }
}

/// Whether clients outside may come to a Service.
fn is_external(spec: &Node<'_>) -> bool {
    match spec.get("type").text() {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !spec.get("externalIPs").is_empty(),
        _ => false,
    }
}

/// Whether a Service has a port for health checks.
pub(crate) fn needs_health_check(spec: &Node<'_>) -> bool {
    spec.get("type").text() == "LoadBalancer" && spec.get("externalTrafficPolicy").text() == "Local"
}

fn traffic(spec: &Node<'_>, e: &mut FieldErrors) {
    let external = spec.get("externalTrafficPolicy");
    if is_external(spec) {
        external.one_of(e, &["Cluster", "Local"]);
    } else if !external.is_empty() {
        e.push(external.invalid("may only be set for externally-accessible services"));
    }
    let check = spec.get("healthCheckNodePort");
    if needs_health_check(spec) {
        if check.int() == 0 {
            e.push(check.required(""));
        } else {
            check.number(e, port_number);
        }
    } else if check.int() != 0 {
        e.push(check.invalid(
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        ));
    }
    let internal = spec.get("internalTrafficPolicy");
    if internal.is_set() {
        internal.supported(e, &["Cluster", "Local"]);
    }
    let distribution = spec.get("trafficDistribution");
    if distribution.is_set() {
        distribution.supported(e, &["PreferClose", "PreferSameZone", "PreferSameNode"]);
    }
}

/// What may not change in a Service.
fn update(spec: &Node<'_>, old: &Node<'_>, e: &mut FieldErrors) {
    let (kind, before) = (spec.get("type").text(), old.get("type").text());
    if kind != "ExternalName" && before != "ExternalName" {
        let (new, old) = (spec.get("clusterIPs").texts(), old.get("clusterIPs").texts());
        if let (Some(old), true) = (old.first(), new.first() != old.first())
            && !old.is_empty()
        {
            let path = spec.path().child("clusterIPs").index(0);
            let shown = spec.get("clusterIPs");
            let shown = if shown.is_set() { shown.bad() } else { BadValue::NULL };
            e.push(FieldError::invalid(path, shown, "may not change once set"));
        }
    }
    let (class, old_class) = (spec.get("loadBalancerClass"), old.get("loadBalancerClass"));
    if kind == "LoadBalancer" && before == "LoadBalancer" && !same(class.value(), old_class.value())
    {
        let bad = if class.is_set() { class.bad() } else { BadValue::NULL };
        e.push(FieldError::invalid(class.path(), bad, "may not change once set"));
    }
    if needs_health_check(spec) && needs_health_check(old) {
        let port = spec.get("healthCheckNodePort");
        if port.int() != old.get("healthCheckNodePort").int() {
            e.push(port.forbidden("field is immutable"));
        }
    }
}

/// An address that traffic can go to.
pub(crate) fn endpoint_ip(ip: &Node<'_>, e: &mut FieldErrors) {
    let parsed: Option<IpAddr> = ip.text().parse().ok();
    let Some(address) = parsed else {
        e.push(ip.invalid("must be a valid IP address"));
        return;
    };
    let (local, multicast) = match address {
        IpAddr::V4(v4) => (v4.is_link_local(), v4.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(v6) => {
            let head = v6.segments()[0];
            (head & 0xffc0 == 0xfe80, head & 0xff0f == 0xff02)
        }
    };
    if address.is_unspecified() {
        e.push(ip.invalid(format!("may not be unspecified ({})", ip.text())));
    }
    if address.is_loopback() {
        e.push(ip.invalid("may not be in the loopback range (127.0.0.0/8, ::1/128)"));
    }
    if local {
        e.push(ip.invalid("may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
    }
    if multicast {
        let detail = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
        e.push(ip.invalid(detail));
    }
}

/// The rules of Endpoints.
pub(crate) fn endpoints(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let subsets = Node::of(new, "subsets");
    for subset in subsets.items() {
        let lists = [subset.get("addresses"), subset.get("notReadyAddresses")];
        if lists.iter().all(Node::is_empty) {
            e.push(subset.required("must specify `addresses` or `notReadyAddresses`"));
        }
        for address in lists.iter().flat_map(Node::items) {
            let ip = address.get("ip");
            e.extend(valid_ip_for_legacy_field(ip.path(), ip.text(), true, &[] as &[&str]));
            if !address.get("hostname").is_empty() {
                address.get("hostname").rule(&mut e, dns1123_label);
            }
            if address.get("nodeName").is_set() {
                address.get("nodeName").name(&mut e, name_is_dns_subdomain);
            }
            endpoint_ip(&ip, &mut e);
        }
        let ports = subset.get("ports");
        for port in ports.items() {
            let name = port.get("name");
            if !name.is_empty() {
                name.rule(&mut e, dns1123_label);
            } else if ports.len() > 1 {
                e.push(name.required(""));
            }
            port.get("port").number(&mut e, port_number);
            port.get("protocol").one_of(&mut e, &PROTOCOLS);
            if port.get("appProtocol").is_set() {
                port.get("appProtocol").rule(&mut e, label_key);
            }
        }
    }
    if old.is_some_and(|old| same(Node::of(old, "subsets").value(), subsets.value())) {
        return FieldErrors::default();
    }
    e
}
