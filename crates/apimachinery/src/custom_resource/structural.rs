//! JSON schema, as schemars writes it, to the structural schema that a CRD must have: one type per
//! node, nothing by reference, alternatives only as validation. Go:
//! `apiextensions-apiserver/pkg/apiserver/schema`.
use super::defaults;
use super::variants::{self, Choice};
use crate::Error;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

pub(super) type Node = Map<String, Value>;

/// Schema of a field whose content is not looked at: any JSON value. Go:
/// `+kubebuilder:pruning:PreserveUnknownFields`.
///
/// For types that no structural schema describes, by schemars' `schema_with`:
///
/// ```
/// use schemars::JsonSchema;
/// #[derive(JsonSchema)]
/// struct TreeSpec {
///     #[schemars(schema_with = "pintle_apimachinery::preserve_unknown_fields")]
///     root: Node,
/// }
/// struct Node { children: Vec<Node> }
/// ```
pub fn preserve_unknown_fields(_: &mut SchemaGenerator) -> Schema {
    Schema::try_from(Value::Object(any())).unwrap_or_default()
}

pub(super) const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
pub(super) const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const LEAVE_UNCHECKED: &str = "write #[schemars(schema_with = \"preserve_unknown_fields\")] on the field to leave it unchecked";

pub(super) fn any() -> Node {
    object(json!({ PRESERVE: true }))
}

pub(super) fn object(v: Value) -> Node {
    match v {
        Value::Object(o) => o,
        _ => Node::new(),
    }
}

/// An error about the field at `path`.
pub(super) fn refuse(path: &str, what: &str, todo: &str) -> Error {
    Error::invalid(format!("{path}: {what}; {todo}"))
}

/// The structural schema of `schema`, which describes the field at `path`.
pub(super) fn structural(schema: &Value, path: &str) -> Result<Node, Error> {
    let schema = match schema {
        Value::Object(o) => o,
        Value::Bool(false) => {
            return Err(refuse(path, "no value fits its schema", "take the field out"));
        }
        _ => return Ok(any()),
    };
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.rsplit('/').next().unwrap_or(name);
        let what = match name {
            "#" => "its type contains itself, which a CRD cannot express".to_owned(),
            name => format!("type {name} contains itself, which a CRD cannot express"),
        };
        return Err(refuse(path, &what, LEAVE_UNCHECKED));
    }
    let mut reader =
        Reader { path, out: Node::new(), choices: Vec::new(), nullable: false, open: false };
    reader.types(schema)?;
    reader.keywords(schema)?;
    reader.finish(schema)
}

struct Reader<'a> {
    path: &'a str,
    out: Node,
    choices: Vec<(Choice, Vec<Value>)>,
    nullable: bool,
    /// Members beyond `properties` are allowed.
    open: bool,
}

