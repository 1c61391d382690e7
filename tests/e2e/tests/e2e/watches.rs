//! Watches: resume, expiry, watch-list, selections; alone and below an informer.
use crate::crds::{Widget, install, widget};
use crate::followed::{Followed, held, labelled, ours, touch};
use crate::harness::{Done, Test, config_map, eventually, run, within};
use pintle::api::core_v1::ConfigMap;
use pintle::{Api, Error, ListOptions, Object, Resource, WatchEvent};
use tokio::sync::oneshot::error::TryRecvError;

/// The watch breaks, things happen, the watch goes on where it was: nothing is missed, nothing is
/// listed, nothing is told twice.
async fn resumes<T: Resource>(t: &Test, api: &Api<T>, new: impl Fn(&str) -> T) -> Done {
    let _history = t.keep_history().await;
    for name in ["a", "b", "c"] {
        api.create(&labelled(new(name))).await?;
    }
    let followed = Followed::<T>::start(t, api.namespace()).await?;
    assert_eq!(followed.told(), ["add a", "add b", "add c"]);
    api.modify("a", touch).await?;
    followed.holds(&held(api).await?).await?;
    let reached = followed.informer.resource_version();
    assert_eq!(reached, api.get("a").await?.metadata().resource_version);

    followed.tap.take();
    followed.tap.hold("watch=true");
    followed.tap.cut_watches();
    within("the informer watches again", followed.tap.holds_one()).await?;
    api.modify("b", touch).await?;
    api.delete("c").await?;
    api.create(&labelled(new("d"))).await?;
    let expect = held(api).await?;
    followed.tap.release();
    followed.holds(&expect).await?;
    eventually("the handler was told", async || Ok(followed.told.lock().unwrap().len() >= 4))
        .await?;
    assert_eq!(followed.told(), ["update a", "update b", "delete c", "add d"]);
    let seen = followed.tap.take();
    assert_eq!(seen.len(), 1, "one watch and nothing else: {seen:?}");
    assert!(seen[0].is_watch() && seen[0].parameter("sendInitialEvents").is_empty(), "{seen:?}");
    let from: u64 = seen[0].parameter("resourceVersion").parse().expect("a version");
    assert!(from >= reached.parse().expect("a version"), "{from} is not after {reached}");
    followed.informer.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn a_watch_goes_on_where_it_broke_off() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        resumes(t, &t.client().namespaced::<ConfigMap>(&ns), |name| config_map(name, "v")).await
    })
    .await
}

#[tokio::test]
async fn a_watch_of_a_custom_kind_goes_on_where_it_broke_off() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        resumes(t, &t.client().namespaced::<Widget>(&ns), |name| widget(name, 1)).await
    })
    .await
}

/// The watch breaks, things happen, and the server forgets them: 410, and a new list tells all.
async fn relists<T: Resource>(t: &Test, api: &Api<T>, new: impl Fn(&str) -> T) -> Done {
    for name in ["a", "b", "c", "d"] {
        api.create(&labelled(new(name))).await?;
    }
    let followed = Followed::<T>::start(t, api.namespace()).await?;
    let reached = followed.informer.resource_version();
    assert_eq!(followed.told(), ["add a", "add b", "add c", "add d"]);
    followed.tap.hold("watch=true");
    followed.tap.cut_watches();
    within("the informer watches again", followed.tap.holds_one()).await?;
    followed.tap.take();

    api.modify("a", touch).await?;
    api.delete("b").await?;
    api.delete("c").await?;
    api.create(&labelled(new("c"))).await?;
    api.delete("d").await?;
    api.create(&labelled(new("e"))).await?;
    let expect = held(api).await?;
    if !t.compact().await? {
        return Ok(());
    }
    // From here on the cache is looked at all the time: it is never empty.
    let lister = followed.informer.lister();
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let least = tokio::spawn(async move {
        let mut least = usize::MAX;
        while matches!(stopped.try_recv(), Err(TryRecvError::Empty)) {
            least = least.min(lister.len());
            tokio::task::yield_now().await;
        }
        least
    });
    followed.tap.release();
    followed.holds(&expect).await?;
    drop(stop);
    let least = least.await.map_err(|e| Error::other(e.to_string()))?;
    assert!(least >= 3, "the cache had only {least} objects");

    eventually("the handler was told", async || Ok(followed.told.lock().unwrap().len() >= 5))
        .await?;
    let mut told = followed.told();
    told.sort();
    // "c" has become another object; the deletes of "b" and "d" were never seen.
    assert_eq!(told, ["add e", "missed b", "missed d", "update a", "update c"]);
    let seen = followed.tap.take();
    let old = seen.iter().find(|s| s.is_watch()).expect("a watch");
    assert!(old.parameter("sendInitialEvents").is_empty(), "{old:?}");
    let from: u64 = old.parameter("resourceVersion").parse().expect("a version");
    assert!(from >= reached.parse().expect("a version"), "{old:?}");
    assert!(seen.len() >= 2, "a watch that had expired, and the list: {seen:?}");

    // And it follows again.
    api.modify("e", touch).await?;
    followed.holds(&held(api).await?).await?;
    followed.informer.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn after_410_a_new_list_tells_what_was_missed() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        relists(t, &t.client().namespaced::<ConfigMap>(&ns), |name| config_map(name, "v")).await
    })
    .await
}

