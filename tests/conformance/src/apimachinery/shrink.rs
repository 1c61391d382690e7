//! Making a case smaller while it still disagrees.
use super::area::Case;
use serde_json::{Map, Value};

/// Smaller inputs for the same function. The members of an outermost object stay, as they are the
/// function's arguments; whatever is in them shrinks.
pub(crate) fn generic(case: &Case) -> Vec<Case> {
    let mut out = Vec::new();
    match &case.input {
        Value::Object(o) => members(o, &mut out),
        other => values(other, &mut out),
    }
    out.into_iter().map(|input| Case { function: case.function, input }).collect()
}

/// Smaller values, the much smaller ones first.
fn values(v: &Value, out: &mut Vec<Value>) {
    match v {
        Value::Null => {}
        Value::Bool(b) => {
            if *b {
                out.push(false.into());
            }
        }
        Value::Number(n) => {
            if let Some(i) = n.as_i64() {
                let smaller = [0, i / 1000, i / 10, i / 2, i - i.signum()];
                out.extend(smaller.into_iter().filter(|s| *s != i).map(Value::from));
            } else {
                out.extend([0.into(), 1.into()]);
            }
        }
        Value::String(s) => {
            strings(s, |shorter| out.push(shorter.into()));
        }
        Value::Array(a) => {
            if a.len() > 1 {
                let middle = a.len() / 2;
                out.push(a[..middle].to_vec().into());
                out.push(a[middle..].to_vec().into());
            }
            for i in 0..a.len() {
                let mut less = a.clone();
                less.remove(i);
                out.push(less.into());
            }
            for (i, item) in a.iter().enumerate() {
                let mut smaller = Vec::new();
                values(item, &mut smaller);
                out.extend(smaller.into_iter().map(|item| {
                    let mut with = a.clone();
                    with[i] = item;
                    Value::from(with)
                }));
            }
        }
        Value::Object(o) => {
            for key in o.keys() {
                let mut less = o.clone();
                less.shift_remove(key);
                out.push(less.into());
            }
            members(o, out);
        }
    }
}

/// The same object with one member's value smaller.
fn members(o: &Map<String, Value>, out: &mut Vec<Value>) {
    for (key, value) in o {
        let mut smaller = Vec::new();
        values(value, &mut smaller);
        out.extend(smaller.into_iter().map(|value| {
            let mut with = o.clone();
            with.insert(key.clone(), value);
            Value::from(with)
        }));
    }
}

/// Shorter strings, then simpler ones.
fn strings(s: &str, mut push: impl FnMut(String)) {
    let chars: Vec<char> = s.chars().collect();
    if chars.is_empty() {
        return;
    }
    push(String::new());
    let mut size = chars.len() / 2;
    while size > 0 {
        for start in (0..chars.len()).step_by(size) {
            let end = (start + size).min(chars.len());
            push(chars[..start].iter().chain(&chars[end..]).collect());
        }
        size /= 2;
    }
    for (i, c) in chars.iter().enumerate() {
        let simple = match c {
            '1'..='9' => '0',
            'b'..='z' | 'A'..='Z' => 'a',
            c if !c.is_ascii() => 'a',
            _ => continue,
        };
        let mut with = chars.clone();
        with[i] = simple;
        push(with.into_iter().collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_smaller_case_differs_and_arguments_stay() {
        let case = Case::new("f", json!({"a": ["xy", {"k": 7}], "b": true}));
        let smaller = generic(&case);
        assert!(smaller.iter().all(|c| *c != case && c.input.as_object().unwrap().len() == 2));
        assert!(smaller.iter().any(|c| c.input["a"] == json!([{"k": 7}])));
        assert!(smaller.iter().any(|c| c.input["a"] == json!(["xy", {}])));
        assert!(smaller.iter().any(|c| c.input["a"][0] == "y"));
        assert!(smaller.iter().any(|c| c.input["b"] == false));
    }

    #[test]
    fn shrinking_ends() {
        let mut case = Case::new("f", json!(["héllo9", -70, {"a": {"b": [1, 2]}}]));
        let mut rounds = 0;
        while let Some(next) = generic(&case).pop() {
            case = next;
            rounds += 1;
            assert!(rounds < 500, "{case:?}");
        }
    }
}
