//! What a server fills in, computes and refuses for built-in kinds. Go: the defaults, strategies
//! and validation of `k8s.io/kubernetes`.
use super::super::area::{Answer, Area, Case, differences};
use super::super::rng::Rng;
use super::random_object::{self, encoded};
use pintle_apimachinery::reflect::{Desc, INLINE, NOJSON, Type};
use pintle_apimachinery::{Format, GroupVersionKind};
use pintle_apiserver::BuiltinKinds;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static BUILTIN: LazyLock<BuiltinKinds> = LazyLock::new(BuiltinKinds::new);

static SERVED: LazyLock<Vec<GroupVersionKind>> = LazyLock::new(|| {
    let served: Vec<(String, &str)> = BuiltinKinds::kinds().collect();
    let is_served = |kind: &GroupVersionKind| {
        let version = if kind.group.is_empty() {
            kind.version.to_string()
        } else {
            format!("{}/{}", kind.group, kind.version)
        };
        served.iter().any(|(v, k)| *v == version && **k == *kind.kind)
    };
    let mut kinds: Vec<_> =
        random_object::SCHEME.kinds().filter(|kind| is_served(kind)).cloned().collect();
    kinds.sort_by_key(ToString::to_string);
    kinds
});

/// Valid objects of every kind with rules, a document each.
static BASES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let text = include_str!("../../../data/kinds.yaml");
    let documents = text.split("\n---\n").filter(|text| !text.trim().is_empty());
    documents.map(|text| serde_yaml::from_str(text).expect("YAML")).collect()
});

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn desc(object: &Value) -> Option<&'static Desc> {
    let head = json!({"apiVersion": text(object, "apiVersion"), "kind": text(object, "kind")});
    let empty = random_object::SCHEME.decode(head.to_string().as_bytes(), Format::Json).ok()?;
    Some(empty.as_message()?.desc())
}

/// The message behind a type, with lists, maps and pointers taken off.
fn inner(ty: &'static Type) -> Option<&'static Desc> {
    match ty {
        Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc) if desc.transparent => {
            desc.fields.first().and_then(|field| inner(&field.ty))
        }
        Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc) => Some(desc),
        Type::List(of) | Type::Map(of) => inner(of),
        _ => None,
    }
}

/// Makes many of the random texts values that mean something.
fn sensible(rng: &mut Rng, value: &mut Value, desc: &'static Desc) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| sensible(rng, item, desc)),
        Value::Object(members) => {
            // The values of a map of messages.
            if members.values().all(Value::is_object)
                && !members.keys().any(|key| desc.fields.iter().any(|f| f.name == key))
                && !desc.fields.iter().any(|f| f.flags & INLINE != 0)
            {
                members.values_mut().for_each(|member| sensible(rng, member, desc));
                return;
            }
            fields(rng, members, desc);
        }
        _ => {}
    }
}

fn fields(rng: &mut Rng, members: &mut serde_json::Map<String, Value>, desc: &'static Desc) {
    for field in desc.fields {
        if field.flags & INLINE != 0 {
            if let Some(inner) = inner(&field.ty) {
                fields(rng, members, inner);
            }
            continue;
        }
        let Some(value) = members.get_mut(field.name).filter(|_| field.flags & NOJSON == 0) else {
            continue;
        };
        if value.is_string() && !field.facts.enums.is_empty() && rng.chance(70) {
            *value = (*rng.pick(field.facts.enums)).into();
        } else if value.is_string() && matches!(field.name, "image" | "reference") {
            let images = [
                "a",
                "a:latest",
                "a:1",
                "r.io/a/b",
                "A",
                "a@sha256:x",
                "",
                "a b",
                "r.io:5/x:y",
                "localhost/a:latest",
                "a__b",
                "a:",
                "docker.io/a",
                "é",
            ];
            *value = (*rng.pick(&images)).into();
        } else if let Some(inner) = inner(&field.ty) {
            sensible(rng, value, inner);
        }
    }
}

/// Objects of every served kind with their defaults.
pub(crate) struct Defaults;

