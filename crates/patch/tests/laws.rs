//! Laws that hold for random documents: a difference applied to what it was taken from gives what
//! it was taken to; patches merged do what they do one after the other; nothing panics.

use pintle_api::core_v1::Pod;
use pintle_patch::{JsonPatch, MAX_DEPTH, TypeSchema, merge, strategic};
use serde_json::{Map, Value, json};

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const CASES: u64 = 2_000;

/// Runs `law` with many seeds; the seed of a failure is in the test's output.
fn for_all(law: impl Fn(&mut Rng)) {
    for seed in 0..CASES {
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(&mut Rng(seed))));
        assert!(failed.is_ok(), "the law fails with seed {seed}");
    }
}

/// Documents without null, which merge patches cannot say.
fn plain(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth == 0 { 3 } else { 6 }) {
        0 => json!(rng.below(3)),
        1 => json!(rng.pick(&["a", "b"])),
        2 => json!(rng.chance(50)),
        3 => (0..rng.below(3)).map(|_| plain(rng, depth - 1)).collect(),
        _ => plain_object(rng, depth - 1).into(),
    }
}

fn plain_object(rng: &mut Rng, depth: usize) -> Map<String, Value> {
    let member = |rng: &mut Rng| (rng.pick(&["a", "b", "c", "d"]).to_owned(), plain(rng, depth));
    (0..rng.below(5)).map(|_| member(rng)).collect()
}

/// Anything, directives included.
fn wild(rng: &mut Rng, depth: usize) -> Value {
    const KEYS: &[&str] = &[
        "metadata",
        "spec",
        "containers",
        "volumes",
        "name",
        "finalizers",
        "$patch",
        "$retainKeys",
        "$setElementOrder/containers",
        "$setElementOrder/finalizers",
        "$deleteFromPrimitiveList/finalizers",
        "op",
        "path",
        "from",
        "value",
    ];
    const TEXTS: &[&str] = &[
        "delete", "replace", "merge", "a", "", "add", "move", "copy", "test", "/a/-", "/0", "/-1",
    ];
    match rng.below(if depth == 0 { 4 } else { 8 }) {
        0 => Value::Null,
        1 => json!(rng.below(3) as i64 - 1),
        2 | 3 => json!(rng.pick(TEXTS)),
        4 | 5 => (0..rng.below(4)).map(|_| wild(rng, depth - 1)).collect(),
        _ => {
            let member = |rng: &mut Rng| (rng.pick(KEYS).to_owned(), wild(rng, depth - 1));
            Value::Object((0..rng.below(5)).map(|_| member(rng)).collect())
        }
    }
}

#[test]
fn merge_patch_of_a_difference() {
    for_all(|rng| {
        let (a, b) = (plain_object(rng, 3), plain_object(rng, 3));
        let (a, b) = (Value::Object(a), Value::Object(b));
        let patch = merge::diff(&a, &b).expect("objects");
        assert_eq!(merge::apply(a.clone(), patch.clone()).expect("applies"), b, "{a} {patch}");
        assert_eq!(merge::diff(&a, &a).expect("objects"), json!({}));
    });
}

/// Documents whose objects are always there: a patch that makes an object of something else
/// cannot be told from one that changes an object, so that the law below needs them.
fn shaped(rng: &mut Rng, depth: usize) -> Map<String, Value> {
    let mut map = Map::new();
    for key in ["a", "b", "c"] {
        if rng.chance(60) {
            map.insert(key.to_owned(), plain(rng, 0));
        }
    }
    if depth > 0 {
        map.insert("m".to_owned(), shaped(rng, depth - 1).into());
        map.insert("n".to_owned(), shaped(rng, depth - 1).into());
    }
    map
}

#[test]
fn merge_patches_in_succession() {
    for_all(|rng| {
        let [document, first, second] = [0, 1, 2].map(|_| Value::Object(shaped(rng, 2)));
        let first = merge::diff(&document, &first).expect("objects");
        let one = merge::apply(document.clone(), first.clone()).expect("applies");
        let second = merge::diff(&one, &second).expect("objects");
        let both = merge::merge_patches(first, second.clone()).expect("merges");
        assert_eq!(
            merge::apply(document, both).expect("applies"),
            merge::apply(one, second).expect("applies"),
        );
    });
}

