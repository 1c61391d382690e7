//! Updates of the status of namespaces, quotas, Services, claims and Pods.
//!
//! Go counterpart: the `Validate...StatusUpdate` functions of `k8s.io/kubernetes/pkg/apis/core/validation`,
//! and `PrepareForUpdate` of the kinds' strategies of the status.

use std::collections::BTreeMap;
use std::net::IpAddr;

use pintle_apimachinery::validation::{
    BadValue, FieldError, FieldErrors, FieldPath, condition_reason, dns1123_label,
    dns1123_subdomain, label_key, name_is_dns_subdomain, valid_ip_for_legacy_field,
};
use serde_json::{Value, json};

use super::super::check::{Node, struct_shown};
use super::super::tree::{Fields, child, is_nil, is_zero, items};
use super::config::quota_resource;
use super::resources::amount;

/// The status of a namespace.
pub(crate) fn namespace(new: &Fields, _: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let phase = Node::of(new, "status").get("phase");
    let deleting = Node::of(new, "metadata").get("deletionTimestamp").is_set();
    let (wanted, detail) = if deleting {
        ("Terminating", "may only be 'Terminating' if `deletionTimestamp` is not empty")
    } else {
        ("Active", "may only be 'Active' if `deletionTimestamp` is empty")
    };
    if phase.text() != wanted {
        let path = FieldPath::new("status").child("Phase");
        e.push(FieldError::invalid(path, BadValue::named(phase.text()), detail));
    }
    e
}

/// The status of a quota.
pub(crate) fn quota(new: &Fields, _: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let status = Node::of(new, "status");
    for list in ["hard", "used"] {
        for (name, value) in status.get(list).entries() {
            quota_resource(name, &value, &mut e);
            amount(name, &value, &mut e);
        }
    }
    e
}

/// The status of a Service.
pub(crate) fn service(new: &Fields, old: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let list = |object| Node::of(object, "status").get("loadBalancer").get("ingress");
    let (ingress, before) = (list(new), list(old));
    if Node::of(new, "spec").get("type").text() != "LoadBalancer" && !ingress.is_empty() {
        e.push(ingress.forbidden("may only be used when `spec.type` is 'LoadBalancer'"));
        return e;
    }
    let known: Vec<&str> = before.items().map(|point| point.get("ip").text()).collect();
    for point in ingress.items() {
        let (ip, mode, host) = (point.get("ip"), point.get("ipMode"), point.get("hostname"));
        if !ip.is_empty() {
            e.extend(valid_ip_for_legacy_field(ip.path(), ip.text(), true, &known));
        }
        if !mode.is_set() {
            if !ip.is_empty() {
                e.push(mode.required("must be specified when `ip` is set"));
            }
        } else if ip.is_empty() {
            e.push(mode.forbidden("may not be specified when `ip` is not set"));
        } else {
            mode.supported(&mut e, &["Proxy", "VIP"]);
        }
        if !host.is_empty() {
            host.rule(&mut e, dns1123_subdomain);
            if super::super::networking_rules::parse_ip(host.text()).is_some() {
                e.push(host.invalid("must be a DNS name, not an IP address"));
            }
        }
    }
    e
}

/// When the phase of a volume changes, so does the time of its last change.
pub(crate) fn prepare_volume(volume: &mut Fields, old: &Fields, now: &str) {
    const TIME: &str = "lastPhaseTransitionTime";
    let before = Node::of(old, "status");
    let status = child(volume, "status");
    let phase =
        |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let same_phase = phase(status.get("phase")) == before.get("phase").text();
    let missing = is_nil(status.get(TIME));
    if same_phase && missing {
        if before.get(TIME).is_set() {
            status.insert(TIME.to_owned(), before.peek(TIME).clone());
        }
    } else if !same_phase && (missing || status.get(TIME) == Some(before.peek(TIME))) {
        status.insert(TIME.to_owned(), now.into());
    }
}

