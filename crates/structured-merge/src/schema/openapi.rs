//! Schemas from OpenAPI v3. Go: `k8s.io/kube-openapi/pkg/schemaconv`, `ToSchemaFromOpenAPI`.
use super::{
    Atom, List, Map, Relationship, Scalar, Schema, StructField, TypeDef, TypeRef, UNTYPED_ATOMIC,
    UNTYPED_DEDUCED, untyped_defs,
};
use crate::MAX_DEPTH;
use crate::json::go_syntax_bare;
use pintle_apimachinery::{Error, Str};
use serde_json::{Map as Object, Value};

/// Types that OpenAPI does not say enough about.
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";

impl Schema {
    /// From the `components.schemas` of an OpenAPI v3 document (or the `definitions` of v2): how
    /// the API server learns what its kinds are made of.
    ///
    /// `preserve_unknown_fields` lets every struct have members that its schema does not name.
    ///
    /// # Errors
    /// A schema is not structural: every complaint on a line of its own, with Go's messages.
    ///
    /// ```
    /// use pintle_structured_merge::{Schema, TypeRef};
    /// use serde_json::json;
    /// let models = json!({"Foo": {"type": "object", "properties": {
    ///     "ports": {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"},
    /// }}});
    /// let schema = Schema::from_openapi(models.as_object().unwrap(), false)?;
    /// assert!(schema.find("Foo").unwrap().atom.map.as_ref().unwrap().field("ports").is_some());
    /// # Ok::<(), pintle_apimachinery::Error>(())
    /// ```
    pub fn from_openapi(
        models: &Object<String, Value>,
        preserve_unknown_fields: bool,
    ) -> Result<Schema, Error> {
        let mut errors = Vec::new();
        let mut types = Vec::new();
        for (name, model) in models {
            if reference(model).is_some() {
                continue;
            }
            let atom = match name.as_str() {
                QUANTITY => Atom::scalar(Scalar::Untyped),
                RAW_EXTENSION => untyped_defs().swap_remove(0).atom,
                _ => Converter { name, preserve: preserve_unknown_fields, errors: &mut errors }
                    .visit(model, 0),
            };
            types.push(TypeDef { name: name.into(), atom });
        }
        if !errors.is_empty() {
            return Err(Error::invalid(errors.join("\n")));
        }
        types.extend(untyped_defs());
        Ok(Schema::new(types))
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str).filter(|r| !r.is_empty())
}

/// Whether the extension is there, and what it says.
fn extension<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get(name)
}

struct Converter<'a> {
    /// Of the type that is converted, for messages.
    name: &'a str,
    preserve: bool,
    errors: &'a mut Vec<String>,
}