#[test]
fn three_way_merge_patch() {
    for_all(|rng| {
        let [original, modified] = [0, 1].map(|_| Value::Object(plain_object(rng, 2)));
        // Nobody else changed anything.
        let patch = merge::three_way(&original, &modified, &original, &[]).expect("no conflict");
        let patched = merge::apply(original.clone(), patch).expect("applies");
        // An empty object that takes the place of one with members cannot be told from no change.
        let without_empties = |value: &Value| {
            let mut value = value.clone();
            drop_empty(&mut value);
            value
        };
        assert_eq!(without_empties(&patched), without_empties(&modified));
        // What others added stays.
        let mut current = original.clone();
        current["theirs"] = json!({"x": 1});
        let patch = merge::three_way(&original, &modified, &current, &[]).expect("no conflict");
        let patched = merge::apply(current, patch).expect("applies");
        assert_eq!(patched["theirs"], json!({"x": 1}));
    });
}

fn drop_empty(value: &mut Value) {
    if let Value::Object(map) = value {
        map.values_mut().for_each(drop_empty);
        map.retain(|_, value| !value.as_object().is_some_and(Map::is_empty));
    }
}

/// Elements with keys that occur once.
fn elements(
    rng: &mut Rng,
    key: &str,
    ids: &[Value],
    mut rest: impl FnMut(&mut Rng, &mut Map<String, Value>),
) -> Value {
    let mut left = ids.to_vec();
    let mut items = Vec::new();
    for _ in 0..rng.below(ids.len() + 1) {
        let mut item = Map::new();
        item.insert(key.to_owned(), left.remove(rng.below(left.len())));
        rest(rng, &mut item);
        items.push(Value::Object(item));
    }
    items.into()
}

fn names() -> Vec<Value> {
    ["a", "b", "c", "d"].map(Value::from).to_vec()
}

/// A Pod with everything that merges in a way of its own.
fn pod(rng: &mut Rng) -> Map<String, Value> {
    let containers = elements(rng, "name", &names(), |rng, item| {
        if rng.chance(50) {
            item.insert("image".into(), rng.pick(&["1", "2"]).into());
        }
        if rng.chance(40) {
            let env = elements(rng, "name", &names(), |rng, item| {
                item.insert("value".into(), rng.pick(&["x", "y"]).into());
            });
            item.insert("env".into(), env);
        }
        if rng.chance(40) {
            let ports = [80, 443, 8080].map(Value::from);
            let ports = elements(rng, "containerPort", &ports, |rng, item| {
                item.insert("protocol".into(), rng.pick(&["TCP", "UDP"]).into());
            });
            item.insert("ports".into(), ports);
        }
        if rng.chance(30) {
            let args: Vec<Value> =
                (0..rng.below(3)).map(|_| rng.pick(&["p", "q"]).into()).collect();
            item.insert("args".into(), args.into());
        }
    });
    let volumes = elements(rng, "name", &names(), |rng, item| {
        item.insert(rng.pick(&["emptyDir", "hostPath"]).to_owned(), json!({"path": "/"}));
    });
    let mut finalizers = vec!["f/1", "f/2", "f/3"];
    finalizers.rotate_left(rng.below(3));
    finalizers.truncate(rng.below(4));
    let mut pod = json!({"metadata": {}, "spec": {}});
    let mut maybe = |rng: &mut Rng, part: &str, key: &str, value: Value| {
        if rng.chance(75) {
            pod[part][key] = value;
        }
    };
    maybe(rng, "spec", "containers", containers);
    maybe(rng, "spec", "volumes", volumes);
    maybe(rng, "metadata", "finalizers", json!(finalizers));
    let labels: Map<String, Value> =
        (0..rng.below(3)).map(|_| (rng.pick(&["x", "y", "z"]).to_owned(), "1".into())).collect();
    maybe(rng, "metadata", "labels", labels.into());
    match pod {
        Value::Object(pod) => pod,
        _ => unreachable!("made as an object"),
    }
}

/// The same with finalizers in alphabetical order: as in Go, a patch says nothing of a list of
/// scalars that merges and whose only change is that it is now in that order.
fn sorted(mut pod: Map<String, Value>) -> Map<String, Value> {
    if let Some(finalizers) = pod["metadata"].get_mut("finalizers").and_then(Value::as_array_mut) {
        finalizers.sort_by_key(Value::to_string);
    }
    pod
}

