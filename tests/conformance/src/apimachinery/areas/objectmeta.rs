//! Validation of metadata, new and changed.
use super::leaf::object_meta::RULES;
use super::validation::name;
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;
use serde_json::{Map, Value, json};

pub(crate) struct ObjectMetas;

/// Mostly one of two valid texts, so that new and old often agree.
fn some(rng: &mut Rng, valid: [&str; 2]) -> String {
    if rng.chance(85) { valid[rng.below(2)].to_owned() } else { name(rng) }
}

fn owner(rng: &mut Rng) -> Value {
    let word = |rng: &mut Rng, valid: [&str; 2]| {
        if rng.chance(10) { String::new() } else { some(rng, valid) }
    };
    let mut out = json!({
        "apiVersion": word(rng, ["apps/v1", "v1"]),
        "kind": word(rng, ["Deployment", "Event"]),
        "name": word(rng, ["a", "<b>"]),
        "uid": word(rng, ["1", "2"]),
    });
    for field in ["controller", "blockOwnerDeletion"] {
        if rng.chance(40) {
            out[field] = rng.chance(60).into();
        }
    }
    out
}

fn managed(rng: &mut Rng) -> Value {
    let subresource = if rng.chance(90) { String::new() } else { "s".repeat(255 + rng.below(3)) };
    let mut out = json!({
        "manager": some(rng, ["kubectl", "x"]),
        "operation": rng.pick(&["Apply", "Update", "Update", "", "apply", "<"]),
        "apiVersion": "v1",
        "fieldsType": rng.pick(&["FieldsV1", "FieldsV1", "", "FieldsV2"]),
        "subresource": subresource,
    });
    if rng.chance(50) {
        out["fieldsV1"] = json!({"f:data": {}});
    }
    out
}

fn meta(rng: &mut Rng) -> Value {
    let mut out = Map::new();
    let mut put =
        |rng: &mut Rng, percent, field: &str, value: &mut dyn FnMut(&mut Rng) -> Value| {
            if rng.chance(percent) {
                out.insert(field.into(), value(rng));
            }
        };
    let map = |rng: &mut Rng| -> Value {
        (0..rng.below(3))
            .map(|_| (some(rng, ["app", "x.io/y"]), json!(some(rng, ["a", ""]))))
            .collect()
    };
    put(rng, 90, "name", &mut |rng| some(rng, ["web", "db"]).into());
    put(rng, 20, "generateName", &mut |rng| some(rng, ["web-", "db-"]).into());
    put(rng, 80, "namespace", &mut |rng| some(rng, ["default", "other"]).into());
    put(rng, 60, "uid", &mut |rng| (*rng.pick(&["u1", "u1", "<u2>"])).into());
    put(rng, 80, "resourceVersion", &mut |_| "7".into());
    put(rng, 60, "generation", &mut |rng| rng.between(-1, 3).into());
    let times = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"];
    put(rng, 60, "creationTimestamp", &mut |rng| (*rng.pick(&times)).into());
    put(rng, 30, "deletionTimestamp", &mut |rng| (*rng.pick(&times)).into());
    put(rng, 30, "deletionGracePeriodSeconds", &mut |rng| rng.between(0, 2).into());
    put(rng, 50, "labels", &mut |rng| map(rng));
    put(rng, 50, "annotations", &mut |rng| map(rng));
    put(rng, 50, "ownerReferences", &mut |rng| (0..rng.below(4)).map(|_| owner(rng)).collect());
    put(rng, 50, "finalizers", &mut |rng| {
        let known = ["orphan", "foregroundDeletion", "x.io/a", "x.io/b"];
        (0..rng.below(4))
            .map(|_| json!(if rng.chance(90) { (*rng.pick(&known)).to_owned() } else { name(rng) }))
            .collect()
    });
    put(rng, 30, "managedFields", &mut |rng| (0..rng.below(3)).map(|_| managed(rng)).collect());
    out.into()
}

impl Area for ObjectMetas {
    fn name(&self) -> &'static str {
        "objectmeta"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        let new = meta(rng);
        if rng.chance(50) {
            let rule = rng.pick(RULES).0;
            let input = json!({"meta": new, "namespaced": rng.chance(80), "rule": rule});
            return Case::new("objectmeta.create", input);
        }
        // The old one is a relative: some members are the same, some another's.
        let mut old = new.clone();
        let other = meta(rng);
        for field in [
            "name",
            "namespace",
            "uid",
            "generation",
            "creationTimestamp",
            "finalizers",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "labels",
        ] {
            if rng.chance(30) {
                old[field] = other[field].clone();
            }
        }
        Case::new("objectmeta.update", json!({"meta": new, "old": old}))
    }

    fn ours(&self, case: &Case) -> Answer {
        super::leaf_answer(case)
    }
}
