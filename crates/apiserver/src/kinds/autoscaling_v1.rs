//! Autoscalers of `autoscaling/v1`, which are stored in the form of v2: what v1 has no field for is in
//! annotations there.
//!
//! Go counterpart: `k8s.io/kubernetes/pkg/apis/autoscaling/v1/conversion.go`.

use pintle_apimachinery::Quantity;
use serde_json::{Map, Value, json};

use super::tree::{Fields, child, is_nil};
use crate::object::metadata_mut;

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const STATUSES: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
/// Every annotation that stands for fields.
const ANNOTATIONS: [&str; 6] = [
    METRICS,
    BEHAVIOR,
    "autoscaling.alpha.kubernetes.io/scale-down-tolerance",
    "autoscaling.alpha.kubernetes.io/scale-up-tolerance",
    STATUSES,
    CONDITIONS,
];
/// What an autoscaler without metrics aims at.
const UTILIZATION: i64 = 80;

/// The sources of metrics in the order of their type.
const SOURCES: [&str; 5] = ["object", "pods", "resource", "containerResource", "external"];

/// Takes off the annotations that stand for fields, which v2 has.
pub(crate) fn drop_annotations(autoscaler: &mut Fields) {
    let meta = metadata_mut(autoscaler);
    if let Some(Value::Object(annotations)) = meta.get_mut("annotations") {
        annotations.retain(|key, _| !ANNOTATIONS.contains(&key.as_str()));
        if annotations.is_empty() {
            meta.shift_remove("annotations");
        }
    }
}

/// Turns an autoscaler of v2 into one of v1.
pub(crate) fn from_v2(autoscaler: &mut Fields) {
    drop_annotations(autoscaler);
    let mut notes = Map::new();
    let spec = child(autoscaler, "spec");
    let metrics = match spec.shift_remove("metrics") {
        Some(Value::Array(metrics)) => metrics,
        _ => Vec::new(),
    };
    let is_share = |metric: &&Value| share(metric).is_some();
    if let Some(share) = metrics.iter().find_map(share) {
        spec.insert("targetCPUUtilizationPercentage".to_owned(), share.clone());
    }
    let others: Vec<Value> = metrics.iter().filter(|m| !is_share(m)).map(old_metric).collect();
    if !others.is_empty() {
        notes.insert(METRICS.to_owned(), go_json(&others.into()).into());
    }
    for key in ["kind", "name"] {
        child(spec, "scaleTargetRef").entry(key).or_insert_with(|| "".into());
    }
    spec.entry("maxReplicas").or_insert_with(|| 0.into());
    if let Some(behavior) = spec.shift_remove("behavior").filter(|behavior| !behavior.is_null()) {
        notes.insert(BEHAVIOR.to_owned(), go_json(&old_behavior(&behavior)).into());
    }
    let status = child(autoscaler, "status");
    if let Some(Value::Array(statuses)) = status.shift_remove("currentMetrics")
        && !statuses.is_empty()
    {
        let used = statuses.iter().rev().find_map(|metric| {
            let own = metric["type"] == "Resource" && metric["resource"]["name"] == "cpu";
            let used = &metric["resource"]["current"]["averageUtilization"];
            (own && !used.is_null()).then_some(used)
        });
        if let Some(used) = used {
            status.insert("currentCPUUtilizationPercentage".to_owned(), used.clone());
        }
        let statuses: Vec<Value> = statuses.iter().map(old_status).collect();
        notes.insert(STATUSES.to_owned(), go_json(&statuses.into()).into());
    }
    if let Some(Value::Array(conditions)) = status.shift_remove("conditions")
        && !conditions.is_empty()
    {
        let conditions: Vec<Value> = conditions.iter().map(condition).collect();
        notes.insert(CONDITIONS.to_owned(), go_json(&conditions.into()).into());
    }
    for key in ["currentReplicas", "desiredReplicas"] {
        status.entry(key).or_insert_with(|| 0.into());
    }
    if !notes.is_empty() {
        let annotations = child(metadata_mut(autoscaler), "annotations");
        annotations.extend(notes);
        annotations.sort_keys();
    }
}

