//! Random definitions.
use super::super::super::area::{self, Answer, Area, Case};
use super::super::super::rng::Rng;
use super::schemas::schema;
use super::{kind_of, told};
use pintle_apiserver::CustomKind;
use serde_json::{Value, json};

/// Random definitions.
pub(crate) struct Definitions;

/// A definition that nothing is wrong with.
fn plain(rng: &mut Rng) -> Value {
    let mut versions = Vec::new();
    let names = ["v1", "v1beta1", "v2"];
    for (index, name) in names.iter().take(1 + rng.below(3)).enumerate() {
        let mut version = json!({"name": name, "served": true, "storage": index == 0,
            "schema": {"openAPIV3Schema": schema(rng, 0)}});
        if rng.chance(30) {
            version["subresources"] = json!({"status": {}, "scale": {
                "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector"}});
        }
        if rng.chance(30) {
            version["additionalPrinterColumns"] =
                json!([{"name": "A", "type": "string", "jsonPath": ".spec.a"}]);
        }
        if rng.chance(30) {
            let paths =
                [".a", ".spec.a", ".b.c", ".metadata.name", "", "a", ".a['b']", ".a.", ".."];
            let fields: Vec<Value> =
                (0..1 + rng.below(3)).map(|_| json!({"jsonPath": rng.pick(&paths)})).collect();
            version["selectableFields"] = fields.into();
        }
        versions.push(version);
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo", "shortNames": ["f"], "categories": ["all"]},
            "versions": versions,
        },
    })
}