#[test]
fn strategic_merge_of_a_difference() {
    let schema = TypeSchema::of::<Pod>();
    for_all(|rng| {
        let (a, b) = (pod(rng), pod(rng));
        let patch = strategic::diff(&a, &b, schema, &[]).expect("differs");
        let patched = strategic::apply(a.clone(), patch.clone(), schema).expect("applies");
        assert_eq!(sorted(patched), sorted(b), "{} {}", json!(a), json!(patch));
    });
}

#[test]
fn strategic_merge_of_text_is_that_of_values() {
    let schema = TypeSchema::of::<Pod>();
    for_all(|rng| {
        let (a, b, c) = (pod(rng), pod(rng), pod(rng));
        let mut patch = strategic::diff(&a, &b, schema, &[]).expect("differs");
        match rng.below(8) {
            0 => drop(patch.insert("$patch".into(), "replace".into())),
            1 => drop(patch.insert("$retainKeys".into(), json!(["spec", "metadata"]))),
            2 => drop(patch.insert("metadata".into(), json!({"$patch": "delete"}))),
            3 => drop(patch.insert("nope".into(), json!({"a": null}))),
            4 => drop(patch.insert("spec".into(), json!("not an object"))),
            _ => {}
        }
        // Not only of the object that it was made for.
        for original in [&a, &c] {
            let expected = strategic::apply(original.clone(), patch.clone(), schema);
            let (text, patch) = (json!(original).to_string(), json!(patch).to_string());
            let patched = strategic::apply_text(&text, &patch, schema);
            match (expected, patched) {
                (Ok(expected), Ok(patched)) => {
                    let patched: Value = serde_json::from_str(&patched).expect("JSON");
                    assert_eq!(patched, Value::Object(expected), "{text} {patch}");
                }
                (Err(expected), Err(e)) => assert_eq!(e.to_string(), expected.to_string()),
                (expected, patched) => panic!("{expected:?} {patched:?} {text} {patch}"),
            }
        }
    });
}

