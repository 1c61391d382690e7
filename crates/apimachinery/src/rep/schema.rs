//! JSON schema for the primitives, so that custom resources may use them.
use super::{Bytes, Emb, List, Map, Shared, Str};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;

macro_rules! schema_as {
    ($(($($generic:ident)?) $type:ty => $other:ty;)*) => { $(
        impl$(<$generic: JsonSchema>)? JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> { <$other>::schema_name() }
            fn schema_id() -> Cow<'static, str> { <$other>::schema_id() }
            fn inline_schema() -> bool { <$other>::inline_schema() }
            fn json_schema(g: &mut SchemaGenerator) -> Schema { <$other>::json_schema(g) }
        }
    )* };
}
schema_as! {
    () Str => String;
    (T) List<T> => Vec<T>;
    (T) Shared<T> => T;
    (T) Emb<T> => T;
    (T) Map<T> => std::collections::BTreeMap<String, T>;
}
impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "string", "format": "byte"})
    }
}
