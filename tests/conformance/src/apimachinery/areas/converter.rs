//! Typed values to and from values without a type. Go: `runtime.DefaultUnstructuredConverter`.
use super::super::area::{Answer, Area, Case};
use super::super::rng::Rng;
use super::deliberate::deliberate;
use super::random_object::*;
use super::runtime;
use pintle_apimachinery::Format;
use serde_json::{Value, json};

/// Both directions, for every kind.
pub(crate) struct Converter;

fn text<'a>(case: &'a Case, key: &str) -> &'a str {
    case.input.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl Area for Converter {
    fn name(&self) -> &'static str {
        "converter"
    }
    fn generate(&self, rng: &mut Rng) -> Case {
        let kind = kind(rng);
        let object = object(rng, &kind);
        let mut data = String::from_utf8_lossy(&encoded(&*object, Format::Json)).into_owned();
        if rng.chance(60) {
            let other = mutate_json(rng, &data);
            // The question is a value, in which nothing is there twice.
            if let Ok(v) = serde_json::from_str::<Value>(&other)
                && v.is_object()
            {
                data = v.to_string();
            }
        }
        let function =
            if rng.chance(60) { "runtime.fromUnstructured" } else { "runtime.toUnstructured" };
        let (group, version, kind) = (&*kind.group, &*kind.version, &*kind.kind);
        Case::new(function, json!({"group": group, "version": version, "kind": kind, "data": data}))
    }
    fn ours(&self, case: &Case) -> Answer {
        runtime_answer(case)
    }
    fn same(&self, case: &Case, ours: &Answer, go: &Answer) -> bool {
        // Go does not say where, and knows names of types that are plain strings here.
        matches!((ours, go), (Err(_), Err(_))) || runtime::same(case.function, ours, go)
    }
    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        let how = match (ours, go) {
            (Ok(a), Ok(b)) if a.get("strict") != b.get("strict") => "the lists differ".into(),
            (Ok(_), Ok(_)) => "the outputs differ".into(),
            (Err(e), _) => {
                let e: String = e.rsplit(": ").next().unwrap_or(e).chars().take(60).collect();
                format!("only ours: {e}")
            }
            (_, Err(e)) => format!("only Go: {}", e.chars().take(60).collect::<String>()),
        };
        format!("{}: {how}", case.function)
    }
    fn shrink(&self, case: &Case) -> Vec<Case> {
        let with = |data: String| {
            let mut input = case.input.clone();
            input["data"] = data.into();
            Case { function: case.function, input }
        };
        smaller_json(text(case, "data")).into_iter().map(with).collect()
    }
    fn deliberate(&self, case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        if matches!(ours, Err(e) if e.contains("is not in the range of")) && go.is_ok() {
            return Some(
                "a number that a field has no room for is an error; Go drops its upper bits",
            );
        }
        deliberate(case, ours, go)
    }
}
