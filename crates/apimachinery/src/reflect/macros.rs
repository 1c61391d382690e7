//! What generated files say in one line per type.

/// `PartialEq`, `Debug`, serde, JSON schema and [`Described`](crate::reflect::Described) of a
/// generated type.
#[doc(hidden)]
#[macro_export]
macro_rules! message {
    ($type:ident, $desc:ident) => {
        impl $crate::reflect::Described for $type {
            fn described() -> &'static $crate::reflect::Desc {
                &$desc
            }
        }
        impl $crate::DeepCopy for $type {
            #[inline]
            fn deep_copy(&self) -> Self {
                ::std::clone::Clone::clone(self)
            }
        }
        impl ::std::cmp::PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                $crate::reflect::eq(self, other)
            }
        }
        impl ::std::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::reflect::debug(self, f)
            }
        }
        impl $crate::__private::Serialize for $type {
            fn serialize<S: $crate::__private::Serializer>(
                &self,
                s: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::reflect::serialize(self, s)
            }
        }
        impl<'de> $crate::__private::Deserialize<'de> for $type {
            fn deserialize<D: $crate::__private::Deserializer<'de>>(
                d: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut m = <$type as ::std::default::Default>::default();
                $crate::reflect::deserialize(&mut m, d)?;
                ::std::result::Result::Ok(m)
            }
        }
        impl $crate::__private::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::stringify!($type).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(
                g: &mut $crate::__private::SchemaGenerator,
            ) -> $crate::__private::Schema {
                $crate::reflect::json_schema(&$desc, g)
            }
        }
    };
}

/// The shared default of a type that is embedded through [`Emb`](crate::Emb).
#[doc(hidden)]
#[macro_export]
macro_rules! emb_default {
    ($type:ident) => {
        impl $crate::StaticDefault for $type {
            fn static_default() -> &'static Self {
                static DEFAULT: ::std::sync::LazyLock<$type> =
                    ::std::sync::LazyLock::new(<$type as ::std::default::Default>::default);
                &DEFAULT
            }
        }
    };
}

/// A type that is a kind: its codec, by the reflective surface.
#[doc(hidden)]
#[macro_export]
macro_rules! kind {
    ($type:ident, $desc:ident, $group:literal, $version:literal, $kind:literal) => {
        impl $crate::Kind for $type {
            const GROUP: &'static str = $group;
            const VERSION: &'static str = $version;
            const KIND: &'static str = $kind;
        }
        impl $crate::Codec for $type {
            const PROTOBUF: bool = true;
            fn decode(
                bytes: &[u8],
                format: $crate::Format,
                cx: &mut $crate::Decoder,
            ) -> ::std::result::Result<Self, $crate::Error> {
                $crate::codec::decode_message(bytes, format, cx)
            }
            fn decode_item(
                bytes: &[u8],
                format: $crate::Format,
                cx: &mut $crate::Decoder,
            ) -> ::std::result::Result<Self, $crate::Error> {
                $crate::codec::decode_message_item(bytes, format, cx)
            }
            fn encode(
                &self,
                format: $crate::Format,
                out: &mut ::std::vec::Vec<u8>,
            ) -> ::std::result::Result<(), $crate::Error> {
                $crate::codec::encode_message(self, format, out)
            }
            fn reuse(&mut self, old: &Self) {
                $crate::reflect::reuse(self, old)
            }
        }
        impl $crate::AnyKind for $type {
            fn gvk(&self) -> $crate::GroupVersionKind {
                <$type as $crate::Kind>::gvk_of()
            }
            fn as_any(&self) -> &dyn ::std::any::Any {
                self
            }
            fn into_any(self: ::std::boxed::Box<Self>) -> ::std::boxed::Box<dyn ::std::any::Any> {
                self
            }
            fn encode_any(
                &self,
                format: $crate::Format,
                out: &mut ::std::vec::Vec<u8>,
            ) -> ::std::result::Result<(), $crate::Error> {
                $crate::Codec::encode(self, format, out)
            }
            fn as_message(&self) -> ::std::option::Option<&dyn $crate::reflect::Message> {
                ::std::option::Option::Some(self)
            }
            fn as_message_mut(
                &mut self,
            ) -> ::std::option::Option<&mut dyn $crate::reflect::Message> {
                ::std::option::Option::Some(self)
            }
        }
    };
}

/// A kind with object metadata.
#[doc(hidden)]
#[macro_export]
macro_rules! object {
    ($type:ident) => {
        impl $crate::Object for $type {
            fn metadata(&self) -> &$crate::ObjectMeta {
                &self.metadata
            }
            fn metadata_mut(&mut self) -> &mut $crate::ObjectMeta {
                &mut self.metadata
            }
            fn clone_object(&self) -> ::std::boxed::Box<dyn $crate::Object> {
                ::std::boxed::Box::new(self.clone())
            }
        }
    };
}

/// A kind that a server serves under a name.
#[doc(hidden)]
#[macro_export]
macro_rules! resource {
    ($type:ident, $plural:literal, $scope:ident) => {
        impl $crate::Resource for $type {
            const PLURAL: &'static str = $plural;
            type Scope = $crate::$scope;
        }
    };
}

/// A list kind and the kind of its items.
#[doc(hidden)]
#[macro_export]
macro_rules! list_kind {
    ($list:ident, $item:ident) => {
        impl $crate::ListKind for $list {
            type Item = $item;
        }
    };
}
