//! The reflective surface of values: [`Message`], and the fields of one by reference or for
//! writing, found through the tables of [`Desc`]. Why that is sound: see [`plan`](super::plan).
use super::elements::{ListMut, ListRef, MapMut, MapRef};
use super::heap::{self, Header, SlotMut};
use super::plan::{self, Elements};
use super::{Bytes, Emb, List, Map, Shared, StaticDefault, Str};
use crate::reflect::{Desc, Field, FieldMut, FieldRef, Type};
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};

/// A generated API type (or a hand-written one of the same form), whatever its type: what every
/// codec, comparison and copy works on.
///
/// # Safety
/// [`desc`](Message::desc) gives the table of the memory of `Self`, always the same.
pub unsafe trait Message: Send + Sync + 'static {
    /// What the type tells about itself.
    fn desc(&self) -> &'static Desc;
}

/// The static side of [`Message`]. Implemented by the `message!` macro only.
///
/// # Safety
/// The table is made with `Desc::of::<Self>` and has every field of the struct, with its offset
/// and the [`Reflect::TYPE`] of its type.
pub unsafe trait Described: Clone + Default + Send + Sync + 'static {
    /// What the type tells about itself.
    const DESC: &'static Desc;
    /// [`DESC`](Described::DESC).
    fn described() -> &'static Desc {
        Self::DESC
    }
}

// SAFETY: the promise of `Described`.
unsafe impl<T: Described> Message for T {
    #[inline]
    fn desc(&self) -> &'static Desc {
        T::DESC
    }
}

/// A described value that is only looked at: its table of functions need not have its destructor.
#[repr(transparent)]
struct View<T>(ManuallyDrop<T>);
// SAFETY: `View` is transparent.
unsafe impl<T: Described> Message for View<T> {
    fn desc(&self) -> &'static Desc {
        T::DESC
    }
}

/// The message at an address, which is that of a `T`: a function of [`Desc`].
pub(crate) fn view<T: Described>(p: *mut u8) -> *mut dyn Message {
    p.cast::<View<T>>()
}

/// A value as a message, without code of its own for the type.
#[doc(hidden)]
#[inline]
pub fn erase<T: Described>(value: &T) -> &dyn Message {
    // SAFETY: the address of a `T`, for as long as `value` is borrowed.
    unsafe { &*(T::DESC.view)(std::ptr::from_ref(value).cast_mut().cast()) }
}
/// [`erase`] for writing.
#[doc(hidden)]
#[inline]
pub fn erase_mut<T: Described>(value: &mut T) -> &mut dyn Message {
    // SAFETY: as above, and borrowed for writing.
    unsafe { &mut *(T::DESC.view)(std::ptr::from_mut(value).cast()) }
}
/// What `Clone` of a described type is.
#[doc(hidden)]
#[inline]
pub fn clone_of<T: Described>(value: &T) -> T {
    let mut copy = MaybeUninit::<T>::uninit();
    // SAFETY: a `T`, and room for one, which is one afterwards.
    unsafe {
        plan::clone_message(std::ptr::from_ref(value).cast(), copy.as_mut_ptr().cast(), T::DESC);
        copy.assume_init()
    }
}
/// What `Default` of a described type is.
#[doc(hidden)]
#[inline]
pub fn default_of<T: Described>() -> T {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: room for a `T`, which is one afterwards.
    unsafe {
        plan::make_message(value.as_mut_ptr().cast(), T::DESC);
        value.assume_init()
    }
}

impl<T: Described> StaticDefault for T {
    fn static_default() -> &'static Self {
        // SAFETY: a `T` that is never dropped or written.
        unsafe { &*T::DESC.default_value().cast::<T>() }
    }
}

