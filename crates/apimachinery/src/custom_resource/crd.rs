//! The CustomResourceDefinition of a type, and of several versions together. Go: what
//! controller-gen writes.
use super::path::{Step, steps};
use super::structural::{INT_OR_STRING, Node, PRESERVE, refuse, structural};
use super::{Column, CustomResource, Definition};
use crate::{Codec, Decoder, Error, Format, Scope};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

/// The whole definition, with the one version that the type is.
pub(super) fn json<T: CustomResource>() -> Result<Value, Error> {
    let d = T::DEFINITION;
    let schema = schema::<T>().map_err(|e| e.context(format!("CRD of {}", T::KIND)))?;
    let version = version::<T>(&d, schema).map_err(|e| e.context(format!("CRD of {}", T::KIND)))?;
    let mut names = json!({
        "plural": T::PLURAL, "singular": d.singular, "kind": T::KIND, "listKind": d.list_kind,
    });
    if !d.short_names.is_empty() {
        names["shortNames"] = d.short_names.into();
    }
    if !d.categories.is_empty() {
        names["categories"] = d.categories.into();
    }
    let mut metadata = json!({ "name": format!("{}.{}", T::PLURAL, T::GROUP) });
    let mut annotations: Node =
        d.annotations.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect();
    if is_protected(T::GROUP) && !annotations.contains_key(APPROVED) {
        annotations.insert(APPROVED.into(), "unapproved, experimental-only".into());
    }
    if !annotations.is_empty() {
        metadata["annotations"] = annotations.into();
    }
    let scope = if <T::Scope as Scope>::NAMESPACED { "Namespaced" } else { "Cluster" };
    Ok(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": { "group": T::GROUP, "names": names, "scope": scope, "versions": [version] },
    }))
}

/// Servers take definitions in Kubernetes' own groups only with this annotation.
const APPROVED: &str = "api-approved.kubernetes.io";

