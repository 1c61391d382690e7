//! JSON patch (RFC 6902), with the latitude of Kubernetes' library: a negative index counts from
//! the end.

use serde_json::Value;

/// A patch that has been read.
#[derive(Clone, Debug)]
pub(crate) struct JsonPatch(Vec<Operation>);

/// Why a patch cannot be applied: an operation or test failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonPatchError;

#[derive(Clone, Debug)]
struct Operation {
    op: String,
    path: Vec<String>,
    from: Option<Vec<String>>,
    value: Option<Value>,
}

impl JsonPatch {
    /// Reads a patch; the inner error is an operation without its fields, which fails like one
    /// that cannot be applied.
    pub(crate) fn new(operations: &[Value]) -> Result<Self, JsonPatchError> {
        let read = |operation: &Value| {
            let text = |key: &str| operation.get(key).and_then(Value::as_str);
            Ok(Operation {
                op: text("op").ok_or(JsonPatchError)?.to_owned(),
                path: pointer(text("path").ok_or(JsonPatchError)?)?,
                from: text("from").map(pointer).transpose()?,
                value: operation.get("value").cloned(),
            })
        };
        operations.iter().map(read).collect::<Result<_, _>>().map(JsonPatch)
    }

    /// Applies every operation in order.
    pub(crate) fn apply(&self, target: &mut Value) -> Result<(), JsonPatchError> {
        self.0.iter().try_for_each(|operation| operation.apply(target))
    }
}

impl Operation {
    fn apply(&self, target: &mut Value) -> Result<(), JsonPatchError> {
        let value = || self.value.clone().unwrap_or(Value::Null);
        let from = || self.from.as_deref().ok_or(JsonPatchError);
        match self.op.as_str() {
            "add" => add(target, &self.path, value()),
            "remove" => remove(target, &self.path).map(drop),
            "replace" => {
                let place = find(target, &self.path).ok_or(JsonPatchError)?;
                *place = value();
                Ok(())
            }
            "move" => {
                let from = from()?;
                // Nothing can be moved into itself.
                if self.path.len() > from.len() && self.path.starts_with(from) {
                    return Err(JsonPatchError);
                }
                let value = remove(target, from)?;
                add(target, &self.path, value)
            }
            "copy" => {
                let value = find(target, from()?).ok_or(JsonPatchError)?.clone();
                add(target, &self.path, value)
            }
            "test" => match (find(target, &self.path), &self.value) {
                (Some(there), Some(wanted)) if equal(there, wanted) => Ok(()),
                (None | Some(Value::Null), None | Some(Value::Null)) => Ok(()),
                _ => Err(JsonPatchError),
            },
            _ => Err(JsonPatchError),
        }
    }
}

/// Numbers are equal by value, however they are written.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

fn pointer(text: &str) -> Result<Vec<String>, JsonPatchError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let rest = text.strip_prefix('/').ok_or(JsonPatchError)?;
    Ok(rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
}

fn index(text: &str, length: usize) -> Option<usize> {
    let index: i64 = text.parse().ok()?;
    let length = i64::try_from(length).ok()?;
    let index = if index < 0 { index + length } else { index };
    (0..length).contains(&index).then_some(index as usize)
}

fn find<'a>(target: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    let Some((first, rest)) = path.split_first() else { return Some(target) };
    let next = match target {
        Value::Object(map) => map.get_mut(first),
        Value::Array(items) => {
            let index = index(first, items.len())?;
            items.get_mut(index)
        }
        _ => None,
    };
    find(next?, rest)
}

fn add(target: &mut Value, path: &[String], value: Value) -> Result<(), JsonPatchError> {
    let Some((last, parents)) = path.split_last() else {
        *target = value;
        return Ok(());
    };
    match find(target, parents).ok_or(JsonPatchError)? {
        Value::Object(map) => {
            map.insert(last.clone(), value);
            Ok(())
        }
        Value::Array(items) => {
            let at = match last.as_str() {
                "-" => items.len(),
                // One past the end is a place to add at.
                last => index(last, items.len() + 1).ok_or(JsonPatchError)?,
            };
            items.insert(at, value);
            Ok(())
        }
        _ => Err(JsonPatchError),
    }
}

fn remove(target: &mut Value, path: &[String]) -> Result<Value, JsonPatchError> {
    let (last, parents) = path.split_last().ok_or(JsonPatchError)?;
    match find(target, parents).ok_or(JsonPatchError)? {
        Value::Object(map) => map.shift_remove(last).ok_or(JsonPatchError),
        Value::Array(items) => {
            let at = index(last, items.len()).ok_or(JsonPatchError)?;
            Ok(items.remove(at))
        }
        _ => Err(JsonPatchError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(target: Value, patch: Value, expect: Option<Value>) {
        let mut tree = target.clone();
        let operations = patch.as_array().expect("an array");
        let result = JsonPatch::new(operations).and_then(|patch| patch.apply(&mut tree));
        assert_eq!(result.ok().map(|()| tree), expect, "{target} + {patch}");
    }

    #[test]
    fn operations() {
        let doc = || json!({"a": {"b": 1}, "l": [1, 2, 3], "x/y": {"~": 0}});
        let with = |pointer: &str, value: Value| {
            let mut doc = doc();
            *doc.pointer_mut(pointer).expect("a place") = value;
            Some(doc)
        };
        check(
            doc(),
            json!([{"op": "replace", "path": "/a/b", "value": 2}]),
            with("/a/b", json!(2)),
        );
        check(
            doc(),
            json!([{"op": "add", "path": "/l/1", "value": 9}]),
            with("/l", json!([1, 9, 2, 3])),
        );
        check(
            doc(),
            json!([{"op": "add", "path": "/l/-", "value": 9}]),
            with("/l", json!([1, 2, 3, 9])),
        );
        check(
            doc(),
            json!([{"op": "add", "path": "/l/3", "value": 9}]),
            with("/l", json!([1, 2, 3, 9])),
        );
        check(doc(), json!([{"op": "add", "path": "/l/4", "value": 9}]), None);
        check(doc(), json!([{"op": "remove", "path": "/l/0"}]), with("/l", json!([2, 3])));
        check(doc(), json!([{"op": "remove", "path": "/l/-1"}]), with("/l", json!([1, 2])));
        check(doc(), json!([{"op": "remove", "path": "/nope"}]), None);
        check(doc(), json!([{"op": "replace", "path": "/nope", "value": 1}]), None);
        check(doc(), json!([{"op": "test", "path": "/x~1y/~0", "value": 0.0}]), Some(doc()));
        check(doc(), json!([{"op": "test", "path": "/a", "value": {"b": 2}}]), None);
        check(
            doc(),
            json!([{"op": "move", "from": "/l/0", "path": "/a/b"}]),
            Some(json!({"a": {"b": 1}, "l": [2, 3], "x/y": {"~": 0}})),
        );
        check(doc(), json!([{"op": "move", "from": "/a", "path": "/a/b"}]), None);
        check(
            doc(),
            json!([{"op": "copy", "from": "/a/b", "path": "/l/0"}]),
            with("/l", json!([1, 1, 2, 3])),
        );
        check(doc(), json!([{"op": "nope", "path": "/a"}]), None);
        check(doc(), json!([{"path": "/a"}]), None);
        check(doc(), json!([{"op": "add", "path": "a", "value": 1}]), None);
        check(doc(), json!([{"op": "add", "path": "/q/r", "value": 1}]), None);
    }
}
