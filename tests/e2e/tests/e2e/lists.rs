//! Lists: pages, selectors, versions, and a long one through an informer.
use crate::harness::{Done, config_map, names, pod, refusal, run, within};
use futures_util::TryStreamExt;
use pintle::api::core_v1::{ConfigMap, Event, Pod, Secret};
use pintle::{
    Error, InformerFactory, InformerScope, ListOptions, Object, ObjectKey, ObjectMeta,
    ResourceVersionMatch, Str,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// ConfigMaps with the label `run`, so that what servers put into namespaces does not count.
async fn fill(api: &pintle::Api<ConfigMap>, names: &[&str]) -> Result<(), Error> {
    for name in names {
        let mut map = config_map(name, "v");
        map.metadata.labels.insert("run".into(), "lists".into());
        api.create(&map).await?;
    }
    Ok(())
}

fn ours() -> ListOptions {
    ListOptions::labels("run=lists")
}

#[tokio::test]
async fn pages_show_one_moment() -> Done {
    run(async |t| {
        let _history = t.keep_history().await;
        let ns = t.namespace().await?;
        // A kind that nobody else puts into namespaces: without selector the rest is counted.
        let api = t.client().namespaced::<Secret>(&ns);
        for name in ["a", "b", "c", "d", "e"] {
            let metadata = ObjectMeta { name: name.into(), ..Default::default() };
            api.create(&Secret { metadata, ..Default::default() }).await?;
        }
        let first = api.list(&ListOptions::new().limit(2)).await?;
        assert_eq!(names(&first), ["a", "b"]);
        assert_eq!(first.metadata.remaining_item_count, Some(3));
        // What happens meanwhile is not seen.
        api.delete("d").await?;
        let metadata = ObjectMeta { name: "bb".into(), ..Default::default() };
        api.create(&Secret { metadata, ..Default::default() }).await?;
        let next = |page: &pintle::ObjectList<Secret>| {
            ListOptions::new().limit(2).continue_token(page.continue_token())
        };
        let second = api.list(&next(&first)).await?;
        assert_eq!(names(&second), ["c", "d"]);
        assert_eq!(second.metadata.remaining_item_count, Some(1));
        let third = api.list(&next(&second)).await?;
        assert_eq!((names(&third), third.continue_token()), (vec!["e"], ""));
        assert_eq!(third.metadata.remaining_item_count, None);
        assert_eq!(first.resource_version(), third.resource_version());

        let pages: Vec<_> = api.pages(&ListOptions::new().limit(4)).try_collect().await?;
        assert_eq!(
            pages.iter().map(names).collect::<Vec<_>>(),
            [vec!["a", "b", "bb", "c"], vec!["e"]]
        );
        let bad = api.list(&ListOptions::new().limit(1).continue_token("nonsense")).await;
        let bad = refusal(bad);
        assert_eq!((bad.code, &*bad.reason), (400, "BadRequest"));
        assert!(bad.message.starts_with("invalid continue token: "), "{}", bad.message);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pages_expire_with_a_compaction() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<ConfigMap>(&ns);
        fill(&api, &["a", "b", "c"]).await?;
        let first = api.list(&ours().limit(1)).await?;
        let at = ours().resource_version(first.resource_version());
        api.delete("b").await?;
        if !t.compact().await? {
            return Ok(());
        }
        let next = ours().limit(1).continue_token(first.continue_token());
        let expired = refusal(api.list(&next).await);
        expired.is(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You \
             can start a new list without the continue parameter, or use the continue token in \
             this response to retrieve the remainder of the results. Continuing with the provided \
             token results in an inconsistent list - objects that were created, modified, or \
             deleted between the time the first chunk was returned and now may show up in the list.",
        );
        assert!(expired.error.is_expired());
        // The answer has a token that goes on from there, with what is there now.
        let token = expired.error.status().map(|s| s.metadata.continue_.clone()).unwrap_or_default();
        let rest = api.list(&ours().limit(5).continue_token(token)).await?;
        assert_eq!(names(&rest), ["c"]);
        refusal(api.list(&at.resource_version_match(ResourceVersionMatch::Exact)).await).is(
            410,
            "Expired",
            "The resourceVersion for the provided list is too old.",
        );
        // Lists that are not older than that are fine.
        let newer = ours()
            .resource_version(first.resource_version())
            .resource_version_match(ResourceVersionMatch::NotOlderThan);
        assert_eq!(names(&api.list(&newer).await?), ["a", "c"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn list_all_gets_over_pages_that_expire() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let (client, tap) = t.tapped()?;
        let api = client.namespaced::<ConfigMap>(&ns);
        fill(&api, &["a", "b", "c", "d"]).await?;
        // The second page waits until its version is gone.
        tap.take();
        tap.hold("continue=");
        let listing = {
            let api = api.clone();
            tokio::spawn(async move { api.list_all(&ours().limit(2)).await })
        };
        within("the second page is asked for", tap.holds_one()).await?;
        t.client().namespaced::<ConfigMap>(&ns).delete("b").await?;
        let compacted = t.compact().await?;
        tap.release();
        let all = within("the list", listing).await?;
        let all = all.map_err(|e| Error::other(e.to_string()))??;
        if compacted {
            assert_eq!(names(&all), ["a", "c", "d"]);
            let codes: Vec<_> = tap.take().iter().map(|s| s.code).collect();
            assert_eq!(codes, [200, 410, 200], "listed anew, and whole");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn labels_and_fields_select() -> Done {
    run(async |t| {
        let ns = t.namespace_for_pods().await?;
        let pods = t.client().namespaced::<Pod>(&ns);
        for (name, tier) in [("a", "front"), ("b", "back"), ("c", "")] {
            let mut new = pod(name);
            // Nobody schedules it.
            new.spec.scheduler_name = format!("{name}-scheduler").into();
            if !tier.is_empty() {
                new.metadata.labels.insert("tier".into(), tier.into());
            }
            pods.create(&new).await?;
        }
        for (labels, expect) in [
            ("tier=front", "a"),
            ("tier!=front", "b c"),
            ("tier in (front, back)", "a b"),
            ("tier notin (front)", "b c"),
            ("tier", "a b"),
            ("!tier", "c"),
            ("tier,tier!=back", "a"),
        ] {
            let list = pods.list(&ListOptions::labels(labels)).await?;
            assert_eq!(names(&list).join(" "), expect, "{labels}");
        }
        for (fields, expect) in [
            ("metadata.name=b", "b"),
            ("metadata.name!=b", "a c"),
            ("spec.schedulerName=c-scheduler", "c"),
            ("status.phase=Pending", "a b c"),
            ("status.phase=Running", ""),
            ("spec.nodeName=", "a b c"),
            ("spec.nodeName=,metadata.name=a", "a"),
        ] {
            let list = pods.list(&ListOptions::new().fields(fields)).await?;
            assert_eq!(names(&list).join(" "), expect, "{fields}");
        }
        refusal(pods.list(&ListOptions::new().fields("spec.none=1")).await).is(
            400,
            "BadRequest",
            "field label not supported: spec.none",
        );
        refusal(pods.list(&ListOptions::labels("a,,")).await).is(
            400,
            "BadRequest",
            "found ',', expected: identifier after ','",
        );
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        refusal(maps.list(&ListOptions::new().fields("data.k=v")).await).is(
            400,
            "BadRequest",
            "\"data.k\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        );
        let events = t.client().namespaced::<Event>(&ns);
        assert_eq!(events.list(&ListOptions::new().fields("involvedObject.name=none")).await?.items, []);
        pods.delete_collection(&ListOptions::new()).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn versions_that_lists_may_ask_for() -> Done {
    run(async |t| {
        let _history = t.keep_history().await;
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<ConfigMap>(&ns);
        fill(&api, &["a"]).await?;
        let then = api.list(&ours()).await?.metadata.resource_version;
        fill(&api, &["b"]).await?;
        let at = ours().resource_version(then);
        let exact = at.clone().resource_version_match(ResourceVersionMatch::Exact);
        assert_eq!(names(&api.list(&exact).await?), ["a"]);
        let newer = at.resource_version_match(ResourceVersionMatch::NotOlderThan);
        assert_eq!(names(&api.list(&newer).await?), ["a", "b"]);
        let any = ours().resource_version("0");
        assert!(!api.list(&any).await?.items.is_empty());

        let refused = "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden:";
        let nowhere = ours().resource_version_match(ResourceVersionMatch::Exact);
        refusal(api.list(&nowhere).await).is(
            422,
            "Invalid",
            &format!(
                "{refused} resourceVersionMatch is forbidden unless resourceVersion is provided"
            ),
        );
        let zero = nowhere.resource_version("0");
        refusal(api.list(&zero).await).is(
            422,
            "Invalid",
            &format!(
                "{refused} resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""
            ),
        );
        let future = ours()
            .resource_version("99999999999")
            .resource_version_match(ResourceVersionMatch::NotOlderThan);
        let future = refusal(api.list(&future).await);
        assert_eq!((future.code, &*future.reason), (504, "Timeout"));
        let start = "Timeout: Too large resource version: 99999999999, current: ";
        assert!(future.message.starts_with(start), "{}", future.message);
        assert!(future.error.is_too_large_resource_version());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_objects_are_cached_and_found_by_index() -> Done {
    const OBJECTS: usize = 2_000;
    run(async |t| {
        let ns = t.namespace().await?;
        let next = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..16)
            .map(|_| {
                let (api, next) = (t.client().namespaced::<ConfigMap>(&ns), next.clone());
                tokio::spawn(async move {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= OBJECTS {
                            return Ok::<_, Error>(());
                        }
                        let mut map = config_map(&format!("map-{i:04}"), &format!("v{}", i % 50));
                        map.metadata.labels.insert("run".into(), "lists".into());
                        api.create(&map).await?;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.map_err(|e| Error::other(e.to_string()))??;
        }
        let (client, tap) = t.tapped()?;
        let informers = InformerFactory::new(client);
        let scope = InformerScope::namespace(ns.as_str()).labels("run=lists");
        for watch_list in [true, false] {
            let options = pintle::InformerOptions::new().watch_list(watch_list);
            let scope =
                if watch_list { scope.clone() } else { scope.clone().fields("metadata.name!=x") };
            let maps = informers.informer::<ConfigMap>(scope, options);
            let by_value = maps.index("value", |map| map.data.get("k").cloned())?;
            maps.start();
            within("the informer has synced", maps.synced()).await??;
            assert_eq!(maps.lister().len(), OBJECTS);
            assert_eq!(by_value.values().len(), 50);
            let mut found = by_value.keys("v7");
            found.sort();
            let expect: Vec<_> = (0..OBJECTS)
                .filter(|i| i % 50 == 7)
                .map(|i| ObjectKey::new(ns.as_str(), format!("map-{i:04}")))
                .collect();
            assert_eq!(found, expect);
            let one = maps.lister().namespace(Str::from(ns.as_str())).get("map-1999");
            assert_eq!(one.map(|map| map.name().to_owned()).as_deref(), Some("map-1999"));
            let lists = tap.take().iter().filter(|s| !s.is_watch()).count();
            // From version 0 servers with a watch cache answer without pages.
            let expect = if watch_list { 0..=0 } else { 1..=OBJECTS / 500 };
            assert!(expect.contains(&lists), "{lists} lists");
        }
        informers.shutdown().await;
        Ok(())
    })
    .await
}
