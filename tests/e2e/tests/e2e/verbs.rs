//! Every verb, on built-in and custom kinds, in protobuf and JSON.
use crate::crds::{Widget, install, widget};
use crate::harness::{Done, Tap, Test, config_map, names, refusal, run, within};
use pintle::api::coordination_v1::{Lease, LeaseSpec};
use pintle::api::core_v1::ConfigMap;
use pintle::api::rbac_v1::{ClusterRole, PolicyRule};
use pintle::client::Watch;
use pintle::{
    Api, ApiResource, Codec, Deletion, Error, ListOptions, Object, ObjectMeta, Patch, PatchOptions,
    Unstructured, WatchEvent,
};
use serde_json::json;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const JSON: &str = "application/json";

#[tokio::test]
async fn a_built_in_kind_in_protobuf() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let (client, tap) = t.tapped()?;
        let api = client.namespaced::<ConfigMap>(&ns);
        every_verb(t, &api, |name| config_map(name, "v"), true).await?;
        check_formats(&tap, "configmaps", PROTOBUF);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_built_in_kind_in_json_where_the_server_refuses_protobuf() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let (client, tap) = t.tapped()?;
        tap.refuse_protobuf();
        let api = client.namespaced::<ConfigMap>(&ns);
        every_verb(t, &api, |name| config_map(name, "v"), true).await?;
        check_formats(&tap, "configmaps", JSON);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_built_in_kind_of_a_group_in_protobuf() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let (client, tap) = t.tapped()?;
        let api = client.namespaced::<Lease>(&ns);
        let new = |name: &str| Lease {
            metadata: ObjectMeta { name: name.into(), ..Default::default() },
            spec: LeaseSpec { holder_identity: Some("me".into()), ..Default::default() },
        };
        every_verb(t, &api, new, true).await?;
        check_formats(&tap, "leases", PROTOBUF);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_kind_of_the_cluster_in_protobuf() -> Done {
    run(async |t| {
        let (client, tap) = t.tapped()?;
        let api = client.all::<ClusterRole>();
        let new = |name: &str| {
            let rule = PolicyRule {
                api_groups: [""].map(Into::into).into(),
                resources: ["pods"].map(Into::into).into(),
                verbs: ["get"].map(Into::into).into(),
                ..Default::default()
            };
            ClusterRole {
                metadata: ObjectMeta { name: name.into(), ..Default::default() },
                rules: [rule].into(),
                ..Default::default()
            }
        };
        every_verb(t, &api, new, true).await?;
        check_formats(&tap, "clusterroles", PROTOBUF);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_custom_kind() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        let (client, tap) = t.tapped()?;
        let api = client.namespaced::<Widget>(&ns);
        every_verb(t, &api, |name| widget(name, 1), false).await?;
        check_formats(&tap, "widgets", JSON);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn kinds_that_are_not_known_at_compile_time() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        let (client, tap) = t.tapped()?;
        let found = client.find(&pintle::GroupVersionKind::new("", "v1", "ConfigMap")).await?;
        assert_eq!(found, ApiResource::of::<ConfigMap>());
        let of = |typed: &dyn pintle::AnyKind| Unstructured::from_typed(typed).expect("JSON");
        let api = client.dynamic(&found)?.in_namespace(&ns);
        every_verb(t, &api, |name| of(&config_map(name, "v")), true).await?;
        let api = client.dynamic(&ApiResource::of::<Widget>())?.in_namespace(&ns);
        every_verb(t, &api, |name| of(&widget(name, 1)), false).await?;
        check_formats(&tap, "configmaps", JSON);
        check_formats(&tap, "widgets", JSON);
        Ok(())
    })
    .await
}

/// What went over the wire was in this format, both ways.
#[track_caller]
fn check_formats(tap: &Tap, plural: &str, format: &str) {
    let seen = tap.take();
    for seen in seen.iter().filter(|seen| seen.path.contains(plural)) {
        let body = matches!(seen.method.as_str(), "POST" | "PUT");
        assert!(!body || seen.sent == format, "{seen:?}");
        assert!(seen.got.starts_with(format), "{seen:?}");
    }
}

