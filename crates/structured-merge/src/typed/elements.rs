//! What all walks over typed values share. Go: `typed/helpers.go`.
use super::errors::Errors;
use crate::fieldpath::KeyField;
use crate::json::{go_syntax, go_type, go_value, quote};
use crate::schema::{List, Map, Relationship, Resolved, Scalar, Schema, TypeRef};
use crate::{MAX_DEPTH, PathElement};
use pintle_apimachinery::Str;
use serde_json::{Map as Object, Value};
use std::sync::Arc;

/// The schema that a walk looks into.
#[derive(Clone, Copy)]
pub(super) struct Elements<'s> {
    pub(super) schema: &'s Schema,
}

/// Where an element of a list is that has no path element: behind all others. Go: a `PathElement`
/// with nothing set.
const NOWHERE: PathElement = PathElement::Index(i64::MAX);

/// Which of the possibilities of an atom a value is.
#[derive(Clone, Copy)]
pub(super) enum Which<'s> {
    Scalar(Scalar),
    List(&'s List, bool),
    Map(&'s Map, bool),
    None,
}

impl<'s> Elements<'s> {
    /// The possibilities of a type; `None` with an error when there is no such type.
    pub(super) fn resolve(self, ty: &'s TypeRef, errors: &mut Errors) -> Option<Resolved<'s>> {
        if errors.depth() > MAX_DEPTH {
            errors.add(crate::TOO_DEEP);
            return None;
        }
        let found = self.schema.resolve(ty);
        if found.is_none() {
            let name = ty.named.as_deref().unwrap_or("inlined type");
            errors.add(&format!("schema error: no type found matching: {name}"));
        }
        found
    }

    /// The error when a type has no possibilities.
    pub(super) fn invalid_atom(ty: &TypeRef, errors: &mut Errors) {
        match &ty.named {
            Some(name) => errors.add(&format!("schema error: invalid atom: named type: {name}")),
            None => errors.add("schema error: invalid atom: inlined"),
        }
    }

    /// The path element of an element of a list.
    pub(super) fn of_list(
        self,
        list: &'s List,
        relationship: Option<Relationship>,
        item: &Value,
    ) -> Result<PathElement, String> {
        if relationship != Some(Relationship::Associative) {
            return Err("invalid indexing of non-associative list".into());
        }
        if list.keys.is_empty() { of_set(item) } else { self.of_keyed(list, item) }
    }

    /// The same, with an element of its own for what has none, such as an element whose keys were
    /// removed: the list is not empty for all that.
    pub(super) fn of_list_or_nowhere(
        self,
        list: &'s List,
        relationship: Option<Relationship>,
        item: &Value,
    ) -> PathElement {
        self.of_list(list, relationship, item).unwrap_or(NOWHERE)
    }

    fn of_keyed(self, list: &'s List, item: &Value) -> Result<PathElement, String> {
        let item = match item {
            Value::Null => {
                return Err("associative list with keys may not have a null element".into());
            }
            Value::Object(o) => o,
            _ => return Err("associative list with keys may not have non-map elements".into()),
        };
        if let [key] = &list.keys[..]
            && let Some(value) = item.get(key.as_str())
        {
            let field = KeyField { name: key.clone(), value: value.clone() };
            return Ok(PathElement::Key(Arc::new([field])));
        }
        let mut fields = Vec::with_capacity(list.keys.len());
        for key in &list.keys {
            let value = match item.get(key.as_str()) {
                Some(v) => Some(v.clone()),
                None => self
                    .key_default(list, key)
                    .map_err(|e| format!("couldn't find default value for {key}: {e}"))?,
            };
            fields.extend(value.map(|value| KeyField { name: key.clone(), value }));
        }
        if fields.is_empty() {
            let keys: Vec<String> = list.keys.iter().map(|k| quote(k)).collect();
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{}] \
                 (and doesn't have default values for any key fields)",
                keys.join(" ")
            ));
        }
        Ok(PathElement::from_key_fields(fields))
    }

    fn key_default(self, list: &'s List, key: &Str) -> Result<Option<Value>, &'static str> {
        let atom = self.schema.resolve(&list.element_type).ok_or("invalid elementType for list")?;
        let map = atom.map.ok_or("associative list may not have non-map types")?;
        Ok(map.field(key).and_then(|f| f.default.clone()))
    }
}

fn of_set(item: &Value) -> Result<PathElement, String> {
    Err(match item {
        Value::Object(_) => "associative list without keys has an element that's a map type",
        Value::Array(_) => "not supported: associative list with lists as elements",
        Value::Null => "associative list without keys has an element that's an explicit null",
        scalar => return Ok(PathElement::value(scalar.clone())),
    }
    .into())
}

impl<'s> Resolved<'s> {
    /// Leaves only the possibility that a value is, if it is one.
    pub(super) fn deduced(self, value: Option<&Value>) -> Resolved<'s> {
        let only = |scalar, list, map| Resolved { scalar, list, map, ..self };
        match value {
            Some(Value::Number(_) | Value::String(_) | Value::Bool(_)) if self.scalar.is_some() => {
                only(self.scalar, None, None)
            }
            Some(Value::Array(_)) if self.list.is_some() => only(None, self.list, None),
            Some(Value::Object(_)) if self.map.is_some() => only(None, None, self.map),
            _ => self,
        }
    }

    /// Whether two narrowings of the same type left the same.
    pub(super) fn same_choice(&self, other: &Self) -> bool {
        self.scalar.is_some() == other.scalar.is_some()
            && self.list.is_some() == other.list.is_some()
            && self.map.is_some() == other.map.is_some()
    }

    /// The possibility that is looked at: maps before scalars before lists.
    pub(super) fn which(self) -> Which<'s> {
        if let Some(map) = self.map {
            Which::Map(map, self.map_relationship == Some(Relationship::Atomic))
        } else if let Some(scalar) = self.scalar {
            Which::Scalar(scalar)
        } else if let Some(list) = self.list {
            Which::List(list, self.list_relationship == Some(Relationship::Atomic))
        } else {
            Which::None
        }
    }
}

