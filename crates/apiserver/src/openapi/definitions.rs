//! Schemas of built-in types, from the text that the code generator writes.
//!
//! Go counterpart: the generated `zz_generated.openapi.go` files. The form of the text is told in
//! `pintle_codegen::emit_openapi`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// Which of the two specifications is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spec {
    V2,
    V3,
}

impl Spec {
    /// A reference to a definition.
    pub(crate) fn reference(self, name: &str) -> Value {
        json!({ "$ref": format!("{}{name}", self.prefix()) })
    }

    fn prefix(self) -> &'static str {
        match self {
            Spec::V2 => "#/definitions/",
            Spec::V3 => "#/components/schemas/",
        }
    }
}

const TEXT: &str = include_str!("../generated/openapi.txt");
pub(super) const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/// Where in the text each definition is, made when the first document is.
struct Index {
    blocks: HashMap<&'static str, &'static str>,
    kinds: HashMap<&'static str, &'static str>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index { blocks: HashMap::new(), kinds: HashMap::new() };
        let text = TEXT.strip_prefix('=').unwrap_or(TEXT);
        for block in text.split("\n=") {
            let (name, lines) = block.split_once('\n').unwrap_or((block, ""));
            index.blocks.insert(name, lines);
            if name.starts_with(META) {
                continue;
            }
            for kind in lines.lines().filter_map(|line| line.strip_prefix('@')) {
                index.kinds.insert(kind, name);
            }
        }
        index
    })
}

/// The name of the definition of a built-in kind.
pub(crate) fn of_kind(group: &str, version: &str, kind: &str) -> Option<&'static str> {
    index().kinds.get(format!("{group}/{version}/{kind}").as_str()).copied()
}

