//! Custom resources and their definitions: what is dropped, filled in and refused. Go: the strategies
//! and validation of `k8s.io/apiextensions-apiserver`.
mod definitions;
mod schemas;

pub(crate) use self::definitions::Definitions;
use self::schemas::{NAMES, schema, value};
use super::super::area::{Answer, Area, Case, differences};
use super::super::rng::Rng;
use pintle_apiserver::{CustomKind, Verdict};
use serde_json::{Value, json};

/// Objects of random schemas.
pub(crate) struct Writes;

/// An object with some of another's values.
fn mixed(rng: &mut Rng, a: &Value, b: &Value) -> Value {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) if rng.chance(80) => {
            let mut out = b.clone();
            for (key, value) in a {
                match b.get(key) {
                    Some(other) => {
                        out.insert(key.clone(), mixed(rng, value, other));
                    }
                    None if rng.chance(50) => {
                        out.insert(key.clone(), value.clone());
                    }
                    None => {}
                }
            }
            out.into()
        }
        (Value::Array(a), Value::Array(b)) if rng.chance(60) && !a.is_empty() => {
            let mut out = b.clone();
            out.insert(rng.below(out.len() + 1), rng.pick(a).clone());
            out.into()
        }
        (a, b) => if rng.chance(60) { a } else { b }.clone(),
    }
}

fn whole(value: Value) -> Value {
    let mut object = json!({"apiVersion": "example.com/v1", "kind": "Foo",
        "metadata": {"name": "n", "namespace": "ns"}});
    if let Value::Object(members) = value {
        for (key, value) in members {
            if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
                object[&key] = value;
            }
        }
    }
    object
}

/// The definition of a kind with a schema.
fn definition(input: &Value) -> Value {
    let mut subresources = json!({});
    if input["status"] == true {
        subresources["status"] = json!({});
    }
    if let Some(scale) = input.get("scale") {
        let path = |key: &str| scale.get(key).cloned().unwrap_or_default();
        subresources["scale"] = json!({
            "specReplicasPath": path("SpecReplicasPath"),
            "statusReplicasPath": path("StatusReplicasPath"),
            "labelSelectorPath": path("LabelSelectorPath"),
        });
    }
    json!({
        "metadata": {"name": "foos.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "foos", "singular": "foo", "kind": "Foo", "listKind": "FooList"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": input["schema"]}, "subresources": subresources}],
        },
    })
}

fn told(verdict: Result<Verdict, pintle_apimachinery::Error>, key: &str) -> Answer {
    let verdict = verdict.map_err(|error| error.to_string())?;
    if !verdict.errors.is_empty() {
        return Ok(json!({"invalid": verdict.errors}));
    }
    Ok(match key {
        "unknown" => json!({"object": verdict.object, "unknown": verdict.unknown}),
        _ => json!({"warnings": verdict.warnings}),
    })
}

/// What two answers have differently, without names and numbers.
fn kind_of(ours: &Answer, go: &Answer) -> String {
    let list = |answer: &Answer| -> Vec<String> {
        let list = answer.as_ref().ok().and_then(|answer| answer["invalid"].as_array().cloned());
        let texts = list.unwrap_or_default().into_iter();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let (a, b) = (list(ours), list(go));
    let shape = |text: &String| {
        let words: Vec<&str> = text.split(": ").skip(1).collect();
        let detail = words.last().copied().unwrap_or_default();
        let detail: Vec<&str> = detail.split(' ').skip(1).take(8).collect();
        format!("{}: {}", words.first().copied().unwrap_or_default(), detail.join(" "))
    };
    let missing = b.iter().find(|text| !a.contains(text));
    let more = a.iter().find(|text| !b.contains(text));
    match (missing, more, ours, go) {
        (Some(text), ..) => format!("misses {}", shape(text)),
        (None, Some(text), ..) => format!("adds {}", shape(text)),
        (None, None, Ok(a), Ok(b)) => {
            let path = differences(a, b).into_iter().next().map(|(path, ..)| path);
            path.unwrap_or_default().split('.').take(2).collect::<Vec<_>>().join(".")
        }
        (None, None, Err(_), Err(_)) => "the errors differ".to_owned(),
        (None, None, Err(_), Ok(_)) => "only ours is an error".to_owned(),
        (None, None, Ok(_), Err(_)) => "only Go has an error".to_owned(),
    }
}

/// Makes defaults such as a definition may have: embedded metadata has no members of its own there.
/// Go drops them when it reads the definition, and so do we, but not here, where none is read.
fn keep_known(schema: &mut Value) {
    fn clean(default: &mut Value) {
        if let Some(metadata) = default.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, _| name != "x");
        }
        match default {
            Value::Object(members) => members.values_mut().for_each(clean),
            Value::Array(items) => items.iter_mut().for_each(clean),
            _ => {}
        }
    }
    match schema {
        Value::Object(members) => {
            members.get_mut("default").into_iter().for_each(clean);
            members.values_mut().for_each(keep_known);
        }
        Value::Array(items) => items.iter_mut().for_each(keep_known),
        _ => {}
    }
}

impl Area for Writes {
    fn name(&self) -> &'static str {
        "custom.write"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        let mut schema = schema(rng, 0);
        keep_known(&mut schema);
        let own = value(rng, &schema, 0);
        let mut input = json!({"object": whole(own.clone()), "schema": schema});
        if rng.chance(30) {
            input["status"] = true.into();
        }
        if rng.chance(10) {
            let path = |rng: &mut Rng| {
                let names: Vec<&str> = (0..1 + rng.below(2)).map(|_| *rng.pick(&NAMES)).collect();
                format!(".{}", names.join("."))
            };
            let mut scale = json!({"SpecReplicasPath": path(rng), "StatusReplicasPath": path(rng)});
            if rng.chance(50) {
                scale["LabelSelectorPath"] = path(rng).into();
            }
            input["scale"] = scale;
        }
        if rng.chance(40) {
            let other = value(rng, &input["schema"], 0);
            input["old"] = whole(mixed(rng, &own, &other));
            if rng.chance(25) {
                input["status"] = true.into();
                input["part"] = "status".into();
            }
        }
        Case::new("custom.write", input)
    }

    fn ours(&self, case: &Case) -> Answer {
        let input = &case.input;
        let kind = CustomKind::new(&definition(input), "v1").map_err(|e| e.to_string())?;
        let (object, old) = (&input["object"], input.get("old").filter(|old| !old.is_null()));
        told(
            match (old, input["part"] == "status") {
                (Some(old), true) => kind.write_status(object, old),
                (old, _) => kind.write(object, old),
            },
            "unknown",
        )
    }

    fn kind(&self, _: &Case, ours: &Answer, go: &Answer) -> String {
        kind_of(ours, go)
    }

    fn same(&self, case: &Case, ours: &Answer, go: &Answer) -> bool {
        let (mut ours, mut go) = (ours.clone(), go.clone());
        for answer in [&mut ours, &mut go].into_iter().flatten() {
            // Metadata of updates has areas of its own.
            if let Some(Value::Array(list)) = answer.get_mut("invalid")
                && case.input["old"].is_object()
            {
                list.retain(|text| {
                    !text.as_str().is_some_and(|text| text.starts_with("metadata."))
                });
            }
        }
        match (&ours, &go) {
            (Ok(a), Ok(b)) => super::super::area::same(a, b),
            (Err(a), Err(b)) => a == b,
            _ => false,
        }
    }
}
