//! Tests of objects without a type (Go: `unstructured_test.go`).
use super::*;

fn read(text: &str) -> Unstructured {
    Unstructured::decode(text.as_bytes(), Format::Json, &mut Decoder::new()).unwrap()
}

#[track_caller]
fn same(text: &str) {
    let mut out = Vec::new();
    read(text).encode(Format::Json, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), text);
    let again = Unstructured::from_object(read(text).to_object());
    assert_eq!(again, read(text));
}

#[test]
fn what_was_read_is_written() {
    same(r#"{"apiVersion":"v1","kind":"A"}"#);
    same(r#"{"apiVersion":"v1","kind":"A","metadata":{}}"#);
    same(r#"{"apiVersion":"v1","kind":"A","metadata":null}"#);
    same(r#"{"apiVersion":"v1","kind":"A","metadata":"x"}"#);
    same(r#"{"apiVersion":5,"kind":"A","x":[1,1.5,"<",{"a":null}]}"#.replace('<', "\\u003c").as_str());
    same(
        r#"{"kind":"A","metadata":{"creationTimestamp":null,"foo":{"b":1},"labels":{},"name":"a"}}"#,
    );
    same(
        r#"{"kind":"A","metadata":{"creationTimestamp":"2020-01-01T00:00:00.5Z","generation":0,"labels":{"a":1},"name":5}}"#,
    );
    same(
        r#"{"kind":"A","metadata":{"creationTimestamp":"2020-01-01T00:00:00Z","finalizers":["a"],"labels":{"a":"b"},"managedFields":[{"apiVersion":"v1","fieldsV1":{"f:a":{}},"manager":"m","time":"2020-01-01T00:00:00Z"}],"ownerReferences":[{"apiVersion":"v1","controller":true,"kind":"B","name":"b","uid":"1"}]}}"#,
    );
    same(r#"{"kind":"A","metadata":{"ownerReferences":[{"kind":"B"}]}}"#);
}

#[test]
fn what_is_set_wins_over_what_was_kept() {
    let mut u = read(r#"{"kind":"A","metadata":{"name":5,"labels":{},"x":1}}"#);
    u.metadata.name = "a".into();
    u.metadata.labels.insert("a".into(), "b".into());
    let metadata = &u.to_object()["metadata"];
    assert_eq!(metadata, &serde_json::json!({"name": "a", "labels": {"a": "b"}, "x": 1}));
}

#[test]
fn numbers_are_those_of_go() {
    let u = read(
        r#"{"kind":"A","a":1.0,"b":-0,"c":1e3,"d":9223372036854775808,"e":-9223372036854775808}"#,
    );
    assert!(u.fields["a"].is_f64() && u.fields["b"].is_i64() && u.fields["c"].is_f64());
    let mut out = Vec::new();
    u.encode(Format::Json, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"a":1,"b":0,"c":1000,"d":9223372036854776000,"e":-9223372036854775808,"kind":"A"}"#
    );
}

#[test]
fn lists() {
    let decode = |text: &str| AnyUnstructured::decode(text.as_bytes(), Format::Json);
    let text = r#"{"apiVersion":"v1","items":[{"a":1},{"apiVersion":"v2","kind":"X"}],"kind":"AList","metadata":{"continue":"c"},"z":1}"#;
    let AnyUnstructured::List(list) = decode(text).unwrap() else { panic!("a list") };
    assert_eq!(list.items[0].gvk().to_string(), "/v1, Kind=A");
    assert_eq!(list.items[1].gvk().to_string(), "/v2, Kind=X");
    let mut out = Vec::new();
    list.encode(Format::Json, &mut out).unwrap();
    let written: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(written, Value::Object(list.to_object()));
    assert_eq!(written["items"][0]["kind"], "A");
    #[track_caller]
    fn fails(text: &str, expect: &str) {
        let e = AnyUnstructured::decode(text.as_bytes(), Format::Json).unwrap_err();
        assert_eq!(e.to_string(), expect);
    }
    fails("{}", "Object 'Kind' is missing");
    fails(
        r#"{"kind":"A","items":5}"#,
        "items field of UnstructuredList must be encoded as an array or null if present",
    );
    fails(
        r#"{"kind":"A","items":[5]}"#,
        "elements of the items field of UnstructuredList must be encoded as a map",
    );
    let AnyUnstructured::List(list) =
        decode(r#"{"kind":"A","items":[null,{"kind":"B"}]}"#).unwrap()
    else {
        panic!("a list")
    };
    let items = &Value::Object(list.to_object())["items"];
    assert_eq!(*items, serde_json::json!([{"kind": "A", "apiVersion": ""}, {"kind": "B"}]));
    fails("[]", "the body is not an object");
}

/// Any JSON, with members that metadata has among its names.
fn random_value(random: &mut impl FnMut(u64) -> u64, depth: u64) -> Value {
    const NAMES: [&str; 12] = [
        "name",
        "labels",
        "annotations",
        "finalizers",
        "generation",
        "creationTimestamp",
        "x",
        "ownerReferences",
        "uid",
        "managedFields",
        "spec",
        "metadata",
    ];
    const TEXTS: [&str; 8] =
        ["", "a", "yes", "0644", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5Z", "é\n<", "1"];
    match random(if depth > 4 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => (random(2) == 0).into(),
        2 => (random(u64::MAX) as i64).into(),
        3 => [0.5, -1.0, 1e300, 3.0][random(4) as usize].into(),
        4 | 5 => TEXTS[random(8) as usize].into(),
        6 => (0..random(4)).map(|_| random_value(random, depth + 1)).collect(),
        _ => (0..random(6))
            .map(|_| (NAMES[random(12) as usize].to_owned(), random_value(random, depth + 1)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

#[test]
fn any_object_comes_back_in_every_format() {
    let mut random = crate::parse_error::random(3);
    let mut formats = vec![Format::Json, Format::Yaml];
    if cfg!(feature = "cbor") {
        formats.push(Format::Cbor);
    }
    for _ in 0..3000 {
        let mut o = Map::new();
        o.insert("kind".into(), "A".into());
        for key in ["metadata", "spec"] {
            o.insert(key.into(), random_value(&mut random, 0));
        }
        let u = Unstructured::from_object(o.clone());
        assert_eq!(u.to_object(), o);
        let mut json = Vec::new();
        u.encode(Format::Json, &mut json).unwrap();
        for format in &formats {
            let mut out = Vec::new();
            u.encode(*format, &mut out).unwrap();
            let back = Unstructured::decode(&out, *format, &mut Decoder::new()).unwrap();
            // JSON and YAML do not tell 3.0 from 3.
            let mut again = Vec::new();
            back.encode(Format::Json, &mut again).unwrap();
            assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(json.clone()).unwrap());
        }
    }
}

#[test]
fn typed_values_and_values_without_a_type_are_the_same() {
    let mut random = crate::parse_error::random(5);
    for _ in 0..3000 {
        let o =
            Value::from(Map::from_iter([("metadata".to_owned(), random_value(&mut random, 0))]));
        let Value::Object(o) = o else { continue };
        let mut typed = crate::PartialObjectMetadata::default();
        let Ok(_) = crate::reflect::from_unstructured(&o, &mut typed) else { continue };
        let back = crate::reflect::to_unstructured(&typed).unwrap();
        let mut again = crate::PartialObjectMetadata::default();
        crate::reflect::from_unstructured(&back, &mut again).unwrap();
        assert_eq!(again, typed);
        let u: crate::PartialObjectMetadata = Unstructured::from_object(back).to_typed().unwrap();
        assert_eq!(u, typed);
    }
}

#[test]
fn metadata_that_is_there_twice_is_not_merged() {
    let text = r#"{"kind":"A","metadata":{"name":"x","labels":{"a":"1"},"finalizers":["p","q"],"labels":{"b":"2"},"finalizers":["r"],"name":5}}"#;
    let u = Unstructured::decode(text.as_bytes(), Format::Json, &mut Decoder::new()).unwrap();
    assert_eq!((u.metadata.labels.len(), u.metadata.finalizers.len()), (1, 1));
    assert_eq!(u.metadata.name, "");
    let mut out = Vec::new();
    u.encode(Format::Json, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"kind":"A","metadata":{"finalizers":["r"],"labels":{"b":"2"},"name":5}}"#
    );
}
