//! Namespaces: made, used, deleted with what is in them.
use crate::harness::{Done, config_map, eventually, namespace, refusal, run};
use pintle::api::core_v1::{ConfigMap, Namespace};
use pintle::{Deletion, ListOptions, Object, Patch};
use serde_json::json;

#[tokio::test]
async fn a_namespace_goes_with_its_content() -> Done {
    run(async |t| {
        let name = t.namespace().await?;
        let api = t.client().all::<Namespace>();
        let made = api.get(&name).await?;
        assert_eq!((&*made.status.phase, &*made.spec.finalizers[0]), ("Active", "kubernetes"));
        let label = made.metadata.labels.get("kubernetes.io/metadata.name");
        assert_eq!(label.map(|s| &**s), Some(&*name));
        refusal(api.create(&namespace(&name)).await).is(
            409,
            "AlreadyExists",
            &format!("namespaces \"{name}\" already exists"),
        );
        let maps = t.client().namespaced::<ConfigMap>(&name);
        let mut held = config_map("held", "v");
        held.metadata.finalizers = ["e2e.pintle.example/hold"].map(Into::into).into();
        maps.create(&held).await?;
        maps.create(&config_map("free", "v")).await?;

        let Deletion::Object(deleting) = api.delete(&name).await? else { panic!("gone at once") };
        assert_eq!(deleting.status.phase, "Terminating");
        let refused = refusal(maps.create(&config_map("late", "v")).await);
        refused.is(
            403,
            "Forbidden",
            &format!(
                "configmaps \"late\" is forbidden: unable to create new content in namespace \
                 {name} because it is being terminated"
            ),
        );
        assert!(refused.error.has_cause("NamespaceTerminating"));
        if !t.has_controllers() {
            t.leave_out("the end of a namespace: no controllers run");
            return Ok(());
        }
        eventually("what is not held goes", async || match maps.get("free").await {
            Err(e) if e.is_not_found() => Ok(true),
            other => other.map(|_| false),
        })
        .await?;
        eventually("what is held is marked", async || Ok(maps.get("held").await?.is_deleting()))
            .await?;
        assert!(api.get(&name).await?.is_deleting());
        let free = Patch::merge(json!({"metadata": {"finalizers": null}}));
        maps.patch("held", &free).await?;
        eventually("the namespace goes", async || match api.get(&name).await {
            Err(e) if e.is_not_found() => Ok(true),
            other => other.map(|_| false),
        })
        .await
    })
    .await
}

#[tokio::test]
async fn namespaces_that_every_cluster_has_stay() -> Done {
    run(async |t| {
        let api = t.client().all::<Namespace>();
        for name in ["default", "kube-system", "kube-public"] {
            refusal(api.delete(name).await).is(
                403,
                "Forbidden",
                &format!("namespaces \"{name}\" is forbidden: this namespace may not be deleted"),
            );
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn objects_of_one_name_live_in_different_namespaces() -> Done {
    run(async |t| {
        let (one, two) = (t.namespace().await?, t.namespace().await?);
        let all = t.client().all::<ConfigMap>();
        let mark = t.unique();
        for ns in [&one, &two] {
            let mut map = config_map("a", ns);
            map.metadata.namespace = ns.as_str().into();
            map.metadata.labels.insert("run".into(), mark.as_str().into());
            // Written to the namespace in its metadata.
            assert_eq!(all.create(&map).await?.namespace(), ns);
        }
        let ours = ListOptions::labels(format!("run={mark}"));
        assert_eq!(all.list(&ours).await?.items.len(), 2);
        let of_one = all.in_namespace(&one);
        assert_eq!(of_one.list(&ours).await?.items.len(), 1);
        of_one.delete_collection(&ours).await?;
        let left = all.list(&ours).await?;
        assert_eq!(left.items.iter().map(Object::namespace).collect::<Vec<_>>(), [&two]);
        Ok(())
    })
    .await
}
