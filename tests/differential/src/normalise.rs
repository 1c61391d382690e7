//! Takes out of answers what may differ between two runs: UIDs, times, tokens, and the numbers of
//! revisions. What is equal stays equal, and revisions keep their order.
//!
//! The revision of an object becomes `#n`, its place among the revisions of all objects that the
//! family saw. The revision of a list or a bookmark becomes `@n`: it is after n of them. So writes
//! that a real server makes for itself in between do not count.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::run::{Raw, at};
use crate::transcript::Record;

/// Numbers after these are revisions.
const BEFORE_REVISION: [&str; 9] = [
    "resourceVersion: \"",
    "resource version: ",
    "current: ",
    "in record (",
    "in the precondition (",
    "too old resource version: ",
    "ResourceVersion: ",
    "resourceVersion=",
    "resourceVersion%3D",
];

/// Normalises the answers of one family; `script` is its text, whose words are kept.
pub(crate) fn normalise(answers: Vec<Raw>, script: &str) -> Vec<Record> {
    let mut revisions = BTreeSet::new();
    let mut names = Vec::new();
    for raw in &answers {
        collect(&raw.body, &mut revisions, &mut names);
    }
    names.sort();
    names.dedup();
    let revisions: Vec<u64> = revisions.into_iter().collect();
    let mut masks =
        Masks { script, revisions, names, numbers: BTreeMap::new(), seen: BTreeMap::new() };
    answers.into_iter().map(|raw| masks.record(raw)).collect()
}

/// Finds the revisions of objects, and names that a server made up.
fn collect(value: &Value, revisions: &mut BTreeSet<u64>, names: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Object(meta)) = map.get("metadata") {
                let get = |key: &str| meta.get(key).and_then(Value::as_str).unwrap_or_default();
                if !get("uid").is_empty() {
                    revisions.extend(get("resourceVersion").parse::<u64>().ok());
                }
                let (base, name) = (get("generateName"), get("name"));
                names.extend(map.get("spec").into_iter().flat_map(tokens));
                if !base.is_empty() && name.len() > 5 && name.is_char_boundary(name.len() - 5) {
                    let (kept, random) = name.split_at(name.len() - 5);
                    let made = random.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
                    if base.starts_with(kept) && made {
                        names.push((name.to_owned(), format!("{kept}<made>")));
                    }
                }
            }
            map.values().for_each(|value| collect(value, revisions, names));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, revisions, names)),
        _ => {}
    }
}

/// The names of the volumes with tokens that a server gave to a Pod.
fn tokens(spec: &Value) -> impl Iterator<Item = (String, String)> {
    let volumes = spec.get("volumes").and_then(Value::as_array).into_iter().flatten();
    volumes.filter(|volume| volume.get("projected").is_some()).filter_map(|volume| {
        let name = volume.get("name")?.as_str()?;
        let random = name.strip_prefix("kube-api-access-")?;
        let made = random.len() == 5 && random.chars().all(|c| c.is_ascii_alphanumeric());
        made.then(|| (name.to_owned(), "kube-api-access-<made>".to_owned()))
    })
}

struct Masks<'a> {
    script: &'a str,
    revisions: Vec<u64>,
    names: Vec<(String, String)>,
    /// How many of each kind there were.
    numbers: BTreeMap<&'static str, usize>,
    seen: BTreeMap<String, String>,
}