/// Groups that client-go's scheme does not have; documents of custom resources are made with it.
const SERVERS_OWN: [&str; 4] =
    ["admission.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "imagepolicy.k8s.io"];

/// The schema of a definition. `home` is the group and version that the document is about: in v3
/// options are told to be of the legacy group and of that one alone.
pub(crate) fn schema(name: &str, spec: Spec, home: Option<(&str, &str)>) -> Option<Value> {
    let block = index().blocks.get(name)?;
    let mut schema = Map::from_iter([("type".to_owned(), "object".into())]);
    let (mut properties, mut kinds) = (Map::new(), Vec::new());
    for line in block.lines() {
        let Some(first) = line.chars().next() else { continue };
        let rest = line.get(1..).unwrap_or_default();
        match first {
            ':' if spec == Spec::V2 || !block.contains("\n;") => {
                return serde_json::from_str(rest).ok();
            }
            ';' if spec == Spec::V3 => return serde_json::from_str(rest).ok(),
            ':' | ';' => {}
            '!' => {
                schema.insert("required".to_owned(), rest.split(' ').collect());
            }
            '@' => kinds.push(rest),
            '^' => {
                schema.insert("x-kubernetes-map-type".to_owned(), rest.into());
            }
            '&' => {
                let unions = serde_json::from_str(rest).unwrap_or_default();
                schema.insert("x-kubernetes-unions".to_owned(), unions);
            }
            _ => {
                if let Some((name, value)) = property(line, spec) {
                    properties.insert(name.to_owned(), value);
                }
            }
        }
    }
    if !properties.is_empty() {
        schema.insert("properties".to_owned(), properties.into());
    }
    let many = kinds.len() > 1;
    let kinds: Vec<Value> = kinds
        .into_iter()
        .filter_map(|kind| {
            let mut parts = kind.split('/');
            let (group, version, kind) = (parts.next()?, parts.next()?, parts.next()?);
            let here = match home {
                Some(home) if many && spec == Spec::V3 => {
                    (group, version) == home || (group, version) == ("", "v1")
                }
                None if many && spec == Spec::V3 => !SERVERS_OWN.contains(&group),
                _ => true,
            };
            here.then(|| json!({"group": group, "kind": kind, "version": version}))
        })
        .collect();
    if !kinds.is_empty() {
        schema.insert("x-kubernetes-group-version-kind".to_owned(), kinds.into());
    }
    Some(Value::Object(schema))
}

/// A property of a line: name, type, words, default.
fn property(line: &'static str, spec: Spec) -> Option<(&'static str, Value)> {
    let (line, default) = match line.split_once(" =") {
        Some((line, default)) => (line, Some(default)),
        None => (line, None),
    };
    let mut words = line.split(' ');
    let (name, kind) = (words.next()?, words.next()?);
    let mut value = of_type(kind, spec)?;
    // What OpenAPI v2 cannot say is left out there.
    let default = default.filter(|_| spec == Spec::V3);
    let default = default.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let mut facts = Map::new();
    let mut keys = Vec::new();
    for (word, text) in words.filter_map(|word| word.split_once('=')) {
        let extension = match word {
            "lt" => "x-kubernetes-list-type",
            "mt" => "x-kubernetes-map-type",
            "ps" => "x-kubernetes-patch-strategy",
            "pk" => "x-kubernetes-patch-merge-key",
            "lk" => {
                keys.push(text);
                continue;
            }
            "e" => {
                facts.insert("enum".to_owned(), text.split('|').collect());
                continue;
            }
            _ => {
                let values: Value = text.replace('_', " ").split('|').collect();
                for place in ["items", "additionalProperties"] {
                    if let Some(element) = value.get_mut(place) {
                        element["enum"] = values.clone();
                    }
                }
                continue;
            }
        };
        facts.insert(extension.to_owned(), text.into());
    }
    if !keys.is_empty() {
        facts.insert("x-kubernetes-list-map-keys".to_owned(), keys.into());
    }
    if let Some(default) = default {
        facts.insert("default".to_owned(), default);
    }
    if !facts.is_empty() && kind.starts_with('#') && spec == Spec::V3 {
        value = json!({ "allOf": [value] });
    }
    if let Value::Object(map) = &mut value {
        map.extend(facts);
    }
    Some((name, value))
}

fn of_type(kind: &str, spec: Spec) -> Option<Value> {
    let rest = kind.get(1..).unwrap_or_default();
    Some(match kind.chars().next()? {
        's' => json!({"type": "string"}),
        'i' => json!({"type": "integer", "format": "int32"}),
        'l' => json!({"type": "integer", "format": "int64"}),
        'b' => json!({"type": "boolean"}),
        'd' => json!({"type": "number", "format": "double"}),
        'y' => json!({"type": "string", "format": "byte"}),
        'o' => json!({"type": "object"}),
        '[' => json!({"type": "array", "items": of_type(rest, spec)?}),
        '{' => json!({"type": "object", "additionalProperties": of_type(rest, spec)?}),
        '#' => spec.reference(rest),
        _ => return None,
    })
}

/// The definitions that a document refers to, and those that they refer to, by name; `own` are
/// there already.
pub(crate) fn closure(
    roots: &[&Value],
    own: Map<String, Value>,
    spec: Spec,
    home: Option<(&str, &str)>,
) -> Map<String, Value> {
    let mut found: BTreeMap<String, Value> = own.into_iter().collect();
    let mut rest = BTreeSet::new();
    for root in roots.iter().copied().chain(found.values()) {
        references(root, spec.prefix(), &mut rest);
    }
    while let Some(name) = rest.pop_first() {
        if found.contains_key(&name) {
            continue;
        }
        if let Some(schema) = schema(&name, spec, home) {
            references(&schema, spec.prefix(), &mut rest);
            found.insert(name, schema);
        }
    }
    found.into_iter().collect()
}

fn references(value: &Value, prefix: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == "$ref" => {
                        out.extend(text.strip_prefix(prefix).map(str::to_owned));
                    }
                    other => references(other, prefix, out),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, prefix, out)),
        _ => {}
    }
}

/// A text that changes when what is said of built-in types does.
pub(super) fn text() -> &'static str {
    TEXT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_in_both_specifications() {
        let name = of_kind("apps", "v1", "Deployment").expect("a definition");
        assert_eq!(name, "io.k8s.api.apps.v1.Deployment");
        let v2 = schema(name, Spec::V2, None).expect("a schema");
        assert_eq!(
            v2["properties"]["spec"],
            json!({"$ref": "#/definitions/io.k8s.api.apps.v1.DeploymentSpec"})
        );
        assert_eq!(v2["required"], json!(["spec"]));
        let v3 = schema("io.k8s.api.apps.v1.DeploymentSpec", Spec::V3, None).expect("a schema");
        assert_eq!(
            v3["properties"]["strategy"],
            json!({
                "allOf": [{"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy"}],
                "x-kubernetes-patch-strategy": "retainKeys",
                "default": {},
            })
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        for name in index().blocks.keys() {
            let schema = schema(name, Spec::V3, None).expect("a schema");
            let mut names = BTreeSet::new();
            references(&schema, Spec::V3.prefix(), &mut names);
            for other in names {
                assert!(index().blocks.contains_key(other.as_str()), "{name} refers to {other}");
            }
        }
    }

    #[test]
    fn quantities_differ_by_specification() {
        let name = "io.k8s.apimachinery.pkg.api.resource.Quantity";
        assert_eq!(schema(name, Spec::V2, None), Some(json!({"type": "string"})));
        assert!(schema(name, Spec::V3, None).expect("a schema").get("oneOf").is_some());
    }
}