/// Keys of schemas with values that are wrong, odd or new somewhere.
fn odd(rng: &mut Rng) -> (&'static str, Value) {
    let all: [(&str, Value); 52] = [
        ("type", "nope".into()),
        ("type", "".into()),
        ("type", "null".into()),
        ("type", "array".into()),
        ("type", "object".into()),
        ("type", "string".into()),
        ("items", json!({"type": "string"})),
        ("items", json!({})),
        ("items", json!([{"type": "string"}])),
        ("properties", json!({"a": {"type": "string"}})),
        (
            "properties",
            json!({"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}}),
        ),
        (
            "properties",
            json!({"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}),
        ),
        (
            "properties",
            json!({"metadata": {"type": "string"}, "kind": {"type": "integer"}, "apiVersion": {"type": "string"}}),
        ),
        ("additionalProperties", true.into()),
        ("additionalProperties", false.into()),
        ("additionalProperties", json!({"type": "string", "default": "x"})),
        ("nullable", true.into()),
        ("default", "x".into()),
        ("default", json!({"a": 1, "zz": {"y": 1}})),
        ("default", json!([1])),
        ("default", 3.into()),
        ("title", "t".into()),
        ("description", "d".into()),
        ("uniqueItems", true.into()),
        ("pattern", "(".into()),
        ("pattern", "[a".into()),
        ("pattern", "(?!x)".into()),
        ("pattern", "a**".into()),
        ("pattern", "\\y".into()),
        ("id", "i".into()),
        ("$schema", "s".into()),
        ("$ref", "r".into()),
        ("patternProperties", json!({"a": {"type": "string"}})),
        ("definitions", json!({"a": {"type": "string"}})),
        ("dependencies", json!({"a": ["b"]})),
        ("additionalItems", true.into()),
        ("x-kubernetes-preserve-unknown-fields", true.into()),
        ("x-kubernetes-preserve-unknown-fields", false.into()),
        ("x-kubernetes-embedded-resource", true.into()),
        ("x-kubernetes-int-or-string", true.into()),
        ("x-kubernetes-list-type", "map".into()),
        ("x-kubernetes-list-type", "set".into()),
        ("x-kubernetes-list-type", "nope".into()),
        ("x-kubernetes-list-type", "atomic".into()),
        ("x-kubernetes-list-map-keys", json!(["a"])),
        ("x-kubernetes-list-map-keys", json!(["a", "a", "q"])),
        ("x-kubernetes-map-type", "atomic".into()),
        ("x-kubernetes-map-type", "nope".into()),
        ("allOf", json!([{"type": "string"}, {"properties": {"q": {"minLength": 1}}}])),
        ("not", json!({"description": "d", "items": {"minLength": 1}, "nullable": true})),
        ("oneOf", json!([{"properties": {"metadata": {}}, "additionalProperties": true}])),
        ("format", "nope".into()),
    ];
    rng.pick(&all).clone()
}

/// Changes something within a schema.
fn change_schema(rng: &mut Rng, schema: &mut Value) {
    let inner: Vec<String> = match schema.get("properties") {
        Some(Value::Object(known)) => known.keys().cloned().collect(),
        _ => Vec::new(),
    };
    if !inner.is_empty() && rng.chance(55) {
        let name = rng.pick(&inner).clone();
        change_schema(rng, &mut schema["properties"][&name]);
    } else if schema["items"].is_object() && rng.chance(50) {
        change_schema(rng, &mut schema["items"]);
    } else if schema["additionalProperties"].is_object() && rng.chance(50) {
        change_schema(rng, &mut schema["additionalProperties"]);
    } else if let Value::Object(members) = schema {
        let keys: Vec<String> = members.keys().cloned().collect();
        if !keys.is_empty() && rng.chance(20) {
            members.remove(rng.pick(&keys));
        } else {
            let (key, value) = odd(rng);
            members.insert(key.to_owned(), value);
        }
    }
}

fn change(rng: &mut Rng, definition: &mut Value) {
    let count = definition["spec"]["versions"].as_array().map_or(0, Vec::len);
    let index = rng.below(count);
    let word = *rng.pick(&["", "A", "a.b", "-a", "Foo", "x"]);
    match rng.below(32) {
        0 => definition["spec"]["group"] = (*rng.pick(&["", "a", "A.b", "x.k8s.io"])).into(),
        1 => definition["metadata"]["name"] = word.into(),
        2 => definition["spec"]["scope"] = (*rng.pick(&["", "Cluster", "x"])).into(),
        3 => {
            let key = *rng.pick(&["plural", "singular", "kind", "listKind"]);
            definition["spec"]["names"][key] = word.into();
        }
        4 => {
            let key = *rng.pick(&["shortNames", "categories"]);
            definition["spec"]["names"][key] = json!(["a", word]);
        }
        5 => definition["spec"]["preserveUnknownFields"] = true.into(),
        6 => {
            definition["spec"]["conversion"] = rng
                .pick(&[
                    json!({"strategy": "x"}),
                    json!({"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}}),
                    json!({"strategy": "Webhook"}),
                    json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["x", "x", "A"],
                        "clientConfig": {}}}),
                    json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
                        "clientConfig": {"url": "http://a/b?c"}}}),
                    json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
                        "clientConfig": {"service": {"name": "a", "namespace": "", "path": "x//y"}}}}),
                    json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
                        "clientConfig": {"url": "https://a/b", "caBundle": "eA=="}}}),
                ])
                .clone();
        }
        7 => {
            let approved = *rng.pick(&["", "unapproved, x", "https://a.example/b", "x", "/a"]);
            definition["spec"]["group"] = "x.k8s.io".into();
            definition["metadata"]["name"] = "foos.x.k8s.io".into();
            definition["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": approved});
        }
        8 => definition["spec"]["versions"] = json!([]),
        _ if count == 0 => {}
        9 => definition["spec"]["versions"][index]["name"] = (*rng.pick(&["", "v1", "V1"])).into(),
        10 => definition["spec"]["versions"][index]["storage"] = rng.chance(50).into(),
        11 => {
            if let Value::Object(version) = &mut definition["spec"]["versions"][index] {
                version.remove("schema");
            }
        }
        12 => {
            definition["spec"]["versions"][index]["deprecationWarning"] =
                rng.pick(&[json!(""), json!("old"), json!("a\nb"), json!("x".repeat(257))]).clone();
            if rng.chance(60) {
                definition["spec"]["versions"][index]["deprecated"] = true.into();
            }
        }
        13 => {
            let path = |rng: &mut Rng| {
                *rng.pick(&["", "spec", ".spec", ".spec.a", ".status.a", ".metadata.x"])
            };
            definition["spec"]["versions"][index]["subresources"] = json!({"status": {}, "scale": {
                "specReplicasPath": path(rng), "statusReplicasPath": path(rng),
                "labelSelectorPath": path(rng)}});
        }
        14 => {
            definition["spec"]["versions"][index]["additionalPrinterColumns"] = json!([{
                "name": rng.pick(&["", "a"]), "type": rng.pick(&["", "string", "x", "date"]),
                "format": rng.pick(&["", "int32", "x"]), "jsonPath": rng.pick(&["", ".a", "a", "."])}]);
        }
        15 => {
            let all: Vec<Value> =
                (0..9 + rng.below(2)).map(|i| json!({"jsonPath": format!(".z{i}")})).collect();
            definition["spec"]["versions"][index]["selectableFields"] = all.into();
            for i in 0..9 {
                let schema =
                    &mut definition["spec"]["versions"][index]["schema"]["openAPIV3Schema"];
                if schema["properties"].is_object() {
                    schema["properties"][format!("z{i}")] = json!({"type": "string"});
                }
            }
        }
        16 => {
            let rule = rng
                .pick(&[
                    json!({"rule": " "}),
                    json!({"rule": "true", "message": " "}),
                    json!({"rule": "true", "message": "a\nb"}),
                    json!({"rule": "tr\nue"}),
                    json!({"rule": "true", "messageExpression": " "}),
                    json!({"rule": "true", "reason": "x"}),
                    json!({"rule": "true", "fieldPath": " "}),
                    json!({"rule": "true", "fieldPath": ".a"}),
                    json!({"rule": "true", "fieldPath": ".nope"}),
                    json!({"rule": "true", "reason": "FieldValueRequired"}),
                ])
                .clone();
            definition["spec"]["versions"][index]["schema"]["openAPIV3Schema"]["x-kubernetes-validations"] =
                json!([rule]);
        }
        17 if count > 1 => {
            let first = definition["spec"]["versions"][0].clone();
            for key in ["schema", "subresources"] {
                definition["spec"]["versions"][1][key] = first[key].clone();
            }
        }
        _ => {
            change_schema(
                rng,
                &mut definition["spec"]["versions"][index]["schema"]["openAPIV3Schema"],
            );
        }
    }
}

