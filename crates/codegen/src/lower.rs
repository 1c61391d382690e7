//! Lowers the [`Schema`] to Rust [`Module`]s: resolves named types, finds kinds and their
//! resources, names fields.

use std::collections::{BTreeMap, BTreeSet};

use crate::go_types;
use crate::model::{Body, Field, GoType, JsonForm, Package, Schema, Served, TypeDef};
use crate::names;
use crate::oddities;
use crate::rust::{
    Constant, Facts, Kind, KindFacts, Module, ResourceFacts, RustField, Struct, TypePath,
};

/// An inlined struct with more fields than this is stored behind a pointer.
const MAX_INLINE_FIELDS: usize = 8;

/// Lowers every package that is a group-version.
///
/// # Errors
/// Names the type that cannot be represented, or two things that would have one name.
pub fn lower(schema: &Schema) -> Result<Vec<Module>, String> {
    let mut modules = Vec::new();
    let inner = types_inside_others(schema);
    for package in schema.packages.iter().filter(|p| p.group.is_some()) {
        modules.push(Lowering { schema, package, inner: &inner }.module()?);
    }
    modules.sort_by(|a, b| a.name.cmp(&b.name));
    for module in &modules {
        check_names(module)?;
    }
    Ok(modules)
}

/// Package and name of every type that is the type of a field, or of what a field has.
fn types_inside_others(schema: &Schema) -> BTreeSet<(&str, &str)> {
    fn innermost(ty: &GoType) -> Option<(&str, &str)> {
        match ty {
            GoType::Pointer(of) | GoType::Slice(of) | GoType::Map(_, of) => innermost(of),
            GoType::Name(package, name) => Some((package, name)),
            _ => None,
        }
    }
    let types = schema.packages.iter().flat_map(|p| &p.types);
    let fields = types.flat_map(TypeDef::fields).filter(|f| f.form != JsonForm::Inline);
    fields.filter_map(|f| innermost(&f.ty)).collect()
}

/// The field for what an object inside another says of itself.
fn type_meta() -> RustField {
    RustField {
        name: "type_meta".to_owned(),
        hidden: true,
        type_meta: true,
        kind: Kind::Emb(TypePath { module: String::new(), name: "TypeMeta".to_owned() }),
        notes: vec!["kind and apiVersion that an object inside another says of itself".to_owned()],
        ..RustField::default()
    }
}

fn check_names(module: &Module) -> Result<(), String> {
    let mut seen = BTreeMap::new();
    let descs = module.structs.iter().map(|s| (&s.desc, "a descriptor"));
    let consts = module.consts.iter().map(|c| (&c.name, "a constant"));
    for (name, what) in descs.chain(consts) {
        if let Some(other) = seen.insert(name, what) {
            return Err(format!("{}: {name} names {what} and {other}", module.name));
        }
    }
    for def in &module.structs {
        let mut seen = BTreeSet::new();
        if let Some(twice) = def.fields.iter().find(|f| !seen.insert(&f.name)) {
            return Err(format!("{}.{}: two fields {}", module.name, def.name, twice.name));
        }
    }
    Ok(())
}

struct Lowering<'a> {
    schema: &'a Schema,
    package: &'a Package,
    inner: &'a BTreeSet<(&'a str, &'a str)>,
}

