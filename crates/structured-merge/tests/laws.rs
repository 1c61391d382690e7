//! Laws that hold for random sets, values and objects; and that nothing panics.

use pintle_apimachinery::{GroupVersionKind, Time};
use pintle_structured_merge::{
    DeducedTypes, FieldManager, ParseableType, PathElement, Schema, Set, TypedValue,
    set_from_value, value_compare, value_equals,
};
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};

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

/// Runs `law` with many seeds; the seed of a failure is in the test's output.
fn for_all(cases: u64, law: impl Fn(&mut Rng)) {
    for seed in 0..cases {
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(&mut Rng(seed))));
        assert!(failed.is_ok(), "the law fails with seed {seed}");
    }
}

fn element(rng: &mut Rng) -> PathElement {
    match rng.below(6) {
        0 => PathElement::value(rng.below(3)),
        1 => PathElement::key([("name", json!(rng.pick(&["a", "b"])))]),
        2 => PathElement::index(rng.below(3) as i64),
        _ => rng.pick(&["a", "b", "c"]).into(),
    }
}

fn set(rng: &mut Rng) -> Set {
    let path = |rng: &mut Rng| -> Vec<PathElement> {
        (0..1 + rng.below(4)).map(|_| element(rng)).collect()
    };
    (0..rng.below(12)).map(|_| path(rng)).collect()
}

fn any(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => rng.chance(50).into(),
        2 => rng.below(3).into(),
        3 => json!(rng.below(4) as f64 / 2.0),
        4 => rng.pick(&["a", "b", ""]).into(),
        5 => (0..rng.below(3)).map(|_| any(rng, depth - 1)).collect::<Vec<_>>().into(),
        _ => object(rng, depth).into(),
    }
}

fn object(rng: &mut Rng, depth: usize) -> Map<String, Value> {
    (0..rng.below(4))
        .map(|_| (rng.pick(&["a", "b", "c", "d"]).to_owned(), any(rng, depth - 1)))
        .collect()
}

#[test]
fn sets_are_sets() {
    for_all(3000, |rng| {
        let (a, b, c) = (set(rng), set(rng), set(rng));
        assert_eq!(a.union(&b), b.union(&a));
        assert_eq!(a.intersection(&b), b.intersection(&a));
        assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        assert_eq!(a.union(&a), a);
        assert_eq!(a.intersection(&a), a);
        assert!(a.difference(&a).is_empty());
        assert!(a.difference(&b).intersection(&b).is_empty());
        assert_eq!(a.difference(&b).union(&a.intersection(&b)), a);
        assert_eq!(a.len() + b.len(), a.union(&b).len() + a.intersection(&b).len());
        for p in a.union(&b).paths() {
            assert!(a.has(&p) || b.has(&p));
        }
        let rest = a.recursive_difference(&b);
        assert!(rest.difference(&a.difference(&b)).is_empty());
        assert_eq!(a.leaves().leaves(), a.leaves());
        assert!(a.leaves().difference(&a).is_empty());
    });
}

#[test]
fn sets_round_trip() {
    for_all(3000, |rng| {
        let a = set(rng);
        assert_eq!(Set::from_json(a.to_json().as_bytes()).unwrap(), a);
        assert_eq!(Set::from_value(&a.to_value()).unwrap(), a);
        assert_eq!(Set::from_fields_v1(&a.to_fields_v1()).unwrap(), a);
        assert_eq!(a.paths().into_iter().collect::<Set>(), a);
    });
}

#[test]
fn values_have_an_order() {
    for_all(3000, |rng| {
        let (a, b) = (any(rng, 3), any(rng, 3));
        assert_eq!(value_compare(&a, &b), value_compare(&b, &a).reverse());
        assert!(value_compare(&a, &a).is_eq() && value_equals(&a, &a));
        assert_eq!(value_equals(&a, &b), value_compare(&a, &b).is_eq(), "{a} {b}");
    });
}

