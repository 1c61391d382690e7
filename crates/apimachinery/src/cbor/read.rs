//! Reading CBOR data items.
use crate::reflect::{Desc, Type, type_meta};
use crate::rep::Str;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Map, Number, Value};

/// Deepest nesting, as of JSON.
pub(super) const MAX_DEPTH: u32 = 200;

/// Why a data item cannot be read.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// There is not enough of it yet.
    Short,
    /// It is malformed, or holds what JSON cannot.
    Wrong(String),
}

pub(super) type R<T> = Result<T, Fault>;

pub(super) fn wrong<T>(what: impl Into<String>) -> R<T> {
    Err(Fault::Wrong(what.into()))
}

/// The head of a data item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Head {
    pub(super) major: u8,
    /// The five bits that say how long the argument is.
    pub(super) info: u8,
    pub(super) argument: u64,
}

impl Head {
    pub(super) fn is_indefinite(self) -> bool {
        self.info == 31
    }
    fn is_break(self) -> bool {
        self.major == 7 && self.info == 31
    }
}

pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// The tag that says in which text format byte strings are, 0 for none; it is inherited.
    later: u64,
    /// Whether values are of types that tags make nothing else of.
    plain: bool,
    /// Where in its map the first member is that no field takes.
    pub(super) unknown: Option<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0, later: 0, plain: false, unknown: None }
    }
    fn take(&mut self, n: u64) -> R<&'a [u8]> {
        let n = usize::try_from(n).map_err(|_| Fault::Short)?;
        let end = self.at.checked_add(n).ok_or(Fault::Short)?;
        let b = self.bytes.get(self.at..end).ok_or(Fault::Short)?;
        self.at = end;
        Ok(b)
    }
    pub(super) fn head(&mut self) -> R<Head> {
        let first = self.take(1)?[0];
        let (major, info) = (first >> 5, first & 31);
        let argument = match info {
            0..=23 => u64::from(info),
            24..=27 => {
                let bytes = self.take(1 << (info - 24))?;
                bytes.iter().fold(0, |v, b| v << 8 | u64::from(*b))
            }
            31 if !matches!(major, 0 | 1 | 6) => 0,
            _ => return wrong(format!("invalid additional information {info} for type {major}")),
        };
        Ok(Head { major, info, argument })
    }
    /// Whether the end of something indefinite comes next; takes it.
    pub(super) fn at_break(&mut self) -> R<bool> {
        let found = *self.bytes.get(self.at).ok_or(Fault::Short)? == 0xff;
        self.at += usize::from(found);
        Ok(found)
    }
    /// Passes over one well-formed data item.
    pub(super) fn skip(&mut self, depth: u32) -> R<()> {
        let h = self.head()?;
        self.skip_behind(h, depth)
    }
    fn skip_behind(&mut self, h: Head, depth: u32) -> R<()> {
        if depth > MAX_DEPTH {
            return wrong(format!("nested more than {MAX_DEPTH} levels deep"));
        }
        match h.major {
            0 | 1 => {}
            2 | 3 if h.is_indefinite() => {
                while !self.at_break()? {
                    let part = self.head()?;
                    if part.major != h.major || part.is_indefinite() {
                        return wrong("wrong part of a string of indefinite length");
                    }
                    self.take(part.argument)?;
                }
            }
            2 | 3 => drop(self.take(h.argument)?),
            4 | 5 => {
                let each = if h.major == 4 { 1 } else { 2 };
                let mut left = h.argument;
                loop {
                    if h.is_indefinite() {
                        if self.at_break()? {
                            break;
                        }
                    } else if left == 0 {
                        break;
                    } else {
                        left -= 1;
                    }
                    for _ in 0..each {
                        self.skip(depth + 1)?;
                    }
                }
            }
            6 => self.skip(depth + 1)?,
            _ if h.is_break() => return wrong("unexpected \"break\" code"),
            _ if matches!(h.info, 25..=27) => drop(self.primitive(h)?),
            _ if h.info == 24 && h.argument < 32 => {
                return wrong(format!("invalid simple value {} for type primitives", h.argument));
            }
            _ => {}
        }
        Ok(())
    }
    /// A byte string's bytes or a text string's, and whether it is text.
    fn string(&mut self, h: Head) -> R<Vec<u8>> {
        let mut out = Vec::new();
        if h.is_indefinite() {
            while !self.at_break()? {
                let part = self.head()?;
                if part.major != h.major || part.is_indefinite() {
                    return wrong("wrong part of a string of indefinite length");
                }
                let bytes = self.take(part.argument)?;
                if h.major == 3 && std::str::from_utf8(bytes).is_err() {
                    return wrong("invalid UTF-8 string");
                }
                out.extend_from_slice(bytes);
            }
        } else {
            out.extend_from_slice(self.take(h.argument)?);
        }
        Ok(out)
    }
    fn text(&mut self, h: Head) -> R<String> {
        String::from_utf8(self.string(h)?).or_else(|_| wrong("invalid UTF-8 string"))
    }
    /// A byte string where a tag says in which text format it is.
    fn encoded(&mut self, h: Head) -> R<String> {
        let bytes = self.string(h)?;
        Ok(match self.later {
            21 => URL_SAFE.encode(bytes).trim_end_matches('=').to_owned(),
            22 => STANDARD.encode(bytes),
            _ => bytes.iter().map(|b| format!("{b:02x}")).collect(),
        })
    }
    /// A map key: a string of either kind; as in Go, null is the empty one.
    pub(super) fn key(&mut self) -> R<Str> {
        let outer = self.later;
        let key = self.key_behind_tags();
        self.later = outer;
        key
    }
    fn key_behind_tags(&mut self) -> R<Str> {
        let mut h = self.head()?;
        while h.major == 6 {
            match h.argument {
                0 => return self.time_text().map(Str::from),
                1..=3 => return wrong("a map key is not a string"),
                tag @ 21..=23 => self.later = tag,
                _ => {}
            }
            h = self.head()?;
        }
        match h.major {
            2 if self.later != 0 => self.encoded(h).map(Str::from),
            2 | 3 => Ok(Str::from(self.text(h)?)),
            7 if h.info == 22 => Ok(Str::empty()),
            _ => wrong("a map key is not a string"),
        }
    }
    /// What is behind tag 0: text, and nothing else.
    fn tagged_text(&mut self) -> R<String> {
        let h = self.head()?;
        match h.major {
            3 => self.text(h),
            _ => wrong("tag number 0 must be followed by text string"),
        }
    }
    /// As [`Reader::tagged_text`], of a time, as Go writes it again.
    fn time_text(&mut self) -> R<String> {
        let text = self.tagged_text()?;
        if crate::Time::parse(&text).is_err() {
            return wrong("tag 0 holds no RFC 3339 time");
        }
        // The date and the time of the day, a fraction perhaps, and the zone.
        let (whole, rest) = text.split_at_checked(19).unwrap_or((&text, ""));
        let zone = rest.find(['Z', '+', '-']).map_or("", |at| &rest[at..]);
        let fraction = rest.strip_suffix(zone).unwrap_or_default();
        let fraction: String = fraction.chars().skip(1).take(9).collect();
        let point = if fraction.bytes().all(|b| b == b'0') { "" } else { "." };
        let zone = if matches!(zone, "+00:00" | "-00:00") { "Z" } else { zone };
        Ok(format!("{whole}{point}{}{zone}", fraction.trim_end_matches('0')))
    }
    /// What is behind tag 1: a number, and nothing else.
    fn tagged_number(&mut self) -> R<Value> {
        let at = self.at;
        let h = self.head()?;
        if !matches!((h.major, h.info), (0 | 1, _) | (7, 25..=27)) {
            return wrong("tag number 1 must be followed by integer or floating-point number");
        }
        self.at = at;
        self.value(0)
    }
    /// One value.
    pub(super) fn value(&mut self, depth: u32) -> R<Value> {
        if depth > MAX_DEPTH {
            return wrong(format!("nested more than {MAX_DEPTH} levels deep"));
        }
        let h = self.head()?;
        match h.major {
            0 => match i64::try_from(h.argument) {
                Ok(v) => Ok(v.into()),
                Err(_) => wrong(format!("{} overflows a signed 64-bit integer", h.argument)),
            },
            1 => match i64::try_from(h.argument) {
                Ok(v) => Ok((-1 - v).into()),
                Err(_) => wrong(format!("-1-{} overflows a signed 64-bit integer", h.argument)),
            },
            2 if self.later != 0 => self.encoded(h).map(Value::String),
            2 | 3 => self.text(h).map(Value::String),
            4 => {
                let mut a = Vec::new();
                self.each(h, |r| {
                    a.push(r.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(a.into())
            }
            5 => self.entries(h, |r| r.value(depth + 1)),
            6 => self.tagged(h.argument, depth),
            _ => self.primitive(h),
        }
    }
    fn typed(&mut self, t: &'static Type, depth: u32) -> R<Value> {
        // Undefined is null to a pointer, and to nothing else.
        let first = self.bytes.get(self.at).copied();
        if first == Some(0xf7) && is_pointer(t) {
            self.at += 1;
            return Ok(Value::Null);
        }
        let v = self.typed_behind_tags(t, depth)?;
        // Null behind a tag is no null to a pointer, which then points to what is zero.
        if v.is_null() && first.is_some_and(|first| first >> 5 == 6) {
            return behind_pointer(t);
        }
        Ok(v)
    }
    fn typed_behind_tags(&mut self, t: &'static Type, depth: u32) -> R<Value> {
        if let Type::Msg(d) | Type::Emb(d) | Type::OptMsg(d) = t {
            return self.message(d, depth);
        }
        let at = self.at;
        let h = self.untagged()?;
        match (t, h.major) {
            (Type::List(of), 4) => {
                let mut a = Vec::new();
                self.each(h, |r| {
                    a.push(r.typed(of, depth + 1)?);
                    Ok(())
                })?;
                return Ok(a.into());
            }
            (Type::Map(of), 5) => return self.entries(h, |r| r.typed(of, depth + 1)),
            // Bytes are bytes, whatever the text is that they are meant to become.
            (Type::Bytes, 6) if matches!(h.argument, 21..=23) => {
                if let Ok(bytes) = self.head()
                    && bytes.major == 2
                {
                    return Ok(STANDARD.encode(self.string(bytes)?).into());
                }
                self.at = at;
            }
            (Type::Bytes, 3) => return wrong("a text, where bytes are expected"),
            // What a tag makes of them matters to values without a type alone.
            (_, 6) if h.argument == 0 && !is_any(t) => return self.tagged_text().map(Value::from),
            (_, 6) if h.argument == 1 && !is_any(t) => {
                let v = self.tagged_number()?;
                return if takes_text(t) {
                    wrong("a number, where text is expected")
                } else {
                    Ok(v)
                };
            }
            _ => self.at = at,
        }
        // What reads itself has types inside.
        let outer = self.plain;
        self.plain |= !is_any(t);
        let read = self.value(depth);
        self.plain = outer;
        if let (Type::OptLeaf(l), Err(Fault::Wrong(_))) = (t, &read)
            && l.name == "FieldsV1"
        {
            self.at = at;
            self.skip(depth)?;
            return wrong(crate::reflect::NO_FIELDS);
        }
        read
    }
    /// The head behind tags that say nothing of what they hold.
    fn untagged(&mut self) -> R<Head> {
        let mut h = self.head()?;
        while h.major == 6 && !matches!(h.argument, 0..=3 | 21..=23) {
            h = self.head()?;
        }
        Ok(h)
    }
    /// A value for a type that has a table: of members that no field takes, only their form counts.
    pub(super) fn message(&mut self, d: &'static Desc, depth: u32) -> R<Value> {
        if depth > MAX_DEPTH {
            return wrong(format!("nested more than {MAX_DEPTH} levels deep"));
        }
        if d.transparent {
            return self.typed(&d.fields[0].ty, depth);
        }
        let at = self.at;
        let h = self.untagged()?;
        if h.major != 5 {
            self.at = at;
            return self.value(depth);
        }
        self.members(h, true, |r, key| match super::field(d, key) {
            Some(t) => r.typed(t, depth + 1).map(Some),
            None if d.kind.is_some() && type_meta::is_key(key) => {
                r.typed(&Type::Str, depth + 1).map(Some)
            }
            None => r.skip(depth + 1).map(|()| None),
        })
    }
    fn entries(&mut self, h: Head, value: impl FnMut(&mut Self) -> R<Value>) -> R<Value> {
        let mut value = value;
        self.members(h, false, |r, _| value(r).map(Some))
    }
    /// Members by their names; `value` gives none for those that are passed over. As in Go, those
    /// of a `described` object may have numbers for names, which are passed over.
    fn members(
        &mut self,
        h: Head,
        described: bool,
        mut value: impl FnMut(&mut Self, &str) -> R<Option<Value>>,
    ) -> R<Value> {
        let (mut o, mut passed) = (Map::new(), Vec::new());
        let mut index = 0;
        self.each(h, |r| {
            if described {
                match r.bytes.get(r.at).map(|first| first >> 5) {
                    Some(0 | 1) => {
                        r.skip(0)?;
                        r.skip(0)?;
                        index += 1;
                        return Ok(());
                    }
                    Some(4..) => return wrong("a map key cannot be the name of a field"),
                    _ => {}
                }
            }
            let key = r.key()?;
            if o.contains_key(key.as_str()) || passed.contains(&key) {
                return wrong(format!(
                    "found duplicate map key {:?} at map element index {index}",
                    key.as_str()
                ));
            }
            match value(r, &key)? {
                Some(v) => drop(o.insert(key.to_string(), v)),
                None => {
                    r.unknown.get_or_insert(index);
                    passed.push(key);
                }
            }
            index += 1;
            Ok(())
        })?;
        Ok(o.into())
    }
    fn each(&mut self, h: Head, mut item: impl FnMut(&mut Self) -> R<()>) -> R<()> {
        if h.is_indefinite() {
            while !self.at_break()? {
                item(self)?;
            }
            return Ok(());
        }
        (0..h.argument).try_for_each(|_| item(self))
    }
    fn tagged(&mut self, tag: u64, depth: u32) -> R<Value> {
        match tag {
            0 if self.plain => self.tagged_text().map(Value::from),
            1 if self.plain => self.tagged_number(),
            // Times, as text or as seconds.
            0 => self.time_text().map(Value::from),
            1 => match self.tagged_number()? {
                Value::Number(n) => {
                    let seconds = n.as_f64().unwrap_or(0.0).floor();
                    let nanos = ((n.as_f64().unwrap_or(0.0) - seconds) * 1e9).round() as i64;
                    let t = crate::Time::from_unix(n.as_i64().unwrap_or(seconds as i64));
                    let mut text = Vec::new();
                    t.write_to(&mut text);
                    let mut text = String::from_utf8_lossy(&text).into_owned();
                    if n.is_f64() && nanos > 0 {
                        let fraction = format!("{nanos:09}");
                        text.truncate(text.len() - 1);
                        text = format!("{text}.{}Z", fraction.trim_end_matches('0'));
                    }
                    Ok(text.into())
                }
                _ => wrong("tag 1 holds no number"),
            },
            2 | 3 => wrong("integers of any length are not accepted"),
            // Bytes that become text in the format that the tag names.
            21..=23 => {
                let outer = std::mem::replace(&mut self.later, tag);
                let v = self.value(depth + 1);
                self.later = outer;
                v
            }
            _ => self.value(depth + 1),
        }
    }
    fn primitive(&mut self, h: Head) -> R<Value> {
        let float = match h.info {
            20 => return Ok(false.into()),
            21 => return Ok(true.into()),
            22 => return Ok(Value::Null),
            25 => half(h.argument as u16),
            26 => f64::from(f32::from_bits(h.argument as u32)),
            27 => f64::from_bits(h.argument),
            31 => return wrong("unexpected \"break\" code"),
            _ => return wrong(format!("simple value {} is not recognized", h.argument)),
        };
        match Number::from_f64(float) {
            Some(n) => Ok(n.into()),
            None => wrong(format!("{float} is not accepted")),
        }
    }
}

fn leaf_of(t: &Type) -> &str {
    match t {
        Type::Leaf(l) | Type::OptLeaf(l) => l.name,
        _ => "",
    }
}

/// Whether Go has a pointer in this place, or a value that reads itself by one.
fn is_pointer(t: &Type) -> bool {
    match t {
        Type::OptStr
        | Type::OptI32
        | Type::OptI64
        | Type::OptBool
        | Type::OptF64
        | Type::OptMsg(_)
        | Type::OptLeaf(_) => true,
        _ => matches!(leaf_of(t), "Time" | "MicroTime" | "Quantity"),
    }
}

/// Whether values have no type in this place.
fn is_any(t: &Type) -> bool {
    matches!(leaf_of(t), "Json" | "RawExtension" | "FieldsV1")
}

/// Whether a value reads itself from text.
fn takes_text(t: &Type) -> bool {
    matches!(t, Type::Str | Type::OptStr) || matches!(leaf_of(t), "Time" | "MicroTime" | "Quantity")
}

/// What a pointer of this type points to that is zero.
fn behind_pointer(t: &Type) -> R<Value> {
    Ok(match t {
        Type::OptStr => "".into(),
        Type::OptI32 | Type::OptI64 | Type::OptF64 => 0.into(),
        Type::OptBool => false.into(),
        Type::OptMsg(_) => Value::Object(Map::new()),
        Type::OptLeaf(l) if l.name == "IntOrString" => "".into(),
        Type::OptLeaf(l) if l.name == "FieldsV1" => return wrong(crate::reflect::NO_FIELDS),
        t if takes_text(t) && !leaf_of(t).is_empty() || leaf_of(t) == "Duration" => {
            return wrong("empty text behind a tag");
        }
        _ => Value::Null,
    })
}

/// A number of half precision.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if bits & 1023 == 0 => f64::INFINITY,
        31 => f64::NAN,
        e => (1.0 + fraction / 1024.0) * 2f64.powi(e - 15),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}