impl Lowering<'_> {
    fn module(&self) -> Result<Module, String> {
        let package = self.package;
        let group = package.group.clone().unwrap_or_default();
        let mut module = Module {
            name: package.module(),
            path: package.path.clone(),
            group_label: oddities::reference_group(&group),
            group,
            version: package.version().to_owned(),
            meta: oddities::is_meta(&package.path),
            ..Module::default()
        };
        for def in &package.types {
            self.constants(def, &mut module);
            if oddities::is_skipped(&package.path, &def.name)
                || oddities::custom_codec(&package.path, &def.name).is_some()
            {
                continue;
            }
            match self.copied(def) {
                Copied::Struct(owner, origin) => {
                    let lowered = self.structure(def, owner, origin.fields())?;
                    module.structs.push(lowered);
                }
                Copied::Wrapped(element) => module.structs.push(self.wrapped(def, element)?),
                Copied::Alias(path) => {
                    module.aliases.push((self.rust_name(&package.path, &def.name), path));
                }
                Copied::Nothing => {}
            }
        }
        self.link_lists(&mut module);
        collect_uses(&mut module);
        Ok(module)
    }

    /// What has to be declared for `def`.
    fn copied<'b>(&'b self, def: &'b TypeDef) -> Copied<'b> {
        match &def.body {
            Body::Struct(_) => Copied::Struct(&self.package.path, def),
            Body::Named(GoType::Slice(element)) if oddities::is_wrapped_slice(def) => {
                Copied::Wrapped(element)
            }
            Body::Named(GoType::Name(path, name)) => match self.schema.find(path, name) {
                Some(origin) if matches!(origin.body, Body::Struct(_)) => {
                    if oddities::is_own_copy(&self.package.path, &def.name) {
                        Copied::Struct(path, origin)
                    } else {
                        Copied::Alias(self.type_path(path, name))
                    }
                }
                _ => Copied::Nothing,
            },
            Body::Named(_) => Copied::Nothing,
        }
    }

    fn constants(&self, def: &TypeDef, module: &mut Module) {
        for value in &def.values {
            let text = value.value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
            let Some(text) = text else { continue };
            let name = oddities::const_name(&self.package.path, &value.name)
                .map(str::to_owned)
                .unwrap_or_else(|| names::screaming(&value.name));
            module.consts.push(Constant { name, value: text.to_owned(), ty: def.name.clone() });
        }
    }

    fn rust_name(&self, package: &str, name: &str) -> String {
        oddities::rust_type_name(package, name).unwrap_or(name).to_owned()
    }

    fn type_path(&self, package: &str, name: &str) -> TypePath {
        let home = self.schema.package(package).map(Package::module).unwrap_or_default();
        let module = if package == self.package.path { String::new() } else { home };
        TypePath { module, name: self.rust_name(package, name) }
    }

    fn structure(&self, def: &TypeDef, owner: &str, fields: &[Field]) -> Result<Struct, String> {
        let mut out = Struct {
            name: self.rust_name(&self.package.path, &def.name),
            go: def.name.clone(),
            notes: type_notes(def),
            in_reference: self.package.served != Served::Never || oddities::is_meta(owner),
            ..Struct::default()
        };
        out.desc = names::screaming(&out.name);
        let at = |f: &Field, e| format!("{}.{}.{}: {e}", self.package.path, def.name, f.go);
        let mut typed = false;
        for field in fields {
            if field.go == "TypeMeta" && field.form == JsonForm::Inline {
                typed = true;
                continue;
            }
            out.fields.push(self.field(field).map_err(|e| at(field, e))?);
        }
        if typed && !oddities::is_unregistered(&self.package.path, &def.name) {
            let kind = self.kind_facts(def, &out);
            // What has metadata has it there.
            if !kind.object && self.inner.contains(&(owner, &*def.name)) {
                out.fields.push(type_meta());
            }
            out.kind = Some(kind);
        }
        if oddities::is_meta(owner) && def.name == "ObjectMeta" {
            out.fields.push(type_meta());
        }
        Ok(out)
    }

    fn wrapped(&self, def: &TypeDef, element: &GoType) -> Result<Struct, String> {
        let kind = Kind::List(Box::new(self.resolve(element)?));
        let items = RustField {
            name: "items".to_owned(),
            json: "items".to_owned(),
            number: 1,
            kind,
            notes: vec!["the elements".to_owned()],
            ..RustField::default()
        };
        Ok(Struct {
            name: def.name.clone(),
            go: def.name.clone(),
            desc: names::screaming(&def.name),
            transparent: true,
            fields: vec![items],
            ..Struct::default()
        })
    }

    fn kind_facts(&self, def: &TypeDef, lowered: &Struct) -> KindFacts {
        let has_object_meta = lowered.fields.iter().any(|f| {
            f.name == "metadata" && matches!(&f.kind, Kind::Msg(p) if p.name == "ObjectMeta")
        });
        let resource = self.resource(def).filter(|_| has_object_meta);
        KindFacts {
            group: oddities::unversioned_group(self.package, &def.name).to_owned(),
            version: self.package.version().to_owned(),
            kind: def.name.clone(),
            object: has_object_meta,
            list_of: None,
            resource,
        }
    }

    /// The resource of a kind: from discovery, or from the markers of kinds no server offers.
    fn resource(&self, def: &TypeDef) -> Option<ResourceFacts> {
        if let Some(found) = self.package.resources.iter().find(|r| r.kind == def.name) {
            let namespaced = found.namespaced;
            return Some(ResourceFacts { plural: found.plural.clone(), namespaced, list: None });
        }
        def.fact("genclient")?;
        if def.fact("genclient:noVerbs").is_some() {
            return None;
        }
        let plural = match def.fact("resourceName") {
            Some(name) => name.to_owned(),
            None => names::plural(&def.name.to_ascii_lowercase()),
        };
        let namespaced = def.fact("genclient:nonNamespaced").is_none();
        Some(ResourceFacts { plural, namespaced, list: None })
    }

    /// Finds the list kinds and ties them to their elements.
    fn link_lists(&self, module: &mut Module) {
        let objects: BTreeSet<String> = module
            .structs
            .iter()
            .filter(|s| s.kind.as_ref().is_some_and(|k| k.object))
            .map(|s| s.name.clone())
            .collect();
        let mut lists = BTreeMap::new();
        for list in &mut module.structs {
            let element = list.fields.iter().find_map(|f| match &f.kind {
                Kind::List(e) if f.name == "items" => match &**e {
                    Kind::Msg(p) if p.module.is_empty() => Some(p.name.clone()),
                    _ => None,
                },
                _ => None,
            });
            if let (Some(kind), Some(element)) = (&mut list.kind, element)
                && objects.contains(&element)
            {
                lists.insert(element.clone(), list.name.clone());
                kind.list_of = Some(element);
            }
        }
        for def in &mut module.structs {
            if let Some(resource) = def.kind.as_mut().and_then(|k| k.resource.as_mut()) {
                resource.list = lists.get(&def.name).cloned();
            }
        }
    }

    fn field(&self, field: &Field) -> Result<RustField, String> {
        let mut kind = self.resolve(&field.ty)?;
        let inline = field.form == JsonForm::Inline;
        if inline
            && self.struct_size(&field.ty) > MAX_INLINE_FIELDS
            && let Kind::Msg(path) = &kind
        {
            kind = Kind::Emb(path.clone());
        }
        let name = match field.form {
            JsonForm::Named => names::field(&field.json),
            _ => names::field(&field.go),
        };
        let mut facts = self.facts(field);
        let go = go_types::of_go(self.schema, &field.ty);
        if !inline && go != go_types::of_kind(&kind, &self.package.module()) {
            facts.go = go;
        }
        let notes = self.field_notes(field, &facts, &kind);
        Ok(RustField {
            name,
            json: field.json.clone(),
            number: field.number,
            omitempty: field.omitempty,
            omitzero: field.omitzero,
            inline,
            hidden: matches!(field.form, JsonForm::Hidden | JsonForm::Untagged),
            type_meta: false,
            kind,
            facts,
            notes,
        })
    }

    fn struct_size(&self, ty: &GoType) -> usize {
        match self.declaration(ty) {
            Some((_, def)) => def.fields().len(),
            None => 0,
        }
    }

    /// The declaration of a type beneath its aliases and its pointer.
    fn declaration(&self, ty: &GoType) -> Option<(&str, &TypeDef)> {
        match ty {
            GoType::Pointer(inner) => self.declaration(inner),
            GoType::Name(path, name) => {
                let def = self.schema.find(path, name)?;
                match &def.body {
                    Body::Named(under @ GoType::Name(..)) => {
                        self.declaration(under).or(Some(("", def)))
                    }
                    _ => {
                        let home = self.schema.package(path)?;
                        Some((home.path.as_str(), def))
                    }
                }
            }
            _ => None,
        }
    }

    fn facts(&self, field: &Field) -> Facts {
        let element = match &field.ty {
            GoType::Slice(inner) => inner,
            other => other,
        };
        let named = self.declaration(element).map(|(_, def)| def);
        // What the field says goes before what its type says.
        let struct_type = match field.map_type.as_str() {
            "" => named.and_then(|def| def.fact("structType")).unwrap_or_default(),
            own => own,
        };
        Facts {
            default: self.default(field),
            list_type: field.list_type.clone(),
            atomic: struct_type == "atomic",
            keys: field.list_keys.clone(),
            patch_strategy: field.patch_strategy.clone(),
            patch_key: field.patch_key.clone(),
            enums: enum_values(self.schema, element),
            required: field.form == JsonForm::Named && field.is_required(),
            go: String::new(),
        }
    }

    /// JSON text of the default; `ref(Name)` is the value of a constant.
    fn default(&self, field: &Field) -> String {
        let Some(text) = field.fact("default") else { return String::new() };
        let name = text.strip_prefix("ref(").and_then(|r| r.strip_suffix(')'));
        let Some(name) = name else { return text.to_owned() };
        let all = self.package.types.iter().flat_map(|t| &t.values).chain(&self.package.consts);
        all.into_iter().find(|c| c.name == name).map(|c| c.value.clone()).unwrap_or_default()
    }

    fn resolve(&self, ty: &GoType) -> Result<Kind, String> {
        match ty {
            GoType::Name(path, name) => self.resolve_name(path, name),
            GoType::Pointer(inner) => Ok(match self.resolve(inner)? {
                // A pointer to what can be absent already says no more.
                kind @ (Kind::Opt(_) | Kind::List(_) | Kind::Map(_) | Kind::Bytes) => kind,
                kind => Kind::Opt(Box::new(kind)),
            }),
            GoType::Slice(inner) if **inner == GoType::Name(String::new(), "byte".to_owned()) => {
                Ok(Kind::Bytes)
            }
            GoType::Slice(inner) => Ok(Kind::List(Box::new(self.element(inner)?))),
            GoType::Map(key, value) => match self.resolve(key)? {
                Kind::Str => Ok(Kind::Map(Box::new(self.element(value)?))),
                _ => Err("keys of maps must be strings".to_owned()),
            },
            GoType::Opaque => Err("not a data type".to_owned()),
        }
    }

    /// The kind of an element or value: a pointer there is the value itself.
    fn element(&self, ty: &GoType) -> Result<Kind, String> {
        Ok(match self.resolve(ty)? {
            Kind::Opt(inner) => *inner,
            kind => kind,
        })
    }

    fn resolve_name(&self, path: &str, name: &str) -> Result<Kind, String> {
        if let Some(leaf) = oddities::custom_codec(path, name) {
            return Ok(Kind::Leaf(leaf));
        }
        if let Some(under) = oddities::foreign_type(path, name) {
            return self.resolve(&GoType::parse(under, ""));
        }
        if path.is_empty() {
            return match name {
                "string" => Ok(Kind::Str),
                "bool" => Ok(Kind::Bool),
                "int8" | "int16" | "int32" | "uint8" | "uint16" => Ok(Kind::I32),
                "int" | "int64" | "uint32" | "uint64" => Ok(Kind::I64),
                "float32" | "float64" => Ok(Kind::F64),
                _ => Err(format!("unknown type `{name}`")),
            };
        }
        let def = self.schema.find(path, name);
        let def = def.ok_or_else(|| format!("{path} declares no `{name}`"))?;
        match &def.body {
            Body::Struct(_) => Ok(Kind::Msg(self.type_path(path, name))),
            Body::Named(_)
                if oddities::is_wrapped_slice(def) || oddities::is_own_copy(path, name) =>
            {
                Ok(Kind::Msg(self.type_path(path, name)))
            }
            Body::Named(under) => self.resolve(under),
        }
    }

    fn field_notes(&self, field: &Field, facts: &Facts, kind: &Kind) -> Vec<String> {
        let mut notes = vec![describe(kind)];
        if field.form == JsonForm::Inline {
            notes.push("its members appear here".to_owned());
        }
        if facts.required {
            notes.push("required".to_owned());
        }
        if !facts.default.is_empty() {
            notes.push(format!("default `{}`", facts.default));
        }
        if !facts.enums.is_empty() {
            let shown: Vec<_> = facts.enums.iter().map(|v| format!("`{v}`")).collect();
            notes.push(format!("one of {}", shown.join(", ")));
        }
        match facts.list_type.as_str() {
            "map" => notes.push(format!("map by `{}`", facts.keys.join("`, `"))),
            "set" => notes.push("set".to_owned()),
            _ if !facts.patch_key.is_empty() => {
                notes.push(format!("merge key `{}`", facts.patch_key))
            }
            _ => {}
        }
        if let Some(gate) = field.fact("featureGate") {
            notes.push(format!("feature gate `{gate}`"));
        }
        notes
    }
}