impl Masks<'_> {
    fn record(&mut self, raw: Raw) -> Record {
        let Raw { step, request, status, headers, mut body } = raw;
        for path in &step.hide {
            remove(&mut body, path);
        }
        let headers = headers.into_iter().map(|(name, value)| {
            let value = match name.as_str() {
                "audit-id" => "there".to_owned(),
                "etag" => self.mask("etag", &value),
                _ => self.text(&value),
            };
            (name, value)
        });
        let headers = headers.collect();
        let request = self.text(&request);
        let mut body = self.value(body, "");
        sort_causes(&mut body);
        if !step.show.is_empty() {
            let shown = step.show.iter().map(|path| {
                let value = at(&body, path).cloned().unwrap_or_else(|| "absent".into());
                (path.clone(), value)
            });
            body = if step.show == ["none"] { Value::Null } else { Value::Object(shown.collect()) };
        }
        Record { step: step.name, request, status, headers, body }
    }

    fn value(&mut self, value: Value, key: &str) -> Value {
        match value {
            Value::Object(map) => {
                // A list's revision and a bookmark's say when, an object's says which.
                let is_object = map.get("uid").is_some();
                let map = map.into_iter().map(|(name, value)| {
                    let value = match (name.as_str(), &value) {
                        ("resourceVersion", Value::String(text)) => {
                            Value::String(self.revision(text, is_object))
                        }
                        ("continue", Value::String(token)) => Value::String(self.token(token)),
                        ("cells", Value::Array(cells)) => {
                            Value::Array(cells.iter().map(|cell| self.cell(cell)).collect())
                        }
                        // What columns are about is upstream's prose, but for what a definition says.
                        ("description", Value::String(text))
                            if key == "columnDefinitions"
                                && !text.starts_with("Custom resource definition column")
                                && (text.is_empty() || !self.script.contains(text)) =>
                        {
                            "<prose>".into()
                        }
                        ("nodePort", Value::Number(port)) => {
                            Value::String(self.mask("port", &port.to_string()))
                        }
                        _ => self.value(value, &name),
                    };
                    (name, value)
                });
                Value::Object(map.collect::<Map<_, _>>())
            }
            Value::Array(items) => {
                let mut items: Vec<Value> =
                    items.into_iter().map(|item| self.value(item, key)).collect();
                if key == "managedFields" {
                    // In order of their times, which are those of the run, to the second.
                    let word = |item: &Value, key: &str| item[key].to_string();
                    items.sort_by_cached_key(|item| {
                        ["operation", "manager", "apiVersion", "subresource"]
                            .map(|key| word(item, key))
                    });
                }
                Value::Array(items)
            }
            Value::String(text) => Value::String(self.text(&text)),
            other => other,
        }
    }

    /// A cell of a table, without how long ago something was.
    fn cell(&mut self, cell: &Value) -> Value {
        let Value::String(text) = cell else { return cell.clone() };
        let seconds = text.strip_suffix('s').and_then(|text| text.parse::<u32>().ok());
        let minutes = text.split_once('m').and_then(|(text, _)| text.parse::<u32>().ok());
        match seconds.or(minutes) {
            Some(_) => "<age>".into(),
            None => Value::String(self.text(text)),
        }
    }

    fn revision(&self, text: &str, is_object: bool) -> String {
        let Ok(revision) = text.parse::<u64>() else { return text.to_owned() };
        match self.revisions.binary_search(&revision) {
            Ok(index) if is_object => format!("#{}", index + 1),
            Ok(index) => format!("@{}", index + 1),
            Err(index) => format!("@{index}"),
        }
    }

    /// A token for the rest of a list, opened.
    fn token(&self, token: &str) -> String {
        let opened = URL_SAFE_NO_PAD.decode(token).ok();
        let opened: Option<Value> = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(opened) = opened else { return token.to_owned() };
        let revision = match opened["rv"].as_i64() {
            Some(revision) if revision > 0 => self.revision(&revision.to_string(), false),
            other => format!("{other:?}"),
        };
        let start = opened["start"].as_str().unwrap_or_default().replace('\0', "\\0");
        format!("<from {start} at {revision}>")
    }

    /// What a text begins with when that is an object as JSON, quoted or not: its length, and how
    /// it is shown. Its keys are sorted: in Go their order depends on how the object was made.
    fn quoted(&mut self, text: &str) -> Option<(usize, String)> {
        fn sort(value: &mut Value) {
            match value {
                Value::Object(map) => {
                    map.sort_keys();
                    map.values_mut().for_each(sort);
                }
                Value::Array(items) => items.iter_mut().for_each(sort),
                _ => {}
            }
        }
        let mut show = |value: Value| {
            let mut value = self.value(value, "");
            sort(&mut value);
            value.to_string()
        };
        let is_json = |text: &str| ["{\"", "[{\""].iter().any(|start| text.starts_with(start));
        if is_json(text) {
            let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
            let value = values.next()?.ok()?;
            return Some((values.byte_offset(), show(value)));
        }
        if text.starts_with("\"{\\\"") || text.starts_with("\"[{\\\"") {
            let mut texts = serde_json::Deserializer::from_str(text).into_iter::<String>();
            let inner = texts.next()?.ok()?;
            let value = serde_json::from_str(&inner).ok()?;
            return Some((texts.byte_offset(), Value::String(show(value)).to_string()));
        }
        None
    }

    /// The same mask for the same text.
    fn mask(&mut self, kind: &'static str, text: &str) -> String {
        if let Some(mask) = self.seen.get(text) {
            return mask.clone();
        }
        let number = self.numbers.entry(kind).or_default();
        *number += 1;
        let mask = format!("<{kind} {number}>");
        self.seen.insert(text.to_owned(), mask.clone());
        mask
    }

    fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, mask) in &self.names {
            if text.contains(name.as_str()) {
                text = text.replace(name.as_str(), mask);
            }
        }
        if let Some((before, token)) = text.split_once("continue=")
            && !token.is_empty()
        {
            let token = token.split('&').next().unwrap_or_default();
            let opened = self.token(token);
            let rest = &text[before.len() + "continue=".len() + token.len()..];
            text = format!("{before}continue={opened}{rest}");
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            if out.ends_with("Invalid value: ")
                && let Some((length, shown)) = self.quoted(rest)
            {
                out.push_str(&shown);
                rest = &rest[length..];
                continue;
            }
            let starts = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
            let (length, kind) = match starts {
                true => found(rest),
                false => (0, ""),
            };
            if length > 0 && !self.script.contains(&rest[..length]) {
                let word = rest[..length].to_owned();
                match kind {
                    "time" | "microtime" => out.push_str(&format!("<{kind}>")),
                    kind => out.push_str(&self.mask(kind, &word)),
                }
                rest = &rest[length..];
                continue;
            }
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let after_word = BEFORE_REVISION.iter().any(|word| out.ends_with(word));
            let in_brackets = out.ends_with(" (") && out.contains("too old resource version");
            if digits > 0 && (after_word || in_brackets) {
                out.push_str(&self.revision(&rest[..digits], false));
                rest = &rest[digits..];
                continue;
            }
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
        out
    }
}

