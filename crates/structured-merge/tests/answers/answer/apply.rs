//! Sequences of applies and updates; what is extracted, upgraded and scaled.
use super::typed::sorted_lines;
use super::{Answer, TYPES, text, type_of};
use pintle_apimachinery::{
    Codec, Decoder, Error, Format, GroupVersion, GroupVersionKind, List, ManagedFieldsEntry,
    ObjectMeta, PartialObjectMetadata, Time,
};
use pintle_structured_merge::{
    DeducedTypes, FieldManager, Filter, ObjectConverter, Path, ScaleHandler, Set, TypeConverter,
    TypeTable, extract, find_fields_owners, upgrade_managed_fields, upgrade_managed_fields_patch,
    validate_managed_fields,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

/// What the two versions of the synthetic kind call the same fields.
const RENAMED: [(&str, &str); 2] = [("replicas", "count"), ("items", "things")];

pub(crate) struct TwoVersions;

impl ObjectConverter for TwoVersions {
    fn convert(&self, object: &Value, to: &GroupVersion) -> Result<Value, Error> {
        let from: GroupVersion =
            object["apiVersion"].as_str().unwrap_or_default().parse().unwrap_or_default();
        if from == *to {
            return Ok(object.clone());
        }
        let known = |v: &str| v == "v1" || v == "v2";
        if to.group != from.group
            || from.group != "example.com"
            || !known(&to.version)
            || !known(&from.version)
        {
            // What Go's error says.
            return Err(Error::not_registered(
                "no version \"\" has been registered in scheme \"twoVersions\"",
            ));
        }
        let mut out = object.clone();
        out["apiVersion"] = to.to_string().into();
        if let Some(Value::Object(spec)) = out.get_mut("spec") {
            for (one, two) in RENAMED {
                let (old, fresh) = if from.version == "v1" { (one, two) } else { (two, one) };
                if let Some(v) = spec.shift_remove(old) {
                    spec.insert(fresh.into(), v);
                }
            }
        }
        Ok(out)
    }
}

fn types(input: &Value) -> Result<Arc<dyn TypeConverter>, String> {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<TypeTable>>>> = LazyLock::new(Mutex::default);
    match input["types"].as_str() {
        Some("builtin") => Ok(Arc::new(TYPES.clone())),
        Some("models") => {
            let mut made = MADE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let key = input["models"].to_string();
            if let Some(t) = made.get(&key) {
                return Ok(t.clone());
            }
            let models = input["models"].as_object().cloned().unwrap_or_default();
            let table = TypeTable::from_openapi(&models, false).map_err(|e| e.to_string())?;
            let table = Arc::new(table);
            made.insert(key, table.clone());
            Ok(table)
        }
        _ => Ok(Arc::new(DeducedTypes)),
    }
}

fn failure(e: &Error) -> Value {
    let mut message = sorted_lines(e);
    let mut out = Map::new();
    if let Some(s) = e.status() {
        message = s.message.to_string();
        let mut causes: Vec<String> =
            e.causes().iter().map(|c| format!("{}|{}|{}", c.reason, c.message, c.field)).collect();
        causes.sort_unstable();
        out.insert(
            "status".into(),
            json!({"code": s.code, "reason": s.reason.as_str(), "causes": causes}),
        );
    }
    out.insert("error".into(), message.into());
    Value::Object(out)
}

/// One step of a sequence: what comes out, and the live object after it.
pub(crate) struct Sequence {
    pub(crate) types: Arc<dyn TypeConverter>,
    pub(crate) kind: GroupVersionKind,
    reset: Vec<(String, Set)>,
    pub(crate) live: Value,
    step: i64,
}

impl Sequence {
    pub(crate) fn new(input: &Value) -> Result<Sequence, String> {
        let kind = &input["kind"];
        let mut reset = Vec::new();
        for (version, set) in input["reset"].as_object().into_iter().flatten() {
            let set = Set::from_json(set.as_str().unwrap_or_default().as_bytes());
            reset.push((version.clone(), set.map_err(|e| e.to_string())?));
        }
        Ok(Sequence {
            types: types(input)?,
            kind: GroupVersionKind::new(
                text(kind, "group").to_owned(),
                text(kind, "version").to_owned(),
                text(kind, "kind").to_owned(),
            ),
            reset,
            live: Value::Null,
            step: 0,
        })
    }

    pub(crate) fn run(&mut self, op: &Value) -> Value {
        let mut kind = self.kind.clone();
        if !text(op, "version").is_empty() {
            kind.version = text(op, "version").to_owned().into();
        }
        let mut manager = FieldManager::with_converter(self.types.clone(), TwoVersions, kind)
            .subresource(text(op, "subresource"));
        for (version, set) in &self.reset {
            manager = manager.reset_fields(version.clone(), Filter::exclude(set.clone()));
        }
        // 2010, a second a step.
        let now = Time::from_unix(1_262_304_000 + self.step);
        self.step += 1;
        let (object, name) = (op["object"].clone(), text(op, "manager"));
        let result = match text(op, "op") {
            "apply" => manager.apply(&self.live, &object, name, op["force"] == true, now),
            "update" => manager.update(&self.live, object, name, now),
            _ => Ok(manager.update_no_errors(&self.live, object, name, now)),
        };
        match result {
            Ok(object) => {
                self.live = object.clone();
                json!({"object": object})
            }
            Err(e) => failure(&e),
        }
    }
}

/// Entries as the API has them.
fn entries(v: &Value) -> Result<List<ManagedFieldsEntry>, String> {
    let object = json!({
        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"managedFields": v},
    });
    let text = object.to_string();
    PartialObjectMetadata::decode(text.as_bytes(), Format::Json, &mut Decoder::new())
        .map(|m| m.metadata.managed_fields)
        .map_err(|e| e.to_string())
}

