//! JSON text to a tree that also tells of fields given twice, and a tree to YAML.
//!
//! Go counterpart: the strict mode of `sigs.k8s.io/json`, and `sigs.k8s.io/yaml`.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Parses a text; answers the paths of fields that occur twice too, of which the last counts.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Value, Vec<String>), serde_json::Error> {
    let found = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Node { path: "", found: &found }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, found.into_inner()))
}

struct Node<'a> {
    path: &'a str,
    found: &'a RefCell<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, list.len());
            match items.next_element_seed(Node { path: &path, found: self.found })? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let path = match self.path {
                "" => key.clone(),
                path => format!("{path}.{key}"),
            };
            let value = entries.next_value_seed(Node { path: &path, found: self.found })?;
            if map.insert(key, value).is_some() {
                self.found.borrow_mut().push(path);
            }
        }
        Ok(Value::Object(map))
    }
}

/// YAML in block style, with keys in order; every text that could be read as anything else is
/// quoted.
pub(crate) fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    write_yaml(&mut out, value, 0, false);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// Writes a value; `inline` says that the first line continues one that was begun by `- `.
fn write_yaml(out: &mut String, value: &Value, depth: usize, inline: bool) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 || !inline {
                    indent(out, depth);
                }
                out.push_str(&scalar(key));
                out.push(':');
                nested(out, value, depth);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 || !inline {
                    indent(out, depth);
                }
                out.push_str("- ");
                match item {
                    Value::Object(map) if !map.is_empty() => write_yaml(out, item, depth + 1, true),
                    Value::Array(list) if !list.is_empty() => {
                        write_yaml(out, item, depth + 1, true)
                    }
                    leaf => {
                        out.push_str(&leaf_text(leaf));
                        out.push('\n');
                    }
                }
            }
        }
        leaf => {
            out.push_str(&leaf_text(leaf));
            out.push('\n');
        }
    }
}

fn nested(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            write_yaml(out, value, depth + 1, false);
        }
        // Lists stand as deep as the key they belong to.
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            write_yaml(out, value, depth, false);
        }
        leaf => {
            out.push(' ');
            out.push_str(&leaf_text(leaf));
            out.push('\n');
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn leaf_text(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text, plain when nobody can take it for anything else, otherwise in JSON's quotes.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let mut chars = text.chars();
    let plain = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-'))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_given_twice_are_told() {
        let text = br#"{"a":1,"b":{"c":[{"d":1,"d":2}],"c":3},"a":-1.5}"#;
        let (value, twice) = parse(text).expect("JSON");
        assert_eq!(value, json!({"a": -1.5, "b": {"c": 3}}));
        assert_eq!(twice, ["b.c[0].d", "b.c", "a"]);
        assert!(parse(b"{} x").is_err());
    }

    #[test]
    fn yaml_reads_back_as_it_was() {
        let value = json!({
            "time": "2026-01-01T00:00:00Z", "no": "no", "n": 5, "text": "5", "empty": "",
            "multi": "a\nb: c", "list": [1, [2, [3]], {"k": "v", "l": []}, {}, "x"],
            "map": {"a/b.c": {"d": null}}, "colon": "a: b", "true": true, "list2": [],
        });
        let yaml = to_yaml(&value);
        let back: Value = serde_yaml::from_str(&yaml).expect("YAML");
        assert_eq!(back, value, "{yaml}");
        assert!(yaml.contains("time: \"2026-01-01T00:00:00Z\"\n"), "{yaml}");
        assert!(yaml.contains("\"no\": \"no\"\n"), "{yaml}");
    }
}
