//! From client-side apply to server-side apply. Go: `k8s.io/client-go/util/csaupgrade`.
use super::managed::{APPLY, UPDATE};
use crate::Set;
use pintle_apimachinery::{Error, FieldsV1, ManagedFieldsEntry, ObjectMeta};
use serde_json::{Value, json};

/// The entries of an operation that own all of `fields`. Entries that cannot be read own nothing.
///
/// ```
/// use pintle_apimachinery::{FieldsV1, ManagedFieldsEntry};
/// use pintle_structured_merge::{Path, Set, find_fields_owners};
/// let entry = ManagedFieldsEntry {
///     operation: "Update".into(), fields_v1: Some(FieldsV1::new(r#"{"f:data":{}}"#)),
///     ..Default::default()
/// };
/// let data = Set::from_iter([Path::fields(["data"])]);
/// assert_eq!(find_fields_owners(&[entry.clone()], "Update", &data), [&entry]);
/// ```
pub fn find_fields_owners<'a>(
    entries: &'a [ManagedFieldsEntry],
    operation: &str,
    fields: &Set,
) -> Vec<&'a ManagedFieldsEntry> {
    let owns = |e: &ManagedFieldsEntry| read(e).is_ok_and(|set| fields.difference(&set).is_empty());
    entries.iter().filter(|e| e.operation == operation && owns(e)).collect()
}

/// Gives what client-side apply owns (as updates of the managers `from`) to `to`, which applies
/// from now on. Do it before or after the first apply; it cannot be undone.
///
/// # Errors
/// The fields of an entry that is to change cannot be read; then nothing changes.
///
/// ```
/// use pintle_apimachinery::{FieldsV1, ManagedFieldsEntry, ObjectMeta};
/// use pintle_structured_merge::upgrade_managed_fields;
/// let mut meta = ObjectMeta::default();
/// meta.managed_fields.push(ManagedFieldsEntry {
///     manager: "kubectl-client-side-apply".into(), operation: "Update".into(), api_version: "v1".into(),
///     fields_type: "FieldsV1".into(), fields_v1: Some(FieldsV1::new(r#"{"f:data":{}}"#)),
///     ..Default::default()
/// });
/// upgrade_managed_fields(&mut meta, &["kubectl-client-side-apply"], "kubectl", "")?;
/// assert_eq!((&*meta.managed_fields[0].manager, &*meta.managed_fields[0].operation), ("kubectl", "Apply"));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
pub fn upgrade_managed_fields(
    meta: &mut ObjectMeta,
    from: &[&str],
    to: &str,
    subresource: &str,
) -> Result<(), Error> {
    let upgraded = upgraded(&meta.managed_fields, from, to, subresource)?;
    meta.managed_fields = upgraded.into();
    Ok(())
}

/// The JSON patch that does the same on the server, which refuses it with a conflict if the object
/// changed; `None` when there is nothing to do.
///
/// # Errors
/// As [`upgrade_managed_fields`].
pub fn upgrade_managed_fields_patch(
    meta: &ObjectMeta,
    from: &[&str],
    to: &str,
    subresource: &str,
) -> Result<Option<Value>, Error> {
    let upgraded = upgraded(&meta.managed_fields, from, to, subresource)?;
    // Fields change only together with what else there is: an entry less, or another manager.
    let same = |a: &ManagedFieldsEntry, b: &ManagedFieldsEntry| {
        a.manager == b.manager && a.operation == b.operation
    };
    let before = &meta.managed_fields;
    if upgraded.len() == before.len() && upgraded.iter().zip(before.iter()).all(|(a, b)| same(a, b))
    {
        return Ok(None);
    }
    // By way of metadata, which knows how entries are written.
    let holder = ObjectMeta { managed_fields: upgraded.into(), ..Default::default() };
    let value = serde_json::to_value(&holder).map_err(|e| Error::encode(e.to_string()))?;
    let entries = value.get("managedFields").cloned().unwrap_or(Value::Null);
    Ok(Some(json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": entries},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": meta.resource_version.as_str()},
    ])))
}

fn upgraded(
    entries: &[ManagedFieldsEntry],
    from: &[&str],
    to: &str,
    subresource: &str,
) -> Result<Vec<ManagedFieldsEntry>, Error> {
    let mut entries = entries.to_vec();
    for csa in from {
        one(&mut entries, csa, to, subresource)?;
    }
    Ok(entries)
}

fn one(
    entries: &mut Vec<ManagedFieldsEntry>,
    csa: &str,
    ssa: &str,
    subresource: &str,
) -> Result<(), Error> {
    let is = |e: &ManagedFieldsEntry, manager: &str, operation: &str| {
        e.manager == manager && e.operation == operation && e.subresource == subresource
    };
    let target = match entries.iter().position(|e| is(e, ssa, APPLY)) {
        Some(at) => at,
        // Nobody applied yet: the first, which is the latest, of the updates becomes the apply.
        None => match entries.iter().position(|e| is(e, csa, UPDATE)) {
            Some(at) => {
                entries[at].operation = APPLY.into();
                entries[at].manager = ssa.into();
                at
            }
            None => return Ok(()),
        },
    };
    let failed = |e: Error| e.context("failed to convert fields to set");
    let mut set = read(&entries[target]).map_err(failed)?;
    let same_version =
        entries.iter().find(|e| is(e, csa, UPDATE) && e.api_version == entries[target].api_version);
    if let Some(e) = same_version {
        set = set.union(&read(e).map_err(failed)?);
    }
    entries[target].fields_v1 = Some(set.to_fields_v1());
    entries.retain(|e| !is(e, csa, UPDATE));
    Ok(())
}

fn read(e: &ManagedFieldsEntry) -> Result<Set, Error> {
    Set::from_fields_v1(e.fields_v1.as_ref().unwrap_or(&FieldsV1::default()))
}
