//! Strategic merge patch: applying, merging, creating two- and three-way, conflicts; on built-in
//! kinds and on a type made for the purpose, with metadata from types and from OpenAPI.
use super::patch_answers::desc;
use super::patch_documents::{answer, errors, object, one_of, preconditions, shrink, value};
use super::random_object;
use crate::apimachinery::area::{Answer, Area, Case, same};
use crate::apimachinery::rng::Rng;
use pintle_apimachinery::reflect::{Desc, Field, INLINE, NOJSON, Type};
use pintle_patch::{TypeSchema, strategic};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

pub(crate) struct StrategicMerge;

/// The synthetic type as a server would publish it.
static SCHEMAS: LazyLock<Value> = LazyLock::new(|| {
    let item = json!({"allOf": [{"$ref": "#/components/schemas/item"}], "default": {}});
    let list = |strategy: &str, key: &str| {
        let mut list = json!({"type": "array", "items": item});
        if !strategy.is_empty() {
            list["x-kubernetes-patch-strategy"] = strategy.into();
        }
        if !key.is_empty() {
            list["x-kubernetes-patch-merge-key"] = key.into();
        }
        list
    };
    let scalars = |ty: &str| json!({"type": "array", "items": {"type": ty}, "x-kubernetes-patch-strategy": "merge"});
    let strategy = |strategy: &str| json!({"allOf": [{"$ref": "#/components/schemas/item"}], "x-kubernetes-patch-strategy": strategy});
    json!({"item": {"type": "object", "properties": {
        "name": {"type": "string"},
        "value": {"type": "string"},
        "count": {"type": "integer"},
        "items": list("merge", "name"),
        "counted": list("merge", "count"),
        "atomic": list("", ""),
        "keyless": list("merge", ""),
        "ints": scalars("integer"),
        "words": scalars("string"),
        "atomicWords": {"type": "array", "items": {"type": "string"}},
        "lists": {"type": "array", "items": {"type": "array"}, "x-kubernetes-patch-strategy": "merge"},
        "pointer": strategy("merge"),
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "replaced": strategy("replace"),
        "union": strategy("retainKeys"),
        "unions": list("merge,retainKeys", "name"),
        "lost": {"$ref": "#/components/schemas/nowhere"},
    }}})
});

/// The same in version 2, with some shapes that only that has.
static DEFINITIONS: LazyLock<Value> = LazyLock::new(|| {
    let mut item = SCHEMAS["item"].clone();
    let members = item["properties"].as_object_mut().expect("a literal");
    members.shift_remove("lost");
    for member in members.values_mut() {
        let reference = json!("#/definitions/item");
        if member["items"].get("allOf").is_some() {
            member["items"] = json!({"$ref": reference});
        }
        if let Some(member) = member.as_object_mut()
            && member.shift_remove("allOf").is_some()
        {
            member.insert("$ref".into(), reference);
        }
    }
    members["lists"]["items"] = json!({"type": "array", "items": {"type": "string"}});
    let more = json!({
        "any": {"description": "of any type"},
        "inline": {"type": "object", "properties": {
            "items": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name"},
            "inline": {"type": "array", "items": {"type": "string", "format": "date"}},
        }},
        "named": {"$ref": "#/definitions/words", "x-kubernetes-patch-strategy": "merge"},
        "maps": {"type": "object", "additionalProperties": {"$ref": "#/definitions/item"}},
        "odd": {"type": "array", "items": {"type": "integer"}, "x-kubernetes-patch-strategy": 5},
        "alias": {"$ref": "#/definitions/alias", "x-kubernetes-patch-strategy": "replace"},
        "free": {"type": "object"},
    });
    members.extend(object(&more));
    json!({
        "item": item,
        "words": {"type": "array", "items": {"type": "string"}},
        "alias": {"$ref": "#/definitions/item"},
    })
});

const KINDS: &[&str] = &[
    "item",
    "item",
    "item",
    "Pod",
    "Pod",
    "Deployment",
    "Service",
    "Node",
    "ServiceAccount",
    "StatefulSet",
];

