//! Field sets: parsing, printing, algebra, filters; the order and texts of values.
use super::member_kind;
use super::merge_answers::answer;
use super::merge_values::{MEMBERS, any_value, element_text, order_of_members, set_text};
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;
use pintle_structured_merge::Set;
use serde_json::{Value, json};

pub(crate) struct FieldSets;

/// The reason for the one difference in reading.
pub(super) const DEPTH: &str = "pintle reads 200 levels, Go 10,000";

fn versioned(rng: &mut Rng) -> Value {
    let all = (0..rng.below(4)).map(|_| {
        let set = Set::from_json(set_text(rng, false).as_bytes()).unwrap_or_default().to_json();
        let name = *rng.pick(&["a", "b", "c"]);
        let version = *rng.pick(&["v1", "v1", "v2"]);
        (name.to_owned(), json!({"set": set, "version": version, "applied": rng.chance(50)}))
    });
    Value::Object(all.collect())
}

impl Area for FieldSets {
    fn name(&self) -> &'static str {
        "fieldset"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        match rng.below(20) {
            0..5 => Case::new("fieldset.parse", set_text(rng, true)),
            5..8 => Case::new("fieldset.element", element_text(rng, true)),
            8..13 => {
                let (a, b) = (set_text(rng, false), set_text(rng, false));
                Case::new("fieldset.algebra", json!({"a": a, "b": b}))
            }
            13..16 => {
                let mut input = json!({"set": set_text(rng, false)});
                if rng.chance(30) {
                    input["exclude"] = set_text(rng, false).into();
                } else {
                    let element = |rng: &mut Rng| match rng.chance(35) {
                        true => Value::Null,
                        false => element_text(rng, false).into(),
                    };
                    let path = |rng: &mut Rng| -> Vec<Value> {
                        (0..rng.below(4)).map(|_| element(rng)).collect()
                    };
                    let all: Vec<Vec<Value>> = (0..rng.below(4)).map(|_| path(rng)).collect();
                    input["matchers"] = json!(all);
                }
                Case::new("fieldset.filter", input)
            }
            16 => Case::new("fieldset.fromValue", any_value(rng, 4)),
            17 | 18 => {
                let a = any_value(rng, 2);
                let b = if rng.chance(20) { a.clone() } else { any_value(rng, 2) };
                Case::new("fieldset.values", json!({"a": a, "b": b}))
            }
            _ => {
                let (a, b) = (versioned(rng), versioned(rng));
                Case::new("fieldset.managers", json!({"a": a, "b": b}))
            }
        }
    }

    fn ours(&self, case: &Case) -> Answer {
        answer(case.function, &case.input).unwrap_or_else(|| Err("nobody answers".into()))
    }

    fn same(&self, case: &Case, ours: &Answer, go: &Answer) -> bool {
        // The forms of fmt are compared where validation shows them.
        let mut go = go.clone();
        if let (Ok(Value::Object(o)), "fieldset.values") = (&mut go, case.function) {
            o.remove("v");
            o.remove("syntax");
        }
        match (ours, &go) {
            (Ok(a), Ok(b)) => crate::apimachinery::area::same(a, b),
            (a, b) => a == b,
        }
    }

    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        member_kind(case, ours, go)
    }

    fn deliberate(&self, _: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        if let (Ok(ours), Ok(go)) = (ours, go)
            && order_of_members(ours, go)
        {
            return Some(MEMBERS);
        }
        let deep = ours.as_ref().is_err_and(|e| e.contains("exceeded max depth"));
        deep.then_some(DEPTH)
    }
}