impl<'o> dyn Message + 'o {
    /// The fields, for reading several.
    #[inline]
    pub fn fields(&self) -> Fields<'_> {
        Fields { p: std::ptr::from_ref(self).cast(), desc: self.desc(), life: PhantomData }
    }
    /// The fields, for writing one after the other.
    #[inline]
    pub fn fields_mut(&mut self) -> FieldsMut<'_> {
        FieldsMut { p: std::ptr::from_mut(self).cast(), desc: self.desc(), life: PhantomData }
    }
    /// The value, when it is a `T`.
    pub fn downcast_ref<T: Described>(&self) -> Option<&T> {
        // SAFETY: every type has a table of its own.
        std::ptr::eq(self.desc(), T::DESC).then(|| unsafe { &*std::ptr::from_ref(self).cast() })
    }
    /// The value for writing, when it is a `T`.
    pub fn downcast_mut<T: Described>(&mut self) -> Option<&mut T> {
        // SAFETY: as above.
        std::ptr::eq(self.desc(), T::DESC).then(|| unsafe { &mut *std::ptr::from_mut(self).cast() })
    }
    /// The field with index `i`.
    ///
    /// # Panics
    /// When there is no such field.
    pub fn field(&self, i: usize) -> FieldRef<'_> {
        self.fields().get(i)
    }
    /// The field with index `i` for writing.
    ///
    /// # Panics
    /// When there is no such field.
    pub fn field_mut(&mut self, i: usize) -> FieldMut<'_> {
        self.fields_mut().into_field(i)
    }
}

/// The fields of a message, in the order of [`Desc::fields`].
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    p: *const u8,
    desc: &'static Desc,
    life: PhantomData<&'a ()>,
}

impl<'a> Fields<'a> {
    /// What the type tells about itself.
    #[inline]
    pub fn desc(self) -> &'static Desc {
        self.desc
    }
    /// Field `i`.
    ///
    /// # Panics
    /// When there is no such field.
    #[inline]
    pub fn get(self, i: usize) -> FieldRef<'a> {
        let f = &self.desc.fields[i];
        // SAFETY: the table is that of the value, which is borrowed for `'a`.
        unsafe { read(self.p.add(f.offset as usize), &f.ty) }
    }
    /// The fields of field `i`, when it is a message by value.
    ///
    /// # Panics
    /// When there is no such field.
    #[inline]
    pub fn inner(self, i: usize) -> Option<Fields<'a>> {
        let f = &self.desc.fields[i];
        let Type::Msg(desc) = f.ty else { return None };
        // SAFETY: the table is that of the value, which is borrowed for `'a`.
        Some(Fields { p: unsafe { self.p.add(f.offset as usize) }, desc, life: PhantomData })
    }
    /// Every field.
    pub fn iter(self) -> impl ExactSizeIterator<Item = FieldRef<'a>> {
        (0..self.desc.fields.len()).map(move |i| self.get(i))
    }
    /// This and another value of the same type; `None` when it is of another.
    #[inline]
    pub fn beside<'b>(self, other: Fields<'b>) -> Option<Pair<'a, 'b>> {
        std::ptr::eq(self.desc, other.desc).then_some(Pair { a: self, b: other })
    }
    /// Whether field `i` holds the very same block in both, or the same short text: it is then
    /// equal. `false` says nothing.
    ///
    /// # Panics
    /// When there is no such field.
    #[inline]
    pub fn is_shared(self, other: Fields<'_>, i: usize) -> bool {
        let f = &self.desc.fields[i];
        is_handle(&f.ty) && self.beside(other).is_some_and(|pair| pair.same_word(f))
    }
}

/// Whether values of the type are one pointer, or text in its place.
#[inline]
const fn is_handle(t: &Type) -> bool {
    matches!(
        t,
        Type::Str
            | Type::OptStr
            | Type::Bytes
            | Type::Emb(_)
            | Type::OptMsg(_)
            | Type::List(_)
            | Type::Map(_)
    )
}

/// Two values of the same type.
#[derive(Clone, Copy)]
pub struct Pair<'a, 'b> {
    a: Fields<'a>,
    b: Fields<'b>,
}

