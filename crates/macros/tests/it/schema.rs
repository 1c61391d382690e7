//! Rust types as structural schemas: each form that serde knows.
use pintle_apimachinery::{CustomResource, Error, IntOrString, Time};
use pintle_macros::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The schema of a spec that is a struct with the given members.
macro_rules! schema {
    ($($body:tt)*) => {{
        #[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[resource(group = "example.com", version = "v1", kind = "T", namespaced, crate = "pintle_apimachinery")]
        struct TSpec { $($body)* }
        spec(T::crd_json())
    }};
}
fn spec(crd: Result<Value, Error>) -> Result<Value, String> {
    let crd = crd.map_err(|e| e.to_string())?;
    let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    assert_structural(spec, "spec", false);
    Ok(spec.clone())
}

/// The rules of the API server, as far as they concern what is written here.
fn assert_structural(node: &Value, path: &str, nested: bool) {
    let o = node.as_object().unwrap_or_else(|| panic!("{path} is {node}"));
    for key in [
        "$ref",
        "definitions",
        "$defs",
        "const",
        "uniqueItems",
        "patternProperties",
        "prefixItems",
        "$schema",
    ] {
        assert!(!o.contains_key(key), "{path} has {key}: {node}");
    }
    if nested {
        for key in ["type", "description", "default", "nullable", "additionalProperties", "title"] {
            assert!(!o.contains_key(key), "{path} has {key} in a junctor: {node}");
        }
        assert!(!o.keys().any(|k| k.starts_with("x-kubernetes")), "{path}: {node}");
    } else {
        let typed = ["type", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"];
        assert!(typed.iter().any(|k| o.contains_key(*k)), "{path} has no type: {node}");
        assert!(o.get("type").is_none_or(Value::is_string), "{path}: {node}");
        assert!(
            !(o.contains_key("properties") && o.contains_key("additionalProperties")),
            "{path}: {node}"
        );
        assert!(
            o.get("type") != Some(&json!("array")) || o.contains_key("items"),
            "{path}: {node}"
        );
    }
    for (name, p) in o.get("properties").and_then(Value::as_object).into_iter().flatten() {
        assert_structural(p, &format!("{path}.{name}"), nested);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = o.get(key) {
            assert_structural(inner, &format!("{path}.{key}"), nested);
        }
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        for (i, inner) in o.get(key).and_then(Value::as_array).into_iter().flatten().enumerate() {
            assert_structural(inner, &format!("{path}.{key}[{i}]"), true);
        }
    }
}

#[test]
fn scalars() {
    let s = schema! {
        a: u8, b: i16, c: u32, d: u64, e: i64, f: f32, g: bool, h: char, i: Option<i32>, j: usize,
        #[schemars(extend("exclusiveMinimum" = 0))] k: i32,
        #[schemars(length(min = 1, max = 3), regex(pattern = "^a"))] l: String,
    }
    .unwrap();
    let p = &s["properties"];
    assert_eq!(p["a"], json!({"type": "integer", "format": "int32", "minimum": 0, "maximum": 255}));
    assert_eq!(
        p["b"],
        json!({"type": "integer", "format": "int32", "minimum": -32768, "maximum": 32767})
    );
    assert_eq!(
        p["c"],
        json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": 4294967295u32})
    );
    assert_eq!(p["d"], json!({"type": "integer", "format": "int64", "minimum": 0}));
    assert_eq!(p["e"], json!({"type": "integer", "format": "int64"}));
    assert_eq!(p["f"], json!({"type": "number", "format": "float"}));
    assert_eq!(p["g"], json!({"type": "boolean"}));
    assert_eq!(p["h"], json!({"type": "string", "minLength": 1, "maxLength": 1}));
    assert_eq!(p["i"], json!({"type": "integer", "format": "int32", "nullable": true}));
    assert_eq!(p["j"], json!({"type": "integer", "format": "int64", "minimum": 0}));
    assert_eq!(
        p["k"],
        json!({"type": "integer", "format": "int32", "minimum": 0, "exclusiveMinimum": true})
    );
    assert_eq!(p["l"], json!({"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^a"}));
    assert_eq!(s["required"], json!(["a", "b", "c", "d", "e", "f", "g", "h", "j", "k", "l"]));
}

#[test]
fn collections_and_leaves() {
    #[derive(
        Clone,
        Debug,
        Default,
        PartialEq,
        Eq,
        Hash,
        PartialOrd,
        Ord,
        Serialize,
        Deserialize,
        JsonSchema,
    )]
    enum Key {
        #[default]
        A,
        B,
    }
    let s = schema! {
        set: BTreeSet<String>, ints: HashMap<u32, bool>, keys: BTreeMap<Key, i32>, any: Value,
        anys: BTreeMap<String, Value>, list: Vec<Option<String>>, three: [i32; 3], pair: (i32, i32),
        port: IntOrString, time: Option<Time>, quantity: pintle_apimachinery::Quantity,
        raw: pintle_apimachinery::RawExtension, secs: std::time::Duration, unit: (),
        #[schemars(schema_with = "pintle_apimachinery::preserve_unknown_fields")] tree: String,
    }
    .unwrap();
    let p = &s["properties"];
    assert_eq!(
        p["set"],
        json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"})
    );
    assert_eq!(p["ints"], json!({"type": "object", "additionalProperties": {"type": "boolean"}}));
    let int = json!({"type": "integer", "format": "int32"});
    assert_eq!(p["keys"], json!({"type": "object", "properties": {"A": int, "B": int}}));
    assert_eq!(p["any"], json!({"x-kubernetes-preserve-unknown-fields": true}));
    assert_eq!(p["anys"], json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
    assert_eq!(p["list"], json!({"type": "array", "items": {"type": "string", "nullable": true}}));
    assert_eq!(p["three"], json!({"type": "array", "items": int, "minItems": 3, "maxItems": 3}));
    assert_eq!(p["pair"], json!({"type": "array", "items": int, "minItems": 2, "maxItems": 2}));
    assert_eq!(p["port"], json!({"x-kubernetes-int-or-string": true}));
    assert_eq!(p["time"], json!({"type": "string", "format": "date-time", "nullable": true}));
    assert_eq!(p["quantity"]["x-kubernetes-int-or-string"], true);
    assert_eq!(p["raw"], json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
    assert_eq!(p["secs"]["properties"]["nanos"]["type"], "integer");
    assert_eq!(p["unit"], json!({"type": "object", "maxProperties": 0, "nullable": true}));
    assert_eq!(p["tree"], json!({"x-kubernetes-preserve-unknown-fields": true}));
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Inner {
    x: i32,
}

#[test]
fn enums_of_names() {
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    enum Plain {
        #[default]
        A,
        B,
    }
    /// Which way.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    enum Told {
        /// Left.
        #[default]
        Left,
        Right,
        /// Up.
        Up,
    }
    let s = schema! { plain: Plain, maybe: Option<Plain>, told: Told, maybe_told: Option<Told> }
        .unwrap();
    let p = &s["properties"];
    assert_eq!(p["plain"], json!({"type": "string", "enum": ["A", "B"]}));
    assert_eq!(p["maybe"], json!({"type": "string", "enum": ["A", "B", null], "nullable": true}));
    let mut names: Vec<&str> =
        p["told"]["enum"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    names.sort_unstable();
    assert_eq!((names, &p["told"]["type"]), (vec!["Left", "Right", "Up"], &json!("string")));
    assert!(p["told"].get("oneOf").is_none());
    let description = p["told"]["description"].as_str().unwrap();
    assert!(
        description.starts_with("Which way.\n\n- Left: Left.") && description.contains("- Up: Up."),
        "{description}"
    );
    assert_eq!(p["maybe_told"]["nullable"], true);
    assert!(p["maybe_told"]["enum"].as_array().unwrap().contains(&Value::Null));
}

#[test]
fn tagged_enums() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    enum External {
        /// By number.
        Number(i32),
        Inner(Inner),
        Empty {},
    }
    impl Default for External {
        fn default() -> Self {
            External::Empty {}
        }
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "type")]
    enum Internal {
        #[default]
        None,
        Fixed {
            #[schemars(range(max = 5))]
            size: i32,
        },
        Auto {
            size: i32,
            limit: Option<i32>,
        },
        Wrapped(Inner),
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        #[default]
        Off,
        A(Inner),
        B {
            y: String,
        },
    }
    let s = schema! { external: External, maybe: Option<External>, internal: Internal, adjacent: Adjacent }.unwrap();
    let p = &s["properties"];
    let int = json!({"type": "integer", "format": "int32"});
    let inner = json!({"type": "object", "properties": {"x": int}, "required": ["x"]});
    let external = json!({
        "type": "object",
        "properties": {
            "Number": {"type": "integer", "format": "int32", "description": "By number."},
            "Inner": inner,
            "Empty": {"type": "object"},
        },
        "oneOf": [{"required": ["Number"]}, {"required": ["Inner"]}, {"required": ["Empty"]}],
    });
    assert_eq!(p["external"], external);
    let mut nullable = external;
    nullable["nullable"] = true.into();
    assert_eq!(p["maybe"], nullable);
    let is = |v: &str| json!({"enum": [v]});
    assert_eq!(
        p["internal"],
        json!({
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": ["None", "Fixed", "Auto", "Wrapped"]},
                "size": {"type": "integer", "format": "int32"},
                "limit": {"type": "integer", "format": "int32", "nullable": true},
                "x": int,
            },
            "required": ["type"],
            "oneOf": [
                {"properties": {"type": is("None")}},
                {"properties": {"type": is("Fixed"), "size": {"maximum": 5}}, "required": ["size"]},
                {"properties": {"type": is("Auto")}, "required": ["size"]},
                {"properties": {"type": is("Wrapped")}, "required": ["x"]},
            ],
        })
    );
    assert_eq!(
        p["adjacent"],
        json!({
            "type": "object",
            "properties": {
                "t": {"type": "string", "enum": ["Off", "A", "B"]},
                "c": {"type": "object", "properties": {"x": int, "y": {"type": "string"}}},
            },
            "required": ["t"],
            "oneOf": [
                {"properties": {"t": is("Off")}},
                {"properties": {"t": is("A"), "c": {"required": ["x"]}}, "required": ["c"]},
                {"properties": {"t": is("B"), "c": {"required": ["y"]}}, "required": ["c"]},
            ],
        })
    );
}

