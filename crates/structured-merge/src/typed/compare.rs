//! What differs between two values. Go: `typed/compare.go`.
use super::elements::{ByElement, Elements, Which, check_scalar, list_of, map_of};
use super::errors::Errors;
use crate::schema::{List, Map, Resolved, TypeRef};
use crate::{Filter, PathElement, Set, value_equals};
use pintle_apimachinery::Str;
use serde_json::Value;
use std::fmt;

/// What is different in the second of two values. No field is in more than one of the sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Fields that only the first has.
    pub removed: Set,
    /// Fields that both have, with different values.
    pub modified: Set,
    /// Fields that only the second has.
    pub added: Set,
}

impl Comparison {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.removed.is_empty() && self.modified.is_empty() && self.added.is_empty()
    }
    /// The comparison without these fields and what is below them.
    #[must_use]
    pub fn exclude_fields(self, fields: &Set) -> Self {
        if fields.is_empty() {
            return self;
        }
        Comparison {
            removed: self.removed.recursive_difference(fields),
            modified: self.modified.recursive_difference(fields),
            added: self.added.recursive_difference(fields),
        }
    }
    /// The comparison with each set filtered.
    #[must_use]
    pub fn filter_fields(self, filter: Option<&Filter>) -> Self {
        match filter {
            None => self,
            Some(f) => Comparison {
                removed: f.filter(&self.removed),
                modified: f.filter(&self.modified),
                added: f.filter(&self.added),
            },
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, set) in
            [("Modified", &self.modified), ("Added", &self.added), ("Removed", &self.removed)]
        {
            if !set.is_empty() {
                write!(f, "- {name} Fields:\n{set}\n")?;
            }
        }
        Ok(())
    }
}

/// In which of the sets a field itself is.
#[derive(Clone, Copy, Default)]
pub(super) struct Marks {
    removed: bool,
    modified: bool,
    added: bool,
}

/// Puts what is below the two into `out`; what to do with the field itself.
pub(super) fn compare<'s>(
    lhs: Option<&Value>,
    rhs: Option<&Value>,
    ty: &'s TypeRef,
    elements: Elements<'s>,
    out: &mut Comparison,
    errors: &mut Errors,
) -> Marks {
    let mut marks = Marks::default();
    if let (Some(l), Some(r)) = (lhs, rhs)
        && std::ptr::eq(l, r)
    {
        return marks;
    }
    let Some(atom) = elements.resolve(ty, errors) else { return marks };
    let (l, r) = (atom.deduced(lhs), atom.deduced(rhs));
    let mut walk = Walk { lhs, rhs, ty, elements, out, errors };
    let in_leaf = if rhs.is_none() {
        walk.atom(l, &mut marks)
    } else if lhs.is_none() || l.same_choice(&r) {
        walk.atom(r, &mut marks)
    } else {
        walk.atom(l, &mut marks);
        walk.atom(r, &mut marks)
    };
    if !in_leaf {
        marks.added |= lhs.is_none();
        marks.removed |= lhs.is_some() && rhs.is_none();
    }
    marks
}

struct Walk<'a, 's> {
    lhs: Option<&'a Value>,
    rhs: Option<&'a Value>,
    ty: &'s TypeRef,
    elements: Elements<'s>,
    out: &'a mut Comparison,
    errors: &'a mut Errors,
}

