//! Descriptors, references to fields, and the traits behind them.
use crate::reflect::leaf::{Leaf, LeafDesc, OptLeafSlot};
use crate::rep::{Bytes, Emb, Handle, List, Map, Shared, SlotMut, StaticDefault, Str};
use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};

/// [`Field::flags`]: left out of JSON when empty (Go's `omitempty`).
pub const OMITEMPTY: u8 = 1;
/// [`Field::flags`]: the JSON members of the struct are members of the one that has it.
pub const INLINE: u8 = 2;
/// [`Field::flags`]: left out of JSON when zero (Go's `omitzero`).
pub const OMITZERO: u8 = 4;
/// [`Field::flags`]: not in JSON at all.
pub const NOJSON: u8 = 8;
/// In [`Desc::by_num`]: no field has this number.
pub const NO_FIELD: u8 = 255;

/// What a type tells about itself.
pub struct Desc {
    /// Go's name of the type.
    pub name: &'static str,
    /// Fields in Go's order, which is the order of JSON members.
    pub fields: &'static [Field],
    /// Index of the field with each protobuf number, [`NO_FIELD`] where there is none.
    pub by_num: &'static [u8],
    /// Group, version and kind when the type is a kind of its own.
    pub kind: Option<&'static KindFacts>,
    /// Whether the JSON form is that of the only field.
    pub transparent: bool,
    /// A dense number given at first use: decoders keep statistics per field by it.
    slot: AtomicU32,
}

/// Group, version and kind of a type.
#[derive(Debug)]
pub struct KindFacts {
    /// API group, `""` for core.
    pub group: &'static str,
    /// API version in the group.
    pub version: &'static str,
    /// Kind.
    pub kind: &'static str,
}

static NEXT_SLOT: AtomicU32 = AtomicU32::new(1);

impl Desc {
    /// A type that is only part of others.
    pub const fn new(name: &'static str, fields: &'static [Field], by_num: &'static [u8]) -> Desc {
        Desc { name, fields, by_num, kind: None, transparent: false, slot: AtomicU32::new(0) }
    }
    /// A type that is a kind.
    pub const fn kind(
        name: &'static str,
        fields: &'static [Field],
        by_num: &'static [u8],
        kind: &'static KindFacts,
    ) -> Desc {
        Desc { name, fields, by_num, kind: Some(kind), transparent: false, slot: AtomicU32::new(0) }
    }
    /// A type whose JSON form is that of its only field (a named Go slice).
    pub const fn transparent(
        name: &'static str,
        fields: &'static [Field],
        by_num: &'static [u8],
    ) -> Desc {
        Desc { name, fields, by_num, kind: None, transparent: true, slot: AtomicU32::new(0) }
    }
    /// Index of the field with JSON name `key`; `hint` is tried first.
    #[inline]
    pub fn find(&self, key: &str, hint: usize) -> Option<usize> {
        if let Some(f) = self.fields.get(hint)
            && f.name == key
        {
            return Some(hint);
        }
        self.fields.iter().position(|f| f.name == key && f.flags & (INLINE | NOJSON) == 0)
    }
    /// The dense number of this type in this process, from 0.
    #[inline]
    pub(crate) fn slot(&self) -> usize {
        match self.slot.load(Ordering::Relaxed) {
            0 => self.take_slot(),
            n => n as usize - 1,
        }
    }
    #[cold]
    fn take_slot(&self) -> usize {
        let fresh = NEXT_SLOT.fetch_add(1, Ordering::Relaxed);
        match self.slot.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => fresh as usize - 1,
            Err(n) => n as usize - 1,
        }
    }
}

impl std::fmt::Debug for Desc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desc({})", self.name)
    }
}

