//! Values, field sets and schemas for the areas of structured merge.
use super::merge_answers::TYPES;
use crate::apimachinery::rng::Rng;
use pintle_apimachinery::GroupVersionKind;
use pintle_structured_merge::{Relationship, Scalar, Schema, Set, TypeRef};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

const NAMES: &[&str] = &[
    "a", "b", "c", "name", "key", "d.e", "x/y", "<&>", "\"q\\", "é", "", "\u{2028}", "\t\u{1}",
    "f:a", ".",
];
const SCALARS: &[&str] = &[
    "1",
    "0",
    "-1",
    "1.5",
    "1.0",
    "1000000",
    "1e6",
    "1e21",
    "1e-7",
    "123456789012345678",
    "-0",
    "1e400",
    "01",
    "1.",
    "\"a\"",
    "\"b\"",
    "\"\"",
    "\"<é\\u2028\\u0000>\"",
    "\"\\ud83d\\ude00\\ud800\"",
    "true",
    "false",
    "null",
    "[1,\"a\"]",
    "{\"b\":1,\"a\":null}",
    "[]",
    "{}",
    "tru",
    "\"",
    "1 ",
    " 2",
];
const GOOD: usize = 8;

/// A scalar as JSON text, now and then not quite.
fn scalar(rng: &mut Rng, odd: bool) -> &'static str {
    if odd && rng.chance(40) {
        *rng.pick(SCALARS)
    } else {
        *rng.pick(&["1", "2", "1.5", "\"a\"", "\"b\"", "true"])
    }
}

/// The text of a path element.
pub(super) fn element_text(rng: &mut Rng, odd: bool) -> String {
    let name = |rng: &mut Rng| *rng.pick(if odd { NAMES } else { &NAMES[..GOOD] });
    let text = match rng.below(if odd { 12 } else { 9 }) {
        0..4 => format!("f:{}", name(rng)),
        4..6 => format!("v:{}", scalar(rng, odd)),
        6 | 7 => {
            let n = if odd { rng.below(4) } else { 1 + rng.below(2) };
            let fields: Vec<String> = (0..n)
                .map(|_| {
                    let name = serde_json::to_string(name(rng)).unwrap_or_default();
                    format!("{name}:{}", scalar(rng, odd))
                })
                .collect();
            format!("k:{{{}}}", fields.join(","))
        }
        8 => format!("i:{}", rng.pick(&["0", "1", "-1", "10"])),
        9 => format!("i:{}", rng.pick(&["x", "", "+3", "99999999999999999999", "1.0"])),
        10 => (*rng.pick(&["", "f", "ff", "x:1", "z:", "é:", "k:", "v:", "k:null", "k:[]"]))
            .to_owned(),
        _ => "f:".to_owned() + &rng.text(&["a", "ä", "\"", "\\", "\n", "😀", "&"], 5),
    };
    if odd && rng.chance(10) {
        rng.mutate(&text, &["{", "}", "\"", ":", "1", "a", ","])
    } else {
        text
    }
}

fn set_into(rng: &mut Rng, odd: bool, depth: usize, out: &mut String) {
    out.push('{');
    for i in 0..rng.below(if depth == 0 { 1 } else { 4 }) {
        if i > 0 {
            out.push(',');
        }
        let strange = odd && rng.chance(30);
        let key = if rng.chance(12) { ".".to_owned() } else { element_text(rng, strange) };
        if odd && rng.chance(5) {
            out.push_str(*rng.pick(&[" ", "\n", "\t\r"]));
        }
        out.push_str(&serde_json::to_string(&key).unwrap_or_default());
        out.push(':');
        if odd && rng.chance(4) {
            out.push_str(*rng.pick(&["null", "1", "\"a\"", "[]", "[{}]", "-1.5e3", "0", "true"]));
        } else if key == "." {
            out.push_str("{}");
        } else {
            set_into(rng, odd, depth - usize::from(depth > 0), out);
        }
    }
    out.push('}');
}

