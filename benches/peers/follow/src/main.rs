//! `peer-follow`: kube-rs' reflector of the ConfigMaps of a namespace, by watch-list.
//!
//! `peer-follow --kubeconfig FILE --namespace NAME`. For each line on standard input it prints what
//! it has and what it was told; it ends with standard input.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, reflector, watcher as watch};
use kube::{Api, Client, Config, ResourceExt};
use serde_json::json;

#[derive(Default)]
struct Told {
    synced: bool,
    applied: usize,
    deleted: usize,
    errors: usize,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = args.iter().position(|arg| arg == name);
        at.and_then(|at| args.get(at + 1)).ok_or_else(|| format!("{name} is missing"))
    };
    let kubeconfig = Kubeconfig::read_from(option("--kubeconfig")?)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let maps: Api<ConfigMap> = Api::namespaced(Client::try_from(config)?, option("--namespace")?);
    let options = watcher::Config::default().streaming_lists();
    let (reader, writer) = reflector::store();
    let mut events = reflector(writer, watch(maps, options)).default_backoff().boxed();
    let told = Arc::new(Mutex::new(Told::default()));
    let answers = told.clone();
    std::thread::spawn(move || {
        let mut line = String::new();
        while std::io::stdin().read_line(&mut line).is_ok_and(|n| n > 0) {
            let state = reader.state();
            let objects: BTreeMap<String, String> = state
                .iter()
                .map(|map| (map.name_any(), map.resource_version().unwrap_or_default()))
                .collect();
            let told = answers.lock().unwrap();
            let answer = json!({
                "synced": told.synced, "applied": told.applied, "deleted": told.deleted,
                "errors": told.errors, "objects": objects, "wrong": [],
            });
            println!("{answer}");
            line.clear();
        }
        std::process::exit(0);
    });
    while let Some(event) = events.next().await {
        let mut told = told.lock().unwrap();
        match event {
            Ok(Event::InitDone) => told.synced = true,
            Ok(Event::Apply(_)) => told.applied += 1,
            Ok(Event::Delete(_)) => told.deleted += 1,
            Ok(_) => {}
            Err(_) => told.errors += 1,
        }
    }
    Ok(())
}
