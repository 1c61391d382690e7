//! What generated files use. Not for people: every name here has a public place of its own.
pub use crate::meta_v1;
pub use crate::reflect::{
    ANY, Facts, Form, INLINE, Json, KindFacts, ListType, NO_FACTS, NOJSON, OMITEMPTY, OMITZERO,
    RawExtension,
};
pub use crate::{
    Bytes, Duration, Emb, FieldsV1, IntOrString, List, Map, MicroTime, Quantity, Scheme, Shared,
    Str, Time, TypeMeta, kind, list_kind, message, object, resource,
};