#[test]
fn untagged_enums() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(untagged)]
    enum Port {
        Number(u16),
        Name(String),
    }
    impl Default for Port {
        fn default() -> Self {
            Port::Number(0)
        }
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(untagged)]
    enum Either {
        A { a: i32 },
        B { b: String, c: Option<bool> },
    }
    impl Default for Either {
        fn default() -> Self {
            Either::A { a: 0 }
        }
    }
    let s = schema! { port: Port, either: Option<Either> }.unwrap();
    assert_eq!(s["properties"]["port"]["x-kubernetes-int-or-string"], true);
    assert_eq!(
        s["properties"]["either"],
        json!({
            "type": "object",
            "properties": {
                "a": {"type": "integer", "format": "int32"},
                "b": {"type": "string"},
                "c": {"type": "boolean", "nullable": true},
            },
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
            "nullable": true,
        })
    );
}

#[test]
fn flattened() {
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    enum Source {
        #[default]
        Nothing,
        Git {
            url: String,
        },
        Inline(Inner),
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "mode")]
    enum Mode {
        #[default]
        Off,
        On {
            level: i32,
        },
    }
    let s = schema! {
        name: String,
        #[serde(flatten)] inner: Inner,
        #[serde(flatten)] source: Source,
        #[serde(flatten)] mode: Mode,
    }
    .unwrap();
    let mut names: Vec<&String> = s["properties"].as_object().unwrap().keys().collect();
    names.sort_unstable();
    assert_eq!(names, ["Git", "Inline", "Nothing", "level", "mode", "name", "x"]);
    assert_eq!(s["properties"]["Nothing"]["nullable"], true);
    let text = s.to_string();
    assert!(
        text.contains(r#"{"required":["Git"]}"#) && text.contains(r#""enum":["On"]"#),
        "{text}"
    );
    for name in ["name", "x", "mode"] {
        assert!(s["required"].as_array().unwrap().iter().any(|n| n == name), "{s}");
    }

    let s = schema! { name: String, #[serde(flatten)] source: Option<Source> }.unwrap();
    assert_eq!(s["properties"]["Git"]["type"], "object");
    assert_eq!(s["required"], json!(["name"]));
    assert!(s.get("oneOf").is_none() && s.get("anyOf").is_none(), "{s}");

    let s = schema! { name: String, #[serde(flatten)] rest: HashMap<String, i32> }.unwrap();
    assert_eq!(s["x-kubernetes-preserve-unknown-fields"], true);
    let s = schema! { #[serde(flatten)] rest: HashMap<String, i32> }.unwrap();
    assert_eq!(s["additionalProperties"]["type"], "integer");
}

#[test]
fn defaults() {
    fn five() -> i32 {
        5
    }
    let s = schema! {
        #[serde(default = "five")] #[schemars(range(min = 1))] a: i32,
        #[serde(default)] b: Option<String>,
        #[serde(default)] c: Inner,
        #[serde(default)] d: bool,
    }
    .unwrap();
    let p = &s["properties"];
    assert_eq!(
        (&p["a"]["default"], &p["c"]["default"], &p["d"]["default"]),
        (&json!(5), &json!({"x": 0}), &json!(false))
    );
    assert!(p["b"].get("default").is_none());
    assert!(s.get("required").is_none());
}

#[test]
fn extensions() {
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    struct Item {
        name: String,
    }
    let s = schema! {
        #[schemars(extend("x-kubernetes-validations" = [{"rule": "self != ''"}]))] a: String,
        #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))] b: Vec<Item>,
    }
    .unwrap();
    assert_eq!(s["properties"]["a"]["x-kubernetes-validations"], json!([{"rule": "self != ''"}]));
    assert_eq!(s["properties"]["b"]["x-kubernetes-list-map-keys"], json!(["name"]));
    let e = schema! {
        #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["nam"]))] b: Vec<Item>,
    };
    assert_eq!(
        e.unwrap_err(),
        "CRD of T: spec.b: its list map key \"nam\" is no field of the elements; name a field as it is in JSON"
    );
}

/// Extensions where they do not belong.
#[test]
fn misplaced_list_keys() {
    let e = schema! {
        #[schemars(extend("x-kubernetes-list-map-keys" = ["name"]))] b: String,
    };
    assert_eq!(
        e.unwrap_err(),
        "CRD of T: spec.b: its list map key \"name\" is no field of the elements; name a field as it is in JSON"
    );
}

/// What no structural schema can say is an error with the field and what to write.
#[test]
fn impossible() {
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    struct Node {
        children: Vec<Node>,
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    enum Mixed {
        #[default]
        Nothing,
        Size(Inner),
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "type")]
    enum Clash {
        #[default]
        None,
        A {
            value: i32,
        },
        B {
            value: Vec<String>,
        },
    }
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    struct Holder {
        clash: Vec<Clash>,
    }
    for (given, expect) in [
        (
            schema! { tree: Node },
            "CRD of T: spec.tree.children[]: type Node contains itself, which a CRD cannot express; \
             write #[schemars(schema_with = \"preserve_unknown_fields\")] on the field to leave it unchecked",
        ),
        (
            schema! { mixed: Mixed },
            "CRD of T: spec.mixed: it is object in one variant and string in another, and a CRD has one type per field; \
             write unit variants as `Variant {}`, which is an object too, or write \
             #[schemars(schema_with = \"preserve_unknown_fields\")] on the field to leave it unchecked",
        ),
        (
            schema! { holder: BTreeMap<String, Holder> },
            "CRD of T: spec.holder.*.clash[].value: it is array in one variant and integer in another, and a CRD has one type per field; \
             give the variants' fields different names, or write \
             #[schemars(schema_with = \"preserve_unknown_fields\")] on the field to leave it unchecked",
        ),
        (
            schema! { pair: (i32, String) },
            "CRD of T: spec.pair: it is a tuple of different types, which a CRD cannot express; make it a struct with named fields",
        ),
        (
            schema! { #[serde(default)] #[schemars(range(min = 1))] n: i32 },
            "CRD of T: spec.n: its default 0 is below the minimum 1; give a default that is allowed, \
             #[serde(default = \"...\")], or take #[serde(default)] off",
        ),
    ] {
        assert_eq!(given.unwrap_err(), expect);
    }
}
