//! Label selectors: parse, print, match, requirements, and selectors of sets and of API objects.
use super::leaf::selectors::OPERATORS;
use crate::apimachinery::area::{Answer, Area, Case, same};
use crate::apimachinery::rng::Rng;
use serde_json::{Value, json};

pub(crate) struct Labels;

const PIECES: &[&str] = &[
    "a", "b", "z", "0", "in", "notin", "=", "==", "!=", "!", "(", ")", ",", ">", "<", " ", "\t",
    "-", "_", ".", "/", "x.io/", "é", "\u{0}", "1", "-5", "\n", "\r",
];
/// A key or value, mostly valid.
fn word(rng: &mut Rng) -> String {
    const WORDS: &[&str] = &[
        "a",
        "b",
        "x",
        "env",
        "app.io/name",
        "in",
        "notin",
        "1",
        "-7",
        "9223372036854775808",
        "z_Z.0",
        "5",
        "exists",
    ];
    match rng.below(50) {
        0 => "a".repeat(60 + rng.below(10)),
        1 => format!("{}/x", "b".repeat(250 + rng.below(6))),
        2..=4 => rng.text(&["a", "B", "1", "-", "_", ".", "/", "é"], 6),
        _ => (*rng.pick(WORDS)).to_owned(),
    }
}

fn selector(rng: &mut Rng) -> String {
    let mut terms = Vec::new();
    for _ in 0..rng.below(4) {
        let key = word(rng);
        terms.push(match rng.below(10) {
            0 => key,
            1 => format!("!{key}"),
            2 => format!("{key}={}", word(rng)),
            3 => format!("{key}=={}", word(rng)),
            4 => format!("{key} != {}", word(rng)),
            5 | 6 => format!("{key} in ({},{})", word(rng), word(rng)),
            7 => format!("{key} notin ({})", rng.text(&["a", "b", ",", "", " "], 5)),
            8 => format!("{key}>{}", rng.pick(&["1", "-5", "x", "", "99999999999999999999"])),
            _ => format!("{key}<{}", rng.pick(&["1", "+5", "x", "007"])),
        });
    }
    let text = terms.join(*rng.pick(&[",", ", ", ","]));
    match rng.below(4) {
        0 => rng.mutate(&text, PIECES),
        1 => rng.text(PIECES, 8),
        _ => text,
    }
}

fn set(rng: &mut Rng) -> Value {
    let mut out = serde_json::Map::new();
    for _ in 0..rng.below(4) {
        let key = *rng.pick(&["a", "b", "x", "env", "in", "1", "app.io/name"]);
        out.insert(key.into(), word(rng).into());
    }
    out.into()
}

impl Area for Labels {
    fn name(&self) -> &'static str {
        "labels"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        match rng.below(10) {
            0 if rng.chance(50) => {
                let part = |rng: &mut Rng| {
                    let between = *rng.pick(&["=", "=", "=", "=", " = ", "==", "", "!="]);
                    format!("{}{between}{}", word(rng), word(rng))
                };
                let parts: Vec<String> = (0..rng.below(4)).map(|_| part(rng)).collect();
                Case::new("labels.text", parts.join(*rng.pick(&[",", ",", ", ", ",,"])))
            }
            0..=3 => Case::new("labels.parse", selector(rng)),
            4 | 5 => {
                Case::new("labels.matches", json!({"selector": selector(rng), "set": set(rng)}))
            }
            6 => {
                let values: Vec<String> = (0..rng.below(4)).map(|_| word(rng)).collect();
                let operator = rng.pick(OPERATORS).as_str();
                let input = json!({"key": word(rng), "operator": operator, "values": values, "set": set(rng)});
                Case::new("labels.requirement", input)
            }
            7 => Case::new("labels.exact", json!({"selector": selector(rng), "key": word(rng)})),
            8 => Case::new("labels.set", json!([set(rng), set(rng)])),
            _ => {
                if rng.chance(5) {
                    return Case::new("labels.ofLabelSelector", Value::Null);
                }
                let mut input = serde_json::Map::new();
                // Go goes through a map in any order: one pair, so that there is one first error.
                if rng.chance(50) {
                    input.insert("matchLabels".into(), json!({word(rng): word(rng)}));
                }
                let operators = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "", "in", "é"];
                let expressions: Vec<Value> = (0..rng.below(3))
                    .map(|_| {
                        let values: Vec<String> = (0..rng.below(3)).map(|_| word(rng)).collect();
                        let operator =
                            if rng.chance(85) { &operators[..4] } else { &operators[..] };
                        let mut one = json!({"key": word(rng), "operator": rng.pick(operator)});
                        if !values.is_empty() {
                            one["values"] = values.into();
                        }
                        one
                    })
                    .collect();
                if !expressions.is_empty() {
                    input.insert("matchExpressions".into(), expressions.into());
                }
                Case::new("labels.ofLabelSelector", input)
            }
        }
    }

    fn ours(&self, case: &Case) -> Answer {
        super::leaf_answer(case)
    }

    fn same(&self, case: &Case, ours: &Answer, go: &Answer) -> bool {
        if let (Ok(a), Ok(b)) = (ours, go) {
            // Which of several errors comes first depends on the order of Go's map.
            let several = case.function == "labels.set"
                && case.input[0].as_object().is_some_and(|o| o.len() > 1);
            if several && a["error"].is_string() && b["error"].is_string() {
                let (mut a, mut b) = (a.clone(), b.clone());
                (a["error"], b["error"]) = (Value::Null, Value::Null);
                return same(&a, &b);
            }
            return same(a, b);
        }
        ours == go
    }
}
