//! Sequences of applies and updates by several managers: objects, `managedFields`, conflicts; and
//! what is extracted, upgraded and scaled.
use super::fieldset::DEPTH;
use super::member_kind;
use super::merge_answers::{Sequence, TwoVersions, answer, text, type_of};
use super::merge_values::{
    MEMBERS, Noise, POPULAR, QUIET, SOME, any_value, element_text, order_of_members, set_text,
    value_of, variant,
};
use super::structuredmerge::type_input;
use crate::apimachinery::area::{Answer, Area, Case, differences};
use crate::apimachinery::rng::Rng;
use pintle_apimachinery::{GroupVersion, GroupVersionKind};
use pintle_structured_merge::{ObjectConverter, ParseableType, TypeConverter};
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};

pub(crate) struct Apply;

/// The models of the two versions.
static MODELS: LazyLock<Value> = LazyLock::new(|| {
    let model = |version: &str, replicas: &str, items: &str| {
        let item = json!({"type": "object", "properties": {
            "name": {"type": "string"}, "port": {"type": "integer", "default": 80}, "value": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        }});
        json!({
            "type": "object",
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": version, "kind": "Foo"}],
            "properties": {
                "apiVersion": {"type": "string"}, "kind": {"type": "string"},
                "metadata": {"$ref": "#/components/schemas/Meta"},
                "spec": {"type": "object", "properties": {
                    replicas: {"type": "integer"},
                    items: {"type": "array", "items": item, "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name", "port"]},
                    "atomic": {"type": "array", "items": {"type": "string"}},
                    "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                    "map": {"type": "object", "additionalProperties": {"type": "string"}},
                    "color": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"r": {"type": "integer"}}},
                    "nested": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}},
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }},
                "status": {"type": "object", "properties": {"phase": {"type": "string"}, "count": {"type": "integer"}}},
            },
        })
    };
    json!({
        "Foo1": model("v1", "replicas", "items"),
        "Foo2": model("v2", "count", "things"),
        "Meta": {"type": "object", "properties": {
            "name": {"type": "string"}, "namespace": {"type": "string"}, "uid": {"type": "string"},
            "resourceVersion": {"type": "string"}, "generation": {"type": "integer"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
            "finalizers": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "managedFields": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
        }},
    })
});

fn set_meta(object: &mut Value, key: &str, v: Value) {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    object["metadata"][key] = v;
}

fn entry(rng: &mut Rng, odd: bool) -> Value {
    let mut e = json!({
        "manager": rng.pick(&["a", "b", "kubectl", "ancient-changes", "<x>"]),
        "operation": rng.pick(&["Apply", "Update", "Update"]),
        "apiVersion": rng.pick(&["example.com/v1", "example.com/v1", "example.com/v2", "example.com/v9", "v1", "apps/v1"]),
        "fieldsType": "FieldsV1",
        "time": format!("2009-01-01T00:00:0{}Z", rng.below(9)),
    });
    let set = match rng.below(3) {
        0 => set_text(rng, false),
        1 => r#"{"f:spec":{".":{},"f:replicas":{},"f:map":{"f:a":{}},"f:items":{"k:{\"name\":\"a\",\"port\":80}":{".":{},"f:name":{},"f:value":{}}}}}"#.into(),
        _ => r#"{"f:metadata":{"f:labels":{"f:a":{},"f:b":{}}},"f:spec":{"f:nested":{"f:a":{}}},"f:data":{"f:a":{}}}"#.into(),
    };
    e["fieldsV1"] = serde_json::from_str(&set).unwrap_or_default();
    if rng.chance(20) {
        e["subresource"] = "status".into();
    }
    if odd && rng.chance(30) {
        let key = *rng.pick(&[
            "manager",
            "operation",
            "apiVersion",
            "fieldsType",
            "fieldsV1",
            "time",
            "subresource",
        ]);
        let v = match rng.below(5) {
            0 => Value::Null,
            1 => json!({"x:unknown": {}, element_text(rng, true): {}}),
            2 => "".into(),
            3 => any_value(rng, 2),
            _ => "2009-13-01".into(),
        };
        e[key] = v;
    }
    e
}

