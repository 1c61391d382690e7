//! [`Updater`]: who owns what after an update or an apply.
use super::Conflicts;
use crate::schema::{Schema, TypeRef};
use crate::{
    Comparison, Filter, ManagedFields, PathElement, Set, TypedValue, VersionedSet, value_equals,
};
use pintle_apimachinery::Error;
use std::collections::BTreeMap;

/// Converts typed values between versions. Go: `merge.Converter`.
pub trait Converter {
    /// The value in another version.
    ///
    /// # Errors
    /// It cannot be converted; [`Error::is_not_registered`] when there is no such version (any
    /// more), whose managers are then forgotten.
    fn convert(&self, value: &TypedValue, version: &str) -> Result<TypedValue, Error>;
}

/// Why an apply did not work.
#[derive(Debug)]
pub enum ApplyError {
    /// Others own fields that would change.
    Conflicts(Conflicts),
    /// Anything else.
    Other(Error),
}

impl From<Error> for ApplyError {
    fn from(e: Error) -> Self {
        ApplyError::Other(e)
    }
}
impl std::fmt::Display for ApplyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ApplyError::Conflicts(c) => c.fmt(f),
            ApplyError::Other(e) => e.fmt(f),
        }
    }
}
impl std::error::Error for ApplyError {}

/// Computes who owns what, and merges what is applied. Go: `merge.Updater`.
///
/// ```
/// use pintle_apimachinery::Error;
/// use pintle_structured_merge::{Converter, ManagedFields, ParseableType, TypedValue, Updater};
/// use serde_json::json;
///
/// struct OneVersion;
/// impl Converter for OneVersion {
///     fn convert(&self, value: &TypedValue, _: &str) -> Result<TypedValue, Error> {
///         Ok(value.clone())
///     }
/// }
/// let updater = Updater::new(OneVersion);
/// let any = ParseableType::deduced();
/// let nothing = any.typed(json!({}))?;
/// let config = any.typed(json!({"a": 1}))?;
/// let (object, managers) =
///     updater.apply(&nothing, &config, "v1", &ManagedFields::new(), "me", false).unwrap();
/// assert_eq!(*object.unwrap().value(), json!({"a": 1}));
/// assert_eq!(managers.0["me"].set.to_string(), ".a");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Updater<C> {
    converter: C,
    filters: BTreeMap<String, Filter>,
    return_input_on_noop: bool,
}

impl<C: Converter> Updater<C> {
    /// With a converter.
    pub fn new(converter: C) -> Self {
        Updater { converter, filters: BTreeMap::new(), return_input_on_noop: false }
    }
    /// Fields of a version that nobody owns, such as those that the server resets.
    /// Go: `IgnoreFilter`, and with [`Filter::exclude`] `IgnoredFields`.
    #[must_use]
    pub fn ignore(mut self, version: impl Into<String>, filter: Filter) -> Self {
        self.filters.insert(version.into(), filter);
        self
    }
    /// Whether an apply that changes nothing returns the object all the same.
    /// Go: `ReturnInputOnNoop`.
    #[must_use]
    pub fn return_input_on_noop(mut self, yes: bool) -> Self {
        self.return_input_on_noop = yes;
        self
    }

    /// Who owns what once `new` is in the place of `live`; `new` is what will be stored.
    ///
    /// # Errors
    /// The objects cannot be compared or converted.
    pub fn update(
        &self,
        live: &TypedValue,
        new: &TypedValue,
        version: &str,
        managers: &ManagedFields,
        manager: &str,
    ) -> Result<ManagedFields, Error> {
        let managers = self.reconciled(live, managers)?;
        let outcome = self.take_over(live, new, version, managers, manager, true);
        let (mut managers, compare) = outcome.map_err(|e| match e {
            ApplyError::Other(e) => e,
            // Nobody is asked when it is forced.
            ApplyError::Conflicts(c) => Error::other(c.to_string()),
        })?;
        let own = managers.0.get(manager).map(|v| v.set.difference(&compare.removed));
        let own = own.unwrap_or_default().union(&compare.modified).union(&compare.added);
        let own = self.filtered(version, own);
        if own.is_empty() {
            managers.0.remove(manager);
        } else {
            managers.0.insert(manager.to_owned(), VersionedSet::new(own, version, false));
        }
        Ok(managers)
    }