/// Turns an autoscaler of v1 into one of v2.
pub(crate) fn to_v2(autoscaler: &mut Fields) {
    let annotations = metadata_mut(autoscaler).get("annotations").cloned().unwrap_or_default();
    let note = |name: &str| -> Option<Value> {
        serde_json::from_str(annotations.get(name)?.as_str()?).ok()
    };
    let spec = child(autoscaler, "spec");
    let share = spec.shift_remove("targetCPUUtilizationPercentage").filter(|v| !v.is_null());
    let mut metrics: Vec<Value> = share.map(cpu).into_iter().collect();
    if let Some(others) = note(METRICS).and_then(|note| list(&note, new_metric)) {
        metrics = others.into_iter().chain(metrics).collect();
    }
    if metrics.is_empty() {
        metrics.push(cpu(UTILIZATION.into()));
    }
    spec.insert("metrics".to_owned(), metrics.into());
    let behavior = note(BEHAVIOR).and_then(|note| new_behavior(&note));
    if let Some(behavior) = behavior.filter(|b| b.as_object().is_some_and(|b| !b.is_empty())) {
        spec.insert("behavior".to_owned(), behavior);
    }
    let status = child(autoscaler, "status");
    if let Some(used) = status.shift_remove("currentCPUUtilizationPercentage")
        && !used.is_null()
    {
        let metric = json!({"type": "Resource",
            "resource": {"name": "cpu", "current": {"averageUtilization": used}}});
        status.insert("currentMetrics".to_owned(), json!([metric]));
    }
    for (name, field, read) in [
        (STATUSES, "currentMetrics", new_status as fn(&Read<'_>) -> Option<Value>),
        (CONDITIONS, "conditions", new_condition),
    ] {
        if let Some(values) = note(name).and_then(|note| list(&note, read)) {
            status.insert(field.to_owned(), values.into());
        }
    }
    drop_annotations(autoscaler);
}

/// The share of its request that a metric aims at, if it is about the CPU.
fn share(metric: &Value) -> Option<&Value> {
    let share = &metric["resource"]["target"]["averageUtilization"];
    let own = metric["type"] == "Resource" && metric["resource"]["name"] == "cpu";
    (own && !share.is_null()).then_some(share)
}

fn cpu(share: Value) -> Value {
    let target = json!({"type": "Utilization", "averageUtilization": share});
    json!({"type": "Resource", "resource": {"name": "cpu", "target": target}})
}

/// Fields in the order of their type; those of a `?` are left out when there is nothing.
fn fields(of: &[(&str, &Value)]) -> Value {
    let mut fields = Map::new();
    for (name, value) in of {
        let (name, optional) = match name.strip_suffix('?') {
            Some(name) => (name, true),
            None => (*name, false),
        };
        if !(optional && value.is_null()) {
            fields.insert(name.to_owned(), (*value).clone());
        }
    }
    fields.into()
}

fn or(value: &Value, default: &str) -> Value {
    if value.is_null() { default.into() } else { value.clone() }
}

fn old_reference(reference: &Value) -> Value {
    let (kind, name) = (or(&reference["kind"], ""), or(&reference["name"], ""));
    let version = &reference["apiVersion"];
    fields(&[("kind", &kind), ("name", &name), ("apiVersion?", version)])
}

fn old_metric(metric: &Value) -> Value {
    let mut old = Map::new();
    old.insert("type".to_owned(), or(&metric["type"], ""));
    for name in SOURCES {
        let source = &metric[name];
        if source.is_null() {
            continue;
        }
        let target = &source["target"];
        let (value, average) = (&target["value"], &target["averageValue"]);
        let share = &target["averageUtilization"];
        let (measure, selector) =
            (or(&source["metric"]["name"], ""), &source["metric"]["selector"]);
        let own = or(&source["name"], "");
        let made = match name {
            "object" => fields(&[
                ("target", &old_reference(&source["describedObject"])),
                ("metricName", &measure),
                ("targetValue", &or(value, "0")),
                ("selector?", selector),
                ("averageValue?", average),
            ]),
            "pods" => fields(&[
                ("metricName", &measure),
                ("targetAverageValue", &or(average, "0")),
                ("selector?", selector),
            ]),
            "external" => fields(&[
                ("metricName", &measure),
                ("metricSelector?", selector),
                ("targetValue?", value),
                ("targetAverageValue?", average),
            ]),
            _ => {
                let container = match name {
                    "resource" => Value::Null,
                    _ => or(&source["container"], ""),
                };
                fields(&[
                    ("name", &own),
                    ("targetAverageUtilization?", share),
                    ("targetAverageValue?", average),
                    ("container?", &container),
                ])
            }
        };
        old.insert(name.to_owned(), made);
    }
    old.into()
}

fn old_status(metric: &Value) -> Value {
    let mut old = Map::new();
    old.insert("type".to_owned(), or(&metric["type"], ""));
    for name in SOURCES {
        let source = &metric[name];
        if source.is_null() {
            continue;
        }
        let current = &source["current"];
        let (value, average) = (&current["value"], &current["averageValue"]);
        let share = &current["averageUtilization"];
        let (measure, selector) =
            (or(&source["metric"]["name"], ""), &source["metric"]["selector"]);
        let own = or(&source["name"], "");
        let made = match name {
            "object" => fields(&[
                ("target", &old_reference(&source["describedObject"])),
                ("metricName", &measure),
                ("currentValue", &or(value, "0")),
                ("selector?", selector),
                ("averageValue?", average),
            ]),
            "pods" => fields(&[
                ("metricName", &measure),
                ("currentAverageValue", &or(average, "0")),
                ("selector?", selector),
            ]),
            "external" => fields(&[
                ("metricName", &measure),
                ("metricSelector?", selector),
                ("currentValue", &or(value, "0")),
                ("currentAverageValue?", average),
            ]),
            _ => {
                let container = match name {
                    "resource" => Value::Null,
                    _ => or(&source["container"], ""),
                };
                fields(&[
                    ("name", &own),
                    ("currentAverageUtilization?", share),
                    ("currentAverageValue", &or(average, "0")),
                    ("container?", &container),
                ])
            }
        };
        old.insert(name.to_owned(), made);
    }
    old.into()
}

fn condition(condition: &Value) -> Value {
    fields(&[
        ("type", &or(&condition["type"], "")),
        ("status", &or(&condition["status"], "")),
        ("lastTransitionTime", &condition["lastTransitionTime"]),
        ("reason?", &condition["reason"]),
        ("message?", &condition["message"]),
        ("observedGeneration?", &condition["observedGeneration"]),
    ])
}

/// The behaviour as Go's internal type has it, whose fields have no JSON names.
fn old_behavior(behavior: &Value) -> Value {
    let rules = |rules: &Value| {
        if rules.is_null() {
            return Value::Null;
        }
        let policies = match &rules["policies"] {
            Value::Array(policies) => policies
                .iter()
                .map(|policy| {
                    let number = |key: &str| policy[key].as_i64().unwrap_or_default().into();
                    fields(&[
                        ("Type", &or(&policy["type"], "")),
                        ("Value", &number("value")),
                        ("PeriodSeconds", &number("periodSeconds")),
                    ])
                })
                .collect::<Vec<_>>()
                .into(),
            _ => Value::Null,
        };
        fields(&[
            ("StabilizationWindowSeconds", &rules["stabilizationWindowSeconds"]),
            ("SelectPolicy", &rules["selectPolicy"]),
            ("Policies", &policies),
            ("Tolerance", &rules["tolerance"]),
        ])
    };
    let (up, down) = (rules(&behavior["scaleUp"]), rules(&behavior["scaleDown"]));
    fields(&[("ScaleUp", &up), ("ScaleDown", &down)])
}

/// An object of an annotation, read as Go reads JSON: names in any case, and nothing at all when one
/// value does not fit.
struct Read<'a>(&'a Fields);

impl<'a> Read<'a> {
    fn of(value: &'a Value) -> Option<Read<'a>> {
        static EMPTY: std::sync::LazyLock<Fields> = std::sync::LazyLock::new(Map::new);
        match value {
            Value::Object(fields) => Some(Read(fields)),
            Value::Null => Some(Read(&EMPTY)),
            _ => None,
        }
    }

    fn get(&self, name: &str) -> &'a Value {
        let mut named = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next_back().map_or(&Value::Null, |(_, value)| value)
    }

    fn inner(&self, name: &str) -> Option<Read<'a>> {
        Read::of(self.get(name))
    }

    fn text(&self, name: &str) -> Option<Value> {
        match self.get(name) {
            Value::Null => Some("".into()),
            value if value.is_string() => Some(value.clone()),
            _ => None,
        }
    }

    fn some_text(&self, name: &str) -> Option<Value> {
        Some(self.get(name)).filter(|v| v.is_string() || v.is_null()).cloned()
    }

    fn int(&self, name: &str) -> Option<Value> {
        match self.get(name) {
            Value::Null => Some(Value::Null),
            value => i32::try_from(value.as_i64()?).ok().map(Value::from),
        }
    }

    fn long(&self, name: &str) -> Option<Value> {
        Some(self.get(name)).filter(|v| v.is_i64() || v.is_null()).cloned()
    }

    fn quantity(&self, name: &str) -> Option<Value> {
        let text = match self.get(name) {
            Value::Null => return Some(Value::Null),
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Quantity::parse(&text).ok().map(|quantity| quantity.as_str().into())
    }

    fn selector(&self, name: &str) -> Option<Value> {
        let value = self.get(name);
        let fits =
            serde_json::from_value::<Option<pintle_apimachinery::LabelSelector>>(value.clone());
        fits.ok().map(|_| value.clone())
    }
}

fn list(note: &Value, read: fn(&Read<'_>) -> Option<Value>) -> Option<Vec<Value>> {
    match note {
        Value::Null => Some(Vec::new()),
        Value::Array(items) => items.iter().map(|item| read(&Read::of(item)?)).collect(),
        _ => None,
    }
}

fn new_reference(reference: &Read<'_>) -> Option<Value> {
    let (kind, name) = (reference.text("kind")?, reference.text("name")?);
    let version = given(reference.text("apiVersion")?);
    Some(fields(&[("kind", &kind), ("name", &name), ("apiVersion?", &version)]))
}

/// A text that is not empty.
fn given(text: Value) -> Value {
    if text == "" { Value::Null } else { text }
}

fn goal(kind: &str, value: Value, average: Value, share: Value) -> Value {
    let kind = kind.into();
    fields(&[
        ("type", &kind),
        ("value?", &value),
        ("averageValue?", &average),
        ("averageUtilization?", &share),
    ])
}

fn identifier(name: Value, selector: Value) -> Value {
    fields(&[("name", &name), ("selector?", &selector)])
}

fn new_metric(metric: &Read<'_>) -> Option<Value> {
    let mut new = Map::new();
    new.insert("type".to_owned(), metric.text("type")?);
    for name in SOURCES {
        if metric.get(name).is_null() {
            continue;
        }
        let source = metric.inner(name)?;
        let made = match name {
            "object" => {
                let average = source.quantity("averageValue")?;
                let value = or(&source.quantity("targetValue")?, "0");
                let is_zero = value.as_str().and_then(|v| Quantity::parse(v).ok());
                let is_zero = is_zero.is_none_or(|v| v.sign() == 0);
                let target = match average.is_null() {
                    true => goal("Value", value, Value::Null, Value::Null),
                    false if is_zero => goal("AverageValue", Value::Null, average, Value::Null),
                    false => goal("AverageValue", value, average, Value::Null),
                };
                let metric = identifier(source.text("metricName")?, source.selector("selector")?);
                let object = new_reference(&source.inner("target")?)?;
                json!({"describedObject": object, "target": target, "metric": metric})
            }
            "pods" => {
                let average = or(&source.quantity("targetAverageValue")?, "0");
                let metric = identifier(source.text("metricName")?, source.selector("selector")?);
                let target = goal("AverageValue", Value::Null, average, Value::Null);
                json!({"metric": metric, "target": target})
            }
            "external" => {
                let value = source.quantity("targetValue")?;
                let average = source.quantity("targetAverageValue")?;
                let kind = if value.is_null() { "AverageValue" } else { "Value" };
                let selector = source.selector("metricSelector")?;
                let metric = identifier(source.text("metricName")?, selector);
                json!({"metric": metric, "target": goal(kind, value, average, Value::Null)})
            }
            _ => {
                let share = source.int("targetAverageUtilization")?;
                let average = source.quantity("targetAverageValue")?;
                let kind = if share.is_null() { "AverageValue" } else { "Utilization" };
                let target = goal(kind, Value::Null, average, share);
                let own = source.text("name")?;
                match name {
                    "resource" => json!({"name": own, "target": target}),
                    _ => {
                        let container = source.text("container")?;
                        json!({"name": own, "target": target, "container": container})
                    }
                }
            }
        };
        new.insert(name.to_owned(), made);
    }
    Some(new.into())
}

fn new_status(metric: &Read<'_>) -> Option<Value> {
    let mut new = Map::new();
    new.insert("type".to_owned(), metric.text("type")?);
    let current = |value: Value, average: Value, share: Value| {
        fields(&[("value?", &value), ("averageValue?", &average), ("averageUtilization?", &share)])
    };
    for name in SOURCES {
        if metric.get(name).is_null() {
            continue;
        }
        let source = metric.inner(name)?;
        let made = match name {
            "object" => {
                let value = or(&source.quantity("currentValue")?, "0");
                let metric = identifier(source.text("metricName")?, source.selector("selector")?);
                let object = new_reference(&source.inner("target")?)?;
                let current = current(value, source.quantity("averageValue")?, Value::Null);
                json!({"metric": metric, "current": current, "describedObject": object})
            }
            "pods" => {
                let average = or(&source.quantity("currentAverageValue")?, "0");
                let metric = identifier(source.text("metricName")?, source.selector("selector")?);
                json!({"metric": metric, "current": current(Value::Null, average, Value::Null)})
            }
            "external" => {
                let value = or(&source.quantity("currentValue")?, "0");
                let selector = source.selector("metricSelector")?;
                let metric = identifier(source.text("metricName")?, selector);
                let average = source.quantity("currentAverageValue")?;
                json!({"metric": metric, "current": current(value, average, Value::Null)})
            }
            _ => {
                let share = source.int("currentAverageUtilization")?;
                let average = or(&source.quantity("currentAverageValue")?, "0");
                let (own, current) = (source.text("name")?, current(Value::Null, average, share));
                match name {
                    "resource" => json!({"name": own, "current": current}),
                    _ => {
                        let container = source.text("container")?;
                        json!({"name": own, "current": current, "container": container})
                    }
                }
            }
        };
        new.insert(name.to_owned(), made);
    }
    Some(new.into())
}

fn new_condition(condition: &Read<'_>) -> Option<Value> {
    let time = condition.some_text("lastTransitionTime")?;
    serde_json::from_value::<Option<pintle_apimachinery::Time>>(time.clone()).ok()?;
    Some(fields(&[
        ("type", &condition.text("type")?),
        ("status", &condition.text("status")?),
        ("lastTransitionTime", &time),
        ("reason?", &given(condition.text("reason")?)),
        ("message?", &given(condition.text("message")?)),
        ("observedGeneration?", &condition.long("observedGeneration")?),
    ]))
}

fn new_behavior(note: &Value) -> Option<Value> {
    let behavior = Read::of(note)?;
    let mut new = Map::new();
    for direction in ["scaleUp", "scaleDown"] {
        if behavior.get(direction).is_null() {
            continue;
        }
        let rules = behavior.inner(direction)?;
        let policies = match rules.get("policies") {
            Value::Null => Value::Null,
            Value::Array(policies) => {
                let mut made = Vec::new();
                for policy in policies {
                    let policy = Read::of(policy)?;
                    let number = |name| Some(policy.int(name)?.as_i64().unwrap_or_default());
                    made.push(json!({
                        "type": policy.text("type")?,
                        "value": number("value")?,
                        "periodSeconds": number("periodSeconds")?,
                    }));
                }
                made.into()
            }
            _ => return None,
        };
        let made = fields(&[
            ("stabilizationWindowSeconds?", &rules.int("stabilizationWindowSeconds")?),
            ("selectPolicy?", &rules.some_text("selectPolicy")?),
            ("policies?", &policies),
            ("tolerance?", &rules.quantity("tolerance")?),
        ]);
        new.insert(direction.to_owned(), made);
    }
    new.retain(|_, rules| !is_nil(Some(rules)));
    Some(new.into())
}

/// JSON as Go writes it: `<`, `>` and `&` in texts as their numbers.
fn go_json(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Fields {
        match value {
            Value::Object(fields) => fields,
            other => panic!("not an object: {other}"),
        }
    }

    fn stored() -> Value {
        json!({
            "metadata": {"name": "a", "annotations": {"k": "v"}},
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
                "minReplicas": 1,
                "maxReplicas": 3,
                "metrics": [
                    {"type": "Pods", "pods": {"metric": {"name": "<q>"},
                        "target": {"type": "AverageValue", "averageValue": "5"}}},
                    {"type": "Resource", "resource": {"name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 50}}},
                ],
                "behavior": {"scaleDown": {"selectPolicy": "Max",
                    "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]}},
            },
            "status": {"currentReplicas": 0, "desiredReplicas": 0},
        })
    }

    #[test]
    fn what_v1_has_no_field_for_is_in_annotations() {
        let mut autoscaler = object(stored());
        from_v2(&mut autoscaler);
        assert_eq!(autoscaler["spec"]["targetCPUUtilizationPercentage"], 50);
        assert_eq!(
            autoscaler["metadata"]["annotations"][METRICS],
            r#"[{"type":"Pods","pods":{"metricName":"\u003cq\u003e","targetAverageValue":"5"}}]"#
        );
        assert_eq!(
            autoscaler["metadata"]["annotations"][BEHAVIOR],
            r#"{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":15}],"Tolerance":null}}"#
        );
        to_v2(&mut autoscaler);
        assert_eq!(Value::Object(autoscaler), stored());
    }

    #[test]
    fn an_annotation_that_does_not_fit_says_nothing() {
        for (note, metrics) in [
            (r#"[{"Type":"Pods","pods":{"METRICNAME":"q","targetAverageValue":5}}]"#, 1),
            (r#"[{"type":"Pods","pods":{"metricName":7}}]"#, 0),
            ("[", 0),
        ] {
            let mut autoscaler = object(json!({"metadata": {"annotations": {METRICS: note}}}));
            to_v2(&mut autoscaler);
            let kept =
                autoscaler["spec"]["metrics"].as_array().map(Vec::as_slice).unwrap_or_default();
            let pods = kept.iter().filter(|metric| metric["type"] == "Pods").count();
            assert_eq!(pods, metrics, "{note}");
            assert_eq!(kept.iter().filter(|m| share(m).is_some()).count(), 1 - metrics, "{note}");
            assert!(metadata_mut(&mut autoscaler).is_empty());
        }
    }
}
