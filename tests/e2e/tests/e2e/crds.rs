//! Custom resource definitions: install, use, delete; what their schemas do.
use crate::harness::{Done, Test, eventually, refusal, run, within};
use pintle::api::apiextensions_v1::CustomResourceDefinition;
use pintle::client::Request;
use pintle::{
    ApiResource, CreateOptions, CustomResource, Error, Kind, ListOptions, Object, Patch,
    Unstructured, WatchEvent,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// A custom kind that several tests share; their objects are in namespaces of their own.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[resource(
    group = "e2e.pintle.example",
    version = "v1",
    kind = "Widget",
    namespaced,
    status = WidgetStatus,
    short_name = "wd",
    scale(spec_path = ".spec.size", status_path = ".status.count"),
    selectable_field = ".spec.color"
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WidgetSpec {
    /// How large it is.
    #[schemars(range(min = 0, max = 10))]
    pub(crate) size: i32,
    /// What it looks like.
    #[serde(default = "red")]
    pub(crate) color: String,
}

fn red() -> String {
    "red".to_owned()
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct WidgetStatus {
    /// How often something happened.
    pub(crate) count: i32,
}

pub(crate) fn widget(name: &str, size: i32) -> Widget {
    Widget::new(name, WidgetSpec { size, color: red() })
}

/// Makes the server serve the shared kind.
pub(crate) async fn install(t: &Test) -> Result<(), Error> {
    install_crd(t, &Widget::crd()?).await
}

/// Creates a definition unless it is there, and waits until its kind is served.
async fn install_crd(t: &Test, crd: &CustomResourceDefinition) -> Result<(), Error> {
    let _history = t.keep_history().await;
    let crds = t.client().all::<CustomResourceDefinition>();
    match crds.create(crd).await {
        Err(e) if !e.is_already_exists() => return Err(e),
        _ => {}
    }
    let options = ListOptions::new().fields(format!("metadata.name={}", crd.name()));
    let mut watch = crds.watch(&options).await?;
    let established = async {
        while let Some(event) = watch.next().await {
            if let WatchEvent::Added(crd) | WatchEvent::Modified(crd) = event?
                && condition(&crd, "Established").as_deref() == Some("InitialNamesAccepted")
            {
                return Ok(());
            }
        }
        Err(Error::other("the watch ended"))
    };
    within("the definition is established", established).await??;
    // A moment later on servers that build their handlers then.
    let spec = &crd.spec;
    let path = format!("/apis/{}/{}/{}", spec.group, spec.versions[0].name, spec.names.plural);
    eventually("the kind is served", async || {
        match t.client().request(Request::get(path.as_str())).await {
            Err(e) if e.is_not_found() => Ok(false),
            other => other.map(|_| true),
        }
    })
    .await
}

/// The reason of a condition that holds.
fn condition(crd: &CustomResourceDefinition, type_: &str) -> Option<String> {
    let mut conditions = crd.status.conditions.iter();
    conditions.find(|c| c.type_ == type_ && c.status == "True").map(|c| c.reason.to_string())
}

mod gadgets {
    use super::*;

    /// A kind that one test makes and removes again.
    #[derive(
        CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema,
    )]
    #[resource(
        group = "gadgets.e2e.pintle.example",
        version = "v1alpha1",
        kind = "Gadget",
        cluster,
        category = "all",
        column(name = "Size", json_path = ".spec.size")
    )]
    pub(super) struct GadgetSpec {
        /// How large it is.
        pub(super) size: i32,
    }
}
use gadgets::{Gadget, GadgetSpec};

#[tokio::test]
async fn a_definition_comes_is_used_and_goes() -> Done {
    run(async |t| {
        let client = t.client();
        let crds = client.all::<CustomResourceDefinition>();
        let gadgets = client.all::<Gadget>();
        refusal(gadgets.list(&ListOptions::new()).await.map(|l| l.items.len())).code_is(404);

        let sent: CustomResourceDefinition = Gadget::crd()?;
        install_crd(t, &sent).await?;
        let stored = crds.get(sent.name()).await?;
        assert_eq!(condition(&stored, "NamesAccepted").as_deref(), Some("NoConflicts"));
        assert_eq!(stored.status.accepted_names.kind, "Gadget");
        assert_eq!(stored.spec.versions[0].schema, sent.spec.versions[0].schema, "as sent");
        refusal(crds.create(&sent).await).is(
            409,
            "AlreadyExists",
            "customresourcedefinitions.apiextensions.k8s.io \
             \"gadgets.gadgets.e2e.pintle.example\" already exists",
        );

        // Discovery shows it.
        let kind = Gadget::gvk_of();
        eventually("discovery knows the kind", async || match client.find(&kind).await {
            Ok(found) => {
                assert_eq!(found, ApiResource::of::<Gadget>());
                Ok(true)
            }
            Err(e) if e.status().is_some_and(|s| s.code != 404) => Err(e),
            Err(_) => Ok(false),
        })
        .await?;

        // Its schema is there for all to see.
        let mut document = serde_json::Value::Null;
        let read = async || -> Result<bool, Error> {
            let path = "/openapi/v3/apis/gadgets.e2e.pintle.example/v1alpha1";
            match client.request(Request::get(path)).await {
                Err(e) if e.is_not_found() => Ok(false),
                other => {
                    document = other?.json().await?;
                    Ok(true)
                }
            }
        };
        if t.if_there("OpenAPI", eventually("the schema is published", read).await)?.is_some() {
            let schemas = document["components"]["schemas"].as_object().expect("schemas");
            let (_, schema) =
                schemas.iter().find(|(name, _)| name.ends_with(".Gadget")).expect("its");
            let size = &schema["properties"]["spec"]["properties"]["size"];
            assert_eq!(size["type"], "integer", "{schema}");
            assert_eq!(size["description"], "How large it is.");
        }

        let gadget = gadgets.create(&Gadget::new("g", GadgetSpec { size: 3 })).await?;
        assert_eq!((gadget.spec.size, gadget.metadata.generation), (3, 1));

        // It takes its objects with it.
        crds.delete(sent.name()).await?;
        eventually("the definition is gone", async || match crds.get(sent.name()).await {
            Err(e) if e.is_not_found() => Ok(true),
            other => other.map(|_| false),
        })
        .await?;
        eventually("the kind is no longer served", async || match gadgets.get("g").await {
            Err(e) if e.is_not_found() => Ok(e.to_string().contains("404 page not found")
                || e.to_string().contains("could not find the requested resource")),
            other => other.map(|_| false),
        })
        .await
    })
    .await
}

