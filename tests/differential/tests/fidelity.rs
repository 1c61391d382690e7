//! The embedded server answers as the real one did when its transcripts were recorded.

use pintle_differential::{Report, embedded, families, known, place, read, transcript_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_server_answers_as_the_real_one_did() {
    let families = families(&place("scenarios")).expect("scenarios");
    let known = known(&place("known.yaml")).expect("the list of known differences");
    let mut report = Report::default();
    let ours = embedded(families.clone()).await.expect("answers");
    for family in &families {
        let recorded = read(&transcript_of(&family.name)).expect("a transcript");
        report.add(&family.name, &recorded, &ours[&family.name], &known);
    }
    println!("{report}");
    let obsolete: Vec<String> = report
        .obsolete(&known, |_| true)
        .into_iter()
        .map(|entry| format!("{} / {}: {}", entry.family, entry.request, entry.path))
        .collect();
    assert!(report.differences.is_empty(), "{report}");
    assert!(
        obsolete.is_empty(),
        "these differ no more; remove them from known.yaml: {obsolete:#?}"
    );
}

/// What the server does, and the families that tell of it. A family that goes is missed here.
const FAMILIES: &[(&str, &str)] = &[
    ("create, get, duplicate", "create"),
    ("names that are generated", "generate-name"),
    ("names that are invalid", "invalid-names"),
    ("stale PUT", "stale-put"),
    ("PUT without a revision", "put-without-revision"),
    ("PUT to what is not there, by kind", "put-missing"),
    ("writes that change nothing", "no-op"),
    ("UID, name and namespace that do not match", "identity"),
    ("isolation of the status", "status"),
    ("generation", "generation"),
    ("finalizers", "finalizers"),
    ("finalizers that are new while deleting", "new-finalizer"),
    ("preconditions", "preconditions"),
    ("options of deletes", "delete-options"),
    ("propagation by kind", "propagation"),
    ("garbage with several owners", "garbage"),
    ("collections that are deleted", "deletecollection"),
    ("revisions of lists", "list-revision"),
    ("future revisions", "future-revision"),
    ("pages while others write", "paging"),
    ("what has expired", "expired"),
    ("where watches begin", "watch-start"),
    ("objects that enter and leave selections", "transitions"),
    ("lists as watches", "watch-list"),
    ("tables", "table"),
    ("metadata alone", "partial-metadata"),
    ("patches by kind", "patch-types"),
    ("managed fields by verb and manager", "managed-fields"),
    ("defaults by kind", "defaults"),
    ("validation by kind", "validation"),
    ("JSON patches", "json-patch"),
    ("strategic merge", "strategic-merge"),
    ("validation of fields by verb", "field-validation"),
    ("dry runs", "dry-run"),
    ("namespaces", "namespaces"),
    ("field selectors", "field-selectors"),
    ("label selectors", "label-selectors"),
    ("life of definitions", "crd-life"),
    ("conflicts of definitions", "crd-conflicts"),
    ("pruning", "crd-pruning"),
    ("defaulting", "crd-defaulting"),
    ("nullable fields", "crd-nullable"),
    ("lists that are maps and sets", "crd-lists"),
    ("protobuf by kind", "protobuf"),
    ("every kind in protobuf and JSON", "equivalence"),
    ("scale", "scale"),
    ("media types", "media-types"),
    ("discovery", "discovery"),
    ("paths, methods, health, version", "infrastructure"),
    ("who asks, and whether they may", "authentication"),
    ("bodies that are bad", "bodies"),
    ("parameters that are bad", "bad-queries"),
    ("paths that are bad", "bad-paths"),
    ("how long requests may take", "timeouts"),
    ("versions of groups as objects", "apiservices"),
    ("what admission adds and refuses", "admission"),
    ("admission without a controller manager", "admission-plain"),
];

/// Every family is there, and tells of what succeeds and of what fails.
#[test]
fn families_tell_of_success_and_failure() {
    let families = families(&place("scenarios")).expect("scenarios");
    for (about, name) in FAMILIES {
        assert!(families.iter().any(|family| family.name == *name), "{about}: no family {name}");
    }
    for family in &families {
        let recorded = read(&transcript_of(&family.name)).expect("a transcript");
        let any = |fits: fn(u16) -> bool| recorded.iter().any(|record| fits(record.status));
        assert!(any(|status| (200..300).contains(&status)), "{}: nothing succeeds", family.name);
        assert!(any(|status| status >= 400), "{}: nothing fails", family.name);
    }
}
