//! Field selectors: parse, print, match.
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;
use serde_json::json;

pub(crate) struct Fields;

const PIECES: &[&str] = &["a", "b", "=", "==", "!=", "!", ",", "\\", "é", "x.y", " "];

fn selector(rng: &mut Rng) -> String {
    if rng.chance(30) {
        return rng.text(PIECES, 8);
    }
    let mut terms = Vec::new();
    for _ in 0..rng.below(4) {
        let key = *rng.pick(&["a", "b", "metadata.name", "spec.nodeName", "x\\,y", ""]);
        let op = *rng.pick(&["=", "==", "!="]);
        let value = *rng.pick(&["", "a", "b", "node-1", "\\=", "\\\\", "é"]);
        terms.push(format!("{key}{op}{value}"));
    }
    let text = terms.join(",");
    if rng.chance(30) { rng.mutate(&text, PIECES) } else { text }
}

impl Area for Fields {
    fn name(&self) -> &'static str {
        "fields"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        let text = selector(rng);
        match rng.below(8) {
            0..=3 => return Case::new("fields.parse", text),
            4 => {
                let key = *rng.pick(&["a", "b", "x,y", "metadata.name", ""]);
                return Case::new("fields.exact", json!({"selector": text, "key": key}));
            }
            5 => {
                let text = rng.text(&["a", "\\", ",", "=", "é", "\\,", "\\="], 6);
                return Case::new("fields.escape", text);
            }
            _ => {}
        }
        let mut set = serde_json::Map::new();
        for _ in 0..rng.below(3) {
            let key = *rng.pick(&["a", "b", "ab", "metadata.name", "x,y"]);
            set.insert(key.into(), (*rng.pick(&["", "a", "b", "node-1"])).into());
        }
        Case::new("fields.matches", json!({"selector": text, "set": set}))
    }

    fn ours(&self, case: &Case) -> Answer {
        super::leaf_answer(case)
    }
}
