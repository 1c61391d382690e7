//! Tests of conversions through the hub, and what they keep.
use super::*;
use crate::meta_v1::{GetOptions, PartialObjectMetadata, Status, TableOptions};
use crate::{CodecFactory, ObjectMeta};

/// A kind of its own for tests: metadata, and members by name.
macro_rules! kind {
    ($name:ident, $version:literal) => {
        #[derive(Clone, Debug, Default, PartialEq)]
        struct $name(Unstructured);
        impl AnyKind for $name {
            fn gvk(&self) -> GroupVersionKind {
                <$name as crate::Kind>::gvk_of()
            }
            fn as_any(&self) -> &dyn Any {
                self
            }
            fn into_any(self: Box<Self>) -> Box<dyn Any> {
                self
            }
            fn encode_any(&self, format: Format, out: &mut Vec<u8>) -> Result<(), Error> {
                Codec::encode(self, format, out)
            }
        }
        impl Object for $name {
            fn metadata(&self) -> &ObjectMeta {
                &self.0.metadata
            }
            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                &mut self.0.metadata
            }
            fn clone_object(&self) -> Box<dyn Object> {
                Box::new(self.clone())
            }
        }
        impl Codec for $name {
            const PROTOBUF: bool = false;
            fn decode(b: &[u8], f: Format, cx: &mut Decoder) -> Result<Self, Error> {
                let mut u = Unstructured::decode_item(b, f, cx)?;
                u.kind = "Foo".into();
                u.api_version = concat!("example.com/", $version).into();
                Ok($name(u))
            }
            fn encode(&self, f: Format, out: &mut Vec<u8>) -> Result<(), Error> {
                self.0.encode(f, out)
            }
        }
        impl crate::Kind for $name {
            const GROUP: &'static str = "example.com";
            const VERSION: &'static str = $version;
            const KIND: &'static str = "Foo";
        }
        impl $name {
            fn of(fields: Value) -> Self {
                let mut text = fields;
                text["metadata"]["name"] = "a".into();
                $name::decode(text.to_string().as_bytes(), Format::Json, &mut Decoder::new())
                    .unwrap()
            }
        }
    };
}
kind!(Hub, "__internal");
kind!(V1, "v1");
kind!(V2, "v2");

fn only(u: &Unstructured, names: &[&str]) -> Value {
    let mut o = u.to_object();
    o.retain(|k, _| names.contains(&k.as_str()) || k == "metadata");
    o.into()
}
fn with_metadata(v: Value) -> Value {
    v
}

/// v2 has all that the hub has; v1 has no `b`, and of the elements of `list` no `y`.
fn scheme() -> Scheme {
    let mut s = Scheme::new();
    s.register::<Hub>().register::<V1>().register::<V2>();
    s.register_meta();
    s.add_conversion(|h: &Hub| Ok(V2::of(only(&h.0, &["a", "b", "list"]))));
    s.add_conversion(|v: &V2| Ok(Hub::of(only(&v.0, &["a", "b", "list"]))));
    s.add_lossless_conversion(
        |h: &Hub| {
            let mut o = only(&h.0, &["a", "list"]);
            if let Some(list) = o.get_mut("list").and_then(Value::as_array_mut) {
                list.iter_mut().for_each(|e| drop(e.as_object_mut().unwrap().shift_remove("y")));
            }
            Ok(V1::of(o))
        },
        |v: &V1| Ok(Hub::of(with_metadata(only(&v.0, &["a", "list"])))),
    );
    s
}

#[test]
fn any_pair_is_two_steps_away_and_nothing_is_lost() {
    let s = scheme();
    let v2 =
        V2::of(serde_json::json!({"a": 1, "b": {"c": 2}, "list": [{"x": 1, "y": 2}, {"x": 3}]}));
    let mut v1: V1 = s.convert(&v2).unwrap();
    assert_eq!(v1.0.get("b"), None);
    assert!(v1.metadata().annotations.contains_key(CONVERSION_DATA));
    let back: V2 = s.convert(&v1).unwrap();
    assert_eq!(back, v2);

    // What is changed between wins; what has no field there comes back.
    v1.0.set("a", 5).unwrap();
    v1.0.fields["list"][0]["x"] = 7.into();
    v1.metadata_mut().labels.insert("l".into(), "m".into());
    let back: V2 = s.convert(&v1).unwrap();
    let fields = only(&back.0, &["a", "b", "list"]);
    assert_eq!(fields["a"], 5);
    assert_eq!(fields["b"]["c"], 2);
    assert_eq!(fields["list"], serde_json::json!([{"x": 7, "y": 2}, {"x": 3}]));
    assert_eq!(back.metadata().labels["l"], "m");
    assert!(!back.metadata().annotations.contains_key(CONVERSION_DATA));

    // Nothing to keep, no annotation; and somebody's nonsense does no harm.
    let mut plain: V1 = s.convert(&V2::of(serde_json::json!({"a": 1}))).unwrap();
    assert!(plain.metadata().annotations.is_empty());
    plain.metadata_mut().annotations.insert(CONVERSION_DATA.into(), "x".into());
    assert_eq!(s.convert::<V2>(&plain).unwrap(), V2::of(serde_json::json!({"a": 1})));
}

#[test]
fn unknown_pairs_are_named() {
    let e = scheme().convert::<GetOptions>(&V1::default()).unwrap_err();
    assert!(e.is_not_registered());
    assert!(e.to_string().starts_with("converting example.com/v1, Kind=Foo to "), "{e}");
    assert!(e.to_string().ends_with("GetOptions: unknown conversion"), "{e}");
}

