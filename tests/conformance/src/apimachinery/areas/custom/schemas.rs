//! Random schemas, and values that they nearly allow.
use super::super::super::rng::Rng;
use serde_json::{Map, Value, json};

pub(super) const NAMES: [&str; 6] = ["a", "b", "c", "spec", "name", "x.y"];

const TEXTS: [&str; 74] = [
    "",
    "a",
    "ab",
    "abc",
    "A",
    "é",
    "x\u{300}y",
    "1",
    "12",
    "-a",
    "a.b",
    "a/b",
    "a b",
    "2020-01-01T00:00:00Z",
    "2020-01-01t10:00:00.5+02:00",
    "2020-13-01",
    "2020-02-29",
    "2021-02-29",
    "2020-01-01T24:00:00Z",
    "10.0.0.1",
    "10.0.0.01",
    "256.0.0.1",
    "::1",
    "fe80::1%eth0",
    "::ffff:1.2.3.4",
    "10.0.0.0/8",
    "10.0.0.0/33",
    "::/0",
    "::/129",
    "01:02:03:04:05:06",
    "01-02-03-04-05-06",
    "0102.0304.0506",
    "01:02:03:04:05",
    "aa56ed47-c121-4f77-b3b4-2aa65ed6fa28",
    "AA56ED47C1214F77B3B42AA65ED6FA28",
    "aa56ed47-c121-3f77-73b4-2aa65ed6fa28",
    "aa56ed47-c121-5f77-93b4-2aa65ed6fa28",
    "0321751043",
    "032175104X",
    "978-0321751041",
    "4111 1111 1111 1111",
    "4111 1111 1111 1112",
    "123-45-6789",
    "123456789",
    "#fff",
    "ffff",
    "rgb(1,2,3)",
    "rgb(1, 256, 3)",
    "Yg==",
    "Yg=",
    "Yg",
    "Yg\n==",
    "1h",
    "1h30m",
    "2 days",
    "-1.5h",
    "3 parsecs",
    "1 x",
    "99999999999999999999 s",
    "a@b.c",
    "a@b",
    "A <a@b>",
    "a..b@c",
    "\"q\"@c",
    "https://a.example/b?c#d",
    "http://a b",
    "/a",
    "mailto:x",
    "a.example",
    "a_b.example",
    "-a.example",
    "5f0c9d5a1b2c3d4e5f607182",
    "5F0C",
    "\u{1f600}",
];

const FORMATS: [&str; 36] = [
    "date-time",
    "datetime",
    "date",
    "duration",
    "byte",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
    "isbn",
    "isbn10",
    "isbn13",
    "creditcard",
    "ssn",
    "hexcolor",
    "rgbcolor",
    "password",
    "email",
    "hostname",
    "uri",
    "bsonobjectid",
    "k8s-short-name",
    "k8s-long-name",
    "int32",
    "int64",
    "float",
    "double",
    "binary",
    "nope",
    "d-ate",
    "id",
    "int-32",
];

const PATTERNS: [&str; 16] = [
    "^a",
    "^[a-z]+$",
    "^\\d+$",
    "b$",
    "\\w{2}",
    "[^a]",
    "^.{1,2}$",
    "a|b",
    "(?i)^A",
    "^\\S+$",
    "\\.",
    "^[[:alpha:]]*$",
    "\\p{L}",
    "^[\\w.-]+$",
    "a\\b",
    "^$",
];

fn number(rng: &mut Rng) -> Value {
    match rng.below(12) {
        0 => json!(0.5),
        1 => json!(-1.5),
        2 => json!(1e6),
        3 => json!(2.0),
        4 => json!(1e21),
        5 => json!(3_000_000_000_i64),
        6 => json!(-3_000_000_000_i64),
        7 => json!(4e38),
        8 => json!(1e-7),
        9 => json!(i64::MAX),
        _ => json!(rng.between(-3, 12)),
    }
}

fn bound(rng: &mut Rng) -> Value {
    match rng.below(8) {
        0 => json!(0.5),
        1 => json!(1e6),
        2 => json!(5_000_000_000_i64),
        3 => json!(-1),
        _ => json!(rng.between(0, 6)),
    }
}

