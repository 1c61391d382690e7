//! Delays, spans of time and caches.
use crate::apimachinery::area::{Answer, Case};
use crate::apimachinery::rng::Rng;
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000_000;

pub(super) fn durations(rng: &mut Rng) -> Case {
    const UNITS: &[i64] = &[1, 60, 3600, 86_400, 86_400 * 365];
    let nanos = match rng.below(4) {
        0 => rng.integer(),
        1 => rng.between(-3 * SECOND, 3 * SECOND),
        _ => {
            let whole =
                *rng.pick(UNITS) * SECOND * *rng.pick(&[1_i64, 2, 3, 7, 8, 9, 10, 24, 48, 60]);
            let near = *rng.pick(&[0, 1, -1, SECOND, -SECOND, 60 * SECOND, 3599 * SECOND]);
            whole.saturating_add(near).saturating_add(rng.between(0, 2) * 60 * SECOND)
        }
    };
    Case::new("duration.human", nanos)
}

fn backoff(rng: &mut Rng, most: i64) -> Value {
    json!({
        "duration": rng.between(0, most),
        "factor": *rng.pick(&[0.0, 1.0, 1.5, 2.0, 3.0, 0.1, 10.0, 1e-3]),
        "steps": rng.below(8),
        "cap": if rng.chance(50) { rng.between(0, most.saturating_mul(8)) } else { 0 },
    })
}

pub(super) fn waits(rng: &mut Rng) -> Case {
    let most = *rng.pick(&[1_000, SECOND, 3600 * SECOND, i64::MAX / 9]);
    let with = |mut value: Value, more: &[(&str, Value)]| {
        for (key, more) in more {
            value[*key] = more.clone();
        }
        value
    };
    match rng.below(4) {
        0 | 1 => {
            let times = rng.below(10);
            Case::new("wait.backoff", with(backoff(rng, most), &[("times", times.into())]))
        }
        2 => {
            let most = most.min(3600 * SECOND);
            let reset = if rng.chance(10) { 0 } else { rng.between(1, most * 8) };
            let pauses: Vec<i64> = (0..rng.below(9))
                .map(|_| if rng.chance(20) { reset } else { rng.between(0, most * 4) })
                .collect();
            let backoff = backoff(rng, most);
            Case::new(
                "wait.reset",
                with(backoff, &[("reset", reset.into()), ("pauses", json!(pauses))]),
            )
        }
        _ => {
            let mut backoff = backoff(rng, 40);
            backoff["factor"] = (*rng.pick(&[0.0, 1.0, 2.0])).into();
            Case::new("wait.attempts", with(backoff, &[("succeedAt", rng.below(7).into())]))
        }
    }
}

fn negative(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_i64().is_some_and(|n| n < 0),
        Value::Array(all) => all.iter().any(negative),
        Value::Object(all) => all.values().any(negative),
        _ => false,
    }
}

pub(super) fn wrapped(_: &Case, _: &Answer, go: &Answer) -> Option<&'static str> {
    go.as_ref().is_ok_and(negative).then_some(
        "Go's product of a delay and a factor wraps to a negative delay, ours stays at the longest",
    )
}

pub(super) fn caches(rng: &mut Rng) -> Case {
    let steps: Vec<Value> = (0..rng.below(14))
        .map(|_| {
            json!({
                "pause": *rng.pick(&[0, 0, 1, 2, 5, 10]),
                "do": *rng.pick(&["get", "get", "set", "set", "set", "delete", "len"]),
                "key": *rng.pick(&["a", "b", "c", "d"]),
                "value": rng.below(100),
                "keep": *rng.pick(&[0, 1, 5, 10, 20]),
            })
        })
        .collect();
    match rng.below(5) {
        0 | 1 => Case::new("cache.expiring", json!(steps)),
        2 | 3 => Case::new("cache.lru", json!({"size": 1 + rng.below(4), "steps": steps})),
        _ => {
            let texts: Vec<&str> =
                (0..rng.below(5)).map(|_| *rng.pick(&["a", "b", "ab", "", "c"])).collect();
            Case::new("errors.aggregate", json!(texts))
        }
    }
}
