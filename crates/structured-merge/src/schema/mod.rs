//! Types as structured merge sees them. Go: `sigs.k8s.io/structured-merge-diff/schema`.
mod crd;
mod described;
mod json;
mod openapi;

use pintle_apimachinery::Str;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// Name of the type of anything, replaced as a whole.
pub(crate) const UNTYPED_ATOMIC: &str = "__untyped_atomic_";
/// Name of the type of anything, whose maps merge.
pub(crate) const UNTYPED_DEDUCED: &str = "__untyped_deduced_";

/// A list of named types. Never changes once made; share it with an [`Arc`].
///
/// Made from Kubernetes' built-in types ([`Schema::of`]), OpenAPI ([`Schema::from_openapi`]) or
/// the JSON form of Go's YAML ([`Schema::from_json`]).
///
/// ```
/// use pintle_structured_merge::{Schema, TypeRef};
/// use serde_json::json;
/// let schema = Schema::from_json(&json!({"types": [{"name": "ports", "list": {
///     "elementType": {"map": {"elementType": {"scalar": "untyped"}}},
///     "elementRelationship": "associative", "keys": ["port"],
/// }}]}))?;
/// let name = TypeRef::named("ports");
/// assert_eq!(schema.resolve(&name).unwrap().list.unwrap().keys, ["port"]);
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Schema {
    types: Vec<TypeDef>,
    index: HashMap<Str, usize>,
}

/// A type with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeDef {
    /// Unique in its schema.
    pub name: Str,
    /// What it is.
    pub atom: Atom,
}

/// A type by name or in place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypeRef {
    /// The name; then `inlined` is empty.
    pub named: Option<Str>,
    /// The type in place.
    pub inlined: Atom,
    /// In the place of the relationship of the map or list that is named.
    pub relationship: Option<Relationship>,
    /// Whether an explicit null is a valid value.
    pub nullable: bool,
}

impl TypeRef {
    /// A type by name.
    pub fn named(name: impl Into<Str>) -> Self {
        TypeRef { named: Some(name.into()), ..Default::default() }
    }
    /// A type in place.
    pub fn inlined(atom: Atom) -> Self {
        TypeRef { inlined: atom, ..Default::default() }
    }
    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        self.named.is_none()
            && self.relationship.is_none()
            && !self.nullable
            && self.inlined.scalar.is_none()
            && self.inlined.list.is_none()
            && self.inlined.map.is_none()
    }
}

/// What a value may be: each that is set is a possibility.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Atom {
    /// A scalar.
    pub scalar: Option<Scalar>,
    /// A list.
    pub list: Option<Box<List>>,
    /// A map or struct.
    pub map: Option<Box<Map>>,
}

impl Atom {
    /// Only a scalar.
    pub fn scalar(scalar: Scalar) -> Self {
        Atom { scalar: Some(scalar), ..Default::default() }
    }
    /// Only a list.
    pub fn list(list: List) -> Self {
        Atom { list: Some(Box::new(list)), ..Default::default() }
    }
    /// Only a map or struct.
    pub fn map(map: Map) -> Self {
        Atom { map: Some(Box::new(map)), ..Default::default() }
    }
}

/// The scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// An integer or float.
    Numeric,
    /// A string.
    String,
    /// A boolean.
    Boolean,
    /// Any scalar.
    Untyped,
}

impl Scalar {
    /// The name in Go's YAML.
    pub fn name(self) -> &'static str {
        match self {
            Scalar::Numeric => "numeric",
            Scalar::String => "string",
            Scalar::Boolean => "boolean",
            Scalar::Untyped => "untyped",
        }
    }
}

/// How the elements of a container belong together. Go: `ElementRelationship`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relationship {
    /// Elements of a list stand for themselves: by their keys, or by their value.
    Associative,
    /// The container is replaced as a whole.
    Atomic,
    /// Members of a map stand for themselves: the default for maps.
    Separable,
}

impl Relationship {
    /// The name in Go's YAML.
    pub fn name(self) -> &'static str {
        match self {
            Relationship::Associative => "associative",
            Relationship::Atomic => "atomic",
            Relationship::Separable => "separable",
        }
    }
}

/// A list.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// Type of the elements.
    pub element_type: TypeRef,
    /// Associative or atomic.
    pub relationship: Relationship,
    /// Of an associative list of maps: the fields that tell elements apart.
    pub keys: Vec<Str>,
}

/// A map or a struct.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    fields: Vec<StructField>,
    /// Type of members that are no fields; empty when there may be none.
    pub element_type: TypeRef,
    /// Atomic or separable; separable when not said.
    pub relationship: Option<Relationship>,
    /// Fields of which only one may be set. Part of the model; merging does not look at them.
    pub unions: Vec<Union>,
    index: HashMap<Str, usize>,
}

