//! Tests of the surface's codecs on meta types; every built-in kind is compared with Go by
//! `cargo xtask conformance fixtures`.
use super::*;
use crate::meta_v1::{PartialObjectMetadata, Status};
use crate::{Codec, Format, ObjectMeta};
use std::sync::Arc;

const META: &str = r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"web","namespace":"default","uid":"u-1","resourceVersion":"12","generation":3,"creationTimestamp":"2026-07-23T07:07:48Z","labels":{"app":"web","tier":"front"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-5d","uid":"u-0","controller":true}],"finalizers":["a/b"],"managedFields":[{"manager":"kubectl","operation":"Update","apiVersion":"v1","time":"2026-07-23T07:07:48Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:app":{}}}}}]}}"#;

fn meta() -> PartialObjectMetadata {
    Codec::decode(META.as_bytes(), Format::Json, &mut Decoder::new()).unwrap()
}

fn encoded(m: &PartialObjectMetadata, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    m.encode(format, &mut out).unwrap();
    out
}

#[test]
fn json_round_trip_is_exact() {
    assert_eq!(String::from_utf8(encoded(&meta(), Format::Json)).unwrap(), META);
}

#[test]
fn every_format_holds_the_same() {
    for format in [Format::Json, Format::Yaml, Format::Protobuf] {
        let bytes = encoded(&meta(), format);
        let back = PartialObjectMetadata::decode(&bytes, format, &mut Decoder::new()).unwrap();
        assert_eq!(back, meta(), "{format:?}");
        let shared = &mut Decoder::interning();
        for _ in 0..3 {
            assert_eq!(PartialObjectMetadata::decode(&bytes, format, shared).unwrap(), meta());
        }
    }
}

#[test]
fn interning_shares_equal_parts_between_objects() {
    for format in [Format::Json, Format::Protobuf] {
        let bytes = encoded(&meta(), format);
        let cx = &mut Decoder::interning();
        let a = PartialObjectMetadata::decode(&bytes, format, cx).unwrap();
        let mut b = PartialObjectMetadata::decode(&bytes, format, cx).unwrap();
        assert!(a.metadata.labels.ptr_eq(&b.metadata.labels));
        assert!(a.metadata.owner_references.ptr_eq(&b.metadata.owner_references));
        assert!(a.metadata.uid.is_empty() || a.metadata.namespace.ptr_eq(&b.metadata.namespace));
        b.metadata.labels.insert("app".into(), "other".into());
        assert_eq!(a.metadata.labels["app"], "web");
        let c = PartialObjectMetadata::decode(&bytes, format, cx).unwrap();
        assert_eq!(c.metadata.labels["app"], "web", "the table is not written through");
    }
}

#[test]
fn equal_bytes_of_different_fields_are_never_mixed_up() {
    let text = r#"{"metadata":{"labels":{"k":"v"},"annotations":{"k":"v"},"finalizers":["x"]}}"#;
    let cx = &mut Decoder::interning();
    for _ in 0..3 {
        let m = PartialObjectMetadata::decode(text.as_bytes(), Format::Json, cx).unwrap();
        assert_eq!(m.metadata.labels, m.metadata.annotations);
        assert_eq!(m.metadata.finalizers[..], ["x"]);
    }
}

#[test]
fn reuse_grafts_what_did_not_change() {
    let old = meta();
    let mut new = meta();
    new.metadata.resource_version = "13".into();
    new.metadata.labels.insert("new".into(), "yes".into());
    let expect = new.clone();
    assert!(!new.metadata.owner_references.ptr_eq(&old.metadata.owner_references));
    new.reuse(&old);
    assert_eq!(new, expect);
    assert!(new.metadata.owner_references.ptr_eq(&old.metadata.owner_references));
    assert!(new.metadata.finalizers.ptr_eq(&old.metadata.finalizers));
    assert!(!new.metadata.labels.ptr_eq(&old.metadata.labels));
    assert_ne!(new, old);
}

#[test]
fn decoding_over_the_version_before_shares_what_did_not_change() {
    for format in [Format::Json, Format::Protobuf] {
        let old = Arc::new(meta());
        let mut changed = meta();
        changed.metadata.resource_version = "13".into();
        changed.metadata.labels.insert("new".into(), "yes".into());
        let cx = &mut Decoder::new();
        let new: PartialObjectMetadata =
            cx.decode_over(&encoded(&changed, format), format, &old).unwrap();
        assert_eq!(new, changed, "{format:?}");
        let (a, b) = (&new.metadata, &old.metadata);
        assert!(a.owner_references.ptr_eq(&b.owner_references), "{format:?}");
        assert!(a.managed_fields.ptr_eq(&b.managed_fields), "{format:?}");
        assert!(!a.labels.ptr_eq(&b.labels));
        let again = PartialObjectMetadata::decode(&encoded(&old, format), format, cx).unwrap();
        assert!(!again.metadata.finalizers.ptr_eq(&b.finalizers), "the old one is forgotten");
    }
}

/// Whatever the version before was, decoding over it gives what decoding gives.
#[test]
fn decoding_over_any_version_is_decoding() {
    let mut versions = vec![PartialObjectMetadata::default(), meta()];
    let edits: [fn(&mut ObjectMeta); 12] = [
        |m| m.labels.clear(),
        |m| m.labels.insert("tier".into(), "back".into()).map_or((), drop),
        |m| m.labels = Default::default(),
        |m| m.finalizers.push("c/d".into()),
        |m| m.finalizers = Vec::new().into(),
        |m| m.owner_references[0].controller = None,
        |m| m.owner_references[0].name = "other".into(),
        |m| m.owner_references.push(Default::default()),
        |m| m.managed_fields[0].fields_v1 = Default::default(),
        |m| m.managed_fields[0].time = None,
        |m| m.deletion_grace_period_seconds = Some(0),
        |m| m.creation_timestamp = Default::default(),
    ];
    for edit in edits {
        let mut one = meta();
        edit(&mut one.metadata);
        versions.push(one);
    }
    let cx = &mut Decoder::interning();
    for old in &versions {
        let old = Arc::new(old.clone());
        for new in &versions {
            let bytes = encoded(new, Format::Protobuf);
            let over: PartialObjectMetadata =
                cx.decode_over(&bytes, Format::Protobuf, &old).unwrap();
            assert_eq!(encoded(&over, Format::Protobuf), bytes);
            for cut in 0..bytes.len() {
                let whole = PartialObjectMetadata::decode(
                    &bytes[..cut],
                    Format::Protobuf,
                    &mut Decoder::new(),
                );
                let over: Result<PartialObjectMetadata, _> =
                    cx.decode_over(&bytes[..cut], Format::Protobuf, &old);
                match (whole, over) {
                    (Ok(a), Ok(b)) => assert_eq!(a, b),
                    (Err(a), Err(b)) => assert_eq!(a.to_string(), b.to_string()),
                    (a, b) => panic!("{cut}: {a:?} and {b:?}"),
                }
            }
        }
    }
}

#[test]
fn grafting_changes_nothing_that_is_written() {
    let with = |finalizers: &str| {
        let text = format!(r#"{{"metadata":{{"name":"a","finalizers":{finalizers}}}}}"#);
        PartialObjectMetadata::decode(text.as_bytes(), Format::Json, &mut Decoder::new()).unwrap()
    };
    let (nil, empty) = (with("null"), with("[]"));
    assert_eq!(nil, empty);
    let mut new = empty.clone();
    new.reuse(&nil);
    assert!(!new.metadata.finalizers.is_nil());
}

#[test]
fn null_and_missing_are_go_like() {
    let text = r#"{"metadata":{"name":null,"labels":null,"finalizers":[],"deletionTimestamp":null,"creationTimestamp":null,"generation":null}}"#;
    let m =
        PartialObjectMetadata::decode(text.as_bytes(), Format::Json, &mut Decoder::new()).unwrap();
    assert!(m.metadata.labels.is_nil() && !m.metadata.finalizers.is_nil());
    assert_eq!(m.metadata, ObjectMeta::default());
}

#[test]
fn null_after_a_value_takes_it_away() {
    let text =
        r#"{"metadata":{"labels":{"a":"b"},"finalizers":["x"],"labels":null,"finalizers":null}}"#;
    for cx in [&mut Decoder::new(), &mut Decoder::interning()] {
        let m = PartialObjectMetadata::decode(text.as_bytes(), Format::Json, cx).unwrap();
        assert!(m.metadata.labels.is_nil() && m.metadata.finalizers.is_nil());
    }
}

#[test]
fn unknown_members_are_counted_and_passed_over() {
    let text = r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","future":{"x":[1,{"y":null}]},"metadata":{"name":"a","newField":true}}"#;
    let mut cx = Decoder::new();
    let m = PartialObjectMetadata::decode(text.as_bytes(), Format::Json, &mut cx).unwrap();
    assert_eq!(m.metadata.name, "a");
    assert_eq!(cx.unknown_fields(), 2);
}

#[track_caller]
fn rejects(format: Format, bytes: &[u8], expect: &str) {
    let e = PartialObjectMetadata::decode(bytes, format, &mut Decoder::new()).unwrap_err();
    assert!(e.is_decode());
    assert_eq!(e.to_string(), expect);
    let shared = PartialObjectMetadata::decode(bytes, format, &mut Decoder::interning());
    assert!(shared.is_err(), "interning accepts no more");
}

#[test]
fn malformed_json_is_named() {
    let json = |text: &str, expect: &str| rejects(Format::Json, text.as_bytes(), expect);
    json("", "unexpected end of JSON input (at byte 0)");
    json("[]", "an array where an object is expected (at byte 0)");
    json(
        r#"{"metadata":{"name":5}}"#,
        "PartialObjectMetadata: metadata.name: a number where a string is expected (at byte 20)",
    );
    json(
        r#"{"metadata":{"labels":{"a":1}}}"#,
        "PartialObjectMetadata: metadata.labels[a]: a number where a string is expected (at byte 27)",
    );
    json(
        r#"{"metadata":{"generation":1.5}}"#,
        "PartialObjectMetadata: metadata.generation: number 1.5 is not a 64-bit integer (at byte 26)",
    );
    json(
        r#"{"metadata":{"generation":9223372036854775808}}"#,
        "PartialObjectMetadata: metadata.generation: number 9223372036854775808 is not a 64-bit integer (at byte 26)",
    );
    json(
        r#"{"metadata":{"ownerReferences":[{},{"uid":{}}]}}"#,
        "PartialObjectMetadata: metadata.ownerReferences[1].uid: an object where a string is expected (at byte 42)",
    );
    json(
        r#"{"metadata":{"finalizers":{}}}"#,
        "PartialObjectMetadata: metadata.finalizers: an object where an array is expected (at byte 26)",
    );
    json(r#"{"metadata":{"name":"a"}"#, "unexpected end of JSON input (at byte 24)");
    json(
        r#"{"metadata":{"name":"a"}} x"#,
        "PartialObjectMetadata: invalid character 'x', after the top-level value (at byte 26)",
    );
    json(
        r#"{"kind":"Pod","apiVersion":"v1"}"#,
        "the body is a Pod of v1, not a PartialObjectMetadata of meta.k8s.io/v1",
    );
    rejects(
        Format::Json,
        b"{\"metadata\":{\"name\":\"\xff\"}}",
        "the body is not UTF-8: invalid utf-8 sequence of 1 bytes from index 21",
    );
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(500), "]".repeat(500));
    let e = PartialObjectMetadata::decode(deep.as_bytes(), Format::Json, &mut Decoder::new());
    assert!(e.unwrap_err().to_string().ends_with("nested more than 200 levels deep (at byte 204)"));
}

#[test]
fn malformed_protobuf_is_named() {
    let good = encoded(&meta(), Format::Protobuf);
    for end in 0..good.len() {
        // Cut anywhere: an error or, where a record ends, fewer fields; never a panic.
        let _ = PartialObjectMetadata::decode(&good[..end], Format::Protobuf, &mut Decoder::new());
    }
    rejects(
        Format::Protobuf,
        b"",
        "not Kubernetes protobuf: the body does not begin with \"k8s\\0\"",
    );
    let body = |raw: &[u8]| {
        let mut out = Vec::new();
        crate::Envelope { raw, ..Default::default() }.write(&mut out);
        out
    };
    let pb = |raw: &[u8], expect: &str| rejects(Format::Protobuf, &body(raw), expect);
    pb(
        &[0x0a, 0x05, 0x00],
        "PartialObjectMetadata: metadata: unexpected end of protobuf data (at byte 2)",
    );
    pb(&[0x08, 0x01], "PartialObjectMetadata: metadata: protobuf wire type 0 where 2 is expected");
    pb(
        &[0x0a, 0x02, 0x38],
        "PartialObjectMetadata: metadata: unexpected end of protobuf data (at byte 2)",
    );
    pb(
        &[0x0a, 0x03, 0x0a, 0x01, 0xff],
        "PartialObjectMetadata: metadata.name: invalid UTF-8 (invalid utf-8 sequence of 1 bytes from index 0)",
    );
    pb(
        &[0x0a, 0x0b, 0x38, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        "PartialObjectMetadata: metadata.generation: a protobuf number is longer than ten bytes (at byte 11)",
    );
    pb(
        &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
        "PartialObjectMetadata: metadata: unexpected end of protobuf data (at byte 6)",
    );
    pb(&[0x14], "PartialObjectMetadata: illegal protobuf wire type 4 (at byte 1)");
    pb(&[0x13, 0x08], "PartialObjectMetadata: unexpected end of protobuf data (at byte 2)");
    pb(&[0x00], "PartialObjectMetadata: illegal protobuf field number 0 (at byte 1)");
}

#[test]
fn mutated_input_never_panics() {
    let mut seed = 7u64;
    let mut random = move |n: usize| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as usize % n
    };
    let cx = &mut Decoder::interning();
    for format in [Format::Json, Format::Protobuf] {
        let good = encoded(&meta(), format);
        for _ in 0..3000 {
            let mut bytes = good.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes[at] = random(256) as u8,
                    1 => bytes.truncate(at + 1),
                    2 => {
                        bytes.remove(at);
                    }
                    _ => bytes.insert(at, b"{}[]\",:\\\0\x80\xff1"[random(12)]),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            if let Ok(m) = PartialObjectMetadata::decode(&bytes, format, cx) {
                let again = encoded(&m, format);
                assert_eq!(PartialObjectMetadata::decode(&again, format, cx).unwrap(), m);
            }
        }
    }
}

#[test]
fn debug_shows_what_is_set() {
    let mut s = Status { code: 404, ..Default::default() };
    s.reason = "NotFound".into();
    assert_eq!(format!("{s:?}"), r#"Status { reason: "NotFound", code: 404 }"#);
}

#[test]
fn strings_are_escaped_as_go_does() {
    let mut out = Vec::new();
    put_str(&mut out, "a\"\\\n\t\u{1}<&>\u{2028}\u{2029}é\u{e2}\u{7f}");
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "\"a\\\"\\\\\\n\\t\\u0001\\u003c\\u0026\\u003e\\u2028\\u2029é\u{e2}\u{7f}\""
    );
}

#[test]
fn strings_are_unescaped() {
    let read = |t: &str| Parser::new(t).string().map(str::to_owned);
    assert_eq!(read(r#""a\u00e9\ud83d\ude00\/\b\f\n""#).unwrap(), "aé😀/\u{8}\u{c}\n");
    assert_eq!(read(r#""\ud83dx\ud83d\u0041""#).unwrap(), "\u{fffd}x\u{fffd}A");
    for bad in [r#""\x""#, r#""\u12"#, r#""\u12g4""#, "\"a\u{1}\"", r#""\"#, r#"""#, "\"\\é\""] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn numbers_are_those_of_json() {
    let int = |t: &str| Parser::new(t).int().ok();
    assert_eq!(int("-9223372036854775808"), Some(i64::MIN));
    assert_eq!(int("9223372036854775807"), Some(i64::MAX));
    assert_eq!(int("0"), Some(0));
    assert_eq!(int("-0"), Some(0));
    for bad in ["", "-", "01", "1.0", "1e3", "+1", "9223372036854775808", "0x1", "1_0"] {
        let mut p = Parser::new(bad);
        assert!(p.int().and_then(|_| p.finish()).is_err(), "{bad}");
    }
    let float = |t: &str| Parser::new(t).f64().ok();
    assert_eq!(float("1e21"), Some(1e21));
    assert_eq!(float("1e999"), None);
    let written = |v: f64| {
        let mut out = Vec::new();
        put_f64(&mut out, v);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(written(1.0), "1");
    assert_eq!(written(1e21), "1e+21");
    assert_eq!(written(1.5e-7), "1.5e-7");
    assert_eq!(written(1e-6), "0.000001");
    assert_eq!(written(-0.5), "-0.5");
}

#[track_caller]
fn decoded_twice(text: &str, expect: &str) {
    for mut cx in [Decoder::new(), Decoder::interning()] {
        for _ in 0..3 {
            let m = PartialObjectMetadata::decode(text.as_bytes(), Format::Json, &mut cx).unwrap();
            let mut out = Vec::new();
            json_put(erase(&m.metadata), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expect);
        }
    }
}

#[test]
fn what_is_there_twice_is_merged_as_go_does_it() {
    // Elements of lists by their places; what the second list has not is cut off.
    decoded_twice(
        r#"{"metadata":{"ownerReferences":[{"uid":"1","kind":"A"},{"uid":"2"}],"ownerReferences":[{"kind":"B"}]}}"#,
        r#"{"ownerReferences":[{"apiVersion":"","kind":"B","name":"","uid":"1"}]}"#,
    );
    decoded_twice(
        r#"{"metadata":{"finalizers":["a","b"],"finalizers":[null,"c","d"]}}"#,
        r#"{"finalizers":["a","c","d"]}"#,
    );
    decoded_twice(r#"{"metadata":{"finalizers":["a"],"finalizers":[]}}"#, "{}");
    decoded_twice(r#"{"metadata":{"finalizers":["a"],"finalizers":null}}"#, "{}");
    // Entries of maps as a whole.
    decoded_twice(
        r#"{"metadata":{"labels":{"a":"x","a":null},"labels":{"b":"y"}}}"#,
        r#"{"labels":{"a":"","b":"y"}}"#,
    );
}

#[test]
fn of_kinds_that_are_there_twice_the_last_one_counts() {
    let decode = |text: &str| {
        PartialObjectMetadata::decode(text.as_bytes(), Format::Json, &mut Decoder::new()).is_ok()
    };
    let right = r#""kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1""#;
    assert!(decode(&format!("{{{right}}}")));
    assert!(decode(&format!(r#"{{{right},"apiVersion":null}}"#)));
    assert!(decode(&format!(r#"{{"apiVersion":"x",{right}}}"#)));
    assert!(decode(&format!(r#"{{"Kind":"x",{right}}}"#)));
    assert!(!decode(&format!(r#"{{{right},"apiVersion":"x"}}"#)));
    assert!(!decode(&format!(r#"{{{right},"metadata":{{}},"KIND":"x"}}"#)));
}

#[test]
fn objects_inside_others_keep_what_they_say_they_are() {
    use crate::meta_v1::PartialObjectMetadataList;
    let text = r#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[{"kind":"Odd","apiVersion":"a/b","metadata":{"name":"x"}},{"apiVersion":"v1","metadata":{}},{"metadata":{}}]}"#;
    let list =
        PartialObjectMetadataList::decode(text.as_bytes(), Format::Json, &mut Decoder::new())
            .unwrap();
    assert_eq!(list.items[0].metadata.type_meta.kind, "Odd");
    let json = |list: &PartialObjectMetadataList| {
        let mut out = Vec::new();
        list.encode(Format::Json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(json(&list), text);
    for format in [Format::Json, Format::Yaml] {
        let mut out = Vec::new();
        list.encode(format, &mut out).unwrap();
        let cx = &mut Decoder::interning();
        for _ in 0..2 {
            assert_eq!(PartialObjectMetadataList::decode(&out, format, cx).unwrap(), list);
        }
    }
    #[cfg(feature = "cbor")]
    {
        let mut out = Vec::new();
        list.encode(Format::Cbor, &mut out).unwrap();
        let back = PartialObjectMetadataList::decode(&out, Format::Cbor, &mut Decoder::new());
        assert_eq!(back.unwrap(), list);
    }
    let value = to_unstructured(erase(&list)).unwrap();
    assert_eq!(value["items"][0]["kind"], "Odd");
    let mut back = PartialObjectMetadataList::default();
    from_unstructured(&value, erase_mut(&mut back)).unwrap();
    assert_eq!(back, list);
    let back: PartialObjectMetadataList =
        serde_json::from_value(serde_json::to_value(&list).unwrap()).unwrap();
    assert_eq!(back, list);
    // Not in protobuf, as in Go.
    let mut out = Vec::new();
    list.encode(Format::Protobuf, &mut out).unwrap();
    let back =
        PartialObjectMetadataList::decode(&out, Format::Protobuf, &mut Decoder::new()).unwrap();
    assert_eq!(back.items[0].metadata.type_meta.kind, "");
    // The outermost object is what its type says.
    let one = PartialObjectMetadata::decode(META.as_bytes(), Format::Json, &mut Decoder::new());
    assert_eq!(one.unwrap().metadata.type_meta, TypeMeta::default().into());
}

#[test]
fn entries_of_maps_in_protobuf_are_read_as_in_go() {
    let meta = |entries: &[&[u8]]| {
        let mut body = Vec::new();
        for e in entries {
            body.extend([11 << 3 | 2, e.len() as u8]);
            body.extend_from_slice(e);
        }
        pb_decode::<ObjectMeta>(&body, &mut Decoder::interning()).map(|m| m.labels)
    };
    let one = |key: &str, value: &str| [(key, value)].map(|(k, v)| (k.into(), v.into()));
    let is = |labels: &crate::Map<crate::Str>, expect: [(crate::Str, crate::Str); 1]| {
        assert_eq!(*labels, expect.into_iter().collect());
    };
    is(&meta(&[b"\x0a\x01a\x12\x01b"]).unwrap(), one("a", "b"));
    // The last key and value count, in any order, whatever their wire types.
    is(&meta(&[b"\x12\x01b\x12\x01c\x0a\x01x\x0a\x01a"]).unwrap(), one("a", "c"));
    is(&meta(&[b"\x08\x01a\x15\x01b"]).unwrap(), one("a", "b"));
    // What is unknown is passed over, if it ends where the entry does.
    is(&meta(&[b"\x0a\x01a\x12\x01b\x18\x05"]).unwrap(), one("a", "b"));
    assert!(meta(&[b"\x0a\x01a\x1a\x02b", b""]).is_err());
    // A value may end behind its entry; the next one begins where the entry ends.
    let labels = meta(&[b"\x0a\x01a\x12\x02", b"\x0a\x01c"]).unwrap();
    assert_eq!((labels.len(), labels["a"].as_bytes()), (2, &b"Z\x03"[..]));
    assert!(meta(&[b"\x0a\x01a\x12\x09b"]).is_err());
}

#[test]
fn json_inside_is_written_without_white_space_and_html() {
    let put = |raw: &str| {
        let mut out = Vec::new();
        RawExtension { raw: raw.as_bytes().into() }.json_put(&mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(put(r#"{"a":[1,"x"]}"#), r#"{"a":[1,"x"]}"#);
    assert_eq!(put("{ \"a b\" :\t[1 ,\r\n\"\\\" \"] }"), r#"{"a b":[1,"\" "]}"#);
    assert_eq!(
        put("[\"\\\\\", \"<&>\u{2028}\u{2029}é☺\"]"),
        "[\"\\\\\",\"\\u003c\\u0026\\u003e\\u2028\\u2029é☺\"]"
    );
}

#[test]
fn values_of_the_wrong_type_are_named_as_by_go() {
    let said = |text: &str| mismatch(text, PartialObjectMetadata::DESC).unwrap_or_default();
    let field = "json: cannot unmarshal string into Go struct field";
    assert_eq!(
        said(r#"{"metadata":{"labels":"x"}}"#),
        format!("{field} ObjectMeta.metadata.labels of type map[string]string")
    );
    assert_eq!(
        said(r#"{"metadata":"x"}"#),
        format!("{field} PartialObjectMetadata.metadata of type v1.ObjectMeta")
    );
    assert_eq!(
        said(r#"{"metadata":{"ownerReferences":[{},{"controller":"x"}],"name":5}}"#),
        format!("{field} OwnerReference.metadata.ownerReferences.controller of type bool")
    );
    assert_eq!(
        said(r#"{"metadata":{"generation":1.5}}"#),
        "json: cannot unmarshal number 1.5 into Go struct field ObjectMeta.metadata.generation of type int64"
    );
    // What decodes itself ends it at once, whatever was found before.
    assert_eq!(
        said(r#"{"metadata":{"name":5,"creationTimestamp":5}}"#),
        "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string"
    );
    assert_eq!(
        said("[]"),
        "json: cannot unmarshal array into Go value of type v1.PartialObjectMetadata"
    );
    // Nothing is wrong, or the text is malformed.
    assert_eq!(said(r#"{"metadata":{"name":null,"unknown":5}}"#), "");
    assert_eq!(said(r#"{"metadata":{"name":5}"#), "");
    crate::message! {
        struct Sealed SEALED "Sealed" [255, 0] Form::Part;
        data: crate::Map<crate::Bytes> = "data" 1;
    }
    assert_eq!(
        mismatch(r#"{"data":{"a":"eA==","b":[1,null,{}]}}"#, &SEALED).unwrap(),
        "json: cannot unmarshal object into Go struct field Sealed.data of type uint8"
    );
    assert_eq!(
        mismatch(r#"{"data":{"a":"?"}}"#, &SEALED).unwrap(),
        "illegal base64 data at input byte 0"
    );
    assert_eq!(
        kind_mismatch(r#"{"Kind":5}"#).unwrap(),
        "couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string"
    );
}