/// A list of entries, or something else in its place.
fn managed(rng: &mut Rng) -> Value {
    match rng.below(8) {
        0 => json!([]),
        1 => json!([{}]),
        2 => Value::Null,
        3 => any_value(rng, 2),
        _ => (0..1 + rng.below(3)).map(|_| entry(rng, true)).collect::<Vec<_>>().into(),
    }
}

struct Maker {
    types: Arc<dyn TypeConverter>,
    kind: GroupVersionKind,
    noise: Noise,
}

impl Maker {
    fn ty(&self, version: &str) -> ParseableType {
        let mut kind = self.kind.clone();
        kind.version = version.to_owned().into();
        self.types.type_of(&kind).unwrap_or_else(ParseableType::deduced)
    }

    fn dress(&self, rng: &mut Rng, mut object: Value, version: &str) -> Value {
        if !object.is_object() {
            object = json!({});
        }
        let gv = GroupVersion::new(self.kind.group.clone(), version.to_owned());
        object["apiVersion"] = gv.to_string().into();
        object["kind"] = self.kind.kind.as_ref().into();
        if let Some(Value::Object(meta)) = object.get_mut("metadata") {
            meta.shift_remove("managedFields");
        }
        if rng.chance(60) {
            set_meta(&mut object, "name", "one".into());
        }
        object
    }

    fn fresh(&self, rng: &mut Rng, version: &str) -> Value {
        let ty = self.ty(version);
        let v = value_of(rng, ty.schema(), ty.type_ref(), self.noise, 7);
        self.dress(rng, v, version)
    }

    fn like(&self, rng: &mut Rng, other: &Value, version: &str) -> Value {
        let ty = self.ty(version);
        let gv = GroupVersion::new(self.kind.group.clone(), version.to_owned());
        let other = TwoVersions.convert(other, &gv).unwrap_or_else(|_| other.clone());
        let managed = other["metadata"]["managedFields"].clone();
        let v = variant(rng, ty.schema(), ty.type_ref(), &other, self.noise, 7);
        let mut v = self.dress(rng, v, version);
        if !managed.is_null() && rng.chance(60) {
            set_meta(&mut v, "managedFields", managed);
        }
        v
    }
}