impl<'a, 'b> Pair<'a, 'b> {
    /// The indexes of the fields.
    #[inline]
    pub fn indexes(self) -> std::ops::Range<usize> {
        0..self.a.desc.fields.len()
    }
    /// Field `i` of both.
    ///
    /// # Panics
    /// When there is no such field.
    #[inline]
    pub fn get(self, i: usize) -> (FieldRef<'a>, FieldRef<'b>) {
        (self.a.get(i), self.b.get(i))
    }
    /// Field `i` of both, when it is a message by value.
    ///
    /// # Panics
    /// When there is no such field.
    #[inline]
    pub fn inner(self, i: usize) -> Option<Pair<'a, 'b>> {
        Some(Pair { a: self.a.inner(i)?, b: self.b.inner(i)? })
    }
    #[inline]
    fn same_word(self, f: &Field) -> bool {
        let at = f.offset as usize;
        // SAFETY: both are of this table, where a pointer stands here.
        unsafe {
            std::ptr::eq(
                self.a.p.add(at).cast::<*mut Header>().read(),
                self.b.p.add(at).cast::<*mut Header>().read(),
            )
        }
    }
    /// Whether field `i` is equal in both, where that takes no look at what it points to; the same
    /// block is equal to itself.
    ///
    /// # Panics
    /// When there is no such field.
    #[inline]
    pub fn plainly_equal(self, i: usize) -> Option<bool> {
        let f = &self.a.desc.fields[i];
        let at = f.offset as usize;
        // SAFETY: both are of this table, and have a value of this type here.
        unsafe {
            let (a, b) = (self.a.p.add(at), self.b.p.add(at));
            match &f.ty {
                Type::Bool => Some(*a.cast::<bool>() == *b.cast::<bool>()),
                Type::I32 => Some(*a.cast::<i32>() == *b.cast::<i32>()),
                Type::I64 => Some(*a.cast::<i64>() == *b.cast::<i64>()),
                Type::Str => Some(*a.cast::<Str>() == *b.cast::<Str>()),
                Type::OptBool => Some(*a.cast::<Option<bool>>() == *b.cast::<Option<bool>>()),
                Type::OptI32 => Some(*a.cast::<Option<i32>>() == *b.cast::<Option<i32>>()),
                Type::OptI64 => Some(*a.cast::<Option<i64>>() == *b.cast::<Option<i64>>()),
                t if is_handle(t) && self.same_word(f) => Some(true),
                _ => None,
            }
        }
    }
}

/// The fields of a message for writing, in the order of [`Desc::fields`].
pub struct FieldsMut<'a> {
    p: *mut u8,
    desc: &'static Desc,
    life: PhantomData<&'a mut ()>,
}

impl<'a> FieldsMut<'a> {
    /// The fields as they are.
    #[inline]
    pub fn as_ref(&self) -> Fields<'_> {
        Fields { p: self.p, desc: self.desc, life: PhantomData }
    }
    /// Field `i`.
    ///
    /// # Panics
    /// When there is no such field.
    #[inline]
    pub fn get(&mut self, i: usize) -> FieldMut<'_> {
        FieldsMut { p: self.p, desc: self.desc, life: PhantomData }.into_field(i)
    }
    /// What the type tells about itself.
    #[inline]
    pub fn desc(&self) -> &'static Desc {
        self.desc
    }
    /// The fields of field `i`, when it is a message by value.
    ///
    /// # Panics
    /// When there is no such field.
    #[inline]
    pub fn inner(&mut self, i: usize) -> Option<FieldsMut<'_>> {
        let f = &self.desc.fields[i];
        let Type::Msg(desc) = f.ty else { return None };
        // SAFETY: the field is inside and of this description.
        Some(unsafe { FieldsMut::new(self.p.add(f.offset as usize), desc) })
    }
    /// # Safety
    /// `p` is a value of this description that lives and that nobody else uses for `'a`.
    #[inline]
    pub(super) unsafe fn new(p: *mut u8, desc: &'static Desc) -> FieldsMut<'a> {
        FieldsMut { p, desc, life: PhantomData }
    }
    #[inline]
    fn into_field(self, i: usize) -> FieldMut<'a> {
        let f = &self.desc.fields[i];
        // SAFETY: the table is that of the value, which is borrowed for writing for `'a`.
        unsafe { write(self.p.add(f.offset as usize), &f.ty) }
    }
}

