//! Typed clients read as Go's do; what is missing is a predicate of the error; objects are copied
//! when they are written to.
//!
//! `cargo run --example 02-typed-client`, or with `-- --kubeconfig FILE` on a cluster.
use pintle::api::apps_v1::{Deployment, DeploymentSpec};
use pintle::api::core_v1::{Container, EnvVar, Pod, PodSpec, PodTemplateSpec};
use pintle::testing::install;
use pintle::{
    Client, Clientset, Error, LabelSelector, ListOptions, Map, Object, ObjectMeta, Str,
    retry_on_conflict,
};
use pintle_examples::sample_controller::{Foo, FooSpec};
use std::process::ExitCode;

pub(crate) async fn run(client: &Client, ns: &str) -> Result<(), Error> {
    // A program of its own begins with `Client::from_environment().await?`, which finds
    // $KUBECONFIG, ~/.kube/config or the configuration of its Pod.
    let clients = Clientset::new(client.clone());

    // Objects are structs; what is not said has Go's zero value.
    let pods = clients.core_v1().pods(ns);
    for (name, app) in [("web-1", "web"), ("web-2", "web"), ("db-1", "db")] {
        let metadata =
            ObjectMeta { name: name.into(), labels: [("app", app)].into(), ..Default::default() };
        let spec = pod_spec("registry.k8s.io/pause:3.10");
        pods.create(&Pod { metadata, spec, ..Default::default() }).await?;
        pods.update_status(name, |pod| pod.status.phase = "Running".into()).await?;
    }
    println!("Pods with app=web:");
    let web = pods.list(&ListOptions::labels("app=web")).await?;
    assert_eq!(web.items.len(), 2);
    for pod in web {
        println!("  {} {}", pod.name(), pod.status.phase);
    }

    // Nothing there is no special case of the type, but a question to the error.
    let deployments = clients.apps_v1().deployments(ns);
    match deployments.get("web").await {
        Err(e) if e.is_not_found() => {
            println!("There is none yet: {e}");
            deployments.create(&web_deployment()).await?;
        }
        other => drop(other?),
    }

    // Read, change, write; again when somebody else has written in between.
    let (before, updated) = retry_on_conflict(|| async {
        let before = deployments.get("web").await?;
        let mut deployment = before.clone();
        deployment.spec.replicas = Some(3); // copy on write: nobody else's copy changes
        let c = &mut deployment.spec.template.spec.containers[0];
        c.image = "nginx:1.29".into();
        c.env.push(EnvVar { name: "MODE".into(), value: "fast".into(), ..Default::default() });
        Ok((before, deployments.update(&deployment).await?))
    })
    .await?;
    for (when, d) in [("before", &before), ("now", &updated)] {
        let image = &d.spec.template.spec.containers[0].image;
        println!("Deployment web {when}: {} of {image}", d.spec.replicas.unwrap_or(1));
    }
    assert_eq!(before.spec.template.spec.containers[0].env.len(), 0);

    let conflict = deployments.update(&before).await.expect_err("that was the old one");
    assert!(conflict.is_conflict());
    println!("An old version is refused: {conflict}");
    // The loop above, in short.
    deployments.modify("web", |d| d.spec.replicas = Some(4)).await?;

    // Kinds of one's own are like the others.
    install::<Foo>(client).await?;
    let foos = clients.of::<Foo>(ns);
    let spec = FooSpec { deployment_name: "web".into(), replicas: 3 };
    foos.create(&Foo::new("one", spec)).await?;
    let foo = foos.update_status("one", |foo| foo.status.available_replicas = 3).await?;
    println!("Foo one: {} of {} available", foo.status.available_replicas, foo.spec.replicas);
    Ok(())
}

fn pod_spec(image: &str) -> PodSpec {
    let main = Container { name: "main".into(), image: image.into(), ..Default::default() };
    PodSpec { containers: [main].into(), ..Default::default() }
}

fn web_deployment() -> Deployment {
    let labels: Map<Str> = [("app", "web")].into();
    let selector = LabelSelector { match_labels: labels.clone(), ..Default::default() };
    Deployment {
        metadata: ObjectMeta { name: "web".into(), ..Default::default() },
        spec: DeploymentSpec {
            selector: Some(selector.into()),
            template: PodTemplateSpec {
                metadata: ObjectMeta { labels, ..Default::default() },
                spec: pod_spec("nginx:1.27"),
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
