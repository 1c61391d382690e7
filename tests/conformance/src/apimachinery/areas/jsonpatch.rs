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

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(map) => map.values().any(has_null),
        _ => false,
    }
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
        Case::new("jsonpatch.apply", input)
    }

    fn ours(&self, case: &Case) -> Answer {
        answer(case)
    }

    fn shrink(&self, case: &Case) -> Vec<Case> {
        shrink(case)
    }

    fn deliberate(&self, case: &Case, _: &Answer, go: &Answer) -> Option<&'static str> {
        let operations = case.input["patch"].as_array();
        let says = |operation: &Value, op: &str| operation["op"] == op;
        let tests = |op: &str| operations.into_iter().flatten().any(|o| says(o, op));
        if errors(go).iter().any(|error| error.starts_with("panic: ")) {
            return Some("Go panics; ours compares, or says what is wrong");
        }
        let nulls = has_null(&case.input["original"])
            || operations.into_iter().flatten().any(|operation| {
                has_null(operation.get("value").unwrap_or(&Value::Null)) || says(operation, "copy")
            });
        if nulls && (tests("test") || case.input.get("copyLimit").is_some()) {
            return Some(
                "Go tells a null that was added or copied from one that was there; null is null",
            );
        }
        if case.input["original"].is_null() {
            return Some("Go takes null for an object; ours wants an object or a list");
        }
        None
    }
}
