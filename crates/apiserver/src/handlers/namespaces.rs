//! Namespaces that objects are created in.
//!
//! Go counterpart: the `NamespaceLifecycle` admission plugin.

use super::Request;
use crate::core::Core;
use crate::request::{Query, RequestInfo};
use crate::status::{ApiError, ApiResult, Target};

/// Namespaces every cluster has.
pub(crate) const INITIAL: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

impl Request<'_> {
    /// Refuses new content in a namespace that is not there or going away.
    pub(crate) fn namespace_accepts(&self, name: &str) -> ApiResult<()> {
        if !self.resource.namespaced || !self.core.settings.plugins.has("NamespaceLifecycle") {
            return Ok(());
        }
        let namespace = self.namespace();
        match self.core.store.get(&format!("/registry/namespaces/{namespace}")) {
            None => Err(ApiError::not_found(Target {
                group: "",
                resource: "namespaces",
                name: namespace,
            })),
            Some(entry) if entry.value.summary.deleting => {
                Err(ApiError::namespace_terminating(self.resource.target(name), namespace))
            }
            Some(_) => Ok(()),
        }
    }
}

/// Creates the namespaces every cluster has.
///
/// # Errors
/// The table of resources has no namespaces.
pub(crate) fn create_initial(core: &Core) -> ApiResult<()> {
    let table = core.registry.table();
    let resource = table.find("", "v1", "namespaces").ok_or_else(ApiError::no_such_resource)?;
    for name in INITIAL {
        let info = RequestInfo {
            verb: "create",
            is_resource: true,
            version: "v1".to_owned(),
            resource: "namespaces".to_owned(),
            ..RequestInfo::default()
        };
        let query = Query::default();
        let agent = "kube-apiserver";
        let request = Request { core, resource, info: &info, query: &query, agent };
        let mut object = crate::object::Object::new();
        object.insert("metadata".to_owned(), serde_json::json!({ "name": name }));
        match request.create(object, super::options::WriteOptions::default()) {
            // It was there when the server ended.
            Err(error) if error.is_already_exists() => {}
            result => drop(result?),
        }
    }
    Ok(())
}
