//! Differences between two runs of a family, and the list of those that are known.

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::transcript::Record;

/// One place where two answers differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The family's name.
    pub family: String,
    /// The step's name.
    pub step: String,
    /// Where, such as `status`, `headers.warning`, `body.metadata.labels.a` or `body.items[0]`.
    pub path: String,
    /// What the real server says there; `None` for nothing.
    pub real: Option<String>,
    /// What the embedded server says there; `None` for nothing.
    pub ours: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |text: &Option<String>| text.clone().unwrap_or_else(|| "(nothing)".to_owned());
        let Difference { family, step, path, real, ours } = self;
        write!(f, "{family} / {step}: {path}\n    real: {}\n    ours: {}", show(real), show(ours))
    }
}

/// A difference that is known, and why it is there. `*` in family, request and path stands for any
/// text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The family's name.
    pub family: String,
    /// The step's name.
    pub request: String,
    /// The path of the difference.
    pub path: String,
    /// Why it is there.
    pub reason: String,
}

impl Known {
    /// Whether this tells of a difference.
    #[must_use]
    pub fn covers(&self, difference: &Difference) -> bool {
        matches(&self.family, &difference.family)
            && matches(&self.request, &difference.step)
            && matches(&self.path, &difference.path)
    }
}

/// Reads the list of known differences.
///
/// # Errors
/// The file cannot be read, or an entry lacks something.
pub fn known(path: &Path) -> Result<Vec<Known>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let known: Option<Vec<Known>> =
        serde_yaml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let known = known.unwrap_or_default();
    match known.iter().find(|entry| entry.reason.trim().is_empty()) {
        None => Ok(known),
        Some(entry) => Err(format!("{} / {}: no reason", entry.family, entry.request)),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.any(|at| matches(after, &rest[at..]))
        }),
    }
}

/// Compares two runs of a family.
#[must_use]
pub fn compare(family: &str, real: &[Record], ours: &[Record]) -> Vec<Difference> {
    let mut found = Found { family, step: "", list: Vec::new() };
    for real in real {
        found.step = &real.step;
        match ours.iter().find(|record| record.step == real.step) {
            Some(ours) => found.records(real, ours),
            None => found.add("", Some("a step".to_owned()), None),
        }
    }
    for ours in ours {
        if !real.iter().any(|record| record.step == ours.step) {
            found.step = &ours.step;
            found.add("", None, Some("a step".to_owned()));
        }
    }
    found.list
}

struct Found<'a> {
    family: &'a str,
    step: &'a str,
    list: Vec<Difference>,
}

impl Found<'_> {
    fn add(&mut self, path: &str, real: Option<String>, ours: Option<String>) {
        let (family, step) = (self.family.to_owned(), self.step.to_owned());
        self.list.push(Difference { family, step, path: path.to_owned(), real, ours });
    }

    fn records(&mut self, real: &Record, ours: &Record) {
        let same = |a: &dyn ToString, b: &dyn ToString| (Some(a.to_string()), Some(b.to_string()));
        if real.request != ours.request {
            let (real, ours) = same(&real.request, &ours.request);
            self.add("request", real, ours);
        }
        if real.status != ours.status {
            let (real, ours) = same(&real.status, &ours.status);
            self.add("status", real, ours);
        }
        let names: std::collections::BTreeSet<&String> =
            real.headers.keys().chain(ours.headers.keys()).collect();
        for name in names {
            let (real, ours) = (real.headers.get(name), ours.headers.get(name));
            if real != ours {
                self.add(&format!("headers.{name}"), real.cloned(), ours.cloned());
            }
        }
        self.values("body", &real.body, &ours.body);
    }

    fn values(&mut self, path: &str, real: &Value, ours: &Value) {
        match (real, ours) {
            (Value::Object(real), Value::Object(ours)) => {
                for (key, value) in real {
                    let path = format!("{path}.{key}");
                    match ours.get(key) {
                        Some(other) => self.values(&path, value, other),
                        None => self.add(&path, Some(value.to_string()), None),
                    }
                }
                for (key, value) in ours.iter().filter(|(key, _)| !real.contains_key(*key)) {
                    self.add(&format!("{path}.{key}"), None, Some(value.to_string()));
                }
                let common = |from: &serde_json::Map<String, Value>,
                              other: &serde_json::Map<String, Value>| {
                    let keys: Vec<String> =
                        from.keys().filter(|key| other.contains_key(*key)).cloned().collect();
                    keys.join(", ")
                };
                let (a, b) = (common(real, ours), common(ours, real));
                if a != b {
                    self.add(&format!("{path} (order)"), Some(a), Some(b));
                }
            }
            (Value::Array(real), Value::Array(ours)) => {
                for index in 0..real.len().max(ours.len()) {
                    let path = format!("{path}[{index}]");
                    match (real.get(index), ours.get(index)) {
                        (Some(a), Some(b)) => self.values(&path, a, b),
                        (a, b) => {
                            self.add(&path, a.map(Value::to_string), b.map(Value::to_string));
                        }
                    }
                }
            }
            (real, ours) if real != ours => {
                self.add(path, Some(real.to_string()), Some(ours.to_string()));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(status: u16, body: Value) -> Record {
        Record {
            step: "s".into(),
            request: "GET /".into(),
            status,
            headers: Default::default(),
            body,
        }
    }

    #[test]
    fn every_place_is_named() {
        let real = record(200, json!({"a": [1, {"b": 2}], "c": 1, "d": 1}));
        let ours = record(201, json!({"a": [1, {"b": 3}, 4], "d": 1, "c": 1, "e": 5}));
        let found = compare("f", &[real], &[ours]);
        let paths: Vec<&str> = found.iter().map(|d| d.path.as_str()).collect();
        assert_eq!(paths, ["status", "body.a[1].b", "body.a[2]", "body.e", "body (order)"]);
    }

    #[test]
    fn patterns() {
        for (pattern, text, expect) in [
            ("*", "", true),
            ("*", "x.y", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("*.managedFields", "body.items[0].metadata.managedFields", true),
            ("body", "body.x", false),
        ] {
            assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
        }
    }
}