/// The JSON text of a set.
pub(super) fn set_text(rng: &mut Rng, odd: bool) -> String {
    let mut out = String::new();
    let depth = 1 + rng.below(4);
    set_into(rng, odd, depth, &mut out);
    if odd && rng.chance(15) {
        out = rng.mutate(&out, &["{", "}", "\"", ":", ",", "\\", " ", "n", "\u{1}"]);
    }
    if odd && rng.chance(3) {
        // Longer than what Go reads at once.
        out = format!("{{\"f:{}\":{out}}}", "x".repeat(4080 + rng.below(20)));
    }
    out
}

/// Any JSON value.
pub(super) fn any_value(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth == 0 { 7 } else { 10 }) {
        0 => Value::Null,
        1 => rng.chance(50).into(),
        2 => rng.between(-2, 3).into(),
        3 => rng.integer().into(),
        4 => json!(*rng.pick(&[1.5, 1.0, -0.5, 1e21, 1e-7, 2e6, 0.1])),
        5 => (*rng.pick(&["a", "b", "", "<é>", "\"\\\n", "\u{200b}\u{7f}\u{ad}"])).into(),
        6 => (*rng.pick(&["a", "b", "c"])).into(),
        7 => {
            let list: Vec<Value> = (0..rng.below(4)).map(|_| any_value(rng, depth - 1)).collect();
            list.into()
        }
        _ => {
            let members = (0..rng.below(4)).map(|_| {
                let name = *rng.pick(&["a", "b", "c", "name", "key", "id"]);
                (name.to_owned(), any_value(rng, depth - 1))
            });
            Value::Object(members.collect())
        }
    }
}

/// The built-in kinds in order.
pub(super) static KINDS: LazyLock<Vec<GroupVersionKind>> = LazyLock::new(|| {
    // Of these the Go program has no OpenAPI.
    let without = [
        "admission",
        "apidiscovery",
        "metrics",
        "custom.metrics",
        "external.metrics",
        "imagepolicy",
    ];
    let known =
        |gvk: &&GroupVersionKind| !without.iter().any(|g| gvk.group == format!("{g}.k8s.io"));
    let mut all: Vec<_> = TYPES.kinds().filter(known).cloned().collect();
    all.sort();
    all
});

/// Kinds that have most of what there is.
pub(super) const POPULAR: &[(&str, &str, &str)] = &[
    ("", "v1", "Pod"),
    ("", "v1", "Service"),
    ("", "v1", "ConfigMap"),
    ("", "v1", "Node"),
    ("", "v1", "Endpoints"),
    ("", "v1", "PersistentVolume"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "StatefulSet"),
    ("batch", "v1", "CronJob"),
    ("networking.k8s.io", "v1", "Ingress"),
    ("networking.k8s.io", "v1", "NetworkPolicy"),
    ("rbac.authorization.k8s.io", "v1", "Role"),
    ("autoscaling", "v2", "HorizontalPodAutoscaler"),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
];

/// A kind for the input of a case.
pub(super) fn kind_input(rng: &mut Rng) -> Value {
    if rng.chance(70) {
        let (group, version, kind) = *rng.pick(POPULAR);
        json!({"group": group, "version": version, "kind": kind})
    } else {
        let gvk = rng.pick(&KINDS);
        json!({"group": gvk.group, "version": gvk.version, "kind": gvk.kind})
    }
}

/// How often, in a hundred, something does not fit.
#[derive(Clone, Copy)]
pub(super) struct Noise {
    /// A value of another type.
    pub(super) wrong: u32,
    /// Null.
    pub(super) null: u32,
    /// The same key twice.
    pub(super) duplicate: u32,
}

pub(super) const QUIET: Noise = Noise { wrong: 0, null: 2, duplicate: 0 };
pub(super) const SOME: Noise = Noise { wrong: 1, null: 4, duplicate: 4 };

