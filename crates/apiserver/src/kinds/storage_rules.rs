//! Validation of the kinds of `storage.k8s.io`.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/storage/validation`.

use std::collections::{BTreeMap, BTreeSet};

use pintle_apimachinery::validation::{
    BadValue, FIELD_IMMUTABLE, FieldError, FieldErrors, FieldPath, declarative::max_length,
    dns1123_subdomain_caseless, label_key, name_is_dns_subdomain, validate_label_name,
};

use super::check::{Node, same, struct_shown};
use super::core::storage::inline_volume;
use super::core::volume::driver_name;
use super::tree::{Fields, child};

const PARAMETERS: usize = 512;
const PARAMETERS_SIZE: usize = 256 << 10;
const MESSAGE: usize = 1024;

/// The rules of a StorageClass.
pub(super) fn class(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let (mut e, mut last) = (FieldErrors::default(), FieldErrors::default());
    let provisioner = Node::of(new, "provisioner");
    let changed = old.is_none_or(|old| Node::of(old, "provisioner").text() != provisioner.text());
    provisioned(&provisioner, &mut e, changed.then_some(&mut last));
    let parameters = Node::of(new, "parameters");
    check_parameters(&parameters, true, &mut e);
    let policy = Node::of(new, "reclaimPolicy");
    if !policy.is_empty() {
        policy.supported(&mut e, &["Delete", "Retain"]);
    }
    let mode = Node::of(new, "volumeBindingMode");
    if mode.is_set() {
        mode.supported(&mut e, &["Immediate", "WaitForFirstConsumer"]);
    } else {
        e.push(mode.required(""));
    }
    topologies(&Node::of(new, "allowedTopologies"), &mut e);
    if let Some(old) = old {
        for field in ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"] {
            Node::of(new, field).immutable_declared(&mut last, &Node::of(old, field));
        }
    }
    e.extend(last);
    e
}

fn provisioned(name: &Node<'_>, e: &mut FieldErrors, last: Option<&mut FieldErrors>) {
    if name.is_empty() {
        if let Some(last) = last {
            last.push(name.required(""));
        }
        return;
    }
    let lower = name.text().to_lowercase();
    let problems = label_key(&lower).into_iter();
    e.extend(problems.map(|p| FieldError::invalid(name.path(), lower.as_str(), p)));
}

fn check_parameters(parameters: &Node<'_>, may_be_empty: bool, e: &mut FieldErrors) {
    if parameters.len() > PARAMETERS {
        e.push(parameters.too_long(PARAMETERS));
        return;
    }
    let mut size = 0;
    for (key, value) in parameters.entries() {
        if key.is_empty() {
            let detail = "field can not be empty.";
            e.push(FieldError::invalid(parameters.path(), key, detail));
        }
        size += key.len() + value.text().len();
    }
    if size > PARAMETERS_SIZE {
        e.push(parameters.too_long(PARAMETERS_SIZE));
    }
    if !may_be_empty && parameters.is_empty() {
        e.push(parameters.required("must contain at least one key/value pair"));
    }
}

fn topologies(list: &Node<'_>, e: &mut FieldErrors) {
    // Go keeps as many empty maps as there are terms in front of those it compares with.
    let mut seen: Vec<BTreeMap<&str, BTreeSet<&str>>> = vec![BTreeMap::new(); list.len()];
    for term in list.items() {
        let expressions = term.get("matchLabelExpressions");
        let mut own: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for expression in expressions.items() {
            let (key, values) = (expression.get("key"), expression.get("values"));
            values.given(e);
            let mut set = BTreeSet::new();
            for value in values.items() {
                if !set.insert(value.text()) {
                    e.push(value.duplicate());
                }
            }
            e.extend(validate_label_name(key.path(), key.text()));
            if own.contains_key(key.text()) {
                e.push(FieldError::duplicate(key.path(), key.text()));
            }
            own.insert(key.text(), set);
        }
        for _ in seen.iter().filter(|other| **other == own) {
            e.push(FieldError::duplicate(expressions.path(), ""));
        }
        seen.push(own);
    }
}

