//! Protobuf from tables: a value known by its description is written from its end to its start, so
//! that every length is known when it is written. Nothing is collected and no field is looked at
//! twice. The argument for reading by description: [`plan`](super::plan).
use super::heap::{self, Header};
use super::plan::{Elements, KEY};
use super::table::Message;
use super::tail::Tag;
use crate::reflect::{Desc, NO_FIELD, Type, Writer};

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;

/// A field that is in protobuf.
pub(super) struct Op {
    at: u32,
    tag: Tag,
    /// Whether nothing is written where a null pointer stands.
    skips_null: bool,
    ty: Type,
}

/// What is to be written of a value, the highest field number first.
pub(super) fn ops(d: &'static Desc) -> Box<[Op]> {
    let fields = d.by_num.iter().filter(|&&i| i != NO_FIELD).map(|&i| &d.fields[usize::from(i)]);
    fields
        .rev()
        .map(|f| Op {
            at: f.offset,
            tag: Tag::new(f.num, wire(&f.ty)),
            skips_null: skips_null(&f.ty),
            ty: f.ty,
        })
        .collect()
}

fn skips_null(t: &Type) -> bool {
    match t {
        Type::OptMsg(_) | Type::List(_) | Type::Map(_) | Type::Bytes | Type::OptStr => true,
        // A named Go slice that is nil is not written, an empty one is.
        Type::Msg(d) if d.transparent => match d.fields {
            [only] => only.offset == 0 && matches!(only.ty, Type::List(_)),
            _ => false,
        },
        _ => false,
    }
}

const fn wire(t: &Type) -> u32 {
    match t {
        Type::Bool | Type::I32 | Type::I64 => VARINT,
        Type::OptBool | Type::OptI32 | Type::OptI64 => VARINT,
        Type::F64 | Type::OptF64 => FIXED64,
        Type::List(t) => wire(t),
        _ => BYTES,
    }
}

/// Writes the body of `m`.
pub(crate) fn put_message(m: &dyn Message, w: &mut Writer) {
    // SAFETY: the table is that of the value.
    unsafe { put_fields(std::ptr::from_ref(m).cast(), m.desc(), w) }
}

/// # Safety
/// `p` is a value of this description, which is not written meanwhile.
unsafe fn put_fields(p: *const u8, d: &'static Desc, w: &mut Writer) {
    for op in d.ops() {
        // SAFETY: the field is inside and of this type; what skips null is a pointer.
        unsafe {
            let p = p.add(op.at as usize);
            if op.skips_null && p.cast::<*mut Header>().read().is_null() {
                continue;
            }
            put(p, &op.ty, op.tag, w);
        }
    }
}

/// Writes one value, or all of a list or map.
///
/// # Safety
/// `p` is a value of type `t`, which is not written meanwhile.
#[inline(always)]
unsafe fn put(p: *const u8, t: &Type, tag: Tag, w: &mut Writer) {
    // SAFETY: the reference is to the type that is there.
    unsafe {
        match *t {
            Type::Str => w.tail.text(tag, &*p.cast()),
            Type::I32 => w.tail.int(tag, i64::from(*p.cast::<i32>()) as u64),
            Type::I64 => w.tail.int(tag, *p.cast::<i64>() as u64),
            Type::Bool => w.tail.int(tag, u64::from(*p.cast::<bool>())),
            Type::F64 => w.tail.f64(tag, *p.cast()),
            Type::OptStr => {
                if let Some(v) = &*p.cast::<Option<super::Str>>() {
                    w.tail.text(tag, v);
                }
            }
            Type::OptI32 => {
                if let Some(v) = *p.cast::<Option<i32>>() {
                    w.tail.int(tag, i64::from(v) as u64);
                }
            }
            Type::OptI64 => {
                if let Some(v) = *p.cast::<Option<i64>>() {
                    w.tail.int(tag, v as u64);
                }
            }
            Type::OptBool => {
                if let Some(v) = *p.cast::<Option<bool>>() {
                    w.tail.int(tag, u64::from(v));
                }
            }
            Type::OptF64 => {
                if let Some(v) = *p.cast::<Option<f64>>() {
                    w.tail.f64(tag, v);
                }
            }
            Type::Bytes => {
                let v = &*p.cast::<super::Bytes>();
                if !v.is_nil() {
                    w.tail.bytes(tag, v);
                }
            }
            ref t => put_compound(p, t, tag, w),
        }
    }
}

/// [`put`] of what has parts: apart, so that the loop over scalars saves no registers for it.
///
/// # Safety
/// As [`put`].
#[inline(never)]
unsafe fn put_compound(p: *const u8, t: &Type, tag: Tag, w: &mut Writer) {
    // SAFETY: the reference is to the type that is there.
    unsafe {
        match *t {
            Type::Msg(d) => put_body(p, d, tag, w),
            Type::Emb(d) => {
                let h = p.cast::<*mut Header>().read();
                let p = if h.is_null() { d.default_value() } else { heap::data(h) };
                put_body(p, d, tag, w);
            }
            Type::OptMsg(d) => {
                let h = p.cast::<*mut Header>().read();
                if !h.is_null() {
                    put_body(heap::data(h), d, tag, w);
                }
            }
            Type::Leaf(l) => {
                let mark = w.mark();
                (*(l.ops.leaf)(p.cast_mut())).pb_put(w);
                w.tail.close(tag, mark);
            }
            Type::OptLeaf(l) => {
                if let Some(v) = (*(l.ops.optional)(p.cast_mut())).get() {
                    let mark = w.mark();
                    v.pb_put(w);
                    w.tail.close(tag, mark);
                }
            }
            Type::List(of) => put_list(p.cast::<*mut Header>().read(), of, tag, w),
            Type::Map(of) => put_map(p.cast::<*mut Header>().read(), of, tag, w),
            _ => {}
        }
    }
}

/// # Safety
/// `p` is a value of this description, which is not written meanwhile.
unsafe fn put_body(p: *const u8, d: &'static Desc, tag: Tag, w: &mut Writer) {
    let mark = w.mark();
    // SAFETY: the caller's promise.
    unsafe { put_fields(p, d, w) };
    w.tail.close(tag, mark);
}

/// # Safety
/// `h` is null, empty, or a live block of values of type `of`, which are not written meanwhile.
unsafe fn put_list(h: *mut Header, of: &'static Type, tag: Tag, w: &mut Writer) {
    if h.is_null() {
        return;
    }
    // SAFETY: the block has as many elements as it says, one step apart.
    unsafe {
        let (p, size) = (heap::data::<u8>(h), of.size());
        for i in (0..heap::len(h)).rev() {
            put(p.add(i * size), of, tag, w);
        }
    }
}

/// # Safety
/// As [`put_list`], for the entries of a map.
unsafe fn put_map(h: *mut Header, of: &'static Type, tag: Tag, w: &mut Writer) {
    if h.is_null() {
        return;
    }
    let value = Tag::new(2, wire(of));
    // SAFETY: the block has as many entries as it says, one step apart: a key, then a value.
    unsafe {
        let (p, size) = (heap::data::<u8>(h), Elements::Map(of).size());
        for i in (0..heap::len(h)).rev() {
            let p = p.add(i * size);
            let mark = w.mark();
            put(p.add(KEY), of, value, w);
            w.tail.text(Tag::new(1, BYTES), &*p.cast());
            w.tail.close(tag, mark);
        }
    }
}
