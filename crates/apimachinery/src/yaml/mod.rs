//! YAML as Kubernetes reads and writes it. Go: `sigs.k8s.io/yaml` and `util/yaml`.
//!
//! It is YAML 1.1 in the reading of Go's yaml.v2, which is what manifests are written for:
//! `yes` and `off` are booleans, `0644` is octal, keys may be merged with `<<`. Values are those
//! of JSON; an alias may not blow a document up, and nesting is bounded.
//!
//! # Example: a file of several objects
//! ```
//! use pintle_apimachinery::yaml;
//! let file = "# two objects\nkind: A\nmode: 0644\n---\nkind: B\non: {off: [1.0, 'yes']}\n";
//! let documents: Vec<_> = yaml::documents(file.as_bytes()).collect::<Result<_, _>>()?;
//! let a = yaml::parse(&documents[0])?;
//! assert_eq!(a["mode"], 420);
//! let b = yaml::parse(&documents[1])?;
//! assert_eq!(b.to_string(), r#"{"kind":"B","true":{"false":[1,"yes"]}}"#);
//! assert_eq!(yaml::to_string(&b), "kind: B\n\"true\":\n  \"false\":\n  - 1\n  - \"yes\"\n");
//! # Ok::<(), pintle_apimachinery::Error>(())
//! ```
mod emit;
mod node;
mod scalar;
mod scan;
mod value;

use crate::Error;
use serde_json::Value;

/// The value of the first document; null when there is none. What follows it is not looked at.
/// Go: `yaml.YAMLToJSON`.
///
/// # Errors
/// The text is not YAML, or holds what JSON cannot.
pub fn parse(bytes: &[u8]) -> Result<Value, Error> {
    build(bytes, false).map(|b| b.0)
}

/// As [`parse`], and what is wrong when keys are there twice, in the words of Go's yaml.v2.
/// Go: `yaml.YAMLToJSONStrict`, which fails instead.
///
/// # Errors
/// As [`parse`].
pub fn parse_strict(bytes: &[u8]) -> Result<(Value, Option<String>), Error> {
    let (value, _) = build(bytes, false)?;
    let (_, twice) = build(bytes, true)?;
    Ok((value, twice))
}

fn build(bytes: &[u8], strict: bool) -> Result<(Value, Option<String>), Error> {
    let wrong = |line: usize, what: &str| {
        let at = if line > 0 { format!("line {line}: ") } else { String::new() };
        Error::decode(format!("yaml: {at}{what}"))
    };
    let text = std::str::from_utf8(bytes).map_err(|e| wrong(0, &format!("not UTF-8: {e}")))?;
    let Some(doc) = node::parse(text).map_err(|f| wrong(f.line, &f.what))? else {
        return Ok((Value::Null, None));
    };
    let built = value::build(&doc, strict).map_err(|e| {
        // What JSON cannot hold is not YAML's fault.
        if e.starts_with("json: ") { Error::decode(e) } else { wrong(0, &e) }
    })?;
    let twice = built.twice;
    let text =
        (!twice.is_empty()).then(|| format!("yaml: unmarshal errors:\n  {}", twice.join("\n  ")));
    Ok((built.value, text))
}

/// A value as a YAML document, members sorted. Go: `yaml.JSONToYAML`.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    emit::document(value, &mut out);
    out
}

/// The documents of a text, split where a line begins with `---`, each with the end of its last
/// line; what is empty is left out. Go: `yaml.YAMLReader`.
///
/// An item is an error, and the last one, when something else than white space and a comment is
/// behind a separator.
pub fn documents(bytes: &[u8]) -> impl Iterator<Item = Result<Vec<u8>, Error>> + '_ {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let mut document = Vec::new();
        while let Some(text) = rest {
            // The line without its end, as every line gets a fresh one.
            let (line, next) = match text.iter().position(|b| *b == b'\n') {
                Some(i) => (&text[..i], Some(&text[i + 1..])),
                None => (text, None),
            };
            if next.is_none() && line.is_empty() {
                rest = None;
                break;
            }
            rest = next;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some(behind) = line.strip_prefix(b"---") else {
                document.extend_from_slice(line);
                document.push(b'\n');
                continue;
            };
            let behind = String::from_utf8_lossy(behind);
            let behind = behind.trim();
            if !behind.is_empty() && !behind.starts_with('#') {
                rest = None;
                return Some(Err(Error::decode(format!(
                    "invalid Yaml document separator: {behind}"
                ))));
            }
            if !document.is_empty() {
                return Some(Ok(document));
            }
        }
        (!document.is_empty()).then_some(Ok(document))
    })
}

#[cfg(test)]
mod tests;