/// The rules of a VolumeAttributesClass.
pub(super) fn attributes_class(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let (mut e, mut last) = (FieldErrors::default(), FieldErrors::default());
    let (driver, parameters) = (Node::of(new, "driverName"), Node::of(new, "parameters"));
    if let Some(old) = old {
        if driver.text() != Node::of(old, "driverName").text() {
            e.push(driver.forbidden("updates to driverName are forbidden."));
        }
        if !same(parameters.value(), Node::of(old, "parameters").value()) {
            e.push(parameters.forbidden("updates to parameters are forbidden."));
        }
    }
    provisioned(&driver, &mut e, Some(&mut last));
    check_parameters(&parameters, false, &mut e);
    e.extend(last);
    e
}

/// The rules of a VolumeAttachment.
pub(super) fn attachment(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let (mut e, mut last) = (FieldErrors::default(), FieldErrors::default());
    let spec = Node::of(new, "spec");
    let before = old.map(|old| Node::of(old, "spec"));
    let attacher = spec.get("attacher");
    // Of what is declared, an update is told only that nothing may change.
    if let Some(before) = &before {
        driver_name(&attacher, &mut e);
        spec.immutable_declared(&mut last, before);
    } else if attacher.is_empty() {
        driver_name(&attacher, &mut last);
    } else {
        attacher.rule(&mut last, dns1123_subdomain_caseless);
        last.extend(max_length(attacher.path(), attacher.text(), 63));
    }
    let source = spec.get("source");
    let (inline, name) = (source.get("inlineVolumeSpec"), source.get("persistentVolumeName"));
    const ONE: &str = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (inline.is_set(), name.is_set()) {
        (false, false) => e.push(source.required(ONE)),
        (true, true) => e.push(source.forbidden(ONE)),
        (false, true) if name.is_empty() => {
            e.push(name.required("must specify non empty persistentVolumeName"));
        }
        (true, false) => inline_volume(&inline, &mut e),
        _ => {}
    }
    spec.get("nodeName").name(&mut e, name_is_dns_subdomain);
    attachment_status(new, &mut e);
    if name.is_set() {
        let name = name.at(FieldPath::new("spec.source.persistentVolumeName"));
        name.name(&mut e, name_is_dns_subdomain);
    }
    e.extend(last);
    e
}

fn attachment_status(new: &Fields, e: &mut FieldErrors) {
    let status = Node::of(new, "status");
    let metadata = status.get("attachmentMetadata");
    let size: usize = metadata.entries().iter().map(|(k, v)| k.len() + v.text().len()).sum();
    if size > PARAMETERS_SIZE {
        e.push(metadata.too_long(PARAMETERS_SIZE));
    }
    for field in ["attachError", "detachError"] {
        let error = status.get(field);
        if error.get("message").len() > MESSAGE {
            e.push(error.get("message").too_long(MESSAGE));
        }
        let code = error.get("errorCode");
        if code.int() < 0 {
            e.push(code.invalid_int(super::check::range(0, i64::from(i32::MAX))));
        }
    }
}

/// The rules of an update of an attachment's status.
pub(super) fn attachment_status_update(new: &Fields, old: &Fields) -> FieldErrors {
    attachment(new, Some(old))
}

/// The rules of a CSIDriver.
pub(super) fn driver(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    let given = |field: &str, shown: &str, e: &mut FieldErrors| {
        if !spec.get(field).is_set() {
            e.push(spec.shown(field, shown).required(""));
        }
    };
    given("attachRequired", "attachedRequired", &mut e);
    given("podInfoOnMount", "podInfoOnMount", &mut e);
    given("storageCapacity", "storageCapacity", &mut e);
    let policy = spec.get("fsGroupPolicy");
    if policy.is_set() {
        policy.supported(&mut e, &["File", "None", "ReadWriteOnceWithFSType"]);
    }
    let tokens = spec.get("tokenRequests");
    token_requests(&tokens, &mut e);
    let modes = spec.get("volumeLifecycleModes");
    for mode in modes.items() {
        mode.at(modes.path().clone()).supported(&mut e, &["Persistent", "Ephemeral"]);
    }
    given("seLinuxMount", "seLinuxMount", &mut e);
    let period = spec.get("nodeAllocatableUpdatePeriodSeconds");
    if period.some_int().is_some_and(|period| period < 10) {
        e.push(period.invalid_int("must be greater than or equal to 10 seconds"));
    }
    let secrets = spec.get("serviceAccountTokenInSecrets");
    if secrets.is_set() && tokens.is_empty() {
        let detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
        e.push(secrets.invalid(detail));
    }
    given("preventPodSchedulingIfMissing", "preventPodSchedulingIfMissing", &mut e);
    if let Some(old) = old {
        let before = Node::of(old, "spec");
        let required = spec.shown("attachRequired", "attachedRequired");
        required.immutable(&mut e, &before.get("attachRequired"));
        modes.immutable(&mut e, &before.get("volumeLifecycleModes"));
    }
    e
}

