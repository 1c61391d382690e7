//! Parts of a definition as messages show them: as JSON of Go's internal types, whose fields have
//! no names but Go's own.

use pintle_apimachinery::validation::BadValue;
use serde_json::Value;

/// How a field is written.
enum As {
    Text,
    /// A text, a number or a flag that may be missing.
    Pointer,
    Flag,
    /// A number, 0 where it is missing.
    Number,
    /// Any value, or a list of texts.
    Json,
    Schema,
    Schemas,
    SchemaMap,
    Items,
    OrBool,
    Dependencies,
    Struct(&'static [(&'static str, &'static str, As)]),
    Structs(&'static [(&'static str, &'static str, As)]),
}

type Fields = &'static [(&'static str, &'static str, As)];

const RULE: Fields = &[
    ("Rule", "rule", As::Text),
    ("Message", "message", As::Text),
    ("MessageExpression", "messageExpression", As::Text),
    ("Reason", "reason", As::Pointer),
    ("FieldPath", "fieldPath", As::Text),
    ("OptionalOldSelf", "optionalOldSelf", As::Pointer),
];

const DOCS: Fields = &[("Description", "description", As::Text), ("URL", "url", As::Text)];

const SCHEMA: Fields = &[
    ("ID", "id", As::Text),
    ("Schema", "$schema", As::Text),
    ("Ref", "$ref", As::Pointer),
    ("Description", "description", As::Text),
    ("Type", "type", As::Text),
    ("Nullable", "nullable", As::Flag),
    ("Format", "format", As::Text),
    ("Title", "title", As::Text),
    ("Default", "default", As::Json),
    ("Maximum", "maximum", As::Pointer),
    ("ExclusiveMaximum", "exclusiveMaximum", As::Flag),
    ("Minimum", "minimum", As::Pointer),
    ("ExclusiveMinimum", "exclusiveMinimum", As::Flag),
    ("MaxLength", "maxLength", As::Pointer),
    ("MinLength", "minLength", As::Pointer),
    ("Pattern", "pattern", As::Text),
    ("MaxItems", "maxItems", As::Pointer),
    ("MinItems", "minItems", As::Pointer),
    ("UniqueItems", "uniqueItems", As::Flag),
    ("MultipleOf", "multipleOf", As::Pointer),
    ("Enum", "enum", As::Json),
    ("MaxProperties", "maxProperties", As::Pointer),
    ("MinProperties", "minProperties", As::Pointer),
    ("Required", "required", As::Json),
    ("Items", "items", As::Items),
    ("AllOf", "allOf", As::Schemas),
    ("OneOf", "oneOf", As::Schemas),
    ("AnyOf", "anyOf", As::Schemas),
    ("Not", "not", As::Schema),
    ("Properties", "properties", As::SchemaMap),
    ("AdditionalProperties", "additionalProperties", As::OrBool),
    ("PatternProperties", "patternProperties", As::SchemaMap),
    ("Dependencies", "dependencies", As::Dependencies),
    ("AdditionalItems", "additionalItems", As::OrBool),
    ("Definitions", "definitions", As::SchemaMap),
    ("ExternalDocs", "externalDocs", As::Struct(DOCS)),
    ("Example", "example", As::Json),
    ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", As::Pointer),
    ("XEmbeddedResource", "x-kubernetes-embedded-resource", As::Flag),
    ("XIntOrString", "x-kubernetes-int-or-string", As::Flag),
    ("XListMapKeys", "x-kubernetes-list-map-keys", As::Json),
    ("XListType", "x-kubernetes-list-type", As::Pointer),
    ("XMapType", "x-kubernetes-map-type", As::Pointer),
    ("XValidations", "x-kubernetes-validations", As::Structs(RULE)),
];

const SCALE: Fields = &[
    ("SpecReplicasPath", "specReplicasPath", As::Text),
    ("StatusReplicasPath", "statusReplicasPath", As::Text),
    ("LabelSelectorPath", "labelSelectorPath", As::Pointer),
];

const SUBRESOURCES: Fields =
    &[("Status", "status", As::Struct(&[])), ("Scale", "scale", As::Struct(SCALE))];

const COLUMN: Fields = &[
    ("Name", "name", As::Text),
    ("Type", "type", As::Text),
    ("Format", "format", As::Text),
    ("Description", "description", As::Text),
    ("Priority", "priority", As::Number),
    ("JSONPath", "jsonPath", As::Text),
];

const VERSION: Fields = &[
    ("Name", "name", As::Text),
    ("Served", "served", As::Flag),
    ("Storage", "storage", As::Flag),
    ("Deprecated", "deprecated", As::Flag),
    ("DeprecationWarning", "deprecationWarning", As::Pointer),
    ("Schema", "schema", As::Struct(&[("OpenAPIV3Schema", "openAPIV3Schema", As::Schema)])),
    ("Subresources", "subresources", As::Struct(SUBRESOURCES)),
    ("AdditionalPrinterColumns", "additionalPrinterColumns", As::Structs(COLUMN)),
    ("SelectableFields", "selectableFields", As::Structs(&[("JSONPath", "jsonPath", As::Text)])),
];

/// A whole schema.
pub(super) fn schema(schema: &Value) -> BadValue {
    let mut out = String::new();
    write_struct(SCHEMA, schema, &mut out);
    BadValue::json(out)
}

/// What `items` of a schema says.
pub(super) fn items(items: &Value) -> BadValue {
    let mut out = String::new();
    write(&As::Items, Some(items), &mut out);
    BadValue::json(out)
}

/// Versions, without what all of them say alike, of which `alike` has the names.
pub(super) fn versions(versions: &[Value], alike: &[&str]) -> BadValue {
    let without = |version: &Value| match version {
        Value::Object(version) => Value::Object(
            version
                .iter()
                .filter(|(key, _)| !alike.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        ),
        other => other.clone(),
    };
    let versions: Vec<Value> = versions.iter().map(without).collect();
    let mut out = String::new();
    write(&As::Structs(VERSION), Some(&Value::Array(versions)), &mut out);
    BadValue::json(out)
}

fn plain(value: &Value, out: &mut String) {
    // Within a list numbers show as in JSON.
    let list = BadValue::from(&Value::Array(vec![value.clone()]));
    let text = list.as_str();
    out.push_str(&text[1..text.len() - 1]);
}

fn write_struct(fields: Fields, value: &Value, out: &mut String) {
    out.push('{');
    for (index, (shown, key, how)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&format!("\"{shown}\":"));
        write(how, value.get(*key), out);
    }
    out.push('}');
}

fn write_list(items: &[Value], out: &mut String, mut one: impl FnMut(&Value, &mut String)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        one(item, out);
    }
    out.push(']');
}

fn write(how: &As, value: Option<&Value>, out: &mut String) {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        out.push_str(match how {
            As::Text => "\"\"",
            As::Flag => "false",
            As::Number => "0",
            _ => "null",
        });
        return;
    };
    let schema = |schema: &Value, out: &mut String| write_struct(SCHEMA, schema, out);
    match (how, value) {
        (As::Schema, value) => schema(value, out),
        (As::Schemas, Value::Array(items)) => write_list(items, out, schema),
        (As::Struct(fields), value) => write_struct(fields, value, out),
        (As::Structs(fields), Value::Array(items)) => {
            write_list(items, out, |item, out| write_struct(fields, item, out));
        }
        (As::SchemaMap | As::Dependencies, Value::Object(members)) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                plain(&Value::String(key.clone()), out);
                out.push(':');
                match (how, value) {
                    (As::SchemaMap, value) => schema(value, out),
                    (_, value @ Value::Object(_)) => {
                        out.push_str("{\"Schema\":");
                        schema(value, out);
                        out.push_str(",\"Property\":null}");
                    }
                    (_, value) => {
                        out.push_str("{\"Schema\":null,\"Property\":");
                        plain(value, out);
                        out.push('}');
                    }
                }
            }
            out.push('}');
        }
        (As::Items, Value::Array(items)) => {
            out.push_str("{\"Schema\":null,\"JSONSchemas\":");
            write_list(items, out, schema);
            out.push('}');
        }
        (As::Items, value) => {
            out.push_str("{\"Schema\":");
            schema(value, out);
            out.push_str(",\"JSONSchemas\":null}");
        }
        (As::OrBool, Value::Bool(allows)) => {
            out.push_str(&format!("{{\"Allows\":{allows},\"Schema\":null}}"));
        }
        (As::OrBool, value) => {
            out.push_str("{\"Allows\":true,\"Schema\":");
            schema(value, out);
            out.push('}');
        }
        (_, value) => plain(value, out),
    }
}
