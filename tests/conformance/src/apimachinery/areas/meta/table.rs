//! Tables of custom resources: columns, JSON paths, cells.
use crate::apimachinery::area::{Answer, Case};
use crate::apimachinery::rng::Rng;
use serde_json::{Value, json};

const PATHS: &[&str] = &[
    ".spec.replicas",
    ".spec.name",
    ".spec.on",
    ".spec.share",
    ".spec.big",
    ".spec.nothing",
    ".spec.list[0]",
    ".spec.list[-1]",
    ".spec.list[1:]",
    ".spec.list[*]",
    ".spec.list[0:2:2]",
    ".spec.list",
    ".spec",
    ".spec.missing.deep",
    ".metadata.creationTimestamp",
    ".spec.when",
    ".spec['a.b']",
    ".spec.a\\.b",
    ".status.conditions[?(@.type==\"Ready\")].status",
    ".status.conditions[?(@.type=='Ready')].status",
    ".status.conditions[?(@.n>1)].type",
    ".status.conditions[?(@.n<=1)].type",
    ".status.conditions[?(@.reason)].type",
    ".status.conditions[?(@.type!=\"Ready\")].n",
    ".status.conditions[*].type",
    ".status.conditions[0]['type','status']",
    ".status.conditions[5].type",
    ".spec.list[?(@>1)]",
    "$.spec.replicas",
    "..replicas",
    ".spec.name[0]",
    ".",
    ".spec.list[9:]",
    ".spec.list[0,1]",
    ".status.conditions[?(@.n==1.5)].type",
    ".status.conditions[?(@.n==true)].type",
    ".status.conditions[?(@.type==@.status)].type",
    ".spec.share.x",
    ".spec.list[:0]",
];

const PIECES: &[&str] = &[
    ".", "[", "]", "?", "(", ")", "@", "$", "'", "\"", "spec", "0", "-", ":", "*", ",", "=", "!",
    "<", "\\", " ", "é", "a", "true", "1.5", "+",
];

fn leaf(rng: &mut Rng) -> Value {
    match rng.below(12) {
        0 => Value::Null,
        1 => rng.chance(50).into(),
        2 => rng.integer().into(),
        3 => json!(1.5),
        4 => json!(1e21),
        5 => json!(0.00001),
        6 => json!(u64::MAX),
        7 => json!({"b": 1, "a": ["<x>", 2.5]}),
        8 => json!([1, "a", null]),
        9 => "2001-02-03T04:05:06Z".into(),
        10 => json!(1e6),
        _ => (*rng.pick(&["", "web", "<b>", "null", "é", "True"])).into(),
    }
}

fn object(rng: &mut Rng) -> Value {
    let mut spec = json!({"replicas": rng.below(9)});
    for key in ["name", "on", "share", "big", "nothing", "when", "a.b"] {
        if rng.chance(60) {
            spec[key] = leaf(rng);
        }
    }
    let items: Vec<Value> = (0..rng.below(4))
        .map(|_| if rng.chance(70) { rng.below(4).into() } else { leaf(rng) })
        .collect();
    spec["list"] = if rng.chance(90) { items.into() } else { leaf(rng) };
    let condition = |rng: &mut Rng| {
        let mut out = json!({"type": *rng.pick(&["Ready", "Other", "True"])});
        if rng.chance(80) {
            out["status"] = (*rng.pick(&["True", "False"])).into();
        }
        if rng.chance(70) {
            out["n"] = if rng.chance(80) { rng.below(3).into() } else { leaf(rng) };
        }
        if rng.chance(30) {
            out["reason"] = leaf(rng);
        }
        out
    };
    let conditions: Vec<Value> = (0..rng.below(4)).map(|_| condition(rng)).collect();
    let mut metadata = json!({"name": *rng.pick(&["one", "two", ""])});
    match rng.below(4) {
        0 => {}
        1 => metadata["creationTimestamp"] = Value::Null,
        // Long enough ago that its age is the same for days.
        _ => metadata["creationTimestamp"] = "2009-02-03T04:05:06Z".into(),
    }
    json!({
        "apiVersion": "example.com/v1", "kind": "Foo", "metadata": metadata, "spec": spec,
        "status": {"conditions": conditions},
    })
}

pub(super) fn tables(rng: &mut Rng) -> Case {
    let column = |rng: &mut Rng| {
        let path = *rng.pick(PATHS);
        let path = if rng.chance(25) { rng.mutate(path, PIECES) } else { path.to_owned() };
        json!({
            "name": *rng.pick(&["A", "B", "Age"]),
            "type": *rng.pick(&["string", "string", "integer", "number", "boolean", "date", "x"]),
            "format": *rng.pick(&["", "int32"]),
            "description": *rng.pick(&["", "what it is"]),
            "priority": rng.below(2),
            "jsonPath": path,
        })
    };
    let columns: Vec<Value> = (0..1 + rng.below(3)).map(|_| column(rng)).collect();
    Case::new("table.convert", json!({"columns": columns, "object": object(rng)}))
}

pub(super) fn any_member(case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
    let path = |column: &Value| column["jsonPath"].as_str().unwrap_or_default().to_owned();
    let mut columns = case.input["columns"].as_array()?.iter().map(path);
    let wild = columns.any(|path| path.contains('*') || path.contains(".."));
    (wild && ours.is_ok() && go.is_ok())
        .then_some("of all members of an object, a cell has one, which Go takes at random and ours is the first")
}
