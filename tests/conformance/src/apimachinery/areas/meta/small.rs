//! Texts: versions, resource versions, numbers or texts, YAML streams.
use crate::apimachinery::area::{Answer, Case};
use crate::apimachinery::rng::Rng;
use serde_json::{Value, json};

fn kube_version(rng: &mut Rng) -> String {
    const PIECES: &[&str] = &["v", "1", "2", "10", "alpha", "beta", "0", "foo", "é", "+", " "];
    if rng.chance(25) {
        return rng.text(PIECES, 5);
    }
    let number = |rng: &mut Rng| match rng.below(12) {
        0 => "99999999999999999999".to_owned(),
        1 => "01".to_owned(),
        2 => i64::MAX.to_string(),
        _ => rng.below(12).to_string(),
    };
    let stage = *rng.pick(&["", "", "alpha", "beta", "gamma"]);
    let major = number(rng);
    let minor = if stage.is_empty() { String::new() } else { number(rng) };
    let version = format!("v{major}{stage}{minor}");
    if rng.chance(25) { rng.mutate(&version, PIECES) } else { version }
}

const SEMVER: &[&str] =
    &["1", "0", "01", "v", ".", "-", "+", "alpha", "beta", "rc", " ", "\n", "\t", "é", "9"];

fn program_version(rng: &mut Rng) -> String {
    if rng.chance(20) {
        return rng.text(SEMVER, 8);
    }
    let mut text = String::from(*rng.pick(&["", "", "v", " ", " v"]));
    for i in 0..*rng.pick(&[1_usize, 2, 3, 3, 3, 3, 4]) {
        let dot = if i > 0 { "." } else { "" };
        text += dot;
        text += &match rng.below(14) {
            0 => u64::MAX.to_string(),
            1 => "18446744073709551616".to_owned(),
            2 => "00".to_owned(),
            _ => rng.below(30).to_string(),
        };
    }
    if rng.chance(40) {
        text += "-";
        text +=
            *rng.pick(&["alpha", "alpha.1", "alpha.beta", "beta.2", "rc.10", "rc.9", "0", "01"]);
        text += *rng.pick(&["", "", ".x-y", ".18446744073709551616", ".00"]);
    }
    if rng.chance(25) {
        text += *rng.pick(&["+build", "+01", "+a.b-c", "+"]);
    }
    text += *rng.pick(&["", "", "", " ", "\n", "gke"]);
    if rng.chance(20) { rng.mutate(&text, SEMVER) } else { text }
}

fn how(rng: &mut Rng) -> &'static str {
    *rng.pick(&["semantic", "generic", "any", "majorMinor"])
}

pub(super) fn versions(rng: &mut Rng) -> Case {
    match rng.below(8) {
        0..=2 => Case::new("version.kube", json!([kube_version(rng), kube_version(rng)])),
        3 | 4 => Case::new("version.parse", json!({"text": program_version(rng), "how": how(rng)})),
        5 => {
            let a = program_version(rng);
            let b = if rng.chance(40) { rng.mutate(&a, SEMVER) } else { program_version(rng) };
            let (first, second) = (how(rng), how(rng));
            Case::new(
                "version.compare",
                json!([{"text": a, "how": first}, {"text": b, "how": second}]),
            )
        }
        6 => {
            let text = format!("{}.{}.{}", rng.below(3), rng.below(5), rng.below(3));
            let change = *rng.pick(&[
                "major",
                "minor",
                "patch",
                "add",
                "subtract",
                "preRelease",
                "buildMetadata",
            ]);
            Case::new(
                "version.change",
                json!({
                    "text": text, "how": how(rng), "change": change, "number": rng.below(8),
                    "extra": *rng.pick(&["", "alpha.1", "x y"]),
                }),
            )
        }
        _ => {
            let all: Vec<String> = (0..rng.below(4)).map(|_| program_version(rng)).collect();
            Case::new("version.highest", json!(all))
        }
    }
}

fn resource_version(rng: &mut Rng) -> String {
    const PIECES: &[&str] = &["0", "1", "9", "-", "+", " ", "a", "１"];
    match rng.below(6) {
        0 => rng.text(PIECES, 4),
        1 => (0..rng.below(45)).map(|_| char::from(b'0' + rng.below(10) as u8)).collect(),
        2 => {
            let number = rng.next_u64().to_string();
            rng.mutate(&number, PIECES)
        }
        _ => (rng.next_u64() >> rng.below(63)).to_string(),
    }
}

pub(super) fn resource_versions(rng: &mut Rng) -> Case {
    let a = resource_version(rng);
    let b = if rng.chance(20) { a.clone() } else { resource_version(rng) };
    Case::new("resourceversion.compare", json!([a, b]))
}

pub(super) fn int_or_string(rng: &mut Rng) -> Case {
    const PIECES: &[&str] = &["1", "0", "9", "%", "-", "+", " ", "a", ".", "é", "_"];
    let text = |rng: &mut Rng| {
        let number = match rng.below(4) {
            0 => rng.integer(),
            1 => i64::from(i32::MAX) + rng.between(-1, 1),
            _ => rng.between(-150, 150),
        };
        let percent = if rng.chance(70) { "%" } else { "" };
        let text = format!("{number}{percent}");
        if rng.chance(30) { rng.mutate(&text, PIECES) } else { text }
    };
    if rng.chance(30) {
        return Case::new("intstr.parse", text(rng));
    }
    let of: Value = if rng.chance(20) { (rng.next_u64() as i32).into() } else { text(rng).into() };
    // Beyond this, Go's conversion of a float to an integer depends on the processor.
    let total = if rng.chance(20) { rng.integer() >> 24 } else { rng.between(-50, 1000) };
    let within = of.as_str().is_none_or(|text| text.len() < 8);
    let total = if within { total } else { 0 };
    Case::new("intstr.scale", json!({"of": of, "total": total, "up": rng.chance(50)}))
}

const YAML: &[&str] = &[
    "---",
    "---\n",
    "\n---\n",
    "\n--- # c\n",
    "---x\n",
    "--- x\n",
    "a: 1\n",
    "a: |\n  b\n",
    "\n",
    "\r\n",
    "#c\n",
    " ",
    "{\"a\": 1}",
    "...\n",
    "\u{a0}",
    "é",
    "-",
    "\t",
    "\r",
    "---\r\n",
];

pub(super) fn yaml(rng: &mut Rng) -> Case {
    let text = rng.text(YAML, 9);
    let text = if rng.chance(20) { rng.mutate(&text, YAML) } else { text };
    Case::new(*rng.pick(&["yaml.split", "yaml.split", "yaml.frame", "yaml.isJSON"]), text)
}

pub(super) fn lost_document(case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
    let (Ok(Value::Array(ours)), Ok(Value::Array(go))) = (ours, go) else { return None };
    let lost = case.function == "yaml.frame" && ours.len() == go.len() + 1 && ours.starts_with(go);
    lost.then_some("Go loses the last document when the stream ends within the line after it that begins with ---")
}