/// The status of a claim.
pub(crate) fn claim(new: &Fields, _: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    if Node::of(new, "spec").get("accessModes").is_empty() {
        e.push(FieldError::required(FieldPath::new("Spec").child("accessModes"), ""));
    }
    let status = Node::of(new, "status");
    let basic = |value: &Node<'_>, e: &mut FieldErrors| {
        let amount = value.quantity().value();
        if amount < 0 {
            let detail = "must be a valid resource quantity";
            e.push(FieldError::invalid(value.path(), amount, detail));
            return false;
        }
        true
    };
    for (_, value) in status.get("capacity").entries() {
        basic(&value, &mut e);
    }
    for condition in status.get("healthStatus").get("healthConditions").items() {
        let reason = condition.get("reason");
        if !reason.is_empty() {
            reason.rule(&mut e, condition_reason);
        }
    }
    let states = status.get("allocatedResourceStatuses");
    for (name, state) in states.entries() {
        resource_key(name, states.path(), &mut e);
        let known = [
            "ControllerResizeInProgress",
            "ControllerResizeInfeasible",
            "NodeResizePending",
            "NodeResizeInProgress",
            "NodeResizeInfeasible",
        ];
        if !known.contains(&state.text()) {
            let mut known = known;
            known.sort_unstable();
            e.push(FieldError::not_supported(states.path(), BadValue::named(name), &known));
        }
    }
    let allocated = status.get("allocatedResources");
    for (name, value) in allocated.entries() {
        if resource_key(name, allocated.path(), &mut e) && basic(&value, &mut e) {
            amount("storage", &value, &mut e);
        }
    }
    e
}

/// Whether a resource is one that a claim has.
fn resource_key(name: &str, path: &FieldPath, e: &mut FieldErrors) -> bool {
    let problems = label_key(name);
    if !problems.is_empty() {
        e.extend(problems.into_iter().map(|problem| FieldError::invalid(path, name, problem)));
        return false;
    }
    let native = !name.contains('/') || name.contains("kubernetes.io/");
    if native && name != "storage" {
        e.push(FieldError::not_supported(path, name, &["storage"]));
        return false;
    }
    true
}

/// What an update of a Pod's status keeps when it is left out.
pub(crate) fn prepare_pod(pod: &mut Fields, old: &Fields) {
    let before = Node::of(old, "status");
    child(pod, "metadata").shift_remove("deletionTimestamp");
    if let Some(time) = Node::of(old, "metadata").value().get("deletionTimestamp") {
        child(pod, "metadata").insert("deletionTimestamp".to_owned(), time.clone());
    }
    let status = child(pod, "status");
    for key in ["qosClass", "observedGeneration"] {
        if is_zero(status.get(key)) && before.get(key).is_set() {
            status.insert(key.to_owned(), before.peek(key).clone());
        }
    }
    let kept = [
        "resourceClaimStatuses",
        "extendedResourceClaimStatus",
        "nodeAllocatableResourceClaimStatuses",
    ];
    for key in kept {
        if is_nil(status.get(key)) && before.get(key).is_set() {
            status.insert(key.to_owned(), before.peek(key).clone());
        }
    }
    // Behind gates that are off.
    for key in ["volumeHealth", "nodeAllocatableResourceClaimStatuses"] {
        if !before.get(key).is_set() {
            status.shift_remove(key);
        }
    }
    let mut generations: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for condition in before.get("conditions").items() {
        let seen = generations.entry(condition.peek("type").as_str().unwrap_or_default());
        seen.or_default().push(condition.get("observedGeneration").int());
    }
    for condition in items(status, "conditions") {
        let kind = condition.get("type").and_then(Value::as_str).unwrap_or_default();
        let of_kind = generations.get_mut(kind).filter(|all| !all.is_empty());
        let generation = of_kind.map_or(0, |all| all.remove(0));
        if is_zero(condition.get("observedGeneration")) && generation != 0 {
            condition.insert("observedGeneration".to_owned(), generation.into());
        }
    }
}

/// Takes off the fields of Pods that are behind gates that are off, unless the old object has them.
pub(crate) fn drop_gated(object: &mut Fields, old: Option<&Fields>, path: &[&str]) {
    let (Some(first), rest) = (path.first(), &path[1..]) else { return };
    let mut before = old.map(|old| Node::of(old, first));
    let mut spec = object.get_mut(*first).and_then(Value::as_object_mut);
    for step in rest {
        before = before.map(|before| before.get(step));
        spec = spec.and_then(|spec| spec.get_mut(*step)).and_then(Value::as_object_mut);
    }
    let Some(spec) = spec else { return };
    for key in ["evictionResponders", "schedulingGroup"] {
        if !before.as_ref().is_some_and(|before| before.get(key).is_set()) {
            spec.shift_remove(key);
        }
    }
}

