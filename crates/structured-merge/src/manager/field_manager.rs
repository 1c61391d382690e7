//! [`FieldManager`]: what the API server does to `managedFields` for every request.
//! Go: `managedfields.FieldManager` with its chain of managers.
use super::conflict_error::conflict_error;
use super::last_applied::{self, KUBECTL};
use super::managed::{APPLY, Id, Managed, UPDATE, entries, is_reset};
use super::object;
use super::types::{NoConversion, ObjectConverter, TypeConverter, VersionConverter};
use crate::{ApplyError, Filter, Path, Set, Updater, VersionedSet};
use pintle_apimachinery::{Error, GroupVersion, GroupVersionKind, Status, Time};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// Merges what is applied to objects of one kind, and keeps their `managedFields`.
///
/// Objects are JSON values with `apiVersion` and `kind`; where an object does not exist yet, the
/// live one is [`Value::Null`]. Nothing is stored here: what a method returns is the object to
/// store, and the time is given. Share it between threads with an [`Arc`].
///
/// # Example: apply and update
/// ```
/// use pintle_apimachinery::{GroupVersionKind, Time};
/// use pintle_structured_merge::{DeducedTypes, FieldManager};
/// use serde_json::{Value, json};
/// let kind = GroupVersionKind::from_static("example.com", "v1", "Foo");
/// let manager = FieldManager::new(DeducedTypes, kind);
/// let (t1, t2) = (Time::from_unix(1), Time::from_unix(2));
/// let foo = json!({"apiVersion": "example.com/v1", "kind": "Foo", "spec": {"a": 1, "b": 1}});
/// let live = manager.apply(&Value::Null, &foo, "applier", false, t1)?;
///
/// let mut changed = live.clone();
/// changed["spec"]["b"] = 2.into();
/// let live = manager.update(&live, changed, "updater", t2)?;
/// let managed = &live["metadata"]["managedFields"];
/// assert_eq!(managed[0]["fieldsV1"], json!({"f:spec": {".": {}, "f:a": {}}}));
/// assert_eq!(managed[1]["manager"], "updater");
/// assert_eq!(managed[1]["fieldsV1"], json!({"f:spec": {"f:b": {}}}));
/// assert_eq!(managed[1]["time"], "1970-01-01T00:00:02Z");
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub struct FieldManager {
    converter: VersionConverter,
    updater: Updater<VersionConverter>,
    gvk: GroupVersionKind,
    version: GroupVersion,
    api_version: String,
    subresource: String,
    max_update_managers: usize,
    track_on_create: bool,
}

/// Who owned what was there before anybody applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// Who owns what the oldest updates wrote.
const ANCIENT_CHANGES: &str = "ancient-changes";
/// Stands for the manager while an update is looked at.
const CURRENT_OPERATION: &str = "current-operation";

/// Fields that nobody owns.
static STRIPPED: LazyLock<Set> = LazyLock::new(|| {
    let mut set: Set =
        ["apiVersion", "kind", "metadata"].into_iter().map(|f| Path::fields([f])).collect();
    for f in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        set.insert(&Path::fields(["metadata", f]));
    }
    set
});

/// The object to store, or `None` when an apply changed nothing.
type Applied = (Option<Arc<Value>>, Managed);

impl FieldManager {
    /// For objects of a kind, which has one version.
    pub fn new(types: impl TypeConverter + 'static, gvk: GroupVersionKind) -> Self {
        Self::with_converter(types, NoConversion, gvk)
    }

    /// For objects of a kind that has several versions: `gvk` is what requests are in.
    pub fn with_converter(
        types: impl TypeConverter + 'static,
        objects: impl ObjectConverter + 'static,
        gvk: GroupVersionKind,
    ) -> Self {
        let converter = VersionConverter { types: Arc::new(types), objects: Arc::new(objects) };
        FieldManager {
            updater: Updater::new(converter.clone()),
            converter,
            version: gvk.group_version(),
            api_version: gvk.api_version().into_owned(),
            gvk,
            subresource: String::new(),
            max_update_managers: 10,
            track_on_create: true,
        }
    }