#[test]
fn versions_are_chosen_in_order() {
    let s = scheme();
    let gv = |v: &'static str| GroupVersion::from_static("example.com", v);
    let to = |versions: &[GroupVersion]| {
        let v2 = Box::new(V2::of(serde_json::json!({"a": 1})));
        s.convert_to_version(v2, versions).map(|o| o.gvk().to_string())
    };
    assert_eq!(to(&[gv("v1")]).unwrap(), "example.com/v1, Kind=Foo");
    assert_eq!(to(&[gv("v3"), gv("__internal")]).unwrap(), "example.com/__internal, Kind=Foo");
    assert_eq!(to(&[gv("v1"), gv("v2")]).unwrap(), "example.com/v2, Kind=Foo");
    assert_eq!(
        to(&[gv("v3")]).unwrap_err().to_string(),
        "example.com/v2, Kind=Foo is not suitable for converting to \"example.com/v3\" in this scheme"
    );
    let status = s.convert_to_version(Box::new(Status::default()), &[gv("v1")]).unwrap();
    assert_eq!(status.gvk().kind, "Status");
    let u = Unstructured::from_typed(&V2::of(serde_json::json!({"a": 1, "b": 2}))).unwrap();
    let v1 = s.convert_to_version(Box::new(u), &[gv("v1")]).unwrap();
    assert!(v1.as_any().is::<V1>());
}

#[test]
fn a_factory_decodes_for_a_version_and_encodes_for_another() {
    let mut s = scheme();
    s.add_defaulting(|v: &mut V2| {
        v.0.fields.entry("a").or_insert(9.into());
    });
    let codecs = CodecFactory::new(s).strict();
    let gv = |v: &'static str| GroupVersion::from_static("example.com", v);
    let body = b"kind: Foo\napiVersion: example.com/v2\nb: 1\nb: 1\n";
    let decoded = codecs.decode_for(body, &[gv("__internal")]).unwrap();
    assert_eq!(decoded.kind.version, "v2");
    assert_eq!(
        decoded.strict.to_string(),
        "strict decoding error: yaml: unmarshal errors:\n  line 4: key \"b\" already set in map"
    );
    let hub = decoded.object.as_any().downcast_ref::<Hub>().unwrap();
    assert_eq!(hub.0.fields["a"], 9);
    let mut out = Vec::new();
    codecs.encode_for(decoded.object, &[gv("v1")], Format::Json, &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains(r#""apiVersion":"example.com/v1""#));

    let fails = |body: &[u8]| codecs.deserialize(body).unwrap_err().to_string();
    assert_eq!(fails(b"{}"), "Object 'Kind' is missing");
    assert_eq!(fails(br#"{"kind":"Foo"}"#), "Object 'apiVersion' is missing");
    assert_eq!(
        fails(br#"{"kind":"Foo","apiVersion":"example.com/v9"}"#),
        "no kind \"Foo\" is registered for version \"example.com/v9\" in this scheme"
    );
    let default = GroupVersionKind::from_static("example.com", "v1", "Foo");
    let d = codecs.deserialize_as(b"{}", Format::Json, Some(&default)).unwrap();
    assert!(d.object.as_any().is::<V1>());
    let untyped = codecs.clone().with_unstructured();
    let d = untyped.deserialize(br#"{"kind":"BarList","apiVersion":"x/v1","items":[]}"#).unwrap();
    assert!(d.object.as_any().is::<crate::UnstructuredList>());
}

#[test]
fn schemes_know_versions_and_names() {
    let mut s = scheme();
    let gv = |v: &'static str| GroupVersion::from_static("example.com", v);
    assert_eq!(s.versions_of_group("example.com"), [gv("v1"), gv("v2")]);
    s.set_version_priority(&[gv("v2")]).unwrap();
    assert_eq!(s.versions_of_group("example.com"), [gv("v2"), gv("v1")]);
    assert_eq!(s.preferred_versions()[0], gv("v2"));
    assert!(s.has_group("example.com") && !s.has_version(&gv("v3")));
    let e = s.set_version_priority(&[gv("__internal")]).unwrap_err();
    assert_eq!(e.to_string(), "internal versions cannot be prioritized: example.com/__internal");
    let other = GroupVersion::from_static("b", "v1");
    assert_eq!(
        s.set_version_priority(&[gv("v1"), other]).unwrap_err().to_string(),
        "must register versions for exactly one group: b, example.com"
    );
    s.try_register_as::<TableOptions>(GroupVersionKind::from_static("b", "v1", "TableOptions"))
        .unwrap();
    assert_eq!(s.kinds_of::<TableOptions>().len(), 2);
    assert!(s.try_register_as::<Status>(V1::default().gvk()).is_err());
    assert_eq!(s.is_unversioned(&Status::default()), Some(true));
    assert_eq!(s.is_unversioned(&V1::default()), Some(false));
    assert_eq!(s.is_unversioned(&Unstructured::default()), None);
    let status = s.new_object(&GroupVersionKind::from_static("any", "v7", "Status")).unwrap();
    assert!(status.as_any().is::<Status>());
    assert!(s.object_kinds(&PartialObjectMetadata::default()).is_ok());
    let _ = <PartialObjectMetadata as crate::Kind>::gvk_of();
}
