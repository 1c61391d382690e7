//! Values with a type. Go: `sigs.k8s.io/structured-merge-diff/typed`.
mod compare;
mod elements;
mod errors;
mod merge;
mod reconcile;
mod remove;
mod to_set;
mod validate;

pub use compare::Comparison;

use crate::json::deeper_than;
use crate::schema::{DEDUCED, Resolved, Schema, TypeRef, UNTYPED_DEDUCED};
use crate::{MAX_DEPTH, Path, Set};
use elements::Elements;
use errors::Errors;
use pintle_apimachinery::{Error, Str};
use serde_json::Value;
use std::sync::Arc;

/// A type of a schema: what typed values are made with. Go: `typed.ParseableType`.
///
/// ```
/// use pintle_structured_merge::{ParseableType, Schema};
/// use serde_json::json;
/// use std::sync::Arc;
/// let schema = Schema::from_json(&json!({"types": [{"name": "point", "map": {"fields": [
///     {"name": "x", "type": {"scalar": "numeric"}},
/// ]}}]}))?;
/// let point = ParseableType::named(Arc::new(schema), "point");
/// assert!(point.typed(json!({"x": 1})).is_ok());
/// let e = point.typed(json!({"y": 1})).unwrap_err();
/// assert_eq!(e.to_string(), ".y: field not declared in schema");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ParseableType {
    schema: Arc<Schema>,
    ty: Arc<TypeRef>,
}

impl ParseableType {
    /// A type by reference.
    pub fn new(schema: Arc<Schema>, ty: TypeRef) -> Self {
        ParseableType { schema, ty: Arc::new(ty) }
    }
    /// A type by name. Go: `Parser.Type`.
    pub fn named(schema: Arc<Schema>, name: impl Into<Str>) -> Self {
        Self::new(schema, TypeRef::named(name))
    }
    /// The type that is seen from the value: maps merge, lists are replaced. For kinds without a
    /// schema. Go: `DeducedParseableType`.
    pub fn deduced() -> Self {
        Self::named(DEDUCED.clone(), UNTYPED_DEDUCED)
    }
    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }
    /// The reference.
    pub fn type_ref(&self) -> &TypeRef {
        &self.ty
    }
    /// Whether the schema has the type.
    pub fn is_valid(&self) -> bool {
        self.resolved().is_some()
    }
    pub(crate) fn resolved(&self) -> Option<Resolved<'_>> {
        self.schema.resolve(&self.ty)
    }
    fn same(&self, other: &Self) -> Result<(), Error> {
        if !Arc::ptr_eq(&self.schema, &other.schema) {
            return Err(Error::invalid("expected objects with types from the same schema"));
        }
        if !Arc::ptr_eq(&self.ty, &other.ty) && self.ty != other.ty {
            let name = |t: &TypeRef| t.named.clone().unwrap_or_else(|| "an inlined type".into());
            return Err(Error::invalid(format!(
                "expected objects of the same type, but got {} and {}",
                name(&self.ty),
                name(&other.ty)
            )));
        }
        Ok(())
    }

    /// A value of this type, checked. Go: `FromUnstructured`.
    ///
    /// # Errors
    /// The value is not of this type. The message is Go's: a line, or `errors:` and a line each.
    pub fn typed(&self, value: impl Into<Arc<Value>>) -> Result<TypedValue, Error> {
        let value = TypedValue { value: value.into(), ty: self.clone() };
        value.validate(false)?;
        Ok(value)
    }
    /// The same, with lists allowed to have several elements of the same key.
    /// Go: `AllowDuplicates`.
    ///
    /// # Errors
    /// As [`ParseableType::typed`].
    pub fn typed_with_duplicates(&self, value: impl Into<Arc<Value>>) -> Result<TypedValue, Error> {
        let value = TypedValue { value: value.into(), ty: self.clone() };
        value.validate(true)?;
        Ok(value)
    }
}

/// A value of some type, which conforms to it. Copies share the value. Go: `typed.TypedValue`.
///
/// ```
/// use pintle_structured_merge::{ParseableType, Path, Set};
/// use serde_json::json;
/// let any = ParseableType::deduced();
/// let old = any.typed(json!({"a": 1, "b": {"c": [1], "d": 2}}))?;
/// let new = any.typed(json!({"a": 2, "b": {"e": 3}}))?;
///
/// let merged = old.merge(&new)?;
/// assert_eq!(*merged.value(), json!({"a": 2, "b": {"c": [1], "d": 2, "e": 3}}));
/// let comparison = old.compare(&new)?;
/// assert_eq!(comparison.removed.to_string(), ".b.c\n.b.d");
/// assert_eq!(comparison.modified.to_string(), ".a");
///
/// let c = Set::from_iter([Path::fields(["b", "c"])]);
/// assert_eq!(*merged.remove_items(&c).value(), json!({"a": 2, "b": {"d": 2, "e": 3}}));
/// assert_eq!(*merged.extract_items(&c).value(), json!({"b": {"c": [1]}}));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TypedValue {
    value: Arc<Value>,
    ty: ParseableType,
}

