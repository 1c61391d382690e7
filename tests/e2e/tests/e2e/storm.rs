//! Everything together under load: informer, lister, queue and controller lose nothing.
use crate::harness::{Done, Task, config_map, eventually, run, within};
use pintle::api::core_v1::ConfigMap;
use pintle::{
    Action, Api, Controller, Error, HandlerFuncs, InformerFactory, InformerScope, ListOptions,
    Object, ObjectKey, Tombstone, WorkQueue,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const OBJECTS: usize = 500;
const WRITERS: usize = 10;

fn ours() -> ListOptions {
    ListOptions::labels("run=storm")
}

fn name(i: usize) -> String {
    format!("map-{i:03}")
}

/// One of several writers: creates its objects, changes each a few times, deletes every third, and
/// makes every sixth again.
async fn write(api: Api<ConfigMap>, own: usize) -> Result<(), Error> {
    let objects = || (own..OBJECTS).step_by(WRITERS);
    for i in objects() {
        let mut map = config_map(&name(i), "0");
        map.metadata.labels.insert("run".into(), "storm".into());
        api.create(&map).await?;
        if i % 2 == 0 {
            api.modify(&name(i), |m| drop(m.data.insert("k".into(), "1".into()))).await?;
        }
    }
    for i in objects() {
        api.modify(&name(i), |m| drop(m.data.insert("k".into(), "2".into()))).await?;
        if i % 3 == 0 {
            api.delete(&name(i)).await?;
        }
        if i % 6 == 0 {
            let mut map = config_map(&name(i), "again");
            map.metadata.labels.insert("run".into(), "storm".into());
            api.create(&map).await?;
        }
    }
    Ok(())
}

type State = Mutex<BTreeMap<ObjectKey, String>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_lost_in_a_storm() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<ConfigMap>(&ns);
        let (client, tap) = t.tapped()?;
        let informers = InformerFactory::new(client);
        let scope = InformerScope::namespace(ns.as_str()).labels("run=storm");
        let maps = informers.informer::<ConfigMap>(scope, Default::default());

        // A handler that keeps a copy of its own,
        let copy = Arc::new(State::default());
        let (added, updated, deleted) = (copy.clone(), copy.clone(), copy.clone());
        let keep = |to: &State, map: &ConfigMap| {
            to.lock().unwrap().insert(map.key(), map.resource_version().to_owned());
        };
        let handler = HandlerFuncs::new()
            .on_add(move |map: Arc<ConfigMap>, _| {
                let known = added.lock().unwrap().contains_key(&map.key());
                assert!(!known, "added twice: {}", map.key());
                keep(&added, &map);
            })
            .on_update(move |old: Arc<ConfigMap>, map: Arc<ConfigMap>| {
                let told = updated.lock().unwrap().get(&map.key()).cloned();
                assert_eq!(told.as_deref(), Some(old.resource_version()), "a step was left out");
                keep(&updated, &map);
            })
            .on_delete(move |gone: Tombstone<ConfigMap>| {
                let known = deleted.lock().unwrap().remove(&gone.key());
                assert!(known.is_some(), "deleted twice: {}", gone.key());
            });
        let handler = maps.add_handler(handler)?;

        // a controller that keeps what it reconciled last,
        let (lister, reconciled) = (maps.lister(), Arc::new(State::default()));
        let busy = Arc::new(Mutex::new(BTreeMap::<ObjectKey, bool>::new()));
        let overlapped = Arc::new(AtomicBool::new(false));
        let controller = {
            let (lister, reconciled) = (lister.clone(), reconciled.clone());
            let (maps, busy, overlapped) = (maps.clone(), busy.clone(), overlapped.clone());
            Task::spawn(move |until| {
                let reconcile = move |key: ObjectKey| {
                    let (lister, reconciled) = (lister.clone(), reconciled.clone());
                    let (busy, overlapped) = (busy.clone(), overlapped.clone());
                    async move {
                        if busy.lock().unwrap().insert(key.clone(), true).is_some() {
                            overlapped.store(true, Ordering::Relaxed);
                        }
                        tokio::task::yield_now().await;
                        let found = lister.get(&key).map(|m| m.resource_version().to_owned());
                        match found {
                            Some(version) => {
                                reconciled.lock().unwrap().insert(key.clone(), version)
                            }
                            None => reconciled.lock().unwrap().remove(&key),
                        };
                        busy.lock().unwrap().remove(&key);
                        Ok(Action::done())
                    }
                };
                Controller::new("storm").watches(&maps).workers(4).run(reconcile).until(until)
            })
        };

        // and a queue served by hand.
        let queue = WorkQueue::<ObjectKey>::new();
        let feed = |queue: &WorkQueue<ObjectKey>| {
            let queue = queue.clone();
            move |map: &ConfigMap| queue.add(map.key())
        };
        let (a, b, c) = (feed(&queue), feed(&queue), feed(&queue));
        let feeding = maps.add_handler(
            HandlerFuncs::new()
                .on_add(move |map: Arc<ConfigMap>, _| a(&map))
                .on_update(move |_, map: Arc<ConfigMap>| b(&map))
                .on_delete(move |gone: Tombstone<ConfigMap>| c(&gone.object)),
        )?;
        let served = Arc::new(State::default());
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let (queue, lister, served) = (queue.clone(), lister.clone(), served.clone());
                tokio::spawn(async move {
                    while let Some(item) = queue.get().await {
                        let found = lister.get(item.key()).map(|m| m.resource_version().to_owned());
                        let mut served = served.lock().unwrap();
                        match found {
                            Some(version) => served.insert(item.key().clone(), version),
                            None => served.remove(item.key()),
                        };
                    }
                })
            })
            .collect();

        maps.start();
        let writers: Vec<_> =
            (0..WRITERS).map(|own| tokio::spawn(write(api.clone(), own))).collect();
        // Meanwhile the connection breaks now and then, when something new has arrived.
        let breaks = {
            let (tap, lister) = (tap.clone(), lister.clone());
            tokio::spawn(async move {
                for (i, after) in [1, 50, 150, 300].into_iter().enumerate() {
                    while lister.len() < after || tap.watches() <= i {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    if i % 2 == 0 { tap.cut_watches() } else { tap.break_watches() }
                }
            })
        };
        for writer in writers {
            let done = within("the writers", writer).await?;
            done.map_err(|e| Error::other(e.to_string()))??;
        }
        within("the breaks", breaks).await?.map_err(|e| Error::other(e.to_string()))?;

        let list = api.list_all(&ours()).await?;
        let expect: BTreeMap<ObjectKey, String> =
            list.iter().map(|m| (m.key(), m.resource_version().to_owned())).collect();
        assert_eq!(expect.len(), OBJECTS - OBJECTS.div_ceil(3) + OBJECTS.div_ceil(6));
        let is = |state: &State| *state.lock().unwrap() == expect;
        eventually("the cache equals the server's list", async || {
            let cached = lister.list();
            let cached: BTreeMap<_, _> =
                cached.iter().map(|m| (m.key(), m.resource_version().to_owned())).collect();
            Ok(cached == expect)
        })
        .await?;
        eventually("the handler's copy equals it", async || Ok(is(&copy))).await?;
        eventually("the controller has reconciled it", async || Ok(is(&reconciled))).await?;
        eventually("the queue's workers have seen it", async || Ok(is(&served))).await?;
        assert!(!overlapped.load(Ordering::Relaxed), "a key was with two workers at once");
        for map in &list {
            let cached = lister.get(&map.key()).expect("in the cache");
            assert_eq!(*cached, *map, "equal in every field");
        }
        assert!(tap.watches() >= 4, "the connection did not break");

        controller.stop().await??;
        within("the queue drains", queue.shut_down_with_drain()).await?;
        for worker in workers {
            within("the workers end", worker).await?.map_err(|e| Error::other(e.to_string()))?;
        }
        drop((handler, feeding));
        informers.shutdown().await;
        Ok(())
    })
    .await
}
