//! Field sets: parsing, printing, algebra, filters; the order and texts of values.
use super::member_kind;
use super::merge_values::{MEMBERS, any_value, element_text, order_of_members, set_text};
use crate::apimachinery::area::{Answer, Area, Case};
use crate::apimachinery::rng::Rng;
use pintle_structured_merge::{
    Filter, ManagedFields, Path, PathElement, PathMatcher, Set, SetMatcher, VersionedSet,
    set_from_value, value_compare, value_equals,
};
use serde_json::{Map, Value, json};

pub(crate) struct FieldSets;

/// The reason for the one difference in reading.
pub(super) const DEPTH: &str = "pintle reads 200 levels, Go 10,000";

fn text<'a>(v: &'a Value, key: &str) -> &'a str {
    v[key].as_str().unwrap_or_default()
}

fn read(text: &str) -> Result<Set, String> {
    Set::from_json(text.as_bytes()).map_err(|e| e.to_string())
}

fn versioned(rng: &mut Rng) -> Value {
    let all = (0..rng.below(4)).map(|_| {
        let set = Set::from_json(set_text(rng, false).as_bytes()).unwrap_or_default().to_json();
        let name = *rng.pick(&["a", "b", "c"]);
        let version = *rng.pick(&["v1", "v1", "v2"]);
        (name.to_owned(), json!({"set": set, "version": version, "applied": rng.chance(50)}))
    });
    Value::Object(all.collect())
}

fn managers(v: &Value) -> ManagedFields {
    let all = v.as_object().into_iter().flatten().map(|(name, v)| {
        let set = read(text(v, "set")).unwrap_or_default();
        (name.clone(), VersionedSet::new(set, text(v, "version"), v["applied"] == true))
    });
    all.collect()
}

fn algebra(a: &Set, b: &Set) -> Value {
    json!({
        "union": a.union(b).to_json(), "intersection": a.intersection(b).to_json(),
        "difference": a.difference(b).to_json(), "recursive": a.recursive_difference(b).to_json(),
        "equal": a == b,
        "has": b.paths().iter().map(|p: &Path| a.has(p)).collect::<Vec<_>>(),
        "prefixes": b.members().iter().map(|e| a.with_prefix(e).to_json()).collect::<Vec<_>>(),
        "leavesOfUnion": a.union(b).leaves().to_json(),
    })
}

fn filter(input: &Value) -> Answer {
    let set = read(text(input, "set"))?;
    if let Some(exclude) = input["exclude"].as_str() {
        return Ok(Filter::exclude(read(exclude)?).filter(&set).to_json().into());
    }
    let mut matchers = Vec::new();
    for path in input["matchers"].as_array().into_iter().flatten() {
        let path = path.as_array().into_iter().flatten().map(|e| match e.as_str() {
            None => Ok(PathMatcher::Any),
            Some(e) => match PathElement::parse(e) {
                Ok(Some(e)) => Ok(PathMatcher::Element(e)),
                _ => Err(format!("no element {e}")),
            },
        });
        matchers.push(SetMatcher::prefix(path.collect::<Result<Vec<_>, _>>()?));
    }
    Ok(Filter::include(matchers).filter(&set).to_json().into())
}

