//! The JSON codec over the reflective surface.
use super::decoder::{Place, hash};
use super::error::{DecodeError, R, Seg};
use super::writer::{put_bool, put_f64, put_i64, put_str};
use super::{
    ANY, Decoder, Desc, Described, FieldMut, FieldRef, INLINE, KindFacts, ListMut, MapMut, Message,
    NOJSON, OMITEMPTY, OMITZERO, OptMut, Parser, erase_mut, type_meta,
};
use crate::rep::{Bytes, SlotMut, Str};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// Decodes a value from the whole of `text`.
///
/// # Errors
/// The text is not JSON, or a value has the wrong type; unknown members are passed over.
pub fn json_decode<T: Described>(text: &str, cx: &mut Decoder) -> R<T> {
    let mut t = T::default();
    let mut p = Parser::new(text);
    json_merge(erase_mut(&mut t), &mut p, cx)?;
    p.finish()?;
    Ok(t)
}

/// Decodes one value into `m`, which is inside nothing: kind and apiVersion are those of its type.
///
/// # Errors
/// As [`json_decode`].
pub fn json_merge(m: &mut dyn Message, p: &mut Parser<'_>, cx: &mut Decoder) -> R<()> {
    merge(m, p, cx, true)
}

fn merge(m: &mut dyn Message, p: &mut Parser<'_>, cx: &mut Decoder, root: bool) -> R<()> {
    let d = m.desc();
    if p.null()? {
        return Ok(());
    }
    let base = cx.sites(d);
    if d.transparent {
        return field(m.field_mut(0), p, cx, base);
    }
    let mut hint = 0;
    let mut more = p.open(b'{', b'}')?;
    while more {
        let key = p.key()?;
        if let Some(i) = d.find(&key, hint) {
            hint = i + 1;
            if d.fields[i].flags & ANY != 0 {
                any(m.field_mut(i), p, cx).map_err(|e| in_field(e, d, i))?;
            } else {
                field(m.field_mut(i), p, cx, base + i as u32).map_err(|e| in_field(e, d, i))?;
            }
        } else if !inlined(m, &key, p, cx)? {
            unknown(m, &key, p, cx, root).map_err(|e| e.inside(Seg::Key(key.into_owned())))?;
        }
        more = p.next(b'}')?;
    }
    Ok(())
}

/// A member that no field takes: what the object is, or nothing that is known.
fn unknown(
    m: &mut dyn Message,
    key: &str,
    p: &mut Parser<'_>,
    cx: &mut Decoder,
    root: bool,
) -> R<()> {
    if root && ["kind", "apiVersion"].iter().any(|known| key.eq_ignore_ascii_case(known)) {
        cx.said += 1;
    }
    if m.desc().kind.is_none() || !type_meta::is_key(key) {
        cx.count_unknown();
        return p.skip();
    }
    if !p.null()? {
        let said = p.string()?;
        if !root {
            type_meta::set(m, key, Str::new(said));
        }
    }
    Ok(())
}

/// A list of values of Go's `any`: of members that are there twice the last one counts, and they
/// are sorted.
#[cold]
fn any(f: FieldMut<'_>, p: &mut Parser<'_>, cx: &mut Decoder) -> R<()> {
    let FieldMut::List(mut l) = f else { return p.skip() };
    if p.null()? {
        l.slot().set_nil();
        return Ok(());
    }
    // What was there before is replaced, not merged.
    l.slot().set_empty();
    let (mut i, mut text) = (0, Vec::new());
    let mut more = p.open(b'[', b']')?;
    while more {
        text.clear();
        let v = super::json_value(p).map_err(|e| e.inside(Seg::Index(i)))?;
        super::put_any(&v, &mut text);
        let text = std::str::from_utf8(&text).map_err(|_| DecodeError::new("text is not UTF-8"))?;
        value(l.push(), &mut Parser::new(text), cx, 0)?;
        i += 1;
        more = p.next(b']')?;
    }
    Ok(())
}

