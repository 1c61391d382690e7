//! The JSON form of the YAML in which Go writes schemas: `typed.NewParser`.
use super::{Atom, List, Map, Relationship, Scalar, Schema, StructField, TypeDef, TypeRef, Union};
use crate::MAX_DEPTH;
use pintle_apimachinery::{Error, Str};
use serde_json::{Map as Object, Value};

impl Schema {
    /// From `{"types": [{"name": ..., "map": {"fields": [...]}}]}`, which is the form of Go's
    /// schema YAML. Read YAML into a JSON value first.
    ///
    /// # Errors
    /// Something is not as the form has it; the message names the type.
    pub fn from_json(value: &Value) -> Result<Schema, Error> {
        let Some(schema) = value.as_object() else {
            return Err(Error::decode("schema: expected a map with the list \"types\""));
        };
        let mut types = Vec::new();
        for (i, ty) in list(schema, "types")?.iter().enumerate() {
            let read = || {
                let ty = object(ty)?;
                Ok(TypeDef { name: text(ty, "name")?.unwrap_or_default(), atom: atom(ty, 0)? })
            };
            types.push(read().map_err(|e: Error| e.context(format_args!("schema: type {i}")))?);
        }
        Ok(Schema::new(types))
    }
}

fn object(v: &Value) -> Result<&Object<String, Value>, Error> {
    v.as_object().ok_or_else(|| Error::decode(format!("expected a map, got {v}")))
}

fn list<'a>(o: &'a Object<String, Value>, key: &str) -> Result<&'a [Value], Error> {
    match o.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(a)) => Ok(a),
        Some(v) => Err(Error::decode(format!("{key}: expected a list, got {v}"))),
    }
}

fn text(o: &Object<String, Value>, key: &str) -> Result<Option<Str>, Error> {
    match o.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok(Some(s.into())),
        Some(v) => Err(Error::decode(format!("{key}: expected a string, got {v}"))),
    }
}

fn member<'a>(
    o: &'a Object<String, Value>,
    key: &str,
) -> Result<Option<&'a Object<String, Value>>, Error> {
    match o.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(v) => object(v).map(Some),
    }
}

fn type_ref(o: &Object<String, Value>, key: &str, depth: usize) -> Result<TypeRef, Error> {
    let Some(o) = member(o, key)? else { return Ok(TypeRef::default()) };
    Ok(TypeRef {
        named: text(o, "namedType")?,
        inlined: atom(o, depth + 1)?,
        relationship: relationship(o)?,
        nullable: o.get("nullable") == Some(&Value::Bool(true)),
    })
}

fn relationship(o: &Object<String, Value>) -> Result<Option<Relationship>, Error> {
    Ok(match text(o, "elementRelationship")?.as_deref() {
        None | Some("") => None,
        Some("associative") => Some(Relationship::Associative),
        Some("atomic") => Some(Relationship::Atomic),
        Some("separable") => Some(Relationship::Separable),
        Some(other) => {
            return Err(Error::decode(format!(
                "elementRelationship: {other:?} is none of associative, atomic, separable"
            )));
        }
    })
}

fn atom(o: &Object<String, Value>, depth: usize) -> Result<Atom, Error> {
    if depth > MAX_DEPTH {
        return Err(crate::too_deep());
    }
    let scalar = match text(o, "scalar")?.as_deref() {
        None => None,
        Some("numeric") => Some(Scalar::Numeric),
        Some("string") => Some(Scalar::String),
        Some("boolean") => Some(Scalar::Boolean),
        Some("untyped") => Some(Scalar::Untyped),
        Some(other) => {
            return Err(Error::decode(format!(
                "scalar: {other:?} is none of numeric, string, boolean, untyped"
            )));
        }
    };
    let list = match member(o, "list")? {
        None => None,
        Some(o) => {
            let relationship = relationship(o)?.ok_or_else(|| {
                Error::decode("list: elementRelationship must be atomic or associative")
            })?;
            let keys = list(o, "keys")?.iter().map(|k| match k {
                Value::String(s) => Ok(s.into()),
                v => Err(Error::decode(format!("keys: expected a string, got {v}"))),
            });
            Some(Box::new(List {
                element_type: type_ref(o, "elementType", depth)?,
                relationship,
                keys: keys.collect::<Result<_, _>>()?,
            }))
        }
    };
    let map = match member(o, "map")? {
        None => None,
        Some(o) => Some(Box::new(map(o, depth)?)),
    };
    Ok(Atom { scalar, list, map })
}

fn map(o: &Object<String, Value>, depth: usize) -> Result<Map, Error> {
    let mut fields = Vec::new();
    for f in list(o, "fields")? {
        let f = object(f)?;
        fields.push(StructField {
            name: text(f, "name")?.unwrap_or_default(),
            ty: type_ref(f, "type", depth)?,
            default: f.get("default").filter(|d| !d.is_null()).cloned(),
        });
    }
    let mut unions = Vec::new();
    for u in list(o, "unions")? {
        let u = object(u)?;
        let mut fields = Vec::new();
        for f in list(u, "fields")? {
            let f = object(f)?;
            let name = text(f, "fieldName")?.unwrap_or_default();
            fields.push((name, text(f, "discriminatorValue")?.unwrap_or_default()));
        }
        unions.push(Union {
            discriminator: text(u, "discriminator")?,
            deduce_invalid_discriminator: u.get("deduceInvalidDiscriminator")
                == Some(&Value::Bool(true)),
            fields,
        });
    }
    let mut map = Map::with_fields(fields);
    map.element_type = type_ref(o, "elementType", depth)?;
    map.relationship = relationship(o)?;
    map.unions = unions;
    Ok(map)
}