/// A value of a type.
pub(super) fn value_of(
    rng: &mut Rng,
    schema: &Schema,
    ty: &TypeRef,
    noise: Noise,
    depth: usize,
) -> Value {
    if rng.chance(noise.wrong) {
        return any_value(rng, 2);
    }
    if rng.chance(noise.null) {
        return Value::Null;
    }
    let Some(atom) = schema.resolve(ty) else { return Value::Null };
    let mut choices = Vec::new();
    if atom.map.is_some() {
        choices.push(0);
    }
    if atom.list.is_some() {
        choices.push(1);
    }
    if atom.scalar.is_some() || choices.is_empty() {
        choices.push(2);
    }
    match *rng.pick(&choices) {
        0 => map_of(rng, schema, ty, noise, depth),
        1 => list_of(rng, schema, ty, noise, depth),
        _ => match atom.scalar {
            Some(Scalar::Numeric) => match rng.below(8) {
                0 => json!(1.5),
                1 => json!(*rng.pick(&[1.0, 2.0, 1e21])),
                2 => rng.integer().into(),
                _ => rng.between(0, 3).into(),
            },
            Some(Scalar::Boolean) => rng.chance(50).into(),
            Some(Scalar::String) => {
                (*rng.pick(&["a", "b", "c", "a", "b", "", "TCP", "UDP", "<é\">"])).into()
            }
            _ => match rng.below(4) {
                0 => rng.between(0, 3).into(),
                1 => rng.chance(50).into(),
                _ => (*rng.pick(&["a", "b", "10%", "2024-01-01T00:00:00Z"])).into(),
            },
        },
    }
}

fn map_of(rng: &mut Rng, schema: &Schema, ty: &TypeRef, noise: Noise, depth: usize) -> Value {
    let mut out = Map::new();
    let map = schema.resolve(ty).and_then(|a| a.map);
    let Some(map) = map.filter(|_| depth > 0) else { return Value::Object(out) };
    let fields = map.fields();
    if !fields.is_empty() {
        // What is interesting lies below spec and metadata.
        let often =
            ["spec", "metadata", "template", "containers", "ports", "env", "name", "labels", "key"];
        for f in fields {
            let percent = match fields.len() {
                _ if often.contains(&&*f.name) => 70,
                0..6 => 50,
                6..12 => 25,
                _ => 10,
            };
            if rng.chance(percent) {
                out.insert(f.name.to_string(), value_of(rng, schema, &f.ty, noise, depth - 1));
            }
        }
        if rng.chance(noise.wrong) {
            out.insert("undeclared".into(), 1.into());
        }
    }
    let open = map.element_type != TypeRef::default();
    for _ in 0..if open { rng.below(4) } else { 0 } {
        let name = *rng.pick(&["a", "b", "c", "d.e/f"]);
        out.insert(name.into(), value_of(rng, schema, &map.element_type, noise, depth - 1));
    }
    Value::Object(out)
}

fn list_of(rng: &mut Rng, schema: &Schema, ty: &TypeRef, noise: Noise, depth: usize) -> Value {
    let mut out: Vec<Value> = Vec::new();
    let list = schema.resolve(ty).and_then(|a| a.list);
    let Some(list) = list.filter(|_| depth > 0) else { return out.into() };
    let keyed = list.relationship == Relationship::Associative;
    for _ in 0..rng.below(5) {
        let quiet = Noise { null: noise.null.min(noise.wrong), ..noise };
        let mut item =
            value_of(rng, schema, &list.element_type, if keyed { quiet } else { noise }, depth - 1);
        if let Value::Object(o) = &mut item {
            for key in &list.keys {
                let ty = schema.resolve(&list.element_type).and_then(|a| a.map?.field(key));
                if let Some(f) = ty
                    && (rng.chance(90) || f.default.is_none())
                {
                    let quiet = Noise { null: 0, duplicate: 0, ..noise };
                    o.insert(key.to_string(), value_of(rng, schema, &f.ty, quiet, 2));
                }
            }
        }
        let same = |other: &Value| {
            if list.keys.is_empty() {
                return pintle_structured_merge::value_equals(other, &item);
            }
            list.keys.iter().all(|k| match (other.get(k.as_str()), item.get(k.as_str())) {
                (Some(a), Some(b)) => pintle_structured_merge::value_equals(a, b),
                (a, b) => a.is_none() && b.is_none(),
            })
        };
        if keyed && out.iter().any(same) && !rng.chance(noise.duplicate) {
            continue;
        }
        out.push(item);
    }
    out.into()
}

