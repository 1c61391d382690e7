//! How deep values may nest.

use pintle_apimachinery::Error;
use serde_json::Value;

use crate::error::{Reason, fail};

/// Objects and lists may be nested this deep; what goes deeper is an error. Parsers of JSON in
/// Rust stop at 128, Go's at 10,000.
pub const MAX_DEPTH: usize = 256;

/// How deep `value` is nested: 0 for a scalar. Looks no deeper than [`MAX_DEPTH`].
pub(crate) fn depth(value: &Value) -> usize {
    fn within(value: &Value, left: usize) -> usize {
        match value {
            Value::Array(_) | Value::Object(_) if left == 0 => 1,
            Value::Array(items) => {
                1 + items.iter().map(|item| within(item, left - 1)).max().unwrap_or(0)
            }
            Value::Object(map) => {
                1 + map.values().map(|item| within(item, left - 1)).max().unwrap_or(0)
            }
            _ => 0,
        }
    }
    within(value, MAX_DEPTH)
}

pub(crate) fn too_deep() -> Error {
    fail(Reason::Malformed, format!("the document is nested deeper than {MAX_DEPTH} levels"))
}

/// # Errors
/// `value` is nested deeper than [`MAX_DEPTH`].
pub(crate) fn check(value: &Value) -> Result<(), Error> {
    if depth(value) > MAX_DEPTH { Err(too_deep()) } else { Ok(()) }
}

/// [`check`] for the members of an object.
pub(crate) fn check_object(object: &serde_json::Map<String, Value>) -> Result<(), Error> {
    if object.values().any(|value| depth(value) >= MAX_DEPTH) { Err(too_deep()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
    }

    #[test]
    fn limits() {
        assert_eq!(depth(&Value::Null), 0);
        assert_eq!(depth(&nested(3)), 3);
        assert_eq!(depth(&nested(MAX_DEPTH)), MAX_DEPTH);
        assert!(check(&nested(MAX_DEPTH)).is_ok());
        assert!(check(&nested(MAX_DEPTH + 1)).is_err());
        assert!(check(&nested(MAX_DEPTH + 500)).is_err());
    }
}
