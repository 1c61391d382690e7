//! Label selectors, options of requests, conditions.
use crate::apimachinery::area::Case;
use crate::apimachinery::rng::Rng;
use serde_json::{Map, Value, json};

const LONG: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn label_key(rng: &mut Rng) -> &'static str {
    *rng.pick(&["a", "b", "app", "example.com/tier", "c.d", "x_y"])
}

fn wrong_key(rng: &mut Rng) -> &'static str {
    *rng.pick(&["", "/a", "a/b/c", "-a", "é", "a b", "A.example/x", LONG])
}

fn label_value(rng: &mut Rng) -> &'static str {
    if rng.chance(15) {
        return *rng.pick(&["-", "é", "a b", "a/b", LONG]);
    }
    *rng.pick(&["", "a", "b", "web", "1", "a.b"])
}

/// At most one wrong label: Go reports one of several at random.
fn labels(rng: &mut Rng) -> Map<String, Value> {
    let mut all = Map::new();
    for _ in 0..rng.below(4) {
        all.insert(label_key(rng).to_owned(), (*rng.pick(&["", "a", "web"])).into());
    }
    match rng.below(8) {
        0 => drop(all.insert(wrong_key(rng).to_owned(), label_value(rng).into())),
        1 => drop(all.insert(label_key(rng).to_owned(), label_value(rng).into())),
        _ => {}
    }
    all
}

pub(super) fn label_selectors(rng: &mut Rng) -> Case {
    const PIECES: &[&str] = &[
        "a", "b", "=", "==", "!=", "!", ",", " in ", " notin ", "(", ")", ">", "<", "1", "é", " ",
    ];
    match rng.below(8) {
        0..=2 => {
            let mut terms = Vec::new();
            for _ in 0..rng.below(4) {
                let key = label_key(rng);
                terms.push(match rng.below(8) {
                    0 => key.to_owned(),
                    1 => format!("!{key}"),
                    2 => format!("{key}!={}", label_value(rng)),
                    3 => format!("{key}{}{}", *rng.pick(&["=", "=="]), label_value(rng)),
                    4 => format!("{key}{}{}", *rng.pick(&[">", "<"]), rng.below(5)),
                    _ => {
                        let op = *rng.pick(&["in", "notin"]);
                        format!("{key} {op} ({},{})", label_value(rng), label_value(rng))
                    }
                });
            }
            let text = terms.join(",");
            let text = if rng.chance(30) { rng.mutate(&text, PIECES) } else { text };
            Case::new("labelselector.parse", text)
        }
        3 => Case::new(
            "labelselector.fromLabels",
            if rng.chance(10) { Value::Null } else { Value::Object(labels(rng)) },
        ),
        _ => {
            if rng.chance(5) {
                return Case::new("labelselector.convert", Value::Null);
            }
            let mut selector = Map::new();
            if rng.chance(70) {
                selector.insert("matchLabels".into(), labels(rng).into());
            }
            if rng.chance(70) {
                let expression = |rng: &mut Rng| {
                    let key = if rng.chance(10) { wrong_key(rng) } else { label_key(rng) };
                    let operators =
                        &["In", "In", "NotIn", "Exists", "DoesNotExist", "in", "", "Gt"];
                    let values: Vec<&str> = (0..rng.below(3)).map(|_| label_value(rng)).collect();
                    let mut out = json!({"key": key, "operator": *rng.pick(operators)});
                    if !values.is_empty() {
                        out["values"] = json!(values);
                    }
                    out
                };
                let all: Vec<Value> = (0..rng.below(4)).map(|_| expression(rng)).collect();
                selector.insert("matchExpressions".into(), all.into());
            }
            Case::new("labelselector.convert", selector)
        }
    }
}

fn maybe(rng: &mut Rng, all: &[Value]) -> Value {
    rng.pick(all).clone()
}

