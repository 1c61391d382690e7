//! Owner references and finalizers. Go: `controller_ref.go` of
//! `k8s.io/apimachinery/pkg/apis/meta/v1`, and `controllerutil` of controller-runtime.

use crate::{Error, GroupVersion, Object, ObjectMeta, OwnerReference, Str, controller_reference};

/// A reference to `owner`, as one owner of an object and not its controller; see
/// [`controller_reference`] for that.
pub fn owner_reference(owner: &dyn Object) -> OwnerReference {
    OwnerReference { controller: None, block_owner_deletion: None, ..controller_reference(owner) }
}

/// Whether both name the same object: group, kind and name count, the version does not.
fn same_owner(a: &OwnerReference, b: &OwnerReference) -> bool {
    let group = |r: &OwnerReference| GroupVersion::parse(&r.api_version).ok().map(|gv| gv.group);
    a.kind == b.kind && a.name == b.name && group(a).is_some_and(|g| Some(g) == group(b))
}

fn find(owners: &[OwnerReference], owner: &OwnerReference) -> Option<usize> {
    owners.iter().position(|candidate| same_owner(candidate, owner))
}

/// Owners must not be in another namespace, nor be in one if the object is not.
fn check(owner: &dyn Object, object: &dyn Object) -> Result<(), Error> {
    let (theirs, its) = (owner.namespace(), object.namespace());
    if theirs.is_empty() || theirs == its {
        return Ok(());
    }
    Err(Error::invalid(if its.is_empty() {
        format!(
            "cluster-scoped resource must not have a namespace-scoped owner, owner's namespace {theirs}"
        )
    } else {
        format!(
            "cross-namespace owner references are disallowed, owner's namespace {theirs}, obj's namespace {its}"
        )
    }))
}

/// Puts in an owner reference, in the place of one to the same object if there is one.
/// Go: `upsertOwnerRef` of `controllerutil`.
pub fn put_owner_reference(metadata: &mut ObjectMeta, owner: OwnerReference) {
    match find(&metadata.owner_references, &owner) {
        Some(at) => metadata.owner_references[at] = owner,
        None => metadata.owner_references.push(owner),
    }
}

/// Makes `owner` the one controller of an object, so that the object goes when the owner does, and
/// that its changes are the owner's. Go: `SetControllerReference`.
///
/// ```
/// use pintle_apimachinery::{meta, Object, ObjectMeta, PartialObjectMetadata};
/// let object = |name: &str| PartialObjectMetadata {
///     metadata: ObjectMeta { name: name.into(), namespace: "team-a".into(), ..Default::default() },
///     ..Default::default()
/// };
/// let mut pod = object("web-1");
/// meta::set_controller_reference(&object("web"), &mut pod)?;
/// assert_eq!(pod.controller_of().unwrap().name, "web");
/// let taken = meta::set_controller_reference(&object("other"), &mut pod).unwrap_err();
/// assert!(taken.is_already_owned());
/// # Ok::<(), pintle_apimachinery::Error>(())
/// ```
///
/// # Errors
/// The object has another controller ([`Error::is_already_owned`]), or the owner is in another
/// namespace.
pub fn set_controller_reference(
    owner: &dyn Object,
    controlled: &mut dyn Object,
) -> Result<(), Error> {
    check(owner, controlled)?;
    let reference = controller_reference(owner);
    if let Some(other) = controlled.controller_of().filter(|o| !same_owner(o, &reference)) {
        return Err(Error::already_owned(format!(
            "Object {}/{} is already owned by another {} controller {}",
            controlled.namespace(),
            controlled.name(),
            other.kind,
            other.name
        )));
    }
    put_owner_reference(controlled.metadata_mut(), reference);
    Ok(())
}

/// Makes `owner` one of the owners of an object. Go: `SetOwnerReference`.
///
/// # Errors
/// The owner is in another namespace.
pub fn set_owner_reference(owner: &dyn Object, object: &mut dyn Object) -> Result<(), Error> {
    check(owner, object)?;
    put_owner_reference(object.metadata_mut(), owner_reference(owner));
    Ok(())
}

/// Whether one of these refers to `owner`. Go: `HasOwnerReference`.
pub fn has_owner_reference(owners: &[OwnerReference], owner: &dyn Object) -> bool {
    find(owners, &owner_reference(owner)).is_some()
}

/// Whether the object has a controller. Go: `HasControllerReference`.
pub fn has_controller_reference(object: &dyn Object) -> bool {
    object.controller_of().is_some()
}

fn kind_of(object: &dyn Object) -> String {
    object.gvk().kind.into_owned()
}

/// Removes the reference to `owner`. Go: `RemoveOwnerReference`, whose message has Go's types where
/// this has kinds.
///
/// # Errors
/// There is no such reference.
pub fn remove_owner_reference(owner: &dyn Object, object: &mut dyn Object) -> Result<(), Error> {
    let owners = &object.metadata().owner_references;
    let kind = || kind_of(object);
    if owners.is_empty() {
        return Err(Error::invalid(format!("{} does not have any owner references", kind())));
    }
    let Some(at) = find(owners, &owner_reference(owner)) else {
        return Err(Error::invalid(format!(
            "{} does not have an owner reference for {}",
            kind(),
            kind_of(owner)
        )));
    };
    object.metadata_mut().owner_references.remove(at);
    Ok(())
}

/// Removes the reference to `owner`, which is the controller. Go: `RemoveControllerReference`, whose
/// message has Go's types where this has kinds.
///
/// # Errors
/// There is no such reference, or it is not the controller's.
pub fn remove_controller_reference(
    owner: &dyn Object,
    object: &mut dyn Object,
) -> Result<(), Error> {
    let (kind, other) = (kind_of(object), kind_of(owner));
    let owners = &object.metadata().owner_references;
    let problem = if !has_controller_reference(object) {
        format!("{kind} does not have a owner reference with controller equals true")
    } else {
        match find(owners, &owner_reference(owner)) {
            Some(at) if owners[at].controller == Some(true) => {
                object.metadata_mut().owner_references.remove(at);
                return Ok(());
            }
            Some(_) => format!("{other} owner is not the controller reference for {kind}"),
            None => format!("{kind} does not have an controller reference for {other}"),
        }
    };
    Err(Error::invalid(problem))
}

/// Puts in a finalizer, and says whether it was not there before. Go: `AddFinalizer`.
pub fn add_finalizer(object: &mut dyn Object, finalizer: &str) -> bool {
    let missing = !has_finalizer(object, finalizer);
    if missing {
        object.metadata_mut().finalizers.push(Str::new(finalizer));
    }
    missing
}

/// Removes a finalizer, and says whether it was there. Go: `RemoveFinalizer`.
pub fn remove_finalizer(object: &mut dyn Object, finalizer: &str) -> bool {
    let there = has_finalizer(object, finalizer);
    if there {
        object.metadata_mut().finalizers.retain(|candidate| candidate != finalizer);
    }
    there
}

/// Whether the object has a finalizer. Go: `ContainsFinalizer`.
pub fn has_finalizer(object: &dyn Object, finalizer: &str) -> bool {
    object.metadata().finalizers.iter().any(|candidate| candidate == finalizer)
}
