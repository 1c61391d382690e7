//! What a server publishes about its types is what the types say: every field of a Deployment
//! merges alike, whether the types, OpenAPI v2 or OpenAPI v3 are asked.

use std::collections::BTreeSet;

use pintle_api::apps_v1::Deployment;
use pintle_apimachinery::reflect::{Desc, Described, Field, INLINE, NOJSON, Type};
use pintle_apimachinery::{GroupVersionKind, Kind};
use pintle_patch::{OpenApiSchema, OpenApiV2Schema, PatchSchema, TypeSchema, strategic};
use serde_json::{Map, Value, json};

const V2: &str = include_str!("../../testdata/open_api/v2.json");
const V3: &str = include_str!("../../testdata/open_api/v3.json");

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn deployment() -> GroupVersionKind {
    GroupVersionKind::from_static(Deployment::GROUP, Deployment::VERSION, Deployment::KIND)
}

fn message(ty: &'static Type) -> Option<&'static Desc> {
    match ty {
        Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc) => {
            Some(*desc).filter(|desc| !desc.transparent)
        }
        _ => None,
    }
}

fn fields(desc: &'static Desc) -> Vec<&'static Field> {
    let inner = |field: &'static Field| match message(&field.ty) {
        Some(inner) if field.flags & INLINE != 0 => fields(inner),
        _ => vec![field],
    };
    let all = desc.fields.iter().flat_map(inner);
    all.filter(|field| field.flags & NOJSON == 0).collect()
}

/// Compares every field below `desc`; how many there are, and how many of them merge specially.
fn walk(
    path: &str,
    desc: &'static Desc,
    types: TypeSchema,
    document: impl PatchSchema,
    seen: &mut BTreeSet<usize>,
) -> (usize, usize) {
    if !seen.insert(std::ptr::from_ref(desc) as usize) {
        return (0, 0);
    }
    let (mut all, mut special) = (0, 0);
    for field in fields(desc) {
        let path = format!("{path}.{}", field.name);
        let is = |e| panic!("{path}: {e}");
        let (element, lists) = match &field.ty {
            Type::List(element) => (message(element), true),
            other => (message(other), false),
        };
        let found = match lists {
            true => types.list(field.name).and_then(|l| Ok((l, document.list(field.name)?))),
            false if element.is_some() => {
                types.object(field.name).and_then(|l| Ok((l, document.object(field.name)?)))
            }
            // What has no members is not asked for them.
            false => continue,
        };
        let ((types, by_type), (document, by_document)) = found.unwrap_or_else(is);
        assert_eq!(by_type, by_document, "{path}");
        all += 1;
        special += usize::from(!by_type.strategy.is_empty());
        if let Some(inner) = element {
            let below = walk(&path, inner, types, document, seen);
            (all, special) = (all + below.0, special + below.1);
        }
    }
    (all, special)
}

#[test]
fn documents_say_what_types_say() {
    let (v2, v3) = (read(V2), read(V3));
    let v2 = OpenApiV2Schema::of_kind(&v2, &deployment()).expect("is there");
    let v3 = OpenApiSchema::of_kind(&v3, &deployment()).expect("is there");
    let types = TypeSchema::of::<Deployment>();
    let by_v2 = walk("", Deployment::described(), types, v2, &mut BTreeSet::new());
    let by_v3 = walk("", Deployment::described(), types, v3, &mut BTreeSet::new());
    assert_eq!(by_v2, by_v3);
    // If nothing were walked, nothing would differ.
    assert!(by_v2.0 > 150 && by_v2.1 > 20, "{by_v2:?}");
}

#[test]
fn kinds_that_are_not_there() {
    let none = GroupVersionKind::from_static("apps", "v1", "None");
    let error = |e: pintle_apimachinery::Error| e.to_string();
    let wanted = "the OpenAPI document has no schema of kind apps/v1, Kind=None";
    let (v2, v3) = (read(V2), read(V3));
    assert_eq!(OpenApiV2Schema::of_kind(&v2, &none).map_err(error).err().as_deref(), Some(wanted));
    assert_eq!(OpenApiSchema::of_kind(&v3, &none).map_err(error).err().as_deref(), Some(wanted));
    assert_eq!(
        OpenApiV2Schema::new(&v2, "none").map_err(error).err().as_deref(),
        Some("the OpenAPI document has no model \"none\""),
    );
    // DeleteOptions are of many kinds.
    let options = |gvk: &[(&str, &str)]| {
        let kinds = gvk
            .iter()
            .map(|(group, version)| json!({"group": group, "version": version, "kind": "Options"}));
        json!({"x-kubernetes-group-version-kind": kinds.collect::<Vec<_>>(), "type": "object"})
    };
    let both = options(&[("a", "v1"), ("b", "v1")]);
    let v2 = json!({"definitions": {"one": both, "two": options(&[("a", "v1")])}});
    let v3 = json!({"components": {"schemas": {"one": both}}});
    for group in ["a", "b"] {
        let gvk = GroupVersionKind::from_api_version_and_kind(
            &format!("{group}/v1"),
            "Options".to_owned(),
        );
        assert!(OpenApiV2Schema::of_kind(&v2, &gvk).is_ok());
        assert!(OpenApiSchema::of_kind(&v3, &gvk).is_ok());
    }
}

#[test]
fn a_model_that_is_a_reference_to_itself() {
    let circle = json!({"definitions": {
        "a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"},
    }});
    let schema = OpenApiV2Schema::new(&circle, "a").expect("is there");
    for outcome in [schema.object("x"), schema.list("x")] {
        let error = outcome.expect_err("leads nowhere").to_string();
        assert!(error.ends_with("is a reference to itself"), "{error}");
    }
}

/// What `kubectl apply` does, by what the server published.
#[test]
fn three_ways_by_documents() {
    let object = |value: Value| -> Map<String, Value> { value.as_object().cloned().expect("one") };
    let containers = |containers: Value| {
        object(json!({"spec": {"template": {"spec": {"containers": containers}}}}))
    };
    let container =
        |image: &str, ports: Value| json!({"name": "app", "image": image, "ports": ports});
    let (http, https) = (json!({"containerPort": 80}), json!({"containerPort": 443}));
    let last = containers(json!([container("app:1", json!([http, https]))]));
    let modified = containers(json!([container("app:2", json!([https]))]));
    let proxy = json!({"name": "proxy", "image": "proxy:7"});
    let live = containers(json!([container("app:1", json!([http, https])), proxy]));
    let (v2, v3) = (read(V2), read(V3));
    let v2 = OpenApiV2Schema::of_kind(&v2, &deployment()).expect("is there");
    let v3 = OpenApiSchema::of_kind(&v3, &deployment()).expect("is there");
    let types = TypeSchema::of::<Deployment>();
    let patches = [
        strategic::three_way(&last, &modified, &live, types, false, &[]).expect("a patch"),
        strategic::three_way(&last, &modified, &live, v2, false, &[]).expect("a patch"),
        strategic::three_way(&last, &modified, &live, v3, false, &[]).expect("a patch"),
    ];
    assert_eq!(patches[0], patches[1]);
    assert_eq!(patches[0], patches[2]);
    let [patch, ..] = patches;
    assert_eq!(
        strategic::apply(live, patch, v2).expect("applies"),
        containers(json!([container("app:2", json!([https])), proxy])),
    );
}