/// What a schema says of values alone, in or outside of branches.
fn values(rng: &mut Rng, kind: &str, out: &mut Map<String, Value>) {
    let mut set = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    if matches!(kind, "integer" | "number" | "either") {
        for (key, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            if rng.chance(25) {
                set(key, bound(rng));
                if rng.chance(30) {
                    set(exclusive, true.into());
                }
            }
        }
        if rng.chance(15) {
            set("multipleOf", bound(rng));
        }
        if rng.chance(25) {
            set("format", (*rng.pick(&FORMATS)).into());
        }
        if rng.chance(8) {
            let one = |rng: &mut Rng| {
                if rng.chance(80) { number(rng) } else { (*rng.pick(&TEXTS)).into() }
            };
            let list: Vec<Value> = (0..1 + rng.below(3)).map(|_| one(rng)).collect();
            set("enum", list.into());
        }
    }
    if matches!(kind, "string" | "either") {
        if rng.chance(20) {
            set("maxLength", rng.between(0, 4).into());
        }
        if rng.chance(20) {
            set("minLength", rng.between(0, 4).into());
        }
        if rng.chance(20) {
            set("pattern", (*rng.pick(&PATTERNS)).into());
        }
        if rng.chance(35) {
            set("format", (*rng.pick(&FORMATS)).into());
        }
        if rng.chance(10) {
            let list: Vec<Value> =
                (0..1 + rng.below(4)).map(|_| (*rng.pick(&TEXTS)).into()).collect();
            set("enum", list.into());
        }
    }
    if kind == "array" {
        if rng.chance(20) {
            set("maxItems", rng.between(0, 3).into());
        }
        if rng.chance(20) {
            set("minItems", rng.between(0, 3).into());
        }
        if rng.chance(5) {
            set("uniqueItems", true.into());
        }
    }
    if kind == "object" {
        if rng.chance(10) {
            set("maxProperties", rng.between(0, 3).into());
        }
        if rng.chance(10) {
            set("minProperties", rng.between(0, 3).into());
        }
        if rng.chance(25) {
            let list: Vec<Value> =
                (0..1 + rng.below(2)).map(|_| (*rng.pick(&NAMES)).into()).collect();
            set("required", list.into());
        }
    }
}

/// A branch of `allOf` and its like that speaks of what a schema has.
fn branch(rng: &mut Rng, schema: &Map<String, Value>, depth: usize) -> Value {
    let mut out = Map::new();
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or("either");
    values(rng, kind, &mut out);
    if let Some(Value::Object(known)) = schema.get("properties")
        && !known.is_empty()
        && rng.chance(50)
    {
        let names: Vec<&String> = known.keys().filter(|name| *name != "metadata").collect();
        if let Some(name) = (!names.is_empty()).then(|| (*rng.pick(&names)).clone())
            && let Some(Value::Object(inner)) = known.get(&name)
        {
            out.insert("properties".to_owned(), json!({name: branch(rng, inner, depth + 1)}));
        }
    }
    if let Some(Value::Object(items)) = schema.get("items")
        && rng.chance(30)
    {
        out.insert("items".to_owned(), branch(rng, items, depth + 1));
    }
    if depth < 2 && rng.chance(10) {
        out.insert("not".to_owned(), branch(rng, schema, depth + 1));
    }
    out.into()
}

/// A structural schema.
pub(super) fn schema(rng: &mut Rng, depth: usize) -> Value {
    let kinds = ["string", "integer", "number", "boolean", "either", "array", "object", "object"];
    let kind =
        if depth == 0 { "object" } else { rng.pick(if depth > 3 { &kinds[..5] } else { &kinds }) };
    let mut out = Map::new();
    if kind == "either" {
        out.insert("x-kubernetes-int-or-string".to_owned(), true.into());
        if rng.chance(40) {
            out.insert("anyOf".to_owned(), json!([{"type": "integer"}, {"type": "string"}]));
        }
    } else {
        out.insert("type".to_owned(), kind.into());
    }
    values(rng, kind, &mut out);
    if kind == "array" {
        let items = schema(rng, depth + 1);
        if rng.chance(40) {
            let map = items["properties"].is_object() && rng.chance(70);
            let list = if map { "map" } else { "set" };
            out.insert("x-kubernetes-list-type".to_owned(), list.into());
            if map {
                let keys = if rng.chance(70) { json!(["a"]) } else { json!(["a", "b"]) };
                out.insert("x-kubernetes-list-map-keys".to_owned(), keys);
            }
        }
        out.insert("items".to_owned(), items);
    }
    if kind == "object" {
        if depth > 0 && rng.chance(10) {
            out.insert("x-kubernetes-preserve-unknown-fields".to_owned(), true.into());
        }
        match rng.below(10) {
            0 | 1 if depth > 0 => {
                let of =
                    if rng.chance(20) { rng.chance(50).into() } else { schema(rng, depth + 1) };
                out.insert("additionalProperties".to_owned(), of);
            }
            _ => {
                let mut known = Map::new();
                for _ in 0..1 + rng.below(3) {
                    known.insert((*rng.pick(&NAMES)).to_owned(), schema(rng, depth + 1));
                }
                if depth == 0 && rng.chance(30) {
                    known.insert("status".to_owned(), schema(rng, 1));
                }
                out.insert("properties".to_owned(), known.into());
                if depth > 0 && rng.chance(8) {
                    out.insert("x-kubernetes-embedded-resource".to_owned(), true.into());
                }
            }
        }
    }
    if depth > 0 && rng.chance(15) {
        out.insert("nullable".to_owned(), true.into());
    }
    if depth > 0 && rng.chance(15) {
        let default = value(rng, &Value::Object(out.clone()), 0);
        if !default.is_null() {
            out.insert("default".to_owned(), default);
        }
    }
    if rng.chance(if depth == 0 { 10 } else { 20 }) {
        let key = *rng.pick(&["allOf", "anyOf", "oneOf", "not"]);
        if !out.contains_key(key) {
            let of = match key {
                "not" => branch(rng, &out, 0),
                _ => (0..1 + rng.below(3)).map(|_| branch(rng, &out, 0)).collect(),
            };
            out.insert(key.to_owned(), of);
        }
    }
    out.into()
}

