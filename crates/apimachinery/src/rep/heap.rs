//! Reference-counted allocations, type-erased: one header, then the values.
//!
//! [`List`](super::List) and [`Shared`](super::Shared) both point at a [`Header`]; a `Shared` is an
//! allocation with exactly one value. Everything here is generic over nothing but a table of
//! [`Ops`], so that 1,300 API types do not each compile their own copy.
//!
//! # Safety argument
//! * A header is created by [`alloc`] with a count of one and freed by whoever takes the count to
//!   zero (`Release` decrement, then an `Acquire` load: the protocol of `std::sync::Arc`).
//! * Values are written only through a pointer whose count was seen as one with `Acquire`, by an
//!   owner that holds `&mut` to that pointer. No weak references exist, so a count of one cannot
//!   grow behind the owner's back.
//! * `Ops` always belongs to the element type: it is made in one place, [`OpsOf`], and travels
//!   with the pointer; or the element type is known by its description, see [`plan`](super::plan).
//!   [`SlotMut::adopt`] compares the `TypeId` or the description before it lets a pointer in.
use super::plan::{Elements, Holds};
use super::sync::{AtomicU32, Ordering};
use std::alloc::{Layout, alloc as std_alloc, dealloc, handle_alloc_error, realloc};
#[cfg(test)]
use std::any::TypeId;
use std::marker::PhantomData;

/// Start of every allocation: 8 bytes, values follow directly (their alignment is at most 8, and
/// so is the header's, which [`EMPTY`] needs).
#[repr(C, align(8))]
pub(super) struct Header {
    count: AtomicU32,
    /// Number of values; the top bit says that the capacity equals it.
    len: u32,
}

/// Set in `Header::len` when the allocation has room for exactly the values it holds.
const EXACT: u32 = 1 << 31;
/// Counts beyond this abort, as in `std::sync::Arc`: a leak of that size is a bug, not a load.
const MAX_COUNT: u32 = i32::MAX as u32;

/// The list that is empty but not nil (`[]` as opposed to `null`). Never counted, never freed.
#[cfg(not(loom))]
static EMPTY: Header = Header { count: AtomicU32::new(1), len: 0 };
/// loom's atomics cannot be in a static; this has the room of a header, and [`len`] knows it.
#[cfg(loom)]
static EMPTY: [u64; 16] = [0; 16];

pub(super) fn empty() -> *mut Header {
    std::ptr::from_ref(&EMPTY).cast_mut().cast()
}

#[inline]
pub(super) fn is_unowned(h: *mut Header) -> bool {
    h.is_null() || std::ptr::eq(h, empty())
}

/// What the type-erased code must know of the values.
pub(super) struct Ops {
    /// Type of the handle (`List<T>` or `Shared<T>`), so that erased handles cannot mix.
    #[cfg(test)]
    id: TypeId,
    size: usize,
    drop: Option<unsafe fn(*mut u8, usize)>,
}

#[cfg(test)]
impl Ops {
    pub(super) fn size(&self) -> usize {
        self.size
    }
    pub(super) fn is_same(&self, other: &Ops) -> bool {
        self.id == other.id
    }
}

/// [`Ops`] and how to clone, for copy on write.
pub(super) struct CloneOps {
    ops: &'static Ops,
    clone: unsafe fn(*const u8, *mut u8, usize),
}

pub(super) struct OpsOf<H, T>(PhantomData<(H, T)>);

impl<H: 'static, T> OpsOf<H, T> {
    pub(super) const OPS: &'static Ops = {
        assert!(align_of::<T>() <= 8, "values of a List or Shared are aligned to 8 bytes at most");
        &Ops {
            #[cfg(test)]
            id: TypeId::of::<H>(),
            size: size_of::<T>(),
            drop: if std::mem::needs_drop::<T>() { Some(drop_values::<T>) } else { None },
        }
    };
}

impl<H: 'static, T: Clone> OpsOf<H, T> {
    pub(super) const CLONE: &'static CloneOps =
        &CloneOps { ops: Self::OPS, clone: clone_values::<T> };
}

/// # Safety
/// `p` points at `n` initialised values of `T` that nobody uses afterwards.
unsafe fn drop_values<T>(p: *mut u8, n: usize) {
    // SAFETY: the caller's promise.
    unsafe { std::ptr::drop_in_place(std::ptr::slice_from_raw_parts_mut(p.cast::<T>(), n)) }
}

