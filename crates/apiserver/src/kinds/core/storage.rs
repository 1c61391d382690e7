//! Validation of persistent volumes and their claims.
//!
//! Go counterpart: `ValidatePersistentVolume` and `ValidatePersistentVolumeClaim` in
//! `k8s.io/kubernetes/pkg/apis/core/validation`.

use pintle_apimachinery::validation::{
    FieldError, FieldErrors, FieldPath, dns1123_subdomain, name_is_dns_label, name_is_dns_subdomain,
};

use super::super::check::{Node, same};
use super::super::tree::Fields;
use super::resources::amount;
use super::scheduling::node_selector;
use super::volume::{driver_name, fibre_channel, flocker, host_path, nfs, quobyte};

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];
const CLASS: &str = "volume.beta.kubernetes.io/storage-class";

fn access_modes(modes: &Node<'_>, e: &mut FieldErrors) {
    let (mut single, mut other) = (false, false);
    for mode in modes.items() {
        mode.at(modes.path().clone()).supported(e, &MODES);
        single |= mode.text() == "ReadWriteOncePod";
        other |= mode.text() != "ReadWriteOncePod" && MODES.contains(&mode.text());
    }
    if single && other {
        e.push(modes.forbidden("may not use ReadWriteOncePod with other access modes"));
    }
}

fn positive(value: &Node<'_>, e: &mut FieldErrors) -> bool {
    let quantity = value.quantity();
    if quantity.sign() > 0 {
        return true;
    }
    e.push(FieldError::invalid(value.path(), quantity.as_str(), "must be greater than zero"));
    false
}

fn source_ref(source: &Node<'_>, e: &mut FieldErrors) {
    source.get("name").given(e);
    source.get("kind").given(e);
    let (group, kind) = (source.get("apiGroup"), source.get("kind").text());
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        e.push(FieldError::invalid(source.path(), kind, detail));
    }
    if !group.is_empty() {
        group.rule(e, dns1123_subdomain);
    }
    if !source.get("namespace").is_empty() {
        source.get("namespace").name(e, name_is_dns_label);
    }
}

/// The specification of a claim.
pub(crate) fn claim_spec(spec: &Node<'_>, e: &mut FieldErrors) {
    let modes = spec.get("accessModes");
    if modes.is_empty() {
        e.push(modes.required("at least 1 access mode is required"));
    }
    spec.get("selector").selector(e);
    access_modes(&modes, e);
    let resources = spec.get("resources");
    let path = resources.path().key("storage");
    let storage = resources.get("requests").get("storage").at(path);
    if !storage.is_set() {
        e.push(storage.required(""));
    } else if positive(&storage, e) {
        amount("storage", &storage, e);
    }
    if !spec.get("storageClassName").is_empty() {
        spec.get("storageClassName").name(e, name_is_dns_subdomain);
    }
    if spec.get("volumeMode").is_set() {
        spec.get("volumeMode").supported(e, &VOLUME_MODES);
    }
    let (source, reference) = (spec.get("dataSource"), spec.get("dataSourceRef"));
    for source in [&source, &reference] {
        if source.is_set() {
            source_ref(source, e);
        }
    }
    if source.is_set() && reference.is_set() {
        let equal = ["apiGroup", "kind", "name"]
            .iter()
            .all(|key| source.get(key).value() == reference.get(key).value());
        let shown = pintle_apimachinery::validation::BadValue::json("{}");
        if !reference.get("namespace").is_empty() {
            let detail = "may not be specified when dataSourceRef.namespace is specified";
            e.push(FieldError::invalid(spec.path(), shown, detail));
        } else if !equal {
            e.push(FieldError::invalid(spec.path(), shown, "must match dataSourceRef"));
        }
    }
    if !spec.get("volumeAttributesClassName").is_empty() {
        spec.get("volumeAttributesClassName").name(e, name_is_dns_subdomain);
    }
}

