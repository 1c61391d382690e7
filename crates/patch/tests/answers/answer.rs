//! Our answers to the functions of the Go program `answer` that are about patches.

use std::sync::LazyLock;

use pintle_api::{apps_v1, core_v1};
use pintle_apimachinery::reflect::{
    Desc, Described, Facts, Field, NO_FACTS, OMITEMPTY, Type, leaves,
};
use pintle_apimachinery::{Error, GroupVersionKind, Scheme};
use pintle_patch::{
    FieldMeta, JsonPatch, OpenApiSchema, OpenApiV2Schema, PatchSchema, Precondition, TypeSchema,
    merge, require_key_unchanged, require_metadata_key_unchanged, strategic,
};
use serde_json::{Map, Value, json};

/// The counterpart of `item` in the Go program.
static ITEM: Desc = Desc::new("item", ITEM_FIELDS, &[]);

const fn merges(name: &'static str, ty: Type, facts: &'static Facts) -> Field {
    Field::new(name, 0, OMITEMPTY, ty).facts(facts)
}

static MERGE: Facts = Facts { patch_strategy: "merge", ..NO_FACTS };
static BY_NAME: Facts = Facts { patch_key: "name", ..MERGE_BASE };
static BY_COUNT: Facts = Facts { patch_key: "count", ..MERGE_BASE };
static REPLACE: Facts = Facts { patch_strategy: "replace", ..NO_FACTS };
static RETAIN: Facts = Facts { patch_strategy: "retainKeys", ..NO_FACTS };
static UNIONS: Facts = Facts { patch_strategy: "merge,retainKeys", patch_key: "name", ..NO_FACTS };
const MERGE_BASE: Facts = Facts { patch_strategy: "merge", ..NO_FACTS };

static ITEM_FIELDS: &[Field] = &[
    Field::new("name", 0, OMITEMPTY, Type::Str),
    Field::new("value", 0, OMITEMPTY, Type::Str),
    Field::new("count", 0, OMITEMPTY, Type::I64),
    merges("items", Type::List(&Type::Msg(&ITEM)), &BY_NAME),
    merges("counted", Type::List(&Type::Msg(&ITEM)), &BY_COUNT),
    Field::new("atomic", 0, OMITEMPTY, Type::List(&Type::Msg(&ITEM))),
    merges("keyless", Type::List(&Type::Msg(&ITEM)), &MERGE),
    merges("ints", Type::List(&Type::I64), &MERGE),
    merges("words", Type::List(&Type::Str), &MERGE),
    Field::new("atomicWords", 0, OMITEMPTY, Type::List(&Type::Str)),
    merges("lists", Type::List(&Type::List(&Type::Str)), &MERGE),
    Field::new("bytes", 0, OMITEMPTY, Type::Bytes),
    merges("pointer", Type::OptMsg(&ITEM), &BY_NAME),
    Field::new("labels", 0, OMITEMPTY, Type::Map(&Type::Str)),
    merges("replaced", Type::Leaf(&leaves::RAW_EXTENSION), &REPLACE),
    merges("union", Type::OptMsg(&ITEM), &RETAIN),
    merges("unions", Type::List(&Type::Msg(&ITEM)), &UNIONS),
];

/// The kinds that are compiled in.
static KINDS: LazyLock<Scheme> = LazyLock::new(|| {
    let mut scheme = Scheme::new();
    pintle_api::add_to_scheme(&mut scheme);
    scheme.register_meta();
    scheme
});

/// The type of a case.
pub(crate) fn desc(input: &Value) -> &'static Desc {
    let kind = input["kind"].as_str().unwrap_or_default();
    if let Some(api_version) = input.get("apiVersion").and_then(Value::as_str) {
        let gvk = GroupVersionKind::from_api_version_and_kind(api_version, kind.to_owned());
        let object = KINDS.new_object(&gvk);
        let desc = object.ok().and_then(|object| Some(object.as_message()?.desc()));
        return desc.unwrap_or(&ITEM);
    }
    match kind {
        "Pod" => core_v1::Pod::described(),
        "Node" => core_v1::Node::described(),
        "Service" => core_v1::Service::described(),
        "ServiceAccount" => core_v1::ServiceAccount::described(),
        "Deployment" => apps_v1::Deployment::described(),
        "StatefulSet" => apps_v1::StatefulSet::described(),
        _ => &ITEM,
    }
}