/// # Safety
/// `from` points at `n` initialised values of `T`, `to` at room for as many.
unsafe fn clone_values<T: Clone>(from: *const u8, to: *mut u8, n: usize) {
    let (from, to) = (from.cast::<T>(), to.cast::<T>());
    for i in 0..n {
        // SAFETY: i < n. A panicking clone leaks what was written, which is safe.
        unsafe { to.add(i).write((*from.add(i)).clone()) }
    }
}

fn layout(cap: usize, size: usize) -> Layout {
    cap.checked_mul(size)
        .and_then(|n| n.checked_add(size_of::<Header>()))
        .and_then(|n| Layout::from_size_align(n, 8).ok())
        .expect("a list larger than the address space")
}

fn grown(len: usize) -> usize {
    len.next_power_of_two()
}

/// # Safety
/// `h` is a live header.
unsafe fn capacity(h: *mut Header) -> usize {
    // SAFETY: live.
    let len = unsafe { (*h).len };
    if len & EXACT != 0 { (len & !EXACT) as usize } else { grown(len as usize) }
}

#[inline]
fn values(h: *mut Header) -> *mut u8 {
    h.cast::<u8>().wrapping_add(size_of::<Header>())
}

fn checked_len(n: usize) -> u32 {
    assert!(n < EXACT as usize, "a list holds at most 2^31 - 1 values");
    n as u32
}

/// A fresh allocation with exact room for `n` values, which the caller must write.
pub(super) fn alloc(n: usize, size: usize) -> *mut Header {
    let len = checked_len(n) | EXACT;
    let l = layout(n, size);
    // SAFETY: the layout is never empty (the header has 8 bytes).
    let h = unsafe { std_alloc(l) }.cast::<Header>();
    if h.is_null() {
        handle_alloc_error(l)
    }
    // SAFETY: freshly allocated, large enough and aligned.
    unsafe { h.write(Header { count: AtomicU32::new(1), len }) }
    h
}

/// Pointer to the values behind a header.
#[inline]
pub(super) fn data<T>(h: *mut Header) -> *mut T {
    values(h).cast()
}

/// # Safety
/// `h` is a live header or [`empty()`].
#[inline]
pub(super) unsafe fn len(h: *mut Header) -> usize {
    if cfg!(loom) && is_unowned(h) {
        return 0;
    }
    // SAFETY: the caller's promise.
    (unsafe { (*h).len } & !EXACT) as usize
}

/// # Safety
/// `h` is null, [`empty()`] or a live header of which the caller holds a count.
#[inline]
pub(super) unsafe fn retain(h: *mut Header) {
    if !is_unowned(h) {
        // SAFETY: live, and kept alive by the caller's count.
        let old = unsafe { (*h).count.fetch_add(1, Ordering::Relaxed) };
        if old > MAX_COUNT {
            std::process::abort()
        }
    }
}

/// Gives up a count: whether it was the last. This thread then sees what all others wrote.
#[inline]
pub(super) fn give_up(count: &AtomicU32) -> bool {
    // Nobody else holds a count of one, so nobody can add to it either: no need to write it.
    if count.load(Ordering::Acquire) == 1 {
        return true;
    }
    if count.fetch_sub(1, Ordering::Release) != 1 {
        return false;
    }
    // A load, not a fence, which ThreadSanitizer does not know.
    count.load(Ordering::Acquire);
    true
}

/// # Safety
/// `h` is null, [`empty()`] or a live header of which the caller gives up a count; `ops` is of its
/// element type.
#[inline(never)]
pub(super) unsafe fn release(h: *mut Header, ops: &Ops) {
    // SAFETY: the caller's promise.
    unsafe {
        release_with(
            h,
            || ops.size,
            |p, n| {
                if let Some(drop) = ops.drop {
                    drop(p, n);
                }
            },
        );
    }
}

/// [`release`], with what it must know of the values.
///
/// # Safety
/// As [`release`]; `size` and `drop` are of the element type.
#[inline]
pub(super) unsafe fn release_with(
    h: *mut Header,
    size: impl FnOnce() -> usize,
    drop: impl FnOnce(*mut u8, usize),
) {
    if is_unowned(h) {
        return;
    }
    // SAFETY: live until the last count is given up.
    unsafe {
        if give_up(&(*h).count) {
            drop(values(h), len(h));
            dealloc(h.cast(), layout(capacity(h), size()));
        }
    }
}

