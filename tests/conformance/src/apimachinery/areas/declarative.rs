//! The rules of declarative validation.
use super::leaf::declarative::CONSTRAINTS;
use super::validation::name;
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;
use serde_json::{Map, Value, json};

pub(crate) struct Declarative;

fn operation(rng: &mut Rng) -> Map<String, Value> {
    let mut options = Map::new();
    for name in ["x", "y"] {
        if rng.chance(70) {
            options.insert(name.into(), rng.chance(50).into());
        }
    }
    let mut out = Map::new();
    out.insert("update".into(), rng.chance(60).into());
    out.insert("options".into(), options.into());
    out
}

fn words(rng: &mut Rng) -> Vec<&'static str> {
    (0..rng.below(4)).map(|_| *rng.pick(&["a", "b", "c", ""])).collect()
}

fn keyed(rng: &mut Rng) -> Vec<Value> {
    (0..rng.below(4))
        .map(|_| json!({"key": rng.pick(&["a", "b", "c"]), "value": rng.below(2)}))
        .collect()
}

fn marked(rng: &mut Rng) -> Vec<Value> {
    (0..rng.below(4))
        .map(|_| {
            json!({
                "kind": rng.pick(&["Required", "Invalid", "Invalid", "Internal"]),
                "field": rng.pick(&["a", "b"]),
                "origin": rng.pick(&["", "format=x", "maxLength"]),
                "covered": rng.chance(60),
                "stability": rng.pick(&["", "alpha", "beta", "beta"]),
            })
        })
        .collect()
}

fn with(mut base: Map<String, Value>, more: Value) -> Value {
    if let Value::Object(more) = more {
        base.extend(more);
    }
    base.into()
}

impl Area for Declarative {
    fn name(&self) -> &'static str {
        "declarative"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        let op = operation(rng);
        match rng.below(8) {
            0 | 1 => {
                let word = |rng: &mut Rng| rng.text(&["a", "é", "🙂", "b"], 4);
                let (one, other) = (word(rng), word(rng));
                let old = if rng.chance(50) { json!(rng.between(-3, 9)) } else { Value::Null };
                Case::new(
                    "declarative.value",
                    with(
                        op,
                        json!({
                            "text": one,
                            "other": if rng.chance(20) { one.clone() } else { other },
                            "number": rng.between(-3, 9),
                            "old": old,
                            "bound": rng.between(0, 5),
                            "option": rng.pick(&["x", "y"]),
                            "wanted": rng.chance(50),
                        }),
                    ),
                )
            }
            2 => {
                let value = match rng.below(4) {
                    0 => rng.mutate("123e4567-e89b-12d3-a456-426614174000", &["a", "F", "-", "g"]),
                    1 => rng.text(
                        &["a", "/", ".", "requests.", "kubernetes.io/", "-", "example.com"],
                        5,
                    ),
                    _ => name(rng),
                };
                Case::new("declarative.format", value)
            }
            3 => {
                let exclusions: Vec<Value> = (0..rng.below(3))
                    .map(|_| {
                        json!({
                            "value": rng.pick(&["A", "B"]),
                            "excludeWhen": rng.chance(50),
                            "option": rng.pick(&["x", "y"]),
                        })
                    })
                    .collect();
                let valid: Vec<&str> =
                    (0..rng.below(4)).map(|_| *rng.pick(&["B", "A", "<C>"])).collect();
                let value = *rng.pick(&["A", "B", "<C>", "", "é\"<"]);
                Case::new(
                    "declarative.enum",
                    with(
                        op,
                        json!({
                            "value": value, "valid": valid, "exclusions": exclusions,
                        }),
                    ),
                )
            }
            4 => {
                let one = |rng: &mut Rng| {
                    json!({
                        "value": rng.pick(&["A", "B", "C", "", "Z"]),
                        "set": [rng.chance(40), rng.chance(40), rng.chance(40)],
                    })
                };
                let new = one(rng);
                let old = match rng.below(3) {
                    0 => Value::Null,
                    1 => new.clone(),
                    _ => one(rng),
                };
                let members = if rng.chance(95) { &["p", "q", "r"][..] } else { &["p", "q"] };
                Case::new(
                    "declarative.union",
                    with(
                        op,
                        json!({
                            "new": new, "old": old, "members": members,
                        }),
                    ),
                )
            }
            5 => {
                let new = keyed(rng);
                let old = if rng.chance(30) { new.clone() } else { keyed(rng) };
                Case::new("declarative.list", with(op, json!({"new": new, "old": old})))
            }
            6 => {
                let all: Vec<&str> =
                    (0..1 + rng.below(4)).map(|_| rng.pick(CONSTRAINTS).0).collect();
                let before =
                    if rng.chance(30) { Value::Null } else { json!(rng.pick(&["", "a", "b"])) };
                Case::new(
                    "declarative.update",
                    with(
                        op,
                        json!({
                            "new": words(rng), "old": words(rng), "value": rng.pick(&["", "a", "b"]),
                            "before": before, "constraints": all,
                        }),
                    ),
                )
            }
            _ => Case::new(
                "declarative.filter",
                json!({
                    "handwritten": marked(rng), "declarative": marked(rng), "beta": rng.chance(50),
                }),
            ),
        }
    }

    fn ours(&self, case: &Case) -> Answer {
        super::leaf_answer(case)
    }

    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        super::member_kind(case, ours, go)
    }
}
