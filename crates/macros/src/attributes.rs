//! `#[resource(...)]`: read, checked, and lowered to the generator's model of a resource.
use crate::check;
use crate::keys::{Key, Known, Spanned};
use pintle_codegen::model::Resource;
use pintle_codegen::names;
use proc_macro2::Span;
use syn::{Attribute, DeriveInput, Error, Expr, ExprLit, Ident, Lit, Meta, Path, Result, Type};

const KEYS: &[Known] = &[
    ("group", "group = \"example.com\""),
    ("version", "version = \"v1alpha1\""),
    ("kind", "kind = \"Foo\""),
    ("namespaced", "namespaced"),
    ("cluster", "cluster"),
    ("status", "status = FooStatus"),
    ("plural", "plural = \"foos\""),
    ("singular", "singular = \"foo\""),
    ("list_kind", "list_kind = \"FooList\""),
    ("rust_name", "rust_name = \"FooV1\""),
    ("short_name", "short_name = \"fo\""),
    ("short_names", "short_names(\"fo\", \"f\")"),
    ("category", "category = \"all\""),
    ("categories", "categories(\"all\", \"mine\")"),
    ("column", "column(name = \"Replicas\", json_path = \".spec.replicas\")"),
    ("scale", "scale(spec_path = \".spec.replicas\", status_path = \".status.replicas\")"),
    ("selectable_field", "selectable_field = \".spec.color\""),
    ("validation", "validation(rule = \"self.spec.min <= self.spec.max\", message = \"...\")"),
    ("served", "served = false"),
    ("storage", "storage = false"),
    ("deprecated", "deprecated = \"use v1\""),
    ("doc", "doc = \"...\""),
    ("annotation", "annotation(name = \"example.com/owner\", value = \"me\")"),
    ("crate", "crate = \"pintle\""),
];
const COLUMN: &[Known] = &[
    ("name", "name = \"Replicas\""),
    ("json_path", "json_path = \".spec.replicas\""),
    ("type", "type = \"integer\""),
    ("format", "format = \"int32\""),
    ("description", "description = \"...\""),
    ("priority", "priority = 1"),
];
const SCALE: &[Known] = &[
    ("spec_path", "spec_path = \".spec.replicas\""),
    ("status_path", "status_path = \".status.replicas\""),
    ("label_selector_path", "label_selector_path = \".status.selector\""),
];
const VALIDATION: &[Known] = &[
    ("rule", "rule = \"self.spec.min <= self.spec.max\""),
    ("message", "message = \"...\""),
    ("message_expression", "message_expression = \"'at most ' + string(self.spec.max)\""),
    ("reason", "reason = \"FieldValueInvalid\""),
    ("field_path", "field_path = \".spec.min\""),
];
const ANNOTATION: &[Known] =
    &[("name", "name = \"example.com/owner\""), ("value", "value = \"me\"")];

const COLUMN_TYPES: &[&str] = &["integer", "number", "string", "boolean", "date"];
const COLUMN_FORMATS: &[&str] =
    &["int32", "int64", "float", "double", "byte", "date", "date-time", "password"];
const REASONS: &[&str] =
    &["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"];

/// All that the attribute says, complete and checked.
pub(crate) struct Described {
    /// The resource as the generator has it: names, scope, kind, subresources.
    pub(crate) resource: Resource,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) list_kind: String,
    pub(crate) rust_name: Ident,
    pub(crate) status: Option<Type>,
    pub(crate) columns: Vec<Column>,
    pub(crate) scale: Option<[String; 3]>,
    pub(crate) selectable_fields: Vec<String>,
    pub(crate) validations: Vec<[String; 5]>,
    pub(crate) annotations: Vec<(String, String)>,
    pub(crate) served: bool,
    pub(crate) storage: bool,
    pub(crate) deprecated: Option<String>,
    pub(crate) description: String,
    pub(crate) root: Option<Path>,
}

#[derive(Default)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) json_path: String,
    pub(crate) type_: String,
    pub(crate) format: String,
    pub(crate) description: String,
    pub(crate) priority: i32,
}