/// A type with every kind of container.
static TYPE: LazyLock<ParseableType> = LazyLock::new(|| {
    let schema = json!({"types": [
        {"name": "t", "map": {"fields": [
            {"name": "s", "type": {"scalar": "string"}},
            {"name": "set", "type": {"list": {"elementType": {"scalar": "untyped"}, "elementRelationship": "associative"}}},
            {"name": "list", "type": {"list": {"elementType": {"namedType": "t"}, "elementRelationship": "associative", "keys": ["s"]}}},
            {"name": "atomic", "type": {"list": {"elementType": {"scalar": "numeric"}, "elementRelationship": "atomic"}}},
            {"name": "map", "type": {"map": {"elementType": {"scalar": "string"}}}},
            {"name": "sub", "type": {"namedType": "t"}},
        ]}},
    ]});
    ParseableType::named(Arc::new(Schema::from_json(&schema).unwrap()), "t")
});

fn typed(rng: &mut Rng) -> TypedValue {
    TYPE.typed(struct_of(rng, 3, None)).unwrap()
}

fn struct_of(rng: &mut Rng, depth: usize, key: Option<&str>) -> Value {
    let mut o = Map::new();
    if let Some(k) = key {
        o.insert("s".into(), k.into());
    } else if rng.chance(50) {
        o.insert("s".into(), rng.pick(&["x", "y"]).into());
    }
    let some = |rng: &mut Rng| -> Vec<&'static str> {
        let mut all = vec!["a", "b", "c", "d"];
        all.retain(|_| rng.chance(50));
        if rng.chance(50) {
            all.reverse();
        }
        all
    };
    if rng.chance(40) {
        o.insert("set".into(), some(rng).into());
    }
    if rng.chance(40) && depth > 0 {
        let items: Vec<Value> =
            some(rng).into_iter().map(|k| struct_of(rng, depth - 1, Some(k))).collect();
        o.insert("list".into(), items.into());
    }
    if rng.chance(30) {
        o.insert("atomic".into(), (0..rng.below(3)).collect::<Vec<_>>().into());
    }
    if rng.chance(40) {
        let map = some(rng).into_iter().map(|k| (k.to_owned(), rng.pick(&["1", "2"]).into()));
        o.insert("map".into(), Value::Object(map.collect()));
    }
    if rng.chance(40) && depth > 0 {
        o.insert("sub".into(), struct_of(rng, depth - 1, None));
    }
    o.into()
}

#[test]
fn merging_keeps_its_laws() {
    for_all(2000, |rng| {
        let (a, b) = (typed(rng), typed(rng));
        let merged = a.merge(&b).unwrap();
        // With itself, and twice.
        assert!(value_equals(a.merge(&a).unwrap().value(), a.value()));
        assert!(value_equals(merged.merge(&b).unwrap().value(), merged.value()));
        // What was merged is of the type, and nothing is lost.
        merged.validate(false).unwrap();
        assert!(a.compare(&merged).unwrap().removed.is_empty());
        // What the two agree on, or only one says, is theirs.
        let c = b.compare(&merged).unwrap();
        assert!(c.modified.is_empty() && c.removed.is_empty(), "{c}");
    });
}

#[test]
fn comparing_is_symmetric() {
    for_all(2000, |rng| {
        let (a, b) = (typed(rng), typed(rng));
        let (there, back) = (a.compare(&b).unwrap(), b.compare(&a).unwrap());
        assert_eq!(there.added, back.removed);
        assert_eq!(there.removed, back.added);
        assert_eq!(there.modified, back.modified);
        assert!(a.compare(&a.clone()).unwrap().is_same());
        let copy = TYPE.typed(a.value().clone()).unwrap();
        assert!(a.compare(&copy).unwrap().is_same());
        assert!(there.added.intersection(&there.modified).is_empty());
        assert!(there.added.intersection(&there.removed).is_empty());
    });
}

#[test]
fn what_is_extracted_and_removed_was_there() {
    for_all(2000, |rng| {
        let (a, b) = (typed(rng), typed(rng));
        let all = a.to_field_set().unwrap();
        // Of every leaf, everything but containers that are empty comes back.
        let whole = a.extract_items(&all.leaves());
        let c = a.compare(&whole).unwrap();
        assert!(c.added.is_empty() && c.modified.is_empty(), "{c}");
        let some = b.to_field_set().unwrap();
        let removed = a.remove_items(&some);
        if removed.value().is_object() {
            let left = removed.to_field_set().unwrap();
            assert!(
                left.difference(&all).is_empty() || removed.value().to_string().contains("null")
            );
        }
    });
}