impl Area for Defaults {
    fn name(&self) -> &'static str {
        "defaults"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        if rng.chance(30) {
            let mut base = rng.pick(&BASES).clone();
            change(rng, &mut base);
            return Case::new("kinds.default", base);
        }
        let kind = if rng.chance(40) {
            let often = ["Pod", "Deployment", "Job", "CronJob", "Service", "StatefulSet"];
            let kind = rng.pick(&often);
            SERVED.iter().find(|k| k.kind == *kind).expect("a served kind").clone()
        } else {
            rng.pick(&SERVED).clone()
        };
        let object = random_object::object(rng, &kind);
        let bytes = encoded(&*object, Format::Json);
        let mut object: Value = serde_json::from_slice(&bytes).expect("JSON");
        if let Some(desc) = desc(&object) {
            sensible(rng, &mut object, desc);
        }
        Case::new("kinds.default", object)
    }

    fn ours(&self, case: &Case) -> Answer {
        BUILTIN.default(&case.input).map_err(|e| e.to_string())
    }

    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        kind_of(&case.input, ours, go)
    }

    fn same(&self, _: &Case, ours: &Answer, go: &Answer) -> bool {
        let (mut ours, mut go) = (ours.clone(), go.clone());
        for object in [&mut ours, &mut go].into_iter().flatten() {
            without_times(object);
        }
        match (&ours, &go) {
            (Ok(a), Ok(b)) => super::super::area::same(a, b),
            (a, b) => a == b,
        }
    }
}

/// A default that is the time.
fn without_times(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_times),
        Value::Object(members) => {
            members.remove("timeAdded");
            members.remove("lastPhaseTransitionTime");
            if members.get("reason").is_some_and(|reason| reason == "SchedulingGated") {
                members.remove("lastTransitionTime");
            }
            members.values_mut().for_each(without_times);
        }
        _ => {}
    }
}

fn kind_of(object: &Value, ours: &Answer, go: &Answer) -> String {
    let kind = text(object, "kind");
    match (ours, go) {
        (Ok(a), Ok(b)) => {
            let path = differences(a, b).into_iter().next().map(|(path, ..)| path);
            let path: String =
                path.unwrap_or_default().chars().filter(|c| !c.is_ascii_digit()).collect();
            format!("{kind}{path}")
        }
        (Err(a), Err(b)) => {
            let (a, b) = (errors(a), errors(b));
            let missing = b.iter().find(|e| !a.contains(e)).map(|e| format!("misses {}", shape(e)));
            let more = a.iter().find(|e| !b.contains(e)).map(|e| format!("adds {}", shape(e)));
            let what = missing.or(more).unwrap_or_else(|| "order".to_owned());
            format!("{kind}: {what}")
        }
        (Ok(_), Err(b)) => {
            format!("{kind}: misses {}", errors(b).first().map(|e| shape(e)).unwrap_or_default())
        }
        (Err(a), Ok(_)) => {
            format!("{kind}: only ours {}", errors(a).first().map(|e| shape(e)).unwrap_or_default())
        }
    }
}

/// An error without what is particular to the object.
fn shape(error: &str) -> String {
    let (field, rest) = error.split_once(": ").unwrap_or((error, ""));
    let field: String = field.chars().filter(|c| !c.is_ascii_digit()).collect();
    let field = field.rsplit('.').take(2).collect::<Vec<_>>().join("<");
    let parts: Vec<&str> = rest.split(": ").collect();
    let detail = parts.last().copied().unwrap_or_default();
    format!(
        "{field}: {}: {}",
        parts.first().copied().unwrap_or_default(),
        detail.get(..40).unwrap_or(detail)
    )
}

/// The errors in the text of a Status.
fn errors(text: &str) -> Vec<String> {
    let list = text.split_once(" is invalid: ").map_or(text, |(_, list)| list);
    let list = list.strip_prefix('[').and_then(|l| l.strip_suffix(']')).unwrap_or(list);
    // A comma begins another error where a field's path and a colon follow.
    let mut all: Vec<String> = Vec::new();
    for part in list.split(", ") {
        let begins = part.split_once(": ").is_some_and(|(field, rest)| {
            let kinds = [
                "Invalid value",
                "Required value",
                "Forbidden",
                "Unsupported value",
                "Duplicate value",
                "Too long",
                "Too many",
                "Not found",
                "Too few",
                "Internal error",
                "Too short",
            ];
            !field.contains('"') && kinds.iter().any(|kind| rest.starts_with(kind))
        });
        match all.last_mut() {
            Some(last) if !begins => {
                last.push_str(", ");
                last.push_str(part);
            }
            _ => all.push(part.to_owned()),
        }
    }
    all
}

/// Changes an object in one to three places.
fn change(rng: &mut Rng, object: &mut Value) {
    let Some(desc) = desc(object) else { return };
    for _ in 0..1 + rng.below(3) {
        step(rng, object, desc, 0);
    }
}