/// A kind as a type. There are few kinds, so that it does no harm to keep them for good.
fn root(desc: &'static Desc) -> &'static Type {
    static ROOTS: LazyLock<Mutex<BTreeMap<usize, &'static Type>>> = LazyLock::new(Mutex::default);
    let mut roots = ROOTS.lock().expect("nothing panics with it");
    let address = std::ptr::from_ref(desc) as usize;
    roots.entry(address).or_insert_with(|| Box::leak(Box::new(Type::Msg(desc))))
}

/// The way to some field, to see how it merges.
fn lookup(rng: &mut Rng, mut kind: Value, root: &'static Desc) -> Case {
    let (mut path, mut at) = (Vec::new(), Some(root));
    for _ in 0..1 + rng.below(8) {
        let all = at.map(fields).unwrap_or_default();
        let mut field = None;
        if !all.is_empty() && rng.chance(97) {
            field = Some(all[rng.below(all.len())]);
        }
        let mut key = field.map_or("kind", |field| field.name).to_owned();
        if rng.chance(5) {
            key = key.to_ascii_uppercase();
        }
        let is_list = field.is_some_and(|field| matches!(field.ty, Type::List(_)));
        let list = if rng.chance(95) { is_list } else { !is_list };
        path.push(json!({"key": key, "list": list}));
        at = field.and_then(|field| message(&field.ty));
        if at.is_none() && rng.chance(80) {
            break;
        }
    }
    kind["path"] = path.into();
    Case::new("strategic.lookup", kind)
}

/// Leads some steps to members that no type has.
fn beside(rng: &mut Rng, path: &mut Value) {
    for step in path.as_array_mut().into_iter().flatten() {
        if rng.chance(30) {
            let more = ["any", "inline", "named", "maps", "odd", "alias", "free", "lost", "name"];
            step["key"] = (*rng.pick(&more)).into();
            step["list"] = rng.chance(40).into();
        }
    }
}

fn message(ty: &'static Type) -> Option<&'static Desc> {
    match ty {
        Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc) => Some(desc),
        Type::List(inner) => message(inner),
        _ => None,
    }
}

/// Every field with its name, those of inlined structs included.
fn fields(desc: &'static Desc) -> Vec<&'static Field> {
    let mut all = Vec::new();
    for field in desc.fields {
        match field.ty {
            Type::Msg(inner) | Type::Emb(inner) if field.flags & INLINE != 0 => {
                all.extend(fields(inner));
            }
            _ if field.flags & NOJSON == 0 => all.push(field),
            _ => {}
        }
    }
    all
}

/// A value of a type; `key` is the merge key that an element must have.
fn typed(rng: &mut Rng, ty: &'static Type, key: &str, depth: usize) -> Value {
    match ty {
        Type::Str | Type::OptStr => (*rng.pick(&["a", "b", "c", "d"])).into(),
        Type::I32 | Type::OptI32 | Type::I64 | Type::OptI64 => (rng.below(4) as i64).into(),
        Type::Bool | Type::OptBool => rng.chance(50).into(),
        Type::F64 | Type::OptF64 => json!(0.5),
        Type::Bytes => "YQ==".into(),
        Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc) => {
            if desc.transparent {
                return typed(rng, &desc.fields[0].ty, key, depth);
            }
            let all = fields(desc);
            let mut map = Map::new();
            if let Some(field) = all.iter().find(|f| f.name == key) {
                map.insert(key.to_owned(), typed(rng, &field.ty, "", 0));
            }
            for _ in 0..1 + rng.below(4) {
                add_field(rng, &mut map, &all, depth);
            }
            Value::Object(map)
        }
        Type::Leaf(leaf) | Type::OptLeaf(leaf) => match leaf.name {
            "IntOrString" => [json!(1), json!("a")][rng.below(2)].clone(),
            "RawExtension" | "FieldsV1" | "JSON" => json!({"a": {"b": rng.below(2)}}),
            _ => (*rng.pick(&["1", "2"])).into(),
        },
        Type::List(inner) => {
            (0..rng.below(4)).map(|_| typed(rng, inner, key, depth.saturating_sub(1))).collect()
        }
        Type::Map(inner) => {
            let pair = |rng: &mut Rng| {
                (
                    (*rng.pick(&["a", "b"])).to_owned(),
                    typed(rng, inner, "", depth.saturating_sub(1)),
                )
            };
            Value::Object((0..rng.below(3)).map(|_| pair(rng)).collect())
        }
    }
}

fn is_deep(ty: &Type) -> bool {
    match ty {
        Type::Msg(_) | Type::Emb(_) | Type::OptMsg(_) => true,
        Type::List(inner) | Type::Map(inner) => is_deep(inner),
        _ => false,
    }
}

/// A field more; those that merge are the interesting ones.
fn add_field(rng: &mut Rng, map: &mut Map<String, Value>, all: &[&'static Field], depth: usize) {
    let wanted = rng.chance(50);
    let candidates: Vec<_> = all
        .iter()
        .filter(|f| depth > 0 || !is_deep(&f.ty))
        .filter(|f| {
            !wanted
                || !f.facts.patch_strategy.is_empty()
                || f.name == "spec"
                || f.name == "template"
        })
        .collect();
    if candidates.is_empty() {
        return;
    }
    let field = candidates[rng.below(candidates.len())];
    let inner = typed(rng, &field.ty, field.facts.patch_key, depth.saturating_sub(1));
    map.insert(field.name.to_owned(), inner);
}

/// The same value after somebody worked on it.
fn evolved(rng: &mut Rng, old: &Value, ty: &'static Type, key: &str, depth: usize) -> Value {
    match (ty, old) {
        (Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc), Value::Object(old)) => {
            let all = fields(desc);
            let mut new = Map::new();
            for (name, old) in old {
                let field = all.iter().find(|f| f.name == name);
                if name == key || field.is_none() {
                    new.insert(name.clone(), old.clone());
                } else if let Some(field) = field
                    && !rng.chance(12)
                {
                    let below = depth.saturating_sub(1);
                    let value = evolved(rng, old, &field.ty, field.facts.patch_key, below);
                    new.insert(name.clone(), value);
                }
            }
            if rng.chance(30) && !all.is_empty() {
                let kept = new.get(key).cloned();
                add_field(rng, &mut new, &all, depth);
                new.extend(kept.map(|kept| (key.to_owned(), kept)));
            }
            Value::Object(new)
        }
        (Type::List(inner), Value::Array(old)) => {
            let kept: Vec<_> = old.iter().filter(|_| !rng.chance(20)).collect();
            let mut new: Vec<_> = kept
                .into_iter()
                .map(|old| evolved(rng, old, inner, key, depth.saturating_sub(1)))
                .collect();
            for _ in 0..rng.below(3) {
                let at = rng.below(new.len() + 1);
                new.insert(at, typed(rng, inner, key, depth.saturating_sub(1)));
            }
            if rng.chance(25) && new.len() > 1 {
                let (a, b) = (rng.below(new.len()), rng.below(new.len()));
                new.swap(a, b);
            }
            new.into()
        }
        (_, old) if rng.chance(70) => old.clone(),
        _ => typed(rng, ty, key, depth),
    }
}

/// One change that a careful client would not make.
fn tamper(rng: &mut Rng, document: &mut Value) {
    let Value::Object(map) = document else { return };
    // Walk into some object first.
    let inside: Vec<String> =
        map.iter().filter(|(_, v)| v.is_object() || v.is_array()).map(|(k, _)| k.clone()).collect();
    if !inside.is_empty() && rng.chance(75) {
        match map.get_mut(&inside[rng.below(inside.len())]) {
            Some(Value::Array(items)) => {
                if rng.chance(60) && !items.is_empty() {
                    let at = rng.below(items.len());
                    return tamper(rng, &mut items[at]);
                }
                let odd = [
                    json!(null),
                    json!([]),
                    json!({}),
                    json!("a"),
                    json!(1),
                    json!(1.5),
                    json!({"name": "a"}),
                    json!({"$patch": "replace"}),
                    json!({"$patch": "merge"}),
                    json!({"$patch": "delete"}),
                    json!({"$patch": "delete", "name": "a"}),
                    json!({"$patch": 5, "name": "b"}),
                ];
                let at = rng.below(items.len() + 1);
                items.insert(at, rng.pick(&odd).clone());
            }
            Some(inner) => tamper(rng, inner),
            None => {}
        }
        return;
    }
    let keys: Vec<String> = map.keys().cloned().collect();
    let any = |rng: &mut Rng| match keys.is_empty() {
        true => "containers".to_owned(),
        false => keys[rng.below(keys.len())].clone(),
    };
    let list = |rng: &mut Rng| {
        let known = [
            "items",
            "words",
            "ints",
            "counted",
            "unions",
            "atomicWords",
            "containers",
            "finalizers",
        ];
        if rng.chance(40) { any(rng) } else { (*rng.pick(&known)).to_owned() }
    };
    match rng.below(10) {
        0 => {
            let odd = [
                json!("replace"),
                json!("delete"),
                json!("merge"),
                json!("x"),
                json!(1),
                json!(null),
            ];
            map.insert("$patch".into(), rng.pick(&odd).clone());
        }
        1 => {
            let mut named: Vec<Value> =
                keys.iter().filter(|_| rng.chance(85)).map(|k| k.as_str().into()).collect();
            if rng.chance(30) {
                named.push((*rng.pick(&["a", "value", "name"])).into());
            }
            let named = if rng.chance(10) { json!("a") } else { named.into() };
            map.insert("$retainKeys".into(), named);
        }
        2 | 3 => {
            let key = list(rng);
            let of = |item: &Value| match item.as_object() {
                Some(item) => Value::Object(
                    item.iter()
                        .filter(|(k, _)| {
                            ["name", "count", "containerPort", "port"].contains(&k.as_str())
                        })
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .collect(),
                ),
                None => item.clone(),
            };
            let mut order: Vec<Value> =
                map.get(&key).and_then(Value::as_array).into_iter().flatten().map(of).collect();
            for _ in 0..rng.below(3) {
                let more =
                    [json!({"name": "a"}), json!({"name": "b"}), json!("a"), json!("b"), json!(1)];
                let at = rng.below(order.len() + 1);
                order.insert(at, rng.pick(&more).clone());
            }
            let order = if rng.chance(5) { json!("a") } else { order.into() };
            map.insert(format!("$setElementOrder/{key}"), order);
        }
        4 | 5 => {
            let key = list(rng);
            let gone = [
                json!(["a"]),
                json!(["b", "c"]),
                json!([1, 2]),
                json!([]),
                json!("a"),
                json!(null),
            ];
            map.insert(format!("$deleteFromPrimitiveList/{key}"), rng.pick(&gone).clone());
        }
        6 => {
            map.insert(any(rng), Value::Null);
        }
        7 => {
            map.insert(any(rng), value(rng, 2));
        }
        8 => {
            let key = any(rng);
            if let Some(old) = map.shift_remove(&key)
                && rng.chance(50)
            {
                let other = if rng.chance(50) { key.to_uppercase() } else { "unknown".to_owned() };
                map.insert(other, old);
            }
        }
        _ => {
            let odd = [
                "$setElementOrder",
                "$deleteFromPrimitiveList",
                "$setElementOrder/",
                "lost",
                "$retainKeys/x",
            ];
            map.insert((*rng.pick(&odd)).to_owned(), json!([rng.below(2)]));
        }
    }
}

/// Some list holds a scalar twice, or a number that has two spellings.
fn repeats(value: &Value) -> bool {
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .any(|(i, item)| !item.is_object() && items[..i].contains(item) || repeats(item)),
        Value::Object(map) => map.values().any(repeats),
        _ => false,
    }
}