/// # Safety
/// As for [`len`], and the caller holds `&mut` to the only pointer through which it will write.
#[inline]
pub(super) unsafe fn is_unique(h: *mut Header) -> bool {
    // SAFETY: live. Acquire pairs with the Release of whoever dropped the second last count.
    unsafe { (*h).count.load(Ordering::Acquire) == 1 }
}

/// Makes `*h` the only owner of its values, copying them when it is not.
///
/// # Safety
/// `*h` is null, [`empty()`] or a live header; `ops` is of its element type.
#[inline(never)]
pub(super) unsafe fn own(h: &mut *mut Header, ops: &CloneOps) {
    // SAFETY: live; the copy is complete before the old count is given up.
    unsafe {
        if !is_unowned(*h) && !is_unique(*h) {
            let n = len(*h);
            let copy = alloc(n, ops.ops.size);
            (ops.clone)(values(*h), values(copy), n);
            release(*h, ops.ops);
            *h = copy;
        }
    }
}

/// Room for one more value at the end, already counted: the caller writes it before anything else.
///
/// # Safety
/// As for [`own`].
#[inline(never)]
pub(super) unsafe fn push_slot(h: &mut *mut Header, ops: &CloneOps) -> *mut u8 {
    // SAFETY: owned after `own`.
    unsafe {
        own(h, ops);
        grow(h, ops.ops.size)
    }
}

/// Room for one more value before value `at`, already counted: the caller writes it before
/// anything else.
///
/// # Safety
/// As for [`own`]; `at` is at most the length.
#[inline(never)]
pub(super) unsafe fn insert_slot(h: &mut *mut Header, ops: &CloneOps, at: usize) -> *mut u8 {
    // SAFETY: owned after `own`.
    unsafe {
        own(h, ops);
        open(h, ops.ops.size, at)
    }
}

/// [`push_slot`] of a list that nobody else holds.
///
/// # Safety
/// `*h` is null, [`empty()`] or live and unique, with values of `size` bytes.
pub(super) unsafe fn grow(h: &mut *mut Header, size: usize) -> *mut u8 {
    if is_unowned(*h) {
        *h = alloc(1, size);
        return values(*h);
    }
    // SAFETY: unique, so the block may be moved and its length changed.
    unsafe {
        let (n, cap) = (len(*h), capacity(*h));
        let next = checked_len(n + 1);
        if cap != grown(n + 1) {
            let l = layout(grown(n + 1), size);
            let p = realloc((*h).cast(), layout(cap, size), l.size());
            if p.is_null() {
                handle_alloc_error(l)
            }
            *h = p.cast();
        }
        (**h).len = next;
        values(*h).add(n * size)
    }
}

/// [`insert_slot`] of a list that nobody else holds.
///
/// # Safety
/// As for [`grow`]; `at` is at most the length.
pub(super) unsafe fn open(h: &mut *mut Header, size: usize, at: usize) -> *mut u8 {
    // SAFETY: what follows moves up by one, into the room that was made.
    unsafe {
        let last = grow(h, size);
        let p = values(*h).add(at * size);
        std::ptr::copy(p, p.add(size), last.offset_from_unsigned(p));
        p
    }
}

/// Moves what follows value `at` down over it. The caller has moved the value out.
///
/// # Safety
/// `*h` is live and unique, and has a value `at`.
#[inline(never)]
pub(super) unsafe fn close(h: &mut *mut Header, ops: &Ops, at: usize) {
    // SAFETY: the values behind it are moved over the one that is gone; then the length says so.
    unsafe {
        let n = len(*h) - 1;
        let p = values(*h).add(at * ops.size);
        std::ptr::copy(p.add(ops.size), p, (n - at) * ops.size);
        if n == 0 {
            free_block(*h, ops);
            *h = empty();
        } else {
            truncate_to(h, ops, n);
        }
    }
}

/// Gives back unused room of a list that nobody else holds.
///
/// # Safety
/// As for [`own`].
pub(super) unsafe fn shrink(h: &mut *mut Header, size: usize) {
    // SAFETY: unique, so the block may be moved.
    unsafe {
        if is_unowned(*h) || !is_unique(*h) {
            return;
        }
        let (n, cap) = (len(*h), capacity(*h));
        if n != cap {
            let l = layout(n, size);
            let p = realloc((*h).cast(), layout(cap, size), l.size());
            if p.is_null() {
                handle_alloc_error(l)
            }
            *h = p.cast();
        }
        (**h).len = n as u32 | EXACT;
    }
}

