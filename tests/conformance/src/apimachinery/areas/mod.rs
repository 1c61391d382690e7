//! Every area: a module and one line in [`ALL`].
use super::area::{Answer, Area, Case, differences};

mod converter;
mod declarative;
mod field;
mod fields;
mod jsonpatch;
mod labels;
/// Our answers are those of the crate's own tests.
#[path = "../../../../../crates/apimachinery/tests/answers/leaf/mod.rs"]
mod leaf;
mod mergepatch;
mod objectmeta;
/// Our answers are those of the crate's own tests.
#[path = "../../../../../crates/patch/tests/answers/answer.rs"]
mod patch_answers;
mod patch_documents;
mod quantity;
mod query;
mod random_object;
mod strategicmerge;
mod strict;
mod time;
mod transcode;
mod validation;

/// Every area, in the order of the report.
#[rustfmt::skip] // a line each, so that they are added side by side
pub(crate) static ALL: &[&dyn Area] = &[
    &quantity::Quantities,
    &labels::Labels,
    &fields::Fields,
    &time::Times,
    &transcode::Transcode,
    &strict::Strict,
    &converter::Converter,
    &query::Query,
    &validation::Validation,
    &field::Fields,
    &objectmeta::ObjectMetas,
    &declarative::Declarative,
    &jsonpatch::JsonPatches,
    &mergepatch::MergePatches,
    &strategicmerge::StrategicMerge,
];

/// Our answer to a case of the leaf areas.
fn leaf_answer(case: &Case) -> Answer {
    leaf::answer(case.function, &case.input)
        .unwrap_or_else(|| Err(format!("nobody answers {}", case.function)))
}

/// What kind of disagreement it is, where the output is an object with an answer a member: the
/// first member that differs.
fn member_kind(case: &Case, ours: &Answer, go: &Answer) -> String {
    let differs = match (ours, go) {
        (Ok(ours), Ok(go)) => differences(ours, go).into_iter().next(),
        _ => None,
    };
    let member = differs.map_or_else(String::new, |(path, ..)| {
        let end = path.get(1..).unwrap_or_default().find(['.', '[']).map_or(path.len(), |i| i + 1);
        path[..end].to_owned()
    });
    format!("{}{member}", case.function)
}
