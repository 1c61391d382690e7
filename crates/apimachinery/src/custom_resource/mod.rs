//! [`CustomResource`]: kinds that a program brings along, and their definitions. What
//! `derive(CustomResource)` expands to calls in here. Go: the types that controller-gen reads,
//! and `apiextensions.k8s.io/v1`.
mod crd;
mod defaults;
mod object;
mod path;
mod structural;
mod variants;

pub use crd::merge_crds;
pub use structural::preserve_unknown_fields;

use crate::{
    AnyKind, Codec, Decoder, Error, Format, Kind, ListKind, ObjectList, ObjectMeta, Resource,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::fmt::Debug;

/// What a spec or a status must be: an ordinary struct with the usual derives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the spec or status of a custom resource",
    note = "write #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)] on it"
)]
pub trait CustomResourcePart:
    Clone
    + Debug
    + Default
    + PartialEq
    + Serialize
    + DeserializeOwned
    + JsonSchema
    + Send
    + Sync
    + 'static
{
}
impl<T> CustomResourcePart for T where
    T: Clone
        + Debug
        + Default
        + PartialEq
        + Serialize
        + DeserializeOwned
        + JsonSchema
        + Send
        + Sync
        + 'static
{
}

/// A kind that is defined by a CustomResourceDefinition; made by `derive(CustomResource)`.
///
/// It is JSON and YAML on the wire, never protobuf. An absent status is the default status, and a
/// status that equals the default is not written.
pub trait CustomResource: Resource {
    /// Type of `spec`.
    type Spec: CustomResourcePart;
    /// Type of `status`; `()` when there is none.
    type Status: CustomResourcePart;
    /// What the definition says beside the schema.
    const DEFINITION: Definition;

    /// Metadata, spec and status.
    fn parts(&self) -> (&ObjectMeta, &Self::Spec, &Self::Status);
    /// An object of its parts.
    fn from_parts(metadata: ObjectMeta, spec: Self::Spec, status: Self::Status) -> Self;

    /// The CustomResourceDefinition with this version alone, as whatever type can hold it: the
    /// typed one of `apiextensions_v1`, or [`Unstructured`](crate::Unstructured).
    ///
    /// The schema is structural: nothing by reference, enums merged into one object.
    ///
    /// # Errors
    /// A field's type has no structural schema, or a path leads nowhere; the message names the
    /// field and says what to write.
    fn crd<C: Codec>() -> Result<C, Error> {
        crd::from_json(&Self::crd_json()?)
    }
    /// The CustomResourceDefinition as a JSON value.
    ///
    /// # Errors
    /// As [`CustomResource::crd`].
    fn crd_json() -> Result<serde_json::Value, Error> {
        crd::json::<Self>()
    }
    /// The CustomResourceDefinition as a YAML document, for a manifest.
    ///
    /// # Errors
    /// As [`CustomResource::crd`].
    fn crd_yaml() -> Result<String, Error> {
        crate::codec::json_to_yaml(Self::crd_json()?.to_string().as_bytes())
    }
}

/// What a CustomResourceDefinition says of a version beside its schema.
/// Go: `apiextensionsv1.CustomResourceDefinitionSpec`.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Singular name, lower case.
    pub singular: &'static str,
    /// Kind of the list.
    pub list_kind: &'static str,
    /// Abbreviations that kubectl takes.
    pub short_names: &'static [&'static str],
    /// Groups of resources, such as `all`.
    pub categories: &'static [&'static str],
    /// Description of the kind.
    pub description: &'static str,
    /// Annotations of the CustomResourceDefinition.
    pub annotations: &'static [(&'static str, &'static str)],
    /// Whether the server offers the version.
    pub served: bool,
    /// Whether the version is the one that is stored.
    pub storage: bool,
    /// Whether the version is deprecated; the warning that clients get, or empty for the
    /// server's own.
    pub deprecated: Option<&'static str>,
    /// Whether there is a status, and a subresource for it.
    pub status: bool,
    /// The scale subresource.
    pub scale: Option<Scale>,
    /// Columns that kubectl prints.
    pub columns: &'static [Column],
    /// JSON paths of fields that field selectors may name.
    pub selectable_fields: &'static [&'static str],
    /// CEL rules for the whole object.
    pub validations: &'static [Validation],
}

/// The scale subresource: which fields it reads and writes.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// JSON path of the wanted number, under `.spec`.
    pub spec_path: &'static str,
    /// JSON path of the present number, under `.status`.
    pub status_path: &'static str,
    /// JSON path of the label selector in string form; empty for none.
    pub label_selector_path: &'static str,
}

/// A column that kubectl prints.
/// Go: `apiextensionsv1.CustomResourceColumnDefinition`.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Heading.
    pub name: &'static str,
    /// Where the value is.
    pub json_path: &'static str,
    /// `integer`, `number`, `string`, `boolean` or `date`; empty to take the field's own.
    pub type_: &'static str,
    /// OpenAPI format; empty for none.
    pub format: &'static str,
    /// Description; empty for none.
    pub description: &'static str,
    /// 0 is always printed, more only with `-o wide`.
    pub priority: i32,
}

/// A CEL rule.
#[derive(Clone, Copy, Debug)]
pub struct Validation {
    /// The expression.
    pub rule: &'static str,
    /// What is said when it does not hold; empty for none.
    pub message: &'static str,
    /// An expression for what is said; empty for none.
    pub message_expression: &'static str,
    /// `FieldValueInvalid` and its like; empty for none.
    pub reason: &'static str,
    /// JSON path of the field to blame; empty for none.
    pub field_path: &'static str,
}

impl<T: CustomResource> AnyKind for ObjectList<T> {
    fn gvk(&self) -> crate::GroupVersionKind {
        Self::gvk_of()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
    fn encode_any(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
        ObjectList::encode(self, format, out)
    }
}
impl<T: CustomResource> Codec for ObjectList<T> {
    const PROTOBUF: bool = false;
    fn decode(bytes: &[u8], format: Format, cx: &mut Decoder) -> Result<Self, Error> {
        ObjectList::decode(bytes, format, cx)
    }
    fn encode(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
        ObjectList::encode(self, format, out)
    }
}
impl<T: CustomResource> Kind for ObjectList<T> {
    const GROUP: &'static str = T::GROUP;
    const VERSION: &'static str = T::VERSION;
    const KIND: &'static str = T::DEFINITION.list_kind;
}
impl<T: CustomResource> ListKind for ObjectList<T> {
    type Item = T;
}

/// What `derive(CustomResource)` names. Not for people.
#[doc(hidden)]
pub mod __derive {
    pub use super::object::{decode, deserialize, encode, serialize};
    pub use super::{Column, CustomResource, Definition, Scale, Validation};
    pub use crate::{ObjectList, ObjectMeta, Str, custom_resource};
}
