//! Puts two values together. Go: `typed/merge.go`.
use super::elements::{ByElement, Elements, Which, check_scalar, list_of, map_of};
use super::errors::Errors;
use crate::PathElement;
use crate::schema::{List, Map, Resolved, TypeRef};
use pintle_apimachinery::Str;
use serde_json::Value;
use std::collections::VecDeque;

/// What the two make together; leaves of the right side win.
pub(super) fn merge<'s>(
    lhs: Option<&Value>,
    rhs: Option<&Value>,
    ty: &'s TypeRef,
    elements: Elements<'s>,
    errors: &mut Errors,
) -> Option<Value> {
    let atom = elements.resolve(ty, errors)?;
    let (l, r) = (atom.deduced(lhs), atom.deduced(rhs));
    let mut walk = Walk { lhs, rhs, ty, elements, errors };
    if rhs.is_none() {
        walk.atom(l)
    } else if lhs.is_none() || l.same_choice(&r) {
        walk.atom(r)
    } else {
        // Only for what it complains about.
        walk.atom(l);
        walk.atom(r)
    }
}

struct Walk<'a, 's> {
    lhs: Option<&'a Value>,
    rhs: Option<&'a Value>,
    ty: &'s TypeRef,
    elements: Elements<'s>,
    errors: &'a mut Errors,
}

impl<'s> Walk<'_, 's> {
    fn atom(&mut self, atom: Resolved<'s>) -> Option<Value> {
        match atom.which() {
            Which::Scalar(s) => {
                let l = check_scalar(s, self.lhs, "lhs: ");
                let r = check_scalar(s, self.rhs, "rhs: ");
                if let (Err(l), Err(r)) = (l, r) {
                    self.errors.add(&l);
                    self.errors.add(&r);
                    return None;
                }
                self.leaf()
            }
            Which::List(list, atomic) => {
                let (l, r) = (list_of(self.lhs), list_of(self.rhs));
                // Nothing on either side: the difference of null and empty stays.
                if atomic || (l.unwrap_or(&[]).is_empty() && r.unwrap_or(&[]).is_empty()) {
                    return self.leaf();
                }
                self.list(list, atom, l.unwrap_or(&[]), r.unwrap_or(&[]))
            }
            Which::Map(map, atomic) => {
                let (l, r) = (map_of(self.lhs), map_of(self.rhs));
                if atomic || (l.is_none_or(|m| m.is_empty()) && r.is_none_or(|m| m.is_empty())) {
                    return self.leaf();
                }
                self.map(map, l, r)
            }
            Which::None => {
                Elements::invalid_atom(self.ty, self.errors);
                None
            }
        }
    }

    fn leaf(&self) -> Option<Value> {
        self.rhs.or(self.lhs).cloned()
    }

    fn map(
        &mut self,
        map: &'s Map,
        l: Option<&serde_json::Map<String, Value>>,
        r: Option<&serde_json::Map<String, Value>>,
    ) -> Option<Value> {
        let size = l.map_or(0, |l| l.len()).max(r.map_or(0, |r| r.len()));
        let mut out = serde_json::Map::with_capacity(size);
        let mut member = |key: &String, l: Option<&Value>, r: Option<&Value>| {
            let elements = self.elements;
            let merged =
                self.errors.inside(PathElement::Field(Str::from(key.as_str())), |errors| {
                    merge(l, r, map.type_of(key), elements, errors)
                });
            if let Some(v) = merged {
                out.insert(key.clone(), v);
            }
        };
        for (key, v) in l.into_iter().flatten() {
            member(key, Some(v), r.and_then(|r| r.get(key)));
        }
        for (key, v) in r.into_iter().flatten() {
            if l.is_none_or(|l| !l.contains_key(key)) {
                member(key, None, Some(v));
            }
        }
        (!out.is_empty()).then_some(Value::Object(out))
    }

    fn list(
        &mut self,
        list: &'s List,
        atom: Resolved<'s>,
        l: &[Value],
        r: &[Value],
    ) -> Option<Value> {
        let before = self.errors.count();
        let right = self.index(list, atom, r, false);
        let left = self.index(list, atom, l, true);
        if self.errors.count() > before {
            return None;
        }
        let mut out = Vec::with_capacity(l.len().max(r.len()));
        let mut item = |walk: &mut Self, e: &PathElement, l: Option<&Value>, r: Option<&Value>| {
            out.extend(walk.item(list, e, l, r));
        };
        // Elements that both have, in the order of the right side.
        let mut shared: VecDeque<&PathElement> =
            right.order.iter().map(|(e, _)| e).filter(|e| left.seen.has(e)).collect();
        let mut next = shared.pop_front();
        let mut merged = ByElement::with_capacity(right.order.len());
        let (mut i, mut j) = (0, 0);
        while i < left.order.len() || j < right.order.len() {
            if let (Some((le, _)), Some((re, _))) = (left.order.get(i), right.order.get(j)) {
                if le == re {
                    merged.entry(le, || ());
                    item(self, le, left.get(le), right.get(le));
                    i += 1;
                    j += 1;
                    next = shared.pop_front();
                    continue;
                }
                if right.seen.has(le) && next.is_some_and(|n| n != le) {
                    // Both have it, but its turn is later.
                    i += 1;
                    continue;
                }
            }
            if let Some((le, at)) = left.order.get(i) {
                if !right.seen.has(le) {
                    item(self, le, l.get(*at), None);
                    i += 1;
                    continue;
                }
                if merged.has(le) {
                    i += 1;
                }
            }
            if let Some((re, _)) = right.order.get(j) {
                merged.entry(re, || ());
                item(self, re, left.get(re), right.get(re));
                j += 1;
                if next == Some(re) {
                    next = shared.pop_front();
                }
            }
        }
        (!out.is_empty()).then_some(Value::Array(out))
    }

    fn item(
        &mut self,
        list: &'s List,
        e: &PathElement,
        l: Option<&Value>,
        r: Option<&Value>,
    ) -> Option<Value> {
        // What is wrong inside an element is not reported: the values were checked before.
        let before = self.errors.count();
        let elements = self.elements;
        let merged = self
            .errors
            .inside(e.clone(), |errors| merge(l, r, &list.element_type, elements, errors));
        self.errors.truncate(before);
        merged
    }

    fn index<'v>(
        &mut self,
        list: &'s List,
        atom: Resolved<'s>,
        items: &'v [Value],
        duplicates: bool,
    ) -> Index<'v> {
        let mut index = Index {
            order: Vec::with_capacity(items.len()),
            seen: ByElement::with_capacity(items.len()),
        };
        for (i, item) in items.iter().enumerate() {
            let element = match self.elements.of_list(list, atom.list_relationship, item) {
                Ok(element) => element,
                Err(e) => {
                    self.errors.add(&format!("element {i}: {e}"));
                    continue;
                }
            };
            let (value, fresh) = index.seen.entry(&element, || item);
            if !fresh {
                if !duplicates {
                    self.errors.add(&format!("duplicate entries for key {element}"));
                    continue;
                }
                // Duplicates are not merged with the new value.
                *value = &Value::Null;
            }
            index.order.push((element, i));
        }
        index
    }
}

/// The elements of a list.
struct Index<'v> {
    /// In their order, with the place of each.
    order: Vec<(PathElement, usize)>,
    /// By element.
    seen: ByElement<&'v Value>,
}

impl<'v> Index<'v> {
    fn get(&self, element: &PathElement) -> Option<&'v Value> {
        self.seen.get(element).copied()
    }
}