/// Sets the length of a unique list whose tail was moved out or dropped.
///
/// # Safety
/// `h` is live and unique, its capacity does not change, and exactly the first `n` values are
/// initialised. `n` is not zero.
pub(super) unsafe fn truncate_to(h: &mut *mut Header, ops: &Ops, n: usize) {
    // SAFETY: the caller's promise; the block is brought to the size that `n` implies.
    unsafe {
        let cap = capacity(*h);
        let l = layout(n, ops.size);
        if cap != n {
            let p = realloc((*h).cast(), layout(cap, ops.size), l.size());
            if p.is_null() {
                handle_alloc_error(l)
            }
            *h = p.cast();
        }
        (**h).len = n as u32 | EXACT;
    }
}

/// Frees the block of a unique header without dropping its values (they were moved out).
///
/// # Safety
/// `h` is live and unique, and its values are not used afterwards.
pub(super) unsafe fn free_block(h: *mut Header, ops: &Ops) {
    // SAFETY: the caller's promise.
    unsafe { dealloc(h.cast(), layout(capacity(h), ops.size)) }
}

/// A counted, type-erased share of a [`List`](super::List), [`Map`](super::Map) or
/// [`Shared`](super::Shared): what an interning table holds.
pub struct Handle {
    ptr: *mut Header,
    holds: Holds,
}

// SAFETY: handles are made only from lists and boxes of `Send + Sync` values (see the bounds on
// `SlotMut::typed` and on `Described`), and the count is atomic.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    /// A share of a block; `None` when there is nothing worth sharing.
    pub(super) fn share(ptr: *mut Header, holds: Holds) -> Option<Handle> {
        if is_unowned(ptr) {
            return None;
        }
        // SAFETY: live, counted by the slot that has the pointer.
        unsafe { retain(ptr) };
        Some(Handle { ptr, holds })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle owns one count of a live header of this element type.
        unsafe { self.holds.release(self.ptr) }
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handle({:p})", self.ptr)
    }
}

/// Exclusive access to the pointer inside a list, map or optional box, type-erased.
pub struct SlotMut<'a> {
    ptr: &'a mut *mut Header,
    holds: Holds,
}

impl<'a> SlotMut<'a> {
    /// The slot of a handle type `H` over values of any `T`, for tests; `ptr` must be the pointer inside an `H`.
    #[cfg(test)]
    pub(super) fn typed<H: 'static, T: Send + Sync>(ptr: &'a mut *mut Header) -> Self {
        SlotMut { ptr, holds: Holds::Typed(OpsOf::<H, T>::OPS) }
    }
    /// The slot of a handle over values known by description; `ptr` must be the pointer in it.
    pub(super) fn described(ptr: &'a mut *mut Header, of: Elements) -> Self {
        SlotMut { ptr, holds: Holds::Described(of) }
    }
    /// A share of what the slot holds; `None` when it holds nothing worth sharing.
    pub fn share(&self) -> Option<Handle> {
        Handle::share(*self.ptr, self.holds)
    }
    /// Replaces what the slot holds by `h`'s values; `false` (and no change) for another type.
    pub fn adopt(&mut self, h: &Handle) -> bool {
        if !self.holds.is_same(h.holds) {
            return false;
        }
        // SAFETY: same type; the new count is taken before the old one is given up.
        unsafe {
            retain(h.ptr);
            self.holds.release(*self.ptr);
        }
        *self.ptr = h.ptr;
        true
    }
    /// Makes a list or map empty but not nil.
    pub(crate) fn set_empty(&mut self) {
        // SAFETY: the slot's count is given up once.
        unsafe { self.holds.release(*self.ptr) };
        *self.ptr = empty();
    }
    /// Makes a list or map nil.
    pub(crate) fn set_nil(&mut self) {
        // SAFETY: the slot's count is given up once; a nil handle is null.
        unsafe { self.holds.release(*self.ptr) };
        *self.ptr = std::ptr::null_mut();
    }
    /// Gives back unused room.
    pub(crate) fn shrink(&mut self) {
        // SAFETY: exclusive access to the pointer, ops of its type.
        unsafe { shrink(self.ptr, self.holds.size()) }
    }
    /// Whether nobody else shares the values.
    pub(crate) fn is_unique(&self) -> bool {
        // SAFETY: live when owned.
        is_unowned(*self.ptr) || unsafe { is_unique(*self.ptr) }
    }
}
