//! What typed metadata does not hold of the JSON it was read from, so that it can be written
//! again as it was.
use crate::reflect::{
    Desc, FieldMut, INLINE, Message, NOJSON, OMITEMPTY, OMITZERO, Parser, Type, json_into,
    json_value, to_unstructured,
};
use crate::{Error, Str};
use serde_json::{Map, Value};

/// Kept members; nearly always none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Kept(Option<Box<Inside>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Inside {
    /// Name, the value there was, and what the typed field is written as while it is unchanged.
    members: Vec<(String, Value, Option<Value>)>,
}

impl Kept {
    /// Reads an object into `m`, which is at its default.
    pub(super) fn read(&mut self, m: &mut dyn Message, p: &mut Parser<'_>) -> Result<(), Error> {
        let d = m.desc();
        let mut odd: Vec<(String, Value, Option<Value>)> = Vec::new();
        let mut any = false;
        let (mut hint, mut seen) = (0, 0u64);
        let mut more = p.open(b'{', b'}')?;
        while more {
            any = true;
            let key = p.key()?;
            p.peek()?;
            let at = p.position();
            odd.retain(|o| o.0 != *key);
            let field = d.find(&key, hint);
            if let Some(i) = field {
                // Of what is there twice, nothing is merged where there is no type.
                if seen >> (i & 63) & 1 == 1 {
                    clear(m.field_mut(i));
                }
                seen |= 1 << (i & 63);
            }
            let plain = match field {
                Some(i) if faithful(&d.fields[i].ty, d.fields[i].flags, p, 0) => {
                    hint = i + 1;
                    p.seek(at);
                    json_into(m.field_mut(i), &mut Parser::new(p.raw()?)).is_ok()
                }
                _ => false,
            };
            if !plain {
                p.seek(at);
                let raw = p.raw()?;
                let v = json_value(&mut Parser::new(raw))?;
                if let Some(i) = field {
                    // What is of another type stays beside its field.
                    if json_into(m.field_mut(i), &mut Parser::new(raw)).is_err() {
                        clear(m.field_mut(i));
                    }
                }
                odd.push((key.into_owned(), v, None));
            }
            more = p.next(b'}')?;
        }
        if !any || !odd.is_empty() {
            let typed = if odd.is_empty() { Map::new() } else { to_unstructured(&*m)? };
            for o in &mut odd {
                o.2 = typed.get(&o.0).cloned();
            }
            self.0 = Some(Box::new(Inside { members: odd }));
        }
        Ok(())
    }
    /// Takes the values that were kept from where they came from, which text between may have
    /// changed: JSON does not tell 1.0 from 1.
    pub(super) fn take_values(&mut self, m: &dyn Message, from: &Map<String, Value>) {
        for (name, was, _) in self.0.iter_mut().flat_map(|i| &mut i.members) {
            if let Some(v) = from.get(name) {
                *was = v.clone();
            }
        }
        for (name, v) in from.iter().filter(|(_, v)| v.is_f64()) {
            let members = &mut self.0.get_or_insert_default().members;
            if !members.iter().any(|k| k.0 == *name) {
                let typed = to_unstructured(m).unwrap_or_default().get(name).cloned();
                members.push((name.clone(), v.clone(), typed));
            }
        }
    }
    /// The object to write; none when there is nothing and there was none.
    pub(super) fn write(&self, m: &dyn Message) -> Option<Map<String, Value>> {
        let mut o = to_unstructured(m).unwrap_or_default();
        match &self.0 {
            Some(kept) => {
                for (name, was, typed) in &kept.members {
                    if o.get(name) == typed.as_ref() {
                        o.insert(name.clone(), was.clone());
                    }
                }
                Some(o)
            }
            None if o.is_empty() => None,
            None => Some(o),
        }
    }
}