/// One field of a type.
#[derive(Debug)]
pub struct Field {
    /// JSON name; `""` for an inlined struct.
    pub name: &'static str,
    /// Protobuf number; 0 when the field is not in protobuf.
    pub num: u8,
    /// [`OMITEMPTY`], [`INLINE`], [`OMITZERO`], [`NOJSON`].
    pub flags: u8,
    /// Type.
    pub ty: Type,
    /// What merging, defaulting and validation know.
    pub facts: &'static Facts,
}

impl Field {
    /// A field without further facts.
    pub const fn new(name: &'static str, num: u8, flags: u8, ty: Type) -> Field {
        Field { name, num, flags, ty, facts: &NO_FACTS }
    }
    /// The same field with facts.
    pub const fn facts(self, facts: &'static Facts) -> Field {
        Field { facts, ..self }
    }
}

/// How a list merges: the `+listType` marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ListType {
    /// Not said: atomic.
    #[default]
    None,
    /// Replaced as a whole.
    Atomic,
    /// A set of scalars.
    Set,
    /// Elements are identified by [`Facts::keys`].
    Map,
}

/// Facts of a field beyond its codec.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Default as JSON text; `""` when there is none.
    pub default: &'static str,
    /// How a list merges.
    pub list_type: ListType,
    /// Whether a map or struct is replaced as a whole.
    pub atomic: bool,
    /// Keys of a [`ListType::Map`].
    pub keys: &'static [&'static str],
    /// Strategic merge: `merge`, `replace`, `retainKeys`, or several with commas.
    pub patch_strategy: &'static str,
    /// Strategic merge: key of the elements.
    pub patch_key: &'static str,
    /// Allowed values of an enum.
    pub enums: &'static [&'static str],
    /// Whether the field must be given.
    pub required: bool,
}

/// No facts: the base of struct updates.
pub const NO_FACTS: Facts = Facts {
    default: "",
    list_type: ListType::None,
    atomic: false,
    keys: &[],
    patch_strategy: "",
    patch_key: "",
    enums: &[],
    required: false,
};

