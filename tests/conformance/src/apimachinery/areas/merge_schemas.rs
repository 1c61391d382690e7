//! Schemas for the areas of structured merge, and their shape.
use crate::apimachinery::rng::Rng;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Synthetic schemas with one of everything, and the names of their types.
static SCHEMAS: LazyLock<Vec<(Value, Vec<&'static str>)>> = LazyLock::new(|| {
    let scalar = |s: &str| json!({"scalar": s});
    let list = |of: Value, relationship: &str, keys: Value| json!({"list": {"elementType": of, "elementRelationship": relationship, "keys": keys}});
    let named = |n: &str| json!({"namedType": n});
    let field = |name: &str, ty: Value| json!({"name": name, "type": ty});
    let untyped = [
        json!({"name": "__untyped_atomic_", "scalar": "untyped",
            "list": {"elementType": {"namedType": "__untyped_atomic_"}, "elementRelationship": "atomic"},
            "map": {"elementType": {"namedType": "__untyped_atomic_"}, "elementRelationship": "atomic"}}),
        json!({"name": "__untyped_deduced_", "scalar": "untyped",
            "list": {"elementType": {"namedType": "__untyped_atomic_"}, "elementRelationship": "atomic"},
            "map": {"elementType": {"namedType": "__untyped_deduced_"}, "elementRelationship": "separable"}}),
    ];
    let mixed = json!({"types": [
        {"name": "all", "map": {"fields": [
            field("numeric", scalar("numeric")),
            field("string", scalar("string")),
            field("bool", scalar("boolean")),
            field("any", scalar("untyped")),
            field("setStr", list(scalar("string"), "associative", json!([]))),
            field("setNum", list(scalar("numeric"), "associative", json!([]))),
            field("setAny", list(scalar("untyped"), "associative", json!([]))),
            field("atomic", list(scalar("string"), "atomic", json!([]))),
            field("list", list(named("item"), "associative", json!(["name"]))),
            field("list2", list(named("pair"), "associative", json!(["a", "b"]))),
            field("defaulted", list(named("port"), "associative", json!(["port", "protocol"]))),
            field("nested", named("nested")),
            field("map", json!({"map": {"elementType": scalar("string")}})),
            field("mapOfMaps", json!({"map": {"elementType": {"map": {"elementType": scalar("numeric")}}}})),
            field("atomicMap", json!({"map": {"elementType": scalar("string"), "elementRelationship": "atomic"}})),
            field("color", named("color")),
            field("colorGranular", json!({"namedType": "color", "elementRelationship": "separable"})),
            field("itemAtomic", json!({"namedType": "item", "elementRelationship": "atomic"})),
            field("deduced", named("__untyped_deduced_")),
            field("untyped", named("__untyped_atomic_")),
            field("several", named("several")),
            field("mapOfLists", json!({"map": {"elementType": list(scalar("string"), "associative", json!([]))}})),
            field("nullable", json!({"scalar": "string", "nullable": true})),
        ]}},
        {"name": "item", "map": {"fields": [
            field("name", scalar("string")),
            field("value", scalar("numeric")),
            field("tags", list(scalar("string"), "associative", json!([]))),
            field("sub", named("color")),
            field("open", json!({"map": {"elementType": scalar("untyped")}})),
        ]}},
        {"name": "pair", "map": {"fields": [
            field("a", scalar("string")), field("b", scalar("numeric")), field("c", scalar("untyped")),
        ]}},
        {"name": "port", "map": {"fields": [
            field("port", scalar("numeric")),
            {"name": "protocol", "type": scalar("string"), "default": "TCP"},
            field("name", scalar("string")),
        ]}},
        {"name": "nested", "map": {"fields": [
            field("struct", named("nested")),
            field("list", list(named("nestedItem"), "associative", json!(["name"]))),
            field("value", scalar("numeric")),
            field("map", json!({"map": {"elementType": named("nested")}})),
        ]}},
        {"name": "nestedItem", "map": {"fields": [
            field("name", scalar("string")),
            field("list", list(named("nestedItem"), "associative", json!(["name"]))),
            field("value", scalar("numeric")),
        ], "elementType": scalar("string")}},
        {"name": "color", "map": {"fields": [
            field("r", scalar("numeric")), field("g", scalar("numeric")), field("b", scalar("numeric")),
        ], "elementRelationship": "atomic"}},
        {"name": "several", "scalar": "numeric",
            "list": {"elementType": scalar("string"), "elementRelationship": "associative"},
            "map": {"elementType": scalar("boolean")}},
        untyped[0], untyped[1],
    ]});
    // The same with more or less that is atomic.
    let changed = json!({"types": [
        {"name": "all", "map": {"fields": [
            field("list", list(named("item"), "atomic", json!([]))),
            field("nested", json!({"namedType": "nested", "elementRelationship": "atomic"})),
            field("map", json!({"map": {"elementType": scalar("string"), "elementRelationship": "atomic"}})),
            field("deduced", named("__untyped_deduced_")),
            field("color", json!({"namedType": "item", "elementRelationship": "separable"})),
        ], "elementType": named("__untyped_deduced_")}},
        {"name": "item", "map": {"fields": [field("name", scalar("string")), field("value", scalar("numeric"))]}},
        {"name": "nested", "map": {"fields": [field("value", scalar("numeric")), field("struct", named("nested"))]}},
        untyped[0], untyped[1],
    ]});
    vec![
        (mixed, vec!["all", "all", "all", "all", "nested", "several", "nestedItem"]),
        (changed, vec!["all", "all", "nested"]),
    ]
});

