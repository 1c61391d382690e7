//! What the areas of patches share: random documents, random changes to them, outcomes that
//! depend on the order of Go's maps.
use crate::apimachinery::area::{Answer, Case, same};
use crate::apimachinery::rng::Rng;
use crate::apimachinery::shrink;
use serde_json::{Map, Value, json};

/// A function of ours that takes an object.
pub(super) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Names of members; few, so that documents meet.
const KEYS: &[&str] = &["a", "b", "c", "x/y", "m~n", "0", "", "metadata"];

pub(super) fn key(rng: &mut Rng) -> String {
    let common = rng.chance(70);
    (*rng.pick(if common { &KEYS[..3] } else { KEYS })).to_owned()
}

/// A value without a scheme, nested at most `depth` deep.
pub(super) fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth == 0 { 6 } else { 12 }) {
        0 => Value::Null,
        1 => rng.chance(50).into(),
        2 | 3 => (rng.below(4) as i64 - 1).into(),
        4 => (*rng.pick(&["", "a", "b", "é", "\"", "<&>"])).into(),
        5 => {
            let fraction = [json!(0.5), json!(-1.25), json!(3.5)];
            if rng.chance(50) { rng.pick(&fraction).clone() } else { "c".into() }
        }
        6..=8 => (0..rng.below(4)).map(|_| value(rng, depth - 1)).collect(),
        _ => members(rng, depth),
    }
}

/// An object without a scheme.
pub(super) fn members(rng: &mut Rng, depth: usize) -> Value {
    let pair = |rng: &mut Rng| (key(rng), value(rng, depth.saturating_sub(1)));
    Value::Object((0..rng.below(5)).map(|_| pair(rng)).collect())
}

/// The same document with some changes.
pub(super) fn changed(rng: &mut Rng, old: &Value) -> Value {
    match old {
        Value::Object(old) => {
            let mut new = Map::new();
            for (key, old) in old {
                match rng.below(10) {
                    0 => {}
                    1 => {
                        new.insert(key.clone(), value(rng, 2));
                    }
                    _ => {
                        new.insert(key.clone(), changed(rng, old));
                    }
                }
            }
            if rng.chance(30) {
                new.insert(key(rng), value(rng, 2));
            }
            Value::Object(new)
        }
        Value::Array(old) => {
            let mut new: Vec<_> = old.iter().map(|old| changed(rng, old)).collect();
            if rng.chance(30) {
                new.push(value(rng, 1));
            }
            if rng.chance(20) && !new.is_empty() {
                new.remove(rng.below(new.len()));
            }
            new.into()
        }
        old if rng.chance(80) => old.clone(),
        _ => value(rng, 1),
    }
}

/// Conditions on the patch that is made.
pub(super) fn preconditions(rng: &mut Rng, keys: &[&str]) -> Value {
    let one = |rng: &mut Rng| {
        let key = *rng.pick(keys);
        if rng.chance(50) { json!({"key": key}) } else { json!({"metadataKey": key}) }
    };
    let some = if rng.chance(15) { 1 + rng.below(2) } else { 0 };
    (0..some).map(|_| one(rng)).collect()
}

/// Our answer, which is the one that the crate's own tests check.
pub(super) fn answer(case: &Case) -> Answer {
    super::patch_answers::answer(case.function, &case.input)
        .unwrap_or_else(|| Err(format!("nobody answers {}", case.function)))
}

/// Whether ours is Go's answer, or one of those it gives as it goes through its maps.
pub(super) fn one_of(ours: &Answer, go: &Answer) -> bool {
    let agree = |go: &Answer| match (ours, go) {
        (Ok(a), Ok(b)) => same(a, b),
        (Err(a), Err(b)) => a == b,
        _ => false,
    };
    let Some(several) = go.as_ref().ok().and_then(|go| go.get("several")?.as_array()) else {
        return agree(go);
    };
    several.iter().any(|outcome| match outcome.get("error").and_then(Value::as_str) {
        Some(error) => agree(&Err(error.to_owned())),
        None => agree(&Ok(outcome.get("out").cloned().unwrap_or_default())),
    })
}

/// Every text of an error in Go's answer.
pub(super) fn errors(go: &Answer) -> Vec<&str> {
    match go {
        Err(error) => vec![error],
        Ok(out) => {
            let several = out.get("several").and_then(Value::as_array).into_iter().flatten();
            several.filter_map(|outcome| outcome.get("error")?.as_str()).collect()
        }
    }
}

/// Smaller documents; what says of which type they are stays.
pub(super) fn shrink(case: &Case) -> Vec<Case> {
    let mut bare = object(&case.input);
    let fixed: Vec<_> = ["kind", "apiVersion", "schemas", "definitions", "copyLimit"]
        .into_iter()
        .filter_map(|key| bare.shift_remove_entry(key))
        .collect();
    let bare = Case::new(case.function, Value::Object(bare));
    let with_fixed = |mut smaller: Case| {
        if let Value::Object(input) = &mut smaller.input {
            input.extend(fixed.iter().cloned());
        }
        smaller
    };
    shrink::generic(&bare).into_iter().map(with_fixed).collect()
}
