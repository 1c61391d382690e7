//! Values of YAML nodes: scalars by the rules of YAML 1.1 as Go's yaml.v2 has them, aliases and
//! merge keys resolved, and all of it as JSON.
use super::node::{Document, Id, Kind, MAX_DEPTH};
use crate::parse_error::quote;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};
use std::collections::{BTreeMap, HashMap, HashSet};

const PREFIX: &str = "tag:yaml.org,2002:";

/// A scalar.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(String),
}

/// What a plain scalar is.
pub(super) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Scalar::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let number = match text.as_bytes()[0] {
        b'.' => float(text),
        b'+' | b'-' | b'0'..=b'9' => {
            let plain = text.replace('_', "");
            int(&plain).or_else(|| float(&plain))
        }
        _ => None,
    };
    number.unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

/// As Go's `strconv.ParseInt` with base 0, then `ParseUint`.
fn int(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).unwrap_or("").to_ascii_lowercase();
    let (digits, radix) = match lower.as_str() {
        "0x" => (&digits[2..], 16),
        "0b" => (&digits[2..], 2),
        "0o" => (&digits[2..], 8),
        _ if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        _ => (digits, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(v)) => Some(Scalar::Int(v)),
        (true, Ok(v)) => Some(Scalar::Int(-v)),
        (true, Err(_)) => (magnitude == 1 << 63).then_some(Scalar::Int(i64::MIN)),
        (false, Err(_)) => (!text.starts_with('+')).then_some(Scalar::Uint(magnitude)),
    }
}

/// A decimal number with a fraction or an exponent, perhaps.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(i) => (&unsigned[..i], Some(&unsigned[i + 1..])),
        None => (unsigned, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    if !exponent_ok
        || !digits(whole)
        || !digits(fraction)
        || (whole.is_empty() && fraction.is_empty())
    {
        return None;
    }
    text.parse().ok().filter(|f: &f64| f.is_finite()).map(Scalar::Float)
}

/// A key, as its type tells it apart from others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Text(String),
    Int(i64),
    Float(u64),
    Bool(bool),
    Null,
    Uint(u64),
}

impl Key {
    /// As JSON has it.
    fn name(&self) -> Result<String, String> {
        Ok(match self {
            Key::Text(s) => s.clone(),
            Key::Int(i) => i.to_string(),
            Key::Float(bits) => short_float(f64::from_bits(*bits)),
            Key::Bool(b) => b.to_string(),
            Key::Null => return Err(unsupported("%!s(<nil>)", "<nil>")),
            Key::Uint(u) => return Err(unsupported("uint64", &format!("{u:#x}"))),
        })
    }
    /// As Go prints it in a message.
    fn shown(&self) -> String {
        match self {
            Key::Text(s) => quote(s).to_string(),
            Key::Float(bits) => {
                let mut out = Vec::new();
                crate::reflect::put_f64(&mut out, f64::from_bits(*bits));
                String::from_utf8_lossy(&out).into_owned()
            }
            Key::Null => "interface {}(nil)".into(),
            Key::Uint(u) => format!("{u:#x}"),
            other => other.name().unwrap_or_default(),
        }
    }
}

fn unsupported(of: &str, key: &str) -> String {
    format!("unsupported map key of type: {of}, key: {key}")
}

