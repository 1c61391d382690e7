//! Descriptors and references to fields. How the one finds the other: `rep/table.rs`.
use crate::reflect::leaf::{Leaf, LeafDesc, OptLeafSlot};
use crate::rep::{Bytes, Plan, Str, view};
pub use crate::rep::{
    Described, Fields, FieldsMut, LeafOps, ListMut, ListRef, MapMut, MapRef, Message, OptMut,
    Optional, Pair, Reflect,
};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// [`Field::flags`]: left out of JSON when empty (Go's `omitempty`).
pub const OMITEMPTY: u8 = 1;
/// [`Field::flags`]: the JSON members of the struct are members of the one that has it.
pub const INLINE: u8 = 2;
/// [`Field::flags`]: left out of JSON when zero (Go's `omitzero`).
pub const OMITZERO: u8 = 4;
/// [`Field::flags`]: not in JSON at all.
pub const NOJSON: u8 = 8;
/// [`Field::flags`]: the [`TypeMeta`](super::TypeMeta) of an object inside another.
pub const TYPEMETA: u8 = 16;
/// [`Field::flags`]: a list of values of Go's `any`, which are what they mean, not their text.
pub const ANY: u8 = 32;
/// In [`Desc::by_num`]: no field has this number.
pub const NO_FIELD: u8 = 255;

/// What a type tells about itself.
pub struct Desc {
    /// Go's name of the type.
    pub name: &'static str,
    /// The path of the Rust module that has it, which is named after Go's package.
    pub(crate) module: &'static str,
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
    /// Bytes of a value.
    pub(crate) size: usize,
    /// A value as a message.
    pub(crate) view: fn(*mut u8) -> *mut dyn Message,
    /// How to make, clone and drop a value, worked out at first use.
    pub(crate) plan: OnceLock<Plan>,
}

/// What a type is beside its fields.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Only part of others.
    Part,
    /// Its JSON form is that of its only field (a named Go slice).
    Transparent,
    /// A kind.
    Kind(&'static KindFacts),
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
    /// The table of `T`, whose fields they are, all of them.
    pub const fn of<T: Described>(
        name: &'static str,
        module: &'static str,
        fields: &'static [Field],
        by_num: &'static [u8],
        form: Form,
    ) -> Desc {
        const { assert!(align_of::<T>() <= 8) };
        Desc {
            name,
            module,
            fields,
            by_num,
            kind: match form {
                Form::Kind(facts) => Some(facts),
                _ => None,
            },
            transparent: matches!(form, Form::Transparent),
            slot: AtomicU32::new(0),
            size: size_of::<T>(),
            view: view::<T>,
            plan: OnceLock::new(),
        }
    }
    /// A description that no Rust type stands behind, for what goes by names and facts only
    /// (merging, schemas).
    pub const fn new(name: &'static str, fields: &'static [Field], by_num: &'static [u8]) -> Desc {
        Desc {
            name,
            module: "",
            fields,
            by_num,
            kind: None,
            transparent: false,
            slot: AtomicU32::new(0),
            size: 0,
            view: |_| unreachable!("no value has this description"),
            plan: OnceLock::new(),
        }
    }
    /// Index of the field with JSON name `key`; `hint` is tried first.
    #[inline]
    pub fn find(&self, key: &str, hint: usize) -> Option<usize> {
        if let Some(f) = self.fields.get(hint)
            && f.name == key
            && f.flags & (INLINE | NOJSON) == 0
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
    /// [`OMITEMPTY`], [`INLINE`], [`OMITZERO`], [`NOJSON`], [`TYPEMETA`], [`ANY`].
    pub flags: u8,
    /// Where the field is in its struct.
    pub(crate) offset: u32,
    /// Type.
    pub ty: Type,
    /// What merging, defaulting and validation know.
    pub facts: &'static Facts,
}

impl Field {
    /// A field of type `T` without further facts, `offset` bytes into its struct.
    pub const fn of<T: Reflect>(name: &'static str, num: u8, flags: u8, offset: usize) -> Field {
        assert!(offset <= u32::MAX as usize);
        Field { offset: offset as u32, ..Field::new(name, num, flags, T::TYPE) }
    }
    /// A field without further facts, of a description that no Rust type stands behind.
    pub const fn new(name: &'static str, num: u8, flags: u8, ty: Type) -> Field {
        Field { name, num, flags, offset: 0, ty, facts: &NO_FACTS }
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
    /// Go's type, as its errors name it (`v1.PodPhase`), where it does not follow from
    /// [`Field::ty`]; `""` where it does.
    pub go: &'static str,
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
    go: "",
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
    List(ListRef<'a>),
    Map(MapRef<'a>),
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
    OptMsg(OptMut<'a>),
    OptLeaf(&'a mut dyn OptLeafSlot),
    List(ListMut<'a>),
    Map(MapMut<'a>),
}
