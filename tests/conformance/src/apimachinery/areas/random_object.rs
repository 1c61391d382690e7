//! Objects of every built-in kind, filled with random values by the reflective surface.
use super::super::area::{Answer, Case};
use super::super::rng::Rng;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pintle_apimachinery::reflect::{Decoder, FieldMut, Leaf, Message, Parser};
use pintle_apimachinery::{AnyKind, Bytes, CodecFactory, Format, GroupVersionKind, Scheme, Str};
use serde_json::Value;
use std::sync::LazyLock;

/// Every built-in kind.
pub(super) static SCHEME: LazyLock<Scheme> = LazyLock::new(|| {
    let mut scheme = Scheme::new();
    pintle_api::add_to_scheme(&mut scheme);
    scheme.register_meta();
    scheme
});

static CODECS: LazyLock<CodecFactory> = LazyLock::new(|| CodecFactory::new(Scheme::clone(&SCHEME)));

/// Our answer to a function of runtime.go.
pub(super) fn runtime_answer(case: &Case) -> Answer {
    let answer = super::runtime::answer(&CODECS, case.function, &case.input);
    answer.unwrap_or_else(|| Err(format!("no function {}", case.function)))
}

/// Kinds that Go's scheme has as well.
static KINDS: LazyLock<Vec<GroupVersionKind>> =
    LazyLock::new(|| SCHEME.kinds().filter(|k| k.kind != "WatchEvent").cloned().collect());

/// Kinds that have metadata and are small enough to show what is wrong.
const FAVOURITES: [(&str, &str, &str); 8] = [
    ("", "v1", "Pod"),
    ("", "v1", "Service"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "StatefulSet"),
    ("", "v1", "Secret"),
    ("autoscaling", "v2", "HorizontalPodAutoscaler"),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
    ("", "v1", "ConfigMap"),
];

pub(super) fn kind(rng: &mut Rng) -> GroupVersionKind {
    if rng.chance(40) {
        let (group, version, kind) = *rng.pick(&FAVOURITES);
        return GroupVersionKind::from_static(group, version, kind);
    }
    rng.pick(&KINDS).clone()
}

/// An object of a kind.
pub(super) fn object(rng: &mut Rng, kind: &GroupVersionKind) -> Box<dyn AnyKind> {
    let mut object = SCHEME.new_object(kind).expect("a known kind");
    if let Some(m) = object.as_message_mut() {
        let mut budget = 60;
        message(rng, m, 0, &mut budget);
    }
    object
}

/// An object encoded.
pub(super) fn encoded(object: &dyn AnyKind, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    object.encode_any(format, &mut out).expect("built-in kinds have every format");
    out
}

/// Bytes as an answer or a question has them: text as it is, the rest in base64.
pub(super) fn shown(format: Format, bytes: &[u8]) -> Value {
    match format {
        Format::Protobuf | Format::Cbor => STANDARD.encode(bytes).into(),
        _ => String::from_utf8_lossy(bytes).into_owned().into(),
    }
}

pub(super) fn name_of(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Yaml => "yaml",
        Format::Protobuf => "protobuf",
        Format::Cbor => "cbor",
    }
}

const WORDS: [&str; 20] = [
    "a",
    "web",
    "app",
    "",
    "x y",
    "yes",
    "0644",
    "1e3",
    "null",
    "é☺",
    "<&>",
    "a\nb",
    "k8s.io/x",
    "\u{2028}",
    "- a",
    "\"q\"",
    "a: b",
    "longer than seven bytes",
    "~",
    "'",
];

pub(super) fn word(rng: &mut Rng) -> &'static str {
    rng.pick::<&str>(&WORDS)
}

fn message(rng: &mut Rng, m: &mut dyn Message, depth: u32, budget: &mut i32) {
    let fields = m.desc().fields.len();
    let share = if fields > 12 { 25 } else { 50 };
    for i in 0..fields {
        if *budget > 0 && rng.chance(share) {
            *budget -= 1;
            field(rng, m.field_mut(i), depth, budget);
        }
    }
}