impl Converter<'_> {
    fn report(&mut self, message: &str) {
        self.errors.push(format!("{}: {message}", self.name));
    }

    fn visit(&mut self, schema: &Value, depth: usize) -> Atom {
        if depth > MAX_DEPTH {
            self.report("the schema nests too deep");
            return Atom::scalar(Scalar::Untyped);
        }
        if extension(schema, "x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
            self.preserve = true;
        }
        let ty = match schema.get("type") {
            Some(Value::String(t)) => t.as_str(),
            Some(Value::Array(a)) => a.first().and_then(Value::as_str).unwrap_or_default(),
            _ => "",
        };
        match ty {
            "" => Atom {
                scalar: Some(Scalar::Untyped),
                list: Some(Box::new(self.list(schema, false, depth))),
                map: Some(Box::new(self.map(schema, depth))),
            },
            "object" => Atom::map(self.map(schema, depth)),
            "array" => Atom::list(self.list(schema, true, depth)),
            "integer" | "number" => Atom::scalar(Scalar::Numeric),
            "boolean" => Atom::scalar(Scalar::Boolean),
            "string" => {
                let plain = matches!(
                    schema.get("format").and_then(Value::as_str).unwrap_or_default(),
                    "" | "byte"
                );
                Atom::scalar(if plain { Scalar::String } else { Scalar::Untyped })
            }
            other => {
                self.report(&format!("unrecognized type: '{other}'"));
                Atom::scalar(Scalar::Untyped)
            }
        }
    }

    fn type_ref(&mut self, schema: &Value, depth: usize) -> TypeRef {
        let nullable = schema.get("nullable") == Some(&Value::Bool(true));
        // A reference beside other keywords hides in an allOf of its own.
        let hidden = schema.get("allOf").and_then(Value::as_array).filter(|a| a.len() == 1);
        let target = reference(schema).or_else(|| reference(&hidden?[0]));
        if let Some(target) = target
            && let Some(name) = target.rsplit('/').next().filter(|n| !n.is_empty())
        {
            let relationship = self.map_relationship(schema);
            return TypeRef { nullable, relationship, ..TypeRef::named(name) };
        }
        let name = format!("inlined in {}", self.name);
        let mut inner =
            Converter { name: &name, preserve: self.preserve, errors: &mut *self.errors };
        let inlined = inner.visit(schema, depth + 1);
        TypeRef { nullable, ..TypeRef::inlined(inlined) }
    }

    fn map(&mut self, schema: &Value, depth: usize) -> Map {
        let none = Object::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let fields = properties.iter().map(|(name, member)| StructField {
            name: name.into(),
            ty: self.type_ref(member, depth),
            default: member.get("default").filter(|d| !d.is_null()).cloned(),
        });
        let mut map = Map::with_fields(fields.collect());
        map.element_type = match schema.get("additionalProperties") {
            None | Some(Value::Null) => {
                if self.preserve || properties.is_empty() {
                    TypeRef::named(UNTYPED_DEDUCED)
                } else {
                    TypeRef::default()
                }
            }
            Some(Value::Bool(true)) => TypeRef::named(UNTYPED_DEDUCED),
            Some(Value::Bool(false)) => TypeRef::default(),
            Some(of) => self.type_ref(of, depth),
        };
        map.relationship = self.map_relationship(schema);
        map
    }

    fn map_relationship(&mut self, schema: &Value) -> Option<Relationship> {
        match extension(schema, "x-kubernetes-map-type")? {
            Value::String(s) if s == "atomic" => Some(Relationship::Atomic),
            Value::String(s) if s == "granular" => Some(Relationship::Separable),
            other => {
                self.report(&format!("unknown map type {}", shown(other)));
                None
            }
        }
    }

    fn list(&mut self, schema: &Value, typed: bool, depth: usize) -> List {
        let (relationship, keys) = self.list_relationship(schema);
        let element_type = match schema.get("items") {
            Some(items @ Value::Object(_)) => self.type_ref(items, depth),
            Some(Value::Array(_)) => {
                self.report("structural schema arrays must have exactly one member subtype");
                TypeRef::named(UNTYPED_DEDUCED)
            }
            _ => {
                if typed {
                    self.report("`items` must be specified on arrays");
                }
                TypeRef::named(UNTYPED_ATOMIC)
            }
        };
        List { element_type, relationship, keys }
    }

    fn list_relationship(&mut self, schema: &Value) -> (Relationship, Vec<Str>) {
        use Relationship::{Associative, Atomic};
        if let Some(ty) = extension(schema, "x-kubernetes-list-type") {
            return match ty.as_str() {
                Some("atomic") => (Atomic, Vec::new()),
                Some("set") => (Associative, Vec::new()),
                Some("map") => match extension(schema, "x-kubernetes-list-map-keys") {
                    None => {
                        self.report("missing map keys");
                        (Associative, Vec::new())
                    }
                    Some(Value::Array(keys)) => {
                        let keys = keys.iter().filter_map(Value::as_str);
                        (Associative, keys.map(Str::from).collect())
                    }
                    Some(other) => {
                        self.report(&format!("uninterpreted map keys: {}", go_syntax_bare(other)));
                        (Associative, Vec::new())
                    }
                },
                _ => {
                    self.report(&format!("unknown list type {}", shown(ty)));
                    (Atomic, Vec::new())
                }
            };
        }
        let Some(strategy) = extension(schema, "x-kubernetes-patch-strategy") else {
            return (Atomic, Vec::new());
        };
        match strategy.as_str() {
            Some("merge" | "merge,retainKeys") => {
                match extension(schema, "x-kubernetes-patch-merge-key") {
                    Some(Value::String(key)) => (Associative, vec![key.into()]),
                    Some(other) => {
                        self.report(&format!("uninterpreted merge key: {}", go_syntax_bare(other)));
                        (Associative, Vec::new())
                    }
                    None => (Associative, Vec::new()),
                }
            }
            Some("retainKeys") => (Atomic, Vec::new()),
            _ => {
                self.report(&format!("unknown patch strategy {}", shown(strategy)));
                (Atomic, Vec::new())
            }
        }
    }
}

/// Go's `%v` of an unstructured value.
fn shown(v: &Value) -> String {
    crate::json::go_plain(v)
}
