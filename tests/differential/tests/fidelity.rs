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

/// Nothing of the list is left out.
#[test]
fn there_are_families_enough() {
    let families = families(&place("scenarios")).expect("scenarios");
    assert!(families.len() >= 40, "{} families", families.len());
    for family in &families {
        assert!(family.steps.len() >= 4, "{} is hardly a family", family.name);
    }
}
