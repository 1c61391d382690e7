//! Addresses and ports that Services are given.
//!
//! Go counterpart: `Allocators` in `k8s.io/kubernetes/pkg/registry/core/service/storage`. What is
//! taken is read from the Services that are there, so what a deleted Service had is free again.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use pintle_apimachinery::validation::{BadValue, FieldError, FieldErrors, FieldPath};
use serde_json::{Value, json};

use super::check::Node;
use super::core::service::needs_health_check;
use super::tree::{Fields, child, fill, fill_zero, is_empty, items, text};

/// Which addresses and ports there are to give.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranges {
    network: u32,
    bits: u32,
    /// The first and the last port of nodes.
    ports: (i64, i64),
}

impl Default for Ranges {
    /// 10.0.0.0/24, and ports from 30000 to 32767.
    fn default() -> Self {
        Ranges { network: 0x0A00_0000, bits: 24, ports: (30_000, 32_767) }
    }
}

impl Ranges {
    /// Takes the addresses of Services from a network, such as `10.96.0.0/16`.
    ///
    /// # Errors
    /// It is none of IPv4, or one so large or small that kube-apiserver takes it neither.
    pub(crate) fn set_addresses(&mut self, text: &str) -> Result<(), String> {
        let parts = text.split_once('/').and_then(|(ip, bits)| {
            let ip = ip.parse::<Ipv4Addr>().ok()?;
            Some((ip, bits.parse::<u32>().ok().filter(|bits| *bits <= 32)?))
        });
        let Some((ip, bits)) = parts else {
            return Err(format!("invalid CIDR address: {text}: only networks of IPv4 are served"));
        };
        if bits < 12 {
            return Err(
                "specified --service-cluster-ip-range is too large; for 32-bit addresses, \
                        the mask must be >= 12"
                    .to_owned(),
            );
        }
        if bits > 30 {
            return Err(format!("{text} has no room for the Service kubernetes and another"));
        }
        self.network = ip.to_bits() & (u32::MAX << (32 - bits));
        self.bits = bits;
        Ok(())
    }

    /// Takes the ports of nodes from a range.
    ///
    /// # Errors
    /// There is no port in it, or one too many.
    pub(crate) fn set_ports(&mut self, first: u16, last: u16) -> Result<(), String> {
        if first == 0 || first > last {
            return Err(format!("invalid port range: {first}-{last}"));
        }
        self.ports = (first.into(), last.into());
        Ok(())
    }

    /// The address of the Service `kubernetes`.
    pub(crate) fn first(&self) -> String {
        Ipv4Addr::from_bits(self.network + 1).to_string()
    }

    fn hosts(&self) -> u32 {
        (1 << (32 - self.bits)) - 2
    }

    /// An address by its place, from 0 on.
    fn host(&self, at: u32) -> String {
        Ipv4Addr::from_bits(self.network + 1 + at).to_string()
    }

    fn has(&self, ip: &str) -> bool {
        let all = self.network + 1..=self.network + self.hosts();
        ip.parse::<Ipv4Addr>().is_ok_and(|ip| all.contains(&ip.to_bits()))
    }
}

impl std::fmt::Display for Ranges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from_bits(self.network), self.bits)
    }
}

/// What other Services have, and what there is to give.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) ranges: Ranges,
    ips: BTreeSet<String>,
    ports: BTreeSet<(String, i64)>,
}

impl Taken {
    /// Counts a Service's addresses and ports.
    pub(crate) fn add(&mut self, service: &Fields) {
        let spec = Node::of(service, "spec");
        self.ips.extend(spec.get("clusterIPs").texts().into_iter().map(str::to_owned));
        for port in spec.get("ports").items() {
            let number = port.get("nodePort").int();
            if number != 0 {
                self.ports.insert((port.get("protocol").text().to_owned(), number));
            }
        }
        let check = spec.get("healthCheckNodePort").int();
        if check != 0 {
            self.ports.insert(("TCP".to_owned(), check));
        }
    }

    fn has_port(&self, number: i64) -> bool {
        self.ports.iter().any(|(_, taken)| *taken == number)
    }
}

fn needs_ip(spec: &Fields) -> bool {
    matches!(text(spec, "type"), "ClusterIP" | "NodePort" | "LoadBalancer")
}

fn needs_ports(spec: &Fields) -> bool {
    match text(spec, "type") {
        "NodePort" => true,
        "LoadBalancer" => spec.get("allocateLoadBalancerNodePorts") != Some(&Value::Bool(false)),
        _ => false,
    }
}

