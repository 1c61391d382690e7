//! Cases with Go's answers, run without Go: `testdata/answers/*.jsonl` has a call of the Go program
//! `answer` a line, with what it returned. They cover what upstream's tables show to matter: those
//! of structured-merge-diff's `merge`, `fieldpath`, `typed` and `value`, of apimachinery's
//! `managedfields`, and of client-go's `csaupgrade`.

mod answer;

use serde_json::Value;

/// The same values; numbers by value.
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

fn agrees(ours: &Result<Value, String>, go: &Value) -> bool {
    match (ours, go.get("error")) {
        (Ok(out), None) => {
            let mut go = go.get("out").cloned().unwrap_or_default();
            if let Value::Object(o) = &mut go {
                // Texts of Go's fmt, which validation shows.
                o.remove("syntax");
                o.remove("v");
            }
            same(out, &go)
        }
        (Err(error), Some(expect)) => expect == error,
        _ => false,
    }
}

#[track_caller]
fn check(file: &str, lines: &str, least: usize) {
    let mut wrong = Vec::new();
    for line in lines.lines() {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        let function = case["fn"].as_str().expect("a case names a function");
        let ours = answer::answer(function, &case["in"])
            .unwrap_or_else(|| panic!("{file}: nobody answers {function}"));
        if !agrees(&ours, &case) {
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
    fieldset 200
    typed 200
    schemas 60
    apply 120
    managed_fields 120
    updater 350
}