impl Area for FieldSets {
    fn name(&self) -> &'static str {
        "fieldset"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        match rng.below(20) {
            0..5 => Case::new("fieldset.parse", set_text(rng, true)),
            5..8 => Case::new("fieldset.element", element_text(rng, true)),
            8..13 => {
                let (a, b) = (set_text(rng, false), set_text(rng, false));
                Case::new("fieldset.algebra", json!({"a": a, "b": b}))
            }
            13..16 => {
                let mut input = json!({"set": set_text(rng, false)});
                if rng.chance(30) {
                    input["exclude"] = set_text(rng, false).into();
                } else {
                    let element = |rng: &mut Rng| match rng.chance(35) {
                        true => Value::Null,
                        false => element_text(rng, false).into(),
                    };
                    let path = |rng: &mut Rng| -> Vec<Value> {
                        (0..rng.below(4)).map(|_| element(rng)).collect()
                    };
                    let all: Vec<Vec<Value>> = (0..rng.below(4)).map(|_| path(rng)).collect();
                    input["matchers"] = json!(all);
                }
                Case::new("fieldset.filter", input)
            }
            16 => Case::new("fieldset.fromValue", any_value(rng, 4)),
            17 | 18 => {
                let a = any_value(rng, 2);
                let b = if rng.chance(20) { a.clone() } else { any_value(rng, 2) };
                Case::new("fieldset.values", json!({"a": a, "b": b}))
            }
            _ => {
                let (a, b) = (versioned(rng), versioned(rng));
                Case::new("fieldset.managers", json!({"a": a, "b": b}))
            }
        }
    }

    fn ours(&self, case: &Case) -> Answer {
        let input = &case.input;
        match case.function {
            "fieldset.parse" => {
                let set = read(input.as_str().unwrap_or_default())?;
                Ok(json!({
                    "json": set.to_json(), "string": set.to_string(), "size": set.len(),
                    "empty": set.is_empty(), "leaves": set.leaves().to_json(),
                }))
            }
            "fieldset.element" => {
                let parsed = PathElement::parse(input.as_str().unwrap_or_default());
                Ok(match parsed.map_err(|e| e.to_string())? {
                    None => Value::Null,
                    Some(e) => json!({"text": e.serialize(), "string": e.to_string()}),
                })
            }
            "fieldset.algebra" => Ok(algebra(&read(text(input, "a"))?, &read(text(input, "b"))?)),
            "fieldset.filter" => filter(input),
            "fieldset.fromValue" => {
                Ok(set_from_value(input).map_err(|e| e.to_string())?.to_json().into())
            }
            "fieldset.values" => {
                let (a, b) = (&input["a"], &input["b"]);
                let order = value_compare(a, b) as i32;
                let e = PathElement::value(a.clone());
                // Of a value alone there is no text; an element shows it.
                let shown = e.to_string();
                let mut out = Map::new();
                out.insert("equals".into(), value_equals(a, b).into());
                out.insert("compare".into(), order.into());
                out.insert("json".into(), e.serialize()[2..].into());
                if !a.to_string().contains('{') {
                    out.insert("string".into(), shown[2..shown.len() - 1].into());
                }
                Ok(Value::Object(out))
            }
            _ => {
                let (a, b) = (managers(&input["a"]), managers(&input["b"]));
                let show = |m: ManagedFields| -> Value {
                    let all = m.0.into_iter().map(|(name, v)| {
                        (name, json!({"set": v.set.to_json(), "version": v.api_version, "applied": v.applied}))
                    });
                    Value::Object(all.collect())
                };
                Ok(json!({"equal": a == b, "difference": show(a.difference(&b))}))
            }
        }
    }

    fn same(&self, case: &Case, ours: &Answer, go: &Answer) -> bool {
        // The forms of fmt are compared where validation shows them.
        let mut go = go.clone();
        if let (Ok(Value::Object(o)), "fieldset.values") = (&mut go, case.function) {
            o.remove("v");
            o.remove("syntax");
        }
        match (ours, &go) {
            (Ok(a), Ok(b)) => crate::apimachinery::area::same(a, b),
            (a, b) => a == b,
        }
    }

    fn kind(&self, case: &Case, ours: &Answer, go: &Answer) -> String {
        member_kind(case, ours, go)
    }

    fn deliberate(&self, _: &Case, ours: &Answer, go: &Answer) -> Option<&'static str> {
        if let (Ok(ours), Ok(go)) = (ours, go)
            && order_of_members(ours, go)
        {
            return Some(MEMBERS);
        }
        let deep = ours.as_ref().is_err_and(|e| e.contains("exceeded max depth"));
        deep.then_some(DEPTH)
    }
}
