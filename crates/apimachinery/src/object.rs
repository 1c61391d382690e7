//! What an API object is: [`AnyKind`], [`Object`] and, with the facts known at compile time,
//! [`Kind`] and [`Resource`]. Go: `runtime.Object`, `metav1.Object` and `runtime.Scheme`'s type
//! registration.
use crate::reflect::Message;
use crate::{
    Codec, Error, Format, GroupResource, GroupVersionKind, GroupVersionResource, ObjectKey,
    ObjectMeta, OwnerReference, Str,
};
use std::any::Any;
use std::fmt::Debug;

/// A value of some kind: an object, a list, options, a review. Go: `runtime.Object`.
///
/// Object safe: `Box<dyn AnyKind>` is what a [`Scheme`](crate::Scheme) decodes to.
pub trait AnyKind: Any + Debug + Send + Sync {
    /// The kind of this value.
    fn gvk(&self) -> GroupVersionKind;
    /// For downcasting.
    fn as_any(&self) -> &dyn Any;
    /// For downcasting by value.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
    /// Appends the encoded value to `out`.
    ///
    /// # Errors
    /// The kind has no such format, or the value cannot be written in it.
    fn encode_any(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error>;
    /// The reflective surface, when the type has one (built-in kinds do).
    fn as_message(&self) -> Option<&dyn Message> {
        None
    }
    /// The reflective surface for writing.
    fn as_message_mut(&mut self) -> Option<&mut dyn Message> {
        None
    }
}

/// An object with metadata. Go: `metav1.Object`.
pub trait Object: AnyKind {
    /// The metadata.
    fn metadata(&self) -> &ObjectMeta;
    /// The metadata for writing.
    fn metadata_mut(&mut self) -> &mut ObjectMeta;
    /// A copy behind a box; cheap for built-in kinds.
    fn clone_object(&self) -> Box<dyn Object>;

    /// `metadata.name`.
    fn name(&self) -> &str {
        text(&self.metadata().name)
    }
    /// `metadata.namespace`; empty for cluster-scoped objects.
    fn namespace(&self) -> &str {
        text(&self.metadata().namespace)
    }
    /// `metadata.uid`.
    fn uid(&self) -> &str {
        text(&self.metadata().uid)
    }
    /// `metadata.resourceVersion`.
    fn resource_version(&self) -> &str {
        text(&self.metadata().resource_version)
    }
    /// Namespace and name.
    fn key(&self) -> ObjectKey {
        key_of(self.metadata())
    }
    /// The owner that controls this object, if any. Go: `metav1.GetControllerOf`.
    fn controller_of(&self) -> Option<&OwnerReference> {
        controller_in(self.metadata())
    }
    /// Whether `owner` controls this object, by UID. Go: `metav1.IsControlledBy`.
    fn is_controlled_by(&self, owner: &dyn Object) -> bool {
        controller_in(self.metadata()).is_some_and(|o| o.uid == owner.uid())
    }
    /// Whether the object is being deleted.
    fn is_deleting(&self) -> bool {
        self.metadata().deletion_timestamp.is_some()
    }
}

// What the default methods of `Object` do, compiled once: they are in the table of every kind.

#[inline(never)]
fn text(s: &Str) -> &str {
    s
}
fn key_of(m: &ObjectMeta) -> ObjectKey {
    ObjectKey::new(m.namespace.clone(), m.name.clone())
}
fn controller_in(m: &ObjectMeta) -> Option<&OwnerReference> {
    m.owner_references.iter().find(|o| o.controller == Some(true))
}

/// A reference to `owner` as the one controller of an object. Go: `metav1.NewControllerRef`.
///
/// ```
/// use pintle_apimachinery::{Object, ObjectMeta, PartialObjectMetadata, controller_reference};
/// let mut owner = PartialObjectMetadata::default();
/// owner.metadata.name = "one".into();
/// owner.metadata.uid = "1-2-3".into();
/// let r = controller_reference(&owner);
/// assert_eq!((r.name.as_str(), r.controller), ("one", Some(true)));
/// ```
pub fn controller_reference(owner: &dyn Object) -> OwnerReference {
    let gvk = owner.gvk();
    OwnerReference {
        api_version: Str::from(gvk.api_version()),
        kind: Str::new(&gvk.kind),
        name: owner.metadata().name.clone(),
        uid: owner.metadata().uid.clone(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// A type that is exactly one kind.
pub trait Kind: AnyKind + Codec + Clone + Default {
    /// API group; empty for the core group.
    const GROUP: &'static str;
    /// Version in the group.
    const VERSION: &'static str;
    /// Kind.
    const KIND: &'static str;
    /// The kind of every value of this type.
    fn gvk_of() -> GroupVersionKind {
        GroupVersionKind::from_static(Self::GROUP, Self::VERSION, Self::KIND)
    }
}

/// Whether the objects of a kind live in namespaces.
pub trait Scope: Send + Sync + 'static {
    /// Whether they do.
    const NAMESPACED: bool;
}
/// Objects of the kind live in namespaces.
#[derive(Clone, Copy, Debug)]
pub enum Namespaced {}
/// Objects of the kind belong to the cluster as a whole.
#[derive(Clone, Copy, Debug)]
pub enum ClusterScoped {}
impl Scope for Namespaced {
    const NAMESPACED: bool = true;
}
impl Scope for ClusterScoped {
    const NAMESPACED: bool = false;
}

/// A kind that a server serves as a resource.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource of the Kubernetes API",
    note = "built-in kinds are resources when their group's feature is on; for your own, use #[derive(CustomResource)] on the spec"
)]
pub trait Resource: Kind + Object {
    /// Name in paths, in plural and lower case.
    const PLURAL: &'static str;
    /// [`Namespaced`] or [`ClusterScoped`].
    type Scope: Scope;
    /// Group, version and resource.
    fn gvr() -> GroupVersionResource {
        GroupVersionResource::from_static(Self::GROUP, Self::VERSION, Self::PLURAL)
    }
    /// Group and resource.
    fn group_resource() -> GroupResource {
        GroupResource::from_static(Self::GROUP, Self::PLURAL)
    }
}

/// A list kind.
pub trait ListKind: Kind {
    /// The kind of its items.
    type Item: Kind;
}
