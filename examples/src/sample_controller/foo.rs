//! The custom resource.
use pintle::api::apiextensions_v1::CustomResourceDefinition;
use pintle::{Client, CustomResource, Error, ListOptions, WatchEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a user wants.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[resource(
    group = "samplecontroller.k8s.io",
    version = "v1alpha1",
    kind = "Foo",
    namespaced,
    status = FooStatus,
    short_name = "fo",
    column(name = "Deployment", json_path = ".spec.deploymentName"),
    column(name = "Replicas", json_path = ".spec.replicas"),
    column(name = "Available", json_path = ".status.availableReplicas")
)]
#[serde(rename_all = "camelCase")]
pub struct FooSpec {
    /// Name of the Deployment that the Foo owns.
    pub deployment_name: String,
    /// How many replicas it has.
    #[schemars(range(min = 1, max = 10))]
    pub replicas: i32,
}

/// What is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FooStatus {
    /// How many replicas of the Deployment are available.
    pub available_replicas: i32,
}

/// Makes the server know the kind, and waits until it serves it.
///
/// # Errors
/// The server does not take the definition.
pub async fn install(client: &Client) -> Result<(), Error> {
    let crds = client.all::<CustomResourceDefinition>();
    let crd: CustomResourceDefinition = Foo::crd()?;
    match crds.create(&crd).await {
        Err(e) if !e.is_already_exists() => return Err(e),
        _ => {}
    }
    let options = ListOptions::new().fields(format!("metadata.name={}", crd.metadata.name));
    let mut events = crds.watch(&options).await?;
    while let Some(event) = events.next().await {
        if let WatchEvent::Added(crd) | WatchEvent::Modified(crd) = event? {
            let conditions = &crd.status.conditions;
            if conditions.iter().any(|c| c.type_ == "Established" && c.status == "True") {
                return Ok(());
            }
        }
    }
    Err(Error::other("the server closed the watch before the definition was established"))
}