fn sequence(rng: &mut Rng) -> Case {
    let mut input = Map::new();
    let (kinds, kind) = match rng.below(10) {
        0..5 => ("models", json!({"group": "example.com", "version": "v1", "kind": "Foo"})),
        5..8 => {
            let (group, version, kind) = *rng.pick(&POPULAR[..POPULAR.len() - 1]);
            ("builtin", json!({"group": group, "version": version, "kind": kind}))
        }
        _ => ("deduced", json!({"group": "example.com", "version": "v1", "kind": "Foo"})),
    };
    input.insert("types".into(), kinds.into());
    input.insert("kind".into(), kind);
    if kinds == "models" {
        input.insert("models".into(), MODELS.clone());
    }
    if rng.chance(15) {
        let set = if rng.chance(50) {
            r#"{"f:status":{}}"#.to_owned()
        } else {
            r#"{"f:spec":{"f:map":{}}}"#.into()
        };
        let version = if kinds == "builtin" { "v1" } else { "example.com/v1" };
        input.insert("reset".into(), json!({version: set}));
    }
    let Ok(mut state) = Sequence::new(&Value::Object(input.clone())) else {
        return Case::new("apply.sequence", Value::Object(input));
    };
    let noise = if rng.chance(70) { QUIET } else { SOME };
    let maker = Maker { types: state.types.clone(), kind: state.kind.clone(), noise };
    let many = rng.chance(6);
    let count = if many { 14 } else { 1 + rng.below(6) };
    let mut applied = maker.fresh(rng, &state.kind.version);
    let mut ops = Vec::new();
    for i in 0..count {
        let version = match kinds {
            "builtin" => state.kind.version.to_string(),
            _ => (*rng.pick(&["v1", "v1", "v1", "v2"])).to_owned(),
        };
        let op = if many {
            "update"
        } else {
            *rng.pick(&["apply", "apply", "apply", "update", "update", "updateNoErrors"])
        };
        let manager = if many {
            format!("m{i}")
        } else {
            (*rng.pick(&["a", "b", "a", "b", "kubectl", ""])).to_owned()
        };
        let mut object = if op == "apply" {
            applied = if rng.chance(25) {
                maker.fresh(rng, &version)
            } else {
                maker.like(rng, &applied, &version)
            };
            let mut object = applied.clone();
            if let Some(Value::Object(meta)) = object.get_mut("metadata") {
                meta.shift_remove("managedFields");
                meta.shift_remove("uid");
            }
            object
        } else if state.live.is_object() && rng.chance(85) {
            maker.like(rng, &state.live, &version)
        } else {
            maker.fresh(rng, &version)
        };
        if rng.chance(4) {
            set_meta(&mut object, "managedFields", managed(rng));
        }
        if op != "apply" && rng.chance(40) {
            set_meta(&mut object, "uid", "u".into());
        }
        if rng.chance(8) {
            let last =
                if rng.chance(80) { applied.to_string() } else { any_value(rng, 2).to_string() };
            if !object["metadata"]["annotations"].is_object() {
                set_meta(&mut object, "annotations", json!({}));
            }
            object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
                last.into();
        }
        if rng.chance(2) {
            let key = *rng.pick(&["apiVersion", "kind"]);
            object[key] = (*rng.pick(&["", "example.com/v2", "a/b/c", "Bar"])).into();
        }
        let mut step = json!({"op": op, "manager": manager, "object": object, "version": version});
        if rng.chance(35) {
            step["force"] = true.into();
        }
        if rng.chance(15) {
            step["subresource"] = "status".into();
        }
        state.run(&step);
        ops.push(step);
    }
    input.insert("ops".into(), ops.into());
    Case::new("apply.sequence", Value::Object(input))
}

fn extract_case(rng: &mut Rng) -> Case {
    let mut input = type_input(rng);
    let ty = type_of(&Value::Object(input.clone())).unwrap_or_else(|_| ParseableType::deduced());
    let mut object = value_of(rng, ty.schema(), ty.type_ref(), QUIET, 7);
    if !object.is_object() {
        object = json!({});
    }
    let set = ty.typed(object.clone()).and_then(|v| v.to_field_set()).unwrap_or_default();
    let set = super::merge_values::part_of(rng, &set);
    if rng.chance(85)
        && let Some(kind) = input.get("kind")
    {
        object["apiVersion"] = text(kind, "version").into();
        object["kind"] = text(kind, "kind").into();
    }
    let mut e = entry(rng, false);
    e["manager"] = "a".into();
    e["operation"] = "Apply".into();
    e["fieldsV1"] = set.to_value();
    let mut entries = vec![e];
    if rng.chance(30) {
        entries.insert(rng.below(2), entry(rng, true));
    }
    if ty.type_ref().named.as_deref() != Some("several") && input.get("schema").is_none() {
        set_meta(&mut object, "managedFields", entries.into());
    }
    input.insert("object".into(), object);
    input.insert("manager".into(), (*rng.pick(&["a", "a", "a", "b"])).into());
    input.insert("subresource".into(), (*rng.pick(&["", "", "status"])).into());
    Case::new("apply.extract", Value::Object(input))
}

fn entries_case(rng: &mut Rng) -> Vec<Value> {
    (0..rng.below(5)).map(|_| entry(rng, false)).collect()
}

