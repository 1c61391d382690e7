//! Takes fields and elements out of a value. Go: `typed/remove.go`.
use super::elements::{Elements, Which};
use crate::schema::{List, Map, Resolved, TypeRef};
use crate::{PathElement, Set};
use pintle_apimachinery::Str;
use serde_json::Value;

/// The value without `items`, or with `extract` only `items` of it; null when nothing is left.
pub(super) fn pick<'s>(
    value: &Value,
    items: &Set,
    ty: &'s TypeRef,
    elements: Elements<'s>,
    extract: bool,
) -> Value {
    let Some(atom) = elements.schema.resolve(ty) else { return Value::Null };
    let atom = atom.deduced(Some(value));
    let walk = Walk { items, elements, extract };
    match (atom.which(), value) {
        (Which::Scalar(_), v) => v.clone(),
        (Which::List(_, atomic), Value::Array(a)) if atomic || a.is_empty() => walk.whole(value),
        (Which::List(list, _), Value::Array(a)) => walk.list(list, atom, a),
        (Which::Map(_, atomic), Value::Object(o)) if atomic || o.is_empty() => walk.whole(value),
        (Which::Map(map, _), Value::Object(o)) => walk.map(map, o),
        _ => Value::Null,
    }
}

struct Walk<'a, 's> {
    items: &'a Set,
    elements: Elements<'s>,
    extract: bool,
}

impl<'s> Walk<'_, 's> {
    /// What is atomic or empty is extracted as it is, and nothing of it stays otherwise.
    fn whole(&self, v: &Value) -> Value {
        if self.extract { v.clone() } else { Value::Null }
    }

    fn list(&self, list: &'s List, atom: Resolved<'s>, values: &[Value]) -> Value {
        let mut out = Vec::with_capacity(values.len());
        for v in values {
            let element = self.elements.of_list_or_nowhere(list, atom.list_relationship, v);
            let exact = self.items.has_member(&element);
            let below = self.items.child(&element).filter(|s| !s.is_empty());
            if if self.extract { !exact && below.is_none() } else { exact } {
                continue;
            }
            out.push(match below {
                Some(below) => pick(v, below, &list.element_type, self.elements, self.extract),
                None => v.clone(),
            });
        }
        if out.is_empty() { Value::Null } else { Value::Array(out) }
    }

    fn map(&self, map: &'s Map, members: &serde_json::Map<String, Value>) -> Value {
        let mut out = serde_json::Map::with_capacity(members.len());
        for (key, v) in members {
            let element = PathElement::Field(Str::from(key.as_str()));
            let ty = map.type_of(key);
            if self.items.has_member(&element) {
                if self.extract {
                    // Go looks for the same items again below a member.
                    let kept = pick(v, self.items, ty, self.elements, true);
                    out.insert(key.clone(), kept);
                }
                continue;
            }
            let below = self.items.child(&element).filter(|s| !s.is_empty());
            let kept = match below {
                Some(below) => pick(v, below, ty, self.elements, self.extract),
                None if self.extract => continue,
                None => v.clone(),
            };
            out.insert(key.clone(), kept);
        }
        if out.is_empty() { Value::Null } else { Value::Object(out) }
    }
}
