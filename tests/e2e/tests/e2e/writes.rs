//! Writes that meet: conflicts, retries, preconditions, finalizers, dry runs, generated names.
use crate::crds::{Widget, install, widget};
use crate::harness::{Done, config_map, deployment, names, refusal, run};
use pintle::api::apps_v1::Deployment;
use pintle::api::coordination_v1::Lease;
use pintle::api::core_v1::ConfigMap;
use pintle::client::Request;
use pintle::{
    Client, CreateOptions, DeleteOptions, Deletion, Error, ListOptions, Object, ObjectMeta, Patch,
    PatchOptions, Preconditions, Str, UpdateOptions, retry_on_conflict,
};
use serde_json::json;

const MODIFIED: &str = "the object has been modified; please apply your changes to the latest \
                        version and try again";

#[tokio::test]
async fn the_second_of_two_writers_meets_a_conflict() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        maps.create(&config_map("a", "0")).await?;
        let (mut one, mut two) = (maps.get("a").await?, maps.get("a").await?);
        one.data.insert("one".into(), "1".into());
        two.data.insert("two".into(), "2".into());
        maps.update(&one).await?;
        let conflict = refusal(maps.update(&two).await);
        conflict.is(
            409,
            "Conflict",
            &format!("Operation cannot be fulfilled on configmaps \"a\": {MODIFIED}"),
        );
        assert!(conflict.error.is_conflict() && !conflict.error.is_already_exists());
        // Read again, change, write.
        let merged = retry_on_conflict(|| async {
            let mut map = maps.get("a").await?;
            map.data.insert("two".into(), "2".into());
            maps.update(&map).await
        })
        .await?;
        assert_eq!(merged.data.len(), 3);
        Ok(())
    })
    .await
}

/// Does it again for as long as others are faster: `modify` itself gives up after a few times.
async fn insist<R, F>(mut work: impl FnMut() -> F) -> Result<R, Error>
where
    F: Future<Output = Result<R, Error>>,
{
    loop {
        match work().await {
            Err(e) if e.is_conflict() => {}
            other => return other,
        }
    }
}

