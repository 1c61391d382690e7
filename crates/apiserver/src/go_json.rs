//! What Go's JSON decoder says of a text that is no JSON, or does not fit a type: clients see its
//! words. Those about types are apimachinery's. It is asked after decoding failed, so it may be slow.
//!
//! Go counterpart: `encoding/json` as `sigs.k8s.io/json` has it (`scanner.go`, `decode.go`).

pub(crate) use pintle_apimachinery::reflect::mismatch as misfit;
use pintle_apimachinery::reflect::{Desc, strict_json};
use serde_json::value::RawValue;

use crate::status::quote;

/// How deep Go's decoder goes.
const MAX_DEPTH: usize = 10_000;

/// What of a value is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Object,
    Array,
}

/// What the scanner wants next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Value,
    ValueOrEnd,
    KeyOrEnd,
    Key,
    Colon,
    AfterValue,
}

/// Why a text is no JSON; `None` when it is.
pub(crate) fn syntax(text: &[u8]) -> Option<String> {
    let end = || Some("unexpected end of JSON input".to_owned());
    let wrong = |c: u8, context: &str| Some(format!("invalid character {} {context}", shown(c)));
    let mut open: Vec<Open> = Vec::new();
    let mut want = Want::Value;
    let mut at = 0;
    loop {
        while text.get(at).is_some_and(|c| matches!(c, b' ' | b'\t' | b'\r' | b'\n')) {
            at += 1;
        }
        let Some(&c) = text.get(at) else {
            return if open.is_empty() && want == Want::AfterValue { None } else { end() };
        };
        match want {
            Want::ValueOrEnd if c == b']' => {
                open.pop();
                want = Want::AfterValue;
                at += 1;
            }
            Want::Value | Want::ValueOrEnd => {
                let length = match c {
                    b'{' | b'[' => {
                        if open.len() == MAX_DEPTH {
                            return wrong(c, "exceeded max depth");
                        }
                        let array = c == b'[';
                        open.push(if array { Open::Array } else { Open::Object });
                        want = if array { Want::ValueOrEnd } else { Want::KeyOrEnd };
                        at += 1;
                        continue;
                    }
                    b'"' => string(&text[at..]),
                    b'-' | b'0'..=b'9' => number(&text[at..]),
                    b't' => literal(&text[at..], "true"),
                    b'f' => literal(&text[at..], "false"),
                    b'n' => literal(&text[at..], "null"),
                    c => return wrong(c, "looking for beginning of value"),
                };
                match length {
                    Ok(length) => at += length,
                    Err(Some(message)) => return Some(message),
                    Err(None) => return end(),
                }
                want = Want::AfterValue;
            }
            Want::KeyOrEnd if c == b'}' => {
                open.pop();
                want = Want::AfterValue;
                at += 1;
            }
            Want::Key | Want::KeyOrEnd => {
                if c != b'"' {
                    return wrong(c, "looking for beginning of object key string");
                }
                match string(&text[at..]) {
                    Ok(length) => at += length,
                    Err(Some(message)) => return Some(message),
                    Err(None) => return end(),
                }
                want = Want::Colon;
            }
            Want::Colon => {
                if c != b':' {
                    return wrong(c, "after object key");
                }
                want = Want::Value;
                at += 1;
            }
            Want::AfterValue => {
                want = match (open.last(), c) {
                    (None, c) => return wrong(c, "after top-level value"),
                    (Some(Open::Array), b',') => Want::Value,
                    (Some(Open::Object), b',') => Want::Key,
                    (Some(Open::Array), b']') | (Some(Open::Object), b'}') => {
                        open.pop();
                        Want::AfterValue
                    }
                    (Some(Open::Array), c) => return wrong(c, "after array element"),
                    (Some(Open::Object), c) => return wrong(c, "after object key:value pair"),
                };
                at += 1;
            }
        }
    }
}

/// A character as Go quotes it.
fn shown(c: u8) -> String {
    match c {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        // Go takes the byte for a character.
        c => {
            let text = quote(&char::from(c).to_string());
            format!("'{}'", &text[1..text.len() - 1])
        }
    }
}

/// The length of what was scanned; otherwise why not, or nothing when the text ended.
type Scanned = Result<usize, Option<String>>;

fn unexpected(c: u8, context: &str) -> Scanned {
    Err(Some(format!("invalid character {} {context}", shown(c))))
}

fn string(text: &[u8]) -> Scanned {
    let mut at = 1;
    loop {
        match *text.get(at).ok_or(None)? {
            b'"' => return Ok(at + 1),
            b'\\' => match *text.get(at + 1).ok_or(None)? {
                b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => at += 2,
                b'u' => {
                    for index in at + 2..at + 6 {
                        let c = *text.get(index).ok_or(None)?;
                        if !c.is_ascii_hexdigit() {
                            return unexpected(c, "in \\u hexadecimal character escape");
                        }
                    }
                    at += 6;
                }
                c => return unexpected(c, "in string escape code"),
            },
            c if c < 0x20 => return unexpected(c, "in string literal"),
            _ => at += 1,
        }
    }
}

