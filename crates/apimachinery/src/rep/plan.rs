//! Values by description: what is known of a value only through its [`Type`] or [`Desc`] is made,
//! copied and dropped here, by walking tables, so that 1,300 types need no code of their own for it.
//!
//! # Safety argument
//! * A [`Desc`] describes the memory of a type: [`Described`](super::Described) is an unsafe trait,
//!   implemented by the `message!` macro alone, which takes the offset and the [`Type`] of each
//!   field from the declaration of the struct it writes itself. Nothing is left out, so what is not
//!   described is padding.
//! * A [`Type`] comes from a Rust type ([`Reflect::TYPE`](super::Reflect)), and says the layout:
//!   `Str` and every handle (`List`, `Map`, `Bytes`, `Option<Shared>`, `Emb`) is one pointer to a
//!   counted block, null, the shared empty list, or (`Str`) text inside; scalars and their options
//!   are themselves; leaves come with functions made for their type ([`LeafOps`]).
//! * Handles own one count of their block. So the bits of a value and one more count for each
//!   handle in it are a clone; leaves clone themselves.
use super::encode::Op;
#[cfg(test)]
use super::heap::Ops;
use super::heap::{self, Header, is_unowned};
use super::str::{self, Str};
use crate::reflect::{Desc, Leaf, OptLeafSlot, Type};
use std::mem::size_of;

/// How to treat a leaf whose type is known only by its description.
pub struct LeafOps {
    pub(super) size: usize,
    pub(super) optional_size: usize,
    pub(super) leaf: fn(*mut u8) -> *mut dyn Leaf,
    pub(super) optional: fn(*mut u8) -> *mut dyn OptLeafSlot,
    pub(super) default: unsafe fn(*mut u8),
    pub(super) none: unsafe fn(*mut u8),
    /// `None`: the bits are a copy, and dropping does nothing.
    pub(super) owned: Option<OwnedOps>,
}

/// How to clone and drop a leaf, and an optional one, that is more than its bits.
#[derive(Clone, Copy)]
pub(super) struct OwnedOps {
    clone: unsafe fn(*const u8, *mut u8),
    drop: unsafe fn(*mut u8),
    clone_optional: unsafe fn(*const u8, *mut u8),
    drop_optional: unsafe fn(*mut u8),
}

/// # Safety
/// `p` has room for a `T`.
unsafe fn write_default<T: Default>(p: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { p.cast::<T>().write(T::default()) }
}
/// # Safety
/// `from` points at a `T`, `to` at room for one.
unsafe fn write_clone<T: Clone>(from: *const u8, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { to.cast::<T>().write((*from.cast::<T>()).clone()) }
}
/// # Safety
/// `p` points at a `T` that nobody uses afterwards.
unsafe fn drop_as<T>(p: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { std::ptr::drop_in_place(p.cast::<T>()) }
}

impl LeafOps {
    /// Of a leaf that is its bits.
    pub const fn plain<T: Leaf + Default + Copy>() -> LeafOps {
        LeafOps { owned: None, ..Self::of::<T>() }
    }
    /// Of any leaf.
    pub const fn of<T: Leaf + Default + Clone>() -> LeafOps {
        const { assert!(align_of::<T>() <= 8) };
        LeafOps {
            size: size_of::<T>(),
            optional_size: size_of::<Option<T>>(),
            leaf: |p| p.cast::<T>() as *mut dyn Leaf,
            optional: |p| p.cast::<Option<T>>() as *mut dyn OptLeafSlot,
            default: write_default::<T>,
            none: write_default::<Option<T>>,
            owned: Some(OwnedOps {
                clone: write_clone::<T>,
                drop: drop_as::<T>,
                clone_optional: write_clone::<Option<T>>,
                drop_optional: drop_as::<Option<T>>,
            }),
        }
    }
}

