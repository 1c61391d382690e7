//! Objects for this crate's tests.

use pintle_apimachinery::PartialObjectMetadata;

pub(crate) fn object(namespace: &str, name: &str, resource_version: u64) -> PartialObjectMetadata {
    let mut object = PartialObjectMetadata::default();
    object.metadata.namespace = namespace.into();
    object.metadata.name = name.into();
    object.metadata.resource_version = resource_version.to_string().into();
    object.metadata.uid = format!("uid-{namespace}-{name}").into();
    object
}

pub(crate) fn labelled(
    namespace: &str,
    name: &str,
    resource_version: u64,
    app: &str,
) -> PartialObjectMetadata {
    let mut object = object(namespace, name, resource_version);
    object.metadata.labels.insert("app".into(), app.into());
    object
}