impl Area for Apply {
    fn name(&self) -> &'static str {
        "apply"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        match rng.below(20) {
            0..14 => sequence(rng),
            14 | 15 => extract_case(rng),
            16 | 17 => Case::new(
                "apply.csa",
                json!({
                    "entries": entries_case(rng), "from": rng.pick(&["a", "b"]), "to": rng.pick(&["kubectl", "a"]),
                    "subresource": rng.pick(&["", "", "status"]), "fields": set_text(rng, false),
                }),
            ),
            18 => Case::new(
                "apply.scale",
                json!({
                    "parent": entries_case(rng), "scale": entries_case(rng),
                    "version": {"group": "example.com", "version": "v1"},
                    "mappings": {
                        "example.com/v1": ["spec", "replicas"],
                        "example.com/v2": rng.pick(&[json!(["spec", "nested", "a"]), json!(null)]),
                        "v1": ["spec", "replicas"],
                    },
                }),
            ),
            _ => {
                let mut all = entries_case(rng);
                if rng.chance(50) {
                    let mut e = entry(rng, true);
                    e["time"] = Value::Null;
                    for key in ["manager", "operation", "apiVersion", "fieldsType", "subresource"] {
                        if !e[key].is_string() {
                            e[key] = "".into();
                        }
                    }
                    all.push(e);
                }
                Case::new("apply.validate", all)
            }
        }
    }

    fn ours(&self, case: &Case) -> Answer {
        answer(case.function, &case.input).unwrap_or_else(|| Err("nobody answers".into()))
    }

    fn shrink(&self, case: &Case) -> Vec<Case> {
        let mut out = Vec::new();
        for i in 0..case.input["ops"].as_array().map_or(0, Vec::len) {
            let mut input = case.input.clone();
            if let Some(ops) = input["ops"].as_array_mut() {
                ops.remove(i);
            }
            out.push(Case::new(case.function, input));
        }
        // Models stay as they are, and a sequence is slow: not all that could be tried.
        let smaller = crate::apimachinery::shrink::generic(case);
        let same = |c: &Case| c.input.get("models") == case.input.get("models");
        out.extend(smaller.into_iter().filter(same).take(60));
        out
    }

    fn same(&self, _: &Case, ours: &Answer, go: &Answer) -> bool {
        match (ours, go) {
            (Ok(a), Ok(b)) => crate::apimachinery::area::same(a, b),
            (Err(a), Err(b)) => plain(a) == plain(b),
            _ => false,
        }
    }

    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        if let ("apply.sequence", Ok(ours), Ok(go)) = (case.function, ours, go) {
            let first = differences(ours, go).into_iter().next().map(|d| d.0).unwrap_or_default();
            let path: Vec<&str> = first.split(['.', '[']).skip(2).take(4).collect();
            return format!("apply.sequence of {}: {}", text(&case.input, "types"), path.join("."));
        }
        member_kind(case, ours, go)
    }

    fn deliberate(&self, _: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        if ours.as_ref().is_err_and(|e| e.contains("exceeded max depth")) {
            return Some(DEPTH);
        }
        let (Ok(ours), Ok(go)) = (ours, go) else { return None };
        if order_of_members(ours, go) {
            return Some(MEMBERS);
        }
        let all = differences(ours, go);
        let undeclared =
            |v: &Value| v.as_str().is_some_and(|s| s.contains("field not declared in schema"));
        let of_entry = |v: &Value| {
            v.as_str().is_some_and(|s| s.contains("error decoding versioned set from "))
        };
        if all
            .iter()
            .all(|(_, a, b)| undeclared(a) && b.is_string() || undeclared(b) && a.is_string())
        {
            return Some(
                "Go walks maps in no order and stops at the first undeclared field, so which errors it finds is chance",
            );
        }
        if all.iter().all(|(_, a, b)| {
            of_entry(a) && of_entry(b) && a.as_str().map(plain) == b.as_str().map(plain)
        }) {
            return Some(
                "Go prints the address of a managedFields entry's fields, pintle the manager",
            );
        }
        None
    }
}

/// A message without what tells which entry cannot be read.
fn plain(message: &str) -> String {
    let Some((head, rest)) = message.split_once("error decoding versioned set from ") else {
        return message.to_owned();
    };
    let rest = rest.split_once("error decoding set: ").map_or("", |r| r.1);
    format!("{head}error decoding set: {rest}")
}