/// Any value at all.
fn any(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth > 2 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => rng.chance(50).into(),
        2 | 3 => number(rng),
        4 => (*rng.pick(&TEXTS)).into(),
        5 => (0..rng.below(3)).map(|_| any(rng, depth + 1)).collect(),
        _ => {
            let mut members = Map::new();
            for _ in 0..rng.below(3) {
                members.insert((*rng.pick(&NAMES)).to_owned(), any(rng, depth + 1));
            }
            members.into()
        }
    }
}

/// A value that a schema nearly, or quite, allows.
pub(super) fn value(rng: &mut Rng, schema: &Value, depth: usize) -> Value {
    if rng.chance(6) || depth > 6 {
        return any(rng, depth.min(3));
    }
    if rng.chance(6) {
        return Value::Null;
    }
    if let Some(Value::Array(allowed)) = schema.get("enum")
        && rng.chance(60)
    {
        return rng.pick(allowed).clone();
    }
    match schema["type"].as_str() {
        Some("string") => (*rng.pick(&TEXTS)).into(),
        Some("integer") if rng.chance(85) => match rng.chance(70) {
            true => rng.between(-2, 8).into(),
            false => number(rng),
        },
        Some("integer" | "number") => number(rng),
        Some("boolean") => rng.chance(50).into(),
        Some("array") => {
            let mut items: Vec<Value> =
                (0..rng.below(4)).map(|_| value(rng, &schema["items"], depth + 1)).collect();
            if items.len() > 1 && rng.chance(30) {
                items.push(items[0].clone());
            }
            items.into()
        }
        Some("object") => {
            let mut members = Map::new();
            if let Some(Value::Object(known)) = schema.get("properties") {
                for (name, of) in known {
                    if rng.chance(70) {
                        members.insert(name.clone(), value(rng, of, depth + 1));
                    }
                }
            }
            if let Some(of) = schema.get("additionalProperties") {
                for _ in 0..rng.below(3) {
                    members.insert((*rng.pick(&NAMES)).to_owned(), value(rng, of, depth + 1));
                }
            }
            if rng.chance(15) {
                members.insert((*rng.pick(&NAMES)).to_owned(), any(rng, 1));
            }
            if schema["x-kubernetes-embedded-resource"] == true {
                head(rng, &mut members);
            }
            members.into()
        }
        _ if schema["x-kubernetes-int-or-string"] == true && rng.chance(80) => {
            if rng.chance(50) {
                (*rng.pick(&TEXTS)).into()
            } else {
                number(rng)
            }
        }
        _ => any(rng, depth.min(3)),
    }
}

/// Kind, version and metadata of a resource within another.
fn head(rng: &mut Rng, members: &mut Map<String, Value>) {
    if rng.chance(85) {
        let version = *rng.pick(&["v1", "a/v1", "a/b/c", "", "/"]);
        members.insert("apiVersion".to_owned(), version.into());
    }
    if rng.chance(85) {
        members.insert("kind".to_owned(), (*rng.pick(&["Foo", "foo_", "", "A"])).into());
    }
    if rng.chance(50) {
        let metadata = match rng.below(5) {
            0 => json!({"name": "a/b", "labels": {"-": "x"}}),
            1 => json!({"generateName": "..", "x": 1}),
            2 => json!({"namespace": "A", "annotations": {"a/b/c": ""}}),
            _ => json!({"name": "ok", "labels": {"a": "b"}}),
        };
        members.insert("metadata".to_owned(), metadata);
    }
}
