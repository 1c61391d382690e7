//! Patch metadata of built-in types. Go: `strategicpatch.PatchMetaFromStruct` and the field lookup
//! of `third_party/forked/golang/json`.

use std::borrow::Cow;

use pintle_apimachinery::Error;
use pintle_apimachinery::reflect::{
    Desc, Described, Facts, INLINE, LeafDesc, NO_FACTS, NOJSON, Type,
};

use super::schema::{FieldMeta, PatchSchema};
use crate::error::{Reason, fail};
use crate::go::quote;

/// A built-in type, or a part of one.
///
/// ```
/// use pintle_api::core_v1::{Pod, Volume};
/// use pintle_patch::{PatchSchema, TypeSchema};
///
/// let (spec, _) = TypeSchema::of::<Pod>().object("spec")?;
/// assert_eq!(spec.list("volumes")?.1.strategy, "merge,retainKeys");
/// let error = TypeSchema::of::<Volume>().object("nope").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "unable to find api field in struct Volume for the json field \"nope\"",
/// );
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TypeSchema(At);

#[derive(Clone, Copy, Debug)]
enum At {
    Struct(&'static Desc),
    Type(&'static Type),
    Leaf(&'static LeafDesc),
    /// The type behind a pointer that is not one to a struct.
    Named(&'static str),
}

impl TypeSchema {
    /// The type `T`. Go: `NewPatchMetaFromStruct`.
    pub fn of<T: Described>() -> Self {
        Self::from_desc(T::described())
    }

    /// The type of a descriptor, for code that has no static type.
    pub fn from_desc(desc: &'static Desc) -> Self {
        TypeSchema(At::Struct(desc))
    }

    /// What has members, also behind a pointer; otherwise Go's name for what there is.
    fn fields(self) -> Result<Fields, &'static str> {
        let ty = match self.0 {
            At::Struct(desc) => return Ok(Fields::Struct(desc)),
            At::Leaf(leaf) => return Ok(Fields::Leaf(leaf)),
            At::Named(kind) => return Err(kind),
            At::Type(ty) => resolve(ty),
        };
        match ty {
            Type::Msg(desc) | Type::Emb(desc) | Type::OptMsg(desc) => Ok(Fields::Struct(desc)),
            Type::Leaf(leaf) | Type::OptLeaf(leaf) => Ok(Fields::Leaf(leaf)),
            Type::OptStr => Err("string"),
            Type::OptI32 => Err("int32"),
            Type::OptI64 => Err("int64"),
            Type::OptBool => Err("bool"),
            Type::OptF64 => Err("float64"),
            other => Err(kind(other)),
        }
    }

    /// The type and the facts of a member: by its name, or else by its name in other case.
    fn member(self, key: &str) -> Result<(At, &'static Facts), Error> {
        let not_struct = |kind| {
            let message = format!(
                "merging an object in json but data type is not struct, instead is: {kind}"
            );
            fail(Reason::Unsuitable, message)
        };
        let desc = match self.fields().map_err(not_struct)? {
            Fields::Struct(desc) => desc,
            Fields::Leaf(leaf) => {
                let found = leaf_fields(leaf).iter().find(|(name, _)| same_folded(name, key));
                return match found {
                    Some((_, kind)) => Ok((At::Named(kind), &NO_FACTS)),
                    None => Err(no_field(leaf.name, key)),
                };
            }
        };
        // Kind and apiVersion are no fields of Rust types.
        let head = |same: fn(&str, &str) -> bool| {
            desc.kind.is_some() && (same("kind", key) || same("apiVersion", key))
        };
        for same in [(|a, b| a == b) as fn(&str, &str) -> bool, same_folded] {
            if head(same) {
                return Ok((At::Named("string"), &NO_FACTS));
            }
            if let Some((ty, facts)) = search(desc, key, same) {
                return Ok((At::Type(ty), facts));
            }
        }
        Err(no_field(desc.name, key))
    }
}

enum Fields {
    Struct(&'static Desc),
    Leaf(&'static LeafDesc),
}

/// The fields that Go can see in types with a JSON form of their own.
fn leaf_fields(leaf: &LeafDesc) -> &'static [(&'static str, &'static str)] {
    match leaf.name {
        "Quantity" => &[("Format", "string")],
        "IntOrString" => &[("Type", "int64"), ("IntVal", "int32"), ("StrVal", "string")],
        "Duration" => &[("Duration", "int64")],
        _ => &[],
    }
}

fn no_field(name: &str, key: &str) -> Error {
    let key = quote(key);
    let message = format!("unable to find api field in struct {name} for the json field {key}");
    fail(Reason::Unsuitable, message)
}

fn search(
    desc: &'static Desc,
    key: &str,
    same: fn(&str, &str) -> bool,
) -> Option<(&'static Type, &'static Facts)> {
    desc.fields.iter().find_map(|field| {
        if field.flags & INLINE != 0 {
            return match &field.ty {
                Type::Msg(inner) | Type::Emb(inner) | Type::OptMsg(inner) => {
                    search(inner, key, same)
                }
                _ => None,
            };
        }
        (field.flags & NOJSON == 0 && same(field.name, key)).then_some((&field.ty, field.facts))
    })
}

/// Equality whatever the case, with the two letters outside ASCII that fold into it.
fn same_folded(name: &str, key: &str) -> bool {
    let fold = |c: char| match c {
        'ſ' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    name.chars().map(fold).eq(key.chars().map(fold))
}

/// A type without the structs that only give a name to a list.
fn resolve(ty: &'static Type) -> &'static Type {
    match ty {
        Type::Msg(desc) | Type::Emb(desc) if desc.transparent => {
            desc.fields.first().map_or(ty, |field| resolve(&field.ty))
        }
        _ => ty,
    }
}

/// Go's `reflect.Kind` of a type.
fn kind(ty: &Type) -> &'static str {
    match ty {
        Type::Str => "string",
        Type::I32 => "int32",
        Type::I64 => "int64",
        Type::Bool => "bool",
        Type::F64 => "float64",
        Type::Msg(_) | Type::Emb(_) | Type::Leaf(_) => "struct",
        Type::List(_) | Type::Bytes => "slice",
        Type::Map(_) => "map",
        Type::OptStr
        | Type::OptI32
        | Type::OptI64
        | Type::OptBool
        | Type::OptF64
        | Type::OptMsg(_)
        | Type::OptLeaf(_) => "ptr",
    }
}

fn meta(facts: &'static Facts) -> FieldMeta {
    FieldMeta {
        strategy: Cow::Borrowed(facts.patch_strategy),
        merge_key: Cow::Borrowed(facts.patch_key),
    }
}

impl PatchSchema for TypeSchema {
    fn object(self, key: &str) -> Result<(Self, FieldMeta), Error> {
        let (at, facts) = self.member(key)?;
        Ok((TypeSchema(at), meta(facts)))
    }

    fn list(self, key: &str) -> Result<(Self, FieldMeta), Error> {
        let (at, facts) = self.member(key)?;
        let meta = meta(facts);
        let not_list = || {
            let message = format!("expected slice or array type, but got: {}", self.name());
            fail(Reason::Unsuitable, message)
        };
        let At::Type(ty) = at else { return Err(not_list()) };
        let element = match resolve(ty) {
            Type::List(element) => match resolve(element) {
                Type::List(_) | Type::Bytes => {
                    return Err(fail(Reason::Unsuitable, "unexpected slice of slice"));
                }
                _ if facts.go == "[]interface {}" => At::Named("interface"),
                element => At::Type(element),
            },
            Type::Bytes => At::Named("uint8"),
            // As in Go, what a pointer points to passes for an element.
            Type::OptMsg(desc) => At::Struct(desc),
            Type::OptLeaf(leaf) => At::Leaf(leaf),
            Type::OptStr => At::Named("string"),
            Type::OptI32 => At::Named("int32"),
            Type::OptI64 => At::Named("int64"),
            Type::OptBool => At::Named("bool"),
            Type::OptF64 => At::Named("float64"),
            _ => return Err(not_list()),
        };
        Ok((TypeSchema(element), meta))
    }

    fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self.0 {
            At::Struct(_) | At::Leaf(_) => "struct",
            At::Named(kind) => kind,
            At::Type(ty) => kind(resolve(ty)),
        })
    }
}
