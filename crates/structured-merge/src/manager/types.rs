//! What a field manager must be told about kinds: their types, and how versions convert.
use crate::{Converter, ParseableType, Schema, TypedValue};
use pintle_apimachinery::reflect::Desc;
use pintle_apimachinery::{Error, GroupVersion, GroupVersionKind, Scheme};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

use super::object;

/// Knows the types of kinds. Go: `managedfields.TypeConverter`.
pub trait TypeConverter: Send + Sync {
    /// The type of a kind; `None` when there is none.
    fn type_of(&self, gvk: &GroupVersionKind) -> Option<ParseableType>;
}

/// The types of some kinds.
#[derive(Clone, Debug, Default)]
pub struct TypeTable(HashMap<GroupVersionKind, ParseableType>);

impl TypeTable {
    /// Without kinds.
    pub fn new() -> Self {
        TypeTable::default()
    }
    /// The kinds among these built-in types.
    ///
    /// ```
    /// use pintle_api::core_v1::{Pod, Service};
    /// use pintle_apimachinery::GroupVersionKind;
    /// use pintle_apimachinery::reflect::Described;
    /// use pintle_structured_merge::{TypeConverter, TypeTable};
    /// let types = TypeTable::of([Pod::described(), Service::described()]);
    /// assert!(types.type_of(&GroupVersionKind::from_static("", "v1", "Pod")).is_some());
    /// ```
    pub fn of(described: impl IntoIterator<Item = &'static Desc>) -> Self {
        let described: Vec<&'static Desc> = described.into_iter().collect();
        let (schema, names) = Schema::of(described.iter().copied());
        let schema = Arc::new(schema);
        let mut table = TypeTable::new();
        for (desc, name) in described.into_iter().zip(names) {
            if let Some(kind) = desc.kind {
                let gvk = GroupVersionKind::from_static(kind.group, kind.version, kind.kind);
                table.insert(gvk, ParseableType::named(schema.clone(), name));
            }
        }
        table
    }
    /// The kinds of a scheme that have a reflective surface, which built-in kinds do.
    /// Go: `NewSchemeTypeConverter`.
    ///
    /// ```
    /// use pintle_api::core_v1::Pod;
    /// use pintle_apimachinery::Scheme;
    /// use pintle_structured_merge::TypeTable;
    /// let mut scheme = Scheme::new();
    /// scheme.register::<Pod>();
    /// assert_eq!(TypeTable::of_scheme(&scheme).kinds().count(), 1);
    /// ```
    pub fn of_scheme(scheme: &Scheme) -> Self {
        let described: Vec<(GroupVersionKind, &'static Desc)> = scheme
            .kinds()
            .filter_map(|gvk| {
                let object = scheme.new_object(gvk).ok()?;
                Some((gvk.clone(), object.as_message()?.desc()))
            })
            .collect();
        let (schema, names) = Schema::of(described.iter().map(|d| d.1));
        let schema = Arc::new(schema);
        let kinds = described.into_iter().map(|d| d.0);
        let types = names.into_iter().map(|n| ParseableType::named(schema.clone(), n));
        TypeTable(kinds.zip(types).collect())
    }
    /// The kinds of an OpenAPI v3 document's `components.schemas`, by their
    /// `x-kubernetes-group-version-kind`. Go: `NewTypeConverter`.
    ///
    /// # Errors
    /// As [`Schema::from_openapi`].
    pub fn from_openapi(
        models: &Map<String, Value>,
        preserve_unknown_fields: bool,
    ) -> Result<Self, Error> {
        let schema = Arc::new(Schema::from_openapi(models, preserve_unknown_fields)?);
        let mut table = TypeTable::new();
        for (name, model) in models {
            let kinds = model.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
            for kind in kinds.into_iter().flatten() {
                let text = |key: &str| kind.get(key).and_then(Value::as_str).map(str::to_owned);
                if let (Some(group), Some(version), Some(kind)) =
                    (text("group"), text("version"), text("kind"))
                    && !kind.is_empty()
                {
                    let gvk = GroupVersionKind::new(group, version, kind);
                    table.insert(gvk, ParseableType::named(schema.clone(), name.as_str()));
                }
            }
        }
        Ok(table)
    }
    /// Adds a kind.
    pub fn insert(&mut self, gvk: GroupVersionKind, ty: ParseableType) {
        self.0.insert(gvk, ty);
    }
    /// The kinds, in no order.
    pub fn kinds(&self) -> impl Iterator<Item = &GroupVersionKind> {
        self.0.keys()
    }
}

impl TypeConverter for TypeTable {
    fn type_of(&self, gvk: &GroupVersionKind) -> Option<ParseableType> {
        self.0.get(gvk).cloned()
    }
}

/// Takes every kind for what its objects look like: for kinds without a schema.
/// Go: `NewDeducedTypeConverter`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeducedTypes;

impl TypeConverter for DeducedTypes {
    fn type_of(&self, _: &GroupVersionKind) -> Option<ParseableType> {
        Some(ParseableType::deduced())
    }
}

impl<T: TypeConverter + ?Sized> TypeConverter for Arc<T> {
    fn type_of(&self, gvk: &GroupVersionKind) -> Option<ParseableType> {
        (**self).type_of(gvk)
    }
}

/// Converts and defaults objects. Go: `runtime.ObjectConvertor` and `runtime.ObjectDefaulter`.
pub trait ObjectConverter: Send + Sync {
    /// The object in another version.
    ///
    /// # Errors
    /// It cannot be converted; [`Error::not_registered`] when there is no such version, whose
    /// managers are then forgotten.
    fn convert(&self, object: &Value, to: &GroupVersion) -> Result<Value, Error>;
    /// Sets defaults in an object that was applied. Nothing unless implemented.
    ///
    /// # Errors
    /// The object cannot be defaulted.
    fn default_object(&self, _: &mut Value) -> Result<(), Error> {
        Ok(())
    }
}

/// For kinds that have one version only.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoConversion;

impl ObjectConverter for NoConversion {
    fn convert(&self, object: &Value, to: &GroupVersion) -> Result<Value, Error> {
        if object::group_version(object).as_ref() == Some(to) {
            return Ok(object.clone());
        }
        let from = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        Err(Error::not_registered(format!("no conversion from version {from:?} to {to}")))
    }
}

impl<T: ObjectConverter + ?Sized> ObjectConverter for Arc<T> {
    fn convert(&self, object: &Value, to: &GroupVersion) -> Result<Value, Error> {
        (**self).convert(object, to)
    }
    fn default_object(&self, object: &mut Value) -> Result<(), Error> {
        (**self).default_object(object)
    }
}

/// Both, for the updater. Go: `versionConverter`.
#[derive(Clone)]
pub(super) struct VersionConverter {
    pub(super) types: Arc<dyn TypeConverter>,
    pub(super) objects: Arc<dyn ObjectConverter>,
}

impl VersionConverter {
    pub(super) fn typed(&self, object: Arc<Value>, duplicates: bool) -> Result<TypedValue, Error> {
        let gvk = object::gvk(&object);
        let ty = self.types.type_of(&gvk).ok_or_else(|| {
            let kind = object::gvk_text(&gvk);
            Error::not_registered(format!("no corresponding type for {kind}"))
        })?;
        if duplicates { ty.typed_with_duplicates(object) } else { ty.typed(object) }
    }

    /// The object in this version, which it usually is in.
    pub(super) fn versioned(
        &self,
        object: &Arc<Value>,
        to: &GroupVersion,
    ) -> Result<Arc<Value>, Error> {
        if object::group_version(object).as_ref() == Some(to) {
            return Ok(object.clone());
        }
        self.objects.convert(object, to).map(Arc::new)
    }
}

impl Converter for VersionConverter {
    fn convert(&self, value: &TypedValue, version: &str) -> Result<TypedValue, Error> {
        let to: GroupVersion = version
            .parse()
            .map_err(|e: pintle_apimachinery::ParseError| Error::invalid(e.to_string()))?;
        if object::group_version(value.value()).as_ref() == Some(&to) {
            return Ok(value.clone());
        }
        if !value.value().is_object() {
            let ty = crate::json::go_type(value.value());
            return Err(Error::other(format!(
                "failed to convert value to unstructured for type {ty}"
            )));
        }
        let converted = self.objects.convert(value.value(), &to)?;
        self.typed(Arc::new(converted), false)
    }
}