/// Errors of custom resources come in the order of Go's maps, which is none: they are sorted.
fn sort_causes(body: &mut Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let custom = text(&body["details"]["group"]).ends_with(".example.com");
    let Some(causes) = body.pointer_mut("/details/causes").and_then(Value::as_array_mut) else {
        return;
    };
    if !custom || causes.len() < 2 {
        return;
    }
    causes.sort_by_key(|cause| (text(&cause["field"]), text(&cause["message"])));
    let texts = causes.iter().map(|c| format!("{}: {}", text(&c["field"]), text(&c["message"])));
    let mut texts: Vec<String> = texts.collect();
    // The message tells each once.
    texts.dedup();
    let message = text(&body["message"]);
    if let Some((before, list)) = message.split_once(" is invalid: [")
        && list.len() == texts.join(", ").len() + 1
    {
        body["message"] = format!("{before} is invalid: [{}]", texts.join(", ")).into();
    }
}

/// The length of what a text begins with that differs from run to run, and what it is.
fn found(text: &str) -> (usize, &'static str) {
    let bytes = text.as_bytes();
    let shape = |pattern: &str| {
        bytes.len() >= pattern.len()
            && pattern.bytes().zip(bytes).all(|(p, b)| match p {
                b'h' => b.is_ascii_hexdigit(),
                b'0' => b.is_ascii_digit(),
                p => p == *b,
            })
    };
    if shape("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh") {
        return (36, "uid");
    }
    if shape("0000-00-00T00:00:00.000000Z") {
        return (27, "microtime");
    }
    if shape("0000-00-00T00:00:00Z") {
        return (20, "time");
    }
    if shape("127.0.0.1:0") {
        let port = text[10..].bytes().take_while(u8::is_ascii_digit).count();
        return (10 + port, "address");
    }
    // The range of services of a cluster.
    if text.starts_with("10.0.") {
        let length = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        if text[..length].matches('.').count() == 3 {
            return (length, "ip");
        }
    }
    (0, "")
}

