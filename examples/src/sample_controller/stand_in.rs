//! Stand-ins for what a whole cluster would do with Deployments and Pods.
use pintle::api::apps_v1::Deployment;
use pintle::api::core_v1::{Pod, PodCondition};
use pintle::{Action, Client, Controller, Error, InformerFactory, Object, Time};

/// Reports every replica of every Deployment as available, on a server that has no controllers.
///
/// # Errors
/// As [`run`](super::run).
pub async fn mark_deployments_available(
    client: Client,
    until: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let informers = InformerFactory::new(client.clone());
    let deployments = informers.of::<Deployment>();
    let lister = deployments.lister();
    informers.start();
    let result = Controller::new("stand-in")
        .watches(&deployments)
        .run_with((lister, client), |(lister, client), key| async move {
            let api = client.namespaced::<Deployment>(&key.namespace);
            let Some(d) = lister.get(&key) else { return Ok(Action::done()) };
            let replicas = d.spec.replicas.unwrap_or(1);
            if d.status.available_replicas != replicas {
                api.update_status(&key.name, |d| {
                    d.status.observed_generation = d.metadata.generation;
                    d.status.replicas = replicas;
                    d.status.updated_replicas = replicas;
                    d.status.ready_replicas = replicas;
                    d.status.available_replicas = replicas;
                })
                .await?;
            }
            Ok(Action::done())
        })
        .until(until)
        .await;
    informers.shutdown().await;
    result
}

/// Reports every Pod as running and ready, as a kubelet would, on a cluster without nodes.
///
/// # Errors
/// As [`run`](super::run).
pub async fn mark_pods_ready(
    client: Client,
    until: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let informers = InformerFactory::new(client.clone());
    let pods = informers.of::<Pod>();
    let lister = pods.lister();
    informers.start();
    let result = Controller::new("kubelet-stand-in")
        .watches(&pods)
        .run_with((lister, client), |(lister, client), key| async move {
            let api = client.namespaced::<Pod>(&key.namespace);
            let Some(pod) = lister.get(&key) else { return Ok(Action::done()) };
            let ready = pod.status.conditions.iter().any(|c| c.type_ == "Ready");
            if !ready && !pod.is_deleting() {
                api.update_status(&key.name, |pod| {
                    pod.status.phase = "Running".into();
                    pod.status.conditions.push(PodCondition {
                        type_: "Ready".into(),
                        status: "True".into(),
                        last_transition_time: Time::now(),
                        ..Default::default()
                    });
                })
                .await?;
            }
            Ok(Action::done())
        })
        .until(until)
        .await;
    informers.shutdown().await;
    result
}
