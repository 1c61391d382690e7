//! Patches of a Pod: JSON patch, merge patch, strategic merge patch.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_api::core_v1::Pod;
use pintle_patch::{JsonPatch, TypeSchema, merge, strategic};
use serde_json::Value;

// A document and a patch, with a NUL between them.
fuzz_target!(|data: &[u8]| {
    let Some(at) = data.iter().position(|b| *b == 0) else { return };
    let (document, patch) = (&data[..at], &data[at + 1..]);
    let Ok(document) = serde_json::from_slice::<Value>(document) else { return };
    if let Ok(patch) = JsonPatch::from_slice(patch) {
        let _ = patch.apply(&mut document.clone());
    }
    let Ok(patch) = serde_json::from_slice::<Value>(patch) else { return };
    let _ = merge::apply(document.clone(), patch.clone());
    if let Ok(difference) = merge::diff(&document, &patch) {
        let _ = merge::apply(document.clone(), difference);
    }
    let schema = TypeSchema::of::<Pod>();
    let (Value::Object(document), Value::Object(patch)) = (document, patch) else { return };
    let _ = strategic::apply(document.clone(), patch.clone(), schema);
    if let Ok(difference) = strategic::diff(&document, &patch, schema, &[]) {
        let _ = strategic::apply(document, difference, schema);
    }
});