impl Reader<'_> {
    fn types(&mut self, schema: &Node) -> Result<(), Error> {
        let mut types: Vec<&str> = match schema.get("type") {
            Some(Value::String(t)) => vec![t],
            Some(Value::Array(a)) => a.iter().filter_map(Value::as_str).collect(),
            _ => return Ok(()),
        };
        types.retain(|t| {
            *t != "null" || {
                self.nullable = true;
                false
            }
        });
        match types[..] {
            // Nothing but null: `()` and unit variants of flattened enums.
            [] => {
                self.out.insert("type".into(), "object".into());
                self.out.insert("maxProperties".into(), 0.into());
            }
            [one] => {
                self.out.insert("type".into(), one.into());
            }
            ["integer", "string"] | ["string", "integer"] => {
                self.out.insert(INT_OR_STRING.into(), true.into());
            }
            ["integer", "number"] | ["number", "integer"] => {
                self.out.insert("type".into(), "number".into());
            }
            _ => {
                let what =
                    format!("it may be {}, and a CRD has one type per field", types.join(" or "));
                return Err(refuse(self.path, &what, LEAVE_UNCHECKED));
            }
        }
        Ok(())
    }

    fn keywords(&mut self, schema: &Node) -> Result<(), Error> {
        for (key, value) in schema {
            match key.as_str() {
                "title" | "description" | "format" | "minimum" | "maximum" | "multipleOf"
                | "minLength" | "maxLength" | "pattern" | "minItems" | "maxItems"
                | "minProperties" | "maxProperties" | "externalDocs" | "example" => {
                    self.out.insert(key.clone(), value.clone());
                }
                "exclusiveMinimum" => self.exclusive("minimum", key, value),
                "exclusiveMaximum" => self.exclusive("maximum", key, value),
                "default" if !value.is_null() => {
                    self.out.insert(key.clone(), value.clone());
                }
                "const" => {
                    self.out.insert("enum".into(), json!([value]));
                }
                "enum" => {
                    self.nullable |= value.as_array().is_some_and(|a| a.contains(&Value::Null));
                    self.out.insert(key.clone(), value.clone());
                }
                "nullable" => self.nullable |= value == true,
                "required" => {
                    let mut names: Vec<Value> = Vec::new();
                    for name in value.as_array().into_iter().flatten() {
                        if !names.contains(name) {
                            names.push(name.clone());
                        }
                    }
                    if !names.is_empty() {
                        self.out.insert(key.clone(), names.into());
                    }
                }
                "properties" => {
                    let mut properties = Node::new();
                    for (name, schema) in value.as_object().into_iter().flatten() {
                        let node = structural(schema, &format!("{}.{name}", self.path))?;
                        properties.insert(name.clone(), node.into());
                    }
                    self.out.insert(key.clone(), properties.into());
                }
                "items" => {
                    let node = structural(value, &format!("{}[]", self.path))?;
                    self.out.insert(key.clone(), node.into());
                }
                "prefixItems" => self.tuple(value)?,
                "not" => {
                    let node = structural(value, self.path)?;
                    let rules = variants::rules(&node, &Node::new());
                    if !rules.is_empty() {
                        self.out.insert(key.clone(), rules.into());
                    }
                }
                "allOf" => {
                    for part in value.as_array().into_iter().flatten() {
                        self.all_of(part)?;
                    }
                }
                "anyOf" => self.choice(Choice::Any, value),
                "oneOf" => self.choice(Choice::One, value),
                "if" | "then" | "else" | "dependentRequired" | "dependentSchemas"
                | "dependencies" => {
                    let what = format!("a CRD has no {key:?} in its schema");
                    return Err(refuse(
                        self.path,
                        &what,
                        "write it as a CEL rule: #[schemars(extend(\"x-kubernetes-validations\" = [...]))]",
                    ));
                }
                x if x.starts_with("x-kubernetes-") => {
                    self.out.insert(key.clone(), value.clone());
                }
                _ => {} // annotations that a CRD has no place for, and what finish() looks at
            }
        }
        Ok(())
    }

    fn exclusive(&mut self, bound: &str, key: &str, value: &Value) {
        if value.is_number() {
            self.out.insert(bound.into(), value.clone());
            self.out.insert(key.into(), true.into());
        } else if value == true {
            self.out.insert(key.into(), true.into());
        }
    }

    fn choice(&mut self, choice: Choice, value: &Value) {
        let list = value.as_array().cloned().unwrap_or_default();
        self.choices.push((choice, list));
    }

    /// A part of `allOf`: its alternatives stay apart, all else is this node's.
    fn all_of(&mut self, part: &Value) -> Result<(), Error> {
        let Value::Object(part) = part else { return Ok(()) };
        let mut rest = part.clone();
        for (choice, key) in [(Choice::Any, "anyOf"), (Choice::One, "oneOf")] {
            if let Some(list) = rest.remove(key) {
                self.choice(choice, &list);
            }
        }
        if !rest.is_empty() {
            let node = structural(&Value::Object(rest), self.path)?;
            variants::overlay(&mut self.out, &node, self.path)?;
        }
        Ok(())
    }

    /// A tuple, whose elements a CRD can only describe together.
    fn tuple(&mut self, value: &Value) -> Result<(), Error> {
        let elements = value.as_array().map_or(&[][..], |a| &a[..]);
        let mut first: Option<Node> = None;
        for (i, element) in elements.iter().enumerate() {
            let node = structural(element, &format!("{}[{i}]", self.path))?;
            match &first {
                None => first = Some(node),
                Some(f) if *f == node => {}
                Some(_) => {
                    return Err(refuse(
                        self.path,
                        "it is a tuple of different types, which a CRD cannot express",
                        "make it a struct with named fields",
                    ));
                }
            }
        }
        self.out.insert("items".into(), first.unwrap_or_else(any).into());
        Ok(())
    }

    fn finish(mut self, schema: &Node) -> Result<Node, Error> {
        if self.out.get(INT_OR_STRING) == Some(&Value::Bool(true)) {
            self.out.remove("type");
            self.out.remove("format");
            self.choices.clear();
        }
        self.members(schema)?;
        self.infer_type();
        for (choice, list) in std::mem::take(&mut self.choices) {
            self.nullable |= variants::apply(&mut self.out, choice, &list, self.path)?;
        }
        self.infer_type();
        if self.open {
            self.out.insert(PRESERVE.into(), true.into());
        }
        let untyped = !["type", INT_OR_STRING, PRESERVE].iter().any(|k| self.out.contains_key(*k));
        if untyped {
            self.out.insert(PRESERVE.into(), true.into());
        }
        if self.nullable {
            self.out.insert("nullable".into(), true.into());
            // A server looks for null among the values, too.
            if let Some(Value::Array(values)) = self.out.get_mut("enum")
                && !values.contains(&Value::Null)
            {
                values.push(Value::Null);
            }
        }
        formats(&mut self.out);
        self.lists(schema)?;
        defaults::check(&mut self.out, self.path)?;
        Ok(self.out)
    }

    /// `additionalProperties` and its relatives: a structural node has either them or properties.
    fn members(&mut self, schema: &Node) -> Result<(), Error> {
        let mut values: Vec<&Value> = Vec::new();
        values.extend(
            schema
                .get("patternProperties")
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(|o| o.values()),
        );
        for key in ["additionalProperties", "unevaluatedProperties"] {
            match schema.get(key) {
                None | Some(Value::Bool(false)) => {}
                Some(v) => values.push(v),
            }
        }
        let Some(first) = values.first() else { return Ok(()) };
        let named = self
            .out
            .get("properties")
            .is_some_and(|p| p.as_object().is_some_and(|o| !o.is_empty()));
        let node = structural(first, &format!("{}.*", self.path))?;
        let anything = node.len() == 1 && node.contains_key(PRESERVE);
        if named || anything || values.iter().any(|v| v != first) {
            self.open = true;
        } else {
            self.out.insert("additionalProperties".into(), node.into());
        }
        Ok(())
    }

    fn infer_type(&mut self) {
        let has = |k: &str| self.out.contains_key(k);
        if has("type") || has(INT_OR_STRING) {
            return;
        }
        let of_enum = || {
            let values = self.out.get("enum")?.as_array()?;
            let mut kinds = values.iter().filter(|v| !v.is_null()).map(type_of);
            let first = kinds.next()?;
            kinds.all(|k| k == first).then_some(first)
        };
        let inferred = if let Some(t) = of_enum() {
            t
        } else if has("properties") || has("additionalProperties") || has("required") || self.open {
            "object"
        } else if has("items") {
            "array"
        } else if has("pattern") || has("minLength") || has("maxLength") {
            "string"
        } else if has("minimum") || has("maximum") || has("multipleOf") {
            "number"
        } else {
            return;
        };
        self.out.insert("type".into(), inferred.into());
    }

    /// What a CRD asks of lists beyond JSON schema.
    fn lists(&mut self, schema: &Node) -> Result<(), Error> {
        if self.out.get("type") == Some(&Value::from("array")) {
            let items = self.out.entry("items").or_insert_with(|| any().into());
            let scalar = matches!(
                items.get("type").and_then(Value::as_str),
                Some("string" | "integer" | "number" | "boolean")
            );
            if schema.get("uniqueItems") == Some(&Value::Bool(true)) && scalar {
                self.out.entry("x-kubernetes-list-type").or_insert_with(|| "set".into());
            }
        }
        let Some(keys) = self.out.get("x-kubernetes-list-map-keys").and_then(Value::as_array)
        else {
            return Ok(());
        };
        for key in keys.iter().filter_map(Value::as_str) {
            let items = self.out.get("items").unwrap_or(&Value::Null);
            let required = items["required"].as_array().is_some_and(|r| r.iter().any(|n| n == key));
            let property = &items["properties"][key];
            if property.is_null() {
                let what = format!("its list map key {key:?} is no field of the elements");
                return Err(refuse(self.path, &what, "name a field as it is in JSON"));
            }
            if !required && property.get("default").is_none() {
                let what = format!("its list map key {key:?} is an optional field without default");
                return Err(refuse(
                    self.path,
                    &what,
                    "make the field required, or give it a default",
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn type_of(v: &Value) -> &'static str {
    match v {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Formats that a server knows, with Rust's integer types as bounds.
fn formats(out: &mut Node) {
    let Some(format) = out.get("format").and_then(Value::as_str) else { return };
    let (known, low, high): (Option<&str>, Option<i64>, Option<i64>) = match format {
        "int8" => (Some("int32"), Some(-128), Some(127)),
        "int16" => (Some("int32"), Some(-32_768), Some(32_767)),
        "uint8" => (Some("int32"), Some(0), Some(255)),
        "uint16" => (Some("int32"), Some(0), Some(65_535)),
        "uint32" => (Some("int64"), Some(0), Some(4_294_967_295)),
        "int" => (Some("int64"), None, None),
        "uint" | "uint64" => (Some("int64"), Some(0), None),
        "int32" | "int64" | "float" | "double" | "byte" | "date" | "date-time" | "password"
        | "bsonobjectid" | "uri" | "email" | "hostname" | "ipv4" | "ipv6" | "cidr" | "mac"
        | "uuid" | "uuid3" | "uuid4" | "uuid5" | "isbn" | "isbn10" | "isbn13" | "creditcard"
        | "ssn" | "hexcolor" | "rgbcolor" | "duration" | "datetime" => (Some(format), None, None),
        _ => (None, None, None),
    };
    match known.map(str::to_owned) {
        Some(known) => out.insert("format".into(), known.into()),
        None => out.remove("format"),
    };
    for (key, bound) in [("minimum", low), ("maximum", high)] {
        if let Some(bound) = bound {
            out.entry(key).or_insert_with(|| bound.into());
        }
    }
}
