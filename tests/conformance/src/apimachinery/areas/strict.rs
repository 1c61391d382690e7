//! Strict decoding: the object, and what it objects to, texts and order included.
use super::super::area::{Answer, Area, Case};
use super::super::rng::Rng;
use super::random_object::*;
use super::transcode::deliberate;
use pintle_apimachinery::{
    CodecFactory, Decoder, Format, Scheme, StrictErrors, Unstructured, decode_strict,
};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Built-in kinds and objects without a type, in JSON and YAML.
pub(crate) struct Strict;

static CODECS: LazyLock<CodecFactory> =
    LazyLock::new(|| CodecFactory::new(Scheme::clone(&SCHEME)).strict());

fn text<'a>(case: &'a Case, key: &str) -> &'a str {
    case.input.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn texts(strict: &StrictErrors) -> Vec<String> {
    strict.iter().map(ToString::to_string).collect()
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
        let format = format_of(text(case, "format"));
        let bytes = text(case, "data").as_bytes();
        let wrong = |e: pintle_apimachinery::Error| e.to_string();
        let mut out = Vec::new();
        let strict = if case.input["unstructured"] == true {
            let (u, strict) =
                decode_strict::<Unstructured>(bytes, format, &mut Decoder::new()).map_err(wrong)?;
            pintle_apimachinery::Codec::encode(&u, Format::Json, &mut out).map_err(wrong)?;
            strict
        } else {
            let decoded = CODECS.deserialize_as(bytes, format, None).map_err(wrong)?;
            decoded.object.encode_any(Format::Json, &mut out).map_err(wrong)?;
            decoded.strict
        };
        Ok(json!({"object": String::from_utf8_lossy(&out), "strict": texts(&strict)}))
    }
    fn same(&self, _: &Case, ours: &Answer, go: &Answer) -> bool {
        match (ours, go) {
            (Ok(a), Ok(b)) => a == b,
            // Texts of other errors are each one's own, but for what says what an object is.
            (Err(a), Err(b)) => {
                b.starts_with(a.as_str())
                    || !a.starts_with("Object '") && !b.starts_with("Object '")
            }
            _ => false,
        }
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
            _ => "the errors differ".into(),
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
        if let (Ok(a), Ok(b)) = (ours, go)
            && a["strict"] == b["strict"]
            && a["strict"].to_string().contains("duplicate field")
        {
            return Some(
                "a list that is there twice is replaced; Go merges its elements by position",
            );
        }
        deliberate(text(case, "data"), ours, go)
    }
}