/// A new Pod with gates is not scheduled, and says so.
pub(crate) fn gated(pod: &mut Fields) {
    if Node::of(pod, "spec").get("schedulingGates").is_empty() {
        return;
    }
    let now = Node::of(pod, "metadata").peek("creationTimestamp").clone();
    let condition = json!({
        "type": "PodScheduled",
        "status": "False",
        "lastProbeTime": null,
        "lastTransitionTime": now,
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    });
    child(pod, "status").insert("conditions".to_owned(), json!([condition]));
}

/// The status of a Pod.
pub(crate) fn pod(new: &Fields, old: &Fields) -> FieldErrors {
    let mut e = FieldErrors::default();
    let (status, before) = (Node::of(new, "status"), Node::of(old, "status"));
    let (spec, old_spec) = (Node::of(new, "spec"), Node::of(old, "spec"));
    for condition in status.get("conditions").items() {
        let (seen, kind) = (condition.get("observedGeneration"), condition.get("type"));
        if seen.int() < 0 {
            e.push(seen.invalid_int("must be a non-negative integer"));
        }
        if !["PodScheduled", "Ready", "Initialized"].contains(&kind.text()) {
            kind.at(condition.path().child("Type")).rule(&mut e, label_key);
        }
    }
    let nominated = status.get("nominatedNodeName");
    if nominated.text() != before.get("nominatedNodeName").text() && !nominated.is_empty() {
        nominated.name(&mut e, name_is_dns_subdomain);
        if !old_spec.get("nodeName").is_empty() {
            e.push(nominated.forbidden("may not be set on pods that are already bound to a node"));
        }
    }
    let seen = status.get("observedGeneration");
    if seen.int() < 0 {
        e.push(seen.invalid_int("must be a non-negative integer"));
    }
    let class = status.get("qosClass");
    if class.text() != before.get("qosClass").text() {
        let shown = BadValue::named(class.text());
        e.push(FieldError::invalid(class.path(), shown, "field is immutable"));
    }
    for (list, own) in
        [("containerStatuses", "containers"), ("initContainerStatuses", "initContainers")]
    {
        containers(&status.get(list), &before.get(list), Some((&old_spec, own)), &mut e);
    }
    let list = "ephemeralContainerStatuses";
    containers(&status.get(list), &before.get(list), None, &mut e);
    claims(&status, &spec, &mut e);
    extended(&status.get("extendedResourceClaimStatus"), &spec, &mut e);
    addresses(&status, &before, ("podIP", "podIPs"), &mut e);
    addresses(&status, &before, ("hostIP", "hostIPs"), &mut e);
    for list in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
        for one in status.get(list).items() {
            users(&one.get("user"), spec.get("os").get("name").text(), &mut e);
        }
    }
    for (list, own) in
        [("containerStatuses", "containers"), ("initContainerStatuses", "initContainers")]
    {
        for one in status.get(list).items() {
            allocated(&one, &spec.get(own), &mut e);
        }
    }
    for one in status.get("ephemeralContainerStatuses").items() {
        let resources = one.get("allocatedResourcesStatus");
        if !resources.is_empty() {
            e.push(resources.forbidden("must not be specified in container status"));
        }
    }
    e
}