/// Our answer; `None` for a function that is not about patches.
pub(crate) fn answer(function: &str, input: &Value) -> Option<Result<Value, String>> {
    let of = |key: &str| input[key].clone();
    let (original, modified) = (of("original"), of("modified"));
    let holds = preconditions(input);
    let holds: Vec<Precondition<'_>> = holds.iter().map(|holds| &**holds as _).collect();
    let answer = match function {
        "jsonpatch.apply" => json_patch_text(input),
        "jsonpatch.object" => json_patch(input),
        "mergepatch.apply" => merge::apply(original, of("patch")),
        "mergepatch.merge" => merge::merge_patches(original, of("patch")),
        "mergepatch.diff" => merge::diff(&original, &modified),
        "mergepatch.conflicts" => Ok(merge::have_conflicts(&original, &modified).into()),
        "mergepatch.threeway" => merge::three_way(&original, &modified, &of("current"), &holds),
        _ => {
            let function = function.strip_prefix("strategic.")?;
            let kind = input["kind"].as_str()?;
            match (input.get("schemas"), input.get("definitions")) {
                (Some(schemas), _) => {
                    let document = json!({"components": {"schemas": schemas}});
                    OpenApiSchema::new(&document, kind)
                        .and_then(|schema| strategic_merge(function, input, schema, &holds))
                }
                (None, Some(definitions)) => {
                    let document = json!({"definitions": definitions});
                    OpenApiV2Schema::new(&document, kind)
                        .and_then(|schema| strategic_merge(function, input, schema, &holds))
                }
                (None, None) => {
                    let schema = TypeSchema::from_desc(desc(input));
                    strategic_merge(function, input, schema, &holds)
                }
            }
        }
    };
    Some(answer.map_err(|e| e.to_string()))
}

/// A document as it is spelled.
fn spelled(input: &Value, key: &str) -> String {
    let text = input.get(format!("{key}Text")).and_then(Value::as_str);
    text.map_or_else(|| input[key].to_string(), str::to_owned)
}

fn patch(input: &Value) -> Result<JsonPatch, Error> {
    let limit = input["copyLimit"].as_u64().filter(|limit| *limit > 0);
    Ok(JsonPatch::from_slice(spelled(input, "patch").as_bytes())?.copy_limit(limit))
}

fn json_patch(input: &Value) -> Result<Value, Error> {
    let mut document = input["original"].clone();
    patch(input)?.apply(&mut document)?;
    Ok(document)
}

fn json_patch_text(input: &Value) -> Result<Value, Error> {
    let out = patch(input)?.apply_to_text(spelled(input, "original").as_bytes())?;
    serde_json::from_slice(&out).map_err(|e| Error::decode(format!("not JSON: {e}")))
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

type Holds = Box<dyn Fn(&Map<String, Value>) -> bool>;

fn preconditions(input: &Value) -> Vec<Holds> {
    let one = |condition: &Value| -> Holds {
        let key = |name: &str| condition[name].as_str().map(str::to_owned);
        match (key("key"), key("metadataKey").unwrap_or_default()) {
            (Some(key), _) => Box::new(move |patch| require_key_unchanged(&key)(patch)),
            (None, key) => Box::new(move |patch| require_metadata_key_unchanged(&key)(patch)),
        }
    };
    input["preconditions"].as_array().into_iter().flatten().map(one).collect()
}

fn strategic_merge<S: PatchSchema>(
    function: &str,
    input: &Value,
    schema: S,
    holds: &[Precondition<'_>],
) -> Result<Value, Error> {
    let of = |key: &str| object(&input[key]);
    Ok(match function {
        "apply" => strategic::apply(of("original"), of("patch"), schema)?.into(),
        "diff" => strategic::diff(&of("original"), &of("modified"), schema, holds)?.into(),
        "threeway" => {
            let (original, modified, current) = (of("original"), of("modified"), of("current"));
            let overwrite = input["overwrite"] == true;
            strategic::three_way(&original, &modified, &current, schema, overwrite, holds)?.into()
        }
        "lookup" => {
            let (mut at, mut meta) = (schema, FieldMeta::default());
            for step in input["path"].as_array().into_iter().flatten() {
                let key = step["key"].as_str().unwrap_or_default();
                (at, meta) = if step["list"] == true { at.list(key)? } else { at.object(key)? };
            }
            json!({"strategy": meta.strategy, "key": meta.merge_key, "name": at.name()})
        }
        "merge" => {
            let patches = input["patches"].as_array().into_iter().flatten().map(object);
            strategic::merge_patches(patches, schema)?.into()
        }
        _ => strategic::have_conflicts(&of("original"), &of("modified"), schema)?.into(),
    })
}
