//! Whether protobuf bytes say what a value in memory says already, without decoding them.
use super::wire::{self, Reader};
use super::{FieldRef, ListRef, MapRef, Message, NO_FIELD};

/// Whether `raw`, consecutive records of field `num`, is what `list` would be written as.
pub(super) fn list(num: u32, list: ListRef<'_>, raw: &[u8]) -> bool {
    whole(num, FieldRef::List(list), raw)
}

/// Whether `raw`, consecutive records of field `num`, is what `map` would be written as.
pub(super) fn map(num: u32, map: MapRef<'_>, raw: &[u8]) -> bool {
    whole(num, FieldRef::Map(map), raw)
}

fn whole(num: u32, f: FieldRef<'_>, raw: &[u8]) -> bool {
    let mut r = Reader::new(raw);
    field(num, f, &mut r).is_some() && !r.more()
}

/// The fields of a message in the order of their numbers, as Go writes them.
fn message(m: &dyn Message, raw: &[u8]) -> Option<()> {
    let d = m.desc();
    let mut r = Reader::new(raw);
    let fields = m.fields();
    for (num, &i) in d.by_num.iter().enumerate() {
        if i != NO_FIELD {
            field(num as u32, fields.get(usize::from(i)), &mut r)?;
        }
    }
    (!r.more()).then_some(())
}

/// Reads what `f` would be written as; `None` where something else stands.
fn field(num: u32, f: FieldRef<'_>, r: &mut Reader<'_>) -> Option<()> {
    use FieldRef as F;
    let int = |r: &mut Reader<'_>, v: u64| -> Option<()> {
        tag(r, num, wire::VARINT)?;
        (r.varint().ok()? == v).then_some(())
    };
    let double = |r: &mut Reader<'_>, v: f64| -> Option<()> {
        tag(r, num, wire::FIXED64)?;
        (r.f64().ok()?.to_bits() == v.to_bits()).then_some(())
    };
    match f {
        F::Str(v) => (bytes(r, num)? == v.as_bytes()).then_some(()),
        F::I32(v) => int(r, i64::from(*v) as u64),
        F::I64(v) => int(r, *v as u64),
        F::Bool(v) => int(r, u64::from(*v)),
        F::F64(v) => double(r, *v),
        F::Bytes(v) if v.is_nil() => Some(()),
        F::Bytes(v) => (bytes(r, num)? == &**v).then_some(()),
        F::OptStr(Some(v)) => (bytes(r, num)? == v.as_bytes()).then_some(()),
        F::OptI32(Some(v)) => int(r, i64::from(*v) as u64),
        F::OptI64(Some(v)) => int(r, *v as u64),
        F::OptBool(Some(v)) => int(r, u64::from(*v)),
        F::OptF64(Some(v)) => double(r, *v),
        F::OptStr(None)
        | F::OptI32(None)
        | F::OptI64(None)
        | F::OptBool(None)
        | F::OptF64(None)
        | F::OptMsg(None)
        | F::OptLeaf(None) => Some(()),
        F::Msg(m) if m.desc().transparent && is_nil(m) => Some(()),
        F::Msg(m) | F::OptMsg(Some(m)) => message(m, bytes(r, num)?),
        F::Leaf(l) | F::OptLeaf(Some(l)) => l.pb_same(bytes(r, num)?).then_some(()),
        F::List(l) => (0..l.len()).try_for_each(|i| field(num, l.at(i), r)),
        F::Map(m) => (0..m.len()).try_for_each(|i| {
            let (key, v) = m.at(i);
            let mut entry = Reader::new(bytes(r, num)?);
            if bytes(&mut entry, 1)? != key.as_bytes() {
                return None;
            }
            field(2, v, &mut entry)?;
            (!entry.more()).then_some(())
        }),
    }
}

/// A named Go slice that is nil is not written.
fn is_nil(m: &dyn Message) -> bool {
    matches!(m.field(0), FieldRef::List(l) if l.is_nil())
}

fn tag(r: &mut Reader<'_>, num: u32, wire: u32) -> Option<()> {
    (r.tag().ok()? == (num, wire)).then_some(())
}

fn bytes<'b>(r: &mut Reader<'b>, num: u32) -> Option<&'b [u8]> {
    tag(r, num, wire::BYTES)?;
    r.bytes().ok()
}
