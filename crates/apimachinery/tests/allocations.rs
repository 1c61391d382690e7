//! Matching a selector allocates nothing: informers and servers ask it of every object.

use allocation_counter::measure;
use pintle_apimachinery::labels::{Selector, SetSelector};
use pintle_apimachinery::{Map, Str, fields};
use std::collections::BTreeMap;

#[track_caller]
fn allocates_nothing(what: &str, run: impl FnMut()) {
    let counted = measure(run);
    assert_eq!(counted.count_total, 0, "{what} allocates {} bytes", counted.bytes_total);
}

/// Something is counted at all.
#[test]
fn counting_counts() {
    assert!(measure(|| drop(std::hint::black_box(vec![1_u8; 100]))).count_total > 0);
}

#[test]
fn label_selectors() {
    let few: Map<Str> = [("app", "web"), ("env", "prod"), ("generation", "7")].into();
    let many: Map<Str> = (0..40)
        .map(|i| (Str::from(format!("label-{i}")), Str::from("a value of some length")))
        .collect();
    let tree: BTreeMap<String, String> =
        few.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    for text in [
        "",
        "app",
        "!app",
        "app=web",
        "app==web,env!=staging",
        "env in (prod,staging,development)",
        "env notin (staging,development),tier notin (cache)",
        "generation>5,generation<9",
        "label-39=a-value",
        "a-key-that-is-longer-than-a-short-string-can-be/x in (a,b)",
    ] {
        let selector: Selector = text.parse().expect(text);
        allocates_nothing(text, || {
            for _ in 0..3 {
                std::hint::black_box(selector.matches(&few));
                std::hint::black_box(selector.matches(&many));
                std::hint::black_box(selector.matches(&tree));
                std::hint::black_box(selector.matches(&[("app", "web")]));
            }
        });
    }
    let set = [("app", "web"), ("env", "prod")];
    allocates_nothing("a set", || {
        assert!(SetSelector(&set).matches(&few));
        assert!(!SetSelector(&set).matches(&many));
    });
}

#[test]
fn field_selectors() {
    let object: BTreeMap<&str, &str> =
        [("metadata.name", "web"), ("status.phase", "Running")].into();
    for text in ["", "metadata.name=web", "spec.nodeName!=,status.phase!=Failed", r"a=\,b"] {
        let selector: fields::Selector = text.parse().expect(text);
        allocates_nothing(text, || {
            std::hint::black_box(selector.matches(&object));
        });
    }
}
