//! The areas of `apimachinery::meta`, `apimachinery::util` and what belongs to them. Our answers are
//! those of the crate's own tests.
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;

mod mapper;
mod objects;
mod small;
mod status;
mod table;
mod time;

#[path = "../../../../../../crates/apimachinery/tests/answers/meta.rs"]
mod meta_answers;
#[path = "../../../../../../crates/apimachinery/tests/answers/util.rs"]
mod util_answers;

/// An area by what makes its cases and what differs on purpose.
pub(crate) struct Generated {
    name: &'static str,
    generate: fn(&mut Rng) -> Case,
    deliberate: fn(&Case, &Answer, &Answer) -> Option<&'static str>,
}

const fn area(name: &'static str, generate: fn(&mut Rng) -> Case) -> Generated {
    Generated { name, generate, deliberate: |_, _, _| None }
}

pub(crate) static VERSION_ORDER: Generated = area("versionorder", small::versions);
pub(crate) static RESOURCE_VERSION: Generated = area("resourceversion", small::resource_versions);
pub(crate) static INTSTR: Generated = area("intstr", small::int_or_string);
pub(crate) static LABEL_SELECTOR: Generated =
    area("labelselector-conversion", objects::label_selectors);
pub(crate) static OPTIONS: Generated = area("listoptions-validation", objects::options);
pub(crate) static CONDITIONS: Generated = area("conditions", objects::conditions);
pub(crate) static STATUS: Generated = area("status", status::statuses);
pub(crate) static TABLE: Generated =
    Generated { deliberate: table::any_member, ..area("table", table::tables) };
pub(crate) static REST_MAPPER: Generated = area("restmapper", mapper::mappers);
pub(crate) static DURATION: Generated = area("duration", time::durations);
pub(crate) static CACHE: Generated = area("cache", time::caches);
pub(crate) static WAIT: Generated =
    Generated { deliberate: time::wrapped, ..area("wait", time::waits) };
pub(crate) static YAML: Generated =
    Generated { deliberate: small::lost_document, ..area("yaml-split", small::yaml) };

impl Area for Generated {
    fn name(&self) -> &'static str {
        self.name
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        (self.generate)(rng)
    }

    fn ours(&self, case: &Case) -> Answer {
        meta_answers::answer(case.function, &case.input)
            .or_else(|| util_answers::answer(case.function, &case.input))
            .unwrap_or_else(|| Err(format!("no answer to {}", case.function)))
    }

    fn deliberate(&self, case: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        (self.deliberate)(case, ours, go)
    }
}
