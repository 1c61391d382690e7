//! `load`: fills a server with Pods, then changes them at a steady rate.
//!
//! `load fill --kubeconfig FILE --objects N --mix realistic|distinct` and
//! `load churn --kubeconfig FILE --objects N --mix ... --rate R --seconds S`.
use pintle_api::core_v1::Pod;
use pintle_apimachinery::{CreateOptions, Object, PatchOptions};
use pintle_benches::load::{Options, in_parallel, make_teams};
use pintle_benches::pods::{self, Mix};
use pintle_client::{Api, Client, Error, Patch};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::of_process();
    let client = Client::new(&options.config()?)?;
    let objects: usize = options.number("--objects")?;
    let mix = match options.text("--mix")? {
        "realistic" => Mix::Realistic,
        "distinct" => Mix::Distinct,
        other => return Err(format!("no mix {other}").into()),
    };
    let began = Instant::now();
    let done = match options.first() {
        Some("fill") => fill(&client, objects, mix).await?,
        Some("churn") => {
            let (rate, seconds) = (options.number("--rate")?, options.number("--seconds")?);
            churn(&client, objects, mix, rate, seconds).await?
        }
        _ => return Err("usage: load fill|churn --kubeconfig FILE --objects N --mix MIX".into()),
    };
    println!("{{\"done\":{done},\"wall_s\":{:.3}}}", began.elapsed().as_secs_f64());
    Ok(())
}

/// The Pods of a namespace's client, as `manager`.
fn pods_of(client: &Client, pod: &Pod) -> Api<Pod> {
    client.namespaced(pod.namespace())
}

/// Creates Pods as the controller manager does, and reports their status as a kubelet does.
async fn fill(client: &Client, objects: usize, mix: Mix) -> Result<usize, Error> {
    make_teams(client).await?;
    in_parallel(objects, client, move |client, i| async move {
        let pod = pods::pod(i, mix);
        let api = pods_of(&client, &pod);
        let by = CreateOptions::default().field_manager("kube-controller-manager");
        api.create(&pod).options(by).await?;
        let status = json!({ "status": pods::status(i) });
        let by = PatchOptions::default().field_manager("kubelet");
        let status = Patch::strategic(&status);
        api.patch_status(pod.name(), &status).options(by).await.map(drop)
    })
    .await?;
    Ok(objects)
}

/// Changes a condition of Pods taken at random, `rate` a second.
async fn churn(
    client: &Client,
    objects: usize,
    mix: Mix,
    rate: usize,
    seconds: usize,
) -> Result<usize, Error> {
    let began = Instant::now();
    let salt = std::process::id();
    in_parallel(rate * seconds, client, move |client, n| async move {
        let due = Duration::from_secs_f64(n as f64 / rate as f64);
        tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
        let pod = pods::pod(pods::random(n, objects), mix);
        let message = format!("probe {n} of {salt}");
        let patch = Patch::strategic(json!({ "status": { "conditions": [{
            "type": "Ready", "status": "True", "message": message,
        }] } }));
        let by = PatchOptions::default().field_manager("kubelet");
        pods_of(&client, &pod).patch_status(pod.name(), &patch).options(by).await.map(drop)
    })
    .await?;
    Ok(rate * seconds)
}
