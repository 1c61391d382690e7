//! The schema's text form in `crates/codegen/schema/`: a file per package, a line per fact, no
//! prose. Written by the import, read by the generator; `parse` and `write` are inverse.
//!
//! ```text
//! package k8s.io/api/core/v1
//! group  default                 # API group (nothing for core) and how it is served
//! + k8s:openapi-gen=true         # `+`: a marker of what stands above it
//!
//! resource pods pod Pod namespaced
//!   verbs create delete get list patch update watch
//!   short po
//!   categories all
//!   sub status Pod get patch update
//!
//! type EnvVar                    # a struct, its fields indented
//!   name: string 1
//!   value: string 2 omitempty optional
//!
//! type PodPhase = string         # a named type, its constants indented
//!   const PodRunning "Running"
//! ```
//!
//! A field's line has its JSON name, Go type, protobuf number (0: none) and words. In place of
//! the JSON name stands `<Go>:` for an inlined field, `-Go:` for one hidden from JSON and `!Go:`
//! for one without a tag; `go=` names the Go field where it is not the JSON name capitalised.

use std::fmt::Write;

use crate::model::{
    Body, Const, Field, GoType, JsonForm, Package, Resource, Schema, Served, TypeDef,
};
use crate::names;

/// Writes one package.
pub fn write(package: &Package) -> String {
    let mut out = String::new();
    let w = &mut out;
    line(w, 0, format_args!("package {}", package.path));
    if let Some(group) = &package.group {
        let served = match package.served {
            Served::Default => "default",
            Served::All => "all",
            Served::Never => "never",
        };
        line(w, 0, format_args!("group {group} {served}"));
    }
    facts(w, 0, &package.facts);
    for resource in &package.resources {
        w.push('\n');
        let scope = if resource.namespaced { "namespaced" } else { "cluster" };
        let Resource { plural, singular, kind, .. } = resource;
        line(w, 0, format_args!("resource {plural} {singular} {kind} {scope}"));
        words(w, "verbs", &resource.verbs);
        words(w, "short", &resource.short_names);
        words(w, "categories", &resource.categories);
        for sub in &resource.subresources {
            let verbs = sub.verbs.join(" ");
            line(w, 1, format_args!("sub {} {} {verbs}", sub.plural, sub.kind));
        }
    }
    for def in &package.types {
        w.push('\n');
        match &def.body {
            Body::Struct(_) => line(w, 0, format_args!("type {}", def.name)),
            Body::Named(under) => {
                line(w, 0, format_args!("type {} = {}", def.name, under.text(&package.path)));
            }
        }
        facts(w, 1, &def.facts);
        for field in def.fields() {
            field_line(w, field, &package.path);
            facts(w, 2, &field.facts);
        }
        for value in &def.values {
            line(w, 1, format_args!("const {} {}", value.name, value.value));
        }
    }
    if !package.consts.is_empty() {
        w.push('\n');
    }
    for value in &package.consts {
        line(w, 0, format_args!("const {} {}", value.name, value.value));
    }
    out
}

fn line(w: &mut String, depth: usize, text: std::fmt::Arguments<'_>) {
    for _ in 0..depth {
        w.push_str("  ");
    }
    // Writing to a String cannot fail.
    let _ = w.write_fmt(text);
    w.push('\n');
}

fn facts(w: &mut String, depth: usize, facts: &[String]) {
    for fact in facts {
        line(w, depth, format_args!("+ {fact}"));
    }
}

fn words(w: &mut String, name: &str, list: &[String]) {
    if !list.is_empty() {
        line(w, 1, format_args!("{name} {}", list.join(" ")));
    }
}

