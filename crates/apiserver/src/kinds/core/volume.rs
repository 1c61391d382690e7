//! Validation of a Pod's volumes.
//!
//! Go counterpart: `ValidateVolumes` in `k8s.io/kubernetes/pkg/apis/core/validation`.

use std::collections::BTreeSet;

use pintle_apimachinery::validation::{
    FieldError, FieldErrors, dns1123_label, dns1123_subdomain, name_is_dns_subdomain, user_id,
};

use super::super::check::Node;
use super::env::{DOWNWARD_VOLUME, field_selector, resource_field_selector};
use super::storage::claim_spec;

const FILE_MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";
const EMPTY_DIR_MODE: &str = "must be a number between 0 and 01777 (octal), both inclusive";

/// A volume that is fine but for what the Pod does with it: its name, and whether it can be a
/// block device.
pub(crate) struct Volume<'a> {
    pub(crate) name: &'a str,
    pub(crate) claim: bool,
    pub(crate) image: bool,
}

/// The volumes, of a Pod of this name where it is known.
pub(crate) fn volumes<'a>(list: &Node<'a>, pod: &str, e: &mut FieldErrors) -> Vec<Volume<'a>> {
    let mut found: Vec<Volume<'a>> = Vec::new();
    let created: Vec<String> = list
        .items()
        .filter(|volume| !pod.is_empty() && volume.get("ephemeral").is_set())
        .map(|volume| format!("{pod}-{}", volume.get("name").text()))
        .collect();
    for volume in list.items() {
        let mut own = FieldErrors::default();
        source(&volume, pod, &mut own);
        let name = volume.get("name");
        name.required_rule(&mut own, dns1123_label);
        if found.iter().any(|other| other.name == name.text()) {
            own.push(name.duplicate());
        }
        if own.is_empty() {
            found.push(Volume {
                name: name.text(),
                claim: ["persistentVolumeClaim", "ephemeral"]
                    .iter()
                    .any(|kind| volume.get(kind).is_set()),
                image: volume.get("image").is_set(),
            });
        } else {
            e.extend(own);
        }
        let claim = volume.get("persistentVolumeClaim").get("claimName");
        if created.iter().any(|name| name == claim.text()) {
            e.push(
                claim.invalid("must not reference a PVC that gets created for an ephemeral volume"),
            );
        }
    }
    found
}

