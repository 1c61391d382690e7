//! The controller: three facts decide everything. What the Foo says, whether its Deployment is
//! there, and whose that Deployment is.
use super::foo::Foo;
use pintle::api::apps_v1::{Deployment, DeploymentSpec};
use pintle::api::core_v1::{Container, Event, PodSpec, PodTemplateSpec};
use pintle::{
    Action, Client, Controller, Error, EventRecorder, InformerFactory, LabelSelector, Lister, Map,
    Object, ObjectKey, ObjectMeta, Str, controller_reference, terminal,
};
use std::sync::Arc;

/// Runs the controller until `until` completes.
///
/// # Errors
/// The informers cannot be used (they were stopped by somebody else).
pub async fn run(
    client: Client,
    until: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let informers = InformerFactory::new(client.clone());
    let foos = informers.of::<Foo>();
    let deployments = informers.of::<Deployment>();
    let reconciler = Arc::new(Reconciler {
        foos: foos.lister(),
        deployments: deployments.lister(),
        events: EventRecorder::start("sample-controller", client.all::<Event>()),
        client,
    });
    informers.start();
    let result = Controller::new("sample")
        .watches(&foos)
        .owns(&deployments)
        .workers(2)
        .run_with(reconciler, |reconciler, key| async move { reconciler.reconcile(&key).await })
        .until(until)
        .await;
    informers.shutdown().await;
    result
}

struct Reconciler {
    client: Client,
    foos: Lister<Foo>,
    deployments: Lister<Deployment>,
    events: EventRecorder,
}

impl Reconciler {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action, pintle::BoxError> {
        let Some(foo) = self.foos.get(key) else {
            return Ok(Action::done()); // deleted: the garbage collector removes what it owned
        };
        let api = self.client.namespaced::<Deployment>(&key.namespace);
        let name = ObjectKey::new(key.namespace.clone(), foo.spec.deployment_name.as_str());
        let deployment = match self.deployments.get(&name) {
            Some(d) => d,
            None => match api.create(&deployment_for(&foo)).await {
                Ok(created) => Arc::new(created),
                // Somebody was faster than the cache: it will come, and call again.
                Err(e) if e.is_already_exists() => return Ok(Action::requeue()),
                Err(e) => return Err(e.into()),
            },
        };
        if !deployment.is_controlled_by(&*foo) {
            let message =
                format!("Deployment {} exists and is not controlled by this Foo", name.name);
            self.events.warning(&*foo, "ErrResourceExists", message.as_str());
            return Err(terminal(message)); // nothing to try again until one of them changes
        }
        let deployment = if deployment.spec.replicas == Some(foo.spec.replicas) {
            deployment
        } else {
            let mut wanted = (*deployment).clone();
            wanted.spec.replicas = Some(foo.spec.replicas);
            Arc::new(api.update(&wanted).await?)
        };
        let available = deployment.status.available_replicas;
        if foo.status.available_replicas != available {
            self.client
                .namespaced::<Foo>(&key.namespace)
                .update_status(&key.name, |foo| foo.status.available_replicas = available)
                .await?;
        }
        self.events.normal(&*foo, "Synced", "Foo synced successfully");
        Ok(Action::done())
    }
}

/// The Deployment that a Foo owns.
fn deployment_for(foo: &Foo) -> Deployment {
    let labels: Map<Str> = [("app", "nginx"), ("controller", foo.name())].into();
    Deployment {
        metadata: ObjectMeta {
            name: foo.spec.deployment_name.as_str().into(),
            namespace: foo.metadata.namespace.clone(),
            owner_references: [controller_reference(foo)].into(),
            ..Default::default()
        },
        spec: DeploymentSpec {
            replicas: Some(foo.spec.replicas),
            selector: Some(
                LabelSelector { match_labels: labels.clone(), ..Default::default() }.into(),
            ),
            template: PodTemplateSpec {
                metadata: ObjectMeta { labels, ..Default::default() },
                spec: PodSpec {
                    containers: [Container {
                        name: "nginx".into(),
                        image: "nginx:latest".into(),
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
