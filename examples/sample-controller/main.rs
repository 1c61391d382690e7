//! `cargo run --example sample-controller`: a controller lives a short life on an API server
//! inside this process, and the program ends. With `-- --kubeconfig FILE` it runs on a cluster
//! until Ctrl-C.
use pintle::{ApiServer, Client, Error, LoadOptions, shutdown_signal};
use pintle_examples::sample_controller::{install, live, mark_deployments_available, run};
use std::process::ExitCode;
use std::time::Instant;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        [] => embedded().await,
        ["--kubeconfig", file] => on_cluster(file).await,
        _ => {
            eprintln!("usage: sample-controller [--kubeconfig FILE]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("sample-controller: {e}");
            ExitCode::FAILURE
        }
    }
}

/// A whole life without a cluster.
async fn embedded() -> Result<(), Error> {
    println!("A Foo asks for a Deployment of a name and a size; the controller makes it so.\n");
    let started = Instant::now();
    let server = ApiServer::builder().start().await?;
    let client = Client::from_service(server.service(), "default");
    println!("An API server runs inside this process ({:.1?}).", started.elapsed());
    install(&client).await?;
    println!("It serves kind Foo of samplecontroller.k8s.io/v1alpha1 now.\n");

    let (stop, stopped) = tokio::sync::watch::channel(());
    let until = |mut stopped: tokio::sync::watch::Receiver<()>| async move {
        // An error means that the sender is gone, which is a reason to stop as well.
        let _ = stopped.changed().await;
    };
    let controller = tokio::spawn(run(client.clone(), until(stopped.clone())));
    let stand_in = tokio::spawn(mark_deployments_available(client.clone(), until(stopped)));

    let result = live(&client, "default", |line| println!("{line}")).await;
    drop(stop);
    for task in [controller, stand_in] {
        task.await.map_err(|e| Error::other(format!("a task failed: {e}")))??;
    }
    server.shutdown().await;
    result?;
    println!(
        "\nDone in {:.1?}. The controller is in examples/src/sample_controller.",
        started.elapsed()
    );
    println!("On a cluster: cargo run --example sample-controller -- --kubeconfig FILE");
    Ok(())
}

/// The same controller on a cluster.
async fn on_cluster(file: &str) -> Result<(), Error> {
    let client = Client::load(&LoadOptions::file(file)).await?;
    install(&client).await?;
    println!("Kind Foo is served. The controller runs until Ctrl-C; try:\n");
    println!("kubectl apply -f - <<'EOF'\n{FOO}EOF\n");
    run(client, shutdown_signal()).await
}

const FOO: &str = "apiVersion: samplecontroller.k8s.io/v1alpha1
kind: Foo
metadata:
  name: one
spec:
  deploymentName: web
  replicas: 2
";