impl Type {
    /// Bytes that a value takes, which is also the step from one to the next.
    pub(super) const fn size(&self) -> usize {
        match self {
            Type::Bool => size_of::<bool>(),
            Type::I32 => size_of::<i32>(),
            Type::OptI32 => size_of::<Option<i32>>(),
            Type::OptI64 => size_of::<Option<i64>>(),
            Type::OptBool => size_of::<Option<bool>>(),
            Type::OptF64 => size_of::<Option<f64>>(),
            Type::Msg(d) => d.size,
            Type::Leaf(l) => l.ops.size,
            Type::OptLeaf(l) => l.ops.optional_size,
            _ => 8,
        }
    }
    /// Whether a value is more than its bits.
    const fn is_owned(&self) -> bool {
        match self {
            Type::Bool | Type::I32 | Type::I64 | Type::F64 => false,
            Type::OptBool | Type::OptI32 | Type::OptI64 | Type::OptF64 => false,
            Type::Leaf(l) | Type::OptLeaf(l) => l.ops.owned.is_some(),
            _ => true,
        }
    }
    /// Whether values of both are of the same Rust type.
    fn is_same(&self, other: &Type) -> bool {
        use Type as T;
        match (self, other) {
            (T::Msg(a), T::Msg(b)) | (T::Emb(a), T::Emb(b)) | (T::OptMsg(a), T::OptMsg(b)) => {
                std::ptr::eq(*a, *b)
            }
            (T::Leaf(a), T::Leaf(b)) | (T::OptLeaf(a), T::OptLeaf(b)) => std::ptr::eq(*a, *b),
            (T::List(a), T::List(b)) | (T::Map(a), T::Map(b)) => a.is_same(b),
            (T::Msg(_) | T::Emb(_) | T::OptMsg(_), _)
            | (T::Leaf(_) | T::OptLeaf(_) | T::List(_) | T::Map(_), _) => false,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// A field that is more than its bits, and where it is in the outermost struct.
struct Step {
    at: u32,
    ty: &'static Type,
}

/// Where a leaf is that is always there, and how to make it.
type Fresh = (u32, unsafe fn(*mut u8));

/// What is worked out of a [`Desc`] at first use: its struct with all structs in it laid flat.
pub(crate) struct Plan {
    /// A default value, for as long as the process lives.
    default: Box<[u64]>,
    /// Where the handles and strings are.
    counted: Box<[u32]>,
    /// Leaves that are more than their bits.
    leaves: Box<[Step]>,
    /// How to make those that are always there.
    fresh: Box<[Fresh]>,
    /// What they are.
    handles: Box<[Step]>,
    /// What is written in protobuf.
    ops: Box<[Op]>,
}

impl Plan {
    fn of(d: &'static Desc) -> Plan {
        fn flatten(d: &'static Desc, at: u32, out: &mut Vec<Step>) {
            for f in d.fields {
                match &f.ty {
                    Type::Msg(inner) => flatten(inner, at + f.offset, out),
                    ty if ty.is_owned() => out.push(Step { at: at + f.offset, ty }),
                    _ => {}
                }
            }
        }
        let mut owned = Vec::new();
        flatten(d, 0, &mut owned);
        let is_leaf = |s: &&Step| matches!(s.ty, Type::Leaf(_) | Type::OptLeaf(_));
        let leaves = owned.iter().filter(is_leaf).map(|s| Step { ..*s }).collect();
        let fresh = owned.iter().filter_map(|s| match s.ty {
            Type::Leaf(l) => Some((s.at, l.ops.default)),
            _ => None,
        });
        let fresh = fresh.collect();
        let handles: Box<[Step]> =
            owned.iter().filter(|s| !is_leaf(s)).map(|s| Step { ..*s }).collect();
        let counted = handles.iter().map(|s| s.at).collect();
        let mut default = vec![0u64; d.size.div_ceil(8)].into_boxed_slice();
        // SAFETY: room for a value of this description.
        unsafe { write_fields(default.as_mut_ptr().cast(), d) };
        Plan { default, counted, handles, leaves, fresh, ops: super::encode::ops(d) }
    }
}

impl Desc {
    fn plan(&'static self) -> &'static Plan {
        self.plan.get_or_init(|| Plan::of(self))
    }
    /// What is written of a value in protobuf.
    #[inline]
    pub(super) fn ops(&'static self) -> &'static [Op] {
        &self.plan().ops
    }
    /// A default value that is never dropped.
    pub(super) fn default_value(&'static self) -> *mut u8 {
        self.plan().default.as_ptr().cast_mut().cast()
    }
}

/// # Safety
/// `p` has room for a value of this description.
unsafe fn write_fields(p: *mut u8, d: &'static Desc) {
    for f in d.fields {
        // SAFETY: the field is inside.
        unsafe { make(p.add(f.offset as usize), &f.ty) }
    }
}

/// Writes the default value of `d`.
///
/// # Safety
/// `p` has room for a value of this description.
pub(super) unsafe fn make_message(p: *mut u8, d: &'static Desc) {
    // SAFETY: the caller's promise.
    unsafe { make_messages(p, d, 1) }
}

/// [`make_message`], several.
///
/// # Safety
/// `p` has room for `n` values of this description.
unsafe fn make_messages(p: *mut u8, d: &'static Desc, n: usize) {
    let plan = d.plan();
    for i in 0..n {
        // SAFETY: the default owns no block (strings are empty, handles null, optional leaves
        // absent), so its bits are another; leaves make their own.
        unsafe {
            let p = p.add(i * d.size);
            std::ptr::copy_nonoverlapping(plan.default.as_ptr().cast::<u8>(), p, d.size);
            for (at, default) in &plan.fresh {
                default(p.add(*at as usize));
            }
        }
    }
}

/// Writes the default value of `t`, several times.
///
/// # Safety
/// `p` has room for `n` values of this type.
pub(super) unsafe fn make_several(p: *mut u8, t: &'static Type, n: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match t {
            Type::Msg(d) => make_messages(p, d, n),
            t => (0..n).for_each(|i| make(p.add(i * t.size()), t)),
        }
    }
}

/// Writes the default value of `t`.
///
/// # Safety
/// `p` has room for a value of this type.
pub(super) unsafe fn make(p: *mut u8, t: &'static Type) {
    // SAFETY: each is of the type that is written; null is the absent or nil handle.
    unsafe {
        match t {
            Type::Str => p.cast::<Str>().write(Str::empty()),
            Type::I32 => p.cast::<i32>().write(0),
            Type::I64 => p.cast::<i64>().write(0),
            Type::Bool => p.cast::<bool>().write(false),
            Type::F64 => p.cast::<f64>().write(0.0),
            Type::OptStr => p.cast::<Option<Str>>().write(None),
            Type::OptI32 => p.cast::<Option<i32>>().write(None),
            Type::OptI64 => p.cast::<Option<i64>>().write(None),
            Type::OptBool => p.cast::<Option<bool>>().write(None),
            Type::OptF64 => p.cast::<Option<f64>>().write(None),
            Type::Msg(d) => make_message_slowly(p, d),
            Type::Leaf(l) => (l.ops.default)(p),
            Type::OptLeaf(l) => (l.ops.none)(p),
            Type::Bytes | Type::Emb(_) | Type::OptMsg(_) | Type::List(_) | Type::Map(_) => {
                p.cast::<*mut Header>().write(std::ptr::null_mut());
            }
        }
    }
}

/// A leaf that panics must not leave a block with a value that is none.
struct Bomb;
impl Drop for Bomb {
    fn drop(&mut self) {
        std::process::abort()
    }
}

/// [`make`] in a block that counts the value already.
///
/// # Safety
/// As [`make`].
pub(super) unsafe fn make_counted(p: *mut u8, t: &'static Type) {
    let bomb = Bomb;
    // SAFETY: the caller's promise.
    unsafe { make(p, t) };
    std::mem::forget(bomb);
}

/// [`make_message`], also while the plan of an outer struct is made.
///
/// # Safety
/// As [`make_message`].
unsafe fn make_message_slowly(p: *mut u8, d: &'static Desc) {
    // SAFETY: the caller's promise.
    unsafe { if d.plan.get().is_some() { make_message(p, d) } else { write_fields(p, d) } }
}

/// Counts one more owner of the block behind a handle or string.
///
/// # Safety
/// `word` points at a string or a handle, which holds a count.
#[inline]
unsafe fn retain_word(word: *const u8) {
    // SAFETY: strings that are not inline begin with the same header as every other block.
    unsafe {
        let h = word.cast::<*mut Header>().read();
        if h.addr() & 1 == 0 {
            heap::retain(h);
        }
    }
}

/// Makes `to` a clone of `from`.
///
/// # Safety
/// `from` is a value of this description, `to` room for one.
pub(super) unsafe fn clone_message(from: *const u8, to: *mut u8, d: &'static Desc) {
    let plan = d.plan();
    // SAFETY: a copy of the bits, then a count for each handle in them, then the leaves over their
    // bits. A leaf that panics leaves `to` as room; the counts taken are leaked, which is safe.
    unsafe {
        std::ptr::copy_nonoverlapping(from, to, d.size);
        for at in &plan.counted {
            retain_word(to.add(*at as usize));
        }
        for s in &plan.leaves {
            clone_leaf(from.add(s.at as usize), to.add(s.at as usize), s.ty);
        }
    }
}

/// # Safety
/// As [`clone_message`], for a leaf.
unsafe fn clone_leaf(from: *const u8, to: *mut u8, t: &Type) {
    // SAFETY: the functions are of the leaf's type.
    unsafe {
        match t {
            Type::Leaf(l) => {
                if let Some(ops) = &l.ops.owned {
                    (ops.clone)(from, to);
                }
            }
            Type::OptLeaf(l) => {
                if let Some(ops) = &l.ops.owned {
                    (ops.clone_optional)(from, to);
                }
            }
            _ => {}
        }
    }
}

/// Drops a value of this description.
///
/// # Safety
/// `p` is such a value, and nobody uses it afterwards.
unsafe fn drop_message(p: *mut u8, d: &'static Desc) {
    let plan = d.plan();
    // SAFETY: each part is dropped once. What a handle stands in is a word, and when that is null
    // or text there is nothing to give up.
    unsafe {
        for s in &plan.handles {
            let p = p.add(s.at as usize);
            let word = p.cast::<*mut u8>().read().addr();
            if word != 0 && word & 1 == 0 {
                drop_value(p, s.ty);
            }
        }
        for s in &plan.leaves {
            drop_value(p.add(s.at as usize), s.ty);
        }
    }
}

/// # Safety
/// As [`drop_message`].
unsafe fn drop_value(p: *mut u8, t: &'static Type) {
    // SAFETY: the value's own count is given up, once.
    unsafe {
        let block = || p.cast::<*mut Header>().read();
        match t {
            Type::Str | Type::OptStr => str::release_word(block().cast()),
            Type::Bytes => release(block(), Elements::List(&Type::Bool)),
            Type::Emb(d) | Type::OptMsg(d) => release(block(), Elements::One(d)),
            Type::List(t) => release(block(), Elements::List(t)),
            Type::Map(t) => release(block(), Elements::Map(t)),
            Type::Msg(d) => drop_message(p, d),
            Type::Leaf(l) => {
                if let Some(ops) = &l.ops.owned {
                    (ops.drop)(p);
                }
            }
            Type::OptLeaf(l) => {
                if let Some(ops) = &l.ops.owned {
                    (ops.drop_optional)(p);
                }
            }
            _ => {}
        }
    }
}

/// What the values of a block are.
#[derive(Clone, Copy)]
pub(super) enum Elements {
    /// Those of a `List`.
    List(&'static Type),
    /// Those of a `Map`: a key, then the value, to the next multiple of eight.
    Map(&'static Type),
    /// The one of a `Shared` or `Emb`.
    One(&'static Desc),
}

impl Elements {
    /// Bytes of one.
    #[inline]
    pub(super) fn size(self) -> usize {
        match self {
            Elements::List(t) => t.size(),
            Elements::Map(t) => KEY + t.size().next_multiple_of(8),
            Elements::One(d) => d.size,
        }
    }
    /// # Safety
    /// `p` points at `n` such values that nobody uses afterwards.
    unsafe fn drop_values(self, p: *mut u8, n: usize) {
        let size = self.size();
        // SAFETY: each is dropped once.
        unsafe {
            match self {
                Elements::List(t) if !t.is_owned() => {}
                Elements::One(d) => (0..n).for_each(|i| drop_message(p.add(i * size), d)),
                Elements::List(t) => (0..n).for_each(|i| drop_value(p.add(i * size), t)),
                Elements::Map(t) => (0..n).for_each(|i| {
                    let p = p.add(i * size);
                    drop_value(p, &Type::Str);
                    drop_value(p.add(KEY), t);
                }),
            }
        }
    }
    /// # Safety
    /// `from` points at `n` such values, `to` at room for as many.
    unsafe fn clone_values(self, from: *const u8, to: *mut u8, n: usize) {
        let size = self.size();
        // SAFETY: as in `clone_message`.
        unsafe {
            match self {
                Elements::One(d) => {
                    (0..n).for_each(|i| clone_message(from.add(i * size), to.add(i * size), d));
                }
                _ => {
                    std::ptr::copy_nonoverlapping(from, to, n * size);
                    for i in 0..n {
                        let (mut from, mut to) = (from.add(i * size), to.add(i * size));
                        let t = match self {
                            Elements::List(t) => t,
                            Elements::Map(t) => {
                                retain_word(to);
                                (from, to) = (from.add(KEY), to.add(KEY));
                                t
                            }
                            Elements::One(_) => continue,
                        };
                        match t {
                            Type::Msg(d) => clone_message(from, to, d),
                            Type::Leaf(_) | Type::OptLeaf(_) => clone_leaf(from, to, t),
                            t if t.is_owned() => retain_word(to),
                            _ => {}
                        }
                    }
                }
            }
        }
    }
}

/// Bytes of a key, and where the value behind it is.
pub(super) const KEY: usize = size_of::<Str>();

/// Gives up a count of a block.
///
/// # Safety
/// As [`heap::release`], with values as `of` says.
pub(super) unsafe fn release(h: *mut Header, of: Elements) {
    // SAFETY: the caller's promise.
    unsafe { heap::release_with(h, || of.size(), |p, n| of.drop_values(p, n)) }
}

/// Makes `*h` the only owner of its values, copying them when it is not.
///
/// # Safety
/// As [`heap::own`], with values as `of` says.
pub(super) unsafe fn own(h: &mut *mut Header, of: Elements) {
    // SAFETY: a live block with as many values.
    unsafe {
        if !is_unowned(*h) && !heap::is_unique(*h) {
            keep(h, of, heap::len(*h));
        }
    }
}

/// Makes `*h` the only owner of its first `n` values; the others are given up.
///
/// # Safety
/// As [`heap::own`], with values as `of` says; there are `n`, and `n` is not zero.
pub(super) unsafe fn keep(h: &mut *mut Header, of: Elements, n: usize) {
    // SAFETY: the copy is complete before the old count is given up.
    unsafe {
        let copy = heap::alloc(n, of.size());
        of.clone_values(heap::data(*h), heap::data(copy), n);
        release(*h, of);
        *h = copy;
    }
}

/// Makes the value at `p` the default one, in a block that counts it.
///
/// # Safety
/// `p` is a value of this type that nobody else uses.
pub(super) unsafe fn renew(p: *mut u8, t: &'static Type) {
    let bomb = Bomb;
    // SAFETY: the old value is dropped once, and another is there before anything reads it; should
    // dropping it panic, nothing does.
    unsafe {
        drop_value(p, t);
        make(p, t);
    }
    std::mem::forget(bomb);
}

/// What a slot or handle holds.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    /// Known by description.
    Described(Elements),
    /// Known by its Rust type: how tests count live values.
    #[cfg(test)]
    Typed(&'static Ops),
}

impl Holds {
    pub(super) fn size(self) -> usize {
        match self {
            Holds::Described(of) => of.size(),
            #[cfg(test)]
            Holds::Typed(ops) => ops.size(),
        }
    }
    /// Whether both are of the same Rust type.
    pub(super) fn is_same(self, other: Holds) -> bool {
        use Elements as E;
        match (self, other) {
            #[cfg(test)]
            (Holds::Typed(a), Holds::Typed(b)) => a.is_same(b),
            (Holds::Described(a), Holds::Described(b)) => match (a, b) {
                (E::List(a), E::List(b)) | (E::Map(a), E::Map(b)) => a.is_same(b),
                (E::One(a), E::One(b)) => std::ptr::eq(a, b),
                _ => false,
            },
            #[cfg(test)]
            _ => false,
        }
    }
    /// # Safety
    /// As [`heap::release`].
    pub(super) unsafe fn release(self, h: *mut Header) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Holds::Described(of) => release(h, of),
                #[cfg(test)]
                Holds::Typed(ops) => heap::release(h, ops),
            }
        }
    }
}