/// The text of an error that shows a schema, without the lists and maps in it that are empty: they
/// are none by the time that we see them.
fn without_empty(text: &str) -> String {
    fn clean(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(clean),
            Value::Object(members) => members.values_mut().for_each(clean),
            _ => {}
        }
        let empty = match value {
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if empty {
            *value = Value::Null;
        }
    }
    let parts = || {
        let (field, rest) = text.split_once(": Invalid value: ")?;
        let list = rest.starts_with('[');
        let (shown, detail) = rest.rsplit_once(if list { "]: " } else { "}: " })?;
        let whole = ["only [Description", "must have exactly one version marked as storage"];
        if whole.iter().any(|start| detail.starts_with(start)) {
            // Whole schemas, in which Go knows an empty list from none, and shows defaults as its
            // checks have left them.
            return Some(format!("{field}: Invalid value: {detail}"));
        }
        let end = if list { "]" } else { "}" };
        let mut shown: Value = serde_json::from_str(&format!("{shown}{end}")).ok()?;
        clean(&mut shown);
        Some(format!("{field}: Invalid value: {shown}: {detail}"))
    };
    parts().unwrap_or_else(|| text.to_owned())
}

impl Area for Definitions {
    fn name(&self) -> &'static str {
        "custom.definition"
    }

    fn generate(&self, rng: &mut Rng) -> Case {
        let base = plain(rng);
        let mut input = json!({});
        if rng.chance(15) && CustomKind::check(&base, None).is_ok_and(|v| v.errors.is_empty()) {
            input["old"] = base.clone();
        }
        let mut new = base;
        for _ in 0..1 + rng.below(2) {
            change(rng, &mut new);
        }
        input["new"] = new;
        Case::new("custom.definition", input)
    }

    fn ours(&self, case: &Case) -> Answer {
        let old = case.input.get("old").filter(|old| !old.is_null());
        told(CustomKind::check(&case.input["new"], old), "warnings")
    }

    fn kind(&self, _: &Case, ours: &Answer, go: &Answer) -> String {
        kind_of(ours, go)
    }

    fn same(&self, case: &Case, ours: &Answer, go: &Answer) -> bool {
        let (mut ours, mut go) = (ours.clone(), go.clone());
        if go.as_ref().is_err_and(|error| error.starts_with("panic")) {
            // Fields are selected by in a schema that is none.
            return matches!(ours, Ok(answer) if answer["invalid"].is_array());
        }
        for answer in [&mut ours, &mut go].into_iter().flatten() {
            if let Some(Value::Array(list)) = answer.get_mut("invalid")
                && case.input["old"].is_object()
            {
                // Metadata of updates has areas of its own.
                list.retain(|text| {
                    !text.as_str().is_some_and(|text| text.starts_with("metadata.name"))
                });
            }
            if let Some(Value::Array(list)) = answer.get_mut("invalid") {
                for text in list {
                    if let Value::String(text) = text {
                        *text = without_empty(text);
                    }
                }
            }
            // Go meets them in the order of its maps.
            if let Some(Value::Array(list)) = answer.get_mut("warnings") {
                list.sort_by_key(ToString::to_string);
            }
        }
        match (&ours, &go) {
            (Ok(a), Ok(b)) => area::same(a, b),
            (a, b) => a == b,
        }
    }
}
