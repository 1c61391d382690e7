//! What ServiceAccounts give to Pods: a token, secrets to pull images with, and bounds.
//!
//! Go counterpart: `plugin/pkg/admission/serviceaccount`.

use serde_json::{Map, Value, json};

use super::super::Request;
use crate::kinds::tree::{Fields, at, child, is_empty, items, text};
use crate::object::{Object, metadata};
use crate::registry::name_of;
use crate::status::ApiResult;
use crate::storage::Storage;

/// Where a token is mounted in every container that has nothing else there.
const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// What volumes of tokens are called, and a few letters.
const VOLUME: &str = "kube-api-access-";
const MIRROR: &str = "kubernetes.io/config.mirror";
const ENFORCE: &str = "kubernetes.io/enforce-mountable-secrets";
/// Pods that name no account have this one.
const DEFAULT: &str = "default";

const NONE: &[Value] = &[];

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(NONE, Vec::as_slice)
}

fn word<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path).and_then(Value::as_str)
}

fn names(account: &Object, key: &str) -> Vec<String> {
    let of = account.get(key).and_then(Value::as_array).into_iter().flatten();
    of.filter_map(|item| item.get("name").and_then(Value::as_str)).map(str::to_owned).collect()
}

impl Request<'_> {
    fn account(&self, name: &str) -> Option<Object> {
        let key = format!("/registry/serviceaccounts/{}/{name}", self.namespace());
        self.core.store.get(&key).map(|entry| entry.value.object(None))
    }

    /// Waits for the account of a new Pod to be made, where a controller is about to: real servers
    /// try for a second or two.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub(crate) async fn expect_account(&self, pod: &Object) {
        let pods = self.resource.plural == "pods" && self.resource.group.is_empty();
        if !pods || !self.core.settings.plugins.has("ServiceAccount") {
            return;
        }
        let named = at(pod, &["spec", "serviceAccountName"]).and_then(Value::as_str);
        if !matches!(named, None | Some("" | DEFAULT)) || self.account(DEFAULT).is_some() {
            return;
        }
        let now = self.core.store.revision();
        // The sender is as old as the server, and goes with it.
        let _ = self.core.controllers.subscribe().wait_for(|done| *done >= now).await;
    }

    /// Gives a new Pod what its account has for it.
    pub(super) fn service_account(&self, pod: &mut Object) -> ApiResult<()> {
        let mirror = metadata(pod).get("annotations").is_some_and(|all| all.get(MIRROR).is_some());
        let name = name_of(pod).to_owned();
        let forbidden = |why: String| Err(self.forbidden(&name, &why));
        let spec = child(pod, "spec");
        if mirror {
            return match mirrored(spec) {
                Some(why) => forbidden(format!("a mirror pod may not {why}")),
                None => Ok(()),
            };
        }
        if text(spec, "serviceAccountName").is_empty() {
            for key in ["serviceAccountName", "serviceAccount"] {
                spec.insert(key.to_owned(), DEFAULT.into());
            }
        }
        let wanted = text(spec, "serviceAccountName").to_owned();
        let Some(account) = self.account(&wanted) else {
            return forbidden(format!(
                "error looking up service account {}/{wanted}: serviceaccount \"{wanted}\" not found",
                self.namespace()
            ));
        };
        let mounts = spec.get("automountServiceAccountToken").and_then(Value::as_bool);
        let mounts =
            mounts.or_else(|| account.get("automountServiceAccountToken").and_then(Value::as_bool));
        if mounts.unwrap_or(true) {
            mount(spec, || self.core.generate_name(VOLUME));
        }
        let pulls = names(&account, "imagePullSecrets");
        if is_empty(spec.get("imagePullSecrets")) && !pulls.is_empty() {
            let pulls: Vec<Value> = pulls.iter().map(|name| json!({"name": name})).collect();
            spec.insert("imagePullSecrets".to_owned(), pulls.into());
        }
        let enforced = metadata(&account).get("annotations").and_then(|all| all.get(ENFORCE));
        let enforced = enforced.and_then(Value::as_str).unwrap_or_default();
        // What Go's `strconv.ParseBool` takes for true.
        if ["1", "t", "T", "TRUE", "true", "True"].contains(&enforced)
            && let Some(what) = unlisted(spec, &account)
        {
            let secret =
                if what.starts_with("imagePullSecrets") { "imagePullSecret" } else { "secret" };
            return forbidden(format!(
                "{what} is not allowed because service account {wanted} does not reference that \
                 {secret}"
            ));
        }
        Ok(())
    }
}

