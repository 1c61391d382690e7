//! Transcripts: what a server answered to one family, normalised, as text that people can review.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

/// Objects and lists that are no wider stay on one line.
const WIDTH: usize = 110;

/// What most answers have; a transcript names only what is otherwise.
const USUAL: [(&str, &str); 3] = [
    ("audit-id", "there"),
    ("cache-control", "no-cache, private"),
    ("content-type", "application/json"),
];

/// One normalised answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The step's name.
    pub step: String,
    /// Method and target.
    pub request: String,
    /// The status code; 0 for the events of a watch.
    pub status: u16,
    /// The headers that matter.
    pub headers: BTreeMap<String, String>,
    /// `null` for none, a string for text, an array of events for a watch.
    pub body: Value,
}

/// Writes a transcript.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, records: &[Record]) -> Result<(), String> {
    let mut out = String::new();
    for record in records {
        let _ = writeln!(out, "## {}\n{}", record.step, record.request);
        if record.status > 0 {
            let _ = writeln!(out, "{}", record.status);
            for (name, usual) in USUAL {
                if !record.headers.contains_key(name) {
                    let _ = writeln!(out, "{name}: -");
                } else if record.headers[name] != usual {
                    let _ = writeln!(out, "{name}: {}", Value::from(record.headers[name].clone()));
                }
            }
            for (name, value) in &record.headers {
                if !USUAL.iter().any(|(usual, _)| usual == name) {
                    let _ = writeln!(out, "{name}: {}", Value::from(value.clone()));
                }
            }
        }
        if !record.body.is_null() {
            pretty(&record.body, 0, &mut out);
            out.push('\n');
        }
        out.push('\n');
    }
    std::fs::write(path, out).map_err(|e| format!("{}: {e}", path.display()))
}

/// Reads a transcript.
///
/// # Errors
/// The file cannot be read or is no transcript.
pub fn read(path: &Path) -> Result<Vec<Record>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let blocks = text.strip_prefix("## ").unwrap_or_default().split("\n## ");
    blocks
        .map(|block| parse(block).ok_or_else(|| format!("{}: no record: {block}", path.display())))
        .collect()
}

fn parse(block: &str) -> Option<Record> {
    let mut lines = block.lines().peekable();
    let (step, request) = (lines.next()?.to_owned(), lines.next()?.to_owned());
    let status = lines.peek().and_then(|line| line.parse().ok()).unwrap_or(0);
    let mut headers = BTreeMap::new();
    if status > 0 {
        lines.next();
        headers.extend(USUAL.map(|(name, value)| (name.to_owned(), value.to_owned())));
        while let Some((name, value)) = lines.peek().and_then(|line| line.split_once(": ")) {
            if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
                break;
            }
            if value == "-" {
                headers.remove(name);
            } else {
                headers.insert(name.to_owned(), serde_json::from_str(value).ok()?);
            }
            lines.next();
        }
    }
    let body: String = lines.flat_map(|line| [line, "\n"]).collect();
    let body =
        if body.trim().is_empty() { Value::Null } else { serde_json::from_str(&body).ok()? };
    Some(Record { step, request, status, headers, body })
}

/// JSON in which what is short stays on one line.
fn pretty(value: &Value, indent: usize, out: &mut String) {
    let flat = value.to_string();
    let inner = " ".repeat(indent + 1);
    match value {
        Value::Object(map) if flat.len() + indent > WIDTH => {
            out.push_str("{\n");
            for (index, (key, value)) in map.iter().enumerate() {
                let _ = write!(out, "{inner}{}: ", Value::from(key.as_str()));
                pretty(value, indent + 1, out);
                out.push_str(if index + 1 < map.len() { ",\n" } else { "\n" });
            }
            let _ = write!(out, "{}}}", " ".repeat(indent));
        }
        Value::Array(items) if flat.len() + indent > WIDTH => {
            out.push_str("[\n");
            for (index, value) in items.iter().enumerate() {
                out.push_str(&inner);
                pretty(value, indent + 1, out);
                out.push_str(if index + 1 < items.len() { ",\n" } else { "\n" });
            }
            let _ = write!(out, "{}]", " ".repeat(indent));
        }
        _ => out.push_str(&flat),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let headers = |list: &[(&str, &str)]| {
            list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let records = vec![
            Record {
                step: "one".into(),
                request: "GET /a".into(),
                status: 200,
                headers: headers(&[
                    ("audit-id", "there"),
                    ("content-type", "text/plain"),
                    ("warning", "a\nb"),
                ]),
                body: "some\n## text".into(),
            },
            Record {
                step: "two".into(),
                request: "events of w".into(),
                status: 0,
                headers: headers(&[]),
                body: serde_json::json!([{"type": "ADDED", "object": {"x": "y".repeat(200), "e": {}}}]),
            },
            Record {
                step: "three".into(),
                request: "HEAD /a".into(),
                status: 404,
                headers: headers(&[("audit-id", "there")]),
                body: Value::Null,
            },
        ];
        let path = std::env::temp_dir().join(format!("transcript-{}.txt", std::process::id()));
        write(&path, &records).expect("written");
        let read = read(&path);
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(read.expect("read"), records);
    }
}