/// A schema and the name of one of its types.
pub(super) fn schema_input(rng: &mut Rng) -> (Value, &'static str) {
    let at = usize::from(rng.chance(20));
    let (schema, names) = &SCHEMAS[at];
    (schema.clone(), *rng.pick(names))
}

/// An OpenAPI schema.
fn open(rng: &mut Rng, depth: usize, odd: bool) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, v: Value| {
        out.insert(key.to_owned(), v);
    };
    if rng.chance(8) {
        put("nullable", true.into());
    }
    if rng.chance(8) {
        put("default", (*rng.pick(&["a", "TCP"])).into());
    }
    let kinds = if depth == 0 { 5 } else { 11 };
    match rng.below(kinds) {
        0 => put("type", "integer".into()),
        1 => {
            put("type", "string".into());
            if rng.chance(30) {
                put("format", (*rng.pick(&["byte", "date-time", "int-or-string", "ipv4"])).into());
            }
        }
        2 => put("type", "boolean".into()),
        3 => put("type", "number".into()),
        4 => {
            put("x-kubernetes-int-or-string", true.into());
            put("anyOf", json!([{"type": "integer"}, {"type": "string"}]));
        }
        5 | 6 => {
            put("type", "array".into());
            match rng.below(4) {
                0 => {
                    put("items", json!({"type": *rng.pick(&["string", "integer"])}));
                    put("x-kubernetes-list-type", "set".into());
                }
                1 | 2 => {
                    let mut properties = Map::new();
                    properties.insert("name".into(), json!({"type": "string"}));
                    properties.insert("n".into(), json!({"type": "integer", "default": 1}));
                    properties.insert("x".into(), open(rng, depth - 1, odd));
                    put(
                        "items",
                        json!({"type": "object", "properties": properties, "required": ["name"]}),
                    );
                    put("x-kubernetes-list-type", "map".into());
                    let keys = if rng.chance(50) { json!(["name"]) } else { json!(["name", "n"]) };
                    put("x-kubernetes-list-map-keys", keys);
                }
                _ => {
                    put("items", open(rng, depth - 1, odd));
                    if rng.chance(50) {
                        put("x-kubernetes-list-type", "atomic".into());
                    }
                }
            }
        }
        7 => {
            put("type", "object".into());
            put("additionalProperties", open(rng, depth - 1, odd));
        }
        8 => {
            put("type", "object".into());
            put("x-kubernetes-preserve-unknown-fields", true.into());
        }
        _ => {
            put("type", "object".into());
            let fields = (0..rng.below(4)).map(|_| {
                let name = *rng.pick(&["a", "b", "c", "spec"]);
                (name.to_owned(), open(rng, depth - 1, odd))
            });
            put("properties", Value::Object(fields.collect()));
            if rng.chance(25) {
                put("x-kubernetes-map-type", (*rng.pick(&["atomic", "granular"])).into());
            }
            if rng.chance(10) {
                put("x-kubernetes-preserve-unknown-fields", true.into());
            }
        }
    }
    if odd && rng.chance(8) {
        match rng.below(9) {
            0 => put("type", "file".into()),
            1 => put("x-kubernetes-list-type", "x".into()),
            2 => put("x-kubernetes-map-type", "x".into()),
            3 => put(
                "x-kubernetes-patch-strategy",
                (*rng.pick(&["merge", "retainKeys", "merge,retainKeys", "replace"])).into(),
            ),
            4 => put("x-kubernetes-patch-merge-key", (*rng.pick(&["name", "n"])).into()),
            5 => put("additionalProperties", rng.chance(50).into()),
            6 => put("x-kubernetes-list-map-keys", "name".into()),
            7 => put("$ref", "#/components/schemas/Other".into()),
            _ => put("allOf", json!([{"$ref": "#/components/schemas/Other"}])),
        }
    }
    Value::Object(out)
}

/// Models of OpenAPI.
pub(super) fn models(rng: &mut Rng) -> Value {
    let mut out = Map::new();
    out.insert("Foo".into(), open(rng, 4, true));
    if rng.chance(70) {
        out.insert("Other".into(), open(rng, 2, true));
    }
    if rng.chance(10) {
        out.insert(
            "io.k8s.apimachinery.pkg.api.resource.Quantity".into(),
            json!({"type": "string"}),
        );
        out.insert(
            "io.k8s.apimachinery.pkg.runtime.RawExtension".into(),
            json!({"type": "object"}),
        );
    }
    Value::Object(out)
}

/// A CustomResourceDefinition.
pub(super) fn crd(rng: &mut Rng, several: bool) -> Value {
    let version = |rng: &mut Rng, name: &str| {
        let mut v = json!({"name": name, "served": true, "storage": name == "v1"});
        if rng.chance(93) {
            let mut schema = json!({"type": "object", "properties": {"spec": open(rng, 4, false), "status": open(rng, 2, false)}});
            if rng.chance(10) {
                schema["properties"]["template"] = json!({"type": "object", "x-kubernetes-embedded-resource": true,
                    "x-kubernetes-preserve-unknown-fields": true});
            }
            if rng.chance(10) {
                schema["x-kubernetes-preserve-unknown-fields"] = true.into();
            }
            v["schema"] = json!({"openAPIV3Schema": schema});
        }
        v
    };
    let mut versions = vec![version(rng, "v1")];
    if several && rng.chance(30) {
        versions.push(version(rng, "v2"));
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "foos", "singular": "foo", "kind": "Foo", "listKind": "FooList"},
            "versions": versions,
        },
    })
}
