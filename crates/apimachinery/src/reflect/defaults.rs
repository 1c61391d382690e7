//! Defaults that the schema declares. Go: what defaulter-gen makes of `+default` markers.
use super::json::{is_zero, json_into};
use super::{FieldMut, Message, Parser};
use crate::Error;

/// Sets every field of `m` that is zero, and for which the schema declares a default, to it; the
/// same in every message below that is there.
///
/// These are the declared defaults only. A server sets more: what Go computes in functions of its
/// own is not here.
///
/// # Errors
/// A default in the schema is not of its field's type, which is a mistake of the schema.
///
/// ```
/// use pintle_apimachinery::reflect::{Message, apply_defaults};
/// use pintle_apimachinery::meta_v1::Status;
/// let mut nothing_to_do = Status::default();
/// apply_defaults(&mut nothing_to_do)?;
/// assert_eq!(nothing_to_do, Status::default());
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn apply_defaults(m: &mut dyn Message) -> Result<(), Error> {
    let d = m.desc();
    for (i, f) in d.fields.iter().enumerate() {
        let text = f.facts.default;
        if !text.is_empty() && is_zero(m.field(i)) {
            json_into(m.field_mut(i), &mut Parser::new(text))
                .map_err(|e| Error::decode(format!("default of {}.{}: {e}", d.name, f.name)))?;
        }
        inside(m.field_mut(i))?;
    }
    Ok(())
}

/// The messages behind one field.
fn inside(f: FieldMut<'_>) -> Result<(), Error> {
    match f {
        FieldMut::Msg(m) => apply_defaults(m),
        FieldMut::OptMsg(mut o) if o.get().is_some() => apply_defaults(o.set()),
        FieldMut::List(mut l) => (0..l.len()).try_for_each(|i| inside(l.at_mut(i))),
        FieldMut::Map(mut m) => (0..m.len()).try_for_each(|i| inside(m.at_mut(i))),
        _ => Ok(()),
    }
}
