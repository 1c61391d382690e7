//! The sample controller: its life on every server, and that it stops in every state.
use crate::harness::{Done, Task, Test, Who, run, within};
use pintle::api::core_v1::Node;
use pintle::{Client, Config, Error, ListOptions};
use pintle_examples::sample_controller::{
    install, live, mark_deployments_available, mark_pods_ready, run as run_sample,
};
use std::sync::Mutex;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lives_its_life() -> Done {
    run(async |t| {
        if !t.has_controllers() {
            t.leave_out("the sample: no garbage collector takes the Deployment with its Foo");
            return Ok(());
        }
        let ns = t.namespace_for_pods().await?;
        let client = t.client().clone();
        install(&client).await?;
        let controller = Task::spawn(|until| run_sample(client.clone(), until));
        let stand_in = stand_in(t).await?;
        let steps = Mutex::new(Vec::new());
        let lived = live(&client, &ns, |line| steps.lock().unwrap().push(line.to_owned())).await;
        let steps = steps.into_inner().unwrap_or_default();
        controller.stop().await??;
        if let Some(stand_in) = stand_in {
            stand_in.stop().await??;
        }
        if let Err(e) = lived {
            return Err(e.context(format!("after {steps:#?}")));
        }
        let warning = "Deployment taken exists and is not controlled by this Foo";
        assert!(steps.iter().any(|line| line.contains(warning)), "{steps:#?}");
        assert_eq!(steps.iter().filter(|line| !line.starts_with(' ')).count(), 5, "{steps:#?}");
        Ok(())
    })
    .await
}

/// Reports replicas available where nothing else does.
async fn stand_in(t: &Test) -> Result<Option<Task<Result<(), Error>>>, Error> {
    let client = t.client().clone();
    if t.is_embedded() {
        return Ok(Some(Task::spawn(|until| mark_deployments_available(client, until))));
    }
    if !client.all::<Node>().list(&ListOptions::new().limit(1)).await?.items.is_empty() {
        return Ok(None); // kubelets run the Pods
    }
    Ok(Some(Task::spawn(|until| mark_pods_ready(client, until))))
}

#[tokio::test]
async fn stops_when_no_server_can_be_reached() -> Done {
    // A port of ours on which nobody listens.
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    drop(socket);
    let client = Client::new(&Config::new(format!("https://{address}"))?)?;
    let error = client.server_version().await.expect_err("nobody is there");
    assert!(error.is_transport(), "{error}");
    let controller = Task::spawn(|until| run_sample(client, until));
    controller.stop().await?
}

#[tokio::test]
async fn stops_before_the_first_list_is_answered() -> Done {
    run(async |t| {
        let (client, tap) = t.tapped()?;
        tap.hold("");
        let controller = Task::spawn(|until| run_sample(client, until));
        within("the controller asks", tap.holds_one()).await?;
        controller.stop().await?
    })
    .await
}

#[tokio::test]
async fn stops_while_its_kind_is_not_served() -> Done {
    run(async |t| {
        // Nobody may see anything, so the informers try again and again.
        let Some(config) = t.config(Who::Jane)? else { return Ok(()) };
        let (client, tap) = t.tapped_with(&config)?;
        let controller = Task::spawn(|until| run_sample(client, until));
        crate::harness::eventually("the controller was refused", async || {
            Ok(tap.take().iter().any(|seen| seen.code >= 400))
        })
        .await?;
        controller.stop().await?
    })
    .await
}

#[tokio::test]
async fn stops_while_its_watches_are_cut() -> Done {
    run(async |t| {
        install(t.client()).await?;
        let (client, tap) = t.tapped()?;
        let controller = Task::spawn(|until| run_sample(client, until));
        let mut watches = 0;
        crate::harness::eventually("both kinds are watched", async || {
            watches += tap.take().iter().filter(|seen| seen.is_watch() && seen.code == 200).count();
            Ok(watches >= 2)
        })
        .await?;
        tap.hold("watch=true");
        tap.cut_watches();
        within("the controller watches again", tap.holds_one()).await?;
        controller.stop().await?
    })
    .await
}
