//! The kind, its list, its codecs.
use pintle_apimachinery::{
    AnyKind, Codec, CustomResource, Decoder, Format, Kind, ListKind, Map, Object, ObjectList,
    Quantity, Resource, Scheme, Scope, Unstructured, meta_v1,
};
use pintle_macros::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[resource(group = "example.com", version = "v1", kind = "Foo", namespaced, status = FooStatus)]
#[resource(crate = "pintle_apimachinery")]
#[serde(rename_all = "camelCase", default)]
struct FooSpec {
    deployment_name: String,
    replicas: i32,
    limits: Map<Quantity>,
    mode: Mode,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
    selector: Option<meta_v1::LabelSelector>,
    nested: Vec<Nested>,
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Mode {
    #[default]
    Fast,
    Slow {
        seconds: u32,
    },
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Nested {
    port: u16,
}
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct FooStatus {
    available_replicas: i32,
}

#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[resource(group = "example.com", version = "v1alpha1", cluster, crate = "pintle_apimachinery")]
struct GatewayPolicySpec {
    x: i32,
}

fn json(object: &impl Codec) -> String {
    let mut out = Vec::new();
    object.encode(Format::Json, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
fn from_json(text: &str) -> Result<Foo, pintle_apimachinery::Error> {
    Foo::decode(text.as_bytes(), Format::Json, &mut Decoder::interning())
}

#[test]
fn static_facts() {
    assert_eq!(
        (Foo::GROUP, Foo::VERSION, Foo::KIND, Foo::PLURAL),
        ("example.com", "v1", "Foo", "foos")
    );
    let namespaced = [
        <<Foo as Resource>::Scope as Scope>::NAMESPACED,
        <<GatewayPolicy as Resource>::Scope as Scope>::NAMESPACED,
    ];
    assert_eq!(namespaced, [true, false]);
    assert_eq!((GatewayPolicy::KIND, GatewayPolicy::PLURAL), ("GatewayPolicy", "gatewaypolicies"));
    assert_eq!(GatewayPolicyList::KIND, "GatewayPolicyList");
    assert_eq!(GatewayPolicy::DEFINITION.singular, "gatewaypolicy");
    assert_eq!(
        GatewayPolicy::new("a", GatewayPolicySpec { x: 1 }).gvk().to_string(),
        "example.com/v1alpha1, Kind=GatewayPolicy"
    );
    let boxed: Box<dyn Object> = Box::new(Foo::new("one", FooSpec::default()));
    assert_eq!(boxed.clone_object().name(), "one");
    fn item<L: ListKind<Item = Foo>>(_: &L) {}
    item(&FooList::default());
}

#[test]
fn there_and_back() {
    let text = r#"{"apiVersion":"example.com/v1","kind":"Foo","metadata":{"name":"one","labels":{"a":"b"}},
        "spec":{"deploymentName":"web","replicas":3,"limits":{"cpu":"500m"},"mode":{"Slow":{"seconds":4}},
        "more":[1,{"x":null}],"selector":{"matchLabels":{"app":"web"}},"nested":[{"port":80,"unknown":1}]},
        "status":{"availableReplicas":3,"later":true},"unknown":{"deep":[]}}"#;
    let foo = from_json(text).unwrap();
    assert_eq!(foo.spec.mode, Mode::Slow { seconds: 4 });
    assert_eq!(foo.spec.limits["cpu"].to_string(), "500m");
    assert_eq!(foo.spec.rest["more"], serde_json::json!([1, {"x": null}]));
    assert_eq!(foo.spec.selector.as_ref().unwrap().match_labels["app"], "web");
    assert_eq!(foo.status.available_replicas, 3);
    assert_eq!(from_json(&json(&foo)).unwrap(), foo);

    // YAML writes enums as Kubernetes reads them: no tags.
    let mut yaml = Vec::new();
    foo.encode(Format::Yaml, &mut yaml).unwrap();
    let yaml = String::from_utf8(yaml).unwrap();
    assert!(yaml.contains("  mode:\n    Slow:\n      seconds: 4\n"), "{yaml}");
    assert_eq!(Foo::decode(yaml.as_bytes(), Format::Yaml, &mut Decoder::new()).unwrap(), foo);

    // serde gives and takes the same.
    let value = serde_json::to_value(&foo).unwrap();
    assert_eq!(value, serde_json::from_str::<serde_json::Value>(&json(&foo)).unwrap());
    assert_eq!(serde_json::from_value::<Foo>(value).unwrap(), foo);

    let unstructured = Unstructured::from_typed(&foo).unwrap();
    assert_eq!(unstructured.to_typed::<Foo>().unwrap(), foo);
}

#[test]
fn default_status_is_absent() {
    let mut foo = Foo::new("one", FooSpec::default());
    assert!(!json(&foo).contains("status"));
    assert!(serde_json::to_value(&foo).unwrap().get("status").is_none());
    foo.status.available_replicas = 1;
    assert!(json(&foo).ends_with(r#""status":{"availableReplicas":1}}"#));
    for absent in [r#"{"status":null}"#, r#"{"status":{}}"#, "{}"] {
        assert_eq!(from_json(absent).unwrap(), Foo::default(), "{absent}");
        assert_eq!(serde_json::from_str::<Foo>(absent).unwrap(), Foo::default(), "{absent}");
    }
    // A kind without status passes over one.
    let text = br#"{"spec":{"x":1},"status":{"y":2}}"#;
    let policy = GatewayPolicy::decode(text, Format::Json, &mut Decoder::new()).unwrap();
    assert_eq!(
        json(&policy),
        r#"{"kind":"GatewayPolicy","apiVersion":"example.com/v1alpha1","metadata":{},"spec":{"x":1}}"#
    );
}

#[track_caller]
fn refused(text: &str, expect: &str) {
    let error = from_json(text).unwrap_err();
    assert!(error.is_decode());
    assert_eq!(error.to_string(), expect);
}

#[test]
fn errors_name_the_field() {
    refused(
        r#"{"spec":{"replicas":"two"}}"#,
        r#"Foo: spec.replicas: invalid type: string "two", expected i32 (at byte 25)"#,
    );
    refused(
        "{\n \"spec\":\n  {\"nested\":[{\"port\":1},\n {\"port\":70000}]}}",
        "Foo: spec.nested[1].port: invalid value: integer `70000`, expected u16 (at byte 50)",
    );
    refused(
        r#"{"spec":{"nested":[{}]}}"#,
        "Foo: spec.nested[0]: missing field `port` (at byte 21)",
    );
    refused(
        r#"{"status":{"availableReplicas":[1]}}"#,
        "Foo: status.availableReplicas: invalid type: sequence, expected i32 (at byte 31)",
    );
    refused(
        r#"{"kind":"Bar","apiVersion":"example.com/v1"}"#,
        "the body is a Bar of example.com/v1, not a Foo of example.com/v1",
    );
    refused(
        r#"{"kind":"Foo","apiVersion":"example.com/v2"}"#,
        "the body is a Foo of example.com/v2, not a Foo of example.com/v1",
    );
    let error = from_json(r#"{"metadata":{"labels":{"a":7}}}"#).unwrap_err().to_string();
    assert!(error.starts_with("Foo: metadata: labels"), "{error}");
    for broken in [
        "",
        "[]",
        "{",
        r#"{"spec":"#,
        r#"{"spec":{}"#,
        r#"{"spec":{}}x"#,
        r#"{"spec":[1}"#,
        "nul",
        "\"x\"",
    ] {
        assert!(from_json(broken).is_err(), "{broken}");
    }
    let deep = format!(r#"{{"spec":{{"more":{}{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(from_json(&deep).is_err());
    let protobuf = Foo::decode(b"k8s\0", Format::Protobuf, &mut Decoder::new()).unwrap_err();
    assert!(protobuf.to_string().contains("application/json"), "{protobuf}");
    assert!(Foo::default().encode(Format::Protobuf, &mut Vec::new()).unwrap_err().is_encode());
}

#[test]
fn lists_and_schemes() {
    let mut scheme = Scheme::new();
    scheme.register::<Foo>().register::<FooList>();
    let list = FooList { items: vec![Foo::new("a", FooSpec::default())], ..Default::default() };
    let mut bytes = Vec::new();
    list.encode_any(Format::Json, &mut bytes).unwrap();
    let back = scheme.decode(&bytes, Format::Json).unwrap();
    assert_eq!(back.gvk().kind, "FooList");
    let back = back.into_any().downcast::<ObjectList<Foo>>().unwrap();
    assert_eq!(*back, list);
    let item = scheme.decode(json(&list.items[0]).as_bytes(), Format::Json).unwrap();
    assert_eq!(item.as_any().downcast_ref::<Foo>(), Some(&list.items[0]));
}

/// A status may be optional: then present and empty differ.
#[test]
fn optional_status() {
    #[derive(
        CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema,
    )]
    #[resource(group = "example.com", version = "v1", rust_name = "BarV1", namespaced)]
    #[resource(status = Option<FooStatus>, crate = "pintle_apimachinery")]
    struct BarSpec {}
    let text = br#"{"status":{}}"#;
    let bar = BarV1::decode(text, Format::Json, &mut Decoder::new()).unwrap();
    assert_eq!(bar.status, Some(FooStatus::default()));
    assert!(json(&bar).ends_with(r#""status":{"availableReplicas":0}}"#));
    assert_eq!((BarV1::KIND, BarV1List::KIND), ("Bar", "BarList"));
}