type Check = fn(&Node<'_>, &mut FieldErrors);

/// Sources in the order they are looked at, the name under which errors show each, and the one
/// under which a second source is refused.
const SOURCES: &[(&str, &str, &str, Check)] = &[
    ("hostPath", "hostPath", "hostPath", host_path),
    ("gitRepo", "gitRepo", "gitRepo", git_repo),
    ("gcePersistentDisk", "persistentDisk", "gcePersistentDisk", |disk, e| {
        disk.get("pdName").given(e);
        partition(disk, e);
    }),
    ("awsElasticBlockStore", "awsElasticBlockStore", "awsElasticBlockStore", |store, e| {
        store.get("volumeID").given(e);
        partition(store, e);
    }),
    ("secret", "secret", "secret", |secret, e| files(secret, "secretName", e)),
    ("nfs", "nfs", "nfs", nfs),
    ("iscsi", "iscsi", "iscsi", iscsi),
    ("glusterfs", "glusterfs", "glusterfs", glusterfs),
    ("flocker", "flocker", "flocker", flocker),
    ("persistentVolumeClaim", "persistentVolumeClaim", "persistentVolumeClaim", |claim, e| {
        claim.get("claimName").given(e);
    }),
    ("rbd", "rbd", "rbd", rbd),
    ("cinder", "cinder", "cinder", cinder),
    ("cephfs", "cephfs", "cephFS", |ceph, e| ceph.get("monitors").given(e)),
    ("quobyte", "quobyte", "quobyte", quobyte),
    ("downwardAPI", "downwardAPI", "downwarAPI", downward),
    ("fc", "fc", "fc", fibre_channel),
    ("flexVolume", "flexVolume", "flexVolume", |flex, e| flex.get("driver").given(e)),
    ("configMap", "configMap", "configMap", |map, e| files(map, "name", e)),
    ("azureFile", "azureFile", "azureFile", |file, e| {
        file.get("secretName").given(e);
        file.get("shareName").given(e);
    }),
    ("vsphereVolume", "vsphereVolume", "vsphereVolume", |v, e| v.get("volumePath").given(e)),
    ("photonPersistentDisk", "photonPersistentDisk", "photonPersistentDisk", |disk, e| {
        disk.get("pdID").given(e);
    }),
    ("portworxVolume", "portworxVolume", "portworxVolume", |v, e| v.get("volumeID").given(e)),
    ("azureDisk", "azureDisk", "azureDisk", |disk, e| {
        disk.get("diskName").given(e);
        disk.get("diskURI").given(e);
        if disk.get("cachingMode").is_set() {
            disk.get("cachingMode").supported(e, &["None", "ReadOnly", "ReadWrite"]);
        }
    }),
    ("storageos", "storageos", "storageos", |_, _| {}),
    ("projected", "projected", "projected", projected),
    ("scaleIO", "scaleIO", "scaleIO", |io, e| {
        io.get("gateway").given(e);
        io.get("system").given(e);
        io.get("volumeName").given(e);
    }),
    ("csi", "csi", "csi", csi),
    ("ephemeral", "ephemeral", "ephemeral", |_, _| {}),
    ("image", "image", "image", image),
];

fn source(volume: &Node<'_>, pod: &str, e: &mut FieldErrors) {
    let mut any = false;
    let empty = volume.get("emptyDir");
    if empty.is_set() {
        any = true;
        let limit = empty.get("sizeLimit");
        if limit.is_set() && limit.quantity().sign() < 0 {
            e.push(limit.forbidden("SizeLimit field must be a valid resource quantity"));
        }
        let mode = empty.get("mode");
        if mode.some_int().is_some_and(|mode| !(0..=0o1777).contains(&mode)) {
            e.push(mode.invalid_int(EMPTY_DIR_MODE));
        }
    }
    for (key, shown, twice, check) in SOURCES {
        let source = volume.shown(key, shown);
        if !source.is_set() {
            continue;
        }
        if any {
            let path = volume.path().child(twice);
            e.push(FieldError::forbidden(&path, "may not specify more than 1 volume type"));
        } else {
            any = true;
            check(&source, e);
            if *key == "ephemeral" {
                ephemeral(volume, &source, pod, e);
            }
        }
        if *key == "iscsi" && source.get("initiatorName").is_set() {
            let name = volume.get("name");
            if name.len() + 1 + source.get("targetPortal").len() > 64 {
                e.push(name.invalid(
                    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 \
                     characters if iscsi.initiatorName is specified.",
                ));
            }
        }
    }
    if !any {
        e.push(volume.required("must specify a volume type"));
    }
}

pub(super) fn host_path(path: &Node<'_>, e: &mut FieldErrors) {
    const TYPES: [&str; 8] = [
        "",
        "BlockDevice",
        "CharDevice",
        "Directory",
        "DirectoryOrCreate",
        "File",
        "FileOrCreate",
        "Socket",
    ];
    if path.get("path").is_empty() {
        e.push(path.get("path").required(""));
        return;
    }
    no_backsteps(&path.get("path"), e);
    if path.get("type").is_set() {
        path.get("type").supported(e, &TYPES);
    }
}

fn git_repo(repo: &Node<'_>, e: &mut FieldErrors) {
    repo.get("repository").given(e);
    descending(&repo.get("directory"), e);
}

pub(super) fn partition(disk: &Node<'_>, e: &mut FieldErrors) {
    let partition = disk.get("partition");
    if !(0..=255).contains(&partition.int()) {
        e.push(partition.invalid_int(super::super::check::range(1, 255)));
    }
}

/// The files of a Secret or a ConfigMap.
fn files(source: &Node<'_>, name: &str, e: &mut FieldErrors) {
    source.get(name).given(e);
    mode(&source.get("defaultMode"), e);
    user(&source.get("defaultUser"), e);
    source.get("items").items().for_each(|item| key_to_path(&item, e));
}

fn mode(mode: &Node<'_>, e: &mut FieldErrors) {
    if mode.some_int().is_some_and(|mode| !(0..=0o777).contains(&mode)) {
        e.push(mode.invalid_int(FILE_MODE));
    }
}

fn user(user: &Node<'_>, e: &mut FieldErrors) {
    if user.is_set() {
        user.number(e, user_id);
    }
}

fn key_to_path(item: &Node<'_>, e: &mut FieldErrors) {
    item.get("key").given(e);
    item.get("path").given(e);
    not_reserved(&item.get("path"), e);
    mode(&item.get("mode"), e);
    user(&item.get("user"), e);
}

pub(super) fn nfs(nfs: &Node<'_>, e: &mut FieldErrors) {
    nfs.get("server").given(e);
    let path = nfs.get("path");
    path.given(e);
    if !path.text().starts_with('/') {
        e.push(path.invalid("must be an absolute path"));
    }
}

fn iscsi(iscsi: &Node<'_>, e: &mut FieldErrors) {
    iscsi.get("targetPortal").given(e);
    let iqn = iscsi.get("iqn");
    if iqn.is_empty() {
        e.push(iqn.required(""));
    } else if !["iqn", "eui", "naa"].iter().any(|prefix| iqn.text().starts_with(prefix)) {
        e.push(iqn.invalid("must be valid format starting with iqn, eui, or naa"));
    }
    iscsi.get("lun").within(e, 0, 255);
    let chap = ["chapAuthDiscovery", "chapAuthSession"].iter().any(|key| iscsi.get(key).flag());
    if chap && !iscsi.get("secretRef").is_set() {
        e.push(iscsi.get("secretRef").required(""));
    }
}

fn glusterfs(gluster: &Node<'_>, e: &mut FieldErrors) {
    gluster.get("endpoints").given(e);
    gluster.get("path").given(e);
}

pub(super) fn flocker(flocker: &Node<'_>, e: &mut FieldErrors) {
    let (name, uuid) = (flocker.get("datasetName"), flocker.get("datasetUUID"));
    if name.is_empty() && uuid.is_empty() {
        e.push(flocker.required("one of datasetName and datasetUUID is required"));
    }
    if !name.is_empty() && !uuid.is_empty() {
        let detail = "datasetName and datasetUUID can not be specified simultaneously";
        e.push(FieldError::invalid(flocker.path(), "resource", detail));
    }
    if name.text().contains('/') {
        e.push(name.invalid("must not contain '/'"));
    }
}

fn rbd(rbd: &Node<'_>, e: &mut FieldErrors) {
    rbd.get("monitors").given(e);
    rbd.get("image").given(e);
}

fn cinder(cinder: &Node<'_>, e: &mut FieldErrors) {
    cinder.get("volumeID").given(e);
    let secret = cinder.get("secretRef");
    if secret.is_set() && secret.get("name").is_empty() {
        e.push(secret.get("name").required(""));
    }
}

pub(super) fn quobyte(quobyte: &Node<'_>, e: &mut FieldErrors) {
    const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
    let registry = quobyte.get("registry");
    if registry.is_empty() {
        e.push(registry.required(PAIRS));
    } else if quobyte.get("tenant").len() >= 65 {
        let detail = "must be a UUID and may not exceed a length of 64 characters";
        e.push(quobyte.get("tenant").required(detail));
    } else {
        for pair in registry.text().split(',') {
            if pair.matches(':').count() != 1 {
                e.push(registry.invalid(PAIRS));
            }
        }
    }
    quobyte.get("volume").given(e);
}

pub(super) fn fibre_channel(fc: &Node<'_>, e: &mut FieldErrors) {
    let (targets, ids, lun) = (fc.get("targetWWNs"), fc.get("wwids"), fc.get("lun"));
    if targets.is_empty() && ids.is_empty() {
        e.push(targets.required("must specify either targetWWNs or wwids, but not both"));
    }
    if !targets.is_empty() && !ids.is_empty() {
        e.push(targets.invalid("targetWWNs and wwids can not be specified simultaneously"));
    }
    if !targets.is_empty() {
        if lun.is_set() {
            lun.within(e, 0, 255);
        } else {
            e.push(lun.required("lun is required if targetWWNs is specified"));
        }
    }
}

/// The name of a CSI driver.
pub(crate) fn driver_name(driver: &Node<'_>, e: &mut FieldErrors) {
    if driver.is_empty() {
        e.push(driver.required(""));
        return;
    }
    if driver.len() > 63 {
        e.push(driver.too_long(63));
    }
    let problems = dns1123_subdomain(&driver.text().to_lowercase());
    e.extend(problems.into_iter().map(|problem| driver.invalid(problem)));
}

fn csi(csi: &Node<'_>, e: &mut FieldErrors) {
    driver_name(&csi.get("driver"), e);
    let secret = csi.get("nodePublishSecretRef");
    if secret.is_set() {
        let name = secret.get("name");
        if name.is_empty() {
            e.push(name.required(""));
        } else {
            name.at(csi.path().child("name")).name(e, name_is_dns_subdomain);
        }
    }
}

fn image(image: &Node<'_>, e: &mut FieldErrors) {
    image.get("reference").given(e);
    image.get("pullPolicy").one_of(e, &["Always", "IfNotPresent", "Never"]);
}

fn ephemeral(volume: &Node<'_>, source: &Node<'_>, pod: &str, e: &mut FieldErrors) {
    let template = source.get("volumeClaimTemplate");
    if template.is_set() {
        let meta = template.get("metadata");
        annotations_and_labels(&meta, e);
        claim_spec(&template.get("spec"), e);
    } else {
        e.push(template.required(""));
    }
    let name = volume.get("name");
    if !pod.is_empty() && !name.is_empty() {
        let claim = format!("{pod}-{}", name.text());
        for problem in name_is_dns_subdomain(&claim, false) {
            e.push(name.invalid(format!("PVC name {claim:?}: {problem}")));
        }
    }
}

fn annotations_and_labels(meta: &Node<'_>, e: &mut FieldErrors) {
    let entries = meta.get("annotations").entries();
    let pairs = entries.iter().map(|(key, value)| (*key, value.text()));
    e.extend(pintle_apimachinery::validation::validate_annotations(
        meta.get("annotations").path(),
        pairs,
    ));
    meta.get("labels").labels(e);
}

fn downward(source: &Node<'_>, e: &mut FieldErrors) {
    mode(&source.get("defaultMode"), e);
    user(&source.get("defaultUser"), e);
    // Errors are shown at the source and not at the item.
    source.get("items").items().for_each(|item| downward_file(&item.at(source.path().clone()), e));
}

fn downward_file(file: &Node<'_>, e: &mut FieldErrors) {
    file.get("path").given(e);
    not_reserved(&file.get("path"), e);
    let (field, resource) = (file.get("fieldRef"), file.get("resourceFieldRef"));
    if field.is_set() {
        field_selector(&field, DOWNWARD_VOLUME, e);
        if resource.is_set() {
            let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
            e.push(FieldError::invalid(file.path(), "resource", detail));
        }
    } else if resource.is_set() {
        resource_field_selector(&resource, true, e);
    } else {
        e.push(file.required("one of fieldRef and resourceFieldRef is required"));
    }
    mode(&file.get("mode"), e);
    user(&file.get("user"), e);
}

fn projected(projected: &Node<'_>, e: &mut FieldErrors) {
    mode(&projected.get("defaultMode"), e);
    user(&projected.get("defaultUser"), e);
    let mut paths: BTreeSet<&str> = BTreeSet::new();
    for source in projected.get("sources").items() {
        let mut count = 0;
        let unique = |path: &Node<'_>, shown: &str, e: &mut FieldErrors| {
            let text = path.value().as_str().unwrap_or_default();
            if !paths.contains(text) {
                return Some(text.to_owned());
            }
            let detail = "conflicting duplicate paths";
            e.push(FieldError::invalid(projected.path(), shown, detail));
            None
        };
        let mut fresh: Vec<&str> = Vec::new();
        for key in ["secret", "configMap"] {
            let own = source.get(key);
            if !own.is_set() {
                continue;
            }
            count += 1;
            own.get("name").given(e);
            for item in own.get("items").items() {
                key_to_path(&item, e);
                let path = item.get("path");
                if !path.is_empty() {
                    if fresh.contains(&path.text())
                        || unique(&path, own.get("name").text(), e).is_none()
                    {
                        if fresh.contains(&path.text()) {
                            let detail = "conflicting duplicate paths";
                            let name = own.get("name");
                            e.push(FieldError::invalid(projected.path(), name.text(), detail));
                        }
                    } else {
                        fresh.push(path.text());
                    }
                }
            }
        }
        let own = source.get("downwardAPI");
        if own.is_set() {
            count += 1;
            for item in own.get("items").items() {
                downward_file(&item.at(own.path().clone()), e);
                let path = item.get("path");
                if !path.is_empty() {
                    if fresh.contains(&path.text()) {
                        let detail = "conflicting duplicate paths";
                        e.push(FieldError::invalid(projected.path(), path.text(), detail));
                    } else if unique(&path, path.text(), e).is_some() {
                        fresh.push(path.text());
                    }
                }
            }
        }
        paths.extend(fresh);
        let own = source.get("serviceAccountToken");
        if own.is_set() {
            count += 1;
            token(projected, &own, e);
        }
        for key in ["clusterTrustBundle", "podCertificate"] {
            count += usize::from(source.get(key).is_set());
        }
        if count > 1 {
            e.push(source.forbidden("may not specify more than 1 volume type per source"));
        }
    }
}

