//! Every kind from every format to every other. Go: `runtime/serializer`.
use super::super::area::{Answer, Area, Case};
use super::super::rng::Rng;
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
        matches!((ours, go), (Err(_), Err(_))) || runtime::same(case.function, ours, go)
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
        let to_cbor = case.function == "runtime.transcode" && text(case, "to") == "cbor";
        if to_cbor && has_nested_kind(text(case, "data")) && ours.is_ok() && go.is_ok() {
            return Some(NESTED_KIND);
        }
        deliberate(text(case, "data"), ours, go)
    }
}

const NESTED_KIND: &str =
    "kind and apiVersion of an object inside another are not kept: its type knows them";

/// Differences that are meant, of all that decodes objects.
pub(super) fn deliberate(data: &str, ours: &Answer, go: &Answer) -> Option<&'static str> {
    let ours_says = |what: &str| matches!(ours, Err(e) if e.contains(what));
    if ours_says("levels deep") && go.is_ok() {
        return Some("nesting is bounded at 200, not at 10,000");
    }
    if ours_says("UTF-8") && go.is_ok() {
        return Some("a string that is not UTF-8 is an error, not repaired");
    }
    if (ours_says("a map key is not a string") || ours_says("overflows a signed")) && go.is_ok() {
        return Some(
            "CBOR that JSON cannot hold is refused, in members that no field takes as well",
        );
    }
    if matches!(go, Err(e) if e.contains("cannot unmarshal tag")) && ours.is_ok() {
        return Some(
            "the name of a member may be in a tag, for a field as for a value without type",
        );
    }
    if (ours_says("unexpected end of protobuf data") || ours_says("illegal protobuf")) && go.is_ok()
    {
        return Some(
            "a map entry in protobuf that is malformed is an error; Go reads on behind it",
        );
    }
    if matches!(go, Err(e) if e.starts_with("cbor: found unknown field")) && ours.is_ok() {
        return Some(
            "unknown members of a schema inside a union are passed over in CBOR, as everywhere",
        );
    }
    if matches!(go, Err(e) if e == "yaml: control characters are not allowed") && ours.is_ok() {
        return Some("control characters are escaped in YAML; Go cannot read what it wrote");
    }
    if matches!(go, Err(e) if e.contains("decodeList.items")) && ours.is_ok() {
        return Some("of items that are there twice, only the last counts");
    }
    if matches!(go, Err(e) if e.contains("error calling MarshalJSON for type")) {
        return Some("raw JSON that came in protobuf is written as it is, not checked");
    }
    if matches!(go, Err(e) if e.contains("does not implement the protobuf marshalling interface")) {
        return Some("Table has a protobuf form here, as its description has field numbers");
    }
    if ours_says(" of v1") && ours_says("the body is a") && go.is_ok() {
        return Some("kinds that Go takes in every version (APIGroupList, ...) are only of v1");
    }
    if same_but_for_nested_kinds(ours, go) {
        return Some(NESTED_KIND);
    }
    if kind_is_there_twice(data) {
        return Some(
            "of a kind or apiVersion that is there twice, the first counts: no more is read to find it",
        );
    }
    if ours.is_ok() && go.is_ok() && is_there_twice(data) {
        return Some("a list that is there twice is replaced; Go merges its elements by position");
    }
    None
}

/// Whether any object in a JSON text has a member twice.
fn is_there_twice(data: &str) -> bool {
    struct Twice<'a>(&'a mut bool);
    impl<'de> serde::de::DeserializeSeed<'de> for Twice<'_> {
        type Value = ();
        fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
            d.deserialize_any(self)
        }
    }
    impl<'de> serde::de::Visitor<'de> for Twice<'_> {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("JSON")
        }
        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut a: A) -> Result<(), A::Error> {
            while a.next_element_seed(Twice(self.0))?.is_some() {}
            Ok(())
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut a: A) -> Result<(), A::Error> {
            let mut seen = std::collections::HashSet::new();
            while let Some(key) = a.next_key::<String>()? {
                *self.0 |= !seen.insert(key);
                a.next_value_seed(Twice(self.0))?;
            }
            Ok(())
        }
    }
    let mut twice = false;
    let mut json = serde_json::Deserializer::from_str(data);
    // Where the text breaks off, what was seen counts.
    let _ = serde::de::DeserializeSeed::deserialize(Twice(&mut twice), &mut json);
    twice
}

/// Whether the outermost object says twice what it is.
fn kind_is_there_twice(data: &str) -> bool {
    if !data.trim_start().starts_with('{') || data.contains("\": ") {
        let value = pintle_apimachinery::yaml::parse(data.as_bytes());
        return value.is_ok_and(|v| v.is_object() && says_twice(&v.to_string()));
    }
    says_twice(data)
}

/// The same of JSON.
fn says_twice(data: &str) -> bool {
    let mut p = pintle_apimachinery::reflect::Parser::new(data);
    let (mut kinds, mut versions) = (0, 0);
    let mut more = p.open(b'{', b'}').unwrap_or(false);
    while more {
        let Ok(key) = p.key() else { break };
        kinds += u32::from(key.eq_ignore_ascii_case("kind"));
        versions += u32::from(key.eq_ignore_ascii_case("apiVersion"));
        if p.raw().is_err() {
            break;
        }
        more = p.next(b'}').unwrap_or(false);
    }
    kinds > 1 || versions > 1
}

/// Whether two answers differ in nothing but kind and apiVersion of objects inside others.
fn same_but_for_nested_kinds(ours: &Answer, go: &Answer) -> bool {
    fn strip(v: &mut Value, root: bool) {
        match v {
            Value::Object(o) => {
                if !root {
                    o.shift_remove("kind");
                    o.shift_remove("apiVersion");
                }
                o.values_mut().for_each(|v| strip(v, false));
            }
            Value::Array(a) => a.iter_mut().for_each(|v| strip(v, false)),
            _ => {}
        }
    }
    // Texts of JSON are values for this.
    fn open(v: &Value) -> Value {
        match v {
            Value::String(s) => match serde_json::from_str::<Value>(s) {
                Ok(mut v @ Value::Object(_)) => {
                    strip(&mut v, true);
                    v
                }
                _ => v.clone(),
            },
            Value::Object(o) => o.iter().map(|(k, v)| (k.clone(), open(v))).collect(),
            other => other.clone(),
        }
    }
    matches!((ours, go), (Ok(a), Ok(b)) if open(a) == open(b))
}

/// Whether an object that may be of a kind of its own says so inside another.
fn has_nested_kind(data: &str) -> bool {
    const PLACES: [&str; 4] = ["items", "deleteOptions", "volumeClaimTemplates", "groups"];
    fn says(v: &Value) -> bool {
        match v {
            Value::Object(o) => o.contains_key("kind") || o.contains_key("apiVersion"),
            Value::Array(a) => a.iter().any(says),
            _ => false,
        }
    }
    fn inside(v: &Value) -> bool {
        match v {
            Value::Object(o) => {
                o.iter().any(|(k, v)| PLACES.contains(&k.as_str()) && says(v) || inside(v))
            }
            Value::Array(a) => a.iter().any(inside),
            _ => false,
        }
    }
    // Objects without a type keep all they have.
    pintle_apimachinery::yaml::parse(data.as_bytes()).is_ok_and(|v| inside(&v))
}