fn shown<'a>(all: impl IntoIterator<Item = &'a ManagedFieldsEntry>) -> Value {
    let all = all.into_iter().map(|e| {
        let mut o = json!({
            "manager": e.manager.as_str(), "operation": e.operation.as_str(), "apiVersion": e.api_version.as_str(),
            "fieldsType": e.fields_type.as_str(), "subresource": e.subresource.as_str(),
        });
        if let Some(t) = e.time {
            o["time"] = t.unix().into();
        }
        if let Some(f) = &e.fields_v1 {
            o["fields"] = String::from_utf8_lossy(&f.raw()).into();
        }
        o
    });
    all.collect::<Vec<_>>().into()
}

fn csa(input: &Value) -> Answer {
    let mut meta = ObjectMeta { managed_fields: entries(&input["entries"])?, ..Default::default() };
    meta.resource_version = "7".into();
    let before = meta.managed_fields.clone();
    let (from, to, sub) = (text(input, "from"), text(input, "to"), text(input, "subresource"));
    let patch = upgrade_managed_fields_patch(&meta, &[from], to, sub).map_err(|e| e.to_string());
    upgrade_managed_fields(&mut meta, &[from], to, sub).map_err(|e| e.to_string())?;
    let fields = Set::from_json(text(input, "fields").as_bytes()).map_err(|e| e.to_string())?;
    let mut out = json!({
        "entries": shown(meta.managed_fields.iter()),
        "owners": shown(find_fields_owners(&before, "Update", &fields)),
    });
    if let Some(patch) = patch? {
        out["patch"] = patch;
    }
    Ok(out)
}

fn scale(input: &Value) -> Answer {
    let (parent, scale) = (entries(&input["parent"])?, entries(&input["scale"])?);
    let version = &input["version"];
    let version =
        GroupVersion::new(text(version, "group").to_owned(), text(version, "version").to_owned());
    let mappings = input["mappings"].as_object().into_iter().flatten().map(|(version, names)| {
        let names = names.as_array().map(|n| Path::fields(n.iter().filter_map(Value::as_str)));
        (version.clone(), names.filter(|p| !p.is_empty()))
    });
    let handler = ScaleHandler::new(parent.to_vec(), version.to_string(), mappings);
    let sub = handler.to_subresource().map_err(|e| e.to_string())?;
    let parent = handler.to_parent(&scale).map_err(|e| e.to_string())?;
    Ok(json!({"sub": shown(&sub), "parent": shown(&parent)}))
}

pub(super) fn answer(function: &str, input: &Value) -> Answer {
    match function {
        "apply.sequence" => {
            let mut state = Sequence::new(input)?;
            let ops = input["ops"].as_array().into_iter().flatten();
            Ok(ops.map(|op| state.run(op)).collect::<Vec<_>>().into())
        }
        "apply.extract" => {
            let ty = type_of(input)?;
            let (manager, sub) = (text(input, "manager"), text(input, "subresource"));
            let found =
                extract(&input["object"], &ty, manager, sub).map_err(|e| sorted_lines(&e))?;
            Ok(found.unwrap_or_else(|| json!({})))
        }
        "apply.csa" => csa(input),
        "apply.scale" => scale(input),
        "apply.validate" => {
            let all = entries(input)?;
            validate_managed_fields(&all).map(|()| Value::Null).map_err(|e| e.to_string())
        }
        _ => Err(format!("nobody answers {function}")),
    }
}