pub(super) fn options(rng: &mut Rng) -> Case {
    match rng.below(4) {
        0 | 1 => {
            let options = json!({
                "Watch": rng.chance(50),
                "ResourceVersion": *rng.pick(&["", "0", "1", "12345"]),
                "ResourceVersionMatch":
                    *rng.pick(&["", "", "Exact", "NotOlderThan", "exact", "<x>", "é"]),
                "Continue": *rng.pick(&["", "", "token"]),
                "SendInitialEvents": maybe(rng, &[Value::Null, true.into(), false.into()]),
                "Limit": rng.below(3),
            });
            let (watch_list, default) = (rng.chance(50), rng.chance(40));
            Case::new(
                "options.list",
                json!({"options": options, "watchList": watch_list, "default": default}),
            )
        }
        2 => {
            const PIECES: &[&str] =
                &["a", "é", "\n", "\u{7f}", "\u{200b}", " ", LONG, "\u{a0}", "🙂", "\u{e000}"];
            let dry_run: Vec<&str> =
                (0..rng.below(3)).map(|_| *rng.pick(&["All", "All", "", "all", "<"])).collect();
            Case::new(
                "options.write",
                json!({
                    "kind": *rng.pick(&["create", "update", "patch", "patch"]),
                    "dryRun": dry_run,
                    "fieldManager": rng.text(PIECES, 4),
                    "fieldValidation":
                        *rng.pick(&["", "Ignore", "Strict", "Warn", "warn", "\"", "é"]),
                    "force": maybe(rng, &[Value::Null, true.into(), false.into()]),
                    "patchType": *rng.pick(&[
                        "application/json-patch+json", "application/merge-patch+json",
                        "application/strategic-merge-patch+json", "application/apply-patch+yaml",
                        "application/apply-patch+cbor",
                    ]),
                }),
            )
        }
        _ => {
            let flag = [Value::Null, true.into(), false.into()];
            let preconditions =
                [Value::Null, json!({}), json!({"uid": "u"}), json!({"resourceVersion": "1"})];
            let policies = [
                Value::Null,
                Value::Null,
                "Foreground".into(),
                "Background".into(),
                "Orphan".into(),
                "".into(),
                "<b>".into(),
                "orphan".into(),
            ];
            let mut options = json!({
                "gracePeriodSeconds": maybe(rng, &[Value::Null, 0.into(), 5.into(), (-1).into()]),
                "preconditions": maybe(rng, &preconditions),
                "orphanDependents": maybe(rng, &flag),
                "propagationPolicy": maybe(rng, &policies),
                "ignoreStoreReadErrorWithClusterBreakingPotential": maybe(rng, &flag),
            });
            options["dryRun"] = maybe(rng, &[json!([]), json!(["All"]), json!(["x", "All"])]);
            Case::new("options.delete", options)
        }
    }
}

fn condition(rng: &mut Rng) -> Value {
    let mut out = json!({
        "type": *rng.pick(&["Ready", "Available", "Progressing", ""]),
        "status": *rng.pick(&["True", "False", "Unknown", ""]),
        "reason": *rng.pick(&["", "A", "B"]),
        "message": *rng.pick(&["", "x", "y"]),
        "observedGeneration": rng.below(3),
    });
    out["lastTransitionTime"] = match rng.below(3) {
        0 => Value::Null,
        1 => "2026-01-02T03:04:05Z".into(),
        _ => "2025-06-07T08:09:10+02:00".into(),
    };
    out
}

pub(super) fn conditions(rng: &mut Rng) -> Case {
    let all: Vec<Value> = (0..rng.below(4)).map(|_| condition(rng)).collect();
    let edit = |rng: &mut Rng| {
        if rng.chance(25) {
            return json!({"remove": *rng.pick(&["Ready", "Available", "None", ""])});
        }
        // Often one that is there already.
        let set =
            if rng.chance(30) && !all.is_empty() { rng.pick(&all).clone() } else { condition(rng) };
        json!({"set": set})
    };
    let edits: Vec<Value> = (0..rng.below(5)).map(|_| edit(rng)).collect();
    let ask = *rng.pick(&["Ready", "Available", "Progressing", ""]);
    Case::new("conditions.edit", json!({"conditions": all, "edits": edits, "ask": ask}))
}
