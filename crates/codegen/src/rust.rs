//! What is to be written in Rust, still without text: modules, structs, fields with the kind
//! they have on the reflective surface. The schema is lowered to this by [`crate::lower`]; the
//! derive macros lower a user's struct to the same.

use crate::oddities::Leaf;

/// A module with the types of one group-version.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Name, `core_v1`.
    pub name: String,
    /// Go import path.
    pub path: String,
    /// API group and version.
    pub group: String,
    /// API version.
    pub version: String,
    /// How the documentation calls the group, `core`.
    pub group_label: String,
    /// Whether the module belongs to apimachinery.
    pub meta: bool,
    /// Other modules that its types use, sorted.
    pub uses: Vec<String>,
    /// Hand-written leaves of the API crate that its types use, sorted.
    pub leaves: Vec<Leaf>,
    /// Structs, sorted by name.
    pub structs: Vec<Struct>,
    /// Names for types of other modules: own name, module and name there.
    pub aliases: Vec<(String, TypePath)>,
    /// String constants: name, value, Go type.
    pub consts: Vec<Constant>,
}

/// A string constant.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Rust name.
    pub name: String,
    /// Value.
    pub value: String,
    /// Go name of its type.
    pub ty: String,
}

/// Where a type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypePath {
    /// Module; empty for the one that is written.
    pub module: String,
    /// Rust name.
    pub name: String,
}

/// A struct on the reflective surface.
#[derive(Clone, Debug, Default)]
pub struct Struct {
    /// Rust name.
    pub name: String,
    /// Go name, in descriptors and links.
    pub go: String,
    /// Name of the descriptor.
    pub desc: String,
    /// Whether the JSON form is that of its only field.
    pub transparent: bool,
    /// Set for a kind.
    pub kind: Option<KindFacts>,
    /// Facts for the documentation, one sentence each.
    pub notes: Vec<String>,
    /// Whether the API reference has a section on it.
    pub in_reference: bool,
    /// Fields in Go's order.
    pub fields: Vec<RustField>,
}

/// What is known of a kind.
#[derive(Clone, Debug, Default)]
pub struct KindFacts {
    /// API group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Has object metadata.
    pub object: bool,
    /// Rust name of the element type, for a list of objects.
    pub list_of: Option<String>,
    /// Set for a REST resource.
    pub resource: Option<ResourceFacts>,
}

/// What is known of a REST resource.
#[derive(Clone, Debug, Default)]
pub struct ResourceFacts {
    /// Name in the URL.
    pub plural: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Rust name of the list type, when there is one.
    pub list: Option<String>,
}

/// A field.
#[derive(Clone, Debug, Default)]
pub struct RustField {
    /// Rust name.
    pub name: String,
    /// JSON name; empty for an inlined or untagged struct.
    pub json: String,
    /// Protobuf number.
    pub number: u32,
    /// JSON `omitempty`.
    pub omitempty: bool,
    /// JSON `omitzero`.
    pub omitzero: bool,
    /// Members appear in the parent.
    pub inline: bool,
    /// Not in JSON.
    pub hidden: bool,
    /// Holds kind and apiVersion of an object inside another.
    pub type_meta: bool,
    /// Kind.
    pub kind: Kind,
    /// What merging, defaulting and validation know.
    pub facts: Facts,
    /// Facts for the documentation.
    pub notes: Vec<String>,
}

/// What merging, defaulting and validation know of a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// JSON text of the default.
    pub default: String,
    /// `atomic`, `set`, `map` or nothing.
    pub list_type: String,
    /// The map or struct (of a list: each element) is replaced as a whole.
    pub atomic: bool,
    /// Keys of a list of type map.
    pub keys: Vec<String>,
    /// Strategic merge patch strategy.
    pub patch_strategy: String,
    /// Strategic merge patch key.
    pub patch_key: String,
    /// Allowed values.
    pub enums: Vec<String>,
    /// Clients must give it.
    pub required: bool,
    /// Go's type, a pointer's target, where it does not follow from the kind.
    pub go: String,
}

/// The kind of a value on the reflective surface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// String.
    #[default]
    Str,
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// Boolean.
    Bool,
    /// Floating-point number.
    F64,
    /// Bytes.
    Bytes,
    /// A struct by value.
    Msg(TypePath),
    /// A struct by value, stored behind a pointer.
    Emb(TypePath),
    /// A type with its own codec.
    Leaf(Leaf),
    /// A pointer to one of the above.
    Opt(Box<Kind>),
    /// A list.
    List(Box<Kind>),
    /// A map from strings.
    Map(Box<Kind>),
}

impl Kind {
    /// The innermost kind.
    pub fn leaf_kind(&self) -> &Kind {
        match self {
            Kind::Opt(inner) | Kind::List(inner) | Kind::Map(inner) => inner.leaf_kind(),
            other => other,
        }
    }
}
