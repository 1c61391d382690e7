//! JSON paths, walked over a document.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_apimachinery::util::JsonPath;
use serde_json::Value;

// A path and a document, with a NUL between them.
fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |b| *b == 0);
    let Ok(text) = std::str::from_utf8(parts.next().unwrap_or_default()) else { return };
    let Ok(path) = JsonPath::parse(text) else { return };
    assert_eq!(JsonPath::parse(text).as_ref(), Ok(&path));
    let document = parts.next().and_then(|text| serde_json::from_slice::<Value>(text).ok());
    let document =
        document.unwrap_or_else(|| serde_json::json!({"a": [{"b": 1}, {"b": 2.5}, {"b": "c"}]}));
    let found = path.find(&document);
    assert_eq!(path.find(&document), found);
});