/// # Safety
/// `p` is a value of type `t` that lives and is not written for `'a`.
pub(super) unsafe fn read<'a>(p: *const u8, t: &'static Type) -> FieldRef<'a> {
    use FieldRef as F;
    // SAFETY: the reference is to the type that is there.
    unsafe {
        match t {
            Type::Str => F::Str(&*p.cast()),
            Type::I32 => F::I32(&*p.cast()),
            Type::I64 => F::I64(&*p.cast()),
            Type::Bool => F::Bool(&*p.cast()),
            Type::F64 => F::F64(&*p.cast()),
            Type::Bytes => F::Bytes(&*p.cast()),
            Type::OptStr => F::OptStr(&*p.cast()),
            Type::OptI32 => F::OptI32(&*p.cast()),
            Type::OptI64 => F::OptI64(&*p.cast()),
            Type::OptBool => F::OptBool(&*p.cast()),
            Type::OptF64 => F::OptF64(&*p.cast()),
            Type::Msg(d) => F::Msg(&*(d.view)(p.cast_mut())),
            Type::Leaf(l) => F::Leaf(&*(l.ops.leaf)(p.cast_mut())),
            Type::OptLeaf(l) => F::OptLeaf((&*(l.ops.optional)(p.cast_mut())).get()),
            Type::Emb(d) => F::Msg(&*(d.view)(match one(p) {
                Some(value) => value,
                None => d.default_value(),
            })),
            Type::OptMsg(d) => F::OptMsg(match one(p) {
                Some(value) => Some(&*(d.view)(value)),
                None => None,
            }),
            Type::List(of) => F::List(ListRef::new(*p.cast(), of)),
            Type::Map(of) => F::Map(MapRef::new(*p.cast(), of)),
        }
    }
}

/// # Safety
/// `p` is a handle to one value, or null.
#[inline]
unsafe fn one(p: *const u8) -> Option<*mut u8> {
    // SAFETY: the caller's promise.
    let h = unsafe { *p.cast::<*mut Header>() };
    if h.is_null() { None } else { Some(heap::data(h)) }
}

/// # Safety
/// `p` is a value of type `t` that lives and that nobody else uses for `'a`.
pub(super) unsafe fn write<'a>(p: *mut u8, t: &'static Type) -> FieldMut<'a> {
    use FieldMut as F;
    // SAFETY: the reference is to the type that is there; handles are pointers in memory.
    unsafe {
        match t {
            Type::Str => F::Str(&mut *p.cast()),
            Type::I32 => F::I32(&mut *p.cast()),
            Type::I64 => F::I64(&mut *p.cast()),
            Type::Bool => F::Bool(&mut *p.cast()),
            Type::F64 => F::F64(&mut *p.cast()),
            Type::Bytes => F::Bytes(&mut *p.cast()),
            Type::OptStr => F::OptStr(&mut *p.cast()),
            Type::OptI32 => F::OptI32(&mut *p.cast()),
            Type::OptI64 => F::OptI64(&mut *p.cast()),
            Type::OptBool => F::OptBool(&mut *p.cast()),
            Type::OptF64 => F::OptF64(&mut *p.cast()),
            Type::Msg(d) => F::Msg(&mut *(d.view)(p)),
            Type::Leaf(l) => F::Leaf(&mut *(l.ops.leaf)(p)),
            Type::OptLeaf(l) => F::OptLeaf(&mut *(l.ops.optional)(p)),
            Type::Emb(desc) | Type::OptMsg(desc) => {
                F::OptMsg(OptMut { slot: &mut *p.cast(), desc })
            }
            Type::List(of) => F::List(ListMut { slot: &mut *p.cast(), of }),
            Type::Map(of) => F::Map(MapMut { slot: &mut *p.cast(), of }),
        }
    }
}

/// An optional message for writing.
pub struct OptMut<'a> {
    slot: &'a mut *mut Header,
    desc: &'static Desc,
}

