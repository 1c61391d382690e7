//! Tests of CBOR, beside what Go writes and refuses.
use super::*;
use crate::{
    Codec, Decoder, Format, ListDecoder, ListMeta, Object, ObjectList, ObjectMeta,
    PartialObjectMetadata, Unstructured, WatchDecoder, WatchEvent, put_watch_frame,
};
use serde_json::json;

fn bytes(hex: &str) -> Vec<u8> {
    let hex: String = hex.split_whitespace().collect();
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[track_caller]
fn reads(hex: &str, expect: Value) {
    assert_eq!(decode(&bytes(hex)).unwrap_or_else(|e| panic!("{hex}: {e}")), expect, "{hex}");
}
#[track_caller]
fn fails(hex: &str, expect: &str) {
    assert_eq!(decode(&bytes(hex)).unwrap_err().to_string(), expect, "{hex}");
}
#[track_caller]
fn writes(v: Value, hex: &str) {
    let mut out = Vec::new();
    encode(&v, &mut out).unwrap();
    assert_eq!(out[..3], PREFIX);
    assert_eq!(out[3..], bytes(hex), "{v}");
    assert_eq!(decode(&out).unwrap(), v);
}

// RFC 8949, appendix A.
#[test]
fn the_examples_of_the_standard_are_read() {
    for (hex, v) in [
        ("00", json!(0)),
        ("01", json!(1)),
        ("17", json!(23)),
        ("1818", json!(24)),
        ("1903e8", json!(1000)),
        ("1b000000e8d4a51000", json!(1000000000000i64)),
        ("20", json!(-1)),
        ("3903e7", json!(-1000)),
        ("f90000", json!(0.0)),
        ("f93c00", json!(1.0)),
        ("fb3ff199999999999a", json!(1.1)),
        ("f93e00", json!(1.5)),
        ("f97bff", json!(65504.0)),
        ("fa47c35000", json!(100000.0)),
        ("fa7f7fffff", json!(3.4028234663852886e+38)),
        ("fb7e37e43c8800759c", json!(1.0e+300)),
        ("f90001", json!(5.960464477539063e-8)),
        ("f90400", json!(6.103515625e-5)),
        ("f9c400", json!(-4.0)),
        ("fbc010666666666666", json!(-4.1)),
        ("f4", json!(false)),
        ("f5", json!(true)),
        ("f6", json!(null)),
        ("40", json!("")),
        ("44616263 64", json!("abcd")),
        ("60", json!("")),
        ("6161", json!("a")),
        ("62c3bc", json!("ü")),
        ("64f0908591", json!("\u{10151}")),
        ("80", json!([])),
        ("8301820203820405", json!([1, [2, 3], [4, 5]])),
        ("a0", json!({})),
        ("a26161016162820203", json!({"a": 1, "b": [2, 3]})),
        ("826161a161626163", json!(["a", {"b": "c"}])),
        ("5f42616243636465ff", json!("abcde")),
        ("7f657374726561646d696e67ff", json!("streaming")),
        ("9fff", json!([])),
        ("9f018202039f0405ffff", json!([1, [2, 3], [4, 5]])),
        ("83018202039f0405ff", json!([1, [2, 3], [4, 5]])),
        ("bf61610161629f0203ffff", json!({"a": 1, "b": [2, 3]})),
        ("826161bf61626163ff", json!(["a", {"b": "c"}])),
        ("c074323031332d30332d32315432303a30343a30305a", json!("2013-03-21T20:04:00Z")),
        ("c11a514b67b0", json!("2013-03-21T20:04:00Z")),
        ("c1fb41d452d9ec200000", json!("2013-03-21T20:04:00.5Z")),
        ("d74401020304", json!("01020304")),
        ("d64401020304", json!("AQIDBA==")),
        ("d818456449455446", json!("dIETF")),
        ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", json!("http://www.example.com")),
        ("d9d9f7 a1 d9d9f7 4161 01", json!({"a": 1})),
    ] {
        reads(hex, v);
    }
}

#[test]
fn what_json_cannot_hold_is_refused() {
    fails("1bffffffffffffffff", "cbor: 18446744073709551615 overflows a signed 64-bit integer");
    fails("3bffffffffffffffff", "cbor: -1-18446744073709551615 overflows a signed 64-bit integer");
    fails("c249010000000000000000", "cbor: integers of any length are not accepted");
    fails("f97e00", "cbor: NaN is not accepted");
    fails("fa7f800000", "cbor: inf is not accepted");
    fails("fbfff0000000000000", "cbor: -inf is not accepted");
    fails("f7", "cbor: simple value 23 is not recognized");
    fails("f0", "cbor: simple value 16 is not recognized");
    fails("f8ff", "cbor: simple value 255 is not recognized");
    fails("a10102", "cbor: a map key is not a string");
    fails("a2416101616102", "cbor: found duplicate map key \"a\" at map element index 1");
    fails("61ff", "cbor: invalid UTF-8 string");
    fails("41ff", "cbor: invalid UTF-8 string");
    fails("ff", "cbor: unexpected \"break\" code");
    fails("1c", "cbor: invalid additional information 28 for type 0");
    fails("82 01", "cbor: unexpected end of the data");
    fails("9bffffffffffffffff", "cbor: unexpected end of the data");
    fails("5bffffffffffffffff", "cbor: unexpected end of the data");
    fails("a0a0", "cbor: 1 bytes of extraneous data");
    fails("", "cbor: unexpected end of the data");
    fails(&"81".repeat(300), "cbor: nested more than 200 levels deep");
    fails(&"c6".repeat(300), "cbor: nested more than 200 levels deep");
}

#[test]
fn what_is_written_is_shortest_and_sorted() {
    writes(json!({"b": 1, "a": 2, "aa": {}, "": []}), "a4 40 80 4161 02 4162 01 426161 a0");
    writes(
        json!([0, 23, 24, 255, 256, 65536, 4294967296i64]),
        "87 00 17 1818 18ff 190100 1a00010000 1b0000000100000000",
    );
    writes(
        json!([-1, -25, i64::MIN, i64::MAX]),
        "84 20 3818 3b7fffffffffffffff 1b7fffffffffffffff",
    );
    writes(
        json!([
            0.0,
            -0.0,
            1.5,
            65504.0,
            65505.0,
            1e-7,
            5.960464477539063e-8,
            6.103515625e-5,
            1e300
        ]),
        "89 f90000 f98000 f93e00 f97bff fa477fe100 fb3e7ad7f29abcaf48 f90001 f90400 fb7e37e43c8800759c",
    );
    writes(json!([null, true, false, "é"]), "84 f6 f5 f4 42c3a9");
    writes(json!("x".repeat(24)), &format!("5818{}", "78".repeat(24)));
}

#[test]
fn items_are_measured_before_they_are_there() {
    let all = bytes("bf 61 61 9f 01 5f 4161 ff d6 43010203 ff ff");
    for n in 0..all.len() {
        assert_eq!(item_len(&all[..n]).unwrap(), None);
    }
    assert_eq!(item_len(&all).unwrap(), Some(all.len()));
}

fn meta() -> PartialObjectMetadata {
    let mut m = PartialObjectMetadata {
        metadata: ObjectMeta { name: "a".into(), generation: 3, ..Default::default() },
    };
    m.metadata.labels.insert("k".into(), "v".into());
    m.metadata.creation_timestamp = crate::Time::from_unix(1);
    m
}

#[test]
fn typed_objects_go_and_come_back() {
    let mut out = Vec::new();
    meta().encode(Format::Cbor, &mut out).unwrap();
    let back = PartialObjectMetadata::decode(&out, Format::Cbor, &mut Decoder::new()).unwrap();
    assert_eq!(back, meta());
    let u = Unstructured::decode(&out, Format::Cbor, &mut Decoder::new()).unwrap();
    assert_eq!((u.name(), u.metadata.generation), ("a", 3));
    let mut again = Vec::new();
    u.encode(Format::Cbor, &mut again).unwrap();
    assert_eq!(again, out);
}

#[test]
fn a_number_with_a_fraction_is_no_whole_one() {
    let mut out = Vec::new();
    encode(&json!({"metadata": {"generation": 3.0}}), &mut out).unwrap();
    let e = PartialObjectMetadata::decode(&out, Format::Cbor, &mut Decoder::new()).unwrap_err();
    assert_eq!(
        e.to_string(),
        "PartialObjectMetadata: metadata.generation: cannot convert float64 to integer"
    );
}

#[test]
fn lists_and_watches_come_in_parts() {
    let list = ObjectList {
        metadata: ListMeta { resource_version: "7".into(), ..Default::default() },
        items: vec![meta(), meta()],
    };
    let mut out = Vec::new();
    list.encode(Format::Cbor, &mut out).unwrap();
    let mut indefinite = PREFIX.to_vec();
    indefinite.extend(bytes("bf 4569 74656d73 9f"));
    meta().encode(Format::Cbor, &mut indefinite).unwrap();
    indefinite.extend(bytes("ff 6161 f6 ff"));
    for step in 1..out.len() {
        let decode = |all: &[u8]| {
            let mut d = ListDecoder::<PartialObjectMetadata>::new(Format::Cbor);
            all.chunks(step).for_each(|c| d.feed(c, &mut Decoder::new()).unwrap());
            d.finish().unwrap()
        };
        assert_eq!(decode(&out), list);
        assert_eq!(decode(&indefinite).items, [meta()]);
    }
    let mut d = ListDecoder::<PartialObjectMetadata>::new(Format::Cbor);
    d.feed(&out[..out.len() - 1], &mut Decoder::new()).unwrap();
    assert!(d.finish().is_err());

    let mut object = Vec::new();
    meta().encode(Format::Cbor, &mut object).unwrap();
    let mut stream = Vec::new();
    put_watch_frame("ADDED", &object, Format::Cbor, &mut stream);
    put_watch_frame("BOOKMARK", &object, Format::Cbor, &mut stream);
    let mut w = WatchDecoder::<PartialObjectMetadata>::new(Format::Cbor);
    let mut events = Vec::new();
    for b in stream.chunks(7) {
        w.feed(b);
        while let Some(e) = w.next(&mut Decoder::new()).unwrap() {
            events.push(e);
        }
    }
    assert!(!w.is_inside_event());
    assert!(matches!(&events[..], [WatchEvent::Added(m), WatchEvent::Bookmark(_)] if *m == meta()));
}

#[test]
fn mutated_input_never_panics() {
    let mut random = crate::parse_error::random(7);
    let mut good = Vec::new();
    meta().encode(Format::Cbor, &mut good).unwrap();
    for _ in 0..5000 {
        let mut b = good.clone();
        for _ in 0..=random(3) {
            let at = random(b.len() as u64) as usize;
            match random(3) {
                0 => b[at] = random(256) as u8,
                1 => b.truncate(at + 1),
                _ => b.insert(at, random(256) as u8),
            }
        }
        if let Ok(v) = decode(&b) {
            let mut out = Vec::new();
            encode(&v, &mut out).unwrap();
            assert_eq!(decode(&out).unwrap(), v);
        }
        let _ = PartialObjectMetadata::decode(&b, Format::Cbor, &mut Decoder::new());
        let _ = item_len(&b);
    }
}
