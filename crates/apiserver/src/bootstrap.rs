//! Objects that every server has from the start, beside its namespaces.
//!
//! Go counterpart: `pkg/controlplane/controller/kubernetesservice` and `pkg/registry/scheduling/rest`.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use pintle_apimachinery::{Error, Format, Status};
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::auth::User;
use crate::core::Core;
use crate::service::Service;

/// The port a real server listens on, for one that does not listen.
const PORT: u16 = 6443;

/// Creates an object as any client would.
///
/// # Errors
/// The server refuses it.
///
/// # Cancel safety
/// The object is there or not.
pub(crate) async fn create(core: &Arc<Core>, path: &str, object: &Value) -> Result<(), Error> {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("user-agent", "kube-apiserver")
        .body(Full::new(Bytes::from(object.to_string())))
        .map_err(|error| Error::other(error.to_string()))?;
    let Ok(response) = Service::new(Arc::clone(core), Some(User::admin())).call(request).await;
    if response.status().is_success() {
        return Ok(());
    }
    let body = response.into_body().collect().await.map(|body| body.to_bytes());
    let status = body.ok().and_then(|bytes| Status::decode_if(&bytes, Format::Json));
    Err(Error::from_status(status.unwrap_or_default()))
}

/// The same, or nothing where the object is there: it was when the server ended.
///
/// # Errors
/// As [`create`].
///
/// # Cancel safety
/// The object is there or not.
async fn create_missing(core: &Arc<Core>, path: &str, object: &Value) -> Result<(), Error> {
    match create(core, path, object).await {
        Err(error) if error.is_already_exists() => Ok(()),
        result => result,
    }
}

/// Creates the Service `kubernetes`, which stands for the server itself. It has no endpoints: a
/// loopback address is none.
///
/// # Errors
/// Never for a server that has nothing else yet.
///
/// # Cancel safety
/// The Service is there or not.
pub(crate) async fn kubernetes_service(core: &Arc<Core>, port: Option<u16>) -> Result<(), Error> {
    let service = json!({
        "metadata": {
            "name": "kubernetes",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": core.settings.ranges.first(),
            "ports": [{
                "name": "https",
                "port": 443,
                "protocol": "TCP",
                "targetPort": port.unwrap_or(PORT),
            }],
        },
    });
    create_missing(core, "/api/v1/namespaces/default/services", &service).await
}

/// Whether a priority class is one that every server has.
pub(crate) fn is_system_priority(name: &str) -> bool {
    matches!(name, "system-node-critical" | "system-cluster-critical")
}

/// Creates the two priority classes that Pods of the system have.
///
/// # Errors
/// Never for a server that has nothing else yet.
///
/// # Cancel safety
/// Each class is there or not.
pub(crate) async fn priority_classes(core: &Arc<Core>) -> Result<(), Error> {
    let node = "Used for system critical pods that must not be moved from their current node.";
    let cluster = "Used for system critical pods that must run in the cluster, but can be moved to \
                   another node if necessary.";
    for (name, value, description) in [
        ("system-node-critical", 2_000_001_000, node),
        ("system-cluster-critical", 2_000_000_000, cluster),
    ] {
        let class = json!({"metadata": {"name": name}, "value": value, "description": description});
        create_missing(core, "/apis/scheduling.k8s.io/v1/priorityclasses", &class).await?;
    }
    Ok(())
}
