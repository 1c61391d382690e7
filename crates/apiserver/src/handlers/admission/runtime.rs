//! RuntimeClasses: what they add to Pods that run with them.
//!
//! Go counterpart: `plugin/pkg/admission/runtimeclass` and `pkg/util/tolerations`.

use pintle_apimachinery::Quantity;
use serde_json::{Map, Value};

use super::super::Request;
use crate::kinds::tree::{at, child, is_empty};
use crate::object::Object;
use crate::registry::name_of;
use crate::status::ApiResult;

const DIFFERS: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

impl Request<'_> {
    fn runtime_class_of(&self, pod: &Object) -> ApiResult<Option<Object>> {
        let wanted = at(pod, &["spec", "runtimeClassName"]).and_then(Value::as_str);
        let Some(wanted) = wanted else { return Ok(None) };
        match self.core.store.get(&format!("/registry/runtimeclasses/{wanted}")) {
            Some(entry) => Ok(Some(entry.value.object(None))),
            None => {
                let shown = crate::status::quote(wanted);
                let why = format!("pod rejected: RuntimeClass {shown} not found");
                Err(self.forbidden(name_of(pod), &why))
            }
        }
    }

    /// Gives a new Pod the overhead, node selector and tolerations of its class.
    pub(super) fn runtime_class(&self, pod: &mut Object) -> ApiResult<()> {
        let Some(class) = self.runtime_class_of(pod)? else { return Ok(()) };
        let name = name_of(pod).to_owned();
        let spec = child(pod, "spec");
        if let Some(overhead) = at(&class, &["overhead"]) {
            let fixed = overhead.get("podFixed");
            if !is_empty(spec.get("overhead")) && !same(fixed, spec.get("overhead")) {
                return Err(self.forbidden(&name, DIFFERS));
            }
            match fixed {
                Some(fixed) => spec.insert("overhead".to_owned(), fixed.clone()),
                None => spec.remove("overhead"),
            };
        }
        let selector = at(&class, &["scheduling", "nodeSelector"]).and_then(Value::as_object);
        for (key, value) in selector.into_iter().flatten() {
            let own = child(spec, "nodeSelector");
            if let Some(other) = own.get(key).filter(|other| *other != value) {
                let show = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let why = format!(
                    "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {}; \
                     pod.spec.nodeSelector[{key}] = {}",
                    show(value),
                    show(other)
                );
                return Err(self.forbidden(&name, &why));
            }
            own.insert(key.clone(), value.clone());
        }
        if at(&class, &["scheduling"]).is_some() {
            let more = at(&class, &["scheduling", "tolerations"]).and_then(Value::as_array);
            let own = spec.get("tolerations").and_then(Value::as_array).cloned();
            let all: Vec<Value> =
                own.into_iter().flatten().chain(more.into_iter().flatten().cloned()).collect();
            if !all.is_empty() {
                spec.insert("tolerations".to_owned(), merge(all).into());
            }
        }
        Ok(())
    }

    /// Refuses a Pod with an overhead that is not its class's.
    pub(super) fn overhead(&self, pod: &Object) -> ApiResult<()> {
        let class = self.runtime_class_of(pod)?;
        let own = at(pod, &["spec", "overhead"]);
        let why = match class.as_ref().and_then(|class| at(class, &["overhead"])) {
            Some(overhead) if same(overhead.get("podFixed"), own) => return Ok(()),
            Some(_) => DIFFERS,
            None if own.is_none() => return Ok(()),
            None => {
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            }
        };
        Err(self.forbidden(name_of(pod), why))
    }
}

/// Whether lists of amounts are the same, however they are written.
fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    let empty = Map::new();
    let of = |value: Option<&Value>| value.and_then(Value::as_object).unwrap_or(&empty).clone();
    let (a, b) = (of(a), of(b));
    let amount = |value: &Value| value.as_str().and_then(|text| Quantity::parse(text).ok());
    a.len() == b.len()
        && a.iter().all(|(name, value)| {
            b.get(name).is_some_and(|other| match (amount(value), amount(other)) {
                (Some(a), Some(b)) => a == b,
                _ => value == other,
            })
        })
}

/// Tolerations without those that others make needless.
fn merge(all: Vec<Value>) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::new();
    for (at, one) in all.iter().enumerate() {
        let needless = merged.iter().any(|other| covers(other, one))
            || all[at + 1..].iter().any(|other| other != one && covers(other, one));
        if !needless {
            merged.push(one.clone());
        }
    }
    merged
}

/// Whether a toleration tolerates everything that another one does.
fn covers(wide: &Value, narrow: &Value) -> bool {
    if wide == narrow {
        return true;
    }
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (operator, key) = (text(wide, "operator"), text(wide, "key"));
    if text(narrow, "key") != key && !(key.is_empty() && operator == "Exists") {
        return false;
    }
    let effect = text(wide, "effect");
    if !effect.is_empty() && text(narrow, "effect") != effect {
        return false;
    }
    if effect == "NoExecute" {
        let seconds = |value: &Value| value.get("tolerationSeconds").and_then(Value::as_i64);
        if let Some(most) = seconds(wide)
            && seconds(narrow).is_none_or(|own| own > most)
        {
            return false;
        }
    }
    match operator.as_str() {
        "" | "Equal" => {
            text(narrow, "operator") == "Equal" && text(narrow, "value") == text(wide, "value")
        }
        "Exists" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tolerations_that_others_cover_go() {
        let narrow = json!({"key": "a", "operator": "Equal", "value": "v", "effect": "NoSchedule"});
        let wide = json!({"key": "a", "operator": "Exists"});
        let any = json!({"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 10});
        let merged = merge(vec![narrow.clone(), wide.clone(), any.clone(), wide.clone()]);
        assert_eq!(merged, [wide.clone(), any.clone()]);
        let longer = json!({"key": "b", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 20});
        assert_eq!(merge(vec![any.clone(), longer.clone()]), [any, longer]);
    }

    #[test]
    fn amounts_are_the_same_however_they_are_written() {
        let same = |a: Value, b: Value| super::same(Some(&a), Some(&b));
        assert!(same(json!({"cpu": "100m"}), json!({"cpu": "0.1"})));
        assert!(!same(json!({"cpu": "100m"}), json!({"cpu": "0.2"})));
        assert!(!same(json!({"cpu": "100m"}), json!({"memory": "100m"})));
        assert!(!same(json!({}), json!({"memory": "100m"})));
    }
}