/// Adds to two counters, the one in a spec and the one in a status.
async fn count(client: Client, ns: String, times: i32) -> Result<(), Error> {
    let maps = client.namespaced::<ConfigMap>(&ns);
    let widgets = client.namespaced::<Widget>(&ns);
    for _ in 0..times {
        let add = |map: &mut ConfigMap| {
            let n: i32 = map.data.get("k").and_then(|s| s.parse().ok()).unwrap_or(-1);
            map.data.insert("k".into(), (n + 1).to_string().into());
        };
        insist(|| maps.modify("a", add)).await?;
        insist(|| widgets.update_status("w", |w| w.status.count += 1)).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_update_is_lost_among_many_writers() -> Done {
    const WRITERS: i32 = 8;
    const TIMES: i32 = 5;
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        t.client().namespaced::<ConfigMap>(&ns).create(&config_map("a", "0")).await?;
        t.client().namespaced::<Widget>(&ns).create(&widget("w", 0)).await?;
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| tokio::spawn(count(t.client().clone(), ns.clone(), TIMES)))
            .collect();
        for writer in writers {
            writer.await.map_err(|e| Error::other(e.to_string()))??;
        }
        let map = t.client().namespaced::<ConfigMap>(&ns).get("a").await?;
        assert_eq!(map.data.get("k").map(|s| &**s), Some(&*(WRITERS * TIMES).to_string()));
        let w = t.client().namespaced::<Widget>(&ns).get("w").await?;
        assert_eq!((w.status.count, w.spec.size, w.metadata.generation), (WRITERS * TIMES, 0, 1));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        let made = maps.create(&config_map("a", "v")).await?;
        assert_eq!(maps.update(&made).await?, made);
        assert_eq!(maps.get("a").await?, made);
        // Without a version the update is unconditional for most built-in kinds,
        let mut blind = config_map("a", "w");
        assert_ne!(maps.update(&blind).await?.resource_version(), made.resource_version());
        // but not for those that are locks.
        let leases = t.client().namespaced::<Lease>(&ns);
        let lease = Lease { metadata: blind.metadata.clone(), ..Default::default() };
        leases.create(&lease).await?;
        refusal(leases.update(&lease).await).is(
            422,
            "Invalid",
            "leases.coordination.k8s.io \"a\" is invalid: metadata.resourceVersion: Invalid \
             value: 0: must be specified for an update",
        );
        // An object of another life is not this one.
        blind.metadata.uid = "another-life".into();
        let record = &made.metadata.uid;
        refusal(maps.update(&blind).await).is(
            409,
            "Conflict",
            &format!(
                "Operation cannot be fulfilled on configmaps \"a\": StorageError: invalid object, \
                 Code: 4, Key: /registry/configmaps/{ns}/a, ResourceVersion: 0, \
                 AdditionalErrorMsg: Precondition failed: UID in precondition: another-life, UID \
                 in object meta: {record}"
            ),
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn generations_count_changes_of_the_spec() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        let widgets = t.client().namespaced::<Widget>(&ns);
        let made = widgets.create(&widget("w", 1)).await?;
        assert_eq!(made.metadata.generation, 1);
        let labelled = widgets
            .modify("w", |w| {
                w.metadata.labels.insert("a".into(), "b".into());
                w.status.count = 7;
            })
            .await?;
        assert_eq!((labelled.metadata.generation, labelled.status.count), (1, 0));
        let grown = widgets.modify("w", |w| w.spec.size = 2).await?;
        assert_eq!(grown.metadata.generation, 2);
        let counted = widgets
            .update_status("w", |w| {
                w.status.count = 7;
                w.spec.size = 9;
            })
            .await?;
        let found = (counted.metadata.generation, counted.status.count, counted.spec.size);
        assert_eq!(found, (2, 7, 2), "the status alone");
        let mut whole = counted.clone();
        whole.status.count = 8;
        assert_eq!(widgets.replace_status(&whole).await?.status.count, 8);
        refusal(widgets.replace_status(&whole).await).is(
            409,
            "Conflict",
            &format!(
                "Operation cannot be fulfilled on widgets.e2e.pintle.example \"w\": {MODIFIED}"
            ),
        );
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        assert_eq!(maps.create(&config_map("a", "v")).await?.metadata.generation, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_dry_run_answers_and_keeps_nothing() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        let new = config_map("a", "v");
        let dry = maps.create(&new).options(CreateOptions::default().dry_run()).await?;
        assert!(!dry.metadata.uid.is_empty() && dry.metadata.resource_version.is_empty());
        refusal(maps.get("a").await).code_is(404);
        let made = maps.create(&new).await?;
        let options = CreateOptions::default().dry_run();
        refusal(maps.create(&config_map("a", "v")).options(options).await).is(
            409,
            "AlreadyExists",
            "configmaps \"a\" already exists",
        );
        let mut changed = made.clone();
        changed.data.insert("k".into(), "w".into());
        let dry = maps.update(&changed).options(UpdateOptions::default().dry_run()).await?;
        assert_eq!(dry.data, changed.data);
        let patch = Patch::merge(json!({"data": {"k": "x"}}));
        let dry = maps.patch("a", &patch).options(PatchOptions::default().dry_run()).await?;
        assert_eq!(dry.data.get("k").map(|s| &**s), Some("x"));
        maps.delete("a").options(DeleteOptions::default().dry_run()).await?;
        let all = ListOptions::new();
        maps.delete_collection(&all).options(DeleteOptions::default().dry_run()).await?;
        assert_eq!(maps.get("a").await?, made);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_server_makes_names_up() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        let mut new = config_map("", "v");
        new.metadata.generate_name = "web-".into();
        let (one, two) = (maps.create(&new).await?, maps.create(&new).await?);
        for made in [&one, &two] {
            let own = made.name().strip_prefix("web-").expect("the base");
            assert_eq!(own.len(), 5, "{}", made.name());
            assert_eq!(made.metadata.generate_name, "web-");
        }
        assert_ne!(one.name(), two.name());
        // A long base is cut so that the name fits into a label.
        new.metadata.generate_name = "x".repeat(80).into();
        let long = maps.create(&new).await?;
        assert_eq!(long.name().len(), 63);
        assert!(long.name().starts_with(&"x".repeat(58)));
        new.metadata.generate_name = Str::default();
        refusal(maps.create(&new).await).is(
            422,
            "Invalid",
            "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required",
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn deletes_with_preconditions() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        let made = maps.create(&config_map("a", "v")).await?;
        let only_if = |p: Preconditions| DeleteOptions::default().preconditions(p);
        let (uid, version) = (made.uid(), made.resource_version());
        let refused = "Operation cannot be fulfilled on ConfigMap \"a\":";
        refusal(maps.delete("a").options(only_if(Preconditions::uid("x"))).await).is(
            409,
            "Conflict",
            &format!(
                "{refused} the UID in the precondition (x) does not match the UID in record \
                 ({uid}). The object might have been deleted and then recreated"
            ),
        );
        refusal(maps.delete("a").options(only_if(Preconditions::resource_version("1"))).await).is(
            409,
            "Conflict",
            &format!(
                "{refused} the ResourceVersion in the precondition (1) does not match the \
                 ResourceVersion in record ({version}). The object might have been modified"
            ),
        );
        let right =
            Preconditions { resource_version: Some(version.into()), ..Preconditions::uid(uid) };
        maps.delete("a").options(only_if(right)).await?;
        refusal(maps.get("a").await).code_is(404);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn finalizers_hold_an_object_until_they_are_removed() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        let hold = || -> pintle::List<Str> { ["e2e.pintle.example/hold"].map(Into::into).into() };

        let maps = t.client().namespaced::<ConfigMap>(&ns);
        let mut new = config_map("a", "v");
        new.metadata.finalizers = hold();
        maps.create(&new).await?;
        let Deletion::Object(deleting) = maps.delete("a").await? else { panic!("deleted at once") };
        assert!(deleting.is_deleting());
        assert_eq!(deleting.metadata.deletion_grace_period_seconds, Some(0));
        let Deletion::Object(again) = maps.delete("a").await? else { panic!("deleted") };
        assert_eq!(again, deleting, "a second delete changes nothing");
        let more = maps
            .modify("a", |map| map.metadata.finalizers.push("e2e.pintle.example/more".into()))
            .await;
        refusal(more).is(
            422,
            "Invalid",
            "ConfigMap \"a\" is invalid: metadata.finalizers: Forbidden: no new finalizers can be \
             added if the object is being deleted, found new finalizers \
             []string{\"e2e.pintle.example/more\"}",
        );
        // Other changes are welcome while it waits.
        maps.modify("a", |map| drop(map.data.insert("k".into(), "w".into()))).await?;
        let last = maps.modify("a", |map| map.metadata.finalizers = Default::default()).await?;
        assert_eq!(last.data.get("k").map(|s| &**s), Some("w"));
        refusal(maps.get("a").await).is(404, "NotFound", "configmaps \"a\" not found");

        let widgets = t.client().namespaced::<Widget>(&ns);
        let mut new = widget("w", 1);
        new.metadata.finalizers = hold();
        widgets.create(&new).await?;
        widgets.delete("w").await?;
        let deleting = widgets.get("w").await?;
        assert!(deleting.is_deleting());
        assert_eq!(deleting.metadata.generation, 2, "marking counts");
        let free = Patch::merge(json!({"metadata": {"finalizers": null}}));
        widgets.patch("w", &free).await?;
        refusal(widgets.get("w").await).code_is(404);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn dependents_follow_or_stay() -> Done {
    run(async |t| {
        if !t.has_controllers() {
            t.leave_out("garbage collection: no controllers run");
            return Ok(());
        }
        let ns = t.namespace().await?;
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        let owned_by = |name: &str, owner: &ConfigMap| ConfigMap {
            metadata: ObjectMeta {
                name: name.into(),
                owner_references: [pintle::controller_reference(owner)].into(),
                ..Default::default()
            },
            ..Default::default()
        };
        let mut owners = Vec::new();
        for name in ["background", "foreground", "orphaning"] {
            let owner = maps.create(&config_map(name, "v")).await?;
            maps.create(&owned_by(&format!("of-{name}"), &owner)).await?;
            owners.push(owner);
        }
        maps.delete("background").options(DeleteOptions::background()).await?;
        maps.delete("foreground").options(DeleteOptions::foreground()).await?;
        maps.delete("orphaning").options(DeleteOptions::orphan()).await?;
        crate::harness::eventually("all but the orphan are gone", async || {
            let left = maps.list(&ListOptions::new()).await?;
            Ok(names(&left).into_iter().filter(|n| *n != "kube-root-ca.crt").eq(["of-orphaning"]))
        })
        .await?;
        assert!(maps.get("of-orphaning").await?.metadata.owner_references.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn where_an_object_does_not_belong() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        maps.create(&config_map("a", "v")).await?;
        let nowhere = t.client().namespaced::<ConfigMap>("e2e-no-such-namespace");
        refusal(nowhere.create(&config_map("a", "v")).await).is(
            404,
            "NotFound",
            "namespaces \"e2e-no-such-namespace\" not found",
        );
        assert_eq!(nowhere.list(&ListOptions::new()).await?.items, []);
        let put = |body: serde_json::Value| {
            let path = format!("/api/v1/namespaces/{ns}/configmaps/a");
            let request = Request::put(path).body("application/json", body.to_string());
            t.client().request(request)
        };
        refusal(put(json!({"metadata": {"name": "b"}})).await).is(
            400,
            "BadRequest",
            "the name of the object (b) does not match the name on the URL (a)",
        );
        refusal(put(json!({"metadata": {"name": "a", "namespace": "x"}})).await).is(
            400,
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request",
        );
        // Names are checked as the kind wants them.
        refusal(maps.create(&config_map("A_b", "v")).await).is(
            422,
            "Invalid",
            "ConfigMap \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\": a lowercase RFC \
             1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
             must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
             validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        );
        // And some kinds are not there.
        let none = t.client().request(Request::get("/apis/none.pintle.example/v1/nones")).await;
        refusal(none).code_is(404);
        let none = t.client().request(Request::get("/api/v1/nones")).await;
        refusal(none).is(404, "NotFound", "the server could not find the requested resource");
        let deployments = t.client().namespaced::<Deployment>(&ns);
        deployments.create(&deployment("d")).await?;
        Ok(())
    })
    .await
}
