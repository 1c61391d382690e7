//! Writes what the embedded API server tells of types in OpenAPI: names, types, defaults, enums and
//! merge facts, without prose. Go counterpart: `k8s.io/kube-openapi/cmd/openapi-gen`.
//!
//! The form is a text that the server reads when somebody asks, a definition after another:
//!
//! ```text
//! =io.k8s.api.apps.v1.Deployment     # name
//! @apps/v1/Deployment                # the kind it is
//! !spec                              # required fields, in Go's order
//! ^atomic                            # merges as a whole
//! &[{...}]                           # unions, as JSON
//! :{"type":"string"}                 # the whole schema, of a type without fields
//! ;{"oneOf":[...]}                   # the same in OpenAPI v3, where it differs
//! replicas i                         # a field: name, type, words, `=default`
//! ```
//!
//! Types: `s`tring, `i`nt32, `l` int64, `b`oolean, `d`ouble, `y` bytes, `o`bject, `[T` list, `{T`
//! map, `#name` a definition. Words: `lt=` list type, `lk=` its key, `mt=` map type, `ps=` patch
//! strategy, `pk=` merge key, `e=A|B` enum, `ee=A|B` enum of the elements, with `_` for spaces.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::model::{Body, Field, GoType, JsonForm, Package, Schema, Served, TypeDef, fact};
use crate::oddities;

/// The text of every type.
///
/// # Errors
/// Names a type that has no form in OpenAPI.
pub fn definitions(schema: &Schema) -> Result<String, String> {
    let mut blocks = BTreeMap::new();
    for (name, block) in oddities::OPENAPI {
        blocks.insert((*name).to_owned(), format!("={name}\n{block}"));
    }
    for package in &schema.packages {
        for def in &package.types {
            let name = format!("{}.{}", model_package(package), def.name);
            if blocks.contains_key(&name) || !matches!(def.body, Body::Struct(_)) {
                continue;
            }
            let mut writer = Writer { schema, package, fields: BTreeMap::new(), required: vec![] };
            let text = writer.block(&name, def).map_err(|e| format!("{name}: {e}"))?;
            blocks.insert(name, text);
        }
    }
    Ok(reachable(schema, &blocks))
}

/// What a served kind or the machinery refers to, sorted by name.
fn reachable(schema: &Schema, blocks: &BTreeMap<String, String>) -> String {
    let mut wanted = BTreeSet::new();
    let served = schema.packages.iter().filter(|p| p.served == Served::Default);
    let mut rest: Vec<String> = served
        .flat_map(|package| {
            let prefix = model_package(package);
            package.types.iter().map(move |def| format!("{prefix}.{}", def.name))
        })
        .filter(|name| blocks.get(name).is_some_and(|block| block.contains("\n@")))
        .chain(blocks.iter().filter(|(_, b)| b.contains("\n@/v1/")).map(|(name, _)| name.clone()))
        .chain(oddities::OPENAPI.iter().map(|(name, _)| (*name).to_owned()))
        .chain(META.map(|name| format!("io.k8s.apimachinery.pkg.apis.meta.v1.{name}")))
        .collect();
    while let Some(name) = rest.pop() {
        let Some(block) = blocks.get(&name) else { continue };
        if wanted.insert(name) {
            let names =
                block.split(['\n', ' ', '[', '{']).filter_map(|word| word.strip_prefix('#'));
            rest.extend(names.map(str::to_owned));
        }
    }
    wanted.iter().filter_map(|name| blocks.get(name)).map(String::as_str).collect()
}

/// What every resource needs.
const META: [&str; 5] = ["DeleteOptions", "WatchEvent", "ObjectMeta", "ListMeta", "TypeMeta"];

/// The name that definitions of a package begin with.
fn model_package(package: &Package) -> String {
    match fact(&package.facts, "k8s:openapi-model-package") {
        Some(name) => name.to_owned(),
        None => model_path(&package.path),
    }
}

/// `k8s.io/api/core/v1` is `io.k8s.api.core.v1`.
fn model_path(path: &str) -> String {
    let (domain, rest) = path.split_once('/').unwrap_or((path, ""));
    let mut parts: Vec<&str> = domain.rsplit('.').collect();
    parts.extend(rest.split('/'));
    parts.join(".")
}