/// The rules of a claim.
pub(crate) fn claim(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    claim_spec(&spec, &mut e);
    let Some(old) = old else { return e };
    let before = Node::of(old, "spec");
    let bound = Node::of(new, "status").get("phase").text() == "Bound";
    let annotation = |object: &'_ Fields| {
        Node::of(object, "metadata").get("annotations").get(CLASS).text().to_owned()
    };
    let (class, old_class) = (annotation(new), annotation(old));
    if class != old_class {
        let path = FieldPath::new("metadata").child("annotations").key(CLASS);
        e.push(FieldError::invalid(path, &class, "field is immutable"));
    }
    let mut changed = spec.value().clone();
    if before.get("volumeName").is_empty() {
        changed["volumeName"] = before.get("volumeName").value().clone();
    }
    if bound {
        for path in [&["resources", "requests", "storage"][..], &["volumeAttributesClassName"]] {
            let old = path.iter().fold(before.clone(), |node, key| node.get(key));
            if changed["resources"]["requests"].is_object() || path.len() == 1 {
                let slot = path.iter().fold(&mut changed, |value, key| &mut value[*key]);
                *slot = old.value().clone();
            }
        }
    }
    if before.get("storageClassName").value().is_null() && old_class.is_empty() {
        changed["storageClassName"] = serde_json::Value::Null;
    }
    if !same(&changed, before.value()) {
        e.push(spec.forbidden(
            "spec is immutable after creation except resources.requests and \
             volumeAttributesClassName for bound claims\n",
        ));
    }
    let storage = |spec: &Node<'_>| spec.get("resources").get("requests").get("storage").quantity();
    if storage(&spec) < storage(&before) {
        let capacity = Node::of(old, "status").get("capacity").get("storage");
        if storage(&spec) <= capacity.quantity() {
            let path = spec.get("resources").get("requests").get("storage");
            e.push(path.forbidden("field can not be less than status.capacity"));
        }
    }
    let path = FieldPath::new("volumeMode");
    spec.get("volumeMode").at(path).immutable(&mut e, &before.get("volumeMode"));
    e
}

