//! Lists and maps whose values are known by their description only: for reading and for writing.
//! Why that is sound: see [`plan`](super::plan).
use super::Str;
use super::heap::{self, Handle, Header, SlotMut};
use super::plan::{self, Elements, Holds, KEY};
use super::table::{FieldsMut, read, write};
use crate::reflect::{FieldMut, FieldRef, Type};
use std::marker::PhantomData;

/// A list with elements of any one type.
#[derive(Clone, Copy)]
pub struct ListRef<'a> {
    block: *mut Header,
    of: &'static Type,
    life: PhantomData<&'a ()>,
}

impl<'a> ListRef<'a> {
    #[inline]
    pub(super) fn new(block: *mut Header, of: &'static Type) -> Self {
        ListRef { block, of, life: PhantomData }
    }
    /// Number of elements.
    #[inline]
    pub fn len(self) -> usize {
        length(self.block)
    }
    /// Whether there are no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    /// Whether the list is nil rather than empty.
    pub fn is_nil(self) -> bool {
        self.block.is_null()
    }
    /// Where the elements are, for comparing identity.
    pub fn address(self) -> *const () {
        self.block.cast()
    }
    /// Element `i`.
    ///
    /// # Panics
    /// When there is none.
    #[inline]
    pub fn at(self, i: usize) -> FieldRef<'a> {
        check(i, self.len());
        // SAFETY: one of the elements of a live block.
        unsafe { read(heap::data::<u8>(self.block).add(i * self.of.size()), self.of) }
    }
    /// A share of the elements.
    pub fn share(self) -> Option<Handle> {
        Handle::share(self.block, Holds::Described(Elements::List(self.of)))
    }
}

#[inline]
fn length(block: *mut Header) -> usize {
    // SAFETY: null, empty, or a live block.
    if block.is_null() { 0 } else { unsafe { heap::len(block) } }
}

#[inline]
#[track_caller]
fn check(i: usize, n: usize) {
    assert!(i < n, "index {i} is beyond the length {n}");
}

/// A list for writing.
pub struct ListMut<'a> {
    pub(super) slot: &'a mut *mut Header,
    pub(super) of: &'static Type,
}

impl<'a> ListMut<'a> {
    /// The list as it is.
    #[inline]
    pub fn as_ref(&self) -> ListRef<'_> {
        ListRef::new(*self.slot, self.of)
    }
    /// Number of elements.
    pub fn len(&self) -> usize {
        length(*self.slot)
    }
    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether the list is nil rather than empty.
    pub fn is_nil(&self) -> bool {
        self.slot.is_null()
    }
    /// Where the elements are, for comparing identity.
    pub fn address(&self) -> *const () {
        self.slot.cast_const().cast()
    }
    /// Element `i`.
    ///
    /// # Panics
    /// When there is none.
    pub fn at(&self, i: usize) -> FieldRef<'_> {
        self.as_ref().at(i)
    }
    /// Element `i` for writing.
    ///
    /// # Panics
    /// When there is none.
    pub fn at_mut(&mut self, i: usize) -> FieldMut<'_> {
        check(i, self.len());
        // SAFETY: one of the elements of a block that is ours alone after `own`.
        unsafe {
            plan::own(self.slot, Elements::List(self.of));
            write(heap::data::<u8>(*self.slot).add(i * self.of.size()), self.of)
        }
    }
    /// The elements for writing one after the other.
    #[inline]
    pub fn elements(&mut self) -> ElementsMut<'_> {
        let len = self.len();
        // SAFETY: a block that is ours alone after `own`.
        unsafe { plan::own(self.slot, Elements::List(self.of)) };
        let (p, step) = (heap::data::<u8>(*self.slot), self.of.size());
        ElementsMut { p, len, step, of: self.of, life: PhantomData }
    }
    /// A new element at the end.
    pub fn push(&mut self) -> FieldMut<'_> {
        // SAFETY: owned, and the new element is written at once.
        unsafe {
            plan::own(self.slot, Elements::List(self.of));
            let p = heap::grow(self.slot, self.of.size());
            plan::make_counted(p, self.of);
            write(p, self.of)
        }
    }
    /// Gives up the elements behind the first `n`.
    pub fn truncate(&mut self, n: usize) {
        if n >= self.len() {
            return;
        }
        if n == 0 {
            return self.slot().set_empty();
        }
        // SAFETY: a live block with more values than that.
        unsafe { plan::keep(self.slot, Elements::List(self.of), n) }
    }
    /// Makes it a list of `n` default elements, with room for no more.
    pub fn set_defaults(&mut self, n: usize) {
        self.slot().set_empty();
        if n == 0 {
            return;
        }
        let h = heap::alloc(n, self.of.size());
        // SAFETY: room for n elements, each written once before anything reads it.
        unsafe { plan::make_several(heap::data(h), self.of, n) }
        *self.slot = h;
    }
    /// A share of the elements.
    pub fn share(&self) -> Option<Handle> {
        self.as_ref().share()
    }
    /// The pointer, type-erased.
    pub fn slot(&mut self) -> SlotMut<'_> {
        SlotMut::described(self.slot, Elements::List(self.of))
    }
}

