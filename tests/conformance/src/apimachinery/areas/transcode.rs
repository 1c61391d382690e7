//! Every kind from every format to every other. Go: `runtime/serializer`.
use super::super::area::{Answer, Area, Case};
use super::super::rng::Rng;
use super::deliberate::deliberate;
use super::random_object::*;
use super::runtime;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pintle_apimachinery::Format;
use serde_json::{Value, json};

/// Objects through the scheme, objects without a type, data items of CBOR, YAML documents.
pub(crate) struct Transcode;

const FORMATS: [Format; 4] = [Format::Json, Format::Yaml, Format::Protobuf, Format::Cbor];

fn text<'a>(case: &'a Case, key: &str) -> &'a str {
    case.input.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn random_item(rng: &mut Rng, depth: u32, out: &mut Vec<u8>) {
    let head = |rng: &mut Rng, major: u8, n: u64, out: &mut Vec<u8>| {
        let major = major << 5;
        // Longer forms than needed are well-formed too.
        match (n, rng.below(6)) {
            (0..24, 1..) => out.push(major | n as u8),
            (0..256, 0..=3) => out.extend([major | 24, n as u8]),
            (0..65536, _) => {
                out.push(major | 25);
                out.extend((n as u16).to_be_bytes());
            }
            _ => {
                out.push(major | 27);
                out.extend(n.to_be_bytes());
            }
        }
    };
    let many = if depth > 3 { 6 } else { 10 };
    match rng.below(many) {
        0 => {
            let n = rng.integer() as u64;
            head(rng, 0, n, out);
        }
        1 => {
            let n = rng.integer() as u64;
            head(rng, 1, n, out);
        }
        2 | 3 => {
            let s = word(rng);
            let major = 2 + rng.below(2) as u8;
            head(rng, major, s.len() as u64, out);
            out.extend_from_slice(s.as_bytes());
        }
        4 => out.push(*rng.pick(&[0xf4, 0xf5, 0xf6, 0xf6, 0xf7, 0xe0, 0xff])),
        5 => match rng.below(3) {
            0 => {
                out.push(0xf9);
                out.extend((rng.next_u64() as u16).to_be_bytes());
            }
            1 => {
                out.push(0xfa);
                out.extend((float(rng) as f32).to_bits().to_be_bytes());
            }
            _ => {
                out.push(0xfb);
                out.extend(float(rng).to_bits().to_be_bytes());
            }
        },
        6 | 7 => {
            let n = rng.below(4);
            let open = rng.chance(20);
            if open {
                out.push(0x9f)
            } else {
                head(rng, 4, n as u64, out)
            }
            (0..n).for_each(|_| random_item(rng, depth + 1, out));
            if open {
                out.push(0xff);
            }
        }
        8 => {
            let n = rng.below(4);
            let open = rng.chance(20);
            if open {
                out.push(0xbf)
            } else {
                head(rng, 5, n as u64, out)
            }
            for _ in 0..n {
                let s = word(rng);
                let major = if rng.chance(95) { 2 + rng.below(2) as u8 } else { 2 };
                head(rng, major, s.len() as u64, out);
                out.extend_from_slice(s.as_bytes());
                random_item(rng, depth + 1, out);
            }
            if open {
                out.push(0xff);
            }
        }
        _ => {
            let tag = *rng.pick(&[22, 22, 55799, 100, 24, 23]);
            head(rng, 6, tag, out);
            if rng.chance(70) {
                let s = word(rng);
                head(rng, 2, s.len() as u64, out);
                out.extend_from_slice(s.as_bytes());
            } else {
                random_item(rng, depth + 1, out);
            }
        }
    }
}

/// Data items that places of a type may take or not: null and undefined behind tags and without, times,
/// texts in other alphabets, numbers of all kinds.
const ODD: [&[u8]; 26] = [
    b"\xf6",
    b"\xf7",
    b"\xc1\x05",
    b"\xc1\x20",
    b"\xc1\xf9\x3e\x00",
    b"\xc0\x742020-01-02T03:04:05Z",
    b"\xc0\x542020-01-02T03:04:05Z",
    b"\x542020-01-02T03:04:05Z",
    b"\xc0\x61x",
    b"\xc1\x61x",
    b"\xc1\xf5",
    b"\xd5\x42ab",
    b"\xd6\x42ab",
    b"\xd7\x42ab",
    b"\xd6\x62ab",
    b"\xd6\x05",
    b"\xd8\x64\x05",
    b"\xd9\xd9\xf7\x05",
    b"\xc4\x82\x01\x02",
    b"\xd6\xf6",
    b"\xc1\xf6",
    b"\xd8\x64\xf7",
    b"\xd6\xa1\x41a\x42ab",
    b"\xd6\x81\x42ab",
    b"\xe0",
    b"\xf9\x3c\x00",
];

/// Where the values of a body begin and end, that of the item at `at` among them.
fn values(b: &[u8], at: usize, out: &mut Vec<(usize, usize)>) -> Option<usize> {
    let first = *b.get(at)?;
    let (major, info) = (first >> 5, usize::from(first & 31));
    let width = match info {
        0..24 => 0,
        24..28 => 1 << (info - 24),
        _ => return None,
    };
    let argument = b.get(at + 1..at + 1 + width)?;
    let n = argument.iter().fold(0, |n: usize, b| n << 8 | usize::from(*b));
    let n = if width == 0 { info } else { n };
    let mut end = at + 1 + width;
    match major {
        2 | 3 => end = end.checked_add(n).filter(|end| *end <= b.len())?,
        4 => end = (0..n).try_fold(end, |at, _| values(b, at, out))?,
        5 => {
            for _ in 0..n {
                end = values(b, values(b, end, &mut Vec::new())?, out)?;
            }
        }
        6 => end = values(b, end, &mut Vec::new())?,
        _ => {}
    }
    out.push((at, end));
    Some(end)
}

