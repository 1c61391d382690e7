//! The CustomResourceDefinition: names, columns, subresources, versions.
use pintle_api::apiextensions_v1::CustomResourceDefinition;
use pintle_api::core_v1::PodTemplateSpec;
use pintle_apimachinery::{
    Codec, CustomResource, Decoder, Error, Format, Unstructured, merge_crds,
};
use pintle_macros::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A `Foo` runs a Deployment.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[resource(
    group = "samplecontroller.k8s.io", version = "v1alpha1", kind = "Foo", namespaced, status = FooStatus,
    short_name = "fo", short_names("f", "fooo"), category = "all", categories("sample"),
    column(name = "Replicas", json_path = ".spec.replicas"),
    column(name = "Ready", json_path = ".status.conditions[?(@.type==\"Ready\")].status", priority = 1, description = "Whether it runs"),
    column(name = "Age", json_path = ".metadata.creationTimestamp"),
    column(name = "Label", json_path = ".spec.labels.app", type = "string"),
    scale(spec_path = ".spec.replicas", status_path = ".status.availableReplicas", label_selector_path = ".status.selector"),
    selectable_field = ".spec.deploymentName",
    validation(rule = "self.spec.replicas < 10", message = "too many"),
    annotation(name = "example.com/owner", value = "me"),
    deprecated = "use v1", served = true, storage = false,
    crate = "pintle_apimachinery"
)]
#[serde(rename_all = "camelCase")]
struct FooSpec {
    /// Name of the Deployment.
    deployment_name: String,
    #[schemars(range(min = 1, max = 10))]
    replicas: i32,
    #[serde(default)]
    labels: std::collections::HashMap<String, String>,
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct FooStatus {
    available_replicas: i32,
    selector: Option<String>,
    conditions: Vec<pintle_apimachinery::Condition>,
}

#[test]
fn complete() {
    let crd = Foo::crd_json().unwrap();
    assert_eq!(
        crd["metadata"],
        json!({"name": "foos.samplecontroller.k8s.io", "annotations": {
            "example.com/owner": "me", "api-approved.kubernetes.io": "unapproved, experimental-only"}})
    );
    assert_eq!(
        crd["spec"]["names"],
        json!({"plural": "foos", "singular": "foo", "kind": "Foo", "listKind": "FooList",
            "shortNames": ["fo", "f", "fooo"], "categories": ["all", "sample"]})
    );
    assert_eq!(crd["spec"]["scope"], "Namespaced");
    let version = &crd["spec"]["versions"][0];
    assert_eq!(
        (
            &version["served"],
            &version["storage"],
            &version["deprecated"],
            &version["deprecationWarning"]
        ),
        (&json!(true), &json!(false), &json!(true), &json!("use v1"))
    );
    assert_eq!(
        version["subresources"],
        json!({"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.availableReplicas", "labelSelectorPath": ".status.selector"}})
    );
    assert_eq!(
        version["additionalPrinterColumns"],
        json!([
            {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
            {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status",
             "description": "Whether it runs", "priority": 1},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            {"name": "Label", "type": "string", "jsonPath": ".spec.labels.app"},
        ])
    );
    assert_eq!(version["selectableFields"], json!([{"jsonPath": ".spec.deploymentName"}]));
    let schema = &version["schema"]["openAPIV3Schema"];
    assert_eq!(schema["description"], "A `Foo` runs a Deployment.");
    assert_eq!(schema["required"], json!(["spec"]));
    assert_eq!(
        schema["x-kubernetes-validations"],
        json!([{"rule": "self.spec.replicas < 10", "message": "too many"}])
    );
    assert_eq!(
        schema["properties"]["spec"],
        json!({
            "description": "A `Foo` runs a Deployment.",
            "type": "object",
            "properties": {
                "deploymentName": {"description": "Name of the Deployment.", "type": "string"},
                "replicas": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 10},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
            },
            "required": ["deploymentName", "replicas"],
        })
    );
}

/// The typed definition holds all of it, and so does YAML.
#[test]
fn typed() {
    let crd: CustomResourceDefinition = Foo::crd().unwrap();
    assert_eq!(crd.metadata.name, "foos.samplecontroller.k8s.io");
    let mut bytes = Vec::new();
    crd.encode(Format::Json, &mut bytes).unwrap();
    let mut back: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    back.as_object_mut().unwrap().remove("status");
    assert_eq!(back, Foo::crd_json().unwrap());
    let yaml = Foo::crd_yaml().unwrap();
    let again =
        CustomResourceDefinition::decode(yaml.as_bytes(), Format::Yaml, &mut Decoder::new());
    assert_eq!(again.unwrap(), crd);
}

mod v1 {
    use super::*;
    #[derive(
        CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema,
    )]
    #[resource(group = "samplecontroller.k8s.io", version = "v1", kind = "Foo", namespaced)]
    #[resource(short_name = "foo1", crate = "pintle_apimachinery")]
    pub(crate) struct FooSpec {}
    #[derive(
        CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema,
    )]
    #[resource(
        group = "samplecontroller.k8s.io",
        version = "v2",
        kind = "Foo",
        cluster,
        rust_name = "Cluster"
    )]
    #[resource(crate = "pintle_apimachinery")]
    pub(crate) struct ClusterSpec {}
}