/// Names of the sources of a volume, in the order they are looked at.
const SOURCES: &[&str] = &[
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

/// Fields that sources must have.
const REQUIRED: &[(&str, &[&str])] = &[
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("glusterfs", &["endpoints", "path"]),
    ("rbd", &["monitors", "image"]),
    ("cephfs", &["monitors"]),
    ("cinder", &["volumeID"]),
    ("flexVolume", &["driver"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
];

/// The rules of a volume.
pub(crate) fn volume(new: &Fields, old: Option<&Fields>) -> FieldErrors {
    let mut e = FieldErrors::default();
    let spec = Node::of(new, "spec");
    let (modes, capacity) = (spec.get("accessModes"), spec.get("capacity"));
    modes.given(&mut e);
    access_modes(&modes, &mut e);
    if capacity.is_empty() {
        e.push(capacity.required(""));
    }
    if !capacity.get("storage").is_set() || capacity.len() > 1 {
        e.push(FieldError::not_supported(capacity.path(), capacity.bad(), &["storage"]));
    }
    for (_, value) in capacity.entries() {
        let quantity = value.quantity();
        if quantity.value() < 0 {
            let detail = "must be a valid resource quantity";
            e.push(FieldError::invalid(value.path(), quantity.value(), detail));
        }
        positive(&value, &mut e);
    }
    if !spec.get("persistentVolumeReclaimPolicy").is_empty() {
        let policy = spec.get("persistentVolumeReclaimPolicy");
        policy.supported(&mut e, &["Delete", "Recycle", "Retain"]);
    }
    let affinity = spec.get("nodeAffinity");
    if affinity.is_set() {
        let required = affinity.get("required");
        if required.is_set() {
            node_selector(&required, &mut e);
        } else {
            e.push(required.required("must specify required node constraints"));
        }
    }
    sources(&spec, affinity.is_set(), &mut e);
    let host = spec.get("hostPath").get("path").text();
    let root = !host.is_empty() && host.split('/').all(|part| matches!(part, "" | "."));
    if root
        && host.starts_with('/')
        && spec.get("persistentVolumeReclaimPolicy").text() == "Recycle"
    {
        let detail = "may not be 'recycle' for a hostPath mount of '/'";
        e.push(spec.get("persistentVolumeReclaimPolicy").forbidden(detail));
    }
    if !spec.get("storageClassName").is_empty() {
        spec.get("storageClassName").name(&mut e, name_is_dns_subdomain);
    }
    if spec.get("volumeMode").is_set() {
        spec.get("volumeMode").supported(&mut e, &VOLUME_MODES);
    }
    let class = spec.get("volumeAttributesClassName");
    if class.is_set() {
        if class.is_empty() {
            e.push(class.required("an empty string is disallowed"));
        } else {
            class.name(&mut e, name_is_dns_subdomain);
        }
        if !spec.get("csi").is_set() {
            let detail = "has to be specified when using volumeAttributesClassName";
            e.push(spec.get("csi").required(detail));
        }
    }
    if let Some(old) = old {
        volume_update(&spec, &Node::of(old, "spec"), &mut e);
    }
    e
}

/// A volume that stands within an attachment.
pub(crate) fn inline_volume(spec: &Node<'_>, e: &mut FieldErrors) {
    const INLINE: &str = "may not be specified in the context of inline volumes";
    if spec.get("claimRef").is_set() {
        e.push(spec.get("claimRef").forbidden(INLINE));
    }
    if !spec.get("capacity").is_empty() {
        e.push(spec.get("capacity").forbidden(INLINE));
    }
    if !spec.get("csi").is_set() {
        let detail = "has to be specified in the context of inline volumes";
        e.push(spec.get("csi").required(detail));
    }
    let modes = spec.get("accessModes");
    modes.given(e);
    access_modes(&modes, e);
    let policy = spec.get("persistentVolumeReclaimPolicy");
    if !policy.is_empty() && policy.text() != "Retain" {
        e.push(policy.forbidden("may only be Retain in the context of inline volumes"));
    }
    if spec.get("nodeAffinity").is_set() {
        e.push(spec.get("nodeAffinity").forbidden(INLINE));
    }
    sources(spec, false, e);
    if !spec.get("storageClassName").is_empty() {
        e.push(spec.get("storageClassName").forbidden(INLINE));
    }
    let mode = spec.get("volumeMode");
    if mode.is_set() && mode.text() != "Filesystem" {
        let detail =
            "may not specify volumeMode other than Filesystem in the context of inline volumes";
        e.push(mode.forbidden(detail));
    }
}

fn sources(spec: &Node<'_>, affinity: bool, e: &mut FieldErrors) {
    let mut any = false;
    for key in SOURCES {
        let source = spec.get(key);
        if !source.is_set() {
            continue;
        }
        // Go forgets to look whether this is the second.
        if any && *key != "flexVolume" {
            e.push(source.forbidden("may not specify more than 1 volume type"));
            continue;
        }
        any = true;
        match *key {
            "hostPath" => host_path(&source, e),
            "nfs" => nfs(&source, e),
            "fc" => fibre_channel(&source, e),
            "flocker" => flocker(&source, e),
            "quobyte" => quobyte(&source, e),
            "csi" => {
                driver_name(&source.get("driver"), e);
                source.get("volumeHandle").given(e);
            }
            "local" => {
                let path = source.get("path");
                if path.is_empty() {
                    e.push(path.required(""));
                } else {
                    super::volume::no_backsteps(&path, e);
                }
                if !affinity {
                    let required = spec.path().child("nodeAffinity");
                    e.push(FieldError::required(required, "Local volume requires node affinity"));
                }
            }
            kind => {
                for (source_kind, fields) in REQUIRED {
                    if *source_kind == kind {
                        fields.iter().for_each(|field| source.get(field).given(e));
                    }
                }
            }
        }
    }
    if !any {
        e.push(spec.required("must specify a volume type"));
    }
}

fn volume_update(spec: &Node<'_>, old: &Node<'_>, e: &mut FieldErrors) {
    if SOURCES.iter().any(|key| !same(spec.get(key).value(), old.get(key).value())) {
        let path = spec.path().child("persistentvolumesource");
        let detail = "spec.persistentvolumesource is immutable after creation\n";
        e.push(FieldError::forbidden(path, detail));
    }
    let path = FieldPath::new("volumeMode");
    spec.get("volumeMode").at(path).immutable(e, &old.get("volumeMode"));
    let path = FieldPath::new("nodeAffinity");
    if old.get("nodeAffinity").is_set() {
        spec.get("nodeAffinity").at(path).immutable(e, &old.get("nodeAffinity"));
    }
    let class = "volumeAttributesClassName";
    if old.get(class).is_set() && !spec.get(class).is_set() {
        e.push(spec.get(class).forbidden("update from non-nil value to nil is forbidden"));
    }
}

/// A claim's source in its old field and in its new one: both, where the old one may be used.
pub(crate) fn data_sources(claim: &mut Fields) {
    use super::super::tree::child;
    let spec = child(claim, "spec");
    let known = |source: &serde_json::Value| {
        let text = |key: &str| source[key].as_str().unwrap_or_default();
        matches!(
            (text("apiGroup"), text("kind")),
            ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
        )
    };
    if spec.get("dataSource").is_some_and(|source| !known(source)) {
        spec.remove("dataSource");
    }
    match (spec.get("dataSource").cloned(), spec.get("dataSourceRef").cloned()) {
        (Some(source), None) => {
            spec.insert("dataSourceRef".to_owned(), source);
        }
        (None, Some(source)) if source["namespace"].as_str().unwrap_or_default().is_empty() => {
            spec.insert("dataSource".to_owned(), source);
        }
        _ => {}
    }
}