/// What has ended does not run again, unless its Pod says that it may.
fn containers(new: &Node<'_>, old: &Node<'_>, of: Option<(&Node<'_>, &str)>, e: &mut FieldErrors) {
    let restarts_all = of.is_some_and(|(spec, _)| {
        ["initContainers", "containers"].iter().any(|list| {
            spec.get(list).items().any(|container| {
                let rules = container.get("restartPolicyRules");
                rules.items().any(|rule| rule.get("action").text() == "RestartAllContainers")
            })
        })
    });
    if restarts_all {
        return;
    }
    for (i, ended) in old.items().enumerate() {
        let end = ended.get("state").get("terminated");
        if !end.is_set() {
            continue;
        }
        let name = ended.get("name");
        let again = new.items().find(|one| {
            one.peek("name") == name.value() && !one.get("state").get("terminated").is_set()
        });
        if again.is_none() {
            continue;
        }
        let may = of.is_some_and(|(spec, list)| {
            let container = spec.get(list).items().find(|c| c.peek("name") == name.value());
            container.is_some_and(|container| restarts(&container, spec, end.get("exitCode").int()))
        });
        if !may {
            let path = new.path().index(i).child("state");
            let detail = "may not be transitioned to non-terminated state";
            e.push(FieldError::forbidden(path, detail));
        }
    }
}

/// Whether a container that ended with this code is started again.
fn restarts(container: &Node<'_>, pod: &Node<'_>, code: i64) -> bool {
    let own = container.get("restartPolicy");
    if own.is_set() {
        let rules = container.get("restartPolicyRules");
        let rule = rules.items().find(|rule| {
            let codes = rule.get("exitCodes");
            let listed = codes.get("values").items().any(|value| value.int() == code);
            match codes.get("operator").text() {
                "In" => listed,
                "NotIn" => !listed,
                _ => false,
            }
        });
        let action = rule.map(|rule| rule.get("action").text().to_owned()).unwrap_or_default();
        if matches!(action.as_str(), "Restart" | "RestartAllContainers") {
            return true;
        }
        match own.text() {
            "Always" => return true,
            "OnFailure" => return code != 0,
            "Never" => return false,
            _ => {}
        }
    }
    match pod.get("restartPolicy").text() {
        "OnFailure" => code != 0,
        "Never" => false,
        _ => true,
    }
}

fn claims(status: &Node<'_>, spec: &Node<'_>, e: &mut FieldErrors) {
    let mut seen = Vec::new();
    for one in status.get("resourceClaimStatuses").items() {
        let (name, claim) = (one.get("name"), one.get("resourceClaimName"));
        if !spec.get("resourceClaims").items().any(|own| own.peek("name") == name.value()) {
            e.push(name.invalid("must match the name of an entry in `spec.resourceClaims`"));
        }
        if seen.contains(&name.text()) {
            e.push(name.duplicate());
        } else {
            seen.push(name.text());
        }
        if claim.is_set() {
            claim.name(e, name_is_dns_subdomain);
        }
    }
}

fn extended(claim: &Node<'_>, spec: &Node<'_>, e: &mut FieldErrors) {
    if !claim.is_set() {
        return;
    }
    let mappings = claim.get("requestMappings");
    if mappings.is_empty() {
        e.push(mappings.required("at least one request mapping is required"));
    }
    let mut seen = Vec::new();
    for mapping in mappings.items() {
        let [container, resource, request] =
            ["containerName", "resourceName", "requestName"].map(|field| mapping.get(field));
        let lists = ["initContainers", "containers"].map(|list| spec.get(list));
        let mut own = lists.iter().flat_map(Node::items);
        match own.find(|own| own.get("name").text() == container.text()) {
            Some(own) if own.get("resources").get("requests").get(resource.text()).is_set() => {}
            Some(_) => e.push(resource.invalid(
                "must match the extended resource name of an entry in \
                 spec.initContainers.resources.requests or spec.containers.resources.requests",
            )),
            None => e.push(container.invalid(
                "must match the name of an entry in spec.initContainers.name or \
                 spec.containers.name",
            )),
        }
        request.at(claim.path().child("requestName")).rule(e, dns1123_label);
        let key = (container.text(), resource.text(), request.text());
        if seen.contains(&key) {
            e.extend([&container, &resource, &request].map(Node::duplicate));
        }
        seen.push(key);
    }
    let name = claim.get("resourceClaimName");
    if name.is_empty() {
        e.push(name.required(""));
    } else {
        name.name(e, name_is_dns_subdomain);
    }
}

fn addresses(status: &Node<'_>, before: &Node<'_>, (one, all): (&str, &str), e: &mut FieldErrors) {
    let list = status.get(all);
    let pod = one == "podIP";
    if list.is_empty() && !pod {
        return;
    }
    let first = list.items().next();
    let differs = |e: &mut FieldErrors| {
        if let Some(first) = &first
            && first.get("ip").text() != status.get(one).text()
        {
            e.push(first.get("ip").invalid(format!("must be equal to `{one}`")));
        }
    };
    if !pod {
        differs(e);
    }
    let known: Vec<&str> =
        before.get(all).items().map(|ip| ip.peek("ip").as_str().unwrap_or_default()).collect();
    for ip in list.items() {
        let text = ip.peek("ip").as_str().unwrap_or_default();
        e.extend(valid_ip_for_legacy_field(ip.path(), text, true, &known));
    }
    let shown = || {
        let items: Vec<String> = list
            .items()
            .map(|ip| struct_shown(&[("IP", ip.get("ip").bad())]).as_str().to_owned())
            .collect();
        if list.is_set() {
            BadValue::json(format!("[{}]", items.join(",")))
        } else {
            BadValue::NULL
        }
    };
    if list.len() > 1 {
        let ips: Vec<Option<IpAddr>> = list
            .items()
            .map(|ip| super::super::networking_rules::parse_ip(ip.get("ip").text()))
            .collect();
        let bad = ips.iter().position(Option::is_none);
        if let Some(bad) = bad {
            let text = list.items().nth(bad).map(|ip| ip.get("ip").text()).unwrap_or_default();
            let detail =
                format!("failed to check for dual stack with error:invalid IP[{bad}]: {text}");
            e.push(FieldError::internal(list.path(), detail));
        }
        let six = ips.iter().flatten().filter(|ip| ip.is_ipv6()).count();
        let dual = bad.is_none() && six > 0 && six < ips.len();
        if !dual || ips.len() > 2 {
            let detail = "may specify no more than one IP for each IP family";
            e.push(FieldError::invalid(list.path(), shown(), detail));
        }
    }
    if pod {
        if status.get(one).is_empty() != list.is_empty() {
            let detail = "podIP and podIPs must either both be set or both be unset";
            e.push(FieldError::invalid(list.path(), shown(), detail));
        } else {
            differs(e);
        }
    }
}

fn users(user: &Node<'_>, os: &str, e: &mut FieldErrors) {
    let linux = user.get("linux");
    if !linux.is_set() {
        return;
    }
    match os {
        "windows" => e.push(linux.forbidden("cannot be set for a windows pod")),
        "" | "linux" => {
            linux.get("uid").within(e, 0, i64::from(u32::MAX));
            let group = |id: &Node<'_>, e: &mut FieldErrors| {
                id.within(e, 0, i64::from(i32::MAX));
            };
            group(&linux.get("gid"), e);
            linux.get("supplementalGroups").items().for_each(|id| group(&id, e));
        }
        _ => {}
    }
}

