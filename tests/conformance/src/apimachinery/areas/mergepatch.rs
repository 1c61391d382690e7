//! JSON merge patch: applying, merging, creating, two- and three-way.
use super::patch_documents::{
    answer, changed, errors, members, one_of, preconditions, shrink, value,
};
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;
use pintle_patch::merge;
use serde_json::{Value, json};

pub(crate) struct MergePatches;

/// A document; sometimes something that is none.
fn document(rng: &mut Rng) -> Value {
    if rng.chance(93) { members(rng, 3) } else { value(rng, 2) }
}

impl Area for MergePatches {
    fn name(&self) -> &'static str {
        "mergepatch"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        let original = document(rng);
        let variant = |rng: &mut Rng| {
            if rng.chance(80) { changed(rng, &original) } else { document(rng) }
        };
        let modified = variant(rng);
        let current = variant(rng);
        let patch = match merge::diff(&original, &modified) {
            Ok(patch) if rng.chance(40) => patch,
            _ => variant(rng),
        };
        match rng.below(8) {
            0 | 1 => Case::new("mergepatch.apply", json!({"original": original, "patch": patch})),
            2 => Case::new("mergepatch.merge", json!({"original": original, "patch": patch})),
            3 | 4 => {
                let input = if rng.chance(10) {
                    let list = |rng: &mut Rng| -> Value {
                        (0..rng.below(3)).map(|_| document(rng)).collect()
                    };
                    json!({"original": list(rng), "modified": list(rng)})
                } else {
                    json!({"original": original, "modified": modified})
                };
                Case::new("mergepatch.diff", input)
            }
            5 | 6 => {
                let conditions = preconditions(rng, &["a", "b", "c", "0", "metadata"]);
                let input = json!({
                    "original": original, "modified": modified, "current": current,
                    "preconditions": conditions,
                });
                Case::new("mergepatch.threeway", input)
            }
            _ => Case::new(
                "mergepatch.conflicts",
                json!({"original": original, "modified": modified}),
            ),
        }
    }

    fn ours(&self, case: &Case) -> Answer {
        answer(case)
    }

    fn shrink(&self, case: &Case) -> Vec<Case> {
        shrink(case)
    }

    fn same(&self, _: &Case, ours: &Answer, go: &Answer) -> bool {
        one_of(ours, go)
    }

    fn deliberate(&self, _: &Case, _: &Answer, go: &Answer) -> Option<&'static str> {
        let panics = errors(go).iter().any(|error| error.starts_with("panic: "));
        panics.then_some("Go panics; ours says what is wrong")
    }
}
