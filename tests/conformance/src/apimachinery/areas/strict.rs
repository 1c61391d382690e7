//! Strict decoding: the object, and what it objects to, texts and order included.
use super::super::area::{Answer, Area, Case};
use super::super::rng::Rng;
use super::deliberate::deliberate;
use super::random_object::*;
use super::runtime;
use pintle_apimachinery::Format;
use serde_json::{Value, json};

/// Built-in kinds and objects without a type, in JSON and YAML.
pub(crate) struct Strict;

fn text<'a>(case: &'a Case, key: &str) -> &'a str {
    case.input.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl Area for Strict {
    fn name(&self) -> &'static str {
        "strict"
    }
    fn generate(&self, rng: &mut Rng) -> Case {
        let kind = kind(rng);
        let object = object(rng, &kind);
        let mut data = String::from_utf8_lossy(&encoded(&*object, Format::Json)).into_owned();
        for _ in 0..1 + rng.below(3) {
            data = mutate_json(rng, &data);
        }
        let mut format = "json";
        if rng.chance(30) {
            // YAML that no parser of JSON would take.
            format = "yaml";
            data = data.replace("\":", "\": ").replace("},", "},\n ");
            if rng.chance(50) {
                data = rng.mutate(&data, &["a: 1\n", ", ", "'", "yes", "x: ", "\n", "\"b\": 1, "]);
            }
        }
        Case::new(
            "runtime.strict",
            json!({"format": format, "data": data, "unstructured": rng.chance(25)}),
        )
    }
    fn ours(&self, case: &Case) -> Answer {
        runtime_answer(case)
    }
    fn same(&self, case: &Case, ours: &Answer, go: &Answer) -> bool {
        runtime::same(case.function, ours, go)
    }
    fn kind(&self, _: &Case, ours: &Answer, go: &Answer) -> String {
        match (ours, go) {
            (Ok(a), Ok(b)) if a["strict"] == b["strict"] => "the objects differ".into(),
            (Ok(_), Ok(_)) => "the lists differ".into(),
            (Err(e), Ok(_)) => {
                let e: String = e.chars().filter(|c| !c.is_ascii_digit()).take(60).collect();
                format!("only ours: {e}")
            }
            (Ok(_), Err(e)) => {
                let e: String = e.chars().filter(|c| !c.is_ascii_digit()).take(60).collect();
                format!("only Go: {e}")
            }
            (Err(a), Err(b)) => {
                let wanted = |e: &str| e.rsplit(" of type ").next().map(str::to_owned);
                format!("the errors differ: {:?} and {:?}", wanted(a), wanted(b))
            }
        }
    }
    fn shrink(&self, case: &Case) -> Vec<Case> {
        let data = text(case, "data");
        let smaller =
            if text(case, "format") == "json" { smaller_json(data) } else { smaller_text(data) };
        let with = |data: String| {
            let mut input = case.input.clone();
            input["data"] = data.into();
            Case { function: case.function, input }
        };
        smaller.into_iter().map(with).collect()
    }
    fn deliberate(&self, case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        deliberate(case, ours, go)
    }
}
