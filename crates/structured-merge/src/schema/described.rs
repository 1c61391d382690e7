//! Schemas from the reflective surface of built-in types: the same that the API server makes of
//! the OpenAPI of those types.
use super::{
    Atom, List, Map, Relationship, Scalar, Schema, StructField, TypeDef, TypeRef, UNTYPED_ATOMIC,
    UNTYPED_DEDUCED, untyped_defs,
};
use pintle_apimachinery::Str;
use pintle_apimachinery::reflect::{
    Desc, Field, INLINE, ListType, NOJSON, OMITEMPTY, OMITZERO, Type,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

impl Schema {
    /// The types behind these descriptions, and the names of the described types in order.
    ///
    /// ```
    /// use pintle_apimachinery::reflect::Described;
    /// use pintle_api::apps_v1::Deployment;
    /// use pintle_structured_merge::Schema;
    /// let (schema, names) = Schema::of([Deployment::described()]);
    /// let deployment = schema.find(&names[0]).unwrap().atom.map.as_ref().unwrap();
    /// assert!(deployment.field("spec").is_some());
    /// ```
    pub fn of(described: impl IntoIterator<Item = &'static Desc>) -> (Schema, Vec<Str>) {
        let mut builder = Builder::default();
        let names = described.into_iter().map(|d| builder.name_of(d)).collect();
        while let Some((name, desc)) = builder.waiting.pop() {
            let atom = builder.atom(desc);
            builder.types.push(TypeDef { name, atom });
        }
        builder.types.extend(untyped_defs());
        (Schema::new(builder.types), names)
    }
}

#[derive(Default)]
struct Builder {
    types: Vec<TypeDef>,
    /// By the order of addresses, which is the same in every run.
    names: BTreeMap<*const Desc, Str>,
    taken: HashMap<&'static str, usize>,
    waiting: Vec<(Str, &'static Desc)>,
}

impl Builder {
    fn name_of(&mut self, desc: &'static Desc) -> Str {
        if let Some(name) = self.names.get(&std::ptr::from_ref(desc)) {
            return name.clone();
        }
        // Types of different groups may share a name.
        let n = self.taken.entry(desc.name).or_insert(0);
        *n += 1;
        let name = if *n == 1 { desc.name.into() } else { Str::from(format!("{}.{n}", desc.name)) };
        self.names.insert(desc, name.clone());
        self.waiting.push((name.clone(), desc));
        name
    }

    fn atom(&mut self, desc: &'static Desc) -> Atom {
        if let (true, Some(only)) = (desc.transparent, desc.fields.first()) {
            return self.type_of(only).inlined;
        }
        let mut fields = Vec::new();
        if desc.kind.is_some() {
            for name in ["apiVersion", "kind"] {
                let ty = TypeRef::inlined(Atom::scalar(Scalar::String));
                fields.push(StructField { name: name.into(), ty, default: None });
            }
        }
        self.fields(desc, &mut fields);
        let mut map = Map::with_fields(fields);
        if map.fields().is_empty() {
            map.element_type = TypeRef::named(UNTYPED_DEDUCED);
        }
        Atom::map(map)
    }

    fn fields(&mut self, desc: &'static Desc, out: &mut Vec<StructField>) {
        for f in desc.fields {
            if f.flags & INLINE != 0 {
                if let Type::Msg(inner) | Type::Emb(inner) | Type::OptMsg(inner) = f.ty {
                    self.fields(inner, out);
                }
            } else if f.flags & NOJSON == 0 {
                let ty = self.type_of(f);
                out.push(StructField { name: f.name.into(), ty, default: default(f) });
            }
        }
    }

    fn type_of(&mut self, f: &Field) -> TypeRef {
        let facts = f.facts;
        let mut ty = self.plain(&f.ty);
        let atomic = facts.atomic.then_some(Relationship::Atomic);
        match f.ty {
            Type::List(_) => {
                if let Some(list) = ty.inlined.list.as_mut() {
                    list.relationship = match facts.list_type {
                        ListType::Set | ListType::Map => Relationship::Associative,
                        ListType::Atomic => Relationship::Atomic,
                        // As the API server does where nothing is said but how to patch.
                        ListType::None => {
                            if matches!(facts.patch_strategy, "merge" | "merge,retainKeys") {
                                Relationship::Associative
                            } else {
                                Relationship::Atomic
                            }
                        }
                    };
                    list.keys = match facts.list_type {
                        ListType::Map => facts.keys.iter().map(|k| Str::from(*k)).collect(),
                        ListType::None if list.relationship == Relationship::Associative => {
                            let key = Some(facts.patch_key).filter(|k| !k.is_empty());
                            key.into_iter().map(Str::from).collect()
                        }
                        _ => Vec::new(),
                    };
                    // Of a list, it is the elements that are atomic.
                    relate(&mut list.element_type, atomic);
                }
            }
            _ => relate(&mut ty, atomic),
        }
        ty
    }

    fn plain(&mut self, ty: &Type) -> TypeRef {
        let scalar = |s| TypeRef::inlined(Atom::scalar(s));
        match ty {
            Type::Str | Type::OptStr | Type::Bytes => scalar(Scalar::String),
            Type::I32 | Type::I64 | Type::F64 | Type::OptI32 | Type::OptI64 | Type::OptF64 => {
                scalar(Scalar::Numeric)
            }
            Type::Bool | Type::OptBool => scalar(Scalar::Boolean),
            Type::Msg(d) | Type::Emb(d) | Type::OptMsg(d) => TypeRef::named(self.name_of(d)),
            Type::Leaf(l) | Type::OptLeaf(l) => match l.name {
                "Duration" => scalar(Scalar::String),
                "RawExtension" => TypeRef::inlined(untyped_defs().swap_remove(0).atom),
                // An object of which nothing is said.
                "FieldsV1" => TypeRef::inlined(Atom::map(Map::of(TypeRef::named(UNTYPED_DEDUCED)))),
                "Time" | "MicroTime" | "Quantity" => scalar(Scalar::Untyped),
                // OpenAPI says no type of these: anything goes.
                _ => TypeRef::inlined(Atom {
                    scalar: Some(Scalar::Untyped),
                    list: Some(Box::new(List {
                        element_type: TypeRef::named(UNTYPED_ATOMIC),
                        relationship: Relationship::Atomic,
                        keys: Vec::new(),
                    })),
                    map: Some(Box::new(Map::of(TypeRef::named(UNTYPED_DEDUCED)))),
                }),
            },
            Type::List(of) => TypeRef::inlined(Atom::list(List {
                element_type: self.plain(of),
                relationship: Relationship::Atomic,
                keys: Vec::new(),
            })),
            Type::Map(of) => TypeRef::inlined(Atom::map(Map::of(self.plain(of)))),
        }
    }
}

/// Puts a relationship in the place of that of a map or struct.
fn relate(ty: &mut TypeRef, relationship: Option<Relationship>) {
    let Some(relationship) = relationship else { return };
    if ty.named.is_some() {
        ty.relationship = Some(relationship);
    } else if let Some(map) = &mut ty.inlined.map {
        map.relationship = Some(relationship);
    }
}

/// What OpenAPI says is the default: the declared one, else the zero value of what is always
/// written.
fn default(f: &Field) -> Option<Value> {
    if !f.facts.default.is_empty() {
        return serde_json::from_str(f.facts.default).ok().filter(|v: &Value| !v.is_null());
    }
    if f.flags & (OMITEMPTY | OMITZERO) != 0 {
        return None;
    }
    match f.ty {
        Type::Str => Some("".into()),
        Type::I32 | Type::I64 | Type::F64 => Some(0.into()),
        Type::Bool => Some(false.into()),
        _ => None,
    }
}