    /// Merges what a manager applies into `live`, and who owns what then. The object is `None`
    /// when it did not change.
    ///
    /// # Errors
    /// Others own fields that would change (unless `force`), or the objects cannot be merged or
    /// converted.
    pub fn apply(
        &self,
        live: &TypedValue,
        config: &TypedValue,
        version: &str,
        managers: &ManagedFields,
        manager: &str,
        force: bool,
    ) -> Result<(Option<TypedValue>, ManagedFields), ApplyError> {
        let mut managers = self.reconciled(live, managers)?;
        let merged = live.merge(config).map_err(|e| e.context("failed to merge config"))?;
        let set = config.to_field_set().map_err(|e| e.context("failed to get field set"))?;
        let own = VersionedSet::new(self.filtered(version, set), version, true);
        let last = managers.0.insert(manager.to_owned(), own);
        let new = self
            .prune(merged, &managers, manager, last.as_ref())
            .map_err(|e| e.context("failed to prune fields"))?;
        let (managers, _) = self.take_over(live, &new, version, managers, manager, force)?;
        let same = !self.return_input_on_noop && value_equals(live.value(), new.value());
        Ok(((!same).then_some(new), managers))
    }

    fn filtered(&self, version: &str, set: Set) -> Set {
        match self.filters.get(version) {
            Some(filter) => filter.filter(&set),
            None => set,
        }
    }

    /// Takes from the others what changed.
    fn take_over(
        &self,
        old: &TypedValue,
        new: &TypedValue,
        version: &str,
        mut managers: ManagedFields,
        workflow: &str,
        force: bool,
    ) -> Result<(ManagedFields, Comparison), ApplyError> {
        let failed = |e: Error| e.context("failed to compare objects");
        let compare = old.compare(new).map_err(failed)?;
        let mut versions: BTreeMap<String, Comparison> = BTreeMap::new();
        let compare = compare.filter_fields(self.filters.get(version));
        versions.insert(version.to_owned(), compare);
        let (mut conflicts, mut removed) = (ManagedFields::new(), Vec::new());
        let mut gone = Vec::new();
        for (manager, owned) in &managers.0 {
            if manager == workflow {
                continue;
            }
            let at = &owned.api_version;
            if !versions.contains_key(at) {
                let Some(old) = self.convert(old, at, "failed to convert old object")? else {
                    gone.push(manager.clone());
                    continue;
                };
                let Some(new) = self.convert(new, at, "failed to convert new object")? else {
                    gone.push(manager.clone());
                    continue;
                };
                let compare = old.compare(&new).map_err(failed)?;
                versions.insert(at.clone(), compare.filter_fields(self.filters.get(at)));
            }
            let Some(compare) = versions.get(at) else { continue };
            let changed = compare.modified.union(&compare.added);
            let conflict = owned.set.intersection(&changed);
            if !conflict.is_empty() {
                let conflict = VersionedSet::new(conflict, at.clone(), false);
                conflicts.0.insert(manager.clone(), conflict);
            }
            if !compare.removed.is_empty() {
                removed.push((manager.clone(), at.clone()));
            }
        }
        if !force && !conflicts.0.is_empty() {
            return Err(ApplyError::Conflicts(Conflicts::from_managers(&conflicts)));
        }
        for manager in gone {
            managers.0.remove(&manager);
        }
        for (manager, conflict) in &conflicts.0 {
            if let Some(owned) = managers.0.get_mut(manager) {
                *owned = owned.with(owned.set.difference(&conflict.set));
            }
        }
        for (manager, at) in removed {
            if let (Some(owned), Some(compare)) = (managers.0.get_mut(&manager), versions.get(&at))
            {
                *owned = owned.with(owned.set.difference(&compare.removed));
            }
        }
        managers.0.retain(|_, owned| !owned.set.is_empty());
        Ok((managers, versions.remove(version).unwrap_or_default()))
    }

    /// `None` when there is no such version.
    fn convert(
        &self,
        value: &TypedValue,
        version: &str,
        what: &str,
    ) -> Result<Option<TypedValue>, Error> {
        match self.converter.convert(value, version) {
            Ok(v) => Ok(Some(v)),
            Err(e) if e.is_not_registered() => Ok(None),
            Err(e) => Err(e.context(what)),
        }
    }

    /// Removes what the manager applied the last time, does not apply now, and nobody else owns.
    fn prune(
        &self,
        merged: TypedValue,
        managers: &ManagedFields,
        applying: &str,
        last: Option<&VersionedSet>,
    ) -> Result<TypedValue, Error> {
        let Some(last) = last.filter(|l| !l.set.is_empty()) else { return Ok(merged) };
        let version = &last.api_version;
        let what = "failed to convert merged object to last applied version";
        let Some(converted) = self.convert(&merged, version, what)? else { return Ok(merged) };
        let ty = converted.parseable_type();
        let last_named = named(&last.set, ty.schema(), ty.type_ref());
        let pruned = converted.remove_items(&last_named);
        let pruned = self
            .add_back_owned(&converted, pruned, version, managers)
            .map_err(|e| e.context("failed add back owned items"))?;
        let pruned = self
            .add_back_dangling(&converted, &pruned, last, &last_named)
            .map_err(|e| e.context("failed add back dangling items"))?;
        let to = managers.0.get(applying).map_or(version, |own| &own.api_version);
        self.converter.convert(&pruned, to)
    }

