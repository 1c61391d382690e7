//! The metadata of values whose type is not known, and the items of lists. Go: `meta.go` and
//! `help.go` of `k8s.io/apimachinery/pkg/api/meta`, and `helpers.go` of
//! `k8s.io/apimachinery/pkg/apis/meta/v1`.

use crate::reflect::{Described, FieldMut, FieldRef, ListRef, Message, Type};
use crate::{AnyKind, ListMeta, Object, ObjectMeta, Unstructured, UnstructuredList};

fn field<'a>(message: &'a dyn Message, name: &str) -> Option<FieldRef<'a>> {
    Some(message.field(message.desc().find(name, 0)?))
}

fn metadata<M: Described>(message: &dyn Message) -> Option<&M> {
    match field(message, "metadata")? {
        FieldRef::Msg(metadata) => metadata.downcast_ref(),
        _ => None,
    }
}

/// The metadata of a value that is an object. Go: `meta.Accessor`.
///
/// ```
/// use pintle_apimachinery::{AnyKind, ObjectMeta, PartialObjectMetadata, Status, meta};
/// let metadata = ObjectMeta { name: "web".into(), ..Default::default() };
/// let object: Box<dyn AnyKind> = Box::new(PartialObjectMetadata { metadata, ..Default::default() });
/// assert_eq!(meta::object_meta(&*object).unwrap().name, "web");
/// assert!(meta::object_meta(&Status::default()).is_none());
/// ```
pub fn object_meta(value: &dyn AnyKind) -> Option<&ObjectMeta> {
    match value.as_message() {
        Some(message) => metadata(message),
        None => value.as_any().downcast_ref::<Unstructured>().map(|u| &u.metadata),
    }
}

/// The metadata of a value that is a built-in object, for writing. An
/// [`Unstructured`] has its metadata in a field.
/// Go: `meta.Accessor`.
pub fn object_meta_mut(value: &mut dyn AnyKind) -> Option<&mut ObjectMeta> {
    let message = value.as_message_mut()?;
    let at = message.desc().find("metadata", 0)?;
    match message.field_mut(at) {
        FieldMut::Msg(metadata) => metadata.downcast_mut(),
        _ => None,
    }
}

/// The metadata of a value that is a list. Go: `meta.ListAccessor`.
pub fn list_meta(value: &dyn AnyKind) -> Option<&ListMeta> {
    match value.as_message() {
        Some(message) => metadata(message),
        None => value.as_any().downcast_ref::<UnstructuredList>().map(|list| &list.metadata),
    }
}

fn items(value: &dyn AnyKind) -> Option<ListRef<'_>> {
    let message = value.as_message()?;
    let at = message.desc().find("items", 1)?;
    match (message.desc().fields[at].ty, field(message, "items")?) {
        (Type::List(_), FieldRef::List(list)) if message.desc().kind.is_some() => Some(list),
        _ => None,
    }
}

/// The items of a value that is a list of built-in objects; `None` if it is no list. Where the type
/// is known, the field `items` and [`ObjectList`](crate::ObjectList) are the way, for
/// [`UnstructuredList`] too.
/// Go: `EachListItem`, `ExtractList`; `IsListType` where this is not `None`.
///
/// ```
/// use pintle_apimachinery::meta_v1::PartialObjectMetadataList;
/// use pintle_apimachinery::{PartialObjectMetadata, meta};
/// let list = PartialObjectMetadataList { items: vec![PartialObjectMetadata::default()].into(), ..Default::default() };
/// let kinds: Vec<_> = meta::list_items(&list).unwrap().map(|item| item.desc().name).collect();
/// assert_eq!(kinds, ["PartialObjectMetadata"]);
/// ```
pub fn list_items(value: &dyn AnyKind) -> Option<impl Iterator<Item = &dyn Message>> {
    let items = items(value)?;
    Some((0..items.len()).filter_map(move |i| match items.at(i) {
        FieldRef::Msg(item) => Some(item),
        _ => None,
    }))
}

/// How many items a list has; 0 for anything else. Go: `LenList`.
pub fn list_len(value: &dyn AnyKind) -> usize {
    match value.as_any().downcast_ref::<UnstructuredList>() {
        Some(list) => list.items.len(),
        None => items(value).map_or(0, |items| items.len()),
    }
}

/// Whether a server has filled in what only servers do: the time of creation, or the UID.
/// Go: `HasObjectMetaSystemFieldValues`.
pub fn has_system_fields(object: &dyn Object) -> bool {
    let metadata = object.metadata();
    !metadata.creation_timestamp.is_zero() || !metadata.uid.is_empty()
}

/// Takes back what an update of the status must not change in the metadata. Managed fields stay.
/// Go: `ResetObjectMetaForStatus`.
pub fn reset_for_status(metadata: &mut ObjectMeta, existing: &ObjectMeta) {
    metadata.deletion_timestamp = existing.deletion_timestamp;
    metadata.generation = existing.generation;
    metadata.self_link = existing.self_link.clone();
    metadata.labels = existing.labels.clone();
    metadata.annotations = existing.annotations.clone();
    metadata.finalizers = existing.finalizers.clone();
    metadata.owner_references = existing.owner_references.clone();
}