fn is_protected(group: &str) -> bool {
    ["k8s.io", "kubernetes.io"].iter().any(|own| {
        group.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

fn schema<T: CustomResource>() -> Result<Node, Error> {
    let mut properties = Node::new();
    properties.insert("apiVersion".into(), json!({"type": "string"}));
    properties.insert("kind".into(), json!({"type": "string"}));
    properties.insert("metadata".into(), json!({"type": "object"}));
    let spec = part::<T::Spec>("spec")?;
    let required = spec.contains_key("required");
    properties.insert("spec".into(), spec.into());
    if T::DEFINITION.status {
        let mut status = part::<T::Status>("status")?;
        // A status comes from a controller alone, and from nothing but its whole.
        status.remove("default");
        properties.insert("status".into(), status.into());
    }
    let mut root = Node::new();
    if !T::DEFINITION.description.is_empty() {
        root.insert("description".into(), T::DEFINITION.description.into());
    }
    root.insert("type".into(), "object".into());
    root.insert("properties".into(), properties.into());
    if required {
        root.insert("required".into(), json!(["spec"]));
    }
    let rules: Vec<Value> = T::DEFINITION.validations.iter().map(rule).collect();
    if !rules.is_empty() {
        root.insert("x-kubernetes-validations".into(), rules.into());
    }
    Ok(root)
}

fn part<P: JsonSchema>(name: &str) -> Result<Node, Error> {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.inline_subschemas = true;
        s.meta_schema = None;
    });
    let schema = SchemaGenerator::new(settings).subschema_for::<P>();
    structural(schema.as_value(), name)
}

fn rule(v: &super::Validation) -> Value {
    let mut rule = json!({ "rule": v.rule });
    for (key, text) in [
        ("message", v.message),
        ("messageExpression", v.message_expression),
        ("reason", v.reason),
        ("fieldPath", v.field_path),
    ] {
        if !text.is_empty() {
            rule[key] = text.into();
        }
    }
    rule
}

fn version<T: CustomResource>(d: &Definition, schema: Node) -> Result<Value, Error> {
    let mut version = json!({ "name": T::VERSION, "served": d.served, "storage": d.storage });
    if let Some(warning) = d.deprecated {
        version["deprecated"] = true.into();
        if !warning.is_empty() {
            version["deprecationWarning"] = warning.into();
        }
    }
    let columns = d.columns.iter().map(|c| column(c, &schema)).collect::<Result<Vec<_>, _>>()?;
    let mut subresources = Node::new();
    if d.status {
        subresources.insert("status".into(), json!({}));
    }
    if let Some(scale) = d.scale {
        let mut paths = json!({
            "specReplicasPath": scale.spec_path, "statusReplicasPath": scale.status_path,
        });
        expect_field(&schema, "scale", scale.spec_path, &["integer"])?;
        expect_field(&schema, "scale", scale.status_path, &["integer"])?;
        if !scale.label_selector_path.is_empty() {
            expect_field(&schema, "scale", scale.label_selector_path, &["string"])?;
            paths["labelSelectorPath"] = scale.label_selector_path.into();
        }
        subresources.insert("scale".into(), paths);
    }
    for path in d.selectable_fields {
        expect_field(&schema, "selectable_field", path, &["string", "integer", "boolean"])?;
    }
    version["schema"] = json!({ "openAPIV3Schema": schema });
    if !subresources.is_empty() {
        version["subresources"] = subresources.into();
    }
    if !columns.is_empty() {
        version["additionalPrinterColumns"] = columns.into();
    }
    if !d.selectable_fields.is_empty() {
        let paths: Vec<Value> =
            d.selectable_fields.iter().map(|p| json!({ "jsonPath": p })).collect();
        version["selectableFields"] = paths.into();
    }
    Ok(version)
}

fn column(c: &Column, schema: &Node) -> Result<Value, Error> {
    let what = format!("column {:?}", c.name);
    let type_ = match (find(schema, c.json_path), c.type_) {
        (Found::Missing(why), _) => {
            return Err(refuse(&what, &why, "write the path of a field as it is in JSON"));
        }
        (_, given) if !given.is_empty() => given,
        (Found::Type(t), _) => t,
        (Found::Unknown, _) => {
            let why = format!("the type at {} is not known", c.json_path);
            return Err(refuse(
                &what,
                &why,
                "write type = \"string\", or what it is, in the column",
            ));
        }
    };
    let mut column = json!({ "name": c.name, "type": type_, "jsonPath": c.json_path });
    for (key, text) in [("format", c.format), ("description", c.description)] {
        if !text.is_empty() {
            column[key] = text.into();
        }
    }
    if c.priority != 0 {
        column["priority"] = c.priority.into();
    }
    Ok(column)
}

fn expect_field(schema: &Node, what: &str, path: &str, types: &[&str]) -> Result<(), Error> {
    match find(schema, path) {
        Found::Missing(why) => {
            Err(refuse(what, &why, "write the path of a field as it is in JSON"))
        }
        Found::Type(t) if !types.contains(&t) => {
            let why = format!("{path} is of type {t}, not {}", types.join(" or "));
            Err(refuse(what, &why, "name another field"))
        }
        _ => Ok(()),
    }
}

enum Found {
    /// The column type of the field.
    Type(&'static str),
    /// Beyond what the schema describes.
    Unknown,
    /// No such field: why.
    Missing(String),
}

/// The field at a JSON path.
fn find(root: &Node, json_path: &str) -> Found {
    let Some(steps) = steps(json_path) else { return Found::Unknown };
    if let [Step::Field(metadata), rest @ ..] = &steps[..]
        && metadata == "metadata"
    {
        return match rest {
            [Step::Field(f)] if f == "creationTimestamp" || f == "deletionTimestamp" => {
                Found::Type("date")
            }
            [Step::Field(f)] if f == "generation" => Found::Type("integer"),
            _ => Found::Type("string"),
        };
    }
    let (mut at, mut path) = (root, String::new());
    for step in &steps {
        let next = match step {
            Step::Field(name) => {
                let properties = at.get("properties").and_then(Value::as_object);
                let next = properties.and_then(|p| p.get(name)).or(at.get("additionalProperties"));
                if next.is_none() && !at.contains_key(PRESERVE) {
                    let mut names: Vec<&str> =
                        properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                    names.sort_unstable();
                    let there = match (&names[..], &*path) {
                        ([], _) => format!("{path} has no fields"),
                        (names, "") => format!("the kind has {}", names.join(", ")),
                        (names, _) => format!("{path} has {}", names.join(", ")),
                    };
                    return Found::Missing(format!("{json_path} leads nowhere: {there}"));
                }
                path = format!("{path}.{name}");
                next
            }
            Step::Element => {
                path.push_str("[]");
                at.get("items").or(at.get("additionalProperties"))
            }
        };
        match next.and_then(Value::as_object) {
            Some(next) => at = next,
            None => return Found::Unknown,
        }
    }
    let text = |key: &str| at.get(key).and_then(Value::as_str).unwrap_or_default();
    match (text("type"), text("format")) {
        ("integer", _) => Found::Type("integer"),
        ("number", _) => Found::Type("number"),
        ("boolean", _) => Found::Type("boolean"),
        ("string", "date-time" | "date" | "datetime") => Found::Type("date"),
        ("string" | "object" | "array", _) => Found::Type("string"),
        _ if at.contains_key(INT_OR_STRING) => Found::Type("string"),
        _ => Found::Unknown,
    }
}

pub(super) fn from_json<C: Codec>(crd: &Value) -> Result<C, Error> {
    C::decode(crd.to_string().as_bytes(), Format::Json, &mut Decoder::new())
}

/// One CustomResourceDefinition of several that are versions of the same kind. `storage` is the
/// version that is stored; conversion between them stays as in the first (the default is none,
/// which changes nothing but the apiVersion).
///
/// # Errors
/// None is given, they are not of one kind, a version comes twice, or none is called `storage`.
///
/// ```
/// use pintle_apimachinery::{Unstructured, merge_crds};
/// let crd = |version: &str| -> Result<Unstructured, serde_json::Error> {
///     serde_json::from_value(serde_json::json!({
///         "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
///         "metadata": {"name": "foos.example.com"},
///         "spec": {
///             "group": "example.com", "names": {"plural": "foos", "kind": "Foo"},
///             "versions": [{"name": version, "served": true, "storage": true}],
///         },
///     }))
/// };
/// let both = merge_crds([crd("v1")?, crd("v2")?], "v2")?;
/// assert_eq!(both.get("spec.versions").unwrap()[0]["storage"], false);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn merge_crds<C: Codec>(crds: impl IntoIterator<Item = C>, storage: &str) -> Result<C, Error> {
    let mut merged: Option<Value> = None;
    for crd in crds {
        let mut bytes = Vec::new();
        crd.encode(Format::Json, &mut bytes)?;
        let crd: Value = serde_json::from_slice(&bytes)
            .map_err(|e| Error::decode(format!("CustomResourceDefinition: {e}")))?;
        check(&crd)?;
        match &mut merged {
            None => merged = Some(crd),
            Some(into) => join(into, &crd)?,
        }
    }
    let Some(mut crd) = merged else {
        return Err(Error::invalid("no CustomResourceDefinition to merge; give at least one"));
    };
    let mut found = Vec::new();
    for version in versions(&mut crd) {
        let name = version["name"].as_str().unwrap_or_default().to_owned();
        version["storage"] = (name == storage).into();
        found.push(name);
    }
    if !found.iter().any(|n| n == storage) {
        return Err(Error::invalid(format!(
            "no version {storage:?} to store; there are: {}",
            found.join(", ")
        )));
    }
    from_json(&crd)
}

/// Whether there is everything that merging looks at, in the right form.
fn check(crd: &Value) -> Result<(), Error> {
    let versions = crd["spec"]["versions"].as_array();
    let annotations = crd["metadata"].get("annotations");
    let right = crd["metadata"].is_object()
        && annotations.is_none_or(|a| a.is_object() || a.is_null())
        && crd["spec"]["names"].is_object()
        && versions.is_some_and(|v| v.iter().all(Value::is_object));
    if right {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{} {} is no CustomResourceDefinition with spec.names and spec.versions; take it from crd()",
        crd["kind"], crd["metadata"]["name"]
    )))
}