#[cold]
fn in_field(e: Box<DecodeError>, d: &'static Desc, i: usize) -> Box<DecodeError> {
    e.inside(Seg::Field(d.fields[i].name))
}

/// Decodes one value into a field, sharing nothing.
pub(crate) fn json_into(f: FieldMut<'_>, p: &mut Parser<'_>) -> R<()> {
    value(f, p, &mut Decoder::new(), 0)
}

/// Whether `desc`, or a struct inlined in it, has a member `key`.
fn has_member(desc: &Desc, key: &str) -> bool {
    desc.find(key, 0).is_some()
        || desc.fields.iter().any(|f| {
            f.flags & INLINE != 0
                && match f.ty {
                    super::Type::Msg(d) | super::Type::Emb(d) | super::Type::OptMsg(d) => {
                        has_member(d, key)
                    }
                    _ => false,
                }
        })
}

/// A member that belongs to an inlined struct; `false` when there is none of that name.
fn inlined(m: &mut dyn Message, key: &str, p: &mut Parser<'_>, cx: &mut Decoder) -> R<bool> {
    let d = m.desc();
    for (i, f) in d.fields.iter().enumerate() {
        if f.flags & INLINE == 0 {
            continue;
        }
        let (super::Type::Msg(sd) | super::Type::Emb(sd) | super::Type::OptMsg(sd)) = f.ty else {
            continue;
        };
        if !has_member(sd, key) {
            continue;
        }
        let sub = match m.field_mut(i) {
            FieldMut::Msg(s) => s,
            FieldMut::OptMsg(s) => s.into_message(),
            _ => continue,
        };
        let base = cx.sites(sd);
        return match sd.find(key, 0) {
            Some(j) => field(sub.field_mut(j), p, cx, base + j as u32)
                .map(|()| true)
                .map_err(|e| in_field(e, sd, j)),
            None => inlined(sub, key, p, cx),
        };
    }
    Ok(false)
}

/// Text of the next value when it may be shared, with its hash.
fn shareable<'a>(p: &mut Parser<'a>, cx: &mut Decoder, site: u32) -> R<Option<(&'a str, u64)>> {
    if !cx.is_interning() || !cx.wants(site, 2) {
        return Ok(None);
    }
    p.peek()?;
    let start = p.position();
    let raw = p.raw()?;
    if !cx.wants(site, raw.len()) {
        p.seek(start);
        return Ok(None);
    }
    Ok(Some((raw, hash(raw.as_bytes(), site))))
}

/// A field of a message: lists, maps and pointers may be shared as a whole.
fn field(f: FieldMut<'_>, p: &mut Parser<'_>, cx: &mut Decoder, site: u32) -> R<()> {
    match f {
        FieldMut::OptMsg(o) => opt_message(o, p, cx, site),
        FieldMut::List(mut l) => {
            if p.null()? {
                l.slot().set_nil();
                return Ok(());
            }
            if !l.is_empty() {
                return value(FieldMut::List(l), p, cx, site);
            }
            l.slot().set_empty();
            let Some((raw, h)) = shareable(p, cx, site)? else {
                return value(FieldMut::List(l), p, cx, site);
            };
            let place = Place { site, json: true };
            if cx.find(place, h, raw.as_bytes()).is_some_and(|v| l.slot().adopt(v)) {
                return Ok(());
            }
            p.seek(p.position() - raw.len());
            list(&mut l, p, cx, site)?;
            seal(l.slot(), cx);
            cx.remember(place, h, raw.as_bytes(), l.share());
            Ok(())
        }
        FieldMut::Map(mut m) => {
            if p.null()? {
                m.slot().set_nil();
                return Ok(());
            }
            if !m.is_empty() {
                return value(FieldMut::Map(m), p, cx, site);
            }
            m.slot().set_empty();
            let Some((raw, h)) = shareable(p, cx, site)? else {
                return value(FieldMut::Map(m), p, cx, site);
            };
            let place = Place { site, json: true };
            if cx.find(place, h, raw.as_bytes()).is_some_and(|v| m.slot().adopt(v)) {
                return Ok(());
            }
            p.seek(p.position() - raw.len());
            map(&mut m, p, cx, site)?;
            seal(m.slot(), cx);
            cx.remember(place, h, raw.as_bytes(), m.share());
            Ok(())
        }
        f => value(f, p, cx, site),
    }
}

