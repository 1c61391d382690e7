//! The small controller of the build benchmark: a Website owns a Deployment.
use futures::StreamExt;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::watcher;
use kube::{Api, Client, CustomResource, Resource, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(group = "example.org", version = "v1", kind = "Website", namespaced)]
#[kube(status = "WebsiteStatus")]
#[serde(rename_all = "camelCase")]
struct WebsiteSpec {
    image: String,
    replicas: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WebsiteStatus {
    available_replicas: i32,
}

fn deployment(site: &Website) -> Deployment {
    let labels = std::collections::BTreeMap::from([("site".to_owned(), site.name_any())]);
    Deployment {
        metadata: ObjectMeta {
            name: Some(site.name_any()),
            namespace: site.namespace(),
            owner_references: site.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..Default::default()
        },
        spec: DeploymentSpec {
            replicas: Some(site.spec.replicas),
            selector: LabelSelector { match_labels: Some(labels.clone()), ..Default::default() },
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels), ..Default::default() }),
                spec: Some(PodSpec {
                    containers: vec![Container {
                        name: "web".into(),
                        image: Some(site.spec.image.clone()),
                        ..Default::default()
                    }],
                    ..Default::default()
                }),
            },
            ..Default::default()
        },
        status: None,
    }
}

async fn reconcile(site: Arc<Website>, client: Arc<Client>) -> Result<Action, kube::Error> {
    let client = Client::clone(&client);
    let namespace = site.namespace().unwrap_or_default();
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    let name = site.name_any();
    let available = match deployments.get_opt(&name).await? {
        None => {
            deployments.create(&PostParams::default(), &deployment(&site)).await?;
            0
        }
        Some(mut there) => {
            let available = there.status.as_ref().and_then(|s| s.available_replicas).unwrap_or(0);
            if there.spec.replicas != Some(site.spec.replicas) {
                there.spec.replicas = Some(site.spec.replicas);
                deployments.replace(&name, &PostParams::default(), &there).await?;
            }
            available
        }
    };
    let status = json!({ "status": { "availableReplicas": available } });
    let sites: Api<Website> = Api::namespaced(client, &namespace);
    sites.patch_status(&name, &PatchParams::default(), &Patch::Merge(&status)).await?;
    Ok(Action::requeue(Duration::from_secs(600)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::try_default().await?;
    let sites: Api<Website> = Api::all(client.clone());
    let deployments: Api<Deployment> = Api::all(client.clone());
    Controller::new(sites, watcher::Config::default())
        .owns(deployments, watcher::Config::default())
        .shutdown_on_signal()
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_secs(5)), Arc::new(client))
        .for_each(|result| async move {
            if let Err(error) = result {
                eprintln!("{error}");
            }
        })
        .await;
    Ok(())
}
