//! A server for an example: one in this process, or a cluster.
use pintle::api::core_v1::{Namespace, ServiceAccount};
use pintle::testing::{ApiServerExt, eventually};
use pintle::{ApiServer, Client, Error, LoadOptions, ObjectMeta};
use std::process::ExitCode;
use std::time::Duration;

/// Runs an example as the program that it is: on a server in this process, or with
/// `--kubeconfig FILE` on a cluster. It gets a client and a namespace of its own.
pub async fn main_of(example: impl AsyncFnOnce(&Client, &str) -> Result<(), Error>) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        [] => on_embedded(example).await,
        ["--kubeconfig", file] => on_cluster(file, example).await,
        _ => {
            eprintln!("usage: [--kubeconfig FILE]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Runs an example on a server in this process, in namespace `team-a`.
///
/// # Errors
/// The example's.
pub async fn on_embedded(
    example: impl AsyncFnOnce(&Client, &str) -> Result<(), Error>,
) -> Result<(), Error> {
    let server = ApiServer::builder().start().await?;
    let client = server.client();
    let metadata = ObjectMeta { name: "team-a".into(), ..Default::default() };
    client.all().create(&Namespace { metadata, ..Default::default() }).await?;
    let result = example(&client, "team-a").await;
    server.shutdown().await;
    result
}

/// On a cluster, in a namespace that is deleted afterwards.
async fn on_cluster(
    file: &str,
    example: impl AsyncFnOnce(&Client, &str) -> Result<(), Error>,
) -> Result<(), Error> {
    let client = Client::load(&LoadOptions::file(file)).await?;
    let namespaces = client.all::<Namespace>();
    let metadata = ObjectMeta { generate_name: "pintle-example-".into(), ..Default::default() };
    let created = namespaces.create(&Namespace { metadata, ..Default::default() }).await?;
    let name = &created.metadata.name;
    let result = async {
        // Most servers take no Pod before it is there; some have none at all.
        let accounts = client.namespaced::<ServiceAccount>(name);
        let account = eventually("a service account", || accounts.get("default"));
        let _ = account.within(Duration::from_secs(3)).await;
        example(&client, name).await
    }
    .await;
    let deleted = namespaces.delete(name).await;
    result.and(deleted.map(drop))
}