/// Values of a type marked as an enum (or of the elements), sorted as OpenAPI lists them.
pub(crate) fn enum_values(schema: &Schema, ty: &GoType) -> Vec<String> {
    let (path, name) = match ty {
        GoType::Pointer(inner) | GoType::Slice(inner) => return enum_values(schema, inner),
        GoType::Name(path, name) => (path, name),
        GoType::Map(..) | GoType::Opaque => return Vec::new(),
    };
    let Some(def) = schema.find(path, name).filter(|d| d.fact("enum").is_some()) else {
        return Vec::new();
    };
    let text = |v: &crate::model::Const| v.value.trim_matches('"').to_owned();
    let values: BTreeSet<String> = def.values.iter().map(text).collect();
    values.into_iter().collect()
}

enum Copied<'a> {
    Struct(&'a str, &'a TypeDef),
    Wrapped(&'a GoType),
    Alias(TypePath),
    Nothing,
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Str => "string".to_owned(),
        Kind::I32 | Kind::I64 => "integer".to_owned(),
        Kind::Bool => "boolean".to_owned(),
        Kind::F64 => "number".to_owned(),
        Kind::Bytes => "bytes".to_owned(),
        Kind::Msg(path) | Kind::Emb(path) => path.name.clone(),
        Kind::Leaf(leaf) => leaf.shown.to_owned(),
        Kind::Opt(inner) => describe(inner) + " or absent",
        Kind::List(inner) => format!("list of {}", describe(inner)),
        Kind::Map(inner) => format!("map of {}", describe(inner)),
    }
}