/// The elements of a list that is borrowed for writing and shared with nobody.
pub struct ElementsMut<'a> {
    p: *mut u8,
    len: usize,
    step: usize,
    of: &'static Type,
    life: PhantomData<&'a mut ()>,
}

impl ElementsMut<'_> {
    /// Element `i` for writing.
    ///
    /// # Panics
    /// When there is none.
    #[inline]
    pub fn at(&mut self, i: usize) -> FieldMut<'_> {
        check(i, self.len);
        // SAFETY: one of the elements of a block that nobody else uses.
        unsafe { write(self.p.add(i * self.step), self.of) }
    }
    /// The fields of element `i`, when it is a message.
    ///
    /// # Panics
    /// When there is none.
    #[inline]
    pub fn message(&mut self, i: usize) -> Option<FieldsMut<'_>> {
        check(i, self.len);
        let Type::Msg(desc) = self.of else { return None };
        // SAFETY: as in `at`.
        Some(unsafe { FieldsMut::new(self.p.add(i * self.step), desc) })
    }
}

/// A map from strings with values of any one type.
#[derive(Clone, Copy)]
pub struct MapRef<'a> {
    block: *mut Header,
    of: &'static Type,
    life: PhantomData<&'a ()>,
}

impl<'a> MapRef<'a> {
    #[inline]
    pub(super) fn new(block: *mut Header, of: &'static Type) -> Self {
        MapRef { block, of, life: PhantomData }
    }
    /// Number of entries.
    pub fn len(self) -> usize {
        length(self.block)
    }
    /// Whether there are no entries.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
    /// Whether the map is nil rather than empty.
    pub fn is_nil(self) -> bool {
        self.block.is_null()
    }
    /// Where the entries are, for comparing identity.
    pub fn address(self) -> *const () {
        self.block.cast()
    }
    /// Where entry `i` is, which must be there.
    fn entry(self, i: usize) -> *mut u8 {
        check(i, self.len());
        heap::data::<u8>(self.block).wrapping_add(i * Elements::Map(self.of).size())
    }
    fn key(self, i: usize) -> &'a Str {
        // SAFETY: a live entry begins with its key.
        unsafe { &*self.entry(i).cast::<Str>() }
    }
    /// Entry `i` in key order.
    ///
    /// # Panics
    /// When there is none.
    pub fn at(self, i: usize) -> (&'a Str, FieldRef<'a>) {
        // SAFETY: the value follows the key.
        (self.key(i), unsafe { read(self.entry(i).add(KEY), self.of) })
    }
    /// Where `key` is, or belongs.
    fn find(self, key: &str) -> Result<usize, usize> {
        let (mut from, mut to) = (0, self.len());
        // Entries mostly come in order.
        if to > 0 && self.key(to - 1).as_str() < key {
            return Err(to);
        }
        while from < to {
            let middle = from.midpoint(to);
            match self.key(middle).as_str().cmp(key) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
                std::cmp::Ordering::Equal => return Ok(middle),
            }
        }
        Err(from)
    }
    /// A share of the entries.
    pub fn share(self) -> Option<Handle> {
        Handle::share(self.block, Holds::Described(Elements::Map(self.of)))
    }
}

