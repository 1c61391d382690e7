//! OpenAPI documents in protobuf, as kubectl and other Go clients may ask for them.
//!
//! Go counterpart: `github.com/google/gnostic-models`, whose messages the tables here describe:
//! which member of a JSON object is which field, and how. Members that the tables do not have are
//! extensions when their names begin with `x-`, and left out otherwise.

use pintle_apimachinery::reflect::Writer;
use serde_json::{Map, Value};

use super::definitions::Spec;
use pintle_apimachinery::yaml;

/// How a value is written.
enum Form {
    Text,
    Texts,
    Flag,
    Int,
    Float,
    /// Any value, as YAML in a message.
    Any,
    Anys,
    /// An object with known members.
    Object(&'static Message),
    Objects(&'static Message),
    /// An object of which every member is of one form, as a message of entries.
    Members(u8, &'static Form),
    /// Entries of this message itself: all but the extensions.
    /// A message that has the value as its only field of this number.
    In(u8, &'static Form),
    /// A message of values of lists of names.
    Requirements,
    /// A type: one name, in a message.
    TypeItem,
    /// One schema, in a message that could have many.
    Items(&'static Form),
    /// A number, flag or text.
    Default,
    /// A schema or a flag.
    Additional(&'static Form),
    /// An object with `$ref`, or one without.
    Or(&'static Form, &'static Form),
    /// A parameter of OpenAPI v2, by where it is.
    Parameter,
}

/// A message: fields by name and, for extensions, a number.
struct Message {
    fields: &'static [(&'static str, u8, Form)],
    extensions: u8,
}

use Form::*;

static INFO2: Message =
    Message { fields: &[("title", 1, Text), ("version", 2, Text)], extensions: 7 };
static SECURITY2: Message = Message {
    fields: &[("type", 1, Text), ("name", 2, Text), ("in", 3, Text), ("description", 4, Text)],
    extensions: 5,
};
static SCHEMA2: Message = Message {
    fields: &[
        ("$ref", 1, Text),
        ("format", 2, Text),
        ("title", 3, Text),
        ("description", 4, Text),
        ("default", 5, Any),
        ("multipleOf", 6, Float),
        ("maximum", 7, Float),
        ("exclusiveMaximum", 8, Flag),
        ("minimum", 9, Float),
        ("exclusiveMinimum", 10, Flag),
        ("maxLength", 11, Int),
        ("minLength", 12, Int),
        ("pattern", 13, Text),
        ("maxItems", 14, Int),
        ("minItems", 15, Int),
        ("uniqueItems", 16, Flag),
        ("maxProperties", 17, Int),
        ("minProperties", 18, Int),
        ("required", 19, Texts),
        ("enum", 20, Anys),
        ("additionalProperties", 21, Additional(&Object(&SCHEMA2))),
        ("type", 22, TypeItem),
        ("items", 23, Items(&Object(&SCHEMA2))),
        ("allOf", 24, Objects(&SCHEMA2)),
        ("properties", 25, Members(1, &Object(&SCHEMA2))),
    ],
    extensions: 31,
};
static REFERENCE2: Message = Message { fields: &[("$ref", 1, Text)], extensions: 0 };
static BODY2: Message = Message {
    fields: &[
        ("description", 1, Text),
        ("name", 2, Text),
        ("in", 3, Text),
        ("required", 4, Flag),
        ("schema", 5, Object(&SCHEMA2)),
    ],
    extensions: 6,
};
static QUERY2: Message = Message {
    fields: &[
        ("required", 1, Flag),
        ("in", 2, Text),
        ("description", 3, Text),
        ("name", 4, Text),
        ("type", 6, Text),
        ("uniqueItems", 20, Flag),
    ],
    extensions: 23,
};
static PATH2: Message = Message {
    fields: &[
        ("required", 1, Flag),
        ("in", 2, Text),
        ("description", 3, Text),
        ("name", 4, Text),
        ("type", 5, Text),
        ("uniqueItems", 19, Flag),
    ],
    extensions: 22,
};
static IN_PATH2: Form = Object(&PATH2);
static IN_QUERY2: Form = Object(&QUERY2);
static RESPONSE2: Message = Message {
    fields: &[("description", 1, Text), ("schema", 2, In(1, &Object(&SCHEMA2)))],
    extensions: 5,
};
static PARAMETERS2: Form = Or(&In(2, &Object(&REFERENCE2)), &In(1, &Parameter));
static OPERATION2: Message = Message {
    fields: &[
        ("tags", 1, Texts),
        ("description", 3, Text),
        ("operationId", 5, Text),
        ("produces", 6, Texts),
        ("consumes", 7, Texts),
        ("parameters", 8, Items(&PARAMETERS2)),
        ("responses", 9, Members(1, &In(1, &Object(&RESPONSE2)))),
        ("schemes", 10, Texts),
        ("deprecated", 11, Flag),
    ],
    extensions: 13,
};
static ITEM2: Message = Message {
    fields: &[
        ("get", 2, Object(&OPERATION2)),
        ("put", 3, Object(&OPERATION2)),
        ("post", 4, Object(&OPERATION2)),
        ("delete", 5, Object(&OPERATION2)),
        ("options", 6, Object(&OPERATION2)),
        ("head", 7, Object(&OPERATION2)),
        ("patch", 8, Object(&OPERATION2)),
        ("parameters", 9, Items(&PARAMETERS2)),
    ],
    extensions: 10,
};
static DOCUMENT2: Message = Message {
    fields: &[
        ("swagger", 1, Text),
        ("info", 2, Object(&INFO2)),
        ("paths", 8, Members(2, &Object(&ITEM2))),
        ("definitions", 9, Members(1, &Object(&SCHEMA2))),
        ("parameters", 10, Members(1, &Parameter)),
        ("security", 12, Requirements),
        ("securityDefinitions", 13, Members(1, &In(2, &Object(&SECURITY2)))),
    ],
    extensions: 16,
};

static INFO3: Message =
    Message { fields: &[("title", 1, Text), ("version", 6, Text)], extensions: 7 };
static REFERENCE3: Message = Message { fields: &[("$ref", 1, Text)], extensions: 0 };
static SCHEMA3: Message = Message {
    fields: &[
        ("nullable", 1, Flag),
        ("title", 9, Text),
        ("multipleOf", 10, Float),
        ("maximum", 11, Float),
        ("exclusiveMaximum", 12, Flag),
        ("minimum", 13, Float),
        ("exclusiveMinimum", 14, Flag),
        ("maxLength", 15, Int),
        ("minLength", 16, Int),
        ("pattern", 17, Text),
        ("maxItems", 18, Int),
        ("minItems", 19, Int),
        ("uniqueItems", 20, Flag),
        ("maxProperties", 21, Int),
        ("minProperties", 22, Int),
        ("required", 23, Texts),
        ("enum", 24, Anys),
        ("type", 25, Text),
        ("allOf", 26, Items(&SCHEMA_OR3)),
        ("oneOf", 27, Items(&SCHEMA_OR3)),
        ("anyOf", 28, Items(&SCHEMA_OR3)),
        ("not", 29, Object(&SCHEMA3)),
        ("items", 30, In(1, &SCHEMA_OR3)),
        ("properties", 31, Members(1, &SCHEMA_OR3)),
        ("additionalProperties", 32, Additional(&SCHEMA_OR3)),
        ("default", 33, Default),
        ("description", 34, Text),
        ("format", 35, Text),
    ],
    extensions: 36,
};
static SCHEMA_OR3: Form = Or(&In(2, &Object(&REFERENCE3)), &In(1, &Object(&SCHEMA3)));
static MEDIA3: Message = Message { fields: &[("schema", 1, SCHEMA_IN_MEDIA3)], extensions: 5 };
const SCHEMA_IN_MEDIA3: Form = Or(&In(2, &Object(&REFERENCE3)), &In(1, &Object(&SCHEMA3)));
static PARAMETER3: Message = Message {
    fields: &[
        ("name", 1, Text),
        ("in", 2, Text),
        ("description", 3, Text),
        ("required", 4, Flag),
        ("schema", 10, SCHEMA_IN_MEDIA3),
    ],
    extensions: 14,
};
static PARAMETER_OR3: Form = In(1, &Object(&PARAMETER3));
static BODY3: Message = Message {
    fields: &[
        ("description", 1, Text),
        ("content", 2, Members(1, &Object(&MEDIA3))),
        ("required", 3, Flag),
    ],
    extensions: 4,
};
static RESPONSE3: Message = Message {
    fields: &[("description", 1, Text), ("content", 3, Members(1, &Object(&MEDIA3)))],
    extensions: 5,
};
static OPERATION3: Message = Message {
    fields: &[
        ("tags", 1, Texts),
        ("description", 3, Text),
        ("operationId", 5, Text),
        ("parameters", 6, Items(&PARAMETER_OR3)),
        ("requestBody", 7, In(1, &Object(&BODY3))),
        ("responses", 8, Members(2, &In(1, &Object(&RESPONSE3)))),
        ("deprecated", 10, Flag),
    ],
    extensions: 13,
};
static ITEM3: Message = Message {
    fields: &[
        ("get", 4, Object(&OPERATION3)),
        ("put", 5, Object(&OPERATION3)),
        ("post", 6, Object(&OPERATION3)),
        ("delete", 7, Object(&OPERATION3)),
        ("options", 8, Object(&OPERATION3)),
        ("head", 9, Object(&OPERATION3)),
        ("patch", 10, Object(&OPERATION3)),
        ("parameters", 13, Items(&PARAMETER_OR3)),
    ],
    extensions: 14,
};
static SECURITY3: Message = Message {
    fields: &[("type", 1, Text), ("description", 2, Text), ("name", 3, Text), ("in", 4, Text)],
    extensions: 9,
};
static COMPONENTS3: Message = Message {
    fields: &[
        ("schemas", 1, Members(1, &SCHEMA_OR3)),
        ("securitySchemes", 7, Members(1, &In(1, &Object(&SECURITY3)))),
    ],
    extensions: 10,
};
static DOCUMENT3: Message = Message {
    fields: &[
        ("openapi", 1, Text),
        ("info", 2, Object(&INFO3)),
        ("paths", 4, Members(1, &Object(&ITEM3))),
        ("components", 5, Object(&COMPONENTS3)),
    ],
    extensions: 9,
};

/// A document in protobuf.
pub(super) fn encode(document: &Value, spec: Spec) -> Vec<u8> {
    let mut writer = Writer::new();
    let message = match spec {
        Spec::V2 => &DOCUMENT2,
        Spec::V3 => &DOCUMENT3,
    };
    if let Value::Object(map) = document {
        put_message(&mut writer, map, message);
    }
    writer.as_slice().to_vec()
}

/// Writes the fields of a message, from the end, as the writer goes.
fn put_message(w: &mut Writer, map: &Map<String, Value>, message: &Message) {
    for (name, value) in map.iter().rev() {
        if message.extensions != 0 && name.starts_with("x-") {
            put_named(w, message.extensions, name, |w| put(w, 2, value, &Any));
        }
    }
    for (name, number, form) in message.fields.iter().rev() {
        if let Some(value) = map.get(*name) {
            put(w, *number, value, form);
        }
    }
}

/// An entry: a name and what `value` writes as field 2.
fn put_named(w: &mut Writer, number: u8, name: &str, value: impl FnOnce(&mut Writer)) {
    let mark = w.mark();
    value(w);
    w.bytes(1, name.as_bytes());
    w.close(number, mark);
}

fn put(w: &mut Writer, number: u8, value: &Value, form: &Form) {
    match (form, value) {
        (Text, Value::String(text)) => w.bytes(number, text.as_bytes()),
        (Texts, Value::Array(items)) => {
            for text in items.iter().rev().filter_map(Value::as_str) {
                w.bytes(number, text.as_bytes());
            }
        }
        (Flag, Value::Bool(true)) => w.int(number, 1),
        (Int, Value::Number(value)) => {
            let value = value.as_i64().or_else(|| value.as_f64().map(|float| float as i64));
            if let Some(value) = value.filter(|value| *value != 0) {
                w.int(number, value as u64);
            }
        }
        (Float, Value::Number(value)) => {
            if let Some(value) = value.as_f64().filter(|value| *value != 0.0) {
                w.f64(number, value);
            }
        }
        (Any, value) => {
            let mark = w.mark();
            w.bytes(2, yaml::to_string(value).as_bytes());
            w.close(number, mark);
        }
        (Anys, Value::Array(items)) => {
            items.iter().rev().for_each(|item| put(w, number, item, &Any));
        }
        (Object(message), Value::Object(map)) => {
            let mark = w.mark();
            put_message(w, map, message);
            w.close(number, mark);
        }
        (Objects(message), Value::Array(items)) => {
            items.iter().rev().for_each(|item| put(w, number, item, &Object(message)));
        }
        (Members(inner, form), Value::Object(map)) => {
            let mark = w.mark();
            for (name, value) in map.iter().rev() {
                put_named(w, *inner, name, |w| put(w, 2, value, form));
            }
            w.close(number, mark);
        }
        (In(inner, form), value) => {
            let mark = w.mark();
            put(w, *inner, value, form);
            w.close(number, mark);
        }
        (Requirements, Value::Array(items)) => {
            for map in items.iter().rev().filter_map(Value::as_object) {
                let mark = w.mark();
                for (name, value) in map.iter().rev() {
                    put_named(w, 1, name, |w| put(w, 2, value, &In(1, &Texts)));
                }
                w.close(number, mark);
            }
        }
        (TypeItem, value) => put(w, number, value, &In(1, &Text)),
        (Items(form), Value::Array(items)) => {
            items.iter().rev().for_each(|item| put(w, number, item, form));
        }
        (Items(form), value) => {
            let mark = w.mark();
            put(w, 1, value, form);
            w.close(number, mark);
        }
        (Default, value) => {
            let mark = w.mark();
            match value {
                Value::Number(value) => w.f64(1, value.as_f64().unwrap_or_default()),
                Value::Bool(value) => w.int(2, u64::from(*value)),
                Value::String(text) => w.bytes(3, text.as_bytes()),
                // The message has no place for others, and says that there is something.
                _ => {}
            }
            w.close(number, mark);
        }
        (Additional(form), value) => {
            let mark = w.mark();
            match value {
                Value::Bool(value) => w.int(2, u64::from(*value)),
                value => put(w, 1, value, form),
            }
            w.close(number, mark);
        }
        (Or(reference, plain), value) => {
            let form = if value.get("$ref").is_some() { reference } else { plain };
            put(w, number, value, form);
        }
        (Parameter, value) => {
            let mark = w.mark();
            match value.get("in").and_then(Value::as_str) {
                Some("body") => put(w, 1, value, &Object(&BODY2)),
                Some("path") => put(w, 2, value, &In(4, &IN_PATH2)),
                _ => put(w, 2, value, &In(3, &IN_QUERY2)),
            }
            w.close(number, mark);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_small_document() {
        let document = json!({"swagger": "2.0", "definitions": {"A": {
            "type": "string", "x-kubernetes-list-map-keys": ["a"]}}});
        let mut expect = vec![0x0a, 3];
        expect.extend(b"2.0");
        let extension =
            [&[0x0a, 26][..], b"x-kubernetes-list-map-keys", &[0x12, 6, 0x12, 4], b"- a\n"]
                .concat();
        let schema =
            [&[0xb2, 1, 8, 0x0a, 6][..], b"string", &[0xfa, 1, extension.len() as u8], &extension]
                .concat();
        let entry = [&[0x0a, 1][..], b"A", &[0x12, schema.len() as u8], &schema].concat();
        let list = [&[0x0a, entry.len() as u8][..], &entry].concat();
        expect.extend([&[0x4a, list.len() as u8][..], &list].concat());
        assert_eq!(encode(&document, Spec::V2), expect);
    }
}