impl<'s> Walk<'_, 's> {
    /// Whether the two were looked at as leaves.
    fn atom(&mut self, atom: Resolved<'s>, marks: &mut Marks) -> bool {
        match atom.which() {
            Which::Scalar(s) => {
                let l = check_scalar(s, self.lhs, "lhs: ");
                let r = check_scalar(s, self.rhs, "rhs: ");
                if let (Err(l), Err(r)) = (l, r) {
                    self.errors.add(&l);
                    self.errors.add(&r);
                    return false;
                }
                self.leaf(marks)
            }
            Which::List(list, atomic) => {
                let (l, r) = (list_of(self.lhs), list_of(self.rhs));
                // Nothing on either side: the difference of null, empty and absent counts.
                if atomic || (l.unwrap_or(&[]).is_empty() && r.unwrap_or(&[]).is_empty()) {
                    return self.leaf(marks);
                }
                self.list(list, atom, l.unwrap_or(&[]), r.unwrap_or(&[]));
                false
            }
            Which::Map(map, atomic) => {
                let (l, r) = (map_of(self.lhs), map_of(self.rhs));
                if atomic || (l.is_none_or(|m| m.is_empty()) && r.is_none_or(|m| m.is_empty())) {
                    return self.leaf(marks);
                }
                self.map(map, l, r);
                false
            }
            Which::None => {
                Elements::invalid_atom(self.ty, self.errors);
                false
            }
        }
    }

    fn leaf(&self, marks: &mut Marks) -> bool {
        match (self.lhs, self.rhs) {
            (None, _) => marks.added = true,
            (_, None) => marks.removed = true,
            (Some(l), Some(r)) => marks.modified |= !value_equals(r, l),
        }
        true
    }

    fn child(
        &mut self,
        element: PathElement,
        l: Option<&Value>,
        r: Option<&Value>,
        ty: &'s TypeRef,
    ) {
        let mut below = Comparison::default();
        let elements = self.elements;
        let marks = self
            .errors
            .inside(element.clone(), |errors| compare(l, r, ty, elements, &mut below, errors));
        for (mark, below, set) in [
            (marks.removed, below.removed, &mut self.out.removed),
            (marks.modified, below.modified, &mut self.out.modified),
            (marks.added, below.added, &mut self.out.added),
        ] {
            if mark {
                set.insert_member(element.clone());
            }
            if !below.is_empty() {
                set.add_child(element.clone(), below);
            }
        }
    }

    fn map(
        &mut self,
        map: &'s Map,
        l: Option<&serde_json::Map<String, Value>>,
        r: Option<&serde_json::Map<String, Value>>,
    ) {
        let field = |key: &String| PathElement::Field(Str::from(key.as_str()));
        for (key, v) in l.into_iter().flatten() {
            let other = r.and_then(|r| r.get(key));
            self.child(field(key), Some(v), other, map.type_of(key));
        }
        for (key, v) in r.into_iter().flatten() {
            if l.is_none_or(|l| !l.contains_key(key)) {
                self.child(field(key), None, Some(v), map.type_of(key));
            }
        }
    }

    fn list(&mut self, list: &'s List, atom: Resolved<'s>, l: &[Value], r: &[Value]) {
        let mut found: ByElement<[Vec<&Value>; 2]> = ByElement::with_capacity(l.len().max(r.len()));
        // Each element once: those of the left side first, then new ones of the right.
        let mut order = Vec::with_capacity(l.len().max(r.len()));
        for (side, items) in [l, r].into_iter().enumerate() {
            for (i, item) in items.iter().enumerate() {
                match self.elements.of_list(list, atom.list_relationship, item) {
                    Ok(element) => {
                        let (sides, fresh) = found.entry(&element, Default::default);
                        sides[side].push(item);
                        if fresh {
                            order.push(element);
                        }
                    }
                    Err(e) => self.errors.add(&format!("element {i}: {e}")),
                }
            }
        }
        for element in order {
            let Some([l, r]) = found.get(&element) else { continue };
            self.elements_of_key(element, l, r, &list.element_type);
        }
    }

    /// The elements that have the same key on either side: usually at most one.
    fn elements_of_key(
        &mut self,
        element: PathElement,
        l: &[&Value],
        r: &[&Value],
        ty: &'s TypeRef,
    ) {
        match (l, r) {
            ([] | [_], [] | [_]) => {
                self.child(element, l.first().copied(), r.first().copied(), ty);
            }
            // Duplicates before and after: as if they were one atomic list.
            ([_, _, ..], [_, _, ..]) => {
                let same = l.len() == r.len() && l.iter().zip(r).all(|(l, r)| value_equals(l, r));
                if !same {
                    self.out.modified.insert_member(element);
                }
            }
            // No duplicates any more.
            ([_, _, ..], _) => {
                if let Some(r) = r.first() {
                    self.child(element.clone(), None, Some(r), ty);
                }
                self.out.removed.insert_member(element);
            }
            // Duplicates now.
            _ => {
                if let Some(l) = l.first() {
                    self.child(element.clone(), Some(l), None, ty);
                }
                self.out.added.insert_member(element);
            }
        }
    }
}