#[test]
fn versions_merged() {
    let crds =
        || -> Result<[CustomResourceDefinition; 2], Error> { Ok([Foo::crd()?, v1::Foo::crd()?]) };
    let crd = merge_crds(crds().unwrap(), "v1").unwrap();
    let versions: Vec<_> =
        crd.spec.versions.iter().map(|v| (v.name.to_string(), v.storage, v.served)).collect();
    assert_eq!(versions, [("v1alpha1".into(), false, true), ("v1".into(), true, true)]);
    assert_eq!(crd.spec.names.short_names.as_slice(), ["fo", "f", "fooo", "foo1"]);
    // Untyped as well.
    let untyped: Unstructured =
        merge_crds([Foo::crd().unwrap(), v1::Foo::crd::<Unstructured>().unwrap()], "v1").unwrap();
    assert_eq!(untyped.to_typed::<CustomResourceDefinition>().unwrap(), crd);

    let error = |r: Result<CustomResourceDefinition, Error>| r.unwrap_err().to_string();
    assert_eq!(
        error(merge_crds(crds().unwrap(), "v3")),
        "no version \"v3\" to store; there are: v1alpha1, v1"
    );
    assert_eq!(
        error(merge_crds([Foo::crd().unwrap(), Foo::crd().unwrap()], "v1alpha1")),
        "Foo has the version \"v1alpha1\" twice; name each version once"
    );
    assert_eq!(
        error(merge_crds([Foo::crd().unwrap(), v1::Cluster::crd().unwrap()], "v2")),
        "the versions of Foo differ in spec.scope: \"Namespaced\" and \"Cluster\"; it must be the same in all"
    );
    assert_eq!(
        error(merge_crds([], "v1")),
        "no CustomResourceDefinition to merge; give at least one"
    );
}

#[test]
fn merging_something_else() {
    for text in [
        r#"{"kind":"X","metadata":{"name":"a"}}"#,
        r#"{"kind":"X","metadata":{"name":"a"},"spec":"text"}"#,
        r#"{"kind":"X","metadata":{"name":"a"},"spec":{"names":{},"versions":["v1"]}}"#,
        r#"{"kind":"X","metadata":{"name":"a"},"spec":{"names":[],"versions":[]}}"#,
    ] {
        let other: Unstructured = serde_json::from_str(text).unwrap();
        for crds in [vec![other.clone()], vec![Foo::crd().unwrap(), other]] {
            let error = merge_crds(crds, "v1").unwrap_err().to_string();
            assert!(error.starts_with("\"X\" \"a\" is no CustomResourceDefinition"), "{error}");
        }
    }
}

/// Paths that lead nowhere are found when the definition is made.
#[test]
fn wrong_paths() {
    macro_rules! refused {
        ($($attribute:tt)*) => {{
            #[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[resource(group = "example.com", version = "v1", namespaced, status = FooStatus, crate = "pintle_apimachinery")]
            #[resource($($attribute)*)]
            struct BarSpec {
                replicas: i32,
                name: String,
                #[serde(default)]
                any: serde_json::Value,
            }
            Bar::crd_json().unwrap_err().to_string()
        }};
    }
    assert_eq!(
        refused!(column(name = "R", json_path = ".spec.replica")),
        "CRD of Bar: column \"R\": .spec.replica leads nowhere: .spec has any, name, replicas; \
         write the path of a field as it is in JSON"
    );
    assert_eq!(
        refused!(column(name = "R", json_path = ".spec.any.x")),
        "CRD of Bar: column \"R\": the type at .spec.any.x is not known; \
         write type = \"string\", or what it is, in the column"
    );
    assert_eq!(
        refused!(scale(spec_path = ".spec.name", status_path = ".status.availableReplicas")),
        "CRD of Bar: scale: .spec.name is of type string, not integer; name another field"
    );
    assert_eq!(
        refused!(selectable_field = ".spec.nothing"),
        "CRD of Bar: selectable_field: .spec.nothing leads nowhere: .spec has any, name, replicas; \
         write the path of a field as it is in JSON"
    );
}

/// Embedded built-in types are structural by themselves.
#[test]
fn pod_template() {
    #[derive(
        CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema,
    )]
    #[resource(group = "example.com", version = "v1", namespaced, crate = "pintle_apimachinery")]
    struct RunnerSpec {
        #[serde(default)]
        template: PodTemplateSpec,
    }
    let crd: CustomResourceDefinition = Runner::crd().unwrap();
    let schema = crd.spec.versions[0].schema.as_ref().unwrap();
    let root = schema.open_api_v3_schema.as_ref().unwrap();
    let template = &root.properties["spec"].properties["template"];
    let container =
        &template.properties["spec"].properties["containers"].items.as_ref().unwrap().schema;
    let container = container.as_ref().unwrap();
    let ports = &container.properties["ports"];
    assert_eq!(ports.x_kubernetes_list_type.as_deref(), Some("map"));
    assert!(container.properties["resources"].properties["limits"].additional_properties.is_some());
    // Rust's default has no containers, which a server would refuse.
    assert_eq!(template.default, None);
}
