//! JSON patch: kube-apiserver's library.
use super::patch_documents::{answer, changed, errors, key, members, shrink, value};
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;
use pintle_patch::JsonPatch;
use serde_json::{Value, json};

pub(crate) struct JsonPatches;

fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// A path, mostly to a place that is there.
fn path(rng: &mut Rng, document: &Value) -> (String, Value) {
    let (mut path, mut at) = (String::new(), document);
    loop {
        let step = match at {
            Value::Object(map) if !map.is_empty() && rng.chance(85) => {
                let (key, next) = map.iter().nth(rng.below(map.len())).expect("within");
                at = next;
                escape(key)
            }
            Value::Array(items) if !items.is_empty() && rng.chance(85) => {
                let i = rng.below(items.len());
                at = &items[i];
                if rng.chance(10) { format!("-{}", items.len() - i) } else { i.to_string() }
            }
            Value::Object(_) => {
                at = &Value::Null;
                escape(&key(rng))
            }
            Value::Array(items) => {
                at = &Value::Null;
                let odd =
                    ["-", "-1", "-9", "99", "01", "+0", "1e0", "x", "", "9999999999999999999"];
                match rng.below(3) {
                    0 => items.len().to_string(),
                    1 => "-".into(),
                    _ => (*rng.pick(&odd)).to_owned(),
                }
            }
            _ => return (path, at.clone()),
        };
        path.push('/');
        path.push_str(&step);
        if rng.chance(35) {
            return (path, at.clone());
        }
    }
}

fn operation(rng: &mut Rng, document: &Value) -> Value {
    let op = *rng.pick(&["add", "remove", "replace", "move", "copy", "test"]);
    let (to, there) = path(rng, document);
    let mut operation = json!({"op": op, "path": to});
    if matches!(op, "add" | "replace" | "test") {
        operation["value"] = if op == "test" && rng.chance(70) { there } else { value(rng, 2) };
    }
    if matches!(op, "move" | "copy") {
        operation["from"] = path(rng, document).0.into();
    }
    if rng.chance(12) {
        let field = *rng.pick(&["op", "path", "from", "value"]);
        match (rng.below(3), operation.as_object_mut()) {
            (0, Some(operation)) => drop(operation.shift_remove(field)),
            (1, Some(operation)) => drop(operation.insert(field.into(), value(rng, 1))),
            _ => {
                let odd = ["", "a", "a/b", "//", "/~2", "/~", "Add"];
                operation[field] = (*rng.pick(&odd)).into();
            }
        }
    }
    if rng.chance(2) { value(rng, 1) } else { operation }
}

/// A value as text, sometimes in other words than usual.
fn spelled(rng: &mut Rng, value: &Value, odd: bool, out: &mut String) {
    let space = |rng: &mut Rng, out: &mut String| {
        if odd && rng.chance(8) {
            out.push_str(rng.pick::<&str>(&[" ", "\n", "\t ", "\r"]));
        }
    };
    space(rng, out);
    match value {
        Value::Number(number) if odd && rng.chance(30) => {
            let number = number.to_string();
            let whole = !number.contains(['.', 'e']);
            let odd = match rng.below(5) {
                0 if whole => format!("{number}.0"),
                1 if whole => format!("{number}e0"),
                2 if whole && number != "0" => format!("{number}0E-1"),
                3 => (*rng.pick(&["-0", "0.10", "1e2", "100", "1E+2"])).to_owned(),
                4 => (*rng.pick(&BIG)).to_owned(),
                _ => number,
            };
            out.push_str(&odd);
        }
        Value::String(text) if odd => {
            out.push('"');
            for c in text.chars() {
                match c {
                    c if rng.chance(10) => {
                        for unit in c.encode_utf16(&mut [0; 2]) {
                            let upper = rng.chance(50);
                            let hex =
                                if upper { format!("{unit:04X}") } else { format!("{unit:04x}") };
                            out.push_str(&format!("\\u{hex}"));
                        }
                    }
                    '/' if rng.chance(30) => out.push_str("\\/"),
                    c => {
                        let json = Value::from(c.to_string()).to_string();
                        out.push_str(&json[1..json.len() - 1]);
                    }
                }
            }
            out.push('"');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                spelled(rng, item, odd, out);
            }
            space(rng, out);
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            if odd && rng.chance(30) {
                members.reverse();
            }
            if odd && rng.chance(8) && !members.is_empty() {
                members.push(members[rng.below(members.len())]);
            }
            out.push('{');
            for (i, (key, value)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                spelled(rng, &Value::from(key.as_str()), odd, out);
                space(rng, out);
                out.push(':');
                spelled(rng, value, odd, out);
            }
            space(rng, out);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
    space(rng, out);
}

const BIG: [&str; 4] =
    ["9007199254740993", "9223372036854775808", "123456789012345678901234567890", "1e400"];

fn text(rng: &mut Rng, value: &Value, odd: bool) -> String {
    let mut out = String::new();
    spelled(rng, value, odd, &mut out);
    // Go looks at the very first letter to see what a document is.
    out.trim_start().to_owned()
}

impl Area for JsonPatches {
    fn name(&self) -> &'static str {
        "jsonpatch"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        let original = if rng.chance(95) { members(rng, 3) } else { value(rng, 2) };
        let mut document = original.clone();
        let mut patch = Vec::new();
        for _ in 0..1 + rng.below(4) {
            let operation = operation(rng, &document);
            // Later operations are for the document as it is then.
            if let Ok(patch) = JsonPatch::from_value(json!([operation])) {
                let _ = patch.apply(&mut document);
            }
            patch.push(operation);
        }
        let mut patch = Value::Array(patch);
        if rng.chance(2) {
            patch = changed(rng, &patch);
        }
        let mut input = json!({"original": original, "patch": patch});
        if rng.chance(20) {
            input["copyLimit"] = (1 + rng.below(20)).into();
        }
        if rng.chance(40) {
            return Case::new("jsonpatch.apply", input);
        }
        let odd = rng.chance(60);
        input["patchText"] = text(rng, &input["patch"], odd).into();
        if rng.chance(50) {
            return Case::new("jsonpatch.object", input);
        }
        let odd = rng.chance(60);
        input["originalText"] = text(rng, &input["original"], odd).into();
        Case::new("jsonpatch.apply", input)
    }

    fn ours(&self, case: &Case) -> Answer {
        answer(case)
    }

    fn shrink(&self, case: &Case) -> Vec<Case> {
        // A letter less and the text is something else altogether.
        if case.input.get("patchText").is_some() { Vec::new() } else { shrink(case) }
    }

    fn deliberate(&self, case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        if errors(go).iter().any(|error| error.starts_with("panic: ")) {
            return Some("Go panics; ours compares, or says what is wrong");
        }
        let texts = ["patchText", "originalText"].map(|key| case.input[key].as_str().unwrap_or(""));
        let too_big = texts.iter().any(|text| text.contains("1e400"));
        let read =
            |answer: &Answer| answer.as_ref().is_err_and(|e| e.contains("number out of range"));
        if too_big && read(ours) && !read(go) {
            return Some("a number that no float holds: ours does not read it");
        }
        None
    }
}
