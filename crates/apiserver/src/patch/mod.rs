//! Patches over JSON trees: JSON patch, merge patch, strategic merge patch.
//!
//! Go counterpart: `gopkg.in/evanphx/json-patch` and `k8s.io/apimachinery/pkg/util/strategicpatch`.

mod json_patch;
mod merge;
mod strategic;

pub(crate) use self::json_patch::JsonPatch;
pub(crate) use self::merge::merge;
pub(crate) use self::strategic::strategic_merge;

use serde_json::Value;

/// A value as Go's `%v` prints it: `map[a:1 b:[x y]]`.
pub(crate) fn go_print(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(go_print).collect::<Vec<_>>().join(" "))
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}:{}", go_print(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_string(),
    }
}
