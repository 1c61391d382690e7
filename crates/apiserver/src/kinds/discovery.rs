//! Kinds of `discovery.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/discovery`.

use std::collections::BTreeSet;

use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, dns1123_label, fully_qualified_domain_name, label_key,
    label_value, name_is_dns_subdomain, valid_ip, valid_ip_for_legacy_field,
};

use super::check::{Node, same};
use super::core::service::endpoint_ip;
use super::defaults::Default;
use super::tree::{Fields, fill, items};

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const ENDPOINTS: usize = 1000;
const PORTS: usize = 20_000;
const ADDRESSES: usize = 100;
const LABELS: usize = 16;
const HINTS: usize = 8;

/// The function of a type.
pub(super) fn default_of(name: &str) -> Option<Default> {
    (name == "EndpointPort").then_some(|port| {
        fill(port, "name", "");
        fill(port, "protocol", "TCP");
    })
}

/// Version 1 keeps no topology that is written.
pub(super) fn drop_topology(slice: &mut Fields, old: Option<&Fields>) {
    if old.is_some_and(|old| slice.get("endpoints") == old.get("endpoints")) {
        return;
    }
    for endpoint in items(slice, "endpoints") {
        endpoint.shift_remove("deprecatedTopology");
    }
}

/// The rules of an EndpointSlice.
pub(super) fn endpoint_slice(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let (mut e, mut last) = (FieldErrors::default(), FieldErrors::default());
    let kind = Node::of(new, "addressType");
    let before = old.map(|old| Node::of(old, "addressType"));
    if before.as_ref().is_none_or(|before| before.text() != kind.text()) {
        kind.one_of(&mut last, &["FQDN", "IPv4", "IPv6"]);
    }
    if let Some(before) = before {
        kind.immutable_declared(&mut last, &before);
    }
    ports(&Node::of(new, "ports"), &mut e);
    let list = Node::of(new, "endpoints");
    let kept = old.is_some_and(|old| same(Node::of(old, "endpoints").value(), list.value()));
    if !kept {
        endpoints(&list, kind.text(), &mut e, &mut last);
    }
    e.extend(last);
    e
}

fn ports(ports: &Node<'_>, e: &mut FieldErrors) {
    if ports.len() > PORTS {
        e.push(FieldError::too_many(ports.path(), ports.len(), PORTS));
        return;
    }
    let mut names = BTreeSet::new();
    for port in ports.items() {
        let name = port.get("name");
        if !name.is_empty() {
            name.rule(e, dns1123_label);
        }
        if !names.insert(name.text()) {
            e.push(FieldError::duplicate(name.path(), name.text()));
        }
        let protocol = port.get("protocol");
        if protocol.is_set() {
            protocol.supported(e, &PROTOCOLS);
        } else {
            e.push(protocol.required(""));
        }
        if port.get("appProtocol").is_set() {
            port.get("appProtocol").rule(e, label_key);
        }
    }
}

fn endpoints(list: &Node<'_>, kind: &str, e: &mut FieldErrors, last: &mut FieldErrors) {
    if list.len() > ENDPOINTS {
        e.push(FieldError::too_many(list.path(), list.len(), ENDPOINTS));
        return;
    }
    for endpoint in list.items() {
        let addresses = endpoint.get("addresses");
        if addresses.is_empty() {
            last.push(addresses.required(""));
        } else if addresses.len() > ADDRESSES {
            last.push(FieldError::too_many(addresses.path(), addresses.len(), ADDRESSES));
        }
        for address in addresses.items() {
            one_address(&addresses, &address, kind, e);
        }
        if endpoint.get("nodeName").is_set() {
            endpoint.get("nodeName").name(e, name_is_dns_subdomain);
        }
        let topology = endpoint.get("deprecatedTopology");
        if topology.len() > LABELS {
            e.push(FieldError::too_many(topology.path(), topology.len(), LABELS));
        }
        topology.labels(e);
        if endpoint.get("hostname").is_set() {
            endpoint.get("hostname").rule(e, dns1123_label);
        }
        hints(&endpoint.get("hints"), e);
    }
}

fn one_address(list: &Node<'_>, address: &Node<'_>, kind: &str, e: &mut FieldErrors) {
    let known: &[&str] = &[];
    let problems = match kind {
        "IPv4" => valid_ip_for_legacy_field(address.path(), address.text(), true, known),
        "IPv6" => valid_ip(address.path(), address.text()),
        "FQDN" => {
            e.extend(fully_qualified_domain_name(address.path(), address.text()));
            return;
        }
        _ => return,
    };
    if !problems.is_empty() {
        e.extend(problems);
        return;
    }
    if (kind == "IPv6") != address.text().contains(':') {
        let detail = format!("must be an {kind} address");
        e.push(FieldError::invalid(list.path(), address.text(), detail));
    }
    endpoint_ip(address, e);
}

fn hints(hints: &Node<'_>, e: &mut FieldErrors) {
    for field in ["forZones", "forNodes"] {
        let list = hints.get(field);
        if list.len() > HINTS {
            e.push(FieldError::too_many(list.path(), list.len(), HINTS));
            return;
        }
        let mut names = BTreeSet::new();
        for hint in list.items() {
            let name = hint.get("name");
            if !names.insert(name.text()) {
                e.push(FieldError::duplicate(name.path(), BadValue::from(name.text())));
            }
            match field {
                "forZones" => name.rule(e, label_value),
                _ => name.name(e, name_is_dns_subdomain),
            }
        }
    }
}
