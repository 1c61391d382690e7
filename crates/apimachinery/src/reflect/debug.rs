//! `Debug` of generated types: what is set, by Rust-like names, and nothing that is secret.
use super::json::is_zero;
use super::{FieldRef, Message};
use std::fmt;

/// Prints the fields of `m` that are not zero. Values of Secrets and tokens are left out.
///
/// # Errors
/// Those of the formatter.
pub fn debug(m: &dyn Message, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let d = m.desc();
    let fields = m.fields();
    let mut s = f.debug_struct(d.name);
    for (field, v) in d.fields.iter().zip(fields.iter()) {
        if is_zero(v) {
            continue;
        }
        let name = if field.name.is_empty() { "inline" } else { field.name };
        if is_secret(d.name, field.name) {
            s.field(name, &format_args!("<not shown>"));
        } else {
            s.field(name, &v);
        }
    }
    s.finish()
}

fn is_secret(type_name: &str, field: &str) -> bool {
    matches!(
        (type_name, field),
        ("Secret", "data" | "stringData")
            | ("TokenRequestStatus" | "TokenReviewSpec", "token")
            | ("ServiceAccountTokenProjection" | "BootstrapTokenSecret", "token")
    )
}

impl fmt::Debug for FieldRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use FieldRef as F;
        match *self {
            F::Str(v) | F::OptStr(Some(v)) => v.fmt(f),
            F::I32(v) | F::OptI32(Some(v)) => v.fmt(f),
            F::I64(v) | F::OptI64(Some(v)) => v.fmt(f),
            F::Bool(v) | F::OptBool(Some(v)) => v.fmt(f),
            F::F64(v) | F::OptF64(Some(v)) => v.fmt(f),
            F::Bytes(v) => v.fmt(f),
            F::Msg(m) | F::OptMsg(Some(m)) => debug(m, f),
            F::Leaf(l) | F::OptLeaf(Some(l)) => l.fmt(f),
            F::List(l) => f.debug_list().entries((0..l.len()).map(|i| l.at(i))).finish(),
            F::Map(m) => f.debug_map().entries((0..m.len()).map(|i| m.at(i))).finish(),
            _ => f.write_str("None"),
        }
    }
}