/// Type of a field, element or value.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // the variants are those of FieldRef
pub enum Type {
    Str,
    I32,
    I64,
    Bool,
    F64,
    Bytes,
    Msg(&'static Desc),
    Emb(&'static Desc),
    Leaf(&'static LeafDesc),
    OptStr,
    OptI32,
    OptI64,
    OptBool,
    OptF64,
    OptMsg(&'static Desc),
    OptLeaf(&'static LeafDesc),
    List(&'static Type),
    Map(&'static Type),
}

/// A field by reference.
#[derive(Clone, Copy)]
#[allow(missing_docs)] // one variant per representation
pub enum FieldRef<'a> {
    Str(&'a Str),
    I32(&'a i32),
    I64(&'a i64),
    Bool(&'a bool),
    F64(&'a f64),
    Bytes(&'a Bytes),
    Msg(&'a dyn Message),
    Leaf(&'a dyn Leaf),
    OptStr(&'a Option<Str>),
    OptI32(&'a Option<i32>),
    OptI64(&'a Option<i64>),
    OptBool(&'a Option<bool>),
    OptF64(&'a Option<f64>),
    OptMsg(Option<&'a dyn Message>),
    OptLeaf(Option<&'a dyn Leaf>),
    List(&'a dyn ListOf),
    Map(&'a dyn MapOf),
}

/// A field for writing.
#[allow(missing_docs)] // one variant per representation
pub enum FieldMut<'a> {
    Str(&'a mut Str),
    I32(&'a mut i32),
    I64(&'a mut i64),
    Bool(&'a mut bool),
    F64(&'a mut f64),
    Bytes(&'a mut Bytes),
    Msg(&'a mut dyn Message),
    Leaf(&'a mut dyn Leaf),
    OptStr(&'a mut Option<Str>),
    OptI32(&'a mut Option<i32>),
    OptI64(&'a mut Option<i64>),
    OptBool(&'a mut Option<bool>),
    OptF64(&'a mut Option<f64>),
    OptMsg(&'a mut dyn OptMessage),
    OptLeaf(&'a mut dyn OptLeafSlot),
    List(&'a mut dyn ListOf),
    Map(&'a mut dyn MapOf),
}

/// Fields of the messages on the way down, appended to one vector instead of one per message.
pub type Stack<'a> = Vec<FieldRef<'a>>;

/// A generated API type (or a hand-written one of the same form).
pub trait Message: Any + Send + Sync {
    /// What the type tells about itself.
    fn desc(&self) -> &'static Desc;
    /// Appends every field in the order of [`Desc::fields`].
    fn refs<'a>(&'a self, stack: &mut Stack<'a>);
    /// The field with index `i` for writing.
    ///
    /// # Panics
    /// When there is no such field.
    fn field_mut(&mut self, i: usize) -> FieldMut<'_>;
}

/// The static side of [`Message`].
pub trait Described: Message + Clone + Default {
    /// What the type tells about itself.
    fn described() -> &'static Desc;
}

/// An optional message for writing.
pub trait OptMessage {
    /// The message, made by default when absent.
    fn set(&mut self) -> &mut dyn Message;
    /// What is there now.
    fn get(&self) -> Option<&dyn Message>;
    /// Makes it absent.
    fn clear(&mut self);
    /// The pointer, type-erased.
    fn slot(&mut self) -> SlotMut<'_>;
}

/// A list with elements of any one type.
pub trait ListOf {
    /// Number of elements.
    fn len(&self) -> usize;
    /// Whether there are no elements.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether the list is nil rather than empty.
    fn is_nil(&self) -> bool;
    /// Where the elements are, for comparing identity.
    fn address(&self) -> *const ();
    /// Element `i`.
    fn at(&self, i: usize) -> FieldRef<'_>;
    /// Element `i` for writing.
    fn at_mut(&mut self, i: usize) -> FieldMut<'_>;
    /// A new element at the end.
    fn push(&mut self) -> FieldMut<'_>;
    /// Makes it a list of `n` default elements, with room for no more.
    fn set_defaults(&mut self, n: usize);
    /// A share of the elements.
    fn share(&self) -> Option<Handle>;
    /// The pointer, type-erased.
    fn slot(&mut self) -> SlotMut<'_>;
}

/// A map from strings with values of any one type.
pub trait MapOf {
    /// Number of entries.
    fn len(&self) -> usize;
    /// Whether there are no entries.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Whether the map is nil rather than empty.
    fn is_nil(&self) -> bool;
    /// Where the entries are, for comparing identity.
    fn address(&self) -> *const ();
    /// Entry `i` in key order.
    fn at(&self, i: usize) -> (&Str, FieldRef<'_>);
    /// The value of entry `i` for writing.
    fn at_mut(&mut self, i: usize) -> FieldMut<'_>;
    /// The value of `key` for writing, made by default when absent.
    fn entry(&mut self, key: Str) -> FieldMut<'_>;
    /// A share of the entries.
    fn share(&self) -> Option<Handle>;
    /// The pointer, type-erased.
    fn slot(&mut self) -> SlotMut<'_>;
}

/// What a field, an element of a list or a value of a map may be.
pub trait Reflect: Clone + Default + Send + Sync + 'static {
    /// By reference.
    fn reflect(&self) -> FieldRef<'_>;
    /// For writing.
    fn reflect_mut(&mut self) -> FieldMut<'_>;
}

macro_rules! scalars { ($($variant:ident $type:ty),*) => { $(
    impl Reflect for $type {
        #[inline]
        fn reflect(&self) -> FieldRef<'_> { FieldRef::$variant(self) }
        #[inline]
        fn reflect_mut(&mut self) -> FieldMut<'_> { FieldMut::$variant(self) }
    }
)* } }
scalars!(Str Str, I32 i32, I64 i64, Bool bool, F64 f64, Bytes Bytes);

impl<T: Message + Clone + Default> Reflect for T {
    #[inline]
    fn reflect(&self) -> FieldRef<'_> {
        FieldRef::Msg(self)
    }
    #[inline]
    fn reflect_mut(&mut self) -> FieldMut<'_> {
        FieldMut::Msg(self)
    }
}
impl<T: Reflect> Reflect for List<T> {
    #[inline]
    fn reflect(&self) -> FieldRef<'_> {
        FieldRef::List(self)
    }
    #[inline]
    fn reflect_mut(&mut self) -> FieldMut<'_> {
        FieldMut::List(self)
    }
}
impl<T: Reflect> Reflect for Map<T> {
    #[inline]
    fn reflect(&self) -> FieldRef<'_> {
        FieldRef::Map(self)
    }
    #[inline]
    fn reflect_mut(&mut self) -> FieldMut<'_> {
        FieldMut::Map(self)
    }
}

impl<T: Message + Clone + Default> OptMessage for Option<Shared<T>> {
    fn set(&mut self) -> &mut dyn Message {
        &mut **self.get_or_insert_with(Shared::default)
    }
    fn get(&self) -> Option<&dyn Message> {
        opt(self)
    }
    fn clear(&mut self) {
        *self = None;
    }
    fn slot(&mut self) -> SlotMut<'_> {
        crate::rep::shared_slot(self)
    }
}
impl<T: Reflect> ListOf for List<T> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }
    fn is_nil(&self) -> bool {
        List::is_nil(self)
    }
    fn address(&self) -> *const () {
        List::address(self)
    }
    fn at(&self, i: usize) -> FieldRef<'_> {
        self.as_slice()[i].reflect()
    }
    fn at_mut(&mut self, i: usize) -> FieldMut<'_> {
        self.make_mut()[i].reflect_mut()
    }
    fn push(&mut self) -> FieldMut<'_> {
        self.push_default().reflect_mut()
    }
    fn set_defaults(&mut self, n: usize) {
        *self = List::defaults(n);
    }
    fn share(&self) -> Option<Handle> {
        List::share(self)
    }
    fn slot(&mut self) -> SlotMut<'_> {
        List::slot(self)
    }
}
impl<T: Reflect> MapOf for Map<T> {
    fn len(&self) -> usize {
        Map::len(self)
    }
    fn is_nil(&self) -> bool {
        Map::is_nil(self)
    }
    fn address(&self) -> *const () {
        self.list().address()
    }
    fn at(&self, i: usize) -> (&Str, FieldRef<'_>) {
        let e = &self.list().as_slice()[i];
        (&e.0, e.1.reflect())
    }
    fn at_mut(&mut self, i: usize) -> FieldMut<'_> {
        self.list_mut().make_mut()[i].1.reflect_mut()
    }
    fn entry(&mut self, key: Str) -> FieldMut<'_> {
        Map::entry(self, key).reflect_mut()
    }
    fn share(&self) -> Option<Handle> {
        self.list().share()
    }
    fn slot(&mut self) -> SlotMut<'_> {
        self.list_mut().slot()
    }
}

/// An optional message by reference.
#[inline]
pub fn opt<T: Message>(o: &Option<Shared<T>>) -> Option<&dyn Message> {
    match o {
        Some(s) => Some(&**s),
        None => None,
    }
}
/// An optional leaf by reference.
#[inline]
pub fn opt_leaf<T: Leaf>(o: &Option<T>) -> Option<&dyn Leaf> {
    match o {
        Some(s) => Some(s),
        None => None,
    }
}
/// An embedded message by reference.
#[inline]
pub fn emb<T: Message + StaticDefault>(o: &Emb<T>) -> &dyn Message {
    &**o
}
/// The generated code was asked for a field that does not exist.
#[cold]
#[inline(never)]
pub fn oob(i: usize) -> ! {
    panic!("no field {i}")
}