    /// For requests to a subresource such as `status`.
    #[must_use]
    pub fn subresource(mut self, name: impl Into<String>) -> Self {
        self.subresource = name.into();
        self
    }
    /// Fields of a version that requests cannot set and so do not own. Go: `resetFields`.
    #[must_use]
    pub fn reset_fields(mut self, api_version: impl Into<String>, filter: Filter) -> Self {
        self.updater = self.updater.ignore(api_version, filter);
        self
    }
    /// How many entries of updates there may be before the oldest become one: 10.
    #[must_use]
    pub fn max_update_managers(mut self, n: usize) -> Self {
        self.max_update_managers = n;
        self
    }
    /// Whether an object has `managedFields` from when it is created (as the API server has it),
    /// not only from when it is first applied.
    #[must_use]
    pub fn track_on_create(mut self, yes: bool) -> Self {
        self.track_on_create = yes;
        self
    }

    /// Applies `patch` to `live` for a manager; the object to store. With `force` it takes over
    /// fields that others own.
    ///
    /// # Errors
    /// [`Error::is_conflict`] with a cause per field when others own fields that would change;
    /// [`Error::is_bad_request`] when `patch` is of another kind or has `managedFields`; else
    /// `patch` is not of its type (an error without status, with Go's message).
    pub fn apply(
        &self,
        live: &Value,
        patch: &Value,
        manager: &str,
        force: bool,
        now: Time,
    ) -> Result<Value, Error> {
        let live = self.or_empty(live.clone());
        let managed = Managed::decode(&entries(&live).unwrap_or_default())
            .map_err(|e| Error::other(format!("failed to decode managed fields: {e}")))?;
        let gvk = object::gvk(patch);
        if gvk != self.gvk {
            let kind = object::gvk_text(&gvk);
            return Err(bad_request(format!("invalid object type: {kind}")));
        }
        let request = Request { manager, now };
        let patch = Arc::new(patch.clone());
        let (mut object, managed) = self
            .apply_from_client_side(live, &patch, managed, &request, force)
            .map_err(|e| match e {
                ApplyError::Conflicts(c) => conflict_error(&c),
                ApplyError::Other(e) => e,
            })?;
        if manager == KUBECTL {
            last_applied::refresh(&mut object, &patch);
        }
        managed.encode_into(&mut object);
        Ok(object)
    }

    /// Computes the `managedFields` of `new`, which is to take the place of `live` after a
    /// create, update or patch; the object to store.
    ///
    /// `managedFields` that `new` brings count when they can be read; an empty list resets them.
    ///
    /// # Errors
    /// An object is not of its type, or cannot be converted.
    pub fn update(
        &self,
        live: &Value,
        new: Value,
        manager: &str,
        now: Time,
    ) -> Result<Value, Error> {
        let live = self.or_empty(live.clone());
        let managed = self.live_or_new(&live, &new);
        let mut new = new;
        object::set_meta(&mut new, "managedFields", None);
        if managed.fields.0.is_empty() && (!self.track_on_create || !object::uid(&live).is_empty())
        {
            // Nobody applied yet, and nobody tracks.
            managed.encode_into(&mut new);
            return Ok(new);
        }
        let new = Arc::new(new);
        let managed = self.capped_update(&live, &new, managed, &Request { manager, now })?;
        let mut new = Arc::unwrap_or_clone(new);
        managed.encode_into(&mut new);
        Ok(new)
    }

    /// The same, but keeps the `managedFields` of `live` where [`FieldManager::update`] fails.
    pub fn update_no_errors(&self, live: &Value, new: Value, manager: &str, now: Time) -> Value {
        match self.update(live, new.clone(), manager, now) {
            Ok(new) => new,
            Err(_) => {
                let mut new = new;
                let of_live =
                    entries(live).and_then(|_| live.get("metadata")?.get("managedFields"));
                object::set_meta(&mut new, "managedFields", of_live.cloned());
                new
            }
        }
    }

    fn or_empty(&self, live: Value) -> Arc<Value> {
        Arc::new(if live.is_null() { object::empty(&self.gvk) } else { live })
    }

    /// Go: `decodeLiveOrNew`.
    fn live_or_new(&self, live: &Value, new: &Value) -> Managed {
        // Requests to a subresource cannot set them.
        if self.subresource.is_empty() {
            let of_new = entries(new);
            if is_reset(of_new.as_deref()) {
                return Managed::default();
            }
            // A client that does not know of them must not delete them by accident.
            if let Ok(managed) = Managed::decode(&of_new.unwrap_or_default())
                && !managed.fields.0.is_empty()
            {
                return managed;
            }
        }
        Managed::of(live)
    }

