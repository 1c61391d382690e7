//! Informers of three libraries on one embedded server: each sees every change, and all agree with
//! the server in the end, whatever went wrong in between.
//!
//! Our own is always here. `cargo xtask conformance clients` builds client-go's (watch-list,
//! protobuf) and kube-rs' (watch-list) and names their programs in the environment; without, it is
//! said that they were left out.

mod follower;

use std::collections::BTreeMap;
use std::time::Duration;

use pintle::api::core_v1::{ConfigMap, Namespace};
use pintle::testing::{ApiServerExt, Fault};
use pintle::{Api, ApiServer, Client, Error, ListOptions, Object};

use crate::follower::{Follower, Told};

const NAMESPACE: &str = "churn";
const BEFORE: usize = 50;
/// Long enough that only a client that is stuck takes as long: they back off for half a minute.
const PATIENCE: Duration = Duration::from_secs(150);

fn map(name: String) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.name = name.into();
    map.data = [("n", "0")].into();
    map
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Done {
    added: usize,
    updated: usize,
    deleted: usize,
}

/// Changes objects, creates some and deletes some, as `seed` has it.
/// `names` are those of the objects there are: it lists nothing, so that faults of lists are the
/// clients' alone.
async fn churn(
    maps: &Api<ConfigMap>,
    names: &mut Vec<String>,
    seed: u64,
    steps: usize,
) -> Result<Done, Error> {
    let (mut done, mut random) = (Done::default(), seed);
    for step in 0..steps {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (random >> 33) as usize % names.len();
        match (random >> 20) % 10 {
            0 | 1 => {
                let name = format!("map-{seed}-{step}");
                maps.create(&map(name.clone())).await?;
                names.push(name);
                done.added += 1;
            }
            2 if names.len() > BEFORE / 2 => {
                maps.delete(&names.swap_remove(at)).await?;
                done.deleted += 1;
            }
            _ => {
                let value = format!("{seed}-{step}");
                maps.modify(&names[at], |map| map.data = [("n", value.as_str())].into()).await?;
                done.updated += 1;
            }
        }
    }
    Ok(done)
}

/// What the server has: names and versions.
async fn truth(maps: &Api<ConfigMap>) -> Result<BTreeMap<String, String>, Error> {
    let list = maps.list(&ListOptions::new()).await?;
    let one = |map: &ConfigMap| (map.name().to_owned(), map.resource_version().to_owned());
    Ok(list.items.iter().map(one).collect())
}

/// Asks a client until it is as it should be.
async fn until(
    follower: &mut Follower,
    what: &str,
    reached: impl Fn(&Told) -> bool,
) -> Result<Told, String> {
    let began = tokio::time::Instant::now();
    loop {
        let told = follower.told().await?;
        if reached(&told) {
            return Ok(told);
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("{}: not {what} within {PATIENCE:?}: {told:?}", follower.name));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_three_libraries_agree() -> Result<(), Box<dyn std::error::Error>> {
    let server = ApiServer::builder()
        .controllers("garbage-collector,namespace".parse()?)
        .listen()
        .start()
        .await?;
    let client: Client = server.client();
    let mut namespace = Namespace::default();
    namespace.metadata.name = NAMESPACE.into();
    client.all::<Namespace>().create(&namespace).await?;
    let maps = client.namespaced::<ConfigMap>(NAMESPACE);
    let mut names = Vec::new();
    for index in 0..BEFORE {
        names.push(format!("before-{index}"));
        maps.create(&map(format!("before-{index}"))).await?;
    }

    let mut followers = follower::all(&server, NAMESPACE)?;
    for follower in &mut followers {
        let told = until(follower, "synced", |told| told.synced).await?;
        assert_eq!(told.objects.len(), BEFORE, "{}", follower.name);
    }
    assert_eq!(server.faults().watches(), followers.len());

    // While nothing goes wrong, each change is seen, once.
    let mut done = Done::default();
    for round in 0..5 {
        let more = churn(&maps, &mut names, round, 100).await?;
        done.added += more.added;
        done.updated += more.updated;
        done.deleted += more.deleted;
    }
    let objects = truth(&maps).await?;
    for follower in &mut followers {
        let initial = follower.counts_initial() * BEFORE;
        let every = |told: &Told| {
            told.objects == objects
                && told.applied == initial + done.added + done.updated
                && told.deleted == done.deleted
        };
        let told = until(follower, "told of every change once", every).await?;
        assert_eq!(told.wrong, [""; 0], "{}", follower.name);
    }
    println!("{} clients saw {done:?}, each of it once", followers.len());

    // Whatever goes wrong: in the end they agree.
    let faults = server.faults();
    let each = followers.len() as u64;
    // Few, and most of them at once: clients wait longer after each.
    for round in 0..4 {
        match round {
            0 => faults.drop_watches(),
            1 => {
                faults.inject(Fault::too_many_requests(1).verb("watch").times(each));
                faults.expire_watches();
            }
            2 => {
                faults.inject(Fault::break_off().verb("watch").times(each));
                faults.inject(Fault::delay(Duration::from_millis(50)).verb("watch").times(each));
                faults.drop_watches();
            }
            _ => {
                // What was missed cannot be had any more, and a list neither, at first.
                faults.inject(Fault::status(503).verb("list").times(each));
                faults.inject(Fault::status(500).verb("watch").times(each));
                faults.drop_watches();
                churn(&maps, &mut names, 900, 30).await?;
                faults.compact()?;
            }
        }
        churn(&maps, &mut names, 1_000 + round, 60).await?;
        let open = async {
            while server.faults().watches() < followers.len() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, open).await.map_err(|_| {
            format!("round {round}: {} watches are open", server.faults().watches())
        })?;
        churn(&maps, &mut names, 2_000 + round, 60).await?;
    }
    faults.clear();
    let objects = truth(&maps).await?;
    for follower in &mut followers {
        let told = until(follower, "at the end", |told| told.objects == objects).await?;
        assert_eq!(told.wrong, [""; 0], "{}", follower.name);
        println!("{}: agrees on {} objects after all faults", follower.name, objects.len());
    }
    for follower in followers {
        follower.stop().await?;
    }
    server.shutdown().await;
    Ok(())
}
