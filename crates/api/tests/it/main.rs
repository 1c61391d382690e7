//! What the generated types do as a whole: presence, defaults, depth, sharing.
use pintle_api::apiextensions_v1::{CustomResourceDefinition, JSONSchemaProps};
use pintle_api::core_v1::{Container, ContainerPort, Pod, Probe, Secret, Volume, VolumeSource};
use pintle_apimachinery::reflect::apply_defaults;
use pintle_apimachinery::{Codec, Decoder, Format, Object, Shared};

fn decode<T: Codec>(json: &str) -> T {
    T::decode(json.as_bytes(), Format::Json, &mut Decoder::new()).expect("valid JSON")
}

fn json(object: &impl Codec) -> String {
    let mut out = Vec::new();
    object.encode(Format::Json, &mut out).expect("JSON");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn what_go_omits_is_omitted_and_what_it_writes_is_written() {
    assert_eq!(
        json(&Pod::default()),
        r#"{"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"containers":null},"status":{}}"#
    );
    let pod: Pod = decode(r#"{"kind":"Pod","apiVersion":"v1","spec":{"containers":[]}}"#);
    assert!(json(&pod).contains(r#""containers":[]"#));
}

#[test]
fn declared_defaults_are_set_where_nothing_is() {
    let mut pod: Pod = decode(
        r#"{"spec":{"containers":[{"name":"a","ports":[{"containerPort":80},{"containerPort":81,"protocol":"UDP"}]}]}}"#,
    );
    apply_defaults(&mut pod).expect("the schema's defaults fit");
    let ports = &pod.spec.containers[0].ports;
    assert_eq!((ports[0].protocol.as_str(), ports[1].protocol.as_str()), ("TCP", "UDP"));
    assert!(pod.spec.security_context.is_none(), "nothing is made that was not there");
}

#[test]
fn ordinary_code_changes_one_copy() {
    let mut pod = Pod::default();
    pod.metadata.name = "web".into();
    pod.spec.containers.push(Container {
        name: "main".into(),
        image: "i".into(),
        ..Default::default()
    });
    pod.spec.volumes.push(Volume { name: "v".into(), ..Default::default() });
    let snapshot = pod.clone();
    pod.spec.containers[0].image = "x".into();
    pod.spec.containers[0].ports.push(ContainerPort { container_port: 80, ..Default::default() });
    pod.spec.containers[0].liveness_probe.get_or_insert_default().period_seconds = 5;
    pod.spec.volumes[0].volume_source.empty_dir = Some(Shared::default());
    for c in &mut pod.spec.containers {
        c.image_pull_policy = "Always".into();
    }
    pod.metadata.labels.insert("a".into(), "b".into());
    assert_eq!(
        snapshot.spec.containers[0],
        Container { name: "main".into(), image: "i".into(), ..Default::default() }
    );
    assert!(snapshot.spec.volumes[0].volume_source.empty_dir.is_none());
    assert!(matches!(&pod.spec.containers[..], [Container { image, .. }] if *image == "x"));
    assert_eq!(pod.name(), "web");
    assert_ne!(pod, snapshot);
    pod.spec.containers.retain(|c| c.name != "main");
    assert!(pod.spec.containers.is_empty());
}

#[test]
fn objects_are_small() {
    assert!(size_of::<Pod>() <= 640, "{}", size_of::<Pod>());
    assert_eq!(size_of::<Option<Shared<Probe>>>(), 8);
    assert_eq!(size_of::<Volume>(), 16, "{}", size_of::<VolumeSource>());
}

#[test]
fn inlined_members_find_their_struct() {
    let pod: Pod = decode(
        r#"{"spec":{"volumes":[{"emptyDir":{"medium":"Memory"},"name":"v"}],"containers":[{"name":"c","livenessProbe":{"periodSeconds":3,"httpGet":{"port":"http"}}}]}}"#,
    );
    let source = &pod.spec.volumes[0].volume_source;
    assert_eq!(source.empty_dir.as_ref().expect("an emptyDir").medium, "Memory");
    let again: Pod = decode(&json(&pod));
    assert_eq!(again, pod);
}

#[test]
fn secrets_are_not_printed() {
    let secret: Secret = decode(
        r#"{"metadata":{"name":"s"},"data":{"password":"aHVudGVyMg=="},"stringData":{"token":"hunter2"}}"#,
    );
    assert_eq!(&*secret.data["password"], b"hunter2");
    let shown = format!("{secret:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg"), "{shown}");
    assert!(shown.contains("not shown"), "{shown}");
}

/// A schema nested as deeply as is allowed, or more.
fn nested(levels: usize) -> String {
    format!("{}{{}}{}", r#"{"items":"#.repeat(levels), "}".repeat(levels))
}

#[test]
fn nesting_is_bounded_and_fits_a_small_stack() {
    let work = || {
        let ok: JSONSchemaProps =
            serde_json::from_str(&nested(60)).expect("serde's own bound is 128");
        assert_ne!(ok, JSONSchemaProps::default());
        let crd = |levels| {
            let text = format!(
                r#"{{"spec":{{"versions":[{{"schema":{{"openAPIV3Schema":{}}}}}]}}}}"#,
                nested(levels)
            );
            CustomResourceDefinition::decode(
                text.as_bytes(),
                Format::Json,
                &mut Decoder::interning(),
            )
        };
        let deep = crd(90).expect("real schemas stay far below");
        let mut protobuf = Vec::new();
        deep.encode(Format::Protobuf, &mut protobuf).expect("protobuf");
        let back =
            CustomResourceDefinition::decode(&protobuf, Format::Protobuf, &mut Decoder::new());
        assert_eq!(back.expect("the same again"), deep);
        let error = crd(5000).expect_err("too deep").to_string();
        assert!(error.contains("nested more than 200 levels deep"), "{error}");
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work).expect("a thread");
    thread.join().expect("no overflow, no panic");
}
