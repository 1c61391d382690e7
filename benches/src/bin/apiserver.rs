//! `apiserver`: what an API server bears: creates, updates, lists, and watchers.
//!
//! `apiserver --kubeconfig FILE --objects N --watchers N --pids PID,..` prints one line of JSON with
//! the time of each part and the CPU time that the processes of the server took for it.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use pintle_api::core_v1::{Namespace, Pod};
use pintle_apimachinery::Object;
use pintle_benches::load::{Options, in_parallel, make_teams};
use pintle_benches::pods::{self, Mix};
use pintle_client::{Client, Error, Patch, Request};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

/// Watches on one connection.
const SHARE: usize = 5;
/// Times the whole list is read in each form.
const LISTS: usize = 5;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::of_process();
    let config = options.config()?;
    let objects: usize = options.number("--objects")?;
    let watchers: usize = options.number("--watchers")?;
    let pids = options.text("--pids")?.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let client = Client::new(&config)?;
    let mut bench = Bench { pids, told: Map::new() };
    bench.memory("idle_mib");

    make_teams(&client).await?;
    let made: Arc<Mutex<Vec<Pod>>> = Arc::default();
    let keep = made.clone();
    bench
        .part("create", objects, async {
            in_parallel(objects, &client, move |client, i| {
                let keep = keep.clone();
                async move {
                    let pod = pods::pod(i, Mix::Realistic);
                    let pod = client.namespaced(pod.namespace()).create(&pod).await?;
                    keep.lock().await.push(pod);
                    Ok(())
                }
            })
            .await
        })
        .await?;
    let made = Arc::new(std::mem::take(&mut *made.lock().await));
    bench
        .part("update", objects, async {
            in_parallel(objects, &client, move |client, i| {
                let mut pod = made[i].clone();
                async move {
                    pod.metadata.annotations.insert("bench/touched".into(), "yes".into());
                    client.namespaced(pod.namespace()).update(&pod).await.map(drop)
                }
            })
            .await
        })
        .await?;
    bench.memory("full_mib");

    for (name, accept) in [
        ("list_json", "application/json"),
        ("list_protobuf", "application/vnd.kubernetes.protobuf"),
    ] {
        // What is made once and kept is not measured.
        read(&client, accept).await?;
        let bytes = AtomicU64::new(0);
        bench
            .part(name, LISTS, async {
                for _ in 0..LISTS {
                    bytes.fetch_add(read(&client, accept).await?, Ordering::Relaxed);
                }
                Ok(())
            })
            .await?;
        let mib = bytes.into_inner() as f64 / f64::from(1 << 20);
        bench.told.insert(format!("{name}_mib"), mib.into());
    }

    for (name, accept) in [
        ("fan_json", "application/json"),
        ("fan_protobuf", "application/vnd.kubernetes.protobuf;stream=watch"),
    ] {
        let changes = objects / 4;
        let (seen, mut tasks) = (Arc::new(AtomicUsize::new(0)), Vec::new());
        let now = client.all::<Namespace>().list(&Default::default()).await?;
        let version = now.metadata.resource_version.to_string();
        let mut connection = client.clone();
        for index in 0..watchers {
            if index % SHARE == 0 {
                connection = Client::new(&config)?;
            }
            let request = Request::get("/api/v1/pods")
                .query("watch", "true")
                .query("resourceVersion", version.as_str())
                .accept(accept)
                .endless();
            let response = connection.request(request).await?;
            tasks.push(tokio::spawn(count(response, accept, changes, seen.clone())));
        }
        bench
            .part(name, changes * watchers, async {
                in_parallel(changes, &client, move |client, i| async move {
                    let pod = pods::pod(i, Mix::Realistic);
                    let change = json!({"metadata": {"annotations": {"bench/fan": name}}});
                    let api = client.namespaced::<Pod>(pod.namespace());
                    api.patch(pod.name(), &Patch::merge(&change)).await.map(drop)
                })
                .await?;
                for task in tasks.drain(..) {
                    task.await.map_err(|error| Error::other(error.to_string()))??;
                }
                Ok(())
            })
            .await?;
        if seen.load(Ordering::Relaxed) != changes * watchers {
            return Err(format!("{name}: {seen:?} events of {}", changes * watchers).into());
        }
    }
    bench.memory("end_mib");
    println!("{}", Value::Object(bench.told));
    Ok(())
}

struct Bench {
    pids: Vec<u32>,
    told: Map<String, Value>,
}

impl Bench {
    /// Runs one part, and notes what it took.
    async fn part(
        &mut self,
        name: &str,
        count: usize,
        work: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        let (began, cpu) = (Instant::now(), self.cpu());
        work.await?;
        let part = json!({
            "count": count, "wall_s": began.elapsed().as_secs_f64(), "cpu_s": self.cpu() - cpu,
        });
        eprintln!("  {name}: {part}");
        self.told.insert(name.to_owned(), part);
        Ok(())
    }

    /// CPU time of the server's processes, in seconds.
    fn cpu(&self) -> f64 {
        let ticks = self.pids.iter().map(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let rest = stat.rsplit(')').next().unwrap_or_default().to_owned();
            let fields: Vec<&str> = rest.split_whitespace().collect();
            let field =
                |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
            field(11) + field(12)
        });
        // Linux' clock tick is a hundredth of a second wherever this runs.
        ticks.sum::<f64>() / 100.0
    }

    /// Notes the resident memory of the server's processes, in MiB.
    fn memory(&mut self, name: &str) {
        let sizes = self.pids.iter().map(|pid| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kib =
                line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
            kib.unwrap_or(0.0) / 1024.0
        });
        self.told.insert(name.to_owned(), sizes.sum::<f64>().into());
    }
}

/// Reads all Pods, and answers how many bytes they are.
async fn read(client: &Client, accept: &'static str) -> Result<u64, Error> {
    let mut response = client.request(Request::get("/api/v1/pods").accept(accept)).await?;
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await? {
        bytes += chunk.len() as u64;
    }
    Ok(bytes)
}

/// Reads a watch until so many events have come.
async fn count(
    mut response: pintle_client::Response,
    accept: &str,
    wanted: usize,
    seen: Arc<AtomicUsize>,
) -> Result<(), Error> {
    let (mut got, mut left, mut head) = (0, 0_usize, Vec::new());
    while got < wanted {
        let Some(chunk) = response.chunk().await? else {
            return Err(Error::other(format!("a watch ended after {got} events of {wanted}")));
        };
        if accept == "application/json" {
            got += chunk.iter().filter(|byte| **byte == b'\n').count();
            continue;
        }
        // Frames: a length of four bytes, and so many bytes.
        let mut chunk = &chunk[..];
        while !chunk.is_empty() {
            let skip = left.min(chunk.len());
            (left, chunk) = (left - skip, &chunk[skip..]);
            if skip > 0 && left == 0 {
                got += 1;
            }
            while left == 0 && !chunk.is_empty() && head.len() < 4 {
                head.push(chunk[0]);
                chunk = &chunk[1..];
            }
            if let [a, b, c, d] = head[..] {
                left = u32::from_be_bytes([a, b, c, d]) as usize;
                head.clear();
            }
        }
    }
    seen.fetch_add(got, Ordering::Relaxed);
    Ok(())
}
