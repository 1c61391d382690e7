//! Every area: a module and one line in [`ALL`].
use super::area::{Answer, Area, Case, differences};

mod apply;
mod converter;
mod custom;
mod declarative;
mod deliberate;
mod field;
mod fields;
mod fieldset;
mod jsonpatch;
mod kinds;
mod labels;
/// Our answers are those of the crate's own tests.
#[path = "../../../../../crates/apimachinery/tests/answers/leaf/mod.rs"]
mod leaf;
/// Our answers are those of the crate's own tests.
#[path = "../../../../../crates/structured-merge/tests/answers/answer/mod.rs"]
mod merge_answers;
mod merge_schemas;
mod merge_updater;
mod merge_values;
mod mergepatch;
mod meta;
mod objectmeta;
/// Our answers are those of the crate's own tests.
#[path = "../../../../../crates/patch/tests/answers/answer.rs"]
mod patch_answers;
mod patch_documents;
mod quantity;
mod query;
mod random_object;
#[path = "../../../../../crates/apimachinery/tests/answers/runtime.rs"]
mod runtime;
mod strategicmerge;
mod strict;
mod structuredmerge;
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
    &meta::VERSION_ORDER,
    &meta::RESOURCE_VERSION,
    &meta::INTSTR,
    &meta::LABEL_SELECTOR,
    &meta::OPTIONS,
    &meta::STATUS,
    &meta::CONDITIONS,
    &meta::TABLE,
    &meta::REST_MAPPER,
    &meta::DURATION,
    &meta::WAIT,
    &meta::CACHE,
    &meta::YAML,
    &validation::Validation,
    &field::Fields,
    &objectmeta::ObjectMetas,
    &declarative::Declarative,
    &jsonpatch::JsonPatches,
    &mergepatch::MergePatches,
    &strategicmerge::StrategicMerge,
    &fieldset::FieldSets,
    &structuredmerge::StructuredMerge,
    &kinds::Defaults,
    &kinds::ValidationOfKinds,
    &custom::Writes,
    &custom::Definitions,
    &apply::Apply,
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