/// What an error says, in any order.
fn words(error: &str) -> BTreeSet<&str> {
    error.split([' ', '\n', '[', ']']).collect()
}

/// The same with lists of scalars as sets.
fn as_sets(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(as_sets).collect();
            if items.iter().all(|item| !item.is_object()) {
                items.sort_by_key(Value::to_string);
                items.dedup();
            }
            items.into()
        }
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), as_sets(v))).collect(),
        other => other.clone(),
    }
}

impl Area for StrategicMerge {
    fn name(&self) -> &'static str {
        "strategicmerge"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        let mut kind = json!({"kind": *rng.pick(KINDS)});
        if rng.chance(25) {
            let gvk = random_object::kind(rng);
            kind = json!({"kind": gvk.kind, "apiVersion": gvk.api_version()});
        }
        let synthetic = kind["kind"] == "item";
        let desc = desc(&kind);
        let open_api = match rng.below(if synthetic { 10 } else { 1 }) {
            1..=3 => Some(("schemas", &*SCHEMAS)),
            4..=6 => Some(("definitions", &*DEFINITIONS)),
            _ => None,
        };
        if rng.chance(15) {
            let mut case = lookup(rng, kind, desc);
            if let Some((key, schemas)) = open_api {
                case.input[key] = schemas.clone();
                beside(rng, &mut case.input["path"]);
            }
            return case;
        }
        let depth = if synthetic { 3 } else { 6 };
        let ty = root(desc);
        let mut original = typed(rng, ty, "", depth);
        let mut modified = evolved(rng, &original, ty, "", depth);
        let mut current = evolved(rng, &original, ty, "", depth);
        let schema = TypeSchema::from_desc(desc);
        let patch = |rng: &mut Rng, old: &Value, new: &Value| {
            let made = strategic::diff(&object(old), &object(new), schema, &[]);
            match made {
                Ok(patch) if rng.chance(70) => Value::Object(patch),
                _ => typed(rng, ty, "", depth),
            }
        };
        let mut patches = [patch(rng, &original, &modified), patch(rng, &original, &current)];
        if rng.chance(50) {
            for _ in 0..1 + rng.below(2) {
                match rng.below(10) {
                    0 => tamper(rng, &mut original),
                    1 => tamper(rng, &mut modified),
                    2 => tamper(rng, &mut current),
                    3..=7 => tamper(rng, &mut patches[0]),
                    _ => tamper(rng, &mut patches[1]),
                }
            }
        }
        let [first, second] = patches;
        let keys = ["kind", "name", "metadata", "spec", "labels", "finalizers", "items"];
        let conditions = preconditions(rng, &keys);
        let (function, mut input) = match rng.below(10) {
            0..=3 => {
                let target = if rng.chance(50) { original } else { current };
                ("strategic.apply", json!({"original": target, "patch": first}))
            }
            4 | 5 => (
                "strategic.diff",
                json!({"original": original, "modified": modified, "preconditions": conditions}),
            ),
            6 | 7 => (
                "strategic.threeway",
                json!({
                    "original": original, "modified": modified, "current": current,
                    "overwrite": rng.chance(60), "preconditions": conditions,
                }),
            ),
            8 => ("strategic.merge", json!({"patches": [first, second]})),
            _ => ("strategic.conflicts", json!({"original": first, "modified": second})),
        };
        for (key, value) in object(&kind) {
            input[key] = value;
        }
        if let Some((key, schemas)) = open_api {
            input[key] = schemas.clone();
        }
        Case::new(function, input)
    }

    fn ours(&self, case: &Case) -> Answer {
        answer(case)
    }

    fn shrink(&self, case: &Case) -> Vec<Case> {
        shrink(case)
    }

    fn same(&self, _: &Case, ours: &Answer, go: &Answer) -> bool {
        one_of(ours, go)
    }

    fn deliberate(&self, case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        if errors(go).iter().any(|error| error.starts_with("panic: ")) {
            return Some("Go panics; ours says what is wrong, or has the plain result");
        }
        const REPEATS: &str =
            "a scalar that a list holds twice: Go's order depends on the capacity of its slices";
        const OVERLOOKED: &str =
            "a scalar that a list holds twice: looking for conflicts, Go overlooks what is beyond";
        const SORTED: &str = "looking for conflicts, Go sorts the lists in the patch itself";
        let repeats = repeats(&case.input);
        let conflicts = case.function == "strategic.conflicts"
            || case.function == "strategic.threeway" && case.input["overwrite"] == false;
        let reason = if repeats { REPEATS } else { SORTED };
        let alike = match (ours, go) {
            (Ok(ours), Ok(go)) => match go.get("several").and_then(Value::as_array) {
                Some(several) => {
                    let outcomes = several.iter().filter_map(|outcome| outcome.get("out"));
                    outcomes.map(as_sets).any(|go| same(&as_sets(ours), &go))
                }
                None => same(&as_sets(ours), &as_sets(go)),
            },
            (Err(ours), Err(go)) => words(ours) == words(go),
            _ => false,
        };
        let found = match ours {
            Ok(found) => *found == true,
            Err(error) => error.starts_with("patch:\n"),
        };
        match () {
            () if alike && (repeats || conflicts) => Some(reason),
            () if conflicts && repeats && found => Some(OVERLOOKED),
            () => None,
        }
    }
}