#[tokio::test]
async fn a_schema_defaults_and_validates() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<Widget>(&ns);
        let any = t.client().dynamic(&ApiResource::of::<Widget>())?.in_namespace(&ns);
        let new = |name: &str, spec: serde_json::Value| {
            let mut widget = Unstructured::new(&Widget::gvk_of());
            widget.metadata.name = name.into();
            widget.set("spec", spec).expect("a field");
            widget
        };

        let made = any.create(&new("a", json!({"size": 2}))).await?;
        assert_eq!(made.get("spec.color"), Some(&json!("red")), "the schema's default");
        assert_eq!(api.get("a").await?.spec, WidgetSpec { size: 2, color: red() });

        let kind = "Widget.e2e.pintle.example";
        refusal(api.create(&widget("b", 11)).await).is(
            422,
            "Invalid",
            &format!(
                "{kind} \"b\" is invalid: spec.size: Invalid value: 11: spec.size in body should \
                 be less than or equal to 10"
            ),
        );
        refusal(any.create(&new("b", json!({}))).await).is(
            422,
            "Invalid",
            &format!("{kind} \"b\" is invalid: spec.size: Required value"),
        );
        let wrong = refusal(any.create(&new("b", json!({"size": 1, "color": 1}))).await);
        wrong.is(
            422,
            "Invalid",
            &format!(
                "{kind} \"b\" is invalid: spec.color: Invalid value: \"integer\": spec.color in \
                 body must be of type string: \"integer\""
            ),
        );
        let several = refusal(any.create(&new("b", json!({"size": 11, "color": 1}))).await);
        for wrong in [&wrong, &several] {
            let causes: Vec<_> =
                wrong.error.causes().iter().map(|c| (&*c.reason, &*c.field)).collect();
            assert!(causes.contains(&("FieldValueTypeInvalid", "spec.color")), "{causes:?}");
        }
        // In any order.
        assert!(several.error.causes().iter().any(|c| c.field == "spec.size"), "{several:?}");
        let patch = Patch::merge(json!({"spec": {"size": 12}}));
        refusal(api.patch("a", &patch).await).is(
            422,
            "Invalid",
            &format!(
                "{kind} \"a\" is invalid: spec.size: Invalid value: 12: spec.size in body should \
                 be less than or equal to 10"
            ),
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn unknown_fields_are_pruned_with_a_warning_or_refused() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let heard = warnings.clone();
        let client = t
            .client()
            .clone()
            .with_warnings(move |text: &str| heard.lock().unwrap().push(text.to_owned()));
        let told = || std::mem::take(&mut *warnings.lock().unwrap());

        let any = client.dynamic(&ApiResource::of::<Widget>())?.in_namespace(&ns);
        let mut new = Unstructured::new(&Widget::gvk_of());
        new.metadata.name = "a".into();
        new.set("spec", json!({"size": 1, "nope": true}))?;
        let made = any.create(&new).await?;
        assert_eq!(told(), ["unknown field \"spec.nope\""]);
        assert_eq!(made.get("spec.nope"), None);

        let strict = CreateOptions { field_validation: "Strict".into(), ..Default::default() };
        refusal(any.create(&new).options(strict.clone()).await).is(
            400,
            "BadRequest",
            "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: \
             unknown field \"spec.nope\"",
        );
        let ignore = CreateOptions { field_validation: "Ignore".into(), ..Default::default() };
        new.metadata.name = "b".into();
        any.create(&new).options(ignore).await?;
        assert!(told().is_empty());

        let maps = ApiResource::namespaced("", "v1", "ConfigMap", "configmaps");
        let maps = client.dynamic(&maps)?.in_namespace(&ns);
        let mut map = Unstructured::new(&maps.resource().gvk());
        map.metadata.name = "m".into();
        map.set("dada", json!({"k": "v"}))?;
        maps.create(&map).await?;
        assert_eq!(told(), ["unknown field \"dada\""]);
        refusal(maps.create(&map).options(strict).await).is(
            400,
            "BadRequest",
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: \
             unknown field \"dada\"",
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn fields_that_a_definition_makes_selectable() -> Done {
    run(async |t| {
        install(t).await?;
        let ns = t.namespace().await?;
        let api = t.client().namespaced::<Widget>(&ns);
        for (name, color) in [("a", "red"), ("b", "blue"), ("c", "blue")] {
            let spec = WidgetSpec { size: 1, color: color.into() };
            api.create(&Widget::new(name, spec)).await?;
        }
        let blue = api.list(&ListOptions::new().fields("spec.color=blue")).await?;
        assert_eq!(crate::harness::names(&blue), ["b", "c"]);
        refusal(api.list(&ListOptions::new().fields("spec.size=1")).await).is(
            400,
            "BadRequest",
            "field label not supported: spec.size",
        );
        Ok(())
    })
    .await
}