/// Gives a Service what it lacks; `random` gives any number. In an update, what the stored Service
/// has is kept, and what its new type has no use for is dropped.
pub(crate) fn give(
    service: &mut Fields,
    old: Option<&Fields>,
    taken: &Taken,
    random: &mut dyn FnMut() -> u64,
) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = child(service, "spec");
    let before = old.and_then(|old| old.get("spec")).and_then(Value::as_object);
    if let Some(before) = before {
        keep(spec, before);
        drop_unused(spec, before);
    }
    if !text(spec, "clusterIP").is_empty() && is_empty(spec.get("clusterIPs")) {
        let ip = text(spec, "clusterIP").to_owned();
        spec.insert("clusterIPs".to_owned(), json!([ip]));
    }
    if needs_ip(spec) {
        families(spec);
        cluster_ip(spec, before, taken, random, &mut e);
    }
    node_ports(spec, before, taken, random, &mut e);
    e
}

fn families(spec: &mut Fields) {
    let headless = text(spec, "clusterIP") == "None";
    let open = headless && is_empty(spec.get("selector"));
    fill(spec, "ipFamilyPolicy", if open { "RequireDualStack" } else { "SingleStack" });
    if is_empty(spec.get("ipFamilies")) {
        let family = if text(spec, "clusterIP").contains(':') { "IPv6" } else { "IPv4" };
        spec.insert("ipFamilies".to_owned(), json!([family]));
    }
    if open && text(spec, "ipFamilyPolicy") != "SingleStack" {
        let list = spec.get_mut("ipFamilies").and_then(Value::as_array_mut);
        if let Some(list) = list.filter(|list| list.len() == 1) {
            let other = if list[0] == "IPv4" { "IPv6" } else { "IPv4" };
            list.push(other.into());
        }
    }
}

fn cluster_ip(
    spec: &mut Fields,
    before: Option<&Fields>,
    taken: &Taken,
    random: &mut dyn FnMut() -> u64,
    e: &mut FieldErrors,
) {
    let wanted = text(spec, "clusterIP").to_owned();
    if wanted == "None" {
        return;
    }
    let path = FieldPath::new("spec").child("clusterIPs");
    if !wanted.is_empty() {
        if before.is_some_and(|before| text(before, "clusterIP") == wanted) {
            return;
        }
        let problem = match taken.ranges.has(&wanted) {
            _ if taken.ips.contains(&wanted) => "provided IP is already allocated".to_owned(),
            true => return,
            _ if wanted.parse::<std::net::IpAddr>().is_err() => return,
            false => format!(
                "the provided network ({}) does not contain the provided IP ({wanted})",
                taken.ranges
            ),
        };
        let detail = format!("failed to allocate IP {wanted}: {problem}");
        e.push(FieldError::invalid(path, BadValue::list(&[&wanted]), detail));
        return;
    }
    // Go gives out the upper part of a small range first; any free one will do.
    let (first, hosts) = (taken.ranges.first(), u64::from(taken.ranges.hosts()));
    let start = random() % hosts;
    let free = (0..hosts)
        .map(|step| taken.ranges.host(u32::try_from((start + step) % hosts).unwrap_or_default()))
        .find(|ip| *ip != first && !taken.ips.contains(ip));
    match free {
        Some(ip) => {
            spec.insert("clusterIP".to_owned(), ip.as_str().into());
            spec.insert("clusterIPs".to_owned(), json!([ip]));
        }
        None => e.push(FieldError::internal(path, "failed to allocate a serviceIP: range is full")),
    }
}