/// A map for writing.
pub struct MapMut<'a> {
    pub(super) slot: &'a mut *mut Header,
    pub(super) of: &'static Type,
}

impl<'a> MapMut<'a> {
    /// The map as it is.
    pub fn as_ref(&self) -> MapRef<'_> {
        MapRef::new(*self.slot, self.of)
    }
    /// Number of entries.
    pub fn len(&self) -> usize {
        length(*self.slot)
    }
    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether the map is nil rather than empty.
    pub fn is_nil(&self) -> bool {
        self.slot.is_null()
    }
    /// Where the entries are, for comparing identity.
    pub fn address(&self) -> *const () {
        self.slot.cast_const().cast()
    }
    /// Entry `i` in key order.
    ///
    /// # Panics
    /// When there is none.
    pub fn at(&self, i: usize) -> (&Str, FieldRef<'_>) {
        self.as_ref().at(i)
    }
    /// The value of entry `i` for writing.
    ///
    /// # Panics
    /// When there is none.
    pub fn at_mut(&mut self, i: usize) -> FieldMut<'_> {
        check(i, self.len());
        // SAFETY: one of the values of a block that is ours alone after `own`.
        unsafe {
            plan::own(self.slot, Elements::Map(self.of));
            write(self.as_ref().entry(i).add(KEY), self.of)
        }
    }
    /// The value of `key` for writing, made by default when absent.
    pub fn entry(&mut self, key: Str) -> FieldMut<'_> {
        let at = match self.as_ref().find(&key) {
            Ok(at) => return self.at_mut(at),
            Err(at) => at,
        };
        let of = Elements::Map(self.of);
        // SAFETY: owned; the new entry is written at once, key and value.
        unsafe {
            plan::own(self.slot, of);
            let p = heap::open(self.slot, of.size(), at);
            p.cast::<Str>().write(key);
            plan::make_counted(p.add(KEY), self.of);
            write(p.add(KEY), self.of)
        }
    }
    /// The value of `key` for writing, at its default whether it was there before or not.
    pub fn fresh_entry(&mut self, key: Str) -> FieldMut<'_> {
        let Ok(at) = self.as_ref().find(&key) else { return self.entry(key) };
        let of = self.of;
        // SAFETY: one of the values of a block that is ours alone after `own`.
        unsafe {
            plan::own(self.slot, Elements::Map(of));
            let p = self.as_ref().entry(at).add(KEY);
            plan::renew(p, of);
            write(p, of)
        }
    }
    /// The type of the values.
    pub fn of(&self) -> &'static Type {
        self.of
    }
    /// Makes it a map of `n` entries, with room for no more, whose keys are set one after the
    /// other by [`set_key`](MapMut::set_key), ascending.
    pub(crate) fn set_entries(&mut self, n: usize) {
        self.slot().set_empty();
        if n == 0 {
            return;
        }
        let size = Elements::Map(self.of).size();
        let h = heap::alloc(n, size);
        for i in 0..n {
            // SAFETY: room for as many entries; each is written once before anything reads it. A
            // leaf whose default panics leaks the block, which nothing has the address of.
            unsafe {
                let p = heap::data::<u8>(h).add(i * size);
                plan::make(p.add(KEY), self.of);
                p.cast::<Str>().write(Str::empty());
            }
        }
        *self.slot = h;
    }
    /// Sets the key of entry `i` and gives its value for writing. The caller keeps keys ascending.
    ///
    /// # Panics
    /// When there is none.
    pub(crate) fn set_key(&mut self, i: usize, key: Str) -> FieldMut<'_> {
        check(i, self.len());
        // SAFETY: one of the entries of a block that is ours alone after `own`.
        unsafe {
            plan::own(self.slot, Elements::Map(self.of));
            let p = self.as_ref().entry(i);
            *p.cast::<Str>() = key;
            write(p.add(KEY), self.of)
        }
    }
    /// A share of the entries.
    pub fn share(&self) -> Option<Handle> {
        self.as_ref().share()
    }
    /// The pointer, type-erased.
    pub fn slot(&mut self) -> SlotMut<'_> {
        SlotMut::described(self.slot, Elements::Map(self.of))
    }
}