struct Writer<'a> {
    schema: &'a Schema,
    package: &'a Package,
    /// Lines by JSON name.
    fields: BTreeMap<String, String>,
    required: Vec<String>,
}

impl Writer<'_> {
    fn block(&mut self, name: &str, def: &TypeDef) -> Result<String, String> {
        let mut out = format!("={name}\n");
        let kinds = self.kinds(def);
        for kind in kinds {
            out += &format!("@{kind}\n");
        }
        self.struct_fields(def)?;
        if !self.required.is_empty() {
            out += &format!("!{}\n", self.required.join(" "));
        }
        if def.fact("structType") == Some("atomic") || def.fact("mapType") == Some("atomic") {
            out += "^atomic\n";
        }
        if let Some(union) = union(def) {
            out += &format!("&{union}\n");
        }
        for line in self.fields.values() {
            out += line;
            out.push('\n');
        }
        Ok(out)
    }

    /// `group/version/Kind` of a kind; options that every group takes are of all of them.
    fn kinds(&self, def: &TypeDef) -> Vec<String> {
        let kind = &def.name;
        if oddities::is_meta(&self.package.path) {
            return match kind.as_str() {
                "DeleteOptions" | "WatchEvent" => {
                    let all: BTreeSet<String> = (self.schema.packages.iter())
                        .filter(|p| !oddities::is_meta(&p.path) && oddities::in_scheme(&p.path))
                        .filter_map(|p| {
                            Some(format!("{}/{}/{kind}", p.group.as_ref()?, p.version()))
                        })
                        .collect();
                    all.into_iter().collect()
                }
                "Status" | "APIVersions" | "APIGroup" | "APIGroupList" | "APIResourceList" => {
                    vec![format!("/v1/{kind}")]
                }
                _ => Vec::new(),
            };
        }
        let object = "k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object";
        match &self.package.group {
            Some(group)
                if def.facts.iter().any(|fact| fact == object)
                    && !oddities::is_no_kind(&self.package.path, kind) =>
            {
                vec![format!("{group}/{}/{kind}", self.package.version())]
            }
            _ => Vec::new(),
        }
    }

    fn struct_fields(&mut self, def: &TypeDef) -> Result<(), String> {
        for field in def.fields() {
            match field.form {
                JsonForm::Hidden | JsonForm::Untagged => {}
                JsonForm::Inline => {
                    let GoType::Name(path, name) = pointed(&field.ty) else { continue };
                    let inner = self.schema.find(path, name);
                    let inner = inner.ok_or_else(|| format!("{name} is not known"))?;
                    self.struct_fields(inner)?;
                }
                JsonForm::Named => {
                    let line = self.field(field).map_err(|e| format!("{}: {e}", field.json))?;
                    if !self.fields.contains_key(&field.json) && field.is_required() {
                        self.required.push(field.json.clone());
                    }
                    self.fields.insert(field.json.clone(), line);
                }
            }
        }
        Ok(())
    }

    fn field(&self, field: &Field) -> Result<String, String> {
        let mut out = format!("{} {}", field.json, self.ty(&field.ty)?);
        for (word, value) in [
            ("lt", field.list_type.as_str()),
            ("mt", field.map_type.as_str()),
            ("ps", field.patch_strategy.as_str()),
            ("pk", field.patch_key.as_str()),
        ] {
            if !value.is_empty() {
                // Writing to a String cannot fail.
                let _ = write!(out, " {word}={value}");
            }
        }
        for key in &field.list_keys {
            let _ = write!(out, " lk={key}");
        }
        let (word, element) = match pointed(&field.ty) {
            GoType::Slice(inner) | GoType::Map(_, inner) => ("ee", inner.as_ref()),
            plain => ("e", plain),
        };
        if let Some(values) = self.enums(element) {
            // A value has no space in it that is not written like this.
            let _ = write!(out, " {word}={}", values.join("|").replace(' ', "_"));
        }
        let own = match field.fact("default") {
            Some(text) => Some(match text.strip_prefix("ref(").and_then(|t| t.strip_suffix(')')) {
                Some(name) => self.constant(name)?,
                None => text.to_owned(),
            }),
            None => None,
        };
        let zero = self.zero(&field.ty, field.omitempty || field.omitzero);
        if let Some(default) = own.or(zero.map(str::to_owned)) {
            let _ = write!(out, " ={default}");
        }
        Ok(out)
    }

    fn constant(&self, name: &str) -> Result<String, String> {
        let types = self.package.types.iter().flat_map(|def| &def.values);
        let found = types.chain(&self.package.consts).find(|value| value.name == name);
        found.map(|value| value.value.clone()).ok_or_else(|| format!("no constant {name}"))
    }

    /// The default of what is always written.
    fn zero(&self, ty: &GoType, omitempty: bool) -> Option<&'static str> {
        let GoType::Name(path, name) = ty else { return None };
        if path.is_empty() {
            let zero = match name.as_str() {
                "string" => "\"\"",
                "bool" => "false",
                "any" => return None,
                _ => "0",
            };
            return (!omitempty).then_some(zero);
        }
        if let Some(under) = oddities::foreign_type(path, name) {
            return self.zero(&GoType::Name(String::new(), under.to_owned()), omitempty);
        }
        match self.schema.find(path, name).map(|def| &def.body) {
            Some(Body::Named(under)) => self.zero(under, omitempty),
            _ => Some("{}"),
        }
        .filter(|_| !oddities::is_bare_time(path, name) && !oddities::is_machinery(path))
    }

    /// The values of an enum, sorted.
    fn enums(&self, ty: &GoType) -> Option<Vec<String>> {
        let GoType::Name(path, name) = ty else { return None };
        let def = self.schema.find(path, name)?;
        def.fact("enum")?;
        let mut values: Vec<String> =
            def.values.iter().map(|value| value.value.trim_matches('"').to_owned()).collect();
        values.sort();
        values.dedup();
        Some(values)
    }

    fn ty(&self, ty: &GoType) -> Result<String, String> {
        Ok(match ty {
            GoType::Pointer(inner) => self.ty(inner)?,
            GoType::Slice(inner) => match inner.as_ref() {
                GoType::Name(path, name)
                    if path.is_empty() && matches!(name.as_str(), "byte" | "uint8") =>
                {
                    "y".to_owned()
                }
                inner => format!("[{}", self.ty(inner)?),
            },
            GoType::Map(_, value) => format!("{{{}", self.ty(value)?),
            GoType::Opaque => return Err("no data".to_owned()),
            GoType::Name(path, name) if path.is_empty() => match name.as_str() {
                "string" => "s",
                "bool" => "b",
                "int" | "int32" | "uint16" | "int16" | "uint32" => "i",
                "int64" | "uint64" => "l",
                "float64" | "float32" => "d",
                "any" => "o",
                other => return Err(format!("{other} has no form")),
            }
            .to_owned(),
            GoType::Name(path, name) => {
                if let Some(under) = oddities::foreign_type(path, name) {
                    return self.ty(&GoType::Name(String::new(), under.to_owned()));
                }
                if oddities::is_machinery(path) {
                    return Ok(format!("#{}.{name}", model_path(path)));
                }
                let package = self.schema.package(path);
                let prefix = package.map_or_else(|| model_path(path), model_package);
                match self.schema.find(path, name).map(|def| &def.body) {
                    Some(Body::Named(under)) => self.ty(under)?,
                    _ => format!("#{prefix}.{name}"),
                }
            }
        })
    }
}

fn pointed(ty: &GoType) -> &GoType {
    match ty {
        GoType::Pointer(inner) => inner,
        other => other,
    }
}

/// `x-kubernetes-unions` of a struct that is marked as one.
fn union(def: &TypeDef) -> Option<String> {
    def.fact("union")?;
    let named = def.fields().iter().filter(|field| field.form == JsonForm::Named);
    let (discriminator, members): (Vec<&Field>, Vec<&Field>) =
        named.partition(|field| field.fact("unionDiscriminator").is_some());
    let mut members: Vec<String> =
        members.iter().map(|field| format!("\"{}\":\"{}\"", field.json, field.go)).collect();
    members.sort();
    let discriminator = discriminator.first();
    let discriminator =
        discriminator.map_or_else(String::new, |f| format!("\"discriminator\":\"{}\",", f.json));
    Some(format!("[{{{discriminator}\"fields-to-discriminateBy\":{{{}}}}}]", members.join(",")))
}