#[test]
fn strategic_merge_of_odd_texts() {
    let schema = TypeSchema::of::<Pod>();
    let apply = |original, patch| strategic::apply_text(original, patch, schema);
    for (original, patch, expected) in [
        ("null", "null", "{}"),
        (" { } ", " {\"kind\" : \"Pod\"} ", r#"{"kind":"Pod"}"#),
        (r#"{"b":1,"a":{"x":1.50},"b":2}"#, "{}", r#"{"a":{"x":1.50},"b":2}"#),
        (r#"{"kind":"a","kind":"b"}"#, r#"{"kind":null}"#, "{}"),
        (r#"{"a":["\\u00e4\n",{}]}"#, "{}", r#"{"a":["\\u00e4\n",{}]}"#),
        (r#"{"\u006bind":"a"}"#, r#"{"kind":"b"}"#, r#"{"kind":"b"}"#),
    ] {
        assert_eq!(apply(original, patch).expect("applies"), expected);
    }
    for (original, patch) in [
        ("", "{}"),
        ("{}", ""),
        ("[]", "{}"),
        ("{}", "[]"),
        ("{}x", "{}"),
        (r#"{"a":tru}"#, "{}"),
        (r#"{"spec":{"a":}}"#, r#"{"spec":{"nodeName":"n"}}"#),
        (r#"{"a":1"#, "{}"),
        (r#"{"kind":[tru],"kind":1}"#, r#"{"kind":"Pod"}"#),
        (r#"{"kind":[tru]}"#, r#"{"kind":"Pod"}"#),
        (r#"{"a":"\q"}"#, "{}"),
        (r#"{"a":"\u12g4"}"#, "{}"),
    ] {
        let error = apply(original, patch).expect_err("malformed");
        assert_eq!(error.to_string(), "invalid JSON document", "{original} {patch}");
    }
}

#[test]
fn long_lists_merge_as_short_ones_do() {
    let schema = TypeSchema::of::<Pod>();
    let mut rng = Rng(1);
    let names: Vec<Value> = (0..120).map(|i| format!("c{i}").into()).collect();
    for _ in 0..50 {
        let mut list = || {
            let containers = elements(&mut rng, "name", &names, |rng, item| {
                item.insert("image".into(), rng.pick(&["1", "2"]).into());
            });
            Map::from_iter([("spec".to_owned(), json!({"containers": containers}))])
        };
        let (a, b, theirs) = (list(), list(), list());
        let patch = strategic::diff(&a, &b, schema, &[]).expect("differs");
        assert_eq!(strategic::apply(a.clone(), patch, schema).expect("applies"), b);
        // Somebody else's elements stay, in their order.
        let patch = strategic::three_way(&a, &b, &theirs, schema, true, &[]).expect("a patch");
        let patched = strategic::apply(theirs.clone(), patch, schema).expect("applies");
        let named = |of: &Map<String, Value>, keep: &dyn Fn(&Value) -> bool| -> Vec<Value> {
            let all = of["spec"]["containers"].as_array().into_iter().flatten();
            all.map(|item| item["name"].clone()).filter(keep).collect()
        };
        let (old, new) = (named(&a, &|_| true), named(&b, &|_| true));
        let foreign = |name: &Value| !old.contains(name) && !new.contains(name);
        assert_eq!(named(&patched, &foreign), named(&theirs, &foreign));
        assert_eq!(named(&patched, &|name| new.contains(name)), new);
    }
}

#[test]
fn three_way_strategic_merge() {
    let schema = TypeSchema::of::<Pod>();
    for_all(|rng| {
        let (original, modified) = (pod(rng), pod(rng));
        let three_way = |current: &Map<String, Value>| {
            strategic::three_way(&original, &modified, current, schema, true, &[]).expect("a patch")
        };
        // Nobody else changed anything.
        let patch = three_way(&original);
        let patched = strategic::apply(original.clone(), patch, schema).expect("applies");
        assert_eq!(sorted(patched), sorted(modified.clone()));
        // A side-car that somebody injected stays, and what was applied is as it was asked for.
        let mut current = original.clone();
        let sidecar = json!({"name": "sidecar", "image": "s"});
        match current["spec"].get_mut("containers").and_then(Value::as_array_mut) {
            Some(containers) => containers.push(sidecar.clone()),
            None => current["spec"]["containers"] = json!([sidecar]),
        }
        let patch = three_way(&current);
        let patched = strategic::apply(current, patch, schema).expect("applies");
        // Containers that the file no longer has at all are deleted with the list.
        let gone = original["spec"].get("containers").is_some()
            && modified["spec"].get("containers").is_none();
        let containers = patched["spec"].get("containers").and_then(Value::as_array);
        let there = containers.is_some_and(|containers| containers.contains(&sidecar));
        assert_ne!(there, gone);
        let wanted = modified["spec"].get("containers").and_then(Value::as_array);
        for container in wanted.into_iter().flatten() {
            assert!(containers.is_some_and(|all| all.contains(container)));
        }
    });
}

#[test]
fn merged_strategic_patches_do_what_they_do_in_succession() {
    let schema = TypeSchema::of::<Pod>();
    for_all(|rng| {
        let document = pod(rng);
        // Scalars of objects only: merged lists keep directives that see one list, not two.
        let patch = |rng: &mut Rng| {
            let label = |rng: &mut Rng| {
                let value = if rng.chance(30) { Value::Null } else { rng.pick(&["1", "2"]).into() };
                (rng.pick(&["x", "y", "z"]).to_owned(), value)
            };
            let labels: Map<String, Value> = (0..rng.below(4)).map(|_| label(rng)).collect();
            Map::from_iter([("metadata".to_owned(), json!({"labels": labels}))])
        };
        let (first, second) = (patch(rng), patch(rng));
        let both = strategic::merge_patches([first.clone(), second.clone()], schema);
        let apply = |document, patch| strategic::apply(document, patch, schema).expect("applies");
        assert_eq!(
            apply(document.clone(), both.expect("merges")),
            apply(apply(document, first), second),
        );
    });
}

#[test]
fn operations_in_succession() {
    for_all(|rng| {
        let mut document = plain_object(rng, 2).into();
        let wanted = plain(rng, 2);
        JsonPatch::new().add("/x", wanted.clone()).apply(&mut document).expect("adds");
        let patch =
            JsonPatch::new().copy_from("/x", "/y").move_from("/x", "/z").test("/y", wanted.clone());
        patch.apply(&mut document).expect("applies");
        assert_eq!(document["z"], wanted);
        let read = JsonPatch::from_slice(patch.to_value().to_string().as_bytes()).expect("reads");
        assert_eq!(read, patch);
        assert_eq!(JsonPatch::from_slice(&patch.to_vec()).expect("reads"), patch);
    });
}

/// Text and value: what applies to one applies to the other, with the same outcome.
#[test]
fn operations_on_text_are_those_on_values() {
    for_all(|rng| {
        let mut document = wild(rng, 4);
        let operation = |rng: &mut Rng| {
            let mut operation = json!({
                "op": rng.pick(&["add", "remove", "replace", "move", "copy", "test"]),
                "path": rng.pick(&["/a", "/b", "/a/b", "/spec", "/a/0", "/a/-", "/spec/containers/0"]),
                "from": rng.pick(&["/a", "/b", "/spec/containers"]),
            });
            if rng.chance(90) {
                operation["value"] = wild(rng, 2);
            }
            operation
        };
        let patch: Value = (0..1 + rng.below(4)).map(|_| operation(rng)).collect();
        let patch = JsonPatch::from_value(patch).expect("a patch");
        // As Go spells it.
        let text = JsonPatch::new().add("", document.clone()).to_vec();
        let text: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(text[0]["value"], document);
        let text = JsonPatch::new().add("/0", document.clone()).apply_to_text(b"[]").expect("adds");
        let text = String::from_utf8(text).expect("text");
        let from_text = patch.apply_to_text(&text.as_bytes()[1..text.len() - 1]);
        match (patch.apply(&mut document), from_text) {
            (Ok(()), Ok(text)) => {
                let read: Value = serde_json::from_slice(&text).expect("JSON");
                assert_eq!(read, document);
            }
            (Err(value), Err(text)) => assert_eq!(value.to_string(), text.to_string()),
            (value, text) => panic!("{value:?}, {text:?}"),
        }
    });
}

#[test]
fn nothing_panics() {
    let schema = TypeSchema::of::<Pod>();
    for_all(|rng| {
        let [a, b, c] = [0, 1, 2].map(|_| wild(rng, 5));
        if let Ok(patch) = JsonPatch::from_value(wild(rng, 2)) {
            let _ = patch.apply(&mut a.clone());
        }
        let _ = merge::apply(a.clone(), b.clone());
        let _ = merge::three_way(&a, &b, &c, &[]);
        let object = |value: &Value| match value {
            Value::Object(map) => map.clone(),
            other => Map::from_iter([("spec".to_owned(), json!({"containers": other}))]),
        };
        let [a, b, c] = [&a, &b, &c].map(object);
        let _ = strategic::apply(a.clone(), b.clone(), schema);
        let _ = strategic::three_way(&a, &b, &c, schema, rng.chance(50), &[]);
        let _ = strategic::merge_patches([a, b, c], schema);
    });
}

#[test]
fn what_is_nested_too_deep_is_an_error() {
    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| json!({"labels": inner}))
    }
    let schema = TypeSchema::of::<Pod>();
    let (deep, deeper) = (nested(MAX_DEPTH), nested(MAX_DEPTH + 1));
    let Value::Object(object) = &deeper else { panic!("an object") };
    assert!(merge::apply(json!({}), deep.clone()).is_ok());
    assert!(merge::apply(json!({}), deeper.clone()).is_err());
    assert!(merge::diff(&deeper, &deeper).is_err());
    assert!(strategic::apply(Map::new(), object.clone(), schema).is_err());
    assert!(strategic::diff(object, object, schema, &[]).is_err());
    // Operations cannot pile up what none of them has.
    let half = nested(MAX_DEPTH / 2);
    let path = "/labels".repeat(MAX_DEPTH / 2);
    let mut document = half.clone();
    assert!(JsonPatch::new().add(&path, half.clone()).apply(&mut document).is_ok());
    let error = JsonPatch::new()
        .add(&path, nested(MAX_DEPTH / 2 + 1))
        .apply(&mut document)
        .expect_err("too deep");
    assert!(error.to_string().contains("nested deeper than 256"), "{error}");
}