/// Another value in the place of one, if the body is whole.
fn replace_value(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let mut places = Vec::new();
    // Behind the tag of self-described CBOR.
    let _ = values(bytes, 3, &mut places);
    if places.is_empty() {
        return;
    }
    let (from, to) = *rng.pick(&places);
    let mut new = rng.pick(&ODD).to_vec();
    if rng.chance(30) {
        new.clear();
        random_item(rng, 2, &mut new);
    }
    bytes.splice(from..to, new);
}

const YAML: [&str; 48] = [
    "a",
    "b",
    "key",
    ": ",
    ":",
    "\n",
    "\n",
    "\n  ",
    "\n  ",
    "\n    ",
    "- ",
    "-",
    "\n- ",
    "\n  - ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "'",
    "\"",
    "|\n  x\n",
    ">\n  x\n  y\n",
    "|-\n",
    "&a ",
    "*a",
    "!!str ",
    "!!int ",
    "!x ",
    "yes",
    "0644",
    "0x1f",
    "1_0",
    "1.5",
    "1e3",
    "~",
    "null",
    "<<: *a",
    "# c",
    "---\n",
    "...\n",
    "\t",
    "\\n",
    "''",
    "2020-01-01",
    ".inf",
    "é",
];

impl Area for Transcode {
    fn name(&self) -> &'static str {
        "transcode"
    }
    fn generate(&self, rng: &mut Rng) -> Case {
        match rng.below(10) {
            0 => {
                let mut item = Vec::new();
                random_item(rng, 0, &mut item);
                if rng.chance(20) && !item.is_empty() {
                    let at = rng.below(item.len());
                    item[at] = rng.next_u64() as u8;
                }
                return Case::new("runtime.cbor", STANDARD.encode(item));
            }
            1 | 2 => {
                let made = rng.text(&YAML, 14);
                let text = if rng.chance(50) {
                    let kind = kind(rng);
                    let object = object(rng, &kind);
                    let mut yaml =
                        String::from_utf8_lossy(&encoded(&*object, Format::Yaml)).into_owned();
                    yaml.truncate(yaml.floor_char_boundary(400));
                    if rng.chance(70) { rng.mutate(&yaml, &YAML) } else { yaml }
                } else {
                    made
                };
                return Case::new("runtime.yaml", text);
            }
            _ => {}
        }
        let kind = kind(rng);
        let object = object(rng, &kind);
        let (mut from, mut to) = (*rng.pick(&FORMATS), *rng.pick(&FORMATS));
        let untyped = rng.chance(25);
        if untyped {
            let formats = [Format::Json, Format::Yaml, Format::Cbor];
            (from, to) = (*rng.pick(&formats), *rng.pick(&formats));
        }
        let mut bytes = encoded(&*object, from);
        if rng.chance(50) {
            bytes = match from {
                Format::Json => mutate_json(rng, &String::from_utf8_lossy(&bytes)).into_bytes(),
                Format::Yaml => rng.mutate(&String::from_utf8_lossy(&bytes), &YAML).into_bytes(),
                Format::Cbor if rng.chance(60) => {
                    replace_value(rng, &mut bytes);
                    bytes
                }
                _ => {
                    let at = rng.below(bytes.len());
                    match rng.below(3) {
                        0 => bytes[at] = rng.next_u64() as u8,
                        1 => drop(bytes.remove(at)),
                        _ => bytes.truncate(at),
                    }
                    bytes
                }
            };
        }
        let function = if untyped { "runtime.unstructured" } else { "runtime.transcode" };
        let data = shown(from, &bytes);
        Case::new(function, json!({"format": name_of(from), "to": name_of(to), "data": data}))
    }
    fn ours(&self, case: &Case) -> Answer {
        runtime_answer(case)
    }
    fn shrink(&self, case: &Case) -> Vec<Case> {
        if text(case, "format") == "json" {
            return smaller_json(text(case, "data"))
                .into_iter()
                .map(|data| {
                    let mut input = case.input.clone();
                    input["data"] = data.into();
                    Case { function: case.function, input }
                })
                .collect();
        }
        if case.function == "runtime.yaml" || text(case, "format") == "yaml" {
            return super::super::shrink::generic(case);
        }
        Vec::new()
    }
    fn same(&self, case: &Case, ours: &Answer, go: &Answer) -> bool {
        // Of what is cut short, Go may say first that it has no kind.
        match (ours, go) {
            (Err(a), Err(b)) if [a, b].iter().any(|e| e.starts_with("Object '")) => true,
            // Of binary formats, texts of errors are each one's own.
            (Err(_), Err(_)) if matches!(text(case, "format"), "cbor" | "protobuf") => true,
            _ => runtime::same(case.function, ours, go),
        }
    }
    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        let how = match (ours, go) {
            (Ok(_), Ok(_)) => "outputs".to_owned(),
            (Err(e), _) => {
                let mut e: String = e.chars().filter(|c| !c.is_ascii_digit()).collect();
                e.truncate(e.floor_char_boundary(70));
                format!("only ours: {e}")
            }
            (_, Err(e)) => {
                let mut e: String = e.chars().filter(|c| !c.is_ascii_digit()).collect();
                e.truncate(e.floor_char_boundary(70));
                format!("only Go: {e}")
            }
        };
        format!("{} {} {}: {how}", case.function, text(case, "format"), text(case, "to"))
    }
    fn deliberate(&self, case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        deliberate(case, ours, go)
    }
}