fn token_requests(list: &Node<'_>, e: &mut FieldErrors) {
    let mut seen = BTreeSet::new();
    for request in list.items() {
        let audience = request.get("audience");
        if !seen.insert(audience.text()) {
            e.push(FieldError::duplicate(audience.path(), audience.text()));
            continue;
        }
        let seconds = request.get("expirationSeconds");
        if seconds.some_int().is_some_and(|seconds| seconds < 600) {
            e.push(seconds.invalid_int("may not specify a duration less than 10 minutes"));
        }
        if seconds.int() > 1 << 32 {
            e.push(seconds.invalid_int("may not specify a duration larger than 2^32 seconds"));
        }
    }
}

/// Fields of a CSINode behind a gate that is off.
pub(super) fn prepare_node(node: &mut Fields, old: Option<&Fields>) {
    let used = old.is_some_and(|old| !Node::of(old, "status").get("storageHealth").is_empty());
    if !used && node.contains_key("status") {
        child(node, "status").shift_remove("storageHealth");
    }
}

/// The rules of a CSINode.
pub(super) fn node(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let list = Node::of(new, "spec").get("drivers");
    let mut names = BTreeSet::new();
    for driver in list.items() {
        let (name, id) = (driver.get("name"), driver.get("nodeID"));
        driver_name(&name, &mut e);
        id.given(&mut e);
        if id.len() > 256 {
            e.push(id.invalid("must be 256 characters or less"));
        }
        driver.get("allocatable").get("count").nonnegative(&mut e);
        if !names.insert(name.text()) {
            e.push(FieldError::duplicate(name.path(), name.text()));
        }
        let mut keys = BTreeSet::new();
        for key in driver.get("topologyKeys").texts() {
            if key.is_empty() {
                e.push(driver.required(""));
            }
            if !keys.insert(key) {
                e.push(FieldError::duplicate(driver.path(), key));
            }
            let problems = label_key(key).into_iter();
            e.extend(problems.map(|p| FieldError::invalid(driver.path(), key, p)));
        }
    }
    let Some(old) = old else { return e };
    for before in Node::of(old, "spec").get("drivers").items() {
        for driver in list.items() {
            let own = |field: &str| same(driver.get(field).value(), before.get(field).value());
            if own("name") && !(own("nodeID") && own("topologyKeys")) {
                let keys = driver.get("topologyKeys");
                let shown = struct_shown(&[
                    ("Name", BadValue::named(driver.get("name").text())),
                    ("NodeID", BadValue::named(driver.get("nodeID").text())),
                    ("TopologyKeys", if keys.is_set() { keys.bad() } else { BadValue::NULL }),
                    ("Allocatable", BadValue::NULL),
                ]);
                e.push(FieldError::invalid(list.path(), shown, FIELD_IMMUTABLE));
            }
        }
    }
    e
}

/// The rules of a CSIStorageCapacity.
pub(super) fn capacity(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let (topology, class) = (Node::of(new, "nodeTopology"), Node::of(new, "storageClassName"));
    topology.selector(&mut e);
    class.name(&mut e, name_is_dns_subdomain);
    let amount = Node::of(new, "capacity");
    if amount.is_set() && amount.quantity().sign() < 0 {
        let shown = amount.quantity();
        let detail = "must be greater than or equal to 0";
        e.push(FieldError::invalid(amount.path(), shown.as_str(), detail));
    }
    if let Some(old) = old {
        topology.immutable(&mut e, &Node::of(old, "nodeTopology"));
        if class.text() != Node::of(old, "storageClassName").text() {
            e.push(class.invalid(FIELD_IMMUTABLE));
        }
    }
    e
}
