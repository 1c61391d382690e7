//! Follows changes of a schema: what was granular and is atomic now is owned as a whole.
//! Go: `typed/reconcile_schema.go`.
use super::TypedValue;
use super::elements::{Elements, Which};
use super::errors::Errors;
use crate::schema::{List, Map, Scalar, TypeRef, UNTYPED_DEDUCED};
use crate::{Path, PathElement, Set};
use pintle_apimachinery::Error;

/// The set as the present schema has it; `None` when nothing changes.
/// Go: `ReconcileFieldSetWithSchema`.
pub(super) fn reconcile(set: &Set, value: &TypedValue) -> Result<Option<Set>, Error> {
    let ty = value.parseable_type();
    let mut walk = Walk {
        elements: Elements { schema: ty.schema() },
        path: Path::new(),
        atomic: Set::new(),
        changed: false,
        errors: Errors::default(),
    };
    walk.node(Some(set), ty.type_ref(), false);
    walk.errors.finish().map_err(|e| e.context("errors reconciling field set with schema"))?;
    if !walk.changed {
        return Ok(None);
    }
    Ok(Some(set.recursive_difference(&walk.atomic).union(&walk.atomic)))
}

struct Walk<'s> {
    elements: Elements<'s>,
    path: Path,
    /// Fields that are owned as a whole from now on.
    atomic: Set,
    changed: bool,
    errors: Errors,
}

impl<'s> Walk<'s> {
    /// `leaf`: the field is a member and has nothing below it.
    fn node(&mut self, set: Option<&Set>, ty: &'s TypeRef, leaf: bool) {
        if self.path.len() > crate::MAX_DEPTH {
            return self.errors.add(crate::TOO_DEEP);
        }
        let Some(atom) = self.elements.schema.resolve(ty) else {
            let name = ty.named.as_deref().unwrap_or("inlined type");
            return self.errors.add(&format!("could not resolve {name}"));
        };
        match atom.which() {
            Which::Scalar(_) => {}
            Which::List(_, true) if !leaf => self.whole(),
            Which::List(list, _) => self.list(list, set),
            Which::Map(map, _) if untyped(map) => {}
            Which::Map(_, true) if !leaf => {
                if set.is_some_and(|s| !s.is_empty()) {
                    self.whole();
                }
            }
            Which::Map(map, _) => self.map(map, set),
            Which::None => Elements::invalid_atom(ty, &mut self.errors),
        }
    }

    fn whole(&mut self) {
        self.changed = true;
        self.atomic.insert(&self.path);
    }

    fn list(&mut self, list: &'s List, set: Option<&Set>) {
        self.below(set, |_| Some(&list.element_type));
    }

    fn map(&mut self, map: &'s Map, set: Option<&Set>) {
        self.below(set, |element| {
            let ty = match element {
                PathElement::Field(name) => map.type_of(name),
                _ => &map.element_type,
            };
            (!ty.is_empty()).then_some(ty)
        });
    }

    fn below(&mut self, set: Option<&Set>, ty: impl Fn(&PathElement) -> Option<&'s TypeRef>) {
        let Some(set) = set else { return };
        let only_children = set.children().map(|c| c.0).filter(|e| !set.has_member(e));
        let all = only_children.map(|e| (e, false)).chain(set.members().iter().map(|e| (e, true)));
        for (element, member) in all {
            if let Some(ty) = ty(element) {
                let below = set.child(element);
                self.path.push(element.clone());
                self.node(below, ty, member && below.is_none());
                self.path.pop();
            }
        }
    }
}

/// Whether a map has no fields and may have anything: `x-kubernetes-preserve-unknown-fields`
/// without properties.
fn untyped(map: &Map) -> bool {
    let of = &map.element_type;
    map.fields().is_empty()
        && match &of.named {
            Some(name) => name == UNTYPED_DEDUCED,
            None => of.inlined.scalar == Some(Scalar::Untyped),
        }
}
