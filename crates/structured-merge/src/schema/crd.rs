//! Types of custom resources. Go: the OpenAPI builder of `k8s.io/apiextensions-apiserver`, with
//! what its handler does before it makes a type converter.
use super::Schema;
use crate::manager::TypeTable;
use pintle_apimachinery::meta_v1::ObjectMeta;
use pintle_apimachinery::reflect::Described;
use pintle_apimachinery::{Error, GroupVersionKind};
use serde_json::{Map, Value, json};
use std::sync::Arc;

impl TypeTable {
    /// The types of every version of a CustomResourceDefinition (`apiextensions.k8s.io/v1`).
    ///
    /// # Errors
    /// It lacks names or versions, or a schema is not structural.
    ///
    /// ```
    /// use pintle_apimachinery::GroupVersionKind;
    /// use pintle_structured_merge::{TypeConverter, TypeTable};
    /// use serde_json::json;
    /// let types = TypeTable::from_crd(&json!({"spec": {
    ///     "group": "example.com", "names": {"kind": "Foo"},
    ///     "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {
    ///         "spec": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
    ///     }}}}],
    /// }}))?;
    /// let foo = types.type_of(&GroupVersionKind::from_static("example.com", "v1", "Foo")).unwrap();
    /// assert!(foo.typed(json!({"spec": {"replicas": 1}})).is_ok());
    /// assert!(foo.typed(json!({"spec": {"replicas": "1"}})).is_err());
    /// # Ok::<(), pintle_apimachinery::Error>(())
    /// ```
    pub fn from_crd(crd: &Value) -> Result<TypeTable, Error> {
        let spec = &crd["spec"];
        let text = |v: &Value, what: &str| match v.as_str() {
            Some(s) => Ok(s.to_owned()),
            None => Err(Error::invalid(format!("CustomResourceDefinition: {what} is missing"))),
        };
        let group = text(&spec["group"], "spec.group")?;
        let kind = text(&spec["names"]["kind"], "spec.names.kind")?;
        let (meta, names) = Schema::of([ObjectMeta::described()]);
        let meta_name = names.first().map(|n| n.to_string()).unwrap_or_default();
        let mut models = Map::new();
        let mut versions = Vec::new();
        for version in spec["versions"].as_array().into_iter().flatten() {
            let version_name = text(&version["name"], "spec.versions.name")?;
            let model = match version.get("schema").and_then(|s| s.get("openAPIV3Schema")) {
                Some(schema @ Value::Object(_)) => {
                    let mut schema = schema.clone();
                    embedded(&mut schema, &meta_name, 0)?;
                    type_meta(&mut schema, &meta_name);
                    schema
                }
                _ => json!({"type": "object"}),
            };
            // No name of a built-in type has a slash.
            let name = format!("{group}.{version_name}.{kind}:");
            models.insert(name.clone(), model);
            versions.push((version_name, name));
        }
        let preserve = spec["preserveUnknownFields"] == true;
        let own = Schema::from_openapi(&models, preserve)?;
        // Both have the types that stand for anything.
        let own = own.types().iter().filter(|t| t.name.ends_with(':'));
        let types = meta.types().iter().chain(own).cloned().collect();
        let schema = Arc::new(Schema::new(types));
        let mut table = TypeTable::new();
        for (version, name) in versions {
            let gvk = GroupVersionKind::new(group.clone(), version, kind.clone());
            table.insert(gvk, crate::ParseableType::named(schema.clone(), name));
        }
        Ok(table)
    }
}

fn type_meta(schema: &mut Value, meta: &str) {
    if let Value::Object(o) = schema {
        let properties = o.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(p) = properties {
            p.insert("apiVersion".into(), json!({"type": "string"}));
            p.insert("kind".into(), json!({"type": "string"}));
            p.insert("metadata".into(), json!({"$ref": format!("#/components/schemas/{meta}")}));
        }
    }
}

/// Gives every embedded resource the fields that all resources have.
fn embedded(schema: &mut Value, meta: &str, depth: usize) -> Result<(), Error> {
    if depth > crate::MAX_DEPTH {
        return Err(crate::too_deep());
    }
    let Value::Object(o) = schema else { return Ok(()) };
    if let Some(Value::Object(properties)) = o.get_mut("properties") {
        properties.values_mut().try_for_each(|p| embedded(p, meta, depth + 1))?;
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = o.get_mut(inner) {
            embedded(inner, meta, depth + 1)?;
        }
    }
    if o.get("x-kubernetes-embedded-resource") == Some(&Value::Bool(true)) {
        type_meta(schema, meta);
    }
    Ok(())
}
