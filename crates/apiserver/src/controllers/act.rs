//! What controllers do to objects, through the same paths that requests take.

use std::sync::Arc;

use serde_json::Value;

use crate::core::{Core, Entry};
use crate::handlers::delete::{DeleteOptions, Outcome, Propagation};
use crate::handlers::options::WriteOptions;
use crate::handlers::write::Part;
use crate::handlers::{self, Item};
use crate::object::{Object, Stored, metadata, metadata_mut, text};
use crate::registry::Resource;
use crate::request::{Query, RequestInfo};
use crate::status::{ApiError, ApiResult};

/// One object to act on.
pub(super) struct Target<'a> {
    pub(super) core: &'a Core,
    pub(super) resource: &'a Arc<Resource>,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    /// The object that is meant; empty for any of the name.
    pub(super) uid: &'a str,
    pub(super) agent: &'static str,
}

impl<'a> Target<'a> {
    pub(super) fn of(core: &'a Core, resource: &'a Arc<Resource>, stored: &'a Stored) -> Self {
        let summary = &stored.summary;
        let (namespace, name, uid) = (&summary.namespace, &summary.name, &summary.uid);
        Target { core, resource, namespace, name, uid, agent: super::AGENT }
    }

    fn request<T>(
        &self,
        verb: &'static str,
        part: Part,
        act: impl FnOnce(&handlers::Request<'_>) -> ApiResult<T>,
    ) -> ApiResult<T> {
        let subresource = match part {
            Part::Main => "",
            Part::Status => "status",
            Part::Finalize => "finalize",
            Part::Approval => "approval",
        };
        let info = RequestInfo {
            verb,
            is_resource: true,
            group: self.resource.group.clone(),
            version: self.resource.version.clone(),
            namespace: self.namespace.to_owned(),
            resource: self.resource.plural.clone(),
            subresource: subresource.to_owned(),
            name: self.name.to_owned(),
            ..RequestInfo::default()
        };
        let query = Query::default();
        let (core, resource, agent) = (self.core, self.resource, self.agent);
        act(&handlers::Request { core, resource, info: &info, query: &query, agent })
    }

    pub(super) fn create(&self, mut object: Object) -> ApiResult<Item> {
        metadata_mut(&mut object).insert("name".to_owned(), self.name.into());
        self.request("create", Part::Main, |request| {
            request.create(object, WriteOptions::default())
        })
    }

    pub(super) fn delete(&self, propagation: Propagation) -> ApiResult<Outcome> {
        let uid = Some(self.uid.to_owned()).filter(|uid| !uid.is_empty());
        let propagation = Some(propagation);
        let options = DeleteOptions { uid, propagation, ..DeleteOptions::default() };
        self.request("delete", Part::Main, |request| request.delete_named(self.name, &options))
    }

    pub(super) fn update(&self, part: Part, change: &dyn Fn(&mut Object)) -> ApiResult<Item> {
        self.request("update", part, |request| {
            let options = WriteOptions::default();
            let written = request.update(self.name, part, options, false, &mut |old| {
                let mut object = old.cloned().unwrap_or_default();
                if !self.uid.is_empty() && text(metadata(&object), "uid") != self.uid {
                    // Another object of the same name.
                    return Err(ApiError::not_found(self.resource.target(self.name)));
                }
                change(&mut object);
                self.resource.convert_to_storage(&mut object);
                Ok(object)
            });
            written.map(|(item, _)| item)
        })
    }

    /// The object no longer has these owners.
    pub(super) fn drop_owners(&self, uids: &[&str]) -> ApiResult<()> {
        let keep = |owner: &Value| {
            let uid = owner.get("uid").and_then(Value::as_str).unwrap_or_default();
            !uids.contains(&uid)
        };
        self.update(Part::Main, &|object| retain(object, "ownerReferences", keep)).map(drop)
    }

    /// The object no longer keeps its owners from going.
    pub(super) fn unblock_owners(&self) -> ApiResult<()> {
        let unblock = |object: &mut Object| {
            if let Some(Value::Array(owners)) = metadata_mut(object).get_mut("ownerReferences") {
                for owner in owners.iter_mut().filter_map(Value::as_object_mut) {
                    if owner.get("blockOwnerDeletion") == Some(&Value::Bool(true)) {
                        owner.insert("blockOwnerDeletion".to_owned(), false.into());
                    }
                }
            }
        };
        self.update(Part::Main, &unblock).map(drop)
    }

    pub(super) fn drop_finalizer(&self, name: &str) -> ApiResult<()> {
        let keep = |other: &Value| other != name;
        self.update(Part::Main, &|object| retain(object, "finalizers", keep)).map(drop)
    }
}

fn retain(object: &mut Object, key: &str, keep: impl Fn(&Value) -> bool) {
    let meta = metadata_mut(object);
    if let Some(Value::Array(items)) = meta.get_mut(key) {
        items.retain(keep);
        if items.is_empty() {
            meta.remove(key);
        }
    }
}

/// Everything stored under a prefix of keys.
pub(super) fn objects(core: &Core, prefix: &str) -> Vec<Entry> {
    use crate::storage::{Range, Storage};
    core.store.range(&Range::prefix(prefix), None, 0).map(|range| range.kvs).unwrap_or_default()
}
