//! Distils a folder of upstream facts (`go-types.json`, discovery and OpenAPI of a server with
//! default flags in `default/` and with everything on in `all/`) into the [`Schema`]. OpenAPI
//! says nothing that the markers do not say; the import compares them and warns where it does.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::model::{
    Body, Const, Field, GoType, JsonForm, Package, Resource, Schema, Served, TypeDef,
};
use crate::oddities;

#[derive(Deserialize)]
struct InPackage {
    path: String,
    #[serde(default)]
    markers: Vec<String>,
    #[serde(default)]
    types: Vec<InType>,
    #[serde(default)]
    consts: Vec<InConst>,
}

#[derive(Deserialize)]
struct InType {
    name: String,
    #[serde(default)]
    markers: Vec<String>,
    #[serde(default)]
    fields: Vec<InField>,
    underlying: Option<String>,
}

#[derive(Deserialize)]
struct InConst {
    name: String,
    #[serde(rename = "type", default)]
    ty: String,
    value: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InField {
    go: String,
    json: String,
    #[serde(rename = "type")]
    ty: String,
    #[serde(default)]
    proto: String,
    #[serde(default)]
    inline: bool,
    #[serde(default)]
    omitempty: bool,
    #[serde(default)]
    omitzero: bool,
    #[serde(default)]
    patch_strategy: String,
    #[serde(default)]
    patch_merge_key: String,
    #[serde(default)]
    markers: Vec<String>,
}

/// What the import found.
pub struct Imported {
    /// The distilled schema.
    pub schema: Schema,
    /// Where OpenAPI says something else than the Go types.
    pub warnings: Vec<String>,
}

/// Reads the folder `dir`.
///
/// # Errors
/// Names the file that is missing or cannot be read, or the type that cannot be understood.
pub fn import(dir: &Path) -> Result<Imported, String> {
    let packages: Vec<InPackage> = read(&dir.join("go-types.json"))?;
    let (by_default, _) = discovery(&dir.join("default"))?;
    let (with_all, order) = discovery(&dir.join("all"))?;
    let openapi: Value = read(&dir.join("all/openapi-v2.json"))?;
    let mut values = typed_consts(&packages);
    let mut out = Vec::new();
    for package in packages {
        if !oddities::is_machinery(&package.path) {
            out.push(distil(package, &by_default, &with_all, &mut values)?);
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    let release = openapi["info"]["version"].as_str().unwrap_or_default();
    let release = release.trim_start_matches('v').split('.').take(2).collect::<Vec<_>>().join(".");
    let schema = Schema { version: release, order, packages: out };
    let warnings = compare(&schema, &openapi["definitions"]);
    Ok(Imported { schema, warnings })
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    let text = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))
}

type ByType = BTreeMap<(String, String), Vec<Const>>;

/// Constants by the package and name of their type, in the package that declares them.
fn typed_consts(packages: &[InPackage]) -> ByType {
    let mut out = ByType::new();
    for package in packages {
        for c in package.consts.iter().filter(|c| !c.ty.is_empty()) {
            // A constant of an alias is of the type with that name in this package.
            let name = c.ty.rsplit('.').next().unwrap_or_default().to_owned();
            out.entry((package.path.clone(), name))
                .or_default()
                .push(Const { name: c.name.clone(), value: c.value.to_string() });
        }
    }
    out
}

fn unmark(markers: Vec<String>) -> Vec<String> {
    let strip = |m: String| m.strip_prefix('+').map(str::to_owned).unwrap_or(m);
    markers.into_iter().map(|m| strip(m).trim().to_owned()).collect()
}

fn distil(
    package: InPackage,
    by_default: &Discovery,
    with_all: &Discovery,
    values: &mut ByType,
) -> Result<Package, String> {
    let path = package.path;
    let group_const = package.consts.iter().find(|c| c.name == "GroupName");
    let group = group_const.and_then(|c| c.value.as_str()).map(str::to_owned);
    let version = path.rsplit('/').next().unwrap_or_default().to_owned();
    let key = (group.clone().unwrap_or_default(), version);
    let served = match (group.is_some(), by_default.contains_key(&key), with_all.contains_key(&key))
    {
        (true, true, _) => Served::Default,
        (true, false, true) => Served::All,
        _ => Served::Never,
    };
    let mut resources = with_all.get(&key).cloned().unwrap_or_default();
    resources.sort_by(|a, b| a.plural.cmp(&b.plural));
    let mut types = Vec::new();
    for def in package.types {
        let at = |e| format!("{path}.{}: {e}", def.name);
        let body = match def.underlying {
            Some(text) => Body::Named(GoType::parse(&text, &path)),
            None => {
                let fields = def.fields.into_iter().map(|f| field(f, &path));
                Body::Struct(fields.collect::<Result<_, String>>().map_err(at)?)
            }
        };
        let values = values.remove(&(path.clone(), def.name.clone())).unwrap_or_default();
        types.push(TypeDef { name: def.name, body, facts: unmark(def.markers), values });
    }
    types.sort_by(|a, b| a.name.cmp(&b.name));
    let untyped = package.consts.into_iter().filter(|c| c.ty.is_empty());
    let mut consts: Vec<Const> =
        untyped.map(|c| Const { name: c.name, value: c.value.to_string() }).collect();
    // Constants of a type that is declared elsewhere stay with the package's own.
    let left: Vec<_> = values.keys().filter(|(p, _)| *p == path).cloned().collect();
    for key in left {
        consts.extend(values.remove(&key).unwrap_or_default());
    }
    consts.sort_by(|a, b| a.name.cmp(&b.name));
    for def in &mut types {
        def.values.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let mut facts = unmark(package.markers);
    facts.retain(|f| !oddities::configures_upstream_generators(f));
    Ok(Package { path, group, served, facts, resources, types, consts })
}

fn field(input: InField, home: &str) -> Result<Field, String> {
    let form = match input.json.as_str() {
        "-" => JsonForm::Hidden,
        "" if input.inline => JsonForm::Inline,
        "" => JsonForm::Untagged,
        _ => JsonForm::Named,
    };
    let number = match input.proto.split(',').nth(1) {
        Some(text) => text
            .parse()
            .map_err(|_| format!("field {}: protobuf tag `{}`", input.go, input.proto))?,
        None => 0,
    };
    let mut field = Field {
        go: input.go,
        json: if form == JsonForm::Named { input.json } else { String::new() },
        form,
        ty: GoType::parse(&input.ty, home),
        number,
        omitempty: input.omitempty,
        omitzero: input.omitzero,
        patch_strategy: input.patch_strategy,
        patch_key: input.patch_merge_key,
        ..Field::default()
    };
    if field.ty == GoType::Opaque {
        return Err(format!("field {}: type `{}`", field.go, input.ty));
    }
    for marker in unmark(input.markers) {
        let (name, value) = marker.split_once('=').unwrap_or((marker.as_str(), ""));
        match name {
            "optional" => field.optional = true,
            "required" => field.required = true,
            "listType" => field.list_type = value.to_owned(),
            "listMapKey" => field.list_keys.push(value.to_owned()),
            "mapType" | "structType" => field.map_type = value.to_owned(),
            // The struct tag says these already.
            "patchStrategy" if value == field.patch_strategy => {}
            "patchMergeKey" if value == field.patch_key => {}
            _ => field.facts.push(marker),
        }
    }
    Ok(field)
}

type Discovery = BTreeMap<(String, String), Vec<Resource>>;

/// Aggregated discovery: resources by group and version, and these in their order.
fn discovery(dir: &Path) -> Result<(Discovery, Vec<(String, String)>), String> {
    let mut out = Discovery::new();
    let mut order = Vec::new();
    for file in ["discovery-api.json", "discovery-apis.json"] {
        let list: Value = read(&dir.join(file))?;
        for group in array(&list["items"]) {
            let name = text(&group["metadata"]["name"]);
            for version in array(&group["versions"]) {
                let key = (name.clone(), text(&version["version"]));
                let resources = array(&version["resources"]).iter().map(|r| resource(r, &key));
                out.entry(key.clone()).or_default().extend(resources);
                order.push(key);
            }
        }
    }
    Ok((out, order))
}

fn resource(value: &Value, home: &(String, String)) -> Resource {
    let kind = &value["responseKind"];
    let (group, version) = (text(&kind["group"]), text(&kind["version"]));
    let name = text(&kind["kind"]);
    let elsewhere = !version.is_empty() && (&group, &version) != (&home.0, &home.1);
    let strings = |v: &Value| array(v).iter().map(text).collect::<Vec<_>>();
    let mut verbs = strings(&value["verbs"]);
    verbs.sort();
    let own = if value["subresource"].is_string() { "subresource" } else { "resource" };
    Resource {
        plural: text(&value[own]),
        singular: text(&value["singularResource"]),
        kind: if elsewhere { format!("{group}/{version}.{name}") } else { name },
        namespaced: value["scope"] == "Namespaced",
        verbs,
        short_names: strings(&value["shortNames"]),
        categories: strings(&value["categories"]),
        subresources: array(&value["subresources"]).iter().map(|s| resource(s, home)).collect(),
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Compares each field's facts with the OpenAPI definition of its type.
fn compare(schema: &Schema, definitions: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    for package in &schema.packages {
        let Some(model) = crate::model::fact(&package.facts, "k8s:openapi-model-package") else {
            continue;
        };
        for def in &package.types {
            let open = &definitions[format!("{model}.{}", def.name)];
            if open.is_null() {
                continue;
            }
            for field in def.fields().iter().filter(|f| f.form == JsonForm::Named) {
                for what in differences(schema, field, open) {
                    let place = format!("{}.{}.{}", package.path, def.name, field.json);
                    warnings.push(format!("{place}: OpenAPI differs in {what}"));
                }
            }
        }
    }
    warnings
}

/// The facts in which a field and its OpenAPI property differ.
fn differences(schema: &Schema, field: &Field, open: &Value) -> Vec<&'static str> {
    let property = &open["properties"][&field.json];
    if property.is_null() {
        return vec!["its existence"];
    }
    let strings = |v: &Value| array(v).iter().map(text).collect::<Vec<_>>();
    let required = strings(&open["required"]).contains(&field.json);
    let mut allowed = strings(&property["enum"]);
    allowed.extend(strings(&property["items"]["enum"]));
    allowed.sort();
    let pairs = [
        ("required", required == field.is_required()),
        ("list type", text(&property["x-kubernetes-list-type"]) == field.list_type),
        ("list keys", strings(&property["x-kubernetes-list-map-keys"]) == field.list_keys),
        ("map type", text(&property["x-kubernetes-map-type"]) == field.map_type),
        ("patch strategy", text(&property["x-kubernetes-patch-strategy"]) == field.patch_strategy),
        ("patch merge key", text(&property["x-kubernetes-patch-merge-key"]) == field.patch_key),
        ("enum", allowed == crate::lower::enum_values(schema, &field.ty)),
    ];
    pairs.into_iter().filter(|(_, same)| !same).map(|(what, _)| what).collect()
}