impl Map {
    /// A map of elements of one type.
    pub fn of(element_type: TypeRef) -> Self {
        Map { element_type, ..Default::default() }
    }
    /// A struct.
    pub fn with_fields(fields: Vec<StructField>) -> Self {
        let mut map = Map::default();
        map.set_fields(fields);
        map
    }
    fn set_fields(&mut self, fields: Vec<StructField>) {
        // Of fields of the same name the last counts.
        self.index = fields.iter().enumerate().map(|(i, f)| (f.name.clone(), i)).collect();
        self.fields = fields;
    }
    /// The fields in their canonical order.
    pub fn fields(&self) -> &[StructField] {
        &self.fields
    }
    /// A field by name. Go: `FindField`.
    pub fn field(&self, name: &str) -> Option<&StructField> {
        self.index.get(name).map(|i| &self.fields[*i])
    }
    /// Type of the member `name`; empty when it must not be there.
    pub(crate) fn type_of(&self, name: &str) -> &TypeRef {
        self.field(name).map_or(&self.element_type, |f| &f.ty)
    }
}

/// A field of a struct.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StructField {
    /// Its name.
    pub name: Str,
    /// Its type.
    pub ty: TypeRef,
    /// What an element that lacks the field has for it, when it is a key.
    pub default: Option<Value>,
}

/// Fields of a struct of which only one may be set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Union {
    /// The field that names which one is set.
    pub discriminator: Option<Str>,
    /// Whether the discriminator follows what is set.
    pub deduce_invalid_discriminator: bool,
    /// The fields with what the discriminator has for each.
    pub fields: Vec<(Str, Str)>,
}

/// A type with its possibilities at hand.
#[derive(Clone, Copy, Debug)]
pub struct Resolved<'s> {
    /// A scalar.
    pub scalar: Option<Scalar>,
    /// A list.
    pub list: Option<&'s List>,
    /// A map or struct.
    pub map: Option<&'s Map>,
    pub(crate) list_relationship: Option<Relationship>,
    pub(crate) map_relationship: Option<Relationship>,
}

impl Schema {
    /// Of these types. Of types of the same name the last counts.
    pub fn new(types: Vec<TypeDef>) -> Self {
        let index = types.iter().enumerate().map(|(i, t)| (t.name.clone(), i)).collect();
        Schema { types, index }
    }
    /// The types in their order.
    pub fn types(&self) -> &[TypeDef] {
        &self.types
    }
    /// A type by name. Go: `FindNamedType`.
    pub fn find(&self, name: &str) -> Option<&TypeDef> {
        self.index.get(name).map(|i| &self.types[*i])
    }
    /// What a reference stands for; `None` when there is no such type. Go: `Resolve`.
    pub fn resolve<'s>(&'s self, ty: &'s TypeRef) -> Option<Resolved<'s>> {
        let atom = match &ty.named {
            Some(name) => &self.find(name)?.atom,
            None => &ty.inlined,
        };
        if ty.relationship.is_some() && atom.map.is_none() && atom.list.is_none() {
            return None;
        }
        let (list, map) = (atom.list.as_deref(), atom.map.as_deref());
        // What the reference says goes to the map when there is one, else to the list.
        let (for_map, for_list) = match map {
            Some(_) => (ty.relationship, None),
            None => (None, ty.relationship),
        };
        Some(Resolved {
            scalar: atom.scalar,
            list,
            map,
            list_relationship: for_list.or(list.map(|l| l.relationship)),
            map_relationship: for_map.or(map.and_then(|m| m.relationship)),
        })
    }
}

/// The two types that stand for anything. Go: `schemaconv`'s common types.
pub(crate) fn untyped_defs() -> Vec<TypeDef> {
    let list = || List {
        element_type: TypeRef::named(UNTYPED_ATOMIC),
        relationship: Relationship::Atomic,
        keys: Vec::new(),
    };
    let any = |name: &'static str, relationship| TypeDef {
        name: name.into(),
        atom: Atom {
            scalar: Some(Scalar::Untyped),
            list: Some(Box::new(list())),
            map: Some(Box::new(Map {
                relationship: Some(relationship),
                ..Map::of(TypeRef::named(name))
            })),
        },
    };
    vec![any(UNTYPED_ATOMIC, Relationship::Atomic), any(UNTYPED_DEDUCED, Relationship::Separable)]
}

pub(crate) static DEDUCED: LazyLock<Arc<Schema>> =
    LazyLock::new(|| Arc::new(Schema::new(untyped_defs())));
