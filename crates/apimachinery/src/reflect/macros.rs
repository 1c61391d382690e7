//! What generated files say in one line per type.

/// What every described type is, by the reflective surface.
#[doc(hidden)]
#[macro_export]
macro_rules! described {
    ($type:ident) => {
        impl ::std::clone::Clone for $type {
            #[inline]
            fn clone(&self) -> Self {
                $crate::reflect::clone_of(self)
            }
        }
        impl ::std::default::Default for $type {
            #[inline]
            fn default() -> Self {
                $crate::reflect::default_of()
            }
        }
        impl $crate::DeepCopy for $type {
            #[inline]
            fn deep_copy(&self) -> Self {
                $crate::reflect::clone_of(self)
            }
        }
        impl ::std::cmp::PartialEq for $type {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                $crate::reflect::eq($crate::reflect::erase(self), $crate::reflect::erase(other))
            }
        }
        impl ::std::fmt::Debug for $type {
            #[inline]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::reflect::debug($crate::reflect::erase(self), f)
            }
        }
        impl $crate::__private::Serialize for $type {
            fn serialize<S: $crate::__private::Serializer>(
                &self,
                s: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::reflect::serialize($crate::reflect::erase(self), s)
            }
        }
        impl<'de> $crate::__private::Deserialize<'de> for $type {
            fn deserialize<D: $crate::__private::Deserializer<'de>>(
                d: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::reflect::deserialize_as(d)
            }
        }
        $crate::inline_schema!($type);
    };
}

/// The JSON schema of what a table describes: nothing without the feature `schemars` of this crate.
#[cfg(not(feature = "schemars"))]
#[doc(hidden)]
#[macro_export]
macro_rules! inline_schema {
    ($type:ident) => {};
}

/// The JSON schema of what a table describes.
#[cfg(feature = "schemars")]
#[doc(hidden)]
#[macro_export]
macro_rules! inline_schema {
    ($type:ident) => {
        impl $crate::__private::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                ::std::stringify!($type).into()
            }
            #[inline]
            fn inline_schema() -> bool {
                true
            }
            #[inline]
            fn json_schema(
                _: &mut $crate::__private::SchemaGenerator,
            ) -> $crate::__private::Schema {
                $crate::reflect::json_schema(&<$type as $crate::reflect::Reflect>::TYPE)
            }
        }
    };
}

/// A type that is a kind: its codec, by the reflective surface.
#[doc(hidden)]
#[macro_export]
macro_rules! kind {
    ($type:ident, $group:literal, $version:literal, $kind:literal) => {
        impl $crate::Kind for $type {
            const GROUP: &'static str = $group;
            const VERSION: &'static str = $version;
            const KIND: &'static str = $kind;
        }
        impl $crate::Codec for $type {
            const PROTOBUF: bool = true;
            #[inline]
            fn decode(
                bytes: &[u8],
                format: $crate::Format,
                cx: &mut $crate::Decoder,
            ) -> ::std::result::Result<Self, $crate::Error> {
                $crate::codec::decode_message(bytes, format, cx)
            }
            #[inline]
            fn decode_item(
                bytes: &[u8],
                format: $crate::Format,
                cx: &mut $crate::Decoder,
            ) -> ::std::result::Result<Self, $crate::Error> {
                $crate::codec::decode_message_item(bytes, format, cx)
            }
            #[inline]
            fn encode(
                &self,
                format: $crate::Format,
                out: &mut ::std::vec::Vec<u8>,
            ) -> ::std::result::Result<(), $crate::Error> {
                $crate::codec::encode_message($crate::reflect::erase(self), format, out)
            }
            #[inline]
            fn reuse(&mut self, old: &Self) {
                $crate::reflect::reuse(
                    $crate::reflect::erase_mut(self),
                    $crate::reflect::erase(old),
                )
            }
        }
        impl $crate::AnyKind for $type {
            #[inline]
            fn gvk(&self) -> $crate::GroupVersionKind {
                <$type as $crate::Kind>::gvk_of()
            }
            #[inline]
            fn as_any(&self) -> &dyn ::std::any::Any {
                self
            }
            #[inline]
            fn into_any(self: ::std::boxed::Box<Self>) -> ::std::boxed::Box<dyn ::std::any::Any> {
                self
            }
            #[inline]
            fn encode_any(
                &self,
                format: $crate::Format,
                out: &mut ::std::vec::Vec<u8>,
            ) -> ::std::result::Result<(), $crate::Error> {
                $crate::Codec::encode(self, format, out)
            }
            #[inline]
            fn as_message(&self) -> ::std::option::Option<&dyn $crate::reflect::Message> {
                ::std::option::Option::Some($crate::reflect::erase(self))
            }
            #[inline]
            fn as_message_mut(
                &mut self,
            ) -> ::std::option::Option<&mut dyn $crate::reflect::Message> {
                ::std::option::Option::Some($crate::reflect::erase_mut(self))
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
            #[inline]
            fn metadata(&self) -> &$crate::ObjectMeta {
                &self.metadata
            }
            #[inline]
            fn metadata_mut(&mut self) -> &mut $crate::ObjectMeta {
                &mut self.metadata
            }
            #[inline]
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