fn opt_message(mut o: OptMut<'_>, p: &mut Parser<'_>, cx: &mut Decoder, site: u32) -> R<()> {
    if p.null()? {
        o.clear();
        return Ok(());
    }
    if o.get().is_none()
        && let Some((raw, h)) = shareable(p, cx, site)?
    {
        let place = Place { site, json: true };
        if cx.find(place, h, raw.as_bytes()).is_some_and(|v| o.slot().adopt(v)) {
            return Ok(());
        }
        p.seek(p.position() - raw.len());
        merge(o.set(), p, cx, false)?;
        cx.remember(place, h, raw.as_bytes(), o.slot().share());
        return Ok(());
    }
    merge(o.set(), p, cx, false)
}

fn seal(mut slot: SlotMut<'_>, cx: &Decoder) {
    if cx.is_interning() {
        slot.shrink();
    }
}

/// Base64 as Go reads it: bits behind the last byte are passed over.
pub(crate) static BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Bytes as a list of numbers, which Go takes as well.
#[cold]
fn bytes_of_list(p: &mut Parser<'_>) -> R<Bytes> {
    let mut out = Vec::new();
    let mut more = p.open(b'[', b']')?;
    while more {
        let at = p.position();
        let v = if p.null()? { 0 } else { p.int()? };
        out.push(
            u8::try_from(v)
                .map_err(|_| DecodeError::at(format!("number {v} is not a byte"), at))?,
        );
        more = p.next(b']')?;
    }
    Ok(Bytes::from(out))
}

fn decode_base64(p: &mut Parser<'_>) -> R<Bytes> {
    if p.peek()? == b'[' {
        return bytes_of_list(p);
    }
    let at = p.position();
    let text = p.string()?;
    // Go ignores line breaks inside base64.
    let decoded = if text.contains(['\n', '\r']) {
        BASE64.decode(text.replace(['\n', '\r'], ""))
    } else {
        BASE64.decode(text)
    };
    decoded.map(Bytes::from).map_err(|e| DecodeError::at(format!("illegal base64 data: {e}"), at))
}

fn value(f: FieldMut<'_>, p: &mut Parser<'_>, cx: &mut Decoder, site: u32) -> R<()> {
    use FieldMut as F;
    match f {
        F::Msg(m) => return merge(m, p, cx, false),
        F::Leaf(l) => return l.json_get(p, cx, site),
        F::OptMsg(mut o) => {
            if p.null()? {
                o.clear();
                return Ok(());
            }
            return merge(o.set(), p, cx, false);
        }
        F::OptLeaf(o) => {
            if p.null()? {
                o.clear();
                return Ok(());
            }
            return o.set().json_get(p, cx, site);
        }
        _ => {}
    }
    if p.null()? {
        match f {
            F::OptStr(v) => *v = None,
            F::OptI32(v) => *v = None,
            F::OptI64(v) => *v = None,
            F::OptBool(v) => *v = None,
            F::OptF64(v) => *v = None,
            F::Bytes(v) => *v = Bytes::new(),
            // As in Go, null leaves other values as they are.
            _ => {}
        }
        return Ok(());
    }
    match f {
        F::Str(v) => *v = text(p, cx, site)?,
        F::I32(v) => *v = p.int32()?,
        F::I64(v) => *v = p.int()?,
        F::Bool(v) => *v = p.bool()?,
        F::F64(v) => *v = p.f64()?,
        F::Bytes(v) => *v = decode_base64(p)?,
        F::OptStr(v) => *v = Some(text(p, cx, site)?),
        F::OptI32(v) => *v = Some(p.int32()?),
        F::OptI64(v) => *v = Some(p.int()?),
        F::OptBool(v) => *v = Some(p.bool()?),
        F::OptF64(v) => *v = Some(p.f64()?),
        F::List(mut l) => return list(&mut l, p, cx, site),
        F::Map(mut m) => return map(&mut m, p, cx, site),
        F::Msg(_) | F::Leaf(_) | F::OptMsg(_) | F::OptLeaf(_) => unreachable!("handled above"),
    }
    Ok(())
}

