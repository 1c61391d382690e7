//! Names, labels, annotations, numbers, addresses, selectors and conditions, with their messages.
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;
use serde_json::{Value, json};

pub(crate) struct Validation;

/// A text that is nearly, or quite, a name of some sort.
pub(crate) fn name(rng: &mut Rng) -> String {
    const VALID: &[&str] = &[
        "a",
        "web",
        "my-name",
        "a.b.c",
        "example.com",
        "kubernetes.io/metadata.name",
        "x-1",
        "app.kubernetes.io/name",
        "123",
        "12%",
        "http",
        "_x",
        "MY_NAME",
        "my.env-name",
        "*.a.b",
        "X-Header",
        "Example.COM/Foo_bar.baz",
        "-7",
        "Reason,A",
        "acme.io/foo/bar?x",
        "a_b.c",
        "requests.example.com/gpu",
        "example.com/gpu_1",
        "123e4567-e89b-12d3-a456-426614174000",
        "pool/a.b/c",
        "foregroundDeletion",
        "Ready",
    ];
    let text = match rng.below(12) {
        0 => "a".repeat(*rng.pick(&[14, 15, 16, 62, 63, 64, 127, 128, 129, 252, 253, 254])),
        1 => {
            let prefix = "a".repeat(*rng.pick(&[62, 250, 251, 252]));
            format!("{prefix}.b/{}", "c".repeat(60 + rng.below(6)))
        }
        2 => rng.text(&["a", "b", "-", ".", "*.", "1"], 8),
        3 => {
            rng.text(&["a", "%", "5", ":", "é", " ", "\u{200b}", "=", "\n", "\u{130}", "K", "ſ"], 5)
        }
        4 => rng.text(&["a", "Z", "0", "-", "_", ".", "/"], 10),
        5 => format!("{}.{}", "b".repeat(60 + rng.below(6)), rng.text(&["a", "."], 4)),
        _ => (*rng.pick(VALID)).to_owned(),
    };
    let text = if rng.chance(10) { text + "-" } else { text };
    if rng.chance(40) {
        rng.mutate(
            &text,
            &["a", "Z", "0", "-", "_", ".", "/", "*", "%", ",", ":", " ", "é", "=", "\u{7}"],
        )
    } else {
        text
    }
}

fn address(rng: &mut Rng) -> String {
    let octet = |rng: &mut Rng| match rng.below(8) {
        0 => format!("0{}", rng.below(300)),
        1 => rng.below(300).to_string(),
        _ => rng.below(256).to_string(),
    };
    let four = |rng: &mut Rng| {
        let parts = if rng.chance(95) { 4 } else { rng.below(6) };
        (0..parts).map(|_| octet(rng)).collect::<Vec<_>>().join(".")
    };
    let mut text = match rng.below(6) {
        0 | 1 => four(rng),
        2 => format!("::ffff:{}", four(rng)),
        3 => (*rng.pick(&[
            "::",
            "::1",
            "2001:db8::1",
            "fe80::abc",
            "2001:db8:0:0:0:0:0:1",
            "FE80::1",
        ]))
        .to_owned(),
        _ => {
            let groups = if rng.chance(40) { 8 } else { 1 + rng.below(8) };
            let at = if groups < 8 { rng.below(groups + 1) } else { 9 };
            let mut text = String::new();
            for i in 0..groups {
                if i == at {
                    text += "::";
                } else if i > 0 {
                    text += ":";
                }
                let value = if rng.chance(40) { 0 } else { rng.below(0x1_0000) };
                text += &match rng.below(8) {
                    0 => format!("{value:04x}"),
                    1 => format!("{value:X}"),
                    2 => format!("0{value:04x}"),
                    _ => format!("{value:x}"),
                };
            }
            if at == groups {
                text += "::";
            }
            if rng.chance(15) {
                text = format!(
                    "{}{}",
                    text.trim_end_matches(|c: char| c.is_ascii_hexdigit()),
                    four(rng)
                );
            }
            text
        }
    };
    if rng.chance(50) {
        text += "/";
        text += &match rng.below(5) {
            0 => format!("0{}", rng.below(33)),
            1 => rng.below(140).to_string(),
            2 => (*rng.pick(&["32", "24", "128", "64", "96", "120", "0", "8"])).to_owned(),
            _ => rng.below(33).to_string(),
        };
    }
    if rng.chance(15) {
        rng.mutate(&text, &["0", "1", "f", ":", ".", "/", "::", "%eth0", "g", " ", "+", "-"])
    } else {
        text
    }
}

