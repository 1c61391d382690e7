//! Takes CRDs through their life after every write to one of them: names accepted, established,
//! served.
//!
//! Go counterpart: the naming and establishing controllers of apiextensions-apiserver. Here they
//! run within the write, so that a CRD is served as soon as it was created; their two updates can
//! be watched as there.

use std::sync::{Arc, PoisonError};

use crate::core::{Core, Entry};
use crate::object::{Object, Stored, metadata};
use crate::registry::{custom_resources, naming, next_status};
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
            return;
        };
        let mut object = object.clone();
        object.insert("status".to_owned(), status);
        let Ok(object) =
            core.typed.normalize(object, "apiextensions.k8s.io/v1", "CustomResourceDefinition")
        else {
            return;
        };
        put(core, entry, &object);
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

/// Writes a new version unless somebody else did.
fn put(core: &Core, entry: &Entry, object: &Object) {
    let stored: Arc<Stored> = Stored::new(object, Vec::new());
    let key = entry.key.to_string();
    core.store.txn(Txn {
        compare: vec![Compare::ModRevision(key.clone(), entry.mod_revision)],
        success: vec![Op::Put(key, stored)],
        failure: vec![],
    });
}
