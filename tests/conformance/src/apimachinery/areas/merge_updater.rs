//! Sequences of updates and applies by several managers and versions, in which the schema changes:
//! what merges becomes atomic and the other way round, lists get keys, fields and versions come and
//! go; with fields that nobody owns.
use super::merge_values::{Noise, QUIET, SOME, element_text, part_of, set_text, value_of, variant};
use crate::apimachinery::area::Case;
use crate::apimachinery::rng::Rng;
use pintle_structured_merge::{ParseableType, Schema, TypeRef};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A schema of two versions, with what can change in it by chance.
fn schema(rng: &mut Rng) -> Value {
    let mut relationship = |of: Value, name: &str, percent: u32| -> Value {
        let mut of = of;
        if rng.chance(percent) {
            of[name] = "atomic".into();
        }
        of
    };
    let scalar = |name: &str| json!({"scalar": name});
    let named = |name: &str| json!({"namedType": name});
    let item = relationship(
        json!({"fields": [
            {"name": "name", "type": scalar("string")},
            {"name": "port", "type": scalar("numeric"), "default": 80},
            {"name": "value", "type": scalar("string")},
            {"name": "sub", "type": named("pair")},
        ]}),
        "elementRelationship",
        8,
    );
    let pair = relationship(
        json!({"fields": [
            {"name": "a", "type": scalar("string")}, {"name": "b", "type": scalar("numeric")},
        ]}),
        "elementRelationship",
        30,
    );
    let map = relationship(json!({"elementType": scalar("string")}), "elementRelationship", 30);
    let pairs = relationship(json!({"elementType": named("pair")}), "elementRelationship", 20);
    let tuple = relationship(named("pair"), "elementRelationship", 20);
    let list = |keys: &[&str], element: Value| json!({"list": {"elementType": element, "elementRelationship": "associative", "keys": keys}});
    let atomic =
        |element: Value| json!({"list": {"elementType": element, "elementRelationship": "atomic"}});
    let mut fields = vec![
        ("numeric", scalar("numeric")),
        ("string", scalar("string")),
        ("struct", named("pair")),
        ("tuple", tuple),
        ("map", json!({"map": map})),
        ("pairs", json!({"map": pairs})),
        ("any", named("__untyped_deduced_")),
    ];
    fields.push((
        "list",
        match rng.below(6) {
            0 => atomic(named("item")),
            1 | 2 => list(&["name", "port"], named("item")),
            _ => list(&["name"], named("item")),
        },
    ));
    fields.push((
        "set",
        match rng.below(4) {
            0 => atomic(scalar("string")),
            _ => list(&[], scalar("string")),
        },
    ));
    let gone = rng.below(fields.len() * 5);
    let of_version = |two: bool| {
        let mut out = Vec::new();
        for (i, (name, ty)) in fields.iter().enumerate() {
            let name = match (two, *name) {
                (true, "string") => "text",
                (true, "list") => "things",
                (_, name) => name,
            };
            if i != gone {
                out.push(json!({"name": name, "type": ty}));
            }
        }
        Value::from(out)
    };
    let untyped = |name: &str, map: Value, list: Value| json!({"name": name, "scalar": "untyped", "map": map, "list": list});
    json!({"types": [
        {"name": "v1", "map": {"fields": of_version(false)}},
        {"name": "v2", "map": {"fields": of_version(true)}},
        {"name": "item", "map": item},
        {"name": "pair", "map": pair},
        untyped(
            "__untyped_atomic_",
            json!({"elementType": named("__untyped_atomic_"), "elementRelationship": "atomic"}),
            json!({"elementType": named("__untyped_atomic_"), "elementRelationship": "atomic"}),
        ),
        untyped(
            "__untyped_deduced_",
            json!({"elementType": named("__untyped_deduced_"), "elementRelationship": "separable"}),
            json!({"elementType": named("__untyped_atomic_"), "elementRelationship": "atomic"}),
        ),
    ]})
}

fn versions(rng: &mut Rng, mut of: impl FnMut(&mut Rng) -> Value) -> Value {
    let mut out = Map::new();
    for version in ["v1", "v2"] {
        out.insert(version.into(), of(rng));
    }
    Value::Object(out)
}

pub(super) fn case(rng: &mut Rng) -> Case {
    let schemas: Vec<Value> = (0..1 + rng.below(3)).map(|_| schema(rng)).collect();
    let read = |schema: &Value| Arc::new(Schema::from_json(schema).expect("is well-formed"));
    let parsed: Vec<Arc<Schema>> = schemas.iter().map(read).collect();
    let noise: Noise = if rng.chance(60) { QUIET } else { SOME };
    let (mut now, mut last) = (0, Value::Null);
    let mut ops = Vec::new();
    for _ in 0..2 + rng.below(7) {
        if !ops.is_empty() && schemas.len() > 1 && rng.chance(25) {
            now = rng.below(schemas.len());
            ops.push(json!({"op": "schema", "schema": now}));
        }
        if rng.chance(4) {
            let some: &[&str] = rng.pick::<&[&str]>(&[&["v1"], &["v2"], &["v1", "v2"], &[]]);
            ops.push(json!({"op": "versions", "versions": some}));
        }
        let version = if rng.chance(75) { "v1" } else { "v2" };
        let (schema, ty) = (&parsed[now], TypeRef::named(version));
        let object = if last.is_null() || rng.chance(40) {
            value_of(rng, schema, &ty, noise, 5)
        } else {
            variant(rng, schema, &ty, &last, noise, 5)
        };
        if version == "v1" {
            last = object.clone();
        }
        let op = *rng.pick(&["apply", "apply", "apply", "update", "extract"]);
        ops.push(json!({
            "op": op, "version": version, "manager": *rng.pick(&["a", "b", "c"]), "force": rng.chance(40),
            "keys": op == "extract" && rng.chance(50), "object": object,
        }));
    }
    let mut input = json!({
        "schemas": schemas, "renamed": {"string": "text", "list": "things"}, "noop": rng.chance(10), "ops": ops,
    });
    match rng.below(10) {
        0 | 1 => {
            input["ignored"] = versions(rng, |rng| {
                let ty = ParseableType::named(parsed[0].clone(), "v1");
                let set = ty.typed_with_duplicates(last.clone()).and_then(|v| v.to_field_set());
                let some = part_of(rng, &set.unwrap_or_default()).to_json();
                if rng.chance(70) { some.into() } else { set_text(rng, false).into() }
            });
        }
        2 => {
            input["included"] = versions(rng, |rng| {
                let names = ["f:struct", "f:list", "f:things", "f:map", "f:set", "f:any"];
                let path = |rng: &mut Rng| {
                    let mut path = vec![Value::from(*rng.pick(&names))];
                    for _ in 0..rng.below(3) {
                        let any = rng.chance(40);
                        path.push(if any { Value::Null } else { element_text(rng, false).into() });
                    }
                    Value::from(path)
                };
                (0..rng.below(4)).map(|_| path(rng)).collect()
            });
        }
        _ => {}
    }
    Case::new("merge.updater", input)
}
