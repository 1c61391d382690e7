//! Field sets: parsing, printing, algebra, filters; the order and texts of values.
use super::{Answer, text};
use pintle_structured_merge::{
    Filter, ManagedFields, Path, PathElement, PathMatcher, Set, SetMatcher, VersionedSet,
    set_from_value, value_compare, value_equals,
};
use serde_json::{Map, Value, json};

fn read(text: &str) -> Result<Set, String> {
    Set::from_json(text.as_bytes()).map_err(|e| e.to_string())
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
    let matchers: Result<Vec<_>, _> =
        input["matchers"].as_array().into_iter().flatten().map(matcher).collect();
    Ok(Filter::include(matchers?).filter(&set).to_json().into())
}

/// The matcher of a path of elements, of which null is any.
pub(super) fn matcher(path: &Value) -> Result<SetMatcher, String> {
    let path = path.as_array().into_iter().flatten().map(|e| match e.as_str() {
        None => Ok(PathMatcher::Any),
        Some(e) => match PathElement::parse(e) {
            Ok(Some(e)) => Ok(PathMatcher::Element(e)),
            _ => Err(format!("no element {e}")),
        },
    });
    Ok(SetMatcher::prefix(path.collect::<Result<Vec<_>, _>>()?))
}

pub(super) fn managers_of(managers: &ManagedFields) -> Value {
    let all = managers.0.iter().map(|(name, v)| {
        let v = json!({"set": v.set.to_json(), "version": v.api_version, "applied": v.applied});
        (name.clone(), v)
    });
    Value::Object(all.collect())
}

pub(super) fn answer(function: &str, input: &Value) -> Answer {
    match function {
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
        "fieldset.managers" => {
            let (a, b) = (managers(&input["a"]), managers(&input["b"]));
            Ok(json!({"equal": a == b, "difference": managers_of(&a.difference(&b))}))
        }
        _ => Err(format!("nobody answers {function}")),
    }
}
