//! Schemas of structured merge, in Go's own form, as OpenAPI and as custom resources, and values
//! of the types that they make.
#![no_main]
use libfuzzer_sys::fuzz_target;
use pintle_structured_merge::{ParseableType, Schema, TypeTable};
use serde_json::Value;
use std::sync::Arc;

/// What merging keeps, whatever the type.
fn laws(ty: &ParseableType, live: &Value, config: &Value) {
    let (Ok(live), Ok(config)) = (ty.typed(live.clone()), ty.typed(config.clone())) else { return };
    let set = config.to_field_set();
    if let Ok(set) = &set {
        let _ =
            (live.remove_items(set), live.extract_items(set), live.extract_items_with_keys(set));
        let _ = live.reconcile_field_set(set);
    }
    let Ok(merged) = live.merge(&config) else { return };
    if let (Ok(set), Ok(of_merged)) = (set, merged.to_field_set()) {
        // Null is what a value may be merged away to.
        if !config.value().to_string().contains("null") {
            assert!(set.difference(&of_merged).leaves().is_empty(), "{set:?} {of_merged:?}");
        }
    }
    let _ = live.compare(&config).map(|comparison| comparison.is_same());
    assert!(live.compare(&live).is_ok_and(|comparison| comparison.is_same()));
}

// A schema, a value and another, with NULs between them.
fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |b| *b == 0);
    let mut next = || serde_json::from_slice::<Value>(parts.next().unwrap_or_default()).ok();
    let Some(schema) = next() else { return };
    let (live, config) = (next().unwrap_or_default(), next().unwrap_or_default());
    let _ = TypeTable::from_crd(&schema);
    let models = schema.as_object().and_then(|models| Schema::from_openapi(models, false).ok());
    for schema in Schema::from_json(&schema).ok().into_iter().chain(models).map(Arc::new) {
        for ty in schema.types().iter().take(3) {
            laws(&ParseableType::named(schema.clone(), ty.name.clone()), &live, &config);
        }
    }
    laws(&ParseableType::deduced(), &live, &config);
});
