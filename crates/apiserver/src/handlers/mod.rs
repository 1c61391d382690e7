//! The one handler for every resource, by verb.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/endpoints/handlers` and `pkg/registry/generic/registry`.

mod admission;
mod binding;
pub(crate) mod body;
pub(crate) mod certificates;
pub(crate) mod delete;
mod eviction;
pub(crate) mod list;
pub(crate) mod namespaces;
pub(crate) mod options;
pub(crate) mod patch;
pub(crate) mod reviews;
pub(crate) mod scale;
mod services;
mod tokens;
pub(crate) mod watch;
pub(crate) mod write;

use std::sync::Arc;

use serde_json::Value;

use crate::core::{Core, Entry};
use crate::object::Stored;
use crate::registry::Resource;
use crate::request::{Query, RequestInfo};
use crate::status::{ApiError, ApiResult};
use crate::storage::Revision;

/// A request to a resource.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) core: &'a Core,
    pub(crate) resource: &'a Arc<Resource>,
    pub(crate) info: &'a RequestInfo,
    pub(crate) query: &'a Query,
    /// What the client calls itself.
    pub(crate) agent: &'a str,
}

/// One object of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) stored: Arc<Stored>,
    /// `None` for what was not written (dry run).
    pub(crate) version: Option<Revision>,
    /// What is told of it beside that it was written.
    pub(crate) warnings: Vec<String>,
}

impl Item {
    pub(crate) fn of(entry: &Entry) -> Self {
        Item {
            stored: Arc::clone(&entry.value),
            version: Some(entry.mod_revision),
            warnings: Vec::new(),
        }
    }
}

/// What is answered. Made once a request, so the sizes do not matter.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Reply {
    Object(u16, Item),
    List(list::Page),
    Watch(watch::Watch),
    /// A value with its kind in it: a Status, a Scale.
    Value(u16, Value),
}

/// An answer and the warnings that go with it.
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    pub(crate) warnings: Vec<String>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Answer { reply, warnings: Vec::new() }
    }
}

impl Request<'_> {
    /// The namespace of the object or list; empty for cluster-scoped resources.
    pub(crate) fn namespace(&self) -> &str {
        if self.resource.namespaced { &self.info.namespace } else { "" }
    }

    pub(crate) fn key(&self, name: &str) -> String {
        self.resource.key(self.namespace(), name)
    }

    /// Reads one object at the current revision.
    pub(crate) fn read(&self, name: &str) -> ApiResult<Entry> {
        self.core
            .store
            .get(&self.key(name))
            .ok_or_else(|| ApiError::not_found(self.resource.target(name)))
    }

    /// GET of one object: any revision not older than the one asked for will do.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub(crate) async fn get(&self) -> ApiResult<Answer> {
        let version = options::resource_version(self.query.get("resourceVersion"))
            .map_err(ApiError::unknown)?;
        list::wait_for(self.core, version).await?;
        let item = Item::of(&self.read(&self.info.name)?);
        Ok(Reply::Object(200, item).into())
    }
}

/// What is said to whoever creates an object that is valid, but not advisable. Go:
/// `WarningsOnCreate`.
pub(crate) fn new_object_warnings(
    resource: &Resource,
    object: &crate::object::Object,
) -> Option<String> {
    let enforce = "kubernetes.io/enforce-mountable-secrets";
    let annotations = crate::object::metadata(object).get("annotations");
    let accounts = resource.plural == "serviceaccounts" && resource.group.is_empty();
    (accounts && annotations.is_some_and(|all| all.get(enforce).is_some())).then(|| {
        format!(
            "metadata.annotations[{enforce}]: deprecated in v1.32+; prefer separate namespaces to \
             isolate access to mounted secrets"
        )
    })
}