fn versions(crd: &mut Value) -> impl Iterator<Item = &mut Value> {
    crd["spec"]["versions"].as_array_mut().into_iter().flatten()
}

/// Adds the versions of `more`, and names that `into` does not have.
fn join(into: &mut Value, more: &Value) -> Result<(), Error> {
    let kind = into["spec"]["names"]["kind"].as_str().unwrap_or_default().to_owned();
    for path in [
        "/spec/group",
        "/spec/scope",
        "/spec/names/kind",
        "/spec/names/plural",
        "/spec/names/singular",
        "/spec/names/listKind",
    ] {
        let (a, b) = (into.pointer(path), more.pointer(path));
        if a != b {
            let text = |v: Option<&Value>| v.map_or("nothing".to_owned(), Value::to_string);
            return Err(Error::invalid(format!(
                "the versions of {kind} differ in {}: {} and {}; it must be the same in all",
                path[1..].replace('/', "."),
                text(a),
                text(b)
            )));
        }
    }
    for list in ["shortNames", "categories"] {
        let names = more["spec"]["names"][list].as_array().cloned().unwrap_or_default();
        for name in names {
            let present = &mut into["spec"]["names"][list];
            if present.is_null() {
                *present = json!([]);
            }
            if let Value::Array(present) = present
                && !present.contains(&name)
            {
                present.push(name);
            }
        }
    }
    if let Some(annotations) = more["metadata"]["annotations"].as_object() {
        for (key, value) in annotations {
            if into["metadata"]["annotations"].get(key).is_none() {
                into["metadata"]["annotations"][key] = value.clone();
            }
        }
    }
    let new = more["spec"]["versions"].as_array().cloned().unwrap_or_default();
    for version in new {
        if versions(into).any(|v| v["name"] == version["name"]) {
            return Err(Error::invalid(format!(
                "{kind} has the version {} twice; name each version once",
                version["name"]
            )));
        }
        if let Value::Array(present) = &mut into["spec"]["versions"] {
            present.push(version);
        }
    }
    Ok(())
}