/// What a Pod that mirrors a file of a node has and may not have.
fn mirrored(spec: &Fields) -> Option<&'static str> {
    if !text(spec, "serviceAccountName").is_empty() {
        return Some("reference service accounts");
    }
    let spec = Value::Object(spec.clone());
    let volumes = list(&spec, "volumes");
    let projected =
        || volumes.iter().flat_map(|v| v.get("projected")).flat_map(|p| list(p, "sources"));
    let secret = volumes.iter().any(|volume| {
        [
            "azureFile",
            "cephfs",
            "cinder",
            "flexVolume",
            "iscsi",
            "rbd",
            "scaleIO",
            "storageos",
            "csi",
        ]
        .iter()
        .filter_map(|kind| volume.get(kind))
        .any(|source| {
            ["secretName", "secretRef", "nodePublishSecretRef"]
                .iter()
                .any(|key| source.get(key).is_some_and(|value| !value.is_null()))
        }) || volume.get("secret").is_some_and(|secret| !secret.is_null())
    }) || projected().any(|source| source.get("secret").is_some_and(|s| !s.is_null()))
        || !list(&spec, "imagePullSecrets").is_empty()
        || ["containers", "initContainers", "ephemeralContainers"].iter().any(|kind| {
            list(&spec, kind).iter().any(|container| {
                list(container, "env")
                    .iter()
                    .any(|e| e.pointer("/valueFrom/secretKeyRef").is_some())
                    || list(container, "envFrom").iter().any(|e| e.get("secretRef").is_some())
            })
        });
    if secret {
        return Some("reference secrets");
    }
    projected()
        .any(|source| source.get("serviceAccountToken").is_some_and(|token| !token.is_null()))
        .then_some("use ServiceAccountToken volume projections")
}

/// The first secret that a Pod uses and its account does not list.
fn unlisted(spec: &Fields, account: &Object) -> Option<String> {
    let (secrets, pulls) = (names(account, "secrets"), names(account, "imagePullSecrets"));
    let missing = |name: &str| !secrets.iter().any(|known| known == name);
    let spec = Value::Object(spec.clone());
    for volume in list(&spec, "volumes") {
        if let Some(secret) = volume.get("secret").filter(|secret| !secret.is_null()) {
            let name = word(secret, "/secretName").unwrap_or_default();
            if missing(name) {
                return Some(format!("volume with secret.secretName=\"{name}\""));
            }
        }
    }
    for (kind, what) in [("initContainers", "init container"), ("containers", "container")] {
        for container in list(&spec, kind) {
            let own = word(container, "/name").unwrap_or_default();
            for env in list(container, "env") {
                if let Some(name) = word(env, "/valueFrom/secretKeyRef/name")
                    && missing(name)
                {
                    let variable = word(env, "/name").unwrap_or_default();
                    return Some(format!(
                        "{what} {own} with envVar {variable} referencing secret.secretName=\"{name}\""
                    ));
                }
            }
            for from in list(container, "envFrom") {
                if let Some(name) = word(from, "/secretRef/name")
                    && missing(name)
                {
                    return Some(format!(
                        "{what} {own} with envFrom referencing secret.secretName=\"{name}\""
                    ));
                }
            }
        }
    }
    for (at, pull) in list(&spec, "imagePullSecrets").iter().enumerate() {
        let name = word(pull, "/name").unwrap_or_default();
        if !pulls.iter().any(|known| known == name) {
            return Some(format!("imagePullSecrets[{at}].name=\"{name}\""));
        }
    }
    None
}

/// Mounts a token in every container that has nothing mounted there.
fn mount(spec: &mut Fields, generate: impl FnOnce() -> String) {
    let found = items(spec, "volumes").map(|volume| text(volume, "name").to_owned());
    let found = found.into_iter().find(|name| name.starts_with(VOLUME));
    let (there, name) = match found {
        Some(name) => (true, name),
        None => (false, generate()),
    };
    let mut needed = false;
    for kind in ["initContainers", "containers"] {
        for container in items(spec, kind) {
            if items(container, "volumeMounts").any(|mount| text(mount, "mountPath") == MOUNT) {
                continue;
            }
            append(
                container,
                "volumeMounts",
                json!({
                    "name": name, "readOnly": true, "mountPath": MOUNT,
                }),
            );
            needed = true;
        }
    }
    if needed && !there {
        append(
            spec,
            "volumes",
            json!({"name": name, "projected": {"sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{
                "path": "namespace",
                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
            }]}},
        ], "defaultMode": 420}}),
        );
    }
}

fn append(fields: &mut Map<String, Value>, key: &str, value: Value) {
    match fields.get_mut(key) {
        Some(Value::Array(items)) => items.push(value),
        _ => drop(fields.insert(key.to_owned(), Value::Array(vec![value]))),
    }
}
