//! The protobuf codec over the reflective surface.
use super::decoder::{Place, hash};
use super::error::{DecodeError, R, Seg};
use super::wire::{self, Reader, Writer, expect_wire};
use super::{
    Decoder, Desc, Described, FieldMut, FieldRef, Fields, FieldsMut, Leaf, Message, NO_FIELD, Type,
    erase_mut, same,
};
use crate::rep::{Bytes, SlotMut, Str};

/// Deepest nesting of messages.
const MAX_DEPTH: u32 = super::parser::MAX_DEPTH;

/// Decodes a message.
///
/// # Errors
/// The bytes are not a message of this type; unknown fields are passed over.
pub fn pb_decode<T: Described>(b: &[u8], cx: &mut Decoder) -> R<T> {
    let mut t = T::default();
    pb_merge(erase_mut(&mut t), b, cx)?;
    Ok(t)
}

/// Decodes into `m`: lists grow, other fields are replaced, messages are merged.
///
/// # Errors
/// As [`pb_decode`].
pub fn pb_merge(m: &mut dyn Message, b: &[u8], cx: &mut Decoder) -> R<()> {
    let depth = cx.depth;
    merge(m.fields_mut(), None, b, cx, depth)
}

/// As [`pb_merge`] into a new message that is thought to be much like `old`: what the bytes leave
/// as it was is shared with it instead of being looked for or decoded.
///
/// # Errors
/// As [`pb_decode`].
pub fn pb_merge_over(m: &mut dyn Message, old: &dyn Message, b: &[u8], cx: &mut Decoder) -> R<()> {
    let depth = cx.depth;
    let old = std::ptr::eq(m.desc(), old.desc()).then_some(old);
    merge(m.fields_mut(), old.map(|old| old.fields()), b, cx, depth)
}

/// Decodes into `fields`, which are thought to be much like `old`.
fn merge(
    mut fields: FieldsMut<'_>,
    old: Option<Fields<'_>>,
    b: &[u8],
    cx: &mut Decoder,
    depth: u32,
) -> R<()> {
    if depth > MAX_DEPTH {
        return Err(DecodeError::new(format!("nested more than {MAX_DEPTH} levels deep")));
    }
    let d = fields.desc();
    let base = cx.sites(d);
    let mut r = Reader::new(b);
    while r.more() {
        let start = r.position();
        let (num, wire) = r.tag()?;
        match d.by_num.get(num as usize) {
            Some(&i) if i != NO_FIELD => {
                let site = base + u32::from(i);
                let i = usize::from(i);
                let done = match fields.inner(i) {
                    Some(inner) if !inner.desc().transparent && wire == wire::BYTES => {
                        let old = old.and_then(|old| old.inner(i));
                        r.bytes().and_then(|b| merge(inner, old, b, cx, depth + 1))
                    }
                    _ => match fields.get(i) {
                        // Scalars here: these are the most common by far.
                        FieldMut::Str(v) if wire == wire::BYTES => {
                            r.bytes().and_then(|b| cx.text(site, b)).map(|s| *v = s)
                        }
                        FieldMut::Bool(v) if wire == wire::VARINT => {
                            r.varint().map(|n| *v = n != 0)
                        }
                        FieldMut::I32(v) if wire == wire::VARINT => {
                            r.varint().map(|n| *v = n as i32)
                        }
                        FieldMut::OptBool(v) if wire == wire::VARINT => {
                            r.varint().map(|n| *v = Some(n != 0))
                        }
                        FieldMut::OptI64(v) if wire == wire::VARINT => {
                            r.varint().map(|n| *v = Some(n as i64))
                        }
                        f => {
                            let from = Record { start, num, wire };
                            let old = old.map(|old| old.get(i));
                            field(f, old, from, &mut r, cx, site, depth)
                        }
                    },
                };
                if let Err(e) = done {
                    return Err(in_field(e, d, i));
                }
            }
            _ => {
                r.skip(wire)?;
                cx.count_unknown();
            }
        }
    }
    Ok(())
}

#[cold]
fn in_field(e: Box<DecodeError>, d: &'static Desc, i: usize) -> Box<DecodeError> {
    e.inside(Seg::Field(d.fields[i].name))
}

/// Where a record began, and its tag.
#[derive(Clone, Copy)]
struct Record {
    start: usize,
    num: u32,
    wire: u32,
}

