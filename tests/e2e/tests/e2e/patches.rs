//! What the four kinds of patch mean.
use crate::crds::{Widget, install, widget};
use crate::harness::{Done, config_map, deployment, refusal, run};
use pintle::api::apps_v1::Deployment;
use pintle::api::core_v1::{ConfigMap, Pod};
use pintle::{Map, Patch, PatchOptions, Str};
use serde_json::{Value, json};

const REJECTED: &str = "the server rejected our request due to an error in our request";

#[tokio::test]
async fn json_patch() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        maps.create(&config_map("a", "v")).await?;
        let operations = json!([
            {"op": "test", "path": "/data/k", "value": "v"},
            {"op": "add", "path": "/data/a~1b", "value": "1"},
            {"op": "copy", "from": "/data/k", "path": "/data/c"},
            {"op": "move", "from": "/data/k", "path": "/data/m"},
        ]);
        // A key with a slash is refused by the validation of ConfigMaps, so it goes again.
        let mut operations: Vec<Value> = operations.as_array().cloned().unwrap_or_default();
        operations.push(json!({"op": "remove", "path": "/data/a~1b"}));
        let patched = maps.patch("a", &Patch::json(operations)).await?;
        assert_eq!(patched.data, Map::<Str>::from([("c", "v"), ("m", "v")]));
        let test = json!([{"op": "test", "path": "/data/m", "value": "other"}]);
        refusal(maps.patch("a", &Patch::json(test)).await).is(422, "Invalid", REJECTED);
        let remove = json!([{"op": "remove", "path": "/data/none"}]);
        refusal(maps.patch("a", &Patch::json(remove)).await).is(422, "Invalid", REJECTED);
        refusal(maps.patch("none", &Patch::json(json!([]))).await).is(
            404,
            "NotFound",
            "configmaps \"none\" not found",
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn merge_patch() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        let made = maps.create(&config_map("a", "v")).await?;
        let patched =
            maps.patch("a", &Patch::merge(json!({"data": {"k": null, "m": "1"}}))).await?;
        assert_eq!(patched.data, Map::<Str>::from([("m", "1")]));
        // A patch may say which version it is for.
        let version = &made.metadata.resource_version;
        let stale = Patch::merge(json!({"metadata": {"resourceVersion": version}, "data": {}}));
        refusal(maps.patch("a", &stale).await).is(
            409,
            "Conflict",
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; \
             please apply your changes to the latest version and try again",
        );
        let other = Patch::merge(json!({"metadata": {"uid": "x"}}));
        refusal(maps.patch("a", &other).await).is(
            422,
            "Invalid",
            "ConfigMap \"a\" is invalid: metadata.uid: Invalid value: \"x\": field is immutable",
        );
        // What changes nothing is no write.
        let same = maps.patch("a", &Patch::merge(json!({"data": {"m": "1"}}))).await?;
        assert_eq!(same, patched);

        let widgets = t.client().namespaced::<Widget>(&ns);
        widgets.create(&widget("w", 1)).await?;
        let patch = Patch::merge(json!({"spec": {"size": 5}, "status": {"count": 9}}));
        let patched = widgets.patch("w", &patch).await?;
        assert_eq!(
            (patched.spec.size, patched.status.count),
            (5, 0),
            "the status has its own path"
        );
        let patched = widgets.patch_status("w", &patch).await?;
        assert_eq!((patched.spec.size, patched.status.count), (5, 9));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn strategic_merge_patch() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let deployments = t.client().namespaced::<Deployment>(&ns);
        let mut new = deployment("web");
        let mut second = new.spec.template.spec.containers[0].clone();
        second.name = "second".into();
        new.spec.template.spec.containers.push(second);
        new.spec.template.spec.containers[0].args = ["x", "y"].map(Into::into).into();
        deployments.create(&new).await?;
        let containers = |d: &Deployment| -> Vec<(String, String)> {
            let all = d.spec.template.spec.containers.iter();
            all.map(|c| (c.name.to_string(), c.image.to_string())).collect()
        };
        let spec = |spec: Value| Patch::strategic(json!({"spec": {"template": {"spec": spec}}}));

        let image = spec(json!({"containers": [{"name": "second", "image": "other"}]}));
        let patched = deployments.patch("web", &image).await?;
        let mut found = containers(&patched);
        found.sort();
        let pause = "registry.k8s.io/pause:3.10".to_owned();
        let expect = [("main".to_owned(), pause), ("second".to_owned(), "other".to_owned())];
        assert_eq!(found, expect, "merged by name");
        let main = patched.spec.template.spec.containers.iter().find(|c| c.name == "main");
        let args: Vec<&str> = main.into_iter().flat_map(|c| c.args.iter().map(|a| &**a)).collect();
        assert_eq!(args, ["x", "y"], "untouched");
        assert_eq!(patched.metadata.generation, 2);

        let gone = spec(json!({"containers": [{"name": "second", "$patch": "delete"}]}));
        assert_eq!(containers(&deployments.patch("web", &gone).await?), expect[..1]);
        let anew =
            spec(json!({"containers": [{"name": "new", "image": "i"}, {"$patch": "replace"}]}));
        let patched = deployments.patch("web", &anew).await?;
        assert_eq!(containers(&patched), [("new".to_owned(), "i".to_owned())]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn server_side_apply() -> Done {
    run(async |t| {
        let ns = t.namespace().await?;
        let maps = t.client().namespaced::<ConfigMap>(&ns);
        let wants = |data: Value| {
            Patch::apply(json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data,
            }))
        };
        let by = PatchOptions::apply;
        let first = wants(json!({"k": "1", "l": "1"}));
        let made = maps.patch("a", &first).options(by("first")).await;
        let Some(made) = t.if_there("server-side apply", made)? else { return Ok(()) };
        assert_eq!(made.data, Map::<Str>::from([("k", "1"), ("l", "1")]));

        let second = wants(json!({"k": "2"}));
        let conflict = refusal(maps.patch("a", &second).options(by("second")).await);
        conflict.is(
            409,
            "Conflict",
            "Apply failed with 1 conflict: conflict with \"first\": .data.k",
        );
        assert!(conflict.error.has_cause("FieldManagerConflict"));
        let forced = maps.patch("a", &second).options(by("second").force()).await?;
        assert_eq!(forced.data.get("k").map(|s| &**s), Some("2"));
        // What a manager no longer wants, and nobody else owns, goes.
        let nothing = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        let less = maps.patch("a", &Patch::apply(nothing)).options(by("first")).await?;
        assert_eq!(less.data, Map::<Str>::from([("k", "2")]));
        let managers: Vec<_> = less.metadata.managed_fields.iter().map(|m| &*m.manager).collect();
        assert_eq!(managers, ["second"]);

        let pods = t.client().namespaced::<Pod>(&ns);
        let unnamed = Patch::apply(json!({"apiVersion": "v1", "kind": "Pod"}));
        refusal(pods.patch("p", &unnamed).options(by("first")).await).is(
            400,
            "BadRequest",
            "the name of the object (p based on URL) was undeterminable: name must be provided",
        );
        // A typed object can be applied as well.
        let typed = config_map("b", "typed");
        let applied = maps.patch("b", &Patch::apply_object(&typed)).options(by("first")).await?;
        assert_eq!(applied.data, typed.data);
        Ok(())
    })
    .await
}