fn field_line(w: &mut String, field: &Field, home: &str) {
    let name = match field.form {
        JsonForm::Named => field.json.clone(),
        JsonForm::Inline => format!("<{}>", field.go),
        JsonForm::Hidden => format!("-{}", field.go),
        JsonForm::Untagged => format!("!{}", field.go),
    };
    let mut text = format!("{name}: {} {}", field.ty.text(home), field.number);
    for (flag, word) in [
        (field.omitempty, "omitempty"),
        (field.omitzero, "omitzero"),
        (field.optional, "optional"),
        (field.required, "required"),
    ] {
        if flag {
            text = text + " " + word;
        }
    }
    let keys = field.list_keys.iter().map(|key| ("key", key.as_str()));
    let go = match field.form {
        JsonForm::Named if field.go != names::exported(&field.json) => field.go.as_str(),
        _ => "",
    };
    for (name, value) in [("list", field.list_type.as_str())]
        .into_iter()
        .chain(keys)
        .chain([("map", field.map_type.as_str()), ("patch", &field.patch_strategy)])
        .chain([("patchkey", field.patch_key.as_str()), ("go", go)])
    {
        if !value.is_empty() {
            let _ = write!(text, " {name}={value}");
        }
    }
    line(w, 1, format_args!("{text}"));
}

/// Reads one package; the message names the line that cannot be read.
pub fn parse(text: &str) -> Result<Package, String> {
    let mut package = Package::default();
    for (index, raw) in text.lines().enumerate() {
        if !raw.trim().is_empty() {
            let depth = (raw.len() - raw.trim_start().len()) / 2;
            read_line(&mut package, depth, raw.trim_start())
                .ok_or_else(|| format!("line {}: cannot read `{raw}`", index + 1))?;
        }
    }
    Ok(package)
}

fn read_line(package: &mut Package, depth: usize, text: &str) -> Option<()> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match (depth, word) {
        (0, "package") => package.path = rest.to_owned(),
        (0, "group") => {
            let (group, served) = rest.rsplit_once(' ')?;
            package.group = Some(group.to_owned());
            package.served = match served {
                "default" => Served::Default,
                "all" => Served::All,
                "never" => Served::Never,
                _ => return None,
            };
        }
        (0, "resource") => {
            let mut parts = rest.split(' ').map(str::to_owned);
            package.resources.push(Resource {
                plural: parts.next()?,
                singular: parts.next()?,
                kind: parts.next()?,
                namespaced: parts.next()? == "namespaced",
                ..Resource::default()
            });
        }
        (0, "type") => {
            let (name, body) = match rest.split_once(" = ") {
                Some((name, under)) => (name, Body::Named(GoType::parse(under, &package.path))),
                None => (rest, Body::Struct(Vec::new())),
            };
            let name = name.to_owned();
            package.types.push(TypeDef { name, body, facts: Vec::new(), values: Vec::new() });
        }
        (0, "const") => package.consts.push(read_const(rest)?),
        (0, "+") => package.facts.push(rest.to_owned()),
        (1, "verbs") => package.resources.last_mut()?.verbs = list(rest),
        (1, "short") => package.resources.last_mut()?.short_names = list(rest),
        (1, "categories") => package.resources.last_mut()?.categories = list(rest),
        (1, "sub") => {
            let mut parts = rest.split(' ').map(str::to_owned);
            package.resources.last_mut()?.subresources.push(Resource {
                plural: parts.next()?,
                kind: parts.next()?,
                verbs: parts.collect(),
                ..Resource::default()
            });
        }
        (1, "const") => package.types.last_mut()?.values.push(read_const(rest)?),
        (1, "+") => package.types.last_mut()?.facts.push(rest.to_owned()),
        (1, _) => {
            let field = read_field(word, rest, &package.path)?;
            let Body::Struct(fields) = &mut package.types.last_mut()?.body else { return None };
            fields.push(field);
        }
        (2, "+") => {
            let Body::Struct(fields) = &mut package.types.last_mut()?.body else { return None };
            fields.last_mut()?.facts.push(rest.to_owned());
        }
        _ => return None,
    }
    Some(())
}

