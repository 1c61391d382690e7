//! Cases with Go's answers, run without Go: `testdata/answers/*.jsonl` has a call of the Go program
//! `answer` a line, with what it returned. They cover what upstream's tables show to matter.

mod leaf;
mod meta;
mod runtime;
mod util;

use serde_json::Value;

/// The same values; numbers by value, as Go writes 1e6 for what is a million here.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[track_caller]
fn check(file: &str, lines: &str, least: usize) {
    let mut wrong = Vec::new();
    for line in lines.lines() {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        let function = case["fn"].as_str().expect("a case names a function");
        let ours = meta::answer(function, &case["in"])
            .or_else(|| util::answer(function, &case["in"]))
            .or_else(|| leaf::answer(function, &case["in"]))
            .unwrap_or_else(|| panic!("{file}: nobody answers {function}"));
        let right = match (&ours, case.get("error")) {
            (Ok(out), None) => same(out, &case["out"]),
            (Err(error), Some(expect)) => expect == error,
            _ => false,
        };
        if !right {
            wrong.push(format!("{line}\n  ours: {ours:?}"));
        }
    }
    let cases = lines.lines().count();
    assert!(cases >= least, "{file} has only {cases} cases");
    assert!(wrong.is_empty(), "{file}: {} of {cases} differ:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! files {
    ($($name:ident $least:literal)*) => {$(
        #[test]
        fn $name() {
            let lines = include_str!(concat!("../../testdata/answers/", stringify!($name), ".jsonl"));
            check(stringify!($name), lines, $least);
        }
    )*};
}
// How many cases there are at least.
files! {
    addresses 90
    caches 25
    conditions 17
    declarative 300
    durations 40
    field 200
    int_or_string 70
    label_selectors 45
    mappers 200
    names 230
    objectmeta 140
    options 150
    quantity 690
    resource_versions 100
    selectors 550
    shortcuts 150
    status 200
    tables 80
    time 315
    versions 400
    waits 80
    yaml 70
}

/// As [`check`], for the functions of `runtime.rs`, which compares in its own way.
#[track_caller]
fn check_runtime(file: &str, lines: &str, least: usize) {
    use pintle_apimachinery::{CodecFactory, Scheme};
    let mut scheme = Scheme::new();
    scheme.register_meta();
    let codecs = CodecFactory::new(scheme);
    let mut wrong = Vec::new();
    for line in lines.lines() {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        let function = case["fn"].as_str().expect("a case names a function");
        let ours = runtime::answer(&codecs, function, &case["in"])
            .unwrap_or_else(|| panic!("{file}: nobody answers {function}"));
        let go = match case.get("error").and_then(Value::as_str) {
            Some(e) => Err(e.to_owned()),
            None => Ok(case["out"].clone()),
        };
        let needs_cbor =
            function == "runtime.cbor" || ["format", "to"].iter().any(|k| case["in"][*k] == "cbor");
        let looked_at = cfg!(feature = "cbor") || !needs_cbor;
        if looked_at && !runtime::same(function, &ours, &go) {
            wrong.push(format!("{line}\n  ours: {ours:?}"));
        }
    }
    let cases = lines.lines().count();
    assert!(cases >= least, "{file} has only {cases} cases");
    assert!(wrong.is_empty(), "{file}: {} of {cases} differ:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! runtime_files {
    ($($test:ident $name:literal $least:literal)*) => {$(
        #[test]
        fn $test() {
            let lines = include_str!(concat!("../../testdata/runtime/", $name, ".jsonl"));
            check_runtime($name, lines, $least);
        }
    )*};
}
runtime_files! {
    runtime_strict "strict" 130
    runtime_converter "converter" 320
    runtime_unstructured "unstructured" 60
    runtime_yaml "yaml" 190
    runtime_cbor "cbor" 130
    runtime_cbor_edges "cbor_edges" 850
}
