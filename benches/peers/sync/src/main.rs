//! `peer-sync`: what kube-rs' reflector costs until it has every Pod, and then per change.
//!
//! `peer-sync --kubeconfig FILE --list list|watchlist`; see `benches/src/child.rs` for the rest.
#[path = "../../../src/child.rs"]
mod child;
#[path = "../../../src/usage.rs"]
mod usage;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, reflector, watcher as watch};
use kube::{Api, Client, Config};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = child::Arguments::of_process()?;
    let kubeconfig = Kubeconfig::read_from(&arguments.kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let pods: Api<Pod> = Api::all(Client::try_from(config)?);
    let options = match arguments.list.as_str() {
        "list" => watcher::Config::default(),
        _ => watcher::Config::default().streaming_lists(),
    };
    let (reader, writer) = reflector::store();
    let mut events = reflector(writer, watch(pods, options)).default_backoff().boxed();
    let mut meter = None;
    while let Some(event) = events.next().await {
        match event? {
            Event::InitDone => {
                let began = arguments.began;
                meter.get_or_insert_with(|| child::Meter::synced(began, reader.len()));
            }
            Event::Apply(_) => {
                if let Some(meter) = &meter {
                    meter.count();
                }
            }
            _ => {}
        }
    }
    Ok(())
}
