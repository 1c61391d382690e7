//! Takes CRDs through their life after every write to one of them: names accepted, established,
//! served.
//!
//! Go counterpart: the naming and establishing controllers of apiextensions-apiserver. Here they
//! run within the write, so that a CRD is served as soon as it was created; their two updates can
//! be watched as there.

use std::sync::PoisonError;

use serde_json::Value;

use crate::core::{Core, Entry};
use crate::handlers;
use crate::object::{Object, metadata};
use crate::registry::{custom_resources, naming, next_status};
use crate::request::{Query, RequestInfo};
use crate::storage::{Compare, Op, Range, Storage, Txn};

const PREFIX: &str = "/registry/customresourcedefinitions/";

/// Brings conditions and the served resources up to date with the CRDs there are.
pub(crate) fn sync(core: &Core) {
    // One at a time: the last to look serves the newest state.
    let _guard = core.crds.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let crds = read(core);
        let objects: Vec<&Object> = crds.iter().map(|(_, object)| object).collect();
        let step = crds.iter().find_map(|(entry, object)| {
            if metadata(object).contains_key("deletionTimestamp") {
                return None;
            }
            let naming = naming(object, objects.iter().copied());
            Some((entry, object, next_status(object, naming, &core.now())?))
        });
        let Some((entry, object, status)) = step else {
            let served = objects.into_iter().flat_map(custom_resources).collect();
            core.registry.set_custom(served);
            crate::apiservices::custom(core);
            return;
        };
        if put(core, entry, object, status).is_none() {
            return;
        }
    }
}

/// All CRDs, oldest first: the first to take a name keeps it.
fn read(core: &Core) -> Vec<(Entry, Object)> {
    let Ok(response) = core.store.range(&Range::prefix(PREFIX), None, 0) else {
        return Vec::new();
    };
    let mut crds: Vec<_> = response
        .kvs
        .into_iter()
        .map(|entry| {
            let object = entry.value.object(None);
            (entry, object)
        })
        .collect();
    crds.sort_by_key(|(entry, _)| entry.create_revision);
    crds
}

/// Writes a new status unless somebody else wrote the definition; `None` when it cannot be written.
fn put(core: &Core, entry: &Entry, old: &Object, status: Value) -> Option<()> {
    let table = core.registry.table();
    let resource = table.by_key(&entry.key)?;
    let info = RequestInfo {
        verb: "update",
        is_resource: true,
        group: resource.group.clone(),
        version: resource.version.clone(),
        resource: resource.plural.clone(),
        name: entry.value.summary.name.clone(),
        subresource: "status".to_owned(),
        ..RequestInfo::default()
    };
    let (resource, query, agent) = (&resource, Query::default(), "kube-apiserver");
    let request = handlers::Request { core, resource, info: &info, query: &query, agent };
    let mut new = old.clone();
    new.insert("status".to_owned(), status);
    request.manage(Some(old), &mut new);
    let stored = request.encode(new).ok()?;
    let key = entry.key.to_string();
    core.store.txn(Txn {
        compare: vec![Compare::ModRevision(key.clone(), entry.mod_revision)],
        success: vec![Op::Put(key, stored)],
        failure: vec![],
    });
    Some(())
}