fn list(l: &mut ListMut<'_>, p: &mut Parser<'_>, cx: &mut Decoder, site: u32) -> R<()> {
    // As in Go, the elements of a list that is there twice are merged by their places.
    let before = l.len();
    if before == 0 {
        l.slot().set_empty();
    }
    let mut i = 0;
    let mut more = p.open(b'[', b']')?;
    while more {
        let element = if i < before { l.at_mut(i) } else { l.push() };
        value(element, p, cx, site).map_err(|e| e.inside(Seg::Index(i)))?;
        i += 1;
        more = p.next(b']')?;
    }
    if i < before {
        l.truncate(i);
    }
    Ok(())
}

fn map(m: &mut MapMut<'_>, p: &mut Parser<'_>, cx: &mut Decoder, site: u32) -> R<()> {
    if m.is_nil() {
        m.slot().set_empty();
    }
    let mut more = p.open(b'{', b'}')?;
    while more {
        let key = p.key()?;
        let slot = m.fresh_entry(cx.str(site, &key));
        value(slot, p, cx, site).map_err(|e| e.inside(Seg::Key(key.into_owned())))?;
        more = p.next(b'}')?;
    }
    Ok(())
}

fn text(p: &mut Parser<'_>, cx: &mut Decoder, site: u32) -> R<Str> {
    Ok(cx.str(site, p.string()?))
}

/// Writes `m` as JSON, without kind and apiVersion.
pub fn json_put(m: &dyn Message, out: &mut Vec<u8>) {
    put(m, out, Head::Nothing);
}

/// Writes `m` as JSON, with kind and apiVersion first when it is a kind.
pub fn json_put_kind(m: &dyn Message, out: &mut Vec<u8>) {
    put(m, out, m.desc().kind.map_or(Head::Nothing, Head::Kind));
}

