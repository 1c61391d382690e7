//! JSON schema over the reflective surface: what a CRD embeds for a built-in type.
use super::{Desc, Field, INLINE, ListType, NOJSON, Type};
use schemars::Schema;
use serde_json::{Map, Value, json};

/// The schema of a type, structural as CRDs need it: nothing by reference.
///
/// A type that contains itself (`JSONSchemaProps`) becomes, at the second meeting, an object that
/// preserves unknown fields.
pub fn json_schema(t: &Type) -> Schema {
    Schema::try_from(typed(t, &mut Vec::new())).unwrap_or_default()
}

fn message(d: &'static Desc, above: &mut Vec<*const Desc>) -> Value {
    if above.contains(&std::ptr::from_ref(d)) {
        return json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    }
    above.push(d);
    let schema = if d.transparent {
        typed(&d.fields[0].ty, above)
    } else {
        let mut properties = Map::new();
        let mut required = Vec::new();
        if d.kind.is_some() {
            properties.insert("apiVersion".into(), json!({"type": "string"}));
            properties.insert("kind".into(), json!({"type": "string"}));
        }
        members(d, above, &mut properties, &mut required);
        let mut s = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            s["required"] = required.into();
        }
        s
    };
    above.pop();
    schema
}

fn members(
    d: &'static Desc,
    above: &mut Vec<*const Desc>,
    properties: &mut Map<String, Value>,
    required: &mut Vec<Value>,
) {
    for f in d.fields {
        if f.flags & INLINE != 0 {
            if let Type::Msg(s) | Type::Emb(s) | Type::OptMsg(s) = f.ty {
                members(s, above, properties, required);
            }
        } else if f.flags & NOJSON == 0 {
            properties.insert(f.name.into(), member(f, above));
            if f.facts.required {
                required.push(f.name.into());
            }
        }
    }
}

fn member(f: &Field, above: &mut Vec<*const Desc>) -> Value {
    let mut s = typed(&f.ty, above);
    let Some(o) = s.as_object_mut() else { return s };
    let facts = f.facts;
    if let Ok(default) = serde_json::from_str::<Value>(facts.default) {
        o.insert("default".into(), default);
    }
    if !facts.enums.is_empty() {
        o.insert("enum".into(), facts.enums.into());
    }
    let list_type = match facts.list_type {
        ListType::None => "",
        ListType::Atomic => "atomic",
        ListType::Set => "set",
        ListType::Map => "map",
    };
    if !list_type.is_empty() {
        o.insert("x-kubernetes-list-type".into(), list_type.into());
    }
    if facts.list_type == ListType::Map {
        o.insert("x-kubernetes-list-map-keys".into(), facts.keys.into());
    }
    if facts.atomic {
        // Of a list, it is the elements that are atomic.
        let of = match o.get_mut("items") {
            Some(Value::Object(items)) => items,
            _ => o,
        };
        of.insert("x-kubernetes-map-type".into(), "atomic".into());
    }
    s
}

fn typed(t: &Type, above: &mut Vec<*const Desc>) -> Value {
    match t {
        Type::Str | Type::OptStr => json!({"type": "string"}),
        Type::I32 | Type::OptI32 => json!({"type": "integer", "format": "int32"}),
        Type::I64 | Type::OptI64 => json!({"type": "integer", "format": "int64"}),
        Type::Bool | Type::OptBool => json!({"type": "boolean"}),
        Type::F64 | Type::OptF64 => json!({"type": "number", "format": "double"}),
        Type::Bytes => json!({"type": "string", "format": "byte"}),
        Type::Leaf(l) | Type::OptLeaf(l) => serde_json::from_str(l.schema).unwrap_or_default(),
        Type::Msg(d) | Type::Emb(d) | Type::OptMsg(d) => message(d, above),
        Type::List(t) => json!({"type": "array", "items": typed(t, above)}),
        Type::Map(t) => json!({"type": "object", "additionalProperties": typed(t, above)}),
    }
}
