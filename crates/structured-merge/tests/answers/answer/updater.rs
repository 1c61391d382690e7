//! Sequences of updates and applies, in which the schema may change.
use super::sets::{managers_of, matcher};
use super::typed::sorted_lines;
use super::{Answer, text};
use pintle_apimachinery::Error;
use pintle_structured_merge::{
    ApplyError, Converter, Filter, ManagedFields, ParseableType, Schema, Set, TypedValue, Updater,
};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// What the converter knows at the moment.
struct World {
    schema: Arc<Schema>,
    versions: Vec<String>,
    /// Names of members in v1 and in v2.
    renamed: Vec<(String, String)>,
}

impl World {
    fn type_of(&self, version: &str) -> ParseableType {
        ParseableType::named(self.schema.clone(), version)
    }
}

struct Versions(Rc<RefCell<World>>);

impl Converter for Versions {
    fn convert(&self, value: &TypedValue, version: &str) -> Result<TypedValue, Error> {
        let world = self.0.borrow();
        if !world.versions.iter().any(|v| v == version) {
            return Err(Error::not_registered("no such version"));
        }
        let from = value.parseable_type().type_ref().named.clone();
        let Some(from) = from.filter(|from| **from != *version) else { return Ok(value.clone()) };
        let mut out = value.value().clone();
        if let Value::Object(members) = &mut out
            && (&*from == "v2") != (version == "v2")
        {
            let name = |name: String| {
                let pair = world.renamed.iter().find_map(|(one, two)| {
                    let (old, new) = if &*from == "v2" { (two, one) } else { (one, two) };
                    (name == *old).then(|| new.clone())
                });
                pair.unwrap_or(name)
            };
            let renamed = std::mem::take(members).into_iter().map(|(k, v)| (name(k), v));
            *members = renamed.collect::<Map<_, _>>();
        }
        world.type_of(version).typed_with_duplicates(out)
    }
}

struct State {
    schemas: Vec<Value>,
    world: Rc<RefCell<World>>,
    updater: Updater<Versions>,
    live: Option<TypedValue>,
    managers: ManagedFields,
}

impl State {
    fn run(&mut self, op: &Value) -> Result<(), ApplyError> {
        match text(op, "op") {
            "schema" => {
                let schema = &self.schemas[op["schema"].as_u64().unwrap_or_default() as usize];
                let schema = Arc::new(Schema::from_json(schema)?);
                self.world.borrow_mut().schema = schema.clone();
                if let Some(live) = &self.live {
                    let ty = live.parseable_type().type_ref().clone();
                    let ty = ParseableType::new(schema, ty);
                    self.live = Some(ty.typed_with_duplicates(live.value().clone())?);
                }
                return Ok(());
            }
            "versions" => {
                let names = op["versions"].as_array().into_iter().flatten();
                let names = names.filter_map(Value::as_str).map(str::to_owned).collect();
                self.world.borrow_mut().versions = names;
                return Ok(());
            }
            _ => {}
        }
        let (version, manager) = (text(op, "version"), text(op, "manager"));
        let ty = self.world.borrow().type_of(version);
        if self.live.is_none() {
            self.live = Some(ty.typed(Value::Null)?);
        }
        let live = self.live.clone().expect("was just put there");
        let object = op["object"].clone();
        let is_update = text(op, "op") == "update";
        let mut object =
            if is_update { ty.typed_with_duplicates(object) } else { ty.typed(object) }?;
        let live = Versions(self.world.clone()).convert(&live, version)?;
        self.live = Some(live.clone());
        if is_update {
            self.managers =
                self.updater.update(&live, &object, version, &self.managers, manager)?;
            self.live = Some(object);
            return Ok(());
        }
        if text(op, "op") == "extract" {
            let own = self.managers.0.get(manager).map(|own| own.set.leaves()).unwrap_or_default();
            let extracted = if op["keys"] == true {
                live.extract_items_with_keys(&own)
            } else {
                live.extract_items(&own)
            };
            object = extracted.merge(&object)?;
        }
        let force = op["force"] == true;
        let (after, managers) =
            self.updater.apply(&live, &object, version, &self.managers, manager, force)?;
        self.managers = managers;
        if after.is_some() {
            self.live = after;
        }
        Ok(())
    }
}

pub(super) fn answer(input: &Value) -> Answer {
    let schemas: Vec<Value> = input["schemas"].as_array().cloned().unwrap_or_default();
    let schema = Schema::from_json(schemas.first().unwrap_or(&Value::Null));
    let renamed = input["renamed"].as_object().into_iter().flatten();
    let renamed = renamed.filter_map(|(one, two)| Some((one.clone(), two.as_str()?.to_owned())));
    let world = Rc::new(RefCell::new(World {
        schema: Arc::new(schema.map_err(|e| e.to_string())?),
        versions: vec!["v1".to_owned(), "v2".to_owned()],
        renamed: renamed.collect(),
    }));
    let mut updater =
        Updater::new(Versions(world.clone())).return_input_on_noop(input["noop"] == true);
    for (version, set) in input["ignored"].as_object().into_iter().flatten() {
        let set = Set::from_json(set.as_str().unwrap_or_default().as_bytes());
        updater = updater.ignore(version.clone(), Filter::exclude(set.map_err(|e| e.to_string())?));
    }
    for (version, all) in input["included"].as_object().into_iter().flatten() {
        let all: Result<Vec<_>, _> = all.as_array().into_iter().flatten().map(matcher).collect();
        updater = updater.ignore(version.clone(), Filter::include(all?));
    }
    let mut state =
        State { schemas, world, updater, live: None, managers: ManagedFields::default() };
    let step = |op: &Value| match state.run(op) {
        Ok(()) => {
            let mut out = json!({"managers": managers_of(&state.managers)});
            if let Some(live) = &state.live {
                out["object"] = live.value().clone();
            }
            out
        }
        Err(ApplyError::Conflicts(conflicts)) => {
            let line = |c: &pintle_structured_merge::Conflict| format!("{}|{}", c.manager, c.path);
            let mut all: Vec<_> = conflicts.0.iter().map(line).collect();
            all.sort();
            json!({"conflicts": all, "error": conflicts.to_string()})
        }
        Err(ApplyError::Other(e)) => json!({"error": sorted_lines(&e)}),
    };
    Ok(input["ops"].as_array().into_iter().flatten().map(step).collect())
}