/// A field of a message: lists, maps and pointers may be shared as a whole.
#[allow(clippy::too_many_arguments)] // one value each, on a hot path
#[inline(never)]
fn field<'a>(
    f: FieldMut<'_>,
    old: Option<FieldRef<'a>>,
    rec: Record,
    r: &mut Reader<'_>,
    cx: &mut Decoder,
    site: u32,
    depth: u32,
) -> R<()> {
    match f {
        FieldMut::OptMsg(mut o) => {
            expect_wire(rec.wire, wire::BYTES)?;
            let b = r.bytes()?;
            if o.is_none() && cx.wants(site, b.len()) {
                let place = Place { site, json: false };
                let h = hash(b, site);
                if cx.find(place, h, b).is_some_and(|v| o.slot().adopt(v)) {
                    return Ok(());
                }
                merge(o.fields(), message_of(old), b, cx, depth + 1)?;
                cx.remember(place, h, b, o.slot().share());
                return Ok(());
            }
            merge(o.fields(), message_of(old), b, cx, depth + 1)
        }
        FieldMut::List(mut l) if rec.wire == wire::BYTES => {
            let (raw, n) = r.run(rec.start, rec.num, rec.wire)?;
            let fresh = l.is_empty();
            let old = match old {
                Some(FieldRef::List(old)) if fresh => Some(old),
                _ => None,
            };
            if let Some(old) = old
                && old.len() == n
                && same::list(rec.num, old, raw)
                && old.share().is_some_and(|h| l.slot().adopt(&h))
            {
                return Ok(());
            }
            let place = Place { site, json: false };
            let h = if fresh && cx.wants(site, raw.len()) {
                let h = hash(raw, site);
                if cx.find(place, h, raw).is_some_and(|v| l.slot().adopt(v)) {
                    return Ok(());
                }
                Some(h)
            } else {
                None
            };
            let mut q = Reader::new(raw);
            if fresh {
                l.set_defaults(n);
            }
            if fresh {
                let mut slots = l.elements();
                for i in 0..n {
                    q.tag()?;
                    let old = old.filter(|old| i < old.len()).map(|old| old.at(i));
                    match slots.message(i) {
                        Some(m) => merge(m, message_of(old), q.bytes()?, cx, depth + 1),
                        None => value(slots.at(i), old, wire::BYTES, &mut q, cx, site, depth),
                    }
                    .map_err(|e| e.inside(Seg::Index(i)))?;
                }
            } else {
                let first = l.len();
                for i in first..first + n {
                    q.tag()?;
                    value(l.push(), None, wire::BYTES, &mut q, cx, site, depth)
                        .map_err(|e| e.inside(Seg::Index(i)))?;
                }
            }
            if let Some(h) = h {
                cx.remember(place, h, raw, l.share());
            }
            Ok(())
        }
        FieldMut::List(mut l) => value(l.push(), None, rec.wire, r, cx, site, depth),
        FieldMut::Map(mut m) => {
            expect_wire(rec.wire, wire::BYTES)?;
            let (raw, n) = r.run(rec.start, rec.num, rec.wire)?;
            if let Some(FieldRef::Map(old)) = old
                && m.is_empty()
                && old.len() == n
                && same::map(rec.num, old, raw)
                && old.share().is_some_and(|h| m.slot().adopt(&h))
            {
                return Ok(());
            }
            let place = Place { site, json: false };
            let h = if m.is_empty() && cx.wants(site, raw.len()) {
                let h = hash(raw, site);
                if cx.find(place, h, raw).is_some_and(|v| m.slot().adopt(v)) {
                    return Ok(());
                }
                Some(h)
            } else {
                None
            };
            let wire = wire_of(m.of());
            let mut overruns = false;
            // Entries mostly are as Go writes them: then their places are known beforehand.
            let plain = if m.is_empty() { plain_entries(raw, n, wire) } else { None };
            let mut q = Reader::new(if plain.is_some() { b"" } else { raw });
            let plain = plain.unwrap_or_default();
            if !plain.is_empty() {
                m.set_entries(n);
            }
            for (i, (key, mut v)) in plain.into_iter().enumerate() {
                let mut slot = m.set_key(i, cx.text(site, key)?);
                never_nil(&mut slot);
                value(slot, None, wire, &mut v, cx, site, depth)
                    .map_err(|e| e.inside(Seg::Key(String::from_utf8_lossy(key).into_owned())))?;
            }
            while q.more() {
                q.tag()?;
                let len = q.bytes()?.len();
                let end = rec.start + q.position();
                let entry = wire::map_entry(r.all(), end - len, end, wire)?;
                overruns |= entry.overruns;
                let key = cx.str(site, wire::utf8(entry.key)?);
                for mut v in entry.earlier {
                    value(m.fresh_entry(key.clone()), None, wire, &mut v, cx, site, depth)?;
                }
                let mut slot = m.fresh_entry(key.clone());
                never_nil(&mut slot);
                if let (None, FieldMut::Bytes(b)) = (&entry.value, &mut slot) {
                    **b = Bytes::from(Vec::new());
                }
                if let Some(mut v) = entry.value {
                    value(slot, None, wire, &mut v, cx, site, depth)
                        .map_err(|e| e.inside(Seg::Key(key.to_string())))?;
                }
            }
            seal(m.slot(), cx);
            if let Some(h) = h.filter(|_| !overruns) {
                cx.remember(place, h, raw, m.share());
            }
            Ok(())
        }
        FieldMut::Msg(m) if m.desc().transparent => {
            expect_wire(rec.wire, wire::BYTES)?;
            if let FieldMut::List(mut l) = m.field_mut(0)
                && l.is_nil()
            {
                l.slot().set_empty();
            }
            merge(m.fields_mut(), message_of(old), r.bytes()?, cx, depth + 1)
        }
        f => value(f, old, rec.wire, r, cx, site, depth),
    }
}