fn node_ports(
    spec: &mut Fields,
    before: Option<&Fields>,
    taken: &Taken,
    random: &mut dyn FnMut() -> u64,
    e: &mut FieldErrors,
) {
    let mut own: BTreeSet<(String, i64)> = BTreeSet::new();
    let had: BTreeSet<i64> = before
        .and_then(|before| before.get("ports"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|port| port["nodePort"].as_i64())
        .collect();
    let mut free = |own: &BTreeSet<(String, i64)>| {
        let (least, most) = taken.ranges.ports;
        let size = most - least + 1;
        let start = (random() % size.unsigned_abs()).cast_signed();
        (0..size)
            .map(|step| least + (start + step) % size)
            .find(|port| !taken.has_port(*port) && !own.iter().any(|(_, taken)| taken == port))
    };
    let full = || FieldError::internal("spec.ports", "range is full");
    let allocate = needs_ports(spec);
    if matches!(text(spec, "type"), "NodePort" | "LoadBalancer") {
        // Several ports of a Service may share a port of the node under different protocols.
        let mut numbers: Vec<(i64, i64)> = Vec::new();
        for (index, port) in items(spec, "ports").enumerate() {
            let protocol = text(port, "protocol").to_owned();
            let number = port.get("nodePort").and_then(Value::as_i64).unwrap_or(0);
            let service_port = port.get("port").and_then(Value::as_i64).unwrap_or(0);
            if number != 0 {
                let path = FieldPath::new("spec").child("ports").index(index).child("nodePort");
                let (least, most) = taken.ranges.ports;
                let problem = if !(least..=most).contains(&number) {
                    format!(
                        "provided port is not in the valid range. The range of valid ports is \
                         {least}-{most}"
                    )
                } else if taken.has_port(number) && !had.contains(&number) {
                    "provided port is already allocated".to_owned()
                } else {
                    String::new()
                };
                if !problem.is_empty() {
                    e.push(FieldError::invalid(path, number, problem));
                }
                own.insert((protocol, number));
                numbers.push((service_port, number));
            } else if allocate {
                let shared = numbers
                    .iter()
                    .find(|(port, number)| {
                        *port == service_port && !own.contains(&(protocol.clone(), *number))
                    })
                    .map(|(_, number)| *number);
                match shared.or_else(|| free(&own)) {
                    Some(number) => {
                        port.insert("nodePort".to_owned(), number.into());
                        own.insert((protocol, number));
                        numbers.push((service_port, number));
                    }
                    None => e.push(full()),
                }
            }
        }
    }
    let whole = Value::Object(spec.clone());
    if needs_health_check(&Node::new(&whole, FieldPath::nil())) {
        match free(&own) {
            Some(number) => fill_zero(spec, "healthCheckNodePort", number),
            None => e.push(full()),
        }
    }
}

/// What an update leaves out and the Service has is kept.
fn keep(spec: &mut Fields, before: &Fields) {
    if needs_ip(spec) && needs_ip(before) {
        for key in ["ipFamilyPolicy", "ipFamilies", "clusterIPs"] {
            if is_empty(spec.get(key))
                && spec.get(key).is_none_or(|value| value.is_null() || value.is_array())
                && let Some(value) = before.get(key)
                && (key != "clusterIPs"
                    || matches!(text(spec, "clusterIP"), "")
                    || text(spec, "clusterIP") == text(before, "clusterIP"))
            {
                spec.insert(key.to_owned(), value.clone());
            }
        }
        let ip = text(before, "clusterIP").to_owned();
        if !ip.is_empty() {
            fill_zero(spec, "clusterIP", ip);
        }
    }
    if needs_ports(spec) && needs_ports(before) {
        let old: Vec<(String, i64)> = before
            .get("ports")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|port| {
                let name = port["name"].as_str().unwrap_or_default().to_owned();
                Some((name, port["nodePort"].as_i64()?))
            })
            .collect();
        let used: Vec<i64> = items(spec, "ports")
            .filter_map(|port| port.get("nodePort").and_then(Value::as_i64))
            .collect();
        for port in items(spec, "ports") {
            let name = text(port, "name").to_owned();
            if let Some((_, number)) = old.iter().find(|(old, _)| *old == name)
                && !used.contains(number)
            {
                fill_zero(port, "nodePort", *number);
            }
        }
    }
    if let Some(port) = before.get("healthCheckNodePort")
        && needs_health_check(&Node::new(&Value::Object(spec.clone()), FieldPath::nil()))
    {
        fill_zero(spec, "healthCheckNodePort", port.clone());
    }
}