/// Another value of the type that has much in common with `value`.
pub(super) fn variant(
    rng: &mut Rng,
    schema: &Schema,
    ty: &TypeRef,
    value: &Value,
    noise: Noise,
    depth: usize,
) -> Value {
    if rng.chance(8) {
        return value_of(rng, schema, ty, noise, depth);
    }
    let atom = schema.resolve(ty);
    match value {
        Value::Object(o) => {
            let Some(map) = atom.and_then(|a| a.map) else { return value.clone() };
            let fresh =
                if rng.chance(30) { map_of(rng, schema, ty, noise, depth) } else { json!({}) };
            let mut out = Map::new();
            for (k, v) in o {
                if rng.chance(85) {
                    let ty = map.field(k).map_or(&map.element_type, |f| &f.ty);
                    out.insert(
                        k.clone(),
                        variant(rng, schema, ty, v, noise, depth.saturating_sub(1)),
                    );
                }
            }
            if let Value::Object(fresh) = fresh {
                for (k, v) in fresh {
                    out.entry(k).or_insert(v);
                }
            }
            Value::Object(out)
        }
        Value::Array(a) => {
            let Some(list) = atom.and_then(|a| a.list) else { return value.clone() };
            let mut out: Vec<Value> = Vec::new();
            for item in a {
                if rng.chance(80) {
                    let keyed: Vec<(String, Value)> = list
                        .keys
                        .iter()
                        .filter_map(|k| Some((k.to_string(), item.get(k.as_str())?.clone())))
                        .collect();
                    let mut item = if list.keys.is_empty() && rng.chance(80) {
                        item.clone()
                    } else {
                        variant(
                            rng,
                            schema,
                            &list.element_type,
                            item,
                            noise,
                            depth.saturating_sub(1),
                        )
                    };
                    if let Value::Object(o) = &mut item {
                        o.extend(keyed);
                    }
                    out.push(item);
                }
            }
            if rng.chance(30) {
                out.reverse();
            }
            if rng.chance(30)
                && let Value::Array(more) = list_of(rng, schema, ty, noise, depth)
            {
                let at = rng.below(out.len() + 1);
                let old =
                    list.relationship == Relationship::Associative && !rng.chance(noise.duplicate);
                let new = more.into_iter().filter(|m| {
                    !old || !out.iter().any(|o| {
                        if list.keys.is_empty() {
                            o == m
                        } else {
                            list.keys.iter().all(|k| o.get(k.as_str()) == m.get(k.as_str()))
                        }
                    })
                });
                let new: Vec<Value> = new.collect();
                out.splice(at..at, new);
            }
            out.into()
        }
        scalar if rng.chance(60) => scalar.clone(),
        _ => value_of(rng, schema, ty, noise, depth),
    }
}

/// Some of a set: members are left out, whole branches too.
pub(super) fn part_of(rng: &mut Rng, set: &Set) -> Set {
    let paths = set.paths();
    let mut out = Set::new();
    for p in paths {
        if rng.chance(50) {
            let n = if rng.chance(20) { 1 + rng.below(p.len()) } else { p.len() };
            out.insert(&p[..n]);
        }
    }
    out
}

/// Whether two answers differ only in the order of letters: where a map is a key, Go writes its
/// members in no order.
pub(super) fn order_of_members(ours: &Value, go: &Value) -> bool {
    crate::apimachinery::area::differences(ours, go).into_iter().all(|(_, a, b)| {
        let letters = |v: &Value| {
            let mut all: Vec<char> = v.as_str().unwrap_or_default().chars().collect();
            all.sort_unstable();
            all
        };
        a.is_string() && b.is_string() && letters(a) == letters(b)
    })
}

/// The reason for that.
pub(super) const MEMBERS: &str =
    "Go prints the members of a map within a path in no order, pintle sorts them";
