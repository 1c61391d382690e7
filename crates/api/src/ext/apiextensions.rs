//! The three places of a JSON schema where one of two forms may stand: counterpart of
//! `apiextensions/v1/marshal.go`. In protobuf they are ordinary messages with both forms as
//! fields; in JSON the value tells which form it is.

use std::any::Any;

use pintle_apimachinery::reflect::*;
use pintle_apimachinery::{List, Shared, Str, leaf_desc, message};

/// What the three have in common as leaves; `json_get` and `json_put` are their own.
macro_rules! union_leaf {
    ($type:ident, $form:ident, $desc:ident, $first:ident $second:ident, $zero:expr) => {
        fn leaf_desc(&self) -> &'static LeafDesc {
            &$desc
        }
        fn pb_merge(
            &mut self,
            body: &[u8],
            cx: &mut Decoder,
            _: u32,
        ) -> Result<(), Box<DecodeError>> {
            let $type { $first, $second } = std::mem::take(self);
            let mut form = $form { $first, $second };
            let done = pb_merge(&mut form, body, cx);
            let $form { $first, $second } = form;
            *self = $type { $first, $second };
            done
        }
        fn pb_put(&self, w: &mut Writer) {
            // Cloning counts two references.
            let $type { $first, $second } = self.clone();
            pb_put(&$form { $first, $second }, w);
        }
        fn is_zero(&self) -> bool {
            let zero: fn(&$type) -> bool = $zero;
            zero(self)
        }
        fn leaf_eq(&self, other: &dyn Leaf) -> bool {
            (other as &dyn Any).downcast_ref::<$type>().is_some_and(|other| self == other)
        }
    };
}

macro_rules! union_rest {
    ($($type:ident $desc:ident)*) => { $(
        leaf_desc!(
            /// Descriptor of the leaf. OpenAPI says nothing of what is inside a schema.
            pub(crate) $desc $type of r#"{"x-kubernetes-preserve-unknown-fields":true}"#
        );
        impl From<JSONSchemaProps> for $type {
            fn from(schema: JSONSchemaProps) -> Self {
                $type { schema: Some(Shared::new(schema)), ..Self::default() }
            }
        }
    )* };
}