/// The shortest text of a number of single precision, as `%g` has it.
fn short_float(f: f64) -> String {
    if f.is_nan() {
        return ".nan".into();
    }
    if f.is_infinite() || !(f as f32).is_finite() {
        return if f > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let f = f as f32;
    shortest(&format!("{f:e}"), &f.to_string())
}

/// A number as Go's `%g` has it, given its shortest digits with and without an exponent.
pub(super) fn shortest(scientific: &str, plain: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return plain.to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// What became of a document.
pub(super) struct Built {
    pub(super) value: Value,
    /// Keys that are there twice, with their lines; at most those of one document.
    pub(super) twice: Vec<String>,
}

struct Builder<'a> {
    doc: &'a Document,
    strict: bool,
    twice: Vec<String>,
    /// Aliases that are being followed.
    open: HashSet<Id>,
    steps: usize,
    alias_steps: usize,
    depth: usize,
}

/// A value, or why JSON cannot hold it: no mistake where another value takes its place.
type Made = Result<Value, String>;

/// Entries in order of arrival, found by key.
#[derive(Default)]
struct Entries {
    at: HashMap<Key, usize>,
    list: Vec<(Key, Made)>,
}

/// The value of a document. With `strict`, keys that are there twice are named, and the first one
/// counts; without, the last one does.
pub(super) fn build(doc: &Document, strict: bool) -> Result<Built, String> {
    let mut b = Builder {
        doc,
        strict,
        twice: Vec::new(),
        open: HashSet::new(),
        steps: 0,
        alias_steps: 0,
        depth: 0,
    };
    let made = b.value(doc.root)?;
    // Keys that are there twice come before what JSON cannot hold.
    let value = if b.twice.is_empty() { made? } else { made.unwrap_or_default() };
    Ok(Built { value, twice: b.twice })
}

/// The share of steps that may come from aliases.
fn allowed_share(steps: usize) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let steps = (steps as f64).clamp(LOW, HIGH);
    0.99 - 0.89 * (steps - LOW) / (HIGH - LOW)
}