/// Takes out what is at a path; `*` stands for every index or key.
fn remove(value: &mut Value, path: &str) {
    let path = path.replace('[', ".[").replace(']', "");
    let parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
    fn step(value: &mut Value, parts: &[&str]) {
        let Some((first, rest)) = parts.split_first() else { return };
        match value {
            Value::Object(map) if rest.is_empty() => {
                map.shift_remove(*first);
            }
            Value::Object(map) if *first == "*" => map.values_mut().for_each(|v| step(v, rest)),
            Value::Object(map) => {
                if let Some(value) = map.get_mut(*first) {
                    step(value, rest);
                }
            }
            Value::Array(items) => match first.trim_start_matches('[') {
                "*" => items.iter_mut().for_each(|item| step(item, rest)),
                index => {
                    if let Some(item) = index.parse().ok().and_then(|i: usize| items.get_mut(i)) {
                        step(item, rest);
                    }
                }
            },
            _ => {}
        }
    }
    step(value, &parts);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(revisions: &[u64]) -> Masks<'_> {
        Masks {
            script: "2020-01-01T00:00:00Z",
            revisions: revisions.to_vec(),
            names: vec![("a-x1y2z".to_owned(), "a-<made>".to_owned())],
            numbers: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    #[test]
    fn equal_stays_equal() {
        let mut masks = masks(&[5, 9]);
        let uid = "aa56ed47-c121-4f77-b3b4-2aa65ed6fa28";
        assert_eq!(masks.text(&format!("x {uid}.")), "x <uid 1>.");
        assert_eq!(masks.text(uid), "<uid 1>");
        assert_eq!(masks.text("at 2026-11-23T21:36:15Z"), "at <time>");
        assert_eq!(masks.text("2020-01-01T00:00:00Z"), "2020-01-01T00:00:00Z");
        assert_eq!(masks.text("\"a-x1y2z\" 5"), "\"a-<made>\" 5");
        assert_eq!(
            masks.text("Too large resource version: 100, current: 7"),
            "Too large resource version: @2, current: @1"
        );
        assert_eq!(
            masks.text("too old resource version: 5 (9)"),
            "too old resource version: @1 (@2)"
        );
    }

    #[test]
    fn objects_in_messages_are_normalised() {
        let mut masks = masks(&[5, 9]);
        assert_eq!(
            masks.text(
                r#"Invalid value: "{\"b\":{\"uid\":\"x\",\"resourceVersion\":\"9\"},\"a\":1}": no"#
            ),
            r##"Invalid value: "{\"a\":1,\"b\":{\"resourceVersion\":\"#2\",\"uid\":\"x\"}}": no"##
        );
        assert_eq!(
            masks.text(r#"Invalid value: [{"b":1,"a":2}]: x"#),
            r#"Invalid value: [{"a":2,"b":1}]: x"#
        );
        assert_eq!(masks.text(r#"({"kind": 5, "a": 1})"#), r#"({"kind": 5, "a": 1})"#);
    }

    #[test]
    fn causes_of_custom_resources_are_sorted() {
        let cause = |field: &str| serde_json::json!({"message": "m", "field": field});
        let mut body = serde_json::json!({
            "message": "Thing \"a\" is invalid: [b: m, a: m]",
            "details": {"group": "x.example.com", "causes": [cause("b"), cause("a")]},
        });
        sort_causes(&mut body);
        assert_eq!(body["message"], "Thing \"a\" is invalid: [a: m, b: m]");
        assert_eq!(body["details"]["causes"][0]["field"], "a");
    }

    #[test]
    fn revisions_keep_their_order() {
        let masks = masks(&[5, 9]);
        assert_eq!(masks.revision("5", true), "#1");
        assert_eq!(masks.revision("9", true), "#2");
        assert_eq!(masks.revision("9", false), "@2");
        assert_eq!(masks.revision("8", false), "@1");
        assert_eq!(masks.revision("", false), "");
    }

    #[test]
    fn paths_are_taken_out() {
        let mut value = serde_json::json!({"items": [{"a": 1, "b": 2}, {"a": 3}]});
        remove(&mut value, "items[*].a");
        assert_eq!(value, serde_json::json!({"items": [{"b": 2}, {}]}));
    }
}
