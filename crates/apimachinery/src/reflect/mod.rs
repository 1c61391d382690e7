//! The reflective surface: what a generated API type tells about itself, so that every codec and
//! every comparison is written once.
//!
//! A type has a static [`Desc`] (a table of [`Field`]s with JSON name, protobuf number, type, place
//! and the facts that merging and defaulting need) and no code of its own: a `dyn` [`Message`]
//! hands out its fields as references ([`Fields`]) or for writing ([`FieldsMut`]) by looking into
//! the table. Nothing here is unsafe (what is, is in `rep`), and nothing is generated per codec.
//!
//! # Example: the fields of an object that are set
//! ```
//! use pintle_apimachinery::OwnerReference;
//! use pintle_apimachinery::reflect::{FieldRef, erase};
//! let owner = OwnerReference { kind: "Pod".into(), name: "web".into(), ..Default::default() };
//! let message = erase(&owner);
//! let names: Vec<&str> = message.desc().fields.iter().map(|field| field.name).collect();
//! let set = message.fields().iter().zip(names).filter_map(|(value, name)| match value {
//!     FieldRef::Str(text) if !text.is_empty() => Some((name, text.as_str())),
//!     _ => None,
//! });
//! assert_eq!(set.collect::<Vec<_>>(), [("kind", "Pod"), ("name", "web")]);
//! ```
mod compare;
mod convert;
mod debug;
mod decoder;
mod defaults;
mod error;
mod json;
mod leaf;
mod macros;
mod mismatch;
mod parser;
mod protobuf;
mod query;
mod same;
#[cfg(feature = "schemars")]
mod schema;
mod serde_impls;
mod strict;
mod surface;
#[cfg_attr(not(feature = "cbor"), allow(unused))]
pub(crate) mod type_meta;
mod value;
mod wire;
mod writer;

#[doc(hidden)]
pub use crate::rep::{clone_of, default_of, erase, erase_mut};
pub use compare::{eq, reuse};
#[cfg(feature = "cbor")]
pub(crate) use convert::{NO_FIELDS, from_unstructured_exact};
pub use convert::{from_unstructured, to_unstructured};
pub use debug::debug;
pub use decoder::Decoder;
pub(crate) use decoder::hash_bytes;
pub use defaults::apply_defaults;
pub use error::DecodeError;
pub(crate) use json::is_empty;
#[cfg(feature = "cbor")]
pub(crate) use json::is_zero;
pub(crate) use json::json_into;
pub use json::{json_decode, json_merge, json_put, json_put_kind};
pub use leaf::{Json, Leaf, LeafDesc, OptLeafSlot, RawExtension, leaf_eq_as};
pub(crate) use mismatch::kind_mismatch;
pub use mismatch::mismatch;
pub use parser::Parser;
pub(crate) use parser::quote_or_escape;
pub use protobuf::{pb_decode, pb_merge, pb_merge_over, pb_put};
pub use query::to_query;
#[cfg(feature = "schemars")]
pub use schema::json_schema;
pub use serde_impls::{deserialize, deserialize_as, serialize};
pub(crate) use strict::Checker;
pub use strict::strict_json;
pub use surface::*;
#[doc(hidden)]
pub use type_meta::TYPE_META;
pub use type_meta::TypeMeta;
pub(crate) use value::{json_value, json_value_exact, put_any, put_object, put_value};
pub use wire::{Reader, Writer};
pub(crate) use writer::put_serde;
pub use writer::{put_bool, put_f64, put_i64, put_str};

/// Leaf descriptors, for generated tables.
pub mod leaves {
    pub use super::leaf::{
        DURATION, FIELDS_V1, INT_OR_STRING, JSON, MICRO_TIME, QUANTITY, RAW_EXTENSION, TIME,
    };
}

#[cfg(test)]
mod tests;