#[derive(Default)]
struct Given {
    group: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    namespaced: Option<Span>,
    cluster: Option<Span>,
    status: Option<Type>,
    plural: Option<Spanned<String>>,
    singular: Option<Spanned<String>>,
    list_kind: Option<Spanned<String>>,
    rust_name: Option<Spanned<String>>,
    short_names: Vec<Spanned<String>>,
    categories: Vec<Spanned<String>>,
    /// Needs a status: where it is said, and what.
    of_status: Option<(Span, String)>,
    columns: Vec<Column>,
    scale: Option<[String; 3]>,
    selectable_fields: Vec<String>,
    validations: Vec<[String; 5]>,
    annotations: Vec<(String, String)>,
    served: Option<bool>,
    storage: Option<bool>,
    deprecated: Option<String>,
    doc: Option<Spanned<String>>,
    root: Option<Path>,
}

/// Reads the attributes of a spec struct.
pub(crate) fn read(input: &DeriveInput) -> Result<Described> {
    let mut given = Given::default();
    let mut at = None;
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("resource")) {
        at.get_or_insert_with(|| attribute.path().segments[0].ident.span());
        attribute.parse_nested_meta(|meta| {
            let key = Key::of(&meta, KEYS, "`#[resource(...)]`")?;
            given.take(&key)
        })?;
    }
    let Some(at) = at else {
        return Err(Error::new(
            input.ident.span(),
            "say what the kind is: #[resource(group = \"example.com\", version = \"v1alpha1\", namespaced)]",
        ));
    };
    given.complete(input, at)
}

/// Attaches the place to what a check says.
fn checked(at: Span, outcome: std::result::Result<(), String>) -> Result<()> {
    outcome.map_err(|message| Error::new(at, message))
}

impl Given {
    fn take(&mut self, key: &Key<'_, '_>) -> Result<()> {
        match key.name {
            "group" => key.once(&mut self.group, key.text()?),
            "version" => key.once(&mut self.version, key.text()?),
            "kind" => key.once(&mut self.kind, key.text()?),
            "namespaced" => key.flag().and_then(|()| key.once(&mut self.namespaced, key.span)),
            "cluster" => key.flag().and_then(|()| key.once(&mut self.cluster, key.span)),
            "status" => key.once(&mut self.status, key.parsed()?),
            "plural" => key.once(&mut self.plural, key.text()?),
            "singular" => key.once(&mut self.singular, key.text()?),
            "list_kind" => key.once(&mut self.list_kind, key.text()?),
            "rust_name" => key.once(&mut self.rust_name, key.text()?),
            "short_name" => add(&mut self.short_names, vec![key.text()?], "short name"),
            "short_names" => add(&mut self.short_names, key.list()?, "short name"),
            "category" => add(&mut self.categories, vec![key.text()?], "category"),
            "categories" => add(&mut self.categories, key.list()?, "category"),
            "column" => self.column(key),
            "scale" => self.scale(key),
            "selectable_field" => {
                let path = key.text()?;
                checked(path.span, check::field_path(&path.value, &[".spec", ".status"]))?;
                self.mentions_status(&path);
                self.selectable_fields.push(path.value);
                Ok(())
            }
            "validation" => self.validation(key),
            "served" => key.once(&mut self.served, key.bool()?),
            "storage" => key.once(&mut self.storage, key.bool()?),
            "deprecated" => key.once(&mut self.deprecated, key.flag_or_text()?.unwrap_or_default()),
            "doc" => key.once(&mut self.doc, key.text()?),
            "annotation" => self.annotation(key),
            // The table of keys ends with `crate`.
            _ => {
                let path = key.text()?;
                let parsed = syn::parse_str(&path.value).map_err(|_| {
                    Error::new(path.span, "`crate` must be the path of a crate: crate = \"pintle\"")
                })?;
                key.once(&mut self.root, parsed)
            }
        }
    }