fn type_notes(def: &TypeDef) -> Vec<String> {
    const LIFECYCLE: &str = "k8s:prerelease-lifecycle-gen:";
    let mut notes = Vec::new();
    for (marker, word) in
        [("introduced", "since"), ("deprecated", "deprecated in"), ("removed", "removed in")]
    {
        if let Some(version) = def.fact(&format!("{LIFECYCLE}{marker}")) {
            notes.push(format!("{word} {version}"));
        }
    }
    if let Some(text) = def.fact(&format!("{LIFECYCLE}replacement")) {
        notes.push(format!("replaced by {}", text.replace(',', " ")));
    }
    notes
}

fn collect_uses(module: &mut Module) {
    let mut uses = BTreeSet::new();
    let mut leaves = BTreeMap::new();
    for field in module.structs.iter().flat_map(|s| &s.fields) {
        match field.kind.leaf_kind() {
            Kind::Msg(path) | Kind::Emb(path) => {
                uses.insert(path.module.clone());
            }
            Kind::Leaf(leaf) if leaf.in_api => {
                leaves.insert(leaf.rust, *leaf);
            }
            _ => {}
        }
    }
    uses.extend(module.aliases.iter().map(|(_, path)| path.module.clone()));
    uses.remove("");
    module.uses = uses.into_iter().collect();
    module.leaves = leaves.into_values().collect();
}