fn condition(rng: &mut Rng) -> Value {
    let times = [json!(null), json!("2026-01-01T00:00:00Z")];
    let long = |rng: &mut Rng, edge: usize| "A".repeat(edge - 1 + rng.below(3));
    let reason = match rng.below(8) {
        0 => String::new(),
        1 => long(rng, 1024),
        2 => rng.text(&["A", "a", "_", ",", ":", "1", "-"], 5),
        _ => "Started".to_owned(),
    };
    let message = if rng.chance(3) { long(rng, 32 * 1024) } else { String::new() };
    let status =
        if rng.chance(70) { "True" } else { *rng.pick(&["", "False", "Unknown", "true", "<"]) };
    let kind = if rng.chance(70) { (*rng.pick(&["Ready", "Live"])).to_owned() } else { name(rng) };
    let time = if rng.chance(80) { &times[1] } else { &times[0] };
    json!({
        "type": kind,
        "status": status,
        "observedGeneration": if rng.chance(80) { 1 } else { rng.integer() },
        "lastTransitionTime": time,
        "reason": reason,
        "message": message,
    })
}

fn requirement(rng: &mut Rng) -> Value {
    let operators = ["In", "NotIn", "Exists", "DoesNotExist", "", "in", "Gt", "é<"];
    let values: Vec<String> = (0..rng.below(3)).map(|_| name(rng)).collect();
    let key = if rng.chance(85) { name(rng) } else { String::new() };
    json!({"key": key, "operator": rng.pick(&operators), "values": values})
}

impl Area for Validation {
    fn name(&self) -> &'static str {
        "validation"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        match rng.below(12) {
            0..=4 => Case::new("validation.name", name(rng)),
            5 => {
                let edges = [-6, -5, -1, 0, 1, 1000, 1001, 65535, 65536, 2147483647, 2147483648];
                let number = if rng.chance(50) { *rng.pick(&edges) } else { rng.integer() };
                Case::new("validation.number", number)
            }
            6..=8 => {
                let text = address(rng);
                let old = if rng.chance(10) { vec![text.clone()] } else { vec![] };
                Case::new("validation.ip", json!({"text": text, "old": old}))
            }
            9 => {
                let mut map = serde_json::Map::new();
                for _ in 0..rng.below(4) {
                    map.insert(name(rng), name(rng).into());
                }
                if rng.chance(3) {
                    let edge = (256 << 10) - 2 + rng.below(4);
                    map.insert("big".into(), "x".repeat(edge).into());
                }
                Case::new("validation.maps", map)
            }
            10 => {
                let mut selector = serde_json::Map::new();
                if rng.chance(50) {
                    selector.insert("matchLabels".into(), json!({name(rng): name(rng)}));
                }
                let all: Vec<Value> = (0..rng.below(3)).map(|_| requirement(rng)).collect();
                selector.insert("matchExpressions".into(), all.into());
                Case::new(
                    "validation.selector",
                    json!({
                        "selector": selector,
                        "fields": requirement(rng),
                        "values": rng.chance(50),
                        "operators": rng.chance(50),
                        "include": rng.pick(&["", "Metadata", "Object", "None", "metadata", "<"]),
                    }),
                )
            }
            _ => {
                let all: Vec<Value> = (0..rng.below(4)).map(|_| condition(rng)).collect();
                Case::new("validation.conditions", all)
            }
        }
    }

    fn ours(&self, case: &Case) -> Answer {
        super::leaf_answer(case)
    }

    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        super::member_kind(case, ours, go)
    }
}
