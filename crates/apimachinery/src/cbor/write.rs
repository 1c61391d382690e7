//! Writing CBOR data items: in the shortest form, keys sorted by their encoded bytes.
use crate::Error;
use crate::reflect::{
    FieldRef, INLINE, Message, NOJSON, OMITEMPTY, OMITZERO, Parser, is_empty, is_zero, json_value,
    type_meta,
};
use serde_json::Value;

/// The head of a data item.
pub(super) fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..=23 => out.push(major | argument as u8),
        24..=0xff => out.extend_from_slice(&[major | 24, bytes[7]]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

/// A string: a byte string, whose contents nobody has to check.
pub(super) fn string(s: &str, out: &mut Vec<u8>) {
    head(2, s.len() as u64, out);
    out.extend_from_slice(s.as_bytes());
}

fn int(v: i64, out: &mut Vec<u8>) {
    match u64::try_from(v) {
        Ok(v) => head(0, v, out),
        Err(_) => head(1, !v as u64, out),
    }
}

fn float(v: f64, out: &mut Vec<u8>) -> Result<(), Error> {
    if !v.is_finite() {
        return Err(Error::encode(format!("{v} has no form in CBOR that is accepted")));
    }
    let single = v as f32;
    if f64::from(single) != v {
        out.push(0xfb);
        out.extend_from_slice(&v.to_bits().to_be_bytes());
    } else if let Some(half) = half(single) {
        out.push(0xf9);
        out.extend_from_slice(&half.to_be_bytes());
    } else {
        out.push(0xfa);
        out.extend_from_slice(&single.to_bits().to_be_bytes());
    }
    Ok(())
}

/// A number of half precision, when that holds it.
fn half(v: f32) -> Option<u16> {
    let bits = v.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let (exponent, fraction) = ((bits >> 23 & 0xff) as i32 - 127, bits & 0x7f_ffff);
    if bits << 1 == 0 {
        return Some(sign);
    }
    if (-14..=15).contains(&exponent) {
        return (fraction & 0x1fff == 0)
            .then_some(sign | ((exponent + 15) as u16) << 10 | (fraction >> 13) as u16);
    }
    if (-24..-14).contains(&exponent) {
        // Below the smallest normal number.
        let whole = fraction | 0x80_0000;
        let shift = (-exponent - 1) as u32;
        return (whole & ((1 << shift) - 1) == 0).then_some(sign | (whole >> shift) as u16);
    }
    None
}

/// Sorts as the encoded keys are sorted: shorter ones first.
pub(super) fn by_key(a: &str, b: &str) -> std::cmp::Ordering {
    (a.len(), a).cmp(&(b.len(), b))
}

/// A value.
///
/// # Errors
/// Never, of values that JSON can hold.
pub(super) fn value(v: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
    match v {
        Value::Null => out.push(0xf6),
        Value::Bool(b) => out.push(0xf4 | u8::from(*b)),
        Value::Number(n) => match n.as_i64() {
            Some(i) => int(i, out),
            None => float(n.as_f64().unwrap_or(0.0), out)?,
        },
        Value::String(s) => string(s, out),
        Value::Array(a) => {
            head(4, a.len() as u64, out);
            a.iter().try_for_each(|v| value(v, out))?;
        }
        Value::Object(o) => {
            let mut members: Vec<_> = o.iter().collect();
            members.sort_unstable_by(|a, b| by_key(a.0, b.0));
            head(5, o.len() as u64, out);
            for (key, v) in members {
                string(key, out);
                value(v, out)?;
            }
        }
    }
    Ok(())
}

enum Member<'a> {
    Text(String),
    Field(FieldRef<'a>),
}

fn members<'a>(m: &'a dyn Message, out: &mut Vec<(&'static str, Member<'a>)>) {
    for (f, v) in m.desc().fields.iter().zip(m.fields().iter()) {
        if f.flags & INLINE != 0 {
            if let FieldRef::Msg(s) | FieldRef::OptMsg(Some(s)) = v {
                members(s, out);
            }
        } else if f.flags & NOJSON == 0
            && !(f.flags & OMITEMPTY != 0 && is_empty(v))
            && !(f.flags & OMITZERO != 0 && is_zero(v))
        {
            out.push((f.name, Member::Field(v)));
        }
    }
}

/// A typed value, with kind and apiVersion when `root` and it is a kind.
pub(super) fn message(m: &dyn Message, root: bool, out: &mut Vec<u8>) -> Result<(), Error> {
    let d = m.desc();
    if d.transparent {
        return field(m.field(0), out);
    }
    let mut all = Vec::new();
    members(m, &mut all);
    if let (true, Some(k)) = (root, d.kind) {
        let dash = if k.group.is_empty() { "" } else { "/" };
        all.push(("kind", Member::Text(k.kind.to_owned())));
        all.push(("apiVersion", Member::Text(format!("{}{dash}{}", k.group, k.version))));
    } else if !root {
        all.extend(type_meta::members(m).map(|(name, said)| (name, Member::Text(said.to_owned()))));
    }
    all.sort_by(|a, b| by_key(a.0, b.0));
    head(5, all.len() as u64, out);
    for (name, member) in all {
        string(name, out);
        match member {
            Member::Text(s) => string(&s, out),
            Member::Field(f) => field(f, out)?,
        }
    }
    Ok(())
}

fn field(v: FieldRef<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    use FieldRef as F;
    match v {
        F::Str(v) | F::OptStr(Some(v)) => string(v, out),
        F::I32(v) | F::OptI32(Some(v)) => int(i64::from(*v), out),
        F::I64(v) | F::OptI64(Some(v)) => int(*v, out),
        F::Bool(v) | F::OptBool(Some(v)) => out.push(0xf4 | u8::from(*v)),
        F::F64(v) | F::OptF64(Some(v)) => float(*v, out)?,
        F::Bytes(v) if !v.is_nil() => {
            // Tag 22: in JSON, these bytes are base64.
            out.push(0xd6);
            head(2, v.len() as u64, out);
            out.extend_from_slice(v);
        }
        F::Msg(m) | F::OptMsg(Some(m)) => message(m, false, out)?,
        F::Leaf(l) | F::OptLeaf(Some(l)) => {
            let mut text = Vec::new();
            l.json_put(&mut text);
            let mut p = Parser::new(crate::codec::text(&text)?);
            let v = json_value(&mut p).and_then(|v| p.finish().map(|()| v));
            let v = v.map_err(|e| Error::encode(format!("{}: {e}", l.leaf_desc().name)))?;
            if l.leaf_desc().name == "FieldsV1" && !matches!(v, Value::Object(_) | Value::Null) {
                return Err(Error::encode(crate::reflect::NO_FIELDS));
            }
            value(&v, out)?;
        }
        F::List(l) if !l.is_nil() => {
            head(4, l.len() as u64, out);
            (0..l.len()).try_for_each(|i| field(l.at(i), out))?;
        }
        F::Map(m) if !m.is_nil() => {
            let mut order: Vec<usize> = (0..m.len()).collect();
            order.sort_unstable_by(|a, b| by_key(m.at(*a).0, m.at(*b).0));
            head(5, m.len() as u64, out);
            for i in order {
                let (key, v) = m.at(i);
                string(key, out);
                field(v, out)?;
            }
        }
        _ => out.push(0xf6),
    }
    Ok(())
}