/// What a Service had for its old type and sends along unchanged is dropped.
fn drop_unused(spec: &mut Fields, before: &Fields) {
    let drop = |key: &str, spec: &mut Fields| {
        if spec.get(key) == before.get(key) {
            spec.remove(key);
        }
    };
    if needs_ip(before) && !needs_ip(spec) {
        for key in ["clusterIPs", "clusterIP", "ipFamilies", "ipFamilyPolicy"] {
            drop(key, spec);
        }
    }
    if text(before, "type") == "LoadBalancer" && text(spec, "type") != "LoadBalancer" {
        for key in ["allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort"] {
            drop(key, spec);
        }
    }
    let external = |spec: &Fields| {
        matches!(text(spec, "type"), "LoadBalancer" | "NodePort")
            || (text(spec, "type") == "ClusterIP" && !is_empty(spec.get("externalIPs")))
    };
    if external(before) && !external(spec) {
        drop("externalTrafficPolicy", spec);
    }
    if needs_ports(before) && !needs_ports(spec) {
        let numbers = |spec: &Fields| -> Vec<Value> {
            let ports = spec.get("ports").and_then(Value::as_array);
            ports.into_iter().flatten().map(|port| port["nodePort"].clone()).collect()
        };
        if numbers(spec).iter().all(|number| numbers(before).contains(number)) {
            items(spec, "ports").for_each(|port| {
                port.remove("nodePort");
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(spec: Value) -> Fields {
        let Value::Object(service) = json!({"spec": spec}) else { unreachable!("an object") };
        service
    }

    fn given(spec: Value, taken: &Taken) -> (Value, String) {
        let mut service = service(spec);
        let errors = give(&mut service, None, taken, &mut || 7);
        (service["spec"].clone(), errors.to_string())
    }

    #[test]
    fn addresses_are_given_once() {
        let mut taken = Taken::default();
        let (spec, _) = given(json!({"type": "ClusterIP", "selector": {"a": "b"}}), &taken);
        assert_eq!(spec["clusterIP"], "10.0.0.8");
        assert_eq!(spec["clusterIPs"], json!(["10.0.0.8"]));
        assert_eq!(
            (&spec["ipFamilies"], &spec["ipFamilyPolicy"]),
            (&json!(["IPv4"]), &json!("SingleStack"))
        );
        taken.add(&service(spec));
        let (spec, _) = given(json!({"type": "ClusterIP"}), &taken);
        assert_eq!(spec["clusterIP"], "10.0.0.9");
        let (_, errors) = given(json!({"type": "ClusterIP", "clusterIP": "10.0.0.8"}), &taken);
        assert_eq!(
            errors,
            "spec.clusterIPs: Invalid value: [\"10.0.0.8\"]: failed to allocate IP 10.0.0.8: provided IP is already allocated"
        );
    }

    #[test]
    fn ranges_are_what_was_asked_for() {
        let mut taken = Taken::default();
        taken.ranges.set_addresses("10.96.7.9/29").expect("a network");
        assert_eq!(taken.ranges.to_string(), "10.96.7.8/29");
        taken.ranges.set_ports(40_000, 40_001).expect("ports");
        let mut seen = BTreeSet::new();
        for _ in 0..5 {
            let (spec, errors) = given(json!({"type": "ClusterIP"}), &taken);
            assert_eq!(errors, "");
            seen.insert(spec["clusterIP"].as_str().unwrap_or_default().to_owned());
            taken.add(&service(spec));
        }
        let expect = ["10.96.7.10", "10.96.7.11", "10.96.7.12", "10.96.7.13", "10.96.7.14"];
        assert!(seen.iter().eq(expect), "{seen:?}");
        let (_, errors) = given(json!({"type": "ClusterIP"}), &taken);
        assert!(errors.ends_with("range is full"), "{errors}");
        let (_, errors) = given(json!({"type": "ClusterIP", "clusterIP": "10.0.0.8"}), &taken);
        let text =
            "the provided network (10.96.7.8/29) does not contain the provided IP (10.0.0.8)";
        assert!(errors.ends_with(text), "{errors}");
        let ports = json!([{"port": 53}, {"port": 80, "nodePort": 30080}]);
        let (_, errors) = given(json!({"type": "NodePort", "ports": ports}), &taken);
        assert!(errors.contains("The range of valid ports is 40000-40001"), "{errors}");
        for wrong in ["10.0.0.0", "10.0.0.0/8", "10.0.0.0/31", "10.0.0.0/99", "fd00::/108", "x/24"]
        {
            assert!(taken.ranges.set_addresses(wrong).is_err(), "{wrong}");
        }
        assert!(taken.ranges.set_ports(5, 4).is_err());
    }

    #[test]
    fn ports_of_nodes() {
        let mut taken = Taken::default();
        let ports = json!([{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}, {"port": 80, "protocol": "TCP", "nodePort": 30080}]);
        let (spec, errors) = given(json!({"type": "NodePort", "ports": ports}), &taken);
        assert_eq!(errors, "");
        assert_eq!(spec["ports"][0]["nodePort"], spec["ports"][1]["nodePort"]);
        taken.add(&service(spec));
        let again = json!([{"port": 80, "protocol": "TCP", "nodePort": 30080}]);
        let (_, errors) = given(json!({"type": "NodePort", "ports": again}), &taken);
        assert_eq!(
            errors,
            "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated"
        );
    }

    #[test]
    fn another_type_drops_what_it_has_no_use_for() {
        let taken = Taken::default();
        let (spec, _) = given(
            json!({"type": "NodePort", "externalTrafficPolicy": "Cluster", "ports": [{"port": 1}]}),
            &taken,
        );
        let old = service(spec.clone());
        let mut new = service(spec);
        new["spec"]["type"] = "ClusterIP".into();
        assert!(give(&mut new, Some(&old), &taken, &mut || 1).is_empty());
        assert_eq!(new["spec"]["clusterIP"], old["spec"]["clusterIP"]);
        assert_eq!(new["spec"]["ports"], json!([{"port": 1}]));
        assert!(new["spec"].get("externalTrafficPolicy").is_none());
    }
}
