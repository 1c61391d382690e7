//! What an area of the comparison is: cases, our answers, and which differences are meant.
use super::rng::Rng;
use super::shrink;
use serde_json::Value;

/// What a function returned: its output, or the text of its error.
pub(crate) type Answer = Result<Value, String>;

/// One call: a function of Go's `answer` program and its input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Case {
    /// The name that the Go program knows.
    pub(crate) function: &'static str,
    /// Its input.
    pub(crate) input: Value,
}

impl Case {
    /// A case of `function` with `input`.
    pub(crate) fn new(function: &'static str, input: impl Into<Value>) -> Self {
        Case { function, input: input.into() }
    }
}

/// A group of functions that are compared with Go's.
pub(crate) trait Area: Sync {
    /// The name for `--only` and the report.
    fn name(&self) -> &'static str;

    /// A case: half of them valid, half mutated near the edges.
    fn generate(&self, rng: &mut Rng) -> Case;

    /// Our answer in the shape of Go's.
    fn ours(&self, case: &Case) -> Answer;

    /// Smaller cases to try when `case` disagrees.
    fn shrink(&self, case: &Case) -> Vec<Case> {
        shrink::generic(case)
    }

    /// What disagreements have in common, to report the first of each kind.
    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        let how = match (ours, go) {
            (Ok(_), Ok(_)) => "the outputs differ",
            (Err(_), Err(_)) => "the errors differ",
            (Ok(_), Err(_)) => "only Go has an error",
            (Err(_), Ok(_)) => "only ours is an error",
        };
        format!("{}: {how}", case.function)
    }

    /// Whether the two answers are the same.
    fn same(&self, _case: &Case, ours: &Answer, go: &Answer) -> bool {
        match (ours, go) {
            (Ok(a), Ok(b)) => same(a, b),
            (Err(a), Err(b)) => a == b,
            _ => false,
        }
    }

    /// The reason, when the difference is meant.
    fn deliberate(&self, _case: &Case, _ours: &Answer, _go: &Answer) -> Option<&'static str> {
        None
    }
}

/// Whether two JSON values are the same: numbers by value, objects whatever their order.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) if x.is_f64() || y.is_f64() => {
            x.as_f64() == y.as_f64()
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same(a, b))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(k, a)| y.get(k).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Where two JSON values differ: the path of each leaf, and both values there.
pub(crate) fn differences<'a>(a: &'a Value, b: &'a Value) -> Vec<(String, &'a Value, &'a Value)> {
    fn walk<'a>(
        path: &str,
        a: &'a Value,
        b: &'a Value,
        out: &mut Vec<(String, &'a Value, &'a Value)>,
    ) {
        match (a, b) {
            (Value::Object(x), Value::Object(y)) => {
                let more = y.keys().filter(|k| !x.contains_key(*k));
                for key in x.keys().chain(more) {
                    let of =
                        |o: &'a serde_json::Map<String, Value>| o.get(key).unwrap_or(&Value::Null);
                    walk(&format!("{path}.{key}"), of(x), of(y), out);
                }
            }
            (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
                for (i, (a, b)) in x.iter().zip(y).enumerate() {
                    walk(&format!("{path}[{i}]"), a, b, out);
                }
            }
            _ if same(a, b) => {}
            _ => out.push((path.to_owned(), a, b)),
        }
    }
    let mut out = Vec::new();
    walk("", a, b, &mut out);
    out
}