fn field(rng: &mut Rng, f: FieldMut<'_>, depth: u32, budget: &mut i32) {
    use FieldMut as F;
    let deep = depth > 7;
    match f {
        F::Str(v) => *v = Str::new(word(rng)),
        F::OptStr(v) => *v = Some(Str::new(word(rng))),
        F::I32(v) => *v = rng.integer() as i32,
        F::OptI32(v) => *v = Some(rng.integer() as i32),
        F::I64(v) => *v = rng.integer(),
        F::OptI64(v) => *v = Some(rng.integer()),
        F::Bool(v) => *v = rng.chance(70),
        F::OptBool(v) => *v = Some(rng.chance(50)),
        F::F64(v) => *v = float(rng),
        F::OptF64(v) => *v = Some(float(rng)),
        F::Bytes(v) => *v = Bytes::from(word(rng).as_bytes().to_vec()),
        F::Msg(m) => message(rng, m, depth + 1, budget),
        F::OptMsg(mut o) if !deep => message(rng, o.set(), depth + 1, budget),
        F::Leaf(l) => leaf(rng, l),
        F::OptLeaf(o) => leaf(rng, o.set()),
        F::List(mut l) if !deep => {
            for _ in 0..1 + rng.below(2) {
                field(rng, l.push(), depth + 1, budget);
            }
        }
        F::Map(mut m) if !deep => {
            for _ in 0..1 + rng.below(2) {
                let key = word(rng);
                field(rng, m.entry(Str::new(key)), depth + 1, budget);
            }
        }
        _ => {}
    }
}

pub(super) fn float(rng: &mut Rng) -> f64 {
    *rng.pick(&[0.0, 1.0, -1.5, 3.0, 0.1, 1e21, 1e-7, 123456789.5, 1e300, 65504.0])
}