#[test]
fn applying_again_changes_nothing() {
    let manager = FieldManager::new(DeducedTypes, GroupVersionKind::from_static("", "v1", "Foo"));
    for_all(1000, |rng| {
        let config = |rng: &mut Rng| {
            let mut o = object(rng, 3);
            o.insert("apiVersion".into(), "v1".into());
            o.insert("kind".into(), "Foo".into());
            o.insert("metadata".into(), json!({"name": "one"}));
            Value::Object(o)
        };
        let (one, two) = (config(rng), config(rng));
        let at = Time::from_unix;
        let live = manager.apply(&Value::Null, &one, "a", false, at(1)).unwrap();
        let again = manager.apply(&live, &one, "a", false, at(2)).unwrap();
        assert_eq!(live, again, "the time too");
        // What is forced is there, and can be given up again.
        let both = manager.apply(&live, &two, "b", true, at(3)).unwrap();
        let settled = manager.apply(&both, &two, "b", false, at(4)).unwrap();
        assert_eq!(both, settled);
        let updated = manager.update(&both, both.clone(), "c", at(5)).unwrap();
        assert_eq!(updated, both, "an update that changes nothing leaves no trace");
    });
}

#[test]
fn what_nests_too_deep_is_refused() {
    let nested = |n: usize, open: &str, close: &str| {
        let mut v = json!(1);
        for _ in 0..n {
            v = if open == "[" { json!([v]) } else { json!({"a": v}) };
        }
        let _ = close;
        v
    };
    let any = ParseableType::deduced();
    for (open, close) in [("[", "]"), ("{", "}")] {
        assert!(any.typed(json!({"a": nested(150, open, close)})).is_ok());
        let e = any.typed(nested(300, open, close)).unwrap_err();
        assert_eq!(e.to_string(), "exceeded max depth of 200");
        assert!(set_from_value(&nested(300, open, close)).is_err());
    }
    let text = "{\"f:a\":".repeat(5000) + "{}" + &"}".repeat(5000);
    let e = Set::from_json(text.as_bytes()).unwrap_err();
    assert!(e.to_string().contains("exceeded max depth"), "{e}");
    assert!(PathElement::parse(&("v:".to_owned() + &"[".repeat(100_000))).is_err());
    let manager = FieldManager::new(DeducedTypes, GroupVersionKind::from_static("", "v1", "Foo"));
    let deep = json!({"apiVersion": "v1", "kind": "Foo", "a": nested(300, "{", "}")});
    assert!(manager.apply(&Value::Null, &deep, "a", false, Time::ZERO).is_err());
    assert!(manager.update(&Value::Null, deep, "a", Time::ZERO).is_err());
}

#[test]
fn no_text_panics() {
    let pieces = [
        "{", "}", "\"", "f:a", "k:", "v:", ":", ",", ".", "[", "]", "1", "null", "\\", "u12", " ",
        "é", "-", "e",
    ];
    for_all(5000, |rng| {
        let text: String = (0..rng.below(25)).map(|_| rng.pick(&pieces)).collect();
        let _ = Set::from_json(text.as_bytes());
        let _ = PathElement::parse(&text);
        let bytes: Vec<u8> = (0..rng.below(40)).map(|_| rng.below(256) as u8).collect();
        let _ = Set::from_json(&bytes);
    });
}

#[test]
fn no_object_panics() {
    let manager = FieldManager::new(DeducedTypes, GroupVersionKind::from_static("", "v1", "Foo"));
    for_all(2000, |rng| {
        let (a, b) = (any(rng, 4), any(rng, 4));
        let _ = manager.apply(&a, &b, "a", rng.chance(50), Time::ZERO);
        let _ = manager.update(&a, b.clone(), "a", Time::ZERO);
        let _ = manager.update_no_errors(&b, a.clone(), "", Time::ZERO);
        let _ = Schema::from_json(&a);
        let _ = Schema::from_openapi(&object(rng, 4), rng.chance(50));
        let _ = pintle_structured_merge::TypeTable::from_crd(&a);
        let _ = TYPE.typed_with_duplicates(a);
    });
}
