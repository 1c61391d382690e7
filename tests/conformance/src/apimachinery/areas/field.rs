//! Field paths and the texts of field errors.
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;
use serde_json::{Value, json};

pub(crate) struct Fields;

fn text(rng: &mut Rng) -> String {
    let odd = [
        "<", "\"", "\\", "\n", "é", "\u{200b}", "\u{7f}", "\u{2028}", "\u{1}", "🙂", "a",
        "\u{e000}",
    ];
    if rng.chance(50) {
        rng.text(&odd, 4)
    } else {
        (*rng.pick(&["spec", "a", "b.c", "", "0"])).to_owned()
    }
}

fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth > 1 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => rng.chance(50).into(),
        // As in Go's decoding without a type, every number is a float.
        2 => (rng.between(-1 << 52, 1 << 52) as f64).into(),
        3 => (rng.between(-1000, 1000) as f64 * 10f64.powi(rng.between(-30, 30) as i32)).into(),
        4 | 5 => text(rng).into(),
        6 => (0..rng.below(3)).map(|_| value(rng, depth + 1)).collect(),
        _ => (0..rng.below(3)).map(|_| (text(rng), value(rng, depth + 1))).collect(),
    }
}

const KINDS: &[&str] = &[
    "NotFound",
    "Required",
    "Duplicate",
    "Invalid",
    "TypeInvalid",
    "NotSupported",
    "Forbidden",
    "TooLong",
    "TooLongCharacters",
    "TooShort",
    "TooMany",
    "TooFew",
    "Internal",
];

impl Area for Fields {
    fn name(&self) -> &'static str {
        "field"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        if rng.chance(30) {
            let mut steps: Vec<Value> = Vec::new();
            if rng.chance(70) {
                steps.push(json!({"new": text(rng)}));
            }
            for _ in 0..rng.below(6) {
                steps.push(match rng.below(3) {
                    0 => json!({"child": text(rng)}),
                    1 => json!({"index": rng.below(12)}),
                    _ => json!({"key": text(rng)}),
                });
            }
            return Case::new("field.path", steps);
        }
        let mut errors: Vec<Value> = Vec::new();
        for _ in 0..rng.below(4) {
            if rng.chance(20) && !errors.is_empty() {
                let again = rng.pick(&errors).clone();
                errors.push(again);
                continue;
            }
            let kind = *rng.pick(KINDS);
            let values: Vec<String> = (0..rng.below(3)).map(|_| text(rng)).collect();
            let actual = if kind == "TooFew" { rng.between(0, 3) } else { rng.between(-1, 3) };
            errors.push(json!({
                "kind": kind, "field": text(rng), "value": value(rng, 0), "named": rng.chance(30),
                "detail": text(rng), "bound": rng.between(-1, 3), "actual": actual, "values": values,
            }));
        }
        Case::new("field.errors", errors)
    }

    fn ours(&self, case: &Case) -> Answer {
        super::leaf_answer(case)
    }
}