    /// Remembers that a path leads into the status.
    fn mentions_status(&mut self, path: &Spanned<String>) {
        let rest = path.value.strip_prefix(".status");
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])) {
            self.of_status.get_or_insert((path.span, path.value.clone()));
        }
    }

    fn column(&mut self, key: &Key<'_, '_>) -> Result<()> {
        let (mut name, mut json_path) = (None, None);
        let (mut type_, mut format) = (None, None);
        let (mut description, mut priority) = (None, None);
        key.nested(COLUMN, |inner| match inner.name {
            "name" => inner.once(&mut name, inner.text()?),
            "json_path" => {
                let path = inner.text()?;
                checked(path.span, check::json_path(&path.value))?;
                inner.once(&mut json_path, path)
            }
            "type" => {
                let text = inner.text()?;
                checked(text.span, check::one_of("column type", &text.value, COLUMN_TYPES))?;
                inner.once(&mut type_, text.value)
            }
            "format" => {
                let text = inner.text()?;
                checked(text.span, check::one_of("column format", &text.value, COLUMN_FORMATS))?;
                inner.once(&mut format, text.value)
            }
            "description" => inner.once(&mut description, inner.text()?.value),
            _ => inner.once(&mut priority, inner.number()?),
        })?;
        let name = key.need(name, "name")?;
        let json_path = key.need(json_path, "json_path")?;
        if self.columns.iter().any(|c| c.name == name.value) {
            return Err(Error::new(name.span, format!("there are two columns {:?}", name.value)));
        }
        self.mentions_status(&json_path);
        self.columns.push(Column {
            name: name.value,
            json_path: json_path.value,
            type_: type_.unwrap_or_default(),
            format: format.unwrap_or_default(),
            description: description.unwrap_or_default(),
            priority: priority.unwrap_or_default(),
        });
        Ok(())
    }

    fn scale(&mut self, key: &Key<'_, '_>) -> Result<()> {
        let (mut spec, mut status, mut selector) = (None, None, None);
        key.nested(SCALE, |inner| {
            let path = inner.text()?;
            let (place, roots): (_, &[&str]) = match inner.name {
                "spec_path" => (&mut spec, &[".spec"]),
                "status_path" => (&mut status, &[".status"]),
                _ => (&mut selector, &[".status", ".spec"]),
            };
            checked(path.span, check::field_path(&path.value, roots))?;
            inner.once(place, path)
        })?;
        let spec = key.need(spec, "spec_path")?;
        let status = key.need(status, "status_path")?;
        self.mentions_status(&status);
        let selector = selector.map(|s| s.value).unwrap_or_default();
        key.once(&mut self.scale, [spec.value, status.value, selector])
    }

    fn validation(&mut self, key: &Key<'_, '_>) -> Result<()> {
        let mut texts: [Option<String>; 5] = Default::default();
        key.nested(VALIDATION, |inner| {
            let text = inner.text()?;
            match inner.name {
                "reason" => checked(text.span, check::one_of("reason", &text.value, REASONS))?,
                "field_path" => checked(text.span, check::json_path(&text.value))?,
                _ => {}
            }
            let place = VALIDATION.iter().position(|(k, _)| *k == inner.name).unwrap_or_default();
            inner.once(&mut texts[place], text.value)
        })?;
        if texts[0].is_none() {
            key.need(None::<()>, "rule")?;
        }
        self.validations.push(texts.map(Option::unwrap_or_default));
        Ok(())
    }

    fn annotation(&mut self, key: &Key<'_, '_>) -> Result<()> {
        let (mut name, mut value) = (None, None);
        key.nested(ANNOTATION, |inner| match inner.name {
            "name" => inner.once(&mut name, inner.text()?.value),
            _ => inner.once(&mut value, inner.text()?.value),
        })?;
        self.annotations.push((key.need(name, "name")?, key.need(value, "value")?));
        Ok(())
    }

    fn complete(self, input: &DeriveInput, at: Span) -> Result<Described> {
        let lacks = |key: &str, example: &str| {
            Error::new(at, format!("`#[resource(...)]` lacks `{key}`; write `{example}`"))
        };
        let group = self.group.ok_or_else(|| lacks("group", "group = \"example.com\""))?;
        checked(group.span, check::group(&group.value))?;
        let version = self.version.ok_or_else(|| lacks("version", "version = \"v1alpha1\""))?;
        checked(version.span, check::version(&version.value))?;
        let namespaced = match (self.namespaced, self.cluster) {
            (Some(_), Some(cluster)) => {
                return Err(Error::new(
                    cluster,
                    "a kind is either `namespaced` or `cluster`: take one of them out",
                ));
            }
            (None, None) => {
                return Err(Error::new(
                    at,
                    "`#[resource(...)]` lacks the scope; write `namespaced` for objects in \
                     namespaces, `cluster` for others",
                ));
            }
            (namespaced, _) => namespaced.is_some(),
        };
        let (kind, kind_span) = kind(self.kind, &input.ident)?;
        if let (None, Some((span, path))) = (&self.status, self.of_status) {
            let message = format!(
                "{path:?} is in the status, and there is none: write `status = {kind}Status`"
            );
            return Err(Error::new(span, message));
        }
        let name = |given: Option<Spanned<String>>, what: &str, default: String| match given {
            Some(name) => checked(name.span, check::label(what, &name.value)).map(|()| name.value),
            None => Ok(default),
        };
        let singular = name(self.singular, "singular", kind.to_ascii_lowercase())?;
        let plural = name(self.plural, "plural", names::plural(&kind.to_ascii_lowercase()))?;
        let list_kind = match self.list_kind {
            Some(list) => {
                checked(list.span, check::kind("list_kind", &list.value))?;
                list.value
            }
            None => format!("{kind}List"),
        };
        let rust_name = match self.rust_name {
            Some(name) => {
                let mut ident: Ident = syn::parse_str(&name.value).map_err(|_| {
                    Error::new(
                        name.span,
                        format!("{:?} cannot be the name of a struct", name.value),
                    )
                })?;
                ident.set_span(name.span);
                ident
            }
            None => Ident::new(&kind, kind_span),
        };
        if rust_name == input.ident {
            return Err(Error::new(
                rust_name.span(),
                format!(
                    "the struct of the kind would be called `{rust_name}` as this one is; call this one `{rust_name}Spec`"
                ),
            ));
        }
        Ok(Described {
            resource: Resource {
                subresources: subresources(self.status.is_some(), self.scale.is_some()),
                plural,
                singular,
                kind,
                namespaced,
                verbs: Vec::new(),
                short_names: self.short_names.into_iter().map(|n| n.value).collect(),
                categories: self.categories.into_iter().map(|n| n.value).collect(),
            },
            group: group.value,
            version: version.value,
            list_kind,
            rust_name,
            status: self.status,
            columns: self.columns,
            scale: self.scale,
            selectable_fields: self.selectable_fields,
            validations: self.validations,
            annotations: self.annotations,
            served: self.served.unwrap_or(true),
            storage: self.storage.unwrap_or(true),
            deprecated: self.deprecated,
            description: self.doc.map_or_else(|| comments(&input.attrs), |d| d.value),
            root: self.root,
        })
    }
}