/// Changes the status of an object in one to three places.
fn change_status(rng: &mut Rng, object: &mut Value) {
    let Some(desc) = desc(object) else { return };
    let Some(field) = desc.fields.iter().find(|field| field.name == "status") else { return };
    let Some(of) = inner(&field.ty) else { return };
    if !object["status"].is_object() {
        object["status"] = json!({});
    }
    for _ in 0..1 + rng.below(3) {
        step(rng, &mut object["status"], of, 1);
    }
}

const WORDS: [&str; 34] = [
    "",
    "a",
    "A",
    "web",
    "a.b",
    "-a",
    "a/b",
    "example.com/a",
    "a b",
    "..",
    "../x",
    "/abs",
    "0",
    "10.0.0.1",
    "fd00::1",
    "1.2.3.4/24",
    "http",
    "80",
    "25%",
    "101%",
    "cpu",
    "memory",
    "x/y/z",
    "Always",
    "Never",
    "TCP",
    "a,b",
    "kubernetes.io/x",
    "*",
    "*/5 * * * *",
    "a123456789012345678901234567890123456789012345678901234567890123",
    "None",
    "1Gi",
    "é<&>",
];

const NUMBERS: [i64; 17] =
    [0, 1, -1, 2, 3, 10, 30, 80, 100, 101, 255, 256, 600, 3600, 65535, 65536, 1 << 33];

/// Goes into a value by its type and changes something there.
fn step(rng: &mut Rng, value: &mut Value, desc: &'static Desc, depth: u32) {
    let Value::Object(members) = value else { return };
    let mut at = desc;
    for _ in 0..40 {
        let field = rng.pick(at.fields);
        if field.flags & INLINE != 0 {
            if let Some(inner) = inner(&field.ty) {
                at = inner;
            }
            continue;
        }
        if field.flags & NOJSON != 0
            || (depth == 0
                && (field.name == "status" || (field.name == "metadata" && rng.chance(80))))
            || matches!(
                field.name,
                "managedFields"
                    | "creationTimestamp"
                    | "deletionTimestamp"
                    | "deletionGracePeriodSeconds"
                    | "uid"
                    | "resourceVersion"
                    | "selfLink"
                    | "generation"
            )
            || (field.name == "namespace" && at.name == "ObjectMeta")
        {
            at = desc;
            continue;
        }
        let present = members.get(field.name).is_some_and(|v| !v.is_null());
        // What is there is where rules are.
        if !present && rng.chance(60) {
            continue;
        }
        if present && rng.chance(8) {
            members.remove(field.name);
            return;
        }
        let slot = members.entry(field.name).or_insert(Value::Null);
        set(rng, slot, &field.ty, field.facts.enums, depth);
        if slot.is_null() {
            members.remove(field.name);
        }
        return;
    }
}

fn set(rng: &mut Rng, slot: &mut Value, ty: &'static Type, enums: &[&str], depth: u32) {
    match ty {
        Type::Msg(d) | Type::Emb(d) | Type::OptMsg(d) if d.transparent => {
            if let Some(only) = d.fields.first() {
                set(rng, slot, &only.ty, enums, depth);
            }
        }
        Type::Msg(d) | Type::Emb(d) | Type::OptMsg(d) => {
            if !slot.is_object() {
                *slot = json!({});
            }
            if depth < 12 && !d.fields.is_empty() {
                step(rng, slot, d, depth + 1);
            }
        }
        Type::List(of) => {
            if !slot.is_array() {
                *slot = json!([]);
            }
            let Value::Array(items) = slot else { return };
            if items.is_empty() || rng.chance(15) {
                let mut item = Value::Null;
                if !items.is_empty() && rng.chance(60) {
                    item = rng.pick(items).clone();
                } else {
                    set(rng, &mut item, of, enums, depth + 1);
                }
                if !item.is_null() {
                    items.push(item);
                }
            } else {
                let index = rng.below(items.len());
                set(rng, &mut items[index], of, enums, depth + 1);
            }
        }
        Type::Map(of) => {
            if !slot.is_object() {
                *slot = json!({});
            }
            let Value::Object(members) = slot else { return };
            let keys: Vec<String> = members.keys().cloned().collect();
            let key = if keys.is_empty() || rng.chance(40) {
                (*rng.pick(&WORDS)).to_owned()
            } else {
                rng.pick(&keys).clone()
            };
            let entry = members.entry(key.clone()).or_insert(Value::Null);
            set(rng, entry, of, enums, depth + 1);
            if entry.is_null() {
                members.remove(&key);
            }
        }
        Type::Str | Type::OptStr => {
            *slot = match enums {
                [] => (*rng.pick(&WORDS)).into(),
                enums if rng.chance(85) => (*rng.pick(enums)).into(),
                _ => (*rng.pick(&WORDS)).into(),
            };
        }
        Type::I32 | Type::OptI32 => {
            *slot = (*rng.pick(&NUMBERS)).min(i64::from(i32::MAX)).into();
        }
        Type::I64 | Type::OptI64 => *slot = (*rng.pick(&NUMBERS)).into(),
        Type::Bool | Type::OptBool => *slot = rng.chance(60).into(),
        Type::Leaf(leaf) | Type::OptLeaf(leaf) => match leaf.name {
            "Quantity" => {
                *slot = (*rng.pick(&["1", "0", "-1", "500m", "1Gi", "2Gi", "0.1m", "10"])).into();
            }
            "IntOrString" => {
                *slot = match rng.below(2) {
                    0 => (*rng.pick(&NUMBERS)).min(i64::from(i32::MAX)).into(),
                    _ => (*rng.pick(&["http", "25%", "101%", "-1%", "", "A", "a%", "0%"])).into(),
                };
            }
            "Time" => *slot = "2020-01-02T03:04:05Z".into(),
            "MicroTime" => *slot = "2020-01-02T03:04:05.000001Z".into(),
            _ => {}
        },
        _ => {}
    }
}