fn clear(f: FieldMut<'_>) {
    match f {
        FieldMut::List(mut l) => l.set_defaults(0),
        FieldMut::Map(mut m) => m.slot().set_empty(),
        FieldMut::OptMsg(mut o) => o.clear(),
        FieldMut::OptLeaf(l) => l.clear(),
        FieldMut::Str(v) => *v = Str::empty(),
        FieldMut::I64(v) => *v = 0,
        FieldMut::OptI64(v) => *v = None,
        FieldMut::OptStr(v) => *v = None,
        _ => {}
    }
}

/// Whether the value that comes next is written again as it is; the parser is somewhere behind
/// or in it afterwards.
fn faithful(t: &Type, flags: u8, p: &mut Parser<'_>, depth: u32) -> bool {
    let omits = flags & (OMITEMPTY | OMITZERO) != 0;
    let Ok(c) = p.peek() else { return false };
    if depth > 50 {
        return false;
    }
    match t {
        Type::Str => c == b'"' && p.string().is_ok_and(|s| !omits || !s.is_empty()),
        Type::OptStr => c == b'"' && p.string().is_ok(),
        Type::I32 | Type::I64 | Type::OptI32 | Type::OptI64 => {
            let optional = matches!(t, Type::OptI32 | Type::OptI64);
            matches!(c, b'-' | b'0'..=b'9') && p.int().is_ok_and(|i| optional || !omits || i != 0)
        }
        Type::Bool => p.bool().is_ok_and(|b| !omits || b),
        Type::OptBool => p.bool().is_ok(),
        Type::Leaf(l) | Type::OptLeaf(l) => match l.name {
            "Time" => c == b'"' && p.string().is_ok_and(is_plain_time),
            "FieldsV1" => c == b'{' && p.raw().is_ok_and(is_without_numbers),
            _ => false,
        },
        Type::List(of) => {
            if c != b'[' {
                return false;
            }
            let Ok(mut more) = p.open(b'[', b']') else { return false };
            if !more && omits {
                return false;
            }
            while more {
                if !faithful(of, 0, p, depth + 1) {
                    return false;
                }
                match p.next(b']') {
                    Ok(next) => more = next,
                    Err(_) => return false,
                }
            }
            true
        }
        Type::Map(of) => {
            if c != b'{' {
                return false;
            }
            let Ok(mut more) = p.open(b'{', b'}') else { return false };
            if !more && omits {
                return false;
            }
            while more {
                if p.key().is_err() || !faithful(of, 0, p, depth + 1) {
                    return false;
                }
                match p.next(b'}') {
                    Ok(next) => more = next,
                    Err(_) => return false,
                }
            }
            true
        }
        Type::Msg(d) | Type::OptMsg(d) => c == b'{' && message(d, p, depth),
        _ => false,
    }
}

/// Whether JSON text has no numbers, of which more than one text is the same.
fn is_without_numbers(text: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().all(|b| {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'-' | b'0'..=b'9' => return quoted,
            _ => {}
        }
        true
    })
}

/// A time as it is written: whole seconds in UTC.
fn is_plain_time(s: &str) -> bool {
    s.len() == 20 && s.ends_with('Z')
}

fn message(d: &'static Desc, p: &mut Parser<'_>, depth: u32) -> bool {
    if d.transparent || d.kind.is_some() {
        return false;
    }
    let Ok(mut more) = p.open(b'{', b'}') else { return false };
    let (mut seen, mut hint) = (0u64, 0);
    while more {
        let Ok(key) = p.key() else { return false };
        let Some(i) = d.find(&key, hint) else { return false };
        hint = i + 1;
        seen |= 1 << (i & 63);
        if !faithful(&d.fields[i].ty, d.fields[i].flags, p, depth + 1) {
            return false;
        }
        match p.next(b'}') {
            Ok(next) => more = next,
            Err(_) => return false,
        }
    }
    // What is always written must have been there.
    d.fields.iter().enumerate().all(|(i, f)| {
        f.flags & (OMITEMPTY | OMITZERO | NOJSON | INLINE) != 0 || seen & (1 << (i & 63)) != 0
    })
}