/// Checks a scalar; the message when it is none of its type.
pub(super) fn check_scalar(ty: Scalar, value: Option<&Value>, prefix: &str) -> Result<(), String> {
    let Some(v) = value.filter(|v| !v.is_null()) else { return Ok(()) };
    let scalar = v.is_number() || v.is_string() || v.is_boolean();
    match ty {
        Scalar::Numeric if !v.is_number() => {
            Err(format!("{prefix}expected numeric (int or float), got {}", go_type(v)))
        }
        Scalar::String if !v.is_string() => {
            Err(format!("{prefix}expected string, got {}", go_syntax(v)))
        }
        Scalar::Boolean if !v.is_boolean() => {
            Err(format!("{prefix}expected boolean, got {}", go_value(v)))
        }
        Scalar::Untyped if !scalar => {
            Err(format!("{prefix}expected any scalar, got {}", go_value(v)))
        }
        _ => Ok(()),
    }
}

/// The list behind a value: none for null.
pub(super) fn as_list(v: &Value) -> Result<Option<&[Value]>, String> {
    match v {
        Value::Null => Ok(None),
        Value::Array(a) => Ok(Some(a)),
        v => Err(format!("expected list, got {}", go_value(v))),
    }
}

/// The map behind a value: none for null.
pub(super) fn as_map(v: &Value) -> Result<Option<&Object<String, Value>>, String> {
    match v {
        Value::Null => Ok(None),
        Value::Object(o) => Ok(Some(o)),
        v => Err(format!("expected map, got {}", go_value(v))),
    }
}

/// The list behind one side of two, without complaint.
pub(super) fn list_of(v: Option<&Value>) -> Option<&[Value]> {
    v.and_then(|v| as_list(v).ok().flatten())
}

/// The map behind one side of two, without complaint.
pub(super) fn map_of(v: Option<&Value>) -> Option<&Object<String, Value>> {
    v.and_then(|v| as_map(v).ok().flatten())
}

/// A map from path elements, kept sorted.
pub(super) struct ByElement<T>(Vec<(PathElement, T)>);

impl<T> ByElement<T> {
    pub(super) fn with_capacity(n: usize) -> Self {
        ByElement(Vec::with_capacity(n))
    }
    fn find(&self, element: &PathElement) -> Result<usize, usize> {
        if self.0.last().is_none_or(|last| last.0 < *element) {
            return Err(self.0.len());
        }
        self.0.binary_search_by(|e| e.0.cmp(element))
    }
    pub(super) fn get(&self, element: &PathElement) -> Option<&T> {
        self.find(element).ok().map(|at| &self.0[at].1)
    }
    pub(super) fn has(&self, element: &PathElement) -> bool {
        self.find(element).is_ok()
    }
    /// The value of an element, made when absent, and whether it was made.
    pub(super) fn entry(
        &mut self,
        element: &PathElement,
        make: impl FnOnce() -> T,
    ) -> (&mut T, bool) {
        let (at, fresh) = match self.find(element) {
            Ok(at) => (at, false),
            Err(at) => {
                self.0.insert(at, (element.clone(), make()));
                (at, true)
            }
        };
        (&mut self.0[at].1, fresh)
    }
}