/// Kinds with a status that is updated on its own.
const WITH_STATUS: [&str; 20] = [
    "CSINode",
    "CronJob",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "ReplicaSet",
    "ReplicationController",
    "ResourceQuota",
    "Service",
    "StatefulSet",
    "VolumeAttachment",
];

/// Kinds that are compared when they are named only: some of their messages show Go's internal types,
/// or what has changed in them as a text, and rules of their own are missing.
const DIFFER: [&str; 14] = [
    "CronJob",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "Job",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodTemplate",
    "ReplicaSet",
    "ReplicationController",
    "Service",
    "StatefulSet",
    "VolumeAttachment",
];

/// Kinds whose errors may come in any order: those of the schema are not where Go has them yet.
const UNORDERED: [&str; 9] = [
    "CSINode",
    "ClusterRoleBinding",
    "EndpointSlice",
    "Event",
    "HorizontalPodAutoscaler",
    "IngressClass",
    "ReplicationController",
    "RoleBinding",
    "VolumeAttributesClass",
];

/// The kinds that `PINTLE_CONFORMANCE_KINDS` names, with commas between, to compare them alone.
const NAMED: &str = "PINTLE_CONFORMANCE_KINDS";

/// The kinds to compare.
static CHOSEN: LazyLock<BTreeSet<String>> = LazyLock::new(|| match std::env::var(NAMED) {
    Ok(named) => named.split(',').map(str::to_owned).collect(),
    Err(_) => {
        let kinds = BASES.iter().map(|base| text(base, "kind"));
        kinds.filter(|kind| !DIFFER.contains(kind)).map(str::to_owned).collect()
    }
});

/// Creates and updates of objects that are nearly valid.
pub(crate) struct ValidationOfKinds;

