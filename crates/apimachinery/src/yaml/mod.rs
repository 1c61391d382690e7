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
use crate::util::YamlSplitter;
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

/// The documents of a text, as [`YamlSplitter`] cuts it. Go: `yaml.YAMLReader`.
///
/// An item is an error, and the last one, when something else than white space and a comment is
/// behind a separator.
pub fn documents(bytes: &[u8]) -> impl Iterator<Item = Result<Vec<u8>, Error>> + '_ {
    // The text is fed in parts, so that what is cut is not there three times.
    let mut parts = bytes.chunks(PART);
    let mut splitter = Some(YamlSplitter::new());
    let mut last = Vec::new().into_iter();
    std::iter::from_fn(move || {
        let wrong = |e: crate::ParseError| Error::decode(e.to_string());
        while let Some(splitting) = &mut splitter {
            match splitting.next() {
                Ok(Some(document)) => return Some(Ok(document)),
                Err(e) => {
                    splitter = None;
                    return Some(Err(wrong(e)));
                }
                Ok(None) => {}
            }
            match parts.next() {
                Some(part) => splitting.feed(part),
                None => match splitter.take().map(YamlSplitter::finish) {
                    Some(Err(e)) => return Some(Err(wrong(e))),
                    Some(Ok(documents)) => last = documents.into_iter(),
                    None => {}
                },
            }
        }
        last.next().map(Ok)
    })
}

/// How much of a text is split at once.
const PART: usize = 64 << 10;

#[cfg(test)]
mod tests;