#[tokio::test]
async fn after_410_a_new_list_of_a_custom_kind_tells_what_was_missed() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        relists(t, &t.client().namespaced::<Widget>(&ns), |name| widget(name, 1)).await
    })
    .await
}

#[tokio::test]
async fn a_version_that_is_compacted_is_an_event() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<ConfigMap>(&ns);
        api.create(&config_map("a", "v")).await?;
        let old = api.list(&ListOptions::new()).await?.metadata.resource_version;
        api.create(&config_map("b", "v")).await?;
        if !t.compact().await? {
            return Ok(());
        }
        let mut watch = api.watch(&ListOptions::new().resource_version(old.clone())).await?;
        let event = within("an event", watch.next()).await?.expect("an event")?;
        let WatchEvent::Error(status) = event else { panic!("{event:?}") };
        assert_eq!((status.code, &*status.reason), (410, "Expired"));
        if t.is_embedded() {
            // As a server with a watch cache says it.
            let start = format!("too old resource version: {old} (");
            assert!(status.message.starts_with(&start), "{}", status.message);
        } else {
            let text = "The resourceVersion for the provided watch is too old.";
            assert_eq!(status.message, text);
        }
        assert!(within("the end", watch.next()).await?.is_none());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_informer_lists_nothing_where_there_is_watch_list() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<ConfigMap>(&ns);
        for name in ["a", "b"] {
            api.create(&labelled(config_map(name, "v"))).await?;
        }
        let followed = Followed::<ConfigMap>::start(t, &ns).await?;
        followed.holds(&held(&api).await?).await?;
        let seen = followed.tap.take();
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(seen[0].is_watch());
        assert_eq!(seen[0].parameter("sendInitialEvents"), "true");
        assert_eq!(seen[0].parameter("resourceVersionMatch"), "NotOlderThan");
        assert_eq!(seen[0].parameter("allowWatchBookmarks"), "true");
        // The same stream goes on.
        api.create(&labelled(config_map("c", "v"))).await?;
        followed.holds(&held(&api).await?).await?;
        assert!(followed.tap.take().is_empty());
        followed.informer.shutdown().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn watch_list_by_hand() -> Done {
    run(async |t| {
        let _history = t.keep_history().await;
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<ConfigMap>(&ns);
        for name in ["b", "a"] {
            api.create(&labelled(config_map(name, "v"))).await?;
        }
        let last = api.get("a").await?.metadata.resource_version;
        let mut watch = api.watch(&ours().send_initial_events()).await?;
        let mut first = Vec::new();
        let bookmark = loop {
            let event = within("an event", watch.next()).await?.expect("an event")?;
            match event {
                WatchEvent::Added(map) => first.push(map.name().to_owned()),
                WatchEvent::Bookmark(bookmark) if bookmark.initial_events_end => break bookmark,
                other => panic!("{other:?}"),
            }
        };
        first.sort();
        assert_eq!(first, ["a", "b"]);
        let number = |version: &str| version.parse::<u64>().expect("a number");
        assert!(number(&bookmark.resource_version) >= number(&last));
        // The bookmark is a place to go on from.
        api.modify("a", touch).await?;
        let from = ours().resource_version(bookmark.resource_version);
        for watch in [&mut watch, &mut api.watch(&from).await?] {
            let event = loop {
                let event = within("an event", watch.next()).await?.expect("an event")?;
                if !matches!(event, WatchEvent::Bookmark(_)) {
                    break event;
                }
            };
            assert_eq!(
                (event.type_name(), event.object().map(|m| m.name())),
                ("MODIFIED", Some("a"))
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn objects_enter_and_leave_a_selection() -> Done {
    run(async |t| {
        let _history = t.keep_history().await;
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<ConfigMap>(&ns);
        let tier = |tier: &'static str| {
            move |map: &mut ConfigMap| drop(map.metadata.labels.insert("tier".into(), tier.into()))
        };
        api.create(&config_map("a", "v")).await?;
        let now = api.list(&ListOptions::new()).await?.metadata.resource_version;
        let options = ListOptions::labels("tier=in").resource_version(now);
        let mut watch = api.watch(&options).await?;
        api.modify("a", tier("out")).await?;
        api.modify("a", tier("in")).await?;
        api.modify("a", touch).await?;
        let left = api.modify("a", tier("out")).await?;
        api.modify("a", tier("in")).await?;
        api.delete("a").await?;
        for (i, expect) in ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"].iter().enumerate() {
            let event = within("an event", watch.next()).await?.expect("an event")?;
            assert_eq!(event.type_name(), *expect);
            let map = event.object().expect("an object");
            let tier = map.metadata.labels.get("tier").map(|s| &**s);
            assert_eq!(tier, Some("in"), "its last state in the selection");
            if i == 2 {
                assert_eq!(map.resource_version(), left.resource_version(), "the change's version");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_watch_ends_at_its_time() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<ConfigMap>(&ns);
        api.create(&labelled(config_map("a", "v"))).await?;
        let mut watch = api.watch(&ours().timeout_seconds(1)).await?;
        let event = within("an event", watch.next()).await?.expect("an event")?;
        assert!(matches!(event, WatchEvent::Added(_)), "{event:?}");
        assert!(within("the end", watch.next()).await?.is_none());
        Ok(())
    })
    .await
}
