//! Informers keep a cache of a kind up to date. Listers read it, indexes find in it by any value,
//! handlers hear of its changes, however late they come.
//!
//! `cargo run --example 03-informers`, or with `-- --kubeconfig FILE` on a cluster.
use pintle::api::core_v1::{Container, Pod, PodSpec};
use pintle::testing::eventually;
use pintle::{
    Client, DeleteOptions, Error, HandlerFuncs, InformerFactory, InformerScope, Object, ObjectMeta,
};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

pub(crate) async fn run(client: &Client, ns: &str) -> Result<(), Error> {
    let api = client.namespaced::<Pod>(ns);
    for (name, node) in [("web-1", "node-7"), ("web-2", "node-8"), ("db-1", "node-7")] {
        api.create(&pod(name, node)).await?;
    }

    // Whoever asks the factory for Pods shares one watch and one cache.
    let informers = InformerFactory::scoped(client.clone(), InformerScope::namespace(ns));
    let pods = informers.of::<Pod>();
    let by_node = pods.index("node", |pod| [pod.spec.node_name.clone()])?;
    informers.start();
    informers.synced().await?;

    // A snapshot: no lock is held, nothing is copied, and no request is made.
    let here: Vec<Arc<Pod>> = by_node.get("node-7");
    let mut names: Vec<&str> = here.iter().map(|pod| pod.name()).collect();
    names.sort_unstable();
    println!("On node-7: {}", names.join(", "));
    assert_eq!(names, ["db-1", "web-1"]);

    let lister = pods.lister().namespace(ns);
    println!("web-2 is on {}", lister.get("web-2").map_or("no node".into(), |p| node_of(&p)));
    println!("There are {} Pods with a label of \"web\"", lister.select(&"app=web".parse()?).len());

    // A handler that comes late is told of everything that is there, then of every change.
    let (seen, gone) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counter, told) = (seen.clone(), gone.clone());
    let handler = HandlerFuncs::<Pod>::new()
        .on_add(move |pod, is_in_initial_list| {
            counter.fetch_add(1, Ordering::SeqCst);
            let how = if is_in_initial_list { "was there" } else { "is new" };
            println!("  {} {how}", pod.name());
        })
        .on_update(|old, new| match (app(&old), app(&new)) {
            (before, now) if before != now => println!("  {}: {before} -> {now}", new.name()),
            _ => {}
        })
        .on_delete(move |tombstone| {
            println!("  {} is gone", tombstone.object.name());
            told.notify_one();
        });
    println!("A handler comes late:");
    let registration = pods.add_handler(handler)?;
    registration.synced().await?;
    assert_eq!(seen.load(Ordering::SeqCst), 3);

    api.create(&pod("web-3", "node-7")).await?;
    eventually("the new Pod is on node-7", async || by_node.count("node-7") == 3).await?;
    api.modify("web-3", |pod| drop(pod.metadata.labels.insert("app".into(), "shop".into())))
        .await?;
    let now = DeleteOptions::default().grace_period_seconds(0);
    api.delete("web-3").options(now).await?;
    gone.notified().await;
    assert!(lister.get("web-3").is_none());
    informers.shutdown().await;
    println!("The cache stays readable: {} Pods", lister.list().len());
    Ok(())
}

fn pod(name: &str, node: &str) -> Pod {
    let labels = [("app", name.split('-').next().unwrap_or_default())].into();
    let metadata = ObjectMeta { name: name.into(), labels, ..Default::default() };
    let image = "registry.k8s.io/pause:3.10".into();
    let main = Container { name: "main".into(), image, ..Default::default() };
    let spec = PodSpec { node_name: node.into(), containers: [main].into(), ..Default::default() };
    Pod { metadata, spec, ..Default::default() }
}

fn node_of(pod: &Pod) -> String {
    pod.spec.node_name.to_string()
}

fn app(pod: &Pod) -> &str {
    pod.metadata.labels.get("app").map_or("", |app| app)
}

#[tokio::main]
async fn main() -> ExitCode {
    pintle_examples::main_of(run).await
}