fn number(text: &[u8]) -> Scanned {
    let digits = |from: usize| text[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut at = usize::from(text[0] == b'-');
    match text.get(at).ok_or(None)? {
        b'0' => at += 1,
        b'1'..=b'9' => at += digits(at),
        c => return unexpected(*c, "in numeric literal"),
    }
    if text.get(at) == Some(&b'.') {
        at += 1;
        match (digits(at), text.get(at)) {
            (0, None) => return Err(None),
            (0, Some(c)) => return unexpected(*c, "after decimal point in numeric literal"),
            (count, _) => at += count,
        }
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(text.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        match (digits(at), text.get(at)) {
            (0, None) => return Err(None),
            (0, Some(c)) => return unexpected(*c, "in exponent of numeric literal"),
            (count, _) => at += count,
        }
    }
    Ok(at)
}

fn literal(text: &[u8], word: &str) -> Scanned {
    for (index, expected) in word.bytes().enumerate() {
        let c = *text.get(index).ok_or(None)?;
        if c != expected {
            let expected = char::from(expected);
            return unexpected(c, &format!("in literal {word} (expecting '{expected}')"));
        }
    }
    Ok(word.len())
}

/// Strict decoding tells of so many things.
const MAX_COMPLAINTS: usize = 100;

/// What strict decoding objects to, in the order of the text: members twice, and where a type is
/// given those it does not have.
pub(crate) fn strict(text: &str, desc: Option<&'static Desc>) -> Vec<String> {
    strict_json(text, desc).unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// What strict decoding says of a JSON patch.
pub(crate) fn strict_json_patch(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let operations: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    for (index, operation) in operations.into_iter().enumerate() {
        let mut seen = Vec::new();
        for (key, _) in entries(operation).unwrap_or_default() {
            let here = format!("[{index}].{key}");
            if !matches!(key.as_str(), "op" | "path" | "from" | "value") {
                complain("json patch unknown", &here, &mut out);
            } else if seen.contains(&key) {
                complain("json patch duplicate", &here, &mut out);
            }
            seen.push(key);
        }
    }
    out
}

fn complain(what: &str, path: &str, out: &mut Vec<String>) {
    let text = format!("{what} field {}", quote(path));
    if out.len() < MAX_COMPLAINTS && !out.contains(&text) {
        out.push(text);
    }
}

/// The members of an object in the order of the text; `None` for what is none.
fn entries(raw: &RawValue) -> Option<Vec<(String, &RawValue)>> {
    struct Members;
    impl<'de> serde::de::Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    serde::Deserializer::deserialize_map(&mut deserializer, Members).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typed::Typed;

    #[test]
    fn what_is_no_json() {
        for (text, expect) in [
            ("{", "unexpected end of JSON input"),
            ("", "unexpected end of JSON input"),
            ("nonsense", "invalid character 'o' in literal null (expecting 'u')"),
            ("{}}", "invalid character '}' after top-level value"),
            (r#"{"a":1,}"#, "invalid character '}' looking for beginning of object key string"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            (r#"{"a":1 2}"#, "invalid character '2' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1}", "invalid character '}' after array element"),
            ("{'a'}", "invalid character '\\'' looking for beginning of object key string"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"\\u00g\"", "invalid character 'g' in \\u hexadecimal character escape"),
            ("\"\n\"", "invalid character '\\n' in string literal"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            ("01", "invalid character '1' after top-level value"),
        ] {
            assert_eq!(syntax(text.as_bytes()).as_deref(), Some(expect), "{text}");
        }
        for text in ["{}", " [1, {\"a\": [null, true]}, -0.5e+3] ", "\"\\u0041\""] {
            assert_eq!(syntax(text.as_bytes()), None, "{text}");
        }
        assert_eq!(
            syntax(&[b'['; 20_000]).as_deref(),
            Some("invalid character '[' exceeded max depth")
        );
    }

    #[test]
    fn what_does_not_fit() {
        let typed = Typed::new();
        for (version, kind, text, expect) in [
            (
                "v1",
                "ConfigMap",
                r#"{"data":5}"#,
                "number into Go struct field ConfigMap.data of type map[string]string",
            ),
            (
                "v1",
                "ConfigMap",
                r#"{"metadata":{"labels":{"a":5}}}"#,
                "number into Go struct field ObjectMeta.metadata.labels of type string",
            ),
            (
                "v1",
                "Pod",
                r#"{"spec":{"containers":{}}}"#,
                "object into Go struct field PodSpec.spec.containers of type []v1.Container",
            ),
            (
                "v1",
                "Pod",
                r#"{"spec":{"containers":[{"name":5}]}}"#,
                "number into Go struct field Container.spec.containers.name of type string",
            ),
            (
                "apps/v1",
                "Deployment",
                r#"{"spec":{"replicas":1.5}}"#,
                "number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
        ] {
            let desc = typed.desc(version, kind).expect("a type");
            let found = misfit(text, desc);
            assert_eq!(found, Some(format!("json: cannot unmarshal {expect}")), "{text}");
        }
        let desc = typed.desc("v1", "ConfigMap").expect("a type");
        assert_eq!(
            misfit(r#"{"binaryData":{"a":"%"}}"#, desc).as_deref(),
            Some("illegal base64 data at input byte 0")
        );
        assert_eq!(misfit(r#"{"data":{"a":"b"},"x":1}"#, desc), None);
    }
}
