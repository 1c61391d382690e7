//! APIServices: an object for each version of a group that is served, which the server keeps itself.
//!
//! Go counterpart: the autoregistration of kube-aggregator, with the priorities of
//! `pkg/controlplane/apiserver/aggregator.go`. Here it runs within the write that makes a difference.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::handlers::Request;
use crate::handlers::options::WriteOptions;
use crate::object::{Object, metadata};
use crate::request::{Query, RequestInfo};
use crate::storage::{Compare, Op, Range, Storage, Txn};

const PREFIX: &str = "/registry/apiservices/";

/// Says whether the server made an APIService at its start, or for a definition.
const MANAGED: &str = "kube-aggregator.kubernetes.io/automanaged";

/// What groups come before others: the higher, the earlier.
const GROUPS: [(&str, i64); 21] = [
    ("", 18_000),
    ("admissionregistration.k8s.io", 16_700),
    ("apiextensions.k8s.io", 16_700),
    ("apps", 17_800),
    ("authentication.k8s.io", 17_700),
    ("authorization.k8s.io", 17_600),
    ("autoscaling", 17_500),
    ("batch", 17_400),
    ("certificates.k8s.io", 17_300),
    ("coordination.k8s.io", 16_500),
    ("discovery.k8s.io", 16_200),
    ("events.k8s.io", 17_750),
    ("flowcontrol.apiserver.k8s.io", 16_100),
    ("networking.k8s.io", 17_200),
    ("node.k8s.io", 16_300),
    ("policy", 17_100),
    ("rbac.authorization.k8s.io", 17_000),
    ("resource.k8s.io", 16_200),
    ("scheduling.k8s.io", 16_600),
    ("storage.k8s.io", 16_800),
    ("storagemigration.k8s.io", 15_800),
];

/// The priority of a version within its group.
fn version_priority(group: &str, version: &str) -> i64 {
    match (group, version) {
        ("", _) => 1,
        ("flowcontrol.apiserver.k8s.io" | "resource.k8s.io", "v1") => 21,
        ("autoscaling", "v2") => 30,
        _ => 15,
    }
}

fn create(core: &Core, group: &str, version: &str, priorities: (i64, i64), managed: &str) {
    let table = core.registry.table();
    // Nobody asks for what is not served.
    let Some(resource) = table.find("apiregistration.k8s.io", "v1", "apiservices") else { return };
    let info = RequestInfo {
        verb: "create",
        is_resource: true,
        group: resource.group.clone(),
        version: resource.version.clone(),
        resource: resource.plural.clone(),
        ..RequestInfo::default()
    };
    let query = Query::default();
    let agent = "kube-apiserver";
    let request = Request { core, resource, info: &info, query: &query, agent };
    let mut spec = Map::new();
    if !group.is_empty() {
        spec.insert("group".to_owned(), group.into());
    }
    spec.insert("version".to_owned(), version.into());
    spec.insert("groupPriorityMinimum".to_owned(), priorities.0.into());
    spec.insert("versionPriority".to_owned(), priorities.1.into());
    let mut object = Object::new();
    let meta = json!({"name": format!("{version}.{group}"), "labels": {MANAGED: managed}});
    object.insert("metadata".to_owned(), meta);
    object.insert("spec".to_owned(), Value::Object(spec));
    // One that is there already is as good.
    let _ = request.create(object, WriteOptions::default());
}

/// Creates those of the built-in groups.
pub(crate) fn builtin(core: &Core) {
    let table = core.registry.table();
    for group in &table.groups {
        let Some((_, priority)) = GROUPS.iter().find(|(name, _)| *name == group.name) else {
            continue;
        };
        for version in &group.versions {
            let priorities = (*priority, version_priority(&group.name, &version.version));
            create(core, &group.name, &version.version, priorities, "onstart");
        }
    }
}

/// Has one for each version of a group that definitions serve, and none for those that they serve
/// no more.
pub(crate) fn custom(core: &Core) {
    let table = core.registry.table();
    let customs = table.all().filter(|resource| resource.custom.is_some());
    let mut wanted: BTreeSet<(String, String)> =
        customs.map(|resource| (resource.group.clone(), resource.version.clone())).collect();
    let found = core.store.range(&Range::prefix(PREFIX), None, 0);
    for entry in found.map(|found| found.kvs).unwrap_or_default() {
        let object = entry.value.object(None);
        let text = |key: &str| {
            let value = object.get("spec").and_then(|spec| spec.get(key)).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let (served, labels) = ((text("group"), text("version")), metadata(&object).get("labels"));
        let ours = labels.is_some_and(|labels| labels[MANAGED] == "true");
        if wanted.remove(&served) || !ours {
            continue;
        }
        let compare = vec![Compare::ModRevision(entry.key.to_string(), entry.mod_revision)];
        let success = vec![Op::Delete(entry.key.to_string())];
        // Somebody else was faster: whoever that was decided.
        core.store.txn(Txn { compare, success, failure: vec![] });
    }
    for (group, version) in wanted {
        create(core, &group, &version, (1_000, 100), "true");
    }
}
