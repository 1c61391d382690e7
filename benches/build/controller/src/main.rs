//! The small controller of the build benchmark: a Website owns a Deployment.
use pintle::api::apps_v1::{Deployment, DeploymentSpec};
use pintle::api::core_v1::{Container, PodSpec, PodTemplateSpec};
use pintle::{
    Action, Client, Controller, CustomResource, InformerFactory, LabelSelector, Object, ObjectKey,
    ObjectMeta, Patch, Shared, controller_reference, shutdown_signal,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[resource(group = "example.org", version = "v1", kind = "Website", namespaced)]
#[resource(status = WebsiteStatus)]
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
    let labels: pintle::Map<pintle::Str> = [("site", site.name())].into();
    Deployment {
        metadata: ObjectMeta {
            name: site.metadata.name.clone(),
            namespace: site.metadata.namespace.clone(),
            owner_references: [controller_reference(site)].into(),
            ..Default::default()
        },
        spec: DeploymentSpec {
            replicas: Some(site.spec.replicas),
            selector: Some(Shared::new(LabelSelector {
                match_labels: labels.clone(),
                ..Default::default()
            })),
            template: PodTemplateSpec {
                metadata: ObjectMeta { labels, ..Default::default() },
                spec: PodSpec {
                    containers: [Container {
                        name: "web".into(),
                        image: site.spec.image.as_str().into(),
                        ..Default::default()
                    }]
                    .into(),
                    ..Default::default()
                },
            },
            ..Default::default()
        },
        ..Default::default()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_environment().await?;
    let informers = InformerFactory::new(client.clone());
    let sites = informers.of::<Website>();
    let deployments = informers.of::<Deployment>();
    let (site_lister, deployment_lister) = (sites.lister(), deployments.lister());
    let controller = Controller::new("websites").watches(&sites).owns(&deployments).run(
        move |key: ObjectKey| {
            let (client, site) = (client.clone(), site_lister.get(&key));
            let there = deployment_lister.get(&key);
            async move {
                let Some(site) = site else { return Ok(Action::done()) };
                let deployments = client.namespaced::<Deployment>(&key.namespace);
                let available = match there {
                    None => {
                        deployments.create(&deployment(&site)).await?;
                        0
                    }
                    Some(there) => {
                        if there.spec.replicas != Some(site.spec.replicas) {
                            let mut changed = Deployment::clone(&there);
                            changed.spec.replicas = Some(site.spec.replicas);
                            deployments.update(&changed).await?;
                        }
                        there.status.available_replicas
                    }
                };
                let status = Patch::merge(json!({ "status": { "availableReplicas": available } }));
                let sites = client.namespaced::<Website>(&key.namespace);
                sites.patch_status(&key.name, &status).await?;
                Ok(Action::requeue_after(Duration::from_secs(600)))
            }
        },
    );
    informers.start();
    controller.until(shutdown_signal()).await?;
    Ok(())
}