    /// Adds back what was pruned and somebody owns.
    fn add_back_owned(
        &self,
        merged: &TypedValue,
        pruned: TypedValue,
        pruned_version: &str,
        managers: &ManagedFields,
    ) -> Result<TypedValue, Error> {
        let mut managed: BTreeMap<&str, Set> = BTreeMap::new();
        for owned in managers.0.values() {
            let at = managed.entry(&owned.api_version).or_default();
            *at = at.union(&owned.set);
        }
        let (mut merged, mut pruned) = (merged.clone(), pruned);
        // The version of the last apply first: other versions may need what it adds back.
        let first = managed.remove_entry(pruned_version);
        for (version, managed) in first.into_iter().chain(managed) {
            let what = format!("failed to convert merged object at version {version}");
            let Some(m) = self.convert(&merged, version, &what)? else { continue };
            merged = m;
            let what = format!("failed to convert pruned object at version {version}");
            let Some(p) = self.convert(&pruned, version, &what)? else { continue };
            let failed = |which: &'static str| {
                move |e: Error| {
                    e.context(format_args!(
                        "failed to create field set from {which} object at version {version}"
                    ))
                }
            };
            let all = merged.to_field_set().map_err(failed("merged"))?;
            let left = p.to_field_set().map_err(failed("pruned"))?;
            let ty = merged.parseable_type();
            let named = |set: &Set| named(set, ty.schema(), ty.type_ref());
            let out = named(&all).difference(&named(&left).union(&named(&managed)));
            pruned = merged.remove_items(&out);
        }
        Ok(pruned)
    }

    /// Adds back what was pruned and the manager did not own.
    fn add_back_dangling(
        &self,
        merged: &TypedValue,
        pruned: &TypedValue,
        last: &VersionedSet,
        last_named: &Set,
    ) -> Result<TypedValue, Error> {
        let what = "failed to convert pruned object to last applied version";
        let Some(pruned) = self.convert(pruned, &last.api_version, what)? else {
            return Ok(merged.clone());
        };
        let left = pruned.to_field_set().map_err(|e| {
            e.context("failed to create field set from pruned object in last applied version")
        })?;
        let all = merged.to_field_set().map_err(|e| {
            e.context("failed to create field set from merged object in last applied version")
        })?;
        let ty = merged.parseable_type();
        let named = |set: &Set| named(set, ty.schema(), ty.type_ref());
        let out = named(&all).difference(&named(&left)).intersection(last_named);
        Ok(merged.remove_items(&out))
    }

    /// The sets as the present schemas have them.
    fn reconciled(
        &self,
        live: &TypedValue,
        managers: &ManagedFields,
    ) -> Result<ManagedFields, Error> {
        let mut out = ManagedFields::new();
        for (manager, owned) in &managers.0 {
            let live = match self.converter.convert(live, &owned.api_version) {
                Ok(live) => live,
                // Managers of versions that are gone are forgotten.
                Err(e) if e.is_not_registered() => continue,
                Err(e) => return Err(e),
            };
            let owned = match live.reconcile_field_set(&owned.set)? {
                Some(set) => owned.with(set),
                None => owned.clone(),
            };
            out.0.insert(manager.clone(), owned);
        }
        Ok(out)
    }
}

/// The set with the named fields on the way to its members, but not the members of maps. Go:
/// `EnsureNamedFieldsAreMembers`.
fn named(set: &Set, schema: &Schema, ty: &TypeRef) -> Set {
    let atom = schema.resolve(ty);
    let map = atom.and_then(|a| a.map);
    let list = atom.and_then(|a| a.list);
    let nothing = TypeRef::default();
    let mut out = Set::new();
    for member in set.members() {
        out.insert_member(member.clone());
    }
    for (element, below) in set.children() {
        let ty = match (element, map, list) {
            (PathElement::Field(name), Some(map), _) => {
                if map.field(name).is_some() {
                    out.insert_member(element.clone());
                }
                map.type_of(name)
            }
            (PathElement::Key(_), _, Some(list)) => &list.element_type,
            _ => &nothing,
        };
        out.put_child(element.clone(), named(below, schema, ty));
    }
    out
}
