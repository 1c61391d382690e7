//! What the generator writes for a small schema that has one of each, and that the stored schema
//! of Kubernetes is read and written without loss.

use std::path::Path;

use pintle_codegen::{emit, lower, schema};

fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn demo(change: impl Fn(&str) -> String) -> Result<String, String> {
    let (demo, meta) = (change(&data("demo_v1.txt")), data("meta_v1.txt"));
    let files = [("demo", demo.as_str()), ("meta", meta.as_str())];
    let modules = lower::lower(&schema::parse_all("1.37\n", files)?)?;
    let module = modules.iter().find(|m| m.name == "demo_v1").ok_or("no module demo_v1")?;
    Ok(emit::module(module, "1.37"))
}

/// `UPDATE=1 cargo test -p pintle-codegen` writes the expected text anew.
#[test]
fn snapshot() {
    let text = demo(str::to_owned).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/demo_v1.expected");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = data("demo_v1.expected");
    for (line, (found, wanted)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, wanted, "line {}", line + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count());
}

#[track_caller]
fn fails(from: &str, to: &str, expect: &str) {
    let error = demo(|text| text.replacen(from, to, 1)).unwrap_err();
    assert!(error.contains(expect), "`{error}` should say `{expect}`");
}

#[test]
fn what_cannot_be_represented_is_named() {
    fails("replicas: *int32", "replicas: *complex64", "Spec.Replicas: unknown type `complex64`");
    fails("labels: Labels", "labels: Tables", "declares no `Tables`");
    fails(
        "Labels = map[string]string",
        "Labels = map[int32]string",
        "keys of maps must be strings",
    );
    fails("data: map[string][]byte", "podIps: string", "two fields pod_ips");
    fails("const PhaseReady", "const Widget", "WIDGET names");
}

#[test]
fn the_stored_schema_survives_reading_and_writing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    let mut packages = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "txt") {
            let text = std::fs::read_to_string(&path).unwrap();
            let package = schema::parse(&text).unwrap();
            assert_eq!(schema::write(&package), text, "{}", path.display());
            packages += 1;
        }
    }
    assert!(packages > 50, "{packages} packages");
}
