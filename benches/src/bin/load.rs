//! `load`: fills a server with Pods, then changes them at a steady rate.
//!
//! `load fill --kubeconfig FILE --objects N --mix realistic|distinct` and
//! `load churn --kubeconfig FILE --objects N --mix ... --rate R --seconds S`.
use pintle_api::core_v1::{Namespace, Pod};
use pintle_apimachinery::{CreateOptions, Object, PatchOptions};
use pintle_benches::pods::{self, Mix};
use pintle_client::{Api, Client, Config, Error, LoadOptions, Patch};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Requests under way at a time.
const WORKERS: usize = 32;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = args.iter().position(|a| a == name);
        at.and_then(|i| args.get(i + 1)).cloned().ok_or_else(|| format!("{name} is missing"))
    };
    let client = Client::new(&Config::load(&LoadOptions::file(option("--kubeconfig")?))?)?;
    let objects: usize = option("--objects")?.parse()?;
    let mix = match option("--mix")?.as_str() {
        "realistic" => Mix::Realistic,
        "distinct" => Mix::Distinct,
        other => return Err(format!("no mix {other}").into()),
    };
    let began = Instant::now();
    let done = match args.first().map(String::as_str) {
        Some("fill") => fill(&client, objects, mix).await?,
        Some("churn") => {
            let (rate, seconds) = (option("--rate")?.parse()?, option("--seconds")?.parse()?);
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
    let namespaces = client.all::<Namespace>();
    for team in 0..10 {
        let mut namespace = Namespace::default();
        namespace.metadata.name = format!("team-{team}").into();
        match namespaces.create(&namespace).await {
            Err(e) if !e.is_already_exists() => return Err(e),
            _ => {}
        }
    }
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
    .await
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
    .await
}

/// Does `work` for 0..n, a few at a time and about in order.
async fn in_parallel<F, Fut>(n: usize, client: &Client, work: F) -> Result<usize, Error>
where
    F: Fn(Client, usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(), Error>> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (next, client, work) = (next.clone(), client.clone(), work.clone());
            tokio::spawn(async move {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= n {
                        return Ok::<(), Error>(());
                    }
                    work(client.clone(), i).await?;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.map_err(|e| Error::other(e.to_string()))??;
    }
    Ok(n)
}