fn list(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn read_const(text: &str) -> Option<Const> {
    let (name, value) = text.split_once(' ')?;
    Some(Const { name: name.to_owned(), value: value.to_owned() })
}

fn read_field(name: &str, rest: &str, home: &str) -> Option<Field> {
    let name = name.strip_suffix(':')?;
    let mut parts = rest.split(' ');
    let ty = GoType::parse(parts.next()?, home);
    let mut field = Field { ty, number: parts.next()?.parse().ok()?, ..Field::default() };
    let inlined = name.strip_prefix('<').and_then(|n| n.strip_suffix('>'));
    if let Some(go) = inlined {
        (field.form, field.go) = (JsonForm::Inline, go.to_owned());
    } else if let Some(go) = name.strip_prefix('-') {
        (field.form, field.go) = (JsonForm::Hidden, go.to_owned());
    } else if let Some(go) = name.strip_prefix('!') {
        (field.form, field.go) = (JsonForm::Untagged, go.to_owned());
    } else {
        (field.json, field.go) = (name.to_owned(), names::exported(name));
    }
    for word in parts {
        match word.split_once('=') {
            None => match word {
                "omitempty" => field.omitempty = true,
                "omitzero" => field.omitzero = true,
                "optional" => field.optional = true,
                "required" => field.required = true,
                _ => return None,
            },
            Some((name, value)) => {
                let value = value.to_owned();
                match name {
                    "list" => field.list_type = value,
                    "key" => field.list_keys.push(value),
                    "map" => field.map_type = value,
                    "patch" => field.patch_strategy = value,
                    "patchkey" => field.patch_key = value,
                    "go" => field.go = value,
                    _ => return None,
                }
            }
        }
    }
    Some(field)
}

/// Writes the `release` file: the release, then group and version of everything a server can
/// offer in the order of its discovery.
pub fn write_release(schema: &Schema) -> String {
    let mut out = format!("{}\n", schema.version);
    for (group, version) in &schema.order {
        line(&mut out, 0, format_args!("{group}/{version}"));
    }
    out
}

/// Reads all files of a schema folder, given as name and text; `release` is the text of its
/// `release` file.
///
/// # Errors
/// Names the file and the line that cannot be read.
pub fn parse_all<'a>(
    release: &str,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Schema, String> {
    let mut packages = Vec::new();
    for (name, text) in files {
        packages.push(parse(text).map_err(|e| format!("schema file {name}: {e}"))?);
    }
    packages.sort_by(|a, b| a.path.cmp(&b.path));
    let mut lines = release.lines();
    let version = lines.next().unwrap_or_default().to_owned();
    let pair = |l: &str| l.split_once('/').map(|(g, v)| (g.to_owned(), v.to_owned()));
    let order: Option<Vec<_>> = lines.map(pair).collect();
    let order = order.ok_or("schema file release: a line lacks its `/`")?;
    Ok(Schema { version, order, packages })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
package k8s.io/api/core/v1
group  default
+ groupName=

resource pods pod Pod namespaced
  verbs get list
  short po
  sub eviction policy/v1.Eviction create

type Phase = string
  + enum
  const PhaseA \"A b\"

type Pod
  + genclient
  metadata: k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta 1 omitempty optional go=ObjectMeta
    + k8s:alpha(since: \"1.37\")=+k8s:optional
  <Source>: Source 2
  ports: []Port 3 list=map key=a key=b patch=merge patchkey=a
  -Raw: []byte 0

const Key \"k\"
";

    #[test]
    fn parse_and_write_are_inverse() {
        let package = parse(SAMPLE).unwrap();
        assert_eq!(write(&package), SAMPLE);
        assert_eq!(package.group.as_deref(), Some(""));
        let ports = &package.types[1].fields()[2];
        assert_eq!(ports.list_keys, ["a", "b"]);
        assert_eq!(package.types[1].fields()[1].form, JsonForm::Inline);
    }

    #[test]
    fn errors_name_the_line() {
        let error = parse("package a/b\ntype T\n  x: string seven\n").unwrap_err();
        assert!(error.contains("line 3") && error.contains("seven"), "{error}");
        assert!(parse("  x: string 1\n").is_err(), "a field needs a type above it");
    }
}
