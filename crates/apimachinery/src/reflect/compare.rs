//! Equality, and grafting what did not change from the previous version of an object.
use super::{FieldMut, FieldRef, Fields, Message, Pair};

/// What counts as equal.
#[derive(Clone, Copy, PartialEq)]
enum Sense {
    /// Nil and empty are equal, `1000m` and `1` are.
    Value,
    /// Only what is written the same.
    Text,
}

/// Whether two messages are equal. Shared parts are not looked into; nil and empty are equal.
pub fn eq(a: &dyn Message, b: &dyn Message) -> bool {
    std::ptr::addr_eq(a, b) || messages(a.fields(), b.fields(), Sense::Value)
}

fn messages(a: Fields<'_>, b: Fields<'_>, sense: Sense) -> bool {
    a.beside(b).is_some_and(|pair| same(pair, sense))
}

fn same(pair: Pair<'_, '_>, sense: Sense) -> bool {
    pair.indexes().all(|i| {
        pair.plainly_equal(i).unwrap_or_else(|| match pair.inner(i) {
            Some(inner) => same(inner, sense),
            None => {
                let (a, b) = pair.get(i);
                values(a, b, sense)
            }
        })
    })
}

fn values(a: FieldRef<'_>, b: FieldRef<'_>, sense: Sense) -> bool {
    use FieldRef as F;
    let nil = |a: bool, b: bool| a == b || sense == Sense::Value;
    match (a, b) {
        (F::Str(a), F::Str(b)) => a == b,
        (F::I32(a), F::I32(b)) => a == b,
        (F::I64(a), F::I64(b)) => a == b,
        (F::Bool(a), F::Bool(b)) => a == b,
        (F::F64(a), F::F64(b)) => a == b,
        (F::Bytes(a), F::Bytes(b)) => a == b && nil(a.is_nil(), b.is_nil()),
        (F::OptStr(a), F::OptStr(b)) => a == b,
        (F::OptI32(a), F::OptI32(b)) => a == b,
        (F::OptI64(a), F::OptI64(b)) => a == b,
        (F::OptBool(a), F::OptBool(b)) => a == b,
        (F::OptF64(a), F::OptF64(b)) => a == b,
        (F::Msg(a), F::Msg(b)) | (F::OptMsg(Some(a)), F::OptMsg(Some(b))) => {
            messages(a.fields(), b.fields(), sense)
        }
        (F::Leaf(a), F::Leaf(b)) | (F::OptLeaf(Some(a)), F::OptLeaf(Some(b))) => match sense {
            Sense::Value => a.leaf_eq(b),
            Sense::Text => a.leaf_same(b),
        },
        (F::OptMsg(None), F::OptMsg(None)) | (F::OptLeaf(None), F::OptLeaf(None)) => true,
        (F::List(a), F::List(b)) => {
            std::ptr::eq(a.address(), b.address())
                || (a.len() == b.len()
                    && nil(a.is_nil(), b.is_nil())
                    && (0..a.len()).all(|i| values(a.at(i), b.at(i), sense)))
        }
        (F::Map(a), F::Map(b)) => {
            std::ptr::eq(a.address(), b.address())
                || (a.len() == b.len()
                    && nil(a.is_nil(), b.is_nil())
                    && (0..a.len()).all(|i| {
                        let ((ka, va), (kb, vb)) = (a.at(i), b.at(i));
                        ka == kb && values(va, vb, sense)
                    }))
        }
        _ => false,
    }
}

/// Makes `new` share every part that equals the same part of `old`, so that keeping many versions
/// of an object, or replacing one, costs only what changed.
pub fn reuse(new: &mut dyn Message, old: &dyn Message) {
    let d = new.desc();
    if std::ptr::addr_eq(std::ptr::from_mut(new).cast_const(), old) || !std::ptr::eq(d, old.desc())
    {
        return;
    }
    let (mut new, old) = (new.fields_mut(), old.fields());
    for i in 0..d.fields.len() {
        if !new.as_ref().is_shared(old, i) {
            graft(new.get(i), old.get(i));
        }
    }
}

// As guards the conditions could not look through the mutable references.
#[allow(clippy::collapsible_match)]
fn graft(new: FieldMut<'_>, old: FieldRef<'_>) {
    use FieldMut as M;
    use FieldRef as F;
    match (new, old) {
        (M::Str(a), F::Str(b)) => {
            if !a.ptr_eq(b) && a == b {
                *a = b.clone();
            }
        }
        (M::OptStr(Some(a)), F::OptStr(Some(b))) => {
            if !a.ptr_eq(b) && a == b {
                *a = b.clone();
            }
        }
        (M::Bytes(a), F::Bytes(b)) => {
            if a == b && a.is_nil() == b.is_nil() {
                *a = b.clone();
            }
        }
        (M::Leaf(a), F::Leaf(b)) => a.leaf_reuse(b),
        (M::OptLeaf(a), F::OptLeaf(Some(b))) => {
            if let Some(a) = a.get_mut() {
                a.leaf_reuse(b);
            }
        }
        (M::Msg(a), F::Msg(b)) => reuse(a, b),
        (M::OptMsg(mut a), F::Msg(b)) => {
            // An embedded struct: its old side has no pointer of its own to share.
            if a.get().is_some() && a.slot().is_unique() {
                reuse(a.set(), b);
            }
        }
        (M::OptMsg(mut a), F::OptMsg(Some(b))) => {
            if a.get().is_some_and(|x| !std::ptr::addr_eq(x, b)) && a.slot().is_unique() {
                reuse(a.set(), b);
            }
        }
        (M::List(mut a), F::List(b)) => {
            if std::ptr::eq(a.address(), b.address()) {
                return;
            }
            let same = values(F::List(a.as_ref()), F::List(b), Sense::Text);
            if same && let Some(shared) = b.share() {
                a.slot().adopt(&shared);
            } else if !same && a.slot().is_unique() {
                for i in 0..a.len().min(b.len()) {
                    graft(a.at_mut(i), b.at(i));
                }
            }
        }
        (M::Map(mut a), F::Map(b)) => {
            if !std::ptr::eq(a.address(), b.address())
                && values(F::Map(a.as_ref()), F::Map(b), Sense::Text)
                && let Some(shared) = b.share()
            {
                a.slot().adopt(&shared);
            }
        }
        _ => {}
    }
}