impl TypedValue {
    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }
    /// The value by itself.
    pub fn into_value(self) -> Arc<Value> {
        self.value
    }
    /// Its type.
    pub fn parseable_type(&self) -> &ParseableType {
        &self.ty
    }

    /// Checks the value again. Go: `Validate`.
    ///
    /// # Errors
    /// As [`ParseableType::typed`].
    pub fn validate(&self, allow_duplicates: bool) -> Result<(), Error> {
        if deeper_than(&self.value, MAX_DEPTH) {
            return Err(crate::too_deep());
        }
        self.with(|errors, elements| {
            validate::validate(&self.value, &self.ty.ty, elements, allow_duplicates, errors);
        })
    }

    /// Every leaf and every element of a list that the value mentions.
    ///
    /// # Errors
    /// The value is not of its type, which a checked value is.
    pub fn to_field_set(&self) -> Result<Set, Error> {
        let mut set = Set::new();
        self.with(|errors, elements| {
            to_set::to_set(&self.value, &self.ty.ty, elements, &mut set, errors);
        })?;
        Ok(set)
    }

    /// This value with what `config` says put into it: leaves of `config` win, nothing is removed,
    /// lists keep the order of `config` for the elements that both have.
    ///
    /// # Errors
    /// The two are of different types, or `config` has several elements of the same key.
    pub fn merge(&self, config: &TypedValue) -> Result<TypedValue, Error> {
        self.ty.same(&config.ty)?;
        let mut out = None;
        self.with(|errors, elements| {
            let (l, r) = (Some(&*self.value), Some(&*config.value));
            out = merge::merge(l, r, &self.ty.ty, elements, errors);
        })?;
        Ok(TypedValue { value: Arc::new(out.unwrap_or_default()), ty: self.ty.clone() })
    }

    /// What differs in `other`.
    ///
    /// # Errors
    /// The two are of different types.
    pub fn compare(&self, other: &TypedValue) -> Result<Comparison, Error> {
        self.ty.same(&other.ty)?;
        let mut out = Comparison::default();
        self.with(|errors, elements| {
            let (l, r) = (Some(&*self.value), Some(&*other.value));
            compare::compare(l, r, &self.ty.ty, elements, &mut out, errors);
        })?;
        Ok(out)
    }

    /// The value without these fields and elements.
    #[must_use]
    pub fn remove_items(&self, items: &Set) -> TypedValue {
        self.picked(items, false)
    }

    /// Only these fields and elements of the value.
    #[must_use]
    pub fn extract_items(&self, items: &Set) -> TypedValue {
        self.picked(items, true)
    }

    /// The same with the key fields of every element that is extracted.
    /// Go: `ExtractItems` with `WithAppendKeyFields`.
    #[must_use]
    pub fn extract_items_with_keys(&self, items: &Set) -> TypedValue {
        let Ok(own) = self.to_field_set() else { return self.picked(items, true) };
        let mut keys = Set::new();
        items.for_each(&mut |path| {
            if !own.has(path) {
                return;
            }
            for (i, element) in path.iter().enumerate() {
                if let crate::PathElement::Key(fields) = element {
                    for f in fields.iter() {
                        let mut at = Path::from(path[..=i].to_vec());
                        at.push(f.name.clone().into());
                        keys.insert(&at);
                    }
                }
            }
        });
        self.picked(&items.union(&keys), true)
    }

    fn picked(&self, items: &Set, extract: bool) -> TypedValue {
        let elements = Elements { schema: &self.ty.schema };
        let out = remove::pick(&self.value, items, &self.ty.ty, elements, extract);
        TypedValue { value: Arc::new(out), ty: self.ty.clone() }
    }

    /// The same type without a value.
    #[must_use]
    pub fn empty(&self) -> TypedValue {
        TypedValue { value: Arc::new(Value::Null), ty: self.ty.clone() }
    }

    /// What somebody owns of this value, as its present type has it: a map or list that became
    /// atomic is owned as a whole. `None` when nothing changes. Go: `ReconcileFieldSetWithSchema`.
    ///
    /// # Errors
    /// The type cannot be resolved.
    pub fn reconcile_field_set(&self, set: &Set) -> Result<Option<Set>, Error> {
        reconcile::reconcile(set, self)
    }

    fn with(&self, walk: impl FnOnce(&mut Errors, Elements<'_>)) -> Result<(), Error> {
        let mut errors = Errors::default();
        walk(&mut errors, Elements { schema: &self.ty.schema });
        errors.finish()
    }
}