macro_rules! schema_unions {
    ($module:ident, $feature:literal) => {
        #[cfg(feature = $feature)]
        pub(crate) mod $module {
            use super::*;
            use crate::generated::$module::JSONSchemaProps;

            /// A schema, or whether anything is allowed at all: `additionalProperties` and
            /// `additionalItems`.
            #[derive(Clone, Debug, Default, PartialEq)]
            pub struct JSONSchemaPropsOrBool {
                /// Whether anything is allowed; true as well when a schema was read.
                pub allows: bool,
                /// The schema, when that is the form.
                pub schema: Option<Shared<JSONSchemaProps>>,
            }

            /// A schema, or one for each item: `items`.
            #[derive(Clone, Debug, Default, PartialEq)]
            pub struct JSONSchemaPropsOrArray {
                /// The schema of every item, when that is the form.
                pub schema: Option<Shared<JSONSchemaProps>>,
                /// Schemas by position, when that is the form.
                pub json_schemas: List<JSONSchemaProps>,
            }

            /// A schema, or the names of other properties: `dependencies`.
            #[derive(Clone, Debug, Default, PartialEq)]
            pub struct JSONSchemaPropsOrStringArray {
                /// The schema, when that is the form.
                pub schema: Option<Shared<JSONSchemaProps>>,
                /// Names of properties, when that is the form.
                pub property: List<Str>,
            }

            // The protobuf forms of the three: messages with both forms as fields.
            message! {
                struct BoolForm BOOL_FORM "JSONSchemaPropsOrBool" [255, 0, 1] Form::Part;
                allows: bool = "allows" 1;
                schema: Option<Shared<JSONSchemaProps>> = "schema" 2;
            }
            message! {
                struct ArrayForm ARRAY_FORM "JSONSchemaPropsOrArray" [255, 0, 1] Form::Part;
                schema: Option<Shared<JSONSchemaProps>> = "schema" 1;
                json_schemas: List<JSONSchemaProps> = "jsonSchemas" 2;
            }
            message! {
                struct NamesForm NAMES_FORM "JSONSchemaPropsOrStringArray" [255, 0, 1] Form::Part;
                schema: Option<Shared<JSONSchemaProps>> = "schema" 1;
                property: List<Str> = "property" 2;
            }
            union_rest! {
                JSONSchemaPropsOrBool JSON_SCHEMA_PROPS_OR_BOOL
                JSONSchemaPropsOrArray JSON_SCHEMA_PROPS_OR_ARRAY
                JSONSchemaPropsOrStringArray JSON_SCHEMA_PROPS_OR_STRING_ARRAY
            }

            impl Leaf for JSONSchemaPropsOrBool {
                union_leaf!(
                    JSONSchemaPropsOrBool,
                    BoolForm,
                    JSON_SCHEMA_PROPS_OR_BOOL,
                    allows schema,
                    |v| !v.allows && v.schema.is_none()
                );
                fn json_get(
                    &mut self,
                    p: &mut Parser<'_>,
                    cx: &mut Decoder,
                    _: u32,
                ) -> Result<(), Box<DecodeError>> {
                    *self = Self::default();
                    match p.peek()? {
                        b'{' => {
                            self.allows = true;
                            json_merge(&mut **self.schema.get_or_insert_default(), p, cx)
                        }
                        b'n' => p.null().map(|_| ()),
                        _ => {
                            self.allows = p.bool()?;
                            Ok(())
                        }
                    }
                }
                fn json_put(&self, out: &mut Vec<u8>) {
                    match &self.schema {
                        Some(schema) => json_put(&**schema, out),
                        None => put_bool(out, self.allows),
                    }
                }
            }

            impl Leaf for JSONSchemaPropsOrArray {
                union_leaf!(
                    JSONSchemaPropsOrArray,
                    ArrayForm,
                    JSON_SCHEMA_PROPS_OR_ARRAY,
                    schema json_schemas,
                    |v| v.schema.is_none() && v.json_schemas.is_empty()
                );
                fn json_get(
                    &mut self,
                    p: &mut Parser<'_>,
                    cx: &mut Decoder,
                    _: u32,
                ) -> Result<(), Box<DecodeError>> {
                    *self = Self::default();
                    if p.peek()? == b'[' {
                        let mut more = p.open(b'[', b']')?;
                        while more {
                            let mut schema = JSONSchemaProps::default();
                            json_merge(&mut schema, p, cx)?;
                            self.json_schemas.push(schema);
                            more = p.next(b']')?;
                        }
                        return Ok(());
                    }
                    if p.peek()? != b'{' {
                        // As in Go, anything else is neither form.
                        return p.skip();
                    }
                    json_merge(&mut **self.schema.get_or_insert_default(), p, cx)
                }
                fn json_put(&self, out: &mut Vec<u8>) {
                    match &self.schema {
                        _ if !self.json_schemas.is_empty() => {
                            put_array(out, self.json_schemas.iter(), |out, s| json_put(s, out));
                        }
                        Some(schema) => json_put(&**schema, out),
                        None => out.extend_from_slice(b"null"),
                    }
                }
            }

            impl Leaf for JSONSchemaPropsOrStringArray {
                union_leaf!(
                    JSONSchemaPropsOrStringArray,
                    NamesForm,
                    JSON_SCHEMA_PROPS_OR_STRING_ARRAY,
                    schema property,
                    |v| v.schema.is_none() && v.property.is_empty()
                );
                fn json_get(
                    &mut self,
                    p: &mut Parser<'_>,
                    cx: &mut Decoder,
                    _: u32,
                ) -> Result<(), Box<DecodeError>> {
                    *self = Self::default();
                    if p.peek()? == b'[' {
                        let mut more = p.open(b'[', b']')?;
                        while more {
                            // As in Go, null is the empty name.
                            let name = if p.null()? { Str::default() } else { p.string()?.into() };
                            self.property.push(name);
                            more = p.next(b']')?;
                        }
                        return Ok(());
                    }
                    if p.peek()? != b'{' {
                        // As in Go, anything else is neither form.
                        return p.skip();
                    }
                    json_merge(&mut **self.schema.get_or_insert_default(), p, cx)
                }
                fn json_put(&self, out: &mut Vec<u8>) {
                    match &self.schema {
                        _ if !self.property.is_empty() => {
                            put_array(out, self.property.iter(), |out, s| put_str(out, s));
                        }
                        Some(schema) => json_put(&**schema, out),
                        None => out.extend_from_slice(b"null"),
                    }
                }
            }
        }
    };
}

