//! Typed values: validation, comparison, merging, removal, extraction; ownership while schemas
//! change; schemas of built-in kinds, of OpenAPI and of CRDs.
use super::fieldset::DEPTH;
use super::member_kind;
use super::merge_answers::{answer, type_of};
use super::merge_schemas::{crd, models, schema_input};
use super::merge_updater;
use super::merge_values::{
    KINDS, MEMBERS, Noise, QUIET, SOME, kind_input, order_of_members, part_of, set_text, value_of,
    variant,
};
use crate::apimachinery::area::{Answer, Area, Case, differences, same};
use crate::apimachinery::rng::Rng;
use crate::apimachinery::shrink;
use pintle_structured_merge::ParseableType;
use serde_json::{Map, Value, json};

pub(crate) struct StructuredMerge;

/// The input of a type: synthetic, built-in, or none for the deduced type.
pub(super) fn type_input(rng: &mut Rng) -> Map<String, Value> {
    let mut out = Map::new();
    match rng.below(10) {
        0..5 => {
            let (schema, name) = schema_input(rng);
            out.insert("schema".into(), schema);
            out.insert("name".into(), name.into());
        }
        5..8 => {
            out.insert("kind".into(), kind_input(rng));
        }
        8 => {
            let crd = crd(rng, false);
            let spec = &crd["spec"];
            out.insert("kind".into(), json!({
                "group": spec["group"], "version": spec["versions"][0]["name"], "kind": spec["names"]["kind"],
            }));
            out.insert("crd".into(), crd);
        }
        _ => {}
    }
    out
}

fn noise(rng: &mut Rng) -> Noise {
    if rng.chance(50) { QUIET } else { SOME }
}

fn typed_case(rng: &mut Rng) -> Case {
    let mut input = type_input(rng);
    let ty = type_of(&Value::Object(input.clone())).unwrap_or_else(|_| ParseableType::deduced());
    let (schema, noise) = (ty.schema().clone(), noise(rng));
    let l = value_of(rng, &schema, ty.type_ref(), noise, 7);
    let r = variant(rng, &schema, ty.type_ref(), &l, noise, 7);
    let items = match rng.below(3) {
        0 => set_text(rng, false),
        n => {
            let from = if n == 1 { &l } else { &r };
            let set = ty.typed_with_duplicates(from.clone()).and_then(|v| v.to_field_set());
            part_of(rng, &set.unwrap_or_default()).to_json()
        }
    };
    input.insert("l".into(), l);
    input.insert("r".into(), r);
    input.insert("duplicates".into(), rng.chance(60).into());
    input.insert("items".into(), items.into());
    Case::new("merge.typed", Value::Object(input))
}

fn reconcile_case(rng: &mut Rng) -> Case {
    let mut input = type_input(rng);
    let ty = type_of(&Value::Object(input.clone())).unwrap_or_else(|_| ParseableType::deduced());
    let schema = ty.schema().clone();
    let value = value_of(rng, &schema, ty.type_ref(), QUIET, 7);
    // As if nothing had been atomic before.
    let before = pintle_structured_merge::set_from_value(&value).unwrap_or_default();
    let now =
        ty.typed_with_duplicates(value.clone()).and_then(|v| v.to_field_set()).unwrap_or_default();
    let set = part_of(rng, &before).union(&part_of(rng, &now));
    input.insert("set".into(), set.to_json().into());
    input.insert("value".into(), value);
    Case::new("merge.reconcile", Value::Object(input))
}

impl Area for StructuredMerge {
    fn name(&self) -> &'static str {
        "structuredmerge"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        match rng.below(100) {
            0..55 => typed_case(rng),
            55..80 => merge_updater::case(rng),
            80..90 => reconcile_case(rng),
            90..92 => {
                let gvk = rng.pick(&KINDS);
                let input = json!({"group": gvk.group, "version": gvk.version, "kind": gvk.kind});
                Case::new("merge.schema", input)
            }
            92..97 => {
                let input = json!({"models": models(rng), "preserve": rng.chance(20)});
                Case::new("merge.openapi", input)
            }
            _ => Case::new("merge.crd", crd(rng, true)),
        }
    }

    fn ours(&self, case: &Case) -> Answer {
        answer(case.function, &case.input).unwrap_or_else(|| Err("nobody answers".into()))
    }

    fn shrink(&self, case: &Case) -> Vec<Case> {
        if case.function != "merge.updater" {
            return shrink::generic(case);
        }
        // What the schemas are stays: others are another matter.
        let keep = ["schemas", "renamed"];
        let mut input = case.input.clone();
        let kept: Vec<_> = keep.map(|key| (key, input[key].take())).into();
        let smaller = shrink::generic(&Case::new(case.function, input));
        let complete = |mut smaller: Case| {
            for (key, value) in &kept {
                smaller.input[*key] = value.clone();
            }
            let ops = smaller.input["ops"].as_array();
            ops.is_some_and(|ops| ops.iter().all(|op| op["op"].is_string())).then_some(smaller)
        };
        smaller.into_iter().filter_map(complete).collect()
    }

    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        if let ("merge.schema", Ok(ours), Ok(go)) = (case.function, ours, go) {
            let first = differences(ours, go).into_iter().next().map(|d| d.0);
            return format!("merge.schema of {}{}", case.input["kind"], first.unwrap_or_default());
        }
        member_kind(case, ours, go)
    }

    fn deliberate(&self, _: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        if ours.as_ref().is_err_and(|e| e.contains("exceeded max depth")) {
            return Some(DEPTH);
        }
        chance(ours, go)
    }
}

/// A difference that is only in which of several errors Go comes upon.
fn chance(ours: &Answer, go: &Answer) -> Option<&'static str> {
    let (Ok(ours), Ok(go)) = (ours, go) else { return None };
    if order_of_members(ours, go) {
        return Some(MEMBERS);
    }
    const CHANCE: &str = "Go walks maps in no order and stops at the first undeclared field, so which errors it finds is chance";
    if let (Some(ours), Some(go)) = (ours.as_array(), go.as_array()) {
        let undeclared = |step: &Value| {
            step["error"].as_str().is_some_and(|e| e.contains("field not declared in schema"))
        };
        let fine = ours.len() == go.len()
            && ours
                .iter()
                .zip(go)
                .all(|(ours, go)| same(ours, go) || undeclared(ours) && undeclared(go));
        return fine.then_some(CHANCE);
    }
    let (ours, go) = (ours.as_object()?, go.as_object()?);
    let several = |o: &Map<String, Value>, key: &str| {
        o.get(key)?["error"].as_str().map(|e| e.contains("field not declared in schema"))
    };
    let fine = ours.len() == go.len()
        && ours.iter().all(|(key, v)| {
            go.get(key).is_some_and(|go| go == v || order_of_members(v, go))
                || (several(ours, key) == Some(true) || several(go, key) == Some(true))
                    && several(ours, key).is_some()
                    && several(go, key).is_some()
        });
    fine.then_some(CHANCE)
}