fn leaf(rng: &mut Rng, l: &mut dyn Leaf) {
    let text = match l.leaf_desc().name {
        "Time" => *rng.pick(&[
            "\"2020-01-02T03:04:05Z\"",
            "\"1969-12-31T23:59:59Z\"",
            "\"9999-12-31T23:59:59Z\"",
        ]),
        "MicroTime" => {
            *rng.pick(&["\"2020-01-02T03:04:05.123456Z\"", "\"2020-01-02T03:04:05.000000Z\""])
        }
        "Duration" => *rng.pick(&["\"1h2m3.5s\"", "\"0s\"", "\"-5m0s\""]),
        "Quantity" => *rng.pick(&[
            "\"1\"",
            "\"1500m\"",
            "\"0.5Gi\"",
            "\"1e3\"",
            "\"-1Ki\"",
            "\"0\"",
            "\"1.50\"",
            "\"12345678901234567890\"",
        ]),
        "IntOrString" => *rng.pick(&["5", "\"80%\"", "0", "\"\"", "-2147483648"]),
        "FieldsV1" => {
            *rng.pick(&[r#"{"f:a":{}}"#, "{}", r#"{"f:metadata":{"f:labels":{".":{},"f:x":{}}}}"#])
        }
        "RawExtension" => {
            *rng.pick(&[r#"{"kind":"A","apiVersion":"v1","x":[1,null]}"#, "{}", r#"{"a":1.5}"#])
        }
        "JSON" | "Json" => {
            *rng.pick(&[r#"{"a":[1,"x",null]}"#, "5", "\"x\"", "true", "[]", "-0.5"])
        }
        "JSONSchemaPropsOrBool" => *rng.pick(&["true", "false", r#"{"type":"string"}"#]),
        "JSONSchemaPropsOrArray" => {
            *rng.pick(&[r#"{"type":"string"}"#, r#"[{"type":"string"},{}]"#])
        }
        "JSONSchemaPropsOrStringArray" => *rng.pick(&[r#"{"type":"string"}"#, r#"["a","b"]"#]),
        other => panic!("no values for {other}"),
    };
    l.json_get(&mut Parser::new(text), &mut Decoder::new(), 0).expect("a value of the type");
}

/// Changes JSON text near its edges: values of other types, members twice or unknown, cut short.
pub(super) fn mutate_json(rng: &mut Rng, text: &str) -> String {
    const VALUES: [&str; 18] = [
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "3.0",
        "1e3",
        "\"\"",
        "\"x\"",
        "\"5\"",
        "{}",
        "[]",
        "{\"a\":1}",
        "[1,\"a\"]",
        "9223372036854775808",
        "[{}]",
        "{\"b\":{\"c\":null}}",
        "2147483648",
    ];
    let mut text = text.to_owned();
    for _ in 0..1 + rng.below(3) {
        // Places where a member begins, behind a brace or a comma in an object.
        let starts: Vec<usize> = text
            .match_indices('"')
            .map(|(i, _)| i)
            .filter(|i| matches!(text.as_bytes()[..*i].last(), Some(b'{' | b',')))
            .collect();
        if starts.is_empty() {
            return text;
        }
        let at = *rng.pick(&starts);
        let value = *rng.pick(&VALUES);
        match rng.below(12) {
            0..=3 => text.insert_str(
                at,
                &format!(
                    "\"{}\":{value},",
                    rng.pick(&[
                        "x",
                        "Kind",
                        "unknown",
                        "a\\\"b",
                        "spec",
                        "metadata",
                        "name",
                        "é",
                        "kind",
                        "apiVersion"
                    ])
                ),
            ),
            4..=6 => {
                // The same member again.
                if let Some((key, end)) = member(&text, at) {
                    let again = if rng.chance(60) {
                        text[at..end].to_owned()
                    } else {
                        format!("{key}:{value}")
                    };
                    text.insert_str(at, &format!("{again},"));
                }
            }
            7..=9 => {
                // Another value.
                if let Some((key, end)) = member(&text, at) {
                    let behind = at + key.len() + 1;
                    text.replace_range(behind..end, value);
                }
            }
            10 => {
                let pieces = ["{", "}", "[", "]", ",", ":", "\"", "\\", "1", " ", "n"];
                text = rng.mutate(&text, &pieces);
            }
            _ => {
                if let Some((_, end)) = member(&text, at)
                    && text.as_bytes().get(end) == Some(&b',')
                {
                    text.replace_range(at..=end, "");
                }
            }
        }
    }
    text
}

/// The quoted name of the member that begins at `at`, and where its value ends.
fn member(text: &str, at: usize) -> Option<(String, usize)> {
    let mut p = Parser::new(text.get(at..)?);
    let quoted = p.raw().ok()?;
    let behind = at + quoted.len();
    let rest = text.get(behind..)?.strip_prefix(':')?;
    let value = Parser::new(rest).raw().ok()?;
    Some((quoted.to_owned(), behind + 1 + value.len()))
}

/// Smaller JSON texts.
pub(super) fn smaller_json(text: &str) -> Vec<String> {
    use super::super::shrink;
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return smaller_text(text);
    };
    let mut out: Vec<String> = shrink::generic(&Case::new("", Value::Array(vec![value.clone()])))
        .into_iter()
        .filter_map(|c| c.input.get(0).map(Value::to_string))
        .collect();
    // A member that is there twice is there once in a value.
    if value.to_string().len() < text.len() {
        out.extend(smaller_text(text));
    }
    out
}

/// Texts with one member or element less, whatever is there twice.
pub(super) fn smaller_text(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (at, _) in text.match_indices('"') {
        if let Some((_, end)) = member(text, at) {
            let mut less = text.to_owned();
            if text.as_bytes().get(end) == Some(&b',') {
                less.replace_range(at..=end, "");
            } else if at > 0 && text.as_bytes()[at - 1] == b',' {
                less.replace_range(at - 1..end, "");
            } else {
                less.replace_range(at..end, "");
            }
            out.push(less);
        }
    }
    out.sort_by_key(String::len);
    out
}
