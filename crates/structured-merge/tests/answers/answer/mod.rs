//! Our answers to the functions of the Go program `answer` that are about structured merge.

mod apply;
mod sets;
mod typed;
mod updater;

// For those who make up cases.
#[allow(unused_imports)]
pub(crate) use apply::{Sequence, TwoVersions};

use pintle_apimachinery::{GroupVersionKind, Scheme};
use pintle_structured_merge::{ParseableType, Schema, TypeConverter, TypeTable};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

pub(crate) type Answer = Result<Value, String>;

/// What we answer; `None` when the function is not one of these.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Answer> {
    if function == "merge.updater" {
        return Some(updater::answer(input));
    }
    match function.split('.').next() {
        Some("fieldset") => Some(sets::answer(function, input)),
        Some("merge") => Some(typed::answer(function, input)),
        Some("apply") => Some(apply::answer(function, input)),
        _ => None,
    }
}

pub(crate) fn text<'a>(v: &'a Value, key: &str) -> &'a str {
    v[key].as_str().unwrap_or_default()
}

/// The built-in kinds.
pub(crate) static TYPES: LazyLock<TypeTable> = LazyLock::new(|| {
    let mut scheme = Scheme::new();
    pintle_api::add_to_scheme(&mut scheme);
    TypeTable::of_scheme(&scheme)
});

/// The type that the input of a case names.
pub(crate) fn type_of(input: &Value) -> Result<ParseableType, String> {
    static SCHEMAS: LazyLock<Mutex<HashMap<String, Arc<Schema>>>> = LazyLock::new(Mutex::default);
    static CRDS: LazyLock<Mutex<HashMap<String, TypeTable>>> = LazyLock::new(Mutex::default);
    let gvk = || {
        let part = |key: &str| input["kind"][key].as_str().unwrap_or_default().to_owned();
        GroupVersionKind::new(part("group"), part("version"), part("kind"))
    };
    if let Some(crd) = input.get("crd") {
        let mut all = CRDS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let key = crd.to_string();
        if !all.contains_key(&key) {
            let table = TypeTable::from_crd(crd).map_err(|e| e.to_string())?;
            all.insert(key.clone(), table);
        }
        return all.get(&key).and_then(|t| t.type_of(&gvk())).ok_or("no such version".into());
    }
    if input.get("kind").is_some() {
        return TYPES.type_of(&gvk()).ok_or_else(|| format!("no kind {}", gvk()));
    }
    let Some(schema) = input.get("schema") else { return Ok(ParseableType::deduced()) };
    let mut all = SCHEMAS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let key = schema.to_string();
    let schema = match all.get(&key) {
        Some(s) => s.clone(),
        None => {
            let s = Arc::new(Schema::from_json(schema).map_err(|e| e.to_string())?);
            all.insert(key, s.clone());
            s
        }
    };
    Ok(ParseableType::named(schema, input["name"].as_str().unwrap_or_default()))
}
