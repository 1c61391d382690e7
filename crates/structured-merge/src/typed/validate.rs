//! Checks a value against its type. Go: `typed/validate.go`.
use super::elements::{ByElement, Elements, Which, as_list, as_map, check_scalar};
use super::errors::Errors;
use crate::PathElement;
use crate::schema::{List, Map, Relationship, TypeRef};
use pintle_apimachinery::Str;
use serde_json::Value;

pub(super) fn validate<'s>(
    value: &Value,
    ty: &'s TypeRef,
    elements: Elements<'s>,
    allow_duplicates: bool,
    errors: &mut Errors,
) {
    let Some(atom) = elements.resolve(ty, errors) else { return };
    let walk = Walk { elements, allow_duplicates };
    let atom = atom.deduced(Some(value));
    match atom.which() {
        Which::Scalar(s) => {
            if let Err(e) = check_scalar(s, Some(value), "") {
                errors.add(&e);
            }
        }
        Which::List(list, _) => match as_list(value) {
            Ok(None) => {}
            Ok(Some(items)) => walk.list(list, atom.list_relationship, items, errors),
            Err(e) => errors.add(&e),
        },
        Which::Map(map, _) => match as_map(value) {
            Ok(None) => {}
            Ok(Some(members)) => walk.map(map, members, errors),
            Err(e) => errors.add(&e),
        },
        Which::None => Elements::invalid_atom(ty, errors),
    }
}

struct Walk<'s> {
    elements: Elements<'s>,
    allow_duplicates: bool,
}

impl<'s> Walk<'s> {
    fn inside(&self, element: PathElement, v: &Value, ty: &'s TypeRef, errors: &mut Errors) {
        errors.inside(element, |errors| {
            validate(v, ty, self.elements, self.allow_duplicates, errors);
        });
    }

    fn list(
        &self,
        list: &'s List,
        relationship: Option<Relationship>,
        items: &[Value],
        errors: &mut Errors,
    ) {
        let associative = relationship == Some(Relationship::Associative);
        let mut seen = ByElement::with_capacity(if associative { items.len() } else { 0 });
        for (i, item) in items.iter().enumerate() {
            let element = if associative {
                match self.elements.of_list(list, relationship, item) {
                    Ok(element) => element,
                    Err(e) => {
                        // Without the element there is no place to name further down.
                        errors.add(&format!("element {i}: {e}"));
                        return;
                    }
                }
            } else {
                PathElement::Index(i as i64)
            };
            if associative && !seen.entry(&element, || ()).1 && !self.allow_duplicates {
                errors.add(&format!("duplicate entries for key {element}"));
            }
            self.inside(element, item, &list.element_type, errors);
        }
    }

    fn map(&self, map: &'s Map, members: &serde_json::Map<String, Value>, errors: &mut Errors) {
        for (key, v) in members {
            let element = PathElement::Field(Str::from(key.as_str()));
            let ty = map.type_of(key);
            if map.field(key).is_none() && ty.is_empty() {
                errors.inside(element, |errors| errors.add("field not declared in schema"));
                return;
            }
            self.inside(element, v, ty, errors);
        }
    }
}
