//! The scale subresource: the same `Scale` for every kind that has replicas.
//!
//! Go counterpart: `ScaleREST` of the workload kinds and of custom resources.

use pintle_apimachinery::validation::FieldError;
use serde_json::{Map, Value, json};

use super::options::WriteOptions;
use super::write::Part;
use super::{Answer, Reply, Request};
use crate::object::{Object, at, metadata, text};
use crate::status::{ApiError, ApiResult, quote};

/// Where a kind has its replicas and selector.
struct Paths {
    spec: String,
    status: String,
    selector: String,
}

impl Request<'_> {
    fn scale_paths(&self) -> Paths {
        match self.resource.custom.as_ref().and_then(|custom| custom.scale.as_ref()) {
            Some(scale) => Paths {
                spec: scale.spec_replicas.clone(),
                status: scale.status_replicas.clone(),
                selector: scale.label_selector.clone(),
            },
            None => Paths {
                spec: "spec.replicas".to_owned(),
                status: "status.replicas".to_owned(),
                selector: "spec.selector".to_owned(),
            },
        }
    }

    /// An object as far as its scale has it, in which no replicas are none: nobody manages them then.
    pub(crate) fn without_zero(&self, object: &mut Value) {
        let path = self.scale_paths().spec;
        let (parents, name) = path.rsplit_once('.').unwrap_or(("", &path));
        let mut parents = parents.split('.').filter(|part| !part.is_empty());
        let parent = parents.try_fold(object, |object, part| object.get_mut(part));
        if let Some(Value::Object(parent)) = parent
            && parent.get(name) == Some(&0.into())
        {
            parent.shift_remove(name);
        }
    }

    /// GET of a scale.
    pub(crate) fn get_scale(&self) -> ApiResult<Answer> {
        let entry = self.read(&self.info.name)?;
        let object = self.resource.object(&entry.value, Some(entry.mod_revision));
        if self.resource.custom.is_some() {
            let path = self.scale_paths().spec;
            if at(&object, &path).is_none_or(Value::is_null) {
                let path = quote(&format!(".{path}"));
                let why = format!("the spec replicas field {path} does not exist");
                return Err(ApiError::internal(why));
            }
        }
        Ok(Reply::Value(200, self.scale_of(&object)).into())
    }

    fn scale_of(&self, object: &Object) -> Value {
        let paths = self.scale_paths();
        let number = |path: &str| at(object, path).and_then(Value::as_i64).unwrap_or(0);
        // Built-in kinds default to one replica.
        let wanted = match at(object, &paths.spec) {
            None if self.resource.custom.is_none() => 1,
            _ => number(&paths.spec),
        };
        let mut status = Map::new();
        status.insert("replicas".to_owned(), number(&paths.status).into());
        let selector = at(object, &paths.selector).map(selector_text).unwrap_or_default();
        if !selector.is_empty() {
            status.insert("selector".to_owned(), selector.into());
        }
        let meta = metadata(object);
        let keep = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"];
        let meta: Map<String, Value> = keep
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), meta.get(*key)?.clone())))
            .collect();
        let mut spec = Map::new();
        if wanted != 0 {
            spec.insert("replicas".to_owned(), wanted.into());
        }
        json!({
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": meta,
            "spec": spec,
            "status": status,
        })
    }

    /// PUT or PATCH of a scale: `change` turns the present scale into the wanted one.
    pub(crate) fn update_scale(
        &self,
        options: WriteOptions,
        change: &dyn Fn(Object) -> ApiResult<Object>,
    ) -> ApiResult<Answer> {
        let paths = self.scale_paths();
        let name = self.info.name.as_str();
        let (item, _) = self.update(name, Part::Main, options, false, &mut |old| {
            let Some(old) = old else {
                return Err(ApiError::not_found(self.resource.target(name)));
            };
            let Value::Object(scale) = self.scale_of(old) else {
                return Err(ApiError::internal("a scale is an object"));
            };
            let scale = change(scale)?;
            self.check_name(&scale)?;
            let wanted = at(&scale, "spec.replicas").and_then(Value::as_i64).unwrap_or(0);
            if wanted < 0 && self.resource.custom.is_some() {
                let (group, kind) = (&self.resource.group, &self.resource.kind);
                let field = format!(".{}", paths.spec);
                let detail = "should be a non-negative integer";
                let error = FieldError::invalid(field, wanted, detail);
                return Err(ApiError::invalid(group, kind, name, &[error]));
            }
            if wanted < 0 {
                let error = FieldError::invalid(
                    "spec.replicas",
                    wanted,
                    "must be greater than or equal to 0",
                );
                return Err(ApiError::invalid("autoscaling", "Scale", name, &[error]));
            }
            let mut object = old.clone();
            let version = text(metadata(&scale), "resourceVersion");
            if !version.is_empty() {
                let meta = crate::object::metadata_mut(&mut object);
                meta.insert("resourceVersion".to_owned(), version.into());
            }
            set(&mut object, &paths.spec, wanted.into());
            self.resource.convert_to_storage(&mut object);
            Ok(object)
        })?;
        let object = self.resource.object(&item.stored, item.version);
        Ok(Reply::Value(200, self.scale_of(&object)).into())
    }
}

/// Sets a value at a dotted path, making the objects on the way.
fn set(object: &mut Object, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            object.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = object.entry(first).or_insert_with(|| json!({}));
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

/// A selector as text: it may be text already, a map of labels, or a label selector.
fn selector_text(selector: &Value) -> String {
    match selector {
        Value::String(text) => text.clone(),
        Value::Object(map) if map.values().all(Value::is_string) => labels_text(map),
        Value::Object(map) => {
            let mut terms = Vec::new();
            if let Some(Value::Object(labels)) = map.get("matchLabels") {
                terms.push(labels_text(labels));
            }
            let expressions = map.get("matchExpressions").and_then(Value::as_array);
            for expression in expressions.into_iter().flatten().filter_map(Value::as_object) {
                let key = text(expression, "key");
                let mut values = crate::object::strings(expression, "values");
                values.sort_unstable();
                let values = values.join(",");
                terms.push(match text(expression, "operator") {
                    "In" => format!("{key} in ({values})"),
                    "NotIn" => format!("{key} notin ({values})"),
                    "Exists" => key.to_owned(),
                    _ => format!("!{key}"),
                });
            }
            terms.retain(|term| !term.is_empty());
            terms.join(",")
        }
        _ => String::new(),
    }
}

fn labels_text(labels: &Map<String, Value>) -> String {
    let mut terms: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    terms.sort();
    terms.join(",")
}
