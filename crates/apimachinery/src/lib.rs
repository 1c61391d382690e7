//! Kubernetes' API machinery: what every program that speaks to an API server shares.
//!
//! It has objects and their metadata ([`Object`], [`ObjectMeta`]), names of kinds and resources
//! ([`GroupVersionKind`]), the [`Scheme`], codecs for JSON, YAML, protobuf and, behind the feature
//! `cbor`, CBOR ([`Codec`], [`CodecFactory`], [`Format`], [`ListDecoder`], [`WatchDecoder`],
//! [`decode_strict`], [`yaml`]), [`Unstructured`] objects and lists, label and field selectors
//! ([`labels`], [`fields`]), [`Quantity`] and times, request options, [`Status`] and the one
//! [`Error`] of the project. Built-in API types are in `pintle-api`.
//!
//! It does no input or output, knows no HTTP and no async runtime, and reads no clock except
//! in `now()` functions.
//!
//! Values are cheap to copy: strings, lists, maps and nested structs are shared between clones and
//! copied when written ([`Str`], [`List`], [`Map`], [`Shared`]), so `clone()` is Go's `DeepCopy`
//! at the price of a few counters.
//!
//! # Example: decode, change, encode
//! ```
//! use pintle_apimachinery::{Codec, Decoder, Format, PartialObjectMetadata};
//! let body = br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"web","labels":{"app":"web"}}}"#;
//! let mut object = PartialObjectMetadata::decode(body, Format::Json, &mut Decoder::new())?;
//! let snapshot = object.clone();
//! object.metadata.labels.insert("tier".into(), "front".into());
//! assert_eq!(snapshot.metadata.labels.len(), 1);
//!
//! let mut protobuf = Vec::new();
//! object.encode(Format::Protobuf, &mut protobuf)?;
//! let back = PartialObjectMetadata::decode(&protobuf, Format::Protobuf, &mut Decoder::new())?;
//! assert_eq!(back, object);
//! # Ok::<(), pintle_apimachinery::Error>(())
//! ```

#[cfg(feature = "cbor")]
mod cbor;
pub mod codec;
mod codec_factory;
mod conversion;
#[cfg(feature = "schemars")]
mod custom_resource;
mod deep_copy;
mod error;
pub mod fields;
mod fields_v1;
#[allow(unreachable_pub)] // the flat re-exports below are the public places
mod generated;
#[doc(hidden)]
pub mod generated_prelude;
mod gvk;
mod intstr;
pub mod labels;
mod list;
mod list_encode;
pub mod meta;
mod object;
mod options;
mod parse_error;
mod patch_type;
mod quantity;
mod query;
pub mod reflect;
mod rep;
mod scheme;
mod status;
#[cfg(test)]
mod stream_tests;
mod strict;
mod time;
mod unstructured;
pub mod util;
pub mod validation;
pub mod version;
mod watch;
pub mod yaml;

pub use codec::{Codec, Envelope, Format};
pub use codec_factory::{CodecFactory, Decoded};
pub use conversion::CONVERSION_DATA;
#[cfg(feature = "schemars")]
pub use custom_resource::{
    __derive, CustomResource, CustomResourcePart, merge_crds, preserve_unknown_fields,
};
/// What a CustomResourceDefinition says beside its schema, as `derive(CustomResource)` writes it.
///
/// ```
/// use pintle_apimachinery::crd::Column;
/// const AGE: Column = Column {
///     name: "Age",
///     json_path: ".metadata.creationTimestamp",
///     type_: "date",
///     format: "",
///     description: "",
///     priority: 0,
/// };
/// assert_eq!(AGE.type_, "date");
/// ```
#[cfg(feature = "schemars")]
pub mod crd {
    pub use crate::custom_resource::{Column, Definition, Scale, Validation};
}
pub use deep_copy::DeepCopy;
pub use error::Error;
pub use fields_v1::FieldsV1;
/// Types of meta.k8s.io/v1, as they are on the wire.
///
/// ```
/// use pintle_apimachinery::meta_v1::{LabelSelector, LabelSelectorRequirement};
/// let text = r#"{"matchExpressions":[{"key":"app","operator":"Exists"}]}"#;
/// let selector: LabelSelector = serde_json::from_str(text)?;
/// let exists = LabelSelectorRequirement {
///     key: "app".into(),
///     operator: "Exists".into(),
///     ..Default::default()
/// };
/// assert_eq!(selector.match_expressions, [exists].into());
/// # Ok::<(), serde_json::Error>(())
/// ```
pub mod meta_v1 {
    pub use crate::generated::meta_v1::*;
}
/// Types of meta.k8s.io/v1beta1, as they are on the wire.
///
/// ```
/// use pintle_apimachinery::{Kind, meta_v1beta1::PartialObjectMetadataList};
/// assert_eq!(PartialObjectMetadataList::gvk_of().version, "v1beta1");
/// ```
pub mod meta_v1beta1 {
    pub use crate::generated::meta_v1beta1::*;
}
pub use generated::meta_v1::{
    Condition, LabelSelector, LabelSelectorRequirement, ListMeta, ManagedFieldsEntry, ObjectMeta,
    OwnerReference, PartialObjectMetadata, Status, StatusCause, StatusDetails,
};
pub use gvk::*;
pub use intstr::*;
pub use list::{ListDecoder, ObjectList};
pub use list_encode::Sink;
pub use object::*;
pub use options::*;
pub use parse_error::ParseError;
pub use patch_type::*;
pub use quantity::{Quantity, QuantityFormat};
pub use query::*;
pub use reflect::{Decoder, Json, RawExtension, TypeMeta};
pub use rep::{Bytes, Emb, Handle, IntoIter, List, Map, Shared, SlotMut, StaticDefault, Str};
pub use scheme::Scheme;
pub use status::BareResponse;
pub use strict::{StrictError, StrictErrors, decode_strict, unknown_fields};
pub use time::*;
pub use unstructured::*;
pub use watch::{Bookmark, INITIAL_EVENTS_END, Known, WatchDecoder, WatchEvent, put_watch_frame};

/// What macros of this project expand to. Not for people.
#[doc(hidden)]
pub mod __private {
    #[cfg(feature = "schemars")]
    pub use schemars::{JsonSchema, Schema, SchemaGenerator};
    pub use serde::{Deserialize, Deserializer, Serialize, Serializer};
    pub use serde_json;
}