impl Builder<'_> {
    fn step(&mut self) -> Result<(), String> {
        self.steps += 1;
        if !self.open.is_empty() {
            self.alias_steps += 1;
        }
        let share = self.alias_steps as f64 / self.steps as f64;
        if self.alias_steps > 100 && self.steps > 1000 && share > allowed_share(self.steps) {
            return Err("document contains excessive aliasing".into());
        }
        Ok(())
    }
    /// Goes through an alias to what it names.
    fn through<T>(
        &mut self,
        id: Id,
        inside: impl FnOnce(&mut Self, Id) -> Result<T, String>,
    ) -> Result<T, String> {
        self.depth += 1;
        // Aliases may nest what is not nested in the text.
        if self.depth > MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} levels deep"));
        }
        self.step()?;
        let out = match &self.doc.nodes[id].kind {
            Kind::Alias(name, of) => {
                if !self.open.insert(id) {
                    return Err(format!("anchor '{name}' value contains itself"));
                }
                let out = self.through(*of, inside)?;
                self.open.remove(&id);
                out
            }
            _ => inside(self, id)?,
        };
        self.depth -= 1;
        Ok(out)
    }
    fn value(&mut self, id: Id) -> Result<Made, String> {
        self.through(id, |b, id| b.direct(id))
    }
    fn direct(&mut self, id: Id) -> Result<Made, String> {
        let doc = self.doc;
        match &doc.nodes[id].kind {
            Kind::Scalar(..) => Ok(json(self.scalar(id)?)),
            Kind::Sequence(items) => {
                let made = items.iter().map(|i| self.value(*i)).collect::<Result<Vec<_>, _>>()?;
                Ok(made.into_iter().collect::<Result<_, _>>().map(Value::Array))
            }
            Kind::Mapping(_) => {
                let mut entries = Entries::default();
                self.mapping(id, &mut entries)?;
                // JSON made from YAML has its members sorted.
                let members = entries.list.into_iter().map(|(key, v)| Ok((key.name()?, v?)));
                let sorted: Result<BTreeMap<String, Value>, String> = members.collect();
                Ok(sorted.map(|s| Value::Object(s.into_iter().collect::<Map<_, _>>())))
            }
            Kind::Alias(..) => Ok(Ok(Value::Null)),
        }
    }
    fn scalar(&self, id: Id) -> Result<Scalar, String> {
        let node = &self.doc.nodes[id];
        let Kind::Scalar(text, implicit) = &node.kind else { return Ok(Scalar::Null) };
        if node.tag.is_empty() {
            return Ok(if *implicit { resolve(text) } else { Scalar::Text(text.clone()) });
        }
        let Some(tag) = node.tag.strip_prefix(PREFIX) else {
            return Ok(Scalar::Text(text.clone()));
        };
        let found = resolve(text);
        let (is, out) = match (tag, found) {
            ("str", _) => return Ok(Scalar::Text(text.clone())),
            ("binary", _) => {
                let bytes = STANDARD
                    .decode(text.replace(['\n', '\r'], ""))
                    .map_err(|_| "!!binary value contains invalid base64 data".to_owned())?;
                return Ok(Scalar::Text(String::from_utf8_lossy(&bytes).into_owned()));
            }
            ("float", Scalar::Int(i)) => ("float", Scalar::Float(i as f64)),
            (_, s @ Scalar::Null) => ("null", s),
            (_, s @ Scalar::Bool(_)) => ("bool", s),
            (_, s @ (Scalar::Int(_) | Scalar::Uint(_))) => ("int", s),
            (_, s @ Scalar::Float(_)) => ("float", s),
            ("timestamp", s) if is_date(text) => ("timestamp", s),
            (_, s) => ("str", s),
        };
        if !matches!(tag, "bool" | "int" | "float" | "null" | "timestamp") {
            return Ok(Scalar::Text(text.clone()));
        }
        if tag == is {
            return Ok(out);
        }
        Err(format!("cannot decode !!{is} `{text}` as a !!{tag}"))
    }
    fn mapping(&mut self, id: Id, out: &mut Entries) -> Result<(), String> {
        let doc = self.doc;
        let Kind::Mapping(entries) = &doc.nodes[id].kind else {
            return Err("map merge requires map or sequence of maps as the value".into());
        };
        for &(key, value) in entries {
            let node = &doc.nodes[key];
            let merge = matches!(&node.kind, Kind::Scalar(t, implicit)
                if t == "<<" && (*implicit || node.tag.strip_prefix(PREFIX) == Some("merge")));
            if merge {
                self.merge(value, out)?;
                continue;
            }
            let key = self.through(key, |b, id| b.key(id))?;
            let line = doc.nodes[value].line + 1;
            let value = self.value(value)?;
            match out.at.get(&key) {
                Some(_) if self.strict => {
                    self.twice.push(format!("line {line}: key {} already set in map", key.shown()));
                }
                Some(&i) => out.list[i].1 = value,
                None => {
                    out.at.insert(key.clone(), out.list.len());
                    out.list.push((key, value));
                }
            }
        }
        Ok(())
    }
    fn key(&mut self, id: Id) -> Result<Key, String> {
        if !matches!(self.doc.nodes[id].kind, Kind::Scalar(..)) {
            return Err(format!("invalid map key: {}", self.direct(id)??));
        }
        Ok(match self.scalar(id)? {
            Scalar::Null => Key::Null,
            Scalar::Bool(b) => Key::Bool(b),
            Scalar::Int(i) => Key::Int(i),
            Scalar::Uint(u) => Key::Uint(u),
            Scalar::Float(f) => Key::Float(f.to_bits()),
            Scalar::Text(s) => Key::Text(s),
        })
    }
    fn merge(&mut self, id: Id, out: &mut Entries) -> Result<(), String> {
        let doc = self.doc;
        match &doc.nodes[id].kind {
            Kind::Sequence(items) => {
                // Earlier ones win.
                for &i in items.iter().rev() {
                    if matches!(doc.nodes[i].kind, Kind::Sequence(_) | Kind::Scalar(..)) {
                        return Err(
                            "map merge requires map or sequence of maps as the value".into()
                        );
                    }
                    self.through(i, |b, id| b.mapping(id, out))?;
                }
                Ok(())
            }
            _ => self.through(id, |b, id| b.mapping(id, out)),
        }
    }
}

/// Whether a text begins as a date does.
fn is_date(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() >= 8 && b[..4].iter().all(u8::is_ascii_digit) && b[4] == b'-'
}

fn json(s: Scalar) -> Result<Value, String> {
    Ok(match s {
        Scalar::Null => Value::Null,
        Scalar::Bool(b) => b.into(),
        Scalar::Int(i) => i.into(),
        Scalar::Uint(u) => u.into(),
        Scalar::Text(t) => t.into(),
        // JSON does not tell 3.0 from 3, and has the digits that Go writes.
        Scalar::Float(f) if f.trunc() == f && f.abs() < 9_223_372_036_854_775_808.0 => {
            f.to_string().parse::<i64>().unwrap_or(f as i64).into()
        }
        Scalar::Float(f) => match Number::from_f64(f) {
            Some(n) => n.into(),
            None if f.is_nan() => return Err("json: unsupported value: NaN".into()),
            None if f > 0.0 => return Err("json: unsupported value: +Inf".into()),
            None => return Err("json: unsupported value: -Inf".into()),
        },
    })
}