    /// Go: `lastAppliedManager`.
    fn apply_from_client_side(
        &self,
        live: Arc<Value>,
        patch: &Arc<Value>,
        managed: Managed,
        request: &Request<'_>,
        force: bool,
    ) -> Result<(Value, Managed), ApplyError> {
        let first = self.apply_tracked(&live, patch, managed.clone(), request, force);
        let Err(ApplyError::Conflicts(conflicts)) = first else { return first };
        if request.manager != KUBECTL {
            return Err(ApplyError::Conflicts(conflicts));
        }
        match last_applied::not_allowed(&conflicts, &live, &self.converter, &self.version) {
            None => Err(ApplyError::Conflicts(conflicts)),
            Some(left) if !left.0.is_empty() => Err(ApplyError::Conflicts(left)),
            Some(_) => self.apply_tracked(&live, patch, managed, request, true),
        }
    }

    /// Go: `skipNonAppliedManager`, `managedFieldsUpdater`.
    fn apply_tracked(
        &self,
        live: &Arc<Value>,
        patch: &Arc<Value>,
        mut managed: Managed,
        request: &Request<'_>,
        force: bool,
    ) -> Result<(Value, Managed), ApplyError> {
        if managed.fields.0.is_empty() {
            let nothing = Arc::new(object::empty(&self.gvk));
            let before = Request { manager: BEFORE_FIRST_APPLY, ..*request };
            managed = self
                .capped_update(&nothing, live, managed, &before)
                .map_err(|e| e.context("failed to create manager for existing fields"))?;
        }
        let id = self.id(request.manager, APPLY);
        let (object, mut managed) = self.apply_stripped(live, patch, managed, &id, force)?;
        let object = match object {
            Some(object) => {
                managed.times.insert(id, Some(request.now));
                Arc::unwrap_or_clone(object)
            }
            None => {
                let mut object = (**live).clone();
                object::set_meta(&mut object, "managedFields", None);
                object
            }
        };
        Ok((object, managed))
    }

    /// Go: `stripMetaManager`, `structuredMergeManager`.
    fn apply_stripped(
        &self,
        live: &Arc<Value>,
        patch: &Arc<Value>,
        managed: Managed,
        id: &str,
        force: bool,
    ) -> Result<Applied, ApplyError> {
        if entries(patch).is_some() {
            return Err(bad_request("metadata.managedFields must be nil".into()).into());
        }
        let about = |what: &str, object: &Value| format!("{what} ({})", object::named(object));
        let live_versioned = self.converter.versioned(live, &self.version).map_err(|e| {
            let what = about("failed to convert live object", live);
            e.context(format_args!("{what} to proper version"))
        })?;
        let typed_patch = self
            .converter
            .typed(patch.clone(), false)
            .map_err(|e| e.context(about("failed to create typed patch object", patch)))?;
        let typed_live = self
            .converter
            .typed(live_versioned.clone(), true)
            .map_err(|e| e.context(about("failed to create typed live object", &live_versioned)))?;
        let Managed { fields, times } = managed;
        let (object, mut fields) =
            self.updater.apply(&typed_live, &typed_patch, &self.api_version, &fields, id, force)?;
        strip(&mut fields.0, id);
        let object = match object {
            None => None,
            Some(object) => {
                let mut object = object.into_value();
                if !object.is_object() {
                    let ty = crate::json::go_type(&object);
                    let what = about("failed to convert new typed object", patch);
                    return Err(Error::other(format!(
                        "{what} to object: failed to convert value to unstructured for type {ty}"
                    ))
                    .into());
                }
                self.converter.objects.default_object(Arc::make_mut(&mut object))?;
                Some(object)
            }
        };
        Ok((object, Managed { fields, times }))
    }

    /// Go: `capManagersManager`, `buildManagerInfoManager`, `managedFieldsUpdater`.
    fn capped_update(
        &self,
        live: &Arc<Value>,
        new: &Arc<Value>,
        managed: Managed,
        request: &Request<'_>,
    ) -> Result<Managed, Error> {
        let id = self.id(request.manager, UPDATE);
        let mut managed = self.update_stripped(live, new, managed, CURRENT_OPERATION)?;
        if let Some(own) = managed.fields.0.remove(CURRENT_OPERATION) {
            let own = match managed.fields.0.get(&id) {
                Some(before) => own.with(own.set.union(&before.set)),
                None => own,
            };
            managed.fields.0.insert(id.clone(), own);
            managed.times.insert(id, Some(request.now));
        }
        self.cap(&mut managed);
        Ok(managed)
    }

