//! What Go calls a type at run time (`reflect.Type.String()`): texts of errors have it.

use crate::model::{Body, GoType, Schema};
use crate::oddities;
use crate::rust::Kind;

/// Go's text of a type, or of what it points to.
pub(crate) fn of_go(schema: &Schema, ty: &GoType) -> String {
    match ty {
        GoType::Pointer(inner) => of_go(schema, inner),
        GoType::Slice(inner) => format!("[]{}", inside(schema, inner)),
        GoType::Map(key, value) => format!("map[{}]{}", inside(schema, key), inside(schema, value)),
        GoType::Opaque => String::new(),
        GoType::Name(package, name) if package.is_empty() => match name.as_str() {
            "any" => "interface {}".to_owned(),
            "byte" => "uint8".to_owned(),
            name => name.to_owned(),
        },
        GoType::Name(package, name) => {
            // A type named after one of another package is that type.
            if let Some(Body::Named(under @ GoType::Name(home, _))) =
                schema.find(package, name).map(|def| &def.body)
                && !home.is_empty()
                && !oddities::has_own_name(package, name)
            {
                return of_go(schema, under);
            }
            named(package, name)
        }
    }
}

/// An element, which may be a pointer.
fn inside(schema: &Schema, ty: &GoType) -> String {
    let pointer = if matches!(ty, GoType::Pointer(_)) { "*" } else { "" };
    format!("{pointer}{}", of_go(schema, ty))
}

fn named(path: &str, name: &str) -> String {
    format!("{}.{name}", path.rsplit('/').next().unwrap_or_default())
}

/// The text that follows from the kind of a field of the module `home`, as the reflective surface
/// has it.
pub(crate) fn of_kind(kind: &Kind, home: &str) -> String {
    match kind {
        Kind::Str => "string".to_owned(),
        Kind::I32 => "int32".to_owned(),
        Kind::I64 => "int64".to_owned(),
        Kind::Bool => "bool".to_owned(),
        Kind::F64 => "float64".to_owned(),
        Kind::Bytes => "[]uint8".to_owned(),
        Kind::Msg(path) | Kind::Emb(path) => {
            let module = if path.module.is_empty() { home } else { &path.module };
            format!("{}.{}", module.rsplit('_').next().unwrap_or_default(), path.name)
        }
        Kind::Leaf(leaf) => match leaf.rust {
            "IntOrString" => "intstr.IntOrString".to_owned(),
            "Quantity" => "resource.Quantity".to_owned(),
            "RawExtension" => "runtime.RawExtension".to_owned(),
            name => format!("v1.{name}"),
        },
        Kind::Opt(inner) => of_kind(inner, home),
        Kind::List(inner) => format!("[]{}", of_kind(inner, home)),
        Kind::Map(inner) => format!("map[string]{}", of_kind(inner, home)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_follow_and_others() {
        let text = "package k8s.io/api/demo/v1\ngroup demo never\n\ntype Phase = string\n\n\
                    type Other = k8s.io/api/core/v1.Other\n";
        let package = crate::schema::parse(text).expect("a schema");
        let schema = Schema { packages: vec![package], ..Schema::default() };
        let go = |text: &str| of_go(&schema, &GoType::parse(text, "k8s.io/api/demo/v1"));
        assert_eq!(go("*Phase"), "v1.Phase");
        assert_eq!(go("[]*Other"), "[]*v1.Other");
        assert_eq!(go("map[Phase][]byte"), "map[v1.Phase][]uint8");
        assert_eq!(go("k8s.io/apimachinery/pkg/types.UID"), "types.UID");
        assert_eq!(go("[]any"), "[]interface {}");
        assert_eq!(of_kind(&Kind::Map(Box::new(Kind::Bytes)), "demo_v1"), "map[string][]uint8");
    }
}
