//! A server that restarts: connections are lost, nobody answers for a while, history is gone.
use crate::followed::{Followed, held, labelled, touch};
use crate::harness::{Done, Task, config_map, eventually, run, within};
use pintle::api::core_v1::ConfigMap;
use pintle::{Action, Controller, Error, ObjectKey};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn informers_and_controllers_get_over_it() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<ConfigMap>(&ns);
        for name in ["a", "b", "c"] {
            api.create(&labelled(config_map(name, "v"))).await?;
        }
        // One is cut off before and comes back after, the other is there when it happens.
        let late = Followed::<ConfigMap>::start(t, &ns).await?;
        let live = Followed::<ConfigMap>::start(t, &ns).await?;
        let lister = live.informer.lister();
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let controller = Task::spawn({
            let (informer, seen) = (live.informer.clone(), seen.clone());
            move |until| {
                let reconcile = move |key: ObjectKey| {
                    let version = lister.get(&key).map(|m| m.metadata.resource_version.clone());
                    let mut seen = seen.lock().unwrap();
                    match version {
                        Some(version) => seen.insert(key.name.to_string(), version.to_string()),
                        None => seen.remove(key.name.as_str()),
                    };
                    std::future::ready(Ok(Action::done()))
                };
                Controller::new("restarts").watches(&informer).run(reconcile).until(until)
            }
        });
        late.tap.hold("watch=true");
        late.tap.cut_watches();
        within("the informer watches again", late.tap.holds_one()).await?;
        late.told();
        live.told();

        api.modify("a", touch).await?;
        api.delete("b").await?;
        live.holds(&held(&api).await?).await?;
        if !t.compact().await? || !t.restart().await? {
            late.tap.release();
            controller.stop().await??;
            return Ok(());
        }
        let mut last = None;
        let impatient = t.client().clone().with_timeout(Some(Duration::from_secs(5)));
        let impatient = impatient.namespaced::<ConfigMap>(&ns);
        let back = eventually("the server is back", async || {
            match impatient.modify("c", touch).await {
                Err(e) if passes(&e) => last = Some(e),
                other => return other.map(|_| true),
            }
            Ok(false)
        });
        if let Err(e) = back.await {
            return Err(e.context(format!("the last answer was {last:?}")));
        }
        api.create(&labelled(config_map("d", "v"))).await?;
        late.tap.release();
        let expect = held(&api).await?;
        for followed in [&live, &late] {
            followed.holds(&expect).await?;
        }
        eventually("the controller has seen all", async || Ok(*seen.lock().unwrap() == expect))
            .await?;

        let gone = |followed: &Followed<ConfigMap>| {
            let told = followed.told();
            let gone = told.iter().filter(|t| t.ends_with(" b")).cloned();
            gone.collect::<Vec<_>>()
        };
        assert_eq!(gone(&live), ["delete b"], "seen as it happened");
        eventually("the delete is told", async || {
            Ok(late.told.lock().unwrap().iter().any(|t| t.ends_with(" b")))
        })
        .await?;
        assert_eq!(gone(&late), ["missed b"], "found out by the list");
        controller.stop().await??;
        for followed in [live, late] {
            followed.informer.shutdown().await;
        }
        Ok::<_, Error>(())
    })
    .await
}

/// Whether an error is one of a server that is about to be there.
fn passes(error: &Error) -> bool {
    let busy = error.code().is_some_and(|code| code == 429 || code >= 500);
    busy || error.is_transport() || error.is_timeout()
}