fn token(projected: &Node<'_>, token: &Node<'_>, e: &mut FieldErrors) {
    let seconds = token.get("expirationSeconds");
    match seconds.some_int() {
        None => e.push(seconds.required("")),
        Some(value) => {
            if value < 600 {
                e.push(seconds.invalid("may not specify a duration less than 10 minutes"));
            }
            if value > 1 << 32 {
                e.push(seconds.invalid("may not specify a duration larger than 2^32 seconds"));
            }
        }
    }
    let path = token.get("path").at(projected.path().child("path"));
    if path.is_empty() {
        e.push(path.required(""));
    } else {
        not_reserved(&path, e);
    }
    user(&token.get("user"), e);
}

/// A path below where it is used.
pub(crate) fn descending(path: &Node<'_>, e: &mut FieldErrors) {
    if path.text().starts_with('/') {
        e.push(path.invalid("must be a relative path"));
    }
    no_backsteps(path, e);
}

/// A path without `..`.
pub(crate) fn no_backsteps(path: &Node<'_>, e: &mut FieldErrors) {
    if path.text().split('/').any(|part| part == "..") {
        e.push(path.invalid("must not contain '..'"));
    }
}

fn not_reserved(path: &Node<'_>, e: &mut FieldErrors) {
    descending(path, e);
    if path.text().starts_with("..") && !path.text().starts_with("../") {
        e.push(path.invalid("must not start with '..'"));
    }
}
