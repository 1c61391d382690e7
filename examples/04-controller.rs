//! A controller is a key, a queue and a function; its test needs no cluster and no sleep.
//!
//! `cargo run --example 04-controller`, or with `-- --kubeconfig FILE` on a cluster; the test runs
//! with `cargo test -p pintle-examples`.
use pintle::api::apps_v1::{Deployment, DeploymentSpec};
use pintle::api::core_v1::{Container, PodSpec, PodTemplateSpec};
use pintle::testing::{eventually, install};
use pintle::{
    Action, Client, Controller, Error, InformerFactory, InformerScope, LabelSelector, Map, Object,
    ObjectMeta, Str, controller_reference, terminal,
};
use pintle_examples::sample_controller::{Foo, FooSpec};
use std::process::ExitCode;
use std::time::Duration;

/// Keeps a Deployment of the name and size that each Foo says, until `until` completes.
async fn keep(client: Client, ns: String, until: impl Future<Output = ()>) -> Result<(), Error> {
    let informers = InformerFactory::scoped(client.clone(), InformerScope::namespace(ns));
    let foos = informers.of::<Foo>();
    let deployments = informers.of::<Deployment>();
    let state = (client, foos.lister(), deployments.lister());
    Controller::new("example")
        .watches(&foos) // enqueue the object itself
        .owns(&deployments) // enqueue its controller's key
        .workers(2)
        .run_with(state, |(client, foos, deployments), key| async move {
            let Some(foo) = foos.get(&key) else { return Ok(Action::done()) };
            let api = client.namespaced::<Deployment>(&key.namespace);
            match deployments.namespace(&key.namespace).get(&foo.spec.deployment_name) {
                None => drop(api.create(&deployment_for(&foo)).await?),
                Some(d) if !d.is_controlled_by(&*foo) => {
                    return Err(terminal(format!("Deployment {} is somebody else's", d.name())));
                }
                Some(d) if d.spec.replicas != Some(foo.spec.replicas) => {
                    let mut d = (*d).clone(); // nobody else's copy changes
                    d.spec.replicas = Some(foo.spec.replicas);
                    api.update(&d).await?; // a conflict is one more try
                }
                Some(_) => {}
            }
            Ok(Action::requeue_after(Duration::from_mins(10))) // Err(e): retry, more slowly each time
        })
        .until(until)
        .await
}

pub(crate) async fn run(client: &Client, ns: &str) -> Result<(), Error> {
    install::<Foo>(client).await?;
    let (stop, stopped) = tokio::sync::oneshot::channel(); // in a program: shutdown_signal()
    let stopped = async { stopped.await.unwrap_or_default() };
    let controller = tokio::spawn(keep(client.clone(), ns.to_owned(), stopped));

    let foos = client.namespaced::<Foo>(ns);
    let deployments = client.namespaced::<Deployment>(ns);
    foos.create(&foo("one", 2)).await?;
    let web = eventually("a Deployment is made", || deployments.get("one")).await?;
    println!("Foo one has its Deployment, of {} replicas.", web.spec.replicas.unwrap_or(1));

    deployments.modify("one", |d| d.spec.replicas = Some(9)).await?;
    println!("Somebody makes them 9.");
    let right = |d: &Deployment| d.spec.replicas == Some(2);
    eventually("the replicas are right", || deployments.get("one")).is(right).await?;
    println!("The controller has put it right.");

    let _ = stop.send(());
    controller.await.map_err(|e| Error::other(e.to_string()))??;
    println!("And stopped when it was asked to.");
    Ok(())
}

fn foo(name: &str, replicas: i32) -> Foo {
    Foo::new(name, FooSpec { deployment_name: name.into(), replicas })
}

fn deployment_for(foo: &Foo) -> Deployment {
    let labels: Map<Str> = [("foo", foo.name())].into();
    let selector = LabelSelector { match_labels: labels.clone(), ..Default::default() };
    let main = Container { name: "main".into(), image: "nginx:1.29".into(), ..Default::default() };
    Deployment {
        metadata: ObjectMeta {
            name: (&foo.spec.deployment_name).into(),
            owner_references: [controller_reference(foo)].into(),
            ..Default::default()
        },
        spec: DeploymentSpec {
            replicas: Some(foo.spec.replicas),
            selector: Some(selector.into()),
            template: PodTemplateSpec {
                metadata: ObjectMeta { labels, ..Default::default() },
                spec: PodSpec { containers: [main].into(), ..Default::default() },
            },
            ..Default::default()
        },
        ..Default::default()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    pintle_examples::main_of(run).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle::ApiServer;
    use pintle::testing::ApiServerExt;

    #[tokio::test]
    async fn puts_replicas_right() -> Result<(), Error> {
        let server = ApiServer::builder().with_crd::<Foo>().start().await?;
        tokio::spawn(keep(server.client(), "default".into(), std::future::pending()));
        let foos = server.clientset().of::<Foo>("default");
        let deployments = server.clientset().apps_v1().deployments("default");

        foos.create(&foo("one", 2)).await?;
        eventually("a Deployment is made", || deployments.get("one")).await?;
        server.faults().drop_watches();
        foos.modify("one", |foo| foo.spec.replicas = 3).await?;
        let followed = |d: &Deployment| d.spec.replicas == Some(3);
        eventually("it follows its Foo", || deployments.get("one")).is(followed).await?;
        Ok(())
    }
}
