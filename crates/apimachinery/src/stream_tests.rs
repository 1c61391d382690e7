//! Lists and watches decoded as they arrive, cut anywhere.
use crate::*;

type Meta = PartialObjectMetadata;

fn object(name: &str) -> Meta {
    let mut m = Meta::default();
    m.metadata.name = name.into();
    m.metadata.resource_version = "5".into();
    m.metadata.annotations.insert("odd".into(), "a \"quoted\\\" text ]}{[ ünd \\\\".into());
    m
}

fn list() -> ObjectList<Meta> {
    let metadata =
        ListMeta { resource_version: "77".into(), continue_: "t".into(), ..Default::default() };
    ObjectList { metadata, items: ["a", "b", "c"].map(object).into() }
}

fn encoded(format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    list().encode(format, &mut out).unwrap();
    out
}

#[test]
fn lists_may_be_cut_anywhere() {
    for format in [Format::Json, Format::Protobuf] {
        let body = encoded(format);
        for size in (1..40).chain([body.len()]) {
            let mut cx = Decoder::interning();
            let mut d = ListDecoder::<Meta>::new(format);
            for chunk in body.chunks(size) {
                d.feed(chunk, &mut cx).unwrap();
            }
            assert_eq!(d.finish().unwrap(), list(), "{format:?} in parts of {size}");
        }
        for end in 0..body.len() {
            let cut = ObjectList::<Meta>::decode(&body[..end], format, &mut Decoder::new());
            // Behind the list itself, protobuf's envelope has only empty fields.
            let complete = format == Format::Protobuf && [4, 2].contains(&(body.len() - end));
            assert_eq!(cut.is_ok(), complete, "{format:?} cut at {end} of {}", body.len());
        }
    }
}

#[test]
fn yaml_lists_are_decoded_too() {
    let body = encoded(Format::Yaml);
    assert_eq!(
        ObjectList::<Meta>::decode(&body, Format::Yaml, &mut Decoder::new()).unwrap(),
        list()
    );
}

#[test]
fn lists_with_spaces_and_unknown_members() {
    let body = br#" { "kind" : "PodList" , "extra":{"items":[1,"]"]}, "items" : [ {"metadata":{"name":"x"}} , {} ] , "metadata" : { "resourceVersion" : "9" } } "#;
    for size in [1, 3, 200] {
        let mut d = ListDecoder::<Meta>::new(Format::Json);
        for chunk in body.chunks(size) {
            d.feed(chunk, &mut Decoder::new()).unwrap();
        }
        let list = d.finish().unwrap();
        assert_eq!((list.items.len(), list.resource_version()), (2, "9"));
    }
    let none = br#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":null}"#;
    assert!(
        ObjectList::<Meta>::decode(none, Format::Json, &mut Decoder::new())
            .unwrap()
            .items
            .is_empty()
    );
}

#[track_caller]
fn rejects(format: Format, body: &[u8], expect: &str) {
    let e = ObjectList::<Meta>::decode(body, format, &mut Decoder::new()).unwrap_err();
    assert!(e.is_decode());
    assert_eq!(e.to_string(), expect);
}

#[test]
fn what_is_no_list_is_refused() {
    rejects(Format::Json, b"[]", "list: unexpected '[' where a list object is expected");
    rejects(Format::Json, b"", "the list ended before it was complete");
    rejects(
        Format::Json,
        br#"{"kind":"Status","apiVersion":"v1","code":500}"#,
        "the body is a Status, not a list",
    );
    rejects(Format::Json, br#"{"kind":"Pod","apiVersion":"v1"}"#, "the body is a Pod, not a list");
    rejects(
        Format::Json,
        br#"{"kind":"PodList","items":[{"metadata":{}},{"metadata":{"name":7}}]}"#,
        "items[1]: PartialObjectMetadata: metadata.name: a number where a string is expected (at byte 20)",
    );
    rejects(
        Format::Json,
        br#"{"items":[{}] x"#,
        "list: unexpected 'x' where ',' or the end is expected",
    );
    rejects(
        Format::Protobuf,
        b"{\"kind\":\"PodList\"}",
        "not Kubernetes protobuf: the body does not begin with \"k8s\\0\"",
    );
    let mut body = Vec::new();
    Envelope { kind: "PodList", raw: b"\x12\x05\x0a\x03", ..Default::default() }.write(&mut body);
    assert!(ObjectList::<Meta>::decode(&body, Format::Protobuf, &mut Decoder::new()).is_err());
}

fn stream(format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bookmark = object("");
    bookmark.metadata.annotations.insert(INITIAL_EVENTS_END.into(), "true".into());
    let gone = Status::failure(410, "Expired", "too old");
    for (name, m) in [("ADDED", object("a")), ("MODIFIED", object("b")), ("DELETED", object("c"))] {
        let mut body = Vec::new();
        m.encode(format, &mut body).unwrap();
        put_watch_frame(name, &body, format, &mut out);
    }
    let mut body = Vec::new();
    bookmark.encode(format, &mut body).unwrap();
    put_watch_frame("BOOKMARK", &body, format, &mut out);
    let mut body = Vec::new();
    gone.encode(format, &mut body).unwrap();
    put_watch_frame("ERROR", &body, format, &mut out);
    out
}

#[test]
fn watches_may_be_cut_anywhere() {
    let wanted = vec![
        WatchEvent::Added(object("a")),
        WatchEvent::Modified(object("b")),
        WatchEvent::Deleted(object("c")),
        WatchEvent::Bookmark(Bookmark { resource_version: "5".into(), initial_events_end: true }),
        WatchEvent::Error(Status::failure(410, "Expired", "too old")),
    ];
    for format in [Format::Json, Format::Protobuf] {
        let bytes = stream(format);
        for size in (1..30).chain([bytes.len()]) {
            let mut d = WatchDecoder::<Meta>::new(format);
            let mut cx = Decoder::interning();
            let mut got = Vec::new();
            for chunk in bytes.chunks(size) {
                d.feed(chunk);
                while let Some(e) = d.next(&mut cx).unwrap() {
                    got.push(e);
                }
            }
            assert_eq!(got, wanted, "{format:?} in parts of {size}");
            assert!(!d.is_inside_event());
        }
    }
}

#[test]
fn one_bad_object_does_not_break_a_watch() {
    let mut d = WatchDecoder::<Meta>::new(Format::Json);
    let cx = &mut Decoder::new();
    d.feed(br#"{"type":"ADDED","object":{"metadata":{"name":1}}}{"type":"ADDED","object":{"metadata":{"name":"ok"}}}"#);
    let e = d.next(cx).unwrap_err();
    assert!(e.to_string().starts_with("ADDED event: PartialObjectMetadata: metadata.name"), "{e}");
    assert!(!d.is_broken());
    assert!(matches!(d.next(cx), Ok(Some(WatchEvent::Added(m))) if m.metadata.name == "ok"));
    d.feed(b"nonsense");
    assert!(d.next(cx).is_err() && d.is_broken());

    let mut d = WatchDecoder::<Meta>::new(Format::Protobuf);
    d.feed(&[0xff, 0xff, 0xff, 0xff, 1]);
    assert_eq!(
        d.next(cx).unwrap_err().to_string(),
        "a watch event claims to have 4294967295 bytes"
    );
    assert!(d.is_broken());
}