schema_unions!(apiextensions_v1, "apiextensions");
schema_unions!(apiextensions_v1beta1, "apiextensions-v1beta1");

/// Writes `items` as a JSON array.
fn put_array<'a, T: 'a>(
    out: &mut Vec<u8>,
    items: impl Iterator<Item = &'a T>,
    put: impl Fn(&mut Vec<u8>, &T),
) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        put(out, item);
    }
    out.push(b']');
}

#[cfg(all(test, feature = "apiextensions"))]
mod tests {
    use crate::apiextensions_v1::JSONSchemaProps;
    use pintle_apimachinery::reflect::{Writer, json_decode, json_put, pb_decode, pb_put};
    use pintle_apimachinery::{Codec, Decoder, Format};

    /// JSON that comes back as it went in, directly and by way of protobuf.
    #[track_caller]
    fn check(text: &str) {
        check_to(text, text);
    }

    #[track_caller]
    fn check_to(text: &str, expect: &str) {
        let cx = &mut Decoder::new();
        let read: JSONSchemaProps = json_decode(text, cx).unwrap();
        let mut out = Vec::new();
        json_put(&read, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expect);
        let mut w = Writer::new();
        pb_put(&read, &mut w);
        let again: JSONSchemaProps = pb_decode(w.as_slice(), cx).unwrap();
        assert_eq!(again, read);
    }

    #[test]
    fn either_form() {
        check(r#"{"additionalProperties":true}"#);
        check(r#"{"additionalProperties":false}"#);
        check(r#"{"additionalProperties":{"type":"string"}}"#);
        check(r#"{"items":{"type":"string"}}"#);
        check(r#"{"items":[{"type":"string"},{"items":{"type":"integer"}}]}"#);
        check(r#"{"dependencies":{"a":["b","c"],"d":{"type":"object"}}}"#);
        check_to(r#"{"items":null}"#, "{}");
    }

    #[test]
    fn wrong_types_are_errors() {
        // Items that are neither a schema nor a list of them are none to Go, and no error.
        for text in [r#"{"additionalProperties":"yes"}"#, r#"{"dependencies":{"a":[7]}}"#] {
            let crd =
                format!(r#"{{"spec":{{"versions":[{{"schema":{{"openAPIV3Schema":{text}}}}}]}}}}"#);
            let kind = crate::apiextensions_v1::CustomResourceDefinition::decode(
                crd.as_bytes(),
                Format::Json,
                &mut Decoder::new(),
            );
            assert!(kind.is_err(), "{text}");
        }
    }

    #[test]
    fn nesting_through_the_unions_is_bounded() {
        // A schema whose additionalProperties (30) hold a schema (2) whose ..., in protobuf.
        let mut w = Writer::new();
        let end = w.mark();
        for _ in 0..100_000 {
            w.close(2, end);
            w.close(30, end);
        }
        let read = pb_decode::<JSONSchemaProps>(w.as_slice(), &mut Decoder::new());
        let error = read.unwrap_err().to_string();
        assert!(error.contains("levels deep"), "{error}");
    }
}
