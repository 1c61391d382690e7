//! Typed values and schemas.
use super::{Answer, type_of};
use pintle_apimachinery::Error;
use pintle_structured_merge::{
    Relationship, Schema, Set, TypeConverter, TypeRef, TypeTable, TypedValue,
};
use serde_json::{Map, Value, json};

/// The error's text, with its lines sorted: Go walks maps in no order.
pub(super) fn sorted_lines(e: &Error) -> String {
    let text = e.to_string();
    let Some((head, lines)) = text.split_once("errors:\n") else { return text };
    let mut lines: Vec<&str> = lines.split('\n').collect();
    lines.sort_unstable();
    format!("{head}errors:\n{}", lines.join("\n"))
}

fn outcome<T>(result: Result<T, Error>, show: impl FnOnce(T) -> Value) -> Value {
    match result {
        Ok(v) => json!({"out": show(v)}),
        Err(e) => json!({"error": sorted_lines(&e)}),
    }
}

fn typed(input: &Value) -> Answer {
    let ty = type_of(input)?;
    let items = Set::from_json(input["items"].as_str().unwrap_or_default().as_bytes());
    let items = items.map_err(|e| e.to_string())?;
    let read = |v: &Value| {
        if input["duplicates"] == true {
            ty.typed_with_duplicates(v.clone())
        } else {
            ty.typed(v.clone())
        }
    };
    let (l, r) = (read(&input["l"]), read(&input["r"]));
    let mut out = Map::new();
    let (l, r) = match (l, r) {
        (Ok(l), Ok(r)) => (l, r),
        (l, r) => {
            for (key, side) in [("l", l), ("r", r)] {
                if let Err(e) = side {
                    out.insert(key.into(), outcome::<()>(Err(e), |()| Value::Null));
                }
            }
            return Ok(Value::Object(out));
        }
    };
    let set = |v: &TypedValue| outcome(v.to_field_set(), |s| s.to_json().into());
    let value = |v: TypedValue| v.value().clone();
    let mut put = |key: &str, v: Value| out.insert(key.to_owned(), v);
    put("lSet", set(&l));
    put("rSet", set(&r));
    put("merge", outcome(l.merge(&r), value));
    put(
        "compare",
        outcome(l.compare(&r), |c| {
            json!({
                "removed": c.removed.to_json(), "modified": c.modified.to_json(), "added": c.added.to_json(),
                "same": c.is_same(), "string": c.to_string(),
            })
        }),
    );
    put("remove", value(l.remove_items(&items)));
    put("extract", value(l.extract_items(&items)));
    put("extractKeys", value(l.extract_items_with_keys(&items)));
    if let Ok(set) = r.to_field_set() {
        put("removeR", value(l.remove_items(&set)));
        put("extractR", value(l.extract_items(&set.leaves())));
    }
    Ok(Value::Object(out))
}

fn reconcile(input: &Value) -> Answer {
    let ty = type_of(input)?;
    let set = Set::from_json(input["set"].as_str().unwrap_or_default().as_bytes());
    let set = set.map_err(|e| e.to_string())?;
    let value = ty.typed_with_duplicates(input["value"].clone()).map_err(|e| sorted_lines(&e))?;
    let out = value.reconcile_field_set(&set).map_err(|e| e.to_string())?;
    Ok(out.map_or(Value::Null, |s| s.to_json().into()))
}

pub(super) fn answer(function: &str, input: &Value) -> Answer {
    match function {
        "merge.typed" => typed(input),
        "merge.reconcile" => reconcile(input),
        "merge.schema" => {
            let ty = type_of(&json!({"kind": input}))?;
            Ok(shape(ty.schema(), ty.type_ref()))
        }
        "merge.openapi" => {
            let models = input["models"].as_object().cloned().unwrap_or_default();
            let schema = Schema::from_openapi(&models, input["preserve"] == true).map_err(|e| {
                let text = e.to_string();
                let mut lines: Vec<&str> = text.split('\n').collect();
                lines.sort_unstable();
                lines.join("\n")
            })?;
            let own = schema.types().iter().filter(|t| !t.name.starts_with("__"));
            let all =
                own.map(|t| (t.name.to_string(), shape(&schema, &TypeRef::named(t.name.clone()))));
            Ok(Value::Object(all.collect()))
        }
        "merge.crd" => {
            let table = TypeTable::from_crd(input).map_err(|e| e.to_string())?;
            let all = table.kinds().filter_map(|gvk| {
                let ty = table.type_of(gvk)?;
                let name = format!("{}/{}", gvk.version, gvk.kind);
                Some((name, shape(ty.schema(), ty.type_ref())))
            });
            Ok(Value::Object(all.collect()))
        }
        _ => Err(format!("nobody answers {function}")),
    }
}

const DEPTH: usize = 24;

/// A type written out, whatever its types are called; as the Go program does it.
fn shape(schema: &Schema, ty: &TypeRef) -> Value {
    walk(schema, ty, &mut Vec::new(), DEPTH)
}

fn walk(schema: &Schema, ty: &TypeRef, above: &mut Vec<String>, depth: usize) -> Value {
    let named = ty.named.as_deref().map(str::to_owned);
    if let Some(name) = &named {
        if name.starts_with("__untyped_") {
            return name.clone().into();
        }
        if above.contains(name) {
            return "again".into();
        }
        above.push(name.clone());
    }
    let out = atom(schema, ty, above, depth);
    if named.is_some() {
        above.pop();
    }
    out
}

fn atom(schema: &Schema, ty: &TypeRef, above: &mut Vec<String>, depth: usize) -> Value {
    let Some(atom) = schema.resolve(ty) else { return "unresolved".into() };
    if depth == 0 {
        return "deep".into();
    }
    let mut out = Map::new();
    if let Some(s) = atom.scalar {
        out.insert("scalar".into(), s.name().into());
    }
    if let Some(list) = atom.list {
        let of = walk(schema, &list.element_type, above, depth - 1);
        // What a reference says of elements holds for lists as well.
        let relationship = ty.relationship.unwrap_or(list.relationship);
        let mut l = json!({"of": of, "relationship": relationship.name()});
        if !list.keys.is_empty() {
            l["keys"] = list.keys.iter().map(|k| k.to_string()).collect::<Vec<_>>().into();
        }
        out.insert("list".into(), l);
    }
    if let Some(map) = atom.map {
        let mut fields = Map::new();
        for f in map.fields() {
            let mut field = json!({"type": walk(schema, &f.ty, above, depth - 1)});
            if let Some(d) = f.default.as_ref().filter(|d| **d != json!({})) {
                field["default"] = d.clone();
            }
            fields.insert(f.name.to_string(), field);
        }
        let mut m = json!({"fields": fields});
        if ty.relationship.or(map.relationship) == Some(Relationship::Atomic) {
            m["relationship"] = "atomic".into();
        }
        if map.element_type != TypeRef::default() {
            m["of"] = walk(schema, &map.element_type, above, depth - 1);
        }
        out.insert("map".into(), m);
    }
    Value::Object(out)
}
