//! What generated files use. Not for people: every name here has a public place of its own.
pub use crate::meta_v1;
pub use crate::reflect::leaves::*;
pub use crate::reflect::{
    Desc, Described, Facts, Field, FieldMut, FieldRef, INLINE, Json, KindFacts, Leaf, LeafDesc,
    ListType, Message, NO_FACTS, NOJSON, OMITEMPTY, OMITZERO, OptLeafSlot, RawExtension, Stack,
    Type, emb, oob, opt, opt_leaf,
};
pub use crate::{
    Bytes, Duration, Emb, FieldsV1, IntOrString, List, Map, MicroTime, Quantity, Scheme, Shared,
    Str, Time, emb_default, kind, list_kind, message, object, resource,
};
