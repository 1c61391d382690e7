//! What a person sees when it goes wrong, and what a program asks.
//!
//! `cargo run --example 05-errors`.
use pintle::api::core_v1::{ConfigMap, Pod};
use pintle::apiserver::User;
use pintle::testing::ApiServerExt;
use pintle::{ApiServer, Client, Config, Error, Kubeconfig, ListOptions, LoadOptions, ObjectMeta};

pub(crate) async fn run() -> Result<(), Error> {
    let server = ApiServer::builder().start().await?;
    let maps = server.client().namespaced::<ConfigMap>("default");

    say("a missing object", Error::is_not_found, maps.get("settings").await);

    let map = maps.create(&named("settings")).await?;
    say("a second one of a name", Error::is_already_exists, maps.create(&named("settings")).await);

    maps.modify("settings", |map| map.data = [("mode", "fast")].into()).await?;
    say("an old version", Error::is_conflict, maps.update(&map).await);

    say("a bad name", Error::is_invalid, maps.create(&named("Settings!")).await);

    let jane = server.client_as(Some(User::new("jane", ["developers"])));
    let listed = jane.namespaced::<Pod>("team-a").list(&ListOptions::new()).await;
    say("another user", Error::is_forbidden, listed);

    let kubeconfig = Kubeconfig::parse(KUBECONFIG, "/home/me/.kube/config")?;
    let config = Config::from_kubeconfig(&kubeconfig, &LoadOptions::default());
    say("a kubeconfig that is wrong", Error::is_config, config);

    let nobody = Client::new(&Config::new("https://127.0.0.1:1")?)?;
    say("a server that is not there", Error::is_transport, nobody.server_version().await);
    Ok(())
}

/// Prints an error; programs ask it.
fn say<T>(what: &str, is: fn(&Error) -> bool, result: Result<T, Error>) {
    let Err(error) = result else { panic!("{what}: no error") };
    assert!(is(&error), "{what}: {error}");
    println!("{what}:\n  {error}");
}

fn named(name: &str) -> ConfigMap {
    let metadata = ObjectMeta { name: name.into(), ..Default::default() };
    ConfigMap { metadata, ..Default::default() }
}

const KUBECONFIG: &str = "
current-context: prod
contexts:
- { name: prod, context: { cluster: prod-eu, user: me } }
clusters:
- { name: dev, cluster: { server: https://dev.example.com } }
- { name: staging, cluster: { server: https://staging.example.com } }
users:
- { name: me, user: {} }
";

#[tokio::main]
async fn main() -> Result<(), Error> {
    run().await
}