    fn update_stripped(
        &self,
        live: &Arc<Value>,
        new: &Arc<Value>,
        managed: Managed,
        id: &str,
    ) -> Result<Managed, Error> {
        let versioned = |object: &Arc<Value>, which: &str, to: &str| {
            self.converter.versioned(object, &self.version).map_err(|e| {
                let what = format!("failed to convert {which} object ({})", object::named(object));
                e.context(format_args!("{what} to proper version{to}"))
            })
        };
        let typed = |object: Arc<Value>, which: &str| {
            self.converter.typed(object.clone(), true).map_err(|e| {
                let name = object::named(&object);
                e.context(format_args!("failed to convert {which} object ({name}) to smd typed"))
            })
        };
        // Both are converted before either is looked at.
        let new_versioned = versioned(new, "new", &format!(" ({})", self.api_version))?;
        let live_versioned = versioned(live, "live", "")?;
        let new_typed = typed(new_versioned, "new")?;
        let live_typed = typed(live_versioned, "live")?;
        let mut fields = self
            .updater
            .update(&live_typed, &new_typed, &self.api_version, &managed.fields, id)
            .map_err(|e| {
                let name = object::named(new);
                e.context(format_args!("failed to update ManagedFields ({name})"))
            })?;
        strip(&mut fields.0, id);
        Ok(Managed { fields, times: managed.times })
    }

    /// The identifier of who makes a request.
    fn id(&self, manager: &str, operation: &str) -> String {
        let manager = if manager.is_empty() { "unknown" } else { manager };
        Id {
            manager: manager.to_owned(),
            operation: operation.to_owned(),
            api_version: self.api_version.clone(),
            subresource: self.subresource.clone(),
        }
        .text()
    }

    /// Puts the oldest updates of each version together until there are not too many.
    fn cap(&self, managed: &mut Managed) {
        let updaters = managed.fields.0.iter().filter(|(_, v)| !v.applied);
        let mut updaters: Vec<String> = updaters.map(|(id, _)| id.clone()).collect();
        let mut count = updaters.len();
        if count <= self.max_update_managers {
            return;
        }
        updaters.sort_by(|a, b| managed.seconds(a).cmp(&managed.seconds(b)).then_with(|| a.cmp(b)));
        let mut first_of: BTreeMap<String, String> = BTreeMap::new();
        for id in updaters {
            if count <= self.max_update_managers {
                break;
            }
            let Some(owned) = managed.fields.0.get(&id).cloned() else { continue };
            let version = owned.api_version.clone();
            let bucket = Id {
                manager: ANCIENT_CHANGES.into(),
                operation: UPDATE.into(),
                api_version: version.clone(),
                subresource: String::new(),
            };
            let bucket = bucket.text();
            let Some(first) = first_of.get(&version) else {
                first_of.insert(version, id);
                continue;
            };
            if !managed.fields.0.contains_key(&bucket)
                && let Some(first) = managed.fields.0.remove(first)
            {
                managed.fields.0.insert(bucket.clone(), first);
            }
            let before = managed.fields.0.get(&bucket).map(|b| b.set.clone()).unwrap_or_default();
            let time = managed.times.get(&id).copied().flatten();
            managed.fields.0.insert(bucket.clone(), owned.with(owned.set.union(&before)));
            if id != bucket {
                managed.fields.0.remove(&id);
            }
            count -= 1;
            managed.times.insert(bucket, time);
        }
    }
}

impl std::fmt::Debug for FieldManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FieldManager")
            .field("gvk", &self.gvk)
            .field("subresource", &self.subresource)
            .finish_non_exhaustive()
    }
}

/// Who asks, and when.
struct Request<'a> {
    manager: &'a str,
    now: Time,
}

fn bad_request(message: String) -> Error {
    Status::failure(400, "BadRequest", message).into()
}

/// Takes away what nobody owns.
fn strip(fields: &mut BTreeMap<String, VersionedSet>, id: &str) {
    if let Some(owned) = fields.get_mut(id) {
        let left = owned.set.difference(&STRIPPED);
        if left.is_empty() {
            fields.remove(id);
        } else {
            *owned = owned.with(left);
        }
    }
}