/// The wire type of values of a map.
fn wire_of(t: &Type) -> u32 {
    match t {
        Type::I32 | Type::I64 | Type::Bool => wire::VARINT,
        Type::F64 => wire::FIXED64,
        _ => wire::BYTES,
    }
}

fn message_of(f: Option<FieldRef<'_>>) -> Option<Fields<'_>> {
    match f {
        Some(FieldRef::Msg(m) | FieldRef::OptMsg(Some(m))) => Some(m.fields()),
        _ => None,
    }
}

/// All entries, when each is a key and then a value, and the keys ascend.
fn plain_entries<'a>(raw: &'a [u8], n: usize, wire: u32) -> Option<Vec<(&'a [u8], Reader<'a>)>> {
    let mut q = Reader::new(raw);
    let mut entries: Vec<(&[u8], Reader<'a>)> = Vec::with_capacity(n);
    while q.more() {
        q.tag().ok()?;
        let entry = wire::plain_entry(q.bytes().ok()?, wire)?;
        if entries.last().is_some_and(|last| last.0 >= entry.0) {
            return None;
        }
        entries.push(entry);
    }
    Some(entries)
}

/// As in Go, a named slice that is a value is never nil.
#[inline]
fn never_nil(slot: &mut FieldMut<'_>) {
    if let FieldMut::Msg(t) = slot
        && t.desc().transparent
        && let FieldMut::List(mut l) = t.field_mut(0)
        && l.is_nil()
    {
        l.slot().set_empty();
    }
}

/// Long-lived objects give back the room that growing left over.
fn seal(mut slot: SlotMut<'_>, cx: &Decoder) {
    if cx.is_interning() {
        slot.shrink();
    }
}

/// A leaf, which may hold messages: how deep it is goes with the decoder.
fn leaf(l: &mut dyn Leaf, b: &[u8], cx: &mut Decoder, site: u32, depth: u32) -> R<()> {
    let outer = std::mem::replace(&mut cx.depth, depth + 1);
    let done = l.pb_merge(b, cx, site);
    cx.depth = outer;
    done
}

/// A single value.
#[allow(clippy::too_many_arguments)] // one value each, on a hot path
fn value<'a>(
    f: FieldMut<'_>,
    old: Option<FieldRef<'a>>,
    wire: u32,
    r: &mut Reader<'_>,
    cx: &mut Decoder,
    site: u32,
    depth: u32,
) -> R<()> {
    use FieldMut as F;
    let int = |r: &mut Reader<'_>| {
        expect_wire(wire, wire::VARINT)?;
        r.varint()
    };
    let double = |r: &mut Reader<'_>| {
        expect_wire(wire, wire::FIXED64)?;
        r.f64()
    };
    let text = |r: &mut Reader<'_>, cx: &mut Decoder| -> R<Str> {
        expect_wire(wire, wire::BYTES)?;
        let b = r.bytes()?;
        match old {
            Some(FieldRef::Str(old) | FieldRef::OptStr(Some(old))) if old.as_bytes() == b => {
                Ok(old.clone())
            }
            _ => cx.text(site, b),
        }
    };
    match f {
        F::Str(v) => *v = text(r, cx)?,
        F::I32(v) => *v = int(r)? as i32,
        F::I64(v) => *v = int(r)? as i64,
        F::Bool(v) => *v = int(r)? != 0,
        F::F64(v) => *v = double(r)?,
        F::OptStr(v) => *v = Some(text(r, cx)?),
        F::OptI32(v) => *v = Some(int(r)? as i32),
        F::OptI64(v) => *v = Some(int(r)? as i64),
        F::OptBool(v) => *v = Some(int(r)? != 0),
        F::OptF64(v) => *v = Some(double(r)?),
        F::List(mut l) => return value(l.push(), None, wire, r, cx, site, depth),
        other => {
            expect_wire(wire, wire::BYTES)?;
            let b = r.bytes()?;
            match other {
                F::Bytes(v) => *v = Bytes::from(b),
                F::Msg(m) => return merge(m.fields_mut(), message_of(old), b, cx, depth + 1),
                F::OptMsg(o) => {
                    return merge(o.into_fields(), message_of(old), b, cx, depth + 1);
                }
                F::Leaf(l) => return leaf(l, b, cx, site, depth),
                F::OptLeaf(o) => return leaf(o.set(), b, cx, site, depth),
                _ => return Err(DecodeError::new("maps cannot be nested in protobuf")),
            }
        }
    }
    Ok(())
}

/// Writes the body of `m`.
pub fn pb_put(m: &dyn Message, w: &mut Writer) {
    crate::rep::put_message(m, w);
}