/// What an object begins with.
enum Head {
    Nothing,
    /// What its type is.
    Kind(&'static KindFacts),
    /// What it says of itself inside another.
    Said,
}

fn put(m: &dyn Message, out: &mut Vec<u8>, head: Head) {
    let d = m.desc();
    if d.transparent {
        put_value(m.field(0), out);
        return;
    }
    out.push(b'{');
    let mut first = true;
    if let Head::Kind(k) = head {
        out.extend_from_slice(b"\"kind\":");
        put_str(out, k.kind);
        out.extend_from_slice(b",\"apiVersion\":\"");
        if !k.group.is_empty() {
            out.extend_from_slice(k.group.as_bytes());
            out.push(b'/');
        }
        out.extend_from_slice(k.version.as_bytes());
        out.push(b'"');
        first = false;
    } else if let (Head::Said, Some(_)) = (head, d.kind) {
        for (name, said) in type_meta::members(m) {
            out.extend_from_slice(if first { b"\"" } else { b",\"" });
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            put_str(out, said);
            first = false;
        }
    }
    put_fields(m, out, &mut first);
    out.push(b'}');
}

fn put_fields(m: &dyn Message, out: &mut Vec<u8>, first: &mut bool) {
    let fields = m.fields();
    for (i, f) in fields.desc().fields.iter().enumerate() {
        let v = fields.get(i);
        if f.flags & INLINE != 0 {
            if let FieldRef::Msg(s) | FieldRef::OptMsg(Some(s)) = v {
                put_fields(s, out, first);
            }
            continue;
        }
        if f.flags & NOJSON != 0
            || (f.flags & OMITEMPTY != 0 && is_empty(v))
            || (f.flags & OMITZERO != 0 && is_zero(v))
        {
            continue;
        }
        if *first {
            *first = false;
        } else {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(f.name.as_bytes());
        out.extend_from_slice(b"\":");
        if f.flags & ANY != 0 {
            put_any(v, out);
            continue;
        }
        put_value(v, out);
    }
}

/// A list of values of Go's `any`, in Go's form.
#[cold]
fn put_any(v: FieldRef<'_>, out: &mut Vec<u8>) {
    let mut text = Vec::new();
    put_value(v, &mut text);
    let read = std::str::from_utf8(&text).map(|text| super::json_value(&mut Parser::new(text)));
    match read {
        Ok(Ok(v)) => super::put_value(&v, out),
        // What was put there by hand is written as it is.
        _ => out.extend_from_slice(&text),
    }
}

/// Go's notion of empty for `omitempty`: structs never are.
pub(crate) fn is_empty(v: FieldRef<'_>) -> bool {
    use FieldRef as F;
    match v {
        F::Str(v) => v.is_empty(),
        F::I32(v) => *v == 0,
        F::I64(v) => *v == 0,
        F::Bool(v) => !*v,
        F::F64(v) => *v == 0.0,
        F::Bytes(v) => v.is_empty(),
        F::OptStr(v) => v.is_none(),
        F::OptI32(v) => v.is_none(),
        F::OptI64(v) => v.is_none(),
        F::OptBool(v) => v.is_none(),
        F::OptF64(v) => v.is_none(),
        F::OptMsg(v) => v.is_none(),
        F::OptLeaf(v) => v.is_none(),
        F::Msg(_) | F::Leaf(_) => false,
        F::List(v) => v.is_empty(),
        F::Map(v) => v.is_empty(),
    }
}

/// Go's notion of zero for `omitzero`: leaves ask themselves (`IsZero`), lists and maps are zero
/// when nil, structs when all fields are.
pub(crate) fn is_zero(v: FieldRef<'_>) -> bool {
    use FieldRef as F;
    match v {
        F::Leaf(v) => v.is_zero(),
        F::Bytes(v) => v.is_nil(),
        F::List(v) => v.is_nil(),
        F::Map(v) => v.is_nil(),
        F::Msg(m) => m.fields().iter().all(is_zero),
        v => is_empty(v),
    }
}

fn put_value(v: FieldRef<'_>, out: &mut Vec<u8>) {
    use FieldRef as F;
    match v {
        F::Str(v) | F::OptStr(Some(v)) => put_str(out, v),
        F::I32(v) | F::OptI32(Some(v)) => put_i64(out, i64::from(*v)),
        F::I64(v) | F::OptI64(Some(v)) => put_i64(out, *v),
        F::Bool(v) | F::OptBool(Some(v)) => put_bool(out, *v),
        F::F64(v) | F::OptF64(Some(v)) => put_f64(out, *v),
        F::Bytes(v) if !v.is_nil() => {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(v).as_bytes());
            out.push(b'"');
        }
        F::Msg(m) | F::OptMsg(Some(m)) => put(m, out, Head::Said),
        F::Leaf(l) | F::OptLeaf(Some(l)) => l.json_put(out),
        F::List(l) if !l.is_nil() => {
            out.push(b'[');
            for i in 0..l.len() {
                if i > 0 {
                    out.push(b',');
                }
                put_value(l.at(i), out);
            }
            out.push(b']');
        }
        F::Map(m) if !m.is_nil() => {
            out.push(b'{');
            for i in 0..m.len() {
                if i > 0 {
                    out.push(b',');
                }
                let (key, v) = m.at(i);
                put_str(out, key);
                out.push(b':');
                put_value(v, out);
            }
            out.push(b'}');
        }
        _ => out.extend_from_slice(b"null"),
    }
}
