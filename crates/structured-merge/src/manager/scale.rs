//! `managedFields` between an object and its `scale`. Go: `managedfields.ScaleHandler`.
use super::managed::{Entry, Managed};
use crate::{Path, Set, VersionedSet};
use pintle_apimachinery::{Error, ManagedFieldsEntry};
use std::collections::BTreeMap;

const SCALE_VERSION: &str = "autoscaling/v1";

/// Translates ownership of the number of replicas between an object and its `scale` subresource.
///
/// ```
/// use pintle_apimachinery::{FieldsV1, ManagedFieldsEntry};
/// use pintle_structured_merge::{Path, ScaleHandler};
/// let entry = ManagedFieldsEntry {
///     manager: "me".into(), operation: "Apply".into(), api_version: "apps/v1".into(),
///     fields_type: "FieldsV1".into(),
///     fields_v1: Some(FieldsV1::new(r#"{"f:spec":{"f:replicas":{},"f:paused":{}}}"#)),
///     ..Default::default()
/// };
/// let replicas = Path::fields(["spec", "replicas"]);
/// let handler = ScaleHandler::new(vec![entry], "apps/v1", [("apps/v1".into(), Some(replicas))]);
/// let scale = handler.to_subresource()?;
/// assert_eq!(scale[0].api_version, "autoscaling/v1");
/// assert_eq!(*scale[0].fields_v1.as_ref().unwrap().raw(), *br#"{"f:spec":{"f:replicas":{}}}"#);
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ScaleHandler {
    parent: Vec<ManagedFieldsEntry>,
    api_version: String,
    replicas: BTreeMap<String, Option<Path>>,
}

impl ScaleHandler {
    /// For an object with these entries in this version. `replicas` says for each version where
    /// the replicas are; `None` in a version that cannot be scaled.
    pub fn new(
        parent: Vec<ManagedFieldsEntry>,
        api_version: impl Into<String>,
        replicas: impl IntoIterator<Item = (String, Option<Path>)>,
    ) -> Self {
        ScaleHandler {
            parent,
            api_version: api_version.into(),
            replicas: replicas.into_iter().collect(),
        }
    }

    /// The entries of the `scale`: whoever owns the replicas of the object.
    ///
    /// # Errors
    /// The entries cannot be read.
    pub fn to_subresource(&self) -> Result<Vec<ManagedFieldsEntry>, Error> {
        let parent = decode(&self.parent)?;
        let mut out = Managed::default();
        for (id, owned) in &parent.fields.0 {
            let Some(Some(path)) = self.replicas.get(&owned.api_version) else { continue };
            if owned.set.has(path) {
                let set = Set::from_iter([in_scale()]);
                let fields = VersionedSet::new(set, SCALE_VERSION, owned.applied);
                out.fields.0.insert(id.clone(), fields);
                out.times.insert(id.clone(), parent.times.get(id).copied().flatten());
            }
        }
        Ok(out.encode())
    }

    /// The entries of the object once its `scale` has these.
    ///
    /// # Errors
    /// The entries cannot be read.
    pub fn to_parent(
        &self,
        scale: &[ManagedFieldsEntry],
    ) -> Result<Vec<ManagedFieldsEntry>, Error> {
        let parent = decode(&self.parent)?;
        let mut scale = decode(scale)?.fields.0;
        let mut out = Managed::default();
        let time = |id: &str| parent.times.get(id).copied().flatten();
        for (id, owned) in &parent.fields.0 {
            // Entries of versions that are not known any more are dropped.
            let Some(path) = self.replicas.get(&owned.api_version) else { continue };
            let kept = match path {
                Some(path) if owned.set.has(path) => {
                    if scale.remove(id).is_some() {
                        owned.clone()
                    } else {
                        // Somebody took it over by the scale.
                        owned.with(owned.set.difference(&Set::from_iter([path])))
                    }
                }
                _ => {
                    out.fields.0.insert(id.clone(), owned.clone());
                    out.times.insert(id.clone(), time(id));
                    continue;
                }
            };
            if !kept.set.is_empty() {
                out.fields.0.insert(id.clone(), kept);
                out.times.insert(id.clone(), time(id));
            }
        }
        let path = self.replicas.get(&self.api_version).cloned().flatten();
        let own: Set = path.into_iter().collect();
        for (id, owned) in scale {
            if owned.set.has(&in_scale()) {
                let fields =
                    VersionedSet::new(own.clone(), self.api_version.clone(), owned.applied);
                out.times.insert(id.clone(), time(&id));
                out.fields.0.insert(id, fields);
            }
        }
        Ok(out.encode())
    }
}

fn in_scale() -> Path {
    Path::fields(["spec", "replicas"])
}

fn decode(entries: &[ManagedFieldsEntry]) -> Result<Managed, Error> {
    let entries: Vec<Entry> = entries.iter().map(Entry::from).collect();
    Managed::decode(&entries).map_err(Error::invalid)
}