/// The kind: as given, or the struct's name without `Spec`.
fn kind(given: Option<Spanned<String>>, of: &Ident) -> Result<(String, Span)> {
    if let Some(kind) = given {
        checked(kind.span, check::kind("kind", &kind.value))?;
        return Ok((kind.value, of.span()));
    }
    match of.to_string().strip_suffix("Spec") {
        Some(kind) if check::kind("kind", kind).is_ok() => Ok((kind.to_owned(), of.span())),
        _ => Err(Error::new(
            of.span(),
            format!(
                "`{of}` is not a kind's name with `Spec` behind it; write `kind = \"Foo\"` in #[resource(...)]"
            ),
        )),
    }
}

fn subresources(status: bool, scale: bool) -> Vec<Resource> {
    let named = |plural: &str| Resource { plural: plural.to_owned(), ..Default::default() };
    let mut all = Vec::new();
    all.extend(scale.then(|| named("scale")));
    all.extend(status.then(|| named("status")));
    all
}

fn add(list: &mut Vec<Spanned<String>>, more: Vec<Spanned<String>>, what: &str) -> Result<()> {
    for name in more {
        checked(name.span, check::label(what, &name.value))?;
        if list.iter().any(|n| n.value == name.value) {
            return Err(Error::new(name.span, format!("{what} {:?} is given twice", name.value)));
        }
        list.push(name);
    }
    Ok(())
}

/// Doc comments as one text: paragraphs keep their lines.
fn comments(attributes: &[Attribute]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        if let Meta::NameValue(nv) = &attribute.meta
            && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &nv.value
        {
            let text = text.value();
            lines.push(text.strip_prefix(' ').unwrap_or(&text).trim_end().to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}