/// Runs through the life of a few objects and checks each answer, and what a watch tells of it.
async fn every_verb<T>(
    t: &Test,
    api: &Api<T>,
    new: impl Fn(&str) -> T,
    built_in: bool,
) -> Result<(), Error>
where
    T: Object + Codec + Clone + PartialEq,
{
    let _history = t.keep_history().await;
    let mark = t.unique();
    let [a, b, c] = ["a", "b", "c"].map(|name| format!("{mark}-{name}"));
    let ApiResource { plural, group, kind, .. } = api.resource().clone();
    let resource = if group.is_empty() { plural.clone() } else { format!("{plural}.{group}") };
    let ours = ListOptions::labels(format!("run={mark}"));
    let new = |name: &str| {
        let mut object = new(name);
        object.metadata_mut().labels.insert("run".into(), mark.as_str().into());
        object
    };

    // Create and get.
    let mut first = None;
    for name in [&a, &b, &c] {
        let created = api.create(&new(name)).await?;
        let meta = created.metadata();
        assert!(!meta.uid.is_empty() && !meta.resource_version.is_empty(), "{meta:?}");
        assert!(!meta.creation_timestamp.is_zero());
        assert_eq!(created.name(), name);
        assert_eq!(api.get(name).await?, created);
        first.get_or_insert(created);
    }
    let first = first.expect("there is a");
    refusal(api.create(&new(&a)).await).is(
        409,
        "AlreadyExists",
        &format!("{resource} \"{a}\" already exists"),
    );
    let missing = format!("{mark}-none");
    let not_found = format!("{resource} \"{missing}\" not found");
    refusal(api.get(&missing).await).is(404, "NotFound", &not_found);

    // List, whole and in pages.
    let list = api.list(&ours).await?;
    assert_eq!(names(&list), [&a, &b, &c]);
    assert_eq!(list.items[0], first);
    assert_eq!(api.get(&a).await?.gvk().kind, kind);
    let page = api.list(&ours.clone().limit(2)).await?;
    assert_eq!(names(&page), [&a, &b]);
    let rest = api.list(&ours.clone().limit(2).continue_token(page.continue_token())).await?;
    assert_eq!((names(&rest), rest.continue_token()), (vec![c.as_str()], ""));
    assert_eq!(rest.resource_version(), page.resource_version());
    assert_eq!(api.list_all(&ours.clone().limit(1)).await?.items, list.items);

    // Watch from here.
    let mut watch = api.watch(&ours.clone().resource_version(list.resource_version())).await?;
    let mut expect = Vec::new();

    // Update; a version that is too old is a conflict.
    let mut changed = first.clone();
    changed.metadata_mut().annotations.insert("step".into(), "update".into());
    let updated = api.update(&changed).await?;
    expect.push(format!("MODIFIED {a}"));
    assert_ne!(updated.resource_version(), first.resource_version());
    assert_eq!(updated.metadata().annotations, changed.metadata().annotations);
    refusal(api.update(&changed).await).is(
        409,
        "Conflict",
        &format!(
            "Operation cannot be fulfilled on {resource} \"{a}\": the object has been modified; \
             please apply your changes to the latest version and try again"
        ),
    );
    let mut absent = new(&missing);
    absent.metadata_mut().resource_version = first.metadata().resource_version.clone();
    absent.metadata_mut().uid = "no-such".into();
    if plural == "configmaps" || plural == "widgets" {
        absent.metadata_mut().uid = Default::default();
        refusal(api.update(&absent).await).is(404, "NotFound", &not_found);
    }
    let modified = api
        .modify(&a, |o| {
            o.metadata_mut().annotations.insert("step".into(), "modify".into());
        })
        .await?;
    expect.push(format!("MODIFIED {a}"));
    assert_eq!(modified.metadata().annotations.get("step").map(|s| &**s), Some("modify"));

    // The four kinds of patch.
    let annotate = |value: &str| json!({"metadata": {"annotations": {"step": value}}});
    let path = "/metadata/annotations/step";
    let json_patch = Patch::json(json!([{"op": "replace", "path": path, "value": "json"}]));
    for (step, patch) in [
        ("json", json_patch),
        ("merge", Patch::merge(annotate("merge"))),
        ("strategic", Patch::strategic(annotate("strategic"))),
    ] {
        let result = api.patch(&a, &patch).await;
        if step == "strategic" && !built_in {
            refusal(result).is(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types \
                 include: application/json-patch+json, application/merge-patch+json, \
                 application/apply-patch+yaml",
            );
            continue;
        }
        let step_now = result?.metadata().annotations.get("step").cloned();
        assert_eq!(step_now.as_deref(), Some(step));
        expect.push(format!("MODIFIED {a}"));
    }
    let mut applied = annotate("apply");
    applied["apiVersion"] = api.resource().api_version().into();
    applied["kind"] = kind.as_str().into();
    applied["metadata"]["name"] = a.as_str().into();
    let apply = Patch::apply(applied);
    let result = api.patch(&a, &apply).options(PatchOptions::apply("verbs").force()).await;
    if let Some(applied) = t.if_there("server-side apply", result)? {
        let step_now = applied.metadata().annotations.get("step").cloned();
        assert_eq!(step_now.as_deref(), Some("apply"));
        expect.push(format!("MODIFIED {a}"));
    }

    // Delete one, then the rest.
    let last = api.get(&a).await?;
    match api.delete(&a).await? {
        Deletion::Done(status) => {
            assert!(status.is_success(), "{status:?}");
            let details = status.details.as_ref().expect("details");
            assert_eq!((&*details.name, &*details.kind), (a.as_str(), plural.as_str()));
            assert_eq!((&*details.group, &*details.uid), (group.as_str(), last.uid()));
        }
        Deletion::Object(object) => panic!("{object:?}"),
    }
    expect.push(format!("DELETED {a}"));
    let not_found = format!("{resource} \"{a}\" not found");
    refusal(api.delete(&a).await).is(404, "NotFound", &not_found);
    refusal(api.get(&a).await).is(404, "NotFound", &not_found);
    let deleted = api.delete_collection(&ours).await?;
    assert_eq!(names(&deleted), [&b, &c]);
    assert_eq!(api.list(&ours).await?.items, []);

    let mut told = follow(&mut watch, expect.len() + 2).await?;
    expect.extend([format!("DELETED {b}"), format!("DELETED {c}")]);
    told[expect.len() - 2..].sort();
    assert_eq!(told, expect);
    Ok(())
}

/// The next events, as text; their versions grow.
async fn follow<T>(watch: &mut Watch<T>, count: usize) -> Result<Vec<String>, Error>
where
    T: Object + Codec,
{
    let mut told = Vec::new();
    let mut version = 0;
    while told.len() < count {
        let Some(event) = within("an event of the watch", watch.next()).await? else {
            return Err(Error::other(format!("the watch ended after {told:?}")));
        };
        let event = event?;
        if let WatchEvent::Error(status) = event {
            return Err(Error::from_status(status));
        }
        let Some(object) = event.object() else { continue };
        let this: u64 = object.resource_version().parse().expect("a number");
        assert!(this > version, "{told:?}: {version}, then {this}");
        version = this;
        told.push(format!("{} {}", event.type_name(), object.name()));
    }
    Ok(told)
}