fn allocated(status: &Node<'_>, containers: &Node<'_>, e: &mut FieldErrors) {
    let own = containers.items().find(|c| c.peek("name") == status.peek("name"));
    for one in status.get("allocatedResourcesStatus").items() {
        let name = one.get("name");
        if let Some(container) = &own {
            let resources = container.get("resources");
            let (found, detail) = match name.text().strip_prefix("claim:") {
                Some(claim) => (
                    resources.get("claims").items().any(|own| match own.get("request").text() {
                        "" => own.get("name").text() == claim,
                        request => format!("{}/{request}", own.get("name").text()) == claim,
                    }),
                    "must match one of the container's resource claims as \
                     'claim:<claimName>/<requestName>' when container.resources.claims[*].request is \
                     set or 'claim:<claimName>' when it is empty",
                ),
                None => (
                    resources.get("requests").get(name.text()).is_set(),
                    "must match one of the container's resource requests",
                ),
            };
            if !found {
                let shown = BadValue::named(name.text());
                e.push(FieldError::invalid(name.path(), shown, detail));
            }
        }
        let mut seen = Vec::new();
        for resource in one.get("resources").items() {
            let (health, message) = (resource.get("health"), resource.get("message"));
            health.supported(e, &["Healthy", "Unhealthy", "Unknown"]);
            if message.is_set() && message.is_empty() {
                e.push(message.required("must be non-empty if specified"));
            }
            let id = resource.get("resourceID");
            if seen.contains(&id.text()) {
                e.push(FieldError::duplicate(id.path(), BadValue::named(id.text())));
            } else {
                seen.push(id.text());
            }
        }
    }
}