impl<'a> OptMut<'a> {
    /// The message, made by default when absent.
    pub fn set(&mut self) -> &mut dyn Message {
        OptMut { slot: self.slot, desc: self.desc }.into_message()
    }
    /// [`set`](OptMut::set), for as long as the message that has the field is borrowed.
    pub fn into_message(self) -> &'a mut dyn Message {
        let view = self.desc.view;
        // SAFETY: the block has a value of this description and is ours alone.
        unsafe { &mut *view(self.into_fields().p) }
    }
    /// The fields of the message, made by default when absent.
    #[inline]
    pub fn fields(&mut self) -> FieldsMut<'_> {
        OptMut { slot: self.slot, desc: self.desc }.into_fields()
    }
    /// [`fields`](OptMut::fields), for as long as the message that has the field is borrowed.
    pub fn into_fields(self) -> FieldsMut<'a> {
        // SAFETY: a fresh block is written before it is used; another is made our own.
        unsafe {
            if self.slot.is_null() {
                let h = heap::alloc(1, self.desc.size);
                plan::make_message(heap::data(h), self.desc);
                *self.slot = h;
            } else {
                plan::own(self.slot, Elements::One(self.desc));
            }
            FieldsMut::new(heap::data(*self.slot), self.desc)
        }
    }
    /// Whether it is absent.
    #[inline]
    pub fn is_none(&self) -> bool {
        self.slot.is_null()
    }
    /// What is there now.
    pub fn get(&self) -> Option<&dyn Message> {
        if self.slot.is_null() {
            return None;
        }
        // SAFETY: a live block with a value of this description.
        Some(unsafe { &*(self.desc.view)(heap::data(*self.slot)) })
    }
    /// Makes it absent.
    pub fn clear(&mut self) {
        let h = std::mem::replace(self.slot, std::ptr::null_mut());
        // SAFETY: the slot's count is given up, once.
        unsafe { plan::release(h, Elements::One(self.desc)) }
    }
    /// The pointer, type-erased.
    pub fn slot(&mut self) -> SlotMut<'_> {
        SlotMut::described(self.slot, Elements::One(self.desc))
    }
}

/// What a field, an element of a list or a value of a map may be.
///
/// # Safety
/// [`TYPE`](Reflect::TYPE) says the type and layout of `Self`.
pub unsafe trait Reflect: Sized {
    /// The type in tables.
    const TYPE: Type;
}

/// What may be absent.
///
/// # Safety
/// [`OPTION`](Optional::OPTION) says the type and layout of `Option<Self>`.
pub unsafe trait Optional: Sized {
    /// The type of an option of it in tables.
    const OPTION: Type;
}

macro_rules! scalars { ($($type:ty: $one:ident $(, $optional:ident)?;)*) => { $(
    // SAFETY: the variant of this very type.
    unsafe impl Reflect for $type {
        const TYPE: Type = Type::$one;
    }
    // SAFETY: the variant of this very type.
    $(unsafe impl Optional for $type {
        const OPTION: Type = Type::$optional;
    })?
)* } }
scalars! {
    Str: Str, OptStr;
    i32: I32, OptI32;
    i64: I64, OptI64;
    bool: Bool, OptBool;
    f64: F64, OptF64;
    Bytes: Bytes;
}

// SAFETY: described, inline.
unsafe impl<T: Described> Reflect for T {
    const TYPE: Type = Type::Msg(T::DESC);
}
// SAFETY: a pointer to a block of `T`, or null.
unsafe impl<T: Described> Reflect for Emb<T> {
    const TYPE: Type = Type::Emb(T::DESC);
}
// SAFETY: as above.
unsafe impl<T: Described> Optional for Shared<T> {
    const OPTION: Type = Type::OptMsg(T::DESC);
}
// SAFETY: the promise of `Optional`.
unsafe impl<T: Optional> Reflect for Option<T> {
    const TYPE: Type = T::OPTION;
}
// SAFETY: a pointer to a block of `T`s, to the empty list, or null.
unsafe impl<T: Reflect> Reflect for List<T> {
    const TYPE: Type = Type::List(&T::TYPE);
}
// SAFETY: a pointer to a block of entries with values of `T`, to the empty list, or null.
unsafe impl<T: Reflect> Reflect for Map<T> {
    const TYPE: Type = Type::Map(&T::TYPE);
}
