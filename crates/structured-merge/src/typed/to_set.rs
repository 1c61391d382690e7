//! The fields that a value mentions. Go: `typed/tofieldset.go`.
use super::elements::{ByElement, Elements, Which, as_list, as_map};
use super::errors::Errors;
use crate::schema::{List, Map, TypeRef};
use crate::{PathElement, Set};
use pintle_apimachinery::Str;
use serde_json::Value;

/// Puts what is below the value into `set`; whether the value itself is a member.
pub(super) fn to_set<'s>(
    value: &Value,
    ty: &'s TypeRef,
    elements: Elements<'s>,
    set: &mut Set,
    errors: &mut Errors,
) -> bool {
    let Some(atom) = elements.resolve(ty, errors) else { return false };
    let atom = atom.deduced(Some(value));
    match atom.which() {
        Which::Scalar(_) | Which::List(_, true) | Which::Map(_, true) => return true,
        Which::List(list, false) => {
            if let Ok(Some(items)) = as_list(value) {
                let element =
                    |v: &Value| elements.of_list_or_nowhere(list, atom.list_relationship, v);
                of_list(list, items, &element, elements, set, errors);
            }
        }
        Which::Map(map, false) => {
            if let Ok(Some(members)) = as_map(value) {
                of_map(map, members, elements, set, errors);
            }
        }
        Which::None => Elements::invalid_atom(ty, errors),
    }
    false
}

fn child<'s>(
    element: PathElement,
    v: &Value,
    ty: &'s TypeRef,
    member: bool,
    elements: Elements<'s>,
    set: &mut Set,
    errors: &mut Errors,
) {
    let mut below = Set::new();
    let itself = errors.inside(element.clone(), |e| to_set(v, ty, elements, &mut below, e));
    if !below.is_empty() {
        if itself || member {
            set.insert_member(element.clone());
        }
        set.add_child(element, below);
    } else if itself || member {
        set.insert_member(element);
    }
}

fn of_list<'s>(
    list: &'s List,
    items: &[Value],
    element: &dyn Fn(&Value) -> PathElement,
    elements: Elements<'s>,
    set: &mut Set,
    errors: &mut Errors,
) {
    let mut found = Vec::with_capacity(items.len());
    // How often each element is there.
    let mut seen = ByElement::with_capacity(items.len());
    for item in items {
        let element = element(item);
        *seen.entry(&element, || 0_usize).0 += 1;
        found.push((element, item));
    }
    for (element, item) in found {
        if seen.get(&element).is_some_and(|n| *n > 1) {
            // Of duplicates nobody owns what is inside.
            set.insert_member(element);
        } else {
            child(element, item, &list.element_type, true, elements, set, errors);
        }
    }
}

fn of_map<'s>(
    map: &'s Map,
    members: &serde_json::Map<String, Value>,
    elements: Elements<'s>,
    set: &mut Set,
    errors: &mut Errors,
) {
    for (key, v) in members {
        let nothing = v.is_null() || v.as_object().is_some_and(serde_json::Map::is_empty);
        let member = nothing || map.field(key).is_none();
        let element = PathElement::Field(Str::from(key.as_str()));
        child(element, v, map.type_of(key), member, elements, set, errors);
    }
}