impl Area for ValidationOfKinds {
    fn name(&self) -> &'static str {
        "validation-kinds"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        let with_rules: Vec<&Value> =
            BASES.iter().filter(|base| CHOSEN.contains(text(base, "kind"))).collect();
        let base = (*rng.pick(&with_rules)).clone();
        let mut new = base.clone();
        let status = WITH_STATUS.contains(&text(&base, "kind")) && rng.chance(20);
        if status {
            change_status(rng, &mut new);
        } else if rng.chance(97) {
            change(rng, &mut new);
        }
        if !status && rng.chance(65) {
            // A name that is left out is made by the store.
            if text(&new["metadata"], "name").is_empty() {
                new["metadata"]["name"] = base["metadata"]["name"].clone();
            }
            return Case::new("kinds.create", new);
        }
        if text(&base, "kind") == "ConfigMap" || text(&base, "kind") == "Secret" {
            // An empty map is none once an object has passed through its type; Go tells them apart.
            for key in ["data", "binaryData"] {
                if new[key].as_object().is_some_and(serde_json::Map::is_empty) {
                    new.as_object_mut().expect("an object").remove(key);
                }
            }
        }
        // A server compares the name with that of the URL before all this.
        new["metadata"]["name"] = base["metadata"]["name"].clone();
        let function = if status { "kinds.status" } else { "kinds.update" };
        Case::new(function, json!({"old": base, "new": new}))
    }

    fn ours(&self, case: &Case) -> Answer {
        match case.function {
            "kinds.create" => BUILTIN.create(&case.input),
            "kinds.status" => BUILTIN.update_status(&case.input["old"], &case.input["new"]),
            _ => BUILTIN.update(&case.input["old"], &case.input["new"]),
        }
        .map_err(|e| match e.status() {
            Some(status) => status.message.to_string(),
            None => e.to_string(),
        })
    }

    fn deliberate(&self, case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        let kind = text(&case.input["new"], "kind");
        match (ours, go) {
            (Err(_), Err(go)) if go.starts_with("panic: ") => {
                Some("Go panics; ours says what is wrong")
            }
            (_, Err(go))
                if go.contains("compilation failed") || go.contains("must evaluate to bool") =>
            {
                Some("expressions of webhooks' match conditions are not compiled")
            }
            (Ok(a), Ok(b)) if kind == "EndpointSlice" => {
                let (mut a, mut b) = (a.clone(), b.clone());
                for object in [&mut a, &mut b] {
                    object["metadata"]["generation"] = 0.into();
                }
                let topology = case.input["new"].to_string().contains("deprecatedTopology");
                (topology && self.same(case, &Ok(a), &Ok(b)))
                    .then_some("Go counts a field that it then drops as a change")
            }
            _ => None,
        }
    }

    fn shrink(&self, case: &Case) -> Vec<Case> {
        let keep = |smaller: &Case| {
            let objects = match case.function {
                "kinds.create" => vec![(&smaller.input, &case.input)],
                _ => ["old", "new"].map(|k| (&smaller.input[k], &case.input[k])).to_vec(),
            };
            objects.iter().all(|(a, b)| {
                a["kind"] == b["kind"]
                    && a["apiVersion"] == b["apiVersion"]
                    && a["metadata"]["name"] == b["metadata"]["name"]
                    && a["metadata"]["namespace"] == b["metadata"]["namespace"]
            })
        };
        super::super::shrink::generic(case).into_iter().filter(keep).collect()
    }

    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        let object = if case.function == "kinds.create" { &case.input } else { &case.input["new"] };
        format!("{} {}", case.function, kind_of(object, ours, go))
    }

    fn same(&self, case: &Case, ours: &Answer, go: &Answer) -> bool {
        match (ours, go) {
            (Ok(a), Ok(b)) => {
                let (mut a, mut b) = (a.clone(), b.clone());
                for object in [&mut a, &mut b] {
                    if let Some(meta) = object["metadata"].as_object_mut() {
                        meta.remove("creationTimestamp");
                        meta.remove("uid");
                    }
                    without_times(object);
                }
                super::super::area::same(&a, &b)
            }
            (Err(a), Err(b)) => {
                let object =
                    if case.function == "kinds.create" { &case.input } else { &case.input["new"] };
                let ordered = !UNORDERED.contains(&text(object, "kind"));
                a == b || same_errors(errors(a), errors(b), ordered)
            }
            _ => false,
        }
    }
}

/// Maps of which a key may look like an index.
const LIMITS: [&str; 6] =
    [".max[", ".min[", ".default[", ".defaultRequest[", ".maxLimitRequestRatio[", ".hard["];

/// Whether errors are the same and come in the same order, but for those of the members of maps,
/// through which Go goes in any order.
fn same_errors(mut a: Vec<String>, mut b: Vec<String>, in_order: bool) -> bool {
    let is_member = |error: &String| {
        let field = error.split(": ").next().unwrap_or_default();
        let mut keys = field.split('[').skip(1).map(|rest| rest.split(']').next().unwrap_or(rest));
        keys.any(|key| key.parse::<usize>().is_err())
            || LIMITS.iter().any(|map| field.contains(map))
            || ["labels", "annotations", "matchLabels", "nodeSelector", "selector", "data"]
                .iter()
                .any(|map| field.ends_with(map))
    };
    let ordered = |all: &[String]| -> Vec<String> {
        all.iter().filter(|error| !is_member(error)).cloned().collect()
    };
    if in_order && ordered(&a) != ordered(&b) {
        return false;
    }
    a.sort_unstable();
    b.sort_unstable();
    a == b
}
